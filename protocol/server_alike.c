/*
 * server_alike.c - customers that may be one and are held by different people
 * (P-176).
 *
 * Two representatives make the same firm, each in his own scope; no device but
 * the manager's sees both. The server keeps the match keys of every customer
 * and tells the owner of one, who does not see the other, that there is another
 * and whose it is: no id, no value. Whoever sees both finds them by himself.
 *
 * All of it happens at the end of a transaction, from the states as they are
 * then: what an entry says is always what holds for the pair, so a changed
 * value, another owner, a deletion or a merge need no rule of their own.
 *
 * Invariants, named in the tests:
 *   K1  an entry of a record says what holds for the pair at the end of the
 *       transaction that last touched either.
 *       In a state that was given back is none: whoever it names may be nobody
 *       here.
 *   K2  nothing of a record leaves here but the key of its owner.
 *   K4  a value that more than GROUP_MAX share has no entries, also not of when
 *       they were fewer: nobody could find all of those again.
 *   K3  when the template names other fields as duplicate keys, the match keys
 *       are those of all customers again, and the entries too (P-320).
 */
#include "protocol/server_int.h"

#include "common/template/match.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 16 /* a value more records share tells nothing (K4) */

typedef struct keyed {
	int64_t key;
	bool has;
} keyed;

typedef struct group {
	uint32_t eid[GROUP_MAX + 2]; /* as many as tell exact from more */
	size_t n;
} group;

typedef struct alike {
	sat_server *s;
	const sat_kind *k;
	wrec *w;
	const sat_record *was; /* NULL: it is new */
	bool gone, was_gone, moved;
	sat_buf tmp;
} alike;

/* ---- keys ------------------------------------------------------------------------ */

static keyed
key_of(alike *x, const sat_field *f, const sat_record *r, bool gone)
{
	keyed k = { 0, false };

	if (r != NULL && !gone)
		k.has = sat_match_key(&k.key, &x->tmp, x->k, f,
		    sat_record_value(r, f->id));
	return k;
}

static bool
on_eid(void *u, uint32_t eid)
{
	group *g = u;

	g->eid[g->n++] = eid;
	return g->n < GROUP_MAX + 2;
}

static sat_rc
move_key(alike *x, keyed was, keyed is, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	sat_rc rc = SAT_OK;

	if (was.has && is.has && was.key == is.key)
		return SAT_OK;
	if (was.has)
		rc = st->match_del(st->u, was.key, x->w->eid, e);
	if (rc == SAT_OK && is.has)
		rc = st->match_put(st->u, is.key, x->w->eid, e);
	return rc;
}

/* ---- what one is told of the other ------------------------------------------------- */

static bool
lists(sat_server *s, const wrec *w, uint16_t field, const char *text, size_t n,
    sat_value *found)
{
	const sat_cell *c = sat_record_cell(&w->r, field);
	sat_element *el;
	size_t m = c != NULL ? sat_cell_elements(&el, &s->txn, c) : 0;

	for (size_t i = 0; i < m; i++)
		if (el[i].text.n >= n && memcmp(el[i].text.p, text, n) == 0) {
			*found = sat_v_text(el[i].text);
			return true;
		}
	return false;
}

/* Does the owner of `to` see `w` too? */
static sat_rc
owner_sees(bool *yes, sat_server *s, const wrec *to, const wrec *w, sat_err *e)
{
	const sat_user *u = to->owner.type == SAT_V_TEXT ?
	    sat_registry_user(&s->reg, to->owner.s) : NULL;
	sat_keys keys = sat_scope_subscription(&s->reg, u);

	*yes = true; /* nobody to be told */
	return u == NULL ? SAT_OK : sat_srv_visible(yes, s, w, &keys, e);
}

static sat_rc
are_one(bool *yes, sat_server *s, wrec *a, wrec *b, sat_err *e)
{
	wrec *x, *y;
	sat_rc rc;

	if ((rc = sat_srv_canon(&x, s, a, e)) == SAT_OK &&
	    (rc = sat_srv_canon(&y, s, b, e)) == SAT_OK)
		*yes = x == y;
	return rc;
}

