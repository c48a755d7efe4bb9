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
		uint64_t h = 0xcbf29ce484222325ull + SAT_FOLD_VERSION +
		    ((uint64_t)SEARCH_FORM << 8);

		s->cols = sat_arena_alloc(&ks->mem, (k->n + 1) * sizeof *s->cols);
		for (size_t i = 0; i < k->n; i++) {
			if (search_part_of_field(k->kind, k->fields[i]) != part)
				continue;
			s->cols[s->n++] = i;
			for (int l = 0; l < SEARCH_LANES; l++)
				s->lanes |= (unsigned)search_in_lane(
				    k->fields[i], part, l) << l;
			h = (h ^ k->fields[i]->id) * 0x100000001b3ull;
			h = (h ^ (unsigned)k->fields[i]->type) * 0x100000001b3ull;
		}
		s->plan = (int64_t)(h >> 1);
	}
}

/* ---- a row's texts ------------------------------------------------------------------ */

bool
search_in_lane(const sat_field *f, int part, int lane)
{
	if (f->type == SAT_F_PHONE)
		return lane == SEARCH_PHONE;
	return lane == SEARCH_MIXED || (lane == SEARCH_WIDE && part == 0);
}

static int
lane_of(const sat_field *f, int part, sat_span folded)
{
	if (f != NULL && f->type == SAT_F_PHONE)
		return SEARCH_PHONE;
	return part == 0 && sat_han_only(folded) ? SEARCH_WIDE : SEARCH_MIXED;
}

static void
put_flags(sat_buf *out, uint32_t flags)
{
	sat_buf tmp = { 0 };

	if ((flags & SEARCH_FLAGS) == 0)
		return;
	sat_write_uint(&tmp, flags & SEARCH_FLAGS);
	sat_write_uint(out, 0);
	sat_write_span(out, sat_buf_span(&tmp));
	sat_buf_fini(&tmp);
}

/* Of a text as the lane has it. The flags stand before a row's first. */
static void
put_segment(sat_buf *out, uint32_t flags, sat_span text, uint16_t field)
{
	if (text.n == 0)
		return;
	if (out->n == 0)
		put_flags(out, flags);
	sat_write_uint(out, field);
	sat_write_span(out, text);
}

static void
put_folded(sat_buf *out, int lane, uint32_t flags, sat_span folded,
    uint16_t field)
{
	sat_buf packed = { 0 };

	if (lane == SEARCH_WIDE) {
		sat_han_pack(&packed, folded);
		folded = sat_buf_span(&packed);
	}
	put_segment(&out[lane], flags, folded, field);
	sat_buf_fini(&packed);
}

/* only >= 0: what lies in this lane, to out[only]. */
static void
put_text(sat_buf *out, sat_buf *tmp, const sat_field *f, sat_value v, int part,
    int only, uint32_t flags)
{
	const uint8_t *lf;
	size_t n;
	int lane;

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
		lane = lane_of(f, part, sat_buf_span(tmp));
		if (only < 0 || lane == only)
			put_folded(out, lane, flags, sat_buf_span(tmp),
			    f->id);
		if (lf == NULL)
			break;
	}
}

/* Earlier numbers find their record too (P-145). */
static void
put_aliases(sat_buf *out, sat_buf *tmp, uint32_t flags, const sat_cell *c)
{
	sat_arena a = { 0 };
	sat_element *el;
	size_t n = sat_cell_elements(&el, &a, c);

	for (size_t i = 0; i < n; i++) {
		sat_buf_reset(tmp);
		sat_fold(tmp, el[i].text);
		put_folded(out, lane_of(NULL, 0, sat_buf_span(tmp)), flags,
		    sat_buf_span(tmp), SAT_SYS_ALIASES);
	}
	sat_arena_fini(&a);
}

void
search_bodies(sat_buf out[SEARCH_LANES], const replica_kind *k, int part,
    uint32_t flags, const sat_value *values, const sat_cell *aliases)
{
	const replica_search *s = &k->search[part];
	sat_buf tmp = { 0 };

	for (int lane = 0; lane < SEARCH_LANES; lane++)
		sat_buf_reset(&out[lane]);
	for (size_t i = 0; i < s->n; i++)
		put_text(out, &tmp, k->fields[s->cols[i]], values[s->cols[i]],
		    part, -1, flags);
	if (part == 0 && aliases != NULL)
		put_aliases(out, &tmp, flags, aliases);
	sat_buf_fini(&tmp);
}

void
search_body_patch(sat_buf out[SEARCH_LANES], sat_span old, int part,
    int lane, const replica_row *row, uint32_t flags, const sat_value *values)
{
	const sat_field *f = row->k->fields[row->narrow - 1];
	sat_buf tmp = { 0 };
	const uint8_t *p = old.p, *end = old.p + old.n;
	uint64_t field;
	sat_span text;
	bool put = false;

	sat_buf_reset(&out[lane]);
	while (p < end && search_uint(&field, &p, end) &&
	    search_span(&text, &p, end)) {
		if (!put && field >= f->id) {
			put_text(out, &tmp, f, values[row->narrow - 1], part,
			    lane, flags);
			put = true;
		}
		if (field != f->id && field != 0)
			put_segment(&out[lane], flags, text, (uint16_t)field);
	}
	if (!put)
		put_text(out, &tmp, f, values[row->narrow - 1], part, lane,
		    flags);
	sat_buf_fini(&tmp);
}
