/*
 * The server's core as an enrolled device can reach it: the input is a list of
 * requests of three devices (two sellers of two teams and headquarters), some
 * raw bytes, some well-formed and signed with contents from the input. At the
 * end the log must fold to what is stored, every chain must verify, and no
 * device may have been given a state it may not see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/template/gate.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/lib/simfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define DEVICES 3
#define RECORDS 6
#define REQUESTS_MAX 64

typedef struct peer {
	sat_server_session link;
	uint8_t sk[SAT_SIGN_SK_BYTES], pk[SAT_SIGN_PK_BYTES];
	uint64_t cseq;
	uint8_t head[SAT_HASH_BYTES];
	sat_hlc hlc;
	uint64_t cursor;
	sat_buf last; /* the last push */
} peer;

typedef struct rig {
	sat_reader in;
	sat_sqlite_store *store;
	sat_server *server;
	sat_template *t;
	sat_id org;
	uint8_t oid[SAT_TEMPLATE_OID_BYTES];
	peer d[DEVICES];
	bool made[RECORDS]; /* the server has it */
	sat_buf reply;
	sat_arena a;
} rig;

static void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void
fine(sat_rc rc, const sat_err *e)
{
	if (rc != SAT_OK) {
		fprintf(stderr, "rc %d: %s\n", (int)rc, e->text);
		abort();
	}
}

static int64_t
fixed_now(void *u)
{
	(void)u;
	return 1800000000000;
}

static const sat_template *
template_at(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	rig *r = u;

	return memcmp(oid, r->oid, sizeof r->oid) == 0 ? r->t : NULL;
}

static void
template_tip(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	memcpy(oid, ((rig *)u)->oid, SAT_TEMPLATE_OID_BYTES);
}

static sat_rc
template_bundle(void *u, sat_buf *out, uint8_t *tip, const uint8_t *have,
    sat_err *e)
{
	(void)tip;
	(void)u;
	(void)have;
	(void)e;
	sat_buf_str(out, "bundle");
	return SAT_OK;
}

/* ---- requests ------------------------------------------------------------------ */

static void
ask(rig *r, peer *d, sat_span frame)
{
	sat_err err = { 0 };
	sat_msg m;

	sat_buf_reset(&r->reply);
	fine(sat_server_handle(r->server, &d->link, &r->reply, frame, &err),
	    &err);
	fine(sat_msg_read(&m, &r->a, sat_buf_span(&r->reply), &err), &err);
	must(r->reply.n <= SAT_FRAME_MAX, "frame size");
	if (m.type == SAT_MSG_DELTA) {
		must(m.u.delta.upto >= d->cursor ||
		    m.u.delta.upto == m.u.delta.head, "page goes on");
		d->cursor = m.u.delta.upto;
	}
}

