/*
 * bench: how fast is this machine as a server? An organisation in a folder that
 * is gone afterwards, and one device in memory that pushes customers to it:
 * signed, judged, folded and written as always, but without a network, so that
 * processor and disk are what is measured. The organisation's folder is not
 * touched.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "protocol/batch.h"
#include "protocol/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHRASE "a passphrase of the bench"
#define ROWS 10000
#define ROWS_MIN 100
#define ROWS_MAX 1000000
#define PUSH_MAX 64 /* commits, as devices push */
#define SINGLES 100

typedef struct bench {
	char *top, *dir, *copy;
	sat_admin *admin;
	size_t rows;
	sat_id *ids;
	const sat_kind *kind; /* of the template: customers */
	uint16_t remark;      /* the field that is edited */
	/* the device */
	sat_server_session link;
	uint8_t sign_pk[SAT_SIGN_PK_BYTES], sign_sk[SAT_SIGN_SK_BYTES];
	uint8_t head[SAT_HASH_BYTES];
	uint32_t ord, user;
	uint64_t cseq;
	sat_hlc_state hlc;
} bench;

/* ---- the device ----------------------------------------------------------------------- */

static sat_rc
ask(bench *b, sat_msg *m, sat_arena *mem, sat_err *e)
{
	sat_buf q = { 0 }, reply = { 0 };
	sat_rc rc;

	sat_msg_write(&q, m);
	rc = sat_server_handle(b->admin->core, &b->link, &reply,
	    sat_buf_span(&q), e);
	if (rc == SAT_OK)
		rc = sat_msg_read(m, mem, sat_span_of(sat_arena_dup(mem, reply.p,
		    reply.n), reply.n), e);
	if (rc == SAT_OK && m->type == SAT_MSG_ERROR)
		rc = sat_msg_to_err(&m->u.error, e);
	sat_buf_fini(&q);
	sat_buf_fini(&reply);
	return rc;
}

static sat_rc
enrol(bench *b, sat_err *e)
{
	int64_t now = sat_wall_ms(&b->admin->clock);
	uint8_t seed[32];
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_arena mem = { 0 };
	sat_rc rc;

	sat_random(seed, sizeof seed);
	sat_random(b->link.channel_pk, sizeof b->link.channel_pk);
	sat_sign_keys(b->sign_pk, b->sign_sk, seed);
	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = b->admin->keys.org,
		.name = sat_span_str("bench"), .wall_ms = now };
	sat_random(m.u.enrol.token, sizeof m.u.enrol.token);
	memcpy(m.u.enrol.sign_pk, b->sign_pk, sizeof b->sign_pk);
	if ((rc = sat_sqlite_invite_add(b->admin->store, m.u.enrol.token, "li",
	    now + 60000, e)) != SAT_OK || (rc = ask(b, &m, &mem, e)) != SAT_OK)
		goto out;
	b->ord = m.u.enrolled.device;
	b->user = m.u.enrolled.user;
	m = (sat_msg){ .type = SAT_MSG_HELLO };
	m.u.hello = (sat_hello){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .device = b->ord,
		.incarnation = 1, .wall_ms = now };
	memcpy(m.u.hello.template_oid, b->admin->tip.b, SAT_TEMPLATE_OID_BYTES);
	rc = ask(b, &m, &mem, e);
out:
	sat_arena_fini(&mem);
	return rc;
}

static void
write_commit(bench *b, sat_commit *c, sat_op *ops, size_t n)
{
	int64_t now = sat_wall_ms(&b->admin->clock);

	*c = (sat_commit){ .device = b->ord,
		.incarnation = 1, .cseq = ++b->cseq, .actor = b->user,
		.subject = ops[0].rec, .nops = n, .ops = ops,
		.hlc = sat_hlc_tick(&b->hlc, now, now) };
	memcpy(c->template_oid, b->admin->tip.b, SAT_TEMPLATE_OID_BYTES);
	memcpy(c->prev, b->head, sizeof c->prev);
	sat_random(c->salt, sizeof c->salt);
	sat_commit_seal(c, b->head);
}

