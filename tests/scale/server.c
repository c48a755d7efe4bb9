/*
 * The real server process, its folder, and what it holds at the end.
 */
#include "tests/scale/scale.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/keyring.h"
#include "common/json/json.h"
#include "server/admin/admin_int.h"

#define PHRASE "scale passphrase"

void
scale_must(sat_rc rc, const sat_err *e)
{
	if (rc == SAT_OK)
		return;
	(void)printf("FAIL: rc %d: %s\n0 passed, 1 failed\n", (int)rc, e->text);
	(void)fflush(stdout);
	_exit(1);
}

double
scale_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

long
scale_rss_kib(int pid)
{
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/status", pid);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	(void)fclose(f);
	return kib;
}

int
scale_descriptors(int pid)
{
	char path[64];
	int n = -2; /* . and .. */
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

/* ---- the folder -------------------------------------------------------------------- */

static void
add_people(sat_admin *a, uint32_t n)
{
	sat_err e = { 0 };
	uint32_t ord;
	char key[32], team[32];

	for (uint32_t i = 0; i * PER_USER < n; i++) {
		(void)snprintf(team, sizeof team, "t%u", i / TEAM_USERS);
		if (i % TEAM_USERS == 0)
			scale_must(sat_sqlite_team_add(&ord, a->store, team,
			    team, NULL, &e), &e);
		(void)snprintf(key, sizeof key, "u%u", i);
		scale_must(sat_sqlite_user_add(&ord, a->store, key, key, "rep",
		    team, &e), &e);
	}
}

static void
enrol_all(sat_admin *a, light *d, uint32_t n)
{
	int64_t now = sat_wall_ms(&a->clock);
	sat_store st = sat_sqlite_store_ops(a->store);
	uint8_t (*token)[16] = sat_xcalloc(n, sizeof *token);
	sat_err e = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		sat_random(token[i], 16);
		scale_must(sat_sqlite_invite_add(a->store, token[i],
		    d[i].user_key, now + 3600000, &e), &e);
	}
	scale_must(st.begin(st.u, &e), &e);
	for (uint32_t i = 0; i < n; i++) {
		sat_enrol in = { .proto_min = SAT_PROTO_MIN,
			.proto_max = SAT_PROTO_VERSION, .org = a->keys.org,
			.name = sat_span_str("light"), .wall_ms = now };

		memcpy(in.token, token[i], sizeof in.token);
		memcpy(in.sign_pk, d[i].sign_pk, sizeof in.sign_pk);
		scale_must(st.device_enrol(&d[i].ord, &d[i].user, st.u, &in,
		    d[i].channel.pk, now, &e), &e);
	}
	scale_must(st.commit(st.u, &e), &e);
	free(token);
}

static void
find_fields(const sat_template *t)
{
	const sat_kind *k = sat_template_kind(t, "account");
	const struct {
		const char *key;
		uint16_t *id;
	} f[] = { { "name", &scale_f.name }, { "industry", &scale_f.industry },
		{ "contact_name", &scale_f.contact },
		{ "phone_main", &scale_f.phone },
		{ "need_type", &scale_f.need }, { "stage", &scale_f.stage },
		{ "owner", &scale_f.owner }, { "remark", &scale_f.remark } };

	scale_f.kind = k->id;
	for (size_t i = 0; i < sizeof f / sizeof f[0]; i++)
		*f[i].id = sat_kind_field(k, f[i].key)->id;
}

void
scale_prepare(scale_server *s, light *d, uint32_t n)
{
	sat_sqlite_status st;
	sat_admin *a;
	sat_err e = { 0 };
	FILE *f;

	s->dir = sat_test_dir();
	s->folder = sat_xasprintf("%s/server", s->dir);
	s->port_file = sat_xasprintf("%s/port", s->dir);
	s->phrase_file = sat_xasprintf("%s/phrase", s->dir);
	if ((f = fopen(s->phrase_file, "we")) != NULL) {
		(void)fputs(PHRASE "\n", f);
		(void)fclose(f);
	}
	scale_must(sat_admin_init(s->folder, "Scale", "admin", NULL,
	    sat_span_str(PHRASE), &e), &e);
	scale_must(sat_admin_open(&a, s->folder, sat_span_str(PHRASE), &e), &e);
	add_people(a, n);
	enrol_all(a, d, n);
	scale_must(sat_sqlite_status_get(&st, a->store, &e), &e);
	s->registry_rev = st.registry_rev;
	s->org = a->keys.org;
	memcpy(s->pk, a->keys.channel.pk, sizeof s->pk);
	admin_template_tip(a, s->tip);
	find_fields(admin_template_at(a, s->tip));
	sat_admin_close(a);
}

