/*
 * vfs_wal.c - the write-ahead log.
 *
 * SQLite writes a frame in two calls, 24 bytes of header and then the page.
 * The header can only be sealed against the page's tag, so it is held until
 * the page comes and both go out in one write; if the process dies in between
 * the frame does not exist, as in stock SQLite. Two other patterns exist:
 *
 *   - a page alone, into a frame that exists (the page was spilled, changed
 *     and is written again): the old header is read, opened and sealed anew;
 *   - a header alone (at the commit of such a transaction, after reading the
 *     whole frame): sealed against the page that is on disk, and written at
 *     once, because nothing may follow it on this file. It only touches
 *     frames of the transaction that is being committed.
 *
 * Frames of a transaction wait for each other: vfs_run.c.
 */
#include "common/db/vfs_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/* The offset of the frame a byte of the log belongs to. */
static int64_t
frame_of(int64_t off)
{
	return off - (off - VFS_WAL_HEADER) % VFS_FRAME;
}

/* Others than before are of a generation of the log that another connection
 * began, and in which this one has written nothing yet. */
static void
take_salts(vfs_file *f, const uint8_t *salts)
{
	if (f->wal.salts_known && memcmp(salts, f->wal.salts, 8) == 0)
		return;
	memcpy(f->wal.salts, salts, sizeof f->wal.salts);
	f->wal.salts_known = true;
	f->wal.written_from = f->wal.written_to = 0;
}

/* Open the header of a frame in f->disk. Another connection may have begun a
 * new generation of the log since the salts were read: those in the file are
 * believed when the header opens with them. */
static bool
open_header(uint8_t *header, vfs_file *f, int64_t at)
{
	const uint8_t *page = f->disk + VFS_FRAME_HEADER;
	uint8_t salts[8];

	if (f->wal.salts_known && vfs_header_open(header, f->disk, page,
	    f->wal.salts, at, f->db))
		return true;
	if (vfs_run_read(f, salts, sizeof salts, 16) != SQLITE_OK ||
	    !vfs_header_open(header, f->disk, page, salts, at, f->db))
		return false;
	take_salts(f, salts);
	return true;
}

static int
bad_frame(vfs_file *f, int rc, const char *kind, int64_t at)
{
	return vfs_fault_note(f->db, rc, kind,
	    (uint32_t)((at - VFS_WAL_HEADER) / VFS_FRAME) + 1, at);
}

static bool
written_here(const vfs_file *f, int64_t at)
{
	return at >= f->wal.written_from && at < f->wal.written_to;
}

/* Write the held header over an existing frame. */
static int
flush_held(vfs_file *f)
{
	uint8_t sealed[VFS_FRAME_HEADER];
	int64_t at = f->wal.held_at;
	int rc;

	if (!f->wal.held)
		return SQLITE_OK;
	f->wal.held = false;
	if ((rc = vfs_may_write(f->db, SQLITE_IOERR_WRITE)) != SQLITE_OK)
		return rc;
	rc = vfs_run_read(f, f->disk, VFS_FRAME, at);
	/* The page never came: then the frame does not exist. */
	if (rc == SQLITE_IOERR_SHORT_READ)
		return SQLITE_OK;
	if (rc != SQLITE_OK)
		return rc;
	if (!f->wal.salts_known)
		return bad_frame(f, SQLITE_IOERR_WRITE, "wal-header", at);
	vfs_header_seal(sealed, f->wal.held_header, f->disk +
	    VFS_FRAME_HEADER, f->wal.salts, at, f->db);
	return vfs_run_write(f, sealed, VFS_FRAME_HEADER, at);
}

/* ---- reading ------------------------------------------------------------------ */

/* Commit frames of this generation behind a frame that failed. */
static unsigned
commits_after(vfs_file *f, int64_t at, sqlite3_int64 size)
{
	uint8_t header[VFS_FRAME_HEADER];
	unsigned n = 0;

	for (at += VFS_FRAME; at + VFS_FRAME <= size; at += VFS_FRAME)
		if (vfs_run_read(f, f->disk, VFS_FRAME, at) == SQLITE_OK &&
		    vfs_header_open(header, f->disk, f->disk +
		    VFS_FRAME_HEADER, f->wal.salts, at, f->db) &&
		    vfs_be32(header + 4) != 0)
			n++;
	return n;
}

/*
 * V4. The log ends here. One commit behind the end can be a torn last
 * transaction whose later sectors reached the disk first; two cannot, because
 * each was synced before the next began. Then something was damaged that had
 * been acknowledged: said loudly, while SQLite recovers what is before it.
 */
