/*
 * What a person waits for who reads: list pages, searches, reports, and one
 * edit beside them, through the route table, in an encrypted replica of the
 * demonstration company. `cold`: the replica was opened for this one request,
 * as the command line does it, and nothing of the file is decrypted yet (the
 * machine's own cache of files is warm). `warm`: a daemon's. Opening is a row
 * of its own; the passphrase (Argon2id) is in none.
 *
 * CPU time of the process, user and system, as for all that is compared on a
 * shared machine: one thread, no network, a file the machine has in memory; an
 * edit waits for its fsync besides.
 */
#include "tests/bench/figures.h"

#include "client/api/api.h"
#include "client/crm/demo.h"

#define COLD 3
#define WARM 9

typedef struct reads {
	sat_api api;
	char *db;
	sat_keyring *ring;
	bench_table_out *t;
	int64_t n;
	char first[64], owner[64]; /* a customer; its owner */
} reads;

typedef struct ask {
	const char *name;
	const char *method, *path, *query, *body; /* JSON or NULL */
	double small, big;                 /* goals in ms at 5,000, beyond */
	bool once;                         /* one sample each: it is long */
} ask;

#define LIST(what, query) { "list: " what, "GET", "/v1/accounts", query, NULL, 50, 50, false }
#define SEARCH(what, q) { "search: " what, "GET", "/v1/search", "{\"q\":\"" q "\"}", NULL, 30, 30, false }

static const ask asks[] = {
	LIST("page", NULL),
	LIST("stage", "{\"stage\":\"negotiation\"}"),
	LIST("owner", "{\"owner\":\"rep3\"}"),
	LIST("grade", "{\"grade\":\"strategic\"}"),
	LIST("tag", "{\"tag\":\"医疗\"}"),
	LIST("status and industry",
	    "{\"where\":\"status=won and industry=I65\"}"),
	LIST("due before a day",
	    "{\"where\":\"next_follow_at<2025-06-01\",\"sort\":\"next_follow_at\"}"),
	LIST("by next follow-up", "{\"sort\":\"-next_follow_at\"}"),
	LIST("by name", "{\"sort\":\"name\"}"),
	LIST("stage, by name", "{\"stage\":\"proposal\",\"sort\":\"name\"}"),
	LIST("newest first", "{\"sort\":\"-created\"}"),
	LIST("city (covered, not leading)", "{\"where\":\"city=长沙市\"}"),
	LIST("text", "{\"q\":\"yunfan\"}"),
	LIST("incomplete", "{\"incomplete\":\"1\"}"),
	{ "list: follow-ups, newest first", "GET", "/v1/activities",
	    "{\"sort\":\"-occurred_at\"}", NULL, 50, 50, false },
	{ "list: follow-ups of one", "GET", "/v1/activities",
	    "{\"account\":\"$A\"}", NULL, 50, 50, false },
	{ "list: opportunities, stage", "GET", "/v1/opportunities",
	    "{\"stage\":\"negotiation\",\"sort\":\"-amount\"}", NULL, 50, 50,
	    false },
	{ "one customer", "GET", "/v1/accounts/$A", NULL, NULL, 50, 50, false },
	{ "360 view", "GET", "/v1/accounts/$A/timeline", NULL, NULL, 50, 50,
	    false },
	{ "overdue customers, the first 50", "GET", "/v1/worklist",
	    "{\"due\":\"overdue\",\"limit\":\"50\"}", NULL, 50, 50, false },
	{ "overdue customers", "GET", "/v1/worklist", "{\"due\":\"overdue\"}",
	    NULL, 300, 3000, true },
	SEARCH("name", "云帆"), SEARCH("frequent word", "有限公司"),
	SEARCH("pinyin", "yunfan"), SEARCH("initials", "shyf"),
	SEARCH("one letter", "y"), SEARCH("phone tail", "4321"),
	SEARCH("number", "C2025"), SEARCH("nothing", "不存在的公司"),
	{ "inbox and status", "GET", "/v1/status", NULL, NULL, 50, 300, false },
	{ "one edit", "PATCH", "/v1/accounts/$A", NULL,
	    "{\"remark\":\"$T\"}", 10, 10, false },
	{ "one edit of what is searched", "PATCH", "/v1/accounts/$A", NULL,
	    "{\"city\":\"$T\"}", 10, 10, false },
};

static void
open_it(reads *r)
{
	sat_replica_env env = { .path = r->db, .keyring = r->ring,
		.clock = sat_clock_os(), .rand = sat_rand_os() };
	sat_err err = { 0 };

	bench_must(sat_replica_open(&r->api.crm.replica, &env, &err));
}

static char *
filled(const reads *r, const char *text)
{
	static int turn;
	sat_buf b = { 0 };
	char *out;

	for (; *text != '\0'; text++)
		if (text[0] == '$' && text[1] == 'A') {
			sat_buf_str(&b, r->first);
			text++;
		} else if (text[0] == '$' && text[1] == 'T') {
			sat_buf_fmt(&b, "t%d", turn++);
			text++;
		} else {
			sat_buf_add(&b, text, 1);
		}
	out = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return out;
}

static sat_json *
parsed(const reads *r, const char *text)
{
	sat_json *j = NULL;
	sat_err err = { 0 };
	char *s;

	if (text == NULL)
		return NULL;
	s = filled(r, text);
	bench_must(sat_json_parse(&j, sat_span_str(s), 4096, &err));
	free(s);
	return j;
}

