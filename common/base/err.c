#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

sat_rc
sat_fail(sat_err *e, sat_rc rc, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return rc;
	memset(e, 0, sizeof *e);
	e->rc = rc;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return rc;
}

sat_rc
sat_fail_code(sat_err *e, sat_rc rc, const char *code, const char *hint,
    const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return rc;
	memset(e, 0, sizeof *e);
	e->rc = rc;
	(void)snprintf(e->code, sizeof e->code, "%s", code);
	if (hint != NULL)
		(void)snprintf(e->hint, sizeof e->hint, "%s", hint);
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return rc;
}

void
sat_err_hint(sat_err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
}

void
sat_err_field_add(sat_err *e, const char *path, const char *code)
{
	sat_err_field *f;

	if (e == NULL || e->nfields >= SAT_ERR_FIELDS_MAX)
		return;
	f = &e->fields[e->nfields++];
	(void)snprintf(f->path, sizeof f->path, "%s", path);
	(void)snprintf(f->code, sizeof f->code, "%s", code);
}

/* The one table: code, exit, HTTP status, slug, title. */
static const struct {
	sat_rc rc;
	int exit, http;
	const char *slug, *en, *zh;
} codes[] = {
	{ SAT_OK, 0, 200, "ok",
	    "done", "完成" },
	{ SAT_EFAIL, 1, 500, "failed",
	    "failed", "失败" },
	{ SAT_EUSAGE, 2, 400, "usage",
	    "wrong usage", "用法错误" },
	{ SAT_EPARTLY, 3, 200, "partly",
	    "partly done", "部分完成" },
	{ SAT_ELOCKED, 4, 401, "locked",
	    "locked, or not authenticated", "已锁定或未认证" },
	{ SAT_ENOTFOUND, 5, 404, "not_found",
	    "not found", "未找到" },
	{ SAT_ECONFLICT, 6, 409, "conflict",
	    "conflict", "冲突" },
	{ SAT_EINVALID, 7, 422, "validation",
	    "invalid data", "数据无效" },
	{ SAT_EUNREACHABLE, 8, 503, "unreachable",
	    "server not reachable", "无法连接服务器" },
	{ SAT_EDENIED, 9, 403, "denied",
	    "not permitted", "无权限" },
	{ SAT_ENOREPLICA, 10, 404, "no_replica",
	    "no replica here", "此处没有本地副本" },
	{ SAT_EBUSY, 11, 423, "busy",
	    "busy", "正忙" },
	{ SAT_EINTEGRITY, 12, 500, "integrity",
	    "integrity failure", "完整性错误" },
	{ SAT_EVERSION, 13, 426, "version",
	    "version too old or too new", "版本过旧或过新" },
	{ SAT_EREVOKED, 14, 403, "revoked",
	    "device revoked", "设备已被吊销" },
	{ SAT_ENOSPACE, 15, 507, "no_space",
	    "not enough space", "空间不足" },
	{ SAT_EFALSE, 20, 200, "false",
	    "not so", "条件不成立" },
	{ SAT_ENOMEM, 1, 500, "no_memory",
	    "not enough memory", "内存不足" },
	{ SAT_EIO, 1, 500, "io",
	    "input or output failed", "读写失败" },
	{ SAT_EPROTO, 1, 400, "malformed",
	    "malformed", "格式错误" },
	{ SAT_EFSYNC, 1, 500, "fsync",
	    "not durable", "未能落盘" },
};

#define NCODES (sizeof codes / sizeof codes[0])

int
sat_rc_exit(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].exit;
	return 1;
}

int
sat_rc_http(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].http;
	return 500;
}

const char *
sat_rc_slug(sat_rc rc)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return codes[i].slug;
	return "failed";
}

const char *
sat_rc_title(sat_rc rc, bool zh)
{
	for (size_t i = 0; i < NCODES; i++)
		if (codes[i].rc == rc)
			return zh ? codes[i].zh : codes[i].en;
	return zh ? "失败" : "failed";
}
