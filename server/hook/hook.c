/*
 * The thread that sends. It never touches the store: a turn on the store's
 * thread writes down what ended, reads on in the log, and lends what is due;
 * then the posts run here.
 *
 * Why not on the worker with the sockets of the devices: name lookups and TLS
 * take as long as they like, and the worker is what every merge waits for. Why
 * not from the merge itself: a push would be slower by what is told of it.
 *
 * Invariants:
 *   K1  a hook has at most one post under way, so its events leave in order.
 *   K2  what was taken is written down before the hook's next post: after a
 *       death at most one post per hook is sent twice, with the same ids.
 *   K3  a turn is bounded (READ_MAX commits, one post per hook), so a request
 *       of a device waits for milliseconds.
 *   K4  a receiver that fails is left alone for 1 m, 5 m, ... 24 h; what is
 *       older than all of that together is given up.
 */
#include "server/hook/hook_int.h"

#include "common/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 400  /* commits of a turn */
#define TURN_MS 1000
#define GATHER_MS 2000 /* what happens together is one message of a robot */
#define MINUTE ((int64_t)60000)

static const int64_t delays[] = { 1 * MINUTE, 5 * MINUTE, 15 * MINUTE,
	60 * MINUTE, 180 * MINUTE, 360 * MINUTE, 720 * MINUTE, 1440 * MINUTE };
#define NDELAYS (sizeof delays / sizeof delays[0])
#define GIVE_UP_MS (2781 * MINUTE) /* their sum */

/* A post, from the turn that lends it to the turn that writes it down. */
typedef struct errand {
	int64_t hook, fails;
	bool chat, plain, ended;
	char format[16];
	int64_t seq[HOOK_BUNDLE_MAX];
	size_t n;
	int64_t tries;       /* of the first event */
	hook_form form;
	hook_answer answer;
} errand;

struct sat_hooks {
	sat_hooks_opts o;
	hook_line *line;
	pthread_t thread;
	pthread_mutex_t mutex;
	bool stop;           /* under the mutex */
	errand *out[SAT_HOOKS_MAX]; /* NULL, or one per hook (K1) */
	uint64_t told;
	bool more;           /* of the log */
};

static void
errand_free(errand *x)
{
	if (x == NULL)
		return;
	hook_form_fini(&x->form);
	sat_buf_fini(&x->answer.body);
	free(x);
}

/* ---- on the store's thread ------------------------------------------------------------- */

static int64_t
delay_of(int64_t fails)
{
	return delays[fails < (int64_t)NDELAYS ? fails : (int64_t)NDELAYS - 1];
}

typedef enum { TOOK, REFUSED, DOWN } verdict;

/* P-404. A robot's answer stands in its body. What says "not you" or "not now"
 * concerns every event, what says "not this" concerns one. */
static verdict
judge(char why[200], const errand *x)
{
	int status = x->answer.status;

	if (status == 0) {
		(void)snprintf(why, 200, "%s", x->answer.fault);
		return DOWN;
	}
	(void)snprintf(why, 200, "http %d", status);
	if (status >= 200 && status < 300) {
		if (!x->chat || hook_chat_took(x->format,
		    sat_buf_span(&x->answer.body)))
			return TOOK;
		(void)snprintf(why, 200, "the robot did not take it");
		return DOWN;
	}
	if (x->chat || status < 400 || status >= 500 || status == 401 ||
	    status == 403 || status == 404 || status == 408 || status == 410 ||
	    status == 425 || status == 429)
		return DOWN;
	return REFUSED;
}

