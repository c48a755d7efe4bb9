/*
 * What should not come: pushes and replies that were altered, cut short, sent
 * by another device or a second time, or begin behind a gap (property 17).
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* Serve one frame on a link of its own; nobody gets the reply. */
sat_msg
sim_serve_alone(device *d, const sat_server_session *x, sat_span frame,
    bool *answered)
{
	world *w = d->n.w;
	sat_server_session session = *x;
	sat_buf reply = { 0 };
	sat_server_job job = { &session, frame, &reply };
	sat_msg m = { 0 };
	sat_err e;

	*answered = sim_server_serve(w, &job, 1);
	if (*answered) {
		sat_span kept = sat_span_of(sat_arena_dup(&w->tmp, reply.p,
		    reply.n), reply.n);

		if (sat_msg_read(&m, &w->tmp, kept, &e) != SAT_OK)
			sim_fail(w, "a reply cannot be read: %s", e.text);
	}
	sat_buf_fini(&reply);
	return m;
}

/* A greeted session of the device. */
bool
sim_greet(device *d, sat_server_session *x)
{
	world *w = d->n.w;
	sat_buf reply = { 0 };
	sat_server_job job = { x, d->hello, &reply };
	bool ok;

	memset(x, 0, sizeof *x);
	memcpy(x->channel_pk, d->id.channel_pk, sizeof x->channel_pk);
	ok = d->hello.n > 0 && sim_server_serve(w, &job, 1) && x->greeted;
	sat_buf_fini(&reply);
	return ok;
}

static void
poison_push(device *d, const sat_server_session *x)
{
	world *w = d->n.w;
	sat_span frame = sim_span_copy(d->capture[sim_below(w, d->ncaptures)]);
	uint8_t *p = (uint8_t *)(uintptr_t)frame.p;
	bool answered;

	p[1 + sim_below(w, frame.n - 1)] ^= (uint8_t)(1 + sim_below(w, 255));
	if (sim_chance(w, 300))
		frame.n = 1 + (size_t)sim_below(w, frame.n);
	/* What is merged is compared with what was written (model.c). */
	(void)sim_serve_alone(d, x, frame, &answered);
	if (answered)
		HIT(poisoned);
	sim_span_drop(&frame);
}

static void
foreign_push(device *d, const sat_server_session *x)
{
	world *w = d->n.w;
	device *other = &w->dev[sim_below(w, (uint64_t)w->ndev)];
	uint64_t head = w->head;
	bool answered;

	if (other == d || other->ncaptures == 0)
		return;
	(void)sim_serve_alone(d, x, other->capture[sim_below(w, other->ncaptures)],
	    &answered);
	if (w->head != head)
		sim_fail(w, "property 17: a push signed by another device was "
		    "merged");
	if (answered)
		HIT(foreign);
}

static void
replay_push(device *d, const sat_server_session *x)
{
	world *w = d->n.w;
	bool answered;
	sat_msg m;

	m = sim_serve_alone(d, x, d->capture[sim_below(w, d->ncaptures)],
	    &answered);
	if (answered && m.type == SAT_MSG_VERDICTS)
		HIT(replayed);
}

/* Pushes that begin behind the first unsent commit. */
static void
push_past_gap(device *d, const sat_server_session *x)
{
	world *w = d->n.w;
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 }, frame = { 0 };
	uint64_t first, head = w->head;
	sat_commit *c;
	bool answered;
	size_t n = 0;
	sat_err e;

	if (d->r == NULL || d->link != NULL)
		return;
	if (d->ops.outbox(d->ops.u, &w->tmp, &m.u.push, &c, &n, 0, &e) !=
	    SAT_OK || n < 2)
		return;
	first = m.u.push.first_cseq + 1 + sim_below(w, n - 1);
	if (d->ops.outbox(d->ops.u, &w->tmp, &m.u.push, &c, &n, first, &e) !=
	    SAT_OK || n == 0)
		return;
	if (sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &e) != SAT_OK)
		sim_fail(w, "a push cannot be written: %s", e.text);
	m.u.push.batch = sat_buf_span(&batch);
	sat_msg_write(&frame, &m);
	(void)sim_serve_alone(d, x, sat_buf_span(&frame), &answered);
	/* unless an earlier reply was lost: then it is no gap */
	if (answered && w->head != head)
		sim_trace(w, "push from %llu was no gap",
		    (unsigned long long)first);
	sat_buf_fini(&batch);
	sat_buf_fini(&frame);
}

/* A reply cut short: refused, and nothing of it stays. */
static void
poison_reply(world *w)
{
	for (size_t i = 0; i < w->nnet; i++) {
		packet *p = &w->net[i];
		device *d = &w->dev[p->l->dev];
		uint64_t had = d->cursor;
		sat_err e = { 0 };
		sat_rc rc;

		if (p->up || d->link != p->l || !d->waiting || d->enrolling ||
		    d->req != p->req || p->frame.n < 2 ||
		    p->frame.p[0] == SAT_MSG_ERROR)
			continue;
		sim_device_calm(d);
		p->frame.n = 1 + (size_t)sim_below(w, p->frame.n - 1);
		rc = sat_cs_reply(d->cs, p->frame, &e);
		if (rc == SAT_OK)
			sim_fail(w, "property 17: a reply cut short was taken");
		sim_session_end(d);
		sim_cursor_read(d);
		if (d->cursor != had)
			sim_fail(w, "property 17: a reply cut short moved the "
			    "cursor of %s", d->n.name);
		HIT(poison_down);
		return;
	}
}

void
sim_net_probe(world *w)
{
	const rough *r = &w->rough;
	device *d = &w->dev[sim_below(w, (uint64_t)w->ndev)];
	uint64_t at = sim_below(w, r->poison + r->replay + r->probe);
	sat_server_session x;

	if (at < r->poison / 3) {
		poison_reply(w);
		return;
	}
	if (d->lost || !sim_greet(d, &x) || !x.greeted)
		return;
	if (at >= r->poison + r->replay)
		push_past_gap(d, &x);
	else if (at >= r->poison && d->ncaptures > 0)
		replay_push(d, &x);
	else if (d->ncaptures > 0 && sim_chance(w, 700))
		poison_push(d, &x);
	else
		foreign_push(d, &x);
}
