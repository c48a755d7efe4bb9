/*
 * loss_merge.c - headquarters says that two customers are one, and takes that
 * back; then the server is lost (P-170 to P-174, P-197, P-254, P-395).
 *
 * A commit that merges, or takes apart, writes a tag of its own into the winner
 * and counts one there, as the product's unites and adds (client/crm/merge.c):
 * it is asked for like any other, and goes when either of the two is erased.
 *
 * What is written to a merged customer is in his own row, and goes on to whoever
 * he leads to (P-171): there it stays when they are taken apart.
 */
#include "tests/sim/loss.h"

#include <stdio.h>

/* ---- which word is where -------------------------------------------------------------- */

/* Every tag in these bytes of the record's: "t2.17;" is the 17th write. */
static void
note_words(history *h, int rec, sat_span bytes)
{
	for (size_t i = 0; i + 5 <= bytes.n; i++) {
		const uint8_t *p = bytes.p + i;
		size_t k = 3, left = bytes.n - i;
		int n = 0;

		if (p[0] != 't' || p[1] < '0' || p[1] > '9' || p[2] != '.')
			continue;
		for (; k < left && k < 7 && p[k] >= '0' && p[k] <= '9'; k++)
			n = n * 10 + p[k] - '0';
		if (k == 3 || k == left || p[k] != ';' || n >= h->nw ||
		    memcmp(h->w[n].tag, p, k + 1) != 0)
			continue;
		if (rec != h->w[n].rec && (h->w[n].in & 1ull << rec) == 0) {
			TICK(followed);
			loss_say(h, "%s is in %d too", h->w[n].tag, rec);
		}
		h->w[n].in |= 1ull << rec;
	}
}

/* ---- what headquarters writes ------------------------------------------------------- */

/* Both rows are of the commit; `moves` is the operation on the loser. */
static void
write_joint(history *h, int loser, int winner, const sat_op *moves,
    const sat_value *name)
{
	lab_dev *d = &h->L->dev[NEW];
	written *w = &h->w[h->nw];
	const sat_id *to = &h->rec[winner];
	sat_op ops[4] = { *moves };
	sat_draft draft = { .subject = *to, .ops = ops, .nops = 3 };
	sat_err e = { 0 };

	*w = (written){ .dev = NEW, .rec = winner, .with = loser,
		.apart = moves->kind == SAT_OP_UNMERGE };
	(void)snprintf(w->tag, sizeof w->tag, "t%d.%d;", NEW, h->nw);
	ops[1] = loss_op(SAT_OP_SADD, to, A_TAGS,
	    sat_v_text(sat_span_str(w->tag)));
	ops[2] = loss_op(SAT_OP_ADD, to, A_VISITS, sat_v_int(1));
	if (name != NULL)
		ops[draft.nops++] = loss_op(SAT_OP_MERGE, to, A_NAME, *name);
	if (sat_replica_write(d->r, &draft, &w->cseq, &e) != SAT_OK)
		loss_fail(h, "headquarters cannot %s records %d and %d: %s",
		    w->apart ? "take apart" : "merge", loser, winner, e.text);
	h->nw++;
	TICK(writes);
	loss_say(h, "%s %s %d %s %d, %s, as %llu", d->m.name, w->apart ?
	    "takes" : "merges", loser, w->apart ? "out of" : "into", winner,
	    w->tag, (unsigned long long)w->cseq);
}

/* A random one it holds that is nobody's loser; -1. */
static int
pick_whole(history *h, int but, sat_view *v)
{
	sat_id to;

	for (int i = 0; i < 6 && h->nrecs > 1; i++) {
		int rec = (int)loss_draw(h, (uint64_t)h->nrecs);

		if (rec != but && loss_view_of(h, NEW, rec, v) && !v->leaving &&
		    !v->rec.deleted && !sat_record_redirect(&to, &v->rec))
			return rec;
	}
	return -1;
}

void
loss_merge(history *h)
{
	sat_view v;
	int loser, winner, was;
	sat_value name;
	sat_op op;

	if (h->nw == WRITES_MAX || h->dead[NEW] ||
	    sat_replica_template(h->L->dev[NEW].r) == NULL ||
	    (winner = pick_whole(h, -1, &v)) < 0 ||
	    (loser = pick_whole(h, winner, &v)) < 0)
		return;
	name = sat_record_value(&v.rec, A_NAME);
	op = loss_op(SAT_OP_MERGE, &h->rec[loser], SAT_SYS_REDIRECT,
	    sat_v_id(&h->rec[winner]));
	write_joint(h, loser, winner, &op, name.type == SAT_V_TEXT ? &name :
	    NULL);
	/* a later name may hide it from every look, and not from the past */
	if (name.type == SAT_V_TEXT)
		note_words(h, winner, name.s);
	was = h->family[loser];
	for (int i = 0; i < h->nrecs; i++)
		if (h->family[i] == was)
			h->family[i] = h->family[winner];
	TICK(merged);
}

