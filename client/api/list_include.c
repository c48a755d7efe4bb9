/*
 * What lies under the records of a list: ?include=contacts,last_activity.
 */
#include <stdio.h>
#include <string.h>

#include "client/api/api_int.h"

#define INCLUDED_MAX 100 /* of a kind under one record */

sat_rc
api_naming_put(sat_json *data, sat_api *api, const sat_kind *k,
    const sat_field *by, const sat_id *under, int64_t limit, bool labels,
    sat_err *e)
{
	sat_value v = sat_v_id(under);
	sat_filter f = { by->id, SAT_CMP_EQ, &v, 1 };
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.nsort = 1, .limit = limit };
	sat_arena mem = { 0 }, a = { 0 };
	sat_id *ids;
	size_t n;
	sat_rc rc;

	q.sort[0].field = SAT_Q_CREATED;
	q.sort[0].desc = true;
	rc = sat_replica_list(&ids, &n, NULL, &mem, api->crm.replica, &q, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		sat_arena_reset(&a);
		rc = api_row_put(data, &a, api, k, &ids[i],
		    &(api_look){ .labels = labels }, e);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&mem);
	return rc;
}

/* "contacts", or "last_activity". */
static sat_rc
include_one(sat_json *into, sat_api *api, const sat_kind *k, const sat_id *id,
    const char *word, bool labels, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	bool last = strncmp(word, "last_", 5) == 0;
	const sat_kind *c = sat_template_kind(t, last ? word + 5 : word);
	const sat_field *by = c != NULL ? c->parent : NULL;
	sat_json *rows;
	sat_rc rc;

	for (size_t i = 0; c != NULL && i < c->nfields &&
	     (by == NULL || strcmp(by->ref, k->key) != 0); i++)
		if (c->fields[i].type == SAT_F_REF)
			by = &c->fields[i];
	if (by == NULL || strcmp(by->ref, k->key) != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.include",
		    "for example contacts,last_activity",
		    "nothing called \"%.60s\" belongs to %s", word, k->key);
	if (!api_may_view(api, c))
		return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
		    "your role does not see %s", c->plural);
	rows = sat_json_arr();
	if ((rc = api_naming_put(rows, api, c, by, id, last ? 1 :
	    INCLUDED_MAX, labels, e)) != SAT_OK || !last) {
		sat_json_put(into, word, rows);
		return rc;
	}
	if (sat_json_first(rows) == NULL)
		sat_json_put_null(into, word);
	else
		sat_json_put(into, word, sat_json_dup(sat_json_first(rows)));
	sat_json_free(rows);
	return SAT_OK;
}

sat_rc
api_include_put(sat_json *into, sat_api *api, const sat_kind *k,
    const sat_id *id, const char *words, bool labels, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (const char *p = words; rc == SAT_OK && *p != '\0';
	     p += strcspn(p, ","), p += *p == ',') {
		char word[80];

		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","),
		    p);
		if (sat_json_get(into, word) == NULL)
			rc = include_one(into, api, k, id, word, labels, e);
	}
	return rc;
}