/* Every one of them has to be merged: what is refused is no measurement. */
static sat_rc
push(bench *b, const sat_commit *c, size_t n, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_PUSH };
	sat_buf batch = { 0 }, said = { 0 };
	sat_arena mem = { 0 };
	sat_rc rc = sat_batch_write(&batch, SAT_BATCH_PUSH, c, n, e);

	m.u.push.incarnation = 1;
	m.u.push.first_cseq = c[0].cseq;
	m.u.push.batch = sat_buf_span(&batch);
	memcpy(m.u.push.prev, c[0].prev, sizeof m.u.push.prev);
	sat_batch_sign_bytes(&said, &b->admin->keys.org, b->ord, 1, c[0].cseq,
	    c[n - 1].cseq, b->head);
	sat_sign(m.u.push.sig, sat_buf_span(&said), b->sign_sk);
	if (rc == SAT_OK)
		rc = ask(b, &m, &mem, e);
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (m.type != SAT_MSG_VERDICTS || m.u.verdicts.n != n ||
		    m.u.verdicts.v[i].lsn == 0)
			rc = sat_fail(e, SAT_EFAIL,
			    "a commit of the bench was refused");
	sat_arena_fini(&mem);
	sat_buf_fini(&batch);
	sat_buf_fini(&said);
	return rc;
}

/* ---- what is measured -------------------------------------------------------------------- */

static sat_rc
say(bench *b, sat_err *e, int argc, char *const *argv)
{
	sat_buf out = { 0 };
	sat_rc rc = sat_admin_run(b->admin, argc, argv, &out, e);

	sat_buf_fini(&out);
	return rc;
}

static sat_rc
make(bench *b, size_t *n, sat_err *e)
{
	char team[] = "team", user[] = "user", add[] = "add", east[] = "east",
	    name[] = "--name=Bench", li[] = "li", role[] = "--role=hq",
	    in[] = "--team=east";
	const sat_template *t;
	sat_rc rc = sat_admin_init(b->dir, "Bench", "admin", NULL,
	    sat_span_str(PHRASE), e);

	*n = 1;
	if (rc != SAT_OK || (rc = sat_admin_open(&b->admin, b->dir,
	    sat_span_str(PHRASE), e)) != SAT_OK ||
	    (rc = say(b, e, 4, (char *const[]){ team, add, east, name, NULL })) !=
	    SAT_OK || (rc = say(b, e, 6, (char *const[]){ user, add, li, name,
	    role, in, NULL })) != SAT_OK)
		return rc;
	t = admin_template_at(b->admin, b->admin->tip.b);
	b->kind = t != NULL ? sat_template_kind(t, "account") : NULL;
	for (size_t i = 0; b->kind != NULL && i < b->kind->nfields; i++)
		if (strcmp(b->kind->fields[i].key, "remark") == 0)
			b->remark = b->kind->fields[i].id;
	return b->remark != 0 ? enrol(b, e) :
	    sat_fail(e, SAT_EFAIL, "the base template has no customers");
}

/* Customers i to i + n, new or edited. */
static sat_rc
send(bench *b, size_t i, size_t n, bool is_new, sat_err *e)
{
	sat_commit c[PUSH_MAX];
	sat_op ops[PUSH_MAX][3];
	char text[PUSH_MAX][40];
	uint64_t r;

	for (size_t k = 0; k < n; k++) {
		sat_id *id = &b->ids[i + k];

		(void)snprintf(text[k], sizeof text[k], "%s %zu %llu", is_new ?
		    "Works" : "note", i + k, (unsigned long long)b->cseq);
		if (is_new) {
			sat_random(&r, sizeof r);
			*id = sat_id_make(sat_wall_ms(&b->admin->clock), b->ord,
			    (const uint8_t *)&r);
		}
		ops[k][0] = (sat_op){ .kind = is_new ? SAT_OP_NEW : SAT_OP_SET,
			.rtype = b->kind->id, .field = is_new ? 0 : b->remark,
			.rec = *id, .value = is_new ? sat_v_null() :
			sat_v_text(sat_span_str(text[k])) };
		ops[k][1] = (sat_op){ .kind = SAT_OP_MVSET,
			.rtype = b->kind->id, .field = b->kind->title->id,
			.rec = *id, .value = sat_v_text(sat_span_str(text[k])) };
		ops[k][2] = (sat_op){ .kind = SAT_OP_SET, .rtype = b->kind->id,
			.field = b->kind->owner->id, .rec = *id,
			.value = sat_v_text(sat_span_str("li")) };
		write_commit(b, &c[k], ops[k], is_new ? 3 : 1);
	}
	return push(b, c, n, e);
}

