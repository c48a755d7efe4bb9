/*
 * git_file.c - a history as a file: in backups of a server, and carried by hand
 * to where no network reaches.
 *
 * Why in parts: a bundle has a limit, a history has none. And whoever writes or
 * reads one that is long holds a part of it at a time.
 *
 * Invariants, named in the tests:
 *   G3  a file is there whole or not at all.
 *   G4  no part is handed on that is not whole, whose objects are not what their
 *       ids say, or that does not hold the commit it names; and not the last one
 *       when something comes behind it.
 */
#include "common/git/git_int.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "satchel template "
#define FORMAT_BYTES (sizeof FORMAT - 1)
#define VERSION "2\n"
#define HEAD_BYTES (FORMAT_BYTES + sizeof VERSION - 1)
#define PART_HEAD_BYTES (SAT_GIT_OID_BYTES + 4)

/* ---- writing ------------------------------------------------------------------------ */

/* What comes behind `had`, up to *upto: no more than `bytes`, or as often twice
 * that as the first commit needs. */
static sat_rc
next_part(sat_buf *b, sat_git *g, sat_oid *upto, const sat_oid *had,
    size_t bytes, sat_err *e)
{
	bool on = true;
	sat_rc rc;

	while ((rc = sat_git_bundle_part(b, g, upto, had, bytes, e)) ==
	    SAT_EINVALID && bytes < SAT_GIT_BUNDLE_MAX)
		bytes = bytes < SAT_GIT_BUNDLE_MAX / 2 ? bytes * 2 :
		    SAT_GIT_BUNDLE_MAX;
	if (rc == SAT_OK && had != NULL)
		rc = sat_git_descends(&on, g, upto, had, e);
	/* else two lines would take turns for ever */
	return rc == SAT_OK && !on ? sat_fail(e, SAT_EINVALID,
	    "git: the history is not on one line") : rc;
}

static sat_rc
put_history(sat_file_out *o, sat_git *g, const sat_oid *tip, size_t bytes,
    sat_err *e)
{
	sat_buf head = { 0 }, b = { 0 };
	sat_oid had, upto = { { 0 } };
	sat_rc rc = SAT_OK;

	sat_buf_str(&head, FORMAT VERSION);
	sat_buf_add(&head, tip->b, sizeof tip->b);
	for (bool first = true; rc == SAT_OK && (first || memcmp(&upto, tip,
	    sizeof upto) != 0); first = false) {
		had = upto;
		upto = *tip;
		sat_buf_reset(&b);
		if ((rc = next_part(&b, g, &upto, first ? NULL : &had, bytes,
		    e)) != SAT_OK)
			break;
		sat_buf_add(&head, upto.b, sizeof upto.b);
		sat_write_be32(&head, (uint32_t)b.n);
		sat_file_out_add(o, sat_buf_span(&head));
		sat_file_out_add(o, sat_buf_span(&b));
		sat_buf_reset(&head);
	}
	sat_buf_fini(&head);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
sat_git_file_write(const char *path, unsigned mode, sat_git *g,
    const sat_oid *tip, size_t part_bytes, sat_err *e)
{
	sat_file_out *o;
	sat_rc rc = sat_file_out_open(&o, path, mode, -1, e), closed;

	if (rc != SAT_OK)
		return rc;
	rc = put_history(o, g, tip, part_bytes, e);
	closed = sat_file_out_close(o, rc == SAT_OK, rc == SAT_OK ? e : NULL);
	return rc != SAT_OK ? rc : closed; /* G3 */
}

/* ---- reading ------------------------------------------------------------------------ */

typedef struct source {
	FILE *f;
	const char *path;
	unsigned part; /* which one is read, from 1; 0: the head */
	sat_buf b;
} source;

/* The next n bytes, into s->b. */
static sat_rc
get(source *s, size_t n, sat_err *e)
{
	sat_buf_reset(&s->b);
	s->b.n = fread(sat_buf_room(&s->b, n), 1, n, s->f);
	if (ferror(s->f) != 0)
		return sat_fail(e, errno == EISDIR ? SAT_EUSAGE : SAT_EIO,
		    "cannot read %s: %s", s->path, strerror(errno));
	return s->b.n == n ? SAT_OK : s->part == 0 ?
	    sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
	    "%s is no packed template", s->path) :
	    sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
	    "%s is cut off in part %u", s->path, s->part);
}

