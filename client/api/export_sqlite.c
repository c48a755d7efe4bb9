/*
 * Records as a plain SQLite file, for whoever analyses them with tools of his
 * own: a table per kind, keys in it as they are stored (money in fen, times in
 * UTC); a view per kind with labels, yuan and the names of people; what each
 * column is called in `_columns`, the options in `_options`, where it all comes
 * from in `_about`; a view per report when every kind is asked for. Rows come through the export like any others: judged and
 * masked by role, counted in the audit log.
 *
 * The names in the statements are keys of the template, which are words of
 * letters, digits and "_"; labels are quoted.
 */
#include "client/api/api_int.h"

#include "common/base/file.h"
#include "common/db/db.h"
#include "client_api_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct book {
	sat_api *api;
	sat_db *db;
	const sat_kind *k;
	sat_buf insert; /* the statement of k */
} book;

/* One row of texts; NULL = null. */
static sat_rc
put(book *x, int sql, const char *const *v, int n, sat_err *e)
{
	sat_stmt *s;
	sat_rc rc = sat_db_stmt(&s, x->db, sql, e);

	for (int i = 0; rc == SAT_OK && i < n; i++) {
		if (v[i] != NULL)
			sat_bind_text(s, i + 1, sat_span_str(v[i]));
		else
			sat_bind_null(s, i + 1);
	}
	return rc == SAT_OK ? sat_run(s, e) : rc;
}

void
api_book_name(sat_buf *b, const char *label)
{
	sat_buf_str(b, "\"");
	for (; *label != '\0'; label++) {
		if (*label == '"')
			sat_buf_str(b, "\"");
		sat_write_u8(b, (uint8_t)*label);
	}
	sat_buf_str(b, "\"");
}

static const char *
sql_type(const sat_field *f)
{
	return f->type == SAT_F_INT || f->type == SAT_F_MONEY ||
	    f->type == SAT_F_BOOL ? "INTEGER" : "TEXT";
}

static const char *
type_word(const sat_field *f)
{
	static const char *const words[] = { "text", "int", "money (fen)", "bool",
		"date", "time (UTC)", "enum", "tags", "phone", "email", "ref",
		"user" };

	return words[f->type];
}

/* ---- what a kind looks like --------------------------------------------------------- */

static void
put_label_column(sat_buf *b, const sat_field *f, bool zh)
{
	if (f->type == SAT_F_ENUM && f->dict != NULL)
		sat_buf_fmt(b, ",\n  coalesce((SELECT %s FROM _options WHERE "
		    "options = '%s' AND key = t.\"%s\"), t.\"%s\")",
		    zh ? "zh" : "en", f->dict->name, f->key, f->key);
	else if (f->type == SAT_F_USER)
		sat_buf_fmt(b, ",\n  coalesce((SELECT name FROM _users WHERE "
		    "key = t.\"%s\"), t.\"%s\")", f->key, f->key);
	else if (f->type == SAT_F_MONEY)
		sat_buf_fmt(b, ",\n  t.\"%s\" / 100.0", f->key);
	else
		sat_buf_fmt(b, ",\n  t.\"%s\"", f->key);
	sat_buf_str(b, " AS ");
	api_book_name(b, zh ? f->zh : f->en);
}

static bool
is_written(const sat_field *f)
{
	return f->policy != SAT_P_DERIVED; /* as the export chooses them */
}

