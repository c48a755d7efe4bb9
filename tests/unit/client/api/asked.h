/*
 * asked.h - a replica with one of everything, and the routes asked of it.
 */
#ifndef SAT_TESTS_CLIENT_API_ASKED_H
#define SAT_TESTS_CLIENT_API_ASKED_H

#include "tests/lib/unit.h"

#include "client/api/api.h"
#include "tests/unit/client/crm/crm_fixture.h"

typedef struct world {
	fixture *f;
	sat_api api;
	char id[SAT_ID_TEXT], opp[SAT_ID_TEXT], gone[SAT_ID_TEXT];
	char conflict[48], refused[24], again[24], hand[24];
	char take[64], leave[64];
	char twin[2][SAT_ID_TEXT], pair[17];
	char visit[SAT_ID_TEXT], report[SAT_ID_TEXT], follow[SAT_ID_TEXT];
	size_t events;
	bool port; /* asked through it: no file of this computer */
} world;

/* ---- schemas ------------------------------------------------------------- */

sat_json *schema_of(const char *name);
void assert_fits(const sat_json *doc, const char *schema, const char *what);

/* ---- the world: one of everything ---------------------------------------- */

void touch(const char *dir, const char *name, const char *content);
world *world_of(fixture *f);

typedef struct call {
	const char *method, *pattern; /* of the table */
	const char *path;             /* $A account, $O deal, $K conflict, $Q, $R, $S refused, $T, $L suggested, $F follow-up */
	const char *query, *body;     /* JSON; $D the folder */
	const char *schema;           /* other than the route's; NULL */
} call;

/* ---- calls --------------------------------------------------------------- */

extern const call calls[]; /* calls.c */
extern const size_t ncalls;
sat_rc ask(sat_json **out, world *w, const call *k, sat_err *e);
/* The same with these members, too, in query and body where it has none of that
 * name. */
sat_rc ask_more(sat_json **out, world *w, const call *k, const sat_json *more,
    sat_err *e);

#endif
