#include <unistd.h>

#include "tests/unit/server/store/sqlite/device.h"
#include "tests/unit/server/store/sqlite/loss.h"

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	states_of *s = u;

	s->v = sat_xrealloc(s->v, (s->n + 1) * sizeof *s->v);
	s->v[s->n] = (state_of){ .id = *id };
	sat_buf_add(&s->v[s->n++].bytes, state.p, state.n);
}

states_of
all_states(world *w)
{
	states_of s = { 0 };
	sat_err err = { 0 };

	assert_ok(sat_server_dump(w->server, NULL, on_state, &s, &err));
	return s;
}

void
free_states(states_of *s)
{
	for (size_t i = 0; i < s->n; i++)
		sat_buf_fini(&s->v[i].bytes);
	free(s->v);
}

company
company_new(uint64_t seed)
{
	company c = { .w = world_new(seed) };
	uint8_t root[32] = { 3 };

	world_team(c.w, "north");
	world_user(c.w, "ann", "rep", "north");
	world_user(c.w, "bob", "rep", "north");
	world_user(c.w, "hq", "hq", NULL);
	world_user(c.w, "root", "admin", NULL);
	c.ann = device_new(c.w, "ann");
	c.bob = device_new(c.w, "bob");
	c.hq = device_new(c.w, "hq");
	sat_sign_keys(c.root_pk, c.root_sk, root);
	c.backup = sat_xasprintf("%s/backup.db", c.w->dir);
	return c;
}

void
company_free(company *c)
{
	device_free(c->ann);
	device_free(c->bob);
	device_free(c->hq);
	free(c->backup);
	world_free(c->w);
}

void
sync_all(company *c)
{
	for (int i = 0; i < 2; i++) {
		SYNC(c->ann, c->bob, c->hq);
	}
}

static device *
one_of(company *c)
{
	device *d[] = { c->ann, c->bob, c->hq };

	return d[sat_test_rand(&c->w->rand) % 3];
}

void
some_work(company *c, int n)
{
	static const uint16_t fields[] = { A_REMARK, A_SECTOR, A_NAME,
		A_VISITS, A_TAGS };

	for (int i = 0; i < n; i++) {
		uint64_t x = sat_test_rand(&c->w->rand);
		device *d = one_of(c);
		uint16_t f = fields[x % 5];
		char text[24];
		sat_id id;

		c->w->now_ms += 1000;
		if (c->nacc < 4 || (x % 7 == 0 && c->nacc < 24)) {
			d = x % 2 == 0 ? c->ann : c->bob;
			c->acc[c->nacc++] = device_account(d, "made",
			    d->user_key);
			device_sync(d);
			continue;
		}
		id = c->acc[(x >> 8) % c->nacc];
		if (device_find(d, &id, 0) == NULL)
			continue;
		(void)snprintf(text, sizeof text, "v%llu",
		    (unsigned long long)(x >> 40));
		(void)device_edit(d, &id, &id, K_ACCOUNT, f == A_VISITS ?
		    SAT_OP_ADD : f == A_TAGS ? SAT_OP_SADD : f == A_NAME ?
		    SAT_OP_MVSET : SAT_OP_SET, f, f == A_VISITS ?
		    sat_v_int(1 + (int64_t)(x % 3)) : txt(text));
		if (x % 3 == 0)
			device_sync(d);
	}
	sync_all(c);
}

void
take_backup(company *c)
{
	uint64_t lsn;
	sat_err err = { 0 };

	assert_ok(sat_sqlite_store_backup(&lsn, c->w->store, c->backup, &err));
}

sat_epoch
lose(company *c, int64_t window_ms, uint32_t roles)
{
	world *w = c->w;
	sat_epoch e = { .org = w->org, .began_ms = w->now_ms,
		.until_ms = w->now_ms + window_ms, .seed_roles = roles };
	char *tail = sat_xasprintf("%s-wal", w->path);
	uint64_t above, before;
	sat_err err = { 0 };

	world_stop(w);
	assert_int_equal(0, unlink(w->path));
	(void)unlink(tail);
	free(tail);
	assert_int_equal(0, rename(c->backup, w->path));
	world_start(w);
	assert_ok(sat_sqlite_epoch_base(&e.base_lsn, &above, &e.base_eid,
	    &before, w->store, &err));
	e.epoch = before + 1;
	e.first_lsn = above + SAT_EPOCH_SKIP;
	sat_epoch_sign(&e, c->root_sk);
	assert_true(sat_epoch_ok(&e, &w->org, c->root_pk));
	world_stop(w);
	world_start(w);
	assert_ok(sat_sqlite_epoch_begin(w->store, &e, &err));
	world_stop(w);
	world_start(w);
	assert_int_equal(0, err.rc);
	return e;
}

void
follow(device *d, const sat_epoch *e)
{
	for (size_t i = 0; i < d->nout; i++) {
		own *o = &d->out[i];

		for (size_t k = 0; k < o->c.nops; k++)
			o->c.ops[k].eid = 0;
		if (o->lsn > e->base_lsn && o->state != 2) {
			o->old = o->lsn;
			o->lsn = o->eff = 0;
			o->state = 0;
		}
	}
	for (size_t i = 0; i < d->nrec; i++)
		d->rec[i].used = false;
	d->epoch = e->epoch;
	d->cursor = 0;
	d->complete = d->snapping = false;
	d->after = 0;
	d->registry_rev = 0;
	d->neids = 0;
}

