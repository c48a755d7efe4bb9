/*
 * crm.h - use cases: what a person does, as commits that pass the gate.
 *
 * Pure of I/O of its own: time and randomness come with the replica's
 * environment, files through the sheet room's readers opened by the door.
 * Thread: the replica's.
 */
#ifndef SAT_CRM_CRM_H
#define SAT_CRM_CRM_H

#include "client/replica/replica.h"
#include "common/template/approval.h"
#include "common/template/flow.h"
#include "common/template/reminder.h"
#include "protocol/duty.h"

typedef struct sat_crm {
	sat_replica *replica;
	sat_clock clock;
	const char *lang; /* "zh" or "en", for labels */
} sat_crm;

/* One field as typed by a person (or a cell of a sheet). */
typedef struct sat_input {
	char verb;         /* '=' set, '+' add to set / counter, '-' remove,
	                      '0' clear, '*' the whole of a set */
	const char *field; /* key */
	sat_span text;
} sat_input;

typedef struct sat_write_opts {
	bool flag_missing;          /* missing required fields only flag */
	const char *duplicate_reason; /* non-NULL: a duplicate is allowed, why */
	bool import;
	const char *if_version;     /* edit: fail unless the record is at it */
	bool validate_only;
} sat_write_opts;

/* Possible duplicates of a record about to be created (by match keys). */
#define SAT_DUPLICATES_MAX 16
typedef struct sat_duplicate {
	sat_id id;
	const char *field; /* key that matched */
} sat_duplicate;

/*
 * Create. Owner defaults to the acting user, template defaults are filled in,
 * the gate judges, duplicates are looked up.
 * @return SAT_EINVALID (fields listed), SAT_EDENIED, SAT_ECONFLICT code
 *         "duplicate" (dup and *ndup tell which) unless a reason is given.
 */
SAT_CHECK sat_rc sat_crm_create(sat_id *out, sat_crm *c, const sat_kind *k,
    const sat_input *in, size_t n, const sat_write_opts *o,
    sat_duplicate dup[SAT_DUPLICATES_MAX], size_t *ndup, sat_err *e);
/* Edit; fields that already hold the value write nothing. *changed = ops written. */
SAT_CHECK sat_rc sat_crm_edit(size_t *changed, sat_crm *c, const sat_kind *k,
    const sat_id *id, const sat_input *in, size_t n, const sat_write_opts *o, sat_err *e);
/* Move along the stage graph. Sets won_at/lost_at/lost_reason where the kind
 * has them. SAT_EINVALID code "validation.stage" names the allowed next ones. */
SAT_CHECK sat_rc sat_crm_stage(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *stage, const char *reason, sat_err *e);
SAT_CHECK sat_rc sat_crm_assign(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *user, sat_err *e);
SAT_CHECK sat_rc sat_crm_delete(sat_crm *c, const sat_kind *k, const sat_id *id, bool restore, sat_err *e);
/*
 * Merge `loser` into `winner`, both customers of this device, neither resolved
 * to what it was merged into. `choose`: field = "loser" or "winner". Values of
 * review fields that differ and were not chosen become an open conflict of the
 * winner.
 * @return SAT_ECONFLICT "merge.cycle", "merge.stale", "merge.deleted" (the
 *         winner); SAT_EDENIED; SAT_EUSAGE.
 */
SAT_CHECK sat_rc sat_crm_merge(sat_crm *c, const sat_kind *k,
    const sat_id *loser, const sat_id *winner, const sat_input *choose,
    size_t n, sat_err *e);
/* Apart again: the winner gets back what it had, where it still has what the
 * merge gave it. *kept: fields for which this device cannot tell what that was,
 * or which never go back (largest, smallest, first value). */
SAT_CHECK sat_rc sat_crm_unmerge(int64_t *kept, sat_crm *c, const sat_kind *k,
    const sat_id *loser, sat_err *e);
/*
 * Two customers that may be one. `b` zero: the other one is not on this device;
 * the server told that it exists and who owns it. Score: the heaviest duplicate
 * key both share (uscc 100, phone 80, name 60 in the base template), 5 more for
 * each further one, 40 for names that only look alike (`weak`).
 */
