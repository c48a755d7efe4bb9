/*
 * Through the port nobody names files of this computer. The route table is walked
 * with every word that stands in the sources of the handlers as a member, each of
 * them the name of a file in a watched folder: nothing there is opened or made.
 */
#include "tests/lib/unit.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

#define SOURCES "client/api"
#define WORD_MAX 24

/* Those of which `calls` has none; what they need beside a name. */
static const call others[] = {
	{ "POST", "/v1/imports/form", "/v1/imports/form", NULL,
	    "{\"type\":\"account\",\"file\":\"$D/form.xlsx\"}", NULL },
	{ "POST", "/v1/templates/pack", "/v1/templates/pack", NULL,
	    "{\"file\":\"$D/packed\"}", NULL },
	{ "POST", "/v1/templates/apply", "/v1/templates/apply", NULL,
	    "{\"file\":\"$D/in.csv\"}", NULL },
	{ "POST", "/v1/attachments", "/v1/attachments", NULL,
	    "{\"record\":\"$A\",\"file\":\"$D/in.csv\"}", NULL },
	{ "GET", "/v1/attachments/{hash}", "/v1/attachments/x",
	    "{\"file\":\"$D/content\"}", NULL, NULL },
	{ "POST", "/v1/imports/preview", "/v1/imports/preview", NULL,
	    "{\"map\":\"$D/in.csv\"}", NULL },
	{ "POST", "/v1/exports", "/v1/exports", NULL,
	    "{\"type\":\"account\",\"file\":\"$D/out.db\",\"format\":\"sqlite\","
	    "\"reason\":\"audit\"}", NULL },
};
#define NOTHERS (sizeof others / sizeof others[0])

typedef struct watched {
	world *w;
	char *dir, *was;
	int fd;
	sat_json *words; /* each: a name of a file that is there */
	size_t seen, refused;
	bool pattern[512];
} watched;

/* ---- the words ------------------------------------------------------------ */

static void
words_of(sat_json *to, const char *text, const char *name)
{
	char word[WORD_MAX];

	for (const char *p = text; (p = strchr(p, '"')) != NULL; p++) {
		size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");

		if (n < 2 || n >= sizeof word || p[n + 1] != '"')
			continue;
		(void)snprintf(word, sizeof word, "%.*s", (int)n, p + 1);
		if (sat_json_get(to, word) == NULL)
			sat_json_put_str(to, word, name);
	}
}

static sat_json *
all_words(const char *name)
{
	sat_json *to = sat_json_obj();
	DIR *d = opendir(SOURCES);
	struct dirent *f;

	assert_non_null(d);
	while ((f = readdir(d)) != NULL) {
		char *path = sat_xasprintf(SOURCES "/%s", f->d_name);
		size_t n = strlen(path);
		sat_buf b = { 0 };
		FILE *in;

		if (strcmp(path + n - 2, ".c") == 0) {
			assert_non_null(in = fopen(path, "rbe"));
			b.n = fread(sat_buf_room(&b, 65536), 1, 65536, in);
			(void)fclose(in);
			words_of(to, sat_buf_cstr(&b), name);
		}
		sat_buf_fini(&b);
		free(path);
	}
	(void)closedir(d);
	assert_true(sat_json_count(to) > 300);
	assert_non_null(sat_json_get(to, "folder"));
	return to;
}

/* ---- the folder ------------------------------------------------------------- */

static watched *
watch(fixture *f)
{
	static watched x;
	char *name;

	memset(&x, 0, sizeof x);
	x.w = world_of(f);
	x.was = f->dir;
	x.dir = sat_xasprintf("%s/watched", f->dir);
	assert_int_equal(0, mkdir(x.dir, 0700));
	touch(x.dir, "in.csv", "name,industry,contact_name,phone_main,need_type,"
	    "stage\nRed Works,C34,Li,138-1234-0000,product,first_contact\n");
	f->dir = x.dir;
	name = sat_xasprintf("%s/in.csv", x.dir);
	x.words = all_words(name);
	free(name);
	assert_true((x.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) >= 0);
	assert_true(inotify_add_watch(x.fd, x.dir, IN_OPEN | IN_CREATE |
	    IN_DELETE | IN_MOVE) >= 0);
	return &x;
}

static void
unwatch(watched *x)
{
	(void)close(x->fd);
	sat_json_free(x->words);
	x->w->f->dir = x->was;
	sat_test_rmdir(x->dir);
}

