/*
 * What the log says, as events. An event is named after the commit it stands in
 * (device, incarnation, number, operation), not after its position: a server
 * that came back from a backup gets commits again at other positions, and a
 * receiver can tell that it knows them (P-401).
 *
 * Operations are told as they were written. Whether a concurrent one won is not
 * waited for: that may turn out days later.
 */
#include "server/hook/hook_int.h"

#include "common/template/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_MAX 64  /* "opportunity.assigned" */
#define TO_MAX 128
#define FIELDS_MAX 8  /* of a conflict */

static const struct verb {
	const char *word, *zh;
} verbs[] = {
	{ "created", "新建" }, { "assigned", "分配" }, { "stage", "阶段变更" },
	{ "deleted", "删除" }, { "restored", "恢复" }, { "merged", "合并" },
};
/* Those that are no kind's. */
static const struct verb others[] = {
	{ "pool.released", "退回公海" }, { "pool.claimed", "公海领取" },
	{ "conflict.opened", "待处理冲突" },
};
#define NVERBS (sizeof verbs / sizeof verbs[0])
#define NOTHERS (sizeof others / sizeof others[0])

/* ---- names ---------------------------------------------------------------------------------- */

bool
sat_hook_wants(const char *events, const char *event)
{
	size_t kind = strcspn(event, ".");

	for (const char *p = events; *p != '\0'; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if ((n == 1 && *p == '*') ||
		    (n == strlen(event) && strncmp(p, event, n) == 0) ||
		    (n == kind + 2 && strncmp(p, event, kind) == 0 &&
		        strncmp(p + kind, ".*", 2) == 0))
			return true;
		p += n;
	}
	return false;
}

static bool
is_event(const char *name, size_t n, const sat_template *t)
{
	size_t dot = strcspn(name, ".,");
	char kind[EVENT_MAX];

	if (n == 1 && *name == '*')
		return true;
	if (dot >= n || dot >= sizeof kind)
		return false;
	for (size_t i = 0; i < NOTHERS; i++)
		if (strlen(others[i].word) == n &&
		    strncmp(others[i].word, name, n) == 0)
			return true;
	(void)snprintf(kind, sizeof kind, "%.*s", (int)dot, name);
	if (n == dot + 2 && name[dot + 1] == '*' &&
	    (strcmp(kind, "pool") == 0 || strcmp(kind, "conflict") == 0))
		return true;
	if (sat_template_kind(t, kind) == NULL ||
	    strcmp(sat_template_kind(t, kind)->key, kind) != 0)
		return false;
	if (n == dot + 2 && name[dot + 1] == '*')
		return true;
	for (size_t i = 0; i < NVERBS; i++)
		if (strlen(verbs[i].word) == n - dot - 1 &&
		    strncmp(verbs[i].word, name + dot + 1, n - dot - 1) == 0)
			return true;
	return false;
}

static sat_rc
check_events(const char *events, const sat_template *t, sat_err *e)
{
	for (const char *p = events; *p != '\0'; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (!is_event(p, n, t))
			return sat_fail_code(e, SAT_EUSAGE, "usage.option",
			    "KIND.created, .assigned, .stage, .deleted, .restored, "
			    ".merged, pool.released, pool.claimed, conflict.opened, "
			    "KIND.* or *",
			    "%.*s is no event", n < 60 ? (int)n : 60, p);
		p += n;
	}
	return events[0] != '\0' ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "usage.option",
	        "for example --events account.created,opportunity.stage",
	        "no event is named");
}

