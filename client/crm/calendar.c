/*
 * A person's diary: his customers with their next follow-up and his open tasks,
 * as one iCalendar. Titles and plans, no phones; what is somebody else's is not
 * in it, so looking at it is no export.
 */
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 5000

/* The person's own, that are still open. */
static sat_rc
add_kind(sat_buf *out, sat_crm *c, const sat_kind *k, const char *whose,
    const char *when, const char *open, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_field *f = sat_kind_field(k, when);
	char *where = sat_xasprintf("%s=me and %s is not null%s", whose, when,
	    open);
	uint16_t columns[SAT_FIELDS_MAX + 2] = { SAT_Q_ID, SAT_Q_CREATED };
	sat_query q = { .kind = k, .columns = columns, .ncolumns = 2,
		.nsort = 1, .limit = EVENTS_MAX };
	sat_filter *filters;
	sat_arena a = { 0 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].policy != SAT_P_DERIVED)
			columns[q.ncolumns++] = k->fields[i].id;
	q.sort[0].field = f->id;
	if ((rc = sat_crm_where(&filters, &q.nfilters, &a, c, k, where, e)) !=
	    SAT_OK)
		goto out;
	q.filters = filters;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		goto out;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		char text[SAT_ID_TEXT];
		crm_card card = { c, t, k, text, v[1].i, columns, v,
			q.ncolumns };
		sat_id id;

		memcpy(id.b, v[0].s.p, sizeof id.b);
		sat_id_text(text, &id);
		(void)crm_event(out, &card);
	}
	sat_rows_free(rows);
out:
	free(where);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_crm_calendar(sat_buf *out, sat_crm *c, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *account = sat_template_kind(t, "account");
	const sat_kind *task = sat_template_kind(t, "task");
	sat_rc rc = SAT_OK;

	crm_calendar(out, true);
	if (account != NULL && sat_kind_field(account, "next_follow_at") != NULL)
		rc = add_kind(out, c, account, "owner", "next_follow_at", "", e);
	if (rc == SAT_OK && task != NULL && sat_kind_field(task, "due_at") !=
	    NULL)
		rc = add_kind(out, c, task, "assignee", "due_at",
		    " and done_at is null", e);
	crm_calendar(out, false);
	return rc;
}
