/*
 * The gate. First the right, then every finding of every change, so that a
 * form can mark all its faults at once; nothing is decided by the door.
 */
#include "common/template/gate_int.h"
#include "common/template/mask.h"
#include "common/template/template_int.h"

#include <stdio.h>
#include <string.h>

/* A laptop clock may run ahead a little (requirements §4.3). */
#define FUTURE_SLACK_MS (10 * 60 * 1000)

typedef gate_findings findings;

void
gate_found(findings *fi, const sat_field *f, const char *code)
{
	if (fi->n++ == 0)
		fi->first = code;
	sat_err_field_add(&fi->list, f != NULL ? f->key : "", code);
}

static bool
is_found(const findings *fi, const sat_field *f)
{
	for (unsigned i = 0; i < fi->list.nfields; i++)
		if (strcmp(fi->list.fields[i].path, f->key) == 0)
			return true;
	return false;
}

static sat_value
current(const sat_gate_in *in, const sat_field *f)
{
	return in->current != NULL ? in->current(in->u, f) : sat_v_null();
}

/* ---- rights ---------------------------------------------------------------- */

static const char *
action_of(const sat_gate_in *in, const sat_change *c)
{
	switch (c->verb) {
	case SAT_VERB_ASSIGN:
		return in->is_new ? "create" : "assign";
	case SAT_VERB_DELETE:
	case SAT_VERB_RESTORE:
		return "delete";
	default:
		return in->is_new ? "create" : "edit";
	}
}

bool
sat_grant_covers(sat_grant g, sat_relation r)
{
	switch (g) {
	case SAT_GRANT_OWN:
		return r == SAT_REL_OWN;
	case SAT_GRANT_TEAM:
		return r == SAT_REL_OWN || r == SAT_REL_TEAM;
	case SAT_GRANT_ALL:
		return true;
	default:
		return false;
	}
}

static sat_rc
judge_right(const sat_gate_in *in, const char *action, sat_err *e)
{
	if (sat_grant_covers(sat_acl(in->t, in->role, action), in->relation))
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "permission.denied", NULL,
	    "role %.20s may not %.60s here", in->role, action);
}

/* What the role does not see it sets only where it makes the record (P-246). */
static sat_rc
judge_masked(const sat_gate_in *in, sat_err *e)
{
	const sat_mask *m = in->is_new ? NULL :
	    sat_template_mask(in->t, in->role);

	for (size_t i = 0; m != NULL && i < in->n; i++)
		if (in->changes[i].field != NULL && sat_mask_field(m,
		    in->kind->id, in->changes[i].field->id) != NULL)
			return sat_fail_code(e, SAT_EDENIED, "masked", NULL,
			    "role %.20s does not see %.60s and may not change it",
			    in->role, in->changes[i].field->key);
	return SAT_OK;
}

/* "kind.verb". Not snprintf: that is a twentieth of judging. */
static const char *
action_name(char out[64], const sat_kind *k, const char *verb)
{
	size_t n = strnlen(k->key, 40);

	memcpy(out, k->key, n);
	out[n] = '.';
	n++;
	memcpy(out + n, verb, strnlen(verb, 62 - n));
	out[n + strnlen(verb, 62 - n)] = '\0';
	return out;
}

static sat_rc
judge_rights(const sat_gate_in *in, sat_err *e)
{
	const char *last = NULL;
	char action[64];
	sat_rc rc = judge_masked(in, e);

	if (in->is_new && in->n == 0)
		return judge_right(in, action_name(action, in->kind, "create"),
		    e);
	for (size_t i = 0; i < in->n && rc == SAT_OK; i++) {
		const char *verb = action_of(in, &in->changes[i]);

		if (in->changes[i].verb == SAT_VERB_RESOLVE) {
			rc = judge_right(in, "conflict.resolve", e);
			continue;
		}
		if (in->changes[i].verb == SAT_VERB_MERGE ||
		    in->changes[i].verb == SAT_VERB_JOIN) {
			rc = judge_right(in, "merge", e);
			continue;
		}
		if (verb == last)
			continue;
		last = verb;
		rc = judge_right(in, action_name(action, in->kind, verb), e);
	}
	return rc;
}

