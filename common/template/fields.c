/*
 * fields/<kind>.json -> kinds and fields. Refused here is what the engine
 * could not work with; what is merely unwise is the lint's.
 */
#include "common/template/template_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct word {
	const char *text;
	int value;
} word;

static const word types[] = { { "text", SAT_F_TEXT }, { "int", SAT_F_INT },
	{ "money", SAT_F_MONEY }, { "bool", SAT_F_BOOL }, { "date", SAT_F_DATE },
	{ "time", SAT_F_TIME }, { "enum", SAT_F_ENUM }, { "tags", SAT_F_TAGS },
	{ "phone", SAT_F_PHONE }, { "email", SAT_F_EMAIL }, { "ref", SAT_F_REF },
	{ "user", SAT_F_USER },
	{ "files", SAT_F_TAGS }, { NULL, 0 } };
static const word policies[] = { { "lww", SAT_P_LWW },
	{ "review", SAT_P_REVIEW }, { "set", SAT_P_SET },
	{ "counter", SAT_P_COUNTER }, { "max", SAT_P_MAX }, { "min", SAT_P_MIN },
	{ "stage", SAT_P_STAGE }, { "owner", SAT_P_OWNER },
	{ "once", SAT_P_ONCE }, { "derived", SAT_P_DERIVED }, { NULL, 0 } };
static const word norms[] = { { "plain", SAT_NORM_PLAIN },
	{ "phone", SAT_NORM_PHONE }, { "name", SAT_NORM_NAME }, { NULL, 0 } };
static const word scopes[] = { { "root", SAT_SCOPE_ROOT },
	{ "child", SAT_SCOPE_CHILD }, { "owned", SAT_SCOPE_OWNED },
	{ "shared", SAT_SCOPE_SHARED }, { "team", SAT_SCOPE_TEAM },
	{ NULL, 0 } };

static int
one_of(walk *w, const sat_json *n, const char *key, const word *words,
    const char *dflt)
{
	const char *s = sat_walk_text(w, n, key, dflt == NULL);

	if (s == NULL)
		s = dflt;
	for (; s != NULL && words->text != NULL; words++)
		if (strcmp(words->text, s) == 0)
			return words->value;
	sat_walk_fault(w, "'%s' is not a known word", key);
	return 0;
}

/* "required_at": ["create"]. Stages may be named by packs; the lint warns. */
static bool
required_at_create(walk *w, sat_template *t, const sat_json *n)
{
	size_t count;
	const char *const *at = sat_walk_texts(w, n, "required_at", &t->arena, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(at[i], "create") == 0)
			return true;
		sat_walk_fault(w, "'required_at' knows only \"create\"");
	}
	return false;
}

static void
load_limits(walk *w, const sat_json *n, sat_field *f)
{
	const int64_t top = (int64_t)1 << 53;

	f->min_len = (size_t)sat_walk_int(w, n, "min_len", 0, 0, SAT_VALUE_MAX);
	f->max_len = (size_t)sat_walk_int(w, n, "max_len", 0, 0, SAT_VALUE_MAX);
	f->has_range = sat_json_get(n, "min") != NULL ||
	    sat_json_get(n, "max") != NULL;
	f->min = sat_walk_int(w, n, "min", INT64_MIN, -top, top);
	f->max = sat_walk_int(w, n, "max", INT64_MAX, -top, top);
	if (f->max_len != 0 && f->min_len > f->max_len)
		sat_walk_fault(w, "'min_len' is above 'max_len'");
	if (f->has_range && f->min > f->max)
		sat_walk_fault(w, "'min' is above 'max'");
}

/* Which policies can carry which types. */
static bool
type_fits(sat_policy p, sat_ftype t)
{
	switch (p) {
	case SAT_P_SET:
		return t == SAT_F_TAGS;
	case SAT_P_COUNTER:
		return t == SAT_F_INT || t == SAT_F_MONEY;
	case SAT_P_MAX:
	case SAT_P_MIN:
		return t == SAT_F_INT || t == SAT_F_MONEY || t == SAT_F_DATE ||
		    t == SAT_F_TIME;
	case SAT_P_STAGE:
		return t == SAT_F_ENUM;
	case SAT_P_OWNER:
		return t == SAT_F_USER;
	case SAT_P_DERIVED:
		return true;
	default:
		return t != SAT_F_TAGS;
	}
}

