#include "tests/lib/unit.h"

#include <stdio.h>

#include "client/replica/replica.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"
#include "tests/moves/moves.h"

/* ---- what they do -------------------------------------------------------- */

static sat_op
op(uint16_t kind, sat_op_kind what, const sat_id *rec, uint16_t field,
    sat_value v)
{
	return (sat_op){ .kind = what, .rtype = kind, .rec = *rec,
		.field = field, .value = v };
}

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
write_ops(device *d, const sat_id *subject, sat_op *ops, size_t n)
{
	sat_draft draft = { .subject = *subject, .ops = ops, .nops = n };
	uint64_t cseq;
	sat_err err = { 0 };

	w.now_ms += 5;
	must(sat_replica_write(d->r, &draft, &cseq, &err), &err);
}

enum { ACCOUNT = 1, CONTACT = 2, ACTIVITY = 3 };

static void
make_customer(device *d, int i)
{
	sat_op ops[4 + 64 * 3];
	char name[64], who[64][64];
	sat_id child[64];
	size_t n = 0;

	w.now_ms++;
	w.id[i] = sat_replica_new_id(d->r);
	(void)snprintf(name, sizeof name, CANARY " %d", i);
	ops[n++] = op(ACCOUNT, SAT_OP_NEW, &w.id[i], 0, sat_v_null());
	ops[n++] = op(ACCOUNT, SAT_OP_MVSET, &w.id[i], 2, text(name));
	ops[n++] = op(ACCOUNT, SAT_OP_REASSIGN, &w.id[i], F_OWNER, text("ann"));
	for (int k = 0; k < w.children && k < 64; k++) {
		child[k] = sat_replica_new_id(d->r);
		(void)snprintf(who[k], sizeof who[k], CANARY " %d.%d", i, k);
		ops[n++] = op(CONTACT, SAT_OP_NEW, &child[k], 0, sat_v_null());
		ops[n++] = op(CONTACT, SAT_OP_SET, &child[k], 1,
		    sat_v_bytes(sat_span_of(w.id[i].b, 16)));
		ops[n++] = op(CONTACT, SAT_OP_SET, &child[k], F_CONTACT_NAME,
		    text(who[k]));
	}
	write_ops(d, &w.id[i], ops, n);
}

static void
in_groups(device *d, void (*one)(device *d, int i))
{
	sat_err err = { 0 };

	for (int i = 0; i < w.customers; i++) {
		if (i % 500 == 0)
			must(sat_replica_group_begin(d->r, &err), &err);
		one(d, i);
		if (i % 500 == 499 || i == w.customers - 1)
			must(sat_replica_group_commit(d->r, &err), &err);
	}
}

static void
give_to_bob(device *d, int i)
{
	sat_op o = op(ACCOUNT, SAT_OP_REASSIGN, &w.id[i], F_OWNER, text("bob"));

	write_ops(d, &w.id[i], &o, 1);
}

/* The e-th edit of ann: a remark, a contact, or a note about a visit. */
static void
edit(device *d, int e)
{
	const sat_id *id = &w.id[(e * 37) % w.customers];
	sat_id made;
	char what[64];

	(void)snprintf(what, sizeof what, CANARY " edit %d", e);
	w.now_ms++;
	made = sat_replica_new_id(d->r);
	if (e % 3 == 0) {
		sat_op o = op(ACCOUNT, SAT_OP_SET, id, F_REMARK, text(what));

		write_ops(d, id, &o, 1);
	} else {
		uint16_t kind = e % 3 == 1 ? CONTACT : ACTIVITY;
		sat_op ops[] = { op(kind, SAT_OP_NEW, &made, 0, sat_v_null()),
			op(kind, SAT_OP_SET, &made, 1,
			    sat_v_bytes(sat_span_of(id->b, 16))),
			op(kind, SAT_OP_SET, &made, kind == CONTACT ? 2 : 8,
			    text(what)) };

		write_ops(d, id, ops, 3);
	}
}

/* ---- what bob has -------------------------------------------------------- */

