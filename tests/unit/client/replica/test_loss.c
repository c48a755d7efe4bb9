/*
 * The device's side of a server that came back from a backup, and of erasure.
 */
#include "tests/unit/client/replica/fixture.h"

#include "protocol/epoch.h"
#include "tests/unit/common/template/base.h"

#define BASE 3
#define FIRST (BASE + SAT_EPOCH_SKIP)

static uint8_t root_sk[SAT_SIGN_SK_BYTES];

static int
setup_plain(void **state)
{
	uint8_t seed[32] = { 7 }, root_pk[SAT_SIGN_PK_BYTES];

	sat_sign_keys(root_pk, root_sk, seed);
	setup_in_plain(state, NULL, root_pk);
	return 0;
}

/* ---- a new epoch ------------------------------------------------------------------- */

static sat_epoch
certificate(fixture *f, uint64_t epoch)
{
	sat_epoch c = { .org = sat_replica_identity_get(f->r)->org,
		.epoch = epoch, .base_lsn = BASE, .first_lsn = FIRST,
		.base_eid = 1, .seed_roles = SAT_SEED_REP,
		.until_ms = INT64_MAX / 2 };

	sat_epoch_sign(&c, root_sk);
	return c;
}

/* What the server that came back works by. */
static sat_oid its_template;

static sat_rc
meet(fixture *f, const sat_epoch *c, uint64_t epoch, uint64_t head,
    sat_err *e)
{
	sat_welcome w = { .proto = 1, .wall_ms = f->now_ms, .head = head,
		.scope_head = head, .epoch = epoch };
	sat_buf b = { 0 };
	sat_span span;
	sat_rc rc;

	memcpy(w.template_oid, its_template.b, sizeof w.template_oid);
	if (c != NULL) {
		sat_epoch_write(&b, c);
		span = sat_buf_span(&b);
		w.certs = &span;
		w.ncerts = 1;
	}
	rc = f->ops.welcome(f->ops.u, &w, f->now_ms, e);
	sat_buf_fini(&b);
	return rc;
}

/* Two customers; what came after position 3 is lost with the server. */
static void
before_the_loss(fixture *f, sat_id *old, sat_id *later)
{
	sat_op visits;

	*old = new_account(f, "Old", "13911111111");      /* 1 */
	set_text(f, *old, F_CITY, "x");                   /* 2 */
	set_text(f, *old, F_CITY, "y");                   /* 3 */
	srv_sync(f);
	visits = op(f->account, SAT_OP_ADD, *old, F_VISITS, sat_v_int(2));
	write_ops(f, *old, &visits, 1);                   /* 4 */
	*later = new_account(f, "Later", "13922222222");  /* 5 */
	srv_sync(f);
	srv_foreign_text(f, *old, F_REMARK, "by another", 5); /* 6 */
	srv_pull(f);
}

static void
a_server_nobody_vouches_for_is_not_followed(void **state) /* N1, P-201 */
{
	fixture *f = *state;
	sat_id old, later;
	sat_epoch c;
	sat_hello h;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	c.base_lsn--; /* not what was signed */
	assert_rc(SAT_EINTEGRITY, meet(f, &c, 1, BASE, &err));
	assert_string_equal("server.rolled_back", err.code);
	assert_rc(SAT_EINTEGRITY, meet(f, NULL, 1, BASE, &err));
	assert_rc(SAT_EINTEGRITY, meet(f, NULL, 0, BASE, &err)); /* shorter */
	c = certificate(f, 1);
	c.first_lsn = 6; /* below what this device has seen */
	sat_epoch_sign(&c, root_sk);
	assert_rc(SAT_EINTEGRITY, meet(f, &c, 1, BASE, &err));
	assert_string_equal("epoch.overlap", err.code);
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(0, h.epoch);
	assert_int_equal(6, h.cursor);
	assert_int_equal(2, visits_of(f, old));
	c = certificate(f, 4);
	assert_ok(meet(f, &c, 4, BASE, &err));
	c = certificate(f, 3);
	assert_rc(SAT_EINTEGRITY, meet(f, &c, 3, BASE, &err)); /* older */
	assert_sound(f);
}

