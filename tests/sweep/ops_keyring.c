/*
 * ops_keyring.c - the keyring's operations, on a real file system: the calls
 * its room makes into the kernel are wrapped by the linker and fail on demand.
 */
#include "tests/sweep/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the calls -------------------------------------------------------------------- */

static uint64_t left;
static int error;
static bool persistent, hit;

void
files_fail(uint64_t nth, int err, bool all_later)
{
	left = nth;
	error = err;
	persistent = all_later;
	if (nth != 0)
		hit = false;
}

bool
files_fired(void)
{
	return hit;
}

static bool
fails(void)
{
	if (left == 0 || --left > 0)
		return false;
	hit = true;
	if (persistent)
		left = 1;
	errno = error;
	return true;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int
__wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails() ? -1 : __real_open(path, flags, mode);
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fails()) { /* a part of it may be there */
		int err = errno;

		if (n > 1)
			(void)!__real_write(fd, p, n / 2);
		errno = err;
		return -1;
	}
	return __real_write(fd, p, n);
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	return fails() ? -1 : __real_read(fd, p, n);
}

#define WRAP1(name, type, arg)                                                \
	int __real_##name(type arg);                                          \
	int __wrap_##name(type arg);                                          \
	int                                                                   \
	__wrap_##name(type arg)                                               \
	{                                                                     \
		return fails() ? -1 : __real_##name(arg);                     \
	}
#define WRAP2(name)                                                           \
	int __real_##name(const char *from, const char *to);                  \
	int __wrap_##name(const char *from, const char *to);                  \
	int                                                                   \
	__wrap_##name(const char *from, const char *to)                       \
	{                                                                     \
		return fails() ? -1 : __real_##name(from, to);                \
	}
WRAP1(fsync, int, fd)
WRAP1(unlink, const char *, path)
WRAP2(rename)
WRAP2(link)

/* ---- the operations ----------------------------------------------------------------- */

static char folder[64], path[80];
static const char first[] = "first secret", second[] = "second secret";

static sat_secret_in
secret(const char *words)
{
	return (sat_secret_in){ .type = SAT_SLOT_PASSPHRASE,
		.bytes = sat_span_str(words), .cost = { 1, 8u << 20 } };
}

static void
remove_all(void)
{
	static const char *const ends[] = { "", ".1", ".tmp", ".lock" };
	char name[100];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)__real_unlink(name);
	}
}

static void
leave_nothing(void)
{
	remove_all();
	(void)rmdir(folder);
}

static bool
fresh(lab *L, int arg)
{
	const char *t = getenv("TMPDIR");

	(void)L;
	(void)arg;
	if (folder[0] == '\0') {
		(void)snprintf(folder, sizeof folder, "%s/sweep.XXXXXX",
		    t != NULL ? t : "/tmp");
		if (mkdtemp(folder) == NULL)
			return false;
		(void)snprintf(path, sizeof path, "%s/k.keyring", folder);
		(void)atexit(leave_nothing);
	}
	remove_all();
	return true;
}

static bool
made(lab *L, int arg)
{
	sat_secret_in s = secret(first);
	sat_keyring *k;
	sat_err e = { 0 };

	if (!fresh(L, arg))
		return false;
	lab_must(sat_keyring_create(&k, path, &s, &e), &e, "keyring");
	sat_keyring_close(k);
	return true;
}

static sat_rc
make(lab *L, int arg, sat_err *e)
{
	sat_secret_in s = secret(first);
	sat_keyring *k;
	sat_rc rc = sat_keyring_create(&k, path, &s, e);

	(void)L;
	(void)arg;
	if (rc == SAT_OK)
		sat_keyring_close(k);
	return rc;
}

enum { K_OPEN, K_PASSWD, K_FILE };

static sat_rc
use(lab *L, int arg, sat_err *e)
{
	sat_secret_in s = secret(first), to = secret(second);
	uint8_t id[SAT_FILE_ID_BYTES];
	sat_keyring *k;
	sat_rc rc = sat_keyring_open(&k, path, &s, e);

	(void)L;
	if (rc != SAT_OK)
		return rc;
	if (arg == K_PASSWD)
		rc = sat_keyring_set_slot(k, &to, e);
	else if (arg == K_FILE)
		rc = sat_keyring_file_id(id, k, "a.db", true, e);
	sat_keyring_close(k);
	return rc;
}

static sat_rc
opens_with(const char *words)
{
	sat_secret_in s = secret(words);
	sat_keyring *k;
	sat_err e = { 0 };
	sat_rc rc = sat_keyring_open(&k, path, &s, &e);

	if (rc == SAT_OK)
		sat_keyring_close(k);
	return rc;
}

static bool
has_file(void)
{
	sat_secret_in s = secret(first);
	uint8_t id[SAT_FILE_ID_BYTES];
	sat_keyring *k;
	sat_err e = { 0 };
	bool yes;

	if (sat_keyring_open(&k, path, &s, &e) != SAT_OK)
		return false;
	yes = sat_keyring_file_id(id, k, "a.db", false, &e) == SAT_OK;
	sat_keyring_close(k);
	return yes;
}

static const char *
after_make(lab *L, int arg, sat_rc rc)
{
	sat_err e = { 0 };

	if (opens_with(first) == SAT_OK)
		return NULL;
	if (rc == SAT_OK)
		return "the keyring that was made does not open";
	return make(L, arg, &e) == SAT_OK ? NULL :
	    "a keyring that was not made stands in the way";
}

static const char *
after_use(lab *L, int arg, sat_rc rc)
{
	bool old = opens_with(first) == SAT_OK;
	bool new = arg == K_PASSWD && opens_with(second) == SAT_OK;

	(void)L;
	if (!old && !new)
		return "no secret opens the keyring";
	if (arg == K_PASSWD && rc == SAT_OK && (old || !new))
		return "the secret that was set does not open the keyring";
	if (arg == K_FILE && rc == SAT_OK && !has_file())
		return "the file's id is gone";
	return NULL;
}

const sweep_op sweep_keyring_ops[] = {
	{ "keyring create", ANN, OP_FILES, fresh, make, 0, after_make },
	{ "keyring open", ANN, OP_FILES, made, use, K_OPEN, after_use },
	{ "keyring passphrase", ANN, OP_FILES, made, use, K_PASSWD, after_use },
	{ "keyring file id", ANN, OP_FILES, made, use, K_FILE, after_use },
	{ .name = NULL },
};
