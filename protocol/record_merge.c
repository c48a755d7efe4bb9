/*
 * The fold: one operation into one record (P-040..P-069).
 *
 * The verb says what the author meant, the template's policy says how it meets
 * what others did. Every policy keeps one promise: a value leaves the cell only
 * into `displaced`, so that winner, candidates and history together never lose
 * one (P-043).
 */
#include "protocol/bugs.h"
#include "protocol/record_int.h"

#include <string.h>

static uint64_t
lsn_rank(uint64_t lsn)
{
	return lsn == 0 ? UINT64_MAX : lsn;
}

int
sat_stamp_cmp(sat_stamp a, sat_stamp b)
{
	if (a.hlc != b.hlc)
		return a.hlc < b.hlc ? -1 : 1;
	if (a.dev != b.dev)
		return a.dev < b.dev ? -1 : 1;
	if (a.lsn != b.lsn)
		return lsn_rank(a.lsn) < lsn_rank(b.lsn) ? -1 : 1;
	return 0;
}

sat_stamp
sat_fold_below(const sat_fold *f, sat_stamp lowest)
{
	return (sat_stamp){ lowest.hlc > 1 ? lowest.hlc - 1 : 1, f->at.dev,
		f->at.lsn };
}

bool
sat_fold_concurrent(const sat_fold *f, uint32_t dev, uint64_t lsn)
{
	if (dev == f->at.dev && !f->moved)
		return f->blind;
	/* own waiting work that a moved commit meets was written since */
	return f->blind || lsn > f->seen || (lsn == 0 && f->moved);
}

/* P-325 */
bool
sat_fold_written_since(const sat_fold *f, sat_stamp at)
{
	return f->moved && at.dev == f->at.dev && sat_stamp_cmp(at, f->at) > 0;
}

/* First cell whose field is not below `field`. */
static size_t
cell_index(const sat_record *r, uint16_t field)
{
	size_t lo = 0, hi = r->ncells;

	/* most that is asked for is of the record as such, and not there */
	if (hi > 0 && r->cells[hi - 1].field < field)
		return hi;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->cells[mid].field < field)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const sat_cell *
sat_record_cell(const sat_record *r, uint16_t field)
{
	size_t i = cell_index(r, field);

	return i < r->ncells && r->cells[i].field == field ? &r->cells[i] :
	    NULL;
}

sat_value
sat_record_value(const sat_record *r, uint16_t field)
{
	const sat_cell *c = sat_record_cell(r, field);

	return c != NULL ? c->value : sat_v_null();
}

sat_cell *
sat_fold_cell(sat_fold *f, bool *added)
{
	sat_record *r = f->r;
	size_t i = cell_index(r, f->op->field);
	sat_cell *cells;

	*added = i == r->ncells || r->cells[i].field != f->op->field;
	if (!*added)
		return &r->cells[i];
	cells = r->cells;
	if (r->ncells >= r->room) {
		cells = sat_arena_alloc(f->a, (r->ncells + 1) * sizeof *cells);
		if (i > 0)
			memcpy(cells, r->cells, i * sizeof *cells);
		r->room = 0;
	}
	if (i < r->ncells)
		memmove(cells + i + 1, r->cells + i,
		    (r->ncells - i) * sizeof *cells);
	memset(&cells[i], 0, sizeof cells[i]);
	cells[i].field = f->op->field;
	r->cells = cells;
	r->ncells++;
	return &cells[i];
}

void
sat_record_room(sat_record *r, sat_arena *a, size_t n)
{
	sat_cell *cells;

	if (n <= r->ncells)
		return;
	cells = sat_arena_alloc(a, n * sizeof *cells);
	if (r->ncells > 0)
		memcpy(cells, r->cells, r->ncells * sizeof *cells);
	r->cells = cells;
	r->room = n;
}

