/*
 * The call log of a phone as follow-ups, without typing: a sheet of activities
 * whose columns are those of a call log gets its mapping here.
 */
#include "client/crm/import_int.h"

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

/* Every call is one follow-up, whoever imports the log again. */
static void
put_sets(sat_json *doc, const char *phone, const char *when, const char *type,
    const char *duration)
{
	sat_json *list = sat_json_put_arr(doc, "set");
	sat_buf b = { 0 };

	put_set(list, "method", "phone", NULL, NULL);
	sat_buf_fmt(&b, "{%s} {%s}", phone, when);
	put_set(list, "external_id", sat_buf_cstr(&b), NULL, NULL);
	sat_buf_reset(&b);
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
	put_sets(doc, phone, when, type, duration);
	return doc;
}

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
