#include "common/crypto/keyring_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/*
 * The file system's half of a keyring.
 *
 * Why a lock file: the keyring is replaced by rename, so a lock on it would
 * stay with the old inode and two processes could each hold "the" lock.
 * "<path>.lock" is empty, made once, and never removed: removing it would
 * bring the same race back.
 *
 * Why link() before rename(): path names a whole keyring at every moment,
 * the old one or the new one. Rename path to .1 first, and a crash in
 * between leaves no file of that name; that order is only the way out where
 * the file system has no hard links, and the reader copes (previous file).
 */

static char *
name_with(const char *path, const char *suffix)
{
	return sat_xasprintf("%s%s", path, suffix);
}

char *
sat_store_previous(const char *path)
{
	return name_with(path, ".1");
}

static sat_rc
io_fail(sat_err *e, const char *what)
{
	int err = errno;

	return sat_fail(e,
	    err == ENOSPC || err == EDQUOT ? SAT_ENOSPACE : SAT_EIO,
	    "keyring: cannot %s: %s", what, strerror(err));
}

bool
sat_store_exists(const char *path)
{
	char *previous = sat_store_previous(path);
	struct stat st;
	bool yes = lstat(path, &st) == 0 || lstat(previous, &st) == 0;

	free(previous);
	return yes;
}

sat_rc
sat_store_lock(int *out, const char *path, sat_err *e)
{
	char *name = name_with(path, ".lock");
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	free(name);
	if (fd < 0)
		return io_fail(e, "make its lock file");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		sat_rc rc = errno == EWOULDBLOCK ?
		    sat_fail_code(e, SAT_EBUSY, "keyring.busy",
			"close the other program", "another process holds it") :
		    io_fail(e, "lock");

		(void)close(fd);
		return rc;
	}
	*out = fd;
	return SAT_OK;
}

static sat_rc
read_all(sat_buf *out, int fd, sat_err *e)
{
	ssize_t n;

	do {
		/* One byte more than allowed tells "too long". */
		size_t want = SAT_KEYRING_MAX_BYTES + 1 - out->n;

		n = read(fd, sat_buf_room(out, want), want);
		if (n > 0)
			out->n += (size_t)n;
		if (out->n > SAT_KEYRING_MAX_BYTES)
			return sat_fail(e, SAT_EINTEGRITY,
			    "keyring is too long");
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? io_fail(e, "read") : SAT_OK;
}

sat_rc
sat_store_read(sat_buf *out, const char *path, sat_err *e)
{
	/* O_NONBLOCK: a fifo put in its place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	sat_rc rc;

	if (fd < 0)
		return errno == ENOENT ?
		    sat_fail(e, SAT_ENOTFOUND, "no keyring here") :
		    io_fail(e, "open");
	if (fstat(fd, &st) != 0)
		rc = io_fail(e, "look at");
	else if (!S_ISREG(st.st_mode))
		rc = sat_fail(e, SAT_EINTEGRITY, "keyring is not a file");
	else
		rc = read_all(out, fd, e);
	if (rc == SAT_OK && (st.st_mode & 077) != 0)
		sat_log(SAT_WARN, "KEYRING-MODE", "mode=%o others may read it",
		    (unsigned)(st.st_mode & 07777));
	(void)close(fd);
	return rc;
}

static sat_rc
write_all(int fd, sat_span bytes, sat_err *e)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fail(e, "write");
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return SAT_OK;
}

/* A whole, synced file under a name nobody reads. */
static sat_rc
write_temp(const char *temp, sat_span bytes, sat_err *e)
{
	int fd;
	sat_rc rc;

	(void)unlink(temp); /* left by a crash; we hold the lock */
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return io_fail(e, "make a temporary file");
	rc = write_all(fd, bytes, e);
	if (rc == SAT_OK && fsync(fd) != 0)
		rc = io_fail(e, "sync");
	if (close(fd) != 0 && rc == SAT_OK)
		rc = io_fail(e, "close");
	if (rc != SAT_OK)
		(void)unlink(temp);
	return rc;
}

static sat_rc
set_aside(const char *path, sat_err *e)
{
	char *previous = sat_store_previous(path);
	sat_rc rc = SAT_OK;

	(void)unlink(previous);
	if (link(path, previous) != 0 && errno != ENOENT &&
	    rename(path, previous) != 0)
		rc = io_fail(e, "set the previous file aside");
	free(previous);
	return rc;
}

sat_rc
sat_store_write(const char *path, sat_span bytes, bool keep_previous,
    sat_err *e)
{
	char *temp = name_with(path, ".tmp");
	sat_rc rc;

	rc = write_temp(temp, bytes, e);
	if (rc == SAT_OK && keep_previous && (rc = set_aside(path, e)) != SAT_OK)
		(void)unlink(temp);
	if (rc == SAT_OK && rename(temp, path) != 0) {
		rc = io_fail(e, "put the new file in place");
		(void)unlink(temp);
	}
	free(temp);
	return rc == SAT_OK ? sat_folder_sync_of(path, e) : rc;
}

void
sat_store_drop_previous(const char *path)
{
	char *previous = sat_store_previous(path);

	/* An old passphrase still opens it, so it must not stay for long. */
	(void)unlink(previous);
	free(previous);
}

sat_rc
sat_keyring_destroy(const char *path, sat_err *e)
{
	static const char *const ends[] = { "", ".1", ".tmp" };
	sat_rc rc = SAT_OK, one;

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char *name = name_with(path, ends[i]);

		/* the others go all the same; the first failure is told */
		one = sat_file_shred(name, rc == SAT_OK ? e : NULL);
		rc = rc != SAT_OK ? rc : one;
		free(name);
	}
	return rc == SAT_OK ? sat_folder_sync_of(path, e) : rc;
}
