/*
 * What a session asks before it knows (P-290), and what is received and read while
 * the chunk before it is taken in (client/sync/ahead.c), over a real link: a device
 * that is filled, and a server that notes what it was asked.
 */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/sync/sync_int.h"
#include "tests/unit/protocol/script.h"

#define CHUNKS 5
/* A session that has nothing to wait for is over long before its timeout. */
#define SOON_MS 5000

/* The device: of a receipt, and of trouble, the script knows nothing. */
typedef struct filled {
	script s;
	bool receipt;          /* still to be sent */
	uint64_t fails_at;     /* this chunk, once, with: */
	sat_rc fails;
	int64_t pause_ms;      /* taken over each chunk */
	sat_rc (*take)(void *u, const sat_chunk *c, sat_err *e);
} filled;

/* The server: types in order, and how many chunks it gave. Under mtx: a request of
 * a session that broke off may come while the next one begins. */
static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static sat_msg_type types[32];
static size_t nasked;
static uint64_t given;
/* What it does instead of giving the chunk with this number, 0 = never. */
static uint64_t trouble_at;
static enum { SILENT, HANGS_UP, DAMAGED, UNREADABLE } trouble;
static sat_net_server *net;
static sat_noise_keys keys;

/* One record with one text in a chunk. */
static sat_record
record_of(uint64_t number, sat_cell *cell)
{
	sat_record rec = { .kind = 1, .eid = (uint32_t)number, .ncells = 1,
		.cells = cell };

	rec.id.b[0] = (uint8_t)number;
	rec.born = (sat_stamp){ .hlc = 1000 + number, .dev = 3, .lsn = 1 };
	rec.rlsn = 1;
	*cell = (sat_cell){ .field = 2, .at = rec.born,
		.value = sat_v_text(sat_span_str("Firm")) };
	return rec;
}

/* @return false: there is no answer. */
static bool
give_chunk(sat_chunk *c, sat_buf *records, sat_link *l, uint64_t after)
{
	bool now = trouble_at != 0 && after + 1 == trouble_at;
	sat_cell cell;
	sat_record rec = record_of(after + 1, &cell);

	if (now && trouble == SILENT)
		return false;
	if (now && trouble == HANGS_UP) {
		sat_link_close(l);
		return false;
	}
	if (sat_records_write(records, &rec, 1, NULL) != SAT_OK)
		abort();
	if (now && trouble == UNREADABLE)
		sat_buf_reset(records);
	if (now && trouble == UNREADABLE)
		sat_buf_str(records, "no records");
	c->lsn = 60 + given++;
	c->next = after + 1;
	c->done = c->next == CHUNKS;
	c->records = sat_buf_span(records);
	sat_hash(c->hash, c->records);
	c->hash[0] ^= now && trouble == DAMAGED;
	return true;
}

static void
on_request(void *u, sat_link *l, sat_span frame)
{
	static const uint8_t bundle[1];
	sat_msg m, out = { 0 };
	sat_arena a = { 0 };
	sat_buf b = { 0 }, records = { 0 };
	bool answers = true;

	(void)u;
	pthread_mutex_lock(&mtx);
	if (sat_msg_read(&m, &a, frame, NULL) != SAT_OK || nasked == 32)
		abort();
	types[nasked++] = m.type;
	switch (m.type) {
	case SAT_MSG_HELLO:
		out.type = SAT_MSG_WELCOME;
		out.u.welcome.proto = SAT_PROTO_VERSION;
		out.u.welcome.template_oid[0] = 1;
		break;
	case SAT_MSG_TEMPLATE:
		out.type = SAT_MSG_TEMPLATE_IS;
		out.u.template_is.tip[0] = 1;
		out.u.template_is.bundle = sat_span_of(bundle, 1);
		break;
	case SAT_MSG_ERASED:
		out.type = SAT_MSG_ERASED_OK;
		break;
	case SAT_MSG_NUMBERS:
		out.type = SAT_MSG_NUMBERS_IS;
		break;
	case SAT_MSG_SNAP:
		out.type = SAT_MSG_CHUNK;
		answers = give_chunk(&out.u.chunk, &records, l,
		    m.u.snap.after);
		break;
	case SAT_MSG_PULL:
		out.type = SAT_MSG_DELTA;
		out.u.delta.upto = m.u.pull.cursor;
		break;
	default:
		abort();
	}
	pthread_mutex_unlock(&mtx);
	if (answers) {
		sat_msg_write(&b, &out);
		sat_link_reply(l, sat_buf_span(&b));
	}
	sat_buf_fini(&b);
	sat_buf_fini(&records);
	sat_arena_fini(&a);
}

static sat_rc
erased(void *u, sat_erased *out, bool *wanted, sat_err *e)
{
	(void)out;
	(void)e;
	*wanted = ((filled *)u)->receipt;
	return SAT_OK;
}

