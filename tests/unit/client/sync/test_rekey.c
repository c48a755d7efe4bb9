/*
 * A device goes on under other keys (P-386..P-389): what proves what, who is shut
 * out, and that a pair the server takes is here. (test_rekey_random.c: whatever
 * breaks off.)
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/rekey_fixture.h"

static void
rotate(void)
{
	sat_rekey k = statement();
	sat_err err = { 0 };
	uint64_t lsn;

	assert_ok(say(&k, &lsn, &err));
	assert_ok(sat_replica_rekeyed(c->r[li], lsn, &err));
	assert_memory_equal(k.sign_pk, keys().sign_pk, 32);
	assert_memory_equal(k.channel_pk, keys().channel_pk, 32);
}

static void
store_sql(const char *text)
{
	sat_err err = { 0 };

	assert_ok(sat_db_exec(sat_sqlite_store_db(c->store), text, &err));
}

/* ---- proof ------------------------------------------------------------------- */

static void
commits_before_a_change_are_proven_by_the_old_key_and_those_after_by_the_new(
    void **state) /* P-389 */
{
	sat_err err = { 0 };
	uint64_t commits;

	(void)state;
	for (int i = 0; i < 3; i++) {
		company_set(c, li, firm, A_REMARK, i == 0 ? "a" : "b");
		company_sync(c, li);
		rotate();
		company_set(c, li, firm, A_CITY, i == 0 ? "c" : "d");
		company_sync(c, li);
	}
	assert_same(c, li);
	assert_int_equal(SAT_OK, verify());
	company_reopen(c, li);
	assert_ok(sat_replica_verify_chain(c->r[li], 0, &commits, &err));
	/* a key that reaches one commit further, or less, proves nothing */
	store_sql("UPDATE former_end SET cseq = cseq + 1 WHERE gen = 2");
	assert_int_equal(SAT_EINTEGRITY, verify());
	store_sql("UPDATE former_end SET cseq = cseq - 1 WHERE gen = 2");
	assert_int_equal(SAT_OK, verify());
	store_sql("UPDATE former_end SET cseq = cseq - 1 WHERE gen = 1");
	assert_int_equal(SAT_EINTEGRITY, verify());
}

static void
a_change_that_is_not_signed_or_leads_to_another_key_is_found(void **state)
{
	(void)state;
	rotate();
	company_set(c, li, firm, A_REMARK, "a");
	company_sync(c, li);
	rotate();
	assert_int_equal(SAT_OK, verify());
	store_sql("CREATE TABLE t AS SELECT gen, said FROM former_key");
	store_sql("UPDATE former_key SET said = (SELECT said FROM t WHERE gen = 1)"
	    " WHERE gen = 2");
	assert_int_equal(SAT_EINTEGRITY, verify());
	store_sql("UPDATE former_key SET said = (SELECT said FROM t WHERE gen = 2)"
	    " WHERE gen = 2");
	assert_int_equal(SAT_OK, verify());
	store_sql("UPDATE device SET sign_pk = zeroblob(32) WHERE ord = 1");
	assert_int_equal(SAT_EINTEGRITY, verify());
}

static void
work_that_waits_goes_with_the_new_key(void **state)
{
	sat_err err = { 0 };
	uint64_t commits;

	(void)state;
	company_set(c, li, firm, A_REMARK, "offline");
	company_set(c, li, firm, A_CITY, "there");
	rotate();
	company_sync(c, li);
	assert_int_equal(2, c->stats.accepted);
	assert_same(c, li);
	assert_int_equal(SAT_OK, verify());
	assert_ok(sat_replica_verify_chain(c->r[li], 0, &commits, &err));
}

/* ---- who is shut out ------------------------------------------------------------ */

static void
the_old_keys_are_shut_out_on_new_links_and_on_open_ones(void **state) /* P-388 */
{
	sat_replica_identity old = keys();
	sat_server_session open = link_with(old.channel_pk), fresh;
	sat_msg m = { .type = SAT_MSG_REGISTRY };
	sat_sqlite_device d = { 0 };
	sat_err err = { 0 };

	(void)state;
	(void)d;
	assert_ok(greet(&open, &err));
	assert_ok(ask(&m, &open, &err));
	rotate();
	m = (sat_msg){ .type = SAT_MSG_REGISTRY };
	assert_int_equal(SAT_EREVOKED, ask(&m, &open, &err));
	assert_string_equal(SAT_CODE_REKEYED, err.code);
	fresh = link_with(old.channel_pk);
	assert_int_equal(SAT_EREVOKED, greet(&fresh, &err));
	assert_string_equal(SAT_CODE_REKEYED, err.code);
	/* a link of the new ones goes on */
	fresh = link_with(keys().channel_pk);
	assert_ok(greet(&fresh, &err));
	m = (sat_msg){ .type = SAT_MSG_REGISTRY };
	assert_ok(ask(&m, &fresh, &err));
}

