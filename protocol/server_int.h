/*
 * server_int.h - what the files of the server's core call of each other.
 */
#ifndef SAT_PROTOCOL_SERVER_INT_H
#define SAT_PROTOCOL_SERVER_INT_H

#include "protocol/bugs.h"
#include "protocol/server_set.h"

/* server_txn.c */
static inline bool
sat_srv_oid_zero(const uint8_t oid[SAT_TEMPLATE_OID_BYTES])
{
	static const uint8_t zero[SAT_TEMPLATE_OID_BYTES];

	return memcmp(oid, zero, sizeof zero) == 0;
}
SAT_CHECK sat_rc sat_srv_begin(sat_server *s, sat_err *e);
SAT_CHECK sat_rc sat_srv_commit(sat_server *s, sat_err *e); /* flushes the set */
void sat_srv_rollback(sat_server *s);
void sat_srv_end_read(sat_server *s); /* nothing was changed */
/* Asked for anew: what was got before may be gone after other lookups. */
void sat_srv_find_tip(sat_server *s);
/* Without its template nobody knows what a role may see or do: then nothing is
 * sent or taken. t: what was found of oid; zero: there is none yet. SAT_EINTEGRITY. */
SAT_CHECK sat_rc sat_srv_template_stands(const sat_template *t, const uint8_t oid[SAT_TEMPLATE_OID_BYTES], sat_err *e);
/* The registry's word on a session, before every request. */
SAT_CHECK sat_rc sat_srv_session_user(const sat_user **user, sat_server *s,
    const sat_server_session *x, sat_err *e);
/* Template NULL: it did not say. */
void sat_srv_seen(sat_server *s, uint32_t dev, uint64_t cursor,
    const uint8_t *template_oid);
/* What a device is due (P-230) that has `have`. */
void sat_srv_due(uint8_t oid[SAT_TEMPLATE_OID_BYTES], sat_server *s,
    uint32_t dev, const sat_user *user,
    const uint8_t have[SAT_TEMPLATE_OID_BYTES]);
const sat_template *sat_srv_template(sat_server *s,
    const uint8_t oid[SAT_TEMPLATE_OID_BYTES]);
/* The scope class of a kind; plain child when no template knows it. */
const sat_kind *sat_srv_kind(const sat_server *s, uint16_t kind);
SAT_CHECK sat_rc sat_srv_chain(chain_slot **c, sat_server *s, uint32_t dev,
    uint32_t inc, sat_err *e);

/* server_chains.c */
SAT_CHECK sat_rc sat_srv_chains_check(sat_server *s, sat_err *e);

/* server_scope.c */
SAT_CHECK sat_rc sat_srv_visible(bool *yes, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e);
bool sat_srv_owned_child(const sat_server *s, uint16_t kind, uint32_t eid,
    uint32_t root);
/* Count the reasons anew after a commit, put its scope entries. */
SAT_CHECK sat_rc sat_srv_rescope(sat_server *s, wrec *touched, uint64_t lsn, sat_err *e);

/* A device's numbering starts with 1; later ones begin with work that was
 * moved there, and a folder copied twice moves it twice (P-074). */
#define SAT_INCARNATION_FIRST 1

/* server_merge.c: a commit on its way into records and log. */
typedef struct echo { /* an operation that another record gets too */
	size_t op;
	wrec *to;
	bool held; /* its state holds it: not folded again (E1), sent to nobody */
} echo;
typedef struct merging {
	sat_server *s;
	const sat_commit *c;
	sat_span header, payload; /* canonical, live as long as the transaction */
	wrec **of;            /* the record of each op */
	size_t *next_op;      /* the next op on the same record, or SIZE_MAX */
	wrec *touched;
	wrec **touched_end;
	uint64_t lsn;
	sat_hlc eff;
	sat_hlc_clamp clamp;
	bool conflict;
	echo *echoes;
	size_t nechoes;
	const size_t *op_at;  /* of each op in the logged commit; NULL = same */
	const sat_old *old;   /* where it stood on servers that are gone; NULL */
} merging;
void sat_merge_init(merging *m, sat_server *s, const sat_commit *c);
SAT_CHECK sat_rc sat_merge_touch(merging *m, wrec *w, size_t op, sat_err *e);
/* The same for a record that no operation names. */
SAT_CHECK sat_rc sat_merge_touch_record(merging *m, wrec *w, sat_err *e);
/* Draw position and stamp; nothing is taken before sat_merge_log. */
/* `since`: the stamp of what its author wrote after it and is logged already; 0
 * = nothing, as of nearly every commit. */
