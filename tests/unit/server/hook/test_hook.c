/*
 * Webhooks: names of events, addresses, what is posted, and how long a receiver
 * that fails is left alone. Posts over a real socket: tests/e2e/check_webhook.sh.
 */
#include "tests/lib/unit.h"

#include "server/hook/hook_int.h"

static const char key[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static sat_template *
base(void)
{
	const sat_template_file *files;
	sat_template *t = NULL;
	sat_err err = { 0 };
	size_t n;

	files = sat_template_base(&n);
	assert_ok(sat_template_load(&t, files, n, &err));
	return t;
}

/* ---- names and addresses ------------------------------------------------------------------- */

static void
an_event_is_wanted_by_its_name_its_kind_or_all(void **state)
{
	(void)state;
	assert_true(sat_hook_wants("account.created", "account.created"));
	assert_true(sat_hook_wants("a.b,account.created", "account.created"));
	assert_true(sat_hook_wants("lead.*,account.*", "account.stage"));
	assert_true(sat_hook_wants("*", "visit.assigned"));
	assert_false(sat_hook_wants("account.create", "account.created"));
	assert_false(sat_hook_wants("account.createdx", "account.created"));
	assert_false(sat_hook_wants("acc.*", "account.created"));
	assert_false(sat_hook_wants("", "account.created"));
}

static sat_rc
check(const char *url, const char *format, const char *events, bool plain)
{
	static sat_template *t;
	sat_hook h = { .url = url, .format = format, .events = events,
		.plain = plain };

	if (t == NULL)
		t = base();
	return sat_hook_check(&h, t, NULL);
}

static void
only_addresses_that_cannot_be_turned_inwards_are_taken(void **state) /* P-403 */
{
	const char *const good = "https://hooks.example.com/a?key=b#SECx";

	(void)state;
	assert_rc(SAT_OK, check(good, "json", "*", false));
	assert_rc(SAT_OK, check(good, "feishu", "account.*,pool.released", false));
	assert_rc(SAT_EUSAGE, check(good, "json", "*", true));
	assert_rc(SAT_EUSAGE, check("http://hooks.example.com/", "json", "*",
	    false));
	assert_rc(SAT_EUSAGE, check("http://hooks.example.com/", "json", "*",
	    true));
	assert_rc(SAT_OK, check("http://127.0.0.1:80/x", "json", "*", true));
	assert_rc(SAT_OK, check("http://[::1]:80/x", "json", "*", true));
	assert_rc(SAT_EUSAGE, check("http://127.0.0.1.example.com/", "json", "*",
	    true));
	assert_rc(SAT_EUSAGE, check("http://127.0.0.1@example.com/", "json", "*",
	    true));
	assert_rc(SAT_EUSAGE, check("https://u:p@example.com/", "json", "*",
	    false));
	assert_rc(SAT_EUSAGE, check("https:///x", "json", "*", false));
	assert_rc(SAT_EUSAGE, check("https://a b/", "json", "*", false));
	assert_rc(SAT_EUSAGE, check("file:///etc/passwd", "json", "*", false));
	assert_rc(SAT_EUSAGE, check(good, "xml", "*", false));
	assert_rc(SAT_EUSAGE, check(good, "json", "", false));
	assert_rc(SAT_EUSAGE, check(good, "json", "account.created,nope.created",
	    false));
	assert_rc(SAT_EUSAGE, check(good, "json", "accounts.created", false));
}

static void
masked_is(const char *url, const char *want)
{
	sat_buf b = { 0 };

	sat_hook_mask(&b, url);
	assert_string_equal(want, sat_buf_cstr(&b));
	sat_buf_fini(&b);
}

static void
what_opens_a_door_is_not_shown(void **state)
{
	(void)state;
	masked_is("https://q.example.com/cgi-bin/send?key=0123456789abcdefgh",
	    "https://q.example.com/cgi-bin/send...efgh");
	masked_is("https://open.example.cn/bot/v2/hook/0123456789abcdefgh#S",
	    "https://open.example.cn/bot/v2/hook/...efgh");
	masked_is("https://a.example/short", "https://a.example/...");
	masked_is("https://a.example/", "https://a.example/");
	masked_is("https://a.example?k=1#secret", "https://a.example...");
}

/* ---- what is posted ---------------------------------------------------------------------- */

static void
a_cut_leaves_no_half_character(void **state)
{
	sat_buf b = { 0 };

	(void)state;
	for (size_t max = 0; max <= 9; max++) {
		sat_buf_reset(&b);
		sat_buf_str(&b, "a客户🌍z"); /* 1 + 3 + 3 + 4 + 1 */
		hook_cut(&b, max);
		assert_int_equal(max < 1 ? 0 : max < 4 ? 1 : max < 7 ? 4 : 7,
		    b.n);
		assert_true(sat_utf8_ok(b.p, b.n));
	}
	sat_buf_fini(&b);
}

static void
form(hook_form *f, const char *format, const char *url, const char *line,
    size_t n)
{
	sat_hook h = { .url = url, .format = format, .secret = key };
	sat_hook_event list[HOOK_BUNDLE_MAX];

	for (size_t i = 0; i < n; i++)
		list[i] = (sat_hook_event){ .line = line,
			.body = sat_span_str("{\"id\":\"evt_1\"}") };
	hook_form_make(f, &h, list, n, 1790000000123);
}

static sat_json *
parsed(const hook_form *f)
{
	sat_json *doc = NULL;
	sat_err err = { 0 };

	assert_ok(sat_json_parse(&doc, sat_buf_span(&f->body), 0, &err));
	return doc;
}

/* The expected values were computed with another library. */
static void
each_format_is_signed_as_its_receiver_checks_it(void **state) /* P-402 */
{
	hook_form f;
	sat_json *doc;

	(void)state;
	form(&f, "json", "https://a.example/x", "", 1);
	assert_string_equal("X-Satchel-Signature: t=1790000000,v1="
	    "86c845fff91abe8b772f95c1ad6a8545602116b03296fd19aa18242103680f5e",
	    sat_buf_cstr(&f.signature));
	assert_string_equal("{\"id\":\"evt_1\"}", sat_buf_cstr(&f.body));
	hook_form_fini(&f);

	form(&f, "dingtalk", "https://a.example/r?access_token=t#SECabc", "x", 1);
	assert_string_equal("https://a.example/r?access_token=t"
	    "&timestamp=1790000000123&sign="
	    "Vl5ykPuFzLPaEQGkK9OJZwZfd1DuCLpmzj%2BwMJF6B8Q%3D",
	    sat_buf_cstr(&f.url));
	assert_int_equal(0, f.signature.n);
	hook_form_fini(&f);

	form(&f, "feishu", "https://a.example/r#SECabc", "x", 1);
	assert_string_equal("https://a.example/r", sat_buf_cstr(&f.url));
	doc = parsed(&f);
	assert_string_equal("ndujpZkyNsbwTdRqfTMHGIkyKDvd7TVbeYYnrTsmW4k=",
	    sat_json_get_str(doc, "sign", ""));
	assert_string_equal("1790000000", sat_json_get_str(doc, "timestamp", ""));
	assert_string_equal("- x", sat_json_get_str(sat_json_get(doc, "content"),
	    "text", ""));
	sat_json_free(doc);
	hook_form_fini(&f);
}

static void
a_robot_gets_as_many_lines_as_it_takes(void **state) /* P-405 */
{
	static const struct {
		const char *format, *in, *text;
		size_t max;
	} all[] = { { "wecom", "markdown", "content", SAT_HOOK_MARKDOWN_MAX },
		{ "dingtalk", "markdown", "text", SAT_HOOK_MARKDOWN_MAX },
		{ "feishu", "content", "text", SAT_HOOK_TEXT_MAX } };
	char line[5001];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		sat_json *doc;
		const char *text;
		hook_form f;
		size_t each;

		/* one that is longer than a message is cut */
		memset(line, 'x', 5000);
		line[5000] = '\0';
		form(&f, all[i].format, "https://a.example/", line, 3);
		assert_int_equal(1, f.used);
		doc = parsed(&f);
		text = sat_json_get_str(sat_json_get(doc, all[i].in), all[i].text,
		    "");
		assert_int_equal(all[i].max, strlen(text));
		sat_json_free(doc);
		hook_form_fini(&f);

		/* else whole lines, as many as fit; the others wait */
		line[100] = '\0';
		each = 100 + strlen("- ") + 1;
		form(&f, all[i].format, "https://a.example/", line,
		    HOOK_BUNDLE_MAX);
		assert_int_equal((all[i].max + 1) / each, f.used);
		doc = parsed(&f);
		text = sat_json_get_str(sat_json_get(doc, all[i].in), all[i].text,
		    "");
		assert_int_equal(f.used * each - 1, strlen(text));
		sat_json_free(doc);
		hook_form_fini(&f);
	}
}

