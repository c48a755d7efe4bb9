/* A kiosk's replica, in a file that is not encrypted, so that its bytes can be
 * read: nothing of a visitor is ever in it, before the server's answer or after. */
#include "tests/unit/client/replica/fixture.h"

#include "client/replica/file.h"

#include <dirent.h>

#define V_VISITOR 3
#define V_PHONE 4
#define V_CONSULTANT 11
#define CANARY "Quagga-canary-77"
#define PHONE "+8613977770077"

static void
become(fixture *f, const char *role)
{
	sat_user user = { 1, "li", "Li", role, 1, false };
	sat_team team = { 1, "t1", "Team", "", false };
	sat_device dev = { DEV, 1, "d", false, false };
	sat_registry reg = { .rev = 9, .users = &user, .nusers = 1,
		.teams = &team, .nteams = 1, .devices = &dev, .ndevices = 1 };

	give_staff(f, &reg);
}

static int
setup_plain(void **state)
{
	uint8_t sk[SAT_BOX_SK_BYTES], pk[SAT_BOX_PK_BYTES];
	fixture *f;

	sat_crypto_init();
	sat_random(sk, sizeof sk);
	sat_box_keys(pk, sk);
	setup_in_plain(state, pk, NULL);
	f = *state;
	memcpy(f->box_sk, sk, sizeof sk);
	become(f, "kiosk");
	return 0;
}

static int
setup_keyless(void **state)
{
	setup_in_plain(state, NULL, NULL);
	become(*state, "kiosk");
	return 0;
}

static size_t
count_in(const char *path, const char *what)
{
	FILE *in = fopen(path, "rbe");
	size_t n = 0, hits = 0;
	uint8_t *p = NULL;

	if (in == NULL)
		return 0;
	assert_int_equal(0, fseek(in, 0, SEEK_END));
	n = (size_t)ftell(in);
	rewind(in);
	p = sat_xmalloc(n + 1);
	assert_int_equal(n, fread(p, 1, n, in));
	(void)fclose(in);
	for (size_t i = 0; i + strlen(what) <= n; i++)
		hits += memcmp(p + i, what, strlen(what)) == 0;
	free(p);
	return hits;
}

/* In every file of the folder: database, log, whatever else there is. */
static size_t
count(fixture *f, const char *what)
{
	DIR *d = opendir(f->dir);
	struct dirent *de;
	size_t hits = 0;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		char *path = sat_xasprintf("%s/%s", f->dir, de->d_name);

		if (de->d_name[0] != '.')
			hits += count_in(path, what);
		free(path);
	}
	(void)closedir(d);
	return hits;
}

static sat_id
write_visit(fixture *f)
{
	const sat_kind *k = sat_template_kind(sat_replica_template(f->r),
	    "visit");
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		op(k, SAT_OP_SET, id, V_VISITOR, text(CANARY)),
		op(k, SAT_OP_MVSET, id, V_PHONE, text(PHONE)),
		op(k, SAT_OP_REASSIGN, id, V_CONSULTANT, text("li")),
	};

	write_ops(f, id, ops, 4);
	return id;
}

static void
nothing_is_here(fixture *f)
{
	assert_int_equal(0, count(f, CANARY));
	assert_int_equal(0, count(f, PHONE));
	assert_sound(f);
}

static void
all_sent(fixture *f)
{
	while (srv_push(f, false) > 0)
		;
}

static void
a_visitor_is_in_no_file_and_the_server_has_him(void **state) /* P-360 */
{
	fixture *f = *state;
	sat_replica_status s;
	sat_id a = write_visit(f), b = write_visit(f);
	sat_err err;

	nothing_is_here(f);
	assert_gone(f, a);
	assert_gone(f, b);
	assert_ok(sat_replica_status_get(&s, f->r, &err));
	assert_int_equal(2, s.pending_commits);
	reopen(f);
	nothing_is_here(f);
	all_sent(f);
	assert_int_equal(2, f->boxes);
	assert_non_null(srv_find(&f->srv, &a));
	assert_non_null(srv_find(&f->srv, &b));
	nothing_is_here(f);
	assert_ok(sat_replica_status_get(&s, f->r, &err));
	assert_int_equal(0, s.pending_commits);
	/* and the chain goes on */
	a = write_visit(f);
	all_sent(f);
	assert_non_null(srv_find(&f->srv, &a));
	nothing_is_here(f);
}

static void
an_answer_that_was_lost_comes_again(void **state)
{
	fixture *f = *state;
	sat_id a = write_visit(f);
	size_t n;

	(void)srv_push(f, true);
	reopen(f);
	n = f->srv.n;
	all_sent(f);
	assert_int_equal(n, f->srv.n); /* the same commit */
	assert_non_null(srv_find(&f->srv, &a));
	nothing_is_here(f);
}

