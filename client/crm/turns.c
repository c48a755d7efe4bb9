/*
 * The rotation of a showroom: the turns of a day, folded; one more turn.
 */
#include "client/crm/reception.h"

#include "client/crm/crm_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static const char *const words[] = { NULL, "join", "leave", "serve", "skip",
	"swap" };

/* ---- reading ---------------------------------------------------------------------- */

typedef struct fields {
	const sat_kind *k;
	const sat_field *station, *day, *turn, *consultant, *other, *visit,
	    *returning, *after;
} fields;

static sat_rc
fields_of(fields *f, const sat_template *t, sat_err *e)
{
	const sat_kind *k = sat_template_kind(t, "rotation");

	memset(f, 0, sizeof *f);
	if (k == NULL)
		return sat_fail(e, SAT_ENOTFOUND,
		    "the template has no rotation");
	*f = (fields){ k, sat_kind_field(k, "station"),
		sat_kind_field(k, "day"), sat_kind_field(k, "turn"),
		sat_kind_field(k, "consultant"), sat_kind_field(k, "other"),
		sat_kind_field(k, "visit"), sat_kind_field(k, "returning"),
		sat_kind_field(k, "after") };
	if (f->station == NULL || f->day == NULL || f->turn == NULL ||
	    f->consultant == NULL || f->other == NULL || f->visit == NULL ||
	    f->returning == NULL || f->after == NULL)
		return sat_fail(e, SAT_ENOTFOUND,
		    "the template's rotation lacks a field");
	return SAT_OK;
}

static sat_span
text_of(const sat_view *v, const sat_field *f)
{
	sat_value x = sat_record_value(&v->rec, f->id);

	return x.type == SAT_V_TEXT ? x.s : (sat_span){ NULL, 0 };
}

static bool
turn_of(sat_turn *t, const fields *f, const sat_view *v)
{
	sat_span word = text_of(v, f->turn);
	sat_value own = sat_record_value(&v->rec, f->returning->id);
	char after[SAT_ID_TEXT];

	*t = (sat_turn){ .id = v->rec.id, .stamp = v->rec.born.hlc,
		.who = text_of(v, f->consultant), .other = text_of(v, f->other),
		.returning = own.type == SAT_V_INT && own.i != 0 };
	for (int i = SAT_TURN_JOIN; i <= SAT_TURN_SWAP; i++)
		if (sat_span_eq(word, sat_span_str(words[i])))
			t->what = (sat_turn_what)i;
	word = text_of(v, f->after);
	if (word.n == SAT_ID_TEXT - 1) {
		(void)snprintf(after, sizeof after, "%.*s", (int)word.n,
		    (const char *)word.p);
		if (!sat_id_parse(&t->after, after))
			memset(&t->after, 0, sizeof t->after);
	}
	return t->what != 0 && t->who.n > 0;
}

static sat_rc
day_of(int64_t *ms, const crm_actor *who, const char *day, sat_err *e)
{
	int64_t tz = (int64_t)sat_template_tz_min(who->t) * 60000;

	if (day == NULL || strcmp(day, "today") == 0) {
		*ms = (who->now_ms + tz) / DAY_MS * DAY_MS - tz;
		return SAT_OK;
	}
	if (strlen(day) > 10 || !sat_time_parse(ms, day,
	    sat_template_tz_min(who->t)))
		return sat_fail_code(e, SAT_EUSAGE, "usage.day",
		    "for example 2026-11-22", "this is no day");
	return SAT_OK;
}

static const char *
station_of(const crm_actor *who, const char *station)
{
	const sat_team *team = sat_registry_team_ord(who->reg, who->me->team);

	return station != NULL ? station : team != NULL ? team->key : "-";
}

static sat_rc
turns_of(sat_turn **out, size_t *n, sat_arena *a, sat_crm *c, const fields *f,
    const char *station, int64_t day_ms, sat_err *e)
{
	static const uint16_t id_only[] = { SAT_Q_ID };
	sat_value where = sat_v_text(sat_span_str(station));
	sat_value when = sat_v_int(day_ms);
	sat_filter filters[] = { { f->station->id, SAT_CMP_EQ, &where, 1 },
		{ f->day->id, SAT_CMP_EQ, &when, 1 } };
	sat_query q = { .kind = f->k, .filters = filters, .nfilters = 2,
		.columns = id_only, .ncolumns = 1 };
	size_t cap = 0, nids = 0;
	sat_id *ids = NULL;
	const sat_value *v;
	sat_rows *rows;
	sat_rc rc;

	*n = 0;
	if ((rc = sat_replica_query(&rows, c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL) {
		if (nids == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			ids = sat_xrealloc(ids, cap * sizeof *ids);
		}
		memcpy(ids[nids++].b, v[0].s.p, 16);
	}
	sat_rows_free(rows);
	*out = sat_arena_alloc(a, (nids + 1) * sizeof **out);
	for (size_t i = 0; i < nids && rc == SAT_OK; i++) {
		sat_view view;

		if ((rc = sat_replica_get(&view, a, c->replica, f->k, &ids[i],
		    e)) == SAT_OK && turn_of(&(*out)[*n], f, &view))
			(*n)++;
	}
	free(ids);
	return rc;
}

sat_rc
sat_crm_rotation(sat_turns *out, sat_arena *a, sat_crm *c,
    const char *station, const char *day, sat_err *e)
{
	sat_turn *turns;
	crm_actor who;
	fields f;
	size_t n;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = fields_of(&f, who.t, e)) != SAT_OK ||
	    (rc = day_of(&out->day_ms, &who, day, e)) != SAT_OK)
		return rc;
	out->station = station_of(&who, station);
	if ((rc = turns_of(&turns, &n, a, c, &f, out->station, out->day_ms,
	    e)) == SAT_OK)
		sat_rotation_fold(&out->r, a, turns, n);
	return rc;
}

