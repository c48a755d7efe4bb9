/*
 * The server's folder: made once, opened by one process at a time (the
 * keyring's lock). The organisation's secrets are settings of the encrypted
 * store, so that a backup of it is a backup of them.
 */
#include "server/admin/admin_int.h"

#include "common/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
admin_path(const sat_admin *a, const char *name)
{
	return sat_xasprintf("%s/%s", a->dir, name);
}

static void
keys_write(sat_buf *b, const org_keys *k)
{
	sat_buf_add(b, k->org.b, sizeof k->org.b);
	sat_buf_add(b, k->root_pk, sizeof k->root_pk);
	sat_buf_add(b, k->template_pk, sizeof k->template_pk);
	sat_buf_add(b, k->template_sk, sizeof k->template_sk);
	sat_buf_add(b, k->channel.pk, sizeof k->channel.pk);
	sat_buf_add(b, k->channel.sk, sizeof k->channel.sk);
	sat_buf_add(b, k->server_pk, sizeof k->server_pk);
	sat_buf_add(b, k->server_sk, sizeof k->server_sk);
	sat_buf_add(b, k->server_cert, sizeof k->server_cert);
}

static void
take(sat_reader *r, void *out, size_t n)
{
	sat_span s = sat_read_raw(r, n);

	if (s.n == n)
		memcpy(out, s.p, n);
}

static sat_rc
keys_read(org_keys *k, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	sat_buf b = { 0 };
	bool good;
	sat_rc rc;

	take(&r, k->org.b, sizeof k->org.b);
	take(&r, k->root_pk, sizeof k->root_pk);
	take(&r, k->template_pk, sizeof k->template_pk);
	take(&r, k->template_sk, sizeof k->template_sk);
	take(&r, k->channel.pk, sizeof k->channel.pk);
	take(&r, k->channel.sk, sizeof k->channel.sk);
	take(&r, k->server_pk, sizeof k->server_pk);
	take(&r, k->server_sk, sizeof k->server_sk);
	take(&r, k->server_cert, sizeof k->server_cert);
	if ((rc = sat_read_end(&r, "organisation keys", e)) != SAT_OK)
		return rc;
	sat_server_key_bytes(&b, &k->org, k->server_pk);
	good = sat_sign_ok(k->server_cert, sat_buf_span(&b), k->root_pk);
	sat_buf_fini(&b);
	return good ? SAT_OK : sat_fail(e, SAT_EINTEGRITY,
	    "the root key did not sign the server's key");
}

/* The root key leaves this machine: it is written once, sealed by the
 * keyring, for the administrator to move to two offline places. */
static sat_rc
root_key_write(const sat_admin *a, const uint8_t sk[SAT_SIGN_SK_BYTES],
    sat_err *e)
{
	char *path = admin_path(a, "root.key");
	sat_buf sealed = { 0 };
	FILE *f;
	sat_rc rc = SAT_OK;

	sat_keyring_seal(&sealed, a->keyring, "organisation root",
	    sat_span_of(sk, SAT_SIGN_SK_BYTES));
	f = fopen(path, "wbx");
	if (f == NULL || fwrite(sealed.p, 1, sealed.n, f) != sealed.n ||
	    fflush(f) != 0 || fsync(fileno(f)) != 0)
		rc = sat_fail(e, SAT_EIO, "cannot write the root key: %s",
		    strerror(errno));
	if (f != NULL) {
		(void)fchmod(fileno(f), 0600);
		(void)fclose(f);
	}
	sat_buf_fini(&sealed);
	free(path);
	return rc;
}

