/*
 * git_commit.c - making a signed commit, and reading one.
 */
#include "common/git/git_int.h"

#include "common/base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 4096
#define PERSON_MAX 200

static int
file_cmp(const void *a, const void *b)
{
	const sat_git_file *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Sorted pointers to files whose paths and sizes are in the limits. */
static sat_rc
sorted_files(const sat_git_file ***out, const sat_git_file *files, size_t n,
    sat_err *e)
{
	const sat_git_file **v;
	size_t total = 0;

	if (n > SAT_GIT_OBJECTS_MAX)
		return sat_fail(e, SAT_EINVALID, "git: %zu files", n);
	for (size_t i = 0; i < n; i++) {
		if (!sat_git_path_ok(files[i].path))
			return sat_fail_code(e, SAT_EINVALID, "template.path",
			    "at most four parts of a-z, 0-9, _ and -, the last "
			    "with .json or .md; or take the file away",
			    "'%.120s' cannot be the name of a document",
			    files[i].path);
		if (files[i].bytes.n > SAT_GIT_OBJECT_MAX)
			return sat_fail(e, SAT_EINVALID,
			    "git: %s has %zu bytes", files[i].path,
			    files[i].bytes.n);
		total += files[i].bytes.n;
	}
	if (total > SAT_GIT_BUNDLE_MAX)
		return sat_fail(e, SAT_EINVALID, "git: %zu bytes in all", total);
	v = sat_xcalloc(n, sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i] = &files[i];
	qsort(v, n, sizeof *v, file_cmp);
	for (size_t i = 1; i < n; i++)
		if (strcmp(v[i - 1]->path, v[i]->path) == 0) {
			free(v);
			return sat_fail(e, SAT_EINVALID,
			    "git: the same path twice");
		}
	*out = v;
	return SAT_OK;
}

static void
add_entry(sat_buf *tree, const char *mode, const char *name, size_t n,
    const git_oid *oid)
{
	sat_buf_str(tree, mode);
	sat_buf_add(tree, name, n);
	sat_write_u8(tree, 0);
	sat_buf_add(tree, oid->id, SAT_GIT_OID_BYTES);
}

static sat_rc
write_object(git_oid *oid, sat_git *g, int type, const void *p, size_t n,
    sat_err *e)
{
	int r = git_odb_write(oid, g->odb, n > 0 ? p : "", n,
	    (git_object_t)type);

	return r < 0 ? sat_git_fail(e, r, "write") : SAT_OK;
}

/* Sorted whole paths give the entries in git's order (see git_tree.c). All of
 * v[0..n) begin with the same `skip` bytes: the directory being written. */
static sat_rc
write_tree(git_oid *oid, sat_git *g, const sat_git_file *const *v, size_t n,
    size_t skip, sat_err *e)
{
	sat_buf tree = { 0 };
	sat_rc rc = SAT_OK;
	size_t i = 0;

	while (rc == SAT_OK && i < n) {
		const char *name = v[i]->path + skip;
		const char *slash = strchr(name, '/');
		size_t first = i++, len;
		git_oid child;

		if (slash == NULL) {
			rc = write_object(&child, g, GIT_TYPE_BLOB,
			    v[first]->bytes.p, v[first]->bytes.n, e);
			add_entry(&tree, "100644 ", name, strlen(name), &child);
			continue;
		}
		len = (size_t)(slash - name) + 1;
		while (i < n && strncmp(v[i]->path + skip, name, len) == 0)
			i++;
		rc = write_tree(&child, g, v + first, i - first, skip + len, e);
		add_entry(&tree, "40000 ", name, len - 1, &child);
	}
	if (rc == SAT_OK && tree.n > SAT_GIT_OBJECT_MAX)
		rc = sat_fail(e, SAT_EINVALID, "git: a tree of %zu bytes",
		    tree.n);
	if (rc == SAT_OK)
		rc = write_object(oid, g, GIT_TYPE_TREE, tree.p, tree.n, e);
	sat_buf_fini(&tree);
	return rc;
}

static bool
person_ok(const char *s)
{
	size_t n = strnlen(s, PERSON_MAX + 1);

	if (n == 0 || n > PERSON_MAX || !sat_utf8_ok(s, n))
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == '<' || *s == '>')
			return false;
	return true;
}

