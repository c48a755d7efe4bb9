/* Contents of files: who may give them, who may have them, what is left of them
 * (P-440 to P-447). */
#include "tests/unit/server/store/sqlite/crew.h"

#include <stdio.h>

#define T_FILES 17
#define K_CONTRACT 9
#define N_ACCOUNT 1
#define N_NUMBER 2
#define N_STATE 9
#define N_FILES 10
#define BIG (2 * SAT_FILE_PIECE + 1000)
#define CANARY "Quagga-canary-4477 "
#define DAY_MS ((int64_t)86400000)

typedef struct content {
	uint8_t *p, hash[SAT_HASH_BYTES];
	size_t n;
	char ref[SAT_ATTACHMENT_TEXT_MAX + 1];
} content;

static content
content_of(size_t n, const char *word)
{
	content c = { sat_xmalloc(n), { 0 }, n, "" };
	sat_buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		c.p[i] = (uint8_t)word[i % strlen(word)];
	sat_hash(c.hash, sat_span_of(c.p, n));
	sat_attachment_write(&b, c.hash, n, sat_span_str("a.pdf"));
	(void)snprintf(c.ref, sizeof c.ref, "%s", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return c;
}

/* n 0: how far is the server? */
static sat_file_taken
put(device *d, const sat_id *rec, const content *c, size_t at, size_t n)
{
	sat_msg m = { .type = SAT_MSG_FILE_PUT };
	sat_arena a = { 0 };
	sat_err err;

	m.u.file_put = (sat_file_put){ .rec = *rec, .bytes = c->n, .at = at,
		.data = sat_span_of(c->p + at, n) };
	memcpy(m.u.file_put.hash, c->hash, sizeof c->hash);
	assert_ok(device_say(&m, &a, d, &err));
	assert_int_equal(SAT_MSG_FILE_TAKEN, m.type);
	sat_arena_fini(&a);
	return m.u.file_taken;
}

static sat_file_fate
put_all(device *d, const sat_id *rec, const content *c)
{
	sat_file_taken t = put(d, rec, c, 0, 0);

	while (t.fate == SAT_FILE_MORE)
		t = put(d, rec, c, t.have, c->n - t.have < SAT_FILE_PIECE ?
		    c->n - t.have : SAT_FILE_PIECE);
	return t.fate;
}

/* The code of the refusal; "" when it came, and is what it was. */
static const char *
get(device *d, const sat_id *rec, const content *c)
{
	static sat_err e;
	sat_arena a = { 0 };

	for (size_t at = 0; at < c->n; at += SAT_FILE_PIECE) {
		sat_msg m = { .type = SAT_MSG_FILE_GET };

		m.u.file_get = (sat_file_get){ .rec = *rec, .at = at };
		memcpy(m.u.file_get.hash, c->hash, sizeof c->hash);
		if (device_say(&m, &a, d, &e) != SAT_OK)
			break;
		assert_int_equal(SAT_MSG_FILE_IS, m.type);
		assert_int_equal(c->n, m.u.file_is.bytes);
		assert_memory_equal(c->p + at, m.u.file_is.data.p,
		    m.u.file_is.data.n);
	}
	sat_arena_fini(&a);
	return e.code;
}

static sat_id
note_with(device *d, const sat_id *account, const content *c)
{
	sat_id id = device_activity(d, account, "sent");

	(void)device_edit(d, account, &id, K_ACTIVITY, SAT_OP_SADD, T_FILES,
	    txt(c->ref));
	device_sync(d);
	assert_false(sat_vd_refused(device_last(d)->code));
	return id;
}

static void
a_content_comes_in_pieces_and_goes_to_who_sees_the_record(void **state)
{ /* P-441 to P-445 */
	crew c = crew_new(sat_test_seed(41));
	sat_id x = device_account(c.ann, "Okapi", "ann"), note;
	content f = content_of(BIG, CANARY);
	sat_file_taken t;

	(void)state;
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	all_sync(&c);
	assert_string_equal("attachment.waiting", get(c.hq, &note, &f));
	t = put(c.ann, &note, &f, 0, 0);
	assert_int_equal(SAT_FILE_MORE, t.fate);
	assert_int_equal(0, t.have);
	t = put(c.ann, &note, &f, 0, SAT_FILE_PIECE);
	assert_int_equal(SAT_FILE_PIECE, t.have);
	/* twice, or ahead: nothing happens */
	t = put(c.ann, &note, &f, 0, SAT_FILE_PIECE);
	assert_int_equal(SAT_FILE_PIECE, t.have);
	t = put(c.ann, &note, &f, 2 * SAT_FILE_PIECE, 1000);
	assert_int_equal(SAT_FILE_PIECE, t.have);
	/* the server starts anew, and goes on where it was */
	world_stop(c.w);
	world_start(c.w);
	device_sync(c.ann);
	assert_int_equal(SAT_FILE_PIECE, put(c.ann, &note, &f, 0, 0).have);
	assert_string_equal("attachment.waiting", get(c.ann, &note, &f));
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	all_sync(&c);
	assert_string_equal("", get(c.ann, &note, &f));
	assert_string_equal("", get(c.hq, &note, &f));
	/* said once more without a byte: who sees it may know */
	assert_int_equal(SAT_FILE_KEPT, put(c.ann, &note, &f, 0, 0).fate);
	world_verify(c.w);
	free(f.p);
	crew_free(&c);
}

static void
a_hash_alone_gives_nothing(void **state) /* P-444, P-445 */
{
	crew c = crew_new(sat_test_seed(42));
	sat_id x = device_account(c.ann, "Okapi", "ann"), note, other, y;
	content f = content_of(5000, CANARY), g = content_of(5000, "another ");
	sat_file_taken t;

	(void)state;
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	/* sue is of another team: as if there were none */
	device_sync(c.sue);
	assert_string_equal("attachment.none", get(c.sue, &note, &f));
	assert_int_equal(SAT_FILE_REFUSED, put(c.sue, &note, &f, 0, 0).fate);
	/* her own record names it: it has to be given, as any other has */
	y = device_account(c.sue, "Tapir", "sue");
	other = note_with(c.sue, &y, &f);
	assert_string_equal("attachment.waiting", get(c.sue, &other, &f));
	t = put(c.sue, &other, &f, 0, 0);
	assert_int_equal(SAT_FILE_MORE, t.fate);
	assert_int_equal(0, t.have);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.sue, &other, &f));
	assert_string_equal("", get(c.sue, &other, &f));
	/* what no record names, and what is not what it says it is */
	assert_int_equal(SAT_FILE_REFUSED, put_all(c.ann, &note, &g));
	memcpy(g.hash, f.hash, sizeof g.hash);
	other = device_activity(c.ann, &x, "again");
	(void)device_edit(c.ann, &x, &other, K_ACTIVITY, SAT_OP_SADD, T_FILES,
	    txt(f.ref));
	device_sync(c.ann);
	assert_int_equal(SAT_FILE_REFUSED, put_all(c.ann, &other, &g));
	assert_string_equal("attachment.waiting", get(c.ann, &other, &f));
	world_verify(c.w);
	free(f.p);
	free(g.p);
	crew_free(&c);
}

