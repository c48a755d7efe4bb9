/*
 * git_bundle.c - moving objects, and trusting none of them.
 *
 * A bundle has no compression of its own (the channel does that) and no
 * deltas: 10 commits of templates are 3 KB compressed, less than git's pack.
 *
 * Invariants, named in the tests:
 *   G1  no object is handed on before the whole bundle was checked: limits,
 *       types, ids, and the content of every tree.
 *   G2  objects come after what they refer to: a reader that is cut off
 *       midway never holds a commit without its tree.
 */
#include "common/git/git_int.h"

#include <assert.h>
#include <string.h>

/* ---- making ------------------------------------------------------------------------ */

typedef struct maker {
	sat_git *g;
	git_set seen;   /* written, or known to the other side */
	sat_buf body;
	uint64_t count;
	size_t max;     /* bytes of a bundle */
	bool only_mark; /* remember, do not write */
	bool full;      /* that failed: above the limits */
} maker;

static sat_rc
write_entry(maker *m, int type, const git_oid *oid, git_odb_object *obj,
    sat_err *e)
{
	if (m->only_mark)
		return SAT_OK;
	sat_write_u8(&m->body, (uint8_t)type);
	sat_buf_add(&m->body, oid->id, SAT_GIT_OID_BYTES);
	sat_write_span(&m->body, sat_span_of(git_odb_object_data(obj),
	    git_odb_object_size(obj)));
	/* The count in front takes up to 10 bytes more. */
	m->full = ++m->count > SAT_GIT_OBJECTS_MAX || m->body.n + 10 > m->max;
	return !m->full ? SAT_OK :
	    sat_fail(e, SAT_EINVALID, "git: bundle above the limits");
}

static sat_rc
add_blob(maker *m, const git_oid *oid, sat_err *e)
{
	git_odb_object *blob;
	sat_rc rc;

	if (!sat_git_set_add(&m->seen, oid) || m->only_mark)
		return SAT_OK;
	if ((rc = sat_git_read(&blob, m->g, oid, GIT_TYPE_BLOB, e)) != SAT_OK)
		return rc;
	rc = write_entry(m, GIT_TYPE_BLOB, oid, blob, e);
	git_odb_object_free(blob);
	return rc;
}

static sat_rc
add_tree(maker *m, const git_oid *oid, unsigned depth, sat_err *e)
{
	git_odb_object *tree;
	git_tree_reader t;
	git_entry entry;
	sat_rc rc;

	if (!sat_git_set_add(&m->seen, oid))
		return SAT_OK;
	if (depth > SAT_GIT_DEPTH_MAX)
		return sat_fail(e, SAT_EINVALID, "git: tree too deep");
	if ((rc = sat_git_read(&tree, m->g, oid, GIT_TYPE_TREE, e)) != SAT_OK)
		return rc;
	t = sat_git_tree_reader(sat_span_of(git_odb_object_data(tree),
	    git_odb_object_size(tree)));
	while (rc == SAT_OK && sat_git_tree_next(&entry, &t))
		rc = entry.is_tree ? add_tree(m, &entry.oid, depth + 1, e) :
		    add_blob(m, &entry.oid, e);
	if (rc == SAT_OK && t.r.fault != NULL)
		rc = sat_fail(e, SAT_EINVALID, "git: tree: %s", t.r.fault);
	if (rc == SAT_OK)
		rc = write_entry(m, GIT_TYPE_TREE, oid, tree, e); /* G2 */
	git_odb_object_free(tree);
	return rc;
}

static sat_rc
add_commit(maker *m, const git_oid *oid, sat_err *e)
{
	git_odb_object *raw = NULL;
	git_commit *c;
	sat_rc rc;
	int r;

	if ((r = git_commit_lookup(&c, m->g->repo, oid)) < 0)
		return sat_git_fail(e, r, "commit");
	if ((rc = add_tree(m, git_commit_tree_id(c), 1, e)) == SAT_OK &&
	    !m->only_mark && sat_git_set_add(&m->seen, oid) &&
	    (rc = sat_git_read(&raw, m->g, oid, GIT_TYPE_COMMIT, e)) == SAT_OK)
		rc = write_entry(m, GIT_TYPE_COMMIT, oid, raw, e);
	git_odb_object_free(raw);
	git_commit_free(c);
	return rc;
}

/*
 * The other side holds the whole closure of `have`. Marking its newest tree is
 * enough: content that an older tree had and a newer one takes up again is
 * sent once more, which costs bytes but never correctness, while marking all
 * of history would cost more than most bundles.
 */
static sat_rc
mark_have(maker *m, const git_oid *have, sat_err *e)
{
	sat_rc rc;

	m->only_mark = true;
	rc = add_commit(m, have, e);
	m->only_mark = false;
	return rc;
}

