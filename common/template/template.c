#include "common/base/version.h"
#include "common/template/report_def.h"
#include "common/template/template_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- loading --------------------------------------------------------------- */

/* Relative, plain, no "..": the path may become a file name elsewhere. */
static bool
path_ok(const char *path)
{
	size_t n = strlen(path);

	if (n == 0 || n > 100 || path[0] == '/' || path[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = path[i];

		if (c == '.' && (path[i + 1] == '.' || path[i + 1] == '/'))
			return false;
		if (c == '/' && (path[i + 1] == '/' || path[i + 1] == '.' ||
		    path[i + 1] == '\0'))
			return false;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/'))
			return false;
	}
	return true;
}

bool
sat_template_is_json(const char *path)
{
	size_t n = strlen(path);

	return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

/* Length of the path as far as it may be repeated in a text. */
static int
shown(const char *path)
{
	int n = 0;

	while (n < 100 && path[n] != '\0' && path[n] >= 32 && path[n] < 127)
		n++;
	return n;
}

static sat_rc
add_doc(sat_template *t, const sat_template_file *f, sat_err *e)
{
	sat_err why;
	sat_json *json = NULL;
	sat_rc rc;

	if (!path_ok(f->path))
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%.*s: not a usable path", shown(f->path), f->path);
	if (!sat_template_is_json(f->path))
		return SAT_OK; /* texts beside the documents */
	if (t->ndocs == TEMPLATE_DOCS_MAX)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%s: more than %d documents", f->path, TEMPLATE_DOCS_MAX);
	rc = sat_json_parse(&json, f->bytes, TEMPLATE_DOC_BYTES_MAX, &why);
	if (rc != SAT_OK)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%s: %s", f->path, why.text);
	t->docs[t->ndocs].path = sat_arena_str(&t->arena, f->path,
	    strlen(f->path));
	t->docs[t->ndocs++].json = json;
	if (sat_json_type(json) != SAT_J_OBJ)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "%s: must be an object", f->path);
	return SAT_OK;
}

static int
doc_cmp(const void *a, const void *b)
{
	return strcmp(((const doc *)a)->path, ((const doc *)b)->path);
}

static bool
semver_ok(const char *v)
{
	int parts = 0;

	for (const char *p = v;; p++) {
		size_t n = strspn(p, "0123456789");

		if (n == 0 || n > 6 || (n > 1 && *p == '0'))
			return false;
		parts++;
		p += n;
		if (*p == '\0')
			return parts == 3;
		if (*p != '.')
			return false;
	}
}

/* Both semver_ok(). */
static bool
later_than(const char *x, const char *y)
{
	for (;;) {
		char *xe, *ye;
		long a = strtol(x, &xe, 10), b = strtol(y, &ye, 10);

		if (a != b)
			return a > b;
		if (*xe == '\0')
			return false;
		x = xe + 1;
		y = ye + 1;
	}
}

/* Asked before anything else of the documents is read: what a later release
 * brought is unknown here, and no fault of who wrote it. */
static void
check_min_client(walk *w, const sat_json *n)
{
	const char *min = sat_walk_text(w, n, "min_client", false);

	if (w->rc != SAT_OK || min == NULL)
		return;
	if (!semver_ok(min))
		sat_walk_fault(w, "'min_client' must be like 1.0.0");
	else if (later_than(min, SAT_VERSION))
		w->rc = sat_fail_code(w->e, SAT_EVERSION,
		    "template.min_client", "update this program",
		    "template.json: needs Satchel %s, this is %s", min,
		    SAT_VERSION);
}

#define TEMPLATE_SCHEMA 1

static sat_rc
load_head(sat_template *t, sat_err *e)
{
	walk w = { .t = t, .path = "template.json", .e = e };
	const sat_json *n = sat_template_doc(t, w.path);
	const char *zh, *en;
	int64_t schema;

	if (n == NULL)
		return sat_fail_code(e, SAT_EINVALID, "template.invalid", NULL,
		    "template.json: is missing");
	schema = sat_walk_int(&w, n, "schema", 0, 1, 1000);
	if (w.rc == SAT_OK && schema > TEMPLATE_SCHEMA)
		return sat_fail_code(e, SAT_EVERSION, "template.schema",
		    "update this program", "template.json: schema %lld is newer "
		    "than %d", (long long)schema, TEMPLATE_SCHEMA);
	if (w.rc == SAT_OK && schema == 0)
		sat_walk_fault(&w, "'schema' is missing");
	check_min_client(&w, n);
	sat_walk_members(&w, n, "id name version schema parent tz tz_min week "
	    "currency languages modules min_client waivers note "
	    "number_lease");
	sat_walk_label(&w, n, "name", &zh, &en);
	t->id = sat_walk_text(&w, n, "id", true);
	t->version = sat_walk_text(&w, n, "version", true);
	(void)sat_walk_text(&w, n, "tz", true);
	(void)sat_walk_text(&w, n, "currency", true);
	t->tz_min = (int)sat_walk_int(&w, n, "tz_min", 0, -12 * 60, 14 * 60);
	t->number_lease = (int)sat_walk_int(&w, n, "number_lease", 20, 0,
	    SAT_NUMBER_LEASE_MAX);
	if (w.rc == SAT_OK && strlen(t->id) > TEMPLATE_KEY_MAX)
		sat_walk_fault(&w, "'id' is longer than %d", TEMPLATE_KEY_MAX);
	if (w.rc == SAT_OK && !semver_ok(t->version))
		sat_walk_fault(&w, "'version' must be like 1.0.0");
	return w.rc;
}

static void
list_reports(sat_template *t)
{
	const size_t folder = sizeof "reports/" - 1, ext = sizeof ".json" - 1;
	const char *path;
	size_t n = 0;

	while (sat_template_path(t, "reports/", n) != NULL)
		n++;
	t->report_keys = sat_arena_alloc(&t->arena,
	    (n + 1) * sizeof *t->report_keys);
	while ((path = sat_template_path(t, "reports/", t->nreports)) != NULL)
		t->report_keys[t->nreports++] = sat_arena_str(&t->arena,
		    path + folder, strlen(path) - folder - ext);
}

/* A broken report would only be noticed at month end: bind them all now. */
static sat_rc
check_reports(const sat_template *t, sat_err *e)
{
	const char *key;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK &&
	    (key = sat_report_key(t, i)) != NULL; i++) {
		sat_report_def def;

		rc = sat_report_def_load(t, key, &def, e);
		if (rc == SAT_OK)
			sat_report_def_fini(&def);
	}
	return rc;
}

