/*
 * attach.c - files of records.
 *
 * Why the content is written before the edit that names it, in one group: a
 * name without a content would travel, and nobody could ever read it.
 */
#include "client/crm/attach.h"
#include "client/crm/crm_int.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX_MIN 8 /* digits of a hash that name it */

static const sat_field *
files_field(const sat_kind *k)
{
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].files && !k->fields[i].retired)
			return &k->fields[i];
	return NULL;
}

static sat_rc
may_view(const crm_actor *who, const sat_kind *k, sat_err *e)
{
	char *action = sat_xasprintf("%s.view", k->key);
	sat_grant g = sat_acl(who->t, who->me->role, action);

	free(action);
	return g != SAT_GRANT_NO ? SAT_OK : sat_fail_code(e, SAT_EDENIED,
	    "denied", NULL, "the role %s may not do %s.view", who->me->role,
	    k->key);
}

static sat_id
customer_of(const crm_actor *who, const sat_view *v)
{
	const sat_kind *root = sat_template_kind(who->t, "account");
	sat_id id = v->rec.id;
	sat_value up;

	if (v->kind->parent == NULL || root == NULL ||
	    strcmp(v->kind->parent->ref, root->key) != 0)
		return id;
	up = sat_record_value(&v->rec, v->kind->parent->id);
	if (up.type == SAT_V_BYTES && up.s.n == sizeof id.b)
		memcpy(id.b, up.s.p, sizeof id.b);
	return id;
}

/* ---- listing -------------------------------------------------------------------- */

typedef struct list {
	sat_attached *x;
	size_t n, cap;
} list;

static sat_attached *
add(list *l, sat_arena *a)
{
	SAT_ARENA_GROW(l->x, l->n, l->cap, a);
	memset(&l->x[l->n], 0, sizeof *l->x);
	return &l->x[l->n++];
}

/* All that the view names. */
static sat_rc
of_view(list *l, sat_arena *a, sat_crm *c, const crm_actor *who,
    const sat_view *v, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < v->kind->nfields && rc == SAT_OK; i++) {
		const sat_field *f = &v->kind->fields[i];
		sat_value set = sat_record_value(&v->rec, f->id);
		sat_span rest = set.s;
		sat_attachment file;

		if (!f->files || set.type != SAT_V_TEXT)
			continue;
		while (rc == SAT_OK && sat_attachment_next(&file, &rest)) {
			sat_attached *x = add(l, a);

			x->file = file;
			x->field = f;
			memcpy(x->ref.hash, file.hash, sizeof x->ref.hash);
			x->ref.rec = v->rec.id;
			x->ref.kind = v->kind;
			x->ref.customer = customer_of(who, v);
			rc = sat_replica_file_look(&x->here, &x->waits,
			    c->replica, &x->ref.rec, x->ref.hash, e);
		}
	}
	return rc;
}

sat_rc
sat_crm_attached(sat_attached **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_id *rec, sat_err *e)
{
	list l = { 0 };
	crm_actor who;
	sat_view v;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = sat_replica_get(&v, a, c->replica, NULL, rec, e)) !=
	    SAT_OK || (rc = may_view(&who, v.kind, e)) != SAT_OK ||
	    (rc = of_view(&l, a, c, &who, &v, e)) != SAT_OK)
		return rc;
	*out = l.x;
	*n = l.n;
	return SAT_OK;
}

/* ---- finding -------------------------------------------------------------------- */

/* Records of a kind whose field has this text somewhere. */
static sat_rc
holders(list *l, sat_arena *a, sat_crm *c, const crm_actor *who,
    const sat_kind *k, const sat_field *f, const char *text, sat_err *e)
{
	sat_value v = sat_v_text(sat_span_str(text));
	sat_filter filter = { f->id, SAT_CMP_LIKE, &v, 1 };
	sat_query q = { .kind = k, .filters = &filter, .nfilters = 1,
		.limit = SAT_ATTACHED_MAX };
	sat_id *ids;
	int64_t total;
	size_t n;
	sat_view view;
	sat_rc rc = sat_replica_list(&ids, &n, &total, a, c->replica, &q, e);

	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		if ((rc = sat_replica_get(&view, a, c->replica, k, &ids[i],
		    e)) == SAT_OK)
			rc = of_view(l, a, c, who, &view, e);
	return rc;
}

static bool
is_meant(const sat_attached *x, const char *text)
{
	char hex[SAT_ATTACHMENT_HEX + 1];
	size_t n = strlen(text);

	if (sat_span_eq(x->file.name, sat_span_str(text)))
		return true;
	sat_hex(hex, x->file.hash, sizeof x->file.hash);
	return n >= PREFIX_MIN && n <= SAT_ATTACHMENT_HEX &&
	    strncmp(hex, text, n) == 0;
}

static sat_rc
choose(sat_attached *out, const list *l, const char *text, sat_err *e)
{
	const sat_attached *found = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (!is_meant(&l->x[i], text))
			continue;
		if (found != NULL && memcmp(found->ref.hash, l->x[i].ref.hash,
		    sizeof found->ref.hash) != 0)
			return sat_fail_code(e, SAT_ECONFLICT, "ambiguous",
			    "name the record, or the hash: satchel attachment "
			    "list RECORD", "several files match");
		if (found == NULL || (l->x[i].here && !found->here))
			found = &l->x[i];
	}
	if (found == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "satchel attachment list RECORD",
		    "no record of this device names such a file");
	*out = *found;
	return SAT_OK;
}

