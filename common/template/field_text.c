/*
 * Text typed by a person <-> a field's value, and the check of one value that
 * the gate and the parser share.
 */
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/model/attachment.h"

#define USER_KEY_MAX 64
#define EMAIL_MAX 254
#define DAY_MS ((int64_t)86400000)
/* Numbers beyond 2^53 do not survive JSON: none is let in. */
#define NUMBER_MAX ((int64_t)1 << 53)

/* ---- checking -------------------------------------------------------------- */

/* Bytes less those that continue a character, eight at a time. */
static size_t
characters(sat_span s)
{
	size_t n = s.n, i = 0;
	uint64_t v;

	for (; s.n - i >= sizeof v; i += sizeof v) {
		memcpy(&v, s.p + i, sizeof v);
		v = (v >> 7) & (~v >> 6) & 0x0101010101010101u;
		n -= (v * 0x0101010101010101u) >> 56;
	}
	for (; i < s.n; i++)
		n -= (s.p[i] & 0xC0) == 0x80;
	return n;
}

/* One @ with something on both sides; the rest is the mail server's business. */
static bool
email_ok(sat_span s)
{
	const uint8_t *at = memchr(s.p, '@', s.n);
	size_t before = at != NULL ? (size_t)(at - s.p) : 0, after;

	if (at == NULL || s.n > EMAIL_MAX)
		return false;
	after = s.n - before - 1;
	return before > 0 && after > 0 &&
	    memchr(at + 1, '@', after) == NULL &&
	    memchr(s.p, ' ', s.n) == NULL;
}

static const char *
check_text(const sat_template *t, const sat_field *f, sat_span s)
{
	sat_attachment file;
	size_t n;

	if (s.n > SAT_VALUE_MAX)
		return "length";
	/* Stored text is what sat_norm_text makes of it. */
	if (s.n == 0 || !sat_norm_is_text(s))
		return "type";
	if (f->type == SAT_F_ENUM || (f->type == SAT_F_TAGS && f->dict != NULL))
		return sat_dict_option(f->dict, (const char *)s.p, s.n) != NULL ?
		    NULL : "option";
	/* The elements of a set are kept joined by LF. */
	if (f->type == SAT_F_TAGS && memchr(s.p, '\n', s.n) != NULL)
		return "type";
	if (f->files && !sat_attachment_read(&file, s))
		return "pattern";
	if (f->type == SAT_F_USER && s.n > USER_KEY_MAX)
		return "length";
	n = characters(s);
	if (n < f->min_len || (f->max_len > 0 && n > f->max_len))
		return "length";
	if (f->type == SAT_F_EMAIL && !email_ok(s))
		return "pattern";
	if (f->pattern != NULL && !sat_template_matches(t, f->pattern, s))
		return "pattern";
	return NULL;
}

static const char *
check_int(const sat_field *f, int64_t v)
{
	if (f->type == SAT_F_BOOL)
		return v == 0 || v == 1 ? NULL : "type";
	if (v > NUMBER_MAX || v < -NUMBER_MAX)
		return "range";
	if (f->has_range && (v < f->min || v > f->max))
		return "range";
	return NULL;
}

const char *
sat_field_check(const sat_template *t, const sat_field *f, sat_value v)
{
	switch (f->type) {
	case SAT_F_INT:
	case SAT_F_MONEY:
	case SAT_F_BOOL:
	case SAT_F_DATE:
	case SAT_F_TIME:
		return v.type == SAT_V_INT ? check_int(f, v.i) : "type";
	case SAT_F_REF:
		return v.type == SAT_V_BYTES && v.s.n == 16 ? NULL : "type";
	default:
		return v.type == SAT_V_TEXT ? check_text(t, f, v.s) : "type";
	}
}

/* ---- reading --------------------------------------------------------------- */

static bool
take_prefix(sat_span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool
take_suffix(sat_span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || memcmp(s->p + s->n - n, word, n) != 0)
		return false;
	s->n -= n;
	return true;
}

static const struct unit {
	const char *text;
	int64_t times;
} units[] = { { "亿", 100000000 }, { "万", 10000 }, { "千", 1000 },
	{ "百", 100 }, { "w", 10000 }, { "W", 10000 }, { "k", 1000 },
	{ "K", 1000 } };

