/*
 * The honest side: a server and devices on disks that never fail, and people
 * who do what the stream `people` says. Sessions run to their end at once, so
 * that what a hostile device adds to a page changes nobody's schedule.
 */
#include "tests/sim/byz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MAX 8
#define EVIL_TEAM 3

/* ---- machines -------------------------------------------------------------------- */

static int64_t
node_wall(void *u)
{
	const bnode *n = u;

	return n->w->now_ms + n->skew_ms;
}

static int64_t
node_boot(void *u)
{
	const bnode *n = u;

	return n->w->now_ms - 1780000000000 + 1000;
}

static void
node_bytes(void *u, void *out, size_t n)
{
	bnode *m = u;
	uint8_t *p = out;
	uint64_t r = 0;

	for (size_t i = 0; i < n; i++, r >>= 8) {
		if (i % 8 == 0)
			r = sat_test_rand(&m->rand);
		p[i] = (uint8_t)r;
	}
}

static sat_clock
node_clock(bnode *n)
{
	return (sat_clock){ node_wall, node_boot, n };
}

static void
node_init(bnode *n, bworld *w, const char *name)
{
	static unsigned serial; /* a failed history leaves its disks behind */
	char vfs[32];

	n->w = w;
	n->rand = sat_test_rand(&w->people);
	(void)snprintf(vfs, sizeof vfs, "byz-%s-%u", name, ++serial);
	n->fs = simfs_new(vfs, sat_test_rand(&w->people));
}

/* ---- the server ------------------------------------------------------------------- */

static const int first_template = 0; /* and no other */

static void
add_people(bworld *w)
{
	static const struct {
		const char *key, *role, *team;
		role r;
	} all[] = { { "u1", "manager", "t1", MANAGER }, { "u2", "rep", "t1", REP },
		{ "u3", "rep", "t2", REP }, { "u4", "hq", NULL, HQ },
		{ "u5", "rep", "t1", REP }, /* who loses his laptop */
		{ "e1", "rep", "t3", REP }, { "e2", "manager", "t3", MANAGER } };
	sat_err e = { 0 };
	uint32_t ord;

	for (int i = 1; i <= EVIL_TEAM; i++) {
		char key[8];

		(void)snprintf(key, sizeof key, "t%d", i);
		if (sat_sqlite_team_add(&ord, w->store, key, key, "", &e) !=
		    SAT_OK)
			byz_fail(w, "team: %s", e.text);
	}
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		person *p = &w->users[w->nusers++];

		(void)snprintf(p->key, sizeof p->key, "%s", all[i].key);
		p->role = all[i].r;
		if (sat_sqlite_user_add(&ord, w->store, p->key, p->key,
		    all[i].role, all[i].team, &e) != SAT_OK)
			byz_fail(w, "user: %s", e.text);
	}
}

static void
open_server(bworld *w)
{
	sat_sqlite_store_opts o = { .path = "server.db",
		.keyring = w->server_ring,
		.vfs_below = simfs_name(w->server_node.fs),
		.clock = node_clock(&w->server_node), .create = true,
		.cache_kib = 512 };
	sat_server_env env = { .clock = o.clock, .org = w->org,
		.org_name = "Sim", .rand = { node_bytes, &w->server_node } };
	uint8_t seed[32];
	sat_err e = { 0 };

	memset(seed, 9, sizeof seed);
	sat_sign_keys(env.server_pk, w->server_sk, seed);
	w->core = (sim_core){ &first_template, w->server_sk, w };
	sim_core_env(&env, &w->core);
	if (sat_sqlite_store_open(&w->store, &o, &e) != SAT_OK)
		byz_fail(w, "the store: %s", e.text);
	add_people(w);
	env.store = sat_sqlite_store_ops(w->store);
	if (sat_server_new(&w->server, &env, &e) != SAT_OK)
		byz_fail(w, "the server: %s", e.text);
}

void
byz_invite(bworld *w, const uint8_t token[16], int user)
{
	sat_err e = { 0 };

	if (sat_sqlite_invite_add(w->store, token, w->users[user].key,
	    INT64_MAX / 2, &e) != SAT_OK ||
	    sat_server_reload(w->server, &e) != SAT_OK)
		byz_fail(w, "invitation: %s", e.text);
}