void sat_merge_place(merging *m, sat_hlc prev_eff, sat_hlc since);
SAT_CHECK sat_rc sat_merge_fold(sat_applied *out, merging *m,
    const sat_template *t, size_t op, sat_err *e);
/* server_alias.c: what follows redirects, as they are before the commit; after
 * every op was touched, and folded behind all of them (P-171). */
SAT_CHECK sat_rc sat_merge_echoes(merging *m, sat_err *e);
/* Commit and echoes in one batch? Without echoes every commit does. */
/* A commit that came with `bytes` of operations, echoes among them. */
bool sat_srv_echoed_fits(size_t nops, size_t bytes);
bool sat_merge_echoes_fit(const merging *m);
SAT_CHECK sat_rc sat_merge_fold_echoes(merging *m, const sat_template *t, sat_err *e);
void sat_srv_echoes_write(sat_buf *b, const merging *m);
/* Of the operations that are left (P-397). */
SAT_CHECK sat_rc sat_srv_echoes_read(echo **list, size_t *n, sat_server *s,
    sat_span in, const sat_commit *c, sat_err *e);
/* A commit of the log: what was erased of it is ERASE, or nops is 0. */
SAT_CHECK sat_rc sat_srv_log_read(sat_commit *c, sat_arena *a,
    const sat_log_row *row, sat_err *e);
/* Where a record leads now, itself when nowhere; one step, NULL = none. */
SAT_CHECK sat_rc sat_srv_canon(wrec **out, sat_server *s, wrec *w, sat_err *e);
SAT_CHECK sat_rc sat_srv_redirect(wrec **to, sat_server *s, wrec *w, sat_err *e);
SAT_CHECK sat_rc sat_srv_leads_to(bool *yes, sat_server *s, wrec *from,
    const wrec *target, sat_err *e);
/* The customer a record names as its parent, itself when it names none. */
SAT_CHECK sat_rc sat_srv_top(wrec **out, sat_server *s, wrec *w, sat_err *e);
/* May its payload come once more under another number (P-074)? */
bool sat_srv_may_come_again(const sat_commit *c);
/* Log, hand out, take the position. Fresh records are not fresh any more. */
SAT_CHECK sat_rc sat_merge_log(merging *m, sat_verdict_code code, sat_err *e);

/*
 * server_own.c: a commit of the server itself, in the open transaction, right
 * behind what was logged so far (P-130). Every op names a record that is there,
 * of its kind, or one that a NEW before it makes below the subject, all below
 * one subject; ops, values and dots live until this
 * returns. *lsn is its position. A failure fails the transaction.
 * Pointers to wrec stay valid; their before, touch and ops are another
 * commit's from here on.
 */
SAT_CHECK sat_rc sat_srv_own(sat_server *s, const sat_id *subject, sat_op *ops,
    size_t nops, uint64_t *lsn, sat_err *e);
/* server_alike.c: match keys of the customers this transaction changed, and
 * what their owners are told of each other; before everything is written. */
SAT_CHECK sat_rc sat_srv_alike_flush(sat_server *s, sat_err *e);
/* A customer is about to be erased: whoever was told of it is told no more. */
SAT_CHECK sat_rc sat_srv_alike_erase(sat_server *s, wrec *w, sat_err *e);
/* Another template may name other duplicate keys: all match keys anew, and what
 * owners are told of each other (P-320). A rule that runs by time. */
SAT_CHECK sat_rc sat_srv_alike_adopt(sat_server *s, int64_t now_ms, sat_err *e);
/* Sign what this transaction added; by sat_srv_commit. */
SAT_CHECK sat_rc sat_srv_own_flush(sat_server *s, sat_err *e);
/* server_digest.c: what the dirty records and memberships mean for the sums of
 * the keys; `write` puts a record right after it was counted. Memberships are
 * written after it. */
SAT_CHECK sat_rc sat_srv_digest_flush(sat_server *s, wrec *const *dirty, size_t n,
    sat_rc (*write)(sat_server *s, wrec *w, sat_err *e), sat_err *e);
/* The sum of everything a user's device holds; *has false: it holds nothing. */
SAT_CHECK sat_rc sat_srv_digest_total(bool *has, sat_sum *sum, sat_server *s,
    const sat_keys *keys, const sat_user *user, sat_err *e);