/* The whole refusal, as text; *e of a question for the first piece. */
static void
assert_refused_alike(device *d, const sat_id *a, const uint8_t *ha,
    const sat_id *b, const uint8_t *hb)
{
	sat_msg x = { .type = SAT_MSG_FILE_GET }, y = x;
	sat_arena m = { 0 };
	sat_err ea, eb;

	x.u.file_get.rec = *a;
	memcpy(x.u.file_get.hash, ha, SAT_HASH_BYTES);
	y.u.file_get.rec = *b;
	memcpy(y.u.file_get.hash, hb, SAT_HASH_BYTES);
	assert_int_equal(device_say(&x, &m, d, &ea), device_say(&y, &m, d, &eb));
	assert_string_equal("attachment.none", ea.code);
	assert_memory_equal(&ea, &eb, sizeof ea);
	sat_arena_fini(&m);
}

static void
who_may_not_is_told_what_is_told_of_a_file_that_never_was(void **state)
{ /* P-445 */
	crew c = crew_new(sat_test_seed(45));
	sat_id x = device_account(c.ann, "Okapi", "ann"), mine, note, none;
	content f = content_of(5000, CANARY), g = content_of(5000, "never ");

	(void)state;
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	mine = device_account(c.sue, "Tapir", "sue");
	device_sync(c.sue);
	none = device_id(c.sue);
	/* of a record out of his reach, of none, of his own that has no files */
	assert_refused_alike(c.sue, &note, f.hash, &note, g.hash);
	assert_refused_alike(c.sue, &note, f.hash, &none, f.hash);
	assert_refused_alike(c.sue, &note, f.hash, &mine, f.hash);
	assert_refused_alike(c.sue, &none, g.hash, &mine, g.hash);
	/* nor by giving: one answer, and no part of it stays */
	assert_int_equal(SAT_FILE_REFUSED, put(c.sue, &note, &f, 0, 0).fate);
	assert_int_equal(SAT_FILE_REFUSED, put(c.sue, &none, &f, 0, 0).fate);
	assert_int_equal(SAT_FILE_REFUSED, put(c.sue, &mine, &g, 0,
	    g.n).fate);
	world_verify(c.w);
	free(f.p);
	free(g.p);
	crew_free(&c);
}