void
byz_serve(bworld *w, sat_server_session *x, sat_buf *reply, sat_span frame)
{
	sat_err e = { 0 };

	sat_buf_reset(reply);
	if (sat_server_handle(w->server, x, reply, frame, &e) != SAT_OK)
		byz_fail(w, "the server gave up: %s", e.text);
}

uint64_t
byz_head(bworld *w)
{
	sat_sqlite_status st;
	sat_err e = { 0 };

	if (sat_sqlite_status_get(&st, w->store, &e) != SAT_OK)
		byz_fail(w, "status: %s", e.text);
	return st.lsn;
}

/* ---- honest devices ---------------------------------------------------------------- */

static void
keep_past(honest *d, const sat_buf *frame)
{
	if (frame->p[0] != SAT_MSG_PUSH || d->npast == BYZ_PAST_MAX)
		return;
	sat_buf_add(&d->past[d->npast++], frame->p, frame->n);
}

void
byz_honest_sync(honest *d)
{
	bworld *w = d->n.w;
	sat_clock clock = node_clock(&d->n);
	sat_cs *cs = sat_cs_new(&d->ops, &clock, 0);
	sat_buf out = { 0 }, reply = { 0 };
	sat_err e = { 0 };
	bool done = false;

	d->x = (sat_server_session){ .device = 0 };
	memcpy(d->x.channel_pk, d->id.channel_pk, sizeof d->x.channel_pk);
	while (!done) {
		sat_buf_reset(&out);
		if (sat_cs_next(cs, &out, &done, &e) != SAT_OK)
			byz_fail(w, "an honest session: %s", e.text);
		if (done)
			break;
		keep_past(d, &out);
		byz_serve(w, &d->x, &reply, sat_buf_span(&out));
		if (sat_cs_reply(cs, sat_buf_span(&reply), &e) != SAT_OK)
			byz_fail(w, "an honest session: %s", e.text);
	}
	sat_cs_free(cs);
	sat_buf_fini(&out);
	sat_buf_fini(&reply);
}

static void
enrol(honest *d, int user)
{
	bworld *w = d->n.w;
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_buf out = { 0 }, reply = { 0 };
	sat_server_session x = { .device = 0 };
	sat_err e = { 0 };

	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = w->org,
		.name = sat_span_str("laptop") };
	node_bytes(&d->n, m.u.enrol.token, sizeof m.u.enrol.token);
	memcpy(m.u.enrol.sign_pk, d->id.sign_pk, sizeof d->id.sign_pk);
	byz_invite(w, m.u.enrol.token, user);
	sat_msg_write(&out, &m);
	memcpy(x.channel_pk, d->id.channel_pk, sizeof x.channel_pk);
	byz_serve(w, &x, &reply, sat_buf_span(&out));
	if (sat_msg_read(&m, &w->tmp, sat_buf_span(&reply), &e) != SAT_OK ||
	    m.type != SAT_MSG_ENROLLED ||
	    sat_replica_enrolled(d->r, &m.u.enrolled, &e) != SAT_OK)
		byz_fail(w, "enrolment: %s", e.text);
	d->ord = m.u.enrolled.device;
	sat_buf_fini(&out);
	sat_buf_fini(&reply);
}

static void
add_device(bworld *w, int user)
{
	honest *d = &w->dev[w->ndev++];
	uint8_t seed[32], mk[SAT_KEY_BYTES];
	sat_replica_env env = { .path = "d.db" };
	char name[16];
	sat_err e = { 0 };

	(void)snprintf(name, sizeof name, "d%d", w->ndev);
	node_init(&d->n, w, name);
	d->n.skew_ms = (int64_t)byz_below(&w->people, 60000) - 30000;
	d->user = user;
	node_bytes(&d->n, mk, sizeof mk);
	d->ring = sat_keyring_memory(mk);
	node_bytes(&d->n, seed, sizeof seed);
	sat_sign_keys(d->id.sign_pk, d->id.sign_sk, seed);
	node_bytes(&d->n, d->id.channel_sk, sizeof d->id.channel_sk);
	sat_box_keys(d->id.channel_pk, d->id.channel_sk);
	d->id.org = w->org;
	d->id.incarnation = 1;
	(void)snprintf(d->id.server, sizeof d->id.server, "tcp://sim:1");
	env.keyring = d->ring;
	env.clock = node_clock(&d->n);
	env.rand = (sat_rand){ node_bytes, &d->n };
	env.vfs_below = simfs_name(d->n.fs);
	if (sat_replica_create(&d->r, &env, &d->id, &e) != SAT_OK)
		byz_fail(w, "a replica: %s", e.text);
	d->ops = sat_replica_session(d->r);
	enrol(d, user);
	byz_honest_sync(d);
}

