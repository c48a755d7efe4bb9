/* Every change once: what one pass tells of all writes is what the past and the
 * present of each kind say, read one by one. */
#include "tests/unit/client/replica/fixture.h"

#include <stdlib.h>

#define RECORDS 4

typedef struct change {
	const sat_kind *kind;
	sat_id rec; /* zero in what one pass tells */
	sat_hlc at;
	uint32_t dev;
} change;

typedef struct changes {
	fixture *f;
	const sat_kind *kind;
	int64_t from_ms, to_ms;
	change v[4096];
	size_t n;
} changes;

static void
add(changes *l, const sat_kind *kind, const sat_id *rec, sat_hlc at,
    uint32_t dev)
{
	assert_true(l->n < 4096);
	l->v[l->n] = (change){ .kind = kind, .at = at, .dev = dev };
	if (rec != NULL)
		l->v[l->n].rec = *rec;
	l->n++;
}

static void
on_write(void *u, const sat_kind *kind, sat_hlc at, uint32_t dev)
{
	add(u, kind, NULL, at, dev);
}

static void
add_in_period(changes *l, const sat_id *id, const sat_stamp *at)
{
	int64_t ms = sat_hlc_ms(at->hlc);

	if (ms >= l->from_ms && ms < l->to_ms)
		add(l, l->kind, id, at->hlc, at->dev);
}

static sat_rc
on_past(void *u, const sat_id *id, const sat_past *p, sat_err *e)
{
	(void)e;
	add_in_period(u, id, &p->at);
	return SAT_OK;
}

static sat_rc
on_cell(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	(void)e;
	add_in_period(u, id, &c->at);
	return SAT_OK;
}

static int
by_all(const void *pa, const void *pb)
{
	const change *a = pa, *b = pb;
	int c;

	if (a->kind != b->kind)
		return a->kind->id < b->kind->id ? -1 : 1;
	if ((c = memcmp(a->rec.b, b->rec.b, sizeof a->rec.b)) != 0)
		return c;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->dev > b->dev) - (a->dev < b->dev);
}

/* Each once per record; then it no longer matters of which. */
static void
settle(changes *l)
{
	size_t n = 0;

	qsort(l->v, l->n, sizeof *l->v, by_all);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || by_all(&l->v[i - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
	l->n = n;
	for (size_t i = 0; i < n; i++)
		memset(&l->v[i].rec, 0, sizeof l->v[i].rec);
	qsort(l->v, n, sizeof *l->v, by_all);
}

/* Returns how many there are. */
static size_t
assert_same_writes(fixture *f, int64_t from_ms, int64_t to_ms)
{
	const sat_template *t = sat_replica_template(f->r);
	changes *one = sat_xcalloc(1, sizeof *one);
	changes *all = sat_xcalloc(1, sizeof *all);
	size_t n;
	sat_err err = { 0 };

	all->from_ms = from_ms;
	all->to_ms = to_ms;
	assert_ok(sat_replica_each_write(f->r, from_ms, to_ms, on_write, one,
	    &err));
	for (size_t i = 0; i < sat_template_kinds(t); i++) {
		all->kind = sat_template_kind_at(t, i);
		assert_ok(sat_replica_each_past(f->r, all->kind, 0, on_past, all,
		    &err));
		assert_ok(sat_replica_each_stamp(f->r, all->kind, 0, on_cell,
		    all, &err));
	}
	settle(all);
	qsort(one->v, one->n, sizeof *one->v, by_all);
	assert_int_equal(all->n, one->n);
	for (size_t i = 0; i < one->n; i++)
		assert_int_equal(0, by_all(&all->v[i], &one->v[i]));
	n = one->n;
	free(one);
	free(all);
	return n;
}

static sat_op
random_op(fixture *f, uint64_t x, sat_id id, char *buf)
{
	(void)snprintf(buf, 32, "v%llu", (unsigned long long)(x >> 20));
	switch (x % 7) {
	case 0:
		return op(f->account, SAT_OP_MVSET, id, F_NAME, text(buf));
	case 1:
		return op(f->account, SAT_OP_SADD, id, F_TAGS, text(buf));
	case 2:
		return op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	case 3:
		if (x % 5 < 2) /* what is deleted is not told of */
			return op(f->account, x % 5 == 0 ? SAT_OP_DEL :
			    SAT_OP_UNDEL, id, 0, sat_v_null());
		/* fall through */
	default:
		return op(f->account, SAT_OP_SET, id, x & 512 ? F_CITY :
		    F_REMARK, text(buf));
	}
}

static void
step(fixture *f, uint64_t *seed, sat_id *ids, size_t *n)
{
	uint64_t x = sat_test_rand(seed);
	sat_id id = *n > 0 ? ids[(x >> 16) % *n] : (sat_id){ { 0 } };
	char buf[32];
	sat_err err = { 0 };
	uint64_t cseq;
	sat_op o = random_op(f, x >> 24, id, buf);

	f->now_ms += (int64_t)((x >> 8) % 5000);
	f->boot_ms += (int64_t)((x >> 8) % 5000);
	if (*n == 0 || (*n < RECORDS && x % 9 == 0)) {
		ids[(*n)++] = new_account(f, "A", "1");
		return;
	}
	switch (x % 8) {
	case 0:
		(void)srv_push(f, false);
		break;
	case 1:
		srv_pull(f);
		break;
	case 2:
	case 3:
		if (srv_find(&f->srv, &id) != NULL)
			srv_foreign(f, id, &o, 1, f->srv.n);
		break;
	default: /* one that may not be made is none */
		(void)try_write(f, id, &o, 1, &cseq, &err);
		break;
	}
}

static void
every_change_is_told_once(void **state)
{
	uint64_t seed = sat_test_seed(20261122);
	size_t seen = 0;

	(void)state;
	for (int run = 0; run < 6; run++) {
		sat_id ids[RECORDS];
		size_t n = 0;
		fixture *f;
		void *st;
		int64_t begin;

		setup_complete(&st);
		f = st;
		begin = f->now_ms;
		for (int i = 0; i < 160; i++) {
			int64_t from = begin + (int64_t)(sat_test_rand(&seed) %
			    (uint64_t)(f->now_ms - begin + 1));

			step(f, &seed, ids, &n);
			if (i % 8 != 0)
				continue;
			seen += assert_same_writes(f, INT64_MIN, INT64_MAX);
			(void)assert_same_writes(f, from, from + 60000);
		}
		srv_sync(f);
		seen += assert_same_writes(f, INT64_MIN, INT64_MAX);
		teardown(&st);
	}
	assert_true(seen > 3000); /* or nothing was compared */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
