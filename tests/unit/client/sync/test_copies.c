/*
 * A folder and two copies of it that run at the same time (property 23 of the sync
 * design; P-074, P-143): on all three somebody writes, and they hold links to the
 * server at once, whose requests arrive in any order. Histories are drawn from
 * seeds; each kind of trouble must come up often enough.
 */
#include "tests/lib/unit.h"

#include "common/base/file.h"
#include "common/model/number.h"
#include "tests/unit/client/sync/company.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORIES 20
#define STEPS 180
#define RECORDS 48
#define SAVES 400
#define A_NUMBER 1
#define A_VISITS 25
#define HQ 1

enum { LI, COPY = 2, ALIVE = 3 };

static struct {
	unsigned saves, inherited, forks, moved, both, between, broken, leased;
} hit;

typedef struct side {
	size_t i;
	sat_client_ops ops;
	sat_server_session x;
	sat_clock clock;
	sat_cs *cs;      /* NULL: no link */
	unsigned serial; /* of provisional numbers */
} side;

typedef struct history {
	company *c;
	uint64_t rand;
	side s[ALIVE];
	bool copied;
	sat_id rec[RECORDS];
	int64_t visits[RECORDS]; /* how often somebody was told "saved" */
	size_t nrec;
	struct { size_t rec; char tag[16]; } tag[SAVES];
	size_t ntag;
} history;

static bool
chance(history *h, unsigned percent)
{
	return sat_test_rand(&h->rand) % 100 < percent;
}

static size_t
below(history *h, size_t n)
{
	return (size_t)(sat_test_rand(&h->rand) % n);
}

/* ---- what its people do ------------------------------------------------------------ */

/* Numbered from the leases, which both copies have. */
static void
make(history *h, side *s)
{
	company *c = h->c;
	const sat_kind *k = kind_of(c, s->i, "account");
	sat_id id = sat_replica_new_id(c->r[s->i]);
	char series[SAT_SERIES_TEXT], number[SAT_NUMBER_TEXT];
	sat_clock clock = c_clock(c);
	sat_err err = { 0 };
	uint64_t n, cseq;

	sat_number_series(series, "C", sat_wall_ms(&clock), 480);
	assert_ok(sat_replica_group_begin(c->r[s->i], &err));
	assert_ok(sat_replica_number_next(&n, c->r[s->i], series, 0, &err));
	if (n != 0)
		(void)sat_number_text(number, series, n);
	else
		(void)sat_number_provisional(number, series,
		    sat_replica_identity_get(c->r[s->i])->device, ++s->serial);
	hit.leased += n != 0;
	{
		sat_op ops[] = {
			c_op(k, SAT_OP_NEW, id, 0, sat_v_null()),
			c_op(k, SAT_OP_SET, id, A_NUMBER, c_text(number)),
			c_op(k, SAT_OP_MVSET, id, A_NAME, c_text("Firm")),
			c_op(k, SAT_OP_STAGE, id, A_STAGE,
			    c_text("first_contact")),
			c_op(k, SAT_OP_REASSIGN, id, A_OWNER, c_text("li")),
		};
		sat_draft d = { .subject = id, .ops = ops, .nops = 5 };

		company_pass(c, 1000);
		assert_ok(sat_replica_write(c->r[s->i], &d, &cseq, &err));
	}
	if (n != 0)
		assert_ok(sat_replica_number_used(c->r[s->i], series, n,
		    &err));
	assert_ok(sat_replica_group_commit(c->r[s->i], &err));
	h->rec[h->nrec++] = id;
	hit.saves++;
}

/* A visit counts one, a tag is nobody else's: each save is seen in its record,
 * and that it counted once. */
static void
edit(history *h, size_t device)
{
	company *c = h->c;
	const sat_kind *k = kind_of(c, device, "account");
	size_t r = below(h, h->nrec);
	sat_view v;
	sat_op op;
	sat_err err = { 0 };

	if (sat_replica_get(&v, &c->a, c->r[device], NULL, &h->rec[r], &err) !=
	    SAT_OK)
		return; /* the other one made it */
	if (chance(h, 50) || h->ntag == SAVES) {
		op = c_op(k, SAT_OP_ADD, h->rec[r], A_VISITS, sat_v_int(1));
		h->visits[r]++;
	} else {
		h->tag[h->ntag].rec = r;
		(void)snprintf(h->tag[h->ntag].tag, sizeof h->tag[0].tag,
		    "t%zu", h->ntag);
		op = c_op(k, SAT_OP_SADD, h->rec[r], A_TAGS,
		    c_text(h->tag[h->ntag++].tag));
	}
	company_write(c, device, h->rec[r], &op, 1);
	hit.saves++;
}

