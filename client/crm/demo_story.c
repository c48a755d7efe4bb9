/*
 * What happened with one customer: met somewhere, talked to at growing
 * intervals, moved along the stages or lost on the way, and some simply
 * forgotten - those are overdue today.
 */
#include "client/crm/demo_int.h"

#include "common/template/flow.h"

#include <stdio.h>
#include <string.h>

#define DAY DEMO_DAY

/* How far: index into the stages and into demo_talk. */
enum { FIRST, NEED, PROPOSAL, NEGOTIATION, WON, AFTER, LOST };
static const char *const stages[] = { "first_contact", "need_confirmed",
	"proposal", "negotiation", "won", "after_sales", "lost" };
static const char *const status_of[] = { "potential", "interested",
	"interested", "high_intent", "won", "won", "lost" };

typedef struct story {
	demo *d;
	int64_t i, born_ms, now_ms, last_ms, next_ms;
	int64_t won_ms, lost_ms, first_ms, step_ms[LOST + 1];
	uint32_t rep;
	char owner[16];
	const demo_industry *in;
	const demo_place *at;
	const char *reason, *goods;
	char name[120], contact[32], phone[16];
	int step, talks;
	int64_t deal, year; /* fen: of the deal; ordered in the last year */
	sat_id account, opportunity;
} story;

/* 100 0000 xxxx first, then further numbers behind 100, which nobody has. */
static void
phone_of(char out[16], int64_t n)
{
	int64_t block = n / 10000, tail = (n * 7919 + 1234) % 10000;

	(void)snprintf(out, 16, "100%04lld%04lld", (long long)(block % 10000),
	    (long long)tail);
}

static void
person(demo *d, char out[32])
{
	const char *surname = d->w->surnames[demo_below(d, DEMO_SURNAMES)];

	demo_form(out, 32, d->w->person, surname,
	    d->w->given[demo_below(d, DEMO_GIVEN)]);
}

/* No name comes twice; there are more than a hundred for each customer. */
static void
company(story *s)
{
	demo *d = s->d;
	int64_t in = s->in - d->w->industries, at = s->at - d->w->places;
	int64_t trade, a, b, bit;
	char brand[32], at_place[48], whole[96];

	do {
		trade = demo_below(d, DEMO_TRADES);
		a = demo_below(d, DEMO_BRANDS);
		b = demo_below(d, DEMO_BRANDS);
		bit = (((at * DEMO_INDUSTRIES + in) * DEMO_TRADES + trade) *
		    DEMO_BRANDS + a) * DEMO_BRANDS + b;
	} while ((d->names[bit / 8] >> bit % 8 & 1) != 0);
	d->names[bit / 8] |= (uint8_t)(1u << bit % 8);
	demo_form(brand, sizeof brand, d->w->brand, d->w->brand_a[a],
	    d->w->brand_b[b]);
	demo_form(at_place, sizeof at_place, d->w->company, s->at->short_name,
	    brand);
	demo_form(whole, sizeof whole, d->w->of_trade, at_place,
	    s->in->trade[trade]);
	(void)snprintf(s->name, sizeof s->name, "%s%s", whole,
	    d->w->endings[demo_chance(d, 85) ? 0 : 1]);
}

/* ---- what happens, told before it is written ---------------------------------------------- */

static void
advance(story *s, int64_t ms)
{
	static const int percent[] = { 26, 30, 30, 34 };
	demo *d = s->d;
	static const char *const reasons[] = { "budget", "price", "competitor",
		"no_need", "timing", "no_response", "product_gap" };

	if (s->step == WON) {
		s->step = AFTER;
	} else if (s->step < WON) {
		int chance = percent[s->step];

		if (demo_chance(d, 7)) {
			s->step = LOST;
			s->lost_ms = ms;
			s->reason = reasons[demo_below(d, 7)];
		} else if (demo_chance(d, chance)) {
			s->step++;
		} else {
			return;
		}
	} else {
		return;
	}
	s->step_ms[s->step] = ms;
	if (s->step == WON)
		s->won_ms = ms;
}

