/*
 * init: from an invitation to a complete replica. The device's keys are made
 * and stored before the server hears of them, so a link lost in the middle is
 * repeated with the same keys and the same invitation.
 */
#include "client/cli/cli_int.h"

#include "client/sync/wipe.h"
#include "common/base/file.h"
#include "protocol/invite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

sat_rc
cli_make_folders(const char *path, sat_err *e)
{
	char *p = sat_xstrdup(path);
	sat_rc rc = SAT_OK;

	for (char *s = p + 1; *s != '\0'; s++)
		if (*s == '/') {
			*s = '\0';
			(void)mkdir(p, 0755);
			*s = '/';
		}
	if (mkdir(p, 0700) != 0 && errno != EEXIST)
		rc = sat_fail(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
		    "cannot make %s: %s", path, strerror(errno));
	free(p);
	return rc;
}

void
cli_draw_keys(sat_replica_identity *id)
{
	uint8_t seed[32];

	memset(id, 0, sizeof *id);
	sat_random(seed, sizeof seed);
	sat_sign_keys(id->sign_pk, id->sign_sk, seed);
	sat_random(id->channel_sk, sizeof id->channel_sk);
	sat_box_keys(id->channel_pk, id->channel_sk);
	sat_wipe(seed, sizeof seed);
	id->incarnation = 1;
}

sat_rc
cli_create(cli *c, sat_replica_identity *id, sat_err *e)
{
	char *ring = sat_xasprintf("%s/replica.keyring", c->home);
	char *db = sat_xasprintf("%s/replica.db", c->home);
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE };
	sat_replica_env env = { .path = db, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
	sat_replica *r = NULL;
	sat_buf phrase = { 0 };
	sat_rc rc;

	if ((rc = sat_wipe_forget(c->home, &c->api.sync, e)) != SAT_OK ||
	    (rc = cli_passphrase(&phrase, c, "passphrase-file",
	         "New passphrase (at least 8 characters; 4 words are better)",
	         true, e)) != SAT_OK ||
	    (rc = cli_make_folders(c->home, e)) != SAT_OK)
		goto out;
	secret.bytes = sat_buf_span(&phrase);
	if ((rc = sat_keyring_create(&c->keyring, ring, &secret, e)) != SAT_OK)
		goto out;
	env.keyring = c->keyring;
	rc = sat_replica_create(&r, &env, id, e);
	c->api.crm.replica = r;
	c->api.crm.clock = env.clock;
	c->api.crm.lang = c->lang;
	c->api.keyring = c->keyring;
	c->api.dir = c->home;
	c->api.profile = c->profile;
	c->api.sync.clock = env.clock;
	c->api.sync.rand = env.rand;
	if (rc != SAT_OK) { /* nothing half-made stays behind */
		sat_keyring_close(c->keyring);
		c->keyring = NULL;
		(void)unlink(ring);
		(void)unlink(db);
	}
out:
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	free(ring);
	free(db);
	return rc;
}

const sat_opt cli_init_options[] = {
	{ "invite", 0, "CODE", "the invitation (- = stdin)" },
	{ "server", 0, "URL", "the server's address, instead of the invitation's" },
	{ "name", 0, "NAME", "what this device is called" },
	{ "role", 0, "ROLE", "the role it has to be for" },
	{ "pack", 0, "ID", "the industry pack the organisation has to work with" },
	{ "demo", 0, "N", "a company of N customers to try things with instead" },
	{ NULL, 0, NULL, NULL },
};

static sat_rc
create_for(cli *c, const sat_invite *inv, sat_err *e)
{
	sat_replica_identity id;
	sat_rc rc;

	cli_draw_keys(&id);
	id.org = inv->org;
	memcpy(id.server_pk, inv->server_pk, sizeof id.server_pk);
	(void)snprintf(id.server, sizeof id.server, "%s", inv->address);
	rc = cli_create(c, &id, e);
	sat_wipe(&id, sizeof id);
	return rc;
}