static void
draw_keys(org_keys *k, uint8_t root_sk[SAT_SIGN_SK_BYTES])
{
	uint8_t seed[32];
	sat_buf b = { 0 };

	sat_random(k->org.b, sizeof k->org.b);
	sat_random(seed, sizeof seed);
	sat_sign_keys(k->root_pk, root_sk, seed);
	sat_random(seed, sizeof seed);
	sat_sign_keys(k->template_pk, k->template_sk, seed);
	sat_random(k->channel.sk, sizeof k->channel.sk);
	sat_box_keys(k->channel.pk, k->channel.sk);
	sat_random(seed, sizeof seed);
	sat_sign_keys(k->server_pk, k->server_sk, seed);
	sat_server_key_bytes(&b, &k->org, k->server_pk);
	sat_sign(k->server_cert, sat_buf_span(&b), root_sk);
	sat_buf_fini(&b);
	sat_wipe(seed, sizeof seed);
}

static sat_rc
store_open(sat_admin *a, bool create, sat_err *e)
{
	char *path = admin_path(a, "server.db");
	sat_sqlite_store_opts o = { .path = path, .keyring = a->keyring,
		.clock = a->clock, .create = create };
	sat_rc rc = sat_sqlite_store_open(&a->store, &o, e);

	free(path);
	return rc;
}

/* What `git verify-commit` needs beside the repository. */
static sat_rc
allowed_signers_write(const sat_admin *a, sat_err *e)
{
	char *path = admin_path(a, "allowed_signers"), line[128];
	FILE *f = fopen(path, "w");
	sat_rc rc = SAT_OK;

	sat_git_ssh_public(line, a->keys.template_pk);
	if (f == NULL || fprintf(f, "satcheld@satchel %s\n", line) < 0)
		rc = sat_fail(e, SAT_EIO, "cannot write %s: %s", path,
		    strerror(errno));
	if (f != NULL)
		(void)fclose(f);
	free(path);
	return rc;
}

static sat_rc
fill(sat_admin *a, const char *org_name, const char *admin_user,
    const char *pack, sat_err *e)
{
	uint8_t root_sk[SAT_SIGN_SK_BYTES];
	char *git = admin_path(a, "templates.git");
	sat_buf b = { 0 };
	uint32_t ord;
	sat_rc rc;

	draw_keys(&a->keys, root_sk);
	keys_write(&b, &a->keys);
	if ((rc = root_key_write(a, root_sk, e)) != SAT_OK ||
	    (rc = sat_sqlite_setting_put(a->store, "org_keys",
	         sat_buf_span(&b), e)) != SAT_OK ||
	    (rc = sat_sqlite_setting_put(a->store, "org_name",
	         sat_span_str(org_name), e)) != SAT_OK ||
	    (rc = sat_sqlite_user_add(&ord, a->store, admin_user, admin_user,
	         "admin", NULL, e)) != SAT_OK ||
	    (rc = sat_git_init_bare(&a->git, git, e)) != SAT_OK)
		goto out;
	if ((rc = admin_layers_first(a, pack, admin_user, e)) == SAT_OK)
		rc = allowed_signers_write(a, e);
out:
	sat_wipe(root_sk, sizeof root_sk);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	free(git);
	return rc;
}

sat_rc
sat_admin_init(const char *dir, const char *org_name, const char *admin_user,
    const char *pack, sat_span passphrase, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = passphrase };
	sat_admin *a = sat_xcalloc(1, sizeof *a);
	sat_arena mem = { 0 };
	char *path = NULL;
	sat_layer l;
	sat_rc rc;

	a->clock = sat_clock_os();
	a->dir = sat_xstrdup(dir);
	if ((rc = sat_template_of_pack(&l, &mem, pack, e)) != SAT_OK)
		goto out;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = sat_fail(e, SAT_EIO, "cannot make %s: %s", dir,
		    strerror(errno));
		goto out;
	}
	path = admin_path(a, "server.keyring");
	if ((rc = sat_keyring_create(&a->keyring, path, &secret, e)) ==
	        SAT_OK &&
	    (rc = store_open(a, true, e)) == SAT_OK)
		rc = fill(a, org_name, admin_user, pack, e);
out:
	sat_arena_fini(&mem);
	free(path);
	sat_admin_close(a);
	return rc;
}

sat_rc
admin_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	const sat_admin *a = u;

	(void)e;
	sat_sign(sig, bytes, a->keys.server_sk);
	return SAT_OK;
}

