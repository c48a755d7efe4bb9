/*
 * search_int.h - the form of the search index, for search*.c and seek*.c.
 *
 * A part of a kind has lanes, so that a search reads only what can answer it: a
 * word of digits is in no text without them, a phone answers to digits alone.
 * A block of a lane holds rows with neighbouring numbers, ascending:
 *   uint distance of the rid from the one before (of the first: from the
 *   block's own), uint length, then of that length segments:
 *   uint field, span text.
 * Field 0 comes first and holds the row's flags (of SEARCH_FLAGS) as a uint; it
 * is left out when there are none. The text is folded (common/model/pinyin.h),
 * in SEARCH_WIDE packed then (han.h); of a phone it is the digits.
 */
#ifndef SAT_REPLICA_SEARCH_INT_H
#define SAT_REPLICA_SEARCH_INT_H

#include "client/replica/replica_int.h"
#include "common/model/find.h"
#include "common/model/han.h"
#include "common/model/pinyin.h"

#define SEARCH_FORM 3 /* of what is described above */

/* A block's key: kind, part, lane, rid. */
#define SEARCH_LANE_SHIFT 42
#define SEARCH_PART_SHIFT 44
#define SEARCH_RID_MAX (((int64_t)1 << SEARCH_LANE_SHIFT) - 1)
/* What lists leave out unless asked. */
#define SEARCH_FLAGS (ROW_DELETED | ROW_MERGED | ROW_MASKED | ROW_POOL)

/* Of the short texts; long ones (part 1) are all in SEARCH_MIXED. */
enum {
	SEARCH_WIDE,  /* of Chinese characters alone */
	SEARCH_MIXED, /* all others */
	SEARCH_PHONE,
	SEARCH_LANES,
};

static inline int64_t
search_part_of(const replica_kind *k, int part)
{
	return (int64_t)k->kind->id << 1 | part;
}
/* Of the block that begins with the number. */
static inline int64_t
search_key(const replica_kind *k, int part, int lane, int64_t rid)
{
	return search_part_of(k, part) << SEARCH_PART_SHIFT |
	    (int64_t)lane << SEARCH_LANE_SHIFT | rid;
}

/* The entries of a block, one after the other. */
typedef struct search_walk {
	const uint8_t *p, *end;
	int64_t rid;   /* of the entry read last; before: the block's */
	sat_span body;
} search_walk;

static inline search_walk
search_walk_of(int64_t key, sat_span data)
{
	return (search_walk){ data.p, data.p + data.n, key & SEARCH_RID_MAX,
		{ NULL, 0 } };
}

/* Nearly all of them are a byte. */
static inline bool
search_uint(uint64_t *v, const uint8_t **p, const uint8_t *end)
{
	sat_reader rd = { *p, (size_t)(end - *p), NULL };

	if (*p < end && **p < 0x80) {
		*v = *(*p)++;
		return true;
	}
	*v = sat_read_uint(&rd);
	*p = rd.p;
	return rd.fault == NULL;
}

static inline bool
search_span(sat_span *s, const uint8_t **p, const uint8_t *end)
{
	uint64_t n;

	if (!search_uint(&n, p, end) || n > (uint64_t)(end - *p))
		return false;
	*s = (sat_span){ *p, (size_t)n };
	*p += n;
	return true;
}

/* false: there is none, or (p < end) it is damaged. */
static inline bool
search_next(search_walk *w)
{
	const uint8_t *p = w->p;
	uint64_t step;

	if (p == w->end || !search_uint(&step, &p, w->end) ||
	    !search_span(&w->body, &p, w->end))
		return false;
	w->p = p;
	w->rid += (int64_t)step;
	return true;
}

/* Where a field is searched; -1: nowhere. */
int search_part_of_field(const sat_kind *kind, const sat_field *f);
/* May a value of the field lie in the lane? */
bool search_in_lane(const sat_field *f, int part, int lane);
/* The bodies of a row's entries, per lane; empty when it has no text there.
 * `values` per column of the kind. */
void search_bodies(sat_buf out[SEARCH_LANES], const replica_kind *k, int part,
    uint32_t flags, const sat_value *values, const sat_cell *aliases);
/* To out[lane]: the old body with the segments of a narrow row's field made
 * anew. */
void search_body_patch(sat_buf out[SEARCH_LANES], sat_span old, int part,
    int lane, const replica_row *row, uint32_t flags, const sat_value *values);
/* An entry; nothing for an empty body. *last: the number of the one before;
 * becomes this one's. */
void search_put_entry(sat_buf *out, int64_t *last, int64_t rid, sat_span body);
/* Empty data: the block goes. */
SAT_CHECK sat_rc search_put_block(sat_replica *r, int64_t key, sat_span data,
    sat_err *e);
/* search_make.c. The part (search_part_of) goes. */
SAT_CHECK sat_rc search_clear_part(sat_replica *r, int64_t part, sat_err *e);
/* Make the part if it is not there. SAT_EBUSY inside a group. */
SAT_CHECK sat_rc search_need(sat_replica *r, replica_kind *k, int part,
    sat_err *e);

#endif
