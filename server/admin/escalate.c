/*
 * conflict escalate: what its owner did not decide within the days of the
 * template (policy/conflict.json), and who is to decide it now: the manager of
 * the owner's team, else headquarters. Nothing is stored: every device derives
 * the same for its own inbox.
 */
#include "server/admin/admin_int.h"

#include "protocol/duty.h"
#include "protocol/look.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

typedef struct open_one {
	sat_id rec;
	const sat_kind *kind;
	const sat_field *field;
	uint64_t lsn;      /* where it was opened; 0 = not known */
	int64_t since_ms;
} open_one;

typedef struct gathering {
	open_one *row;
	size_t n, cap;
} gathering;

static bool
gather(void *u, const sat_look_conflict *x)
{
	gathering *g = u;

	if (g->n == g->cap) {
		g->cap = g->cap * 2 + 16;
		g->row = sat_xrealloc(g->row, g->cap * sizeof *g->row);
	}
	g->row[g->n++] = (open_one){ x->rec, x->kind, x->field, x->opened_lsn,
		x->n > 0 ? sat_hlc_ms(x->candidates[0].at.hlc) : 0 };
	return true;
}

/* The server's own clock when it has the commit; else what its author said. */
static bool
take_time(void *u, const sat_look_commit *x)
{
	((open_one *)u)->since_ms = x->received_ms;
	return false;
}

/* Those past their date; with `stale_ms` >= 0 those open for so long. */
static sat_rc
put_one(sat_json *rows, sat_admin *a, const open_one *x, int64_t now_ms,
    int64_t stale_ms, sat_err *e)
{
	const sat_template *t = admin_template_at(a, a->tip.b);
	const sat_registry *reg = sat_server_registry(a->core);
	const sat_user *to;
	char id[SAT_ID_TEXT];
	sat_buf owner = { 0 };
	sat_json *row;
	sat_value who;
	sat_duty d;
	sat_rc rc = sat_server_owner(&owner, a->core, &x->rec, e);

	if (rc != SAT_OK)
		return rc;
	who = owner.n > 0 ? sat_v_text(sat_buf_span(&owner)) : sat_v_null();
	sat_duty_of(&d, t, reg, who, x->since_ms, now_ms);
	to = sat_duty_above(reg, sat_registry_user(reg, sat_buf_span(&owner)));
	if (stale_ms < 0 ? d.overdue || d.escalated :
	    now_ms - x->since_ms >= stale_ms) {
		row = sat_json_add_obj(rows);
		sat_id_text(id, &x->rec);
		sat_json_put_str(row, "kind", x->kind->key);
		sat_json_put_str(row, "id", id);
		sat_json_put_str(row, "field", x->field != NULL ?
		    x->field->key : NULL);
		sat_json_put_time(row, "since", x->since_ms);
		sat_json_put_int(row, "days", (now_ms - x->since_ms) / DAY_MS);
		sat_json_put_str(row, "owner", owner.n > 0 ?
		    sat_buf_cstr(&owner) : NULL);
		sat_json_put_str(row, "to", to != NULL ? to->key :
		    d.assignee);
	}
	sat_buf_fini(&owner);
	return SAT_OK;
}

sat_rc
admin_conflict_escalate(sat_admin *a, const sat_args *w, sat_buf *out,
    sat_err *e)
{
	static const char *const cols[] = { "kind", "id", "field", "since",
		"days", "owner", "to", NULL };
	int64_t now = sat_wall_ms(&a->clock), stale = -1;
	const char *since = sat_args_get(w, "stale");
	sat_json *doc = NULL, *rows;
	gathering g = { 0 };
	sat_rc rc;

	if (since != NULL && !sat_duration_parse(&stale, since))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 14d", "--stale %.40s is no duration", since);
	rc = sat_server_conflicts(a->core, gather, &g, e);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/conflict.escalate/1");
	sat_json_put_int(doc, "days",
	    sat_duty_days(admin_template_at(a, a->tip.b)));
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; rc == SAT_OK && i < g.n; i++) {
		open_one *x = &g.row[i];

		if (x->lsn != 0)
			rc = sat_server_look(a->core, x->lsn, x->lsn, take_time,
			    x, e);
		if (rc == SAT_OK)
			rc = put_one(rows, a, x, now, stale, e);
	}
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	free(g.row);
	return rc;
}
