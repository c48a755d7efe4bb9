/*
 * loss_check.c - what must hold at the end of a history.
 */
#include "tests/sim/loss.h"

#include <stdio.h>

/* ---- the end -------------------------------------------------------------------------------------- */

bool
loss_is_quarantined(history *h, const written *w)
{
	sat_quarantined *q;
	size_t n;
	sat_err e = { 0 };

	if (h->dead[w->dev])
		return false;
	if (sat_replica_quarantine(&q, &n, &h->L->a, h->L->dev[w->dev].r,
	    &e) != SAT_OK)
		loss_fail(h, "no quarantine: %s", e.text);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < q[i].commit.nops; k++)
			if (q[i].commit.ops[k].kind == SAT_OP_SADD &&
			    sat_span_eq(q[i].commit.ops[k].value.s,
			    sat_span_str(w->tag)))
				return true;
	return false;
}

/* Each write is in the record it names, merged or not, and counts once wherever
 * it went (P-171): nowhere but in those it was ever one with. */
static int64_t
count_tags(history *h, int rec, const sat_record *r)
{
	const sat_cell *c = sat_record_cell(r, A_TAGS);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, &h->L->a, c) : 0;

	for (size_t i = 0; i < n; i++) {
		int k = 0;

		while (k < h->nw && !sat_span_eq(el[i].text,
		    sat_span_str(h->w[k].tag)))
			k++;
		if (k == h->nw || h->family[h->w[k].rec] != h->family[rec])
			loss_fail(h, "record %d has %.*s, of one it never was "
			    "one with", rec, (int)el[i].text.n,
			    (const char *)el[i].text.p);
	}
	return (int64_t)n;
}

/* Two states were joined, of which neither held the other, or may have been: who
 * wrote into one of them is not back. Of what a counter counts nobody knows then
 * by whom, and the state that stays decides (P-393). */
static bool
is_joined(history *h, const sat_record *r)
{
	bool away = false;

	for (int i = 0; i < h->nw; i++)
		away = away || (h->dead[h->w[i].dev] &&
		    loss_has_tag(r, &h->L->a, h->w[i].tag));
	return away && h->losses > 1;
}

static void
check_record(history *h, int rec)
{
	int64_t visits = 0, want = 0;
	sat_record r;
	bool there = loss_server_has(h, rec, &r);

	for (int i = 0; i < h->nw; i++) {
		const written *w = &h->w[i];

		if (w->rec != rec || loss_is_about_erased(h, w) ||
		    (there && loss_has_tag(&r, &h->L->a, w->tag)))
			continue;
		if (loss_is_quarantined(h, w))
			TICK(refused);
		else if (!w->excused)
			loss_fail(h, "lost: %s, written into record %d by %s%s",
			    w->tag, rec, h->L->dev[w->dev].m.name,
			    h->dead[w->dev] ? ", which is gone" : "");
	}
	if (there) {
		visits = sat_record_value(&r, A_VISITS).i;
		want = count_tags(h, rec, &r);
	}
	if (visits < want && is_joined(h, &r))
		TICK(counted_less);
	else if (visits != want)
		loss_fail(h, "record %d counts %lld visits, %lld were written", rec,
		    (long long)visits, (long long)want);
}

/* Property 14: nobody else's, and who had a number of a lease keeps it. */
static void
check_numbers(history *h)
{
	char is[RECORDS_MAX][SAT_NUMBER_TEXT] = { "" };
	sat_record r;

	for (int i = 0; i < h->nrecs; i++) {
		sat_span s;

		sat_arena_reset(&h->L->a);
		if (h->erased[i] || !loss_server_has(h, i, &r))
			continue;
		s = sat_record_value(&r, A_NUMBER).s;
		(void)snprintf(is[i], sizeof is[i], "%.*s", (int)s.n,
		    (const char *)s.p);
		if (h->leased[i] && strcmp(is[i], h->number[i]) != 0)
			loss_fail(h, "record %d was given %s and has %s", i,
			    h->number[i], is[i]);
		if (h->leased[i] && h->number_at[i] < h->losses)
			TICK(lease_over_loss);
		for (int k = 0; k < h->nrecs; k++)
			if (k != i && (strcmp(is[i], h->number[k]) == 0 ||
			    (k < i && strcmp(is[i], is[k]) == 0)))
				loss_fail(h, "records %d and %d have one "
				    "number, %s", k, i, is[i]);
	}
}

static void
hash_state(void *u, const sat_id *id, sat_span state)
{
	sat_hasher *s = u;

	sat_hasher_add(s, sat_span_of(id->b, sizeof id->b));
	sat_hasher_add(s, state);
}

static void
check_same(history *h, int dev, const char *user)
{
	lab *L = h->L;
	uint8_t here[SAT_HASH_BYTES], there[SAT_HASH_BYTES];
	sat_replica_status st;
	sat_hasher s;
	sat_err e = { 0 };

	sat_hasher_init(&s, (sat_span){ NULL, 0 });
	if (sat_replica_dump(L->dev[dev].r, hash_state, &s, &e) != SAT_OK)
		loss_fail(h, "no dump: %s", e.text);
	sat_hasher_done(&s, here);
	sat_hasher_init(&s, (sat_span){ NULL, 0 });
	if (sat_server_dump(L->server, sat_registry_user(sat_server_registry(
	    L->server), sat_span_str(user)), hash_state, &s, &e) != SAT_OK)
		loss_fail(h, "no dump: %s", e.text);
	sat_hasher_done(&s, there);
	if (memcmp(here, there, sizeof here) != 0)
		loss_fail(h, "%s and the server differ", L->dev[dev].m.name);
	if (sat_replica_status_get(&st, L->dev[dev].r, &e) != SAT_OK ||
	    sat_replica_check(L->dev[dev].r, false, &e) != SAT_OK)
		loss_fail(h, "%s: %s", L->dev[dev].m.name, e.text);
	if (st.pending_commits != 0)
		loss_fail(h, "%s still waits for %lld answers", L->dev[dev].m.name,
		    (long long)st.pending_commits);
}

/* A device made now gets what the others have. */
static void
check_fresh(history *h)
{
	lab *L = h->L;
	sat_enrolled in;
	sat_err e = { 0 };

	TICK(fresh);
	if (talk_enrol(L, &L->dev[RAW], &in, &e) != SAT_OK ||
	    sat_replica_enrolled(L->dev[RAW].r, &in, &e) != SAT_OK ||
	    talk_whole(L, &L->dev[RAW], &e) != SAT_OK)
		loss_fail(h, "a new device: %s", e.text);
	check_same(h, RAW, "bob");
}

void
loss_check_end(history *h)
{
	static const char *const users[] = { "ann", "bob", "hq" };
	lab *L = h->L;
	uint64_t commits, records;
	sat_err e = { 0 };

	for (int round = 0; round < ROUNDS; round++)
		for (int d = 0; d < RAW; d++)
			loss_session(h, d, true);
	for (int d = 0; d < RAW; d++)
		if (!h->dead[d])
			check_same(h, d, users[d]);
	for (int i = 0; i < h->nrecs; i++) {
		sat_arena_reset(&L->a);
		if (!h->erased[i])
			check_record(h, i);
	}
	loss_check_merges(h);
	check_numbers(h);
	check_fresh(h);
	loss_check_erased(h);
	if (sat_server_verify(L->server, &commits, &records, &e) != SAT_OK ||
	    sat_sqlite_store_check(L->store, false, &e) != SAT_OK)
		loss_fail(h, "the server: %s", e.text);
}
