/*
 * server_verify.c - proof: fold the log from nothing and compare; count the
 * memberships anew; the chains are server_chains.c.
 *
 * States are kept as bytes while folding, so that memory is what the states
 * weigh and not what the folds leave behind.
 */
#include "protocol/look.h"
#include "protocol/server_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- a table of states by id ------------------------------------------------------ */

typedef struct vrec {
	sat_id id;
	sat_buf state;
	bool met;             /* in the store too */
	struct vrec *next;
} vrec;

typedef struct vtable {
	vrec **bucket;
	size_t mask, n;
	const sat_replay *told; /* who is told of each operation */
	sat_arena op;           /* of one operation */
} vtable;

static size_t
slot(const vtable *t, const sat_id *id)
{
	uint64_t v;

	memcpy(&v, id->b + 8, sizeof v);
	return (size_t)(v * 0x9e3779b97f4a7c15ull >> 20) & t->mask;
}

static void
vgrow(vtable *t)
{
	vtable old = *t;

	if (t->bucket != NULL && t->n <= t->mask)
		return;
	t->mask = t->bucket == NULL ? 1023 : t->mask * 4 + 3;
	t->bucket = sat_xcalloc(t->mask + 1, sizeof(vrec *));
	for (size_t i = 0; old.bucket != NULL && i <= old.mask; i++)
		for (vrec *v = old.bucket[i], *nx; v != NULL; v = nx) {
			vrec **at = &t->bucket[slot(t, &v->id)];

			nx = v->next;
			v->next = *at;
			*at = v;
		}
	free(old.bucket);
}

static vrec *
vfind(vtable *t, const sat_id *id, bool add)
{
	vrec *v;

	vgrow(t);
	for (v = t->bucket[slot(t, id)]; v != NULL; v = v->next)
		if (sat_id_eq(&v->id, id))
			return v;
	if (!add)
		return NULL;
	v = sat_xcalloc(1, sizeof *v);
	v->id = *id;
	v->next = t->bucket[slot(t, id)];
	t->bucket[slot(t, id)] = v;
	t->n++;
	return v;
}

static void
vfree(vtable *t)
{
	for (size_t i = 0; t->bucket != NULL && i <= t->mask; i++)
		for (vrec *v = t->bucket[i], *nx; v != NULL; v = nx) {
			nx = v->next;
			sat_buf_fini(&v->state);
			free(v);
		}
	sat_arena_fini(&t->op);
	free(t->bucket);
}

/* ---- the log ------------------------------------------------------------------------ */

/* From its position on the record is the state that was given back. */
static sat_rc
given_back(sat_server *s, vtable *t, uint64_t lsn, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_seed_row row;
	vrec *v;
	sat_rc rc = st->seed_get(&row, &s->txn, st->u, lsn, e);

	if (rc == SAT_ENOTFOUND)
		return sat_fail(e, SAT_EINTEGRITY, "nothing is stored at %llu",
		    (unsigned long long)lsn);
	if (rc != SAT_OK || row.state.n == 0) /* erased since */
		return rc;
	v = vfind(t, &row.id, true);
	sat_buf_reset(&v->state);
	sat_buf_add(&v->state, row.state.p, row.state.n);
	return SAT_OK;
}

/* What a state holds already only moves the record's last position. */
static sat_rc
pass_op(sat_server *s, vtable *t, const sat_id *rec, uint64_t lsn, sat_err *e)
{
	vrec *v = vfind(t, rec, true);
	sat_record r;
	sat_rc rc;

	if (v->state.n == 0)
		return SAT_OK;
	if ((rc = sat_record_read(&r, &s->txn, sat_buf_span(&v->state), e)) !=
	    SAT_OK)
		return rc;
	if (r.rlsn < lsn)
		r.rlsn = lsn;
	sat_buf_reset(&s->scratch);
	sat_record_write(&s->scratch, &r);
	sat_buf_reset(&v->state);
	sat_buf_add(&v->state, s->scratch.p, s->scratch.n);
	return SAT_OK;
}

