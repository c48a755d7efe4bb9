/*
 * gate.h - the one judge of every change, on the device and on the server.
 *
 * A pure function of the template, the author's right, the record as it is and
 * the changes asked for. Doors (CLI, import, HTTP, sync) only build changes.
 */
#ifndef SAT_TEMPLATE_GATE_H
#define SAT_TEMPLATE_GATE_H

#include "common/template/template.h"

/* How the author stands to the record. */
typedef enum sat_relation {
	SAT_REL_NONE, /* sees it only through an owned child, or not at all */
	SAT_REL_OWN,
	SAT_REL_TEAM,
	SAT_REL_ALL,
} sat_relation;

typedef enum sat_verb {
	SAT_VERB_SET,     /* lww, review, once, max, min */
	SAT_VERB_ADD,     /* set element; counter delta */
	SAT_VERB_REMOVE,  /* set element */
	SAT_VERB_STAGE,
	SAT_VERB_ASSIGN,
	SAT_VERB_RESOLVE,
	SAT_VERB_DELETE,  /* whole record; field NULL */
	SAT_VERB_RESTORE,
	SAT_VERB_MERGE,   /* whole record, into another or out again; field NULL */
	SAT_VERB_JOIN,    /* what a merged record had joins a review or stage field */
} sat_verb;

typedef struct sat_change {
	sat_verb verb;
	const sat_field *field;
	sat_value value;
} sat_change;

typedef struct sat_gate_in {
	const sat_template *t;
	const sat_kind *kind;
	const char *role;      /* "rep", "manager", "hq", "admin", "kiosk", ... */
	sat_relation relation; /* for a new record: by its owner (own/team/all) */
	bool is_new;
	bool deleted;          /* the record is deleted now */
	bool flag_missing;     /* missing required fields flag, never refuse:
	                          sync, and import --incomplete flag */
	bool from_sync;        /* written elsewhere, maybe under an older template:
	                          retired fields and options, once-fields already
	                          set, stage moves the graph does not know from the
	                          current stage and edits of a deleted record are
	                          the merge's business and are not refused */
	int64_t now_ms;        /* for not_future; 0 = not checked (sync) */
	const char *user;      /* the author's key; NULL: he can approve nothing */
	int64_t at_ms;         /* when it was done, for entry conditions with a
	                          time; 0 = they are not asked for */
	/* A field of the record's customer by key; null when he has none. May be
	 * NULL. */
	sat_value (*customer)(void *u, const char *key);
	void *customer_u;
	const sat_change *changes;
	size_t n;
	/* Current value of a field; null value when unset. May be NULL for new. */
	sat_value (*current)(void *u, const sat_field *f);
	void *u;
} sat_gate_in;

typedef struct sat_gate_out {
	bool incomplete; /* a required field is missing after it: any of a new
	                    record, of one that is there those it concerns */
	const char *flag; /* "entry.follow", ...: the flow wanted more; NULL */
} sat_gate_out;

/*
 * @return SAT_OK; SAT_EINVALID (code "validation.required|type|option|pattern|
 *         length|range|stage|append_only|retired|policy|approval|
 *         entry.fields|entry.follow|entry.checklist", e->fields lists all
 *         findings; "module.off": new, of a kind that is switched off);
 *         SAT_EDENIED (role or relation lacks the right).
 * Pure. Thread-safe for one template (compiled patterns are shared).
 */
SAT_CHECK sat_rc sat_gate_judge(sat_gate_out *out, const sat_gate_in *in, sat_err *e);

/* May the role do this at all ("account.view", "account.assign", "import",
 * "export", "report", "conflict.resolve", ...)? The scope it may do it in. */
typedef enum sat_grant { SAT_GRANT_NO, SAT_GRANT_OWN, SAT_GRANT_TEAM, SAT_GRANT_ALL } sat_grant;
sat_grant sat_acl(const sat_template *t, const char *role, const char *action);
/* The line of the role's grants that decides: the action itself or "*.edit";
 * NULL: there is none, which means no. Lives as long as t. */
const char *sat_acl_rule(const sat_template *t, const char *role, const char *action);
/* May a role with this grant act on a record it stands to like this? */
bool sat_grant_covers(sat_grant g, sat_relation r);

/* Does a record with these values lack a required field? */
bool sat_gate_incomplete(const sat_template *t, const sat_kind *k,
    sat_value (*current)(void *u, const sat_field *f), void *u,
    const char *missing[SAT_FIELDS_MAX], size_t *nmissing);

#endif
