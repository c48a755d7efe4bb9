/*
 * Pages of a list: the same rows in the same order as SQLite gives them, and as
 * many as there are, whichever way they are found.
 */
#include "tests/unit/client/replica/fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* The whole list by a query, to compare pages with. */
static size_t
whole(fixture *f, sat_id *out, size_t max, sat_query q)
{
	static const uint16_t id_column[] = { SAT_Q_ID };
	const sat_value *v;
	sat_rows *rows;
	size_t n = 0;
	sat_err err;

	q.columns = id_column;
	q.ncolumns = 1;
	q.limit = q.offset = 0;
	assert_ok(sat_replica_query(&rows, f->r, &q, &err));
	for (;;) {
		assert_ok(sat_rows_next(&v, rows, &err));
		if (v == NULL)
			break;
		assert_true(n < max);
		memcpy(out[n++].b, v[0].s.p, 16);
	}
	sat_rows_free(rows);
	return n;
}

static void
assert_pages(fixture *f, sat_query q, size_t n, const sat_id *want)
{
	sat_id *ids;
	int64_t total;
	size_t got;
	sat_err err;

	for (size_t at = 0; at <= n + 3; at += 7) {
		size_t left = at < n ? n - at : 0, size = left < 7 ? left : 7;

		q.limit = 7;
		q.offset = (int64_t)at;
		assert_ok(sat_replica_list(&ids, &got, &total, &f->a, f->r, &q,
		    &err));
		assert_int_equal(n, total);
		assert_int_equal(size, got);
		if (size > 0)
			assert_memory_equal(ids, want + at, size * sizeof *ids);
	}
	q.limit = q.offset = 0; /* all of it */
	assert_ok(sat_replica_list(&ids, &got, &total, &f->a, f->r, &q, &err));
	assert_int_equal(n, got);
	assert_int_equal(n, total);
}

static void
make_customers(fixture *f)
{
	static const char *const names[] = { "Glass", "glass", "云帆", "安", "Zinc",
		"Zin" };
	uint64_t seed = sat_test_seed(3);
	char name[40];

	for (int i = 0; i < 80; i++) {
		uint64_t x = sat_test_rand(&seed);
		sat_id id;
		sat_op o;

		(void)snprintf(name, sizeof name, "%s%s", names[x % 6],
		    x % 3 ? "" : " works");
		id = new_account(f, name, "13812345678");
		if (x % 5 == 0)
			o = op(f->account, SAT_OP_SET, id, F_CITY, sat_v_null());
		else
			o = op(f->account, SAT_OP_MVSET, id, F_AMOUNT,
			    sat_v_int((int64_t)(x >> 8) % 4));
		write_ops(f, id, &o, 1);
		if (x % 11 == 0) {
			o = op(f->account, SAT_OP_DEL, id, 0, sat_v_null());
			write_ops(f, id, &o, 1);
		}
	}
}

/* Filters of several kinds by sorts of several kinds. */
static void
pages_are_pieces_of_the_whole_list(void **state)
{
	fixture *f = *state;
	sat_value hefei = text("Hefei"), glass = text("glass"),
	    two = sat_v_int(2), one = sat_v_int(1), stage = text("first_contact");
	const sat_filter filters[][2] = {
		{ { F_CITY, SAT_CMP_EQ, &hefei, 1 } },
		{ { F_STAGE, SAT_CMP_EQ, &stage, 1 } },
		{ { F_NAME, SAT_CMP_LIKE, &glass, 1 } },
		{ { F_AMOUNT, SAT_CMP_LT, &two, 1 } },
		{ { SAT_Q_TEXT, SAT_CMP_LIKE, &glass, 1 } },
		{ { SAT_Q_DELETED, SAT_CMP_EQ, &one, 1 } },
	};
	static const struct {
		uint16_t field;
		bool desc;
	} sorts[] = { { F_NAME, false }, { F_NAME, true }, { F_AMOUNT, false },
		{ F_AMOUNT, true }, { SAT_Q_CREATED, true }, { F_CITY, true } };
	sat_id want[100];
	size_t n, some = 0;

	make_customers(f);
	for (size_t i = 0; i <= 6; i++)
		for (size_t s = 0; s <= 6; s++) {
			sat_query q = { .kind = f->account,
				.filters = i < 6 ? filters[i] : NULL,
				.nfilters = i < 6 ? 1 : 0,
				.nsort = s < 6 ? 1 + s % 2 : 0 };

			if (s < 6) {
				q.sort[0].field = sorts[s].field;
				q.sort[0].desc = sorts[s].desc;
				q.sort[1].field = F_AMOUNT;
				q.sort[1].desc = true;
			}
			n = whole(f, want, 100, q);
			some += n;
			assert_pages(f, q, n, want);
		}
	assert_true(some > 500);
}

