/*
 * lab.c - three people, a server, and a little history that leaves something
 * of everything behind: waiting work, a conflict, a refused commit, work of
 * others not pulled yet, a newer template, a customer about to leave.
 */
#include "tests/sweep/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- machines ------------------------------------------------------------------ */

static void
machine_bytes(void *u, void *out, size_t n)
{
	machine *m = u;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)sat_test_rand(&m->rand);
}

static int64_t
machine_ms(void *u)
{
	machine *m = u;

	return m->lab->now_ms;
}

sat_clock
lab_clock(machine *m)
{
	return (sat_clock){ machine_ms, machine_ms, m };
}

sat_rand
lab_rand(machine *m)
{
	return (sat_rand){ machine_bytes, m };
}

void
lab_must(sat_rc rc, const sat_err *e, const char *what)
{
	if (rc == SAT_OK)
		return;
	(void)fprintf(stderr, "sweep: %s: %s\n", what, e->text);
	exit(2);
}

static void
machine_init(lab *L, machine *m, const char *name)
{
	char vfs[24];
	uint8_t mk[SAT_KEY_BYTES];

	m->lab = L;
	(void)snprintf(m->name, sizeof m->name, "%s", name);
	(void)snprintf(vfs, sizeof vfs, "sweep-%s", name);
	m->rand = (uint64_t)name[0] * 7919;
	m->fs = simfs_new(vfs, m->rand);
	machine_bytes(m, mk, sizeof mk);
	m->ring = sat_keyring_memory(mk);
}

static void
machine_save(machine *m)
{
	const char *name;
	size_t i = 0;

	for (; (name = simfs_nth(m->fs, i)) != NULL && i < SAVED_MAX; i++) {
		saved_file *s = &m->saved[i];
		const uint8_t *p = simfs_bytes(&s->n, m->fs, name);

		(void)snprintf(s->name, sizeof s->name, "%s", name);
		s->p = sat_xmalloc(s->n + 1);
		if (s->n > 0)
			memcpy(s->p, p, s->n);
	}
	m->nsaved = i;
	m->rand_saved = m->rand;
}

static void
machine_restore(machine *m)
{
	m->rand = m->rand_saved;
	simfs_quota(m->fs, 0);
	if (m->restored == simfs_counts_get(m->fs).touched) {
		simfs_kill(m->fs); /* forgets planned failures, switches it on */
		return;
	}
	simfs_wipe(m->fs);
	for (size_t i = 0; i < m->nsaved; i++)
		simfs_put(m->fs, m->saved[i].name, m->saved[i].p,
		    m->saved[i].n);
	m->restored = simfs_counts_get(m->fs).touched;
}

/* ---- the server -------------------------------------------------------------------- */

sat_rc
lab_open_server(lab *L, bool create, sat_err *e)
{
	sat_sqlite_store_opts o = { .path = "server.db",
		.keyring = L->srv.ring, .vfs_below = simfs_name(L->srv.fs),
		.clock = lab_clock(&L->srv), .create = create,
		.cache_kib = 512, .rec_window = 40 };
	sat_server_env env = { .clock = lab_clock(&L->srv), .org = L->org,
		.org_name = "Lab", .rand = lab_rand(&L->srv),
		.chunk_bytes = 700 };
	sat_rc rc;

	if ((rc = sat_sqlite_store_open(&L->store, &o, e)) != SAT_OK) {
		L->store = NULL;
		return rc;
	}
	env.store = sat_sqlite_store_ops(L->store);
	L->core = (sim_core){ &L->tip, L->server_sk, L };
	sim_core_env(&env, &L->core);
	memcpy(env.root_pk, L->root_pk, sizeof env.root_pk);
	memcpy(env.server_pk, L->server_pk, sizeof env.server_pk);
	if ((rc = sat_server_new(&L->server, &env, e)) != SAT_OK)
		L->server = NULL;
	return rc;
}

/* ---- devices ------------------------------------------------------------------------- */

sat_replica_env
lab_env(lab_dev *d)
{
	return (sat_replica_env){ .path = d->file, .keyring = d->m.ring,
		.clock = lab_clock(&d->m), .rand = lab_rand(&d->m),
		.vfs_below = simfs_name(d->m.fs) };
}

sat_rc
lab_open_device(lab *L, lab_dev *d, sat_err *e)
{
	sat_replica_env env = lab_env(d);
	sat_rc rc = sat_replica_open(&d->r, &env, e);

	(void)L;
	if (rc != SAT_OK)
		d->r = NULL;
	else
		d->ops = sat_replica_session(d->r);
	return rc;
}

