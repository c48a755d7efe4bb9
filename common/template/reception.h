/*
 * reception.h - how a showroom receives visitors: policy/reception.json.
 *
 * Periods of judging (common/model/judge.h), how long a channel's report is
 * good, when an entry counts as late, and the text a visitor agrees to. A
 * template without the document has the numbers of the base template and no
 * text. Pure.
 */
#ifndef SAT_TEMPLATE_RECEPTION_H
#define SAT_TEMPLATE_RECEPTION_H

#include "common/model/judge.h"
#include "common/template/template.h"

typedef struct sat_reception {
	sat_judge_rules judge;
	int report_valid_d; /* a channel's report is good for so many days */
	int late_entry_min; /* written down later than that: flagged */
	bool consent_required;
	const char *consent_version; /* NULL: there is no text */
	const char *consent_zh, *consent_en;
} sat_reception;

const sat_reception *sat_template_reception(const sat_template *t);

/*
 * "1:9f86d081884c7d65": version, and the first 16 hex digits of the BLAKE2b-256
 * of version and both texts: what a visit keeps of the text that was shown.
 * False (and "") when there is no text.
 */
#define SAT_CONSENT_MARK 64
bool sat_consent_mark(char out[SAT_CONSENT_MARK], const sat_reception *r);

#endif
