#include "tests/lib/unit.h"

#include "client/crm/crm.h"
#include "tests/unit/client/crm/crm_fixture.h"
#include "tests/unit/client/crm/sheets.h"

static void
on_error(void *u, const void *row, const char *reason)
{
	door *d = u;
	const sat_sheet_row *r = row;

	if (d->nreasons < 64)
		(void)snprintf(d->reasons[d->nreasons], 200, "%llu %s",
		    (unsigned long long)r->line, reason);
	d->nreasons++;
}

static void
on_clean(void *u, int64_t row, const char *field, sat_span before,
    sat_span after)
{
	door *d = u;

	if (d->ncleaned < 64)
		(void)snprintf(d->cleaned[d->ncleaned], 200, "%d %s %.*s>%.*s",
		    (int)row, field, (int)before.n, (const char *)before.p,
		    (int)after.n, (const char *)after.p);
	d->ncleaned++;
}

static void
on_derived(void *u, const char *title, const char *field, const char *value)
{
	door *d = u;

	(void)field;
	d->nderived++;
	if (strcmp(title, "Acme Corporation") == 0)
		(void)snprintf(d->acme, sizeof d->acme, "%s",
		    value != NULL ? value : "-");
}

static void
on_progress(void *u, int64_t rows, uint64_t done, uint64_t total)
{
	door *d = u;

	assert_true(done <= total);
	assert_true(rows >= d->progress);
	d->progress = rows;
	d->nprogress++;
}

/* The second half of it, as a stick that fails would give them. */
static void
spoil(const char *path)
{
	FILE *f = fopen(path, "r+b");
	long n;

	assert_non_null(f);
	assert_int_equal(0, fseek(f, 0, SEEK_END));
	n = ftell(f);
	assert_int_equal(0, fseek(f, n / 2, SEEK_SET));
	for (long i = n / 2; i < n; i++)
		assert_int_equal(0xff, fputc(0xff, f));
	assert_int_equal(0, fclose(f));
}

static bool
interrupted(void *u)
{
	door *d = u;

	if (d->stop_after == 0 || --d->stop_after > 0)
		return false;
	if (d->spoil == NULL)
		return true;
	spoil(d->spoil);
	return false;
}

static sat_rc
open_sheet(void *u, const char *file, struct sat_sheet **out, sat_err *e)
{
	char *path = sat_xasprintf("%s%s", DATA, file);
	sat_rc rc = sat_sheet_open(out, path, NULL, e);

	(void)u;
	free(path);
	return rc;
}

static sat_json *
read_json(const char *path)
{
	static char text[65536];
	FILE *in_ = fopen(path, "rb");
	sat_json *doc;
	size_t n;
	sat_err err;

	assert_non_null(in_);
	n = fread(text, 1, sizeof text, in_);
	(void)fclose(in_);
	assert_ok(sat_json_parse(&doc, sat_span_of(text, n), 0, &err));
	return doc;
}

sat_rc
import(sat_import_summary *s, door *d, const char *csv, const char *map,
    sat_import_opts *o, sat_err *e)
{
	sat_crm c = crm_of(d->f);
	sat_json *doc = map != NULL ? read_json(map) : NULL;
	sat_rc rc;

	memset(d->reasons, 0, sizeof d->reasons);
	d->nreasons = d->ncleaned = d->nderived = 0;
	d->progress = 0;
	memset(e, 0, sizeof *e);
	assert_rc(SAT_OK, sat_sheet_open(&o->sheet, csv, NULL, e));
	o->map = doc;
	o->on_error = on_error;
	o->on_derived = on_derived;
	o->open_sheet = open_sheet;
	o->progress = on_progress;
	o->interrupted = interrupted;
	if (o->dry_run)
		o->on_clean = on_clean;
	o->u = d;
	rc = sat_crm_import(s, &c, o, e);
	sat_sheet_close(o->sheet);
	sat_json_free(doc);
	return rc;
}

void
hire(fixture *f)
{
	sat_user users[64] = { { 1, "me", "Me", "hq", 0, false } };
	sat_registry reg = { .rev = 100, .users = users, .nusers = 1 };
	sat_arena a = { 0 };
	const sat_sheet_row *row;
	sat_sheet *csv;
	sat_err err;

	assert_ok(sat_sheet_open(&csv, DATA "users.csv", NULL, &err));
	for (;;) {
		sat_user *u = &users[reg.nusers];

		assert_ok(sat_sheet_next(&row, csv, &err));
		if (row == NULL)
			break;
		u->ord = (uint32_t)++reg.nusers;
		u->key = sat_arena_str(&a, row->fields[0].p, row->fields[0].n);
		u->name = sat_arena_str(&a, row->fields[1].p, row->fields[1].n);
		u->role = sat_arena_str(&a, row->fields[2].p, row->fields[2].n);
	}
	sat_sheet_close(csv);
	give_staff(f, &reg);
	sat_arena_fini(&a);
}

static char *
sheet(fixture *f, const char *name, const char *content)
{
	char *path = sat_xasprintf("%s/%s", f->dir, name);
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(strlen(content), fwrite(content, 1, strlen(content),
	    out));
	assert_int_equal(0, fclose(out));
	return path;
}

sat_rc
import_text(sat_import_summary *s, door *d, const char *content,
    const char *map, sat_import_opts *o, sat_err *e)
{
	char *csv = sheet(d->f, "x.table", content);
	char *doc = map != NULL ? sheet(d->f, "x.json", map) : NULL;
	sat_rc rc = import(s, d, csv, doc, o, e);

	(void)remove(csv);
	if (doc != NULL)
		(void)remove(doc);
	free(csv);
	free(doc);
	return rc;
}

void
import_all(sat_import_summary *s, fixture *f, const char *key,
    const char *content, const char *map)
{
	door d = { .f = f };
	sat_import_opts o = { .kind = key };
	sat_err err;

	assert_ok(import_text(s, &d, content, map, &o, &err));
}
