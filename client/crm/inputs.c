/*
 * What a person typed -> what shall change. Every fault is collected, so that
 * a form can mark all its fields at once; the gate adds its own findings.
 */
#include "client/crm/crm_int.h"

#include <string.h>

sat_rc
crm_actor_get(crm_actor *w, sat_crm *c, sat_err *e)
{
	w->t = sat_replica_template(c->replica);
	w->me = sat_replica_me(c->replica);
	w->reg = sat_replica_registry(c->replica);
	w->now_ms = sat_wall_ms(&c->clock);
	if (w->t == NULL || w->me == NULL)
		return sat_fail_code(e, SAT_ENOREPLICA, "replica.empty",
		    "run satchel sync", "this device has never synced");
	return SAT_OK;
}

void
crm_work_begin(crm_work *w, sat_crm *c, const crm_actor *who, sat_arena *a,
    const sat_kind *k, const sat_view *was)
{
	memset(w, 0, sizeof *w);
	w->c = c;
	w->who = who;
	w->a = a;
	w->kind = k;
	w->was = was;
	if (was != NULL)
		w->id = was->rec.id;
}

void
crm_fault(crm_work *w, const sat_field *f, const char *code)
{
	sat_err_field_add(&w->bad, f->key, code);
}

/* What cannot be read is null here, and refused before anything is written. */
static void
widen(const crm_work *w)
{
	crm_part *p = w->part;
	sat_view v;

	p->whole = true;
	p->rc = sat_replica_get(&v, w->a, w->c->replica, w->kind, &w->id,
	    &p->err);
	if (p->rc == SAT_OK)
		*p->v = v;
}

sat_value
crm_was(const crm_work *w, const sat_field *f)
{
	if (w->part != NULL && !w->part->whole && f != w->part->field &&
	    f != w->kind->owner && f != w->kind->parent)
		widen(w);
	return w->was != NULL ? sat_record_value(&w->was->rec, f->id) :
	    sat_v_null();
}

sat_value
crm_after(const crm_work *w, const sat_field *f)
{
	for (size_t i = w->n; i > 0; i--)
		if (w->changes[i - 1].field == f)
			return w->changes[i - 1].value;
	return crm_was(w, f);
}

bool
crm_changes_field(const crm_work *w, const sat_field *f)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->changes[i].field == f)
			return true;
	return false;
}

static void
drop(crm_work *w, size_t i)
{
	memmove(w->changes + i, w->changes + i + 1,
	    (w->n - i - 1) * sizeof *w->changes);
	w->n--;
}

void
crm_change(crm_work *w, sat_verb verb, const sat_field *f, sat_value v)
{
	bool many = verb == SAT_VERB_ADD || verb == SAT_VERB_REMOVE;

	for (size_t i = w->n; !many && i > 0; i--)
		if (w->changes[i - 1].field == f)
			drop(w, i - 1);
	if ((verb == SAT_VERB_SET || verb == SAT_VERB_STAGE ||
	    verb == SAT_VERB_ASSIGN) && sat_value_eq(crm_was(w, f), v))
		return;
	SAT_ARENA_GROW(w->changes, w->n, w->cap, w->a);
	w->changes[w->n++] = (sat_change){ verb, f, v };
}

/* An earlier number of the record still means the record (P-145). */
static bool
is_alias(const crm_work *w, const sat_field *f, sat_value v)
{
	const sat_cell *c = w->was != NULL ? sat_record_cell(&w->was->rec,
	    SAT_SYS_ALIASES) : NULL;
	sat_element *el;
	size_t n;

	if (c == NULL || v.type != SAT_V_TEXT || strcmp(f->key, "number") != 0)
		return false;
	n = sat_cell_elements(&el, w->a, c);
	for (size_t i = 0; i < n; i++)
		if (sat_span_eq(el[i].text, v.s))
			return true;
	return false;
}

void
crm_put(crm_work *w, const sat_field *f, sat_value v)
{
	if (is_alias(w, f, v))
		return;
	crm_change(w, f->policy == SAT_P_STAGE ? SAT_VERB_STAGE :
	    f->policy == SAT_P_OWNER ? SAT_VERB_ASSIGN : SAT_VERB_SET, f, v);
}

