/*
 * git.h - the only door to libgit2: template history.
 *
 * The server keeps a real bare repository (stock `git clone`, `log`, `fsck`,
 * `verify-commit` work on it). A device holds the objects in its replica and
 * reads them through an in-memory object database. Commits are signed with
 * Ed25519 as SSHSIG (namespace "git", SHA-512) in the `gpgsig` header.
 *
 * Limits, checked before anything is stored: bundle 16 MiB, object 1 MiB,
 * 50,000 objects, modes 100644/040000, paths [a-z0-9_/-]+\.(json|md) of at most
 * 4 parts of 64 bytes each.
 * Thread: one owner per sat_git.
 */
#ifndef SAT_GIT_GIT_H
#define SAT_GIT_GIT_H

#include "common/crypto/crypto.h"

#define SAT_GIT_OID_BYTES 20
#define SAT_GIT_OID_HEX 40
#define SAT_GIT_BUNDLE_MAX (16u * 1024 * 1024)
#define SAT_GIT_OBJECT_MAX (1024u * 1024)
#define SAT_GIT_OBJECTS_MAX 50000u
#define SAT_GIT_DEPTH_MAX 4
#define SAT_GIT_NAME_MAX 64 /* one part of a path */
#define SAT_GIT_PATH_MAX (SAT_GIT_DEPTH_MAX * (SAT_GIT_NAME_MAX + 1))

typedef struct sat_git sat_git;
typedef struct sat_oid {
	uint8_t b[SAT_GIT_OID_BYTES];
} sat_oid;

SAT_CHECK sat_rc sat_git_init_bare(sat_git **g, const char *path, sat_err *e);
SAT_CHECK sat_rc sat_git_open(sat_git **g, const char *path, sat_err *e);
SAT_CHECK sat_rc sat_git_memory(sat_git **g, sat_err *e); /* no path */
void sat_git_close(sat_git *g);
/* Take away the locks of branches that a program which ended in the middle of a
 * step (power cut) left: with one, its branch cannot be moved any more. Only
 * for who knows that nobody else works in the repository. SAT_EIO. */
SAT_CHECK sat_rc sat_git_unlock(sat_git *g, sat_err *e);

/* One file of a tree. */
typedef struct sat_git_file {
	const char *path;
	sat_span bytes;
} sat_git_file;

typedef struct sat_git_author {
	const char *name, *email;
	int64_t when_ms;
	const uint8_t *sign_sk; /* SAT_SIGN_SK_BYTES; required */
	const uint8_t *sign_pk;
} sat_git_author;

/*
 * Make a signed commit of the whole tree `files` on `branch`
 * ("refs/heads/published"), with the branch's tip as parent, and move the
 * branch by compare-and-swap.
 * @return SAT_ECONFLICT when the branch moved meanwhile; SAT_EINVALID for a
 *         path or size outside the limits; SAT_OK with the same oid when the
 *         tree equals the tip's (no new commit).
 */
SAT_CHECK sat_rc sat_git_commit(sat_oid *out, sat_git *g, const char *branch,
    const sat_git_file *files, size_t nfiles, const sat_git_author *who,
    const char *message, sat_err *e);
/* A commit with the tree of the branch's tip: it has something to say, not
 * something to change. SAT_ENOTFOUND without a tip. */
SAT_CHECK sat_rc sat_git_commit_same(sat_oid *out, sat_git *g,
    const char *branch, const sat_git_author *who, const char *message,
    sat_err *e);
SAT_CHECK sat_rc sat_git_tip(sat_oid *out, sat_git *g, const char *branch, sat_err *e);

/* Make a branch that does not exist yet (restore). SAT_ECONFLICT. */
SAT_CHECK sat_rc sat_git_branch_set(sat_git *g, const char *branch,
    const sat_oid *tip, sat_err *e);

/* Move a branch from one commit to another (the caller knows that it descends
 * from it). SAT_ECONFLICT when it is not at `from` any more. */
SAT_CHECK sat_rc sat_git_branch_move(sat_git *g, const char *branch,
    const sat_oid *from, const sat_oid *tip, sat_err *e);

/* Visit every file of a commit's tree, sorted by path. Spans are borrowed for
 * the call. cb returns non-zero to stop. */
SAT_CHECK sat_rc sat_git_walk(sat_git *g, const sat_oid *commit,
    int (*cb)(void *u, const char *path, sat_span bytes), void *u, sat_err *e);

typedef struct sat_git_info {
	sat_oid oid, parents[2];
	unsigned nparents;
	char author[80], message[200]; /* first line */
	int64_t when_ms;
	bool has_signature, signature_ok; /* signer in the allowed list */
	/* Whose signature it is, allowed or not; zero when it does not verify. */
	uint8_t signer[SAT_SIGN_PK_BYTES];
} sat_git_info;
/* One commit; allowed = the public keys that may sign. */
SAT_CHECK sat_rc sat_git_commit_info(sat_git_info *out, sat_git *g,
    const sat_oid *commit, const uint8_t (*allowed)[SAT_SIGN_PK_BYTES],
    size_t nallowed, sat_err *e);
/* The value of the last line "KEY: value" of its message; SAT_ENOTFOUND when
 * there is none. What comes behind a message's first line is signed with it. */
