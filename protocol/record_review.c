/*
 * Review fields and sets.
 *
 * Review (P-050..P-054): the cell keeps every value that no later author has
 * seen. Seeing prunes, stamps only choose which candidate is shown meanwhile.
 * Candidates that read the same are shown as one, the others are its twins:
 * who made it may go on from it, and then an equal value of somebody who did
 * not is still there. With the twin dropped it depended on the order of arrival
 * whether a conflict opened.
 *
 * Set (P-055..P-057): an add is a dot (element, device, lsn); a removal takes
 * away the adds its author had seen, so a concurrent add wins.
 */
#include "common/crypto/crypto.h"
#include "protocol/bugs.h"
#include "protocol/record_int.h"

#include <string.h>

/* ---- review -------------------------------------------------------------- */

static sat_norm_kind
norm_of(const sat_fold *f)
{
	return f->field != NULL ? f->field->norm : SAT_NORM_PLAIN;
}

static bool
same_reading(const sat_fold *f, sat_value a, sat_value b)
{
	if (a.type == SAT_V_TEXT && b.type == SAT_V_TEXT)
		return sat_norm_same(norm_of(f), a.s, b.s);
	return sat_value_eq(a, b);
}

static size_t
read_list(sat_candidate **out, sat_arena *a, sat_reader *r)
{
	size_t n = (size_t)sat_read_uint_max(r, SAT_CANDIDATES_MAX);

	*out = sat_arena_alloc(a, (n + 1) * sizeof **out);
	for (size_t i = 0; i < n; i++) {
		(*out)[i].value = sat_value_read(r);
		(*out)[i].at = sat_stamp_read(r);
	}
	return n;
}

void
sat_review_read(sat_review *v, sat_arena *a, const sat_cell *c)
{
	sat_reader r = sat_reader_of(c->ext);

	memset(v, 0, sizeof *v);
	if (c->ext.n > 0) {
		v->opened_lsn = sat_read_uint_max(&r, INT64_MAX);
		v->n = read_list(&v->list, a, &r);
		if (r.left > 0)
			v->ntwins = read_list(&v->twins, a, &r);
		if (r.fault == NULL && r.left == 0 && v->n > 0 &&
		    v->n + v->ntwins > 1)
			return;
	}
	*v = (sat_review){ .list = sat_arena_alloc(a, 2 * sizeof *v->list),
		.n = 1 };
	v->list[0] = (sat_candidate){ c->value, c->at };
}

static bool
settled_by(const sat_fold *f, sat_stamp at)
{
	if (f->op->kind != SAT_OP_RESOLVE)
		return false;
	for (size_t i = 0; i < f->op->ndots; i++)
		if (f->op->dots[i].dev == at.dev && f->op->dots[i].lsn == at.lsn)
			return true;
	return false;
}

/*
 * What is left of a cell. Each value is read once, not against every other: 256
 * candidates are 32,000 pairs.
 */
typedef struct remains {
	sat_review v;
	uint64_t *says; /* of each of v.list, by its reading: equal ones have
	                 * equal; 0 = not read yet */
} remains;

static uint64_t
says(const sat_fold *f, sat_value v)
{
	static const uint8_t key[16];
	sat_buf b = { 0 };
	uint64_t h;

	if (v.type != SAT_V_TEXT)
		return (uint64_t)v.type + 1;
	sat_norm_key(&b, norm_of(f), v.s);
	h = sat_siphash24(key, b.n > 0 ? sat_buf_span(&b) : v.s);
	sat_buf_fini(&b);
	return h != 0 ? h : 1;
}

static bool
reads_alike(const sat_fold *f, remains *k, size_t i, sat_value v, uint64_t own)
{
	if (k->says[i] == 0)
		k->says[i] = says(f, k->v.list[i].value);
	return k->says[i] == own && same_reading(f, k->v.list[i].value, v);
}

/* Into a list in descending stamp order; where it is now. */
static size_t
insert(sat_candidate *list, size_t *n, sat_candidate c)
{
	size_t at = 0;

	while (at < *n && sat_stamp_cmp(list[at].at, c.at) > 0)
		at++;
	memmove(list + at + 1, list + at, (*n - at) * sizeof *list);
	list[at] = c;
	(*n)++;
	return at;
}

static void
insert_candidate(remains *k, sat_candidate c, uint64_t reading)
{
	size_t at = insert(k->v.list, &k->v.n, c);

	memmove(k->says + at + 1, k->says + at,
	    (k->v.n - 1 - at) * sizeof *k->says);
	k->says[at] = reading;
}

static void
take_candidate(remains *k, size_t i)
{
	size_t after = --k->v.n - i;

	memmove(k->v.list + i, k->v.list + i + 1, after * sizeof *k->v.list);
	memmove(k->says + i, k->says + i + 1, after * sizeof *k->says);
}

/* Of two that read the same the one with the larger stamp is the candidate,
 * the other its twin (P-052). True: there was one. */
