/*
 * Template history: the core asks for templates by commit id (every operation
 * names the one it was made under), devices get bundles, administrators
 * publish. A template that does not load, lint or follow never gets a commit.
 */
#include "server/admin/admin_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a longer one costs is little beside sending it. */
#define BUNDLE_KEPT_MAX (1024 * 1024)
/* Of a file in its folder, and of an object beside what it holds. */
#define ENTRY_BYTES 64

/* Files of a commit or of a folder, gathered. */
typedef struct tree {
	sat_template_file *files;
	size_t n, cap;
	sat_arena *mem;
} tree;

static void
tree_add(tree *t, const char *path, sat_span bytes)
{
	SAT_ARENA_GROW(t->files, t->n, t->cap, t->mem);
	t->files[t->n].path = sat_arena_str(t->mem, path, strlen(path));
	t->files[t->n].bytes = sat_span_of(
	    sat_arena_dup(t->mem, bytes.p, bytes.n), bytes.n);
	t->n++;
}

static int
tree_visit(void *u, const char *path, sat_span bytes)
{
	tree_add(u, path, bytes);
	return 0;
}

sat_rc
admin_layer_of(sat_layer *out, sat_arena *mem, sat_git *g, const sat_oid *oid,
    sat_err *e)
{
	tree t = { .mem = mem };
	sat_rc rc = sat_git_walk(g, oid, tree_visit, &t, e);

	*out = (sat_layer){ t.files, t.n };
	return rc;
}

static sat_rc
template_of_commit(sat_template **t, sat_git *g, const sat_oid *oid,
    sat_err *e)
{
	sat_arena mem = { 0 };
	sat_layer l;
	sat_rc rc = admin_layer_of(&l, &mem, g, oid, e);

	*t = NULL;
	if (rc == SAT_OK)
		rc = sat_template_load(t, l.files, l.n, e);
	sat_arena_fini(&mem);
	return rc;
}

/* A free place, or that of who was asked for longest ago. */
static size_t
template_place(sat_admin *a)
{
	size_t at = TEMPLATES_KEPT;

	if (a->ntemplates < TEMPLATES_KEPT)
		return a->ntemplates++;
	for (size_t i = 0; i < TEMPLATES_KEPT; i++)
		if (memcmp(&a->templates[i].oid, &a->tip, sizeof a->tip) != 0 &&
		    memcmp(&a->templates[i].oid, &a->canary,
		    sizeof a->canary) != 0 && (at == TEMPLATES_KEPT ||
		    a->templates[i].asked < a->templates[at].asked))
			at = i;
	sat_template_free(a->templates[at].t);
	return at;
}

const sat_template *
admin_template_at(void *u, const uint8_t oid[20])
{
	sat_admin *a = u;
	sat_template *t = NULL;
	sat_oid want;
	size_t i;

	memcpy(want.b, oid, sizeof want.b);
	for (i = 0; i < a->ntemplates; i++)
		if (memcmp(a->templates[i].oid.b, oid, 20) == 0) {
			a->templates[i].asked = ++a->nasked;
			return a->templates[i].t;
		}
	if (template_of_commit(&t, a->git, &want, NULL) != SAT_OK)
		return NULL;
	i = template_place(a);
	a->templates[i].oid = want;
	a->templates[i].t = t;
	a->templates[i].asked = ++a->nasked;
	return t;
}

void
admin_templates_free(sat_admin *a)
{
	for (size_t i = 0; i < a->ntemplates; i++)
		sat_template_free(a->templates[i].t);
	a->ntemplates = 0;
	for (size_t i = 0; i < BUNDLES_KEPT; i++)
		sat_buf_fini(&a->bundles[i].bytes);
}

void
admin_template_tip(void *u, uint8_t oid[20])
{
	memcpy(oid, ((const sat_admin *)u)->tip.b, 20);
}

int64_t
admin_lease_days(sat_admin *a, int32_t own)
{
	return own != 0 ? own :
	    sat_template_device(admin_template_at(a, a->tip.b)).lease_d;
}

/* Between two commits it is always the same, and reading it from the files of
 * the repository takes milliseconds while all devices wait. */
