/*
 * The record of an import, and the gate in front of all of them.
 *
 * The batch is born in the commit before its first row and counts in the commit
 * after its last one, of the same device. So the stamps of those two bound all
 * it wrote, in every replica that holds it, and nothing has to be listed.
 */
#include "client/crm/import_int.h"

#include <stdlib.h>
#include <string.h>

static sat_value
text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? sat_v_text(sat_span_str(s)) :
	    sat_v_null();
}

static sat_rc
judge_and_write(crm_work *w, sat_err *e)
{
	uint64_t cseq;
	sat_rc rc;

	if ((rc = crm_relate(w, e)) != SAT_OK || (rc = crm_judge(w, e)) != SAT_OK)
		return rc;
	return crm_write(w, SAT_CF_IMPORT, &cseq, e);
}

/* ---- the mapping that was used ------------------------------------------------ */

/* Without a document the columns fitted by name; said as one. */
static sat_json *
as_document(const imp_map *m)
{
	sat_json *doc = sat_json_obj(), *columns, *col;

	sat_json_put_str(doc, "schema", "satchel/import-map/1");
	sat_json_put_str(doc, "kind", m->kind->key);
	columns = sat_json_put_obj(doc, "columns");
	for (size_t i = 0; i < m->ncolumns; i++) {
		const imp_column *c = &m->columns[i];

		if (c->field == NULL) {
			sat_json_put_null(columns, c->name);
			continue;
		}
		col = sat_json_put_obj(columns, c->name);
		sat_json_put_str(col, "field", c->field->key);
	}
	return doc;
}

static void
put_mapping(crm_work *w, const imp_job *j)
{
	const sat_field *f = sat_kind_field(w->kind, "mapping");
	sat_json *own = j->o->map == NULL ? as_document(&j->map) : NULL;
	sat_buf b = { 0 };

	sat_json_write(&b, own != NULL ? own : j->o->map, false);
	/* One that no field holds is still in its file, whose hash is here. */
	if (f != NULL && b.n <= 60000)
		crm_put(w, f, sat_v_text(sat_span_of(sat_arena_dup(w->a, b.p,
		    b.n), b.n)));
	sat_buf_fini(&b);
	sat_json_free(own);
}

sat_rc
sat_crm_import_map(sat_json **map, sat_crm *c, const char *name, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = t != NULL ?
	    sat_template_kind(t, "import_batch") : NULL;
	const sat_field *by = k != NULL ? sat_kind_field(k, "map_name") : NULL;
	const sat_field *is = k != NULL ? sat_kind_field(k, "mapping") : NULL;
	sat_value want = sat_v_text(sat_span_str(name));
	sat_filter f = { .cmp = SAT_CMP_EQ, .values = &want, .n = 1 };
	uint16_t column;
	sat_query q = { .kind = k, .filters = &f, .nfilters = 1,
		.columns = &column, .ncolumns = 1, .limit = 1 };
	const sat_value *v = NULL;
	sat_rows *rows;
	sat_rc rc;

	*map = NULL;
	if (by == NULL || is == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "no mapping is kept here");
	f.field = by->id;
	column = is->id;
	q.sort[0].field = SAT_Q_CREATED;
	q.sort[0].desc = true;
	q.nsort = 1;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	if ((rc = sat_rows_next(&v, rows, e)) == SAT_OK) {
		if (v != NULL && v[0].type == SAT_V_TEXT)
			rc = sat_json_parse(map, v[0].s, 0, e);
		else
			rc = sat_fail_code(e, SAT_ENOTFOUND, "import.map",
			    "keep one with --save-map NAME",
			    "there is no file and no kept mapping of this name");
	}
	sat_rows_free(rows);
	return rc;
}

/* ---- the record ------------------------------------------------------------------ */

sat_rc
imp_batch_begin(imp_job *j, sat_err *e)
{
	const sat_import_opts *o = j->o;
	const sat_kind *k = sat_template_kind(j->who.t, "import_batch");
	sat_arena a = { 0 };
	crm_work w;
	sat_rc rc;

	if (j->has_batch || k == NULL) /* an older template */
		return SAT_OK;
	crm_work_begin(&w, j->c, &j->who, &a, k, NULL);
	crm_put_known(&w, "file", text_or_null(o->file != NULL ? o->file : "-"));
	crm_put_known(&w, "hash", text_or_null(o->hash));
	crm_put_known(&w, "source", text_or_null(o->source));
	crm_put_known(&w, "record_kind", text_or_null(j->map.kind->key));
	crm_put_known(&w, "on_duplicate", text_or_null(imp_way(o->on_duplicate)));
	crm_put_known(&w, "map_name", text_or_null(o->map_name));
	crm_put_known(&w, "door", text_or_null(o->door));
	put_mapping(&w, j);
	if ((rc = crm_defaults(&w, e)) == SAT_OK) {
		w.id = j->batch;
		rc = judge_and_write(&w, e);
	}
	j->has_batch = rc == SAT_OK;
	sat_arena_fini(&a);
	return rc;
}

