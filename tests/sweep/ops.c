/*
 * ops.c - the operations of a device.
 */
#include "tests/sweep/sweep.h"

#include <stdio.h>
#include <string.h>

#include "common/git/git.h"

/* ---- writing --------------------------------------------------------------------- */

static sat_op
set(sat_op_kind kind, const sat_id *id, uint16_t field, const char *v)
{
	return (sat_op){ .kind = kind, .rec = *id, .rtype = K_ACCOUNT,
		.field = field, .value = v == NULL ? sat_v_null() :
		sat_v_text(sat_span_str(v)) };
}

static sat_rc
write_ops(lab *L, int who, const sat_id *subject, sat_op *ops, size_t n,
    sat_err *e)
{
	sat_draft draft = { .subject = *subject, .ops = ops, .nops = n };
	uint64_t cseq;

	return sat_replica_write(L->dev[who].r, &draft, &cseq, e);
}

static sat_rc
write_new(lab *L, int arg, sat_err *e)
{
	sat_id id = sat_replica_new_id(L->dev[ANN].r);
	sat_op ops[] = { set(SAT_OP_NEW, &id, 0, NULL),
		set(SAT_OP_MVSET, &id, A_NAME, "New one"),
		set(SAT_OP_SET, &id, A_OWNER, "ann"),
		set(SAT_OP_STAGE, &id, A_STAGE, "first_contact") };

	(void)arg;
	return write_ops(L, ANN, &id, ops, 4, e);
}

static sat_rc
write_edit(lab *L, int arg, sat_err *e)
{
	static const sat_op_kind kinds[] = { SAT_OP_SET, SAT_OP_MVSET,
		SAT_OP_SADD, SAT_OP_STAGE, SAT_OP_REASSIGN, SAT_OP_DEL };
	static const uint16_t fields[] = { A_REMARK, A_NAME, A_TAGS, A_STAGE,
		A_OWNER, 0 };
	static const char *const values[] = { "r", "Third name", "tag9",
		"proposal", "bob", NULL };
	sat_op op = set(kinds[arg], &L->acc[0], fields[arg], values[arg]);

	return write_ops(L, ANN, &L->acc[0], &op, 1, e);
}

/* What waits already is edited again, and something else with it. */
static sat_rc
write_over(lab *L, int arg, sat_err *e)
{
	sat_op ops[] = { set(SAT_OP_MVSET, &L->acc[3], A_NAME, "Once more"),
		set(SAT_OP_SET, &L->acc[3], A_CITY, "x"),
		set(SAT_OP_SADD, &L->acc[3], A_TAGS, "y") };

	(void)arg;
	return write_ops(L, ANN, &L->acc[3], ops, 3, e);
}

static sat_rc
write_resolve(lab *L, int arg, sat_err *e)
{
	sat_conflict *c;
	sat_dot dots[8];
	sat_op op;
	size_t n;
	sat_rc rc;

	(void)arg;
	if ((rc = sat_replica_conflicts(&c, &n, &L->a, L->dev[ANN].r, e)) !=
	    SAT_OK)
		return rc;
	if (n == 0 || c[0].field == NULL)
		return sat_fail(e, SAT_EFAIL, "the story has no conflict");
	op = set(SAT_OP_RESOLVE, &c[0].rec, c[0].field->id, NULL);
	op.value = c[0].candidates[0].value;
	op.dots = dots;
	for (size_t i = 0; i < c[0].n && i < 8; i++)
		dots[op.ndots++] = (sat_dot){ c[0].candidates[i].at.dev,
			c[0].candidates[i].at.lsn };
	return write_ops(L, ANN, &op.rec, &op, 1, e);
}

static sat_rc
write_group(lab *L, int keep, sat_err *e)
{
	sat_replica *r = L->dev[ANN].r;
	sat_rc rc;

	if ((rc = sat_replica_group_begin(r, e)) != SAT_OK)
		return rc;
	for (int i = 0; i < 3 && rc == SAT_OK; i++)
		rc = write_new(L, 0, e);
	if (rc == SAT_OK)
		rc = write_over(L, 0, e);
	if (rc == SAT_OK && keep)
		return sat_replica_group_commit(r, e);
	sat_replica_group_rollback(r);
	return rc;
}

