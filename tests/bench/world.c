/*
 * world.c - a server folder served by a process of its own, and devices.
 *
 * The folder is made the way an administrator makes one: init, publish a
 * template, add users, serve, invite. The published template is the base
 * template and one more kind, so the device carries all base tables too.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/args.h"
#include "common/crypto/keyring.h"
#include "common/net/net.h"
#include "server/admin/admin_int.h"

/* Not a secret: the data is generated. */
#define PHRASE "benchmark passphrase"
#define CHEAP { 1, 8 * 1024 * 1024 }

/* The bench's document, in the program so that it runs from anywhere. */
__asm__(".section .rodata\n"
	"bench_kind_start: .incbin \"tests/bench/template/fields/customer.json\"\n"
	"bench_kind_end:\n"
	".previous\n");
extern const uint8_t bench_kind_start[], bench_kind_end[];

static void
publish(sat_admin *a)
{
	size_t n;
	const sat_template_file *base = sat_template_base(&n);
	sat_template_file *files = sat_xcalloc(n + 1, sizeof *files);
	sat_err err = { 0 };
	sat_layer l;
	sat_oid oid;

	/* a month of a company's work is sent in a minute here */
	static const char limits[] = "{\"quota\":{\"*\":{\"ops_day\":"
	    "1000000000,\"mib_day\":1000000,\"days\":1}}}";

	memcpy(files, base, n * sizeof *files);
	for (size_t i = 0; i < n; i++)
		if (strcmp(files[i].path, "policy/limits.json") == 0)
			files[i].bytes = sat_span_str(limits);
	files[n] = (sat_template_file){ "fields/customer.json",
		sat_span_of(bench_kind_start,
		(size_t)(bench_kind_end - bench_kind_start)) };
	l = (sat_layer){ files, n + 1 };
	bench_must(admin_publish(a, &l, "bench", "a table to measure", &oid,
	    &err));
	free(files);
}

void
world_folder(const char *dir, unsigned users)
{
	sat_admin *a = NULL;
	sat_err err = { 0 };
	uint32_t ord;
	char key[16];

	bench_mkdir(dir);
	bench_must(sat_admin_init(dir, "Bench", "admin", NULL,
	    sat_span_str(PHRASE), &err));
	bench_must(sat_admin_open(&a, dir, sat_span_str(PHRASE), &err));
	publish(a);
	for (unsigned i = 1; i <= users; i++) {
		(void)snprintf(key, sizeof key, "u%u", i);
		bench_must(sat_sqlite_user_add(&ord, a->store, key, key, "rep",
		    NULL, &err));
	}
	sat_admin_close(a);
}

/* ---- the served process ---------------------------------------------------- */

int
world_child(const char *dir)
{
	static const sat_opt options[] = {
		{ "listen", 0, "URL", "where" },
		{ "port-file", 0, "FILE", "the bound port" },
		{ NULL, 0, NULL, NULL },
	};
	char *port = bench_path(dir, "port"), *none = bench_path(dir, "none");
	char *const argv[] = { "--listen=tcp://127.0.0.1:0", "--port-file",
		port };
	sat_admin *a = NULL;
	sat_err err = { 0 };
	sat_args w;
	sat_rc rc;

	bench_must(sat_admin_open(&a, dir, sat_span_str(PHRASE), &err));
	bench_must(sat_args_parse(&w, 3, argv, options, NULL, &err));
	rc = sat_admin_serve(a, &w, none, false, &err);
	free(none);
	free(port);
	return rc == SAT_OK ? 0 : 1;
}

static void
nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static unsigned
wait_for_port(const char *dir, int pid)
{
	char *path = bench_path(dir, "port"), line[32];
	unsigned port = 0;

	for (int i = 0; i < 1000 && port == 0; i++) {
		FILE *f = fopen(path, "re");

		if (f != NULL && fgets(line, sizeof line, f) != NULL)
			port = (unsigned)strtoul(line, NULL, 10);
		if (f != NULL)
			(void)fclose(f);
		if (port == 0 && waitpid(pid, NULL, WNOHANG) == pid)
			bench_die("the server ended at once");
		if (port == 0)
			nap(10);
	}
	if (port == 0)
		bench_die("the server did not come up");
	free(path);
	return port;
}

/* No server outlives a benchmark that ends half way. */
static int serving;

static void
stop_serving(void)
{
	if (serving > 0)
		(void)kill(serving, SIGTERM);
}

void
world_serve(world *w, const char *dir)
{
	static bool registered;
	char *port = bench_path(dir, "port");

	if (!registered)
		(void)atexit(stop_serving);
	registered = true;
	(void)unlink(port);
	free(port);
	w->dir = sat_xstrdup(dir);
	(void)fflush(NULL);
	w->pid = fork();
	if (w->pid == 0) {
		(void)execl("/proc/self/exe", "satchel-bench", "serve", dir,
		    (char *)NULL);
		_exit(127);
	}
	if (w->pid < 0)
		bench_die("cannot start the server: %s", strerror(errno));
	serving = w->pid;
	w->address = sat_xasprintf("tcp://127.0.0.1:%u",
	    wait_for_port(dir, w->pid));
}

void
world_stop(world *w)
{
	if (w->pid > 0) {
		(void)kill(w->pid, SIGTERM);
		(void)waitpid(w->pid, NULL, 0);
	}
	serving = 0;
	free(w->dir);
	free(w->address);
	*w = (world){ 0 };
}

