/*
 * Links and packets. A packet may be lost, doubled, or delivered in any order;
 * what belongs to a link that is gone still reaches the server, as bytes in
 * its buffers do. A device has one session at a time, in lock step: replies to
 * older requests are told by their number and ignored.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_ROUNDS_MAX 4000
#define FORKS_MAX 8

sat_span
sim_span_copy(sat_span s)
{
	uint8_t *p = sat_xmalloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return sat_span_of(p, s.n);
}

void
sim_span_drop(sat_span *s)
{
	free((void *)(uintptr_t)s->p);
	*s = (sat_span){ NULL, 0 };
}

static void
queue(world *w, sim_link *l, bool up, uint64_t req, sat_span frame)
{
	if (w->nnet == w->net_cap) {
		w->net_cap = w->net_cap * 2 + 32;
		w->net = sat_xrealloc(w->net, w->net_cap * sizeof *w->net);
	}
	w->net[w->nnet++] = (packet){ l, up, req, sim_span_copy(frame) };
}

static void
send_packet(world *w, sim_link *l, bool up, uint64_t req, sat_span frame)
{
	HIT(frames);
	if (!w->healing && sim_chance(w, w->rough.lose)) {
		HIT(lost);
		return;
	}
	queue(w, l, up, req, frame);
	if (!w->healing && sim_chance(w, w->rough.dup)) {
		HIT(doubled);
		queue(w, l, up, req, frame);
	}
}

void
sim_net_drop(world *w)
{
	for (size_t i = 0; i < w->nnet; i++)
		sim_span_drop(&w->net[i].frame);
	w->nnet = 0;
}

static sim_link *
new_link(device *d)
{
	world *w = d->n.w;
	sim_link *l = sat_xcalloc(1, sizeof *l);

	l->dev = d->index;
	l->boot = w->boot;
	l->open = true;
	memcpy(l->x.channel_pk, d->id.channel_pk, sizeof l->x.channel_pk);
	l->next = w->links;
	w->links = l;
	return l;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void
keep_capture(device *d, sat_span frame)
{
	world *w = d->n.w;
	size_t at = d->ncaptures;

	if (frame.p[0] == SAT_MSG_HELLO) {
		sim_span_drop(&d->hello);
		d->hello = sim_span_copy(frame);
	}
	if (frame.p[0] != SAT_MSG_PUSH)
		return;
	if (at == CAPTURES_MAX) {
		at = (size_t)sim_below(w, CAPTURES_MAX);
		sim_span_drop(&d->capture[at]);
	} else {
		d->ncaptures++;
	}
	d->capture[at] = sim_span_copy(frame);
}

/* A client may ask for small pages: then a pull takes many. */
static void
shape_pull(device *d, sat_buf *out)
{
	world *w = d->n.w;
	sat_msg m;
	sat_err e;

	if (d->page_bytes == 0 || out->p[0] != SAT_MSG_PULL)
		return;
	if (sat_msg_read(&m, &w->tmp, sat_buf_span(out), &e) != SAT_OK)
		sim_fail(w, "a pull cannot be read: %s", e.text);
	m.u.pull.max_bytes = d->page_bytes;
	if (m.u.pull.flags & SAT_PULL_FULL_OWN)
		HIT(full_own);
	sat_buf_reset(out);
	sat_msg_write(out, &m);
}

static void
ask_enrol(device *d, sat_buf *out)
{
	sat_msg m = { .type = SAT_MSG_ENROL };

	m.u.enrol.proto_min = SAT_PROTO_MIN;
	m.u.enrol.proto_max = SAT_PROTO_VERSION;
	m.u.enrol.org = d->n.w->org;
	memcpy(m.u.enrol.token, d->token, sizeof d->token);
	memcpy(m.u.enrol.sign_pk, d->id.sign_pk, sizeof d->id.sign_pk);
	m.u.enrol.name = sat_span_str(d->n.name);
	sat_msg_write(out, &m);
}

static void
session_failed(device *d, sat_rc rc, const sat_err *e)
{
	world *w = d->n.w;

	sim_trace(w, "%s session: %d %s", d->n.name, (int)rc, e->text);
	if (sim_shut_out(d) && (rc == SAT_EREVOKED || rc == SAT_EDENIED))
		HIT(shut_out);
	else if (strcmp(e->code, SAT_CODE_REKEYED) == 0 &&
	    sat_replica_rekey_state(NULL, NULL, d->r) != SAT_REKEY_NEXT)
		sim_fail(w, "P-388: %s is shut out and has the newest keys",
		    d->n.name);
	else if (w->healing && rc != SAT_OK && strcmp(e->code, "fork") != 0)
		sim_fail(w, "property 7: a session of %s fails without a "
		    "fault: %s", d->n.name, e->text);
	sim_session_end(d);
	if (!sim_device_after(d, rc))
		return;
	if (strcmp(e->code, "fork") != 0)
		return;
	d->forked = true;
	sim_device_forked(d);
}

