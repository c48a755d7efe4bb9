/*
 * derived.h - ids that several devices make out of the same facts.
 *
 * A reminder's task, or the customer a lead becomes, is made by a rule and not
 * by a person: whichever devices make it, it is one record. Its id is a hash of
 * what it is made from, and the ordinal in it is one no device's ids carry on
 * purpose, so that everyone sees that it may be born more than once
 * (docs/protocol.md, P-280 to P-283).
 */
#ifndef SAT_PROTOCOL_DERIVED_H
#define SAT_PROTOCOL_DERIVED_H

#include "common/model/value.h"

#define SAT_DERIVED_ORDINAL 0xffff

/*
 * The id of what `rule` makes of `subject` in `period`. Rule and period are
 * texts without U+0000; subject zero when there is none. Pure.
 */
sat_id sat_id_derive(const char *rule, const sat_id *subject,
    const char *period);
bool sat_id_is_derived(const sat_id *id);

#endif
