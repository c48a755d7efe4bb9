/*
 * The reports in an exported database: the numbers as the executor gives them
 * now, over all time, a row per cell, and a view per report that puts them side
 * by side under the titles people know. Money is yuan there, as a report prints
 * it; a ratio is its decimal number.
 */
#include "client/api/api_int.h"

#include "common/db/db.h"
#include "common/template/report_def.h"
#include "client_api_sql.h"

#include <stdlib.h>
#include <string.h>

typedef struct sheet {
	sat_db *db;
	const char *key;
	const sat_json *doc;
} sheet;

static sat_rc
put_cell(sheet *x, int64_t row, int64_t at, const sat_json *col,
    const sat_json *v, sat_err *e)
{
	bool money = strcmp(sat_json_get_str(col, "unit", ""), "money") == 0;
	sat_buf text = { 0 };
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, x->db, SQL_BOOK_REPORT_CELL, e);

	if (rc != SAT_OK)
		return rc;
	sat_bind_text(s, 1, sat_span_str(x->key));
	sat_bind_int(s, 2, row);
	sat_bind_int(s, 3, at);
	sat_bind_text(s, 4, sat_span_str(sat_json_get_str(col, "key", "")));
	if (sat_json_type(v) == SAT_J_OBJ) /* an option, a person, a ratio */
		v = sat_json_get(v, sat_json_get(v, "label") != NULL ? "label" :
		    sat_json_get(v, "text") != NULL ? "text" : "key");
	if (sat_json_type(v) == SAT_J_INT && money) {
		sat_buf_fmt(&text, "%s%lld.%02d", sat_json_int(v, 0) < 0 ? "-" :
		    "", llabs(sat_json_int(v, 0) / 100),
		    (int)llabs(sat_json_int(v, 0) % 100));
		sat_bind_text(s, 5, sat_buf_span(&text));
	} else if (sat_json_type(v) == SAT_J_INT) {
		sat_bind_int(s, 5, sat_json_int(v, 0));
	} else if (sat_json_type(v) == SAT_J_STR) {
		sat_bind_text(s, 5, sat_span_str(sat_json_str(v, "")));
	} else {
		sat_bind_null(s, 5);
	}
	rc = sat_run(s, e);
	sat_buf_fini(&text);
	return rc;
}

/* A title may stand twice: then the column's place is beside it. */
static bool
is_twice(const sat_json *cols, const sat_json *col)
{
	int n = 0;

	for (const sat_json *c = sat_json_first(cols); c != NULL;
	     c = sat_json_next(c))
		n += strcmp(sat_json_get_str(c, "title", ""),
		    sat_json_get_str(col, "title", "")) == 0;
	return n > 1;
}

/* Texts that are numbers become numbers again, so that they add up. */
static sat_rc
make_view(sheet *x, sat_err *e)
{
	const sat_json *cols = sat_json_get(x->doc, "columns");
	char *name = sat_xasprintf("report_%s", x->key);
	int at = 0;
	sat_buf v = { 0 };
	sat_rc rc;

	sat_buf_str(&v, "CREATE VIEW ");
	api_book_name(&v, name);
	sat_buf_str(&v, " AS SELECT row");
	for (const sat_json *c = sat_json_first(cols); c != NULL;
	     c = sat_json_next(c)) {
		const char *unit = sat_json_get_str(c, "unit", "");
		bool text = strcmp(unit, "key") == 0 || strcmp(unit, "text") == 0;
		const char *word = sat_json_get_str(c, "title", "");
		char *title = is_twice(cols, c) ? sat_xasprintf("%s (%d)", word,
		    at + 1) : sat_xstrdup(word);

		sat_buf_fmt(&v, ",\n  max(CASE WHEN position = %d THEN value "
		    "END)%s AS ", ++at, text ? "" : " + 0");
		api_book_name(&v, title);
		free(title);
	}
	sat_buf_fmt(&v, "\nFROM _report_cells WHERE report = '%s' GROUP BY row",
	    x->key);
	rc = sat_db_exec(x->db, sat_buf_cstr(&v), e);
	sat_buf_fini(&v);
	free(name);
	return rc;
}

static sat_rc
put_report(sheet *x, sat_err *e)
{
	const sat_json *cols = sat_json_get(x->doc, "columns");
	const char *row_of[] = { x->key, sat_json_get_str(sat_json_get(x->doc,
		"report"), "title", x->key), sat_json_get_str(sat_json_get(
		x->doc, "period"), "label", NULL), sat_json_get_str(x->doc,
		"as_of", NULL) };
	int64_t n = 0;
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, x->db, SQL_BOOK_REPORT, e);

	for (int i = 0; rc == SAT_OK && i < 4; i++) {
		if (row_of[i] != NULL)
			sat_bind_text(s, i + 1, sat_span_str(row_of[i]));
		else
			sat_bind_null(s, i + 1);
	}
	if (rc == SAT_OK)
		rc = sat_run(s, e);
	for (const sat_json *r = sat_json_first(sat_json_get(x->doc, "rows"));
	     r != NULL && rc == SAT_OK; r = sat_json_next(r)) {
		const sat_json *v = sat_json_first(r), *c = sat_json_first(cols);
		int64_t at = 0;

		for (n++; rc == SAT_OK && v != NULL && c != NULL;
		     v = sat_json_next(v), c = sat_json_next(c))
			rc = put_cell(x, n, ++at, c, v, e);
	}
	return rc == SAT_OK ? make_view(x, e) : rc;
}

sat_rc
api_book_reports(sat_db *db, sat_api *api, sat_err *e)
{
	const sat_template *t = sat_replica_template(api->crm.replica);
	sat_report_opts o = { .period = "all", .compare = "none" };
	const char *key;
	sat_rc rc = SAT_OK;

	if (sat_acl(t, sat_replica_me(api->crm.replica)->role, "report") ==
	    SAT_GRANT_NO)
		return SAT_OK;
	for (size_t i = 0; rc == SAT_OK &&
	     (key = sat_report_key(t, i)) != NULL; i++) {
		sat_json *doc = NULL;
		sheet x = { db, key, NULL };
		sat_err why = { 0 };

		rc = sat_crm_report(&doc, &api->crm, key, &o, &why);
		x.doc = doc;
		if (rc == SAT_OK)
			rc = put_report(&x, e);
		else if (rc == SAT_EDENIED || rc == SAT_ENOTFOUND ||
		    rc == SAT_EUSAGE || rc == SAT_EINVALID)
			rc = SAT_OK; /* not this role's, off, or in need of a period */
		else
			rc = sat_fail(e, rc, "%s", why.text);
		sat_json_free(doc);
	}
	return rc;
}
