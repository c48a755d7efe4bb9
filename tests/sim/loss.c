/*
 * loss --seed N [--count K] [--trace]
 *
 * The server's disk is lost, at random times, up to three in a history; it
 * comes back from its last backup, or, when there is none, from the kit that
 * holds people and devices only, and the devices give back the rest.
 *
 * Every commit of a person adds a tag nobody else has and one to a counter.
 * So in the end each record says itself what is lost (a tag that is missing)
 * and what counts twice (a counter above the number of tags).
 *
 * Now and then a device dies with the server. What it had written is asked for
 * only when the backup or another device had it.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/args.h"
#include "tests/sweep/sweep.h"

#define WRITES_MAX 400
#define RECORDS_MAX 48
#define ROUNDS 3
#define LOSSES_MAX 3
#define EXCHANGES_MAX 80
#define BACKUP "kept.db"

#define COUNTS(X)                                                             \
	X(histories) X(writes) X(sessions) X(broken) X(backups) X(losses)     \
	X(from_backup) X(from_kit) X(twice) X(dead) X(gone_with_it)           \
	X(server_killed) X(device_killed) X(unheard) X(refused) X(fresh)

enum {
#define X(name) C_##name,
	COUNTS(X)
#undef X
	N_COUNTS
};
static const char *const count_names[] = {
#define X(name) #name,
	COUNTS(X)
#undef X
};
static uint64_t counts[N_COUNTS];
#define TICK(name) (counts[C_##name]++)

typedef struct written {
	int dev, rec;
	char tag[16];
	uint64_t cseq;
	bool answered; /* its author was told so, by some server */
	bool backed; /* in the backup a server may come back from */
	bool excused; /* only its author had it, and he is gone */
} written;

typedef struct history {
	lab *L;
	uint64_t rand;
	bool trace;
	sat_id rec[RECORDS_MAX];
	int nrecs;
	written w[WRITES_MAX];
	int nw;
	bool dead[NDEVS];
	sat_buf backup;  /* as it lies elsewhere */
	bool kit;        /* it holds no records */
	int losses;
	char why[600];
	jmp_buf on_fail;
} history;

static uint64_t
draw(history *h, uint64_t below)
{
	uint64_t z = h->rand += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % below;
}

static void fail(history *h, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
static void
fail(history *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(h->why, sizeof h->why, fmt, ap);
	va_end(ap);
	longjmp(h->on_fail, 1);
}

static void say(const history *h, const char *fmt, ...) SAT_PRINTF(2, 3);
static void
say(const history *h, const char *fmt, ...)
{
	va_list ap;

	if (!h->trace)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

/* ---- what a record says ------------------------------------------------------------- */

static bool
has_tag(const sat_record *r, sat_arena *a, const char *tag)
{
	const sat_cell *c = sat_record_cell(r, A_TAGS);
	sat_element *el;
	size_t n = c != NULL ? sat_cell_elements(&el, a, c) : 0;

	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, sat_span_str(tag)))
			return true;
	return false;
}

/* The view of a device; false: it does not hold the record. */
static bool
view_of(history *h, int dev, int rec, sat_view *v)
{
	sat_replica *r = h->L->dev[dev].r;
	sat_err e = { 0 };
	sat_rc rc;

	if (sat_replica_template(r) == NULL)
		return false;
	rc = sat_replica_get(v, &h->L->a, r, sat_template_kind_id(
	    sat_replica_template(r), K_ACCOUNT), &h->rec[rec], &e);
	if (rc != SAT_OK && rc != SAT_ENOTFOUND)
		fail(h, "device %d cannot read record %d: %s", dev, rec,
		    e.text);
	return rc == SAT_OK;
}

typedef struct finder {
	const sat_id *id;
	sat_record rec;
	sat_arena *a;
	bool found;
} finder;

static void
on_state(void *u, const sat_id *id, sat_span state)
{
	finder *f = u;
	sat_err e;

	if (!sat_id_eq(id, f->id))
		return;
	f->found = sat_record_read(&f->rec, f->a, sat_span_of(sat_arena_dup(
	    f->a, state.p, state.n), state.n), &e) == SAT_OK;
}

