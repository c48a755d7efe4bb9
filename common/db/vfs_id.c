/*
 * vfs_id.c - which key a file has.
 *
 * The first 16 bytes of a file are its id. They are believed when page 1, or
 * another of the first pages, authenticates under them: that covers copies and a
 * rotation that was interrupted. Otherwise the keyring's table decides by base name: a sector
 * torn or trashed at the start must not cost a database whose WAL holds
 * everything. A file that neither proves nor is known is not ours: reading it
 * gives SQLITE_NOTADB and nothing is ever written to it.
 */
#include "common/db/vfs_int.h"

#include <string.h>

/* Looked at when page 1 does not authenticate. */
#define PROOF_PAGES 32

static const uint8_t mark[5] = { 'S', 'E', 'F', '1', VFS_SUITE };

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void
use_id(vfs_main *db, const uint8_t id[SAT_FILE_ID_BYTES])
{
	uint8_t context[SAT_FILE_ID_BYTES + 1];
	sat_span c = sat_span_of(context, sizeof context);

	memcpy(db->id, id, SAT_FILE_ID_BYTES);
	memcpy(context, id, SAT_FILE_ID_BYTES);
	context[SAT_FILE_ID_BYTES] = VFS_SUITE;
	sat_keyring_subkey(
	    db->keys->page, db->inst->keyring, "satchel page v1", c);
	sat_keyring_subkey(
	    db->keys->wal, db->inst->keyring, "satchel wal v1", c);
}

/* Page 1 is torn or trashed: is the file's own id right all the same? A copy
 * that was put in the place of its original has another id than the keyring
 * lists, and is as much worth as any when the power goes in a checkpoint. */
static bool
proved_by_others(vfs_file *f, sqlite3_int64 size)
{
	vfs_main *db = f->db;

	for (uint32_t n = 2; n <= PROOF_PAGES &&
	    (sqlite3_int64)n * VFS_PAGE <= size; n++)
		if (f->low->pMethods->xRead(f->low, f->disk, VFS_PAGE,
		    (sqlite3_int64)(n - 1) * VFS_PAGE) == SQLITE_OK &&
		    vfs_page_open(f->clear, f->disk, db, n))
			return true;
	return false;
}

/* The id of a file that has no content yet. */
static sat_rc
new_id(vfs_main *db, const char *path, sat_err *e)
{
	uint8_t id[SAT_FILE_ID_BYTES];
	sat_rc rc;

	if (db->inst->fresh_ids) {
		sat_random(id, sizeof id);
		memcpy(id, mark, sizeof mark);
	} else if ((rc = sat_keyring_file_id(id, db->inst->keyring,
	    base_name(path), true, e)) != SAT_OK) {
		return rc;
	}
	use_id(db, id);
	db->ours = true;
	return SAT_OK;
}

sat_rc
vfs_choose_id(vfs_file *f, const char *path, sat_err *e)
{
	uint8_t id[SAT_FILE_ID_BYTES];
	vfs_main *db = f->db;
	sqlite3_int64 size = 0;
	bool known;

	if (f->low->pMethods->xFileSize(f->low, &size) != SQLITE_OK)
		return sat_fail(e, SAT_EIO, "%s: its size cannot be read",
		    path);
	if (size == 0)
		return new_id(db, path, e);
	memset(f->disk, 0, VFS_PAGE);
	/* Short or failed: then it does not prove anything below. */
	(void)f->low->pMethods->xRead(f->low, f->disk, VFS_PAGE, 0);
	use_id(db, f->disk);
	if (memcmp(f->disk, mark, sizeof mark) == 0 &&
	    vfs_page_open(f->clear, f->disk, db, 1)) {
		db->ours = true;
		return SAT_OK;
	}
	db->plain = memcmp(f->disk, "SQLite format 3", 16) == 0;
	if (memcmp(f->disk, mark, sizeof mark) == 0 &&
	    proved_by_others(f, size)) {
		db->ours = true;
		return SAT_OK;
	}
	known = sat_keyring_file_id(id, db->inst->keyring, base_name(path),
	    false, NULL) == SAT_OK;
	if (known && !db->plain) {
		use_id(db, id);
		db->ours = true;
	}
	return SAT_OK;
}