const char *
crm_first(sat_arena *a, const char *text, size_t letters)
{
	sat_buf b = { 0 };
	const char *out;
	size_t i = 0;

	for (; text[i] != '\0'; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80 && letters-- == 0)
			break;
	if (!sat_norm_text(&b, sat_span_of(text, i)))
		sat_buf_reset(&b);
	out = sat_arena_str(a, sat_buf_cstr(&b), b.n);
	sat_buf_fini(&b);
	return out;
}

const char *
crm_fit(sat_arena *a, const sat_field *f, const char *text)
{
	return crm_first(a, text, f->max_len > 0 ? f->max_len : SIZE_MAX);
}

void
crm_put_key(crm_work *w, const char *key, sat_value v)
{
	const sat_field *f = sat_kind_field(w->kind, key);

	if (f != NULL)
		crm_put(w, f, v);
}

void
crm_put_known(crm_work *w, const char *key, sat_value v)
{
	if (v.type != SAT_V_NULL)
		crm_put_key(w, key, v);
}

bool
crm_says(sat_value v, const char *word)
{
	return v.type == SAT_V_TEXT && sat_span_eq(v.s, sat_span_str(word));
}

const char *
crm_keep_text(sat_arena *a, sat_value v)
{
	return v.type == SAT_V_TEXT ? sat_arena_str(a, v.s.p, v.s.n) : NULL;
}

/* ---- one value ------------------------------------------------------------- */

/* By key, or by full name when nobody else has it. */
static const char *
read_user(sat_value *out, const crm_work *w, sat_span text)
{
	const sat_registry *reg = w->who->reg;
	const sat_user *u, *found = NULL;

	if (sat_span_eq(text, sat_span_str("me")) ||
	    sat_span_eq(text, sat_span_str("@me"))) {
		*out = sat_v_text(sat_span_str(w->who->me->key));
		return NULL;
	}
	if ((found = sat_registry_user(reg, text)) == NULL)
		for (size_t i = 0; i < reg->nusers; i++) {
			u = &reg->users[i];
			if (!sat_norm_same(SAT_NORM_PLAIN,
			    sat_span_str(u->name), text))
				continue;
			if (found != NULL)
				return "option"; /* two of that name */
			found = u;
		}
	if (found == NULL)
		return "option";
	*out = sat_v_text(sat_span_str(found->key));
	return NULL;
}

/* By id, prefix, number or external id; else by what a list shows. */
static sat_rc
read_ref(sat_value *out, const char **code, crm_work *w, const sat_field *f,
    sat_span text, sat_err *e)
{
	const sat_kind *k = sat_template_kind(w->who->t, f->ref);
	sat_id id[2];
	sat_value v;
	size_t n;
	sat_rc rc;

	*code = "option";
	if (k == NULL || text.n > 512)
		return SAT_OK;
	rc = sat_replica_resolve(&id[0], w->c->replica, k,
	    sat_arena_str(w->a, text.p, text.n), e);
	if (rc == SAT_ENOTFOUND && k->title != NULL &&
	    k->title->dup_weight > 0) {
		if (sat_field_parse(&v, w->a, w->who->t, k->title, text,
		    NULL) != SAT_OK)
			return SAT_OK;
		if ((rc = crm_find(id, 2, &n, w, k, k->title, v, e)) != SAT_OK)
			return rc;
		rc = n == 1 ? SAT_OK : SAT_ENOTFOUND;
	}
	if (rc == SAT_ENOTFOUND || rc == SAT_ECONFLICT)
		return SAT_OK;
	if (rc != SAT_OK)
		return rc;
	*code = NULL;
	*out = sat_value_dup(w->a, sat_v_id(&id[0]));
	return SAT_OK;
}

