/*
 * inproc.c - the server's core in this process: no socket, no second CPU.
 *
 * Same store, same core, same session machine as over a link; only the pump
 * is ours, and it weighs every request and reply.
 */
#include "tests/bench/bench.h"

#include "server/admin/admin_int.h"

#define PHRASE "benchmark passphrase"

struct inproc {
	sat_admin *admin;        /* its folder has the templates */
	sat_sqlite_store *store; /* ours, beside the folder's own */
	sat_server *core;
	sat_keyring *keyring;
};

static void
make_core(inproc *p)
{
	sat_server_env env = *sat_server_env_get(p->admin->core);
	sat_err err = { 0 };

	env.store = sat_sqlite_store_ops(p->store);
	bench_must(sat_server_new(&p->core, &env, &err));
}

inproc *
inproc_open(const char *dir, bool plain, unsigned users)
{
	inproc *p = sat_xcalloc(1, sizeof *p);
	char *folder = bench_path(dir, "folder");
	char *db = bench_path(dir, "core.db"), key[16];
	sat_sqlite_store_opts o = { .path = db, .clock = sat_clock_os(),
		.create = true };
	sat_err err = { 0 };
	uint32_t ord;

	bench_rmdir(dir);
	bench_mkdir(dir);
	world_folder(folder, 0);
	bench_must(sat_admin_open(&p->admin, folder, sat_span_str(PHRASE),
	    &err));
	if (!plain)
		p->keyring = sat_keyring_memory(NULL);
	o.keyring = p->keyring;
	bench_must(sat_sqlite_store_open(&p->store, &o, &err));
	for (unsigned i = 1; i <= users; i++) {
		(void)snprintf(key, sizeof key, "u%u", i);
		bench_must(sat_sqlite_user_add(&ord, p->store, key, key, "rep",
		    NULL, &err));
	}
	make_core(p);
	free(folder);
	free(db);
	return p;
}

void
inproc_close(inproc *p)
{
	sat_server_free(p->core);
	sat_sqlite_store_close(p->store);
	sat_keyring_close(p->keyring);
	sat_admin_close(p->admin);
	free(p);
}

sat_db *
inproc_db(inproc *p)
{
	return sat_sqlite_store_db(p->store);
}

sat_server *
inproc_core(inproc *p)
{
	return p->core;
}

void
inproc_durable(inproc *p)
{
	sat_sqlite_status st;
	sat_err err = { 0 };

	bench_must(sat_sqlite_status_get(&st, p->store, &err));
	bench_must(sat_sqlite_mark_durable(p->store, st.lsn, &err));
}

