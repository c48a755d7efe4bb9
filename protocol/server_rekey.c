/*
 * server_rekey.c - a device changes its keys (P-386..P-389).
 *
 * The statement fits one place: the end of the chain as it is stored. So the key
 * that proves a commit follows from its number, in a replay, after a restore and
 * for ever. Whoever has a copy of the folder from before has keys that end there.
 */
#include "protocol/server_int.h"

#include <stdio.h>
#include <string.h>

/* A copy that knocks all day costs one write an hour. */
#define HEARD_EVERY_MS (3600 * (int64_t)1000)
/* Each change is kept and proven for ever: so many within a day (P-387). */
#define OFTEN 16
#define OFTEN_MS (24 * 3600 * (int64_t)1000)

static void
answer(sat_buf *reply, const sat_rekey *k, uint64_t lsn)
{
	sat_msg m = { .type = SAT_MSG_REKEYED, .u.rekeyed.lsn = lsn };

	memcpy(m.u.rekeyed.sign_pk, k->sign_pk, SAT_SIGN_PK_BYTES);
	sat_msg_write(reply, &m);
}

static bool
same(const sat_rekey *a, const sat_rekey *b)
{
	sat_buf x = { 0 }, y = { 0 };
	bool yes;

	sat_rekey_write(&x, a);
	sat_rekey_write(&y, b);
	yes = sat_span_eq(sat_buf_span(&x), sat_buf_span(&y));
	sat_buf_fini(&x);
	sat_buf_fini(&y);
	return yes;
}

/* P-073: its answer was lost. */
static sat_rc
again(bool *was, sat_server *s, const sat_server_session *x,
    const sat_rekey *k, sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_former f;
	sat_rc rc = st->device_by_former(&f, st->u, x->channel_pk, NULL);

	*was = rc == SAT_OK && same(&f.said, k);
	if (*was)
		answer(reply, k, f.lsn);
	return rc == SAT_OK || rc == SAT_ENOTFOUND ? SAT_OK :
	    sat_fail(e, rc, "the keys of devices cannot be read");
}

static sat_rc
judge(sat_server *s, const sat_server_session *x, const sat_rekey *k,
    sat_err *e)
{
	chain_slot *chain;
	sat_rc rc;

	if (!sat_rekey_signed(k, &s->env.org, x->device, x->sign_pk))
		return sat_fail_code(e, SAT_EINTEGRITY, "signature", NULL,
		    "a change of keys is not signed by the old and the new key");
	if ((rc = sat_srv_chain(&chain, s, x->device, k->incarnation, e)) !=
	    SAT_OK)
		return rc;
	if (chain->c.last_cseq != k->cseq || (k->cseq != 0 &&
	    memcmp(chain->c.head, k->head, sizeof k->head) != 0))
		return sat_fail_code(e, SAT_ECONFLICT, SAT_CODE_REKEY_BEHIND,
		    "run: satchel sync",
		    "the change of keys does not begin where the device's "
		    "commits here end");
	return SAT_OK;
}

typedef struct lately {
	int64_t now_ms, first_ms; /* of those within a day */
	size_t n;
} lately;

static bool
count_lately(void *u, const sat_former *f)
{
	lately *x = u;

	if (f->at_ms > x->now_ms || x->now_ms - f->at_ms >= OFTEN_MS)
		return true;
	if (x->n++ == 0)
		x->first_ms = f->at_ms;
	return true;
}

/* The device goes on with the keys it has, and says it again another day. */
static sat_rc
not_often(sat_server *s, uint32_t dev, sat_err *e)
{
	const sat_store *st = &s->env.store;
	lately x = { .now_ms = sat_wall_ms(&s->env.clock) };
	char hint[40];
	sat_rc rc = st->formers(st->u, dev, count_lately, &x, e);

	if (rc != SAT_OK || x.n < OFTEN)
		return rc;
	(void)snprintf(hint, sizeof hint, "RETRY_AFTER %lld",
	    (long long)((x.first_ms + OFTEN_MS - x.now_ms) / 1000 + 1));
	return sat_fail_code(e, SAT_ENOSPACE, "key.often", hint,
	    "this device changed its keys %d times within a day", OFTEN);
}

sat_rc
sat_srv_rekey(sat_server *s, sat_server_session *x, const sat_rekey *k,
    sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const sat_user *user;
	uint64_t lsn = s->lsn;
	bool was;
	sat_rc rc;

	if ((rc = again(&was, s, x, k, reply, e)) != SAT_OK || was)
		return rc;
	if ((rc = sat_srv_session_user(&user, s, x, e)) != SAT_OK ||
	    (rc = judge(s, x, k, e)) != SAT_OK ||
	    (rc = not_often(s, x->device, e)) != SAT_OK)
		return rc;
	rc = st->device_rekey(st->u, x->device, k, lsn,
	    sat_wall_ms(&s->env.clock), e);
	if (rc == SAT_ECONFLICT)
		return sat_fail_code(e, rc, "key.taken", NULL,
		    "the new keys are, or were, those of a device");
	if (rc != SAT_OK || (rc = sat_srv_commit(s, e)) != SAT_OK)
		return rc;
	s->rekeys++;
	answer(reply, k, lsn);
	return SAT_OK;
}

