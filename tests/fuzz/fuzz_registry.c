/* The registry: what is read is written alike, lookups stay inside. */
#include <stdlib.h>
#include <string.h>

#include "protocol/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	sat_registry r = { 0 };
	sat_buf b = { 0 };
	sat_err err = { 0 };

	if (sat_registry_read(&r, sat_span_of(p, n), &err) != SAT_OK) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	sat_registry_write(&b, &r);
	if (!sat_span_eq(sat_buf_span(&b), sat_span_of(p, n)))
		abort();
	for (uint32_t i = 0; i < 4; i++) {
		(void)sat_registry_user_ord(&r, i);
		(void)sat_registry_team_ord(&r, i);
		(void)sat_registry_device(&r, i);
	}
	(void)sat_registry_user(&r, sat_span_of(p, n < 8 ? n : 8));
	(void)sat_registry_team(&r, "east");
	sat_buf_fini(&b);
	sat_registry_fini(&r);
	return 0;
}
