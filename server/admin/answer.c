/*
 * The words of a verb on their way: to a folder that is open, or to the server
 * that runs on it; and an answer that comes in parts, into a file.
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words to a folder that is open, or to the server that runs on it. */
static sat_rc
ask(sat_admin *admin, const sat_args *a, const char *dir, int argc, char *const *argv,
    sat_buf *out, sat_err *e)
{
	return admin != NULL ? sat_admin_run(admin, argc, argv, out, e) :
	    sat_admin_ask(dir, sat_args_get(a, "admin-socket"), argc, argv, out,
	        e);
}

/* The last line says that it goes on: it is taken away. */
static bool
goes_on(sat_buf *part, char cursor[16])
{
	size_t n = part->n, line;
	const char *p = sat_buf_cstr(part);

	if (n == 0)
		return false;
	for (line = n - 1; line > 0 && p[line - 1] != '\n'; line--)
		continue;
	if (strncmp(p + line, ADMIN_MORE, strlen(ADMIN_MORE)) != 0)
		return false;
	(void)snprintf(cursor, 16, "%s", p + line + strlen(ADMIN_MORE));
	cursor[strcspn(cursor, "\n")] = '\0';
	part->n = line;
	return true;
}

static void
put(sat_file_out *to, sat_buf *part)
{
	sat_file_out_add(to, sat_buf_span(part));
	sat_buf_reset(part);
}

/* An export part by part. */
static sat_rc
parts(sat_file_out *to, sat_admin *admin, const sat_args *a, const char *dir,
    int argc, char *const *argv, sat_buf *out, sat_err *e)
{
	char **words = sat_xcalloc((size_t)argc + 3, sizeof *words);
	char option[] = "--cursor", cursor[16];
	sat_rc rc = ask(admin, a, dir, argc, argv, out, e);

	memcpy(words, argv, (size_t)argc * sizeof *words);
	words[argc] = option;
	words[argc + 1] = cursor;
	while (rc == SAT_OK && goes_on(out, cursor)) {
		put(to, out);
		rc = ask(admin, a, dir, argc + 2, words, out, e);
	}
	free(words);
	put(to, out);
	return rc;
}

/* Whole or not at all under its name. */
static sat_rc
export(sat_admin *admin, const sat_args *a, const char *dir, int argc,
    char *const *argv, sat_buf *out, sat_err *e)
{
	const char *path = sat_args_get(a, "output");
	bool std = path == NULL || strcmp(path, "-") == 0;
	sat_file_out *to;
	sat_rc rc = sat_file_out_open(&to, std ? NULL : path, 0600, 0, e),
	    closed;

	if (rc != SAT_OK)
		return rc;
	rc = parts(to, admin, a, dir, argc, argv, out, e);
	closed = sat_file_out_close(to, rc == SAT_OK, rc == SAT_OK ? e : NULL);
	return rc == SAT_OK ? closed : rc;
}

sat_rc
sat_admin_answer(sat_admin *admin, const sat_args *w, const char *dir,
    int argc, char *const *argv, sat_buf *out, sat_err *e)
{
	return strcmp(w->arg[0], "export") == 0
	    ? export(admin, w, dir, argc, argv, out, e)
	    : ask(admin, w, dir, argc, argv, out, e);
}
