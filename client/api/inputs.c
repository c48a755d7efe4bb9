/*
 * Members of a JSON body -> what shall change. What says nothing that could be
 * done is refused: taken for nothing, it would be answered as if it were done.
 */
#include <stdio.h>
#include <string.h>

#include "client/api/api_int.h"

/* After the words of a failure: the member it is about. */
static sat_rc
at_member(sat_err *e, const char *key)
{
	sat_err_field_add(e, key, "type");
	return SAT_EINVALID;
}

static sat_rc
input_add(api_inputs *x, char verb, const char *field, sat_span text,
    sat_err *e)
{
	if (x->n == SAT_FIELDS_MAX)
		return sat_fail_code(e, SAT_EINVALID, "validation.fields", NULL,
		    "more than %d members", SAT_FIELDS_MAX);
	x->in[x->n++] = (sat_input){ verb, field, text };
	return SAT_OK;
}

/* One value as a person would type it. */
static sat_rc
text_of(sat_span *out, api_inputs *x, const char *key, const sat_json *v,
    sat_err *e)
{
	char num[32];

	switch (sat_json_type(v)) {
	case SAT_J_STR:
		*out = sat_span_str(sat_json_str(v, ""));
		return SAT_OK;
	case SAT_J_BOOL:
		*out = sat_span_str(sat_json_bool(v, false) ? "1" : "0");
		return SAT_OK;
	case SAT_J_INT:
		(void)snprintf(num, sizeof num, "%lld",
		    (long long)sat_json_int(v, 0));
		*out = sat_span_str(sat_arena_str(&x->a, num, strlen(num)));
		return SAT_OK;
	case SAT_J_REAL:
		(void)sat_fail_code(e, SAT_EINVALID, "validation.type",
		    "give it as text", "%s: a number with a fraction", key);
		return at_member(e, key);
	default:
		(void)sat_fail_code(e, SAT_EINVALID, "validation.type", NULL,
		    "%s: no single value", key);
		return at_member(e, key);
	}
}

/* Elements of a set, as one input. */
static sat_rc
read_list(api_inputs *x, char verb, const char *key, const sat_json *list,
    sat_err *e)
{
	sat_buf b = { 0 };
	sat_span text;
	sat_rc rc = SAT_OK;

	for (const sat_json *v = sat_json_first(list);
	     v != NULL && rc == SAT_OK; v = sat_json_next(v))
		if ((rc = text_of(&text, x, key, v, e)) == SAT_OK) {
			sat_buf_add(&b, text.p, text.n);
			sat_buf_str(&b, "\n");
		}
	if (rc == SAT_OK)
		rc = input_add(x, verb, key, sat_span_str(sat_arena_str(&x->a,
		    sat_buf_cstr(&b), b.n)), e);
	sat_buf_fini(&b);
	return rc;
}

/* {"$add":[],"$remove":[]} of a set. */
static sat_rc
read_delta(api_inputs *x, const char *key, const sat_json *m, sat_err *e)
{
	const sat_json *d = sat_json_first(m);
	bool good = d != NULL;
	sat_rc rc = SAT_OK;

	for (; d != NULL && good && rc == SAT_OK; d = sat_json_next(d)) {
		char verb = strcmp(sat_json_key(d), "$add") == 0 ? '+' :
		    strcmp(sat_json_key(d), "$remove") == 0 ? '-' : '\0';

		good = verb != '\0' && sat_json_type(d) == SAT_J_ARR;
		if (good)
			rc = read_list(x, verb, key, d, e);
	}
	if (good)
		return rc;
	(void)sat_fail_code(e, SAT_EINVALID, "validation.type",
	    "{\"$add\":[],\"$remove\":[]}", "%s: no change of a set", key);
	return at_member(e, key);
}

sat_rc
api_inputs_read(api_inputs *x, const sat_json *body, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (const sat_json *m = sat_json_first(body);
	     m != NULL && rc == SAT_OK; m = sat_json_next(m)) {
		const char *key = sat_json_key(m);
		sat_span text;

		switch (sat_json_type(m)) {
		case SAT_J_NULL:
			rc = input_add(x, '0', key, sat_span_str(""), e);
			break;
		case SAT_J_OBJ:
			rc = read_delta(x, key, m, e);
			break;
		case SAT_J_ARR:
			rc = read_list(x, '*', key, m, e); /* RFC 7396 */
			break;
		default:
			if ((rc = text_of(&text, x, key, m, e)) == SAT_OK)
				rc = input_add(x, '=', key, text, e);
			break;
		}
	}
	return rc;
}