static bool
server_has(history *h, int rec, sat_record *out)
{
	finder f = { .id = &h->rec[rec], .a = &h->L->a };
	sat_err e = { 0 };

	if (sat_server_dump(h->L->server, NULL, on_state, &f, &e) != SAT_OK)
		fail(h, "no dump of the server: %s", e.text);
	*out = f.rec;
	return f.found;
}

/* ---- people ---------------------------------------------------------------------------- */

static sat_op
op(sat_op_kind kind, const sat_id *id, uint16_t field, sat_value v)
{
	return (sat_op){ .kind = kind, .rec = *id, .rtype = K_ACCOUNT,
		.field = field, .value = v };
}

static sat_value
text(const char *s)
{
	return sat_v_text(sat_span_str(s));
}

static void
write_something(history *h, int dev)
{
	static const char *const owners[] = { "ann", "bob", "hq" };
	lab_dev *d = &h->L->dev[dev];
	written *w = &h->w[h->nw];
	sat_draft draft = { 0 };
	sat_op ops[8];
	sat_view v;
	size_t n = 0;
	uint64_t cseq;
	sat_err e = { 0 };

	if (h->nw == WRITES_MAX || sat_replica_template(d->r) == NULL)
		return;
	w->dev = dev;
	w->rec = (int)draw(h, (uint64_t)h->nrecs + 1);
	(void)snprintf(w->tag, sizeof w->tag, "t%d.%d", dev, h->nw);
	if (w->rec == h->nrecs) {
		if (h->nrecs == RECORDS_MAX)
			return;
		h->rec[w->rec] = sat_replica_new_id(d->r);
		ops[n++] = op(SAT_OP_NEW, &h->rec[w->rec], 0, sat_v_null());
		ops[n++] = op(SAT_OP_MVSET, &h->rec[w->rec], A_NAME,
		    text("A customer"));
		ops[n++] = op(SAT_OP_SET, &h->rec[w->rec], A_OWNER,
		    text(owners[dev == BOB ? 1 : draw(h, 2)]));
		ops[n++] = op(SAT_OP_STAGE, &h->rec[w->rec], A_STAGE,
		    text("first_contact"));
	} else if (!view_of(h, dev, w->rec, &v) || v.leaving ||
	    v.rec.deleted) {
		return;
	}
	ops[n++] = op(SAT_OP_SADD, &h->rec[w->rec], A_TAGS, text(w->tag));
	ops[n++] = op(SAT_OP_ADD, &h->rec[w->rec], A_VISITS, sat_v_int(1));
	if (draw(h, 3) == 0)
		ops[n++] = op(SAT_OP_SET, &h->rec[w->rec], A_REMARK,
		    text(w->tag));
	if (draw(h, 4) == 0 && w->rec < h->nrecs)
		ops[n++] = op(SAT_OP_MVSET, &h->rec[w->rec], A_NAME,
		    text(w->tag));
	draft.subject = h->rec[w->rec];
	draft.ops = ops;
	draft.nops = n;
	if (sat_replica_write(d->r, &draft, &cseq, &e) != SAT_OK)
		fail(h, "device %d cannot write: %s", dev, e.text);
	w->cseq = cseq;
	w->backed = w->excused = w->answered = false;
	h->nrecs += w->rec == h->nrecs;
	h->nw++;
	TICK(writes);
	say(h, "%s writes %s into %d as %llu", d->m.name, w->tag, w->rec,
	    (unsigned long long)cseq);
}

