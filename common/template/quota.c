/* policy/limits.json: {"quota":{role or "*":{ops_day,mib_day,days}},
 * "session":{idle_min},
 * "device":{lease_d,history_d,history_values}}. */
#include "common/template/template_int.h"

#include <string.h>

#define PATH "policy/limits.json"
/* One batch must fit into what adds up, or it could never be sent. */
#define OPS_LEAST 65536
#define MIB_LEAST 4

static sat_quota
read_quota(walk *w, const sat_json *n)
{
	sat_quota q = SAT_QUOTA_DEFAULT;

	sat_walk_members(w, n, "ops_day mib_day days");
	q.ops_day = sat_walk_int(w, n, "ops_day", q.ops_day, 1, 1000000000);
	q.mib_day = sat_walk_int(w, n, "mib_day", q.mib_day, 1, 1000000);
	q.days = sat_walk_int(w, n, "days", q.days, 1, 366);
	if (w->rc == SAT_OK && (q.ops_day * q.days < OPS_LEAST ||
	    q.mib_day * q.days < MIB_LEAST))
		sat_walk_fault(w, "less than one batch: ops_day * days must be "
		    "at least %d, mib_day * days %d", OPS_LEAST, MIB_LEAST);
	return q;
}

static int64_t
read_idle(walk *w, const sat_json *n)
{
	sat_walk_members(w, n, "idle_min");
	return sat_walk_int(w, n, "idle_min", SAT_SESSION_IDLE_MIN, 1, 480);
}

/* Not longer than a permit may last (P-189); a past that reaches less than a
 * year's quarters back would change what reports of them say. */
static sat_device_limits
read_device(walk *w, const sat_json *n)
{
	sat_device_limits d = SAT_DEVICE_LIMITS_DEFAULT;

	sat_walk_members(w, n, "lease_d history_d history_values");
	d.lease_d = sat_walk_int(w, n, "lease_d", d.lease_d, 1, 366);
	d.history_d = sat_walk_int(w, n, "history_d", d.history_d, 100, 3650);
	d.history_values = sat_walk_int(w, n, "history_values",
	    d.history_values, 5, 1000);
	return d;
}

sat_rc
sat_template_load_quota(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = PATH, .e = e };
	const sat_json *root = sat_template_doc(t, PATH), *rows, *n;

	if (root == NULL)
		return SAT_OK;
	sat_walk_members(&w, root, "note quota session device");
	rows = sat_json_get(root, "quota");
	if (rows != NULL && sat_json_type(rows) != SAT_J_OBJ)
		sat_walk_fault(&w, "'quota' must be an object");
	for (n = w.rc == SAT_OK ? sat_json_first(rows) : NULL;
	    n != NULL && w.rc == SAT_OK; n = sat_json_next(n))
		(void)read_quota(&w, n);
	if (w.rc == SAT_OK && (n = sat_json_get(root, "session")) != NULL)
		(void)read_idle(&w, n);
	if (w.rc == SAT_OK && (n = sat_json_get(root, "device")) != NULL)
		(void)read_device(&w, n);
	return w.rc;
}

sat_quota
sat_template_quota(const sat_template *t, const char *role)
{
	walk w = { .t = t, .path = PATH };
	const sat_json *root = sat_template_doc(t, PATH), *rows, *n;

	rows = root != NULL ? sat_json_get(root, "quota") : NULL;
	if (rows == NULL)
		return SAT_QUOTA_DEFAULT;
	if ((n = sat_json_get(rows, role)) == NULL &&
	    (n = sat_json_get(rows, "*")) == NULL)
		return SAT_QUOTA_DEFAULT;
	return read_quota(&w, n); /* was checked when it was loaded */
}

int64_t
sat_template_session_idle_min(const sat_template *t)
{
	walk w = { .t = t, .path = PATH };
	const sat_json *n = t != NULL ? sat_json_get(sat_template_doc(t, PATH),
	    "session") : NULL;

	return n != NULL ? read_idle(&w, n) : SAT_SESSION_IDLE_MIN;
}

sat_device_limits
sat_template_device(const sat_template *t)
{
	walk w = { .t = t, .path = PATH };
	const sat_json *n = t != NULL ? sat_json_get(sat_template_doc(t, PATH),
	    "device") : NULL;

	return n != NULL ? read_device(&w, n) : SAT_DEVICE_LIMITS_DEFAULT;
}