static void
what_was_accepted_after_the_backup_waits_again_and_counts_once(void **state) /* N2 */
{
	fixture *f = *state;
	sat_id old, later;
	sat_epoch c;
	sat_push p = { 0 };
	sat_commit *list;
	sat_hello h;
	size_t n;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	for (int again = 0; again < 2; again++) {
		assert_ok(f->ops.hello(f->ops.u, &h, &err));
		assert_int_equal(1, h.epoch);
		assert_int_equal(BASE, h.cursor);
		assert_int_equal(2, visits_of(f, old));
		assert_true(view_of(f, old).pending);
		assert_text(f, later, F_NAME, "Later");
		assert_text(f, old, F_REMARK, "by another");
		assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &list, &n, 0,
		    &err));
		assert_int_equal(2, n);
		assert_int_equal(4, p.first_cseq);
		assert_int_equal(2, p.nold);
		assert_int_equal(4, p.old[0].at[0]);
		assert_int_equal(5, p.old[1].at[0]);
		assert_int_equal(0, list[1].ops[0].eid); /* a lost number */
		assert_sound(f);
		reopen(f);
	}
}

static void
states_of_the_lost_server_are_given_back(void **state) /* P-204 */
{
	fixture *f = *state;
	sat_id old, later;
	sat_epoch c;
	sat_seed s = { 0 };
	sat_seeded yes = { .taken = 1 };
	sat_record *r;
	size_t n, met = 0, told = 0;
	bool wanted = true;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	for (int i = 0; i < 10 && wanted; i++) {
		s = (sat_seed){ 0 };
		assert_ok(f->ops.seed(f->ops.u, &f->a, &s, &wanted, &err));
		if (!wanted)
			break;
		assert_int_equal(1, s.epoch);
		if (i == 0) { /* whose chains it saw, how far */
			assert_int_equal(1, s.nknown);
			assert_int_equal(OTHER, s.known[0].device);
		}
		if (s.records.n > 0) {
			assert_ok(sat_records_read(&r, &n, &f->a, s.records,
			    &err));
			met += n;
			for (size_t k = 0; k < n; k++)
				assert_true(r[k].rlsn > BASE);
			/* up to where it met what another wrote (P-250) */
			for (size_t k = 0; k < s.nplaces; k++)
				if (s.places[k].device == OTHER) {
					assert_int_equal(6, s.places[k].upto);
					told++;
				} else {
					assert_int_equal(DEV,
					    s.places[k].device);
					assert_int_equal(5, s.places[k].last);
				}
		}
		assert_ok(f->ops.seeded(f->ops.u, &yes, &err));
	}
	assert_false(wanted);
	assert_int_equal(2, met); /* both were changed after the backup */
	assert_int_equal(1, told);
	assert_sound(f);
}

static sat_rc
put_object(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put(u, type, oid, data, e);
}

enum { LARGE = 700 * 1024, LARGE_MAX = 6 };

/* The template with documents of 700 KiB, each all of one letter. */
static void
publish_large(fixture *f, char letter, size_t many)
{
	static const char *const names[LARGE_MAX] = { "large.md", "large1.md",
		"large2.md", "large3.md", "large4.md", "large5.md" };
	sat_template_file files[FILES_MAX + LARGE_MAX];
	size_t n = base_with(files, NULL, NULL);
	char *text[LARGE_MAX];
	sat_err err = { 0 };

	for (size_t i = 0; i < many; i++) {
		text[i] = sat_xmalloc(LARGE);
		memset(text[i], letter + (int)i, LARGE);
		files[n + i] = (sat_template_file){ names[i],
			sat_span_of((uint8_t *)text[i], LARGE) };
	}
	f->now_ms += 1000;
	assert_ok(give_template(f, files, n + many, f->tmpl_sk, f->tmpl_pk,
	    &err));
	for (size_t i = 0; i < many; i++)
		free(text[i]);
}

