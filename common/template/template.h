/*
 * template.h - the effective template: JSON documents turned into tables.
 *
 * A template is a tree of JSON documents (requirements §4): template.json,
 * fields/<kind>.json, dict/<name>.json, rules/validation.json, acl/matrix.json,
 * reports/<key>.json, policy/... A loaded template is immutable and may be
 * shared between threads; every pointer into it lives as long as it does.
 *
 * What the engine itself must know of a kind is declared there too: numeric
 * ids of kinds and fields (never reused), the scope class, which field is the
 * parent, the owner, the stage.
 */
#ifndef SAT_TEMPLATE_TEMPLATE_H
#define SAT_TEMPLATE_TEMPLATE_H

#include "common/json/json.h"
#include "common/model/norm.h"
#include "common/model/calendar.h"
#include "common/model/standard.h"
#include "common/model/value.h"

#define SAT_KINDS_MAX 64
#define SAT_FIELDS_MAX 128 /* per kind */
/* Largest field id of a template; those above are the protocol's own. */
#define SAT_FIELD_USER_MAX 1000
/* The key of the field that says why a record must be kept (P-350). */
#define SAT_FIELD_HOLD "legal_hold"
#define SAT_REQUIRED_MAX 6 /* lint: required at creation */

/* How concurrent edits of a field meet (sync design B5). */
typedef enum sat_policy {
	SAT_P_LWW,     /* max stamp; the loser is in the history */
	SAT_P_REVIEW,  /* candidates; concurrent different values open a conflict */
	SAT_P_SET,     /* add-wins set of texts */
	SAT_P_COUNTER, /* sum of deltas */
	SAT_P_MAX,
	SAT_P_MIN,
	SAT_P_STAGE,   /* events over the template's graph */
	SAT_P_OWNER,   /* REASSIGN only, compare-and-set */
	SAT_P_ONCE,    /* first value stays (parents, append-only rows) */
	SAT_P_DERIVED, /* computed where it is read; never sent */
} sat_policy;

typedef enum sat_ftype {
	SAT_F_TEXT,
	SAT_F_INT,
	SAT_F_MONEY, /* fen */
	SAT_F_BOOL,
	SAT_F_DATE,  /* ms of local midnight */
	SAT_F_TIME,  /* ms */
	SAT_F_ENUM,  /* option key of `dict` */
	SAT_F_TAGS,  /* set of texts; of option keys when `dict` is given */
	SAT_F_PHONE,
	SAT_F_EMAIL,
	SAT_F_REF,   /* id of a record of kind `ref` */
	SAT_F_USER,  /* user key */
} sat_ftype;

/* Who holds a record (docs/protocol.md, scope). */
typedef enum sat_scope_class {
	SAT_SCOPE_ROOT,  /* account: has members by owner and by owned children */
	SAT_SCOPE_CHILD, /* contact, activity: goes wherever its root goes */
	SAT_SCOPE_OWNED, /* opportunity: to its own owner and its root's owner */
	SAT_SCOPE_SHARED, /* product: everybody who sees records at all holds it */
	SAT_SCOPE_TEAM, /* rotation: everybody of its owner's team holds it */
} sat_scope_class;

typedef struct sat_option {
	const char *key, *zh, *en, *parent; /* parent option key or NULL */
	int rank;
	bool retired, terminal;
	const char *const *aliases; /* other spellings accepted on import */
	size_t naliases;
	const char *const *next;    /* stage graph: allowed next options */
	size_t nnext;
} sat_option;

typedef struct sat_dict {
	const char *name;
	const sat_option *options; /* sorted by rank, then key */
	size_t n;
} sat_dict;

typedef struct sat_field {
	uint16_t id;
	const char *key, *zh, *en;
	sat_ftype type;
	sat_policy policy;
	const sat_dict *dict; /* SAT_F_ENUM, optional for SAT_F_TAGS */
	const char *ref;      /* kind key, SAT_F_REF */
	bool required;        /* at creation */
	const char *required_when; /* "field=value": required when that holds, or NULL */
	bool retired, pii;
	bool search;          /* people look for records by it, as by a name */
	bool files;           /* SAT_F_TAGS: each element names a file
	                         (common/model/attachment.h) */
	const char *mask;     /* "last4" or NULL */
	const char *purpose;
	const char *pattern;  /* name in rules/validation.json, or NULL */
	size_t min_len, max_len; /* characters; 0 = SAT_VALUE_MAX bytes only */
	int64_t min, max;     /* SAT_F_INT, SAT_F_MONEY, SAT_F_TIME when has_range */
	bool has_range, not_future;
	sat_norm_kind norm;   /* how two values are compared for conflicts */
	int dup_weight;       /* > 0: duplicate key */
	const char *dflt;     /* default at creation, text form, or NULL; "@me", "@now" */
	const char *column;   /* SQL column name (= key) */
} sat_field;

