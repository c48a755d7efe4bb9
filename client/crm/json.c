/*
 * Records going out as JSON. Values are written by sat_field_json_put; what a
 * person reads stands under "label" and only on request.
 */
#include "client/crm/crm_int.h"
#include "client/crm/reception.h"

#include <string.h>

void
crm_json_put(sat_json *obj, const char *key, sat_crm *c, const sat_template *t,
    const sat_field *f, sat_value v)
{
	sat_id id;

	if (f->type == SAT_F_REF && v.type == SAT_V_BYTES &&
	    v.s.n == sizeof id.b) {
		memcpy(id.b, v.s.p, sizeof id.b);
		if (sat_replica_canon(&id, c->replica, &id, NULL) == SAT_OK)
			v = sat_v_id(&id);
	}
	sat_field_json_put(obj, key, t, f, v);
}

/* The name a list would show for a referenced record. */
static bool
label_ref(sat_buf *out, sat_crm *c, const sat_template *t, const sat_field *f,
    sat_value v)
{
	const sat_kind *k = sat_template_kind(t, f->ref);
	sat_arena a = { 0 };
	sat_view view;
	sat_value title;
	sat_id id;
	bool ok = false;

	if (k == NULL || k->title == NULL || v.s.n != 16)
		return false;
	memcpy(id.b, v.s.p, 16);
	if (sat_replica_canon(&id, c->replica, &id, NULL) == SAT_OK &&
	    sat_replica_get(&view, &a, c->replica, k, &id, NULL) == SAT_OK) {
		title = sat_record_value(&view.rec, k->title->id);
		ok = title.type == SAT_V_TEXT;
		if (ok)
			sat_buf_add(out, title.s.p, title.s.n);
	}
	sat_arena_fini(&a);
	return ok;
}

void
crm_label(sat_buf *out, sat_crm *c, const sat_template *t, const sat_field *f,
    sat_value v)
{
	const sat_user *u;

	if (v.type == SAT_V_TEXT && f->type == SAT_F_USER &&
	    (u = sat_registry_user(sat_replica_registry(c->replica),
	    v.s)) != NULL)
		sat_buf_str(out, u->name);
	else if (v.type != SAT_V_BYTES || f->type != SAT_F_REF ||
	    !label_ref(out, c, t, f, v))
		sat_field_format(out, t, f, v, crm_word(c, "zh", "en"));
}

sat_value
crm_mask(sat_buf *b, sat_value v)
{
	if (v.type != SAT_V_TEXT)
		return v;
	sat_buf_reset(b);
	sat_norm_mask_phone(b, v.s);
	return sat_v_text(sat_buf_span(b));
}

bool
crm_masked(sat_crm *c, const sat_template *t, const sat_field *f,
    sat_relation rel)
{
	(void)t;
	return sat_replica_masks(c->replica, f, rel);
}

bool
sat_crm_masked(sat_crm *c, const sat_kind *k, const sat_id *id,
    const sat_field *f)
{
	const sat_template *t = sat_replica_template(c->replica);
	sat_relation rel = SAT_REL_NONE;

	if (f->mask == NULL)
		return false;
	if (t == NULL ||
	    sat_replica_relation(&rel, c->replica, k, id, NULL) != SAT_OK)
		rel = SAT_REL_NONE; /* shows less, not more */
	return t == NULL || crm_masked(c, t, f, rel);
}

/* Is the number final, and which were there before (P-142, P-145)? */
static void
put_number(sat_json *o, const sat_view *v)
{
	const sat_field *f = sat_kind_field(v->kind, "number");
	const sat_cell *c = sat_record_cell(&v->rec, SAT_SYS_ALIASES);
	sat_arena a = { 0 };
	sat_element *el;
	sat_json *list;
	sat_value is;
	size_t n;

	if (f == NULL || v->kind->number_prefix == NULL)
		return;
	is = sat_record_value(&v->rec, f->id);
	sat_json_put_bool(o, "provisional", is.type == SAT_V_TEXT &&
	    sat_number_is_provisional(NULL, is.s));
	if (c != NULL) {
		list = sat_json_put_arr(o, "aliases");
		n = sat_cell_elements(&el, &a, c);
		for (size_t i = 0; i < n; i++)
			sat_json_add_strn(list, el[i].text);
	}
	sat_arena_fini(&a);
}

