/*
 * store_segment.c - segment files: written whole, read, proven, erased from.
 * What moves into them: store_compact.c.
 *
 * Bytes: "SATSEG1\n" | 0 plain, 1 sealed with a key of the keyring | body.
 */
#include "server/store/sqlite/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/crypto/keyring.h"

#define MAGIC "SATSEG1\n"
#define LABEL "satcheld log segment v1"
#define NEW ".new"
#define FILE_MAX (SAT_SEGMENT_BYTES_MAX + SAT_FRAME_MAX)

/* ---- files ------------------------------------------------------------------------ */

void
sat_sqlite_segment_name(char name[SAT_SEGMENT_NAME_MAX], uint64_t n)
{
	(void)snprintf(name, SAT_SEGMENT_NAME_MAX, "%010llu.seg",
	    (unsigned long long)n);
}

static char *
path_of(const sat_sqlite_store *s, uint64_t n)
{
	char name[SAT_SEGMENT_NAME_MAX];

	sat_sqlite_segment_name(name, n);
	return sat_xasprintf("%s/%s", s->segments, name);
}

static sat_rc
fail_file(const char *what, const char *path, sat_err *e)
{
	return sat_fail_code(e, errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO,
	    "db.segment", NULL, "cannot %s %s: %s", what, path,
	    strerror(errno));
}

static sat_rc
sync_folder(const char *dir, sat_err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sat_rc rc = SAT_OK;

	if (fd < 0 || fsync(fd) != 0)
		rc = fail_file("sync", dir, e);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static sat_rc
write_all(int fd, const char *path, sat_span b, sat_err *e)
{
	while (b.n > 0) {
		ssize_t got = write(fd, b.p, b.n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail_file("write", path, e);
		b.p += got;
		b.n -= (size_t)got;
	}
	return fsync(fd) == 0 ? SAT_OK : fail_file("sync", path, e);
}

/* Under another name first: a file of this name is whole. */
static sat_rc
put_file(const sat_sqlite_store *s, uint64_t n, sat_span bytes, sat_err *e)
{
	char *path = path_of(s, n), *tmp = sat_xasprintf("%s" NEW, path);
	sat_rc rc = SAT_OK;
	int fd = -1;

	if (mkdir(s->segments, 0700) != 0 && errno != EEXIST)
		rc = fail_file("make", s->segments, e);
	if (rc == SAT_OK && (fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600)) < 0)
		rc = fail_file("make", tmp, e);
	if (rc == SAT_OK)
		rc = write_all(fd, tmp, bytes, e);
	if (fd >= 0)
		(void)close(fd);
	if (rc == SAT_OK && rename(tmp, path) != 0)
		rc = fail_file("rename", tmp, e);
	if (rc != SAT_OK)
		(void)unlink(tmp);
	else
		rc = sync_folder(s->segments, e);
	free(tmp);
	free(path);
	return rc;
}

static sat_rc
get_file(sat_buf *out, const sat_sqlite_store *s, uint64_t n, sat_err *e)
{
	char *path = path_of(s, n);
	FILE *f = fopen(path, "rbe");
	size_t got = 0;
	sat_rc rc = SAT_OK;

	if (f == NULL)
		rc = sat_fail_code(e, SAT_EINTEGRITY, "db.segment",
		    "put it back from a backup", "%s: %s", path,
		    strerror(errno));
	while (rc == SAT_OK && out->n <= FILE_MAX && (got = fread(
	    sat_buf_room(out, 65536), 1, 65536, f)) > 0)
		out->n += got;
	if (rc == SAT_OK && (ferror(f) != 0 || out->n > FILE_MAX))
		rc = sat_fail_code(e, SAT_EIO, "db.segment", NULL,
		    "cannot read %s", path);
	if (f != NULL)
		(void)fclose(f);
	free(path);
	return rc;
}

/* ---- one segment in memory ----------------------------------------------------------- */

static void
pack(sat_buf *file, const sat_sqlite_store *s, const sat_segment_row *rows,
    size_t n)
{
	sat_buf body = { 0 };

	sat_segment_write(&body, rows, n);
	sat_buf_str(file, MAGIC);
	sat_write_u8(file, s->keyring != NULL);
	if (s->keyring != NULL)
		sat_keyring_seal(file, s->keyring, LABEL, sat_buf_span(&body));
	else
		sat_buf_add(file, body.p, body.n);
	sat_buf_fini(&body);
}

static sat_rc
unpack(store_segment *g, const sat_sqlite_store *s, sat_span file, sat_err *e)
{
	size_t head = strlen(MAGIC) + 1;
	sat_buf body = { 0 };
	sat_rc rc = SAT_OK;

	if (file.n < head || memcmp(file.p, MAGIC, head - 1) != 0 ||
	    file.p[head - 1] > 1)
		return sat_fail(e, SAT_EINTEGRITY, "this is no segment");
	if (file.p[head - 1] == 0)
		sat_buf_add(&body, file.p + head, file.n - head);
	else if (s->keyring == NULL)
		rc = sat_fail(e, SAT_EINTEGRITY, "the segment is sealed");
	else
		rc = sat_keyring_unseal(&body, s->keyring, LABEL,
		    sat_span_of(file.p + head, file.n - head), e);
	if (rc == SAT_OK && (rc = sat_segment_read(&g->rows, &g->n, &g->mem,
	    sat_buf_span(&body), e)) == SAT_EPROTO)
		rc = sat_fail(e, SAT_EINTEGRITY, "the segment is damaged");
	sat_wipe(body.p, body.n);
	sat_buf_fini(&body);
	return rc;
}

void
store_segment_forget(sat_sqlite_store *s)
{
	s->segment.first = 0;
	sat_arena_reset(&s->segment.mem);
}

sat_rc
store_segment_put(sat_buf *file, sat_sqlite_store *s, uint64_t n,
    const sat_segment_row *rows, size_t nrows, sat_err *e)
{
	pack(file, s, rows, nrows);
	return put_file(s, n, sat_buf_span(file), e);
}

/* The segment that begins there; the last one read is kept. */
static sat_rc
load(sat_sqlite_store *s, uint64_t first, uint64_t n, sat_err *e)
{
	store_segment *g = &s->segment;
	sat_buf file = { 0 };
	sat_rc rc;

	if (g->first == first)
		return SAT_OK;
	store_segment_forget(s);
	if ((rc = get_file(&file, s, n, e)) == SAT_OK &&
	    (rc = unpack(g, s, sat_buf_span(&file), e)) == SAT_OK) {
		if (g->n == 0 || g->rows[0].row.lsn != first)
			rc = sat_fail(e, SAT_EINTEGRITY,
			    "segment %llu holds other commits",
			    (unsigned long long)n);
		else
			g->first = first;
	}
	sat_buf_fini(&file);
	return rc;
}

static sat_rc
load_at(sat_sqlite_store *s, uint64_t lsn, sat_err *e)
{
	uint64_t first, last, n;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEGMENT_OF, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)lsn);
	if ((rc = store_step_one(q, "commit", e)) != SAT_OK)
		return rc;
	first = (uint64_t)sat_col_int(q, 0);
	last = (uint64_t)sat_col_int(q, 1);
	n = (uint64_t)sat_col_int(q, 2);
	sat_stmt_reset(q);
	if (lsn > last)
		return sat_fail(e, SAT_ENOTFOUND, "no such commit");
	return load(s, first, n, e);
}