typedef struct sat_kind {
	uint16_t id;
	const char *key, *plural, *zh, *en;
	sat_scope_class scope;
	bool append_only;         /* rows never change after creation (activities) */
	const char *module;       /* it comes and goes with; NULL = always there */
	bool off;                 /* that module is switched off: nothing new */
	const sat_field *fields;  /* in document order */
	size_t nfields;
	/* where in `fields` the one of a number is, + 1; 0 = nowhere. NULL: it
	 * is looked for. The fold asks with each operation. */
	const uint16_t *field_at;
	size_t nfield_at;
	const sat_field *parent;  /* REF to the root; NULL for roots */
	const sat_field *owner;   /* USER; NULL when owned through the parent */
	const sat_field *stage;   /* NULL when it has none */
	const sat_field *title;   /* what a list shows as the name */
	const char *number_prefix; /* "C" or NULL */
	const char *const *list;  /* default columns of a list */
	size_t nlist;
	/* What lists of many thousands are filtered and sorted by: kept together
	 * in one index, so that a list need not read the rows; and what all rows
	 * of a kind are often sorted by. */
	const char *const *covers, *const *sorted;
	size_t ncovers, nsorted;
} sat_kind;

typedef struct sat_template sat_template;

typedef struct sat_template_file {
	const char *path;
	sat_span bytes;
} sat_template_file;

/*
 * Load and check the documents. Copies what it needs.
 * @return SAT_EINVALID with the path and JSON place of the first fault; the
 *         lint rules are checked separately.
 */
SAT_CHECK sat_rc sat_template_load(sat_template **t,
    const sat_template_file *files, size_t n, sat_err *e);
void sat_template_free(sat_template *t);
/* The base template compiled into the programs. */
const sat_template_file *sat_template_base(size_t *n);

/* One lint finding: severity 'e' (refused) or 'w'. Calls cb for each; returns
 * SAT_EINVALID when there was an 'e'. Rules: requirements §4.2. */
SAT_CHECK sat_rc sat_template_lint(const sat_template *t,
    void (*cb)(void *u, char severity, const char *path, const char *text),
    void *u, sat_err *e);
/*
 * May `next` follow `prev`? Type or id of a field changed, key reused, option
 * removed: SAT_EINVALID naming it.
 */
SAT_CHECK sat_rc sat_template_follows(const sat_template *next,
    const sat_template *prev, sat_err *e);

/* What a template would be taken away from: known to who publishes. */
typedef struct sat_template_held {
	void *u;
	/* customers in the pool */
	sat_rc (*in_pool)(uint64_t *n, void *u, const char *pool, sat_err *e);
	/* who may sync and has the role, "li, wu"; as many as there is room for,
	 * "" = nobody */
	sat_rc (*of_role)(char *who, size_t room, void *u, const char *role,
	    sat_err *e);
	/* records of any kind */
	sat_rc (*records)(uint64_t *n, void *u, sat_err *e);
} sat_template_held;
/*
 * Does `next`, which may follow `prev`, leave everything in somebody's hands?
 * SAT_EINVALID with file, key and a way: a pool with customers in it is gone, a
 * role that people have, an option of a field's former dictionary, or dates
 * would be read as another day. held NULL: only what the two themselves tell.
 * For who publishes, never for a device.
 */
SAT_CHECK sat_rc sat_template_keeps(const sat_template *next,
    const sat_template *prev, const sat_template_held *held, sat_err *e);

/* policy/grading.json, sla.json, lifecycle.json. Without them: no basis, no rules. */
typedef struct sat_standard {
	const sat_kind *kind;          /* NULL: grades are only typed */
	const sat_field *sum, *time;   /* of the kind */
	int days;                      /* trailing window */
	bool method_abc;
	int override_d;                /* a typed grade counts so long; 0: ever */
	sat_grade_step *steps;
	size_t nsteps;
	int a_pct, b_pct;
	const char *abc[3];            /* grades of A, B, C */
	sat_sla *rules;
	size_t nrules;
	const char *const *quiet;      /* statuses nobody has to follow up */
	size_t nquiet;
	const char *const *committee; /* policy/committee.json: buying roles the
	                               * contacts of a customer should fill */
	size_t ncommittee;
	const char *const *committee_of; /* party kinds that have one; 0: all */
	size_t ncommittee_of;
	int life_new_d, life_window_d; /* policy/lifecycle.json; window 0: none */
	int repeat_contact_d;          /* a colleague was there so recently: say so */
} sat_standard;
/* The grade somebody typed, while it counts: nothing from `until` (grade_until,
 * null: for ever) on. */
