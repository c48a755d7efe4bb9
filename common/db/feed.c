/*
 * feed.c - rows of ours as a table that INSERT ... SELECT reads.
 *
 * A statement per row begins at the top of every index again, takes each value
 * by a bind and lets it go again. Here one statement takes the rows where they
 * lie, and its cursors stay where the last one went, which is next to where
 * the next one belongs when they come in the table's order.
 *
 * The table is an eponymous virtual one: no schema ever names it, and it is
 * empty but for the statement that sat_db_feed runs.
 */
#include "common/db/db_int.h"

#include <assert.h>
#include <string.h>

typedef struct feed_table {
	sqlite3_vtab base;
	sat_db *db;
} feed_table;

typedef struct feed_cursor {
	sqlite3_vtab_cursor base;
	const sat_db_rows *rows; /* NULL: there are none */
	sqlite3_int64 at;
} feed_cursor;

static int
on_connect(sqlite3 *h, void *u, int argc, const char *const *argv,
    sqlite3_vtab **out, char **text)
{
	sat_buf b = { 0 };
	feed_table *t;
	int xrc;

	(void)argc;
	(void)argv;
	(void)text;
	for (int i = 0; i < SAT_DB_ROWS_COLUMNS_MAX; i++)
		sat_buf_fmt(&b, "%s%d", i == 0 ? "CREATE TABLE x(c" : ",c", i);
	sat_buf_str(&b, ")");
	xrc = sqlite3_declare_vtab(h, sat_buf_cstr(&b));
	sat_buf_fini(&b);
	if (xrc != SQLITE_OK)
		return xrc;
	if ((t = sqlite3_malloc(sizeof *t)) == NULL)
		return SQLITE_NOMEM;
	memset(t, 0, sizeof *t);
	t->db = u;
	*out = &t->base;
	return SQLITE_OK;
}

static int
on_disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

static int
on_best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	(void)t;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int
on_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	feed_cursor *c = sqlite3_malloc(sizeof *c);

	(void)t;
	if (c == NULL)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof *c);
	*out = &c->base;
	return SQLITE_OK;
}

static int
on_close(sqlite3_vtab_cursor *c)
{
	sqlite3_free(c);
	return SQLITE_OK;
}

static int
on_next(sqlite3_vtab_cursor *base)
{
	feed_cursor *c = (feed_cursor *)base;

	c->at++;
	if (!c->rows->next(c->rows->u))
		c->rows = NULL;
	return SQLITE_OK;
}

static int
on_filter(sqlite3_vtab_cursor *base, int n, const char *text, int argc,
    sqlite3_value **argv)
{
	feed_cursor *c = (feed_cursor *)base;

	(void)n;
	(void)text;
	(void)argc;
	(void)argv;
	c->rows = ((feed_table *)base->pVtab)->db->feed;
	return c->rows != NULL ? on_next(base) : SQLITE_OK;
}

static int
on_eof(sqlite3_vtab_cursor *base)
{
	return ((feed_cursor *)base)->rows == NULL;
}

/* SQLITE_STATIC: the row is written before the next one is asked for. */
static int
on_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	const sat_db_value *v = &((feed_cursor *)base)->rows->values[i];
	const void *p = v->s.n > 0 ? (const void *)v->s.p : "";

	switch (v->type) {
	case 'i':
		sqlite3_result_int64(out, v->i);
		break;
	case 't':
		sqlite3_result_text64(out, p, v->s.n, SQLITE_STATIC,
		    SQLITE_UTF8);
		break;
	case 'b':
		sqlite3_result_blob64(out, p, v->s.n, SQLITE_STATIC);
		break;
	default:
		break; /* NULL */
	}
	return SQLITE_OK;
}

static int
on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((feed_cursor *)base)->at;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xConnect = on_connect, .xDisconnect = on_disconnect,
	.xBestIndex = on_best_index, .xOpen = on_open, .xClose = on_close,
	.xFilter = on_filter, .xNext = on_next, .xEof = on_eof,
	.xColumn = on_column, .xRowid = on_rowid,
};

sat_rc
sat_db_feed_ready(sat_db *db, sat_err *e)
{
	int xrc = sqlite3_create_module(db->h, "sat_rows", &module, db);

	return xrc == SQLITE_OK ? SAT_OK : sat_db_fail(db, xrc, "open", e);
}

sat_rc
sat_db_feed(sat_stmt *s, const sat_db_rows *rows, sat_err *e)
{
	sat_db *db = s->db;
	sat_rc rc;

	assert(db->feed == NULL);
	db->feed = rows;
	rc = sat_run(s, e);
	db->feed = NULL;
	return rc;
}