sat_rc
store_segment_by_lsn(const sat_segment_row **row, sat_sqlite_store *s,
    uint64_t lsn, sat_err *e)
{
	const store_segment *g = &s->segment;
	size_t lo = 0, hi;
	sat_rc rc;

	if ((rc = load_at(s, lsn, e)) != SAT_OK)
		return rc;
	for (hi = g->n; lo < hi;) {
		size_t mid = (lo + hi) / 2;

		if (g->rows[mid].row.lsn < lsn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == g->n || g->rows[lo].row.lsn != lsn)
		return sat_fail(e, SAT_ENOTFOUND, "no such commit");
	*row = &g->rows[lo];
	return SAT_OK;
}

sat_rc
store_segment_by_cseq(const sat_segment_row **row, sat_sqlite_store *s,
    uint32_t dev, uint32_t inc, uint64_t cseq, sat_err *e)
{
	const store_segment *g = &s->segment;
	uint64_t first;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEGMENT_OF_CHAIN, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, dev);
	sat_bind_int(q, 2, inc);
	sat_bind_int(q, 3, (int64_t)cseq);
	if ((rc = store_step_one(q, "commit", e)) != SAT_OK)
		return rc;
	first = (uint64_t)sat_col_int(q, 0);
	sat_stmt_reset(q);
	if ((rc = load_at(s, first, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < g->n; i++)
		if (g->rows[i].cseq == cseq && g->rows[i].dev == dev &&
		    g->rows[i].inc == inc) {
			*row = &g->rows[i];
			return SAT_OK;
		}
	return sat_fail(e, SAT_ENOTFOUND, "no such commit");
}

/* ---- proof, erasure ---------------------------------------------------------------------------- */

sat_rc
sat_sqlite_segments(sat_sqlite_store *s,
    bool (*cb)(void *cu, const sat_sqlite_segment *g), void *cu, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SEGMENT_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		sat_sqlite_segment g = {
			.first = (uint64_t)sat_col_int(q, 0),
			.last = (uint64_t)sat_col_int(q, 1),
			.number = (uint64_t)sat_col_int(q, 2),
			.commits = (uint64_t)sat_col_int(q, 3),
			.bytes = (uint64_t)sat_col_int(q, 4) };

		if (sat_col_blob(q, 5).n != sizeof g.hash ||
		    sat_col_blob(q, 6).n != sizeof g.sig) {
			rc = sat_fail(e, SAT_EINTEGRITY, "segment %llu has no "
			    "hash", (unsigned long long)g.number);
			break;
		}
		memcpy(g.hash, sat_col_blob(q, 5).p, sizeof g.hash);
		memcpy(g.sig, sat_col_blob(q, 6).p, sizeof g.sig);
		if (!cb(cu, &g))
			break;
	}
	sat_stmt_reset(q);
	return rc;
}

typedef struct proof {
	sat_sqlite_store *s;
	const sat_id *org;
	const uint8_t *pk;
	uint8_t prev[SAT_HASH_BYTES];
	uint64_t number;
	sat_err *e;
	sat_rc rc;
} proof;

static sat_rc
bad_segment(const sat_sqlite_segment *g, const char *what, sat_err *e)
{
	return sat_fail_code(e, SAT_EINTEGRITY, "db.segment",
	    "put it back from a backup", "segment %llu: %s",
	    (unsigned long long)g->number, what);
}

/* The segment's hash covers the headers; each header its payload. */
static bool
payloads_fit(store_segment *m)
{
	sat_arena a = { 0 };
	bool good = true;
	sat_commit c;

	for (size_t i = 0; i < m->n && good; i++) {
		sat_arena_reset(&a);
		good = sat_commit_read(&c, &a, m->rows[i].row.header,
		    m->rows[i].row.payload, NULL) == SAT_OK;
	}
	sat_arena_fini(&a);
	return good;
}

static bool
prove(void *u, const sat_sqlite_segment *g)
{
	proof *p = u;
	store_segment *m = &p->s->segment;
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };
	bool good;

	if (g->number != ++p->number) {
		p->rc = bad_segment(g, "one before it is missing", p->e);
		return false;
	}
	if ((p->rc = load(p->s, g->first, g->number, p->e)) != SAT_OK)
		return false;
	sat_segment_hash(hash, p->prev, m->rows, m->n);
	if (m->n != g->commits || m->rows[m->n - 1].row.lsn != g->last ||
	    memcmp(hash, g->hash, sizeof hash) != 0 || !payloads_fit(m)) {
		p->rc = bad_segment(g, "its bytes are not those it had", p->e);
		return false;
	}
	memcpy(p->prev, hash, sizeof hash);
	sat_segment_sign_bytes(&b, p->org, g->number, hash);
	good = p->pk == NULL || sat_sign_ok(g->sig, sat_buf_span(&b), p->pk);
	sat_buf_fini(&b);
	if (!good)
		p->rc = bad_segment(g, "its signature is wrong", p->e);
	return good;
}

