/*
 * stmt.c - prepared statements: numbered ones, and a cache of generated ones.
 *
 * Preparing costs more than most of our statements; a template's texts are
 * few and repeat, so the last DB_TEXT_CACHE_MAX stay prepared, the least
 * recently fetched one leaves first. A statement that has a row pending is
 * never evicted.
 */
#include "common/db/db_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static sat_rc
make(sat_stmt **out, sat_db *db, const char *sql, sat_err *e)
{
	sqlite3_stmt *x = NULL;
	const char *tail = NULL;
	sat_stmt *s;
	int xrc;

	xrc = sqlite3_prepare_v3(
	    db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &x, &tail);
	if (xrc != SQLITE_OK)
		return sat_db_fail(db, xrc, "prepare", e);
	if (x == NULL)
		return sat_fail(e, SAT_EFAIL, "an empty statement");
	s = sat_xcalloc(1, sizeof *s);
	s->db = db;
	s->s = x;
	s->done = true;
	*out = s;
	return SAT_OK;
}

static void
drop(sat_stmt *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_finalize(s->s);
	free(s->text);
	free(s);
}

/* Ready for new values. */
static void
refresh(sat_stmt *s)
{
	if (!s->done) /* else the last step has */
		sat_stmt_reset(s);
	(void)sqlite3_clear_bindings(s->s);
	s->bind_rc = SQLITE_OK;
}

sat_rc
sat_db_own(sat_stmt **s, sat_db *db, int sql, sat_err *e)
{
	sat_rc rc;

	assert(sql >= 0 && sql < common_db_sql_count);
	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	if (db->own[sql] == NULL && (rc = make(&db->own[sql], db,
	    common_db_sql[sql].text, e)) != SAT_OK)
		return rc;
	*s = db->own[sql];
	refresh(*s);
	return SAT_OK;
}

sat_rc
sat_db_stmt(sat_stmt **s, sat_db *db, int sql, sat_err *e)
{
	sat_rc rc;

	assert(sql >= 0 && (size_t)sql < db->nsql);
	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	if (db->numbered[sql] == NULL && (rc = make(&db->numbered[sql], db,
	    db->sql[sql].text, e)) != SAT_OK)
		return rc;
	*s = db->numbered[sql];
	refresh(*s);
	return SAT_OK;
}

