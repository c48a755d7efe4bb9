/* Layers: laying over, three-way merge, difference, and the packs. */
#include "tests/lib/unit.h"

#include "common/json/json.h"
#include "common/template/layers.h"
#include "tests/unit/common/template/base.h"

#define DOC "dict/x.json"

static sat_layer
one(sat_template_file *f, const char *text)
{
	f->path = DOC;
	f->bytes = sat_span_str(text != NULL ? text : "");
	return (sat_layer){ f, text != NULL ? 1 : 0 };
}

static char *
compact(sat_span s)
{
	static char out[2000];
	sat_json *doc;
	sat_buf b = { 0 };
	sat_err err;

	assert_ok(sat_json_parse(&doc, s, 0, &err));
	sat_json_write(&b, doc, false);
	(void)snprintf(out, sizeof out, "%s", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	sat_json_free(doc);
	return out;
}

static void
laid(const char *want, const char *base, const char *over)
{
	sat_template_file f[2];
	sat_layer a = one(&f[0], base), b = one(&f[1], over), out;
	sat_arena mem = { 0 };
	sat_err err;

	assert_ok(sat_layer_overlay(&out, &mem, &a, &b, &err));
	assert_int_equal(1, out.n);
	assert_string_equal(want, compact(out.files[0].bytes));
	sat_arena_fini(&mem);
}

static void
a_pack_changes_only_what_it_names(void **state)
{
	(void)state;
	laid("{\"a\":1,\"b\":{\"x\":1,\"y\":3},\"c\":4}",
	    "{\"a\":1,\"b\":{\"x\":1,\"y\":2}}", "{\"b\":{\"y\":3},\"c\":4}");
	laid("{\"b\":2}", "{\"a\":1,\"b\":2}", "{\"a\":null}");
	laid("{\"o\":[{\"key\":\"p\",\"n\":1},{\"key\":\"q\",\"n\":5},"
	    "{\"key\":\"r\"}]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":1},{\"key\":\"q\",\"n\":2}]}",
	    "{\"o\":[{\"key\":\"q\",\"n\":5},{\"key\":\"r\"}]}");
	laid("{\"o\":[{\"key\":\"q\"}]}",
	    "{\"o\":[{\"key\":\"p\"},{\"key\":\"q\"}]}",
	    "{\"o\":[{\"key\":\"p\",\"remove\":true}]}");
	laid("{\"l\":[\"z\"]}", "{\"l\":[\"a\",\"b\"]}", "{\"l\":[\"z\"]}");
}

static void
taking_away_what_is_not_there_is_refused(void **state)
{
	sat_template_file f[2];
	sat_layer a = one(&f[0], "{\"o\":[{\"key\":\"p\"}]}"), out;
	sat_layer b = one(&f[1], "{\"o\":[{\"key\":\"z\",\"remove\":true}]}");
	sat_arena mem = { 0 };
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_EINVALID, sat_layer_overlay(&out, &mem, &a, &b, &err));
	assert_non_null(strstr(err.text, "'z'"));
	assert_int_equal(0, out.n);
	sat_arena_fini(&mem);
}

/* ---- merge ----------------------------------------------------------------------- */

typedef struct asked {
	char places[500];
	sat_take take;
} asked;

static sat_take
decide(void *u, const sat_layer_conflict *c)
{
	asked *a = u;
	size_t n = strlen(a->places);

	(void)snprintf(a->places + n, sizeof a->places - n, "%s;", c->place);
	return a->take;
}

static sat_rc
merged(sat_layer *out, sat_arena *mem, asked *a, const char *base,
    const char *ours, const char *theirs, sat_err *e)
{
	sat_template_file f[3];
	sat_layer b = one(&f[0], base), o = one(&f[1], ours),
	    t = one(&f[2], theirs);

	return sat_layer_merge(out, mem, &b, &o, &t, decide, a, e);
}

static void
comes_to(const char *want, const char *base, const char *ours,
    const char *theirs)
{
	sat_arena mem = { 0 };
	asked a = { .take = SAT_TAKE_NEITHER };
	sat_layer out;
	sat_err err;

	assert_ok(merged(&out, &mem, &a, base, ours, theirs, &err));
	assert_string_equal("", a.places);
	if (want == NULL) {
		assert_int_equal(0, out.n);
	} else {
		assert_int_equal(1, out.n);
		assert_string_equal(want, compact(out.files[0].bytes));
	}
	sat_arena_fini(&mem);
}