SAT_CHECK sat_rc sat_srv_digest(sat_server *s, sat_server_session *x,
    const sat_digest *in, sat_buf *reply, sat_err *e);
SAT_CHECK sat_rc sat_srv_refetch(sat_server *s, sat_server_session *x,
    const sat_refetch *in, sat_buf *reply, sat_err *e);
/* The sums of all records as they are stored, against those kept. */
SAT_CHECK sat_rc sat_srv_digest_check(sat_server *s, sat_err *e);

/* server_refold.c: fold what was logged above `after` into the records that
 * lack it; in an open transaction, the first of a store. */
SAT_CHECK sat_rc sat_srv_refold(sat_server *s, uint64_t after, sat_err *e);

/* server_number.c: numbers (P-140 to P-145). What a logged commit numbered is
 * registered, or gets its final number by a commit of our own right behind. */
SAT_CHECK sat_rc sat_srv_number(sat_server *s, const merging *m,
    const sat_template *t, sat_err *e);
/* The same for a record that stands as a state given back shows it (P-450). */
SAT_CHECK sat_rc sat_srv_number_given(sat_server *s, const wrec *w, sat_err *e);
/* NUMBERS: grants are durable before the reply (a transaction is open before
 * and after). */
SAT_CHECK sat_rc sat_srv_numbers(sat_server *s, const sat_server_session *x,
    const sat_user *user, const sat_numbers *in, sat_buf *reply, sat_err *e);

/* Is it born again by the commit that touches it (P-281)? */
static inline bool
sat_srv_reborn(const sat_server *s, const wrec *w)
{
	return w->reborn == s->serial;
}

/* server_orphan.c: what a logged commit did to a customer or under it that a
 * person has to decide about (P-255). Own commits may follow right behind. */
SAT_CHECK sat_rc sat_srv_orphans(sat_server *s, const merging *m, sat_err *e);

/* server_admit.c: judge, merge and log one commit, or refuse it. */
typedef struct admission {
	sat_server *s;
	const sat_user *actor;
	const sat_keys *mine; /* the actor's */
	const sat_commit *c;  /* eids resolved, cseq, prev, payload_hash set */
	sat_span header, payload;
	bool unread;          /* its box cannot be opened: no payload (P-363) */
	bool leaving;         /* its device was revoked before it came (P-385) */
	const sat_old *old;   /* where it stood on servers that were lost */
	chain_slot *chain;
	sat_verdict *v;
	sat_verdicts *out;    /* eids of created records are added */
	size_t eids_cap;
} admission;
SAT_CHECK sat_rc sat_srv_admit(sat_server *s, admission *a, sat_err *e);
/* The eids of the records a commit made that was merged before. */
SAT_CHECK sat_rc sat_srv_add_born(sat_server *s, admission *a, sat_err *e);
void sat_srv_add_eid(sat_server *s, admission *a, const sat_id *id, uint32_t eid);

/* server_wipe.c: the answer to a revoked device's HELLO; *ordered false: it is
 * merely revoked, and nothing was written to reply. */
SAT_CHECK sat_rc sat_srv_wipe(bool *ordered, sat_server *s,
    sat_server_session *x, uint32_t ord, uint32_t incarnation, sat_buf *reply,
    sat_err *e);
/* Whose work a device that is leaving brings. */
SAT_CHECK sat_rc sat_srv_leaver(const sat_user **user, const sat_server *s,
    const sat_server_session *x, sat_err *e);
SAT_CHECK sat_rc sat_srv_wiped(sat_server *s, const sat_wiped *in,
    sat_buf *reply, sat_err *e);

/* server_rekey.c: other keys (P-387). */
SAT_CHECK sat_rc sat_srv_rekey(sat_server *s, sat_server_session *x,
    const sat_rekey *k, sat_buf *reply, sat_err *e);
/* SAT_EREVOKED: the link's key is one a device gave up, and that is noted; any
 * other unknown one: SAT_OK. */
SAT_CHECK sat_rc sat_srv_former(sat_server *s, const sat_server_session *x,
    sat_err *e);
/* SAT_EREVOKED: the keys it greeted with were given up since. */
SAT_CHECK sat_rc sat_srv_keys_stand(sat_server *s, const sat_server_session *x,
    sat_err *e);
