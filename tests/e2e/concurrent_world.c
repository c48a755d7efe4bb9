/*
 * The server process, the devices, and the comparison of everything they hold.
 */
#include "tests/e2e/concurrent.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/keyring.h"
#include "server/admin/admin_int.h"

#define PHRASE "concurrent passphrase"

void
conc_must(sat_rc rc, const sat_err *e)
{
	if (rc == SAT_OK)
		return;
	(void)printf("FAIL: rc %d: %s\n0 passed, 1 failed\n", (int)rc, e->text);
	exit(1);
}

/* ---- server --------------------------------------------------------------------- */

static int serving; /* no server outlives a test that ends half way */

static void
stop_serving(void)
{
	if (serving > 0)
		(void)kill(serving, SIGKILL);
}

static void
make_folder(server *s, const char *const *users, int n)
{
	char a[] = "user", b[] = "add", c[] = "--name", r[] = "--role",
	    hq[] = "hq", key[32];
	sat_admin *admin;
	sat_buf out = { 0 };
	sat_err err = { 0 };

	conc_must(sat_admin_init(s->folder, "Concurrent", "admin", NULL,
	    sat_span_str(PHRASE), &err), &err);
	conc_must(sat_admin_open(&admin, s->folder, sat_span_str(PHRASE), &err),
	    &err);
	for (int i = 0; i < n; i++) {
		char *argv[] = { a, b, key, c, key, r, hq };

		(void)snprintf(key, sizeof key, "%s", users[i]);
		conc_must(sat_admin_run(admin, 7, argv, &out, &err), &err);
	}
	sat_buf_fini(&out);
	sat_admin_close(admin);
}

