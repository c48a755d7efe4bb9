/*
 * Bundles, files of them, trees, commits and signatures. The first byte chooses:
 *   'b'  the rest is a bundle as it comes from the wire
 *   'f'  the rest is a history as a file
 *   's'  the rest is an armoured signature
 *   'o'  the rest describes objects, so that the ids are right and the code
 *        behind them is reached: lines of type '1'..'3' and content, ended by
 *        0xff; 0xfe k is the raw id of object k, 0xfd k the same in hex
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <git2.h>

#include "common/git/git_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static sat_rc
store(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put(u, type, oid, data, e);
}

static int
on_file(void *u, const char *path, sat_span bytes)
{
	(void)u;
	(void)bytes;
	if (!sat_git_path_ok(path))
		abort();
	return 0;
}

static int
on_commit(void *u, const sat_oid *oid)
{
	(void)oid;
	return ++*(int *)u > 1000;
}

/* Everything that reads a commit must answer, whatever the commit is. */
static void
use_commit(sat_git *g, const sat_oid *oid)
{
	sat_git_info info;
	sat_buf b = { 0 };
	sat_err err = { 0 };
	int commits = 0;

	if (sat_git_commit_info(&info, g, oid, NULL, 0, &err) == SAT_OK &&
	    info.signature_ok)
		abort(); /* nobody was allowed */
	if (sat_git_verify_closure(g, oid, &err) != SAT_OK)
		(void)!sat_git_walk(g, oid, on_file, NULL, &err);
	else if (sat_git_log(g, oid, on_commit, &commits, &err) != SAT_OK ||
	    commits == 0 ||
	    sat_git_walk(g, oid, on_file, NULL, &err) != SAT_OK ||
	    sat_git_bundle(&b, g, oid, NULL, &err) != SAT_OK ||
	    sat_git_unbundle(sat_buf_span(&b), store, g, &err) != SAT_OK)
		abort();
	sat_buf_fini(&b);
}

static sat_rc
use(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	(void)data;
	(void)e;
	if (type == GIT_TYPE_COMMIT)
		use_commit(u, oid);
	return SAT_OK;
}

static void
as_bundle(sat_git *g, sat_span bundle)
{
	sat_err err = { 0 };

	if (sat_git_unbundle(bundle, store, g, &err) == SAT_OK &&
	    sat_git_unbundle(bundle, use, g, &err) != SAT_OK)
		abort();
}

static sat_rc
take_part(void *u, const sat_oid *upto, sat_span bundle, bool last, sat_err *e)
{
	(void)upto;
	(void)last;
	return sat_git_unbundle(bundle, store, u, e);
}

/* What is good to look at can be taken, and is all there then. */
static void
as_file(sat_git *g, sat_span bytes)
{
	int fd = memfd_create("history", MFD_CLOEXEC);
	char path[40];
	sat_err err = { 0 };
	sat_oid tip;
	sat_rc looked;

	if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
		abort();
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	looked = sat_git_file_verify(&tip, path, &err);
	if (sat_git_file_read(&tip, path, take_part, g, &err) == SAT_OK)
		use_commit(g, &tip);
	else if (looked == SAT_OK)
		abort();
	if (looked == SAT_OK && sat_git_verify_closure(g, &tip, &err) != SAT_OK)
		abort();
	(void)close(fd);
}

#define OBJECTS 64

static void
as_objects(sat_git *g, const uint8_t *p, size_t n)
{
	sat_oid ids[OBJECTS];
	sat_buf b = { 0 }, body = { 0 };
	uint64_t count = 0;
	size_t i = 0;

	while (i < n && count < OBJECTS) {
		int type = (p[i++] & 3);
		git_oid id;

		sat_buf_reset(&body);
		for (; i < n && p[i] != 0xff; i++) {
			char hex[SAT_GIT_OID_HEX + 1];
			const sat_oid *ref;

			if (p[i] < 0xfd || i + 1 == n || count == 0) {
				sat_write_u8(&body, p[i]);
				continue;
			}
			ref = &ids[p[i + 1] % count];
			sat_oid_hex(hex, ref);
			if (p[i++] == 0xfe)
				sat_buf_add(&body, ref->b, sizeof ref->b);
			else
				sat_buf_str(&body, hex);
		}
		i++;
		if (type == 0 || git_odb_hash(&id, sat_buf_cstr(&body), body.n,
		    (git_object_t)type) < 0)
			continue;
		ids[count++] = sat_oid_of(&id);
		sat_write_u8(&b, (uint8_t)type);
		sat_buf_add(&b, id.id, SAT_GIT_OID_BYTES);
		sat_write_span(&b, sat_buf_span(&body));
	}
	sat_buf_reset(&body);
	sat_write_uint(&body, count);
	sat_buf_add(&body, b.p, b.n);
	as_bundle(g, sat_buf_span(&body));
	sat_buf_fini(&b);
	sat_buf_fini(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool started;
	uint8_t pk[SAT_SIGN_PK_BYTES];
	sat_git *g;

	if (!started) {
		sat_crypto_init();
		sat_git_ready();
		started = true;
	}
	if (n == 0)
		return 0;
	if (p[0] == 's') {
		(void)!sat_sshsig_ok(pk, sat_span_of(p + 1, n - 1),
		    sat_span_str("payload"));
		return 0;
	}
	if (sat_git_memory(&g, NULL) != SAT_OK)
		abort();
	if (p[0] == 'b')
		as_bundle(g, sat_span_of(p + 1, n - 1));
	else if (p[0] == 'f')
		as_file(g, sat_span_of(p + 1, n - 1));
	else
		as_objects(g, p + 1, n - 1);
	sat_git_close(g);
	return 0;
}
