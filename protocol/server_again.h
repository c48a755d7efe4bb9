/*
 * server_again.h - a commit that is pushed again to a restored server. Inside
 * of the room.
 */
#ifndef SAT_PROTOCOL_SERVER_AGAIN_H
#define SAT_PROTOCOL_SERVER_AGAIN_H

#include "protocol/server_int.h"

typedef struct pushed_again {
	sat_commit c;      /* without what a state holds already */
	size_t *op_at;     /* places of its ops in the whole one */
	wrec **held;       /* records whose state holds it */
	size_t nheld;
	sat_buf ops;       /* which of its ops that are, uint each */
} pushed_again;

/* Which of the commit's operations are in a state that was given back. `g` is
 * zero before, and free with sat_srv_again_fini, also after a failure. */
SAT_CHECK sat_rc sat_srv_again_reduce(pushed_again *g, sat_server *s,
    const admission *a, sat_err *e);
/* It is logged at a->v->lsn: the log says what was not folded. */
SAT_CHECK sat_rc sat_srv_again_mark(pushed_again *g, sat_server *s,
    admission *a, sat_err *e);
void sat_srv_again_fini(pushed_again *g);

#endif
