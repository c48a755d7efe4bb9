/*
 * What happened lately, for a team to read; and who was mentioned.
 *
 * Nothing is stored for it: the records say when they were made and by whom,
 * the clock of a stage field who moved it and when.
 */
#include "client/api/api_int.h"
#include "common/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)
#define FEED_DEFAULT 50
#define FEED_MAX 500
#define MENTIONS_LOOK 1000 /* newest comments that are looked through */
#define SEEN_SETTING "mentions.seen"

typedef struct event {
	int64_t at_ms;
	sat_id id;
	const sat_kind *kind;
	bool moved;       /* to another stage, else made */
	char user[65];
	char stage[65];
} event;

typedef struct feed {
	sat_api *api;
	const sat_kind *kind;
	const char *user;     /* NULL = everybody */
	int64_t from, to, limit;
	event *v;
	size_t n, cap;
	sat_id id;            /* stages: the record, and its birth */
	sat_hlc born;
} feed;

static const sat_field *
first_of(const sat_kind *k, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const sat_field *f = sat_kind_field(k, keys[i]);

		if (f != NULL)
			return f;
	}
	return NULL;
}

static event *
add_event(feed *fd, int64_t at, const char *user, size_t nuser)
{
	event *ev;

	if (at < fd->from || at >= fd->to || (fd->user != NULL &&
	    (strlen(fd->user) != nuser || memcmp(fd->user, user, nuser) != 0)))
		return NULL;
	if (fd->n == fd->cap) {
		fd->cap = fd->cap == 0 ? 128 : fd->cap * 2;
		fd->v = sat_xrealloc(fd->v, fd->cap * sizeof *fd->v);
	}
	ev = &fd->v[fd->n++];
	*ev = (event){ .at_ms = at, .kind = fd->kind };
	(void)snprintf(ev->user, sizeof ev->user, "%.*s", (int)nuser, user);
	return ev;
}

/* ---- made ------------------------------------------------------------------------ */

