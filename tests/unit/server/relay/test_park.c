/*
 * Who is parked, and who is woken: every list checked against a plain model
 * after each random step. Links are numbers here; what is sent to them is seen.
 */
#include "tests/lib/unit.h"

#include "server/relay/park.h"

#define LINKS 200
#define DEVICES 150

struct sat_link {
	int answered, closed;
	sat_waited last;
};
static struct sat_link link_of[LINKS];

void
sat_link_reply(sat_link *l, sat_span frame)
{
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_msg m;

	assert_ok(sat_msg_read(&m, &a, frame, &err));
	assert_int_equal(SAT_MSG_WAITED, m.type);
	l->last = m.u.waited;
	l->answered++;
	sat_arena_fini(&a);
}

void
sat_link_close(sat_link *l)
{
	l->closed++;
}

typedef struct model {
	bool parked;
	int64_t due;
} model;

static sat_park park;
static sat_parked x[LINKS];
static model want[LINKS];

static void
park_one(int i, uint32_t device, sat_scope_key a, sat_scope_key b, int64_t now)
{
	for (int k = 0; k < LINKS; k++) /* one WAIT per device: the last (P-213) */
		if (want[k].parked && k != i && x[k].session.device == device)
			want[k].parked = false;
	x[i].session.device = device;
	x[i].session.parked = true;
	x[i].session.waits_for = (sat_keys){ .k = { a, b },
	    .n = b != 0 ? 2 : 1 };
	sat_park_add(&park, &x[i], &link_of[i], now);
	want[i] = (model){ true, now + SAT_WAIT_MS };
}

static bool
waits_for(int i, sat_scope_key key)
{
	return sat_keys_has(&x[i].session.waits_for, key);
}

/* What the lists hold is what the model holds, in both directions. */
static void
check(void)
{
	size_t n = 0, listed = 0;

	for (int i = 0; i < LINKS; i++) {
		n += want[i].parked;
		assert_int_equal(want[i].parked, x[i].link != NULL);
		assert_int_equal(want[i].parked, x[i].session.parked);
	}
	for (const sat_parked *p = park.first; p != NULL; p = p->next) {
		listed++;
		assert_true(p->next == NULL || p->due_ms <= p->next->due_ms);
	}
	assert_int_equal(n, park.n);
	assert_int_equal(n, listed);
}

static void
random_parking_and_waking_is_what_a_plain_list_says(void **state)
{
	uint64_t seed = sat_test_seed(1);
	int64_t now = 1000;

	(void)state;
	sat_park_init(&park);
	memset(x, 0, sizeof x);
	memset(want, 0, sizeof want);
	for (int step = 0; step < 20000; step++) {
		int before[LINKS], i = (int)(sat_test_rand(&seed) % LINKS);
		sat_scope_key key = sat_key_user(
		    (uint32_t)(sat_test_rand(&seed) % 40));
		sat_heard h = { &key, 1, false };

		now += (int64_t)(sat_test_rand(&seed) % 2000);
		for (int k = 0; k < LINKS; k++)
			before[k] = link_of[k].answered;
		switch (sat_test_rand(&seed) % 5) {
		case 0:
			sat_park_remove(&park, &x[i]);
			want[i].parked = false;
			break;
		case 1:
			if (sat_test_rand(&seed) % 50 == 0)
				h.everybody = true;
			sat_park_wake(&park, &h);
			for (int k = 0; k < LINKS; k++) {
				bool hit = want[k].parked &&
				    (h.everybody || waits_for(k, key));

				assert_int_equal(hit,
				    link_of[k].answered - before[k]);
				if (hit)
					want[k].parked = false;
			}
			break;
		case 2:
			(void)sat_park_sweep(&park, now);
			for (int k = 0; k < LINKS; k++) {
				bool hit = want[k].parked && want[k].due <= now;

				assert_int_equal(hit,
				    link_of[k].answered - before[k]);
				if (hit)
					want[k].parked = false;
			}
			break;
		default:
			if (want[i].parked)
				break; /* a link asks once */
			park_one(i, (uint32_t)(sat_test_rand(&seed) % DEVICES),
			    key, sat_test_rand(&seed) % 2 == 0 ? 0 :
			    sat_key_team((uint32_t)(sat_test_rand(&seed) % 5)),
			    now);
		}
		check();
	}
}

static void
a_device_that_waits_again_leaves_its_first_link(void **state) /* P-213 */
{
	(void)state;
	sat_park_init(&park);
	memset(x, 0, sizeof x);
	memset(want, 0, sizeof want);
	memset(link_of, 0, sizeof link_of);
	park_one(0, 7, sat_key_user(1), 0, 0);
	park_one(1, 8, sat_key_user(1), 0, 0);
	park_one(2, 7, sat_key_user(1), 0, 0);
	check();
	assert_int_equal(1, link_of[0].closed);
	assert_int_equal(0, link_of[0].answered);
	assert_int_equal(0, link_of[1].closed + link_of[2].closed);
	assert_int_equal(2, park.n);
}

static void
many_woken_at_once_are_spread_and_few_are_not(void **state) /* P-214 */
{
	sat_scope_key key = sat_key_team(1);
	sat_heard h = { &key, 1, false };

	(void)state;
	for (int round = 0; round < 2; round++) {
		int n = round == 0 ? SAT_WAKE_AT_ONCE : SAT_WAKE_AT_ONCE + 1;

		sat_park_init(&park);
		memset(x, 0, sizeof x);
		memset(want, 0, sizeof want);
		for (int i = 0; i < n; i++)
			park_one(i, (uint32_t)i + 1, key, 0, 0);
		sat_park_wake(&park, &h);
		for (int i = 0; i < n; i++) {
			assert_int_equal(SAT_WAITED_LOG, link_of[i].last.what);
			assert_int_equal(round == 0 ? 0 : n,
			    link_of[i].last.spread_ms);
		}
		assert_int_equal(0, park.n);
	}
}

static void
a_wait_ends_when_its_time_is_up_and_says_that_nothing_is_new(void **state)
{
	(void)state;
	sat_park_init(&park);
	memset(x, 0, sizeof x);
	memset(want, 0, sizeof want);
	memset(link_of, 0, sizeof link_of);
	assert_int_equal(-1, sat_park_sweep(&park, 5));
	park_one(0, 1, sat_key_user(1), 0, 1000);
	park_one(1, 2, sat_key_user(1), 0, 1500);
	assert_int_equal(1, sat_park_sweep(&park, 1000 + SAT_WAIT_MS - 1));
	assert_int_equal(0, link_of[0].answered);
	assert_int_equal(500, sat_park_sweep(&park, 1000 + SAT_WAIT_MS));
	assert_int_equal(1, link_of[0].answered);
	assert_int_equal(0, link_of[0].last.what);
	assert_int_equal(0, link_of[1].answered);
	assert_true(SAT_WAIT_MS < SAT_NET_IDLE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_parking_and_waking_is_what_a_plain_list_says),
		cmocka_unit_test(a_device_that_waits_again_leaves_its_first_link),
		cmocka_unit_test(many_woken_at_once_are_spread_and_few_are_not),
		cmocka_unit_test(
		    a_wait_ends_when_its_time_is_up_and_says_that_nothing_is_new),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