static void
session_done(device *d)
{
	world *w = d->n.w;
	const sat_cs_stats *st = sat_cs_stats_get(d->cs);
	bool complete = st->complete;

	HIT(sessions_done);
	sim_trace(w, "%s session done: pushed %llu pulled %llu", d->n.name,
	    (unsigned long long)st->pushed,
	    (unsigned long long)st->pulled_commits);
	sim_session_end(d);
	if (complete && !sim_shut_out(d) && d->cursor >= sim_scope_head(w, d->user) &&
	    d->ledger == w->ledger && (w->healing || sim_chance(w, 250))) {
		HIT(compared);
		sim_check_dump(d);
	}
}

/* Build the next request. @return false: the session is over. */
static bool
build(device *d, sat_buf *out)
{
	sat_err e = { 0 };
	bool done = false;
	sat_rc rc;

	if (d->enrolling) {
		ask_enrol(d, out);
		return true;
	}
	rc = sat_cs_next(d->cs, out, &done, &e);
	if (rc != SAT_OK) {
		session_failed(d, rc, &e);
		return false;
	}
	if (!sim_device_after(d, rc))
		return false;
	if (done)
		session_done(d);
	return !done;
}

void
sim_session_pump(device *d)
{
	world *w = d->n.w;
	sat_buf out = { 0 };

	if (build(d, &out)) {
		shape_pull(d, &out);
		keep_capture(d, sat_buf_span(&out));
		if (!d->waiting) /* sent again it says what was true then */
			sim_erase_receipt(d, sat_buf_span(&out));
		d->req = ++w->next_req;
		d->waiting = true;
		send_packet(w, d->link, true, d->req, sat_buf_span(&out));
	}
	sat_buf_fini(&out);
}

void
sim_session_again(device *d)
{
	if (d->enrolling)
		HIT(enrol_again);
	sim_session_pump(d);
}

void
sim_session_begin(device *d)
{
	world *w = d->n.w;
	sat_clock clock = sim_clock(&d->n);
	unsigned flags = d->pull_only ? SAT_CS_PULL_ONLY : w->healing ? 0 : sim_chance(w, 50) ?
	    SAT_CS_PUSH_ONLY : sim_chance(w, 50) ? SAT_CS_PULL_ONLY : 0;

	HIT(sessions);
	if (!sim_rotate_settle(d))
		return;
	d->link = new_link(d);
	d->enrolling = !d->enrolled;
	d->waiting = false;
	d->page_bytes = sim_chance(w, 300) ? 0 :
	    1 + (uint32_t)sim_below(w, sim_chance(w, 500) ? 200 : 2000);
	d->cs = sat_cs_new(&d->ops, &clock, flags);
	sim_trace(w, "%s session begins%s", d->n.name,
	    d->enrolling ? ": enrol" : "");
	sim_device_plan_faults(d);
	sim_session_pump(d);
}

void
sim_session_end(device *d)
{
	if (d->link == NULL)
		return;
	d->link->open = false;
	d->link = NULL;
	sat_cs_free(d->cs);
	d->cs = NULL;
	d->waiting = false;
}

/* ---- replies -------------------------------------------------------------------------------- */

static void
count_reply(device *d, const sat_msg *m)
{
	if (m->type == SAT_MSG_DELTA && m->u.delta.upto < m->u.delta.scope_head)
		HIT(pages);
	if (m->type == SAT_MSG_CHUNK) {
		HIT(chunks);
		if (!m->u.chunk.done)
			HIT(chunk_more);
		if (d->chunked && m->u.chunk.next != 0)
			HIT(snap_resumed);
		d->chunked = false;
	}
	if (m->type == SAT_MSG_TEMPLATE_IS && d->cursor > 0)
		HIT(templates);
}

void
sim_cursor_read(device *d)
{
	uint64_t cursor = 0;

	(void)d->ops.cursor(d->ops.u, &cursor, NULL); /* from memory */
	if (cursor < d->cursor)
		sim_fail(d->n.w, "property 9: the cursor of %s goes back",
		    d->n.name);
	d->cursor = cursor;
}

/* Has the replica taken in this page or chunk? A call that failed may have
 * done its work all the same. */
