/*
 * How the process stands: the reports that judge it, over one period, in
 * one document. What the asker may not run is left out and named.
 */
#include "client/api/api_int.h"
#include "client/crm/report.h"

#include <stdio.h>
#include <string.h>

/* Asked for none by name: these, as far as the template has them. */
static const char *const usual[] = { "process-conformance",
	"ranking-by-conformance", "completeness", "data-freshness",
	"first-response", "follow-up-compliance", "sales-cycle", "win-rate",
	"loss-by-stage", "complaints", "csat", "employee-ratings",
	"improvements", "exams", "adoption" };

static sat_rc
one(sat_json *data, sat_json *left, sat_api *api, const char *key,
    const sat_report_opts *o, bool asked, sat_err *e)
{
	sat_json *doc = NULL, *row;
	sat_err why = { 0 };
	sat_rc rc = sat_crm_report_run(&doc, &api->crm, key, o, &why);

	if (rc == SAT_OK) {
		sat_json_add(data, doc);
		return SAT_OK;
	}
	if ((rc != SAT_EDENIED && rc != SAT_ENOTFOUND) ||
	    (asked && rc == SAT_ENOTFOUND)) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	row = sat_json_add_obj(left);
	sat_json_put_str(row, "report", key);
	sat_json_put_str(row, "why", rc == SAT_EDENIED ? "denied" : "none");
	return SAT_OK;
}

/* The quarter before this one is the newest that is whole. */
static const char *
last_quarter(char label[32], const sat_api *api)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	int y, m, d;

	sat_date_of(&y, &m, &d, (sat_wall_ms(&api->crm.clock) +
	    (int64_t)sat_template_tz_min(t) * 60000) / 86400000);
	if (m <= 3)
		(void)snprintf(label, 32, "%04d-Q4", y - 1);
	else
		(void)snprintf(label, 32, "%04d-Q%d", y, (m - 1) / 3);
	return label;
}

HANDLER(api_assessment)
{
	const sat_json *k = sat_json_first(sat_json_get(req->query, "reports"));
	const char *params[16];
	char label[32];
	sat_report_opts o;
	sat_json *doc, *data, *left;
	sat_rc rc = api_report_opts(&o, params, api, req->query, e);

	(void)args;
	if (rc != SAT_OK)
		return rc;
	if (o.period == NULL)
		o.period = last_quarter(label, api);
	o.compare = "prev";
	doc = api_doc("report.assessment");
	sat_json_put_str(doc, "period", o.period);
	data = sat_json_put_arr(doc, "data");
	left = sat_json_put_arr(doc, "left_out");
	for (const sat_json *x = k; x != NULL && rc == SAT_OK;
	     x = sat_json_next(x))
		rc = one(data, left, api, sat_json_str(x, ""), &o, true, e);
	for (size_t i = 0; k == NULL && i < sizeof usual / sizeof usual[0] &&
	     rc == SAT_OK; i++)
		rc = one(data, left, api, usual[i], &o, false, e);
	return api_answer(out, doc, rc);
}
