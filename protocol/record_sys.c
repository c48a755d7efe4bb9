/*
 * record_sys.c - operations on the record as such: owner and pool, numbers,
 * suggestions, merging of records (P-131..P-138).
 *
 * What the server decides travels as these, in commits of its own, and is
 * folded here on every device like anybody's. A record has at most one
 * redirect, one pool, a few aliases and suggestions: everything is written anew
 * each time.
 */
#include "protocol/record_int.h"

#include <string.h>

/* The fold of the same operation into a system field. */
static sat_cell *
sys_cell(sat_fold *f, sat_op *op, uint16_t field, bool *added)
{
	const sat_op *was = f->op;
	sat_cell *c;

	*op = *was;
	op->field = field;
	f->op = op;
	c = sat_fold_cell(f, added);
	f->op = was;
	return c;
}

void
sat_fold_sys_put(sat_fold *f, uint16_t field, sat_value v, sat_span ext)
{
	sat_op op;
	bool added;
	sat_cell *c = sys_cell(f, &op, field, &added);

	c->value = v;
	c->at = f->at;
	c->ext = ext;
	f->out->outcome = SAT_APPLIED;
}

static bool
is_empty(const sat_record *r, uint16_t field)
{
	return sat_record_value(r, field).type == SAT_V_NULL;
}

/* ---- owner and pool -------------------------------------------------------- */

/* The pool and when it was released stay in the history: that it had no owner
 * meanwhile stands nowhere else. */
void
sat_fold_left_pool(sat_fold *f)
{
	const sat_cell *c = sat_record_cell(f->r, SAT_SYS_POOL);

	if (is_empty(f->r, SAT_SYS_POOL))
		return;
	sat_fold_displace(f, c->value, c->at);
	f->out->displaced[f->out->ndisplaced - 1].field = SAT_SYS_POOL;
	sat_fold_sys_put(f, SAT_SYS_POOL, sat_v_null(), (sat_span){ NULL, 0 });
}

static void
set_owner(sat_fold *f, sat_value v)
{
	const sat_cell *c = sat_record_cell(f->r, f->op->field);

	if (c != NULL && c->value.type != SAT_V_NULL)
		sat_fold_displace(f, c->value, c->at);
	sat_fold_sys_put(f, f->op->field, v, (sat_span){ NULL, 0 });
}

/* P-132: the server's order decides; what the author saw plays no part. */
static void
fold_claim(sat_fold *f)
{
	if (f->r->deleted || !is_empty(f->r, f->op->field))
		return;
	set_owner(f, f->value);
	sat_fold_left_pool(f);
}

static void
fold_release(sat_fold *f)
{
	const sat_cell *owner = sat_record_cell(f->r, f->op->field);

	if (f->r->deleted || (owner != NULL &&
	    sat_fold_concurrent(f, owner->at.dev, owner->at.lsn)))
		return;
	if (is_empty(f->r, f->op->field) && sat_value_eq(f->value,
	    sat_record_value(f->r, SAT_SYS_POOL)))
		return;
	set_owner(f, sat_v_null());
	sat_fold_sys_put(f, SAT_SYS_POOL, f->value, (sat_span){ NULL, 0 });
}

/* ---- numbers ----------------------------------------------------------------- */

/* P-133: the earlier number goes into a set that only grows. */
static void
fold_number(sat_fold *f)
{
	sat_value was = sat_record_value(f->r, f->op->field);
	sat_op add = *f->op;
	sat_fold g = *f;

	if (sat_value_eq(was, f->value))
		return;
	sat_fold_sys_put(f, f->op->field, f->value, (sat_span){ NULL, 0 });
	if (was.type == SAT_V_NULL)
		return;
	if (was.type != SAT_V_TEXT || was.s.n == 0 ||
	    was.s.n > SAT_SET_ELEMENT_MAX ||
	    memchr(was.s.p, '\n', was.s.n) != NULL) { /* no element (P-055) */
		sat_fold_displace(f, was, f->at);
		return;
	}
	add.kind = SAT_OP_SADD;
	add.field = SAT_SYS_ALIASES;
	add.value = was;
	g.op = &add;
	g.value = was;
	g.field = NULL;
	sat_fold_set(&g);
	f->displaced_cap = g.displaced_cap;
	f->out->outcome = SAT_APPLIED;
}

