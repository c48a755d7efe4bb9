/*
 * The settings of satcheld: a file in git's form, [serve] alone. What the
 * command line says wins over the file, the file over what is built in.
 */
#include "server/admin/admin_int.h"

#include "common/git/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *key, *dflt;
	bool is_number;
} known[] = {
	{ "listen", "tcp://0.0.0.0:7443", false },
	{ "advertise", NULL, false },
	{ "port-file", NULL, false },
	{ "links", "6000", true },
	{ "links-per-address", "256", true },
	{ "metrics", NULL, false },
	{ "admin-socket", NULL, false },
};
#define NKNOWN (sizeof known / sizeof known[0])
_Static_assert(NKNOWN <= SAT_ADMIN_SETTINGS_MAX, "room for every setting");

typedef struct reading {
	sat_admin_settings *s;
	const char *path;
	sat_err *e;
	sat_rc rc;
} reading;

static sat_rc
judge(size_t i, const char *value, const char *path, sat_err *e)
{
	char *end = NULL, host[64];
	unsigned port;
	unsigned long n;

	if (strcmp(known[i].key, "metrics") == 0)
		return monitor_address(host, &port, value, e);
	if (known[i].is_number) {
		n = strtoul(value, &end, 10);
		if (end == value || *end != '\0' || n < 1 || n > 1000000)
			return sat_fail_code(e, SAT_EINVALID, "config.value",
			    "a number from 1 to 1000000",
			    "serve.%s in %s is no number", known[i].key, path);
	} else if (value[0] == '\0') {
		return sat_fail_code(e, SAT_EINVALID, "config.value",
		    "take the line out to have what is built in",
		    "serve.%s in %s is empty", known[i].key, path);
	} else if (strcmp(known[i].key, "port-file") != 0 &&
	    strcmp(known[i].key, "admin-socket") != 0 &&
	    strncmp(value, "tcp://", 6) != 0) {
		return sat_fail_code(e, SAT_EINVALID, "config.value",
		    "for example tcp://0.0.0.0:7443",
		    "serve.%s in %s is no address", known[i].key, path);
	}
	return SAT_OK;
}

static void
take(void *u, const char *key, const char *value)
{
	const char *names[NKNOWN], *near;
	reading *r = u;
	char hint[80] = "see: satcheld config show";

	if (r->rc != SAT_OK)
		return;
	for (size_t i = 0; i < NKNOWN; i++) {
		names[i] = known[i].key;
		if (strncmp(key, "serve.", 6) != 0 ||
		    strcmp(key + 6, known[i].key) != 0)
			continue;
		if ((r->rc = judge(i, value, r->path, r->e)) == SAT_OK) {
			free(r->s->value[i]);
			r->s->value[i] = sat_xstrdup(value);
		}
		return;
	}
	near = strncmp(key, "serve.", 6) == 0 ?
	    sat_nearest(key + 6, names, NKNOWN) : NULL;
	if (near != NULL)
		(void)snprintf(hint, sizeof hint, "did you mean serve.%s?", near);
	r->rc = sat_fail_code(r->e, SAT_EINVALID, "config.key", hint,
	    "%s in %s is no setting", key, r->path);
}

sat_rc
sat_admin_settings_read(sat_admin_settings *s, const char *path, bool must,
    sat_err *e)
{
	reading r = { s, path, e, SAT_OK };
	sat_rc rc;

	memset(s, 0, sizeof *s);
	if (must && access(path, R_OK) != 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "config.file",
		    NULL, "cannot read %s: %s", path, strerror(errno));
	rc = sat_config_each(path, take, &r, e);
	return rc != SAT_OK ? rc : r.rc;
}

const char *
sat_admin_setting(const sat_admin_settings *s, const sat_args *w,
    const char *key, const char **origin)
{
	const char *given = sat_args_get(w, key);

	for (size_t i = 0; i < NKNOWN; i++)
		if (strcmp(known[i].key, key) == 0) {
			*origin = given != NULL ? "option" :
			    s->value[i] != NULL ? "file" : "default";
			return given != NULL ? given :
			    s->value[i] != NULL ? s->value[i] : known[i].dflt;
		}
	*origin = "default";
	return given;
}

void
sat_admin_settings_free(sat_admin_settings *s)
{
	for (size_t i = 0; i < NKNOWN; i++)
		free(s->value[i]);
	memset(s, 0, sizeof *s);
}

sat_rc
sat_admin_config(const sat_args *w, const sat_admin_settings *s,
    const char *path, const char *dir, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "key", "value", "origin", NULL };
	const char *verb = w->nargs > 1 ? w->arg[1] : "show", *origin;
	sat_json *doc, *rows, *row;

	if (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld config check|show [--config FILE]");
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", verb[0] == 's' ?
	    "satcheld/config.show/1" : "satcheld/config.check/1");
	sat_json_put_str(doc, "file", access(path, F_OK) == 0 ? path : NULL);
	sat_json_put_str(doc, "dir", dir);
	if (verb[0] == 'c') {
		/* reading it found no fault, or we were not here */
		sat_json_put_str(doc, "result", "ok");
		admin_print(out, w, doc, NULL);
	} else {
		rows = sat_json_put_arr(doc, "data");
		for (size_t i = 0; i < NKNOWN; i++) {
			char *name = sat_xasprintf("serve.%s", known[i].key);

			row = sat_json_add_obj(rows);
			sat_json_put_str(row, "key", name);
			sat_json_put_str(row, "value", sat_admin_setting(s, w,
			    known[i].key, &origin));
			sat_json_put_str(row, "origin", origin);
			free(name);
		}
		admin_print(out, w, doc, cols);
	}
	sat_json_free(doc);
	return SAT_OK;
}