static void
ask_msg(rig *r, peer *d, const sat_msg *m)
{
	sat_buf b = { 0 };

	sat_msg_write(&b, m);
	ask(r, d, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static void
hello(rig *r, peer *d, uint32_t incarnation)
{
	sat_msg m = { .type = SAT_MSG_HELLO };

	m.u.hello = (sat_hello){ .proto_min = 1, .proto_max = 1,
		.device = (uint32_t)(d - r->d) + 1, .incarnation = incarnation };
	ask_msg(r, d, &m);
}

static sat_id
record(uint8_t b)
{
	sat_id id = { { 0 } };

	id.b[0] = 1;
	id.b[15] = b % RECORDS;
	return id;
}

/* Records 0 and 1 are accounts, then a contact, an activity, two
 * opportunities. */
static const uint16_t kind_of[RECORDS] = { 1, 1, 2, 3, 4, 4 };

/* What an edit of a kind looks like when it is meant well. */
static const struct {
	uint16_t kind, field;
	sat_op_kind op;
	uint8_t value;
} likely[] = {
	{ 1, 6, SAT_OP_SET, 3 }, { 1, 2, SAT_OP_MVSET, 4 },
	{ 1, 21, SAT_OP_SADD, 3 }, { 1, 21, SAT_OP_SREM, 3 },
	{ 1, 25, SAT_OP_ADD, 1 }, { 1, 17, SAT_OP_STAGE, 4 },
	{ 1, 28, SAT_OP_REASSIGN, 4 }, { 1, 24, SAT_OP_SET, 1 },
	{ 2, 2, SAT_OP_MVSET, 4 }, { 2, 3, SAT_OP_SET, 3 },
	{ 4, 4, SAT_OP_STAGE, 3 }, { 4, 5, SAT_OP_REASSIGN, 4 },
	{ 4, 3, SAT_OP_MVSET, 1 }, { 4, 15, SAT_OP_SET, 3 },
	{ 1, 0, SAT_OP_DEL, 0 }, { 1, 0, SAT_OP_UNDEL, 0 },
	{ 4, 0, SAT_OP_DEL, 0 }, { 4, 0, SAT_OP_UNDEL, 0 },
};

static sat_value
value(rig *r, uint8_t how)
{
	static const char *const texts[] = { "ann", "sue", "hq", "x", "",
		"won", "lost", "first_contact", "13800138000" };
	sat_id id;

	switch (how % 5) {
	case 0:
		return sat_v_null();
	case 1:
		return sat_v_int((int64_t)sat_read_u8(&r->in) - 100);
	case 2:
		id = record(sat_read_u8(&r->in));
		return sat_v_bytes(sat_span_of(sat_arena_dup(&r->a, id.b, 16),
		    16));
	default:
		return sat_v_text(sat_span_str(texts[sat_read_u8(&r->in) % 9]));
	}
}

/* A birth with parent and owner where the record is missing, else an edit. */
static void
well_meant(rig *r, sat_commit *c, size_t *i, uint8_t k, uint8_t f)
{
	sat_op *op = &c->ops[*i];
	uint16_t kind = kind_of[f % RECORDS];
	sat_id parent = record(f & 1);
	size_t at = k % (sizeof likely / sizeof likely[0]);

	*op = (sat_op){ .kind = SAT_OP_NEW, .rtype = kind, .rec = record(f) };
	c->subject = kind == 1 ? op->rec : parent;
	if (!r->made[f % RECORDS]) {
		if (++*i < c->nops)
			op[1] = (sat_op){ .kind = SAT_OP_SET, .rtype = kind,
				.rec = op->rec, .field = kind == 1 ? 28 : 1,
				.value = kind == 1 ? value(r, 4) : sat_v_bytes(
				sat_span_of(sat_arena_dup(&r->a, parent.b, 16),
				16)) };
		if (kind == 4 && ++*i < c->nops)
			op[2] = (sat_op){ .kind = SAT_OP_SET, .rtype = kind,
				.rec = op->rec, .field = 5,
				.value = value(r, 4) };
		return;
	}
	while (likely[at].kind != kind && kind != 3)
		at = (at + 1) % (sizeof likely / sizeof likely[0]);
	op->kind = likely[at].op;
	op->field = likely[at].field;
	if (op->field != 0)
		op->value = value(r, likely[at].value);
}

static void
commit(rig *r, peer *d, sat_commit *c)
{
	uint8_t shape = sat_read_u8(&r->in);

	memset(c, 0, sizeof *c);
	c->device = c->actor = (uint32_t)(d - r->d) + 1;
	c->incarnation = 1;
	c->cseq = ++d->cseq;
	c->hlc = d->hlc += 1 + (sat_hlc)(shape & 0x80) * 1000000;
	c->seen = shape & 0x40 ? sat_read_u8(&r->in) : d->cursor;
	c->subject = record(shape);
	memcpy(c->template_oid, r->oid, sizeof r->oid);
	memcpy(c->prev, d->head, sizeof c->prev);
	c->nops = 1 + (shape & 3);
	c->ops = sat_arena_alloc(&r->a, c->nops * sizeof *c->ops);
	for (size_t i = 0; i < c->nops; i++) {
		uint8_t k = sat_read_u8(&r->in), f = sat_read_u8(&r->in);
		sat_op *op = &c->ops[i];

		if (!(k & 0x80)) {
			well_meant(r, c, &i, k, f);
			continue;
		}

		*op = (sat_op){ .kind = (sat_op_kind)(1 + k % SAT_OP_LAST),
			.rtype = (uint16_t)(1 + (k >> 4) % 4),
			.rec = record(f >> 5) };
		if (op->kind == SAT_OP_NEW || op->kind == SAT_OP_DEL ||
		    op->kind == SAT_OP_UNDEL)
			continue;
		op->field = (uint16_t)(1 + f % 31);
		op->value = value(r, sat_read_u8(&r->in));
	}
	sat_commit_seal(c, d->head);
}

static void
learn(rig *r)
{
	sat_err err = { 0 };
	sat_msg m;

	fine(sat_msg_read(&m, &r->a, sat_buf_span(&r->reply), &err), &err);
	for (size_t i = 0; i < m.u.verdicts.neids; i++)
		r->made[m.u.verdicts.eids[i].id.b[15] % RECORDS] = true;
}

static void
push(rig *r, peer *d)
{
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 }, sign = { 0 };
	size_t n = 1 + sat_read_u8(&r->in) % 3;
	sat_commit c[3];
	peer was = *d;
	sat_err err;

	m.u.push.incarnation = 1;
	m.u.push.first_cseq = d->cseq + 1;
	memcpy(m.u.push.prev, d->head, SAT_HASH_BYTES);
	for (size_t i = 0; i < n; i++)
		commit(r, d, &c[i]);
	if (sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, &err) == SAT_OK) {
		sat_batch_sign_bytes(&sign, &r->org, c[0].device, 1,
		    m.u.push.first_cseq, d->cseq, d->head);
		sat_sign(m.u.push.sig, sat_buf_span(&sign), d->sk);
		m.u.push.batch = sat_buf_span(&batch);
		sat_buf_reset(&d->last);
		sat_msg_write(&d->last, &m);
		ask(r, d, sat_buf_span(&d->last));
		must(!d->link.greeted || r->reply.p[0] == SAT_MSG_VERDICTS,
		    "a signed push that joins has verdicts");
		if (r->reply.p[0] == SAT_MSG_VERDICTS)
			learn(r);
	}
	if (batch.n == 0 || !d->link.greeted) { /* as if never written */
		d->cseq = was.cseq;
		d->hlc = was.hlc;
		memcpy(d->head, was.head, sizeof d->head);
	}
	sat_buf_fini(&batch);
	sat_buf_fini(&sign);
}

