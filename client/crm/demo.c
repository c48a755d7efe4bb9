/*
 * How the company gets in: as a first sync would bring it. The records' states
 * are folded here from operations of many people, with positions in a log that
 * nobody keeps, and handed to the replica's session in chunks. So everything
 * a replica derives of what it is sent - conflicts, duplicates, numbers - is
 * derived here as well, and nothing waits to be sent.
 */
#include "client/crm/demo_int.h"

#include "common/git/git.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_RECORDS 2000

void
sat_demo_identity(sat_replica_identity *id)
{
	id->server[0] = '\0'; /* there is none: sat_replica_is_demo */
	id->incarnation = 1;
	memcpy(id->org.b, "satchel demo    ", sizeof id->org.b);
}

/* ---- chance ----------------------------------------------------------------------- */

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t
demo_rand(demo *d)
{
	return mix(d->rng += 0x9e3779b97f4a7c15ull);
}

int64_t
demo_below(demo *d, int64_t n)
{
	return (int64_t)(demo_rand(d) % (uint64_t)n);
}

bool
demo_chance(demo *d, int percent)
{
	return demo_below(d, 100) < percent;
}

/* ---- records ------------------------------------------------------------------------ */

static void
flush(demo *d, bool done)
{
	sat_chunk c = { .lsn = d->lsn, .next = d->eid, .done = done,
		.total = d->total, .max_eff = d->newest, .decoded = true,
		.recs = d->recs, .nrecs = d->n };

	if (d->rc == SAT_OK)
		d->rc = d->ops.chunk(d->ops.u, &c, d->e);
	d->n = 0;
	sat_arena_reset(&d->mem);
}

static sat_op_kind
op_of(const sat_field *f)
{
	switch (f->policy) {
	case SAT_P_REVIEW:
		return SAT_OP_MVSET;
	case SAT_P_SET:
		return SAT_OP_SADD;
	case SAT_P_COUNTER:
		return SAT_OP_ADD;
	case SAT_P_STAGE:
		return SAT_OP_STAGE;
	case SAT_P_OWNER:
		return SAT_OP_REASSIGN;
	default:
		return SAT_OP_SET;
	}
}

static void
apply(demo_rec *x, const sat_op *op, uint64_t seen)
{
	demo *d = x->d;
	sat_hlc hlc = sat_hlc_of_ms(x->ms) + (++d->lsn & 0x3ff);
	sat_apply_ctx ctx = { { hlc, x->dev, d->lsn }, seen, false, NULL };
	sat_applied got;

	if (d->rc != SAT_OK)
		return;
	d->rc = sat_record_apply(&got, &x->rec, &d->mem, d->t, op, &ctx, d->e);
	if (d->rc == SAT_OK)
		sat_record_applied(&x->rec, got.outcome, d->lsn);
	if (hlc > d->newest)
		d->newest = hlc;
}

demo_rec
demo_begin(demo *d, const char *kind, int64_t ms, uint32_t dev)
{
	demo_rec x = { .d = d, .kind = sat_template_kind(d->t, kind), .ms = ms,
		.dev = dev };
	uint64_t at = (uint64_t)ms << 16 | dev, rest = demo_rand(d);
	sat_op op = { .kind = SAT_OP_NEW };

	if (x.kind == NULL) {
		if (d->rc == SAT_OK)
			d->rc = sat_fail(d->e, SAT_EINVALID, "the template has "
			    "no kind %s", kind);
		return x;
	}
	for (int i = 0; i < 8; i++) {
		x.rec.id.b[i] = (uint8_t)(at >> (56 - 8 * i));
		x.rec.id.b[8 + i] = (uint8_t)(rest >> (56 - 8 * i));
	}
	op.rec = x.rec.id;
	op.rtype = x.kind->id;
	apply(&x, &op, 0);
	return x;
}

static void
put(demo_rec *x, const char *field, sat_value v, uint64_t seen)
{
	const sat_field *f = x->kind != NULL ? sat_kind_field(x->kind, field) :
	    NULL;
	sat_op op = { .rec = x->rec.id };

	if (f == NULL) /* a template without it says nothing there */
		return;
	op.rtype = x->kind->id;
	op.kind = op_of(f);
	op.field = f->id;
	op.value = sat_value_dup(&x->d->mem, v);
	apply(x, &op, seen);
}

void
demo_put(demo_rec *x, const char *field, sat_value v)
{
	put(x, field, v, x->d->lsn);
}