sat_rc
imp_batch_count(imp_job *j, const sat_import_summary *done, sat_err *e)
{
	const sat_import_summary *g = &j->group;
	const sat_kind *k = sat_template_kind(j->who.t, "import_batch");
	sat_arena a = { 0 };
	sat_view v;
	crm_work w;
	sat_rc rc;

	if (!j->has_batch)
		return SAT_OK;
	rc = sat_replica_get(&v, &a, j->c->replica, k, &j->batch, e);
	if (rc == SAT_OK) {
		crm_work_begin(&w, j->c, &j->who, &a, k, &v);
		crm_put_known(&w, "rows", sat_v_int(done->rows + g->rows));
		crm_put_known(&w, "made", sat_v_int(done->created + g->created));
		crm_put_known(&w, "updated", sat_v_int(done->updated + g->updated));
		crm_put_known(&w, "unchanged", sat_v_int(done->unchanged + g->unchanged));
		crm_put_known(&w, "skipped", sat_v_int(done->skipped + g->skipped));
		crm_put_known(&w, "errors", sat_v_int(done->errors + g->errors));
		rc = w.n > 0 ? judge_and_write(&w, e) : SAT_OK;
	}
	sat_arena_fini(&a);
	return rc;
}

sat_rc
imp_batch_before(imp_job *j, sat_err *e)
{
	static const char *const keys[] = { "hash", "record_kind", "undone_at",
		"made" };
	const sat_kind *k = sat_template_kind(j->who.t, "import_batch");
	const char *hash = j->o->hash;
	const sat_field *f[4];
	sat_value want[2];
	sat_filter same[2];
	uint16_t cols[3] = { SAT_Q_ID };
	sat_query q = { .kind = k, .filters = same, .nfilters = 2,
		.columns = cols, .ncolumns = 3, .unordered = true };
	const sat_value *v = NULL;
	sat_rows *rows;
	sat_id id;
	sat_rc rc;

	if (k == NULL || hash == NULL || hash[0] == '\0' ||
	    j->o->on_duplicate == SAT_DUP_NEW || j->map.key != NULL)
		return SAT_OK;
	for (size_t i = 0; i < 4; i++)
		if ((f[i] = sat_kind_field(k, keys[i])) == NULL)
			return SAT_OK; /* an older template */
	want[0] = sat_v_text(sat_span_str(hash));
	want[1] = sat_v_text(sat_span_str(j->map.kind->key));
	for (size_t i = 0; i < 2; i++) {
		same[i] = (sat_filter){ .field = f[i]->id, .cmp = SAT_CMP_EQ,
			.values = &want[i], .n = 1 };
		cols[i + 1] = f[i + 2]->id;
	}
	if ((rc = sat_replica_query(&rows, j->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		if (v[1].type != SAT_V_NULL || v[2].type != SAT_V_INT ||
		    v[2].i == 0)
			continue;
		memcpy(id.b, v[0].s.p, sizeof id.b);
		sat_id_text(j->before, &id);
	}
	sat_rows_free(rows);
	if (rc != SAT_OK || j->before[0] == '\0' || imp_map_finds(&j->map))
		return rc;
	rc = sat_fail_code(e, SAT_ECONFLICT, "import.again", NULL, "this file is "
	    "in already, and nothing in it says which record is which");
	sat_err_hint(e, "take that back first: satchel import undo %s; or make "
	    "all of it again: --on-duplicate new", j->before);
	return rc;
}

sat_rc
imp_batch_find(sat_view *v, imp_range *range, sat_arena *a, crm_actor *who,
    sat_crm *c, const char *text, sat_err *e)
{
	const sat_field *rows;
	const sat_kind *k;
	sat_id id;
	sat_rc rc;

	if ((rc = crm_actor_get(who, c, e)) != SAT_OK)
		return rc;
	if ((k = sat_template_kind(who->t, "import_batch")) == NULL)
		return sat_fail_code(e, SAT_EVERSION, "import.kind", NULL,
		    "this template has no kind import_batch");
	if ((rc = sat_replica_resolve(&id, c->replica, k, text, e)) != SAT_OK ||
	    (rc = sat_replica_get(v, a, c->replica, k, &id, e)) != SAT_OK)
		return rc;
	*range = (imp_range){ v->rec.born.dev, v->rec.born.hlc,
		v->rec.born.hlc };
	rows = sat_kind_field(k, "rows");
	for (size_t i = 0; rows != NULL && i < v->rec.ncells; i++)
		if (v->rec.cells[i].field == rows->id &&
		    v->rec.cells[i].at.dev == range->dev)
			range->to = v->rec.cells[i].at.hlc;
	return SAT_OK;
}

/* ---- the gate ---------------------------------------------------------------------- */

/* Later in the server's order; what waits here comes after all of it. */
static bool
is_later(const sat_stamp *a, const sat_stamp *b)
{
	uint64_t la = a->lsn != 0 ? a->lsn : UINT64_MAX;
	uint64_t lb = b->lsn != 0 ? b->lsn : UINT64_MAX;

	return la != lb ? la > lb : a->hlc > b->hlc;
}

typedef struct last_word {
	sat_id id;
	sat_stamp at;
	bool any;
} last_word;

static sat_rc
take_birth(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	last_word *x = u;

	(void)e;
	if (c->field == 0 && (!x->any || is_later(&c->at, &x->at)))
		*x = (last_word){ *id, c->at, true };
	return SAT_OK;
}

/* What was said last; last->any false: nothing, so it is open. */
static sat_rc
gate_now(bool *closed, last_word *last, sat_crm *c, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = t != NULL ?
	    sat_template_kind(t, "import_gate") : NULL;
	const sat_field *f = k != NULL ? sat_kind_field(k, "closed") : NULL;
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc;

	*last = (last_word){ .any = false };
	*closed = false;
	if (f == NULL)
		return SAT_OK;
	rc = sat_replica_each_stamp(c->replica, k, 0, take_birth, last, e);
	if (rc == SAT_OK && last->any && (rc = sat_replica_get(&v, &a,
	    c->replica, k, &last->id, e)) == SAT_OK)
		*closed = sat_record_value(&v.rec, f->id).i != 0;
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_crm_import_open(sat_crm *c, sat_err *e)
{
	last_word last;
	bool closed;
	sat_rc rc = gate_now(&closed, &last, c, e);

	if (rc == SAT_OK && closed)
		return sat_fail_code(e, SAT_EDENIED, "import.closed",
		    "an administrator opens it: satchel import open",
		    "the import of data is closed");
	return rc;
}

static sat_rc
take_first(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	int64_t *first = u, ms = sat_hlc_ms(c->at.hlc);

	(void)id;
	(void)e;
	if (c->field == 0 && (*first == 0 || ms < *first))
		*first = ms;
	return SAT_OK;
}

sat_rc
sat_crm_import_open_since(int64_t *ms, sat_crm *c, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = t != NULL ?
	    sat_template_kind(t, "import_batch") : NULL;
	last_word last;
	bool closed;
	sat_rc rc = gate_now(&closed, &last, c, e);

	*ms = 0;
	if (rc != SAT_OK || closed)
		return rc;
	if (last.any)
		*ms = sat_hlc_ms(last.at.hlc);
	else if (k != NULL)
		rc = sat_replica_each_stamp(c->replica, k, 0, take_first, ms, e);
	return rc;
}

sat_rc
sat_crm_import_gate(sat_crm *c, bool closed, const char *reason, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = t != NULL ?
	    sat_template_kind(t, "import_gate") : NULL;
	sat_input in[2] = { { '=', "closed",
		sat_span_str(closed ? "true" : "false") },
		{ '=', "reason", sat_span_str(reason != NULL ? reason : "") } };
	char *detail;
	sat_id id;
	sat_rc rc;

	if (k == NULL)
		return sat_fail_code(e, SAT_EVERSION, "import.kind", NULL,
		    "this template has no kind import_gate");
	rc = sat_crm_create(&id, c, k, in, in[1].text.n > 0 ? 2 : 1, NULL, NULL,
	    NULL, e);
	if (rc != SAT_OK)
		return rc;
	detail = sat_xasprintf("reason=%s", reason != NULL ? reason : "");
	rc = sat_replica_audit(c->replica, closed ? "import.close" :
	    "import.open", detail, e);
	free(detail);
	return rc;
}