/* Its history is longer than a frame, and what was lost of it, too. */
static void
a_template_the_server_lost_is_given_back_in_parts(void **state) /* P-206 */
{
	fixture *f = *state;
	sat_seeded closed = { .closed = true };
	sat_oid tip, to;
	sat_git *theirs;
	sat_buf had = { 0 };
	sat_id old, later;
	sat_epoch c;
	bool wanted = true;
	int parts = 0;
	sat_err err = { 0 };

	publish_large(f, 'a', 1);
	memcpy(its_template.b, sat_replica_template_oid(f->r), 20);
	assert_ok(sat_git_memory(&theirs, &err));
	assert_ok(sat_git_bundle(&had, f->git, &its_template, NULL, &err));
	assert_ok(sat_git_unbundle(sat_buf_span(&had), put_object, theirs,
	    &err));
	for (char letter = 'b'; letter < 'h'; letter++)
		publish_large(f, letter, 1);
	memcpy(tip.b, sat_replica_template_oid(f->r), sizeof tip.b);
	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	for (int i = 0; i < 10 && wanted; i++) {
		sat_seed s = { 0 };

		assert_ok(f->ops.seed(f->ops.u, &f->a, &s, &wanted, &err));
		if (!wanted)
			break;
		if (s.bundle.n > 0) {
			assert_true(s.bundle.n <= SAT_TEMPLATE_PART_MAX);
			memcpy(to.b, s.tip, sizeof to.b);
			assert_ok(sat_git_unbundle(s.bundle, put_object,
			    theirs, &err));
			assert_ok(sat_git_verify_closure(theirs, &to, &err));
			parts++;
		}
		assert_ok(f->ops.seeded(f->ops.u, &closed, &err));
	}
	memset(&its_template, 0, sizeof its_template);
	assert_false(wanted);
	assert_int_equal(2, parts);
	assert_memory_equal(tip.b, to.b, sizeof tip.b);
	sat_git_close(theirs);
	sat_buf_fini(&had);
}

/* The server came back working by `has`: the device gives no template, and its
 * states once. */
static void
assert_states_alone(fixture *f, const uint8_t has[SAT_TEMPLATE_OID_BYTES])
{
	sat_seeded yes = { .taken = 1 };
	sat_id old, later;
	sat_epoch c;
	bool wanted = true;
	int told = 0;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	memcpy(its_template.b, has, sizeof its_template.b);
	assert_ok(meet(f, &c, 1, BASE, &err));
	memset(&its_template, 0, sizeof its_template);
	for (int i = 0; i < 10 && wanted; i++) {
		sat_seed s = { 0 };

		assert_ok(f->ops.seed(f->ops.u, &f->a, &s, &wanted, &err));
		assert_int_equal(0, s.bundle.n);
		told += s.records.n > 0;
		assert_ok(f->ops.seeded(f->ops.u, &yes, &err));
	}
	assert_false(wanted);
	assert_int_equal(1, told);
	assert_sound(f);
}

/* Published while this device was away, and in the backup. */
static void
a_server_with_a_newer_template_is_given_the_states_alone(void **state) /* P-206 */
{
	fixture *f = *state;
	uint8_t has[SAT_TEMPLATE_OID_BYTES];

	memset(has, 0x5a, sizeof has);
	assert_states_alone(f, has);
}

static void
with_a_change_no_frame_can_hold_the_states_are_given_alone(void **state) /* P-206 */
{
	fixture *f = *state;
	uint8_t has[SAT_TEMPLATE_OID_BYTES];

	memcpy(has, sat_replica_template_oid(f->r), sizeof has);
	publish_large(f, 'a', 6);
	assert_states_alone(f, has);
}

/* A later backup was verified, so that the watermark passed what another wrote,
 * and the server came back from an older one: its author may say it again. */