static sat_rc
look_up(sat_value *out, const char **code, crm_work *w, const sat_field *f,
    sat_span text, sat_err *e)
{
	uint32_t space = (uint32_t)w->kind->id << 16 | f->id;
	sat_rc rc = SAT_OK;

	if (w->lookups != NULL &&
	    crm_cache_get(out, w->lookups, space, text)) {
		*out = sat_value_dup(w->a, *out);
		return SAT_OK;
	}
	if (f->type == SAT_F_USER)
		*code = read_user(out, w, text);
	else
		rc = read_ref(out, code, w, f, text, e);
	if (rc == SAT_OK && *code == NULL && w->lookups != NULL)
		crm_cache_put(w->lookups, space, text, *out);
	return rc;
}

sat_rc
crm_read(sat_value *out, const char **code, crm_work *w, const sat_field *f,
    sat_span text, sat_err *e)
{
	sat_err why;
	sat_buf clean = { 0 };
	sat_rc rc = SAT_OK;

	*code = NULL;
	*out = sat_v_null();
	if (f->type != SAT_F_USER && f->type != SAT_F_REF) {
		memset(&why, 0, sizeof why);
		if (sat_field_parse(out, w->a, w->who->t, f, text, &why) !=
		    SAT_OK)
			*code = sat_arena_str(w->a, why.fields[0].code,
			    strlen(why.fields[0].code));
		return SAT_OK;
	}
	if (text.n > SAT_VALUE_MAX || !sat_norm_text(&clean, text))
		*code = "type";
	else if (clean.n > 0)
		rc = look_up(out, code, w, f, sat_buf_span(&clean), e);
	sat_buf_fini(&clean);
	return rc;
}

/* ---- sets and counters ------------------------------------------------------- */

static bool
is_separator(sat_span s, size_t *n)
{
	static const char *const words[] = { "\n", ",", ";", "、", "，", "；" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		*n = strlen(words[i]);
		if (s.n >= *n && memcmp(s.p, words[i], *n) == 0)
			return true;
	}
	return false;
}

bool
crm_next_element(sat_span *element, sat_span *rest)
{
	size_t i = 0, sep = 0;

	if (rest->n == 0)
		return false;
	while (i < rest->n &&
	    !is_separator(sat_span_of(rest->p + i, rest->n - i), &sep))
		i++;
	*element = sat_span_of(rest->p, i);
	if (i < rest->n)
		i += sep;
	*rest = sat_span_of(rest->p + i, rest->n - i);
	return true;
}

/* Is the text an element of the LF-joined set value? */
static bool
holds(sat_value set, sat_span text)
{
	sat_span s = set.s;

	while (set.type == SAT_V_TEXT && s.n > 0) {
		const uint8_t *lf = memchr(s.p, '\n', s.n);
		size_t n = lf != NULL ? (size_t)(lf - s.p) : s.n;

		if (sat_span_eq(sat_span_of(s.p, n), text))
			return true;
		s = lf != NULL ? sat_span_of(lf + 1, s.n - n - 1) :
		    sat_span_of(NULL, 0);
	}
	return false;
}

/* Is the same addition or removal there already? */
static bool
asked(const crm_work *w, sat_verb verb, const sat_field *f, sat_value v)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->changes[i].field == f && w->changes[i].verb == verb &&
		    sat_value_eq(w->changes[i].value, v))
			return true;
	return false;
}

static void
set_element(crm_work *w, const sat_field *f, sat_value v, bool add)
{
	sat_verb verb = add ? SAT_VERB_ADD : SAT_VERB_REMOVE;

	if (holds(crm_was(w, f), v.s) != add && !asked(w, verb, f, v))
		crm_change(w, verb, f, v);
}

/* Elements the set has and the list lacks go out. */
static void
remove_others(crm_work *w, const sat_field *f, const sat_value *keep, size_t n)
{
	sat_span rest = crm_was(w, f).s;

	while (rest.n > 0) {
		const uint8_t *lf = memchr(rest.p, '\n', rest.n);
		size_t len = lf != NULL ? (size_t)(lf - rest.p) : rest.n;
		sat_value v = sat_v_text(sat_span_of(rest.p, len));
		bool stays = false;

		for (size_t i = 0; i < n; i++)
			stays = stays || sat_value_eq(keep[i], v);
		if (!stays)
			set_element(w, f, v, false);
		rest = lf != NULL ?
		    sat_span_of(lf + 1, rest.n - len - 1) :
		    sat_span_of(NULL, 0);
	}
}

