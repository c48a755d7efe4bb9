/*
 * Moves about bytes, signatures, chains, clocks, sessions and stolen keys.
 */
#include "tests/sim/byz_moves.h"

#include <string.h>

/* ---- bytes, signatures, chain ------------------------------------------------------ */

static bfate
flipped_bit(evil *v)
{
	sat_commit c = byz_own_customer(v);
	sat_buf out = { 0 };
	bfate end;
	size_t at;

	byz_frame(&out, v, &c, 1);
	/* the last two bytes, gap and old positions, are not signed: a device
	 * may say there what it likes */
	at = 1 + (size_t)byz_draw(v, out.n - 3);
	out.p[at] = (uint8_t)(out.p[at] ^ 1u << byz_draw(v, 8));
	/* A batch may say the same in more than one way; the commit may not:
	 * what is let in then is what was signed, and the log verifies. */
	end = byz_send(v, sat_buf_span(&out), &c, 1);
	sat_buf_fini(&out);
	return end;
}

static bfate
cut_frame(evil *v)
{
	sat_commit c = byz_own_customer(v);
	sat_buf out = { 0 };
	bfate end;

	byz_frame(&out, v, &c, 1);
	out.n = (size_t)byz_draw(v, out.n);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
reused_signature(evil *v)
{
	sat_commit c = byz_own_customer(v);
	sat_buf out = { 0 };
	sat_msg m, old;
	sat_err e;
	bfate end;

	if (v->npast == 0)
		return B_OTHER;
	byz_frame(&out, v, &c, 1);
	if (sat_msg_read(&m, &v->tmp, sat_buf_span(&out), &e) != SAT_OK ||
	    sat_msg_read(&old, &v->tmp, sat_buf_span(&v->past[byz_draw(v,
	    v->npast)]), &e) != SAT_OK)
		byz_fail(v->w, "harness: %s", e.text);
	memcpy(m.u.push.sig, old.u.push.sig, sizeof m.u.push.sig);
	m.u.push.batch = sat_span_of(sat_arena_dup(&v->tmp, m.u.push.batch.p,
	    m.u.push.batch.n), m.u.push.batch.n);
	sat_buf_reset(&out);
	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
another_author(evil *v)
{
	sat_id id = byz_own_record(v);
	sat_op op = byz_op(SAT_OP_SET, &id, A_REMARK, byz_txt("x"));
	sat_commit c = byz_commit(v, &id, &op, 1);

	c.actor = 1 + (uint32_t)byz_draw(v, 5);
	return byz_push(v, &c, 1);
}

static bfate
another_device(evil *v)
{
	sat_commit c = byz_own_customer(v);
	sat_buf out = { 0 };
	uint32_t mine = v->ord;
	bfate end;

	v->ord = 1 + (uint32_t)byz_draw(v, 4);
	byz_frame(&out, v, &c, 1);
	v->ord = mine;
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
gap(evil *v)
{
	sat_commit c = byz_own_customer(v);
	uint64_t cseq = v->cseq;
	sat_buf out = { 0 };
	bfate end;

	v->cseq += 1 + byz_draw(v, 1000);
	byz_frame(&out, v, &c, 1);
	v->cseq = cseq;
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
fork_chain(evil *v)
{
	sat_commit c = byz_own_customer(v);
	uint8_t head[SAT_HASH_BYTES];
	uint64_t cseq = v->cseq;
	sat_buf out = { 0 };
	bfate end;

	if (cseq == 0)
		return B_OTHER;
	memcpy(head, v->head, sizeof head);
	v->cseq = byz_draw(v, cseq);
	memset(v->head, (int)byz_draw(v, 2), sizeof v->head);
	byz_frame(&out, v, &c, 1);
	v->cseq = cseq;
	memcpy(v->head, head, sizeof head);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
broken_link(evil *v)
{
	sat_commit c = byz_own_customer(v);
	uint8_t head[SAT_HASH_BYTES];
	sat_buf out = { 0 };
	bfate end;

	memcpy(head, v->head, sizeof head);
	v->head[byz_draw(v, sizeof head)] ^= 1;
	byz_frame(&out, v, &c, 1);
	memcpy(v->head, head, sizeof head);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

static bfate
repeat(evil *v)
{
	if (v->npast == 0)
		return B_OTHER;
	return byz_send(v, sat_buf_span(&v->past[byz_draw(v, v->npast)]), NULL, 0);
}

static bfate
other_incarnation(evil *v)
{
	sat_commit c = byz_own_customer(v);
	uint64_t cseq = v->cseq;
	uint8_t head[SAT_HASH_BYTES];
	uint32_t inc = v->incarnation;
	sat_buf out = { 0 };
	bfate end;

	memcpy(head, v->head, sizeof head);
	memset(v->head, 0, sizeof v->head);
	v->cseq = 0;
	v->incarnation = byz_draw(v, 2) != 0 ? UINT32_MAX : inc + 1 +
	    (uint32_t)byz_draw(v, 1u << 30);
	byz_frame(&out, v, &c, 1);
	end = byz_send(v, sat_buf_span(&out), &c, 1);
	v->incarnation = inc;
	v->cseq = cseq;
	memcpy(v->head, head, sizeof head);
	sat_buf_fini(&out);
	return end;
}

/* ---- clocks, positions ----------------------------------------------------------------- */

static bfate
clock_lie(evil *v)
{
	sat_id id = byz_own_record(v);
	sat_op op = byz_op(SAT_OP_MVSET, &id, A_NAME, byz_txt("late"));
	sat_commit c = byz_commit(v, &id, &op, 1);
	int64_t now = v->w->now_ms;

	switch (byz_draw(v, 5)) {
	case 0: c.hlc = sat_hlc_of_ms(now + 301000); break;
	case 1: c.hlc = sat_hlc_of_ms(now + 10ll * 365 * 86400000); break;
	case 2: c.hlc = 1; break;
	case 3: c.hlc = INT64_MAX; break;
	default: c.hlc = sat_hlc_of_ms(now - 86400000); break; /* not rising */
	}
	return byz_push(v, &c, 1);
}

static bfate
seen_from_the_future(evil *v)
{
	sat_id id = byz_own_record(v);
	sat_op op = byz_op(SAT_OP_MVSET, &id, A_NAME, byz_txt("future"));
	sat_commit c = byz_commit(v, &id, &op, 1);

	c.seen += 1 + (byz_draw(v, 2) != 0 ? byz_draw(v, 1000) :
	    INT64_MAX - c.seen - 1);
	return byz_push(v, &c, 1);
}

/* ---- sessions ------------------------------------------------------------------------------------ */

static bfate
hello_of_another(evil *v)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf out = { 0 };
	bfate end;

	m.u.hello = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION,
		.device = v->ord, .incarnation = v->incarnation };
	switch (byz_draw(v, 2)) {
	case 0: m.u.hello.device = 1 + (uint32_t)byz_draw(v, 3); break;
	default: m.u.hello.proto_min = m.u.hello.proto_max = 77; break;
	}
	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	if (v->x.greeted)
		byz_fail(v->w, "another's hello was taken");
	byz_greet(v);
	return end;
}

static bfate
used_invitation(evil *v)
{
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_server_session x = { .device = 0 };
	sat_server_session mine = v->x;
	sat_buf out = { 0 };
	bfate end;

	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = v->w->org };
	memcpy(m.u.enrol.token, v->token, sizeof v->token);
	if (byz_draw(v, 2) != 0)
		m.u.enrol.token[0] ^= 1;
	memset(x.channel_pk, 0x77, sizeof x.channel_pk);
	v->x = x;
	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	v->x = mine;
	sat_buf_fini(&out);
	if (end != B_REFUSED)
		byz_fail(v->w, "a used invitation made a device");
	return end;
}

/* What a state or an operation is about must be the device's own. */
static void
check_scope(evil *v, const sat_msg *m)
{
	sat_record *r = NULL;
	sat_commit *c = NULL;
	size_t nr = 0, nc = 0;
	sat_span recs = m->type == SAT_MSG_CHUNK ? m->u.chunk.records :
	    m->u.delta.records;
	sat_err e = { 0 };

	if ((recs.n > 0 && sat_records_read(&r, &nr, &v->tmp, recs, &e) !=
	    SAT_OK) || (m->type == SAT_MSG_DELTA && m->u.delta.batch.n > 0 &&
	    sat_batch_read(&c, &nc, &v->tmp, SAT_BATCH_PULL, m->u.delta.batch,
	    &e) != SAT_OK))
		byz_fail(v->w, "an answer cannot be read: %s", e.text);
	for (size_t i = 0; i < nr; i++)
		if (!byz_marked(&r[i].id))
			byz_fail(v->w, "a hostile device was given another's "
			    "record");
	for (size_t i = 0; i < nc; i++)
		for (size_t k = 0; k < c[i].nops; k++)
			if (!sat_id_zero(&c[i].ops[k].rec) &&
			    !byz_marked(&c[i].ops[k].rec))
				byz_fail(v->w, "a hostile device was given "
				    "another's operation");
}

static bfate
pull_everything(evil *v)
{
	sat_msg m = { .type = byz_draw(v, 2) != 0 ? SAT_MSG_PULL : SAT_MSG_SNAP };
	sat_buf out = { 0 }, reply = { 0 };
	sat_err e = { 0 };

	if (m.type == SAT_MSG_PULL)
		m.u.pull = (sat_pull){ byz_draw(v, 3) == 0 ? UINT64_MAX >> 1 : 0,
			SAT_PULL_FULL_OWN, UINT32_MAX };
	else
		m.u.snap.after = byz_draw(v, 3) * 1000000000u;
	sat_msg_write(&out, &m);
	byz_serve(v->w, &v->x, &reply, sat_buf_span(&out));
	if (sat_msg_read(&m, &v->tmp, sat_buf_span(&reply), &e) != SAT_OK)
		byz_fail(v->w, "an answer cannot be read: %s", e.text);
	if (m.type == SAT_MSG_CHUNK || m.type == SAT_MSG_DELTA)
		check_scope(v, &m);
	sat_buf_fini(&out);
	sat_buf_fini(&reply);
	return B_OTHER;
}

static bfate
any_bytes(evil *v)
{
	uint8_t bytes[300];
	size_t n = 1 + (size_t)byz_draw(v, sizeof bytes - 1);
	bfate end;

	for (size_t i = 0; i < n; i++)
		bytes[i] = byz_draw(v, 3) == 0 ? 0 : (uint8_t)sat_test_rand(&v->rand);
	bytes[0] = (uint8_t)byz_draw(v, 40);
	end = byz_send(v, sat_span_of(bytes, n), NULL, 0);
	if (!v->x.greeted)
		byz_greet(v);
	return end;
}

static bfate
answers_as_requests(evil *v)
{
	static const sat_msg_type answers[] = { SAT_MSG_WELCOME,
		SAT_MSG_VERDICTS, SAT_MSG_DELTA, SAT_MSG_CHUNK,
		SAT_MSG_REGISTRY_IS, SAT_MSG_TEMPLATE_IS, SAT_MSG_ENROLLED,
		SAT_MSG_ERROR };
	sat_msg m = { .type = answers[byz_draw(v, 8)] };
	sat_buf out = { 0 };
	bfate end;

	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	return end;
}

/* ---- the stolen laptop ---------------------------------------------------------------------------- */

static honest *
colleague(evil *v)
{
	return &v->w->dev[v->w->ndev - 1];
}

static bfate
relayed_push(evil *v)
{
	honest *d = colleague(v);

	if (d->npast == 0)
		return B_OTHER;
	return byz_send(v, sat_buf_span(&d->past[byz_draw(v, d->npast)]), NULL, 0);
}

/* With the keys of its disk: what it had sent, and something new. */
static bfate
stolen_keys(evil *v)
{
	honest *d = colleague(v);
	sat_server_session mine = v->x;
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf out = { 0 };
	bfate end;

	if (!d->revoked)
		return B_OTHER;
	v->x = byz_draw(v, 2) != 0 ? d->x : (sat_server_session){ .device = 0 };
	memcpy(v->x.channel_pk, d->id.channel_pk, sizeof v->x.channel_pk);
	m.u.hello = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION,
		.device = d->ord, .incarnation = 1 };
	if (!v->x.greeted || d->npast == 0) {
		sat_msg_write(&out, &m);
		end = byz_send(v, sat_buf_span(&out), NULL, 0);
		if (v->x.greeted)
			byz_fail(v->w, "a revoked device was greeted");
	} else {
		end = byz_send(v, sat_buf_span(&d->past[byz_draw(v, d->npast)]),
		    NULL, 0);
	}
	v->x = mine;
	sat_buf_fini(&out);
	return end;
}

/* P-384: that a device was wiped, said by one that was told nothing of the kind:
 * of itself, of a colleague, in his name. */
static bfate
false_receipt(evil *v)
{
	sat_msg m = { .type = SAT_MSG_WIPED };
	sat_wiped *w = &m.u.wiped;
	sat_buf b = { 0 }, out = { 0 };
	bfate end;

	w->device = byz_draw(v, 2) != 0 ? v->ord : colleague(v)->ord;
	w->incarnation = 1;
	w->nonce[0] = (uint8_t)byz_draw(v, 256);
	w->at_ms = v->w->now_ms;
	w->cseq = byz_draw(v, 9);
	sat_wiped_sign_bytes(&b, w, &v->w->org);
	sat_sign(w->sig, sat_buf_span(&b), v->sign_sk);
	sat_msg_write(&out, &m);
	end = byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&b);
	sat_buf_fini(&out);
	return end;
}

/* ---- the catalogue ---- */

bmove byz_chain[] = {
	{ .name = "a bit flipped", .make = flipped_bit },
	{ .name = "a frame cut short", .make = cut_frame, .never = true },
	{ .name = "a signature used again", .make = reused_signature, .never = true },
	{ .name = "another author", .make = another_author },
	{ .name = "another device's number", .make = another_device, .never = true },
	{ .name = "a gap", .make = gap, .never = true },
	{ .name = "a fork", .make = fork_chain, .never = true },
	{ .name = "a broken chain", .make = broken_link, .never = true },
	{ .name = "a push again", .make = repeat, .never = true },
	{ .name = "another incarnation", .make = other_incarnation },
	{ .name = "a lying clock", .make = clock_lie },
	{ .name = "seen from the future", .make = seen_from_the_future, .never = true },
	{ .name = "another's hello", .make = hello_of_another, .never = true },
	{ .name = "a used invitation", .make = used_invitation, .never = true },
	{ .name = "asking for everything", .make = pull_everything, .never = true,
	  .quiet = true },
	{ .name = "any bytes", .make = any_bytes, .never = true },
	{ .name = "an answer as a request", .make = answers_as_requests, .never = true },
	{ .name = "a colleague's push", .make = relayed_push, .never = true },
	{ .name = "a revoked colleague's keys", .make = stolen_keys, .never = true },
	{ .name = "a receipt of no wipe", .make = false_receipt, .never = true },
	{ .name = NULL },
};
