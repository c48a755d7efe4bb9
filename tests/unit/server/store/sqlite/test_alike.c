/*
 * Match keys of the server, and what owners are told of each other, when the
 * template names other fields as duplicate keys (P-320).
 */
#include "tests/unit/common/template/base.h"
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/loss.h"

/* The base template with another text in the customer's fields, as the tip. */
static void
change_template(world *w, const char *was, const char *is)
{
	sat_err err = { 0 };

	sat_template_free(w->t);
	assert_ok(load_edited(&w->t, "fields/account.json", was, is, &err));
	w->oid[0]++;
}

static void
tick(world *w)
{
	sat_err err = { 0 };

	w->now_ms += 60000;
	assert_ok(sat_server_tick(w->server, w->now_ms, &err));
}

/* What the customer says of others, "" for nothing. */
static const char *
told(device *d, sat_id id)
{
	static char text[512];
	held *h = device_find(d, &id, 0);
	sat_arena a = { 0 };
	sat_record r;
	sat_value v;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, SAT_SYS_CANDIDATES);
	(void)snprintf(text, sizeof text, "%.*s", v.type == SAT_V_TEXT ?
	    (int)v.s.n : 0, v.type == SAT_V_TEXT ? (const char *)v.s.p : "");
	sat_arena_fini(&a);
	return text;
}

#define SECTOR "\"key\": \"sector\", \"label\": {\"zh\": \"行业细分\", " \
	"\"en\": \"Sector\"}, \"type\": \"text\","
#define SECTOR_KEY SECTOR " \"dup_weight\": 50,"

static void
owners_are_told_by_the_keys_of_the_template_in_force(void **state)
{
	world *w = world_of(5, "ann rep north, sue rep south");
	device *ann, *sue;
	sat_id a, b;

	(void)state;
	ann = device_new(w, "ann");
	sue = device_new(w, "sue");
	a = device_account(ann, "Anhui Mill", "ann");
	b = device_account(sue, "Bengbu Mill", "sue");
	(void)device_edit(ann, &a, &a, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("paper"));
	(void)device_edit(sue, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("paper"));
	SYNC(ann, sue);
	tick(w);
	device_sync(ann);
	assert_string_equal("", told(ann, a));

	change_template(w, SECTOR, SECTOR_KEY);
	tick(w);
	SYNC(ann, sue);
	assert_non_null(strstr(told(ann, a), " sector sue"));
	assert_non_null(strstr(told(sue, b), " sector ann"));

	/* who is made now meets the others by the new key */
	b = device_account(sue, "Chuzhou Mill", "sue");
	(void)device_edit(sue, &b, &b, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
	    txt("paper"));
	device_sync(sue);
	assert_non_null(strstr(told(sue, b), " sector ann"));

	change_template(w, SECTOR, SECTOR);
	tick(w);
	SYNC(ann, sue);
	assert_string_equal("", told(ann, a));
	assert_string_equal("", told(sue, b));
	world_free(w);
}

static void
erase(world *w, sat_id who)
{
	const sat_registry *r = sat_server_registry(w->server);
	sat_err err = { 0 };

	assert_ok(sat_server_erase(w->server, &who,
	    sat_registry_user(r, sat_span_str("boss"))->ord,
	    sat_registry_user(r, sat_span_str("root"))->ord,
	    sat_span_str("request 12"), &err));
}

static void
has(device *d, sat_id id, uint16_t field, const char *value)
{
	(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SET, field, txt(value));
}

static sat_id
reached_by(device *d, const char *name, const char *phone)
{
	sat_id id = device_account(d, name, d->user_key);

	has(d, id, A_PHONE, phone);
	device_sync(d);
	return id;
}

