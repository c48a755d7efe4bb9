#include "tests/lib/unit.h"

#include <ctype.h>

#include "client/api/api.h"
#include "tests/unit/client/api/asked.h"
#include "tests/unit/client/crm/crm_fixture.h"

/* ---- schemas ------------------------------------------------------------- */

sat_json *
schema_of(const char *name)
{
	char *path = sat_xasprintf("docs/schema/%s.json", name);
	FILE *in = fopen(path, "rbe");
	sat_buf b = { 0 };
	sat_json *doc = NULL;
	sat_err err;

	if (in == NULL)
		fail_msg("there is no %s", path);
	b.n = fread(sat_buf_room(&b, 65536), 1, 65536, in);
	(void)fclose(in);
	assert_ok(sat_json_parse(&doc, sat_buf_span(&b), 0, &err));
	sat_buf_fini(&b);
	free(path);
	return doc;
}

void
assert_fits(const sat_json *doc, const char *schema, const char *what)
{
	sat_json *s = schema_of(schema);
	sat_buf b = { 0 };
	sat_err err = { 0 };

	if (sat_json_validate(doc, s, &err) != SAT_OK) {
		sat_json_write(&b, doc, true);
		fail_msg("%s is no %s: %s\n%.3000s", what, schema, err.text,
		    sat_buf_cstr(&b));
	}
	sat_json_free(s);
}

/* ---- the world: one of everything ---------------------------------------- */

static void
on_event(void *u, const sat_json *line)
{
	((world *)u)->events++;
	assert_fits(line, "progress", "an event");
}

void
touch(const char *dir, const char *name, const char *content)
{
	char *path = sat_xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "wbe");

	assert_non_null(out);
	assert_true(fputs(content, out) >= 0);
	assert_int_equal(0, fclose(out));
	free(path);
}

static void
open_conflict(world *w, sat_id id)
{
	sat_arena a = { 0 };
	sat_conflict *all;
	uint64_t seen;
	size_t n, changed;
	sat_err err;

	srv_sync(w->f);
	seen = w->f->srv.n;
	srv_foreign_text(w->f, id, F_PHONE, "+8613900000002", seen);
	assert_ok(try_edit(&changed, w->f, w->f->account, id,
	    LIST("phone_main=13900000001"), &err));
	srv_sync(w->f);
	assert_ok(sat_replica_conflicts(&all, &n, &a, w->f->r, &err));
	assert_int_equal(1, n);
	(void)snprintf(w->conflict, sizeof w->conflict, "%s", all[0].key);
	sat_arena_fini(&a);
}

static void
be_refused(world *w, sat_id id)
{
	sat_arena a = { 0 };
	sat_quarantined *q;
	size_t n, changed;
	sat_err err;

	w->f->srv.refuse = refuse_all;
	assert_ok(try_edit(&changed, w->f, w->f->account, id,
	    LIST("remark=refuse this"), &err));
	assert_ok(try_edit(&changed, w->f, w->f->account, id,
	    LIST("remark=and this"), &err));
	assert_ok(try_edit(&changed, w->f, w->f->account, id,
	    LIST("remark=and that"), &err));
	(void)srv_push(w->f, false);
	w->f->srv.refuse = NULL;
	assert_ok(sat_replica_quarantine(&q, &n, &a, w->f->r, &err));
	assert_int_equal(3, n);
	(void)snprintf(w->hand, sizeof w->hand, "%lld", (long long)q[2].id);
	(void)snprintf(w->refused, sizeof w->refused, "%lld",
	    (long long)q[0].id);
	(void)snprintf(w->again, sizeof w->again, "%lld",
	    (long long)q[1].id);
	sat_arena_fini(&a);
}

static void
be_suggested(world *w, sat_id id)
{
	sat_op o = op(w->f->account, SAT_OP_SET, id, F_REMARK, text("late"));
	uint64_t take = suggested(w->f, w->f->account, id, &o, 1, "late");
	uint64_t leave = suggested(w->f, w->f->account, id, &o, 1, "late");

	srv_sync(w->f);
	(void)snprintf(w->take, sizeof w->take, "%s-%llu", w->id,
	    (unsigned long long)take);
	(void)snprintf(w->leave, sizeof w->leave, "%s-%llu", w->id,
	    (unsigned long long)leave);
}

static void
lose_customer(world *w, sat_id id)
{
	sat_rescope rs = { .lsn = w->f->srv.n, .root = id,
		.to = sat_span_str("Wang") };
	sat_err err;

	assert_ok(srv_page(w->f, w->f->srv.n, false, &rs, 1, NULL, 0, &err));
}

/* Two that share a phone. */
static void
be_twins(world *w)
{
	sat_write_opts why = { .duplicate_reason = "branch" };
	sat_id id[2];
	sat_err err;
	pairs p;

	for (size_t i = 0; i < 2; i++) {
		w->f->now_ms += 10;
		read_pairs(&p, i == 0 ?
		    LIST("name=Twin One", "phone_main=13500000001",
		    "industry=C34", "contact_name=Li", "need_type=product") :
		    LIST("name=Twin Two", "phone_main=13500000001",
		    "industry=C34", "contact_name=Li", "need_type=product"));
		assert_ok(sat_crm_create(&id[i], &w->api.crm, w->f->account,
		    p.in, p.n, &why, NULL, NULL, &err));
		sat_id_text(w->twin[i], &id[i]);
	}
	sat_pair_tag(w->pair, &id[0], &id[1]);
}