/* ---- suggestions ------------------------------------------------------------- */

void
sat_handed_write(sat_buf *b, const sat_handed *h)
{
	sat_write_uint(b, h->dev);
	sat_write_be64(b, h->hlc);
	sat_write_span(b, h->actor);
	sat_write_span(b, h->why);
	sat_write_span(b, h->ops);
}

static void
read_handed(sat_handed *h, sat_reader *r)
{
	h->dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	h->hlc = sat_read_be64(r);
	h->actor = sat_read_span(r, SAT_SYS_TEXT_MAX);
	h->why = sat_read_span(r, SAT_HANDED_WHY_MAX);
	h->ops = sat_read_span(r, SAT_VALUE_MAX);
	if ((h->actor.n > 0 && !sat_utf8_ok(h->actor.p, h->actor.n)) ||
	    (h->why.n > 0 && !sat_utf8_ok(h->why.p, h->why.n)))
		sat_read_bad(r, "text is not UTF-8");
	if (h->hlc == 0 || h->hlc > INT64_MAX || h->ops.n == 0)
		sat_read_bad(r, "bad suggestion");
}

sat_rc
sat_handed_read(sat_handed *h, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);

	memset(h, 0, sizeof *h);
	read_handed(h, &r);
	return sat_read_end(&r, "suggestion", e);
}

size_t
sat_cell_handed(sat_handed **out, sat_arena *a, const sat_cell *c)
{
	sat_reader r = sat_reader_of(c->ext);
	size_t n;

	*out = NULL;
	if (c->ext.n == 0)
		return 0;
	n = (size_t)sat_read_uint_max(&r, SAT_HANDED_MAX);
	*out = sat_arena_alloc(a, (n + 1) * sizeof **out);
	for (size_t i = 0; i < n && r.fault == NULL; i++) {
		(*out)[i].lsn = sat_read_uint_max(&r, INT64_MAX);
		read_handed(&(*out)[i], &r);
	}
	return sat_read_end(&r, "suggestions", NULL) == SAT_OK ? n : 0;
}

static size_t
handed_of(sat_handed **out, sat_arena *a, const sat_record *r)
{
	const sat_cell *c = sat_record_cell(r, SAT_SYS_HANDED);

	*out = NULL;
	return c != NULL ? sat_cell_handed(out, a, c) : 0;
}

static bool
room_for(const sat_handed *h, size_t n, size_t bytes)
{
	for (size_t i = 0; i < n; i++)
		bytes += h[i].ops.n;
	return n < SAT_HANDED_MAX && bytes <= SAT_HANDED_BYTES_MAX;
}

bool
sat_handed_room(const sat_record *r, sat_arena *a, size_t ops_bytes)
{
	sat_handed *h;
	size_t n = handed_of(&h, a, r);

	return room_for(h, n, ops_bytes);
}

static void
keep_handed(sat_fold *f, const sat_handed *h, size_t n)
{
	sat_buf b = { 0 };

	if (n > 0)
		sat_write_uint(&b, n);
	for (size_t i = 0; i < n; i++) {
		sat_write_uint(&b, h[i].lsn);
		sat_handed_write(&b, &h[i]);
	}
	sat_fold_sys_put(f, SAT_SYS_HANDED, n > 0 ? sat_v_int((int64_t)n) : sat_v_null(),
	    sat_fold_keep(f, SAT_SYS_HANDED, SAT_PART_EXT, &b));
}

/* P-136: named by its position, so there is one per commit and record. */
static void
fold_hand(sat_fold *f)
{
	sat_handed *old, *h, one;
	size_t n = handed_of(&old, f->tmp, f->r);

	if (f->value.type != SAT_V_BYTES ||
	    sat_handed_read(&one, f->value.s, NULL) != SAT_OK)
		return;
	one.lsn = f->at.lsn;
	if (one.lsn == 0 || (n > 0 && old[n - 1].lsn >= one.lsn) ||
	    !room_for(old, n, one.ops.n))
		return;
	h = sat_arena_alloc(f->tmp, (n + 1) * sizeof *h);
	if (n > 0)
		memcpy(h, old, n * sizeof *h);
	h[n] = one;
	keep_handed(f, h, n + 1);
}

