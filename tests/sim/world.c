/*
 * One history: people and machines set up from the seed, then steps until it
 * ends, then everything is healed and must come together.
 *
 * Each seed draws its own roughness: most kinds of trouble are absent in most
 * histories, so that what remains is not drowned, and common in some.
 */
#include "tests/sim/sim.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- numbers ---------------------------------------------------------------------- */

uint64_t
sim_rand(world *w)
{
	return sat_test_rand(&w->rand);
}

uint64_t
sim_below(world *w, uint64_t n)
{
	return sim_rand(w) % n;
}

bool
sim_chance(world *w, unsigned per_mille)
{
	return sim_below(w, 1000) < per_mille;
}

/* ---- machines --------------------------------------------------------------------- */

static int64_t
node_wall(void *u)
{
	node *n = u;

	return n->w->now_ms + n->skew_ms;
}

static int64_t
node_boot(void *u)
{
	node *n = u;

	return n->w->now_ms - n->boot_at + 1000;
}

void
sim_node_bytes(void *u, void *out, size_t n)
{
	node *m = u;
	uint8_t *p = out;
	uint64_t r = 0;

	for (size_t i = 0; i < n; i++, r >>= 8) {
		if (i % 8 == 0)
			r = sat_test_rand(&m->rand);
		p[i] = (uint8_t)r;
	}
}

sat_clock
sim_clock(node *n)
{
	return (sat_clock){ node_wall, node_boot, n };
}

sat_rand
sim_node_rand(node *n)
{
	return (sat_rand){ sim_node_bytes, n };
}

void
sim_node_init(node *n, world *w, const char *name)
{
	static unsigned serial; /* a failed history leaves its disks behind */
	char vfs[32];

	memset(n, 0, sizeof *n);
	n->w = w;
	(void)snprintf(vfs, sizeof vfs, "sim-%s-%u", name, ++serial);
	(void)snprintf(n->name, sizeof n->name, "%s", name);
	n->rand = sim_rand(w);
	n->boot_at = w->now_ms;
	n->fs = simfs_new(vfs, sim_rand(w));
	simfs_sector(n->fs, sim_chance(w, 300) ? 4096 : 512);
}

void
sim_node_fini(node *n)
{
	if (n->fs != NULL)
		ADD(sectors_lost, simfs_counts_get(n->fs).sectors_lost);
	simfs_free(n->fs);
	n->fs = NULL;
}

uint64_t
sim_disk_used(const node *n)
{
	const char *name;
	uint64_t used = 0;
	size_t bytes;

	for (size_t i = 0; (name = simfs_nth(n->fs, i)) != NULL; i++) {
		(void)simfs_bytes(&bytes, n->fs, name);
		used += bytes;
	}
	return used;
}

int
sim_find_user(const world *w, sat_value owner)
{
	for (int i = 0; owner.type == SAT_V_TEXT && i < w->nusers; i++)
		if (sat_span_eq(owner.s, sat_span_str(w->users[i].key)))
			return i;
	return -1;
}

/* ---- how rough --------------------------------------------------------------------- */

/* Absent in most histories, anything up to `most` in the others. */
static unsigned
maybe(world *w, unsigned chance, unsigned most)
{
	return sim_chance(w, chance) ? 1 + (unsigned)sim_below(w, most) : 0;
}

