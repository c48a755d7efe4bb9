/* What an undo answers, and after what it may be asked for once more. */
#include "tests/lib/unit.h"

#include "client/api/api.h"
#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

/* As log names it: the last own one. */
static void
newest(char *out, size_t max, fixture *f)
{
	sat_commit *all;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_log(&all, &n, &f->a, f->r, 1, &err));
	(void)snprintf(out, max, "%u-%u-%llu", all[0].device,
	    all[0].incarnation, (unsigned long long)all[0].cseq);
}

/* The reasons in the order of the operations, of an answer that fits. */
static const char *
left_of(world *w, const char *commit)
{
	static char said[120];
	char path[80];
	const call k = { "POST", "", path, NULL, NULL, NULL };
	sat_json *doc = NULL;
	size_t at = 0;
	sat_err e;

	(void)snprintf(path, sizeof path, "/v1/commits/%s/revert", commit);
	assert_rc(SAT_EPARTLY, ask(&doc, w, &k, &e));
	assert_fits(doc, "undone", path);
	for (const sat_json *o = sat_json_first(sat_json_get(doc, "left"));
	     o != NULL; o = sat_json_next(o))
		at += (size_t)snprintf(said + at, sizeof said - at, "%s%s",
		    at > 0 ? " " : "", sat_json_get_str(o, "reason", "-"));
	sat_json_free(doc);
	return said;
}

static void
why_something_stays_is_told_in_words_of_the_schema(void **state)
{
	world *w = world_of(*state);
	fixture *f = w->f;
	sat_op ops[3];
	sat_id c[4];
	char name[20], phone[20], commit[60];
	sat_err err;

	for (int i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "Works %c", 'P' + i);
		(void)snprintf(phone, sizeof phone, "1360000000%d", i);
		c[i] = customer(f, name, phone);
		if (i < 3)
			ops[i] = op(f->account, SAT_OP_ADD, c[i], F_VISITS,
			    sat_v_int(i + 1));
	}
	(void)write_ops(f, c[0], ops, 3);
	newest(commit, sizeof commit, f);
	f->now_ms += 10;
	assert_ok(sat_crm_merge(&w->api.crm, f->account, &c[1], &c[3], NULL, 0,
	    &err));
	assert_ok(sat_crm_delete(&w->api.crm, f->account, &c[2], false, &err));
	assert_string_equal("merged deleted", left_of(w, commit));
	assert_ok(sat_crm_delete(&w->api.crm, f->account, &c[2], true, &err));
	assert_string_equal("undone merged", left_of(w, commit));
}

static sat_rc
undo_of(world *w, const char *commit, sat_err *e)
{
	char path[80];
	const call k = { "POST", "", path, NULL, NULL, NULL };
	sat_json *doc = NULL;
	sat_rc rc;

	(void)snprintf(path, sizeof path, "/v1/commits/%s/revert", commit);
	rc = ask(&doc, w, &k, e);
	sat_json_free(doc);
	return rc;
}

static void
what_a_discarded_undo_was_to_put_back_can_be_undone(void **state)
{
	world *w = world_of(*state);
	fixture *f = w->f;
	sat_id a = customer(f, "Works P", "13600000001");
	char path[80], commit[60];
	const call k = { "DELETE", "", path, NULL, "{\"reason\":\"no\"}",
		NULL };
	sat_quarantined *q;
	sat_json *doc = NULL;
	size_t n;
	sat_err err;

	change(f, f->account, a, LIST("visit_count=4"));
	srv_sync(f);
	newest(commit, sizeof commit, f);
	assert_ok(undo_of(w, commit, &err));
	f->srv.refuse = refuse_all;
	(void)srv_push(f, false);
	f->srv.refuse = NULL;
	assert_int_equal(4, visits_of(f, a));
	assert_rc(SAT_ECONFLICT, undo_of(w, commit, &err)); /* it may be sent again */
	q = open_ones(&n, f);
	(void)snprintf(path, sizeof path, "/v1/quarantine/%lld",
	    (long long)q[n - 1].id);
	assert_ok(ask(&doc, w, &k, &err));
	sat_json_free(doc);
	assert_ok(undo_of(w, commit, &err));
	assert_int_equal(0, visits_of(f, a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(why_something_stays_is_told_in_words_of_the_schema),
		HQ(what_a_discarded_undo_was_to_put_back_can_be_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
