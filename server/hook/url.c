/*
 * An address and the two things in it that open a door: the key a robot has in
 * its address, and the secret behind "#", which is never sent (dingtalk and
 * feishu sign with it).
 */
#include "server/hook/hook_int.h"

#include <string.h>

#define TAIL 4 /* of the key, so that two robots can be told apart */

void
hook_url_split(sat_buf *url, sat_buf *secret, const char *text)
{
	size_t n = strcspn(text, "#");

	sat_buf_add(url, text, n);
	if (text[n] == '#')
		sat_buf_str(secret, text + n + 1);
}

void
sat_hook_mask(sat_buf *out, const char *url)
{
	size_t whole = strcspn(url, "#");
	size_t shown = strcspn(url, "?#");
	const char *path = strstr(url, "://");
	size_t host = path != NULL ? (size_t)(path - url) + 3 : 0;

	host += strcspn(url + host, "/?#");
	if (shown == whole) /* the key, if any, is the path's last part */
		while (shown > host && url[shown - 1] != '/')
			shown--;
	sat_buf_add(out, url, shown);
	if (whole == shown)
		return;
	sat_buf_str(out, "...");
	if (whole - shown >= 4 * TAIL)
		sat_buf_add(out, url + whole - TAIL, TAIL);
}