/* ---- one change ------------------------------------------------------------ */

/* Does the verb fit the field's merge policy? */
static bool
verb_fits(const sat_gate_in *in, const sat_change *c)
{
	sat_policy p = c->field->policy;

	switch (c->verb) {
	case SAT_VERB_SET:
		/* A record is born with its owner and stage set plainly. */
		return p == SAT_P_LWW || p == SAT_P_REVIEW || p == SAT_P_MAX ||
		    p == SAT_P_MIN || p == SAT_P_ONCE ||
		    (in->is_new && (p == SAT_P_OWNER || p == SAT_P_STAGE));
	case SAT_VERB_ADD:
		return p == SAT_P_SET || p == SAT_P_COUNTER;
	case SAT_VERB_REMOVE:
		return p == SAT_P_SET;
	case SAT_VERB_STAGE:
		return p == SAT_P_STAGE;
	case SAT_VERB_ASSIGN:
		return p == SAT_P_OWNER;
	case SAT_VERB_RESOLVE:
	case SAT_VERB_JOIN:
		return p == SAT_P_REVIEW || p == SAT_P_STAGE;
	default:
		return false;
	}
}

/* A resolution may choose what the graph does not connect. */
static bool
stage_allowed(const sat_gate_in *in, const sat_change *c)
{
	sat_value was = current(in, c->field);
	const sat_option *from;

	if (in->is_new || in->from_sync || c->verb == SAT_VERB_RESOLVE ||
	    c->verb == SAT_VERB_JOIN ||
	    was.type != SAT_V_TEXT || sat_value_eq(was, c->value))
		return true;
	from = sat_dict_option(c->field->dict, (const char *)was.s.p, was.s.n);
	if (from == NULL) /* unknown here: nothing to judge by */
		return true;
	for (size_t i = 0; i < from->nnext; i++)
		if (sat_span_eq(sat_span_str(from->next[i]), c->value.s))
			return true;
	return false;
}

/* A retired option may stay where it is, not come anew. */
static bool
option_retired(const sat_gate_in *in, const sat_change *c)
{
	const sat_field *f = c->field;
	const sat_option *o;

	if (f->dict == NULL || in->from_sync || c->verb == SAT_VERB_JOIN ||
	    c->value.type != SAT_V_TEXT)
		return false;
	o = sat_dict_option(f->dict, (const char *)c->value.s.p, c->value.s.n);
	return o != NULL && o->retired &&
	    !sat_value_eq(current(in, f), c->value);
}

static const char *
judge_value(const sat_gate_in *in, const sat_change *c)
{
	const sat_field *f = c->field;
	const char *code;

	if (c->value.type == SAT_V_NULL) {
		/* Clearing: only what holds one plain value can be empty. */
		if (c->verb != SAT_VERB_SET && c->verb != SAT_VERB_RESOLVE)
			return "type";
		return f->policy == SAT_P_STAGE || f->policy == SAT_P_OWNER ?
		    "type" : NULL;
	}
	if (f->policy == SAT_P_COUNTER) /* a delta has no limits of its own */
		return c->value.type == SAT_V_INT ? NULL : "type";
	if (c->verb == SAT_VERB_REMOVE) /* also an option long gone */
		return c->value.type == SAT_V_TEXT ? NULL : "type";
	if ((code = sat_field_check(in->t, f, c->value)) != NULL)
		return code;
	if (option_retired(in, c))
		return "retired";
	if (f->not_future && in->now_ms > 0 &&
	    c->value.i > in->now_ms + FUTURE_SLACK_MS)
		return "range";
	return NULL;
}

static const char *
judge_change(const sat_gate_in *in, const sat_change *c)
{
	const sat_field *f = c->field;
	sat_value was;
	const char *code;

	if (f->policy == SAT_P_DERIVED || !verb_fits(in, c))
		return "policy";
	if (f->retired && !in->from_sync)
		return "retired";
	/* a file may come later than the words it belongs to */
	if (in->kind->append_only && !in->is_new &&
	    !(f->files && c->verb == SAT_VERB_ADD))
		return "append_only";
	if ((code = judge_value(in, c)) != NULL)
		return code;
	if (f->policy == SAT_P_ONCE && !in->is_new && !in->from_sync) {
		was = current(in, f);
		if (was.type != SAT_V_NULL && !sat_value_eq(was, c->value))
			return "policy";
	}
	if (f->policy == SAT_P_STAGE && !stage_allowed(in, c))
		return "stage";
	return NULL;
}

