/*
 * message_more.c - the frames a session rarely needs: what a device tells a
 * restored server (P-200..P-209), and erasures (P-190..P-197).
 */
#include "protocol/message_int.h"

#define KNOWN_MAX 65536
#define PLACES_MAX 262144
#define LEDGER_MAX 65536
#define ERASURE_MIN_BYTES (16 + 5 + SAT_SIG_BYTES)

/* ---- places of commits ------------------------------------------------------------ */

void
sat_msg_write_places(sat_buf *b, const sat_place *p, size_t n, uint64_t top)
{
	sat_write_uint(b, n);
	for (size_t i = 0; i < n; i++) {
		sat_write_uint(b, top - p[i].upto);
		sat_write_uint(b, p[i].device);
		sat_write_uint(b, p[i].incarnation);
		sat_write_uint(b, p[i].first);
		sat_write_uint(b, p[i].last - p[i].first);
	}
}

void
sat_msg_read_places(sat_place **p, size_t *n, sat_arena *a, uint64_t top,
    sat_reader *r)
{
	*n = read_count(r, 5, PLACES_MAX);
	*p = sat_arena_alloc(a, (*n + 1) * sizeof **p);
	for (size_t i = 0; i < *n; i++) {
		sat_place *x = &(*p)[i];

		x->upto = top - sat_read_uint_max(r, top);
		x->device = read_u32(r);
		x->incarnation = read_u32(r);
		x->first = sat_read_uint_max(r, INT64_MAX);
		x->last = x->first + sat_read_uint_max(r, INT64_MAX);
		if (x->last > INT64_MAX)
			sat_read_bad(r, "number of a commit");
	}
}

void
sat_msg_write_old(sat_buf *b, const sat_old *o)
{
	sat_write_uint(b, o->n);
	for (size_t i = 0; i < o->n; i++)
		sat_write_uint(b, o->at[i]);
	sat_write_uint(b, o->nwas);
	for (size_t i = 0; i < o->nwas; i++) {
		sat_write_uint(b, o->was[i].incarnation);
		sat_write_uint(b, o->was[i].cseq);
	}
}

void
sat_msg_read_old(sat_old *o, sat_reader *r)
{
	o->n = read_count(r, 1, SAT_OLD_MAX);
	for (size_t i = 0; i < o->n; i++)
		o->at[i] = sat_read_uint_max(r, INT64_MAX);
	o->nwas = read_count(r, 2, SAT_WAS_MAX);
	for (size_t i = 0; i < o->nwas; i++) {
		o->was[i].incarnation = read_u32(r);
		o->was[i].cseq = sat_read_uint_max(r, INT64_MAX);
	}
}

/* ---- what a restored server lacks ---------------------------------------------- */

/* The largest position of its places, which say theirs as so far below it. */
static uint64_t
top_of(const sat_seed *m)
{
	uint64_t top = 0;

	for (size_t i = 0; i < m->nplaces; i++)
		if (m->places[i].upto > top)
			top = m->places[i].upto;
	return top;
}

static void
write_seed(sat_buf *b, const sat_seed *m)
{
	uint64_t top = top_of(m);

	sat_write_uint(b, m->epoch);
	sat_write_uint(b, m->nknown);
	for (size_t i = 0; i < m->nknown; i++) {
		sat_write_uint(b, m->known[i].device);
		sat_write_uint(b, m->known[i].cseq);
	}
	sat_buf_add(b, m->tip, sizeof m->tip);
	sat_write_span(b, m->bundle);
	sat_write_span(b, m->records);
	sat_write_uint(b, top);
	sat_msg_write_places(b, m->places, m->nplaces, top);
}

static void
read_seed(sat_seed *m, sat_arena *a, sat_reader *r)
{
	uint64_t top;

	m->epoch = sat_read_uint(r);
	m->nknown = read_count(r, 2, KNOWN_MAX);
	m->known = sat_arena_alloc(a, (m->nknown + 1) * sizeof *m->known);
	for (size_t i = 0; i < m->nknown; i++) {
		m->known[i].device = read_u32(r);
		m->known[i].cseq = sat_read_uint_max(r, INT64_MAX);
	}
	sat_read_copy(r, m->tip, sizeof m->tip);
	m->bundle = sat_read_span(r, SAT_FRAME_MAX);
	m->records = sat_read_span(r, SAT_FRAME_MAX);
	top = sat_read_uint_max(r, INT64_MAX);
	sat_msg_read_places(&m->places, &m->nplaces, a, top, r);
	if (r->fault == NULL && top != top_of(m))
		sat_read_bad(r, "the position of no place");
}