static void
changes_of_both_sides_meet(void **state)
{
	(void)state;
	comes_to("{\"a\":2,\"b\":3}", "{\"a\":1,\"b\":1}",
	    "{\"a\":2,\"b\":1}", "{\"a\":1,\"b\":3}");
	comes_to("{\"b\":1,\"c\":1,\"d\":1}", "{\"a\":1,\"b\":1}",
	    "{\"b\":1,\"c\":1}", "{\"a\":1,\"b\":1,\"d\":1}");
	comes_to("{\"a\":7}", "{\"a\":1}", "{\"a\":7}", "{\"a\":7}");
	comes_to(NULL, "{\"a\":1}", NULL, "{\"a\":1}");
	comes_to("{\"a\":1}", NULL, NULL, "{\"a\":1}");
}

static void
elements_meet_by_key_and_keep_their_place(void **state)
{
	(void)state;
	comes_to("{\"o\":[{\"key\":\"p\",\"n\":9},{\"key\":\"m\"},"
	    "{\"key\":\"q\",\"z\":1},{\"key\":\"mine\"}]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":1},{\"key\":\"q\"},{\"key\":\"r\"}]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":1},{\"key\":\"q\",\"z\":1},"
	    "{\"key\":\"r\"},{\"key\":\"mine\"}]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":9},{\"key\":\"m\"},{\"key\":\"q\"}]}");
	comes_to("{\"l\":[\"new\",\"a\",\"c\",\"ours\"]}",
	    "{\"l\":[\"a\",\"b\",\"c\"]}", "{\"l\":[\"a\",\"b\",\"c\",\"ours\"]}",
	    "{\"l\":[\"new\",\"a\",\"c\"]}");
}

static void
one_open_conflict_stops_everything(void **state)
{
	sat_arena mem = { 0 };
	asked a = { .take = SAT_TAKE_NEITHER };
	sat_layer out;
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_ECONFLICT, merged(&out, &mem, &a,
	    "{\"o\":[{\"key\":\"p\",\"n\":1}],\"l\":[1]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":2}],\"l\":[2]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":3}],\"l\":[3]}", &err));
	assert_string_equal("o.p.n;l;", a.places);
	assert_string_equal("template.conflict", err.code);
	assert_int_equal(0, out.n);
	sat_arena_fini(&mem);
}

static void
a_person_takes_one_side(void **state)
{
	static const char *const want[] = { "{\"a\":2}", "{\"a\":3}" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		sat_arena mem = { 0 };
		asked a = { .take = i == 0 ? SAT_TAKE_OURS : SAT_TAKE_THEIRS };
		sat_layer out;
		sat_err err;

		assert_ok(merged(&out, &mem, &a, "{\"a\":1}", "{\"a\":2}",
		    "{\"a\":3}", &err));
		assert_string_equal(want[i], compact(out.files[0].bytes));
		sat_arena_fini(&mem);
	}
}

static void
taken_away_here_and_changed_there_is_a_conflict(void **state)
{
	sat_arena mem = { 0 };
	asked a = { .take = SAT_TAKE_NEITHER };
	sat_layer out;
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_ECONFLICT, merged(&out, &mem, &a,
	    "{\"o\":[{\"key\":\"p\",\"n\":1}]}", "{\"o\":[]}",
	    "{\"o\":[{\"key\":\"p\",\"n\":3}]}", &err));
	assert_string_equal("o.p;", a.places);
	sat_arena_fini(&mem);
}

/* Whoever did not touch a document keeps its very bytes. */
static void
unchanged_documents_keep_their_bytes(void **state)
{
	static const char text[] = "{ \"a\" :\t1 }";
	sat_arena mem = { 0 };
	asked a = { .take = SAT_TAKE_NEITHER };
	sat_layer out;
	sat_err err;

	(void)state;
	assert_ok(merged(&out, &mem, &a, "{\"a\":1}", text, "{\"a\":1}", &err));
	assert_int_equal(sizeof text - 1, out.files[0].bytes.n);
	assert_memory_equal(text, out.files[0].bytes.p, sizeof text - 1);
	sat_arena_fini(&mem);
}

/*
 * Random documents, each side with its own random changes: merging with
 * nothing changed on one side gives the other; changes of different members
 * commute; ours-theirs and theirs-ours give the same content.
 */