static int
end_of_log(vfs_file *f, uint8_t *out, int64_t at)
{
	sqlite3_int64 size = 0;
	unsigned lost = 0;

	if (written_here(f, at))
		return bad_frame(f, SQLITE_IOERR_DATA, "frame-auth", at);
	if (!f->wal.scanned && f->wal.salts_known &&
	    f->low->pMethods->xFileSize(f->low, &size) == SQLITE_OK)
		lost = commits_after(f, at, size);
	f->wal.scanned = true;
	if (lost >= 2)
		(void)bad_frame(f, SQLITE_OK, "wal-middle", at);
	else
		sat_log(SAT_INFO, "VFS-WAL-END", "path=%s offset=%lld commits=%u",
		    f->db->path, (long long)at, lost);
	memset(out, 0, VFS_FRAME);
	return SQLITE_OK;
}

static int
read_frame(vfs_file *f, uint8_t *out, int64_t at)
{
	int rc = vfs_run_read(f, f->disk, VFS_FRAME, at);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	f->wal.whole_read = at;
	if (rc != SQLITE_OK || !open_header(out, f, at) ||
	    !vfs_page_open(out + VFS_FRAME_HEADER, f->disk + VFS_FRAME_HEADER,
	    f->db, vfs_be32(out)))
		return end_of_log(f, out, at);
	if (vfs_be32(out) == 1)
		vfs_gap_learn(f->db, out + VFS_FRAME_HEADER);
	return SQLITE_OK;
}

/* V7. Of frames too far behind nothing is known, nor of any while another handle
 * may write over what was undone here. */
static void
note_gap(vfs_file *f, int64_t at, bool used)
{
	int64_t n = (at - VFS_WAL_HEADER) / VFS_FRAME;
	uint8_t bit = (uint8_t)(1u << (n % 8));

	if (n < VFS_GAP_FRAMES && used)
		f->wal.gaps[n / 8] |= bit;
	else if (n < VFS_GAP_FRAMES)
		f->wal.gaps[n / 8] &= (uint8_t)~bit;
}

static bool
may_have_gap(const vfs_file *f, int64_t at)
{
	int64_t n = (at - VFS_WAL_HEADER) / VFS_FRAME;

	return n >= VFS_GAP_FRAMES || f->wal.shared || !written_here(f, at) ||
	    (f->wal.gaps[n / 8] & 1u << (n % 8)) != 0;
}

/* A checkpoint moves the page as it is; remember what it looks like. */
static int
lend_raw(vfs_file *f, uint8_t *out, uint32_t pgno)
{
	const uint8_t *page = f->disk + VFS_FRAME_HEADER;

	f->db->raw.set = true;
	f->db->raw.pgno = pgno;
	memcpy(f->db->raw.trailer, page + VFS_BODY, VFS_TRAILER);
	memcpy(out, page, VFS_PAGE);
	return SQLITE_OK;
}

static int
read_part(vfs_file *f, uint8_t *out, int amt, int64_t at, size_t in)
{
	uint8_t header[VFS_FRAME_HEADER];
	bool move = f->db->checkpoint && amt == VFS_PAGE;
	bool lend = move && !may_have_gap(f, at);
	uint8_t *clear = amt == VFS_PAGE ? out : f->clear;
	int rc = vfs_run_read(f, f->disk, VFS_FRAME, at);

	if (rc == SQLITE_IOERR_SHORT_READ)
		return bad_frame(f, SQLITE_IOERR_DATA, "frame-cut", at);
	if (rc != SQLITE_OK)
		return rc;
	if (!open_header(header, f, at))
		return bad_frame(f, SQLITE_IOERR_DATA, "frame-auth", at);
	if (in + (size_t)amt <= VFS_FRAME_HEADER) {
		memcpy(out, header + in, (size_t)amt);
		return SQLITE_OK;
	}
	/* A page that is only moved is authenticated too: the log is forgotten
	 * afterwards, so what a bad read makes of it would stay. */
	if (lend && vfs_page_check(f->disk + VFS_FRAME_HEADER, f->db,
	    vfs_be32(header)))
		return lend_raw(f, out, vfs_be32(header));
	f->db->counts.page_reads += !move;
	if (lend || !vfs_page_open(clear, f->disk + VFS_FRAME_HEADER, f->db,
	    vfs_be32(header)))
		return bad_frame(f, SQLITE_IOERR_DATA, "frame-auth", at);
	if (vfs_be32(header) == 1)
		vfs_gap_learn(f->db, clear);
	if (clear != out)
		memcpy(out, clear + in - VFS_FRAME_HEADER, (size_t)amt);
	return SQLITE_OK;
}

