/* Random histories end equal, and damage is found. */
#include "tests/unit/server/store/sqlite/device.h"

/* ---- random histories ---------------------------------------------------- */

#define DEVICES 8

static sat_id
pick(device *d, uint16_t kind, sat_id *root)
{
	sat_id none = { { 0 } };

	for (int tries = 0; tries < 20 && d->nrec > 0; tries++) {
		held *h = &d->rec[sat_test_rand(&d->w->rand) % d->nrec];
		sat_arena a = { 0 };
		sat_record r;
		uint16_t k = 0;

		if (h->used && sat_record_read(&r, &a, sat_buf_span(&h->state),
		    NULL) == SAT_OK)
			k = r.kind;
		sat_arena_fini(&a);
		if (k == kind) {
			*root = h->root;
			return h->id;
		}
	}
	return none;
}

static void
random_edit(device *d)
{
	static const char *const people[] = { "ann", "bob", "sue", "max", "mia" };
	uint64_t r = sat_test_rand(&d->w->rand);
	const char *who = people[r / 64 % 5];
	char text[32];
	sat_id rec, root;

	(void)snprintf(text, sizeof text, "v%llu",
	    (unsigned long long)(r >> 40));
	if (r % 16 == 0) {
		(void)device_account(d, text, who);
		return;
	}
	rec = pick(d, r % 16 < 4 ? K_OPP : K_ACCOUNT, &root);
	if (sat_id_zero(&rec))
		return;
	switch (r % 16) {
	case 1:
		(void)device_edit(d, &root, &rec, K_OPP, SAT_OP_SET, O_REMARK,
		    txt(text));
		break;
	case 2:
		(void)device_edit(d, &root, &rec, K_OPP, SAT_OP_REASSIGN,
		    O_OWNER, txt(who));
		break;
	case 3:
		(void)device_edit(d, &root, &rec, K_OPP, r / 16 % 3 == 0 ?
		    SAT_OP_UNDEL : SAT_OP_DEL, 0, sat_v_null());
		break;
	case 4:
	case 5:
		(void)device_opp(d, &rec, text, who);
		break;
	case 6:
	case 7:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_REASSIGN,
		    A_OWNER, txt(who));
		break;
	case 8:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, r / 16 % 2 == 0 ?
		    SAT_OP_UNDEL : SAT_OP_DEL, 0, sat_v_null());
		break;
	case 9:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
		    txt(text));
		break;
	case 10:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_ADD,
		    A_VISITS, sat_v_int(1));
		break;
	case 11:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_MVSET,
		    A_NAME, txt(text));
		break;
	case 12:
	case 13:
		(void)device_activity(d, &rec, text);
		break;
	default:
		(void)device_edit(d, &root, &rec, K_ACCOUNT, SAT_OP_SET,
		    A_SECTOR, txt(text));
		break;
	}
}

static void
random_history(uint64_t seed, int steps)
{
	static const char *const who[DEVICES] = { "ann", "ann", "bob", "sue",
		"max", "mia", "hq", "root" };
	world *w = world_company(seed);
	device *d[DEVICES], *fresh;
	uint64_t late = 0, rejected = 0, conflicts = 0, moved = 0;

	for (size_t i = 0; i < DEVICES; i++) {
		d[i] = device_new(w, who[i]);
		d[i]->batch_max = 1 + (size_t)(sat_test_rand(&w->rand) % 5);
		d[i]->page_bytes = (uint32_t)(i % 3 == 0 ? 0 : i % 3 == 1 ? 1 :
		    400);
		d[i]->skew_ms = (int64_t)(sat_test_rand(&w->rand) % 4) *
		    50000 - 100000;
	}
	for (int step = 0; step < steps; step++) {
		device *x = d[sat_test_rand(&w->rand) % DEVICES];

		w->now_ms += (int64_t)(sat_test_rand(&w->rand) % 5000);
		if (sat_test_rand(&w->rand) % 5 != 0) {
			random_edit(x);
			continue;
		}
		device_sync(x);
		late += x->stats.late;
		rejected += x->stats.rejected;
		conflicts += x->stats.conflicts;
		moved += x->stats.rescopes;
		if (step % 97 == 0) {
			world_stop(w);
			world_start(w);
		}
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < DEVICES; i++)
			device_sync(d[i]);
	for (size_t i = 0; i < DEVICES; i++)
		device_check(d[i]);
	for (size_t i = 0; i < DEVICES - 1; i++) {
		fresh = device_new(w, who[i]);
		device_sync(fresh);
		device_check(fresh);
		device_free(fresh);
	}
	world_verify(w);
	if (getenv("SAT_VERBOSE") != NULL)
		printf("seed %llu: head %llu late %llu rejected %llu "
		    "conflicts %llu rescopes %llu frames %lu\n",
		    (unsigned long long)seed, (unsigned long long)world_head(w),
		    (unsigned long long)late, (unsigned long long)rejected,
		    (unsigned long long)conflicts, (unsigned long long)moved,
		    w->frames);
	world_free(w);
}