static void
draw_rough(world *w)
{
	static const int64_t pauses[] = { 20, 2000, 60000, 3600000,
		30ll * 86400000 };
	rough *r = &w->rough;

	r->lose = maybe(w, 600, 200);
	r->dup = maybe(w, 600, 250);
	r->brk = maybe(w, 500, 60);
	r->dev_power = maybe(w, 500, 25);
	r->dev_mid = maybe(w, 500, 60);
	r->dev_kill = maybe(w, 400, 20);
	r->dev_fsync = maybe(w, 300, 40);
	r->dev_full = maybe(w, 250, 30);
	r->dev_ioerr = maybe(w, 200, 25);
	r->srv_power = maybe(w, 400, 15);
	r->srv_mid = maybe(w, 500, 60);
	r->srv_kill = maybe(w, 300, 15);
	r->srv_fsync = maybe(w, 250, 40);
	r->srv_full = maybe(w, 200, 30);
	r->clock = maybe(w, 500, 30);
	r->years = maybe(w, 300, 500);
	r->poison = maybe(w, 400, 30);
	r->replay = maybe(w, 400, 30);
	r->probe = maybe(w, 300, 20);
	r->write = 100 + (unsigned)sim_below(w, 400);
	r->burst = maybe(w, 700, 120);
	r->online = 20 + (unsigned)sim_below(w, 200);
	r->still = (unsigned)sim_below(w, 900);
	r->hot = (unsigned)sim_below(w, 900);
	r->group = maybe(w, 500, 20);
	r->restore = maybe(w, 200, 25);
	r->by_hand = maybe(w, 250, 25);
	r->merge = maybe(w, 450, 300);
	r->pool = maybe(w, 450, 250);
	r->erase = maybe(w, r->merge > 0 ? 500 : 150, r->merge > 0 ? 40 : 25);
	r->churn = maybe(w, 300, 25);
	r->damage = maybe(w, 250, 40);
	/* drawn from nothing, so that the others are what they were */
	r->rotate = w->seed % 4 == 1 ? 5 + (unsigned)(w->seed / 4 % 40) : 0;
	r->pause_ms = pauses[sim_below(w, 5)];
	r->chunk_small = sim_chance(w, 700);
}

/* ---- people ------------------------------------------------------------------------ */

static void
draw_people(world *w)
{
	w->nteams = 1 + (int)sim_below(w, TEAMS_MAX);
	w->nusers = 3 + (int)sim_below(w, 4);
	for (int i = 0; i < w->nusers; i++) {
		person *u = &w->users[i];
		uint64_t k = sim_below(w, 10);

		(void)snprintf(u->key, sizeof u->key, "u%d", i + 1);
		u->role = i == 0 ? MANAGER : k < 5 ? REP : k < 8 ? MANAGER :
		    k < 9 ? HQ : MASKED;
		u->team = u->role >= HQ ? 0 : 1 + (int)sim_below(w,
		    (uint64_t)w->nteams);
	}
}

static void
draw_devices(world *w)
{
	int n = 2 + (int)sim_below(w, 5);

	for (int i = 0; i < n; i++)
		(void)sim_device_new(w, i < w->nusers && sim_chance(w, 700) ? i :
		    (int)sim_below(w, (uint64_t)w->nusers));
}

static int64_t
small_skew(world *w)
{
	switch (sim_below(w, 4)) {
	case 0: return 0;
	case 1: return (int64_t)sim_below(w, 4000) - 2000;
	case 2: return (int64_t)sim_below(w, 600000) - 300000;
	default: return ((int64_t)sim_below(w, 3) - 1) * 86400000;
	}
}

/* The one thing on a real disk: files that are only read and replaced whole. */
static void
segments_open(world *w)
{
	const char *t = getenv("TMPDIR");

	w->segments = sat_xasprintf("%s/satchel-sim.XXXXXX",
	    t != NULL ? t : "/tmp");
	if (mkdtemp(w->segments) == NULL)
		sim_fail(w, "harness: no folder for segments");
}

static void
segments_remove(world *w)
{
	DIR *dir = opendir(w->segments);

	for (struct dirent *f; dir != NULL && (f = readdir(dir)) != NULL;)
		if (f->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), f->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(w->segments);
	free(w->segments);
	w->segments = NULL;
}

static void
set_up(world *w)
{
	w->now_ms = 1780000000000 + (int64_t)sim_below(w, 86400000);
	draw_rough(w);
	draw_people(w);
	sim_node_init(&w->server_node, w, "server");
	simfs_make_default(w->server_node.fs);
	sim_node_bytes(&w->server_node, w->org.b, sizeof w->org.b);
	w->server_ring = sat_keyring_memory((const uint8_t *)
	    "0123456789abcdef0123456789abcdef");
	segments_open(w);
	sim_server_start(w, true);
	draw_devices(w);
	if (sim_chance(w, 500))
		for (int i = 0; i < w->ndev; i++)
			w->dev[i].n.skew_ms = small_skew(w);
	w->server_node.skew_ms = sim_chance(w, 300) ? small_skew(w) : 0;
	/* Mostly everybody has met the server before the trouble begins. */
	w->healing = true;
	for (int i = 0; i < w->ndev && sim_chance(w, 900); i++)
		sim_session_whole(&w->dev[i]);
	w->healing = false;
}