static sat_rc
check_url(const sat_hook *h, sat_err *e)
{
	static const char *const here[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *scheme = h->plain ? "http://" : "https://";
	const char *host = h->url + strlen(scheme);
	size_t n;

	if (strlen(h->url) > SAT_HOOK_URL_MAX ||
	    strncmp(h->url, scheme, strlen(scheme)) != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage.url",
		    "for example https://hooks.example.com/satchel",
		    "the address does not begin with %s, or is longer than %d bytes",
		    scheme, SAT_HOOK_URL_MAX);
	for (const char *p = h->url; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return sat_fail_code(e, SAT_EUSAGE, "usage.url",
			    "write other characters in percent form",
			    "the address has a character that is none of an address");
	n = strcspn(host, ":/?#");
	if (host[0] == '[')
		n = strcspn(host, "]") + 1;
	if (n == 0 || memchr(host, '@', strcspn(host, "/?#")) != NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.url", NULL,
		    "the address names no host, or a user");
	for (size_t i = 0; h->plain && i < sizeof here / sizeof here[0]; i++)
		if (strlen(here[i]) == n && strncmp(here[i], host, n) == 0)
			return SAT_OK;
	return !h->plain ? SAT_OK :
	    sat_fail_code(e, SAT_EUSAGE, "usage.url",
	        "without --plain-http, and with https://",
	        "http goes to 127.0.0.1, localhost and [::1] only");
}

sat_rc
sat_hook_check(const sat_hook *h, const sat_template *t, sat_err *e)
{
	sat_rc rc;

	if (strcmp(h->format, "json") != 0 && !hook_is_chat(h->format))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "json, wecom, dingtalk, feishu or slack", "%.40s is no format",
		    h->format);
	if ((rc = check_url(h, e)) != SAT_OK)
		return rc;
	return check_events(h->events, t, e);
}

/* ---- an operation as an event --------------------------------------------------------------- */

typedef struct told {
	char event[EVENT_MAX];
	const char *zh;      /* "分配" */
	sat_id rec, subject;
	const sat_kind *kind; /* NULL: not in the published template */
	char to[TO_MAX];     /* a user, a stage, a pool; "" = none */
	const sat_field *of; /* the stage field, for its label */
	uint16_t field[FIELDS_MAX];
	size_t nfields;
	char by[80];
	uint32_t dev, inc;
	uint64_t cseq, lsn, nth;
	int64_t at_ms;
} told;

typedef struct reading {
	const sat_hook_source *src;
	const sat_template *t;
	const sat_hook *hooks;
	size_t nhooks;
	uint64_t upto;
	unsigned left;
	told *list;
	size_t n, cap;
} reading;

static bool
is_wanted(const reading *r, const char *event, uint64_t lsn)
{
	for (size_t i = 0; i < r->nhooks; i++)
		if (lsn > r->hooks[i].since &&
		    sat_hook_wants(r->hooks[i].events, event))
			return true;
	return false;
}

/* Without a dot in `word` it is the kind's. NULL: nobody asked for it. */
static told *
add(reading *r, const sat_look_commit *x, const sat_op *op,
    const sat_kind *kind, const struct verb *v)
{
	const sat_registry *reg = sat_server_registry(r->src->core);
	const sat_user *who = sat_registry_user_ord(reg, x->c->actor);
	told t = { .zh = v->zh, .rec = op->rec, .subject = x->c->subject,
		.kind = kind, .dev = x->c->device, .inc = x->c->incarnation,
		.cseq = x->c->cseq, .lsn = x->c->lsn, .at_ms = x->received_ms,
		.nth = (uint64_t)(op - x->c->ops) };

	if (strchr(v->word, '.') != NULL)
		(void)snprintf(t.event, sizeof t.event, "%s", v->word);
	else if (kind != NULL)
		(void)snprintf(t.event, sizeof t.event, "%.40s.%s", kind->key,
		    v->word);
	if (t.event[0] == '\0' || !is_wanted(r, t.event, t.lsn))
		return NULL;
	(void)snprintf(t.by, sizeof t.by, "%s", x->c->device == SAT_DEV_SERVER ?
	    "server" : who != NULL ? who->key : "");
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 64 : r->cap * 2;
		r->list = sat_xrealloc(r->list, r->cap * sizeof *r->list);
	}
	r->list[r->n] = t;
	return &r->list[r->n++];
}

