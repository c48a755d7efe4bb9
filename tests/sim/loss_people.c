/*
 * loss_people.c - what people write in the server-loss simulation, and the
 * sessions of their devices, whole or broken.
 */
#include <stdio.h>

#include "tests/sim/loss.h"

/* ---- what a record says ------------------------------------------------------------- */

bool
loss_has_tag(const sat_record *r, sat_arena *a, const char *tag)
{
	const sat_cell *c = sat_record_cell(r, A_TAGS);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, a, c) : 0;

	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, sat_span_str(tag)))
			return true;
	return false;
}

/* The view of a device; false: it does not hold the record. */
bool
loss_view_of(history *h, int dev, int rec, sat_view *v)
{
	sat_replica *r = h->L->dev[dev].r;
	sat_err e = { 0 };
	sat_rc rc;

	if (sat_replica_template(r) == NULL)
		return false;
	rc = sat_replica_get(v, &h->L->a, r, sat_template_kind_id(
	    sat_replica_template(r), K_ACCOUNT), &h->rec[rec], &e);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		loss_fail(h, "device %d cannot read record %d: %s", dev, rec,
		    e.text);
	return rc == SAT_OK;
}

typedef struct finder {
	const sat_id *id;
	sat_record rec;
	sat_arena *a;
	bool found;
} finder;

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	finder *f = u;
	sat_err e;

	if (!sat_id_eq(id, f->id))
		return;
	f->found = sat_record_read(&f->rec, f->a, sat_span_of(sat_arena_dup(
	    f->a, state.p, state.n), state.n), &e) == SAT_OK;
}

bool
loss_server_has(history *h, int rec, sat_record *out)
{
	finder f = { .id = &h->rec[rec], .a = &h->L->a };
	sat_err e = { 0 };

	if (sat_server_dump(h->L->server, NULL, on_state, &f, &e) != SAT_OK)
		loss_fail(h, "no dump of the server: %s", e.text);
	*out = f.rec;
	return f.found;
}

/* ---- people ---------------------------------------------------------------------------- */

sat_op
loss_op(sat_op_kind kind, const sat_id *id, uint16_t field, sat_value v)
{
	return (sat_op){ .kind = kind, .rec = *id, .rtype = K_ACCOUNT,
		.field = field, .value = v };
}

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

/* Property 14, where it is first broken: nobody else was ever leased it. */
static void
given_once(history *h, int rec)
{
	for (int i = 0; i < h->nrecs; i++)
		if (strcmp(h->number[i], h->number[rec]) == 0)
			loss_fail(h, "%s is leased for record %d, record %d "
			    "has it", h->number[rec], rec, i);
}

/* P-142: the next one of the leases; now and then a provisional one, as if
 * there were none. @return which, 0 = provisional. */
static uint64_t
number_it(history *h, int dev, int rec, char series[SAT_SERIES_TEXT])
{
	lab_dev *d = &h->L->dev[dev];
	uint64_t n = 0;
	sat_err e = { 0 };

	sat_number_series(series, "C", h->L->now_ms,
	    sat_template_tz_min(sat_replica_template(d->r)));
	if (loss_draw(h, 6) != 0 && sat_replica_number_next(&n, d->r, series,
	    0, &e) != SAT_OK)
		loss_fail(h, "no number for record %d: %s", rec, e.text);
	if (n != 0)
		(void)sat_number_text(h->number[rec], series, n);
	else
		(void)sat_number_provisional(h->number[rec], series,
		    sat_replica_identity_get(d->r)->device, (uint64_t)rec);
	given_once(h, rec);
	h->leased[rec] = n != 0;
	h->number_at[rec] = h->losses;
	return n;
}

/* The number is used up in the transaction that gives it. */
static sat_rc
write_numbered(lab_dev *d, const sat_draft *draft, uint64_t *cseq,
    const char *series, uint64_t n, sat_err *e)
{
	sat_rc rc = sat_replica_group_begin(d->r, e);

	if (rc != SAT_OK)
		return rc;
	if ((rc = sat_replica_write(d->r, draft, cseq, e)) == SAT_OK)
		rc = sat_replica_number_used(d->r, series, n, e);
	if (rc == SAT_OK)
		return sat_replica_group_commit(d->r, e);
	sat_replica_group_rollback(d->r);
	return rc;
}