static bool
add(const sat_fold *f, remains *k, sat_candidate c)
{
	/* mostly there is nothing to compare it with */
	uint64_t own = k->v.n == 0 ? 0 : says(f, c.value);
	size_t i = 0;

	while (i < k->v.n && !reads_alike(f, k, i, c.value, own))
		i++;
	if (i == k->v.n) {
		insert_candidate(k, c, own);
		return false;
	}
	if (sat_stamp_cmp(k->v.list[i].at, c.at) > 0) {
		(void)insert(k->v.twins, &k->v.ntwins, c);
	} else {
		(void)insert(k->v.twins, &k->v.ntwins, k->v.list[i]);
		take_candidate(k, i);
		insert_candidate(k, c, own);
	}
	return true;
}

static size_t
candidate_bytes(sat_value v)
{
	return 40 + (v.type >= SAT_V_TEXT ? v.s.n : 0);
}

/* What is too much goes, from the bottom (P-054). The values of twins are
 * history already, or read byte for byte like their candidate. */
static void
cap(sat_review *v)
{
	size_t bytes = 0, n = 0, twins = 0;

	for (; n < v->n && n < SAT_CANDIDATES_MAX; n++) {
		bytes += candidate_bytes(v->list[n].value);
		if (n >= 2 && bytes > SAT_CANDIDATES_BYTES_MAX)
			break;
	}
	for (; n == v->n && twins < v->ntwins && twins < SAT_CANDIDATES_MAX;
	     twins++) {
		bytes += candidate_bytes(v->twins[twins].value);
		if (bytes > SAT_CANDIDATES_BYTES_MAX)
			break;
	}
	v->n = n;
	v->ntwins = twins;
}

static void
write_list(sat_buf *b, const sat_candidate *list, size_t n)
{
	sat_write_uint(b, n);
	for (size_t i = 0; i < n; i++) {
		sat_value_write(b, list[i].value);
		sat_stamp_write(b, list[i].at);
	}
}

static sat_span
write_review(sat_fold *f, const sat_review *v)
{
	sat_buf b = { 0 };

	if (v->n + v->ntwins <= 1)
		return (sat_span){ NULL, 0 };
	sat_write_uint(&b, v->opened_lsn);
	write_list(&b, v->list, v->n);
	if (v->ntwins > 0)
		write_list(&b, v->twins, v->ntwins);
	return sat_fold_keep(f, f->op->field, SAT_PART_EXT, &b);
}

static void
stay(const sat_fold *f, remains *k, const sat_candidate *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sat_fold_concurrent(f, list[i].at.dev, list[i].at.lsn) &&
		    (list[i].at.dev != f->at.dev || f->blind) && /* P-325 */
		    !settled_by(f, list[i].at))
			(void)add(f, k, list[i]);
}

static bool
any_since(const sat_fold *f, const sat_candidate *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sat_fold_written_since(f, list[i].at))
			return true;
	return false;
}

void
sat_fold_review(sat_fold *f)
{
	bool added;
	sat_cell *c = sat_fold_cell(f, &added);
	sat_candidate own = { f->value, f->at };
	sat_review before, *after;
	remains k = { .v = { .n = 0 } };
	sat_span ext;
	size_t most;

	if (added) {
		c->value = f->value;
		c->at = f->at;
		f->out->outcome = SAT_APPLIED;
		return;
	}
	sat_review_read(&before, f->tmp, c);
	if (any_since(f, before.list, before.n) ||
	    any_since(f, before.twins, before.ntwins)) {
		sat_fold_lose(f, c, SAT_LOST);
		return;
	}
	if (f->blind)
		own.at = sat_fold_below(f, before.list[before.n - 1].at);
	most = before.n + before.ntwins + 1;
	after = &k.v;
	after->list = sat_arena_alloc(f->tmp, most * sizeof *after->list);
	after->twins = sat_arena_alloc(f->tmp, most * sizeof *after->twins);
	k.says = sat_arena_alloc(f->tmp, most * sizeof *k.says);
	stay(f, &k, before.list, before.n);
	stay(f, &k, before.twins, before.ntwins);
	f->out->dismissed = add(f, &k, own);
	cap(after);
	before.list[before.n] = own;
	after->opened_lsn = before.opened_lsn;
	sat_fold_settle(f, c, before.list, before.n, after->list, after->n,
	    &after->opened_lsn);
	ext = write_review(f, after);
	/* a new twin shows nowhere, but the state is another one */
	if (f->out->outcome == SAT_NOTHING && !sat_span_eq(ext, c->ext))
		f->out->outcome = SAT_LOST;
	c->ext = ext;
}

/* ---- set ----------------------------------------------------------------- */

static int
element_cmp(const sat_element *a, const sat_element *b)
{
	int c = sat_span_cmp(a->text, b->text);

	if (c == 0 && a->dev != b->dev)
		c = a->dev < b->dev ? -1 : 1;
	if (c == 0 && a->lsn != b->lsn)
		c = a->lsn < b->lsn ? -1 : 1;
	return c;
}

