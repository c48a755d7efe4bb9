/*
 * kindsql.c - every statement on the tables of the kinds that does not depend
 * on a query. The tables: kindtable.c.
 *
 * Why generated: a kind is declared by the template, not by C, and is a real
 * table with typed columns so that reports and exports are plain SQL. Names
 * come from outside and are checked and quoted here; values are always bound.
 * The store's own columns begin with '_', which no template key may.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 60

static bool
name_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > KEY_MAX || s[0] < 'a' || s[0] > 'z')
		return false;
	for (; *s != '\0'; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') &&
		    *s != '_')
			return false;
	return true;
}

static bool
is_match(const sat_field *f)
{
	return f->dup_weight > 0 || strcmp(f->key, "number") == 0 ||
	    strcmp(f->key, "external_id") == 0;
}

static int
by_field_id(const void *a, const void *b)
{
	const sat_field *const *x = a, *const *y = b;

	return (int)(*x)->id - (int)(*y)->id;
}

static char *
keep(replica_kinds *ks, sat_buf *b)
{
	char *s = sat_arena_str(&ks->mem, b->p, b->n);

	sat_buf_reset(b);
	return s;
}

/* ", "name"" of every stored field. */
void
replica_kind_columns(sat_buf *b, const replica_kind *k)
{
	for (size_t i = 0; i < k->n; i++)
		sat_buf_fmt(b, ", \"%s\"", k->fields[i]->column);
}

static void
make_select(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	static const char *const where[] = { "_id = ?1", "_rid = ?1" };
	/* the id that was asked for need not be fetched from the row */
	static const char *const by_id[] = { "?1", "_id" };

	for (size_t q = 0; q < 2; q++) {
		sat_buf_fmt(b, "SELECT _rid, %s, _created, _flags, _clk, "
		    "_base, _more", by_id[q]);
		replica_kind_columns(b, k);
		sat_buf_fmt(b, " FROM %s WHERE %s", k->table, where[q]);
		k->sql[q == 0 ? KQ_BY_ID : KQ_BY_RID] = keep(ks, b);
	}
}