/* Every change of keys that is stored is signed and where it says it is. */
SAT_CHECK sat_rc sat_srv_rekeys_check(sat_server *s, sat_err *e);

/* server_wait.c */
SAT_CHECK sat_rc sat_srv_wait(sat_server *s, sat_server_session *x,
    const sat_wait *in, sat_buf *reply, sat_err *e);
/* A scope entry for this key was put. */
void sat_srv_note(sat_server *s, sat_scope_key key);

/* server_gate.c: the checks that need the record's state. SAT_EFALSE with the
 * verdict filled when the commit is refused. */
typedef struct settled { /* a suggestion the commit answers */
	uint32_t dev;
	sat_hlc hlc;
	sat_id rec;
	uint16_t kind;
	struct settled *next;
} settled;
typedef struct judging {
	sat_server *s;
	const admission *a;
	const sat_commit *c;  /* the admission's, without what is held already */
	const sat_template *t, *tip; /* of the commit; what its device is due */
	const sat_keys *mine;
	size_t *next_op;      /* the next op on the same record, or SIZE_MAX */
	bool late;
	uint64_t lost_lsn;    /* late: when the author lost it, the last time */
	settled *settled;
} judging;
SAT_CHECK sat_rc sat_srv_judge(judging *j, wrec *w, sat_err *e);
/* How the author stands to it now. */
SAT_CHECK sat_rc sat_srv_relation(sat_relation *rel, judging *j, wrec *w,
    sat_err *e);
/* What the author had seen of it: of a record his commit is not about, the
 * commit's position (P-027). */
uint64_t sat_srv_seen_of(const judging *j, const wrec *w);
/* Could the author see the record now, or then (and *late)? */
SAT_CHECK sat_rc sat_srv_could_see(bool *yes, bool *late, judging *j,
    wrec *w, sat_err *e);
/* "CODE=argument" (docs/protocol.md, hints); the code alone for no argument. */
const char *sat_srv_hint(sat_server *s, const char *code, sat_span arg);
/* ASK_MANAGER with the one of the author's team. */
const char *sat_srv_ask(const admission *a);
sat_rc sat_srv_refuse(const admission *a, size_t op, sat_verdict_code code,
    const char *slug, const char *hint);

/* server_directory.c */
SAT_CHECK sat_rc sat_srv_directory(sat_server *s, const sat_user *user,
    sat_buf *reply, sat_err *e);

/* server_coverage.c: how far devices have reported (P-220 to P-224). */
SAT_CHECK sat_rc sat_srv_reported_load(sat_server *s, sat_err *e);
SAT_CHECK sat_rc sat_srv_reported_flush(sat_server *s, sat_err *e);
void sat_srv_reported_clean(sat_server *s); /* the flush is durable */
SAT_CHECK sat_rc sat_srv_greeted(sat_server *s, sat_server_session *x,
    const sat_hello *h, sat_err *e);
void sat_srv_pushed(sat_server *s, sat_server_session *x, uint32_t inc,
    uint64_t last_cseq);
/* What others than `self` reported that `me` may know of; `out` lives in the
 * transaction. */
void sat_srv_coverage(sat_server *s, sat_coverage *out, const sat_hello *h,
    uint32_t self, const sat_user *me);

/* server_order.c: `since` for a commit that was parked (P-325). */
SAT_CHECK sat_rc sat_srv_own_order(sat_hlc *since, sat_server *s,
    const sat_commit *c, sat_err *e);
/* The commit is stored, with this stamp or, 0, without a place in the order. */
void sat_srv_own_wrote(sat_server *s, const sat_commit *c, sat_hlc eff);
/* After a rollback. */
void sat_srv_own_forget(sat_server *s);
/* server_answer.c: what a device is told of its own work. */
/* The hint of an accepted commit whose number was replaced (P-322). */
SAT_CHECK sat_rc sat_srv_renumbered(sat_server *s, const sat_commit *c,
    sat_verdict *v, sat_err *e);
/* Judged: op settles a suggestion of w; logged at lsn: its author will hear. */
SAT_CHECK sat_rc sat_srv_note_settled(judging *j, const wrec *w, size_t op);
SAT_CHECK sat_rc sat_srv_answered(const judging *j, uint64_t lsn, sat_err *e);
SAT_CHECK sat_rc sat_srv_answers(sat_server *s, sat_welcome *w, uint32_t dev,
    uint64_t after, sat_err *e);