sat_rc
admin_template_bundle(void *u, sat_buf *out, uint8_t tip[20],
    const uint8_t have[20], sat_err *e)
{
	static const uint8_t none[20];
	sat_admin *a = u;
	sat_oid old, to, upto;
	size_t i;
	sat_buf *b;
	sat_rc rc;

	memcpy(old.b, have, sizeof old.b);
	memcpy(to.b, tip, sizeof to.b);
	for (i = 0; i < BUNDLES_KEPT; i++)
		if (a->bundles[i].bytes.n > 0 &&
		    memcmp(&a->bundles[i].have, &old, sizeof old) == 0 &&
		    memcmp(&a->bundles[i].tip, &to, sizeof to) == 0) {
			b = &a->bundles[i].bytes;
			sat_buf_add(out, b->p, b->n);
			return SAT_OK;
		}
	i = a->nbundles % BUNDLES_KEPT;
	b = &a->bundles[i].bytes;
	sat_buf_reset(b);
	upto = to;
	if ((rc = sat_git_bundle_part(b, a->git, &upto, memcmp(have, none,
	    sizeof none) == 0 ? NULL : &old, SAT_TEMPLATE_PART_MAX, e)) !=
	    SAT_OK) {
		sat_buf_fini(b);
		return rc;
	}
	sat_buf_add(out, b->p, b->n);
	memcpy(tip, upto.b, sizeof upto.b);
	/* a part is never kept: it is as long as one can be */
	if (b->n > BUNDLE_KEPT_MAX || memcmp(&upto, &to, sizeof to) != 0)
		sat_buf_fini(b);
	a->bundles[i].have = old;
	a->bundles[i].tip = to;
	a->nbundles++;
	return SAT_OK;
}

sat_rc
admin_object_put(void *u, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	return sat_git_put_checked(u, type, oid, data, e);
}

/* A backup may be older than the template devices work by. What a device
 * brings counts when our own key signed it and it goes on from our tip. */
sat_rc
admin_template_take(void *u, const uint8_t tip_bytes[20], sat_span bundle,
    sat_err *e)
{
	sat_admin *a = u;
	uint8_t allowed[1][SAT_SIGN_PK_BYTES];
	sat_git_info info;
	sat_oid tip;
	bool on = false;
	sat_rc rc;

	memcpy(tip.b, tip_bytes, sizeof tip.b);
	memcpy(allowed[0], a->keys.template_pk, sizeof allowed[0]);
	if ((rc = sat_git_unbundle(bundle, admin_object_put, a->git, e)) != SAT_OK ||
	    (rc = sat_git_verify_closure(a->git, &tip, e)) != SAT_OK ||
	    (rc = sat_git_commit_info(&info, a->git, &tip,
	    (const uint8_t (*)[SAT_SIGN_PK_BYTES])allowed, 1, e)) != SAT_OK ||
	    (rc = sat_git_descends(&on, a->git, &tip, &a->tip, e)) != SAT_OK)
		return rc;
	if (!info.signature_ok || !on)
		return sat_fail(e, SAT_EDENIED,
		    "a device's template is not ours or not newer");
	return admin_rollout_take(a, &tip, e);
}

static void
lint_finding(void *u, char severity, const char *path, const char *text)
{
	sat_buf_fmt(u, "%s: %s: %s\n", severity == 'e' ? "error" : "warning",
	    path, text);
}

static void
lint_told(void *u, char severity, const char *path, const char *text)
{
	char *line = sat_xasprintf("%s: %s", path, text);

	if (severity == 'e')
		sat_json_add_str(u, line);
	free(line);
}

/* A rule of the lint may be younger than what everybody has had before: to go
 * back to that it is told of, not refused. */
static sat_rc
lint(const sat_template *t, sat_json *told, sat_err *e)
{
	sat_buf said = { 0 };
	sat_rc rc;

	if (told != NULL) {
		rc = sat_template_lint(t, lint_told, told, NULL);
		return rc == SAT_EINVALID ? SAT_OK : rc;
	}
	rc = sat_template_lint(t, lint_finding, &said, e);
	if (rc != SAT_OK && said.n > 0 && e != NULL)
		(void)snprintf(e->hint, sizeof e->hint, "%s",
		    sat_buf_cstr(&said));
	sat_buf_fini(&said);
	return rc;
}