static void
random_doc(sat_buf *b, const int v[6])
{
	bool first = true;

	sat_buf_str(b, "{\"o\":[");
	for (int i = 0; i < 6; i++) {
		if (v[i] < 0)
			continue;
		sat_buf_fmt(b, "%s{\"key\":\"k%d\",\"n\":%d}", first ? "" : ",",
		    i, v[i]);
		first = false;
	}
	sat_buf_str(b, "]}");
}

static void
changes_of_different_places_never_meet(void **state)
{
	uint64_t seed = sat_test_seed(31);

	(void)state;
	for (int run = 0; run < 300; run++) {
		int base[6], ours[6], theirs[6], both[6];
		sat_buf b[3] = { { 0 } };

		for (int i = 0; i < 6; i++) {
			int who = (int)(sat_test_rand(&seed) % 3);
			int to = (int)(sat_test_rand(&seed) % 4) - 1;

			base[i] = (int)(sat_test_rand(&seed) % 4) - 1;
			ours[i] = who == 1 ? to : base[i];
			theirs[i] = who == 2 ? to : base[i];
			both[i] = who == 0 ? base[i] : to;
		}
		random_doc(&b[0], base);
		random_doc(&b[1], ours);
		random_doc(&b[2], theirs);
		for (int swap = 0; swap < 2; swap++) {
			sat_arena mem = { 0 };
			asked a = { .take = SAT_TAKE_NEITHER };
			sat_layer out;
			sat_err err;
			size_t other = 0;

			assert_ok(merged(&out, &mem, &a, sat_buf_cstr(&b[0]),
			    sat_buf_cstr(&b[1 + swap]),
			    sat_buf_cstr(&b[2 - swap]), &err));
			/* the order of new elements is a side's; content is not */
			for (int i = 0; i < 6; i++) {
				char el[40];
				char *text = compact(out.files[0].bytes);

				(void)snprintf(el, sizeof el,
				    "{\"key\":\"k%d\",\"n\":%d}", i, both[i]);
				other += (strstr(text, el) != NULL) !=
				    (both[i] >= 0);
			}
			assert_int_equal(0, other);
			sat_arena_fini(&mem);
		}
		for (int i = 0; i < 3; i++)
			sat_buf_fini(&b[i]);
	}
}

/* ---- packs ------------------------------------------------------------------------- */

static void
finding(void *u, char severity, const char *path, const char *text)
{
	(void)u;
	if (severity == 'e')
		fail_msg("%s: %s", path, text);
}

static void
every_pack_loads_and_passes_the_lint(void **state)
{
	const sat_pack *p;
	size_t n = 0;

	(void)state;
	for (; (p = sat_template_pack_at(n)) != NULL; n++) {
		sat_arena mem = { 0 };
		sat_template *t;
		sat_layer l;
		sat_err err;

		assert_ok(sat_template_of_pack(&l, &mem, p->id, &err));
		assert_ok(sat_template_load(&t, l.files, l.n, &err));
		assert_string_equal(p->id, sat_template_name(t));
		assert_ok(sat_template_lint(t, finding, NULL, &err));
		/* what the reports and the CLI know by name is everywhere */
		assert_non_null(sat_dict_option(sat_template_dict(t, "stage"),
		    "won", 3));
		assert_non_null(sat_dict_option(sat_template_dict(t, "stage"),
		    "lost", 4));
		for (size_t k = 0; k < sat_template_kinds(t); k++) {
			const sat_kind *kind = sat_template_kind_at(t, k);

			for (size_t f = 0; f < kind->nfields; f++)
				assert_true(kind->fields[f].id < 400);
		}
		sat_template_free(t);
		sat_arena_fini(&mem);
	}
	assert_int_equal(6, n);
}

static void
an_unknown_pack_is_told_which_there_are(void **state)
{
	sat_arena mem = { 0 };
	sat_layer l;
	sat_err err = { 0 };

	(void)state;
	assert_rc(SAT_ENOTFOUND, sat_template_of_pack(&l, &mem, "x", &err));
	assert_non_null(strstr(err.text, "realestate"));
	sat_arena_fini(&mem);
}

static bool
count(void *u, const sat_layer_conflict *c)
{
	(void)c;
	++*(int *)u;
	return true;
}

static void
a_template_differs_from_itself_nowhere(void **state)
{
	sat_arena mem = { 0 };
	sat_layer base, pack;
	sat_err err;
	int n = 0;

	(void)state;
	assert_ok(sat_template_of_pack(&base, &mem, NULL, &err));
	assert_ok(sat_layer_diff(&base, &base, count, &n, &err));
	assert_int_equal(0, n);
	assert_ok(sat_template_of_pack(&pack, &mem, "retail", &err));
	assert_ok(sat_layer_diff(&base, &pack, count, &n, &err));
	assert_true(n > 20);
	sat_arena_fini(&mem);
}

