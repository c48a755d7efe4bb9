/*
 * digest.c - the sums over what the server gave this device (P-180..P-189).
 *
 * Kept where rows are written: a row collects in `sum` what its server's state
 * became less what it was, and the flush adds that to its bucket. Nothing is
 * summed for a local edit, for it leaves the server's state alone.
 *
 * Invariant R3: the sum of a bucket is the sum of the server's states of its
 * rows that do not leave. A row changed behind our back makes it untrue; the
 * scrub, the check and the next change of that row find out.
 */
#include "client/replica/replica_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define SCRUB_EVERY_MS (7 * DAY_MS)
#define SCRUB_BUCKETS 8        /* per session while a scrub is under way */

/* ---- rows ---------------------------------------------------------------------- */

bool
replica_row_counts(const replica_row *row)
{
	const sat_record *s = row->pending ? &row->srv : &row->view;

	/* what a pool hides from us is not in the server's sum (P-155) */
	return row->rid < SAT_RID_LOCAL && !row->leaving && !row->gone &&
	    s->born.hlc != 0 && !sat_record_of_pool(s);
}

void
replica_sum_out(replica_row *row)
{
	if (row->counted)
		sat_sum_sub(&row->sum,
		    sat_sum_record(replica_row_server(row)));
	row->counted = false;
}

void
replica_sum_known(replica_row *row, const sat_sum *sum)
{
	if (row->counted || !replica_row_counts(row))
		return;
	sat_sum_add(&row->sum, sum != NULL ? *sum :
	    sat_sum_record(replica_row_server(row)));
	row->counted = true;
}

void
replica_sum_in(replica_row *row)
{
	replica_sum_known(row, NULL);
}

void
replica_page_sum(replica_page *p, replica_row *row)
{
	uint16_t kind = row->k->kind->id;
	uint32_t bucket;
	sum_add *last;

	if (sat_sum_zero(row->sum))
		return;
	bucket = sat_bucket_of((uint32_t)row->rid);
	last = p->nsums > 0 ? &p->sums[p->nsums - 1] : NULL;
	if (last == NULL || last->kind != kind || last->bucket != bucket) {
		if (p->nsums == p->cap_sums) {
			p->cap_sums = p->cap_sums * 2 + 64;
			p->sums = sat_xrealloc(p->sums,
			    p->cap_sums * sizeof *p->sums);
		}
		last = &p->sums[p->nsums++];
		*last = (sum_add){ .kind = kind, .bucket = bucket };
	}
	sat_sum_add(&last->sum, row->sum);
	row->sum = (sat_sum){ 0, 0 };
}

/* ---- the table -------------------------------------------------------------------- */

static sat_rc
get_sum(sat_sum *sum, sat_replica *r, uint16_t kind, uint32_t bucket,
    sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*sum = (sat_sum){ 0, 0 };
	if ((rc = sat_db_stmt(&s, r->db, SQL_DIGEST_GET, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, kind);
	sat_bind_int(s, 2, bucket);
	if ((rc = sat_step(&row, s, e)) != SAT_OK || !row)
		return rc;
	if (sat_col_blob(s, 0).n == SAT_SUM_BYTES)
		*sum = sat_sum_read(sat_col_blob(s, 0).p);
	sat_stmt_reset(s);
	return SAT_OK;
}

static sat_rc
put_sum(sat_replica *r, uint16_t kind, uint32_t bucket, sat_sum sum,
    sat_err *e)
{
	uint8_t bytes[SAT_SUM_BYTES];
	sat_stmt *s;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_DIGEST_PUT, e)) != SAT_OK)
		return rc;
	sat_sum_write(bytes, sum);
	sat_bind_int(s, 1, kind);
	sat_bind_int(s, 2, bucket);
	sat_bind_blob(s, 3, sat_span_of(bytes, sizeof bytes));
	return sat_run(s, e);
}

