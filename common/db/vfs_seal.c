/*
 * vfs_seal.c - one page, one frame header. No I/O, no state but the nonces.
 *
 * A page is sealed with a fresh random 192-bit nonce each time: nothing to
 * persist, and restoring an old copy of the file cannot repeat one, which a
 * counter would.
 *
 * A frame header is sealed with a synthetic IV: M = SipHash over everything
 * that must fit together (header, file, WAL generation, page ciphertext,
 * position), and the header masked with a stream keyed by M. Sealing the same
 * header again gives the same bytes; another header has another M and so
 * another mask. SQLite's plaintext checksum stays inside, out of sight, and
 * remains what recovery is decided by.
 */
#include "common/db/vfs_int.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define AD_TAG 0x44
#define AD_MAX (2 + SAT_FILE_ID_BYTES + 4 + 8)
#define NONCE_AT VFS_BODY
#define TAG_AT (VFS_BODY + SAT_XAEAD_NONCE_BYTES)
#define POOL_NONCES 170 /* 46 ns each against 147 ns one by one */

static struct {
	pthread_mutex_t lock;
	bool watched; /* the fork handlers are in place */
	unsigned forks;
	size_t left;
	uint8_t bytes[POOL_NONCES * SAT_XAEAD_NONCE_BYTES];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
fork_prepare(void)
{
	(void)pthread_mutex_lock(&pool.lock);
}

static void
fork_parent(void)
{
	(void)pthread_mutex_unlock(&pool.lock);
}

/* Two processes must not draw the same nonces, and SQLite forbids the use of
 * a handle across a fork anyway. */
static void
fork_child(void)
{
	sat_wipe(pool.bytes, sizeof pool.bytes);
	pool.left = 0;
	pool.forks++;
	(void)pthread_mutex_unlock(&pool.lock);
}

static void
watch_forks(void) /* under the lock */
{
	if (pool.watched)
		return;
	pool.watched = true;
	(void)pthread_atfork(fork_prepare, fork_parent, fork_child);
}

unsigned
vfs_fork_count(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&pool.lock);
	watch_forks();
	n = pool.forks;
	(void)pthread_mutex_unlock(&pool.lock);
	return n;
}

static void
draw_nonce(uint8_t out[SAT_XAEAD_NONCE_BYTES])
{
	uint8_t *at;

	(void)pthread_mutex_lock(&pool.lock);
	watch_forks();
	if (pool.left == 0) {
		sat_random(pool.bytes, sizeof pool.bytes);
		pool.left = POOL_NONCES;
	}
	at = pool.bytes + --pool.left * SAT_XAEAD_NONCE_BYTES;
	memcpy(out, at, SAT_XAEAD_NONCE_BYTES);
	sat_wipe(at, SAT_XAEAD_NONCE_BYTES);
	(void)pthread_mutex_unlock(&pool.lock);
}

static void
put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Format version, file, page number; for page 1 also what stays readable. */
static sat_span
page_ad(uint8_t ad[AD_MAX], const vfs_main *db, uint32_t pgno,
    const uint8_t *page)
{
	size_t n = 2 + SAT_FILE_ID_BYTES;

	ad[0] = AD_TAG;
	ad[1] = VFS_FORMAT;
	memcpy(ad + 2, db->id, SAT_FILE_ID_BYTES);
	put_be32(ad + n, pgno);
	n += 4;
	if (pgno == 1) {
		memcpy(ad + n, page + 16, 8);
		n += 8;
	}
	return sat_span_of(ad, n);
}

void
vfs_page_seal(
    uint8_t *disk, const uint8_t *clear, const vfs_main *db, uint32_t pgno)
{
	size_t from = pgno == 1 ? VFS_CLEAR : 0;
	uint8_t ad[AD_MAX];

	assert(pgno > 0 && disk != clear);
	if (pgno == 1) {
		memcpy(disk, db->id, SAT_FILE_ID_BYTES);
		memcpy(disk + 16, clear + 16, 8);
	}
	draw_nonce(disk + NONCE_AT);
	sat_xaead_seal_detached(disk + from, disk + TAG_AT,
	    sat_span_of(clear + from, VFS_BODY - from),
	    page_ad(ad, db, pgno, clear), disk + NONCE_AT, db->keys->page);
}

