/*
 * hook.h - other services are told what happened: webhooks (P-400 to P-405).
 * The only door to libcurl.
 *
 * What happened is read from the log, behind the merge: a thread of its own
 * asks the thread of the store for what is new and what is due, once a second,
 * and posts it meanwhile. So neither a receiver that is slow nor one that is
 * gone is ever waited for by a device, and what was not posted when the server
 * died is found in the log, or in the queue, when it comes back.
 *
 * Nothing of a customer is told but the id and the number of the record: who
 * may see more asks for it.
 */
#ifndef SAT_HOOK_HOOK_H
#define SAT_HOOK_HOOK_H

#include "protocol/look.h"
#include "server/store/sqlite/hooks.h"

/* A try ends after so long. */
#define SAT_HOOK_TIMEOUT_MS 10000
/* Bytes a group's robot takes, and the time between two of its messages: at
 * most 20 in any minute. */
#define SAT_HOOK_MARKDOWN_MAX 4096
#define SAT_HOOK_TEXT_MAX 2048
#define SAT_HOOK_CHAT_MS 3200

/* ---- what can be told --------------------------------------------------------------- */

/*
 * Is it one that can be told (url, format, events, plain)? The template says
 * which kinds there are. SAT_EUSAGE names what is wrong.
 */
SAT_CHECK sat_rc sat_hook_check(const sat_hook *h, const sat_template *t,
    sat_err *e);
/* Is this event among "account.created,opportunity.*"? */
bool sat_hook_wants(const char *events, const char *event);
/* The address without what opens it: "https://host/cgi-bin/...1f9c". */
void sat_hook_mask(sat_buf *out, const char *url);
/* A format whose messages are signed by us: it has a secret of its own. */
bool sat_hook_signs(const char *format);

/* ---- the log, read ----------------------------------------------------------------------- */

typedef struct sat_hook_source {
	sat_sqlite_store *store;
	sat_server *core;
	sat_clock clock;
	const char *org; /* the organisation's name */
	const sat_template *(*tip)(void *u); /* the published one */
	void *u;
} sat_hook_source;
/*
 * Read at most `max` commits behind what was told and queue what the hooks want
 * of them. *told: up to where it was read, kept by the caller between calls
 * (0 at first). *more: there is more. On the store's thread.
 */
SAT_CHECK sat_rc sat_hook_read(bool *more, uint64_t *told,
    const sat_hook_source *src, unsigned max, sat_err *e);
/* One event that says nothing, for this hook alone. */
SAT_CHECK sat_rc sat_hook_test(const sat_hook_source *src, int64_t id,
    sat_err *e);

/* ---- sending ------------------------------------------------------------------------------- */

typedef struct sat_hooks sat_hooks;
typedef struct sat_hooks_opts {
	sat_hook_source source;
	/* Run fn on the store's thread and wait; when that has ended, it may
	 * not run at all. */
	void (*call)(void *u, void (*fn)(void *fu), void *fu);
	void *u;
} sat_hooks_opts;
/* A thread that sends until it is stopped. One at a time in a process. */
SAT_CHECK sat_rc sat_hooks_start(sat_hooks **h, const sat_hooks_opts *o,
    sat_err *e);
/* What is under way is left: it is sent again after the next start. */
void sat_hooks_stop(sat_hooks *h); /* NULL is fine */
/* The same without a thread: sends until nothing is due any more, or `limit_ms`
 * are over. */
SAT_CHECK sat_rc sat_hooks_run(const sat_hooks_opts *o, int64_t limit_ms,
    sat_err *e);

#endif