static sat_rc
check_words(const char *branch, const sat_git_author *who,
    const char *message, sat_err *e)
{
	size_t n = strnlen(message, MESSAGE_MAX + 1);
	int valid = 0;

	assert(who->sign_sk != NULL && who->sign_pk != NULL);
	if (strncmp(branch, "refs/heads/", 11) != 0 ||
	    git_reference_name_is_valid(&valid, branch) < 0 || !valid)
		return sat_fail(e, SAT_EINVALID, "git: not a branch name");
	if (!person_ok(who->name) || !person_ok(who->email) ||
	    who->when_ms < 0)
		return sat_fail(e, SAT_EINVALID, "git: author not usable");
	if (n == 0 || n > MESSAGE_MAX || !sat_utf8_ok(message, n))
		return sat_fail(e, SAT_EINVALID, "git: message not usable");
	return SAT_OK;
}

/* The commit as text, signed and stored; no branch is touched. */
static sat_rc
write_commit(git_oid *out, sat_git *g, const git_oid *tree_id,
    const git_commit *parent, const sat_git_author *who, const char *message,
    sat_err *e)
{
	git_buf text = GIT_BUF_INIT;
	git_signature *person = NULL;
	git_tree *tree = NULL;
	const git_commit *parents[1] = { parent };
	sat_buf body = { 0 }, armour = { 0 };
	sat_rc rc = SAT_OK;
	int r;

	sat_buf_str(&body, message);
	if (body.p[body.n - 1] != '\n')
		sat_write_u8(&body, '\n');
	if ((r = git_signature_new(&person, who->name, who->email,
	    who->when_ms / 1000, 0)) < 0 ||
	    (r = git_tree_lookup(&tree, g->repo, tree_id)) < 0 ||
	    (r = git_commit_create_buffer(&text, g->repo, person, person,
	    NULL, sat_buf_cstr(&body), tree, parent != NULL, parents)) < 0) {
		rc = sat_git_fail(e, r, "commit");
		goto out;
	}
	sat_sshsig_make(&armour, sat_span_of(text.ptr, text.size),
	    who->sign_pk, who->sign_sk);
	if ((r = git_commit_create_with_signature(out, g->repo, text.ptr,
	    sat_buf_cstr(&armour), "gpgsig")) < 0)
		rc = sat_git_fail(e, r, "commit");
out:
	git_buf_dispose(&text);
	git_tree_free(tree);
	git_signature_free(person);
	sat_buf_fini(&body);
	sat_buf_fini(&armour);
	return rc;
}

/* The branch's tip, *parent NULL when there is no branch yet. */
static sat_rc
find_parent(git_commit **parent, sat_git *g, const char *branch, sat_err *e)
{
	sat_oid tip;
	sat_err none = { 0 };
	git_oid oid;
	sat_rc rc = sat_git_tip(&tip, g, branch, &none);
	int r;

	*parent = NULL;
	if (rc == SAT_ENOTFOUND)
		return SAT_OK;
	if (rc != SAT_OK)
		return sat_fail(e, rc, "%s", none.text);
	oid = git_oid_of(&tip);
	if ((r = git_commit_lookup(parent, g->repo, &oid)) < 0)
		return sat_git_fail(e, r, "tip");
	return SAT_OK;
}

sat_rc
sat_git_commit(sat_oid *out, sat_git *g, const char *branch,
    const sat_git_file *files, size_t nfiles, const sat_git_author *who,
    const char *message, sat_err *e)
{
	const sat_git_file **v = NULL;
	git_commit *parent = NULL;
	const git_oid *old = NULL;
	git_oid tree, commit;
	sat_rc rc;

	if ((rc = check_words(branch, who, message, e)) != SAT_OK ||
	    (rc = sorted_files(&v, files, nfiles, e)) != SAT_OK ||
	    (rc = find_parent(&parent, g, branch, e)) != SAT_OK ||
	    (rc = write_tree(&tree, g, v, nfiles, 0, e)) != SAT_OK)
		goto out;
	if (parent != NULL) {
		old = git_commit_id(parent);
		if (git_oid_equal(git_commit_tree_id(parent), &tree)) {
			*out = sat_oid_of(old);
			goto out;
		}
	}
	if ((rc = write_commit(&commit, g, &tree, parent, who, message, e)) !=
	    SAT_OK || (rc = sat_git_move(g, branch, old, &commit, e)) != SAT_OK)
		goto out;
	*out = sat_oid_of(&commit);
out:
	git_commit_free(parent);
	free(v);
	return rc;
}

sat_rc
sat_git_commit_same(sat_oid *out, sat_git *g, const char *branch,
    const sat_git_author *who, const char *message, sat_err *e)
{
	git_commit *parent = NULL;
	git_oid commit;
	sat_rc rc;

	if ((rc = check_words(branch, who, message, e)) != SAT_OK ||
	    (rc = find_parent(&parent, g, branch, e)) != SAT_OK)
		return rc;
	if (parent == NULL)
		return sat_fail(e, SAT_ENOTFOUND, "git: no commit to go on from");
	if ((rc = write_commit(&commit, g, git_commit_tree_id(parent), parent,
	    who, message, e)) == SAT_OK && (rc = sat_git_move(g, branch,
	    git_commit_id(parent), &commit, e)) == SAT_OK)
		*out = sat_oid_of(&commit);
	git_commit_free(parent);
	return rc;
}

