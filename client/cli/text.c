/*
 * The Chinese of the command line, compiled in.
 */
#include "client/cli/cli_int.h"
#include "client/cli/text_int.h"

#include <string.h>

void
cli_text_use(const char *lang)
{
	bool zh = strcmp(lang, "zh") == 0;

	sat_text_use(zh ? cli_catalogue_zh : NULL,
	    zh ? cli_catalogue_zh_bytes : 0);
}