/* Milliseconds; *rows: how many it gave. */
static double
request(reads *r, const ask *a, int64_t *rows)
{
	sat_json *q = parsed(r, a->query), *b = parsed(r, a->body), *out = NULL;
	char *path = filled(r, a->path);
	sat_request req = { .method = a->method, .path = path, .query = q,
		.body = b };
	sat_err err = { 0 };
	double t = bench_cpu();

	bench_must(sat_api_handle(&out, &r->api, &req, &err));
	t = bench_cpu() - t;
	*rows = (int64_t)sat_json_count(sat_json_get(out, "data"));
	sat_json_free(out);
	sat_json_free(q);
	sat_json_free(b);
	free(path);
	return t * 1e3;
}

static void
measure(reads *r, const ask *a)
{
	double goal = r->n <= 5000 ? a->small : a->big;
	char *cold = sat_xasprintf("%s, cold", a->name); /* the table keeps them */
	char *warm = sat_xasprintf("%s, warm", a->name);
	char note[64];
	int64_t rows = 0;

	for (int i = 0; i < (a->once ? 1 : COLD); i++) {
		double t;

		sat_replica_close(r->api.crm.replica);
		open_it(r);
		t = request(r, a, &rows);
		(void)snprintf(note, sizeof note, "%lld rows", (long long)rows);
		samples_add(&table_row(r->t, cold, " ms", goal, true)->s, t);
		(void)snprintf(table_row(r->t, cold, " ms", goal, true)->note,
		    160, "%s", note);
	}
	for (int i = 0; i < (a->once ? 1 : WARM); i++)
		samples_add(&table_row(r->t, warm, " ms", goal, true)->s,
		    request(r, a, &rows));
}

/* Every report the template has, of all time. */
static void
measure_reports(reads *r, const char *word)
{
	const char *path;
	char *keys[200];
	size_t n = 0;

	/* the template goes when the replica is opened anew */
	for (; n < 200 && (path = sat_template_path(sat_replica_template(
	    r->api.crm.replica), "reports/", n)) != NULL; n++)
		keys[n] = sat_xasprintf("%.*s", (int)(strlen(path) -
		    strlen("reports/.json")), path + strlen("reports/"));
	for (size_t i = 0; i < n; i++) {
		char *name = sat_xasprintf("report %s", keys[i]);
		char *url = sat_xasprintf("/v1/reports/%s/run", keys[i]);
		ask a = { name, "GET", url, "{\"period\":\"all\"}", NULL, 300,
			3000, true };

		if (word == NULL || strstr(name, word) != NULL)
			measure(r, &a);
		free(name);
		free(url);
		free(keys[i]);
	}
}

static void
first_customer(reads *r)
{
	sat_json *q = parsed(r, "{\"limit\":\"1\",\"stage\":\"after_sales\"}");
	sat_request req = { .method = "GET", .path = "/v1/accounts",
		.query = q };
	sat_json *out = NULL;
	sat_err err = { 0 };

	bench_must(sat_api_handle(&out, &r->api, &req, &err));
	(void)snprintf(r->first, sizeof r->first, "%s", sat_json_get_str(
	    sat_json_first(sat_json_get(out, "data")), "id", ""));
	sat_json_free(out);
	sat_json_free(q);
}

static void
make_company(reads *r, int64_t days)
{
	sat_demo_opts o = { .accounts = r->n, .days = days, .seed = 7,
		.as_of_ms = 1763740800000 };
	sat_replica_env env = { .path = r->db, .keyring = r->ring,
		.clock = sat_clock_os(), .rand = sat_rand_os() };
	sat_replica_identity id = { .incarnation = 1 };
	uint8_t seed[32] = { 5 };
	sat_demo_summary sum;
	sat_err err = { 0 };
	double t = bench_now();

	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	sat_demo_identity(&id);
	bench_must(sat_replica_create(&r->api.crm.replica, &env, &id, &err));
	bench_must(sat_demo_seed(&sum, r->api.crm.replica, &o, &err));
	(void)printf("%lld customers, %lld follow-ups, %lld records, made in "
	    "%.1f s\n", (long long)sum.accounts, (long long)sum.activities,
	    (long long)sum.records, bench_now() - t);
	(void)fflush(stdout);
}

/* satchel-bench reads WORK N DAYS [WORD]: only what has the word in its name */
int
reads_main(int argc, char **argv)
{
	bench_table_out t = { 0 };
	reads r = { .t = &t };
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = sat_span_str("bench pass phrase") };
	char *ring;
	sat_err err = { 0 };

	if (argc < 5)
		return 2;
	r.n = strtoll(argv[3], NULL, 10);
	bench_mkdir(argv[2]);
	r.db = bench_path(argv[2], "reads.db");
	ring = bench_path(argv[2], "reads.keyring");
	r.api.crm.clock = sat_clock_os();
	r.api.crm.lang = "zh";
	r.api.profile = "bench";
	if (fopen(ring, "rb") == NULL) {
		bench_must(sat_keyring_create(&r.ring, ring, &secret, &err));
		make_company(&r, strtoll(argv[4], NULL, 10));
	} else {
		bench_must(sat_keyring_open(&r.ring, ring, &secret, &err));
		open_it(&r);
	}
	first_customer(&r);
	for (int i = 0; i < 5; i++) {
		double at;

		sat_replica_close(r.api.crm.replica);
		at = bench_now();
		open_it(&r);
		samples_add(&table_row(&t, "opening the replica", " ms", -1,
		    true)->s, (bench_now() - at) * 1e3);
	}
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
		if (argc < 6 || strstr(asks[i].name, argv[5]) != NULL)
			measure(&r, &asks[i]);
	measure_reports(&r, argc < 6 ? NULL : argv[5]);
	table_print(&t, stdout);
	return 0;
}
