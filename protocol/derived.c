/*
 * P-280: BLAKE2b-256 over "satchel derived 1\n" | rule | 0 | subject | period;
 * its bytes 0 to 5 and 8 to 15 are those of the id.
 */
#include "protocol/derived.h"

#include <string.h>

#include "common/crypto/crypto.h"

sat_id
sat_id_derive(const char *rule, const sat_id *subject, const char *period)
{
	uint8_t h[SAT_HASH_BYTES];
	sat_buf b = { 0 };
	sat_id id;

	sat_buf_str(&b, "satchel derived 1\n");
	sat_buf_add(&b, rule, strlen(rule) + 1);
	sat_buf_add(&b, subject->b, sizeof subject->b);
	sat_buf_str(&b, period);
	sat_hash(h, sat_buf_span(&b));
	sat_buf_fini(&b);
	memcpy(id.b, h, sizeof id.b);
	id.b[6] = SAT_DERIVED_ORDINAL >> 8;
	id.b[7] = SAT_DERIVED_ORDINAL & 0xff;
	return id;
}

bool
sat_id_is_derived(const sat_id *id)
{
	return id->b[6] == SAT_DERIVED_ORDINAL >> 8 &&
	    id->b[7] == (SAT_DERIVED_ORDINAL & 0xff);
}
