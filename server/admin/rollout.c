/*
 * Rollout: some devices try a template before the others, all follow, or all
 * go back. There is one line of commits, never two: `canary` is the newest,
 * `published` is what everybody has, and going back is a step forward to a
 * commit that says what the earlier one said (P-233). So every device finds
 * that what it is given descends from what it has.
 */
#include "server/admin/admin_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who tries a commit stands in its message: signed with it, and on every device
 * of the ring. So a server that is restored from before the pilot knows the
 * ring as soon as one of them brings the commit back (P-321). */
#define RING_LINE "Satchel-Pilot"

static bool
oid_same(const sat_oid *a, const sat_oid *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool
admin_pilot(const sat_admin *a)
{
	return !oid_same(&a->canary, &a->tip);
}

/* ---- who is due what ----------------------------------------------------------- */

static bool
listed(const uint32_t *of, size_t n, uint32_t ord)
{
	for (size_t i = 0; i < n; i++)
		if (of[i] == ord)
			return true;
	return false;
}

static bool
in_ring(const admin_ring *r, uint32_t device, uint32_t team)
{
	return listed(r->devices, r->ndevices, device) ||
	    (team != 0 && listed(r->teams, r->nteams, team));
}

void
admin_template_due(void *u, uint8_t oid[20], uint32_t device, uint32_t team,
    const uint8_t have[20])
{
	sat_admin *a = u;
	sat_oid had;
	bool on = false;

	memcpy(oid, a->tip.b, 20);
	if (!admin_pilot(a))
		return;
	if (in_ring(&a->ring, device, team)) {
		memcpy(oid, a->canary.b, 20);
		return;
	}
	/* Who was in the ring keeps what he has until the others catch up: no
	 * device goes back to an older commit (P-232). */
	memcpy(had.b, have, sizeof had.b);
	if (!oid_same(&had, &a->tip) && sat_git_descends(&on, a->git, &had,
	    &a->tip, NULL) == SAT_OK && on)
		memcpy(oid, had.b, 20);
}

uint64_t
admin_template_rev(void *u)
{
	return ((const sat_admin *)u)->template_rev;
}

/* ---- the ring ---------------------------------------------------------------------- */

typedef struct finding_device {
	uint32_t ord;
	bool found;
} finding_device;

static bool
is_device(void *u, const sat_sqlite_device *d)
{
	finding_device *f = u;

	f->found = d->ord == f->ord && !d->revoked;
	return !f->found;
}

static sat_rc
ring_add(admin_ring *r, sat_admin *a, const char *name, bool lenient,
    sat_err *e)
{
	const sat_team *t = sat_registry_team(sat_server_registry(a->core), name);
	finding_device f = { 0 };
	char *end;
	sat_rc rc = SAT_OK;

	if (r->nteams == RING_MAX || r->ndevices == RING_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.canary", NULL,
		    "at most %d devices and teams in a pilot", RING_MAX);
	if (isdigit((unsigned char)name[0])) {
		f.ord = (uint32_t)strtoul(name, &end, 10);
		if (*end == '\0' && (rc = sat_sqlite_devices(a->store, is_device,
		    &f, e)) != SAT_OK)
			return rc;
	}
	if (f.found)
		r->devices[r->ndevices++] = f.ord;
	else if (t != NULL)
		r->teams[r->nteams++] = t->ord;
	else if (!lenient)
		return sat_fail_code(e, SAT_ENOTFOUND, "ring.unknown",
		    "see: satcheld device list, satcheld team list",
		    "'%.60s' is neither a device's number nor a team", name);
	return SAT_OK;
}

/* Lenient: a device of the list may have been revoked since. */
static sat_rc
ring_parse(admin_ring *r, sat_admin *a, const char *list, bool lenient,
    sat_err *e)
{
	char *copy = sat_xstrdup(list), *save = NULL;
	sat_rc rc = SAT_OK;

	*r = (admin_ring){ .ndevices = 0 };
	for (char *name = strtok_r(copy, ", ", &save);
	     name != NULL && rc == SAT_OK; name = strtok_r(NULL, ", ", &save))
		rc = ring_add(r, a, name, lenient, e);
	free(copy);
	if (rc == SAT_OK && !lenient && r->ndevices + r->nteams == 0)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.canary", NULL,
		    "--canary needs the number of a device or a team");
	return rc;
}