static void
a_robot_says_in_its_answer_whether_it_took_it(void **state)
{
	(void)state;
	assert_true(hook_chat_took("wecom", sat_span_str("{\"errcode\":0}")));
	assert_false(hook_chat_took("wecom", sat_span_str(
	    "{\"errcode\":93000}")));
	assert_true(hook_chat_took("feishu", sat_span_str("{\"code\":0}")));
	assert_true(hook_chat_took("feishu", sat_span_str(
	    "{\"StatusCode\":0}")));
	assert_false(hook_chat_took("feishu", sat_span_str("{\"code\":9499}")));
	assert_true(hook_chat_took("slack", sat_span_str("ok")));
	assert_false(hook_chat_took("dingtalk", sat_span_str("")));
	assert_false(hook_chat_took("dingtalk", sat_span_str("<html>")));
}

/* ---- a receiver that is not there ---------------------------------------------------------- */

#define MINUTE ((int64_t)60000)

typedef struct world {
	char *dir, *path;
	sat_sqlite_store *store;
	int64_t now_ms;
	sat_hooks_opts o;
} world;

static int64_t
world_now(void *u)
{
	return ((world *)u)->now_ms;
}

static int64_t
real_boot(void *u)
{
	sat_clock c = sat_clock_os();

	(void)u;
	return sat_boot_ms(&c);
}