void
sat_fold_displace(sat_fold *f, sat_value v, sat_stamp at)
{
	sat_applied *out = f->out;

	if (f->room != NULL && f->room->slots != NULL) /* it may be written over */
		v = sat_value_dup(f->a, v);
	if (out->ndisplaced == f->displaced_cap) {
		size_t cap = f->displaced_cap == 0 ? 2 : f->displaced_cap * 2;
		sat_displaced *d = sat_arena_alloc(f->a, cap * sizeof *d);

		if (out->ndisplaced > 0)
			memcpy(d, out->displaced, out->ndisplaced * sizeof *d);
		out->displaced = d;
		f->displaced_cap = cap;
	}
	out->displaced[out->ndisplaced++] =
	    (sat_displaced){ f->op->field, v, at };
}

static bool
among(const sat_candidate *c, size_t n, sat_value v)
{
	for (size_t i = 0; i < n; i++)
		if (sat_value_eq(c[i].value, v))
			return true;
	return false;
}

static bool
displaced_already(const sat_fold *f, sat_value v)
{
	for (size_t i = 0; i < f->out->ndisplaced; i++)
		if (sat_value_eq(f->out->displaced[i].value, v))
			return true;
	return false;
}

void
sat_fold_settle(sat_fold *f, sat_cell *c, const sat_candidate *before,
    size_t nbefore, const sat_candidate *after, size_t nafter,
    uint64_t *opened_lsn)
{
	bool was_open = nbefore > 1, open = nafter > 1;
	bool same = nbefore == nafter;

	/* before[nbefore] is the op's own candidate (P-043). */
	for (size_t i = 0; i <= nbefore; i++)
		if (!among(after, nafter, before[i].value) &&
		    !displaced_already(f, before[i].value))
			sat_fold_displace(f, before[i].value, before[i].at);
	f->out->conflict_opened = open && !was_open;
	f->out->conflict_closed = was_open && !open;
	if (!open)
		*opened_lsn = 0;
	else if (!was_open)
		*opened_lsn = f->at.lsn;
	for (size_t i = 0; same && i < nafter; i++)
		same = sat_stamp_cmp(before[i].at, after[i].at) == 0 &&
		    sat_value_eq(before[i].value, after[i].value);
	c->value = after[0].value;
	c->at = after[0].at;
	if (open)
		f->out->outcome = SAT_REVIEW;
	else if (same && f->out->ndisplaced == 0)
		f->out->outcome = SAT_NOTHING;
	else if (among(after, 1, f->value))
		f->out->outcome = SAT_APPLIED;
	else
		f->out->outcome = SAT_LOST;
}

/* ---- policies of one value ----------------------------------------------- */

static void
put(sat_fold *f, sat_cell *c)
{
	c->value = f->value;
	c->at = f->at;
	c->ext = (sat_span){ NULL, 0 };
	f->out->outcome = SAT_APPLIED;
}

/* The op's value replaces the cell's; the old one is history (P-043). */
static void
replace(sat_fold *f, sat_cell *c)
{
	if (!sat_value_eq(c->value, f->value))
		sat_fold_displace(f, c->value, c->at);
	put(f, c);
}

/* The cell stays as it is; the op's value is history. */
void
sat_fold_lose(sat_fold *f, const sat_cell *c, sat_outcome outcome)
{
	if (sat_value_eq(c->value, f->value)) {
		f->out->outcome = SAT_NOTHING;
		return;
	}
	sat_fold_displace(f, f->value, f->at);
	f->out->outcome = outcome;
}

/* P-044: the larger stamp wins, whoever came first. */
static void
fold_lww(sat_fold *f)
{
	bool added, later;
	sat_cell *c = sat_fold_cell(f, &added);

	if (added) {
		put(f, c);
		return;
	}
	later = SAT_BUG(SAT_BUG_NO_TIE_BREAK) ? f->at.hlc > c->at.hlc :
	    sat_stamp_cmp(f->at, c->at) >= 0;
	if (later)
		replace(f, c);
	else
		sat_fold_lose(f, c, SAT_LOST);
}

/* P-045: the first value in the server's order stays. */
static void
fold_once(sat_fold *f)
{
	bool added;
	sat_cell *c = sat_fold_cell(f, &added);

	if (added || c->value.type == SAT_V_NULL)
		put(f, c);
	else
		sat_fold_lose(f, c, SAT_NOTHING);
}

