/*
 * What a session asks before it knows (P-290), over a real link: a device that
 * is filled, and a server that notes what it was asked.
 */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/sync/sync_int.h"
#include "tests/unit/protocol/script.h"

#define CHUNKS 3

/* The device: of a receipt the script knows nothing. */
typedef struct filled {
	script s;
	bool receipt; /* still to be sent */
	sat_rc (*take)(void *u, const sat_chunk *c, sat_err *e);
} filled;

/* The server: types in order, and how many chunks it gave. */
static sat_msg_type types[16];
static size_t nasked;
static uint64_t given;
static sat_net_server *net;
static sat_noise_keys keys;

static void
on_request(void *u, sat_link *l, sat_span frame)
{
	static const uint8_t bundle[1];
	sat_msg m, out = { 0 };
	sat_arena a = { 0 };
	sat_buf b = { 0 };

	(void)u;
	if (sat_msg_read(&m, &a, frame, NULL) != SAT_OK || nasked == 16)
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
		out.u.chunk.lsn = 60 + given++;
		out.u.chunk.next = m.u.snap.after + 1;
		out.u.chunk.done = out.u.chunk.next == CHUNKS;
		sat_hash(out.u.chunk.hash, out.u.chunk.records);
		break;
	case SAT_MSG_PULL:
		out.type = SAT_MSG_DELTA;
		out.u.delta.upto = m.u.pull.cursor;
		break;
	default:
		abort();
	}
	sat_msg_write(&b, &out);
	sat_link_reply(l, sat_buf_span(&b));
	sat_buf_fini(&b);
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
in_order(void *u, const sat_chunk *c, sat_err *e)
{
	filled *d = u;
	sat_rc rc = d->take(u, c, e);

	assert_int_equal(d->s.chunks, c->next);
	return rc;
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
static void
fill(filled *d)
{
	sat_client_ops ops = script_ops(&d->s);
	sat_sync_opts o = { .clock = sat_clock_os(), .rand = sat_rand_os() };
	char *url = sat_xasprintf("tcp://127.0.0.1:%u",
	    (unsigned)sat_net_port(net));
	sat_net_client_opts n = { .dial = url, .keys = keys };
	sat_net_client *link;
	sat_sync_result got = { 0 };
	sat_err err = { 0 };

	ops.erased = erased;
	ops.erased_ok = erased_ok;
	d->take = ops.chunk;
	ops.chunk = in_order;
	d->s.snap_wanted = true;
	nasked = 0;
	given = 0;
	memcpy(n.server_pk, keys.pk, sizeof n.server_pk);
	assert_ok(sat_net_dial(&link, &n, &err));
	assert_ok(sat_sync_session(&got, link, &ops, &o, &err));
	assert_true(got.stats.complete);
	assert_int_equal(CHUNKS, d->s.chunks);
	sat_net_hangup(link);
	free(url);
}

static void
were_asked(const sat_msg_type *want, size_t n)
{
	assert_int_equal(n, nasked);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(want[i], types[i]);
}

static void
the_first_chunk_is_made_while_the_template_is_taken_in(void **state) /* P-290 */
{
	static const sat_msg_type want[] = { SAT_MSG_HELLO, SAT_MSG_TEMPLATE,
		SAT_MSG_SNAP, SAT_MSG_NUMBERS, SAT_MSG_SNAP, SAT_MSG_SNAP,
		SAT_MSG_PULL };
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
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_PULL };
	filled d = { .receipt = false };

	(void)state;
	fill(&d);
	were_asked(want, sizeof want / sizeof want[0]);
	assert_int_equal(60, d.s.first_lsn);
}

static void
behind_a_receipt_the_first_chunk_is_asked_for_again(void **state) /* P-290 */
{
	static const sat_msg_type want[] = { SAT_MSG_HELLO, SAT_MSG_TEMPLATE,
		SAT_MSG_SNAP, SAT_MSG_ERASED, SAT_MSG_NUMBERS, SAT_MSG_SNAP,
		SAT_MSG_SNAP, SAT_MSG_SNAP, SAT_MSG_PULL };
	filled d = { .s.wants_numbers = true, .receipt = true };

	(void)state;
	fill(&d);
	were_asked(want, sizeof want / sizeof want[0]);
	assert_int_equal(61, d.s.first_lsn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_first_chunk_is_made_while_the_template_is_taken_in),
		cmocka_unit_test(without_numbers_it_is_the_next_that_is_asked),
		cmocka_unit_test(
		    behind_a_receipt_the_first_chunk_is_asked_for_again),
	};
	int rc = cmocka_run_group_tests(tests, serve, NULL);

	(void)fflush(NULL);
	_exit(rc); /* NNG is never torn down */
}