static void
tear_down(world *w)
{
	sim_net_drop(w);
	for (int i = 0; i < w->ndev; i++)
		sim_device_free(&w->dev[i]);
	sat_server_free(w->server);
	sat_sqlite_store_abandon(w->store);
	sat_keyring_close(w->server_ring);
	sim_node_fini(&w->server_node);
	for (sim_link *l = w->links, *next; l != NULL; l = next) {
		next = l->next;
		free(l);
	}
	for (int i = 0; i < w->nrecs; i++)
		free(w->recs[i].ops);
	free(w->net);
	free(w->entries);
	free(w->lops);
	sat_arena_fini(&w->mem);
	sat_arena_fini(&w->tmp);
}

/* ---- steps ------------------------------------------------------------------------- */

static device *
any_device(world *w, bool (*fits)(const device *))
{
	int at = (int)sim_below(w, (uint64_t)w->ndev);

	for (int i = 0; i < w->ndev; i++) {
		device *d = &w->dev[(at + i) % w->ndev];

		if (!d->lost && fits(d))
			return d;
	}
	return NULL;
}

static bool
is_off(const device *d)
{
	return d->r == NULL;
}
static bool
is_on(const device *d)
{
	return d->r != NULL;
}
static bool
is_idle(const device *d)
{
	return d->r != NULL && d->link == NULL;
}
static bool
is_waiting(const device *d)
{
	return d->r != NULL && d->link != NULL && d->waiting;
}
static bool
is_ready(const device *d)
{
	return d->r != NULL && sat_replica_template(d->r) != NULL;
}
static bool
is_resting(const device *d)
{
	return is_idle(d) && is_ready(d);
}

static void
step_clock(world *w)
{
	node *n = &w->server_node;
	device *d = any_device(w, is_on);
	int64_t by, span = 60000;

	if (d != NULL && sim_chance(w, 800))
		n = &d->n;
	HIT(clock_jumps);
	if (sim_chance(w, w->rough.years)) {
		HIT(clock_years);
		span = 10ll * 365 * 86400000;
	} else if (sim_chance(w, 300)) {
		span = 7ll * 86400000;
	}
	by = (int64_t)sim_below(w, (uint64_t)(2 * span)) - span;
	n->skew_ms = sim_chance(w, 300) ? 0 : n->skew_ms + by;
	sim_trace(w, "clock %s skew %lld", n->name, (long long)n->skew_ms);
}

static void
step_link(world *w)
{
	device *d = any_device(w, is_waiting);

	if (d == NULL)
		return;
	if (sim_chance(w, 700)) {
		HIT(asked_again);
		sim_session_again(d);
		return;
	}
	HIT(breaks);
	sim_trace(w, "break %s", d->n.name);
	sim_session_end(d);
}

static void
step_power(world *w, bool power)
{
	device *d = any_device(w, is_on);

	if (d == NULL)
		return;
	if (power)
		HIT(device_power);
	else
		HIT(device_kill);
	sim_trace(w, "%s %s", power ? "power" : "kill", d->n.name);
	sim_device_stop(d, power);
}

static void
step_late_device(world *w)
{
	int user = (int)sim_below(w, (uint64_t)w->nusers);

	if (w->ndev < DEVS_MAX - 4 && !w->users[user].disabled)
		(void)sim_device_new(w, user);
}

static void
step_device(world *w, int kind)
{
	device *d = any_device(w, kind == 0 ? is_off : kind == 1 ? is_idle :
	    kind == 7 ? is_on : kind >= 8 ? is_resting : is_ready);

	if (d == NULL)
		return;
	switch (kind) {
	case 0: sim_device_start(d); break;
	case 1: sim_session_begin(d); break;
	case 2: sim_act(d); break;
	case 3: sim_act_group(d); break;
	case 4:
		sim_act_read(d);
		if (d->r != NULL && sim_chance(w, 200))
			sim_check_replica(d, true);
		break;
	case 5: sim_device_backup(d, false); break;
	case 6: sim_device_backup(d, true); break;
	case 8: sim_device_damage(d); break;
	case 9: sim_act_rotate(d); break;
	default: sim_device_restore(d); break;
	}
}