static sat_rc
move_sum(sat_replica *r, uint16_t kind, uint32_t bucket, sat_sum by,
    sat_err *e)
{
	sat_sum sum;
	sat_rc rc;

	if (sat_sum_zero(by))
		return SAT_OK;
	if ((rc = get_sum(&sum, r, kind, bucket, e)) != SAT_OK)
		return rc;
	sat_sum_add(&sum, by);
	return put_sum(r, kind, bucket, sum, e);
}

static int
by_place(const void *a, const void *b)
{
	const sum_add *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

sat_rc
replica_page_flush_sums(sat_replica *r, sat_err *e)
{
	replica_page *p = &r->page;
	sat_sum all = { 0, 0 };
	size_t n = p->nsums;
	sat_rc rc;

	p->nsums = 0;
	if (n > 1)
		qsort(p->sums, n, sizeof *p->sums, by_place);
	for (size_t i = 0, k; i < n; i = k) {
		sum_add x = p->sums[i];

		for (k = i + 1; k < n && by_place(&x, &p->sums[k]) == 0; k++)
			sat_sum_add(&x.sum, p->sums[k].sum);
		sat_sum_add(&all, x.sum);
		if ((rc = move_sum(r, x.kind, x.bucket, x.sum, e)) != SAT_OK)
			return rc;
	}
	return move_sum(r, 0, 0, all, e);
}

/* ---- comparing ---------------------------------------------------------------------- */

sat_rc
replica_compare(sat_replica *r, bool has, sat_sum theirs, sat_err *e)
{
	sat_sum ours;
	sat_rc rc;

	if (!has || !r->complete)
		return SAT_OK;
	if ((rc = get_sum(&ours, r, 0, 0, e)) != SAT_OK)
		return rc;
	r->theirs = theirs;
	r->differs = !sat_sum_eq(ours, theirs);
	if (!r->differs && r->streak != 0) {
		r->streak = 0;
		r->in_vain = false;
		return replica_meta_int(r, "streak", 0, e);
	}
	return SAT_OK;
}

/* One more bucket that differs; neighbours are fetched together. */
static void
add_range(sat_replica *r, uint16_t kind, uint32_t bucket)
{
	sat_refetch *last = r->nranges > 0 ? &r->ranges[r->nranges - 1] : NULL;
	uint32_t first = bucket << SAT_BUCKET_SHIFT;
	uint32_t end = first + ((1u << SAT_BUCKET_SHIFT) - 1);

	if (last != NULL && last->kind == kind && last->to_eid + 1 == first) {
		last->to_eid = end;
		return;
	}
	if (r->nranges == r->cap_ranges) {
		r->cap_ranges = r->cap_ranges * 2 + 16;
		r->ranges = sat_xrealloc(r->ranges,
		    r->cap_ranges * sizeof *r->ranges);
	}
	r->ranges[r->nranges++] = (sat_refetch){ kind,
		first == 0 ? 0 : first - 1, end };
}

static int
place_cmp(uint16_t kind, uint32_t bucket, const sat_bucket_sum *s)
{
	if (kind != s->kind)
		return kind < s->kind ? -1 : 1;
	return bucket < s->bucket ? -1 : bucket > s->bucket;
}

/* Both lists are ascending; what only one has differs, unless it is zero. */
static sat_rc
compare_buckets(sat_replica *r, const sat_digest *ask, const sat_digest_is *d,
    sat_err *e)
{
	size_t i = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_DIGEST_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, ask->kind);
	sat_bind_int(s, 2, ask->bucket);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row) {
		uint16_t kind = (uint16_t)sat_col_int(s, 0);
		uint32_t bucket = (uint32_t)sat_col_int(s, 1);
		sat_sum ours = { 0, 0 }, theirs = { 0, 0 };

		while (i < d->n && place_cmp(kind, bucket, &d->sums[i]) > 0) {
			add_range(r, d->sums[i].kind, d->sums[i].bucket);
			i++;
		}
		if (i == d->n && !d->done)
			break; /* the next answer begins here */
		if (sat_col_blob(s, 2).n == SAT_SUM_BYTES)
			ours = sat_sum_read(sat_col_blob(s, 2).p);
		if (i < d->n && place_cmp(kind, bucket, &d->sums[i]) == 0)
			theirs = d->sums[i++].sum;
		if (!sat_sum_eq(ours, theirs))
			add_range(r, kind, bucket);
	}
	sat_stmt_reset(s);
	for (; rc == SAT_OK && i < d->n; i++)
		add_range(r, d->sums[i].kind, d->sums[i].bucket);
	return rc;
}

