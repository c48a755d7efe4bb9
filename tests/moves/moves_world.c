/* The server and the devices; whatever reaches the outsiders is looked through. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <time.h>

#include "client/replica/replica.h"
#include "protocol/client.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/moves/moves.h"

#define PHRASE "moves passphrase"

world w;

void
check(bool good, const char *fmt, ...)
{
	va_list ap;

	if (good) {
		w.passed++;
		return;
	}
	w.failed++;
	va_start(ap, fmt);
	(void)printf("FAIL: ");
	(void)vprintf(fmt, ap);
	(void)printf("\n");
	va_end(ap);
}

void
must(sat_rc rc, const sat_err *e)
{
	if (rc == SAT_OK)
		return;
	(void)printf("FAIL: rc %d: %s\n0 passed, 1 failed\n", (int)rc, e->text);
	exit(1);
}

static int64_t
now(void *u)
{
	(void)u;
	return w.now_ms;
}

static double
cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- server -------------------------------------------------------------- */

static void
add_user(const char *key, const char *role, const char *team)
{
	uint32_t ord;
	sat_err err = { 0 };

	must(sat_sqlite_user_add(&ord, w.store, key, key, role, team, &err), &err);
}

void
open_server(void)
{
	char *folder, *db;
	sat_sqlite_store_opts o = { .clock = { now, now, NULL }, .create = true };
	sat_server_env env;
	uint32_t ord;
	sat_err err = { 0 };

	w.dir = sat_test_dir();
	folder = sat_xasprintf("%s/folder", w.dir);
	db = sat_xasprintf("%s/core.db", w.dir);
	o.path = db;
	must(sat_admin_init(folder, "Moves", "admin", NULL,
	    sat_span_str(PHRASE), &err), &err);
	must(sat_admin_open(&w.admin, folder, sat_span_str(PHRASE), &err), &err);
	must(sat_sqlite_store_open(&w.store, &o, &err), &err);
	must(sat_sqlite_team_add(&ord, w.store, "east", "east", NULL, &err), &err);
	must(sat_sqlite_team_add(&ord, w.store, "west", "west", NULL, &err), &err);
	add_user("hq", "hq", NULL);
	add_user("ann", "rep", "east");
	add_user("bob", "rep", "west");
	add_user("cy", "rep", "east");  /* ann's colleague */
	add_user("dee", "rep", "west"); /* bob's colleague */
	env = *sat_server_env_get(w.admin->core);
	env.store = sat_sqlite_store_ops(w.store);
	env.clock = o.clock;
	must(sat_server_new(&w.core, &env, &err), &err);
	free(folder);
	free(db);
}

/* ---- devices ------------------------------------------------------------- */

static void
enrol(device *d)
{
	const sat_replica_identity *id = sat_replica_identity_get(d->r);
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };

	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = id->org,
		.name = sat_span_str(d->user), .wall_ms = w.now_ms };
	sat_random(m.u.enrol.token, sizeof m.u.enrol.token);
	memcpy(m.u.enrol.sign_pk, id->sign_pk, sizeof id->sign_pk);
	must(sat_sqlite_invite_add(w.store, m.u.enrol.token, d->user,
	    w.now_ms + 60000, &err), &err);
	sat_msg_write(&request, &m);
	memcpy(x.channel_pk, id->channel_pk, sizeof x.channel_pk);
	must(sat_server_handle(w.core, &x, &reply, sat_buf_span(&request), &err),
	    &err);
	must(sat_msg_read(&m, &a, sat_buf_span(&reply), &err), &err);
	if (m.type == SAT_MSG_ERROR)
		must(sat_msg_to_err(&m.u.error, &err), &err);
	must(sat_replica_enrolled(d->r, &m.u.enrolled, &err), &err);
	sat_arena_fini(&a);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

static bool
has_canary(const void *p, size_t n)
{
	return n > 0 && memmem(p, n, CANARY, strlen(CANARY)) != NULL;
}

static uint64_t
canaries_of_record(const sat_record *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->ncells; i++)
		n += has_canary(r->cells[i].ext.p, r->cells[i].ext.n) ||
		    (r->cells[i].value.type >= SAT_V_TEXT &&
		    has_canary(r->cells[i].value.s.p, r->cells[i].value.s.n));
	return n;
}