static sat_rc
load_all(sat_template *t, const sat_template_file *files, size_t n, sat_err *e)
{
	sat_rc rc;

	for (size_t i = 0; i < n; i++)
		if ((rc = add_doc(t, &files[i], e)) != SAT_OK)
			return rc;
	qsort(t->docs, t->ndocs, sizeof t->docs[0], doc_cmp);
	for (size_t i = 1; i < t->ndocs; i++)
		if (strcmp(t->docs[i - 1].path, t->docs[i].path) == 0)
			return sat_fail_code(e, SAT_EINVALID,
			    "template.invalid", NULL, "%s: given twice",
			    t->docs[i].path);
	list_reports(t);
	if ((rc = load_head(t, e)) != SAT_OK ||
	    (rc = sat_template_load_patterns(t, e)) != SAT_OK ||
	    (rc = sat_template_load_dicts(t, e)) != SAT_OK ||
	    (rc = sat_template_load_kinds(t, e)) != SAT_OK ||
	    (rc = sat_template_load_matrix(t, e)) != SAT_OK ||
	    (rc = sat_template_load_masks(t, e)) != SAT_OK ||
	    (rc = sat_template_load_standard(t, e)) != SAT_OK ||
	    (rc = sat_template_load_calendar(t, e)) != SAT_OK ||
	    (rc = sat_template_load_audit(t, e)) != SAT_OK ||
	    (rc = sat_template_load_quota(t, e)) != SAT_OK ||
	    (rc = sat_template_load_pools(t, e)) != SAT_OK ||
	    (rc = sat_template_load_reception(t, e)) != SAT_OK ||
	    (rc = sat_template_load_reminders(t, e)) != SAT_OK ||
	    (rc = sat_template_load_approvals(t, e)) != SAT_OK ||
	    (rc = sat_template_load_flows(t, e)) != SAT_OK)
		return rc;
	return check_reports(t, e);
}