static void
judge_changes(findings *fi)
{
	const sat_gate_in *in = fi->in;
	bool restored = false;

	for (size_t i = 0; i < in->n; i++)
		restored = restored || in->changes[i].verb == SAT_VERB_RESTORE;
	for (size_t i = 0; i < in->n; i++) {
		const sat_change *c = &in->changes[i];
		const char *code;

		if (c->verb == SAT_VERB_DELETE || c->verb == SAT_VERB_RESTORE ||
		    c->verb == SAT_VERB_MERGE) {
			if (c->field != NULL || in->is_new)
				gate_found(fi, c->field, "policy");
			continue;
		}
		if (c->field == NULL ||
		    sat_kind_field_id(in->kind, c->field->id) != c->field)
			code = "type";
		else if (in->deleted && !restored && !in->from_sync)
			code = "policy";
		else
			code = judge_change(in, c);
		if (code != NULL)
			gate_found(fi, c->field, code);
	}
}

/* ---- required fields --------------------------------------------------------- */

/* Does a later change than `from` take this element out of the set? */
static bool
taken(const sat_gate_in *in, const sat_field *f, sat_span element, size_t from)
{
	bool yes = false;

	for (size_t i = from; i < in->n; i++) {
		const sat_change *c = &in->changes[i];

		if (c->field == f && c->value.type == SAT_V_TEXT &&
		    sat_span_eq(c->value.s, element))
			yes = c->verb == SAT_VERB_REMOVE;
	}
	return yes;
}

/* A set whose last element goes; its value is its elements, joined by LF. */
static bool
is_emptied(const sat_gate_in *in, const sat_field *f)
{
	sat_value was = current(in, f);
	sat_span rest = was.type == SAT_V_TEXT ? was.s : sat_span_of(NULL, 0);

	while (rest.n > 0) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t n = lf != NULL ? (size_t)(lf - rest.p) : rest.n;

		if (!taken(in, f, sat_span_of(rest.p, n), 0))
			return false;
		n += lf != NULL;
		rest = sat_span_of(rest.p + n, rest.n - n);
	}
	for (size_t i = 0; i < in->n; i++)
		if (in->changes[i].field == f &&
		    in->changes[i].verb == SAT_VERB_ADD &&
		    !taken(in, f, in->changes[i].value.s, i + 1))
			return false;
	return true;
}

/* The value as it will be: the last plain change wins, additions count. */
sat_value
gate_after(const sat_gate_in *in, const sat_field *f)
{
	sat_value v = current(in, f);

	for (size_t i = 0; i < in->n; i++) {
		const sat_change *c = &in->changes[i];

		if (c->field != f || c->verb == SAT_VERB_REMOVE)
			continue;
		v = c->value;
	}
	return f->policy == SAT_P_SET && is_emptied(in, f) ? sat_v_null() : v;
}

static bool
when_holds(const char *when, const sat_field *other, sat_value v)
{
	const char *want = strchr(when, '=') + 1; /* checked when loaded */

	if (other->type == SAT_F_BOOL)
		return v.type == SAT_V_INT &&
		    (v.i != 0) == (strcmp(want, "true") == 0);
	return v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(want));
}

static const sat_field *
when_field(const sat_kind *k, const char *when)
{
	char key[TEMPLATE_KEY_MAX + 1];
	size_t n = strcspn(when, "=");

	if (n >= sizeof key)
		return NULL;
	memcpy(key, when, n);
	key[n] = '\0';
	return sat_kind_field(k, key);
}

typedef sat_value (*getter)(void *u, const sat_field *f);

static bool
is_required(const sat_kind *k, const sat_field *f, getter get, void *u)
{
	const sat_field *other;

	if (f->retired)
		return false;
	if (f->required)
		return true;
	if (f->required_when == NULL)
		return false;
	other = when_field(k, f->required_when);
	return other != NULL && when_holds(f->required_when, other, get(u, other));
}

