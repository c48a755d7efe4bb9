#include <stdarg.h>
#include <time.h>

#include "common/crypto/crypto.h"
#include "tests/e2e/concurrent.h"
#include "tests/e2e/concurrent_book.h"

book w;

/* ---- counting ------------------------------------------------------------ */

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

const field_kind fields[FIELDS] = {
	[F_NAME] = { "name", 12, 4, true },
	[F_CONTACT] = { "contact_name", 5, 1, true },
	[F_PHONE] = { "phone_main", 4, 1, true },
	[F_AMOUNT] = { "annual_amount", 4, 1, true },
	[F_REMARK] = { "remark", 20, 1, false },
	[F_CITY] = { "city", 6, 1, false },
};

const char *const tags[TAGS] = { "vip", "制造业", "fair", "slow" };

const char *const stages[] = { "first_contact", "need_confirmed",
	"proposal", "negotiation" };

/* ---- values: what is typed, what is stored, what reads alike ------------- */

int
reading(int f, int v)
{
	return v / fields[f].spellings;
}

void
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

void
text_of(char out[TEXT], sat_value v)
{
	if (v.type == SAT_V_INT)
		(void)snprintf(out, TEXT, "%lld", (long long)v.i);
	else
		(void)snprintf(out, TEXT, "%.*s", (int)v.s.n,
		    v.s.n > 0 ? (const char *)v.s.p : "");
}

/* ---- writing, and keeping book of it ------------------------------------- */

const sat_kind *
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

/* ---- rounds -------------------------------------------------------------- */

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
