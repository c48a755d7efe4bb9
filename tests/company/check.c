/*
 * What must hold when everybody has synced: each save in one place, the same
 * bytes on both sides, nothing of another team, a log that verifies.
 */
#include "tests/company/month.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 4

/* ---- everybody syncs --------------------------------------------------------------------- */

static bool
at_rest(laptop *d)
{
	sat_replica_status st;
	sat_err e = { 0 };

	month_must(sat_replica_status_get(&st, d->r, &e), &e, "status");
	return st.pending_commits == 0 && st.complete;
}

static void
settle(month *m)
{
	for (int i = 0; i < m->ndev; i++)
		m->dev[i]->skew_ms = 0;
	for (int round = 0; round < ROUNDS_MAX; round++)
		for (int i = 0; i < m->ndev; i++)
			if (!m->dev[i]->gone)
				(void)month_device_sync(m->dev[i], true);
	for (int i = 0; i < m->ndev; i++)
		if (!m->dev[i]->gone && !at_rest(m->dev[i]))
			month_bad(m, "device %d still waits for answers", i);
}

/* ---- each save in one place --------------------------------------------------------------- */

static void
place(void *u, const sat_commit *c, bool waiting, bool quarantine)
{
	save *s = month_save_find(u, c->payload_hash);

	if (s == NULL)
		month_bad(u, "a device holds a commit nobody saved");
	else if (quarantine)
		s->quarantine++;
	else
		s->waiting += waiting;
}

typedef struct lsns {
	uint64_t *v;
	size_t n, cap;
} lsns;

