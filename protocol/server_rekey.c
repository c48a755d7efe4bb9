/*
 * server_rekey.c - a device changes its keys (P-386..P-389).
 *
 * The statement fits one place: the end of the chain as it is stored. So the key
 * that proves a commit follows from its number, in a replay, after a restore and
 * for ever. Whoever has a copy of the folder from before has keys that end there.
 */
#include "protocol/server_int.h"

#include <string.h>

/* A copy that knocks all day costs one write an hour. */
#define HEARD_EVERY_MS (3600 * (int64_t)1000)

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
	    (rc = judge(s, x, k, e)) != SAT_OK)
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

#define FORMERS_MAX 4096

typedef struct formers {
	sat_former *f;
	size_t n;
	sat_arena *a;
} formers;

static bool
add_former(void *u, const sat_former *f)
{
	formers *x = u;

	if (x->n == FORMERS_MAX)
		return false;
	if (x->f == NULL)
		x->f = sat_arena_alloc(x->a, FORMERS_MAX * sizeof *x->f);
	x->f[x->n++] = *f;
	return true;
}

static sat_rc
broken(const sat_former *f, const char *what, sat_err *e)
{
	return sat_fail(e, SAT_EINTEGRITY, "keys of device %u: %s", f->dev, what);
}

/* The commit it names is there, unless it is gone and known to be (P-203). */
static sat_rc
check_place(sat_server *s, const sat_former *f, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint8_t hash[SAT_HASH_BYTES];
	sat_span header, payload;
	sat_rc rc;

	if (f->said.cseq == 0)
		return SAT_OK;
	rc = st->commit_get(&header, &payload, &s->txn, st->u, f->dev,
	    f->said.incarnation, f->said.cseq, e);
	if (rc != SAT_OK)
		return rc == SAT_ENOTFOUND ? SAT_OK : rc;
	sat_hash(hash, header);
	return memcmp(hash, f->said.head, sizeof hash) == 0 ? SAT_OK :
	    broken(f, "they ended at another commit", e);
}

/* Each change is signed by the key before it and by the one that follows. */
static sat_rc
check_device(sat_server *s, uint32_t dev, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_arena a = { 0 };
	formers x = { .a = &a };
	uint8_t pk[SAT_SIGN_PK_BYTES];
	sat_rc rc;

	if ((rc = st->formers(st->u, dev, add_former, &x, e)) == SAT_OK &&
	    x.n > 0)
		rc = st->device_sign_pk(pk, st->u, dev, e);
	for (size_t i = 0; i < x.n && rc == SAT_OK; i++) {
		const sat_former *f = &x.f[i];
		const uint8_t *next = i + 1 < x.n ? x.f[i + 1].sign_pk : pk;

		if (!sat_rekey_signed(&f->said, &s->env.org, dev, f->sign_pk))
			rc = broken(f, "a change is not signed", e);
		else if (memcmp(f->said.sign_pk, next, sizeof pk) != 0)
			rc = broken(f, "another key follows than was said", e);
		else
			rc = check_place(s, f, e);
	}
	sat_arena_fini(&a);
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
