/*
 * The gate's part about how the company works: nobody signs for another, no
 * record reaches a state that others have to agree to before they did, and what
 * a step of the flow asks for is there before it begins. One function for every
 * door; the server asks it about what devices send.
 */
#include "common/template/gate_int.h"

#include <string.h>

#include "common/template/approval.h"
#include "common/template/flow.h"
#include "common/template/template_int.h"

typedef struct after {
	const sat_gate_in *in;
	char *joined;   /* approvals with those of this change, or NULL */
	size_t njoined;
	const sat_field *approvals;
} after;

static sat_value
value_after(void *u, const sat_field *f)
{
	const after *x = u;

	if (f == x->approvals && x->joined != NULL)
		return sat_v_text(sat_span_of(x->joined, x->njoined));
	return gate_after(x->in, f);
}

/* ---- approvals ---------------------------------------------------------------- */

/* The set as it will be: removals first, for one's own element may be added
 * again. The text is bounded by what a set may hold. */
static void
join(after *x, sat_buf *b)
{
	const sat_gate_in *in = x->in;
	sat_value was = in->current != NULL ? in->current(in->u, x->approvals) :
	    sat_v_null();

	if (was.type == SAT_V_TEXT)
		sat_buf_add(b, was.s.p, was.s.n);
	for (size_t i = 0; i < in->n; i++)
		if (in->changes[i].field == x->approvals &&
		    in->changes[i].verb == SAT_VERB_ADD &&
		    in->changes[i].value.type == SAT_V_TEXT) {
			if (b->n > 0)
				sat_buf_str(b, "\n");
			sat_buf_add(b, in->changes[i].value.s.p,
			    in->changes[i].value.s.n);
		}
	x->joined = (char *)b->p;
	x->njoined = b->n;
}

/* "ROLE:USER#..." of the one who writes it. */
static bool
is_own(const sat_gate_in *in, sat_value v)
{
	size_t r, u;

	if (in->user == NULL || v.type != SAT_V_TEXT)
		return false;
	r = strlen(in->role);
	u = strlen(in->user);
	return v.s.n > r + u + 2 && memcmp(v.s.p, in->role, r) == 0 &&
	    v.s.p[r] == ':' && memcmp(v.s.p + r + 1, in->user, u) == 0 &&
	    v.s.p[r + 1 + u] == '#';
}

static const sat_field *
approvals_of(const sat_gate_in *in)
{
	for (size_t i = 0; i < sat_approval_routes(in->t); i++)
		if (sat_approval_route_at(in->t, i)->kind == in->kind)
			return sat_approval_route_at(in->t, i)->approvals;
	return NULL;
}

/* The customer's grade as the record says, and as somebody typed it: whichever
 * asks for more. */
static bool
lacks_approval(const sat_gate_in *in, after *x)
{
	const sat_field *own = sat_kind_field(in->kind, "grade");
	sat_value said = own != NULL ? value_after(x, own) : sat_v_null();
	sat_value typed = in->customer != NULL ?
	    in->customer(in->customer_u, "grade") : sat_v_null();

	return sat_approval_lacking(in->t, in->kind, said, typed, value_after,
	    x) != NULL;
}

static void
judge_approval(gate_findings *fi)
{
	const sat_gate_in *in = fi->in;
	const sat_field *stage = in->kind->stage;
	after x = { .in = in, .approvals = approvals_of(in) };
	sat_value was, is;
	sat_buf b = { 0 };
	bool moves = in->is_new;

	if (x.approvals == NULL)
		return;
	for (size_t i = 0; i < in->n; i++)
		if (in->changes[i].field == x.approvals &&
		    !is_own(in, in->changes[i].value)) {
			gate_found(fi, x.approvals, "approval");
			return;
		}
	for (size_t i = 0; i < in->n; i++)
		moves |= in->changes[i].field == stage;
	if (!moves)
		return;
	was = in->current != NULL ? in->current(in->u, stage) : sat_v_null();
	is = gate_after(in, stage);
	if (!sat_approval_guards(in->t, in->kind, is) ||
	    sat_approval_guards(in->t, in->kind, was))
		return;
	join(&x, &b);
	if (lacks_approval(in, &x))
		gate_found(fi, stage, "approval");
	sat_buf_fini(&b);
}

/* ---- entry into a step --------------------------------------------------------- */

static bool
moves_stage(const sat_gate_in *in)
{
	if (in->is_new || in->kind->stage == NULL || in->current == NULL)
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (in->changes[i].field == in->kind->stage &&
		    in->changes[i].verb == SAT_VERB_STAGE)
			return !sat_value_eq(in->current(in->u,
			    in->kind->stage), in->changes[i].value);
	return false;
}

static int64_t
last_follow(const sat_gate_in *in)
{
	const sat_field *own = in->kind->scope == SAT_SCOPE_ROOT ?
	    sat_kind_field(in->kind, "last_follow_at") : NULL;
	sat_value v = own != NULL ? gate_after(in, own) :
	    in->customer != NULL ?
	    in->customer(in->customer_u, "last_follow_at") : sat_v_null();

	return v.type == SAT_V_INT ? v.i : 0;
}

static void
judge_entry(gate_findings *fi, sat_gate_out *out)
{
	const sat_gate_in *in = fi->in;
	const sat_flow *f = sat_flow_of(in->t, in->kind);
	const sat_flow_step *step = NULL;
	const sat_field *which;
	after x = { .in = in };
	const char *lacks;
	sat_value to;

	if (f == NULL || !moves_stage(in))
		return;
	to = gate_after(in, in->kind->stage);
	for (size_t i = 0; i < f->nsteps && step == NULL; i++)
		if (f->steps[i].stage != NULL && to.type == SAT_V_TEXT &&
		    sat_span_eq(sat_span_str(f->steps[i].stage), to.s))
			step = &f->steps[i];
	if (step == NULL)
		return;
	lacks = sat_flow_entry_lacks(&which, f, step, value_after, &x,
	    last_follow(in), in->at_ms);
	if (lacks == NULL)
		return;
	if (step->refuse)
		gate_found(fi, which != NULL ? which : in->kind->stage, lacks);
	else
		out->flag = lacks;
}

void
gate_judge_flow(gate_findings *fi, sat_gate_out *out)
{
	judge_approval(fi);
	judge_entry(fi, out);
}