/* The same content, said to have another length. */
static content
lying(const content *f, size_t bytes)
{
	content l = *f;
	sat_buf b = { 0 };

	l.n = bytes;
	sat_attachment_write(&b, l.hash, bytes, sat_span_str("a.pdf"));
	(void)snprintf(l.ref, sizeof l.ref, "%s", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	return l;
}

static void
a_length_that_lies_stands_in_nobodys_way(void **state) /* P-442 to P-444 */
{
	crew c = crew_new(sat_test_seed(46));
	sat_id x = device_account(c.ann, "Okapi", "ann"), y, note, long_, other;
	content f = content_of(2 * SAT_FILE_PIECE, CANARY);
	content l = lying(&f, 3 * SAT_FILE_PIECE);
	sat_file_taken t;

	(void)state;
	all_sync(&c);
	/* begun as longer than it is, ended as what it is */
	long_ = note_with(c.ann, &x, &l);
	note = note_with(c.ann, &x, &f);
	t = put(c.ann, &long_, &l, 0, SAT_FILE_PIECE);
	assert_int_equal(SAT_FILE_PIECE, t.have);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	assert_string_equal("", get(c.ann, &note, &f));
	/* who gives the same gets what he gave */
	y = device_account(c.sue, "Tapir", "sue");
	other = note_with(c.sue, &y, &f);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.sue, &other, &f));
	assert_string_equal("", get(c.sue, &other, &f));
	world_verify(c.w);
	free(f.p);
	crew_free(&c);
}

static void
a_second_reference_of_another_length_keeps_none_from_being_given(void **state)
{ /* P-444 */
	crew c = crew_new(sat_test_seed(47));
	sat_id x = device_account(c.ann, "Okapi", "ann"), note;
	content f = content_of(5000, CANARY), l = lying(&f, 1);
	content big = lying(&f, 2 * SAT_FILE_PIECE);

	(void)state;
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	all_sync(&c);
	(void)device_edit(c.hq, &x, &note, K_ACTIVITY, SAT_OP_SADD, T_FILES,
	    txt(l.ref));
	(void)device_edit(c.hq, &x, &note, K_ACTIVITY, SAT_OP_SADD, T_FILES,
	    txt(big.ref));
	device_sync(c.hq);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	assert_string_equal("", get(c.hq, &note, &f));
	free(f.p);
	crew_free(&c);
}

static void
a_part_that_is_longer_than_the_content_begins_anew(void **state) /* P-442 */
{
	crew c = crew_new(sat_test_seed(48));
	sat_id x = device_account(c.ann, "Okapi", "ann"), note, long_;
	content big = content_of(3 * SAT_FILE_PIECE, CANARY);
	content f = content_of(5000, CANARY), l = big;
	sat_buf b = { 0 };

	(void)state;
	memcpy(l.hash, f.hash, sizeof l.hash); /* of the short one */
	sat_attachment_write(&b, l.hash, l.n, sat_span_str("a.pdf"));
	(void)snprintf(l.ref, sizeof l.ref, "%s", sat_buf_cstr(&b));
	all_sync(&c);
	long_ = note_with(c.ann, &x, &l);
	note = note_with(c.ann, &x, &f);
	assert_int_equal(SAT_FILE_PIECE, put(c.ann, &long_, &l, 0,
	    SAT_FILE_PIECE).have);
	assert_int_equal(0, put(c.ann, &note, &f, 0, 0).have);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	assert_string_equal("", get(c.ann, &note, &f));
	sat_buf_fini(&b);
	free(f.p);
	free(big.p);
	crew_free(&c);
}

