/*
 * repo.h - repositories, authors and commits for the tests of git.
 */
#ifndef SAT_TESTS_COMMON_GIT_REPO_H
#define SAT_TESTS_COMMON_GIT_REPO_H

#include "tests/lib/unit.h"

#include "common/crypto/crypto.h"
#include "common/git/git.h"

#define BRANCH "refs/heads/published"
#define NOON 1800000000000

extern uint8_t sk[SAT_SIGN_SK_BYTES], pk[1][SAT_SIGN_PK_BYTES];
extern uint8_t other_sk[SAT_SIGN_SK_BYTES], other_pk[1][SAT_SIGN_PK_BYTES];

int setup(void **state);
sat_git *bare(const char *name);
sat_git *memory(void);
sat_git_author author(void);

/* A commit of two files whose content carries `n`. */
sat_oid commit_n(sat_git *g, const char *branch, int n);

sat_oid id_of(int type, sat_span data);
int list(void *u, const char *path, sat_span bytes);
sat_git_info info_of(sat_git *g, const sat_oid *oid);
void put(sat_git *g, int type, sat_span data, sat_oid *oid);
int count_commits(void *u, const sat_oid *oid);

#endif
