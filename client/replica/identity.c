/*
 * identity.c - who this device is, as one sealed value of the store.
 *
 * The file is encrypted by the file layer; in memory the keys lie in guarded
 * memory and are wiped when the replica closes.
 */
#include "client/replica/replica_int.h"

#include <string.h>

#define IDENTITY_VERSION 1

static void
write_text(sat_buf *b, const char *s, size_t cap)
{
	sat_write_span(b, sat_span_of(s, strnlen(s, cap)));
}

void
replica_identity_write(sat_buf *b, const sat_replica_identity *id)
{
	sat_write_u8(b, IDENTITY_VERSION);
	sat_buf_add(b, id->sign_sk, sizeof id->sign_sk);
	sat_buf_add(b, id->sign_pk, sizeof id->sign_pk);
	sat_buf_add(b, id->channel_sk, sizeof id->channel_sk);
	sat_buf_add(b, id->channel_pk, sizeof id->channel_pk);
	sat_buf_add(b, id->org.b, sizeof id->org.b);
	sat_buf_add(b, id->server_pk, sizeof id->server_pk);
	sat_buf_add(b, id->root_pk, sizeof id->root_pk);
	sat_buf_add(b, id->template_pk, sizeof id->template_pk);
	sat_write_uint(b, id->device);
	sat_write_uint(b, id->user);
	sat_write_uint(b, id->incarnation);
	write_text(b, id->server, sizeof id->server);
	write_text(b, id->user_key, sizeof id->user_key);
	write_text(b, id->role, sizeof id->role);
	write_text(b, id->org_name, sizeof id->org_name);
}

static void
read_raw(sat_reader *r, void *out, size_t n)
{
	sat_span s = sat_read_raw(r, n);

	if (s.n == n)
		memcpy(out, s.p, n);
}

static void
read_text(sat_reader *r, char *out, size_t cap)
{
	sat_span s = sat_read_span(r, cap - 1);

	memset(out, 0, cap);
	if (s.n > 0)
		memcpy(out, s.p, s.n);
}

sat_rc
replica_identity_read(sat_replica_identity *id, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);

	if (sat_read_u8(&r) != IDENTITY_VERSION)
		return sat_fail(e, SAT_EVERSION,
		    "the identity was written by another version");
	read_raw(&r, id->sign_sk, sizeof id->sign_sk);
	read_raw(&r, id->sign_pk, sizeof id->sign_pk);
	read_raw(&r, id->channel_sk, sizeof id->channel_sk);
	read_raw(&r, id->channel_pk, sizeof id->channel_pk);
	read_raw(&r, id->org.b, sizeof id->org.b);
	read_raw(&r, id->server_pk, sizeof id->server_pk);
	read_raw(&r, id->root_pk, sizeof id->root_pk);
	read_raw(&r, id->template_pk, sizeof id->template_pk);
	id->device = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);
	id->user = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);
	id->incarnation = (uint32_t)sat_read_uint_max(&r, UINT32_MAX);
	read_text(&r, id->server, sizeof id->server);
	read_text(&r, id->user_key, sizeof id->user_key);
	read_text(&r, id->role, sizeof id->role);
	read_text(&r, id->org_name, sizeof id->org_name);
	return sat_read_end(&r, "identity", e);
}

sat_rc
replica_identity_put(sat_replica *r, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc;

	replica_identity_write(&b, r->id);
	rc = replica_meta_blob(r, "identity", sat_buf_span(&b), e);
	sat_wipe(b.p, b.n);
	sat_buf_fini(&b);
	return rc;
}

/* Text from the server; too long is its fault, and refused. */
static bool
take(char *out, size_t cap, sat_span s)
{
	if (s.n >= cap || memchr(s.n > 0 ? (const char *)s.p : "", 0, s.n) !=
	    NULL)
		return false;
	memset(out, 0, cap);
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	return true;
}

sat_rc
sat_replica_enrolled(sat_replica *r, const sat_enrolled *in, sat_err *e)
{
	sat_replica_identity *before;
	bool began;
	sat_rc rc;

	if (in->device == 0 || in->user == 0)
		return sat_fail(e, SAT_EPROTO, "the server gave no number");
	before = sat_secret_new(sizeof *before);
	memcpy(before, r->id, sizeof *before);
	r->id->device = in->device;
	r->id->user = in->user;
	memcpy(r->id->root_pk, in->root_pk, sizeof r->id->root_pk);
	memcpy(r->id->template_pk, in->template_pk, sizeof r->id->template_pk);
	if (!take(r->id->user_key, sizeof r->id->user_key, in->user_key) ||
	    !take(r->id->role, sizeof r->id->role, in->role) ||
	    !take(r->id->org_name, sizeof r->id->org_name, in->org_name))
		rc = sat_fail(e, SAT_EPROTO, "a name from the server is too "
		    "long");
	else if ((rc = replica_begin(r, &began, e)) == SAT_OK)
		rc = replica_end(r, began, replica_identity_put(r, e), e);
	if (rc != SAT_OK)
		memcpy(r->id, before, sizeof *before);
	sat_secret_free(before);
	return rc;
}

