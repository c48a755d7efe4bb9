/*
 * What a person does to one record -> one commit.
 *
 * The order is always the same: texts to changes, what follows from them, the
 * author's relation, the gate, the write. Nothing is written before the gate
 * has judged everything, and the commit is whole or not there.
 */
#include "client/crm/crm_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- relation ------------------------------------------------------------------ */

static sat_value
parent_of(const crm_work *w)
{
	return w->kind->parent != NULL ? crm_after(w, w->kind->parent) :
	    sat_v_null();
}

/* The owner of the customer a new record is put under. */
static sat_rc
root_owner(sat_value *owner, bool *there, crm_work *w, sat_err *e)
{
	const sat_kind *k = sat_template_kind(w->who->t, w->kind->parent->ref);
	sat_span key = sat_span_of(w->root.b, 16);
	sat_view v;
	sat_rc rc;

	*owner = sat_v_null();
	*there = true;
	if (w->roots != NULL && crm_cache_get(owner, w->roots, 0, key)) {
		*owner = sat_value_dup(w->a, *owner);
		return SAT_OK;
	}
	rc = sat_replica_get(&v, w->a, w->c->replica, k, &w->root, e);
	if (rc == SAT_ENOTFOUND || (rc == SAT_OK && v.rec.deleted)) {
		*there = false;
		return SAT_OK;
	}
	if (rc != SAT_OK)
		return rc;
	if (k->owner != NULL)
		*owner = sat_record_value(&v.rec, k->owner->id);
	if (w->roots != NULL)
		crm_cache_put(w->roots, 0, key, *owner);
	return SAT_OK;
}

static sat_rc
relate_new(crm_work *w, sat_err *e)
{
	sat_value of_root = sat_v_null(), own = sat_v_null();
	bool there = true;
	sat_rc rc;

	if (w->kind->owner != NULL)
		own = crm_after(w, w->kind->owner);
	if (!sat_id_zero(&w->root)) {
		if ((rc = root_owner(&of_root, &there, w, e)) != SAT_OK)
			return rc;
		if (!there)
			crm_fault(w, w->kind->parent, "option");
	} else if (w->kind->parent == NULL) {
		of_root = own;
	}
	w->rel = sat_scope_relation(w->who->reg, w->who->me, w->kind->scope,
	    of_root, own, there, true);
	/* Without the customer it should be under nothing else can be said;
	 * the finding about the missing field matters, not the right. */
	if (w->kind->scope == SAT_SCOPE_CHILD && (sat_id_zero(&w->root) || !there))
		w->rel = SAT_REL_OWN;
	return SAT_OK;
}

sat_rc
crm_relate(crm_work *w, sat_err *e)
{
	sat_value p = parent_of(w);

	memset(&w->root, 0, sizeof w->root);
	if (p.type == SAT_V_BYTES && p.s.n == 16)
		memcpy(w->root.b, p.s.p, 16);
	if (w->was == NULL)
		return relate_new(w, e);
	return sat_replica_relation(&w->rel, w->c->replica, w->kind, &w->id, e);
}

/* ---- the gate ------------------------------------------------------------------- */

static sat_value
gate_current(void *u, const sat_field *f)
{
	return crm_was(u, f);
}

static bool
has_path(const sat_err *e, const char *path)
{
	for (unsigned i = 0; i < e->nfields; i++)
		if (strcmp(e->fields[i].path, path) == 0)
			return true;
	return false;
}

/* All findings in one error: those of the texts first. */
static sat_rc
join_findings(crm_work *w, const sat_err *gate, sat_err *e)
{
	sat_err all = w->bad;
	char slug[40];

	for (unsigned i = 0; i < gate->nfields; i++)
		if (!has_path(&w->bad, gate->fields[i].path))
			sat_err_field_add(&all, gate->fields[i].path,
			    gate->fields[i].code);
	(void)snprintf(slug, sizeof slug, "validation.%.24s",
	    all.fields[0].code);
	(void)sat_fail_code(e, SAT_EINVALID, slug, NULL,
	    "%s: %u finding%s, first: %s %s", w->kind->key, all.nfields,
	    all.nfields == 1 ? "" : "s", all.fields[0].path,
	    all.fields[0].code);
	for (unsigned i = 0; i < all.nfields; i++)
		sat_err_field_add(e, all.fields[i].path, all.fields[i].code);
	return SAT_EINVALID;
}

