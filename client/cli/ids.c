/*
 * Many records at once: ids as words, or, for the word "-", from standard input.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX (16 * 1024 * 1024)

static void
put(cli_ids *ids, const char *id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap * 2 + 16;
		ids->id = sat_xrealloc(ids->id, ids->cap * sizeof *ids->id);
	}
	ids->id[ids->n++] = id;
}

/* The first column of each row is the id: what a list printed can be given on
 * as it is. */
static void
split(cli_ids *ids, char end)
{
	char *p = (char *)ids->text.p, *stop = p + ids->text.n;

	while (p < stop) {
		char *row = p, *tail = memchr(p, end, (size_t)(stop - p));

		if (tail == NULL)
			tail = stop - 1; /* the NUL at the end of the input */
		*tail = '\0';
		row[strcspn(row, "\t\r\n")] = '\0';
		if (row[0] != '\0')
			put(ids, row);
		p = tail + 1;
	}
}

sat_rc
cli_input(cli *c, sat_err *e)
{
	char part[4096];
	size_t n;

	if (c->input.n > 0)
		return SAT_OK;
	while ((n = fread(part, 1, sizeof part, stdin)) > 0) {
		if (c->input.n + n > INPUT_BYTES_MAX)
			return sat_fail(e, SAT_EUSAGE,
			    "standard input is no list of records: too long");
		sat_buf_add(&c->input, part, n);
	}
	if (ferror(stdin))
		return sat_fail(e, SAT_EIO, "cannot read standard input");
	sat_write_u8(&c->input, 0);
	return SAT_OK;
}

bool
cli_wants_input(const cli *c)
{
	for (size_t i = 2; i < c->args.nargs; i++)
		if (strcmp(c->args.arg[i], "-") == 0)
			return true;
	return false;
}

sat_rc
cli_ids_get(cli_ids *ids, cli *c, size_t first, sat_err *e)
{
	sat_rc rc = SAT_OK;
	bool read = false;

	*ids = (cli_ids){ 0 };
	for (size_t i = first; i < c->args.nargs && rc == SAT_OK; i++) {
		bool input = strcmp(c->args.arg[i], "-") == 0;

		if (!input) {
			put(ids, c->args.arg[i]);
		} else if (!read && (rc = cli_input(c, e)) == SAT_OK) {
			sat_buf_add(&ids->text, c->input.p, c->input.n);
			split(ids, sat_args_has(&c->args, "null") ? '\0' : '\n');
		}
		read = read || input;
	}
	return rc;
}

void
cli_ids_fini(cli_ids *ids)
{
	free(ids->id);
	sat_buf_fini(&ids->text);
}