/* Eight bytes at a time: a template's texts have hundreds. They are our own. */
static uint64_t
hash_of(const char *s)
{
	size_t n = strlen(s);
	uint64_t h = 0xcbf29ce484222325ull ^ n, word;

	for (; n >= sizeof word; n -= sizeof word, s += sizeof word) {
		memcpy(&word, s, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	for (; n > 0; n--, s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return h;
}

static void
unlink_age(sat_db *db, sat_stmt *s)
{
	*(s->newer != NULL ? &s->newer->older : &db->newest) = s->older;
	*(s->older != NULL ? &s->older->newer : &db->oldest) = s->newer;
	s->newer = s->older = NULL;
}

static void
link_newest(sat_db *db, sat_stmt *s)
{
	s->older = db->newest;
	*(db->newest != NULL ? &db->newest->newer : &db->oldest) = s;
	db->newest = s;
}

void
sat_db_texts_moved(sat_db *db)
{
	memset(db->kept, 0, sizeof db->kept);
}

static void
evict_one(sat_db *db)
{
	sat_stmt *s, **p;

	for (s = db->oldest; s != NULL && !s->done; s = s->newer)
		;
	if (s == NULL)
		return;
	for (p = &db->buckets[s->hash % DB_TEXT_BUCKETS]; *p != s;
	     p = &(*p)->bucket_next)
		assert(*p != NULL);
	*p = s->bucket_next;
	unlink_age(db, s);
	memset(db->recent, 0, sizeof db->recent);
	sat_db_texts_moved(db);
	db->ntexts--;
	drop(s);
}

static sat_stmt *
find_text(sat_db *db, const char *sql, uint64_t *hash)
{
	sat_stmt *s;

	*hash = hash_of(sql);
	s = db->buckets[*hash % DB_TEXT_BUCKETS];
	while (s != NULL && (s->hash != *hash || strcmp(s->text, sql) != 0))
		s = s->bucket_next;
	return s;
}

/* Texts of a thousand bytes come from the same place each time: comparing is
 * much quicker than hashing. Another text at that place is simply not equal. */
sat_rc
sat_db_stmt_text(sat_stmt **out, sat_db *db, const char *sql, sat_err *e)
{
	sat_stmt **recent = &db->recent[(uintptr_t)sql / 16 % DB_TEXT_RECENT];
	sat_stmt *s = *recent;
	uint64_t h = 0;
	sat_rc rc;

	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	if (s == NULL || strcmp(s->text, sql) != 0)
		s = find_text(db, sql, &h);
	if (s != NULL) {
		unlink_age(db, s);
	} else {
		if ((rc = make(&s, db, sql, e)) != SAT_OK)
			return rc;
		if (db->ntexts >= DB_TEXT_CACHE_MAX)
			evict_one(db);
		s->text = sat_xstrdup(sql);
		s->hash = h;
		s->bucket_next = db->buckets[h % DB_TEXT_BUCKETS];
		db->buckets[h % DB_TEXT_BUCKETS] = s;
		db->ntexts++;
	}
	*recent = s;
	link_newest(db, s);
	refresh(s);
	*out = s;
	return SAT_OK;
}

/* Comparing a text of a thousand bytes is a fiftieth of an edit. */
sat_rc
sat_db_stmt_kept(sat_stmt **out, sat_db *db, const char *sql, sat_err *e)
{
	size_t i = (uintptr_t)sql / 16 % DB_TEXT_RECENT;
	sat_rc rc;

	if (db->kept[i].at == sql) {
		if ((rc = sat_db_alive(db, e)) != SAT_OK)
			return rc;
		*out = db->kept[i].s;
		unlink_age(db, *out);
		link_newest(db, *out);
		refresh(*out);
		return SAT_OK;
	}
	if ((rc = sat_db_stmt_text(out, db, sql, e)) == SAT_OK) {
		db->kept[i].at = sql;
		db->kept[i].s = *out;
	}
	return rc;
}

void
sat_db_drop_stmts(sat_db *db)
{
	sat_stmt *s;
	size_t i;

	for (i = 0; i < db->nsql; i++) {
		drop(db->numbered[i]);
		db->numbered[i] = NULL;
	}
	for (i = 0; i < common_db_sql_count; i++) {
		drop(db->own[i]);
		db->own[i] = NULL;
	}
	memset(db->recent, 0, sizeof db->recent);
	sat_db_texts_moved(db);
	while ((s = db->newest) != NULL) {
		unlink_age(db, s);
		drop(s);
	}
	memset(db->buckets, 0, sizeof db->buckets);
	db->ntexts = 0;
}

sat_rc
sat_db_exec(sat_db *db, const char *sql, sat_err *e)
{
	sat_rc rc;
	int xrc;

	if ((rc = sat_db_alive(db, e)) != SAT_OK)
		return rc;
	xrc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
	return xrc == SQLITE_OK ? SAT_OK : sat_db_fail(db, xrc, "run", e);
}

/* Misuse is our own mistake; a value too large for SQLite comes from outside
 * and is given out by the next step. */
static void
bound(sat_stmt *s, int xrc)
{
	assert(xrc != SQLITE_MISUSE && xrc != SQLITE_RANGE);
	if (xrc != SQLITE_OK && s->bind_rc == SQLITE_OK)
		s->bind_rc = xrc;
}

void
sat_bind_int(sat_stmt *s, int i, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->s, i, v));
}

/* An empty span may have a NULL pointer, which SQLite would take for NULL. */
void
sat_bind_text(sat_stmt *s, int i, sat_span v)
{
	bound(s, sqlite3_bind_text64(s->s, i,
	    v.n > 0 ? (const char *)v.p : "", v.n, SQLITE_STATIC,
	    SQLITE_UTF8));
}

void
sat_bind_blob(sat_stmt *s, int i, sat_span v)
{
	bound(s, sqlite3_bind_blob64(s->s, i,
	    v.n > 0 ? (const void *)v.p : "", v.n, SQLITE_STATIC));
}

void
sat_bind_null(sat_stmt *s, int i)
{
	bound(s, sqlite3_bind_null(s->s, i));
}

int
sat_bind_index(sat_stmt *s, const char *name)
{
	return sqlite3_bind_parameter_index(s->s, name);
}

sat_rc
sat_step(bool *row, sat_stmt *s, sat_err *e)
{
	sat_rc rc;
	int xrc;

	*row = false;
	if ((rc = sat_db_alive(s->db, e)) != SAT_OK)
		return rc;
	if (s->bind_rc != SQLITE_OK)
		return sat_db_fail(s->db, s->bind_rc, "bind", e);
	xrc = sqlite3_step(s->s);
	if (xrc == SQLITE_ROW) {
		s->done = false;
		*row = true;
		return SAT_OK;
	}
	rc = xrc == SQLITE_DONE ? SAT_OK : sat_db_fail(s->db, xrc,
	    sqlite3_stmt_readonly(s->s) ? "read" : "write", e);
	sat_stmt_reset(s);
	return rc;
}

sat_rc
sat_run(sat_stmt *s, sat_err *e)
{
	bool row;
	sat_rc rc = sat_step(&row, s, e);

	assert(rc != SAT_OK || !row);
	return rc;
}

void
sat_stmt_reset(sat_stmt *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_reset(s->s); /* repeats the code of the last step */
	s->done = true;
}

int64_t
sat_col_int(sat_stmt *s, int i)
{
	return sqlite3_column_int64(s->s, i);
}

sat_span
sat_col_text(sat_stmt *s, int i)
{
	/* Not column_text: that makes room for a NUL, and a text there is no
	 * memory for would read as an empty one. */
	const void *p = sqlite3_column_blob(s->s, i);
	int n = sqlite3_column_bytes(s->s, i);

	return p != NULL ? sat_span_of(p, (size_t)n) : sat_span_of("", 0);
}

sat_span
sat_col_blob(sat_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s->s, i);
	int n = sqlite3_column_bytes(s->s, i);

	return p != NULL ? sat_span_of(p, (size_t)n) : sat_span_of("", 0);
}

