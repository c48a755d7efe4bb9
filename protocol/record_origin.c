/*
 * record_origin.c - what a record that was given back holds of servers that
 * are gone (P-251).
 */
#include "protocol/record.h"

#include <string.h>

size_t
sat_record_origin(uint64_t out[SAT_ORIGIN_MAX], const sat_record *r)
{
	sat_value v = sat_record_value(r, SAT_SYS_ORIGIN);
	sat_reader rd;
	size_t n = 0;

	if (v.type != SAT_V_BYTES)
		return 0;
	rd = sat_reader_of(v.s);
	while (n < SAT_ORIGIN_MAX && rd.left > 0 && rd.fault == NULL) {
		out[n] = sat_read_uint(&rd);
		n += rd.fault == NULL;
	}
	return n;
}

void
sat_record_set_origin(sat_record *r, sat_arena *a, const uint64_t *list,
    size_t n)
{
	sat_cell *cells = sat_arena_alloc(a, (r->ncells + 1) * sizeof *cells);
	sat_buf b = { 0 };
	size_t i = 0, at = 0;

	for (; i < r->ncells && r->cells[i].field < SAT_SYS_ORIGIN; i++)
		cells[at++] = r->cells[i];
	for (size_t k = 0; k < n && k < SAT_ORIGIN_MAX; k++)
		sat_write_uint(&b, list[k]);
	if (n > 0)
		cells[at++] = (sat_cell){ .field = SAT_SYS_ORIGIN,
			.value = sat_v_bytes(sat_span_of(sat_arena_dup(a, b.p,
			b.n), b.n)), .at = r->born };
	sat_buf_fini(&b);
	for (; i < r->ncells; i++)
		if (r->cells[i].field != SAT_SYS_ORIGIN)
			cells[at++] = r->cells[i];
	r->cells = cells;
	r->ncells = at;
}

void
sat_record_drop_cell(sat_record *r, uint16_t field)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].field != field)
			r->cells[n++] = r->cells[i];
	r->ncells = n;
}