void
loss_write_something(history *h, int dev)
{
	static const char *const owners[] = { "ann", "bob", "hq" };
	lab_dev *d = &h->L->dev[dev];
	written *w = &h->w[h->nw];
	sat_draft draft = { 0 };
	char series[SAT_SERIES_TEXT] = "";
	sat_op ops[9];
	sat_view v;
	size_t n = 0;
	uint64_t cseq, number = 0;
	sat_err e = { 0 };

	if (h->nw == WRITES_MAX || sat_replica_template(d->r) == NULL)
		return;
	w->dev = dev;
	w->rec = (int)loss_draw(h, (uint64_t)h->nrecs + 1);
	(void)snprintf(w->tag, sizeof w->tag, "t%d.%d;", dev, h->nw);
	if (w->rec == h->nrecs) {
		if (h->nrecs == RECORDS_MAX)
			return;
		h->rec[w->rec] = sat_replica_new_id(d->r);
		ops[n++] = loss_op(SAT_OP_NEW, &h->rec[w->rec], 0, sat_v_null());
		ops[n++] = loss_op(SAT_OP_MVSET, &h->rec[w->rec], A_NAME,
		    text("A customer"));
		ops[n++] = loss_op(SAT_OP_SET, &h->rec[w->rec], A_OWNER,
		    text(owners[dev == BOB ? 1 : loss_draw(h, 2)]));
		ops[n++] = loss_op(SAT_OP_STAGE, &h->rec[w->rec], A_STAGE,
		    text("first_contact"));
		number = number_it(h, dev, w->rec, series);
		ops[n++] = loss_op(SAT_OP_SET, &h->rec[w->rec], A_NUMBER,
		    text(h->number[w->rec]));
	} else if (!loss_view_of(h, dev, w->rec, &v) || v.leaving ||
	    v.rec.deleted) {
		return;
	}
	ops[n++] = loss_op(SAT_OP_SADD, &h->rec[w->rec], A_TAGS, text(w->tag));
	ops[n++] = loss_op(SAT_OP_ADD, &h->rec[w->rec], A_VISITS, sat_v_int(1));
	if (loss_draw(h, 3) == 0)
		ops[n++] = loss_op(SAT_OP_SET, &h->rec[w->rec], A_REMARK,
		    text(w->tag));
	if (loss_draw(h, 4) == 0 && w->rec < h->nrecs)
		ops[n++] = loss_op(SAT_OP_MVSET, &h->rec[w->rec], A_NAME,
		    text(w->tag));
	draft.subject = h->rec[w->rec];
	draft.ops = ops;
	draft.nops = n;
	if ((number != 0 ? write_numbered(d, &draft, &cseq, series, number,
	    &e) : sat_replica_write(d->r, &draft, &cseq, &e)) != SAT_OK)
		loss_fail(h, "device %d cannot write: %s", dev, e.text);
	w->cseq = cseq;
	w->with = -1;
	w->backed = w->excused = w->answered = w->let_go = false;
	if (w->rec == h->nrecs) {
		if (number != 0)
			TICK(leased);
		else
			TICK(provisional);
		h->family[h->nrecs] = h->nrecs;
		h->leads[h->nrecs++] = -1;
	}
	h->nw++;
	TICK(writes);
	loss_say(h, "%s writes %s into %d as %llu", d->m.name, w->tag, w->rec,
	    (unsigned long long)cseq);
}

