/*
 * server_page.h - one page of a PULL while it is filled (server_pull.c), and
 * what one position gives to it (server_page.c). Inside of the room.
 *
 * All of it lives in the transaction's arena.
 */
#ifndef SAT_PROTOCOL_SERVER_PAGE_H
#define SAT_PROTOCOL_SERVER_PAGE_H

#include "protocol/server_int.h"

typedef struct entry {
	uint64_t lsn;
	uint32_t root;
} entry;

typedef struct page {
	sat_server *s;
	sat_server_session *x;
	const sat_user *user;
	sat_keys keys;
	const sat_user **owners; /* whose records the keys see; NULL: not asked yet */
	size_t nowners;
	bool full_own;
	uint64_t cursor;      /* entries up to it are in the page */
	size_t bytes, bytes_max, nops;
	size_t echoed;        /* bytes of echoes, which only the batch has */
	size_t coming;        /* of the commit whose operations are looked at */
	bool full, alone;     /* alone: one position, whatever it comes to */
	size_t looked;        /* positions, also those that gave nothing */
	sat_commit *c;
	size_t n, cap;
	sat_rescope *rs;      /* lsn 0 in `held` until the page ends */
	uint32_t *roots;
	size_t nrs, rs_cap;
	uint32_t unnamed;     /* the last root whose names did not fit */
	states st;
	sat_hlc max_eff;
	entry *win;
	size_t nwin;
	bool more;
} page;

/* The commit at a position, without what the device may not see; its own are
 * only named. Nothing for it there: the page stays as it is. `full` when it does
 * not fit: it opens the next page. A page that is `alone` is never full: what does
 * not fit there the device fetches by its sums (P-184). */
SAT_CHECK sat_rc sat_srv_page_commit(page *p, uint64_t lsn, sat_err *e);
/* All of a customer as it is now, once per page; `full` as above. */
SAT_CHECK sat_rc sat_srv_page_rescope(page *p, uint64_t lsn, uint32_t root,
    sat_err *e);

#endif
