#include "common/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic int log_min = SAT_WARN;
static void (*log_sink)(void *, sat_level, const char *);
static void *log_sink_u;

void
sat_log_level(sat_level min)
{
	log_min = (int)min;
}

void
sat_log_sink(void (*sink)(void *, sat_level, const char *), void *u)
{
	log_sink = sink;
	log_sink_u = u;
}

void
sat_log(sat_level level, const char *code, const char *fmt, ...)
{
	static const char *const name[] = { "trace", "debug", "info", "warn",
		"error" };
	char line[1024];
	va_list ap;
	int n;

	if ((int)level < log_min)
		return;
	n = snprintf(line, sizeof line, "%s: %s ", name[level], code);
	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
	va_end(ap);
	if (log_sink != NULL)
		log_sink(log_sink_u, level, line);
	else
		(void)fprintf(stderr, "%s\n", line);
}