static sat_rc
erased_ok(void *u, sat_err *e)
{
	(void)e;
	((filled *)u)->receipt = false;
	return SAT_OK;
}

static sat_rc
chunk(void *u, const sat_chunk *c, sat_err *e)
{
	struct timespec pause = { 0, ((filled *)u)->pause_ms * 1000000 };
	filled *d = u;
	sat_cell cell;
	sat_record rec = record_of(c->next, &cell);

	(void)nanosleep(&pause, NULL);
	if (c->next == d->fails_at) {
		d->fails_at = 0;
		return sat_fail(e, d->fails, "as the test wants it");
	}
	assert_true(c->decoded);
	assert_int_equal(1, c->nrecs);
	assert_int_equal(c->next, c->recs[0].eid);
	assert_true(sat_sum_eq(c->sums[0], sat_sum_record(&rec)));
	if (d->take(u, c, e) != SAT_OK)
		return SAT_EFAIL;
	assert_int_equal(d->s.chunks, c->next);
	return SAT_OK;
}

static int
serve(void **state)
{
	sat_net_server_opts o = { .listen = "tcp://127.0.0.1:0",
		.on_request = on_request };
	sat_err err = { 0 };

	(void)state;
	sat_crypto_init();
	sat_random(keys.sk, sizeof keys.sk);
	sat_box_keys(keys.pk, keys.sk);
	o.keys = keys;
	assert_ok(sat_net_serve(&net, &o, &err));
	return 0;
}

/* One session of this device; the types of its requests are then in `types`. */
static sat_rc
try_to_fill(filled *d, const sat_sync_opts *opts, sat_err *e)
{
	sat_client_ops ops = script_ops(&d->s);
	sat_sync_opts o = *opts;
	char *url = sat_xasprintf("tcp://127.0.0.1:%u",
	    (unsigned)sat_net_port(net));
	sat_net_client_opts n = { .dial = url, .keys = keys,
		.timeout_ms = 4 * SOON_MS, .interrupted = o.interrupted,
		.u = o.u };
	sat_net_client *link;
	sat_sync_result got = { 0 };
	sat_clock clock = sat_clock_os();
	int64_t start_ms = sat_boot_ms(&clock);
	sat_rc rc;

	ops.erased = erased;
	ops.erased_ok = erased_ok;
	d->s.snap_wanted = d->s.chunks < CHUNKS;
	d->take = ops.chunk;
	ops.chunk = chunk;
	o.clock = clock;
	o.rand = sat_rand_os();
	pthread_mutex_lock(&mtx);
	nasked = 0;
	given = 0;
	pthread_mutex_unlock(&mtx);
	memcpy(n.server_pk, keys.pk, sizeof n.server_pk);
	assert_rc(SAT_OK, sat_net_dial(&link, &n, e));
	rc = sat_sync_session(&got, link, &ops, &o, e);
	assert_true(rc != SAT_OK || got.stats.complete);
	sat_net_hangup(link);
	free(url);
	assert_true(sat_boot_ms(&clock) - start_ms < SOON_MS);
	return rc;
}

/* From now on. */
static void
make_trouble(int what, uint64_t at)
{
	pthread_mutex_lock(&mtx);
	trouble = what;
	trouble_at = at;
	pthread_mutex_unlock(&mtx);
}

static void
fill(filled *d)
{
	sat_sync_opts o = { 0 };
	sat_err err = { 0 };

	make_trouble(0, 0);
	assert_ok(try_to_fill(d, &o, &err));
	assert_int_equal(CHUNKS, d->s.chunks);
}

static void
were_asked(const sat_msg_type *want, size_t n)
{
	assert_int_equal(n, nasked);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(want[i], types[i]);
}

static void
the_first_chunks_are_made_while_the_template_is_taken_in(void **state) /* P-290 */
{
	static const sat_msg_type want[] = { SAT_MSG_HELLO, SAT_MSG_TEMPLATE,
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_NUMBERS, SAT_MSG_SNAP,
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_PULL };
	filled d = { .s.wants_numbers = true };

	(void)state;
	fill(&d);
	were_asked(want, sizeof want / sizeof want[0]);
	assert_int_equal(60, d.s.first_lsn);
}

static void
without_numbers_it_is_the_next_that_is_asked(void **state) /* P-290 */
{
	static const sat_msg_type want[] = { SAT_MSG_HELLO, SAT_MSG_TEMPLATE,
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_SNAP,
		SAT_MSG_SNAP, SAT_MSG_PULL };
	filled d = { .receipt = false };

	(void)state;
	fill(&d);
	were_asked(want, sizeof want / sizeof want[0]);
	assert_int_equal(60, d.s.first_lsn);
}

