/* Random merges with late work (sync design, properties 1 and 15). */
#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"

#define ACCOUNTS 9

typedef struct rnd {
	crew c;
	sat_id acc[ACCOUNTS];
	uint64_t r;
} rnd;

static size_t
draw(rnd *x, size_t n)
{
	return (size_t)(sat_test_rand(&x->r) % n);
}

static void
random_edit(rnd *x, device *d, sat_id id)
{
	static const char *const words[] = { "aa", "bb", "cc", "AA" };
	const char *word = words[draw(x, 4)];

	switch (draw(x, 7)) {
	case 0:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_MVSET, A_NAME,
		    txt(word));
		break;
	case 1:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SADD, A_TAGS,
		    txt(word));
		break;
	case 2:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SREM, A_TAGS,
		    txt(word));
		break;
	case 3:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
		    sat_v_int(1));
		break;
	case 4:
		(void)device_activity(d, &id, word);
		break;
	case 5:
		(void)device_opp(d, &id, word, d->user_key);
		break;
	default:
		(void)device_edit(d, &id, &id, K_ACCOUNT, SAT_OP_SET, A_SECTOR,
		    txt(word));
	}
}

static void
random_step(rnd *x)
{
	static const char *const owners[] = { "ann", "bob", "sue" };
	device *d = x->c.all[draw(x, 6)];
	sat_id id = x->acc[draw(x, ACCOUNTS)], to = x->acc[draw(x, ACCOUNTS)];
	bool holds = device_find(d, &id, 0) != NULL;

	x->c.w->now_ms += (int64_t)draw(x, 2000);
	switch (draw(x, 12)) {
	case 0:
	case 1:
		if (holds && d != x->c.ann && d != x->c.bob && d != x->c.sue)
			(void)merge(d, id, to);
		break;
	case 2:
		if (holds && d != x->c.ann && d != x->c.bob && d != x->c.sue)
			(void)unmerge(d, id);
		break;
	case 3:
		if (holds)
			(void)device_edit(d, &id, &id, K_ACCOUNT,
			    SAT_OP_REASSIGN, A_OWNER, txt(owners[draw(x, 3)]));
		break;
	case 4:
		if (holds && draw(x, 3) == 0)
			(void)device_edit(d, &id, &id, K_ACCOUNT,
			    draw(x, 2) == 0 ? SAT_OP_DEL : SAT_OP_UNDEL, 0,
			    sat_v_null());
		break;
	case 5:
	case 6:
		device_sync(d);
		break;
	default:
		if (holds)
			random_edit(x, d, id);
	}
}

static void
replicas_agree_under_random_merges_and_late_work(void **state)
{
	size_t merged = 0, refused = 0, cycles = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++) {
		rnd x = { .c = crew_new(seed), .r = seed * 77 };
		device *late;

		print_message("seed %llu\n", (unsigned long long)seed);
		for (size_t i = 0; i < ACCOUNTS; i++) {
			device *d = x.c.all[i % 3];

			x.acc[i] = device_account(d, "nn", d->user_key);
		}
		all_sync(&x.c);
		for (size_t i = 0; i < 6; i++)
			x.c.all[i]->page_bytes = draw(&x, 2) == 0 ? 600 : 0;
		for (int i = 0; i < 160; i++)
			random_step(&x);
		all_sync(&x.c);
		all_agree(&x.c);
		for (size_t i = 0; i < 6; i++)
			for (size_t k = 0; k < x.c.all[i]->nout; k++) {
				const own *o = &x.c.all[i]->out[k];
				bool m = o->c.ops[0].kind == SAT_OP_MERGE;

				merged += m && o->state != 2;
				refused += m && o->state == 2;
				cycles += strcmp(o->slug, "merge.cycle") == 0;
			}
		/* a device from nothing is where the others are */
		late = device_new(x.c.w, "max");
		device_sync(late);
		device_check(late);
		device_free(late);
		crew_free(&x.c);
	}
	print_message("%zu merges, %zu refused, %zu for a cycle\n", merged,
	    refused, cycles);
	assert_true(merged > 50 && cycles > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replicas_agree_under_random_merges_and_late_work),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