/* What the server said, for the trace. */
static void
say_reply(history *h)
{
	sat_span f = sat_buf_span(&h->L->t.reply);
	sat_msg m;
	sat_err e;

	if (!h->trace || sat_msg_read(&m, &h->L->a, f, &e) != SAT_OK)
		return;
	say(h, "    asked %d, told %d", h->L->t.request.p[0], (int)m.type);
	if (m.type == SAT_MSG_DELTA)
		say(h, "    page to %llu of %llu",
		    (unsigned long long)m.u.delta.upto,
		    (unsigned long long)m.u.delta.scope_head);
	for (size_t i = 0; m.type == SAT_MSG_VERDICTS && i < m.u.verdicts.n;
	    i++)
		say(h, "    %llu: code %d, at %llu %.*s",
		    (unsigned long long)m.u.verdicts.v[i].cseq,
		    (int)m.u.verdicts.v[i].code,
		    (unsigned long long)m.u.verdicts.v[i].lsn,
		    (int)m.u.verdicts.v[i].slug.n,
		    (const char *)m.u.verdicts.v[i].slug.p);
	if (m.type == SAT_MSG_VERDICTS && m.u.verdicts.need_cseq != 0)
		say(h, "    needs %llu%s",
		    (unsigned long long)m.u.verdicts.need_cseq,
		    m.u.verdicts.fork ? ", fork" : "");
}

static void
note_answers(history *h, int dev)
{
	sat_msg m;
	sat_err e;

	if (sat_msg_read(&m, &h->L->a, sat_buf_span(&h->L->t.reply), &e) !=
	    SAT_OK || m.type != SAT_MSG_VERDICTS)
		return;
	for (size_t i = 0; i < m.u.verdicts.n; i++)
		for (int k = 0; k < h->nw; k++)
			h->w[k].answered |= h->w[k].dev == dev &&
			    h->w[k].cseq == m.u.verdicts.v[i].cseq;
}

static void
say_request(history *h)
{
	sat_msg m;
	sat_err e;

	if (!h->trace || sat_msg_read(&m, &h->L->a, sat_buf_span(
	    &h->L->t.request), &e) != SAT_OK)
		return;
	if (m.type == SAT_MSG_HELLO)
		say(h, "    hello, epoch %llu, cursor %llu",
		    (unsigned long long)m.u.hello.epoch,
		    (unsigned long long)m.u.hello.cursor);
	if (m.type == SAT_MSG_PULL)
		say(h, "    pulls from %llu",
		    (unsigned long long)m.u.pull.cursor);
	if (m.type == SAT_MSG_PUSH)
		say(h, "    pushes from %llu of %u, gap %d",
		    (unsigned long long)m.u.push.first_cseq,
		    m.u.push.incarnation, (int)m.u.push.gap);
}

/* most: exchanges before the link breaks; a reply may be lost with it. */
static sat_rc
talk_some(history *h, int dev, int most, sat_err *e)
{
	lab *L = h->L;
	sat_rc rc = SAT_OK;

	talk_begin(L, &L->dev[dev]);
	for (int i = 0; i < most && rc == SAT_OK; i++) {
		if ((rc = talk_request(L, e)) != SAT_OK || L->t.done ||
		    (say_request(h), false) ||
		    (rc = talk_serve(L, e)) != SAT_OK)
			break;
		say_reply(h);
		if (i + 1 < most || draw(h, 2) == 0) {
			rc = talk_reply(L, e);
			note_answers(h, dev);
		}
	}
	if (rc == SAT_OK && most == EXCHANGES_MAX && !L->t.done)
		rc = sat_fail(e, SAT_EFAIL, "it does not end");
	talk_end(L);
	return rc;
}

static void
session(history *h, int dev, bool whole)
{
	lab *L = h->L;
	int most = whole ? EXCHANGES_MAX : 1 + (int)draw(h, 6);
	sat_err e = { 0 };

	if (h->dead[dev])
		return;
	TICK(sessions);
	if (!whole)
		TICK(broken);
	say(h, "%s session%s", L->dev[dev].m.name, whole ? "" : ", broken");
	if (talk_some(h, dev, most, &e) != SAT_OK)
		fail(h, "a session of %s fails: %s (%s)", L->dev[dev].m.name,
		    e.text, e.hint);
}

/* ---- the server's life --------------------------------------------------------------------- */