/* ---- the old keys ------------------------------------------------------------------ */

static sat_rc
given_up(uint32_t ord, sat_err *e)
{
	return sat_fail_code(e, SAT_EREVOKED, SAT_CODE_REKEYED,
	    "another copy of this folder goes on as the device; if that is "
	    "not yours, tell the administrator",
	    "the keys of device %u were given up for others", ord);
}

/* P-388. That it was heard is what an administrator sees; a disk that does not
 * take it lets nobody in. */
sat_rc
sat_srv_former(sat_server *s, const sat_server_session *x, sat_err *e)
{
	const sat_store *st = &s->env.store;
	int64_t now = sat_wall_ms(&s->env.clock);
	sat_former f;
	sat_rc rc = st->device_by_former(&f, st->u, x->channel_pk, NULL);

	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK :
		    sat_fail(e, rc, "the keys of devices cannot be read");
	if (now - f.heard_ms >= HEARD_EVERY_MS) {
		rc = st->former_heard(st->u, x->channel_pk, now, e);
		if (rc == SAT_OK)
			rc = sat_srv_commit(s, e);
		if (rc != SAT_OK)
			sat_srv_rollback(s);
		if (rc == SAT_EFSYNC)
			return rc;
	}
	return given_up(f.dev, e);
}

/* A link that was greeted before the keys changed. */
sat_rc
sat_srv_keys_stand(sat_server *s, const sat_server_session *x, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint8_t pk[SAT_SIGN_PK_BYTES];
	uint32_t ord;
	sat_rc rc;

	if (x->rekeys == s->rekeys)
		return SAT_OK;
	rc = st->device_by_key(&ord, pk, st->u, x->channel_pk, NULL);
	if (rc == SAT_ENOTFOUND)
		return given_up(x->device, e);
	return rc == SAT_OK ? SAT_OK :
	    sat_fail(e, rc, "the keys of devices cannot be read");
}

/* ---- proof ----------------------------------------------------------------------------- */

typedef struct proof { /* of one device's changes, one after the other */
	sat_server *s;
	sat_former last; /* dev 0: none yet */
	sat_arena a;
	sat_rc rc;
	sat_err *e;
} proof;

static sat_rc
broken(const sat_former *f, const char *what, sat_err *e)
{
	return sat_fail(e, SAT_EINTEGRITY, "keys of device %u: %s", f->dev, what);
}

/* The commit it names is there, unless it is gone and known to be (P-203). */
static sat_rc
check_place(proof *x, const sat_former *f)
{
	const sat_store *st = &x->s->env.store;
	uint8_t hash[SAT_HASH_BYTES];
	sat_span header, payload;
	sat_rc rc;

	if (f->said.cseq == 0)
		return SAT_OK;
	sat_arena_reset(&x->a);
	rc = st->commit_get(&header, &payload, &x->a, st->u, f->dev,
	    f->said.incarnation, f->said.cseq, x->e);
	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	sat_hash(hash, header);
	return memcmp(hash, f->said.head, sizeof hash) == 0 ? SAT_OK :
	    broken(f, "they ended at another commit", x->e);
}

/* The one before led to this key. */
static sat_rc
check_led(const proof *x, const uint8_t sign_pk[SAT_SIGN_PK_BYTES])
{
	return x->last.dev == 0 || memcmp(x->last.said.sign_pk, sign_pk,
	    SAT_SIGN_PK_BYTES) == 0 ? SAT_OK :
	    broken(&x->last, "another key follows than was said", x->e);
}

/* Each change is signed by the key before it and by the one that follows. */
static bool
check_former(void *u, const sat_former *f)
{
	proof *x = u;

	if ((x->rc = check_led(x, f->sign_pk)) != SAT_OK)
		return false;
	if (!sat_rekey_signed(&f->said, &x->s->env.org, f->dev, f->sign_pk))
		x->rc = broken(f, "a change is not signed", x->e);
	else
		x->rc = check_place(x, f);
	x->last = *f;
	return x->rc == SAT_OK;
}

static sat_rc
check_device(sat_server *s, uint32_t dev, sat_err *e)
{
	const sat_store *st = &s->env.store;
	proof x = { .s = s, .e = e };
	uint8_t pk[SAT_SIGN_PK_BYTES];
	sat_rc rc = st->formers(st->u, dev, check_former, &x, e);

	sat_arena_fini(&x.a);
	if (rc != SAT_OK || (rc = x.rc) != SAT_OK || x.last.dev == 0)
		return rc;
	if ((rc = st->device_sign_pk(pk, st->u, dev, e)) == SAT_OK)
		rc = check_led(&x, pk);
	return rc;
}

sat_rc
sat_srv_rekeys_check(sat_server *s, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < s->reg.ndevices && rc == SAT_OK; i++)
		rc = check_device(s, s->reg.devices[i].ord, e);
	return rc;
}
