/*
 * record_later.c - operations of a later release, kept unread (P-169).
 *
 * In a company of many devices some are always a release ahead. What they write
 * passes through servers and devices that do not know it yet, and must not stop
 * a page or be lost. So it becomes part of the record's state, and every copy
 * of the state carries it, until a release knows what to do with it.
 */
#include "protocol/record_int.h"

#include <string.h>

static void
write_later(sat_buf *b, const sat_later *l)
{
	sat_write_uint(b, l->at.lsn);
	sat_write_uint(b, l->at.dev);
	sat_write_be64(b, l->at.hlc);
	sat_write_uint(b, l->seen);
	sat_write_u8(b, (uint8_t)l->op.kind);
	sat_write_uint(b, l->op.field);
	sat_value_write(b, l->op.value);
	sat_write_uint(b, l->op.ndots);
	for (size_t i = 0; i < l->op.ndots; i++) {
		sat_write_uint(b, l->op.dots[i].dev);
		sat_write_uint(b, l->op.dots[i].lsn);
	}
}

static void
read_later(sat_later *l, sat_arena *a, const sat_record *rec, sat_reader *r)
{
	sat_dot *dots;

	memset(l, 0, sizeof *l);
	l->at.lsn = sat_read_uint_max(r, INT64_MAX);
	l->at.dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	l->at.hlc = sat_read_be64(r);
	l->seen = sat_read_uint_max(r, INT64_MAX);
	l->op.kind = (sat_op_kind)sat_read_u8(r);
	l->op.rtype = rec->kind;
	l->op.rec = rec->id;
	l->op.field = (uint16_t)sat_read_uint_max(r, SAT_FIELD_ID_MAX);
	l->op.value = sat_value_read(r);
	l->op.ndots = (size_t)sat_read_uint_max(r, SAT_DOTS_MAX);
	l->op.dots = dots = sat_arena_alloc(a, l->op.ndots * sizeof *dots);
	for (size_t i = 0; i < l->op.ndots; i++) {
		dots[i].dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		dots[i].lsn = sat_read_uint_max(r, INT64_MAX);
	}
	if (!sat_op_kind_is_later(l->op.kind) || l->at.hlc == 0 ||
	    l->at.hlc > INT64_MAX)
		sat_read_bad(r, "bad kept operation");
}

size_t
sat_record_later(sat_later **out, sat_arena *a, const sat_record *rec)
{
	const sat_cell *c = sat_record_cell(rec, SAT_SYS_LATER);
	sat_reader r;
	size_t n;

	*out = NULL;
	if (c == NULL || c->ext.n == 0)
		return 0;
	r = sat_reader_of(c->ext);
	n = (size_t)sat_read_uint_max(&r, SAT_LATER_MAX);
	*out = sat_arena_alloc(a, (n + 1) * sizeof **out);
	for (size_t i = 0; i < n && r.fault == NULL; i++)
		read_later(&(*out)[i], a, rec, &r);
	return sat_read_end(&r, "kept operations", NULL) == SAT_OK ? n : 0;
}

static void
pack(sat_buf *b, const sat_later *l, size_t n)
{
	if (n > 0)
		sat_write_uint(b, n);
	for (size_t i = 0; i < n; i++)
		write_later(b, &l[i]);
}

void
sat_fold_later(sat_fold *f)
{
	sat_later *old, *all;
	size_t n = sat_record_later(&old, f->tmp, f->r);
	sat_buf b = { 0 };

	f->out->outcome = SAT_NOTHING;
	if (n == SAT_LATER_MAX)
		return;
	all = sat_arena_alloc(f->tmp, (n + 1) * sizeof *all);
	if (n > 0)
		memcpy(all, old, n * sizeof *all);
	all[n] = (sat_later){ .at = f->at, .seen = f->seen, .op = *f->op };
	all[n].op.value = f->value;
	pack(&b, all, n + 1);
	if (b.n <= SAT_LATER_BYTES_MAX)
		sat_fold_sys_put(f, SAT_SYS_LATER, sat_v_int((int64_t)n + 1),
		    sat_fold_keep(f, SAT_SYS_LATER, SAT_PART_EXT, &b));
	sat_buf_fini(&b);
}

/* The cell with what is still unknown; none is left as if it never was one,
 * so that a record played back equals one that never waited. */
static void
keep_rest(sat_record *r, sat_arena *a, const sat_later *rest, size_t n)
{
	sat_buf b = { 0 };

	for (size_t i = 0; i < r->ncells; i++) {
		sat_cell *c = &r->cells[i];

		if (c->field != SAT_SYS_LATER)
			continue;
		if (n > 0) {
			c->value = sat_v_int((int64_t)n);
			c->at = rest[n - 1].at;
			pack(&b, rest, n);
			c->ext = sat_span_of(sat_arena_dup(a, b.p, b.n), b.n);
			sat_buf_fini(&b);
			return;
		}
		memmove(c, c + 1, (r->ncells - i - 1) * sizeof *c);
		r->ncells--;
		return;
	}
}

sat_rc
sat_record_replay_later(size_t *n, sat_record *r, sat_arena *a,
    const sat_template *t, bool (*now)(sat_op *op), sat_err *e)
{
	sat_later *all, *rest;
	size_t nall = sat_record_later(&all, a, r), left = 0;
	sat_applied out;
	sat_rc rc;

	*n = 0;
	rest = sat_arena_alloc(a, (nall + 1) * sizeof *rest);
	for (size_t i = 0; i < nall; i++) {
		sat_apply_ctx ctx = { all[i].at, all[i].seen, false, NULL };
		sat_op op = all[i].op;

		if (!now(&op)) {
			rest[left++] = all[i];
			continue;
		}
		if ((rc = sat_record_apply(&out, r, a, t, &op, &ctx, e)) !=
		    SAT_OK)
			return rc;
		++*n;
	}
	if (*n > 0)
		keep_rest(r, a, rest, left);
	return SAT_OK;
}
