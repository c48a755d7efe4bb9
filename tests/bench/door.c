/*
 * door.c - rows and edits through the gate into a replica.
 *
 * An edit is sat_crm_edit, what every door of the client calls. A creation is
 * the same steps as sat_crm_create with the id of DATA instead of a drawn one:
 * default owner, relation to it, the gate, duplicates, one commit.
 */
#include "tests/bench/bench.h"

#include "client/crm/crm_int.h"

void
door_create(device *d, const bench_data *data, const bench_values *v,
    size_t row)
{
	const sat_value *vals = bench_row_of(v, row);
	sat_duplicate dup[SAT_DUPLICATES_MAX];
	sat_arena a = { 0 };
	sat_err err = { 0 };
	crm_actor who;
	crm_work w;
	uint64_t cseq;
	size_t ndup;

	bench_must(crm_actor_get(&who, &d->crm, &err));
	crm_work_begin(&w, &d->crm, &who, &a, d->kind, NULL);
	for (size_t i = 0; i < BENCH_FIELDS; i++)
		if (vals[i].type != SAT_V_NULL)
			crm_put(&w, d->fields[i], vals[i]);
	bench_must(crm_defaults(&w, &err));
	bench_must(crm_relate(&w, &err));
	bench_must(crm_judge(&w, &err));
	bench_must(crm_duplicates(dup, &ndup, &w, &err));
	w.id = data->id[row];
	bench_must(crm_write(&w, 0, &cseq, &err));
	sat_arena_fini(&a);
}

size_t
door_edit(device *d, const bench_edit *ed)
{
	sat_input in = { '=', ed->field, sat_span_str(ed->text) };
	sat_err err = { 0 };
	size_t changed;

	bench_must(sat_crm_edit(&changed, &d->crm, d->kind, &ed->id, &in, 1,
	    NULL, &err));
	return changed;
}
