/*
 * The layers of a template (requirements §4.2): base and industry pack come
 * with the program, the company's own changes are what is published. The pack
 * as it was last taken is a branch of its own; a newer one is merged with the
 * company's changes place by place, or not at all.
 */
#include "server/admin/admin_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 60 /* bytes of a value in a listing */

static const char *
pack_name(const sat_layer *l)
{
	static char name[48];
	sat_json *doc;
	sat_err e;

	(void)snprintf(name, sizeof name, "base");
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->files[i].path, "template.json") != 0 ||
		    sat_json_parse(&doc, l->files[i].bytes, 0, &e) != SAT_OK)
			continue;
		(void)snprintf(name, sizeof name, "%s",
		    sat_json_get_str(doc, "id", "base"));
		sat_json_free(doc);
	}
	return name;
}

sat_rc
admin_layers_first(sat_admin *a, const char *pack, const char *author,
    sat_err *e)
{
	sat_arena mem = { 0 };
	char message[120];
	sat_layer l;
	sat_oid oid;
	sat_rc rc = sat_template_of_pack(&l, &mem, pack, e);

	(void)snprintf(message, sizeof message, "%.40s template of this release",
	    pack != NULL ? pack : "base");
	if (rc == SAT_OK && (rc = admin_publish(a, &l, author, message, &oid,
	    e)) == SAT_OK)
		rc = admin_commit(a, SAT_ADMIN_UPSTREAM, &l, author, message,
		    &oid, e);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- listings ------------------------------------------------------------------- */

static void
put_value(sat_json *row, const char *key, const sat_json *v)
{
	sat_buf b = { 0 };

	if (v == NULL) {
		sat_json_put_str(row, key, NULL);
		return;
	}
	sat_json_write(&b, v, false);
	if (b.n > SHOWN_MAX) { /* cut between characters */
		size_t n = SHOWN_MAX;

		while (n > 0 && (b.p[n] & 0xc0) == 0x80)
			n--;
		b.n = n;
		sat_buf_str(&b, "...");
	}
	sat_json_put_strn(row, key, sat_buf_span(&b));
	sat_buf_fini(&b);
}

static bool
row_of(void *u, const sat_layer_conflict *c)
{
	sat_json *row = sat_json_add_obj(u);

	sat_json_put_str(row, "doc", c->doc);
	sat_json_put_str(row, "place", c->place);
	put_value(row, "ours", c->ours);
	put_value(row, "theirs", c->theirs);
	return true;
}

static const char *const places[] = { "doc", "place", "ours", "theirs", NULL };

static sat_rc
packs_verb(const sat_args *w, sat_buf *out)
{
	static const char *const cols[] = { "id", "version", "zh", "en", NULL };
	sat_json *doc = sat_json_obj(), *rows, *head, *row;
	const sat_pack *p;
	sat_err e;

	sat_json_put_str(doc, "schema", "satcheld/template.packs/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; (p = sat_template_pack_at(i)) != NULL; i++)
		for (size_t k = 0; k < p->over.n; k++) {
			if (strcmp(p->over.files[k].path, "template.json") != 0 ||
			    sat_json_parse(&head, p->over.files[k].bytes, 0,
			        &e) != SAT_OK)
				continue;
			row = sat_json_add_obj(rows);
			sat_json_put_str(row, "id", p->id);
			sat_json_put_str(row, "version",
			    sat_json_get_str(head, "version", ""));
			sat_json_put_str(row, "zh", sat_json_get_str(
			    sat_json_get(head, "name"), "zh", ""));
			sat_json_put_str(row, "en", sat_json_get_str(
			    sat_json_get(head, "name"), "en", ""));
			sat_json_free(head);
		}
	admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return SAT_OK;
}

sat_rc
admin_revision(sat_oid *oid, sat_admin *a, const char *rev, sat_err *e)
{
	if (strcmp(rev, "published") == 0)
		*oid = a->tip;
	else if (strcmp(rev, "canary") == 0)
		*oid = a->canary;
	else if (strcmp(rev, "upstream") == 0)
		return sat_git_tip(oid, a->git, SAT_ADMIN_UPSTREAM, e);
	else if (!sat_oid_parse(oid, rev))
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satcheld template list", "a revision is 40 hex "
		    "digits, published, canary or upstream");
	return SAT_OK;
}

static sat_rc
revision(sat_layer *l, sat_arena *mem, sat_admin *a, const char *rev,
    sat_err *e)
{
	sat_oid oid;
	sat_rc rc = admin_revision(&oid, a, rev, e);

	return rc == SAT_OK ? admin_layer_of(l, mem, a->git, &oid, e) : rc;
}

static sat_rc
diff_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_json *doc = sat_json_obj(), *rows;
	sat_layer l[2];
	sat_rc rc = SAT_OK;

	if (w->nargs < 4)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld template diff REV REV");
	sat_json_put_str(doc, "schema", "satcheld/template.diff/1");
	rows = sat_json_put_arr(doc, "data");
	for (size_t i = 0; i < 2 && rc == SAT_OK; i++)
		rc = revision(&l[i], &mem, a, w->arg[2 + i], e);
	if (rc == SAT_OK)
		rc = sat_layer_diff(&l[0], &l[1], row_of, rows, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, places);
	sat_json_free(doc);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- a newer pack ------------------------------------------------------------------ */

typedef struct updating {
	const sat_args *w;
	sat_json *open; /* conflicts nobody decided */
} updating;

/* --take ours:DOC:PLACE; DOC alone: every place of it. */
static sat_take
decide(void *u, const sat_layer_conflict *c)
{
	updating *g = u;
	const char *take;
	size_t i = 0;

	while ((take = sat_args_next(g->w, "take", &i)) != NULL) {
		bool ours = strncmp(take, "ours:", 5) == 0;
		const char *at = strchr(take, ':');
		size_t n = strlen(c->doc);

		if (at == NULL || strncmp(at + 1, c->doc, n) != 0 ||
		    (at[1 + n] != '\0' && (at[1 + n] != ':' ||
		    strcmp(at + 2 + n, c->place) != 0)))
			continue;
		return ours ? SAT_TAKE_OURS : SAT_TAKE_THEIRS;
	}
	(void)row_of(g->open, c);
	return SAT_TAKE_NEITHER;
}

static sat_rc
check_takes(const sat_args *w, sat_err *e)
{
	const char *take;
	size_t i = 0;

	while ((take = sat_args_next(w, "take", &i)) != NULL)
		if (strncmp(take, "ours:", 5) != 0 &&
		    strncmp(take, "theirs:", 7) != 0)
			return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
			    "--take is ours:DOC:PLACE or theirs:DOC:PLACE, not "
			    "'%.60s'", take);
	return SAT_OK;
}