static void
open_server(history *h)
{
	sat_err e = { 0 };

	if (lab_open_server(h->L, false, &e) != SAT_OK)
		fail(h, "the server does not open: %s", e.text);
}

static void
close_server(lab *L, bool orderly)
{
	sat_server_free(L->server);
	if (orderly)
		sat_sqlite_store_close(L->store);
	else
		sat_sqlite_store_abandon(L->store);
	L->server = NULL;
	L->store = NULL;
}

static void
take_away(history *h)
{
	simfs *fs = h->L->srv.fs;
	size_t n;
	const uint8_t *p = simfs_bytes(&n, fs, BACKUP);

	sat_buf_reset(&h->backup);
	sat_buf_add(&h->backup, p, n);
	simfs_remove(fs, BACKUP);
	simfs_remove(fs, BACKUP "-wal");
}

static void
back_up(history *h)
{
	lab *L = h->L;
	uint64_t lsn;
	sat_record r;
	sat_err e = { 0 };

	if (sat_sqlite_store_backup(&lsn, L->store, BACKUP, &e) != SAT_OK)
		fail(h, "no backup: %s", e.text);
	take_away(h);
	h->kit = false;
	for (int i = 0; i < h->nw; i++)
		h->w[i].backed = h->w[i].backed || (server_has(h,
		    h->w[i].rec, &r) && has_tag(&r, &L->a, h->w[i].tag));
	if (draw(h, 4) != 0 && (sat_sqlite_mark_durable(L->store, lsn, &e) !=
	    SAT_OK || sat_server_reload(L->server, &e) != SAT_OK))
		fail(h, "not marked: %s", e.text);
	TICK(backups);
	say(h, "backup up to %llu", (unsigned long long)lsn);
}

static void
make_kit(history *h)
{
	lab *L = h->L;
	sat_sqlite_store_opts o = { .path = BACKUP, .keyring = L->srv.ring,
		.vfs_below = simfs_name(L->srv.fs),
		.clock = lab_clock(&L->srv), .cache_kib = 512 };
	sat_sqlite_store *s = NULL;
	uint64_t lsn;
	sat_err e = { 0 };

	if (sat_sqlite_store_backup(&lsn, L->store, BACKUP, &e) != SAT_OK ||
	    sat_sqlite_store_open(&s, &o, &e) != SAT_OK ||
	    sat_sqlite_registry_only(s, &e) != SAT_OK)
		fail(h, "no kit: %s", e.text);
	sat_sqlite_store_close(s);
	take_away(h);
	h->kit = true;
	for (int i = 0; i < h->nw; i++)
		h->w[i].backed = false;
	say(h, "kit at %llu", (unsigned long long)lsn);
}

static void
begin_epoch(history *h)
{
	lab *L = h->L;
	uint64_t above = 0, before = 0;
	sat_epoch c = { .org = L->org, .began_ms = L->now_ms,
		.until_ms = L->now_ms + 30ll * 86400000,
		.seed_roles = SAT_SEED_HQ | SAT_SEED_MANAGER };
	sat_err e = { 0 };

	if (sat_sqlite_epoch_base(&c.base_lsn, &above, &c.base_eid, &before,
	    L->store, &e) != SAT_OK)
		fail(h, "no base of the epoch: %s", e.text);
	/* Two restores of one backup are not the same epoch, nor do their
	 * positions meet (restore --skip). */
	c.epoch = (uint64_t)(L->now_ms / 1000) > before ?
	    (uint64_t)(L->now_ms / 1000) : before + 1;
	c.first_lsn = above + SAT_EPOCH_SKIP * (uint64_t)(2 * h->losses - 1);
	sat_epoch_sign(&c, L->root_sk);
	if (sat_sqlite_epoch_begin(L->store, &c, &e) != SAT_OK)
		fail(h, "no epoch: %s", e.text);
	say(h, "epoch %llu: from %llu on, behind %llu",
	    (unsigned long long)c.epoch, (unsigned long long)c.first_lsn,
	    (unsigned long long)c.base_lsn);
}

