/*
 * Moves about what the device's user may not do.
 */
#include "tests/sim/byz_moves.h"

/* ---- what is not its own --------------------------------------------------------------- */

static sat_op
any_edit(evil *v, const brec *r)
{
	const sat_id *id = &r->id;
	sat_op op;

	switch (byz_draw(v, 10)) {
	case 0: op = byz_op(SAT_OP_MVSET, id, A_NAME, byz_txt("mine")); break;
	case 1: op = byz_op(SAT_OP_SET, id, A_REMARK, byz_txt("mine")); break;
	case 2: op = byz_op(SAT_OP_SADD, id, A_TAGS, byz_txt("mine")); break;
	case 3: op = byz_op(SAT_OP_SREM, id, A_TAGS, byz_txt("Same")); break;
	case 4: op = byz_op(SAT_OP_ADD, id, A_VISITS, sat_v_int(9)); break;
	case 5: op = byz_op(SAT_OP_REASSIGN, id, A_OWNER, byz_txt(byz_my_key(v))); break;
	case 6: op = byz_op(SAT_OP_DEL, id, 0, sat_v_null()); break;
	case 7: op = byz_op(SAT_OP_UNDEL, id, 0, sat_v_null()); break;
	case 8: op = byz_op(SAT_OP_NEW, id, 0, sat_v_null()); break;
	default: op = byz_op(SAT_OP_RESOLVE, id, A_NAME, byz_txt("mine")); break;
	}
	op.rtype = r->kind;
	return op;
}

static bfate
others_record(evil *v)
{
	const brec *r = byz_victim(v);

	return r == NULL ? B_OTHER : byz_one_op(v, &r->id, any_edit(v, r));
}

/* Under a subject of its own, beside an edit it may make. */
static bfate
others_record_smuggled(evil *v)
{
	const brec *r = byz_victim(v);
	sat_id id = byz_own_record(v);
	sat_op ops[2] = { byz_op(SAT_OP_SET, &id, A_REMARK, byz_txt("x")) };
	sat_commit c;

	if (r == NULL)
		return B_OTHER;
	ops[1] = any_edit(v, r);
	c = byz_commit(v, &id, ops, 2);
	return byz_push(v, &c, 1);
}

/* By the number of a record it never was told. */
static bfate
others_record_by_number(evil *v)
{
	const brec *r = byz_victim(v);
	sat_commit c;
	sat_op op;

	if (r == NULL)
		return B_OTHER;
	op = any_edit(v, r);
	if (op.kind == SAT_OP_NEW)
		op.kind = SAT_OP_DEL;
	op.eid = 1 + (uint32_t)byz_draw(v, 40);
	c = byz_commit(v, &r->id, &op, 1);
	c.subject_eid = op.eid;
	return byz_push(v, &c, 1);
}

static bfate
child_of_anothers(evil *v)
{
	const brec *r = byz_victim(v);
	sat_id id = byz_new_id(v);
	uint16_t kind = (uint16_t)(2 + byz_draw(v, 3));
	sat_op ops[2] = { byz_op(SAT_OP_NEW, &id, 0, sat_v_null()) };
	sat_commit c;

	if (r == NULL)
		return B_OTHER;
	ops[1] = byz_op(SAT_OP_SET, &id, 1, sat_v_id(&r->id));
	ops[0].rtype = ops[1].rtype = kind;
	c = byz_commit(v, byz_draw(v, 2) != 0 ? &r->id : &id, ops, 2);
	return byz_push(v, &c, 1);
}

/* An own record hung below another's, or below itself. */
static bfate
moved_below(evil *v)
{
	const brec *r = byz_victim(v);
	sat_id id = byz_own_record(v);

	if (r == NULL)
		return B_OTHER;
	return byz_one_op(v, &id, byz_op(SAT_OP_SET, &id, 1,
	    sat_v_id(byz_draw(v, 2) != 0 ? &r->id : &id)));
}

static bfate
given_away(evil *v)
{
	sat_id id = byz_own_record(v);

	return byz_one_op(v, &id, byz_op(SAT_OP_REASSIGN, &id, A_OWNER,
	    byz_txt(v->w->users[byz_draw(v, 5)].key)));
}

static bfate
owner_nobody(evil *v)
{
	sat_id id = byz_own_record(v);

	return byz_one_op(v, &id, byz_op(SAT_OP_REASSIGN, &id, A_OWNER,
	    byz_txt("root")));
}

/* ---- operations of the server or of other roles ------------------------------------------ */

