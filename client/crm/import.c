/*
 * The import: rows in groups of 1,000, each group one durable transaction.
 * Nothing is reported as saved before its group is; a bad row never stops the
 * others; repeating an import changes nothing, because every row first looks
 * for its record.
 *
 * A dry run is the same work in one transaction that is rolled back, so its
 * counts are the real ones and nothing is written.
 */
#include "client/crm/import_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_ROWS 1000
#define LOOKUPS_MAX 65536
#define ROOTS_MAX 32768

const char *
imp_way(sat_on_duplicate d)
{
	static const char *const words[] = { "skip", "update", "new", "ask" };

	return words[d];
}

static sat_rc
log_start(const imp_job *j, const char *batch, sat_err *e)
{
	char *detail;
	sat_rc rc;

	if (j->o->dry_run)
		return SAT_OK;
	detail = sat_xasprintf("batch=%s kind=%s on_duplicate=%s", batch,
	    j->map.kind->key, imp_way(j->o->on_duplicate));
	rc = sat_replica_audit(j->c->replica, "import", detail, e);
	free(detail);
	return rc;
}

/* The commits of the batch are a range of this device's own numbers. */
static sat_rc
log_end(const imp_job *j, const sat_import_summary *s, sat_err *e)
{
	char *detail;
	sat_rc rc;

	if (j->o->dry_run)
		return SAT_OK;
	detail = sat_xasprintf("batch=%s rows=%" PRId64 " created=%" PRId64
	    " updated=%" PRId64 " unchanged=%" PRId64 " skipped=%" PRId64
	    " errors=%" PRId64 " commits=%" PRIu64 "..%" PRIu64 "%s",
	    s->batch, s->rows, s->created, s->updated, s->unchanged,
	    s->skipped, s->errors, j->first, j->last,
	    s->interrupted ? " interrupted" : "");
	rc = sat_replica_audit(j->c->replica, "import.done", detail, e);
	free(detail);
	return rc;
}

static void
count(imp_job *j, imp_result result, bool incomplete)
{
	sat_import_summary *g = &j->group;

	g->rows++;
	g->created += result == IMP_CREATED;
	g->updated += result == IMP_UPDATED;
	g->unchanged += result == IMP_UNCHANGED;
	g->skipped += result == IMP_SKIPPED;
	g->errors += result == IMP_ERROR;
	g->incomplete += result == IMP_CREATED && incomplete;
	g->blind += result == IMP_CREATED && j->blind;
	if (result == IMP_ERROR && j->o->on_error != NULL)
		j->o->on_error(j->o->u, j->row, sat_buf_cstr(&j->reason));
}

static void
add_up(sat_import_summary *s, sat_import_summary *g)
{
	s->rows += g->rows;
	s->created += g->created;
	s->updated += g->updated;
	s->unchanged += g->unchanged;
	s->skipped += g->skipped;
	s->errors += g->errors;
	s->incomplete += g->incomplete;
	s->blind += g->blind;
	memset(g, 0, sizeof *g);
}

/* The group is durable now; only then are its rows counted. */
static sat_rc
end_group(sat_import_summary *s, imp_job *j, sat_err *e)
{
	uint64_t done, total;
	sat_rc rc;

	if (!j->o->dry_run) {
		/* a mapping is kept even when every row was there already */
		if ((j->o->map_name != NULL &&
		    (rc = imp_batch_begin(j, e)) != SAT_OK) ||
		    (rc = imp_batch_count(j, s, e)) != SAT_OK ||
		    (rc = crm_numbers_save(&j->numbers, j->c, e)) != SAT_OK)
			return rc;
		if (j->has_batch && !s->recorded && j->o->began != NULL &&
		    (rc = j->o->began(j->o->u, s->batch, e)) != SAT_OK)
			return rc;
		if ((rc = sat_replica_group_commit(j->c->replica, e)) != SAT_OK)
			return rc;
	}
	add_up(s, &j->group);
	s->recorded = j->has_batch && !j->o->dry_run;
	if (j->o->progress != NULL) {
		sat_sheet_progress(j->o->sheet, &done, &total);
		j->o->progress(j->o->u, s->rows, done, total);
	}
	return SAT_OK;
}

static bool
too_many_errors(const sat_import_summary *s, const imp_job *j)
{
	return j->o->max_errors > 0 &&
	    s->errors + j->group.errors > j->o->max_errors;
}

/* Rows until the group is full; *more false at the end of all. */
static sat_rc
fill_group(sat_import_summary *s, bool *more, imp_job *j, sat_err *e)
{
	imp_result result;
	bool incomplete;
	sat_rc rc;

	while (j->group.rows < GROUP_ROWS) {
		*more = false;
		if (j->o->interrupted != NULL && j->o->interrupted(j->o->u)) {
			s->interrupted = true;
			return SAT_OK;
		}
		if (too_many_errors(s, j))
			return SAT_OK;
		if ((rc = sat_sheet_next(&j->row, j->o->sheet, e)) != SAT_OK)
			return rc;
		if (j->row == NULL)
			return SAT_OK;
		if ((rc = imp_row(&result, &incomplete, j, e)) != SAT_OK)
			return rc;
		count(j, result, incomplete);
		*more = true;
	}
	return SAT_OK;
}

/* It ended in the middle, by a full disk, a damaged sheet, a stick that was pulled:
 * what came before stands, and whoever reads this must know. */