/* A visitor, and a channel that said he would come. */
static void
be_visited(world *w)
{
	const sat_template *t = sat_replica_template(w->f->r);
	sat_id id = made(w->f, sat_template_kind(t, "visit"),
	    LIST("visitor=Gnu", "phone=13800000009"));

	sat_id_text(w->visit, &id);
	id = made(w->f, sat_template_kind(t, "preregistration"),
	    LIST("visitor=Gnu", "phone=13800000009", "agent=lee"));
	sat_id_text(w->report, &id);
}

world *
world_of(fixture *f)
{
	static world w;
	sat_id a, b, o;
	char under[64];

	memset(&w, 0, sizeof w);
	w.f = f;
	w.api.crm = crm_of(f);
	w.api.profile = "default";
	w.api.keyring = f->keyring;
	w.api.dir = f->dir;
	w.api.event = on_event;
	w.api.u = &w;
	touch(f->dir, "replica.keyring", "not looked into here\n");
	a = customer(f, "Acme Works", "13812345678");
	b = customer(f, "Blue Works", "13812345679");
	sat_id_text(w.id, &a);
	sat_id_text(w.gone, &b);
	(void)snprintf(under, sizeof under, "account=%s", w.id);
	o = made(f, f->opportunity, LIST("name=deal", under, "amount=500"));
	sat_id_text(w.opp, &o);
	(void)made(f, f->contact, LIST("name=Zhang", under, "phone=13912345678"));
	o = made(f, f->activity, LIST(under, "method=phone", "points=x"));
	sat_id_text(w.follow, &o);
	be_visited(&w);
	be_twins(&w);
	open_conflict(&w, a);
	be_refused(&w, a);
	be_suggested(&w, a);
	lose_customer(&w, b);
	return &w;
}

/* ---- calls --------------------------------------------------------------- */

static char *
filled_in(const world *w, const char *s)
{
	sat_buf b = { 0 };
	char *out;

	for (; s != NULL && *s != '\0'; s++) {
		const char *with = *s != '$' ? NULL : s[1] == 'A' ? w->id
		    : s[1] == 'O'                                 ? w->opp
		    : s[1] == 'K'                                 ? w->conflict
		    : s[1] == 'Q'                                 ? w->refused
		    : s[1] == 'R'                                 ? w->again
		    : s[1] == 'S'                                 ? w->hand
		    : s[1] == 'T'                                 ? w->take
		    : s[1] == 'L'                                 ? w->leave
		    : s[1] == 'B'                                 ? w->twin[0]
		    : s[1] == 'C'                                 ? w->twin[1]
		    : s[1] == 'P'                                 ? w->pair
		    : s[1] == 'V'                                 ? w->visit
		    : s[1] == 'W'                                 ? w->report
		    : s[1] == 'F'                                 ? w->follow
		    : s[1] == 'D'                                 ? w->f->dir
		                                                  : NULL;

		if (with == NULL || islower((unsigned char)s[1])) {
			sat_buf_add(&b, s, 1);
			continue;
		}
		sat_buf_str(&b, with);
		s++;
	}
	out = sat_xstrdup(sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return out;
}

static sat_json *
parsed(const world *w, const char *text)
{
	char *full = filled_in(w, text);
	sat_json *doc = NULL;
	sat_err err;

	if (text != NULL)
		assert_ok(sat_json_parse(&doc, sat_span_str(full), 0, &err));
	free(full);
	return doc;
}

static void
put_more(sat_json *to, const sat_json *more)
{
	for (const sat_json *m = sat_json_first(more); m != NULL;
	     m = sat_json_next(m))
		if (sat_json_get(to, sat_json_key(m)) == NULL)
			sat_json_put(to, sat_json_key(m), sat_json_dup(m));
}

sat_rc
ask_more(sat_json **out, world *w, const call *k, const sat_json *more,
    sat_err *e)
{
	char *path = filled_in(w, k->path);
	sat_json *query = parsed(w, k->query), *body = parsed(w, k->body);
	sat_request req = { .method = k->method, .path = path,
		.files = !w->port };
	sat_rc rc;

	if (more != NULL && query == NULL)
		query = sat_json_obj();
	if (more != NULL && body == NULL)
		body = sat_json_obj();
	put_more(query, more);
	put_more(body, more);
	req.query = query;
	req.body = body;
	w->f->now_ms += 10;
	w->f->boot_ms += 10;
	memset(e, 0, sizeof *e);
	rc = sat_api_handle(out, &w->api, &req, e);
	sat_json_free(query);
	sat_json_free(body);
	free(path);
	return rc;
}

sat_rc
ask(sat_json **out, world *w, const call *k, sat_err *e)
{
	return ask_more(out, w, k, NULL, e);
}
