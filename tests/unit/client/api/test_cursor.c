/*
 * Cursors of lists: every row once, forwards and backwards; a cursor that was
 * not given, or was given for another list, is refused.
 */
#include "tests/lib/unit.h"

#include <stdlib.h>

#include "client/api/api.h"
#include "tests/unit/client/crm/crm_fixture.h"

#define ROWS 23

static void
fill(fixture *f)
{
	static const char *const remarks[] = { "b", "a", "合", "b" };
	uint64_t seed = sat_test_seed(5);

	for (int i = 0; i < ROWS; i++) {
		uint64_t x = sat_test_rand(&seed);
		char name[40], phone[40], remark[40];

		(void)snprintf(name, sizeof name, "name=Works %d", i * 7 % ROWS);
		(void)snprintf(phone, sizeof phone, "phone_main=138000000%02d", i);
		(void)snprintf(remark, sizeof remark, "address=%s",
		    remarks[x % 4]);
		(void)made(f, f->account, x >> 8 & 1 ?
		    LIST(name, "industry=C34", "contact_name=Bo", phone,
		        "need_type=product", "stage=first_contact", remark) :
		    LIST(name, "industry=C34", "contact_name=Bo", phone,
		        "need_type=product", "stage=first_contact"));
	}
}

static sat_rc
list(sat_json **doc, fixture *f, const char *sort, const char *cursor,
    const char *more, const char *value, sat_err *e)
{
	sat_api api = { .crm = crm_of(f), .profile = "default", .dir = f->dir };
	sat_json *q = sat_json_obj();
	sat_request req = { .method = "GET", .path = "/v1/accounts", .query = q };
	sat_rc rc;

	sat_json_put_str(q, "sort", sort);
	sat_json_put_str(q, "limit", "4");
	if (cursor != NULL)
		sat_json_put_str(q, "cursor", cursor);
	if (more != NULL)
		sat_json_put_str(q, more, value);
	memset(e, 0, sizeof *e);
	rc = sat_api_handle(doc, &api, &req, e);
	sat_json_free(q);
	return rc;
}

static sat_json *
page(fixture *f, const char *sort, const char *cursor)
{
	sat_json *doc = NULL;
	sat_err err;

	assert_ok(list(&doc, f, sort, cursor, NULL, NULL, &err));
	return doc;
}

static char *
place(const sat_json *doc, const char *member)
{
	const char *s = sat_json_get_str(sat_json_get(doc, "page"), member, NULL);

	return s != NULL ? sat_xstrdup(s) : NULL;
}

static size_t
take_ids(char (*ids)[SAT_ID_TEXT], const sat_json *doc)
{
	size_t n = 0;

	for (const sat_json *r = sat_json_first(sat_json_get(doc, "data"));
	     r != NULL; r = sat_json_next(r))
		(void)snprintf(ids[n++], SAT_ID_TEXT, "%s",
		    sat_json_get_str(r, "id", ""));
	return n;
}

static void
pages_go_on_and_back_over_every_row_once(void **state)
{
	static const char *const sorts[] = { "name", "-name,address", "-address",
		"address,-created", "created" };
	fixture *f = *state;

	fill(f);
	for (size_t s = 0; s < 5; s++) {
		char ids[ROWS + 8][SAT_ID_TEXT], back[8][SAT_ID_TEXT];
		char *next = NULL, *prev = NULL;
		size_t n = 0;

		do {
			sat_json *doc = page(f, sorts[s], next);

			assert_true(n <= ROWS);
			free(next);
			free(prev);
			assert_int_equal(ROWS, sat_json_get_int(sat_json_get(doc,
			    "page"), "total", -1));
			n += take_ids(ids + n, doc);
			next = place(doc, "next");
			prev = place(doc, "prev");
			assert_int_equal(n > 4, prev != NULL);
			sat_json_free(doc);
		} while (next != NULL);
		assert_int_equal(ROWS, n);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(ids[i], ids[k]);
		/* the last page has three */
		for (n -= 3; prev != NULL; n -= 4) {
			sat_json *doc = page(f, sorts[s], prev);

			assert_int_equal(4, take_ids(back, doc));
			for (size_t i = 0; i < 4; i++)
				assert_string_equal(ids[n - 4 + i], back[i]);
			free(prev);
			prev = place(doc, "prev");
			next = place(doc, "next");
			assert_non_null(next);
			free(next);
			sat_json_free(doc);
		}
		assert_int_equal(0, n);
	}
}

static void
a_cursor_outlives_the_program(void **state)
{
	fixture *f = *state;
	sat_json *doc, *before;
	char *next;

	fill(f);
	doc = page(f, "-name", NULL);
	next = place(doc, "next");
	sat_json_free(doc);
	before = page(f, "-name", next);
	reopen(f);
	doc = page(f, "-name", next);
	assert_string_equal(sat_json_get_str(sat_json_first(sat_json_get(before,
	    "data")), "id", "?"), sat_json_get_str(sat_json_first(sat_json_get(
	    doc, "data")), "id", "!"));
	sat_json_free(before);
	sat_json_free(doc);
	free(next);
}

static void
assert_refused(fixture *f, const char *sort, const char *cursor,
    const char *more, const char *value)
{
	sat_json *doc = NULL;
	sat_err err;

	assert_rc(SAT_EUSAGE, list(&doc, f, sort, cursor, more, value, &err));
	assert_string_equal("usage.cursor", err.code);
	assert_int_equal(400, sat_rc_http(err.rc));
	assert_null(doc);
}

