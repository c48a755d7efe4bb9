/*
 * selftest, bench: does this program work on this computer, and how fast? A replica of its own, in a
 * folder that is gone afterwards, with a demonstration in it; known answers of
 * the ciphers. The data of the person is not touched.
 */
#include "client/api/api_int.h"

#include "client/crm/demo.h"
#include "common/base/file.h"
#include "common/crypto/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHRASE "a passphrase of the self test"
#define DAY_MS ((int64_t)86400000)
#define SAVES 100 /* single edits of a benchmark */

typedef struct trial {
	sat_api *api;         /* of the program: its clock */
	char *dir, *ring, *db;
	sat_api mine;         /* the trial's own replica */
	int64_t accounts;
	char name[65];        /* of a customer in it */
	char path[64];        /* the same one's */
} trial;

/* ---- ciphers ---------------------------------------------------------------------- */

static sat_rc
known_answers(trial *t, sat_err *e)
{
	static const char hash[] =
	    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
	static const char pub[] =
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
	static const uint8_t seed[32] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd,
		0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
		0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b,
		0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	uint8_t h[SAT_HASH_BYTES], pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES];
	uint8_t sig[SAT_SIG_BYTES];
	char hex[2 * SAT_HASH_BYTES + 1];
	bool good;

	(void)t;
	sat_hash(h, sat_span_str("abc"));
	sat_hex(hex, h, sizeof h);
	good = strcmp(hex, hash) == 0;
	sat_sign_keys(pk, sk, seed);
	sat_hex(hex, pk, sizeof pk);
	good = good && strcmp(hex, pub) == 0;
	sat_sign(sig, sat_span_str("abc"), sk);
	good = good && sat_sign_ok(sig, sat_span_str("abc"), pk) &&
	    !sat_sign_ok(sig, sat_span_str("abd"), pk);
	return good ? SAT_OK : sat_fail(e, SAT_EINTEGRITY,
	    "the ciphers give other answers than they should");
}

/* ---- the store --------------------------------------------------------------------- */

static void
draw_identity(sat_replica_identity *id, const sat_rand *rand)
{
	uint8_t seed[32];

	memset(id, 0, sizeof *id);
	rand->bytes(rand->u, seed, sizeof seed);
	sat_sign_keys(id->sign_pk, id->sign_sk, seed);
	rand->bytes(rand->u, id->channel_sk, sizeof id->channel_sk);
	sat_box_keys(id->channel_pk, id->channel_sk);
	sat_wipe(seed, sizeof seed);
	id->incarnation = 1;
	sat_demo_identity(id);
}

static sat_replica_env
env_of(const trial *t)
{
	return (sat_replica_env){ .path = t->db, .keyring = t->mine.keyring,
		.clock = t->api->crm.clock, .rand = t->api->sync.rand };
}

static sat_rc
make(trial *t, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = sat_span_str(PHRASE) };
	int64_t now = sat_wall_ms(&t->api->crm.clock);
	sat_demo_opts o = { .accounts = t->accounts, .days = 30, .seed = 7,
		.as_of_ms = now / DAY_MS * DAY_MS };
	sat_replica_identity id;
	sat_demo_summary sum;
	sat_replica_env env;
	sat_rc rc;

	t->mine.crm = t->api->crm;
	t->mine.crm.replica = NULL;
	t->mine.dir = t->dir;
	t->mine.profile = "selftest";
	draw_identity(&id, &t->api->sync.rand);
	rc = sat_keyring_create(&t->mine.keyring, t->ring, &secret, e);
	env = env_of(t);
	if (rc == SAT_OK)
		rc = sat_replica_create(&t->mine.crm.replica, &env, &id, e);
	if (rc == SAT_OK)
		rc = sat_demo_seed(&sum, t->mine.crm.replica, &o, e);
	if (rc == SAT_OK && sum.accounts != t->accounts)
		rc = sat_fail(e, SAT_EINTEGRITY, "%lld customers, not %lld",
		    (long long)sum.accounts, (long long)t->accounts);
	sat_wipe(&id, sizeof id);
	return rc;
}

