/*
 * kindtable.c - the tables of the kinds, and their indexes.
 *
 * A column is never dropped and adding one writes nothing per row: a field
 * without a clock was never written.
 *
 * The indexes of a kind come with its first row: most devices never see a row
 * of most kinds, an empty index is a page, and whoever reads does not miss it.
 * Their names are a kind's key, a dot, which no key has, and the rest: those of
 * no two kinds are alike, whatever the template calls them.
 */
#include "client/replica/replica_int.h"

#include <stdio.h>
#include <string.h>

static void
create_table(sat_buf *b, const replica_kind *k)
{
	sat_buf_fmt(b, "CREATE TABLE %s("
	    "_rid INTEGER PRIMARY KEY, "  /* eid, or local */
	    "_id BLOB NOT NULL, "         /* unique: create_indexes() */
	    "_created INTEGER NOT NULL, " /* ms */
	    "_flags INTEGER NOT NULL, "
	    "_clk BLOB NOT NULL, "        /* sat_record_write_clocks */
	    "_base BLOB, "                /* see rows.c; NULL: nothing waits */
	    "_more BLOB", k->table);      /* cells of fields not known here */
	replica_kind_columns(b, k);
	sat_buf_str(b, ");");
}

/* A name that says which columns: with others it is another index. */
static void
covers_name(char out[96], const replica_kind *k)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < k->kind->ncovers; i++)
		for (const char *s = k->kind->covers[i]; ; s++) {
			h = (h ^ (uint8_t)*s) * 16777619u;
			if (*s == '\0')
				break;
		}
	(void)snprintf(out, 96, "i_%s.covers.%08x", k->kind->key, h);
}

/* What lists look at, and all they need besides: no row is read but those that
 * are shown. */
static void
create_covers(sat_buf *b, const replica_kind *k)
{
	char name[96];

	if (k->kind->ncovers == 0)
		return;
	covers_name(name, k);
	sat_buf_fmt(b, "CREATE INDEX IF NOT EXISTS \"%s\" ON %s(", name,
	    k->table);
	for (size_t i = 0; i < k->kind->ncovers; i++)
		sat_buf_fmt(b, "\"%s\", ", sat_kind_field(k->kind,
		    k->kind->covers[i])->column);
	sat_buf_str(b, "_flags, _created, _id);");
}

/* The first of them: with it stand the others. */
static void
ids_name(char out[96], const replica_kind *k)
{
	(void)snprintf(out, 96, "i_%s.id", k->kind->key);
}

/* Customers are listed newest first, however many there are; they come in about
 * that order, so that it costs hardly a page to keep. Not with the first row:
 * query.c names it. */
static void
create_by_age(sat_buf *b, const replica_kind *k)
{
	if (replica_kind_by_age(k))
		sat_buf_fmt(b, "CREATE INDEX IF NOT EXISTS \"i_%s.created\" "
		    "ON %s(_created);", k->kind->key, k->table);
}

static void
create_indexes(sat_buf *b, const replica_kind *k)
{
	char ids[96];

	ids_name(ids, k);
	sat_buf_fmt(b, "CREATE UNIQUE INDEX IF NOT EXISTS \"%s\" ON %s(_id);",
	    ids, k->table);
	if (k->parent < k->n)
		sat_buf_fmt(b, "CREATE INDEX IF NOT EXISTS \"i_%s.parent\" "
		    "ON %s(\"%s\");", k->kind->key, k->table,
		    k->fields[k->parent]->column);
	/* few rows are incomplete, hidden, or told to be like others: all less
	 * the hidden ones are what a list counts. One index, so that a write
	 * asks once */
	sat_buf_fmt(b, "CREATE INDEX IF NOT EXISTS \"i_%s.marked\" "
	    "ON %s(_flags) WHERE (_flags & %d) != 0;", k->kind->key, k->table,
	    ROW_MARKED);
	for (size_t i = 0; i < k->kind->nsorted; i++)
		sat_buf_fmt(b, "CREATE INDEX IF NOT EXISTS \"i_%s.by.%s\" "
		    "ON %s(\"%s\");", k->kind->key, k->kind->sorted[i],
		    k->table, sat_kind_field(k->kind,
		    k->kind->sorted[i])->column);
	create_covers(b, k);
}

