/*
 * floor.c - the same table in plain SQLite, as a careful C programmer would
 * write it: WAL, synchronous=FULL, prepared statements, nothing tracked.
 *
 * Same library, file layer, page size and cache as ours; amount and dates are
 * integers here too, so that the floor is not made easier to stand beside. The
 * checkpoint interval is SQLite's default; ours is four times as long.
 */
#include "tests/bench/bench.h"

#include <sqlite3.h>
#include <unistd.h>

struct floor_db {
	sqlite3 *h;
	sqlite3_stmt *begin, *commit, *insert;
	sqlite3_stmt *update[BENCH_FIELDS], *upsert[BENCH_FIELDS];
};

static void
check(floor_db *f, int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		bench_die("floor: %s: %s", what, sqlite3_errmsg(f->h));
}

static void
run(floor_db *f, const char *sql)
{
	check(f, sqlite3_exec(f->h, sql, NULL, NULL, NULL), sql);
}

static sqlite3_stmt *
prepare(floor_db *f, const char *sql)
{
	sqlite3_stmt *s = NULL;

	check(f, sqlite3_prepare_v3(f->h, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &s, NULL), sql);
	return s;
}

static void
step(floor_db *f, sqlite3_stmt *s)
{
	check(f, sqlite3_step(s), "step");
	check(f, sqlite3_reset(s), "reset");
}

static void
prepare_all(floor_db *f)
{
	sat_buf b = { 0 };

	f->begin = prepare(f, "BEGIN IMMEDIATE");
	f->commit = prepare(f, "COMMIT");
	sat_buf_str(&b, "INSERT INTO customer VALUES(?1");
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		sat_buf_fmt(&b, ",?%zu", i + 2);
	sat_buf_str(&b, ")");
	f->insert = prepare(f, sat_buf_cstr(&b));
	for (size_t i = 0; i < BENCH_FIELDS; i++) {
		sat_buf_reset(&b);
		sat_buf_fmt(&b, "UPDATE customer SET %s = ?2 WHERE id = ?1",
		    bench_fields[i]);
		f->update[i] = prepare(f, sat_buf_cstr(&b));
		sat_buf_reset(&b);
		sat_buf_fmt(&b, "INSERT INTO customer(id, %s) VALUES(?1, ?2) "
		    "ON CONFLICT(id) DO UPDATE SET %s = excluded.%s",
		    bench_fields[i], bench_fields[i], bench_fields[i]);
		f->upsert[i] = prepare(f, sat_buf_cstr(&b));
	}
	sat_buf_fini(&b);
}

floor_db *
floor_open(const char *path)
{
	floor_db *f = sat_xcalloc(1, sizeof *f);
	char *wal = sat_xasprintf("%s-wal", path);
	sat_buf b = { 0 };

	(void)unlink(path);
	(void)unlink(wal);
	free(wal);
	/* as in ours; whoever of the two is first in the process sets it */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	check(f, sqlite3_open_v2(path, &f->h, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, "unix-excl"), "open");
	run(f, "PRAGMA journal_mode = WAL");
	run(f, "PRAGMA synchronous = FULL");
	run(f, "PRAGMA wal_autocheckpoint = 1000");
	run(f, "PRAGMA cache_size = -65536");
	sat_buf_str(&b, "CREATE TABLE customer(id TEXT PRIMARY KEY");
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		sat_buf_fmt(&b, ", %s %s", bench_fields[i],
		    i < BENCH_AMOUNT ? "TEXT" : "INTEGER");
	sat_buf_str(&b, ")");
	run(f, sat_buf_cstr(&b));
	sat_buf_fini(&b);
	prepare_all(f);
	return f;
}

void
floor_close(floor_db *f)
{
	sqlite3_stmt *s;

	while ((s = sqlite3_next_stmt(f->h, NULL)) != NULL)
		(void)sqlite3_finalize(s);
	(void)sqlite3_close(f->h);
	free(f);
}

void
floor_begin(floor_db *f)
{
	step(f, f->begin);
}

void
floor_commit(floor_db *f)
{
	step(f, f->commit);
}

static void
bind(floor_db *f, sqlite3_stmt *s, int i, sat_value v)
{
	int rc = SQLITE_OK;

	switch (v.type) {
	case SAT_V_INT:
		rc = sqlite3_bind_int64(s, i, v.i);
		break;
	case SAT_V_TEXT:
		rc = sqlite3_bind_text(s, i, (const char *)v.s.p, (int)v.s.n,
		    SQLITE_STATIC);
		break;
	case SAT_V_BYTES:
	case SAT_V_NULL:
		rc = sqlite3_bind_null(s, i);
		break;
	}
	check(f, rc, "bind");
}

static void
bind_id(floor_db *f, sqlite3_stmt *s, const char *id)
{
	check(f, sqlite3_bind_text(s, 1, id, 26, SQLITE_STATIC), "bind");
}

void
floor_insert(floor_db *f, const bench_data *d, const bench_values *v,
    size_t row)
{
	const sat_value *vals = bench_row_of(v, row);

	bind_id(f, f->insert, d->id_text[row]);
	for (int i = 0; i < BENCH_FIELDS; i++)
		bind(f, f->insert, i + 2, vals[i]);
	step(f, f->insert);
}

static size_t
column(const char *key)
{
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		if (bench_fields[i] == key)
			return i;
	bench_die("floor: no column %s", key);
}

void
floor_update(floor_db *f, const bench_data *d, const bench_edit *ed,
    sat_value v)
{
	sqlite3_stmt *s = f->update[column(ed->field)];

	bind_id(f, s, d->id_text[ed->row]);
	bind(f, s, 2, v);
	step(f, s);
}

void
floor_upsert(floor_db *f, const bench_data *d, const bench_edit *ed,
    sat_value v)
{
	sqlite3_stmt *s = f->upsert[column(ed->field)];

	bind_id(f, s, d->id_text[ed->row]);
	bind(f, s, 2, v);
	step(f, s);
}

int64_t
floor_pages(floor_db *f)
{
	int now = 0, peak;

	check(f, sqlite3_db_status(f->h, SQLITE_DBSTATUS_CACHE_WRITE, &now,
	    &peak, 0), "status");
	return now;
}

int64_t
floor_scan(floor_db *f)
{
	sqlite3_stmt *s = prepare(f, "SELECT sum(length(remark)) FROM customer");
	int64_t n;

	check(f, sqlite3_step(s), "scan");
	n = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return n;
}