static void
make_insert(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	sat_buf_fmt(b, "INSERT INTO %s(_rid, _id, _created, _flags, _clk, "
	    "_base, _more", k->table);
	replica_kind_columns(b, k);
	sat_buf_str(b, ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7");
	for (size_t i = 0; i < k->n; i++)
		sat_buf_fmt(b, ", ?%zu", KC_FIELDS + i + 1);
	sat_buf_str(b, ")");
	k->sql[KQ_INSERT] = keep(ks, b);
}

/* Of many rows at once, from sat_db_feed. */
static void
make_fill(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	sat_buf_fmt(b, "INSERT OR FAIL INTO %s(_rid, _id, _created, _flags, "
	    "_clk, _base, _more", k->table);
	replica_kind_columns(b, k);
	sat_buf_str(b, ") SELECT c0");
	for (size_t i = 1; i < KC_FIELDS + k->n; i++)
		sat_buf_fmt(b, ", c%zu", i);
	sat_buf_str(b, " FROM sat_rows");
	k->sql[KQ_FILL] = keep(ks, b);
}

/* Parameters are numbered as in KQ_INSERT. KQ_UPDATE names everything, KQ_LEAN
 * no column of an index (put.c), KQ_TOUCH no value. */
static void
make_update(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	for (int q = KQ_UPDATE; q <= KQ_TOUCH; q++) {
		sat_buf_fmt(b, "UPDATE %s SET _clk = ?5, _base = ?6",
		    k->table);
		if (q == KQ_UPDATE)
			sat_buf_str(b, ", _created = ?3, _flags = ?4");
		if (q != KQ_TOUCH)
			sat_buf_str(b, ", _more = ?7");
		for (size_t i = 0; q != KQ_TOUCH && i < k->n; i++)
			if (q == KQ_UPDATE || !k->indexed[i])
				sat_buf_fmt(b, ", \"%s\" = ?%zu",
				    k->fields[i]->column, KC_FIELDS + i + 1);
		sat_buf_str(b, " WHERE _rid = ?1");
		k->sql[q] = keep(ks, b);
	}
	if (k->parent == k->n)
		return;
	sat_buf_fmt(b, "SELECT _rid FROM %s WHERE \"%s\" = ?1", k->table,
	    k->fields[k->parent]->column);
	k->sql[KQ_OF_PARENT] = keep(ks, b);
	sat_buf_fmt(b, "SELECT \"%s\" FROM %s WHERE _id = ?1",
	    k->fields[k->parent]->column, k->table);
	k->sql[KQ_PARENT_OF] = keep(ks, b);
}

/*
 * A column may be read alone when no flag of the row is derived from it
 * together with others.
 */
static bool
stands_alone(const sat_kind *kind, const sat_field *f)
{
	size_t len = strlen(f->key);

	if (f->required || f->required_when != NULL || f == kind->parent)
		return false;
	for (size_t i = 0; i < kind->nfields; i++) {
		const char *when = kind->fields[i].required_when;

		if (when != NULL && strncmp(when, f->key, len) == 0 &&
		    when[len] == '=')
			return false;
	}
	return true;
}

/* See create_indexes(). */
static bool
is_indexed(const sat_kind *kind, const sat_field *f)
{
	if (f == kind->parent)
		return true;
	for (size_t i = 0; i < kind->nsorted; i++)
		if (strcmp(kind->sorted[i], f->key) == 0)
			return true;
	for (size_t i = 0; i < kind->ncovers; i++)
		if (strcmp(kind->covers[i], f->key) == 0)
			return true;
	return false;
}

/* Owner and parent: how somebody stands to the record. */
static void
add_standing(sat_buf *b, const replica_kind *k)
{
	const sat_field *f[2] = { k->kind->owner, k->kind->parent };

	for (size_t i = 0; i < 2; i++)
		if (f[i] != NULL && replica_kind_column(k, f[i]->id) < k->n)
			sat_buf_fmt(b, ", \"%s\"", f[i]->column);
		else
			sat_buf_str(b, ", NULL");
}

static void
make_one(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	k->one = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *k->one);
	for (size_t i = 0; i < k->n; i++) {
		const char *col = k->fields[i]->column;

		memset(k->one[i], 0, sizeof k->one[i]);
		for (int q = ONE_UPDATE; q <= ONE_UPDATE_DERIVED; q++) {
			sat_buf_fmt(b, "UPDATE %s SET _clk = ?5, _base = ?6, "
			    "\"%s\" = ?8%s WHERE _rid = ?1", k->table, col,
			    q == ONE_UPDATE ? "" :
			    ", _created = ?3, _flags = ?4");
			k->one[i][q] = keep(ks, b);
		}
		for (int q = ONE_BY_ID; k->alone[i] && q <= ONE_FOR_EDIT; q++) {
			sat_buf_fmt(b, "SELECT _rid, %s, _created, _flags, "
			    "_clk, _base, _more, \"%s\"",
			    q == ONE_BY_RID ? "_id" : "?1", col);
			if (q == ONE_FOR_EDIT)
				add_standing(b, k);
			sat_buf_fmt(b, " FROM %s WHERE %s = ?1", k->table,
			    q == ONE_BY_RID ? "_rid" : "_id");
			k->one[i][q] = keep(ks, b);
		}
	}
}

/* The flags as the statements below say them. */
_Static_assert(ROW_INCOMPLETE == 4 && ROW_HIDDEN == 321 &&
    ROW_TOLD == 1024 && ROW_MARKED == 1349, "flags of a row");