typedef struct sat_pair {
	char key[17];    /* tag of the pair (P-175) */
	const sat_kind *kind;
	sat_id a, b;     /* a < b */
	const char *owner; /* of the other one, when b is zero: user key */
	const char *fields[6];
	size_t nfields;
	int score;
	bool weak;
} sat_pair;
typedef struct sat_pair_opts {
	bool weak;      /* compare names too: reads every customer */
	int min_score;
} sat_pair_opts;
/* All that nobody has dismissed, highest score first; in `a`. */
SAT_CHECK sat_rc sat_crm_pairs(sat_pair **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_pair_opts *o, sat_err *e);
/* They are two: nobody is asked again, on no device. */
SAT_CHECK sat_rc sat_crm_dismiss(sat_crm *c, const sat_pair *p, sat_err *e);
/* "v<hlc hex>-<n pending>-<lsn>": changes with every change of the record. */
void sat_crm_version(char out[40], const sat_view *v);

/* SAT_ECONFLICT "version" unless the record is at it; NULL: any. */
SAT_CHECK sat_rc sat_crm_unchanged(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *version, sat_err *e);

/* Resolve a conflict by its key. choice: "mine" (the candidate this device
 * wrote), "theirs" (the other; SAT_EUSAGE when there are several), "set" with
 * text, or "restore"/"confirm" for deleted-while-edited. */
SAT_CHECK sat_rc sat_crm_resolve(sat_crm *c, const char *key, const char *choice,
    sat_span text, sat_err *e);

/* Who has to decide an open conflict, and until when (protocol/duty.h). */
SAT_CHECK sat_rc sat_crm_duty(sat_duty *out, sat_crm *c,
    const sat_conflict *cf, sat_err *e);

/* ---- moves in bulk ------------------------------------------------------------- */

/* Customers (or other owned records) about to change hands. */
typedef struct sat_move {
	const sat_kind *kind;
	const sat_user *to;
	sat_id *ids;           /* those that are not `to`'s already */
	size_t n, same;        /* same: left out, they are his */
	int64_t records;       /* n and everything below them */
	struct {
		const char *user;  /* key; "" = nobody's */
		int64_t n;
	} *from;
	size_t nfrom;
} sat_move;
/*
 * Plan: the ids given, or with none those that fit `where` and `owner` (NULL =
 * any). Everything in `a`. SAT_ENOTFOUND, SAT_EUSAGE, SAT_EINVALID (`to`).
 */
SAT_CHECK sat_rc sat_crm_move_plan(sat_move *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *ids, size_t n, const char *where,
    const char *owner, const char *to, sat_err *e);
/* Do it: one commit each, durable in groups; *done counts them. Stops at the
 * first that is refused (SAT_EDENIED, ...); what was done stays. */
SAT_CHECK sat_rc sat_crm_move(int64_t *done, sat_crm *c, const sat_move *m, sat_err *e);

/* ---- undo ---------------------------------------------------------------------- */

/* What became of one operation of the commit that is undone. */
typedef struct sat_undone {
	const sat_op *op;
	sat_value value;  /* put back; null = nothing was there */
	const char *left; /* NULL: done. Else why it stays: "changed" (somebody
	                     changed it since), "undone" (it went back before),
	                     "deleted", "gone" (left this device),
	                     "merged" (into another customer), "records" (others
	                     hang below it, point to it, were merged into it),
	                     "append_only", "fixed" (such a field never goes
	                     back), "unknown" (its past is not here any more),
	                     "rule" (the gate), "kind" (undone by a verb of its
	                     own, as a merge is). What came with a stage, status
	                     or grade that stays, stays for the same reason. */
} sat_undone;
/*
 * Put back what own commit `of` replaced, where nobody changed it since, as one
 * ordinary commit that the gate has judged; `of` stays in the log. out, *n: its
 * operations, in `a`. *cseq: the new commit; 0 = nothing could be put back.
 * @return SAT_EDENIED, SAT_EINVALID: nothing was written.
 */
SAT_CHECK sat_rc sat_crm_undo(sat_undone **out, size_t *n, uint64_t *cseq,
    sat_arena *a, sat_crm *c, const sat_commit *of, sat_err *e);

/* ---- refused commits --------------------------------------------------------- */

/* What a retry came to. */
typedef struct sat_retried {
	int64_t id;          /* in quarantine */
	uint64_t cseq;       /* the new commit; 0 = it already is so */
} sat_retried;
/*
 * Send a refused commit again: its operations, made now on the records as they
 * are now, with the fields of `in` changed, judged by the gate, as one new
 * commit; the refused one is settled by it in the same transaction. A record it
 * was to create keeps its id, so what waits for it finds it.
 * @return SAT_ENOTFOUND (no such commit; a record left this device), SAT_ECONFLICT code
 *         "needs_parent" (another refused commit makes a record of it: *need
 *         is that one's id), SAT_EINVALID, SAT_EDENIED.
 */
