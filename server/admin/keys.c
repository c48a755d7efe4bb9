/*
 * keys: what opens this server, what it signs with, and who else could open it.
 *
 * What can be turned without a word to any device is the passphrase. The keys
 * devices were given with their enrolment (root, template, channel) stay for as
 * long as the organisation does.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/crypto/passphrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINT_BYTES 16
#define KEY_FILE_MAX 200

static sat_rc
usage(sat_err *e)
{
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld keys show | rotate --new-passphrase-file FILE | "
	    "escrow FILE | recover FILE --new-passphrase-file FILE");
}

/* A served folder's verbs run where the server was started. */
static sat_rc
from_root(const sat_admin *a, const char *path, sat_err *e)
{
	return a->relay == NULL || path[0] == '/' ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "usage.path",
	        "begin it with /: the running server opens it",
	        "%.80s could be another file there", path);
}

static sat_rc
new_passphrase(sat_buf *out, const sat_args *w, sat_err *e)
{
	const char *file = sat_args_get(w, "new-passphrase-file");

	return file == NULL ? usage(e) : sat_passphrase_file(out, file, e);
}

/* ---- show ------------------------------------------------------------------------- */

static void
put_key(sat_json *rows, const char *name, const uint8_t *pk, const char *where,
    const char *use)
{
	char hex[2 * FINGERPRINT_BYTES + 1];
	sat_json *row = sat_json_add_obj(rows);

	sat_hex(hex, pk, FINGERPRINT_BYTES);
	sat_json_put_str(row, "key", name);
	sat_json_put_str(row, "public", hex);
	sat_json_put_str(row, "where", where);
	sat_json_put_str(row, "use", use);
}

static sat_rc
keys_show(sat_admin *a, const sat_args *w, sat_buf *out)
{
	static const char *const cols[] = { "key", "public", "where", "use",
		NULL };
	char *root = admin_path(a, "root.key");
	sat_keyring_facts f;
	sat_json *doc = sat_json_obj(), *rows;
	char hex[2 * SAT_FILE_ID_BYTES + 1];

	sat_keyring_look(&f, a->keyring);
	sat_hex(hex, f.id, sizeof f.id);
	sat_json_put_str(doc, "schema", "satcheld/keys.show/1");
	sat_json_put_str(doc, "keyring", hex);
	sat_json_put_int(doc, "generation", (int64_t)f.generation);
	sat_json_put_bool(doc, "passphrase", f.passphrase);
	sat_json_put_bool(doc, "escrow", f.recovery);
	rows = sat_json_put_arr(doc, "data");
	put_key(rows, "root", a->keys.root_pk, sat_file_there(root) ?
	    "beside the data: move it away" : "offline",
	    "vouches for the server's key and for epochs");
	put_key(rows, "server", a->keys.server_pk, "server.db",
	    "signs what the server decides, and leases");
	put_key(rows, "template", a->keys.template_pk, "server.db",
	    "signs templates");
	put_key(rows, "channel", a->keys.channel.pk, "server.db",
	    "what invitations name: links end there");
	if (f.recovery)
		put_key(rows, "escrow", f.recovery_pk, "offline",
		    "opens the keyring without the passphrase");
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	free(root);
	return SAT_OK;
}

/* ---- rotate, escrow ------------------------------------------------------------------- */

static sat_rc
keys_rotate(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *file = sat_args_get(w, "new-passphrase-file");
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE };
	sat_buf phrase = { 0 };
	sat_rc rc;

	if (file == NULL)
		return usage(e);
	if ((rc = from_root(a, file, e)) == SAT_OK &&
	    (rc = new_passphrase(&phrase, w, e)) == SAT_OK) {
		secret.bytes = sat_buf_span(&phrase);
		rc = sat_keyring_set_slot(a->keyring, &secret, e);
	}
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	return rc == SAT_OK ? keys_show(a, w, out) : rc;
}

/* The private half exists in the file alone: first it is safe there, then the
 * keyring is sealed to it. */
