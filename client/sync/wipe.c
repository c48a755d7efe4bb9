/*
 * wipe.c - the order of destruction: note, key slots, keys in memory, files,
 * receipt.
 *
 * Invariants:
 *   W1  the note is durable before the first slot is touched (or cannot be
 *       written at all: a full disk saves nobody's keys)
 *   W2  the receipt leaves when the slots and their names are gone, durably
 *   W3  every step may be done again
 */
#include "client/sync/wipe.h"

#include "client/sync/sync_int.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/shm.h"
#include "common/json/json.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define NOTE "replica.wiped"
#define NOTE_MAX SAT_JSON_BYTES_MAX
#define REPORT_TIMEOUT_MS 5000

typedef struct note {
	sat_json *doc;
	sat_wiped receipt;
	sat_id org;
	uint8_t server_pk[32];
	const char *server; /* in doc */
} note;

static char *
in_folder(const char *folder, const char *name)
{
	return sat_xasprintf("%s/%s", folder, name);
}

/* ---- the note ---------------------------------------------------------------- */

static void
put_hex(sat_json *d, const char *key, const void *p, size_t n)
{
	char *hex = sat_xmalloc(2 * n + 1);

	sat_hex(hex, p, n);
	sat_json_put_str(d, key, hex);
	free(hex);
}

static bool
get_hex(uint8_t *out, size_t n, const sat_json *d, const char *key)
{
	const char *hex = sat_json_get_str(d, key, "");

	return strlen(hex) == 2 * n && sat_unhex(out, n, hex, 2 * n);
}

/* Each path once: people export to the same name again and again. */
static void
lies_at(sat_json *elsewhere, const char *what, const char *path)
{
	for (const sat_json *x = sat_json_first(elsewhere); x != NULL;
	     x = sat_json_next(x))
		if (strcmp(sat_json_get_str(x, what, ""), path) == 0)
			return;
	sat_json_put_str(sat_json_add_obj(elsewhere), what, path);
}

/*
 * What the audit log says was written elsewhere, by its whole path. It names an
 * export before the first row and after the last: of one that was cut off only
 * what lies beside that name is ours, and what has the name may be anybody's.
 */
static void
on_audit(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	const char *file = NULL;

	for (const char *p = detail; (p = strstr(p, " file=")) != NULL; p++)
		file = p + strlen(" file="); /* the last member */
	(void)seq;
	(void)at_ms;
	if (strcmp(action, "backup") == 0 && detail[0] == '/')
		lies_at(u, "backup", detail);
	if (file == NULL || file[0] != '/' || sat_shm_holds(file))
		return; /* of those in memory each has another name */
	if (strcmp(action, "export") == 0)
		lies_at(u, "unfinished", file);
	else if (strcmp(action, "export.done") == 0)
		lies_at(u, "export", file);
}

static void
note_make(note *n, sat_replica *r, const sat_sync_opts *o)
{
	const sat_replica_identity *id = sat_replica_identity_get(r);
	sat_buf receipt = { 0 };

	*n = (note){ .doc = sat_json_obj(), .org = id->org };
	memcpy(n->server_pk, id->server_pk, sizeof n->server_pk);
	sat_replica_wiped(&n->receipt, r);
	sat_wiped_write(&receipt, &n->receipt);
	sat_json_put_str(n->doc, "schema", "satchel/wiped/1");
	sat_json_put_int(n->doc, "device", id->device);
	sat_json_put_str(n->doc, "server", sat_sync_address(id, o));
	put_hex(n->doc, "server_key", id->server_pk, sizeof id->server_pk);
	put_hex(n->doc, "org", id->org.b, sizeof id->org.b);
	put_hex(n->doc, "receipt", receipt.p, receipt.n);
	sat_json_put_bool(n->doc, "reported", false);
	/* a log that cannot be read keeps nothing from being wiped */
	(void)(sat_replica_audit_list(r, 0, on_audit, sat_json_put_arr(n->doc,
	    "elsewhere"), NULL) == SAT_OK);
	n->server = sat_json_get_str(n->doc, "server", "");
	sat_buf_fini(&receipt);
}

static sat_rc
note_write(const note *n, const char *folder, sat_err *e)
{
	char *path = in_folder(folder, NOTE);
	sat_buf b = { 0 };
	sat_rc rc;

	sat_json_write(&b, n->doc, true);
	sat_buf_str(&b, "\n");
	rc = sat_file_write(path, sat_buf_span(&b), 0600, e);
	if (rc == SAT_OK)
		rc = sat_folder_sync(folder, e);
	sat_buf_fini(&b);
	free(path);
	return rc;
}

