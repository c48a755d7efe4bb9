/*
 * Records going out in bulk. The right is judged per row (a rep exports what
 * is his, though his device holds a little more), masked fields are masked by
 * role, and the audit chain knows of it before the first byte leaves.
 */
#include "client/crm/crm_int.h"
#include "common/sheet/sheet.h"
#include "common/template/privacy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* id and created first, then the fields: an export read back finds its rows. */
#define EXTRA 2

struct out;
typedef struct out {
	sat_crm *c;
	const sat_export_opts *o;
	crm_actor who;
	const sat_kind *kind;
	sat_grant grant;
	bool by_consent;          /* a consent is needed, for one of */
	const sat_json *purposes; /* these; NULL: of nothing */
	bool table;
	const char *format;
	sat_rc (*put)(struct out *x, const sat_value *v, sat_relation rel,
	    sat_err *e);
	uint16_t columns[SAT_FIELDS_MAX + EXTRA];
	size_t ncolumns;
	sat_buf b, mask, line;
	int64_t rows;
} out;

static sat_rc put_line(out *x, const sat_value *v, sat_relation rel, sat_err *e);
static sat_rc put_vcard(out *x, const sat_value *v, sat_relation rel, sat_err *e);
static sat_rc put_event(out *x, const sat_value *v, sat_relation rel, sat_err *e);

static const struct {
	const char *name;
	sat_rc (*put)(out *x, const sat_value *v, sat_relation rel, sat_err *e);
} formats[] = { { "csv", NULL }, { "xlsx", NULL }, { "jsonl", put_line },
	{ "vcf", put_vcard }, { "ics", put_event },
	/* each line becomes a row of a database: the caller's business */
	{ "sqlite", put_line } };
#define NFORMATS (sizeof formats / sizeof formats[0])

static sat_rc
check(out *x, sat_err *e)
{
	const sat_export_opts *o = x->o;
	size_t i = 0;

	while (i < NFORMATS && o->format != NULL &&
	    strcmp(formats[i].name, o->format) != 0)
		i++; /* NULL: the first */
	if (i == NFORMATS)
		return sat_fail_code(e, SAT_EUSAGE, "usage.format",
		    "csv, xlsx, jsonl, vcf, ics or sqlite",
		    "export cannot write this format");
	x->put = formats[i].put;
	x->format = formats[i].name;
	x->table = x->put == NULL;
	if (!o->dry && (x->table ? o->table == NULL : o->line == NULL))
		return sat_fail(e, SAT_EUSAGE, "export has no place to write to");
	x->grant = sat_acl(x->who.t, x->who.me->role, "export");
	if (x->grant == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "permission.denied", NULL,
		    "role %.20s may not export", x->who.me->role);
	return SAT_OK;
}

static void
choose_columns(out *x)
{
	const sat_query *q = x->o->query;

	x->columns[x->ncolumns++] = SAT_Q_ID;
	x->columns[x->ncolumns++] = SAT_Q_CREATED;
	for (size_t i = 0; q->columns != NULL && i < q->ncolumns; i++)
		if (sat_kind_field_id(x->kind, q->columns[i]) != NULL &&
		    x->ncolumns < SAT_FIELDS_MAX + EXTRA)
			x->columns[x->ncolumns++] = q->columns[i];
	for (size_t i = 0; q->columns == NULL && i < x->kind->nfields; i++)
		if (x->kind->fields[i].policy != SAT_P_DERIVED)
			x->columns[x->ncolumns++] = x->kind->fields[i].id;
}

static const sat_field *
field_at(const out *x, size_t i)
{
	return sat_kind_field_id(x->kind, x->columns[i]);
}

/* Lines end with CRLF; whoever writes them adds the LF. */
static sat_rc
put_lines(out *x, sat_err *e)
{
	if (x->line.n == 0)
		return SAT_OK;
	x->line.n--;
	return x->o->line(x->o->u, sat_buf_span(&x->line), e);
}