/* The ring a commit names; SAT_ENOTFOUND: it is for all. */
static sat_rc
ring_of(admin_ring *r, sat_admin *a, const sat_oid *oid, sat_err *e)
{
	sat_buf b = { 0 };
	sat_rc rc = sat_git_commit_trailer(&b, a->git, oid, RING_LINE, NULL);

	if (rc == SAT_OK)
		rc = ring_parse(r, a, sat_buf_cstr(&b), true, e);
	sat_buf_fini(&b);
	return rc;
}

sat_rc
admin_rollout_load(sat_admin *a, sat_err *e)
{
	bool on = false;
	sat_oid oid;
	sat_rc rc;

	if (sat_git_tip(&oid, a->git, SAT_ADMIN_CANARY, NULL) == SAT_OK &&
	    sat_git_descends(&on, a->git, &oid, &a->tip, NULL) == SAT_OK && on)
		a->canary = oid;
	a->ring = (admin_ring){ .ndevices = 0 };
	if (!admin_pilot(a))
		return SAT_OK;
	rc = ring_of(&a->ring, a, &a->canary, e);
	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

/* The branch `canary` at the newest commit: it exists from the first pilot on. */
static sat_rc
canary_at_head(sat_admin *a, sat_err *e)
{
	sat_oid at;

	if (sat_git_tip(&at, a->git, SAT_ADMIN_CANARY, NULL) != SAT_OK)
		return sat_git_branch_set(a->git, SAT_ADMIN_CANARY, &a->canary, e);
	if (oid_same(&at, &a->canary))
		return SAT_OK;
	return sat_git_branch_move(a->git, SAT_ADMIN_CANARY, &at, &a->canary, e);
}

/* The newest commit from `tip` back to what is published here that was for
 * all. */
static sat_rc
last_for_all(sat_oid *out, sat_admin *a, const sat_oid *tip, sat_err *e)
{
	sat_git_info info;
	admin_ring r;
	sat_rc rc = SAT_OK;

	*out = *tip;
	while (!oid_same(out, &a->tip)) {
		if ((rc = ring_of(&r, a, out, e)) == SAT_ENOTFOUND)
			return SAT_OK;
		if (rc != SAT_OK || (rc = sat_git_commit_info(&info, a->git,
		    out, NULL, 0, e)) != SAT_OK)
			return rc;
		if (info.nparents == 0)
			return sat_fail(e, SAT_EINTEGRITY,
			    "a pilot's template descends from nothing");
		*out = info.parents[0];
	}
	return rc;
}

sat_rc
admin_rollout_take(sat_admin *a, const sat_oid *tip, sat_err *e)
{
	sat_oid all;
	bool on = false;
	sat_rc rc;

	if ((rc = sat_git_descends(&on, a->git, tip, &a->canary, e)) != SAT_OK)
		return rc;
	if (!on)
		return sat_fail(e, SAT_EDENIED,
		    "a device's template is not newer than ours");
	if (oid_same(tip, &a->canary))
		return SAT_OK;
	if ((rc = last_for_all(&all, a, tip, e)) != SAT_OK ||
	    (!oid_same(&all, &a->tip) && (rc = sat_git_branch_move(a->git,
	    SAT_ADMIN_BRANCH, &a->tip, &all, e)) != SAT_OK))
		return rc;
	a->tip = all;
	a->canary = *tip;
	a->template_rev++;
	if ((rc = canary_at_head(a, e)) != SAT_OK)
		return rc;
	return admin_rollout_load(a, e);
}

/* ---- forward --------------------------------------------------------------------------- */

/* A kind of record that others could not even keep goes to all at once (P-231). */
static sat_rc
same_kinds(sat_admin *a, const sat_layer *l, sat_err *e)
{
	const sat_template *was = admin_template_at(a, a->tip.b);
	sat_template *next = NULL;
	sat_rc rc = sat_template_load(&next, l->files, l->n, e);

	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(next); i++) {
		const sat_kind *k = sat_template_kind_at(next, i);

		if (was != NULL && sat_template_kind_id(was, k->id) == NULL)
			rc = sat_fail_code(e, SAT_EINVALID, "template.pilot_kind",
			    "publish the kind to all, without rights to it, first",
			    "fields/%s.json: a pilot brings no new kind of record",
			    k->key);
	}
	sat_template_free(next);
	return rc;
}

