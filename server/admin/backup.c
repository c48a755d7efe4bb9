/*
 * Backup, restore, check. A backup is a folder: the keyring and a
 * verified copy of the store, and the template repository. It counts, and
 * moves the durable watermark, only after the copy was opened and checked.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The layers of the template, each with its history in one file; no working
 * repository. The pack's layer is younger than some servers. */
static const struct {
	const char *branch, *file;
	bool needed;
} layers[] = {
	{ SAT_ADMIN_BRANCH, "templates.bundle", true },
	{ SAT_ADMIN_UPSTREAM, "upstream.bundle", false },
	{ SAT_ADMIN_CANARY, "canary.bundle", false },
};
#define NLAYERS (sizeof layers / sizeof layers[0])

static sat_rc
layer_copy(sat_admin *a, const char *branch, const char *to, sat_err *e)
{
	sat_oid tip;
	sat_rc rc = sat_git_tip(&tip, a->git, branch, e);

	return rc != SAT_OK ? rc : sat_git_file_write(to, 0600, a->git, &tip,
	    SAT_GIT_FILE_PART, e);
}

static sat_rc
templates_copy(sat_admin *a, const char *folder, sat_err *e)
{
	sat_rc rc = SAT_OK;
	sat_oid tip;

	for (size_t i = 0; i < NLAYERS && rc == SAT_OK; i++) {
		char *to = sat_xasprintf("%s/%s", folder, layers[i].file);

		if (layers[i].needed ||
		    sat_git_tip(&tip, a->git, layers[i].branch, NULL) == SAT_OK)
			rc = layer_copy(a, layers[i].branch, to, e);
		free(to);
	}
	return rc;
}

static sat_rc
make_folder(const char *path, sat_err *e)
{
	char *above;
	sat_rc rc;

	if (mkdir(path, 0700) != 0)
		return sat_fail_code(e, SAT_EIO, "backup.folder",
		    "name a folder that does not exist yet",
		    "cannot make %s: %s", path, strerror(errno));
	/* what is said of the copy has to outlive a power cut, its name too */
	above = sat_xasprintf("%s/..", path);
	if ((rc = sat_folder_sync(above, e)) != SAT_OK)
		sat_folder_remove(path);
	free(above);
	return rc;
}

sat_rc
admin_new_folder(const char *path, admin_fill fill, void *u,
    const char *stayed, sat_err *e)
{
	sat_rc rc = make_folder(path, e);

	if (rc != SAT_OK || (rc = fill(u, path, e)) == SAT_OK)
		return rc;
	/* why it failed is what is told */
	if (sat_folder_clear(path, NULL) != SAT_OK)
		sat_err_hint(e, "%s", stayed);
	return rc;
}

sat_rc
admin_copy_rest(sat_admin *a, const char *folder, sat_err *e)
{
	char *ring = sat_xasprintf("%s/server.keyring", folder);
	char *own_ring = admin_path(a, "server.keyring");
	sat_rc rc;

	if ((rc = sat_file_copy(own_ring, ring, e)) == SAT_OK &&
	    (rc = templates_copy(a, folder, e)) == SAT_OK)
		rc = sat_folder_sync(folder, e);
	free(ring);
	free(own_ring);
	return rc;
}

sat_rc
admin_copy_all(uint64_t *lsn, sat_admin *a, const char *folder, sat_err *e)
{
	char *db = sat_xasprintf("%s/server.db", folder);
	sat_rc rc;

	if ((rc = sat_server_scrub(a->core, e)) == SAT_OK &&
	    (rc = sat_sqlite_store_backup(lsn, a->store, db, e)) == SAT_OK &&
	    (rc = admin_segments_verify(a, e)) == SAT_OK &&
	    (rc = admin_segments_copy(a->store, a->dir, folder, e)) == SAT_OK)
		rc = admin_copy_rest(a, folder, e);
	free(db);
	return rc;
}

