/*
 * approve_int.h - a record that people have to agree to: approve.c asks them,
 * waiting.c tells for whom it waits.
 */
#ifndef SAT_CRM_APPROVE_INT_H
#define SAT_CRM_APPROVE_INT_H

#include "client/crm/crm_int.h"

typedef struct crm_asking {
	sat_crm *c;
	sat_arena *a;
	crm_actor who;
	sat_view v;
	crm_work w;           /* of the record, without changes */
	const char *target, *ask, *title, *owner;
	sat_id account;
} crm_asking;

/* SAT_EUSAGE: the kind has no routes. What it holds points into *x: it stays
 * where it is. */
SAT_CHECK sat_rc crm_asking_begin(crm_asking *x, sat_arena *a, sat_crm *c,
    const sat_kind *k, const sat_id *id, sat_err *e);
/* Who is missing in the step that is due; out->route NULL: nobody. */
void crm_asking_tell(sat_approval_is *out, crm_asking *x);
/* Who answers for the role: the one named, a participant, the manager above the
 * owner, the first there is; NULL: nobody has it. */
const sat_user *crm_asking_whom(const crm_asking *x, const char *role,
    const char *named);

/* Getter of the record's values for common/template; u: its crm_work. */
sat_value crm_asking_value(void *u, const sat_field *f);

#endif