static void
put_to(told *t, sat_span value)
{
	if (t != NULL)
		(void)snprintf(t->to, sizeof t->to, "%.*s", (int)(value.n <
		    TO_MAX - 1 ? value.n : TO_MAX - 1), (const char *)value.p);
}

static bool
is_new_in(const sat_look_commit *x, const sat_id *rec)
{
	for (size_t i = 0; i < x->c->nops; i++)
		if (x->c->ops[i].kind == SAT_OP_NEW &&
		    sat_id_eq(&x->c->ops[i].rec, rec))
			return true;
	return false;
}

/* Somebody got it who did not take it himself. */
static void
assigned(reading *r, const sat_look_commit *x, const sat_op *op,
    const sat_kind *kind)
{
	const sat_user *who = sat_registry_user_ord(
	    sat_server_registry(r->src->core), x->c->actor);

	if (op->value.type == SAT_V_TEXT && (who == NULL ||
	    x->c->device == SAT_DEV_SERVER ||
	    !sat_span_eq(op->value.s, sat_span_str(who->key))))
		put_to(add(r, x, op, kind, &verbs[1]), op->value.s);
}

static void
tell_op(reading *r, const sat_look_commit *x, const sat_op *op)
{
	const sat_kind *kind = sat_template_kind_id(r->t, op->rtype);
	bool stage = kind != NULL && kind->stage != NULL &&
	    op->field == kind->stage->id && op->value.type == SAT_V_TEXT;
	told *t;

	switch (op->kind) {
	case SAT_OP_NEW:
		(void)add(r, x, op, kind, &verbs[0]);
		break;
	case SAT_OP_REASSIGN:
		assigned(r, x, op, kind);
		break;
	case SAT_OP_CLAIM:
		put_to(add(r, x, op, kind, &others[1]), op->value.s);
		break;
	case SAT_OP_RELEASE: /* the reason is people's words: not told */
		put_to(add(r, x, op, kind, &others[0]),
		    sat_pool_key_of(op->value.s));
		break;
	case SAT_OP_DEL:
		(void)add(r, x, op, kind, &verbs[3]);
		break;
	case SAT_OP_UNDEL:
		(void)add(r, x, op, kind, &verbs[4]);
		break;
	case SAT_OP_MERGE:
		if (op->field == SAT_SYS_REDIRECT)
			(void)add(r, x, op, kind, &verbs[5]);
		break;
	default:
		if (!stage || is_new_in(x, &op->rec) || (t = add(r, x, op, kind,
		    &verbs[2])) == NULL)
			break;
		t->of = kind->stage;
		put_to(t, op->value.s);
	}
}

/* Which of its fields it was, a person sees in the inbox: these are the ones
 * that can. */
static void
tell_conflict(reading *r, const sat_look_commit *x)
{
	const sat_op *first = &x->c->ops[0];
	const sat_kind *kind;
	told *t;

	for (size_t i = x->c->nops; i-- > 0;)
		if (x->c->ops[i].kind == SAT_OP_MVSET ||
		    x->c->ops[i].kind == SAT_OP_STAGE)
			first = &x->c->ops[i];
	kind = sat_template_kind_id(r->t, first->rtype);
	if ((t = add(r, x, first, kind, &others[2])) == NULL)
		return;
	for (size_t i = 0; i < x->c->nops && t->nfields < FIELDS_MAX; i++)
		if ((x->c->ops[i].kind == SAT_OP_MVSET ||
		    x->c->ops[i].kind == SAT_OP_STAGE) &&
		    sat_id_eq(&x->c->ops[i].rec, &first->rec))
			t->field[t->nfields++] = x->c->ops[i].field;
}

static bool
read_commit(void *u, const sat_look_commit *x)
{
	reading *r = u;

	r->upto = x->c->lsn;
	/* An import is one event in a person's eyes, and thousands here. */
	if ((x->c->flags & SAT_CF_IMPORT) == 0)
		for (size_t i = 0; i < x->c->nops; i++)
			tell_op(r, x, &x->c->ops[i]);
	if (x->verdict == SAT_VD_CONFLICT && x->c->nops > 0)
		tell_conflict(r, x);
	return --r->left > 0;
}

