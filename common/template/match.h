/*
 * match.h - the key under which equal values of a field meet, for looking up
 * duplicates: a 64-bit hash over kind, field and normal form. Hashes may meet:
 * whoever finds something compares the values.
 */
#ifndef SAT_TEMPLATE_MATCH_H
#define SAT_TEMPLATE_MATCH_H

#include "common/template/template.h"

/* false: the value has no key (empty). tmp: scratch. */
bool sat_match_key(int64_t *key, sat_buf *tmp, const sat_kind *k,
    const sat_field *f, sat_value v);

#endif