sat_seeded
give(company *c, device *d, uint64_t epoch, const sat_record *r, size_t n,
    sat_rc want)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_client_ops ops = device_ops(d);
	sat_buf q = { 0 }, reply = { 0 }, records = { 0 };
	sat_arena a = { 0 };
	sat_seeded out = { 0 };
	sat_err err = { 0 };

	assert_ok(ops.hello(d, &m.u.hello, &err));
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	m = (sat_msg){ .type = SAT_MSG_SEED };
	assert_ok(sat_records_write(&records, r, n, &err));
	m.u.seed.epoch = epoch;
	m.u.seed.records = sat_buf_span(&records);
	m.u.seed.places = c->places;
	m.u.seed.nplaces = c->nplaces;
	m.u.seed.known = &c->gone;
	m.u.seed.nknown = c->gone.cseq != 0;
	sat_buf_reset(&q);
	sat_buf_reset(&reply);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &d->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, &a, sat_buf_span(&reply), &err));
	if (want == SAT_OK) {
		assert_int_equal(SAT_MSG_SEEDED, m.type);
		out = m.u.seeded;
	} else {
		assert_int_equal(SAT_MSG_ERROR, m.type);
		assert_int_equal(want, m.u.error.rc);
	}
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	sat_buf_fini(&records);
	sat_arena_fini(&a);
	return out;
}

sat_seeded
give_state(company *c, device *d, const sat_epoch *e, const state_of *s)
{
	sat_arena a = { 0 };
	sat_seeded out;
	sat_record r;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(&s->bytes), &err));
	out = give(c, d, e->epoch, &r, 1, SAT_OK);
	sat_arena_fini(&a);
	return out;
}

void
same_values(world *w, const states_of *want)
{
	states_of is = all_states(w);
	sat_arena a = { 0 };
	sat_err err = { 0 };

	assert_int_equal(want->n, is.n);
	for (size_t i = 0; i < is.n; i++) {
		sat_record x, y;

		assert_true(sat_id_eq(&want->v[i].id, &is.v[i].id));
		assert_ok(sat_record_read(&x, &a,
		    sat_buf_span(&want->v[i].bytes), &err));
		assert_ok(sat_record_read(&y, &a, sat_buf_span(&is.v[i].bytes),
		    &err));
		/* what the server itself decides it decides anew */
		for (size_t k = 0; k < x.ncells; k++)
			if (x.cells[k].field < SAT_SYS_FIRST &&
			    !sat_value_eq(x.cells[k].value, sat_record_value(&y,
			    x.cells[k].field)))
				fail_msg("record %zu field %u differs", i,
				    x.cells[k].field);
	}
	free_states(&is);
	sat_arena_fini(&a);
}

state_of *
state_in(const states_of *s, const sat_id *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (sat_id_eq(&s->v[i].id, id))
			return &s->v[i];
	fail_msg("no such record");
	return NULL;
}

int64_t
visits_in(const states_of *s, const sat_id *id)
{
	sat_arena a = { 0 };
	sat_record r;
	int64_t v;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &state_in(s, id)->bytes), &err));
	v = sat_record_value(&r, A_VISITS).i;
	sat_arena_fini(&a);
	return v;
}

int64_t
visits_now(company *c, const sat_id *id)
{
	states_of s = all_states(c->w);
	int64_t v = visits_in(&s, id);

	free_states(&s);
	return v;
}

bool
is_tagged(company *c, const sat_id *id, const char *tag)
{
	states_of s = all_states(c->w);
	sat_arena a = { 0 };
	sat_element *el;
	const sat_cell *cell;
	bool yes = false;
	sat_record r;
	size_t n;
	sat_err err = { 0 };

	assert_ok(sat_record_read(&r, &a, sat_buf_span(
	    &state_in(&s, id)->bytes), &err));
	cell = sat_record_cell(&r, A_TAGS);
	n = cell != NULL ? sat_cell_elements(&el, &a, cell) : 0;
	for (size_t i = 0; i < n; i++)
		yes = yes || sat_span_eq(el[i].text, sat_span_str(tag));
	sat_arena_fini(&a);
	free_states(&s);
	return yes;
}

void
visit(device *d, const sat_id *id)
{
	(void)device_edit(d, id, id, K_ACCOUNT, SAT_OP_ADD, A_VISITS,
	    sat_v_int(1));
}

bool
has_place(const sat_place *p, size_t n, uint32_t dev, uint64_t cseq)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].device == dev && p[i].first <= cseq &&
		    p[i].last >= cseq)
			return true;
	return false;
}

sat_place *
told_with_states(size_t *n, company *c, sat_arena *a)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_client_ops ops = device_ops(c->hq);
	sat_buf q = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	assert_ok(ops.hello(c->hq, &m.u.hello, &err));
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &c->hq->link, &reply,
	    sat_buf_span(&q), &err));
	m = (sat_msg){ .type = SAT_MSG_SNAP };
	sat_buf_reset(&q);
	sat_buf_reset(&reply);
	sat_msg_write(&q, &m);
	assert_ok(sat_server_handle(c->w->server, &c->hq->link, &reply,
	    sat_buf_span(&q), &err));
	assert_ok(sat_msg_read(&m, a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_CHUNK, m.type);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	*n = m.u.chunk.nheads;
	return m.u.chunk.heads;
}
