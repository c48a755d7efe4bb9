/* policy/audit.json: {"central": {"export": "each", "report": "day",
 * "login": "no"}}. Without it nothing. */
#include "common/template/template_int.h"

#include <string.h>

#define PATH "policy/audit.json"

static sat_audit_often
often(walk *w, const sat_json *n, const char *key)
{
	static const char *const words[] = { "no", "day", "each" };
	const char *s = sat_walk_text(w, n, key, false);

	for (size_t i = 0; s != NULL && i < 3; i++)
		if (strcmp(words[i], s) == 0)
			return (sat_audit_often)i;
	if (s != NULL)
		sat_walk_fault(w, "'%s' is one of no, day, each", key);
	return SAT_AUDIT_NO;
}

sat_rc
sat_template_load_audit(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *m;
	sat_audit_policy *p = &t->audit;
	size_t mark;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "note central");
	if ((m = sat_json_get(root, "central")) == NULL || w.rc != SAT_OK)
		return w.rc;
	mark = sat_walk_enter(&w, "central", SIZE_MAX);
	sat_walk_members(&w, m, "login report export");
	p->login = often(&w, m, "login");
	p->report = often(&w, m, "report");
	p->exported = often(&w, m, "export");
	if (w.rc == SAT_OK && (p->login != SAT_AUDIT_NO || p->report !=
	    SAT_AUDIT_NO || p->exported != SAT_AUDIT_NO) &&
	    sat_template_kind(t, "access") == NULL)
		sat_walk_fault(&w, "needs the kind 'access' (fields/access.json)");
	sat_walk_leave(&w, mark);
	return w.rc;
}

const sat_audit_policy *
sat_template_audit(const sat_template *t)
{
	return &t->audit;
}
