/*
 * file_send.c - contents of files on their way to the server (P-440..P-449).
 *
 * One after the other, each from where the server says it is. One that is
 * refused or put off keeps its place in the queue, and the next has its turn.
 *
 * Why a refusal is not believed at once: it says what the server knows now. One
 * that came back from a backup gets the record from another device days later,
 * and what was taken away comes back when that is undone. Nobody else has the
 * content then.
 */
#include "client/replica/file.h"
#include "client/replica/replica_int.h"

#include <string.h>

/* What fits in few frames of a link is sent without asking first. */
#define SMALL_BYTES (64 * 1024)
#define HOUR_MS ((int64_t)3600 * 1000)
/* P-448; as long as the server keeps what no record names. */
#define MONTH_MS (30 * 24 * HOUR_MS)

/* The server's clock, as far as it is known. */
static int64_t
now_ms(const sat_replica *r)
{
	return sat_wall_ms(&r->clock) + r->hlc.offset_ms;
}

void
replica_files_begin(sat_replica *r)
{
	int64_t now = now_ms(r);

	r->file = (file_sending){ .old = r->files_old_ms == 0 ||
		now < r->files_old_ms || now - r->files_old_ms >= HOUR_MS };
}

static void
take_id(sat_id *out, sat_span b)
{
	memset(out, 0, sizeof *out);
	if (b.n == sizeof out->b)
		memcpy(out->b, b.p, sizeof out->b);
}

/* Another one than the session was at. */
static void
begin_one(file_sending *f, sat_stmt *s)
{
	f->ref = sat_col_int(s, 0);
	f->asked = f->up = false;
	f->have = 0;
	take_id(&f->rec, sat_col_blob(s, 2));
	f->bytes = (uint64_t)sat_col_int(s, 4);
	take_id(&f->root, sat_col_blob(s, 5));
	f->since_ms = sat_col_int(s, 6);
}

/* What is being sent, or the next one; *file 0: none. */
static sat_rc
current(int64_t *file, sat_file_put *out, sat_replica *r, sat_err *e)
{
	int64_t after = r->file.ref != 0 ? r->file.ref - 1 : r->file.done;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*file = 0;
	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_NEXT, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, after);
	sat_bind_int(s, 2, r->file.old);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	if (sat_col_int(s, 0) != r->file.ref)
		begin_one(&r->file, s);
	if (sat_col_blob(s, 1).n == sizeof out->hash)
		memcpy(out->hash, sat_col_blob(s, 1).p, sizeof out->hash);
	out->rec = r->file.up ? r->file.root : r->file.rec;
	out->bytes = r->file.bytes;
	*file = sat_col_int(s, 3);
	sat_stmt_reset(s);
	return SAT_OK;
}

static sat_rc
take_piece(sat_file_put *out, sat_arena *a, sat_replica *r, int64_t file,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_PIECE, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, file);
	sat_bind_int(s, 2, (int64_t)out->at);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (!row)
		return sat_fail_code(e, SAT_EINTEGRITY, "attachment.damaged",
		    "tell the administrator", "the content of a file is damaged");
	out->data = replica_col_copy(a, s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

/* Once: what is refused while own work is open is not noted as that, and has its
 * turn in each session. */
static bool
is_given_unasked(const sat_replica *r)
{
	return r->file.bytes <= SMALL_BYTES && r->file.since_ms == 0 &&
	    !r->file.up && r->file.ref > r->files_told;
}

sat_rc
replica_file_next(void *u, sat_arena *a, sat_file_put *out, bool *wanted,
    sat_err *e)
{
	sat_replica *r = u;
	int64_t file;
	sat_rc rc;

	*wanted = false;
	if (r->in_group)
		return sat_fail(e, SAT_EBUSY,
		    "an import is being written; sync when it is done");
	if ((rc = current(&file, out, r, e)) != SAT_OK)
		return rc;
	if (file == 0) {
		r->file.ref = 0;
		if (r->file.old)
			r->files_old_ms = now_ms(r);
		return replica_files_tidy(r, e);
	}
	*wanted = true;
	out->at = r->file.have;
	return r->file.asked || is_given_unasked(r) ?
	    take_piece(out, a, r, file, e) : SAT_OK;
}

static void
next_turn(sat_replica *r)
{
	r->file.done = r->file.ref;
	r->file.ref = 0;
}

/* What is being sent has this state from now on; since: in this state. */
static sat_rc
put_state(sat_replica *r, int state, int64_t since_ms, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, r->db, state == REPLICA_FILE_WAITS ?
	    SQL_FILE_OF_REFUSED : SQL_FILE_OF_GIVEN, e);

	if (rc != SAT_OK)
		return rc;
	sat_bind_int(s, 1, r->file.ref);
	if (state == REPLICA_FILE_WAITS)
		sat_bind_int(s, 2, since_ms);
	else {
		sat_bind_int(s, 2, state);
		sat_bind_int(s, 3, since_ms);
	}
	return sat_run(s, e);
}

