/* Every golden vector of this room's formats (tests/golden/README.md). */
#include "tests/lib/unit.h"

#include <inttypes.h>

#include "common/base/mem.h"
#include "common/model/value.h"
#include "protocol/commit.h"
#include "protocol/invite.h"
#include "protocol/message.h"
#include "protocol/record.h"
#include "tests/lib/golden.h"
#include "tests/unit/protocol/answers.h"
#include "tests/unit/protocol/thing.h"

/* ---- commit, signature --------------------------------------------------- */

static sat_rc
say_commit(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };
	sat_commit c;
	sat_rc rc;

	assert_int_equal(2, n);
	if ((rc = sat_commit_read(&c, &mem, w[0].bytes, w[1].bytes, e)) !=
	    SAT_OK)
		return rc;
	sat_commit_write_header(&b, &c);
	assert_true(sat_span_eq(w[0].bytes, sat_buf_span(&b)));
	sat_buf_reset(&b);
	if (c.nops > 0)
		sat_commit_write_payload(&b, &c);
	assert_true(sat_span_eq(w[1].bytes, sat_buf_span(&b)));
	sat_buf_fini(&b);
	sat_hash(hash, w[0].bytes);
	sat_buf_str(out, "{");
	put_hex(out, "hash", hash, sizeof hash);
	sat_buf_fmt(out, ",\"device\":%u,\"incarnation\":%u,", c.device,
	    c.incarnation);
	put_u64(out, "cseq", c.cseq);
	sat_buf_str(out, ",");
	put_commit(out, &c);
	sat_buf_str(out, "}");
	return SAT_OK;
}

static sat_rc
say_signature(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf b = { 0 };
	sat_id org;
	bool ok;

	(void)out;
	assert_int_equal(8, n);
	assert_true(w[0].bytes.n == SAT_SIGN_PK_BYTES && w[1].bytes.n == 16 &&
	    w[6].bytes.n == SAT_HASH_BYTES && w[7].bytes.n == SAT_SIG_BYTES);
	memcpy(org.b, w[1].bytes.p, 16);
	sat_batch_sign_bytes(&b, &org, (uint32_t)golden_u64(&w[2]),
	    (uint32_t)golden_u64(&w[3]), golden_u64(&w[4]), golden_u64(&w[5]),
	    w[6].bytes.p);
	ok = sat_sign_ok(w[7].bytes.p, sat_buf_span(&b), w[0].bytes.p);
	sat_buf_fini(&b);
	return ok ? SAT_OK : sat_fail(e, SAT_EINTEGRITY, "wrong signature");
}

/* ---- an order to wipe, its receipt ------------------------------------------ */

static sat_rc
say_wipe(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_reader r;
	sat_wipe_order order;
	sat_wiped receipt;
	sat_id org;
	bool ok;
	sat_rc rc;

	assert_int_equal(4, n);
	assert_true(w[1].bytes.n == SAT_SIGN_PK_BYTES && w[2].bytes.n == 16);
	memcpy(org.b, w[2].bytes.p, 16);
	if (strcmp(w[0].text, "order") == 0) {
		if ((rc = sat_wipe_read(&order, w[3].bytes, e)) != SAT_OK)
			return rc;
		ok = sat_wipe_signed(&order, &org, w[1].bytes.p);
		sat_buf_fmt(out, "{\"device\":%u,\"incarnation\":%u,"
		    "\"at\":%lld,\"push_first\":%d}", order.device,
		    order.incarnation, (long long)order.at_ms,
		    order.push_first);
	} else {
		r = sat_reader_of(w[3].bytes);
		sat_wiped_take(&receipt, &r);
		if ((rc = sat_read_end(&r, "receipt", e)) != SAT_OK)
			return rc;
		ok = sat_wiped_signed(&receipt, &org, w[1].bytes.p);
		sat_buf_fmt(out, "{\"device\":%u,\"incarnation\":%u,"
		    "\"at\":%lld,\"cseq\":%llu}", receipt.device,
		    receipt.incarnation, (long long)receipt.at_ms,
		    (unsigned long long)receipt.cseq);
	}
	return ok ? SAT_OK : sat_fail(e, SAT_EINTEGRITY, "wrong signature");
}

/* ---- other keys for a device --------------------------------------------- */

