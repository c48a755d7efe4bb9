#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"
#include "common/git/git.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/unit/client/sync/company.h"

static int64_t
c_wall(void *u)
{
	return ((company *)u)->now_ms;
}

static int64_t
c_boot(void *u)
{
	return ((company *)u)->boot_ms;
}

static void
c_bytes(void *u, void *out, size_t n)
{
	for (uint8_t *p = out; n-- > 0; p++)
		*p = (uint8_t)sat_test_rand(&((company *)u)->seed);
}

sat_rand
c_rand(company *c)
{
	return (sat_rand){ c_bytes, c };
}

sat_clock
c_clock(company *c)
{
	return (sat_clock){ c_wall, c_boot, c };
}

static const sat_template *
c_template_at(void *u, const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	company *c = u;

	return memcmp(oid, c->tip.b, sizeof c->tip.b) == 0 ? c->t : NULL;
}

static void
c_template_tip(void *u, uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	memcpy(oid, ((company *)u)->tip.b, SAT_TEMPLATE_OID_BYTES);
}

static sat_rc
c_bundle(void *u, sat_buf *out, uint8_t *tip, const uint8_t *have, sat_err *e)
{
	static const uint8_t none[SAT_TEMPLATE_OID_BYTES];
	company *c = u;
	sat_oid from, to;
	sat_rc rc;

	memcpy(from.b, have, sizeof from.b);
	memcpy(to.b, tip, sizeof to.b);
	rc = sat_git_bundle_part(out, c->git, &to, memcmp(have, none,
	    sizeof none) == 0 ? NULL : &from, SAT_TEMPLATE_PART_MAX, e);
	memcpy(tip, to.b, sizeof to.b);
	return rc;
}

sat_rc
c_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e)
{
	(void)e;
	sat_sign(sig, bytes, ((company *)u)->server_sk);
	return SAT_OK;
}

void
company_server(company *c)
{
	char *path = sat_xasprintf("%s/server.db", c->dir);
	sat_sqlite_store_opts o = { .path = path, .create = true,
		.clock = c_clock(c) };
	sat_server_env env = { .clock = o.clock, .org = c->org,
		.org_name = "Test", .template_at = c_template_at,
		.template_tip = c_template_tip, .template_bundle = c_bundle,
		.sign = c_sign, .rand = c_rand(c), .u = c,
		.chunk_bytes = c->chunk_bytes, .permits = c->permits };
	sat_buf b = { 0 };
	sat_err err = { 0 };

	memcpy(env.template_pk, c->tmpl_pk, sizeof env.template_pk);
	memcpy(env.server_pk, c->server_pk, sizeof env.server_pk);
	memcpy(env.root_pk, c->root_pk, sizeof env.root_pk);
	sat_server_key_bytes(&b, &c->org, c->server_pk);
	sat_sign(env.server_cert, sat_buf_span(&b), c->root_sk);
	sat_buf_fini(&b);
	assert_ok(sat_sqlite_store_open(&c->store, &o, &err));
	env.store = sat_sqlite_store_ops(c->store);
	assert_ok(sat_server_new(&c->server, &env, &err));
	free(path);
}

const char *company_limits, *company_matrix, *company_fields,
    *company_privacy;

static void
replace(sat_template_file *f, const char *path, const char *text)
{
	if (text != NULL && strcmp(f->path, path) == 0)
		f->bytes = sat_span_str(text);
}

static void
company_template(company *c)
{
	sat_git_author who = { "t", "t@x", c->now_ms, c->tmpl_sk, c->tmpl_pk };
	sat_git_file list[256];
	sat_template_file files[256];
	const sat_template_file *base;
	sat_err err = { 0 };
	size_t n;

	base = sat_template_base(&n);
	assert_true(n <= 256);
	memcpy(files, base, n * sizeof *files);
	for (size_t i = 0; i < n; i++) {
		replace(&files[i], "policy/limits.json", company_limits);
		replace(&files[i], "acl/matrix.json", company_matrix);
		replace(&files[i], "fields/account.json", company_fields);
		replace(&files[i], "policy/privacy.json", company_privacy);
	}
	for (size_t i = 0; i < n; i++)
		list[i] = (sat_git_file){ files[i].path, files[i].bytes };
	assert_ok(sat_git_memory(&c->git, &err));
	assert_ok(sat_git_commit(&c->tip, c->git, "refs/heads/published", list,
	    n, &who, "template", &err));
	assert_ok(sat_template_load(&c->t, files, n, &err));
}