/* The entry `to` should have for the pair, null for none. */
static sat_rc
entry_for(sat_value *out, sat_server *s, const sat_field *f, wrec *to,
    wrec *other, bool agree, const char *tag, sat_err *e)
{
	sat_value found;
	bool yes = false;
	char *text;
	sat_rc rc;

	*out = sat_v_null();
	if (!agree || sat_rec_gone(&to->r) || sat_rec_gone(&other->r) ||
	    lists(s, to, SAT_SYS_DISMISSED, tag, 16, &found) ||
	    lists(s, other, SAT_SYS_DISMISSED, tag, 16, &found))
		return SAT_OK;
	if ((rc = are_one(&yes, s, to, other, e)) != SAT_OK || yes ||
	    (rc = owner_sees(&yes, s, to, other, e)) != SAT_OK || yes)
		return rc;
	text = sat_xasprintf("%s %s %.*s", tag, f->key,
	    other->owner.type == SAT_V_TEXT ? (int)other->owner.s.n : 1,
	    other->owner.type == SAT_V_TEXT ?
	    (const char *)other->owner.s.p : "-");
	*out = sat_v_text(sat_span_str(sat_arena_str(&s->txn, text,
	    strlen(text))));
	free(text);
	return SAT_OK;
}

/* K1 */
static sat_rc
tell(sat_server *s, const sat_field *f, wrec *to, wrec *other, bool agree,
    sat_err *e)
{
	sat_op ops[2];
	sat_value want, has;
	char tag[17], *head;
	size_t n = 0;
	uint64_t lsn;
	bool listed;
	sat_rc rc;

	sat_pair_tag(tag, &to->id, &other->id);
	if ((rc = entry_for(&want, s, f, to, other, agree, tag, e)) != SAT_OK)
		return rc;
	head = sat_xasprintf("%s %s ", tag, f->key);
	listed = lists(s, to, SAT_SYS_CANDIDATES, head, strlen(head), &has);
	free(head);
	if (listed ? want.type != SAT_V_NULL && sat_value_eq(want, has) :
	    want.type == SAT_V_NULL)
		return SAT_OK;
	memset(ops, 0, sizeof ops);
	for (int add = 0; add < 2; add++) {
		if (add == 0 ? !listed : want.type == SAT_V_NULL)
			continue;
		ops[n++] = (sat_op){ .kind = add ? SAT_OP_SADD : SAT_OP_SREM,
			.rtype = to->kind, .field = SAT_SYS_CANDIDATES,
			.rec = to->id, .value = add ? want : has };
	}
	return sat_srv_own(s, &to->id, ops, n, &lsn, e);
}

/* What an entry is about, "TAG FIELD OWNER"; NULL: no field of the kind. */
static const sat_field *
entry_field(const sat_kind *k, sat_span t)
{
	const uint8_t *end = t.n <= 17 ? NULL : memchr(t.p + 17, ' ', t.n - 17);

	for (size_t i = 0; end != NULL && i < k->nfields; i++)
		if (sat_span_eq(sat_span_str(k->fields[i].key),
		    sat_span_of(t.p + 17, (size_t)(end - t.p) - 17)))
			return &k->fields[i];
	return NULL;
}

/* Its entries of a field; NULL: of all that are no keys any more. */
static sat_rc
take_back(sat_server *s, const sat_kind *k, wrec *w, const sat_field *only,
    sat_err *e)
{
	const sat_cell *c = sat_record_cell(&w->r, SAT_SYS_CANDIDATES);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, &s->txn, c) : 0, m = 0;
	sat_op *ops = sat_arena_alloc(&s->txn, (n + 1) * sizeof *ops);
	uint64_t lsn;

	for (size_t i = 0; i < n; i++) {
		const sat_field *f = entry_field(k, el[i].text);

		if (f == NULL || (only != NULL ? f != only : f->dup_weight > 0))
			continue;
		ops[m++] = (sat_op){ .kind = SAT_OP_SREM, .rtype = w->kind,
			.field = SAT_SYS_CANDIDATES, .rec = w->id,
			.value = sat_v_text(el[i].text) };
	}
	return m == 0 ? SAT_OK : sat_srv_own(s, &w->id, ops, m, &lsn, e);
}

/* One too many share the value: what they were told of each other by it, while
 * they were fewer, goes. Later ones find nothing told. */