static sat_rc
missing_columns(bool *has, bool *table, sat_replica *r, const replica_kind *k,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*table = false;
	if ((rc = sat_db_stmt(&s, r->db, SQL_TABLE_COLUMNS, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_of(k->table + 1, strlen(k->table) - 2));
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		*table = true;
		for (size_t i = 0; i < k->n; i++)
			if (sat_span_eq(sat_col_text(s, 0),
			    sat_span_str(k->fields[i]->column)))
				has[i] = true;
	}
	return rc;
}

static bool
is_current(const replica_kind *k, const char *name)
{
	char own[96], covers[96];

	(void)snprintf(own, sizeof own, "i_%s.", k->kind->key);
	if (strncmp(name, own, strlen(own)) != 0)
		return false;
	if (strncmp(name + strlen(own), "covers.", 7) != 0)
		return true;
	covers_name(covers, k);
	return k->kind->ncovers > 0 && strcmp(name, covers) == 0;
}

/* Of an earlier template, or named as before there were dots in names. */
static sat_rc
drop_old_indexes(sat_buf *b, sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_TABLE_INDEXES, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_of(k->table + 1, strlen(k->table) - 2));
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		char name[160]; /* two keys, and what is between them */

		(void)snprintf(name, sizeof name, "%.*s",
		    (int)sat_col_text(s, 0).n,
		    (const char *)sat_col_text(s, 0).p);
		if (!is_current(k, name))
			sat_buf_fmt(b, "DROP INDEX \"%s\";", name);
	}
	return rc;
}

static sat_rc
has_indexes(bool *has, sat_replica *r, const replica_kind *k, sat_err *e)
{
	char name[96];
	sat_stmt *s;
	sat_rc rc;

	ids_name(name, k);
	if ((rc = sat_db_stmt(&s, r->db, SQL_INDEX_NAMED, e)) != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(name));
	rc = sat_step(has, s, e);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_kind_use(sat_replica *r, const replica_kind *k, sat_err *e)
{
	uint64_t now = sat_db_undone(r->db) + 1, *used;
	sat_buf b = { 0 };
	bool has;
	sat_rc rc;

	used = &r->kinds->used[k - r->kinds->k];
	if (*used == now)
		return SAT_OK;
	if ((rc = has_indexes(&has, r, k, e)) != SAT_OK)
		return rc;
	if (!has) {
		create_indexes(&b, k);
		rc = sat_db_exec(r->db, sat_buf_cstr(&b), e);
		sat_buf_fini(&b);
	}
	if (rc == SAT_OK)
		*used = now;
	return rc;
}

static sat_rc
migrate_kind(sat_replica *r, const replica_kind *k, bool *grew, sat_err *e)
{
	bool has[SAT_FIELDS_MAX] = { false }, table, used;
	sat_buf b = { 0 };
	size_t had;
	sat_rc rc;

	if ((rc = missing_columns(has, &table, r, k, e)) != SAT_OK ||
	    (rc = has_indexes(&used, r, k, e)) != SAT_OK)
		return rc;
	if (!table)
		create_table(&b, k);
	for (size_t i = 0; table && i < k->n; i++) {
		if (has[i])
			continue;
		sat_buf_fmt(&b, "ALTER TABLE %s ADD COLUMN \"%s\";", k->table,
		    k->fields[i]->column);
		*grew = true;
	}
	had = b.n;
	rc = drop_old_indexes(&b, r, k, e);
	if (used || b.n > had)
		create_indexes(&b, k);
	create_by_age(&b, k);
	if (rc == SAT_OK)
		rc = sat_db_exec(r->db, sat_buf_cstr(&b), e);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
replica_kinds_migrate(sat_replica *r, const replica_kinds *ks, bool *grew,
    sat_err *e)
{
	sat_rc rc;

	*grew = false;
	for (size_t i = 0; i < ks->n; i++)
		if ((rc = migrate_kind(r, &ks->k[i], grew, e)) != SAT_OK)
			return rc;
	return SAT_OK;
}

sat_rc
replica_kinds_rename(sat_replica *r, sat_err *e)
{
	bool old, grew;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_INDEXES_OLD, e)) != SAT_OK ||
	    (rc = sat_step(&old, s, e)) != SAT_OK)
		return rc;
	sat_stmt_reset(s);
	if (!old || (rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_kinds_migrate(r, r->kinds, &grew,
	    e), e);
}
