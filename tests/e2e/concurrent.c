/*
 * concurrent.c - two devices edit the same customers offline, then sync.
 *
 * A real server process, real devices over tcp. What must come out is computed
 * from what each device was told to write, by rules of a few lines that know
 * nothing of stamps, operations or merging: below, "the expectation".
 *
 * usage: concurrent SATCHELD [rounds [customers [edits]]]
 * Rounds alternate the order in which the two devices sync; SAT_SEED repeats.
 */
#include "tests/e2e/concurrent.h"

#include <stdarg.h>
#include <time.h>

#include "common/crypto/crypto.h"

static struct {
	uint64_t rand;
	int passed, failed;
	cust *customers;
	int n, edits, made;
	device dev[DEVICES];
} w;

/* ---- counting ------------------------------------------------------------------- */

void
conc_check(bool good, const char *fmt, ...)
{
	va_list ap;

	if (good) {
		w.passed++;
		return;
	}
	if (w.failed++ < 20) {
		(void)printf("FAIL: ");
		va_start(ap, fmt);
		(void)vprintf(fmt, ap);
		va_end(ap);
		(void)printf("\n");
	}
}

static int
pick(int n)
{
	return (int)(sat_test_rand(&w.rand) % (uint64_t)n);
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- values: what is typed, what is stored, what reads alike ---------------------- */

/* How many different texts a field takes, and how many spellings of one
 * reading follow each other. */
static const struct {
	const char *key;
	int n, spellings;
	bool review;
} fields[FIELDS] = {
	[F_NAME] = { "name", 12, 4, true },
	[F_CONTACT] = { "contact_name", 5, 1, true },
	[F_PHONE] = { "phone_main", 4, 1, true },
	[F_AMOUNT] = { "annual_amount", 4, 1, true },
	[F_REMARK] = { "remark", 20, 1, false },
	[F_CITY] = { "city", 6, 1, false },
};
static const char *const tags[TAGS] = { "vip", "制造业", "fair", "slow" };
static const char *const stages[] = { "first_contact", "need_confirmed",
	"proposal", "negotiation" };

static int
reading(int f, int v)
{
	return v / fields[f].spellings;
}

/* The stored form. */
static void
stored(char out[TEXT], int f, int i, int v)
{
	static const char *const gap[] = { "", "", " ", "" };
	static const char *const tail[] = { "有限公司", "", "", "（集团）" };
	static const char *const wide[] = { "Ａ", "Ｂ", "Ｃ" };
	static const char *const slim[] = { "A", "b", "C" };
	int c = reading(f, v);

	switch (f) {
	case F_NAME:
		(void)snprintf(out, TEXT, "远洋%s%d号%s%s科技%s", gap[v % 4], i,
		    v % 4 == 3 ? wide[c] : slim[c], gap[v % 4], tail[v % 4]);
		break;
	case F_PHONE:
		(void)snprintf(out, TEXT, "+86138%05d%03d", i, c);
		break;
	case F_AMOUNT: /* fen */
		(void)snprintf(out, TEXT, "%d0000000", c + 1);
		break;
	default:
		(void)snprintf(out, TEXT, "%s %d", fields[f].key, c);
	}
}

/* What a person types for it, one way or another. */
static void
typed(char out[TEXT], int f, int i, int v)
{
	static const char *const head[] = { "138", "+86138", "138 ",
		"0086-138-" };
	int c = reading(f, v);

	switch (f) {
	case F_PHONE:
		(void)snprintf(out, TEXT, "%s%05d%03d", head[pick(4)], i, c);
		break;
	case F_AMOUNT: /* yuan */
		(void)snprintf(out, TEXT, "%d%s", c + 1, pick(2) ? "00000" : "0万");
		break;
	default:
		stored(out, f, i, v);
		if (pick(4) == 0)
			(void)strncat(out, "  ", TEXT - strlen(out) - 1);
	}
}

static void
text_of(char out[TEXT], sat_value v)
{
	if (v.type == SAT_V_INT)
		(void)snprintf(out, TEXT, "%lld", (long long)v.i);
	else
		(void)snprintf(out, TEXT, "%.*s", (int)v.s.n,
		    v.s.n > 0 ? (const char *)v.s.p : "");
}

/* ---- writing, and keeping book of it ----------------------------------------------- */

static const sat_kind *
account(const device *d)
{
	return sat_template_kind(sat_replica_template(d->replica), "account");
}

static sat_crm
crm_of(const device *d)
{
	return (sat_crm){ d->replica, d->clock, "en" };
}

static void
create(device *d, int i)
{
	cust *c = &w.customers[i];
	char text[FIELDS][TEXT];
	sat_input in[FIELDS + 3];
	sat_write_opts o = { .duplicate_reason = "test" };
	sat_crm crm = crm_of(d);
	sat_err err = { 0 };
	size_t n = 0;

	memset(c, 0, sizeof *c);
	c->number = w.made++;
	for (int f = 0; f < FIELDS; f++) {
		cell *x = &c->cell[f];

		x->base = x->now[0] = x->now[1] = pick(fields[f].n);
		typed(text[f], f, c->number, x->base);
		in[n++] = (sat_input){ '=', fields[f].key,
			sat_span_str(text[f]) };
	}
	in[n++] = (sat_input){ '=', "industry", sat_span_str("I65") };
	in[n++] = (sat_input){ '=', "need_type", sat_span_str("product") };
	c->tag_base = pick(1 << TAGS);
	conc_must(sat_crm_create(&c->id, &crm, account(d), in, n, &o, NULL,
	    NULL, &err), &err);
	for (int t = 0; t < TAGS; t++)
		if (c->tag_base >> t & 1) {
			sat_input add = { '+', "tags", sat_span_str(tags[t]) };
			size_t changed;

			conc_must(sat_crm_edit(&changed, &crm, account(d),
			    &c->id, &add, 1, &o, &err), &err);
		}
}

static void
edit(int side, cust *c, const sat_input *in, size_t n, size_t want)
{
	device *d = &w.dev[side];
	sat_write_opts o = { .duplicate_reason = NULL };
	sat_crm crm = crm_of(d);
	sat_err err = { 0 };
	size_t changed;

	conc_must(sat_crm_edit(&changed, &crm, account(d), &c->id, in, n, &o,
	    &err), &err);
	if (changed != want)
		conc_check(false, "an edit wrote %zu fields, not %zu", changed,
		    want);
}

static void
edit_fields(int side, cust *c)
{
	int n = 1 + pick(3), first = pick(FIELDS);
	char text[3][TEXT];
	sat_input in[3];
	size_t want = 0;

	for (int k = 0; k < n; k++) {
		int f = (first + k) % FIELDS, v = pick(fields[f].n);
		cell *x = &c->cell[f];

		typed(text[k], f, c->number, v);
		in[k] = (sat_input){ '=', fields[f].key,
			sat_span_str(text[k]) };
		if (v != x->now[side]) {
			x->now[side] = v;
			x->wrote[side] |= 1u << v;
			want++;
		}
	}
	edit(side, c, in, (size_t)n, want);
}

static void
edit_tag(int side, cust *c)
{
	int t = pick(TAGS), bit = 1 << t;
	bool has = (((c->tag_base & ~c->tag_gone[side]) | c->tag_own[side]) &
	    bit) != 0;
	sat_input in = { has ? '-' : '+', "tags", sat_span_str(tags[t]) };

	if (has) {
		c->tag_gone[side] |= bit;
		c->tag_own[side] &= ~bit;
	} else {
		c->tag_own[side] |= bit;
	}
	edit(side, c, &in, 1, 1);
}

static void
edit_visits(int side, cust *c)
{
	char text[TEXT];
	int by = 1 + pick(3);
	sat_input in = { '+', "visit_count", { NULL, 0 } };

	(void)snprintf(text, sizeof text, "%d", by);
	in.text = sat_span_str(text);
	c->visits += by;
	edit(side, c, &in, 1, 1);
}

static void
edit_stage(int side, cust *c)
{
	device *d = &w.dev[side];
	sat_crm crm = crm_of(d);
	sat_err err = { 0 };
	int to = pick(4), n = c->steps[side];
	int from = n > 0 ? c->path[side][n - 1] : 0;
	sat_rc rc;

	if (to == from || n == STEPS)
		return;
	rc = sat_crm_stage(&crm, account(d), &c->id, stages[to], NULL, &err);
	if (rc == SAT_OK)
		c->path[side][c->steps[side]++] = to;
	else if (rc != SAT_EINVALID)
		conc_must(rc, &err);
}

static void
edit_something(int side)
{
	cust *c = &w.customers[pick(w.n)];
	int what = pick(20);

	if (what < 2)
		edit_tag(side, c);
	else if (what == 2)
		edit_visits(side, c);
	else if (what < 5)
		edit_stage(side, c);
	else
		edit_fields(side, c);
}

/* ---- the expectation ----------------------------------------------------------------- */

/* Both wrote the field, and the two last values do not read the same. */
static bool
want_conflict(const cust *c, int f)
{
	const cell *x = &c->cell[f];

	return fields[f].review && x->wrote[0] != 0 && x->wrote[1] != 0 &&
	    reading(f, x->now[0]) != reading(f, x->now[1]);
}

/* Both moved, to different ends, and neither only went further on the way of
 * the other. EITHER: they met on the way; then it depends on who came first
 * whether the fold takes them for one from there on. */
#define EITHER (-1)

static int
want_stage_conflict(const cust *c)
{
	int n = c->steps[0] < c->steps[1] ? c->steps[0] : c->steps[1];
	bool parted = false, met = false;

	if (n == 0 || c->path[0][c->steps[0] - 1] ==
	    c->path[1][c->steps[1] - 1])
		return 0;
	for (int k = 0; k < n; k++)
		parted |= c->path[0][k] != c->path[1][k];
	for (int k = 0; k < c->steps[0] * c->steps[1]; k++)
		met |= c->path[0][k / c->steps[1]] ==
		    c->path[1][k % c->steps[1]];
	return !parted ? 0 : met ? EITHER : 1;
}

static int
want_tags(const cust *c)
{
	return (c->tag_base & ~c->tag_gone[0] & ~c->tag_gone[1]) |
	    c->tag_own[0] | c->tag_own[1];
}

/* ---- what is there -------------------------------------------------------------------- */

static cust *
find(const sat_id *id)
{
	for (int i = 0; i < w.n; i++)
		if (sat_id_eq(&w.customers[i].id, id))
			return &w.customers[i];
	return NULL;
}

static void
tell_wrong(const device *d, const cust *c, int f, int due)
{
	char way[2][STEPS + 1] = { "", "" };

	for (int side = 0; side < 2; side++)
		for (int k = 0; k < c->steps[side]; k++)
			way[side][k] = stages[c->path[side][k]][0];
	conc_check(false, "%s: customer %d, %s: %d conflicts, not %d; stages "
	    "%s and %s", d->name, c->number,
	    f < FIELDS ? fields[f].key : "stage", c->seen[f], due, way[0],
	    way[1]);
}

/* The inbox: exactly the expected conflicts, each once, with both values. */
static int
check_inbox(const device *d)
{
	sat_arena a = { 0 };
	sat_conflict *list;
	sat_err err = { 0 };
	size_t n;
	int want = 0, got = 0;

	conc_must(sat_replica_conflicts(&list, &n, &a, d->replica, &err), &err);
	for (int i = 0; i < w.n; i++)
		for (int f = 0; f <= FIELDS; f++)
			w.customers[i].seen[f] = 0;
	for (size_t k = 0; k < n; k++) {
		cust *c = find(&list[k].rec);
		char v[2][TEXT], x[TEXT], y[TEXT];
		int f = 0;

		if (c == NULL)
			continue; /* of an earlier round */
		got++;
		if (strcmp(list[k].field->key, "stage") == 0) {
			c->seen[FIELDS]++;
			continue;
		}
		while (f < FIELDS &&
		    strcmp(fields[f].key, list[k].field->key) != 0)
			f++;
		if (f == FIELDS) {
			conc_check(false, "%s: a conflict of %s", d->name,
			    list[k].field->key);
			continue;
		}
		c->seen[f]++;
		if (list[k].n != 2) {
			conc_check(false, "%s: %s has %zu candidates", d->name,
			    list[k].key, list[k].n);
			continue;
		}
		text_of(v[0], list[k].candidates[0].value);
		text_of(v[1], list[k].candidates[1].value);
		stored(x, f, c->number, c->cell[f].now[0]);
		stored(y, f, c->number, c->cell[f].now[1]);
		if (!((strcmp(v[0], x) == 0 && strcmp(v[1], y) == 0) ||
		        (strcmp(v[0], y) == 0 && strcmp(v[1], x) == 0)))
			conc_check(false, "%s: %s asks between %s and %s, not "
			    "%s and %s", d->name, list[k].key, v[0], v[1], x, y);
	}
	for (int i = 0; i < w.n; i++) {
		const cust *c = &w.customers[i];

		for (int f = 0; f <= FIELDS; f++) {
			int due = f < FIELDS ? want_conflict(c, f) :
			    want_stage_conflict(c);

			if (due == EITHER)
				due = c->seen[f] != 0;
			want += due;
			if (c->seen[f] != due)
				tell_wrong(d, c, f, due);
		}
	}
	conc_check(got == want, "%s: %d conflicts in the inbox, %d expected",
	    d->name, got, want);
	sat_arena_fini(&a);
	return want;
}

/* Is the text among current value, candidates, history? */
static bool
kept(const sat_view *v, const sat_field *f, const sat_past *past, size_t n,
    const char *want, sat_arena *a)
{
	const sat_cell *c = sat_record_cell(&v->rec, f->id);
	sat_candidate *list;
	uint64_t opened;
	char text[TEXT];
	size_t m = c != NULL ?
	    sat_cell_candidates(&list, &opened, a, f->policy, c) : 0;

	text_of(text, sat_record_value(&v->rec, f->id));
	if (strcmp(text, want) == 0)
		return true;
	for (size_t i = 0; i < m; i++) {
		text_of(text, list[i].value);
		if (strcmp(text, want) == 0)
			return true;
	}
	for (size_t i = 0; i < n; i++) {
		text_of(text, past[i].value);
		if (past[i].field == f->id && strcmp(text, want) == 0)
			return true;
	}
	return false;
}

static int
check_field(const device *d, const cust *c, int f, const sat_view *v,
    const sat_past *past, size_t n, sat_arena *a)
{
	const sat_field *field = sat_kind_field(account(d), fields[f].key);
	const cell *x = &c->cell[f];
	uint32_t all = 1u << x->base | x->wrote[0] | x->wrote[1];
	char now[TEXT], mine[2][TEXT], text[TEXT];
	int values = 0;

	for (int k = 0; k < fields[f].n; k++) {
		if ((all >> k & 1) == 0)
			continue;
		stored(text, f, c->number, k);
		values++;
		if (!kept(v, field, past, n, text, a))
			conc_check(false, "%s: customer %d lost %s \"%s\"",
			    d->name, c->number, fields[f].key, text);
	}
	text_of(now, sat_record_value(&v->rec, field->id));
	stored(mine[0], f, c->number, x->now[0]);
	stored(mine[1], f, c->number, x->now[1]);
	if (x->wrote[1] == 0 ? strcmp(now, mine[0]) != 0 :
	    x->wrote[0] == 0 ? strcmp(now, mine[1]) != 0 :
	    strcmp(now, mine[0]) != 0 && strcmp(now, mine[1]) != 0)
		conc_check(false, "%s: customer %d, %s is \"%s\", the devices "
		    "wrote last \"%s\" and \"%s\"", d->name, c->number,
		    fields[f].key, now, mine[0], mine[1]);
	return values;
}

static void
check_tags(const device *d, const cust *c, const sat_view *v)
{
	const sat_field *f = sat_kind_field(account(d), "tags");
	char joined[TEXT * 2], *s, *save = NULL;
	int has = 0;

	text_of(joined, sat_record_value(&v->rec, f->id));
	for (s = strtok_r(joined, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save))
		for (int t = 0; t < TAGS; t++)
			if (strcmp(s, tags[t]) == 0)
				has |= 1 << t;
	if (has != want_tags(c))
		conc_check(false, "%s: customer %d has tags %x, not %x",
		    d->name, c->number, (unsigned)has, (unsigned)want_tags(c));
}

static void
check_values(const device *d)
{
	int before = w.failed, values = 0;

	for (int i = 0; i < w.n; i++) {
		const cust *c = &w.customers[i];
		sat_arena a = { 0 };
		sat_err err = { 0 };
		sat_view v;
		sat_past *past;
		size_t n;

		conc_must(sat_replica_get(&v, &a, d->replica, account(d),
		    &c->id, &err), &err);
		conc_must(sat_replica_history(&past, &n, &a, d->replica, &c->id,
		    0, &err), &err);
		for (int f = 0; f < FIELDS; f++)
			values += check_field(d, c, f, &v, past, n, &a);
		check_tags(d, c, &v);
		if (sat_record_value(&v.rec, sat_kind_field(account(d),
		    "visit_count")->id).i != c->visits)
			conc_check(false, "%s: customer %d: visits", d->name,
			    c->number);
		sat_arena_fini(&a);
	}
	conc_check(w.failed == before, "%s: values", d->name);
	if (d == &w.dev[0])
		(void)printf("  %d values, all in current value, candidates or "
		    "history\n", values);
}

/* ---- rounds ---------------------------------------------------------------------------- */

static void
sync_one(device *d)
{
	sat_sync_result got;
	sat_replica_status st;
	sat_err err = { 0 };

	got = conc_sync(d);
	conc_must(sat_replica_status_get(&st, d->replica, &err), &err);
	if (got.stats.rejected != 0 || got.stats.late != 0 ||
	    st.pending_commits != 0 || st.quarantined != 0)
		conc_check(false, "%s: %llu refused, %llu late, %lld pending",
		    d->name, (unsigned long long)got.stats.rejected,
		    (unsigned long long)got.stats.late,
		    (long long)st.pending_commits);
}

static void
one_round(int k)
{
	int first = k % 2, conflicts;
	double t = seconds();

	for (int i = 0; i < w.n; i++)
		create(&w.dev[0], i);
	for (int i = 0; i < 3; i++)
		sync_one(&w.dev[i]);
	/* Clocks of people: one half a minute ahead, the other behind. */
	w.dev[0].skew_ms = (int64_t)(pick(60001) - 30000);
	w.dev[1].skew_ms = (int64_t)(pick(60001) - 30000);
	for (int done[2] = { 0, 0 }; done[0] + done[1] < 2 * w.edits;) {
		int side = pick(2);

		if (done[side] < w.edits) {
			edit_something(side);
			done[side]++;
		}
	}
	t = seconds() - t;
	sync_one(&w.dev[first]);
	sync_one(&w.dev[1 - first]);
	sync_one(&w.dev[first]);
	sync_one(&w.dev[2]);
	conc_same_dump(&w.dev[0], &w.dev[1]);
	conc_same_dump(&w.dev[0], &w.dev[2]);
	conflicts = check_inbox(&w.dev[0]);
	(void)check_inbox(&w.dev[1]);
	(void)check_inbox(&w.dev[2]);
	for (int i = 0; i < 3; i++)
		check_values(&w.dev[i]);
	conc_check(conflicts > 0 || w.edits < 100, "no conflict came about");
	(void)printf("  round %d: %s first, %d + %d edits of %d customers in "
	    "%.1f s, %d conflicts\n", k + 1, w.dev[first].name, w.edits,
	    w.edits, w.n, t, conflicts);
}

int
main(int argc, char **argv)
{
	static const char *const names[DEVICES] = { "h1", "h2", "h3", "h4" };
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 6;
	server srv;
	sat_err err = { 0 };

	if (argc < 2)
		return 2;
	w.n = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 200;
	w.edits = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1000;
	sat_crypto_init();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	w.rand = sat_test_seed((uint64_t)time(NULL));
	w.customers = sat_xcalloc((size_t)w.n, sizeof *w.customers);
	conc_serve(&srv, argv[1], names, DEVICES);
	for (int i = 0; i < 3; i++)
		conc_enrol(&w.dev[i], &srv, names[i]);
	for (int k = 0; k < rounds; k++)
		one_round(k);
	/* A device that comes last, by snapshot, holds the same. */
	conc_enrol(&w.dev[3], &srv, names[3]);
	sync_one(&w.dev[3]);
	conc_same_dump(&w.dev[0], &w.dev[3]);
	(void)check_inbox(&w.dev[3]);
	for (int i = 0; i < DEVICES; i++) {
		sat_rc rc = sat_replica_check(w.dev[i].replica, false, &err);

		conc_check(rc == SAT_OK, "check of %s: %s", names[i], err.text);
	}
	conc_stop(&srv);
	conc_same_as_server(&w.dev[0], &srv);
	for (int i = 0; i < DEVICES; i++)
		conc_device_close(&w.dev[i]);
	conc_remove(&srv);
	free(w.customers);
	(void)printf("%d passed, %d failed\n", w.passed, w.failed);
	return w.failed == 0 ? 0 : 1;
}
