#include "common/base/file.h"

#include "common/base/mem.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIECE 65536

/* ---- whole files --------------------------------------------------------------- */

/* A path somebody named wrongly is his mistake, not the computer's. */
static sat_rc
rc_of(int why)
{
	switch (why) {
	case ENOENT:
	case ENOTDIR:
		return SAT_ENOTFOUND;
	case EEXIST:
		return SAT_ECONFLICT;
	case EISDIR:
		return SAT_EUSAGE;
	case ENOSPC:
	case EDQUOT:
		return SAT_ENOSPACE;
	default:
		return SAT_EIO;
	}
}

static sat_rc
open_to_read(FILE **f, const char *path, sat_err *e)
{
	*f = fopen(path, "rbe");
	return *f != NULL ? SAT_OK : sat_fail(e, SAT_ENOTFOUND,
	    "cannot read %s: %s", path, strerror(errno));
}

static sat_rc
read_done(FILE *f, const char *path, sat_err *e)
{
	sat_rc rc = ferror(f) == 0 ? SAT_OK : sat_fail(e, rc_of(errno),
	    "cannot read %s: %s", path, strerror(errno));

	(void)fclose(f);
	return rc;
}

sat_rc
sat_file_read(sat_buf *b, const char *path, size_t max, sat_err *e)
{
	FILE *f;
	size_t n = 1;
	sat_rc rc = open_to_read(&f, path, e);

	if (rc != SAT_OK)
		return rc;
	while (max > 0 && n > 0) {
		size_t want = max < PIECE ? max : PIECE;

		n = fread(sat_buf_room(b, want), 1, want, f);
		b->n += n;
		max -= n;
	}
	return read_done(f, path, e);
}

sat_rc
sat_file_each(const char *path, void (*piece)(void *u, sat_span s), void *u,
    sat_err *e)
{
	FILE *f;
	uint8_t *p;
	size_t n;
	sat_rc rc = open_to_read(&f, path, e);

	if (rc != SAT_OK)
		return rc;
	p = sat_xmalloc(PIECE);
	while ((n = fread(p, 1, PIECE, f)) > 0)
		piece(u, sat_span_of(p, n));
	free(p);
	return read_done(f, path, e);
}

static sat_rc
cannot_write(const char *path, sat_err *e)
{
	return sat_fail(e, rc_of(errno), "cannot write %s: %s", path,
	    strerror(errno));
}

bool
sat_file_is_stream(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode);
}

static bool
put_all(int fd, sat_span s)
{
	ssize_t n;

	for (size_t at = 0; at < s.n; at += (size_t)n)
		if ((n = write(fd, s.p + at, s.n - at)) <= 0)
			return false;
	return true;
}

/* There is nothing to sync, nor a name. */
static sat_rc
write_stream(const char *path, sat_span s, sat_err *e)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	bool good = fd >= 0 && put_all(fd, s);
	sat_rc rc = good ? SAT_OK : cannot_write(path, e);

	if (fd >= 0)
		(void)close(fd);
	return rc;
}

sat_rc
sat_file_write(const char *path, sat_span s, unsigned mode, sat_err *e)
{
	char *tmp;
	int fd;
	bool good;
	sat_rc rc = SAT_OK;

	if (sat_file_is_stream(path))
		return write_stream(path, s, e);
	tmp = sat_xasprintf("%s.tmp", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
	good = fd >= 0 && put_all(fd, s) && fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		good = false;
	if (!good || rename(tmp, path) != 0)
		rc = cannot_write(path, e);
	if (rc != SAT_OK && fd >= 0)
		(void)unlink(tmp);
	free(tmp);
	return rc == SAT_OK ? sat_folder_sync_of(path, e) : rc;
}

static bool
copy_all(int in, int out)
{
	uint8_t *p = sat_xmalloc(PIECE);
	ssize_t n;
	bool good = true;

	while (good && (n = read(in, p, PIECE)) != 0)
		good = n > 0 && put_all(out, sat_span_of(p, (size_t)n));
	free(p);
	return good && fsync(out) == 0;
}

sat_rc
sat_file_copy(const char *from, const char *to, sat_err *e)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	bool good;
	sat_rc rc;

	if (in < 0)
		return sat_fail(e, SAT_ENOTFOUND, "cannot read %s: %s", from,
		    strerror(errno));
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	good = out >= 0 && copy_all(in, out);
	if (out >= 0 && close(out) != 0)
		good = false;
	rc = good ? SAT_OK : cannot_write(to, e);
	if (!good && out >= 0)
		(void)unlink(to);
	(void)close(in);
	return rc;
}

void
sat_file_remove(const char *path)
{
	(void)unlink(path);
}

