/*
 * policy/reception.json: call_in_d, walk_in_d, tracked_d, tracked_max_d,
 * natural_h, split_min, report_valid_d, report_lead_min, channel_conflict
 * (proof, first_report), late_entry_min, consent {required, version, text
 * {zh, en}}.
 */
#include "common/template/reception.h"

#include "common/crypto/crypto.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

#define PATH "policy/reception.json"
#define DAYS_MAX 3650
#define MINUTES_MAX (30 * 24 * 60)
#define VERSION_MAX 40

const sat_reception *
sat_template_reception(const sat_template *t)
{
	return t->reception;
}

static int
number(walk *w, const sat_json *n, const char *key, int dflt, int max)
{
	return (int)sat_walk_int(w, n, key, dflt, 0, max);
}

static void
read_periods(sat_reception *r, walk *w, const sat_json *root)
{
	const char *how = sat_walk_text(w, root, "channel_conflict", false);
	sat_judge_rules *j = &r->judge;

	j->call_in_d = number(w, root, "call_in_d", 15, DAYS_MAX);
	j->walk_in_d = number(w, root, "walk_in_d", 7, DAYS_MAX);
	j->tracked_d = number(w, root, "tracked_d", 30, DAYS_MAX);
	j->tracked_max_d = number(w, root, "tracked_max_d", 40, DAYS_MAX);
	j->natural_h = number(w, root, "natural_h", 72, DAYS_MAX * 24);
	j->split_min = number(w, root, "split_min", 0, MINUTES_MAX);
	j->lead_min = number(w, root, "report_lead_min", 0, MINUTES_MAX);
	r->report_valid_d = number(w, root, "report_valid_d", 7, DAYS_MAX);
	r->late_entry_min = number(w, root, "late_entry_min", 240, MINUTES_MAX);
	j->first_report = how != NULL && strcmp(how, "first_report") == 0;
	if (w->rc == SAT_OK && how != NULL && !j->first_report &&
	    strcmp(how, "proof") != 0)
		sat_walk_fault(w, "'channel_conflict' is proof or first_report");
	if (w->rc == SAT_OK && j->tracked_max_d < j->tracked_d)
		sat_walk_fault(w, "'tracked_max_d' is less than 'tracked_d'");
	if (w->rc == SAT_OK && r->report_valid_d == 0)
		sat_walk_fault(w, "'report_valid_d' must be 1 or more");
}

static void
read_consent(sat_reception *r, walk *w, const sat_json *root)
{
	const sat_json *n = sat_json_get(root, "consent");
	size_t mark;

	if (n == NULL)
		return;
	mark = sat_walk_enter(w, "consent", SIZE_MAX);
	sat_walk_members(w, n, "required version text note");
	r->consent_required = sat_walk_bool(w, n, "required");
	r->consent_version = sat_walk_text(w, n, "version", true);
	sat_walk_label(w, n, "text", &r->consent_zh, &r->consent_en);
	if (w->rc == SAT_OK && (strlen(r->consent_version) > VERSION_MAX ||
	    strchr(r->consent_version, ':') != NULL))
		sat_walk_fault(w, "'version' is at most %d characters and has "
		    "no colon", VERSION_MAX);
	sat_walk_leave(w, mark);
}

sat_rc
sat_template_load_reception(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH);
	sat_json *none = root == NULL ? sat_json_obj() : NULL;

	t->reception = sat_arena_alloc(&t->arena, sizeof *t->reception);
	memset(t->reception, 0, sizeof *t->reception);
	root = root != NULL ? root : none;
	sat_walk_members(&w, root, "note call_in_d walk_in_d tracked_d "
	    "tracked_max_d natural_h split_min report_valid_d report_lead_min "
	    "channel_conflict late_entry_min consent");
	read_periods(t->reception, &w, root);
	read_consent(t->reception, &w, root);
	sat_json_free(none);
	return w.rc;
}

bool
sat_consent_mark(char out[SAT_CONSENT_MARK], const sat_reception *r)
{
	uint8_t h[SAT_HASH_BYTES];
	char hex[17];
	sat_buf b = { 0 };

	out[0] = '\0';
	if (r->consent_version == NULL)
		return false;
	sat_buf_fmt(&b, "%s\n%s\n%s", r->consent_version, r->consent_zh,
	    r->consent_en);
	sat_hash(h, sat_buf_span(&b));
	sat_buf_fini(&b);
	sat_hex(hex, h, 8);
	(void)snprintf(out, SAT_CONSENT_MARK, "%s:%s", r->consent_version, hex);
	return true;
}