static sat_rc
read_invite(sat_invite *inv, cli *c, sat_err *e)
{
	const char *text = sat_args_get(&c->args, "invite");
	char line[SAT_INVITE_TEXT_MAX] = "";

	if (text == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.invite",
		    "ask the administrator for: satcheld device invite --user YOU",
		    "init needs --invite CODE (- = standard input)");
	if (strcmp(text, "-") == 0) {
		if (fgets(line, sizeof line, stdin) == NULL)
			return sat_fail(e, SAT_EUSAGE, "no invitation on stdin");
		text = line;
	}
	return sat_invite_read(inv, text, e);
}

/* --server: the invitation was made before the server moved. */
static sat_rc
other_server(sat_invite *inv, const cli *c, sat_err *e)
{
	const char *server = sat_args_get(&c->args, "server");

	if (server == NULL)
		return SAT_OK;
	if (strncmp(server, "tcp://", 6) != 0 || strchr(server + 6, ':') == NULL ||
	    strlen(server) >= sizeof inv->address)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "tcp://HOST:PORT", "--server %.60s is no address", server);
	(void)snprintf(inv->address, sizeof inv->address, "%s", server);
	return SAT_OK;
}

/* Said at once, while the administrator is still near. */
static sat_rc
right_role(const cli *c, sat_err *e)
{
	const char *want = sat_args_get(&c->args, "role");
	const char *is = sat_replica_identity_get(c->api.crm.replica)->role;

	if (want == NULL || strcmp(want, is) == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "role",
	    "ask for an invitation of a user of that role, and another folder",
	    "the invitation was for the role %s, not %s", is, want);
}

/* The same of what the organisation works with, once the template is here. */
static sat_rc
right_pack(const cli *c, sat_err *e)
{
	const char *want = sat_args_get(&c->args, "pack");
	const sat_template *t = cli_template(c);
	const char *is = t != NULL ? sat_json_get_str(sat_template_doc(t,
	    "template.json"), "id", "") : "";

	if (want == NULL || strcmp(want, is) == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_ECONFLICT, "pack",
	    "the administrator chooses it: satcheld template packs",
	    "the organisation works with the pack %.40s, not %.40s", is, want);
}

static void
host_name(char *out, size_t n)
{
	if (gethostname(out, n) != 0)
		(void)snprintf(out, n, "device");
	out[n - 1] = '\0';
}

sat_rc
cli_init(cli *c, sat_err *e)
{
	const char *name = sat_args_get(&c->args, "name");
	char *ring = sat_xasprintf("%s/replica.keyring", c->home);
	bool there = access(ring, F_OK) == 0;
	sat_json *answer = NULL;
	char host[64];
	sat_invite inv;
	sat_rc rc;

	free(ring);
	if (sat_args_has(&c->args, "demo") && sat_args_has(&c->args, "pack"))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "the demonstration has the base template");
	if (sat_args_has(&c->args, "demo"))
		return cli_demo_seed(c, e);
	if ((rc = read_invite(&inv, c, e)) != SAT_OK ||
	    (rc = other_server(&inv, c, e)) != SAT_OK)
		return rc;
	rc = there ? cli_open(c, e) : create_for(c, &inv, e);
	if (rc != SAT_OK)
		return rc;
	if (sat_replica_identity_get(c->api.crm.replica)->device != 0)
		return sat_fail_code(e, SAT_ECONFLICT, "enrolled",
		    "another folder: --home DIR or --profile NAME",
		    "this folder holds an enrolled replica already");
	host_name(host, sizeof host);
	c->api.sync.timeout_ms = 15000;
	rc = sat_sync_enrol(c->api.crm.replica, &inv, name != NULL ? name : host,
	    &c->api.sync, e);
	if (rc != SAT_OK)
		return rc;
	cli_say(c, "enrolled as %s (%s)\n",
	    sat_replica_identity_get(c->api.crm.replica)->user_key,
	    sat_replica_identity_get(c->api.crm.replica)->role);
	if ((rc = right_role(c, e)) != SAT_OK)
		return rc;
	rc = cli_ask(&answer, c, "POST", "/v1/sync/run", NULL, NULL, e);
	if (rc == SAT_OK) {
		sat_json_free(answer);
		answer = NULL;
		if ((rc = cli_ask(&answer, c, "GET", "/v1/status", NULL, NULL,
		         e)) == SAT_OK)
			cli_print_status(c, answer);
	}
	sat_json_free(answer);
	return rc == SAT_OK ? right_pack(c, e) : rc;
}

