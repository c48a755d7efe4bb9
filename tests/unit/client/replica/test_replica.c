/*
 * The device's store without a server: creating and opening it, audit,
 * settings, backup, templates, and what the check finds.
 */
#include "common/db/db.h"
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

/* ---- open and create ----------------------------------------------------- */

static void
a_missing_file_is_no_replica(void **state)
{
	fixture *f = *state;
	char *path = sat_xasprintf("%s/none.db", f->dir);
	sat_replica_env env = env_of(f, path);
	sat_replica *r;
	sat_err err;

	assert_rc(SAT_ENOREPLICA, sat_replica_open(&r, &env, &err));
	assert_null(r);
	free(path);
}

static void
a_second_create_does_not_touch_the_first(void **state)
{
	fixture *f = *state;
	sat_replica_env env = env_of(f, f->path);
	sat_replica_identity id = { .device = 0 };
	sat_replica *r;
	sat_err err;

	sat_replica_close(f->r);
	f->r = NULL;
	assert_rc(SAT_ECONFLICT, sat_replica_create(&r, &env, &id, &err));
	reopen(f);
	assert_int_equal(DEV, sat_replica_identity_get(f->r)->device);
}

static void
identity_registry_and_template_are_there_after_reopening(void **state)
{
	fixture *f = *state;

	reopen(f);
	assert_string_equal("li", sat_replica_identity_get(f->r)->user_key);
	assert_string_equal("Org", sat_replica_identity_get(f->r)->org_name);
	assert_non_null(sat_replica_me(f->r));
	assert_string_equal("Li", sat_replica_me(f->r)->name);
	assert_non_null(f->account);
}

static void
a_device_that_is_not_enrolled_opens_but_does_not_write(void **state)
{
	fixture *f = *state;
	char *path = sat_xasprintf("%s/new.db", f->dir);
	sat_replica_env env = env_of(f, path);
	sat_replica_identity id = { .incarnation = 1 };
	sat_draft d = { .nops = 0 };
	sat_replica *r;
	uint64_t cseq;
	sat_err err;

	assert_ok(sat_replica_create(&r, &env, &id, &err));
	sat_replica_close(r);
	assert_ok(sat_replica_open(&r, &env, &err));
	assert_int_equal(0, sat_replica_identity_get(r)->device);
	assert_null(sat_replica_template(r));
	assert_rc(SAT_ENOREPLICA, sat_replica_write(r, &d, &cseq, &err));
	sat_replica_close(r);
	free(path);
}

/* ---- audit, settings, backup, check -------------------------------------- */

static void
last_detail(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	(void)at_ms;
	(void)action;
	(void)snprintf(u, 64, "%lld %s", (long long)seq, detail);
}

