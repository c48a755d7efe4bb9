/*
 * demo: a company to try things out with, in a folder of its own.
 */
#include "client/cli/cli_int.h"
#include "common/base/file.h"

#include "client/crm/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS ((int64_t)86400000)
#define TZ_MIN 480 /* of the base template */

static const sat_opt seed_options[] = {
	{ "accounts", 0, "N", "customers (500)" },
	{ "days", 0, "D", "length of their history (180)" },
	{ "seed", 0, "S", "another seed, another company (7)" },
	{ NULL, 0, NULL, NULL },
};

static const char *const parts[] = { "replica.db", "replica.db-wal",
	"replica.keyring", "demo.passphrase", "replica.keyring.1",
	"replica.keyring.lock" };
#define NEEDED 4 /* the first of them: where one is, a replica is or was */

static void
remove_parts(const char *home)
{
	char *spool = sat_xasprintf("%s/spool", home);

	/* what waits there opens with a key that goes */
	(void)(sat_folder_clear(spool, NULL) == SAT_OK);
	free(spool);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		char *path = sat_xasprintf("%s/%s", home, parts[i]);

		(void)unlink(path);
		free(path);
	}
}

static sat_rc
number(int64_t *v, const cli *c, const char *name, int64_t dflt, sat_err *e)
{
	const char *s = sat_args_get(&c->args, name);
	char *end;

	*v = dflt;
	if (s == NULL)
		return SAT_OK;
	errno = 0;
	*v = strtoll(s, &end, 10);
	if (end == s || *end != '\0' || errno != 0 || *v < 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--%s needs a whole number", name);
	return SAT_OK;
}

/* This morning: a day's demonstrations are one and the same. */
static sat_rc
take_options(sat_demo_opts *o, const cli *c, sat_err *e)
{
	const char *as_of = sat_args_get(&c->args, "as-of");
	int64_t seed, now = sat_wall_ms(&c->api.crm.clock);
	const char *most = sat_args_has(&c->args, "demo") ? "demo" : "accounts";
	sat_rc rc;

	if ((rc = number(&o->accounts, c, most, 500, e)) != SAT_OK ||
	    (rc = number(&o->days, c, "days", 180, e)) != SAT_OK ||
	    (rc = number(&seed, c, "seed", 7, e)) != SAT_OK)
		return rc;
	o->seed = (uint64_t)seed;
	/* Chinese unless told: the language of the texts does not decide */
	o->english = sat_args_get(&c->args, "lang") != NULL &&
	    strcmp(sat_args_get(&c->args, "lang"), "en") == 0;
	o->as_of_ms = (now + TZ_MIN * 60000) / DAY_MS * DAY_MS -
	    TZ_MIN * 60000;
	if (as_of != NULL && !sat_time_parse(&o->as_of_ms, as_of, TZ_MIN))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--as-of %.40s is no time", as_of);
	if (o->as_of_ms > now)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--as-of lies in the future");
	if (o->accounts < 1 || o->accounts > SAT_DEMO_ACCOUNTS_MAX ||
	    o->days < 1 || o->days > SAT_DEMO_DAYS_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--accounts 1 to %d, --days 1 to %d",
		    SAT_DEMO_ACCOUNTS_MAX, SAT_DEMO_DAYS_MAX);
	return SAT_OK;
}

/* Whoever names a passphrase has it his way; else one is drawn and lies beside
 * the data. */
static sat_rc
draw_passphrase(const cli *c, sat_err *e)
{
	uint8_t raw[16];
	char hex[sizeof raw * 2 + 2];
	char *path;
	sat_rc rc = SAT_OK;
	int fd;

	if (sat_args_has(&c->args, "passphrase-file") ||
	    sat_args_has(&c->args, "passphrase-fd") ||
	    cli_choice(c, NULL, "SATCHEL_PASSPHRASE_FILE",
	        "core.passphrasefile") != NULL)
		return SAT_OK;
	sat_random(raw, sizeof raw);
	sat_hex(hex, raw, sizeof raw);
	hex[sizeof raw * 2] = '\n';
	path = sat_xasprintf("%s/demo.passphrase", c->home);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, hex, sizeof raw * 2 + 1) !=
	    (ssize_t)sizeof raw * 2 + 1)
		rc = sat_fail(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
		    "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	free(path);
	return rc;
}

static sat_rc
need_empty(const cli *c, sat_err *e)
{
	for (size_t i = 0; i < NEEDED; i++) {
		char *path = sat_xasprintf("%s/%s", c->home, parts[i]);
		bool there = access(path, F_OK) == 0;

		free(path);
		if (there)
			return sat_fail_code(e, SAT_ECONFLICT, "demo.mixed",
			    "another folder: --home DIR or --profile NAME; "
			    "satchel demo reset takes a demonstration away",
			    "there is a replica in %s already", c->home);
	}
	return SAT_OK;
}