/* A commit of the pilot's line: of these files, or of those it has (l NULL).
 * ring NULL: for all. */
static sat_rc
commit_on(sat_admin *a, const sat_layer *l, const char *message,
    const char *ring, sat_oid *out, sat_err *e)
{
	char *text = ring == NULL ? sat_xstrdup(message) :
	    sat_xasprintf("%s\n\n" RING_LINE ": %s", message, ring);
	sat_rc rc;

	*out = a->canary;
	rc = canary_at_head(a, e);
	if (rc == SAT_OK && l != NULL)
		rc = admin_commit(a, SAT_ADMIN_CANARY, l, "administrator", text,
		    out, e);
	if (rc == SAT_OK && oid_same(out, &a->canary))
		rc = admin_commit_same(a, SAT_ADMIN_CANARY, "administrator",
		    text, out, e);
	if (rc == SAT_OK) {
		a->canary = *out;
		a->template_rev++;
	}
	free(text);
	return rc;
}

static sat_rc
try_first(sat_admin *a, const sat_layer *l, const char *message,
    const char *list, sat_oid *out, sat_err *e)
{
	admin_ring r;
	sat_rc rc;

	if ((rc = ring_parse(&r, a, list, false, e)) != SAT_OK ||
	    (rc = admin_admit(a, l, &a->canary, NULL, e)) != SAT_OK ||
	    (rc = same_kinds(a, l, e)) != SAT_OK ||
	    (rc = commit_on(a, l, message, list, out, e)) != SAT_OK)
		return rc;
	a->ring = r;
	return SAT_OK;
}

/* What the pilot has becomes everybody's. */
static sat_rc
give_to_all(sat_admin *a, sat_err *e)
{
	sat_rc rc = sat_git_branch_move(a->git, SAT_ADMIN_BRANCH, &a->tip,
	    &a->canary, e);

	if (rc != SAT_OK)
		return rc;
	a->tip = a->canary;
	a->ring = (admin_ring){ .ndevices = 0 };
	a->template_rev++;
	return SAT_OK;
}

static void
say_rev(sat_buf *out, const sat_args *w, const char *schema,
    const sat_admin *a, const sat_oid *oid, const sat_json *warnings)
{
	char hex[SAT_GIT_OID_HEX + 1];
	sat_json *doc = sat_json_obj();
	const sat_json *n = sat_json_first(warnings);

	sat_oid_hex(hex, oid);
	sat_json_put_str(doc, "schema", schema);
	sat_json_put_str(doc, "rev", hex);
	sat_json_put_str(doc, "state", oid_same(oid, &a->tip) ? "published" :
	    "canary");
	if (n != NULL)
		sat_json_put(doc, "warnings", sat_json_dup(warnings));
	admin_print(out, w, doc, NULL);
	for (; n != NULL && !sat_args_has(w, "json"); n = sat_json_next(n))
		sat_buf_fmt(out, "warning\t%s\n", sat_json_str(n, ""));
	sat_json_free(doc);
}

static sat_rc
publish_folder(sat_admin *a, const sat_args *w, sat_oid *oid, sat_err *e)
{
	const char *message = sat_args_get(w, "message");
	const char *list = sat_args_get(w, "canary");
	sat_arena mem = { 0 };
	sat_layer l;
	sat_rc rc;

	if (message == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld template publish DIR -m MESSAGE "
		    "[--canary DEV,TEAM,...]");
	if ((rc = admin_layer_folder(&l, &mem, w->arg[2], e)) == SAT_OK)
		rc = list != NULL ?
		    try_first(a, &l, message, list, oid, e) :
		    admin_publish(a, &l, "administrator", message, oid, e);
	sat_arena_fini(&mem);
	return rc;
}