/* As far as it goes, when a part will do: *tip becomes the last that is whole. */
static sat_rc
add_commits(maker *m, git_oid *tip, const git_oid *have, bool part, sat_err *e)
{
	git_revwalk *walk = NULL;
	maker whole = *m;
	sat_rc rc = SAT_OK;
	git_oid oid, last = *tip;
	int r;

	if ((r = git_revwalk_new(&walk, m->g->repo)) < 0)
		return sat_git_fail(e, r, "bundle");
	(void)git_revwalk_sorting(walk,
	    GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE); /* G2 */
	if ((r = git_revwalk_push(walk, tip)) == 0 &&
	    (have == NULL || (r = git_revwalk_hide(walk, have)) == 0)) {
		while (rc == SAT_OK &&
		    (r = git_revwalk_next(&oid, walk)) == 0) {
			whole = *m;
			if ((rc = add_commit(m, &oid, e)) == SAT_OK)
				last = oid;
		}
	}
	git_revwalk_free(walk);
	if (part && m->full && whole.count > 0) {
		m->count = whole.count;
		m->body.n = whole.body.n;
		*tip = last;
		return SAT_OK;
	}
	if (rc == SAT_OK && r != GIT_ITEROVER)
		rc = sat_git_fail(e, r, "bundle");
	return rc;
}

static sat_rc
bundle(sat_buf *out, sat_git *g, git_oid *tip, const sat_oid *have,
    size_t part, sat_err *e)
{
	maker m = { .g = g, .max = part != 0 ? part : SAT_GIT_BUNDLE_MAX };
	git_oid h = { { 0 } };
	sat_rc rc = SAT_OK;

	if (have != NULL) {
		h = git_oid_of(have);
		rc = mark_have(&m, &h, e);
	}
	if (rc == SAT_OK)
		rc = add_commits(&m, tip, have != NULL ? &h : NULL, part != 0,
		    e);
	if (rc == SAT_OK) {
		sat_write_uint(out, m.count);
		sat_buf_add(out, m.body.p, m.body.n);
	}
	sat_git_set_fini(&m.seen);
	sat_buf_fini(&m.body);
	return rc;
}

sat_rc
sat_git_bundle(sat_buf *out, sat_git *g, const sat_oid *tip,
    const sat_oid *have, sat_err *e)
{
	git_oid t = git_oid_of(tip);

	return bundle(out, g, &t, have, 0, e);
}

sat_rc
sat_git_bundle_part(sat_buf *out, sat_git *g, sat_oid *tip,
    const sat_oid *have, size_t max, sat_err *e)
{
	git_oid t = git_oid_of(tip);
	sat_rc rc = bundle(out, g, &t, have, max, e);

	if (rc == SAT_OK)
		memcpy(tip->b, t.id, sizeof tip->b);
	return rc;
}

/* ---- taking apart --------------------------------------------------------------------- */

typedef struct object {
	int type;
	sat_oid oid;
	sat_span data;
} object;

static object
read_object(sat_reader *r)
{
	object o = { .type = sat_read_u8(r) };
	sat_span oid = sat_read_raw(r, SAT_GIT_OID_BYTES);

	if (oid.n == SAT_GIT_OID_BYTES)
		memcpy(o.oid.b, oid.p, oid.n);
	o.data = sat_read_span(r, SAT_GIT_OBJECT_MAX);
	return o;
}

static sat_rc
check_bundle(sat_span bundle, sat_err *e)
{
	sat_reader r = sat_reader_of(bundle);
	uint64_t count = sat_read_uint_max(&r, SAT_GIT_OBJECTS_MAX);
	sat_rc rc;

	for (uint64_t i = 0; i < count; i++) {
		object o = read_object(&r);

		if (r.fault != NULL)
			break;
		if ((rc = sat_git_object_check(o.type, &o.oid, o.data, e)) !=
		    SAT_OK)
			return rc;
	}
	return sat_read_end(&r, "git bundle", e);
}

sat_rc
sat_git_unbundle(sat_span bundle,
    sat_rc (*cb)(void *u, int type, const sat_oid *oid, sat_span data,
    sat_err *e), void *u, sat_err *e)
{
	sat_reader r = sat_reader_of(bundle);
	uint64_t count;
	sat_rc rc;

	if (bundle.n > SAT_GIT_BUNDLE_MAX)
		return sat_fail(e, SAT_EPROTO, "git: bundle above the limit");
	if ((rc = check_bundle(bundle, e)) != SAT_OK) /* G1 */
		return rc;
	count = sat_read_uint(&r);
	for (uint64_t i = 0; i < count; i++) {
		object o = read_object(&r);

		if ((rc = cb(u, o.type, &o.oid, o.data, e)) != SAT_OK)
			return rc;
	}
	return SAT_OK;
}

sat_rc
sat_git_put_checked(sat_git *g, int type, const sat_oid *oid, sat_span data,
    sat_err *e)
{
	const void *p = data.n > 0 ? (const void *)data.p : "";
	git_oid id = git_oid_of(oid);
	int r;

	/* libgit2 would hash it once more */
	r = g->memory != NULL ?
	    g->memory->write(g->memory, &id, p, data.n, (git_object_t)type) :
	    git_odb_write(&id, g->odb, p, data.n, (git_object_t)type);
	return r < 0 ? sat_git_fail(e, r, "put") : SAT_OK;
}

