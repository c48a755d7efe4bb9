/*
 * git.c - repositories, branches and history.
 *
 * libgit2 objects are not shared between threads: one sat_git, one owner. The
 * library itself is set up once for the process: a small object cache, no
 * configuration of the machine or the user (a repository of ours behaves the
 * same everywhere), fsync on.
 */
#include "common/git/git_int.h"

#include "common/base/file.h"
#include "common/base/mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

#define CACHE_BYTES (8 * 1024 * 1024)

static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * libgit2 parses the root certificates of the machine when it is set up: six
 * parts of seven of the 3.7 ms that takes, at the start of every command. No
 * remote is ever opened here, so its call of mbed TLS ends in this one (nothing
 * else in the process makes it). A TLS link of libgit2 would trust nobody.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);

int
mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

static void
set_up(void)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL };

	git_alloc_ready();
	if (git_libgit2_init() < 0)
		abort(); /* no memory for a few tables */
	(void)git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE,
	    (ssize_t)CACHE_BYTES);
	(void)git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* What is in memory was checked when it was put there; once a repository
	 * on a disk is opened every object is checked as it is read. */
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		(void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
}

void
sat_git_ready(void)
{
	(void)pthread_once(&once, set_up);
}

sat_rc
sat_git_fail(sat_err *e, int git_rc, const char *what)
{
	const git_error *last = git_error_last();
	const char *text = last != NULL && last->message != NULL ?
	    last->message : "unknown error";
	int klass = last != NULL ? last->klass : GIT_ERROR_NONE;
	sat_rc rc = SAT_EINTEGRITY;

	if (git_rc == GIT_ENOTFOUND)
		rc = SAT_ENOTFOUND;
	else if (git_rc == GIT_EMODIFIED || git_rc == GIT_EEXISTS ||
	    git_rc == GIT_ELOCKED)
		rc = SAT_ECONFLICT;
	else if (klass == GIT_ERROR_NOMEMORY)
		rc = SAT_ENOMEM;
	else if (klass == GIT_ERROR_OS)
		rc = errno == ENOSPC ? SAT_ENOSPACE : SAT_EIO;
	else if (git_rc == GIT_EOWNER)
		rc = SAT_EDENIED;
	return sat_fail(e, rc, "git: %s: %s", what, text);
}

static void
on_a_disk(void)
{
	sat_git_ready();
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
}

/* Takes repo. */
static sat_rc
adopt(sat_git **out, git_repository *repo, sat_err *e)
{
	sat_git *g = sat_xcalloc(1, sizeof *g);
	int r;

	g->repo = repo;
	if ((r = git_repository_odb(&g->odb, repo)) < 0) {
		sat_git_close(g);
		return sat_git_fail(e, r, "objects");
	}
	*out = g;
	return SAT_OK;
}

sat_rc
sat_git_init_bare(sat_git **g, const char *path, sat_err *e)
{
	git_repository_init_options o;
	git_repository *repo;
	int r;

	*g = NULL;
	on_a_disk();
	if ((r = git_repository_init_options_init(&o,
	    GIT_REPOSITORY_INIT_OPTIONS_VERSION)) < 0)
		return sat_git_fail(e, r, "init");
	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
	    GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
	o.initial_head = "published"; /* what `git clone` checks out */
	if ((r = git_repository_init_ext(&repo, path, &o)) < 0)
		return sat_git_fail(e, r, "init");
	return adopt(g, repo, e);
}

sat_rc
sat_git_open(sat_git **g, const char *path, sat_err *e)
{
	git_repository *repo;
	int r;

	*g = NULL;
	on_a_disk();
	if ((r = git_repository_open_bare(&repo, path)) < 0)
		return sat_git_fail(e, r, "open");
	return adopt(g, repo, e);
}

