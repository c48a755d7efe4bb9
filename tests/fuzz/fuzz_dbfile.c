/*
 * A database and its log, altered on disk, then opened and used.
 *
 * The input is a list of changes, not a file: nonces are random, so bytes of a
 * sealed file would mean nothing the next time. First byte: 0 = a sealed pair,
 * 1 = a plain pair (what SQLite and cell_size_check make of malformed
 * content). Then changes of 6 bytes: what, offset (3, little-endian), a, b.
 *
 * Nothing may crash. A sealed pair that opens and reads must hold the state
 * after one of its commits, never anything else: damage ends the log or is an
 * error.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/crypto/keyring.h"
#include "common/db/db.h"
#include "tests/lib/simfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define PAGE 4096
#define FRAME (24 + PAGE)
#define COMMITS 6
#define CHANGES_MAX 64
#define MAIN "f.db"
#define LOG "f.db-wal"

typedef struct pair {
	sat_keyring *keyring; /* NULL: plain */
	uint8_t *file, *log;
	size_t file_n, log_n;
} pair;

static simfs *disk;
static pair pairs[2];
static int64_t sums[COMMITS + 1]; /* the state after each commit */

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static sat_rc
open_db(sat_db **db, const pair *x)
{
	sat_db_open_opts o = { .path = MAIN, .keyring = x->keyring,
		.create = true, .vfs_below = simfs_name(disk),
		.cache_kib = 64 };

	return sat_db_open(db, &o, NULL);
}

static sat_rc
sum_of(int64_t *v, sat_db *db)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*v = -1;
	if ((rc = sat_db_stmt_text(&s, db, "SELECT total(n * length(a) + id) "
	    "FROM t", NULL)) != SAT_OK ||
	    (rc = sat_step(&row, s, NULL)) != SAT_OK)
		return rc;
	if (row)
		*v = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

static uint8_t *
keep(size_t *n, const char *name)
{
	const uint8_t *p = simfs_bytes(n, disk, name);
	uint8_t *copy = malloc(*n + 1);

	must(p != NULL && copy != NULL);
	memcpy(copy, p, *n);
	return copy;
}

/* Some pages in the file, then COMMITS transactions that are in the log only,
 * one of them large enough to have spilled. */
static void
make_pair(pair *x)
{
	static const char fill[] = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL "
	    "SELECT i + 1 FROM r WHERE i < 12) INSERT INTO t(a, n) "
	    "SELECT hex(zeroblob(700 * (i % 4))), i FROM r";
	sat_db *db;
	int i;

	simfs_wipe(disk);
	must(open_db(&db, x) == SAT_OK);
	must(sat_db_exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, n);"
	    "CREATE INDEX tn ON t(n, a)", NULL) == SAT_OK);
	must(sat_db_exec(db, fill, NULL) == SAT_OK);
	must(sat_db_checkpoint(db, NULL) == SAT_OK);
	must(sum_of(&sums[0], db) == SAT_OK);
	for (i = 1; i <= COMMITS; i++) {
		must(sat_db_exec(db, i == 3 ? fill :
		    "UPDATE t SET n = n + 1, a = a || 'x' WHERE id % 5 = 1",
		    NULL) == SAT_OK);
		must(sum_of(&sums[i], db) == SAT_OK);
		must(sums[i] != sums[i - 1]);
	}
	sat_db_abandon(db);
	x->file = keep(&x->file_n, MAIN);
	x->log = keep(&x->log_n, LOG);
}

static void
start(void)
{
	static const uint8_t mk[SAT_KEY_BYTES] = { 42 };

	sat_crypto_init();
	sat_log_level(SAT_ERROR + 1);
	disk = simfs_new("fuzz-disk", 1);
	simfs_make_default(disk);
	pairs[0].keyring = sat_keyring_memory(mk);
	make_pair(&pairs[0]);
	make_pair(&pairs[1]);
}

