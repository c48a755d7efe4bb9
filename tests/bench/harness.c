/*
 * harness.c - samples, clocks, and what is printed.
 *
 * Medians, because one slow fsync of a neighbour must not decide a figure;
 * min and max beside them, so that a reader sees how much noise there was.
 */
#include "tests/bench/bench.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void
samples_add(samples *s, double v)
{
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->v = sat_xrealloc(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = v;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
samples_at(samples *s, double quantile)
{
	size_t i;

	if (s->n == 0)
		return 0;
	qsort(s->v, s->n, sizeof *s->v, by_size);
	i = (size_t)(quantile * (double)(s->n - 1) + 0.5);
	return s->v[i < s->n ? i : s->n - 1];
}

void
samples_fini(samples *s)
{
	free(s->v);
	*s = (samples){ 0 };
}

double
bench_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
bench_cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
bench_cpu_of(int pid)
{
	struct timespec t;
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &t) != 0)
		bench_die("no CPU time of process %d", pid);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

long
bench_rss_kib(bool peak)
{
	FILE *f = fopen("/proc/self/status", "re");
	const char *want = peak ? "VmHWM:" : "VmRSS:";
	char line[256];
	long kib = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, want, strlen(want)) == 0)
			kib = strtol(line + strlen(want), NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kib;
}

void
bench_must_(sat_rc rc, const sat_err *e, const char *what)
{
	if (rc != SAT_OK)
		bench_die("%.60s: rc %d: %s %s", what, (int)rc, e->text,
		    e->hint);
}

void
bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("satchel-bench: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void
bench_line(bench_out *o, const char *phase, const char *metric,
    const char *unit, double value)
{
	if (o->nvalues == o->cap) {
		o->cap = o->cap * 2 + 64;
		o->values = sat_xrealloc(o->values,
		    o->cap * sizeof *o->values);
	}
	o->values[o->nvalues++] = (bench_value){ phase, metric, value };
	if (!o->print)
		return;
	printf("{\"peer\":\"%s\",\"ver\":\"" BENCH_VERSION "\",\"phase\":\"%s\","
	    "\"n\":%zu,\"metric\":\"%s\",\"unit\":\"%s\",\"run\":%d,"
	    "\"value\":%.10g}\n", o->peer, phase, o->n, metric, unit, o->run,
	    value);
	(void)fflush(stdout);
}

double
bench_value_of(const bench_out *o, const char *phase, const char *metric)
{
	for (size_t i = o->nvalues; i > 0; i--)
		if (strcmp(o->values[i - 1].phase, phase) == 0 &&
		    strcmp(o->values[i - 1].metric, metric) == 0)
			return o->values[i - 1].v;
	bench_die("no value %s %s", phase, metric);
}

void
bench_out_fini(bench_out *o)
{
	free(o->values);
	*o = (bench_out){ .peer = NULL };
}

/* ---- the table ------------------------------------------------------------- */

bench_row *
table_row(bench_table_out *t, const char *name, const char *unit, double goal,
    bool at_most)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			return &t->rows[i];
	if (t->n == t->cap) {
		t->cap = t->cap * 2 + 64;
		t->rows = sat_xrealloc(t->rows, t->cap * sizeof *t->rows);
	}
	t->rows[t->n] = (bench_row){ .name = name, .unit = unit, .goal = goal,
		.at_most = at_most };
	return &t->rows[t->n++];
}

static void
put_number(char out[24], double v)
{
	double a = v < 0 ? -v : v;

	(void)snprintf(out, 24, a >= 1000 ? "%.0f" : a >= 100 ? "%.1f" :
	    "%.3g", v);
}

static void
print_row(const bench_row *r, FILE *f)
{
	samples s = r->s;
	double mid = samples_at(&s, 0.5);
	char m[24], lo[24], hi[24], g[24], goal[40] = "-";
	const char *met = "";

	put_number(m, mid);
	put_number(lo, samples_at(&s, 0));
	put_number(hi, samples_at(&s, 1));
	if (r->goal >= 0) {
		put_number(g, r->goal);
		(void)snprintf(goal, sizeof goal, "%s %s",
		    r->at_most ? "<=" : ">=", g);
		met = (r->at_most ? mid <= r->goal : mid >= r->goal) ?
		    "yes" : "NO";
	}
	fprintf(f, "| %s | %s | %s%s | %s | %s-%s | %s |\n", r->name, goal, m,
	    r->unit, met, lo, hi, r->note);
}

void
table_print(const bench_table_out *t, FILE *f)
{
	fputs("| figure | goal | median | met | min-max | beside |\n"
	    "|---|---|---|---|---|---|\n", f);
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].s.n > 0)
			print_row(&t->rows[i], f);
	(void)fflush(f);
}

/* ---- files -------------------------------------------------------------------- */

char *
bench_path(const char *dir, const char *name)
{
	return sat_xasprintf("%s/%s", dir, name);
}

void
bench_mkdir(const char *path)
{
	char *p = sat_xstrdup(path);

	for (char *s = p + 1; *s != '\0'; s++)
		if (*s == '/') {
			*s = '\0';
			(void)mkdir(p, 0755);
			*s = '/';
		}
	if (mkdir(p, 0755) != 0 && errno != EEXIST)
		bench_die("cannot make %s: %s", path, strerror(errno));
	free(p);
}

static void
each_entry(const char *path, void (*fn)(const char *full, void *u), void *u)
{
	DIR *d = opendir(path);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL) {
		char *full;

		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		full = bench_path(path, de->d_name);
		fn(full, u);
		free(full);
	}
	if (d != NULL)
		(void)closedir(d);
}

static void
remove_one(const char *full, void *u)
{
	struct stat st;

	if (lstat(full, &st) == 0 && S_ISDIR(st.st_mode)) {
		each_entry(full, remove_one, u);
		(void)rmdir(full);
	} else {
		(void)unlink(full);
	}
}

void
bench_rmdir(const char *path)
{
	remove_one(path, NULL);
}

static void
add_bytes(const char *full, void *u)
{
	struct stat st;

	if (lstat(full, &st) == 0 && S_ISREG(st.st_mode))
		*(int64_t *)u += st.st_size;
}

int64_t
bench_dir_bytes(const char *path)
{
	int64_t n = 0;

	each_entry(path, add_bytes, &n);
	return n;
}