static sat_rc
send_all(bench *b, size_t *n, bool is_new, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (*n = 0; *n < b->rows && rc == SAT_OK;) {
		size_t k = b->rows - *n < PUSH_MAX ? b->rows - *n : PUSH_MAX;

		rc = send(b, *n, k, is_new, e);
		*n += k;
	}
	return rc;
}

static sat_rc
create(bench *b, size_t *n, sat_err *e)
{
	return send_all(b, n, true, e);
}

static sat_rc
edit(bench *b, size_t *n, sat_err *e)
{
	return send_all(b, n, false, e);
}

static sat_rc
single(bench *b, size_t *n, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (*n = 0; *n < SINGLES && rc == SAT_OK; ++*n)
		rc = send(b, *n, 1, false, e);
	return rc;
}

static sat_rc
check(bench *b, size_t *n, sat_err *e)
{
	uint64_t commits = 0, records = 0;
	sat_rc rc = admin_verify_all(b->admin, &commits, &records, e);

	*n = (size_t)commits;
	return rc;
}

static sat_rc
copy(bench *b, size_t *n, sat_err *e)
{
	uint64_t lsn;

	*n = b->rows;
	return admin_copy_new(&lsn, b->admin, b->copy, e);
}

static const struct {
	const char *name;
	sat_rc (*run)(bench *b, size_t *n, sat_err *e);
} steps[] = {
	{ N_("make"), make },
	{ N_("new, 64 a push"), create },
	{ N_("edits, 64 a push"), edit },
	{ N_("edits, one a push"), single },
	{ N_("check again"), check },
	{ N_("backup"), copy },
};

static bool
run_step(bench *b, size_t i, sat_json *rows)
{
	sat_clock clock = sat_clock_os();
	int64_t from = sat_wall_ms(&clock), ms;
	sat_json *row = sat_json_add_obj(rows);
	sat_err why = { 0 };
	size_t n = 0;
	bool ok = steps[i].run(b, &n, &why) == SAT_OK;

	ms = sat_wall_ms(&clock) - from;
	sat_json_put_str(row, "check", steps[i].name);
	sat_json_put_bool(row, "ok", ok);
	sat_json_put_int(row, "ms", ms);
	sat_json_put_int(row, "n", (int64_t)n);
	sat_json_put_int(row, "per_s", (int64_t)n * 1000 / (ms > 0 ? ms : 1));
	sat_json_put_str(row, "detail", ok ? NULL : why.text);
	return ok;
}

static void
bench_end(bench *b)
{
	sat_err why = { 0 };

	sat_admin_close(b->admin);
	if (sat_folder_clear(b->top, &why) != SAT_OK)
		sat_log(SAT_WARN, "BENCH-FOLDER", "text=%s", why.text);
	free(b->ids);
	free(b->top);
	free(b->dir);
	free(b->copy);
}

sat_rc
sat_admin_bench(const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "check", "ok", "ms", "n", "per_s",
		"detail", NULL };
	bench b = { 0 };
	sat_json *doc, *data;
	int64_t rows;
	bool ok = true;
	sat_rc rc = sat_args_int(&rows, w, "rows", ROWS, e);

	if (rc == SAT_OK && (rows < ROWS_MIN || rows > ROWS_MAX))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "100 to 1000000", "--rows %lld is no number of rows",
		    (long long)rows);
	if (rc != SAT_OK || (rc = sat_folder_temp(&b.top, "satcheld-bench",
	    e)) != SAT_OK)
		return rc;
	b.dir = sat_xasprintf("%s/server", b.top);
	b.copy = sat_xasprintf("%s/backup", b.top);
	b.rows = (size_t)rows;
	b.ids = sat_xcalloc(b.rows, sizeof *b.ids);
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/bench/1");
	data = sat_json_put_arr(doc, "data");
	for (size_t i = 0; ok && i < sizeof steps / sizeof steps[0]; i++)
		ok = run_step(&b, i, data);
	sat_json_put_bool(doc, "ok", ok);
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	bench_end(&b);
	return ok ? SAT_OK : sat_fail_code(e, SAT_EFAIL, "bench", NULL,
	    "the bench could not be run to its end");
}