static sat_rc
put_calendar(out *x, bool begin, sat_err *e)
{
	sat_buf_reset(&x->line);
	crm_calendar(&x->line, begin);
	return put_lines(x, e);
}

/* ---- rows ---------------------------------------------------------------------- */

static sat_rc
put_header(out *x, sat_err *e)
{
	sat_sheet_out *sheet = x->o->table;

	if (x->put == put_event)
		return put_calendar(x, true, e);
	if (!x->table)
		return SAT_OK;
	sat_sheet_out_plain(sheet, sat_span_str("id"));
	sat_sheet_out_plain(sheet, sat_span_str("created"));
	for (size_t i = EXTRA; i < x->ncolumns; i++) {
		const sat_field *f = field_at(x, i);

		sat_sheet_out_plain(sheet, sat_span_str(x->o->labels ?
		    crm_word(x->c, f->zh, f->en) : f->key));
	}
	return sat_sheet_out_endrow(sheet, e);
}

/* What somebody wrote: also a reference, whose label is another record's name. */
static bool
is_text(const sat_field *f)
{
	return f->type != SAT_F_INT && f->type != SAT_F_MONEY &&
	    f->type != SAT_F_BOOL && f->type != SAT_F_DATE &&
	    f->type != SAT_F_TIME;
}

static void
cell_text(out *x, const sat_field *f, sat_value v)
{
	sat_buf_reset(&x->b);
	if (x->o->labels)
		crm_label(&x->b, x->c, x->who.t, f, v);
	else
		sat_field_format(&x->b, x->who.t, f, v, NULL);
}

static sat_value
shown(out *x, const sat_field *f, sat_value v, sat_relation rel)
{
	if (f->mask != NULL && (x->o->mask ||
	    crm_masked(x->c, x->who.t, f, rel)))
		return crm_mask(&x->mask, v);
	return v;
}

static sat_rc
put_cells(out *x, const sat_value *v, sat_relation rel, sat_err *e)
{
	sat_sheet_out *sheet = x->o->table;
	char text[32];
	sat_id id;

	memcpy(id.b, v[0].s.p, sizeof id.b);
	sat_id_text(text, &id);
	sat_sheet_out_plain(sheet, sat_span_str(text));
	sat_time_rfc3339(text, v[1].i);
	sat_sheet_out_plain(sheet, sat_span_str(text));
	for (size_t i = EXTRA; i < x->ncolumns; i++) {
		const sat_field *f = field_at(x, i);

		cell_text(x, f, shown(x, f, v[i], rel));
		if (is_text(f))
			sat_sheet_out_text(sheet, sat_buf_span(&x->b));
		else
			sat_sheet_out_plain(sheet, sat_buf_span(&x->b));
	}
	return sat_sheet_out_endrow(sheet, e);
}

static sat_rc
put_line(out *x, const sat_value *v, sat_relation rel, sat_err *e)
{
	sat_json *o = sat_json_obj(), *labels;
	char text[32];
	sat_id id;

	memcpy(id.b, v[0].s.p, sizeof id.b);
	sat_id_text(text, &id);
	sat_json_put_str(o, "id", text);
	sat_json_put_time(o, "created", v[1].i);
	for (size_t i = EXTRA; i < x->ncolumns; i++) {
		const sat_field *f = field_at(x, i);

		crm_json_put(o, f->key, x->c, x->who.t, f,
		    shown(x, f, v[i], rel));
	}
	labels = x->o->labels ? sat_json_put_obj(o, "label") : NULL;
	for (size_t i = EXTRA; labels != NULL && i < x->ncolumns; i++) {
		const sat_field *f = field_at(x, i);

		if (v[i].type == SAT_V_NULL || (f->dict == NULL &&
		    f->type != SAT_F_USER && f->type != SAT_F_REF))
			continue;
		cell_text(x, f, v[i]);
		sat_json_put_strn(labels, f->key, sat_buf_span(&x->b));
	}
	sat_buf_reset(&x->line);
	sat_json_write(&x->line, o, false);
	sat_json_free(o);
	return x->o->line(x->o->u, sat_buf_span(&x->line), e);
}

