/*
 * store_segment.c - log rows move out into segment files, and are read there.
 *
 * A file is complete and durable before the transaction that takes its rows
 * out of the database; one that was written and not used is written again.
 * Bytes: "SATSEG1\n" | 0 plain, 1 sealed with a key of the keyring | body.
 *
 * Invariants, named in the tests:
 *   T1  a commit is in the log or in one segment, never in neither.
 *   T2  nothing that a live device or a missing backup may still need moves.
 */
#include "server/store/sqlite/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/keyring.h"

#define MAGIC "SATSEG1\n"
#define LABEL "satcheld log segment v1"
#define FILE_MAX (SAT_SEGMENT_BYTES_MAX + SAT_FRAME_MAX)

/* ---- files ------------------------------------------------------------------------ */

static char *
path_of(const sat_sqlite_store *s, uint64_t n)
{
	return sat_xasprintf("%s/%010llu.seg", s->segments,
	    (unsigned long long)n);
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
	char *path = path_of(s, n), *tmp = sat_xasprintf("%s.new", path);
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
	if (rc == SAT_OK)
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

/* ---- what may move ------------------------------------------------------------------------ */

static sat_rc
one_number(int64_t *v, bool *found, sat_sqlite_store *s, int sql, int64_t a,
    int64_t b, int nargs, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, sql, e)) != SAT_OK)
		return rc;
	if (nargs > 0)
		sat_bind_int(q, 1, a);
	if (nargs > 1)
		sat_bind_int(q, 2, b);
	if ((rc = sat_step(found, q, e)) == SAT_OK && *found)
		*v = sat_col_int(q, 0);
	sat_stmt_reset(q);
	return rc;
}

sat_rc
sat_sqlite_compact_limit(uint64_t *upto, sat_sqlite_store *s,
    int64_t lease_ms, int64_t keep_ms, sat_err *e)
{
	int64_t now = sat_wall_ms(&s->clock), v = 0;
	uint64_t durable, from;
	bool found;
	sat_rc rc;

	*upto = 0;
	if ((rc = store_counter_get(&durable, s, SAT_N_DURABLE, e)) != SAT_OK ||
	    (rc = store_counter_get(&from, s, SAT_N_TRUNCATED, e)) != SAT_OK ||
	    (rc = one_number(&v, &found, s, SQL_LIVE_CURSOR, now - lease_ms, 0,
	    1, e)) != SAT_OK)
		return rc;
	*upto = durable;
	if (v >= 0 && (uint64_t)v < *upto)
		*upto = (uint64_t)v;
	if ((rc = one_number(&v, &found, s, SQL_LOG_RECEIVED_BEFORE,
	    (int64_t)from, now - keep_ms, 2, e)) != SAT_OK)
		return rc;
	if (found && (uint64_t)v <= *upto)
		*upto = (uint64_t)v - 1;
	return SAT_OK;
}

/* ---- moving ---------------------------------------------------------------------------------- */

typedef struct moving {
	sat_sqlite_store *s;
	sat_arena mem;
	sat_segment_row *rows;
	size_t n, cap, bytes;
	uint64_t number, first;
	uint8_t prev[SAT_HASH_BYTES], hash[SAT_HASH_BYTES], sig[SAT_SIG_BYTES];
	sat_buf file;
} moving;

static void
add_row(moving *m, sat_stmt *q)
{
	sat_segment_row *r;

	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 256 : m->cap * 2;
		m->rows = sat_xrealloc(m->rows, m->cap * sizeof *m->rows);
	}
	r = &m->rows[m->n++];
	memset(r, 0, sizeof *r);
	r->row.lsn = (uint64_t)sat_col_int(q, 0);
	r->dev = (uint32_t)sat_col_int(q, 1);
	r->inc = (uint32_t)sat_col_int(q, 2);
	r->cseq = (uint64_t)sat_col_int(q, 3);
	r->row.eff = (sat_hlc)sat_col_int(q, 4);
	r->row.received_ms = sat_col_int(q, 5);
	r->row.header = store_copy(&m->mem, sat_col_blob(q, 6));
	r->row.payload = store_copy(&m->mem, sat_col_blob(q, 7));
	m->bytes += r->row.header.n + r->row.payload.n + 32;
}

static sat_rc
collect(moving *m, uint64_t after, uint64_t upto, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, m->s->db, SQL_LOG_OLDEST, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)after);
	sat_bind_int(q, 2, (int64_t)upto);
	while (m->bytes < SAT_SEGMENT_BYTES && m->n < SAT_SEGMENT_ROWS_MAX &&
	    (rc = sat_step(&row, q, e)) == SAT_OK && row)
		add_row(m, q);
	sat_stmt_reset(q);
	return rc;
}

static sat_rc
last_segment(moving *m, sat_err *e)
{
	sat_stmt *q;
	bool row;
	sat_rc rc;

	m->number = 1;
	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_LAST, e)) != SAT_OK ||
	    (rc = sat_step(&row, q, e)) != SAT_OK)
		return rc;
	if (row && sat_col_blob(q, 3).n == sizeof m->prev) {
		m->number = (uint64_t)sat_col_int(q, 2) + 1;
		memcpy(m->prev, sat_col_blob(q, 3).p, sizeof m->prev);
	}
	sat_stmt_reset(q);
	return SAT_OK;
}

static sat_rc
put_chain(moving *m, size_t i, uint64_t last, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_CHAIN_PUT, e)) !=
	    SAT_OK)
		return rc;
	sat_bind_int(q, 1, m->rows[i].dev);
	sat_bind_int(q, 2, m->rows[i].inc);
	sat_bind_int(q, 3, (int64_t)m->rows[i].cseq);
	sat_bind_int(q, 4, (int64_t)last);
	sat_bind_int(q, 5, (int64_t)m->first);
	return sat_run(q, e);
}

