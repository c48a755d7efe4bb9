/*
 * git_tree.c - what a tree may hold, and walking one.
 *
 * Trees come from other people's repositories, so they are read by a parser
 * of our own that knows two modes, one alphabet and one order and refuses the
 * rest: no symbolic link, no submodule, no "..", no ".git", no second entry of
 * the same name that another reader would find first.
 */
#include "common/git/git_int.h"

#include "common/base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ----------------------------------------------------------------------- */

static bool
stem_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || s[i] == '_' ||
		    (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
			return false;
	return n > 0;
}

static bool
dir_ok(const char *s, size_t n)
{
	return n <= SAT_GIT_NAME_MAX && stem_ok(s, n);
}

static bool
file_ok(const char *s, size_t n)
{
	if (n > SAT_GIT_NAME_MAX)
		return false;
	if (n > 5 && memcmp(s + n - 5, ".json", 5) == 0)
		return stem_ok(s, n - 5);
	return n > 3 && memcmp(s + n - 3, ".md", 3) == 0 && stem_ok(s, n - 3);
}

bool
sat_git_path_ok(const char *path)
{
	unsigned parts = 1;
	const char *slash;

	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		if (++parts > SAT_GIT_DEPTH_MAX ||
		    !dir_ok(path, (size_t)(slash - path)))
			return false;
	return file_ok(path, strlen(path));
}

/* ---- the strict reader ------------------------------------------------------------- */

git_tree_reader
sat_git_tree_reader(sat_span data)
{
	return (git_tree_reader){ .r = sat_reader_of(data) };
}

/* git sorts a directory as if its name ended in a slash. */
static int
entry_cmp(const git_entry *a, const git_entry *b)
{
	size_t na = strlen(a->name), nb = strlen(b->name);
	size_t n = na < nb ? na : nb;
	int c = memcmp(a->name, b->name, n);
	unsigned char ca, cb;

	if (c != 0)
		return c;
	ca = na > n ? (unsigned char)a->name[n] : a->is_tree ? '/' : 0;
	cb = nb > n ? (unsigned char)b->name[n] : b->is_tree ? '/' : 0;
	return (int)ca - (int)cb;
}

static bool
take(sat_reader *r, const char *text)
{
	size_t n = strlen(text);

	if (r->left < n || memcmp(r->p, text, n) != 0)
		return false;
	(void)sat_read_raw(r, n);
	return true;
}

bool
sat_git_tree_next(git_entry *entry, git_tree_reader *t)
{
	const uint8_t *end;
	sat_span oid;
	size_t n;

	if (t->r.fault != NULL || t->r.left == 0)
		return false;
	entry->is_tree = take(&t->r, "40000 ");
	if (!entry->is_tree && !take(&t->r, "100644 ")) {
		sat_read_bad(&t->r, "mode outside the limits");
		return false;
	}
	end = memchr(t->r.p, 0, t->r.left);
	n = end != NULL ? (size_t)(end - t->r.p) : 0;
	entry->name = (const char *)t->r.p;
	if (end == NULL || !(entry->is_tree ? dir_ok(entry->name, n) :
	    file_ok(entry->name, n))) {
		sat_read_bad(&t->r, "name outside the limits");
		return false;
	}
	(void)sat_read_raw(&t->r, n + 1);
	oid = sat_read_raw(&t->r, SAT_GIT_OID_BYTES);
	if (t->r.fault != NULL)
		return false;
	memcpy(entry->oid.id, oid.p, oid.n);
	if (t->any && entry_cmp(&t->last, entry) >= 0) {
		sat_read_bad(&t->r, "entries out of order");
		return false;
	}
	t->last = *entry;
	t->any = true;
	return true;
}

static sat_rc
reader_end(const git_tree_reader *t, sat_err *e)
{
	return t->r.fault == NULL ? SAT_OK :
	    sat_fail(e, SAT_EPROTO, "git: tree: %s", t->r.fault);
}

sat_rc
sat_git_tree_check(sat_span data, sat_err *e)
{
	git_tree_reader t = sat_git_tree_reader(data);
	git_entry entry;

	while (sat_git_tree_next(&entry, &t))
		;
	return reader_end(&t, e);
}

/* ---- a set of ids: the ids are hashes already ----------------------------------------- */