/* "50万" -> 10000, "1千万" -> 10000000; the units are taken off. */
static int64_t
take_units(sat_span *s)
{
	int64_t times = 1;
	size_t i, n = sizeof units / sizeof units[0];

	for (i = 0; i < n; i++)
		if (times <= 100000000 && take_suffix(s, units[i].text)) {
			times *= units[i].times;
			i = SIZE_MAX; /* look again from the start */
		}
	return times;
}

/*
 * A decimal times `scale`, exactly: digits are collected as an integer and the
 * point only shifts. False when it is no number, does not fit, or leaves a
 * fraction ("0.001" yuan).
 */
static bool
scaled(int64_t *out, sat_span s, int64_t scale)
{
	int64_t v = 0, divide = 1;
	bool minus = false, point = false, any = false;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		minus = s.p[0] == '-';
		s.p++;
		s.n--;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (v > NUMBER_MAX / 10 || divide > NUMBER_MAX / 10)
			return false;
		v = v * 10 + (s.p[i] - '0');
		divide *= point ? 10 : 1;
		any = true;
	}
	while (divide > 1 && v % 10 == 0) {
		v /= 10;
		divide /= 10;
	}
	while (divide > 1 && scale % 10 == 0) {
		scale /= 10;
		divide /= 10;
	}
	if (!any || divide != 1 || v > NUMBER_MAX / scale)
		return false;
	*out = (minus ? -v : v) * scale;
	return true;
}

/* Spaces and thousands commas out. */
static void
squeeze(sat_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != ' ' && b->p[i] != ',')
			b->p[n++] = b->p[i];
	b->n = n;
}

/* Chinese numbers are written "50万", "￥1,200.50", "3.5万元". */
static bool
read_number(int64_t *out, sat_buf *b, bool money)
{
	static const char *const front[] = { "¥", "￥", "CNY", "RMB", "人民币" };
	static const char *const behind[] = { "人民币", "CNY", "RMB", "整", "元",
		"圆" };
	sat_span s;
	int64_t times;

	squeeze(b);
	s = sat_buf_span(b);
	if (money) {
		for (size_t i = 0; i < sizeof front / sizeof front[0]; i++)
			(void)take_prefix(&s, front[i]);
		for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
			(void)take_suffix(&s, behind[i]);
	}
	times = take_units(&s);
	return times <= NUMBER_MAX / 100 &&
	    scaled(out, s, times * (money ? 100 : 1));
}

static bool
read_bool(int64_t *out, sat_span s)
{
	static const char *const yes[] = { "true", "yes", "y", "1", "on", "是",
		"有", "有效", "对" };
	static const char *const no[] = { "false", "no", "n", "0", "off", "否",
		"无", "无效", "没有" };

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		if (sat_span_eq(s, sat_span_str(yes[i]))) {
			*out = 1;
			return true;
		}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		if (sat_span_eq(s, sat_span_str(no[i]))) {
			*out = 0;
			return true;
		}
	return false;
}