static bool
taken(device *d, const sat_msg *m)
{
	uint64_t cursor;
	uint64_t after;
	bool wanted;

	(void)d->ops.cursor(d->ops.u, &cursor, NULL);
	if (m->type == SAT_MSG_DELTA)
		return cursor == m->u.delta.upto && cursor > d->cursor;
	if (m->type != SAT_MSG_CHUNK)
		return true;
	(void)d->ops.snap_state(d->ops.u, &wanted, &after, NULL);
	return !wanted || after == m->u.chunk.next;
}

/* The same of a chunk, after a restart. A filling over what is here begins anew
 * then and says that as its place, but what its chunks brought is there, and the
 * file says how far they went. An earlier filling may have come as far as this
 * chunk, the first of its own: it stood at another position, or showed the same. */
static bool
chunk_kept(device *d, const sat_chunk *c)
{
	uint64_t after;
	bool wanted;

	(void)d->ops.snap_state(d->ops.u, &wanted, &after, NULL);
	if (!wanted)
		return true;
	after = (uint64_t)sim_device_int(d,
	    "SELECT value FROM meta WHERE key = 'snap_after'");
	return after == c->next && (!d->unsure_first || c->lsn ==
	    (uint64_t)sim_device_int(d,
	    "SELECT value FROM meta WHERE key = 'snap_lsn'"));
}

/* After a restart: what the last reply brought, if it is there. */
void
sim_session_recover(device *d)
{
	world *w = d->n.w;
	sat_msg m;
	sat_err e;

	if (d->unsure.n == 0)
		return;
	if (sat_msg_read(&m, &w->tmp, d->unsure, &e) == SAT_OK &&
	    (m.type == SAT_MSG_CHUNK ? chunk_kept(d, &m.u.chunk) :
	    taken(d, &m)))
		sim_shadow_learn(d, d->unsure);
	sim_span_drop(&d->unsure);
}

static void
trace_commits(world *w, const device *d, sat_span batch)
{
	sat_commit *c;
	size_t n = 0;
	sat_err e;

	if (!w->tracing || batch.n == 0 || sat_batch_read(&c, &n, &w->tmp,
	    SAT_BATCH_PULL, batch, &e) != SAT_OK)
		return;
	for (size_t i = 0; i < n; i++)
		(void)printf("      %s < %llu of device %u%s, %zu ops\n",
		    d->n.name, (unsigned long long)c[i].lsn, c[i].device,
		    c[i].own ? " (own)" : "", c[i].nops);
}

static void
trace_reply(world *w, const device *d, const sat_msg *m)
{
	const sat_delta *x = &m->u.delta;

	if (m->type == SAT_MSG_CHUNK)
		sim_trace(w, "%s < chunk at %llu to %llu%s", d->n.name,
		    (unsigned long long)m->u.chunk.lsn,
		    (unsigned long long)m->u.chunk.next,
		    m->u.chunk.done ? ", done" : "");
	if (m->type != SAT_MSG_DELTA)
		return;
	sim_trace(w, "%s < page to %llu of %llu", d->n.name,
	    (unsigned long long)x->upto, (unsigned long long)x->scope_head);
	for (size_t i = 0; i < x->nrescopes; i++)
		sim_trace(w, "%s < rescope at %llu of record %d: %zu held",
		    d->n.name, (unsigned long long)x->rescopes[i].lsn,
		    sim_rec_find(w, &x->rescopes[i].root),
		    x->rescopes[i].nheld);
	trace_commits(w, d, x->batch);
}

static void
take_reply(device *d, sat_span frame)
{
	world *w = d->n.w;
	uint64_t after = 0;
	bool wanted;
	sat_err e = { 0 };
	sat_msg m;
	sat_rc rc;

	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "a reply cannot be read: %s", e.text);
	trace_reply(w, d, &m);
	if (sim_chance(w, 500)) /* what was written since it was asked */
		sat_cs_prepare(d->cs);
	sim_device_plan_faults(d);
	if (m.type == SAT_MSG_CHUNK)
		(void)d->ops.snap_state(d->ops.u, &wanted, &after, NULL);
	d->unsure_first = after == 0;
	rc = sat_cs_reply(d->cs, frame, &e);
	sim_span_drop(&d->unsure);
	if (m.type == SAT_MSG_CHUNK && m.u.chunk.done && d->cursor > 0)
		HIT(behind);
	if (m.type != SAT_MSG_ERROR && taken(d, &m))
		sim_shadow_learn(d, frame);
	else if (m.type != SAT_MSG_ERROR && rc != SAT_OK)
		d->unsure = sim_span_copy(frame);
	sim_cursor_read(d);
	if (rc != SAT_OK) {
		session_failed(d, rc, &e);
		return;
	}
	count_reply(d, &m);
	if (m.type == SAT_MSG_DELTA && d->cursor > 0)
		sim_check_whole(d);
	/* Trouble between two pages is the hardest. */
	if (m.type == SAT_MSG_DELTA && !w->healing &&
	    sim_chance(w, w->rough.brk * 3)) {
		HIT(breaks);
		sim_session_end(d);
		(void)sim_device_after(d, rc);
		return;
	}
	if (sim_device_after(d, rc))
		sim_session_pump(d);
}