/* --json: verbs of the keyring have no route of their own. */
static void
print_done(cli *c, const char *schema, const char *folder)
{
	sat_json *d;

	if (!cli_is_json(c))
		return;
	d = sat_json_obj();
	sat_json_put_str(d, "schema", schema);
	sat_json_put_str(d, "result", "ok");
	if (folder != NULL)
		sat_json_put_str(d, "folder", folder);
	cli_print_json(c, d);
	sat_json_free(d);
}

sat_rc
cli_passwd(cli *c, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE };
	sat_buf phrase = { 0 };
	sat_rc rc = cli_passphrase(&phrase, c, "new-passphrase-file",
	    "New passphrase", true, e);

	secret.bytes = sat_buf_span(&phrase);
	if (rc == SAT_OK)
		rc = c->socket != NULL ? cli_remote_passwd(c, secret.bytes, e) :
		    sat_keyring_set_slot(c->keyring, &secret, e);
	if (rc == SAT_OK)
		print_done(c, "satchel/passwd/1", NULL);
	if (rc == SAT_OK && !cli_is_json(c))
		cli_say(c, "the passphrase is changed; old copies of the "
		           "keyring still open with the old one\n");
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	return rc;
}

static sat_rc
copy_in(const char *from_dir, const char *to_dir, const char *name, sat_err *e)
{
	char *from = sat_xasprintf("%s/%s", from_dir, name);
	char *to = sat_xasprintf("%s/%s", to_dir, name);
	sat_rc rc = access(from, F_OK) == 0 ? sat_file_copy(from, to, e) :
	    sat_fail(e, SAT_ENOTFOUND, "%s is not a backup: no %s", from_dir,
	        name);

	free(from);
	free(to);
	return rc;
}

/* Nothing is written over. The keyring makes a folder a replica and comes last,
 * so a copy without one was cut short and begins anew. */
static sat_rc
put_in_place(const cli *c, const char *from, sat_err *e)
{
	char *ring = sat_xasprintf("%s/replica.keyring", c->home);
	char *db = sat_xasprintf("%s/replica.db", c->home);
	sat_rc rc = SAT_OK;

	if (sat_file_there(ring))
		rc = sat_fail_code(e, SAT_ECONFLICT, "replica.exists",
		    "another folder: --home DIR or --profile NAME",
		    "there is a replica in %s already", c->home);
	else
		sat_file_remove(db);
	if (rc == SAT_OK &&
	    (rc = copy_in(from, c->home, "replica.db", e)) == SAT_OK)
		rc = copy_in(from, c->home, "replica.keyring", e);
	free(ring);
	free(db);
	return rc;
}

/* restore BACKUP: verify where it lies; else into an empty home, as a new
 * incarnation, so that numbers already used are never used again. */
sat_rc
cli_restore(cli *c, sat_err *e)
{
	const char *from = c->args.nargs > 1 ? c->args.arg[1] : NULL;
	bool verify = sat_args_has(&c->args, "verify-only");
	char *home = NULL;
	sat_rc rc;

	if (from == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satchel restore BACKUP [--verify-only]");
	home = c->home;
	c->home = sat_xstrdup(from);
	rc = cli_open(c, e);
	if (rc == SAT_OK)
		rc = sat_replica_check(c->api.crm.replica, false, e);
	cli_close(c);
	c->home = home;
	if (rc == SAT_OK && verify) {
		print_done(c, "satchel/restore/1", from);
		if (!cli_is_json(c))
			cli_say(c, "the backup in %s is sound\n", from);
	}
	if (rc != SAT_OK || verify)
		return rc;
	if ((rc = sat_wipe_forget(c->home, &c->api.sync, e)) != SAT_OK ||
	    (rc = cli_make_folders(c->home, e)) != SAT_OK ||
	    (rc = put_in_place(c, from, e)) != SAT_OK ||
	    (rc = cli_open(c, e)) != SAT_OK)
		return rc;
	rc = sat_replica_new_incarnation(c->api.crm.replica, e);
	if (rc == SAT_OK)
		print_done(c, "satchel/restore/1", c->home);
	if (rc == SAT_OK && !cli_is_json(c))
		cli_say(c, "restored into %s; run: satchel sync\n", c->home);
	return rc;
}
