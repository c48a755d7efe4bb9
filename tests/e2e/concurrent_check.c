/* What must be there by the book, and what is. */
#include "tests/e2e/concurrent.h"
#include "tests/e2e/concurrent_book.h"

/* ---- the expectation ----------------------------------------------------- */

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

/* ---- what is there ------------------------------------------------------- */

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

int
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

void
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
