/*
 * FILE_PUT, FILE_TAKEN, FILE_GET, FILE_IS: contents of files (P-440 to P-449).
 */
#include "protocol/message_int.h"

static void
write_name(sat_buf *b, const sat_id *rec, const uint8_t *hash)
{
	write_id(b, rec);
	sat_buf_add(b, hash, SAT_HASH_BYTES);
}

static void
read_name(sat_id *rec, uint8_t *hash, sat_reader *r)
{
	*rec = read_id(r);
	sat_read_copy(r, hash, SAT_HASH_BYTES);
}

void
sat_msg_write_file(sat_buf *b, const sat_msg *m)
{
	switch (m->type) {
	case SAT_MSG_FILE_PUT:
		write_name(b, &m->u.file_put.rec, m->u.file_put.hash);
		sat_write_uint(b, m->u.file_put.bytes);
		sat_write_uint(b, m->u.file_put.at);
		sat_write_span(b, m->u.file_put.data);
		break;
	case SAT_MSG_FILE_TAKEN:
		sat_write_u8(b, (uint8_t)m->u.file_taken.fate);
		sat_write_uint(b, m->u.file_taken.have);
		break;
	case SAT_MSG_FILE_GET:
		write_name(b, &m->u.file_get.rec, m->u.file_get.hash);
		sat_write_uint(b, m->u.file_get.at);
		break;
	default:
		sat_write_uint(b, m->u.file_is.bytes);
		sat_write_uint(b, m->u.file_is.at);
		sat_write_span(b, m->u.file_is.data);
		break;
	}
}

/* P-441: pieces begin at multiples of their size; all but the last are whole. */
static void
check_piece(uint64_t bytes, uint64_t at, sat_span data, bool may_be_empty,
    sat_reader *r)
{
	uint64_t left = bytes - at, want = left < SAT_FILE_PIECE ? left :
	    SAT_FILE_PIECE;

	if (bytes == 0 || at % SAT_FILE_PIECE != 0 || at > bytes ||
	    (data.n != want && !(may_be_empty && data.n == 0)))
		sat_read_bad(r, "piece");
}

void
sat_msg_read_file(sat_msg *m, sat_reader *r)
{
	uint64_t max = SAT_ATTACHMENT_BYTES_MAX;

	switch (m->type) {
	case SAT_MSG_FILE_PUT: {
		sat_file_put *p = &m->u.file_put;

		read_name(&p->rec, p->hash, r);
		p->bytes = sat_read_uint_max(r, max);
		p->at = sat_read_uint_max(r, max);
		p->data = sat_read_span(r, SAT_FILE_PIECE);
		check_piece(p->bytes, p->at, p->data, true, r);
		break;
	}
	case SAT_MSG_FILE_TAKEN: {
		uint8_t fate = sat_read_u8(r);

		if (fate > SAT_FILE_FATE_LAST)
			sat_read_bad(r, "fate");
		m->u.file_taken.fate = (sat_file_fate)fate;
		m->u.file_taken.have = sat_read_uint_max(r, max);
		break;
	}
	case SAT_MSG_FILE_GET:
		read_name(&m->u.file_get.rec, m->u.file_get.hash, r);
		m->u.file_get.at = sat_read_uint_max(r, max);
		if (m->u.file_get.at % SAT_FILE_PIECE != 0)
			sat_read_bad(r, "piece");
		break;
	default: {
		sat_file_is *p = &m->u.file_is;

		p->bytes = sat_read_uint_max(r, max);
		p->at = sat_read_uint_max(r, max);
		p->data = sat_read_span(r, SAT_FILE_PIECE);
		check_piece(p->bytes, p->at, p->data, false, r);
		break;
	}
	}
}