void
demo_text(demo_rec *x, const char *field, const char *text)
{
	if (text[0] != '\0')
		demo_put(x, field, sat_v_text(sat_span_str(text)));
}

void
demo_int(demo_rec *x, const char *field, int64_t v)
{
	demo_put(x, field, sat_v_int(v));
}

void
demo_ref(demo_rec *x, const char *field, const sat_id *id)
{
	demo_put(x, field, sat_v_id(id));
}

void
demo_conflict(demo_rec *x, const char *field, const char *a, const char *b)
{
	uint64_t seen = x->d->lsn;
	uint32_t dev = x->dev;

	put(x, field, sat_v_text(sat_span_str(a)), seen);
	x->dev = dev == DEMO_REP_FIRST ? dev + 1 : DEMO_REP_FIRST;
	x->ms += DEMO_HOUR;
	put(x, field, sat_v_text(sat_span_str(b)), seen);
	x->dev = dev;
}

void
demo_end(demo_rec *x)
{
	demo *d = x->d;

	if (d->rc != SAT_OK)
		return;
	x->rec.eid = ++d->eid;
	if (d->n == d->cap) {
		d->cap = d->cap * 2 + CHUNK_RECORDS;
		d->recs = sat_xrealloc(d->recs, d->cap * sizeof *d->recs);
	}
	d->recs[d->n++] = x->rec;
	d->sum->records++;
	if (strcmp(x->kind->key, "account") == 0)
		d->sum->accounts++;
	if (strcmp(x->kind->key, "activity") == 0)
		d->sum->activities++;
}

/* ---- the company ---------------------------------------------------------------------- */

static void
put_user(demo *d, sat_user *u, uint32_t ord, const char *name,
    const char *role, uint32_t team)
{
	char key[16];

	(void)snprintf(key, sizeof key, "%s%u", role[0] == 'm' ? "mgr" : "rep",
	    role[0] == 'm' ? ord - 1 : ord - DEMO_REP_FIRST + 1);
	*u = (sat_user){ ord, ord == 1 ? "demo" :
		sat_arena_str(&d->mem, key, strlen(key)), name, role, team,
		false };
}

static sat_rc
give_people(demo *d)
{
	const demo_words *w = d->w;
	sat_team teams[] = { { .ord = 1, .key = "east", .name = w->teams[0],
		      .parent = "" },
		{ .ord = 2, .key = "south", .name = w->teams[1],
		      .parent = "" },
		{ .ord = 3, .key = "west", .name = w->teams[2],
		      .parent = "" } };
	sat_user users[DEMO_REP_FIRST - 1 + DEMO_REPS];
	sat_device devices[DEMO_REP_FIRST - 1 + DEMO_REPS];
	uint32_t n = DEMO_REP_FIRST - 1 + DEMO_REPS;
	sat_registry reg = { .rev = 1, .users = users, .nusers = n,
		.teams = teams, .nteams = 3, .devices = devices, .ndevices = n };
	sat_buf b = { 0 };
	sat_rc rc;

	put_user(d, &users[0], 1, w->me, "hq", 0);
	for (uint32_t i = 0; i < 3; i++)
		put_user(d, &users[1 + i], 2 + i, w->managers[i], "manager", i + 1);
	for (uint32_t i = 0; i < DEMO_REPS; i++)
		put_user(d, &users[4 + i], DEMO_REP_FIRST + i, w->reps[i], "rep",
		    i / 3 + 1);
	for (uint32_t i = 0; i < n; i++)
		devices[i] = (sat_device){ .ord = i + 1, .user = i + 1,
		    .name = w->device };
	sat_registry_write(&b, &reg);
	rc = d->ops.registry(d->ops.u, sat_buf_span(&b), d->e);
	sat_buf_fini(&b);
	return rc;
}

/* The base template, signed by a key of which nothing is kept. */
static sat_rc
give_template(demo *d, const uint8_t *pk, const uint8_t *sk)
{
	size_t n;
	const sat_template_file *files = sat_template_base(&n);
	sat_git_author who = { "demo", "demo@localhost", d->from_ms, sk, pk };
	sat_git_file *list = sat_xmalloc((n + 1) * sizeof *list);
	sat_buf bundle = { 0 };
	sat_git *g = NULL;
	sat_oid tip;
	sat_rc rc;

	for (size_t i = 0; i < n; i++)
		list[i] = (sat_git_file){ files[i].path, files[i].bytes };
	if ((rc = sat_git_memory(&g, d->e)) == SAT_OK &&
	    (rc = sat_git_commit(&tip, g, "refs/heads/published", list, n, &who,
	    "demonstration", d->e)) == SAT_OK &&
	    (rc = sat_git_bundle(&bundle, g, &tip, NULL, d->e)) == SAT_OK)
		rc = d->ops.template_(d->ops.u, tip.b, sat_buf_span(&bundle),
		    d->e);
	sat_buf_fini(&bundle);
	sat_git_close(g);
	free(list);
	return rc;
}

