/* The log beside a plain list of it: commits share rows, and nobody sees it. */
#include "tests/lib/unit.h"

#include "tests/unit/server/store/sqlite/bare.h"

#define COMMITS 600
#define CHAINS 3
#define HEAD (COMMITS * 2)

typedef struct kept {
	sat_segment_row r; /* lsn 0: no commit there */
	bool echo;
} kept;

typedef struct world {
	fixture *f;
	sat_arena a;
	kept at[HEAD + 1];  /* by position */
	uint64_t head;      /* of commits */
	uint64_t cseq[CHAINS];
	unsigned template;
} world;

static uint64_t seed;

static uint64_t
rnd(uint64_t n)
{
	return sat_test_rand(&seed) % n;
}

static sat_span
dup(world *w, const sat_buf *b)
{
	return sat_span_of(sat_arena_dup(&w->a, b->p, b->n), b->n);
}

static void
make_bytes(sat_segment_row *r, world *w)
{
	char *text = sat_arena_alloc(&w->a, 6001);
	size_t n = rnd(12) == 0 ? rnd(6000) : rnd(40);
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = 3 };
	sat_commit c = { .device = r->dev, .incarnation = r->inc,
		.cseq = r->cseq, .hlc = r->row.eff + rnd(2), .seen = rnd(300),
		.actor = 1 + (uint32_t)rnd(200), .nops = 1, .ops = &op };
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };

	memset(text, 'a', n);
	op.value = sat_v_text(sat_span_of(text, n));
	sat_random(op.rec.b, sizeof op.rec.b);
	c.subject = op.rec;
	sat_random(c.prev, sizeof c.prev);
	memset(c.template_oid, (int)w->template, sizeof c.template_oid);
	c.flags = rnd(50) == 0 ? SAT_CF_IMPORT : 0;
	sat_commit_seal(&c, hash);
	sat_commit_write_header(&b, &c);
	r->row.header = dup(w, &b);
	sat_buf_reset(&b);
	sat_commit_write_payload(&b, &c);
	r->row.payload = rnd(30) == 0 ? (sat_span){ NULL, 0 } : dup(w, &b);
	sat_buf_fini(&b);
}

/* The next one: mostly of the chain that is being pushed, a moment later. */
static void
put(world *w, size_t chain)
{
	uint64_t lsn = w->head + 1 + (rnd(40) == 0);
	kept *k = &w->at[lsn];
	sat_store *o = &w->f->o;
	sat_err err = { 0 };

	if (rnd(60) == 0)
		w->cseq[chain]++; /* one was refused */
	if (rnd(80) == 0)
		w->template = (unsigned)rnd(3);
	w->f->now_ms += rnd(15) == 0;
	*k = (kept){ .r = { .row = { .lsn = lsn, .received_ms = w->f->now_ms,
		.eff = sat_hlc_of_ms(1000000) - 500 + rnd(1000) },
		.dev = (uint32_t)chain, .inc = 1, .cseq = ++w->cseq[chain] } };
	make_bytes(&k->r, w);
	if (rnd(25) == 0) {
		k->echo = true;
		assert_ok(o->echo_put(o->u, lsn, sat_span_str("echo"), &err));
	}
	assert_ok(o->log_put(o->u, &k->r.row, k->r.dev, k->r.inc, k->r.cseq,
	    &err));
	w->head = lsn;
}

static void
assert_span(sat_span want, sat_span got)
{
	assert_int_equal(want.n, got.n);
	if (want.n > 0)
		assert_memory_equal(want.p, got.p, want.n);
}

