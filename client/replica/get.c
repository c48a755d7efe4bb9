/*
 * get.c - one record: by id, by what a person typed, by match key, and how the
 * actor stands to it.
 */
#include "client/replica/replica_int.h"

#include <string.h>

#define LAST_LOOK 50 /* newest commits "@last" is looked for in */

/* The row stays in the page: most often it is written next. */
static sat_rc
page_row(replica_row **row, sat_replica *r, const sat_kind *kind,
    const sat_id *id, sat_err *e)
{
	const replica_kind *k;

	replica_page_reuse(r);
	if (kind == NULL)
		return replica_page_find(row, r, id, e);
	*row = NULL;
	k = replica_kind_by(r->kinds, kind->id);
	return k == NULL ? SAT_OK : replica_page_get(row, r, k, id, 0, e);
}

void
replica_view_of(sat_view *v, sat_arena *a, const replica_row *row,
    const sat_record *rec)
{
	memset(v, 0, sizeof *v);
	replica_record_copy(&v->rec, rec, a);
	for (size_t i = 0; i < v->rec.ncells; i++) {
		sat_cell *c = &v->rec.cells[i];

		c->value = sat_value_dup(a, c->value);
		if (c->ext.n > 0)
			c->ext.p = sat_arena_dup(a, c->ext.p, c->ext.n);
	}
	v->kind = row->k->kind;
	v->pending = row->pending;
	v->incomplete = (row->flags & ROW_INCOMPLETE) != 0;
	v->conflict = (row->flags & ROW_CONFLICT) != 0;
	v->leaving = row->leaving;
	v->created_ms = sat_hlc_ms(rec->born.hlc);
}

sat_rc
sat_replica_get(sat_view *v, sat_arena *a, sat_replica *r,
    const sat_kind *kind, const sat_id *id, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	if ((rc = page_row(&row, r, kind, id, e)) != SAT_OK)
		return rc;
	if (row == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such %s on this device",
		    kind != NULL ? kind->key : "record");
	replica_view_of(v, a, row, &row->view);
	return SAT_OK;
}

/* How somebody stands to it, of a row that was read to be edited. */
static sat_value
standing(const replica_row *row, const sat_field *f)
{
	if (f == NULL)
		return sat_v_null();
	if (row->narrow == 0 || row->k->ids[row->narrow - 1] == f->id)
		return sat_record_value(&row->view, f->id);
	return row->standing[f == row->k->kind->owner ? 0 : 1];
}

/* Into its place: cells ascend by field. */
static void
add_cell(sat_record *rec, sat_cell c)
{
	size_t i = rec->ncells++;

	for (; i > 0 && rec->cells[i - 1].field > c.field; i--)
		rec->cells[i] = rec->cells[i - 1];
	rec->cells[i] = c;
}

/* Of a narrow row: the one field, and what stands for owner and parent. */
static void
part_of(sat_view *v, sat_arena *a, const replica_row *row)
{
	uint16_t field = row->k->ids[row->narrow - 1];
	const sat_field *f[2] = { row->k->kind->owner, row->k->kind->parent };
	const sat_cell *own = sat_record_cell(&row->view, field);
	sat_record rec = row->view;
	sat_cell cells[3];

	rec.cells = cells;
	rec.ncells = 0;
	if (own != NULL)
		add_cell(&rec, *own);
	for (size_t i = 0; i < 2; i++)
		if (f[i] != NULL && f[i]->id != field)
			add_cell(&rec, (sat_cell){ .field = f[i]->id,
				.value = standing(row, f[i]) });
	replica_view_of(v, a, row, &rec);
}

sat_rc
sat_replica_get_part(sat_view *v, bool *part, sat_arena *a, sat_replica *r,
    const sat_kind *kind, const sat_id *id, const sat_field *field, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);
	replica_row *row = NULL;
	sat_rc rc = SAT_OK;

	*part = false;
	replica_page_reuse(r);
	if (k != NULL)
		rc = replica_page_get_edit(&row, r, k, id, field->id, e);
	if (rc != SAT_OK)
		return rc;
	if (row == NULL || row->narrow == 0 || row->standing == NULL)
		return sat_replica_get(v, a, r, kind, id, e);
	*part = true;
	part_of(v, a, row);
	return SAT_OK;
}