static void
make_rest(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	static const struct {
		kind_sql q;
		const char *text; /* %s: the table */
	} rest[] = {
		{ KQ_DELETE, "DELETE FROM %s WHERE _rid = ?1" },
		{ KQ_SET_RID, "UPDATE %s SET _rid = ?2 WHERE _rid = ?1" },
		{ KQ_RID_OF, "SELECT _rid FROM %s WHERE _id = ?1" },
		{ KQ_ID_OF, "SELECT _id FROM %s WHERE _rid = ?1" },
		{ KQ_FLAGS_OF, "SELECT _flags FROM %s WHERE _id = ?1" },
		{ KQ_RANGE, "SELECT _id FROM %s WHERE _id BETWEEN ?1 AND ?2 "
		    "LIMIT 2" },
		{ KQ_RIDS, "SELECT _rid FROM %s ORDER BY _rid" },
		{ KQ_IDS, "SELECT _id FROM %s ORDER BY _id" },
		{ KQ_MORE_RIDS, "SELECT _rid FROM %s WHERE _more IS NOT NULL" },
		{ KQ_TOLD_RIDS, "SELECT _rid FROM %s WHERE (_flags & 1349) "
		    "!= 0 AND (_flags & 1024) != 0" },
		{ KQ_INCOMPLETE, "SELECT count(*) FROM %s "
		    "WHERE (_flags & 1349) != 0 AND (_flags & 4) != 0" },
		{ KQ_LOCAL_MAX, "SELECT max(_rid) FROM %s" },
		{ KQ_EID_RANGE, "SELECT _rid FROM %s WHERE _rid > ?1 AND "
		    "_rid <= ?2 ORDER BY _rid" },
		{ KQ_ALL, "SELECT count(*) FROM %s" },
		{ KQ_HIDDEN, "SELECT count(*) FROM %s WHERE (_flags & 1349) "
		    "!= 0 AND (_flags & 321) != 0" },
		{ KQ_EID_MAX, "SELECT max(_rid) FROM %s WHERE _rid < ?1" },
		/* complete, or not any more */
		{ KQ_LACKING, "UPDATE %s SET _flags = _flags + 4 - "
		    "2 * (_flags & 4) WHERE _rid = ?1" },
	};

	for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
		const char *at = strstr(rest[i].text, "%s");

		sat_buf_add(b, rest[i].text, (size_t)(at - rest[i].text));
		sat_buf_str(b, k->table);
		sat_buf_str(b, at + 2);
		k->sql[rest[i].q] = keep(ks, b);
	}
}

static void
make_match(replica_kinds *ks, replica_kind *k, sat_buf *b)
{
	size_t n = 0;

	sat_buf_str(b, "SELECT _rid");
	for (size_t i = 0; i < k->n; i++)
		if (k->match[i]) {
			sat_buf_fmt(b, ", \"%s\"", k->fields[i]->column);
			n++;
		}
	sat_buf_fmt(b, " FROM %s", k->table);
	if (n > 0)
		k->sql[KQ_MATCH] = keep(ks, b);
	sat_buf_reset(b);
}

static sat_rc
make_kind(replica_kinds *ks, replica_kind *k, const sat_kind *kind, sat_err *e)
{
	sat_buf b = { 0 };

	k->kind = kind;
	if (!name_ok(kind->key))
		return sat_fail(e, SAT_EINVALID, "template: kind '%.40s' cannot "
		    "name a table", kind->key);
	k->fields = sat_arena_alloc(&ks->mem, (kind->nfields + 1) *
	    sizeof *k->fields);
	for (size_t i = 0; i < kind->nfields; i++) {
		const sat_field *f = &kind->fields[i];

		if (f->policy == SAT_P_DERIVED)
			continue;
		if (!name_ok(f->column))
			return sat_fail(e, SAT_EINVALID, "template: field "
			    "'%.40s' cannot name a column", f->column);
		k->fields[k->n++] = f;
	}
	qsort(k->fields, k->n, sizeof *k->fields, by_field_id);
	k->ids = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *k->ids);
	k->match = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *k->match);
	k->alone = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *k->alone);
	k->indexed = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *k->indexed);
	k->parent = k->n;
	for (size_t i = 0; i < k->n; i++) {
		k->ids[i] = k->fields[i]->id;
		k->match[i] = is_match(k->fields[i]);
		k->alone[i] = stands_alone(kind, k->fields[i]);
		k->indexed[i] = is_indexed(kind, k->fields[i]);
		if (k->fields[i] == kind->parent)
			k->parent = i;
	}
	replica_search_plan(ks, k);
	sat_buf_fmt(&b, "\"k_%s\"", kind->key);
	k->table = keep(ks, &b);
	make_select(ks, k, &b);
	make_insert(ks, k, &b);
	make_update(ks, k, &b);
	make_one(ks, k, &b);
	make_match(ks, k, &b);
	make_rest(ks, k, &b);
	make_fill(ks, k, &b);
	sat_buf_fini(&b);
	return SAT_OK;
}

