/*
 * Commits as columns (P-030..P-036). What follows from the commit before is
 * written as a difference, so that the typical column is a run of zeros. A
 * record is named once, where it is first used, by eid where the other side
 * knows it; behind that by its distance.
 */
#include "protocol/batch_int.h"

#include <string.h>

enum {
	C_FLAGS,    /* u8 per commit: its flags, TEMPLATE, OWN */
	C_TEMPLATE, /* 20 bytes where it differs from the commit before */
	C_MS, C_COUNT, /* hlc (push), eff (pull) */
	C_SEEN,
	C_ACTOR,
	C_LSN, C_DEVICE, C_INCARNATION, C_CSEQ, /* pull only */
	C_SUBJECT,  /* reference */
	C_NOPS,
	C_SHAPE,    /* code per operation */
	C_SHAPES,   /* table: kind of record, field, kind, value type */
	C_REC,      /* reference per operation */
	C_DOTS,
	C_NAMED,    /* u8 per record: HAS_EID, HAS_ID */
	C_EID,
	C_ID,       /* front half; the other is loose */
	C_INTS, C_LENS, C_BYTES,
	C_ECHOES,   /* pull: of a commit with ECHOES, how many */
	C_SALTS,    /* push: runs of salts, own or of a seed; empty: all own */
	C_N
};

#define FLAGS_COMMIT (SAT_CF_CLOCK_SUSPECT | SAT_CF_IMPORT | SAT_CF_MOVED)
#define FLAG_ECHOES 0x20
#define FLAG_TEMPLATE 0x40
#define FLAG_OWN 0x80

/* Of zstd: a commit is packed twice and read by many. */
#define LEVEL 6

#define HAS_EID 1
#define HAS_ID 2

/* ---- records named in a batch -------------------------------------------- */

typedef struct named {
	sat_id id;
	uint32_t eid;
	bool created; /* a NEW names it: the other side needs the id */
} named;

typedef struct names {
	named *e;
	uint32_t *slots; /* index + 1 */
	size_t n, mask;
	sat_id id;       /* coding state: the ones before */
	uint64_t eid;
} names;

static void
names_init(names *t, sat_arena *a, size_t most)
{
	size_t slots = 16;

	memset(t, 0, sizeof *t);
	while (slots < most * 2)
		slots *= 2;
	t->mask = slots - 1;
	t->e = sat_arena_alloc(a, (most + 1) * sizeof *t->e);
	t->slots = sat_arena_alloc(a, slots * sizeof *t->slots);
	memset(t->slots, 0, slots * sizeof *t->slots);
}

static size_t
name_slot(const names *t, const sat_id *id, uint32_t eid)
{
	uint64_t h, front;
	size_t slot;

	memcpy(&h, id->b + 8, sizeof h);
	memcpy(&front, id->b, sizeof front);
	h = (h ^ front * 31 ^ eid) * 0x9e3779b97f4a7c15u;
	slot = (size_t)(h >> 32) & t->mask;
	while (t->slots[slot] != 0) {
		const named *x = &t->e[t->slots[slot] - 1];

		if (x->eid == eid && sat_id_eq(&x->id, id))
			break;
		slot = (slot + 1) & t->mask;
	}
	return slot;
}

/* Number of the record, given at its first use. */
static size_t
name(names *t, const sat_id *id, uint32_t eid)
{
	size_t slot = name_slot(t, id, eid);

	if (t->slots[slot] == 0) {
		t->e[t->n++] = (named){ *id, eid, false };
		t->slots[slot] = (uint32_t)t->n;
	}
	return t->slots[slot] - 1;
}

/*
 * Reference: 0 = `likely`, 1 = the next one not yet used, k = the (k-1)th
 * before that.
 */
static void
write_ref(sat_buf *b, size_t at, size_t likely, size_t *used)
{
	if (at == likely) {
		sat_write_uint(b, 0);
	} else if (at == *used) {
		sat_write_uint(b, 1);
		++*used;
	} else {
		sat_write_uint(b, *used - at + 1);
	}
}

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

/* ---- writing ------------------------------------------------------------- */

typedef struct writer {
	sat_cols_out c;
	sat_arena mem;
	sat_batch_dir dir;
	names names;
	sat_shapes shapes;
	sat_value_at *values;
	size_t nvalues, used, subject;
	sat_hlc hlc;
	uint64_t seen, actor, lsn, device, incarnation, cseq;
	uint8_t template_oid[SAT_TEMPLATE_OID_BYTES];
} writer;