static sat_rc
make_table(book *x, sat_err *e)
{
	bool zh = x->api->crm.lang != NULL && x->api->crm.lang[0] == 'z';
	const sat_kind *k = x->k;
	sat_buf table = { 0 }, view = { 0 };
	sat_rc rc;

	sat_buf_fmt(&table, "CREATE TABLE \"%s\" (id TEXT PRIMARY KEY, created "
	    "TEXT", k->key);
	sat_buf_fmt(&view, "CREATE VIEW \"%s_labels\" AS SELECT t.id AS id, "
	    "t.created AS created", k->key);
	sat_buf_reset(&x->insert);
	sat_buf_fmt(&x->insert, "INSERT INTO \"%s\" VALUES (?, ?", k->key);
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		if (!is_written(f))
			continue;
		sat_buf_fmt(&table, ", \"%s\" %s", f->key, sql_type(f));
		put_label_column(&view, f, zh);
		sat_buf_str(&x->insert, ", ?");
	}
	sat_buf_str(&table, ")");
	sat_buf_str(&x->insert, ")");
	sat_buf_fmt(&view, "\nFROM \"%s\" t", k->key);
	if ((rc = sat_db_exec(x->db, sat_buf_cstr(&table), e)) == SAT_OK)
		rc = sat_db_exec(x->db, sat_buf_cstr(&view), e);
	for (size_t i = 0; rc == SAT_OK && i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];
		const char *row[] = { k->key, f->key, f->zh, f->en,
			type_word(f), f->dict != NULL ? f->dict->name : NULL };

		if (is_written(f))
			rc = put(x, SQL_BOOK_COLUMN, row, 6, e);
	}
	sat_buf_fini(&table);
	sat_buf_fini(&view);
	return rc;
}

/* The options a kind uses; another kind may have brought them. */
static sat_rc
put_options(book *x, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < x->k->nfields; i++) {
		const sat_dict *d = x->k->fields[i].dict;

		for (size_t o = 0; rc == SAT_OK && d != NULL && o < d->n; o++) {
			const char *row[] = { d->name, d->options[o].key,
				d->options[o].zh, d->options[o].en,
				d->options[o].retired ? "1" : "0" };

			rc = put(x, SQL_BOOK_OPTION, row, 5, e);
		}
	}
	return rc;
}

/* ---- rows ------------------------------------------------------------------------- */

static void
bind_json(sat_stmt *s, int at, const sat_json *v, sat_buf *text)
{
	switch (sat_json_type(v)) {
	case SAT_J_INT:
		sat_bind_int(s, at, sat_json_int(v, 0));
		return;
	case SAT_J_BOOL:
		sat_bind_int(s, at, sat_json_bool(v, false));
		return;
	case SAT_J_STR:
		sat_bind_text(s, at, sat_span_str(sat_json_str(v, "")));
		return;
	case SAT_J_NULL:
		sat_bind_null(s, at);
		return;
	default: { /* a set: its JSON */
		size_t from = text->n;

		sat_json_write(text, v, false);
		sat_bind_text(s, at, sat_span_of(text->p + from,
		    text->n - from));
	}
	}
}

static sat_rc
on_row(void *u, sat_span line, sat_err *e)
{
	book *x = u;
	sat_json *row = NULL;
	sat_buf text = { 0 };
	sat_stmt *s;
	int at = 1;
	sat_rc rc;

	if ((rc = sat_json_parse(&row, line, 0, e)) != SAT_OK ||
	    (rc = sat_db_stmt_text(&s, x->db, sat_buf_cstr(&x->insert),
	         e)) != SAT_OK) {
		sat_json_free(row);
		return rc;
	}
	(void)sat_buf_room(&text, line.n * 2 + 64); /* its bytes must not move */
	bind_json(s, at++, sat_json_get(row, "id"), &text);
	bind_json(s, at++, sat_json_get(row, "created"), &text);
	for (size_t i = 0; i < x->k->nfields; i++)
		if (is_written(&x->k->fields[i]))
			bind_json(s, at++, sat_json_get(row,
			    x->k->fields[i].key), &text);
	rc = sat_run(s, e);
	sat_buf_fini(&text);
	sat_json_free(row);
	return rc;
}

static sat_rc
put_kind(int64_t *rows, book *x, const sat_kind *k, sat_export_opts *o,
    sat_query *q, sat_err *e)
{
	int64_t n = 0;
	sat_rc rc;

	x->k = k;
	q->kind = k;
	o->line = on_row;
	o->u = x;
	if ((rc = make_table(x, e)) != SAT_OK || (rc = put_options(x, e)) != SAT_OK)
		return rc;
	rc = sat_crm_export(&n, &x->api->crm, o, e);
	*rows += n;
	return rc;
}

/* ---- the whole of it ----------------------------------------------------------------- */

