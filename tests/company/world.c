/*
 * The calendar. Five days of seven are worked; what befalls the company falls
 * on fixed days, whom it befalls is drawn.
 */
#include "tests/company/month.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"

#define TEAM_SIZE 20

/* What is due, and waits for a working day on which the server's disk lives:
 * a laptop that is lost on that same day takes along what only the two had. */
typedef struct due {
	int storms, thefts, copies, restores, clocks;
	bool template, loss, compact;
} due;

/* ---- the company ------------------------------------------------------------------------- */

static void
hire(month *m, const char *name, role r, int team)
{
	static const char *const roles[] = { "rep", "manager", "hq" };
	staff *u = &m->user[m->nusers];
	char key[16];
	uint32_t ord;
	sat_err e = { 0 };

	(void)snprintf(u->key, sizeof u->key, "%s%d", name, m->nusers);
	(void)snprintf(key, sizeof key, "team%d", team);
	u->role = r;
	u->team = team;
	month_must(sat_sqlite_user_add(&ord, m->store, u->key, u->key,
	    roles[r], team == TEAM_NONE ? NULL : key, &e), &e, "user");
	m->nusers++;
	COUNT(m, people, 1);
}

static void
people(month *m, int n)
{
	int hq = 1 + n / 50;
	char key[16];
	uint32_t ord;
	sat_err e = { 0 };

	m->nteams = n / TEAM_SIZE > 2 ? n / TEAM_SIZE : 2;
	m->user = sat_xcalloc((size_t)n, sizeof *m->user);
	for (int t = 0; t < m->nteams; t++) {
		(void)snprintf(key, sizeof key, "team%d", t);
		month_must(sat_sqlite_team_add(&ord, m->store, key, key, "",
		    &e), &e, "team");
	}
	for (int i = 0; i < hq; i++)
		hire(m, "hq", HQ, TEAM_NONE);
	for (int t = 0; t < m->nteams; t++)
		hire(m, "boss", MANAGER, t);
	for (int i = 0; m->nusers < n; i++)
		hire(m, "rep", REP, i % m->nteams);
	month_must(sat_server_reload(m->server, &e), &e, "reload");
	for (int i = 0; i < m->nusers; i++)
		(void)month_device_sync(month_device_new(m, i), true);
}

static void
keys(month *m)
{
	uint8_t mk[SAT_KEY_BYTES] = { 7 }, key[32] = { 8 };

	m->ring = sat_keyring_memory(mk);
	m->org.b[0] = 5;
	sat_sign_keys(m->root_pk, m->root_sk, key);
	key[0] = 9;
	sat_sign_keys(m->server_pk, m->server_sk, key);
}

/* ---- what befalls it ------------------------------------------------------------------------ */

static laptop *
some_laptop(month *m)
{
	return m->dev[m->user[month_draw(m, (uint64_t)m->nusers)].dev];
}

static laptop *
rep_laptop(month *m)
{
	laptop *d;

	do
		d = some_laptop(m);
	while (m->user[d->user].role != REP);
	return d;
}

static void
restore_some(month *m)
{
	for (int tried = 0; tried < 100; tried++) {
		laptop *d = rep_laptop(m);

		if (!d->has_backup)
			continue;
		month_device_restore(d);
		return;
	}
}

/* Up to nine years off either way; where permits run, hours, for a device
 * whose clock was turned back stays locked until the time is past. */
static void
upset_clock(month *m)
{
	laptop *d = some_laptop(m);
	int64_t much = m->quarter ? HOUR_MS : 365 * DAY_MS;
	int64_t most = m->quarter ? 20 : 9;

	d->skew_ms = ((int64_t)month_draw(m, (uint64_t)(2 * most + 1)) - most) *
	    much;
	COUNT(m, clocks, 1);
}

static void
note_due(month *m, due *x)
{
	int n = m->nusers, day = m->day;

	x->storms += day % 3 == 1 ? 1 + n / 100 : 0;
	x->copies += day % 2 == 0 ? 1 + n / 20 : 0;
	x->clocks += 1 + n / 40;
	if (!m->quarter || day % 14 == 0)
		x->thefts += day % 5 == 2 || m->quarter ? 1 + n / 100 : 0;
	x->restores += day % (m->quarter ? 15 : 4) == 3 ? 1 + n / 100 : 0;
	x->loss |= !m->quarter && day == m->days * 3 / 5;
	x->compact |= day % 7 == 3;
	x->template |= m->quarter ? day == m->days / 4 || day == m->days / 2 ||
	    day == m->days * 3 / 4 : day == m->days / 2;
}