static int
by_chain(const void *a, const void *b)
{
	const sat_segment_row *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->inc != y->inc)
		return x->inc < y->inc ? -1 : 1;
	return x->cseq < y->cseq ? -1 : x->cseq > y->cseq;
}

/* Sorted by chain: the rows are packed already. */
static sat_rc
put_chains(moving *m, sat_err *e)
{
	sat_rc rc;

	qsort(m->rows, m->n, sizeof *m->rows, by_chain);
	for (size_t i = 0, k; i < m->n; i = k) {
		for (k = i + 1; k < m->n && m->rows[k].dev == m->rows[i].dev &&
		    m->rows[k].inc == m->rows[i].inc; k++)
			;
		if ((rc = put_chain(m, i, m->rows[k - 1].cseq, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

static sat_rc
put_segment(moving *m, uint64_t last, sat_err *e)
{
	sat_stmt *q;
	sat_rc rc;

	if ((rc = store_stmt(&q, m->s->db, SQL_SEGMENT_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(q, 1, (int64_t)m->first);
	sat_bind_int(q, 2, (int64_t)last);
	sat_bind_int(q, 3, (int64_t)m->number);
	sat_bind_int(q, 4, (int64_t)m->n);
	sat_bind_int(q, 5, (int64_t)m->file.n);
	sat_bind_blob(q, 6, sat_span_of(m->hash, sizeof m->hash));
	sat_bind_blob(q, 7, sat_span_of(m->sig, sizeof m->sig));
	return sat_run(q, e);
}

static sat_rc
drop_scope(sat_sqlite_store *s, uint64_t upto, sat_err *e)
{
	int64_t *keys = NULL;
	size_t n = 0, cap = 0;
	sat_stmt *q;
	bool row;
	sat_rc rc;

	if ((rc = store_stmt(&q, s->db, SQL_SCOPE_KEYS, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, q, e)) == SAT_OK && row) {
		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			keys = sat_xrealloc(keys, cap * sizeof *keys);
		}
		keys[n++] = sat_col_int(q, 0);
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		if ((rc = store_stmt(&q, s->db, SQL_SCOPE_OLD_DEL, e)) !=
		    SAT_OK)
			break;
		sat_bind_int(q, 1, keys[i]);
		sat_bind_int(q, 2, (int64_t)upto);
		rc = sat_run(q, e);
	}
	free(keys);
	return rc;
}

/* T1: the rows leave the log in the transaction that knows the file. */
static sat_rc
take_out(moving *m, sat_err *e)
{
	sat_sqlite_store *s = m->s;
	uint64_t last = m->rows[m->n - 1].row.lsn;
	sat_stmt *q;
	sat_rc rc;

	if ((rc = sat_db_begin(s->db, e)) != SAT_OK)
		return rc;
	if ((rc = put_segment(m, last, e)) == SAT_OK &&
	    (rc = put_chains(m, e)) == SAT_OK &&
	    (rc = store_stmt(&q, s->db, SQL_LOG_OLD_DEL, e)) == SAT_OK) {
		sat_bind_int(q, 1, (int64_t)last);
		rc = sat_run(q, e);
	}
	if (rc == SAT_OK && (rc = drop_scope(s, last, e)) == SAT_OK &&
	    (rc = store_counter_put(s, SAT_N_TRUNCATED, last, e)) == SAT_OK &&
	    (rc = sat_db_commit(s->db, e)) == SAT_OK)
		return SAT_OK;
	sat_db_rollback(s->db);
	return rc;
}

static sat_rc
one_segment(moving *m, const sat_sqlite_signing *sign, uint64_t after,
    uint64_t upto, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	m->n = m->bytes = 0;
	sat_arena_reset(&m->mem);
	sat_buf_reset(&m->file);
	if ((rc = last_segment(m, e)) != SAT_OK ||
	    (rc = collect(m, after, upto, e)) != SAT_OK || m->n == 0)
		return rc;
	m->first = m->rows[0].row.lsn;
	sat_segment_hash(m->hash, m->prev, m->rows, m->n);
	sat_segment_sign_bytes(&b, &sign->org, m->number, m->hash);
	rc = sign->sign(sign->u, m->sig, sat_buf_span(&b), e);
	sat_buf_fini(&b);
	if (rc != SAT_OK)
		return rc;
	pack(&m->file, m->s, m->rows, m->n);
	if ((rc = put_file(m->s, m->number, sat_buf_span(&m->file), e)) !=
	    SAT_OK)
		return rc;
	return take_out(m, e);
}

sat_rc
sat_sqlite_compact(sat_sqlite_compacted *out, sat_sqlite_store *s,
    uint64_t upto, const sat_sqlite_signing *sign, sat_err *e)
{
	moving m = { .s = s };
	uint64_t after;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if (s->segments == NULL)
		return sat_fail(e, SAT_EINVALID,
		    "this store has no folder for segments");
	rc = store_counter_get(&after, s, SAT_N_TRUNCATED, e);
	while (rc == SAT_OK && after < upto &&
	    (rc = one_segment(&m, sign, after, upto, e)) == SAT_OK &&
	    m.n > 0) {
		out->segments++;
		out->commits += m.n;
		out->bytes += m.file.n;
		rc = store_counter_get(&after, s, SAT_N_TRUNCATED, e);
	}
	out->upto = after;
	sat_arena_fini(&m.mem);
	sat_buf_fini(&m.file);
	free(m.rows);
	return rc;
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
	bool (*drop)(void *u, sat_span header);
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
		    x->drop(x->u, m->rows[i].row.header)) {
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
    bool (*drop)(void *u, sat_span header), void *u, sat_err *e)
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
