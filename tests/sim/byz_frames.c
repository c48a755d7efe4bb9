/*
 * Moves with the rarer frames: states and erasures for a server that was never
 * lost, numbers without end, sums and records of ranges it may not see.
 */
#include "tests/sim/byz_moves.h"

#include <string.h>

static bfate
send_msg(evil *v, const sat_msg *m)
{
	sat_buf out = { 0 };
	bfate end;

	sat_msg_write(&out, m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

/* A state of somebody else's customer, with a value of its own. */
static bfate
seeded_state(evil *v)
{
	const brec *r = byz_victim(v);
	sat_msg m = { .type = SAT_MSG_SEED };
	sat_record rec = { .kind = K_ACCOUNT, .rlsn = byz_head(v->w) };
	sat_cell cell = { .field = A_NAME, .value = byz_txt("mine") };
	sat_chain_known known = { 1 + (uint32_t)byz_draw(v, 3), 1u << 20 };
	sat_buf records = { 0 };
	sat_err e = { 0 };
	bfate end;

	if (r == NULL)
		return B_OTHER;
	rec.id = byz_draw(v, 2) != 0 ? r->id : byz_new_id(v);
	rec.born = cell.at = (sat_stamp){ sat_hlc_of_ms(v->w->now_ms), v->ord,
		byz_head(v->w) };
	rec.cells = &cell;
	rec.ncells = 1;
	if (sat_records_write(&records, &rec, 1, &e) != SAT_OK)
		byz_fail(v->w, "harness: %s", e.text);
	m.u.seed.epoch = byz_draw(v, 2);
	m.u.seed.known = &known;
	m.u.seed.nknown = 1;
	m.u.seed.records = sat_buf_span(&records);
	end = send_msg(v, &m);
	sat_buf_fini(&records);
	return end;
}

/* An erasure nobody decided, as if a restored server lacked it. */
static bfate
forged_erasure(evil *v)
{
	const brec *r = byz_victim(v);
	sat_msg m = { .type = SAT_MSG_LEDGER };
	sat_erasure x = { .rev = 1 + byz_draw(v, 3), .at_ms = v->w->now_ms,
		.by = 1, .second = 4, .reason = sat_span_str("asked for") };
	sat_buf b = { 0 };

	if (r == NULL)
		return B_OTHER;
	x.subject = r->parent < 0 ? r->id : v->w->recs[r->parent].id;
	sat_erasure_bytes(&b, &v->w->org, &x);
	sat_sign(x.sig, sat_buf_span(&b), v->sign_sk); /* its own key */
	sat_buf_fini(&b);
	m.u.ledger = (sat_ledger){ .after = 0, .rev = x.rev, .e = &x, .n = 1 };
	return send_msg(v, &m);
}

static bfate
asked_erasure(evil *v)
{
	const brec *r = byz_victim(v);
	sat_msg m = { .type = SAT_MSG_PRIVACY };

	if (r == NULL)
		return B_OTHER;
	m.u.privacy.verb = byz_draw(v, 2) != 0 ? SAT_PRIVACY_ERASE :
	    SAT_PRIVACY_CONFIRM;
	m.u.privacy.subject = r->parent < 0 ? r->id : v->w->recs[r->parent].id;
	m.u.privacy.reason = sat_span_str("because");
	return send_msg(v, &m);
}

static bfate
false_receipt(evil *v)
{
	sat_msg m = { .type = SAT_MSG_ERASED };

	m.u.erased.rev = byz_draw(v, 2) != 0 ? 1u << 20 : 0;
	memset(m.u.erased.sig, 7, sizeof m.u.erased.sig);
	return send_msg(v, &m);
}

static bfate
numbers_without_end(evil *v)
{
	sat_msg m = { .type = SAT_MSG_NUMBERS };
	sat_number_range r[3];

	memset(r, 0, sizeof r);
	memcpy(r[0].series, "C202606", 8);
	memcpy(r[1].series, "C209912", 8);
	memcpy(r[2].series, "Z202606", 8);
	m.u.numbers.r = r;
	m.u.numbers.n = 1 + byz_draw(v, 3);
	return send_msg(v, &m);
}

/* All there is: it may hold its own. */
static bfate
refetch_everything(evil *v)
{
	sat_msg m = { .type = SAT_MSG_REFETCH };
	sat_buf out = { 0 }, reply = { 0 };
	sat_record *r = NULL;
	size_t n = 0;
	sat_err e = { 0 };

	m.u.refetch.kind = K_ACCOUNT;
	m.u.refetch.to_eid = UINT32_MAX;
	sat_msg_write(&out, &m);
	byz_serve(v->w, &v->x, &reply, sat_buf_span(&out));
	if (sat_msg_read(&m, &v->tmp, sat_buf_span(&reply), &e) != SAT_OK ||
	    (m.type == SAT_MSG_REFETCH_IS && m.u.refetch_is.records.n > 0 &&
	    sat_records_read(&r, &n, &v->tmp, m.u.refetch_is.records, &e) !=
	    SAT_OK))
		byz_fail(v->w, "an answer cannot be read: %s", e.text);
	for (size_t i = 0; i < n; i++)
		if (!byz_marked(&r[i].id))
			byz_fail(v->w, "a hostile device was given another's "
			    "record to repair its own");
	sat_buf_fini(&out);
	sat_buf_fini(&reply);
	return B_OTHER;
}

bmove byz_frames[] = {
	{ .name = "states for a server never lost", .make = seeded_state,
	  .never = true, .quiet = true },
	{ .name = "a forged erasure", .make = forged_erasure, .never = true,
	  .quiet = true },
	{ .name = "an erasure it may not ask for", .make = asked_erasure,
	  .never = true },
	{ .name = "a false receipt", .make = false_receipt, .never = true },
	{ .name = "numbers without end", .make = numbers_without_end,
	  .never = true, .quiet = true },
	{ .name = "repairing everything", .make = refetch_everything,
	  .never = true, .quiet = true },
	{ .name = NULL },
};