/* The same files again, with another word on who has them; list NULL: all. */
static sat_rc
publish_again(sat_admin *a, const char *list, sat_oid *oid, sat_err *e)
{
	const char *message = list != NULL ? "tried by others" :
	    "what was tried, for all";
	admin_ring r = { .ndevices = 0 };
	sat_rc rc;

	if (list != NULL && (rc = ring_parse(&r, a, list, false, e)) != SAT_OK)
		return rc;
	if ((rc = commit_on(a, NULL, message, list, oid, e)) != SAT_OK)
		return rc;
	a->ring = r;
	return list == NULL ? give_to_all(a, e) : SAT_OK;
}

/* A revision that is there already: the pilot's, to all or to another ring. */
static sat_rc
publish_revision(sat_admin *a, const sat_args *w, sat_oid *oid, sat_err *e)
{
	if (!admin_pilot(a) || !oid_same(oid, &a->canary))
		return sat_fail_code(e, SAT_ECONFLICT, "template.not_canary",
		    "satcheld template rollback REV goes back to an earlier one",
		    "only what a pilot tries can be given to others");
	return publish_again(a, sat_args_get(w, "canary"), oid, e);
}

static sat_rc
publish(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *what = w->nargs > 2 ? w->arg[2] : NULL;
	sat_oid oid;
	sat_rc rc;

	if (what == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld template publish DIR|REV -m MESSAGE "
		    "[--canary DEV,TEAM,...]");
	if (strcmp(what, "canary") == 0 || sat_oid_parse(&oid, what)) {
		if ((rc = admin_revision(&oid, a, what, e)) == SAT_OK)
			rc = publish_revision(a, w, &oid, e);
	} else {
		rc = publish_folder(a, w, &oid, e);
	}
	if (rc == SAT_OK)
		say_rev(out, w, "satcheld/template.publish/1", a, &oid, NULL);
	return rc;
}

/* ---- back ------------------------------------------------------------------------------- */

static sat_rc
back_to(sat_layer *l, sat_arena *mem, sat_admin *a, const sat_oid *to,
    sat_err *e)
{
	sat_layer now, then;
	bool on = false;
	sat_rc rc;

	if ((rc = sat_git_descends(&on, a->git, &a->canary, to, e)) != SAT_OK)
		return rc;
	if (!on || oid_same(to, &a->canary))
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "see: satcheld template list",
		    "there is no such earlier revision to go back to");
	if ((rc = admin_layer_of(&now, mem, a->git, &a->canary, e)) == SAT_OK &&
	    (rc = admin_layer_of(&then, mem, a->git, to, e)) == SAT_OK)
		rc = sat_layer_back(l, mem, &now, &then, e);
	return rc;
}

/* Everybody gets it, the pilot too: it goes on from what the pilot has. What the
 * lint of now has against it is added to `told`. */
static sat_rc
commit_back(sat_admin *a, const sat_layer *l, const char *message,
    sat_oid *oid, sat_json *told, sat_err *e)
{
	sat_rc rc = admin_admit(a, l, &a->canary, told, e);

	if (rc != SAT_OK)
		return rc;
	if (admin_pilot(a))
		return (rc = commit_on(a, l, message, NULL, oid, e)) == SAT_OK ?
		    give_to_all(a, e) : rc;
	if ((rc = admin_commit(a, SAT_ADMIN_BRANCH, l, "administrator",
	    message, oid, e)) == SAT_OK)
		a->tip = a->canary = *oid;
	return rc;
}

