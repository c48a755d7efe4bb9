/*
 * query.c - lists: filters, order, columns of one kind as one statement.
 *
 * The text is made of the template's column names, which are checked and
 * quoted, and of fixed pieces; every value is bound. The same shape of query
 * gives the same text, so it stays prepared.
 */
#include "client/replica/replica_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_VALUES_MAX 30000 /* SQLite's limit is 32766 */

struct sat_rows {
	sat_replica *r;
	sat_stmt *s;
	sat_arena mem; /* of the bound values */
	sat_value *values;
	bool *refs;    /* columns that name records; NULL: nothing was merged */
	sat_id *ids;   /* what they lead to */
	size_t n;
	unsigned slot;
	bool done;
};

typedef struct builder {
	sat_buf text;
	const replica_kind *k;
	const sat_value **binds;
	size_t n, cap;
	sat_replica *r;
	sat_arena mem;
	sat_err *e;
	sat_rc rc;
} builder;

static void
add_bind(builder *b, const sat_value *v)
{
	if (b->n == QUERY_VALUES_MAX) {
		if (b->rc == SAT_OK)
			b->rc = sat_fail(b->e, SAT_EINVALID,
			    "too many values in a filter");
		return;
	}
	if (b->n == b->cap) {
		b->cap = b->cap * 2 + 16;
		b->binds = sat_xrealloc(b->binds, b->cap * sizeof *b->binds);
	}
	b->binds[b->n++] = v;
	sat_buf_str(&b->text, "?");
}

/* The expression of a field or pseudo field, NULL-safe by itself. */
static void
add_expr(builder *b, uint16_t field)
{
	size_t col;

	switch (field) {
	case SAT_Q_ID:
		sat_buf_str(&b->text, "_id");
		return;
	case SAT_Q_CREATED:
		sat_buf_str(&b->text, "_created");
		return;
	case SAT_Q_PENDING:
		sat_buf_str(&b->text, "(_base IS NOT NULL)");
		return;
	case SAT_Q_INCOMPLETE:
		sat_buf_str(&b->text, "((_flags & 4) != 0)");
		return;
	case SAT_Q_CONFLICT:
		sat_buf_str(&b->text, "((_flags & 8) != 0)");
		return;
	case SAT_Q_DELETED:
		sat_buf_str(&b->text, "((_flags & 1) != 0)");
		return;
	case SAT_Q_MERGED:
		sat_buf_str(&b->text, "((_flags & 64) != 0)");
		return;
	case SAT_Q_POOL:
		sat_buf_str(&b->text, "((_flags & 128) != 0)");
		return;
	default:
		break;
	}
	col = replica_kind_column(b->k, field);
	if (col < b->k->n)
		sat_buf_fmt(&b->text, "\"%s\"", b->k->fields[col]->column);
	else if (b->rc == SAT_OK)
		b->rc = sat_fail(b->e, SAT_EINVALID, "%s has no stored field "
		    "%u to filter or sort by", b->k->kind->key,
		    (unsigned)field);
}

/* ASCII-folded substring; LIKE would give % and _ a meaning. */
static void
add_contains(builder *b, const char *column, const sat_value *v)
{
	sat_buf_fmt(&b->text, "instr(lower(\"%s\"), lower(", column);
	add_bind(b, v);
	sat_buf_str(&b->text, ")) > 0");
}

/* The numbers of the rows that are found: see seek.c. */
static void
add_search(builder *b, const sat_value *v)
{
	sat_value *rids = sat_arena_alloc(&b->mem, sizeof *rids);
	sat_buf json = { 0 };

	if (b->rc == SAT_OK && v->type == SAT_V_TEXT)
		b->rc = replica_search_rids(&json, b->r, b->k->kind, v->s,
		    b->e);
	*rids = sat_v_text(sat_span_of(sat_arena_dup(&b->mem, json.p, json.n),
	    json.n));
	sat_buf_fini(&json);
	sat_buf_str(&b->text, "_rid IN (SELECT value FROM json_each(");
	add_bind(b, rids);
	sat_buf_str(&b->text, "))");
}

static void
add_in(builder *b, const sat_filter *f)
{
	add_expr(b, f->field);
	sat_buf_str(&b->text, " IN (");
	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			sat_buf_str(&b->text, ", ");
		add_bind(b, &f->values[i]);
	}
	sat_buf_str(&b->text, ")");
}

static void
add_like(builder *b, const sat_filter *f)
{
	size_t col = replica_kind_column(b->k, f->field);

	if (f->field == SAT_Q_TEXT)
		add_search(b, &f->values[0]);
	else if (col < b->k->n)
		add_contains(b, b->k->fields[col]->column, &f->values[0]);
	else
		add_expr(b, f->field); /* says what is wrong */
}

