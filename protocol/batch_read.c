/*
 * Commits as columns (P-030..P-036), read: sizes first, then every column to its
 * end; what does not fit is a fault of the whole batch.
 */
#include "protocol/batch_columns.h"

#include <string.h>

static size_t
read_ref(sat_reader *r, size_t likely, size_t *used, size_t n)
{
	uint64_t code = sat_read_uint(r);

	if (code == 0 && likely < n)
		return likely;
	if (code == 1 && *used < n)
		return (*used)++;
	if (code > 1 && code - 1 <= *used)
		return *used - (size_t)(code - 1);
	sat_read_bad(r, "bad reference");
	return 0;
}

typedef struct reader {
	sat_cols_in c;
	sat_arena *a;
	sat_batch_dir dir;
	sat_commit *commits;
	sat_op *ops;
	size_t n, nops, nnames, used, subject;
	size_t seen_at; /* the next operation of C_SEEN_OP; SIZE_MAX none */
	named *names;
	sat_shapes shapes;
	sat_value_at *values;
	sat_hlc hlc;
	uint64_t seen, actor, lsn, device, incarnation, cseq;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
} reader;

static void
read_names(reader *r)
{
	sat_reader *col = r->c.col;
	sat_id id = { { 0 } };
	uint64_t eid = 0;

	/* a record is one byte here and one reference there */
	r->nnames = col[C_NAMED].left;
	if (r->nnames > r->n + r->nops) {
		r->c.fault = "more records than references";
		r->nnames = 0;
	}
	r->names = sat_arena_alloc(r->a, (r->nnames + 1) * sizeof *r->names);
	memset(r->names, 0, (r->nnames + 1) * sizeof *r->names);
	for (size_t i = 0; i < r->nnames; i++) {
		uint8_t has = sat_read_u8(&col[C_NAMED]);

		if (has == 0 || has > (HAS_EID | HAS_ID))
			sat_read_bad(&col[C_NAMED], "record without a name");
		if ((has & HAS_EID) != 0)
			r->names[i].eid = (uint32_t)sat_col_diff_read(
			    &col[C_EID], &eid, UINT32_MAX);
		if ((has & HAS_ID) != 0)
			r->names[i].id = sat_col_id_read(&col[C_ID],
			    &r->c.loose, &id);
	}
}

/* Sizes first: the whole batch is known to be within limits before memory for
 * its commits and operations is taken (P-031). */
static sat_rc
read_sizes(reader *r, sat_err *e)
{
	sat_reader nops = r->c.col[C_NOPS];
	size_t loose;

	r->n = r->c.col[C_FLAGS].left;
	if (r->n == 0 || r->n > SAT_BATCH_COMMITS_MAX)
		return sat_fail(e, SAT_EPROTO, "batch: number of commits");
	for (size_t i = 0; i < r->n; i++) {
		size_t k = (size_t)sat_read_uint_max(&nops, SAT_OPS_MAX);

		if (k == 0 && r->dir == SAT_BATCH_PUSH)
			sat_read_bad(&nops, "no operation");
		r->nops += k;
	}
	if (r->nops > SAT_BATCH_OPS_MAX || r->nops > r->c.col[C_REC].left)
		sat_read_bad(&nops, "too many operations");
	if (nops.fault != NULL)
		return sat_fail(e, SAT_EPROTO, "batch: %s", nops.fault);
	loose = r->dir == SAT_BATCH_PUSH && r->c.col[C_SALTS].left == 0 ?
	    r->n * SAT_SALT_BYTES : 0;
	if (r->c.loose.left < loose)
		return sat_fail(e, SAT_EPROTO, "batch: cut short");
	return SAT_OK;
}