/* P-046: by value; an empty value is neither the largest nor the smallest. */
static void
fold_extreme(sat_fold *f, int sign)
{
	bool added;
	sat_cell *c = sat_fold_cell(f, &added);
	int cmp;

	if (added || c->value.type == SAT_V_NULL) {
		put(f, c);
		return;
	}
	cmp = f->value.type == SAT_V_NULL ? -1 :
	    sign * sat_value_cmp(f->value, c->value);
	if (cmp > 0 || (cmp == 0 && sat_stamp_cmp(f->at, c->at) >= 0))
		replace(f, c);
	else if (f->value.type == SAT_V_NULL)
		f->out->outcome = SAT_NOTHING;
	else
		sat_fold_lose(f, c, SAT_LOST);
}

/* P-047: operations are deltas; sums stop at the ends of the number. */
static void
fold_counter(sat_fold *f)
{
	bool added;
	sat_cell *c;
	int64_t sum, old;

	if (f->value.type != SAT_V_INT) {
		f->out->outcome = SAT_NOTHING;
		return;
	}
	c = sat_fold_cell(f, &added);
	old = c->value.type == SAT_V_INT ? c->value.i : 0;
	if (__builtin_add_overflow(old, f->value.i, &sum))
		sum = f->value.i > 0 ? INT64_MAX : INT64_MIN;
	c->value = sat_v_int(sum);
	if (added || sat_stamp_cmp(f->at, c->at) > 0)
		c->at = f->at;
	f->out->outcome = SAT_APPLIED;
}

/* P-048: server order decides; who did not see the current owner asks in vain. */
static void
fold_owner(sat_fold *f)
{
	bool added;
	sat_cell *c = sat_fold_cell(f, &added);

	if (added) {
		put(f, c);
	} else if (sat_fold_concurrent(f, c->at.dev, c->at.lsn)) {
		f->out->outcome = SAT_NOTHING;
	} else {
		replace(f, c);
		if (f->op->kind == SAT_OP_REASSIGN)
			sat_fold_left_pool(f);
	}
}

/* ---- the verbs ----------------------------------------------------------- */

/* A field this template does not know is folded by what the verb tells. */
static sat_policy
policy_of(const sat_fold *f)
{
	sat_policy p;

	if (f->field == NULL)
		switch (f->op->kind) {
		case SAT_OP_MVSET:
		case SAT_OP_RESOLVE:
		case SAT_OP_MERGE:
			p = SAT_P_REVIEW;
			break;
		case SAT_OP_SADD:
		case SAT_OP_SREM:
			p = SAT_P_SET;
			break;
		case SAT_OP_ADD:
			p = SAT_P_COUNTER;
			break;
		case SAT_OP_STAGE:
			p = SAT_P_STAGE;
			break;
		case SAT_OP_REASSIGN:
			p = SAT_P_OWNER;
			break;
		default:
			p = SAT_P_LWW;
		}
	else
		p = f->field->policy;
	if (p == SAT_P_REVIEW && SAT_BUG(SAT_BUG_REVIEW_AS_LWW))
		p = SAT_P_LWW;
	return p;
}

/* Set and counter have verbs of their own; the other verbs give a value. */
static bool
verb_fits(sat_op_kind kind, sat_policy p)
{
	bool set = kind == SAT_OP_SADD || kind == SAT_OP_SREM;

	if (kind == SAT_OP_MERGE)
		return p == SAT_P_REVIEW || p == SAT_P_STAGE;
	return set == (p == SAT_P_SET) &&
	    (kind == SAT_OP_ADD) == (p == SAT_P_COUNTER);
}

static void
fold_value(sat_fold *f)
{
	sat_policy p = policy_of(f);

	if (!verb_fits(f->op->kind, p)) {
		/* The gate refuses it; should one be in the log all the same, it
		 * must not stop the log. The value stays readable. */
		sat_fold_displace(f, f->value, f->at);
		f->out->outcome = SAT_NOTHING;
		return;
	}
	switch (p) {
	case SAT_P_REVIEW:
		sat_fold_review(f);
		return;
	case SAT_P_SET:
		sat_fold_set(f);
		return;
	case SAT_P_COUNTER:
		fold_counter(f);
		return;
	case SAT_P_MAX:
		fold_extreme(f, 1);
		return;
	case SAT_P_MIN:
		fold_extreme(f, -1);
		return;
	case SAT_P_STAGE:
		sat_fold_stage(f);
		return;
	case SAT_P_OWNER:
		fold_owner(f);
		return;
	case SAT_P_ONCE:
		fold_once(f);
		return;
	case SAT_P_LWW:
	case SAT_P_DERIVED:
		break;
	}
	fold_lww(f);
}

