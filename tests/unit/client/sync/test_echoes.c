/*
 * What goes on to the records another was merged into takes room as well: a
 * commit with its echoes fits a batch, and so does a page (P-001, P-171).
 */
#include "tests/lib/unit.h"

#include "tests/unit/client/sync/company.h"

enum { LI, CHEN, HQ }; /* devices */

static int
setup(void **state)
{
	company *c = company_new(29);

	company_staff(c, "li rep east, chen manager east, hq hq");
	company_devices(c, "li chen hq");
	*state = c;
	return 0;
}

/* Found by the pages themselves and not by the sums. */
static void
devices_are_right(company *c)
{
	for (size_t i = 0; i < c->n; i++) {
		company_sync(c, i);
		assert_int_equal(0, c->stats.refetched);
		company_right(c, i);
	}
}

static void
all_are_right(company *c)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	devices_are_right(c);
	assert_ok(sat_server_verify(c->server, &commits, &records, &err));
}

/* Li's customer leads to another, and that one to a third; he has not heard. */
static sat_id
led_twice(company *c)
{
	sat_id loser = company_account(c, LI, "Hu", "li");
	sat_id middle = company_account(c, LI, "Wu", "li");
	sat_id winner = company_account(c, LI, "Xu", "li");

	company_sync_all(c);
	company_merge(c, HQ, loser, middle);
	company_sync(c, HQ);
	company_merge(c, HQ, middle, winner);
	company_sync(c, HQ);
	return loser;
}

static void
write_remarks(company *c, sat_id rec, size_t n, size_t bytes)
{
	/* a remark's length is limited in characters */
	static const char *const marks[] = { "\xf0\xa0\x80\x80",
		"\xf0\xa0\x80\x81", "\xf0\xa0\x80\x82" };
	const sat_kind *kind = kind_of(c, LI, "account");
	sat_op *ops = sat_arena_alloc(&c->a, n * sizeof *ops);

	for (size_t i = 0; i < n; i++) {
		char *text = sat_arena_alloc(&c->a, bytes + 1);

		for (size_t k = 0; k < bytes; k += 4)
			memcpy(text + k, marks[i % 3], 4);
		text[bytes] = '\0';
		ops[i] = c_op(kind, SAT_OP_SET, rec, A_REMARK, c_text(text));
	}
	company_write(c, LI, rec, ops, n);
}

/* 1 MiB of values, thrice: no batch carries that, and one position that cannot
 * be sent would end every device's pulls. */
static void
a_commit_that_grows_too_large_with_its_echoes_is_refused(void **state)
{
	company *c = *state;
	sat_id loser = led_twice(c);
	sat_quarantined *q;
	size_t n;
	sat_err err = { 0 };

	write_remarks(c, loser, 65, 16000);
	company_sync(c, LI);
	assert_int_equal(1, c->stats.rejected);
	assert_ok(sat_replica_quarantine(&q, &n, &c->a, c->r[LI], &err));
	assert_int_equal(1, n);
	assert_string_equal("merge.too_large", q[0].slug);
	write_remarks(c, loser, 40, 16000); /* 1.9 MB in all */
	company_sync(c, LI);
	assert_int_equal(0, c->stats.rejected);
	all_are_right(c);
}

static void
put_echoes(company *c, uint64_t lsn, sat_span list)
{
	sat_store st = sat_sqlite_store_ops(c->store);
	char text[64];
	sat_err err = { 0 };

	(void)snprintf(text, sizeof text, "DELETE FROM echo WHERE lsn = %llu",
	    (unsigned long long)lsn);
	assert_ok(st.begin(st.u, &err));
	assert_ok(sat_db_exec(sat_sqlite_store_db(c->store), text, &err));
	assert_ok(st.echo_put(st.u, lsn, list, &err));
	assert_ok(st.commit(st.u, &err));
}

/* The list of echoes in the log, each of them twice: what an operation does a
 * second time is nothing. */
static uint64_t
double_the_echoes(sat_span *was, company *c)
{
	sat_store st = sat_sqlite_store_ops(c->store);
	sat_log_row row = { .lsn = 0 };
	uint64_t lsn = 0;
	sat_buf b = { 0 };
	sat_reader r;
	sat_err err = { 0 };

	assert_ok(st.begin(st.u, &err));
	while (row.echoes.n == 0)
		assert_ok(st.log_get(&row, &c->a, st.u, ++lsn, &err));
	assert_ok(st.commit(st.u, &err));
	*was = row.echoes;
	r = sat_reader_of(row.echoes);
	sat_write_uint(&b, 2 * sat_read_uint(&r));
	sat_buf_add(&b, r.p, r.left);
	sat_buf_add(&b, r.p, r.left);
	put_echoes(c, lsn, sat_buf_span(&b));
	sat_buf_fini(&b);
	return lsn;
}

/* As earlier releases let in: 3.2 MB with what goes on. */
static void
one_that_is_in_the_log_already_comes_as_states(void **state)
{
	company *c = *state;
	sat_id loser = led_twice(c);
	sat_span was;
	uint64_t lsn;

	write_remarks(c, loser, 40, 16000);
	c->stop_after = 2;
	company_sync(c, LI);
	c->stop_after = 0;
	assert_int_equal(1, c->types[SAT_MSG_PUSH]);
	assert_int_equal(0, c->types[SAT_MSG_PULL]);
	lsn = double_the_echoes(&was, c);
	company_set(c, CHEN, loser, A_CITY, "Wuhu"); /* before he has it */
	company_sync(c, CHEN);
	devices_are_right(c);
	devices_are_right(c); /* with what was written behind it */
	put_echoes(c, lsn, was);
	all_are_right(c);
}

static void
echoes_count_for_a_page_as_what_they_carry(void **state)
{
	company *c = *state;
	sat_id loser = led_twice(c);

	for (int i = 0; i < 100; i++)
		write_remarks(c, loser, 1, 10000);
	company_sync(c, LI);
	assert_int_equal(0, c->stats.rejected);
	all_are_right(c);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, company_end)
	const struct CMUnitTest tests[] = {
		T(a_commit_that_grows_too_large_with_its_echoes_is_refused),
		T(one_that_is_in_the_log_already_comes_as_states),
		T(echoes_count_for_a_page_as_what_they_carry),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
