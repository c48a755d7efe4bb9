/*
 * news.c - what became of own work besides its verdict: a number the server
 * replaced (P-322), and the answer to what was handed over (P-323). The author
 * of the latter has lost the record, so no operation on it reaches him.
 */
#include "client/replica/replica_int.h"

#include <string.h>

/* root  the customer; NULL: not known, or there is nothing of his in it */
static sat_rc
put(sat_replica *r, const sat_news *x, uint16_t kind, const sat_id *root,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_NEWS_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)x->lsn);
	sat_bind_int(s, 2, x->what);
	sat_bind_blob(s, 3, sat_span_of(x->rec.b, sizeof x->rec.b));
	sat_bind_int(s, 4, (int64_t)x->hlc);
	sat_bind_int(s, 5, kind);
	sat_bind_int(s, 6, x->by);
	sat_bind_int(s, 7, x->at_ms);
	sat_bind_text(s, 8, sat_span_str(x->was));
	sat_bind_text(s, 9, sat_span_str(x->is));
	if (root != NULL)
		sat_bind_blob(s, 10, sat_span_of(root->b, sizeof root->b));
	else
		sat_bind_null(s, 10);
	return sat_run(s, e);
}

/* ---- told --------------------------------------------------------------------------- */

/* The argument of a hint with this code; {NULL,0}: another hint. */
static sat_span
argument(sat_span hint, const char *code)
{
	size_t n = strlen(code);

	if (hint.n <= n + 1 || memcmp(hint.p, code, n) != 0 ||
	    hint.p[n] != '=')
		return (sat_span){ NULL, 0 };
	return sat_span_of(hint.p + n + 1, hint.n - n - 1);
}

sat_rc
replica_renumbered(sat_replica *r, int64_t seq, const sat_verdict *v,
    sat_err *e)
{
	sat_news x = { .lsn = v->lsn, .what = SAT_NEWS_RENUMBERED };
	sat_span now = argument(v->hint, "RENUMBERED");
	const sat_op *op;
	own_commit o;
	sat_id root;
	bool known;
	sat_rc rc;

	if (now.n == 0 || !sat_utf8_ok(now.p, now.n))
		return SAT_OK; /* of a later release: nothing depends on it */
	rc = replica_own_commit(&o, &r->page.mem, r, seq, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	if (rc != SAT_OK || v->op >= o.c.nops)
		return rc;
	op = &o.c.ops[v->op];
	x.rec = op->rec;
	x.hlc = o.c.hlc;
	x.at_ms = sat_wall_ms(&r->clock);
	x.is = sat_arena_str(&r->page.mem, now.p, now.n);
	x.was = op->value.type != SAT_V_TEXT ? "" : sat_arena_str(
	    &r->page.mem, op->value.s.p, op->value.s.n);
	rc = replica_root_of(&root, &known, r, &op->rec, e);
	return rc != SAT_OK ? rc :
	    put(r, &x, op->rtype, known ? &root : NULL, e);
}

sat_rc
replica_answered(sat_replica *r, const sat_welcome *w, sat_err *e)
{
	uint64_t last = r->answered;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < w->nanswers && rc == SAT_OK; i++) {
		const sat_answer *a = &w->answers[i];
		sat_news x = { .lsn = a->lsn, .rec = a->rec, .hlc = a->hlc,
			.what = a->accepted ? SAT_NEWS_ACCEPTED :
			SAT_NEWS_DECLINED, .by = a->by, .at_ms = a->at_ms,
			.was = "", .is = "" };

		if (a->lsn > last)
			last = a->lsn;
		rc = put(r, &x, a->kind, NULL, e);
	}
	if (rc == SAT_OK && last > r->answered)
		rc = replica_meta_int(r, "answered", (int64_t)last, e);
	return rc;
}

/* ---- read ----------------------------------------------------------------------------- */

sat_rc
sat_replica_news(sat_news **out, size_t *n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	sat_news *list = NULL;
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_NEWS_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span id = sat_col_blob(s, 2);
		sat_news *x;

		SAT_ARENA_GROW(list, *n, cap, a);
		x = &list[(*n)++];
		*x = (sat_news){ .lsn = (uint64_t)sat_col_int(s, 0),
			.what = (sat_news_what)sat_col_int(s, 1),
			.hlc = (sat_hlc)sat_col_int(s, 3),
			.kind = sat_template_kind_id(r->t,
			    (uint16_t)sat_col_int(s, 4)),
			.by = (uint32_t)sat_col_int(s, 5),
			.at_ms = sat_col_int(s, 6),
			.was = replica_col_str(a, s, 7),
			.is = replica_col_str(a, s, 8) };
		if (id.n == sizeof x->rec.b)
			memcpy(x->rec.b, id.p, id.n);
	}
	*out = list;
	return rc;
}

sat_rc
sat_replica_news_seen(sat_replica *r, uint64_t upto, sat_err *e)
{
	int64_t last = upto > INT64_MAX ? INT64_MAX : (int64_t)upto;
	bool began;
	sat_rc rc;

	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	return replica_end(r, began,
	    replica_run_int(r, SQL_NEWS_SEEN, last, e), e);
}
