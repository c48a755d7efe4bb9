/*
 * mask.c - a role that does not see every field (P-241 to P-247): nothing the
 * template of the simulation hides from it (mask_matrix.c) ever is in a frame to
 * its devices or, once the server has answered, on their disks.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_masked(const world *w, int dev)
{
	return w->users[w->dev[dev].user].role == MASKED;
}

static bool
has_canary(sat_span s)
{
	return memmem(s.p, s.n, "canary-", 7) != NULL;
}

void
sim_mask_value(world *w, int dev, sat_span s, const char *what)
{
	if (is_masked(w, dev) && s.n > 0 && has_canary(s))
		sim_fail(w, "property 11: %s to d%d tells what its role does "
		    "not see", what, dev + 1);
}

/* A state that says it is not whole, for the count. */
void
sim_mask_state(world *w, int dev, const sat_record *r)
{
	for (size_t i = 0; is_masked(w, dev) && i < r->ncells; i++) {
		const sat_cell *c = &r->cells[i];

		sim_mask_value(w, dev, c->ext, "candidates");
		if (c->value.type == SAT_V_BYTES)
			sim_mask_value(w, dev, c->value.s, "a state");
		if (c->field == SAT_SYS_MASKED)
			HIT(veiled);
	}
}

/* ---- its disk -------------------------------------------------------------------- */

static void
look_through(device *d, const char *table)
{
	sat_db *db = sat_replica_db(d->r);
	char *sql = sat_xasprintf("SELECT * FROM \"%s\"", table);
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };
	sat_rc rc;

	if ((rc = sat_db_stmt_text(&s, db, sql, &e)) != SAT_OK)
		sim_fail(d->n.w, "%s: %s: %s", d->n.name, table, e.text);
	while ((rc = sat_step(&row, s, &e)) == SAT_OK && row)
		for (int i = 0; i < sat_col_count(s); i++)
			if ((sat_col_type(s, i) == 't' && has_canary(
			    sat_col_text(s, i))) || (sat_col_type(s, i) ==
			    'b' && has_canary(sat_col_blob(s, i))))
				sim_fail(d->n.w, "property 11: %s keeps in %s, "
				    "column %d, what its role does not see",
				    d->n.name, table, i);
	if (rc != SAT_OK)
		sim_fail(d->n.w, "%s: %s: %s", d->n.name, table, e.text);
	free(sql);
}

/* At rest. What it typed itself and the server refused waits for a person. */
void
sim_mask_disk(device *d)
{
	char names[96][64];
	size_t n = 0;
	sat_stmt *s;
	bool row;
	sat_err e = { 0 };

	if (!is_masked(d->n.w, d->index))
		return;
	HIT(veiled_disks);
	if (sat_db_stmt_text(&s, sat_replica_db(d->r), "SELECT name FROM "
	    "sqlite_schema WHERE type = 'table' AND name <> 'quarantine'",
	    &e) != SAT_OK)
		sim_fail(d->n.w, "%s: %s", d->n.name, e.text);
	while (sat_step(&row, s, &e) == SAT_OK && row && n < 96) {
		sat_span name = sat_col_text(s, 0);

		(void)snprintf(names[n++], sizeof names[0], "%.*s",
		    (int)name.n, (const char *)name.p);
	}
	sat_stmt_reset(s);
	for (size_t i = 0; i < n; i++)
		look_through(d, names[i]);
}