sat_rc
sat_git_memory(sat_git **g, sat_err *e)
{
	git_odb_backend *backend;
	git_repository *repo = NULL;
	git_odb *odb = NULL;
	sat_rc rc;
	int r;

	*g = NULL;
	sat_git_ready();
	if ((r = git_odb_new(&odb)) < 0)
		goto fail;
	backend = sat_git_mem_backend();
	if ((r = git_odb_add_backend(odb, backend, 1)) < 0) {
		backend->free(backend);
		goto fail;
	}
	if ((r = git_repository_wrap_odb(&repo, odb)) < 0)
		goto fail;
	git_odb_free(odb); /* the repository holds it */
	if ((rc = adopt(g, repo, e)) == SAT_OK)
		(*g)->memory = backend;
	return rc;
fail:
	git_odb_free(odb);
	return sat_git_fail(e, r, "memory");
}

void
sat_git_close(sat_git *g)
{
	git_mem_ref *ref, *next;

	if (g == NULL)
		return;
	for (ref = g->refs; ref != NULL; ref = next) {
		next = ref->next;
		free(ref);
	}
	git_odb_free(g->odb);
	git_repository_free(g->repo);
	free(g);
}

static bool
is_lock(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".lock") == 0;
}

/* No branch has such a name: git allows none that ends so. */
sat_rc
sat_git_unlock(sat_git *g, sat_err *e)
{
	char *dir = sat_xasprintf("%srefs/heads",
	    git_repository_path(g->repo));
	sat_buf names = { 0 };
	sat_rc rc = sat_folder_names(&names, dir, e);

	for (size_t at = 0; rc == SAT_OK && at < names.n;) {
		const char *name = (const char *)names.p + at;
		char *path = sat_xasprintf("%s/%s", dir, name);

		if (is_lock(name) && unlink(path) != 0 && errno != ENOENT)
			rc = sat_fail(e, SAT_EIO, "cannot remove %s: %s", path,
			    strerror(errno));
		free(path);
		at += strlen(name) + 1;
	}
	sat_buf_fini(&names);
	free(dir);
	return rc;
}

/* ---- branches ------------------------------------------------------------------ */

static git_mem_ref *
mem_ref(const sat_git *g, const char *branch)
{
	git_mem_ref *ref = g->refs;

	while (ref != NULL && strcmp(ref->name, branch) != 0)
		ref = ref->next;
	return ref;
}

sat_rc
sat_git_tip(sat_oid *out, sat_git *g, const char *branch, sat_err *e)
{
	const git_mem_ref *ref;
	git_oid oid;
	int r;

	if (g->memory) {
		if ((ref = mem_ref(g, branch)) == NULL)
			return sat_fail(e, SAT_ENOTFOUND, "git: no such branch");
		oid = ref->oid;
	} else if ((r = git_reference_name_to_id(&oid, g->repo, branch)) < 0) {
		return sat_git_fail(e, r, "branch");
	}
	*out = sat_oid_of(&oid);
	return SAT_OK;
}

static sat_rc
mem_move(sat_git *g, const char *branch, const git_oid *old,
    const git_oid *new_, sat_err *e)
{
	git_mem_ref *ref = mem_ref(g, branch);
	size_t n = strlen(branch) + 1;

	if ((ref == NULL) != (old == NULL) ||
	    (ref != NULL && !git_oid_equal(&ref->oid, old)))
		return sat_fail(e, SAT_ECONFLICT, "git: the branch moved");
	if (ref == NULL) {
		ref = sat_xmalloc(sizeof *ref + n);
		memcpy(ref->name, branch, n);
		ref->next = g->refs;
		g->refs = ref;
	}
	ref->oid = *new_;
	return SAT_OK;
}

sat_rc
sat_git_move(sat_git *g, const char *branch, const git_oid *old,
    const git_oid *new_, sat_err *e)
{
	git_reference *ref = NULL;
	int r;

	if (g->memory)
		return mem_move(g, branch, old, new_, e);
	r = old == NULL ?
	    git_reference_create(&ref, g->repo, branch, new_, 0, NULL) :
	    git_reference_create_matching(&ref, g->repo, branch, new_, 1, old,
	    NULL);
	git_reference_free(ref);
	return r < 0 ? sat_git_fail(e, r, "move the branch") : SAT_OK;
}