static void
make_device(lab *L, lab_dev *d, const char *name, const char *user)
{
	sat_replica_env env;
	uint8_t seed[32];
	sat_err e = { 0 };

	machine_init(L, &d->m, name);
	(void)snprintf(d->file, sizeof d->file, "%s.db", name);
	machine_bytes(&d->m, seed, sizeof seed);
	sat_sign_keys(d->id.sign_pk, d->id.sign_sk, seed);
	machine_bytes(&d->m, d->id.channel_sk, sizeof d->id.channel_sk);
	sat_box_keys(d->id.channel_pk, d->id.channel_sk);
	d->id.org = L->org;
	d->id.incarnation = 1;
	(void)snprintf(d->id.server, sizeof d->id.server, "tcp://lab:1");
	machine_bytes(&d->m, d->token, sizeof d->token);
	lab_must(sat_sqlite_invite_add(L->store, d->token, user,
	    INT64_MAX / 2, &e), &e, "invitation");
	env = lab_env(d);
	lab_must(sat_replica_create(&d->r, &env, &d->id, &e), &e, "create");
	d->ops = sat_replica_session(d->r);
}

static void
enrol(lab *L, lab_dev *d)
{
	sat_enrolled in;
	sat_err e = { 0 };

	lab_must(talk_enrol(L, d, &in, &e), &e, "enrol");
	lab_must(sat_replica_enrolled(d->r, &in, &e), &e, "enrolled");
}

static void
whole(lab *L, lab_dev *d)
{
	sat_err e = { 0 };

	L->now_ms += 1000;
	lab_must(talk_whole(L, d, &e), &e, "session");
}

/* ---- open and closed ------------------------------------------------------------------- */

void
lab_close(lab *L)
{
	talk_end(L);
	for (int i = 0; i < NDEVS; i++) {
		sat_replica_close(L->dev[i].r);
		L->dev[i].r = NULL;
	}
	sat_server_free(L->server);
	sat_sqlite_store_close(L->store);
	L->server = NULL;
	L->store = NULL;
	sat_arena_fini(&L->a);
}

void
lab_abandon(lab *L)
{
	talk_end(L);
	for (int i = 0; i < NDEVS; i++) {
		sat_replica_abandon(L->dev[i].r);
		L->dev[i].r = NULL;
	}
	sat_server_free(L->server);
	sat_sqlite_store_abandon(L->store);
	L->server = NULL;
	L->store = NULL;
	sat_arena_fini(&L->a);
}

void
lab_forget(lab *L)
{
	memset(&L->t, 0, sizeof L->t);
	for (int i = 0; i < NDEVS; i++)
		L->dev[i].r = NULL;
	L->server = NULL;
	L->store = NULL;
	memset(&L->a, 0, sizeof L->a);
}

void
lab_restore(lab *L)
{
	L->now_ms = L->now_saved;
	L->tip = 1;
	machine_restore(&L->srv);
	for (int i = 0; i < NDEVS; i++)
		machine_restore(&L->dev[i].m);
}

/* ---- the story ----------------------------------------------------------------------------- */

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
commit(lab_dev *d, sat_id subject, sat_op *ops, size_t n)
{
	sat_draft draft = { .subject = subject, .ops = ops, .nops = n };
	uint64_t cseq;
	sat_err e = { 0 };

	d->m.lab->now_ms += 50;
	lab_must(sat_replica_write(d->r, &draft, &cseq, &e), &e, "write");
}

static sat_op
op(sat_op_kind kind, sat_id id, uint16_t rtype, uint16_t field, sat_value v)
{
	return (sat_op){ .kind = kind, .rec = id, .rtype = rtype,
		.field = field, .value = v };
}

static sat_id
account(lab_dev *d, const char *name, const char *owner)
{
	sat_id id = sat_replica_new_id(d->r);
	sat_op ops[] = {
		op(SAT_OP_NEW, id, K_ACCOUNT, 0, sat_v_null()),
		op(SAT_OP_MVSET, id, K_ACCOUNT, A_NAME, text(name)),
		op(SAT_OP_SET, id, K_ACCOUNT, A_OWNER, text(owner)),
		op(SAT_OP_STAGE, id, K_ACCOUNT, A_STAGE, text("first_contact")),
	};

	commit(d, id, ops, 4);
	return id;
}

static void
edit(lab_dev *d, sat_op_kind kind, sat_id id, uint16_t field, const char *v)
{
	sat_op o = op(kind, id, K_ACCOUNT, field, text(v));

	commit(d, id, &o, 1);
}

static void
contact(lab_dev *d, sat_id parent, const char *name)
{
	sat_id id = sat_replica_new_id(d->r);
	sat_op ops[] = {
		op(SAT_OP_NEW, id, K_CONTACT, 0, sat_v_null()),
		op(SAT_OP_SET, id, K_CONTACT, C_ACCOUNT, sat_v_id(&parent)),
		op(SAT_OP_MVSET, id, K_CONTACT, C_NAME, text(name)),
	};

	commit(d, parent, ops, 3);
}