/* ---- one more turn ------------------------------------------------------------------ */

/* Somebody who receives visitors: no machine, no auditor. */
static sat_rc
check_user(const crm_actor *who, const char *key, sat_err *e)
{
	const sat_user *u = sat_registry_user(who->reg, sat_span_str(key));

	if (crm_receives(u) && !u->disabled)
		return SAT_OK;
	return sat_fail_code(e, SAT_EINVALID, "rotation.user",
	    "a salesperson or manager; see: satchel user list",
	    "%.64s receives no visitors", key);
}

static sat_rc
choose(sat_turned *out, sat_arena *a, sat_crm *c, const sat_turn_in *in,
    const sat_turns *now, sat_err *e)
{
	sat_judged j;
	sat_rc rc;

	out->who = in->who;
	out->returning = in->returning;
	if (in->what != SAT_TURN_SERVE || in->who != NULL)
		return SAT_OK;
	if (in->visit != NULL) {
		if ((rc = sat_crm_judge(&j, a, c, in->visit, e)) != SAT_OK)
			return rc;
		out->rule = j.j.rule;
		if (j.j.owner.n > 0) {
			out->who = sat_arena_str(a, j.j.owner.p, j.j.owner.n);
			out->returning = true;
			return SAT_OK;
		}
	}
	if (now->r.nhere == 0)
		return sat_fail_code(e, SAT_ECONFLICT, "rotation.empty",
		    "satchel rotation join USER, or name somebody with --to",
		    "nobody stands in the rotation");
	out->who = sat_arena_str(a, now->r.place[0].who.p,
	    now->r.place[0].who.n);
	return SAT_OK;
}

static sat_rc
write_turn(sat_crm *c, const sat_turn_in *in, const sat_turned *t,
    const sat_turns *now, const fields *f, sat_err *e)
{
	char day[32], visit[SAT_ID_TEXT], after[SAT_ID_TEXT];
	sat_input put[9];
	size_t n = 0;
	sat_id id;
	int y, m, d;

	sat_date_of(&y, &m, &d, (now->day_ms + (int64_t)sat_template_tz_min(
	    sat_replica_template(c->replica)) * 60000) / DAY_MS);
	(void)snprintf(day, sizeof day, "%04d-%02d-%02d", y, m, d);
	put[n++] = (sat_input){ '=', "station", sat_span_str(now->station) };
	put[n++] = (sat_input){ '=', "day", sat_span_str(day) };
	put[n++] = (sat_input){ '=', "turn", sat_span_str(words[in->what]) };
	put[n++] = (sat_input){ '=', "consultant", sat_span_str(t->who) };
	if (in->what == SAT_TURN_SWAP)
		put[n++] = (sat_input){ '=', "other", sat_span_str(in->other) };
	if (t->returning)
		put[n++] = (sat_input){ '=', "returning", sat_span_str("1") };
	if (in->reason != NULL)
		put[n++] = (sat_input){ '=', "reason", sat_span_str(in->reason) };
	if (in->visit != NULL) {
		sat_id_text(visit, in->visit);
		put[n++] = (sat_input){ '=', "visit", sat_span_str(visit) };
	}
	if (now->r.nlog > 0) {
		sat_id_text(after, &now->r.log[now->r.nlog - 1].turn->id);
		put[n++] = (sat_input){ '=', "after", sat_span_str(after) };
	}
	return sat_crm_create(&id, c, f->k, put, n, NULL, NULL, NULL, e);
}

sat_rc
sat_crm_turn(sat_turned *out, sat_arena *a, sat_crm *c, const sat_turn_in *in,
    sat_err *e)
{
	const sat_kind *visit;
	sat_turns now;
	crm_actor who;
	fields f;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK ||
	    (rc = fields_of(&f, who.t, e)) != SAT_OK ||
	    (rc = sat_crm_rotation(&now, a, c, in->station, in->day, e)) !=
	    SAT_OK || (rc = choose(out, a, c, in, &now, e)) != SAT_OK ||
	    (rc = check_user(&who, out->who, e)) != SAT_OK ||
	    (in->what == SAT_TURN_SWAP &&
	    (rc = check_user(&who, in->other, e)) != SAT_OK))
		return rc;
	/* The visit first: who may not give it away takes no turn. */
	visit = sat_template_kind(who.t, "visit");
	if (in->visit != NULL && (rc = sat_crm_assign(c, visit, in->visit,
	    out->who, e)) != SAT_OK)
		return rc;
	return write_turn(c, in, out, &now, &f, e);
}
