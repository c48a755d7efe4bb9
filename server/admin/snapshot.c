/*
 * snapshot: copies of the whole server in its own folder (snapshots/WHEN), made
 * while it serves. Each is what `backup` writes, so `restore` takes it; being on
 * the same disk it saves nobody from losing that disk: it moves no durable
 * watermark and is no backup. An erasure takes all of them away
 * (server/store/sqlite `scrub`).
 *
 * What devices begin with is no stored file: they are sent the rows as they are
 * (docs/decisions).
 */
#include "server/admin/admin_int.h"

#include "common/base/file.h"
#include "common/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 3 /* by prune, when it is not told */
#define KEPT_MAX 1000
#define NOTE "snapshot.json" /* written last: a folder without it is half of one */
#define NOTE_MAX 4096

typedef struct snapshot {
	int64_t at_ms;
	uint64_t lsn;
} snapshot;

static char *
path_of(const sat_admin *a, const char *name)
{
	return sat_xasprintf("%s/%s", sat_sqlite_snapshots_folder(a->store),
	    name);
}

/* false: it is half of one, or nobody's. */
static bool
read_note(snapshot *s, const char *folder)
{
	char *path = sat_xasprintf("%s/" NOTE, folder);
	sat_json *doc = NULL;
	sat_buf b = { 0 };
	bool ok = sat_file_read(&b, path, NOTE_MAX, NULL) == SAT_OK &&
	    sat_json_parse(&doc, sat_buf_span(&b), NOTE_MAX, NULL) == SAT_OK;

	if (ok) {
		s->lsn = (uint64_t)sat_json_get_int(doc, "lsn", 0);
		ok = sat_time_parse(&s->at_ms, sat_json_get_str(doc, "at", ""),
		    0);
	}
	sat_json_free(doc);
	sat_buf_fini(&b);
	free(path);
	return ok;
}

static sat_rc
write_note(const char *folder, const snapshot *s, sat_err *e)
{
	char *path = sat_xasprintf("%s/" NOTE, folder);
	sat_json *doc = sat_json_obj();
	sat_buf b = { 0 };
	sat_rc rc;

	sat_json_put_time(doc, "at", s->at_ms);
	sat_json_put_int(doc, "lsn", (int64_t)s->lsn);
	sat_json_write(&b, doc, true);
	rc = sat_file_write(path, sat_buf_span(&b), 0600, e);
	sat_buf_fini(&b);
	sat_json_free(doc);
	free(path);
	return rc;
}

static void
put_row(sat_json *row, const sat_admin *a, const char *name, const snapshot *s,
    const char *folder)
{
	int64_t age = sat_wall_ms(&a->clock) - s->at_ms;

	sat_json_put_str(row, "snapshot", name);
	sat_json_put_time(row, "at", s->at_ms);
	sat_json_put_int(row, "age_s", age > 0 ? age / 1000 : 0);
	sat_json_put_int(row, "lsn", (int64_t)s->lsn);
	sat_json_put_int(row, "bytes", sat_folder_bytes(folder));
	sat_json_put_str(row, "folder", folder);
}

/* ---- make --------------------------------------------------------------------------- */

/* 2026-11-22T14:20:05Z as 20261122T142005Z; a second one of that second has -2
 * behind it. */