/* ---- as it is sent ---------------------------------------------------------------------------- */

/* P-401 */
static void
name_event(char out[40], const told *t)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };

	sat_buf_str(&b, "satchel webhook event");
	sat_write_uint(&b, t->dev);
	sat_write_uint(&b, t->inc);
	sat_write_uint(&b, t->cseq);
	sat_write_uint(&b, t->nth);
	sat_buf_str(&b, t->event);
	sat_hash(hash, sat_buf_span(&b));
	memcpy(out, "evt_", 4);
	sat_hex(out + 4, hash, 16);
	sat_buf_fini(&b);
}

static void
put_id(sat_json *obj, const sat_id *id)
{
	char text[SAT_ID_TEXT];

	sat_id_text(text, id);
	sat_json_put_str(obj, "id", text);
}

static void
put_body(sat_buf *out, const reading *r, const told *t, const char *number)
{
	sat_json *doc = sat_json_obj(), *o;
	char name[40], when[32];

	name_event(name, t);
	sat_time_rfc3339(when, t->at_ms);
	sat_json_put_str(doc, "schema", "satchel/webhook/1");
	sat_json_put_str(doc, "id", name);
	sat_json_put_str(doc, "event", t->event);
	sat_json_put_str(doc, "time", when);
	sat_json_put_str(doc, "org", r->src->org);
	o = sat_json_put_obj(doc, "record");
	sat_json_put_str(o, "kind", t->kind != NULL ? t->kind->key : NULL);
	put_id(o, &t->rec);
	o = sat_json_put_obj(doc, "subject");
	put_id(o, &t->subject);
	sat_json_put_str(o, "number", number[0] != '\0' ? number : NULL);
	sat_json_put_str(doc, "by", t->by[0] != '\0' ? t->by : NULL);
	if (t->to[0] != '\0')
		sat_json_put_str(doc, "to", t->to);
	if (t->nfields > 0) {
		o = sat_json_put_arr(doc, "fields");
		for (size_t i = 0; i < t->nfields; i++) {
			const sat_field *f = t->kind != NULL ?
			    sat_kind_field_id(t->kind, t->field[i]) : NULL;

			if (f != NULL)
				sat_json_add_str(o, f->key);
		}
	}
	sat_json_write(out, doc, false);
	sat_json_free(doc);
}

/* "客户阶段变更 C202611001 → 报价 (li.na)" */
static void
put_line(sat_buf *out, const told *t, const char *number)
{
	const sat_option *o = t->of != NULL && t->of->dict != NULL ?
	    sat_dict_option(t->of->dict, t->to, strlen(t->to)) : NULL;
	char id[SAT_ID_TEXT];

	sat_id_text(id, &t->subject);
	sat_buf_fmt(out, "%s%s %s", t->kind != NULL ? t->kind->zh : "", t->zh,
	    number[0] != '\0' ? number : id);
	if (t->to[0] != '\0')
		sat_buf_fmt(out, " → %s", o != NULL ? o->zh : t->to);
	if (t->by[0] != '\0')
		sat_buf_fmt(out, " (%s)", t->by);
}

/* One row for each hook that wants it. */
static sat_rc
put_rows(sat_hook_event *rows, size_t *n, sat_arena *a, const reading *r,
    const told *t, sat_err *e)
{
	sat_buf number = { 0 }, body = { 0 }, line = { 0 };
	sat_rc rc = sat_server_number(&number, r->src->core, &t->subject, e);
	sat_hook_event x = { .subject = t->subject,
		.made_ms = sat_wall_ms(&r->src->clock) };

	if (rc == SAT_OK) {
		put_body(&body, r, t, sat_buf_cstr(&number));
		put_line(&line, t, sat_buf_cstr(&number));
		x.body = sat_span_of(sat_arena_dup(a, body.p, body.n), body.n);
		x.line = sat_arena_str(a, line.p, line.n);
	}
	for (size_t i = 0; rc == SAT_OK && i < r->nhooks; i++)
		if (t->lsn > r->hooks[i].since &&
		    sat_hook_wants(r->hooks[i].events, t->event)) {
			x.hook = r->hooks[i].id;
			rows[(*n)++] = x;
		}
	sat_buf_fini(&number);
	sat_buf_fini(&body);
	sat_buf_fini(&line);
	return rc;
}

