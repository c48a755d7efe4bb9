/*
 * Where the replica lies, and how it is opened. Order of precedence for the
 * folder: --home, SATCHEL_HOME, else the XDG data folder and the profile.
 * Secrets never come from flags or environment values, only from files,
 * descriptors or the terminal.
 */
#include "client/cli/cli_int.h"
#include "client/sync/wipe.h"
#include "common/crypto/passphrase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

sat_rc
cli_home(cli *c, sat_err *e)
{
	const char *home = sat_args_get(&c->args, "home");
	const char *xdg = getenv("XDG_DATA_HOME"), *user = getenv("HOME");

	if (c->home != NULL)
		return SAT_OK;
	c->profile = cli_choice(c, "profile", "SATCHEL_PROFILE", "core.profile");
	if (c->profile == NULL)
		c->profile = "default";
	if (strchr(c->profile, '/') != NULL || c->profile[0] == '.' ||
	    c->profile[0] == '\0')
		return sat_fail_code(e, SAT_EUSAGE, "usage.profile", NULL,
		    "a profile is a plain name");
	if (home == NULL)
		home = getenv("SATCHEL_HOME");
	if (home != NULL)
		c->home = sat_xstrdup(home);
	else if (xdg != NULL && xdg[0] == '/')
		c->home = sat_xasprintf("%s/satchel/%s", xdg, c->profile);
	else if (user != NULL && user[0] != '\0')
		c->home = sat_xasprintf("%s/.local/share/satchel/%s", user,
		    c->profile);
	else
		return sat_fail_code(e, SAT_EUSAGE, "usage.home",
		    "give --home DIR", "HOME is not set");
	return SAT_OK;
}

/* Demonstration data is no secret: what opens it may lie beside it. */
static sat_rc
demo_passphrase(sat_buf *out, bool *there, const cli *c, sat_err *e)
{
	char *path = sat_xasprintf("%s/demo.passphrase", c->home);
	sat_rc rc;

	*there = access(path, R_OK) == 0;
	rc = *there ? sat_passphrase_file(out, path, e) : SAT_OK;
	free(path);
	return rc;
}

sat_rc
cli_passphrase(sat_buf *out, cli *c, const char *option, const char *prompt,
    bool twice, sat_err *e)
{
	const char *file = sat_args_get(&c->args, option);
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	bool main_one = strcmp(option, "passphrase-file") == 0;
	const char *fd = main_one ? sat_args_get(&c->args, "passphrase-fd")
	                          : NULL;
	sat_buf again = { 0 };
	bool there = false;
	sat_rc rc;

	if (fd != NULL)
		return sat_passphrase_fd(out, fd, e);
	if (file == NULL && main_one)
		file = cli_choice(c, NULL, "SATCHEL_PASSPHRASE_FILE",
		    "core.passphrasefile");
	if (file != NULL)
		return sat_passphrase_file(out, file, e);
	if (dir != NULL && main_one) {
		char *path = sat_xasprintf("%s/satchel.passphrase", dir);

		there = access(path, R_OK) == 0;
		rc = there ? sat_passphrase_file(out, path, e) : SAT_OK;
		free(path);
		if (there)
			return rc;
	}
	if (main_one && (rc = demo_passphrase(out, &there, c, e)) != SAT_OK)
		return rc;
	if (main_one && there)
		return SAT_OK;
	if (c->no_input || !isatty(STDIN_FILENO))
		return sat_fail_code(e, SAT_ELOCKED, "passphrase.missing",
		    "give --passphrase-file FILE (- = standard input)",
		    "a passphrase is needed and there is no terminal to ask");
	if ((rc = sat_passphrase_ask(out, prompt, e)) != SAT_OK || !twice)
		return rc;
	rc = sat_passphrase_ask(&again, "Once more", e);
	if (rc == SAT_OK && !sat_span_eq(sat_buf_span(out), sat_buf_span(&again)))
		rc = sat_fail_code(e, SAT_EUSAGE, "passphrase.differs", NULL,
		    "the two passphrases differ");
	sat_wipe(again.p, again.n);
	sat_buf_fini(&again);
	return rc;
}

sat_rc
cli_need_replica(const cli *c, sat_err *e)
{
	char *ring = sat_xasprintf("%s/replica.keyring", c->home);
	bool none = access(ring, F_OK) != 0 && errno == ENOENT;

	free(ring);
	if (sat_wipe_noted(c->home))
		return sat_wipe_gone(e);
	return !none ? SAT_OK
	             : sat_fail_code(e, SAT_ENOREPLICA, "no_replica",
	                   "enrol this device: satchel init --invite CODE",
	                   "there is no replica in %s", c->home);
}

sat_rc
cli_open_with(cli *c, sat_span passphrase, sat_err *e)
{
	char *ring = sat_xasprintf("%s/replica.keyring", c->home);
	char *db = sat_xasprintf("%s/replica.db", c->home);
	char *spool = sat_xasprintf("%s/spool", c->home);
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = passphrase };
	sat_replica_env env = { .path = db, .clock = sat_clock_os(),
		.rand = sat_rand_os(), .spool = spool };
	sat_rc rc = sat_keyring_open(&c->keyring, ring, &secret, e);

	if (rc == SAT_OK) {
		env.keyring = c->keyring;
		rc = sat_replica_open(&c->api.crm.replica, &env, e);
		if (rc != SAT_OK) {
			sat_keyring_close(c->keyring);
			c->keyring = NULL;
		}
	}
	c->api.crm.clock = env.clock;
	c->api.crm.lang = c->lang;
	c->api.keyring = c->keyring;
	c->api.dir = c->home;
	c->api.profile = c->profile;
	c->api.sync.clock = env.clock;
	c->api.sync.rand = env.rand;
	c->api.sync.server = cli_config(c, "sync.server");
	if (rc == SAT_OK) /* a full disk locks nobody out */
		(void)(sat_crm_login(&c->api.crm, NULL) == SAT_OK);
	free(ring);
	free(db);
	free(spool);
	return rc;
}

sat_rc
cli_open(cli *c, sat_err *e)
{
	sat_buf phrase = { 0 };
	sat_rc rc;

	if ((rc = cli_need_replica(c, e)) == SAT_OK &&
	    (rc = cli_passphrase(&phrase, c, "passphrase-file", "Passphrase",
	         false, e)) == SAT_OK)
		rc = cli_open_with(c, sat_buf_span(&phrase), e);
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	return rc;
}

/* Whatever was asked for: an order to destroy what is here comes first. */
sat_rc
cli_obey(cli *c, sat_rc rc, sat_err *e)
{
	sat_replica *r = c->api.crm.replica;
	sat_keyring *k = c->keyring;

	if (r != NULL && sat_replica_wipe_due(r)) {
		c->api.crm.replica = NULL;
		c->keyring = c->api.keyring = NULL;
		return sat_wipe_carry_out(c->home, r, k, &c->api.sync, e);
	}
	if (rc == SAT_EREVOKED && strcmp(e->code, SAT_CODE_WIPED) == 0)
		return sat_wipe_resume(c->home, &c->api.sync, e);
	return rc;
}

void
cli_close(cli *c)
{
	sat_replica_close(c->api.crm.replica);
	sat_keyring_close(c->keyring);
	c->api.crm.replica = NULL;
	c->keyring = NULL;
	sat_template_free(c->remote_template);
	c->remote_template = NULL;
	free(c->socket);
	c->socket = NULL;
	free(c->home);
	c->home = NULL;
}