static sat_rc
refold_op(sat_server *s, vtable *t, const sat_template *tp,
    const sat_commit *c, const sat_op *op, bool echoed, sat_err *e)
{
	sat_apply_ctx ctx = { { c->eff, c->device, c->lsn },
		echoed ? 0 : sat_op_seen(c, op), !echoed && (c->flags & SAT_CF_MOVED) != 0,
		NULL };
	vrec *v = vfind(t, &op->rec, true);
	sat_record r = { 0 };
	sat_applied out;
	sat_rc rc;

	sat_arena_reset(&t->op);
	if (v->state.n != 0 && (rc = sat_record_read(&r, &t->op,
	    sat_buf_span(&v->state), e)) != SAT_OK)
		return rc;
	if ((rc = sat_record_apply(&out, &r, &t->op, tp, op, &ctx, e)) !=
	    SAT_OK)
		return rc;
	if (t->told->cb != NULL && c->lsn >= t->told->from)
		t->told->cb(t->told->cu, &(sat_replayed){ c->lsn, c->device, op,
		    echoed, &out });
	sat_record_applied(&r, out.outcome, c->lsn);
	sat_buf_reset(&s->scratch);
	sat_record_write(&s->scratch, &r);
	sat_buf_reset(&v->state);
	sat_buf_add(&v->state, s->scratch.p, s->scratch.n);
	return SAT_OK;
}

/* One step of a redirect; false: there is none. */
static bool
vredirect(sat_id *to, sat_server *s, vtable *t, const sat_id *id)
{
	const vrec *v = vfind(t, id, false);
	sat_record r = { 0 };

	return v != NULL && v->state.n > 0 && sat_record_read(&r, &s->txn,
	    sat_buf_span(&v->state), NULL) == SAT_OK &&
	    sat_record_redirect(to, &r);
}

typedef struct vecho {
	size_t op;
	sat_id to;
	bool passed; /* erased, or in the state already */
} vecho;

/* Does the log say rightly whereto the operation goes on from `at`? Into a
 * record that was erased, and on from it, is not to be proven any more. */
static bool
leads_on(bool *right, sat_server *s, vtable *t, const sat_id *at,
    bool from_erased, const echo *said)
{
	bool into_erased = said != NULL && said->to->erased;
	sat_id to = { 0 };
	bool leads = vredirect(&to, s, t, at);

	*right = from_erased || into_erased || (said != NULL) == leads;
	if (*right && leads && !into_erased && !from_erased)
		*right = sat_id_eq(&said->to->id, &to);
	return said != NULL;
}

/* M2: what followed a redirect is what the log says did. */
static sat_rc
echoes_of(vecho **out, size_t *n, sat_server *s, vtable *t,
    const sat_commit *c, const uint8_t *held, sat_span stored, sat_err *e)
{
	echo *said;
	size_t nsaid;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_srv_echoes_read(&said, &nsaid, s, stored, c, e)) !=
	    SAT_OK)
		return rc;
	*out = sat_arena_alloc(&s->txn, (nsaid + 1) * sizeof **out);
	for (size_t i = 0; i < c->nops; i++) {
		sat_id at = c->ops[i].rec;
		bool gone = false, right = true;

		if (sat_srv_op_held(held, i) || !sat_op_is_content(&c->ops[i]))
			continue;
		while (leads_on(&right, s, t, &at, gone,
		    *n < nsaid && said[*n].op == i ? &said[*n] : NULL) &&
		    right) {
			at = said[*n].to->id;
			gone = said[*n].to->erased;
			(*out)[*n] = (vecho){ i, at, gone || said[*n].held };
			++*n;
		}
		if (!right)
			return sat_fail(e, SAT_EINTEGRITY, "commit at %llu was "
			    "folded into other records than it should",
			    (unsigned long long)c->lsn);
	}
	if (*n != nsaid)
		return sat_fail(e, SAT_EINTEGRITY, "commit at %llu was folded "
		    "into records it should not", (unsigned long long)c->lsn);
	return SAT_OK;
}