/* He would be told for ever to ask about a customer that is nobody any more. */
static void
nobody_is_told_of_a_customer_that_was_erased(void **state) /* K1, X2 */
{
	world *w = world_of(6, "ann rep north, sue rep south, boss hq, root admin");
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue");
	sat_id v = device_account(ann, "Anhui Mill", "ann"),
	    x = device_account(sue, "Bengbu Mill", "sue"), y;

	(void)state;
	(void)device_edit(ann, &v, &v, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345678"));
	(void)device_edit(sue, &x, &x, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345678"));
	SYNC(ann, sue);
	device_sync(ann);
	assert_non_null(strstr(told(sue, x), " ann"));
	assert_non_null(strstr(told(ann, v), " sue"));
	erase(w, v);
	SYNC(ann, sue);
	assert_string_equal("", told(sue, x));
	world_verify(w);
	/* who comes later is told of those that are left */
	y = device_account(ann, "Chuzhou Mill", "ann");
	(void)device_edit(ann, &y, &y, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345678"));
	SYNC(ann, sue);
	assert_non_null(strstr(told(sue, x), " ann"));
	world_verify(w);
	world_free(w);
}

/* A name in conflict has him looked at again whenever he changes, and what takes
 * the word off him is a change. */
static void
nor_is_one_whose_own_name_is_in_doubt(void **state) /* K1, X2 */
{
	world *w = world_of(9, "ann rep north, sue rep south, boss hq, root admin");
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue"),
	    *sue2 = device_new(w, "sue");
	sat_id v = device_account(ann, "Anhui Mill", "ann"),
	    x = device_account(sue, "Bengbu Mill", "sue");

	(void)state;
	(void)device_edit(ann, &v, &v, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345678"));
	(void)device_edit(sue, &x, &x, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345678"));
	SYNC(ann, sue, sue2);
	(void)device_edit(sue, &x, &x, K_ACCOUNT, SAT_OP_SET, A_NAME,
	    txt("Bengbu Paper"));
	(void)device_edit(sue2, &x, &x, K_ACCOUNT, SAT_OP_SET, A_NAME,
	    txt("Bengbu Board"));
	SYNC(sue, sue2, sue);
	assert_non_null(strstr(told(sue, x), " ann"));
	erase(w, v);
	SYNC(ann, sue);
	assert_string_equal("", told(sue, x));
	world_verify(w);
	world_free(w);
}

/* What went on from him to a customer he was once merged into goes, and so does
 * what that one was known by meanwhile. */
static void
nor_by_what_he_left_in_another(void **state) /* K1, P-395 */
{
	world *w = world_of(10, "ann rep north, sue rep south, boss hq, root admin");
	device *ann = device_new(w, "ann"), *sue = device_new(w, "sue"),
	    *boss = device_new(w, "boss");
	sat_id v, z, x, y;

	(void)state;
	v = reached_by(ann, "Anhui Mill", "13812345670");
	z = reached_by(ann, "Huangshan Mill", "13812345671");
	x = reached_by(sue, "Bengbu Mill", "13812345678");
	device_sync(boss);
	(void)merge(boss, v, z);
	device_sync(boss);
	has(ann, v, A_PHONE, "13812345678"); /* she has not heard */
	SYNC(ann, sue);
	assert_non_null(strstr(told(sue, x), " ann"));
	(void)unmerge(boss, v);
	SYNC(boss, ann, sue);
	erase(w, v);
	SYNC(ann, sue);
	assert_string_equal("", told(sue, x));
	y = reached_by(sue, "Chuzhou Mill", "13812345678");
	assert_string_equal("", told(sue, y));
	/* what it was known by before is what it is known by */
	y = reached_by(sue, "Fuyang Mill", "13812345671");
	assert_non_null(strstr(told(sue, y), " ann"));
	world_verify(w);
	world_free(w);
}

/* The one he was told of may have been erased; the backup does not know it. */
static void
a_state_given_back_tells_only_of_customers_that_are_here(void **state) /* K1 */
{
	company c = company_new(sat_test_seed(43));
	states_of all;
	sat_id x, y, z;
	device *sue;
	sat_epoch e;

	(void)state;
	world_team(c.w, "south");
	world_user(c.w, "sue", "rep", "south");
	sue = device_new(c.w, "sue");
	z = reached_by(c.ann, "Anhui Mill", "13812345670");
	sync_all(&c);
	take_backup(&c);
	(void)reached_by(sue, "Bengbu Mill", "13812345678");
	x = reached_by(c.ann, "Chuzhou Mill", "13812345678");
	/* one that was here before, with a number of another's */
	(void)device_edit(c.ann, &z, &z, K_ACCOUNT, SAT_OP_SET, A_PHONE,
	    txt("13812345679"));
	y = reached_by(sue, "Huangshan Mill", "13812345679");
	SYNC(sue, c.ann, c.hq);
	assert_non_null(strstr(told(c.ann, x), " phone_main sue"));
	assert_non_null(strstr(told(c.ann, z), " phone_main sue"));
	all = all_states(c.w);
	e = lose(&c, 1000000, SAT_SEED_HQ);
	follow(c.hq, &e);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&all, &x)).taken);
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&all, &z)).taken);
	device_sync(c.hq);
	assert_string_equal("", told(c.hq, x));
	assert_string_equal("", told(c.hq, z));
	/* one comes back: both are told, by the keys they have now */
	assert_int_equal(1, give_state(&c, c.hq, &e, state_in(&all, &y)).taken);
	device_sync(c.hq);
	assert_non_null(strstr(told(c.hq, z), " phone_main sue"));
	assert_non_null(strstr(told(c.hq, y), " phone_main ann"));
	assert_string_equal("", told(c.hq, x));
	free_states(&all);
	company_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    owners_are_told_by_the_keys_of_the_template_in_force),
		cmocka_unit_test(nobody_is_told_of_a_customer_that_was_erased),
		cmocka_unit_test(nor_is_one_whose_own_name_is_in_doubt),
		cmocka_unit_test(nor_by_what_he_left_in_another),
		cmocka_unit_test(
		    a_state_given_back_tells_only_of_customers_that_are_here),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