static sat_rc
put_people(book *x, sat_err *e)
{
	const sat_registry *r = sat_replica_registry(x->api->crm.replica);
	sat_rc rc = SAT_OK;

	for (size_t i = 0; r != NULL && rc == SAT_OK && i < r->nusers; i++) {
		const sat_team *t = sat_registry_team_ord(r, r->users[i].team);
		const char *row[] = { r->users[i].key, r->users[i].name,
			r->users[i].role, t != NULL ? t->key : NULL };

		rc = put(x, SQL_BOOK_USER, row, 4, e);
	}
	return rc;
}

static sat_rc
put_about(book *x, const sat_export_opts *o, sat_err *e)
{
	const sat_template *t = sat_replica_template(x->api->crm.replica);
	const sat_user *me = sat_replica_me(x->api->crm.replica);
	char when[32];
	const char *rows[][2] = { { "made_by", me->key }, { "role", me->role },
		{ "made_at", when }, { "reason", o->reason },
		{ "masked", o->mask ? "yes" : "by role" },
		{ "template", sat_template_name(t) },
		{ "template_version", sat_template_version(t) },
		{ "money", "fen" }, { "times", "UTC" } };
	sat_rc rc = SAT_OK;

	sat_time_rfc3339(when, sat_wall_ms(&x->api->crm.clock));
	for (size_t i = 0; rc == SAT_OK && i < sizeof rows / sizeof rows[0]; i++)
		rc = put(x, SQL_BOOK_ABOUT, rows[i], 2, e);
	return rc;
}

static sat_rc
fill(int64_t *rows, book *x, sat_export_opts *o, sat_query *q, sat_err *e)
{
	const sat_template *t = sat_replica_template(x->api->crm.replica);
	sat_rc rc;

	if ((rc = sat_db_migrate(x->db, client_api_schema,
	         client_api_schema_count, e)) != SAT_OK ||
	    (rc = sat_db_begin(x->db, e)) != SAT_OK)
		return rc;
	if (q->kind != NULL) {
		rc = put_kind(rows, x, q->kind, o, q, e);
	} else {
		for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(t); i++)
			if (api_may_view(x->api, sat_template_kind_at(t, i)))
				rc = put_kind(rows, x, sat_template_kind_at(t, i),
				    o, q, e);
		if (rc == SAT_OK)
			rc = api_book_reports(x->db, x->api, e);
	}
	if (rc == SAT_OK && (rc = put_people(x, e)) == SAT_OK)
		rc = put_about(x, o, e);
	if (rc == SAT_OK)
		rc = sat_db_commit(x->db, e);
	else
		sat_db_rollback(x->db);
	/* one file, to be copied and read anywhere */
	if (rc == SAT_OK && (rc = sat_db_checkpoint(x->db, e)) == SAT_OK)
		rc = sat_db_exec(x->db, "PRAGMA journal_mode = DELETE", e);
	return rc;
}

sat_rc
api_export_sqlite(int64_t *rows, sat_api *api, sat_export_opts *o,
    sat_query *q, const char *to, sat_err *e)
{
	char *tmp;
	sat_db_open_opts d = { .create = true, .cache_kib = 8192,
		.sql = client_api_sql, .nsql = client_api_sql_count };
	book x = { .api = api };
	sat_rc rc;

	if (to == NULL || strcmp(to, "-") == 0 || sat_file_is_stream(to))
		return sat_fail_code(e, SAT_EUSAGE, "usage.option",
		    "name a file: -o FILE.db", "a database needs a file");
	tmp = sat_xasprintf("%s.tmp", to);
	d.path = tmp;
	sat_file_remove(tmp);
	rc = sat_db_open(&x.db, &d, e);
	if (rc == SAT_OK)
		rc = sat_file_private(tmp, e);
	if (rc == SAT_OK)
		rc = fill(rows, &x, o, q, e);
	sat_db_close(x.db);
	sat_buf_fini(&x.insert);
	if (rc == SAT_OK)
		rc = sat_file_rename(tmp, to, e);
	if (rc != SAT_OK)
		sat_file_remove(tmp);
	free(tmp);
	return rc;
}