static sat_rc
note(sat_replica *r, int state, int64_t since_ms, sat_err *e)
{
	sat_rc rc = replica_session_begin(r, e);

	return rc != SAT_OK ? rc :
	    replica_end(r, true, put_state(r, state, since_ms, e), e);
}

static sat_rc
settle(sat_replica *r, int state, sat_err *e)
{
	sat_rc rc = note(r, state, now_ms(r), e);

	next_turn(r);
	r->files_at = 0; /* tidied once more */
	return rc;
}

/* F1: its record has not got it on the server, be it that its customer has. */
static sat_rc
wait_on(sat_replica *r, sat_err *e)
{
	int64_t now = now_ms(r), since = r->file.since_ms;
	bool open, late;
	sat_rc rc;

	late = since != 0 && now - since >= MONTH_MS && now > r->cert.until_ms;
	if ((rc = replica_work_open(&open, r, e)) == SAT_OK && !open) {
		if (late)
			return settle(r, REPLICA_FILE_FREE, e);
		if (since == 0 || since > now)
			rc = note(r, REPLICA_FILE_WAITS, now, e);
	}
	next_turn(r);
	return rc;
}

static sat_rc
refused(sat_replica *r, sat_err *e)
{
	if (r->file.up || sat_id_eq(&r->file.rec, &r->file.root))
		return wait_on(r, e);
	r->file.up = true;
	r->file.asked = false;
	r->file.have = 0;
	return SAT_OK;
}

/* It may have been refused before: that counts no more. */
static sat_rc
wanted_again(sat_replica *r, sat_err *e)
{
	if (r->file.since_ms == 0)
		return SAT_OK;
	r->file.since_ms = 0;
	return note(r, REPLICA_FILE_WAITS, 0, e);
}

sat_rc
replica_file_taken(void *u, const sat_file_taken *in, sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (r->file.ref == 0)
		return sat_fail(e, SAT_EPROTO, "an answer about no file");
	if (r->files_told < r->file.ref)
		r->files_told = r->file.ref;
	if (in->fate == SAT_FILE_KEPT)
		return r->file.up ? wait_on(r, e) :
		    settle(r, REPLICA_FILE_GIVEN, e);
	if (in->fate == SAT_FILE_REFUSED)
		return refused(r, e);
	if ((rc = wanted_again(r, e)) != SAT_OK)
		return rc;
	if (in->fate == SAT_FILE_LATER) {
		next_turn(r);
		return SAT_OK;
	}
	/* P-442: after its first word it only goes on */
	if (in->have % SAT_FILE_PIECE != 0 || in->have >= r->file.bytes ||
	    (r->file.asked && in->have <= r->file.have))
		return sat_fail(e, SAT_EPROTO, "a file does not move on");
	r->file.asked = true;
	r->file.have = in->have;
	return SAT_OK;
}

sat_rc
replica_files_again(sat_replica *r, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_AGAIN, e);

	return rc == SAT_OK ? sat_run(s, e) : rc;
}

/* F3, within the transaction of a WELCOME. What was given before it lies at or
 * below the log's head. */
sat_rc
replica_files_backed(sat_replica *r, uint64_t durable, uint64_t head,
    sat_err *e)
{
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_FILE_OF_BACKED, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, (int64_t)durable);
	sat_bind_int(s, 2, now_ms(r) - MONTH_MS);
	if ((rc = sat_run(s, e)) != SAT_OK)
		return rc;
	if (sat_db_changes(r->db) > 0)
		r->files_at = 0; /* tidied once more */
	return replica_run_int(r, SQL_FILE_OF_AT, (int64_t)head, e);
}
