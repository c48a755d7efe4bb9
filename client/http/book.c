/*
 * What waits on the disk between two requests: files that were sent or made,
 * and documents that say what is known of them. All of it is sealed under keys
 * that come from the replica's, so a wiped keyring takes it along; a locked
 * daemon reads none of it. After a day it goes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/http/daemon_int.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/keyring.h"

#define DOC_MAX ((size_t)4 * 1024 * 1024)
#define ID_BYTES ((BOOK_ID_TEXT - 1) / 2)

/* ---- names and keys ---------------------------------------------------------------- */

void
book_draw(char id[BOOK_ID_TEXT], const daemon_ *d)
{
	uint8_t raw[ID_BYTES];

	d->api.sync.rand.bytes(d->api.sync.rand.u, raw, sizeof raw);
	sat_hex(id, raw, sizeof raw);
}

bool
book_is_id(const char *text)
{
	return strlen(text) == BOOK_ID_TEXT - 1 &&
	    strspn(text, "0123456789abcdef") == BOOK_ID_TEXT - 1;
}

static char *
path_of(const daemon_ *d, const char *id, const char *what)
{
	return sat_xasprintf("%s/%s.%s", d->spool_dir, id, what);
}

/* A key for each name: who swaps two files is found out. */
static sat_rc
key_of(uint8_t key[SAT_KEY_BYTES], daemon_ *d, const char *id,
    const char *what, sat_err *e)
{
	char name[80];
	bool there;

	(void)snprintf(name, sizeof name, "%s.%s", id, what);
	pthread_mutex_lock(&d->mtx);
	if ((there = d->spool_key != NULL))
		sat_hash_keyed(key, sat_span_of(d->spool_key, SAT_KEY_BYTES),
		    sat_span_str(name));
	pthread_mutex_unlock(&d->mtx);
	return there ? SAT_OK : sat_fail_code(e, SAT_ELOCKED, "daemon.locked",
	    "unlock it: satchel unlock, or POST /v1/session/unlock", "the daemon is locked");
}

/* ---- the folder ---------------------------------------------------------------------- */

