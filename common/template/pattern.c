/*
 * Patterns come from template documents, which come from people: a bad one may
 * be slow, so every match runs under a limit, and giving up counts as "does not
 * match". Compiled once when the template is loaded; matching allocates its own
 * match data, so that threads can share the compiled code.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string.h>

#include "common/template/template_int.h"

#define MATCH_LIMIT 20000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KB 1024
#define PATTERNS_MAX 128

struct pattern {
	const char *name;
	pcre2_code *code;
};

static void
load_one(walk *w, pattern *p, const sat_json *n)
{
	const char *regex, *name;
	size_t mark;
	PCRE2_SIZE at = 0;
	int err = 0;

	sat_walk_members(w, n, "key label regex note");
	name = sat_walk_text(w, n, "key", true);
	regex = sat_walk_text(w, n, "regex", true);
	if (w->rc != SAT_OK)
		return;
	if (!sat_key_ok(name) || strlen(regex) > TEMPLATE_PATTERN_MAX) {
		sat_walk_fault(w, "key not lower case, or pattern longer than %d",
		    TEMPLATE_PATTERN_MAX);
		return;
	}
	/* NEVER_BACKSLASH_C: \C could end a match inside a character. */
	p->name = name;
	p->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &err,
	    &at, NULL);
	if (p->code == NULL) {
		mark = sat_walk_enter(w, "regex", SIZE_MAX);
		sat_walk_fault(w, "does not compile at character %zu", (size_t)at);
		sat_walk_leave(w, mark);
	}
}

sat_rc
sat_template_load_patterns(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = "rules/validation.json", .e = e };
	const sat_json *root = sat_template_doc(t, w.path), *list, *n;
	size_t count;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "patterns note");
	list = sat_walk_array(&w, root, "patterns", PATTERNS_MAX, &count);
	t->patterns = sat_arena_alloc(&t->arena,
	    (count + 1) * sizeof *t->patterns);
	for (n = sat_json_first(list); n != NULL && w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		pattern *p = &t->patterns[t->npatterns];
		size_t mark = sat_walk_enter(&w, "patterns", t->npatterns);

		*p = (pattern){ NULL, NULL };
		load_one(&w, p, n);
		if (p->name != NULL && sat_template_has_pattern(t, p->name))
			sat_walk_fault(&w, "key used twice");
		t->npatterns++;
		sat_walk_leave(&w, mark);
	}
	return w.rc;
}

void
sat_template_free_patterns(sat_template *t)
{
	for (size_t i = 0; i < t->npatterns; i++)
		pcre2_code_free(t->patterns[i].code);
	t->npatterns = 0;
}

static const pattern *
pattern_find(const sat_template *t, const char *name)
{
	for (size_t i = 0; i < t->npatterns; i++)
		if (t->patterns[i].name != NULL &&
		    strcmp(t->patterns[i].name, name) == 0)
			return &t->patterns[i];
	return NULL;
}

bool
sat_template_has_pattern(const sat_template *t, const char *name)
{
	return pattern_find(t, name) != NULL;
}

bool
sat_template_matches(const sat_template *t, const char *name, sat_span text)
{
	const pattern *p = pattern_find(t, name);
	pcre2_match_context *ctx;
	pcre2_match_data *data;
	int rc = PCRE2_ERROR_NOMEMORY;

	if (p == NULL || p->code == NULL)
		return false;
	ctx = pcre2_match_context_create(NULL);
	data = pcre2_match_data_create(1, NULL);
	if (ctx != NULL && data != NULL) {
		(void)pcre2_set_match_limit(ctx, MATCH_LIMIT);
		(void)pcre2_set_depth_limit(ctx, DEPTH_LIMIT);
		(void)pcre2_set_heap_limit(ctx, HEAP_LIMIT_KB);
		rc = pcre2_match(p->code,
		    text.n > 0 ? text.p : (PCRE2_SPTR)"", text.n, 0, 0, data,
		    ctx);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(ctx);
	return rc >= 0;
}
