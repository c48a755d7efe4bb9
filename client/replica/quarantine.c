/*
 * quarantine.c - commits the server did not merge, and what becomes of them.
 *
 * A refused commit left the outbox with its verdict (verdict.c) and waits here
 * for a person, who sends it again, hands it to whoever is responsible, or
 * drops it with a reason. Nothing else takes it away: not a template, a
 * snapshot, a new incarnation or a restored backup.
 *
 * Invariant Q1: a row is open, or settled in the transaction that wrote the
 * commit which took its place. So each saved operation is in one place.
 */
#include "client/replica/replica_int.h"

#include <string.h>

enum { C_ID, C_SEQ, C_AT, C_CODE, C_OP, C_SLUG, C_HINT, C_HEADER, C_PAYLOAD,
	C_FATE, C_FATE_AT, C_HEIR, C_SEALED };

static sat_rc
read_row(sat_quarantined *q, sat_arena *a, sat_stmt *s, sat_err *e)
{
	int64_t seq = sat_col_int(s, C_SEQ), heir = sat_col_int(s, C_HEIR);
	sat_rc rc;

	*q = (sat_quarantined){ .id = sat_col_int(s, C_ID),
		.at_ms = sat_col_int(s, C_AT),
		.incarnation = replica_seq_inc(seq),
		.cseq = replica_seq_cseq(seq),
		.code = (sat_verdict_code)sat_col_int(s, C_CODE),
		.op = (uint32_t)sat_col_int(s, C_OP),
		.slug = replica_col_str(a, s, C_SLUG), .hint = replica_col_str(a, s, C_HINT),
		.fate = (sat_fate)sat_col_int(s, C_FATE),
		.fate_ms = sat_col_int(s, C_FATE_AT),
		.heir_incarnation = replica_seq_inc(heir),
		.heir_cseq = replica_seq_cseq(heir) };
	if ((rc = sat_commit_read(&q->commit, a, replica_col_copy(a, s, C_HEADER),
	    replica_col_copy(a, s, C_PAYLOAD), e)) == SAT_OK)
		q->commit.box = replica_col_copy(a, s, C_SEALED);
	return rc;
}

static sat_rc
read_rows(sat_quarantined **out, size_t *n, sat_arena *a, sat_stmt *s,
    sat_err *e)
{
	sat_quarantined *list = NULL;
	size_t cap = 0;
	bool row;
	sat_rc rc;

	*n = 0;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(list, *n, cap, a);
		if ((rc = read_row(&list[*n], a, s, e)) != SAT_OK)
			break;
		++*n;
	}
	sat_stmt_reset(s);
	*out = list;
	return rc;
}

sat_rc
sat_replica_quarantine(sat_quarantined **out, size_t *n, sat_arena *a,
    sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_OPEN, e)) != SAT_OK)
		return rc;
	return read_rows(out, n, a, s, e);
}

sat_rc
sat_replica_set_aside(sat_quarantined **out, size_t *n, sat_arena *a,
    sat_replica *r, int64_t limit, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_SETTLED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, limit > 0 ? limit : -1);
	return read_rows(out, n, a, s, e);
}

static sat_rc
unknown(sat_err *e)
{
	return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
	    "see: satchel sync pending", "no such commit in quarantine");
}

sat_rc
sat_replica_quarantined(sat_quarantined *q, sat_arena *a, sat_replica *r,
    int64_t id, sat_err *e)
{
	sat_quarantined *list;
	sat_stmt *s;
	size_t n;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, id);
	if ((rc = read_rows(&list, &n, a, s, e)) != SAT_OK)
		return rc;
	if (n == 0)
		return unknown(e);
	*q = list[0];
	return SAT_OK;
}

/* ---- what becomes of them ---------------------------------------------------------- */

sat_rc
replica_quarantine_settle(sat_replica *r, int64_t id, sat_fate fate,
    uint64_t cseq, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined q;
	sat_stmt *s;
	sat_rc rc = sat_replica_quarantined(&q, &a, r, id, e);

	sat_arena_fini(&a);
	if (rc != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_QUARANTINE_SETTLE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, id);
	sat_bind_int(s, 2, fate);
	sat_bind_int(s, 3, sat_wall_ms(&r->clock));
	sat_bind_int(s, 4, cseq == 0 ? 0 :
	    replica_seq(r->id->incarnation, cseq));
	return sat_run(s, e);
}

sat_rc
sat_replica_settle(sat_replica *r, int64_t id, sat_fate fate, uint64_t cseq,
    sat_err *e)
{
	bool began;
	sat_rc rc;

	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	return replica_end(r, began,
	    replica_quarantine_settle(r, id, fate, cseq, e), e);
}