/* An edit whose author did not know of the deletion (P-061). */
static void
fold_edit(sat_fold *f)
{
	sat_record *r = f->r;

	fold_value(f);
	if (!r->deleted ||
	    !sat_fold_concurrent(f, r->del_at.dev, r->del_at.lsn) ||
	    (f->out->outcome != SAT_APPLIED && f->out->outcome != SAT_REVIEW))
		return;
	f->out->conflict_opened |= !r->with_edits;
	r->with_edits = true;
	f->out->outcome = SAT_REVIEW;
}

static void
fold_new(sat_fold *f)
{
	sat_record *r = f->r;

	if (r->born.hlc != 0) {
		f->out->outcome = SAT_NOTHING;
		return;
	}
	r->id = f->op->rec;
	r->kind = f->op->rtype;
	r->born = f->at;
	f->out->outcome = SAT_APPLIED;
}

sat_rc
sat_record_apply(sat_applied *out, sat_record *r, sat_arena *a,
    const sat_template *t, const sat_op *op, const sat_apply_ctx *ctx,
    sat_err *e)
{
	const sat_kind *k;
	sat_fold f = { .out = out, .r = r, .a = a, .op = op, .at = ctx->at,
		.seen = ctx->seen, .moved = ctx->moved, .room = ctx->room,
		.tmp = ctx->room != NULL ? &ctx->room->tmp : a };

	memset(out, 0, sizeof *out);
	if (op->kind == SAT_OP_NEW) {
		fold_new(&f);
		return SAT_OK;
	}
	if (r->born.hlc == 0)
		return sat_fail(e, SAT_ENOTFOUND, "record does not exist");
	if (op->rtype != r->kind)
		return sat_fail(e, SAT_EINVALID,
		    "operation names another kind of record");
	if (op->kind == SAT_OP_DEL) {
		sat_fold_del(&f, t);
	} else if (op->kind == SAT_OP_UNDEL) {
		sat_fold_undel(&f);
	} else if (sat_op_kind_is_later(op->kind)) {
		f.value = sat_value_dup(a, op->value);
		sat_fold_later(&f);
	} else if (op->kind >= SAT_OP_CLAIM && (op->kind != SAT_OP_MERGE ||
	    op->field >= SAT_SYS_FIRST)) {
		f.value = sat_value_dup(a, op->value);
		sat_fold_system(&f);
	} else {
		k = sat_template_kind_id(t, r->kind);
		f.field = k != NULL ? sat_kind_field_id(k, op->field) : NULL;
		f.value = sat_value_dup(a, op->value);
		f.blind = op->kind == SAT_OP_MERGE;
		fold_edit(&f);
	}
	if (f.room != NULL)
		sat_arena_reset(&f.room->tmp);
	return SAT_OK;
}

void
sat_record_applied(sat_record *r, sat_outcome outcome, uint64_t lsn)
{
	if (outcome != SAT_NOTHING && lsn > r->rlsn)
		r->rlsn = lsn;
}

bool
sat_op_is_content(const sat_op *op)
{
	switch (op->kind) {
	case SAT_OP_SET:
	case SAT_OP_MVSET:
	case SAT_OP_SADD:
	case SAT_OP_SREM:
	case SAT_OP_ADD:
	case SAT_OP_STAGE:
	case SAT_OP_RESOLVE:
		return op->field < SAT_SYS_FIRST;
	default:
		return false;
	}
}

bool
sat_record_redirect(sat_id *to, const sat_record *r)
{
	sat_value v = sat_record_value(r, SAT_SYS_REDIRECT);

	if (v.type != SAT_V_BYTES || v.s.n != sizeof to->b)
		return false;
	memcpy(to->b, v.s.p, sizeof to->b);
	return true;
}
