#include "protocol/invite.h"

#include <string.h>

#define INVITE_HEAD "satchel1."
#define INVITE_VERSION 1

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void
invite_body(sat_buf *b, const sat_invite *in)
{
	sat_write_u8(b, INVITE_VERSION);
	sat_buf_add(b, in->org.b, sizeof in->org.b);
	sat_buf_add(b, in->server_pk, sizeof in->server_pk);
	sat_buf_add(b, in->token, sizeof in->token);
	sat_write_span(b, sat_span_str(in->address));
}

void
sat_invite_write(char out[SAT_INVITE_TEXT_MAX], const sat_invite *in)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };
	uint32_t acc = 0;
	int bits = 0;
	size_t n;

	invite_body(&b, in);
	sat_hash(hash, sat_buf_span(&b));
	sat_buf_add(&b, hash, 4);
	memcpy(out, INVITE_HEAD, sizeof INVITE_HEAD - 1);
	n = sizeof INVITE_HEAD - 1;
	for (size_t i = 0; i < b.n; i++) {
		acc = acc << 8 | b.p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			out[n++] = digits[acc >> (bits - 5) & 31];
	}
	if (bits > 0)
		out[n++] = digits[acc << (5 - bits) & 31];
	out[n] = '\0';
	sat_buf_fini(&b);
}

/* People read aloud and retype: case, O/0 and I/L/1 are one. */
static int
digit_of(char c)
{
	const char *p;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		c = '0';
	if (c == 'i' || c == 'l')
		c = '1';
	p = c != '\0' ? strchr(digits, c) : NULL;
	return p != NULL ? (int)(p - digits) : -1;
}

static bool
invite_bytes(sat_buf *b, const char *s)
{
	uint32_t acc = 0;
	int bits = 0, d;

	for (; *s != '\0' && strchr(" \t\r\n", *s) == NULL; s++) {
		if ((d = digit_of(*s)) < 0 || b->n > 512)
			return false;
		acc = acc << 5 | (uint32_t)d;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			sat_write_u8(b, (uint8_t)(acc >> bits));
		}
	}
	s += strspn(s, " \t\r\n");
	/* the last digit's spare bits are zero: one text, one invitation */
	return *s == '\0' && b->n > 4 && bits < 5 &&
	    (acc & ((1u << bits) - 1)) == 0;
}

sat_rc
sat_invite_read(sat_invite *out, const char *text, sat_err *e)
{
	uint8_t hash[SAT_HASH_BYTES];
	sat_buf b = { 0 };
	sat_reader r;
	sat_span s;
	sat_rc rc;

	memset(out, 0, sizeof *out);
	text += strspn(text, " \t\r\n");
	if (strncmp(text, INVITE_HEAD, sizeof INVITE_HEAD - 1) != 0)
		return sat_fail_code(e, SAT_EINVALID, "invite.form",
		    "paste the whole line that the administrator sent",
		    "this is not an invitation (it begins with \"%s\")",
		    INVITE_HEAD);
	if (!invite_bytes(&b, text + sizeof INVITE_HEAD - 1))
		goto damaged;
	sat_hash(hash, sat_span_of(b.p, b.n - 4));
	if (!sat_mem_eq(hash, b.p + b.n - 4, 4))
		goto damaged;
	r = sat_reader_of(sat_span_of(b.p, b.n - 4));
	if (sat_read_u8(&r) != INVITE_VERSION)
		sat_read_bad(&r, "unknown version");
	s = sat_read_raw(&r, sizeof out->org.b);
	memcpy(out->org.b, s.n > 0 ? s.p : out->org.b, s.n);
	s = sat_read_raw(&r, sizeof out->server_pk);
	memcpy(out->server_pk, s.n > 0 ? s.p : out->server_pk, s.n);
	s = sat_read_raw(&r, sizeof out->token);
	memcpy(out->token, s.n > 0 ? s.p : out->token, s.n);
	s = sat_read_span(&r, sizeof out->address - 1);
	memcpy(out->address, s.n > 0 ? (const char *)s.p : "", s.n);
	rc = sat_read_end(&r, "invitation", e);
	sat_buf_fini(&b);
	return rc == SAT_OK ? SAT_OK : SAT_EINVALID;
damaged:
	sat_buf_fini(&b);
	return sat_fail_code(e, SAT_EINVALID, "invite.damaged",
	    "copy the invitation again, whole",
	    "the invitation is damaged: a character is missing or wrong");
}