/* Office hours, and no talk on a Sunday. */
static int64_t
office(demo *d, int64_t ms)
{
	int64_t day = (ms + 8 * DEMO_HOUR) / DAY;

	if ((day + 4) % 7 == 0)
		day++;
	return day * DAY - 8 * DEMO_HOUR + 9 * DEMO_HOUR +
	    demo_below(d, 9 * 60) * 60000;
}

static void
talk(story *s, int64_t ms)
{
	static const char *const methods[] = { "phone", "phone", "wechat",
		"visit", "email", "meeting" };
	demo *d = s->d;
	int step = s->step < LOST ? s->step : FIRST;
	int64_t which = demo_below(d, DEMO_TALKS);
	const char *const *say = s->d->w->talk[step][which];
	demo_rec x = demo_begin(d, "activity", ms, s->rep);

	demo_ref(&x, "account", &s->account);
	demo_text(&x, "method", methods[demo_below(d, 6)]);
	demo_text(&x, "direction", demo_chance(d, 80) ? "out" : "in");
	demo_int(&x, "effective", say[1][0] != '\0');
	demo_int(&x, "occurred_at", ms);
	demo_text(&x, "points", say[0]);
	demo_text(&x, "feedback", say[1]);
	demo_text(&x, "next_plan", say[2]);
	demo_text(&x, "author", s->owner);
	demo_int(&x, "created_at", ms + 15 * 60000);
	demo_end(&x);
	s->last_ms = ms;
	s->talks++;
}

/* Days between talks grow, until somebody buys, leaves, or is forgotten. */
static void
live(story *s)
{
	demo *d = s->d;
	int64_t gap = 2 + demo_below(d, 4), ms = s->born_ms;

	while (ms < s->now_ms) {
		ms = office(d, ms);
		if (ms >= s->now_ms)
			break;
		talk(s, ms);
		advance(s, ms);
		s->next_ms = s->step == LOST ? 0 :
		    office(d, ms + gap * DAY);
		if (s->step == LOST || demo_chance(d, 3)) /* forgotten */
			break;
		ms += gap * DAY;
		gap += 1 + gap * demo_below(d, 40) / 100;
		if (gap > 45)
			gap = 30 + demo_below(d, 15);
	}
}

/* ---- what lies under the customer ------------------------------------------------------------- */

static void
contacts(story *s)
{
	demo *d = s->d;
	int64_t n = 1 + demo_below(d, 3);
	char name[32], phone[16];

	for (int64_t k = 0; k < n; k++) {
		demo_rec x = demo_begin(d, "contact", s->born_ms + k * DAY / 4,
		    s->rep);

		person(d, name);
		phone_of(phone, 5000000 + s->i * 3 + k);
		demo_ref(&x, "account", &s->account);
		demo_text(&x, "name", k == 0 ? s->contact : name);
		demo_text(&x, "title", s->d->w->titles[(s->i + k) % 6][0]);
		demo_text(&x, "dept", s->d->w->titles[(s->i + k) % 6][1]);
		demo_text(&x, "phone", phone);
		if (k == 0)
			demo_int(&x, "is_primary", 1);
		demo_int(&x, "created_at", x.ms);
		demo_end(&x);
	}
}

static void
need(story *s)
{
	static const char *const types[] = { "product", "service", "solution" };
	static const char *const priorities[] = { "high", "mid", "low" };
	char text[120];
	demo_rec x;

	if (s->step_ms[NEED] == 0 || !demo_chance(s->d, 60))
		return;
	x = demo_begin(s->d, "need", s->step_ms[NEED], s->rep);
	demo_form(text, sizeof text, s->d->w->need, s->goods, "");
	demo_ref(&x, "account", &s->account);
	demo_text(&x, "need_type", types[s->i % 3]);
	demo_text(&x, "text", text);
	demo_text(&x, "priority", priorities[demo_below(s->d, 3)]);
	demo_int(&x, "expected_by", s->step_ms[NEED] + 30 * DAY);
	demo_text(&x, "state", s->won_ms != 0 ? "done" : "open");
	demo_end(&x);
}

/* A step of its way, as a change of stage writes it. */
static void
step_to(demo_rec *x, int k, int64_t ms)
{
	char when[32], text[80];

	x->ms = ms;
	sat_time_rfc3339(when, ms);
	(void)snprintf(text, sizeof text, "%s %s", stages[k], when);
	demo_text(x, "stage", stages[k]);
	demo_text(x, "path", text);
}