/* Under a customer is what lies under any that was merged into it. */
static bool
add_family(builder *b, const sat_filter *f)
{
	const sat_field *fd = sat_kind_field_id(b->k->kind, f->field);
	sat_id id, *ids;
	sat_value *v;
	size_t n;

	if (f->cmp != SAT_CMP_EQ || fd == NULL || fd->type != SAT_F_REF ||
	    f->values[0].type != SAT_V_BYTES || f->values[0].s.n != sizeof id.b)
		return false;
	memcpy(id.b, f->values[0].s.p, sizeof id.b);
	if ((b->rc = sat_replica_canon(&id, b->r, &id, b->e)) != SAT_OK ||
	    (b->rc = sat_replica_merged(&ids, &n, &b->mem, b->r, &id, b->e)) !=
	    SAT_OK)
		return true;
	v = sat_arena_alloc(&b->mem, n * sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i] = sat_v_id(&ids[i]);
	add_in(b, &(sat_filter){ f->field, SAT_CMP_IN, v, n });
	return true;
}

static void
add_compare(builder *b, const sat_filter *f)
{
	/* IS: a null value compares too, and "not equal" includes unset */
	static const char *const ops[] = {
		[SAT_CMP_EQ] = " IS ", [SAT_CMP_NE] = " IS NOT ",
		[SAT_CMP_LT] = " < ", [SAT_CMP_LE] = " <= ",
		[SAT_CMP_GT] = " > ", [SAT_CMP_GE] = " >= ",
	};
	bool plain_eq = f->cmp == SAT_CMP_EQ &&
	    f->values[0].type != SAT_V_NULL;

	add_expr(b, f->field);
	sat_buf_str(&b->text, plain_eq ? " = " : ops[f->cmp]);
	add_bind(b, &f->values[0]);
}

static void
add_filter(builder *b, const sat_filter *f)
{
	if (f->cmp != SAT_CMP_IN && f->cmp != SAT_CMP_NULL &&
	    f->cmp != SAT_CMP_NOT_NULL && f->n != 1) {
		b->rc = sat_fail(b->e, SAT_EINVALID,
		    "a filter needs one value");
		return;
	}
	switch (f->cmp) {
	case SAT_CMP_IN:
		add_in(b, f);
		break;
	case SAT_CMP_LIKE:
		add_like(b, f);
		break;
	case SAT_CMP_HAS: /* elements are joined by LF */
		sat_buf_str(&b->text, "instr(char(10) || ");
		add_expr(b, f->field);
		sat_buf_str(&b->text, " || char(10), char(10) || ");
		add_bind(b, &f->values[0]);
		sat_buf_str(&b->text, " || char(10)) > 0");
		break;
	case SAT_CMP_NULL:
	case SAT_CMP_NOT_NULL:
		add_expr(b, f->field);
		sat_buf_str(&b->text, f->cmp == SAT_CMP_NULL ?
		    " IS NULL" : " IS NOT NULL");
		break;
	default:
		if (!add_family(b, f))
			add_compare(b, f);
		break;
	}
}

/* Is a value of this key behind `v`, in the direction of the list? Nulls come
 * first, or last when it goes down. */
static void
add_beyond(builder *b, uint16_t field, const sat_value *v, bool down)
{
	if (v->type == SAT_V_NULL) {
		if (down) {
			sat_buf_str(&b->text, "0");
			return;
		}
		add_expr(b, field);
		sat_buf_str(&b->text, " IS NOT NULL");
		return;
	}
	add_expr(b, field);
	sat_buf_str(&b->text, down ? " < " : " > ");
	add_bind(b, v);
	if (down) {
		sat_buf_str(&b->text, " OR ");
		add_expr(b, field);
		sat_buf_str(&b->text, " IS NULL");
	}
}

/*
 * Rows behind a place: the first key beyond it, or equal and the second beyond
 * it, and so on. A bound of the first key alone stands before that, which an
 * index can be entered at; going down it leaves out those without a value, for
 * which list.c asks by themselves.
 */
static void
add_from(builder *b, const sat_query *q)
{
	const sat_value *first = &q->from->key[0];
	sat_value *id = sat_arena_alloc(&b->mem, sizeof *id);

	*id = sat_v_id(&q->from->id);
	if (q->nsort > 0 && first->type != SAT_V_NULL) {
		add_expr(b, q->sort[0].field);
		sat_buf_str(&b->text, q->sort[0].desc != q->back ? " <= " :
		    " >= ");
		add_bind(b, first);
		sat_buf_str(&b->text, " AND ");
	}
	for (size_t i = 0; i < q->nsort; i++) {
		sat_buf_str(&b->text, "(");
		add_beyond(b, q->sort[i].field, &q->from->key[i],
		    q->sort[i].desc != q->back);
		sat_buf_str(&b->text, " OR (");
		add_expr(b, q->sort[i].field);
		sat_buf_str(&b->text, " IS ");
		add_bind(b, &q->from->key[i]);
		sat_buf_str(&b->text, " AND ");
	}
	sat_buf_str(&b->text, q->back ? "_id < " : "_id > ");
	add_bind(b, id);
	for (size_t i = 0; i < q->nsort; i++)
		sat_buf_str(&b->text, "))");
}