static void
behind_a_receipt_the_first_chunk_is_asked_for_again(void **state) /* P-290 */
{
	static const sat_msg_type want[] = { SAT_MSG_ERASED, SAT_MSG_NUMBERS,
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_SNAP,
		SAT_MSG_SNAP, SAT_MSG_PULL };
	filled d = { .s.wants_numbers = true, .receipt = true };
	size_t before = 2, n = sizeof want / sizeof want[0];

	(void)state;
	fill(&d);
	/* the one behind it as well, if it was asked for by then */
	while (before < nasked && types[before] == SAT_MSG_SNAP)
		before++;
	assert_in_range(before, 3, 4);
	assert_int_equal(before + n, nasked);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(want[i], types[before + i]);
	assert_int_equal(60 + before - 2, d.s.first_lsn);
}

/* ---- trouble while the next one is received and read ----------------------------- */

/* The server makes it at this chunk; the device has taken in so many then. */
static void
assert_trouble(filled *d, int what, uint64_t at, sat_rc want)
{
	sat_sync_opts o = { 0 };
	sat_err err = { 0 };

	make_trouble(what, at);
	assert_rc(want, try_to_fill(d, &o, &err));
	assert_true(err.text[0] != '\0');
	assert_int_equal(at - 1, d->s.chunks);
	fill(d); /* and it goes on where it was */
}

static void
a_chunk_that_is_damaged_is_never_stored(void **state) /* P-093 */
{
	(void)state;
	for (uint64_t at = 1; at <= CHUNKS; at++) {
		filled quick = { .pause_ms = 0 }, slow = { .pause_ms = 20 };

		assert_trouble(&quick, DAMAGED, at, SAT_EINTEGRITY);
		assert_trouble(&slow, UNREADABLE, at, SAT_EPROTO);
	}
}

static void
what_came_before_a_link_was_lost_is_stored(void **state) /* A3 */
{
	(void)state;
	for (uint64_t at = 1; at <= CHUNKS; at++) {
		filled quick = { .pause_ms = 0 }, slow = { .pause_ms = 20 };

		assert_trouble(&quick, HANGS_UP, at, SAT_EUNREACHABLE);
		assert_trouble(&slow, HANGS_UP, at, SAT_EUNREACHABLE);
	}
}

/* The answer behind it was read, is on its way, or never comes. */
static void
a_chunk_that_cannot_be_stored_ends_the_session_at_once(void **state) /* A1 */
{
	(void)state;
	for (uint64_t at = 1; at <= CHUNKS; at++)
		for (uint64_t silent = at + 1; silent <= at + 3; silent++) {
			filled d = { .fails_at = at, .fails = SAT_ENOSPACE,
				.pause_ms = 10 };
			sat_sync_opts o = { 0 };
			sat_err err = { 0 };

			make_trouble(SILENT, silent);
			assert_rc(SAT_ENOSPACE, try_to_fill(&d, &o, &err));
			assert_int_equal(at - 1, d.s.chunks);
			fill(&d);
		}
}

static bool
after_a_while(void *u)
{
	sat_clock clock = sat_clock_os();

	return sat_boot_ms(&clock) > *(const int64_t *)u;
}

static void
it_is_interrupted_while_the_next_one_is_awaited(void **state)
{
	sat_clock clock = sat_clock_os();

	(void)state;
	for (uint64_t at = 2; at <= CHUNKS; at++) {
		filled d = { .receipt = false };
		int64_t until = sat_boot_ms(&clock) + 100;
		sat_sync_opts o = { .interrupted = after_a_while, .u = &until };
		sat_err err = { 0 };

		make_trouble(SILENT, at);
		assert_rc(SAT_EUNREACHABLE, try_to_fill(&d, &o, &err));
		assert_string_equal("net.interrupted", err.code);
		assert_int_equal(at - 1, d.s.chunks);
	}
}

/* What was asked for behind it is thrown away, and asked for again. */
static void
a_chunk_under_a_newer_template_is_asked_for_again_behind_it(
    void **state) /* P-169 */
{
	(void)state;
	for (uint64_t at = 1; at <= CHUNKS; at++) {
		filled d = { .fails_at = at, .fails = SAT_EVERSION,
			.pause_ms = 10 };

		fill(&d);
		assert_int_equal(2, d.s.templates);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_first_chunks_are_made_while_the_template_is_taken_in),
		cmocka_unit_test(without_numbers_it_is_the_next_that_is_asked),
		cmocka_unit_test(
		    behind_a_receipt_the_first_chunk_is_asked_for_again),
		cmocka_unit_test(a_chunk_that_is_damaged_is_never_stored),
		cmocka_unit_test(what_came_before_a_link_was_lost_is_stored),
		cmocka_unit_test(
		    a_chunk_that_cannot_be_stored_ends_the_session_at_once),
		cmocka_unit_test(
		    it_is_interrupted_while_the_next_one_is_awaited),
		cmocka_unit_test(
		    a_chunk_under_a_newer_template_is_asked_for_again_behind_it),
	};
	int rc = cmocka_run_group_tests(tests, serve, NULL);

	(void)fflush(NULL);
	_exit(rc); /* NNG is never torn down */
}
