/*
 * base.h - the base template, as it is and with one document changed.
 */
#ifndef SAT_TESTS_COMMON_TEMPLATE_BASE_H
#define SAT_TESTS_COMMON_TEMPLATE_BASE_H

#include "tests/lib/unit.h"

#include "common/template/template.h"

#define FILES_MAX 256

/* The base template with one document replaced, added or (NULL) removed. */
size_t base_with(sat_template_file files[FILES_MAX], const char *path,
    const char *text);
sat_rc load_with(sat_template **t, const char *path, const char *text,
    sat_err *e);

const char *base_text(const char *path);

/* `text` with the first `was` replaced by `is`. The caller frees. */
char *edited(const char *text, const char *was, const char *is);

sat_rc load_edited(sat_template **t, const char *path, const char *was,
    const char *is, sat_err *e);
void count_finding(void *u, char severity, const char *path, const char *text);

/* One edit of a good document each; the text must name document and place. */
typedef struct bad_edit {
	const char *path, *was, *is, *says;
} bad_edit;

/* Setup and teardown of a group: the template as it is. */
extern sat_template *tmpl;
int load_base(void **state);
int free_base(void **state);

#endif