/* server_hand.c: late work that is not merged. */
/* Written soon enough after the loss, by a clock that is believed (P-164)? */
SAT_CHECK sat_rc sat_srv_in_grace(bool *yes, judging *j, sat_err *e);
/* The HAND operations that suggest the commit's work, for sat_srv_own once
 * the commit is undone; the verdict is filled. Always SAT_EFALSE or a failure;
 * n is 0 when the verdict is a refusal. */
typedef struct hands {
	sat_id subject;
	sat_op *ops;
	size_t n;
} hands;
SAT_CHECK sat_rc sat_srv_hand_over(hands *h, const admission *a,
    const merging *m, sat_err *e);
/* Does the record exist in a suggestion of this device only? What goes on with
 * it follows it (P-167). `x`, zero before the first question of a commit,
 * remembers what the suggestions on its subject would make: they are read once,
 * whatever the commit asks. It lives as long as the transaction. */
typedef struct suggested {
	bool read;
	sat_id *made; /* ascending */
	size_t n, cap;
} suggested;
SAT_CHECK sat_rc sat_srv_suggested(bool *yes, suggested *x, sat_server *s,
    const sat_commit *c, const sat_id *rec, sat_err *e);
/* The same as sat_srv_hand_over for a commit that needs what is only suggested,
 * if its author could see the rest of what it touches. */
SAT_CHECK sat_rc sat_srv_follow(hands *h, judging *j, const merging *m,
    sat_err *e);
/* What a device says itself of suggestions: HAND and SETTLE of one record.
 * SAT_EFALSE with the verdict filled. */
SAT_CHECK sat_rc sat_srv_judge_hand(judging *j, wrec *w, sat_err *e);
/* server_epoch.c: after the loss of a server. */
SAT_CHECK sat_rc sat_srv_epoch_load(sat_server *s, sat_err *e);
SAT_CHECK sat_rc sat_srv_certs(sat_server *s, sat_welcome *w, uint64_t after, sat_err *e);
/* The first position from `lsn` on that any server gave. */
void sat_srv_next_lsn(uint64_t *lsn, const sat_server *s);
/* Was the position given by a server that is gone, and lost with it? */
bool sat_srv_lost(const sat_server *s, uint64_t lsn);
/* The record's state is its holders' business at this position. */
SAT_CHECK sat_rc sat_srv_give_state(sat_server *s, wrec *w, uint64_t lsn, sat_err *e);
/* server_astray.c. A record that was given back goes where it was merged to;
 * a record that is here again: what was merged into it goes below it. */
SAT_CHECK sat_rc sat_srv_lead_on(sat_server *s, wrec *w, uint64_t lsn, sat_err *e);
SAT_CHECK sat_rc sat_srv_gather(sat_server *s, const wrec *w, uint64_t lsn, sat_err *e);
/* Before an erasure that is told again: those who are one with `subject`, who may
 * not be here, and are not named like it. Leaves the set settled. */
SAT_CHECK sat_rc sat_srv_take_apart(sat_server *s, const wrec *subject,
    const sat_ledger *in, sat_err *e);
SAT_CHECK sat_rc sat_srv_seed(sat_server *s, sat_server_session *x,
    const sat_seed *in, sat_buf *reply, sat_err *e);

/* server_place.c: where commits stood on servers that are gone (P-250..). */
/* Does a state with this origin hold what the commit did? `old`: where its
 * author says it stood. */
SAT_CHECK sat_rc sat_srv_contained(bool *yes, sat_server *s,
    const uint64_t *origin, size_t n, const sat_commit *c, const sat_old *old,
    sat_err *e);
/* The same of a record as it is now. */
SAT_CHECK sat_rc sat_srv_contained_in(bool *yes, sat_server *s, wrec *w,
    const sat_commit *c, const sat_old *old, sat_err *e);
/* server_beside.c. What is known of places while one SEED is answered; nothing is
 * read before it is needed. In the transaction's memory. */
typedef struct srv_told srv_told;
srv_told *sat_srv_told(sat_server *s);
/* The places that came with the states. */
void sat_srv_told_at(srv_told *t, const sat_place *p, size_t n);
/* Nothing happened to a record between its last change and the next place its
 * giver knows of, so its state is the fold up to there. */
uint64_t sat_srv_as_of(const srv_told *t, uint64_t rlsn);
/* Does a state with origin b hold all that one with a holds? */
bool sat_srv_covers(const sat_server *s, const uint64_t *b, size_t nb,
    const uint64_t *a, size_t na);