/* What a reply says, compressed or not. */
static void
look_through(device *d, sat_span frame)
{
	sat_arena a = { 0 };
	sat_record *r = NULL;
	sat_commit *c = NULL;
	size_t nr = 0, nc = 0;
	sat_msg m;
	sat_err err = { 0 };

	d->frames++;
	d->canaries += has_canary(frame.p, frame.n);
	must(sat_msg_read(&m, &a, frame, &err), &err);
	if (m.type == SAT_MSG_CHUNK && m.u.chunk.records.n > 0)
		must(sat_records_read(&r, &nr, &a, m.u.chunk.records, &err),
		    &err);
	if (m.type == SAT_MSG_DELTA && m.u.delta.records.n > 0)
		must(sat_records_read(&r, &nr, &a, m.u.delta.records, &err),
		    &err);
	if (m.type == SAT_MSG_DELTA && m.u.delta.batch.n > 0)
		must(sat_batch_read(&c, &nc, &a, SAT_BATCH_PULL,
		    m.u.delta.batch, &err), &err);
	for (size_t i = 0; i < nr; i++)
		d->canaries += 1 + canaries_of_record(&r[i]); /* none is his */
	for (size_t i = 0; i < nc; i++)
		d->canaries += c[i].nops;
	if (m.type == SAT_MSG_DELTA)
		d->canaries += m.u.delta.nrescopes;
	sat_arena_fini(&a);
}

void
sync_device(device *d)
{
	sat_client_ops ops = sat_replica_session(d->r);
	sat_clock clock = { now, now, NULL };
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	sat_err err = { 0 };
	bool done;
	double t;

	memcpy(x.channel_pk, sat_replica_identity_get(d->r)->channel_pk,
	    sizeof x.channel_pk);
	for (d->cpu = 0;;) {
		sat_buf_reset(&request);
		sat_buf_reset(&reply);
		must(sat_cs_next(cs, &request, &done, &err), &err);
		if (done)
			break;
		must(sat_server_handle(w.core, &x, &reply,
		    sat_buf_span(&request), &err), &err);
		if (d->outsider)
			look_through(d, sat_buf_span(&reply));
		t = cpu();
		must(sat_cs_reply(cs, sat_buf_span(&reply), &err), &err);
		d->cpu += cpu() - t;
	}
	d->stats = *sat_cs_stats_get(cs);
	sat_cs_free(cs);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

device
new_device(const char *user, const char *file, bool outsider)
{
	sat_replica_identity id = { .incarnation = 1, .server = "tcp://0:1",
		.org = w.admin->keys.org };
	device d = { .user = user, .outsider = outsider,
		.path = sat_xasprintf("%s/%s.db", w.dir, file) };
	sat_replica_env env = { .path = d.path, .clock = { now, now, NULL },
		.rand = sat_rand_os() };
	uint8_t seed[32];
	sat_err err = { 0 };

	sat_random(seed, sizeof seed);
	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	sat_random(id.channel_sk, sizeof id.channel_sk);
	sat_box_keys(id.channel_pk, id.channel_sk);
	must(sat_replica_create(&d.r, &env, &id, &err), &err);
	enrol(&d);
	sync_device(&d);
	return d;
}

int64_t
count(const device *d, const char *kind)
{
	sat_query q = { .kind = sat_template_kind(
	    sat_replica_template(d->r), kind) };
	int64_t n = 0;
	sat_err err = { 0 };

	must(sat_replica_count(&n, d->r, &q, &err), &err);
	return n;
}

void
close_device(device *d)
{
	static uint8_t page[65536 + 32];
	FILE *f;
	size_t n, keep = 0;

	must(sat_replica_check(d->r, false, &(sat_err){ 0 }), &(sat_err){ 0 });
	sat_replica_close(d->r);
	for (int wal = 0; wal < 2 && d->outsider; wal++) {
		char *path = sat_xasprintf("%s%s", d->path, wal ? "-wal" : "");

		f = fopen(path, "rbe");
		for (keep = 0; f != NULL && (n = fread(page + keep, 1, 65536,
		    f)) > 0; keep = 32) {
			d->canaries += has_canary(page, keep + n);
			memmove(page, page + keep + n - 32, 32);
		}
		if (f != NULL)
			(void)fclose(f);
		free(path);
	}
	free(d->path);
}