static void
purge(daemon_ *d, int64_t before_ms, bool unfinished)
{
	DIR *dir = opendir(d->spool_dir);
	struct dirent *f;
	struct stat st;

	while (dir != NULL && (f = readdir(dir)) != NULL) {
		size_t n = strlen(f->d_name);
		bool tmp = n > 4 && strcmp(f->d_name + n - 4, ".tmp") == 0;

		if (f->d_name[0] == '.' || fstatat(dirfd(dir), f->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if ((tmp && unfinished) ||
		    (int64_t)st.st_mtime * 1000 < before_ms)
			(void)unlinkat(dirfd(dir), f->d_name, 0);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void
book_purge(daemon_ *d)
{
	purge(d, sat_wall_ms(&d->api.crm.clock) - BOOK_KEPT_MS, false);
}

sat_rc
book_open(daemon_ *d, sat_err *e)
{
	uint8_t *key;

	if (d->api.keyring == NULL || d->api.dir == NULL)
		return SAT_OK; /* nothing to seal with: nothing can wait */
	if (d->spool_dir == NULL)
		d->spool_dir = sat_xasprintf("%s/spool", d->api.dir);
	if (mkdir(d->spool_dir, 0700) != 0 && errno != EEXIST)
		return sat_fail(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
		    "cannot make %s: %s", d->spool_dir, strerror(errno));
	key = sat_secret_new(SAT_KEY_BYTES);
	sat_keyring_subkey(key, d->api.keyring, "satchel spool v1",
	    sat_span_of(NULL, 0));
	pthread_mutex_lock(&d->mtx);
	d->spool_key = key;
	pthread_mutex_unlock(&d->mtx);
	purge(d, sat_wall_ms(&d->api.crm.clock) - BOOK_KEPT_MS, true);
	export_sweep(d);
	return SAT_OK;
}

void
book_close(daemon_ *d)
{
	pthread_mutex_lock(&d->mtx);
	sat_secret_free(d->spool_key);
	d->spool_key = NULL;
	pthread_mutex_unlock(&d->mtx);
}

void
book_remove(daemon_ *d, const char *id, const char *what)
{
	char *path = path_of(d, id, what);

	(void)unlink(path);
	free(path);
}

void
book_drop(daemon_ *d, const char *id)
{
	static const char *const all[] = { "file", "errors", "job", "import" };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		book_remove(d, id, all[i]);
}

/* ---- files ---------------------------------------------------------------------------- */

sat_rc
book_create(sat_spool_out **o, daemon_ *d, const char *id, const char *what,
    sat_err *e)
{
	uint8_t key[SAT_KEY_BYTES];
	char *path;
	sat_rc rc = key_of(key, d, id, what, e);

	if (rc != SAT_OK)
		return rc;
	path = path_of(d, id, what);
	rc = sat_spool_create(o, path, key, e);
	sat_wipe(key, sizeof key);
	free(path);
	return rc;
}

sat_rc
book_read(sat_spool_in **in, daemon_ *d, const char *id, const char *what,
    sat_err *e)
{
	uint8_t key[SAT_KEY_BYTES];
	char *path;
	sat_rc rc = key_of(key, d, id, what, e);

	if (rc != SAT_OK)
		return rc;
	path = path_of(d, id, what);
	if (sat_file_there(path))
		rc = sat_spool_open(in, path, key, e);
	else
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "files are kept for a day", "the file is not there");
	sat_wipe(key, sizeof key);
	free(path);
	return rc;
}

static bool
write_all(int fd, sat_span s)
{
	ssize_t n;

	for (size_t at = 0; at < s.n; at += (size_t)n)
		if ((n = write(fd, s.p + at, s.n - at)) <= 0)
			return false;
	return true;
}

sat_rc
book_unseal(int *fd, daemon_ *d, const char *id, const char *what, sat_err *e)
{
	sat_spool_in *in;
	sat_span s;
	sat_rc rc = book_read(&in, d, id, what, e);

	*fd = -1;
	if (rc != SAT_OK)
		return rc;
	*fd = memfd_create("spool", MFD_CLOEXEC);
	while (*fd >= 0 && (rc = sat_spool_next(&s, in, e)) == SAT_OK &&
	       s.n > 0)
		if (!write_all(*fd, s)) {
			rc = sat_fail(e, SAT_ENOSPACE,
			    "there is no memory for this file");
			break;
		}
	if (*fd < 0)
		rc = sat_fail(e, SAT_EFAIL, "cannot make a file in memory: %s",
		    strerror(errno));
	sat_spool_shut(in);
	if (rc != SAT_OK && *fd >= 0) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

sat_rc
book_seal(daemon_ *d, const char *id, const char *what, int fd, sat_err *e)
{
	uint8_t *piece;
	sat_spool_out *o;
	ssize_t n;
	sat_rc rc = book_create(&o, d, id, what, e);

	if (rc != SAT_OK)
		return rc;
	piece = sat_xmalloc(SAT_SPOOL_PIECE);
	for (off_t at = 0; (n = pread(fd, piece, SAT_SPOOL_PIECE, at)) > 0;
	     at += n)
		sat_spool_add(o, sat_span_of(piece, (size_t)n));
	sat_wipe(piece, SAT_SPOOL_PIECE);
	free(piece);
	rc = sat_spool_close(o, n == 0, e);
	return n == 0 ? rc : sat_fail(e, SAT_EIO, "cannot read what was made");
}

/* ---- documents -------------------------------------------------------------------------- */

sat_rc
book_put(daemon_ *d, const char *id, const char *what, const sat_json *doc,
    sat_err *e)
{
	sat_spool_out *o;
	sat_buf b = { 0 };
	sat_json *same;
	sat_rc rc;

	sat_json_write(&b, doc, false);
	/* What book_get would refuse must not take the place of what it reads:
	 * too long, or deeper than a document may be, with what is around it. */
	rc = sat_json_parse(&same, sat_buf_span(&b), DOC_MAX, NULL);
	sat_json_free(same);
	if (rc != SAT_OK)
		rc = sat_fail(e, SAT_EINVALID,
		    "what was sent is too long or too deep to be kept");
	else if ((rc = book_create(&o, d, id, what, e)) == SAT_OK) {
		sat_spool_add(o, sat_buf_span(&b));
		rc = sat_spool_close(o, true, e);
	}
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
book_get(sat_json **doc, daemon_ *d, const char *id, const char *what,
    sat_err *e)
{
	sat_spool_in *in;
	sat_buf b = { 0 };
	sat_span s;
	sat_rc rc;

	*doc = NULL;
	if (!book_is_id(id))
		return sat_fail(e, SAT_ENOTFOUND, "there is no such job or file");
	rc = book_read(&in, d, id, what, e);
	if (rc == SAT_ENOTFOUND)
		return sat_fail(e, SAT_ENOTFOUND, "there is no such job or file");
	if (rc != SAT_OK)
		return rc;
	while ((rc = sat_spool_next(&s, in, e)) == SAT_OK && s.n > 0 &&
	       b.n < DOC_MAX)
		sat_buf_add(&b, s.p, s.n);
	sat_spool_shut(in);
	if (rc == SAT_OK)
		rc = sat_json_parse(doc, sat_buf_span(&b), DOC_MAX, e);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

void
book_each(daemon_ *d, const char *what,
    void (*cb)(void *u, const char *id, const sat_json *doc), void *u)
{
	DIR *dir = d->spool_dir != NULL ? opendir(d->spool_dir) : NULL;
	struct dirent *f;

	while (dir != NULL && (f = readdir(dir)) != NULL) {
		char id[BOOK_ID_TEXT];
		sat_json *doc;

		if (strlen(f->d_name) != BOOK_ID_TEXT + strlen(what) ||
		    f->d_name[BOOK_ID_TEXT - 1] != '.' ||
		    strcmp(f->d_name + BOOK_ID_TEXT, what) != 0)
			continue;
		memcpy(id, f->d_name, BOOK_ID_TEXT - 1);
		id[BOOK_ID_TEXT - 1] = '\0';
		if (book_get(&doc, d, id, what, NULL) != SAT_OK) {
			sat_log(SAT_WARN, "SPOOL-UNREADABLE", "name=%s.%s", id,
			    what);
			continue;
		}
		cb(u, id, doc);
		sat_json_free(doc);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

/* ---- as an answer ------------------------------------------------------------------------- */

typedef struct reading {
	sat_spool_in *in;
	sat_span left;
} reading;

static long
next_bytes(void *u, uint8_t *out, size_t max)
{
	reading *r = u;
	size_t n;

	if (r->left.n == 0 && sat_spool_next(&r->left, r->in, NULL) != SAT_OK)
		return -2;
	if (r->left.n == 0)
		return -1;
	n = r->left.n < max ? r->left.n : max;
	memcpy(out, r->left.p, n);
	r->left = sat_span_of(r->left.p + n, r->left.n - n);
	return (long)n;
}

static void
end_reading(void *u)
{
	reading *r = u;

	sat_spool_shut(r->in);
	free(r);
}

sat_rc
book_send(sat_http_response *out, daemon_ *d, const char *id, const char *what,
    sat_err *e)
{
	reading *r;
	sat_spool_in *in;
	sat_rc rc = book_read(&in, d, id, what, e);

	if (rc != SAT_OK)
		return rc;
	r = sat_xcalloc(1, sizeof *r);
	r->in = in;
	/* A damaged begin is told; of a later piece the answer breaks off. */
	if ((rc = sat_spool_next(&r->left, in, e)) != SAT_OK) {
		end_reading(r);
		return rc;
	}
	out->length = sat_spool_length(in);
	out->next = next_bytes;
	out->end = end_reading;
	out->stream = r;
	return SAT_OK;
}
