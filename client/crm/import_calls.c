/*
 * The call log of a phone as follow-ups, without typing: a sheet of activities
 * whose columns are those of a call log gets its mapping here.
 */
#include "client/crm/import_int.h"
#include "common/crypto/crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const phones[] = { "phone", "phone number", "number",
	"电话", "电话号码", "号码", "手机号", "对方号码", NULL };
static const char *const times[] = { "date", "time", "call time", "日期",
	"时间", "通话时间", "呼叫时间", NULL };
static const char *const types[] = { "type", "call type", "类型", "通话类型",
	"呼叫类型", NULL };
static const char *const durations[] = { "duration", "时长", "通话时长",
	"通话时长(秒)", NULL };

static const char *const out_calls[] = { "out", "outgoing", "Outgoing",
	"OUTGOING", "呼出", "拨出", "去电", "主叫", NULL };
static const char *const in_calls[] = { "in", "incoming", "Incoming",
	"INCOMING", "呼入", "来电", "已接", "被叫", NULL };
static const char *const missed[] = { "missed", "Missed", "MISSED", "rejected",
	"Rejected", "REJECTED", "未接", "未接来电", "拒接", NULL };

static const char *
column_of(const struct sat_sheet *s, const char *const *names)
{
	for (size_t i = 0; i < sat_sheet_columns(s); i++)
		for (size_t k = 0; names[k] != NULL; k++)
			if (strcasecmp(sat_sheet_column(s, i), names[k]) == 0)
				return sat_sheet_column(s, i);
	return NULL;
}

static void
put_set(sat_json *list, const char *field, const char *text,
    const char *column, const char *const *words)
{
	sat_json *o = sat_json_add_obj(list), *texts;

	sat_json_put_str(o, "field", field);
	sat_json_put_str(o, "text", text);
	if (column == NULL)
		return;
	texts = sat_json_put_arr(sat_json_put_obj(o, "when"), column);
	for (size_t i = 0; words[i] != NULL; i++)
		sat_json_add_str(texts, words[i]);
}

static void
put_sets(sat_json *doc, const char *type, const char *duration)
{
	sat_json *list = sat_json_put_arr(doc, "set");
	sat_buf b = { 0 };

	put_set(list, "method", "phone", NULL, NULL);
	sat_buf_str(&b, "通话");
	if (type != NULL)
		sat_buf_fmt(&b, " {%s}", type);
	if (duration != NULL)
		sat_buf_fmt(&b, " {%s}", duration);
	put_set(list, "points", sat_buf_cstr(&b), NULL, NULL);
	sat_buf_fini(&b);
	if (type == NULL)
		return;
	put_set(list, "direction", "out", type, out_calls);
	put_set(list, "direction", "in", type, in_calls);
	put_set(list, "direction", "in", type, missed);
	put_set(list, "effective", "false", type, missed);
}

sat_json *
imp_calls_map(const struct sat_sheet *s, const sat_kind *k)
{
	const char *phone = column_of(s, phones), *when = column_of(s, times);
	const char *type = column_of(s, types);
	const char *duration = column_of(s, durations);
	sat_json *doc, *columns, *c;

	if (strcmp(k->key, "activity") != 0 || phone == NULL || when == NULL ||
	    (type == NULL && duration == NULL))
		return NULL;
	doc = sat_json_obj();
	sat_json_put_str(doc, "kind", k->key);
	sat_json_put_str(doc, "key", "external_id");
	columns = sat_json_put_obj(doc, "columns");
	for (size_t i = 0; i < sat_sheet_columns(s); i++) {
		const char *name = sat_sheet_column(s, i);

		if (name != phone && name != when && name != type &&
		    name != duration) {
			sat_json_put_null(columns, name);
			continue;
		}
		c = sat_json_put_obj(columns, name);
		if (name == phone) {
			sat_json_put_str(c, "field", "account");
			sat_json_put_str(c, "lookup", "phone_main");
		} else if (name == when) {
			sat_json_put_str(c, "field", "occurred_at");
		}
	}
	put_sets(doc, type, duration);
	return doc;
}

/* ---- the name of a call ------------------------------------------------------------ */

#define CALL_TEXT 80

/* One of 16: tells calls to two phones of a customer in the same minute apart, and
 * says nothing about either to whom they are masked. */
