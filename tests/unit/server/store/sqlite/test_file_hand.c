/* Contents of files that handed-over work names: they are at the server before
 * somebody answers, and with the record once it is taken over (P-449). */
#include "tests/unit/server/store/sqlite/device.h"

#include <stdio.h>

#define T_FILES 17
#define DAY_MS ((int64_t)86400000)

/* ann had the customer, bob has it now; sue is elsewhere. Offline for days, ann
 * writes a follow-up with a file. */
typedef struct late {
	world *w;
	device *ann, *bob, *sue;
	sat_id acc, note;
	uint8_t content[5000], hash[SAT_HASH_BYTES];
	char ref[SAT_ATTACHMENT_TEXT_MAX + 1];
} late;

static late
written(uint64_t seed)
{
	late l = { .w = world_of(seed, "ann rep north, bob rep north, "
	    "sue rep, max manager north") };
	device *max = device_new(l.w, "max");
	sat_buf b = { 0 };

	l.ann = device_new(l.w, "ann");
	l.bob = device_new(l.w, "bob");
	l.sue = device_new(l.w, "sue");
	memset(l.content, 'q', sizeof l.content);
	sat_hash(l.hash, sat_span_of(l.content, sizeof l.content));
	sat_attachment_write(&b, l.hash, sizeof l.content,
	    sat_span_str("scan.pdf"));
	(void)snprintf(l.ref, sizeof l.ref, "%s", sat_buf_cstr(&b));
	sat_buf_fini(&b);
	l.acc = device_account(l.ann, "first", "ann");
	SYNC(l.ann, max);
	(void)device_edit(max, &l.acc, &l.acc, K_ACCOUNT, SAT_OP_REASSIGN,
	    A_OWNER, txt("bob"));
	SYNC(max, l.bob, l.sue);
	l.w->now_ms += 5 * DAY_MS;
	l.note = device_activity(l.ann, &l.acc, "visited");
	(void)device_edit(l.ann, &l.acc, &l.note, K_ACTIVITY, SAT_OP_SADD,
	    T_FILES, txt(l.ref));
	device_sync(l.ann);
	assert_int_equal(SAT_VD_HANDOVER, device_last(l.ann)->code);
	SYNC(l.bob, l.sue);
	return l;
}

static void
done(late *l)
{
	SETTLE(l->ann, l->bob, l->sue);
	world_verify(l->w);
	world_free(l->w);
}

static sat_file_fate
put(late *l, device *d, const sat_id *rec)
{
	sat_msg m = { .type = SAT_MSG_FILE_PUT };
	sat_arena a = { 0 };
	sat_err err;

	m.u.file_put = (sat_file_put){ .rec = *rec,
		.bytes = sizeof l->content,
		.data = sat_span_of(l->content, sizeof l->content) };
	memcpy(m.u.file_put.hash, l->hash, sizeof l->hash);
	assert_ok(device_say(&m, &a, d, &err));
	assert_int_equal(SAT_MSG_FILE_TAKEN, m.type);
	sat_arena_fini(&a);
	return m.u.file_taken.fate;
}

/* The code of the refusal; "" when it is there. */
static const char *
get(late *l, device *d)
{
	static sat_err e;
	sat_msg m = { .type = SAT_MSG_FILE_GET };
	sat_arena a = { 0 };
	sat_rc rc;

	m.u.file_get = (sat_file_get){ .rec = l->note };
	memcpy(m.u.file_get.hash, l->hash, sizeof l->hash);
	rc = device_say(&m, &a, d, &e);
	sat_arena_fini(&a);
	return rc == SAT_OK ? "" : e.code;
}

