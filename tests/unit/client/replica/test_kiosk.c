/* A kiosk's replica, in a file that is not sealed, so that its bytes can be
 * read: with the server's answer nothing of a visitor is left in it. */
#include "tests/unit/client/replica/fixture.h"

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
	sat_team team = { 1, "t1", "Team", "" };
	sat_device dev = { DEV, 1, "d", false };
	sat_registry reg = { .rev = 9, .users = &user, .nusers = 1,
		.teams = &team, .nteams = 1, .devices = &dev, .ndevices = 1 };
	sat_buf b = { 0 };
	sat_err err;

	sat_registry_write(&b, &reg);
	assert_ok(f->ops.registry(f->ops.u, sat_buf_span(&b), &err));
	sat_buf_fini(&b);
}

/* The fixture over a file that is not sealed. */
static int
setup_plain(void **state)
{
	sat_replica_identity id = { .incarnation = 1, .server = "tcp://x:1" };
	const sat_template_file *files;
	uint8_t seed[32] = { 1 };
	sat_replica_env env;
	fixture *f;
	size_t n;
	sat_err err;

	assert_int_equal(0, setup(state));
	f = *state;
	sat_replica_close(f->r);
	sat_keyring_close(f->keyring);
	f->keyring = NULL;
	free(f->path);
	f->path = sat_xasprintf("%s/plain.db", f->dir);
	id.org.b[0] = 5;
	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	env = env_of(f, f->path);
	assert_ok(sat_replica_create(&f->r, &env, &id, &err));
	find_kinds(f);
	enrol(f);
	give_registry(f, 1);
	files = sat_template_base(&n);
	assert_ok(give_template(f, files, n, f->tmpl_sk, f->tmpl_pk, &err));
	srv_snapshot(f, 1000);
	become(f, "kiosk");
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
take_in(fixture *f)
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
	sat_err err;

	write_ops(f, id, ops, 4);
	assert_ok(sat_replica_audit_about(f->r, &id, "visit.checkin", CANARY,
	    &err));
	return id;
}

static void
the_servers_answer_leaves_nothing_of_a_visitor(void **state) /* P-271 */
{
	fixture *f = *state;
	sat_id a = take_in(f), b;

	b = take_in(f);
	assert_true(count(f, CANARY) > 0); /* the test can see it */
	assert_true(count(f, PHONE) > 0);
	(void)view_of(f, a);
	while (srv_push(f, false) > 0)
		;
	assert_gone(f, a);
	assert_gone(f, b);
	assert_int_equal(0, count(f, CANARY));
	assert_int_equal(0, count(f, PHONE));
	assert_sound(f);
	reopen(f);
	assert_int_equal(0, count(f, CANARY));
	assert_sound(f);
	/* and the chain goes on */
	a = take_in(f);
	while (srv_push(f, false) > 0)
		;
	assert_gone(f, a);
	assert_int_equal(0, count(f, CANARY));
	assert_sound(f);
}

static void
an_answer_that_was_lost_and_came_again_does_too(void **state)
{
	fixture *f = *state;
	sat_id a = take_in(f);

	(void)srv_push(f, true);
	(void)view_of(f, a); /* not heard: not let go */
	assert_true(count(f, CANARY) > 0);
	while (srv_push(f, false) > 0)
		;
	assert_gone(f, a);
	assert_int_equal(0, count(f, CANARY));
	assert_sound(f);
}

static bool
refuse_all(const sat_commit *c)
{
	(void)c;
	return true;
}

static void
what_was_refused_is_kept_for_a_person(void **state) /* P-161 */
{
	fixture *f = *state;
	sat_id a = take_in(f);
	sat_quarantined *q;
	sat_arena mem = { 0 };
	size_t n;
	sat_err err;

	f->srv.refuse = refuse_all;
	while (srv_push(f, false) > 0)
		;
	assert_gone(f, a);
	assert_ok(sat_replica_quarantine(&q, &n, &mem, f->r, &err));
	assert_int_equal(1, n);
	assert_int_equal(4, q[0].commit.nops);
	assert_sound(f);
	sat_arena_fini(&mem);
}

static void
another_roles_device_keeps_what_it_wrote(void **state)
{
	fixture *f = *state;
	sat_id a;

	become(f, "receptionist");
	a = take_in(f);
	while (srv_push(f, false) > 0)
		;
	(void)view_of(f, a);
	assert_sound(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_plain, teardown)
	const struct CMUnitTest tests[] = {
		T(the_servers_answer_leaves_nothing_of_a_visitor),
		T(an_answer_that_was_lost_and_came_again_does_too),
		T(what_was_refused_is_kept_for_a_person),
		T(another_roles_device_keeps_what_it_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