static sat_rc
note_diverged(sat_replica *r, const sat_digest_is *d, sat_err *e)
{
	const sat_refetch *x = &r->ranges[0];
	sat_replica_diverged *v = &r->diverged;
	sat_rc rc;

	v->count++;
	v->kind = r->nranges > 0 ? x->kind : 0;
	v->bucket = r->nranges > 0 ? sat_bucket_of(x->after_eid + 1) : 0;
	v->lsn = d->lsn;
	v->at_ms = sat_wall_ms(&r->clock);
	r->streak++;
	r->in_vain = true; /* as long as no bucket is whole */
	sat_log(SAT_WARN, "DIVERGED", "kind=%u bucket=%u ranges=%zu lsn=%llu",
	    v->kind, v->bucket, r->nranges, (unsigned long long)v->lsn);
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	rc = replica_meta_int(r, "streak", r->streak, e);
	if (rc == SAT_OK)
		rc = replica_meta_int(r, "div_count", v->count, e);
	if (rc == SAT_OK)
		rc = replica_meta_int(r, "div_kind", v->kind, e);
	if (rc == SAT_OK)
		rc = replica_meta_int(r, "div_bucket", v->bucket, e);
	if (rc == SAT_OK)
		rc = replica_meta_int(r, "div_lsn", (int64_t)v->lsn, e);
	if (rc == SAT_OK)
		rc = replica_meta_int(r, "div_at", v->at_ms, e);
	return replica_end(r, true, rc, e);
}

sat_rc
replica_digest(void *u, const sat_digest *ask, const sat_digest_is *d,
    sat_err *e)
{
	sat_replica *r = u;
	sat_rc rc;

	if (ask->kind == 0)
		r->nranges = 0;
	if (d->scope_head > r->cursor)
		return SAT_EFALSE; /* sums of another position */
	if ((rc = compare_buckets(r, ask, d, e)) != SAT_OK || !d->done)
		return rc;
	if ((rc = note_diverged(r, d, e)) != SAT_OK || r->nranges > 0)
		return rc;
	/* Every bucket is right: only the sum of all is not. */
	if ((rc = sat_db_begin(r->db, e)) != SAT_OK)
		return rc;
	return replica_end(r, true, replica_sum_up(r, e), e);
}

/* ---- counting anew --------------------------------------------------------------------- */

