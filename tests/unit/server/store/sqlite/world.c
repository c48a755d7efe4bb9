/* One server core over one file, whose commits fail when a test wants it. */
#include "tests/lib/unit.h"

#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/unit/server/store/sqlite/device.h"

int64_t
world_now(void *u)
{
	return ((world *)u)->now_ms;
}

static int64_t
world_boot(void *u)
{
	world *w = u;

	w->slower_ms += w->slow_ms;
	return w->now_ms + w->slower_ms;
}

static const sat_template *
world_template_at(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	world *w = u;

	if (w->template_fails > 0) {
		w->template_fails--;
		return NULL;
	}
	return !w->no_template && memcmp(oid, w->oid, sizeof w->oid) == 0 ?
	    w->t : NULL;
}

static void
world_tip(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	memcpy(oid, ((world *)u)->oid, SAT_TEMPLATE_OID_BYTES);
}

static sat_rc
world_bundle(void *u, sat_buf *out, uint8_t *tip, const uint8_t *have,
    sat_err *e)
{
	(void)tip;
	(void)u;
	(void)have;
	(void)e;
	sat_buf_str(out, "bundle");
	return SAT_OK;
}

static sat_rc
world_commit(void *u, sat_err *e)
{
	world *w = u;

	if (w->fail_commit != SAT_OK) {
		w->real.rollback(w->real.u);
		return sat_fail(e, w->fail_commit, "planned failure");
	}
	return w->real.commit(w->real.u, e);
}

static sat_rc
world_begin(void *u, sat_err *e)
{
	world *w = u;

	return w->real.begin(w->real.u, e);
}

static void
world_rollback(void *u)
{
	world *w = u;

	w->real.rollback(w->real.u);
}

/* begin, commit and rollback go through the world, the rest straight: the
 * store's `u` is swapped in by these three only, so the table keeps the
 * store's own and we find the world in a static. */
static world *the_world;

static sat_rc
hook_begin(void *u, sat_err *e)
{
	(void)u;
	return world_begin(the_world, e);
}

static sat_rc
hook_commit(void *u, sat_err *e)
{
	(void)u;
	return world_commit(the_world, e);
}

static void
hook_rollback(void *u)
{
	(void)u;
	world_rollback(the_world);
}

static sat_rc
hook_gaps(void *u, uint32_t dev, uint32_t inc, bool (*cb)(void *cu, uint64_t first,
    uint64_t last, sat_gap why), void *cu, sat_err *e)
{
	the_world->gaps_asked++;
	return the_world->real.gaps(u, dev, inc, cb, cu, e);
}

static sat_rc
hook_commit_get(sat_span *header, sat_span *payload, sat_arena *a, void *u,
    uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e)
{
	the_world->commits_read++;
	return the_world->real.commit_get(header, payload, a, u, dev, inc, cseq,
	    e);
}

sat_rc
world_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	const world *w = u;

	(void)e;
	sat_sign(sig, bytes, w->server_sk);
	return SAT_OK;
}

static bool
world_unseal(void *u, sat_buf *out, sat_span box)
{
	return sat_box_open(out, box, ((world *)u)->box_sk);
}

static sat_rc
world_admin(void *u, const char *user, const sat_admin_words *words,
    sat_buf *out, sat_err *e)
{
	world *w = u;
	size_t n = 0;

	w->verbs++;
	(void)snprintf(w->verb_by, sizeof w->verb_by, "%s", user);
	w->verb[0] = '\0';
	for (size_t i = 0; i < words->n; i++)
		n += (size_t)snprintf(w->verb + n, sizeof w->verb - n, "%.*s ",
		    (int)words->word[i].n, (const char *)words->word[i].p);
	for (size_t i = 0; i < w->verb_bytes; i++)
		sat_buf_str(out, "x");
	return w->verb_rc == SAT_OK ? SAT_OK : sat_fail_code(e, w->verb_rc,
	    "verb", "try another", "it was not done");
}

void
world_start(world *w)
{
	sat_sqlite_store_opts o = { .path = w->path, .create = true,
		.rec_window = 8,
		.clock = { world_now, world_now, w } };
	sat_server_env env = { .clock = { world_now, world_boot, w }, .org = w->org,
		.org_name = "Test", .template_at = world_template_at,
		.template_tip = world_tip, .template_bundle = world_bundle,
		.sign = world_sign, .unseal = world_unseal,
		.admin = world_admin, .rand = sat_rand_os(), .chunk_bytes = w->chunk_bytes,
		.u = w };
	uint8_t seed[32];
	sat_err err = { 0 };

	memset(seed, 9, sizeof seed);
	memset(w->box_sk, 4, sizeof w->box_sk);
	sat_sign_keys(env.server_pk, w->server_sk, seed);

	assert_ok(sat_sqlite_store_open(&w->store, &o, &err));
	w->real = sat_sqlite_store_ops(w->store);
	env.store = w->real;
	env.store.begin = hook_begin;
	env.store.commit = hook_commit;
	env.store.rollback = hook_rollback;
	env.store.gaps = hook_gaps;
	env.store.commit_get = hook_commit_get;
	assert_ok(sat_server_new(&w->server, &env, &err));
}

void
world_stop(world *w)
{
	sat_server_free(w->server);
	sat_sqlite_store_close(w->store);
	w->server = NULL;
	w->store = NULL;
}

world *
world_new(uint64_t seed)
{
	world *w = sat_xcalloc(1, sizeof *w);
	const sat_template_file *files;
	sat_err err = { 0 };
	size_t n;

	sat_crypto_init();
	the_world = w;
	w->rand = seed;
	w->now_ms = 1800000000000;
	w->org = sat_id_make(1, 0, (const uint8_t *)"orgorgor");
	memset(w->oid, 7, sizeof w->oid);
	files = sat_template_base(&n);
	assert_ok(sat_template_load(&w->t, files, n, &err));
	w->dir = sat_test_dir();
	w->path = sat_xasprintf("%s/server.db", w->dir);
	world_start(w);
	return w;
}

void
world_user(world *w, const char *key, const char *role, const char *team)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_user_add(&ord, w->store, key, key, role, team,
	    &err));
	assert_ok(sat_server_reload(w->server, &err));
}

void
world_team(world *w, const char *key)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_team_add(&ord, w->store, key, key, NULL, &err));
	assert_ok(sat_server_reload(w->server, &err));
}

world *
world_of(uint64_t seed, const char *people)
{
	world *w = world_new(seed);
	char key[20], role[20], team[20], teams[200] = ",";

	for (const char *p = people; *p != '\0'; p += strspn(p, ", ")) {
		bool in_team = sscanf(p, "%19[a-z] %19[a-z] %19[a-z0-9]", key, role,
		    team) == 3;

		p += strcspn(p, ",");
		if (in_team && strstr(teams, team) == NULL) {
			world_team(w, team);
			(void)strncat(teams, team, sizeof teams - 30);
		}
		world_user(w, key, role, in_team ? team : NULL);
	}
	return w;
}

world *
world_company(uint64_t seed)
{
	return world_of(seed, "ann rep north, bob rep north, sue rep south, "
	    "max manager north, mia manager south, hq hq, root admin");
}

void
world_free(world *w)
{
	while (w->devices != NULL)
		device_free(w->devices);
	world_stop(w);
	sat_template_free(w->t);
	sat_test_rmdir(w->dir);
	free(w->path);
	free(w);
}
