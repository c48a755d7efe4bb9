/*
 * vfs_int.h - the parts of the encrypting VFS.
 *
 *   vfs.c       registration, opening files, the calls that only pass through
 *   vfs_id.c    which key a file has
 *   vfs_seal.c  one page, one frame header: cipher and nonces; no I/O
 *   vfs_main.c  the main file
 *   vfs_wal.c   the write-ahead log
 *   vfs_run.c   frames of it that wait to be written
 *   vfs_again.c what a failed sync may have left not durable
 *   vfs_gap.c   what a page keeps between its cell pointers and its cells
 *   vfs_pass.c  rollback journals, and files without a keyring
 *
 * Invariants, named in the code and in the tests:
 *   V1  what SQLite gets back is what it wrote, or an error; never altered
 *       bytes, never bytes of another page or another file. But for V7.
 *   V2  the 40 reserved bytes are zeros on write and zeros on read. SQLite's
 *       frame checksum covers them; anything else loses commits at recovery.
 *   V3  no byte of a page reaches the disk unsealed.
 *   V4  a WAL frame that does not authenticate during recovery is zeros with
 *       SQLITE_OK (the log ends there); at any other time it is an error.
 *   V5  the 100-byte look at page 1 never fails: the page may be torn and
 *       whole in the WAL.
 *   V6  after a failed sync nothing is written through this file again.
 *   V7  the unused middle of a b-tree's page is zeros in the main file: SQLite
 *       leaves copies of moved cells there, which no deletion reaches.
 */
#ifndef SAT_DB_VFS_INT_H
#define SAT_DB_VFS_INT_H

#include <sqlite3.h>

#include "common/db/db.h"
#include "common/db/vfs.h"

#define VFS_PAGE SAT_PAGE_BYTES
#define VFS_TRAILER SAT_PAGE_RESERVE /* nonce, tag */
#define VFS_BODY (VFS_PAGE - VFS_TRAILER)
#define VFS_CLEAR 24 /* of page 1: file id, then bytes 16..23 as they are */
#define VFS_WAL_HEADER 32
#define VFS_FRAME_HEADER 24
#define VFS_FRAME (VFS_FRAME_HEADER + VFS_PAGE)
#define VFS_FORMAT 1
/* So many frames of a log are remembered as moved as they are, or not (V7). */
#define VFS_GAP_FRAMES 65536
#define VFS_SUITE 1
/* Our object behind whatever VFS stands on top. arg: vfs_file ** */
#define VFS_FCNTL_SELF 0x53415403

typedef struct vfs_inst {
	sqlite3_vfs base;
	sqlite3_vfs *below;
	sat_keyring *keyring; /* NULL: pass through and count */
	char name[40];
	bool real;      /* the system's files and folders, of SQLite's own layer */
	bool sole;      /* no other process is on its files (unix-excl) */
	bool frozen;    /* simulated process death: nothing is written */
	bool fresh_ids; /* a copy is being made: its id is only in the file */
	sat_err open_err; /* why the last xOpen failed, when we know */
	struct vfs_inst *next;
} vfs_inst;

typedef struct vfs_keys { /* in guarded memory */
	uint8_t page[SAT_KEY_BYTES];
	uint8_t wal[SAT_KEY_BYTES]; /* SipHash key, then mask key */
} vfs_keys;

typedef enum vfs_kind { VFS_MAIN, VFS_WAL, VFS_JOURNAL } vfs_kind;

/* A page taken from the WAL by a checkpoint, on its way to the main file. */
typedef struct vfs_raw {
	bool set;
	uint32_t pgno;
	uint8_t trailer[VFS_TRAILER];
} vfs_raw;

/* What page 1 says about the others. */
typedef struct vfs_layout {
	bool known; /* pages are as vfs_gap.c expects them */
	bool maps;  /* some hold where others hang (auto_vacuum) */
	size_t body;
} vfs_layout;

/* One database: owned by its main file, borrowed by its WAL and journal. */
typedef struct vfs_main {
	vfs_inst *inst;
	vfs_keys *keys; /* NULL: pass through */
	uint8_t id[SAT_FILE_ID_BYTES];
	bool ours;  /* the keyring knows the id, or page 1 authenticated */
	bool plain; /* an unencrypted SQLite file */
	bool dead;  /* V6 */
	bool checkpoint; /* between CKPT_START and CKPT_DONE */
	bool again;      /* the log must be written again before any write */
	struct vfs_file *log; /* the open log of this connection */
	unsigned fork_count;
	vfs_raw raw;
	vfs_layout layout;
	sat_vfs_fault fault;
	sat_db_counts counts;
	const char *path; /* SQLite's, as long as the file is open */
} vfs_main;

/* Frames that follow each other and are not in the file yet; none of them is of
 * a commit that has returned. */
typedef struct vfs_run {
	int64_t at;   /* offset of the first */
	size_t n;     /* bytes */
	uint8_t *p;   /* room for some; NULL before the first frame */
} vfs_run;

/* How far the disk was told to begin with what a transaction wrote. */
typedef struct vfs_early {
	bool open;    /* it was, or could not be: */
	int fd;       /* -1 */
	int64_t from; /* 0: nothing was written */
} vfs_early;

/* The state of a WAL file. */
typedef struct vfs_wal {
	vfs_run run;
	vfs_early early;
	bool salts_known, scanned;
	_Atomic bool shared; /* another handle had it open since this one did */
	uint8_t salts[8];
	bool held; /* a frame header whose page has not come yet */
	int64_t held_at;
	uint8_t held_header[VFS_FRAME_HEADER];
	int64_t whole_read; /* the frame the last call read as a whole, or 0 */
	int64_t written_from, written_to; /* by this handle, this generation */
	uint8_t gaps[VFS_GAP_FRAMES / 8]; /* of the frames written here: V7 */
} vfs_wal;