static void
bind_field(walk *w, const sat_json *n, sat_field *f)
{
	const char *options = sat_walk_text(w, n, "options", false);

	f->dict = options != NULL ?
	    sat_template_dict(w->t, options) : NULL;
	if (options != NULL && f->dict == NULL)
		sat_walk_fault(w, "unknown dictionary '%.40s'", options);
	if (f->type == SAT_F_ENUM && options == NULL)
		sat_walk_fault(w, "an enum needs 'options'");
	if (options != NULL && f->type != SAT_F_ENUM && f->type != SAT_F_TAGS)
		sat_walk_fault(w, "'options' fit only enum and tags");
	if (options != NULL && f->files)
		sat_walk_fault(w, "'options' do not fit files");
	if (f->pattern != NULL && !sat_template_has_pattern(w->t, f->pattern))
		sat_walk_fault(w, "unknown pattern '%.40s'", f->pattern);
	if ((f->type == SAT_F_REF) != (f->ref != NULL))
		sat_walk_fault(w, "'ref' goes with type ref");
	if (!type_fits(f->policy, f->type))
		sat_walk_fault(w, "policy and type do not fit");
	if (f->mask != NULL && strcmp(f->mask, "last4") != 0)
		sat_walk_fault(w, "'mask' knows only \"last4\"");
	if (f->dup_weight > 0 && f->type != SAT_F_TEXT &&
	    f->type != SAT_F_PHONE && f->type != SAT_F_EMAIL)
		sat_walk_fault(w, "a duplicate key must be a text, phone or email");
}

/* Columns the stores keep for themselves begin with '_'; sat_key_ok refuses it. */
static bool
reserved(const char *key)
{
	return strcmp(key, "id") == 0 || strcmp(key, "eid") == 0 ||
	    strcmp(key, "rowid") == 0 || strcmp(key, "kind") == 0 ||
	    strcmp(key, "deleted") == 0;
}

static void
load_field(walk *w, sat_template *t, const sat_json *n, sat_field *f)
{
	const char *level;

	sat_walk_members(w, n, "id key label type policy options ref required_at "
	    "required_when retired sensitivity data_class mask purpose search validate "
	    "min_len max_len min max not_future norm dup_weight default consent "
	    "retention_d note");
	f->id = (uint16_t)sat_walk_int(w, n, "id", 0, 1,
	    SAT_FIELD_USER_MAX);
	f->key = f->column = sat_walk_text(w, n, "key", true);
	sat_walk_label(w, n, "label", &f->zh, &f->en);
	f->type = (sat_ftype)one_of(w, n, "type", types, NULL);
	f->files = strcmp(sat_json_get_str(n, "type", ""), "files") == 0;
	f->policy = (sat_policy)one_of(w, n, "policy", policies,
	    f->files ? "set" : "lww");
	f->norm = (sat_norm_kind)one_of(w, n, "norm", norms, "plain");
	f->ref = sat_walk_text(w, n, "ref", false);
	f->required = required_at_create(w, t, n);
	f->required_when = sat_walk_text(w, n, "required_when", false);
	f->retired = sat_walk_bool(w, n, "retired");
	level = sat_walk_text(w, n, "sensitivity", false);
	f->pii = level != NULL && (strcmp(level, "pii") == 0 ||
	    strcmp(level, "sensitive") == 0);
	f->mask = sat_walk_text(w, n, "mask", false);
	f->purpose = sat_walk_text(w, n, "purpose", false);
	f->pattern = sat_walk_text(w, n, "validate", false);
	f->not_future = sat_walk_bool(w, n, "not_future");
	f->search = sat_walk_bool(w, n, "search");
	f->dup_weight = (int)sat_walk_int(w, n, "dup_weight", 0, 0, 100);
	f->dflt = sat_walk_text(w, n, "default", false);
	load_limits(w, n, f);
	if (w->rc == SAT_OK && f->id == 0)
		sat_walk_fault(w, "'id' is missing");
	if (w->rc == SAT_OK && (!sat_key_ok(f->key) || reserved(f->key)))
		sat_walk_fault(w, "'key' is not lower case, or reserved");
	if (w->rc == SAT_OK)
		bind_field(w, n, f);
}

