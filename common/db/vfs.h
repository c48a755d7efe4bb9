/*
 * vfs.h - the encrypting VFS ("satchel"), final file format version 1.
 *
 * Page 4096, 40 reserved bytes = 24 nonce + 16 tag, XChaCha20-Poly1305, file
 * key from keyring and file id; WAL frames carry the same page ciphertext with
 * a 24-byte sealed header; WAL mode only; no temporary files. Everything the
 * format and its dangers are is in docs/encryption.md.
 */
#ifndef SAT_DB_VFS_H
#define SAT_DB_VFS_H

#include "common/crypto/keyring.h"

#define SAT_PAGE_BYTES 4096
#define SAT_PAGE_RESERVE 40

/*
 * Register a VFS `name` over `below` that finds the keys of a file in
 * `keyring`. The keyring must outlive the VFS; NULL = plain files, only
 * counted. sat_db_open does this; a SQLite test suite can do it too, and then
 * has to ask for 40 reserved bytes (SQLITE_FCNTL_RESERVE_BYTES) before its
 * first write and for temp_store=MEMORY.
 */
SAT_CHECK sat_rc sat_vfs_register(const char *name, const char *below,
    sat_keyring *keyring, sat_err *e);
void sat_vfs_unregister(const char *name);

/* The last fault of a file, for messages and tests. */
typedef struct sat_vfs_fault {
	char kind[24];  /* "page-auth", "frame-auth", "zero-page", ... or "" */
	uint32_t page;
	int64_t offset;
	uint64_t count;
} sat_vfs_fault;
/* Private file-control numbers (sqlite3_file_control on "main"). */
#define SAT_FCNTL_FAULT 0x53415401  /* arg: sat_vfs_fault * */
#define SAT_FCNTL_COUNTS 0x53415402 /* arg: sat_db_counts * */

#endif