static void
befall(month *m, due *x)
{
	sat_err e = { 0 };

	if (x->template && m->tip + 1 < SIM_TEMPLATES) {
		m->tip++;
		month_must(sat_server_reload(m->server, &e), &e, "reload");
		COUNT(m, templates, 1);
	}
	x->template = false;
	for (; x->clocks > 0; x->clocks--)
		upset_clock(m);
	for (; x->storms > 0; x->storms--)
		month_people_storm(m);
	if (x->loss)
		return;
	for (; x->copies > 0; x->copies--)
		month_device_backup(rep_laptop(m));
	for (; x->thefts > 0; x->thefts--)
		month_device_steal(rep_laptop(m));
	for (; x->restores > 0; x->restores--)
		restore_some(m);
}

/* ---- a day ------------------------------------------------------------------------------------ */

/* He sits down at his device, and may be where there is a network. */
static void
visit(month *m, laptop *d, bool evening)
{
	bool locked;
	sat_err e = { 0 };

	if (d->skew_ms != 0 && month_draw(m, 4) == 0)
		d->skew_ms = 0;
	locked = sat_replica_permitted(d->r, &e) != SAT_OK;
	if (locked) {
		COUNT(m, locked, 1);
		d->away = 0;
		(void)month_device_sync(d, true);
		if (sat_replica_permitted(d->r, &e) != SAT_OK)
			return;
		COUNT(m, unlocked, 1);
	}
	for (uint64_t n = 1 + month_draw(m, m->quarter ? 3 : 4); n > 0; n--)
		month_people_write(d);
	if (d->away > 0) {
		d->away -= evening;
		return;
	}
	if (month_draw(m, 60) == 0) {
		d->away = 1 + (int)month_draw(m, m->quarter ? 14 : 4);
		COUNT(m, offline, 1);
	} else if (evening || month_draw(m, 2) == 0) {
		(void)month_device_sync(d, month_draw(m, 25) != 0);
	}
}

static void
half_day(month *m, bool evening)
{
	int at = (int)month_draw(m, (uint64_t)m->nusers);

	for (int i = 0; i < m->nusers; i++) {
		visit(m, m->dev[m->user[(at + i) % m->nusers].dev], evening);
		month_pass(m, 3 * HOUR_MS / m->nusers);
	}
}

static void
night(month *m, due *x)
{
	month_server_tick(m);
	if (x->loss)
		month_server_lose(m);
	else
		month_server_backup(m);
	x->loss = false;
	if (x->compact)
		month_server_compact(m);
	x->compact = false;
}

void
month_live(month *m, int devices)
{
	due x = { 0 };

	m->began_ms = m->now_ms = 1780000000000;
	m->dir = sat_test_dir();
	keys(m);
	month_server_open(m, true);
	people(m, devices);
	month_server_backup(m);
	for (m->day = 0; m->day < m->days; m->day++) {
		int64_t morning = m->began_ms + (m->day + 1) * DAY_MS;

		if (m->now_ms < morning)
			m->now_ms = morning;
		note_due(m, &x);
		if (m->day % 7 < 5) {
			half_day(m, false);
			befall(m, &x);
			half_day(m, true);
			night(m, &x);
		}
		COUNT(m, virtual_days, 1);
		if (m->trace)
			(void)fprintf(stderr, "day %d: %d customers, %zu "
			    "saves\n", m->day, m->ncust, m->nsaves);
	}
}

void
month_end(month *m)
{
	for (int i = 0; i < m->ndev; i++)
		month_device_free(m->dev[i]);
	month_server_close(m);
	sat_keyring_close(m->ring);
	sat_test_rmdir(m->dir);
	sat_arena_fini(&m->a);
	free(m->dev);
	free(m->user);
	free(m->cust);
	free(m->saves);
	free(m->slot);
}