/* The field a member of "kind" names; its type must fit. */
static const sat_field *
named_field(walk *w, const sat_json *n, const char *member, const sat_kind *k,
    int policy)
{
	const char *key = sat_walk_text(w, n, member, false);
	const sat_field *f;

	if (key == NULL || w->rc != SAT_OK)
		return NULL;
	f = sat_kind_field(k, key);
	if (f == NULL)
		sat_walk_fault(w, "'%s' names no field", member);
	else if (policy >= 0 && (int)f->policy != policy)
		sat_walk_fault(w, "the field of '%s' has another policy", member);
	return f;
}

/* Fields that have a column. */
static const char *const *
index_fields(walk *w, sat_template *t, const sat_json *n, const char *member,
    const sat_kind *k, size_t *count)
{
	const char *const *list = sat_walk_texts(w, n, member, &t->arena,
	    count);

	for (size_t i = 0; i < *count && w->rc == SAT_OK; i++) {
		const sat_field *f = sat_kind_field(k, list[i]);

		if (f == NULL || f->policy == SAT_P_DERIVED)
			sat_walk_fault(w, "'%s' names no stored field: "
			    "'%.40s'", member, list[i]);
	}
	return list;
}

static void
load_roles(walk *w, sat_template *t, const sat_json *n, sat_kind *k)
{
	k->parent = named_field(w, n, "parent", k, SAT_P_ONCE);
	k->owner = named_field(w, n, "owner", k, SAT_P_OWNER);
	k->stage = named_field(w, n, "stage", k, SAT_P_STAGE);
	k->title = named_field(w, n, "title", k, -1);
	k->number_prefix = sat_walk_text(w, n, "number_prefix", false);
	k->list = sat_walk_texts(w, n, "list", &t->arena, &k->nlist);
	k->covers = index_fields(w, t, n, "covers", k, &k->ncovers);
	k->sorted = index_fields(w, t, n, "sorted", k, &k->nsorted);
	if (w->rc != SAT_OK)
		return;
	for (size_t i = 0; i < k->nlist; i++)
		if (sat_kind_field(k, k->list[i]) == NULL)
			sat_walk_fault(w, "'list' names no field: '%.40s'",
			    k->list[i]);
	if (k->title == NULL)
		sat_walk_fault(w, "'title' is missing");
	if ((k->scope == SAT_SCOPE_ROOT || k->scope == SAT_SCOPE_SHARED ||
	    k->scope == SAT_SCOPE_TEAM) != (k->parent == NULL))
		sat_walk_fault(w, "a root, shared or team kind has no "
		    "'parent', every other kind one");
	if ((k->scope == SAT_SCOPE_CHILD || k->scope == SAT_SCOPE_SHARED) !=
	    (k->owner == NULL))
		sat_walk_fault(w, "a child or shared kind has no 'owner', "
		    "every other kind one");
	if (k->parent != NULL && k->parent->type != SAT_F_REF)
		sat_walk_fault(w, "'parent' must be a ref");
	if (k->number_prefix != NULL &&
	    (strlen(k->number_prefix) > 4 ||
	    strspn(k->number_prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
	    strlen(k->number_prefix)))
		sat_walk_fault(w, "'number_prefix' must be 1-4 capital letters");
}

static void
check_unique(walk *w, const sat_kind *k)
{
	for (size_t i = 0; i < k->nfields && w->rc == SAT_OK; i++)
		for (size_t j = 0; j < i; j++)
			if (k->fields[i].id == k->fields[j].id ||
			    strcmp(k->fields[i].key, k->fields[j].key) == 0) {
				sat_walk_fault(w, "fields[%zu]: id or key used "
				    "before", i);
				break;
			}
}

static void
number_fields(sat_template *t, sat_kind *k)
{
	uint16_t *at;

	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].id >= k->nfield_at)
			k->nfield_at = k->fields[i].id + 1u;
	at = sat_arena_alloc(&t->arena, (k->nfield_at + 1) * sizeof *at);
	memset(at, 0, (k->nfield_at + 1) * sizeof *at);
	for (size_t i = k->nfields; i-- > 0;) /* the first one counts */
		at[k->fields[i].id] = (uint16_t)(i + 1);
	k->field_at = at;
}