static void
a_backup_older_than_the_watermark_finds_the_ends_of_the_chains(void **state) /* P-324 */
{
	fixture *f = *state;
	sat_welcome w = { .proto = 1, .wall_ms = f->now_ms, .head = 6,
		.scope_head = 6, .durable = 6 };
	sat_seeded yes = { .taken = 1 };
	sat_id old, later;
	sat_epoch c;
	sat_seed s = { 0 };
	bool wanted = true, told = false, gone = false, own[6] = { false };
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	assert_ok(f->ops.welcome(f->ops.u, &w, f->now_ms, &err));
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	for (int i = 0; i < 10 && wanted; i++) {
		s = (sat_seed){ 0 };
		assert_ok(f->ops.seed(f->ops.u, &f->a, &s, &wanted, &err));
		for (size_t k = 0; k < s.nknown; k++)
			gone = gone || (s.known[k].device == DEV &&
			    s.known[k].cseq == 4); /* P-206 */
		for (size_t k = 0; k < s.nplaces; k++) {
			const sat_place *p = &s.places[k];

			told = told || (p->device == OTHER && p->upto == 6);
			for (uint64_t c1 = p->first; c1 <= p->last &&
			    p->device == DEV && p->upto == 6; c1++)
				own[c1] = true;
		}
		assert_ok(f->ops.seeded(f->ops.u, &yes, &err));
	}
	assert_true(told && gone);
	for (int i = 1; i <= 5; i++) /* what it let go, too */
		assert_true(own[i]);
	assert_sound(f);
}

/* A device that was in the field through many losses; its server takes no more
 * in one SEED. */
static void
of_too_many_places_the_newest_are_told(void **state) /* P-394 */
{
	fixture *f = *state;
	sat_seed s = { 0 };
	sat_seeded yes = { .taken = 1 };
	sat_id old, later;
	sat_epoch c;
	uint64_t least = UINT64_MAX;
	size_t told = 0;
	bool wanted = true;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	assert_ok(sat_db_exec(sat_replica_db(f->r), "WITH RECURSIVE n(i) AS "
	    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000) "
	    "INSERT INTO place SELECT 1000 + (i * 7919) % 70001, 9, i, 1, 1, "
	    "999999 FROM n", &err));
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	for (int i = 0; i < 10 && wanted; i++) {
		s = (sat_seed){ 0 };
		assert_ok(f->ops.seed(f->ops.u, &f->a, &s, &wanted, &err));
		for (size_t k = 0; k < s.nplaces; k++)
			if (s.places[k].upto < least)
				least = s.places[k].upto;
		if (s.nplaces > told)
			told = s.nplaces;
		assert_ok(f->ops.seeded(f->ops.u, &yes, &err));
	}
	assert_int_equal(SAT_SEED_PLACES_MAX, told);
	/* those of 1001 to 71000, each position once */
	assert_int_equal(71001 - SAT_SEED_PLACES_MAX, least);
}

static void
the_snapshot_takes_what_the_new_server_does_not_have(void **state)
{ /* N3, P-208 */
	fixture *f = *state;
	sat_id old, later, mine;
	sat_record keep[2];
	sat_chunk chunk = { .lsn = FIRST - 1, .done = true };
	sat_buf b = { 0 };
	sat_epoch c;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	srv_foreign_text(f, later, F_REMARK, "gone", 6);
	srv_pull(f);
	mine = new_account(f, "Unsent", "13933333333");
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	/* the backup: the first customer as of position 3 */
	keep[0] = f->srv.recs[0];
	keep[0].rlsn = 3;
	assert_ok(sat_records_write(&b, keep, 1, &err));
	chunk.records = sat_buf_span(&b);
	sat_hash(chunk.hash, chunk.records);
	assert_ok(f->ops.chunk(f->ops.u, &chunk, &err));
	sat_buf_fini(&b);
	/* another's record of the lost time went, what waits stayed */
	assert_text(f, later, F_NAME, "Later");
	assert_true(view_of(f, later).pending);
	assert_text(f, later, F_REMARK, NULL);
	assert_text(f, mine, F_NAME, "Unsent");
	assert_int_equal(3, view_of(f, old).rec.rlsn);
	assert_sound(f);
}

/* ---- erasure ------------------------------------------------------------------------ */

