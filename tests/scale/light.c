#include "tests/scale/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

scale_fields scale_f;

void
light_init(light *d, const scale_server *s, uint32_t index)
{
	uint8_t seed[32];

	memset(d, 0, sizeof *d);
	d->s = s;
	d->index = index;
	(void)snprintf(d->user_key, sizeof d->user_key, "u%u",
	    index / PER_USER);
	sat_random(seed, sizeof seed);
	sat_sign_keys(d->sign_pk, d->sign_sk, seed);
	sat_random(d->channel.sk, sizeof d->channel.sk);
	sat_box_keys(d->channel.pk, d->channel.sk);
	memset(d->at, -1, sizeof d->at);
}

/* ---- writing -------------------------------------------------------------------- */

static void
put(light *d, sat_op_kind kind, uint16_t field, const char *text)
{
	sat_op *op = &d->ops[d->c.nops++];

	memset(op, 0, sizeof *op);
	op->kind = kind;
	op->rtype = scale_f.kind;
	op->field = field;
	op->rec = d->c.subject;
	op->value = text != NULL ? sat_v_text(sat_span_str(text)) : sat_v_null();
}

/* Which customer of which device an id names: written into its last bytes. */
static sat_id
make_id(const light *d, unsigned account)
{
	sat_id id;
	uint8_t r[8] = { 0 };
	sat_clock c = sat_clock_os();

	sat_random(r, sizeof r);
	id = sat_id_make(sat_wall_ms(&c), d->ord, r);
	id.b[12] = (uint8_t)(d->index >> 16);
	id.b[13] = (uint8_t)(d->index >> 8);
	id.b[14] = (uint8_t)d->index;
	id.b[15] = (uint8_t)account;
	return id;
}

static void
put_account(light *d, unsigned account)
{
	(void)snprintf(d->text[0], sizeof d->text[0], "customer %u-%u",
	    d->index, account);
	(void)snprintf(d->text[1], sizeof d->text[1], "+861380%07u",
	    (d->index * ACCOUNTS + account) % 10000000);
	put(d, SAT_OP_NEW, 0, NULL);
	put(d, SAT_OP_MVSET, scale_f.name, d->text[0]);
	put(d, SAT_OP_SET, scale_f.industry, "I65");
	put(d, SAT_OP_MVSET, scale_f.contact, "somebody");
	put(d, SAT_OP_MVSET, scale_f.phone, d->text[1]);
	put(d, SAT_OP_STAGE, scale_f.stage, "first_contact");
	put(d, SAT_OP_SET, scale_f.need, "solution");
	put(d, SAT_OP_SET, scale_f.owner, d->user_key);
}

void
light_write(light *d)
{
	/* beyond the last: that one again */
	unsigned n = d->cseq < COMMITS ? (unsigned)d->cseq : COMMITS - 1;
	unsigned account = n / (COMMITS / ACCOUNTS);
	bool fresh = n % (COMMITS / ACCOUNTS) == 0;
	sat_clock c = sat_clock_os();
	int64_t now = sat_wall_ms(&c);

	if (fresh)
		d->id[account] = make_id(d, account);
	d->c = (sat_commit){ .device = d->ord,
		.incarnation = 1, .actor = d->user, .subject = d->id[account],
		.seen = d->cursor, .ops = d->ops, .cseq = ++d->cseq,
		.hlc = sat_hlc_tick(&d->hlc, now, sat_boot_ms(&c)) };
	memcpy(d->c.template_oid, d->s->tip, sizeof d->s->tip);
	memcpy(d->c.prev, d->head, sizeof d->head);
	memcpy(d->prev, d->head, sizeof d->head);
	sat_random(d->c.salt, sizeof d->c.salt);
	if (fresh) {
		put_account(d, account);
	} else {
		(void)snprintf(d->text[2], sizeof d->text[2], "v%u", n);
		put(d, SAT_OP_SET, scale_f.remark, d->text[2]);
	}
	d->at[d->index % PER_USER * ACCOUNTS + account] = (int8_t)n;
	sat_commit_seal(&d->c, d->head);
	d->pending = true;
}

void
light_write_day(light *d)
{
	uint8_t first[SAT_HASH_BYTES];

	memcpy(first, d->head, sizeof first);
	while (d->nday < COMMITS) {
		sat_commit *c = &d->day[d->nday++];

		light_write(d);
		*c = d->c;
		c->ops = sat_arena_dup(&d->mem, d->ops,
		    c->nops * sizeof *c->ops);
		for (size_t i = 0; i < c->nops; i++)
			c->ops[i].value = sat_value_dup(&d->mem,
			    c->ops[i].value);
	}
	memcpy(d->prev, first, sizeof first);
}