static void
a_forged_cursor_and_one_of_another_list_are_refused(void **state)
{
	static const char digits[] = "0123456789abcdef";
	fixture *f = *state;
	uint64_t seed = sat_test_seed(6);
	sat_json *doc;
	sat_err err;
	char *next;

	fill(f);
	doc = page(f, "-name", NULL);
	next = place(doc, "next");
	sat_json_free(doc);
	assert_null(strstr(next, "576f726b73")); /* "Works": sealed */
	assert_refused(f, "name", next, NULL, NULL);
	assert_rc(SAT_EUSAGE, list(&doc, f, "name,city,phone_main,stage,grade",
	    NULL, NULL, NULL, &err));
	assert_string_equal("usage.sort", err.code);
	assert_refused(f, "-name", next, "filter[name]", "Works 1");
	assert_refused(f, "-name", next, "q", "Works");
	assert_refused(f, "-name", next, "offset", "4");
	assert_ok(list(&doc, f, "-name", next, "fields", "name", &err));
	sat_json_free(doc);
	assert_ok(list(&doc, f, "-name", next, "request_id", "x7", &err));
	sat_json_free(doc);
	assert_refused(f, "-name", "4", NULL, NULL);
	assert_refused(f, "-name", "", NULL, NULL);
	for (int i = 0; i < 200; i++) {
		size_t at = sat_test_rand(&seed) % strlen(next);
		char was = next[at], now = digits[sat_test_rand(&seed) % 16];

		if (now == was)
			continue;
		next[at] = now;
		assert_refused(f, "-name", next, NULL, NULL);
		next[at] = was;
	}
	next[strlen(next) - 2] = '\0';
	assert_refused(f, "-name", next, NULL, NULL);
	free(next);
}

static void
nobody_counts_when_nobody_asks(void **state)
{
	fixture *f = *state;
	const sat_json *p;
	sat_json *doc = NULL;
	sat_err err;

	fill(f);
	assert_ok(list(&doc, f, "name", NULL, "count", "none", &err));
	p = sat_json_get(doc, "page");
	assert_int_equal(SAT_J_NULL, sat_json_type(sat_json_get(p, "total")));
	assert_false(sat_json_get_bool(p, "total_exact", true));
	assert_non_null(sat_json_get_str(p, "next", NULL));
	sat_json_free(doc);
	assert_rc(SAT_EUSAGE, list(&doc, f, "name", NULL, "count", "some", &err));
}

/* With a filter the list is read in one pass, without one in two. */
static void
a_page_of_any_size_at_any_place_is_told(void **state)
{
	static const char *const sizes[] = { "9223372036854775807",
		"9223372036854775806", "1", "0" };
	fixture *f = *state;
	sat_api api = { .crm = crm_of(f), .profile = "default", .dir = f->dir };

	fill(f);
	for (size_t i = 0; i < 32; i++) {
		sat_json *q = sat_json_obj(), *doc = NULL;
		sat_request req = { .method = "GET", .path = "/v1/accounts",
			.query = q };
		bool first = strcmp(sizes[i / 4 % 4], "0") == 0;
		int64_t want = strcmp(sizes[i % 4], "1") == 0 ? 1 : ROWS;
		sat_err err;

		sat_json_put_str(q, "limit", sizes[i % 4]);
		sat_json_put_str(q, "offset", sizes[i / 4 % 4]);
		if (i >= 16)
			sat_json_put_str(q, "where", "name~Works");
		assert_ok(sat_api_handle(&doc, &api, &req, &err));
		assert_int_equal(ROWS, sat_json_get_int(sat_json_get(doc,
		    "page"), "total", -1));
		if (strcmp(sizes[i / 4 % 4], "1") == 0)
			want -= want > 1;
		else if (!first)
			want = 0;
		assert_int_equal(want, sat_json_count(sat_json_get(doc,
		    "data")));
		sat_json_free(doc);
		sat_json_free(q);
	}
}

static void
assert_same_rows(const sat_json *x, const sat_json *y)
{
	sat_buf a = { 0 }, b = { 0 };

	sat_json_write(&a, sat_json_get(x, "data"), false);
	sat_json_write(&b, sat_json_get(y, "data"), false);
	assert_string_equal(sat_buf_cstr(&a), sat_buf_cstr(&b));
	sat_buf_fini(&a);
	sat_buf_fini(&b);
}

/* A program writes them as they come: as if they had not been said. */
static void
what_is_said_to_be_off_is_off(void **state)
{
	static const char *const flags[] = { "all", "labels", "deleted",
		"merged", "pending", "incomplete", "conflict" };
	fixture *f = *state;
	sat_json *plain, *doc = NULL;
	sat_err err;

	fill(f);
	plain = page(f, "name", NULL);
	for (size_t i = 0; i < 14; i++) {
		assert_ok(list(&doc, f, "name", NULL, flags[i / 2],
		    i % 2 == 0 ? "0" : "false", &err));
		assert_int_equal(ROWS, sat_json_get_int(sat_json_get(doc,
		    "page"), "total", -1));
		assert_same_rows(plain, doc);
		sat_json_free(doc);
	}
	assert_ok(list(&doc, f, "name", NULL, "all", "1", &err));
	assert_int_equal(ROWS, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	assert_ok(list(&doc, f, "name", NULL, "deleted", "1", &err));
	assert_int_equal(0, sat_json_count(sat_json_get(doc, "data")));
	sat_json_free(doc);
	sat_json_free(plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(a_page_of_any_size_at_any_place_is_told),
		HQ(pages_go_on_and_back_over_every_row_once),
		HQ(a_cursor_outlives_the_program),
		HQ(a_forged_cursor_and_one_of_another_list_are_refused),
		HQ(what_is_said_to_be_off_is_off),
		HQ(nobody_counts_when_nobody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
