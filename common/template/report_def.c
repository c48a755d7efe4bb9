/*
 * reports/<key>.json -> sat_report_def: every field, option and role is looked
 * up here, so that the executor cannot meet an unknown name at month end.
 * The format: docs/templates.md, "Reports".
 */
#include "common/template/report_def_int.h"

#include <stdio.h>
#include <string.h>

/* ---- dimensions ------------------------------------------------------------ */

static void
load_dim(bind *b, const sat_json *n, sat_report_dim *d)
{
	const char *other = sat_walk_text(&b->w, n, "else", false);

	sat_walk_members(&b->w, n, "field else label top as_of note");
	d->key = sat_walk_text(&b->w, n, "field", true);
	d->path = sat_bind_path(b, d->key);
	d->top = sat_walk_bool(&b->w, n, "top");
	d->as_of = sat_walk_bool(&b->w, n, "as_of");
	d->has_other = other != NULL;
	d->other = sat_bind_path(b, other);
	if (b->w.rc != SAT_OK)
		return;
	if (d->path.let != NULL) {
		sat_walk_fault(&b->w, "a computed value cannot be a dimension");
	} else if (d->path.team) {
		d->zh = "团队";
		d->en = "Team";
	} else if (d->path.field->mask != NULL) {
		sat_walk_fault(&b->w, "%s is masked", d->path.field->key);
	} else {
		d->zh = d->path.field->zh;
		d->en = d->path.field->en;
		d->dict = d->path.field->dict;
		if (d->path.field->type == SAT_F_TAGS)
			sat_walk_fault(&b->w, "a set cannot be a dimension");
	}
	if (sat_json_get(n, "label") != NULL)
		sat_walk_label(&b->w, n, "label", &d->zh, &d->en);
	if (d->top && d->dict == NULL)
		sat_walk_fault(&b->w, "'top' needs a field with options");
	if (d->as_of && (b->kind->stage == NULL ||
	    d->path.field != b->kind->stage || d->path.via != NULL))
		sat_walk_fault(&b->w, "'as_of' is for the kind's own stage");
}

static size_t
load_dims(bind *b, const sat_json *root, sat_report_source *s)
{
	const sat_json *list, *n;
	size_t count, i = 0;

	list = sat_walk_array(&b->w, root, "dims", SAT_REPORT_DIMS_MAX, &count);
	for (n = sat_json_first(list); n != NULL && b->w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		size_t mark = sat_walk_enter(&b->w, "dims", i);

		load_dim(b, n, &s->dims[i++]);
		sat_walk_leave(&b->w, mark);
	}
	return count;
}

/* ---- sources ----------------------------------------------------------------- */

/* What is scanned: kind, values, conditions, dims; for the report itself and
 * for each of "sources". */
static size_t
load_source(bind *b, const sat_json *n, sat_report_source *s)
{
	const char *kind = sat_walk_text(&b->w, n, "kind", true);

	if (b->w.rc != SAT_OK || (s->kind = sat_bind_kind(b, kind)) == NULL)
		return 0;
	b->kind = s->kind;
	b->source = s;
	sat_bind_lets(b, n, s);
	s->where = sat_bind_where(b, n, "where", &s->nwhere);
	return load_dims(b, n, s);
}

static void
load_sources(bind *b, const sat_json *root, sat_report_def *def)
{
	const sat_json *n;
	size_t count, mark, ndims;

	n = sat_walk_array(&b->w, root, "sources", SAT_REPORT_SOURCES_MAX - 1,
	    &count);
	for (n = sat_json_first(n); n != NULL && b->w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		sat_report_source *s = &def->sources[def->nsources];

		mark = sat_walk_enter(&b->w, "sources", def->nsources - 1);
		sat_walk_members(&b->w, n, "key kind let where dims note");
		s->key = sat_walk_text(&b->w, n, "key", true);
		for (size_t i = 1; s->key != NULL && i < def->nsources; i++)
			if (strcmp(def->sources[i].key, s->key) == 0)
				sat_walk_fault(&b->w, "key used twice");
		ndims = load_source(b, n, s);
		if (b->w.rc == SAT_OK && ndims != def->ndims)
			sat_walk_fault(&b->w, "as many dims as the report are "
			    "needed");
		def->nsources++;
		sat_walk_leave(&b->w, mark);
	}
}

/* ---- the document ------------------------------------------------------------ */

static void
load_schedule(bind *b, const sat_json *root, sat_report_def *def)
{
	static const char *const known[] = { "day", "iso_week", "month",
		"quarter", "year" };

	def->schedule = sat_walk_texts(&b->w, root, "schedule", b->a,
	    &def->nschedule);
	for (size_t i = 0; i < def->nschedule && b->w.rc == SAT_OK; i++) {
		size_t k = 0;

		while (k < 5 && strcmp(known[k], def->schedule[i]) != 0)
			k++;
		if (k == 5)
			sat_walk_fault(&b->w, "'schedule' lists day, iso_week, "
			    "month, quarter, year");
	}
}