static sat_rc
keys_escrow(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	uint8_t sk[SAT_KEY_BYTES], pk[SAT_KEY_BYTES];
	sat_secret_in secret = { .type = SAT_SLOT_RECOVERY,
		.bytes = sat_span_of(pk, sizeof pk) };
	char text[2 * SAT_KEY_BYTES + 2];
	sat_rc rc;

	if (w->nargs != 3)
		return usage(e);
	if ((rc = from_root(a, w->arg[2], e)) != SAT_OK)
		return rc;
	if (sat_file_there(w->arg[2]))
		return sat_fail_code(e, SAT_ECONFLICT, "file.exists",
		    "name a new file, on a medium that goes away",
		    "%.80s is there already", w->arg[2]);
	sat_random(sk, sizeof sk);
	sat_box_keys(pk, sk);
	sat_hex(text, sk, sizeof sk);
	(void)snprintf(text + 2 * sizeof sk, 2, "\n");
	rc = sat_file_write(w->arg[2], sat_span_str(text), 0400, e);
	sat_wipe(text, sizeof text);
	sat_wipe(sk, sizeof sk);
	/* SAT_EFSYNC: the keyring is sealed to it, though a power cut may undo
	 * that; the key before it opens nothing any more */
	if (rc == SAT_OK && (rc = sat_keyring_set_slot(a->keyring, &secret,
	    e)) != SAT_OK && rc != SAT_EFSYNC)
		sat_file_remove(w->arg[2]);
	return rc == SAT_OK ? keys_show(a, w, out) : rc;
}

/* ---- recover: no passphrase is known ---------------------------------------------------- */

static sat_rc
read_key(uint8_t sk[SAT_KEY_BYTES], const char *path, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_file_read(&b, path, KEY_FILE_MAX, e);

	while (b.n > 0 && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		b.n--;
	if (rc == SAT_OK && !sat_unhex(sk, SAT_KEY_BYTES, (const char *)b.p,
	    b.n))
		rc = sat_fail_code(e, SAT_EINVALID, "keys.file",
		    "what satcheld keys escrow wrote: 64 hexadecimal digits",
		    "%.80s holds no key", path);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
sat_admin_recover(const char *dir, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_secret_in key = { .type = SAT_SLOT_RECOVERY };
	sat_secret_in words = { .type = SAT_SLOT_PASSPHRASE };
	uint8_t sk[SAT_KEY_BYTES];
	char *path = sat_xasprintf("%s/server.keyring", dir);
	sat_buf phrase = { 0 };
	sat_keyring *k = NULL;
	sat_rc rc;

	key.bytes = sat_span_of(sk, sizeof sk);
	if (w->nargs != 3)
		rc = usage(e);
	else if ((rc = new_passphrase(&phrase, w, e)) == SAT_OK &&
	    (rc = read_key(sk, w->arg[2], e)) == SAT_OK &&
	    (rc = sat_keyring_open(&k, path, &key, e)) == SAT_OK) {
		words.bytes = sat_buf_span(&phrase);
		rc = sat_keyring_set_slot(k, &words, e);
	}
	if (rc == SAT_OK)
		sat_buf_str(out, sat_args_has(w, "json") ?
		    "{\"schema\":\"satcheld/keys.recover/1\",\"result\":\"ok\"}\n" :
		    "the passphrase is the new one\n");
	sat_keyring_close(k);
	sat_wipe(phrase.p, phrase.n);
	sat_buf_fini(&phrase);
	sat_wipe(sk, sizeof sk);
	free(path);
	return rc;
}

sat_rc
admin_keys_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "show";

	if (strcmp(verb, "show") == 0)
		return keys_show(a, w, out);
	if (strcmp(verb, "rotate") == 0)
		return keys_rotate(a, w, out, e);
	if (strcmp(verb, "escrow") == 0)
		return keys_escrow(a, w, out, e);
	if (strcmp(verb, "recover") == 0)
		return sat_fail_code(e, SAT_EBUSY, "server.running",
		    "satcheld keys rotate, or stop it first",
		    "the server is running: it was opened with its passphrase");
	return usage(e);
}
