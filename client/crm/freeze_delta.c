/*
 * freeze_delta.c - what came after a report was frozen: the rows that are others
 * now, and the records that made them so.
 *
 * A row is compared by its numbers and by the records behind it, so that two
 * changes that cancel out are seen too. A record that is behind the row then and
 * now is named when something was written to it (or to the customer above it)
 * that the freezing device had not seen: a position above its cursor, and not
 * its own earlier work that had no position yet.
 */
#include "client/crm/freeze_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct left { /* a record behind the row then, not now */
	crm_member m;
	bool found;
	sat_id id;
	const sat_kind *kind;
} left;

typedef struct diff {
	const crm_delta *d;
	left *left;          /* of all rows, ascending by tail */
	size_t nleft, cap;
	sat_json *rows;
	sat_buf key;         /* of the row that is compared */
} diff;

/* ---- who left ---- */

static int
by_tail(const void *a, const void *b)
{
	return crm_member_cmp(&((const left *)a)->m, &((const left *)b)->m);
}

static void
note_left(diff *x, const crm_group *was, const crm_group *now)
{
	for (size_t i = 0; was != NULL && i < was->n; i++) {
		if (crm_group_find(now, &was->m[i]) != NULL)
			continue;
		if (x->nleft == x->cap) {
			x->cap = x->cap * 2 + 16;
			x->left = sat_xrealloc(x->left,
			    x->cap * sizeof *x->left);
		}
		x->left[x->nleft++] = (left){ .m = was->m[i] };
	}
}

static left *
left_of(diff *x, const crm_member *m)
{
	left key = { .m = *m };

	return x->nleft == 0 ? NULL :
	    bsearch(&key, x->left, x->nleft, sizeof *x->left, by_tail);
}

