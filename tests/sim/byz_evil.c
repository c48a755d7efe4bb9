/*
 * A hostile device: enrolled like any other, for a user of a team of its own
 * who shares no customer with anybody. It keeps its chain by hand, so that it
 * can break it.
 */
#include "tests/sim/byz.h"

#include <stdio.h>
#include <string.h>

static void
evil_bytes(evil *v, void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)sat_test_rand(&v->rand);
}

sat_id
byz_new_id(evil *v)
{
	uint32_t mark = BYZ_MARK, r = (uint32_t)sat_test_rand(&v->rand);
	uint8_t half[8];

	memcpy(half, &mark, sizeof mark);
	memcpy(half + 4, &r, sizeof r);
	return sat_id_make(v->w->now_ms, v->ord, half);
}

void
byz_evil_open(evil *v, int index)
{
	bworld *w = v->w;
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_buf out = { 0 }, reply = { 0 };
	uint8_t seed[32], sk[32];
	sat_err e = { 0 };

	v->user = (uint32_t)(w->nusers - 2 + index % 2);
	v->incarnation = 1;
	evil_bytes(v, seed, sizeof seed);
	sat_sign_keys(v->sign_pk, v->sign_sk, seed);
	evil_bytes(v, sk, sizeof sk);
	sat_box_keys(v->channel_pk, sk);
	evil_bytes(v, v->token, sizeof v->token);
	byz_invite(w, v->token, (int)v->user);
	memcpy(v->x.channel_pk, v->channel_pk, sizeof v->channel_pk);
	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = w->org,
		.name = sat_span_str("e") };
	memcpy(m.u.enrol.token, v->token, sizeof v->token);
	memcpy(m.u.enrol.sign_pk, v->sign_pk, sizeof v->sign_pk);
	sat_msg_write(&out, &m);
	byz_serve(w, &v->x, &reply, sat_buf_span(&out));
	if (sat_msg_read(&m, &v->tmp, sat_buf_span(&reply), &e) != SAT_OK ||
	    m.type != SAT_MSG_ENROLLED)
		byz_fail(w, "a hostile device is not enrolled");
	v->ord = m.u.enrolled.device;
	v->user = m.u.enrolled.user;
	sat_buf_fini(&out);
	sat_buf_fini(&reply);
	byz_greet(v);
}

void
byz_evil_close(evil *v)
{
	sat_arena_fini(&v->tmp);
	for (size_t i = 0; i < v->npast; i++)
		sat_buf_fini(&v->past[i]);
}

void
byz_greet(evil *v)
{
	sat_msg m = { .type = SAT_MSG_HELLO };
	sat_buf out = { 0 };

	m.u.hello = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION,
		.device = v->ord, .incarnation = v->incarnation };
	sat_msg_write(&out, &m);
	(void)byz_send(v, sat_buf_span(&out), NULL, 0);
	sat_buf_fini(&out);
	if (!v->x.greeted)
		byz_fail(v->w, "a hostile device is not greeted: %s", v->slug);
}

sat_commit
byz_commit(evil *v, const sat_id *subject, const sat_op *ops, size_t n)
{
	sat_commit c = { .subject = *subject, .actor = v->user, .nops = n };
	sat_hlc now = sat_hlc_of_ms(v->w->now_ms);

	c.ops = sat_arena_dup(&v->tmp, ops, n * sizeof *ops);
	v->hlc = now > v->hlc ? now : v->hlc + 1;
	c.hlc = v->hlc;
	c.seen = byz_head(v->w);
	memcpy(c.template_oid, sim_template_oid(0), SAT_TEMPLATE_OID_BYTES);
	evil_bytes(v, c.salt, sizeof c.salt);
	return c;
}

void
byz_frame(sat_buf *out, evil *v, sat_commit *c, size_t n)
{
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 }, bytes = { 0 };
	uint8_t head[SAT_HASH_BYTES];
	sat_err e = { 0 };

	memcpy(head, v->head, sizeof head);
	for (size_t i = 0; i < n; i++) {
		c[i].device = v->ord;
		c[i].incarnation = v->incarnation;
		c[i].cseq = v->cseq + 1 + i;
		memcpy(c[i].prev, head, sizeof head);
		sat_commit_seal(&c[i], head);
	}
	if (sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &e) != SAT_OK)
		byz_fail(v->w, "harness: %s", e.text);
	m.u.push.incarnation = v->incarnation;
	m.u.push.first_cseq = v->cseq + 1;
	memcpy(m.u.push.prev, v->head, sizeof v->head);
	m.u.push.batch = sat_buf_span(&batch);
	sat_batch_sign_bytes(&bytes, &v->w->org, v->ord, v->incarnation,
	    v->cseq + 1, v->cseq + n, head);
	sat_sign(m.u.push.sig, sat_buf_span(&bytes), v->sign_sk);
	sat_buf_reset(out);
	sat_msg_write(out, &m);
	sat_buf_fini(&batch);
	sat_buf_fini(&bytes);
}

static void
note_slug(evil *v, sat_span s)
{
	(void)snprintf(v->slug, sizeof v->slug, "%.*s", (int)s.n,
	    s.n > 0 ? (const char *)s.p : "");
}

/* The chain goes on only behind what the server took note of. */
static bfate
take_verdicts(evil *v, const sat_verdicts *got, const sat_commit *c, size_t n)
{
	bfate end = B_REFUSED;
	bool mine = !got->fork && got->n == n && n > 0;

	if (got->fork || got->need_cseq != 0)
		note_slug(v, sat_span_str(got->fork ? "fork" : "gap"));
	for (size_t i = 0; i < got->n; i++) {
		bool in = got->v[i].lsn != 0;

		if (!in)
			note_slug(v, got->v[i].slug);
		end = in ? B_TAKEN : end == B_TAKEN ? end : B_REJECTED;
		mine = mine && got->v[i].cseq == c[i].cseq;
	}
	if (mine && c[n - 1].cseq > v->cseq) {
		sat_buf b = { 0 };

		sat_commit_write_header(&b, &c[n - 1]);
		sat_hash(v->head, sat_buf_span(&b));
		sat_buf_fini(&b);
		v->cseq = c[n - 1].cseq;
	}
	return end;
}

bfate
byz_send(evil *v, sat_span frame, const sat_commit *c, size_t n)
{
	sat_buf reply = { 0 };
	bfate end = B_OTHER;
	sat_err e = { 0 };
	sat_msg m;

	v->slug[0] = '\0';
	byz_serve(v->w, &v->x, &reply, frame);
	if (sat_msg_read(&m, &v->tmp, sat_buf_span(&reply), &e) != SAT_OK)
		byz_fail(v->w, "the server said what cannot be read: %s",
		    e.text);
	if (m.type == SAT_MSG_ERROR) {
		note_slug(v, m.u.error.code);
		end = B_REFUSED;
	} else if (m.type == SAT_MSG_VERDICTS) {
		end = take_verdicts(v, &m.u.verdicts, c, n);
	}
	sat_buf_fini(&reply);
	return end;
}

bfate
byz_push(evil *v, sat_commit *c, size_t n)
{
	sat_buf out = { 0 };
	bfate end;

	byz_frame(&out, v, c, n);
	end = byz_send(v, sat_buf_span(&out), c, n);
	if (end == B_TAKEN && v->npast < BYZ_PAST_MAX)
		v->past[v->npast++] = out;
	else
		sat_buf_fini(&out);
	return end;
}
