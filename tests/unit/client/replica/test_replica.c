/*
 * The device's store without a server: writing, reading, lists, groups,
 * reopening, audit, backup, and what the check finds.
 */
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

#include <unistd.h>

#include "common/db/db.h"

/* ---- open and create ------------------------------------------------------------ */

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

/* ---- writing ---------------------------------------------------------------------- */

static void
what_is_written_is_read_back_also_after_reopening(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Anhui Stars", "13812345678");
	sat_view v;

	reopen(f);
	v = view_of(f, id);
	assert_true(v.pending);
	assert_false(v.conflict);
	assert_ptr_equal(f->account, v.kind);
	assert_int_equal(0, v.rec.rlsn);
	assert_text(f, id, F_NAME, "Anhui Stars");
	assert_text(f, id, F_CITY, "Hefei");
	assert_text(f, id, F_TAGS, "vip");
	set_text(f, id, F_CITY, "Wuhu");
	assert_text(f, id, F_CITY, "Wuhu");
	assert_sound(f);
}

static void
a_missing_required_field_flags_the_record(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "Anhui Stars", "13812345678");
	sat_replica_status st;
	sat_op more[] = {
		op(f->account, SAT_OP_SET, id, F_INDUSTRY, text("C")),
		op(f->account, SAT_OP_MVSET, id, 8, text("Wang")),
		op(f->account, SAT_OP_SET, id, 18, text("product")),
	};
	sat_err err;

	assert_true(view_of(f, id).incomplete);
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(1, st.incomplete);
	write_ops(f, id, more + 1, 2);
	assert_true(view_of(f, id).incomplete);
	reopen(f);
	write_ops(f, id, more, 1); /* alone */
	assert_false(view_of(f, id).incomplete);
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(0, st.incomplete);
	assert_int_equal(3, st.pending_commits);
	assert_int_equal(1, st.pending_records);
	reopen(f);
	more[0] = op(f->account, SAT_OP_SET, id, 14, text("lost"));
	write_ops(f, id, more, 1); /* makes another one required */
	assert_true(view_of(f, id).incomplete);
	assert_sound(f);
}

static void
a_refused_write_leaves_nothing_and_takes_no_number(void **state) /* W2 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1"), ghost = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(f->account, SAT_OP_SET, id, F_CITY, text("Nowhere")),
		op(f->account, SAT_OP_SET, ghost, F_CITY, text("x")),
	};
	sat_op again = op(f->account, SAT_OP_NEW, id, 0, sat_v_null());
	uint64_t cseq;
	sat_err err;

	assert_rc(SAT_ENOTFOUND, try_write(f, id, ops, 2, &cseq, &err));
	assert_text(f, id, F_CITY, "Hefei");
	assert_rc(SAT_ECONFLICT, try_write(f, id, &again, 1, &cseq, &err));
	assert_rc(SAT_EINVALID, try_write(f, id, ops, 0, &cseq, &err));
	assert_int_equal(2, set_text(f, id, F_CITY, "Wuhu"));
	assert_sound(f);
}

static void
stamps_and_numbers_rise_over_restarts_and_clocks_set_back(void **state) /* W3 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	f->now_ms -= 86400000;
	reopen(f);
	assert_int_equal(2, set_text(f, id, F_CITY, "Wuhu"));
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 0, &err));
	assert_int_equal(2, n);
	assert_true(log[0].hlc > log[1].hlc);
	assert_true(log[0].flags & SAT_CF_CLOCK_SUSPECT);
	assert_false(log[1].flags & SAT_CF_CLOCK_SUSPECT);
	assert_sound(f);
}

static void
the_log_gives_whole_commits_newest_first(void **state)
{
	fixture *f = *state;
	sat_id id = new_account(f, "A", "1");
	sat_commit *log;
	size_t n;
	sat_err err;

	set_text(f, id, F_CITY, "Wuhu");
	assert_ok(sat_replica_log(&log, &n, &f->a, f->r, 1, &err));
	assert_int_equal(1, n);
	assert_int_equal(2, log[0].cseq);
	assert_int_equal(1, log[0].nops);
	assert_true(sat_value_eq(text("Wuhu"), log[0].ops[0].value));
}

/* ---- groups ------------------------------------------------------------------------- */

static void
a_group_is_kept_whole_or_not_at_all(void **state)
{
	fixture *f = *state;
	sat_id a, b, c;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	a = new_account(f, "A", "1");
	sat_replica_group_rollback(f->r);
	assert_gone(f, a);
	assert_ok(sat_replica_group_begin(f->r, &err));
	b = new_account(f, "B", "2");
	set_text(f, b, F_CITY, "Wuhu");
	c = new_account(f, "C", "3");
	assert_ok(sat_replica_group_commit(f->r, &err));
	reopen(f);
	assert_text(f, b, F_CITY, "Wuhu");
	assert_text(f, c, F_NAME, "C");
	assert_int_equal(4, set_text(f, c, F_CITY, "x"));
	assert_sound(f);
}