static sat_rc
add_made(feed *fd, sat_err *e)
{
	static const char *const times[] = { "occurred_at", "at", "arrived_at",
		"created_at" };
	static const char *const users[] = { "author", "created_by", "owner" };
	const sat_field *when = first_of(fd->kind, times, 4);
	const sat_field *who = first_of(fd->kind, users, 3);
	uint16_t at = when != NULL ? when->id : SAT_Q_CREATED;
	uint16_t columns[3] = { SAT_Q_ID, at, who != NULL ? who->id : at };
	sat_value from = sat_v_int(fd->from), user;
	sat_filter f[2] = { { at, SAT_CMP_GE, &from, 1 },
		{ columns[2], SAT_CMP_EQ, &user, 1 } };
	sat_query q = { .kind = fd->kind, .columns = columns, .ncolumns = 3,
		.filters = f, .nfilters = 1 + (fd->user != NULL), .nsort = 1,
		.limit = fd->to == INT64_MAX ? fd->limit : 0 };
	const sat_value *row;
	sat_rows *rows;
	event *ev;
	sat_rc rc;

	if (who == NULL && fd->user != NULL)
		return SAT_OK;
	user = sat_v_text(sat_span_str(fd->user != NULL ? fd->user : ""));
	q.sort[0].field = at;
	q.sort[0].desc = true;
	if ((rc = sat_replica_query(&rows, fd->api->crm.replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL) {
		bool known = who != NULL && row[2].type == SAT_V_TEXT;

		if (row[1].type == SAT_V_INT &&
		    (ev = add_event(fd, row[1].i, known ? (const char *)row[2].s.p
		        : "", known ? row[2].s.n : 0)) != NULL)
			memcpy(ev->id.b, row[0].s.p, sizeof ev->id.b);
	}
	sat_rows_free(rows);
	return rc;
}

/* ---- moved ------------------------------------------------------------------------ */

static sat_rc
on_stamp(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	feed *fd = u;
	const sat_registry *r = sat_replica_registry(fd->api->crm.replica);
	const sat_device *d;
	const sat_user *by;
	event *ev;

	(void)e;
	if (c->field == 0) {
		fd->id = *id;
		fd->born = c->at.hlc;
		return SAT_OK;
	}
	if (c->field != fd->kind->stage->id || c->value.type != SAT_V_TEXT ||
	    (sat_id_eq(id, &fd->id) && c->at.hlc == fd->born))
		return SAT_OK;
	d = r != NULL ? sat_registry_device(r, c->at.dev) : NULL;
	by = d != NULL ? sat_registry_user_ord(r, d->user) : NULL;
	ev = add_event(fd, sat_hlc_ms(c->at.hlc), by != NULL ? by->key : "",
	    by != NULL ? strlen(by->key) : 0);
	if (ev != NULL) {
		ev->id = *id;
		ev->moved = true;
		(void)snprintf(ev->stage, sizeof ev->stage, "%.*s",
		    (int)c->value.s.n, (const char *)c->value.s.p);
	}
	return SAT_OK;
}

/* ---- the answer -------------------------------------------------------------------- */

static int
newest_first(const void *a, const void *b)
{
	const event *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms > y->at_ms ? -1 : 1;
	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* "customer" of what hangs below one. */
static sat_rc
put_customer(sat_json *row, sat_api *api, const event *ev, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_kind *up = ev->kind->parent != NULL
	    ? sat_template_kind(t, ev->kind->parent->ref) : NULL;
	sat_arena a = { 0 };
	sat_value p = sat_v_null(), title = sat_v_null();
	sat_view v;
	sat_id id;
	sat_rc rc = SAT_OK;

	if (up != NULL && (rc = sat_replica_get(&v, &a, api->crm.replica,
	    ev->kind, &ev->id, e)) == SAT_OK)
		p = sat_record_value(&v.rec, ev->kind->parent->id);
	if (p.type == SAT_V_BYTES && p.s.n == sizeof id.b) {
		memcpy(id.b, p.s.p, sizeof id.b);
		if (sat_replica_get(&v, &a, api->crm.replica, up, &id, NULL) ==
		        SAT_OK && up->title != NULL)
			title = sat_record_value(&v.rec, up->title->id);
	}
	api_value_put(row, "customer", api, up != NULL ? up->title : NULL, title);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
put_event(sat_json *row, sat_api *api, const event *ev, sat_err *e)
{
	sat_json_put_time(row, "at", ev->at_ms);
	sat_json_put_str(row, "user", ev->user[0] != '\0' ? ev->user : NULL);
	sat_json_put_str(row, "what", ev->moved ? N_("stage") : N_("new"));
	sat_json_put_str(row, "stage", ev->moved ? ev->stage : NULL);
	api_record_head_put(row, api, ev->kind, &ev->id);
	return put_customer(row, api, ev, e);
}

/* What people work on; not products, not the queue at the door. */
static bool
is_told(const sat_api *api, const sat_kind *k)
{
	return (k->scope == SAT_SCOPE_ROOT || k->scope == SAT_SCOPE_CHILD ||
	    k->scope == SAT_SCOPE_OWNED) && api_may_view(api, k);
}

/* DAY, or all there is. */
static sat_rc
window(feed *fd, const sat_request *req, sat_err *e)
{
	const sat_template *t = sat_replica_template(fd->api->crm.replica);
	const char *day = api_q(req, "day");
	int64_t zone = sat_template_tz_min(t) * (int64_t)60000, now;
	char text[32];

	fd->to = INT64_MAX;
	if (day == NULL)
		return SAT_OK;
	now = sat_wall_ms(&fd->api->crm.clock);
	if (strcmp(day, "today") == 0 || strcmp(day, "yesterday") == 0) {
		fd->from = (now + zone) / DAY_MS * DAY_MS - zone -
		    (day[0] == 'y' ? DAY_MS : 0);
	} else {
		(void)snprintf(text, sizeof text, "%.10s", day);
		if (strlen(day) != 10 || !sat_time_parse(&fd->from, text,
		    sat_template_tz_min(t)))
			return sat_fail_code(e, SAT_EUSAGE, "usage.day",
			    "2026-11-22, today, yesterday",
			    "\"%.20s\" is no day", day);
	}
	fd->to = fd->from + DAY_MS;
	return SAT_OK;
}

static sat_rc
collect(feed *fd, sat_err *e)
{
	const sat_template *t = sat_replica_template(fd->api->crm.replica);
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++) {
		fd->kind = sat_template_kind_at(t, i);
		if (!is_told(fd->api, fd->kind))
			continue;
		rc = add_made(fd, e);
		if (rc == SAT_OK && fd->kind->stage != NULL)
			rc = sat_replica_each_stamp(fd->api->crm.replica, fd->kind,
			    fd->kind->stage->id, on_stamp, fd, e);
	}
	if (fd->n > 0)
		qsort(fd->v, fd->n, sizeof *fd->v, newest_first);
	return rc;
}

HANDLER(api_feed)
{
	feed fd = { .api = api, .user = api_q(req, "user") };
	sat_json *doc, *data;
	sat_rc rc;

	(void)args;
	if (fd.user != NULL && strcmp(fd.user, "me") == 0)
		fd.user = sat_replica_me(api->crm.replica)->key;
	if (sat_replica_template(api->crm.replica) == NULL)
		return sat_fail(e, SAT_ENOREPLICA, "there is no template yet");
	if ((rc = api_number(&fd.limit, req, "limit", FEED_DEFAULT, e)) != SAT_OK ||
	    (rc = window(&fd, req, e)) != SAT_OK)
		return rc;
	if (fd.limit < 1 || fd.limit > FEED_MAX)
		fd.limit = FEED_MAX;
	if (fd.user != NULL && sat_registry_user(sat_replica_registry(
	    api->crm.replica), sat_span_str(fd.user)) == NULL)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satchel user list", "there is no user %.60s", fd.user);
	doc = api_doc("feed");
	data = sat_json_put_arr(doc, "data");
	rc = collect(&fd, e);
	for (size_t i = 0; rc == SAT_OK && i < fd.n && i < (size_t)fd.limit; i++)
		rc = put_event(sat_json_add_obj(data), api, &fd.v[i], e);
	free(fd.v);
	return api_answer(out, doc, rc);
}

/* ---- mentions --------------------------------------------------------------------- */

static bool
ends_word(sat_span s, size_t at)
{
	unsigned char c = at < s.n ? s.p[at] : ' ';

	if (c == '.') /* of a longer key, or of the sentence */
		return at + 1 >= s.n || !isalnum(s.p[at + 1]);
	return !isalnum(c) && c != '_' && c != '-';
}

/* "@li.na" or "@李娜" anywhere; in a list of keys without the sign, too. */
static bool
names(sat_span s, const char *who, bool sign)
{
	size_t n = strlen(who);

	for (size_t i = 0; n > 0 && i + n <= s.n; i++)
		if (memcmp(s.p + i, who, n) == 0 && ends_word(s, i + n) &&
		    (sign ? i > 0 && s.p[i - 1] == '@'
		          : i == 0 || strchr("@, \n", s.p[i - 1]) != NULL))
			return true;
	return false;
}

static bool
names_me(const sat_user *me, const sat_field *f, const sat_record *rec, bool sign)
{
	sat_value v = f != NULL ? sat_record_value(rec, f->id) : sat_v_null();

	return v.type == SAT_V_TEXT && (names(v.s, me->key, sign) ||
	    names(v.s, me->name, sign));
}

static int64_t
seen_upto(sat_api *api)
{
	sat_buf b = { 0 };
	int64_t v = 0;

	if (sat_replica_setting_get(&b, api->crm.replica, SEEN_SETTING, NULL) ==
	    SAT_OK)
		v = strtoll(sat_buf_cstr(&b), NULL, 10);
	sat_buf_fini(&b);
	return v;
}

sat_rc
api_mentions_seen(sat_api *api, int64_t upto, sat_err *e)
{
	sat_replica_status st;
	char text[24];
	sat_rc rc = sat_replica_status_get(&st, api->crm.replica, e);

	if (rc != SAT_OK)
		return rc;
	if (upto < 0 || (uint64_t)upto > st.cursor)
		upto = (int64_t)st.cursor;
	(void)snprintf(text, sizeof text, "%lld", (long long)upto);
	return sat_replica_setting_put(api->crm.replica, SEEN_SETTING,
	    sat_span_str(text), e);
}

static void
put_mention(sat_json *row, sat_api *api, const sat_kind *k, const sat_view *v)
{
	const sat_field *by = sat_kind_field(k, "author");
	const sat_field *text = sat_kind_field(k, "text");
	event ev = { .kind = k, .id = v->rec.id };

	api_record_head_put(row, api, k, &v->rec.id);
	api_value_put(row, "by", api, by, by != NULL ?
	    sat_record_value(&v->rec, by->id) : sat_v_null());
	api_value_put(row, "text", api, text, text != NULL ?
	    sat_record_value(&v->rec, text->id) : sat_v_null());
	api_value_put(row, "account", api, k->parent, k->parent != NULL ?
	    sat_record_value(&v->rec, k->parent->id) : sat_v_null());
	(void)put_customer(row, api, &ev, NULL);
	sat_json_put_time(row, "at", v->created_ms);
	sat_json_put_int(row, "lsn", (int64_t)v->rec.born.lsn);
}

sat_rc
api_mentions_put(sat_json *data, sat_api *api, sat_err *e)
{
	static const uint16_t id_column[] = { SAT_Q_ID };
	const sat_template *t = sat_replica_template(api->crm.replica);
	const sat_user *me = sat_replica_me(api->crm.replica);
	const sat_kind *k = t != NULL ? sat_template_kind(t, "comment") : NULL;
	sat_query q = { .kind = k, .columns = id_column, .ncolumns = 1,
		.nsort = 1, .limit = MENTIONS_LOOK };
	int64_t total, seen = seen_upto(api);
	sat_arena ids = { 0 }, a = { 0 };
	sat_view v;
	sat_id *id;
	size_t n;
	sat_rc rc;

	if (k == NULL || me == NULL || !api_may_view(api, k))
		return SAT_OK;
	q.sort[0].field = SAT_Q_CREATED;
	q.sort[0].desc = true;
	rc = sat_replica_list(&id, &n, &total, &ids, api->crm.replica, &q, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++) {
		const sat_user *by;

		sat_arena_reset(&a);
		rc = sat_replica_get(&v, &a, api->crm.replica, k, &id[i], e);
		if (rc != SAT_OK || (int64_t)v.rec.born.lsn <= seen)
			continue;
		by = sat_registry_user(sat_replica_registry(api->crm.replica),
		    sat_record_value(&v.rec, sat_kind_field(k, "author") != NULL ?
		    sat_kind_field(k, "author")->id : 0).s);
		if (by != me && (names_me(me, sat_kind_field(k, "mentions"),
		        &v.rec, false) ||
		    names_me(me, sat_kind_field(k, "text"), &v.rec, true)))
			put_mention(sat_json_add_obj(data), api, k, &v);
	}
	sat_arena_fini(&a);
	sat_arena_fini(&ids);
	return rc;
}
