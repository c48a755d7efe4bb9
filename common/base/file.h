/*
 * file.h - the door to files and to the computer for rooms that are to touch
 * neither themselves: `client/api` takes and answers bytes, and every file a
 * person names is read or written here. `protocol` and `common/model` must not
 * call it (make layers holds both).
 *
 * What is written has to have a folder to lie in (else SAT_ENOTFOUND) and may not
 * be one (SAT_EUSAGE): such failures are of who named the path. SAT_EIO is what
 * is not his fault, or a right his account lacks.
 *
 * Paths are taken as they are. Texts of failures name the path, never content.
 * Not thread-safe per handle; the rest has no state.
 */
#ifndef SAT_BASE_FILE_H
#define SAT_BASE_FILE_H

#include "common/base/buf.h"

/* ---- whole files --------------------------------------------------------------- */

/*
 * The bytes of a file behind what is in b, but at most max of them: ask for
 * one more than you take to see that it is longer.
 * @return SAT_ENOTFOUND when it cannot be opened (errno says why), SAT_EIO.
 */
SAT_CHECK sat_rc sat_file_read(sat_buf *b, const char *path, size_t max, sat_err *e);
/* The same piece by piece, for files of any length. */
SAT_CHECK sat_rc sat_file_each(const char *path,
    void (*piece)(void *u, sat_span s), void *u, sat_err *e);
/*
 * Whole or not at all: written beside the path (".tmp"), synced, renamed, and
 * the name is durable. mode is that of a new file, before the umask.
 * SAT_ENOSPACE, SAT_EIO; SAT_EFSYNC: it is there, but may not outlive a power cut.
 */
SAT_CHECK sat_rc sat_file_write(const char *path, sat_span s, unsigned mode, sat_err *e);
/*
 * A file that is not there yet, for its owner's eyes alone, synced; its name is
 * not (sat_folder_sync). What a failure left is taken away.
 * @return SAT_ENOTFOUND when `from` cannot be opened, SAT_ECONFLICT when `to`
 *         is there already, SAT_ENOSPACE, SAT_EIO.
 */
SAT_CHECK sat_rc sat_file_copy(const char *from, const char *to, sat_err *e);
/* A pipe, a device: there, and no file. It has no place for a file beside it and
 * must not be replaced by one: the two that write files write it as it is. */
bool sat_file_is_stream(const char *path);
/* Take it away; that it is not there is no failure. */
void sat_file_remove(const char *path);
/*
 * What it holds is overwritten, synced, and its name goes; that it is not there
 * is no failure, nor is something else than a file, which stays. Links are not
 * followed. What the disk keeps elsewhere of it (copies of its own) is out of
 * reach. SAT_EIO: the name may be gone all the same.
 */
SAT_CHECK sat_rc sat_file_shred(const char *path, sat_err *e);
/* Of a file another room wrote: for its owner's eyes alone. SAT_EIO. */
SAT_CHECK sat_rc sat_file_private(const char *path, sat_err *e);
/* The name under which it is found. SAT_EIO. */
SAT_CHECK sat_rc sat_file_rename(const char *from, const char *to, sat_err *e);

/* ---- a file line by line --------------------------------------------------------- */

typedef struct sat_file_out sat_file_out;

/* path NULL: into a copy of the open descriptor fd; 0 = standard output, -1 =
 * there is none: SAT_EUSAGE. mode: of a new file, before the umask. SAT_EIO. */
SAT_CHECK sat_rc sat_file_out_open(sat_file_out **out, const char *path, unsigned mode, int fd, sat_err *e);
/* A failure is kept, and told by close. */
void sat_file_out_line(sat_file_out *o, sat_span line);
void sat_file_out_add(sat_file_out *o, sat_span part);
/* keep: a file is synced and stands under its name. keep false: what was
 * written so far goes away. Frees o. SAT_ENOSPACE, SAT_EIO, SAT_EFSYNC. */
SAT_CHECK sat_rc sat_file_out_close(sat_file_out *o, bool keep, sat_err *e);

/* ---- folders --------------------------------------------------------------------- */

/* For its owner alone. SAT_ECONFLICT: something of this name is there already;
 * SAT_ENOSPACE, SAT_EIO. */
SAT_CHECK sat_rc sat_folder_make(const char *path, sat_err *e);
/* A fresh one with this prefix where temporary files go; *path is the
 * caller's to free. SAT_ENOSPACE, SAT_EIO; then it is NULL. */
SAT_CHECK sat_rc sat_folder_temp(char **path, const char *prefix, sat_err *e);
/* Only when nothing is in it. */
void sat_folder_remove(const char *path);
/* With all that is in it; links are taken away, not followed. That it is not
 * there is no failure. SAT_EIO: something stayed. */
SAT_CHECK sat_rc sat_folder_clear(const char *path, sat_err *e);
/* Bytes of all files below it; 0 when it is not there. */
int64_t sat_folder_bytes(const char *path);
/* The names in it, ascending, each ended by a NUL, without "." and ".."; none
 * when it is not there. SAT_EIO. */
SAT_CHECK sat_rc sat_folder_names(sat_buf *names, const char *path, sat_err *e);
/* Names that came and went are durable. SAT_EFSYNC. */
SAT_CHECK sat_rc sat_folder_sync(const char *path, sat_err *e);
/* The same of the folder this file lies in. */
SAT_CHECK sat_rc sat_folder_sync_of(const char *path, sat_err *e);

/* ---- what a doctor looks at --------------------------------------------------------- */

typedef struct sat_file_facts {
	unsigned mode; /* permission bits */
	bool mine;     /* belongs to the user this process runs as */
	int64_t bytes;
} sat_file_facts;

/* SAT_ENOTFOUND when it cannot be looked at. */
SAT_CHECK sat_rc sat_file_look(sat_file_facts *f, const char *path, sat_err *e);
bool sat_file_there(const char *path);
/* The path from the root on, whether it is there or not; the caller frees. */
char *sat_file_absolute(const char *path);
/* Free space in MB (2^20) where the path lies. SAT_EIO. */
SAT_CHECK sat_rc sat_folder_space(uint64_t *mb, const char *path, sat_err *e);

typedef struct sat_process_facts {
	bool root;             /* runs as root */
	uint64_t core_bytes;   /* largest core file */
	uint64_t locked_bytes; /* memory that may be kept from the swap */
	int swaps;             /* swap areas; -1 = cannot say */
	int ptrace;            /* scope of Yama, 0 = no limit; -1 = cannot say */
} sat_process_facts;

void sat_process_look(sat_process_facts *f);

#endif