void
byz_revoke(bworld *w, honest *d)
{
	sat_err e = { 0 };

	if (d->npast == 0)
		byz_honest_sync(d);
	d->revoked = true;
	if (sat_sqlite_device_revoke(w->store, d->ord, &e) != SAT_OK ||
	    sat_server_reload(w->server, &e) != SAT_OK)
		byz_fail(w, "revocation: %s", e.text);
}

void
byz_world_open(bworld *w)
{
	int n = 3 + (int)byz_below(&w->people, 3);

	w->now_ms = 1780000000000 + (int64_t)byz_below(&w->people, 86400000);
	node_init(&w->server_node, w, "server");
	simfs_make_default(w->server_node.fs);
	node_bytes(&w->server_node, w->org.b, sizeof w->org.b);
	w->server_ring = sat_keyring_memory((const uint8_t *)
	    "0123456789abcdef0123456789abcdef");
	open_server(w);
	for (int i = 0; i < n; i++)
		add_device(w, i < 4 ? i : (int)byz_below(&w->people, 4));
	add_device(w, 4); /* the last one is stolen */
	/* Also without their moves they are there: ordinals are the same. */
	w->nevil = 1 + (int)byz_below(&w->people, BYZ_EVIL_MAX);
	for (int i = 0; i < w->nevil; i++) {
		w->evil[i].w = w;
		w->evil[i].rand = w->seed * 31 + (uint64_t)i;
		byz_evil_open(&w->evil[i], i);
	}
}

void
byz_world_close(bworld *w)
{
	for (int i = 0; i < w->ndev; i++) {
		sat_replica_abandon(w->dev[i].r);
		sat_keyring_close(w->dev[i].ring);
		simfs_free(w->dev[i].n.fs);
		for (size_t k = 0; k < w->dev[i].npast; k++)
			sat_buf_fini(&w->dev[i].past[k]);
	}
	for (int i = 0; i < w->nevil; i++)
		byz_evil_close(&w->evil[i]);
	sat_server_free(w->server);
	sat_sqlite_store_abandon(w->store);
	sat_keyring_close(w->server_ring);
	simfs_free(w->server_node.fs);
	sat_arena_fini(&w->tmp);
}

/* ---- what people do -------------------------------------------------------------------- */

typedef struct act {
	honest *d;
	bworld *w;
	sat_op ops[OPS_MAX];
	size_t n;
	sat_id subject;
} act;

static void
add(act *k, sat_op_kind kind, const sat_id *id, uint16_t rtype, uint16_t field,
    sat_value v)
{
	k->ops[k->n++] = (sat_op){ .kind = kind, .rec = *id, .rtype = rtype,
		.field = field, .value = v };
}

static sat_value
text(act *k)
{
	static const char *const same[] = { "Same", "same", "other" };
	char s[24];
	int n;

	if (byz_below(&k->w->people, 6) == 0)
		return sat_v_text(sat_span_str(same[byz_below(&k->w->people,
		    3)]));
	n = snprintf(s, sizeof s, "v%u", ++k->w->serial);
	return sat_v_text(sat_span_of(sat_arena_dup(&k->w->tmp, s, (size_t)n),
	    (size_t)n));
}

static sat_value
key_of(const bworld *w, int user)
{
	return sat_v_text(sat_span_str(w->users[user].key));
}