static bool
is_empty(sat_value v)
{
	return v.type == SAT_V_NULL || (v.type != SAT_V_INT && v.s.n == 0);
}

static sat_value
get_after(void *u, const sat_field *f)
{
	return gate_after(u, f);
}

static sat_value
get_before(void *u, const sat_field *f)
{
	return current(u, f);
}

static bool
changes_key(const sat_gate_in *in, const char *key, size_t n)
{
	for (size_t i = 0; i < in->n; i++) {
		const sat_field *f = in->changes[i].field;

		if (f != NULL && strncmp(f->key, key, n) == 0 &&
		    f->key[n] == '\0')
			return true;
	}
	return false;
}

/* Can these changes make the field missing, or required? */
static bool
concerns(const sat_gate_in *in, const sat_field *f)
{
	const char *when = f->required_when;

	return in->is_new || ((f->required || when != NULL) &&
	    (changes_key(in, f->key, strlen(f->key)) ||
	    (when != NULL && changes_key(in, when, strcspn(when, "=")))));
}

/*
 * A field that is missing from before is only flagged: an incomplete import
 * must stay editable. What this change takes away, or first demands, is
 * refused.
 */
static void
judge_required(findings *fi, sat_gate_out *out)
{
	sat_gate_in copy = *fi->in;

	for (size_t i = 0; i < copy.kind->nfields; i++) {
		const sat_field *f = &copy.kind->fields[i];
		bool was_missing;

		if (!concerns(&copy, f) ||
		    !is_required(copy.kind, f, get_after, &copy) ||
		    !is_empty(gate_after(&copy, f)))
			continue;
		out->incomplete = true;
		was_missing = !copy.is_new && is_empty(current(&copy, f)) &&
		    is_required(copy.kind, f, get_before, &copy);
		if (!was_missing && !copy.flag_missing && !is_found(fi, f))
			gate_found(fi, f, "required");
	}
}

static bool
only_whole_record(const sat_gate_in *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->changes[i].verb != SAT_VERB_DELETE &&
		    in->changes[i].verb != SAT_VERB_MERGE)
			return false;
	return in->n > 0;
}

sat_rc
sat_gate_judge(sat_gate_out *out, const sat_gate_in *in, sat_err *e)
{
	findings fi;
	char slug[40];
	sat_rc rc;

	fi.in = in;
	fi.n = 0;
	fi.first = NULL;
	sat_err_clear(&fi.list);
	*out = (sat_gate_out){ false, NULL };
	if ((rc = judge_rights(in, e)) != SAT_OK)
		return rc;
	/* What comes by sync may be of a time when it was on. */
	if (in->kind->off && in->is_new && !in->from_sync)
		return sat_fail_code(e, SAT_EINVALID, "module.off",
		    "the administrator switches it on: modules in template.json",
		    "the module %.40s is not in use yet", in->kind->module);
	judge_changes(&fi);
	gate_judge_flow(&fi, out);
	if (!only_whole_record(in))
		judge_required(&fi, out);
	if (fi.n == 0)
		return SAT_OK;
	(void)snprintf(slug, sizeof slug, "validation.%s", fi.first);
	(void)sat_fail_code(e, SAT_EINVALID, slug, NULL,
	    "%s: %zu finding%s, first: %s %s", in->kind->key, fi.n,
	    fi.n == 1 ? "" : "s", fi.list.fields[0].path, fi.first);
	for (unsigned i = 0; i < fi.list.nfields; i++)
		sat_err_field_add(e, fi.list.fields[i].path,
		    fi.list.fields[i].code);
	return SAT_EINVALID;
}

bool
sat_gate_incomplete(const sat_template *t, const sat_kind *k, getter get,
    void *u, const char *missing[SAT_FIELDS_MAX], size_t *nmissing)
{
	(void)t;
	*nmissing = 0;
	for (size_t i = 0; i < k->nfields; i++) {
		const sat_field *f = &k->fields[i];

		if (is_required(k, f, get, u) && is_empty(get(u, f)))
			missing[(*nmissing)++] = f->key;
	}
	return *nmissing > 0;
}