static void
told(void *u, int64_t done, int64_t of)
{
	cli *c = u;

	if (c->tty_err && !c->quiet)
		(void)fprintf(stderr, "\r%lld of %lld", (long long)done,
		    (long long)of);
}

static void
print_seeded(cli *c, const sat_demo_opts *o, const sat_demo_summary *s,
    int64_t ms)
{
	sat_json *d;
	char as_of[32];

	if (!cli_is_json(c)) {
		cli_say(c, "%s%lld customers, %lld follow-ups, %lld records in "
		    "all: demonstration data, nothing of it is real\nin %s; try: satchel "
		    "account list, satchel search %s, satchel report run "
		    "won\n", c->tty_err ? "\r" : "", (long long)s->accounts,
		    (long long)s->activities, (long long)s->records, c->home,
		    o->english ? "cloud" : "youxian");
		return;
	}
	sat_time_rfc3339(as_of, o->as_of_ms);
	d = sat_json_obj();
	sat_json_put_str(d, "schema", "satchel/demo.seed/1");
	sat_json_put_str(d, "folder", c->home);
	sat_json_put_int(d, "accounts", s->accounts);
	sat_json_put_int(d, "activities", s->activities);
	sat_json_put_int(d, "records", s->records);
	sat_json_put_int(d, "days", o->days);
	sat_json_put_int(d, "seed", (int64_t)o->seed);
	sat_json_put_str(d, "lang", o->english ? "en" : "zh");
	sat_json_put_str(d, "as_of", as_of);
	sat_json_put_int(d, "ms", ms);
	cli_print_json(c, d);
	sat_json_free(d);
}

sat_rc
cli_demo_seed(cli *c, sat_err *e)
{
	sat_demo_opts o = { .progress = told, .u = c };
	sat_replica_identity id;
	sat_demo_summary sum;
	int64_t start = sat_boot_ms(&c->api.crm.clock);
	sat_rc rc;

	if ((rc = take_options(&o, c, e)) != SAT_OK ||
	    (rc = need_empty(c, e)) != SAT_OK ||
	    (rc = cli_make_folders(c->home, e)) != SAT_OK)
		return rc;
	cli_draw_keys(&id);
	sat_demo_identity(&id);
	if ((rc = draw_passphrase(c, e)) == SAT_OK &&
	    (rc = cli_create(c, &id, e)) == SAT_OK)
		rc = sat_demo_seed(&sum, c->api.crm.replica, &o, e);
	sat_wipe(&id, sizeof id);
	if (rc == SAT_OK) {
		print_seeded(c, &o, &sum, sat_boot_ms(&c->api.crm.clock) - start);
		return SAT_OK;
	}
	sat_replica_close(c->api.crm.replica);
	c->api.crm.replica = NULL;
	remove_parts(c->home);
	return rc;
}

static sat_rc
reset(cli *c, sat_err *e)
{
	sat_json *d;

	if (c->socket != NULL)
		return sat_fail_code(e, SAT_EBUSY, "daemon", "end it first",
		    "a daemon holds the replica");
	if (!sat_replica_is_demo(c->api.crm.replica))
		return sat_fail_code(e, SAT_EDENIED, "demo.real", NULL,
		    "the replica in %s is no demonstration", c->home);
	sat_replica_close(c->api.crm.replica);
	c->api.crm.replica = NULL;
	remove_parts(c->home);
	if (!cli_is_json(c)) {
		cli_say(c, "the demonstration in %s is gone\n", c->home);
		return SAT_OK;
	}
	d = sat_json_obj();
	sat_json_put_str(d, "schema", "satchel/demo.reset/1");
	sat_json_put_str(d, "folder", c->home);
	cli_print_json(c, d);
	sat_json_free(d);
	return SAT_OK;
}

const cli_verb cli_demo_verbs[] = {
	{ "demo", "seed", cli_demo_seed, seed_options,
	    "demo seed [--accounts N] [--days D] [--seed S] [--lang en]",
	    "a company to try things out with",
	    "  satchel --profile demo demo seed\n"
	    "  satchel --profile demo demo seed --lang en\n"
	    "  satchel --profile demo account list --due overdue\n", true },
	{ "demo", "reset", reset, NULL, "demo reset", "take it away again",
	    NULL, false },
};
const size_t cli_demo_nverbs = sizeof cli_demo_verbs /
    sizeof cli_demo_verbs[0];