static sat_rc
hush(alike *x, const sat_field *f, const group *g, sat_err *e)
{
	wrec *w;
	sat_rc rc;

	for (size_t i = 0; i < g->n; i++)
		if ((rc = sat_set_by_eid(&w, x->s, g->eid[i], e)) != SAT_OK ||
		    (rc = sat_set_decode(w, x->s, e)) != SAT_OK ||
		    (rc = take_back(x->s, x->k, w, f, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

/* Everybody under the key, against the record; joined: it is new there. */
static sat_rc
tell_group(alike *x, const sat_field *f, keyed k, keyed is, bool joined,
    sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	bool agree = is.has && is.key == k.key;
	group g = { .n = 0 };
	wrec *other;
	sat_rc rc;

	if (!k.has)
		return SAT_OK;
	if ((rc = st->match_find(st->u, k.key, on_eid, &g, e)) != SAT_OK)
		return rc;
	if (g.n > GROUP_MAX)
		return joined && g.n == GROUP_MAX + 1 ? hush(x, f, &g, e) :
		    SAT_OK;
	for (size_t i = 0; i < g.n; i++) {
		if (g.eid[i] == x->w->eid)
			continue;
		if ((rc = sat_set_by_eid(&other, x->s, g.eid[i], e)) !=
		    SAT_OK ||
		    (rc = sat_set_decode(other, x->s, e)) != SAT_OK ||
		    (rc = tell(x->s, f, x->w, other, agree, e)) != SAT_OK ||
		    (rc = tell(x->s, f, other, x->w, agree, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- one record -------------------------------------------------------------------- */

/* Could a key have changed in this transaction? A cell that was not touched has
 * an older place, unless it shows another of its candidates, or was made anew
 * without what is erased (P-395). */
static bool
worth_a_look(const sat_server *s, const sat_kind *k, const wrec *w)
{
	sat_value owner = w->stored_owner.n == 0 ? sat_v_null() :
	    sat_v_text(w->stored_owner);
	const sat_cell *c;

	if (!w->stored || w->given || w->parted || w->root != w->stored_root ||
	    !sat_value_eq(w->owner, owner) || w->r.del_at.lsn > s->txn_lsn)
		return true;
	c = sat_record_cell(&w->r, SAT_SYS_DISMISSED);
	if (c != NULL && c->at.lsn > s->txn_lsn)
		return true;
	for (size_t i = 0; i < k->nfields; i++) {
		if (k->fields[i].dup_weight <= 0)
			continue;
		c = sat_record_cell(&w->r, k->fields[i].id);
		if (c != NULL && (c->at.lsn > s->txn_lsn || c->ext.n > 0))
			return true;
	}
	return false;
}

static sat_rc
one_record(alike *x, sat_err *e)
{
	const sat_kind *k = x->k;
	sat_record old;
	sat_rc rc;

	if (x->w->stored) {
		if ((rc = sat_record_read(&old, &x->s->txn, x->w->state, e)) !=
		    SAT_OK)
			return rc;
		x->was = &old;
		x->was_gone = sat_rec_gone(&old);
	}
	x->gone = sat_rec_gone(&x->w->r);
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];
		keyed was, is;
		bool moved;

		if (f->dup_weight <= 0)
			continue;
		was = key_of(x, f, x->was, x->was_gone);
		is = key_of(x, f, &x->w->r, x->gone);
		if ((rc = move_key(x, was, is, e)) != SAT_OK)
			return rc;
		if (x->s->env.sign == NULL) /* it has nothing to say it with */
			continue;
		moved = !is.has || !was.has || was.key != is.key;
		if ((moved && (rc = tell_group(x, f, was, is, false, e)) !=
		    SAT_OK) ||
		    (rc = tell_group(x, f, is, is, moved, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* What the transaction changed, as it stands before anything is told. */
static size_t
changed_roots(wrec ***out, sat_server *s)
{
	size_t n = 0;

	for (wrec *w = s->set.dirty; w != NULL; w = w->next_dirty)
		n++;
	*out = sat_arena_alloc(&s->txn, (n + 1) * sizeof **out);
	n = 0;
	for (wrec *w = s->set.dirty; w != NULL; w = w->next_dirty) {
		const sat_kind *k = sat_srv_kind(s, w->kind);
		const wrec *nx = w->next_dirty;

		if (nx != NULL) { /* sent for a round ago */
			sat_srv_soon(nx->next_dirty, sizeof *nx);
			sat_srv_soon(nx->r.cells,
			    nx->r.ncells * sizeof *nx->r.cells);
		}
		if (k != NULL && k->scope == SAT_SCOPE_ROOT &&
		    worth_a_look(s, k, w))
			(*out)[n++] = w;
	}
	return n;
}

sat_rc
sat_srv_alike_flush(sat_server *s, sat_err *e)
{
	alike x = { .s = s };
	sat_rc rc = SAT_OK;
	wrec **list;
	size_t n;

	if (s->set.dirty == NULL || s->tip == NULL)
		return SAT_OK;
	n = changed_roots(&list, s);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		x.w = list[i];
		x.k = sat_srv_kind(s, x.w->kind);
		x.was = NULL;
		x.was_gone = false;
		rc = one_record(&x, e);
	}
	sat_buf_fini(&x.tmp);
	return rc;
}

/* ---- one that is erased --------------------------------------------------------------- */

static sat_rc
untell(alike *x, const sat_field *f, keyed k, sat_err *e)
{
	const sat_store *st = &x->s->env.store;
	group g = { .n = 0 };
	wrec *other;
	sat_rc rc = st->match_find(st->u, k.key, on_eid, &g, e);

	for (size_t i = 0; g.n <= GROUP_MAX && i < g.n && rc == SAT_OK; i++) {
		if (g.eid[i] == x->w->eid)
			continue;
		if ((rc = sat_set_by_eid(&other, x->s, g.eid[i], e)) !=
		    SAT_OK ||
		    (rc = sat_set_decode(other, x->s, e)) != SAT_OK)
			return rc;
		rc = tell(x->s, f, other, x->w, false, e);
	}
	return rc;
}

/* K1. Its match keys go as soon as nobody is told any more: who is looked at once
 * more for what he was just untold must not find it. */
sat_rc
sat_srv_alike_erase(sat_server *s, wrec *w, sat_err *e)
{
	alike x = { .s = s, .k = sat_srv_kind(s, w->kind), .w = w };
	sat_rc rc = SAT_OK;

	if (x.k == NULL || x.k->scope != SAT_SCOPE_ROOT || s->tip == NULL ||
	    s->env.sign == NULL ||
	    (rc = sat_set_decode(w, s, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < x.k->nfields && rc == SAT_OK; i++) {
		const sat_field *f = &x.k->fields[i];
		keyed k = { 0, false };

		if (f->dup_weight > 0)
			k = key_of(&x, f, &w->r, sat_rec_gone(&w->r));
		if (k.has && (rc = untell(&x, f, k, e)) == SAT_OK)
			rc = s->env.store.match_del(s->env.store.u, k.key,
			    w->eid, e);
	}
	sat_buf_fini(&x.tmp);
	return rc;
}

/* ---- another template's duplicate keys ------------------------------------------------ */

/* Which fields are keys, as one number, never 0. */
static uint64_t
keys_named(const sat_template *t)
{
	static const uint8_t sip[16] = "satchel.dupkeys";
	sat_buf b = { 0 };
	uint64_t h;

	for (size_t i = 0; i < sat_template_kinds(t); i++) {
		const sat_kind *k = sat_template_kind_at(t, i);

		for (size_t f = 0; f < k->nfields; f++)
			if (k->scope == SAT_SCOPE_ROOT &&
			    k->fields[f].dup_weight > 0) {
				sat_write_uint(&b, k->id);
				sat_write_uint(&b, k->fields[f].id);
			}
	}
	h = sat_siphash24(sip, sat_buf_span(&b));
	sat_buf_fini(&b);
	return h != 0 ? h : 1;
}

typedef struct adopting {
	alike x;
	sat_arena row;        /* one record */
	uint32_t *eids;       /* who may have to be told, or told otherwise */
	size_t n, cap;
	bool put;             /* else: who shares a key */
	sat_rc rc;
	sat_err *e;
} adopting;

static void
add_eid(adopting *a, uint32_t eid)
{
	if (a->n > 0 && a->eids[a->n - 1] == eid)
		return;
	if (a->n == a->cap) {
		a->cap = a->cap * 2 + 64;
		a->eids = sat_xrealloc(a->eids, a->cap * sizeof *a->eids);
	}
	a->eids[a->n++] = eid;
}

static sat_rc
adopt_field(adopting *a, const sat_field *f, const sat_record *r, uint32_t eid)
{
	const sat_store *st = &a->x.s->env.store;
	keyed k = key_of(&a->x, f, r, sat_rec_gone(r));
	group g = { .n = 0 };
	sat_rc rc;

	if (!k.has)
		return SAT_OK;
	if (a->put)
		return st->match_put(st->u, k.key, eid, a->e);
	if ((rc = st->match_find(st->u, k.key, on_eid, &g, a->e)) == SAT_OK &&
	    g.n > 1 && g.n <= GROUP_MAX)
		add_eid(a, eid);
	return rc;
}

static bool
adopt_row(void *u, const sat_rec_row *row)
{
	adopting *a = u;
	const sat_kind *k = sat_template_kind_id(a->x.s->tip, row->kind);
	sat_record r;

	if (k == NULL || k->scope != SAT_SCOPE_ROOT)
		return true;
	sat_arena_reset(&a->row);
	a->x.k = k;
	a->rc = sat_record_read(&r, &a->row, row->state, a->e);
	for (size_t i = 0; i < k->nfields && a->rc == SAT_OK; i++)
		if (k->fields[i].dup_weight > 0)
			a->rc = adopt_field(a, &k->fields[i], &r, row->eid);
	if (!a->put && a->rc == SAT_OK &&
	    sat_record_cell(&r, SAT_SYS_CANDIDATES) != NULL)
		add_eid(a, row->eid);
	return a->rc == SAT_OK;
}

static sat_rc
adopt_told(adopting *a, uint32_t eid)
{
	alike *x = &a->x;
	sat_rc rc;

	if ((rc = sat_set_by_eid(&x->w, x->s, eid, a->e)) != SAT_OK ||
	    (rc = sat_set_decode(x->w, x->s, a->e)) != SAT_OK)
		return rc;
	x->k = sat_template_kind_id(x->s->tip, x->w->kind);
	if ((rc = take_back(x->s, x->k, x->w, NULL, a->e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < x->k->nfields && rc == SAT_OK; i++) {
		const sat_field *f = &x->k->fields[i];
		keyed is = { 0, false };

		if (f->dup_weight > 0)
			is = key_of(x, f, &x->w->r, sat_rec_gone(&x->w->r));
		rc = tell_group(x, f, is, is, false, a->e);
	}
	return rc;
}

/* K3. Each customer is read twice: its key is there before anybody is asked
 * with whom he shares one. Once per template that names other keys. */
sat_rc
sat_srv_alike_adopt(sat_server *s, int64_t now_ms, sat_err *e)
{
	const sat_store *st = &s->env.store;
	adopting a = { .x.s = s, .put = true, .e = e };
	uint64_t was, is;
	sat_rc rc;

	(void)now_ms;
	if (s->tip == NULL)
		return SAT_OK;
	is = keys_named(s->tip);
	if ((rc = st->counter_get(&was, st->u, SAT_N_MATCH, e)) != SAT_OK ||
	    was == is || (rc = st->match_clear(st->u, e)) != SAT_OK ||
	    (rc = st->rec_scan(st->u, 0, adopt_row, &a, e)) != SAT_OK)
		goto out;
	a.put = false;
	rc = a.rc;
	if (rc == SAT_OK && s->env.sign != NULL &&
	    (rc = st->rec_scan(st->u, 0, adopt_row, &a, e)) == SAT_OK)
		rc = a.rc;
	for (size_t i = 0; i < a.n && rc == SAT_OK; i++)
		rc = adopt_told(&a, a.eids[i]);
	if (rc == SAT_OK)
		rc = st->counter_put(st->u, SAT_N_MATCH, is, e);
out:
	free(a.eids);
	sat_arena_fini(&a.row);
	sat_buf_fini(&a.x.tmp);
	return rc;
}