void
scale_serve(scale_server *s, const char *satcheld, uint32_t n)
{
	char links[16];
	FILE *f;
	int port = 0;

	(void)snprintf(links, sizeof links, "%u", n + 1000);
	(void)fflush(NULL);
	if ((s->pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl(satcheld, satcheld, "-D", s->folder,
		    "--passphrase-file", s->phrase_file, "serve", "--listen",
		    "tcp://127.0.0.1:0", "--port-file", s->port_file,
		    "--links", links, "--links-per-address", links,
		    (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 2000 && access(s->port_file, R_OK) != 0; i++)
		(void)usleep(10000);
	if ((f = fopen(s->port_file, "re")) != NULL) {
		(void)!fscanf(f, "%d", &port);
		(void)fclose(f);
	}
	s->url = sat_xasprintf("tcp://127.0.0.1:%d", port);
}

void
scale_add_user(const scale_server *s, const char *key)
{
	char a[] = "user", b[] = "add", c[] = "--name", r[] = "--role",
	    hq[] = "hq", k[32];
	char *argv[] = { a, b, k, c, k, r, hq };
	sat_buf out = { 0 };
	sat_err e = { 0 };

	(void)snprintf(k, sizeof k, "%s", key);
	scale_must(sat_admin_ask(s->folder, NULL, 7, argv, &out, &e), &e);
	sat_buf_fini(&out);
}

int64_t
scale_held(const scale_server *s)
{
	char a[] = "status", b[] = "--json";
	char *argv[] = { a, b };
	sat_buf out = { 0 };
	sat_json *doc;
	sat_err e = { 0 };
	int64_t n;

	scale_must(sat_admin_ask(s->folder, NULL, 2, argv, &out, &e), &e);
	scale_must(sat_json_parse(&doc, sat_buf_span(&out), out.n, &e), &e);
	n = sat_json_get_int(doc, "parked", -1);
	sat_json_free(doc);
	sat_buf_fini(&out);
	return n;
}

bool
scale_stop(scale_server *s)
{
	int status = 0;

	(void)kill(s->pid, SIGTERM);
	(void)waitpid(s->pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what it holds ------------------------------------------------------------------- */

typedef struct dump {
	uint32_t n, records;
	unsigned faults;
	uint8_t *seen;
} dump;

static bool
on_row(void *u, const sat_rec_row *row)
{
	dump *x = u;
	const uint8_t *b = row->id.b;
	uint32_t index = (uint32_t)b[12] << 16 | (uint32_t)b[13] << 8 | b[14];
	char want[16], got[16];
	sat_arena a = { 0 };
	sat_record r;
	sat_value v;

	x->records++;
	if (index >= x->n || b[15] >= ACCOUNTS ||
	    sat_record_read(&r, &a, row->state, NULL) != SAT_OK) {
		x->faults++;
		sat_arena_fini(&a);
		return true;
	}
	v = sat_record_value(&r, scale_f.remark);
	(void)snprintf(want, sizeof want, "v%u",
	    (b[15] + 1u) * (COMMITS / ACCOUNTS) - 1);
	(void)snprintf(got, sizeof got, "%.*s",
	    v.type == SAT_V_TEXT ? (int)v.s.n : 0,
	    v.type == SAT_V_TEXT ? (const char *)v.s.p : "");
	x->faults += strcmp(want, got) != 0;
	x->seen[index * ACCOUNTS + b[15]]++;
	sat_arena_fini(&a);
	return true;
}

unsigned
scale_check_store(const scale_server *s, uint32_t n)
{
	dump x = { .n = n, .seen = sat_xcalloc(n, ACCOUNTS) };
	sat_admin *a;
	sat_store st;
	sat_err e = { 0 };

	scale_must(sat_admin_open(&a, s->folder, sat_span_str(PHRASE), &e), &e);
	st = sat_sqlite_store_ops(a->store);
	scale_must(st.begin(st.u, &e), &e);
	scale_must(st.rec_scan(st.u, 0, on_row, &x, &e), &e);
	st.rollback(st.u);
	sat_admin_close(a);
	for (uint32_t i = 0; i < n * ACCOUNTS; i++)
		x.faults += x.seen[i] != 1;
	free(x.seen);
	return x.faults;
}

void
scale_remove(scale_server *s)
{
	sat_test_rmdir(s->dir);
	free(s->folder);
	free(s->phrase_file);
	free(s->port_file);
	free(s->url);
}