static bool
overwrite(int fd)
{
	static const uint8_t nothing[PIECE];
	struct stat st;
	off_t left;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return false;
	for (left = st.st_size; left > 0; left -= n)
		if ((n = write(fd, nothing, left < PIECE ? (size_t)left :
		    PIECE)) <= 0)
			return false;
	return fsync(fd) == 0;
}

sat_rc
sat_file_shred(const char *path, sat_err *e)
{
	struct stat st;
	int fd;
	bool good;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return SAT_OK;
	/* also one its owner may only read */
	(void)chmod(path, 0600);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	good = fd >= 0 && overwrite(fd);
	if (fd >= 0 && close(fd) != 0)
		good = false;
	if (unlink(path) != 0 && errno != ENOENT)
		good = false;
	return good ? SAT_OK : sat_fail(e, SAT_EIO, "cannot destroy %s: %s",
	    path, strerror(errno));
}

sat_rc
sat_file_private(const char *path, sat_err *e)
{
	return chmod(path, 0600) == 0 ? SAT_OK : sat_fail(e, SAT_EIO,
	    "cannot keep %s to its owner", path);
}

sat_rc
sat_file_rename(const char *from, const char *to, sat_err *e)
{
	return rename(from, to) == 0 ? SAT_OK : sat_fail(e, SAT_EIO,
	    "cannot write %s: %s", to, strerror(errno));
}

/* ---- a file line by line --------------------------------------------------------- */

struct sat_file_out {
	FILE *f;
	char *path, *tmp; /* NULL: a descriptor */
	int why;          /* errno of the first failure; 0 = none */
};

static FILE *
stream_of(int fd)
{
	int copy = fd != 0 ? dup(fd) : -1;

	return fd == 0 ? stdout : copy < 0 ? NULL : fdopen(copy, "wb");
}

/* A new one, not what somebody put in its place; a pipe as it is. */
static FILE *
own_file(const char *path, bool fresh, unsigned mode)
{
	int fd = fresh ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, (mode_t)mode) : open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "wb");
}

sat_rc
sat_file_out_open(sat_file_out **out, const char *path, unsigned mode, int fd,
    sat_err *e)
{
	sat_file_out *o;
	sat_rc rc;

	if (path == NULL && fd < 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.output",
		    "name a file", "there is no standard output to write to");
	o = sat_xcalloc(1, sizeof *o);
	if (path != NULL && !sat_file_is_stream(path)) {
		o->path = sat_xstrdup(path);
		o->tmp = sat_xasprintf("%s.tmp", path);
		(void)unlink(o->tmp); /* left by one that was killed */
	}
	o->f = path == NULL ? stream_of(fd) : own_file(o->tmp != NULL ? o->tmp :
	    path, o->tmp != NULL, mode);
	if (o->f != NULL) {
		*out = o;
		return SAT_OK;
	}
	rc = sat_fail(e, rc_of(errno), "cannot write %s: %s",
	    path != NULL ? path : "the answer", strerror(errno));
	free(o->path);
	free(o->tmp);
	free(o);
	return rc;
}

static void
note(sat_file_out *o, bool good)
{
	if (!good && o->why == 0)
		o->why = errno != 0 ? errno : EIO;
}

void
sat_file_out_add(sat_file_out *o, sat_span part)
{
	note(o, fwrite(part.p, 1, part.n, o->f) == part.n);
}

void
sat_file_out_line(sat_file_out *o, sat_span line)
{
	sat_file_out_add(o, line);
	note(o, fputc('\n', o->f) != EOF);
}

sat_rc
sat_file_out_close(sat_file_out *o, bool keep, sat_err *e)
{
	sat_rc rc = SAT_OK;

	note(o, fflush(o->f) == 0);
	if (o->tmp != NULL && keep)
		note(o, fsync(fileno(o->f)) == 0);
	if (o->f != stdout)
		note(o, fclose(o->f) == 0);
	if (keep && o->why != 0)
		rc = sat_fail(e, rc_of(o->why),
		    "cannot write %s: %s",
		    o->path != NULL ? o->path : "the answer", strerror(o->why));
	if (o->tmp != NULL && keep && rc == SAT_OK &&
	    rename(o->tmp, o->path) != 0)
		rc = cannot_write(o->path, e);
	if (o->tmp != NULL && (!keep || rc != SAT_OK))
		(void)unlink(o->tmp);
	else if (o->tmp != NULL)
		rc = sat_folder_sync_of(o->path, e);
	free(o->path);
	free(o->tmp);
	free(o);
	return rc;
}

/* ---- folders --------------------------------------------------------------------- */

