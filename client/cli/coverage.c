/*
 * How complete a report is, in one line for a person.
 */
#include "client/cli/cli_int.h"

static void
state_text(sat_buf *b, bool zh, const sat_json *doc)
{
	if (sat_json_get(doc, "frozen") != NULL)
		sat_buf_str(b, zh ? "已冻结" : "frozen");
	else if (sat_json_get_bool(doc, "provisional", true))
		sat_buf_str(b, zh ? "暂定" : "provisional");
	else
		sat_buf_str(b, zh ? "完整" : "complete");
}

void
cli_coverage_text(sat_buf *b, const cli *c, const sat_json *doc)
{
	const sat_json *cover = sat_json_get(doc, "coverage");
	const char *known = sat_json_get_str(cover, "known_at", NULL);
	bool zh = c->lang[0] == 'z';

	if (sat_json_type(cover) != SAT_J_OBJ) {
		sat_buf_fmt(b, zh ? "覆盖范围：%s · " : "coverage: %s · ",
		    sat_json_get_str(doc, "coverage_reason", "—"));
		state_text(b, zh, doc);
		return;
	}
	sat_buf_fmt(b, zh ? "覆盖率 %s%%（%lld/%lld 台设备已上报至期末之后" :
	    "coverage %s%% (%lld of %lld devices reported past the end",
	    sat_json_get_str(cover, "percent", "—"),
	    (long long)sat_json_get_int(cover, "reported", 0),
	    (long long)sat_json_get_int(cover, "active", 0));
	if (known != NULL) {
		sat_buf_str(b, zh ? "，所知截至 " : ", as known ");
		cli_time_text(b, c, known);
	}
	sat_buf_str(b, zh ? "）· " : ") · ");
	state_text(b, zh, doc);
}
