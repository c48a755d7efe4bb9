/*
 * crm_fixture.h - the replica's fixture with people in it: user 1 works on the
 * device, in the role the test wants.
 */
#ifndef TESTS_CRM_FIXTURE_H
#define TESTS_CRM_FIXTURE_H

#include "tests/unit/client/replica/fixture.h"

#include "client/crm/crm.h"
#include "common/sheet/sheet.h"

static inline sat_crm
crm_of(fixture *f)
{
	return (sat_crm){ f->r, { fake_wall, fake_boot, f }, "en" };
}

/* These and nobody else work here from now on, in the teams east (1) and west
 * (2); users 1 and 2 have a device. */
static inline void
staff(fixture *f, sat_user *users, size_t n)
{
	sat_team teams[2] = { { 1, "east", "East", "", false },
		{ 2, "west", "West", "", false } };
	sat_device devs[2] = { { DEV, 1, "d", false, false },
		{ OTHER, 2, "o", false, false } };
	sat_registry reg = { .users = users, .nusers = n, .teams = teams,
		.nteams = 2, .devices = devs, .ndevices = 2 };

	reg.rev = sat_replica_registry(f->r)->rev + 1;
	give_staff(f, &reg);
}

/* me (ord 1), u1 and u2 reps of two teams, gone: disabled. */
static inline void
people(fixture *f, const char *role)
{
	sat_user users[4] = { { 1, "me", "Me Myself", role, 1, false },
		{ 2, "u1", "Ada One", "rep", 1, false },
		{ 3, "u2", "Bob Two", "rep", 2, false },
		{ 4, "gone", "Gone Three", "rep", 1, true } };

	staff(f, users, 4);
}

static inline int
setup_hq(void **state)
{
	int rc = setup(state);

	people(*state, "hq");
	return rc;
}

static inline int
setup_rep(void **state)
{
	int rc = setup(state);

	people(*state, "rep");
	return rc;
}

/* A representative whose device has had its first session. */
static inline int
setup_synced(void **state)
{
	int rc = setup_rep(state);

	srv_snapshot(*state, 100);
	return rc;
}

/* A test of somebody of headquarters, or of a representative. */
#define HQ(name) cmocka_unit_test_setup_teardown(name, setup_hq, teardown)
#define REP(name) cmocka_unit_test_setup_teardown(name, setup_rep, teardown)
#define SYNCED(name)                                                          \
	cmocka_unit_test_setup_teardown(name, setup_synced, teardown)

static inline void
passes(fixture *f, int64_t ms)
{
	f->now_ms += ms;
	f->boot_ms += ms;
}

static inline const sat_kind *
kind(fixture *f, const char *key)
{
	const sat_kind *k = sat_template_kind(sat_replica_template(f->r), key);

	assert_non_null(k);
	return k;
}

#define IN(k, v) { '=', k, { (const uint8_t *)(v), sizeof(v) - 1 } }

static inline sat_input
in(const char *field, const char *text_)
{
	return (sat_input){ '=', field, sat_span_str(text_) };
}

/* "key=value" pairs up to NULL. */
#define INPUTS_MAX 32
typedef struct pairs {
	sat_input in[INPUTS_MAX];
	char keys[INPUTS_MAX][40];
	size_t n;
} pairs;

static inline void
read_pairs(pairs *p, const char *const *list)
{
	for (p->n = 0; list[p->n] != NULL; p->n++) {
		const char *eq = strchr(list[p->n], '=');

		assert_non_null(eq);
		assert_true(p->n < INPUTS_MAX);
		(void)snprintf(p->keys[p->n], 40, "%.*s",
		    (int)(eq - list[p->n]), list[p->n]);
		p->in[p->n] = in(p->keys[p->n], eq + 1);
	}
}
#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* "field=ID" for such a list; good until eight more were asked for. */
static inline const char *
ref(const char *field, sat_id to)
{
	static char said[8][80];
	static unsigned n;
	char id[SAT_ID_TEXT], *out = said[n++ % 8];

	sat_id_text(id, &to);
	(void)snprintf(out, sizeof said[0], "%s=%s", field, id);
	return out;
}

static inline sat_rc
try_create(sat_id *id, fixture *f, const sat_kind *k, const char *const *list,
    sat_err *e)
{
	sat_crm c = crm_of(f);
	pairs p;

	passes(f, 10);
	read_pairs(&p, list);
	memset(e, 0, sizeof *e);
	return sat_crm_create(id, &c, k, p.in, p.n, NULL, NULL, NULL, e);
}

static inline sat_id
made(fixture *f, const sat_kind *k, const char *const *list)
{
	sat_err err;
	sat_id id;

	assert_ok(try_create(&id, f, k, list, &err));
	return id;
}

static inline sat_rc
try_edit(size_t *changed, fixture *f, const sat_kind *k, sat_id id,
    const char *const *list, sat_err *e)
{
	sat_crm c = crm_of(f);
	pairs p;

	passes(f, 10);
	read_pairs(&p, list);
	memset(e, 0, sizeof *e);
	return sat_crm_edit(changed, &c, k, &id, p.in, p.n, NULL, e);
}

/* An edit that changes something. */
static inline void
change(fixture *f, const sat_kind *k, sat_id id, const char *const *list)
{
	size_t changed;
	sat_err err;

	assert_ok(try_edit(&changed, f, k, id, list, &err));
	assert_true(changed > 0);
}

/* A customer of u1 with what the gate requires. */
static inline sat_id
customer(fixture *f, const char *name, const char *phone)
{
	char n[200], p[80];

	(void)snprintf(n, sizeof n, "name=%s", name);
	(void)snprintf(p, sizeof p, "phone_main=%s", phone);
	return made(f, f->account, LIST(n, p, "industry=C34",
	    "contact_name=Zhang", "need_type=product", "source=fair"));
}