/* Enrolment is one request; its token is known to both sides here. */
static void
enrol(device *d, inproc *p, unsigned user)
{
	const sat_replica_identity *id = sat_replica_identity_get(d->replica);
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_err err = { 0 };
	char key[16];

	(void)snprintf(key, sizeof key, "u%u", user);
	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = id->org,
		.name = sat_span_str("bench"),
		.wall_ms = sat_wall_ms(&d->crm.clock) };
	sat_random(m.u.enrol.token, sizeof m.u.enrol.token);
	memcpy(m.u.enrol.sign_pk, id->sign_pk, sizeof id->sign_pk);
	bench_must(sat_sqlite_invite_add(p->store, m.u.enrol.token, key,
	    sat_wall_ms(&d->crm.clock) + 60000, &err));
	sat_msg_write(&request, &m);
	memcpy(x.channel_pk, id->channel_pk, sizeof x.channel_pk);
	bench_must(sat_server_handle(p->core, &x, &reply,
	    sat_buf_span(&request), &err));
	bench_must(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	if (m.type == SAT_MSG_ERROR)
		bench_must(sat_msg_to_err(&m.u.error, &err));
	bench_must(sat_replica_enrolled(d->replica, &m.u.enrolled, &err));
	sat_arena_fini(&a);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

void
inproc_device(device *d, inproc *p, const char *dir, bool plain, unsigned user,
    inproc_cost cost[INPROC_TYPES])
{
	static const uint8_t nobody[32] = { 1 };

	device_create(d, dir, &p->admin->keys.org, nobody, "tcp://0:1", plain);
	enrol(d, p, user);
	inproc_sync(d, p, cost);
}

typedef struct clocks {
	double wall, cpu;
} clocks;

static clocks
read_clocks(void)
{
	return (clocks){ bench_now(), bench_cpu() };
}

static bool
exchange(sat_cs *cs, inproc *p, sat_server_session *x, sat_buf *request,
    sat_buf *reply, inproc_cost cost[INPROC_TYPES])
{
	sat_err err = { 0 };
	inproc_cost none, *c = &none;
	clocks t0, t1, t2, t3;
	bool done;

	t0 = read_clocks();
	sat_buf_reset(request);
	sat_buf_reset(reply);
	bench_must(sat_cs_next(cs, request, &done, &err));
	if (done)
		return false;
	t1 = read_clocks();
	bench_must(sat_server_handle(p->core, x, reply, sat_buf_span(request),
	    &err));
	t2 = read_clocks();
	bench_must(sat_cs_reply(cs, sat_buf_span(reply), &err));
	t3 = read_clocks();
	if (cost != NULL)
		c = &cost[request->p[0] % INPROC_TYPES];
	c->client += t1.wall - t0.wall + t3.wall - t2.wall;
	c->client_cpu += t1.cpu - t0.cpu + t3.cpu - t2.cpu;
	c->server += t2.wall - t1.wall;
	c->server_cpu += t2.cpu - t1.cpu;
	c->out += request->n;
	c->in += reply->n;
	c->n++;
	return true;
}

void
inproc_sync(device *d, inproc *p, inproc_cost cost[INPROC_TYPES])
{
	sat_client_ops ops = sat_replica_session(d->replica);
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_cs *cs = sat_cs_new(&ops, &d->crm.clock, 0);

	memcpy(x.channel_pk, sat_replica_identity_get(d->replica)->channel_pk,
	    sizeof x.channel_pk);
	while (exchange(cs, p, &x, &request, &reply, cost))
		;
	sat_cs_free(cs);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	device_ready(d);
}

/* ---- many at once ------------------------------------------------------------ */

struct inproc_session {
	device *d;
	sat_cs *cs;
	sat_client_ops ops;
	sat_server_session x;
	sat_buf request, reply;
};

inproc_session *
inproc_begin(device *d, inproc *p)
{
	inproc_session *s = sat_xcalloc(1, sizeof *s);
	sat_err err = { 0 };
	bool done;

	s->d = d;
	s->ops = sat_replica_session(d->replica);
	s->cs = sat_cs_new(&s->ops, &d->crm.clock, 0);
	memcpy(s->x.channel_pk, sat_replica_identity_get(d->replica)->channel_pk,
	    sizeof s->x.channel_pk);
	for (;;) {
		sat_buf_reset(&s->request);
		sat_buf_reset(&s->reply);
		bench_must(sat_cs_next(s->cs, &s->request, &done, &err));
		if (done)
			bench_die("a device had nothing to push");
		if (s->request.p[0] == SAT_MSG_PUSH)
			return s;
		bench_must(sat_server_handle(p->core, &s->x, &s->reply,
		    sat_buf_span(&s->request), &err));
		bench_must(sat_cs_reply(s->cs, sat_buf_span(&s->reply), &err));
	}
}

void
inproc_push_all(inproc *p, inproc_session **s, size_t n)
{
	sat_server_job *jobs = sat_xcalloc(n, sizeof *jobs);
	sat_err err = { 0 };

	for (size_t i = 0; i < n; i++)
		jobs[i] = (sat_server_job){ .session = &s[i]->x,
			.frame = sat_buf_span(&s[i]->request),
			.reply = &s[i]->reply };
	bench_must(sat_server_handle_group(p->core, jobs, n, &err));
	free(jobs);
}

void
inproc_end(inproc_session *s, inproc *p)
{
	sat_err err = { 0 };

	bench_must(sat_cs_reply(s->cs, sat_buf_span(&s->reply), &err));
	while (exchange(s->cs, p, &s->x, &s->request, &s->reply, NULL))
		;
	sat_cs_free(s->cs);
	sat_buf_fini(&s->request);
	sat_buf_fini(&s->reply);
	free(s);
}
