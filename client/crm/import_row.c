/*
 * One row of a sheet -> one record. The row becomes inputs as a person would
 * type them, so everything after that is the way every record goes: parse,
 * defaults, gate, commit.
 */
#include "client/crm/import_int.h"

#include <stdio.h>
#include <string.h>

/* ---- cells ------------------------------------------------------------------- */

/* Trimmed, then mapped. */
static void
read_cells(imp_job *j)
{
	for (size_t i = 0; i < j->map.ncolumns; i++) {
		sat_span s = i < j->row->n ? j->row->fields[i] :
		    sat_span_of(NULL, 0);
		const imp_value *v;

		j->raw[i] = s;
		s = imp_trim(s);
		v = imp_value_of(&j->map.columns[i], s);
		j->text[i] = v != NULL ? v->to : s;
	}
}

static void
came_from(imp_job *j, const sat_field *f, const char *column)
{
	j->origin[f - j->map.kind->fields] = column;
}

/* ---- reasons ------------------------------------------------------------------- */

static void
reason_fmt(imp_job *j, const char *place, const char *what)
{
	sat_buf_fmt(&j->reason, "%s%s: %s", j->reason.n > 0 ? "; " : "", place,
	    what);
}

/* The column a finding is about; the field where no column gave it. */
static void
reason_field(imp_job *j, const char *path, const char *code)
{
	const sat_field *f = sat_kind_field(j->map.kind, path);
	const char *column = f != NULL ? j->origin[f - j->map.kind->fields] :
	    NULL;
	char place[160];

	if (column != NULL)
		(void)snprintf(place, sizeof place, "column '%.80s'", column);
	else
		(void)snprintf(place, sizeof place, "field %.60s", path);
	reason_fmt(j, place, code);
}

static void
reason_err(imp_job *j, const sat_err *why)
{
	if (why->nfields == 0)
		sat_buf_str(&j->reason, why->text);
	for (unsigned i = 0; i < why->nfields; i++)
		reason_field(j, why->fields[i].path, why->fields[i].code);
}

/* ---- inputs -------------------------------------------------------------------- */

/* "105450" fen -> "1054.50" */
static sat_span
fen_text(imp_job *j, sat_span s)
{
	size_t sign = s.n > 0 && s.p[0] == '-', digits = s.n - sign;

	for (size_t i = sign; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return s; /* the parser says what is wrong */
	sat_buf_reset(&j->b);
	if (sign)
		sat_write_u8(&j->b, '-');
	if (digits > 2)
		sat_buf_add(&j->b, s.p + sign, digits - 2);
	else
		sat_write_u8(&j->b, '0');
	sat_buf_str(&j->b, digits == 1 ? ".0" : ".");
	sat_buf_add(&j->b, s.p + s.n - (digits < 2 ? digits : 2),
	    digits < 2 ? digits : 2);
	return sat_span_of(sat_arena_dup(&j->a, j->b.p, j->b.n), j->b.n);
}

static sat_rc
look_up(crm_work *w, imp_job *j, const imp_column *c, size_t at, sat_err *e)
{
	const sat_kind *k = sat_template_kind(j->who.t, c->field->ref);
	uint32_t space = 0x80000000u | (uint32_t)at;
	sat_value v, key;
	sat_id id[2];
	size_t n;
	sat_rc rc;

	if (!crm_cache_get(&v, j->lookups, space, j->text[at])) {
		if (sat_field_parse(&key, &j->a, j->who.t, c->lookup,
		    j->text[at], NULL) != SAT_OK || key.type == SAT_V_NULL) {
			crm_fault(w, c->field, "option");
			return SAT_OK;
		}
		if ((rc = crm_find(id, 2, &n, w, k, c->lookup, key, e)) !=
		    SAT_OK)
			return rc;
		if (n == 0 && c->lookup->type == SAT_F_PHONE &&
		    (rc = imp_account_of_contact(id, &n, w, k, key, e)) !=
		    SAT_OK)
			return rc;
		v = n == 1 ? sat_v_id(&id[0]) : sat_v_null();
		if (n != 1 && !(n == 0 && c->missing_empty)) {
			crm_fault(w, c->field, n == 0 ? "not found" :
			    "ambiguous");
			return SAT_OK;
		}
		crm_cache_put(j->lookups, space, j->text[at], v);
	}
	if (v.type != SAT_V_NULL)
		crm_put(w, c->field, sat_value_dup(&j->a, v));
	return SAT_OK;
}

static sat_rc
put_text(crm_work *w, const sat_field *f, sat_span text, sat_err *e)
{
	/* What others added to a set stays: a sheet only adds. */
	sat_input in = { f->policy == SAT_P_SET ? '+' : '=', f->key, text };

	return crm_input(w, &in, e);
}

static sat_rc
put_columns(crm_work *w, imp_job *j, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < j->map.ncolumns && rc == SAT_OK; i++) {
		const imp_column *c = &j->map.columns[i];

		if (c->use != IMP_FIELD || j->text[i].n == 0)
			continue; /* an empty cell says nothing */
		came_from(j, c->field, c->name);
		if (c->lookup != NULL)
			rc = look_up(w, j, c, i, e);
		else
			rc = put_text(w, c->field, c->fen ?
			    fen_text(j, j->text[i]) : j->text[i], e);
	}
	return rc;
}

