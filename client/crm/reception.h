/*
 * reception.h - visitors: taking them in, whose customer they are, whose turn
 * it is. Part of this room's door, beside crm.h.
 *
 * Everything is judged on what this device holds. The answer names how many
 * facts it looked at and their hash, so that two devices can compare.
 */
#ifndef SAT_CRM_RECEPTION_H
#define SAT_CRM_RECEPTION_H

#include "client/crm/crm.h"
#include "common/model/judge.h"
#include "common/model/rotation.h"
#include "common/template/reception.h"

/* ---- a channel's report and its code --------------------------------------------- */

/*
 * What an agent shows at the door: "R1." id of the report "." 16 hex digits, the
 * hash of the normal form of the phone keyed with the report's id. Whoever has
 * the code can tell whether a phone is the one that was reported, and needs
 * neither the report nor a network for it; the id holds 64 random bits, so the
 * digits alone tell nothing of the phone.
 */
#define SAT_REPORT_CODE 48
#define SAT_REPORT_TAG 17
void sat_report_tag(char out[SAT_REPORT_TAG], const sat_id *report, sat_span phone);
void sat_report_code(char out[SAT_REPORT_CODE], const sat_id *report, sat_span phone);
/* False when the text is no code. */
bool sat_report_code_read(sat_id *report, char tag[SAT_REPORT_TAG], const char *text);
/* The code of a report that is here. SAT_ENOTFOUND; SAT_EINVALID "report.phone"
 * when it has no phone. */
SAT_CHECK sat_rc sat_crm_report_code(char out[SAT_REPORT_CODE], sat_crm *c,
    const sat_id *report, sat_err *e);

/* ---- taking a visitor in ------------------------------------------------------------ */

typedef struct sat_checkin {
	const sat_input *in; /* fields of the visit, as typed */
	size_t n;
	const char *code;    /* of a channel's report, NULL = none */
	bool consent;        /* the visitor agreed to the template's text */
	const char *station; /* NULL: the acting user's key */
} sat_checkin;
/*
 * One commit: the visit, with mark and time of the consent, and the report whose
 * code was shown. Needs nothing that is not on the device.
 * @return as sat_crm_create; SAT_EINVALID "consent.required" (a phone, and the
 *         template asks for consent), "report.code", "report.phone" (the code
 *         is another phone's).
 */
SAT_CHECK sat_rc sat_crm_checkin(sat_id *out, sat_crm *c,
    const sat_checkin *in, sat_err *e);

/* Minutes between arrival and the moment it was written down, by the record's
 * birth; whether that is later than policy/reception.json allows. False: it is
 * no visit. */
bool sat_crm_late(int64_t *minutes, bool *late, const sat_template *t,
    const sat_view *v);

/* ---- judging -------------------------------------------------------------------------- */

typedef struct sat_judged {
	sat_judgement j;      /* spans in the arena */
	sat_id visit;
	sat_id customer;      /* the family's, the oldest one; zero = none here */
	size_t customers;     /* of the family */
	const char *credit;   /* agent, or channel, of j.credit; NULL = none */
	char inputs[65];      /* hex */
} sat_judged;
SAT_CHECK sat_rc sat_crm_judge(sat_judged *out, sat_arena *a, sat_crm *c,
    const sat_id *visit, sat_err *e);
/*
 * Judge, and write it down: who, by which rule, on which facts, the customer;
 * and give the visit to the owner. `to`: who a manager decides on where the
 * rule leaves it open ("manager", "new"), else NULL.
 * @return SAT_ECONFLICT "judge.open" (the rule leaves it open and `to` is NULL;
 *         with "new" that is no fault: the rotation decides), "judge.owner"
 *         (`to` is another than the rule's); SAT_EDENIED.
 */
SAT_CHECK sat_rc sat_crm_judge_confirm(sat_judged *out, sat_arena *a,
    sat_crm *c, const sat_id *visit, const char *to, sat_err *e);

/* ---- rotation ------------------------------------------------------------------------- */

typedef struct sat_turns {
	const char *station;
	int64_t day_ms;       /* local midnight */
	sat_rotation r;
} sat_turns;
/* station NULL: the key of the acting user's team. day NULL: today. Everything
 * in `a`. SAT_EUSAGE for a day that is none. */
SAT_CHECK sat_rc sat_crm_rotation(sat_turns *out, sat_arena *a, sat_crm *c,
    const char *station, const char *day, sat_err *e);

typedef struct sat_turn_in {
	const char *station, *day;
	sat_turn_what what;
	const char *who, *other; /* user keys; SERVE: who NULL = whose turn it is */
	const char *reason;
	bool returning;
	const sat_id *visit;     /* SERVE: given to him; may be NULL */
} sat_turn_in;
typedef struct sat_turned {
	const char *who;
	bool returning;
	const char *rule; /* SERVE of a visit: what judging said; else NULL */
} sat_turned;
/*
 * Write one turn. Serving a visit without naming anybody: its judged owner,
 * whom that costs no turn, else the first of the queue.
 * @return SAT_EINVALID "rotation.user" (nobody who receives visitors),
 *         SAT_ECONFLICT "rotation.empty", SAT_EDENIED.
 */
SAT_CHECK sat_rc sat_crm_turn(sat_turned *out, sat_arena *a, sat_crm *c,
    const sat_turn_in *in, sat_err *e);

#endif