SAT_CHECK sat_rc sat_crm_retry(sat_retried *out, int64_t *need, sat_crm *c,
    int64_t id, const sat_input *in, size_t n, sat_err *e);
/* Discard a refused commit (sat_replica_discard). What it undid can be undone
 * again. SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_crm_drop_refused(sat_crm *c, int64_t id,
    const char *reason, sat_err *e);

/* ---- handovers ----------------------------------------------------------------- */

/*
 * Take over what another suggests on a record (sat_replica_handovers): all of
 * it, or only the fields named (keys of fields; the key of a kind for the
 * records of it that the suggestion makes), as the acting user's own commit,
 * judged by the gate, which settles the suggestion.
 * @return SAT_ENOTFOUND, SAT_EINVALID, SAT_EDENIED, SAT_EUSAGE (a field the
 *         suggestion does not have).
 */
SAT_CHECK sat_rc sat_crm_accept(sat_crm *c, const char *key,
    const char *const *fields, size_t n, sat_err *e);
/* Settle it without; the reason is kept in the audit log. */
SAT_CHECK sat_rc sat_crm_decline(sat_crm *c, const char *key,
    const char *reason, sat_err *e);

/* ---- the company's standard -------------------------------------------------- */

/* What each customer bought in the window of policy/grading.json, as far as
 * this device holds it. Owned by the caller, also on failure. */
typedef struct sat_grading sat_grading;
SAT_CHECK sat_rc sat_crm_grading(sat_grading **out, sat_crm *c, int64_t now_ms,
    sat_err *e);
void sat_grading_free(sat_grading *g);
/* The grade somebody typed (sat_grade_typed), else the one the amount gives;
 * NULL = none. */
const char *sat_grading_of(const sat_grading *g, const sat_template *t,
    const sat_id *id, sat_value typed, int64_t *amount);

/* A customer somebody has to be in touch with (policy/sla.json). */
typedef struct sat_due {
	sat_id id;
	const char *number, *title, *owner;
	const char *grade; /* NULL = none */
	bool typed;        /* by a person */
	int64_t until_ms;  /* the typed one counts so long; 0 = for ever */
	const char *reason; /* of the typed one; NULL = none */
	int64_t amount;    /* bought in the window */
	int64_t last_ms;   /* last follow-up, 0 = none */
	int64_t due_ms;
	sat_sla_state state;
	const char *told;  /* the owner; his manager when it is escalated */
} sat_due;
typedef struct sat_due_opts {
	int64_t now_ms;
	const char *owner; /* NULL = everybody's */
	sat_sla_state from, to;
	const sat_id *only;   /* one customer; NULL = all */
	size_t limit;         /* those that are due first; 0 = all */
	int64_t *total;       /* NULL, or how many there are without a limit */
} sat_due_opts;
/* Ascending by the time it is due. */
SAT_CHECK sat_rc sat_crm_due(sat_due **out, size_t *n, sat_arena *a, sat_crm *c,
    const sat_due_opts *o, sat_err *e);

/* Where a customer stands by his orders; NULL without policy/lifecycle.json.
 * Else "potential", "new", "existing" or "lost". */
SAT_CHECK sat_rc sat_crm_lifecycle(const char **word, sat_crm *c,
    const sat_id *account, int64_t now_ms, sat_err *e);

/* Buying roles of policy/committee.json that no contact of the customer fills;
 * `missing` has room for SAT_COMMITTEE_MAX keys of the template. 0 for a
 * customer whose kind has no committee. */
#define SAT_COMMITTEE_MAX 16
SAT_CHECK sat_rc sat_crm_committee_gaps(const char *missing[SAT_COMMITTEE_MAX],
    size_t *n, sat_crm *c, const sat_id *account, sat_err *e);

/* The last contact of a colleague within `repeat_contact_d` days. */
typedef struct sat_recent {
	int64_t at_ms;
	const char *by;
} sat_recent;
SAT_CHECK sat_rc sat_crm_recent(bool *yes, sat_recent *out, sat_arena *a,
    sat_crm *c, const sat_id *account, int64_t now_ms, sat_err *e);

/* ---- how long records stay in a stage ----------------------------------------- */