static size_t
found(const char *path, const char *word)
{
	FILE *in = fopen(path, "rb");
	size_t len = strlen(word), n, hits = 0;
	uint8_t *p = sat_xmalloc(16 << 20);

	n = in != NULL ? fread(p, 1, 16 << 20, in) : 0;
	if (in != NULL)
		(void)fclose(in);
	for (size_t i = 0; i + len <= n; i++)
		hits += memcmp(p + i, word, len) == 0;
	free(p);
	return hits;
}

static size_t
in_files(fixture *f, const char *word)
{
	char *wal = sat_xasprintf("%s-wal", f->path);
	size_t hits = found(f->path, word) + found(wal, word);

	free(wal);
	return hits;
}

static void
erase(fixture *f, sat_id id)
{
	sat_erasure x = { .rev = 1, .subject = id, .at_ms = 5, .by = 1,
		.second = 2, .reason = sat_span_str("request 12") };
	sat_ledger l = { .rev = 1, .e = &x, .n = 1 };
	sat_err err = { 0 };

	assert_ok(f->ops.ledger_is(f->ops.u, &l, &err));
}

static void
no_byte_of_an_erased_customer_stays_on_the_device(void **state)
{
	static const char *const words[] = { "Okapi", "Tapir", "Bongo",
		"Quagga", "Nyala" };
	fixture *f = *state;
	sat_id id = new_account(f, "Okapi", "13944444444"), other;
	sat_erased receipt;
	bool wanted;
	sat_hello h;
	uint64_t commits;
	sat_err err = { 0 };

	other = new_account(f, "Gnu", "13955555555");
	srv_sync(f);
	srv_foreign_text(f, id, F_REMARK, "Tapir", 2);
	srv_foreign_text(f, id, F_REMARK, "Bongo", 3); /* Tapir: history */
	srv_pull(f);
	f->srv.refuse = refuse_all; /* one in quarantine */
	set_text(f, id, F_CITY, "Quagga");
	srv_push(f, false);
	f->srv.refuse = NULL;
	assert_ok(sat_replica_audit_about(f->r, &id, "note", "Nyala", &err));
	set_text(f, other, F_CITY, "Gnuville");
	srv_sync(f);
	for (int i = 0; i < 5; i++)
		assert_true(in_files(f, words[i]) > 0);
	erase(f, id);
	assert_gone(f, id);
	for (int i = 0; i < 5; i++)
		if (in_files(f, words[i]) != 0)
			fail_msg("%s is still there", words[i]);
	assert_text(f, other, F_CITY, "Gnuville");
	assert_sound(f);
	assert_ok(sat_replica_verify_chain(f->r, 0, &commits, &err));
	assert_ok(f->ops.erased(f->ops.u, &receipt, &wanted, &err));
	assert_true(wanted);
	assert_int_equal(1, receipt.rev);
	assert_ok(f->ops.erased_ok(f->ops.u, &err));
	reopen(f);
	assert_ok(f->ops.erased(f->ops.u, &receipt, &wanted, &err));
	assert_false(wanted);
	assert_ok(f->ops.hello(f->ops.u, &h, &err));
	assert_int_equal(1, h.ledger_rev);
	assert_sound(f);
}

/* Rows of some hundred bytes that grow: their pages are shared out anew, and SQLite
 * leaves copies of them on pages they are on no more. */
static void
rows_that_moved_between_pages_leave_nothing_of_an_erased_customer(void **state)
{ /* P-194 */
	fixture *f = *state;
	sat_id id[60];
	sat_err err = { 0 };

	for (int i = 0; i < 60; i++)
		id[i] = new_account(f, "Gnu", "13955555555");
	srv_sync(f);
	for (int i = 0; i < 400; i++) {
		uint64_t x = sat_test_rand(&f->seed);
		int k = (int)(x % 60);
		char remark[3600];
		size_t n = 20 + (size_t)(x >> 8) % 3500;

		for (size_t at = 0; at < n; at += 10)
			(void)snprintf(remark + at, 11, "okapi-%02d; ", k);
		srv_foreign_text(f, id[k], F_REMARK, remark, f->srv.n);
		if (i % 16 == 0)
			srv_pull(f);
	}
	srv_sync(f);
	for (int k = 0; k < 60; k++) {
		sat_erasure x = { .rev = (uint64_t)k + 1, .subject = id[k],
			.at_ms = 5, .by = 1, .second = 2 };
		sat_ledger l = { .rev = (uint64_t)k + 1, .e = &x, .n = 1 };
		char word[16];

		(void)snprintf(word, sizeof word, "okapi-%02d;", k);
		assert_ok(f->ops.ledger_is(f->ops.u, &l, &err));
		if (in_files(f, word) != 0)
			fail_msg("%s is still there", word);
	}
	assert_sound(f);
}