static void
a_refused_write_in_a_group_leaves_the_group_usable(void **state)
{
	fixture *f = *state;
	sat_id ghost = sat_replica_new_id(f->r), a, b;
	sat_op bad = op(f->account, SAT_OP_SET, ghost, F_CITY, text("x"));
	uint64_t cseq;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	a = new_account(f, "A", "1");
	assert_rc(SAT_ENOTFOUND, try_write(f, ghost, &bad, 1, &cseq, &err));
	b = new_account(f, "B", "2");
	assert_ok(sat_replica_group_commit(f->r, &err));
	assert_text(f, a, F_NAME, "A");
	assert_text(f, b, F_NAME, "B");
	assert_sound(f);
}

static void
an_abandoned_group_is_not_there_after_restart(void **state)
{
	fixture *f = *state;
	sat_replica_env env = env_of(f, f->path);
	sat_id a = new_account(f, "A", "1"), b;
	sat_err err;

	assert_ok(sat_replica_group_begin(f->r, &err));
	b = new_account(f, "B", "2");
	sat_replica_abandon(f->r);
	f->r = NULL;
	assert_ok(sat_replica_open(&f->r, &env, &err));
	find_kinds(f);
	assert_gone(f, b);
	assert_int_equal(2, set_text(f, a, F_CITY, "x"));
	assert_sound(f);
}

/* ---- finding --------------------------------------------------------------------------- */

static void
ids_prefixes_and_match_values_are_resolved(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Anhui Stars Co., Ltd.", "138 1234 5678");
	sat_id b = new_account(f, "Bengbu Glass", "13900000000"), got;
	char t[SAT_ID_TEXT], prefix[8];
	sat_err err;

	sat_id_text(t, &a);
	assert_ok(sat_replica_resolve(&got, f->r, f->account, t, &err));
	assert_true(sat_id_eq(&a, &got));
	memcpy(prefix, t, 6);
	prefix[6] = '\0'; /* the same second: both */
	assert_rc(SAT_ECONFLICT,
	    sat_replica_resolve(&got, f->r, NULL, prefix, &err));
	t[22] = '\0';
	assert_ok(sat_replica_resolve(&got, f->r, NULL, t, &err));
	assert_true(sat_id_eq(&a, &got));
	assert_ok(sat_replica_resolve(&got, f->r, NULL, "+8613900000000",
	    &err));
	assert_true(sat_id_eq(&b, &got));
	assert_ok(sat_replica_resolve(&got, f->r, NULL, "anhui stars", &err));
	assert_true(sat_id_eq(&a, &got));
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_resolve(&got, f->r, NULL, "nobody", &err));
	set_text(f, b, F_PHONE, "13900000001");
	assert_rc(SAT_ENOTFOUND,
	    sat_replica_resolve(&got, f->r, NULL, "13900000000", &err));
	assert_sound(f);
}

static bool
count_match(void *u, const sat_id *id)
{
	(void)id;
	++*(int *)u;
	return true;
}

static void
duplicates_are_found_by_their_normal_form(void **state)
{
	fixture *f = *state;
	const sat_field *phone = sat_kind_field(f->account, "phone_main");
	sat_id a = new_account(f, "A", "13812345678");
	sat_op del = op(f->account, SAT_OP_DEL, a, 0, sat_v_null());
	int n = 0;
	sat_err err;

	new_account(f, "B", "0086-138-1234-5678");
	assert_ok(sat_replica_match(f->r, f->account, phone,
	    text("138 1234 5678"), count_match, &n, &err));
	assert_int_equal(2, n);
	write_ops(f, a, &del, 1); /* a deleted one is no duplicate */
	n = 0;
	assert_ok(sat_replica_match(f->r, f->account, phone,
	    text("138 1234 5678"), count_match, &n, &err));
	assert_int_equal(1, n);
	assert_rc(SAT_EINVALID, sat_replica_match(f->r, f->account,
	    sat_kind_field(f->account, "city"), text("x"), count_match, &n,
	    &err));
}

/* ---- lists ---------------------------------------------------------------------------------- */

static int64_t
count_where(fixture *f, sat_filter filter)
{
	sat_query q = { .kind = f->account, .filters = &filter, .nfilters = 1 };
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	return n;
}

