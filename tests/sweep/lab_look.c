/*
 * lab_look.c - what a lab holds, as digests: all rows of a database; what is
 * the same on all sides when everybody has synced.
 */
#include "tests/sweep/sweep.h"

#include <stdio.h>
#include <string.h>

static void
digest_query(sat_hasher *h, sat_db *db, const char *table, const char *sql)
{
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	lab_must(sat_db_stmt_text(&s, db, sql, &e), &e, "table");
	sat_hasher_add(h, sat_span_str(table));
	while (lab_must(sat_step(&row, s, &e), &e, "row"), row)
		for (int i = 0; i < sat_col_count(s); i++) {
			char type = (char)sat_col_type(s, i);
			int64_t v = type == 'i' ? sat_col_int(s, i) : 0;

			sat_hasher_add(h, sat_span_of(&type, 1));
			sat_hasher_add(h, sat_span_of(&v, sizeof v));
			if (type == 't' || type == 'b')
				sat_hasher_add(h, sat_col_blob(s, i));
		}
	sat_stmt_reset(s);
}

static void
digest_rows(sat_hasher *h, sat_db *db, const char *table, const char *more)
{
	char sql[120];

	(void)snprintf(sql, sizeof sql, "SELECT * FROM \"%.63s\"%s", table,
	    more);
	digest_query(h, db, table, sql);
}

/* Where runs begin depends on what shared a transaction; positions do not. */
static const char positions[] =
	"WITH RECURSIVE e(key, lsn, last) AS (SELECT key, first, last FROM "
	"scope_run UNION SELECT key, lsn + 1, last FROM e WHERE lsn < last) "
	"SELECT DISTINCT key, lsn FROM e ORDER BY key, lsn";

static bool
digest_rec(void *u, const sat_rec_row *r)
{
	uint32_t n[3] = { r->eid, r->kind, r->root };

	sat_hasher_add(u, sat_span_of(n, sizeof n));
	sat_hasher_add(u, sat_span_of(r->id.b, sizeof r->id.b));
	sat_hasher_add(u, r->owner);
	sat_hasher_add(u, r->state);
	return true;
}

/* Which rows of records are behind depends on how the server ended; what is
 * read does not (server/store/sqlite/store_late.c). */
static bool
digest_late(sat_hasher *h, lab *L, sat_db *db, const char *table)
{
	sat_store st;
	char more[40];
	sat_err e = { 0 };

	if (L->store == NULL || db != sat_sqlite_store_db(L->store))
		return false;
	if (strcmp(table, "counter") == 0) {
		(void)snprintf(more, sizeof more, " WHERE c <> %d",
		    SAT_N_FOLDED);
		digest_rows(h, db, table, more);
		return true;
	}
	if (strcmp(table, "scope_run") == 0) {
		digest_query(h, db, table, positions);
		return true;
	}
	if (strcmp(table, "rec") != 0)
		return false;
	st = sat_sqlite_store_ops(L->store);
	lab_must(st.rec_scan(st.u, 0, digest_rec, h, &e), &e, "records");
	return true;
}

/*
 * The search index is made from the rows, some at a time, by whoever reads
 * (check_side holds it against them). When a device was last heard of is in two
 * tables of the server: `but` "device" leaves out both.
 */
static bool
left_out(const char *table, const char *but)
{
	if (strncmp(table, "search", 6) == 0)
		return true;
	return but != NULL && (strcmp(table, but) == 0 ||
	    (strcmp(but, "device") == 0 && strcmp(table, "reported") == 0));
}

void
lab_digest(uint8_t out[SAT_HASH_BYTES], lab *L, sat_db *db, const char *but)
{
	char tables[256][64]; /* kinds have one or two each */
	size_t n = 0;
	sat_hasher h;
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	lab_must(sat_db_stmt_text(&s, db, "SELECT name FROM sqlite_master "
	    "WHERE type = 'table' ORDER BY name", &e), &e, "tables");
	while (lab_must(sat_step(&row, s, &e), &e, "tables"), row && n < 256) {
		sat_span name = sat_col_text(s, 0);

		(void)snprintf(tables[n++], sizeof tables[0], "%.*s",
		    (int)name.n, (const char *)name.p);
	}
	sat_stmt_reset(s);
	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	for (size_t i = 0; i < n; i++)
		if (!left_out(tables[i], but) &&
		    !digest_late(&h, L, db, tables[i]))
			digest_rows(&h, db, tables[i], "");
	sat_hasher_done(&h, out);
}

static void
hash_record(void *u, const sat_id *id, sat_span state)
{
	sat_hasher *h = u;

	sat_hasher_add(h, sat_span_of(id->b, sizeof id->b));
	sat_hasher_add(h, state);
}

static bool
agrees(lab *L, lab_dev *d, const char *user, sat_err *e)
{
	uint8_t here[SAT_HASH_BYTES], there[SAT_HASH_BYTES];
	const sat_user *u = sat_registry_user(sat_server_registry(L->server),
	    sat_span_str(user));
	sat_replica_status st;
	sat_hasher h;

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	if (sat_replica_dump(d->r, hash_record, &h, e) != SAT_OK)
		return false;
	sat_hasher_done(&h, here);
	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	if (sat_server_dump(L->server, u, hash_record, &h, e) != SAT_OK)
		return false;
	sat_hasher_done(&h, there);
	if (memcmp(here, there, sizeof here) != 0) {
		(void)sat_fail(e, SAT_EFAIL, "%s differs from the server",
		    d->m.name);
		return false;
	}
	if (sat_replica_status_get(&st, d->r, e) != SAT_OK)
		return false;
	if (st.pending_commits != 0)
		(void)sat_fail(e, SAT_EFAIL, "%s still waits", d->m.name);
	return st.pending_commits == 0 && sat_replica_check(d->r, true, e) ==
	    SAT_OK;
}

bool
lab_settle(lab *L, sat_err *e)
{
	static const char *const users[] = { "ann", "bob", "hq" };

	if (L->server == NULL && lab_open_server(L, false, e) != SAT_OK)
		return false;
	for (int i = 0; i < RAW; i++)
		if (L->dev[i].r == NULL && lab_open_device(L, &L->dev[i], e) !=
		    SAT_OK)
			return false;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < RAW; i++)
			if (talk_whole(L, &L->dev[i], e) != SAT_OK)
				return false;
	for (int i = 0; i < RAW; i++)
		if (!agrees(L, &L->dev[i], users[i], e))
			return false;
	return true;
}

void
lab_settled_digest(lab *L, uint8_t out[SAT_HASH_BYTES])
{
	sat_replica_status st;
	sat_hasher h;
	sat_err e = { 0 };

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	lab_must(sat_server_dump(L->server, NULL, hash_record, &h, &e), &e,
	    "dump");
	for (int i = 0; i < RAW; i++) {
		lab_must(sat_replica_status_get(&st, L->dev[i].r, &e), &e,
		    "status");
		sat_hasher_add(&h, sat_span_of(&st.quarantined,
		    sizeof st.quarantined));
		lab_must(sat_replica_dump(L->dev[i].r, hash_record, &h, &e),
		    &e, "dump");
	}
	sat_hasher_done(&h, out);
}
