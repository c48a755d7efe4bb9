/*
 * sshsig.c - Ed25519 signatures in the form that git and ssh-keygen know
 * (OpenSSH PROTOCOL.sshsig): stock `git verify-commit` accepts them.
 *
 * What is signed is not the commit but
 *   "SSHSIG" | namespace "git" | reserved "" | "sha512" | SHA-512(commit)
 * so that a signature of git can never pass as one of something else.
 */
#include "common/git/git_int.h"

#include <string.h>

#define ARMOUR_BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define ARMOUR_END "-----END SSH SIGNATURE-----"
#define ARMOUR_COLUMNS 70
#define ARMOUR_MAX 4096
#define KEY_TYPE "ssh-ed25519"
#define NAMESPACE "git"
#define HASH "sha512"

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
armour_add(sat_buf *out, sat_span in)
{
	sat_buf text = { 0 };

	sat_base64_add(&text, in);
	for (size_t i = 0; i < text.n; i += ARMOUR_COLUMNS) {
		if (i > 0)
			sat_write_u8(out, '\n');
		sat_buf_add(out, text.p + i, text.n - i < ARMOUR_COLUMNS ?
		    text.n - i : ARMOUR_COLUMNS);
	}
	sat_buf_fini(&text);
}

/* Line ends are skipped; everything else must be base64 in one piece. */
static bool
base64_read(sat_buf *out, sat_span in)
{
	uint32_t v = 0;
	unsigned have = 0, pad = 0;

	for (size_t i = 0; i < in.n; i++) {
		const char *hit;

		if (in.p[i] == '\n' || in.p[i] == '\r')
			continue;
		if (in.p[i] == '=') {
			pad++;
			v <<= 6;
		} else {
			hit = in.p[i] != 0 ? strchr(base64, in.p[i]) : NULL;
			if (hit == NULL || pad > 0)
				return false;
			v = v << 6 | (uint32_t)(hit - base64);
		}
		if (++have < 4)
			continue;
		if (pad > 2)
			return false;
		for (unsigned k = 0; k < 3 - pad; k++)
			sat_write_u8(out, (uint8_t)(v >> (16 - 8 * k)));
		have = 0;
		v = 0;
	}
	return have == 0;
}

/* SSH's string: 32-bit length, bytes. */
static void
put_string(sat_buf *b, const void *p, size_t n)
{
	sat_write_be32(b, (uint32_t)n);
	sat_buf_add(b, p, n);
}

static void
put_public(sat_buf *b, const uint8_t pk[SAT_SIGN_PK_BYTES])
{
	put_string(b, KEY_TYPE, strlen(KEY_TYPE));
	put_string(b, pk, SAT_SIGN_PK_BYTES);
}

static void
put_context(sat_buf *b)
{
	put_string(b, NAMESPACE, strlen(NAMESPACE));
	put_string(b, "", 0);
	put_string(b, HASH, strlen(HASH));
}

static void
to_sign(sat_buf *out, sat_span payload)
{
	uint8_t hash[64];

	sat_sha512(hash, payload);
	sat_buf_str(out, "SSHSIG");
	put_context(out);
	put_string(out, hash, sizeof hash);
}

void
sat_sshsig_make(sat_buf *out, sat_span payload,
    const uint8_t pk[SAT_SIGN_PK_BYTES], const uint8_t sk[SAT_SIGN_SK_BYTES])
{
	sat_buf msg = { 0 }, key = { 0 }, blob = { 0 };
	uint8_t sig[SAT_SIG_BYTES];

	to_sign(&msg, payload);
	sat_sign(sig, sat_buf_span(&msg), sk);
	put_public(&key, pk);
	sat_buf_str(&blob, "SSHSIG");
	sat_write_be32(&blob, 1);
	put_string(&blob, key.p, key.n);
	put_context(&blob);
	sat_buf_reset(&key);
	put_string(&key, KEY_TYPE, strlen(KEY_TYPE));
	put_string(&key, sig, sizeof sig);
	put_string(&blob, key.p, key.n);

	sat_buf_str(out, ARMOUR_BEGIN);
	armour_add(out, sat_buf_span(&blob));
	sat_buf_str(out, "\n" ARMOUR_END);
	sat_buf_fini(&msg);
	sat_buf_fini(&key);
	sat_buf_fini(&blob);
}

static sat_span
get_string(sat_reader *r)
{
	return sat_read_raw(r, sat_read_be32(r));
}

static void
expect(sat_reader *r, const char *want)
{
	if (!sat_span_eq(get_string(r), sat_span_str(want)))
		sat_read_bad(r, "unexpected field");
}

/* The one field of `n` bytes behind the key type, as keys and signatures
 * have it. */
static void
get_typed(void *out, size_t n, sat_span blob, sat_reader *outer)
{
	sat_reader r = sat_reader_of(blob);
	sat_span v;

	expect(&r, KEY_TYPE);
	v = get_string(&r);
	if (r.fault != NULL || r.left > 0 || v.n != n)
		sat_read_bad(outer, "unexpected field");
	else
		memcpy(out, v.p, n);
}

static bool
parse_blob(uint8_t pk[SAT_SIGN_PK_BYTES], uint8_t sig[SAT_SIG_BYTES],
    sat_span blob)
{
	sat_reader r = sat_reader_of(blob);

	if (!sat_span_eq(sat_read_raw(&r, 6), sat_span_str("SSHSIG")) ||
	    sat_read_be32(&r) != 1)
		return false;
	get_typed(pk, SAT_SIGN_PK_BYTES, get_string(&r), &r);
	expect(&r, NAMESPACE);
	expect(&r, "");
	expect(&r, HASH);
	get_typed(sig, SAT_SIG_BYTES, get_string(&r), &r);
	return r.fault == NULL && r.left == 0;
}

/* What stands between the two lines of the armour. */
static bool
unarmour(sat_buf *blob, sat_span s)
{
	size_t begin = strlen(ARMOUR_BEGIN), end = strlen(ARMOUR_END);

	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	if (s.n > ARMOUR_MAX || s.n < begin + end ||
	    memcmp(s.p, ARMOUR_BEGIN, begin) != 0 ||
	    memcmp(s.p + s.n - end, ARMOUR_END, end) != 0)
		return false;
	return base64_read(blob, sat_span_of(s.p + begin, s.n - begin - end));
}

bool
sat_sshsig_ok(uint8_t pk[SAT_SIGN_PK_BYTES], sat_span armour, sat_span payload)
{
	sat_buf blob = { 0 }, msg = { 0 };
	uint8_t sig[SAT_SIG_BYTES];
	bool ok;

	to_sign(&msg, payload);
	ok = unarmour(&blob, armour) &&
	    parse_blob(pk, sig, sat_buf_span(&blob)) &&
	    sat_sign_ok(sig, sat_buf_span(&msg), pk);
	if (!ok)
		memset(pk, 0, SAT_SIGN_PK_BYTES);
	sat_buf_fini(&blob);
	sat_buf_fini(&msg);
	return ok;
}

void
sat_git_ssh_public(char out[128], const uint8_t pk[SAT_SIGN_PK_BYTES])
{
	sat_buf key = { 0 }, line = { 0 };

	put_public(&key, pk);
	sat_buf_str(&line, KEY_TYPE " ");
	sat_base64_add(&line, sat_buf_span(&key));
	memcpy(out, sat_buf_cstr(&line), line.n + 1); /* 80 characters */
	sat_buf_fini(&key);
	sat_buf_fini(&line);
}
