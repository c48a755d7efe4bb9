/*
 * merge, conflict: what the merge did, and what it left to a person. Who keeps
 * the server sees no customers: ids and names of fields, never values.
 */
#include "server/admin/admin_int.h"

#include "protocol/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 50 /* of a list, unless --limit says otherwise */

static const char *
verdict_word(sat_verdict_code v)
{
	switch (v) {
	case SAT_VD_OK_LATE: return "late";
	case SAT_VD_CONFLICT: return "conflict";
	default: return "ok";
	}
}

sat_rc
admin_lsn(uint64_t *lsn, const char *text, const char *usage, sat_err *e)
{
	char *end = NULL;
	unsigned long long n = text != NULL ? strtoull(text, &end, 10) : 0;

	if (n == 0 || n > INT64_MAX || *end != '\0' || text[0] == '-')
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "LSN is a position of the log, from 1; see: satcheld merge log",
		    "usage: satcheld %s", usage);
	*lsn = n;
	return SAT_OK;
}

static void
put_id(sat_json *row, const char *key, const sat_id *id)
{
	char text[SAT_ID_TEXT];

	sat_id_text(text, id);
	sat_json_put_str(row, key, text);
}

static const char *
user_of(const sat_admin *a, uint32_t device)
{
	const sat_registry *r = sat_server_registry(a->core);
	const sat_device *d = sat_registry_device(r, device);
	const sat_user *u = d != NULL ? sat_registry_user_ord(r, d->user) : NULL;

	return u != NULL ? u->key : NULL;
}

static const char *
kind_key(sat_admin *a, const sat_op *op, const char **field)
{
	const sat_template *t = admin_template_at(a, a->tip.b);
	const sat_kind *k = t != NULL ? sat_template_kind_id(t, op->rtype) : NULL;
	const sat_field *f = k != NULL ? sat_kind_field_id(k, op->field) : NULL;

	*field = f != NULL ? f->key : NULL;
	return k != NULL ? k->key : NULL;
}

/* ---- the log ----------------------------------------------------------------------------- */

static void
put_commit(sat_json *row, sat_admin *a, const sat_look_commit *x)
{
	const sat_user *who = sat_registry_user_ord(
	    sat_server_registry(a->core), x->c->actor);
	char hex[2 * SAT_TEMPLATE_OID_BYTES + 1];

	sat_json_put_int(row, "lsn", (int64_t)x->c->lsn);
	sat_json_put_time(row, "received", x->received_ms);
	sat_json_put_time(row, "made", sat_hlc_ms(x->c->hlc));
	sat_json_put_int(row, "device", x->c->device);
	sat_json_put_str(row, "actor", x->c->device == SAT_DEV_SERVER ?
	    "server" : who != NULL ? who->key : NULL);
	put_id(row, "subject", &x->c->subject);
	sat_json_put_int(row, "ops", (int64_t)x->c->nops);
	sat_json_put_str(row, "verdict", verdict_word(x->verdict));
	sat_json_put_bool(row, "erased", x->erased);
	sat_hex(hex, x->c->template_oid, SAT_TEMPLATE_OID_BYTES);
	sat_json_put_str(row, "template", hex);
}

typedef struct listing {
	sat_admin *a;
	sat_json *rows, *one; /* one: the commit itself, with its operations */
	int64_t left;
} listing;

static bool
list_commit(void *u, const sat_look_commit *x)
{
	listing *l = u;

	put_commit(sat_json_add_obj(l->rows), l->a, x);
	return --l->left > 0;
}