/* What is nowhere but on a device that dies now. */
static void
excuse(history *h, int dying)
{
	sat_view v;

	for (int i = 0; i < h->nw; i++) {
		written *w = &h->w[i];
		bool known = w->backed;

		if (w->dev != dying || w->excused)
			continue;
		/* headquarters and managers give back what they hold */
		for (int d = 0; d < RAW && !known; d++)
			known = d != dying && d != BOB && !h->dead[d] &&
			    view_of(h, d, w->rec, &v) &&
			    has_tag(&v.rec, &h->L->a, w->tag);
		w->excused = !known;
		if (!known)
			TICK(gone_with_it);
	}
}

static void
lose_device(history *h)
{
	int dying = draw(h, 2) == 0 ? ANN : BOB;

	if (h->dead[ANN] || h->dead[BOB])
		return;
	excuse(h, dying);
	h->dead[dying] = true;
	TICK(dead);
	say(h, "%s dies too", h->L->dev[dying].m.name);
}

/* Accepted, and lost before its author heard of it: he does not know its
 * position, and says it again as if it were new. */
static void
note_unheard(history *h)
{
	sat_record r;

	for (int i = 0; i < h->nw; i++) {
		written *w = &h->w[i];

		if (!w->answered && server_has(h, w->rec, &r) &&
		    has_tag(&r, &h->L->a, w->tag)) {
			TICK(unheard);
			say(h, "its author never heard: %s", w->tag);
		}
	}
}

static void
lose_server(history *h)
{
	lab *L = h->L;

	TICK(losses);
	h->losses++;
	if (h->losses == 2)
		TICK(twice);
	say(h, "the server's disk is lost");
	note_unheard(h);
	close_server(L, false);
	simfs_wipe(L->srv.fs);
	if (draw(h, 4) == 0)
		lose_device(h);
	simfs_put(L->srv.fs, "server.db", h->backup.p, h->backup.n);
	if (h->kit)
		TICK(from_kit);
	else
		TICK(from_backup);
	open_server(h);
	begin_epoch(h);
	close_server(L, true); /* its core began in the old epoch */
	open_server(h);
	/* What comes next must not begin where this epoch does: two orders
	 * from one backup know nothing of each other. */
	if (h->kit)
		make_kit(h);
	else
		back_up(h);
}

/* ---- steps ------------------------------------------------------------------------------------ */

static void
restart_device(history *h, int dev)
{
	lab_dev *d = &h->L->dev[dev];
	sat_err e = { 0 };

	if (h->dead[dev])
		return;
	TICK(device_killed);
	sat_replica_abandon(d->r);
	d->r = NULL;
	if (draw(h, 2) == 0)
		simfs_crash(d->m.fs);
	if (lab_open_device(h->L, d, &e) != SAT_OK)
		fail(h, "%s does not open: %s", d->m.name, e.text);
}

static void
step(history *h)
{
	lab *L = h->L;
	int dev = (int)draw(h, RAW);
	uint64_t what = draw(h, 100);

	sat_arena_reset(&L->a);
	L->now_ms += (int64_t)draw(h, draw(h, 20) == 0 ? 86400000 : 60000);
	if (h->dead[dev])
		return;
	if (what < 55) {
		write_something(h, dev);
	} else if (what < 85) {
		session(h, dev, draw(h, 3) != 0);
	} else if (what < 89) {
		back_up(h);
	} else if (what < 93) {
		TICK(server_killed);
		close_server(L, false);
		if (draw(h, 2) == 0)
			simfs_crash(L->srv.fs);
		open_server(h);
	} else if (what < 97) {
		restart_device(h, dev);
	} else if (h->losses < LOSSES_MAX) {
		lose_server(h);
	}
}

/* ---- the end -------------------------------------------------------------------------------------- */