static void
filters_say_what_they_mean(void **state)
{
	fixture *f = *state;
	sat_id a = new_account(f, "Alpha Glass", "1");
	sat_id b = new_account(f, "beta glass", "2");
	sat_id c = new_account(f, "Gamma", "3");
	sat_op num[] = {
		op(f->account, SAT_OP_MVSET, a, F_AMOUNT, sat_v_int(500)),
		op(f->account, SAT_OP_SADD, a, F_TAGS, text("vip2")),
	};
	sat_op del = op(f->account, SAT_OP_DEL, c, 0, sat_v_null());
	sat_op clear = op(f->account, SAT_OP_SET, b, F_CITY, sat_v_null());
	sat_value v[3], one = sat_v_int(1);

	write_ops(f, a, num, 2);
	write_ops(f, b, &clear, 1);
	v[0] = text("glass");
	assert_int_equal(2, count_where(f, (sat_filter){ F_NAME, SAT_CMP_LIKE, v, 1 }));
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_TEXT, SAT_CMP_LIKE, v, 1 }));
	v[0] = text("%");
	assert_int_equal(0, count_where(f, (sat_filter){ F_NAME, SAT_CMP_LIKE, v, 1 }));
	v[0] = text("vip");
	assert_int_equal(3, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("vi");
	assert_int_equal(0, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("vip2");
	assert_int_equal(1, count_where(f, (sat_filter){ F_TAGS, SAT_CMP_HAS, v, 1 }));
	v[0] = text("Hefei");
	assert_int_equal(2, count_where(f, (sat_filter){ F_CITY, SAT_CMP_EQ, v, 1 }));
	assert_int_equal(1, count_where(f, (sat_filter){ F_CITY, SAT_CMP_NE, v, 1 }));
	assert_int_equal(1, count_where(f, (sat_filter){ F_CITY, SAT_CMP_NULL, NULL, 0 }));
	v[0] = sat_v_int(499);
	assert_int_equal(1, count_where(f, (sat_filter){ F_AMOUNT, SAT_CMP_GT, v, 1 }));
	assert_int_equal(0, count_where(f, (sat_filter){ F_AMOUNT, SAT_CMP_LE, v, 1 }));
	v[0] = sat_v_id(&a);
	v[1] = sat_v_id(&c);
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_ID, SAT_CMP_IN, v, 2 }));
	write_ops(f, c, &del, 1);
	assert_int_equal(1, count_where(f, (sat_filter){ SAT_Q_ID, SAT_CMP_IN, v, 2 }));
	assert_int_equal(1, count_where(f, (sat_filter){ SAT_Q_DELETED, SAT_CMP_EQ, &one, 1 }));
	assert_int_equal(2, count_where(f, (sat_filter){ SAT_Q_PENDING, SAT_CMP_EQ, &one, 1 }));
	assert_sound(f);
}

static void
rows_come_sorted_and_limited_with_the_columns_asked_for(void **state)
{
	fixture *f = *state;
	uint16_t cols[] = { F_NAME, SAT_Q_PENDING, SAT_Q_ID, SAT_Q_CREATED };
	sat_query q = { .kind = f->account, .columns = cols, .ncolumns = 4,
		.sort = { { F_NAME, true } }, .nsort = 1, .limit = 2,
		.offset = 1 };
	sat_rows *rows, *inner;
	const sat_value *v;
	sat_err err;

	new_account(f, "A", "1");
	new_account(f, "B", "2");
	new_account(f, "C", "3");
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_true(sat_value_eq(text("B"), v[0]));
	assert_int_equal(1, v[1].i);
	assert_int_equal(16, v[2].s.n);
	assert_true(v[3].i > 1700000000000);
	/* the same query inside: neither disturbs the other */
	assert_ok(sat_replica_query(&inner, f->r, &q, &err));
	assert_ok(sat_rows_next(&v, inner, &err));
	assert_true(sat_value_eq(text("B"), v[0]));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_true(sat_value_eq(text("A"), v[0]));
	assert_ok(sat_rows_next(&v, rows, &err));
	assert_null(v);
	assert_ok(sat_rows_next(&v, inner, &err));
	assert_true(sat_value_eq(text("A"), v[0]));
	sat_rows_free(rows);
	sat_rows_free(inner);
}

static void
a_parent_given_later_is_found_by_it(void **state)
{
	fixture *f = *state;
	sat_id root = new_account(f, "A", "1");
	sat_id opp = sat_replica_new_id(f->r);
	sat_op make[] = {
		op(f->opportunity, SAT_OP_NEW, opp, 0, sat_v_null()),
		op(f->opportunity, SAT_OP_SET, opp, 2, text("deal")),
	};
	sat_op join = op(f->opportunity, SAT_OP_SET, opp, 1, sat_v_id(&root));
	sat_value v = sat_v_id(&root);
	sat_filter filter = { 1, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = f->opportunity, .filters = &filter,
		.nfilters = 1 };
	int64_t n;
	sat_err err;

	write_ops(f, opp, make, 2);
	reopen(f);
	write_ops(f, opp, &join, 1);
	q.kind = f->opportunity;
	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	assert_int_equal(1, n);
	reopen(f);
	assert_sound(f);
}