/* Where --since begins; without it the last `limit` are shown. */
static sat_rc
first_of(uint64_t *from, sat_admin *a, const char *since, int64_t limit,
    sat_err *e)
{
	int64_t ms, now = sat_wall_ms(&a->clock);
	uint64_t head;
	sat_rc rc;

	if (since != NULL) {
		if (sat_duration_parse(&ms, since))
			ms = now - ms;
		else if (!sat_time_parse(&ms, since, 0))
			return sat_fail_code(e, SAT_EUSAGE, "usage.option",
			    "for example 2h, 7d, 2026-11-01T08:00:00Z",
			    "--since %.40s is no time", since);
		rc = sat_sqlite_log_before(from, a->store, ms, e);
		++*from;
		return rc;
	}
	rc = sat_server_head(a->core, &head, e);
	*from = rc == SAT_OK && head > (uint64_t)limit ?
	    head - (uint64_t)limit + 1 : 1;
	return rc;
}

static sat_rc
merge_log(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "lsn", "received", "device", "actor",
		"subject", "ops", "verdict", "erased", NULL };
	const char *since = sat_args_get(w, "since");
	listing l = { .a = a };
	uint64_t from;
	sat_json *doc;
	sat_rc rc;

	if ((rc = sat_args_int(&l.left, w, "limit", since != NULL ?
	    INT32_MAX : ROWS, e)) != SAT_OK)
		return rc;
	if (l.left < 1)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--limit is at least 1");
	if ((rc = first_of(&from, a, since, l.left, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/merge.log/1");
	l.rows = sat_json_put_arr(doc, "data");
	rc = sat_server_look(a->core, from, UINT64_MAX, list_commit, &l, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

static void
put_op(sat_json *row, sat_admin *a, const sat_op *op)
{
	const char *field, *kind = kind_key(a, op, &field);

	sat_json_put_str(row, "op", sat_op_word(op->kind));
	sat_json_put_str(row, "kind", kind);
	put_id(row, "id", &op->rec);
	sat_json_put_str(row, "field", field);
}

static bool
show_commit(void *u, const sat_look_commit *x)
{
	listing *l = u;

	put_commit(l->one, l->a, x);
	sat_json_put_int(l->one, "incarnation", x->c->incarnation);
	sat_json_put_int(l->one, "cseq", (int64_t)x->c->cseq);
	sat_json_put_int(l->one, "seen", (int64_t)x->c->seen);
	sat_json_put_bool(l->one, "clock_suspect",
	    (x->c->flags & SAT_CF_CLOCK_SUSPECT) != 0);
	l->rows = sat_json_put_arr(l->one, "data");
	for (size_t i = 0; i < x->c->nops; i++) {
		const sat_op *op = &x->c->ops[i];
		sat_json *row = sat_json_add_obj(l->rows);

		put_op(row, l->a, op);
		sat_json_put_int(row, "seen", (int64_t)sat_op_seen(x->c, op));
	}
	return false;
}

static sat_rc
merge_show(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "op", "kind", "id", "field", NULL };
	listing l = { .a = a, .one = sat_json_obj() };
	uint64_t lsn = 0, head = 0;
	sat_rc rc = admin_lsn(&lsn, w->nargs > 2 ? w->arg[2] : NULL,
	    "merge show LSN", e);

	sat_json_put_str(l.one, "schema", "satcheld/merge.show/1");
	if (rc == SAT_OK && (rc = sat_server_head(a->core, &head, e)) == SAT_OK)
		rc = sat_server_look(a->core, lsn, lsn, show_commit, &l, e);
	if (rc == SAT_OK && l.rows == NULL)
		rc = sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "see: satcheld merge log", "no commit at %llu of %llu",
		    (unsigned long long)lsn, (unsigned long long)head);
	if (rc == SAT_OK && !sat_args_has(w, "json"))
		admin_print_head(out, l.one);
	if (rc == SAT_OK)
		admin_print(out, w, l.one, cols);
	sat_json_free(l.one);
	return rc;
}

/* ---- once more ---------------------------------------------------------------------------- */

typedef struct again {
	sat_admin *a;
	sat_json *rows;
	int64_t left, ops, opened, settled, lost;
} again;

static void
told(void *u, const sat_replayed *x)
{
	static const char *const outcomes[] = { "applied", "lost", "review",
		"nothing" };
	again *g = u;
	sat_json *row;

	g->ops++;
	g->opened += x->did->conflict_opened;
	g->settled += x->did->conflict_closed;
	g->lost += x->did->outcome == SAT_LOST;
	if (g->left-- <= 0)
		return;
	row = sat_json_add_obj(g->rows);
	sat_json_put_int(row, "lsn", (int64_t)x->lsn);
	sat_json_put_int(row, "device", x->device);
	put_op(row, g->a, x->op);
	sat_json_put_str(row, "outcome", outcomes[x->did->outcome]);
	sat_json_put_str(row, "conflict", x->did->conflict_opened ? "opened" :
	    x->did->conflict_closed ? "settled" :
	    x->did->dismissed ? "dismissed" : NULL);
	sat_json_put_bool(row, "echoed", x->echoed);
}

static sat_rc
merge_replay(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "lsn", "device", "op", "kind", "id",
		"field", "outcome", "conflict", NULL };
	again g = { .a = a };
	sat_replay r = { .verify = sat_args_has(w, "verify"), .cb = told,
		.cu = &g };
	sat_json *doc;
	sat_rc rc;

	if ((rc = admin_lsn(&r.from, sat_args_get(w, "from"),
	    "merge replay --from LSN [--verify]", e)) != SAT_OK ||
	    (rc = sat_args_int(&g.left, w, "limit", ROWS, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/merge.replay/1");
	g.rows = sat_json_put_arr(doc, "data");
	if (r.verify)
		rc = admin_segments_verify(a, e);
	if (rc == SAT_OK && (rc = sat_server_replay(a->core, &r, e)) == SAT_OK) {
		sat_json_put_int(doc, "from", (int64_t)r.from);
		sat_json_put_int(doc, "commits", (int64_t)r.commits);
		sat_json_put_int(doc, "operations", g.ops);
		sat_json_put_int(doc, "opened", g.opened);
		sat_json_put_int(doc, "settled", g.settled);
		sat_json_put_int(doc, "lost", g.lost);
		sat_json_put_bool(doc, "verified", r.verify);
		sat_json_put_int(doc, "records", (int64_t)r.records);
		admin_print(out, w, doc, cols);
		if (!sat_args_has(w, "json"))
			admin_print_head(out, doc);
	}
	sat_json_free(doc);
	return rc;
}

sat_rc
admin_merge_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "log";

	if (strcmp(verb, "log") == 0)
		return merge_log(a, w, out, e);
	if (strcmp(verb, "show") == 0)
		return merge_show(a, w, out, e);
	if (strcmp(verb, "replay") == 0)
		return merge_replay(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld merge log [--since T] | show LSN | replay --from LSN "
	    "[--verify]");
}

/* ---- what is open --------------------------------------------------------------------------- */

static bool
list_conflict(void *u, const sat_look_conflict *x)
{
	listing *l = u;
	sat_json *row = sat_json_add_obj(l->rows);
	int64_t newest = x->n > 0 ? sat_hlc_ms(x->candidates[0].at.hlc) : 0;

	sat_json_put_str(row, "kind", x->kind->key);
	put_id(row, "id", &x->rec);
	sat_json_put_str(row, "field", x->field != NULL ? x->field->key : NULL);
	sat_json_put_int(row, "opened_lsn", (int64_t)x->opened_lsn);
	sat_json_put_time(row, "newest", newest);
	sat_json_put_int(row, "candidates", (int64_t)x->n);
	sat_json_put_str(row, "by", x->n > 0 ?
	    user_of(l->a, x->candidates[0].at.dev) : NULL);
	return true;
}

static sat_rc
conflict_list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "kind", "id", "field", "opened_lsn",
		"newest", "candidates", "by", NULL };
	sat_json *doc = sat_json_obj();
	listing l = { .a = a };
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/conflict.list/1");
	l.rows = sat_json_put_arr(doc, "data");
	rc = sat_server_conflicts(a->core, list_conflict, &l, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

/* One row of the statistics: of a field, or of a device. */
typedef struct tally {
	uint16_t rtype, fid;
	uint32_t device;
	int64_t opened, settled, dismissed, open;
} tally;

typedef struct tallies {
	tally *t;
	size_t n, cap;
} tallies;

static tally *
tally_of(tallies *x, uint16_t rtype, uint16_t fid, uint32_t device)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->t[i].rtype == rtype && x->t[i].fid == fid &&
		    x->t[i].device == device)
			return &x->t[i];
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 16;
		x->t = sat_xrealloc(x->t, x->cap * sizeof *x->t);
	}
	x->t[x->n] = (tally){ .rtype = rtype, .fid = fid, .device = device };
	return &x->t[x->n++];
}