/* Offered by a pool, and whether all of it is here (P-155). */
static void
put_pool(sat_json *o, const sat_view *v)
{
	sat_value pool = sat_record_value(&v->rec, SAT_SYS_POOL);
	sat_span why;

	if (pool.type != SAT_V_TEXT)
		return;
	sat_json_put_strn(o, "pool", sat_pool_key_of(pool.s));
	why = sat_pool_reason_of(pool.s);
	if (why.n > 0)
		sat_json_put_strn(o, "released_because", why);
	sat_json_put_bool(o, "masked", sat_record_of_pool(&v->rec));
}

static void
put_head(sat_json *o, const sat_view *v)
{
	char text[64];
	sat_id into;

	sat_id_text(text, &v->rec.id);
	sat_json_put_str(o, "id", text);
	sat_crm_version(text, v);
	sat_json_put_str(o, "version", text);
	sat_json_put_bool(o, "pending", v->pending);
	sat_json_put_bool(o, "incomplete", v->incomplete);
	sat_json_put_bool(o, "conflict", v->conflict);
	sat_json_put_bool(o, "deleted", v->rec.deleted);
	if (sat_record_redirect(&into, &v->rec)) {
		sat_id_text(text, &into);
		sat_json_put_str(o, "merged_into", text);
	}
	put_number(o, v);
	put_pool(o, v);
	sat_json_put_time(o, "created", v->created_ms);
}

/* Back-filled visits are taken, and shown as such. */
static void
put_late(sat_json *o, const sat_template *t, const sat_view *v)
{
	int64_t minutes;
	bool late;

	if (!sat_crm_late(&minutes, &late, t, v))
		return;
	sat_json_put_int(o, "late_min", minutes);
	sat_json_put_bool(o, "late", late);
}

static bool
has_label(const sat_field *f)
{
	return f->type == SAT_F_ENUM || f->type == SAT_F_USER ||
	    f->type == SAT_F_REF || (f->type == SAT_F_TAGS && f->dict != NULL);
}

static void
put_labels(sat_json *o, sat_crm *c, const sat_template *t, const sat_view *v)
{
	sat_json *labels = sat_json_put_obj(o, "label");
	sat_buf b = { 0 };

	for (size_t i = 0; i < v->kind->nfields; i++) {
		const sat_field *f = &v->kind->fields[i];
		sat_value value = sat_record_value(&v->rec, f->id);

		if (!has_label(f) || value.type == SAT_V_NULL)
			continue;
		sat_buf_reset(&b);
		crm_label(&b, c, t, f, value);
		sat_json_put_strn(labels, f->key, sat_buf_span(&b));
	}
	sat_buf_fini(&b);
}

sat_json *
sat_crm_json(sat_crm *c, const sat_view *v, bool labels)
{
	const sat_template *t = sat_replica_template(c->replica);
	sat_relation rel = SAT_REL_NONE;
	sat_json *o = sat_json_obj();
	sat_buf b = { 0 };

	put_head(o, v);
	put_late(o, t, v);
	if (sat_replica_relation(&rel, c->replica, v->kind, &v->rec.id, NULL) !=
	    SAT_OK)
		rel = SAT_REL_NONE; /* shows less, not more */
	for (size_t i = 0; i < v->kind->nfields; i++) {
		const sat_field *f = &v->kind->fields[i];
		sat_value value = sat_record_value(&v->rec, f->id);

		if (f->retired && value.type == SAT_V_NULL)
			continue;
		if (crm_masked(c, t, f, rel))
			value = crm_mask(&b, value);
		crm_json_put(o, f->key, c, t, f, value);
	}
	if (labels)
		put_labels(o, c, t, v);
	sat_buf_fini(&b);
	return o;
}