/* ---- what the session asks --------------------------------------------------------- */

static sat_rc
on_hello(void *u, sat_hello *h, sat_err *e)
{
	light *d = u;
	sat_clock c = sat_clock_os();

	(void)e;
	memset(h, 0, sizeof *h);
	h->proto_min = SAT_PROTO_MIN;
	h->proto_max = SAT_PROTO_VERSION;
	h->device = d->ord;
	h->incarnation = 1;
	h->cursor = d->cursor;
	h->epoch = d->epoch;
	h->ledger_rev = d->ledger_rev;
	h->registry_rev = d->s->registry_rev;
	memcpy(h->template_oid, d->s->tip, sizeof h->template_oid);
	h->wall_ms = sat_wall_ms(&c);
	return SAT_OK;
}

static sat_rc
on_welcome(void *u, const sat_welcome *w, int64_t sent, sat_err *e)
{
	light *d = u;

	(void)sent;
	(void)e;
	d->epoch = w->epoch;
	return SAT_OK;
}

/* Who else there is does not matter to a light device. */
static sat_rc
on_registry(void *u, sat_span registry, sat_err *e)
{
	(void)u;
	(void)registry;
	(void)e;
	return SAT_OK;
}

static sat_rc
on_template(void *u, const uint8_t tip[SAT_TEMPLATE_OID_BYTES], sat_span b,
    sat_err *e)
{
	(void)u;
	(void)tip;
	(void)b;
	return sat_fail(e, SAT_EFAIL, "no template was asked for");
}

static sat_rc
on_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c, size_t *n,
    uint64_t from, sat_err *e)
{
	light *d = u;
	sat_buf b = { 0 };

	(void)e;
	*n = 0;
	if (!d->pending || from > d->cseq)
		return SAT_OK;
	*n = d->nday > 0 ? d->nday : 1;
	*c = d->nday > 0 ? sat_arena_dup(a, d->day, *n * sizeof **c) :
	    sat_arena_dup(a, &d->c, sizeof d->c);
	push->incarnation = 1;
	push->first_cseq = d->cseq - *n + 1;
	memcpy(push->prev, d->prev, SAT_HASH_BYTES);
	sat_batch_sign_bytes(&b, &d->s->org, d->ord, 1, push->first_cseq,
	    d->cseq, d->head);
	sat_sign(push->sig, sat_buf_span(&b), d->sign_sk);
	sat_buf_fini(&b);
	return SAT_OK;
}

static sat_rc
on_verdicts(void *u, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	light *d = u;

	(void)inc;
	(void)e;
	for (size_t i = 0; i < v->n; i++) {
		if (v->v[i].cseq == d->cseq)
			d->pending = false;
		if (v->v[i].code != SAT_VD_OK) {
			d->refused++;
			(void)fprintf(stderr, "refused: code %d %.*s %.*s\n",
			    (int)v->v[i].code, (int)v->v[i].slug.n,
			    (const char *)v->v[i].slug.p,
			    (int)v->v[i].hint.n,
			    (const char *)v->v[i].hint.p);
		}
		if (v->v[i].lsn > d->accepted_lsn)
			d->accepted_lsn = v->v[i].lsn;
	}
	return SAT_OK;
}

static sat_rc
on_snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	(void)u;
	(void)after;
	(void)e;
	*wanted = false; /* everything comes by the log */
	return SAT_OK;
}

static sat_rc
on_chunk(void *u, const sat_chunk *c, sat_err *e)
{
	(void)u;
	(void)c;
	return sat_fail(e, SAT_EFAIL, "no snapshot was asked for");
}

static sat_rc
on_cursor(void *u, uint64_t *cursor, sat_err *e)
{
	(void)e;
	*cursor = ((light *)u)->cursor;
	return SAT_OK;
}

/* The place of a customer among those of this device's user; -1: another's. */
static int
place(light *d, const sat_op *op)
{
	const uint8_t *b = op->rec.b;
	uint32_t index;

	if (sat_id_zero(&op->rec)) {
		for (int i = 0; i < PER_USER * ACCOUNTS; i++)
			if (d->eid[i] == op->eid && op->eid != 0)
				return i;
		return -1;
	}
	index = (uint32_t)b[12] << 16 | (uint32_t)b[13] << 8 | b[14];
	if (index / PER_USER != d->index / PER_USER || b[15] >= ACCOUNTS)
		return -1;
	return (int)(index % PER_USER * ACCOUNTS + b[15]);
}