typedef struct stats {
	tallies fields, devices;
} stats;

static void
count_event(tally *t, const sat_applied *did)
{
	t->opened += did->conflict_opened;
	t->settled += did->conflict_closed;
	t->dismissed += did->dismissed;
}

static void
count_replayed(void *u, const sat_replayed *x)
{
	stats *s = u;

	if (!x->did->conflict_opened && !x->did->conflict_closed &&
	    !x->did->dismissed)
		return;
	count_event(tally_of(&s->fields, x->op->rtype, x->op->field, 0), x->did);
	count_event(tally_of(&s->devices, 0, 0, x->device), x->did);
}

static bool
count_open(void *u, const sat_look_conflict *x)
{
	stats *s = u;

	tally_of(&s->fields, x->kind->id, x->field != NULL ? x->field->id : 0,
	    0)->open++;
	for (size_t i = 0; i < x->n; i++)
		tally_of(&s->devices, 0, 0, x->candidates[i].at.dev)->open++;
	return true;
}

static void
put_tallies(sat_json *rows, sat_admin *a, const tallies *x, bool by_device)
{
	for (size_t i = 0; i < x->n; i++) {
		const tally *t = &x->t[i];
		const sat_op op = { .rtype = t->rtype, .field = t->fid };
		sat_json *row = sat_json_add_obj(rows);
		const char *field, *kind = kind_key(a, &op, &field);

		if (by_device) {
			sat_json_put_int(row, "device", t->device);
			sat_json_put_str(row, "user", user_of(a, t->device));
		} else {
			sat_json_put_str(row, "kind", kind);
			sat_json_put_str(row, "field", field);
		}
		sat_json_put_int(row, "opened", t->opened);
		sat_json_put_int(row, "settled", t->settled);
		sat_json_put_int(row, "dismissed", t->dismissed);
		sat_json_put_int(row, "open", t->open);
	}
}