typedef struct sat_stuck {
	sat_id id;
	const sat_kind *kind;
	const char *title, *owner;    /* owner NULL: has none of its own */
	const sat_option *stage;
	int64_t since_ms, age_ms;     /* in this stage */
	int64_t median_ms;            /* what others took; 0 = too few to say */
	int64_t limit_ms;             /* median times factor, else the flow's; 0 none */
	bool stuck;
} sat_stuck;
typedef struct sat_stuck_opts {
	int64_t now_ms;
	const char *owner; /* NULL = everybody's */
	int factor;        /* percent of the median */
	bool all;          /* every open record with its age */
} sat_stuck_opts;
/* Longest first; in `a`. SAT_EUSAGE for a kind without stages. */
SAT_CHECK sat_rc sat_crm_stuck(sat_stuck **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_kind *k, const sat_stuck_opts *o, sat_err *e);

/* ---- rules (policy/reminders.json) --------------------------------------------- */

typedef enum sat_rule_what {
	SAT_RULE_MAKES,  /* a task that was not there */
	SAT_RULE_CLOSES, /* a task whose reason is gone: done */
	SAT_RULE_CANCELS,/* a task whose subject is gone or closed: cancelled */
	SAT_RULE_FAILS,  /* what the template refuses; the others are done */
} sat_rule_what;
typedef struct sat_rule_item {
	sat_rule_what what;
	const char *rule;
	sat_id task, subject;   /* subject zero: none */
	const char *kind;       /* of the subject, or NULL */
	const char *period, *title, *to;
	bool nameless;          /* made, and the title does not hold the subject's */
	int64_t due_ms;         /* of the task */
	const char *why;        /* of SAT_RULE_FAILS, else NULL */
} sat_rule_item;
typedef struct sat_rules_opts {
	int64_t as_of_ms;       /* 0 = now */
	bool dry_run;
	const char *only;       /* key of a rule; NULL = all */
} sat_rules_opts;
/*
 * Run the rules on what this device holds: make the tasks of its own user that
 * are due and not there yet, close those whose reason is gone. Offline; a
 * second run at the same instant does nothing. Items in `a`, in the order of
 * the rules. What cannot be made or closed is one of them and stops no other.
 * SAT_ENOTFOUND: no such rule.
 */
SAT_CHECK sat_rc sat_crm_rules(sat_rule_item **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_rules_opts *o, sat_err *e);

/* ---- conformance with a flow ---------------------------------------------------- */

/* One record that got somewhere, judged by the flow of its kind: the required
 * steps before its furthest stage were passed, with nothing missing on entry,
 * and their required items are done. */
typedef struct sat_conform {
	sat_id id;
	const char *title, *owner, *sop;
	const char *stage;             /* now */
	const sat_flow_step *skipped;  /* the first one; NULL = none */
	const sat_flow_step *flagged;  /* entered with something missing */
	const sat_flow_step *unchecked;/* a required item is open */
	bool conform;
} sat_conform;
/* Records made in [from, to), ascending by owner, then id; in `a`. */
SAT_CHECK sat_rc sat_crm_conform(sat_conform **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_flow *f, int64_t from_ms, int64_t to_ms, sat_err *e);

/* ---- approvals (policy/approval.json) -------------------------------------------- */

typedef struct sat_approval_is {
	const sat_approval_route *route; /* NULL: nothing is missing */
	const char *missing[16];         /* roles of the step that waits */
	size_t nmissing;
	struct {
		const char *role, *user;
	} asked[16];                     /* who got a task now */
	size_t nasked;
} sat_approval_is;
/* What is missing now; all texts belong to the template, the registry or `a`. */
SAT_CHECK sat_rc sat_crm_approval(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, sat_err *e);
/*
 * Submit: the record reaches the state its routes guard, or, while somebody has
 * to agree, waits in the route's `ask` state, and those people get a task (made
 * once, whoever submits). `expert`: which user of that role is asked; NULL = a
 * participant, else the first.
 * @return SAT_EUSAGE: the kind has no routes.
 */
SAT_CHECK sat_rc sat_crm_submit(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, const char *expert, sat_err *e);
/* Agree, in the acting user's role; with the last one that is missing a waiting
 * record goes on. SAT_EDENIED "approval.role": nobody asks this role now. */
SAT_CHECK sat_rc sat_crm_approve(sat_approval_is *out, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, const char *note, sat_err *e);
/* Send it back to be changed: a new version, which needs new approvals. */
SAT_CHECK sat_rc sat_crm_reject(sat_crm *c, const sat_kind *k, const sat_id *id,
    const char *reason, sat_err *e);