static const sat_template *
no_tip(void *u)
{
	(void)u;
	return NULL;
}

static void
world_open(world *w)
{
	sat_sqlite_store_opts o = { .create = true };
	sat_err err = { 0 };

	o.clock = (sat_clock){ world_now, real_boot, w };
	o.path = w->path;
	assert_ok(sat_sqlite_store_open(&w->store, &o, &err));
	w->o.source = (sat_hook_source){ .store = w->store, .clock = o.clock,
		.org = "test", .tip = no_tip, .u = w };
}

static int
setup(void **state)
{
	world *w = sat_xcalloc(1, sizeof *w);

	sat_crypto_init();
	w->dir = sat_test_dir();
	w->path = sat_xasprintf("%s/server.db", w->dir);
	w->now_ms = 1790000000000;
	world_open(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	world *w = *state;

	sat_sqlite_store_close(w->store);
	sat_test_rmdir(w->dir);
	free(w->path);
	free(w);
	return 0;
}

static int64_t
hook_add(world *w, const char *url)
{
	sat_hook h = { .url = url, .format = "json", .events = "*",
		.secret = key, .plain = true, .since = 7,
		.made_ms = w->now_ms };
	sat_err err = { 0 };
	int64_t id = 0;

	assert_ok(sat_sqlite_hook_add(&id, w->store, &h, &err));
	return id;
}

static void
event_add(world *w, int64_t hook, uint64_t lsn)
{
	sat_hook_event x = { .hook = hook, .body = sat_span_str("{}"),
		.line = "x", .made_ms = w->now_ms };
	sat_err err = { 0 };

	x.subject.b[0] = (uint8_t)lsn;
	assert_ok(sat_sqlite_hook_queue(w->store, lsn, &x, 1, &err));
}

static sat_hook
hook_now(world *w, int64_t id)
{
	sat_arena a = { 0 };
	sat_err err = { 0 };
	sat_hook h;

	assert_ok(sat_sqlite_hook_get(&h, &a, w->store, id, &err));
	sat_arena_fini(&a);
	return h; /* its numbers */
}

static void
run(world *w)
{
	sat_err err = { 0 };

	assert_ok(sat_hooks_run(&w->o, 5000, &err));
}

/* Port 1 refuses: nobody listens there. */
static void
a_receiver_that_fails_is_left_alone_longer_and_longer(void **state) /* P-404 */
{
	static const int minutes[] = { 1, 5, 15, 60, 180, 360, 720, 1440 };
	world *w = *state;
	int64_t id = hook_add(w, "http://127.0.0.1:1/"), n;
	sat_err err = { 0 };

	event_add(w, id, 8);
	run(w);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(i + 1, hook_now(w, id).fails);
		assert_int_equal(w->now_ms + minutes[i] * MINUTE,
		    hook_now(w, id).rest_ms);
		w->now_ms += minutes[i] * MINUTE - 1;
		run(w);
		assert_int_equal(i + 1, hook_now(w, id).fails);
		assert_int_equal(1, hook_now(w, id).waiting);
		w->now_ms += i == 7 ? 2 : 1; /* older than all of them */
		run(w);
	}
	assert_int_equal(0, hook_now(w, id).waiting);
	assert_int_equal(1, hook_now(w, id).dead);
	/* somebody repaired it and says so */
	assert_ok(sat_sqlite_hook_again(&n, w->store, id, w->now_ms, &err));
	assert_int_equal(1, n);
	assert_int_equal(1, hook_now(w, id).waiting);
	assert_int_equal(0, hook_now(w, id).fails);
}

static void
a_hook_that_fails_holds_up_no_other(void **state)
{
	world *w = *state;
	int64_t a = hook_add(w, "http://127.0.0.1:1/a");
	int64_t b = hook_add(w, "http://127.0.0.1:1/b");

	event_add(w, a, 8);
	run(w);
	event_add(w, b, 9);
	run(w);
	assert_int_equal(1, hook_now(w, a).fails);
	assert_int_equal(1, hook_now(w, b).fails);
}

