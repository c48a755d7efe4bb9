/*
 * The server's life. Its store lies on a real folder, for the log moves into
 * files beside it; a backup is a verified copy of the store and those files.
 */
#include "tests/company/month.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what the core asks for -------------------------------------------------------- */

static int64_t
server_ms(void *u)
{
	return ((month *)u)->now_ms;
}

static int64_t
server_boot(void *u)
{
	month *m = u;

	return m->now_ms - m->began_ms;
}

static void
server_bytes(void *u, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)month_draw(u, 256);
}

sat_rand
month_server_rand(month *m)
{
	return (sat_rand){ server_bytes, m };
}

/* ---- files ---------------------------------------------------------------------------- */

static void
copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
	char buf[1 << 16];
	size_t n;
	bool good = in != NULL && out != NULL;

	while (good && (n = fread(buf, 1, sizeof buf, in)) > 0)
		good = fwrite(buf, 1, n, out) == n;
	if (in != NULL)
		(void)fclose(in);
	if (out != NULL && fclose(out) != 0)
		good = false;
	if (good)
		return;
	(void)fprintf(stderr, "company: cannot copy %s\n", from);
	exit(2);
}

/* Every file of a folder into another one (NULL: it is removed). */
static void
each_file(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *f;

	if (to != NULL)
		(void)mkdir(to, 0700);
	while (d != NULL && (f = readdir(d)) != NULL) {
		char *a = sat_xasprintf("%s/%s", from, f->d_name);
		char *b = to != NULL ? sat_xasprintf("%s/%s", to, f->d_name) :
		    NULL;

		if (f->d_type == DT_REG && b != NULL)
			copy_file(a, b);
		else if (f->d_type == DT_REG)
			(void)unlink(a);
		free(a);
		free(b);
	}
	if (d != NULL)
		(void)closedir(d);
}

typedef struct folders {
	char *live, *live_seg, *kept, *kept_seg, *db;
} folders;

static folders
folders_of(const month *m)
{
	return (folders){ sat_xasprintf("%s/live", m->dir),
		sat_xasprintf("%s/live/segments", m->dir),
		sat_xasprintf("%s/kept", m->dir),
		sat_xasprintf("%s/kept/segments", m->dir),
		sat_xasprintf("%s/live/server.db", m->dir) };
}

static void
folders_free(folders *f)
{
	free(f->live);
	free(f->live_seg);
	free(f->kept);
	free(f->kept_seg);
	free(f->db);
}

/* ---- open and closed -------------------------------------------------------------------- */

static void
open_core(month *m)
{
	sat_server_env env = { .store = sat_sqlite_store_ops(m->store),
		.clock = { server_ms, server_boot, m }, .org = m->org,
		.org_name = "Company", .rand = month_server_rand(m),
		.permits = m->permits };
	sat_buf b = { 0 };
	sat_err e = { 0 };

	m->core = (sim_core){ &m->tip, m->server_sk, m };
	sim_core_env(&env, &m->core);
	memcpy(env.root_pk, m->root_pk, sizeof env.root_pk);
	memcpy(env.server_pk, m->server_pk, sizeof env.server_pk);
	sat_server_key_bytes(&b, &m->org, m->server_pk);
	sat_sign(env.server_cert, sat_buf_span(&b), m->root_sk);
	sat_buf_fini(&b);
	month_must(sat_server_new(&m->server, &env, &e), &e, "server");
}

static void
open_store(month *m, bool first)
{
	folders f = folders_of(m);
	sat_sqlite_store_opts o = { .path = f.db, .keyring = m->ring,
		.clock = { server_ms, server_boot, m }, .create = first };
	sat_err e = { 0 };

	if (first) {
		(void)mkdir(f.live, 0700);
		(void)mkdir(f.kept, 0700);
	}
	month_must(sat_sqlite_store_open(&m->store, &o, &e), &e, "store");
	folders_free(&f);
}

void
month_server_open(month *m, bool first)
{
	open_store(m, first);
	open_core(m);
}

void
month_server_close(month *m)
{
	sat_server_free(m->server);
	sat_sqlite_store_close(m->store);
	m->server = NULL;
	m->store = NULL;
}

/* The rules that run by time; this template's pool takes nobody back. */
void
month_server_tick(month *m)
{
	sat_err e = { 0 };

	month_must(sat_server_tick(m->server, m->now_ms, &e), &e, "tick");
}

/* ---- backup, compaction, loss ----------------------------------------------------------- */

void
month_server_backup(month *m)
{
	folders f = folders_of(m);
	char *to = sat_xasprintf("%s/server.db", f.kept);
	uint64_t lsn;
	sat_err e = { 0 };

	each_file(f.kept, NULL);
	each_file(f.kept_seg, NULL);
	month_must(sat_sqlite_store_backup(&lsn, m->store, to, &e), &e,
	    "backup");
	each_file(f.live_seg, f.kept_seg);
	month_must(sat_sqlite_mark_durable(m->store, lsn, &e), &e, "durable");
	month_must(sat_server_reload(m->server, &e), &e, "reload");
	COUNT(m, backups, 1);
	free(to);
	folders_free(&f);
}

void
month_server_compact(month *m)
{
	sat_sqlite_signing s = { m->org, sim_core_sign, &m->core };
	sat_sqlite_compacted done = { 0 };
	uint64_t upto;
	sat_err e = { 0 };

	month_must(sat_sqlite_compact_limit(&upto, m->store, 10 * DAY_MS,
	    DAY_MS, &e), &e, "limit");
	month_must(sat_sqlite_compact(&done, m->store, upto, &s, &e), &e,
	    "compact");
	COUNT(m, compactions, 1);
	COUNT(m, segments, done.segments);
}

static void
begin_epoch(month *m)
{
	uint64_t above = 0, before = 0;
	sat_epoch c = { .org = m->org, .began_ms = m->now_ms,
		.until_ms = m->now_ms + 30 * DAY_MS,
		.seed_roles = SAT_SEED_HQ | SAT_SEED_MANAGER };
	sat_err e = { 0 };

	month_must(sat_sqlite_epoch_base(&c.base_lsn, &above, &c.base_eid,
	    &before, m->store, &e), &e, "base of the epoch");
	c.epoch = (uint64_t)(m->now_ms / 1000) > before ?
	    (uint64_t)(m->now_ms / 1000) : before + 1;
	c.first_lsn = above + SAT_EPOCH_SKIP;
	sat_epoch_sign(&c, m->root_sk);
	month_must(sat_sqlite_epoch_begin(m->store, &c, &e), &e, "epoch");
}

void
month_server_lose(month *m)
{
	folders f = folders_of(m);

	sat_server_free(m->server);
	sat_sqlite_store_abandon(m->store);
	each_file(f.live, NULL);
	each_file(f.live_seg, NULL);
	each_file(f.kept, f.live);
	each_file(f.kept_seg, f.live_seg);
	open_store(m, false);
	begin_epoch(m);
	sat_sqlite_store_close(m->store);
	month_server_open(m, false);
	COUNT(m, losses, 1);
	m->losses++;
	month_server_backup(m);
	folders_free(&f);
}