/* The lists of the procedure, done up to the stage it reached. */
static void
tick_lists(demo_rec *x, int last)
{
	const sat_flow *f = sat_flow_of(x->d->t, x->kind);
	char text[90];

	for (int k = FIRST; f != NULL && k <= last; k++) {
		const sat_flow_step *st = sat_flow_step_of(x->d->t, x->kind,
		    stages[k]);

		for (size_t i = 0; st != NULL && i < st->nitems; i++) {
			(void)snprintf(text, sizeof text, "%s.%s", st->key,
			    st->items[i].key);
			demo_text(x, "checklist", text);
		}
	}
	if (f != NULL) {
		(void)snprintf(text, sizeof text, "%s@%s", f->key, f->version);
		demo_text(x, "sop", text);
	}
}

static void
opportunity(story *s)
{
	int last = NEED;
	int64_t began = s->step_ms[NEED];
	char text[160];
	demo_rec x;

	if (began == 0)
		return;
	x = demo_begin(s->d, "opportunity", began, s->rep);
	s->opportunity = x.rec.id;
	demo_form(text, sizeof text, s->d->w->project, s->at->short_name,
	    s->goods);
	demo_ref(&x, "account", &s->account);
	demo_text(&x, "name", text);
	demo_int(&x, "amount", s->deal);
	demo_text(&x, "owner", s->owner);
	demo_text(&x, "product", s->goods);
	demo_int(&x, "started_on", began);
	demo_int(&x, "expected_close", began + (30 + demo_below(s->d, 60)) * DAY);
	demo_int(&x, "created_at", began);
	step_to(&x, FIRST, began);
	step_to(&x, NEED, began + 3600 * (int64_t)1000);
	for (int k = PROPOSAL; k <= LOST; k++)
		if (s->step_ms[k] != 0 && k != AFTER) {
			if (k < LOST)
				last = k;
			step_to(&x, k, s->step_ms[k]);
		}
	if (demo_below(s->d, 5) != 0)
		tick_lists(&x, s->won_ms != 0 ? WON : last);
	if (s->won_ms != 0)
		demo_int(&x, "won_at", s->won_ms);
	if (s->lost_ms != 0) {
		demo_int(&x, "lost_at", s->lost_ms);
		demo_text(&x, "lost_stage", stages[last]);
		demo_text(&x, "lost_reason", s->reason);
	}
	demo_end(&x);
}

static void
contract_and_orders(story *s)
{
	int64_t ms = s->won_ms, left = s->deal;
	char text[32];
	demo_rec x;
	sat_id contract;

	if (ms == 0)
		return;
	x = demo_begin(s->d, "contract", ms, s->rep);
	contract = x.rec.id;
	(void)snprintf(text, sizeof text, "HT%06lld", (long long)s->i + 1);
	demo_ref(&x, "account", &s->account);
	demo_text(&x, "number", text);
	demo_ref(&x, "opportunity", &s->opportunity);
	demo_int(&x, "amount", s->deal);
	demo_int(&x, "signed_at", ms);
	demo_int(&x, "start", ms);
	demo_int(&x, "end", ms + 365 * DAY);
	demo_text(&x, "state", "signed");
	demo_end(&x);
	for (int k = 0; k < 6 && left > 0 && ms < s->now_ms; k++) {
		int64_t part = k == 0 ? s->deal * 3 / 10 : s->deal / 5;

		x = demo_begin(s->d, "order", ms, s->rep);
		demo_ref(&x, "account", &s->account);
		demo_ref(&x, "contract", &contract);
		demo_int(&x, "ordered_at", ms);
		demo_int(&x, "amount", part);
		demo_text(&x, "product", s->goods);
		demo_end(&x);
		if (ms > s->now_ms - 365 * DAY)
			s->year += part;
		left -= part;
		ms += (25 + demo_below(s->d, 20)) * DAY;
	}
}