static void
load_kind(walk *w, sat_template *t, sat_kind *k)
{
	const sat_json *root = sat_template_doc(t, w->path), *n, *list, *head;
	sat_field *fields;
	size_t count, mark;
	char want[80];

	sat_walk_members(w, root, "kind fields note");
	head = sat_json_get(root, "kind");
	mark = sat_walk_enter(w, "kind", SIZE_MAX);
	sat_walk_members(w, head, "id key plural label scope append_only parent owner covers sorted "
	    "stage title number_prefix list module note");
	k->id = (uint16_t)sat_walk_int(w, head, "id", 0, 1, 255);
	k->key = sat_walk_text(w, head, "key", true);
	k->plural = sat_walk_text(w, head, "plural", true);
	sat_walk_label(w, head, "label", &k->zh, &k->en);
	k->scope = (sat_scope_class)one_of(w, head, "scope", scopes, NULL);
	k->append_only = sat_walk_bool(w, head, "append_only");
	k->module = sat_walk_text(w, head, "module", false);
	k->off = k->module != NULL && !sat_json_get_bool(sat_json_get(
	    sat_template_doc(t, "template.json"), "modules"), k->module, true);
	if (w->rc == SAT_OK && (k->id == 0 || !sat_key_ok(k->key) ||
	    !sat_key_ok(k->plural)))
		sat_walk_fault(w, "'id' missing, or a key not lower case");
	if (w->rc == SAT_OK &&
	    (snprintf(want, sizeof want, "fields/%s.json", k->key) < 0 ||
	    strcmp(want, w->path) != 0))
		sat_walk_fault(w, "'key' must be the file's name");
	sat_walk_leave(w, mark);
	list = sat_walk_array(w, root, "fields", SAT_FIELDS_MAX, &count);
	fields = sat_arena_alloc(&t->arena, (count + 1) * sizeof *fields);
	memset(fields, 0, (count + 1) * sizeof *fields);
	k->fields = fields;
	for (n = sat_json_first(list); n != NULL && w->rc == SAT_OK;
	    n = sat_json_next(n)) {
		mark = sat_walk_enter(w, "fields", k->nfields);
		load_field(w, t, n, &fields[k->nfields++]);
		sat_walk_leave(w, mark);
	}
	if (w->rc != SAT_OK)
		return;
	check_unique(w, k);
	number_fields(t, k);
	mark = sat_walk_enter(w, "kind", SIZE_MAX);
	load_roles(w, t, head, k);
	sat_walk_leave(w, mark);
}

/* "status=lost": a field of the kind, and a value it can have. */
static void
check_when(walk *w, const sat_kind *k, const sat_field *f)
{
	const char *eq = f->required_when != NULL ?
	    strchr(f->required_when, '=') : NULL;
	const sat_field *other = NULL;
	char key[TEMPLATE_KEY_MAX + 1];
	size_t n;

	if (f->required_when == NULL)
		return;
	n = eq != NULL ? (size_t)(eq - f->required_when) : 0;
	if (n > 0 && n <= TEMPLATE_KEY_MAX) {
		memcpy(key, f->required_when, n);
		key[n] = '\0';
		other = sat_kind_field(k, key);
	}
	if (other == NULL || (other->type != SAT_F_ENUM &&
	    other->type != SAT_F_BOOL))
		sat_walk_fault(w, "'required_when' must be FIELD=VALUE of an enum "
		    "or a bool");
	else if (other->dict != NULL &&
	    sat_dict_option(other->dict, eq + 1, strlen(eq + 1)) == NULL)
		sat_walk_fault(w, "'required_when' names an unknown option");
	else if (other->type == SAT_F_BOOL && strcmp(eq + 1, "true") != 0 &&
	    strcmp(eq + 1, "false") != 0)
		sat_walk_fault(w, "'required_when' of a bool is true or false");
}