static int
read_file_header(vfs_file *f, uint8_t *out, int amt, int64_t off)
{
	int rc = vfs_run_read(f, out, amt, off);

	if (rc == SQLITE_OK && off == 0 && amt == VFS_WAL_HEADER)
		take_salts(f, out + 16);
	return rc;
}

static int
wal_read(sqlite3_file *file, void *out, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	int64_t at;
	size_t in;
	int rc;

	f->wal.whole_read = 0;
	if ((rc = flush_held(f)) != SQLITE_OK)
		return rc;
	if (amt >= 0 && off + amt <= VFS_WAL_HEADER)
		return read_file_header(f, out, amt, off);
	at = frame_of(off);
	in = (size_t)(off - at);
	if (off >= VFS_WAL_HEADER && in == 0 && amt == VFS_FRAME)
		return read_frame(f, out, at);
	if (off >= VFS_WAL_HEADER && amt >= 0 &&
	    (in + (size_t)amt <= VFS_FRAME_HEADER || (in >= VFS_FRAME_HEADER &&
	    in + (size_t)amt <= VFS_FRAME)))
		return read_part(f, out, amt, at, in);
	return bad_frame(f, SQLITE_IOERR_READ, "read-size", off);
}

/* ---- writing ------------------------------------------------------------------ */

static int
write_file_header(vfs_file *f, const uint8_t *buf)
{
	if (vfs_be32(buf + 8) != VFS_PAGE)
		return vfs_fault_note(
		    f->db, SQLITE_IOERR_WRITE, "write-size", 0, 0);
	take_salts(f, buf + 16);
	f->wal.written_from = f->wal.written_to = 0;
	vfs_run_end(f);
	return f->low->pMethods->xWrite(f->low, buf, VFS_WAL_HEADER, 0);
}

static void
note_written(vfs_file *f, int64_t at)
{
	if (f->wal.written_to == 0)
		f->wal.written_from = at;
	if (at < f->wal.written_from)
		f->wal.written_from = at;
	if (at + VFS_FRAME > f->wal.written_to)
		f->wal.written_to = at + VFS_FRAME;
}

/* The header for a page that comes alone: the one that is there. */
static int
old_header(uint8_t *header, vfs_file *f, int64_t at)
{
	int rc = vfs_run_read(f, f->disk, VFS_FRAME, at);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	if (rc == SQLITE_OK && open_header(header, f, at))
		return SQLITE_OK;
	return bad_frame(f, SQLITE_IOERR_WRITE, "frame-auth", at);
}

/* Seal a page and its header at `out`. */
static int
seal_frame(uint8_t *out, vfs_file *f, const uint8_t *header,
    const uint8_t *page, int64_t at)
{
	uint32_t pgno = vfs_be32(header);
	int rc;

	if (!f->wal.salts_known)
		return bad_frame(f, SQLITE_IOERR_WRITE, "wal-header", at);
	if (pgno == 0)
		return bad_frame(f, SQLITE_IOERR_WRITE, "frame-page", at);
	if ((rc = vfs_page_may_seal(f->db, page, pgno, at)) != SQLITE_OK)
		return rc;
	if (pgno == 1)
		vfs_gap_learn(f->db, page);
	vfs_page_seal(out + VFS_FRAME_HEADER, page, f->db, pgno);
	vfs_header_seal(out, header, out + VFS_FRAME_HEADER, f->wal.salts, at,
	    f->db);
	note_written(f, at);
	note_gap(f, at, vfs_gap_used(f->db, pgno, page));
	f->db->counts.wal_frames++;
	return SQLITE_OK;
}

/* A page alone, into a frame that exists. */
static int
write_in_place(vfs_file *f, const uint8_t *page, int64_t at)
{
	uint8_t header[VFS_FRAME_HEADER];
	int rc;

	if ((rc = flush_held(f)) != SQLITE_OK ||
	    (rc = old_header(header, f, at)) != SQLITE_OK ||
	    (rc = seal_frame(f->disk, f, header, page, at)) != SQLITE_OK)
		return rc;
	return vfs_run_write(f, f->disk, VFS_FRAME, at);
}

