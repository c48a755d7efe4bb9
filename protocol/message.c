/*
 * message.c - frames to bytes and back.
 *
 * Every member is written in the order of its struct in message.h. A decoder
 * checks each count against a limit of limits.h before it allocates, and
 * sat_read_end refuses bytes that are left over (P-002, P-071).
 */
#include "protocol/message_int.h"

#include <string.h>

#define CODE_MAX 40
#define TEXT_MAX 400
#define NAME_MAX_BYTES 256
#define PERMIT_MAX_BYTES 512
#define REGISTRY_MAX_BYTES SAT_FRAME_MAX
#define CERT_MAX_BYTES 512

/* ---- error ---------------------------------------------------------------- */

static void
write_error(sat_buf *b, const sat_msg_error *m)
{
	sat_write_uint(b, m->rc);
	sat_write_span(b, m->code);
	sat_write_span(b, m->text);
	sat_write_span(b, m->hint);
}

static void
read_error(sat_msg_error *m, sat_reader *r)
{
	m->rc = read_u32(r);
	m->code = sat_read_span(r, CODE_MAX);
	m->text = sat_read_span(r, TEXT_MAX);
	m->hint = sat_read_span(r, HINT_MAX);
}

/* Trouble of this machine, said to another one: whose disk it is, no paths. */
static void
write_own_trouble(sat_msg_error *m)
{
	const char *text = "the server cannot use its database";

	if (m->rc == SAT_ENOSPACE)
		text = "the server's disk is full; nothing was written";
	else if (m->rc == SAT_EIO || m->rc == SAT_EFSYNC)
		text = "the server's disk failed";
	else if (m->rc == SAT_ENOMEM)
		text = "the server is out of memory";
	m->text = sat_span_str(text);
	m->hint = sat_span_str("tell the administrator; what you saved stays on "
	    "this device");
}

void
sat_msg_write_error(sat_buf *out, const sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_ERROR };

	m.u.error.rc = e->rc == SAT_OK ? SAT_EFAIL : (uint32_t)e->rc;
	m.u.error.code = sat_span_str(
	    e->code[0] != '\0' ? e->code : sat_rc_slug(e->rc));
	m.u.error.text = sat_span_str(e->text);
	m.u.error.hint = sat_span_str(e->hint);
	if (strncmp(e->code, SAT_MSG_OWN_TROUBLE, strlen(SAT_MSG_OWN_TROUBLE)) ==
	    0)
		write_own_trouble(&m.u.error);
	sat_msg_write(out, &m);
}

/* Text of a peer goes to a terminal and a log: no control characters. */
static void
copy_text(char *out, size_t cap, sat_span s)
{
	size_t n = s.n < cap - 1 ? s.n : cap - 1;

	/* Not in the middle of a character. */
	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : (char)s.p[i];
	out[n] = '\0';
}

sat_rc
sat_msg_to_err(const sat_msg_error *m, sat_err *e)
{
	char code[CODE_MAX + 1], text[TEXT_MAX + 1], hint[HINT_MAX + 1];
	sat_rc rc = (sat_rc)m->rc;

	/* EFSYNC and its like are about the server's own file: here they mean
	 * only that it could not answer. */
	if (m->rc == SAT_OK || m->rc > SAT_ENOSPACE)
		rc = m->rc == SAT_EPROTO ? SAT_EPROTO : SAT_EFAIL;
	copy_text(code, sizeof code, m->code);
	copy_text(text, sizeof text, m->text);
	copy_text(hint, sizeof hint, m->hint);
	return sat_fail_code(
	    e, rc, code, hint[0] != '\0' ? hint : NULL, "%s", text);
}

/* ---- hello, enrolment ------------------------------------------------------ */