static void
an_offset_behind_the_end_gives_nothing(void **state) /* P-441 */
{
	crew c = crew_new(sat_test_seed(49));
	sat_id x = device_account(c.ann, "Okapi", "ann"), note;
	content f = content_of(2 * SAT_FILE_PIECE, CANARY);
	sat_msg m = { .type = SAT_MSG_FILE_GET };
	sat_arena a = { 0 };
	sat_err e;

	(void)state;
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	m.u.file_get = (sat_file_get){ .rec = note, .at = f.n };
	memcpy(m.u.file_get.hash, f.hash, sizeof f.hash);
	assert_int_not_equal(SAT_OK, device_say(&m, &a, c.ann, &e));
	m.type = SAT_MSG_FILE_GET;
	m.u.file_get = (sat_file_get){ .rec = note,
		.at = SAT_ATTACHMENT_BYTES_MAX };
	memcpy(m.u.file_get.hash, f.hash, sizeof f.hash);
	assert_int_not_equal(SAT_OK, device_say(&m, &a, c.ann, &e));
	assert_string_equal("", get(c.ann, &note, &f)); /* as before */
	world_verify(c.w);
	sat_arena_fini(&a);
	free(f.p);
	crew_free(&c);
}

static size_t
in_files(const world *w, const char *word)
{
	static const char *const tails[] = { "", "-wal", "-journal" };
	size_t hits = 0, len = strlen(word);

	for (size_t i = 0; i < 3; i++) {
		char *path = sat_xasprintf("%s%s", w->path, tails[i]);
		FILE *f = fopen(path, "rbe");
		sat_buf b = { 0 };
		size_t n = 1;

		while (f != NULL && n > 0) {
			n = fread(sat_buf_room(&b, 65536), 1, 65536, f);
			b.n += n;
		}
		for (size_t k = 0; k + len <= b.n; k++)
			hits += memcmp(b.p + k, word, len) == 0;
		if (f != NULL)
			(void)fclose(f);
		sat_buf_fini(&b);
		free(path);
	}
	return hits;
}

static void
erase(crew *c, const sat_id *id)
{
	const sat_registry *r = sat_server_registry(c->w->server);
	const sat_user *root = sat_registry_user(r, sat_span_str("root"));
	sat_err err = { 0 };

	assert_non_null(root);
	assert_ok(sat_server_erase(c->w->server, id, c->hq->user, root->ord,
	    sat_span_str("request 12"), &err));
}

static void
an_erasure_leaves_no_byte_but_of_what_others_have(void **state) /* P-446 */
{
	crew c = crew_new(sat_test_seed(43));
	sat_id x = device_account(c.ann, "Okapi", "ann"), y, note, part, other;
	content f = content_of(BIG, CANARY), g = content_of(BIG, "Zebu-half ");
	content h = content_of(3000, "of two ");

	(void)state;
	y = device_account(c.ann, "Gnu", "ann");
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &note, &f));
	(void)note_with(c.ann, &x, &h);
	part = note_with(c.ann, &x, &h);
	other = note_with(c.ann, &y, &h);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &part, &h));
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &other, &h));
	part = note_with(c.ann, &x, &g);
	(void)put(c.ann, &part, &g, 0, SAT_FILE_PIECE);
	assert_true(in_files(c.w, CANARY) > 0);
	assert_true(in_files(c.w, "Zebu-half") > 0);
	erase(&c, &x);
	assert_int_equal(0, in_files(c.w, CANARY));
	assert_int_equal(0, in_files(c.w, "Zebu-half"));
	device_sync(c.ann);
	assert_string_equal("attachment.none", get(c.ann, &note, &f));
	assert_string_equal("", get(c.ann, &other, &h));
	world_verify(c.w);
	free(f.p);
	free(g.p);
	free(h.p);
	crew_free(&c);
}