static void
people(lab *L)
{
	uint32_t ord;
	sat_err e = { 0 };

	lab_must(sat_sqlite_team_add(&ord, L->store, "t1", "t1", "", &e), &e,
	    "team");
	lab_must(sat_sqlite_user_add(&ord, L->store, "ann", "Ann", "manager",
	    "t1", &e), &e, "user");
	lab_must(sat_sqlite_user_add(&ord, L->store, "bob", "Bob", "rep", "t1",
	    &e), &e, "user");
	lab_must(sat_sqlite_user_add(&ord, L->store, "hq", "Hq", "hq", NULL,
	    &e), &e, "user");
}

/* What was, and is on the server. */
static void
past(lab *L, lab_dev *ann, lab_dev *bob)
{
	whole(L, ann);
	whole(L, bob);
	L->acc[0] = account(ann, "First", "ann");
	L->acc[1] = account(ann, "Second", "bob");
	contact(ann, L->acc[1], "Chen");
	whole(L, ann);
	whole(L, bob);
	edit(bob, SAT_OP_MVSET, L->acc[1], A_NAME, "Bob says");
	edit(ann, SAT_OP_MVSET, L->acc[1], A_NAME, "Ann says");
	edit(ann, SAT_OP_STAGE, L->acc[0], A_STAGE, "nonsense"); /* refused */
	whole(L, bob);
	whole(L, ann);
	whole(L, bob);
}

/* What waits on each side. */
static void
present(lab *L, lab_dev *ann, lab_dev *bob)
{
	uint32_t ord;
	sat_err e = { 0 };

	edit(bob, SAT_OP_SET, L->acc[1], A_REMARK, "pulled later");
	edit(bob, SAT_OP_SADD, L->acc[1], A_TAGS, "tag");
	L->acc[2] = account(bob, "Third", "bob");
	whole(L, bob);
	lab_must(sat_replica_backup(ann->r, "backup.db", &e), &e, "backup");
	edit(ann, SAT_OP_SET, L->acc[0], A_CITY, "waits");
	L->acc[3] = account(ann, "Fourth", "ann");
	edit(ann, SAT_OP_MVSET, L->acc[3], A_NAME, "Fourth again");
	edit(ann, SAT_OP_STAGE, L->acc[3], A_STAGE, "nonsense");
	edit(ann, SAT_OP_MVSET, L->acc[1], A_CONTACT, "Ann's");
	edit(ann, SAT_OP_REASSIGN, L->acc[1], A_OWNER, "ann");
	edit(bob, SAT_OP_MVSET, L->acc[1], A_CONTACT, "Bob's");
	edit(bob, SAT_OP_SET, L->acc[2], A_CITY, "waits");
	L->tip = 1;
	lab_must(sat_sqlite_user_add(&ord, L->store, "new", "New", "rep", "t1",
	    &e), &e, "user");
	lab_must(sat_server_reload(L->server, &e), &e, "reload");
}

void
lab_init(lab *L)
{
	static const char *const names[NDEVS] = { "ann", "bob", "new", "raw" };
	static const char *const users[NDEVS] = { "ann", "bob", "hq", "bob" };
	uint8_t seed[32] = "the keys of the lab";
	sat_err e = { 0 };

	memset(L, 0, sizeof *L);
	L->now_ms = 1780000000000;
	sat_sign_keys(L->root_pk, L->root_sk, seed);
	seed[31] = 1;
	sat_sign_keys(L->server_pk, L->server_sk, seed);
	machine_init(L, &L->srv, "srv");
	simfs_make_default(L->srv.fs);
	machine_bytes(&L->srv, L->org.b, sizeof L->org.b);
	lab_must(lab_open_server(L, true, &e), &e, "server");
	people(L);
	lab_must(sat_server_reload(L->server, &e), &e, "reload");
	for (int i = 0; i < NDEVS; i++)
		make_device(L, &L->dev[i], names[i], users[i]);
	lab_must(sat_server_reload(L->server, &e), &e, "reload");
	for (int i = 0; i < RAW; i++)
		enrol(L, &L->dev[i]);
	past(L, &L->dev[ANN], &L->dev[BOB]);
	present(L, &L->dev[ANN], &L->dev[BOB]);
	lab_abandon(L);
	for (int i = 0; i < NDEVS; i++) /* what only the first open writes */
		lab_must(lab_open_device(L, &L->dev[i], &e), &e, "open");
	lab_abandon(L); /* with logs that must be read again at each open */
	L->now_saved = L->now_ms;
	machine_save(&L->srv);
	for (int i = 0; i < NDEVS; i++)
		machine_save(&L->dev[i].m);
}
