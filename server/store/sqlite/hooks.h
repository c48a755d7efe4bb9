/*
 * hooks.h - services that are told what happened, and the queue of what they
 * are still to be told (server/hook sends it).
 *
 * Each call is one durable transaction of its own and must not run between the
 * core's begin and commit; the store's thread. Strings that are handed out are
 * the caller's arena's.
 *
 *   W1  what is queued and how far the log was read move together: no event is
 *       left out and none is queued twice.
 *   W2  a row leaves the queue only when the receiver took it, the hook was
 *       removed, its customer erased, or it was given up and buried.
 */
#ifndef SAT_STORE_SQLITE_HOOKS_H
#define SAT_STORE_SQLITE_HOOKS_H

#include "server/store/sqlite/store.h"

#define SAT_HOOKS_MAX 32
#define SAT_HOOK_URL_MAX 500
/* What may wait for one: the oldest beyond it are given up. */
#define SAT_HOOK_WAITING_MAX 50000
/* What was given up is kept so long, and no more of it than so many. */
#define SAT_HOOK_DEAD_MAX 10000
#define SAT_HOOK_DEAD_MS (30 * 24 * 3600 * (int64_t)1000)

typedef struct sat_hook {
	int64_t id;
	const char *url, *format, *events;
	const char *secret;    /* "" = nothing is signed */
	bool plain;            /* http to this machine */
	uint64_t since;        /* told of positions above it */
	int64_t made_ms;
	int64_t fails;         /* in a row it did not answer well */
	int64_t rest_ms;       /* nothing is sent before */
	int64_t sent, sent_ms; /* events taken; the last time, 0 = never */
	int64_t error_ms;      /* 0 = the last one was taken */
	const char *error;
	int64_t waiting, dead; /* events */
} sat_hook;

typedef struct sat_hook_event {
	int64_t seq;
	int64_t hook;
	sat_id subject;        /* only put */
	sat_span body;         /* JSON */
	const char *line;
	int64_t made_ms;
	int64_t tries;         /* that refused this one */
	const char *error;     /* only of the dead */
} sat_hook_event;

/* All, by id. */
SAT_CHECK sat_rc sat_sqlite_hooks(sat_hook **out, size_t *n, sat_arena *a,
    sat_sqlite_store *s, sat_err *e);
/* SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_hook_get(sat_hook *out, sat_arena *a, sat_sqlite_store *s,
    int64_t id, sat_err *e);
/* url to made_ms are read; `since` is where the log stands. SAT_ECONFLICT: this
 * address has one; SAT_ENOSPACE: there are SAT_HOOKS_MAX. */
SAT_CHECK sat_rc sat_sqlite_hook_add(int64_t *id, sat_sqlite_store *s,
    const sat_hook *h, sat_err *e);
/* With all it has waiting. SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_hook_remove(sat_sqlite_store *s, int64_t id, sat_err *e);

/* Up to where the log was read (W1). */
SAT_CHECK sat_rc sat_sqlite_hook_told(uint64_t *lsn, sat_sqlite_store *s, sat_err *e);
SAT_CHECK sat_rc sat_sqlite_hook_queue(sat_sqlite_store *s, uint64_t lsn,
    const sat_hook_event *list, size_t n, sat_err *e);
/* At most `limit` that are due, or dead, oldest first. */
SAT_CHECK sat_rc sat_sqlite_hook_due(sat_hook_event **out, size_t *n, sat_arena *a,
    sat_sqlite_store *s, int64_t hook, int64_t now_ms, size_t limit,
    sat_err *e);
SAT_CHECK sat_rc sat_sqlite_hook_dead(sat_hook_event **out, size_t *n, sat_arena *a,
    sat_sqlite_store *s, int64_t hook, size_t limit, sat_err *e);
/* These were taken (W2); nothing is sent before rest_ms. A hook that was removed
 * meanwhile is left alone. */
SAT_CHECK sat_rc sat_sqlite_hook_sent(sat_sqlite_store *s, int64_t hook,
    const int64_t *seq, size_t n, int64_t now_ms, int64_t rest_ms, sat_err *e);
/* It could not be reached, or is in trouble: nothing is sent before rest_ms; what
 * is older than before_ms is given up. */
SAT_CHECK sat_rc sat_sqlite_hook_down(sat_sqlite_store *s, int64_t hook,
    const char *why, int64_t now_ms, int64_t rest_ms, int64_t before_ms,
    sat_err *e);
/* It refused this event: try it again at due_ms, or give it up. */
SAT_CHECK sat_rc sat_sqlite_hook_refused(sat_sqlite_store *s, int64_t hook,
    int64_t seq, const char *why, int64_t now_ms, int64_t due_ms, bool dead,
    sat_err *e);
/* It need not rest any longer. */
SAT_CHECK sat_rc sat_sqlite_hook_wake(sat_sqlite_store *s, int64_t id,
    sat_err *e);
/* Whatever waits or was given up is due now, as if never tried. *n events.
 * SAT_ENOTFOUND. */
SAT_CHECK sat_rc sat_sqlite_hook_again(int64_t *n, sat_sqlite_store *s, int64_t id,
    int64_t now_ms, sat_err *e);

#endif