static sat_rc
say_rekey(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_rekey k;
	sat_id org;
	sat_rc rc;

	assert_int_equal(4, n);
	assert_true(w[1].bytes.n == SAT_SIGN_PK_BYTES && w[2].bytes.n == 16);
	memcpy(org.b, w[2].bytes.p, 16);
	if ((rc = sat_rekey_read(&k, w[3].bytes, e)) != SAT_OK)
		return rc;
	sat_buf_fmt(out, "{\"incarnation\":%u,\"cseq\":%llu}", k.incarnation,
	    (unsigned long long)k.cseq);
	return sat_rekey_signed(&k, &org, (uint32_t)golden_u64(&w[0]),
	    w[1].bytes.p) ? SAT_OK : sat_fail(e, SAT_EINTEGRITY,
	    "wrong signature");
}

/* ---- batch --------------------------------------------------------------- */

static sat_rc
say_batch(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	bool pull = strcmp(w[0].text, "pull") == 0;
	sat_commit *c;
	size_t nc;
	sat_rc rc;

	assert_int_equal(2, n);
	if ((rc = sat_batch_read(&c, &nc, &mem, pull ? SAT_BATCH_PULL :
	    SAT_BATCH_PUSH, w[1].bytes, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < nc; i++) {
		sat_buf_str(out, i == 0 ? "[{" : ",{");
		if (pull) {
			sat_buf_fmt(out, "\"own\":%s,\"device\":%u,"
			    "\"incarnation\":%u,", c[i].own ? "true" : "false",
			    c[i].device, c[i].incarnation);
			put_u64(out, "cseq", c[i].cseq);
			sat_buf_str(out, ",");
			put_u64(out, "lsn", c[i].lsn);
			sat_buf_str(out, ",");
		}
		if (!pull) {
			put_hex(out, "salt", c[i].salt, sizeof c[i].salt);
			sat_buf_str(out, ",");
		}
		put_commit(out, &c[i]);
		sat_buf_str(out, "}");
	}
	sat_buf_str(out, "]");
	return SAT_OK;
}

/* ---- states, registry, invitation ---------------------------------------- */

static void
put_stamp(sat_buf *out, sat_stamp s)
{
	sat_buf_fmt(out, "[\"%" PRIu64 "\",%u,\"%" PRIu64 "\"]", s.hlc, s.dev,
	    s.lsn);
}

static void
put_record(sat_buf *out, const sat_record *r)
{
	sat_buf_str(out, "{");
	put_hex(out, "id", r->id.b, 16);
	sat_buf_fmt(out, ",\"kind\":%u,\"born\":", r->kind);
	put_stamp(out, r->born);
	sat_buf_str(out, ",");
	put_u64(out, "rlsn", r->rlsn);
	if (r->deleted)
		sat_buf_fmt(out, ",\"deleted\":\"%s\"",
		    r->with_edits ? "with_edits" : "yes");
	sat_buf_str(out, ",\"cells\":{");
	for (size_t i = 0; i < r->ncells; i++) {
		const sat_cell *c = &r->cells[i];

		sat_buf_fmt(out, "%s\"%u\":[", i == 0 ? "" : ",", c->field);
		put_value(out, c->value);
		sat_buf_str(out, ",");
		put_stamp(out, c->at);
		sat_buf_str(out, ",\"");
		golden_hex(out, c->ext);
		sat_buf_str(out, "\"]");
	}
	sat_buf_str(out, "}}");
}

static sat_rc
say_record(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf again = { 0 };
	sat_record r;
	sat_rc rc;

	assert_int_equal(1, n);
	if ((rc = sat_record_read(&r, &mem, w[0].bytes, e)) != SAT_OK)
		return rc;
	sat_record_write(&again, &r); /* P-064 */
	assert_true(sat_span_eq(w[0].bytes, sat_buf_span(&again)));
	sat_buf_fini(&again);
	put_record(out, &r);
	return SAT_OK;
}

static sat_rc
say_registry(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_registry r = { 0 };
	sat_buf again = { 0 };
	sat_rc rc;

	assert_int_equal(1, n);
	if ((rc = sat_registry_read(&r, w[0].bytes, e)) != SAT_OK)
		return rc;
	sat_registry_write(&again, &r);
	assert_true(sat_span_eq(w[0].bytes, sat_buf_span(&again)));
	sat_buf_fini(&again);
	sat_buf_str(out, "{");
	put_u64(out, "rev", r.rev);
	for (size_t i = 0; i < r.nteams; i++) {
		sat_buf_fmt(out, ",\"team %u\":{", r.teams[i].ord);
		put_text(out, r.teams[i].key, sat_span_str(r.teams[i].name));
		sat_buf_str(out, "}");
	}
	for (size_t i = 0; i < r.nusers; i++) {
		const sat_user *u = &r.users[i];

		sat_buf_fmt(out, ",\"user %u\":{\"team\":%u,\"disabled\":%d,"
		    "\"role\":\"%s\",", u->ord, u->team, u->disabled, u->role);
		put_text(out, u->key, sat_span_str(u->name));
		sat_buf_str(out, "}");
	}
	for (size_t i = 0; i < r.ndevices; i++)
		sat_buf_fmt(out, ",\"device %u\":{\"user\":%u,\"revoked\":%d}",
		    r.devices[i].ord, r.devices[i].user, r.devices[i].revoked);
	sat_buf_str(out, "}");
	sat_registry_fini(&r);
	return SAT_OK;
}

static sat_rc
say_invite(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_invite in;
	sat_rc rc;

	assert_int_equal(1, n);
	if ((rc = sat_invite_read(&in, sat_arena_str(&mem, w[0].bytes.p,
	    w[0].bytes.n), e)) != SAT_OK)
		return rc;
	sat_buf_str(out, "{");
	put_hex(out, "org", in.org.b, 16);
	sat_buf_str(out, ",");
	put_hex(out, "server", in.server_pk, 32);
	sat_buf_str(out, ",");
	put_hex(out, "token", in.token, 16);
	sat_buf_str(out, ",");
	put_text(out, "address", sat_span_str(in.address));
	sat_buf_str(out, "}");
	return SAT_OK;
}

/* ---- clock --------------------------------------------------------------- */

static sat_rc
say_hlc(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_hlc_state s = { .last = golden_u64(&w[1]) };
	sat_hlc_clamp c = { (int64_t)s.last, 0 };
	sat_hlc got;
	bool cut;

	(void)e;
	if (strcmp(w[0].text, "tick") == 0) {
		assert_int_equal(7, n);
		s.offset_ms = golden_i64(&w[2]);
		s.wall_ms = golden_i64(&w[3]);
		s.boot_ms = golden_i64(&w[4]);
		got = sat_hlc_tick(&s, golden_i64(&w[5]), golden_i64(&w[6]));
		sat_buf_fmt(out, "%" PRIu64 " %d", got, s.suspect);
	} else if (strcmp(w[0].text, "learn") == 0) {
		assert_int_equal(3, n);
		sat_hlc_learn(&s, golden_u64(&w[2]));
		sat_buf_fmt(out, "%" PRIu64, s.last);
	} else {
		assert_int_equal(6, n);
		c.last_clamped = golden_u64(&w[2]);
		got = sat_hlc_admit(&c, golden_i64(&w[3]), golden_u64(&w[4]),
		    golden_u64(&w[5]), &cut);
		sat_buf_fmt(out, "%" PRIu64 " %d %" PRId64 " %" PRIu64, got,
		    cut, c.now_ms, c.last_clamped);
	}
	return SAT_OK;
}

/* ---- merging ------------------------------------------------------------- */

static const char *const verbs[] = { "?", "NEW", "SET", "MVSET", "SADD", "SREM",
	"ADD", "STAGE", "REASSIGN", "DEL", "UNDEL", "RESOLVE" };

/* A space is written as _. */
static sat_value
quoted(const char *s, size_t n)
{
	char *p = sat_arena_dup(&mem, s, n);

	for (size_t i = 0; i < n; i++)
		if (p[i] == '_')
			p[i] = ' ';
	return sat_v_text(sat_span_of(p, n));
}

/* VERB[:FIELD:VALUE]@MS.COUNT:DEVICE:LSN:SEEN[+DEVICE:LSN]... */
static void
read_op(sat_op *op, sat_apply_ctx *ctx, const char *s)
{
	sat_dot *dots = sat_arena_alloc(&mem, 8 * sizeof *dots);
	const char *at = strrchr(s, '@'), *plus;
	char verb[16] = "";
	long long ms;
	unsigned count, field = 0;
	int used = 0;

	assert_non_null(at);
	assert_int_equal(1, sscanf(s, "%15[A-Z]", verb));
	for (size_t k = 1; k < sizeof verbs / sizeof verbs[0]; k++)
		if (strcmp(verb, verbs[k]) == 0)
			op->kind = (sat_op_kind)k;
	assert_true(op->kind != 0);
	s += strlen(verb);
	if (s != at) {
		assert_int_equal(1, sscanf(s, ":%u:%n", &field, &used));
		s += used;
		op->field = (uint16_t)field;
		if (*s == 't')
			op->value = quoted(s + 2, (size_t)(at - s) - 3);
		else if (*s != 'n')
			op->value = sat_v_int(strtoll(s, NULL, 10));
	}
	assert_int_equal(5, sscanf(at, "@%lld.%u:%u:%" SCNu64 ":%" SCNu64, &ms,
	    &count, &ctx->at.dev, &ctx->at.lsn, &ctx->seen));
	ctx->at.hlc = sat_hlc_of_ms(1795262400000 + ms) + count;
	op->dots = dots;
	for (plus = strchr(at, '+'); plus != NULL; plus = strchr(plus + 1, '+')) {
		sat_dot *d = &dots[op->ndots++];

		assert_int_equal(2, sscanf(plus, "+%u:%" SCNu64, &d->dev,
		    &d->lsn));
	}
}

static sat_rc
say_merge(sat_buf *out, const golden_word *w, size_t n, sat_err *e)
{
	sat_buf b = { 0 };
	sat_record r = { 0 };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		sat_op op = { .rtype = 1, .rec = { { 1, 2, 3 } } };
		sat_apply_ctx ctx = { .moved = false };
		sat_applied applied;

		read_op(&op, &ctx, w[i].text);
		rc = sat_record_apply(&applied, &r, &mem, tmpl, &op,
		    &ctx, e);
		sat_record_applied(&r, applied.outcome, ctx.at.lsn);
	}
	if (rc != SAT_OK)
		return rc;
	sat_record_write(&b, &r);
	golden_hex(out, sat_buf_span(&b));
	sat_buf_str(out, " ");
	put_record(out, &r);
	sat_buf_fini(&b);
	return SAT_OK;
}

/* ---- the files ---------------------------------------------------------------------------- */

#define REPLAY(test, file, least)                                             \
	static void                                                           \
	test(void **state)                                                    \
	{                                                                     \
		(void)state;                                                  \
		golden_replay(#file, least, say_##file);                      \
		sat_arena_fini(&mem);                                         \
	}
REPLAY(commits_are_read_as_written_down, commit, 91)
REPLAY(signatures_are_judged_as_written_down, signature, 17)
REPLAY(batches_are_read_as_written_down, batch, 95)
REPLAY(orders_to_wipe_are_judged_as_written_down, wipe, 32)
REPLAY(changes_of_keys_are_judged_as_written_down, rekey, 19)
REPLAY(messages_are_read_as_written_down, message, 179)
REPLAY(states_are_read_as_written_down, record, 43)
REPLAY(registries_are_read_as_written_down, registry, 26)
REPLAY(invitations_are_read_as_written_down, invite, 23)
REPLAY(stamps_are_made_as_written_down, hlc, 33)
REPLAY(operations_are_merged_as_written_down, merge, 58)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_are_read_as_written_down),
		cmocka_unit_test(signatures_are_judged_as_written_down),
		cmocka_unit_test(batches_are_read_as_written_down),
		cmocka_unit_test(orders_to_wipe_are_judged_as_written_down),
		cmocka_unit_test(changes_of_keys_are_judged_as_written_down),
		cmocka_unit_test(messages_are_read_as_written_down),
		cmocka_unit_test(states_are_read_as_written_down),
		cmocka_unit_test(registries_are_read_as_written_down),
		cmocka_unit_test(invitations_are_read_as_written_down),
		cmocka_unit_test(stamps_are_made_as_written_down),
		cmocka_unit_test(operations_are_merged_as_written_down),
	};

	sat_crypto_init();
	golden_filling(argc, argv);
	return cmocka_run_group_tests(tests, load_thing, unload_thing);
}