/* ---- pages that begin at a place ------------------------------------------------- */

#define WALKED_MAX 600

typedef struct walked {
	sat_id id;
	bool there;   /* in the list, when the walk began */
	bool touched; /* made, changed or deleted since */
	bool gone;    /* deleted, ever */
	int seen;
} walked;

typedef struct book {
	walked row[WALKED_MAX];
	size_t n;
	uint64_t seed;
} book;

static walked *
find_row(book *b, const sat_id *id)
{
	for (size_t i = 0; i < b->n; i++)
		if (sat_id_eq(&b->row[i].id, id))
			return &b->row[i];
	return NULL;
}

static sat_id
make_one(fixture *f, book *b)
{
	static const char *const names[] = { "Glass", "glass", "云帆", "安", "Zinc" };
	static const char *const cities[] = { "Hefei", "hefei", "合肥", "A", "" };
	uint64_t x = sat_test_rand(&b->seed);
	sat_id id = new_account(f, names[x % 5], "13812345678");
	sat_op o[2] = {
		op(f->account, SAT_OP_SET, id, F_CITY, x >> 8 & 3 ?
		    text(cities[(x >> 10) % 4]) : sat_v_null()),
		op(f->account, SAT_OP_MVSET, id, F_AMOUNT,
		    sat_v_int((int64_t)(x >> 20) % 4)),
	};

	write_ops(f, id, o, x >> 30 & 1 ? 2 : 1);
	f->now_ms += (int64_t)(x >> 40 & 1); /* some are of one millisecond */
	return id;
}

/* Somebody works on the same list: one more, one less, one that moves. */
static void
disturb(fixture *f, book *b)
{
	for (int i = 0; i < 3; i++) {
		uint64_t x = sat_test_rand(&b->seed);
		walked *w = &b->row[(x >> 8) % b->n];
		sat_op o;

		if (x % 3 == 0 && b->n < WALKED_MAX) {
			b->row[b->n] = (walked){ .id = make_one(f, b),
				.touched = true };
			b->n++;
		} else if (!w->gone) {
			o = x % 3 == 1 ? op(f->account, SAT_OP_DEL, w->id, 0,
			    sat_v_null()) : op(f->account, SAT_OP_SET, w->id,
			    F_CITY, text("moved"));
			write_ops(f, w->id, &o, 1);
			w->touched = true;
			w->gone = x % 3 == 1;
		}
	}
}

/* What the list has before anybody goes through it. */
static void
mark_rows(fixture *f, book *b, sat_query q)
{
	sat_id *ids;
	size_t n;
	sat_err err;

	for (size_t i = 0; i < b->n; i++)
		b->row[i] = (walked){ .id = b->row[i].id,
			.gone = b->row[i].gone };
	q.limit = 0;
	q.back = false;
	assert_ok(sat_replica_list(&ids, &n, NULL, &f->a, f->r, &q, &err));
	for (size_t i = 0; i < n; i++)
		find_row(b, &ids[i])->there = true;
}

