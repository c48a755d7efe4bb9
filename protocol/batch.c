/*
 * Commits as columns (P-030..P-036), written; batch_read.c reads them. What
 * follows from the commit before is written as a difference, so that the typical
 * column is a run of zeros. A record is named once, where it is first used, by
 * eid where the other side knows it; behind that by its distance.
 */
#include "protocol/batch_columns.h"

#include <string.h>

/* Of zstd: a commit is packed twice and read by many. */
#define LEVEL 6

/* ---- records named in a batch -------------------------------------------- */

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

/* ---- writing ------------------------------------------------------------- */

typedef struct writer {
	sat_cols_out c;
	sat_arena mem;
	sat_batch_dir dir;
	names names;
	sat_shapes shapes;
	sat_value_at *values;
	size_t nvalues, used, subject;
	size_t passed; /* operations since the last one in C_SEEN_OP */
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
	w->passed++;
	if (op->seen1 != 0) {
		sat_write_uint(&col[C_SEEN_OP], w->passed - 1);
		sat_write_uint(&col[C_SEEN_OP], op->seen1 - 1);
		w->passed = 0;
	}
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
