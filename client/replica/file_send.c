/*
 * file_send.c - contents of files on their way to the server (P-440..P-443).
 *
 * One after the other, each from where the server says it is. One that is
 * refused or put off keeps its place in the queue, and the next has its turn.
 */
#include "client/replica/file.h"
#include "client/replica/replica_int.h"

#include <string.h>

/* What fits in few frames of a link is sent without asking first. */
#define SMALL_BYTES (64 * 1024)

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
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	if (sat_col_int(s, 0) != r->file.ref) {
		r->file.ref = sat_col_int(s, 0);
		r->file.asked = false;
		r->file.have = 0;
	}
	if (sat_col_blob(s, 1).n == sizeof out->hash)
		memcpy(out->hash, sat_col_blob(s, 1).p, sizeof out->hash);
	if (sat_col_blob(s, 2).n == sizeof out->rec.b)
		memcpy(out->rec.b, sat_col_blob(s, 2).p, sizeof out->rec.b);
	*file = sat_col_int(s, 3);
	out->bytes = r->file.bytes = (uint64_t)sat_col_int(s, 4);
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
		return replica_files_tidy(r, e);
	}
	*wanted = true;
	out->at = r->file.have;
	return r->file.asked || out->bytes <= SMALL_BYTES ?
	    take_piece(out, a, r, file, e) : SAT_OK;
}

static void
next_turn(sat_replica *r)
{
	r->file.done = r->file.ref;
	r->file.ref = 0;
}

static sat_rc
settle(sat_replica *r, sat_err *e)
{
	int64_t ref = r->file.ref;
	sat_rc rc;

	next_turn(r);
	r->files_at = 0; /* tidied once more */
	if ((rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_run_int(r, SQL_FILE_OF_GIVEN, ref,
	    e), e);
}

/* F1: the server's word is the last one only when nothing of ours is under way
 * that may make it another. */
static sat_rc
refused(sat_replica *r, sat_err *e)
{
	bool open;
	sat_rc rc = replica_work_open(&open, r, e);

	if (rc == SAT_OK && !open)
		return settle(r, e);
	next_turn(r);
	return rc;
}

sat_rc
replica_file_taken(void *u, const sat_file_taken *in, sat_err *e)
{
	sat_replica *r = u;

	if (r->file.ref == 0)
		return sat_fail(e, SAT_EPROTO, "an answer about no file");
	if (in->fate == SAT_FILE_KEPT)
		return settle(r, e);
	if (in->fate == SAT_FILE_REFUSED)
		return refused(r, e);
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