static void
load_order(bind *b, const sat_json *root, sat_report_def *def)
{
	static const char *const compares[] = { "none", "prev", "yoy" };
	const char *sort = sat_walk_text(&b->w, root, "sort", false);
	const char *empty = sat_walk_text(&b->w, root, "empty", false);
	const char *compare = sat_walk_text(&b->w, root, "compare", false);
	size_t c = 0;

	def->sort = -1;
	for (size_t i = 0; sort != NULL && i < def->nmeasures; i++)
		if (strcmp(def->measures[i].key, sort) == 0)
			def->sort = (int)i;
	if (sort != NULL && def->sort < 0)
		sat_walk_fault(&b->w, "'sort' names no measure");
	def->rank = sat_walk_bool(&b->w, root, "rank");
	if (def->rank && def->sort < 0)
		sat_walk_fault(&b->w, "'rank' needs 'sort'");
	if (empty != NULL && strcmp(empty, "drop") != 0 &&
	    strcmp(empty, "keep") != 0)
		sat_walk_fault(&b->w, "'empty' is keep or drop");
	def->drop_empty = empty != NULL && strcmp(empty, "drop") == 0;
	while (compare != NULL && c < 3 && strcmp(compare, compares[c]) != 0)
		c++;
	if (c == 3)
		sat_walk_fault(&b->w, "'compare' is none, prev or yoy");
	def->compare = (sat_report_compare)c;
	def->roles = sat_walk_texts(&b->w, root, "roles", b->a, &def->nroles);
	load_schedule(b, root, def);
}

/* {"where": [...], "columns": ["number", ...]}: records named one by one. */
static void
load_list(bind *b, const sat_json *root, sat_report_def *def)
{
	const sat_json *n = sat_json_get(root, "list");
	const char *const *columns;
	size_t mark;

	if (n == NULL || b->w.rc != SAT_OK)
		return;
	mark = sat_walk_enter(&b->w, "list", SIZE_MAX);
	sat_walk_members(&b->w, n, "where columns note");
	b->source = &def->sources[0];
	b->kind = def->kind;
	def->has_list = true;
	def->list_where = sat_bind_where(b, n, "where", &def->nlist_where);
	columns = sat_walk_texts(&b->w, n, "columns", b->a, &def->nlist);
	if (b->w.rc == SAT_OK && (def->nlist == 0 ||
	    def->nlist > SAT_REPORT_LIST_MAX))
		sat_walk_fault(&b->w, "'columns' names 1 to %d values",
		    SAT_REPORT_LIST_MAX);
	for (size_t i = 0; i < def->nlist && b->w.rc == SAT_OK; i++) {
		def->list_keys[i] = columns[i];
		def->list[i] = sat_bind_path(b, columns[i]);
		/* who may see the end of a phone only must not read it here */
		if (b->w.rc == SAT_OK && def->list[i].field != NULL &&
		    def->list[i].field->mask != NULL)
			sat_walk_fault(&b->w, "%s is masked", columns[i]);
	}
	sat_walk_leave(&b->w, mark);
}

static void
load_def(bind *b, const char *key, sat_report_def *def)
{
	const sat_json *root = sat_template_doc(b->w.t, b->w.path);

	sat_walk_members(&b->w, root, "key title kind let where measures dims sort "
	    "rank empty roles note sources constants compare list schedule");
	def->key = sat_walk_text(&b->w, root, "key", true);
	sat_walk_label(&b->w, root, "title", &def->zh, &def->en);
	if (b->w.rc == SAT_OK && strcmp(def->key, key) != 0)
		sat_walk_fault(&b->w, "'key' must be the file's name");
	b->constants = sat_json_get(root, "constants");
	def->nsources = 1;
	def->dims = def->sources[0].dims;
	def->ndims = load_source(b, root, &def->sources[0]);
	def->kind = def->sources[0].kind;
	load_sources(b, root, def);
	if (b->w.rc == SAT_OK)
		sat_bind_measures(b, root);
	if (b->w.rc == SAT_OK)
		load_order(b, root, def);
	load_list(b, root, def);
}

sat_rc
sat_report_def_load(const sat_template *t, const char *key,
    sat_report_def *def, sat_err *e)
{
	bind b = { .w = { .t = t, .e = e }, .a = &def->arena, .def = def };
	char path[128];
	int n = snprintf(path, sizeof path, "reports/%s.json", key);

	memset(def, 0, sizeof *def);
	if (n < 0 || (size_t)n >= sizeof path ||
	    sat_template_doc(t, path) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel report list", "no such report");
	b.w.path = path;
	load_def(&b, key, def);
	if (b.w.rc != SAT_OK)
		sat_report_def_fini(def);
	return b.w.rc;
}

void
sat_report_def_fini(sat_report_def *def)
{
	sat_arena_fini(&def->arena);
	memset(def, 0, sizeof *def);
}

const char *
sat_report_key(const sat_template *t, size_t i)
{
	return i < t->nreports ? t->report_keys[i] : NULL;
}

sat_value
sat_report_top(const sat_dict *d, sat_value v)
{
	const sat_option *o;

	if (d == NULL || v.type != SAT_V_TEXT)
		return v;
	o = sat_dict_option(d, (const char *)v.s.p, v.s.n);
	while (o != NULL && o->parent != NULL) {
		v = sat_v_text(sat_span_str(o->parent));
		o = sat_dict_option(d, o->parent, strlen(o->parent));
	}
	return v;
}
