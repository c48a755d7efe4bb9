/*
 * record_room.c - memory of folding operation after operation.
 *
 * Why states take turns between two buffers: after an operation on a review or
 * stage field the cell's value lies in the state that was read, not in the one
 * that was written. The next operation takes the value from the newer one before
 * it writes over the older.
 */
#include "protocol/record_int.h"

#include <string.h>

/* Cells below this stay in the arena: most are, and never grow. */
#define LARGE 4096

struct sat_fold_slot {
	struct sat_fold_slot *next;
	const sat_record *r;
	uint16_t field;
	sat_fold_part part;
	unsigned at;         /* the buffer written last */
	uint8_t *p[2];
	size_t cap[2];
};

void
sat_fold_room_turn(sat_fold_room *room)
{
	sat_arena_reset(&room->mem);
	room->slots = NULL;
}

void
sat_fold_room_fini(sat_fold_room *room)
{
	sat_arena_fini(&room->tmp);
	sat_arena_fini(&room->mem);
	room->slots = NULL;
}

static struct sat_fold_slot *
slot_of(const sat_fold *f, uint16_t field, sat_fold_part part)
{
	struct sat_fold_slot *s = f->room->slots;

	while (s != NULL && (s->r != f->r || s->field != field ||
	    s->part != part))
		s = s->next;
	if (s != NULL)
		return s;
	s = sat_arena_alloc(&f->room->mem, sizeof *s);
	*s = (struct sat_fold_slot){ .next = f->room->slots, .r = f->r,
		.field = field, .part = part };
	f->room->slots = s;
	return s;
}

static uint8_t *
written_over(const sat_fold *f, uint16_t field, sat_fold_part part, size_t n)
{
	struct sat_fold_slot *s = slot_of(f, field, part);

	s->at = part == SAT_PART_EXT ? s->at ^ 1 : 0;
	if (s->cap[s->at] < n) {
		s->cap[s->at] = n + n / 2;
		s->p[s->at] = sat_arena_alloc(f->a, s->cap[s->at]);
	}
	return s->p[s->at];
}

sat_span
sat_fold_keep(sat_fold *f, uint16_t field, sat_fold_part part, sat_buf *b)
{
	sat_span kept = { NULL, b->n };

	if (b->n > 0) {
		uint8_t *p = f->room == NULL || b->n < LARGE ?
		    sat_arena_alloc(f->a, b->n) :
		    written_over(f, field, part, b->n);

		memcpy(p, b->p, b->n);
		kept.p = p;
	}
	sat_buf_fini(b);
	return kept;
}
