/* Owners of customers that are alike are told of each other. */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"

static const char *
told(device *d, sat_id id)
{
	return text_at(d, id, SAT_SYS_CANDIDATES);
}

static void
phone(device *d, sat_id id, const char *number)
{
	(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_PHONE,
	    txt(number));
}

static void
two_owners_are_told_of_each_other_and_no_more(void **state)
{
	crew c = crew_new(20);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;
	char tag[17], want[80];

	(void)state;
	b = device_account(c.sue, "Other Name", "sue");
	phone(c.ann, a, "+8613812345678");
	all_sync(&c);
	assert_string_equal("", told(c.ann, a));
	phone(c.sue, b, "+8613812345678");
	all_sync(&c);
	all_agree(&c);
	sat_pair_tag(tag, &a, &b);
	(void)snprintf(want, sizeof want, "%s phone_main sue", tag);
	assert_string_equal(want, told(c.ann, a));
	(void)snprintf(want, sizeof want, "%s phone_main ann", tag);
	assert_string_equal(want, told(c.sue, b));
	assert_null(device_find(c.ann, &b, 0));
	/* another owner: the entry names him; one who sees both is not told */
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	all_sync(&c);
	(void)snprintf(want, sizeof want, "%s phone_main bob", tag);
	assert_string_equal(want, told(c.ann, a));
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("ann"));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.ann, b));
	crew_free(&c);
}

static void
what_no_longer_holds_is_taken_back(void **state)
{
	crew c = crew_new(21);
	sat_id a = device_account(c.ann, "Acme", "ann"), b, d;
	char tag[17];

	(void)state;
	b = device_account(c.sue, "Acme Ltd.", "sue"); /* the name reads alike */
	d = device_account(c.bob, "ACME", "bob");
	all_sync(&c);
	assert_non_null(strstr(told(c.ann, a), " name sue"));
	assert_non_null(strstr(told(c.ann, a), " name bob"));
	(void)device_edit(c.bob, &d, &d, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
	    txt("Bcme"));
	all_sync(&c);
	assert_null(strstr(told(c.ann, a), " name bob"));
	assert_null(strstr(told(c.sue, b), " name bob"));
	assert_string_equal("", told(c.bob, d));
	/* deleted, and back */
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_DEL, 0, sat_v_null());
	all_sync(&c);
	assert_string_equal("", told(c.ann, a));
	(void)device_edit(c.hq, &b, &b, K_ACCOUNT, SAT_OP_UNDEL, 0, sat_v_null());
	all_sync(&c);
	assert_non_null(strstr(told(c.ann, a), " name sue"));
	/* dismissed by one of the two */
	sat_pair_tag(tag, &a, &b);
	(void)device_edit(c.sue, &b, &b, K_ACCOUNT, SAT_OP_SADD,
	    SAT_SYS_DISMISSED, txt(tag));
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.sue, b));
	crew_free(&c);
}

static void
merged_ones_are_told_of_no_more(void **state)
{
	crew c = crew_new(22);
	sat_id a = device_account(c.ann, "Acme", "ann"), b;

	(void)state;
	b = device_account(c.sue, "Acme Ltd.", "sue");
	all_sync(&c);
	assert_non_null(strstr(told(c.sue, b), " name ann"));
	(void)merge(c.hq, b, a);
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.ann, a));
	assert_string_equal("", told(c.sue, b));
	(void)unmerge(c.hq, b);
	all_sync(&c);
	all_agree(&c);
	assert_non_null(strstr(told(c.sue, b), " name ann"));
	crew_free(&c);
}

static void
a_value_that_many_share_tells_nothing(void **state) /* K4 */
{
	crew c = crew_new(23);
	sat_id id[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		if (i == 16) { /* as many as may be told */
			all_sync(&c);
			assert_string_not_equal("", told(c.hq, id[0]));
		}
		id[i] = device_account(c.all[i % 3], i % 2 == 0 ? "Shop" :
		    "SHOP", c.all[i % 3]->user_key);
		device_sync(c.all[i % 3]);
	}
	all_sync(&c);
	all_agree(&c);
	assert_string_equal("", told(c.hq, id[19]));
	for (size_t i = 0; i < 20; i++)
		assert_string_equal("", told(c.hq, id[i]));
	crew_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_owners_are_told_of_each_other_and_no_more),
		cmocka_unit_test(what_no_longer_holds_is_taken_back),
		cmocka_unit_test(merged_ones_are_told_of_no_more),
		cmocka_unit_test(a_value_that_many_share_tells_nothing),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
