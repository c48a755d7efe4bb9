/*
 * shm.h - names in the file system that lives in memory, for what needs a name
 * and must not come to a disk: customers in plain text.
 *
 * A name tells whose it is, by the folder of a replica (`owner`, which has to be
 * there; the same one under any spelling), and for what (`use`: a short word
 * without "-"). So whoever comes later finds what a killed process left. All is
 * for the eyes of the user this process runs as. No state, any thread.
 */
#ifndef SAT_BASE_SHM_H
#define SAT_BASE_SHM_H

#include <stdbool.h>

#include "common/base/err.h"

/* New, and empty. *path is the caller's to free, what is there to remove.
 * SAT_ENOSPACE, SAT_EIO (also: there is no such file system); then it is NULL. */
SAT_CHECK sat_rc sat_shm_folder(char **path, const char *owner, const char *use, sat_err *e);
/* The same; *fd is open for writing, and the caller's to close. */
SAT_CHECK sat_rc sat_shm_file(int *fd, char **path, const char *owner, const char *use, sat_err *e);
/* Take away all that is there of the owner for this use, in use or not; NULL:
 * for any. What cannot be removed stays. */
void sat_shm_sweep(const char *owner, const char *use);
/* Does a path lie in what was made here, by anybody? */
bool sat_shm_holds(const char *path);

#endif
