/*
 * seek_lane.c - reading a lane of the search index from one entry that may be met
 * to the next.
 */
#include "client/replica/seek_int.h"

#include <string.h>

/* Packed texts are told apart by their heads, so they are taken one by one. */
static bool
han_near(const sat_word *w, sat_span body)
{
	const uint8_t *p = body.p, *end = body.p + body.n;
	uint64_t field;
	sat_span text;

	while (p < end && search_uint(&field, &p, end) &&
	    search_span(&text, &p, end))
		if (field != 0 && sat_word_near_han(w, text))
			return true;
	return false;
}

/* Where a text of the entry, or of several on end, may be met by the word; by
 * its pinyin in SEARCH_WIDE: of one entry, and no more than whether. */
const uint8_t *
seek_word_near(const sat_needle *q, size_t i, int l, sat_span body)
{
	const sat_word *w = &q->word[i];

	if (l != SEARCH_WIDE)
		return sat_word_near(w, body);
	if (w->letters)
		return han_near(w, body) ? body.p : NULL;
	return w->npacked > 0 ? memmem(body.p, body.n, w->packed, w->npacked) :
	    NULL;
}

/* By letters (pinyin) and characters, but for those of ASCII that are no letters. */
static bool
met_by_han(const sat_word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if ((w->text[i] & 0x80) == 0 && (w->text[i] < 'a' ||
		    w->text[i] > 'z'))
			return false;
	return w->letters || w->npacked > 0;
}

/* Can a text of the lane be met by a word? */
static bool
lane_answers(const sat_needle *q, int l)
{
	if (l != SEARCH_WIDE)
		return l == SEARCH_PHONE ? q->nphone > 0 : q->n > 0;
	for (size_t i = 0; i < q->n; i++)
		if (met_by_han(&q->word[i]))
			return true;
	return false;
}

/* Is every entry of the lane looked at by itself? */
static bool
one_by_one(const sat_needle *q, int l)
{
	return l != SEARCH_PHONE && (q->n > 1 ||
	    (l == SEARCH_WIDE && q->word[0].letters));
}

/* The place from `at` on before which no text of the block is met; NULL: none
 * is. */
static const uint8_t *
find_near(const sat_needle *q, int l, const uint8_t *at, const uint8_t *end)
{
	sat_span block = { at, (size_t)(end - at) };

	return l == SEARCH_PHONE ? memmem(block.p, block.n, q->phone,
	    q->nphone) : seek_word_near(q, 0, l, block);
}

sat_rc
seek_lane_open(seek_lane *ln, sat_replica *r, const replica_kind *k, int part,
    int l, const sat_needle *q, sat_err *e)
{
	static const int stmt[SEARCH_LANES] = { SQL_SEARCH_WIDE,
		SQL_SEARCH_MIXED, SQL_SEARCH_PHONE };
	sat_rc rc;

	memset(ln, 0, sizeof *ln);
	ln->each = one_by_one(q, l);
	if ((k->search[part].lanes >> l & 1) == 0 ||
	    !lane_answers(q, l))
		return SAT_OK;
	if ((rc = sat_db_stmt(&ln->s, r->db, stmt[l], e)) != SAT_OK)
		return rc;
	sat_bind_int(ln->s, 1, search_key(k, part, l, 0));
	sat_bind_int(ln->s, 2, search_key(k, part, l, SEARCH_RID_MAX));
	return SAT_OK;
}

static sat_rc
next_block(seek_lane *ln, const sat_needle *q, int l, sat_err *e)
{
	bool row;
	sat_rc rc;

	while ((rc = sat_step(&row, ln->s, e)) == SAT_OK && row) {
		ln->w = search_walk_of(sat_col_int(ln->s, 0),
		    sat_col_blob(ln->s, 1));
		ln->near = ln->each ? ln->w.p :
		    find_near(q, l, ln->w.p, ln->w.end);
		if (ln->near != NULL)
			return SAT_OK;
	}
	ln->s = NULL; /* its end, or the error, has reset it */
	return rc;
}

/* To the next entry of the block that may be met. */
static bool
next_entry(seek_lane *ln, const sat_needle *q, int l)
{
	while (search_next(&ln->w)) {
		if (ln->each ? q->n == 1 && !han_near(&q->word[0],
		    ln->w.body) : ln->w.p <= ln->near)
			continue;
		if (ln->each)
			return true;
		if (ln->near < ln->w.body.p) /* behind the one it was in */
			ln->near = find_near(q, l, ln->w.body.p, ln->w.end);
		if (ln->near == NULL)
			return false;
		if (ln->near < ln->w.p)
			return true;
	}
	return false;
}

sat_rc
seek_lane_next(seek_lane *ln, const sat_needle *q, int l, sat_err *e)
{
	sat_rc rc = SAT_OK;

	while (rc == SAT_OK && ln->s != NULL && !next_entry(ln, q, l))
		rc = next_block(ln, q, l, e);
	return rc;
}