static void
write_hello(sat_buf *b, const sat_hello *m)
{
	sat_write_uint(b, m->proto_min);
	sat_write_uint(b, m->proto_max);
	sat_write_uint(b, m->device);
	sat_write_uint(b, m->incarnation);
	sat_write_uint(b, m->cursor);
	sat_write_uint(b, m->epoch);
	sat_write_uint(b, m->ledger_rev);
	sat_write_uint(b, m->registry_rev);
	sat_buf_add(b, m->template_oid, sizeof m->template_oid);
	sat_write_int(b, m->wall_ms);
	sat_write_int(b, m->permit_ms);
	sat_write_uint(b, m->features);
	sat_write_uint(b, m->unsent_inc);
	sat_write_uint(b, m->unsent_cseq);
	sat_msg_write_known(b, m->wall_ms, m->coverage_rev);
	if (m->answered != 0)
		sat_write_uint(b, m->answered);
}

static void
pass_over_rest(sat_reader *r)
{
	(void)sat_read_raw(r, r->left);
}

static void
read_hello(sat_hello *m, sat_reader *r)
{
	m->proto_min = read_u32(r);
	m->proto_max = read_u32(r);
	m->device = read_u32(r);
	m->incarnation = read_u32(r);
	m->cursor = sat_read_uint(r);
	m->epoch = sat_read_uint(r);
	m->ledger_rev = sat_read_uint(r);
	m->registry_rev = sat_read_uint(r);
	sat_read_copy(r, m->template_oid, sizeof m->template_oid);
	m->wall_ms = sat_read_int(r);
	m->permit_ms = sat_read_int(r);
	m->features = sat_read_uint(r);
	m->unsent_inc = read_u32(r);
	m->unsent_cseq = sat_read_uint_max(r, INT64_MAX);
	m->coverage_rev = sat_msg_read_known(m->wall_ms, r);
	m->answered = r->left > 0 ? sat_read_uint_max(r, INT64_MAX) : 0;
	pass_over_rest(r);
}

static void
write_welcome(sat_buf *b, const sat_welcome *m)
{
	sat_write_uint(b, m->proto);
	sat_write_int(b, m->wall_ms);
	sat_write_uint(b, m->head);
	sat_write_uint(b, m->scope_head);
	sat_write_uint(b, m->durable);
	sat_write_uint(b, m->epoch);
	sat_write_uint(b, m->last_cseq);
	sat_write_uint(b, m->registry_rev);
	sat_write_uint(b, m->ledger_rev);
	sat_write_u8(b, m->template_same);
	if (!m->template_same)
		sat_buf_add(b, m->template_oid, sizeof m->template_oid);
	sat_write_uint(b, m->ncerts);
	for (size_t i = 0; i < m->ncerts; i++)
		sat_write_span(b, m->certs[i]);
	sat_write_span(b, m->permit);
	sat_write_uint(b, m->truncated);
	sat_msg_write_sum(b, m->has_sum, m->sum);
	sat_write_uint(b, m->features);
	sat_msg_write_coverage(b, m->wall_ms, &m->coverage);
	if (m->nanswers > 0)
		sat_msg_write_answers(b, m->answers, m->nanswers);
}

static void
read_welcome(sat_welcome *m, sat_arena *a, sat_reader *r)
{
	m->proto = read_u32(r);
	m->wall_ms = sat_read_int(r);
	m->head = sat_read_uint(r);
	m->scope_head = sat_read_uint(r);
	m->durable = sat_read_uint(r);
	m->epoch = sat_read_uint(r);
	m->last_cseq = sat_read_uint(r);
	m->registry_rev = sat_read_uint(r);
	m->ledger_rev = sat_read_uint(r);
	m->template_same = read_bool(r);
	if (!m->template_same)
		sat_read_copy(r, m->template_oid, sizeof m->template_oid);
	m->ncerts = read_count(r, 1, SAT_EPOCHS_MAX);
	m->certs = sat_arena_alloc(a, (m->ncerts + 1) * sizeof *m->certs);
	for (size_t i = 0; i < m->ncerts; i++)
		m->certs[i] = sat_read_span(r, CERT_MAX_BYTES);
	m->permit = sat_read_span(r, PERMIT_MAX_BYTES);
	m->truncated = sat_read_uint_max(r, INT64_MAX);
	sat_msg_read_sum(&m->has_sum, &m->sum, r);
	m->features = sat_read_uint(r);
	sat_msg_read_coverage(&m->coverage, m->wall_ms, a, r);
	if (r->left > 0)
		sat_msg_read_answers(&m->answers, &m->nanswers, a, r);
	pass_over_rest(r);
}

