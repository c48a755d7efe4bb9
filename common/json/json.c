/*
 * json.c - reading and building documents; cJSON holds the tree.
 */
#include "common/json/json.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/json/json_int.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

sat_rc
sat_json_parse(sat_json **doc, sat_span text, size_t max, sat_err *e)
{
	sat_rc rc;

	*doc = NULL;
	if (max == 0)
		max = SAT_JSON_BYTES_MAX;
	if (text.n > max)
		return sat_fail(e, SAT_EINVALID,
		    "json: %zu bytes, at most %zu allowed", text.n, max);
	if ((rc = sat_json_scan(text, e)) != SAT_OK)
		return rc;
	*doc = cJSON_ParseWithLength((const char *)text.p, text.n);
	/* The form was checked above, so only memory can be missing. */
	if (*doc == NULL)
		return sat_fail(e, SAT_ENOMEM, "json: out of memory");
	return SAT_OK;
}

void
sat_json_free(sat_json *doc)
{
	cJSON_Delete(doc);
}

bool
sat_json_is_whole(double v)
{
	return fabs(v) <= JSON_INT_MAX && v == floor(v);
}

sat_jtype
sat_json_type(const sat_json *n)
{
	if (n == NULL)
		return SAT_J_NULL;
	switch (n->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return SAT_J_BOOL;
	case cJSON_Number:
		return sat_json_is_whole(n->valuedouble) ? SAT_J_INT :
		    SAT_J_REAL;
	case cJSON_String:
		return SAT_J_STR;
	case cJSON_Array:
		return SAT_J_ARR;
	case cJSON_Object:
		return SAT_J_OBJ;
	default:
		return SAT_J_NULL;
	}
}

static bool
is_parent(const sat_json *n)
{
	return cJSON_IsObject(n) || cJSON_IsArray(n);
}

const sat_json *
sat_json_get(const sat_json *obj, const char *key)
{
	const sat_json *n;
	char *end;
	unsigned long i;

	if (cJSON_IsObject(obj)) {
		for (n = obj->child; n != NULL; n = n->next)
			/* most differ in their first byte, and a template is
			 * asked for thousands of them */
			if (n->string[0] == key[0] &&
			    strcmp(n->string, key) == 0)
				return n;
		return NULL;
	}
	if (!cJSON_IsArray(obj) || key[0] < '0' || key[0] > '9')
		return NULL;
	i = strtoul(key, &end, 10);
	if (*end != '\0')
		return NULL;
	for (n = obj->child; n != NULL && i > 0; i--)
		n = n->next;
	return n;
}

const sat_json *
sat_json_first(const sat_json *n)
{
	return is_parent(n) ? n->child : NULL;
}

const sat_json *
sat_json_next(const sat_json *n)
{
	return n != NULL ? n->next : NULL;
}

const char *
sat_json_key(const sat_json *n)
{
	return n != NULL ? n->string : NULL;
}

size_t
sat_json_count(const sat_json *n)
{
	size_t count = 0;

	for (const sat_json *c = sat_json_first(n); c != NULL; c = c->next)
		count++;
	return count;
}

const char *
sat_json_str(const sat_json *n, const char *dflt)
{
	return cJSON_IsString(n) ? n->valuestring : dflt;
}

int64_t
sat_json_int(const sat_json *n, int64_t dflt)
{
	/* valueint saturates at 2^31-1; the double is exact up to 2^53. */
	if (sat_json_type(n) != SAT_J_INT)
		return dflt;
	return (int64_t)n->valuedouble;
}

double
sat_json_real(const sat_json *n, double dflt)
{
	return cJSON_IsNumber(n) ? n->valuedouble : dflt;
}

bool
sat_json_bool(const sat_json *n, bool dflt)
{
	return cJSON_IsBool(n) ? (bool)cJSON_IsTrue(n) : dflt;
}

const char *
sat_json_get_str(const sat_json *obj, const char *key, const char *dflt)
{
	return sat_json_str(sat_json_get(obj, key), dflt);
}

int64_t
sat_json_get_int(const sat_json *obj, const char *key, int64_t dflt)
{
	return sat_json_int(sat_json_get(obj, key), dflt);
}

bool
sat_json_get_bool(const sat_json *obj, const char *key, bool dflt)
{
	return sat_json_bool(sat_json_get(obj, key), dflt);
}

/* ---- building: memory of sizes we chose, so missing memory stops us ------- */

static sat_json *
must(sat_json *n)
{
	if (n == NULL) {
		sat_log(SAT_ERROR, "MEM-OUT", "where=json");
		abort();
	}
	return n;
}