static void
gone_back(const char *want, const char *path, const char *now,
    const char *then)
{
	sat_template_file f[2];
	sat_layer a = one(&f[0], now), b = one(&f[1], then), out;
	sat_arena mem = { 0 };
	sat_err err;

	f[0].path = f[1].path = path;
	assert_ok(sat_layer_back(&out, &mem, &a, &b, &err));
	if (want == NULL) {
		assert_int_equal(0, out.n);
	} else {
		assert_int_equal(1, out.n);
		assert_string_equal(want, compact(out.files[0].bytes));
	}
	sat_arena_fini(&mem);
}

static void
going_back_retires_what_came_since_and_asks_for_it_no_more(void **state)
{
	(void)state;
	gone_back("{\"v\":1,\"fields\":[{\"key\":\"a\",\"max_len\":5},"
	          "{\"key\":\"b\",\"retired\":true}]}", "fields/x.json",
	    "{\"v\":2,\"fields\":[{\"key\":\"b\",\"required_at\":[\"create\"],"
	    "\"required_when\":\"a=1\"},{\"key\":\"a\",\"max_len\":9}]}",
	    "{\"v\":1,\"fields\":[{\"key\":\"a\",\"max_len\":5}]}");
	gone_back("{\"options\":[{\"key\":\"a\"},{\"key\":\"b\",\"rank\":2,"
	          "\"retired\":true}]}", DOC,
	    "{\"options\":[{\"key\":\"a\",\"rank\":1},{\"key\":\"b\",\"rank\":2}]}",
	    "{\"options\":[{\"key\":\"a\"}]}");
}

static void
going_back_keeps_kinds_and_drops_reports(void **state)
{
	(void)state;
	gone_back("{\"fields\":[{\"key\":\"a\"}]}", "fields/x.json",
	    "{\"fields\":[{\"key\":\"a\"}]}", NULL);
	gone_back(NULL, "reports/x.json", "{\"measures\":[]}", NULL);
	gone_back("{\"measures\":[1]}", "reports/x.json", "{\"measures\":[2]}",
	    "{\"measures\":[1]}");
}

static sat_span
bytes_at(const sat_layer *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->files[i].path, path) == 0)
			return l->files[i].bytes;
	return sat_span_str("");
}

static void
what_going_back_makes_may_follow_every_pack(void **state)
{
	sat_template *now, *back;
	sat_template_file *then;
	sat_layer base, pack, out;
	sat_err err;

	(void)state;
	for (size_t i = 0; sat_template_pack_at(i) != NULL; i++) {
		sat_arena mem = { 0 };
		int retired = 0;

		assert_ok(sat_template_of_pack(&base, &mem, NULL, &err));
		assert_ok(sat_template_of_pack(&pack, &mem,
		    sat_template_pack_at(i)->id, &err));
		then = sat_arena_dup(&mem, base.files, base.n * sizeof *then);
		for (size_t k = 0; k < base.n; k++) /* or its id would change */
			if (strcmp(then[k].path, "template.json") == 0)
				then[k].bytes = bytes_at(&pack, then[k].path);
		base.files = then;
		assert_ok(sat_layer_back(&out, &mem, &pack, &base, &err));
		assert_ok(sat_template_load(&now, pack.files, pack.n, &err));
		assert_ok(sat_template_load(&back, out.files, out.n, &err));
		assert_ok(sat_template_follows(back, now, &err));
		for (size_t k = 0; k < sat_template_kinds(back); k++) {
			const sat_kind *kind = sat_template_kind_at(back, k);

			for (size_t n = 0; n < kind->nfields; n++)
				retired += kind->fields[n].retired;
		}
		assert_true(retired > 0);
		sat_template_free(now);
		sat_template_free(back);
		sat_arena_fini(&mem);
	}
}

/* The source dictionary of the base with other options in front. */
static void
with_sources(sat_template_file files[FILES_MAX], size_t *n, char **text,
    const char *options)
{
	char *all = sat_xasprintf("\"options\": [%s,", options);

	*text = edited(base_text("dict/source.json"), "\"options\": [", all);
	*n = base_with(files, "dict/source.json", *text);
	free(all);
}

/* Going back is for the middle of the trouble: an alias that became an option
 * of its own must not stand in its way. */