/* A record this device holds, that is not deleted. */
static const brec *
held(act *k, uint16_t kind, sat_view *v)
{
	bworld *w = k->w;
	sat_err e;

	for (int i = 0; i < 6 && w->nrecs > 0; i++) {
		const brec *r = &w->recs[byz_below(&w->people,
		    (uint64_t)w->nrecs)];

		if ((kind != 0 && r->kind != kind) || sat_replica_get(v, &w->tmp,
		    k->d->r, sat_template_kind_id(sat_replica_template(k->d->r),
		    r->kind), &r->id, &e) != SAT_OK || v->rec.deleted)
			continue;
		k->subject = r->parent < 0 ? r->id : w->recs[r->parent].id;
		return r;
	}
	return NULL;
}

static void
create(act *k)
{
	bworld *w = k->w;
	sat_view v;
	const brec *parent = byz_below(&w->people, 2) != 0 ?
	    held(k, K_ACCOUNT, &v) : NULL;
	int up = parent != NULL ? (int)(parent - w->recs) : -1;
	brec *r = &w->recs[w->nrecs];
	sat_id id = sat_replica_new_id(k->d->r);

	if (w->nrecs == BYZ_RECS_MAX)
		return;
	*r = (brec){ id, up < 0 ? K_ACCOUNT : K_CONTACT, up };
	w->nrecs++;
	k->subject = up < 0 ? id : w->recs[up].id;
	add(k, SAT_OP_NEW, &id, r->kind, 0, sat_v_null());
	if (up < 0) {
		add(k, SAT_OP_MVSET, &id, K_ACCOUNT, A_NAME, text(k));
		add(k, SAT_OP_SET, &id, K_ACCOUNT, A_OWNER,
		    key_of(w, k->d->user));
	} else {
		add(k, SAT_OP_SET, &id, K_CONTACT, C_ACCOUNT,
		    sat_v_id(&w->recs[up].id));
		add(k, SAT_OP_MVSET, &id, K_CONTACT, C_NAME, text(k));
	}
}

static void
edit(act *k)
{
	bworld *w = k->w;
	sat_view v;
	const brec *r = held(k, 0, &v);
	const sat_id *id = r != NULL ? &r->id : NULL;

	if (r == NULL)
		return;
	if (r->kind == K_CONTACT) {
		add(k, SAT_OP_SET, id, K_CONTACT, C_TITLE, text(k));
		return;
	}
	switch (byz_below(&w->people, 9)) {
	case 0:
	case 1: add(k, SAT_OP_MVSET, id, K_ACCOUNT, A_NAME, text(k)); break;
	case 2: add(k, SAT_OP_SET, id, K_ACCOUNT, A_REMARK, text(k)); break;
	case 3: add(k, SAT_OP_SADD, id, K_ACCOUNT, A_TAGS, text(k)); break;
	case 4: add(k, SAT_OP_SREM, id, K_ACCOUNT, A_TAGS, text(k)); break;
	case 5: add(k, SAT_OP_ADD, id, K_ACCOUNT, A_VISITS, sat_v_int(2)); break;
	case 6:
		add(k, SAT_OP_STAGE, id, K_ACCOUNT, A_STAGE,
		    sat_v_text(sat_span_str("first_contact")));
		break;
	case 7: add(k, SAT_OP_DEL, id, K_ACCOUNT, 0, sat_v_null()); break;
	default:
		add(k, SAT_OP_REASSIGN, id, K_ACCOUNT, A_OWNER,
		    key_of(w, (int)byz_below(&w->people, 4)));
		break;
	}
}

void
byz_honest_step(bworld *w)
{
	honest *d = &w->dev[byz_below(&w->people, (uint64_t)w->ndev)];
	act k = { .d = d, .w = w };
	uint64_t what = byz_below(&w->people, 10);
	sat_draft draft;
	uint64_t cseq = 0;
	sat_err e = { 0 };

	sat_arena_reset(&w->tmp);
	if (what < 3 && !d->revoked) {
		byz_honest_sync(d);
		return;
	}
	if (what < 6 || w->nrecs < 4)
		create(&k);
	else
		edit(&k);
	draft = (sat_draft){ .subject = k.subject, .ops = k.ops, .nops = k.n };
	/* may be refused: a customer that leaves this device; alike in both
	 * lives */
	if (k.n > 0 && sat_replica_write(d->r, &draft, &cseq, &e) != SAT_OK &&
	    e.rc != SAT_EDENIED)
		byz_fail(w, "an honest write: %s", e.text);
}