static int
write_page(vfs_file *f, const uint8_t *page, int64_t at)
{
	uint8_t *slot;
	int rc;

	if (!f->wal.held || f->wal.held_at != at)
		return write_in_place(f, page, at);
	f->wal.held = false;
	if ((rc = vfs_run_slot(&slot, f, at)) != SQLITE_OK ||
	    (rc = seal_frame(slot, f, f->wal.held_header, page, at)) !=
	    SQLITE_OK)
		return rc;
	f->wal.run.n += VFS_FRAME;
	if (vfs_be32(f->wal.held_header + 4) == 0)
		return SQLITE_OK;
	/* the frame that commits */
	rc = vfs_run_flush(f);
	vfs_run_end(f);
	return rc;
}

static int
hold_header(vfs_file *f, const uint8_t *header, int64_t at)
{
	static const uint8_t later[16]; /* salts and checksum, at the commit */
	bool alone = f->wal.whole_read == at && written_here(f, at);
	int rc = flush_held(f);

	f->wal.whole_read = 0;
	if (rc != SQLITE_OK)
		return rc;
	/* Another connection may have begun the log of which this one has read
	 * nothing yet; SQLite knows from the index it shares. */
	if (memcmp(header + 8, later, sizeof later) != 0)
		take_salts(f, header + 8);
	f->wal.held = true;
	f->wal.held_at = at;
	memcpy(f->wal.held_header, header, VFS_FRAME_HEADER);
	return alone ? flush_held(f) : SQLITE_OK;
}

static int
wal_write(sqlite3_file *file, const void *buf, int amt, sqlite3_int64 off)
{
	vfs_file *f = (vfs_file *)file;
	int64_t at = frame_of(off);
	int rc;

	if ((rc = vfs_may_write(f->db, SQLITE_IOERR_WRITE)) != SQLITE_OK)
		return rc;
	if (off == 0 && amt == VFS_WAL_HEADER) {
		rc = flush_held(f);
		return rc == SQLITE_OK ? write_file_header(f, buf) : rc;
	}
	if (off >= VFS_WAL_HEADER && off == at && amt == VFS_FRAME_HEADER)
		return hold_header(f, buf, at);
	if (off >= VFS_WAL_HEADER && off == at + VFS_FRAME_HEADER &&
	    amt == VFS_PAGE)
		return write_page(f, buf, at);
	/* Frames split at a sector boundary: devices without powersafe
	 * overwrite, which are refused at open. */
	return bad_frame(f, SQLITE_IOERR_WRITE, "write-size", off);
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	vfs_file *f = (vfs_file *)file;
	int rc = vfs_may_write(f->db, SQLITE_IOERR_TRUNCATE);

	if (rc == SQLITE_OK)
		rc = flush_held(f);
	if (f->wal.run.at >= size)
		f->wal.run.n = 0;
	if (rc == SQLITE_OK)
		rc = vfs_run_flush(f);
	if (rc != SQLITE_OK)
		return rc;
	if (f->wal.written_to > size)
		f->wal.written_to = size;
	if (f->wal.written_to <= f->wal.written_from)
		f->wal.written_from = f->wal.written_to = 0;
	if (size < VFS_WAL_HEADER)
		f->wal.salts_known = false;
	return f->low->pMethods->xTruncate(f->low, size);
}

static int
wal_sync(sqlite3_file *file, int flags)
{
	vfs_file *f = (vfs_file *)file;
	int rc = flush_held(f);

	if (rc == SQLITE_OK)
		rc = vfs_run_flush(f);
	return rc == SQLITE_OK ? vfs_sync_low(f, flags) : rc;
}

static int
wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
	vfs_file *f = (vfs_file *)file;
	int64_t end = f->wal.run.at + (int64_t)f->wal.run.n;
	int rc = flush_held(f);

	if (rc == SQLITE_OK)
		rc = vfs_low_size(file, size);
	if (rc == SQLITE_OK && f->wal.run.n > 0 && *size < end)
		*size = end;
	return rc;
}

static int
wal_close(sqlite3_file *file)
{
	vfs_file *f = (vfs_file *)file;

	(void)flush_held(f);
	vfs_run_close(f);
	sat_wipe(f->clear, sizeof f->clear);
	return vfs_low_close(file);
}

const sqlite3_io_methods vfs_wal_methods = {
	.iVersion = 2,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = vfs_low_lock,
	.xUnlock = vfs_low_unlock,
	.xCheckReservedLock = vfs_low_reserved,
	.xFileControl = vfs_low_control,
	.xSectorSize = vfs_low_sector,
	.xDeviceCharacteristics = vfs_low_traits,
	.xShmMap = vfs_low_shm_map,
	.xShmLock = vfs_low_shm_lock,
	.xShmBarrier = vfs_low_shm_barrier,
	.xShmUnmap = vfs_low_shm_unmap,
};
