/*
 * mask_matrix.c - what the template of the simulations hides from a role. On its
 * own: the sweep, the hostile devices and the loss of a server use that template,
 * and not the rest of the simulator.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"

/* Every canary, values people disagree about, sets; what later versions hide
 * besides, and what they show again, makes devices begin anew. */
static const char *const hidden[SIM_TEMPLATES] = {
	"\"*.address\",\"contact.wechat\",\"activity.place\","
	"\"opportunity.need_detail\",\"account.name\",\"account.tags\"",
	"\"*.address\",\"contact.wechat\",\"activity.place\","
	"\"opportunity.need_detail\",\"account.name\",\"account.tags\"",
	"\"*.address\",\"contact.wechat\",\"activity.place\","
	"\"opportunity.need_detail\",\"account.tags\",\"account.remark\","
	"\"opportunity.amount\"",
	"\"*.address\",\"contact.wechat\",\"activity.place\","
	"\"opportunity.need_detail\",\"account.remark\",\"*.name\"",
};

/* The auditor of the simulation may do what headquarters may. */
sat_span
sim_mask_matrix(sat_arena *a, sat_span doc, int version)
{
	sat_buf out = { 0 };
	const sat_json *grants, *row;
	sat_json *j = NULL;
	sat_span copy;
	sat_err e;

	if (sat_json_parse(&j, doc, 1u << 20, &e) != SAT_OK)
		abort();
	grants = sat_json_get(j, "grants");
	sat_buf_str(&out, "{\"roles\":");
	sat_json_write(&out, sat_json_get(j, "roles"), false);
	sat_buf_fmt(&out, ",\"masks\":{\"auditor\":[%s]},\"grants\":{",
	    hidden[version]);
	for (row = sat_json_first(grants); row != NULL;
	    row = sat_json_next(row)) {
		bool like_hq = strcmp(sat_json_key(row), "auditor") == 0;

		sat_buf_fmt(&out, "%s\"%s\":", row == sat_json_first(grants) ?
		    "" : ",", sat_json_key(row));
		sat_json_write(&out, like_hq ? sat_json_get(grants, "hq") : row,
		    false);
	}
	sat_buf_str(&out, "}}");
	sat_json_free(j);
	copy = sat_span_of(sat_arena_dup(a, out.p, out.n), out.n);
	sat_buf_fini(&out);
	return copy;
}
