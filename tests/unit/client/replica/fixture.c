/* The device of the fixture, what it writes and what it shows. */
#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"
#include "common/git/git.h"
#include "tests/unit/client/replica/fixture.h"
#include "tests/unit/common/template/base.h"

int64_t
fake_wall(void *u)
{
	return ((fixture *)u)->now_ms;
}

int64_t
fake_boot(void *u)
{
	return ((fixture *)u)->boot_ms;
}

static void
fake_bytes(void *u, void *out, size_t n)
{
	uint8_t *p = out;

	while (n-- > 0)
		*p++ = (uint8_t)sat_test_rand(&((fixture *)u)->seed);
}

sat_replica_env
env_of(fixture *f, const char *path)
{
	return (sat_replica_env){ .path = path, .keyring = f->keyring,
		.clock = { fake_wall, fake_boot, f },
		.rand = { fake_bytes, f } };
}

void
find_kinds(fixture *f)
{
	const sat_template *t = sat_replica_template(f->r);

	f->ops = sat_replica_session(f->r);
	if (t == NULL)
		return;
	f->account = sat_template_kind(t, "account");
	f->contact = sat_template_kind(t, "contact");
	f->activity = sat_template_kind(t, "activity");
	f->opportunity = sat_template_kind(t, "opportunity");
}

void
reopen(fixture *f)
{
	sat_replica_env env = env_of(f, f->path);
	sat_err err;

	sat_replica_close(f->r);
	f->r = NULL;
	assert_ok(sat_replica_open(&f->r, &env, &err));
	find_kinds(f);
}

sat_rc
give_template(fixture *f, const sat_template_file *files, size_t n,
    const uint8_t *sk, const uint8_t *pk, sat_err *e)
{
	sat_git_author who = { "t", "t@x", f->now_ms, sk, pk };
	sat_git_file list[256];
	sat_oid tip;
	sat_buf bundle = { 0 };
	sat_rc rc;

	assert_true(n <= 256);
	for (size_t i = 0; i < n; i++)
		list[i] = (sat_git_file){ files[i].path, files[i].bytes };
	assert_rc(SAT_OK, sat_git_commit(&tip, f->git, "refs/heads/published", list, n,
	    &who, "template", e));
	assert_rc(SAT_OK, sat_git_bundle(&bundle, f->git, &tip, NULL, e));
	rc = f->ops.template_(f->ops.u, tip.b, sat_buf_span(&bundle), e);
	sat_buf_fini(&bundle);
	if (rc == SAT_OK)
		find_kinds(f);
	return rc;
}

void
give_staff(fixture *f, const sat_registry *reg)
{
	sat_buf b = { 0 };
	sat_err err;

	sat_registry_write(&b, reg);
	assert_ok(f->ops.registry(f->ops.u, sat_buf_span(&b), &err));
	sat_buf_fini(&b);
}

void
give_registry(fixture *f, uint64_t rev)
{
	sat_user users[2] = { { 1, "li", "Li", "rep", 1, false },
		{ 2, "wang", "Wang", "rep", 1, false } };
	sat_team team = { 1, "t1", "Team", "", false };
	sat_device devs[2] = { { DEV, 1, "d", false, false },
		{ OTHER, 2, "o", false, false } };
	sat_registry reg = { .rev = rev, .users = users, .nusers = 2,
		.teams = &team, .nteams = 1, .devices = devs, .ndevices = 2 };

	give_staff(f, &reg);
}

void
give_base(fixture *f, const char *path, const char *doc)
{
	sat_template_file files[FILES_MAX];
	size_t n = base_with(files, path, doc);
	sat_err err;

	f->now_ms += 1000;
	assert_ok(give_template(f, files, n, f->tmpl_sk, f->tmpl_pk, &err));
}

void
give_edited(fixture *f, const char *path, const char *was, const char *is)
{
	char *doc = edited(base_text(path), was, is);

	give_base(f, path, doc);
	free(doc);
}

void
found_replica(fixture *f, const char *name, const uint8_t *server_pk,
    const uint8_t *root_pk)
{
	sat_replica_identity id = { .incarnation = 1, .server = "tcp://x:1" };
	sat_enrolled in = { .device = DEV, .user = 1,
		.user_key = sat_span_str("li"), .role = sat_span_str("rep"),
		.org_name = sat_span_str("Org") };
	sat_replica_env env;
	uint8_t seed[32] = { 1 };
	sat_err err;

	f->path = sat_xasprintf("%s/%s", f->dir, name);
	id.org.b[0] = 5;
	sat_sign_keys(id.sign_pk, id.sign_sk, seed);
	seed[0] = 2;
	sat_sign_keys(f->tmpl_pk, f->tmpl_sk, seed);
	memcpy(in.template_pk, f->tmpl_pk, sizeof in.template_pk);
	if (server_pk != NULL)
		memcpy(id.server_pk, server_pk, sizeof id.server_pk);
	if (root_pk != NULL)
		memcpy(in.root_pk, root_pk, sizeof in.root_pk);
	env = env_of(f, f->path);
	assert_ok(sat_replica_create(&f->r, &env, &id, &err));
	find_kinds(f);
	assert_ok(sat_replica_enrolled(f->r, &in, &err));
	give_registry(f, 1);
	assert_ok(sat_git_memory(&f->git, &err));
	give_base(f, NULL, NULL);
}

