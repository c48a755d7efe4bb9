/*
 * point.c - one operation with one failure, and what is left of it.
 *
 * An operation of one transaction must leave the file as it was before or as
 * it is afterwards, row by row of every table, and when it said done, as it is
 * afterwards. One of several transactions is looked at when everybody has
 * synced since: the same records, the same refusals, nothing waiting.
 */
#include "tests/sweep/sweep.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- death ------------------------------------------------------------------------ */

static sigjmp_buf on_death;
static volatile bool may_die;

/* Our own code stops the program when memory is out (common/base/mem.h): here
 * the machine goes on, and its processes are gone. */
static void
die(int sig)
{
	if (may_die)
		siglongjmp(on_death, 1);
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

/* ---- the machines of an operation --------------------------------------------------- */

static machine *
side(lab *L, const sweep_op *op)
{
	return (op->flags & OP_SERVER) != 0 ? &L->srv : &L->dev[op->who].m;
}

static sat_db *
db_of(lab *L, const sweep_op *op)
{
	if ((op->flags & OP_SERVER) != 0)
		return L->store != NULL ? sat_sqlite_store_db(L->store) : NULL;
	return L->dev[op->who].r != NULL ?
	    sat_replica_db(L->dev[op->who].r) : NULL;
}

static void
digest(uint8_t out[SAT_HASH_BYTES], lab *L, const sweep_op *op)
{
	lab_digest(out, L, db_of(L, op), (op->flags & OP_SEEN) != 0 ? "device" :
	    NULL);
}

static sat_rc
open_side(lab *L, const sweep_op *op, sat_err *e)
{
	return (op->flags & OP_SERVER) != 0 ? lab_open_server(L, false, e) :
	    lab_open_device(L, &L->dev[op->who], e);
}

static bool
prepare(lab *L, const sweep_op *op)
{
	sat_err e = { 0 };

	lab_restore(L);
	if ((op->flags & (OP_CLOSED | OP_MAKES | OP_FILES)) == 0)
		lab_must(open_side(L, op, &e), &e, "open");
	return op->before == NULL || op->before(L, op->arg);
}

static const char *
check_side(lab *L, const sweep_op *op)
{
	static char text[500];
	uint64_t commits, records;
	sat_err e = { 0 };
	sat_rc rc;

	if ((op->flags & OP_SERVER) == 0)
		rc = sat_replica_check(L->dev[op->who].r, false, &e);
	else if ((rc = sat_sqlite_store_check(L->store, false, &e)) == SAT_OK)
		rc = sat_server_verify(L->server, &commits, &records, &e);
	(void)snprintf(text, sizeof text, "check: %s", e.text);
	return rc == SAT_OK ? NULL : text;
}

/* ---- without a failure ---------------------------------------------------------------- */

bool
point_expect(lab *L, const sweep_op *op, expectation *x)
{
	sat_err e = { 0 };

	memset(x, 0, sizeof *x);
	if (!prepare(L, op)) {
		lab_close(L);
		return false;
	}
	if ((op->flags & (OP_FILES | OP_MAKES | OP_STEPS)) == 0) {
		lab_abandon(L);
		lab_must(open_side(L, op, &e), &e, "open");
		digest(x->before, L, op);
		lab_close(L);
		(void)prepare(L, op);
	}
	lab_must(op->run(L, op->arg, &e), &e, op->name);
	if ((op->flags & OP_STEPS) != 0) {
		if (!lab_settle(L, &e))
			lab_must(SAT_EFAIL, &e, "settle");
		lab_settled_digest(L, x->after);
	} else if ((op->flags & OP_FILES) == 0) {
		lab_close(L);
		lab_must(open_side(L, op, &e), &e, "open");
		digest(x->after, L, op);
	}
	lab_close(L);
	return true;
}

/* ---- with one ---------------------------------------------------------------------------- */

static void
arm(lab *L, const sweep_op *op, const fault *f, uint64_t n)
{
	simfs *fs = side(L, op)->fs;

	switch (f->on) {
	case ON_DISK: simfs_fail(fs, f->op, f->how, n, f->persistent); break;
	case ON_POWER: simfs_off_after(fs, n - 1); break;
	case ON_HEAP: heap_fail(n, f->persistent); break;
	case ON_FILES: files_fail(n, f->error, f->persistent); break;
	}
}

static bool
fired(lab *L, const sweep_op *op, const fault *f, uint64_t n, uint64_t calls)
{
	const simfs *fs = side(L, op)->fs;

	switch (f->on) {
	case ON_DISK:
		return simfs_counts_get(fs).calls[f->op] - calls >= n;
	case ON_POWER: return simfs_is_off(fs);
	case ON_HEAP: return heap_fired();
	case ON_FILES: return files_fired();
	}
	return false;
}

static void
disarm(lab *L, const sweep_op *op)
{
	simfs *fs = side(L, op)->fs;

	heap_fail(0, false);
	files_fail(0, 0, false);
	if (simfs_is_off(fs))
		return;
	simfs_off_after(fs, UINT64_MAX);
	for (int i = 0; i < SIMFS_OPS; i++)
		simfs_fail(fs, (simfs_op)i, SIMFS_NEVER, 0, false);
}

typedef struct end { /* of the operation */
	sat_rc rc;
	bool died, fired;
	const char *bad;
} end;

static void
run(lab *L, const sweep_op *op, const fault *f, uint64_t n, end *x)
{
	uint64_t calls = simfs_counts_get(side(L, op)->fs).calls[f->op];
	sat_err e = { 0 };

	x->rc = SAT_EFAIL;
	if (sigsetjmp(on_death, 1) == 0) {
		may_die = true;
		arm(L, op, f, n);
		x->rc = op->run(L, op->arg, &e);
		may_die = false;
	} else {
		may_die = false;
		x->died = true;
	}
	x->fired = fired(L, op, f, n, calls);
	if (!x->fired && x->rc != SAT_OK)
		x->bad = "fails without a failure";
	/* Closing while the disk still fails is one of the ways to go on. */
	if (!f->persistent || n % 3 != 0 || x->died)
		disarm(L, op);
}

/* The handle is still good: the operation may be tried again. */
static void
try_again(lab *L, const sweep_op *op, end *x)
{
	static char text[500];
	sat_err e = { 0 };
	sat_rc rc;

	disarm(L, op);
	if (sat_db_dead(db_of(L, op)))
		return;
	rc = op->run(L, op->arg, &e);
	if (rc == SAT_OK) {
		x->bad = check_side(L, op);
		return;
	}
	(void)snprintf(text, sizeof text, "tried again: %s", e.text);
	x->bad = text;
}

/* As if its process died, or its machine lost the power. */
static void
lose(lab *L, const sweep_op *op, end *x)
{
	disarm(L, op);
	if (x->died) { /* nothing may touch what it left half done */
		lab_forget(L);
		simfs_kill(L->srv.fs);
		for (int i = 0; i < NDEVS; i++)
			simfs_kill(L->dev[i].m.fs);
	} else {
		lab_abandon(L);
		simfs_crash(side(L, op)->fs);
	}
}

/* Also closing may need memory there is none of. */
static void
close_all(lab *L, const sweep_op *op, end *x)
{
	if (sigsetjmp(on_death, 1) == 0) {
		may_die = true;
		lab_close(L);
		may_die = false;
		disarm(L, op);
	} else {
		may_die = false;
		x->died = true;
		lose(L, op, x);
	}
}

/* The three ways to go on: try again and close; close; lose the power. */
static bool
leave(lab *L, const sweep_op *op, const fault *f, uint64_t n, end *x)
{
	bool again = false;

	if (x->died || f->on == ON_POWER || n % 3 == 2) {
		lose(L, op, x);
		return false;
	}
	if (n % 3 == 1 && x->rc != SAT_OK && (op->flags & OP_AGAIN) != 0 &&
	    db_of(L, op) != NULL) {
		try_again(L, op, x);
		again = true;
	}
	close_all(L, op, x);
	return again;
}

static const char *
compare(lab *L, const sweep_op *op, const expectation *x, sat_rc rc)
{
	uint8_t got[SAT_HASH_BYTES];

	digest(got, L, op);
	if (memcmp(got, x->after, sizeof got) == 0)
		return NULL;
	if (rc == SAT_OK)
		return "what was reported as done is not there";
	return (op->flags & OP_PARTS) != 0 || memcmp(got, x->before, sizeof got) == 0 ? NULL :
	    "half of it is there";
}

static const char *
look_settled(lab *L, const expectation *x)
{
	static char text[500];
	uint8_t got[SAT_HASH_BYTES];
	sat_err e = { 0 };

	if (!lab_settle(L, &e)) {
		(void)snprintf(text, sizeof text, "settle: %s", e.text);
		return text;
	}
	lab_settled_digest(L, got);
	return memcmp(got, x->after, sizeof got) == 0 ? NULL :
	    "all have synced, and something is missing or twice";
}

static const char *
look(lab *L, const sweep_op *op, const expectation *x, sat_rc rc, bool again)
{
	static char text[500];
	const char *bad;
	sat_err e = { 0 };
	sat_rc opened;

	if ((op->flags & OP_FILES) != 0)
		return op->after(L, op->arg, rc);
	opened = open_side(L, op, &e);
	if ((op->flags & OP_MAKES) != 0 && rc != SAT_OK && opened != SAT_OK) {
		lab_close(L);
		return op->after(L, op->arg, rc); /* it can be made again */
	}
	if (opened != SAT_OK) {
		(void)snprintf(text, sizeof text, "does not open: %s", e.text);
		return text;
	}
	/* first: a check may write what it found */
	if (!again && (op->flags & OP_STEPS) == 0 && ((op->flags & OP_MAKES) ==
	    0 || rc == SAT_OK) && (bad = compare(L, op, x, rc)) != NULL)
		return bad;
	if ((bad = check_side(L, op)) != NULL)
		return bad;
	return (op->flags & OP_STEPS) != 0 ? look_settled(L, x) : NULL;
}

static const char *
look_once(lab *L, const sweep_op *op, const expectation *x, sat_rc rc,
    bool again, tally *t)
{
	const char *bad;
	uint64_t disks;

	if ((op->flags & OP_FILES) != 0) { /* on no disk of ours */
		t->looked++;
		return look(L, op, x, rc, again);
	}
	disks = seen_disks(L, op, (rc == SAT_OK ? 1u : 0u) | (again ? 2u : 0u));
	if (seen_good(disks))
		return NULL;
	t->looked++;
	bad = look(L, op, x, rc, again);
	if (bad == NULL)
		seen_add(disks);
	return bad;
}

static void
report(const sweep_op *op, const fault *f, uint64_t n, const end *x,
    tally *t)
{
	if (t->bad++ < 60)
		(void)printf("BAD %s %d, %s, call %llu%s: rc %d: %s\n",
		    op->name, op->arg, f->name, (unsigned long long)n,
		    f->persistent ? " and later" : "", (int)x->rc, x->bad);
}

bool
point_run(lab *L, const sweep_op *op, const expectation *x, const fault *f,
    uint64_t n, tally *t)
{
	end y = { 0 };
	int64_t live;
	bool again, leaks;

	(void)signal(SIGABRT, die);
	seen_rewind();
	lab_restore(L);
	live = heap_live();
	(void)prepare(L, op);
	run(L, op, f, n, &y);
	again = leave(L, op, f, n, &y);
	if (y.bad == NULL)
		y.bad = look_once(L, op, x, y.rc, again, t);
	lab_close(L);
	if (y.bad == NULL && simfs_handles(side(L, op)->fs) != 0 && !y.died)
		y.bad = "a file stays open";
	lab_restore(L);
	/* What a process that died held is gone with it. */
	leaks = !y.died && heap_works() && heap_live() != live &&
	    (f->on != ON_HEAP || (op->flags & OP_GIT) == 0);
	if (y.bad == NULL && leaks && n > 1)
		y.bad = "memory is not given back";
	if (y.fired) {
		t->points++;
		t->died += y.died;
		t->failed += !y.died && y.rc != SAT_OK;
		t->passed += y.rc == SAT_OK;
	}
	if (y.bad != NULL)
		report(op, f, n, &y, t);
	return y.fired;
}