static void
read_head(reader *r, sat_commit *c)
{
	sat_reader *col = r->c.col;
	uint8_t flags = sat_read_u8(&col[C_FLAGS]);
	bool pull = r->dir == SAT_BATCH_PULL;

	c->flags = flags & FLAGS_COMMIT;
	c->own = (flags & FLAG_OWN) != 0;
	if ((flags & ~(FLAGS_COMMIT | FLAG_TEMPLATE | FLAG_OWN |
	    FLAG_ECHOES)) != 0 || ((c->own ||
	    (flags & FLAG_ECHOES) != 0) && !pull))
		sat_read_bad(&col[C_FLAGS], "unknown flag");
	if ((flags & FLAG_ECHOES) != 0) {
		c->nechoes = (size_t)sat_read_uint_max(&col[C_ECHOES],
		    SAT_OPS_MAX);
		if (c->nechoes == 0)
			sat_read_bad(&col[C_ECHOES], "no echo");
	}
	if ((flags & FLAG_TEMPLATE) != 0) {
		sat_span s = sat_read_raw(&col[C_TEMPLATE],
		    SAT_TEMPLATE_OID_BYTES);

		if (s.n == SAT_TEMPLATE_OID_BYTES)
			memcpy(r->template_oid, s.p, s.n);
	}
	memcpy(c->template_oid, r->template_oid, SAT_TEMPLATE_OID_BYTES);
	c->hlc = sat_col_hlc_read(&col[C_MS], &col[C_COUNT], &r->hlc);
	c->seen = sat_col_diff_read(&col[C_SEEN], &r->seen, INT64_MAX);
	c->actor = (uint32_t)sat_col_diff_read(&col[C_ACTOR], &r->actor,
	    UINT32_MAX);
	if (!pull)
		return;
	r->lsn++;
	r->cseq++;
	c->eff = c->hlc;
	c->lsn = sat_col_diff_read(&col[C_LSN], &r->lsn, INT64_MAX);
	c->device = (uint32_t)sat_col_diff_read(&col[C_DEVICE], &r->device,
	    UINT32_MAX);
	c->incarnation = (uint32_t)sat_col_diff_read(&col[C_INCARNATION],
	    &r->incarnation, UINT32_MAX);
	c->cseq = sat_col_diff_read(&col[C_CSEQ], &r->cseq, INT64_MAX);
}

static void
read_dots(reader *r, sat_op *op)
{
	sat_reader *in = &r->c.col[C_DOTS];
	size_t n = (size_t)sat_read_uint_max(in, SAT_DOTS_MAX);
	sat_dot *d;

	if (n > in->left / 2) {
		sat_read_bad(in, "more dots than bytes");
		return;
	}
	op->dots = d = sat_arena_alloc(r->a, n * sizeof *d);
	op->ndots = n;
	for (size_t i = 0; i < n; i++) {
		d[i].dev = (uint32_t)sat_read_uint_max(in, UINT32_MAX);
		d[i].lsn = sat_read_uint_max(in, INT64_MAX);
	}
}

static void
read_op(reader *r, sat_op *op, size_t *rec)
{
	sat_reader *col = r->c.col;
	const sat_shape *sh;
	sat_value_at *v = &r->values[op - r->ops];

	*rec = read_ref(&col[C_REC], *rec, &r->used, r->nnames);
	op->rec = r->names[*rec].id;
	op->eid = r->names[*rec].eid;
	v->v = &op->value;
	v->shape = sat_shape_read(&r->shapes, &col[C_SHAPE], &col[C_SHAPES]);
	if (v->shape == 0)
		sat_read_bad(&col[C_SHAPE], "operation without a shape");
	sh = &r->shapes.s[v->shape];
	op->rtype = sh->a;
	op->field = sh->b;
	op->kind = (sat_op_kind)sh->c;
	if (sat_op_kind_has_dots(op->kind))
		read_dots(r, op);
}

/* Where the next operation with a position of its own is; `from` is the first
 * that may be it. */
static void
next_seen(reader *r, size_t from)
{
	sat_reader *in = &r->c.col[C_SEEN_OP];

	r->seen_at = in->left == 0 ? SIZE_MAX :
	    from + (size_t)sat_read_uint_max(in, SAT_BATCH_OPS_MAX);
}

static void
read_seen(reader *r, const sat_commit *c, sat_op *op)
{
	size_t at = (size_t)(op - r->ops);
	uint64_t seen;

	if (at != r->seen_at)
		return;
	seen = sat_read_uint_max(&r->c.col[C_SEEN_OP], INT64_MAX);
	if (seen == c->seen)
		sat_read_bad(&r->c.col[C_SEEN_OP],
		    "position not in its shortest form");
	sat_op_set_seen(c, op, seen);
	next_seen(r, at + 1);
}

static void
read_commit(reader *r, sat_commit *c, size_t *op)
{
	size_t rec;

	read_head(r, c);
	rec = r->subject = read_ref(&r->c.col[C_SUBJECT], r->subject, &r->used,
	    r->nnames);
	c->subject = r->names[rec].id;
	c->subject_eid = r->names[rec].eid;
	c->nops = (size_t)sat_read_uint(&r->c.col[C_NOPS]);
	c->ops = r->ops + *op;
	if (c->own && c->nops > 0)
		sat_read_bad(&r->c.col[C_NOPS], "operations of an own commit");
	if (c->nechoes > c->nops)
		sat_read_bad(&r->c.col[C_NOPS], "echoes of nothing");
	for (size_t i = 0; i < c->nops; i++) {
		read_op(r, &r->ops[*op], &rec);
		read_seen(r, c, &r->ops[(*op)++]);
	}
	if (c->nops == 0)
		c->ops = NULL;
}