sat_rc
sat_sqlite_segments_verify(sat_sqlite_store *s, const sat_id *org,
    const uint8_t pk[SAT_SIGN_PK_BYTES], sat_err *e)
{
	proof p = { .s = s, .org = org, .pk = pk, .e = e };
	sat_rc rc;

	store_segment_forget(s);
	rc = sat_sqlite_segments(s, prove, &p, e);
	return rc != SAT_OK ? rc : p.rc;
}

typedef struct erasing {
	sat_sqlite_store *s;
	bool (*drop)(void *u, const sat_segment_row *row);
	void *u;
	sat_sqlite_segment *list;
	size_t n, cap;
} erasing;

static bool
list_segment(void *u, const sat_sqlite_segment *g)
{
	erasing *x = u;

	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 16 : x->cap * 2;
		x->list = sat_xrealloc(x->list, x->cap * sizeof *x->list);
	}
	x->list[x->n++] = *g;
	return true;
}

static sat_rc
rewrite(erasing *x, const sat_sqlite_segment *g, uint64_t *dropped, sat_err *e)
{
	store_segment *m = &x->s->segment;
	uint64_t was = *dropped;
	sat_buf file = { 0 };
	sat_stmt *q;
	sat_rc rc;

	if ((rc = load(x->s, g->first, g->number, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].row.payload.n != 0 &&
		    x->drop(x->u, &m->rows[i])) {
			m->rows[i].row.payload = (sat_span){ NULL, 0 };
			++*dropped;
		}
	if (*dropped == was)
		return SAT_OK;
	pack(&file, x->s, m->rows, m->n);
	if ((rc = put_file(x->s, g->number, sat_buf_span(&file), e)) ==
	    SAT_OK && (rc = store_stmt(&q, x->s->db, SQL_SEGMENT_BYTES, e)) ==
	    SAT_OK) {
		sat_bind_int(q, 1, (int64_t)file.n);
		sat_bind_int(q, 2, (int64_t)g->first);
		rc = sat_run(q, e);
	}
	sat_buf_fini(&file);
	store_segment_forget(x->s);
	return rc;
}

sat_rc
sat_sqlite_segments_erase(uint64_t *dropped, sat_sqlite_store *s,
    bool (*drop)(void *u, const sat_segment_row *row), void *u, sat_err *e)
{
	erasing x = { .s = s, .drop = drop, .u = u };
	sat_rc rc;

	*dropped = 0;
	rc = sat_sqlite_segments(s, list_segment, &x, e);
	for (size_t i = 0; i < x.n && rc == SAT_OK; i++)
		rc = rewrite(&x, &x.list[i], dropped, e);
	free(x.list);
	return rc;
}

/* ---- what nobody names ---------------------------------------------------------------------------- */

static bool
is_named(const erasing *x, const char *name)
{
	uint64_t n = strtoull(name, NULL, 10);
	char known[SAT_SEGMENT_NAME_MAX];
	bool yes = false;

	for (size_t i = 0; i < x->n && !yes; i++)
		yes = x->list[i].number == n;
	sat_sqlite_segment_name(known, n);
	return yes && strcmp(known, name) == 0;
}

/* One of ours, whole or half written. */
static bool
is_ours(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 10 && (strcmp(name + digits, ".seg") == 0 ||
	    strcmp(name + digits, ".seg" NEW) == 0);
}

static sat_rc
drop_file(const sat_sqlite_store *s, const char *name, sat_err *e)
{
	char *path = sat_xasprintf("%s/%s", s->segments, name);
	sat_rc rc = unlink(path) == 0 || errno == ENOENT ? SAT_OK :
	    fail_file("remove", path, e);

	free(path);
	return rc;
}

sat_rc
store_segment_strays(sat_sqlite_store *s, sat_err *e)
{
	erasing x = { .s = s };
	sat_buf names = { 0 };
	size_t gone = 0;
	sat_rc rc;

	if (s->segments == NULL)
		return SAT_OK;
	if ((rc = sat_sqlite_segments(s, list_segment, &x, e)) == SAT_OK)
		rc = sat_folder_names(&names, s->segments, e);
	for (size_t at = 0; rc == SAT_OK && at < names.n;) {
		const char *name = (const char *)names.p + at;

		at += strlen(name) + 1;
		if (!is_ours(name) || is_named(&x, name))
			continue;
		rc = drop_file(s, name, e);
		gone++;
	}
	if (rc == SAT_OK && gone > 0)
		rc = sync_folder(s->segments, e);
	sat_buf_fini(&names);
	free(x.list);
	return rc;
}

sat_rc
store_segment_rows(sat_sqlite_store *s, bool (*cb)(void *u,
    const sat_segment_row *row), void *u, sat_err *e)
{
	erasing x = { .s = s };
	bool more = true;
	sat_rc rc = sat_sqlite_segments(s, list_segment, &x, e);

	for (size_t i = 0; i < x.n && rc == SAT_OK && more; i++) {
		rc = load(s, x.list[i].first, x.list[i].number, e);
		for (size_t k = 0; rc == SAT_OK && k < s->segment.n && more; k++)
			more = cb(u, &s->segment.rows[k]);
	}
	free(x.list);
	return rc;
}