static bool
holds_text(const sat_record *r, const char *what)
{
	for (size_t i = 0; i < r->ncells; i++)
		if (r->cells[i].value.type == SAT_V_TEXT && sat_span_eq(
		    r->cells[i].value.s, sat_span_str(what)))
			return true;
	return false;
}

typedef struct search {
	int merged, suggested;
	bool *found;
} search;

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	sat_arena a = { 0 };
	search *s = u;
	sat_record r;
	sat_err err = { 0 };

	(void)id;
	must(sat_record_read(&r, &a, state, &err), &err);
	for (int e = 0; e < w.edits; e++) {
		char what[64];

		(void)snprintf(what, sizeof what, CANARY " edit %d", e);
		if (!holds_text(&r, what))
			continue;
		check(!s->found[e], "edit %d is there twice", e);
		s->found[e] = true;
		s->merged++;
	}
	sat_arena_fini(&a);
}

/* Every edit of ann is there once, merged or suggested. */
static search
find_edits(device *bob)
{
	search s = { .found = sat_xcalloc((size_t)w.edits, sizeof(bool)) };
	sat_arena a = { 0 };
	sat_handover *h;
	size_t n;
	sat_err err = { 0 };

	must(sat_replica_dump(bob->r, on_state, &s, &err), &err);
	must(sat_replica_handovers(&h, &n, &a, bob->r, &err), &err);
	for (size_t i = 0; i < n; i++)
		for (int e = 0; e < w.edits; e++) {
			char what[64];
			bool here = false;

			(void)snprintf(what, sizeof what, CANARY " edit %d", e);
			for (size_t k = 0; k < h[i].what.nops; k++)
				here |= sat_value_eq(text(what),
				    h[i].what.ops[k].value);
			if (!here)
				continue;
			check(!s.found[e], "edit %d is merged and suggested", e);
			s.found[e] = true;
			s.suggested++;
		}
	for (int e = 0; e < w.edits; e++)
		check(s.found[e], "edit %d of ann is nowhere", e);
	sat_arena_fini(&a);
	return s;
}

typedef struct dumped {
	uint8_t sum[SAT_HASH_BYTES];
	uint64_t n;
} dumped;

static void
add_state(void *u, const sat_id *id, sat_span state)
{
	dumped *d = u;
	uint8_t h[SAT_HASH_BYTES];

	sat_hash(h, state);
	for (size_t i = 0; i < sizeof h; i++)
		d->sum[i] = (uint8_t)(d->sum[i] ^ h[i] ^ id->b[i % 16]);
	d->n++;
}

static void
same_as_server(device *d)
{
	const sat_registry *reg = sat_server_registry(w.core);
	dumped here = { { 0 }, 0 }, there = { { 0 }, 0 };
	sat_err err = { 0 };

	must(sat_replica_dump(d->r, add_state, &here, &err), &err);
	must(sat_server_dump(w.core, sat_registry_user(reg,
	    sat_span_str(d->user)), add_state, &there, &err), &err);
	check(here.n == there.n && memcmp(here.sum, there.sum,
	    sizeof here.sum) == 0, "%s holds %llu records, the server has %llu "
	    "for him", d->user, (unsigned long long)here.n,
	    (unsigned long long)there.n);
}

static void
ann_lost_nothing(device *ann)
{
	sat_replica_status st;
	sat_arena a = { 0 };
	sat_quarantined *q;
	sat_moved *m;
	size_t nq, nm, to_bob = 0;
	sat_err err = { 0 };

	must(sat_replica_status_get(&st, ann->r, &err), &err);
	check(st.pending_commits == 0 && st.quarantined == 0,
	    "ann still has %lld waiting and %lld refused",
	    (long long)st.pending_commits, (long long)st.quarantined);
	must(sat_replica_set_aside(&q, &nq, &a, ann->r, 0, &err), &err);
	check(nq == ann->stats.handed, "%zu were handed over, %zu are listed",
	    (size_t)ann->stats.handed, nq);
	must(sat_replica_moved(&m, &nm, &a, ann->r, &err), &err);
	for (size_t i = 0; i < nm; i++)
		to_bob += strcmp(m[i].to, "bob") == 0;
	check(nm == (size_t)w.customers && to_bob == nm,
	    "%zu customers left, %zu of them to bob", nm, to_bob);
	check(count(ann, "account") + count(ann, "contact") +
	    count(ann, "activity") == 0, "ann still holds something");
	sat_arena_fini(&a);
}

