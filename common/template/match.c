/*
 * match.c - the key under which equal values of a duplicate key meet.
 */
#include "common/template/match.h"

#include "common/crypto/crypto.h"

bool
sat_match_key(int64_t *key, sat_buf *tmp, const sat_kind *k,
    const sat_field *f, sat_value v)
{
	static const uint8_t sip[16] = "satchel.match.1";
	size_t head;

	/* a phone the pool shows the end of is no key (P-155) */
	if (v.type == SAT_V_NULL || (v.type == SAT_V_TEXT && v.s.n > 0 &&
	    v.s.p[0] == '*'))
		return false;
	sat_buf_reset(tmp);
	sat_write_uint(tmp, k->id);
	sat_write_uint(tmp, f->id);
	head = tmp->n;
	if (v.type == SAT_V_TEXT)
		sat_norm_key(tmp, f->norm, v.s);
	else
		sat_value_write(tmp, v);
	if (tmp->n == head)
		return false;
	*key = (int64_t)sat_siphash24(sip, sat_buf_span(tmp));
	return true;
}