sat_rc
sat_template_load(sat_template **out, const sat_template_file *files, size_t n,
    sat_err *e)
{
	sat_template *t = sat_xcalloc(1, sizeof *t);
	sat_rc rc = load_all(t, files, n, e);

	*out = NULL;
	if (rc != SAT_OK)
		sat_template_free(t);
	else
		*out = t;
	return rc;
}

void
sat_template_free(sat_template *t)
{
	if (t == NULL)
		return;
	sat_template_free_patterns(t);
	for (size_t i = 0; i < t->ndocs; i++)
		sat_json_free(t->docs[i].json);
	sat_arena_fini(&t->arena);
	free(t);
}

/* ---- looking up ------------------------------------------------------------ */

const char *
sat_template_version(const sat_template *t)
{
	return t->version;
}

const char *
sat_template_name(const sat_template *t)
{
	return t->id;
}

int
sat_template_number_lease(const sat_template *t)
{
	return t->number_lease;
}

int
sat_template_tz_min(const sat_template *t)
{
	return t->tz_min;
}

size_t
sat_template_kinds(const sat_template *t)
{
	return t->nkinds;
}

const sat_kind *
sat_template_kind_at(const sat_template *t, size_t i)
{
	return i < t->nkinds ? &t->kinds[i] : NULL;
}

const sat_kind *
sat_template_kind(const sat_template *t, const char *key)
{
	for (size_t i = 0; i < t->nkinds; i++)
		if (strcmp(t->kinds[i].key, key) == 0 ||
		    strcmp(t->kinds[i].plural, key) == 0)
			return &t->kinds[i];
	return NULL;
}

const sat_kind *
sat_template_kind_id(const sat_template *t, uint16_t id)
{
	if (t->kind_at != NULL)
		return id < t->nkind_at && t->kind_at[id] != 0 ?
		    &t->kinds[t->kind_at[id] - 1] : NULL;
	for (size_t i = 0; i < t->nkinds; i++)
		if (t->kinds[i].id == id)
			return &t->kinds[i];
	return NULL;
}

const sat_field *
sat_kind_field(const sat_kind *k, const char *key)
{
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].key[0] == key[0] && /* most differ there */
		    strcmp(k->fields[i].key, key) == 0)
			return &k->fields[i];
	return NULL;
}

const sat_field *
sat_kind_field_id(const sat_kind *k, uint16_t id)
{
	if (k->field_at != NULL)
		return id < k->nfield_at && k->field_at[id] != 0 ?
		    &k->fields[k->field_at[id] - 1] : NULL;
	for (size_t i = 0; i < k->nfields; i++)
		if (k->fields[i].id == id)
			return &k->fields[i];
	return NULL;
}

const sat_dict *
sat_template_dict(const sat_template *t, const char *name)
{
	for (size_t i = 0; i < t->ndicts; i++)
		if (strcmp(t->dicts[i].pub.name, name) == 0)
			return &t->dicts[i].pub;
	return NULL;
}

const sat_json *
sat_template_doc(const sat_template *t, const char *path)
{
	doc want = { path, NULL };
	const doc *d = bsearch(&want, t->docs, t->ndocs, sizeof t->docs[0],
	    doc_cmp);

	return d != NULL ? d->json : NULL;
}

const char *
sat_template_path(const sat_template *t, const char *prefix, size_t i)
{
	size_t n = strlen(prefix);

	for (size_t k = 0; k < t->ndocs; k++)
		if (strncmp(t->docs[k].path, prefix, n) == 0 && i-- == 0)
			return t->docs[k].path;
	return NULL;
}
