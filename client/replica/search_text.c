/*
 * search_text.c - what of a row is searched: which fields in which part, and
 * the row's texts, folded, as the index holds them (search_int.h).
 */
#include "client/replica/search_int.h"

#include <string.h>

/* Longer texts are prose, whatever they are called. */
#define NAME_MAX_LEN 200

/* ---- which fields ----------------------------------------------------------------- */

int
search_part_of_field(const sat_kind *kind, const sat_field *f)
{
	switch (f->type) {
	case SAT_F_PHONE:
	case SAT_F_EMAIL:
		return 0;
	case SAT_F_TAGS:
		return f->dict == NULL ? 1 : -1;
	case SAT_F_TEXT:
		if (f->max_len > NAME_MAX_LEN)
			return 1;
		return f == kind->title || f->search || f->pii ||
		    f->dup_weight > 0 || strcmp(f->key, "number") == 0 ? 0 : 1;
	default:
		return -1;
	}
}

void
replica_search_plan(replica_kinds *ks, replica_kind *k)
{
	for (int part = 0; part < REPLICA_SEARCH_PARTS; part++) {
		replica_search *s = &k->search[part];
		uint64_t h = 0xcbf29ce484222325ull + SAT_FOLD_VERSION;

		s->cols = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *s->cols);
		for (size_t i = 0; i < k->n; i++) {
			if (search_part_of_field(k->kind, k->fields[i]) != part)
				continue;
			s->cols[s->n++] = i;
			h = (h ^ k->fields[i]->id) * 0x100000001b3ull;
			h = (h ^ (unsigned)k->fields[i]->type) * 0x100000001b3ull;
		}
		s->plan = (int64_t)(h >> 1);
	}
}

/* ---- a row's texts ------------------------------------------------------------------ */

static void
put_segment(sat_buf *out, sat_buf *tmp, uint16_t field)
{
	if (tmp->n == 0)
		return;
	sat_write_uint(out, field);
	sat_write_span(out, sat_buf_span(tmp));
}

static void
put_text(sat_buf *out, sat_buf *tmp, const sat_field *f, sat_value v,
    uint32_t flags)
{
	const uint8_t *lf;
	size_t n;

	if (v.type != SAT_V_TEXT || (f->type == SAT_F_PHONE &&
	    (flags & ROW_MASKED) != 0))
		return;
	for (;; v.s.p += n + 1, v.s.n -= n + 1) { /* of tags: each */
		lf = f->type == SAT_F_TAGS && v.s.n > 0 ?
		    memchr(v.s.p, '\n', v.s.n) : NULL;
		n = lf != NULL ? (size_t)(lf - v.s.p) : v.s.n;
		sat_buf_reset(tmp);
		if (f->type == SAT_F_PHONE)
			sat_phone_digits(tmp, sat_span_of(v.s.p, n));
		else
			sat_fold(tmp, sat_span_of(v.s.p, n));
		put_segment(out, tmp, f->id);
		if (lf == NULL)
			break;
	}
}

/* Earlier numbers find their record too (P-145). */
static void
put_aliases(sat_buf *out, sat_buf *tmp, const sat_cell *c)
{
	sat_arena a = { 0 };
	sat_element *el;
	size_t n = sat_cell_elements(&el, &a, c);

	for (size_t i = 0; i < n; i++) {
		sat_buf_reset(tmp);
		sat_fold(tmp, el[i].text);
		put_segment(out, tmp, SAT_SYS_ALIASES);
	}
	sat_arena_fini(&a);
}

void
search_body(sat_buf *out, const replica_kind *k, int part, uint32_t flags,
    const sat_value *values, const sat_cell *aliases)
{
	const replica_search *s = &k->search[part];
	sat_buf tmp = { 0 };
	size_t head;

	sat_write_uint(out, flags & SEARCH_FLAGS);
	head = out->n;
	for (size_t i = 0; i < s->n; i++)
		put_text(out, &tmp, k->fields[s->cols[i]], values[s->cols[i]],
		    flags);
	if (part == 0 && aliases != NULL)
		put_aliases(out, &tmp, aliases);
	if (out->n == head)
		sat_buf_reset(out);
	sat_buf_fini(&tmp);
}

void
search_body_patch(sat_buf *out, sat_span old, const replica_row *row,
    uint32_t flags, const sat_value *values)
{
	const sat_field *f = row->k->fields[row->narrow - 1];
	sat_buf tmp = { 0 };
	sat_reader rd = sat_reader_of(old);
	size_t head;
	bool put = false;

	sat_write_uint(out, flags & SEARCH_FLAGS);
	head = out->n;
	if (old.n > 0)
		(void)sat_read_uint(&rd);
	while (rd.left > 0 && rd.fault == NULL) {
		uint16_t field = (uint16_t)sat_read_uint(&rd);
		sat_span text = sat_read_span(&rd, SAT_VALUE_MAX);

		if (!put && field >= f->id) {
			put_text(out, &tmp, f, values[row->narrow - 1], flags);
			put = true;
		}
		if (field == f->id)
			continue;
		sat_write_uint(out, field);
		sat_write_span(out, text);
	}
	if (!put)
		put_text(out, &tmp, f, values[row->narrow - 1], flags);
	if (out->n == head)
		sat_buf_reset(out);
	sat_buf_fini(&tmp);
}
