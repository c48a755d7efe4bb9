/*
 * metrics.h - figures as a monitor reads them: Prometheus text format 0.0.4.
 *
 * Names and labels are ours and constant; a label's value is escaped. Nothing
 * here knows a lock: an owner counts and prints under his own.
 */
#ifndef SAT_BASE_METRICS_H
#define SAT_BASE_METRICS_H

#include "common/base/buf.h"

#define SAT_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* How long something took, in 13 fixed classes from 0.5 ms to 10 s, and above. */
#define SAT_HIST_CLASSES 14
typedef struct sat_hist {
	uint64_t n[SAT_HIST_CLASSES]; /* the last: longer than all limits */
	uint64_t us;                  /* sum of all, microseconds */
} sat_hist;

void sat_hist_add(sat_hist *h, uint64_t us);

/* "# HELP" and "# TYPE"; type: "gauge", "counter". Its values follow. */
void sat_metric(sat_buf *out, const char *name, const char *type,
    const char *help);
void sat_metric_value(sat_buf *out, const char *name, int64_t v);
/* name{label="value"} */
void sat_metric_labelled(sat_buf *out, const char *name, const char *label,
    const char *value, int64_t v);
/* All three of a figure that has no labels. */
void sat_metric_one(sat_buf *out, const char *name, const char *type,
    const char *help, int64_t v);
/* A moment given in ms as seconds with fraction; 0 stays 0 (never). */
void sat_metric_time(sat_buf *out, const char *name, const char *help,
    int64_t ms);
void sat_metric_hist(sat_buf *out, const char *name, const char *help,
    const sat_hist *h);
/* name 1, with what is running as labels. */
void sat_metric_build(sat_buf *out, const char *name, int protocol);

#endif
