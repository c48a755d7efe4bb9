/*
 * Lint: what a template may not do although it would load (requirements §4.2),
 * and whether one template may follow another.
 */
#include "common/template/gate.h"
#include "common/template/privacy.h"
#include "common/template/template_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef void (*lint_cb)(void *u, char severity, const char *path,
    const char *text);

typedef struct lint {
	const sat_template *t;
	lint_cb cb;
	void *u;
	unsigned errors;
	char first[300];
} lint;

static void SAT_PRINTF(4, 5)
say(lint *l, char severity, const char *path, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (severity == 'e' && l->errors++ == 0)
		(void)snprintf(l->first, sizeof l->first, "%.90s: %s", path,
		    text);
	if (l->cb != NULL)
		l->cb(l->u, severity, path, text);
}

/* "waivers":[{"rule":"required-max","reason":"..."}] in template.json. */
const char *
sat_template_waiver(const sat_template *t, const char *rule)
{
	const sat_json *n = sat_json_first(sat_json_get(
	    sat_template_doc(t, "template.json"), "waivers"));

	for (; n != NULL; n = sat_json_next(n))
		if (strcmp(sat_json_get_str(n, "rule", ""), rule) == 0 &&
		    sat_json_get_str(n, "reason", "")[0] != '\0')
			return sat_json_get_str(n, "reason", "");
	return NULL;
}

static void
lint_default(lint *l, const char *path, const sat_field *f)
{
	sat_arena a = { 0 };
	sat_value v;
	sat_err why;

	if (f->dflt == NULL || strcmp(f->dflt, "@me") == 0 ||
	    strcmp(f->dflt, "@now") == 0)
		return;
	if (sat_field_parse(&v, &a, l->t, f, sat_span_str(f->dflt), &why) !=
	    SAT_OK)
		say(l, 'e', path, "%s: the default is not a value of the field",
		    f->key);
	sat_arena_fini(&a);
}

static void
lint_field(lint *l, const char *path, const sat_field *f, const sat_json *n)
{
	const char *level = sat_json_get_str(n, "sensitivity", "internal");

	if ((f->required || f->required_when != NULL || f->pii) &&
	    f->purpose == NULL)
		say(l, 'e', path, "%s: required or personal, but no purpose",
		    f->key);
	if (strcmp(level, "public") != 0 && strcmp(level, "internal") != 0 &&
	    strcmp(level, "pii") != 0 && strcmp(level, "sensitive") != 0)
		say(l, 'e', path, "%s: unknown sensitivity", f->key);
	if (strcmp(level, "sensitive") == 0 &&
	    (sat_json_get(n, "consent") == NULL ||
	    sat_json_get(n, "retention_d") == NULL))
		say(l, 'e', path, "%s: sensitive, but no consent text or "
		    "retention", f->key);
	if (f->required && f->retired)
		say(l, 'e', path, "%s: required and retired", f->key);
	if (f->type == SAT_F_PHONE && f->pii && f->mask == NULL)
		say(l, 'w', path, "%s: a personal phone without a mask", f->key);
	if (f->type == SAT_F_PHONE && f->norm != SAT_NORM_PHONE)
		say(l, 'w', path, "%s: phones differ only by notation: norm "
		    "phone is missing", f->key);
	lint_default(l, path, f);
}

static void
lint_kind(lint *l, const sat_kind *k, const char *path)
{
	const sat_json *n = sat_json_first(sat_json_get(
	    sat_template_doc(l->t, path), "fields"));
	size_t required = 0;

	for (size_t i = 0; i < k->nfields && n != NULL; i++) {
		lint_field(l, path, &k->fields[i], n);
		required += k->fields[i].required && !k->fields[i].retired;
		n = sat_json_next(n);
	}
	if (required > SAT_REQUIRED_MAX)
		say(l, sat_template_waiver(l->t, "required-max") != NULL ?
		    'w' : 'e', path,
		    "%zu fields are required at creation, more than %d",
		    required, SAT_REQUIRED_MAX);
	if (k->append_only && k->owner != NULL && k->scope != SAT_SCOPE_TEAM)
		say(l, 'w', path, "rows never change, but have an owner");
}