static void
move_piece(const char *name, size_t head, size_t size, size_t from, size_t to)
{
	size_t n, count;
	const uint8_t *p = simfs_bytes(&n, disk, name);
	uint8_t piece[FRAME];

	if (n < head + size)
		return;
	count = (n - head) / size;
	memcpy(piece, p + head + from % count * size, size);
	simfs_poke(disk, name, head + to % count * size, piece, size);
}

static void
set_bytes(const char *name, size_t at, uint8_t a, uint8_t b, bool flip)
{
	size_t n, i, len = flip ? 1 : (size_t)a + 1;
	const uint8_t *p = simfs_bytes(&n, disk, name);
	uint8_t bytes[256];

	if (n == 0)
		return;
	at %= n;
	if (len > n - at)
		len = n - at;
	for (i = 0; i < len; i++)
		bytes[i] = b;
	if (flip)
		bytes[0] = (uint8_t)(p[at] ^ 1u << (b & 7));
	simfs_poke(disk, name, at, bytes, len);
}

static void
cut(const char *name, size_t at)
{
	size_t n;

	(void)simfs_bytes(&n, disk, name);
	simfs_cut(disk, name, n == 0 ? 0 : at % (n + 1));
}

static void
change(const uint8_t c[6])
{
	size_t at = (size_t)c[1] | (size_t)c[2] << 8 | (size_t)c[3] << 16;
	const char *name = (c[0] & 1) != 0 ? LOG : MAIN;
	bool log = (c[0] & 1) != 0;

	switch (c[0] >> 1) {
	case 0:
		set_bytes(name, at, c[4], c[5], true);
		break;
	case 1:
		set_bytes(name, at, c[4], c[5], false);
		break;
	case 2:
		cut(name, at);
		break;
	case 3:
		move_piece(name, log ? 32 : 0, log ? FRAME : PAGE, at, c[4]);
		break;
	case 4: /* the first bytes, where the meaning is */
		set_bytes(name, at % 128, c[4] % 16, c[5], false);
		break;
	case 5: /* a frame header or a trailer */
		set_bytes(name, at % 64 * (log ? FRAME : PAGE) +
		    (log ? 32 : 4056) + c[4] % 40, 0, c[5], false);
		break;
	default:
		break;
	}
}

static void
use(sat_db *db, bool sealed)
{
	int64_t v;
	int i;

	if (sum_of(&v, db) == SAT_OK && sealed) {
		for (i = 0; i <= COMMITS && sums[i] != v; i++)
			;
		must(i <= COMMITS);
	}
	for (i = 0; i < 2; i++) {
		if (sat_db_begin(db, NULL) != SAT_OK)
			return;
		if (sat_db_exec(db, "UPDATE t SET n = n + 2 WHERE id < 9;"
		    "DELETE FROM t WHERE id % 7 = 2;"
		    "INSERT INTO t(a, n) SELECT a || 'y', n FROM t LIMIT 5",
		    NULL) != SAT_OK) {
			sat_db_rollback(db);
		} else if (sat_db_commit(db, NULL) != SAT_OK) {
			must(!sat_db_in_txn(db));
		}
	}
	if (sat_db_check(db, false, NULL) == SAT_OK)
		v = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const pair *x;
	sat_db *db;
	size_t i;

	if (n < 1 || p[0] > 1 || n > 1 + 6 * CHANGES_MAX)
		return 0;
	if (disk == NULL)
		start();
	x = &pairs[p[0]];
	simfs_wipe(disk);
	simfs_put(disk, MAIN, x->file, x->file_n);
	simfs_put(disk, LOG, x->log, x->log_n);
	for (i = 1; i + 6 <= n; i += 6)
		change(p + i);
	if (open_db(&db, x) == SAT_OK) {
		use(db, p[0] == 0);
		sat_db_close(db);
	}
	if (open_db(&db, x) == SAT_OK) {
		use(db, false);
		sat_db_abandon(db);
	}
	return 0;
}