/* The record with the values a card may carry: what is masked is left out. */
static void
card_of(crm_card *k, sat_value *values, char id[SAT_ID_TEXT], out *x,
    const sat_value *v, sat_relation rel)
{
	sat_id rec;

	memcpy(rec.b, v[0].s.p, sizeof rec.b);
	sat_id_text(id, &rec);
	for (size_t i = EXTRA; i < x->ncolumns; i++) {
		const sat_field *f = field_at(x, i);
		bool masked = f->mask != NULL && (x->o->mask ||
		    crm_masked(x->c, x->who.t, f, rel));

		values[i - EXTRA] = masked ? sat_v_null() : v[i];
	}
	*k = (crm_card){ x->c, x->who.t, x->kind, id, v[1].i,
		x->columns + EXTRA, values, x->ncolumns - EXTRA };
}

static sat_rc
put_vcard(out *x, const sat_value *v, sat_relation rel, sat_err *e)
{
	sat_value values[SAT_FIELDS_MAX];
	char id[SAT_ID_TEXT];
	crm_card k;

	card_of(&k, values, id, x, v, rel);
	sat_buf_reset(&x->line);
	crm_vcard(&x->line, &k);
	return put_lines(x, e);
}

static sat_rc
put_event(out *x, const sat_value *v, sat_relation rel, sat_err *e)
{
	sat_value values[SAT_FIELDS_MAX];
	char id[SAT_ID_TEXT];
	crm_card k;

	card_of(&k, values, id, x, v, rel);
	sat_buf_reset(&x->line);
	if (crm_event(&x->line, &k))
		return put_lines(x, e);
	x->rows--; /* nothing of it leaves, and it will be counted */
	return SAT_OK;
}

/* Does it matter how the reader stands to this row? */
static bool
needs_relation(const out *x)
{
	if (x->grant != SAT_GRANT_ALL)
		return true;
	for (size_t i = EXTRA; i < x->ncolumns; i++)
		if (field_at(x, i)->mask != NULL && sat_acl(x->who.t,
		    x->who.me->role, "phone.reveal") != SAT_GRANT_ALL)
			return true;
	return false;
}

/* Does this role export only whom a consent covers? Then of kinds with personal
 * data. */
static bool
needs_consent(out *x)
{
	bool personal = false;

	for (size_t i = 0; i < x->kind->nfields; i++)
		personal = personal || x->kind->fields[i].mask != NULL ||
		    x->kind->fields[i].type == SAT_F_EMAIL;
	return sat_template_consented(&x->purposes, x->who.t,
	    x->who.me->role) && personal;
}

/* A live consent of the customer for one of the purposes, and none for it that
 * was withdrawn: a withdrawal wins over whatever was given beside it. */
static sat_rc
consented(bool *yes, out *x, const sat_id *customer, sat_err *e)
{
	const sat_kind *k = sat_template_kind(x->who.t, "consent");
	const sat_field *why = k != NULL ? sat_kind_field(k, "purpose") : NULL;
	const sat_field *off = k != NULL ? sat_kind_field(k, "withdrawn") : NULL;
	const sat_json *n = sat_json_first(x->purposes);
	sat_value v[3] = { sat_v_id(customer), sat_v_null(), sat_v_int(1) };
	sat_filter f[3];
	sat_query q = { .kind = k, .filters = f, .nfilters = 2 };
	int64_t given = 0, withdrawn = 0;
	sat_rc rc = SAT_OK;

	*yes = false;
	if (why == NULL || off == NULL || k->parent == NULL)
		return SAT_OK;
	f[0] = (sat_filter){ k->parent->id, SAT_CMP_EQ, &v[0], 1 };
	f[1] = (sat_filter){ why->id, SAT_CMP_EQ, &v[1], 1 };
	f[2] = (sat_filter){ off->id, SAT_CMP_EQ, &v[2], 1 };
	for (; rc == SAT_OK && !*yes && n != NULL; n = sat_json_next(n)) {
		v[1] = sat_v_text(sat_span_str(sat_json_str(n, "")));
		q.nfilters = 2;
		if ((rc = sat_replica_count(&given, x->c->replica, &q, e)) !=
		    SAT_OK)
			return rc;
		q.nfilters = 3;
		rc = sat_replica_count(&withdrawn, x->c->replica, &q, e);
		*yes = given > 0 && withdrawn == 0;
	}
	return rc;
}

