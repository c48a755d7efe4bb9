/*
 * The mapping document: which column becomes which field. Every name in it is
 * looked up before the first row is read, so that a wrong word is one message
 * and not 8,800 error rows. Format: docs/import.md.
 */
#include "client/crm/import_int.h"

#include <string.h>
#include <strings.h>

typedef struct reader {
	imp_map *m;
	const sat_template *t;
	const struct sat_sheet *sheet;
	sat_err *e;
} reader;

/* ---- small things ---------------------------------------------------------- */

static size_t
blank(const uint8_t *p, size_t n)
{
	if (n >= 1 && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		return 1;
	if (n >= 2 && p[0] == 0xC2 && p[1] == 0xA0) /* no-break space */
		return 2;
	if (n >= 3 && p[0] == 0xE3 && p[1] == 0x80 && p[2] == 0x80)
		return 3; /* ideographic space */
	return 0;
}

sat_span
imp_trim(sat_span s)
{
	size_t k;

	while ((k = blank(s.p, s.n)) > 0)
		s = sat_span_of(s.p + k, s.n - k);
	for (;;) {
		if (s.n >= 1 && blank(s.p + s.n - 1, 1) == 1)
			s.n--;
		else if (s.n >= 2 && blank(s.p + s.n - 2, 2) == 2)
			s.n -= 2;
		else if (s.n >= 3 && blank(s.p + s.n - 3, 3) == 3)
			s.n -= 3;
		else
			return s;
	}
}

bool
imp_cond_holds(const imp_cond *c, sat_span text)
{
	for (size_t i = 0; i < c->n; i++)
		if (sat_span_eq(sat_span_str(c->texts[i]), text))
			return true;
	return false;
}

const imp_value *
imp_value_of(const imp_column *c, sat_span text)
{
	if (text.n == 0)
		return c->empty;
	for (size_t i = 0; i < c->nvalues; i++)
		if (sat_span_eq(c->values[i].from, text))
			return &c->values[i];
	return c->any;
}

static sat_rc
fault(const reader *r, const char *what, const char *name)
{
	return sat_fail_code(r->e, SAT_EINVALID, "import.map",
	    "docs/import.md describes the mapping document",
	    "mapping: %s '%.80s'", what, name != NULL ? name : "");
}

static sat_rc
members(const reader *r, const sat_json *n, const char *known)
{
	const sat_json *m;
	const char *at;
	size_t len;

	if (sat_json_type(n) != SAT_J_OBJ)
		return fault(r, "an object is expected, one of", known);
	for (m = sat_json_first(n); m != NULL; m = sat_json_next(m)) {
		len = strlen(sat_json_key(m));
		for (at = known; (at = strstr(at, sat_json_key(m))) != NULL;
		    at += len)
			if ((at == known || at[-1] == ' ') &&
			    (at[len] == ' ' || at[len] == '\0'))
				break;
		if (at == NULL || len == 0)
			return fault(r, "unknown member", sat_json_key(m));
	}
	return SAT_OK;
}

/* A string of the document, kept for as long as the map. */
static const char *
keep(const reader *r, const char *s)
{
	return s != NULL ? sat_arena_str(&r->m->a, s, strlen(s)) : NULL;
}

static size_t
column_named(const reader *r, const char *name)
{
	for (size_t i = 0; i < r->m->ncolumns; i++)
		if (strcmp(r->m->columns[i].name, name) == 0)
			return i;
	return IMP_NONE;
}

static sat_rc
field_named(const sat_field **f, const reader *r, const char *key)
{
	*f = key != NULL ? sat_kind_field(r->m->kind, key) : NULL;
	if (*f == NULL)
		return fault(r, "the kind has no field", key);
	return SAT_OK;
}

static sat_rc
texts_of(const char ***out, size_t *n, const reader *r, const sat_json *list)
{
	const sat_json *m;

	*n = 0;
	if (sat_json_type(list) != SAT_J_ARR)
		return fault(r, "a list of texts is expected", sat_json_key(list));
	*out = sat_arena_alloc(&r->m->a,
	    (sat_json_count(list) + 1) * sizeof **out);
	for (m = sat_json_first(list); m != NULL; m = sat_json_next(m)) {
		if (sat_json_type(m) != SAT_J_STR)
			return fault(r, "only texts are allowed in",
			    sat_json_key(list));
		(*out)[(*n)++] = keep(r, sat_json_str(m, ""));
	}
	return SAT_OK;
}

/* {"column": ["text", ...], ...}; of this sheet when `here`. */
static sat_rc
conds_of(imp_cond **out, size_t *n, const reader *r, const sat_json *obj,
    bool here)
{
	const sat_json *m;
	sat_rc rc;

	*n = 0;
	*out = NULL;
	if (obj == NULL)
		return SAT_OK;
	if (sat_json_type(obj) != SAT_J_OBJ)
		return fault(r, "columns with lists are expected in",
		    sat_json_key(obj));
	*out = sat_arena_alloc(&r->m->a,
	    (sat_json_count(obj) + 1) * sizeof **out);
	for (m = sat_json_first(obj); m != NULL; m = sat_json_next(m)) {
		imp_cond *c = &(*out)[(*n)++];

		c->name = keep(r, sat_json_key(m));
		c->column = here ? column_named(r, c->name) : IMP_NONE;
		if (here && c->column == IMP_NONE)
			return fault(r, "the sheet has no column", c->name);
		if ((rc = texts_of(&c->texts, &c->n, r, m)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- columns ------------------------------------------------------------------ */

static sat_rc
read_values(imp_column *c, const reader *r, const sat_json *obj)
{
	const sat_json *m;

	if (obj == NULL)
		return SAT_OK;
	if (sat_json_type(obj) != SAT_J_OBJ)
		return fault(r, "values must map text to text in", c->name);
	c->values = sat_arena_alloc(&r->m->a,
	    (sat_json_count(obj) + 1) * sizeof *c->values);
	for (m = sat_json_first(obj); m != NULL; m = sat_json_next(m)) {
		imp_value *v = &c->values[c->nvalues++];
		const char *to = sat_json_str(m, NULL);

		if (to == NULL)
			return fault(r, "values must map text to text in",
			    c->name);
		v->from = sat_span_str(keep(r, sat_json_key(m)));
		v->to = sat_span_str(keep(r, to));
		if (v->from.n == 0)
			c->empty = v;
		else if (sat_span_eq(v->from, sat_span_str("*")))
			c->any = v;
	}
	return SAT_OK;
}

static sat_rc
read_lookup(imp_column *c, const reader *r, const sat_json *n)
{
	const char *key = sat_json_get_str(n, "lookup", NULL);
	const char *missing = sat_json_get_str(n, "missing", "error");
	const char *unit = sat_json_get_str(n, "unit", "yuan");
	const sat_kind *k;

	if (key != NULL) {
		k = c->field != NULL && c->field->type == SAT_F_REF ?
		    sat_template_kind(r->t, c->field->ref) : NULL;
		c->lookup = k != NULL ? sat_kind_field(k, key) : NULL;
		if (c->lookup == NULL || !imp_may_be_key(c->lookup))
			return fault(r, "lookup must name a duplicate key of "
			    "the kind referred to, in", c->name);
	}
	c->missing_empty = strcmp(missing, "empty") == 0;
	if (!c->missing_empty && strcmp(missing, "error") != 0)
		return fault(r, "missing is error or empty in", c->name);
	c->fen = strcmp(unit, "fen") == 0;
	if ((!c->fen && strcmp(unit, "yuan") != 0) || (c->fen &&
	    (c->field == NULL || c->field->type != SAT_F_MONEY)))
		return fault(r, "unit is yuan or fen, of money, in", c->name);
	return SAT_OK;
}

static sat_rc
read_column(imp_column *c, const reader *r, const sat_json *n)
{
	const char *key = sat_json_get_str(n, "field", NULL);
	sat_rc rc;

	if (sat_json_type(n) == SAT_J_NULL)
		return SAT_OK; /* ignored */
	if ((rc = members(r, n, "field values lookup missing unit note")) !=
	    SAT_OK)
		return rc;
	c->use = IMP_PLAIN;
	if (key != NULL) {
		c->use = IMP_FIELD;
		if ((rc = field_named(&c->field, r, key)) != SAT_OK)
			return rc;
	}
	if ((rc = read_values(c, r, sat_json_get(n, "values"))) != SAT_OK)
		return rc;
	return read_lookup(c, r, n);
}

static sat_rc
read_columns(const reader *r, const sat_json *obj)
{
	const sat_json *m;
	size_t at;
	sat_rc rc;

	if (sat_json_type(obj) != SAT_J_OBJ)
		return fault(r, "a member is missing:", "columns");
	for (size_t i = 0; i < r->m->ncolumns; i++) {
		for (m = sat_json_first(obj); m != NULL; m = sat_json_next(m))
			if (strcmp(sat_json_key(m), r->m->columns[i].name) == 0)
				break;
		if (m == NULL && !imp_is_mark(r->m, i))
			return sat_fail_code(r->e, SAT_EINVALID,
			    "import.column", "name it in the mapping; null "
			    "ignores it", "the mapping does not know the "
			    "column '%.80s'", r->m->columns[i].name);
	}
	for (m = sat_json_first(obj); m != NULL; m = sat_json_next(m)) {
		if ((at = column_named(r, sat_json_key(m))) == IMP_NONE)
			return sat_fail_code(r->e, SAT_EINVALID,
			    "import.column", NULL, "the sheet has no column "
			    "'%.80s'", sat_json_key(m));
		if ((rc = read_column(&r->m->columns[at], r, m)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- set ------------------------------------------------------------------------ */

static sat_rc
read_pieces(imp_set *s, const reader *r, const char *text)
{
	size_t max = strlen(text) + 1;

	s->pieces = sat_arena_alloc(&r->m->a, max * sizeof *s->pieces);
	while (*text != '\0') {
		imp_piece *p = &s->pieces[s->npieces++];
		const char *end = text + strcspn(text, "{");

		p->column = IMP_NONE;
		if (end == text) {
			const char *name;

			end = strchr(text, '}');
			if (end == NULL)
				return fault(r, "a { without } in", text);
			name = sat_arena_str(&r->m->a, text + 1,
			    (size_t)(end - text - 1));
			if ((p->column = column_named(r, name)) == IMP_NONE)
				return fault(r, "the sheet has no column",
				    name);
			end++;
		}
		p->text = sat_span_of(text, (size_t)(end - text));
		text = end;
	}
	return SAT_OK;
}

static sat_rc
read_sets(const reader *r, const sat_json *list)
{
	const sat_json *m;
	const char *text;
	sat_rc rc;

	if (list == NULL)
		return SAT_OK;
	if (sat_json_type(list) != SAT_J_ARR ||
	    sat_json_count(list) > IMP_LIST_MAX)
		return fault(r, "a list is expected:", "set");
	r->m->sets = sat_arena_alloc(&r->m->a,
	    (sat_json_count(list) + 1) * sizeof *r->m->sets);
	for (m = sat_json_first(list); m != NULL; m = sat_json_next(m)) {
		imp_set *s = &r->m->sets[r->m->nsets++];

		memset(s, 0, sizeof *s);
		text = sat_json_get_str(m, "text", NULL);
		if ((rc = members(r, m, "field text when note")) != SAT_OK ||
		    (rc = field_named(&s->field, r,
		    sat_json_get_str(m, "field", NULL))) != SAT_OK)
			return rc;
		if (text == NULL)
			return fault(r, "set needs a text for", s->field->key);
		if ((rc = read_pieces(s, r, keep(r, text))) != SAT_OK ||
		    (rc = conds_of(&s->when, &s->nwhen, r,
		    sat_json_get(m, "when"), true)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- derive ---------------------------------------------------------------------- */

static sat_rc
read_match(imp_derive *d, const reader *r, const sat_json *obj)
{
	const sat_json *m;

	if (sat_json_type(obj) != SAT_J_OBJ || sat_json_count(obj) == 0 ||
	    sat_json_count(obj) > IMP_MATCH_MAX)
		return fault(r, "derive needs match, 1 to 4 columns, for",
		    d->field->key);
	for (m = sat_json_first(obj); m != NULL; m = sat_json_next(m)) {
		size_t at = column_named(r, sat_json_key(m));
		const char *there = sat_json_str(m, NULL);

		if (at == IMP_NONE || there == NULL)
			return fault(r, "the sheet has no column",
			    sat_json_key(m));
		d->match[d->nmatch] = at;
		d->theirs[d->nmatch++] = keep(r, there);
	}
	return SAT_OK;
}

static sat_rc
read_derives(const reader *r, const sat_json *list)
{
	const sat_json *m;
	sat_rc rc;

	if (list == NULL)
		return SAT_OK;
	if (sat_json_type(list) != SAT_J_ARR ||
	    sat_json_count(list) > IMP_LIST_MAX)
		return fault(r, "a list is expected:", "derive");
	r->m->derives = sat_arena_alloc(&r->m->a,
	    (sat_json_count(list) + 1) * sizeof *r->m->derives);
	for (m = sat_json_first(list); m != NULL; m = sat_json_next(m)) {
		imp_derive *d = &r->m->derives[r->m->nderives++];

		memset(d, 0, sizeof *d);
		if ((rc = members(r, m, "field file match pick sum where "
		    "note")) != SAT_OK || (rc = field_named(&d->field, r,
		    sat_json_get_str(m, "field", NULL))) != SAT_OK)
			return rc;
		d->file = keep(r, sat_json_get_str(m, "file", NULL));
		d->pick = keep(r, sat_json_get_str(m, "pick", NULL));
		d->sum = keep(r, sat_json_get_str(m, "sum", NULL));
		if (d->file == NULL || d->pick == NULL)
			return fault(r, "derive needs file and pick for",
			    d->field->key);
		if ((rc = read_match(d, r, sat_json_get(m, "match"))) !=
		    SAT_OK || (rc = conds_of(&d->where, &d->nwhere, r,
		    sat_json_get(m, "where"), false)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* ---- without a document ------------------------------------------------------------ */

static bool
same_label(const char *a, const char *b)
{
	sat_buf x = { 0 }, y = { 0 };
	bool same;

	sat_norm_width(&x, imp_trim(sat_span_str(a)));
	sat_norm_width(&y, sat_span_str(b));
	same = strcasecmp(sat_buf_cstr(&x), sat_buf_cstr(&y)) == 0;
	sat_buf_fini(&x);
	sat_buf_fini(&y);
	return same;
}

/* Columns that our own files have besides the fields. */
static bool
is_ours(const char *name, imp_use *use)
{
	static const char *const ignored[] = { "created", "line", "reason",
		"import_line", "import_reason" };

	*use = IMP_ID;
	if (strcmp(name, "id") == 0)
		return true;
	*use = IMP_IGNORED;
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		if (strcmp(name, ignored[i]) == 0)
			return true;
	return false;
}

/* As much of a name as the text of an error takes: whole characters. */
static sat_rc
unknown_column(const reader *r, const char *name)
{
	char cut[84] = "";
	size_t n = strlen(name);

	if (n > 80)
		for (n = 80; n > 0 && ((uint8_t)name[n] & 0xc0) == 0x80;)
			n--;
	memcpy(cut, name, n);
	return sat_fail_code(r->e, SAT_EINVALID, "import.column",
	    "rename the column, or use a mapping document",
	    "no field of %s is called '%s'", r->m->kind->key, cut);
}

static sat_rc
columns_by_name(const reader *r)
{
	for (size_t i = 0; i < r->m->ncolumns; i++) {
		imp_column *c = &r->m->columns[i];

		c->field = sat_kind_field(r->m->kind, c->name);
		if (c->field == NULL && is_ours(c->name, &c->use))
			continue; /* "created" is not the label "Created" */
		c->use = IMP_FIELD;
		for (size_t k = 0; c->field == NULL &&
		    k < r->m->kind->nfields; k++) {
			const sat_field *f = &r->m->kind->fields[k];

			if (same_label(c->name, f->key) ||
			    same_label(c->name, f->zh) ||
			    same_label(c->name, f->en))
				c->field = f;
		}
		if (c->field == NULL)
			return unknown_column(r, c->name);
	}
	return SAT_OK;
}

/* ---- the document -------------------------------------------------------------------- */

static sat_rc
choose_kind(const reader *r, const sat_import_opts *o)
{
	const char *in_map = sat_json_get_str(o->map, "kind", NULL);
	const sat_kind *asked = o->kind != NULL ?
	    sat_template_kind(r->t, o->kind) : NULL;
	const sat_kind *k = in_map != NULL ?
	    sat_template_kind(r->t, in_map) : asked;

	if (o->kind != NULL && asked == NULL)
		return sat_fail(r->e, SAT_ENOTFOUND, "there is no kind \"%s\"",
		    o->kind);
	if (k == NULL)
		return sat_fail_code(r->e, SAT_EUSAGE, "import.kind",
		    "for example --type account", "name the kind to import");
	if (o->kind != NULL && asked != k)
		return sat_fail_code(r->e, SAT_EINVALID, "import.kind", NULL,
		    "the mapping is for another kind");
	r->m->kind = k;
	return SAT_OK;
}

static sat_rc
read_document(const reader *r, const sat_json *map)
{
	const char *schema = sat_json_get_str(map, "schema", NULL);
	const char *key = sat_json_get_str(map, "key", NULL);
	sat_rc rc;

	if ((rc = members(r, map, "schema kind key columns set derive "
	    "note")) != SAT_OK)
		return rc;
	if (schema != NULL && strcmp(schema, "satchel/import-map/1") != 0)
		return fault(r, "unknown schema", schema);
	if (key != NULL) {
		if ((rc = field_named(&r->m->key, r, key)) != SAT_OK)
			return rc;
		if (!imp_may_be_key(r->m->key))
			return fault(r, "records cannot be found by", key);
	}
	if ((rc = read_columns(r, sat_json_get(map, "columns"))) != SAT_OK ||
	    (rc = read_sets(r, sat_json_get(map, "set"))) != SAT_OK)
		return rc;
	return read_derives(r, sat_json_get(map, "derive"));
}

sat_rc
imp_map_read(imp_map *m, const sat_template *t, const sat_import_opts *o,
    sat_err *e)
{
	reader r = { m, t, o->sheet, e };
	sat_json *calls;
	sat_rc rc;

	memset(m, 0, sizeof *m);
	if ((rc = choose_kind(&r, o)) != SAT_OK)
		return rc;
	m->ncolumns = sat_sheet_columns(o->sheet);
	m->columns = sat_arena_alloc(&m->a,
	    (m->ncolumns + 1) * sizeof *m->columns);
	memset(m->columns, 0, (m->ncolumns + 1) * sizeof *m->columns);
	for (size_t i = 0; i < m->ncolumns; i++)
		m->columns[i].name = sat_sheet_column(o->sheet, i);
	if (o->map != NULL)
		return read_document(&r, o->map);
	if ((calls = imp_calls_map(o->sheet, m->kind)) == NULL)
		return columns_by_name(&r);
	rc = read_document(&r, calls);
	sat_json_free(calls);
	m->calls = rc == SAT_OK;
	for (size_t i = 0; m->calls && i < m->ncolumns; i++) {
		if (m->columns[i].lookup != NULL)
			m->call_phone = i;
		else if (m->columns[i].field != NULL)
			m->call_time = i;
	}
	return rc;
}

void
imp_map_fini(imp_map *m)
{
	for (size_t i = 0; i < m->nderives; i++)
		imp_derive_fini(&m->derives[i]);
	sat_arena_fini(&m->a);
}

sat_rc
sat_crm_import_columns(sat_crm *c, const sat_import_opts *o,
    void (*cb)(void *u, const char *column, const char *field), void *u,
    sat_err *e)
{
	crm_actor who;
	imp_map m = { 0 };
	sat_rc rc = crm_actor_get(&who, c, e);

	if (rc != SAT_OK)
		return rc;
	if ((rc = imp_map_read(&m, who.t, o, e)) == SAT_OK)
		for (size_t i = 0; i < m.ncolumns; i++)
			cb(u, m.columns[i].name, m.columns[i].use == IMP_ID ?
			    "id" : m.columns[i].field != NULL ?
			    m.columns[i].field->key : NULL);
	imp_map_fini(&m);
	return rc;
}