static void
write_seeded(sat_buf *b, const sat_seeded *m)
{
	sat_write_uint(b, m->taken);
	sat_write_uint(b, m->known);
	sat_write_uint(b, m->refused);
	sat_write_u8(b, m->closed);
	sat_buf_add(b, m->template_oid, sizeof m->template_oid);
}

static void
read_seeded(sat_seeded *m, sat_reader *r)
{
	m->taken = sat_read_uint(r);
	m->known = sat_read_uint(r);
	m->refused = sat_read_uint(r);
	m->closed = read_bool(r);
	sat_read_copy(r, m->template_oid, sizeof m->template_oid);
}

/* ---- erasure ------------------------------------------------------------------- */

void
sat_erasure_bytes(sat_buf *b, const sat_id *org, const sat_erasure *x)
{
	sat_buf_str(b, "satchel erasure 1\n");
	write_id(b, org);
	write_id(b, &x->subject);
	sat_write_int(b, x->at_ms);
	sat_write_uint(b, x->by);
	sat_write_uint(b, x->second);
	sat_write_span(b, x->reason);
}

void
sat_erased_bytes(sat_buf *b, const sat_id *org, uint32_t device, uint64_t rev)
{
	sat_buf_str(b, "satchel erased 1\n");
	write_id(b, org);
	sat_write_uint(b, device);
	sat_write_uint(b, rev);
}

static void
write_ledger(sat_buf *b, const sat_ledger *m)
{
	sat_write_uint(b, m->after);
	sat_write_uint(b, m->rev);
	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		const sat_erasure *x = &m->e[i];

		sat_write_uint(b, x->rev);
		write_id(b, &x->subject);
		sat_write_uint(b, x->lsn);
		sat_write_int(b, x->at_ms);
		sat_write_uint(b, x->by);
		sat_write_uint(b, x->second);
		sat_write_span(b, x->reason);
		sat_buf_add(b, x->sig, sizeof x->sig);
	}
}

static void
read_ledger(sat_ledger *m, sat_arena *a, sat_reader *r)
{
	m->after = sat_read_uint(r);
	m->rev = sat_read_uint(r);
	m->n = read_count(r, ERASURE_MIN_BYTES, LEDGER_MAX);
	m->e = sat_arena_alloc(a, (m->n + 1) * sizeof *m->e);
	memset(m->e, 0, (m->n + 1) * sizeof *m->e);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++) {
		sat_erasure *x = &m->e[i];

		x->rev = sat_read_uint_max(r, INT64_MAX);
		x->subject = read_id(r);
		x->lsn = sat_read_uint_max(r, INT64_MAX);
		x->at_ms = sat_read_int(r);
		x->by = read_u32(r);
		x->second = read_u32(r);
		x->reason = sat_read_span(r, SAT_ERASE_REASON_MAX);
		if (!sat_utf8_ok(x->reason.p, x->reason.n))
			sat_read_bad(r, "reason");
		sat_read_copy(r, x->sig, sizeof x->sig);
	}
}

static void
write_privacy(sat_buf *b, const sat_privacy *m)
{
	sat_write_u8(b, (uint8_t)m->verb);
	write_id(b, &m->subject);
	sat_write_span(b, m->reason);
}

static void
read_privacy(sat_privacy *m, sat_reader *r)
{
	uint8_t verb = sat_read_u8(r);

	if (verb > SAT_PRIVACY_LAST)
		sat_read_bad(r, "verb");
	m->verb = (sat_privacy_verb)verb;
	m->subject = read_id(r);
	m->reason = sat_read_span(r, SAT_ERASE_REASON_MAX);
	if (!sat_utf8_ok(m->reason.p, m->reason.n))
		sat_read_bad(r, "reason");
}

static void
write_privacy_is(sat_buf *b, const sat_privacy_is *m)
{
	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		const sat_privacy_row *x = &m->row[i];

		write_id(b, &x->subject);
		sat_write_u8(b, x->done);
		sat_write_int(b, x->at_ms);
		sat_write_uint(b, x->by);
		sat_write_uint(b, x->second);
		sat_write_span(b, x->reason);
		sat_write_uint(b, x->confirmed);
		sat_write_uint(b, x->pending);
		sat_write_uint(b, x->expired);
	}
}

static void
read_privacy_is(sat_privacy_is *m, sat_arena *a, sat_reader *r)
{
	m->n = read_count(r, sizeof(sat_id) + 8, LEDGER_MAX);
	m->row = sat_arena_alloc(a, (m->n + 1) * sizeof *m->row);
	memset(m->row, 0, (m->n + 1) * sizeof *m->row);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++) {
		sat_privacy_row *x = &m->row[i];

		x->subject = read_id(r);
		x->done = read_bool(r);
		x->at_ms = sat_read_int(r);
		x->by = read_u32(r);
		x->second = read_u32(r);
		x->reason = sat_read_span(r, SAT_ERASE_REASON_MAX);
		x->confirmed = sat_read_uint(r);
		x->pending = sat_read_uint(r);
		x->expired = sat_read_uint(r);
	}
}

