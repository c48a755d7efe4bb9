/*
 * search_int.h - the form of the search index, for search.c, search_text.c and seek.c.
 *
 * A block holds rows with neighbouring numbers, ascending:
 *   uint rid, uint length, then of that length:
 *   uint flags (of SEARCH_FLAGS), then segments: uint field, span text.
 * The text is folded (common/model/pinyin.h); of a phone it is the digits.
 */
#ifndef SAT_REPLICA_SEARCH_INT_H
#define SAT_REPLICA_SEARCH_INT_H

#include "client/replica/replica_int.h"
#include "common/model/find.h"
#include "common/model/pinyin.h"

#define SEARCH_PART_SHIFT 42
#define SEARCH_RID_MAX (((int64_t)1 << SEARCH_PART_SHIFT) - 1)
/* What lists leave out unless asked. */
#define SEARCH_FLAGS (ROW_DELETED | ROW_MERGED | ROW_MASKED | ROW_POOL)

static inline int64_t
search_part_of(const replica_kind *k, int part)
{
	return (int64_t)k->kind->id << 1 | part;
}
/* Of the block that begins with the number. */
static inline int64_t
search_key(const replica_kind *k, int part, int64_t rid)
{
	return search_part_of(k, part) << SEARCH_PART_SHIFT | rid;
}

/* Where a field is searched; -1: nowhere. */
int search_part_of_field(const sat_kind *kind, const sat_field *f);
/* The body of a row's entry; empty when it has no text. `values` per column of
 * the kind. */
void search_body(sat_buf *out, const replica_kind *k, int part, uint32_t flags,
    const sat_value *values, const sat_cell *aliases);
/* The old body with the segments of a narrow row's field made anew. */
void search_body_patch(sat_buf *out, sat_span old, const replica_row *row,
    uint32_t flags, const sat_value *values);
/* Make the part if it is not there. SAT_EBUSY inside a group. */
SAT_CHECK sat_rc search_need(sat_replica *r, replica_kind *k, int part,
    sat_err *e);

#endif