static void
write_enrol(sat_buf *b, const sat_enrol *m)
{
	sat_write_uint(b, m->proto_min);
	sat_write_uint(b, m->proto_max);
	write_id(b, &m->org);
	sat_buf_add(b, m->token, sizeof m->token);
	sat_buf_add(b, m->sign_pk, sizeof m->sign_pk);
	sat_write_span(b, m->name);
	sat_write_int(b, m->wall_ms);
}

static void
read_enrol(sat_enrol *m, sat_reader *r)
{
	m->proto_min = read_u32(r);
	m->proto_max = read_u32(r);
	m->org = read_id(r);
	sat_read_copy(r, m->token, sizeof m->token);
	sat_read_copy(r, m->sign_pk, sizeof m->sign_pk);
	m->name = sat_read_span(r, NAME_MAX_BYTES);
	if (!sat_utf8_ok(m->name.p, m->name.n))
		sat_read_bad(r, "device name");
	m->wall_ms = sat_read_int(r);
}

static void
write_enrolled(sat_buf *b, const sat_enrolled *m)
{
	sat_write_uint(b, m->device);
	sat_write_uint(b, m->user);
	sat_write_span(b, m->user_key);
	sat_write_span(b, m->role);
	sat_write_span(b, m->org_name);
	sat_buf_add(b, m->root_pk, sizeof m->root_pk);
	sat_buf_add(b, m->template_pk, sizeof m->template_pk);
	sat_write_int(b, m->wall_ms);
}

static void
read_enrolled(sat_enrolled *m, sat_reader *r)
{
	m->device = read_u32(r);
	m->user = read_u32(r);
	m->user_key = sat_read_span(r, 64);
	m->role = sat_read_span(r, 32);
	m->org_name = sat_read_span(r, NAME_MAX_BYTES);
	sat_read_copy(r, m->root_pk, sizeof m->root_pk);
	sat_read_copy(r, m->template_pk, sizeof m->template_pk);
	m->wall_ms = sat_read_int(r);
}

/* ---- live ------------------------------------------------------------------ */

static void
write_wait(sat_buf *b, const sat_wait *m)
{
	sat_write_uint(b, m->cursor);
	sat_write_uint(b, m->registry_rev);
	sat_buf_add(b, m->template_oid, sizeof m->template_oid);
}

static void
read_wait(sat_wait *m, sat_reader *r)
{
	m->cursor = sat_read_uint(r);
	m->registry_rev = sat_read_uint(r);
	sat_read_copy(r, m->template_oid, sizeof m->template_oid);
}

static void
write_waited(sat_buf *b, const sat_waited *m)
{
	sat_write_uint(b, m->what);
	sat_write_uint(b, m->spread_ms);
}

static void
read_waited(sat_waited *m, sat_reader *r)
{
	m->what = (uint32_t)sat_read_uint_max(r,
	    SAT_WAITED_LOG | SAT_WAITED_SETTINGS);
	m->spread_ms = (uint32_t)sat_read_uint_max(r,
	    SAT_SPREAD_MS_MAX);
}

/* ---- pull, snapshot ---------------------------------------------------------- */

static void
write_pull(sat_buf *b, const sat_pull *m)
{
	sat_write_uint(b, m->cursor);
	sat_write_uint(b, m->flags);
	sat_write_uint(b, m->max_bytes);
}