static void
assert_at(world *w, uint64_t lsn)
{
	const sat_segment_row *r = &w->at[lsn].r;
	sat_store *o = &w->f->o;
	sat_span header, payload;
	sat_err err = { 0 };
	uint64_t found;
	sat_log_row row;
	sat_hlc eff;

	sat_arena_reset(&w->f->a);
	if (r->row.lsn == 0) {
		assert_rc(SAT_ENOTFOUND, o->log_get(&row, &w->f->a, o->u, lsn,
		    &err));
		return;
	}
	assert_ok(o->log_get(&row, &w->f->a, o->u, lsn, &err));
	assert_true(row.lsn == lsn && row.eff == r->row.eff &&
	    row.received_ms == r->row.received_ms);
	assert_span(r->row.header, row.header);
	assert_span(r->row.payload, row.payload);
	assert_int_equal(w->at[lsn].echo ? 4 : 0, row.echoes.n);
	if (rnd(3) != 0)
		return;
	assert_ok(o->commit_get(&header, &payload, &w->f->a, o->u, r->dev,
	    r->inc, r->cseq, &err));
	assert_span(r->row.header, header);
	assert_span(r->row.payload, payload);
	assert_ok(o->log_find(&found, &eff, o->u, r->dev, r->inc, r->cseq,
	    &err));
	assert_true(found == lsn && eff == r->row.eff);
}

typedef struct walk {
	world *w;
	uint64_t at;
} walk;

static bool
on_position(void *u, uint64_t lsn, uint32_t root)
{
	walk *x = u;

	assert_int_equal(0, root);
	while (++x->at < lsn)
		assert_int_equal(0, x->w->at[x->at].r.row.lsn);
	assert_int_equal(lsn, x->w->at[lsn].r.row.lsn);
	return true;
}

static void
assert_positions(world *w, uint64_t after)
{
	sat_keys all = { .n = 1, .k = { SAT_KEY_ALL } };
	walk x = { w, after };
	sat_store *o = &w->f->o;
	sat_err err = { 0 };
	uint64_t head;

	assert_ok(o->scope_scan(o->u, &all, after, on_position, &x, &err));
	assert_int_equal(after > w->head ? after : w->head, x.at);
	assert_ok(o->scope_head(&head, o->u, &all, &err));
	assert_int_equal(w->head, head);
}

/* As it is read: on from somewhere, here and there, from the end. */
static void
assert_all(world *w, uint64_t from)
{
	sat_store *o = &w->f->o;
	uint64_t after = from + rnd(w->head - from), lsn;
	sat_err err = { 0 };

	assert_ok(o->begin(o->u, &err));
	for (lsn = from; lsn <= w->head; lsn++)
		assert_at(w, lsn);
	for (int i = 0; i < 200; i++)
		assert_at(w, from + rnd(w->head - from));
	for (lsn = from; lsn <= w->head; lsn += rnd(12))
		assert_at(w, lsn);
	assert_positions(w, after);
	o->rollback(o->u);
}

static void
put_all(world *w)
{
	sat_store *o = &w->f->o;
	size_t chain = 0;
	sat_err err = { 0 };

	assert_ok(o->begin(o->u, &err));
	for (int i = 0; i < COMMITS; i++) {
		if (rnd(25) == 0)
			chain = rnd(CHAINS);
		put(w, chain);
		if (rnd(20) == 0)
			assert_at(w, 1 + rnd(w->head));
		if (rnd(60) != 0)
			continue;
		assert_ok(o->commit(o->u, &err));
		assert_ok(o->begin(o->u, &err));
	}
	assert_ok(o->counter_put(o->u, SAT_N_LSN, w->head, &err));
	assert_ok(o->counter_put(o->u, SAT_N_FOLDED, w->head, &err));
	assert_ok(o->commit(o->u, &err));
}

static world *
world_of(fixture *f)
{
	world *w = sat_xcalloc(1, sizeof *w);

	w->f = f;
	seed = sat_test_seed(20261122);
	put_all(w);
	return w;
}

static void
world_end(world *w)
{
	sat_arena_fini(&w->a);
	free(w);
}

static int64_t
rows(fixture *f)
{
	sat_stmt *q;
	bool row;
	sat_err err = { 0 };
	int64_t n;

	assert_ok(sat_db_stmt_text(&q, sat_sqlite_store_db(f->s),
	    "SELECT count(*) FROM log", &err));
	assert_ok(sat_step(&row, q, &err));
	n = sat_col_int(q, 0);
	sat_stmt_reset(q);
	return n;
}