bool
vfs_page_open(
    uint8_t *clear, const uint8_t *disk, const vfs_main *db, uint32_t pgno)
{
	size_t from = pgno == 1 ? VFS_CLEAR : 0;
	uint8_t ad[AD_MAX];

	if (pgno == 0 || !sat_xaead_open_detached(clear + from,
	    sat_span_of(disk + from, VFS_BODY - from), disk + TAG_AT,
	    page_ad(ad, db, pgno, disk), disk + NONCE_AT, db->keys->page))
		return false;
	if (pgno == 1) {
		memcpy(clear, "SQLite format 3", 16);
		memcpy(clear + 16, disk + 16, 8);
	}
	memset(clear + VFS_BODY, 0, VFS_TRAILER); /* V2 */
	return true;
}

bool
vfs_page_check(const uint8_t *disk, const vfs_main *db, uint32_t pgno)
{
	size_t from = pgno == 1 ? VFS_CLEAR : 0;
	uint8_t ad[AD_MAX];

	return pgno != 0 && sat_xaead_check_detached(
	    sat_span_of(disk + from, VFS_BODY - from), disk + TAG_AT,
	    page_ad(ad, db, pgno, disk), disk + NONCE_AT, db->keys->page);
}

/* P = page number, commit size, checksum: the header without its salts. */
static void
header_pack(uint8_t p[16], const uint8_t *header)
{
	memcpy(p, header, 8);
	memcpy(p + 8, header + 16, 8);
}

static void
header_mac(uint8_t m[8], const uint8_t p[16], const uint8_t *page,
    const uint8_t salts[8], int64_t at, const vfs_main *db)
{
	uint8_t msg[16 + SAT_FILE_ID_BYTES + 8 + SAT_AEAD_TAG_BYTES + 8];
	uint64_t h, off = (uint64_t)at;
	size_t i;

	memcpy(msg, p, 16);
	memcpy(msg + 16, db->id, SAT_FILE_ID_BYTES);
	memcpy(msg + 32, salts, 8);
	memcpy(msg + 40, page + TAG_AT, SAT_AEAD_TAG_BYTES);
	put_be32(msg + 56, (uint32_t)(off >> 32));
	put_be32(msg + 60, (uint32_t)off);
	h = sat_siphash24(db->keys->wal, sat_span_of(msg, sizeof msg));
	for (i = 0; i < 8; i++)
		m[i] = (uint8_t)(h >> (8 * i));
}

static void
header_mask(uint8_t p[16], const uint8_t m[8], const uint8_t *page,
    const vfs_main *db)
{
	uint8_t msg[8 + SAT_AEAD_TAG_BYTES], mask[16];
	size_t i;

	memcpy(msg, m, 8);
	memcpy(msg + 8, page + TAG_AT, SAT_AEAD_TAG_BYTES);
	sat_siphashx24(mask, db->keys->wal + 16, sat_span_of(msg, sizeof msg));
	for (i = 0; i < 16; i++)
		p[i] ^= mask[i];
}

void
vfs_header_seal(uint8_t *disk, const uint8_t *header, const uint8_t *page,
    const uint8_t salts[8], int64_t at, const vfs_main *db)
{
	uint8_t p[16];

	header_pack(p, header);
	header_mac(disk, p, page, salts, at, db);
	header_mask(p, disk, page, db);
	memcpy(disk + 8, p, sizeof p);
}

bool
vfs_header_open(uint8_t *header, const uint8_t *disk, const uint8_t *page,
    const uint8_t salts[8], int64_t at, const vfs_main *db)
{
	static const uint8_t no_checksum[8];
	uint8_t p[16], m[8];

	memcpy(p, disk + 8, sizeof p);
	header_mask(p, disk, page, db);
	header_mac(m, p, page, salts, at, db);
	if (!sat_mem_eq(m, disk, sizeof m))
		return false;
	memcpy(header, p, 8);
	memcpy(header + 16, p + 8, 8);
	/* Until commit, frames of a spilled transaction carry neither checksum
	 * nor salts: give SQLite back what it wrote. */
	if (memcmp(p + 8, no_checksum, 8) == 0)
		memset(header + 8, 0, 8);
	else
		memcpy(header + 8, salts, 8);
	return true;
}
