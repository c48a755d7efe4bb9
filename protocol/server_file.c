/*
 * server_file.c - contents of files: taken, handed out, dropped (P-440..P-449).
 *
 * A content belongs to the records it was given to, not to its hash: who wants
 * to have it, or to give it, names a record that names it. The record decides:
 * who sees it and the field may have the content. Who has only the hash learns
 * nothing, not even that the content is here.
 */
#include "protocol/server_file.h"

#include <string.h>

/* A file that was taken away comes back when that is undone. */
#define DAY_MS (24 * 3600 * (int64_t)1000)
#define UNNAMED_MS (30 * DAY_MS)

typedef struct naming { /* a record, and who may have what it names */
	wrec *w;
	bool named;   /* it names the content */
	bool visible; /* to the asker, field and all */
	bool his;     /* the asker's device wrote the reference */
} naming;

/* ---- who names it ----------------------------------------------------------------- */

/* bytes: of the length the asker says; 0 = of any. What somebody else wrote of
 * the same hash with another length stands in nobody's way. */
static void
look_at_cell(naming *n, sat_server *s, const sat_server_session *x,
    const sat_cell *c, bool shown, const uint8_t *hash, uint64_t bytes)
{
	sat_element *el;
	size_t count = sat_cell_elements(&el, &s->txn, c);

	for (size_t i = 0; i < count; i++) {
		sat_attachment file;

		if (!sat_attachment_read(&file, el[i].text) ||
		    memcmp(file.hash, hash, sizeof file.hash) != 0 ||
		    (bytes != 0 && file.bytes != bytes))
			continue;
		n->named = true;
		n->visible = n->visible || shown;
		n->his = n->his || (x != NULL && el[i].dev == x->device);
	}
}

static void
look_at_record(naming *n, sat_server *s, const sat_server_session *x,
    const sat_keys *keys, bool shown, const uint8_t *hash, uint64_t bytes)
{
	const sat_kind *k = sat_srv_kind(s, n->w->kind);

	for (size_t i = 0; k != NULL && i < n->w->r.ncells; i++) {
		const sat_cell *c = &n->w->r.cells[i];
		const sat_field *f = sat_kind_field_id(k, c->field);

		if (f != NULL && f->files)
			look_at_cell(n, s, x, c, shown && (keys == NULL ||
			    sat_mask_field(keys->mask, n->w->kind, f->id) ==
			    NULL), hash, bytes);
	}
}

static sat_rc
find(naming *n, sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_id *rec, const uint8_t *hash,
    uint64_t bytes, sat_err *e)
{
	bool yes = false, pool = false;
	sat_keys keys;
	sat_rc rc;

	*n = (naming){ 0 };
	if ((rc = sat_srv_session_keys(&keys, s, x, user, e)) != SAT_OK ||
	    (rc = sat_set_by_id(&n->w, s, rec, e)) != SAT_OK ||
	    !n->w->exists)
		return rc;
	if ((rc = sat_srv_visible(&yes, s, n->w, &keys, e)) != SAT_OK ||
	    (rc = sat_srv_masked(&pool, s, n->w, &keys, e)) != SAT_OK ||
	    (rc = sat_set_decode(n->w, s, e)) != SAT_OK)
		return rc;
	look_at_record(n, s, x, &keys, yes && !pool, hash, bytes);
	return SAT_OK;
}

/* ---- FILE_PUT --------------------------------------------------------------------- */

static bool
add_piece(void *u, sat_span piece)
{
	sat_hasher_add(u, piece);
	return true;
}

/* P-443: what is whole is kept when it is what its name says. */
static sat_rc
complete(sat_file_fate *fate, sat_server *s, const sat_server_session *x,
    const wrec *w, const sat_file_put *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint8_t hash[SAT_HASH_BYTES];
	sat_hasher h;
	sat_rc rc;

	sat_hasher_init(&h, (sat_span){ NULL, 0 });
	if ((rc = st->file_part_read(st->u, x->device, in->hash, add_piece,
	    &h, e)) != SAT_OK)
		return rc;
	sat_hasher_done(&h, hash);
	*fate = memcmp(hash, in->hash, sizeof hash) == 0 ? SAT_FILE_KEPT :
	    SAT_FILE_REFUSED;
	return *fate == SAT_FILE_KEPT ? st->file_keep(st->u, x->device,
	    in->hash, w->eid, e) : st->file_part_drop(st->u, x->device,
	    in->hash, e);
}