static void
an_option_that_took_over_an_alias_gives_it_back(void **state)
{
	static sat_template_file then_files[FILES_MAX], now_files[FILES_MAX];
	sat_layer now = { now_files, 0 }, then = { then_files, 0 }, back;
	char *then_text, *now_text;
	sat_template *t;
	sat_arena mem = { 0 };
	const sat_dict *d;
	sat_err err;

	(void)state;
	with_sources(then_files, &then.n, &then_text, "{\"key\":\"soc\","
	    "\"label\":{\"zh\":\"社交\",\"en\":\"Soc\"},"
	    "\"aliases\":[\"甲信\",\"jiaxin\"]}");
	with_sources(now_files, &now.n, &now_text, "{\"key\":\"soc\","
	    "\"label\":{\"zh\":\"社交\",\"en\":\"Soc\"}},"
	    "{\"key\":\"jiaxin\",\"label\":{\"zh\":\"甲信\","
	    "\"en\":\"J\"},\"aliases\":[\"乙信\"]}");
	assert_ok(sat_layer_back(&back, &mem, &now, &then, &err));
	assert_ok(sat_template_load(&t, back.files, back.n, &err));
	assert_ok(sat_template_lint(t, NULL, NULL, &err));
	d = sat_template_dict(t, "source");
	assert_string_equal("soc",
	    sat_dict_match(d, sat_span_str("甲信"))->key);
	/* by its key, and by what nobody else is called, it is still found */
	assert_string_equal("jiaxin",
	    sat_dict_match(d, sat_span_str("jiaxin"))->key);
	assert_string_equal("jiaxin",
	    sat_dict_match(d, sat_span_str("乙信"))->key);
	sat_template_free(t);
	sat_arena_fini(&mem);
	free(then_text);
	free(now_text);
}

static void
going_back_leaves_pools_roles_and_the_zone(void **state)
{
	(void)state;
	gone_back("{\"pools\":[{\"key\":\"a\",\"daily_claim\":1},"
	          "{\"key\":\"b\",\"members\":[\"*\"]}]}", "policy/pool.json",
	    "{\"pools\":[{\"key\":\"b\",\"members\":[\"*\"],"
	    "\"auto_reclaim\":true,\"reclaim\":[{\"no_follow_d\":9}]},"
	    "{\"key\":\"a\",\"daily_claim\":2}]}",
	    "{\"pools\":[{\"key\":\"a\",\"daily_claim\":1}]}");
	gone_back("{\"pools\":[{\"key\":\"b\"}]}", "policy/pool.json",
	    "{\"pools\":[{\"key\":\"b\",\"auto_reclaim\":true}]}", NULL);
	gone_back("{\"roles\":[{\"key\":\"r\"},{\"key\":\"s\"}],"
	          "\"masks\":{\"s\":[\"@mask\"]},"
	          "\"grants\":{\"r\":{\"x\":\"no\"},\"s\":{\"x\":\"own\"}}}",
	    "acl/matrix.json",
	    "{\"roles\":[{\"key\":\"r\"},{\"key\":\"s\"}],"
	    "\"masks\":{\"r\":[\"a.b\"],\"s\":[\"@mask\"]},"
	    "\"grants\":{\"r\":{\"x\":\"all\"},\"s\":{\"x\":\"own\"}}}",
	    "{\"roles\":[{\"key\":\"r\"}],\"masks\":{},"
	    "\"grants\":{\"r\":{\"x\":\"no\"}}}");
	gone_back("{\"id\":\"a\",\"tz\":\"Asia/Tokyo\",\"tz_min\":540}",
	    "template.json", "{\"id\":\"a\",\"tz\":\"Asia/Tokyo\","
	    "\"tz_min\":540,\"number_lease\":9}",
	    "{\"id\":\"a\",\"tz\":\"Asia/Shanghai\",\"tz_min\":480}");
}

static void
going_back_leaves_no_more_pools_than_a_template_has(void **state)
{
	(void)state;
	gone_back("{\"pools\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},"
	          "{\"key\":\"d\"},{\"key\":\"x\"}]}", "policy/pool.json",
	    "{\"pools\":[{\"key\":\"x\"},{\"key\":\"y\"},{\"key\":\"z\"}]}",
	    "{\"pools\":[{\"key\":\"a\"},{\"key\":\"b\"},{\"key\":\"c\"},"
	    "{\"key\":\"d\"}]}");
}