sat_rc
crm_judge(crm_work *w, sat_err *e)
{
	sat_gate_out out = { false };
	sat_gate_in in = {
		.t = w->who->t, .kind = w->kind, .role = w->who->me->role,
		.relation = w->rel, .is_new = w->was == NULL,
		.deleted = w->was != NULL && w->was->rec.deleted,
		.flag_missing = w->flag_missing, .now_ms = w->who->now_ms,
		.changes = w->changes, .n = w->n,
		.current = gate_current, .u = w,
		.user = w->who->me->key, .at_ms = w->who->now_ms,
		.customer = crm_customer, .customer_u = w,
	};
	sat_err why = { 0 };
	sat_rc rc = sat_gate_judge(&out, &in, &why);

	w->incomplete = out.incomplete;
	/* a refusal without a finding is of the whole kind: module.off */
	if ((rc == SAT_EINVALID && why.nfields > 0) ||
	    (rc == SAT_OK && w->bad.nfields > 0))
		return join_findings(w, &why, e);
	if (rc != SAT_OK && e != NULL)
		*e = why;
	return rc;
}

/* ---- the commit ------------------------------------------------------------------ */

static sat_op_kind
op_of(const sat_change *ch)
{
	switch (ch->verb) {
	case SAT_VERB_ADD:
		return ch->field->policy == SAT_P_COUNTER ? SAT_OP_ADD :
		    SAT_OP_SADD;
	case SAT_VERB_REMOVE:
		return SAT_OP_SREM;
	case SAT_VERB_STAGE:
		return SAT_OP_STAGE;
	case SAT_VERB_ASSIGN:
		return SAT_OP_REASSIGN;
	case SAT_VERB_RESOLVE:
		return SAT_OP_RESOLVE;
	case SAT_VERB_DELETE:
		return SAT_OP_DEL;
	case SAT_VERB_RESTORE:
		return SAT_OP_UNDEL;
	default:
		return ch->field->policy == SAT_P_REVIEW ? SAT_OP_MVSET :
		    SAT_OP_SET;
	}
}

static size_t
add_ops(sat_op *ops, const crm_work *w)
{
	size_t n = 0;

	if (w->was == NULL)
		ops[n++].kind = SAT_OP_NEW;
	for (size_t i = 0; i < w->n; i++) {
		const sat_change *ch = &w->changes[i];
		sat_op *op = &ops[n++];

		op->kind = op_of(ch);
		op->field = ch->field != NULL ? ch->field->id : 0;
		op->value = ch->value;
	}
	for (size_t i = 0; i < n; i++) {
		ops[i].rec = w->id;
		ops[i].rtype = w->kind->id;
	}
	return n;
}

sat_rc
crm_write(crm_work *w, uint8_t flags, uint64_t *cseq, sat_err *e)
{
	sat_draft d = { .flags = flags };
	size_t max = 0;

	for (const crm_work *x = w; x != NULL; x = x->also)
		max += x->n + 2;
	d.ops = sat_arena_alloc(w->a, max * sizeof *d.ops);
	memset(d.ops, 0, max * sizeof *d.ops);
	d.subject = sat_id_zero(&w->root) ? w->id : w->root;
	for (const crm_work *x = w; x != NULL; x = x->also)
		d.nops += add_ops(d.ops + d.nops, x);
	if (w->with != NULL)
		d.ops[d.nops++] = *w->with;
	return sat_replica_write(w->c->replica, &d, cseq, e);
}

sat_rc
crm_all_begin(bool *own, sat_crm *c, sat_err *e)
{
	*own = !sat_replica_in_group(c->replica);
	return *own ? sat_replica_group_begin(c->replica, e) : SAT_OK;
}

sat_rc
crm_all_end(bool own, sat_crm *c, sat_rc rc, sat_err *e)
{
	if (own && rc == SAT_OK)
		return sat_replica_group_commit(c->replica, e);
	if (own)
		sat_replica_group_rollback(c->replica);
	return rc;
}