static sat_rc
note_read(note *n, const char *folder, sat_err *e)
{
	char *path = in_folder(folder, NOTE);
	uint8_t receipt[SAT_WIPED_BYTES];
	sat_reader r = sat_reader_of(sat_span_of(receipt, sizeof receipt));
	sat_buf b = { 0 };
	sat_rc rc;

	*n = (note){ 0 };
	if ((rc = sat_file_read(&b, path, NOTE_MAX, e)) == SAT_OK &&
	    (sat_json_parse(&n->doc, sat_buf_span(&b), 0, NULL) != SAT_OK ||
	    !get_hex(receipt, sizeof receipt, n->doc, "receipt") ||
	    !get_hex(n->org.b, sizeof n->org.b, n->doc, "org") ||
	    !get_hex(n->server_pk, sizeof n->server_pk, n->doc, "server_key")))
		rc = sat_fail(e, SAT_EINTEGRITY, "%s is damaged", path);
	if (rc == SAT_OK) {
		sat_wiped_take(&n->receipt, &r);
		n->server = sat_json_get_str(n->doc, "server", "");
	}
	sat_buf_fini(&b);
	free(path);
	return rc;
}

bool
sat_wipe_noted(const char *folder)
{
	char *path = in_folder(folder, NOTE);
	bool yes = sat_file_there(path);

	free(path);
	return yes;
}

/* ---- keys and files ------------------------------------------------------------ */

static sat_rc
destroy_slots(const char *folder, sat_err *e)
{
	char *ring = in_folder(folder, "replica.keyring");
	sat_rc rc = sat_keyring_destroy(ring, e);

	free(ring);
	return rc;
}

/* Of the folder itself only what this program makes there: a home that was named
 * may hold other things. */
static bool
is_ours(const char *name)
{
	static const char *const names[] = { "config", "daemon.log",
		"demo.passphrase", "form.xlsx", NULL };

	if (strncmp(name, "replica.", 8) == 0)
		return strcmp(name, NOTE) != 0 &&
		    strcmp(name, "replica.keyring.lock") != 0;
	for (size_t i = 0; names[i] != NULL; i++) {
		size_t n = strlen(names[i]);

		if (strncmp(name, names[i], n) == 0 && (name[n] == '\0' ||
		    strcmp(name + n, ".tmp") == 0)) /* left by one killed */
			return true;
	}
	return false;
}

static void
remove_files(const char *folder)
{
	DIR *d = opendir(folder);
	char *spool = in_folder(folder, "spool");
	const struct dirent *x;

	(void)(sat_folder_clear(spool, NULL) == SAT_OK);
	free(spool);
	while (d != NULL && (x = readdir(d)) != NULL) {
		char *path = in_folder(folder, x->d_name);

		if (is_ours(x->d_name))
			sat_file_remove(path);
		free(path);
	}
	if (d != NULL)
		(void)closedir(d);
	sat_shm_sweep(folder, NULL);
	(void)(sat_folder_sync(folder, NULL) == SAT_OK);
}

/* What an export that was killed has written, of whatever format. */
static void
destroy_begun(const char *file)
{
	static const char *const ends[] = { ".tmp", ".tmp-wal" };

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char *path = sat_xasprintf("%s%s", file, ends[i]);

		(void)(sat_file_shred(path, NULL) == SAT_OK);
		free(path);
	}
}

/* A stick that is not in, a folder that was moved: out of reach. */
static void
destroy_elsewhere(const note *n)
{
	for (const sat_json *x = sat_json_first(sat_json_get(n->doc,
	    "elsewhere")); x != NULL; x = sat_json_next(x)) {
		const char *backup = sat_json_get_str(x, "backup", NULL);
		const char *file = sat_json_get_str(x, "export", NULL);
		const char *begun = sat_json_get_str(x, "unfinished", file);

		if (backup != NULL && sat_file_there(backup)) {
			(void)(destroy_slots(backup, NULL) == SAT_OK);
			remove_files(backup);
		}
		if (file != NULL)
			(void)(sat_file_shred(file, NULL) == SAT_OK);
		if (begun != NULL)
			destroy_begun(begun);
	}
}

/* ---- the receipt ---------------------------------------------------------------- */

/* The device's keys are dead: the link is a stranger's, the receipt speaks for
 * itself. */
static sat_rc
exchange(const note *n, sat_net_client *link, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_WIPED };
	sat_buf request = { 0 }, reply = { 0 };
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.wiped = n->receipt;
	sat_msg_write(&request, &m);
	if ((rc = sat_net_request(link, &reply, sat_buf_span(&request), e)) ==
	    SAT_OK && (rc = sat_msg_read(&m, &a, sat_buf_span(&reply), e)) ==
	    SAT_OK) {
		if (m.type == SAT_MSG_ERROR)
			rc = sat_msg_to_err(&m.u.error, e);
		else if (m.type != SAT_MSG_WIPED || memcmp(m.u.wiped.nonce,
		    n->receipt.nonce, sizeof n->receipt.nonce) != 0)
			rc = sat_fail(e, SAT_EPROTO,
			    "the server took no receipt");
	}
	sat_arena_fini(&a);
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return rc;
}