/* 2026年11月21日, 2026.11.21 and 20261121 into what sat_time_parse reads. */
static void
plain_date(sat_buf *out, sat_span s)
{
	size_t digits = 0, dots = 0;
	bool clock = false;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (digits == 8 && s.n == 8) {
		sat_buf_fmt(out, "%.4s-%.2s-%.2s", (const char *)s.p,
		    (const char *)s.p + 4, (const char *)s.p + 6);
		return;
	}
	while (s.n > 0) {
		if (take_prefix(&s, "年") || take_prefix(&s, "月"))
			sat_write_u8(out, '-');
		else if (take_prefix(&s, "日") || take_prefix(&s, "号")) {
			if (s.n > 0 && s.p[0] != ' ')
				sat_write_u8(out, ' ');
		} else {
			clock = clock || s.p[0] == ':';
			if (s.p[0] == '.' && !clock && dots < 2 && ++dots > 0)
				sat_write_u8(out, '-');
			else
				sat_write_u8(out, s.p[0]);
			s.p++;
			s.n--;
		}
	}
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static bool
read_time(int64_t *out, sat_span s, int tz_min, bool date)
{
	sat_buf b = { 0 };
	int64_t zone = (int64_t)tz_min * 60000;
	bool ok;

	plain_date(&b, s);
	ok = sat_time_parse(out, sat_buf_cstr(&b), tz_min);
	sat_buf_fini(&b);
	if (ok && date) /* "2026-11-21 00:00:00" of a spreadsheet is a date too */
		*out = floor_div(*out + zone, DAY_MS) * DAY_MS - zone;
	return ok;
}

static const char *
read_option(sat_value *out, const sat_field *f, sat_span s)
{
	const sat_option *o = sat_dict_match(f->dict, s);

	if (o == NULL)
		return "option";
	*out = sat_v_text(sat_span_str(o->key));
	return NULL;
}

static const char *
read_ref(sat_value *out, sat_arena *a, sat_span s)
{
	char text[SAT_ID_TEXT];
	sat_id id;

	if (s.n != SAT_ID_TEXT - 1)
		return "type";
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (!sat_id_parse(&id, text))
		return "type";
	*out = sat_v_bytes(sat_span_of(sat_arena_dup(a, id.b, 16), 16));
	return NULL;
}

/* A phone is kept as its key, so that +86, dashes and width never differ. */
static const char *
read_phone(sat_value *out, sat_arena *a, sat_span s)
{
	sat_buf b = { 0 };

	sat_norm_phone(&b, s);
	*out = sat_v_text(sat_span_of(sat_arena_dup(a, b.p, b.n), b.n));
	sat_buf_fini(&b);
	return out->s.n > 0 ? NULL : "pattern";
}

/* Numbers, times and addresses are read from the text with folded width; words
 * stay as they were typed. */
static bool
reads_folded(const sat_field *f)
{
	switch (f->type) {
	case SAT_F_INT:
	case SAT_F_MONEY:
	case SAT_F_BOOL:
	case SAT_F_DATE:
	case SAT_F_TIME:
	case SAT_F_EMAIL:
		return true;
	default:
		return false;
	}
}

/* `clean` is stored form, `b` the same with folded width (scratch; empty unless
 * reads_folded). */
static const char *
read_as(sat_value *out, sat_arena *a, const sat_template *t,
    const sat_field *f, sat_span clean, sat_buf *b)
{
	bool ok = true;

	*out = sat_v_int(0);
	switch (f->type) {
	case SAT_F_INT:
	case SAT_F_MONEY:
		ok = read_number(&out->i, b, f->type == SAT_F_MONEY);
		break;
	case SAT_F_BOOL:
		for (size_t i = 0; i < b->n; i++)
			if (b->p[i] >= 'A' && b->p[i] <= 'Z')
				b->p[i] = (uint8_t)(b->p[i] + 32);
		ok = read_bool(&out->i, sat_buf_span(b));
		break;
	case SAT_F_DATE:
	case SAT_F_TIME:
		ok = read_time(&out->i, sat_buf_span(b), t->tz_min,
		    f->type == SAT_F_DATE);
		break;
	case SAT_F_REF:
		return read_ref(out, a, clean);
	case SAT_F_PHONE:
		return read_phone(out, a, clean);
	case SAT_F_EMAIL:
		*out = sat_value_dup(a, sat_v_text(sat_buf_span(b)));
		break;
	default:
		if (f->dict != NULL)
			return read_option(out, f, clean);
		*out = sat_value_dup(a, sat_v_text(clean));
	}
	return ok ? NULL : "type";
}

sat_rc
sat_field_parse(sat_value *out, sat_arena *a, const sat_template *t,
    const sat_field *f, sat_span text, sat_err *e)
{
	sat_buf clean = { 0 }, folded = { 0 };
	const char *code = NULL;
	char slug[40];

	*out = sat_v_null();
	if (text.n > 2 * SAT_VALUE_MAX)
		code = "length";
	else if (!sat_norm_text(&clean, text))
		code = "type";
	else if (clean.n > 0) {
		if (reads_folded(f))
			sat_norm_width(&folded, sat_buf_span(&clean));
		code = read_as(out, a, t, f, sat_buf_span(&clean), &folded);
		if (code == NULL)
			code = sat_field_check(t, f, *out);
	}
	sat_buf_fini(&clean);
	sat_buf_fini(&folded);
	if (code == NULL)
		return SAT_OK;
	*out = sat_v_null();
	(void)snprintf(slug, sizeof slug, "validation.%s", code);
	(void)sat_fail_code(e, SAT_EINVALID, slug, NULL,
	    "field %s: not a valid value (%s)", f->key, code);
	sat_err_field_add(e, f->key, code);
	return SAT_EINVALID;
}

/* ---- writing --------------------------------------------------------------- */

static void
format_time(sat_buf *out, int64_t ms, int tz_min, bool date)
{
	int64_t local = ms + (int64_t)tz_min * 60000;
	int64_t days = floor_div(local, DAY_MS), in_day = local - days * DAY_MS;
	int y, m, d;

	sat_date_of(&y, &m, &d, days);
	sat_buf_fmt(out, "%04d-%02d-%02d", y, m, d);
	if (date)
		return;
	sat_buf_fmt(out, " %02d:%02d", (int)(in_day / 3600000),
	    (int)(in_day / 60000 % 60));
	if (in_day % 60000 != 0)
		sat_buf_fmt(out, ":%02d", (int)(in_day / 1000 % 60));
}

/* Exact, so that an export read back changes nothing. */
static void
format_utc(sat_buf *out, int64_t ms)
{
	char text[32];
	int64_t rest = ms - floor_div(ms, 1000) * 1000;

	sat_time_rfc3339(text, ms - rest);
	if (rest == 0)
		sat_buf_str(out, text);
	else
		sat_buf_fmt(out, "%.19s.%03dZ", text, (int)rest);
}

static void
format_money(sat_buf *out, int64_t fen)
{
	uint64_t v = fen < 0 ? (uint64_t)0 - (uint64_t)fen : (uint64_t)fen;

	sat_buf_fmt(out, "%s%llu.%02u", fen < 0 ? "-" : "",
	    (unsigned long long)(v / 100), (unsigned)(v % 100));
}

/* One option, or the elements of a set joined by LF: labels joined by ", ". */
static void
format_text(sat_buf *out, const sat_field *f, sat_span s, const char *lang)
{
	bool first = true;

	if (f->type != SAT_F_TAGS && f->type != SAT_F_ENUM) {
		sat_buf_add(out, s.p, s.n);
		return;
	}
	while (s.n > 0) {
		const uint8_t *lf = memchr(s.p, '\n', s.n);
		size_t n = lf != NULL ? (size_t)(lf - s.p) : s.n;
		const sat_option *o = f->dict != NULL && lang != NULL ?
		    sat_dict_option(f->dict, (const char *)s.p, n) : NULL;

		if (!first)
			sat_buf_str(out, ", ");
		first = false;
		if (o != NULL)
			sat_buf_str(out, strcmp(lang, "zh") == 0 ? o->zh : o->en);
		else
			sat_buf_add(out, s.p, n);
		s.p += n;
		s.n -= n;
		if (s.n > 0) {
			s.p++;
			s.n--;
		}
	}
}

void
sat_field_format(sat_buf *out, const sat_template *t, const sat_field *f,
    sat_value v, const char *lang)
{
	bool zh = lang != NULL && strcmp(lang, "zh") == 0;
	char id[SAT_ID_TEXT];
	sat_id raw;

	if (v.type == SAT_V_TEXT) {
		format_text(out, f, v.s, lang);
	} else if (v.type == SAT_V_BYTES && v.s.n == 16) {
		memcpy(raw.b, v.s.p, 16);
		sat_id_text(id, &raw);
		sat_buf_str(out, id);
	} else if (v.type == SAT_V_INT && f->type == SAT_F_MONEY) {
		format_money(out, v.i);
	} else if (v.type == SAT_V_INT && f->type == SAT_F_BOOL) {
		sat_buf_str(out, zh ? (v.i != 0 ? "是" : "否") :
		    lang != NULL ? (v.i != 0 ? "yes" : "no") :
		    v.i != 0 ? "true" : "false");
	} else if (v.type == SAT_V_INT && f->type == SAT_F_TIME && lang == NULL) {
		format_utc(out, v.i);
	} else if (v.type == SAT_V_INT &&
	    (f->type == SAT_F_DATE || f->type == SAT_F_TIME)) {
		format_time(out, v.i, t->tz_min, f->type == SAT_F_DATE);
	} else if (v.type == SAT_V_INT) {
		sat_buf_fmt(out, "%lld", (long long)v.i);
	}
}