/* Bob answers all there is in one commit; take: and makes the follow-up. */
static void
answer(late *l, bool take)
{
	held *h = device_find(l->bob, &l->acc, 0);
	sat_arena a = { 0 };
	sat_handed *list;
	sat_record r;
	sat_op ops[8];
	size_t n = 0, k;
	sat_err err = { 0 };

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	k = sat_cell_handed(&list, &a, sat_record_cell(&r, SAT_SYS_HANDED));
	assert_int_equal(2, k);
	for (size_t i = 0; i < k; i++)
		ops[n++] = op_set(&l->acc, K_ACCOUNT, SAT_OP_SETTLE,
		    SAT_SYS_HANDED, sat_v_int((int64_t)list[i].lsn));
	for (size_t i = 0; i < k && take; i++) {
		sat_commit part = { .subject = l->acc };

		assert_ok(sat_commit_read_payload(&part, &a, list[i].ops,
		    &err));
		for (size_t j = 0; j < part.nops && n < 8; j++)
			ops[n++] = part.ops[j];
	}
	(void)device_commit(l->bob, &l->acc, ops, n);
	device_sync(l->bob);
	assert_string_equal("", device_last(l->bob)->slug);
	sat_arena_fini(&a);
}

static void
after(late *l, int days)
{
	sat_err err = { 0 };

	l->w->now_ms += days * DAY_MS;
	assert_ok(sat_server_tick(l->w->server, l->w->now_ms, &err));
}

static bool
on_file(void *u, int64_t id, const uint8_t *hash, uint32_t eid,
    int64_t unnamed_ms)
{
	(void)id;
	(void)hash;
	(void)eid;
	(void)unnamed_ms;
	++*(size_t *)u;
	return true;
}

static size_t
contents(late *l)
{
	sat_store st = sat_sqlite_store_ops(l->w->store);
	sat_err err = { 0 };
	size_t n = 0;

	assert_ok(st.files(st.u, 0, on_file, &n, &err));
	return n;
}

static void
its_content_waits_with_it_and_goes_with_what_is_taken_over(void **state)
{
	late l = written(61);

	(void)state;
	assert_int_equal(SAT_FILE_REFUSED, put(&l, l.ann, &l.note));
	/* nobody else's: she suggested it */
	assert_int_equal(SAT_FILE_REFUSED, put(&l, l.sue, &l.acc));
	assert_int_equal(SAT_FILE_REFUSED, put(&l, l.bob, &l.acc));
	assert_int_equal(SAT_FILE_KEPT, put(&l, l.ann, &l.acc));
	after(&l, 2);
	after(&l, 40); /* as long as nobody answers */
	assert_int_equal(1, contents(&l));
	answer(&l, true);
	assert_string_equal("", get(&l, l.bob));
	assert_string_equal("attachment.none", get(&l, l.ann));
	assert_string_equal("attachment.none", get(&l, l.sue));
	after(&l, 2);
	after(&l, 40); /* it is the record's now */
	assert_string_equal("", get(&l, l.bob));
	done(&l);
}

static void
it_may_come_after_it_was_taken_over(void **state)
{
	late l = written(62);

	(void)state;
	answer(&l, true); /* before her link came back */
	assert_string_equal("attachment.waiting", get(&l, l.bob));
	assert_int_equal(SAT_FILE_REFUSED, put(&l, l.sue, &l.note));
	assert_int_equal(SAT_FILE_KEPT, put(&l, l.ann, &l.note));
	assert_string_equal("", get(&l, l.bob));
	assert_string_equal("attachment.none", get(&l, l.ann));
	done(&l);
}

static void
declined_it_goes_after_a_month(void **state) /* P-447 */
{
	late l = written(63);

	(void)state;
	assert_int_equal(SAT_FILE_KEPT, put(&l, l.ann, &l.acc));
	answer(&l, false);
	assert_int_equal(SAT_FILE_REFUSED, put(&l, l.ann, &l.acc));
	after(&l, 2);
	after(&l, 29);
	assert_int_equal(1, contents(&l));
	after(&l, 2);
	assert_int_equal(0, contents(&l));
	done(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_content_waits_with_it_and_goes_with_what_is_taken_over),
		cmocka_unit_test(it_may_come_after_it_was_taken_over),
		cmocka_unit_test(declined_it_goes_after_a_month),
	};

	sat_crypto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
