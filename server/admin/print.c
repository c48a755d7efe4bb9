/*
 * Answers as text: the members of a document one a line, or a table of its rows
 * with tabs between. --json prints the document itself.
 */
#include "server/admin/admin_int.h"

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

/* "name<TAB>value" a line; what is inside has "outer.name". */
static void
print_members(sat_buf *out, const sat_json *doc, const char *outer)
{
	for (const sat_json *n = sat_json_first(doc); n != NULL;
	     n = sat_json_next(n)) {
		char *name = sat_xasprintf("%s%s", outer, sat_json_key(n));

		if (sat_json_type(n) == SAT_J_OBJ) {
			char *inner = sat_xasprintf("%s.", name);

			print_members(out, n, inner);
			free(inner);
		} else if (sat_json_type(n) == SAT_J_INT) {
			sat_buf_fmt(out, "%s\t%lld\n", name,
			    (long long)sat_json_int(n, 0));
		} else if (sat_json_type(n) == SAT_J_BOOL) {
			sat_buf_fmt(out, "%s\t%s\n", name,
			    sat_json_bool(n, false) ? "yes" : "no");
		} else if (sat_json_type(n) != SAT_J_ARR &&
		    strcmp(name, "schema") != 0) {
			sat_buf_fmt(out, "%s\t%s\n", name,
			    sat_json_str(n, "-"));
		}
		free(name);
	}
}

void
admin_print_head(sat_buf *out, const sat_json *doc)
{
	print_members(out, doc, "");
}

void
admin_print(sat_buf *out, const sat_args *w, const sat_json *doc,
    const char *const *columns)
{
	const sat_json *rows = sat_json_get(doc, "data");

	if (sat_args_has(w, "json")) {
		sat_json_write(out, doc, true);
		return;
	}
	if (columns == NULL) {
		admin_print_head(out, doc);
		return;
	}
	for (const sat_json *r = sat_json_first(rows); r != NULL;
	     r = sat_json_next(r)) {
		for (size_t i = 0; columns[i] != NULL; i++) {
			const sat_json *v = sat_json_get(r, columns[i]);

			if (i > 0)
				sat_buf_str(out, "\t");
			if (sat_json_type(v) == SAT_J_INT)
				sat_buf_fmt(out, "%lld",
				    (long long)sat_json_int(v, 0));
			else if (sat_json_type(v) == SAT_J_BOOL)
				sat_buf_str(out, sat_json_bool(v, false) ? "yes" : "no");
			else
				sat_buf_str(out, sat_json_str(v, "-"));
		}
		sat_buf_str(out, "\n");
	}
}

/* "3 confirmations are missing": of a number and a text the text is looked up. */
static void
say_cell(sat_buf *out, const char *cell)
{
	size_t digits = strspn(cell, "0123456789");

	if (digits > 0 && cell[digits] == ' ' && sat_text(cell) == cell &&
	    sat_text(cell + digits + 1) != cell + digits + 1) {
		sat_buf_add(out, cell, digits + 1);
		cell += digits + 1;
	}
	sat_text_message(out, cell);
}

void
sat_admin_say_table(sat_buf *table)
{
	char *words = sat_xstrdup(sat_buf_cstr(table)), *p = words;
	sat_buf said = { 0 };

	while (*p != '\0') {
		char end = p[strcspn(p, "\t\n")], *next = p + strcspn(p, "\t\n");

		*next = '\0';
		say_cell(&said, p);
		if (end == '\0')
			break;
		sat_write_u8(&said, (uint8_t)end);
		p = next + 1;
	}
	sat_buf_reset(table);
	sat_buf_add(table, said.p, said.n);
	sat_buf_fini(&said);
	free(words);
}