static sat_op
system_op(evil *v, const sat_id *id)
{
	const brec *r = byz_victim(v);
	sat_id other = r != NULL ? r->id : *id;
	sat_op op;

	switch (byz_draw(v, 8)) {
	case 0: op = byz_op(SAT_OP_CLAIM, id, A_OWNER, byz_txt(byz_my_key(v))); break;
	case 1: op = byz_op(SAT_OP_RELEASE, id, A_OWNER, byz_txt("p1")); break;
	case 2: op = byz_op(SAT_OP_NUMBER, id, A_NUMBER, byz_txt("C202601001")); break;
	case 3:
		op = byz_op(SAT_OP_HAND, id, SAT_SYS_HANDED,
		    sat_v_bytes(sat_span_str("suggestion")));
		break;
	case 4: op = byz_op(SAT_OP_SETTLE, id, SAT_SYS_HANDED, sat_v_int(1)); break;
	case 5:
		op = byz_op(SAT_OP_MERGE, id, SAT_SYS_REDIRECT,
		    sat_value_dup(&v->tmp, sat_v_id(&other)));
		break;
	case 6: op = byz_op(SAT_OP_UNMERGE, id, SAT_SYS_REDIRECT, sat_v_null()); break;
	default: op = byz_op(SAT_OP_ERASE, id, 0, sat_v_null()); break;
	}
	return op;
}

/* What a batch cannot even hold is left out. */
static bfate
push_if_it_can_be(evil *v, const sat_id *subject, sat_op op)
{
	sat_commit c = byz_commit(v, subject, &op, 1);

	c.device = v->ord;
	c.cseq = v->cseq + 1;
	if (sat_commit_check(&c, NULL) != SAT_OK)
		return B_OTHER;
	return byz_push(v, &c, 1);
}

static bfate
system_op_on_others(evil *v)
{
	const brec *r = byz_victim(v);

	return r == NULL ? B_OTHER : push_if_it_can_be(v, &r->id,
	    system_op(v, &r->id));
}

static bfate
system_op_on_own(evil *v)
{
	sat_id id = byz_own_record(v);

	return push_if_it_can_be(v, &id, system_op(v, &id));
}

static bfate
system_field(evil *v)
{
	sat_id id = byz_own_record(v);

	return push_if_it_can_be(v, &id, byz_op(SAT_OP_SET, &id,
	    (uint16_t)(SAT_SYS_FIRST + byz_draw(v, 20)), byz_txt("x")));
}

static bfate
field_of_no_template(evil *v)
{
	sat_id id = byz_own_record(v);

	return byz_one_op(v, &id, byz_op(SAT_OP_SET, &id,
	    (uint16_t)(400 + byz_draw(v, 500)), byz_txt("x")));
}

static bfate
kind_of_no_template(evil *v)
{
	sat_id id = byz_new_id(v);
	sat_op op = byz_op(SAT_OP_NEW, &id, 0, sat_v_null());

	op.rtype = (uint16_t)(200 + byz_draw(v, 60000));
	return byz_one_op(v, &id, op);
}

static bfate
template_of_nobody(evil *v)
{
	sat_id id = byz_own_record(v);
	sat_op op = byz_op(SAT_OP_SET, &id, A_REMARK, byz_txt("x"));
	sat_commit c = byz_commit(v, &id, &op, 1);

	c.template_oid[byz_draw(v, SAT_TEMPLATE_OID_BYTES)] ^= 1;
	return byz_push(v, &c, 1);
}

static bfate
value_of_another_type(evil *v)
{
	sat_id id = byz_own_record(v);
	static const uint16_t fields[] = { A_VISITS, A_AMOUNT, A_NEXT, A_SECTOR,
		A_STAGE, A_NUMBER };
	uint16_t f = fields[byz_draw(v, sizeof fields / sizeof fields[0])];

	return byz_one_op(v, &id, byz_op(SAT_OP_SET, &id, f, byz_draw(v, 2) != 0 ?
	    byz_txt("no number") : sat_v_bytes(sat_span_str("\xff\xfe"))));
}

/* ---- the catalogue ---- */

bmove byz_rights[] = {
	{ .name = "another's record", .make = others_record, .never = true },
	{ .name = "... smuggled in", .make = others_record_smuggled },
	{ .name = "... by its number", .make = others_record_by_number },
	{ .name = "a child of another's", .make = child_of_anothers, .never = true },
	{ .name = "moved below another's", .make = moved_below },
	{ .name = "given away", .make = given_away },
	{ .name = "owned by nobody", .make = owner_nobody },
	{ .name = "a system operation", .make = system_op_on_others, .never = true },
	{ .name = "... on its own record", .make = system_op_on_own },
	{ .name = "a system field", .make = system_field },
	{ .name = "a field of no template", .make = field_of_no_template },
	{ .name = "a kind of no template", .make = kind_of_no_template, .never = true },
	{ .name = "a template of nobody", .make = template_of_nobody },
	{ .name = "a value of another type", .make = value_of_another_type },
	{ .name = NULL },
};