static sat_rc
cannot_make(const char *path, sat_err *e)
{
	return sat_fail(e, rc_of(errno), "cannot make %s: %s", path,
	    strerror(errno));
}

sat_rc
sat_folder_make(const char *path, sat_err *e)
{
	return mkdir(path, 0700) == 0 ? SAT_OK : cannot_make(path, e);
}

sat_rc
sat_folder_temp(char **path, const char *prefix, sat_err *e)
{
	const char *tmp = getenv("TMPDIR");
	sat_rc rc;

	*path = sat_xasprintf("%s/%s-XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", prefix);
	if (mkdtemp(*path) != NULL)
		return SAT_OK;
	rc = cannot_make(*path, e);
	free(*path);
	*path = NULL;
	return rc;
}

sat_rc
sat_folder_sync(const char *path, sat_err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: this file system has nothing to sync a folder by */
	bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	int err = errno;

	if (fd >= 0)
		(void)close(fd);
	return good ? SAT_OK : sat_fail(e, SAT_EFSYNC, "cannot sync %s: %s",
	    path, strerror(err));
}

sat_rc
sat_folder_sync_of(const char *path, sat_err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? sat_xstrdup(".") : slash == path ?
	    sat_xstrdup("/") : sat_xasprintf("%.*s", (int)(slash - path), path);
	sat_rc rc = sat_folder_sync(dir, e);

	free(dir);
	return rc;
}

void
sat_folder_remove(const char *path)
{
	(void)rmdir(path);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

sat_rc
sat_folder_clear(const char *path, sat_err *e)
{
	struct stat st;

	if (lstat(path, &st) != 0 && errno == ENOENT)
		return SAT_OK;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? SAT_OK :
	    sat_fail(e, SAT_EIO, "cannot remove %s: %s", path, strerror(errno));
}

static _Thread_local int64_t bytes_found; /* nftw hands nothing through */

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	bytes_found += type == FTW_F ? st->st_size : 0;
	return 0;
}

int64_t
sat_folder_bytes(const char *path)
{
	bytes_found = 0;
	(void)nftw(path, count_one, 16, FTW_PHYS);
	return bytes_found;
}

static int
no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* As bytes: the order does not depend on a locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

sat_rc
sat_folder_names(sat_buf *names, const char *path, sat_err *e)
{
	struct dirent **list = NULL;
	int n = scandir(path, &list, no_dots, by_name);

	if (n < 0 && errno == ENOENT)
		return SAT_OK;
	if (n < 0)
		return sat_fail(e, SAT_EIO, "cannot read %s: %s", path,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		sat_buf_add(names, list[i]->d_name, strlen(list[i]->d_name) + 1);
		free(list[i]);
	}
	free(list);
	return SAT_OK;
}

/* ---- what a doctor looks at --------------------------------------------------------- */

sat_rc
sat_file_look(sat_file_facts *f, const char *path, sat_err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return sat_fail(e, SAT_ENOTFOUND, "%s", strerror(errno));
	f->mode = (unsigned)st.st_mode & 07777;
	f->mine = st.st_uid == geteuid();
	f->bytes = (int64_t)st.st_size;
	return SAT_OK;
}

char *
sat_file_absolute(const char *path)
{
	char *cwd = path[0] != '/' ? getcwd(NULL, 0) : NULL;
	char *whole = cwd != NULL ? sat_xasprintf("%s/%s", cwd, path) :
	    sat_xstrdup(path);

	free(cwd);
	return whole;
}

bool
sat_file_there(const char *path)
{
	return access(path, F_OK) == 0;
}

sat_rc
sat_folder_space(uint64_t *mb, const char *path, sat_err *e)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0)
		return sat_fail(e, SAT_EIO, "%s", strerror(errno));
	*mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	return SAT_OK;
}

/* Lines of a file of /proc; -1 = cannot say. */
static int
lines_of(const char *path)
{
	FILE *f = fopen(path, "re");
	int c, n = 0;

	if (f == NULL)
		return -1;
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static int
first_digit(const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f != NULL ? fgetc(f) : EOF;

	if (f != NULL)
		(void)fclose(f);
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

void
sat_process_look(sat_process_facts *f)
{
	struct rlimit core = { 0, 0 }, locked = { 0, 0 };
	int lines = lines_of("/proc/swaps");

	(void)getrlimit(RLIMIT_CORE, &core);
	(void)getrlimit(RLIMIT_MEMLOCK, &locked);
	f->root = geteuid() == 0;
	f->core_bytes = core.rlim_cur;
	f->locked_bytes = locked.rlim_cur;
	f->swaps = lines > 0 ? lines - 1 : lines; /* the first is the heading */
	f->ptrace = first_digit("/proc/sys/kernel/yama/ptrace_scope");
}
