#include "tests/lib/unit.h"

#include "common/template/template.h"
#include "tests/unit/common/template/base.h"

size_t
base_with(sat_template_file files[FILES_MAX], const char *path,
    const char *text)
{
	const sat_template_file *base;
	size_t n, out = 0;

	base = sat_template_base(&n);
	assert_true(n < FILES_MAX - 1);
	for (size_t i = 0; i < n; i++)
		if (path == NULL || strcmp(base[i].path, path) != 0)
			files[out++] = base[i];
	if (text != NULL)
		files[out++] = (sat_template_file){ path, sat_span_str(text) };
	else if (path != NULL)
		assert_int_equal(n - 1, out); /* there was one to remove */
	return out;
}

sat_rc
load_with(sat_template **t, const char *path, const char *text, sat_err *e)
{
	sat_template_file files[FILES_MAX];
	size_t n = base_with(files, path, text);

	return sat_template_load(t, files, n, e);
}

const char *
base_text(const char *path)
{
	const sat_template_file *base;
	size_t n;

	base = sat_template_base(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(base[i].path, path) == 0)
			return (const char *)base[i].bytes.p;
	fail_msg("no %s", path);
	return NULL;
}

char *
edited(const char *text, const char *was, const char *is)
{
	const char *at = strstr(text, was);
	char *out = malloc(strlen(text) + strlen(is) + 1);
	size_t head;

	if (at == NULL)
		fail_msg("'%s' is not in the document", was);
	head = (size_t)(at - text);
	memcpy(out, text, head);
	memcpy(out + head, is, strlen(is));
	memcpy(out + head + strlen(is), at + strlen(was),
	    strlen(at + strlen(was)) + 1);
	return out;
}

sat_rc
load_edited(sat_template **t, const char *path, const char *was,
    const char *is, sat_err *e)
{
	char *text = edited(base_text(path), was, is);
	sat_rc rc = load_with(t, path, text, e);

	free(text);
	return rc;
}

void
count_finding(void *u, char severity, const char *path, const char *text)
{
	unsigned *n = u;

	(void)path;
	(void)text;
	n[severity == 'e' ? 0 : 1]++;
}

sat_template *tmpl;

int
load_base(void **state)
{
	sat_err err;

	(void)state;
	assert_ok(load_with(&tmpl, NULL, NULL, &err));
	return 0;
}

int
free_base(void **state)
{
	(void)state;
	sat_template_free(tmpl);
	return 0;
}