/* Does a hold a commit that b lacks, and that will not come, or may not? */
typedef enum srv_only { ONLY_NOT, ONLY_PERHAPS, ONLY_SURELY } srv_only;
/* Who let commits go; and positions of lost orders, one of each: what it wrote
 * there or behind is none of them. */
typedef struct srv_gone {
	uint32_t dev;
	const uint64_t *behind;
	size_t nbehind;
} srv_gone;
/* Of two states, what the one with origin a has and the one with origin b has
 * not. Lives as long as `told`. */
typedef struct srv_beside {
	srv_told *told;
	const uint64_t *a, *b;
	size_t na, nb;
	srv_only only;
	const srv_gone *gone; /* who let such commits go, ascending */
	size_t ngone;
	bool let_go; /* shown: also what a device that is back let go */
} srv_beside;
SAT_CHECK sat_rc sat_srv_beside(srv_beside *x, srv_told *t, const uint64_t *a,
    size_t na, const uint64_t *b, size_t nb, sat_err *e);
/* Did the device let go one of its commits that a holds and b lacks, and may that
 * one have stood at this position? Places do not tell: yes also when another one
 * did, unless one behind those came back and says where it stood (P-251). */
bool sat_srv_has_let_go(const srv_beside *x, uint32_t dev, uint64_t lsn);
/* sat_srv_is_back, asked once. */
SAT_CHECK sat_rc sat_srv_told_back(bool *yes, srv_told *t, uint32_t dev,
    sat_err *e);
/* Since this server began: its outbox is here, or on its way. */
SAT_CHECK sat_rc sat_srv_is_back(bool *yes, sat_server *s, uint32_t dev,
    sat_err *e);
/* server_join.c. Join to b what a shows and b does not: newer values, elements that
 * it lacks, of a device that has not come back (or, x->let_go, that let such
 * commits go), as far as it can be joined; `to` gets cells of its own. */
SAT_CHECK sat_rc sat_srv_join(bool *changed, sat_server *s, const srv_beside *x,
    sat_record *to, const sat_record *from, sat_err *e);
/* Of two states that both hold what may not come: is a the one to keep, for what it
 * shows and b lacks (P-251)? `back`: x the other way round. */
SAT_CHECK sat_rc sat_srv_shows_alone(bool *yes, sat_server *s, const srv_beside *x,
    const srv_beside *back, const sat_record *a, const sat_record *b,
    sat_err *e);
/* What of a logged commit was not folded, as bits of its operations; NULL =
 * nothing. */
SAT_CHECK sat_rc sat_srv_held_ops(const uint8_t **bits, sat_old *old,
    sat_server *s, uint64_t lsn, size_t nops, sat_err *e);
static inline bool
sat_srv_op_held(const uint8_t *bits, size_t i)
{
	return bits != NULL && (bits[i / 8] & 1 << i % 8) != 0;
}
/* What the states sent to a device now hold of every chain that went on behind
 * the durable watermark, or of all (P-324). */
SAT_CHECK sat_rc sat_srv_heads(sat_place **list, size_t *n, sat_server *s,
    uint32_t dev, bool all, sat_err *e);

/* server_quota.c: what a push or a file takes of what its device may send. */
typedef struct sat_spent {
	uint64_t ops, bytes;
	bool again;  /* a server that was lost had taken some of it (P-205), or
	              * may have (P-443) */
	bool begins; /* a chain of another incarnation than the first */
} sat_spent;
/* SAT_ENOSPACE "quota" with hint "RETRY_AFTER seconds" when the device may not
 * send this much now; else *used is to be put. */
SAT_CHECK sat_rc sat_srv_quota(sat_used *used, sat_server *s, uint32_t dev,
    const sat_user *user, const sat_spent *x, sat_err *e);
/* It is done, and took so long: that is added (P-096). */
void sat_srv_quota_work(sat_used *used, const sat_server *s,
    const sat_user *user, const sat_spent *x, int64_t ms);

/* Claims and releases (P-152, P-153); they stand alone in what a commit does to
 * a record. */
static inline bool
sat_op_is_pool(const sat_op *op)
{
	return op->kind == SAT_OP_CLAIM || op->kind == SAT_OP_RELEASE;
}

/* server_pool.c */
SAT_CHECK sat_rc sat_srv_judge_pool(judging *j, wrec *w, sat_err *e);
/* The limit that keeps this user from claiming the record now, NULL = none, and
 * until when (0 = not a question of time). */