/* One more than go into the outbox at a time (client/replica/outbox.c). */
static sat_rc
write_run(lab *L, int arg, sat_err *e)
{
	sat_replica *r = L->dev[ANN].r;
	sat_rc rc;

	(void)arg;
	if ((rc = sat_replica_group_begin(r, e)) != SAT_OK)
		return rc;
	for (int i = 0; i < 17 && rc == SAT_OK; i++) {
		char text[8];
		sat_op op = set(SAT_OP_SET, &L->acc[3], A_CITY, NULL);

		(void)snprintf(text, sizeof text, "c%d", i);
		op.value = sat_v_text(sat_span_str(text));
		rc = write_ops(L, ANN, &L->acc[3], &op, 1, e);
	}
	if (rc == SAT_OK)
		return sat_replica_group_commit(r, e);
	sat_replica_group_rollback(r);
	return rc;
}

static sat_rc
discard(lab *L, int arg, sat_err *e)
{
	sat_quarantined *q;
	size_t n;
	sat_rc rc;

	(void)arg;
	if ((rc = sat_replica_quarantine(&q, &n, &L->a, L->dev[ANN].r, e)) !=
	    SAT_OK)
		return rc;
	if (n == 0) /* tried again after it was done */
		return SAT_OK;
	return sat_replica_discard(L->dev[ANN].r, q[0].id, "not needed", e);
}

/* ---- reading ------------------------------------------------------------------------- */

static const sat_kind *
accounts(lab *L)
{
	return sat_template_kind_id(sat_replica_template(L->dev[ANN].r),
	    K_ACCOUNT);
}

static sat_rc
query(lab *L, int arg, sat_err *e)
{
	static const uint16_t columns[] = { A_NAME, A_CITY, SAT_Q_ID,
		SAT_Q_PENDING };
	sat_value like = sat_v_text(sat_span_str("o"));
	sat_filter f = { SAT_Q_TEXT, SAT_CMP_LIKE, &like, 1 };
	sat_query q = { .kind = accounts(L), .filters = &f, .nfilters = 1,
		.columns = columns, .ncolumns = 4, .nsort = 1 };
	const sat_value *row = NULL;
	sat_rows *rows;
	int64_t n;
	sat_rc rc;

	q.sort[0].field = A_NAME;
	if (arg == 1)
		return sat_replica_count(&n, L->dev[ANN].r, &q, e);
	if ((rc = sat_replica_query(&rows, L->dev[ANN].r, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&row, rows, e)) == SAT_OK && row != NULL)
		continue;
	sat_rows_free(rows);
	return rc;
}

static bool
on_match(void *u, const sat_id *id)
{
	(void)u;
	(void)id;
	return true;
}
static void
on_event(void *u, const sat_conflict_event *ev)
{
	(void)u;
	(void)ev;
}
static void
on_audit(void *u, int64_t seq, int64_t at_ms, const char *action,
    const char *detail)
{
	(void)u;
	(void)seq;
	(void)at_ms;
	(void)action;
	(void)detail;
}
static void
on_state(void *u, const sat_id *id, sat_span state)
{
	(void)u;
	(void)id;
	(void)state;
}

enum {
	R_GET, R_PART, R_RESOLVE, R_MATCH, R_RELATION, R_HISTORY, R_CONFLICTS,
	R_CONFLICT_LOG, R_QUARANTINE, R_MOVED, R_LOG, R_STATUS, R_AUDIT_LIST,
	R_SETTING, R_GIT, R_CHECK, R_QUICK_CHECK, R_CHAIN, R_DUMP,
};