/* A request that waits for somebody. Texts belong to `a`, template, registry. */
typedef struct sat_waiting {
	const sat_kind *kind;
	sat_id id, account;              /* account zero: of none */
	const char *title, *owner;
	const sat_approval_route *route;
	size_t step, nsteps;             /* from 1 */
	const char *role, *user;         /* user NULL: nobody has the role */
	int64_t since_ms;                /* that this step waits */
	int limit_d;                     /* 0 = none */
	int64_t due_ms;
	bool overdue;
} sat_waiting;
/*
 * Everything that waits for an approval, one row per person who is asked, the
 * longest first. A step's limit is its own `limit_d`, else that of the flow's
 * step the approval belongs to. k NULL: of every kind.
 */
SAT_CHECK sat_rc sat_crm_waiting(sat_waiting **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_kind *k, int64_t now_ms, sat_err *e);

/* ---- leads ---------------------------------------------------------------------- */

typedef struct sat_converted {
	sat_id account, contact, opportunity; /* zero: none was made */
	bool already;                         /* it had been converted before */
} sat_converted;
/*
 * A lead becomes a customer with a contact and an opportunity, once: their ids
 * are made from the lead's, so two devices that convert it make one of each
 * (P-280). What the lead does not know may be given (fields of the customer);
 * what is still missing is flagged. `into`: a customer that is there already,
 * who gets the contact and the opportunity; NULL = a new one.
 * @return SAT_ECONFLICT "duplicate" (dup, *ndup) unless o has a reason or
 *         `into` is given; SAT_ECONFLICT "lead.closed": it was discarded.
 */
SAT_CHECK sat_rc sat_crm_convert(sat_converted *out, sat_crm *c,
    const sat_id *lead, const sat_id *into, const sat_input *in, size_t n,
    const sat_write_opts *o, sat_duplicate dup[SAT_DUPLICATES_MAX],
    size_t *ndup, sat_err *e);
/* It leads to nothing; reason: option of lost_reason, NULL = other. */
SAT_CHECK sat_rc sat_crm_discard(sat_crm *c, const sat_id *lead,
    const char *reason, sat_err *e);

/* ---- who was shown what (R-101) ---------------------------------------------- */
typedef struct sat_access {
	const char *what;    /* "login", "report", "export" */
	const char *subject; /* a kind, a report, a day */
	const char *format, *reason; /* NULL: none */
	int64_t rows;        /* < 0: not counted */
} sat_access;
/*
 * A record of kind `access` of the acting user, as often as the template's
 * policy/audit.json asks; nothing when it does not, or the role may not make one.
 * The device's audit chain is the caller's.
 */
SAT_CHECK sat_rc sat_crm_access(sat_crm *c, const sat_access *it, sat_err *e);
/* A replica was opened with its passphrase: into the audit chain, once a day. */
SAT_CHECK sat_rc sat_crm_login(sat_crm *c, sat_err *e);
/* A report was shown: into the audit chain. */
SAT_CHECK sat_rc sat_crm_report_shown(sat_crm *c, const char *key,
    const char *period, sat_err *e);

/* ---- reports --------------------------------------------------------------- */
typedef struct sat_report_opts {
	const char *period;  /* NULL = "all" */
	int64_t as_of_ms;    /* 0 = end of the period, now while it lasts */
	const char *const *params; /* "k=v", filters by field: owner=..., team=... */
	size_t nparams;
	const char *compare; /* "none", "prev", "yoy", or a period as baseline;
	                      * NULL = as the document says */
	const char *by;      /* "grade,owner": rows by these instead of the
	                      * document's dims; NULL = as it says */
} sat_report_opts;
/* Result document (schema satchel/report/1): definition id and title, template
 * commit, period, as_of, tz, coverage, columns[], rows[], totals; "compare" with
 * the changes against another period; "list" of records the document names. */
SAT_CHECK sat_rc sat_crm_report(sat_json **out, sat_crm *c, const char *key,
    const sat_report_opts *o, sat_err *e);

/* ---- public pool -------------------------------------------------------------- */
/*
 * Ask for a customer of a pool; the server's order decides, so until it answers
 * the claim is provisional.
 * @return SAT_ECONFLICT "claim.lost" (somebody's), "claim.offered" (no pool
 *         offers it); SAT_EDENIED; SAT_ENOTFOUND "pool.none".
 */
SAT_CHECK sat_rc sat_crm_claim(sat_crm *c, const sat_id *id, sat_err *e);
/* Give a customer to a pool; key NULL: the first one of its owner's team. The
 * reason is one line and everyone who is offered the customer reads it. */
