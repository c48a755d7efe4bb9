/*
 * import_marks.c - the two columns behind those of the sheet, by which a file of
 * refused rows says where they stood and why they were refused.
 *
 * The file is corrected and imported again, and what is refused then makes the
 * next one: so the marks of a sheet are known as ours, without a mapping and
 * with one, and give way to the new ones. A column that somebody else called
 * "reason" is theirs wherever it stands for something; ours have other names
 * then.
 */
#include "client/crm/import_int.h"

#include <string.h>

static const char *const pairs[][2] = { { "line", "reason" },
	{ "import_line", "import_reason" } };
#define NPAIRS (sizeof pairs / sizeof pairs[0])

static bool
is_a_field(const imp_map *m, size_t pair)
{
	return sat_kind_field(m->kind, pairs[pair][0]) != NULL ||
	    sat_kind_field(m->kind, pairs[pair][1]) != NULL;
}

/* The pair that the sheet's last two columns are; NPAIRS: none. */
static size_t
pair_of(const imp_map *m)
{
	for (size_t p = 0; p < NPAIRS && m->ncolumns > 2; p++)
		if (strcmp(m->columns[m->ncolumns - 2].name, pairs[p][0]) == 0 &&
		    strcmp(m->columns[m->ncolumns - 1].name, pairs[p][1]) == 0 &&
		    !is_a_field(m, p))
			return p;
	return NPAIRS;
}

bool
imp_is_mark(const imp_map *m, size_t column)
{
	return column + 2 >= m->ncolumns && pair_of(m) < NPAIRS;
}

static bool
is_taken(const imp_map *m, size_t pair)
{
	for (size_t i = 0; i < m->ncolumns; i++)
		if (strcmp(m->columns[i].name, pairs[pair][0]) == 0 ||
		    strcmp(m->columns[i].name, pairs[pair][1]) == 0)
			return true;
	return is_a_field(m, pair);
}

sat_import_marks
sat_crm_import_marks(sat_crm *c, const sat_import_opts *o)
{
	sat_import_marks out = { sat_sheet_columns(o->sheet), pairs[0][0],
		pairs[0][1] };
	crm_actor who;
	imp_map m = { 0 };
	size_t p;

	if (crm_actor_get(&who, c, NULL) != SAT_OK)
		return out;
	if (imp_map_read(&m, who.t, o, NULL) == SAT_OK) {
		p = pair_of(&m);
		if (p < NPAIRS &&
		    m.columns[m.ncolumns - 2].use == IMP_IGNORED &&
		    m.columns[m.ncolumns - 1].use == IMP_IGNORED)
			out.columns -= 2;
		else
			for (p = 0; p + 1 < NPAIRS && is_taken(&m, p);)
				p++;
		out.line = pairs[p][0];
		out.reason = pairs[p][1];
	}
	imp_map_fini(&m);
	return out;
}