/* The pack as it is delivered now: with this program, or in a folder that is
 * laid over the base. */
static sat_rc
delivered(sat_layer *out, sat_arena *mem, const sat_args *w,
    const sat_layer *taken, sat_err *e)
{
	const char *from = sat_args_get(w, "from");
	sat_layer base, over;
	sat_rc rc;

	if (from == NULL)
		return sat_template_of_pack(out, mem, pack_name(taken), e);
	base.files = sat_template_base(&base.n);
	rc = admin_layer_folder(&over, mem, from, e);
	return rc == SAT_OK ? sat_layer_overlay(out, mem, &base, &over, e) : rc;
}

/* Publish what came out, and remember what was taken. */
static sat_rc
take_over(sat_admin *a, const sat_args *w, const sat_layer *merged,
    const sat_layer *pack, sat_json *doc, sat_err *e)
{
	const char *message = sat_args_get(w, "message");
	char hex[SAT_GIT_OID_HEX + 1];
	sat_oid oid, up;
	sat_rc rc;

	if (message == NULL)
		message = "take the newer pack";
	if ((rc = admin_publish(a, merged, "administrator", message, &oid,
	    e)) != SAT_OK ||
	    (rc = admin_commit(a, SAT_ADMIN_UPSTREAM, pack, "administrator",
	         message, &up, e)) != SAT_OK)
		return rc;
	sat_oid_hex(hex, &oid);
	sat_json_put_str(doc, "rev", hex);
	return SAT_OK;
}

static sat_rc
update_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_json *doc = sat_json_obj(), *rows;
	sat_layer taken, ours, theirs, merged = { NULL, 0 };
	updating g = { .w = w, .open = sat_json_arr() };
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/template.update/1");
	if ((rc = check_takes(w, e)) == SAT_OK &&
	    (rc = revision(&taken, &mem, a, "upstream", e)) == SAT_OK &&
	    (rc = admin_layer_of(&ours, &mem, a->git, &a->tip, e)) == SAT_OK &&
	    (rc = delivered(&theirs, &mem, w, &taken, e)) == SAT_OK)
		rc = sat_layer_merge(&merged, &mem, &taken, &ours, &theirs,
		    decide, &g, e);
	if (rc == SAT_ECONFLICT) {
		sat_json_put(doc, "data", g.open);
		admin_print(out, w, doc, places);
		goto out;
	}
	sat_json_free(g.open);
	rows = sat_json_put_arr(doc, "data");
	if (rc == SAT_OK)
		rc = sat_layer_diff(&ours, &merged, row_of, rows, e);
	if (rc == SAT_OK && !sat_args_has(w, "dry-run"))
		rc = take_over(a, w, &merged, &theirs, doc, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, places);
out:
	sat_json_free(doc);
	sat_arena_fini(&mem);
	return rc;
}

sat_rc
admin_layers_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "";

	if (strcmp(verb, "packs") == 0)
		return packs_verb(w, out);
	if (strcmp(verb, "update") == 0)
		return update_verb(a, w, out, e);
	if (strcmp(verb, "diff") == 0)
		return diff_verb(a, w, out, e);
	return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
	    "usage: satcheld template list|publish|rollback|status|"
	    "verify|packs|update|diff");
}