sat_rc
sat_git_put(sat_git *g, int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	sat_rc rc = sat_git_object_check(type, oid, data, e);

	return rc != SAT_OK ? rc : sat_git_put_checked(g, type, oid, data, e);
}

/* ---- is everything there? ---------------------------------------------------------------- */

typedef struct verifier {
	sat_git *g;
	/* One set for each role: an id that was good as a commit is not good
	 * as a file. */
	git_set commits, blobs;
	git_set trees[SAT_GIT_DEPTH_MAX]; /* good at this depth */
} verifier;

/* What is missing or malformed is an integrity fault here: it was let in. */
static sat_rc
as_broken(sat_rc rc, sat_err *e)
{
	if (rc == SAT_ENOTFOUND)
		return sat_fail(e, SAT_EINTEGRITY,
		    "git: an object of the history is missing");
	if (rc == SAT_EPROTO && e != NULL)
		e->rc = SAT_EINTEGRITY;
	return rc == SAT_EPROTO ? SAT_EINTEGRITY : rc;
}

static sat_rc
verify_blob(verifier *v, const git_oid *oid, sat_err *e)
{
	git_object_t type;
	size_t bytes;
	int r;

	if (!sat_git_set_add(&v->blobs, oid))
		return SAT_OK;
	if ((r = git_odb_read_header(&bytes, &type, v->g->odb, oid)) < 0)
		return as_broken(sat_git_fail(e, r, "blob"), e);
	if ((int)type != GIT_TYPE_BLOB || bytes > SAT_GIT_OBJECT_MAX)
		return sat_fail(e, SAT_EINTEGRITY, "git: not a file of ours");
	return SAT_OK;
}

static sat_rc
verify_tree(verifier *v, const git_oid *oid, unsigned depth, sat_err *e)
{
	git_odb_object *tree;
	git_tree_reader t;
	git_entry entry;
	sat_rc rc;

	if (depth > SAT_GIT_DEPTH_MAX)
		return sat_fail(e, SAT_EINTEGRITY, "git: tree too deep");
	if (!sat_git_set_add(&v->trees[depth - 1], oid))
		return SAT_OK;
	if ((rc = sat_git_read(&tree, v->g, oid, GIT_TYPE_TREE, e)) != SAT_OK)
		return as_broken(rc, e);
	t = sat_git_tree_reader(sat_span_of(git_odb_object_data(tree),
	    git_odb_object_size(tree)));
	while (rc == SAT_OK && sat_git_tree_next(&entry, &t))
		rc = entry.is_tree ? verify_tree(v, &entry.oid, depth + 1, e) :
		    verify_blob(v, &entry.oid, e);
	if (rc == SAT_OK && t.r.fault != NULL)
		rc = sat_fail(e, SAT_EINTEGRITY, "git: tree: %s", t.r.fault);
	git_odb_object_free(tree);
	return rc;
}

/* One commit; its parents go on the list of those still to do. */
static sat_rc
verify_commit(verifier *v, const git_oid *oid, sat_buf *todo, sat_err *e)
{
	git_odb_object *raw;
	git_commit *c;
	sat_rc rc;
	int r;

	if ((rc = sat_git_read(&raw, v->g, oid, GIT_TYPE_COMMIT, e)) != SAT_OK)
		return as_broken(rc, e);
	rc = sat_git_commit_check(sat_span_of(git_odb_object_data(raw),
	    git_odb_object_size(raw)), e);
	git_odb_object_free(raw);
	if (rc != SAT_OK)
		return as_broken(rc, e);
	if ((r = git_commit_lookup(&c, v->g->repo, oid)) < 0)
		return as_broken(sat_git_fail(e, r, "commit"), e);
	rc = verify_tree(v, git_commit_tree_id(c), 1, e);
	for (unsigned i = 0; rc == SAT_OK && i < git_commit_parentcount(c); i++)
		if (sat_git_set_add(&v->commits, git_commit_parent_id(c, i)))
			sat_buf_add(todo, git_commit_parent_id(c, i),
			    sizeof *oid);
	git_commit_free(c);
	return rc;
}

sat_rc
sat_git_verify_closure(sat_git *g, const sat_oid *tip, sat_err *e)
{
	git_oid oid = git_oid_of(tip);
	verifier v = { .g = g };
	sat_buf todo = { 0 }; /* a stack of git_oid: history may be long */
	sat_rc rc = SAT_OK;

	(void)sat_git_set_add(&v.commits, &oid);
	sat_buf_add(&todo, &oid, sizeof oid);
	while (rc == SAT_OK && todo.n > 0) {
		todo.n -= sizeof oid;
		memcpy(&oid, todo.p + todo.n, sizeof oid);
		rc = verify_commit(&v, &oid, &todo, e);
	}
	sat_buf_fini(&todo);
	sat_git_set_fini(&v.commits);
	sat_git_set_fini(&v.blobs);
	for (unsigned i = 0; i < SAT_GIT_DEPTH_MAX; i++)
		sat_git_set_fini(&v.trees[i]);
	return rc;
}
