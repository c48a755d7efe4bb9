/* Any text as an invitation; what is accepted writes back the same text. */
#include "protocol/invite.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[2048], again[SAT_INVITE_TEXT_MAX];
	sat_invite in;

	if (n >= sizeof text)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	sat_crypto_init();
	if (sat_invite_read(&in, text, NULL) == SAT_OK) {
		sat_invite_write(again, &in);
		assert(sat_invite_read(&in, again, NULL) == SAT_OK);
	}
	return 0;
}