static bool
dict_used(const sat_template *t, const sat_dict *d)
{
	for (size_t i = 0; i < t->nkinds; i++)
		for (size_t f = 0; f < t->kinds[i].nfields; f++)
			if (t->kinds[i].fields[f].dict == d)
				return true;
	return false;
}

static bool
is_stage_dict(const sat_template *t, const sat_dict *d)
{
	for (size_t i = 0; i < t->nkinds; i++)
		if (t->kinds[i].stage != NULL && t->kinds[i].stage->dict == d)
			return true;
	return false;
}

/* Nobody chooses a retired option any more: it may have the spellings that
 * another had before, or has again since the template went back. */
static void
lint_aliases(lint *l, const sat_dict *d, const sat_option *o, const char *path)
{
	for (size_t i = 0; i < o->naliases && !o->retired; i++) {
		const sat_option *is = sat_dict_match(d,
		    sat_span_str(o->aliases[i]));

		if (is == o)
			continue;
		if (is != NULL && is->retired)
			say(l, 'w', path, "%s: an alias is the key of a retired "
			    "option", o->key);
		else
			say(l, 'e', path, "%s: an alias means another option",
			    o->key);
	}
}

static void
lint_dict(lint *l, const sat_dict *d, const char *path)
{
	size_t live = 0;

	if (!dict_used(l->t, d))
		say(l, 'w', path, "no field uses this dictionary");
	for (size_t i = 0; i < d->n; i++) {
		const sat_option *o = &d->options[i];

		live += !o->retired;
		if (is_stage_dict(l->t, d) && !o->terminal && o->nnext == 0)
			say(l, 'e', path, "%s: an open stage without a next one",
			    o->key);
		lint_aliases(l, d, o, path);
	}
	if (live == 0)
		say(l, 'e', path, "no option can be chosen");
}

/* A kiosk stands where anybody can reach it: it adds, and does nothing else. */
static void
lint_kiosk(lint *l, const char *path, const sat_json *row)
{
	for (const sat_json *n = sat_json_first(row); n != NULL;
	    n = sat_json_next(n)) {
		const char *action = sat_json_key(n), *dot = strrchr(action, '.');

		if (strcmp(sat_json_str(n, "no"), "no") != 0 &&
		    (dot == NULL || strcmp(dot, ".create") != 0))
			say(l, 'e', path, "kiosk: may do %.40s", action);
	}
}

/* Two hands for what one pair should not do. */
static void
lint_matrix(lint *l)
{
	static const char path[] = "acl/matrix.json";
	const sat_json *n = sat_json_first(l->t->matrix);
	bool views = false;

	for (; n != NULL; n = sat_json_next(n)) {
		const char *role = sat_json_key(n);

		views = views ||
		    sat_acl(l->t, role, "account.view") != SAT_GRANT_NO;
		if (sat_acl(l->t, role, "export") == SAT_GRANT_ALL &&
		    sat_acl(l->t, role, "audit.clear") != SAT_GRANT_NO)
			say(l, 'e', path, "%.40s: may export all and clear the "
			    "audit log", role);
		if (strcmp(role, "kiosk") == 0)
			lint_kiosk(l, path, n);
	}
	if (!views)
		say(l, 'e', path, "nobody may see a customer");
}

/* ---- policies that are read word by word where they are needed ---------------- */

/* Another word would silently be the other method. */
static void
lint_grading(lint *l)
{
	static const char path[] = "policy/grading.json";
	const sat_json *root = sat_template_doc(l->t, path);
	const char *method = sat_json_get_str(root, "method", "");
	bool abc = strcmp(method, "abc") == 0;

	if (sat_json_get(root, "method") != NULL && !abc &&
	    strcmp(method, "threshold") != 0)
		say(l, 'e', path, "'method' is threshold or abc, not '%.40s'",
		    method);
	if (abc && sat_json_get(root, "abc") == NULL)
		say(l, 'e', path, "method abc, but no 'abc'");
}