static bool
set_applies(const imp_job *j, const imp_set *s)
{
	for (size_t i = 0; i < s->nwhen; i++)
		if (!imp_cond_holds(&s->when[i], j->text[s->when[i].column]))
			return false;
	return true;
}

static sat_rc
put_sets(crm_work *w, imp_job *j, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < j->map.nsets && rc == SAT_OK; i++) {
		const imp_set *s = &j->map.sets[i];

		if (!set_applies(j, s))
			continue;
		sat_buf_reset(&j->b);
		for (size_t k = 0; k < s->npieces; k++) {
			const imp_piece *p = &s->pieces[k];
			sat_span part = p->column == IMP_NONE ? p->text :
			    j->text[p->column];

			sat_buf_add(&j->b, part.p, part.n);
		}
		if (j->b.n == 0)
			continue;
		if (s->npieces == 1 && s->pieces[0].column != IMP_NONE)
			came_from(j, s->field,
			    j->map.columns[s->pieces[0].column].name);
		rc = put_text(w, s->field, sat_span_of(sat_arena_dup(&j->a,
		    j->b.p, j->b.n), j->b.n), e);
	}
	return rc;
}

/* What a list would show for this row. */
static void
tell_choice(const crm_work *w, imp_job *j, const imp_derive *d,
    const sat_span *pick)
{
	sat_value title = w->kind->title != NULL ?
	    crm_after(w, w->kind->title) : sat_v_null();

	if (j->o->on_derived == NULL || j->derived_told)
		return;
	sat_buf_reset(&j->b);
	sat_buf_reset(&j->b2);
	if (title.type == SAT_V_TEXT)
		sat_buf_add(&j->b, title.s.p, title.s.n);
	if (pick != NULL)
		sat_buf_add(&j->b2, pick->p, pick->n);
	j->o->on_derived(j->o->u, sat_buf_cstr(&j->b), d->field->key,
	    pick != NULL ? sat_buf_cstr(&j->b2) : NULL);
}

static sat_rc
put_derives(crm_work *w, imp_job *j, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < j->map.nderives && rc == SAT_OK; i++) {
		const imp_derive *d = &j->map.derives[i];
		sat_span pick;
		bool found = imp_derive_get(&pick, d, j->text);

		tell_choice(w, j, d, found ? &pick : NULL);
		if (found)
			rc = put_text(w, d->field, pick, e);
	}
	j->derived_told = true;
	return rc;
}

static sat_rc
fill(crm_work *w, imp_job *j, const sat_view *was, sat_err *e)
{
	sat_rc rc;

	crm_work_begin(w, j->c, &j->who, &j->a, j->map.kind, was);
	w->flag_missing = j->o->flag_incomplete;
	w->lookups = j->lookups;
	w->roots = j->roots;
	if ((rc = put_columns(w, j, e)) != SAT_OK ||
	    (rc = put_sets(w, j, e)) != SAT_OK ||
	    (rc = put_derives(w, j, e)) != SAT_OK || !j->map.calls)
		return rc;
	return imp_calls_name(w, j, e);
}

/* ---- writing ----------------------------------------------------------------------- */

/* A refusal is this row's; anything else ends the import. */
static bool
is_refusal(sat_rc rc)
{
	return rc == SAT_EINVALID || rc == SAT_EDENIED ||
	    rc == SAT_ECONFLICT || rc == SAT_ENOTFOUND || rc == SAT_EUSAGE;
}

static sat_rc
write(crm_work *w, imp_job *j, sat_err *e)
{
	uint64_t cseq;
	sat_rc rc = imp_batch_begin(j, e);

	if (rc == SAT_OK &&
	    (rc = crm_write(w, SAT_CF_IMPORT, &cseq, e)) == SAT_OK) {
		j->first = j->first == 0 ? cseq : j->first;
		j->last = cseq;
	}
	return rc;
}

static sat_rc
create(bool *incomplete, crm_work *w, imp_job *j, sat_err *e)
{
	crm_numbers before = j->numbers;
	sat_view customer;
	crm_work also;
	sat_rc rc;

	if ((rc = crm_defaults(w, e)) != SAT_OK)
		return rc;
	crm_stage_effects(w);
	if ((rc = crm_relate(w, e)) != SAT_OK || (rc = crm_judge(w, e)) != SAT_OK)
		return rc;
	*incomplete = w->incomplete;
	w->id = sat_replica_new_id(j->c->replica);
	if ((rc = crm_number(w, &j->numbers, e)) == SAT_OK &&
	    (rc = crm_follow(w, &also, &customer, NULL, 0, e)) == SAT_OK)
		rc = write(w, j, e);
	if (rc != SAT_OK)
		j->numbers = before;
	return rc;
}