SAT_CHECK sat_rc sat_srv_pool_limits(const char **slug, int64_t *until,
    sat_server *s, const sat_user *me, const sat_pool *p, const wrec *w,
    sat_err *e);
/* HOLD (server_hold.c): durable before the reply, as NUMBERS. */
SAT_CHECK sat_rc sat_srv_hold(sat_server *s, const sat_user *user, uint64_t count,
    sat_buf *reply, sat_err *e);
/* A field that the author sees only masked is not his to set (P-156). */
SAT_CHECK sat_rc sat_srv_judge_masked(judging *j, wrec *w, sat_err *e);
/* What a logged commit claimed counts for the day. */
SAT_CHECK sat_rc sat_srv_claimed(const admission *a, const merging *m, sat_err *e);
/* The rule that takes back what was not followed up (P-157). */
SAT_CHECK sat_rc sat_srv_reclaim(sat_server *s, int64_t now_ms, sat_err *e);
/* server_desk.c: the rule that clears the desks (P-274). */
SAT_CHECK sat_rc sat_srv_clear_desk(sat_server *s, int64_t now_ms, sat_err *e);
/* server_erase.c */
/* server_admin.c: an ADMIN frame, outside of any transaction. */
SAT_CHECK sat_rc sat_srv_admin(sat_server *s, const sat_server_session *x,
    sat_buf *reply, sat_span frame, sat_err *e);
SAT_CHECK sat_rc sat_srv_privacy(sat_server *s, sat_server_session *x,
    const sat_privacy *in, sat_buf *reply, sat_err *e);
/* server_scrub.c. In the transaction of an erasure: what is behind its COMMIT is
 * to be done. */
SAT_CHECK sat_rc sat_srv_scrub_owe(sat_server *s, sat_err *e);
SAT_CHECK sat_rc sat_srv_scrub_owed(bool *yes, sat_server *s, sat_err *e);
/* Outside a transaction: it is done, and owed no more. */
SAT_CHECK sat_rc sat_srv_scrub(sat_server *s, sat_err *e);
/* The same when it is owed and was not tried just now. */
SAT_CHECK sat_rc sat_srv_scrub_tick(sat_server *s, int64_t now_ms, sat_err *e);
/* Somebody knows more erasures than a restored server: again, before anything is
 * served. In an open transaction; another one is open afterwards. */
SAT_CHECK sat_rc sat_srv_ledger_take(sat_server *s, const sat_ledger *in,
    sat_err *e);
SAT_CHECK sat_rc sat_srv_ledger(sat_server *s, sat_server_session *x,
    const sat_ledger *in, sat_buf *reply, sat_err *e);
SAT_CHECK sat_rc sat_srv_erased(sat_server *s, sat_server_session *x,
    const sat_erased *in, sat_buf *reply, sat_err *e);
/* server_part.c: does a commit name an erased record anywhere, as the device
 * looks for one (client/replica/erase.c, P-195)? */
SAT_CHECK sat_rc sat_srv_names_erased(bool *yes, sat_server *s,
    const sat_commit *c, sat_err *e);
/* The payloads of all that is about these records go; what had
 * taken in something of them is made anew without it (P-395 to P-397). *lsn: of
 * the last commit of the server's own, left alone when there was none. */
SAT_CHECK sat_rc sat_srv_part(sat_server *s, const sat_erased_row *row,
    size_t n, uint64_t *lsn, sat_err *e);
/* server_digest.c: the next flush takes this customer out of all sums. */
SAT_CHECK sat_rc sat_srv_digest_gone(sat_server *s, uint32_t root, sat_err *e);

/* server_push.c */
SAT_CHECK sat_rc sat_srv_push(sat_server *s, sat_server_job *jobs, size_t n,
    sat_err *e);
/* server_pull.c, server_snap.c: append the reply frame. */
SAT_CHECK sat_rc sat_srv_pull(sat_server *s, sat_server_session *x,
    const sat_pull *in, sat_buf *reply, sat_err *e);
SAT_CHECK sat_rc sat_srv_snap(sat_server *s, sat_server_session *x,
    const sat_snap *in, sat_buf *reply, sat_err *e);
/* Decoded states for a reply, and the largest stamp among them. `state` must
 * live as long as the transaction. Bytes: at least 8 of a cell, for what is
 * read has a limit of cells too. */
