/*
 * Back from a loss: restore with a new epoch, the kit that is left when no
 * backup is, and what is known to be missing.
 *
 * Why the root key: whoever can make devices believe in a new epoch can make
 * them give up what the old server told them. So it takes the one key that
 * never lies on the server.
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

#define WINDOW_MS (30 * 24 * 3600 * (int64_t)1000)
#define ROOT_KEY_MAX 4096

uint32_t
sat_admin_roles(const char *list)
{
	uint32_t bits = 0, bit;
	char word[32];

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n >= sizeof word)
			return 0;
		memcpy(word, list, n);
		word[n] = '\0';
		if ((bit = sat_epoch_role(word)) == 0)
			return 0;
		bits |= bit;
		list += n + (list[n] == ',');
	}
	return bits;
}

/* ---- the root key ----------------------------------------------------------------- */

static sat_rc
root_key_read(uint8_t sk[SAT_SIGN_SK_BYTES], const sat_admin *a,
    const char *path, sat_err *e)
{
	uint8_t file[ROOT_KEY_MAX];
	FILE *f = fopen(path, "rbe");
	size_t n = f != NULL ? fread(file, 1, sizeof file, f) : 0;
	sat_buf b = { 0 };
	sat_rc rc;

	if (f != NULL)
		(void)fclose(f);
	if (n == 0)
		return sat_fail_code(e, SAT_EUSAGE, "restore.root_key",
		    "name it: --root-key FILE (init wrote it as root.key)",
		    "a restore begins a new epoch, which the organisation's "
		    "root key has to sign; cannot read %s", path);
	rc = sat_keyring_unseal(&b, a->keyring, "organisation root",
	    sat_span_of(file, n), e);
	if (rc == SAT_OK && b.n != SAT_SIGN_SK_BYTES)
		rc = sat_fail(e, SAT_EINTEGRITY, "%s is no root key", path);
	if (rc == SAT_OK)
		memcpy(sk, b.p, SAT_SIGN_SK_BYTES);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

static sat_rc
epoch_begin(sat_admin *a, const char *backup, const sat_restore_opts *o,
    sat_err *e)
{
	char *beside = sat_xasprintf("%s/root.key", backup);
	uint8_t sk[SAT_SIGN_SK_BYTES];
	uint64_t above = 0, before = 0;
	int64_t now = sat_wall_ms(&a->clock);
	sat_epoch c = { .org = a->keys.org, .began_ms = now,
		.until_ms = now + (o->window_ms > 0 ? o->window_ms :
		WINDOW_MS),
		.seed_roles = o->seed_roles != 0 ? o->seed_roles :
		SAT_SEED_HQ | SAT_SEED_MANAGER | SAT_SEED_ADMIN };
	sat_rc rc = root_key_read(sk, a, o->root_key != NULL ? o->root_key :
	    beside, e);

	free(beside);
	if (rc != SAT_OK || (rc = sat_sqlite_epoch_base(&c.base_lsn, &above,
	    &c.base_eid, &before, a->store, e)) != SAT_OK)
		return rc;
	/* Two restores of one backup must not be the same epoch. */
	c.epoch = (uint64_t)(now / 1000) > before ? (uint64_t)(now / 1000) :
	    before + 1;
	c.first_lsn = above + (o->skip > SAT_EPOCH_SKIP ? o->skip :
	    SAT_EPOCH_SKIP);
	memcpy(c.server_pk, a->keys.channel.pk, sizeof c.server_pk);
	sat_epoch_sign(&c, sk);
	sat_wipe(sk, sizeof sk);
	if (!sat_epoch_ok(&c, &a->keys.org, a->keys.root_pk))
		return sat_fail_code(e, SAT_EINTEGRITY, "restore.root_key",
		    NULL, "the root key is another organisation's");
	return sat_sqlite_epoch_begin(a->store, &c, e);
}

/* ---- the ledger of a newer kit ------------------------------------------------------ */

typedef struct entries {
	sat_arena a;
	sat_erasure *v;
	size_t n, cap;
} entries;

static bool
on_entry(void *u, const sat_erasure *x)
{
	entries *l = u;

	if (l->n == l->cap) {
		l->cap = l->cap * 2 + 16;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n] = *x;
	l->v[l->n++].reason = sat_span_of(sat_arena_dup(&l->a, x->reason.p,
	    x->reason.n), x->reason.n);
	return true;
}

/* By a copy in `copy`, which is made and cleared. */
static sat_rc
ledger_read(entries *out, const char *copy, const char *folder,
    sat_span passphrase, sat_err *e)
{
	admin_look l;
	sat_rc rc = sat_folder_make(copy, e);

	if (rc == SAT_OK && (rc = admin_look_open(&l, copy, folder, passphrase,
	    e)) == SAT_OK) {
		sat_store st = sat_sqlite_store_ops(l.store);

		rc = st.ledger_after(st.u, 0, on_entry, out, e);
		admin_look_close(&l);
	}
	if (rc == SAT_OK)
		rc = sat_folder_clear(copy, e);
	return rc;
}

/* ---- restore ------------------------------------------------------------------------ */

/* The backup's keyring and store are in `dir` then, and are good; with
 * `whole` the rest too. */
static sat_rc
unpack(const char *dir, const char *backup, bool whole, sat_span passphrase,
    sat_err *e)
{
	admin_look l;
	sat_rc rc = admin_look_open(&l, dir, backup, passphrase, e);

	if (rc != SAT_OK)
		return rc;
	rc = admin_look_verify(&l, backup, e);
	if (rc == SAT_OK && whole)
		rc = admin_segments_copy(l.store, backup, dir, e);
	admin_look_close(&l);
	return rc != SAT_OK || !whole ? rc :
	    admin_templates_restore(backup, dir, e);
}

/* All that makes a backup a server again; until it is done nobody may serve the
 * folder: it could give positions of the old epoch once more, or take back a
 * customer who was erased. */
static sat_rc
restore_into(const char *dir, const char *backup, const sat_restore_opts *o,
    const sat_ledger *erased, sat_span passphrase, sat_err *e)
{
	uint64_t commits, records;
	sat_admin *a = NULL;
	sat_rc rc;

	if ((rc = unpack(dir, backup, true, passphrase, e)) != SAT_OK ||
	    (rc = sat_admin_open(&a, dir, passphrase, e)) != SAT_OK)
		return rc;
	if (!o->same_epoch) {
		rc = epoch_begin(a, backup, o, e);
		sat_admin_close(a); /* its core began in the old epoch */
		a = NULL;
		if (rc == SAT_OK)
			rc = sat_admin_open(&a, dir, passphrase, e);
	}
	/* before a device can bring back what it has not heard of yet */
	if (rc == SAT_OK && erased->n > 0)
		rc = sat_server_take_ledger(a->core, erased, e); /* P-392 */
	if (rc == SAT_OK)
		rc = admin_verify_all(a, &commits, &records, e);
	sat_admin_close(a);
	return rc == SAT_OK ? sat_folder_sync(dir, e) : rc;
}

static sat_rc
cannot_use(const char *half, sat_err *e)
{
	return errno == EWOULDBLOCK ? sat_fail_code(e, SAT_EBUSY,
	    "restore.busy", "wait until it has ended",
	    "another restore works in %s", half) : sat_fail(e, SAT_EIO,
	    "cannot use %s: %s", half, strerror(errno));
}

/* An empty folder, ours as long as *fd is open; what one that was cut off left
 * goes away. */
static sat_rc
half_take(int *fd, const char *half, sat_err *e)
{
	int left = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sat_rc rc = left >= 0 && flock(left, LOCK_EX | LOCK_NB) != 0 ?
	    cannot_use(half, e) : sat_folder_clear(half, e);

	if (left >= 0)
		(void)close(left);
	*fd = -1;
	if (rc != SAT_OK || (rc = sat_folder_make(half, e)) != SAT_OK)
		return rc;
	*fd = open(half, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) != 0 ?
	    cannot_use(half, e) : SAT_OK;
}

static sat_rc
restore_by(const char *half, const char *backup, const sat_restore_opts *o,
    sat_span passphrase, sat_err *e)
{
	char *beside = sat_xasprintf("%s/ledger", half);
	entries l = { .n = 0 };
	sat_ledger erased = { 0 };
	sat_rc rc = o->ledger == NULL ? SAT_OK :
	    ledger_read(&l, beside, o->ledger, passphrase, e);

	erased.e = l.v;
	erased.n = l.n;
	if (rc == SAT_OK)
		rc = o->verify_only ? unpack(half, backup, false, passphrase,
		    e) : restore_into(half, backup, o, &erased, passphrase, e);
	free(l.v);
	sat_arena_fini(&l.a);
	free(beside);
	return rc;
}

/* Of a restore the last step gives it its name; nothing else leaves a folder. */
static sat_rc
restore_whole(const char *dir, const char *half, const char *backup,
    const sat_restore_opts *o, sat_span passphrase, sat_err *e)
{
	sat_rc rc, cleared;
	int fd;

	if ((rc = half_take(&fd, half, e)) == SAT_OK) {
		rc = restore_by(half, backup, o, passphrase, e);
		if (rc == SAT_OK && !o->verify_only)
			rc = sat_file_rename(half, dir, e);
		if (rc != SAT_OK || o->verify_only) {
			/* why it failed is what is told */
			cleared = sat_folder_clear(half, rc == SAT_OK ? e :
			    NULL);
			if (cleared != SAT_OK)
				sat_err_hint(e, "the next restore clears what "
				    "stayed");
			rc = rc != SAT_OK ? rc : cleared;
		}
	}
	if (fd >= 0)
		(void)close(fd);
	return rc != SAT_OK || o->verify_only ? rc : sat_folder_sync_of(dir, e);
}

/* What looking at a backup copies of it, at most; NULL: there is none. */
static int64_t
look_bytes(const char *backup)
{
	static const char *const names[] = { "server.db", "server.db-wal" };
	int64_t bytes = 0;

	for (size_t i = 0; backup != NULL && i < 2; i++) {
		char *path = sat_xasprintf("%s/%s", backup, names[i]);
		struct stat st;

		bytes += stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
		free(path);
	}
	return bytes;
}

/* A ledger's copy is cleared before the backup's is made. */
static sat_rc
look_space(const char *dir, const char *backup, const sat_restore_opts *o,
    sat_err *e)
{
	int64_t one = look_bytes(backup), other = look_bytes(o->ledger);
	sat_rc rc = admin_copy_space(dir, one > other ? one : other, e);

	if (rc == SAT_ENOSPACE)
		sat_err_hint(e, "satcheld snapshot prune makes room; -D with a "
		    "new name looks at it on another disk");
	return rc;
}

/* Looked at where an erasure takes the copy away when this is cut off, as that of
 * a kit; a server may be serving there. */
static sat_rc
look_inside(const char *dir, const char *backup, const sat_restore_opts *o,
    sat_span passphrase, sat_err *e)
{
	char *top = sat_xasprintf("%s/snapshots", dir);
	char *half = sat_xasprintf("%s/verify.tmp", top);
	sat_rc rc = look_space(dir, backup, o, e);

	if (rc == SAT_OK && !sat_file_there(top))
		rc = sat_folder_make(top, e);
	if (rc == SAT_OK)
		rc = restore_whole(dir, half, backup, o, passphrase, e);
	sat_folder_remove(top);
	free(half);
	free(top);
	return rc;
}

sat_rc
sat_admin_restore(const char *dir, const char *backup,
    const sat_restore_opts *o, sat_span passphrase, sat_err *e)
{
	char *to = sat_xstrdup(dir), *half;
	size_t n = strlen(to);
	sat_rc rc;

	while (n > 1 && to[n - 1] == '/') /* its name is made longer */
		to[--n] = '\0';
	half = sat_xasprintf(o->verify_only ? "%s.verifying" :
	    "%s.restoring", to);
	if (!sat_file_there(to))
		rc = restore_whole(to, half, backup, o, passphrase, e);
	else if (o->verify_only)
		rc = look_inside(to, backup, o, passphrase, e);
	else
		rc = sat_fail_code(e, SAT_ECONFLICT, "restore.folder",
		    "name a folder that does not exist yet",
		    "%s is there already", to);
	free(half);
	free(to);
	return rc;
}

/* ---- the kit ------------------------------------------------------------------------- */

/* Into db, which may lie nowhere but with the server until it is done: first it
 * is a whole copy. */
static sat_rc
kit_store(sat_admin *a, const char *db, sat_err *e)
{
	sat_sqlite_store_opts o = { .path = db, .keyring = a->keyring,
		.clock = a->clock };
	sat_sqlite_store *s = NULL;
	uint64_t lsn;
	sat_rc rc = sat_sqlite_store_backup(&lsn, a->store, db, e);

	if (rc == SAT_OK &&
	    (rc = sat_sqlite_store_open(&s, &o, e)) == SAT_OK &&
	    (rc = sat_sqlite_registry_only(s, e)) == SAT_OK)
		rc = sat_sqlite_store_check(s, false, e);
	sat_sqlite_store_close(s);
	return rc;
}

/* The store of a kit, into `to`. It is made where an erasure takes it away when
 * this is cut off, and the next kit too. */
static sat_rc
kit_store_into(sat_admin *a, const char *to, sat_err *e)
{
	const char *top = sat_sqlite_snapshots_folder(a->store);
	char *folder = sat_xasprintf("%s/kit.tmp", top);
	char *db = sat_xasprintf("%s/server.db", folder);
	sat_rc rc = sat_folder_clear(folder, e);

	if (rc == SAT_OK && !sat_file_there(top))
		rc = sat_folder_make(top, e);
	if (rc == SAT_OK && (rc = sat_folder_make(folder, e)) == SAT_OK &&
	    (rc = kit_store(a, db, e)) == SAT_OK)
		rc = sat_file_copy(db, to, e);
	if (sat_folder_clear(folder, NULL) == SAT_OK)
		sat_folder_remove(top);
	free(folder);
	free(db);
	return rc;
}

static sat_rc
kit_into(void *u, const char *folder, sat_err *e)
{
	sat_admin *a = u;
	char *db = sat_xasprintf("%s/server.db", folder);
	sat_rc rc;

	if ((rc = admin_copy_space(a->dir, admin_file_bytes(a,
	    "server.db"), e)) == SAT_OK &&
	    (rc = kit_store_into(a, db, e)) == SAT_OK)
		rc = admin_copy_rest(a, folder, e);
	free(db);
	return rc;
}

/* People, devices and their keys, templates: without it a new server could not
 * know the devices that still have the data. No customer's data is in it, nor
 * was at any time. */
sat_rc
admin_kit_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_json *doc;
	sat_rc rc;

	if (w->nargs < 2)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld kit FOLDER");
	if ((rc = admin_new_folder(w->arg[1], kit_into, a,
	    N_("half of a kit stayed: remove its folder"), e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/kit/1");
	sat_json_put_str(doc, "folder", w->arg[1]);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

/* ---- what is missing ------------------------------------------------------------------- */

typedef struct gap_rows {
	sat_admin *a;
	sat_json *rows;
	sat_rc rc;
	sat_err *e;
	const sat_sqlite_chain *c;
	int64_t missing;
} gap_rows;

static sat_json *
gap_row(gap_rows *g, const sat_sqlite_chain *c)
{
	const sat_user *u = sat_registry_user_ord(
	    sat_server_registry(g->a->core), c->user);
	sat_json *row = sat_json_add_obj(g->rows);

	sat_json_put_int(row, "device", c->dev);
	sat_json_put_str(row, "name", c->name);
	sat_json_put_str(row, "user", u != NULL ? u->key : NULL);
	sat_json_put_int(row, "incarnation", c->inc);
	return row;
}

static bool
on_gap(void *u, uint64_t first, uint64_t last, sat_gap why)
{
	gap_rows *g = u;
	sat_json *row = gap_row(g, g->c);

	sat_json_put_int(row, "first", (int64_t)first);
	sat_json_put_int(row, "last", (int64_t)last);
	sat_json_put_str(row, "why", why == SAT_GAP_REFUSED ?
	    "refused, on the device" : "only as states");
	if (why != SAT_GAP_REFUSED)
		g->missing += (int64_t)(last - first + 1);
	return true;
}

static bool
on_chain(void *u, const sat_sqlite_chain *c)
{
	gap_rows *g = u;
	sat_store st = sat_sqlite_store_ops(g->a->store);

	g->c = c;
	if ((g->rc = st.gaps(st.u, c->dev, c->inc, on_gap, g, g->e)) != SAT_OK)
		return false;
	if (c->last_of_device && c->known > c->last_cseq) {
		sat_json *row = gap_row(g, c);

		sat_json_put_int(row, "first", (int64_t)c->last_cseq + 1);
		sat_json_put_int(row, "last", (int64_t)c->known);
		sat_json_put_str(row, "why", "seen by another device");
		g->missing += (int64_t)(c->known - c->last_cseq);
	}
	return true;
}

sat_rc
admin_gaps(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "device", "name", "user",
		"incarnation", "first", "last", "why", NULL };
	gap_rows g = { .a = a, .e = e };
	sat_json *doc = sat_json_obj();
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/audit.gaps/1");
	g.rows = sat_json_put_arr(doc, "data");
	if ((rc = sat_sqlite_completeness(a->store, on_chain, &g, e)) ==
	    SAT_OK)
		rc = g.rc;
	sat_json_put_int(doc, "missing", g.missing);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}
