/*
 * sheets.h - imports from sheets, with what the rows said.
 */
#ifndef SAT_TESTS_CLIENT_CRM_SHEETS_H
#define SAT_TESTS_CLIENT_CRM_SHEETS_H

#include "tests/lib/unit.h"

#include "client/crm/import.h"
#include "tests/unit/client/crm/crm_fixture.h"

#define DATA "tests/data/maven-crm/"

typedef struct door { /* what the CLI would keep */
	fixture *f;
	char reasons[64][200];
	size_t nreasons, ncleaned, nderived, nprogress;
	char cleaned[64][200];
	int64_t progress, stop_after;
	const char *spoil; /* then this file is overwritten, and nothing stops */
	char acme[80];
} door;

sat_rc import(sat_import_summary *s, door *d, const char *csv, const char *map,
    sat_import_opts *o, sat_err *e);

/* The company's people, as tests/data/maven-crm/users.csv lists them. */
void hire(fixture *f);

/* ---- small sheets -------------------------------------------------------- */

sat_rc import_text(sat_import_summary *s, door *d, const char *content,
    const char *map, sat_import_opts *o, sat_err *e);
/* Of this kind, and it succeeds; the map may be NULL. */
void import_all(sat_import_summary *s, fixture *f, const char *key,
    const char *content, const char *map);

#endif
