#include "common/base/metrics.h"
#include "common/base/version.h"

#include <inttypes.h>

static const struct {
	uint64_t us;
	const char *text; /* as Prometheus writes it: seconds */
} limits[SAT_HIST_CLASSES - 1] = {
	{ 500, "0.0005" }, { 1000, "0.001" }, { 2500, "0.0025" },
	{ 5000, "0.005" }, { 10000, "0.01" }, { 25000, "0.025" },
	{ 50000, "0.05" }, { 100000, "0.1" }, { 250000, "0.25" },
	{ 500000, "0.5" }, { 1000000, "1" }, { 2500000, "2.5" },
	{ 10000000, "10" },
};

void
sat_hist_add(sat_hist *h, uint64_t us)
{
	size_t i = 0;

	while (i < SAT_HIST_CLASSES - 1 && us > limits[i].us)
		i++;
	h->n[i]++;
	h->us += us;
}

void
sat_metric(sat_buf *out, const char *name, const char *type, const char *help)
{
	sat_buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
sat_metric_value(sat_buf *out, const char *name, int64_t v)
{
	sat_buf_fmt(out, "%s %" PRId64 "\n", name, v);
}

void
sat_metric_labelled(sat_buf *out, const char *name, const char *label,
    const char *value, int64_t v)
{
	sat_buf_fmt(out, "%s{%s=\"", name, label);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\n')
			sat_buf_str(out, "\\n");
		else if (*p == '"' || *p == '\\')
			sat_buf_fmt(out, "\\%c", *p);
		else
			sat_buf_add(out, p, 1);
	}
	sat_buf_fmt(out, "\"} %" PRId64 "\n", v);
}

void
sat_metric_one(sat_buf *out, const char *name, const char *type,
    const char *help, int64_t v)
{
	sat_metric(out, name, type, help);
	sat_metric_value(out, name, v);
}

void
sat_metric_time(sat_buf *out, const char *name, const char *help, int64_t ms)
{
	sat_metric(out, name, "gauge", help);
	sat_buf_fmt(out, "%s %" PRId64 ".%03d\n", name, ms / 1000,
	    (int)(ms % 1000));
}

void
sat_metric_hist(sat_buf *out, const char *name, const char *help,
    const sat_hist *h)
{
	uint64_t upto = 0;

	sat_metric(out, name, "histogram", help);
	for (size_t i = 0; i < SAT_HIST_CLASSES; i++) {
		upto += h->n[i];
		sat_buf_fmt(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
		    i < SAT_HIST_CLASSES - 1 ? limits[i].text : "+Inf", upto);
	}
	sat_buf_fmt(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64
	    "\n", name, h->us / 1000000, h->us % 1000000, name, upto);
}

void
sat_metric_build(sat_buf *out, const char *name, int protocol)
{
	sat_metric(out, name, "gauge", "what is running; the value is 1");
	sat_buf_fmt(out, "%s{version=\"" SAT_VERSION "\",protocol=\"%d\"} 1\n",
	    name, protocol);
}