static void
spoil(rig *r, peer *d)
{
	uint8_t at = sat_read_u8(&r->in), with = sat_read_u8(&r->in);

	if (d->last.n == 0)
		return;
	d->last.p[at * d->last.n / 256] ^= with;
	ask(r, d, sat_buf_span(&d->last));
	d->last.p[at * d->last.n / 256] ^= with;
}

static void
request(rig *r)
{
	uint8_t cmd = sat_read_u8(&r->in);
	peer *d = &r->d[(cmd >> 4) % DEVICES];
	sat_msg m = { 0 };

	switch (cmd % 9) {
	case 0:
		ask(r, d, sat_read_raw(&r->in, r->in.left < 200 ?
		    r->in.left : sat_read_u8(&r->in)));
		return;
	case 1:
	case 2:
	case 3:
		push(r, d);
		return;
	case 4:
		spoil(r, d);
		return;
	case 5:
		m.type = SAT_MSG_PULL;
		m.u.pull.cursor = cmd & 0x80 ? sat_read_u8(&r->in) : d->cursor;
		m.u.pull.flags = cmd >> 6 & 1;
		m.u.pull.max_bytes = sat_read_u8(&r->in);
		d->cursor = m.u.pull.cursor;
		break;
	case 6:
		m.type = SAT_MSG_SNAP;
		m.u.snap.after = sat_read_u8(&r->in);
		break;
	case 7:
		hello(r, d, 1 + (cmd >> 7));
		return;
	default:
		m.type = SAT_MSG_ENROL;
		m.u.enrol = (sat_enrol){ .proto_min = 1, .proto_max = 1,
			.org = r->org };
		m.u.enrol.token[0] = sat_read_u8(&r->in);
		memcpy(m.u.enrol.sign_pk, d->pk, sizeof d->pk);
		break;
	}
	ask_msg(r, d, &m);
}

