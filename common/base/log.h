/*
 * log.h - one line per event on stderr: LEVEL CODE key=value ...
 *
 * The code comes first and never changes, so it can be searched for; no
 * customer data is ever logged.
 */
#ifndef SAT_BASE_LOG_H
#define SAT_BASE_LOG_H

#include "common/base/err.h"

typedef enum { SAT_TRACE, SAT_DEBUG, SAT_INFO, SAT_WARN, SAT_ERROR } sat_level;

/* Lines below `min` are dropped. Default SAT_WARN. Any thread. */
void sat_log_level(sat_level min);
/* Lines go to `sink` instead of stderr (tests, the simulator); NULL = stderr. */
void sat_log_sink(void (*sink)(void *u, sat_level, const char *line), void *u);
void sat_log(sat_level level, const char *code, const char *fmt, ...)
    SAT_PRINTF(3, 4);

#endif
