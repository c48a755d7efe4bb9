/*
 * client_read.c - an answer taken apart, beside the session (client.h).
 *
 * Why apart from what is done with it: unpacking a chunk and hashing its records
 * is a third of taking it in and needs nothing of the replica, so that it can be
 * done on another core while the chunk before is written (client/sync/ahead.c).
 */
#include "protocol/client_int.h"

/* P-093: nothing of a chunk is looked at before its hash was. */
static sat_rc
read_chunk(sat_chunk *c, sat_arena *a, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_rc rc;

	sat_hash(hash, c->records);
	if (memcmp(hash, c->hash, sizeof hash) != 0)
		return sat_fail(e, SAT_EINTEGRITY, "snapshot chunk hash differs");
	if (c->records.n != 0 && (rc = sat_records_read(&c->recs, &c->nrecs,
	    a, c->records, e)) != SAT_OK)
		return rc;
	c->sums = sat_arena_alloc(a, (c->nrecs + 1) * sizeof *c->sums);
	for (size_t i = 0; i < c->nrecs; i++)
		c->sums[i] = sat_sum_record(&c->recs[i]);
	c->decoded = true;
	return SAT_OK;
}

static sat_rc
read_delta(sat_delta *d, sat_arena *a, sat_err *e)
{
	sat_rc rc;

	if ((d->batch.n != 0 && (rc = sat_batch_read(&d->commits,
	    &d->ncommits, a, SAT_BATCH_PULL, d->batch, e)) != SAT_OK) ||
	    (d->records.n != 0 && (rc = sat_records_read(&d->recs, &d->nrecs,
	    a, d->records, e)) != SAT_OK))
		return rc;
	d->decoded = true;
	return SAT_OK;
}

static sat_rc
read_refetched(sat_refetch_is *d, sat_arena *a, sat_err *e)
{
	sat_rc rc;

	if (d->records.n != 0 && (rc = sat_records_read(&d->recs, &d->nrecs,
	    a, d->records, e)) != SAT_OK)
		return rc;
	d->decoded = true;
	return SAT_OK;
}

sat_rc
sat_cs_read_frame(sat_msg *m, sat_arena *a, sat_span frame, sat_err *e)
{
	sat_rc rc = sat_msg_read(m, a, frame, e);

	if (rc == SAT_OK && m->type == SAT_MSG_CHUNK)
		rc = read_chunk(&m->u.chunk, a, e);
	else if (rc == SAT_OK && m->type == SAT_MSG_DELTA)
		rc = read_delta(&m->u.delta, a, e);
	else if (rc == SAT_OK && m->type == SAT_MSG_REFETCH_IS)
		rc = read_refetched(&m->u.refetch_is, a, e);
	return rc;
}

void
sat_cs_read(sat_cs_answer *a)
{
	sat_arena_reset(&a->mem);
	memset(&a->why, 0, sizeof a->why);
	a->rc = sat_cs_read_frame(&a->m, &a->mem, sat_buf_span(&a->frame),
	    &a->why);
}

void
sat_cs_answer_fini(sat_cs_answer *a)
{
	sat_buf_fini(&a->frame);
	sat_arena_fini(&a->mem);
	memset(a, 0, sizeof *a);
}

bool
sat_cs_behind_page(sat_msg *next, const sat_msg *in)
{
	if (in->type == SAT_MSG_CHUNK) {
		*next = (sat_msg){ .type = SAT_MSG_SNAP };
		next->u.snap.after = in->u.chunk.next;
		return !in->u.chunk.done;
	}
	*next = (sat_msg){ .type = SAT_MSG_PULL };
	if (in->type != SAT_MSG_DELTA)
		return false;
	next->u.pull.cursor = in->u.delta.upto;
	return in->u.delta.upto < in->u.delta.scope_head;
}

bool
sat_cs_behind(sat_buf *out, sat_cs_answer *a)
{
	sat_msg next;

	sat_arena_reset(&a->mem);
	if (sat_msg_read(&a->m, &a->mem, sat_buf_span(&a->frame), NULL) !=
	    SAT_OK || !sat_cs_behind_page(&next, &a->m))
		return false;
	sat_msg_write(out, &next);
	return true;
}