/* What one publish adds to the history: its new files, and at most all folders. */
static sat_rc
fits_answer(sat_admin *a, const sat_layer *l, const sat_oid *tip, sat_err *e)
{
	sat_arena mem = { 0 };
	sat_layer had = { 0 };
	const sat_template_file *largest = NULL;
	size_t bytes = 0, at = 0;
	sat_rc rc = SAT_OK;

	if (tip != NULL)
		rc = admin_layer_of(&had, &mem, a->git, tip, e);
	for (size_t i = 0; i < l->n && rc == SAT_OK; i++) {
		const sat_template_file *f = &l->files[i];

		bytes += strlen(f->path) + ENTRY_BYTES;
		for (at = 0; at < had.n; at++)
			if (strcmp(had.files[at].path, f->path) == 0)
				break;
		if (at < had.n && sat_span_eq(had.files[at].bytes, f->bytes))
			continue;
		bytes += f->bytes.n + ENTRY_BYTES;
		if (largest == NULL || f->bytes.n > largest->bytes.n)
			largest = f;
	}
	if (rc == SAT_OK && bytes > SAT_TEMPLATE_STEP_MAX && largest != NULL) {
		rc = sat_fail_code(e, SAT_EINVALID, "template.too_large", NULL,
		    "%zu KiB of the template are new, one publish can have "
		    "%d", bytes / 1024, SAT_TEMPLATE_STEP_MAX / 1024);
		sat_err_hint(e, "publish it in several steps; the largest is "
		    "%s, %zu KiB", largest->path, largest->bytes.n / 1024);
	}
	sat_arena_fini(&mem);
	return rc;
}

sat_rc
admin_admit(sat_admin *a, const sat_layer *l, const sat_oid *tip,
    sat_json *told, sat_err *e)
{
	sat_template *next = NULL;
	const sat_template *prev;
	sat_rc rc;

	if ((rc = sat_template_load(&next, l->files, l->n, e)) != SAT_OK)
		return rc;
	rc = lint(next, told, e);
	if (rc == SAT_OK && tip != NULL &&
	    (prev = admin_template_at(a, tip->b)) != NULL &&
	    (rc = sat_template_follows(next, prev, e)) == SAT_OK)
		rc = admin_keeps(a, next, prev, e);
	if (rc == SAT_OK)
		rc = fits_answer(a, l, tip, e);
	sat_template_free(next);
	return rc;
}

static sat_git_author
signer(const sat_admin *a, const char *name)
{
	return (sat_git_author){ .name = name, .email = "satcheld@satchel",
		.when_ms = sat_wall_ms(&a->clock),
		.sign_sk = a->keys.template_sk,
		.sign_pk = a->keys.template_pk };
}

sat_rc
admin_commit_same(sat_admin *a, const char *branch, const char *author,
    const char *message, sat_oid *out, sat_err *e)
{
	sat_git_author who = signer(a, author);

	return sat_git_commit_same(out, a->git, branch, &who, message, e);
}

sat_rc
admin_commit(sat_admin *a, const char *branch, const sat_layer *l,
    const char *author, const char *message, sat_oid *out, sat_err *e)
{
	sat_git_author who = signer(a, author);
	sat_git_file *g = sat_xcalloc(l->n, sizeof *g);
	sat_rc rc;

	for (size_t i = 0; i < l->n; i++) {
		g[i].path = l->files[i].path;
		g[i].bytes = l->files[i].bytes;
	}
	rc = sat_git_commit(out, a->git, branch, g, l->n, &who, message, e);
	free(g);
	return rc;
}

sat_rc
admin_publish(sat_admin *a, const sat_layer *l, const char *author,
    const char *message, sat_oid *out, sat_err *e)
{
	sat_oid tip;
	bool first = sat_git_tip(&tip, a->git, SAT_ADMIN_BRANCH, NULL) != SAT_OK;
	sat_rc rc;

	if (!first && admin_pilot(a))
		return sat_fail_code(e, SAT_ECONFLICT, "template.pilot",
		    "satcheld template publish canary gives it to all, "
		    "template rollback published ends it",
		    "a pilot tries a newer template: end it first");
	if ((rc = admin_admit(a, l, first ? NULL : &tip, NULL,
	    e)) == SAT_OK &&
	    (rc = admin_commit(a, SAT_ADMIN_BRANCH, l, author, message, out,
	    e)) == SAT_OK)
		a->tip = a->canary = *out;
	return rc;
}

static sat_rc
file_add(tree *t, const char *full, const char *rel, sat_err *e)
{
	FILE *f = fopen(full, "rb");
	uint8_t *p = sat_xmalloc(1024 * 1024 + 1);
	size_t n;

	if (f == NULL) {
		free(p);
		return sat_fail(e, SAT_EIO, "cannot read %s: %s", full,
		    strerror(errno));
	}
	n = fread(p, 1, 1024 * 1024 + 1, f);
	(void)fclose(f);
	if (n <= 1024 * 1024)
		tree_add(t, rel, sat_span_of(p, n));
	free(p);
	return n <= 1024 * 1024 ? SAT_OK
	                        : sat_fail(e, SAT_EINVALID,
	                              "%s is larger than 1 MiB", rel);
}