static sat_json *
str_node(sat_span v)
{
	sat_json *n = must(cJSON_CreateNull());

	n->valuestring = cJSON_malloc(v.n + 1);
	if (n->valuestring == NULL)
		(void)must(NULL);
	if (v.n > 0)
		memcpy(n->valuestring, v.p, v.n);
	n->valuestring[v.n] = '\0';
	n->type = cJSON_String;
	return n;
}

static sat_json *
text_node(const char *v)
{
	return v != NULL ? str_node(sat_span_str(v)) :
	    must(cJSON_CreateNull());
}

/* Beyond 2^53 an integer travels as a string, as the reader demands it. */
static sat_json *
int_node(int64_t v)
{
	char digits[24];

	if (v >= -(1ll << 53) && v <= (1ll << 53))
		return must(cJSON_CreateNumber((double)v));
	(void)snprintf(digits, sizeof digits, "%lld", (long long)v);
	return text_node(digits);
}

sat_json *
sat_json_obj(void)
{
	return must(cJSON_CreateObject());
}

sat_json *
sat_json_arr(void)
{
	return must(cJSON_CreateArray());
}

void
sat_json_put(sat_json *obj, const char *key, sat_json *child)
{
	assert(cJSON_IsObject(obj));
	if (child == NULL)
		child = must(cJSON_CreateNull());
	if (!cJSON_AddItemToObject(obj, key, child))
		(void)must(NULL);
}

void
sat_json_add(sat_json *arr, sat_json *child)
{
	assert(cJSON_IsArray(arr));
	if (child == NULL)
		child = must(cJSON_CreateNull());
	if (!cJSON_AddItemToArray(arr, child))
		(void)must(NULL);
}

sat_json *
sat_json_put_obj(sat_json *obj, const char *key)
{
	sat_json *n = sat_json_obj();

	sat_json_put(obj, key, n);
	return n;
}

sat_json *
sat_json_put_arr(sat_json *obj, const char *key)
{
	sat_json *n = sat_json_arr();

	sat_json_put(obj, key, n);
	return n;
}

void
sat_json_put_str(sat_json *obj, const char *key, const char *v)
{
	sat_json_put(obj, key, text_node(v));
}

void
sat_json_put_strn(sat_json *obj, const char *key, sat_span v)
{
	sat_json_put(obj, key, str_node(v));
}

void
sat_json_put_int(sat_json *obj, const char *key, int64_t v)
{
	sat_json_put(obj, key, int_node(v));
}

void
sat_json_put_real(sat_json *obj, const char *key, double v)
{
	sat_json_put(obj, key, isfinite(v) ? must(cJSON_CreateNumber(v)) :
	    NULL);
}

void
sat_json_put_bool(sat_json *obj, const char *key, bool v)
{
	sat_json_put(obj, key, must(cJSON_CreateBool(v)));
}

void
sat_json_put_time(sat_json *obj, const char *key, int64_t ms)
{
	char text[32];

	sat_time_rfc3339(text, ms);
	sat_json_put_str(obj, key, ms > 0 ? text : NULL);
}

void
sat_json_put_null(sat_json *obj, const char *key)
{
	sat_json_put(obj, key, NULL);
}

sat_json *
sat_json_add_obj(sat_json *arr)
{
	sat_json *n = sat_json_obj();

	sat_json_add(arr, n);
	return n;
}

sat_json *
sat_json_add_arr(sat_json *arr)
{
	sat_json *n = sat_json_arr();

	sat_json_add(arr, n);
	return n;
}

void
sat_json_add_str(sat_json *arr, const char *v)
{
	sat_json_add(arr, text_node(v));
}

void
sat_json_add_strn(sat_json *arr, sat_span v)
{
	sat_json_add(arr, str_node(v));
}

void
sat_json_add_int(sat_json *arr, int64_t v)
{
	sat_json_add(arr, int_node(v));
}

sat_json *
sat_json_dup(const sat_json *n)
{
	return n != NULL ? must(cJSON_Duplicate(n, true)) : NULL;
}

void
sat_json_set(sat_json *obj, const char *key, sat_json *child)
{
	assert(cJSON_IsObject(obj));
	if (sat_json_get(obj, key) == NULL) {
		sat_json_put(obj, key, child);
		return;
	}
	if (child == NULL)
		child = must(cJSON_CreateNull());
	if (!cJSON_ReplaceItemInObjectCaseSensitive(obj, key, child))
		(void)must(NULL);
}

void
sat_json_del(sat_json *obj, const char *key)
{
	assert(cJSON_IsObject(obj));
	cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
}
