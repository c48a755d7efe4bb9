/*
 * Records as cards and dates: vCard 4.0 (RFC 6350) and iCalendar (RFC 5545).
 * Both are lines of at most 75 bytes, folded between characters. A phone a
 * reader may not see is left out, and never part of a title.
 */
#include "client/crm/crm_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 75

static void
fold(sat_buf *out, sat_span s)
{
	size_t room = LINE_MAX_BYTES;

	while (s.n > room) {
		size_t n = room;

		while (n > 0 && (s.p[n] & 0xc0) == 0x80)
			n--;
		sat_buf_add(out, s.p, n);
		sat_buf_str(out, "\r\n ");
		s = sat_span_of(s.p + n, s.n - n);
		room = LINE_MAX_BYTES - 1;
	}
	sat_buf_add(out, s.p, s.n);
	sat_buf_str(out, "\r\n");
}

/* Backslash, comma, semicolon and line ends are written with a backslash. */
static void
escape(sat_buf *line, sat_span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\n')
			sat_buf_str(line, "\\n");
		else if (v.p[i] == '\\' || v.p[i] == ',' || v.p[i] == ';')
			sat_buf_fmt(line, "\\%c", v.p[i]);
		else if (v.p[i] >= 32)
			sat_write_u8(line, v.p[i]);
	}
}

static void
property(sat_buf *out, const char *name, sat_span v)
{
	sat_buf line = { 0 };

	if (v.n == 0)
		return;
	sat_buf_str(&line, name);
	sat_buf_str(&line, ":");
	escape(&line, v);
	fold(out, sat_buf_span(&line));
	sat_buf_fini(&line);
}

static sat_value
value_of(const crm_card *c, const char *key)
{
	const sat_field *f = sat_kind_field(c->kind, key);

	for (size_t i = 0; f != NULL && i < c->n; i++)
		if (c->columns[i] == f->id)
			return c->values[i];
	return sat_v_null();
}

static sat_span
text_of(const crm_card *c, const char *key)
{
	sat_value v = value_of(c, key);

	return v.type == SAT_V_TEXT ? v.s : sat_span_of(NULL, 0);
}

static sat_span
first_of(const crm_card *c, const char *a, const char *b)
{
	sat_span s = text_of(c, a);

	return s.n > 0 ? s : text_of(c, b);
}

/* The customer's name: of an account its own, of others the parent's. */
static void
company(sat_buf *out, const crm_card *c)
{
	const sat_field *p = c->kind->parent;

	if (p == NULL) {
		sat_buf_add(out, text_of(c, "name").p, text_of(c, "name").n);
		return;
	}
	if (value_of(c, p->key).type == SAT_V_BYTES)
		crm_label(out, c->c, c->t, p, value_of(c, p->key));
}

static void
address(sat_buf *out, const crm_card *c)
{
	static const char *const parts[] = { "address", "city", "province",
		NULL, "country" }; /* street, locality, region, code, country */
	sat_buf line = { 0 };
	size_t some = 0;

	sat_buf_str(&line, "ADR:;;");
	for (size_t i = 0; i < 5; i++) {
		sat_span s = parts[i] != NULL ? text_of(c, parts[i])
		                              : sat_span_of(NULL, 0);

		if (i > 0)
			sat_buf_str(&line, ";");
		escape(&line, s);
		some += s.n;
	}
	if (some > 0)
		fold(out, sat_buf_span(&line));
	sat_buf_fini(&line);
}

void
crm_vcard(sat_buf *out, const crm_card *c)
{
	sat_span who = c->kind->parent == NULL
	    ? first_of(c, "contact_name", "name") : text_of(c, "name");
	sat_buf org = { 0 }, n = { 0 };

	company(&org, c);
	sat_buf_str(out, "BEGIN:VCARD\r\nVERSION:4.0\r\n");
	sat_buf_fmt(out, "UID:urn:satchel:%s\r\n", c->id);
	property(out, "FN", who.n > 0 ? who : sat_buf_span(&org));
	if (who.n > 0) {
		sat_buf_str(&n, "N:");
		escape(&n, who);
		sat_buf_str(&n, ";;;;");
		fold(out, sat_buf_span(&n));
	}
	property(out, "ORG", sat_buf_span(&org));
	property(out, "TITLE", text_of(c, "title"));
	property(out, "TEL;TYPE=work", first_of(c, "phone", "phone_main"));
	property(out, "EMAIL", text_of(c, "email"));
	property(out, "X-WECHAT", text_of(c, "wechat"));
	property(out, "URL", text_of(c, "website"));
	address(out, c);
	property(out, "NOTE", text_of(c, "remark"));
	sat_buf_str(out, "END:VCARD\r\n");
	sat_buf_fini(&org);
	sat_buf_fini(&n);
}

/* 20261122T013000Z */
static void
stamp(char to[17 + 1], int64_t ms)
{
	char text[32];

	sat_time_rfc3339(text, ms); /* 2026-11-22T01:30:00.000Z */
	(void)snprintf(to, 18, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5,
	    text + 8, text + 11, text + 14, text + 17);
}

void
crm_calendar(sat_buf *out, bool begin)
{
	sat_buf_str(out, begin ? "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
	                         "PRODID:-//Satchel//Satchel//ZH\r\n"
	                       : "END:VCALENDAR\r\n");
}

/* When it is due: what the kind has of these. */
static bool
due(int64_t *ms, const crm_card *c)
{
	static const char *const keys[] = { "next_follow_at", "next_at",
		"due_at", "expected_by", "expected_close" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		sat_value v = value_of(c, keys[i]);

		*ms = v.i;
		if (v.type == SAT_V_INT)
			return true;
	}
	return false;
}

bool
crm_event(sat_buf *out, const crm_card *c)
{
	sat_value title = c->kind->title != NULL
	    ? value_of(c, c->kind->title->key) : sat_v_null();
	sat_buf org = { 0 }, line = { 0 };
	char at[18], made[18];
	int64_t ms;

	if (!due(&ms, c))
		return false;
	stamp(at, ms);
	stamp(made, c->created_ms);
	company(&org, c);
	sat_buf_fmt(out, "BEGIN:VEVENT\r\nUID:%s@satchel\r\nDTSTAMP:%s\r\n"
	                 "DTSTART:%s\r\nDURATION:PT30M\r\n", c->id, made, at);
	if (title.type == SAT_V_TEXT)
		sat_buf_add(&line, title.s.p, title.s.n);
	if (c->kind->parent != NULL && org.n > 0) {
		sat_buf_str(&line, line.n > 0 ? " · " : "");
		sat_buf_add(&line, org.p, org.n);
	}
	property(out, "SUMMARY", sat_buf_span(&line));
	property(out, "DESCRIPTION", first_of(c, "next_plan", "remark"));
	sat_buf_str(out, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\n"
	                 "DESCRIPTION:Satchel\r\nEND:VALARM\r\nEND:VEVENT\r\n");
	sat_buf_fini(&org);
	sat_buf_fini(&line);
	return true;
}
