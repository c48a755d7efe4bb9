#include "common/template/privacy.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

/* "" = there is none; a list of conditions is not that. */
static const char *
where_of(walk *w, const sat_json *rule)
{
	const sat_json *m = sat_json_get(rule, "where");

	if (m != NULL && sat_json_type(m) != SAT_J_STR)
		sat_walk_fault(w, "'where' must be a text");
	return sat_json_str(m, "");
}

sat_rc
sat_template_retention(sat_retention *r, const sat_template *t,
    const sat_json *rule, sat_err *e)
{
	const char *kind = sat_json_get_str(rule, "kind", "");
	const char *from = sat_json_get_str(rule, "from", "");
	walk w = { .t = t, .path = SAT_PRIVACY_DOC, .e = e };

	*r = (sat_retention){ .key = sat_json_get_str(rule, "key", "?"),
		.kind = sat_template_kind(t, kind) };
	(void)snprintf(w.at, sizeof w.at, "retention %.40s", r->key);
	sat_walk_members(&w, rule, "key label kind where from retention_d note");
	if (r->kind == NULL) {
		sat_walk_fault(&w, "no kind '%.40s'", kind);
		return w.rc;
	}
	r->from = sat_kind_field(r->kind, from);
	if (r->from == NULL || r->from->type != SAT_F_TIME)
		sat_walk_fault(&w, "'from' is '%.40s', no time of %s", from,
		    r->kind->key);
	r->where = where_of(&w, rule);
	r->days = sat_walk_int(&w, rule, "retention_d", 0, 1,
	    SAT_RETENTION_D_MAX);
	if (r->days == 0)
		sat_walk_fault(&w, "'retention_d' is missing");
	return w.rc;
}

bool
sat_template_consented(const sat_json **purposes, const sat_template *t,
    const char *role)
{
	const sat_json *only = sat_json_get(sat_template_doc(t,
	    SAT_PRIVACY_DOC), "consented_only");
	const sat_json *roles = sat_json_get(only, "roles"), *n;

	*purposes = sat_json_get(only, "purposes");
	if (sat_json_type(*purposes) != SAT_J_ARR)
		*purposes = NULL;
	if (only == NULL)
		return false;
	if (sat_json_type(roles) != SAT_J_ARR)
		return true;
	for (n = sat_json_first(roles); n != NULL; n = sat_json_next(n))
		if (strcmp(sat_json_str(n, ""), role) == 0)
			return true;
	return false;
}