static void
tell_kept(const sat_import_summary *s, const imp_job *j, sat_rc why, sat_err *e)
{
	if (s->rows == 0 || j->o->dry_run)
		return;
	if (s->blind > 0)
		sat_err_hint(e, "the first %lld rows are in; take them back "
		    "first: satchel import undo %s", (long long)s->rows,
		    s->batch);
	else if (why == SAT_ENOSPACE)
		sat_err_hint(e, "the first %lld rows are in; with room on the "
		    "disk the same import goes on behind them",
		    (long long)s->rows);
	else if (s->recorded)
		sat_err_hint(e, "the first %lld rows are in (batch %s); the "
		    "same import goes on behind them", (long long)s->rows,
		    s->batch);
}

static sat_rc
run_groups(sat_import_summary *s, imp_job *j, sat_err *e)
{
	sat_replica *r = j->c->replica;
	bool more = true, open = false;
	sat_rc rc = SAT_OK;

	while (more && rc == SAT_OK) {
		if (!open && (rc = sat_replica_group_begin(r, e)) != SAT_OK)
			break;
		open = true;
		if ((rc = fill_group(s, &more, j, e)) == SAT_OK)
			rc = end_group(s, j, e);
		open = rc == SAT_OK && j->o->dry_run;
		if (rc != SAT_OK)
			sat_replica_group_rollback(r);
	}
	if (open)
		sat_replica_group_rollback(r);
	if (rc != SAT_OK)
		tell_kept(s, j, rc, e);
	return rc;
}

static sat_rc
verdict(const sat_import_summary *s, const imp_job *j, sat_err *e)
{
	bool early = s->interrupted || too_many_errors(s, j);
	sat_rc rc;

	if (s->interrupted)
		rc = sat_fail_code(e, SAT_EPARTLY, "import.interrupted",
		    "repeat the import: rows that are there are not made twice",
		    "interrupted after %lld rows", (long long)s->rows);
	else if (early)
		rc = sat_fail_code(e, SAT_EPARTLY, "import.errors", NULL,
		    "stopped after %lld error rows", (long long)s->errors);
	else if (s->errors > 0)
		rc = sat_fail_code(e, SAT_EPARTLY, "import.partly",
		    "correct those rows and import them; --errors FILE writes them with the "
		    "reasons",
		    "%lld of %lld rows were not imported",
		    (long long)s->errors, (long long)s->rows);
	else
		return SAT_OK;
	if (s->blind == 0 || j->o->dry_run)
		return rc;
	if (early)
		sat_err_hint(e, "take it back before it is repeated, its rows "
		    "would be made twice: satchel import undo %s", s->batch);
	else
		sat_err_hint(e, "correct those rows and import them alone, the "
		    "others would be made twice; --errors FILE writes them");
	return rc;
}

static sat_rc
prepare(imp_job *j, sat_err *e)
{
	size_t n;
	sat_rc rc;

	if ((rc = imp_map_read(&j->map, j->who.t, j->o, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < j->map.nderives; i++)
		if ((rc = imp_derive_load(&j->map.derives[i], j->o, e)) !=
		    SAT_OK)
			return rc;
	if ((rc = imp_batch_before(j, e)) != SAT_OK)
		return rc;
	n = j->map.ncolumns + 1;
	j->raw = sat_xcalloc(n, sizeof *j->raw);
	j->text = sat_xcalloc(n, sizeof *j->text);
	j->origin = sat_xcalloc(j->map.kind->nfields + 1, sizeof *j->origin);
	j->lookups = crm_cache_new(LOOKUPS_MAX);
	j->roots = crm_cache_new(ROOTS_MAX);
	return SAT_OK;
}

static void
clean_up(imp_job *j)
{
	imp_map_fini(&j->map);
	crm_cache_free(j->lookups);
	crm_cache_free(j->roots);
	sat_arena_fini(&j->a);
	sat_buf_fini(&j->b);
	sat_buf_fini(&j->b2);
	sat_buf_fini(&j->reason);
	free(j->raw);
	free(j->text);
	free(j->origin);
}

sat_rc
sat_crm_import(sat_import_summary *s, sat_crm *c, const sat_import_opts *o,
    sat_err *e)
{
	imp_job j = { .c = c, .o = o };
	sat_rc rc, logged;

	memset(s, 0, sizeof *s);
	if ((rc = crm_actor_get(&j.who, c, e)) != SAT_OK)
		return rc;
	if (sat_acl(j.who.t, j.who.me->role, "import") == SAT_GRANT_NO)
		return sat_fail_code(e, SAT_EDENIED, "permission.denied", NULL,
		    "role %.20s may not import", j.who.me->role);
	if ((rc = sat_crm_import_open(c, e)) != SAT_OK)
		return rc;
	j.batch = sat_replica_new_id(c->replica);
	sat_id_text(s->batch, &j.batch);
	rc = prepare(&j, e);
	s->kind = j.map.kind;
	if (rc == SAT_OK &&
	    (rc = log_start(&j, s->batch, e)) == SAT_OK) {
		rc = run_groups(s, &j, e);
		if (rc == SAT_OK && !o->dry_run) /* nobody waits for it later */
			rc = sat_replica_search_ready(c->replica, e);
		logged = log_end(&j, s, rc == SAT_OK ? e : NULL);
		if (rc == SAT_OK)
			rc = logged == SAT_OK ? verdict(s, &j, e) : logged;
	}
	clean_up(&j);
	return rc;
}