/* ---- the day ------------------------------------------------------------- */

static void
play(void)
{
	device hq = new_device("hq", "hq", false);
	device ann = new_device("ann", "ann", false);
	device bob = new_device("bob", "bob", false), bob2;
	device out[2] = { new_device("cy", "cy", true),
		new_device("dee", "dee", true) };
	int64_t rows = (int64_t)w.customers * (w.children + 1);
	int early = w.edits / 2;
	search got;

	in_groups(&hq, make_customer);
	sync_device(&hq);
	sync_device(&ann);
	check(count(&ann, "account") + count(&ann, "contact") == rows,
	    "ann begins with %lld records", (long long)(count(&ann, "account") +
	    count(&ann, "contact")));
	for (int e = 0; e < early; e++) /* she goes offline */
		edit(&ann, e);
	in_groups(&hq, give_to_bob);
	sync_device(&hq);
	sync_device(&bob);
	check(count(&bob, "account") == w.customers && count(&bob, "contact") ==
	    (int64_t)w.customers * w.children, "bob has %lld customers, %lld "
	    "contacts", (long long)count(&bob, "account"),
	    (long long)count(&bob, "contact"));
	same_as_server(&bob);
	/* the same rows as a bulk insertion: a second device of bob */
	bob2 = new_device("bob", "bob2", false);
	(void)printf("  %lld records came by a move in %.2f s of CPU, by a "
	    "snapshot in %.2f s: %.2f times\n", (long long)rows, bob.cpu,
	    bob2.cpu, bob.cpu / bob2.cpu);
	check(bob.cpu <= 2 * bob2.cpu, "a move costs %.2f times a bulk "
	    "insertion", bob.cpu / bob2.cpu);
	w.now_ms += 100 * HOUR_MS; /* the other half is written too late */
	for (int e = early; e < w.edits; e++)
		edit(&ann, e);
	sync_device(&ann);
	check(ann.stats.late == (uint64_t)early, "%llu of %d edits were merged "
	    "as late", (unsigned long long)ann.stats.late, early);
	check(ann.stats.handed == (uint64_t)(w.edits - early), "%llu of %d "
	    "edits were handed over", (unsigned long long)ann.stats.handed,
	    w.edits - early);
	ann_lost_nothing(&ann);
	sync_device(&bob);
	sync_device(&bob2);
	got = find_edits(&bob);
	check(got.merged == early && got.suggested == w.edits - early,
	    "bob has %d merged, %d suggested", got.merged, got.suggested);
	free(got.found);
	same_as_server(&bob);
	same_as_server(&bob2);
	same_as_server(&ann);
	sync_device(&hq);
	same_as_server(&hq);
	close_device(&hq);
	close_device(&ann);
	close_device(&bob);
	close_device(&bob2);
	for (int i = 0; i < 2; i++) {
		sync_device(&out[i]);
		check(count(&out[i], "account") == 0, "%s holds a customer",
		    out[i].user);
		close_device(&out[i]);
		check(out[i].frames > 0 && out[i].canaries == 0,
		    "%s received %llu things that are none of his",
		    out[i].user, (unsigned long long)out[i].canaries);
	}
}

int
main(int argc, char **argv)
{
	uint64_t commits, records;
	sat_err err = { 0 };

	sat_crypto_init();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	w.customers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000;
	w.children = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10;
	w.edits = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 50;
	w.now_ms = 1800000000000;
	w.id = sat_xcalloc((size_t)w.customers, sizeof *w.id);
	open_server();
	play();
	must(sat_server_verify(w.core, &commits, &records, &err), &err);
	sat_server_free(w.core);
	sat_sqlite_store_close(w.store);
	sat_admin_close(w.admin);
	sat_test_rmdir(w.dir);
	free(w.id);
	(void)printf("%d passed, %d failed\n", w.passed, w.failed);
	return w.failed == 0 ? 0 : 1;
}