static bool
is_quarantined(history *h, const written *w)
{
	sat_quarantined *q;
	size_t n;
	sat_err e = { 0 };

	if (h->dead[w->dev])
		return false;
	if (sat_replica_quarantine(&q, &n, &h->L->a, h->L->dev[w->dev].r,
	    &e) != SAT_OK)
		fail(h, "no quarantine: %s", e.text);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < q[i].commit.nops; k++)
			if (q[i].commit.ops[k].kind == SAT_OP_SADD &&
			    sat_span_eq(q[i].commit.ops[k].value.s,
			    sat_span_str(w->tag)))
				return true;
	return false;
}

static void
check_record(history *h, int rec)
{
	int64_t visits = 0, want = 0;
	sat_record r;
	bool there = server_has(h, rec, &r);

	for (int i = 0; i < h->nw; i++) {
		const written *w = &h->w[i];

		if (w->rec != rec)
			continue;
		if (there && has_tag(&r, &h->L->a, w->tag)) {
			want++;
			continue;
		}
		if (is_quarantined(h, w))
			TICK(refused);
		else if (!w->excused)
			fail(h, "lost: %s, written into record %d by %s%s",
			    w->tag, rec, h->L->dev[w->dev].m.name,
			    h->dead[w->dev] ? ", which is gone" : "");
	}
	if (there)
		visits = sat_record_value(&r, A_VISITS).i;
	if (visits != want)
		fail(h, "record %d counts %lld visits, %lld were written", rec,
		    (long long)visits, (long long)want);
}

static void
hash_state(void *u, const sat_id *id, sat_span state)
{
	sat_hasher *s = u;

	sat_hasher_add(s, sat_span_of(id->b, sizeof id->b));
	sat_hasher_add(s, state);
}

static void
check_same(history *h, int dev, const char *user)
{
	lab *L = h->L;
	uint8_t here[SAT_HASH_BYTES], there[SAT_HASH_BYTES];
	sat_replica_status st;
	sat_hasher s;
	sat_err e = { 0 };

	sat_hasher_init(&s, (sat_span){ NULL, 0 });
	if (sat_replica_dump(L->dev[dev].r, hash_state, &s, &e) != SAT_OK)
		fail(h, "no dump: %s", e.text);
	sat_hasher_done(&s, here);
	sat_hasher_init(&s, (sat_span){ NULL, 0 });
	if (sat_server_dump(L->server, sat_registry_user(sat_server_registry(
	    L->server), sat_span_str(user)), hash_state, &s, &e) != SAT_OK)
		fail(h, "no dump: %s", e.text);
	sat_hasher_done(&s, there);
	if (memcmp(here, there, sizeof here) != 0)
		fail(h, "%s and the server differ", L->dev[dev].m.name);
	if (sat_replica_status_get(&st, L->dev[dev].r, &e) != SAT_OK ||
	    sat_replica_check(L->dev[dev].r, false, &e) != SAT_OK)
		fail(h, "%s: %s", L->dev[dev].m.name, e.text);
	if (st.pending_commits != 0)
		fail(h, "%s still waits for %lld answers", L->dev[dev].m.name,
		    (long long)st.pending_commits);
}

/* A device made now gets what the others have. */
static void
check_fresh(history *h)
{
	lab *L = h->L;
	sat_enrolled in;
	sat_err e = { 0 };

	TICK(fresh);
	if (talk_enrol(L, &L->dev[RAW], &in, &e) != SAT_OK ||
	    sat_replica_enrolled(L->dev[RAW].r, &in, &e) != SAT_OK ||
	    talk_whole(L, &L->dev[RAW], &e) != SAT_OK)
		fail(h, "a new device: %s", e.text);
	check_same(h, RAW, "bob");
}