sat_rc
sat_replica_get_server(sat_view *v, sat_arena *a, sat_replica *r,
    const sat_kind *kind, const sat_id *id, sat_err *e)
{
	replica_row *row;
	sat_rc rc;

	if ((rc = page_row(&row, r, kind, id, e)) != SAT_OK)
		return rc;
	if (row == NULL || replica_row_server(row)->born.hlc == 0)
		return sat_fail(e, SAT_ENOTFOUND, "the server's state of this "
		    "record is not on this device");
	replica_view_of(v, a, row, replica_row_server(row));
	return SAT_OK;
}

/* ---- match keys ------------------------------------------------------------------ */

static sat_rc
match_rids(int64_t **rids, size_t *n, sat_arena *a, sat_replica *r,
    int64_t key, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*n = 0;
	*rids = NULL;
	if ((rc = sat_db_stmt(&s, r->db, SQL_MATCH_FIND, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, key);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*rids, *n, cap, a);
		(*rids)[(*n)++] = sat_col_int(s, 0);
	}
	return rc;
}

/* P-145 */
static bool
was_numbered(sat_arena *a, sat_replica *r, const replica_row *row,
    const sat_field *f, int64_t key)
{
	const sat_cell *c = sat_record_cell(&row->view, SAT_SYS_ALIASES);
	sat_element *el;
	int64_t own;
	size_t n;

	if (c == NULL || f != sat_kind_field(row->k->kind, "number"))
		return false;
	n = sat_cell_elements(&el, a, c);
	for (size_t i = 0; i < n; i++)
		if (sat_match_key(&own, &r->b4, row->k->kind, f,
		    sat_v_text(el[i].text)) && own == key)
			return true;
	return false;
}

/* Hashes may meet: the value itself decides. Deleted records do not count. */
static sat_rc
still_matches(bool *yes, sat_id *id, sat_arena *a, sat_replica *r,
    const replica_kind *k, const sat_field *f, int64_t rid, int64_t key,
    sat_err *e)
{
	replica_row row;
	sat_stmt *s;
	int64_t own;
	bool found;
	sat_rc rc;

	*yes = false;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_BY_RID, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, rid);
	if ((rc = sat_step(&found, s, e)) != SAT_OK || !found)
		return rc;
	rc = replica_row_read(&row, a, k, 0, s, e);
	sat_stmt_reset(s);
	if (rc != SAT_OK)
		return rc;
	*id = row.view.id;
	*yes = !row.view.deleted && ((sat_match_key(&own, &r->b4, k->kind,
	    f, sat_record_value(&row.view, f->id)) && own == key) ||
	    was_numbered(a, r, &row, f, key));
	return SAT_OK;
}

static sat_rc
match(sat_replica *r, const sat_kind *kind, const sat_field *f, sat_value v,
    bool own, bool (*cb)(void *u, const sat_id *id), void *u, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);
	size_t col = k != NULL ? replica_kind_column(k, f->id) : 0, n;
	sat_arena a = { 0 };
	int64_t key, *rids;
	sat_id id;
	bool yes, go_on = true;
	sat_rc rc;

	if (k == NULL || col == k->n || !k->match[col])
		return sat_fail(e, SAT_EINVALID,
		    "field %s is no match key", f->key);
	if (!sat_match_key(&key, &r->b4, kind, f, v))
		return SAT_OK;
	rc = match_rids(&rids, &n, &a, r, key, e);
	for (size_t i = 0; rc == SAT_OK && go_on && i < n; i++) {
		rc = still_matches(&yes, &id, &a, r, k, f, rids[i], key, e);
		if (rc == SAT_OK && yes &&
		    (rc = own ? SAT_OK : sat_replica_canon(&id, r, &id, e)) ==
		    SAT_OK)
			go_on = cb(u, &id);
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_replica_match(sat_replica *r, const sat_kind *kind, const sat_field *f,
    sat_value v, bool (*cb)(void *u, const sat_id *id), void *u, sat_err *e)
{
	return match(r, kind, f, v, false, cb, u, e);
}

/* ---- what a person typed -------------------------------------------------------------- */

typedef struct finding {
	sat_replica *r;
	bool self; /* not what it was merged into */
	sat_id id;
	size_t n; /* distinct */
	sat_err *e;
	sat_rc rc;
} finding;

static bool
note(void *u, const sat_id *id)
{
	finding *f = u;
	sat_id to = *id;

	if (!f->self && (f->rc = sat_replica_canon(&to, f->r, id, f->e)) !=
	    SAT_OK)
		return false;
	if (f->n > 0 && sat_id_eq(&f->id, &to))
		return true;
	f->id = to;
	f->n++;
	return f->n < 2;
}

static sat_rc
by_match(finding *f, sat_replica *r, const replica_kind *k, const char *text,
    sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < k->n && f->n < 2; i++)
		if (k->match[i] && ((rc = match(r, k->kind, k->fields[i],
		    sat_v_text(sat_span_str(text)), true, note, f, e)) !=
		    SAT_OK || (rc = f->rc) != SAT_OK))
			return rc;
	return SAT_OK;
}