static sat_rc
get_head(sat_oid *tip, source *s, sat_err *e)
{
	sat_rc rc = get(s, HEAD_BYTES, e);

	if (rc == SAT_OK && memcmp(s->b.p, FORMAT, FORMAT_BYTES) != 0)
		return sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
		    "%s is no packed template", s->path);
	if (rc == SAT_OK && memcmp(s->b.p, FORMAT VERSION, HEAD_BYTES) != 0)
		return sat_fail_code(e, SAT_EVERSION, "template.format",
		    "read it with the version that made it, or make it anew "
		    "with this one", "%s was made by another version of "
		    "Satchel", s->path);
	s->part = 1;
	if (rc == SAT_OK && (rc = get(s, sizeof tip->b, e)) == SAT_OK)
		memcpy(tip->b, s->b.p, sizeof tip->b);
	return rc;
}

typedef struct sought {
	const sat_oid *commit;
	bool there;
} sought;

static sat_rc
seek(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	sought *x = u;

	(void)data;
	(void)e;
	x->there = x->there || (type == GIT_TYPE_COMMIT &&
	    memcmp(oid, x->commit, sizeof *oid) == 0);
	return SAT_OK;
}

/* G4; the part is in s->b then. */
static sat_rc
get_part(sat_oid *upto, bool *last, source *s, const sat_oid *tip, sat_err *e)
{
	sought x = { .commit = upto };
	sat_reader r;
	uint32_t n;
	sat_rc rc = get(s, PART_HEAD_BYTES, e);

	if (rc != SAT_OK)
		return rc;
	memcpy(upto->b, s->b.p, sizeof upto->b);
	r = sat_reader_of(sat_span_of(s->b.p + sizeof upto->b, 4));
	if ((n = sat_read_be32(&r)) > SAT_GIT_BUNDLE_MAX)
		return sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
		    "%s: part %u is above the limit", s->path, s->part);
	if ((rc = get(s, n, e)) != SAT_OK ||
	    (rc = sat_git_unbundle(sat_buf_span(&s->b), seek, &x, e)) != SAT_OK)
		return rc;
	if (!x.there)
		return sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
		    "%s: part %u lacks the revision it names", s->path,
		    s->part);
	*last = memcmp(upto, tip, sizeof *tip) == 0;
	if (*last && fgetc(s->f) != EOF)
		return sat_fail_code(e, SAT_EPROTO, "template.file", NULL,
		    "%s goes on behind its last part", s->path);
	return SAT_OK;
}

sat_rc
sat_git_file_read(sat_oid *tip, const char *path,
    sat_rc (*part)(void *u, const sat_oid *upto, sat_span bundle, bool last,
    sat_err *e), void *u, sat_err *e)
{
	source s = { .f = fopen(path, "rbe"), .path = path };
	bool last = false;
	sat_oid upto;
	sat_rc rc;

	if (s.f == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "cannot read %s: %s", path,
		    strerror(errno));
	for (rc = get_head(tip, &s, e); rc == SAT_OK && !last; s.part++)
		if ((rc = get_part(&upto, &last, &s, tip, e)) == SAT_OK)
			rc = part(u, &upto, sat_buf_span(&s.b), last, e);
	(void)fclose(s.f);
	sat_buf_fini(&s.b);
	return rc;
}

/* What is in a document is looked at as it comes (G4), and no more. */
static sat_rc
keep_frame(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put_checked(u, type, oid, type == GIT_TYPE_BLOB ?
	    sat_span_of(NULL, 0) : data, e);
}

static sat_rc
keep_frames(void *u, const sat_oid *upto, sat_span bundle, bool last,
    sat_err *e)
{
	(void)upto;
	(void)last;
	return sat_git_unbundle(bundle, keep_frame, u, e);
}

sat_rc
sat_git_file_verify(sat_oid *tip, const char *path, sat_err *e)
{
	sat_git *g;
	sat_rc rc = sat_git_memory(&g, e);

	if (rc != SAT_OK)
		return rc;
	if ((rc = sat_git_file_read(tip, path, keep_frames, g, e)) == SAT_OK)
		rc = sat_git_verify_closure(g, tip, e);
	sat_git_close(g);
	return rc;
}