static void
a_copy_of_the_folder_cannot_change_the_keys_again(void **state) /* P-388 */
{
	sat_replica_identity old = keys();
	uint8_t seed[32] = { 9 }, sk[SAT_SIGN_SK_BYTES];
	sat_server_session x = link_with(old.channel_pk);
	sat_msg m = { .type = SAT_MSG_REKEY };
	sat_rekey *k = &m.u.rekey;
	sat_err err = { 0 };

	(void)state;
	assert_ok(greet(&x, &err));
	*k = statement();
	rotate();
	/* on the link it had open, under keys of its own */
	sat_sign_keys(k->sign_pk, sk, seed);
	k->channel_pk[0] ^= 1;
	sat_rekey_sign(k, &old.org, old.device, old.sign_pk, old.sign_sk, sk);
	assert_int_equal(SAT_EREVOKED, ask(&m, &x, &err));
	company_sync(c, li);
	assert_int_equal(SAT_OK, verify());
}

/* ---- what is refused --------------------------------------------------------------- */

static void
refuse(const sat_rekey *k, sat_rc want, const char *code)
{
	sat_err err = { 0 };
	uint64_t lsn;

	assert_int_equal(want, say(k, &lsn, &err));
	if (code != NULL)
		assert_string_equal(code, err.code);
}

static void
a_statement_that_is_not_signed_by_both_keys_is_refused(void **state) /* P-386 */
{
	sat_replica_identity id = keys();
	sat_rekey k = statement();
	sat_key_pairs p = others();
	sat_rekey bad = k;

	(void)state;
	bad.sig[3] ^= 1;
	refuse(&bad, SAT_EINTEGRITY, "signature");
	bad = k;
	bad.proof[3] ^= 1;
	refuse(&bad, SAT_EINTEGRITY, "signature");
	bad = k; /* of another device */
	sat_rekey_sign(&bad, &id.org, id.device + 1, id.sign_pk, id.sign_sk,
	    p.sign_sk);
	refuse(&bad, SAT_EINTEGRITY, "signature");
	bad = k; /* of another organisation */
	id.org.b[1] ^= 1;
	sat_rekey_sign(&bad, &id.org, id.device, id.sign_pk, id.sign_sk,
	    p.sign_sk);
	refuse(&bad, SAT_EINTEGRITY, "signature");
	bad = k; /* the same key again */
	memcpy(bad.sign_pk, id.sign_pk, sizeof bad.sign_pk);
	id.org.b[1] ^= 1;
	sat_rekey_sign(&bad, &id.org, id.device, id.sign_pk, id.sign_sk,
	    id.sign_sk);
	refuse(&bad, SAT_EINTEGRITY, "signature");
	company_sync(c, li);
	assert_int_equal(SAT_OK, verify());
}

static void
a_statement_fits_the_end_of_the_chain_alone(void **state) /* P-387 */
{
	sat_replica_identity id = keys();
	sat_rekey k = statement(), bad = k;
	sat_key_pairs p = others();

	(void)state;
	bad.cseq--;
	sat_rekey_sign(&bad, &id.org, id.device, id.sign_pk, id.sign_sk,
	    p.sign_sk);
	refuse(&bad, SAT_ECONFLICT, SAT_CODE_REKEY_BEHIND);
	bad = k;
	bad.head[0] ^= 1;
	sat_rekey_sign(&bad, &id.org, id.device, id.sign_pk, id.sign_sk,
	    p.sign_sk);
	refuse(&bad, SAT_ECONFLICT, SAT_CODE_REKEY_BEHIND);
	company_set(c, li, firm, A_REMARK, "since");
	company_sync(c, li);
	refuse(&k, SAT_ECONFLICT, SAT_CODE_REKEY_BEHIND);
	rotate(); /* said anew it fits */
	assert_int_equal(SAT_OK, verify());
}

static void
keys_that_are_or_were_somebodys_are_refused(void **state) /* P-387 */
{
	sat_replica_identity first = keys(), id;
	size_t bo = company_device(c, "bo");
	sat_rekey k;
	sat_key_pairs p;

	(void)state;
	rotate();
	id = keys();
	k = statement();
	p = others();
	memcpy(k.channel_pk, sat_replica_identity_get(c->r[bo])->channel_pk,
	    sizeof k.channel_pk);
	sat_rekey_sign(&k, &id.org, id.device, id.sign_pk, id.sign_sk,
	    p.sign_sk);
	refuse(&k, SAT_ECONFLICT, "key.taken");
	memcpy(k.channel_pk, p.channel_pk, sizeof k.channel_pk);
	memcpy(k.sign_pk, first.sign_pk, sizeof k.sign_pk); /* given up */
	sat_rekey_sign(&k, &id.org, id.device, id.sign_pk, id.sign_sk,
	    first.sign_sk);
	refuse(&k, SAT_ECONFLICT, "key.taken");
	company_sync(c, li);
	assert_int_equal(SAT_OK, verify());
}