sat_rc
sat_git_branch_set(sat_git *g, const char *branch, const sat_oid *tip,
    sat_err *e)
{
	git_oid oid;

	memcpy(oid.id, tip->b, SAT_GIT_OID_BYTES);
	return sat_git_move(g, branch, NULL, &oid, e);
}

sat_rc
sat_git_branch_move(sat_git *g, const char *branch, const sat_oid *from,
    const sat_oid *tip, sat_err *e)
{
	git_oid oid, was;

	memcpy(was.id, from->b, SAT_GIT_OID_BYTES);
	memcpy(oid.id, tip->b, SAT_GIT_OID_BYTES);
	return sat_git_move(g, branch, &was, &oid, e);
}

/* ---- objects and history --------------------------------------------------------- */

static const char *
type_name(int type)
{
	return type == GIT_TYPE_COMMIT ? "commit" : type == GIT_TYPE_TREE ?
	    "tree" : "blob";
}

sat_rc
sat_git_read(git_odb_object **obj, sat_git *g, const git_oid *oid, int type,
    sat_err *e)
{
	git_object_t found;
	size_t bytes;
	int r;

	*obj = NULL;
	/* The size first: what is too large is never read into memory. */
	if ((r = git_odb_read_header(&bytes, &found, g->odb, oid)) < 0)
		return sat_git_fail(e, r, type_name(type));
	if ((int)found != type)
		return sat_fail(e, SAT_EINTEGRITY, "git: not a %s",
		    type_name(type));
	if (bytes > SAT_GIT_OBJECT_MAX)
		return sat_fail(e, SAT_EINVALID, "git: a %s of %zu bytes",
		    type_name(type), bytes);
	if ((r = git_odb_read(obj, g->odb, oid)) < 0)
		return sat_git_fail(e, r, type_name(type));
	return SAT_OK;
}

sat_rc
sat_git_log(sat_git *g, const sat_oid *from,
    int (*cb)(void *u, const sat_oid *oid), void *u, sat_err *e)
{
	git_oid oid = git_oid_of(from);
	git_revwalk *walk = NULL;
	int r;

	if ((r = git_revwalk_new(&walk, g->repo)) < 0)
		return sat_git_fail(e, r, "log");
	(void)git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
	if ((r = git_revwalk_push(walk, &oid)) == 0) {
		while ((r = git_revwalk_next(&oid, walk)) == 0) {
			sat_oid o = sat_oid_of(&oid);

			if (cb(u, &o) != 0) {
				r = GIT_ITEROVER;
				break;
			}
		}
	}
	git_revwalk_free(walk);
	return r == GIT_ITEROVER ? SAT_OK : sat_git_fail(e, r, "log");
}

sat_rc
sat_git_descends(bool *yes, sat_git *g, const sat_oid *new_,
    const sat_oid *old, sat_err *e)
{
	git_oid n = git_oid_of(new_), o = git_oid_of(old);
	int r;

	*yes = false;
	if (!git_odb_exists(g->odb, &n))
		return sat_fail(e, SAT_ENOTFOUND, "git: no such commit");
	/* What we do not hold is no ancestor of something whole. */
	if (!git_odb_exists(g->odb, &o))
		return SAT_OK;
	if (git_oid_equal(&n, &o)) {
		*yes = true;
		return SAT_OK;
	}
	if ((r = git_graph_descendant_of(g->repo, &n, &o)) < 0)
		return sat_git_fail(e, r, "history");
	*yes = r == 1;
	return SAT_OK;
}

void
sat_oid_hex(char out[SAT_GIT_OID_HEX + 1], const sat_oid *o)
{
	sat_hex(out, o->b, SAT_GIT_OID_BYTES);
}

bool
sat_oid_parse(sat_oid *o, const char *hex)
{
	return sat_unhex(o->b, SAT_GIT_OID_BYTES, hex, strlen(hex));
}
