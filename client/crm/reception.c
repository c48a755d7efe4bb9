/*
 * Visitors at the door: the visit itself, consent, the code of a report.
 */
#include "client/crm/reception.h"

#include "client/crm/crm_int.h"
#include "common/crypto/crypto.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS ((int64_t)60000)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define INPUTS_MAX 40

/* ---- codes ----------------------------------------------------------------------- */

void
sat_report_tag(char out[SAT_REPORT_TAG], const sat_id *report, sat_span phone)
{
	uint8_t h[SAT_HASH_BYTES];
	sat_buf b = { 0 };

	sat_buf_str(&b, "satchel report 1\n");
	sat_norm_phone(&b, phone);
	sat_hash_keyed(h, sat_span_of(report->b, sizeof report->b),
	    sat_buf_span(&b));
	sat_hex(out, h, 8);
	sat_buf_fini(&b);
}

void
sat_report_code(char out[SAT_REPORT_CODE], const sat_id *report, sat_span phone)
{
	char id[SAT_ID_TEXT], tag[SAT_REPORT_TAG];

	sat_id_text(id, report);
	sat_report_tag(tag, report, phone);
	(void)snprintf(out, SAT_REPORT_CODE, "R1.%s.%s", id, tag);
}

bool
sat_report_code_read(sat_id *report, char tag[SAT_REPORT_TAG], const char *text)
{
	char id[SAT_ID_TEXT];
	uint8_t bytes[8];

	if (strlen(text) != 3 + 26 + 1 + 16 || strncmp(text, "R1.", 3) != 0 ||
	    text[29] != '.' || !sat_unhex(bytes, 8, text + 30, 16))
		return false;
	memcpy(id, text + 3, 26);
	id[26] = '\0';
	sat_hex(tag, bytes, 8);
	return sat_id_parse(report, id);
}

sat_rc
sat_crm_report_code(char out[SAT_REPORT_CODE], sat_crm *c,
    const sat_id *report, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_kind *k = sat_template_kind(t, "preregistration");
	const sat_field *f = k != NULL ? sat_kind_field(k, "phone") : NULL;
	sat_arena a = { 0 };
	sat_value phone;
	sat_view v;
	sat_rc rc;

	if (f == NULL)
		return sat_fail(e, SAT_ENOTFOUND,
		    "the template has no reports of channels");
	rc = sat_replica_get(&v, &a, c->replica, k, report, e);
	if (rc == SAT_OK) {
		phone = sat_record_value(&v.rec, f->id);
		if (phone.type == SAT_V_TEXT)
			sat_report_code(out, report, phone.s);
		else
			rc = sat_fail_code(e, SAT_EINVALID, "report.phone",
			    NULL, "the report has no phone");
	}
	sat_arena_fini(&a);
	return rc;
}

/* ---- at the door ----------------------------------------------------------------- */

typedef struct door {
	sat_input in[INPUTS_MAX];
	size_t n;
} door;

static sat_span
typed(const door *d, const char *field)
{
	for (size_t i = d->n; i-- > 0;)
		if (d->in[i].verb == '=' && strcmp(d->in[i].field, field) == 0)
			return d->in[i].text;
	return (sat_span){ NULL, 0 };
}

/* Unless it was typed. */
static void
fill(door *d, const char *field, const char *text)
{
	if (typed(d, field).n == 0 && d->n < INPUTS_MAX)
		d->in[d->n++] = (sat_input){ '=', field, sat_span_str(text) };
}

static sat_rc
take_code(door *d, char id[SAT_ID_TEXT], char tag[SAT_REPORT_TAG],
    const char *code, sat_err *e)
{
	char is[SAT_REPORT_TAG];
	sat_span phone = typed(d, "phone");
	sat_id report;

	if (!sat_report_code_read(&report, tag, code))
		return sat_fail_code(e, SAT_EINVALID, "report.code",
		    "scan it again, or go on without it",
		    "this is no code of a report");
	sat_report_tag(is, &report, phone);
	if (phone.n == 0 || strcmp(is, tag) != 0)
		return sat_fail_code(e, SAT_EINVALID, "report.phone",
		    "type the phone the agent reported, or go on without the code",
		    "the code belongs to another phone");
	sat_id_text(id, &report);
	fill(d, "preregistration", id);
	fill(d, "proof", tag);
	fill(d, "channel", "channel");
	return SAT_OK;
}

static sat_rc
take_consent(door *d, char mark[SAT_CONSENT_MARK], char now[32],
    const sat_reception *r, const crm_actor *who, bool given, sat_err *e)
{
	if (given && sat_consent_mark(mark, r)) {
		sat_time_rfc3339(now, who->now_ms);
		fill(d, "consent_text", mark);
		fill(d, "consent_at", now);
	} else if (r->consent_required && typed(d, "phone").n > 0) {
		return sat_fail_code(e, SAT_EINVALID, "consent.required",
		    "show the text, and repeat with --consent once he agreed; "
		    "or leave the phone out",
		    "a phone is kept only with the visitor's consent");
	}
	return SAT_OK;
}

sat_rc
sat_crm_checkin(sat_id *out, sat_crm *c, const sat_checkin *in, sat_err *e)
{
	char mark[SAT_CONSENT_MARK], now[32], id[SAT_ID_TEXT];
	char tag[SAT_REPORT_TAG];
	const sat_kind *k;
	door d = { .n = 0 };
	crm_actor who;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	if ((k = sat_template_kind(who.t, "visit")) == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "the template has no visits");
	if (in->n > INPUTS_MAX - 8)
		return sat_fail(e, SAT_EUSAGE, "too many fields");
	memcpy(d.in, in->in, in->n * sizeof *in->in);
	d.n = in->n;
	if ((rc = take_consent(&d, mark, now, sat_template_reception(who.t),
	    &who, in->consent, e)) != SAT_OK ||
	    (in->code != NULL && (rc = take_code(&d, id, tag, in->code, e)) !=
	    SAT_OK))
		return rc;
	fill(&d, "station", in->station != NULL ? in->station : who.me->key);
	return sat_crm_create(out, c, k, d.in, d.n, NULL, NULL, NULL, e);
}

/* ---- how late --------------------------------------------------------------------- */

bool
sat_crm_late(int64_t *minutes, bool *late, const sat_template *t,
    const sat_view *v)
{
	const sat_field *f = strcmp(v->kind->key, "visit") == 0 ?
	    sat_kind_field(v->kind, "arrived_at") : NULL;
	sat_value at;

	if (f == NULL)
		return false;
	at = sat_record_value(&v->rec, f->id);
	if (at.type != SAT_V_INT)
		return false;
	*minutes = v->created_ms <= at.i ? 0 :
	    (v->created_ms - at.i) / MINUTE_MS;
	*late = *minutes > sat_template_reception(t)->late_entry_min;
	return true;
}

/* ---- reports ------------------------------------------------------------------------ */

void
crm_report_defaults(crm_work *w)
{
	const sat_field *from, *until;
	sat_value at;

	if (strcmp(w->kind->key, "preregistration") != 0)
		return;
	from = sat_kind_field(w->kind, "reported_at");
	until = sat_kind_field(w->kind, "valid_until");
	if (from == NULL || until == NULL || crm_changes_field(w, until) ||
	    (at = crm_after(w, from)).type != SAT_V_INT)
		return;
	crm_put(w, until, sat_v_int(at.i + DAY_MS *
	    sat_template_reception(w->who->t)->report_valid_d));
}