/* What the server said, for the trace. */
static void
say_reply(history *h)
{
	sat_span f = sat_buf_span(&h->L->t.reply);
	sat_msg m;
	sat_err e;

	if (!h->trace || sat_msg_read(&m, &h->L->a, f, &e) != SAT_OK)
		return;
	loss_say(h, "    asked %d, told %d", h->L->t.request.p[0], (int)m.type);
	if (m.type == SAT_MSG_DELTA)
		loss_say(h, "    page to %llu of %llu",
		    (unsigned long long)m.u.delta.upto,
		    (unsigned long long)m.u.delta.scope_head);
	for (size_t i = 0; m.type == SAT_MSG_VERDICTS && i < m.u.verdicts.n;
	    i++)
		loss_say(h, "    %llu: code %d, at %llu %.*s",
		    (unsigned long long)m.u.verdicts.v[i].cseq,
		    (int)m.u.verdicts.v[i].code,
		    (unsigned long long)m.u.verdicts.v[i].lsn,
		    (int)m.u.verdicts.v[i].slug.n,
		    (const char *)m.u.verdicts.v[i].slug.p);
	if (m.type == SAT_MSG_VERDICTS && m.u.verdicts.need_cseq != 0)
		loss_say(h, "    needs %llu%s",
		    (unsigned long long)m.u.verdicts.need_cseq,
		    m.u.verdicts.fork ? ", fork" : "");
}

static void
note_answers(history *h, int dev)
{
	sat_msg m;
	sat_err e;

	if (sat_msg_read(&m, &h->L->a, sat_buf_span(&h->L->t.reply), &e) !=
	    SAT_OK || m.type != SAT_MSG_VERDICTS)
		return;
	for (size_t i = 0; i < m.u.verdicts.n; i++)
		for (int k = 0; k < h->nw; k++)
			h->w[k].answered |= h->w[k].dev == dev &&
			    h->w[k].cseq == m.u.verdicts.v[i].cseq;
}

static void
say_request(history *h)
{
	sat_msg m;
	sat_err e;

	if (!h->trace || sat_msg_read(&m, &h->L->a, sat_buf_span(
	    &h->L->t.request), &e) != SAT_OK)
		return;
	if (m.type == SAT_MSG_HELLO)
		loss_say(h, "    hello, epoch %llu, cursor %llu",
		    (unsigned long long)m.u.hello.epoch,
		    (unsigned long long)m.u.hello.cursor);
	if (m.type == SAT_MSG_PULL)
		loss_say(h, "    pulls from %llu",
		    (unsigned long long)m.u.pull.cursor);
	if (m.type == SAT_MSG_PUSH)
		loss_say(h, "    pushes from %llu of %u, gap %d",
		    (unsigned long long)m.u.push.first_cseq,
		    m.u.push.incarnation, (int)m.u.push.gap);
}

/* most: exchanges before the link breaks; a reply may be lost with it. */
static sat_rc
talk_some(history *h, int dev, int most, sat_err *e)
{
	lab *L = h->L;
	sat_rc rc = SAT_OK;

	talk_begin(L, &L->dev[dev]);
	for (int i = 0; i < most && rc == SAT_OK; i++) {
		if ((rc = talk_request(L, e)) != SAT_OK || L->t.done ||
		    (say_request(h), false) ||
		    (rc = talk_serve(L, e)) != SAT_OK)
			break;
		say_reply(h);
		if (i + 1 < most || loss_draw(h, 2) == 0) {
			rc = talk_reply(L, e);
			note_answers(h, dev);
		}
	}
	if (rc == SAT_OK && most == EXCHANGES_MAX && !L->t.done)
		rc = sat_fail(e, SAT_EFAIL, "it does not end");
	talk_end(L);
	return rc;
}

void
loss_session(history *h, int dev, bool whole)
{
	lab *L = h->L;
	int most = whole ? EXCHANGES_MAX : 1 + (int)loss_draw(h, 6);
	sat_err e = { 0 };

	if (h->dead[dev])
		return;
	TICK(sessions);
	if (!whole)
		TICK(broken);
	loss_say(h, "%s session%s", L->dev[dev].m.name, whole ? "" : ", broken");
	if (talk_some(h, dev, most, &e) != SAT_OK)
		loss_fail(h, "a session of %s fails: %s (%s)", L->dev[dev].m.name,
		    e.text, e.hint);
	loss_look(h);
}
