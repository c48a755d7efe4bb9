#include "tests/lib/unit.h"

#include "protocol/client.h"
#include "tests/unit/protocol/script.h"

static int64_t
zero(void *u)
{
	(void)u;
	return 5;
}

static sat_rc
hello(void *u, sat_hello *out, sat_err *e)
{
	script *s = u;

	(void)e;
	memset(out, 0, sizeof *out);
	out->proto_min = out->proto_max = 1;
	out->registry_rev = s->registry_rev;
	out->cursor = s->cursor;
	out->device = 3;
	out->unsent_cseq = s->waits > 0 ? s->first : 0;
	memcpy(out->template_oid, s->tip, sizeof s->tip);
	return SAT_OK;
}

static sat_rc
welcome(void *u, const sat_welcome *w, int64_t sent, sat_err *e)
{
	script *s = u;

	(void)w;
	(void)e;
	if (s->clock.boot_ms == zero)
		assert_int_equal(5, sent);
	s->welcomes++;
	return SAT_OK;
}

static sat_rc
registry(void *u, sat_span r, sat_err *e)
{
	(void)r;
	(void)e;
	((script *)u)->registries++;
	return SAT_OK;
}

static sat_rc
template_(void *u, const uint8_t *tip, sat_span bundle, sat_err *e)
{
	(void)tip;
	(void)bundle;
	if (((script *)u)->too_old)
		return sat_fail_code(e, SAT_EVERSION, "template.min_client",
		    "update this program", "too old");
	((script *)u)->templates++;
	return SAT_OK;
}

static sat_rc
outbox(void *u, sat_arena *a, sat_push *p, sat_commit **c, size_t *n,
    uint64_t from, sat_err *e)
{
	script *s = u;
	static const sat_id rec = { { 1 } };
	sat_op op = { .kind = SAT_OP_SET, .rtype = 1, .field = 1, .rec = rec,
		.value = sat_v_int(1) };

	(void)e;
	s->from_seen = from;
	*n = s->waits;
	p->incarnation = 1;
	p->first_cseq = from != 0 ? from : s->first;
	if (from != 0)
		*n = s->first + s->waits > from ? s->first + s->waits - from : 0;
	*c = sat_arena_alloc(a, (*n + 1) * sizeof **c);
	for (size_t i = 0; i < *n; i++) {
		(*c)[i] = (sat_commit){ .device = 3, .incarnation = 1,
			.cseq = p->first_cseq + i, .hlc = 9, .actor = 1,
			.subject = rec, .nops = 1 };
		(*c)[i].ops = sat_arena_dup(a, &op, sizeof op);
	}
	return SAT_OK;
}

static sat_rc
outbox_behind(void *u, sat_arena *a, sat_push *p, sat_commit **c, size_t *n,
    sat_err *e)
{
	script *s = u;
	uint64_t from = s->first + s->waits;
	size_t waits = s->waits;
	sat_rc rc;

	s->waits += s->behind;
	rc = outbox(u, a, p, c, n, from, e);
	s->waits = waits;
	return rc;
}

static sat_rc
on_verdicts(void *u, uint32_t inc, const sat_verdicts *v, sat_err *e)
{
	script *s = u;

	(void)e;
	assert_int_equal(1, inc);
	s->verdict_calls++;
	for (size_t i = 0; i < v->n && !s->stuck_outbox; i++)
		if (v->v[i].cseq >= s->first && s->waits > 0) {
			s->first++;
			s->waits--;
		}
	return SAT_OK;
}

static sat_rc
accepted(void *u, uint64_t *lsn, sat_err *e)
{
	(void)e;
	*lsn = ((script *)u)->accepted;
	return SAT_OK;
}

static sat_rc
snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	script *s = u;

	(void)e;
	*wanted = s->snap_wanted;
	*after = (uint32_t)s->chunks;
	return SAT_OK;
}

static sat_rc
chunk(void *u, const sat_chunk *c, sat_err *e)
{
	script *s = u;

	(void)e;
	if (s->chunks++ == 0)
		s->first_lsn = c->lsn;
	if (c->done) {
		s->snap_wanted = false;
		s->cursor = s->first_lsn;
	}
	return SAT_OK;
}

static sat_rc
cursor(void *u, uint64_t *c, sat_err *e)
{
	(void)e;
	*c = ((script *)u)->cursor;
	return SAT_OK;
}

static sat_rc
delta(void *u, const sat_delta *d, sat_err *e)
{
	script *s = u;

	s->deltas++;
	if (s->delta_rc != SAT_OK) {
		sat_rc rc = s->delta_rc;

		s->delta_rc = SAT_OK;
		return sat_fail(e, rc, "planned");
	}
	s->cursor = d->upto;
	return SAT_OK;
}

static sat_rc
numbers_want(void *u, sat_arena *a, sat_numbers *want, sat_err *e)
{
	script *s = u;

	(void)e;
	if (!s->wants_numbers)
		return SAT_OK;
	want->r = sat_arena_alloc(a, sizeof *want->r);
	*want->r = (sat_number_range){ .series = "KH202611" };
	want->n = 1;
	return SAT_OK;
}