SAT_CHECK sat_rc sat_git_commit_trailer(sat_buf *value, sat_git *g,
    const sat_oid *commit, const char *key, sat_err *e);
/* History from a commit, newest first. What came from outside goes through
 * sat_git_verify_closure first: on a history with holes libgit2 loses a few
 * bytes of memory at each call. */
SAT_CHECK sat_rc sat_git_log(sat_git *g, const sat_oid *from,
    int (*cb)(void *u, const sat_oid *oid), void *u, sat_err *e);
/* Is `old` an ancestor of (or equal to) `new_`? */
SAT_CHECK sat_rc sat_git_descends(bool *yes, sat_git *g, const sat_oid *new_,
    const sat_oid *old, sat_err *e);

/*
 * Object bundle: all objects reachable from `tip` and not from `have`
 * (have may be NULL), each after what it refers to. Content of an older tree
 * that came back may be sent again. Format: count, then {type u8, oid 20,
 * span}. SAT_EINVALID above the limits, SAT_ENOTFOUND when `have` is unknown
 * here.
 */
SAT_CHECK sat_rc sat_git_bundle(sat_buf *out, sat_git *g, const sat_oid *tip,
    const sat_oid *have, sat_err *e);
/*
 * The same in no more than `max` bytes (below SAT_GIT_BUNDLE_MAX), of a history
 * on one line: the oldest commits that fit, and *tip becomes the newest of them,
 * from which the next part goes on. SAT_EINVAL when not even one fits.
 */
SAT_CHECK sat_rc sat_git_bundle_part(sat_buf *out, sat_git *g, sat_oid *tip,
    const sat_oid *have, size_t max, sat_err *e);
/* Visit the objects of a bundle, each id recomputed and compared; SAT_EPROTO
 * on any mismatch or limit, and then cb was not called at all. cb may store
 * them. */
SAT_CHECK sat_rc sat_git_unbundle(sat_span bundle,
    sat_rc (*cb)(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e),
    void *u, sat_err *e);
/*
 * A history as a file, from its first commit to `tip`, of any length: backups of
 * a server, and what `satchel template pack` writes. "satchel template 2\n", tip
 * (20 bytes), then parts, each {its newest commit 20, bytes of the bundle be32,
 * bundle of what comes behind the part before it}; the last one's newest commit
 * is tip. Both sides hold one part at a time.
 *
 * Whole or not at all, as sat_file_write (a pipe as it is); mode is that of a new
 * file, before the umask. A part has at most part_bytes; before a commit that is
 * larger by itself twice that, and so on up to SAT_GIT_BUNDLE_MAX.
 * @return as sat_file_write and sat_git_bundle_part; SAT_EINVALID too when the
 *         history is not on one line.
 */
#define SAT_GIT_FILE_PART (4u * 1024 * 1024)
SAT_CHECK sat_rc sat_git_file_write(const char *path, unsigned mode,
    sat_git *g, const sat_oid *tip, size_t part_bytes, sat_err *e);
/*
 * Each part in its order, for sat_git_unbundle, with its newest commit; `last`:
 * that is *tip, which is set before the first. Of a part only what the file itself
 * tells was checked (G4 of git_file.c), not who signed, nor whether all is
 * there that it refers to. What a failure leaves undone is the caller's.
 * @return SAT_EPROTO when it is none, cut off, too long or altered, SAT_EVERSION
 *         when it is of another format, SAT_ENOTFOUND (cannot be opened),
 *         SAT_EUSAGE (a folder), SAT_EIO, and what part() returned.
 */
SAT_CHECK sat_rc sat_git_file_read(sat_oid *tip, const char *path,
    sat_rc (*part)(void *u, const sat_oid *upto, sat_span bundle, bool last,
    sat_err *e), void *u, sat_err *e);
/* Only look, at all of it: as before, and SAT_EINTEGRITY when an object is missing
 * or out of place. Holds a part, and folders and commits of the history. */
SAT_CHECK sat_rc sat_git_file_verify(sat_oid *tip, const char *path, sat_err *e);
/* Add one object to a repository (memory or bare). SAT_EPROTO when it does
 * not match its id or breaks a limit or the form of a tree or commit. */
SAT_CHECK sat_rc sat_git_put(sat_git *g, int type, const sat_oid *oid, sat_span data, sat_err *e);
/* The same of what sat_git_unbundle hands out: it was checked. */
SAT_CHECK sat_rc sat_git_put_checked(sat_git *g, int type, const sat_oid *oid,
    sat_span data, sat_err *e);
/* The closure of a commit is present and well-formed, paths and modes in the
 * limits; else SAT_EINTEGRITY. */
SAT_CHECK sat_rc sat_git_verify_closure(sat_git *g, const sat_oid *tip, sat_err *e);

void sat_oid_hex(char out[SAT_GIT_OID_HEX + 1], const sat_oid *o);
SAT_CHECK bool sat_oid_parse(sat_oid *o, const char *hex);
/* "ssh-ed25519 AAAA..." line for an allowed-signers file. */
void sat_git_ssh_public(char out[128], const uint8_t pk[SAT_SIGN_PK_BYTES]);

#endif
