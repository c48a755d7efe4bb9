/*
 * conflict escalate: what its owner did not decide within the days of the
 * template (policy/conflict.json), and who is to decide it now: the manager of
 * the owner's team, else headquarters. Nothing is stored: every device derives
 * the same for its own inbox.
 */
#include "server/admin/admin_int.h"

#include "protocol/look.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define DAYS_DEFAULT 3
#define DAYS_MAX 365

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

static const sat_user *
first_of(const sat_registry *reg, const char *role, uint32_t team)
{
	for (size_t i = 0; i < reg->nusers; i++)
		if (!reg->users[i].disabled &&
		    strcmp(reg->users[i].role, role) == 0 &&
		    (team == 0 || reg->users[i].team == team))
			return &reg->users[i];
	return NULL;
}

/* *owner NULL: nobody owns it. */
static sat_rc
owner_of(const sat_user **owner, sat_admin *a, const sat_id *rec, sat_err *e)
{
	const sat_registry *reg = sat_server_registry(a->core);
	sat_stands st;
	sat_rc rc;

	*owner = NULL;
	for (size_t i = 0; i < reg->nusers; i++) {
		rc = sat_server_stands(&st, a->core, &reg->users[i], rec, e);
		if (rc != SAT_OK)
			return rc;
		if (st.relation == SAT_REL_OWN) {
			*owner = &reg->users[i];
			return SAT_OK;
		}
	}
	return SAT_OK;
}

static sat_rc
put_one(sat_json *rows, sat_admin *a, const open_one *x, int64_t now_ms,
    sat_err *e)
{
	const sat_registry *reg = sat_server_registry(a->core);
	const sat_user *owner, *to;
	char id[SAT_ID_TEXT], when[32];
	sat_json *row;
	sat_rc rc = owner_of(&owner, a, &x->rec, e);

	if (rc != SAT_OK)
		return rc;
	to = owner != NULL && owner->team != 0 ?
	    first_of(reg, "manager", owner->team) : NULL;
	if (to == NULL)
		to = first_of(reg, "hq", 0);
	row = sat_json_add_obj(rows);
	sat_id_text(id, &x->rec);
	sat_time_rfc3339(when, x->since_ms);
	sat_json_put_str(row, "kind", x->kind->key);
	sat_json_put_str(row, "id", id);
	sat_json_put_str(row, "field", x->field != NULL ? x->field->key : NULL);
	sat_json_put_str(row, "since", when);
	sat_json_put_int(row, "days", (now_ms - x->since_ms) / DAY_MS);
	sat_json_put_str(row, "owner", owner != NULL ? owner->key : NULL);
	sat_json_put_str(row, "to", to != NULL ? to->key : NULL);
	return SAT_OK;
}

static int64_t
deadline_days(sat_admin *a)
{
	const sat_template *t = admin_template_at(a, a->tip.b);
	int64_t days = t == NULL ? DAYS_DEFAULT : sat_json_get_int(
	    sat_template_doc(t, "policy/conflict.json"), "days", DAYS_DEFAULT);

	return days < 0 ? 0 : days > DAYS_MAX ? DAYS_MAX : days;
}

sat_rc
admin_conflict_escalate(sat_admin *a, const sat_args *w, sat_buf *out,
    sat_err *e)
{
	static const char *const cols[] = { "kind", "id", "field", "since",
		"days", "owner", "to", NULL };
	int64_t now = sat_wall_ms(&a->clock), days, ms;
	const char *since = sat_args_get(w, "stale");
	sat_json *doc = NULL, *rows;
	gathering g = { 0 };
	sat_rc rc;

	days = deadline_days(a);
	ms = days * DAY_MS;
	if (since != NULL && !sat_duration_parse(&ms, since))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "for example 14d", "--stale %.40s is no duration", since);
	rc = sat_server_conflicts(a->core, gather, &g, e);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/conflict.escalate/1");
	sat_json_put_int(doc, "days", days);
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; rc == SAT_OK && i < g.n; i++) {
		open_one *x = &g.row[i];

		if (x->lsn != 0)
			rc = sat_server_look(a->core, x->lsn, x->lsn, take_time,
			    x, e);
		if (rc == SAT_OK && now - x->since_ms >= ms)
			rc = put_one(rows, a, x, now, e);
	}
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	free(g.row);
	return rc;
}