static sat_rc
take(sat_file_taken *out, sat_server *s, const sat_server_session *x,
    const sat_user *user, const wrec *w, const sat_file_put *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	const int64_t now = sat_wall_ms(&s->env.clock);
	/* Nobody can tell of a content whether a lost server had it: its device
	 * offers all (P-443). */
	const sat_spent spent = { .bytes = in->data.n,
		.again = s->epoch.epoch != 0 && now <= s->epoch.until_ms };
	sat_err why = { 0 };
	sat_used used;
	sat_rc rc;

	if ((rc = st->file_part_have(&out->have, st->u, x->device, in->hash,
	    e)) != SAT_OK)
		return rc;
	if (out->have >= in->bytes) { /* begun as one that is longer */
		if ((rc = st->file_part_drop(st->u, x->device, in->hash, e)) !=
		    SAT_OK)
			return rc;
		out->have = 0;
	}
	if (in->data.n == 0 || in->at != out->have)
		return rc;
	rc = sat_srv_quota(&used, s, x->device, user, &spent, &why);
	if (rc == SAT_ENOSPACE) {
		out->fate = SAT_FILE_LATER;
		return SAT_OK;
	}
	if (rc != SAT_OK) {
		if (e != NULL)
			*e = why;
		return rc;
	}
	if ((rc = st->device_used_put(st->u, x->device, &used, e)) != SAT_OK ||
	    (rc = st->file_part_put(st->u, x->device, w->eid, in, now,
	    e)) != SAT_OK)
		return rc;
	out->have = in->at + in->data.n;
	return out->have == in->bytes ? complete(&out->fate, s, x, w, in, e) :
	    SAT_OK;
}

static sat_rc
put(sat_file_taken *out, sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_file_put *in, sat_err *e)
{
	const sat_store *st = &s->env.store;
	naming n;
	wrec *w = NULL; /* gets it */
	bool has = false;
	sat_rc rc;

	if ((rc = find(&n, s, x, user, &in->rec, in->hash, in->bytes,
	    e)) != SAT_OK)
		return rc;
	if (n.named && (n.visible || n.his))
		w = n.w;
	else if ((rc = sat_srv_file_carrier(&w, s, x->device, in, n.named,
	    e)) != SAT_OK)
		return rc;
	if (w == NULL) {
		out->fate = SAT_FILE_REFUSED; /* P-444 */
		return SAT_OK;
	}
	if ((rc = st->file_has(&has, st->u, w->eid, in->hash, e)) != SAT_OK)
		return rc;
	if (has) {
		out->fate = SAT_FILE_KEPT;
		out->have = in->bytes;
		return SAT_OK;
	}
	if ((rc = take(out, s, x, user, w, in, e)) != SAT_OK)
		return rc;
	return sat_srv_commit(s, e); /* P-443: durable, then said */
}

sat_rc
sat_srv_file_put(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_file_put *in, sat_buf *reply, sat_err *e)
{
	sat_msg m = { .type = SAT_MSG_FILE_TAKEN };
	sat_rc rc = put(&m.u.file_taken, s, x, user, in, e);

	if (rc == SAT_ENOSPACE) { /* a disk that is full is no fault of his */
		sat_srv_rollback(s);
		m.u.file_taken = (sat_file_taken){ SAT_FILE_LATER, 0 };
		rc = SAT_OK;
	}
	if (rc == SAT_OK)
		sat_msg_write(reply, &m);
	return rc;
}

/* ---- FILE_GET --------------------------------------------------------------------- */

sat_rc
sat_srv_file_get(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_file_get *in, sat_buf *reply, sat_err *e)
{
	const sat_store *st = &s->env.store;
	sat_msg m = { .type = SAT_MSG_FILE_IS };
	bool has;
	naming n;
	sat_rc rc;

	if ((rc = find(&n, s, x, user, &in->rec, in->hash, 0, e)) != SAT_OK)
		return rc;
	if (!n.named || !n.visible) /* P-445: one answer for all of it */
		return sat_fail_code(e, SAT_ENOTFOUND, "attachment.none", NULL,
		    "the server has no such file for you");
	if ((rc = st->file_has(&has, st->u, n.w->eid, in->hash, e)) != SAT_OK)
		return rc;
	if (!has)
		return sat_fail_code(e, SAT_ENOTFOUND, "attachment.waiting",
		    "it comes with the next sync of who added it",
		    "the content of the file has not reached the server yet");
	rc = st->file_piece(&m.u.file_is, &s->txn, st->u, in->hash, in->at, e);
	if (rc == SAT_OK)
		sat_msg_write(reply, &m);
	return rc;
}