static char *
name_of(const sat_admin *a, int64_t at_ms)
{
	char when[32], name[40];
	size_t n = 0;

	sat_time_rfc3339(when, at_ms);
	for (const char *p = when; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			when[n++] = *p;
	when[n] = '\0';
	(void)snprintf(name, sizeof name, "%s", when);
	for (int i = 2; i < 100; i++) {
		char *path = path_of(a, name);
		bool taken = sat_file_there(path);

		free(path);
		if (!taken)
			break;
		(void)snprintf(name, sizeof name, "%s-%d", when, i);
	}
	return sat_xstrdup(name);
}

/* Nobody's server stops for want of space because of a copy. */
sat_rc
admin_copy_space(const char *dir, int64_t bytes, sat_err *e)
{
	int64_t need = bytes * 3 / 2;

	return admin_free_bytes(dir) > need ? SAT_OK :
	    sat_fail_code(e, SAT_ENOSPACE, "snapshot.space",
	        "satcheld snapshot prune makes room; satcheld backup FOLDER "
	        "copies to another disk",
	        "no room for a copy: it needs %lld MB free beside the database",
	        (long long)(need >> 20) + 1);
}

typedef struct making {
	sat_admin *a;
	snapshot s;
} making;

static sat_rc
make_into(void *u, const char *folder, sat_err *e)
{
	making *m = u;
	sat_rc rc = admin_copy_all(&m->s.lsn, m->a, folder, e);

	return rc == SAT_OK ? write_note(folder, &m->s, e) : rc;
}

static sat_rc
make(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *top = sat_sqlite_snapshots_folder(a->store);
	making m = { .a = a, .s.at_ms = sat_wall_ms(&a->clock) };
	char *name, *folder;
	sat_json *doc;
	sat_rc rc;

	if ((rc = admin_copy_space(a->dir, admin_file_bytes(a,
	    "server.db"), e)) != SAT_OK ||
	    (!sat_file_there(top) && (rc = sat_folder_make(top, e)) != SAT_OK))
		return rc;
	name = name_of(a, m.s.at_ms);
	folder = path_of(a, name);
	rc = admin_new_folder(folder, make_into, &m,
	    N_("half of a snapshot stayed: satcheld snapshot prune takes it "
	    "away"), e);
	if (rc == SAT_OK) {
		doc = sat_json_obj();
		sat_json_put_str(doc, "schema", "satcheld/snapshot.make/1");
		put_row(doc, a, name, &m.s, folder);
		admin_print(out, w, doc, NULL);
		sat_json_free(doc);
	}
	free(folder);
	free(name);
	return rc;
}

/* ---- list, prune ---------------------------------------------------------------------- */

static sat_rc
list(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "snapshot", "at", "age_s", "lsn",
		"bytes", "folder", NULL };
	sat_json *doc = sat_json_obj(), *rows;
	sat_buf names = { 0 };
	sat_rc rc = sat_folder_names(&names,
	    sat_sqlite_snapshots_folder(a->store), e);

	sat_json_put_str(doc, "schema", "satcheld/snapshot.list/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; rc == SAT_OK && i < names.n;) {
		const char *name = (const char *)names.p + i;
		char *folder = path_of(a, name);
		snapshot s;

		if (read_note(&s, folder))
			put_row(sat_json_add_obj(rows), a, name, &s, folder);
		free(folder);
		i += strlen(name) + 1;
	}
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_buf_fini(&names);
	sat_json_free(doc);
	return rc;
}

typedef struct pruning {
	int64_t keep, whole; /* how many may stay, how many there are */
	int64_t removed, kept, bytes;
} pruning;

/* Oldest first, as their names stand; halves always go. */
static sat_rc
prune_one(pruning *p, const char *folder, sat_err *e)
{
	snapshot s;
	bool whole = read_note(&s, folder);
	int64_t bytes;
	sat_rc rc;

	if (whole && p->whole-- <= p->keep) {
		p->kept++;
		return SAT_OK;
	}
	bytes = sat_folder_bytes(folder);
	if ((rc = sat_folder_clear(folder, e)) == SAT_OK) {
		p->removed++;
		p->bytes += bytes;
	}
	return rc;
}

static void
count_whole(pruning *p, const char *folder)
{
	snapshot s;

	p->whole += read_note(&s, folder);
}

/* Both walks over the folders: count, then prune. */
static sat_rc
walk(pruning *p, const sat_admin *a, bool prunes, sat_err *e)
{
	sat_buf names = { 0 };
	sat_rc rc = sat_folder_names(&names,
	    sat_sqlite_snapshots_folder(a->store), e);

	for (size_t i = 0; rc == SAT_OK && i < names.n;) {
		const char *name = (const char *)names.p + i;
		char *folder = path_of(a, name);

		if (prunes)
			rc = prune_one(p, folder, e);
		else
			count_whole(p, folder);
		free(folder);
		i += strlen(name) + 1;
	}
	sat_buf_fini(&names);
	return rc;
}

static sat_rc
prune(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	pruning p = { 0 };
	sat_json *doc;
	sat_rc rc = sat_args_int(&p.keep, w, "keep", KEPT, e);

	if (rc == SAT_OK && (p.keep < 0 || p.keep > KEPT_MAX))
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.option", "0 to 1000",
		    "--keep %lld is no number of snapshots", (long long)p.keep);
	if (rc != SAT_OK || (rc = walk(&p, a, false, e)) != SAT_OK ||
	    (rc = walk(&p, a, true, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/snapshot.prune/1");
	sat_json_put_int(doc, "removed", p.removed);
	sat_json_put_int(doc, "kept", p.kept);
	sat_json_put_int(doc, "bytes", p.bytes);
	admin_print(out, w, doc, NULL);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_snapshot_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "list";

	if (strcmp(verb, "make") == 0)
		return make(a, w, out, e);
	if (strcmp(verb, "list") == 0)
		return list(a, w, out, e);
	if (strcmp(verb, "prune") == 0)
		return prune(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld snapshot make | list | prune [--keep N]");
}