const sat_replica_identity *
sat_replica_identity_get(const sat_replica *r)
{
	return r->id;
}

/* ---- incarnations ----------------------------------------------------------------- */

/* Work the server cannot take under its old number, because it knows another
 * commit under it, goes on under the new incarnation: same payload and stamp,
 * new place in a new chain. */
static sat_rc
rehome_one(sat_replica *r, int64_t seq, sat_err *e)
{
	sat_arena a = { 0 };
	sat_buf b = { 0 };
	own_commit o;
	int64_t heir;
	sat_stmt *s;
	sat_rc rc;

	if ((rc = replica_own_commit(&o, &a, r, seq, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_PUT_AGAIN, e)) != SAT_OK)
		goto out;
	o.c.incarnation = r->id->incarnation;
	o.c.cseq = r->chain.cseq + 1;
	memcpy(o.c.prev, r->chain.head, sizeof o.c.prev);
	sat_commit_write_header(&b, &o.c);
	heir = replica_seq(o.c.incarnation, o.c.cseq);
	sat_bind_int(s, 1, seq);
	sat_bind_int(s, 2, heir);
	sat_bind_blob(s, 3, sat_buf_span(&b));
	if ((rc = sat_run(s, e)) != SAT_OK ||
	    (rc = replica_place_hand_on(r, seq, heir, false, e)) != SAT_OK ||
	    (rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_DEL, e)) != SAT_OK)
		goto out;
	sat_bind_int(s, 1, seq);
	if ((rc = sat_run(s, e)) != SAT_OK)
		goto out;
	r->chain.cseq = o.c.cseq;
	r->chain.newest = heir;
	sat_hash(r->chain.head, sat_buf_span(&b));
out:
	sat_buf_fini(&b);
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
next_unanswered(int64_t *seq, sat_replica *r, int64_t after, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*seq = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_OUTBOX_UNANSWERED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, after);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		*seq = sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

/* Also what was written under incarnations begun since: it must not come
 * before what it builds on. */
static sat_rc
rehome(sat_replica *r, sat_err *e)
{
	int64_t after = r->fork - 1, seq;
	sat_rc rc;

	for (;;) {
		if ((rc = next_unanswered(&seq, r, after, e)) != SAT_OK)
			return rc;
		if (seq == 0 || replica_seq_inc(seq) == r->id->incarnation)
			return SAT_OK;
		if ((rc = rehome_one(r, seq, e)) != SAT_OK)
			return rc;
		after = seq;
	}
}

static sat_rc
begin_incarnation(sat_replica *r, sat_err *e)
{
	sat_rc rc;

	r->chain.cseq = 0;
	memset(r->chain.head, 0, sizeof r->chain.head);
	if ((rc = replica_identity_put(r, e)) != SAT_OK ||
	    (r->fork != 0 && (rc = rehome(r, e)) != SAT_OK) ||
	    (rc = replica_meta_del(r, "fork", e)) != SAT_OK)
		return rc;
	return replica_meta_del(r, "restored", e);
}

sat_rc
sat_replica_new_incarnation(sat_replica *r, sat_err *e)
{
	replica_chain before = r->chain;
	uint32_t old = r->id->incarnation;
	int64_t now_s = sat_wall_ms(&r->clock) / 1000;
	bool began;
	sat_rc rc;

	if (r->in_group)
		return sat_fail(e, SAT_EBUSY, "a group of writes is open");
	/* Two restores of one backup must not choose the same number. */
	r->id->incarnation = now_s > old && now_s < UINT32_MAX ?
	    (uint32_t)now_s : old + 1;
	if ((rc = replica_begin(r, &began, e)) == SAT_OK)
		rc = replica_end(r, began, begin_incarnation(r, e), e);
	replica_pend_drop(r);
	if (rc != SAT_OK) {
		r->id->incarnation = old;
		r->chain = before;
		return rc;
	}
	r->fork = 0;
	return SAT_OK;
}
