/*
 * The same list, asked for by a body instead of a query's members.
 */
#include <stdlib.h>

#include "client/api/api_int.h"

/* What a query would say: texts as they are, lists with commas. */
static void
put_plain(sat_buf *b, const sat_json *v)
{
	bool list = sat_json_type(v) == SAT_J_ARR;
	const sat_json *x = list ? sat_json_first(v) : v;

	sat_buf_reset(b);
	for (; x != NULL; x = list ? sat_json_next(x) : NULL) {
		if (b->n > 0)
			sat_buf_str(b, ",");
		if (sat_json_type(x) == SAT_J_STR)
			sat_buf_str(b, sat_json_str(x, ""));
		else if (sat_json_type(x) == SAT_J_BOOL)
			sat_buf_str(b, sat_json_bool(x, false) ? "1" : "0");
		else if (sat_json_type(x) != SAT_J_NULL)
			sat_json_write(b, x, false);
	}
}

/* A member of "filter" as a query has it: a value, a list of values, or an
 * object of comparisons. */
void
api_filter_flat(sat_json *q, const sat_json *m)
{
	sat_buf b = { 0 };
	char *key;

	if (sat_json_type(m) == SAT_J_OBJ) {
		for (const sat_json *c = sat_json_first(m); c != NULL;
		     c = sat_json_next(c)) {
			key = sat_xasprintf("filter[%.60s][%.14s]",
			    sat_json_key(m), sat_json_key(c));
			put_plain(&b, c);
			sat_json_put_str(q, key, sat_buf_cstr(&b));
			free(key);
		}
	} else {
		key = sat_xasprintf("filter[%.60s]%s", sat_json_key(m),
		    sat_json_type(m) == SAT_J_ARR ? "[in]" :
		    sat_json_type(m) == SAT_J_NULL ? "[null]" : "[eq]");
		put_plain(&b, m);
		sat_json_put_str(q, key, sat_buf_cstr(&b));
		free(key);
	}
	sat_buf_fini(&b);
}

HANDLER(api_query)
{
	const sat_json *filter = sat_json_get(req->body, "filter");
	sat_json *q = sat_json_obj();
	sat_buf b = { 0 };
	sat_rc rc;

	for (const sat_json *m = sat_json_first(req->body); m != NULL;
	     m = sat_json_next(m)) {
		if (m == filter || (sat_json_type(m) == SAT_J_BOOL &&
		    !sat_json_bool(m, false)))
			continue;
		put_plain(&b, m);
		sat_json_put_str(q, sat_json_key(m), sat_buf_cstr(&b));
	}
	for (const sat_json *m = sat_json_first(filter); m != NULL;
	     m = sat_json_next(m))
		api_filter_flat(q, m);
	rc = api_list_answer(out, api, args[0], q, e);
	sat_buf_fini(&b);
	sat_json_free(q);
	return rc;
}