static void
nobody_changes_keys_who_has_not_greeted(void **state)
{
	sat_msg m = { .type = SAT_MSG_REKEY, .u.rekey = statement() };
	sat_server_session x = link_with(keys().channel_pk);
	sat_err err = { 0 };

	(void)state;
	assert_int_equal(SAT_EPROTO, ask(&m, &x, &err));
}

/* ---- what breaks off --------------------------------------------------------------- */

static void
the_same_statement_again_gets_the_same_answer(void **state) /* P-073 */
{
	sat_server_session x = link_with(keys().channel_pk);
	sat_msg m = { .type = SAT_MSG_REKEY, .u.rekey = statement() };
	sat_msg again = m, other = m;
	sat_err err = { 0 };

	(void)state;
	assert_ok(greet(&x, &err));
	assert_ok(ask(&m, &x, &err));
	assert_ok(ask(&again, &x, &err));
	assert_int_equal(m.u.rekeyed.lsn, again.u.rekeyed.lsn);
	other.u.rekey.proof[0] ^= 1;
	assert_int_equal(SAT_EREVOKED, ask(&other, &x, &err));
}

static void
a_device_that_died_has_the_pair_the_server_has(void **state) /* K1 */
{
	uint8_t old[32];
	sat_server_session x;
	sat_rekey k;
	sat_err err = { 0 };
	uint64_t lsn;

	(void)state;
	/* before the server heard of it: the old ones stand */
	k = statement();
	company_reopen(c, li);
	assert_int_equal(SAT_REKEY_NEXT, sat_replica_rekey_state(NULL, NULL,
	    c->r[li]));
	company_sync(c, li);
	x = link_with(others().channel_pk);
	assert_int_equal(SAT_ELOCKED, greet(&x, &err));
	assert_string_equal("device.unknown", err.code);
	/* the same ones are said again */
	assert_memory_equal(k.sign_pk, statement().sign_pk, 32);
	/* after: the new ones, although nobody told the device */
	memcpy(old, keys().channel_pk, sizeof old);
	k = statement();
	assert_ok(say(&k, &lsn, &err));
	company_reopen(c, li);
	x = link_with(others().channel_pk);
	assert_ok(greet(&x, &err));
	assert_ok(sat_replica_rekeyed(c->r[li], 0, &err));
	company_reopen(c, li);
	assert_memory_equal(k.channel_pk, keys().channel_pk, 32);
	assert_memory_equal(old, others().channel_pk, 32);
	company_sync(c, li);
	assert_int_equal(SAT_OK, verify());
}

static void
durable(uint64_t lsn)
{
	sat_err err = { 0 };

	assert_ok(sat_sqlite_mark_durable(c->store, lsn, &err));
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	company_server(c);
}

static void
the_old_pair_goes_when_a_backup_has_the_change(void **state) /* P-389 */
{
	sat_replica_status s = company_status(c, li);
	uint64_t cursor = s.cursor;

	(void)state;
	rotate();
	durable(cursor); /* it may be from before the change */
	company_sync(c, li);
	assert_int_equal(SAT_REKEY_BEFORE, sat_replica_rekey_state(NULL, NULL,
	    c->r[li]));
	company_set(c, li, firm, A_REMARK, "after");
	company_sync(c, li);
	durable(cursor + 1);
	company_sync(c, li);
	company_reopen(c, li);
	assert_int_equal(SAT_REKEY_NONE, sat_replica_rekey_state(NULL, NULL,
	    c->r[li]));
	assert_int_equal(0, others().sign_sk[0] | others().sign_sk[5]);
}

static void
a_server_from_before_the_change_is_followed_and_told_again(void **state)
{
	uint8_t new[32];
	sat_err err = { 0 };
	uint64_t commits;

	(void)state;
	rotate();
	memcpy(new, keys().sign_pk, sizeof new);
	/* what a backup from before would have */
	store_sql("UPDATE device SET sign_pk = (SELECT sign_pk FROM former_key), "
	    "channel_pk = (SELECT channel_pk FROM former_key) WHERE ord = 1");
	store_sql("DELETE FROM former_key");
	store_sql("DELETE FROM former_end");
	assert_int_equal(SAT_ELOCKED, company_try_sync(c, li, &err));
	assert_string_equal("device.unknown", err.code);
	assert_ok(sat_replica_rekey_back(c->r[li], &err));
	company_set(c, li, firm, A_REMARK, "since");
	company_reopen(c, li);
	company_sync(c, li);
	rotate();
	assert_memory_equal(new, keys().sign_pk, 32);
	company_sync(c, li);
	assert_int_equal(SAT_OK, verify());
	assert_ok(sat_replica_verify_chain(c->r[li], 0, &commits, &err));
}