/* @return how many commits the run covers; 0 at a fault. */
static size_t
read_salt_run(reader *r, size_t from)
{
	sat_reader *in = &r->c.col[C_SALTS];
	size_t n = (size_t)sat_read_uint_max(in, r->n - from);
	uint64_t at = sat_read_uint_max(in, INT64_MAX);
	sat_span s = sat_read_raw(&r->c.loose, at > 0 ? SAT_SALT_BYTES :
	    n * SAT_SALT_BYTES);

	if (n == 0)
		sat_read_bad(in, "empty run of salts");
	if (!sat_cols_good(&r->c))
		return 0;
	for (size_t i = 0; i < n; i++) {
		sat_commit *c = &r->commits[from + i];

		if (at > 0)
			sat_salt_derive(c->salt, s.p, at - 1 + i, c->hlc);
		else
			memcpy(c->salt, s.p + i * SAT_SALT_BYTES,
			    SAT_SALT_BYTES);
	}
	return n;
}

static void
read_salts(reader *r)
{
	bool runs = r->c.col[C_SALTS].left > 0;

	for (size_t i = 0, k = 1; runs && i < r->n && k > 0; i += k)
		k = read_salt_run(r, i);
	for (size_t i = 0; !runs && i < r->n; i++) {
		sat_span s = sat_read_raw(&r->c.loose, SAT_SALT_BYTES);

		if (s.n == SAT_SALT_BYTES)
			memcpy(r->commits[i].salt, s.p, s.n);
	}
}

static sat_rc
check_read(const reader *r, sat_err *e)
{
	const char *fault;

	if (r->used != r->nnames)
		return sat_fail(e, SAT_EPROTO, "batch: unused record");
	for (size_t i = 0; i < r->n; i++) {
		const sat_commit *c = &r->commits[i];

		if (c->hlc == 0 ||
		    (c->subject_eid == 0 && sat_id_zero(&c->subject)))
			return sat_fail(e, SAT_EPROTO, "batch: bad header");
		if (c->nops > 0 && (fault = sat_commit_ops_fault(c)) != NULL)
			return sat_fail(e, SAT_EPROTO, "batch: %s", fault);
	}
	return SAT_OK;
}

sat_rc
sat_batch_read(sat_commit **commits, size_t *n, sat_arena *a,
    sat_batch_dir dir, sat_span in, sat_err *e)
{
	reader r = { .a = a, .dir = dir, .subject = SIZE_MAX };
	size_t op = 0, most;
	sat_rc rc;

	if ((rc = sat_cols_unpack(&r.c, C_N, a, in, SAT_BATCH_BYTES_MAX,
	    e)) != SAT_OK || (rc = read_sizes(&r, e)) != SAT_OK)
		return rc;
	read_names(&r);
	most = r.c.col[C_SHAPES].left / 4;
	sat_shapes_init(&r.shapes, a, most < r.nops ? most : r.nops, false);
	r.commits = sat_arena_alloc(a, r.n * sizeof *r.commits);
	memset(r.commits, 0, r.n * sizeof *r.commits);
	r.ops = sat_arena_alloc(a, (r.nops + 1) * sizeof *r.ops);
	memset(r.ops, 0, (r.nops + 1) * sizeof *r.ops);
	r.values = sat_arena_alloc(a, (r.nops + 1) * sizeof *r.values);
	next_seen(&r, 0);
	for (size_t i = 0; i < r.n && sat_cols_good(&r.c); i++)
		read_commit(&r, &r.commits[i], &op);
	if (sat_cols_good(&r.c))
		sat_values_read(&r.c.col[C_INTS], &r.c.col[C_LENS],
		    &r.c.col[C_BYTES], a, &r.shapes, r.values, r.nops);
	if (dir == SAT_BATCH_PUSH)
		read_salts(&r);
	if (sat_cols_good(&r.c) && r.seen_at != SIZE_MAX)
		r.c.fault = "position of no operation";
	if ((rc = sat_cols_end(&r.c, "batch", e)) != SAT_OK ||
	    (rc = check_read(&r, e)) != SAT_OK)
		return rc;
	*commits = r.commits;
	*n = r.n;
	return SAT_OK;
}