void
conc_serve(server *s, const char *satcheld, const char *const *users, int n)
{
	FILE *f;

	s->dir = sat_test_dir();
	s->folder = sat_xasprintf("%s/server", s->dir);
	s->port_file = sat_xasprintf("%s/port", s->dir);
	s->phrase_file = sat_xasprintf("%s/phrase", s->dir);
	if ((f = fopen(s->phrase_file, "we")) != NULL) {
		(void)fputs(PHRASE "\n", f);
		(void)fclose(f);
	}
	make_folder(s, users, n);
	(void)atexit(stop_serving);
	(void)fflush(NULL);
	if ((s->pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when killed */
		(void)execl(satcheld, satcheld, "-D", s->folder,
		    "--passphrase-file", s->phrase_file, "serve", "--listen",
		    "tcp://127.0.0.1:0", "--port-file", s->port_file,
		    (char *)NULL);
		_exit(127);
	}
	serving = s->pid;
	for (int i = 0; i < 1000 && access(s->port_file, R_OK) != 0; i++) {
		struct timespec t = { 0, 10000000 };

		(void)nanosleep(&t, NULL);
	}
}

void
conc_stop(server *s)
{
	int status = 0;

	(void)kill(s->pid, SIGTERM);
	(void)waitpid(s->pid, &status, 0);
	conc_check(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the server ended with %x", (unsigned)status);
	serving = 0;
}

void
conc_remove(server *s)
{
	sat_test_rmdir(s->dir);
	free(s->folder);
	free(s->port_file);
	free(s->phrase_file);
}

/* ---- devices ----------------------------------------------------------------------- */

static int64_t
skewed_wall(void *u)
{
	const device *d = u;
	sat_clock os = sat_clock_os();

	return sat_wall_ms(&os) + d->skew_ms;
}

static int64_t
boot(void *u)
{
	sat_clock os = sat_clock_os();

	(void)u;
	return sat_boot_ms(&os);
}

static sat_sync_opts
sync_opts(const device *d)
{
	return (sat_sync_opts){ .timeout_ms = 60000, .clock = d->clock,
		.rand = sat_rand_os() };
}

sat_sync_result
conc_sync(device *d)
{
	sat_sync_opts o = sync_opts(d);
	sat_sync_result got;
	sat_err err = { 0 };

	conc_must(sat_sync_run(&got, d->replica, &o, &err), &err);
	return got;
}

static void
invite(sat_invite *inv, const server *s, const char *user)
{
	char a[] = "device", b[] = "invite", c[] = "--user", u[32];
	char *argv[] = { a, b, c, u };
	sat_buf out = { 0 };
	sat_err err = { 0 };

	(void)snprintf(u, sizeof u, "%s", user);
	conc_must(sat_admin_ask(s->folder, NULL, 4, argv, &out, &err), &err);
	conc_must(sat_invite_read(inv, sat_buf_cstr(&out), &err), &err);
	sat_buf_fini(&out);
}

void
conc_enrol(device *d, const server *s, const char *user)
{
	sat_replica_identity id = { .incarnation = 1 };
	char *path = sat_xasprintf("%s/%s.db", s->dir, user);
	sat_replica_env env = { .path = path, .rand = sat_rand_os() };
	sat_sync_opts o;
	uint8_t seed[32];
	sat_invite inv;
	sat_err err = { 0 };

	d->name = user;
	d->clock = (sat_clock){ skewed_wall, boot, d };
	o = sync_opts(d);
	invite(&inv, s, user);
	sat_random(seed, sizeof seed);
	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	sat_random(id.channel_sk, sizeof id.channel_sk);
	sat_box_keys(id.channel_pk, id.channel_sk);
	id.org = inv.org;
	memcpy(id.server_pk, inv.server_pk, sizeof id.server_pk);
	(void)snprintf(id.server, sizeof id.server, "%s", inv.address);
	env.keyring = d->keyring = sat_keyring_memory(NULL);
	env.clock = d->clock;
	conc_must(sat_replica_create(&d->replica, &env, &id, &err), &err);
	conc_must(sat_sync_enrol(d->replica, &inv, user, &o, &err), &err);
	(void)conc_sync(d);
	free(path);
}

void
conc_device_close(device *d)
{
	sat_replica_close(d->replica);
	sat_keyring_close(d->keyring);
}

/* ---- dumps ------------------------------------------------------------------------- */

typedef struct state {
	sat_id id;
	uint8_t hash[SAT_HASH_BYTES];
} state;

typedef struct dump {
	state *v;
	size_t n, cap;
} dump;

static void
add(dump *d, const sat_id *id, sat_span bytes)
{
	if (d->n == d->cap) {
		d->cap = d->cap * 2 + 256;
		d->v = sat_xrealloc(d->v, d->cap * sizeof *d->v);
	}
	d->v[d->n].id = *id;
	sat_hash(d->v[d->n++].hash, bytes);
}

static void
on_state(void *u, const sat_id *id, sat_span bytes)
{
	add(u, id, bytes);
}

static bool
on_row(void *u, const sat_rec_row *row)
{
	add(u, &row->id, row->state);
	return true;
}

static int
by_id(const void *a, const void *b)
{
	const state *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

static void
compare(dump *a, const char *whose, dump *b, const char *others)
{
	size_t differ = 0;

	qsort(a->v, a->n, sizeof *a->v, by_id);
	qsort(b->v, b->n, sizeof *b->v, by_id);
	for (size_t i = 0; i < a->n && i < b->n; i++)
		differ += memcmp(&a->v[i], &b->v[i], sizeof a->v[i]) != 0;
	conc_check(a->n == b->n && a->n > 0, "%s holds %zu records, %s %zu",
	    whose, a->n, others, b->n);
	conc_check(differ == 0, "%zu of %zu states of %s and %s differ", differ,
	    a->n, whose, others);
	free(a->v);
	free(b->v);
}

static dump
dump_of(const device *d)
{
	dump out = { NULL, 0, 0 };
	sat_err err = { 0 };

	conc_must(sat_replica_dump(d->replica, on_state, &out, &err), &err);
	return out;
}

void
conc_same_dump(const device *a, const device *b)
{
	dump x = dump_of(a), y = dump_of(b);

	compare(&x, a->name, &y, b->name);
}

void
conc_same_as_server(const device *a, const server *s)
{
	dump x = dump_of(a), y = { NULL, 0, 0 };
	sat_admin *admin;
	sat_store ops;
	sat_err err = { 0 };

	conc_must(sat_admin_open(&admin, s->folder, sat_span_str(PHRASE), &err),
	    &err);
	ops = sat_sqlite_store_ops(admin->store);
	conc_must(ops.begin(ops.u, &err), &err);
	conc_must(ops.rec_scan(ops.u, 0, on_row, &y, &err), &err);
	ops.rollback(ops.u);
	sat_admin_close(admin);
	compare(&x, a->name, &y, "the server");
}