/* ---- links --------------------------------------------------------------------------- */

static void
hang_up(side *s)
{
	sat_cs_free(s->cs);
	s->cs = NULL;
}

static void
dial(history *h, side *s)
{
	const sat_replica_identity *id;

	s->clock = c_clock(h->c);
	s->ops = sat_replica_session(h->c->r[s->i]);
	s->x = (sat_server_session){ .device = 0 };
	id = sat_replica_identity_get(h->c->r[s->i]);
	memcpy(s->x.channel_pk, id->channel_pk, sizeof s->x.channel_pk);
	company_pass(h->c, 1000);
	s->cs = sat_cs_new(&s->ops, &s->clock, 0);
}

static int
linked(const history *h)
{
	int n = 0;

	for (int i = 0; i < ALIVE; i++)
		n += h->s[i].cs != NULL;
	return n;
}

/* One request and its answer. A fork ends the session; the next one goes on
 * under a new incarnation. */
static void
exchange(history *h, side *s)
{
	size_t pushes = h->c->types[SAT_MSG_PUSH];
	size_t pending = (size_t)company_status(h->c, s->i).pending_commits;
	sat_err err = { 0 };
	sat_rc rc;

	if (s->cs == NULL)
		dial(h, s);
	if (company_exchange(h->c, s->cs, &s->x, &rc, &err)) {
		if (h->c->types[SAT_MSG_PUSH] > pushes && linked(h) > 1)
			hit.between++;
		return;
	}
	hang_up(s);
	if (rc == SAT_OK)
		return;
	if (rc != SAT_ECONFLICT || strcmp(err.code, "fork") != 0)
		fail_msg("a session of %zu fails: %s (%s)", s->i, err.text,
		    err.code);
	hit.forks++;
	assert_ok(sat_replica_new_incarnation(h->c->r[s->i], &err));
	hit.moved += (unsigned)pending;
}

/* To the end, and on after forks. */
static void
session(history *h, side *s)
{
	unsigned forks = hit.forks, was;
	int n = 0;

	do {
		was = hit.forks;
		if (s->cs == NULL)
			dial(h, s);
		while (s->cs != NULL)
			exchange(h, s);
		if (++n > 20)
			fail_msg("%u forks, and no end", hit.forks - forks);
	} while (hit.forks != was);
}

/* ---- the copy ------------------------------------------------------------------------ */

static void
copy_file(const char *from, const char *to)
{
	sat_buf b = { 0 };
	sat_err err = { 0 };
	FILE *f;

	if (access(from, F_OK) != 0)
		return;
	assert_ok(sat_file_read(&b, from, (size_t)1 << 30, &err));
	assert_non_null(f = fopen(to, "wb"));
	assert_int_equal(b.n, fwrite(b.p, 1, b.n, f));
	assert_int_equal(0, fclose(f));
	sat_buf_fini(&b);
}

/* The folder is copied by hand, twice, while the program is closed; all go on. */
static void
copy(history *h)
{
	company *c = h->c;
	char *from = sat_xasprintf("%s/replica%d.db", c->dir, LI);
	sat_err err = { 0 };

	if (h->s[0].cs != NULL)
		hang_up(&h->s[0]);
	hit.inherited += (unsigned)company_status(c, LI).pending_commits;
	sat_replica_close(c->r[LI]);
	c->r[LI] = NULL;
	for (int i = 0; i < ALIVE - 1; i++) {
		char *dir = sat_xasprintf("%s/copy%d", c->dir, i);
		char *to = sat_xasprintf("%s/replica%d.db", dir, LI);
		sat_replica_env env = { .path = to, .keyring = c->ring[LI],
			.clock = c_clock(c), .rand = c_rand(c) };

		assert_int_equal(0, mkdir(dir, 0700));
		copy_file(from, to);
		assert_ok(sat_replica_open(&c->r[COPY + i], &env, &err));
		free(dir);
		free(to);
	}
	company_reopen(c, LI);
	h->copied = true;
	free(from);
}

/* ---- a history ------------------------------------------------------------------------ */

