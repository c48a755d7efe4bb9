/*
 * privacy.h - policy/privacy.json: what is kept too long, and who exports only
 * whom a consent covers.
 *
 *   "retention": [{"key": "lead_invalid", "kind": "lead",
 *     "where": "state=invalid", "from": "created_at", "retention_d": 365}]
 *   "consented_only": {"roles": ["marketing"], "purposes": ["marketing"]}
 *
 * Such a rule ends in erasures, so it is read in one way wherever it is looked
 * at, and one that is not understood to the last word is none. Pure.
 */
#ifndef SAT_TEMPLATE_PRIVACY_H
#define SAT_TEMPLATE_PRIVACY_H

#include "common/template/template.h"

#define SAT_PRIVACY_DOC "policy/privacy.json"
#define SAT_RETENTION_D_MAX 36600

typedef struct sat_retention {
	const char *key;
	const sat_kind *kind;
	const char *where;     /* a list's filter, not looked into; "" = all */
	const sat_field *from; /* of the kind, a time */
	int64_t days;          /* since then; 1..SAT_RETENTION_D_MAX */
} sat_retention;

/*
 * One element of "retention". What *r points to is the template's and the
 * rule's.
 * @return SAT_EINVALID naming the document, the rule and the first fault, a
 *         member nobody reads among them: "wehre" would be no condition. *r is
 *         then not to be used.
 */
SAT_CHECK sat_rc sat_template_retention(sat_retention *r,
    const sat_template *t, const sat_json *rule, sat_err *e);

/*
 * Does "consented_only" bind the role? Then *purposes are those a consent may
 * be for, the template's; NULL (they are no list): it takes out nobody. A list
 * of roles that cannot be read binds every role.
 */
bool sat_template_consented(const sat_json **purposes, const sat_template *t,
    const char *role);

#endif
