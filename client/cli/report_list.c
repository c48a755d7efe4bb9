/*
 * The records a report names one by one, under its numbers: the customers whose
 * data is stale. Only for people; a program reads them from --json.
 */
#include "client/cli/cli_int.h"

#include <stdlib.h>

#define COLUMNS_MAX 16

void
cli_report_list(cli *c, const sat_json *doc)
{
	const sat_json *list = sat_json_get(doc, "list");
	const sat_json *k = sat_json_first(sat_json_get(list, "columns"));
	const sat_json *r = sat_json_first(sat_json_get(list, "rows"));
	sat_json *flat = sat_json_obj(), *data = sat_json_put_arr(flat, "data");
	cli_column cols[COLUMNS_MAX];
	size_t n = 0;

	for (; k != NULL && n < COLUMNS_MAX; k = sat_json_next(k))
		cols[n++] = (cli_column){ sat_json_get_str(k, "key", "?"),
			sat_json_get_str(k, "title", "?"), CELL_PLAIN };
	for (; r != NULL; r = sat_json_next(r)) {
		const sat_json *v = sat_json_first(sat_json_get(r, "values"));
		sat_json *row = sat_json_add_obj(data);

		for (size_t i = 0; i < n && v != NULL; i++, v = sat_json_next(v))
			sat_json_put_str(row, cols[i].key,
			    sat_json_get_str(v, "label", ""));
	}
	if (sat_json_count(data) > 0) {
		sat_buf_str(&c->out, "\n");
		cli_print_rows(c, flat, cols, n);
	}
	sat_json_free(flat);
}