/* One more, although he may be there already. */
static inline sat_id
second(fixture *f, const char *const *list)
{
	sat_crm c = crm_of(f);
	sat_write_opts why = { .duplicate_reason = "test" };
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_err err;
	sat_id id;
	pairs p;
	size_t n;

	passes(f, 10);
	read_pairs(&p, list);
	assert_ok(sat_crm_create(&id, &c, f->account, p.in, p.n, &why, dup, &n,
	    &err));
	return id;
}

/* One that has what a merge moves: tags, a counter, a city. */
static inline sat_id
acme_two(fixture *f)
{
	return second(f, LIST("name=Acme Two", "phone_main=13900000001",
	    "industry=C35", "contact_name=Wang", "need_type=product",
	    "tags=vip", "visit_count=2", "city=Shanghai"));
}

/* `field`, unless it is NULL, as `who` has it. */
static inline sat_rc
try_merge(fixture *f, sat_id loser, sat_id winner, const char *field,
    const char *who, sat_err *e)
{
	sat_crm c = crm_of(f);
	sat_input one = { '=', field, sat_span_str(who != NULL ? who : "") };

	passes(f, 10);
	memset(e, 0, sizeof *e);
	return sat_crm_merge(&c, f->account, &loser, &winner, &one,
	    field != NULL ? 1 : 0, e);
}

/* A record below a customer. */
static inline sat_id
child(fixture *f, const char *key, sat_id account, const char *const *list)
{
	const char *all[INPUTS_MAX + 1] = { ref("account", account) };
	size_t n = 1;

	for (; list[n - 1] != NULL && n < INPUTS_MAX; n++)
		all[n] = list[n - 1];
	assert_null(list[n - 1]);
	return made(f, kind(f, key), all);
}

static inline sat_id
deal_of(fixture *f, sat_id account, const char *amount)
{
	char am[64];

	(void)snprintf(am, sizeof am, "amount=%s", amount);
	return child(f, "opportunity", account, LIST("name=deal", am,
	    "owner=u1"));
}

static inline const sat_field *
field_of(const sat_kind *k, const char *key)
{
	const sat_field *fd = sat_kind_field(k, key);

	assert_non_null(fd);
	return fd;
}

/* Own work the server refused. */
static inline sat_quarantined *
open_ones(size_t *n, fixture *f)
{
	sat_quarantined *q;
	sat_err err;

	assert_ok(sat_replica_quarantine(&q, n, &f->a, f->r, &err));
	return q;
}

/* Another device suggests these operations on a record; gives the LSN. */
static inline uint64_t
suggested(fixture *f, const sat_kind *k, sat_id on, sat_op *ops, size_t n,
    const char *why)
{
	sat_commit part = { .subject = on, .ops = ops, .nops = n };
	sat_handed h = { .dev = OTHER, .actor = sat_span_str("u1"),
		.why = sat_span_str(why), .hlc = sat_hlc_of_ms(f->now_ms) };
	sat_buf b = { 0 }, v = { 0 };
	uint64_t lsn;
	sat_op hand;

	sat_commit_write_payload(&b, &part);
	h.ops = sat_buf_span(&b);
	sat_handed_write(&v, &h);
	hand = op(k, SAT_OP_HAND, on, SAT_SYS_HANDED,
	    sat_v_bytes(sat_buf_span(&v)));
	lsn = srv_foreign(f, on, &hand, 1, f->srv.n);
	sat_buf_fini(&b);
	sat_buf_fini(&v);
	return lsn;
}

/* The value as keys and numbers in text form; "" when unset. */
static inline const char *
value_of(fixture *f, const sat_kind *k, sat_id id, const char *key)
{
	static sat_buf b;
	sat_view v = view_of(f, id);

	sat_buf_reset(&b);
	sat_field_format(&b, sat_replica_template(f->r), field_of(k, key),
	    sat_record_value(&v.rec, field_of(k, key)->id), NULL);
	return sat_buf_cstr(&b);
}

static inline bool
finds(const sat_err *e, const char *path, const char *code)
{
	for (unsigned i = 0; i < e->nfields; i++)
		if (strcmp(e->fields[i].path, path) == 0 &&
		    strcmp(e->fields[i].code, code) == 0)
			return true;
	return false;
}

/* All of a kind that match a filter as people write it. */
static inline sat_query
as_typed(fixture *f, const sat_kind *k, const char *expr)
{
	sat_crm c = crm_of(f);
	sat_filter *flt;
	sat_query q = { .kind = k };
	sat_err err;

	assert_ok(sat_crm_where(&flt, &q.nfilters, &f->a, &c, k, expr, &err));
	q.filters = flt;
	return q;
}

static inline int64_t
count_as_typed(fixture *f, const sat_kind *k, const char *expr)
{
	sat_query q = as_typed(f, k, expr);
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	return n;
}

/* The only one there is. */
static inline sat_id
the_one(fixture *f, const sat_kind *k, const char *expr)
{
	sat_query q = as_typed(f, k, expr);
	sat_id *ids;
	size_t n;
	sat_err err;

	assert_ok(sat_replica_list(&ids, &n, NULL, &f->a, f->r, &q, &err));
	assert_int_equal(1, n);
	return ids[0];
}

static inline int64_t
count_of(fixture *f, const sat_kind *k)
{
	sat_query q = { .kind = k };
	int64_t n;
	sat_err err;

	assert_ok(sat_replica_count(&n, f->r, &q, &err));
	return n;
}

#endif
