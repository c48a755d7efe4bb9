/*
 * libcurl. Many posts at once on one thread: a receiver that hangs holds up
 * nobody else. What a server must not be talked into (P-403): no redirect is
 * followed, no scheme but https (http to this machine when the hook says so), no
 * proxy of the environment, no address that means this machine or its link
 * unless that was asked for. The address is judged as it is dialled, after the
 * name was looked up, so a name that moves does not help.
 */
#include "server/hook/hook_int.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define ANSWER_MAX 4096

struct hook_post {
	hook_post *next;
	CURL *easy;
	struct curl_slist *headers;
	sat_buf body, answer;
	bool plain, foreign;
	void *u;
};

struct hook_line {
	CURLM *multi;
	hook_post *posts;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
global_init(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

sat_rc
hook_line_new(hook_line **out, sat_err *e)
{
	hook_line *l = sat_xcalloc(1, sizeof *l);

	(void)pthread_once(&once, global_init);
	if ((l->multi = curl_multi_init()) == NULL) {
		free(l);
		return sat_fail(e, SAT_EFAIL, "cannot start libcurl");
	}
	*out = l;
	return SAT_OK;
}

static void
post_free(hook_line *l, hook_post *p)
{
	(void)curl_multi_remove_handle(l->multi, p->easy);
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->headers);
	sat_buf_fini(&p->body);
	sat_buf_fini(&p->answer);
	free(p);
}

void
hook_line_free(hook_line *l)
{
	hook_post *next;

	if (l == NULL)
		return;
	for (hook_post *p = l->posts; p != NULL; p = next) {
		next = p->next;
		post_free(l, p);
	}
	(void)curl_multi_cleanup(l->multi);
	free(l);
}

/* ---- where to ------------------------------------------------------------------------------- */

typedef enum { AT_LARGE, AT_HOME, NOWHERE } place;

static place
place_v4(uint32_t a) /* host order */
{
	if (a >> 24 == 127)
		return AT_HOME;
	return a >> 24 == 0 || a >> 16 == 0xa9fe || a >> 28 >= 0xe ? NOWHERE :
	    AT_LARGE; /* 0/8, 169.254/16, multicast and above */
}

static place
place_of(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		return place_v4(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		uint32_t v4;

		memcpy(&in, sa, sizeof in);
		if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
			memcpy(&v4, in.sin6_addr.s6_addr + 12, sizeof v4);
			return place_v4(ntohl(v4));
		}
		return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) ? AT_HOME :
		    IN6_IS_ADDR_UNSPECIFIED(&in.sin6_addr) ||
		    IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr) ||
		    IN6_IS_ADDR_MULTICAST(&in.sin6_addr) ? NOWHERE : AT_LARGE;
	}
	return NOWHERE;
}

static curl_socket_t
open_socket(void *u, curlsocktype purpose, struct curl_sockaddr *a)
{
	hook_post *p = u;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    place_of(&a->addr) != (p->plain ? AT_HOME : AT_LARGE)) {
		p->foreign = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- a post --------------------------------------------------------------------------------- */

static size_t
take(char *bytes, size_t size, size_t n, void *u)
{
	hook_post *p = u;
	size_t room = ANSWER_MAX - p->answer.n;

	sat_buf_add(&p->answer, bytes, size * n < room ? size * n : room);
	return size * n;
}

/* Each of these can only fail for want of memory, and is then told by the
 * post's own failure. */
static void
set_up(hook_post *p, const char *url)
{
	CURL *c = p->easy;

	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
	    p->plain ? "http" : "https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
	    (long)SAT_HOOK_TIMEOUT_MS);
	(void)curl_easy_setopt(c, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, p);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "satcheld");
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)p->body.p);
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)p->body.n);
	(void)curl_easy_setopt(c, CURLOPT_PRIVATE, p);
}

sat_rc
hook_post_start(hook_line *l, const hook_form *f, bool plain, void *u,
    sat_err *e)
{
	hook_post *p = sat_xcalloc(1, sizeof *p);
	sat_buf text = { 0 };

	p->plain = plain;
	p->u = u;
	sat_buf_add(&p->body, f->body.p, f->body.n);
	p->headers = curl_slist_append(NULL, "Content-Type: application/json");
	p->headers = curl_slist_append(p->headers, "Expect:");
	if (f->signature.n > 0) {
		sat_buf_add(&text, f->signature.p, f->signature.n);
		p->headers = curl_slist_append(p->headers, sat_buf_cstr(&text));
		sat_buf_reset(&text);
	}
	sat_buf_add(&text, f->url.p, f->url.n);
	if ((p->easy = curl_easy_init()) != NULL)
		set_up(p, sat_buf_cstr(&text));
	sat_buf_fini(&text);
	if (p->easy == NULL ||
	    curl_multi_add_handle(l->multi, p->easy) != CURLM_OK) {
		post_free(l, p);
		return sat_fail(e, SAT_EFAIL, "cannot start a post");
	}
	p->next = l->posts;
	l->posts = p;
	return SAT_OK;
}

static void
answer_take(hook_answer *out, hook_post *p, CURLcode code)
{
	long status = 0;

	memset(out, 0, sizeof *out);
	if (code == CURLE_OK) {
		(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE,
		    &status);
		out->status = (int)status;
		out->body = p->answer;
		p->answer = (sat_buf){ 0 };
	} else if (p->foreign) {
		(void)snprintf(out->fault, sizeof out->fault, "%s", p->plain ?
		    "the name is not this machine's" :
		    "the name is this machine's, or its link's: not dialled");
	} else {
		(void)snprintf(out->fault, sizeof out->fault, "%s",
		    curl_easy_strerror(code));
	}
}

bool
hook_post_ended(hook_line *l, void **u, hook_answer *answer)
{
	CURLMsg *m;
	int left;

	(void)curl_multi_perform(l->multi, &left);
	while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
		hook_post *p = NULL, **at = &l->posts;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		answer_take(answer, p, m->data.result);
		*u = p->u;
		while (*at != p)
			at = &(*at)->next;
		*at = p->next;
		post_free(l, p);
		return true;
	}
	return false;
}

void
hook_line_wait(hook_line *l, int ms)
{
	(void)curl_multi_poll(l->multi, NULL, 0, ms, NULL);
}

void
hook_line_wake(hook_line *l)
{
	(void)curl_multi_wakeup(l->multi);
}