company *
company_new(uint64_t seed)
{
	company *c = sat_xcalloc(1, sizeof *c);
	uint8_t key[32] = { 2 };

	sat_crypto_init();
	c->seed = sat_test_seed(seed);
	c->now_ms = 1800000000000;
	c->boot_ms = 5000;
	c->org.b[0] = 5;
	c->dir = sat_test_dir();
	sat_sign_keys(c->tmpl_pk, c->tmpl_sk, key);
	key[0] = 3;
	sat_sign_keys(c->server_pk, c->server_sk, key);
	key[0] = 4;
	sat_sign_keys(c->root_pk, c->root_sk, key);
	company_template(c);
	company_server(c);
	return c;
}

void
company_free(company *c)
{
	for (size_t i = 0; i < c->n; i++) {
		sat_replica_close(c->r[i]);
		sat_keyring_close(c->ring[i]);
	}
	sat_server_free(c->server);
	sat_sqlite_store_close(c->store);
	sat_template_free(c->t);
	sat_git_close(c->git);
	sat_arena_fini(&c->a);
	sat_test_rmdir(c->dir);
	free(c);
}

int
company_end(void **state)
{
	company_free(*state);
	return 0;
}

void
company_user(company *c, const char *key, const char *role, const char *team)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_user_add(&ord, c->store, key, key, role, team,
	    &err));
	assert_ok(sat_server_reload(c->server, &err));
}

void
company_team(company *c, const char *key)
{
	sat_err err = { 0 };
	uint32_t ord;

	assert_ok(sat_sqlite_team_add(&ord, c->store, key, key, NULL, &err));
	assert_ok(sat_server_reload(c->server, &err));
}

void
company_staff(company *c, const char *people)
{
	char key[20], role[20], team[20], teams[200] = ",";

	for (const char *p = people; *p != '\0'; p += strspn(p, ", ")) {
		bool in_team = sscanf(p, "%19[a-z0-9] %19[a-z] %19[a-z]", key,
		    role, team) == 3;

		p += strcspn(p, ",");
		if (in_team && strstr(teams, team) == NULL) {
			company_team(c, team);
			(void)strncat(teams, team, sizeof teams - 30);
		}
		company_user(c, key, role, in_team ? team : NULL);
	}
}

void
company_pass(company *c, int64_t ms)
{
	c->now_ms += ms;
	c->boot_ms += ms;
}

/* ---- devices ------------------------------------------------------------- */

bool
company_exchange(company *c, sat_cs *cs, sat_server_session *x, sat_rc *rc,
    sat_err *e)
{
	sat_buf request = { 0 }, reply = { 0 };
	bool done = false;
	sat_err err = { 0 };

	*rc = sat_cs_next(cs, &request, &done, e);
	if (*rc == SAT_OK && !done) {
		c->types[request.p[0] % 64]++;
		sat_cs_prepare(cs);
		assert_ok(sat_server_handle(c->server, x, &reply,
		    sat_buf_span(&request), &err));
		c->bytes += request.n + reply.n;
		*rc = sat_cs_reply(cs, sat_buf_span(&reply), e);
	}
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
	return *rc == SAT_OK && !done;
}

sat_rc
company_try_sync(company *c, size_t i, sat_err *e)
{
	sat_client_ops ops = sat_replica_session(c->r[i]);
	sat_server_session x = { .device = 0 };
	sat_clock clock = c_clock(c);
	sat_cs *cs = sat_cs_new(&ops, &clock, 0);
	size_t n = 0;
	sat_rc rc;

	memcpy(x.channel_pk, sat_replica_identity_get(c->r[i])->channel_pk,
	    sizeof x.channel_pk);
	memset(c->types, 0, sizeof c->types);
	c->bytes = 0;
	company_pass(c, 1000);
	while (company_exchange(c, cs, &x, &rc, e) &&
	    (c->stop_after == 0 || ++n < c->stop_after))
		;
	c->stats = *sat_cs_stats_get(cs);
	sat_cs_free(cs);
	return rc;
}

void
company_sync(company *c, size_t i)
{
	sat_err err = { 0 };

	assert_ok(company_try_sync(c, i, &err));
}

