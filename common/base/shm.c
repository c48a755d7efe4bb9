/*
 * shm.c - whose a name in memory is, is told by device and inode of the owner's
 * folder: a path is spelled in several ways, and a wipe must find all.
 */
#include "common/base/shm.h"

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_IN_MEMORY "/dev/shm"

/* "satchel-UID-DEVICE-INODE-" or, of one use, "satchel-UID-DEVICE-INODE-USE-".
 * NULL: the owner's folder is not there (errno says why). */
static char *
begin_of(const char *owner, const char *use)
{
	struct stat st;

	if (stat(owner, &st) != 0)
		return NULL;
	return sat_xasprintf("satchel-%u-%ju-%ju-%s%s", (unsigned)getuid(),
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, use != NULL ? use : "",
	    use != NULL ? "-" : "");
}

static sat_rc
cannot_make(const char *path, int why, sat_err *e)
{
	return sat_fail(e, why == ENOSPC || why == EDQUOT ? SAT_ENOSPACE :
	    SAT_EIO, "cannot make %s: %s", path, strerror(why));
}

/* fd NULL: a folder. */
static sat_rc
make(int *fd, char **path, const char *owner, const char *use, sat_err *e)
{
	char *begin = begin_of(owner, use);
	bool good;
	int why;
	sat_rc rc;

	*path = NULL;
	if (begin == NULL)
		return cannot_make(owner, errno, e);
	*path = sat_xasprintf(DIR_IN_MEMORY "/%sXXXXXX", begin);
	free(begin);
	good = fd == NULL ? mkdtemp(*path) != NULL :
	    (*fd = mkostemp(*path, O_CLOEXEC)) >= 0;
	why = errno;
	if (good)
		return SAT_OK;
	rc = cannot_make(*path, why, e);
	free(*path);
	*path = NULL;
	return rc;
}

sat_rc
sat_shm_folder(char **path, const char *owner, const char *use, sat_err *e)
{
	return make(NULL, path, owner, use, e);
}

sat_rc
sat_shm_file(int *fd, char **path, const char *owner, const char *use,
    sat_err *e)
{
	return make(fd, path, owner, use, e);
}

/* Anybody may give a file there such a name: only our own are looked into. */
static void
remove_one(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_uid == getuid())
		(void)(sat_folder_clear(path, NULL) == SAT_OK);
}

void
sat_shm_sweep(const char *owner, const char *use)
{
	char *begin = begin_of(owner, use);
	sat_buf names = { 0 };

	if (begin == NULL || sat_folder_names(&names, DIR_IN_MEMORY, NULL) !=
	    SAT_OK)
		names.n = 0;
	for (size_t at = 0; at < names.n;) {
		const char *name = (const char *)names.p + at;
		char *path = sat_xasprintf(DIR_IN_MEMORY "/%s", name);

		if (strncmp(name, begin, strlen(begin)) == 0)
			remove_one(path);
		free(path);
		at += strlen(name) + 1;
	}
	sat_buf_fini(&names);
	free(begin);
}

bool
sat_shm_holds(const char *path)
{
	static const char begin[] = DIR_IN_MEMORY "/satchel-";

	return strncmp(path, begin, sizeof begin - 1) == 0;
}
