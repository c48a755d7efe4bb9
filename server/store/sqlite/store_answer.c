/*
 * store_answer.c - what became of work that was handed over.
 */
#include "server/store/sqlite/store_int.h"

#include <string.h>

static sat_rc
answer_put(void *u, uint32_t dev, const sat_answer *x, sat_err *e)
{
	sat_sqlite_store *s = u;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ANSWER_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, (int64_t)x->lsn);
	sat_bind_blob(q, 3, sat_span_of(x->rec.b, sizeof x->rec.b));
	sat_bind_int(q, 4, x->kind);
	sat_bind_int(q, 5, (int64_t)x->hlc);
	sat_bind_int(q, 6, x->accepted);
	sat_bind_int(q, 7, x->by);
	sat_bind_int(q, 8, x->at_ms);
	return sat_run(q, e);
}

static sat_rc
answers(void *u, uint32_t dev, uint64_t after,
    bool (*cb)(void *cu, const sat_answer *x), void *cu, sat_err *e)
{
	sat_sqlite_store *s = u;
	bool row, more = true;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_ANSWERS_AFTER, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, (int64_t)after);
	while (more && (rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(q, 1);
		sat_answer x = { .lsn = (uint64_t)sat_col_int(q, 0),
			.kind = (uint16_t)sat_col_int(q, 2),
			.hlc = (sat_hlc)sat_col_int(q, 3),
			.accepted = sat_col_int(q, 4) != 0,
			.by = (uint32_t)sat_col_int(q, 5),
			.at_ms = sat_col_int(q, 6) };

		if (id.n == sizeof x.rec.b)
			memcpy(x.rec.b, id.p, id.n);
		more = cb(cu, &x);
	}
	sat_stmt_reset(q);
	return rc;
}

void
store_answer_ops(sat_store *o)
{
	o->answer_put = answer_put;
	o->answers = answers;
}
