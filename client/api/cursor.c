/*
 * Cursors: where a page of a list ended, sealed. A cursor holds what the row
 * there was sorted by, and its id, so the next page begins right behind it
 * whatever was made, changed or deleted meanwhile; and a mark of the list, so
 * that it serves no other one. Texts of customers are in it, hence it is
 * encrypted; its key follows from this device's own and is kept nowhere, so a
 * cursor outlives the program and is nothing on another device.
 */
#include <stdlib.h>
#include <string.h>

#include "client/api/api_int.h"

#define NONCE 24
#define MARK 16
#define CURSOR_MAX 6000 /* bytes; it has to fit the first line of a request */
static const char purpose[] = "satchel.cursor.1";

/* ---- which list ------------------------------------------------------------------- */

/* What does not change which rows there are, nor their order. */
static bool
is_presentation(const char *key)
{
	static const char *const words[] = { "cursor", "limit", "offset", "all",
		"labels", "fields", "include", "count", "request_id" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], key) == 0)
			return true;
	return false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
api_list_mark(uint8_t out[SAT_HASH_BYTES], const sat_kind *k,
    const sat_json *query)
{
	size_t n = 0, max = sat_json_count(query);
	char **lines = sat_xcalloc(max + 1, sizeof *lines);
	sat_hasher h;

	for (const sat_json *m = sat_json_first(query); m != NULL;
	     m = sat_json_next(m))
		if (!is_presentation(sat_json_key(m)))
			lines[n++] = sat_xasprintf("%s=%s", sat_json_key(m),
			    sat_json_str(m, ""));
	qsort(lines, n, sizeof *lines, by_text);
	sat_hasher_init(&h, sat_span_str(purpose));
	sat_hasher_add(&h, sat_span_of(k->key, strlen(k->key) + 1));
	for (size_t i = 0; i < n; i++) {
		sat_hasher_add(&h, sat_span_of(lines[i], strlen(lines[i]) + 1));
		free(lines[i]);
	}
	free(lines);
	sat_hasher_done(&h, out);
}

/* ---- sealing -------------------------------------------------------------------------- */

static void
key_for(uint8_t key[SAT_HASH_BYTES], const sat_api *api, const char *what)
{
	const sat_replica_identity *id = sat_replica_identity_get(
	    api->crm.replica);
	sat_hasher h;

	sat_hasher_init(&h, sat_span_of(id->sign_sk, SAT_HASH_BYTES));
	sat_hasher_add(&h, sat_span_str(purpose));
	sat_hasher_add(&h, sat_span_str(what));
	sat_hasher_done(&h, key);
}

static void
write_place(sat_buf *b, const uint8_t mark[SAT_HASH_BYTES], const sat_query *q,
    const sat_edge *at, bool back)
{
	sat_buf_add(b, mark, MARK);
	sat_write_u8(b, back);
	sat_buf_add(b, at->id.b, sizeof at->id.b);
	for (size_t i = 0; i < q->nsort; i++)
		sat_value_write(b, at->key[i]);
}

sat_rc
api_cursor_put(sat_json *page, const char *member, const sat_api *api,
    const uint8_t mark[SAT_HASH_BYTES], const sat_query *q, const sat_edge *at,
    bool back, sat_err *e)
{
	uint8_t key[SAT_HASH_BYTES], once[SAT_HASH_BYTES], *sealed;
	sat_buf b = { 0 };
	char *text;
	size_t n;

	write_place(&b, mark, q, at, back);
	if (b.n > CURSOR_MAX) {
		sat_buf_fini(&b);
		return sat_fail_code(e, SAT_EUSAGE, "usage.sort",
		    "sort by something shorter, or take all rows at once",
		    "what the rows are sorted by is too long to go on from");
	}
	/* One nonce per content: the same place gives the same cursor. */
	key_for(key, api, "nonce");
	sat_hash_keyed(once, sat_span_of(key, sizeof key), sat_buf_span(&b));
	key_for(key, api, "seal");
	n = NONCE + b.n + SAT_AEAD_TAG_BYTES;
	sealed = sat_xmalloc(n);
	memcpy(sealed, once, NONCE);
	sat_xaead_seal(sealed + NONCE, sat_buf_span(&b), sat_span_str(purpose),
	    once, key);
	text = sat_xmalloc(2 * n + 1);
	sat_hex(text, sealed, n);
	sat_json_put_str(page, member, text);
	sat_wipe(key, sizeof key);
	free(text);
	free(sealed);
	sat_buf_fini(&b);
	return SAT_OK;
}

/* ---- opening -------------------------------------------------------------------------- */

/* The opened bytes, in the arena; false: this device never sealed it. */
static bool
open_sealed(sat_span *out, sat_arena *a, const sat_api *api, const char *text)
{
	size_t len = strlen(text), n = len / 2;
	uint8_t key[SAT_HASH_BYTES], *raw, *plain;
	bool ok = false;

	if (len % 2 != 0 || n < NONCE + SAT_AEAD_TAG_BYTES + MARK ||
	    n > CURSOR_MAX + NONCE + SAT_AEAD_TAG_BYTES)
		return false;
	raw = sat_arena_alloc(a, n);
	plain = sat_arena_alloc(a, n);
	key_for(key, api, "seal");
	if (sat_unhex(raw, n, text, len))
		ok = sat_xaead_open(plain, sat_span_of(raw + NONCE, n - NONCE),
		    sat_span_str(purpose), raw, key);
	sat_wipe(key, sizeof key);
	*out = sat_span_of(plain, n - NONCE - SAT_AEAD_TAG_BYTES);
	return ok;
}

static bool
read_place(sat_edge *at, bool *back, size_t nsort, sat_span s)
{
	sat_reader r = sat_reader_of(s);
	sat_span id;

	(void)sat_read_raw(&r, MARK);
	*back = sat_read_u8(&r) != 0;
	id = sat_read_raw(&r, sizeof at->id.b);
	if (id.n == sizeof at->id.b)
		memcpy(at->id.b, id.p, id.n);
	for (size_t i = 0; i < nsort; i++)
		at->key[i] = sat_value_read(&r);
	return sat_read_end(&r, "cursor", NULL) == SAT_OK;
}

sat_rc
api_cursor_read(sat_query *q, sat_arena *a, const sat_api *api,
    const uint8_t mark[SAT_HASH_BYTES], const char *text, sat_err *e)
{
	sat_edge *at = sat_arena_alloc(a, sizeof *at);
	sat_span s;

	memset(at, 0, sizeof *at);
	if (!open_sealed(&s, a, api, text))
		return sat_fail_code(e, SAT_EUSAGE, "usage.cursor",
		    "begin again without it",
		    "the cursor is damaged, or another device gave it");
	if (!sat_mem_eq(s.p, mark, MARK) ||
	    !read_place(at, &q->back, q->nsort, s))
		return sat_fail_code(e, SAT_EUSAGE, "usage.cursor",
		    "kind, filters and sort have to be those of the page before",
		    "the cursor belongs to another list");
	q->from = at;
	return SAT_OK;
}