bool
sat_col_null(sat_stmt *s, int i)
{
	return sqlite3_column_type(s->s, i) == SQLITE_NULL;
}

int
sat_col_type(sat_stmt *s, int i)
{
	switch (sqlite3_column_type(s->s, i)) {
	case SQLITE_INTEGER:
		return 'i';
	case SQLITE_TEXT:
		return 't';
	case SQLITE_BLOB:
		return 'b';
	case SQLITE_FLOAT:
		return 'f';
	default:
		return 'n';
	}
}

int
sat_col_any(int64_t *n, sat_span *v, sat_stmt *s, int i)
{
	/* one call that checks the column, three that look at the value */
	sqlite3_value *x = sqlite3_column_value(s->s, i);
	const void *p;

	switch (sqlite3_value_type(x)) {
	case SQLITE_INTEGER:
		*n = sqlite3_value_int64(x);
		return 'i';
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		p = sqlite3_value_blob(x);
		*v = p != NULL ?
		    sat_span_of(p, (size_t)sqlite3_value_bytes(x)) :
		    sat_span_of("", 0);
		return sqlite3_value_type(x) == SQLITE_TEXT ? 't' : 'b';
	case SQLITE_FLOAT:
		return 'f';
	default:
		return 'n';
	}
}

int
sat_col_count(sat_stmt *s)
{
	return sqlite3_column_count(s->s);
}

const char *
sat_col_name(sat_stmt *s, int i)
{
	const char *name = sqlite3_column_name(s->s, i);

	return name != NULL ? name : "";
}
