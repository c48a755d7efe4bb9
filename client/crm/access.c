/*
 * access.c - who opened the program, ran a report, exported.
 *
 * Each is in the device's own audit chain; the template says what becomes a
 * record besides, which syncs to whoever may see the records of that person.
 */
#include "client/crm/crm_int.h"

#include "common/base/clock.h"
#include "common/template/reminder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGIN "access.login" /* setting: the day of the last one */
#define REASON_MAX 200

static sat_audit_often
how_often(const sat_template *t, const char *what)
{
	const sat_audit_policy *p = sat_template_audit(t);

	return strcmp(what, "login") == 0 ? p->login :
	    strcmp(what, "report") == 0 ? p->report : p->exported;
}

/* Since midnight in the organisation's time zone. */
static sat_rc
is_told(bool *yes, const crm_actor *who, sat_crm *c, const sat_kind *k,
    const sat_access *it, sat_err *e)
{
	int64_t zone = (int64_t)sat_template_tz_min(who->t) * 60000;
	int64_t day = (who->now_ms + zone) / 86400000 * 86400000 - zone, n = 0;
	const char *const keys[] = { "what", "subject", "owner", "accessed_at" };
	sat_value v[4] = { sat_v_text(sat_span_str(it->what)),
		sat_v_text(sat_span_str(it->subject)),
		sat_v_text(sat_span_str(who->me->key)), sat_v_int(day) };
	sat_filter f[4];
	sat_query q = { .kind = k, .filters = f, .nfilters = 4 };
	sat_rc rc;

	for (size_t i = 0; i < 4; i++) {
		const sat_field *fd = sat_kind_field(k, keys[i]);

		if (fd == NULL)
			return sat_fail(e, SAT_EINVALID,
			    "the kind access has no field %s", keys[i]);
		f[i] = (sat_filter){ fd->id, i == 3 ? SAT_CMP_GE : SAT_CMP_EQ,
			&v[i], 1 };
	}
	if ((rc = sat_replica_count(&n, c->replica, &q, e)) == SAT_OK)
		*yes = n > 0;
	return rc;
}

/* At most so many bytes, and whole characters. */
static sat_span
cut(const char *s)
{
	size_t n = strlen(s);

	if (n > REASON_MAX)
		for (n = REASON_MAX; n > 0 && ((unsigned char)s[n] & 0xc0) ==
		    0x80;)
			n--;
	return sat_span_of(s, n);
}

sat_rc
sat_crm_access(sat_crm *c, const sat_access *it, sat_err *e)
{
	sat_write_opts o = { .flag_missing = false };
	sat_audit_often often;
	const sat_kind *k;
	crm_actor who;
	char rows[24];
	sat_input in[5];
	size_t n = 0;
	bool told = false;
	sat_id made;
	sat_rc rc = crm_actor_get(&who, c, e);

	if (rc != SAT_OK)
		return rc;
	k = sat_template_kind(who.t, "access");
	often = how_often(who.t, it->what);
	if (k == NULL || often == SAT_AUDIT_NO ||
	    sat_acl(who.t, who.me->role, "access.create") == SAT_GRANT_NO)
		return SAT_OK;
	if (often == SAT_AUDIT_DAY &&
	    ((rc = is_told(&told, &who, c, k, it, e)) != SAT_OK || told))
		return rc;
	in[n++] = (sat_input){ '=', "what", sat_span_str(it->what) };
	in[n++] = (sat_input){ '=', "subject", sat_span_str(it->subject) };
	if (it->format != NULL)
		in[n++] = (sat_input){ '=', "format", sat_span_str(it->format) };
	if (it->reason != NULL && it->reason[0] != '\0')
		in[n++] = (sat_input){ '=', "reason", cut(it->reason) };
	if (it->rows >= 0) {
		(void)snprintf(rows, sizeof rows, "%" PRId64, it->rows);
		in[n++] = (sat_input){ '=', "rows", sat_span_str(rows) };
	}
	return sat_crm_create(&made, c, k, in, n, &o, NULL, NULL, e);
}

sat_rc
sat_crm_login(sat_crm *c, sat_err *e)
{
	sat_access it = { .what = "login", .rows = -1 };
	sat_buf last = { 0 };
	char day[16];
	crm_actor who;
	bool known;
	sat_rc rc = crm_actor_get(&who, c, e);

	if (rc != SAT_OK) /* never synced: nothing is here yet */
		return rc == SAT_ENOREPLICA ? SAT_OK : rc;
	sat_local_date(day, who.now_ms, sat_template_tz_min(who.t));
	rc = sat_replica_setting_get(&last, c->replica, LOGIN, e);
	known = rc == SAT_OK && sat_span_eq(sat_buf_span(&last),
	    sat_span_str(day));
	sat_buf_fini(&last);
	if (known || (rc != SAT_OK && rc != SAT_ENOTFOUND))
		return rc;
	it.subject = day;
	if ((rc = sat_replica_audit(c->replica, "login", day, e)) != SAT_OK ||
	    (rc = sat_replica_setting_put(c->replica, LOGIN,
	    sat_span_str(day), e)) != SAT_OK)
		return rc;
	return sat_crm_access(c, &it, e);
}

sat_rc
sat_crm_report_shown(sat_crm *c, const char *key, const char *period,
    sat_err *e)
{
	const sat_access it = { .what = "report", .subject = key, .rows = -1 };
	char *detail = sat_xasprintf("report=%s period=%s", key,
	    period != NULL ? period : "all");
	sat_rc rc = sat_replica_audit(c->replica, "report", detail, e);

	free(detail);
	if (rc == SAT_OK)
		rc = sat_crm_access(c, &it, e);
	return rc == SAT_ENOSPACE ? SAT_OK : rc; /* a full disk can be read */
}