static void
write_directory(sat_buf *b, const sat_directory *m)
{
	sat_write_uint(b, m->n);
	for (size_t i = 0; i < m->n; i++) {
		sat_write_uint(b, m->row[i].device);
		sat_write_uint(b, m->row[i].user);
		sat_write_int(b, m->row[i].seen_ms);
		sat_write_uint(b, m->row[i].cursor);
		sat_write_uint(b, m->row[i].scope_head);
	}
}

static void
read_directory(sat_directory *m, sat_arena *a, sat_reader *r)
{
	m->n = read_count(r, 5, SAT_DIRECTORY_MAX);
	m->row = sat_arena_alloc(a, (m->n + 1) * sizeof *m->row);
	memset(m->row, 0, (m->n + 1) * sizeof *m->row);
	for (size_t i = 0; i < m->n && r->fault == NULL; i++) {
		m->row[i].device = read_u32(r);
		m->row[i].user = read_u32(r);
		m->row[i].seen_ms = sat_read_int(r);
		m->row[i].cursor = sat_read_uint_max(r, INT64_MAX);
		m->row[i].scope_head = sat_read_uint_max(r, INT64_MAX);
	}
}

/* ---- the frame ------------------------------------------------------------------ */

void
sat_msg_write_more(sat_buf *b, const sat_msg *m)
{
	switch (m->type) {
	case SAT_MSG_SEED: write_seed(b, &m->u.seed); break;
	case SAT_MSG_SEEDED: write_seeded(b, &m->u.seeded); break;
	case SAT_MSG_LEDGER:
	case SAT_MSG_LEDGER_IS: write_ledger(b, &m->u.ledger); break;
	case SAT_MSG_ERASED:
		sat_write_uint(b, m->u.erased.rev);
		sat_buf_add(b, m->u.erased.sig, sizeof m->u.erased.sig);
		break;
	case SAT_MSG_DIRECTORY_IS: write_directory(b, &m->u.directory); break;
	case SAT_MSG_REVEAL:
		write_id(b, &m->u.reveal.rec);
		sat_write_uint(b, m->u.reveal.field);
		sat_write_span(b, m->u.reveal.reason);
		break;
	case SAT_MSG_REVEALED:
		sat_value_write(b, m->u.revealed.value);
		write_id(b, &m->u.revealed.disclosure);
		break;
	case SAT_MSG_PRIVACY: write_privacy(b, &m->u.privacy); break;
	case SAT_MSG_PRIVACY_IS: write_privacy_is(b, &m->u.privacy_is); break;
	default: break; /* ERASED_OK, DIRECTORY have no body */
	}
}

void
sat_msg_read_more(sat_msg *m, sat_arena *a, sat_reader *r)
{
	switch (m->type) {
	case SAT_MSG_SEED: read_seed(&m->u.seed, a, r); break;
	case SAT_MSG_SEEDED: read_seeded(&m->u.seeded, r); break;
	case SAT_MSG_LEDGER:
	case SAT_MSG_LEDGER_IS: read_ledger(&m->u.ledger, a, r); break;
	case SAT_MSG_ERASED:
		m->u.erased.rev = sat_read_uint_max(r, INT64_MAX);
		sat_read_copy(r, m->u.erased.sig, sizeof m->u.erased.sig);
		break;
	case SAT_MSG_ERASED_OK:
	case SAT_MSG_DIRECTORY: break;
	case SAT_MSG_DIRECTORY_IS:
		read_directory(&m->u.directory, a, r);
		break;
	case SAT_MSG_REVEAL:
		m->u.reveal.rec = read_id(r);
		m->u.reveal.field = (uint16_t)sat_read_uint_max(r,
		    SAT_FIELD_USER_MAX);
		m->u.reveal.reason = sat_read_span(r, SAT_REVEAL_REASON_MAX);
		break;
	case SAT_MSG_REVEALED:
		m->u.revealed.value = sat_value_read(r);
		m->u.revealed.disclosure = read_id(r);
		break;
	case SAT_MSG_PRIVACY: read_privacy(&m->u.privacy, r); break;
	case SAT_MSG_PRIVACY_IS:
		read_privacy_is(&m->u.privacy_is, a, r);
		break;
	default: sat_read_bad(r, "type"); break;
	}
}