static sat_rc
send_receipt(const note *n, const sat_sync_opts *o, sat_err *e)
{
	sat_replica_identity *id = sat_secret_new(sizeof *id);
	sat_sync_opts once = *o;
	sat_net_client *link = NULL;
	sat_rc rc;

	once.timeout_ms = REPORT_TIMEOUT_MS;
	id->org = n->org;
	sat_random(id->channel_sk, sizeof id->channel_sk);
	sat_box_keys(id->channel_pk, id->channel_sk);
	rc = sat_sync_dial(&link, n->server, n->server_pk, id, &once, e);
	if (rc == SAT_OK)
		rc = exchange(n, link, e);
	sat_net_hangup(link);
	sat_secret_free(id);
	return rc;
}

/* W2. Where copies lay is not kept longer than it is needed. */
static sat_rc
report(note *n, const char *folder, const sat_sync_opts *o, sat_err *e)
{
	sat_rc rc;

	if (sat_json_get_bool(n->doc, "reported", false))
		return SAT_OK;
	if ((rc = send_receipt(n, o, e)) != SAT_OK) {
		sat_log(SAT_WARN, "WIPE-RECEIPT", "rc=%d sent=no", (int)rc);
		return rc;
	}
	sat_json_del(n->doc, "reported");
	sat_json_del(n->doc, "elsewhere");
	sat_json_put_bool(n->doc, "reported", true);
	(void)(note_write(n, folder, NULL) == SAT_OK);
	return SAT_OK;
}

/* ---- the contract ------------------------------------------------------------------ */

sat_rc
sat_wipe_gone(sat_err *e)
{
	return sat_fail_code(e, SAT_EREVOKED, SAT_CODE_WIPED,
	    "ask the administrator for a new invitation",
	    "this device was revoked, and what it held was destroyed");
}

sat_rc
sat_wipe_carry_out(const char *folder, sat_replica *r, sat_keyring *k,
    const sat_sync_opts *o, sat_err *e)
{
	sat_err why = { 0 };
	note n;
	sat_rc rc;

	note_make(&n, r, o);
	if (note_write(&n, folder, &why) != SAT_OK) /* W1 */
		sat_log(SAT_WARN, "WIPE-NOTE", "text=%s", why.text);
	rc = destroy_slots(folder, e);
	sat_replica_close(r);
	sat_keyring_close(k);
	destroy_elsewhere(&n);
	remove_files(folder);
	if (rc == SAT_OK) {
		(void)(report(&n, folder, o, NULL) == SAT_OK);
		rc = sat_wipe_gone(e);
	}
	sat_log(SAT_WARN, "WIPED", "device=%u rc=%d", n.receipt.device,
	    (int)rc);
	sat_json_free(n.doc);
	return rc;
}

sat_rc
sat_wipe_resume(const char *folder, const sat_sync_opts *o, sat_err *e)
{
	note n;
	sat_rc rc;

	/* a note nobody can read is still the server's word */
	(void)(note_read(&n, folder, NULL) == SAT_OK);
	if ((rc = destroy_slots(folder, e)) == SAT_OK) {
		if (n.server != NULL)
			destroy_elsewhere(&n);
		remove_files(folder);
		if (n.server != NULL)
			(void)(report(&n, folder, o, NULL) == SAT_OK);
		rc = sat_wipe_gone(e);
	}
	sat_json_free(n.doc);
	return rc;
}

sat_rc
sat_wipe_forget(const char *folder, const sat_sync_opts *o, sat_err *e)
{
	char *path = in_folder(folder, NOTE);
	note n = { 0 };
	sat_rc rc = SAT_OK;

	if (sat_wipe_noted(folder)) {
		rc = sat_wipe_resume(folder, o, e);
		rc = rc != SAT_EREVOKED ? rc : note_read(&n, folder, e);
		if (rc == SAT_OK && !sat_json_get_bool(n.doc, "reported", false))
			rc = sat_fail_code(e, SAT_EUNREACHABLE, SAT_CODE_WIPED,
			    "connect this device and try again, or choose "
			    "another folder", "this folder was wiped, and the "
			    "server has not heard of it yet");
		if (rc == SAT_OK)
			sat_file_remove(path);
	}
	sat_json_free(n.doc);
	free(path);
	return rc;
}
