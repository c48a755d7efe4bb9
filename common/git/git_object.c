/*
 * git_object.c - the form of a commit, and whether an object is what its id
 * says.
 *
 * A commit has one form here: tree, at most two parents, author, committer, at
 * most one signature, a blank line, a message in UTF-8. That is what stock git
 * writes. Looser forms are where readers differ (two signatures, a NUL that
 * hides half a message), and libgit2 1.5 leaks memory on malformed ones.
 */
#include "common/git/git_int.h"

#include <string.h>

static bool
take(sat_reader *r, const char *text)
{
	size_t n = strlen(text);

	if (r->left < n || memcmp(r->p, text, n) != 0)
		return false;
	(void)sat_read_raw(r, n);
	return true;
}

/* The rest of the line, its end taken off; bad when the text ends first. */
static sat_span
rest_of_line(sat_reader *r)
{
	const uint8_t *end = r->left > 0 ? memchr(r->p, '\n', r->left) : NULL;
	sat_span line;

	if (end == NULL) {
		sat_read_bad(r, "line without an end");
		return (sat_span){ NULL, 0 };
	}
	line = sat_read_raw(r, (size_t)(end - r->p));
	(void)sat_read_u8(r);
	return line;
}

static void
read_id(sat_reader *r)
{
	sat_span hex = rest_of_line(r);
	uint8_t id[SAT_GIT_OID_BYTES];

	if (!sat_unhex(id, sizeof id, (const char *)hex.p, hex.n))
		sat_read_bad(r, "bad id");
}

static size_t
digits(sat_reader *r)
{
	size_t n = 0;

	while (r->left > 0 && *r->p >= '0' && *r->p <= '9') {
		(void)sat_read_u8(r);
		n++;
	}
	return n;
}

/* "name <mail> 1800000000 +0000" */
static void
read_person(sat_reader *r, const char *role)
{
	sat_reader line;
	sat_span text;
	const uint8_t *open, *close;
	size_t n;

	if (!take(r, role))
		sat_read_bad(r, "author or committer missing");
	text = rest_of_line(r);
	if (r->fault != NULL)
		return;
	open = memchr(text.p, '<', text.n);
	close = memchr(text.p, '>', text.n);
	if (open == NULL || close == NULL || open < text.p + 2 || close < open ||
	    open[-1] != ' ' || memchr(open + 1, '<', (size_t)(close - open)) !=
	    NULL) {
		sat_read_bad(r, "bad author or committer");
		return;
	}
	n = (size_t)(close + 1 - text.p);
	line = sat_reader_of(sat_span_of(text.p + n, text.n - n));
	if (!take(&line, " ") || (n = digits(&line)) < 1 || n > 11 ||
	    !(take(&line, " +") || take(&line, " -")) || digits(&line) != 4 ||
	    line.left > 0)
		sat_read_bad(r, "bad time");
}

sat_rc
sat_git_commit_check(sat_span data, sat_err *e)
{
	sat_reader r = sat_reader_of(data);
	unsigned parents = 0;

	if (!sat_utf8_ok(data.p, data.n))
		sat_read_bad(&r, "not utf-8");
	if (!take(&r, "tree "))
		sat_read_bad(&r, "no tree");
	read_id(&r);
	while (take(&r, "parent ")) {
		if (++parents > 2)
			sat_read_bad(&r, "more than two parents");
		read_id(&r);
	}
	read_person(&r, "author ");
	read_person(&r, "committer ");
	if (take(&r, "gpgsig ")) {
		(void)rest_of_line(&r);
		while (take(&r, " "))
			(void)rest_of_line(&r);
	}
	if (!take(&r, "\n"))
		sat_read_bad(&r, "unknown header");
	return r.fault == NULL ? SAT_OK :
	    sat_fail(e, SAT_EPROTO, "git: commit: %s", r.fault);
}

sat_rc
sat_git_object_check(int type, const sat_oid *oid, sat_span data, sat_err *e)
{
	const void *p = data.n > 0 ? (const void *)data.p : "";
	git_oid id, want = git_oid_of(oid);

	if (type < GIT_TYPE_COMMIT || type > GIT_TYPE_BLOB)
		return sat_fail(e, SAT_EPROTO, "git: object of unknown type");
	if (data.n > SAT_GIT_OBJECT_MAX)
		return sat_fail(e, SAT_EPROTO, "git: object above the limit");
	sat_git_ready();
	if (git_odb_hash(&id, p, data.n, (git_object_t)type) < 0 ||
	    !git_oid_equal(&id, &want))
		return sat_fail(e, SAT_EPROTO,
		    "git: object does not match its id");
	if (type == GIT_TYPE_TREE)
		return sat_git_tree_check(data, e);
	return type == GIT_TYPE_COMMIT ? sat_git_commit_check(data, e) : SAT_OK;
}