int
setup(void **state)
{
	fixture *f = sat_xcalloc(1, sizeof *f);

	sat_crypto_init();
	f->dir = sat_test_dir();
	f->keyring = sat_keyring_memory(NULL);
	f->now_ms = 1700000000000;
	f->boot_ms = 5000;
	f->seed = sat_test_seed(42);
	found_replica(f, "replica.db", NULL, NULL);
	*state = f;
	return 0;
}

int
setup_complete(void **state)
{
	int rc = setup(state);

	srv_snapshot(*state, 100);
	return rc;
}

void
setup_in_plain(void **state, const uint8_t *server_pk, const uint8_t *root_pk)
{
	fixture *f;

	assert_int_equal(0, setup(state));
	f = *state;
	sat_replica_close(f->r);
	sat_git_close(f->git);
	sat_keyring_close(f->keyring);
	f->keyring = NULL;
	free(f->path);
	found_replica(f, "plain.db", server_pk, root_pk);
	srv_snapshot(f, 1000);
}

int
teardown(void **state)
{
	fixture *f = *state;

	sat_replica_close(f->r);
	sat_git_close(f->git);
	sat_keyring_close(f->keyring);
	sat_arena_fini(&f->a);
	sat_arena_fini(&f->srv.mem);
	free(f->srv.log);
	sat_test_rmdir(f->dir);
	free(f->path);
	free(f);
	return 0;
}

/* ---- writing ------------------------------------------------------------- */

sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

sat_op
op(const sat_kind *k, sat_op_kind kind, sat_id rec, uint16_t field, sat_value v)
{
	return (sat_op){ .kind = kind, .rtype = k->id, .field = field,
		.rec = rec, .value = v };
}

sat_rc
try_write(fixture *f, sat_id subject, sat_op *ops, size_t n, uint64_t *cseq,
    sat_err *e)
{
	sat_draft d = { .subject = subject, .ops = ops, .nops = n };

	f->now_ms += 1000;
	f->boot_ms += 1000;
	return sat_replica_write(f->r, &d, cseq, e);
}

uint64_t
write_ops(fixture *f, sat_id subject, sat_op *ops, size_t n)
{
	uint64_t cseq = 0;
	sat_err err;

	assert_ok(try_write(f, subject, ops, n, &cseq, &err));
	return cseq;
}

sat_id
new_account(fixture *f, const char *name, const char *phone)
{
	const sat_kind *k = f->account;
	sat_id id = sat_replica_new_id(f->r);
	sat_op ops[] = {
		op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		op(k, SAT_OP_MVSET, id, F_NAME, text(name)),
		op(k, SAT_OP_MVSET, id, F_PHONE, text(phone)),
		op(k, SAT_OP_SET, id, F_CITY, text("Hefei")),
		op(k, SAT_OP_STAGE, id, F_STAGE, text("first_contact")),
		op(k, SAT_OP_SADD, id, F_TAGS, text("vip")),
		op(k, SAT_OP_REASSIGN, id, F_OWNER, text("li")),
	};

	write_ops(f, id, ops, sizeof ops / sizeof ops[0]);
	return id;
}

uint64_t
set_text(fixture *f, sat_id id, uint16_t field, const char *v)
{
	sat_op o = op(f->account, field == F_NAME || field == F_PHONE ?
	    SAT_OP_MVSET : SAT_OP_SET, id, field, text(v));

	return write_ops(f, id, &o, 1);
}

/* ---- reading ------------------------------------------------------------- */

int64_t
visits_of(fixture *f, sat_id id)
{
	sat_view v = view_of(f, id);

	return sat_record_value(&v.rec, F_VISITS).i;
}

sat_replica_status
status_of(fixture *f)
{
	sat_replica_status st;
	sat_err err;

	assert_ok(sat_replica_status_get(&st, f->r, &err));
	return st;
}

sat_view
view_of(fixture *f, sat_id id)
{
	sat_view v;
	sat_err err;

	assert_ok(sat_replica_get(&v, &f->a, f->r, NULL, &id, &err));
	return v;
}

void
assert_text(fixture *f, sat_id id, uint16_t field, const char *want)
{
	sat_view v = view_of(f, id);
	sat_value got = sat_record_value(&v.rec, field);

	if (want == NULL) {
		assert_int_equal(SAT_V_NULL, got.type);
		return;
	}
	assert_int_equal(SAT_V_TEXT, got.type);
	if (!sat_span_eq(got.s, sat_span_str(want)))
		fail_msg("field %u is '%.*s', not '%s'", (unsigned)field,
		    (int)got.s.n, (const char *)got.s.p, want);
}

void
assert_gone(fixture *f, sat_id id)
{
	sat_view v;
	sat_err err;

	assert_rc(SAT_ENOTFOUND,
	    sat_replica_get(&v, &f->a, f->r, NULL, &id, &err));
}

int64_t
count_where(fixture *f, sat_filter filter)
{
	sat_query q = { .kind = f->account, .filters = &filter, .nfilters = 1 };
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	return n;
}

void
assert_sound(fixture *f)
{
	sat_err err;

	assert_ok(sat_replica_check(f->r, false, &err));
}

/* ---- the server ---------------------------------------------------------- */

void
assert_settled(fixture *f)
{
	assert_sound(f);
	assert_same_as_server(f);
}

bool
refuse_all(const sat_commit *c)
{
	(void)c;
	return true;
}

bool
refuse_bad(const sat_commit *c)
{
	for (size_t i = 0; i < c->nops; i++)
		if (sat_value_eq(c->ops[i].value, text("bad")))
			return true;
	return false;
}