static void
add_where(builder *b, const sat_query *q)
{
	int hidden = ROW_HIDDEN;
	const char *sep = " WHERE ";

	for (size_t i = 0; i < q->nfilters && b->rc == SAT_OK; i++) {
		if (q->filters[i].field == SAT_Q_DELETED)
			hidden &= ~ROW_DELETED;
		if (q->filters[i].field == SAT_Q_MERGED)
			hidden &= ~ROW_MERGED;
		if (q->filters[i].field == SAT_Q_POOL)
			hidden &= ~ROW_MASKED;
		sat_buf_str(&b->text, sep);
		add_filter(b, &q->filters[i]);
		sep = " AND ";
	}
	if (hidden != 0) {
		sat_buf_fmt(&b->text, "%s(_flags & %d) = 0", sep, hidden);
		sep = " AND ";
	}
	if (q->from != NULL && !q->unordered) {
		sat_buf_str(&b->text, sep);
		add_from(b, q);
	}
}

/* A page by age is read in the order of its index: SQLite, which does not know
 * that few rows are hidden, would rather sort all of them. */
static void
add_index(builder *b, const sat_query *q)
{
	if (!q->unordered && q->limit > 0 && q->nfilters == 0 &&
	    q->nsort == 1 && q->sort[0].field == SAT_Q_CREATED &&
	    replica_kind_by_age(b->k))
		sat_buf_fmt(&b->text, " INDEXED BY \"i_%s.created\"",
		    b->k->kind->key);
}

static void
add_order(builder *b, const sat_query *q)
{
	if (q->unordered)
		return;
	sat_buf_str(&b->text, " ORDER BY ");
	for (size_t i = 0; i < q->nsort && i < 4; i++) {
		add_expr(b, q->sort[i].field);
		sat_buf_str(&b->text, q->sort[i].desc != q->back ? " DESC, " :
		    ", ");
	}
	sat_buf_str(&b->text, q->back ? "_id DESC" : "_id");
	if (q->limit > 0 || q->offset > 0)
		sat_buf_fmt(&b->text, " LIMIT %lld OFFSET %lld",
		    q->limit > 0 ? (long long)q->limit : -1LL,
		    q->offset > 0 ? (long long)q->offset : 0LL);
}

/* What is not stored (computed where it is read) is given out as null. */
static void
add_columns(builder *b, const sat_query *q)
{
	for (size_t i = 0; i < q->ncolumns; i++) {
		if (i > 0)
			sat_buf_str(&b->text, ", ");
		if (q->columns[i] == SAT_Q_TEXT ||
		    (q->columns[i] < SAT_Q_ID &&
		    replica_kind_column(b->k, q->columns[i]) == b->k->n))
			sat_buf_str(&b->text, "NULL");
		else
			add_expr(b, q->columns[i]);
	}
	if (q->ncolumns == 0)
		sat_buf_str(&b->text, "1");
}

