/* acl/matrix.json: masks {role: ["KIND.FIELD", "KIND.*", "*.FIELD", "@mask"]}. */
#include "common/template/mask.h"
#include "common/template/template_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct hidden {
	uint16_t kind;
	const sat_field *f;
} hidden;

struct sat_mask {
	const char *role;
	hidden *f; /* ascending by kind and field id */
	size_t n, cap;
};

/* The engine goes by these, or shows records by them: who holds a record may
 * not be without them. */
static bool
may_hide(const sat_kind *k, const sat_field *f)
{
	return f != k->parent && f != k->owner && f != k->stage &&
	    f->policy != SAT_P_DERIVED && f->type != SAT_F_REF &&
	    f->type != SAT_F_USER && strcmp(f->key, "number") != 0;
}

static void
hide(sat_mask *m, sat_template *t, const sat_kind *k, const sat_field *f)
{
	if (sat_mask_field(m, k->id, f->id) != NULL)
		return;
	SAT_ARENA_GROW(m->f, m->n, m->cap, &t->arena);
	m->f[m->n++] = (hidden){ k->id, f };
}

/* "@mask": what is shown in part to those without the right. */
static void
hide_shown_in_part(sat_mask *m, sat_template *t)
{
	for (size_t i = 0; i < t->nkinds; i++)
		for (size_t j = 0; j < t->kinds[i].nfields; j++)
			if (t->kinds[i].fields[j].mask != NULL &&
			    may_hide(&t->kinds[i], &t->kinds[i].fields[j]))
				hide(m, t, &t->kinds[i], &t->kinds[i].fields[j]);
}

static void
hide_everywhere(sat_mask *m, sat_template *t, const char *key)
{
	for (size_t i = 0; i < t->nkinds; i++) {
		const sat_field *f = sat_kind_field(&t->kinds[i], key);

		if (f != NULL && may_hide(&t->kinds[i], f))
			hide(m, t, &t->kinds[i], f);
	}
}

static void
hide_kind(sat_mask *m, sat_template *t, const sat_kind *k)
{
	for (size_t i = 0; i < k->nfields; i++)
		if (may_hide(k, &k->fields[i]))
			hide(m, t, k, &k->fields[i]);
}

static void
hide_named(sat_mask *m, walk *w, sat_template *t, const char *name)
{
	const char *dot = strchr(name, '.');
	const sat_kind *k = NULL;
	const sat_field *f;

	for (size_t i = 0; dot != NULL && i < t->nkinds; i++)
		if (strlen(t->kinds[i].key) == (size_t)(dot - name) &&
		    memcmp(t->kinds[i].key, name, (size_t)(dot - name)) == 0)
			k = &t->kinds[i];
	if (k != NULL && strcmp(dot + 1, "*") == 0) {
		hide_kind(m, t, k);
		return;
	}
	f = k != NULL ? sat_kind_field(k, dot + 1) : NULL;
	if (f == NULL || !may_hide(k, f))
		sat_walk_fault(w, "'%.80s' cannot be hidden", name);
	else
		hide(m, t, k, f);
}

static int
by_place(const void *a, const void *b)
{
	const hidden *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->f->id < y->f->id ? -1 : x->f->id > y->f->id;
}

static void
load_role(sat_mask *m, walk *w, const sat_json *masks, sat_template *t)
{
	const char *const *names;
	size_t n = 0;

	if (!sat_template_has_role(t, m->role))
		sat_walk_fault(w, "role '%.40s' is not in 'roles'", m->role);
	names = sat_walk_texts(w, masks, m->role, &t->arena, &n);
	for (size_t i = 0; i < n && w->rc == SAT_OK; i++) {
		if (strcmp(names[i], "@mask") == 0)
			hide_shown_in_part(m, t);
		else if (strncmp(names[i], "*.", 2) == 0)
			hide_everywhere(m, t, names[i] + 2);
		else
			hide_named(m, w, t, names[i]);
	}
	if (m->n > SAT_MASK_MAX)
		sat_walk_fault(w, "'%.40s' hides more than %d fields", m->role,
		    SAT_MASK_MAX);
	if (m->n > 1)
		qsort(m->f, m->n, sizeof *m->f, by_place);
}

sat_rc
sat_template_load_masks(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = "acl/matrix.json", .e = e };
	const sat_json *masks = sat_json_get(sat_template_doc(t, w.path),
	    "masks"), *n;
	size_t mark;

	if (masks == NULL)
		return SAT_OK;
	mark = sat_walk_enter(&w, "masks", SIZE_MAX);
	if (sat_json_type(masks) != SAT_J_OBJ)
		sat_walk_fault(&w, "must be an object");
	t->masks = sat_arena_alloc(&t->arena, (sat_json_count(masks) + 1) *
	    sizeof *t->masks);
	for (n = sat_json_first(masks); n != NULL && w.rc == SAT_OK;
	    n = sat_json_next(n)) {
		sat_mask *m = &t->masks[t->nmasks++];

		*m = (sat_mask){ .role = sat_json_key(n) };
		load_role(m, &w, masks, t);
	}
	sat_walk_leave(&w, mark);
	return w.rc;
}

const sat_mask *
sat_template_mask(const sat_template *t, const char *role)
{
	for (size_t i = 0; i < t->nmasks; i++)
		if (strcmp(t->masks[i].role, role) == 0)
			return t->masks[i].n > 0 ? &t->masks[i] : NULL;
	return NULL;
}

size_t
sat_template_masks(const sat_template *t)
{
	return t->nmasks;
}

const sat_mask *
sat_template_mask_at(const sat_template *t, size_t i)
{
	return &t->masks[i];
}

const char *
sat_mask_role(const sat_mask *m)
{
	return m->role;
}

size_t
sat_mask_count(const sat_mask *m)
{
	return m == NULL ? 0 : m->n;
}

const sat_field *
sat_mask_at(uint16_t *kind, const sat_mask *m, size_t i)
{
	*kind = m->f[i].kind;
	return m->f[i].f;
}

const sat_field *
sat_mask_field(const sat_mask *m, uint16_t kind, uint16_t field)
{
	for (size_t i = 0; m != NULL && i < m->n; i++)
		if (m->f[i].kind == kind && m->f[i].f->id == field)
			return m->f[i].f;
	return NULL;
}

bool
sat_mask_kind(const sat_mask *m, uint16_t kind)
{
	for (size_t i = 0; m != NULL && i < m->n; i++)
		if (m->f[i].kind == kind)
			return true;
	return false;
}

bool
sat_mask_same(const sat_mask *a, const sat_mask *b)
{
	if (sat_mask_count(a) != sat_mask_count(b))
		return false;
	for (size_t i = 0; i < sat_mask_count(a); i++)
		if (a->f[i].kind != b->f[i].kind ||
		    a->f[i].f->id != b->f[i].f->id ||
		    (a->f[i].f->mask == NULL) != (b->f[i].f->mask == NULL))
			return false;
	return true;
}
