/*
 * What surrounds a report: the records behind its numbers, numbers that are
 * frozen and signed, reports that are due.
 */
#include "client/api/api_int.h"
#include "client/crm/report.h"

#include <string.h>

/* Period, filters, as-of: of the query, or of a body. */
sat_rc
api_report_opts(sat_report_opts *o, const char *params[16], const sat_api *api,
    const sat_json *from, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_json *p = sat_json_first(sat_json_get(from, "params"));
	const char *as_of = sat_json_get_str(from, "as_of", NULL);

	*o = (sat_report_opts){ .params = params,
		.period = sat_json_get_str(from, "period", NULL),
		.compare = sat_json_get_str(from, "compare", NULL),
		.by = sat_json_get_str(from, "by", NULL) };
	for (; p != NULL && o->nparams < 16; p = sat_json_next(p))
		params[o->nparams++] = sat_json_str(p, "");
	if (as_of != NULL &&
	    !sat_time_parse(&o->as_of_ms, as_of, sat_template_tz_min(t)))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--as-of is no time");
	return SAT_OK;
}

HANDLER(api_report_run)
{
	const char *params[16];
	sat_report_opts o;
	sat_rc rc = api_report_opts(&o, params, api, req->query, e);

	if (rc == SAT_OK && (rc = sat_crm_report_run(out, &api->crm, args[0],
	    &o, e)) == SAT_OK)
		rc = sat_crm_report_shown(&api->crm, args[0], o.period, e);
	return rc;
}

HANDLER(api_report_explain)
{
	(void)req;
	return sat_crm_report_explain(out, &api->crm, args[0], e);
}

HANDLER(api_report_rows)
{
	const char *params[16];
	sat_report_opts o;
	int64_t limit;
	sat_rc rc;

	if ((rc = api_report_opts(&o, params, api, req->query, e)) != SAT_OK ||
	    (rc = api_number(&limit, req, "limit", 0, e)) != SAT_OK)
		return rc;
	if ((rc = sat_crm_report_rows(out, &api->crm, args[0], &o,
	    api_q(req, "group"), api_q(req, "measure"), limit, e)) == SAT_OK)
		rc = sat_crm_report_shown(&api->crm, args[0], o.period, e);
	return rc;
}

HANDLER(api_report_freeze)
{
	const char *params[16];
	sat_report_opts o;
	sat_rc rc = api_report_opts(&o, params, api, req->body, e);

	return rc != SAT_OK ? rc : sat_crm_freeze(out, &api->crm, args[0], &o,
	    e);
}

HANDLER(api_frozen_list)
{
	(void)args;
	return sat_crm_frozen_list(out, &api->crm, api_q(req, "report"), e);
}

HANDLER(api_frozen)
{
	(void)req;
	return sat_crm_frozen(out, &api->crm, args[0], e);
}

HANDLER(api_frozen_sign)
{
	return sat_crm_sign(out, &api->crm, args[0],
	    sat_json_get_str(req->body, "note", NULL),
	    sat_json_get_str(req->body, "review", NULL), e);
}

HANDLER(api_reports_due)
{
	(void)args;
	return sat_crm_reports_due(out, &api->crm,
	    strcmp(req->method, "POST") == 0, e);
}

HANDLER(api_reports_made)
{
	(void)args;
	return sat_crm_reports_made(out, &api->crm, api_q(req, "report"), e);
}

HANDLER(api_report_made)
{
	(void)req;
	return sat_crm_report_made(out, &api->crm, args[0], args[1], e);
}