static sat_rc
read_inputs(crm_work *w, const sat_input *in, size_t n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if (!crm_is_about(w, in[i].field))
			rc = crm_input(w, &in[i], e);
	return rc;
}

/* ---- create ---------------------------------------------------------------------- */

/* The number's counter and the record in one transaction. */
static sat_rc
write_new(crm_work *w, const sat_write_opts *o, sat_err *e)
{
	crm_numbers numbers = { 0 };
	uint64_t cseq;
	bool own;
	sat_rc rc;

	if ((rc = crm_number(w, &numbers, e)) != SAT_OK ||
	    (rc = crm_all_begin(&own, w->c, e)) != SAT_OK)
		return rc;
	w->id = sat_replica_new_id(w->c->replica);
	if ((rc = crm_write(w, o->import ? SAT_CF_IMPORT : 0, &cseq, e)) ==
	    SAT_OK)
		rc = crm_numbers_save(&numbers, w->c, e);
	return crm_all_end(own, w->c, rc, e);
}

static sat_rc
log_duplicate(const crm_work *w, const char *reason, sat_err *e)
{
	char id[SAT_ID_TEXT], *detail;
	sat_rc rc;

	sat_id_text(id, &w->id);
	detail = sat_xasprintf("kind=%s record=%s reason=%s", w->kind->key, id,
	    reason);
	rc = sat_replica_audit_about(w->c->replica, &w->id,
	    "duplicate.allowed", detail, e);
	free(detail);
	return rc;
}

static sat_rc
create(crm_work *w, const sat_input *in, size_t n, const sat_write_opts *o,
    sat_duplicate dup[SAT_DUPLICATES_MAX], size_t *ndup, sat_err *e)
{
	sat_view customer;
	crm_work also;
	sat_rc rc;

	if ((rc = read_inputs(w, in, n, e)) != SAT_OK ||
	    (rc = crm_defaults(w, e)) != SAT_OK)
		return rc;
	crm_stage_effects(w);
	if ((rc = crm_relate(w, e)) != SAT_OK ||
	    (rc = crm_judge(w, e)) != SAT_OK ||
	    (rc = crm_duplicates(dup, ndup, w, e)) != SAT_OK)
		return rc;
	if (*ndup > 0 && o->duplicate_reason == NULL)
		return sat_fail_code(e, SAT_ECONFLICT, "duplicate",
		    "look at the existing record, or give a reason",
		    "%s: possibly there already (%zu, by %s)", w->kind->key,
		    *ndup, dup[0].field);
	if ((rc = crm_follow(w, &also, &customer, in, n, e)) != SAT_OK ||
	    o->validate_only)
		return rc;
	if ((rc = write_new(w, o, e)) != SAT_OK || *ndup == 0)
		return rc;
	return log_duplicate(w, o->duplicate_reason, e);
}

sat_rc
sat_crm_create(sat_id *out, sat_crm *c, const sat_kind *k, const sat_input *in,
    size_t n, const sat_write_opts *o, sat_duplicate dup[SAT_DUPLICATES_MAX],
    size_t *ndup, sat_err *e)
{
	static const sat_write_opts none;
	sat_duplicate own[SAT_DUPLICATES_MAX];
	size_t nown;
	sat_arena a = { 0 };
	crm_actor who;
	crm_work w;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if (ndup == NULL)
		ndup = &nown;
	*ndup = 0;
	o = o != NULL ? o : &none;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	crm_work_begin(&w, c, &who, &a, k, NULL);
	w.flag_missing = o->flag_missing;
	rc = create(&w, in, n, o, dup != NULL ? dup : own, ndup, e);
	*out = w.id;
	sat_arena_fini(&a);
	return rc;
}

/* ---- edit ------------------------------------------------------------------------- */

typedef struct edit {
	const sat_input *in;
	size_t n;
} edit;

/* Could all that was asked of the record be read? */
static sat_rc
rest_read(const crm_work *w, sat_err *e)
{
	if (w->part == NULL || w->part->rc == SAT_OK)
		return SAT_OK;
	if (e != NULL)
		*e = w->part->err;
	return w->part->rc;
}