/* The log is folded once more: nothing else knows how a conflict ended. */
static sat_rc
conflict_stats(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "kind", "field", "opened", "settled",
		"dismissed", "open", NULL };
	stats s = { 0 };
	sat_replay r = { .cb = count_replayed, .cu = &s };
	sat_json *doc;
	sat_rc rc;

	if ((rc = sat_server_replay(a->core, &r, e)) == SAT_OK)
		rc = sat_server_conflicts(a->core, count_open, &s, e);
	if (rc == SAT_OK) {
		doc = sat_json_obj();
		sat_json_put_str(doc, "schema", "satcheld/conflict.stats/1");
		put_tallies(sat_json_put_arr(doc, "data"), a, &s.fields, false);
		put_tallies(sat_json_put_arr(doc, "devices"), a, &s.devices,
		    true);
		admin_print(out, w, doc, cols);
		sat_json_free(doc);
	}
	free(s.fields.t);
	free(s.devices.t);
	return rc;
}

sat_rc
admin_conflict_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";

	if (strcmp(verb, "list") == 0)
		return conflict_list(a, w, out, e);
	if (strcmp(verb, "stats") == 0)
		return conflict_stats(a, w, out, e);
	if (strcmp(verb, "escalate") == 0)
		return admin_conflict_escalate(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld conflict list|stats|escalate");
}