static void
close_trial(trial *t)
{
	sat_replica_close(t->mine.crm.replica);
	sat_keyring_close(t->mine.keyring);
	t->mine.crm.replica = NULL;
	t->mine.keyring = NULL;
}

/* What another passphrase does not open, and the right one does. */
static sat_rc
open_again(trial *t, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = sat_span_str(PHRASE ", not") };
	sat_replica_env env;
	sat_rc rc;

	close_trial(t);
	rc = sat_keyring_open(&t->mine.keyring, t->ring, &secret, NULL);
	if (rc == SAT_OK)
		return sat_fail(e, SAT_EINTEGRITY,
		    "another passphrase opens the keyring");
	secret.bytes = sat_span_str(PHRASE);
	if ((rc = sat_keyring_open(&t->mine.keyring, t->ring, &secret, e)) !=
	    SAT_OK)
		return rc;
	env = env_of(t);
	return sat_replica_open(&t->mine.crm.replica, &env, e);
}

static sat_rc
whole(trial *t, sat_err *e)
{
	return sat_replica_check(t->mine.crm.replica, false, e);
}

/* ---- the use of it ------------------------------------------------------------------- */

static sat_rc
ask(sat_json **out, trial *t, const char *path, const char *key,
    const char *value, sat_err *e)
{
	sat_json *q = sat_json_obj();
	sat_request req = { .method = "GET", .path = path, .query = q };
	sat_rc rc;

	sat_json_put_str(q, key, value);
	rc = sat_api_handle(out, &t->mine, &req, e);
	sat_json_free(q);
	return rc;
}

static sat_rc
list(trial *t, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, t, "/v1/accounts", "limit", "1", e);
	const sat_json *first = sat_json_first(sat_json_get(doc, "data"));

	(void)snprintf(t->name, sizeof t->name, "%s",
	    sat_json_get_str(first, "name", ""));
	(void)snprintf(t->path, sizeof t->path, "/v1/accounts/%s",
	    sat_json_get_str(first, "id", ""));
	if (rc == SAT_OK && (t->name[0] == '\0' || sat_json_get_int(
	    sat_json_get(doc, "page"), "total", 0) != t->accounts))
		rc = sat_fail(e, SAT_EINTEGRITY, "the list is not what was written");
	sat_json_free(doc);
	return rc;
}

static sat_rc
find(trial *t, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, t, "/v1/search", "q", t->name, e);

	if (rc == SAT_OK && sat_json_count(sat_json_get(doc, "data")) == 0)
		rc = sat_fail(e, SAT_EINTEGRITY, "a customer is not found by name");
	sat_json_free(doc);
	return rc;
}

static sat_rc
report(trial *t, sat_err *e)
{
	sat_json *doc = NULL;
	sat_rc rc = ask(&doc, t, "/v1/reports/won/run", "period", "all", e);

	sat_json_free(doc);
	return rc;
}

/* One wish at a time, each durable before the next: what a person waits for. */
static sat_rc
save(trial *t, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (int i = 0; i < SAVES && rc == SAT_OK; i++) {
		sat_json *body = sat_json_obj(), *doc = NULL;
		sat_request req = { .method = "PATCH", .path = t->path,
			.body = body };
		char text[32];

		(void)snprintf(text, sizeof text, "note %d", i);
		sat_json_put_str(body, "remark", text);
		rc = sat_api_handle(&doc, &t->mine, &req, e);
		sat_json_free(doc);
		sat_json_free(body);
	}
	return rc;
}

/* What the disk has of it is noise. */
static sat_rc
noise(trial *t, sat_err *e)
{
	size_t k = strlen(t->name);
	bool clear = false;
	sat_buf b = { 0 };
	sat_rc rc = sat_file_read(&b, t->db, SIZE_MAX, e);

	if (rc != SAT_OK) {
		sat_buf_fini(&b);
		return rc;
	}
	clear = b.n == 0 || memmem(b.p, b.n, t->name, k) != NULL ||
	    memmem(b.p, b.n, "SQLite format", 13) != NULL;
	sat_buf_fini(&b);
	return !clear ? SAT_OK : sat_fail(e, SAT_EINTEGRITY,
	    "the file shows what is in it");
}