static sat_rc
write_down(const errand *x, sat_sqlite_store *s, int64_t now, sat_err *e)
{
	char why[200];

	switch (judge(why, x)) {
	case TOOK:
		return sat_sqlite_hook_sent(s, x->hook, x->seq, x->n, now,
		    x->chat ? now + SAT_HOOK_CHAT_MS : 0, e);
	case REFUSED:
		sat_log(SAT_WARN, "HOOK-REFUSED", "hook=%lld why=%s",
		    (long long)x->hook, why);
		return sat_sqlite_hook_refused(s, x->hook, x->seq[0], why, now,
		    now + delay_of(x->tries), x->tries >= (int64_t)NDELAYS, e);
	case DOWN:
		break;
	}
	sat_log(SAT_WARN, "HOOK-DOWN", "hook=%lld fails=%lld why=%s",
	    (long long)x->hook, (long long)x->fails + 1, why);
	return sat_sqlite_hook_down(s, x->hook, why, now,
	    now + delay_of(x->fails), now - GIVE_UP_MS, e);
}

static errand **
slot_of(sat_hooks *h, int64_t hook)
{
	errand **empty = NULL;

	for (size_t i = 0; i < SAT_HOOKS_MAX; i++) {
		if (h->out[i] != NULL && h->out[i]->hook == hook)
			return &h->out[i];
		if (h->out[i] == NULL)
			empty = &h->out[i];
	}
	return empty;
}

/* What is due for one, as a post. */
static sat_rc
lend(sat_hooks *h, errand **slot, const sat_hook *k, int64_t now, sat_err *e)
{
	bool chat = hook_is_chat(k->format);
	sat_arena a = { 0 };
	sat_hook_event *list;
	size_t n;
	sat_rc rc = sat_sqlite_hook_due(&list, &n, &a, h->o.source.store, k->id,
	    chat ? now - GATHER_MS : now, chat ? HOOK_BUNDLE_MAX : 1, e);

	if (rc == SAT_OK && n > 0) {
		errand *x = *slot = sat_xcalloc(1, sizeof *x);

		x->hook = k->id;
		x->fails = k->fails;
		x->chat = chat;
		x->plain = k->plain;
		(void)snprintf(x->format, sizeof x->format, "%s", k->format);
		hook_form_make(&x->form, k, list, n, now);
		x->n = x->form.used;
		x->tries = list[0].tries;
		for (size_t i = 0; i < x->n; i++)
			x->seq[i] = list[i].seq;
	}
	sat_arena_fini(&a);
	return rc;
}

static sat_rc
turn(sat_hooks *h, sat_err *e)
{
	sat_sqlite_store *s = h->o.source.store;
	int64_t now = sat_wall_ms(&h->o.source.clock);
	sat_arena a = { 0 };
	sat_hook *list;
	size_t n;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < SAT_HOOKS_MAX && rc == SAT_OK; i++)
		if (h->out[i] != NULL && h->out[i]->ended &&
		    (rc = write_down(h->out[i], s, now, e)) == SAT_OK) {
			errand_free(h->out[i]); /* K2 */
			h->out[i] = NULL;
		}
	if (rc != SAT_OK || (rc = sat_hook_read(&h->more, &h->told,
	    &h->o.source, READ_MAX, e)) != SAT_OK)
		return rc;
	rc = sat_sqlite_hooks(&list, &n, &a, s, e);
	for (size_t i = 0; i < n && rc == SAT_OK; i++) {
		errand **slot = slot_of(h, list[i].id);

		if (slot != NULL && *slot == NULL && list[i].rest_ms <= now &&
		    list[i].waiting > 0)
			rc = lend(h, slot, &list[i], now, e);
	}
	sat_arena_fini(&a);
	return rc;
}

static void
turn_on_store(void *u)
{
	sat_hooks *h = u;
	sat_err e = { 0 };

	h->more = false;
	if (turn(h, &e) != SAT_OK)
		sat_log(SAT_ERROR, "HOOK-STORE", "rc=%d text=%s", (int)e.rc,
		    e.text);
}

/* ---- on our own ---------------------------------------------------------------------------- */

