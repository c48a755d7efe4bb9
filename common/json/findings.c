#include "common/json/findings.h"

#include <stdio.h>

#define N_(text) text /* for client/cli/po/extract.sh */

void
sat_finding_add(sat_findings *f, const char *check, sat_finding s,
    const char *detail, const char *next)
{
	static const char *const words[] = { "ok", N_("warn"), N_("fail") };
	sat_json *row = sat_json_add_obj(f->rows);

	sat_json_put_str(row, "check", check);
	sat_json_put_str(row, "state", words[s]);
	sat_json_put_str(row, "detail", detail);
	sat_json_put_str(row, "next", s == SAT_GOOD ? NULL : next);
	f->warnings += s == SAT_WARNING;
	f->failures += s == SAT_FAILURE;
}

void
sat_finding_count(sat_findings *f, const char *check, sat_finding bad,
    uint64_t n, const char *what, const char *next)
{
	char text[96];

	(void)snprintf(text, sizeof text, "%llu %s", (unsigned long long)n,
	    what);
	sat_finding_add(f, check, n > 0 ? bad : SAT_GOOD, text, next);
}

void
sat_findings_put(sat_json *doc, const sat_findings *f)
{
	sat_json_put_bool(doc, "ok", f->failures == 0);
	sat_json_put_int(doc, "warnings", f->warnings);
	sat_json_put_int(doc, "failures", f->failures);
}