static void
the_audit_chain_shows_a_changed_row(void **state)
{
	fixture *f = *state;
	char last[64] = "";
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_audit(f->r, "export", "12 rows", &err));
	assert_ok(sat_replica_audit(f->r, "export", "13 rows", &err));
	assert_ok(sat_replica_audit_list(f->r, 0, last_detail, last, &err));
	assert_string_equal("2 13 rows", last);
	assert_sound(f);
	assert_ok(sat_db_exec(sat_replica_db(f->r),
	    "UPDATE audit SET detail = '11 rows' WHERE seq = 1", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_check(f->r, true, &err));
	assert_string_equal("audit.chain", err.code);
	assert_rc(SAT_EINTEGRITY, sat_replica_audit_verify(&n, f->r, 1, &err));
	assert_ok(sat_replica_audit_verify(&n, f->r, 2, &err));
	assert_int_equal(1, n); /* what came after it stands */
	assert_ok(sat_db_exec(sat_replica_db(f->r),
	    "UPDATE audit SET action = 'import' WHERE seq = 2", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_audit_verify(&n, f->r, 2, &err));
}

static void
settings_are_kept(void **state)
{
	fixture *f = *state;
	sat_buf b = { 0 };
	sat_err err;

	assert_rc(SAT_ENOTFOUND,
	    sat_replica_setting_get(&b, f->r, "lang", &err));
	assert_ok(sat_replica_setting_put(f->r, "lang", sat_span_str("en"),
	    &err));
	assert_ok(sat_replica_setting_put(f->r, "lang", sat_span_str("zh"),
	    &err));
	reopen(f);
	assert_ok(sat_replica_setting_get(&b, f->r, "lang", &err));
	assert_string_equal("zh", sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
the_check_finds_what_was_written_around_it(void **state)
{
	fixture *f = *state;
	sat_db *db = sat_replica_db(f->r);
	sat_id id = new_account(f, "A", "1");
	sat_err err;

	srv_snapshot(f, 10);
	set_text(f, id, F_CITY, "Wuhu");
	assert_sound(f);
	assert_ok(sat_db_exec(db, "UPDATE k_account SET city = 'x'", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_check(f->r, true, &err));
	assert_string_equal("replica.row", err.code);
	assert_ok(sat_db_exec(db, "UPDATE k_account SET city = 'Wuhu'", &err));
	assert_sound(f);
	assert_ok(sat_db_exec(db, "DELETE FROM match", &err));
	assert_rc(SAT_EINTEGRITY, sat_replica_check(f->r, true, &err));
}

static void
the_check_finds_a_changed_commit(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	uint64_t n;
	sat_err err;

	set_text(f, id, F_CITY, "Wuhu");
	assert_ok(sat_replica_verify_chain(f->r, 0, &n, &err));
	assert_int_equal(2, n);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "UPDATE outbox SET header "
	    "= (SELECT header FROM outbox ORDER BY seq LIMIT 1)", &err));
	assert_rc(SAT_EINTEGRITY,
	    sat_replica_verify_chain(f->r, 0, &n, &err));
	assert_string_equal("replica.chain", err.code);
}

static void
a_backup_goes_on_under_a_new_incarnation(void **state)
{
	fixture *f = *state;
	char *copy = sat_xasprintf("%s/copy.db", f->dir);
	sat_replica_env env = env_of(f, copy);
	sat_id id = new_account(f, "A", "1");
	sat_op o = op(f->account, SAT_OP_SET, id, F_CITY, text("Wuhu"));
	sat_draft d = { .subject = id, .ops = &o, .nops = 1 };
	sat_replica *r;
	uint64_t cseq, n;
	uint32_t inc;
	sat_err err;

	assert_ok(sat_replica_backup(f->r, copy, &err));
	set_text(f, id, F_CITY, "later");
	assert_ok(sat_replica_open(&r, &env, &err));
	inc = sat_replica_identity_get(r)->incarnation;
	assert_true(inc > 1);
	assert_ok(sat_replica_write(r, &d, &cseq, &err));
	assert_int_equal(1, cseq);
	assert_ok(sat_replica_check(r, false, &err));
	assert_ok(sat_replica_verify_chain(r, 0, &n, &err));
	assert_int_equal(2, n);
	sat_replica_close(r);
	assert_ok(sat_replica_open(&r, &env, &err));
	assert_int_equal(inc, sat_replica_identity_get(r)->incarnation);
	sat_replica_close(r);
	assert_text(f, id, F_CITY, "later");
	assert_int_equal(1, sat_replica_identity_get(f->r)->incarnation);
	free(copy);
}

/* ---- templates ----------------------------------------------------------- */

static void
a_template_of_a_strange_key_is_refused_and_changes_nothing(void **state)
{
	fixture *f = *state;
	uint8_t seed[32] = { 99 }, pk[SAT_SIGN_PK_BYTES];
	uint8_t sk[SAT_SIGN_SK_BYTES], oid[SAT_TEMPLATE_OID_BYTES];
	sat_template_file files[FILES_MAX];
	size_t n = base_with(files, "notes/x.md", "x");
	sat_err err;

	memcpy(oid, sat_replica_template_oid(f->r), sizeof oid);
	sat_sign_keys(pk, sk, seed);
	assert_rc(SAT_EINTEGRITY, give_template(f, files, n, sk, pk, &err));
	assert_memory_equal(oid, sat_replica_template_oid(f->r), sizeof oid);
	new_account(f, "A", "1");
	reopen(f);
	assert_sound(f);
}

static void
a_new_field_is_there_and_old_rows_are_not_touched(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_id later = sat_replica_new_id(f->r);
	/* another device already uses it */
	sat_op ahead[] = {
		op(f->account, SAT_OP_NEW, later, 0, sat_v_null()),
		op(f->account, SAT_OP_MVSET, later, F_NAME, text("B")),
		op(f->account, SAT_OP_SET, later, 300, text("blue")),
	};
	sat_op o = op(f->account, SAT_OP_SET, id, 300, text("red"));
	sat_value v = text("blue");
	char *doc;

	srv_foreign(f, later, ahead, 3, 0);
	srv_pull(f);
	assert_text(f, later, 300, "blue");
	assert_sound(f);
	doc = edited(base_text("fields/account.json"), "\"fields\": [",
	    "\"fields\": [{\"id\": 300, \"key\": \"colour\", \"label\": "
	    "{\"zh\": \"x\", \"en\": \"Colour\"}, \"type\": \"text\"},");
	give_base(f, "fields/account.json", doc);
	free(doc);
	assert_non_null(sat_kind_field(f->account, "colour"));
	assert_text(f, id, 300, NULL);
	write_ops(f, id, &o, 1);
	assert_text(f, id, 300, "red");
	assert_text(f, later, 300, "blue");
	/* it moved to its column */
	assert_int_equal(1, count_where(f,
	    (sat_filter){ 300, SAT_CMP_EQ, &v, 1 }));
	reopen(f);
	assert_text(f, later, 300, "blue");
	assert_sound(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(a_missing_file_is_no_replica),
		EMPTY(a_second_create_does_not_touch_the_first),
		EMPTY(identity_registry_and_template_are_there_after_reopening),
		EMPTY(a_device_that_is_not_enrolled_opens_but_does_not_write),
		EMPTY(the_audit_chain_shows_a_changed_row),
		EMPTY(settings_are_kept),
		EMPTY(the_check_finds_what_was_written_around_it),
		EMPTY(the_check_finds_a_changed_commit),
		EMPTY(a_backup_goes_on_under_a_new_incarnation),
		EMPTY(a_template_of_a_strange_key_is_refused_and_changes_nothing),
		EMPTY(a_new_field_is_there_and_old_rows_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