static void
take_enrolled(device *d, sat_span frame)
{
	world *w = d->n.w;
	sat_err e = { 0 };
	sat_msg m;

	if (sat_msg_read(&m, &w->tmp, frame, &e) != SAT_OK)
		sim_fail(w, "a reply cannot be read: %s", e.text);
	sim_session_end(d);
	if (m.type == SAT_MSG_ENROLLED)
		sim_device_enrol(d, &m.u.enrolled);
	else if (m.type == SAT_MSG_ERROR && w->healing && !sim_shut_out(d))
		sim_fail(w, "property 7: %s is not enrolled: %.*s", d->n.name,
		    (int)m.u.error.text.n, (const char *)m.u.error.text.p);
}

static void
deliver_down(world *w, packet *p)
{
	device *d = &w->dev[p->l->dev];

	if (d->r == NULL || d->link != p->l || !d->waiting ||
	    d->req != p->req) {
		HIT(stale);
		return;
	}
	d->waiting = false;
	if (d->enrolling)
		take_enrolled(d, p->frame);
	else
		take_reply(d, p->frame);
}

/* ---- the server's end ------------------------------------------------------------------------- */

#define GROUP_MAX 8

/* Pushes that lie in the buffers at the same time are served together. */
static size_t
gather(world *w, packet *group)
{
	size_t n = 1;

	if (group[0].frame.n == 0 || group[0].frame.p[0] != SAT_MSG_PUSH ||
	    sim_chance(w, 400))
		return n;
	for (size_t i = 0; i < w->nnet && n < GROUP_MAX;) {
		packet *p = &w->net[i];

		if (!p->up || p->l->boot != w->boot || p->frame.n == 0 ||
		    p->frame.p[0] != SAT_MSG_PUSH) {
			i++;
			continue;
		}
		group[n++] = *p;
		*p = w->net[--w->nnet];
	}
	return n;
}

static void
deliver_up(world *w, const packet *first)
{
	packet group[GROUP_MAX] = { *first };
	sat_server_job jobs[GROUP_MAX];
	sat_buf reply[GROUP_MAX];
	size_t n;

	if (first->l->boot != w->boot) { /* the server it knew is gone */
		if (w->dev[first->l->dev].link == first->l)
			sim_session_end(&w->dev[first->l->dev]);
		sim_span_drop(&group[0].frame);
		return;
	}
	n = gather(w, group);
	if (n > 1)
		HIT(groups_served);
	memset(reply, 0, sizeof reply);
	for (size_t i = 0; i < n; i++)
		jobs[i] = (sat_server_job){ &group[i].l->x, group[i].frame,
			&reply[i] };
	if (sim_server_serve(w, jobs, n))
		for (size_t i = 0; i < n; i++)
			send_packet(w, group[i].l, false, group[i].req,
			    sat_buf_span(&reply[i]));
	for (size_t i = 0; i < n; i++) {
		sim_span_drop(&group[i].frame);
		sat_buf_fini(&reply[i]);
	}
}

void
sim_net_deliver(world *w)
{
	size_t i = (size_t)sim_below(w, w->nnet);
	packet p = w->net[i];

	w->net[i] = w->net[--w->nnet];
	if (p.up) {
		deliver_up(w, &p);
		return;
	}
	deliver_down(w, &p);
	sim_span_drop(&p.frame);
}

static void
whole(device *d)
{
	world *w = d->n.w;
	int rounds = 0;

	sim_session_begin(d);
	while (d->link != NULL && w->nnet > 0 && rounds++ < SESSION_ROUNDS_MAX)
		sim_net_deliver(w);
	if (d->link != NULL)
		sim_fail(w, "property 7: a session of %s does not end",
		    d->n.name);
}

/* A fork ends sessions: one tells that there is one, one where it is. */
void
sim_session_whole(device *d)
{
	sim_net_drop(d->n.w);
	if (!d->enrolled)
		whole(d);
	d->forked = true;
	for (int i = 0; i < FORKS_MAX && d->forked; i++) {
		d->forked = false;
		whole(d);
	}
}
