/*
 * act.h - one commit a person is making (act*.c).
 */
#ifndef TESTS_SIM_ACT_H
#define TESTS_SIM_ACT_H

#include "tests/sim/sim.h"

#define OPS_MAX 16

typedef struct work {
	device *d;
	world *w;
	sat_arena *a;
	const sat_template *t;
	sat_op ops[OPS_MAX];
	size_t n;
	int rec;           /* that is written to */
	sat_id subject;
	sat_value after[OPS_MAX]; /* what the field must show then */
	bool told[OPS_MAX];
	sat_view view;
	bool has_view;
} work;

void sim_work_begin(work *k, device *d);
/* A record this device holds and may work on; its state is in k->view. */
bool sim_work_look(work *k, int rec);
/* One of the kind (0 = any); hot: one of the first few. */
bool sim_work_pick(work *k, uint16_t kind, bool hot);
sat_op *sim_work_add(work *k, sat_op_kind kind, const sat_id *id,
    uint16_t rtype, uint16_t field, sat_value v);
/* What the field of the last operation must show then. */
void sim_work_tell(work *k, sat_value after);
/* @return something was saved. */
bool sim_work_write(work *k, int group);

sat_value sim_work_text(work *k);
sat_value sim_work_user(world *w, int user);
uint16_t sim_work_field(world *w, uint16_t kind);
void sim_work_account(work *k);
void sim_work_child(work *k, uint16_t kind, int parent);
void sim_work_edit(work *k);
void sim_work_edit_field(work *k, const sat_field *f);

/* act_boss.c */
bool sim_is_boss(const device *d);
void sim_work_delete(work *k);
void sim_work_reassign(work *k);
void sim_work_merge(work *k);
void sim_work_unmerge(work *k);
void sim_merge_burst(world *w);

/* act_pool.c */
void sim_work_pool(work *k);

#endif