static sat_rc
discard(sat_replica *r, int64_t id, const char *reason, sat_err *e)
{
	sat_arena a = { 0 };
	sat_quarantined q;
	sat_buf b = { 0 };
	sat_rc rc = sat_replica_quarantined(&q, &a, r, id, e);

	if (rc == SAT_OK) {
		sat_buf_fmt(&b, "commit %llu (%s): %s",
		    (unsigned long long)q.cseq, q.slug, reason);
		rc = replica_audit_customer(r, &q.commit.subject,
		    "quarantine.discard", sat_buf_cstr(&b), e);
	}
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return rc != SAT_OK ? rc :
	    replica_run_int(r, SQL_QUARANTINE_DEL, id, e);
}

sat_rc
sat_replica_discard(sat_replica *r, int64_t id, const char *reason, sat_err *e)
{
	bool began;
	sat_rc rc;

	if ((rc = replica_begin(r, &began, e)) != SAT_OK)
		return rc;
	return replica_end(r, began, discard(r, id, reason, e), e);
}

/* ---- who waits for whom ---------------------------------------------------------------- */

typedef struct made { /* records that open commits would have made */
	sat_id *id;
	size_t n, cap;
} made;

static void
add_made(made *m, sat_arena *a, const sat_commit *c)
{
	for (size_t i = 0; i < c->nops; i++) {
		if (c->ops[i].kind != SAT_OP_NEW)
			continue;
		SAT_ARENA_GROW(m->id, m->n, m->cap, a);
		m->id[m->n++] = c->ops[i].rec;
	}
}

static bool
makes(const sat_commit *c, const void *id)
{
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind == SAT_OP_NEW &&
		    memcmp(c->ops[i].rec.b, id, sizeof(sat_id)) == 0)
			return true;
	return false;
}

/* It changes that record, or names it (as its parent), and does not make it. */
static bool
needs(const sat_commit *c, const void *id)
{
	for (size_t i = 0; i < c->nops; i++) {
		sat_id named;

		if (memcmp(c->ops[i].rec.b, id, sizeof(sat_id)) == 0 ||
		    (sat_op_names(&named, &c->ops[i]) &&
		    memcmp(named.b, id, sizeof named.b) == 0))
			return !makes(c, id);
	}
	return false;
}

static bool
needs_any(const sat_commit *c, const made *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (needs(c, m->id[i].b))
			return true;
	return false;
}

/* Does another one of them, that has not gone yet, make what this one needs? */
static bool
is_early(const sat_quarantined *q, size_t n, const bool *waits, size_t at)
{
	for (size_t i = 0; i < n; i++) {
		const sat_commit *c = &q[i].commit;

		for (size_t k = 0; i != at && waits[i] && k < c->nops; k++)
			if (c->ops[k].kind == SAT_OP_NEW &&
			    needs(&q[at].commit, c->ops[k].rec.b))
				return true;
	}
	return false;
}

/* What makes a record before what needs it, else as they were refused. */
static void
put_in_turn(size_t *out, const sat_quarantined *q, size_t n, bool *waits,
    size_t left)
{
	for (size_t put = 0, round; put < left; put += round) {
		round = 0;
		for (size_t i = 0; i < n; i++) {
			if (!waits[i] || is_early(q, n, waits, i))
				continue;
			waits[i] = false;
			out[put + round++] = i;
		}
		/* two that need each other: no order is right */
		for (size_t i = 0; round == 0; i++)
			if (waits[i]) {
				waits[i] = false;
				out[put + round++] = i;
			}
	}
}

/* Until no more are found: one that was sent again and refused again stands
 * behind those that wait for it. */
size_t
sat_quarantine_dependants(size_t *out, sat_arena *a, const sat_quarantined *q,
    size_t n, size_t of)
{
	bool *waits = sat_arena_alloc(a, (n + 1) * sizeof *waits);
	size_t found = 0, met = 0;
	made m = { 0 };

	memset(waits, 0, (n + 1) * sizeof *waits);
	add_made(&m, a, &q[of].commit);
	while (met < m.n) {
		met = m.n;
		for (size_t i = 0; i < n; i++) {
			if (i == of || waits[i] ||
			    !needs_any(&q[i].commit, &m))
				continue;
			add_made(&m, a, &q[i].commit);
			waits[i] = true;
			found++;
		}
	}
	put_in_turn(out, q, n, waits, found);
	return found;
}

sat_rc
sat_replica_dependants(int64_t **ids, size_t *n, sat_arena *a, sat_replica *r,
    int64_t id, sat_err *e)
{
	sat_quarantined *all;
	size_t nall, of = 0, *found;
	sat_rc rc;

	*n = 0;
	*ids = NULL;
	if ((rc = sat_replica_quarantine(&all, &nall, a, r, e)) != SAT_OK)
		return rc;
	while (of < nall && all[of].id != id)
		of++;
	if (of == nall)
		return unknown(e);
	found = sat_arena_alloc(a, (nall + 1) * sizeof *found);
	*ids = sat_arena_alloc(a, (nall + 1) * sizeof **ids);
	*n = sat_quarantine_dependants(found, a, all, nall, of);
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = all[found[i]].id;
	return SAT_OK;
}