static void
a_field_that_goes_back_to_its_dictionary_loses_no_option(void **state)
{
	static const char field[] = "{\"fields\":[{\"key\":\"a\","
	    "\"options\":\"%s\"}]}";
	char was[80], is[80];
	sat_template_file then[2] = { { "dict/x.json", sat_span_str(
	    "{\"options\":[{\"key\":\"p\"},{\"key\":\"q\"}]}") },
		{ "fields/k.json", { NULL, 0 } } };
	sat_template_file now[3] = { then[0], { "dict/y.json", sat_span_str(
	    "{\"options\":[{\"key\":\"q\",\"rank\":1},{\"key\":\"r\"}]}") },
		{ "fields/k.json", { NULL, 0 } } };
	sat_layer back;
	sat_arena mem = { 0 };
	sat_err err;

	(void)state;
	(void)snprintf(was, sizeof was, field, "x");
	(void)snprintf(is, sizeof is, field, "y");
	then[1].bytes = sat_span_str(was);
	now[2].bytes = sat_span_str(is);
	assert_ok(sat_layer_back(&back, &mem, &(sat_layer){ now, 3 },
	    &(sat_layer){ then, 2 }, &err));
	assert_int_equal(3, back.n);
	assert_string_equal("{\"options\":[{\"key\":\"p\"},{\"key\":\"q\"},"
	    "{\"key\":\"r\",\"retired\":true}]}",
	    compact(bytes_at(&back, "dict/x.json")));
	assert_string_equal(was, compact(bytes_at(&back, "fields/k.json")));
	sat_arena_fini(&mem);
}

static sat_layer
reports(sat_arena *mem, size_t n)
{
	sat_template_file *f = sat_arena_alloc(mem, n * sizeof *f);
	char path[40];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "reports/r%03zu.json", i);
		f[i].path = sat_arena_str(mem, path, strlen(path));
		f[i].bytes = sat_span_str("{}");
	}
	return (sat_layer){ f, n };
}

/* A company with many documents of its own has those of the pack three times:
 * as taken, among its own, and in the newer one. */
static void
what_layers_have_in_common_is_counted_once(void **state)
{
	sat_arena mem = { 0 };
	sat_layer pack = reports(&mem, 300), ours = reports(&mem, 500), out;
	sat_layer most = reports(&mem, SAT_LAYER_FILES_MAX + 1);
	int n = 0;
	sat_err err;

	(void)state;
	assert_ok(sat_layer_merge(&out, &mem, &pack, &ours, &pack, NULL, NULL,
	    &err));
	assert_int_equal(500, out.n);
	assert_ok(sat_layer_diff(&ours, &out, count, &n, &err));
	assert_int_equal(0, n);
	assert_ok(sat_layer_diff(&pack, &ours, count, &n, &err));
	assert_int_equal(200, n);
	assert_rc(SAT_EINVALID, sat_layer_diff(&pack, &most, count, &n, &err));
	assert_rc(SAT_EINVALID, sat_layer_overlay(&out, &mem, &pack, &most,
	    &err));
	sat_arena_fini(&mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pack_changes_only_what_it_names),
		cmocka_unit_test(taking_away_what_is_not_there_is_refused),
		cmocka_unit_test(changes_of_both_sides_meet),
		cmocka_unit_test(elements_meet_by_key_and_keep_their_place),
		cmocka_unit_test(one_open_conflict_stops_everything),
		cmocka_unit_test(a_person_takes_one_side),
		cmocka_unit_test(taken_away_here_and_changed_there_is_a_conflict),
		cmocka_unit_test(unchanged_documents_keep_their_bytes),
		cmocka_unit_test(changes_of_different_places_never_meet),
		cmocka_unit_test(every_pack_loads_and_passes_the_lint),
		cmocka_unit_test(an_unknown_pack_is_told_which_there_are),
		cmocka_unit_test(a_template_differs_from_itself_nowhere),
		cmocka_unit_test(
		    going_back_retires_what_came_since_and_asks_for_it_no_more),
		cmocka_unit_test(going_back_keeps_kinds_and_drops_reports),
		cmocka_unit_test(what_going_back_makes_may_follow_every_pack),
		cmocka_unit_test(what_layers_have_in_common_is_counted_once),
		cmocka_unit_test(going_back_leaves_pools_roles_and_the_zone),
		cmocka_unit_test(
		    going_back_leaves_no_more_pools_than_a_template_has),
		cmocka_unit_test(
		    a_field_that_goes_back_to_its_dictionary_loses_no_option),
		cmocka_unit_test(
		    an_option_that_took_over_an_alias_gives_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