static sat_rc
by_range(finding *f, sat_replica *r, const replica_kind *k, const sat_id *lo,
    const sat_id *hi, sat_err *e)
{
	sat_stmt *s;
	sat_id id;
	bool row;
	sat_rc rc;

	if ((rc = replica_kind_stmt(&s, r, k, KQ_RANGE, e)) != SAT_OK)
		return rc;
	sat_bind_blob(s, 1, sat_span_of(lo->b, sizeof lo->b));
	sat_bind_blob(s, 2, sat_span_of(hi->b, sizeof hi->b));
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span b = sat_col_blob(s, 0);

		if (b.n != sizeof id.b)
			continue;
		memcpy(id.b, b.p, sizeof id.b);
		if (!note(f, &id) && f->rc != SAT_OK)
			break;
	}
	sat_stmt_reset(s);
	return rc == SAT_OK ? f->rc : rc;
}

static bool
of_kind(const replica_kind *k, const sat_kind *kind)
{
	return kind == NULL || k->kind->id == kind->id;
}

/* "@last": the newest record, of the kind, that this device wrote. */
static sat_rc
by_last(finding *f, sat_replica *r, const sat_kind *kind, sat_err *e)
{
	sat_arena a = { 0 };
	sat_commit *c;
	size_t n;
	sat_rc rc = sat_replica_log(&c, &n, &a, r, LAST_LOOK, e);

	for (size_t i = 0; rc == SAT_OK && i < n && f->n == 0; i++)
		for (size_t j = 0; j < c[i].nops && f->n == 0; j++)
			if (kind == NULL || c[i].ops[j].rtype == kind->id)
				(void)note(f, &c[i].ops[j].rec);
	sat_arena_fini(&a);
	return rc == SAT_OK ? f->rc : rc;
}

static sat_rc
resolve(sat_id *id, sat_replica *r, bool self, const sat_kind *kind,
    const char *text, sat_err *e)
{
	finding f = { .r = r, .self = self, .e = e };
	sat_id lo, hi;
	size_t nkinds = r->kinds != NULL ? r->kinds->n : 0;
	bool prefix;
	sat_rc rc;

	if (strcmp(text, "@last") == 0) {
		prefix = false;
		if ((rc = by_last(&f, r, kind, e)) != SAT_OK)
			return rc;
	} else if (sat_id_parse(&lo, text)) {
		hi = lo;
		prefix = true;
	} else {
		for (size_t i = 0; i < nkinds && f.n < 2; i++)
			if (of_kind(&r->kinds->k[i], kind) && (rc = by_match(&f,
			    r, &r->kinds->k[i], text, e)) != SAT_OK)
				return rc;
		prefix = f.n == 0 && sat_id_prefix(&lo, &hi, text);
	}
	for (size_t i = 0; prefix && i < nkinds && f.n < 2; i++)
		if (of_kind(&r->kinds->k[i], kind) && (rc = by_range(&f, r,
		    &r->kinds->k[i], &lo, &hi, e)) != SAT_OK)
			return rc;
	if (f.n == 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "satchel search TEXT finds it by name, pinyin, phone or number",
		    "no such %s on this device",
		    kind != NULL ? kind->key : "record");
	if (f.n > 1)
		return sat_fail_code(e, SAT_ECONFLICT, "ambiguous",
		    "give more characters of the id", "several records match");
	*id = f.id;
	return SAT_OK;
}