static void
random_histories_end_equal_and_proven(void **state)
{
	uint64_t seed = sat_test_seed(20261121);

	(void)state;
	for (uint64_t i = 0; i < 12; i++)
		random_history(seed + i, 400);
}

/* ---- proof --------------------------------------------------------------- */

static void
damage(world *w, const char *sql)
{
	sat_err err = { 0 };

	assert_ok(sat_db_exec(sat_sqlite_store_db(w->store), sql, &err));
}

static void
verify_finds_what_was_changed_behind_its_back(void **state)
{
	static const char *const harm[] = {
		"UPDATE rec SET state = substr(state, 1, length(state) - 1) || x'61' WHERE eid = 1",
		"UPDATE rec SET owner = 'bob' WHERE eid = 1",
		"DELETE FROM rec WHERE eid = 2",
		"UPDATE log SET pack = x'00' WHERE lsn = 1",
		"UPDATE log SET pack = substr(pack, 1, length(pack) - 1) || x'61' WHERE lsn = 1",
		"UPDATE log SET n = 1, pack = substr(pack, 1, length(pack) - 1) WHERE lsn = 1",
		"UPDATE log SET eff = eff + 1 WHERE lsn = 1",
		"UPDATE batch_sig SET sig = zeroblob(64)",
		"DELETE FROM batch_sig",
		"UPDATE chain SET head = zeroblob(32)",
		"UPDATE member SET n = n + 1",
		"INSERT INTO member VALUES(8589934592, 1, 1, 0)",
		"UPDATE device SET sign_pk = zeroblob(32)",
	};
	uint64_t c, r;
	sat_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
		world *w = world_company(17);
		device *ann = device_new(w, "ann");
		sat_id acc = device_account(ann, "first", "ann");

		(void)device_activity(ann, &acc, "called");
		device_sync(ann);
		world_verify(w);
		damage(w, harm[i]);
		if (sat_server_verify(w->server, &c, &r, &err) == SAT_OK)
			fail_msg("not found: %s", harm[i]);
		device_free(ann);
		world_free(w);
	}
}

/* A strategic customer's proposal asks for two to agree; of one who cannot be read
 * nobody knows. */
static void
a_customer_who_cannot_be_read_is_an_error_and_not_one_without_a_grade(
    void **state)
{
	world *w = world_company(17);
	device *ann = device_new(w, "ann");
	sat_id acc = device_account(ann, "first", "ann"), p = device_id(ann);
	sat_op ops[] = {
		op_set(&p, K_PROPOSAL, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&p, K_PROPOSAL, SAT_OP_SET, 1, sat_v_id(&acc)),
	};
	sat_err err = { 0 };

	(void)state;
	(void)device_commit(ann, &acc, ops, 2);
	device_sync(ann);
	damage(w, "UPDATE rec SET state = x'00' WHERE eid = 1");
	(void)device_edit(ann, &acc, &p, K_PROPOSAL, SAT_OP_STAGE, 12,
	    txt("submitted"));
	assert_rc(SAT_EPROTO, device_sync_flags(ann, 0, &err));
	assert_string_equal("record: cut short", err.text);
	assert_int_equal(2, world_head(w));
	device_free(ann);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_end_equal_and_proven),
		cmocka_unit_test(verify_finds_what_was_changed_behind_its_back),
		cmocka_unit_test(a_customer_who_cannot_be_read_is_an_error_and_not_one_without_a_grade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