/* ---- one after the other ---------------------------------------------------------------- */

typedef struct step {
	const char *name;
	sat_rc (*run)(trial *t, sat_err *e);
} step;

static const step steps[] = {
	{ "ciphers", known_answers },
	{ "write", make },
	{ "check", whole },
	{ "reopen", open_again },
	{ "check again", whole },
	{ "list", list },
	{ "search", find },
	{ "report", report },
	{ "encrypted", noise },
};
#define NSTEPS (sizeof steps / sizeof steps[0])

/* "write" is the customers with all that hangs below them; "save" is SAVES
 * single edits; the others are once each. */
static const step marks[] = {
	{ "write", make },
	{ "list", list },
	{ "save", save },
	{ "search", find },   /* makes the index */
	{ "search again", find },
	{ "report", report },
	{ "check", whole },
	{ "reopen", open_again },
};
#define NMARKS (sizeof marks / sizeof marks[0])

static void
remove_folder(const char *dir)
{
	static const char *const parts[] = { "replica.db", "replica.db-wal",
		"replica.db-shm", "replica.db-journal", "replica.keyring",
		"replica.keyring.1", "replica.keyring.lock" };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char *path = sat_xasprintf("%s/%s", dir, parts[i]);

		sat_file_remove(path);
		free(path);
	}
	sat_folder_remove(dir);
}

static sat_rc
run_steps(sat_json *rows, trial *t, const step *all, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		int64_t start = sat_boot_ms(&t->api->crm.clock);
		sat_json *row = sat_json_add_obj(rows);
		sat_err why = { 0 };

		rc = all[i].run(t, &why);
		sat_json_put_str(row, "check", all[i].name);
		sat_json_put_bool(row, "ok", rc == SAT_OK);
		sat_json_put_int(row, "ms",
		    sat_boot_ms(&t->api->crm.clock) - start);
		sat_json_put_str(row, "detail", rc == SAT_OK ? NULL : why.text);
		if (rc != SAT_OK)
			(void)sat_fail_code(e, rc, "selftest", NULL, "%s: %s",
			    all[i].name, why.text);
	}
	return rc;
}

/* In a folder of its own, which is gone afterwards. */
static sat_rc
run_trial(sat_json *doc, trial *t, const step *all, size_t n, sat_err *e)
{
	sat_rc rc = sat_folder_temp(&t->dir, "satchel-selftest", e);

	if (rc != SAT_OK)
		return rc;
	t->ring = sat_xasprintf("%s/replica.keyring", t->dir);
	t->db = sat_xasprintf("%s/replica.db", t->dir);
	rc = run_steps(sat_json_put_arr(doc, "data"), t, all, n, e);
	sat_json_put_bool(doc, "ok", rc == SAT_OK);
	close_trial(t);
	remove_folder(t->dir);
	free(t->ring);
	free(t->db);
	free(t->dir);
	return rc;
}

HANDLER(api_selftest)
{
	trial t = { .api = api };

	(void)args;
	t.accounts = sat_json_get_bool(req->body, "quick", false) ? 5 : 500;
	*out = api_doc("selftest"); /* also of a failure: how far it got */
	return run_trial(*out, &t, steps, NSTEPS, e);
}

HANDLER(api_bench)
{
	trial t = { .api = api,
		.accounts = sat_json_get_int(req->body, "rows", 1000) };

	(void)args;
	if (t.accounts < 10 || t.accounts > 100000)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--rows is 10 to 100000");
	*out = api_doc("bench");
	sat_json_put_int(*out, "rows", t.accounts);
	sat_json_put_int(*out, "saves", SAVES);
	return run_trial(*out, &t, marks, NMARKS, e);
}
