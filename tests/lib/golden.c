#include "tests/lib/golden.h"

#include <ctype.h>
#include <inttypes.h>

#include "tests/lib/unit.h"

#define LINE_MAX_BYTES (1024 * 1024)

static bool filling;
static size_t wrong; /* vectors of this file */

void
golden_filling(int argc, char **argv)
{
	filling = argc > 1 && strcmp(argv[1], "--fill") == 0;
}

uint64_t
golden_u64(const golden_word *w)
{
	char *end;
	uint64_t v = strtoull(w->text, &end, 10);

	if (*end != '\0' || !isdigit((unsigned char)w->text[0]))
		fail_msg("'%s' is no number", w->text);
	return v;
}

int64_t
golden_i64(const golden_word *w)
{
	char *end;
	int64_t v = strtoll(w->text, &end, 10);

	if (*end != '\0' || end == w->text)
		fail_msg("'%s' is no number", w->text);
	return v;
}

void
golden_hex(sat_buf *out, sat_span b)
{
	for (size_t i = 0; i < b.n; i++)
		sat_buf_fmt(out, "%02x", b.p[i]);
}

/* The code point at s.p[i] (the text is good UTF-8); moves i behind it. */
static uint32_t
code_point(sat_span s, size_t *i)
{
	uint8_t c = s.p[(*i)++];
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	uint32_t v = more == 0 ? c : c & (0x3fu >> more);

	while (more-- > 0 && *i < s.n)
		v = v << 6 | (s.p[(*i)++] & 0x3f);
	return v;
}

void
golden_text(sat_buf *out, sat_span s)
{
	sat_buf_str(out, "\"");
	for (size_t i = 0; i < s.n;) {
		uint32_t v = code_point(s, &i);

		if (v == '"' || v == '\\')
			sat_buf_fmt(out, "\\%c", (int)v);
		else if (v >= 0x20 && v < 0x7f)
			sat_buf_fmt(out, "%c", (int)v);
		else if (v < 0x10000)
			sat_buf_fmt(out, "\\u%04x", v);
		else
			sat_buf_fmt(out, "\\u%04x\\u%04x",
			    0xd800 + ((v - 0x10000) >> 10),
			    0xdc00 + ((v - 0x10000) & 0x3ff));
	}
	sat_buf_str(out, "\"");
}

/* ---- lines ---------------------------------------------------------------- */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
unhex(sat_buf *b, const char *s)
{
	bool run = false;
	char *end;

	while (*s != '\0') {
		run = *s == '(';
		s += run;
		if (digit(s[0]) < 0 || digit(s[1]) < 0)
			return false;
		sat_write_u8(b, (uint8_t)(digit(s[0]) << 4 | digit(s[1])));
		s += 2;
		if (!run)
			continue;
		if (*s != '*')
			return false;
		for (unsigned long n = strtoul(s + 1, &end, 10); n > 1; n--)
			sat_write_u8(b, b->p[b->n - 1]);
		if (*end != ')')
			return false;
		s = end + 1;
	}
	return true;
}

static size_t
split_words(golden_word *w, char *in)
{
	size_t n = 0;
	char *save = NULL;

	for (char *s = strtok_r(in, " ", &save); s != NULL;
	    s = strtok_r(NULL, " ", &save)) {
		sat_buf b = { 0 };
		uint8_t *exact;

		assert_true(n < GOLDEN_WORDS);
		w[n] = (golden_word){ s, { NULL, 0 } };
		if (strcmp(s, "-") != 0 && unhex(&b, s)) {
			/* to the byte, so that reading too far is seen */
			exact = malloc(b.n);
			assert_non_null(exact);
			memcpy(exact, b.p, b.n);
			w[n].bytes = sat_span_of(exact, b.n);
		}
		sat_buf_fini(&b);
		n++;
	}
	return n;
}

static void
free_words(golden_word *w, size_t n)
{
	union { const uint8_t *c; void *p; } u;

	for (size_t i = 0; i < n; i++) {
		u.c = w[i].bytes.p;
		free(u.p);
	}
}

typedef struct line {
	const char *name, *expect, *why;
	char *in;
} line;

static bool
split_line(line *l, char *s)
{
	char *at[4] = { s, NULL, NULL, NULL };

	for (int i = 1; i < 4; i++) {
		at[i] = strstr(at[i - 1], " | ");
		if (at[i] == NULL)
			break;
		*at[i] = '\0';
		at[i] += 3;
	}
	*l = (line){ at[0], at[2], at[3] != NULL ? at[3] : "", at[1] };
	return at[2] != NULL;
}

static void
compare(const char *file, const line *l, sat_rc rc, sat_buf *got,
    const sat_err *e)
{
	char refused[64];

	if (rc == SAT_OK) {
		if (strcmp(l->expect, sat_buf_cstr(got)) == 0)
			return;
		print_error("%s/%s: expected %s (%s)\n     got %s\n", file,
		    l->name, l->expect, l->why, sat_buf_cstr(got));
		wrong++;
		return;
	}
	(void)snprintf(refused, sizeof refused, "refused %s", sat_rc_slug(rc));
	if (strcmp(l->expect, refused) == 0 && strstr(e->text, l->why) != NULL)
		return;
	print_error("%s/%s: expected %s (%s)\n     got %s (%s)\n", file,
	    l->name, l->expect, l->why, refused, e->text);
	wrong++;
}

/* @return the answer of this line, or NULL when it stands already. */
static void
replay_line(const char *file, line *l, golden_say *say, sat_buf *answer)
{
	golden_word w[GOLDEN_WORDS];
	size_t n = split_words(w, l->in);
	sat_err e = { 0 };
	sat_rc rc;

	sat_buf_reset(answer);
	sat_buf_str(answer, "ok ");
	rc = say(answer, w, n, &e);
	if (rc == SAT_OK && answer->p[answer->n - 1] == ' ')
		answer->n--;
	if (!filling || strcmp(l->expect, "?") != 0 || rc != SAT_OK)
		compare(file, l, rc, answer, &e);
	free_words(w, n);
}

void
golden_replay(const char *name, size_t least, golden_say *say)
{
	char path[128], *s = malloc(LINE_MAX_BYTES);
	sat_buf all = { 0 }, answer = { 0 };
	size_t n = 0;
	line l;
	FILE *f;

	wrong = 0;
	(void)snprintf(path, sizeof path, "tests/golden/%s.txt", name);
	if (s == NULL || (f = fopen(path, "r")) == NULL)
		fail_msg("cannot open %s (run from the root of the tree)", path);
	while (fgets(s, LINE_MAX_BYTES, f) != NULL) {
		if (s[0] == '#') {
			sat_buf_str(&all, s);
			continue;
		}
		s[strcspn(s, "\n")] = '\0';
		sat_buf_str(&all, s);
		if (!split_line(&l, s))
			fail_msg("%s: bad line '%s'", path, s);
		replay_line(name, &l, say, &answer);
		if (strcmp(l.expect, "?") == 0) {
			all.n--;
			sat_buf_add(&all, answer.p, answer.n);
		}
		sat_buf_str(&all, "\n");
		n++;
	}
	(void)fclose(f);
	if (wrong > 0)
		fail_msg("%s: %zu of %zu vectors are answered otherwise", path,
		    wrong, n);
	if (n < least)
		fail_msg("%s has %zu vectors, %zu are promised", path, n, least);
	if (filling) {
		assert_non_null(f = fopen(path, "w"));
		assert_int_equal(all.n, fwrite(all.p, 1, all.n, f));
		(void)fclose(f);
	}
	sat_buf_fini(&all);
	sat_buf_fini(&answer);
	free(s);
}