/* What was done to the files since. */
static size_t
done_there(watched *x)
{
	char b[4096] __attribute__((aligned(8)));
	size_t n = 0;
	ssize_t got;

	while ((got = read(x->fd, b, sizeof b)) > 0)
		n += (size_t)got;
	return n;
}

static void
note(watched *x, const call *k, const sat_err *e)
{
	size_t n;
	const sat_route *r = sat_api_routes(&n);

	if (strcmp(e->code, "port.file") != 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strcmp(r[i].method, k->method) == 0 &&
		    strcmp(r[i].pattern, k->pattern) == 0 && !x->pattern[i]) {
			x->pattern[i] = true;
			x->refused++;
		}
}

static void
one(watched *x, const call *k, const sat_json *more)
{
	sat_json *doc = NULL;
	sat_err e = { 0 };
	sat_rc rc = ask_more(&doc, x->w, k, more, &e);
	size_t n = done_there(x);

	if (n > 0 && x->w->port)
		fail_msg("%s %s: a file was touched", k->method, k->pattern);
	if (rc != SAT_OK)
		note(x, k, &e);
	x->seen += n > 0;
	sat_json_free(doc);
}

/* A path of the pattern, with something in its places. */
static char *
path_of(const char *pattern)
{
	sat_buf b = { 0 };
	char *path;

	for (const char *p = pattern; *p != '\0'; p++) {
		size_t n = *p == '{' ? strcspn(p, "}") : 0;

		if (n == 0) {
			sat_buf_add(&b, p, 1);
			continue;
		}
		sat_buf_str(&b, strncmp(p, "{kind}", 6) == 0 ? "accounts" :
		    strncmp(p, "{id}", 4) == 0 ? "$A" : "x");
		p += n;
	}
	path = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return path;
}

/* ---- tests -------------------------------------------------------------------- */

static void
no_route_touches_a_file_that_is_named_through_the_port(void **state)
{
	watched *x = watch(*state);
	size_t n;
	const sat_route *r = sat_api_routes(&n);

	assert_true(n <= sizeof x->pattern);
	x->w->port = true;
	x->w->api.event = NULL;
	for (size_t i = 0; i < ncalls; i++) {
		one(x, &calls[i], x->words);
		one(x, &calls[i], NULL);
	}
	for (size_t i = 0; i < NOTHERS; i++) {
		one(x, &others[i], x->words);
		one(x, &others[i], NULL);
	}
	for (size_t i = 0; i < n; i++) {
		char *path = path_of(r[i].pattern);
		call k = { r[i].method, r[i].pattern, path, NULL,
			"{\"type\":\"account\",\"id\":\"$A\",\"record\":\"$A\"}",
			NULL };

		if (!sat_api_uses_network(r[i].method, path))
			one(x, &k, x->words);
		free(path);
	}
	assert_int_equal(10, x->refused); /* the walk comes so far */
	unwatch(x);
}

/* Else the walk above would find nothing, whatever happened. */
static void
the_same_requests_of_this_user_touch_those_files(void **state)
{
	watched *x = watch(*state);

	x->w->api.event = NULL;
	for (size_t i = 0; i < ncalls; i++)
		one(x, &calls[i], NULL);
	for (size_t i = 0; i < NOTHERS; i++)
		one(x, &others[i], NULL);
	assert_int_equal(0, x->refused);
	assert_true(x->seen >= 11);
	unwatch(x);
}

/* In the worker's folder lies a file of that name. */
static void
a_mapping_by_name_is_never_a_file(void **state)
{
	static const call by_file = { "POST", "/v1/imports", "/v1/imports", NULL,
		"{\"file\":\"$D/in.csv\",\"type\":\"account\",\"map\":\"kept\"}",
		NULL }, by_name = { "POST", "/v1/imports", "/v1/imports", NULL,
		"{\"file\":\"$D/in.csv\",\"type\":\"account\","
		"\"mapping\":\"kept\"}", NULL };
	watched *x = watch(*state);
	char *here = getcwd(NULL, 0);
	sat_json *doc = NULL;
	sat_err e;

	touch(x->dir, "kept", "no mapping");
	assert_int_equal(0, chdir(x->dir));
	assert_rc(SAT_EINVALID, ask(&doc, x->w, &by_file, &e)); /* it was read */
	assert_rc(SAT_ENOTFOUND, ask(&doc, x->w, &by_name, &e));
	assert_string_equal(e.code, "import.map");
	assert_int_equal(0, chdir(here));
	free(here);
	unwatch(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HQ(no_route_touches_a_file_that_is_named_through_the_port),
		HQ(the_same_requests_of_this_user_touch_those_files),
		HQ(a_mapping_by_name_is_never_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
