/*
 * Webhooks: the server sends them, for devices are often offline; here an
 * administrator's words are relayed to it, as in admin.c.
 */
#include "client/api/api_int.h"

#include <string.h>

HANDLER(api_webhooks)
{
	(void)req;
	(void)args;
	return api_admin_ask(out, api, "webhook", "list", NULL, NULL, e);
}

HANDLER(api_webhook_add)
{
	const char *url = sat_json_get_str(req->body, "url", NULL);
	sat_json *options;
	sat_rc rc;

	(void)args;
	if (url == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage",
		    "for example https://hooks.example.com/satchel",
		    "the address is missing");
	options = sat_json_dup(req->body);
	sat_json_del(options, "url");
	rc = api_admin_ask(out, api, "webhook", "add", url, options, e);
	sat_json_free(options);
	return rc;
}

HANDLER(api_webhook)
{
	(void)req;
	return api_admin_ask(out, api, "webhook", "show", args[0], NULL, e);
}

HANDLER(api_webhook_dead)
{
	(void)req;
	return api_admin_ask(out, api, "webhook", "dead", args[0], NULL, e);
}

HANDLER(api_webhook_do)
{
	(void)req;
	if (strcmp(args[1], "test") != 0 && strcmp(args[1], "retry") != 0)
		return sat_fail_code(e, SAT_ENOTFOUND, "not_found",
		    "test or retry", "nothing is done to a webhook as %.40s",
		    args[1]);
	return api_admin_ask(out, api, "webhook", args[1], args[0], NULL, e);
}

HANDLER(api_webhook_remove)
{
	(void)req;
	return api_admin_ask(out, api, "webhook", "remove", args[0], NULL, e);
}