/* Start what was lent: an errand that was started has no form any more. */
static void
start_lent(sat_hooks *h)
{
	for (size_t i = 0; i < SAT_HOOKS_MAX; i++) {
		errand *x = h->out[i];
		sat_err e = { 0 };

		if (x == NULL || x->ended || x->form.body.p == NULL)
			continue;
		if (hook_post_start(h->line, &x->form, x->plain, x, &e) !=
		    SAT_OK) {
			(void)snprintf(x->answer.fault, sizeof x->answer.fault,
			    "%.150s", e.text);
			x->ended = true;
		}
		hook_form_fini(&x->form); /* the post has its own copy */
	}
}

static bool
collect(sat_hooks *h)
{
	hook_answer answer;
	bool any = false;
	void *u;

	while (hook_post_ended(h->line, &u, &answer)) {
		errand *x = u;

		x->answer = answer;
		x->ended = any = true;
	}
	return any;
}

static bool
is_stopped(sat_hooks *h)
{
	bool stop;

	pthread_mutex_lock(&h->mutex);
	stop = h->stop;
	pthread_mutex_unlock(&h->mutex);
	return stop;
}

static int64_t
boot(const sat_hooks *h)
{
	return sat_boot_ms(&h->o.source.clock);
}

static void *
thread_main(void *u)
{
	sat_hooks *h = u;

	while (!is_stopped(h)) {
		int64_t until;

		h->o.call(h->o.u, turn_on_store, h);
		start_lent(h);
		until = boot(h) + (h->more ? 1 : TURN_MS);
		while (!collect(h) && !is_stopped(h) && boot(h) < until)
			hook_line_wait(h->line, (int)(until - boot(h)));
	}
	return NULL;
}

static sat_rc
hooks_new(sat_hooks **out, const sat_hooks_opts *o, sat_err *e)
{
	sat_hooks *h = sat_xcalloc(1, sizeof *h);
	sat_rc rc;

	h->o = *o;
	if ((rc = hook_line_new(&h->line, e)) != SAT_OK) {
		free(h);
		return rc;
	}
	pthread_mutex_init(&h->mutex, NULL);
	*out = h;
	return SAT_OK;
}

static void
hooks_free(sat_hooks *h)
{
	hook_line_free(h->line);
	for (size_t i = 0; i < SAT_HOOKS_MAX; i++)
		errand_free(h->out[i]);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

sat_rc
sat_hooks_start(sat_hooks **out, const sat_hooks_opts *o, sat_err *e)
{
	sat_hooks *h;
	sat_rc rc;

	*out = NULL;
	if ((rc = hooks_new(&h, o, e)) != SAT_OK)
		return rc;
	if (pthread_create(&h->thread, NULL, thread_main, h) != 0) {
		hooks_free(h);
		return sat_fail(e, SAT_EFAIL, "cannot start a thread");
	}
	*out = h;
	return SAT_OK;
}

void
sat_hooks_stop(sat_hooks *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->mutex);
	h->stop = true;
	pthread_mutex_unlock(&h->mutex);
	hook_line_wake(h->line);
	(void)pthread_join(h->thread, NULL);
	hooks_free(h);
}

static bool
is_busy(const sat_hooks *h)
{
	for (size_t i = 0; i < SAT_HOOKS_MAX; i++)
		if (h->out[i] != NULL)
			return true;
	return h->more;
}

sat_rc
sat_hooks_run(const sat_hooks_opts *o, int64_t limit_ms, sat_err *e)
{
	sat_hooks *h;
	int64_t until;
	sat_rc rc;

	if ((rc = hooks_new(&h, o, e)) != SAT_OK)
		return rc;
	until = boot(h) + limit_ms;
	do {
		if ((rc = turn(h, e)) != SAT_OK)
			break;
		start_lent(h);
		while (is_busy(h) && !h->more && !collect(h) && boot(h) < until)
			hook_line_wait(h->line, 100);
	} while (is_busy(h) && boot(h) < until);
	hooks_free(h);
	return rc;
}