/* The customer a row is, or is under. */
static sat_rc
may_leave(bool *yes, out *x, const sat_id *id, sat_err *e)
{
	const sat_kind *root = sat_template_kind(x->who.t, "account");
	sat_arena a = { 0 };
	sat_value up = sat_v_id(id);
	sat_view v;
	sat_id customer;
	sat_rc rc = SAT_OK;

	*yes = false;
	if (x->kind != root) {
		rc = sat_replica_get(&v, &a, x->c->replica, x->kind, id, e);
		up = rc == SAT_OK && x->kind->parent != NULL && root != NULL &&
		    strcmp(x->kind->parent->ref, root->key) == 0 ?
		    sat_record_value(&v.rec, x->kind->parent->id) : sat_v_null();
	}
	if (rc == SAT_OK && up.type == SAT_V_BYTES && up.s.n ==
	    sizeof customer.b) {
		memcpy(customer.b, up.s.p, sizeof customer.b);
		rc = consented(yes, x, &customer, e);
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
put_row(out *x, const sat_value *v, bool related, sat_err *e)
{
	sat_relation rel = SAT_REL_ALL;
	bool yes = true;
	sat_id id;
	sat_rc rc;

	memcpy(id.b, v[0].s.p, sizeof id.b);
	if (x->by_consent &&
	    ((rc = may_leave(&yes, x, &id, e)) != SAT_OK || !yes))
		return rc;
	if (related) {
		if ((rc = sat_replica_relation(&rel, x->c->replica, x->kind,
		    &id, e)) != SAT_OK)
			return rc;
		if (!sat_grant_covers(x->grant, rel))
			return SAT_OK;
	}
	rc = x->table ? put_cells(x, v, rel, e) : x->put(x, v, rel, e);
	x->rows += rc == SAT_OK;
	return rc;
}

static sat_rc
put_rows(out *x, sat_err *e)
{
	sat_query q = *x->o->query;
	bool related = needs_relation(x);
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	q.columns = x->columns;
	q.ncolumns = x->ncolumns;
	if ((rc = put_header(x, e)) != SAT_OK ||
	    (rc = sat_replica_query(&rows, x->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		if ((rc = put_row(x, v, related, e)) != SAT_OK)
			break;
	sat_rows_free(rows);
	if (rc == SAT_OK && x->put == put_event)
		rc = put_calendar(x, false, e);
	return rc;
}

/*
 * Who exports only what is his own takes at most so many rows at a time: a
 * customer list that leaves with a salesman is the loss people fear most. Asked
 * before the first row leaves.
 */
static sat_rc
check_limit(out *x, sat_err *e)
{
	const uint16_t id = SAT_Q_ID;
	sat_query q = *x->o->query;
	const sat_value *v;
	sat_relation rel;
	sat_rows *rows;
	int64_t n = 0;
	sat_id rec;
	sat_rc rc;

	if (x->grant != SAT_GRANT_OWN)
		return SAT_OK;
	q.columns = &id;
	q.ncolumns = 1;
	if ((rc = sat_replica_query(&rows, x->c->replica, &q, e)) != SAT_OK)
		return rc;
	while (n <= SAT_EXPORT_OWN_MAX &&
	    (rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		memcpy(rec.b, v[0].s.p, sizeof rec.b);
		if ((rc = sat_replica_relation(&rel, x->c->replica, x->kind,
		    &rec, e)) != SAT_OK)
			break;
		n += sat_grant_covers(x->grant, rel);
	}
	sat_rows_free(rows);
	if (rc == SAT_OK && n > SAT_EXPORT_OWN_MAX)
		rc = sat_fail_code(e, SAT_EDENIED, "export.limit",
		    "narrow it with --where, or ask the manager",
		    "role %.20s may export at most %d rows at a time",
		    x->who.me->role, SAT_EXPORT_OWN_MAX);
	return rc;
}

/* A book says who made it, of what, and why (a list that turns up elsewhere
 * can be asked about). */
static void
put_about(const out *x)
{
	const sat_replica_identity *id =
	    sat_replica_identity_get(x->c->replica);
	const char *title = crm_word(x->c, "导出说明", "About this export");
	char when[32], device[24], rows[24];
	struct {
		const char *zh, *en, *is;
	} lines[] = { { "导出人", "Exported by", x->who.me->key },
		{ "导出时间", "Exported at", when },
		{ "设备", "Device", device },
		{ "内容", "Records", crm_word(x->c, x->kind->zh, x->kind->en) },
		{ "行数", "Rows", rows },
		{ "原因", "Reason", x->o->reason != NULL ? x->o->reason : "" } };

	if (!x->table)
		return;
	sat_time_rfc3339(when, x->who.now_ms);
	(void)snprintf(device, sizeof device, "%" PRIu32, id->device);
	(void)snprintf(rows, sizeof rows, "%" PRId64, x->rows);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		sat_sheet_out_about(x->o->table, title, crm_word(x->c,
		    lines[i].zh, lines[i].en), lines[i].is);
}

/* Before, so that an export that is cut off is known too; and after, with the
 * number of rows that left. */
static sat_rc
log_it(const out *x, const char *action, sat_err *e)
{
	char *detail = sat_xasprintf("kind=%s format=%s rows=%" PRId64
	    " mask=%d reason=%s file=%s", x->kind->key, x->format,
	    x->rows, x->o->mask, x->o->reason != NULL ? x->o->reason : "",
	    x->o->to != NULL ? x->o->to : "-");
	sat_rc rc = sat_replica_audit(x->c->replica, action, detail, e);

	free(detail);
	return rc;
}

/* Headquarters learns of it too, where the template says so. */
static sat_rc
tell(const out *x, sat_err *e)
{
	const sat_access it = { .what = "export", .subject = x->kind->key,
		.format = x->format, .reason = x->o->reason, .rows = x->rows };

	return sat_crm_access(x->c, &it, e);
}

sat_rc
sat_crm_export(int64_t *rows, sat_crm *c, const sat_export_opts *o, sat_err *e)
{
	out x = { .c = c, .o = o, .kind = o->query->kind };
	sat_rc rc, logged;

	*rows = 0;
	if ((rc = crm_actor_get(&x.who, c, e)) != SAT_OK ||
	    (rc = check(&x, e)) != SAT_OK)
		return rc;
	if ((rc = check_limit(&x, e)) != SAT_OK) {
		logged = log_it(&x, "export.refused", NULL);
		return logged == SAT_ENOSPACE ? logged : rc;
	}
	if (o->dry)
		return SAT_OK;
	choose_columns(&x);
	x.by_consent = needs_consent(&x);
	if ((rc = log_it(&x, "export", e)) == SAT_OK) {
		if ((rc = put_rows(&x, e)) == SAT_OK)
			put_about(&x);
		logged = log_it(&x, rc == SAT_OK ? "export.done" :
		    "export.failed", rc == SAT_OK ? e : NULL);
		rc = rc == SAT_OK ? logged : rc;
		if (x.rows > 0) { /* also of one that was cut off */
			logged = tell(&x, rc == SAT_OK ? e : NULL);
			rc = rc == SAT_OK ? logged : rc;
		}
	}
	*rows = x.rows;
	sat_buf_fini(&x.b);
	sat_buf_fini(&x.mask);
	sat_buf_fini(&x.line);
	return rc;
}