static void
read_pull(sat_pull *m, sat_reader *r)
{
	m->cursor = sat_read_uint(r);
	m->flags = (uint32_t)sat_read_uint_max(r, SAT_PULL_FULL_OWN);
	m->max_bytes = read_u32(r);
}

static void
write_delta(sat_buf *b, const sat_delta *m)
{
	sat_write_uint(b, m->upto);
	sat_write_int(b, (int64_t)(m->head - m->upto));
	sat_write_int(b, (int64_t)(m->scope_head - m->upto));
	sat_write_uint(b, m->max_eff);
	sat_write_uint(b, m->nrescopes);
	for (size_t i = 0; i < m->nrescopes; i++) {
		const sat_rescope *s = &m->rescopes[i];

		sat_write_uint(b, s->lsn);
		write_id(b, &s->root);
		sat_write_span(b, s->to);
		sat_write_uint(b, s->nheld);
		for (size_t k = 0; k < s->nheld; k++)
			write_id(b, &s->held[k]);
	}
	sat_write_span(b, m->records);
	sat_write_span(b, m->batch);
	sat_msg_write_sum(b, m->has_sum, m->sum);
	sat_msg_write_places(b, m->heads, m->nheads, m->head);
}

static void
read_rescope(sat_rescope *s, sat_arena *a, sat_reader *r)
{
	s->lsn = sat_read_uint(r);
	s->root = read_id(r);
	s->to = sat_read_span(r, NAME_MAX_BYTES);
	s->nheld = read_count(r, sizeof(sat_id), SAT_FRAME_MAX);
	s->held = sat_arena_alloc(a, (s->nheld + 1) * sizeof *s->held);
	for (size_t i = 0; i < s->nheld; i++)
		s->held[i] = read_id(r);
}

static void
read_delta(sat_delta *m, sat_arena *a, sat_reader *r)
{
	m->upto = sat_read_uint(r);
	m->head = m->upto + (uint64_t)sat_read_int(r);
	m->scope_head = m->upto + (uint64_t)sat_read_int(r);
	m->max_eff = sat_read_uint_max(r, INT64_MAX);
	if (m->upto > INT64_MAX || m->head > INT64_MAX ||
	    m->scope_head > INT64_MAX)
		sat_read_bad(r, "position");
	m->nrescopes = read_count(r, 19, SAT_FRAME_MAX);
	m->rescopes = sat_arena_alloc(a, (m->nrescopes + 1) * sizeof *m->rescopes);
	memset(m->rescopes, 0, (m->nrescopes + 1) * sizeof *m->rescopes);
	for (size_t i = 0; i < m->nrescopes && r->fault == NULL; i++)
		read_rescope(&m->rescopes[i], a, r);
	m->records = sat_read_span(r, SAT_FRAME_MAX);
	m->batch = sat_read_span(r, SAT_FRAME_MAX);
	sat_msg_read_sum(&m->has_sum, &m->sum, r);
	sat_msg_read_places(&m->heads, &m->nheads, a, m->head, r);
}

static void
write_chunk(sat_buf *b, const sat_chunk *m)
{
	sat_write_uint(b, m->lsn);
	sat_write_uint(b, m->next);
	sat_write_u8(b, m->done);
	sat_write_uint(b, m->total);
	sat_write_be64(b, m->max_eff);
	sat_buf_add(b, m->hash, sizeof m->hash);
	sat_write_span(b, m->records);
	sat_msg_write_places(b, m->heads, m->nheads, m->lsn);
}

static void
read_chunk(sat_chunk *m, sat_arena *a, sat_reader *r)
{
	m->lsn = sat_read_uint(r);
	m->next = sat_read_uint_max(r, INT64_MAX);
	m->done = read_bool(r);
	m->total = sat_read_uint(r);
	m->max_eff = sat_read_be64(r);
	sat_read_copy(r, m->hash, sizeof m->hash);
	m->records = sat_read_span(r, SAT_FRAME_MAX);
	sat_msg_read_places(&m->heads, &m->nheads, a, m->lsn, r);
}