static void
check_end(history *h)
{
	static const char *const users[] = { "ann", "bob", "hq" };
	lab *L = h->L;
	uint64_t commits, records;
	sat_err e = { 0 };

	for (int round = 0; round < ROUNDS; round++)
		for (int d = 0; d < RAW; d++)
			session(h, d, true);
	for (int d = 0; d < RAW; d++)
		if (!h->dead[d])
			check_same(h, d, users[d]);
	for (int i = 0; i < h->nrecs; i++) {
		sat_arena_reset(&L->a);
		check_record(h, i);
	}
	check_fresh(h);
	if (sat_server_verify(L->server, &commits, &records, &e) != SAT_OK ||
	    sat_sqlite_store_check(L->store, false, &e) != SAT_OK)
		fail(h, "the server: %s", e.text);
}

static void
run(history *h)
{
	lab *L = h->L;
	int steps = 40 + (int)draw(h, 120);
	sat_err e = { 0 };

	lab_restore(L);
	open_server(h);
	for (int i = 0; i < NDEVS; i++)
		if (lab_open_device(L, &L->dev[i], &e) != SAT_OK)
			fail(h, "does not open: %s", e.text);
	make_kit(h);
	for (int i = 0; i < steps; i++)
		step(h);
	if (h->losses == 0)
		lose_server(h);
	check_end(h);
	TICK(histories);
}

/* The lab's own past must come back as well; a history that failed leaves its
 * handles behind. */
static bool
one(lab *L, uint64_t seed, bool trace)
{
	history *h = sat_xcalloc(1, sizeof *h);
	bool good;

	h->L = L;
	h->trace = trace;
	h->rand = seed * 0x2545f4914f6cdd1dull + 99;
	good = setjmp(h->on_fail) == 0;
	if (good) {
		run(h);
		lab_close(L);
	} else {
		(void)printf("FAIL seed %llu: %s\n  %s/tests/sim/loss --seed "
		    "%llu --trace\n", (unsigned long long)seed, h->why,
		    getenv("SAT_BUILD") != NULL ? getenv("SAT_BUILD") :
		    "build", (unsigned long long)seed);
		lab_abandon(L);
	}
	sat_buf_fini(&h->backup);
	free(h);
	return good;
}

static const sat_opt options[] = {
	{ "seed", 's', "N", "first seed" },
	{ "count", 'n', "N", "how many histories" },
	{ "trace", 't', NULL, "print what happens" },
	{ "counters", 0, "FILE", "write the counters, one a line" },
	{ NULL, 0, NULL, NULL },
};

static void
quiet(void *u, sat_level level, const char *line)
{
	(void)u;
	(void)level;
	(void)line;
}

static int
write_counts(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return 2;
	for (size_t i = 0; i < N_COUNTS; i++) /* 1: at least one per 1,000 */
		(void)fprintf(f, "%s %llu 1\n", count_names[i],
		    (unsigned long long)counts[i]);
	return fclose(f) == 0 ? 0 : 2;
}

int
main(int argc, char **argv)
{
	static lab L;
	uint64_t passed = 0, failed = 0;
	int64_t seed, count;
	sat_args args;
	sat_err e = { 0 };

	if (sat_args_parse(&args, argc - 1, argv + 1, options, NULL, &e) !=
	    SAT_OK || sat_args_int(&seed, &args, "seed", 1, &e) != SAT_OK ||
	    sat_args_int(&count, &args, "count", 1, &e) != SAT_OK) {
		(void)fprintf(stderr, "loss: %s\n", e.text);
		return 2;
	}
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 28);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	sat_crypto_init();
	sat_log_sink(quiet, NULL);
	sim_template_init();
	lab_init(&L);
	for (int64_t i = 0; i < count && failed < 5; i++)
		if (one(&L, (uint64_t)(seed + i), sat_args_has(&args, "trace")))
			passed++;
		else
			failed++;
	for (size_t i = 0; i < N_COUNTS; i++)
		(void)printf("%12llu  %s\n", (unsigned long long)counts[i],
		    count_names[i]);
	(void)printf("%llu passed, %llu failed\n", (unsigned long long)passed,
	    (unsigned long long)failed);
	if (sat_args_get(&args, "counters") != NULL &&
	    write_counts(sat_args_get(&args, "counters")) != 0)
		return 2;
	return failed == 0 ? 0 : 1;
}
