/*
 * Late work that is too much for the server's own commit: its length was its
 * author's choice, what each suggestion carries besides was not (P-165, O2).
 */
#include "tests/unit/server/store/sqlite/device.h"

#include "protocol/server_int.h"

#define HOUR_MS ((int64_t)3600 * 1000)

enum { N = 4000 };

/* One remark on each of many customers, all in one commit: nearly 1 MiB. */
static void
suggestions_of_which_no_commit_can_be_made_are_refused(void **state)
{
	world *w = world_of(15, "ann rep north, bob rep north, "
	    "max manager north");
	device *ann = device_new(w, "ann"), *max = device_new(w, "max");
	sat_op gone, *late = calloc(N, sizeof *late);
	size_t first;
	char text[236];

	(void)state;
	assert_non_null(late);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t i = 0; i < N; i++) {
		sat_id acc = device_account(ann, "many", "ann");

		late[i] = op_set(&acc, K_ACCOUNT, SAT_OP_SET, A_REMARK,
		    txt(text));
	}
	SYNC(ann, max);
	/* one that she lost is enough: all of the commit goes with it */
	gone = op_set(&late[0].rec, K_ACCOUNT, SAT_OP_REASSIGN, A_OWNER,
	    txt("bob"));
	(void)device_commit(max, &gone.rec, &gone, 1);
	device_sync(max);
	w->now_ms += 100 * HOUR_MS;
	first = ann->nout;
	(void)device_commit(ann, &late[0].rec, late, N);
	(void)device_commit(ann, &late[0].rec, late, N / 2);
	device_sync(ann);
	assert_int_equal(SAT_VD_REJECTED, ann->out[first].code);
	assert_string_equal("handover.full", ann->out[first].slug);
	assert_int_equal(SAT_VD_HANDOVER, ann->out[first + 1].code);
	free(late);
	SETTLE(ann, max);
	world_verify(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggestions_of_which_no_commit_can_be_made_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
