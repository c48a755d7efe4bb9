/* Is what a device holds what its user may see? */
#include "tests/lib/unit.h"

#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/unit/server/store/sqlite/device.h"

typedef struct dump {
	device *d;
	size_t n;
} dump;

static void
show(const char *who, sat_span state)
{
	sat_arena a = { 0 };
	sat_record r;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, state, &err));
	printf("%s: kind %u born %llx.%u.%llu rlsn %llu del %d%d %llx.%u.%llu seen %llu\n",
	    who, r.kind, (unsigned long long)r.born.hlc, r.born.dev,
	    (unsigned long long)r.born.lsn, (unsigned long long)r.rlsn,
	    r.deleted, r.with_edits, (unsigned long long)r.del_at.hlc,
	    r.del_at.dev, (unsigned long long)r.del_at.lsn,
	    (unsigned long long)r.del_seen);
	for (size_t i = 0; i < r.ncells; i++) {
		const sat_cell *c = &r.cells[i];

		printf("  %u = %d %lld %.*s at %llx.%u.%llu ext %zu\n",
		    c->field, c->value.type, (long long)c->value.i,
		    c->value.type == SAT_V_TEXT ? (int)c->value.s.n : 0,
		    (const char *)c->value.s.p, (unsigned long long)c->at.hlc,
		    c->at.dev, (unsigned long long)c->at.lsn, c->ext.n);
	}
	sat_arena_fini(&a);
}

static void
dump_cb(void *u, const sat_id *id, sat_span state)
{
	dump *p = u;
	held *h = device_find(p->d, id, 0);
	char text[SAT_ID_TEXT];

	p->n++;
	sat_id_text(text, id);
	if (h == NULL)
		fail_msg("%s lacks %s", p->d->user_key, text);
	if (!sat_span_eq(sat_buf_span(&h->state), state)) {
		show("device", sat_buf_span(&h->state));
		show("server", state);
	}
	if (!sat_span_eq(sat_buf_span(&h->state), state))
		fail_msg("%s has another state of %s", p->d->user_key, text);
}

void
device_check(device *d)
{
	const sat_registry *r = sat_server_registry(d->w->server);
	dump p = { d, 0 };
	size_t have = 0;
	sat_err err = { 0 };

	assert_ok(sat_server_dump(d->w->server, sat_registry_user(r,
	    sat_span_str(d->user_key)), dump_cb, &p, &err));
	for (size_t i = 0; i < d->nrec; i++)
		have += d->rec[i].used;
	if (have != p.n)
		fail_msg("%s holds %zu records, may see %zu", d->user_key,
		    have, p.n);
}

void
device_settle(device *d)
{
	device_sync(d);
	device_check(d);
}

bool
device_holds(const device *d, const char *text)
{
	for (size_t i = 0; i < d->nrec; i++)
		if (d->rec[i].used && memmem(d->rec[i].state.p,
		    d->rec[i].state.n, text, strlen(text)) != NULL)
			return true;
	return false;
}

void
world_verify(world *w)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	assert_ok(sat_server_verify(w->server, &commits, &records, &err));
	assert_ok(sat_sqlite_store_check(w->store, false, &err));
}