static bool
on_lsn(void *u, uint64_t lsn, uint32_t root)
{
	lsns *l = u;

	(void)root;
	if (l->n > 0 && l->v[l->n - 1] >= lsn)
		return true;
	if (l->n == l->cap) {
		l->cap = l->cap * 2 + 4096;
		l->v = sat_xrealloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = lsn;
	return true;
}

static void
place_logged(month *m, const sat_store *ops, uint64_t lsn)
{
	sat_log_row row;
	sat_commit c;
	save *s;
	sat_err e = { 0 };
	sat_rc rc = ops->log_get(&row, &m->a, ops->u, lsn, &e);

	if (rc == SAT_ENOTFOUND) /* a state that was given back */
		return;
	month_must(rc, &e, "log");
	month_must(sat_commit_read(&c, &m->a, row.header, row.payload, &e), &e,
	    "logged commit");
	if ((s = month_save_find(m, c.payload_hash)) != NULL)
		s->in_log++;
	else if (c.device == 0)
		COUNT(m, own, 1);
	else
		month_bad(m, "position %llu holds a commit nobody saved",
		    (unsigned long long)lsn);
}

static bool
on_segment(void *u, const sat_sqlite_segment *g)
{
	for (uint64_t lsn = g->first; lsn <= g->last; lsn++)
		(void)on_lsn(u, lsn, 0);
	return true;
}

/* The files of the log first, then what is still in the database. */
static void
place_log(month *m)
{
	sat_store ops = sat_sqlite_store_ops(m->store);
	sat_keys all = { .k = { SAT_KEY_ALL }, .n = 1 };
	lsns l = { 0 };
	sat_err e = { 0 };

	month_must(sat_sqlite_segments(m->store, on_segment, &l, &e), &e,
	    "segments");
	month_must(ops.scope_scan(ops.u, &all, 0, on_lsn, &l, &e), &e, "log");
	for (size_t i = 0; i < l.n; i++) {
		sat_arena_reset(&m->a);
		place_logged(m, &ops, l.v[i]);
	}
	free(l.v);
}

static void
check_saves(month *m)
{
	place_log(m);
	for (int i = 0; i < m->ndev; i++)
		if (!m->dev[i]->gone)
			month_device_kept(m->dev[i], place, m);
	for (size_t i = 0; i < m->nsaves; i++) {
		const save *s = &m->saves[i];
		int n = s->in_log + s->waiting + s->quarantine;

		COUNT(m, in_log, s->in_log);
		COUNT(m, in_quarantine, s->quarantine);
		COUNT(m, disk_lost, n == 0 && s->excused);
		if (n != 1 && !(n == 0 && s->excused))
			month_bad(m, "save %zu of device %d is in %d places: "
			    "log %d, waiting %d, quarantine %d", i, s->dev, n,
			    s->in_log, s->waiting, s->quarantine);
	}
}

/* ---- the same bytes ------------------------------------------------------------------------ */

static void
hash_state(void *u, const sat_id *id, sat_span state)
{
	sat_hasher_add(u, sat_span_of(id->b, sizeof id->b));
	sat_hasher_add(u, state);
}

static void
check_same(month *m, laptop *d)
{
	uint8_t here[SAT_HASH_BYTES], there[SAT_HASH_BYTES];
	sat_replica_status st;
	sat_hasher h;
	sat_err e = { 0 };

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	month_must(sat_replica_dump(d->r, hash_state, &h, &e), &e, "dump");
	sat_hasher_done(&h, here);
	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	month_must(sat_server_dump(m->server, sat_registry_user(
	    sat_server_registry(m->server), sat_span_str(
	    m->user[d->user].key)), hash_state, &h, &e), &e, "dump");
	sat_hasher_done(&h, there);
	COUNT(m, compared, 1);
	if (memcmp(here, there, sizeof here) != 0)
		month_bad(m, "device %d (%s) and the server differ", d->index,
		    m->user[d->user].key);
	if (sat_replica_check(d->r, false, &e) != SAT_OK)
		month_bad(m, "device %d: %s", d->index, e.text);
	month_must(sat_replica_status_get(&st, d->r, &e), &e, "status");
	/* After the loss of a server sums may differ until the states that were
	 * given back have come round. */
	COUNT(m, diverged, st.diverged.count);
	if (st.diverged.count != 0 && m->losses == 0)
		month_bad(m, "device %d had to be sent records again",
		    d->index);
	if (m->user[d->user].role == HQ && d->user == 0)
		COUNT(m, conflicts, st.conflicts);
}

/* ---- nothing of another team ----------------------------------------------------------------- */

static void
look_for_canaries(month *m, laptop *d, sat_span s)
{
	uint64_t team = (uint64_t)1 << m->user[d->user].team;

	for (size_t i = 0; i + 13 <= s.n; i++) {
		int n = 0;

		if (memcmp(s.p + i, "canary-", 7) != 0)
			continue;
		for (size_t k = 7; k < 13 && isdigit(s.p[i + k]); k++)
			n = n * 10 + (s.p[i + k] - '0');
		COUNT(m, canaries, 1);
		if (n >= m->ncust || (m->user[d->user].role != HQ &&
		    !(m->cust[n].teams & team)))
			month_bad(m, "device %d (%s) holds something of "
			    "customer %d", d->index, m->user[d->user].key, n);
	}
}

static void
look_through(month *m, laptop *d, const char *table)
{
	char sql[120];
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	(void)snprintf(sql, sizeof sql, "SELECT * FROM \"%.63s\"", table);
	month_must(sat_db_stmt_text(&s, sat_replica_db(d->r), sql, &e), &e,
	    "table");
	while (month_must(sat_step(&row, s, &e), &e, "row"), row)
		for (int i = 0; i < sat_col_count(s); i++) {
			char type = (char)sat_col_type(s, i);

			if (type == 't' || type == 'b')
				look_for_canaries(m, d, sat_col_blob(s, i));
		}
	sat_stmt_reset(s);
}

static void
check_scope(month *m, laptop *d)
{
	char tables[80][64];
	size_t n = 0;
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	month_must(sat_db_stmt_text(&s, sat_replica_db(d->r), "SELECT name "
	    "FROM sqlite_master WHERE type = 'table'", &e), &e, "tables");
	while (month_must(sat_step(&row, s, &e), &e, "tables"), row && n < 80) {
		sat_span name = sat_col_text(s, 0);

		(void)snprintf(tables[n++], sizeof tables[0], "%.*s",
		    (int)name.n, (const char *)name.p);
	}
	sat_stmt_reset(s);
	for (size_t i = 0; i < n; i++)
		look_through(m, d, tables[i]);
}

/* ---- the server -------------------------------------------------------------------------------- */

static void
check_server(month *m)
{
	uint64_t commits = 0, records = 0;
	sat_err e = { 0 };

	if (sat_server_verify(m->server, &commits, &records, &e) != SAT_OK)
		month_bad(m, "the server's log: %s", e.text);
	if (sat_sqlite_store_check(m->store, false, &e) != SAT_OK)
		month_bad(m, "the server's file: %s", e.text);
	if (sat_sqlite_segments_verify(m->store, &m->org, m->server_pk, &e) !=
	    SAT_OK)
		month_bad(m, "the files of the log: %s", e.text);
	COUNT(m, log_commits, commits);
	COUNT(m, log_records, records);
}

/* Who begins now gets what the others have. */
static void
fresh_devices(month *m)
{
	const int who[] = { 0, m->nusers / 2, m->nusers - 1 };

	for (size_t i = 0; i < 3; i++) {
		laptop *d = month_device_new(m, who[i]);

		COUNT(m, fresh, 1);
		(void)month_device_sync(d, true);
		if (!at_rest(d))
			month_bad(m, "a new device is not filled");
	}
}

void
month_check(month *m)
{
	settle(m);
	check_saves(m);
	fresh_devices(m);
	for (int i = 0; i < m->ndev; i++) {
		if (m->dev[i]->gone)
			continue;
		sat_arena_reset(&m->a);
		check_same(m, m->dev[i]);
		check_scope(m, m->dev[i]);
	}
	check_server(m);
}
