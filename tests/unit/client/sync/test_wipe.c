/*
 * A device is ordered to destroy what it holds (P-382, P-383): orders that are
 * none, and a process that is killed at every call into the kernel.
 */
#include "tests/lib/unit.h"

#include "client/sync/wipe.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/shm.h"
#include "protocol/permit.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define T0 ((int64_t)1800000000000)

static uint8_t root_pk[SAT_SIGN_PK_BYTES], root_sk[SAT_SIGN_SK_BYTES];
static uint8_t server_pk[SAT_SIGN_PK_BYTES], server_sk[SAT_SIGN_SK_BYTES];
static sat_replica_identity id;
static char folder[200];

static const sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
	.bytes = { (const uint8_t *)"four words are good", 19 },
	.cost = { 1, 8u << 20 } };

static const char *
at(const char *name)
{
	static char path[2][300];
	static int turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static sat_wipe_order
order_of(int64_t at_ms)
{
	sat_wipe_order w = { .device = id.device,
		.incarnation = id.incarnation, .nonce = { 9 }, .at_ms = at_ms };
	sat_buf b = { 0 };

	memcpy(w.sign_pk, id.sign_pk, sizeof w.sign_pk);
	memcpy(w.server_pk, server_pk, sizeof w.server_pk);
	sat_server_key_bytes(&b, &id.org, server_pk);
	sat_sign(w.cert, sat_buf_span(&b), root_sk);
	sat_buf_fini(&b);
	return w;
}

/* The order as the server hands it out. */
static void
written(sat_buf *out, sat_wipe_order *w)
{
	sat_buf b = { 0 };

	sat_wipe_sign_bytes(&b, w, &id.org);
	sat_sign(w->sig, sat_buf_span(&b), server_sk);
	sat_buf_reset(out);
	sat_wipe_write(out, w);
	sat_buf_fini(&b);
}

static sat_rc
give(sat_replica *r, sat_span order, sat_err *e)
{
	sat_client_ops ops = sat_replica_session(r);
	bool push_first;

	return ops.wipe(ops.u, order, &push_first, e);
}

static sat_rc
open_here(sat_replica **r, sat_keyring **k, bool create, sat_err *e)
{
	sat_replica_env env = { .path = at("replica.db"),
		.clock = sat_clock_os(), .rand = sat_rand_os() };
	sat_rc rc = create ? sat_keyring_create(k, at("replica.keyring"),
	    &secret, e) : sat_keyring_open(k, at("replica.keyring"), &secret,
	    e);

	if (rc != SAT_OK)
		return rc;
	env.keyring = *k;
	env.path = at("replica.db");
	rc = create ? sat_replica_create(r, &env, &id, e) :
	    sat_replica_open(r, &env, e);
	if (rc != SAT_OK)
		sat_keyring_close(*k);
	return rc;
}

static int
setup(void **state)
{
	uint8_t seed[32] = { 1 };
	sat_keyring *k;
	sat_replica *r;
	sat_err err = { 0 };
	int rc = sat_test_dir_setup(state);

	sat_crypto_init();
	sat_log_level(SAT_ERROR);
	sat_sign_keys(root_pk, root_sk, seed);
	seed[0] = 2;
	sat_sign_keys(server_pk, server_sk, seed);
	seed[0] = 3;
	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	id.org.b[0] = 5;
	id.device = 7;
	id.user = 1;
	id.incarnation = 2;
	memcpy(id.root_pk, root_pk, sizeof root_pk);
	(void)snprintf(id.server, sizeof id.server, "tcp://127.0.0.1:1");
	(void)snprintf(folder, sizeof folder, "%s/r", sat_test_here);
	assert_int_equal(0, mkdir(folder, 0700));
	assert_ok(open_here(&r, &k, true, &err));
	sat_replica_close(r);
	sat_keyring_close(k);
	sat_test_save(at("daemon.log"), "x", 1);
	sat_test_save(at("demo.passphrase.tmp"), "x", 1);
	sat_test_save(at("form.xlsx.else"), "x", 1);
	return rc;
}

static void
an_order_that_is_not_ours_does_nothing_and_is_noted(void **state)
{ /* P-382 */
	sat_wipe_order w = order_of(T0);
	sat_buf good = { 0 }, bad = { 0 };
	sat_keyring *k;
	sat_replica *r;
	sat_err err = { 0 };

	(void)state;
	assert_ok(open_here(&r, &k, false, &err));
	written(&good, &w);
	assert_int_equal(SAT_WIPE_BYTES, good.n);
	for (size_t i = 0; i < good.n; i++) { /* altered anywhere */
		sat_rc rc;

		sat_buf_reset(&bad);
		sat_buf_add(&bad, good.p, good.n);
		bad.p[i] ^= 1;
		rc = give(r, sat_buf_span(&bad), &err);
		assert_true(rc == SAT_EINTEGRITY || rc == SAT_EPROTO);
		assert_false(sat_replica_wipe_due(r));
	}
	assert_rc(SAT_EPROTO, give(r, sat_span_of(good.p, good.n - 1), &err));
	/* by a server nobody vouches for */
	memcpy(w.server_pk, id.sign_pk, sizeof w.server_pk);
	written(&bad, &w);
	assert_rc(SAT_EINTEGRITY, give(r, sat_buf_span(&bad), &err));
	assert_string_equal("wipe.signature", err.code);
	/* signed, and for another device, key, incarnation */
	for (int what = 0; what < 3; what++) {
		w = order_of(T0);
		w.device += what == 0;
		w.sign_pk[0] ^= what == 1;
		w.incarnation += what == 2;
		written(&bad, &w);
		assert_rc(SAT_EINTEGRITY, give(r, sat_buf_span(&bad), &err));
		assert_string_equal("wipe.other", err.code);
		assert_false(sat_replica_wipe_due(r));
	}
	sat_replica_close(r);
	sat_keyring_close(k);
	assert_ok(open_here(&r, &k, false, &err)); /* all is there */
	sat_replica_close(r);
	sat_keyring_close(k);
	sat_buf_fini(&good);
	sat_buf_fini(&bad);
}

static void
an_order_older_than_one_it_had_does_nothing(void **state)
{ /* P-382 */
	sat_wipe_order w = order_of(T0);
	sat_buf b = { 0 };
	sat_keyring *k;
	sat_replica *r;
	sat_err err = { 0 };

	(void)state;
	assert_ok(open_here(&r, &k, false, &err));
	w.push_first = true;
	written(&b, &w);
	assert_ok(give(r, sat_buf_span(&b), &err));
	assert_false(sat_replica_wipe_due(r)); /* its work first */
	sat_replica_close(r);
	sat_keyring_close(k);
	assert_ok(open_here(&r, &k, false, &err)); /* known after a crash, too */
	assert_false(sat_replica_wipe_due(r));
	w = order_of(T0 - 1);
	written(&b, &w);
	assert_rc(SAT_EINTEGRITY, give(r, sat_buf_span(&b), &err));
	assert_string_equal("wipe.old", err.code);
	w = order_of(T0);
	written(&b, &w);
	assert_ok(give(r, sat_buf_span(&b), &err));
	assert_true(sat_replica_wipe_due(r));
	sat_replica_close(r);
	sat_keyring_close(k);
	sat_buf_fini(&b);
}

/* ---- killed anywhere --------------------------------------------------------- */

static void
carry_out(void)
{
	sat_sync_opts o = { .timeout_ms = 100, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
	sat_wipe_order w = order_of(T0);
	sat_buf b = { 0 };
	sat_keyring *k;
	sat_replica *r;

	if (open_here(&r, &k, false, NULL) != SAT_OK)
		_exit(2);
	written(&b, &w);
	if (give(r, sat_buf_span(&b), NULL) != SAT_OK)
		_exit(3);
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	(void)raise(SIGSTOP);
	_exit(sat_wipe_carry_out(folder, r, k, &o, NULL) == SAT_EREVOKED ? 0 :
	    4);
}

/* Kills it at the n-th entry or exit of a call; false: it came to its end. */
static bool
killed_at(int n)
{
	pid_t p = fork();
	int st;

	if (p == 0)
		carry_out();
	assert_int_equal(p, waitpid(p, &st, 0));
	assert_true(WIFSTOPPED(st));
	for (int i = 0; i < n; i++) {
		assert_int_equal(0, ptrace(PTRACE_SYSCALL, p, NULL, NULL));
		assert_int_equal(p, waitpid(p, &st, 0));
		if (WIFEXITED(st)) {
			assert_int_equal(0, WEXITSTATUS(st));
			return false;
		}
	}
	(void)kill(p, SIGKILL);
	(void)waitpid(p, &st, 0);
	return true;
}

static void
put_back(void)
{
	char *cmd = sat_xasprintf("rm -rf %s && cp -r %s.whole %s", folder,
	    folder, folder);

	assert_int_equal(0, system(cmd));
	free(cmd);
}

static void
assert_empty(void)
{
	assert_int_not_equal(0, access(at("replica.keyring"), F_OK));
	assert_int_not_equal(0, access(at("replica.db"), F_OK));
	assert_int_not_equal(0, access(at("replica.db-wal"), F_OK));
	assert_int_not_equal(0, access(at("daemon.log"), F_OK));
	assert_int_not_equal(0, access(at("demo.passphrase.tmp"), F_OK));
	assert_int_equal(0, access(at("form.xlsx.else"), F_OK));
	assert_int_equal(0, access(at("replica.wiped"), F_OK));
}

/* Whole, and then the order comes again; or noted, and finished by whoever comes. */
static bool
assert_whole_or_noted(void)
{
	sat_sync_opts o = { .clock = sat_clock_os(), .rand = sat_rand_os() };
	sat_keyring *k;
	sat_replica *r;
	sat_err err = { 0 };
	pid_t p;
	int st;

	if (!sat_wipe_noted(folder)) {
		assert_ok(open_here(&r, &k, false, &err));
		assert_int_equal(id.device,
		    sat_replica_identity_get(r)->device);
		sat_replica_close(r);
		sat_keyring_close(k);
		return true;
	}
	if ((p = fork()) == 0) /* the network library stays out of this process */
		_exit(sat_wipe_resume(folder, &o, NULL) == SAT_EREVOKED ? 0 : 1);
	assert_int_equal(p, waitpid(p, &st, 0));
	assert_true(WIFEXITED(st) && WEXITSTATUS(st) == 0);
	assert_empty();
	return false;
}

static void
killed_at_any_call_it_is_whole_or_its_keys_go(void **state)
{ /* P-383 */
	char *cmd = sat_xasprintf("cp -r %s %s.whole", folder, folder);
	int whole = 0, noted = 0, after = 0;

	(void)state;
	assert_int_equal(0, system(cmd));
	free(cmd);
	for (int n = 1; after < 12; n++) { /* some calls behind the last key */
		bool keys;

		put_back();
		if (!killed_at(n))
			break;
		keys = access(at("replica.keyring"), F_OK) == 0;
		after += !keys && access(at("replica.db"), F_OK) != 0;
		if (assert_whole_or_noted())
			whole++;
		else
			noted++;
	}
	print_message("%d points left it whole, %d noted\n", whole, noted);
	assert_true(whole > 5 && noted > 20);
	put_back();
	assert_false(killed_at(100000));
	assert_empty();
}

/* ---- what lies elsewhere ------------------------------------------------------- */

/* In a process of its own: the network library stays out of this one. */
static void
wiped(sat_rc (*how)(void))
{
	pid_t p = fork();
	int st;

	if (p == 0)
		_exit(how() == SAT_EREVOKED ? 0 : 1);
	assert_int_equal(p, waitpid(p, &st, 0));
	assert_true(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

static sat_rc
carried_out(void)
{
	sat_sync_opts o = { .timeout_ms = 100, .clock = sat_clock_os(),
		.rand = sat_rand_os() };
	sat_keyring *k;
	sat_replica *r;
	sat_rc rc = open_here(&r, &k, false, NULL);

	return rc == SAT_OK ? sat_wipe_carry_out(folder, r, k, &o, NULL) : rc;
}

static sat_rc
resumed(void)
{
	sat_sync_opts o = { .timeout_ms = 100, .clock = sat_clock_os(),
		.rand = sat_rand_os() };

	return sat_wipe_resume(folder, &o, NULL);
}

/* As client/crm/export.c writes it. */
static void
logged(sat_replica *r, const char *action, const char *file)
{
	char *detail = sat_xasprintf("kind=account format=csv rows=0 mask=0 "
	    "reason=x file=%s", file);
	sat_err err;

	assert_ok(sat_replica_audit(r, action, detail, &err));
	free(detail);
}

static const char *
beside(const char *name)
{
	static char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", sat_test_here, name);
	return path;
}

static bool
there(const char *name)
{
	return sat_file_there(beside(name));
}

static void
exports_that_were_cut_off_go_and_no_older_file_with_them(void **state)
{ /* P-383 */
	static const char *const files[] = { "cut", "cut.tmp", "cut.tmp-wal",
		"done", "done.tmp", "done.tmp-wal", "again", "again.tmp",
		"other.tmp" };
	sat_keyring *k;
	sat_replica *r;
	sat_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		sat_test_save(beside(files[i]), "customers", 9);
	assert_ok(open_here(&r, &k, false, &err));
	logged(r, "export", beside("cut"));
	logged(r, "export", beside("done"));
	logged(r, "export.done", beside("done"));
	logged(r, "export", beside("again")); /* killed, and then written */
	logged(r, "export", beside("again"));
	logged(r, "export.done", beside("again"));
	logged(r, "export", "-");
	sat_replica_close(r);
	sat_keyring_close(k);
	wiped(carried_out);
	assert_true(there("cut")); /* of somebody before */
	assert_false(there("cut.tmp") || there("cut.tmp-wal"));
	assert_false(there("done") || there("done.tmp") ||
	    there("done.tmp-wal"));
	assert_false(there("again") || there("again.tmp"));
	assert_true(there("other.tmp"));
}

static void
what_lies_in_memory_for_the_replica_goes_and_no_other(void **state)
{ /* P-383 */
	char *book, *sheet, *kept, *other = sat_xasprintf("%s/o", sat_test_here);
	sat_err err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(0, mkdir(other, 0700));
	assert_ok(sat_shm_folder(&book, folder, "export", &err));
	assert_ok(sat_shm_file(&fd, &sheet, folder, "import", &err));
	assert_int_equal(0, close(fd));
	assert_ok(sat_shm_folder(&kept, other, "export", &err));
	wiped(carried_out);
	assert_false(sat_file_there(book) || sat_file_there(sheet));
	assert_true(sat_file_there(kept));
	free(book);
	assert_ok(sat_shm_folder(&book, folder, "export", &err));
	wiped(resumed); /* killed before it came so far */
	assert_false(sat_file_there(book));
	sat_shm_sweep(other, NULL);
	free(book);
	free(sheet);
	free(kept);
	free(other);
}

static void
a_note_nobody_can_read_is_the_servers_word_all_the_same(void **state)
{ /* P-383 */
	static const char *const notes[] = { "", "{", "{}", "[1, 2]",
		"{ \"receipt\": \"00\" }" };
	char *cmd = sat_xasprintf("cp -r %s %s.whole", folder, folder);

	(void)state;
	assert_int_equal(0, system(cmd));
	free(cmd);
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		put_back();
		sat_test_save(at("replica.wiped"), notes[i], strlen(notes[i]));
		assert_int_equal(0, access(at("replica.keyring"), F_OK));
		wiped(resumed);
		assert_empty();
	}
	put_back(); /* nor open */
	(void)unlink(at("replica.wiped"));
	assert_int_equal(0, mkdir(at("replica.wiped"), 0700));
	wiped(resumed);
	assert_int_not_equal(0, access(at("replica.keyring"), F_OK));
}

/* Each export by HTTP has another name there, which is no use to anybody. */
static void
what_was_exported_in_memory_is_in_no_note(void **state)
{ /* P-383 */
	sat_keyring *k;
	sat_replica *r;
	sat_buf b = { 0 };
	sat_err err = { 0 };

	(void)state;
	assert_ok(open_here(&r, &k, false, &err));
	logged(r, "export.done", "/dev/shm/satchel-0-1-2-export-XyZ/export.xlsx");
	logged(r, "export.done", beside("done"));
	sat_replica_close(r);
	sat_keyring_close(k);
	wiped(carried_out);
	assert_ok(sat_file_read(&b, at("replica.wiped"), 1 << 20, &err));
	sat_buf_str(&b, "");
	assert_non_null(memmem(b.p, b.n, beside("done"), strlen(beside("done"))));
	assert_null(memmem(b.p, b.n, "export.xlsx", 11));
	sat_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    an_order_that_is_not_ours_does_nothing_and_is_noted,
		    setup, sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    an_order_older_than_one_it_had_does_nothing, setup,
		    sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    killed_at_any_call_it_is_whole_or_its_keys_go, setup,
		    sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    exports_that_were_cut_off_go_and_no_older_file_with_them,
		    setup, sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    what_lies_in_memory_for_the_replica_goes_and_no_other,
		    setup, sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    what_was_exported_in_memory_is_in_no_note, setup,
		    sat_test_dir_teardown),
		cmocka_unit_test_setup_teardown(
		    a_note_nobody_can_read_is_the_servers_word_all_the_same,
		    setup, sat_test_dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