static unsigned
phone_of_16(const imp_job *j, const imp_column *c, sat_span text)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	sat_value v;

	if (sat_field_parse(&v, &a, j->who.t, c->lookup, text, NULL) ==
	    SAT_OK && v.type == SAT_V_TEXT)
		sat_norm_key(&b, c->lookup->norm, v.s);
	sat_hash(hash, sat_buf_span(&b));
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return hash[0] & 15;
}

/* Is there a follow-up of this name? Then it is the row's. */
static sat_rc
try_name(bool *found, crm_work *w, imp_job *j, const char *name, sat_err *e)
{
	sat_value v = sat_v_text(sat_span_str(name));
	sat_id id[1];
	size_t n;
	sat_rc rc = crm_find(id, 1, &n, w, w->kind, j->map.key, v, e);

	*found = rc == SAT_OK && n > 0;
	if (*found)
		crm_put(w, j->map.key, sat_value_dup(&j->a, v));
	return rc;
}

/* As logs were named before: by the cells of the sheet. */
static void
former_name(char name[CALL_TEXT], const imp_job *j)
{
	const sat_span p = j->text[j->map.call_phone];
	const sat_span t = j->text[j->map.call_time];

	(void)snprintf(name, CALL_TEXT, "%.*s %.*s", (int)p.n,
	    (const char *)p.p, (int)t.n, (const char *)t.p);
}

sat_rc
imp_calls_name(crm_work *w, imp_job *j, sat_err *e)
{
	const imp_column *phone = &j->map.columns[j->map.call_phone];
	sat_value who = crm_after(w, phone->field), at = crm_after(w,
	    j->map.columns[j->map.call_time].field);
	unsigned which = phone_of_16(j, phone, j->text[j->map.call_phone]);
	char name[CALL_TEXT], former[CALL_TEXT], id[SAT_ID_TEXT];
	bool found = false;
	sat_id *ids, to;
	size_t n;
	sat_rc rc;

	if (who.type != SAT_V_BYTES || who.s.n != sizeof to.b ||
	    at.type != SAT_V_INT)
		return SAT_OK; /* the row is refused for that */
	memcpy(to.b, who.s.p, sizeof to.b);
	if ((rc = sat_replica_merged(&ids, &n, &j->a, j->c->replica, &to, e)) !=
	    SAT_OK)
		return rc;
	for (size_t i = n; i > 0 && !found && rc == SAT_OK; i--) {
		sat_id_text(id, &ids[i - 1]);
		(void)snprintf(name, sizeof name, "call %s %" PRId64 " %x", id,
		    at.i, which);
		if (i > 1)
			rc = try_name(&found, w, j, name, e);
	}
	former_name(former, j);
	if (rc == SAT_OK && !found)
		rc = try_name(&found, w, j, former, e);
	if (rc == SAT_OK && !found)
		crm_put(w, j->map.key, sat_value_dup(&j->a,
		    sat_v_text(sat_span_str(name))));
	return rc;
}

/* ---- whose phone it is ------------------------------------------------------------- */

/* The customers of the contacts with this phone, at most one when they agree. */
sat_rc
imp_account_of_contact(sat_id id[2], size_t *n, crm_work *w, const sat_kind *k,
    sat_value phone, sat_err *e)
{
	const sat_kind *contact = sat_template_kind(w->who->t, "contact");
	const sat_field *f = contact != NULL ?
	    sat_kind_field(contact, "phone") : NULL;
	sat_id found[8];
	size_t nfound;
	sat_value p;
	sat_view v;
	sat_rc rc;

	*n = 0;
	if (f == NULL || f->dup_weight <= 0 || contact->parent == NULL ||
	    strcmp(contact->parent->ref, k->key) != 0)
		return SAT_OK;
	rc = crm_find(found, 8, &nfound, w, contact, f, phone, e);
	for (size_t i = 0; rc == SAT_OK && i < nfound && *n < 2; i++) {
		if ((rc = sat_replica_get(&v, w->a, w->c->replica, contact,
		    &found[i], e)) != SAT_OK)
			break;
		p = sat_record_value(&v.rec, contact->parent->id);
		if (p.type != SAT_V_BYTES || p.s.n != 16 ||
		    (*n == 1 && memcmp(id[0].b, p.s.p, 16) == 0))
			continue;
		memcpy(id[(*n)++].b, p.s.p, 16);
	}
	return rc;
}