static void
the_queue_survives_and_goes_with_its_hook(void **state) /* W1, W2 */
{
	world *w = *state;
	int64_t id = hook_add(w, "http://127.0.0.1:1/");
	sat_store ops;
	sat_erased_row gone = { .eid = 5, .root = 5 };
	sat_err err = { 0 };
	uint64_t lsn = 0;

	assert_ok(sat_sqlite_hook_told(&lsn, w->store, &err));
	assert_int_equal(7, lsn); /* the first one begins where the log stands */
	event_add(w, id, 8);
	event_add(w, id, 9);
	sat_sqlite_store_close(w->store);
	world_open(w);
	assert_ok(sat_sqlite_hook_told(&lsn, w->store, &err));
	assert_int_equal(9, lsn);
	assert_int_equal(2, hook_now(w, id).waiting);

	/* the customer of position 8 is erased */
	ops = sat_sqlite_store_ops(w->store);
	gone.id.b[0] = 8;
	assert_ok(ops.begin(ops.u, &err));
	assert_ok(ops.rec_erase(ops.u, &gone, &err));
	assert_ok(ops.commit(ops.u, &err));
	assert_int_equal(1, hook_now(w, id).waiting);

	assert_ok(sat_sqlite_hook_remove(w->store, id, &err));
	assert_rc(SAT_ENOTFOUND, sat_sqlite_hook_remove(w->store, id, &err));
	id = hook_add(w, "http://127.0.0.1:1/");
	assert_int_equal(0, hook_now(w, id).waiting);
}

static void
a_refused_event_waits_alone_and_is_given_up_in_the_end(void **state)
{
	world *w = *state;
	int64_t id = hook_add(w, "http://127.0.0.1:1/");
	sat_hook_event *list;
	sat_arena a = { 0 };
	sat_err err = { 0 };
	size_t n;

	event_add(w, id, 8);
	event_add(w, id, 9);
	assert_ok(sat_sqlite_hook_due(&list, &n, &a, w->store, id, w->now_ms, 9,
	    &err));
	assert_int_equal(2, n);
	assert_ok(sat_sqlite_hook_refused(w->store, id, list[0].seq, "http 422",
	    w->now_ms, w->now_ms + MINUTE, false, &err));
	assert_int_equal(0, hook_now(w, id).fails);
	assert_ok(sat_sqlite_hook_due(&list, &n, &a, w->store, id, w->now_ms, 9,
	    &err));
	assert_int_equal(1, n);
	w->now_ms += MINUTE;
	assert_ok(sat_sqlite_hook_due(&list, &n, &a, w->store, id, w->now_ms, 9,
	    &err));
	assert_int_equal(2, n);
	assert_int_equal(1, list[1].tries);
	assert_ok(sat_sqlite_hook_refused(w->store, id, list[1].seq, "http 422",
	    w->now_ms, w->now_ms, true, &err));
	assert_ok(sat_sqlite_hook_dead(&list, &n, &a, w->store, id, 9, &err));
	assert_int_equal(1, n);
	assert_string_equal("http 422", list[0].error);
	sat_arena_fini(&a);
}

static void
there_are_not_more_than_may_be_and_no_address_twice(void **state)
{
	world *w = *state;
	sat_hook h = { .url = "https://a.example/", .format = "json",
		.events = "*", .secret = "" };
	sat_err err = { 0 };
	char url[64];
	int64_t id;

	assert_ok(sat_sqlite_hook_add(&id, w->store, &h, &err));
	assert_rc(SAT_ECONFLICT, sat_sqlite_hook_add(&id, w->store, &h, &err));
	h.url = url;
	for (int i = 1; i < SAT_HOOKS_MAX; i++) {
		(void)snprintf(url, sizeof url, "https://a.example/%d", i);
		assert_ok(sat_sqlite_hook_add(&id, w->store, &h, &err));
	}
	(void)snprintf(url, sizeof url, "https://a.example/more");
	assert_rc(SAT_ENOSPACE, sat_sqlite_hook_add(&id, w->store, &h, &err));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_wanted_by_its_name_its_kind_or_all),
		cmocka_unit_test(
		    only_addresses_that_cannot_be_turned_inwards_are_taken),
		cmocka_unit_test(what_opens_a_door_is_not_shown),
		cmocka_unit_test(a_cut_leaves_no_half_character),
		cmocka_unit_test(each_format_is_signed_as_its_receiver_checks_it),
		cmocka_unit_test(a_robot_gets_as_many_lines_as_it_takes),
		cmocka_unit_test(a_robot_says_in_its_answer_whether_it_took_it),
		T(a_receiver_that_fails_is_left_alone_longer_and_longer),
		T(a_hook_that_fails_holds_up_no_other),
		T(the_queue_survives_and_goes_with_its_hook),
		T(a_refused_event_waits_alone_and_is_given_up_in_the_end),
		T(there_are_not_more_than_may_be_and_no_address_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
