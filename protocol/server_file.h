/*
 * server_file.h - contents of attachments (P-440 to P-449). Inside of the room.
 */
#ifndef SAT_PROTOCOL_SERVER_FILE_H
#define SAT_PROTOCOL_SERVER_FILE_H

#include "protocol/server_int.h"

/* server_file.c: FILE_PUT, which commits by itself, and FILE_GET (P-440). */
SAT_CHECK sat_rc sat_srv_file_put(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_file_put *in, sat_buf *reply, sat_err *e);
SAT_CHECK sat_rc sat_srv_file_get(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_file_get *in, sat_buf *reply, sat_err *e);
/* Contents that no record has named for a month go (P-447). A rule that runs by
 * time, once a day. */
SAT_CHECK sat_rc sat_srv_files_tidy(sat_server *s, int64_t now_ms, sat_err *e);
/* Is every content what its hash says? */
SAT_CHECK sat_rc sat_srv_files_check(sat_server *s, sat_err *e);

/* server_file_hand.c: contents that suggestions name (P-449). */
/* Does a suggestion of this device (0 = of any) on w name it, with this length (0
 * = any)? */
SAT_CHECK sat_rc sat_srv_file_suggested(bool *yes, sat_server *s, wrec *w,
    uint32_t dev, const uint8_t *hash, uint64_t bytes, sat_err *e);
/* The record that gets what this device suggested; NULL: it suggested none.
 * named: the record in `in` names it by now. */
SAT_CHECK sat_rc sat_srv_file_carrier(wrec **on, sat_server *s, uint32_t dev,
    const sat_file_put *in, bool named, sat_err *e);
/* Accepted: records that a suggestion taken over names contents in get them. */
SAT_CHECK sat_rc sat_srv_files_taken_over(const judging *j, const merging *m,
    sat_err *e);

#endif
