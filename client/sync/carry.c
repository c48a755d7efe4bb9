/*
 * carry.c - the session's operations, carried to the replica's thread.
 *
 * Why: the daemon has one thread that may touch the replica, and it must not
 * wait for a network. The session runs on a thread of its own and hands over
 * each operation, one transaction, and only while that runs do requests wait.
 * The caller blocks meanwhile, so arguments may point to its stack.
 */
#include "client/sync/sync_int.h"

#define CARRY(op, members, ...)                                      \
	struct op##_args {                                           \
		const sat_client_ops *o;                             \
		members;                                             \
		sat_err *e;                                          \
		sat_rc rc;                                           \
	};                                                           \
	static void op##_there(void *arg)                            \
	{                                                            \
		struct op##_args *x = arg;                           \
                                                                     \
		x->rc = x->o->op(x->o->u, __VA_ARGS__, x->e);        \
	}
#define CARRY_BARE(op)                                               \
	struct op##_args {                                           \
		const sat_client_ops *o;                             \
		sat_err *e;                                          \
		sat_rc rc;                                           \
	};                                                           \
	static void op##_there(void *arg)                            \
	{                                                            \
		struct op##_args *x = arg;                           \
                                                                     \
		x->rc = x->o->op(x->o->u, x->e);                     \
	}