static bool
open_box(void *u, sat_buf *out, sat_span box)
{
	return sat_box_open(out, box, ((const sat_admin *)u)->keys.channel.sk);
}

static sat_rc
core_start(sat_admin *a, sat_err *e)
{
	sat_server_env env = {
		.store = sat_sqlite_store_ops(a->store),
		.clock = a->clock,
		.org = a->keys.org,
		.org_name = a->org_name,
		.template_at = admin_template_at,
		.template_tip = admin_template_tip,
		.template_bundle = admin_template_bundle,
		.template_take = admin_template_take,
		.template_due = admin_template_due,
		.template_rev = admin_template_rev,
		.sign = admin_sign,
		.rand = sat_rand_os(),
		.unseal = open_box,
		.admin = admin_remote,
		.u = a,
	};

	memcpy(env.root_pk, a->keys.root_pk, sizeof env.root_pk);
	memcpy(env.server_pk, a->keys.server_pk, sizeof env.server_pk);
	memcpy(env.server_cert, a->keys.server_cert, sizeof env.server_cert);
	env.permits = true;
	memcpy(env.template_pk, a->keys.template_pk, sizeof env.template_pk);
	return sat_server_new(&a->core, &env, e);
}

static sat_rc
load(sat_admin *a, sat_err *e)
{
	char *git = admin_path(a, "templates.git");
	sat_buf b = { 0 };
	sat_rc rc;

	if ((rc = sat_sqlite_setting_get(&b, a->store, "org_keys", e)) !=
	        SAT_OK ||
	    (rc = keys_read(&a->keys, sat_buf_span(&b), e)) != SAT_OK)
		goto out;
	sat_wipe(b.p, b.n);
	sat_buf_reset(&b);
	if ((rc = sat_sqlite_setting_get(&b, a->store, "org_name", e)) !=
	    SAT_OK)
		goto out;
	(void)snprintf(a->org_name, sizeof a->org_name, "%s", sat_buf_cstr(&b));
	sat_buf_reset(&b);
	rc = sat_sqlite_setting_get(&b, a->store, "address", NULL);
	if (rc == SAT_OK)
		(void)snprintf(a->address, sizeof a->address, "%s",
		    sat_buf_cstr(&b));
	/* we hold the keyring's lock: another one here is stale */
	if ((rc = sat_git_open(&a->git, git, e)) != SAT_OK ||
	    (rc = sat_git_unlock(a->git, e)) != SAT_OK ||
	    (rc = sat_git_tip(&a->tip, a->git, SAT_ADMIN_BRANCH, e)) != SAT_OK)
		goto out;
	a->canary = a->tip;
	if ((rc = core_start(a, e)) == SAT_OK)
		rc = admin_rollout_load(a, e);
out:
	sat_buf_fini(&b);
	free(git);
	return rc;
}

sat_rc
sat_admin_open(sat_admin **out, const char *dir, sat_span passphrase,
    sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = passphrase };
	sat_admin *a = sat_xcalloc(1, sizeof *a);
	char *path;
	sat_rc rc;

	*out = NULL;
	a->clock = sat_clock_os();
	a->dir = sat_xstrdup(dir);
	path = admin_path(a, "server.keyring");
	rc = sat_keyring_open(&a->keyring, path, &secret, e);
	free(path);
	if (rc == SAT_OK && (rc = store_open(a, false, e)) == SAT_OK)
		rc = load(a, e);
	if (rc != SAT_OK) {
		sat_admin_close(a);
		return rc;
	}
	*out = a;
	return SAT_OK;
}

void
sat_admin_close(sat_admin *a)
{
	if (a == NULL)
		return;
	sat_server_free(a->core);
	admin_templates_free(a);
	sat_git_close(a->git);
	sat_sqlite_store_close(a->store);
	sat_keyring_close(a->keyring);
	sat_wipe(&a->keys, sizeof a->keys);
	free(a->dir);
	free(a);
}