SAT_CHECK sat_rc sat_crm_release(sat_crm *c, const sat_id *id, const char *pool,
    const char *reason, sat_err *e);
/* What the rules would take back, or warn of, at that instant (0 = now), as far
 * as this device knows. */
typedef struct sat_due_back {
	sat_id id;
	const sat_user *owner;
	const sat_pool *pool;
	int64_t due_ms;
	bool due; /* else a warning */
} sat_due_back;
SAT_CHECK sat_rc sat_crm_pool_preview(sat_crm *c, int64_t as_of,
    sat_rc (*cb)(void *u, const sat_due_back *d, sat_err *e), void *u,
    sat_err *e);

/* ---- a draft of the template ----------------------------------------------- */

/* What a draft would change on what this device holds; nothing is written. */
typedef enum sat_simulated_what {
	SAT_SIM_INCOMPLETE, /* complete now; after: the first field it would lack */
	SAT_SIM_COMPLETE,   /* would lack nothing any more; before: what it lacks */
	SAT_SIM_GRADE,      /* of a customer nobody graded by hand; NULL = none */
	SAT_SIM_POOL,       /* a pool would take it back now; after: the pool */
	SAT_SIM_KEPT,       /* and no longer would; before: the pool */
	SAT_SIM_N,
} sat_simulated_what;
typedef struct sat_simulated {
	sat_simulated_what what;
	const sat_kind *kind; /* of the template in force */
	sat_id id;
	const char *before, *after; /* valid during the call */
} sat_simulated;
/* Records of kinds that are not in the draft, or only there, are left out. */
SAT_CHECK sat_rc sat_crm_simulate(sat_crm *c, const sat_template *draft,
    sat_rc (*cb)(void *u, const sat_simulated *s, sat_err *e), void *u,
    sat_err *e);

/* ---- export ---------------------------------------------------------------- */
/* Each record as a JSON object line, vCard or calendar entry through `line`
 * (without the last LF), or through a table writer. Needs the right "export";
 * logged in the audit chain with the reason, a refused one (SAT_EDENIED
 * "export.limit") too. */
#define SAT_EXPORT_OWN_MAX 200 /* rows, of who exports his own only */
typedef struct sat_export_opts {
	const sat_query *query;   /* kind, filters; columns NULL = all fields */
	const char *format;       /* "csv", "xlsx"; "jsonl", "vcf", "ics", "sqlite" */
	const char *reason;
	const char *to;           /* the file, from the root on; NULL = none */
	bool labels, mask;
	bool dry;                 /* refused as it would be, and else nothing is done;
	                           * table and line may be NULL */
	struct sat_sheet_out *table;
	/* a failure ends the export, and the row is none of its rows */
	sat_rc (*line)(void *u, sat_span line, sat_err *e);
	void *u;
} sat_export_opts;
SAT_CHECK sat_rc sat_crm_export(int64_t *rows, sat_crm *c, const sat_export_opts *o, sat_err *e);

/* The acting user's next follow-ups and open tasks, as one iCalendar; no phones. */
SAT_CHECK sat_rc sat_crm_calendar(sat_buf *out, sat_crm *c, sat_err *e);

/* One record as JSON (schema satchel/<kind>/1): keys and values, `id`,
 * `version`, `pending`, `incomplete`, `conflict`; labels add "label". Masked
 * fields by role. */
sat_json *sat_crm_json(sat_crm *c, const sat_view *v, bool labels);
/* Is this field of this record masked for the acting user? True when the
 * record is not here. For values that go out otherwise: history, conflicts. */
bool sat_crm_masked(sat_crm *c, const sat_kind *k, const sat_id *id,
    const sat_field *f);
/* A value that a role is shown masked must not be found by trying, nor be put in
 * order: SAT_EDENIED for who has `phone.reveal` for no record. */
SAT_CHECK sat_rc sat_crm_may_search(sat_crm *c, const sat_field *f, sat_err *e);
/* "stage=won and amount>=1000" / -- list filters: docs/cli.md "where". */
SAT_CHECK sat_rc sat_crm_where(sat_filter **f, size_t *n, sat_arena *a, sat_crm *c,
    const sat_kind *k, const char *expr, sat_err *e);
/* The terms of such an expression as they are written, borrowed from it, whatever
 * they mean: one that is kept may name what is not there any more. SAT_EUSAGE. */
#define SAT_WHERE_TERMS 32
SAT_CHECK sat_rc sat_crm_where_terms(sat_span terms[SAT_WHERE_TERMS],
    size_t *n, const char *expr, sat_err *e);

#endif
