/*
 * device invites, device uninvite: invitations that may still be used, and one
 * taken back. What is shown of one is the begin of a hash: it opens nothing.
 */
#include "server/admin/admin_int.h"

#include <string.h>

typedef struct invites {
	sat_json *rows;
} invites;

static bool
put_row(void *u, const sat_sqlite_invite *i)
{
	sat_json *row = sat_json_add_obj(((invites *)u)->rows);
	char id[2 * SAT_INVITE_ID_BYTES + 1];

	sat_hex(id, i->id, sizeof i->id);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "user", i->user);
	sat_json_put_time(row, "expires", i->expires_ms);
	sat_json_put_bool(row, "approve", i->waits);
	return true;
}

sat_rc
admin_invites(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "id", "user", "expires", "approve",
		NULL };
	sat_json *doc = sat_json_obj();
	invites list;
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/device.invites/1");
	list.rows = sat_json_put_arr(doc, "data");
	if ((rc = sat_sqlite_invites(a->store, sat_wall_ms(&a->clock), put_row,
	    &list, e)) == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

sat_rc
admin_uninvite(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *text = w->nargs > 2 ? w->arg[2] : "";
	uint8_t id[SAT_INVITE_ID_BYTES];
	sat_rc rc;

	if (strlen(text) != 2 * sizeof id || !sat_unhex(id, sizeof id, text,
	    strlen(text)))
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld device uninvite ID");
	rc = sat_sqlite_invite_drop(a->store, id, e);
	return rc == SAT_OK ? admin_invites(a, w, out, e) : rc;
}
