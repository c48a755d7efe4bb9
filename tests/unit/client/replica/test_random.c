/* Any order of events ends in the server's state. */
#include "tests/unit/client/replica/fixture.h"

#define RANDOM_RECORDS 12

/* Operations on the record as such; their cells have no column (P-130). */
static sat_op
random_system_op(fixture *f, uint64_t x, sat_id id, char *buf, bool theirs)
{
	static const sat_id winner = { { 5 } };
	uint16_t owner = f->account->owner->id;

	switch (x % (theirs ? 6 : 5)) {
	case 0:
		return op(f->account, SAT_OP_CLAIM, id, owner, text("u2"));
	case 1:
		return op(f->account, SAT_OP_RELEASE, id, owner, text(buf));
	case 2:
		return op(f->account, SAT_OP_REASSIGN, id, owner, text(buf));
	case 3:
		return op(f->account, SAT_OP_MERGE, id, SAT_SYS_REDIRECT,
		    sat_v_bytes(sat_span_of(winner.b, sizeof winner.b)));
	case 4:
		return op(f->account, SAT_OP_UNMERGE, id, SAT_SYS_REDIRECT,
		    sat_v_null());
	default:
		return op(f->account, SAT_OP_NUMBER, id,
		    sat_kind_field(f->account, "number")->id, text(buf));
	}
}

static sat_op
random_op(fixture *f, uint64_t *seed, sat_id id, char *buf, bool theirs)
{
	uint64_t x = sat_test_rand(seed);

	(void)snprintf(buf, 32, x % 11 == 0 ? "bad" : "v%llu",
	    (unsigned long long)(x >> 40));
	switch (x >> 8 & 7) {
	case 0:
		return op(f->account, SAT_OP_MVSET, id, F_NAME, text(buf));
	case 1:
		return op(f->account, SAT_OP_SADD, id, F_TAGS, text(buf));
	case 2:
		return op(f->account, SAT_OP_SREM, id, F_TAGS, text("vip"));
	case 3:
		return op(f->account, SAT_OP_ADD, id, F_VISITS, sat_v_int(1));
	case 4:
		return op(f->account, x & 1 ? SAT_OP_DEL : SAT_OP_UNDEL, id, 0,
		    sat_v_null());
	case 5:
		return op(f->account, SAT_OP_STAGE, id, F_STAGE,
		    text(x & 16 ? "needs_confirmed" : "quoted"));
	case 6:
		return random_system_op(f, x >> 12, id, buf, theirs);
	default:
		return op(f->account, SAT_OP_SET, id, F_CITY, text(buf));
	}
}

/* What cannot be taken: a bad value, or a record the server does not have. */
static server *refusing;

static bool
refuse_random(const sat_commit *c)
{
	if (refuse_bad(c))
		return true;
	for (size_t i = 0; i < c->nops; i++)
		if (c->ops[i].kind != SAT_OP_NEW &&
		    (i == 0 || c->ops[0].kind != SAT_OP_NEW) &&
		    srv_find(refusing, &c->ops[i].rec) == NULL)
			return true;
	return false;
}

/* Every commit that was reported as saved is in the server's log or in
 * quarantine, once. */
static void
check_ledger(fixture *f, uint64_t last)
{
	sat_quarantined *q;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	for (uint64_t cseq = 1; cseq <= last; cseq++) {
		int places = 0;

		for (size_t i = 0; i < n; i++)
			places += q[i].cseq == cseq;
		for (size_t i = 0; i < f->srv.n; i++)
			places += f->srv.log[i].device == DEV &&
			    f->srv.log[i].cseq == cseq;
		assert_int_equal(1, places);
	}
}

/* Somebody merges the record into another one, or takes that apart. */
static void
random_merge(fixture *f, sat_id id, sat_id other)
{
	sat_record *r = srv_find(&f->srv, &id);
	sat_op o = op(f->account, SAT_OP_MERGE, id, SAT_SYS_REDIRECT,
	    sat_v_id(&other));
	sat_id to;

	if (r == NULL || srv_find(&f->srv, &other) == NULL)
		return;
	if (sat_record_redirect(&to, r))
		o = op(f->account, SAT_OP_UNMERGE, id, SAT_SYS_REDIRECT,
		    sat_v_null());
	else if (srv_leads(&f->srv, other, id))
		return; /* the server refuses it */
	srv_foreign(f, id, &o, 1, f->srv.n);
}

static void
random_run(fixture *f, uint64_t seed, int steps)
{
	sat_id ids[RANDOM_RECORDS];
	size_t nids = 0;
	uint64_t cseq = 0, last = 0, upto;
	char buf[32];
	sat_op o;
	sat_err err;

	refusing = &f->srv;
	f->srv.refuse = refuse_random;
	for (int i = 0; i < steps; i++) {
		uint64_t x = sat_test_rand(&seed);
		sat_id id = nids > 0 ? ids[(x >> 16) % nids] : (sat_id){ .b = { 0 } };

		if (nids == 0 || (nids < RANDOM_RECORDS && x % 13 == 0)) {
			ids[nids++] = new_account(f, x & 64 ? "A" : "bad", "1");
			last++;
			continue;
		}
		switch (x % 12) {
		case 0:
			(void)srv_push(f, (x & 256) != 0);
			break;
		case 1:
			upto = f->srv.n;
			assert_ok(f->ops.cursor(f->ops.u, &cseq, &err));
			if (upto > cseq && (x & 256))
				upto = cseq + 1; /* a page cut short */
			if (srv_page(f, upto, (x & 512) != 0, NULL, 0, NULL, 0,
			    &err) == SAT_ENOTFOUND)
				assert_ok(srv_page(f, upto, true, NULL, 0, NULL,
				    0, &err));
			break;
		case 2:
			reopen(f);
			break;
		case 3:
		case 4:
		case 5:
			if (x % 7 == 0) {
				random_merge(f, id, ids[(x >> 24) % nids]);
				break;
			}
			if (srv_find(&f->srv, &id) == NULL)
				break;
			o = random_op(f, &seed, id, buf, true);
			upto = f->srv.n - (x >> 32) % 4;
			srv_foreign(f, id, &o, 1, upto > f->srv.n ? 0 : upto);
			break;
		default:
			o = random_op(f, &seed, id, buf, false);
			if (try_write(f, id, &o, 1, &cseq, &err) == SAT_OK)
				assert_int_equal(++last, cseq);
			break;
		}
		if (x % 17 == 0)
			assert_sound(f);
	}
	srv_sync(f);
	assert_settled(f);
	assert_int_equal(0, status_of(f).pending_commits);
	assert_int_equal(0, status_of(f).pending_records);
	check_ledger(f, last);
}

static void
any_order_of_events_ends_in_the_server_s_state(void **state)
{
	uint64_t seed = sat_test_seed(20240601);

	(void)state;
	for (int run = 0; run < 12; run++) {
		fixture *f;
		void *st;

		setup_complete(&st);
		f = st;
		random_run(f, seed + (uint64_t)run, 250);
		teardown(&st);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_events_ends_in_the_server_s_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