static const char *
check_batch(sat_batch_dir dir, const sat_commit *c, size_t n, size_t *ops)
{
	const char *fault;

	*ops = 0;
	if (n == 0 || n > SAT_BATCH_COMMITS_MAX)
		return "number of commits";
	for (size_t i = 0; i < n; i++) {
		if (dir == SAT_BATCH_PUSH && i > 0 &&
		    (c[i].cseq != c[i - 1].cseq + 1 ||
		    c[i].device != c[i - 1].device))
			return "commits are not consecutive";
		if (dir == SAT_BATCH_PULL && (c[i].lsn > INT64_MAX ||
		    c[i].eff > INT64_MAX || c[i].cseq > INT64_MAX))
			return "position out of range";
		if (c[i].hlc > INT64_MAX || c[i].seen > INT64_MAX ||
		    (c[i].flags & ~FLAGS_COMMIT) != 0)
			return "header out of range";
		if ((dir == SAT_BATCH_PULL ? c[i].eff : c[i].hlc) == 0 ||
		    (c[i].subject_eid == 0 && sat_id_zero(&c[i].subject)))
			return "no stamp or subject";
		if (c[i].nechoes > (dir == SAT_BATCH_PULL && !c[i].own ?
		    c[i].nops : 0))
			return "echoes of nothing";
		if (dir == SAT_BATCH_PULL && (c[i].own || c[i].nops == 0))
			continue;
		if ((fault = sat_commit_ops_fault(&c[i])) != NULL)
			return fault;
		*ops += c[i].nops;
		if (*ops > SAT_BATCH_OPS_MAX)
			return "too many operations";
	}
	return NULL;
}

static size_t
sent_ops(const sat_commit *c, sat_batch_dir dir)
{
	return dir == SAT_BATCH_PULL && c->own ? 0 : c->nops;
}

/* Name every record in the order of use, and note which are created here. */
static void
name_all(writer *w, const sat_commit *commits, size_t n)
{
	for (const sat_commit *c = commits; c < commits + n; c++) {
		size_t nops = sent_ops(c, w->dir);

		(void)name(&w->names, &c->subject, c->subject_eid);
		for (const sat_op *op = c->ops; nops > 0; op++, nops--) {
			size_t at = name(&w->names, &op->rec, op->eid);

			if (op->kind == SAT_OP_NEW)
				w->names.e[at].created = true;
		}
	}
}

static void
write_names(writer *w)
{
	sat_buf *col = w->c.col;

	for (size_t i = 0; i < w->names.n; i++) {
		const named *x = &w->names.e[i];
		bool id = x->eid == 0 || (x->created && !sat_id_zero(&x->id));
		bool eid = x->eid != 0 && (!id || w->dir == SAT_BATCH_PULL);

		sat_write_u8(&col[C_NAMED], (uint8_t)((eid ? HAS_EID : 0) |
		    (id ? HAS_ID : 0)));
		if (eid)
			sat_col_diff_write(&col[C_EID], &w->names.eid, x->eid);
		if (id)
			sat_col_id_write(&col[C_ID], &w->c.loose, &w->names.id,
			    &x->id);
	}
}

static void
write_head(writer *w, const sat_commit *c)
{
	sat_buf *col = w->c.col;
	bool pull = w->dir == SAT_BATCH_PULL, template_ =
	    memcmp(w->template_oid, c->template_oid, SAT_TEMPLATE_OID_BYTES) != 0;

	sat_write_u8(&col[C_FLAGS], (uint8_t)(c->flags |
	    (template_ ? FLAG_TEMPLATE : 0) | (pull && c->own ? FLAG_OWN : 0) |
	    (pull && c->nechoes > 0 ? FLAG_ECHOES : 0)));
	if (pull && c->nechoes > 0)
		sat_write_uint(&col[C_ECHOES], c->nechoes);
	if (template_) {
		sat_buf_add(&col[C_TEMPLATE], c->template_oid,
		    SAT_TEMPLATE_OID_BYTES);
		memcpy(w->template_oid, c->template_oid, SAT_TEMPLATE_OID_BYTES);
	}
	sat_col_hlc_write(&col[C_MS], &col[C_COUNT], &w->hlc,
	    pull ? c->eff : c->hlc);
	sat_col_diff_write(&col[C_SEEN], &w->seen, c->seen);
	sat_col_diff_write(&col[C_ACTOR], &w->actor, c->actor);
	if (!pull)
		return;
	/* the one after the commit before is the likely one */
	w->lsn++;
	w->cseq++;
	sat_col_diff_write(&col[C_LSN], &w->lsn, c->lsn);
	sat_col_diff_write(&col[C_DEVICE], &w->device, c->device);
	sat_col_diff_write(&col[C_INCARNATION], &w->incarnation, c->incarnation);
	sat_col_diff_write(&col[C_CSEQ], &w->cseq, c->cseq);
}

