#include "tests/lib/unit.h"

#include <git2.h>

#include "common/crypto/crypto.h"
#include "common/git/git.h"
#include "tests/unit/common/git/repo.h"

uint8_t sk[SAT_SIGN_SK_BYTES], pk[1][SAT_SIGN_PK_BYTES];

uint8_t other_sk[SAT_SIGN_SK_BYTES], other_pk[1][SAT_SIGN_PK_BYTES];

int
setup(void **state)
{
	uint8_t seed[32] = { 1 };

	sat_crypto_init();
	sat_sign_keys(pk[0], sk, seed);
	seed[0] = 2;
	sat_sign_keys(other_pk[0], other_sk, seed);
	return sat_test_dir_setup(state);
}

sat_git *
bare(const char *name)
{
	sat_git *g;
	sat_err err;

	assert_ok(sat_git_init_bare(&g, sat_test_at(name), &err));
	return g;
}

sat_git *
memory(void)
{
	sat_git *g;
	sat_err err;

	assert_ok(sat_git_memory(&g, &err));
	return g;
}

sat_git_author
author(void)
{
	return (sat_git_author){ "\xe6\x80\xbb\xe9\x83\xa8", "hq@example.com",
		NOON, sk, pk[0] };
}

sat_oid
commit_n(sat_git *g, const char *branch, int n)
{
	char text[64];
	sat_git_author who = author();
	sat_git_file files[2] = { { "pack/fields.json", { NULL, 0 } },
		{ "readme.md", { (const uint8_t *)"hello\n", 6 } } };
	sat_oid oid;
	sat_err err;

	(void)snprintf(text, sizeof text, "{\n  \"n\": %d\n}\n", n);
	files[0].bytes = sat_span_str(text);
	who.when_ms += n * 1000;
	assert_ok(sat_git_commit(&oid, g, branch, files, 2, &who, "edit\n",
	    &err));
	return oid;
}

sat_oid
id_of(int type, sat_span data)
{
	git_oid g;
	sat_oid o;

	assert_int_equal(0, git_odb_hash(&g, data.p, data.n,
	    (git_object_t)type));
	memcpy(o.b, g.id, sizeof o.b);
	return o;
}

int
list(void *u, const char *path, sat_span bytes)
{
	sat_buf_fmt(u, "%s=%zu ", path, bytes.n);
	return 0;
}

sat_git_info
info_of(sat_git *g, const sat_oid *oid)
{
	sat_git_info info;
	sat_err err;

	assert_ok(sat_git_commit_info(&info, g, oid, pk, 1, &err));
	return info;
}

void
put(sat_git *g, int type, sat_span data, sat_oid *oid)
{
	sat_err err;

	*oid = id_of(type, data);
	assert_ok(sat_git_put(g, type, oid, data, &err));
}

int
count_commits(void *u, const sat_oid *oid)
{
	(void)oid;
	++*(int *)u;
	return 0;
}