/* "v17" -> 17 */
static int8_t
number_of(sat_span v)
{
	char text[8];

	(void)snprintf(text, sizeof text, "%.*s", v.n < 8 ? (int)v.n : 7,
	    (const char *)v.p);
	return (int8_t)atoi(text + 1);
}

static void
take(light *d, const sat_op *op)
{
	int i = place(d, op);

	if (i < 0) {
		d->unknown++; /* L1: it must not come here at all */
		return;
	}
	if (op->eid != 0)
		d->eid[i] = op->eid;
	if (op->kind == SAT_OP_NEW)
		d->at[i] = (int8_t)(i % ACCOUNTS * (COMMITS / ACCOUNTS));
	else if (op->field == scale_f.remark && op->value.s.n > 1)
		d->at[i] = number_of(op->value.s);
}

static sat_rc
on_delta(void *u, const sat_delta *m, sat_err *e)
{
	light *d = u;

	(void)e;
	for (size_t i = 0; i < m->ncommits; i++)
		for (size_t k = 0; !m->commits[i].own &&
		     k < m->commits[i].nops; k++)
			take(d, &m->commits[i].ops[k]);
	d->cursor = m->upto;
	return SAT_OK;
}

static sat_rc
on_accepted(void *u, uint64_t *lsn, sat_err *e)
{
	(void)e;
	*lsn = ((light *)u)->accepted_lsn;
	return SAT_OK;
}

/* ---- links ----------------------------------------------------------------------------- */

sat_rc
light_dial(light *d, const char *url, sat_err *e)
{
	sat_net_client_opts o = { .dial = url, .keys = d->channel,
		.timeout_ms = 60000 };
	sat_buf prologue = { 0 };
	sat_rc rc;

	memcpy(o.server_pk, d->s->pk, sizeof o.server_pk);
	sat_buf_str(&prologue, "satchel/1");
	sat_buf_add(&prologue, d->s->org.b, sizeof d->s->org.b);
	o.prologue = sat_buf_span(&prologue);
	rc = sat_net_dial(&d->link, &o, e);
	sat_buf_fini(&prologue);
	return rc;
}

sat_rc
light_session(light *d, unsigned flags, sat_err *e)
{
	sat_client_ops ops = { .u = d, .hello = on_hello, .welcome = on_welcome,
		.registry = on_registry, .template_ = on_template,
		.outbox = on_outbox, .verdicts = on_verdicts,
		.snap_state = on_snap_state, .chunk = on_chunk,
		.cursor = on_cursor, .delta = on_delta,
		.accepted = on_accepted };
	sat_clock clock = sat_clock_os();
	sat_cs *cs = sat_cs_new(&ops, &clock, flags);
	sat_buf q = { 0 }, a = { 0 };
	bool done = false;
	sat_rc rc;

	for (;;) {
		sat_buf_reset(&q);
		if ((rc = sat_cs_next(cs, &q, &done, e)) != SAT_OK || done ||
		    (rc = sat_net_request(d->link, &a, sat_buf_span(&q),
		    e)) != SAT_OK ||
		    (rc = sat_cs_reply(cs, sat_buf_span(&a), e)) != SAT_OK)
			break;
	}
	sat_cs_free(cs);
	sat_buf_fini(&q);
	sat_buf_fini(&a);
	return rc;
}

sat_rc
light_wait_send(light *d, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_WAIT };
	sat_buf b = { 0 };
	sat_rc rc;

	m.u.wait.cursor = d->cursor;
	m.u.wait.registry_rev = d->s->registry_rev;
	memcpy(m.u.wait.template_oid, d->s->tip, sizeof d->s->tip);
	sat_msg_write(&b, &m);
	rc = sat_net_send(d->link, sat_buf_span(&b), e);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
light_wait_done(light *d, sat_waited *out, int timeout_ms, sat_err *e)
{
	sat_buf b = { 0 };
	sat_arena a = { 0 };
	sat_msg m;
	sat_rc rc = sat_net_receive(d->link, &b, timeout_ms, e);

	if (rc == SAT_OK &&
	    (rc = sat_msg_read(&m, &a, sat_buf_span(&b), e)) == SAT_OK) {
		if (m.type == SAT_MSG_WAITED)
			*out = m.u.waited;
		else
			rc = sat_fail(e, SAT_EPROTO, "answer %d to a wait",
			    (int)m.type);
	}
	sat_arena_fini(&a);
	sat_buf_fini(&b);
	return rc;
}

bool
light_complete(const light *d)
{
	for (int i = 0; i < PER_USER * ACCOUNTS; i++)
		if (d->at[i] != (i % ACCOUNTS + 1) * (COMMITS / ACCOUNTS) - 1)
			return false;
	return true;
}