static void
ask(sat_buf *out, const world *w, int argc, char *const *argv)
{
	sat_err err = { 0 };

	bench_must(sat_admin_ask(w->dir, NULL, argc, argv, out, &err));
}

void
world_backup(const world *w, const char *to)
{
	char verb[] = "backup", *folder = sat_xstrdup(to);
	char *const argv[] = { verb, folder };
	sat_buf out = { 0 };

	ask(&out, w, 2, argv);
	sat_buf_fini(&out);
	free(folder);
}

/* ---- devices ------------------------------------------------------------------ */

static void
make_identity(sat_replica_identity *id, const sat_id *org,
    const uint8_t server_pk[32], const char *address)
{
	uint8_t seed[32];

	memset(id, 0, sizeof *id);
	sat_random(seed, sizeof seed);
	sat_sign_keys(id->sign_pk, id->sign_sk, seed);
	sat_random(id->channel_sk, sizeof id->channel_sk);
	sat_box_keys(id->channel_pk, id->channel_sk);
	id->org = *org;
	memcpy(id->server_pk, server_pk, sizeof id->server_pk);
	(void)snprintf(id->server, sizeof id->server, "%s", address);
	id->incarnation = 1;
}

/* Opens the keyring and prepares the rest; the caller frees env->path. */
static sat_replica_env
begin_device(device *d, const char *dir, bool plain, bool create)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = sat_span_str(PHRASE), .cost = CHEAP };
	char *ring = bench_path(dir, "replica.keyring");
	sat_err err = { 0 };

	*d = (device){ .dir = sat_xstrdup(dir) };
	if (!plain)
		bench_must((create ? sat_keyring_create : sat_keyring_open)(
		    &d->keyring, ring, &secret, &err));
	free(ring);
	d->crm = (sat_crm){ .clock = sat_clock_os(), .lang = "zh" };
	return (sat_replica_env){ .path = bench_path(dir, "replica.db"),
		.keyring = d->keyring, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
}

void
device_create(device *d, const char *dir, const sat_id *org,
    const uint8_t server_pk[32], const char *address, bool plain)
{
	sat_replica_identity id;
	sat_replica_env env;
	sat_err err = { 0 };

	bench_rmdir(dir);
	bench_mkdir(dir);
	env = begin_device(d, dir, plain, true);
	make_identity(&id, org, server_pk, address);
	bench_must(sat_replica_create(&d->replica, &env, &id, &err));
	d->crm.replica = d->replica;
	free((void *)(uintptr_t)env.path);
}

void
device_open(device *d, const char *dir, bool plain)
{
	sat_replica_env env = begin_device(d, dir, plain, false);
	sat_err err = { 0 };

	bench_must(sat_replica_open(&d->replica, &env, &err));
	d->crm.replica = d->replica;
	free((void *)(uintptr_t)env.path);
	device_ready(d);
}

void
device_ready(device *d)
{
	const sat_template *t = sat_replica_template(d->replica);

	d->kind = t != NULL ? sat_template_kind(t, BENCH_KIND) : NULL;
	for (size_t i = 0; d->kind != NULL && i < BENCH_FIELDS; i++)
		d->fields[i] = sat_kind_field(d->kind, bench_fields[i]);
}

static sat_sync_opts
sync_opts(void)
{
	return (sat_sync_opts){ .timeout_ms = 600000, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
}

sat_sync_result
device_sync(device *d)
{
	return device_sync_flags(d, 0);
}

sat_sync_result
device_sync_flags(device *d, unsigned flags)
{
	sat_sync_opts o = sync_opts();
	sat_sync_result got;
	sat_err err = { 0 };

	o.flags = flags;
	bench_must(sat_sync_run(&got, d->replica, &o, &err));
	device_ready(d);
	return got;
}

double
device_handshake(device *d)
{
	const sat_replica_identity *id = sat_replica_identity_get(d->replica);
	sat_net_client_opts o = { .dial = id->server };
	sat_net_client *link = NULL;
	sat_buf prologue = { 0 };
	uint64_t out = 0, in = 0;
	sat_err err = { 0 };

	memcpy(o.keys.sk, id->channel_sk, sizeof o.keys.sk);
	memcpy(o.keys.pk, id->channel_pk, sizeof o.keys.pk);
	memcpy(o.server_pk, id->server_pk, sizeof o.server_pk);
	sat_sync_prologue(&prologue, &id->org);
	o.prologue = sat_buf_span(&prologue);
	bench_must(sat_net_dial(&link, &o, &err));
	sat_net_client_bytes(link, &out, &in);
	sat_net_hangup(link);
	sat_buf_fini(&prologue);
	return (double)(out + in);
}

void
device_enrol(device *d, const world *w, const char *dir, bool plain)
{
	char a[] = "device", b[] = "invite", c[] = "--user", u[] = "u1";
	char *const argv[] = { a, b, c, u };
	sat_sync_opts o = sync_opts();
	sat_buf out = { 0 };
	sat_err err = { 0 };
	sat_invite inv;

	ask(&out, w, 4, argv);
	bench_must(sat_invite_read(&inv, sat_buf_cstr(&out), &err));
	sat_buf_fini(&out);
	device_create(d, dir, &inv.org, inv.server_pk, inv.address, plain);
	bench_must(sat_sync_enrol(d->replica, &inv, "bench", &o, &err));
}

void
device_close(device *d)
{
	sat_replica_close(d->replica);
	sat_keyring_close(d->keyring);
	free(d->dir);
	*d = (device){ .dir = NULL };
}
