/*
 * audit: what administrators did (log), and whether that, every chain and every
 * signature is whole (verify); commits nobody has (gaps).
 *
 * Of a verb its words are kept and of its options the names: a value may be a
 * person's name, or an address with a key in it.
 */
#include "server/admin/admin_int.h"

#include "common/base/log.h"
#include "server/store/sqlite/audits.h"

#include <stdio.h>
#include <string.h>

#define WHAT_MAX 200

/* Verbs that only look leave no row. */
static bool
only_looks(const sat_args *w)
{
	static const char *const nouns[] = { "status", "doctor", "check", "acl",
		"scope", "merge", "conflict", "audit",
		"export" /* writes a row of its own, with its reason */ };
	static const char *const verbs[] = { "list", "show", "status", "verify",
		"stats", "packs", "diff", "dead", "invites" };

	for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++)
		if (strcmp(w->arg[0], nouns[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (w->nargs > 1 && strcmp(w->arg[1], verbs[i]) == 0)
			return true;
	/* "user" alone lists, "backup FOLDER" does not */
	return w->nargs == 1 && strcmp(w->arg[0], "reload") != 0 &&
	    strcmp(w->arg[0], "drain") != 0;
}

void
admin_audit_note(sat_admin *a, const sat_args *w, sat_rc rc)
{
	sat_err why = { 0 };
	sat_buf b = { 0 };

	if (only_looks(w) || rc == SAT_EUSAGE || sat_args_has(w, "dry-run"))
		return;
	for (size_t i = 0; i < w->nargs && b.n < WHAT_MAX; i++)
		sat_buf_fmt(&b, "%s%.64s", i > 0 ? " " : "",
		    strstr(w->arg[i], "://") != NULL ? "URL" : w->arg[i]);
	for (size_t i = 0; i < w->ngiven && b.n < WHAT_MAX; i++)
		if (strcmp(w->given[i].opt->name, "json") != 0)
			sat_buf_fmt(&b, " --%s", w->given[i].opt->name);
	if (sat_sqlite_audit_add(a->store, sat_wall_ms(&a->clock),
	    a->actor != NULL ? a->actor : "console", sat_buf_cstr(&b), (int)rc,
	    &why) != SAT_OK)
		sat_log(SAT_ERROR, "ADMIN-AUDIT", "what=\"%s\" text=%s",
		    sat_buf_cstr(&b), why.text);
	sat_buf_fini(&b);
}

/* ---- log ---------------------------------------------------------------------------- */

typedef struct listing {
	sat_json *rows;
	int64_t since_ms;
	uint64_t n;
	uint8_t head[SAT_HASH_BYTES]; /* of the last row */
} listing;

static bool
put_row(void *u, const sat_audit_row *r)
{
	listing *l = u;
	sat_json *row;

	l->n++;
	memcpy(l->head, r->hash, sizeof l->head);
	if (l->rows == NULL || r->at_ms < l->since_ms)
		return true;
	row = sat_json_add_obj(l->rows);
	sat_json_put_int(row, "seq", (int64_t)r->seq);
	sat_json_put_time(row, "at", r->at_ms);
	sat_json_put_str(row, "actor", r->actor);
	sat_json_put_str(row, "what", r->what);
	sat_json_put_int(row, "exit", sat_rc_exit((sat_rc)r->rc));
	return true;
}

static sat_rc
audit_log(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "at", "actor", "what", "exit", NULL };
	const char *since = sat_args_get(w, "since");
	listing l = { 0 };
	sat_json *doc;
	int64_t ago;
	sat_rc rc;

	if (since != NULL && sat_duration_parse(&ago, since))
		l.since_ms = sat_wall_ms(&a->clock) - ago;
	else if (since != NULL && !sat_time_parse(&l.since_ms, since, 0))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 7d, 2026-11-01", "--since %.40s is no time",
		    since);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/audit.log/1");
	l.rows = sat_json_put_arr(doc, "data");
	if ((rc = sat_sqlite_audit_each(a->store, put_row, &l, e)) == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

static sat_rc
audit_verify(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	char hex[2 * SAT_HASH_BYTES + 1];
	uint64_t commits = 0, records = 0;
	listing l = { 0 };
	sat_json *doc;
	sat_rc rc;

	if ((rc = sat_sqlite_audit_each(a->store, put_row, &l, e)) !=
	    SAT_OK || (rc = admin_verify_all(a, &commits, &records, e)) !=
	    SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/audit.verify/1");
	sat_json_put_str(doc, "result", "ok");
	sat_json_put_int(doc, "commits", (int64_t)commits);
	sat_json_put_int(doc, "acts", (int64_t)l.n);
	/* to be written down elsewhere: whoever has the file could make the
	 * chain anew, but not with this end */
	sat_hex(hex, l.head, sizeof l.head);
	sat_json_put_str(doc, "acts_head", l.n > 0 ? hex : NULL);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_audit_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "";

	if (strcmp(verb, "log") == 0)
		return audit_log(a, w, out, e);
	if (strcmp(verb, "verify") == 0)
		return audit_verify(a, w, out, e);
	if (strcmp(verb, "gaps") == 0)
		return admin_gaps(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld audit log [--since T] | verify | gaps");
}