#define PRIVACY SAT_PRIVACY_DOC

/* What a walk found wrong; its text begins with the path, which is told apart. */
static void
say_fault(lint *l, const char *path, const sat_err *why)
{
	size_t n = strlen(path);

	say(l, 'e', path, "%s", strncmp(why->text, path, n) == 0 &&
	    strncmp(why->text + n, ": ", 2) == 0 ? why->text + n + 2 :
	    why->text);
}

static void
lint_retentions(lint *l, walk *w, const sat_json *root)
{
	size_t count;
	const sat_json *n = sat_json_first(sat_walk_array(w, root, "retention",
	    256, &count));
	sat_retention r;
	sat_err why;

	for (; n != NULL; n = sat_json_next(n))
		if (sat_template_retention(&r, l->t, n, &why) != SAT_OK)
			say_fault(l, PRIVACY, &why);
}

/* Without a list of it, or an empty one, everybody would be exported, or
 * nobody. */
static const sat_json *
lint_named(walk *w, const sat_json *only, const char *key)
{
	size_t count;
	const sat_json *list = sat_walk_array(w, only, key, 256, &count);

	if (count == 0)
		sat_walk_fault(w, "'%s' must name one or more", key);
	return sat_json_first(list);
}

/* A role or purpose nobody has would do the same. */
static void
lint_consented(lint *l, const sat_json *only)
{
	const sat_dict *purposes = sat_template_dict(l->t, "consent_purpose");
	const sat_json *n;
	const char *text;
	sat_err why;
	walk w = { .t = l->t, .path = PRIVACY, .at = "consented_only",
		.e = &why };

	if (only == NULL)
		return;
	sat_walk_members(&w, only, "roles purposes note");
	for (n = lint_named(&w, only, "roles"); n != NULL; n = sat_json_next(n))
		if (sat_json_get(l->t->matrix, sat_json_str(n, "")) == NULL)
			say(l, 'e', PRIVACY, "consented_only: no role '%.40s'",
			    sat_json_str(n, ""));
	n = lint_named(&w, only, "purposes");
	for (; n != NULL; n = sat_json_next(n)) {
		text = sat_json_str(n, "");
		if (purposes != NULL && sat_dict_option(purposes, text,
		    strlen(text)) == NULL)
			say(l, 'e', PRIVACY, "consented_only: no purpose "
			    "'%.40s'", text);
	}
	if (w.rc != SAT_OK)
		say_fault(l, PRIVACY, &why);
}

static void
lint_privacy(lint *l)
{
	const sat_json *root = sat_template_doc(l->t, PRIVACY);
	sat_err why;
	walk w = { .t = l->t, .path = PRIVACY, .e = &why };

	if (root == NULL)
		return;
	sat_walk_members(&w, root, "note answer_d retention consented_only");
	lint_retentions(l, &w, root);
	lint_consented(l, sat_json_get(root, "consented_only"));
	if (sat_json_get(root, "answer_d") != NULL &&
	    sat_json_get_int(root, "answer_d", 0) < 1)
		say(l, 'e', PRIVACY, "'answer_d' must be a number of days");
	if (w.rc != SAT_OK)
		say_fault(l, PRIVACY, &why);
}

/* A document of one number. "dyas" would silently be what holds without any. */
static void
lint_number(lint *l, const char *path, const char *key, int64_t max)
{
	const sat_json *root = sat_template_doc(l->t, path);
	char members[40];
	sat_err why;
	walk w = { .t = l->t, .path = path, .e = &why };

	if (root == NULL)
		return;
	(void)snprintf(members, sizeof members, "note %s", key);
	sat_walk_members(&w, root, members);
	(void)sat_walk_int(&w, root, key, 0, 0, max);
	if (w.rc != SAT_OK)
		say_fault(l, path, &why);
}