static void
company_enrol(company *c, size_t i, const char *user)
{
	const sat_replica_identity *id = sat_replica_identity_get(c->r[i]);
	sat_msg m = { .type = SAT_MSG_ENROL };
	sat_server_session x = { .device = 0 };
	sat_buf request = { 0 }, reply = { 0 };
	sat_err err = { 0 };

	m.u.enrol = (sat_enrol){ .proto_min = SAT_PROTO_MIN,
		.proto_max = SAT_PROTO_VERSION, .org = c->org,
		.name = sat_span_str("d"), .wall_ms = c->now_ms };
	c_bytes(c, m.u.enrol.token, sizeof m.u.enrol.token);
	memcpy(m.u.enrol.sign_pk, id->sign_pk, sizeof id->sign_pk);
	assert_ok(sat_sqlite_invite_add(c->store, m.u.enrol.token, user,
	    c->now_ms + 60000, &err));
	sat_msg_write(&request, &m);
	memcpy(x.channel_pk, id->channel_pk, sizeof x.channel_pk);
	assert_ok(sat_server_handle(c->server, &x, &reply,
	    sat_buf_span(&request), &err));
	assert_ok(sat_msg_read(&m, &c->a, sat_buf_span(&reply), &err));
	assert_int_equal(SAT_MSG_ENROLLED, m.type);
	assert_ok(sat_replica_enrolled(c->r[i], &m.u.enrolled, &err));
	sat_buf_fini(&request);
	sat_buf_fini(&reply);
}

size_t
company_device(company *c, const char *user)
{
	size_t i = c->n++;
	char *path = sat_xasprintf("%s/replica%zu.db", c->dir, i);
	sat_replica_identity id = { .incarnation = 1, .server = "tcp://x:1" };
	sat_replica_env env;
	uint8_t key[32] = { 40 };
	sat_err err = { 0 };

	assert_true(i < DEVICES);
	c->ring[i] = sat_keyring_memory(NULL);
	key[1] = (uint8_t)i;
	id.org = c->org;
	sat_sign_keys(id.sign_pk, id.sign_sk, key);
	id.channel_pk[0] = (uint8_t)(i + 1);
	env = (sat_replica_env){ .path = path, .keyring = c->ring[i],
		.clock = c_clock(c), .rand = c_rand(c) };
	assert_ok(sat_replica_create(&c->r[i], &env, &id, &err));
	company_enrol(c, i, user);
	free(path);
	return i;
}

void
company_devices(company *c, const char *users)
{
	char user[20];
	int end;

	for (; sscanf(users, "%19s%n", user, &end) == 1; users += end)
		(void)company_device(c, user);
	company_sync_all(c);
}

void
company_reopen(company *c, size_t i)
{
	char *path = sat_xasprintf("%s/replica%zu.db", c->dir, i);
	sat_replica_env env = { .path = path, .keyring = c->ring[i],
		.clock = c_clock(c), .rand = c_rand(c) };
	sat_err err = { 0 };

	sat_replica_close(c->r[i]);
	assert_ok(sat_replica_open(&c->r[i], &env, &err));
	free(path);
}

void
company_sync_all(company *c)
{
	for (size_t i = 0; i < c->n; i++)
		company_sync(c, i);
}

/* ---- writing and reading ------------------------------------------------- */

sat_value
c_text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

const sat_kind *
kind_of(company *c, size_t i, const char *key)
{
	return sat_template_kind(sat_replica_template(c->r[i]), key);
}

void
company_write(company *c, size_t i, sat_id subject, sat_op *ops, size_t n)
{
	sat_draft d = { .subject = subject, .ops = ops, .nops = n };
	sat_err err = { 0 };
	uint64_t cseq;

	company_pass(c, 1000);
	assert_ok(sat_replica_write(c->r[i], &d, &cseq, &err));
}

sat_op
c_op(const sat_kind *k, sat_op_kind kind, sat_id rec, uint16_t field,
    sat_value v)
{
	return (sat_op){ .kind = kind, .rtype = k->id, .field = field,
		.rec = rec, .value = v };
}

sat_id
company_account(company *c, size_t i, const char *name, const char *owner)
{
	const sat_kind *k = kind_of(c, i, "account");
	sat_id id = sat_replica_new_id(c->r[i]);
	sat_op ops[] = {
		c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
		c_op(k, SAT_OP_MVSET, id, A_NAME, c_text(name)),
		c_op(k, SAT_OP_MVSET, id, A_PHONE, c_text("13800000000")),
		c_op(k, SAT_OP_SET, id, A_CITY, c_text("Hefei")),
		c_op(k, SAT_OP_STAGE, id, A_STAGE, c_text("first_contact")),
		c_op(k, SAT_OP_SADD, id, A_TAGS, c_text("vip")),
		c_op(k, SAT_OP_REASSIGN, id, A_OWNER, c_text(owner)),
	};

	company_write(c, i, id, ops, sizeof ops / sizeof ops[0]);
	return id;
}

