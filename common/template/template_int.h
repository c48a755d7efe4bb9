/*
 * template_int.h - inside the room: the loaded template and how documents are
 * walked.
 */
#ifndef SAT_TEMPLATE_INT_H
#define SAT_TEMPLATE_INT_H

#include "common/template/cond.h"

#define TEMPLATE_DOCS_MAX 512
#define TEMPLATE_DOC_BYTES_MAX (1u << 20)
#define TEMPLATE_OPTIONS_MAX 4096
#define TEMPLATE_PATTERN_MAX 512
#define TEMPLATE_KEY_MAX 40

typedef struct doc {
	const char *path;
	sat_json *json;
} doc;

/* Folded spelling -> option. */
typedef struct spelling {
	sat_span text;
	int prio; /* 0 key, 1 label, 2 label of a parent, 3 alias; + 4 retired */
	const sat_option *option;
} spelling;

/* What a `const sat_dict *` of this room really points to. */
typedef struct dict {
	sat_dict pub;
	const sat_option **by_key; /* sorted by key */
	spelling *spellings;       /* sorted by text, then prio */
	size_t nspellings;
} dict;

typedef struct pattern pattern; /* pattern.c */

struct sat_template {
	sat_arena arena;
	doc docs[TEMPLATE_DOCS_MAX];
	size_t ndocs;
	const char *id, *version;
	int tz_min, number_lease;
	sat_kind *kinds;
	size_t nkinds;
	/* where in `kinds` the one of a number is, + 1; NULL while they load */
	const uint16_t *kind_at;
	size_t nkind_at;
	dict *dicts; /* sorted by name */
	size_t ndicts;
	pattern *patterns;
	size_t npatterns;
	const char **report_keys; /* file names without .json, sorted by path */
	size_t nreports;
	sat_standard standard;
	sat_calendar calendar;
	sat_audit_policy audit;
	struct sat_pool *pools;
	size_t npools;
	struct sat_reception *reception; /* never NULL once loaded */
	struct sat_reminder *reminders;
	size_t nreminders;
	struct sat_flow *flows;
	size_t nflows;
	struct sat_approval_route *routes;
	size_t nroutes;
	const sat_json *matrix; /* "grants" of acl/matrix.json, or NULL */
	struct acl_cell *cells; /* the same by role and action (acl.c) */
	size_t cells_mask;
	struct sat_mask *masks;
	size_t nmasks;
};

/*
 * A walk over one document. The first fault is kept in *e with the path and
 * the place; after it every getter answers a default, so a loader is a plain
 * list of members and looks at rc once.
 */
typedef struct walk {
	const sat_template *t;
	const char *path;
	char at[120]; /* "fields[3].label" */
	sat_rc rc;
	sat_err *e;
} walk;

void sat_walk_fault(walk *w, const char *fmt, ...) SAT_PRINTF(2, 3);
/* Go to a member or element; returns what to hand to sat_walk_leave. */
size_t sat_walk_enter(walk *w, const char *key, size_t index); /* SIZE_MAX: no index */
void sat_walk_leave(walk *w, size_t mark);
/* Faults unless `n` is an object whose members are all in the list ("a b c"). */
void sat_walk_members(walk *w, const sat_json *n, const char *list);
/* Text member; "" and NULL when absent. Faults on another type, on emptiness. */
const char *sat_walk_text(walk *w, const sat_json *n, const char *key, bool needed);
bool sat_walk_bool(walk *w, const sat_json *n, const char *key);
int64_t sat_walk_int(walk *w, const sat_json *n, const char *key, int64_t dflt,
    int64_t min, int64_t max);
/* Array member or NULL; *count its length. */
const sat_json *sat_walk_array(walk *w, const sat_json *n, const char *key,
    size_t max, size_t *count);
/* Array of texts into arena memory. */
const char *const *sat_walk_texts(walk *w, const sat_json *n, const char *key,
    sat_arena *a, size_t *count);
/* "label": {"zh","en"}. */
void sat_walk_label(walk *w, const sat_json *n, const char *key,
    const char **zh, const char **en);
/* Lower-case letter, then letters, digits, '_'; at most TEMPLATE_KEY_MAX. */
bool sat_key_ok(const char *key);

/* lint.c: the reason for which a rule of the lint, or of what a publish keeps, is
 * waived in template.json; NULL when it is not. Borrowed from the template. */
const char *sat_template_waiver(const sat_template *t, const char *rule);

/* Does the path end in ".json"? Other files are texts. */
bool sat_template_is_json(const char *path);
/* Each reads documents of one folder into *t. */
sat_rc sat_template_load_dicts(sat_template *t, sat_err *e);
sat_rc sat_template_load_kinds(sat_template *t, sat_err *e);
sat_rc sat_template_load_matrix(sat_template *t, sat_err *e);
sat_rc sat_template_load_standard(sat_template *t, sat_err *e);
sat_rc sat_template_load_calendar(sat_template *t, sat_err *e);
sat_rc sat_template_load_audit(sat_template *t, sat_err *e);
sat_rc sat_template_load_quota(sat_template *t, sat_err *e);

/* cond.c: an array of conditions on records of kind k */
sat_cond *sat_walk_conds(walk *w, const sat_json *n, const char *key,
    const sat_kind *k, sat_arena *a, size_t *count);
/* reminder.c: policy/reminders.json, after kinds and roles */
sat_rc sat_template_load_reminders(sat_template *t, sat_err *e);
/* approval.c: policy/approval.json */
sat_rc sat_template_load_approvals(sat_template *t, sat_err *e);
/* Is it a role of acl/matrix.json? */
bool sat_template_has_role(const sat_template *t, const char *key);
/* flow.c: flows/ */
sat_rc sat_template_load_flows(sat_template *t, sat_err *e);

/* mask.c: `masks` of acl/matrix.json, after kinds and roles */
sat_rc sat_template_load_masks(sat_template *t, sat_err *e);

/* pool.c: policy/pool.json, after the kinds */
sat_rc sat_template_load_pools(sat_template *t, sat_err *e);

/* reception.c: policy/reception.json */
sat_rc sat_template_load_reception(sat_template *t, sat_err *e);

/* pattern.c: rules/validation.json */
sat_rc sat_template_load_patterns(sat_template *t, sat_err *e);
void sat_template_free_patterns(sat_template *t);
bool sat_template_has_pattern(const sat_template *t, const char *name);
/* False also when the engine gives up (match limit). */
bool sat_template_matches(const sat_template *t, const char *name, sat_span text);

/* field_text.c: is this value of the field's type, clean, in its limits?
 * NULL = yes, else the code "type|option|retired|pattern|length|range". */
const char *sat_field_check(const sat_template *t, const sat_field *f, sat_value v);

#endif
