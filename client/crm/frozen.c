/*
 * frozen.c - the record of frozen numbers read: its head, the list of all, who
 * signed them.
 */
#include "client/crm/freeze_int.h"

#include <stdio.h>
#include <string.h>

/* ---- reading the record ---- */

static sat_value
value(const sat_view *v, const char *key)
{
	const sat_field *f = sat_kind_field(v->kind, key);

	return f == NULL ? sat_v_null() : sat_record_value(&v->rec, f->id);
}

int64_t
crm_frozen_whole(const sat_view *v, const char *key)
{
	sat_value x = value(v, key);

	return x.type == SAT_V_INT ? x.i : 0;
}

const char *
crm_frozen_text(sat_arena *a, const sat_view *v, const char *key)
{
	sat_value x = value(v, key);

	return x.type == SAT_V_TEXT ? sat_arena_str(a, x.s.p, x.s.n) : NULL;
}

void
crm_frozen_join(sat_buf *b, const sat_view *v, const char *stem, size_t parts)
{
	char key[20];
	sat_value x;

	for (size_t i = 1; i <= parts; i++) {
		(void)snprintf(key, sizeof key, "%s%zu", stem, i);
		x = value(v, key);
		if (x.type == SAT_V_TEXT)
			sat_buf_add(b, x.s.p, x.s.n);
	}
}

void
crm_hash_text(char out[SAT_HASH_BYTES * 2 + 1], sat_span bytes)
{
	uint8_t h[SAT_HASH_BYTES];

	sat_hash(h, bytes);
	sat_hex(out, h, sizeof h);
}

/* ---- signatures ---- */

static sat_rc
put_signed(sat_json *o, sat_crm *c, const sat_template *t, const sat_id *id,
    sat_err *e)
{
	static const char *const keys[] = { "frozen", "signed_by", "signed_at",
		"hash", "note" };
	const sat_kind *k = sat_template_kind(t, "report_signoff");
	sat_json *list = sat_json_put_arr(o, "signed"), *row;
	sat_value want = sat_v_bytes(sat_span_of(id->b, 16));
	sat_filter by = { 0, SAT_CMP_EQ, &want, 1 };
	uint16_t cols[4];
	sat_query q = { .kind = k, .filters = &by, .nfilters = 1,
		.columns = cols, .ncolumns = 4 };
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	for (size_t i = 0; i < 5; i++) {
		const sat_field *f = k == NULL ? NULL :
		    sat_kind_field(k, keys[i]);

		if (f == NULL)
			return SAT_OK;
		*(i == 0 ? &by.field : &cols[i - 1]) = f->id;
	}
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		row = sat_json_add_obj(list);
		for (size_t i = 0; i < 4; i++)
			if (i == 1)
				sat_json_put_time(row, "at", v[1].type == SAT_V_INT ?
				    v[1].i : 0);
			else if (v[i].type == SAT_V_TEXT)
				sat_json_put_strn(row, i == 0 ? "by" :
				    keys[i + 1], v[i].s);
			else
				sat_json_put_null(row, i == 0 ? "by" :
				    keys[i + 1]);
	}
	sat_rows_free(rows);
	return rc;
}

/* What a list says of one; *body receives its bytes. */
sat_rc
crm_frozen_head(sat_json *o, sat_buf *body, sat_crm *c, const sat_template *t,
    const sat_view *v, sat_err *e)
{
	static const char *const texts[] = { "report", "title", "period",
		"reach", "hash", "coverage" };
	char id[SAT_ID_TEXT], hash[SAT_HASH_BYTES * 2 + 1];
	sat_arena a = { 0 };
	const char *by, *is, *params;
	sat_json *list;
	sat_rc rc;

	sat_id_text(id, &v->rec.id);
	sat_json_put_str(o, "id", id);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		sat_json_put_str(o, texts[i], crm_frozen_text(&a, v, texts[i]));
	if ((params = crm_frozen_text(&a, v, "params")) == NULL ||
	    sat_json_parse(&list, sat_span_str(params), 0, NULL) != SAT_OK)
		list = sat_json_arr();
	sat_json_put(o, "params", list);
	by = crm_frozen_text(&a, v, "owner");
	sat_json_put_str(o, "by", by);
	sat_json_put_time(o, "frozen_at", crm_frozen_whole(v, "frozen_at"));
	sat_json_put_int(o, "cursor", crm_frozen_whole(v, "cursor"));
	crm_frozen_join(body, v, "body", CRM_BODY_PARTS);
	crm_hash_text(hash, sat_buf_span(body));
	is = crm_frozen_text(&a, v, "hash");
	sat_json_put_bool(o, "hash_ok", is != NULL && strcmp(is, hash) == 0);
	sat_json_put_bool(o, "pending", v->pending);
	rc = put_signed(o, c, t, &v->rec.id, e);
	sat_arena_fini(&a);
	return rc;
}