typedef struct states {
	sat_record *r;
	size_t n, cap, bytes;
	sat_hlc max_eff;
} states;
SAT_CHECK sat_rc sat_srv_states_add(states *st, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e);

/* server_mask.c: what a member of a pool, or a role, does not see (P-155,
 * P-241). The keys of a user's device: */
sat_keys sat_srv_keys(const sat_server *s, const sat_user *user);
/* The same with the mask of this session's template (P-241). SAT_EBUSY: it is
 * another one by now, the device has to begin a new session. */
SAT_CHECK sat_rc sat_srv_session_keys(sat_keys *keys, sat_server *s,
    const sat_server_session *x, const sat_user *user, sat_err *e);
/* The mask a template gives a user; of the published one when it is zero. */
const sat_mask *sat_srv_mask_by(sat_server *s,
    const uint8_t oid[SAT_TEMPLATE_OID_BYTES], const sat_user *user);
/* Is the record held through a pool alone? */
SAT_CHECK sat_rc sat_srv_masked(bool *yes, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e);
/* The record as the holder of the keys is shown it. `state` must live as long
 * as the transaction. */
SAT_CHECK sat_rc sat_srv_shown(sat_record *r, sat_server *s, const wrec *w,
    const sat_keys *keys, sat_err *e);
/* Take out of a state, whose cells are a copy, what a role does not see.
 * Nothing of it there: the state stays as it is, and this is false. */
bool sat_srv_veil(sat_server *s, sat_record *r, const sat_mask *m);
/* The same of one cell whose field is hidden; NULL: of the record as such. False:
 * it is empty, and does not count as hidden. */
bool sat_srv_veil_cell(sat_server *s, sat_cell *c, const sat_field *f);
/* A field that the author's role does not see is not his to set (P-246). */
SAT_CHECK sat_rc sat_srv_judge_veiled(judging *j, wrec *w, sat_err *e);
/* Would what he suggests set such a field of a record it does not make? */
bool sat_srv_hand_veiled(const judging *j, const sat_commit *part);
/* The first operation that would set one of a record the commit does not make,
 * be it there or not; SIZE_MAX: none. */
size_t sat_srv_veiled_op(const judging *j, const merging *m);

/* server_reveal.c: REVEAL; commits by itself (P-248). */
SAT_CHECK sat_rc sat_srv_reveal(sat_server *s, sat_server_session *x,
    const sat_user *user, const sat_reveal *in, sat_buf *reply, sat_err *e);

/*
 * server_masksum.c: sums of what a role with a mask is shown (P-243). Roles
 * that hold everything and hide the same share one, kept like those of keys;
 * what another role's user holds is summed when it is asked for.
 */
#define CLASSES_MAX 8
typedef struct mask_classes {
	const sat_mask *m[CLASSES_MAX];
	sat_scope_key key[CLASSES_MAX];
	size_t n;
	uint64_t sig;    /* of all of them */
	bool current;    /* the stored sums are theirs */
} mask_classes;
typedef void sat_srv_put_sum(void *u, sat_scope_key key, uint16_t kind,
    uint32_t eid, sat_sum sum);
SAT_CHECK sat_rc sat_srv_classes(mask_classes *c, sat_server *s, sat_err *e);
/* What a record's change means for them; NULL: it was, is, not there. `by` is
 * sat_sum_change of both, when both are. */
void sat_srv_class_change(sat_server *s, const mask_classes *c,
    const sat_record *was, const sat_record *is, const sat_sum_diff *by,
    uint32_t eid, sat_srv_put_sum *put, void *u);
/* From the stored records, in place of what is stored; c is current then. */
SAT_CHECK sat_rc sat_srv_class_recount(sat_server *s, mask_classes *c,
    sat_srv_put_sum *put, void *u, sat_err *e);
/* The sums of all a user with a mask holds, as it is shown to him, ascending by
 * kind and bucket. `total` alone when sums is NULL. */
SAT_CHECK sat_rc sat_srv_mask_sums(sat_sum *total, sat_bucket_sum **sums,
    size_t *n, sat_server *s, const sat_keys *keys, sat_err *e);
/* server_snap.c: every record the keys see, as its holder is shown it. */
SAT_CHECK sat_rc sat_srv_each_held(sat_server *s, const sat_keys *keys,
    bool (*cb)(void *u, const wrec *w), void *u, sat_err *e);

#endif
