/*
 * server_dump.c - the states of all records, or of those a user sees, by id.
 */
#include "protocol/server_int.h"

#include <stdlib.h>
#include <string.h>

typedef struct dumping {
	sat_server *s;
	sat_keys keys;
	bool all;
	wrec **w;
	size_t n, cap;
	sat_err *e;
	sat_rc rc;
} dumping;

static bool
dump_row(void *u, const sat_rec_row *row)
{
	dumping *d = u;
	wrec *w = sat_set_of_row(d->s, row);
	bool yes = d->all;

	if (!yes && (d->rc = sat_srv_visible(&yes, d->s, w, &d->keys, d->e)) !=
	    SAT_OK)
		return false;
	if (!yes)
		return true;
	if (d->n == d->cap) {
		d->cap = d->cap == 0 ? 16 : d->cap * 2;
		d->w = sat_xrealloc(d->w, d->cap * sizeof *d->w);
	}
	d->w[d->n++] = w;
	return true;
}

static int
by_id(const void *a, const void *b)
{
	const wrec *x = *(wrec *const *)a, *y = *(wrec *const *)b;

	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* As the device gets it (P-155, P-241). */
static sat_rc
dump_one(dumping *d, const wrec *w, void (*cb)(void *cu, const sat_id *id,
    sat_span state), void *cu)
{
	sat_server *s = d->s;
	sat_record r;
	sat_rc rc;

	if ((rc = sat_srv_shown(&r, s, w, &d->keys, d->e)) != SAT_OK)
		return rc;
	sat_buf_reset(&s->scratch);
	sat_record_write(&s->scratch, &r);
	cb(cu, &w->id, sat_buf_span(&s->scratch));
	return SAT_OK;
}

sat_rc
sat_server_dump(sat_server *s, const sat_user *user,
    void (*cb)(void *cu, const sat_id *id, sat_span state), void *cu,
    sat_err *e)
{
	static const uint8_t published[SAT_TEMPLATE_OID_BYTES];

	return sat_server_dump_by(s, user, published, cb, cu, e);
}

sat_rc
sat_server_dump_by(sat_server *s, const sat_user *user,
    const uint8_t template_oid[SAT_TEMPLATE_OID_BYTES],
    void (*cb)(void *cu, const sat_id *id, sat_span state), void *cu,
    sat_err *e)
{
	const sat_store *st = &s->env.store;
	dumping d = { .s = s, .all = user == NULL, .e = e };
	sat_rc rc;

	if ((rc = sat_srv_begin(s, e)) != SAT_OK)
		return rc;
	if (user != NULL && (rc = sat_srv_template_stands(s->tip, s->tip_oid,
	    e)) != SAT_OK) {
		sat_srv_end_read(s);
		return rc;
	}
	if (user != NULL) {
		d.keys = sat_srv_keys(s, user);
		d.keys.mask = sat_srv_mask_by(s, template_oid, user);
	}
	if ((rc = st->rec_scan(st->u, 0, dump_row, &d, e)) == SAT_OK)
		rc = d.rc;
	if (rc == SAT_OK && d.n > 0)
		qsort(d.w, d.n, sizeof *d.w, by_id);
	for (size_t i = 0; i < d.n && rc == SAT_OK; i++)
		rc = dump_one(&d, d.w[i], cb, cu);
	free(d.w);
	sat_srv_end_read(s);
	return rc;
}
