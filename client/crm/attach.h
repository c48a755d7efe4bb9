/*
 * attach.h - files of records: added, listed, found, taken away.
 *
 * A file belongs to a record through a field of type files; who sees the record
 * and the field may have the content. The content itself is in
 * client/replica/file.h; what is not on this device yet is asked for by who
 * calls (client/sync).
 */
#ifndef SAT_CRM_ATTACH_H
#define SAT_CRM_ATTACH_H

#include "client/crm/crm.h"
#include "client/replica/file.h"

#define SAT_ATTACHED_MAX 100 /* of one record */

typedef struct sat_attached {
	sat_attachment file; /* its spans lie in the arena */
	sat_file_ref ref;
	const sat_field *field;
	bool here;           /* the content is on this device */
	bool waits;          /* the server has not got it from here yet */
} sat_attached;

/*
 * Add a file: content and reference are durable together when it returns. The
 * name is cleaned (sat_attachment_name).
 * @return SAT_EINVALID (no field for files, too big, too many, ...),
 *         SAT_EDENIED, SAT_ENOTFOUND, SAT_ENOSPACE, ...; nothing is kept then.
 */
SAT_CHECK sat_rc sat_crm_attach(sat_attached *out, sat_arena *a, sat_crm *c,
    const sat_id *rec, sat_span name, sat_span content, sat_err *e);
/* The record names it no more. */
SAT_CHECK sat_rc sat_crm_detach(sat_crm *c, const sat_attached *x, sat_err *e);
/* Those of a record the acting user may see. */
SAT_CHECK sat_rc sat_crm_attached(sat_attached **out, size_t *n, sat_arena *a,
    sat_crm *c, const sat_id *rec, sat_err *e);
/* By the hash, 8 or more digits of its begin, or the name; rec NULL: of any record
 * of this device. SAT_ENOTFOUND; SAT_ECONFLICT: several contents. */
SAT_CHECK sat_rc sat_crm_attached_find(sat_attached *out, sat_arena *a,
    sat_crm *c, const sat_id *rec, const char *text, sat_err *e);
/* Before a content leaves the program: in the audit chain, and as an export
 * where the template says so. */
SAT_CHECK sat_rc sat_crm_attached_taken(sat_crm *c, const sat_attached *x,
    sat_err *e);

#endif