static sat_rc
found(demo *d)
{
	uint8_t seed[32] = { 0 }, pk[SAT_SIGN_PK_BYTES], sk[SAT_SIGN_SK_BYTES];
	sat_enrolled in = { .device = 1, .user = 1,
		.user_key = sat_span_str("demo"), .role = sat_span_str("hq"),
		.org_name = sat_span_str(d->w->org) };
	sat_rc rc;

	memcpy(seed, "satchel demo", 12);
	sat_sign_keys(pk, sk, seed);
	memcpy(in.template_pk, pk, sizeof in.template_pk);
	if ((rc = sat_replica_enrolled(d->r, &in, d->e)) != SAT_OK ||
	    (rc = give_people(d)) != SAT_OK)
		return rc;
	rc = give_template(d, pk, sk);
	d->t = sat_replica_template(d->r);
	return rc;
}

static void
campaigns_and_products(demo *d)
{
	char text[80];

	for (int i = 0; i < 4; i++) {
		demo_rec x = demo_begin(d, "campaign", d->from_ms +
		    i * d->o->days / 4 * DEMO_DAY, 1);

		demo_form(text, sizeof text, d->w->fair,
		    d->w->industries[i].sector, d->w->mark);
		demo_text(&x, "name", text);
		demo_text(&x, "campaign_kind", "fair");
		demo_int(&x, "starts", x.ms);
		demo_int(&x, "ends", x.ms + 3 * DEMO_DAY);
		demo_end(&x);
	}
	for (int i = 0; i < DEMO_INDUSTRIES * DEMO_GOODS; i++) {
		demo_rec x = demo_begin(d, "product", d->from_ms, 1);

		(void)snprintf(text, sizeof text, "P%03d", i + 1);
		demo_text(&x, "code", text);
		demo_text(&x, "name", d->w->industries[i / DEMO_GOODS].goods[i %
		    DEMO_GOODS]);
		demo_text(&x, "category",
		    d->w->industries[i / DEMO_GOODS].sector);
		demo_int(&x, "list_price", (5 + demo_below(d, 300)) * 100000);
		demo_int(&x, "active", 1);
		demo_end(&x);
	}
}

sat_rc
sat_demo_seed(sat_demo_summary *out, sat_replica *r, const sat_demo_opts *o,
    sat_err *e)
{
	demo d = { .r = r, .o = o, .e = e, .sum = out,
		.w = o->english ? &demo_words_en : &demo_words_zh,
		/* mixed: neighbouring seeds must not be one sequence, shifted */
		.rng = mix(o->seed + 1),
		.from_ms = o->as_of_ms - o->days * DEMO_DAY };

	memset(out, 0, sizeof *out);
	if (o->accounts < 1 || o->accounts > SAT_DEMO_ACCOUNTS_MAX ||
	    o->days < 1 || o->days > SAT_DEMO_DAYS_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.demo", NULL,
		    "1 to %d accounts over 1 to %d days",
		    SAT_DEMO_ACCOUNTS_MAX, SAT_DEMO_DAYS_MAX);
	d.ops = sat_replica_session(r);
	d.total = (uint64_t)o->accounts * 15;
	d.base = o->accounts < DEMO_STAGED ? o->accounts :
	    o->accounts - SAT_DEMO_DUPLICATES;
	if ((d.rc = found(&d)) == SAT_OK) {
		sat_arena_reset(&d.mem);
		d.names = sat_xcalloc(DEMO_PLACES * DEMO_INDUSTRIES *
		    DEMO_TRADES * DEMO_BRANDS * DEMO_BRANDS / 8 + 1, 1);
		campaigns_and_products(&d);
		for (int64_t i = 0; i < d.base && d.rc == SAT_OK; i++) {
			demo_customer(&d, i);
			if (d.n >= CHUNK_RECORDS)
				flush(&d, false);
			if (o->progress != NULL && i % 1000 == 999)
				o->progress(o->u, i + 1, o->accounts);
		}
		flush(&d, true);
	}
	free(d.recs);
	free(d.names);
	sat_arena_fini(&d.mem);
	return d.rc != SAT_OK ? d.rc : sat_replica_search_ready(r, e);
}