static void
task_and_ticket(story *s)
{
	demo *d = s->d;
	demo_rec x;
	int64_t due;

	if (s->step < LOST && demo_chance(d, 15)) {
		x = demo_begin(d, "task", s->last_ms, s->rep);
		due = office(d, s->now_ms + (demo_below(d, 21) - 10) * DAY);
		demo_ref(&x, "account", &s->account);
		demo_text(&x, "title", s->d->w->talk[s->step][s->i % DEMO_TALKS][2]);
		demo_int(&x, "due_at", due);
		demo_text(&x, "assignee", s->owner);
		demo_text(&x, "state", "open");
		demo_end(&x);
	}
	if (s->won_ms != 0 && s->won_ms + 5 * DAY < s->now_ms &&
	    demo_chance(d, 20)) {
		x = demo_begin(d, "ticket", s->won_ms + 5 * DAY, s->rep);
		demo_ref(&x, "account", &s->account);
		demo_text(&x, "ticket_kind", demo_chance(d, 60) ? "request" :
		    "complaint");
		demo_text(&x, "subject", s->d->w->ticket);
		demo_text(&x, "severity", demo_chance(d, 80) ? "minor" : "major");
		demo_int(&x, "opened_at", x.ms);
		demo_text(&x, "state", demo_chance(d, 70) ? "resolved" : "open");
		demo_end(&x);
	}
}

/* ---- the customer -------------------------------------------------------------------------------- */

static void
put_number(demo_rec *x, story *s)
{
	demo *d = s->d;
	char series[SAT_SERIES_TEXT], text[SAT_NUMBER_TEXT];

	sat_number_series(series, x->kind->number_prefix != NULL ?
	    x->kind->number_prefix : "C", s->born_ms, sat_template_tz_min(d->t));
	if (strcmp(series, d->series) != 0) {
		memcpy(d->series, series, sizeof series);
		d->series_n = 0;
	}
	(void)sat_number_text(text, series, ++d->series_n);
	demo_text(x, "number", text);
}

static void
put_profile(demo_rec *x, story *s)
{
	static const char *const sizes[] = { "1-9", "10-49", "50-100", "101-499",
		"500-999", "1000+" };
	static const char *const sources[] = { "fair", "website", "visit",
		"referral", "call_in", "ad", "social" };
	static const char *const types[] = { "product", "service", "solution" };
	demo *d = s->d;
	char text[200], house[24];

	demo_text(x, "party_kind", "enterprise");
	demo_text(x, "industry", s->in->key);
	demo_text(x, "sector", s->in->sector);
	demo_text(x, "size_band", sizes[demo_below(d, 6)]);
	demo_text(x, "contact_name", s->contact);
	demo_text(x, "phone_main", s->phone);
	demo_text(x, "province", s->at->province);
	demo_text(x, "city", s->at->city);
	demo_text(x, "district", s->at->district);
	(void)snprintf(house, sizeof house, "%lld",
	    (long long)(1 + demo_below(d, 900)));
	demo_form(text, sizeof text, d->w->address, s->at->road, house);
	demo_text(x, "address", text);
	demo_text(x, "need_type", types[s->i % 3]);
	demo_form(text, sizeof text, d->w->detail, s->goods, "");
	demo_text(x, "need_detail", text);
	demo_text(x, "source", sources[demo_below(d, 7)]);
	demo_text(x, "tags", d->w->mark);
	demo_text(x, "tags", s->in->tag);
	demo_text(x, "remark", d->w->remark);
	demo_text(x, "owner", s->owner);
	demo_int(x, "created_at", s->born_ms);
	demo_text(x, "created_by", s->owner);
}

static void
put_course(demo_rec *x, story *s)
{
	demo_text(x, "stage", stages[FIRST]);
	for (int k = NEED; k <= LOST; k++)
		if (s->step_ms[k] != 0) {
			x->ms = s->step_ms[k];
			demo_text(x, "stage", stages[k]);
		}
	demo_text(x, "status", status_of[s->step]);
	if (s->step == LOST)
		demo_text(x, "lost_reason", s->reason);
	if (s->talks > 0)
		demo_int(x, "last_follow_at", s->last_ms);
	if (s->next_ms != 0)
		demo_int(x, "next_follow_at", s->next_ms);
	if (s->year > 0) {
		demo_int(x, "annual_amount", s->year);
		demo_text(x, "grade", s->year >= 50000000 ? "strategic" :
		    s->year >= 10000000 ? "key" : "normal");
	}
}