/* A file's name may have what separates elsewhere. */
static bool
next_line(sat_span *line, sat_span *rest)
{
	const uint8_t *lf = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	*line = sat_span_of(rest->p, lf != NULL ? (size_t)(lf - rest->p) :
	    rest->n);
	rest->p += line->n + (lf != NULL);
	rest->n -= line->n + (lf != NULL);
	return line->n > 0;
}

static void
input_set(crm_work *w, const sat_field *f, char verb, sat_span text)
{
	sat_value list[256];
	size_t n = 0;
	sat_span part, rest = text;
	sat_err why;

	while (verb != '0' && (f->files ? next_line(&part, &rest) :
	    crm_next_element(&part, &rest))) {
		sat_value v;

		memset(&why, 0, sizeof why);
		if (sat_field_parse(&v, w->a, w->who->t, f, part, &why) !=
		    SAT_OK || n == sizeof list / sizeof list[0]) {
			crm_fault(w, f, why.nfields > 0 ? why.fields[0].code :
			    "length");
			return;
		}
		if (v.type != SAT_V_NULL)
			list[n++] = v;
	}
	if (verb == '=' || verb == '*' || verb == '0')
		remove_others(w, f, list, n);
	for (size_t i = 0; i < n; i++)
		set_element(w, f, list[i], verb != '-');
}

static void
input_counter(crm_work *w, const sat_field *f, char verb, sat_span text)
{
	sat_value was = crm_was(w, f), v = sat_v_int(0);
	int64_t old = was.type == SAT_V_INT ? was.i : 0, delta;
	sat_err why = { 0 };

	if (verb != '0' && sat_field_parse(&v, w->a, w->who->t, f, text,
	    &why) != SAT_OK) {
		crm_fault(w, f, why.fields[0].code);
		return;
	}
	if (v.type == SAT_V_NULL)
		v = sat_v_int(0);
	/* Numbers stay within 2^53 (sat_field_parse), so no overflow. */
	delta = verb == '+' ? v.i : verb == '-' ? -v.i : v.i - old;
	if (delta != 0)
		crm_change(w, SAT_VERB_ADD, f, sat_v_int(delta));
}

/* A form and a labelled sheet show a time to the minute. The same text coming
 * back must not cut the seconds off. */
static bool
as_shown(const crm_work *w, const sat_field *f, sat_span text)
{
	sat_value was = crm_was(w, f);
	sat_buf b = { 0 };
	bool same;

	if (f->type != SAT_F_TIME || was.type != SAT_V_INT || text.n == 0 ||
	    memchr(text.p, ':', text.n) == NULL) /* a day is no time */
		return false;
	sat_field_format(&b, w->who->t, f, was, "en");
	same = sat_span_eq(sat_buf_span(&b), text);
	sat_buf_fini(&b);
	return same;
}

sat_rc
crm_input(crm_work *w, const sat_input *in, sat_err *e)
{
	const sat_field *f = sat_kind_field(w->kind, in->field);
	const char *code;
	sat_value v;
	sat_rc rc;

	if (f == NULL) {
		(void)sat_fail_code(e, SAT_EINVALID, "validation.field",
		    "see: satchel schema KIND", "%s has no field '%.60s'",
		    w->kind->key, in->field);
		sat_err_field_add(e, in->field, "unknown");
		return SAT_EINVALID;
	}
	if (f->policy == SAT_P_SET) {
		input_set(w, f, in->verb, in->text);
		return SAT_OK;
	}
	if (f->policy == SAT_P_COUNTER) {
		input_counter(w, f, in->verb, in->text);
		return SAT_OK;
	}
	if (in->verb != '=' && in->verb != '0') {
		crm_fault(w, f, "policy");
		return SAT_OK;
	}
	if (in->verb == '=' && as_shown(w, f, in->text))
		return SAT_OK;
	v = sat_v_null();
	code = NULL;
	if (in->verb == '=' &&
	    (rc = crm_read(&v, &code, w, f, in->text, e)) != SAT_OK)
		return rc;
	if (code != NULL)
		crm_fault(w, f, code);
	else
		crm_put(w, f, v);
	return SAT_OK;
}
