/*
 * json_int.h - inside common/json only.
 */
#ifndef SAT_JSON_JSON_INT_H
#define SAT_JSON_JSON_INT_H

#include "common/json/json.h"

/* The largest integer that a double, and so every JSON reader, keeps exact. */
#define JSON_INT_MAX 9007199254740992.0

/*
 * The strict front: is `text` one JSON value by RFC 8259 and inside every
 * limit of json.h? What passes here, cJSON reads without a surprise.
 * @return SAT_EPROTO with line and column.
 */
SAT_CHECK sat_rc sat_json_scan(sat_span text, sat_err *e);

/* A whole number that survives as an integer. */
bool sat_json_is_whole(double v);

#endif
