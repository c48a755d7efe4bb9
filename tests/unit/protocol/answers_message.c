/* Messages as answers to golden vectors. */
#include "tests/lib/unit.h"

#include <inttypes.h>

#include "protocol/message.h"
#include "tests/lib/golden.h"
#include "tests/unit/protocol/answers.h"

static void
put_hello(sat_buf *out, const sat_hello *m)
{
	sat_buf_fmt(out, "\"proto\":[%u,%u],\"device\":%u,\"incarnation\":%u,",
	    m->proto_min, m->proto_max, m->device, m->incarnation);
	put_u64(out, "cursor", m->cursor);
	sat_buf_str(out, ",");
	put_u64(out, "registry_rev", m->registry_rev);
	sat_buf_fmt(out, ",\"wall_ms\":%" PRId64 ",", m->wall_ms);
	put_u64(out, "features", m->features);
	if (m->unsent_cseq != 0)
		sat_buf_fmt(out, ",\"unsent\":[%u,%" PRIu64 "]",
		    m->unsent_inc, m->unsent_cseq);
	if (m->coverage_rev != 0) {
		sat_buf_str(out, ",");
		put_u64(out, "coverage_rev", m->coverage_rev);
	}
	if (m->answered != 0) {
		sat_buf_str(out, ",");
		put_u64(out, "answered", m->answered);
	}
}

static void
put_answers(sat_buf *out, const sat_welcome *m)
{
	sat_buf_str(out, ",\"answers\":[");
	for (size_t i = 0; i < m->nanswers; i++) {
		const sat_answer *x = &m->answers[i];

		sat_buf_str(out, i == 0 ? "{" : ",{");
		put_u64(out, "lsn", x->lsn);
		sat_buf_fmt(out, ",\"kind\":%u,\"accepted\":%s,\"by\":%u,"
		    "\"at_ms\":%" PRId64 ",", x->kind, x->accepted ? "true" :
		    "false", x->by, x->at_ms);
		put_u64(out, "hlc", x->hlc);
		sat_buf_str(out, "}");
	}
	sat_buf_str(out, "]");
}

static void
put_coverage(sat_buf *out, const sat_coverage *m)
{
	put_u64(out, "coverage_rev", m->rev);
	sat_buf_str(out, ",\"devices\":[");
	for (size_t i = 0; i < m->n; i++)
		sat_buf_fmt(out, "%s[%u,%" PRId64 "]", i == 0 ? "" : ",",
		    m->row[i].device, m->row[i].at_ms);
	sat_buf_str(out, "]");
}

static void
put_verdicts(sat_buf *out, const sat_verdicts *m)
{
	sat_buf_str(out, "\"verdicts\":[");
	for (size_t i = 0; i < m->n; i++) {
		const sat_verdict *v = &m->v[i];

		sat_buf_fmt(out, "%s{\"code\":%d,\"op\":%u,", i == 0 ? "" : ",",
		    (int)v->code, v->op);
		put_u64(out, "cseq", v->cseq);
		sat_buf_str(out, ",");
		put_u64(out, "lsn", v->lsn);
		sat_buf_str(out, ",");
		put_u64(out, "eff", v->eff);
		sat_buf_str(out, ",");
		put_text(out, "slug", v->slug);
		sat_buf_str(out, ",");
		put_text(out, "hint", v->hint);
		sat_buf_str(out, "}");
	}
	sat_buf_str(out, "],\"eids\":[");
	for (size_t i = 0; i < m->neids; i++) {
		sat_buf_str(out, i == 0 ? "{" : ",{");
		put_hex(out, "id", m->eids[i].id.b, 16);
		sat_buf_fmt(out, ",\"eid\":%u}", m->eids[i].eid);
	}
	sat_buf_str(out, "],");
	put_u64(out, "need_cseq", m->need_cseq);
	sat_buf_fmt(out, ",\"fork\":%s", m->fork ? "true" : "false");
}

static void
put_delta(sat_buf *out, const sat_delta *m)
{
	put_u64(out, "upto", m->upto);
	sat_buf_str(out, ",\"rescopes\":[");
	for (size_t i = 0; i < m->nrescopes; i++) {
		const sat_rescope *r = &m->rescopes[i];

		sat_buf_str(out, i == 0 ? "{" : ",{");
		put_hex(out, "root", r->root.b, 16);
		sat_buf_fmt(out, ",\"held\":%zu,", r->nheld);
		put_text(out, "to", r->to);
		sat_buf_str(out, "}");
	}
	sat_buf_fmt(out, "],\"records\":%zu,\"batch\":%zu", m->records.n,
	    m->batch.n);
}

static void
put_enrolled(sat_buf *out, const sat_enrolled *m)
{
	sat_buf_fmt(out, "\"device\":%u,\"user\":%u,", m->device, m->user);
	put_text(out, "user_key", m->user_key);
	sat_buf_str(out, ",");
	put_text(out, "role", m->role);
	sat_buf_str(out, ",");
	put_text(out, "org_name", m->org_name);
}

static void
put_body(sat_buf *out, const sat_msg *m)
{
	switch (m->type) {
	case SAT_MSG_HELLO:
		put_hello(out, &m->u.hello);
		break;
	case SAT_MSG_WELCOME:
		put_u64(out, "scope_head", m->u.welcome.scope_head);
		sat_buf_str(out, ",");
		put_u64(out, "last_cseq", m->u.welcome.last_cseq);
		if (m->u.welcome.coverage.n != 0) {
			sat_buf_str(out, ",");
			put_coverage(out, &m->u.welcome.coverage);
		}
		if (m->u.welcome.nanswers != 0)
			put_answers(out, &m->u.welcome);
		break;
	case SAT_MSG_PUSH:
		put_u64(out, "first_cseq", m->u.push.first_cseq);
		sat_buf_fmt(out, ",\"incarnation\":%u,\"batch\":%zu",
		    m->u.push.incarnation, m->u.push.batch.n);
		break;
	case SAT_MSG_VERDICTS:
		put_verdicts(out, &m->u.verdicts);
		break;
	case SAT_MSG_DELTA:
		put_delta(out, &m->u.delta);
		break;
	case SAT_MSG_ENROL:
		put_text(out, "name", m->u.enrol.name);
		break;
	case SAT_MSG_ENROLLED:
		put_enrolled(out, &m->u.enrolled);
		break;
	case SAT_MSG_ERROR:
		sat_buf_fmt(out, "\"rc\":%u,", m->u.error.rc);
		put_text(out, "code", m->u.error.code);
		sat_buf_str(out, ",");
		put_text(out, "text", m->u.error.text);
		break;
	default: /* the type, and that the same bytes come back */
		out->n--;
		break;
	}
}

sat_rc
say_message(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_span in = w[0].bytes;
	sat_buf again = { 0 };
	sat_msg m;
	sat_rc rc;

	assert_int_equal(1, n);
	if ((rc = sat_msg_read(&m, &mem, in, e)) != SAT_OK)
		return rc;
	sat_msg_write(&again, &m);
	if ((m.type == SAT_MSG_HELLO || m.type == SAT_MSG_WELCOME) &&
	    in.n > again.n)
		in.n = again.n; /* what is passed over (P-071) */
	assert_true(sat_span_eq(in, sat_buf_span(&again)));
	sat_buf_fini(&again);
	sat_buf_fmt(out, "{\"type\":%d,", (int)m.type);
	put_body(out, &m);
	sat_buf_str(out, "}");
	return SAT_OK;
}
