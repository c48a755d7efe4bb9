/*
 * base.c - the server's state of a row, beside the view.
 *
 * While own operations wait, `_base` holds what is needed to get the server's
 * state back: its head, and its cells for the fields those operations touched;
 * all other cells are the same in both. So an edit costs one row, not two.
 *
 * _base: npend uint | flags u8 | unless ABSENT: rlsn uint | [with DEL: hlc
 * be64, dev uint, lsn uint, seen uint] | ntouched uint, fields | cells.
 */
#include "client/replica/replica_int.h"

#define BASE_ABSENT 1u  /* the server does not know the record yet */
#define BASE_DELETED 2u
#define BASE_EDITS 4u
#define BASE_DEL 8u     /* a deletion or restore has happened */
#define BASE_TOUCHED_MAX (SAT_FIELD_ID_MAX + 1)

void
replica_base_write(sat_buf *b, const replica_row *row)
{
	const sat_record *s = &row->srv;
	sat_cell cells[SAT_FIELDS_MAX];
	size_t n = 0;
	unsigned flags = (s->born.hlc == 0 ? BASE_ABSENT : 0u) |
	    (s->deleted ? BASE_DELETED : 0u) |
	    (s->with_edits ? BASE_EDITS : 0u) |
	    (s->del_at.hlc != 0 ? BASE_DEL : 0u);

	sat_write_uint(b, row->npend);
	sat_write_u8(b, (uint8_t)flags);
	if ((flags & BASE_ABSENT) != 0)
		return;
	sat_write_uint(b, s->rlsn);
	if ((flags & BASE_DEL) != 0) {
		sat_write_be64(b, s->del_at.hlc);
		sat_write_uint(b, s->del_at.dev);
		sat_write_uint(b, s->del_at.lsn);
		sat_write_uint(b, s->del_seen);
	}
	sat_write_uint(b, row->ntouched);
	for (size_t i = 0; i < row->ntouched; i++) {
		const sat_cell *c = sat_record_cell(s, row->touched[i]);

		sat_write_uint(b, row->touched[i]);
		if (c != NULL && n < SAT_FIELDS_MAX)
			cells[n++] = *c;
	}
	sat_cells_write(b, cells, n);
}

static bool
is_touched(const replica_row *row, uint16_t field)
{
	for (size_t i = 0; i < row->ntouched; i++)
		if (row->touched[i] == field)
			return true;
	return false;
}

static void
read_touched(replica_row *row, sat_arena *a, sat_reader *rd)
{
	size_t n = (size_t)sat_read_uint_max(rd, BASE_TOUCHED_MAX);

	row->touched = sat_arena_alloc(a, (n + 1) * sizeof *row->touched);
	for (size_t i = 0; i < n && rd->fault == NULL; i++)
		row->touched[row->ntouched++] =
		    (uint16_t)sat_read_uint_max(rd, SAT_FIELD_ID_MAX);
}

/* Untouched cells of the view and the kept cells, in field order. */
static void
join_cells(replica_row *row, sat_arena *a, const sat_cell *kept, size_t nkept)
{
	sat_record *s = &row->srv;
	size_t i = 0, j = 0;

	s->cells = sat_arena_alloc(a,
	    (row->view.ncells + nkept + 1) * sizeof *s->cells);
	s->ncells = 0;
	while (i < row->view.ncells || j < nkept) {
		const sat_cell *v = i < row->view.ncells ?
		    &row->view.cells[i] : NULL;

		if (v != NULL && is_touched(row, v->field)) {
			i++;
			continue;
		}
		if (v != NULL && (j == nkept || v->field < kept[j].field)) {
			s->cells[s->ncells++] = *v;
			i++;
		} else {
			s->cells[s->ncells++] = kept[j++];
		}
	}
}

sat_rc
replica_base_read(replica_row *row, sat_arena *a, sat_span in, sat_err *e)
{
	sat_reader rd = sat_reader_of(in);
	sat_record *s = &row->srv;
	sat_cell *kept;
	size_t nkept;
	unsigned flags;

	row->pending = true;
	row->npend = (uint32_t)sat_read_uint_max(&rd, UINT32_MAX);
	flags = sat_read_u8(&rd);
	s->id = row->view.id;
	s->kind = row->view.kind;
	s->eid = row->view.eid;
	if ((flags & BASE_ABSENT) != 0)
		return sat_read_end(&rd, "base state", e);
	s->born = row->view.born;
	s->rlsn = sat_read_uint(&rd);
	s->deleted = (flags & BASE_DELETED) != 0;
	s->with_edits = (flags & BASE_EDITS) != 0;
	if ((flags & BASE_DEL) != 0) {
		s->del_at.hlc = sat_read_be64(&rd);
		s->del_at.dev = (uint32_t)sat_read_uint_max(&rd, UINT32_MAX);
		s->del_at.lsn = sat_read_uint(&rd);
		s->del_seen = sat_read_uint(&rd);
	}
	read_touched(row, a, &rd);
	kept = sat_cells_read(&nkept, a, &rd);
	if (rd.fault == NULL)
		join_cells(row, a, kept, nkept);
	return sat_read_end(&rd, "base state", e);
}
