/*
 * json_write.c - the canonical writer.
 *
 * Why not cJSON_Print: it compares doubles with an epsilon, so 0.1+0.2 comes
 * back as 0.3; it indents with tabs; and a template in git must not change by
 * a byte when nothing was edited.
 *
 * What is written here, the strict reader takes: invalid UTF-8 and NUL become
 * U+FFFD, a number that is not finite becomes null, and a real above 2^53
 * that prints as digits alone gets ".0".
 */
#include "common/json/json.h"

#include "common/json/json_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* The length of the valid character at p, 0 when there is none. */
static size_t
utf8_step(const uint8_t *p, size_t left)
{
	size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	return n <= left && sat_utf8_ok(p, n) ? n : 0;
}

static void
write_special(sat_buf *out, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = strchr(from, c);

	if (hit != NULL)
		sat_buf_fmt(out, "\\%c", to[hit - from]);
	else
		sat_buf_fmt(out, "\\u%04x", c);
}

void
sat_json_write_str(sat_buf *out, sat_span s)
{
	size_t from = 0, i = 0, n;

	if (s.n == 0) {
		sat_buf_str(out, "\"\"");
		return;
	}
	sat_write_u8(out, '"');
	while (i < s.n) {
		uint8_t c = s.p[i];
		bool special = c < 0x20 || c == '"' || c == '\\';

		n = special ? 0 : c < 0x80 ? 1 : utf8_step(s.p + i, s.n - i);
		if (n > 0) {
			i += n;
			continue;
		}
		sat_buf_add(out, s.p + from, i - from);
		if (special && c != 0)
			write_special(out, c);
		else
			sat_buf_str(out, "\xef\xbf\xbd");
		from = ++i;
	}
	sat_buf_add(out, s.p + from, i - from);
	sat_write_u8(out, '"');
}

static void
write_number(sat_buf *out, double v)
{
	char text[40];

	if (!isfinite(v)) {
		sat_buf_str(out, "null");
		return;
	}
	if (sat_json_is_whole(v)) {
		sat_buf_fmt(out, "%lld", (long long)v);
		return;
	}
	/* The fewest digits that give the same double again. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	sat_buf_str(out, text);
	if (strpbrk(text, ".e") == NULL)
		sat_buf_str(out, ".0");
}

static void
line_break(sat_buf *out, unsigned depth, bool pretty)
{
	if (!pretty)
		return;
	sat_write_u8(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		sat_buf_str(out, "  ");
}

static void
write_node(sat_buf *out, const sat_json *n, unsigned depth, bool pretty)
{
	bool object = cJSON_IsObject(n);

	if (!object && !cJSON_IsArray(n)) {
		if (cJSON_IsString(n))
			sat_json_write_str(out, sat_span_str(n->valuestring));
		else if (cJSON_IsNumber(n))
			write_number(out, n->valuedouble);
		else
			sat_buf_str(out, cJSON_IsTrue(n) ? "true" :
			    cJSON_IsFalse(n) ? "false" : "null");
		return;
	}
	sat_write_u8(out, object ? '{' : '[');
	for (const sat_json *c = n->child; c != NULL; c = c->next) {
		line_break(out, depth + 1, pretty);
		if (object) {
			sat_json_write_str(out, sat_span_str(c->string));
			sat_buf_str(out, pretty ? ": " : ":");
		}
		write_node(out, c, depth + 1, pretty);
		if (c->next != NULL)
			sat_write_u8(out, ',');
	}
	if (n->child != NULL)
		line_break(out, depth, pretty);
	sat_write_u8(out, object ? '}' : ']');
}

void
sat_json_write(sat_buf *out, const sat_json *n, bool pretty)
{
	write_node(out, n, 0, pretty);
	if (pretty)
		sat_write_u8(out, '\n');
}