/* Spread over all of them: a fixed few are to be settled by a person. */
static bool
is_one_of(const story *s, int64_t n, int64_t k)
{
	int64_t all = s->d->base;

	return s->d->o->accounts >= DEMO_STAGED && s->i == all * (2 * k + 1) / (2 * n);
}

static void
conflicts(demo_rec *x, story *s)
{
	char phone[16], name[140];

	if (is_one_of(s, SAT_DEMO_CONFLICTS, 0)) {
		phone_of(phone, 9000000 + s->i);
		demo_conflict(x, "phone_main", s->phone, phone);
	} else if (is_one_of(s, SAT_DEMO_CONFLICTS, 1)) {
		demo_conflict(x, "contact_name", s->contact, s->d->w->other_contact);
	} else if (is_one_of(s, SAT_DEMO_CONFLICTS, 2)) {
		demo_form(name, sizeof name, s->d->w->branch, s->name,
		    s->at->short_name);
		demo_conflict(x, "name", s->name, name);
	}
}

/* The same customer under another spelling, met by somebody else. */
static void
twin(story *s, int64_t k)
{
	demo *d = s->d;
	story t = *s;
	char phone[16];
	demo_rec x;

	t.rep = s->rep == DEMO_REP_FIRST ? DEMO_REP_FIRST + 1 : DEMO_REP_FIRST;
	(void)snprintf(t.owner, sizeof t.owner, "rep%u",
	    t.rep - DEMO_REP_FIRST + 1);
	t.step = FIRST;
	memset(t.step_ms, 0, sizeof t.step_ms);
	t.next_ms = office(d, s->now_ms + 2 * DAY);
	t.year = 0;
	t.talks = 0;
	phone_of(phone, 9500000 + s->i);
	person(d, t.contact);
	if (k % 2 == 0) /* by phone */
		demo_form(t.name, sizeof t.name, d->w->trader,
		    s->at->short_name, d->w->surnames[s->i % DEMO_SURNAMES]);
	else            /* by name, with brackets and another ending */
		(void)memcpy(t.phone, phone, sizeof t.phone);
	x = demo_begin(d, "account", s->born_ms, t.rep);
	put_number(&x, &t);
	demo_text(&x, "name", t.name);
	put_profile(&x, &t);
	put_course(&x, &t);
	demo_end(&x);
}

static void
choose(story *s)
{
	demo *d = s->d;
	/* more and more of them, evenly enough; always later than the last */
	int64_t span = s->now_ms - d->from_ms - 2 * DEMO_HOUR;
	int64_t n = d->base;

	s->born_ms = d->from_ms + (int64_t)((double)span * (double)s->i /
	    (double)n);
	s->rep = DEMO_REP_FIRST + (uint32_t)demo_below(d, DEMO_REPS);
	(void)snprintf(s->owner, sizeof s->owner, "rep%u",
	    s->rep - DEMO_REP_FIRST + 1);
	s->in = &d->w->industries[demo_below(d, DEMO_INDUSTRIES)];
	s->at = &d->w->places[demo_below(d, DEMO_PLACES)];
	s->goods = s->in->goods[demo_below(d, DEMO_GOODS)];
	s->deal = (2 + demo_below(d, 20)) * (1 + demo_below(d, 12)) * 300000;
	company(s);
	person(d, s->contact);
	phone_of(s->phone, s->i);
}

void
demo_customer(demo *d, int64_t i)
{
	story s = { .d = d, .i = i, .now_ms = d->o->as_of_ms };
	demo_rec x;

	choose(&s);
	x = demo_begin(d, "account", s.born_ms, s.rep);
	s.account = x.rec.id;
	put_number(&x, &s);
	demo_text(&x, "name", s.name);
	put_profile(&x, &s);
	live(&s);
	contacts(&s);
	need(&s);
	opportunity(&s);
	contract_and_orders(&s);
	task_and_ticket(&s);
	put_course(&x, &s);
	conflicts(&x, &s);
	demo_end(&x);
	for (int64_t k = 0; k < SAT_DEMO_DUPLICATES; k++)
		if (is_one_of(&s, SAT_DEMO_DUPLICATES, k))
			twin(&s, k);
}