/* ---- the frame ------------------------------------------------------------------ */

static void
write_template_is(sat_buf *b, const sat_msg *m)
{
	sat_buf_add(b, m->u.template_is.tip, sizeof m->u.template_is.tip);
	sat_write_span(b, m->u.template_is.bundle);
}

void
sat_msg_write(sat_buf *out, const sat_msg *m)
{
	sat_write_u8(out, (uint8_t)m->type);
	switch (m->type) {
	case SAT_MSG_ERROR: write_error(out, &m->u.error); break;
	case SAT_MSG_HELLO: write_hello(out, &m->u.hello); break;
	case SAT_MSG_WELCOME: write_welcome(out, &m->u.welcome); break;
	case SAT_MSG_PUSH: sat_msg_write_push(out, &m->u.push); break;
	case SAT_MSG_VERDICTS: sat_msg_write_verdicts(out, &m->u.verdicts); break;
	case SAT_MSG_PULL: write_pull(out, &m->u.pull); break;
	case SAT_MSG_DELTA: write_delta(out, &m->u.delta); break;
	case SAT_MSG_SNAP: sat_write_uint(out, m->u.snap.after); break;
	case SAT_MSG_CHUNK: write_chunk(out, &m->u.chunk); break;
	case SAT_MSG_REGISTRY: break;
	case SAT_MSG_REGISTRY_IS: sat_write_span(out, m->u.registry); break;
	case SAT_MSG_TEMPLATE:
		sat_buf_add(out, m->u.template_have, SAT_TEMPLATE_OID_BYTES);
		break;
	case SAT_MSG_TEMPLATE_IS: write_template_is(out, m); break;
	case SAT_MSG_ENROL: write_enrol(out, &m->u.enrol); break;
	case SAT_MSG_ENROLLED: write_enrolled(out, &m->u.enrolled); break;
	case SAT_MSG_WAIT: write_wait(out, &m->u.wait); break;
	case SAT_MSG_WAITED: write_waited(out, &m->u.waited); break;
	case SAT_MSG_DIGEST:
	case SAT_MSG_DIGEST_IS:
	case SAT_MSG_REFETCH:
	case SAT_MSG_REFETCH_IS: sat_msg_write_repair(out, m); break;
	case SAT_MSG_NUMBERS:
	case SAT_MSG_NUMBERS_IS: sat_msg_write_numbers(out, m); break;
	case SAT_MSG_HOLD:
	case SAT_MSG_HELD: sat_msg_write_hold(out, m); break;
	case SAT_MSG_ADMIN:
	case SAT_MSG_ADMIN_IS: sat_msg_write_admin(out, m); break;
	case SAT_MSG_FILE_PUT:
	case SAT_MSG_FILE_TAKEN:
	case SAT_MSG_FILE_GET:
	case SAT_MSG_FILE_IS: sat_msg_write_file(out, m); break;
	case SAT_MSG_WIPE: sat_write_span(out, m->u.wipe); break;
	case SAT_MSG_WIPED: sat_wiped_write(out, &m->u.wiped); break;
	case SAT_MSG_REKEY: sat_rekey_write(out, &m->u.rekey); break;
	case SAT_MSG_REKEYED:
		sat_write_uint(out, m->u.rekeyed.lsn);
		sat_buf_add(out, m->u.rekeyed.sign_pk, SAT_SIGN_PK_BYTES);
		break;
	default: sat_msg_write_more(out, m); break;
	}
}