static sat_rc
read_one(lab *L, int arg, sat_err *e)
{
	sat_replica *r = L->dev[ANN].r;
	sat_replica_status st;
	sat_quarantined *q;
	sat_conflict *c;
	sat_relation rel;
	sat_commit *log;
	sat_moved *m;
	sat_past *past;
	sat_view v;
	sat_id id;
	size_t n;
	bool part;
	sat_rc rc;

	switch (arg) {
	case R_GET:
		return sat_replica_get(&v, &L->a, r, accounts(L), &L->acc[3], e);
	case R_PART: /* and how he stands to it, by what was read */
		if ((rc = sat_replica_get_part(&v, &part, &L->a, r,
		    accounts(L), &L->acc[3], sat_kind_field_id(accounts(L),
		    A_REMARK), e)) != SAT_OK)
			return rc;
		return sat_replica_relation(&rel, r, accounts(L), &L->acc[3],
		    e);
	case R_RESOLVE: {
		char t[SAT_ID_TEXT];

		sat_id_text(t, &L->acc[1]);
		return sat_replica_resolve(&id, r, accounts(L), t, e);
	}
	case R_MATCH:
		return sat_replica_match(r, accounts(L), sat_kind_field_id(
		    accounts(L), A_NAME), sat_v_text(sat_span_str("First")),
		    on_match, NULL, e);
	case R_RELATION:
		return sat_replica_relation(&rel, r, accounts(L), &L->acc[0],
		    e);
	case R_HISTORY:
		return sat_replica_history(&past, &n, &L->a, r, &L->acc[3], 0,
		    e);
	case R_CONFLICTS:
		return sat_replica_conflicts(&c, &n, &L->a, r, e);
	case R_CONFLICT_LOG:
		return sat_replica_conflict_log(r, on_event, NULL, e);
	case R_QUARANTINE:
		return sat_replica_quarantine(&q, &n, &L->a, r, e);
	case R_MOVED: return sat_replica_moved(&m, &n, &L->a, r, e);
	case R_LOG: return sat_replica_log(&log, &n, &L->a, r, 0, e);
	case R_AUDIT_LIST:
		return sat_replica_audit_list(r, 0, on_audit, NULL, e);
	case R_DUMP: return sat_replica_dump(r, on_state, NULL, e);
	case R_CHECK: return sat_replica_check(r, false, e);
	case R_QUICK_CHECK: return sat_replica_check(r, true, e);
	default: return sat_replica_status_get(&st, r, e);
	}
}

static sat_rc
read_more(lab *L, int arg, sat_err *e)
{
	sat_replica *r = L->dev[ANN].r;
	sat_buf b = { 0 };
	uint64_t commits;
	sat_git *g;
	sat_rc rc;

	switch (arg) {
	case R_SETTING:
		rc = sat_replica_setting_get(&b, r, "nothing", e);
		sat_buf_fini(&b);
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	case R_CHAIN: return sat_replica_verify_chain(r, 0, &commits, e);
	default:
		if ((rc = sat_replica_git(&g, r, e)) == SAT_OK)
			sat_git_close(g);
		return rc;
	}
}

/* ---- the rest of a life ---------------------------------------------------------------- */

static sat_rc
setting_put(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return sat_replica_setting_put(L->dev[ANN].r, "k", sat_span_str("v"),
	    e);
}

static sat_rc
audit(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return sat_replica_audit(L->dev[ANN].r, "export", "3 records", e);
}

static sat_rc
create(lab *L, int arg, sat_err *e)
{
	lab_dev *d = &L->dev[RAW];
	sat_replica_env env = lab_env(d);
	sat_rc rc = sat_replica_create(&d->r, &env, &d->id, e);

	(void)arg;
	if (rc != SAT_OK)
		d->r = NULL;
	return rc;
}

static bool
empty_disk(lab *L, int arg)
{
	(void)arg;
	simfs_wipe(L->dev[RAW].m.fs);
	return true;
}

/* A file that was not made to the end can be made again. */
static const char *
create_again(lab *L, int arg, sat_rc rc)
{
	sat_err e = { 0 };

	(void)rc;
	if (create(L, arg, &e) != SAT_OK) {
		/* what is left is not a replica: whoever starts over removes it */
		simfs_wipe(L->dev[RAW].m.fs);
		if (create(L, arg, &e) != SAT_OK)
			return "it cannot be made again";
	}
	return NULL;
}

static sat_rc
open_again(lab *L, int arg, sat_err *e)
{
	return lab_open_device(L, &L->dev[arg], e);
}

static bool
put_backup_back(lab *L, int arg)
{
	simfs *fs = L->dev[ANN].m.fs;

	(void)arg;
	simfs_remove(fs, "ann.db");
	simfs_remove(fs, "ann.db-wal");
	simfs_rename(fs, "backup.db", "ann.db");
	return true;
}