sat_rc
sat_replica_resolve(sat_id *id, sat_replica *r, const sat_kind *kind,
    const char *text, sat_err *e)
{
	return resolve(id, r, false, kind, text, e);
}

sat_rc
sat_replica_resolve_self(sat_id *id, sat_replica *r, const sat_kind *kind,
    const char *text, sat_err *e)
{
	return resolve(id, r, true, kind, text, e);
}

/* ---- how the actor stands to it -------------------------------------------------------- */

static sat_value
owner_of(const replica_row *row)
{
	return standing(row, row->k->kind->owner);
}

static bool
is_ref(sat_value v)
{
	return v.type == SAT_V_BYTES && v.s.n == sizeof(sat_id);
}

/* kind NULL: every kind is tried. *row NULL: it is not here. */
static sat_rc
held_row(replica_row **row, sat_replica *r, const sat_kind *kind,
    const sat_id *id, sat_err *e)
{
	const replica_kind *k = kind == NULL ? NULL :
	    replica_kind_by(r->kinds, kind->id);

	return k != NULL ? replica_page_get(row, r, k, id, 0, e) :
	    replica_page_find(row, r, id, e);
}

/* The same for who owns it and what is above it: as it is in the page. */
static sat_rc
standing_row(replica_row **row, sat_replica *r, const sat_kind *kind,
    const sat_id *id, sat_err *e)
{
	const replica_kind *k = replica_kind_by(r->kinds, kind->id);

	if (k != NULL && (*row = replica_page_peek(r, k, id)) != NULL &&
	    !(*row)->gone && ((*row)->narrow == 0 ||
	    (*row)->standing != NULL))
		return SAT_OK;
	replica_page_reuse(r);
	return held_row(row, r, kind, id, e);
}

/* The owners that count for a record under this root: its own, and that of the
 * one it was merged into. */
static sat_rc
owners_of_root(sat_value owner[2], sat_replica *r, const replica_row *root,
    sat_err *e)
{
	replica_row *heir;
	sat_id to;
	sat_rc rc;

	owner[0] = owner[1] = owner_of(root);
	if ((root->flags & ROW_MERGED) == 0)
		return SAT_OK;
	if ((rc = sat_replica_canon(&to, r, &root->view.id, e)) != SAT_OK ||
	    sat_id_eq(&to, &root->view.id) ||
	    (rc = held_row(&heir, r, NULL, &to, e)) != SAT_OK)
		return rc;
	if (heir != NULL)
		owner[1] = owner_of(heir);
	return SAT_OK;
}

/* The row its caller just read is in the page, and most often its own root. */
sat_rc
sat_replica_relation(sat_relation *rel, sat_replica *r, const sat_kind *kind,
    const sat_id *id, sat_err *e)
{
	sat_value owner[2] = { sat_v_null(), sat_v_null() };
	sat_value own = sat_v_null(), ref = sat_v_null();
	replica_row *row, *root;
	sat_id root_id;
	sat_rc rc;

	*rel = SAT_REL_NONE;
	if (r->me == NULL)
		return SAT_OK;
	if ((rc = standing_row(&row, r, kind, id, e)) != SAT_OK)
		return rc;
	if (row == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such %s on this device",
		    kind->key);
	root = row;
	if (kind->scope != SAT_SCOPE_ROOT) {
		own = owner_of(row);
		ref = standing(row, kind->parent);
	}
	if (is_ref(ref)) {
		memcpy(root_id.b, ref.s.p, sizeof root_id.b);
		rc = held_row(&root, r, kind->parent->ref != NULL ?
		    sat_template_kind(r->t, kind->parent->ref) : NULL, &root_id,
		    e);
	}
	if (rc != SAT_OK || (root != NULL &&
	    (rc = owners_of_root(owner, r, root, e)) != SAT_OK))
		return rc;
	*rel = sat_scope_relation(&r->reg, r->me, kind->scope, owner[0], own,
	    root != NULL, false);
	if (!sat_value_eq(owner[0], owner[1]))
		*rel = sat_scope_closer(*rel, sat_scope_relation(&r->reg,
		    r->me, kind->scope, owner[1], own, root != NULL, false));
	return SAT_OK;
}