static void
write_op(writer *w, const sat_op *op, size_t *rec)
{
	sat_buf *col = w->c.col;
	sat_shape sh = { op->rtype, op->field, (uint8_t)op->kind,
		(uint8_t)op->value.type };
	size_t at = name(&w->names, &op->rec, op->eid);
	sat_value_at *v = &w->values[w->nvalues++];

	write_ref(&col[C_REC], at, *rec, &w->used);
	*rec = at;
	v->shape = sat_shape_write(&w->shapes, &col[C_SHAPE], &col[C_SHAPES],
	    &sh);
	v->v = sat_arena_dup(&w->mem, &op->value, sizeof op->value);
	if (!sat_op_kind_has_dots(op->kind))
		return;
	sat_write_uint(&col[C_DOTS], op->ndots);
	for (size_t i = 0; i < op->ndots; i++) {
		sat_write_uint(&col[C_DOTS], op->dots[i].dev);
		sat_write_uint(&col[C_DOTS], op->dots[i].lsn);
	}
}

static void
write_commit(writer *w, const sat_commit *c)
{
	size_t nops = sent_ops(c, w->dir), rec;
	size_t subject = name(&w->names, &c->subject, c->subject_eid);

	write_head(w, c);
	write_ref(&w->c.col[C_SUBJECT], subject, w->subject, &w->used);
	w->subject = rec = subject;
	sat_write_uint(&w->c.col[C_NOPS], nops);
	for (size_t i = 0; i < nops; i++)
		write_op(w, &c->ops[i], &rec);
}

static bool
follows(const sat_commit *a, const sat_commit *b)
{
	if (a->seed == NULL || b->seed == NULL)
		return a->seed == b->seed;
	return memcmp(a->seed, b->seed, SAT_SALT_BYTES) == 0 &&
	    b->seed_at == a->seed_at + 1;
}

/*
 * P-068: runs of commits whose salts come from one seed, {how many, number of
 * the first in its seed + 1}, and runs with salts of their own, {how many, 0}.
 */
static void
write_salts(writer *w, const sat_commit *c, size_t n)
{
	size_t i = 0, k;
	bool any = false;

	while (i < n && !any)
		any = c[i++].seed != NULL;
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && follows(&c[k - 1], &c[k]); k++)
			;
		if (any) {
			sat_write_uint(&w->c.col[C_SALTS], k - i);
			sat_write_uint(&w->c.col[C_SALTS], c[i].seed == NULL ?
			    0 : c[i].seed_at + 1);
		}
		if (c[i].seed != NULL)
			sat_buf_add(&w->c.loose, c[i].seed, SAT_SALT_BYTES);
		for (size_t j = i; c[i].seed == NULL && j < k; j++)
			sat_buf_add(&w->c.loose, c[j].salt, SAT_SALT_BYTES);
	}
}

sat_rc
sat_batch_write(sat_buf *out, sat_batch_dir dir, const sat_commit *commits,
    size_t n, sat_err *e)
{
	writer w = { .dir = dir };
	size_t ops;
	const char *fault = check_batch(dir, commits, n, &ops);
	sat_rc rc;

	if (fault != NULL)
		return sat_fail(e, SAT_EINVALID, "batch: %s", fault);
	names_init(&w.names, &w.mem, n + ops);
	sat_shapes_init(&w.shapes, &w.mem, ops, true);
	w.values = sat_arena_alloc(&w.mem, (ops + 1) * sizeof *w.values);
	w.subject = SIZE_MAX;
	name_all(&w, commits, n);
	write_names(&w);
	for (size_t i = 0; i < n; i++)
		write_commit(&w, &commits[i]);
	if (dir == SAT_BATCH_PUSH)
		write_salts(&w, commits, n);
	sat_values_write(&w.c, C_INTS, C_LENS, C_BYTES, &w.mem, &w.shapes,
	    w.values, w.nvalues);
	rc = sat_cols_pack(out, &w.c, SAT_BATCH_BYTES_MAX, LEVEL, e);
	sat_arena_fini(&w.mem);
	return rc;
}

/* ---- reading ------------------------------------------------------------- */

typedef struct reader {
	sat_cols_in c;
	sat_arena *a;
	sat_batch_dir dir;
	sat_commit *commits;
	sat_op *ops;
	size_t n, nops, nnames, used, subject;
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
	for (size_t i = 0; i < c->nops; i++)
		read_op(r, &r->ops[(*op)++], &rec);
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
	for (size_t i = 0; i < r.n && sat_cols_good(&r.c); i++)
		read_commit(&r, &r.commits[i], &op);
	if (sat_cols_good(&r.c))
		sat_values_read(&r.c.col[C_INTS], &r.c.col[C_LENS],
		    &r.c.col[C_BYTES], a, &r.shapes, r.values, r.nops);
	if (dir == SAT_BATCH_PUSH)
		read_salts(&r);
	if ((rc = sat_cols_end(&r.c, "batch", e)) != SAT_OK ||
	    (rc = check_read(&r, e)) != SAT_OK)
		return rc;
	*commits = r.commits;
	*n = r.n;
	return SAT_OK;
}