static void
what_was_refused_is_kept_and_read_by_nobody(void **state) /* P-161, P-364 */
{
	fixture *f = *state;
	sat_id a = write_visit(f);
	sat_quarantined *q;
	sat_arena mem = { 0 };
	sat_replica_status s;
	uint64_t cseq;
	size_t n;
	sat_err err;

	f->srv.refuse = refuse_all;
	all_sent(f);
	assert_gone(f, a);
	assert_ok(sat_replica_quarantine(&q, &n, &mem, f->r, &err));
	assert_int_equal(1, n);
	assert_int_equal(0, q[0].commit.nops);
	assert_true(q[0].commit.box.n > SAT_BOX_SEAL_BYTES);
	assert_rc(SAT_EINVALID, sat_replica_hand(f->r, q[0].id, "", &cseq, &err));
	nothing_is_here(f);
	assert_ok(sat_replica_discard(f->r, q[0].id, "seen", &err));
	assert_ok(sat_replica_status_get(&s, f->r, &err));
	assert_int_equal(0, s.quarantined);
	sat_arena_fini(&mem);
}

/* A server that lost its templates has them after the next session. */
static void
what_waited_for_a_template_goes_on_in_its_box(void **state) /* P-364 */
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1, .head = f->srv.n, .scope_head = f->srv.n };
	sat_id a = write_visit(f);
	uint64_t n;
	sat_err err;

	f->srv.refuse = refuse_all;
	f->srv.slug = "template.unknown";
	all_sent(f);
	f->srv.refuse = NULL;
	assert_ok(f->ops.unpark(f->ops.u, &n, &err));
	assert_int_equal(0, n); /* nobody said so yet */
	memcpy(w.template_oid, sat_replica_template_oid(f->r),
	    sizeof w.template_oid);
	w.wall_ms = f->now_ms;
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
	assert_ok(f->ops.unpark(f->ops.u, &n, &err));
	assert_int_equal(1, n);
	all_sent(f);
	assert_non_null(srv_find(&f->srv, &a));
	nothing_is_here(f);
}

static void
without_the_servers_key_nothing_is_taken_in(void **state)
{
	fixture *f = *state;
	const sat_kind *k = sat_template_kind(sat_replica_template(f->r),
	    "visit");
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = { op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		op(k, SAT_OP_SET, id, V_VISITOR, text(CANARY)) };
	sat_draft d = { .subject = id, .ops = ops, .nops = 2 };
	uint64_t cseq;
	sat_err err;

	assert_rc(SAT_EFAIL, sat_replica_write(f->r, &d, &cseq, &err));
	assert_string_equal("kiosk.key", err.code);
	nothing_is_here(f);
}

static void
another_roles_device_keeps_what_it_wrote(void **state)
{
	fixture *f = *state;
	sat_id a;

	become(f, "receptionist");
	a = write_visit(f);
	assert_true(count(f, CANARY) > 0); /* the test can see it */
	all_sent(f);
	assert_int_equal(0, f->boxes);
	(void)view_of(f, a);
	assert_sound(f);
}

/* Written while the device was a receptionist's. */
static void
what_was_in_the_clear_goes_with_the_answer(void **state) /* P-271 */
{
	fixture *f = *state;
	sat_id a;
	sat_err err;

	become(f, "receptionist");
	a = write_visit(f);
	assert_ok(sat_replica_audit_about(f->r, &a, "visit.checkin", CANARY,
	    &err));
	become(f, "kiosk");
	(void)write_visit(f);
	assert_true(count(f, CANARY) > 0);
	assert_int_equal(1, srv_push(f, false)); /* each in its own form */
	assert_int_equal(0, f->boxes);
	assert_gone(f, a);
	assert_int_equal(0, count(f, CANARY));
	all_sent(f);
	assert_int_equal(1, f->boxes);
	nothing_is_here(f);
}

static void
a_kiosk_keeps_no_file(void **state)
{
	fixture *f = *state;
	sat_span content = sat_span_str(CANARY);
	sat_file_ref ref = { .rec = sat_replica_new_id(f->r),
		.kind = f->activity };
	bool here, waits;
	sat_err err = { 0 };

	sat_hash(ref.hash, content);
	assert_rc(SAT_EDENIED, sat_replica_file_keep(f->r, &ref, content, true,
	    &err));
	assert_rc(SAT_EDENIED, sat_replica_file_keep(f->r, &ref, content,
	    false, &err));
	assert_ok(sat_replica_file_look(&here, &waits, f->r, &ref.rec,
	    ref.hash, &err));
	assert_false(here || waits);
	nothing_is_here(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_plain, teardown)
	const struct CMUnitTest tests[] = {
		T(a_visitor_is_in_no_file_and_the_server_has_him),
		T(an_answer_that_was_lost_comes_again),
		T(what_was_refused_is_kept_and_read_by_nobody),
		T(what_waited_for_a_template_goes_on_in_its_box),
		T(what_was_in_the_clear_goes_with_the_answer),
		cmocka_unit_test_setup_teardown(
		    without_the_servers_key_nothing_is_taken_in, setup_keyless,
		    teardown),
		T(a_kiosk_keeps_no_file),
		T(another_roles_device_keeps_what_it_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