static sat_rc
refold_commit(sat_server *s, vtable *t, uint64_t lsn,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_template *tp;
	sat_log_row row;
	sat_commit c;
	vecho *echoes;
	size_t n;
	const uint8_t *held;
	sat_old old;
	wrec *w;
	sat_rc rc;

	sat_set_reset(s);
	rc = st->log_get(&row, &s->txn, st->u, lsn, e);
	if (rc == SAT_ENOTFOUND && s->epoch.epoch != 0)
		return given_back(s, t, lsn, e);
	if (rc != SAT_OK ||
	    (rc = sat_srv_log_read(&c, &s->txn, &row, e)) != SAT_OK ||
	    (rc = sat_srv_held_ops(&held, &old, s, lsn, c.nops, e)) != SAT_OK)
		return rc;
	if (c.nops == 0) /* erased */
		return SAT_OK;
	if ((tp = sat_srv_template(s, c.template_oid)) == NULL)
		return sat_fail(e, SAT_EINTEGRITY,
		    "commit at %llu names an unknown template",
		    (unsigned long long)lsn);
	if ((rc = echoes_of(&echoes, &n, s, t, &c, held,
	    row.echoes, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < c.nops; i++) {
		if (s->ledger_rev != 0 && ((rc = sat_set_by_id(&w, s,
		    &c.ops[i].rec, e)) != SAT_OK || w->erased)) {
			if (rc != SAT_OK)
				return rc;
			continue;
		}
		rc = sat_srv_op_held(held, i) ? pass_op(s, t, &c.ops[i].rec, lsn, e) :
		    refold_op(s, t, tp, &c, &c.ops[i], false, e);
		if (rc != SAT_OK)
			return rc;
	}
	for (size_t i = 0; i < n; i++) {
		sat_op op = c.ops[echoes[i].op];

		if (echoes[i].passed)
			continue;
		op.rec = echoes[i].to;
		if ((rc = refold_op(s, t, tp, &c, &op, true, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- memberships ------------------------------------------------------------------------ */

typedef struct reason {
	uint32_t root;
	sat_scope_key key;
} reason;

typedef struct compare {
	sat_server *s;
	vtable *t;
	reason *why;
	size_t n, cap;
	uint64_t records;
	sat_err *e;
	sat_rc rc;
} compare;

static void
add_reasons(compare *x, const sat_rec_row *row, const sat_record *r)
{
	const sat_kind *k = sat_srv_kind(x->s, row->kind);
	sat_keys keys;

	if (row->root != row->eid && (k == NULL ||
	    k->scope == SAT_SCOPE_CHILD ||
	    (k->scope == SAT_SCOPE_OWNED && sat_rec_gone(r))))
		return;
	keys = sat_scope_record_keys(&x->s->reg,
	    k != NULL ? k->scope : SAT_SCOPE_CHILD, row->owner.n == 0 ?
	    sat_v_null() : sat_v_text(row->owner), row->root == row->eid ?
	    sat_record_value(r, SAT_SYS_POOL) : sat_v_null());
	for (size_t i = 0; i < keys.n; i++) {
		if (x->n == x->cap) {
			x->cap = x->cap == 0 ? 256 : x->cap * 2;
			x->why = sat_xrealloc(x->why, x->cap * sizeof *x->why);
		}
		x->why[x->n++] = (reason){ row->root, keys.k[i] };
	}
}

static int
reason_cmp(const void *a, const void *b)
{
	const reason *x = a, *y = b;

	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static bool
count_key(void *u, sat_scope_key key)
{
	(void)key;
	++*(size_t *)u;
	return true;
}

/* S1 */
static sat_rc
check_members(compare *x, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	size_t i = 0, k, keys = 0, live = 0;
	sat_member m;
	sat_rc rc;

	if (x->n > 0)
		qsort(x->why, x->n, sizeof x->why[0], reason_cmp);
	while (i < x->n) {
		const reason *w = &x->why[i];

		for (k = i; k < x->n && reason_cmp(w, &x->why[k]) == 0; k++)
			;
		if ((rc = st->member_get(&m, st->u, w->key, w->root, e)) !=
		    SAT_OK)
			return rc;
		if (m.n != (int64_t)(k - i))
			return sat_fail(e, SAT_EINTEGRITY,
			    "root %u: a key has %lld reasons, %zu are true",
			    w->root, (long long)m.n, k - i);
		keys++;
		i = k;
		if (i < x->n && x->why[i].root == w->root)
			continue;
		live = 0;
		if ((rc = st->member_keys(st->u, w->root, count_key, &live,
		    e)) != SAT_OK)
			return rc;
		if (live != keys)
			return sat_fail(e, SAT_EINTEGRITY,
			    "root %u has %zu live keys, %zu are true", w->root,
			    live, keys);
		keys = 0;
	}
	return SAT_OK;
}

/* ---- the records ---------------------------------------------------------------------- */

/* Below the customer it names, or the one that was merged into. */
static sat_rc
check_root(compare *x, const sat_rec_row *row, const sat_kind *k,
    const sat_record *r)
{
	sat_value v = sat_v_null();
	sat_id at = row->id;
	wrec *root;
	sat_rc rc;

	if (k != NULL && k->parent != NULL)
		v = sat_record_value(r, k->parent->id);
	if (v.type == SAT_V_BYTES && v.s.n == sizeof at.b)
		memcpy(at.b, v.s.p, sizeof at.b);
	while (vredirect(&at, x->s, x->t, &at))
		;
	if ((rc = sat_set_by_eid(&root, x->s, row->root, x->e)) != SAT_OK)
		return rc;
	return sat_id_eq(&at, &root->id) ? SAT_OK : sat_fail(x->e,
	    SAT_EINTEGRITY, "record %u stands below another root", row->eid);
}

static bool
on_row(void *u, const sat_rec_row *row)
{
	compare *x = u;
	vrec *v = vfind(x->t, &row->id, false);
	const sat_kind *k;
	sat_value owner = sat_v_null();
	sat_record r;

	if (v == NULL || !sat_span_eq(sat_buf_span(&v->state), row->state)) {
		x->rc = sat_fail(x->e, SAT_EINTEGRITY,
		    "record %u differs from the log", row->eid);
		return false;
	}
	v->met = true;
	x->records++;
	sat_set_reset(x->s);
	if ((x->rc = sat_record_read(&r, &x->s->txn, row->state, x->e)) !=
	    SAT_OK)
		return false;
	k = sat_srv_kind(x->s, row->kind);
	if (k != NULL && k->owner != NULL)
		owner = sat_record_value(&r, k->owner->id);
	if (!sat_span_eq(owner.s, row->owner)) {
		x->rc = sat_fail(x->e, SAT_EINTEGRITY,
		    "record %u is filed under another owner", row->eid);
		return false;
	}
	if (row->root != row->eid &&
	    (x->rc = check_root(x, row, k, &r)) != SAT_OK)
		return false;
	add_reasons(x, row, &r);
	return true;
}

static sat_rc
check_records(sat_server *s, vtable *t, uint64_t *records, sat_err *e)
{
	const sat_store *st = &s->env.store;
	compare x = { .s = s, .t = t, .e = e };
	sat_rc rc;

	if ((rc = st->rec_scan(st->u, 0, on_row, &x, e)) == SAT_OK)
		rc = x.rc;
	if (rc == SAT_OK && x.records != t->n)
		rc = sat_fail(e, SAT_EINTEGRITY,
		    "%llu records stored, %zu in the log",
		    (unsigned long long)x.records, t->n);
	if (rc == SAT_OK)
		rc = check_members(&x, e);
	*records = x.records;
	free(x.why);
	return rc;
}

/* ---- the proof ------------------------------------------------------------------------- */

sat_rc
sat_server_replay(sat_server *s, sat_replay *r, sat_err *e)
{
	vtable t = { .told = r };
	sat_rc rc;

	r->commits = r->records = 0;
	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	vgrow(&t);
	for (uint64_t lsn = 1; rc == SAT_OK; lsn++) {
		sat_srv_next_lsn(&lsn, s);
		if (lsn > s->lsn)
			break;
		if ((rc = refold_commit(s, &t, lsn, e)) == SAT_OK)
			r->commits++;
	}
	if (rc == SAT_OK && r->verify)
		rc = check_records(s, &t, &r->records, e);
	if (rc == SAT_OK && r->verify)
		rc = sat_srv_digest_check(s, e);
	if (rc == SAT_OK && r->verify)
		rc = sat_srv_chains_check(s, e);
	if (rc == SAT_OK && r->verify)
		rc = sat_srv_files_check(s, e);
	vfree(&t);
	sat_srv_end_read(s);
	return rc;
}

sat_rc
sat_server_verify(sat_server *s, uint64_t *commits, uint64_t *records,
    sat_err *e)
{
	sat_replay r = { .verify = true };
	sat_rc rc = sat_server_replay(s, &r, e);

	*commits = r.commits;
	*records = r.records;
	return rc;
}