typedef struct vfs_file {
	sqlite3_file base;
	sqlite3_file *low; /* behind this struct, of the VFS below */
	vfs_kind kind;
	vfs_main *db;      /* borrowed, or &own */
	vfs_main own;      /* of a main file */
	vfs_wal wal;
	struct vfs_file *next_log;
	uint8_t disk[VFS_FRAME];  /* as on disk */
	uint8_t clear[VFS_PAGE];  /* decrypted, for reads of a part */
} vfs_file;

/* ---- vfs_seal.c: pure, except for the pool of nonces ---------------------- */

void vfs_page_seal(uint8_t *disk, const uint8_t *clear, const vfs_main *db,
    uint32_t pgno);
/* `clear` may not overlap `disk`; it is not altered on failure. */
SAT_CHECK bool vfs_page_open(uint8_t *clear, const uint8_t *disk,
    const vfs_main *db, uint32_t pgno);
/* Does it open? */
SAT_CHECK bool vfs_page_check(const uint8_t *disk, const vfs_main *db,
    uint32_t pgno);
/* SQLite's 24-byte frame header <-> the sealed one; `page` is the page as on
 * disk, `at` the offset of the frame. */
void vfs_header_seal(uint8_t *disk, const uint8_t *header,
    const uint8_t *page, const uint8_t salts[8], int64_t at,
    const vfs_main *db);
SAT_CHECK bool vfs_header_open(uint8_t *header, const uint8_t *disk,
    const uint8_t *page, const uint8_t salts[8], int64_t at,
    const vfs_main *db);
/* How often this process was forked from; a handle does not survive it. */
unsigned vfs_fork_count(void);

/* ---- vfs_gap.c (V7) --------------------------------------------------------- */

/* Page 1, or its first 100 bytes. */
void vfs_gap_learn(vfs_main *db, const uint8_t *page1);
/* Is there anything in the unused middle of this page? */
bool vfs_gap_used(const vfs_main *db, uint32_t pgno, const uint8_t *page);
/* The page without it: `page` itself, or a copy in `scratch`. */
const uint8_t *vfs_gap_close(uint8_t *scratch, const uint8_t *page,
    const vfs_main *db, uint32_t pgno);

/* ---- vfs_id.c ----------------------------------------------------------------- */

/* Choose the id of an opened main file and derive its keys. */
SAT_CHECK sat_rc vfs_choose_id(vfs_file *f, const char *path, sat_err *e);

/* ---- vfs_run.c --------------------------------------------------------------- */

/* Where a frame that is written anew is sealed; the caller then counts it in. The
 * log only grows at its end, so whatever waits there or behind was undone.
 * @return SQLITE_OK, or what writing those before it said: then none waits */
int vfs_run_slot(uint8_t **slot, vfs_file *f, int64_t at);
/* Write all that waits. After an error none waits. */
int vfs_run_flush(vfs_file *f);
/* The transaction is over; what still waits was undone. */
void vfs_run_end(vfs_file *f);
/* A part of a frame, or of the log's header, as on disk: of a frame that waits,
 * or of the file. */
int vfs_run_read(vfs_file *f, void *out, int n, int64_t at);
int vfs_run_write(vfs_file *f, const uint8_t *p, int n, int64_t at);
void vfs_run_close(vfs_file *f);

/* ---- vfs_again.c ------------------------------------------------------------ */

/* A sync has failed: the next connection has to write the log again. */
void vfs_again_mark(const vfs_main *db);
int vfs_again_before_write(vfs_main *db);
int vfs_log_opened(vfs_file *f);
void vfs_log_closed(vfs_file *f);

/* ---- shared -------------------------------------------------------------------- */

/* Record and log a fault. @return xrc */
int vfs_fault_note(vfs_main *db, int xrc, const char *kind, uint32_t page,
    int64_t offset);
/* May this file be written to at all? SQLITE_OK or an error. */
int vfs_may_write(vfs_main *db, int xrc);
/* V2, V3: is this a page that may be sealed? */
int vfs_page_may_seal(
    vfs_main *db, const uint8_t *clear, uint32_t pgno, int64_t offset);
/* Sync, count, and die when it fails. */
int vfs_sync_low(vfs_file *f, int flags);

extern const sqlite3_io_methods vfs_main_methods;
extern const sqlite3_io_methods vfs_wal_methods;
extern const sqlite3_io_methods vfs_journal_methods;
extern const sqlite3_io_methods vfs_plain_methods;

static inline uint32_t
vfs_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Forwarders the method tables share. */
int vfs_low_close(sqlite3_file *f);
int vfs_low_truncate(sqlite3_file *f, sqlite3_int64 size);
int vfs_low_sync(sqlite3_file *f, int flags);
int vfs_low_size(sqlite3_file *f, sqlite3_int64 *size);
int vfs_low_lock(sqlite3_file *f, int level);
int vfs_low_unlock(sqlite3_file *f, int level);
int vfs_low_reserved(sqlite3_file *f, int *out);
int vfs_low_control(sqlite3_file *f, int op, void *arg);
int vfs_low_sector(sqlite3_file *f);
int vfs_low_traits(sqlite3_file *f);
int vfs_low_shm_map(sqlite3_file *f, int region, int size, int extend,
    void volatile **out);
int vfs_low_shm_lock(sqlite3_file *f, int offset, int n, int flags);
void vfs_low_shm_barrier(sqlite3_file *f);
int vfs_low_shm_unmap(sqlite3_file *f, int del);

/* ---- for db.c and copy.c ------------------------------------------------------ */

/* The instance of that name; NULL when it is not one of ours. */
vfs_inst *vfs_find(const char *name);

#endif