static void
fold_settle(sat_fold *f)
{
	sat_handed *h;
	size_t n = handed_of(&h, f->tmp, f->r), at;

	for (at = 0; at < n; at++)
		if (f->value.type == SAT_V_INT &&
		    h[at].lsn == (uint64_t)f->value.i)
			break;
	if (at == n)
		return;
	memmove(h + at, h + at + 1, (n - at - 1) * sizeof *h);
	keep_handed(f, h, n - 1);
}

/* ---- merging of records ---------------------------------------------------------- */

/* P-137 */
static void
fold_merge(sat_fold *f)
{
	sat_value v = f->value;

	if (v.type != SAT_V_BYTES || v.s.n != sizeof f->r->id.b ||
	    memcmp(v.s.p, f->r->id.b, v.s.n) == 0 ||
	    !is_empty(f->r, SAT_SYS_REDIRECT))
		return;
	sat_fold_sys_put(f, SAT_SYS_REDIRECT, v, (sat_span){ NULL, 0 });
}

static void
fold_unmerge(sat_fold *f)
{
	if (!is_empty(f->r, SAT_SYS_REDIRECT))
		sat_fold_sys_put(f, SAT_SYS_REDIRECT, sat_v_null(),
		    (sat_span){ NULL, 0 });
}

void
sat_fold_system(sat_fold *f)
{
	f->out->outcome = SAT_NOTHING;
	switch (f->op->kind) {
	case SAT_OP_CLAIM:
		fold_claim(f);
		break;
	case SAT_OP_RELEASE:
		fold_release(f);
		break;
	case SAT_OP_NUMBER:
		fold_number(f);
		break;
	case SAT_OP_HAND:
		fold_hand(f);
		break;
	case SAT_OP_SETTLE:
		fold_settle(f);
		break;
	case SAT_OP_MERGE:
		fold_merge(f);
		break;
	case SAT_OP_UNMERGE:
		fold_unmerge(f);
		break;
	case SAT_OP_ERASE: /* P-138 */
		sat_fold_sys_put(f, SAT_SYS_PARTED, sat_v_int((int64_t)f->at.lsn),
		    (sat_span){ NULL, 0 });
		break;
	default:
		break;
	}
}

/* P-175 */
void
sat_pair_tag(char tag[17], const sat_id *a, const sat_id *b)
{
	bool first = memcmp(a->b, b->b, sizeof a->b) < 0;
	uint8_t both[32], hash[SAT_HASH_BYTES];

	memcpy(both, first ? a->b : b->b, 16);
	memcpy(both + 16, first ? b->b : a->b, 16);
	sat_hash(hash, sat_span_of(both, sizeof both));
	for (size_t i = 0; i < 8; i++) {
		tag[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		tag[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	tag[16] = '\0';
}

/* ---- what is not all of it ------------------------------------------------------- */

static sat_span
hidden_of(const sat_record *r)
{
	const sat_cell *c = sat_record_cell(r, SAT_SYS_MASKED);

	return c != NULL && c->value.type == SAT_V_TEXT ? c->value.s :
	    (sat_span){ NULL, 0 };
}

bool
sat_record_of_pool(const sat_record *r)
{
	sat_span ids = hidden_of(r);

	return sat_record_cell(r, SAT_SYS_MASKED) != NULL &&
	    (ids.n == 0 || ids.p[0] != '@');
}

bool
sat_record_hides(const sat_record *r, uint16_t field)
{
	sat_span ids = hidden_of(r);
	uint32_t id = 0;

	for (size_t i = 0; i <= ids.n && ids.n > 0; i++) {
		if (i < ids.n && ids.p[i] >= '0' && ids.p[i] <= '9') {
			id = id * 10 + (uint32_t)(ids.p[i] - '0');
			continue;
		}
		if (id == field)
			return true;
		id = 0;
	}
	return false;
}