static void
step(history *h)
{
	side *s = &h->s[h->copied ? below(h, ALIVE) : 0];

	if (chance(h, 35))
		edit(h, s->i);
	else if (chance(h, 8) && h->nrec < RECORDS)
		make(h, s);
	else if (chance(h, 6))
		edit(h, HQ);
	else if (chance(h, 6))
		company_sync(h->c, HQ);
	else if (chance(h, 4) && s->cs != NULL) {
		hang_up(s);
		hit.broken++;
	} else
		exchange(h, s);
	hit.both += linked(h) > 1;
}

static bool
tagged(history *h, const sat_record *r, const char *tag)
{
	const sat_cell *cell = sat_record_cell(r, A_TAGS);
	sat_element *el;
	size_t n = cell != NULL ? sat_cell_elements(&el, &h->c->a, cell) : 0;

	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, sat_span_str(tag)))
			return true;
	return false;
}

static void
check(history *h)
{
	company *c = h->c;
	uint64_t commits, records;
	sat_view v[RECORDS];
	sat_err err = { 0 };

	for (size_t i = 0; i < h->nrec; i++) {
		sat_value number;

		assert_ok(sat_replica_get(&v[i], &c->a, c->r[HQ], NULL,
		    &h->rec[i], &err));
		if (sat_record_value(&v[i].rec, A_VISITS).i != h->visits[i])
			fail_msg("%lld visits were saved, %lld are there",
			    (long long)h->visits[i], (long long)
			    sat_record_value(&v[i].rec, A_VISITS).i);
		number = sat_record_value(&v[i].rec, A_NUMBER);
		assert_int_equal(SAT_V_TEXT, number.type);
		for (size_t k = 0; k < i; k++)
			assert_false(sat_value_eq(number, sat_record_value(
			    &v[k].rec, A_NUMBER)));
	}
	for (size_t i = 0; i < h->ntag; i++)
		if (!tagged(h, &v[h->tag[i].rec].rec, h->tag[i].tag))
			fail_msg("what was saved as %s is nowhere",
			    h->tag[i].tag);
	assert_ok(sat_server_verify(c->server, &commits, &records, &err));
	for (size_t i = 0; i < COPY + ALIVE - 1; i++) {
		assert_int_equal(0, company_status(c, i).pending_commits);
		assert_int_equal(0, company_status(c, i).quarantined);
		company_right(c, i);
	}
}

static void
live(uint64_t seed)
{
	history h = { .c = company_new(seed), .rand = seed,
		.s = { { .i = LI }, { .i = COPY }, { .i = COPY + 1 } } };
	company *c = h.c;

	company_staff(c, "li rep east, hq hq");
	(void)company_device(c, "li");
	(void)company_device(c, "hq");
	company_sync(c, LI);
	for (int i = 0; i < 4; i++)
		make(&h, &h.s[0]);
	company_sync(c, LI);
	company_sync(c, HQ);
	for (size_t i = 0, at = below(&h, 25); i < STEPS; i++) {
		if (i == at)
			copy(&h);
		step(&h);
	}
	/* the trouble ends: a few sessions and all is everywhere */
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < ALIVE; k++)
			session(&h, &h.s[k]);
		company_sync(c, HQ);
	}
	check(&h);
	for (int i = 0; i < ALIVE - 1; i++) /* their keyring is the first one's */
		sat_replica_close(c->r[COPY + i]);
	company_free(c);
}

static void
copies_that_run_at_once_lose_and_double_nothing(void **state)
{ /* P-074, P-143 */
	uint64_t seed = sat_test_seed(71);

	(void)state;
	for (int i = 0; i < HISTORIES; i++)
		live(seed + (uint64_t)i * 1000);
	print_message("saves %u, waiting when it was copied %u, forks %u, "
	    "moved to a new incarnation %u, steps with two linked %u, pushes "
	    "meanwhile %u, links broken %u, numbers leased %u\n", hit.saves,
	    hit.inherited, hit.forks, hit.moved, hit.both, hit.between,
	    hit.broken, hit.leased);
	assert_true(hit.inherited >= HISTORIES / 2);
	assert_true(hit.forks >= HISTORIES * 2);
	assert_true(hit.moved >= HISTORIES * 2);
	assert_true(hit.both >= HISTORIES * 15);
	assert_true(hit.between >= HISTORIES * 2);
	assert_true(hit.broken >= HISTORIES / 2);
	assert_true(hit.leased >= HISTORIES * 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    copies_that_run_at_once_lose_and_double_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