/* Asked for with each operation. */
static void
list_by_id(replica_kinds *ks)
{
	for (size_t i = 0; i < ks->n; i++)
		if (ks->k[i].kind->id >= ks->nids)
			ks->nids = ks->k[i].kind->id + 1u;
	ks->by_id = sat_arena_alloc(&ks->mem,
	    (ks->nids + 1) * sizeof *ks->by_id);
	memset(ks->by_id, 0, (ks->nids + 1) * sizeof *ks->by_id);
	for (size_t i = ks->n; i-- > 0;)
		ks->by_id[ks->k[i].kind->id] = &ks->k[i];
}

sat_rc
replica_kinds_make(replica_kinds **out, const sat_template *t, sat_err *e)
{
	replica_kinds *ks = sat_xcalloc(1, sizeof *ks);
	sat_rc rc = SAT_OK;

	*out = NULL;
	ks->n = sat_template_kinds(t);
	ks->k = sat_arena_alloc(&ks->mem, (ks->n + 1) * sizeof *ks->k);
	memset(ks->k, 0, (ks->n + 1) * sizeof *ks->k);
	ks->used = sat_arena_alloc(&ks->mem, (ks->n + 1) * sizeof *ks->used);
	memset(ks->used, 0, (ks->n + 1) * sizeof *ks->used);
	for (size_t i = 0; i < ks->n && rc == SAT_OK; i++)
		rc = make_kind(ks, &ks->k[i], sat_template_kind_at(t, i), e);
	if (rc != SAT_OK) {
		replica_kinds_free(ks);
		return rc;
	}
	list_by_id(ks);
	*out = ks;
	return SAT_OK;
}

void
replica_kinds_free(replica_kinds *ks)
{
	if (ks == NULL)
		return;
	sat_arena_fini(&ks->mem);
	free(ks);
}

const replica_kind *
replica_kind_by(const replica_kinds *ks, uint16_t id)
{
	return ks != NULL && id < ks->nids ? ks->by_id[id] : NULL;
}

size_t
replica_kind_column(const replica_kind *k, uint16_t field)
{
	size_t lo = 0, hi = k->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (k->ids[mid] < field)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < k->n && k->ids[lo] == field ? lo : k->n;
}

sat_rc
replica_kind_stmt(sat_stmt **s, sat_replica *r, const replica_kind *k,
    kind_sql q, sat_err *e)
{
	return sat_db_stmt_kept(s, r->db, k->sql[q], e);
}

sat_rc
replica_kind_one(sat_stmt **s, sat_replica *r, const replica_kind *k,
    size_t col, one_sql q, sat_err *e)
{
	return sat_db_stmt_kept(s, r->db, k->one[col][q], e);
}

static sat_rc
take_rids(int64_t **rids, size_t *n, sat_arena *a, sat_stmt *s, sat_err *e)
{
	size_t cap = 0;
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		SAT_ARENA_GROW(*rids, *n, cap, a);
		(*rids)[(*n)++] = sat_col_int(s, 0);
	}
	return rc;
}

sat_rc
replica_kind_rids(int64_t **rids, size_t *n, sat_arena *a, sat_replica *r,
    const replica_kind *k, kind_sql q, const sat_id *arg, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*rids = NULL;
	*n = 0;
	if ((rc = replica_kind_stmt(&s, r, k, q, e)) != SAT_OK)
		return rc;
	if (arg != NULL)
		sat_bind_blob(s, 1, sat_span_of(arg->b, sizeof arg->b));
	return take_rids(rids, n, a, s, e);
}

sat_rc
replica_kind_range(int64_t **rids, size_t *n, sat_arena *a, sat_replica *r,
    const replica_kind *k, int64_t after, int64_t to, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	*rids = NULL;
	*n = 0;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_EID_RANGE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, after);
	sat_bind_int(s, 2, to);
	return take_rids(rids, n, a, s, e);
}