static sat_rc
backup(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return sat_replica_backup(L->dev[ANN].r, "second.db", e);
}

static sat_rc
new_incarnation(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return sat_replica_new_incarnation(L->dev[ANN].r, e);
}

static bool
ask_enrolled(lab *L, int arg)
{
	static sat_enrolled in; /* until the operation has run */
	sat_err e = { 0 };

	(void)arg;
	lab_must(lab_open_server(L, false, &e), &e, "server");
	lab_must(talk_enrol(L, &L->dev[RAW], &in, &e), &e, "enrol");
	L->held = &in;
	return true;
}

static sat_rc
enrolled(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return sat_replica_enrolled(L->dev[RAW].r, L->held, e);
}

enum { DB_CHECKPOINT, DB_CHECK, DB_COPY, DB_SHRINK, DB_CACHE, DB_EXEC };

static sat_rc
db_op(lab *L, int arg, sat_err *e)
{
	sat_db *db = sat_replica_db(L->dev[ANN].r);

	switch (arg) {
	case DB_CHECKPOINT: return sat_db_checkpoint(db, e);
	case DB_CHECK: return sat_db_check(db, false, e);
	case DB_COPY: return sat_db_copy(db, "copy.db", e);
	case DB_SHRINK: return sat_db_shrink(db, e);
	case DB_CACHE: return sat_db_cache(db, 256, e);
	default: return sat_db_exec(db, "CREATE TABLE x(a); INSERT INTO x "
	    "VALUES(1); DROP TABLE x;", e);
	}
}

/* ---- sessions ----------------------------------------------------------------------------- */

/* Bob's customer has left when Ann has synced. */
static void
session_of(lab *L, int who, int steps)
{
	sat_err e = { 0 };

	if (L->server == NULL)
		lab_must(lab_open_server(L, false, &e), &e, "server");
	if (who == BOB) {
		lab_must(lab_open_device(L, &L->dev[ANN], &e), &e, "open");
		lab_must(talk_whole(L, &L->dev[ANN], &e), &e, "session");
	}
	talk_begin(L, &L->dev[who]);
	(void)talk_go(L, steps);
}

/* arg: the exchange; served, and to be taken in. */
static bool
await_reply(lab *L, int who, int arg)
{
	sat_err e = { 0 };

	session_of(L, who, arg);
	if (L->t.done)
		return false;
	lab_must(talk_request(L, &e), &e, "request");
	if (L->t.done)
		return false;
	lab_must(talk_serve(L, &e), &e, "serve");
	return true;
}

static bool
ann_awaits(lab *L, int arg)
{
	return await_reply(L, ANN, arg);
}
static bool
bob_awaits(lab *L, int arg)
{
	return await_reply(L, BOB, arg);
}
static bool
new_awaits(lab *L, int arg)
{
	return await_reply(L, NEW, arg);
}

static sat_rc
take_reply(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return talk_reply(L, e);
}

static bool
ann_asks(lab *L, int arg)
{
	session_of(L, ANN, arg);
	return !L->t.done;
}

static sat_rc
ask(lab *L, int arg, sat_err *e)
{
	(void)arg;
	return talk_request(L, e);
}

static bool
with_server(lab *L, int arg)
{
	sat_err e = { 0 };

	(void)arg;
	lab_must(lab_open_server(L, false, &e), &e, "server");
	return true;
}

static sat_rc
whole_session(lab *L, int who, sat_err *e)
{
	return talk_whole(L, &L->dev[who], e);
}

/* ---- the table ------------------------------------------------------------------------------ */

#define WRITE(name, run, arg) { name, ANN, OP_AGAIN, NULL, run, arg, NULL }
#define READ(name, run, arg) { name, ANN, OP_AGAIN, NULL, run, arg, NULL }
#define REPLY(name, who, before, n) \
	{ name, who, OP_GIT, before, take_reply, n, NULL }