static void
put_former(size_t gen, const uint8_t sign_pk[32], const sat_rekey *k)
{
	uint8_t channel_pk[32] = { 1, (uint8_t)gen, (uint8_t)(gen >> 8) };
	sat_buf said = { 0 };
	sat_stmt *q;
	sat_err err = { 0 };

	sat_rekey_write(&said, k);
	assert_ok(sat_db_stmt_text(&q, sat_sqlite_store_db(c->store),
	    "INSERT INTO former_key(dev, gen, sign_pk, channel_pk, said, lsn, "
	    "at_ms) VALUES (1, ?, ?, ?, ?, 1, 1)", &err));
	sat_bind_int(q, 1, (int64_t)gen);
	sat_bind_blob(q, 2, sat_span_of(sign_pk, 32));
	sat_bind_blob(q, 3, sat_span_of(channel_pk, sizeof channel_pk));
	sat_bind_blob(q, 4, sat_buf_span(&said));
	assert_ok(sat_run(q, &err));
	sat_buf_fini(&said);
}

/* n changes that lead to the key the device has. */
static void
has_changed(size_t n)
{
	uint8_t pk[2][32], sk[2][64], seed[32] = { 7 };
	sat_id org = keys().org;

	store_sql("BEGIN");
	sat_sign_keys(pk[0], sk[0], seed);
	for (size_t i = 1; i <= n; i++) {
		uint8_t *old_pk = pk[(i + 1) % 2], *old_sk = sk[(i + 1) % 2],
		    *new_pk = pk[i % 2], *new_sk = sk[i % 2];
		sat_rekey k = { .incarnation = 1 };

		memcpy(seed + 8, &i, sizeof i);
		sat_sign_keys(new_pk, new_sk, seed);
		if (i == n) {
			memcpy(new_pk, keys().sign_pk, 32);
			memcpy(new_sk, keys().sign_sk, 64);
		}
		memcpy(k.sign_pk, new_pk, sizeof k.sign_pk);
		sat_rekey_sign(&k, &org, 1, old_pk, old_sk, new_sk);
		put_former(i, old_pk, &k);
	}
	store_sql("COMMIT");
}

/* A restore verifies before it lets anybody in: whatever one device did must not
 * keep it from succeeding. */
static void
any_number_of_changes_is_proven(void **state) /* P-389 */
{
	(void)state;
	has_changed(4100);
	assert_int_equal(SAT_OK, verify());
	store_sql("UPDATE former_key SET said = (SELECT said FROM former_key "
	    "WHERE gen = 4098) WHERE gen = 4099");
	assert_int_equal(SAT_EINTEGRITY, verify());
}

static void
keys_change_so_often_within_a_day_and_no_more(void **state) /* P-387 */
{
	sat_err err = { 0 };
	sat_rekey k;
	uint64_t lsn;

	(void)state;
	for (int i = 0; i < 16; i++) {
		rotate();
		c->now_ms += 60000;
	}
	k = statement();
	assert_int_equal(SAT_ENOSPACE, say(&k, &lsn, &err));
	assert_string_equal("key.often", err.code);
	assert_string_equal("RETRY_AFTER 85441", err.hint);
	/* what it does not take keeps nothing else from being exchanged */
	company_set(c, li, firm, A_REMARK, "goes on");
	company_sync(c, li);
	assert_same(c, li);
	c->now_ms += 86400000 - 15 * 60000;
	k = statement(); /* it begins at another commit now */
	assert_ok(say(&k, &lsn, &err));
	assert_ok(sat_replica_rekeyed(c->r[li], lsn, &err));
	assert_int_equal(SAT_OK, verify());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)
		T(commits_before_a_change_are_proven_by_the_old_key_and_those_after_by_the_new),
		T(a_change_that_is_not_signed_or_leads_to_another_key_is_found),
		T(any_number_of_changes_is_proven),
		T(keys_change_so_often_within_a_day_and_no_more),
		T(work_that_waits_goes_with_the_new_key),
		T(the_old_keys_are_shut_out_on_new_links_and_on_open_ones),
		T(a_copy_of_the_folder_cannot_change_the_keys_again),
		T(a_statement_that_is_not_signed_by_both_keys_is_refused),
		T(a_statement_fits_the_end_of_the_chain_alone),
		T(keys_that_are_or_were_somebodys_are_refused),
		T(nobody_changes_keys_who_has_not_greeted),
		T(the_same_statement_again_gets_the_same_answer),
		T(a_device_that_died_has_the_pair_the_server_has),
		T(the_old_pair_goes_when_a_backup_has_the_change),
		T(a_server_from_before_the_change_is_followed_and_told_again),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