/* ---- what no record names any more -------------------------------------------------- */

typedef struct row {
	int64_t id, unnamed_ms;
	uint8_t hash[SAT_HASH_BYTES];
	uint32_t eid;
} row;
typedef struct rows {
	sat_server *s;
	row *r;
	size_t n, cap;
} rows;

static bool
on_row(void *u, int64_t id, const uint8_t *hash, uint32_t eid,
    int64_t unnamed_ms)
{
	rows *l = u;

	SAT_ARENA_GROW(l->r, l->n, l->cap, &l->s->txn);
	l->r[l->n] = (row){ id, unnamed_ms, { 0 }, eid };
	memcpy(l->r[l->n++].hash, hash, SAT_HASH_BYTES);
	return true;
}

static sat_rc
tidy_one(sat_server *s, const row *x, int64_t now_ms, sat_err *e)
{
	const sat_store *st = &s->env.store;
	naming n = { 0 };
	sat_rc rc;

	/* A number of a store that is gone: nobody has it, or not yet. */
	rc = sat_set_by_eid(&n.w, s, x->eid, e);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		return rc;
	if (rc == SAT_OK && n.w->exists) {
		if ((rc = sat_set_decode(n.w, s, e)) != SAT_OK)
			return rc;
		look_at_record(&n, s, NULL, NULL, false, x->hash, 0);
		if (!n.named && (rc = sat_srv_file_suggested(&n.named, s, n.w,
		    0, x->hash, 0, e)) != SAT_OK)
			return rc;
	}
	if (n.named)
		return x->unnamed_ms == 0 ? SAT_OK :
		    st->file_unnamed(st->u, x->id, 0, e);
	if (x->unnamed_ms == 0)
		return st->file_unnamed(st->u, x->id, now_ms, e);
	return now_ms - x->unnamed_ms < UNNAMED_MS ? SAT_OK :
	    st->file_drop(st->u, x->id, e);
}

sat_rc
sat_srv_files_tidy(sat_server *s, int64_t now_ms, sat_err *e)
{
	const sat_store *st = &s->env.store;
	rows l = { .s = s };
	sat_rc rc;

	if (s->files_ms != 0 && now_ms - s->files_ms < DAY_MS &&
	    now_ms >= s->files_ms)
		return SAT_OK;
	s->files_ms = now_ms;
	if ((rc = st->file_parts_old(st->u, now_ms - UNNAMED_MS, e)) !=
	    SAT_OK || (rc = st->files(st->u, 0, on_row, &l, e)) != SAT_OK)
		return rc;
	for (size_t i = 0; i < l.n && rc == SAT_OK; i++)
		rc = tidy_one(s, &l.r[i], now_ms, e);
	return rc;
}

/* ---- check -------------------------------------------------------------------------- */

sat_rc
sat_srv_files_check(sat_server *s, sat_err *e)
{
	const sat_store *st = &s->env.store;
	uint8_t hash[SAT_HASH_BYTES];
	rows l = { .s = s };
	sat_rc rc = st->files(st->u, 0, on_row, &l, e);

	for (size_t i = 0; i < l.n && rc == SAT_OK; i++) {
		sat_hasher h;

		sat_hasher_init(&h, (sat_span){ NULL, 0 });
		rc = st->file_part_read(st->u, 0, l.r[i].hash, add_piece, &h,
		    e);
		sat_hasher_done(&h, hash);
		if (rc == SAT_OK && memcmp(hash, l.r[i].hash, sizeof hash) != 0)
			rc = sat_fail_code(e, SAT_EINTEGRITY,
			    "attachment.damaged", "restore it from a backup",
			    "the content of a file of record %u is damaged",
			    l.r[i].eid);
	}
	return rc;
}
