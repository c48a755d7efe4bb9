/*
 * salt.c - salts that need not be sent (P-068).
 *
 * 16 random bytes of salt were two thirds of an edit on the wire. Salts of the
 * commits that are pushed together come from one seed instead: the push
 * carries the seed, both sides forget it when there are verdicts. After that
 * a salt is as good as random, and goes with its payload when that is erased.
 *
 * A seed is never needed: a commit whose seed is gone is sent with its salt.
 * So whoever is in doubt forgets them all.
 */
#include "client/replica/replica_int.h"

#include <string.h>

void
replica_salt_draw(sat_replica *r, sat_commit *c)
{
	replica_chain *ch = &r->chain;
	int64_t seq = replica_seq(c->incarnation, c->cseq);

	if (ch->seed_first == 0 ||
	    replica_seq_inc(ch->seed_first) != c->incarnation) {
		r->rand.bytes(r->rand.u, ch->seed, sizeof ch->seed);
		ch->seed_first = seq;
	}
	sat_salt_derive(c->salt, ch->seed, (uint64_t)(seq - ch->seed_first),
	    c->hlc);
}

sat_rc
replica_salt_keep(sat_replica *r, int64_t seq, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if (seq != r->chain.seed_first) /* it is there already */
		return SAT_OK;
	if ((rc = sat_db_stmt(&s, r->db, SQL_SALT_SEED_PUT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, seq);
	sat_bind_blob(s, 2, sat_span_of(r->chain.seed, sizeof r->chain.seed));
	return sat_run(s, e);
}

sat_rc
replica_salt_forget(sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	r->chain.seed_first = 0;
	sat_wipe(r->chain.seed, sizeof r->chain.seed);
	if ((rc = sat_db_stmt(&s, r->db, SQL_SALT_SEED_FORGET, e)) != SAT_OK)
		return rc;
	return sat_run(s, e);
}

/* Every seed, ascending. */
static sat_rc
load(salt_seed **out, size_t *n, sat_arena *a, sat_replica *r, sat_err *e)
{
	size_t cap = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*out = NULL;
	*n = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_SALT_SEED_ALL, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span seed = sat_col_blob(s, 1);

		if (seed.n != SAT_SALT_BYTES)
			continue;
		SAT_ARENA_GROW(*out, *n, cap, a);
		(*out)[*n].first = sat_col_int(s, 0);
		memcpy((*out)[(*n)++].seed, seed.p, SAT_SALT_BYTES);
	}
	sat_stmt_reset(s);
	return rc;
}

sat_rc
replica_salt_open(sat_replica *r, sat_err *e)
{
	sat_arena a = { 0 };
	salt_seed *all;
	size_t n;
	sat_rc rc = load(&all, &n, &a, r, e);

	r->chain.seed_first = 0;
	if (rc == SAT_OK && n > 0) {
		r->chain.seed_first = all[n - 1].first;
		memcpy(r->chain.seed, all[n - 1].seed, SAT_SALT_BYTES);
	}
	sat_arena_fini(&a);
	return rc;
}

/*
 * Is the salt the one of the seed that was in use then? A seed between may be
 * gone, then it is not.
 */
static void
name_seed(sat_commit *c, const salt_seed *s, int64_t seq)
{
	uint8_t salt[SAT_SALT_BYTES];

	c->seed_at = (uint64_t)(seq - s->first);
	sat_salt_derive(salt, s->seed, c->seed_at, c->hlc);
	if (memcmp(salt, c->salt, sizeof salt) == 0)
		c->seed = s->seed;
}

sat_rc
replica_salt_name(sat_commit *c, size_t n, sat_arena *a, sat_replica *r,
    sat_err *e)
{
	salt_seed *all;
	size_t seeds, at = 0;
	sat_rc rc = load(&all, &seeds, a, r, e);

	for (size_t i = 0; rc == SAT_OK && seeds > 0 && i < n; i++) {
		int64_t seq = replica_seq(c[i].incarnation, c[i].cseq);

		while (at + 1 < seeds && all[at + 1].first <= seq)
			at++;
		if (all[at].first <= seq &&
		    replica_seq_inc(all[at].first) == c[i].incarnation)
			name_seed(&c[i], &all[at], seq);
	}
	return rc;
}