/* The sum of all buckets. */
sat_rc
replica_sum_up(sat_replica *r, sat_err *e)
{
	sat_sum all = { 0, 0 };
	sat_stmt *s;
	bool row;
	sat_rc rc;

	if ((rc = sat_db_stmt(&s, r->db, SQL_DIGEST_FROM, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, 0);
	sat_bind_int(s, 2, 0);
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		if (sat_col_blob(s, 2).n == SAT_SUM_BYTES)
			sat_sum_add(&all, sat_sum_read(sat_col_blob(s, 2).p));
	sat_stmt_reset(s);
	return rc != SAT_OK ? rc : put_sum(r, 0, 0, all, e);
}

/* The rows of a bucket as they are. One that cannot be read, or whose derived
 * parts do not fit it, spoils the sum: it has to come again. */
static sat_rc
count_bucket(sat_sum *sum, sat_replica *r, const replica_kind *k,
    uint32_t bucket, sat_err *e)
{
	int64_t first = (int64_t)bucket << SAT_BUCKET_SHIFT, *rids;
	sat_arena a = { 0 };
	replica_row *row;
	size_t n;
	sat_rc rc;

	*sum = (sat_sum){ 0, 0 };
	rc = replica_kind_range(&rids, &n, &a, r, k, first - 1,
	    first + (1 << SAT_BUCKET_SHIFT) - 1, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_err why = { 0 };

		replica_page_reset(r);
		rc = replica_page_by_rid(&row, r, k, rids[i], &why);
		if (rc == SAT_OK && row != NULL)
			rc = replica_row_sound(r, row, &why);
		if (rc == SAT_EPROTO || rc == SAT_EINTEGRITY) {
			sat_sum_add(sum, (sat_sum){ 0, 1 });
			rc = SAT_OK;
			continue;
		}
		if (rc != SAT_OK) {
			if (e != NULL)
				*e = why;
		} else if (row != NULL && row->counted) {
			sat_sum_add(sum,
			    sat_sum_record(replica_row_server(row)));
		}
	}
	replica_page_reset(r);
	sat_arena_fini(&a);
	return rc;
}

/* From here on the sum does not tell any more that a row was lost: it may never
 * come again, so what it was found by goes now. */
static sat_rc
tidy_bucket(sat_replica *r, const replica_kind *k, uint32_t bucket, sat_err *e)
{
	int64_t first = (int64_t)bucket << SAT_BUCKET_SHIFT;

	return replica_search_tidy(r, k, first - 1,
	    first + (1 << SAT_BUCKET_SHIFT) - 1, e);
}

/* Buckets of a kind from `first` on; *differ: sums that were not the rows'. */
sat_rc
replica_recount_range(size_t *differ, sat_replica *r, const replica_kind *k,
    uint32_t first, uint32_t last, sat_err *e)
{
	sat_sum is, was;
	sat_rc rc;

	for (uint32_t b = first; b <= last; b++) {
		if ((rc = count_bucket(&is, r, k, b, e)) != SAT_OK ||
		    (rc = get_sum(&was, r, k->kind->id, b, e)) != SAT_OK)
			return rc;
		if (sat_sum_eq(is, was))
			continue;
		++*differ;
		if ((rc = put_sum(r, k->kind->id, b, is, e)) != SAT_OK ||
		    (rc = tidy_bucket(r, k, b, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

/* The last bucket that has a row or a sum. */
static sat_rc
last_bucket(uint32_t *last, sat_replica *r, const replica_kind *k, sat_err *e)
{
	sat_stmt *s;
	bool row;
	sat_rc rc;

	*last = 0;
	if ((rc = replica_kind_stmt(&s, r, k, KQ_EID_MAX, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, SAT_RID_LOCAL);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row)
		*last = sat_bucket_of((uint32_t)sat_col_int(s, 0));
	sat_stmt_reset(s);
	if ((rc = sat_db_stmt(&s, r->db, SQL_DIGEST_LAST, e)) != SAT_OK)
		return rc;
	sat_bind_int(s, 1, k->kind->id);
	if ((rc = sat_step(&row, s, e)) != SAT_OK)
		return rc;
	if (row && sat_col_int(s, 0) > *last)
		*last = (uint32_t)sat_col_int(s, 0);
	sat_stmt_reset(s);
	return SAT_OK;
}

sat_rc
replica_recount(size_t *differ, sat_replica *r, sat_err *e)
{
	sat_sum was, is;
	uint32_t last;
	sat_rc rc;

	*differ = 0;
	for (size_t i = 0; r->kinds != NULL && i < r->kinds->n; i++)
		if ((rc = last_bucket(&last, r, &r->kinds->k[i], e)) !=
		    SAT_OK || (rc = replica_recount_range(differ, r,
		    &r->kinds->k[i], 0, last, e)) != SAT_OK)
			return rc;
	if ((rc = get_sum(&was, r, 0, 0, e)) != SAT_OK ||
	    (rc = replica_sum_up(r, e)) != SAT_OK ||
	    (rc = get_sum(&is, r, 0, 0, e)) != SAT_OK)
		return rc;
	*differ += *differ == 0 && !sat_sum_eq(was, is);
	return SAT_OK;
}

/* ---- the weekly scrub -------------------------------------------------------------------- */

/* Past values: as many of a field, and as old, as the template says. */
static sat_rc
trim_history(sat_replica *r, sat_err *e)
{
	sat_device_limits d = sat_template_device(sat_replica_template(r));
	int64_t oldest = sat_wall_ms(&r->clock) - d.history_d * DAY_MS;

	return replica_past_trim(r, oldest > 0 ? (sat_hlc)oldest << 16 : 0,
	    (size_t)d.history_values, e);
}

/* A few buckets of it. r->scrub_kind 0: none is under way. */
static sat_rc
scrub_some(size_t *differ, sat_replica *r, sat_err *e)
{
	uint32_t left = SCRUB_BUCKETS, last, to;
	sat_rc rc;

	/* by number: the template's order changes with the names of kinds */
	for (uint16_t id = r->scrub_kind; id < r->kinds->nids && left > 0;
	     id++) {
		const replica_kind *k = replica_kind_by(r->kinds, id);

		if (k == NULL)
			continue;
		if (id > r->scrub_kind)
			r->scrub_bucket = 0;
		r->scrub_kind = id;
		if ((rc = last_bucket(&last, r, k, e)) != SAT_OK)
			return rc;
		if (r->scrub_bucket > last)
			continue;
		to = last - r->scrub_bucket < left ? last :
		    r->scrub_bucket + left - 1;
		if ((rc = replica_recount_range(differ, r, k, r->scrub_bucket,
		    to, e)) != SAT_OK)
			return rc;
		left -= to - r->scrub_bucket + 1;
		r->scrub_bucket = to + 1;
	}
	if (left > 0) { /* all kinds are through */
		r->scrub_kind = 0;
		r->scrub_bucket = 0;
		r->scrubbed_ms = sat_wall_ms(&r->clock);
		return trim_history(r, e);
	}
	return SAT_OK;
}

static sat_rc
scrub(size_t *differ, sat_replica *r, sat_err *e)
{
	size_t strays;
	sat_rc rc;

	if ((rc = scrub_some(differ, r, e)) != SAT_OK ||
	    (*differ > 0 && ((rc = replica_sum_up(r, e)) != SAT_OK ||
	    (rc = replica_tidy(&strays, r, e)) != SAT_OK)) ||
	    (rc = replica_meta_int(r, "scrub_kind", r->scrub_kind, e)) !=
	    SAT_OK || (rc = replica_meta_int(r, "scrub_bucket",
	    r->scrub_bucket, e)) != SAT_OK)
		return rc;
	return replica_meta_int(r, "scrubbed", r->scrubbed_ms, e);
}

/* From the first bucket to the last; a difference that would be left for later
 * is looked into now. */
static sat_rc
scrub_all(size_t *differ, sat_replica *r, sat_err *e)
{
	sat_rc rc;

	r->scrub_kind = 0;
	r->scrub_bucket = 0;
	do
		rc = scrub(differ, r, e);
	while (rc == SAT_OK && r->scrub_kind != 0);
	r->streak = 0;
	return rc;
}

sat_rc
sat_replica_recount(size_t *differ, sat_replica *r, sat_err *e)
{
	sat_rc rc;

	*differ = 0;
	if (!r->complete || r->kinds == NULL)
		return SAT_OK; /* the first copy comes whole */
	if ((rc = replica_pend_load(r, e)) != SAT_OK ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, scrub_all(differ, r, e), e);
	replica_page_reset(r);
	return rc;
}

sat_rc
replica_scrub(sat_replica *r, sat_err *e)
{
	int64_t now = sat_wall_ms(&r->clock);
	size_t differ = 0;
	sat_rc rc;

	if (!r->complete || r->kinds == NULL || (r->scrub_kind == 0 &&
	    now >= r->scrubbed_ms && now - r->scrubbed_ms < SCRUB_EVERY_MS))
		return SAT_OK;
	if ((rc = replica_pend_load(r, e)) != SAT_OK ||
	    (rc = replica_session_begin(r, e)) != SAT_OK)
		return rc;
	rc = replica_end(r, true, scrub(&differ, r, e), e);
	replica_page_reset(r);
	if (rc == SAT_OK && differ > 0)
		sat_log(SAT_WARN, "SCRUB-DIFFERS", "buckets=%zu", differ);
	return rc;
}
