/*
 * norm.h - normal forms: what is compared when people typed it differently.
 *
 * Everything works on UTF-8 and appends to `out`. Rules: requirements §3
 * (duplicate keys), §4.3 (patterns). Stored text is only cleaned (sat_norm_text);
 * keys are for comparing and never shown.
 */
#ifndef SAT_MODEL_NORM_H
#define SAT_MODEL_NORM_H

#include "common/base/buf.h"

/* Stored form of typed text: NFC (libunistring), outer white space off, control
 * characters refused (false). Inner text stays as typed. */
bool sat_norm_text(sat_buf *out, sat_span s);
/* Is it that form already? */
bool sat_norm_is_text(sat_span s);
/* Full-width ASCII and ideographic space -> half-width. */
void sat_norm_width(sat_buf *out, sat_span s);
/* "+8613812345678": width folded, separators dropped, 0086/86/+86 unified;
 * landline keeps its area code: "+861062345678", extension "-801" kept; what is
 * no phone gives its digits. Never fails. */
void sat_norm_phone(sat_buf *out, sat_span s);
/* Company-name key: width, case, spaces, brackets folded; suffixes 有限公司,
 * 有限责任公司, 股份有限公司, 集团, Co., Ltd., Inc. dropped. */
void sat_norm_name(sat_buf *out, sat_span s);
/* Comparison key of a field value by how the template compares it. */
typedef enum sat_norm_kind { SAT_NORM_PLAIN, SAT_NORM_PHONE, SAT_NORM_NAME } sat_norm_kind;
void sat_norm_key(sat_buf *out, sat_norm_kind kind, sat_span s);
bool sat_norm_same(sat_norm_kind kind, sat_span a, sat_span b);
/* USCC check (GB 32100-2015): true when the check character fits. */
bool sat_uscc_ok(sat_span s);
/* Last four of a phone as "***5678". */
void sat_norm_mask_phone(sat_buf *out, sat_span s);

#endif