static void
read_element(sat_element *el, sat_reader *r)
{
	el->text = sat_read_span(r, SAT_SET_ELEMENT_MAX);
	el->dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	el->lsn = sat_read_uint_max(r, INT64_MAX);
	if (el->text.n == 0 || !sat_utf8_ok(el->text.p, el->text.n))
		sat_read_bad(r, "bad set element");
}

/* A state we did not write ourselves may be anything: one that the fold could
 * not have left behind counts as no elements. */
size_t
sat_cell_elements(sat_element **out, sat_arena *a, const sat_cell *c)
{
	sat_reader r = sat_reader_of(c->ext);
	size_t n = c->ext.n == 0 ? 0 :
	    (size_t)sat_read_uint_max(&r, SAT_SET_MAX);
	size_t bytes = 0;

	*out = sat_arena_alloc(a, (n + 1) * sizeof **out);
	for (size_t i = 0; i < n && r.fault == NULL; i++) {
		sat_element *el = &(*out)[i];

		read_element(el, &r);
		bytes += el->text.n + 1;
		if (i > 0 && element_cmp(el - 1, el) >= 0)
			sat_read_bad(&r, "elements out of order");
	}
	return r.fault == NULL && r.left == 0 && bytes <= SAT_VALUE_MAX ? n : 0;
}

/* The distinct elements joined by LF; null when there is none. */
static sat_value
joined(sat_fold *f, const sat_element *el, size_t n)
{
	sat_buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && sat_span_eq(el[i].text, el[i - 1].text))
			continue;
		if (i > 0)
			sat_write_u8(&b, '\n');
		sat_buf_add(&b, el[i].text.p, el[i].text.n);
	}
	return n == 0 ? sat_v_null() : sat_v_text(sat_fold_keep(f,
	    f->op->field, SAT_PART_VALUE, &b));
}

static sat_span
write_elements(sat_fold *f, const sat_element *el, size_t n)
{
	sat_buf b = { 0 };

	if (n == 0)
		return (sat_span){ NULL, 0 };
	sat_write_uint(&b, n);
	for (size_t i = 0; i < n; i++) {
		sat_write_span(&b, el[i].text);
		sat_write_uint(&b, el[i].dev);
		sat_write_uint(&b, el[i].lsn);
	}
	return sat_fold_keep(f, f->op->field, SAT_PART_EXT, &b);
}

/* Drop the adds of the op's element that its author knew of. An add does so
 * too: it stands for the earlier ones from now on (P-056). */
static size_t
drop_known(const sat_fold *f, sat_element *el, size_t n)
{
	bool all = f->op->kind == SAT_OP_SREM &&
	    SAT_BUG(SAT_BUG_SREM_IGNORES_SEEN);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!sat_span_eq(el[i].text, f->value.s) ||
		    (!all && sat_fold_concurrent(f, el[i].dev, el[i].lsn)))
			el[kept++] = el[i];
	return kept;
}

static size_t
add_element(sat_element *el, size_t n, sat_element add)
{
	size_t i = n;

	while (i > 0 && element_cmp(&el[i - 1], &add) > 0)
		i--;
	memmove(el + i + 1, el + i, (n - i) * sizeof *el);
	el[i] = add;
	return n + 1;
}

static bool
set_fits(const sat_element *el, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += el[i].text.n + 1;
	return n <= SAT_SET_MAX && bytes <= SAT_VALUE_MAX;
}

void
sat_fold_set(sat_fold *f)
{
	bool added, add = f->op->kind == SAT_OP_SADD;
	const sat_cell *old = sat_record_cell(f->r, f->op->field);
	sat_element *el = NULL;
	size_t n, had;
	sat_cell *c;

	if (f->value.type != SAT_V_TEXT ||
	    f->value.s.n > SAT_SET_ELEMENT_MAX || (old == NULL && !add)) {
		f->out->outcome = SAT_NOTHING; /* sat_commit_check refuses it */
		return;
	}
	had = old != NULL ? sat_cell_elements(&el, f->tmp, old) : 0;
	if (el == NULL)
		el = sat_arena_alloc(f->tmp, sizeof *el);
	n = drop_known(f, el, had);
	if (add)
		n = add_element(el, n,
		    (sat_element){ f->value.s, f->at.dev, f->at.lsn });
	if (add && !set_fits(el, n)) { /* P-057 */
		sat_fold_displace(f, f->value, f->at);
		f->out->outcome = SAT_NOTHING;
		return;
	}
	if (!add && n == had) {
		f->out->outcome = SAT_NOTHING;
		return;
	}
	c = sat_fold_cell(f, &added);
	c->value = joined(f, el, n);
	c->ext = write_elements(f, el, n);
	if (added || sat_stamp_cmp(f->at, c->at) > 0)
		c->at = f->at;
	f->out->outcome = SAT_APPLIED;
}
