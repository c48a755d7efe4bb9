#include "common/template/template_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
sat_walk_fault(walk *w, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	if (w->rc != SAT_OK)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	w->rc = sat_fail_code(w->e, SAT_EINVALID, "template.invalid", NULL,
	    "%s: %s%s%s", w->path, w->at, w->at[0] != '\0' ? ": " : "", what);
}

size_t
sat_walk_enter(walk *w, const char *key, size_t index)
{
	size_t mark = strlen(w->at), left = sizeof w->at - mark;
	const char *dot = mark > 0 ? "." : "";

	if (index == SIZE_MAX)
		(void)snprintf(w->at + mark, left, "%s%s", dot, key);
	else
		(void)snprintf(w->at + mark, left, "%s%s[%zu]", dot, key, index);
	return mark;
}

void
sat_walk_leave(walk *w, size_t mark)
{
	w->at[mark] = '\0';
}

static bool
listed(const char *list, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = list; *p != '\0';) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, key, n) == 0)
			return true;
		p += len;
		p += *p == ' ';
	}
	return false;
}

/*
 * Unknown members are refused: "requird_at" must not silently switch a rule
 * off. A newer document names a higher `schema` instead.
 */
void
sat_walk_members(walk *w, const sat_json *n, const char *list)
{
	const sat_json *m;

	if (w->rc != SAT_OK)
		return;
	if (sat_json_type(n) != SAT_J_OBJ) {
		sat_walk_fault(w, "must be an object");
		return;
	}
	for (m = sat_json_first(n); m != NULL; m = sat_json_next(m))
		if (!listed(list, sat_json_key(m))) {
			sat_walk_fault(w, "unknown member '%.40s'", sat_json_key(m));
			return;
		}
}

const char *
sat_walk_text(walk *w, const sat_json *n, const char *key, bool needed)
{
	const sat_json *m = sat_json_get(n, key);
	const char *s;

	if (m == NULL) {
		if (needed)
			sat_walk_fault(w, "'%s' is missing", key);
		return NULL;
	}
	s = sat_json_str(m, NULL);
	if (s == NULL || s[0] == '\0' || strlen(s) > 1000) {
		sat_walk_fault(w, "'%s' must be a text of 1 to 1000 bytes", key);
		return NULL;
	}
	return s;
}

bool
sat_walk_bool(walk *w, const sat_json *n, const char *key)
{
	const sat_json *m = sat_json_get(n, key);

	if (m == NULL)
		return false;
	if (sat_json_type(m) != SAT_J_BOOL)
		sat_walk_fault(w, "'%s' must be true or false", key);
	return sat_json_bool(m, false);
}

int64_t
sat_walk_int(walk *w, const sat_json *n, const char *key, int64_t dflt,
    int64_t min, int64_t max)
{
	const sat_json *m = sat_json_get(n, key);
	int64_t v;

	if (m == NULL)
		return dflt;
	v = sat_json_int(m, dflt);
	if (sat_json_type(m) != SAT_J_INT || v < min || v > max) {
		sat_walk_fault(w, "'%s' must be an integer from %lld to %lld", key,
		    (long long)min, (long long)max);
		return dflt;
	}
	return v;
}

const sat_json *
sat_walk_array(walk *w, const sat_json *n, const char *key, size_t max,
    size_t *count)
{
	const sat_json *m = sat_json_get(n, key);

	*count = 0;
	if (m == NULL)
		return NULL;
	if (sat_json_type(m) != SAT_J_ARR || sat_json_count(m) > max) {
		sat_walk_fault(w, "'%s' must be an array of at most %zu", key, max);
		return NULL;
	}
	*count = sat_json_count(m);
	return m;
}

const char *const *
sat_walk_texts(walk *w, const sat_json *n, const char *key, sat_arena *a,
    size_t *count)
{
	const sat_json *m = sat_walk_array(w, n, key, 256, count), *el;
	const char **out = sat_arena_alloc(a, (*count + 1) * sizeof *out);
	size_t i = 0;

	for (el = sat_json_first(m); el != NULL; el = sat_json_next(el)) {
		out[i] = sat_json_str(el, NULL);
		if (out[i] == NULL || out[i][0] == '\0') {
			sat_walk_fault(w, "'%s' must hold texts", key);
			*count = 0;
			break;
		}
		i++;
	}
	out[*count] = NULL;
	return out;
}

void
sat_walk_label(walk *w, const sat_json *n, const char *key, const char **zh,
    const char **en)
{
	const sat_json *m = sat_json_get(n, key);
	size_t mark = sat_walk_enter(w, key, SIZE_MAX);

	sat_walk_members(w, m, "zh en");
	*zh = sat_walk_text(w, m, "zh", true);
	*en = sat_walk_text(w, m, "en", true);
	sat_walk_leave(w, mark);
}

bool
sat_key_ok(const char *key)
{
	size_t n = strlen(key);

	if (n == 0 || n > TEMPLATE_KEY_MAX || key[0] < 'a' || key[0] > 'z')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!((key[i] >= 'a' && key[i] <= 'z') || key[i] == '_' ||
		    (key[i] >= '0' && key[i] <= '9')))
			return false;
	return true;
}
