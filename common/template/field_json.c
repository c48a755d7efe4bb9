/*
 * Values going out as JSON. Times are RFC 3339 in UTC, days are local dates,
 * money is integer fen, options and users are stable keys.
 */
#include "common/template/template.h"

#include <string.h>

static void
put_span(sat_json *n, const char *key, sat_span s)
{
	if (sat_json_type(n) == SAT_J_ARR)
		sat_json_add_strn(n, s);
	else
		sat_json_put_strn(n, key, s);
}

static void
put_tags(sat_json *arr, sat_span s)
{
	while (s.n > 0) {
		const uint8_t *lf = memchr(s.p, '\n', s.n);
		size_t n = lf != NULL ? (size_t)(lf - s.p) : s.n;

		sat_json_add_strn(arr, sat_span_of(s.p, n));
		s = lf != NULL ? sat_span_of(lf + 1, s.n - n - 1) :
		    sat_span_of(NULL, 0);
	}
}

static bool
is_plain_number(const sat_field *f, sat_value v)
{
	return v.type == SAT_V_INT && f->type != SAT_F_BOOL &&
	    f->type != SAT_F_DATE && f->type != SAT_F_TIME;
}

void
sat_field_json_put(sat_json *obj, const char *key, const sat_template *t,
    const sat_field *f, sat_value v)
{
	bool arr = sat_json_type(obj) == SAT_J_ARR;
	sat_buf b = { 0 };

	if (!arr && f->type == SAT_F_TAGS) {
		put_tags(sat_json_put_arr(obj, key), v.s);
	} else if (!arr && v.type == SAT_V_NULL) {
		sat_json_put_null(obj, key);
	} else if (!arr && f->type == SAT_F_BOOL) {
		sat_json_put_bool(obj, key, v.i != 0);
	} else if (is_plain_number(f, v)) {
		if (arr)
			sat_json_add_int(obj, v.i);
		else
			sat_json_put_int(obj, key, v.i);
	} else if (v.type == SAT_V_TEXT) {
		put_span(obj, key, v.s);
	} else {
		sat_field_format(&b, t, f, v, NULL);
		put_span(obj, key, sat_buf_span(&b));
		sat_buf_fini(&b);
	}
}