/* ---- reading one --------------------------------------------------------------------- */

/* As much as fits, cut between two characters; bytes that are not UTF-8 end
 * the text. */
static void
copy_text(char *out, size_t room, const char *s, size_t n)
{
	size_t i = 0;

	if (n > room - 1)
		n = room - 1;
	while (i < n) {
		uint8_t c = (uint8_t)s[i];
		size_t k = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (c < 0x20 || k > n - i || !sat_utf8_ok(s + i, k))
			break;
		i += k;
	}
	memcpy(out, s, i);
	out[i] = '\0';
}

static void
check_signature(sat_git_info *info, git_buf *armour, git_buf *payload,
    const uint8_t (*allowed)[SAT_SIGN_PK_BYTES], size_t nallowed)
{
	info->has_signature = true;
	if (!sat_sshsig_ok(info->signer, sat_span_of(armour->ptr,
	    armour->size), sat_span_of(payload->ptr, payload->size)))
		return;
	for (size_t i = 0; i < nallowed; i++)
		if (memcmp(info->signer, allowed[i], SAT_SIGN_PK_BYTES) == 0)
			info->signature_ok = true;
}

static sat_rc
fill_info(sat_git_info *info, git_commit *c, sat_err *e)
{
	const git_signature *author = git_commit_author(c);
	const char *message = git_commit_message(c);
	unsigned n = git_commit_parentcount(c);

	if (n > 2)
		return sat_fail(e, SAT_EINTEGRITY, "git: %u parents", n);
	/* libgit2 leaves out a name for which it found no memory */
	if (author == NULL || author->name == NULL || message == NULL)
		return sat_fail(e, SAT_ENOMEM, "git: no memory for a commit");
	info->nparents = n;
	for (unsigned i = 0; i < n; i++)
		info->parents[i] = sat_oid_of(git_commit_parent_id(c, i));
	copy_text(info->author, sizeof info->author, author->name,
	    strlen(author->name));
	copy_text(info->message, sizeof info->message, message,
	    strcspn(message, "\r\n"));
	if (author->when.time > INT64_MAX / 1000 || author->when.time < 0)
		return sat_fail(e, SAT_EINTEGRITY, "git: impossible time");
	info->when_ms = author->when.time * 1000;
	return SAT_OK;
}

sat_rc
sat_git_commit_info(sat_git_info *out, sat_git *g, const sat_oid *commit,
    const uint8_t (*allowed)[SAT_SIGN_PK_BYTES], size_t nallowed, sat_err *e)
{
	git_buf armour = GIT_BUF_INIT, payload = GIT_BUF_INIT;
	git_oid oid = git_oid_of(commit);
	git_commit *c = NULL;
	sat_rc rc;
	int r;

	*out = (sat_git_info){ .oid = *commit };
	if ((r = git_commit_lookup(&c, g->repo, &oid)) < 0)
		return sat_git_fail(e, r, "commit");
	if ((rc = fill_info(out, c, e)) == SAT_OK) {
		r = git_commit_extract_signature(&armour, &payload, g->repo,
		    &oid, "gpgsig");
		if (r == 0)
			check_signature(out, &armour, &payload, allowed,
			    nallowed);
		else if (r != GIT_ENOTFOUND)
			rc = sat_git_fail(e, r, "signature");
	}
	git_buf_dispose(&armour);
	git_buf_dispose(&payload);
	git_commit_free(c);
	return rc;
}

sat_rc
sat_git_commit_trailer(sat_buf *value, sat_git *g, const sat_oid *commit,
    const char *key, sat_err *e)
{
	git_oid oid = git_oid_of(commit);
	size_t n = strlen(key), len = 0;
	const char *at, *found = NULL;
	git_commit *c = NULL;
	int r;

	if ((r = git_commit_lookup(&c, g->repo, &oid)) < 0)
		return sat_git_fail(e, r, "commit");
	for (at = git_commit_message(c); at != NULL && *at != '\0';
	     at = strchr(at, '\n'), at += at != NULL)
		if (strncmp(at, key, n) == 0 && strncmp(at + n, ": ", 2) == 0) {
			found = at + n + 2;
			len = strcspn(found, "\r\n");
		}
	if (found != NULL)
		sat_buf_add(value, found, len);
	git_commit_free(c);
	return found != NULL ? SAT_OK : sat_fail(e, SAT_ENOTFOUND,
	    "git: the message has no line %.40s", key);
}