void
company_firms(company *c, sat_id *ids, size_t n)
{
	char name[32];

	company_sync(c, 0);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof name, "Firm %zu", i);
		ids[i] = company_account(c, 0, name, "li");
	}
	for (size_t i = 0; i < 3; i++)
		company_sync(c, i);
}

void
company_set(company *c, size_t i, sat_id id, uint16_t field, const char *v)
{
	sat_op o = c_op(kind_of(c, i, "account"),
	    field == A_NAME || field == A_PHONE ? SAT_OP_MVSET :
	    field == A_OWNER ? SAT_OP_REASSIGN : SAT_OP_SET, id, field,
	    c_text(v));

	company_write(c, i, id, &o, 1);
}

void
company_merge(company *c, size_t i, sat_id loser, sat_id winner)
{
	sat_op o = c_op(kind_of(c, i, "account"), SAT_OP_MERGE, loser,
	    SAT_SYS_REDIRECT, sat_v_id(&winner));

	company_write(c, i, winner, &o, 1);
}

uint32_t
company_ord_of(company *c, const char *user)
{
	return sat_registry_user(sat_server_registry(c->server),
	    sat_span_str(user))->ord;
}

void
company_erase(company *c, sat_id id)
{
	sat_err err = { 0 };

	assert_ok(sat_server_erase(c->server, &id, company_ord_of(c, "hq"),
	    company_ord_of(c, "hq2"), sat_span_str("request 7"), &err));
}

void
company_shows(company *c, size_t i, sat_id id, uint16_t field, const char *want)
{
	sat_view v;
	sat_err err = { 0 };
	sat_value got;

	assert_ok(sat_replica_get(&v, &c->a, c->r[i], NULL, &id, &err));
	got = sat_record_value(&v.rec, field);
	if (got.type != SAT_V_TEXT || !sat_span_eq(got.s, sat_span_str(want)))
		fail_msg("field %u is '%.*s', not '%s'", (unsigned)field,
		    got.type == SAT_V_TEXT ? (int)got.s.n : 0,
		    got.type == SAT_V_TEXT ? (const char *)got.s.p : "", want);
}

void
c_dump(void *u, const sat_id *id, sat_span state)
{
	sat_buf_add(u, id->b, sizeof id->b);
	sat_write_span(u, state);
}

void
assert_same(company *c, size_t i)
{
	const sat_user *u = sat_registry_user_ord(
	    sat_server_registry(c->server),
	    sat_replica_identity_get(c->r[i])->user);
	sat_buf x = { 0 }, y = { 0 };
	sat_err err = { 0 };

	assert_ok(sat_server_dump(c->server, u, c_dump, &x, &err));
	assert_ok(sat_replica_dump(c->r[i], c_dump, &y, &err));
	assert_true(sat_span_eq(sat_buf_span(&x), sat_buf_span(&y)));
	sat_buf_fini(&x);
	sat_buf_fini(&y);
}

sat_replica_status
company_status(company *c, size_t i)
{
	sat_replica_status st;
	sat_err err = { 0 };

	assert_ok(sat_replica_status_get(&st, c->r[i], &err));
	return st;
}

void
company_sound(company *c, size_t i)
{
	sat_err err = { 0 };

	assert_ok(sat_replica_check(c->r[i], false, &err));
}

void
company_right(company *c, size_t i)
{
	assert_int_equal(0, company_status(c, i).diverged.count);
	assert_same(c, i);
	company_sound(c, i);
}

void
sql(company *c, size_t i, const char *text)
{
	sat_err err = { 0 };

	assert_ok(sat_db_exec(sat_replica_db(c->r[i]), text, &err));
}

company *
company_people(uint64_t seed, const char *bo_team)
{
	static const char *const who[] = { "ann", "bo", "max", "hq" };
	company *c = company_new(seed);

	company_team(c, "a");
	if (strcmp(bo_team, "a") != 0)
		company_team(c, bo_team);
	company_user(c, "ann", "rep", "a");
	company_user(c, "bo", "rep", bo_team);
	company_user(c, "max", "manager", "a");
	company_user(c, "hq", "hq", NULL);
	for (size_t i = 0; i < DEVICES; i++)
		(void)company_device(c, who[i]);
	for (size_t i = 0; i < DEVICES; i++)
		company_sync(c, i);
	return c;
}

size_t
company_li(sat_id *firm, company *c, const char *staff)
{
	size_t li;

	company_staff(c, staff);
	li = company_device(c, "li");
	company_sync(c, li);
	*firm = company_account(c, li, "Firm", "li");
	company_sync(c, li);
	return li;
}
