/*
 * What is posted, by format. json: one event, signed by us (P-402). The robots of
 * wecom, dingtalk, feishu and slack: one message for all that is due, so that a busy
 * hour is a list and not a storm; they take 20 messages a minute (P-405).
 */
#include "server/hook/hook_int.h"

#include <stdio.h>
#include <string.h>

bool
hook_is_chat(const char *format)
{
	return strcmp(format, "wecom") == 0 || strcmp(format, "dingtalk") == 0 ||
	    strcmp(format, "feishu") == 0 || strcmp(format, "slack") == 0;
}

bool
sat_hook_signs(const char *format)
{
	return strcmp(format, "json") == 0;
}

void
hook_cut(sat_buf *b, size_t max)
{
	if (b->n <= max)
		return;
	b->n = max;
	/* what follows the cut belongs to a character that began before it */
	while (b->n > 0 && (b->p[b->n] & 0xc0) == 0x80)
		b->n--;
}

static void
base64_escaped(sat_buf *out, const uint8_t *p, size_t n)
{
	sat_buf plain = { 0 };

	sat_base64_add(&plain, sat_span_of(p, n));
	for (size_t i = 0; i < plain.n; i++)
		if (plain.p[i] == '+')
			sat_buf_str(out, "%2B");
		else if (plain.p[i] == '/')
			sat_buf_str(out, "%2F");
		else if (plain.p[i] == '=')
			sat_buf_str(out, "%3D");
		else
			sat_buf_add(out, &plain.p[i], 1);
	sat_buf_fini(&plain);
}

/* ---- json ------------------------------------------------------------------------------------- */

/* P-402: over the seconds, a full stop and the body. */
static void
sign(sat_buf *line, const char *secret, sat_span body, int64_t now_ms)
{
	long long t = (long long)(now_ms / 1000);
	char hex[65];
	uint8_t mac[32];
	sat_buf b = { 0 };

	sat_buf_fmt(&b, "%lld.", t);
	sat_buf_add(&b, body.p, body.n);
	sat_hmac_sha256(mac, sat_span_str(secret), sat_buf_span(&b));
	sat_hex(hex, mac, sizeof mac);
	sat_buf_fmt(line, "X-Satchel-Signature: t=%lld,v1=%s", t, hex);
	sat_buf_fini(&b);
}

/* ---- a group's robot ---------------------------------------------------------------------- */

/* "- line" for each as far as they fit; at least one, cut if need be. */
static size_t
bundle(sat_buf *text, const sat_hook_event *list, size_t n, size_t max)
{
	size_t i;

	for (i = 0; i < n; i++) {
		size_t was = text->n;

		sat_buf_fmt(text, "%s- %s", text->n > 0 ? "\n" : "",
		    list[i].line);
		if (text->n <= max)
			continue;
		if (i > 0) {
			text->n = was;
			return i;
		}
		hook_cut(text, max);
	}
	return i;
}

static void
put_wecom(sat_json *doc, sat_span text)
{
	sat_json_put_str(doc, "msgtype", "markdown");
	sat_json_put_strn(sat_json_put_obj(doc, "markdown"), "content", text);
}

/* Their signature is a part of the address. */
static void
put_dingtalk(sat_json *doc, sat_buf *url, sat_span text, const char *secret,
    int64_t now_ms)
{
	sat_json *o;
	uint8_t mac[32];
	char said[256];

	sat_json_put_str(doc, "msgtype", "markdown");
	o = sat_json_put_obj(doc, "markdown");
	sat_json_put_str(o, "title", "Satchel");
	sat_json_put_strn(o, "text", text);
	if (secret[0] == '\0')
		return;
	(void)snprintf(said, sizeof said, "%lld\n%.200s", (long long)now_ms,
	    secret);
	sat_hmac_sha256(mac, sat_span_str(secret), sat_span_str(said));
	sat_buf_fmt(url, "%ctimestamp=%lld&sign=",
	    strchr(sat_buf_cstr(url), '?') != NULL ? '&' : '?',
	    (long long)now_ms);
	base64_escaped(url, mac, sizeof mac);
}

/* Theirs is in the body, and the key is what others sign. */
static void
put_feishu(sat_json *doc, sat_span text, const char *secret, int64_t now_ms)
{
	sat_buf sig = { 0 };
	uint8_t mac[32];
	char said[256], when[24];

	if (secret[0] != '\0') {
		(void)snprintf(when, sizeof when, "%lld",
		    (long long)(now_ms / 1000));
		(void)snprintf(said, sizeof said, "%s\n%.200s", when, secret);
		sat_hmac_sha256(mac, sat_span_str(said), sat_span_of("", 0));
		sat_base64_add(&sig, sat_span_of(mac, sizeof mac));
		sat_json_put_str(doc, "timestamp", when);
		sat_json_put_strn(doc, "sign", sat_buf_span(&sig));
	}
	sat_json_put_str(doc, "msg_type", "text");
	sat_json_put_strn(sat_json_put_obj(doc, "content"), "text", text);
	sat_buf_fini(&sig);
}

static void
make_chat(hook_form *f, const sat_hook *h, const sat_hook_event *list,
    size_t n, const char *secret, int64_t now_ms)
{
	bool feishu = strcmp(h->format, "feishu") == 0;
	bool slack = strcmp(h->format, "slack") == 0;
	sat_json *doc = sat_json_obj();
	sat_buf text = { 0 };
	sat_span s;

	f->used = bundle(&text, list, n, feishu || slack ? SAT_HOOK_TEXT_MAX :
	    SAT_HOOK_MARKDOWN_MAX);
	s = sat_buf_span(&text);
	if (feishu)
		put_feishu(doc, s, secret, now_ms);
	else if (slack)
		sat_json_put_strn(doc, "text", s);
	else if (strcmp(h->format, "dingtalk") == 0)
		put_dingtalk(doc, &f->url, s, secret, now_ms);
	else
		put_wecom(doc, s);
	sat_json_write(&f->body, doc, false);
	sat_buf_fini(&text);
	sat_json_free(doc);
}

void
hook_form_make(hook_form *f, const sat_hook *h, const sat_hook_event *list,
    size_t n, int64_t now_ms)
{
	sat_buf secret = { 0 };

	memset(f, 0, sizeof *f);
	hook_url_split(&f->url, &secret, h->url);
	if (hook_is_chat(h->format)) {
		make_chat(f, h, list, n, sat_buf_cstr(&secret), now_ms);
	} else {
		sat_buf_add(&f->body, list[0].body.p, list[0].body.n);
		sign(&f->signature, h->secret, sat_buf_span(&f->body), now_ms);
		f->used = 1;
	}
	sat_buf_fini(&secret);
}

void
hook_form_fini(hook_form *f)
{
	sat_buf_fini(&f->url);
	sat_buf_fini(&f->body);
	sat_buf_fini(&f->signature);
}

bool
hook_chat_took(const char *format, sat_span answer)
{
	sat_json *doc = NULL;
	const sat_json *code = NULL;
	bool took;

	if (strcmp(format, "slack") == 0)
		return true; /* its status says it all */
	if (sat_json_parse(&doc, answer, 0, NULL) == SAT_OK) {
		code = sat_json_get(doc, strcmp(format, "feishu") == 0 ? "code" :
		    "errcode");
		if (code == NULL && strcmp(format, "feishu") == 0)
			code = sat_json_get(doc, "StatusCode");
	}
	took = sat_json_type(code) == SAT_J_INT && sat_json_int(code, 1) == 0;
	sat_json_free(doc);
	return took;
}