static sat_rc
queue(const reading *r, sat_err *e)
{
	sat_arena a = { 0 };
	sat_hook_event *rows = sat_arena_alloc(&a, (r->n * r->nhooks + 1) *
	    sizeof *rows);
	size_t n = 0;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < r->n && rc == SAT_OK; i++)
		rc = put_rows(rows, &n, &a, r, &r->list[i], e);
	if (rc == SAT_OK)
		rc = sat_sqlite_hook_queue(r->src->store, r->upto, rows, n, e);
	sat_arena_fini(&a);
	return rc;
}

/* So many positions without an event are read again after a restart. */
#define AGAIN_MAX 1000

sat_rc
sat_hook_read(bool *more, uint64_t *told_upto, const sat_hook_source *src,
    unsigned max, sat_err *e)
{
	reading r = { .src = src, .t = src->tip(src->u), .left = max };
	uint64_t head = 0, kept = 0;
	sat_arena a = { 0 };
	sat_hook *hooks;
	sat_rc rc;

	*more = false;
	if ((rc = sat_sqlite_hooks(&hooks, &r.nhooks, &a, src->store, e)) !=
	        SAT_OK || r.nhooks == 0 || r.t == NULL ||
	    (rc = sat_sqlite_hook_told(&kept, src->store, e)) != SAT_OK ||
	    (rc = sat_server_head(src->core, &head, e)) != SAT_OK)
		goto out;
	r.hooks = hooks;
	if (*told_upto < kept)
		*told_upto = kept;
	if (*told_upto >= head)
		goto out;
	r.upto = head;
	if ((rc = sat_server_look(src->core, *told_upto + 1, head, read_commit,
	    &r, e)) != SAT_OK)
		goto out;
	*more = r.left == 0 && r.upto < head;
	if (!*more)
		r.upto = head; /* positions without a commit are read too */
	if (r.n > 0 || r.upto - kept > AGAIN_MAX)
		rc = queue(&r, e);
	if (rc == SAT_OK)
		*told_upto = r.upto;
out:
	free(r.list);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_hook_test(const sat_hook_source *src, int64_t id, sat_err *e)
{
	sat_hook_event x = { .hook = id, .made_ms = sat_wall_ms(&src->clock),
		.line = "测试 test" };
	sat_json *doc = sat_json_obj();
	char name[37], when[32];
	sat_buf b = { 0 };
	uint8_t random[16];
	uint64_t told_upto = 0;
	sat_hook h;
	sat_arena a = { 0 };
	sat_rc rc;

	sat_random(random, sizeof random);
	memcpy(name, "evt_", 4);
	sat_hex(name + 4, random, sizeof random);
	sat_time_rfc3339(when, x.made_ms);
	sat_json_put_str(doc, "schema", "satchel/webhook/1");
	sat_json_put_str(doc, "id", name);
	sat_json_put_str(doc, "event", "test");
	sat_json_put_str(doc, "time", when);
	sat_json_put_str(doc, "org", src->org);
	sat_json_write(&b, doc, false);
	x.body = sat_buf_span(&b);
	if ((rc = sat_sqlite_hook_get(&h, &a, src->store, id, e)) == SAT_OK &&
	    (rc = sat_sqlite_hook_told(&told_upto, src->store, e)) == SAT_OK &&
	    (rc = sat_sqlite_hook_queue(src->store, told_upto, &x, 1, e)) ==
	        SAT_OK)
		rc = sat_sqlite_hook_wake(src->store, id, e);
	sat_arena_fini(&a);
	sat_buf_fini(&b);
	sat_json_free(doc);
	return rc;
}
