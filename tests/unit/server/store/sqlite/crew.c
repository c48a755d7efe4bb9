#include "tests/unit/server/store/sqlite/crew.h"
#include "tests/unit/server/store/sqlite/device.h"

own *
merge(device *d, sat_id loser, sat_id winner)
{
	return device_edit(d, &winner, &loser, K_ACCOUNT, SAT_OP_MERGE,
	    SAT_SYS_REDIRECT, sat_v_id(&winner));
}

own *
unmerge(device *d, sat_id loser)
{
	return device_edit(d, &loser, &loser, K_ACCOUNT, SAT_OP_UNMERGE,
	    SAT_SYS_REDIRECT, sat_v_null());
}

sat_value
value_at(device *d, sat_id id, uint16_t field)
{
	static char text[8192];
	sat_arena a = { 0 };
	sat_record r;
	sat_value v;
	sat_err err = { 0 };
	held *h = device_find(d, &id, 0);

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	v = sat_record_value(&r, field);
	if (v.type >= SAT_V_TEXT) {
		memcpy(text, v.s.p, v.s.n);
		text[v.s.n] = '\0';
		v.s.p = (const uint8_t *)text;
	}
	sat_arena_fini(&a);
	return v;
}

const char *
text_at(device *d, sat_id id, uint16_t field)
{
	sat_value v = value_at(d, id, field);

	return v.type == SAT_V_TEXT ? (const char *)v.s.p : "";
}

size_t
candidates_at(device *d, sat_id id, uint16_t field, sat_policy policy)
{
	sat_arena a = { 0 };
	sat_candidate *c;
	uint64_t opened;
	sat_record r;
	sat_err err = { 0 };
	held *h = device_find(d, &id, 0);
	size_t n;

	assert_non_null(h);
	assert_ok(sat_record_read(&r, &a, sat_buf_span(&h->state), &err));
	n = sat_cell_candidates(&c, &opened, &a, policy,
	    sat_record_cell(&r, field));
	sat_arena_fini(&a);
	return n;
}

crew
crew_new(uint64_t seed)
{
	crew c = { .w = world_company(seed) };

	c.all[0] = c.ann = device_new(c.w, "ann");
	c.all[1] = c.bob = device_new(c.w, "bob");
	c.all[2] = c.sue = device_new(c.w, "sue");
	c.all[3] = c.max = device_new(c.w, "max");
	c.all[4] = c.mia = device_new(c.w, "mia");
	c.all[5] = c.hq = device_new(c.w, "hq");
	return c;
}

void
all_sync(crew *c)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 6; i++) {
			c->w->now_ms += 7;
			device_sync(c->all[i]);
		}
}

void
all_agree(crew *c)
{
	for (size_t i = 0; i < 6; i++)
		device_check(c->all[i]);
	world_verify(c->w);
}

void
crew_free(crew *c)
{
	for (size_t i = 0; i < 6; i++)
		device_free(c->all[i]);
	world_free(c->w);
}