static void
step(world *w)
{
	const rough *r = &w->rough;
	const unsigned weight[] = {
		w->nnet > 0 ? 500 : 0, 60, r->brk, r->online, r->write,
		r->burst, r->group, 40, 60, r->dev_power, r->dev_kill,
		r->srv_power, r->srv_kill, r->clock,
		r->poison + r->replay + r->probe, 6, 6,
		r->restore, r->by_hand, (r->restore + r->by_hand) / 2,
		r->damage, r->churn, r->erase, r->rotate,
	};
	const size_t n = sizeof weight / sizeof weight[0];
	uint64_t sum = 0, at;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		sum += weight[k];
	at = sim_below(w, sum);
	while (at >= weight[i])
		at -= weight[i++];
	switch (i) {
	case 0: sim_net_deliver(w); break;
	case 1:
	case 2: step_link(w); break;
	case 3: step_device(w, 1); break;
	case 4: step_device(w, 2); break;
	case 5: sim_act_burst(w); break;
	case 6: step_device(w, 3); break;
	case 7: step_device(w, 4); break;
	case 8: step_device(w, 0); break;
	case 9: step_power(w, true); break;
	case 10: step_power(w, false); break;
	case 11:
	case 12:
		if (i == 11)
			HIT(server_power);
		else
			HIT(server_kill);
		sim_trace(w, "%s server", i == 11 ? "power" : "kill");
		sim_server_stop(w, i == 11);
		sim_server_start(w, false);
		break;
	case 13: step_clock(w); break;
	case 14: sim_net_probe(w); break;
	case 15:
		if (sim_chance(w, 300))
			sim_server_tick(w);
		else
			sim_server_admin(w);
		break;
	case 16: step_late_device(w); break;
	case 17: step_device(w, 5); break;
	case 18: step_device(w, 6); break;
	case 19: step_device(w, 7); break;
	case 20: step_device(w, 8); break;
	case 21: sim_server_churn(w); break;
	case 22: sim_server_erase(w); break;
	default: step_device(w, 9); break;
	}
}

/* Who lost power in a call nobody looked at. */
static void
sweep(world *w)
{
	for (int i = 0; i < w->ndev; i++)
		if (w->dev[i].r != NULL)
			(void)sim_device_after(&w->dev[i], SAT_OK);
}

static void
pass_time(world *w)
{
	int64_t by;

	if (sim_chance(w, w->rough.still))
		return;
	by = sim_chance(w, 900) ? 1 + (int64_t)sim_below(w, 50) :
	    1 + (int64_t)sim_below(w, (uint64_t)w->rough.pause_ms);
	w->now_ms += by;
}

static void
run(world *w, int steps)
{
	int64_t began;

	set_up(w);
	began = w->now_ms;
	if (steps == 0)
		steps = 200 + (int)sim_below(w, 400);
	for (int i = 0; i < steps; i++) {
		w->step++;
		sat_arena_reset(&w->tmp);
		pass_time(w);
		sweep(w);
		step(w);
	}
	ADD(steps, steps);
	w->healing = true;
	sim_check_end(w);
	ADD(hours, (w->now_ms - began) / 3600000);
	HIT(histories);
}

bool
sim_history(const run_opts *o, uint8_t hash[SAT_HASH_BYTES], char why[600])
{
	world *w = sat_xcalloc(1, sizeof *w);
	bool good;

	w->seed = o->seed;
	w->rand = o->seed * 0x2545f4914f6cdd1dull + 0x1234567;
	w->tracing = o->trace;
	sat_hasher_init(&w->hash, (sat_span){ NULL, 0 });
	good = setjmp(w->on_fail) == 0;
	if (good)
		run(w, o->steps);
	sat_hasher_done(&w->hash, hash);
	(void)snprintf(why, 600, "%s", w->why);
	if (w->segments != NULL)
		segments_remove(w);
	if (!good)
		return false; /* nothing can be taken down in order now */
	tear_down(w);
	free(w);
	return true;
}
