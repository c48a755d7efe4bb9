/*
 * thing.h - a template with one kind (1, "thing") and a field of every policy,
 * for the fold's tests.
 */
#ifndef SAT_TESTS_PROTOCOL_THING_H
#define SAT_TESTS_PROTOCOL_THING_H

#include "tests/lib/unit.h"

#include "common/template/template.h"

enum { PLAIN = 1, PHONE, TAGS, VISITS, LATEST, BEST, STAGE, OWNER, SOURCE, NAME,
	UNKNOWN = 500, NFIELDS = 10 };

/* Lent by load_thing until unload_thing: setup and teardown of a group. */
extern sat_template *tmpl;
int load_thing(void **state);
int unload_thing(void **state);

#endif
