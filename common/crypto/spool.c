/*
 * Invariant: no byte of the content is on the disk unsealed, not even for a
 * moment, and what was read is known to be what was written before it is lent.
 */
#include "common/crypto/spool.h"

#include "common/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "SATSPL1\n";
#define SALT_BYTES 16
#define SEALED_MAX (SAT_SPOOL_PIECE + SAT_AEAD_TAG_BYTES)

struct sat_spool_out {
	int fd, why; /* errno of the first failure */
	char *path, *tmp;
	uint8_t *piece, *sealed, *key; /* key: secret memory */
	size_t n;
	uint64_t pieces, size;
};

struct sat_spool_in {
	FILE *f;
	uint8_t *piece, *sealed, *key;
	uint64_t pieces, length;
	bool last;
};

/* Which piece, and whether another one follows. */
static void
nonce_of(uint8_t nonce[SAT_XAEAD_NONCE_BYTES], uint64_t piece, bool last)
{
	memset(nonce, 0, SAT_XAEAD_NONCE_BYTES);
	for (size_t i = 0; i < 8; i++)
		nonce[i] = (uint8_t)(piece >> (8 * i));
	nonce[8] = last;
}

static uint8_t *
key_of(const uint8_t key[SAT_KEY_BYTES], const uint8_t salt[SALT_BYTES])
{
	uint8_t *k = sat_secret_new(SAT_KEY_BYTES);

	sat_hash_keyed(k, sat_span_of(key, SAT_KEY_BYTES),
	    sat_span_of(salt, SALT_BYTES));
	return k;
}

/* ---- writing ------------------------------------------------------------------- */

static void
put(sat_spool_out *o, const void *p, size_t n)
{
	const uint8_t *at = p;
	ssize_t k;

	while (o->why == 0 && n > 0) {
		k = write(o->fd, at, n);
		if (k < 0 && errno != EINTR)
			o->why = errno;
		if (k > 0) {
			at += k;
			n -= (size_t)k;
		}
	}
}

static sat_rc
cannot_write(const char *path, int why, sat_err *e)
{
	return sat_fail(e, why == ENOSPC || why == EDQUOT ||
	    why == EFBIG ? SAT_ENOSPACE : SAT_EIO, "cannot write %s: %s", path, strerror(why));
}

sat_rc
sat_spool_create(sat_spool_out **out, const char *path,
    const uint8_t key[SAT_KEY_BYTES], sat_err *e)
{
	sat_spool_out *o = sat_xcalloc(1, sizeof *o);
	uint8_t salt[SALT_BYTES];
	sat_rc rc;

	*out = NULL;
	o->path = sat_xstrdup(path);
	o->tmp = sat_xasprintf("%s.tmp", path);
	o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (o->fd < 0) {
		rc = cannot_write(path, errno, e);
		free(o->path);
		free(o->tmp);
		free(o);
		return rc;
	}
	o->piece = sat_xmalloc(SAT_SPOOL_PIECE);
	o->sealed = sat_xmalloc(SEALED_MAX);
	sat_random(salt, sizeof salt);
	o->key = key_of(key, salt);
	put(o, magic, sizeof magic);
	put(o, salt, sizeof salt);
	*out = o;
	return SAT_OK;
}

static void
seal_piece(sat_spool_out *o, bool last)
{
	uint8_t nonce[SAT_XAEAD_NONCE_BYTES];

	nonce_of(nonce, o->pieces++, last);
	sat_xaead_seal(o->sealed, sat_span_of(o->piece, o->n),
	    sat_span_of(magic, sizeof magic), nonce, o->key);
	put(o, o->sealed, o->n + SAT_AEAD_TAG_BYTES);
	o->n = 0;
}

/* A full piece waits for a byte behind it: only then it is not the last. */
void
sat_spool_add(sat_spool_out *o, sat_span bytes)
{
	size_t n;

	o->size += bytes.n;
	while (bytes.n > 0 && o->why == 0) {
		if (o->n == SAT_SPOOL_PIECE)
			seal_piece(o, false);
		n = SAT_SPOOL_PIECE - o->n < bytes.n ? SAT_SPOOL_PIECE - o->n :
		    bytes.n;
		memcpy(o->piece + o->n, bytes.p, n);
		o->n += n;
		bytes = sat_span_of(bytes.p + n, bytes.n - n);
	}
}