static void
what_is_read_is_what_was_put(void **state) /* K1 */
{
	world *w = world_of(*state);

	assert_true(rows(w->f) < COMMITS / 3);
	assert_all(w, 1);
	reopen(w->f);
	assert_all(w, 1);
	world_end(w);
}

static sat_rc
put_again(world *w, uint64_t lsn, uint64_t cseq, size_t n)
{
	sat_segment_row r = { .dev = 1, .inc = 1 };
	sat_store *o = &w->f->o;
	sat_err err = { 0 };
	sat_rc rc = SAT_OK;

	assert_ok(o->begin(o->u, &err));
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		r.cseq = cseq + i;
		r.row.lsn = lsn + i;
		r.row.eff = 1;
		make_bytes(&r, w);
		rc = o->log_put(o->u, &r.row, 1, 1, r.cseq, &err);
	}
	if (rc != SAT_OK)
		o->rollback(o->u);
	else
		rc = o->commit(o->u, &err);
	return rc;
}

static bool
is_logged(const world *w, uint64_t cseq)
{
	for (uint64_t lsn = w->head; lsn > 0; lsn--)
		if (w->at[lsn].r.dev == 1 && w->at[lsn].r.cseq == cseq)
			return true;
	return false;
}

static void
no_commit_is_logged_twice(void **state) /* K2 */
{
	world *w = world_of(*state);
	uint64_t last = w->cseq[1], lsn = w->head + 1;

	for (uint64_t cseq = last - 20; cseq <= last; cseq++)
		for (size_t n = 1; n <= 40 && is_logged(w, cseq); n += 13) {
			assert_rc(SAT_ECONFLICT, put_again(w, lsn, cseq, n));
			assert_all(w, w->head - 30);
		}
	assert_rc(SAT_OK, put_again(w, lsn, last + 1, 3));
	assert_rc(SAT_ECONFLICT, put_again(w, lsn + 3, last + 3, 3));
	world_end(w);
}

static bool
every_fifth(void *u, const sat_log_row *row, sat_buf *rest)
{
	world *w = u;
	sat_segment_row *r = &w->at[row->lsn].r;

	assert_span(r->row.payload, row->payload);
	if (row->lsn % 5 != 0)
		return false;
	r->row.payload = (sat_span){ NULL, 0 };
	(void)rest;
	return true;
}

static void
a_payload_is_erased_and_its_neighbours_stay(void **state) /* K3 */
{
	world *w = world_of(*state);
	sat_store *o = &w->f->o;
	int64_t before = rows(w->f);
	sat_err err = { 0 };
	uint64_t n;

	assert_ok(o->begin(o->u, &err));
	assert_ok(o->payloads_erase(&n, o->u, every_fifth, w, &err));
	assert_ok(o->commit(o->u, &err));
	assert_true(n > COMMITS / 10);
	assert_int_equal(before, rows(w->f));
	assert_all(w, 1);
	world_end(w);
}

static sat_rc
sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	(void)u, (void)bytes, (void)e;
	memset(sig, 7, SAT_SIG_BYTES);
	return SAT_OK;
}

static void
the_log_moves_out_up_to_any_position(void **state)
{
	sat_sqlite_signing by = { .sign = sign };
	world *w = world_of(*state);
	sat_sqlite_compacted done;
	sat_err err = { 0 };

	for (uint64_t upto = 7; upto < w->head; upto += 1 + rnd(90)) {
		/* a position without a commit is no row's */
		while (w->at[upto].r.row.lsn == 0)
			upto++;
		assert_ok(sat_sqlite_compact(&done, w->f->s, upto, &by, &err));
		assert_int_equal(upto, done.upto);
		for (uint64_t lsn = 1; lsn <= w->head; lsn += 1 + rnd(20))
			assert_at(w, lsn);
		assert_all(w, upto); /* nobody pulls from below */
	}
	world_end(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
		T(what_is_read_is_what_was_put),
		T(no_commit_is_logged_twice),
		T(a_payload_is_erased_and_its_neighbours_stay),
		T(the_log_moves_out_up_to_any_position),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