/* ---- one run ---------------------------------------------------------------------- */

static void
enrol(rig *r, size_t i, const char *user)
{
	peer *d = &r->d[i];
	uint8_t seed[32] = { 0 };
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_err err = { 0 };

	seed[0] = (uint8_t)(i + 1);
	sat_sign_keys(d->pk, d->sk, seed);
	memset(d->link.channel_pk, (int)i + 1, 32);
	d->hlc = sat_hlc_of_ms(fixed_now(NULL));
	m.u.enrol = (sat_enrol){ .proto_min = 1, .proto_max = 1, .org = r->org };
	m.u.enrol.token[0] = (uint8_t)(i + 1);
	memcpy(m.u.enrol.sign_pk, d->pk, sizeof d->pk);
	fine(sat_sqlite_invite_add(r->store, m.u.enrol.token, user, INT64_MAX,
	    &err), &err);
	ask_msg(r, d, &m);
	hello(r, d, 1);
	must(d->link.greeted, "enrolled");
}

static void
start(rig *r, const char *vfs)
{
	sat_sqlite_store_opts o = { .path = "/server.db", .create = true,
		.vfs_below = vfs, .clock = { fixed_now, fixed_now, NULL },
		.cache_kib = 512 };
	sat_server_env env = { .clock = o.clock, .org_name = "Fuzz",
		.template_at = template_at, .template_tip = template_tip,
		.template_bundle = template_bundle, .u = r };
	uint32_t ord;
	sat_err err = { 0 };

	r->org = record(3);
	memset(r->oid, 5, sizeof r->oid);
	env.org = r->org;
	fine(sat_sqlite_store_open(&r->store, &o, &err), &err);
	fine(sat_sqlite_team_add(&ord, r->store, "n", "N", NULL, &err), &err);
	fine(sat_sqlite_user_add(&ord, r->store, "ann", "A", "manager", "n",
	    &err), &err);
	fine(sat_sqlite_user_add(&ord, r->store, "sue", "S", "rep", NULL,
	    &err), &err);
	fine(sat_sqlite_user_add(&ord, r->store, "hq", "H", "hq", NULL, &err),
	    &err);
	env.store = sat_sqlite_store_ops(r->store);
	fine(sat_server_new(&r->server, &env, &err), &err);
	enrol(r, 0, "ann");
	enrol(r, 1, "sue");
	enrol(r, 2, "hq");
}

static void
finish(rig *r)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	fine(sat_server_verify(r->server, &commits, &records, &err), &err);
	fine(sat_sqlite_store_check(r->store, true, &err), &err);
	sat_server_free(r->server);
	sat_sqlite_store_close(r->store);
	for (size_t i = 0; i < DEVICES; i++)
		sat_buf_fini(&r->d[i].last);
	sat_buf_fini(&r->reply);
	sat_arena_fini(&r->a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static sat_template *t;
	rig *r = sat_xcalloc(1, sizeof *r);
	simfs *fs;

	if (t == NULL) {
		const sat_template_file *files;
		sat_err err = { 0 };
		size_t nfiles;

		sat_crypto_init();
		files = sat_template_base(&nfiles);
		fine(sat_template_load(&t, files, nfiles, &err), &err);
	}
	r->t = t;
	r->in = sat_reader_of(sat_span_of(p, n));
	fs = simfs_new("fuzzfs", 1);
	start(r, simfs_name(fs));
	for (int i = 0; i < REQUESTS_MAX && r->in.left > 0; i++)
		request(r);
	finish(r);
	simfs_free(fs);
	free(r);
	return 0;
}