static void
a_filter_on_what_is_not_stored_is_refused(void **state)
{
	fixture *f = *state;
	sat_value v = text("x");
	sat_filter bad = { 999, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = f->account, .filters = &bad, .nfilters = 1 };
	int64_t n;
	sat_err err;

	assert_rc(SAT_EINVALID, sat_replica_count(&n, f->r, &q, &err));
	bad = (sat_filter){ F_CITY, SAT_CMP_EQ, NULL, 0 };
	assert_rc(SAT_EINVALID, sat_replica_count(&n, f->r, &q, &err));
}

static void
owner_and_parent_tell_how_the_actor_stands(void **state)
{
	fixture *f = *state;
	sat_id mine = new_account(f, "A", "1"), child, opp;
	sat_op give = op(f->account, SAT_OP_REASSIGN, mine, F_OWNER,
	    text("wang"));
	sat_op c[2], o[3];
	sat_relation rel;
	sat_err err;

	child = sat_replica_new_id(f->r);
	c[0] = op(f->contact, SAT_OP_NEW, child, 0, sat_v_null());
	c[1] = op(f->contact, SAT_OP_SET, child, 1, sat_v_id(&mine));
	write_ops(f, mine, c, 2);
	opp = sat_replica_new_id(f->r);
	o[0] = op(f->opportunity, SAT_OP_NEW, opp, 0, sat_v_null());
	o[1] = op(f->opportunity, SAT_OP_SET, opp, 1, sat_v_id(&mine));
	o[2] = op(f->opportunity, SAT_OP_REASSIGN, opp, 5, text("li"));
	write_ops(f, mine, o, 3);
	assert_ok(sat_replica_relation(&rel, f->r, f->account, &mine, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	assert_ok(sat_replica_relation(&rel, f->r, f->contact, &child, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	write_ops(f, mine, &give, 1);
	assert_ok(sat_replica_relation(&rel, f->r, f->account, &mine, &err));
	assert_int_not_equal(SAT_REL_OWN, rel);
	assert_ok(sat_replica_relation(&rel, f->r, f->opportunity, &opp, &err));
	assert_int_equal(SAT_REL_OWN, rel);
	assert_sound(f);
}

/* ---- audit, settings, backup, check ------------------------------------------------------------ */

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
	assert_ok(sat_replica_verify_chain(f->r, &n, &err));
	assert_int_equal(2, n);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "UPDATE outbox SET header "
	    "= (SELECT header FROM outbox ORDER BY seq LIMIT 1)", &err));
	assert_rc(SAT_EINTEGRITY,
	    sat_replica_verify_chain(f->r, &n, &err));
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
	assert_ok(sat_replica_verify_chain(r, &n, &err));
	assert_int_equal(2, n);
	sat_replica_close(r);
	assert_ok(sat_replica_open(&r, &env, &err));
	assert_int_equal(inc, sat_replica_identity_get(r)->incarnation);
	sat_replica_close(r);
	assert_text(f, id, F_CITY, "later");
	assert_int_equal(1, sat_replica_identity_get(f->r)->incarnation);
	free(copy);
}

/* ---- templates ------------------------------------------------------------------------------------ */

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
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_missing_file_is_no_replica),
		T(a_second_create_does_not_touch_the_first),
		T(identity_registry_and_template_are_there_after_reopening),
		T(a_device_that_is_not_enrolled_opens_but_does_not_write),
		T(what_is_written_is_read_back_also_after_reopening),
		T(a_missing_required_field_flags_the_record),
		T(a_refused_write_leaves_nothing_and_takes_no_number),
		T(stamps_and_numbers_rise_over_restarts_and_clocks_set_back),
		T(the_log_gives_whole_commits_newest_first),
		T(a_group_is_kept_whole_or_not_at_all),
		T(a_refused_write_in_a_group_leaves_the_group_usable),
		T(an_abandoned_group_is_not_there_after_restart),
		T(ids_prefixes_and_match_values_are_resolved),
		T(duplicates_are_found_by_their_normal_form),
		T(filters_say_what_they_mean),
		T(rows_come_sorted_and_limited_with_the_columns_asked_for),
		T(a_parent_given_later_is_found_by_it),
		T(a_filter_on_what_is_not_stored_is_refused),
		T(owner_and_parent_tell_how_the_actor_stands),
		T(the_audit_chain_shows_a_changed_row),
		T(settings_are_kept),
		T(the_check_finds_what_was_written_around_it),
		T(the_check_finds_a_changed_commit),
		T(a_backup_goes_on_under_a_new_incarnation),
		T(a_template_of_a_strange_key_is_refused_and_changes_nothing),
		T(a_new_field_is_there_and_old_rows_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
