/*
 * number.h - the text of a record's number: C202405001 (P-140).
 *
 * A series is the kind's prefix and the month of issue, "C202405"; the number
 * is the series and at least three digits: past 999 they grow. A device that
 * has no leased number left writes a provisional one, C202405-P7-0003, unique
 * by the device's ordinal. Pure.
 */
#ifndef SAT_MODEL_NUMBER_H
#define SAT_MODEL_NUMBER_H

#include "common/base/buf.h"

#define SAT_SERIES_MAX 10  /* 4 letters, 6 digits */
#define SAT_SERIES_TEXT (SAT_SERIES_MAX + 1)
#define SAT_NUMBER_TEXT 48
#define SAT_NUMBER_MAX 999999999 /* within a series */

/* The series of a month in the organisation's time zone. */
void sat_number_series(char out[SAT_SERIES_TEXT], const char *prefix,
    int64_t ms, int tz_min);
/* @return its length. */
size_t sat_number_text(char out[SAT_NUMBER_TEXT], const char *series, uint64_t n);
size_t sat_number_provisional(char out[SAT_NUMBER_TEXT], const char *series,
    uint32_t device, uint64_t n);
/* A final number in the one way it is written; false: it is none. */
bool sat_number_read(char series[SAT_SERIES_TEXT], uint64_t *n, sat_span text);
/* Does this wait for its final number? series NULL: not needed. */
bool sat_number_is_provisional(char series[SAT_SERIES_TEXT], sat_span text);

#endif
