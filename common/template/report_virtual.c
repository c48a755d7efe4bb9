#include "common/template/report_def.h"

#include <string.h>

#define STAGES_STAGE 4

#define FIELD(n, k, z, e, t) { .id = (n), .key = (k), .zh = (z), .en = (e), \
	.type = (t), .column = (k) }

static const sat_field users[] = {
	FIELD(1, "owner", "人员", "User", SAT_F_USER),
	FIELD(2, "team", "团队", "Team", SAT_F_TEXT),
	FIELD(3, "role", "角色", "Role", SAT_F_TEXT),
	FIELD(4, "enabled", "启用", "Enabled", SAT_F_BOOL),
	FIELD(5, "days_pct", "在岗（天×%）", "Days at work x %", SAT_F_INT),
};
static const sat_field writes[] = {
	FIELD(1, "owner", "人员", "User", SAT_F_USER),
	FIELD(2, "kind", "功能", "Function", SAT_F_TEXT),
	FIELD(3, "day", "日期", "Day", SAT_F_DATE),
	FIELD(4, "at", "时间", "At", SAT_F_TIME),
};
static const sat_field moves[] = {
	{ .id = 1, .key = "account", .zh = "客户", .en = "Customer",
	    .type = SAT_F_REF, .ref = "account", .column = "account" },
	FIELD(2, "owner", "人员", "User", SAT_F_USER),
	FIELD(3, "before", "原负责人", "Owner before", SAT_F_USER),
	FIELD(4, "after", "现负责人", "Owner after", SAT_F_USER),
	FIELD(5, "at", "时间", "At", SAT_F_TIME),
};

static const sat_field stages[] = {
	{ .id = 1, .key = "opportunity", .zh = "商机", .en = "Opportunity",
	    .type = SAT_F_REF, .ref = "opportunity", .column = "opportunity" },
	{ .id = 2, .key = "account", .zh = "客户", .en = "Customer",
	    .type = SAT_F_REF, .ref = "account", .column = "account" },
	FIELD(3, "owner", "人员", "User", SAT_F_USER),
	FIELD(STAGES_STAGE, "stage", "阶段", "Stage", SAT_F_ENUM),
	FIELD(5, "at", "时间", "At", SAT_F_TIME),
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const sat_kind kinds[] = {
	{ .id = SAT_VIRTUAL_USERS, .key = "@users", .plural = "@users",
	    .zh = "人员", .en = "Users", .scope = SAT_SCOPE_ROOT,
	    .fields = users, .nfields = COUNT(users), .owner = &users[0],
	    .title = &users[0] },
	{ .id = SAT_VIRTUAL_WRITES, .key = "@writes", .plural = "@writes",
	    .zh = "操作", .en = "Changes", .scope = SAT_SCOPE_ROOT,
	    .fields = writes, .nfields = COUNT(writes), .owner = &writes[0],
	    .title = &writes[1] },
	{ .id = SAT_VIRTUAL_MOVES, .key = "@moves", .plural = "@moves",
	    .zh = "客户流转", .en = "Changes of owner", .scope = SAT_SCOPE_ROOT,
	    .fields = moves, .nfields = COUNT(moves), .owner = &moves[1],
	    .title = &moves[0] },
	/* shared: only what the reader may see is made at all */
	{ .id = SAT_VIRTUAL_STAGES, .key = "@stages", .plural = "@stages",
	    .zh = "阶段变化", .en = "Stages entered", .scope = SAT_SCOPE_SHARED,
	    .fields = stages, .nfields = COUNT(stages), .owner = &stages[2],
	    .title = &stages[0] },
};

/* The options of its stage are the template's. */
static const sat_kind *
with_stages(const sat_kind *k, const sat_template *t, sat_arena *a)
{
	const sat_kind *o = sat_template_kind(t, "opportunity");
	sat_field *f = sat_arena_dup(a, k->fields, k->nfields * sizeof *f);
	sat_kind *out = sat_arena_dup(a, k, sizeof *k);

	if (o == NULL || o->stage == NULL)
		return NULL;
	f[STAGES_STAGE - 1].dict = o->stage->dict;
	out->fields = f;
	out->owner = &f[2];
	out->title = &f[0];
	return out;
}

const sat_kind *
sat_report_virtual(const char *key, const sat_template *t, sat_arena *a)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].key, key) == 0)
			return kinds[i].id != SAT_VIRTUAL_STAGES ? &kinds[i] :
			    with_stages(&kinds[i], t, a);
	return NULL;
}
