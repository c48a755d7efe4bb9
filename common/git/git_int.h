/*
 * git_int.h - inside common/git only.
 */
#ifndef SAT_GIT_GIT_INT_H
#define SAT_GIT_GIT_INT_H

#include "common/git/git.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>

/* Of git's own header "<type> <size>\0" we know the types by number. */
#define GIT_TYPE_COMMIT 1
#define GIT_TYPE_TREE 2
#define GIT_TYPE_BLOB 3

/* A branch of a repository in memory. */
typedef struct git_mem_ref {
	struct git_mem_ref *next;
	git_oid oid;
	char name[];
} git_mem_ref;

struct sat_git {
	git_repository *repo;
	git_odb *odb;
	git_odb_backend *memory; /* of the odb; NULL: on a disk */
	git_mem_ref *refs; /* memory only: such a repository has no refdb */
};

/* libgit2 ready to use; every door calls it first. Any thread. */
void sat_git_ready(void);
/* git_alloc.c: before libgit2 is set up. */
void git_alloc_ready(void);
/* What libgit2 said, as ours. `what` names the step. */
sat_rc sat_git_fail(sat_err *e, int git_rc, const char *what);

static inline git_oid
git_oid_of(const sat_oid *o)
{
	git_oid g;

	for (int i = 0; i < SAT_GIT_OID_BYTES; i++)
		g.id[i] = o->b[i];
	return g;
}

static inline sat_oid
sat_oid_of(const git_oid *g)
{
	sat_oid o;

	for (int i = 0; i < SAT_GIT_OID_BYTES; i++)
		o.b[i] = g->id[i];
	return o;
}

/* Objects in memory (git_mem.c). The caller owns it until an odb takes it. */
git_odb_backend *sat_git_mem_backend(void);

/* Move a branch from `old` (NULL: it must not exist) to `new_`. SAT_ECONFLICT
 * when it is not where it should be. */
SAT_CHECK sat_rc sat_git_move(sat_git *g, const char *branch,
    const git_oid *old, const git_oid *new_, sat_err *e);

/* Read an object of this type and at most SAT_GIT_OBJECT_MAX bytes. */
SAT_CHECK sat_rc sat_git_read(git_odb_object **obj, sat_git *g,
    const git_oid *oid, int type, sat_err *e);

/* ---- trees: the strict reader ----------------------------------------------- */

typedef struct git_entry {
	bool is_tree;
	const char *name; /* borrowed from the tree, NUL-terminated */
	git_oid oid;
} git_entry;

typedef struct git_tree_reader {
	sat_reader r;
	git_entry last;
	bool any;
} git_tree_reader;

git_tree_reader sat_git_tree_reader(sat_span data);
/* @return false at the end or at a fault; r.fault tells which. */
SAT_CHECK bool sat_git_tree_next(git_entry *entry, git_tree_reader *t);
/* The whole tree is in the limits: modes, names, order. */
SAT_CHECK sat_rc sat_git_tree_check(sat_span data, sat_err *e);
/* A commit in the one form we know. SAT_EPROTO. */
SAT_CHECK sat_rc sat_git_commit_check(sat_span data, sat_err *e);
/* Type, size, id and form. SAT_EPROTO. */
SAT_CHECK sat_rc sat_git_object_check(int type, const sat_oid *oid,
    sat_span data, sat_err *e);
/* A whole path in the limits. */
SAT_CHECK bool sat_git_path_ok(const char *path);

/* ---- a set of object ids ------------------------------------------------------ */

typedef struct git_set {
	git_oid *slots; /* open addressing; `used` marks */
	uint8_t *used;
	size_t n, cap;
} git_set;

/* @return true when it was not in the set before. */
bool sat_git_set_add(git_set *s, const git_oid *oid);
bool sat_git_set_has(const git_set *s, const git_oid *oid);
void sat_git_set_fini(git_set *s);

/* ---- signatures (sshsig.c) ---------------------------------------------------- */

/* The armoured signature of `payload`, without a final line end. */
void sat_sshsig_make(sat_buf *out, sat_span payload,
    const uint8_t pk[SAT_SIGN_PK_BYTES], const uint8_t sk[SAT_SIGN_SK_BYTES]);
/* @return true when `armour` is a good signature of `payload`; pk is then the
 * signer. Anything else, malformed included, is false. */
SAT_CHECK bool sat_sshsig_ok(uint8_t pk[SAT_SIGN_PK_BYTES], sat_span armour,
    sat_span payload);

#endif
