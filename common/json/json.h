/*
 * json.h - the only door to cJSON, with a strict front.
 *
 * Reading refuses: more than `max` bytes, depth > 32, invalid UTF-8, U+0000,
 * raw control characters, duplicate keys, leading zeros, numbers that are not
 * finite, integers beyond 2^53 (send them as strings), trailing bytes, a BOM,
 * more than SAT_JSON_NODES_MAX values.
 * Writing is canonical: keys in insertion order, 2-space indent when `pretty`,
 * LF, integers without exponent.
 *
 * sat_json nodes belong to their document. Lookup is case-sensitive.
 */
#ifndef SAT_JSON_JSON_H
#define SAT_JSON_JSON_H

#include "common/base/buf.h"

#define SAT_JSON_DEPTH_MAX 32
#define SAT_JSON_BYTES_MAX (4u * 1024 * 1024)
/* Values in a document: each costs about 80 bytes of tree. */
#define SAT_JSON_NODES_MAX (1u << 18)

typedef struct cJSON sat_json; /* opaque to every other room */

/* Parse. *doc is owned by the caller (sat_json_free). SAT_EPROTO with line and
 * column; SAT_EINVALID above max bytes (0 = SAT_JSON_BYTES_MAX). */
SAT_CHECK sat_rc sat_json_parse(sat_json **doc, sat_span text, size_t max, sat_err *e);
void sat_json_free(sat_json *doc); /* NULL is fine */

typedef enum { SAT_J_NULL, SAT_J_BOOL, SAT_J_INT, SAT_J_REAL, SAT_J_STR, SAT_J_ARR, SAT_J_OBJ } sat_jtype;
sat_jtype sat_json_type(const sat_json *n); /* NULL node = SAT_J_NULL */
/* Member by name, or element by decimal index ("0"); NULL when absent or n is
 * not an object/array. */
const sat_json *sat_json_get(const sat_json *obj, const char *key);
/* Walk children: first, next; key of an object's member. */
const sat_json *sat_json_first(const sat_json *n);
const sat_json *sat_json_next(const sat_json *n);
const char *sat_json_key(const sat_json *n);
size_t sat_json_count(const sat_json *n);
/* Value or default. */
const char *sat_json_str(const sat_json *n, const char *dflt);
int64_t sat_json_int(const sat_json *n, int64_t dflt);
double sat_json_real(const sat_json *n, double dflt);
bool sat_json_bool(const sat_json *n, bool dflt);
/* The same through a member. */
const char *sat_json_get_str(const sat_json *obj, const char *key, const char *dflt);
int64_t sat_json_get_int(const sat_json *obj, const char *key, int64_t dflt);
bool sat_json_get_bool(const sat_json *obj, const char *key, bool dflt);

/* Build. The returned node belongs to its parent (or to the caller at the
 * root). Strings are copied; they must be UTF-8. An int beyond 2^53 becomes
 * a string. `put` does not look for an earlier member of that name: `set`
 * does. */
sat_json *sat_json_obj(void);
sat_json *sat_json_arr(void);
sat_json *sat_json_put_obj(sat_json *obj, const char *key);
sat_json *sat_json_put_arr(sat_json *obj, const char *key);
void sat_json_put_str(sat_json *obj, const char *key, const char *v); /* NULL = null */
void sat_json_put_strn(sat_json *obj, const char *key, sat_span v);
void sat_json_put_int(sat_json *obj, const char *key, int64_t v);
void sat_json_put_real(sat_json *obj, const char *key, double v);
void sat_json_put_bool(sat_json *obj, const char *key, bool v);
/* A moment as RFC 3339, UTC; 0 and before = null. */
void sat_json_put_time(sat_json *obj, const char *key, int64_t ms);
void sat_json_put_null(sat_json *obj, const char *key);
void sat_json_put(sat_json *obj, const char *key, sat_json *child); /* takes */
sat_json *sat_json_add_obj(sat_json *arr);
sat_json *sat_json_add_arr(sat_json *arr);
void sat_json_add_str(sat_json *arr, const char *v);
void sat_json_add_strn(sat_json *arr, sat_span v);
void sat_json_add_int(sat_json *arr, int64_t v);
void sat_json_add(sat_json *arr, sat_json *child); /* takes */
sat_json *sat_json_dup(const sat_json *n);
/* Replace or remove a member of an object. */
void sat_json_set(sat_json *obj, const char *key, sat_json *child); /* takes */
void sat_json_del(sat_json *obj, const char *key);

/* Serialise, appended to out; pretty adds a final LF. */
void sat_json_write(sat_buf *out, const sat_json *n, bool pretty);
/* One JSON string literal, quotes included (NDJSON export without a DOM). */
void sat_json_write_str(sat_buf *out, sat_span s);

/*
 * Validate against a JSON Schema subset: type, properties, required,
 * additionalProperties, items, enum, const, pattern-free. SAT_EINVALID names
 * the path. Used by the test that checks every --json output.
 */
SAT_CHECK sat_rc sat_json_validate(const sat_json *doc, const sat_json *schema, sat_err *e);

#endif
