/*
 * mask.h - the fields a role does not see: `masks` of acl/matrix.json.
 *
 *   "masks": {"service": ["@mask", "*.email", "account.remark"]}
 *
 * "KIND.FIELD" names one field, "KIND.*" all of a kind that can be hidden,
 * "*.FIELD" that of every kind which has it, "@mask" every field with a `mask`. What a role does not see is taken out
 * before a record leaves the server (P-241), so the role's devices never hold
 * it; and they never set it, except where they make the record (P-246). Pure.
 */
#ifndef SAT_TEMPLATE_MASK_H
#define SAT_TEMPLATE_MASK_H

#include "common/template/template.h"

#define SAT_MASK_MAX 256 /* fields of a role */
typedef struct sat_mask sat_mask;

/* NULL: the role sees every field. Lives as long as the template. */
const sat_mask *sat_template_mask(const sat_template *t, const char *role);
/* All of them, by role. */
size_t sat_template_masks(const sat_template *t);
const sat_mask *sat_template_mask_at(const sat_template *t, size_t i);
const char *sat_mask_role(const sat_mask *m);
/* The fields, ascending by kind and id. */
size_t sat_mask_count(const sat_mask *m);
const sat_field *sat_mask_at(uint16_t *kind, const sat_mask *m, size_t i);
/* Is this one hidden? NULL: no. m may be NULL. */
const sat_field *sat_mask_field(const sat_mask *m, uint16_t kind, uint16_t field);
/* Is any field of the kind hidden? m may be NULL. */
bool sat_mask_kind(const sat_mask *m, uint16_t kind);
/* Do two hide the same, of the same look? Either may be NULL. */
bool sat_mask_same(const sat_mask *a, const sat_mask *b);

#endif