static sat_rc
rollback(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *why = sat_args_get(w, "message");
	char hex[SAT_GIT_OID_HEX + 1];
	sat_json *told = NULL;
	sat_arena mem = { 0 };
	char *message;
	sat_layer l;
	sat_oid to, oid;
	sat_rc rc;

	if (w->nargs < 3)
		return sat_fail_code(e, SAT_EUSAGE, "usage", NULL,
		    "usage: satcheld template rollback REV [-m MESSAGE]");
	if ((rc = admin_revision(&to, a, w->arg[2], e)) != SAT_OK ||
	    (rc = back_to(&l, &mem, a, &to, e)) != SAT_OK)
		goto out;
	sat_oid_hex(hex, &to);
	message = sat_xasprintf("rollback to %s%s%s", hex,
	    why != NULL ? ": " : "", why != NULL ? why : "");
	told = sat_json_arr();
	rc = commit_back(a, &l, message, &oid, told, e);
	free(message);
	if (rc == SAT_OK)
		say_rev(out, w, "satcheld/template.rollback/1", a, &oid, told);
out:
	sat_json_free(told);
	sat_arena_fini(&mem);
	return rc;
}

/* ---- which device runs what --------------------------------------------------------------- */

typedef struct status_rows {
	sat_admin *a;
	sat_json *rows;
} status_rows;

static bool
status_row(void *u, const sat_sqlite_device *d)
{
	status_rows *c = u;
	const sat_registry *reg = sat_server_registry(c->a->core);
	const sat_user *who = sat_registry_user_ord(reg, d->user);
	const sat_team *t = who == NULL ? NULL :
	    sat_registry_team_ord(reg, who->team);
	uint32_t team = t != NULL ? t->ord : 0;
	char hex[SAT_GIT_OID_HEX + 1];
	sat_oid has = { { 0 } }, due;
	sat_json *row;

	if (d->revoked)
		return true;
	row = sat_json_add_obj(c->rows);
	if (d->template_oid.n == sizeof has.b)
		memcpy(has.b, d->template_oid.p, sizeof has.b);
	admin_template_due(c->a, due.b, d->ord, team, has.b);
	sat_json_put_int(row, "device", d->ord);
	sat_json_put_str(row, "user", who != NULL ? who->key : NULL);
	sat_json_put_str(row, "team", t != NULL ? t->key : NULL);
	sat_json_put_bool(row, "ring", admin_pilot(c->a) &&
	    in_ring(&c->a->ring, d->ord, team));
	sat_oid_hex(hex, &has);
	sat_json_put_str(row, "rev", d->template_oid.n == 0 ? NULL : hex);
	sat_oid_hex(hex, &due);
	sat_json_put_str(row, "due", hex);
	sat_json_put_str(row, "state", d->template_oid.n == 0 ? "unknown" :
	    oid_same(&has, &due) ? "current" : "behind");
	return true;
}

static void
put_ring(sat_json *arr, const sat_admin *a)
{
	const sat_registry *reg = sat_server_registry(a->core);
	char number[16];

	for (size_t i = 0; i < a->ring.ndevices; i++) {
		(void)snprintf(number, sizeof number, "%u", a->ring.devices[i]);
		sat_json_add_str(arr, number);
	}
	for (size_t i = 0; i < a->ring.nteams; i++) {
		const sat_team *t = sat_registry_team_ord(reg, a->ring.teams[i]);

		if (t != NULL)
			sat_json_add_str(arr, t->key);
	}
}

static sat_rc
status(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	static const char *const cols[] = { "device", "user", "team", "ring",
		"state", "rev", "due", NULL };
	char hex[SAT_GIT_OID_HEX + 1];
	status_rows c = { .a = a };
	sat_json *doc;
	sat_rc rc;

	if ((rc = sat_server_settle(a->core, e)) != SAT_OK)
		return rc;
	doc = sat_json_obj();
	sat_json_put_str(doc, "schema", "satcheld/template.status/1");
	sat_oid_hex(hex, &a->tip);
	sat_json_put_str(doc, "published", hex);
	sat_oid_hex(hex, &a->canary);
	sat_json_put_str(doc, "canary", admin_pilot(a) ? hex : NULL);
	put_ring(sat_json_put_arr(doc, "ring"), a);
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_sqlite_devices(a->store, status_row, &c, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	sat_json_free(doc);
	return rc;
}

sat_rc
admin_rollout_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	if (strcmp(w->arg[1], "publish") == 0)
		return publish(a, w, out, e);
	if (strcmp(w->arg[1], "rollback") == 0)
		return rollback(a, w, out, e);
	return status(a, w, out, e);
}