sat_rc
sat_template_lint(const sat_template *t, lint_cb cb, void *u, sat_err *e)
{
	lint l = { .t = t, .cb = cb, .u = u };

	for (size_t i = 0; i < t->nkinds; i++)
		lint_kind(&l, &t->kinds[i], sat_template_path(t, "fields/", i));
	for (size_t i = 0; i < t->ndicts; i++)
		lint_dict(&l, &t->dicts[i].pub, sat_template_path(t, "dict/", i));
	lint_matrix(&l);
	lint_grading(&l);
	lint_privacy(&l);
	lint_number(&l, "policy/conflict.json", "days", 365);
	lint_number(&l, "policy/handover.json", "grace_h", 366 * 24);
	if (l.errors == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_EINVALID, "template.lint", NULL,
	    "%u lint error%s, first: %s", l.errors, l.errors == 1 ? "" : "s",
	    l.first);
}

/* ---- may it follow? ---------------------------------------------------------- */

static sat_rc SAT_PRINTF(2, 3)
refuse(sat_err *e, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return sat_fail_code(e, SAT_EINVALID, "template.follows",
	    "retire it and add a new one", "%s", text);
}

static sat_rc
field_follows(const sat_kind *next, const sat_kind *prev, const sat_field *was,
    sat_err *e)
{
	const sat_field *is = sat_kind_field_id(next, was->id);
	const sat_field *same = sat_kind_field(next, was->key);

	if (same != NULL && same->id != was->id)
		return refuse(e, "%s.%s: the key is reused under another id",
		    prev->key, was->key);
	if (is == NULL)
		return refuse(e, "%s.%s: the field is gone", prev->key, was->key);
	if (strcmp(is->key, was->key) != 0)
		return refuse(e, "%s.%s: the id now belongs to %s", prev->key,
		    was->key, is->key);
	if (is->type != was->type || is->files != was->files || (is->ref != NULL && was->ref != NULL &&
	    strcmp(is->ref, was->ref) != 0))
		return refuse(e, "%s.%s: the type changed", prev->key, was->key);
	/* the fold depends on both, and must be the same function for devices
	 * at different revisions (P-040): a new field takes their place */
	if (is->policy != was->policy || is->norm != was->norm)
		return refuse(e, "%s.%s: the merge policy changed", prev->key,
		    was->key);
	return SAT_OK;
}

/* NULL and NULL are the same role; else compared by id. */
static bool
same_role(const sat_field *a, const sat_field *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || a->id == b->id);
}

static sat_rc
kind_follows(const sat_template *next, const sat_kind *was, sat_err *e)
{
	const sat_kind *is = sat_template_kind_id(next, was->id);
	sat_rc rc = SAT_OK;

	if (is == NULL || strcmp(is->key, was->key) != 0)
		return refuse(e, "%s: the kind is gone or its id is reused",
		    was->key);
	if (is->scope != was->scope || is->append_only != was->append_only ||
	    !same_role(is->parent, was->parent) ||
	    !same_role(is->owner, was->owner) ||
	    !same_role(is->stage, was->stage))
		return refuse(e, "%s: scope, parent, owner or stage changed",
		    was->key);
	for (size_t i = 0; i < was->nfields && rc == SAT_OK; i++)
		rc = field_follows(is, was, &was->fields[i], e);
	return rc;
}

sat_rc
sat_template_follows(const sat_template *next, const sat_template *prev,
    sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (strcmp(next->id, prev->id) != 0)
		return refuse(e, "the template's id changed");
	for (size_t i = 0; i < prev->nkinds && rc == SAT_OK; i++)
		rc = kind_follows(next, &prev->kinds[i], e);
	for (size_t i = 0; i < prev->ndicts && rc == SAT_OK; i++) {
		const sat_dict *was = &prev->dicts[i].pub;
		const sat_dict *is = sat_template_dict(next, was->name);

		if (is == NULL)
			return refuse(e, "dict/%s.json: is gone", was->name);
		for (size_t k = 0; k < was->n; k++)
			if (sat_dict_option(is, was->options[k].key,
			    strlen(was->options[k].key)) == NULL)
				return refuse(e, "dict/%s.json: option %s is gone",
				    was->name, was->options[k].key);
	}
	return rc;
}