sat_value sat_grade_typed(sat_value typed, sat_value until, int64_t now_ms);
const sat_standard *sat_template_standard(const sat_template *t);
/* The rule of a grade (NULL = none); NULL when there is no rule. */
const sat_sla *sat_standard_sla(const sat_standard *s, const char *grade);

/* policy/calendar.json: when people work; without it Monday to Friday, nine to
 * six. Its time zone is the template's. */
const sat_calendar *sat_template_calendar(const sat_template *t);
/* Of what a device's audit chain holds, what is written as a record of kind
 * `access` too, which headquarters sees (policy/audit.json). */
typedef enum sat_audit_often {
	SAT_AUDIT_NO = 0,
	SAT_AUDIT_DAY = 1,  /* the same act on the same thing once a day */
	SAT_AUDIT_EACH = 2,
} sat_audit_often;
typedef struct sat_audit_policy {
	sat_audit_often login, report, exported;
} sat_audit_policy;
/* Never NULL; lives as long as the template. */
const sat_audit_policy *sat_template_audit(const sat_template *t);

const char *sat_template_version(const sat_template *t); /* semver */
const char *sat_template_name(const sat_template *t);
int sat_template_tz_min(const sat_template *t);          /* minutes east */
/* Numbers a device keeps in advance per month (P-141); 0 = none. */
#define SAT_NUMBER_LEASE_MAX 500
int sat_template_number_lease(const sat_template *t);
size_t sat_template_kinds(const sat_template *t);
const sat_kind *sat_template_kind_at(const sat_template *t, size_t i);
const sat_kind *sat_template_kind(const sat_template *t, const char *key); /* key or plural */
const sat_kind *sat_template_kind_id(const sat_template *t, uint16_t id);
const sat_field *sat_kind_field(const sat_kind *k, const char *key);
const sat_field *sat_kind_field_id(const sat_kind *k, uint16_t id);
const sat_dict *sat_template_dict(const sat_template *t, const char *name);
const sat_option *sat_dict_option(const sat_dict *d, const char *key, size_t n);
/* By key, label (zh or en, case and width folded) or alias; labels and aliases
 * of retired options behind those of the others. */
const sat_option *sat_dict_match(const sat_dict *d, sat_span text);
/* The raw document ("reports/won.json"), NULL when absent. */
const sat_json *sat_template_doc(const sat_template *t, const char *path);
/* Paths that start with `prefix`, sorted. i-th or NULL. */
const char *sat_template_path(const sat_template *t, const char *prefix, size_t i);

/* A browser's session ends after this long without a request
 * (policy/limits.json; NULL = no template). */
#define SAT_SESSION_IDLE_MIN 15
int64_t sat_template_session_idle_min(const sat_template *t);
/* What holds on every device (policy/limits.json; NULL = no template): days it
 * may be used without its server, and of the past of a record how many days and
 * how many values of a field are kept. */
typedef struct sat_device_limits {
	int64_t lease_d, history_d, history_values;
} sat_device_limits;
#define SAT_DEVICE_LIMITS_DEFAULT ((sat_device_limits){ 14, 400, 20 })
sat_device_limits sat_template_device(const sat_template *t);
/* What a device of this role may send (policy/limits.json): per day, and for
 * how many days unused days add up. A role without a row has "*"'s; a template
 * without the document the numbers below. */
typedef struct sat_quota {
	int64_t ops_day, mib_day, days;
} sat_quota;
#define SAT_QUOTA_DEFAULT ((sat_quota){ 10000, 50, 30 })
sat_quota sat_template_quota(const sat_template *t, const char *role);

/* Text typed by a person -> value of the field (cleaned, option matched, money
 * and dates read, "50万" understood). SAT_EINVALID with code "type", "option",
 * "pattern", "length", "range". `tz` from the template. */
SAT_CHECK sat_rc sat_field_parse(sat_value *out, sat_arena *a,
    const sat_template *t, const sat_field *f, sat_span text, sat_err *e);
/* Value -> text. lang "zh"/"en": option labels, else keys (lang NULL). */
void sat_field_format(sat_buf *out, const sat_template *t, const sat_field *f,
    sat_value v, const char *lang);
/* Value -> JSON: fen, UTC, local days, keys, ids; under `key` in an object, or
 * appended when obj is an array (field_json.c). */
void sat_field_json_put(sat_json *obj, const char *key, const sat_template *t,
    const sat_field *f, sat_value v);

#endif