static void
read_body(sat_msg *m, sat_arena *a, sat_reader *r)
{
	switch (m->type) {
	case SAT_MSG_ERROR: read_error(&m->u.error, r); break;
	case SAT_MSG_HELLO: read_hello(&m->u.hello, r); break;
	case SAT_MSG_WELCOME: read_welcome(&m->u.welcome, a, r); break;
	case SAT_MSG_PUSH: sat_msg_read_push(&m->u.push, a, r); break;
	case SAT_MSG_VERDICTS: sat_msg_read_verdicts(&m->u.verdicts, a, r); break;
	case SAT_MSG_PULL: read_pull(&m->u.pull, r); break;
	case SAT_MSG_DELTA: read_delta(&m->u.delta, a, r); break;
	case SAT_MSG_SNAP: m->u.snap.after = sat_read_uint_max(r, INT64_MAX); break;
	case SAT_MSG_CHUNK: read_chunk(&m->u.chunk, a, r); break;
	case SAT_MSG_REGISTRY: break;
	case SAT_MSG_REGISTRY_IS:
		m->u.registry = sat_read_span(r, REGISTRY_MAX_BYTES);
		break;
	case SAT_MSG_TEMPLATE:
		sat_read_copy(r, m->u.template_have, SAT_TEMPLATE_OID_BYTES);
		break;
	case SAT_MSG_TEMPLATE_IS:
		sat_read_copy(r, m->u.template_is.tip, SAT_TEMPLATE_OID_BYTES);
		m->u.template_is.bundle = sat_read_span(r, SAT_FRAME_MAX);
		break;
	case SAT_MSG_ENROL: read_enrol(&m->u.enrol, r); break;
	case SAT_MSG_ENROLLED: read_enrolled(&m->u.enrolled, r); break;
	case SAT_MSG_WAIT: read_wait(&m->u.wait, r); break;
	case SAT_MSG_WAITED: read_waited(&m->u.waited, r); break;
	case SAT_MSG_DIGEST:
	case SAT_MSG_DIGEST_IS:
	case SAT_MSG_REFETCH:
	case SAT_MSG_REFETCH_IS: sat_msg_read_repair(m, a, r); break;
	case SAT_MSG_NUMBERS:
	case SAT_MSG_NUMBERS_IS: sat_msg_read_numbers(m, a, r); break;
	case SAT_MSG_HOLD:
	case SAT_MSG_HELD: sat_msg_read_hold(m, a, r); break;
	case SAT_MSG_ADMIN:
	case SAT_MSG_ADMIN_IS: sat_msg_read_admin(m, a, r); break;
	case SAT_MSG_FILE_PUT:
	case SAT_MSG_FILE_TAKEN:
	case SAT_MSG_FILE_GET:
	case SAT_MSG_FILE_IS: sat_msg_read_file(m, r); break;
	case SAT_MSG_WIPE: m->u.wipe = sat_read_span(r, SAT_WIPE_BYTES); break;
	case SAT_MSG_WIPED: sat_wiped_take(&m->u.wiped, r); break;
	case SAT_MSG_REKEY: sat_rekey_take(&m->u.rekey, r); break;
	case SAT_MSG_REKEYED:
		m->u.rekeyed.lsn = sat_read_uint_max(r, INT64_MAX);
		sat_read_copy(r, m->u.rekeyed.sign_pk, SAT_SIGN_PK_BYTES);
		break;
	default: sat_msg_read_more(m, a, r); break;
	}
}

sat_rc
sat_msg_read(sat_msg *m, sat_arena *a, sat_span frame, sat_err *e)
{
	sat_reader r = sat_reader_of(frame);
	uint8_t type;

	memset(m, 0, sizeof *m);
	if (frame.n > SAT_FRAME_MAX)
		return sat_fail(e, SAT_EPROTO, "frame of %zu bytes", frame.n);
	type = sat_read_u8(&r);
	if (type > SAT_MSG_LAST)
		return sat_fail(e, SAT_EPROTO, "frame type %u", type);
	m->type = (sat_msg_type)type;
	read_body(m, a, &r);
	return sat_read_end(&r, "frame", e);
}