uint64_t
sat_spool_size(const sat_spool_out *o)
{
	return o->size;
}

sat_rc
sat_spool_close(sat_spool_out *o, bool keep, sat_err *e)
{
	sat_rc rc = SAT_OK;

	if (keep && o->why == 0)
		seal_piece(o, true);
	if (keep && o->why == 0 && fsync(o->fd) != 0)
		o->why = errno;
	if (close(o->fd) != 0 && o->why == 0)
		o->why = errno;
	if (keep && o->why == 0 && rename(o->tmp, o->path) != 0)
		o->why = errno;
	if (keep && o->why != 0)
		rc = cannot_write(o->path, o->why, e);
	if (!keep || o->why != 0)
		(void)unlink(o->tmp);
	sat_wipe(o->piece, SAT_SPOOL_PIECE);
	free(o->piece);
	free(o->sealed);
	sat_secret_free(o->key);
	free(o->path);
	free(o->tmp);
	free(o);
	return rc;
}

/* ---- reading ------------------------------------------------------------------- */

static uint64_t
length_of(uint64_t file)
{
	uint64_t n = file - sizeof magic - SALT_BYTES;
	uint64_t pieces = (n + SEALED_MAX - 1) / SEALED_MAX;

	return n < pieces * SAT_AEAD_TAG_BYTES ? 0 :
	    n - pieces * SAT_AEAD_TAG_BYTES;
}

uint64_t
sat_spool_length(const sat_spool_in *in)
{
	return in->length;
}

sat_rc
sat_spool_open(sat_spool_in **out, const char *path,
    const uint8_t key[SAT_KEY_BYTES], sat_err *e)
{
	FILE *f = fopen(path, "rbe");
	struct stat st;
	uint8_t head[sizeof magic + SALT_BYTES];
	sat_spool_in *in;

	*out = NULL;
	if (f == NULL)
		return sat_fail(e, errno == ENOENT ? SAT_ENOTFOUND : SAT_EIO,
		    "cannot read %s: %s", path, strerror(errno));
	if (fread(head, 1, sizeof head, f) != sizeof head ||
	    memcmp(head, magic, sizeof magic) != 0) {
		(void)fclose(f);
		return sat_fail(e, SAT_EINTEGRITY, "%s is no spool file", path);
	}
	in = sat_xcalloc(1, sizeof *in);
	in->f = f;
	if (fstat(fileno(f), &st) == 0)
		in->length = length_of((uint64_t)st.st_size);
	in->piece = sat_xmalloc(SAT_SPOOL_PIECE);
	in->sealed = sat_xmalloc(SEALED_MAX);
	in->key = key_of(key, head + sizeof magic);
	*out = in;
	return SAT_OK;
}

sat_rc
sat_spool_next(sat_span *bytes, sat_spool_in *in, sat_err *e)
{
	uint8_t nonce[SAT_XAEAD_NONCE_BYTES];
	int behind;
	size_t n;

	*bytes = sat_span_of(NULL, 0);
	if (in->last)
		return SAT_OK;
	n = fread(in->sealed, 1, SEALED_MAX, in->f);
	behind = fgetc(in->f);
	if (ferror(in->f) != 0)
		return sat_fail(e, SAT_EIO, "cannot read a spool file");
	if (behind != EOF)
		(void)ungetc(behind, in->f);
	in->last = behind == EOF;
	nonce_of(nonce, in->pieces++, in->last);
	if (n < SAT_AEAD_TAG_BYTES || !sat_xaead_open(in->piece,
	    sat_span_of(in->sealed, n), sat_span_of(magic, sizeof magic),
	    nonce, in->key)) {
		in->last = true;
		return sat_fail_code(e, SAT_EINTEGRITY, "spool.damaged", NULL,
		    "a spool file is damaged");
	}
	*bytes = sat_span_of(in->piece, n - SAT_AEAD_TAG_BYTES);
	return SAT_OK;
}

void
sat_spool_shut(sat_spool_in *in)
{
	if (in == NULL)
		return;
	(void)fclose(in->f);
	sat_wipe(in->piece, SAT_SPOOL_PIECE);
	free(in->piece);
	free(in->sealed);
	sat_secret_free(in->key);
	free(in);
}