const sweep_op sweep_device_ops[] = {
	{ "create", RAW, OP_MAKES, empty_disk, create, 0, create_again },
	{ "open", ANN, OP_CLOSED, NULL, open_again, ANN, NULL },
	{ "open, never synced", NEW, OP_CLOSED, NULL, open_again, NEW, NULL },
	{ "open a restored backup", ANN, OP_CLOSED, put_backup_back,
	    open_again, ANN, NULL },
	{ "enrolled", RAW, OP_AGAIN, ask_enrolled, enrolled, 0, NULL },
	WRITE("write a new record", write_new, 0),
	WRITE("write set", write_edit, 0),
	WRITE("write review", write_edit, 1),
	WRITE("write tag", write_edit, 2),
	WRITE("write stage", write_edit, 3),
	WRITE("write owner", write_edit, 4),
	WRITE("write deletion", write_edit, 5),
	WRITE("write over waiting work", write_over, 0),
	WRITE("write resolution", write_resolve, 0),
	WRITE("import", write_group, 1),
	WRITE("import undone", write_group, 0),
	WRITE("import of many", write_run, 0),
	WRITE("discard", discard, 0),
	READ("get", read_one, R_GET),
	READ("get part", read_one, R_PART),
	READ("resolve", read_one, R_RESOLVE),
	READ("query", query, 0),
	READ("count", query, 1),
	READ("match", read_one, R_MATCH),
	READ("relation", read_one, R_RELATION),
	READ("history", read_one, R_HISTORY),
	READ("conflicts", read_one, R_CONFLICTS),
	READ("conflict log", read_one, R_CONFLICT_LOG),
	READ("quarantine", read_one, R_QUARANTINE),
	READ("moved", read_one, R_MOVED),
	READ("log", read_one, R_LOG),
	READ("status", read_one, R_STATUS),
	READ("audit list", read_one, R_AUDIT_LIST),
	READ("setting get", read_more, R_SETTING),
	READ("template history", read_more, R_GIT),
	READ("check", read_one, R_CHECK),
	READ("quick check", read_one, R_QUICK_CHECK),
	READ("verify the chain", read_more, R_CHAIN),
	READ("dump", read_one, R_DUMP),
	WRITE("setting put", setting_put, 0),
	WRITE("audit", audit, 0),
	{ "backup", ANN, 0, NULL, backup, 0, NULL },
	{ "new incarnation", ANN, 0, NULL, new_incarnation, 0, NULL },
	WRITE("checkpoint", db_op, DB_CHECKPOINT),
	WRITE("check the file", db_op, DB_CHECK),
	{ "copy the file", ANN, 0, NULL, db_op, DB_COPY, NULL },
	WRITE("shrink", db_op, DB_SHRINK),
	WRITE("smaller cache", db_op, DB_CACHE),
	{ "a script", ANN, OP_STEPS, with_server, db_op, DB_EXEC, NULL },
	REPLY("session, welcome", ANN, ann_awaits, 0),
	REPLY("session, second reply", ANN, ann_awaits, 1),
	REPLY("session, third reply", ANN, ann_awaits, 2),
	REPLY("session, fourth reply", ANN, ann_awaits, 3),
	REPLY("session, fifth reply", ANN, ann_awaits, 4),
	REPLY("leave, second reply", BOB, bob_awaits, 1),
	REPLY("leave, third reply", BOB, bob_awaits, 2),
	REPLY("leave, fourth reply", BOB, bob_awaits, 3),
	REPLY("first session, welcome", NEW, new_awaits, 0),
	REPLY("first session, registry", NEW, new_awaits, 1),
	REPLY("first session, template", NEW, new_awaits, 2),
	REPLY("first session, chunk", NEW, new_awaits, 3),
	REPLY("first session, next chunk", NEW, new_awaits, 4),
	{ "ask hello", ANN, 0, ann_asks, ask, 0, NULL },
	{ "ask, second", ANN, 0, ann_asks, ask, 1, NULL },
	{ "ask, third", ANN, 0, ann_asks, ask, 2, NULL },
	{ "ask push", ANN, 0, ann_asks, ask, 3, NULL },
	{ "ask pull", ANN, 0, ann_asks, ask, 4, NULL },
	{ "whole session", ANN, OP_STEPS | OP_GIT, with_server, whole_session, ANN,
	    NULL },
	{ "whole first session", NEW, OP_STEPS | OP_GIT, with_server, whole_session,
	    NEW, NULL },
	{ .name = NULL },
};