/* What needs all kinds: references, uniqueness between kinds. */
static void
check_kind(walk *w, const sat_template *t, size_t at)
{
	const sat_kind *k = &t->kinds[at], *root;

	for (size_t i = 0; i < at; i++)
		if (t->kinds[i].id == k->id ||
		    strcmp(t->kinds[i].plural, k->plural) == 0 ||
		    strcmp(t->kinds[i].plural, k->key) == 0 ||
		    strcmp(t->kinds[i].key, k->plural) == 0)
			sat_walk_fault(w, "kind: id or plural used before");
	for (size_t i = 0; i < k->nfields && w->rc == SAT_OK; i++) {
		size_t mark = sat_walk_enter(w, "fields", i);
		const sat_field *f = &k->fields[i];

		if (f->ref != NULL && sat_template_kind(t, f->ref) == NULL)
			sat_walk_fault(w, "unknown kind '%.40s'", f->ref);
		check_when(w, k, f);
		sat_walk_leave(w, mark);
	}
	if (w->rc != SAT_OK || k->parent == NULL)
		return;
	root = sat_template_kind(t, k->parent->ref);
	if (root->scope != SAT_SCOPE_ROOT)
		sat_walk_fault(w, "kind.parent: must point to a root kind");
}

/* "modules": {"showroom": false}: every name is of some kind. */
static sat_rc
check_modules(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = "template.json", .e = e };
	const sat_json *list = sat_json_get(sat_template_doc(t, w.path),
	    "modules");

	for (const sat_json *x = sat_json_first(list); x != NULL &&
	     w.rc == SAT_OK; x = sat_json_next(x)) {
		bool known = false;

		(void)sat_walk_bool(&w, list, sat_json_key(x));
		for (size_t i = 0; i < t->nkinds; i++)
			known = known || (t->kinds[i].module != NULL && strcmp(
			    t->kinds[i].module, sat_json_key(x)) == 0);
		if (w.rc == SAT_OK && !known)
			sat_walk_fault(&w, "'modules': no kind is of '%.40s'",
			    sat_json_key(x));
	}
	return w.rc;
}

static void
number_kinds(sat_template *t)
{
	uint16_t *at;

	for (size_t i = 0; i < t->nkinds; i++)
		if (t->kinds[i].id >= t->nkind_at)
			t->nkind_at = t->kinds[i].id + 1u;
	at = sat_arena_alloc(&t->arena, (t->nkind_at + 1) * sizeof *at);
	memset(at, 0, (t->nkind_at + 1) * sizeof *at);
	for (size_t i = t->nkinds; i-- > 0;)
		at[t->kinds[i].id] = (uint16_t)(i + 1);
	t->kind_at = at;
}

sat_rc
sat_template_load_kinds(sat_template *t, sat_err *e)
{
	const char *path;
	size_t n = 0;

	while (sat_template_path(t, "fields/", n) != NULL)
		n++;
	if (n > SAT_KINDS_MAX || n == 0)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "fields: 1 to %d kinds needed", SAT_KINDS_MAX);
	t->kinds = sat_arena_alloc(&t->arena, n * sizeof *t->kinds);
	memset(t->kinds, 0, n * sizeof *t->kinds);
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			walk w = { .t = t, .e = e };

			path = sat_template_path(t, "fields/", i);
			w.path = path;
			if (pass == 0)
				load_kind(&w, t, &t->kinds[t->nkinds++]);
			else
				check_kind(&w, t, i);
			if (w.rc != SAT_OK)
				return w.rc;
		}
	number_kinds(t);
	return check_modules(t, e);
}