static void
an_unsent_edit_of_an_erased_customer_goes_with_its_verdict(void **state) /* P-195 */
{
	fixture *f = *state;
	sat_id id = new_account(f, "Okapi", "13944444444");
	sat_verdict v = { .cseq = 2, .code = SAT_VD_REJECTED,
		.slug = sat_span_str(SAT_SLUG_ERASED) };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_quarantined *q;
	sat_erased receipt;
	sat_push p = { 0 };
	sat_commit *list;
	bool wanted;
	size_t n;
	sat_err err = { 0 };

	srv_sync(f);
	set_text(f, id, F_CITY, "Quagga");
	erase(f, id);
	assert_gone(f, id);
	/* no receipt while a link of the chain still holds it */
	assert_ok(f->ops.erased(f->ops.u, &receipt, &wanted, &err));
	assert_false(wanted);
	assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &list, &n, 0, &err));
	assert_int_equal(1, n);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	assert_int_equal(0, n);
	assert_ok(f->ops.erased(f->ops.u, &receipt, &wanted, &err));
	assert_true(wanted);
	assert_int_equal(0, in_files(f, "Quagga"));
	assert_sound(f);
	(void)new_account(f, "Gnu", "13955555555"); /* the chain goes on */
	assert_sound(f);
}

/* The verdicts of before the erasure were lost: they come after it. */
static void
work_answered_before_the_erasure_and_heard_of_after_it_goes_too(void **state)
{ /* P-195, P-196 */
	fixture *f = *state;
	sat_id id = new_account(f, "Okapi", "13944444444");
	sat_verdict v[3] = { { .cseq = 1, .code = SAT_VD_OK, .lsn = 1,
		.eff = 1 }, { .cseq = 2, .code = SAT_VD_REJECTED,
		.slug = sat_span_str("denied") }, { .cseq = 3,
		.code = SAT_VD_PARKED, .slug = sat_span_str("needs_parent") } };
	sat_verdicts vs = { .v = v, .n = 3 };
	sat_quarantined *q;
	sat_erased receipt;
	bool wanted;
	size_t n;
	sat_err err = { 0 };

	set_text(f, id, F_CITY, "Quagga");
	set_text(f, id, F_CITY, "Tapir");
	(void)new_account(f, "Gnu", "13955555555");
	erase(f, id);
	assert_gone(f, id);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	assert_int_equal(0, n);
	assert_sound(f);
	v[0] = (sat_verdict){ .cseq = 4, .code = SAT_VD_REJECTED,
		.slug = sat_span_str("denied") };
	vs.n = 1;
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_ok(f->ops.erased(f->ops.u, &receipt, &wanted, &err));
	assert_true(wanted);
	assert_int_equal(0, in_files(f, "Okapi"));
	assert_int_equal(0, in_files(f, "Quagga"));
	assert_int_equal(0, in_files(f, "Tapir"));
	assert_sound(f);
}

/* It is not about the erased customer, but names him: so it cannot be tried
 * again, and nothing would ever take it out of the quarantine. */
