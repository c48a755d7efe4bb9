/*
 * Erasures from the server's console. Two people decide here as well: both are
 * named, and stand in the ledger.
 */
#include "server/admin/admin_int.h"

#include <string.h>

static void
user_put(sat_json *row, const char *key, const sat_admin *a, uint32_t ord)
{
	const sat_user *u = ord == 0 ? NULL :
	    sat_registry_user_ord(sat_server_registry(a->core), ord);

	sat_json_put_str(row, key, u != NULL ? u->key : NULL);
}

static sat_rc
status(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "id", "state", "at", "by",
		"second", "confirmed", "pending", "expired", "reason", NULL };
	sat_privacy_is is;
	sat_json *doc, *rows;
	sat_rc rc = sat_server_privacy(a->core, &is, e);

	if (rc != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/privacy.status/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < is.n; i++) {
		const sat_privacy_row *x = &is.row[i];
		sat_json *row = sat_json_add_obj(rows);
		char text[SAT_ID_TEXT];

		sat_id_text(text, &x->subject);
		sat_json_put_str(row, "id", text);
		sat_json_put_str(row, "state", !x->done ? "asked" :
		    x->pending == 0 ? "done" : "pending");
		sat_json_put_time(row, "at", x->at_ms);
		user_put(row, "by", a, x->by);
		user_put(row, "second", a, x->second);
		sat_json_put_int(row, "confirmed", (int64_t)x->confirmed);
		sat_json_put_int(row, "pending", (int64_t)x->pending);
		sat_json_put_int(row, "expired", (int64_t)x->expired);
		sat_json_put_strn(row, "reason", x->reason);
	}
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}

static uint32_t
who(const sat_admin *a, const char *key)
{
	const sat_user *u = key == NULL ? NULL : sat_registry_user(
	    sat_server_registry(a->core), sat_span_str(key));

	return u != NULL ? u->ord : 0;
}

sat_rc
admin_privacy_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "status";
	const char *reason = sat_args_get(w, "reason");
	sat_id id;
	sat_rc rc;

	if (strcmp(verb, "status") == 0)
		return status(a, w, out, e);
	if (strcmp(verb, "erase") != 0 || w->nargs < 3 || reason == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld privacy status | erase ID --reason TEXT "
		    "--by KEY --second KEY");
	if (!sat_id_parse(&id, w->arg[2]))
		return sat_fail_code(e, SAT_EUSAGE, "usage.id",
		    "see: satchel account show", "that is no record id");
	if ((rc = sat_server_erase(a->core, &id, who(a, sat_args_get(w, "by")),
	    who(a, sat_args_get(w, "second")), sat_span_str(reason), e)) !=
	    SAT_OK)
		return rc;
	return status(a, w, out, e);
}
