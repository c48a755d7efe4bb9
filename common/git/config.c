/*
 * libgit2's configuration parser, for files of ours. "include.path" of such a
 * file is followed, as git does.
 */
#include "common/git/config.h"

#include "common/git/git_int.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static sat_rc
config_fail(sat_err *e, int git_rc, const char *path)
{
	const git_error *last = git_error_last();
	sat_rc rc = git_rc == GIT_EINVALIDSPEC ? SAT_EINVALID : SAT_EIO;

	if (last != NULL && last->klass == GIT_ERROR_CONFIG)
		rc = SAT_EINVALID;
	if (git_rc == GIT_ELOCKED)
		rc = SAT_EBUSY;
	if (errno == ENOSPC && rc == SAT_EIO)
		rc = SAT_ENOSPACE;
	return sat_fail_code(e, rc, "config", "satchel config edit", "%s: %s",
	    path, last != NULL && last->message != NULL ? last->message :
	    "cannot be read");
}

static sat_rc
open_file(git_config **g, const char *path, sat_err *e)
{
	struct stat st;
	int rc;

	*g = NULL;
	sat_git_ready();
	if (stat(path, &st) == 0 && (!S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)SAT_CONFIG_BYTES_MAX))
		return sat_fail_code(e, SAT_EINVALID, "config", NULL,
		    "%s: is no file of at most %u bytes", path,
		    SAT_CONFIG_BYTES_MAX);
	errno = 0;
	git_error_clear();
	rc = git_config_open_ondisk(g, path);
	return rc == 0 ? SAT_OK : config_fail(e, rc, path);
}

sat_rc
sat_config_each(const char *path,
    void (*each)(void *u, const char *key, const char *value), void *u,
    sat_err *e)
{
	git_config_iterator *it = NULL;
	git_config_entry *x;
	git_config *g;
	sat_rc rc = open_file(&g, path, e);
	int step;

	if (rc != SAT_OK)
		return rc;
	step = git_config_iterator_new(&it, g);
	while (step == 0 && (step = git_config_next(&x, it)) == 0)
		each(u, x->name, x->value != NULL ? x->value : "true");
	if (step != GIT_ITEROVER)
		rc = config_fail(e, step, path);
	git_config_iterator_free(it);
	git_config_free(g);
	return rc;
}

sat_rc
sat_config_put(const char *path, const char *key, const char *value,
    sat_err *e)
{
	git_config *g;
	sat_rc rc = open_file(&g, path, e);
	int step;

	if (rc != SAT_OK)
		return rc;
	step = value != NULL ? git_config_set_string(g, key, value) :
	    git_config_delete_entry(g, key);
	if (step == GIT_ENOTFOUND)
		rc = sat_fail(e, SAT_ENOTFOUND, "%s is not set in %s", key, path);
	else if (step == GIT_EINVALIDSPEC)
		rc = sat_fail_code(e, SAT_EUSAGE, "usage.config",
		    "SECTION.NAME, for example core.lang",
		    "%.80s is no name of a setting", key);
	else if (step != 0)
		rc = config_fail(e, step, path);
	git_config_free(g);
	return rc;
}