static sat_rc
numbers(void *u, const sat_numbers *given, sat_err *e)
{
	script *s = u;

	(void)given;
	(void)e;
	s->wants_numbers = false;
	return SAT_OK;
}

static sat_rc
file_next(void *u, sat_arena *a, sat_file_put *out, bool *wanted, sat_err *e)
{
	script *s = u;

	(void)a;
	(void)e;
	*wanted = s->has_file;
	out->bytes = 5000;
	return SAT_OK;
}

static sat_rc
file_taken(void *u, const sat_file_taken *in, sat_err *e)
{
	script *s = u;

	(void)e;
	s->has_file = in->fate == SAT_FILE_MORE;
	return SAT_OK;
}

sat_client_ops
script_ops(script *s)
{
	return (sat_client_ops){ .u = s, .hello = hello, .welcome = welcome,
		.registry = registry, .template_ = template_, .outbox = outbox,
		.outbox_behind = outbox_behind,
		.verdicts = on_verdicts, .snap_state = snap_state,
		.chunk = chunk, .cursor = cursor, .delta = delta,
		.numbers_want = numbers_want, .numbers = numbers,
		.file_next = file_next, .file_taken = file_taken,
		.accepted = accepted };
}

void
start(script *s, unsigned flags)
{
	sat_client_ops ops = script_ops(s);

	sat_crypto_init();
	if (s->first == 0)
		s->first = 1;
	s->clock = (sat_clock){ zero, zero, NULL };
	s->cs = sat_cs_new(&ops, &s->clock, flags);
}

void
stop(script *s)
{
	sat_cs_free(s->cs);
	sat_arena_fini(&s->a);
	sat_buf_fini(&s->q);
}

sat_msg
asked(script *s)
{
	sat_buf again = { 0 };
	sat_err err = { 0 };
	bool done;
	sat_msg m;

	sat_buf_reset(&s->q);
	assert_ok(sat_cs_next(s->cs, &s->q, &done, &err));
	assert_false(done);
	assert_ok(sat_cs_next(s->cs, &again, &done, &err));
	assert_true(sat_span_eq(sat_buf_span(&s->q), sat_buf_span(&again)));
	sat_buf_fini(&again);
	assert_ok(sat_msg_read(&m, &s->a, sat_buf_span(&s->q), &err));
	return m;
}

bool
finished(script *s)
{
	sat_err err = { 0 };
	bool done;

	sat_buf_reset(&s->q);
	assert_ok(sat_cs_next(s->cs, &s->q, &done, &err));
	return done;
}

sat_rc
answer(script *s, const sat_msg *m, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	sat_msg_write(&b, m);
	rc = sat_cs_reply(s->cs, sat_buf_span(&b), e);
	sat_buf_fini(&b);
	return rc;
}

void
opened(script *s, unsigned flags, const sat_msg *welcome_is)
{
	sat_err err = { 0 };

	start(s, flags);
	assert_int_equal(SAT_MSG_HELLO, asked(s).type);
	assert_ok(answer(s, welcome_is, &err));
}

sat_msg
a_welcome(uint64_t scope_head)
{
	sat_msg m = { .type = SAT_MSG_WELCOME };

	m.u.welcome.proto = 1;
	m.u.welcome.head = scope_head + 5;
	m.u.welcome.scope_head = scope_head;
	return m;
}

sat_msg
a_delta(uint64_t upto, uint64_t scope_head)
{
	sat_msg m = { .type = SAT_MSG_DELTA };

	m.u.delta.upto = upto;
	m.u.delta.scope_head = scope_head;
	return m;
}

sat_msg
a_chunk(uint64_t next)
{
	sat_msg m = { .type = SAT_MSG_CHUNK };

	m.u.chunk.lsn = 60;
	m.u.chunk.next = next;
	sat_hash(m.u.chunk.hash, (sat_span){ NULL, 0 });
	return m;
}

sat_msg
a_gap(uint64_t need_cseq)
{
	sat_msg m = { .type = SAT_MSG_VERDICTS };

	m.u.verdicts.need_cseq = need_cseq;
	return m;
}

sat_msg
a_template(void)
{
	sat_msg m = { .type = SAT_MSG_TEMPLATE_IS };

	m.u.template_is.tip[0] = 1;
	m.u.template_is.bundle = sat_span_str("b");
	return m;
}

sat_msg
some_verdicts(sat_verdict *v, uint64_t first, size_t n)
{
	sat_msg m = { .type = SAT_MSG_VERDICTS };

	for (size_t i = 0; i < n; i++)
		v[i] = (sat_verdict){ .cseq = first + i, .lsn = 50 + i,
			.eff = 60 + i };
	m.u.verdicts.v = v;
	m.u.verdicts.n = n;
	return m;
}