/* Tails to ids: every record of a kind, deleted and merged ones too. */
static sat_rc
name_left(diff *x, const sat_kind *k, size_t *open, sat_err *e)
{
	static const sat_value both[] = { { .type = SAT_V_INT, .i = 0 },
		{ .type = SAT_V_INT, .i = 1 } };
	const sat_filter any[] = {
		{ SAT_Q_DELETED, SAT_CMP_IN, both, 2 },
		{ SAT_Q_MERGED, SAT_CMP_IN, both, 2 } };
	const uint16_t id = SAT_Q_ID;
	sat_query q = { .kind = k, .filters = any, .nfilters = 2,
		.columns = &id, .ncolumns = 1 };
	const sat_value *v;
	sat_rows *rows;
	crm_member m = { .kind = k };
	left *l;
	sat_rc rc;

	if ((rc = sat_replica_query(&rows, x->d->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		if (v[0].type != SAT_V_BYTES || v[0].s.n != 16)
			continue;
		memcpy(m.id.b, v[0].s.p, 16);
		if ((l = left_of(x, &m)) == NULL || l->found)
			continue;
		l->found = true;
		l->id = m.id;
		l->kind = k;
		--*open;
	}
	sat_rows_free(rows);
	return rc;
}

static sat_rc
name_all(diff *x, sat_err *e)
{
	const sat_template *t = x->d->who->t;
	const sat_kind *first = sat_template_kind(t, sat_json_get_str(
	    sat_json_get(x->d->body, "definition"), "kind", "")), *k;
	size_t open, n = 0;
	sat_rc rc = SAT_OK;

	if (x->nleft == 0)
		return SAT_OK;
	qsort(x->left, x->nleft, sizeof *x->left, by_tail);
	for (size_t i = 0; i < x->nleft; i++) /* one of a record is enough */
		if (n == 0 || by_tail(&x->left[n - 1], &x->left[i]) != 0)
			x->left[n++] = x->left[i];
	x->nleft = open = n;
	if (first != NULL)
		rc = name_left(x, first, &open, e);
	for (size_t i = 0; rc == SAT_OK && open > 0 &&
	     (k = sat_template_kind_at(t, i)) != NULL; i++)
		if (k != first)
			rc = name_left(x, k, &open, e);
	return rc;
}

/* ---- what was written since ---- */

static bool
is_late(const crm_delta *d, sat_stamp at)
{
	if (at.lsn != 0 && at.lsn <= d->cursor)
		return false;
	return at.dev != d->at.dev || at.hlc > d->at.hlc;
}

static void
put_stamp(sat_json *o, const crm_delta *d, sat_stamp at)
{
	const sat_device *dev = sat_registry_device(d->who->reg, at.dev);
	const sat_user *u = dev == NULL ? NULL :
	    sat_registry_user_ord(d->who->reg, dev->user);

	sat_json_put_time(o, "at", sat_hlc_ms(at.hlc));
	sat_json_put_int(o, "device", at.dev);
	sat_json_put_str(o, "user", u != NULL ? u->key : NULL);
	sat_json_put_bool(o, "pending", at.lsn == 0);
}

static const char *
field_name(const sat_kind *k, uint16_t id)
{
	const sat_field *f = sat_kind_field_id(k, id);

	if (f != NULL)
		return f->key;
	return id == SAT_SYS_REDIRECT ? "merged_into" : NULL;
}

/* The fields of a record that were written late; how many. */
static size_t
put_writes(sat_json *list, const crm_delta *d, const sat_view *v)
{
	size_t n = 0;
	sat_json *o;

	if (is_late(d, v->rec.born)) {
		o = sat_json_add_obj(list);
		sat_json_put_str(o, "field", "created");
		put_stamp(o, d, v->rec.born);
		return 1;
	}
	for (size_t i = 0; i < v->rec.ncells; i++) {
		const sat_cell *c = &v->rec.cells[i];
		const char *key = field_name(v->kind, c->field);

		if (key == NULL || !is_late(d, c->at))
			continue;
		n++;
		o = sat_json_add_obj(list);
		sat_json_put_str(o, "field", key);
		put_stamp(o, d, c->at);
	}
	if (v->rec.del_at.hlc != 0 && is_late(d, v->rec.del_at)) {
		n++;
		o = sat_json_add_obj(list);
		sat_json_put_str(o, "field", v->rec.deleted ? "deleted" :
		    "restored");
		put_stamp(o, d, v->rec.del_at);
	}
	return n;
}

static void
put_title(sat_json *o, const sat_view *v)
{
	sat_value t = v->kind->title == NULL ? sat_v_null() :
	    sat_record_value(&v->rec, v->kind->title->id);

	if (t.type == SAT_V_TEXT && v->kind->title->type == SAT_F_TEXT)
		sat_json_put_strn(o, "title", t.s);
	else
		sat_json_put_null(o, "title");
}

/* The customer above it: its industry, its owner may be the reason. */
static sat_rc
put_through(sat_json *o, const crm_delta *d, sat_arena *a, const sat_view *v,
    size_t *n, sat_err *e)
{
	sat_value up = v->kind->parent == NULL ? sat_v_null() :
	    sat_record_value(&v->rec, v->kind->parent->id);
	sat_json *writes;
	char text[SAT_ID_TEXT];
	sat_view above;
	sat_id id;
	sat_rc rc;

	if (up.type != SAT_V_BYTES || up.s.n != 16)
		return SAT_OK;
	memcpy(id.b, up.s.p, 16);
	rc = sat_replica_get(&above, a, d->c->replica, NULL, &id, e);
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	if (rc != SAT_OK)
		return rc;
	writes = sat_json_arr();
	*n += put_writes(writes, d, &above);
	if (sat_json_count(writes) > 0) {
		sat_json *to = sat_json_put_obj(o, "through");

		sat_id_text(text, &id);
		sat_json_put_str(to, "kind", above.kind->key);
		sat_json_put_str(to, "id", text);
		sat_json_put(to, "writes", writes);
	} else {
		sat_json_free(writes);
	}
	return SAT_OK;
}

/* `always`: also without a late write. *kept: it was put. */
static sat_rc
put_record(sat_json *list, bool *kept, const crm_delta *d, const sat_kind *k,
    const sat_id *id, const char *change, bool always, sat_err *e)
{
	sat_json *o = sat_json_obj(), *writes;
	char text[SAT_ID_TEXT];
	sat_arena a = { 0 };
	sat_view v;
	size_t n = 0;
	sat_id to;
	sat_rc rc;

	sat_id_text(text, id);
	sat_json_put_str(o, "kind", k->key);
	sat_json_put_str(o, "id", text);
	sat_json_put_str(o, "change", change);
	rc = sat_replica_get(&v, &a, d->c->replica, k, id, e);
	if (rc == SAT_OK) {
		put_title(o, &v);
		writes = sat_json_put_arr(o, "writes");
		n = put_writes(writes, d, &v);
		sat_json_put_bool(o, "deleted", v.rec.deleted);
		if (sat_record_redirect(&to, &v.rec)) {
			sat_id_text(text, &to);
			sat_json_put_str(o, "merged_into", text);
		}
		rc = put_through(o, d, &a, &v, &n, e);
	} else if (rc == SAT_ENOTFOUND) {
		rc = SAT_OK;
	}
	sat_arena_fini(&a);
	*kept = rc == SAT_OK && (always || n > 0);
	if (*kept)
		sat_json_add(list, o);
	else
		sat_json_free(o);
	return rc;
}

/* ---- one row ---- */

typedef struct records {
	sat_json *list;
	int64_t more;
} records;

static sat_rc
add_record(records *r, const crm_delta *d, const sat_kind *k, const sat_id *id,
    const char *change, bool always, sat_err *e)
{
	bool kept;

	if (sat_json_count(r->list) >= SAT_DELTA_RECORDS_MAX) {
		r->more += always;
		return SAT_OK;
	}
	return put_record(r->list, &kept, d, k, id, change, always, e);
}

static sat_rc
add_left(records *r, diff *x, const crm_member *m, sat_err *e)
{
	const left *l = left_of(x, m);
	sat_json *o;

	if (l != NULL && l->found)
		return add_record(r, x->d, l->kind, &l->id, "left", true, e);
	if (sat_json_count(r->list) >= SAT_DELTA_RECORDS_MAX) {
		r->more++;
		return SAT_OK;
	}
	o = sat_json_add_obj(r->list); /* erased, or another device's now */
	sat_json_put_null(o, "kind");
	sat_json_put_null(o, "id");
	sat_json_put_str(o, "change", "left");
	return SAT_OK;
}

/* `numbers`: they differ, so those that stayed are looked at too. */
static sat_rc
put_records(sat_json *row, diff *x, const crm_group *was, const crm_group *now,
    bool numbers, sat_err *e)
{
	records r = { sat_json_put_arr(row, "records"), 0 };
	bool known = x->d->was != NULL;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; now != NULL && i < now->n && rc == SAT_OK; i++) {
		const crm_member *m = &now->m[i];
		const crm_member *then = crm_group_find(was, m);

		if (then == NULL && known)
			rc = add_record(&r, x->d, m->kind, &m->id, "entered",
			    true, e);
		else if (then != NULL && then->mask != m->mask)
			rc = add_record(&r, x->d, m->kind, &m->id, "changed",
			    true, e);
		else if (numbers)
			rc = add_record(&r, x->d, m->kind, &m->id, "changed",
			    false, e);
	}
	for (size_t i = 0; was != NULL && i < was->n && rc == SAT_OK; i++)
		if (crm_group_find(now, &was->m[i]) == NULL)
			rc = add_left(&r, x, &was->m[i], e);
	sat_json_put_int(row, "more", r.more);
	return rc;
}

static void
put_cell(sat_json *o, const char *key, const sat_json *cell)
{
	if (cell == NULL)
		sat_json_put_null(o, key);
	else
		sat_json_put(o, key, sat_json_dup(cell));
}

/* Cells of measures that differ; `other` NULL: there is no such row. */
static size_t
put_measures(sat_json *list, const sat_json *columns, const sat_json *was,
    const sat_json *now)
{
	const sat_json *k = sat_json_first(columns);
	const sat_json *a = sat_json_first(was), *b = sat_json_first(now);
	size_t n = 0;
	sat_json *o;

	for (; k != NULL; k = sat_json_next(k)) {
		if (!crm_col_is_key(k) && !crm_col_is_rank(k) &&
		    (a == NULL || b == NULL || !crm_cell_same(a, b))) {
			n++;
			o = sat_json_add_obj(list);
			sat_json_put_str(o, "key", sat_json_get_str(k, "key",
			    ""));
			put_cell(o, "was", a);
			put_cell(o, "now", b);
		}
		a = a != NULL ? sat_json_next(a) : NULL;
		b = b != NULL ? sat_json_next(b) : NULL;
	}
	return n;
}

static bool
same_members(const crm_group *a, const crm_group *b)
{
	size_t na = a == NULL ? 0 : a->n, nb = b == NULL ? 0 : b->n;

	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (crm_member_cmp(&a->m[i], &b->m[i]) != 0 ||
		    a->m[i].mask != b->m[i].mask)
			return false;
	return true;
}

static const char *
key_of(diff *x, const sat_json *columns, const sat_json *row)
{
	sat_buf_reset(&x->key);
	crm_row_key(&x->key, columns, row);
	return sat_buf_cstr(&x->key);
}

/* Either row may be missing; i and j: their places. */
static sat_rc
put_row(diff *x, const sat_json *was, size_t i, const sat_json *now, size_t j,
    bool name, sat_err *e)
{
	const sat_json *columns = sat_json_get(x->d->body, "columns");
	const crm_group *gw = was == NULL ? NULL : crm_members_row(x->d->was, i);
	const crm_group *gn = now == NULL ? NULL : crm_members_row(x->d->now, j);
	sat_json *row, *measures = sat_json_arr();
	size_t n = put_measures(measures, columns, was, now);
	bool moved = x->d->was != NULL && !same_members(gw, gn);
	sat_rc rc;

	if ((n == 0 && !moved) || !name) {
		if (n > 0 || moved)
			note_left(x, gw, gn);
		sat_json_free(measures);
		return SAT_OK;
	}
	row = sat_json_add_obj(x->rows);
	sat_json_put_str(row, "group", key_of(x, columns, was != NULL ? was :
	    now));
	sat_json_put_str(row, "change", was == NULL ? "new" : now == NULL ?
	    "gone" : n > 0 ? "changed" : "records");
	sat_json_put(row, "measures", measures);
	rc = put_records(row, x, gw, gn, n > 0, e);
	return rc;
}

/* Twice: first who left has to be known of all rows, then they are told. */
static sat_rc
walk(diff *x, const crm_rows *was, const crm_rows *now, bool name, sat_err *e)
{
	const sat_json *fcols = sat_json_get(x->d->body, "columns");
	const sat_json *lcols = sat_json_get(x->d->live, "columns"), *r;
	const crm_row *other;
	size_t i = 0;
	sat_rc rc = SAT_OK;

	for (r = sat_json_first(sat_json_get(x->d->body, "rows"));
	     r != NULL && rc == SAT_OK; r = sat_json_next(r), i++) {
		other = crm_rows_find(now, key_of(x, fcols, r));
		rc = put_row(x, r, i, other == NULL ? NULL : other->row,
		    other == NULL ? 0 : other->at, name, e);
	}
	i = 0;
	for (r = sat_json_first(sat_json_get(x->d->live, "rows"));
	     r != NULL && rc == SAT_OK; r = sat_json_next(r), i++)
		if (crm_rows_find(was, key_of(x, lcols, r)) == NULL)
			rc = put_row(x, NULL, 0, r, i, name, e);
	return rc;
}

static sat_rc
compare(diff *x, sat_err *e)
{
	crm_rows was, now;
	sat_rc rc;

	crm_rows_of(&was, x->d->body);
	crm_rows_of(&now, x->d->live);
	if ((rc = walk(x, &was, &now, false, e)) == SAT_OK &&
	    (rc = name_all(x, e)) == SAT_OK)
		rc = walk(x, &was, &now, true, e);
	crm_rows_fini(&was);
	crm_rows_fini(&now);
	return rc;
}

/* A definition with other columns now: there is nothing to compare. */
static bool
same_columns(const sat_json *a, const sat_json *b)
{
	const sat_json *x = sat_json_first(a), *y = sat_json_first(b);

	for (; x != NULL && y != NULL; x = sat_json_next(x), y = sat_json_next(y))
		if (strcmp(sat_json_get_str(x, "key", ""),
		    sat_json_get_str(y, "key", "")) != 0 ||
		    strcmp(sat_json_get_str(x, "unit", ""),
		    sat_json_get_str(y, "unit", "")) != 0)
			return false;
	return x == NULL && y == NULL;
}

sat_rc
crm_delta_put(sat_json *doc, const crm_delta *d, sat_err *e)
{
	sat_json *o = sat_json_obj();
	diff x = { .d = d, .rows = sat_json_put_arr(o, "rows") };
	bool like = same_columns(sat_json_get(d->body, "columns"),
	    sat_json_get(d->live, "columns"));
	sat_rc rc = SAT_OK;

	sat_json_put_bool(o, "comparable", like);
	sat_json_put_bool(o, "members_kept", d->was != NULL);
	if (like)
		rc = compare(&x, e);
	sat_json_put_bool(o, "changed", sat_json_count(x.rows) > 0);
	sat_json_put(o, "totals", sat_json_dup(sat_json_get(d->live,
	    "totals")));
	free(x.left);
	sat_buf_fini(&x.key);
	if (rc == SAT_OK)
		sat_json_put(doc, "delta", o);
	else
		sat_json_free(o);
	return rc;
}
