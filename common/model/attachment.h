/*
 * attachment.h - how a record names a file that belongs to it.
 *
 * An element of a set field with "files": true is one line of text:
 *
 *   <hash> <bytes> <media type> <name>
 *
 * hash: BLAKE2b-256 of the content, 64 lower-case hex digits; bytes: decimal,
 * shortest form; media type: what the name's ending says, never more than a
 * hint; name: for people, without folders. The content is not part of the
 * record: it is kept and sent by its hash (docs/protocol.md, P-440..). Pure.
 */
#ifndef SAT_MODEL_ATTACHMENT_H
#define SAT_MODEL_ATTACHMENT_H

#include "common/base/buf.h"

#define SAT_ATTACHMENT_HASH 32
#define SAT_ATTACHMENT_HEX 64
/* Of one file. */
#define SAT_ATTACHMENT_BYTES_MAX ((uint64_t)20 << 20)
/* Of one reference: what an element of a set may have. */
#define SAT_ATTACHMENT_TEXT_MAX 256

typedef struct sat_attachment {
	uint8_t hash[SAT_ATTACHMENT_HASH];
	uint64_t bytes;
	sat_span type, name; /* borrowed from the text */
} sat_attachment;

/* false: it is none, or not in the one way it is written. */
bool sat_attachment_read(sat_attachment *out, sat_span text);
/* The next one of a set (its elements, joined by LF), *rest goes on; what is none
 * is passed over. false: there is no more. */
bool sat_attachment_next(sat_attachment *out, sat_span *rest);
/* What a file is called here: no folders, no characters that steer a terminal or
 * turn the direction of writing, no leading dot; as many whole characters as
 * `max` bytes hold, of which the ending stays. Never empty. */
void sat_attachment_name(sat_buf *out, sat_span name, size_t max);
/* By the ending of the name; what is not known is application/octet-stream. */
const char *sat_attachment_type(sat_span name);
/* The reference; the name is cleaned, and shortened to fit. */
void sat_attachment_write(sat_buf *out,
    const uint8_t hash[SAT_ATTACHMENT_HASH], uint64_t bytes, sat_span name);

#endif