typedef struct backing_up {
	sat_admin *a;
	uint64_t lsn;
} backing_up;

static sat_rc
backup_into(void *u, const char *folder, sat_err *e)
{
	backing_up *b = u;

	return admin_copy_all(&b->lsn, b->a, folder, e);
}

sat_rc
admin_copy_new(uint64_t *lsn, sat_admin *a, const char *path, sat_err *e)
{
	backing_up b = { .a = a };
	sat_rc rc = admin_new_folder(path, backup_into, &b,
	    N_("half of a backup stayed: remove its folder"), e);

	*lsn = b.lsn;
	return rc;
}

sat_rc
admin_backup_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	uint64_t lsn = 0;
	sat_json *doc;
	sat_rc rc;

	if (w->nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld backup FOLDER");
	if ((rc = admin_copy_new(&lsn, a, w->arg[1], e)) != SAT_OK ||
	    (rc = sat_sqlite_mark_durable(a->store, lsn, e)) != SAT_OK ||
	    (rc = admin_backup_note(a, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/backup/1");
	sat_json_put_str(doc, "folder", w->arg[1]);
	sat_json_put_int(doc, "lsn", (int64_t)lsn);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_verify_all(sat_admin *a, uint64_t *commits, uint64_t *records, sat_err *e)
{
	sat_rc rc = admin_segments_verify(a, e);

	return rc != SAT_OK ? rc :
	    sat_server_verify(a->core, commits, records, e);
}

sat_rc
admin_check_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	bool quick = sat_args_has(w, "quick");
	uint64_t commits = 0, records = 0;
	sat_json *doc;
	sat_rc rc = sat_sqlite_store_check(a->store, quick, e);

	if (rc == SAT_OK && !quick)
		rc = admin_verify_all(a, &commits, &records, e);
	if (rc == SAT_OK)
		rc = sat_git_verify_closure(a->git, &a->tip, e);
	if (rc != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/check/1");
	sat_json_put_str(doc, "result", "ok");
	sat_json_put_int(doc, "commits", (int64_t)commits);
	sat_json_put_int(doc, "records", (int64_t)records);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

static sat_rc
layer_part(void *u, const sat_oid *upto, sat_span bundle, bool last, sat_err *e)
{
	(void)upto;
	(void)last;
	return sat_git_unbundle(bundle, admin_object_put, u, e);
}

/* A layer's history from a backup, into a repository; NULL: only looked at. */
static sat_rc
layer_read(sat_git *g, sat_oid *tip, const char *from, sat_err *e)
{
	sat_rc rc = g == NULL ? sat_git_file_verify(tip, from, e) :
	    sat_git_file_read(tip, from, layer_part, g, e);

	if (rc == SAT_ENOTFOUND)
		return sat_fail(e, SAT_EINTEGRITY, "the backup has no templates");
	if (rc == SAT_EPROTO && e != NULL) /* our own file, not a peer's */
		e->rc = SAT_EINTEGRITY;
	if (rc == SAT_EPROTO || rc == SAT_EINTEGRITY)
		sat_err_hint(e, "restore from another backup");
	if (rc == SAT_EPROTO)
		return SAT_EINTEGRITY;
	return rc != SAT_OK || g == NULL ? rc :
	    sat_git_verify_closure(g, tip, e);
}

/* All layers, with their branches; NULL: only looked at. */
static sat_rc
templates_read(sat_git *g, const char *backup, sat_err *e)
{
	sat_rc rc = SAT_OK;
	sat_oid tip;

	for (size_t i = 0; i < NLAYERS && rc == SAT_OK; i++) {
		char *from = sat_xasprintf("%s/%s", backup, layers[i].file);

		if (layers[i].needed || access(from, F_OK) == 0) {
			rc = layer_read(g, &tip, from, e);
			if (rc == SAT_OK && g != NULL)
				rc = sat_git_branch_set(g, layers[i].branch,
				    &tip, e);
		}
		free(from);
	}
	return rc;
}

sat_rc
admin_templates_restore(const char *backup, const char *dir, sat_err *e)
{
	char *to = sat_xasprintf("%s/templates.git", dir);
	sat_git *g = NULL;
	sat_rc rc = sat_git_init_bare(&g, to, e);

	if (rc == SAT_OK)
		rc = templates_read(g, backup, e);
	sat_git_close(g);
	free(to);
	return rc;
}

/* ---- looking at one ----------------------------------------------------------------- */

/* A folder somebody works in changes while it is copied. A backup has no lock
 * file, and is not given one. */
static sat_rc
look_hold(admin_look *l, const char *from, sat_err *e)
{
	char *name = sat_xasprintf("%s/server.keyring.lock", from);
	sat_rc rc = SAT_OK;

	l->lock = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (l->lock >= 0 && flock(l->lock, LOCK_SH | LOCK_NB) != 0 &&
	    errno == EWOULDBLOCK)
		rc = sat_fail_code(e, SAT_EBUSY, "keyring.busy",
		    "close the other program", "another process holds it");
	free(name);
	return rc;
}

/* What is not there is not missed here: opening the copy says what is. */
static sat_rc
look_copy(const char *to, const char *from, const char *name, sat_err *e)
{
	char *x = sat_xasprintf("%s/%s", from, name);
	char *y = sat_xasprintf("%s/%s", to, name);
	sat_rc rc = sat_file_there(x) ? sat_file_copy(x, y, e) : SAT_OK;

	free(x);
	free(y);
	return rc;
}

static sat_rc
look_store(admin_look *l, const char *copy, const char *from, sat_err *e)
{
	char *db = sat_xasprintf("%s/server.db", copy);
	char *segments = sat_xasprintf("%s/segments", from);
	sat_sqlite_store_opts o = { .path = db, .keyring = l->keyring,
		.segments = segments, .clock = sat_clock_os() };
	sat_rc rc = look_copy(copy, from, "server.db", e);

	if (rc == SAT_OK)
		rc = look_copy(copy, from, "server.db-wal", e);
	if (rc == SAT_OK)
		rc = sat_sqlite_store_open(&l->store, &o, e);
	free(segments);
	free(db);
	return rc;
}

/* Why a copy: opening a keyring locks it and takes its previous file away,
 * opening a store writes its log and a newer schema. Segments and templates are
 * only read. */
sat_rc
admin_look_open(admin_look *l, const char *copy, const char *from,
    sat_span passphrase, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.bytes = passphrase };
	char *ring = sat_xasprintf("%s/server.keyring", copy);
	sat_rc rc;

	*l = (admin_look){ .lock = -1 };
	/* the passphrase before a long copy */
	if ((rc = look_hold(l, from, e)) == SAT_OK &&
	    (rc = look_copy(copy, from, "server.keyring", e)) == SAT_OK &&
	    (rc = look_copy(copy, from, "server.keyring.1", e)) == SAT_OK &&
	    (rc = sat_keyring_open(&l->keyring, ring, &secret, e)) == SAT_OK)
		rc = look_store(l, copy, from, e);
	if (rc != SAT_OK)
		admin_look_close(l);
	free(ring);
	return rc;
}

void
admin_look_close(admin_look *l)
{
	sat_sqlite_store_close(l->store);
	sat_keyring_close(l->keyring);
	if (l->lock >= 0)
		(void)close(l->lock);
	*l = (admin_look){ .lock = -1 };
}

/* Every page, every segment, every template. */
sat_rc
admin_look_verify(admin_look *l, const char *backup, sat_err *e)
{
	const sat_id none = { { 0 } }; /* signatures: once it is in place */
	sat_rc rc;

	if ((rc = sat_sqlite_store_check(l->store, false, e)) == SAT_OK &&
	    (rc = sat_sqlite_segments_verify(l->store, &none, NULL, e)) ==
	    SAT_OK)
		rc = templates_read(NULL, backup, e);
	return rc;
}