/* From one end to the other; a place outlives its row. */
static void
walk(fixture *f, book *b, sat_query q)
{
	sat_arena mem[2] = { { 0 }, { 0 } };
	sat_edge at[2];
	sat_id *ids;
	int64_t total;
	size_t n;
	sat_err err;

	for (size_t pages = 0; ; pages++) {
		sat_edge *next = &at[pages % 2];

		assert_true(pages <= WALKED_MAX);
		sat_arena_reset(&mem[pages % 2]);
		assert_ok(sat_replica_list(&ids, &n, &total, &mem[pages % 2],
		    f->r, &q, &err));
		for (size_t i = 0; i < n; i++)
			find_row(b, &ids[i])->seen++;
		if (n == 0)
			break;
		assert_ok(sat_replica_edge(next, &mem[pages % 2], f->r, &q,
		    &ids[q.back ? 0 : n - 1], &err));
		q.from = next;
		disturb(f, b);
	}
	sat_arena_fini(&mem[0]);
	sat_arena_fini(&mem[1]);
}

static void
each_row_is_met_once_whoever_works_on_the_list(void **state)
{
	static const uint16_t fields[] = { F_NAME, F_AMOUNT, F_CITY,
		SAT_Q_CREATED, F_OWNER };
	fixture *f = *state;
	book *b = sat_xcalloc(1, sizeof *b);
	sat_value moved = text("moved"), stage = text("first_contact");
	const sat_filter filters[] = {
		{ F_STAGE, SAT_CMP_EQ, &stage, 1 },
		{ F_CITY, SAT_CMP_NE, &moved, 1 },
	};
	size_t met = 0;

	b->seed = sat_test_seed(11);
	for (int turn = 0; turn < 24; turn++) {
		uint64_t x = sat_test_rand(&b->seed);
		sat_query q = { .kind = f->account, .filters = filters,
			.nfilters = x % 3, .limit = 1 + (int64_t)(x >> 8) % 12,
			.nsort = x >> 16 & 3, .back = x >> 20 & 1 };

		for (size_t i = 0; i < q.nsort; i++) {
			q.sort[i].field = fields[(x >> (24 + 4 * i)) % 5];
			q.sort[i].desc = x >> (40 + i) & 1;
		}
		while (b->n < 60 + (size_t)turn * 10)
			b->row[b->n++] = (walked){ .id = make_one(f, b) };
		mark_rows(f, b, q);
		walk(f, b, q);
		for (size_t i = 0; i < b->n; i++) {
			const walked *w = &b->row[i];

			if (!w->touched && w->seen != w->there)
				fail_msg("turn %d: row %zu was met %d times",
				    turn, i, w->seen);
			met += w->there && !w->touched;
		}
	}
	assert_true(met > 500);
	free(b);
}

/* What the template says is kept together, and follows it. */
static void
a_kind_has_the_index_its_template_names(void **state)
{
	fixture *f = *state;
	sat_stmt *s;
	bool row;
	sat_err err;

	assert_true(f->account->ncovers > 3);
	(void)new_account(f, "one", "13812345678");
	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r), "SELECT count(*) "
	    "FROM sqlite_master WHERE name GLOB 'i_account.covers.*'", &err));
	assert_ok(sat_step(&row, s, &err));
	assert_int_equal(1, sat_col_int(s, 0));
	sat_stmt_reset(s);
	/* a filtered list reads that index and no row of the table */
	assert_ok(sat_db_stmt_text(&s, sat_replica_db(f->r),
	    "EXPLAIN QUERY PLAN SELECT \"name\", _id FROM k_account "
	    "WHERE \"owner\" = 'li' AND (_flags & 321) = 0", &err));
	assert_ok(sat_step(&row, s, &err));
	assert_true(row);
	if (strstr(sat_arena_str(&f->a, sat_col_text(s, 3).p,
	    sat_col_text(s, 3).n), "COVERING INDEX i_account.covers.") == NULL)
		fail_msg("the plan is: %.*s", (int)sat_col_text(s, 3).n,
		    (const char *)sat_col_text(s, 3).p);
	sat_stmt_reset(s);
}

#define P(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		P(pages_are_pieces_of_the_whole_list),
		P(each_row_is_met_once_whoever_works_on_the_list),
		P(a_kind_has_the_index_its_template_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
