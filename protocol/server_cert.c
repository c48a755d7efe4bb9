/*
 * server_cert.c - certificates of the epochs this server knows (P-200).
 */
#include "protocol/server_int.h"

typedef struct cert_list {
	sat_server *s;
	sat_welcome *w;
	sat_rc rc;
	sat_err *e;
} cert_list;

static bool
on_stored(void *u, sat_span cert)
{
	cert_list *l = u;
	sat_server *s = l->s;

	s->epochs = sat_xrealloc(s->epochs, (s->nepochs + 1) *
	    sizeof *s->epochs);
	l->rc = sat_epoch_read(&s->epochs[s->nepochs], cert, l->e);
	s->nepochs += l->rc == SAT_OK;
	return l->rc == SAT_OK;
}

sat_rc
sat_srv_epoch_load(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	cert_list l = { .s = s, .e = e };
	sat_rc rc;

	s->nepochs = 0;
	if ((rc = st->epochs(st->u, 0, on_stored, &l, e)) == SAT_OK &&
	    (rc = l.rc) == SAT_OK && s->nepochs > 0)
		s->epoch = s->epochs[s->nepochs - 1];
	return rc;
}

static bool
on_cert(void *u, sat_span cert)
{
	cert_list *l = u;

	if (l->w->ncerts == SAT_EPOCHS_MAX)
		return false;
	l->w->certs[l->w->ncerts++] = sat_span_of(sat_arena_dup(&l->s->txn,
	    cert.p, cert.n), cert.n);
	return true;
}

sat_rc
sat_srv_certs(sat_server *s, sat_welcome *w, uint64_t after, sat_err *e)
{
	const sat_store *st = &s->env.store;
	cert_list l = { .s = s, .w = w };

	w->ncerts = 0;
	if (s->epoch.epoch <= after)
		return SAT_OK;
	w->certs = sat_arena_alloc(&s->txn, SAT_EPOCHS_MAX * sizeof *w->certs);
	return st->epochs(st->u, after, on_cert, &l, e);
}

void
sat_srv_next_lsn(uint64_t *lsn, const sat_server *s)
{
	for (size_t i = 0; i < s->nepochs; i++)
		if (sat_epoch_lost(&s->epochs[i], *lsn))
			*lsn = s->epochs[i].first_lsn;
}