static size_t
set_slot(const git_set *s, const git_oid *oid)
{
	uint64_t h;
	size_t i;

	memcpy(&h, oid->id, sizeof h);
	for (i = (size_t)h & (s->cap - 1); s->used[i] != 0 &&
	    !git_oid_equal(&s->slots[i], oid); i = (i + 1) & (s->cap - 1))
		;
	return i;
}

static void
set_grow(git_set *s)
{
	git_set big = { .cap = s->cap > 0 ? s->cap * 2 : 256 };

	big.slots = sat_xcalloc(big.cap, sizeof *big.slots);
	big.used = sat_xcalloc(big.cap, 1);
	for (size_t i = 0; i < s->cap; i++)
		if (s->used[i] != 0)
			(void)sat_git_set_add(&big, &s->slots[i]);
	sat_git_set_fini(s);
	*s = big;
}

bool
sat_git_set_add(git_set *s, const git_oid *oid)
{
	size_t i;

	if (s->n * 2 >= s->cap)
		set_grow(s);
	i = set_slot(s, oid);
	if (s->used[i] != 0)
		return false;
	s->used[i] = 1;
	s->slots[i] = *oid;
	s->n++;
	return true;
}

bool
sat_git_set_has(const git_set *s, const git_oid *oid)
{
	return s->cap > 0 && s->used[set_slot(s, oid)] != 0;
}

void
sat_git_set_fini(git_set *s)
{
	free(s->slots);
	free(s->used);
	*s = (git_set){ 0 };
}

/* ---- walking one commit's files ---------------------------------------------------------- */

typedef struct walk {
	sat_git *g;
	int (*cb)(void *u, const char *path, sat_span bytes);
	void *u;
	char path[SAT_GIT_PATH_MAX + 1];
	size_t n;
	bool stopped;
} walk;

static sat_rc walk_tree(walk *w, const git_oid *oid, unsigned depth,
    sat_err *e);

static sat_rc
walk_file(walk *w, const git_oid *oid, sat_err *e)
{
	git_odb_object *blob;
	sat_rc rc = sat_git_read(&blob, w->g, oid, GIT_TYPE_BLOB, e);

	if (rc != SAT_OK)
		return rc;
	w->stopped = w->cb(w->u, w->path, sat_span_of(
	    git_odb_object_data(blob), git_odb_object_size(blob))) != 0;
	git_odb_object_free(blob);
	return SAT_OK;
}

static sat_rc
walk_entry(walk *w, const git_entry *entry, unsigned depth, sat_err *e)
{
	size_t was = w->n, n = strlen(entry->name);
	sat_rc rc;

	/* Parts and their number are limited, so every path fits. */
	assert(w->n + n + 1 < sizeof w->path);
	memcpy(w->path + w->n, entry->name, n + 1);
	w->n += n;
	if (entry->is_tree) {
		w->path[w->n++] = '/';
		rc = walk_tree(w, &entry->oid, depth + 1, e);
	} else {
		rc = walk_file(w, &entry->oid, e);
	}
	w->n = was;
	return rc;
}

/* git's order of entries is the order of the whole paths. */
static sat_rc
walk_tree(walk *w, const git_oid *oid, unsigned depth, sat_err *e)
{
	git_odb_object *tree;
	git_tree_reader t;
	git_entry entry;
	sat_rc rc;

	if (depth > SAT_GIT_DEPTH_MAX)
		return sat_fail(e, SAT_EPROTO, "git: tree too deep");
	if ((rc = sat_git_read(&tree, w->g, oid, GIT_TYPE_TREE, e)) != SAT_OK)
		return rc;
	t = sat_git_tree_reader(sat_span_of(git_odb_object_data(tree),
	    git_odb_object_size(tree)));
	while (rc == SAT_OK && !w->stopped && sat_git_tree_next(&entry, &t))
		rc = walk_entry(w, &entry, depth, e);
	if (rc == SAT_OK)
		rc = reader_end(&t, e);
	git_odb_object_free(tree);
	return rc;
}

sat_rc
sat_git_walk(sat_git *g, const sat_oid *commit,
    int (*cb)(void *u, const char *path, sat_span bytes), void *u, sat_err *e)
{
	walk w = { .g = g, .cb = cb, .u = u };
	git_oid oid = git_oid_of(commit);
	git_commit *c;
	sat_rc rc;
	int r;

	if ((r = git_commit_lookup(&c, g->repo, &oid)) < 0)
		return sat_git_fail(e, r, "commit");
	rc = walk_tree(&w, git_commit_tree_id(c), 1, e);
	git_commit_free(c);
	return rc;
}
