/*
 * judged.h - a record of the base template under judgement.
 */
#ifndef SAT_TESTS_COMMON_TEMPLATE_JUDGED_H
#define SAT_TESTS_COMMON_TEMPLATE_JUDGED_H

#include "tests/lib/unit.h"

#include "common/template/gate.h"
#include "common/template/template.h"

#define NOW 1800000000000LL

/* ---- a record under judgement -------------------------------------------- */

#define MANY 16

typedef struct record {
	const char *kind;
	struct { const char *key; sat_value v; } now[MANY];
	size_t n;
	sat_change changes[MANY];
	size_t nchanges;
	sat_gate_in in;
	sat_gate_out out;
	sat_err err;
} record;

sat_value txt(const char *s);
sat_value lookup(void *u, const sat_field *f);
void begin(record *r, const char *kind, bool is_new);
void has(record *r, const char *key, sat_value v);
void change(record *r, sat_verb verb, const char *key, sat_value v);
sat_rc judge(record *r);

/* A complete customer as it is stored. */
void begin_customer(record *r);

void begin_new_customer(record *r);

#endif