static sat_rc
update(imp_result *result, const sat_view *v, imp_job *j, sat_err *e)
{
	crm_work w;
	sat_rc rc;

	if ((rc = fill(&w, j, v, e)) != SAT_OK)
		return rc;
	crm_stage_effects(&w);
	*result = IMP_UNCHANGED;
	if (w.n == 0 && w.bad.nfields == 0)
		return SAT_OK;
	*result = IMP_UPDATED;
	if ((rc = crm_relate(&w, e)) != SAT_OK || (rc = crm_judge(&w, e)) != SAT_OK)
		return rc;
	return write(&w, j, e);
}

static sat_rc
several(crm_work *w, imp_job *j, sat_err *e)
{
	(void)w;
	return sat_fail_code(e, SAT_ECONFLICT, "duplicate", NULL,
	    j->o->on_duplicate == SAT_DUP_ASK ?
	    "the record may be there already" :
	    "several records have this key");
}

/* Cleaned text against what stood in the cell. */
static bool
cleaned(imp_job *j, const sat_field *f, sat_value v, sat_span raw)
{
	sat_buf_reset(&j->b);
	if (v.type == SAT_V_NULL || f->type == SAT_F_REF ||
	    f->type == SAT_F_USER || f->type == SAT_F_ENUM)
		return false;
	sat_field_format(&j->b, j->who.t, f, v,
	    f->type == SAT_F_TIME ? "en" : NULL);
	if (f->type == SAT_F_TEXT || f->type == SAT_F_PHONE ||
	    f->type == SAT_F_EMAIL || f->type == SAT_F_DATE)
		return !sat_span_eq(sat_buf_span(&j->b), raw);
	/* "1054" and "1054.00" are the same to everybody. */
	return j->b.n < raw.n || memcmp(j->b.p, raw.p, raw.n) != 0;
}

static void
tell_cleaning(const crm_work *w, imp_job *j)
{
	for (size_t i = 0; j->o->on_clean != NULL && i < j->map.ncolumns; i++) {
		const imp_column *c = &j->map.columns[i];
		sat_span raw = j->raw[i], text = j->text[i];

		if (c->use == IMP_FIELD && text.n > 0 &&
		    c->field->policy != SAT_P_SET &&
		    cleaned(j, c->field, crm_after(w, c->field), raw))
			text = sat_buf_span(&j->b);
		else if (c->use == IMP_IGNORED || sat_span_eq(raw, text) ||
		    sat_span_eq(imp_trim(raw), text))
			continue;
		j->o->on_clean(j->o->u, (int64_t)j->row->number,
		    c->field != NULL ? c->field->key : c->name, raw, text);
	}
}

static sat_rc
do_row(imp_result *result, bool *incomplete, imp_job *j, sat_err *e)
{
	sat_view v;
	crm_work w;
	size_t n;
	sat_rc rc;

	if ((rc = fill(&w, j, NULL, e)) != SAT_OK)
		return rc;
	tell_cleaning(&w, j);
	if ((rc = imp_find(&v, &n, &w, j, e)) != SAT_OK)
		return rc;
	if (n > 0 && (rc = imp_is_it(&w, &v, j, e)) != SAT_OK)
		return rc;
	if (n > 0 && j->o->on_duplicate == SAT_DUP_SKIP) {
		*result = IMP_SKIPPED;
		return SAT_OK;
	}
	if (n > 1 || (n > 0 && j->o->on_duplicate == SAT_DUP_ASK))
		return several(&w, j, e);
	if (n == 1)
		return update(result, &v, j, e);
	j->blind = imp_is_blind(&w, j);
	if (j->blind && j->before[0] != '\0')
		return sat_fail_code(e, SAT_ECONFLICT, "import.again", NULL,
		    "imported before (batch %s), and nothing says which "
		    "record it became", j->before);
	*result = IMP_CREATED;
	return create(incomplete, &w, j, e);
}

sat_rc
imp_row(imp_result *result, bool *incomplete, imp_job *j, sat_err *e)
{
	sat_err why = { 0 };
	sat_rc rc;

	*incomplete = false;
	*result = IMP_ERROR;
	sat_buf_reset(&j->reason);
	if (j->row->fault != NULL) {
		sat_buf_str(&j->reason, j->row->fault);
		return SAT_OK;
	}
	sat_arena_reset(&j->a);
	memset(j->origin, 0, j->map.kind->nfields * sizeof *j->origin);
	j->derived_told = false;
	read_cells(j);
	rc = do_row(result, incomplete, j, &why);
	if (is_refusal(rc)) {
		*result = IMP_ERROR;
		reason_err(j, &why);
		return SAT_OK;
	}
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}
