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
#define HAND_OVER(op, ...)                                           \
	sat_carry *c_ = u;                                           \
	struct op##_args x_ = { &c_->under, __VA_ARGS__, e, SAT_EFAIL }; \
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

sat_client_ops
sat_carry_ops(sat_carry *c, sat_replica *r, const sat_sync_opts *o)
{
	c->under = sat_replica_session(r);
	c->call = o->call;
	c->cu = o->cu;
	if (o->call == NULL)
		return c->under;
	return (sat_client_ops){ .u = c,
		.hello = carry_hello,
		.welcome = carry_welcome,
		.registry = carry_registry,
		.template_ = carry_template,
		.outbox = carry_outbox,
		.verdicts = carry_verdicts,
		.snap_state = carry_snap_state,
		.chunk = carry_chunk,
		.cursor = carry_cursor,
		.delta = carry_delta,
		.accepted = c->under.accepted != NULL ? carry_accepted : NULL };
}