static void
a_merge_into_an_erased_customer_that_was_refused_goes_too(void **state)
{ /* P-195, P-196 */
	fixture *f = *state;
	sat_id id = new_account(f, "Okapi", "13944444444");
	sat_id spared = new_account(f, "Gnu", "13955555555");
	sat_verdict v = { .cseq = 3, .code = SAT_VD_REJECTED,
		.slug = sat_span_str("denied") };
	sat_verdicts vs = { .v = &v, .n = 1 };
	sat_quarantined *q;
	sat_op o;
	size_t n;
	sat_err err = { 0 };

	srv_sync(f);
	o = op(f->account, SAT_OP_MERGE, spared, SAT_SYS_REDIRECT,
	    sat_v_id(&id));
	write_ops(f, spared, &o, 1);
	erase(f, id);
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	assert_ok(sat_replica_quarantine(&q, &n, &f->a, f->r, &err));
	assert_int_equal(0, n);
	assert_text(f, spared, F_NAME, "Gnu");
	assert_sound(f);
}

/* Two servers lost, and a customer erased between: what was about him is not
 * waited for, and what comes behind it goes out. */
static void
what_was_erased_after_a_loss_is_not_asked_for_at_the_next(void **state) /* P-202 */
{
	fixture *f = *state;
	sat_verdict v[3] = { { .cseq = 4, .code = SAT_VD_OK, .lsn = FIRST },
		{ .cseq = 5, .code = SAT_VD_OK, .lsn = FIRST + 1 },
		{ .cseq = 6, .code = SAT_VD_OK, .lsn = FIRST + 2 } };
	sat_verdicts vs = { .v = v, .n = 3 };
	sat_id old, later;
	sat_replica_status st;
	sat_push p = { 0 };
	sat_commit *list;
	sat_epoch c;
	size_t n;
	sat_err err = { 0 };

	before_the_loss(f, &old, &later);
	c = certificate(f, 1);
	assert_ok(meet(f, &c, 1, BASE, &err));
	set_text(f, old, F_CITY, "z"); /* 6 */
	for (int i = 0; i < 3; i++)
		v[i].eff = sat_hlc_of_ms(f->now_ms) + (uint64_t)i;
	assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	erase(f, later); /* 5 */
	c = certificate(f, 2);
	c.first_lsn += SAT_EPOCH_SKIP;
	sat_epoch_sign(&c, root_sk);
	assert_ok(meet(f, &c, 2, BASE, &err));
	assert_ok(sat_replica_status_get(&st, f->r, &err));
	assert_int_equal(2, st.pending_commits);
	for (uint64_t cseq = 4; cseq <= 6; cseq += 2) {
		assert_ok(f->ops.outbox(f->ops.u, &f->a, &p, &list, &n, 0,
		    &err));
		assert_int_equal(1, n);
		assert_int_equal(cseq, p.first_cseq);
		v[0] = (sat_verdict){ .cseq = cseq, .code = SAT_VD_OK,
			.lsn = c.first_lsn + cseq, .eff = v[0].eff + cseq };
		vs.n = 1;
		assert_ok(f->ops.verdicts(f->ops.u, 1, &vs, &err));
	}
	assert_text(f, old, F_CITY, "z");
	assert_sound(f);
}

int
main(void)
{
#define P(name) cmocka_unit_test_setup_teardown(name, setup_plain, teardown)
	const struct CMUnitTest tests[] = {
		P(a_server_nobody_vouches_for_is_not_followed),
		P(what_was_accepted_after_the_backup_waits_again_and_counts_once),
		P(states_of_the_lost_server_are_given_back),
		P(a_template_the_server_lost_is_given_back_in_parts),
		P(a_server_with_a_newer_template_is_given_the_states_alone),
		P(with_a_change_no_frame_can_hold_the_states_are_given_alone),
		P(a_backup_older_than_the_watermark_finds_the_ends_of_the_chains),
		P(of_too_many_places_the_newest_are_told),
		P(the_snapshot_takes_what_the_new_server_does_not_have),
		P(no_byte_of_an_erased_customer_stays_on_the_device),
		P(rows_that_moved_between_pages_leave_nothing_of_an_erased_customer),
		P(an_unsent_edit_of_an_erased_customer_goes_with_its_verdict),
		P(work_answered_before_the_erasure_and_heard_of_after_it_goes_too),
		P(a_merge_into_an_erased_customer_that_was_refused_goes_too),
		P(what_was_erased_after_a_loss_is_not_asked_for_at_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