#define HAND_OVER(op, ...)                                           \
	sat_carry *c_ = u;                                           \
	struct op##_args x_ = { &c_->under, __VA_ARGS__, e, SAT_EFAIL }; \
	c_->call(c_->cu, op##_there, &x_);                           \
	return x_.rc
#define HAND_OVER_BARE(op)                                           \
	sat_carry *c_ = u;                                           \
	struct op##_args x_ = { &c_->under, e, SAT_EFAIL };          \
	c_->call(c_->cu, op##_there, &x_);                           \
	return x_.rc

CARRY(hello, sat_hello *out, x->out)
static sat_rc
carry_hello(void *u, sat_hello *out, sat_err *e)
{
	HAND_OVER(hello, out);
}

CARRY(welcome, const sat_welcome *w; int64_t sent_wall_ms, x->w,
    x->sent_wall_ms)
static sat_rc
carry_welcome(void *u, const sat_welcome *w, int64_t sent_wall_ms, sat_err *e)
{
	HAND_OVER(welcome, w, sent_wall_ms);
}

CARRY(registry, sat_span registry, x->registry)
static sat_rc
carry_registry(void *u, sat_span registry, sat_err *e)
{
	HAND_OVER(registry, registry);
}

CARRY(template_, const uint8_t *tip; sat_span bundle, x->tip, x->bundle)
static sat_rc
carry_template(void *u, const uint8_t tip[SAT_TEMPLATE_OID_BYTES],
    sat_span bundle, sat_err *e)
{
	HAND_OVER(template_, tip, bundle);
}

CARRY(outbox, sat_arena *a; sat_push *push; sat_commit **c; size_t *n;
    uint64_t from_cseq, x->a, x->push, x->c, x->n, x->from_cseq)
static sat_rc
carry_outbox(void *u, sat_arena *a, sat_push *push, sat_commit **c, size_t *n,
    uint64_t from_cseq, sat_err *e)
{
	HAND_OVER(outbox, a, push, c, n, from_cseq);
}

CARRY(outbox_behind, sat_arena *a; sat_push *push; sat_commit **c; size_t *n,
    x->a, x->push, x->c, x->n)
static sat_rc
carry_outbox_behind(void *u, sat_arena *a, sat_push *push, sat_commit **c,
    size_t *n, sat_err *e)
{
	HAND_OVER(outbox_behind, a, push, c, n);
}

CARRY(verdicts, uint32_t incarnation; const sat_verdicts *v, x->incarnation,
    x->v)
static sat_rc
carry_verdicts(void *u, uint32_t incarnation, const sat_verdicts *v, sat_err *e)
{
	HAND_OVER(verdicts, incarnation, v);
}

CARRY(snap_state, bool *wanted; uint64_t *after, x->wanted, x->after)
static sat_rc
carry_snap_state(void *u, bool *wanted, uint64_t *after, sat_err *e)
{
	HAND_OVER(snap_state, wanted, after);
}

CARRY(chunk, const sat_chunk *c, x->c)
static sat_rc
carry_chunk(void *u, const sat_chunk *c, sat_err *e)
{
	HAND_OVER(chunk, c);
}

CARRY(cursor, uint64_t *cursor, x->cursor)
static sat_rc
carry_cursor(void *u, uint64_t *cursor, sat_err *e)
{
	HAND_OVER(cursor, cursor);
}

CARRY(delta, const sat_delta *d, x->d)
static sat_rc
carry_delta(void *u, const sat_delta *d, sat_err *e)
{
	HAND_OVER(delta, d);
}

CARRY(accepted, uint64_t *lsn, x->lsn)
static sat_rc
carry_accepted(void *u, uint64_t *lsn, sat_err *e)
{
	HAND_OVER(accepted, lsn);
}

CARRY(seed, sat_arena *a; sat_seed *out; bool *wanted, x->a, x->out, x->wanted)
static sat_rc
carry_seed(void *u, sat_arena *a, sat_seed *out, bool *wanted, sat_err *e)
{
	HAND_OVER(seed, a, out, wanted);
}

CARRY(seeded, const sat_seeded *in, x->in)
static sat_rc
carry_seeded(void *u, const sat_seeded *in, sat_err *e)
{
	HAND_OVER(seeded, in);
}

CARRY(ledger, sat_arena *a; sat_ledger *out; bool *wanted, x->a, x->out,
    x->wanted)
static sat_rc
carry_ledger(void *u, sat_arena *a, sat_ledger *out, bool *wanted, sat_err *e)
{
	HAND_OVER(ledger, a, out, wanted);
}

CARRY(ledger_is, const sat_ledger *in, x->in)
static sat_rc
carry_ledger_is(void *u, const sat_ledger *in, sat_err *e)
{
	HAND_OVER(ledger_is, in);
}

CARRY(erased, sat_erased *out; bool *wanted, x->out, x->wanted)
static sat_rc
carry_erased(void *u, sat_erased *out, bool *wanted, sat_err *e)
{
	HAND_OVER(erased, out, wanted);
}

CARRY_BARE(erased_ok)
static sat_rc
carry_erased_ok(void *u, sat_err *e)
{
	HAND_OVER_BARE(erased_ok);
}

CARRY(unpark, uint64_t *n, x->n)
static sat_rc
carry_unpark(void *u, uint64_t *n, sat_err *e)
{
	HAND_OVER(unpark, n);
}

CARRY(differs, bool *yes, x->yes)
static sat_rc
carry_differs(void *u, bool *yes, sat_err *e)
{
	HAND_OVER(differs, yes);
}

CARRY(digest, const sat_digest *ask; const sat_digest_is *d, x->ask, x->d)
static sat_rc
carry_digest(void *u, const sat_digest *ask, const sat_digest_is *d, sat_err *e)
{
	HAND_OVER(digest, ask, d);
}

CARRY(refetch_next, sat_refetch *ask, x->ask)
static sat_rc
carry_refetch_next(void *u, sat_refetch *ask, sat_err *e)
{
	HAND_OVER(refetch_next, ask);
}

CARRY(refetch, const sat_refetch *ask; const sat_refetch_is *d, x->ask, x->d)
static sat_rc
carry_refetch(void *u, const sat_refetch *ask, const sat_refetch_is *d,
    sat_err *e)
{
	HAND_OVER(refetch, ask, d);
}

CARRY(numbers_want, sat_arena *a; sat_numbers *want, x->a, x->want)
static sat_rc
carry_numbers_want(void *u, sat_arena *a, sat_numbers *want, sat_err *e)
{
	HAND_OVER(numbers_want, a, want);
}

CARRY(numbers, const sat_numbers *given, x->given)
static sat_rc
carry_numbers(void *u, const sat_numbers *given, sat_err *e)
{
	HAND_OVER(numbers, given);
}

CARRY(coverage, const sat_coverage *in; uint64_t registry_rev, x->in,
    x->registry_rev)
static sat_rc
carry_coverage(void *u, const sat_coverage *in, uint64_t registry_rev,
    sat_err *e)
{
	HAND_OVER(coverage, in, registry_rev);
}

CARRY(wipe, sat_span order; bool *push_first, x->order, x->push_first)
static sat_rc
carry_wipe(void *u, sat_span order, bool *push_first, sat_err *e)
{
	HAND_OVER(wipe, order, push_first);
}

CARRY(file_next, sat_arena *a; sat_file_put *out; bool *wanted, x->a, x->out,
    x->wanted)
static sat_rc
carry_file_next(void *u, sat_arena *a, sat_file_put *out, bool *wanted,
    sat_err *e)
{
	HAND_OVER(file_next, a, out, wanted);
}

CARRY(file_taken, const sat_file_taken *in, x->in)
static sat_rc
carry_file_taken(void *u, const sat_file_taken *in, sat_err *e)
{
	HAND_OVER(file_taken, in);
}

#define CARRIED 29
/* An operation that is added there has to be carried here. */
_Static_assert(sizeof(sat_client_ops) == (CARRIED + 1) * sizeof(void *),
    "every operation of a session is carried");
/* What the replica leaves out stays left out. */
#define ONE(op, fn) .op = c->under.op != NULL ? fn : NULL

sat_client_ops
sat_carry_ops(sat_carry *c, sat_replica *r, const sat_sync_opts *o)
{
	c->under = sat_replica_session(r);
	c->call = o->call;
	c->cu = o->cu;
	if (o->call == NULL)
		return c->under;
	return (sat_client_ops){ .u = c,
		ONE(hello, carry_hello),
		ONE(welcome, carry_welcome),
		ONE(registry, carry_registry),
		ONE(template_, carry_template),
		ONE(outbox, carry_outbox),
		ONE(outbox_behind, carry_outbox_behind),
		ONE(verdicts, carry_verdicts),
		ONE(snap_state, carry_snap_state),
		ONE(chunk, carry_chunk),
		ONE(cursor, carry_cursor),
		ONE(delta, carry_delta),
		ONE(accepted, carry_accepted),
		ONE(seed, carry_seed),
		ONE(seeded, carry_seeded),
		ONE(ledger, carry_ledger),
		ONE(ledger_is, carry_ledger_is),
		ONE(erased, carry_erased),
		ONE(erased_ok, carry_erased_ok),
		ONE(unpark, carry_unpark),
		ONE(differs, carry_differs),
		ONE(digest, carry_digest),
		ONE(refetch_next, carry_refetch_next),
		ONE(refetch, carry_refetch),
		ONE(numbers_want, carry_numbers_want),
		ONE(numbers, carry_numbers),
		ONE(coverage, carry_coverage),
		ONE(file_next, carry_file_next),
		ONE(file_taken, carry_file_taken),
		ONE(wipe, carry_wipe) };
}