/* ---- list, sign ---- */

sat_rc
crm_frozen_kind(const sat_kind **k, crm_actor *who, sat_crm *c, sat_err *e)
{
	sat_rc rc = crm_actor_get(who, c, e);

	if (rc != SAT_OK)
		return rc;
	*k = sat_template_kind(who->t, "frozen_report");
	return *k != NULL ? SAT_OK : sat_fail_code(e, SAT_EVERSION,
	    "report.kind", NULL, "this template has no kind frozen_report");
}

static sat_rc
add_listed(sat_json *data, sat_crm *c, const crm_actor *who, const sat_kind *k,
    const sat_id *id, sat_err *e)
{
	sat_arena a = { 0 };
	sat_buf body = { 0 };
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, c->replica, k, id, e);

	if (rc == SAT_OK)
		rc = crm_frozen_head(sat_json_add_obj(data), &body, c, who->t, &v, e);
	sat_buf_fini(&body);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_crm_frozen_list(sat_json **out, sat_crm *c, const char *key, sat_err *e)
{
	const uint16_t cols[] = { SAT_Q_ID };
	sat_value want = sat_v_text(sat_span_str(key != NULL ? key : ""));
	sat_filter by = { 0, SAT_CMP_EQ, &want, 1 };
	sat_query q = { .filters = &by, .columns = cols, .ncolumns = 1,
		.nfilters = key != NULL };
	const sat_kind *k;
	const sat_value *v;
	sat_json *doc, *data;
	sat_rows *rows;
	crm_actor who;
	sat_id id;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_frozen_kind(&k, &who, c, e)) != SAT_OK)
		return rc;
	q.kind = k;
	by.field = sat_kind_field(k, "report")->id;
	q.sort[0].field = sat_kind_field(k, "frozen_at")->id;
	q.sort[0].desc = true;
	q.nsort = 1;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satchel/report.frozen.list/1");
	data = sat_json_put_arr(doc, "data");
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		memcpy(id.b, v[0].s.p, 16);
		if ((rc = add_listed(data, c, &who, k, &id, e)) != SAT_OK)
			break;
	}
	sat_rows_free(rows);
	if (rc == SAT_OK)
		*out = doc;
	else
		sat_json_free(doc);
	return rc;
}

static bool
signed_by(const sat_json *head, const char *user)
{
	const sat_json *s = sat_json_first(sat_json_get(head, "signed"));

	for (; s != NULL; s = sat_json_next(s))
		if (strcmp(sat_json_get_str(s, "by", ""), user) == 0)
			return true;
	return false;
}

static sat_rc
write_signature(sat_crm *c, const crm_actor *who, const sat_json *head,
    const char *note, const char *review, sat_err *e)
{
	const sat_kind *k = sat_template_kind(who->t, "report_signoff");
	const char *hash = sat_json_get_str(head, "hash", "");
	const char *id = sat_json_get_str(head, "id", "");
	sat_input in[4] = { { '=', "frozen", sat_span_str(id) },
		{ '=', "hash", sat_span_str(hash) } };
	size_t n = 2;
	sat_id made;

	if (k == NULL)
		return sat_fail_code(e, SAT_EVERSION, "report.kind", NULL,
		    "this template has no kind report_signoff");
	if (!sat_json_get_bool(head, "hash_ok", false))
		return sat_fail_code(e, SAT_EINTEGRITY, "report.hash", NULL,
		    "the frozen numbers do not give their hash");
	if (signed_by(head, who->me->key))
		return sat_fail_code(e, SAT_ECONFLICT, "report.signed", NULL,
		    "you have signed it");
	if (note != NULL)
		in[n++] = (sat_input){ '=', "note", sat_span_str(note) };
	if (review != NULL)
		in[n++] = (sat_input){ '=', "review", sat_span_str(review) };
	return sat_crm_create(&made, c, k, in, n, NULL, NULL, NULL, e);
}

sat_rc
sat_crm_sign(sat_json **out, sat_crm *c, const char *text, const char *note,
    const char *review, sat_err *e)
{
	sat_json *doc = NULL;
	const sat_kind *k;
	crm_actor who;
	sat_rc rc;

	*out = NULL;
	if ((rc = crm_frozen_kind(&k, &who, c, e)) == SAT_OK &&
	    (rc = sat_crm_frozen(&doc, c, text, e)) == SAT_OK &&
	    (rc = write_signature(c, &who, sat_json_get(doc, "frozen"), note,
	    review, e)) == SAT_OK)
		rc = sat_crm_frozen(out, c, text, e);
	sat_json_free(doc);
	return rc;
}