static sat_rc
begin_build(builder *b, sat_replica *r, const sat_query *q, sat_err *e)
{
	memset(b, 0, sizeof *b);
	b->e = e;
	b->r = r;
	b->k = replica_kind_by(r->kinds, q->kind->id);
	if (b->k == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no such kind here");
	return SAT_OK;
}

static void
end_build(builder *b)
{
	sat_buf_fini(&b->text);
	sat_arena_fini(&b->mem);
	free(b->binds);
}

/* The values are copied: the caller's may be gone when rows are read. */
static sat_rc
prepare(sat_stmt **s, sat_arena *a, builder *b, sat_replica *r, sat_err *e)
{
	sat_rc rc = b->rc;

	if (rc == SAT_OK)
		rc = sat_db_stmt_text(s, r->db, sat_buf_cstr(&b->text), e);
	for (size_t i = 0; rc == SAT_OK && i < b->n; i++)
		replica_bind_value(*s, (int)i + 1,
		    sat_value_dup(a, *b->binds[i]));
	return rc;
}

/* A query that runs while the same one is being read needs a statement of its
 * own: a number in its text makes it another one. */
static unsigned
take_slot(sat_replica *r)
{
	unsigned slot = 0;

	while (slot < 63 && (r->rows_open >> slot & 1) != 0)
		slot++;
	r->rows_open |= (uint64_t)1 << slot;
	return slot;
}

static sat_rc
find_refs(sat_rows *rows, const sat_query *q, sat_err *e)
{
	int64_t merged;
	sat_rc rc = replica_count(&merged, rows->r, SQL_ALIAS_ANY, e);

	if (rc != SAT_OK || merged == 0)
		return rc;
	rows->refs = sat_xcalloc(q->ncolumns + 1, sizeof *rows->refs);
	rows->ids = sat_xcalloc(q->ncolumns + 1, sizeof *rows->ids);
	for (size_t i = 0; i < q->ncolumns; i++) {
		const sat_field *f = sat_kind_field_id(q->kind, q->columns[i]);

		rows->refs[i] = f != NULL && f->type == SAT_F_REF;
	}
	return SAT_OK;
}

sat_rc
sat_replica_query(sat_rows **out, sat_replica *r, const sat_query *q,
    sat_err *e)
{
	builder b;
	sat_rows *rows;
	sat_arena mem = { 0 };
	sat_stmt *s = NULL;
	unsigned slot;
	sat_rc rc;

	*out = NULL;
	if ((rc = begin_build(&b, r, q, e)) != SAT_OK)
		return rc;
	slot = take_slot(r);
	sat_buf_str(&b.text, "SELECT ");
	add_columns(&b, q);
	sat_buf_fmt(&b.text, " FROM %s", b.k->table);
	add_index(&b, q);
	add_where(&b, q);
	add_order(&b, q);
	if (slot > 0)
		sat_buf_fmt(&b.text, " -- %u", slot);
	rc = prepare(&s, &mem, &b, r, e);
	end_build(&b);
	if (rc != SAT_OK) {
		sat_arena_fini(&mem);
		r->rows_open &= ~((uint64_t)1 << slot);
		return rc;
	}
	rows = sat_xcalloc(1, sizeof *rows);
	rows->r = r;
	rows->s = s;
	rows->mem = mem;
	rows->slot = slot;
	rows->n = q->ncolumns;
	rows->values = sat_xcalloc(q->ncolumns + 1, sizeof *rows->values);
	if (!q->raw && (rc = find_refs(rows, q, e)) != SAT_OK) {
		sat_rows_free(rows);
		return rc;
	}
	*out = rows;
	return SAT_OK;
}

/* A reference to a merged record is one to what it leads to. */
static sat_rc
follow(sat_rows *rows, size_t i, sat_err *e)
{
	sat_value *v = &rows->values[i];
	sat_id *id = &rows->ids[i];
	sat_rc rc;

	if (v->type != SAT_V_BYTES || v->s.n != sizeof id->b)
		return SAT_OK;
	memcpy(id->b, v->s.p, sizeof id->b);
	if ((rc = sat_replica_canon(id, rows->r, id, e)) == SAT_OK)
		*v = sat_v_id(id);
	return rc;
}

sat_rc
sat_rows_next(const sat_value **values, sat_rows *rows, sat_err *e)
{
	bool row;
	sat_rc rc;

	*values = NULL;
	if (rows->done)
		return SAT_OK;
	if ((rc = sat_step(&row, rows->s, e)) != SAT_OK || !row) {
		rows->done = true;
		return rc;
	}
	for (size_t i = 0; i < rows->n; i++) {
		rows->values[i] = replica_col_value(rows->s, (int)i);
		if (rows->refs != NULL && rows->refs[i] &&
		    (rc = follow(rows, i, e)) != SAT_OK)
			return rc;
	}
	*values = rows->values;
	return SAT_OK;
}

void
sat_rows_free(sat_rows *rows)
{
	if (rows == NULL)
		return;
	if (!rows->done)
		sat_stmt_reset(rows->s);
	sat_arena_fini(&rows->mem);
	rows->r->rows_open &= ~((uint64_t)1 << rows->slot);
	free(rows->values);
	free(rows->refs);
	free(rows->ids);
	free(rows);
}

sat_rc
sat_replica_count(int64_t *n, sat_replica *r, const sat_query *q, sat_err *e)
{
	builder b;
	sat_arena mem = { 0 };
	sat_stmt *s = NULL;
	bool row;
	sat_rc rc;

	*n = 0;
	if ((rc = begin_build(&b, r, q, e)) != SAT_OK)
		return rc;
	sat_buf_fmt(&b.text, "SELECT count(*) FROM %s", b.k->table);
	add_where(&b, q);
	rc = prepare(&s, &mem, &b, r, e);
	if (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		*n = sat_col_int(s, 0);
		sat_stmt_reset(s);
	}
	end_build(&b);
	sat_arena_fini(&mem);
	return rc;
}