static sat_rc
folder_add(tree *t, const char *dir, const char *rel, int depth, sat_err *e)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	struct stat st;
	sat_rc rc = SAT_OK;

	if (d == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "cannot read %s: %s", dir,
		    strerror(errno));
	while (rc == SAT_OK && (de = readdir(d)) != NULL) {
		char *full, *sub;

		if (de->d_name[0] == '.')
			continue;
		full = sat_xasprintf("%s/%s", dir, de->d_name);
		sub = sat_xasprintf("%s%s%s", rel, rel[0] != '\0' ? "/" : "",
		    de->d_name);
		if (lstat(full, &st) != 0 || S_ISLNK(st.st_mode))
			rc = sat_fail(e, SAT_EINVALID,
			    "%s is a link or cannot be read", sub);
		else if (S_ISDIR(st.st_mode) && depth < 4)
			rc = folder_add(t, full, sub, depth + 1, e);
		else if (S_ISREG(st.st_mode))
			rc = file_add(t, full, sub, e);
		free(full);
		free(sub);
	}
	(void)closedir(d);
	return rc;
}

sat_rc
admin_layer_folder(sat_layer *out, sat_arena *mem, const char *dir, sat_err *e)
{
	tree t = { .mem = mem };
	sat_rc rc = folder_add(&t, dir, "", 0, e);

	*out = (sat_layer){ t.files, t.n };
	return rc;
}

typedef struct log_ctx {
	sat_admin *a;
	sat_json *rows;
	size_t bad, n;
	sat_err first;
} log_ctx;

static int
log_one(void *u, const sat_oid *oid)
{
	log_ctx *c = u;
	const uint8_t(*allowed)[SAT_SIGN_PK_BYTES] =
	    (const uint8_t(*)[SAT_SIGN_PK_BYTES])&c->a->keys.template_pk;
	char hex[SAT_GIT_OID_HEX + 1];
	sat_git_info i;
	sat_json *row;

	sat_oid_hex(hex, oid);
	row = sat_json_add_obj(c->rows);
	sat_json_put_str(row, "rev", hex);
	c->n++;
	if (sat_git_commit_info(&i, c->a->git, oid, allowed, 1, &c->first) !=
	    SAT_OK) {
		c->bad++;
		sat_json_put_str(row, "signature", "unreadable");
		return 0;
	}
	sat_json_put_time(row, "at", i.when_ms);
	sat_json_put_str(row, "author", i.author);
	sat_json_put_str(row, "signature", !i.has_signature ? "none"
	        : i.signature_ok                            ? "good"
	                                                    : "bad");
	sat_json_put_str(row, "message", i.message);
	if (admin_pilot(c->a) && memcmp(oid, &c->a->canary, sizeof *oid) == 0)
		sat_json_put_str(row, "state", "canary");
	else if (memcmp(oid, &c->a->tip, sizeof *oid) == 0)
		sat_json_put_str(row, "state", "published");
	else
		sat_json_put_null(row, "state");
	if (!i.signature_ok)
		c->bad++;
	return 0;
}

static sat_rc
history(sat_admin *a, const sat_args *w, bool verify, sat_buf *out,
    sat_err *e)
{
	static const char *const cols[] = { "rev", "at", "author", "signature",
		"message", "state", NULL };
	sat_json *doc = sat_json_obj();
	log_ctx c = { .a = a };
	sat_rc rc;

	sat_json_put_str(doc, "schema", "satcheld/template.list/1");
	c.rows = sat_json_put_arr(doc, "data");
	rc = sat_git_log(a->git, &a->canary, log_one, &c, e);
	if (rc == SAT_OK && verify)
		rc = sat_git_verify_closure(a->git, &a->canary, e);
	if (rc == SAT_OK)
		admin_print(out, w, doc, cols);
	if (rc == SAT_OK && verify && c.bad > 0)
		rc = sat_fail(e, SAT_EINTEGRITY,
		    "%zu of %zu commits are not signed by the template key",
		    c.bad, c.n);
	sat_json_free(doc);
	return rc;
}

sat_rc
admin_template_verb(sat_admin *a, const sat_args *w, sat_buf *out, sat_err *e)
{
	const char *verb = w->nargs > 1 ? w->arg[1] : "";

	if (strcmp(verb, "publish") == 0 || strcmp(verb, "rollback") == 0 ||
	    strcmp(verb, "status") == 0)
		return admin_rollout_verb(a, w, out, e);
	if (strcmp(verb, "list") == 0 || strcmp(verb, "log") == 0)
		return history(a, w, false, out, e);
	if (strcmp(verb, "verify") == 0)
		return history(a, w, true, out, e);
	return admin_layers_verb(a, w, out, e);
}