static sat_rc
judge_and_write(size_t *changed, crm_work *w, const sat_write_opts *o,
    sat_err *e)
{
	uint64_t cseq;
	sat_rc rc;

	if (w->n == 0 && w->bad.nfields == 0)
		return rest_read(w, e); /* it already is so */
	if ((rc = crm_relate(w, e)) != SAT_OK ||
	    (rc = crm_judge(w, e)) != SAT_OK ||
	    (rc = rest_read(w, e)) != SAT_OK || o->validate_only)
		return rc;
	rc = crm_write(w, o->import ? SAT_CF_IMPORT : 0, &cseq, e);
	if (rc == SAT_OK)
		*changed = w->n;
	return rc;
}

static sat_rc
check_version(const sat_view *v, const char *want, sat_err *e)
{
	char is[40];

	if (want == NULL)
		return SAT_OK;
	sat_crm_version(is, v);
	if (strcmp(is, want) == 0)
		return SAT_OK;
	return sat_fail_code(e, SAT_ECONFLICT, "version",
	    "load the record again and repeat the change",
	    "the record has changed since it was read");
}

sat_rc
sat_crm_unchanged(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *version, sat_err *e)
{
	sat_arena a = { 0 };
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, c->replica, k, id, e);

	if (rc == SAT_OK)
		rc = check_version(&v, version, e);
	sat_arena_fini(&a);
	return rc;
}

const sat_write_opts crm_plain;

static sat_rc
read_before(sat_view *v, crm_part *p, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, const crm_way *y, sat_err *e)
{
	sat_rc rc;
	bool part;

	*p = (crm_part){ .v = v, .field = y->only, .whole = true };
	if (y->only != NULL && y->o->if_version == NULL) {
		rc = sat_replica_get_part(v, &part, a, c->replica, k, id,
		    y->only, e);
		p->whole = !part;
		return rc;
	}
	rc = sat_replica_get(v, a, c->replica, k, id, e);
	return rc != SAT_OK ? rc : check_version(v, y->o->if_version, e);
}

sat_rc
crm_alter(size_t *changed, sat_crm *c, const sat_kind *k, const sat_id *id,
    const crm_way *y, sat_err *e)
{
	sat_arena a = { 0 };
	crm_actor who;
	crm_part part;
	crm_work w;
	sat_view v;
	sat_rc rc;

	*changed = 0;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	if ((rc = read_before(&v, &part, &a, c, k, id, y, e)) == SAT_OK) {
		crm_work_begin(&w, c, &who, &a, v.kind, &v);
		w.part = &part;
		w.flag_missing = y->o->flag_missing;
		if ((rc = y->fill(&w, y->u, e)) == SAT_OK)
			rc = judge_and_write(changed, &w, y->o, e);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
fill_edit(crm_work *w, const void *u, sat_err *e)
{
	const edit *ed = u;
	sat_rc rc = read_inputs(w, ed->in, ed->n, e);

	if (rc == SAT_OK)
		crm_stage_effects(w);
	return rc;
}

sat_rc
sat_crm_edit(size_t *changed, sat_crm *c, const sat_kind *k, const sat_id *id,
    const sat_input *in, size_t n, const sat_write_opts *o, sat_err *e)
{
	edit ed = { in, n };
	crm_way y = { fill_edit, &ed, o != NULL ? o : &crm_plain,
		k != NULL && n == 1 ? sat_kind_field(k, in->field) : NULL };
	size_t own;

	return crm_alter(changed != NULL ? changed : &own, c, k, id, &y, e);
}

/* ---- version ------------------------------------------------------------------------ */

void
sat_crm_version(char out[40], const sat_view *v)
{
	sat_hlc last = v->rec.born.hlc;
	size_t pending = v->rec.born.lsn == 0;

	if (v->rec.del_at.hlc > last)
		last = v->rec.del_at.hlc;
	for (size_t i = 0; i < v->rec.ncells; i++) {
		if (v->rec.cells[i].at.hlc > last)
			last = v->rec.cells[i].at.hlc;
		pending += v->rec.cells[i].at.lsn == 0;
	}
	(void)snprintf(out, 40, "v%016" PRIx64 "-%zu-%" PRIu64, last, pending,
	    v->rec.rlsn);
}
