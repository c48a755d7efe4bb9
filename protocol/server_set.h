/*
 * server_set.h - the working set of one transaction. Inside of the room, of the
 * thread that owns the server.
 */
#ifndef SAT_PROTOCOL_SERVER_SET_H
#define SAT_PROTOCOL_SERVER_SET_H

#include "protocol/server_state.h"

/* server_set.c */
void sat_set_reset(sat_server *s);
void sat_set_forget(sat_server *s); /* the root cache too */
/* Is it time to write what has changed and begin anew? */
bool sat_set_full(const sat_server *s);
/* *w has exists false when there is none. Pointers live until the
 * transaction ends. */
SAT_CHECK sat_rc sat_set_by_id(wrec **w, sat_server *s, const sat_id *id, sat_err *e);
SAT_CHECK sat_rc sat_set_by_eid(wrec **w, sat_server *s, uint32_t eid, sat_err *e);
/* It is asked for next, by its id or number; NULL: not known. */
void sat_set_near(sat_server *s, wrec *w);
/* The same of a row a scan lends. */
wrec *sat_set_of_row(sat_server *s, const sat_rec_row *row);
SAT_CHECK sat_rc sat_set_decode(wrec *w, sat_server *s, sat_err *e);
/* A record that was absent is made by the commit that is being worked on; there
 * is an eid left. */
void sat_set_born(sat_server *s, wrec *w, uint16_t kind);
/* Gives a fresh record its place among the eids. */
void sat_set_index(sat_server *s, wrec *w);
void sat_set_unindex(sat_server *s, wrec *w); /* it was never born */
void sat_set_dirty(sat_server *s, wrec *w);
SAT_CHECK sat_rc sat_set_root(wroot **r, sat_server *s, uint32_t eid, bool fresh, sat_err *e);
/* It is asked for in a moment: sends for what leads to it. */
void sat_set_root_soon(const sat_server *s, uint32_t eid);
/* The store has the keys that are live in r: for the cache. */
void sat_set_root_stored(sat_server *s, const wroot *r);
wkey *sat_set_key(sat_server *s, wroot *r, sat_scope_key key);
SAT_CHECK sat_rc sat_set_member(wkey *k, sat_server *s, const wroot *r, sat_err *e);
void sat_set_root_dirty(sat_server *s, wroot *r);
/* The records the store has below a root, in the order of their eids, read once
 * until something is written: many operations on one large customer walk through
 * them. By now one may stand below another root. */
SAT_CHECK sat_rc sat_set_rows(wroot **r, sat_server *s, uint32_t eid, sat_err *e);
/* Roots a key is live for, with what this transaction changed. */
SAT_CHECK sat_rc sat_set_roots_count(uint64_t *n, sat_server *s,
    sat_scope_key key, sat_err *e);

/* server_flush.c */
SAT_CHECK sat_rc sat_set_flush(sat_server *s, sat_err *e);
/* In the midst of a transaction: all that has changed so far is in the store. */
SAT_CHECK sat_rc sat_set_settle(sat_server *s, sat_err *e);
/* The same, and all memory of the transaction is given back: no record that was
 * asked for before is there. */
SAT_CHECK sat_rc sat_set_spill(sat_server *s, sat_err *e);
/* The records alone: nothing but their states has changed. */
SAT_CHECK sat_rc sat_set_flush_recs(sat_server *s, sat_err *e);

#endif