sat_rc
sat_crm_attached_find(sat_attached *out, sat_arena *a, sat_crm *c,
    const sat_id *rec, const char *text, sat_err *e)
{
	list l = { 0 };
	crm_actor who;
	sat_rc rc = crm_actor_get(&who, c, e);

	if (rc != SAT_OK)
		return rc;
	if (rec != NULL) {
		rc = sat_crm_attached(&l.x, &l.n, a, c, rec, e);
		return rc == SAT_OK ? choose(out, &l, text, e) : rc;
	}
	for (size_t i = 0; i < sat_template_kinds(who.t); i++) {
		const sat_kind *k = sat_template_kind_at(who.t, i);

		for (size_t j = 0; j < k->nfields && text[0] != '\0'; j++)
			if (k->fields[j].files && may_view(&who, k, NULL) ==
			    SAT_OK && (rc = holders(&l, a, c, &who, k,
			    &k->fields[j], text, e)) != SAT_OK)
				return rc;
	}
	return choose(out, &l, text, e);
}

/* ---- changing ------------------------------------------------------------------- */

static sat_rc
write_both(sat_crm *c, const sat_file_ref *ref, const sat_field *f,
    sat_span text, sat_span content, sat_err *e)
{
	sat_input in = { '+', f->key, text };
	sat_rc rc;

	if ((rc = sat_replica_group_begin(c->replica, e)) != SAT_OK)
		return rc;
	if ((rc = sat_replica_file_keep(c->replica, ref, content, true, e)) ==
	    SAT_OK)
		rc = sat_crm_edit(NULL, c, ref->kind, &ref->rec, &in, 1, NULL,
		    e);
	if (rc == SAT_OK)
		return sat_replica_group_commit(c->replica, e);
	sat_replica_group_rollback(c->replica);
	return rc;
}

sat_rc
sat_crm_attach(sat_attached *out, sat_arena *a, sat_crm *c, const sat_id *rec,
    sat_span name, sat_span content, sat_err *e)
{
	char hex[SAT_ATTACHMENT_HEX + 1];
	const sat_field *f;
	sat_file_ref ref;
	sat_attached *have;
	crm_actor who;
	sat_buf text = { 0 };
	sat_view v;
	size_t n;
	sat_rc rc;

	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = sat_replica_get(&v, a, c->replica, NULL, rec, e)) !=
	    SAT_OK || (rc = sat_crm_attached(&have, &n, a, c, rec, e)) !=
	    SAT_OK)
		return rc;
	if ((f = files_field(v.kind)) == NULL)
		return sat_fail_code(e, SAT_EINVALID, "attachment.kind",
		    "a follow-up or a contract may: satchel schema KIND",
		    "records of kind %s have no files", v.kind->key);
	if (n >= SAT_ATTACHED_MAX)
		return sat_fail_code(e, SAT_EINVALID, "attachment.many", NULL,
		    "the record has %zu files already: no more than %d", n,
		    SAT_ATTACHED_MAX);
	sat_hash(ref.hash, content);
	ref.rec = v.rec.id;
	ref.kind = v.kind;
	ref.customer = customer_of(&who, &v);
	sat_attachment_write(&text, ref.hash, content.n, name);
	rc = write_both(c, &ref, f, sat_buf_span(&text), content, e);
	sat_buf_fini(&text);
	sat_hex(hex, ref.hash, sizeof ref.hash);
	return rc == SAT_OK ? sat_crm_attached_find(out, a, c, rec, hex, e) :
	    rc;
}

sat_rc
sat_crm_detach(sat_crm *c, const sat_attached *x, sat_err *e)
{
	char hex[SAT_ATTACHMENT_HEX + 1];
	sat_buf text = { 0 };
	sat_input in = { '-', x->field->key, { 0 } };
	sat_rc rc;

	sat_hex(hex, x->file.hash, sizeof x->file.hash);
	sat_buf_fmt(&text, "%s %llu %.*s %.*s", hex,
	    (unsigned long long)x->file.bytes, (int)x->file.type.n,
	    (const char *)x->file.type.p, (int)x->file.name.n,
	    (const char *)x->file.name.p);
	in.text = sat_buf_span(&text);
	rc = sat_crm_edit(NULL, c, x->ref.kind, &x->ref.rec, &in, 1, NULL, e);
	sat_buf_fini(&text);
	return rc;
}

sat_rc
sat_crm_attached_taken(sat_crm *c, const sat_attached *x, sat_err *e)
{
	const sat_access it = { .what = "export", .subject = x->ref.kind->key,
		.format = "attachment", .rows = 1 };
	char id[SAT_ID_TEXT], hex[SAT_ATTACHMENT_HEX + 1], *detail;
	sat_rc rc;

	sat_id_text(id, &x->ref.rec);
	sat_hex(hex, x->file.hash, sizeof x->file.hash);
	detail = sat_xasprintf("kind=%s id=%s hash=%s", x->ref.kind->key, id,
	    hex);
	rc = sat_replica_audit_about(c->replica, &x->ref.customer,
	    "attachment", detail, e);
	free(detail);
	return rc == SAT_OK ? sat_crm_access(c, &it, e) : rc;
}