static int
find_rec(const history *h, const sat_id *id)
{
	for (int i = 0; i < h->nrecs; i++)
		if (sat_id_eq(&h->rec[i], id))
			return i;
	return -1;
}

void
loss_unmerge(history *h)
{
	int at = h->nrecs > 0 ? (int)loss_draw(h, (uint64_t)h->nrecs) : 0;
	sat_view v;
	sat_id to;
	sat_op op;

	if (h->nw == WRITES_MAX || h->dead[NEW] ||
	    sat_replica_template(h->L->dev[NEW].r) == NULL)
		return;
	for (int i = 0; i < h->nrecs; i++) {
		int loser = (at + i) % h->nrecs, winner;

		if (!loss_view_of(h, NEW, loser, &v) || v.leaving ||
		    !sat_record_redirect(&to, &v.rec) ||
		    (winner = find_rec(h, &to)) < 0 ||
		    !loss_view_of(h, NEW, winner, &v) || v.leaving)
			continue;
		op = loss_op(SAT_OP_UNMERGE, &h->rec[loser], SAT_SYS_REDIRECT,
		    sat_v_null());
		write_joint(h, loser, winner, &op, NULL);
		TICK(unmerged);
		return;
	}
}

/* ---- what the server shows ------------------------------------------------------------ */

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	history *h = u;
	int rec = find_rec(h, id);
	sat_arena a = { 0 };
	sat_record r;
	sat_id to;
	sat_err e = { 0 };

	if (rec < 0)
		return;
	h->here |= 1ull << rec;
	note_words(h, rec, state);
	if (sat_record_read(&r, &a, state, &e) != SAT_OK)
		loss_fail(h, "a state of the server: %s", e.text);
	if (sat_record_redirect(&to, &r))
		h->leads[rec] = find_rec(h, &to);
	sat_arena_fini(&a);
}

uint64_t
loss_one_with(const history *h, int rec)
{
	uint64_t all = 1ull << rec, was = 0;

	while (all != was) {
		was = all;
		for (int i = 0; i < h->nrecs; i++) {
			int to = h->leads[i];

			if (to < 0 || (h->here >> i & h->here >> to & 1) == 0)
				continue;
			if ((all >> i & 1) != 0)
				all |= 1ull << to;
			if ((all >> to & 1) != 0)
				all |= 1ull << i;
		}
	}
	return all;
}

static uint64_t
all_erased(const history *h)
{
	uint64_t all = 0;

	for (int i = 0; i < h->nrecs; i++)
		all |= (uint64_t)h->erased[i] << i;
	return all;
}

void
loss_look(history *h)
{
	uint64_t gone = all_erased(h);
	sat_err e = { 0 };

	for (int i = 0; i < h->nrecs; i++) {
		bool was = h->told[i];

		h->told[i] = loss_in_ledger(sat_sqlite_store_db(h->L->store),
		    &h->rec[i]);
		if (was || !h->told[i] || (loss_one_with(h, i) & ~gone) == 0)
			continue;
		TICK(erased_apart); /* they were one here, and he was told of */
		loss_say(h, "record %d is erased, who was one with others", i);
	}
	h->here = 0;
	for (int i = 0; i < h->nrecs; i++)
		h->leads[i] = -1;
	if (sat_server_dump(h->L->server, NULL, on_state, h, &e) != SAT_OK)
		loss_fail(h, "no dump of the server: %s", e.text);
}

void
loss_looks_lost(history *h)
{
	for (int i = 0; i < h->nw; i++)
		h->w[i].kept |= h->w[i].in;
}

/* ---- erased, and yet there --------------------------------------------------------------- */

/* All that a commit that joins wrote into the winner counts as the other one's
 * (P-395): it goes with either. */
bool
loss_is_about_erased(const history *h, const written *w)
{
	return h->erased[w->rec] || (w->with >= 0 && h->erased[w->with]);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Where headquarters' last word that was heard puts him; -1: nowhere, -2: it is
 * not known. What names an erased one is not heard (P-195). */
static int
should_lead(history *h, int rec)
{
	sat_record r;

	for (int i = h->nw - 1; i >= 0; i--) {
		const written *w = &h->w[i];

		if (w->with != rec || h->erased[w->rec])
			continue;
		if (w->excused)
			return -2;
		if (!loss_is_quarantined(h, w) && loss_server_has(h, w->rec,
		    &r) && loss_has_tag(&r, &h->L->a, w->tag))
			return w->apart ? -1 : w->rec;
	}
	return -1;
}

void
loss_check_merges(history *h)
{
	loss_look(h);
	for (int i = 0; i < h->nrecs; i++) {
		int to = h->leads[i], want;

		sat_arena_reset(&h->L->a);
		if (h->erased[i] || (h->here >> i & 1) == 0)
			continue;
		if (to >= 0 && h->erased[to])
			loss_fail(h, "record %d is one with %d, who was erased",
			    i, to);
		want = should_lead(h, i);
		if (want != -2 && want != to)
			loss_fail(h, "record %d leads to %d, headquarters says "
			    "%d", i, to, want);
	}
}
