/*
 * hook_int.h - what the files of the room share.
 */
#ifndef SAT_HOOK_HOOK_INT_H
#define SAT_HOOK_HOOK_INT_H

#include "server/hook/hook.h"

/* Events of one message to a robot; a json one has one. */
#define HOOK_BUNDLE_MAX 64

/* ---- form.c: what is posted ------------------------------------------------------------- */

typedef struct hook_form {
	sat_buf url;       /* as it is dialled */
	sat_buf body;
	sat_buf signature; /* a header line, or empty */
	size_t used;       /* the first so many events are in it */
} hook_form;
bool hook_is_chat(const char *format);
void hook_form_make(hook_form *f, const sat_hook *h,
    const sat_hook_event *list, size_t n, int64_t now_ms);
void hook_form_fini(hook_form *f);
/* At most max bytes, and no half character. */
void hook_cut(sat_buf *b, size_t max);
/* What a robot says about a message it answered with 200; false: it refused. */
bool hook_chat_took(const char *format, sat_span answer);

/* ---- url.c -------------------------------------------------------------------------------- */

/* Without "#...", and what stands behind it ("" when nothing does). */
void hook_url_split(sat_buf *url, sat_buf *secret, const char *text);

/* ---- post.c: libcurl ------------------------------------------------------------------------ */

typedef struct hook_line hook_line; /* what is under way */
typedef struct hook_post hook_post;
typedef struct hook_answer {
	int status;        /* 0 = there was none */
	sat_buf body;      /* the first 4 KiB */
	char fault[160];   /* why there was none */
} hook_answer;
SAT_CHECK sat_rc hook_line_new(hook_line **l, sat_err *e);
void hook_line_free(hook_line *l); /* what is under way is left */
/* `u` comes back with the answer. plain: http, and to this machine only. */
SAT_CHECK sat_rc hook_post_start(hook_line *l, const hook_form *f, bool plain,
    void *u, sat_err *e);
/* One that has ended; false: none. */
bool hook_post_ended(hook_line *l, void **u, hook_answer *answer);
/* Wait until something happens, at most ms. */
void hook_line_wait(hook_line *l, int ms);
void hook_line_wake(hook_line *l); /* from any thread */

#endif