static void
what_is_erased_on_its_way_is_refused_and_leaves_no_byte(void **state)
{ /* P-444, P-446 */
	crew c = crew_new(sat_test_seed(50));
	sat_id x = device_account(c.ann, "Okapi", "ann"), y, note, other;
	content f = content_of(BIG, CANARY);

	(void)state;
	y = device_account(c.ann, "Gnu", "ann");
	all_sync(&c);
	note = note_with(c.ann, &x, &f);
	other = note_with(c.ann, &y, &f);
	(void)put(c.ann, &note, &f, 0, SAT_FILE_PIECE);
	erase(&c, &x);
	assert_int_equal(0, in_files(c.w, CANARY));
	assert_int_equal(SAT_FILE_REFUSED, put(c.ann, &note, &f,
	    SAT_FILE_PIECE, SAT_FILE_PIECE).fate);
	assert_int_equal(SAT_FILE_REFUSED, put(c.ann, &note, &f, 0, 0).fate);
	assert_int_equal(0, in_files(c.w, CANARY));
	/* the customer that is left gets it whole */
	device_sync(c.ann);
	assert_int_equal(0, put(c.ann, &other, &f, 0, 0).have);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &other, &f));
	assert_string_equal("", get(c.ann, &other, &f));
	world_verify(c.w);
	free(f.p);
	crew_free(&c);
}

static void
tick_after(crew *c, int days)
{
	sat_err err = { 0 };

	c->w->now_ms += days * DAY_MS;
	assert_ok(sat_server_tick(c->w->server, c->w->now_ms, &err));
}

static void
what_no_record_names_any_more_goes_after_a_month(void **state) /* P-447 */
{
	crew c = crew_new(sat_test_seed(44));
	sat_id x = device_account(c.ann, "Okapi", "ann"),
	    id = device_id(c.ann);
	content f = content_of(5000, CANARY);
	sat_op ops[] = {
		op_set(&id, K_CONTRACT, SAT_OP_NEW, 0, sat_v_null()),
		op_set(&id, K_CONTRACT, SAT_OP_SET, N_ACCOUNT, sat_v_id(&x)),
		op_set(&id, K_CONTRACT, SAT_OP_SET, N_NUMBER, txt("K-1")),
		op_set(&id, K_CONTRACT, SAT_OP_STAGE, N_STATE, txt("draft")),
		op_set(&id, K_CONTRACT, SAT_OP_SADD, N_FILES, txt(f.ref)),
	};

	(void)state;
	(void)device_commit(c.ann, &x, ops, 5);
	device_sync(c.ann);
	assert_string_equal("", device_last(c.ann)->slug);
	assert_int_equal(SAT_FILE_KEPT, put_all(c.ann, &id, &f));
	tick_after(&c, 40);
	assert_string_equal("", get(c.ann, &id, &f));
	(void)device_edit(c.ann, &x, &id, K_CONTRACT, SAT_OP_SREM, N_FILES,
	    txt(f.ref));
	device_sync(c.ann);
	assert_string_equal("attachment.none", get(c.ann, &id, &f));
	tick_after(&c, 2);
	/* taken back in time: nothing was lost */
	tick_after(&c, 20);
	(void)device_edit(c.ann, &x, &id, K_CONTRACT, SAT_OP_SADD, N_FILES,
	    txt(f.ref));
	device_sync(c.ann);
	assert_string_equal("", get(c.ann, &id, &f));
	tick_after(&c, 20);
	assert_string_equal("", get(c.ann, &id, &f));
	(void)device_edit(c.ann, &x, &id, K_CONTRACT, SAT_OP_SREM, N_FILES,
	    txt(f.ref));
	device_sync(c.ann);
	tick_after(&c, 2);
	assert_true(in_files(c.w, CANARY) > 0);
	tick_after(&c, 31);
	(void)device_edit(c.ann, &x, &id, K_CONTRACT, SAT_OP_SADD, N_FILES,
	    txt(f.ref));
	device_sync(c.ann);
	assert_string_equal("attachment.waiting", get(c.ann, &id, &f));
	free(f.p);
	crew_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_content_comes_in_pieces_and_goes_to_who_sees_the_record),
		cmocka_unit_test(a_hash_alone_gives_nothing),
		cmocka_unit_test(who_may_not_is_told_what_is_told_of_a_file_that_never_was),
		cmocka_unit_test(a_length_that_lies_stands_in_nobodys_way),
		cmocka_unit_test(a_second_reference_of_another_length_keeps_none_from_being_given),
		cmocka_unit_test(a_part_that_is_longer_than_the_content_begins_anew),
		cmocka_unit_test(an_offset_behind_the_end_gives_nothing),
		cmocka_unit_test(what_is_erased_on_its_way_is_refused_and_leaves_no_byte),
		cmocka_unit_test(an_erasure_leaves_no_byte_but_of_what_others_have),
		cmocka_unit_test(what_no_record_names_any_more_goes_after_a_month),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
