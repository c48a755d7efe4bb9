/*
 * List filters: terms joined by "and", each  field op value.
 *
 *   = != < <= > >=   compare; on a set "=" means "contains"
 *   ~                contains the text
 *   has              the set contains the element
 *   in (a, b)        one of
 *   is null, is not null
 *
 * A value is a word, or quoted with ' or ". Values are read as if typed: option
 * labels, "50万", user names, "me". A time compared with a period ("2026-11",
 * "2026-W48", a day) means its whole length, in the organisation's time zone.
 * Besides the kind's fields: id, created, pending, incomplete, conflict,
 * deleted, text.
 */
#include "client/crm/crm_int.h"

#include "common/model/report.h"

#include <string.h>
#include <strings.h>

#define FILTERS_MAX 32
#define WORD_MAX 512

typedef struct scan {
	const char *p;
	crm_work w;
	sat_filter *f;
	size_t n;
} scan;

typedef struct pseudo {
	const char *key;
	uint16_t field;
} pseudo;

static const pseudo pseudos[] = {
	{ "id", SAT_Q_ID }, { "created", SAT_Q_CREATED },
	{ "pending", SAT_Q_PENDING }, { "incomplete", SAT_Q_INCOMPLETE },
	{ "conflict", SAT_Q_CONFLICT }, { "deleted", SAT_Q_DELETED },
	{ "text", SAT_Q_TEXT },
};

static sat_rc
fault(const scan *s, const char *what, sat_err *e)
{
	(void)s;
	return sat_fail_code(e, SAT_EUSAGE, "usage.where",
	    "field op value, joined by and; op: = != < <= > >= ~ has in, is null",
	    "where: %s", what);
}

static void
skip(scan *s)
{
	while (*s->p == ' ' || *s->p == '\t' || *s->p == '\n')
		s->p++;
}

static bool
is_name(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
	    (ch >= 'A' && ch <= 'Z') || ch == '_';
}

/* A keyword that ends where a name would. */
static bool
take_word(scan *s, const char *word)
{
	size_t n = strlen(word);

	skip(s);
	if (strncasecmp(s->p, word, n) != 0 || is_name(s->p[n]))
		return false;
	s->p += n;
	return true;
}

static bool
take(scan *s, const char *text)
{
	skip(s);
	if (strncmp(s->p, text, strlen(text)) != 0)
		return false;
	s->p += strlen(text);
	return true;
}

/* Up to a blank, or to `stop`; quotes hold anything but themselves. */
static bool
take_value(scan *s, sat_span *out, const char *stop)
{
	const char *from;
	char quote;

	skip(s);
	quote = *s->p;
	if (quote == '\'' || quote == '"') {
		from = ++s->p;
		while (*s->p != '\0' && *s->p != quote)
			s->p++;
		*out = sat_span_of(from, (size_t)(s->p - from));
		return *s->p != '\0' && s->p++ != NULL;
	}
	from = s->p;
	while (*s->p != '\0' && *s->p != ' ' && strchr(stop, *s->p) == NULL)
		s->p++;
	*out = sat_span_of(from, (size_t)(s->p - from));
	return out->n > 0;
}

static void
add(scan *s, uint16_t field, sat_cmp cmp, const sat_value *v, size_t n)
{
	s->f[s->n++] = (sat_filter){ field, cmp, v, n };
}

static void
add_one(scan *s, uint16_t field, sat_cmp cmp, sat_value v)
{
	sat_value *keep = sat_arena_alloc(s->w.a, sizeof *keep);

	*keep = v;
	add(s, field, cmp, keep, 1);
}

static bool
is_time(const sat_field *f, uint16_t pseudo_field)
{
	return pseudo_field == SAT_Q_CREATED || (f != NULL &&
	    (f->type == SAT_F_TIME || f->type == SAT_F_DATE));
}

/* A period has two ends: which one counts depends on the comparison. */
static bool
add_period(scan *s, uint16_t field, sat_cmp cmp, sat_span text)
{
	sat_period p;

	if (text.n >= sizeof p.label || sat_period_parse(&p,
	    sat_arena_str(s->w.a, text.p, text.n),
	    sat_template_tz_min(s->w.who->t), NULL) != SAT_OK || p.all)
		return false;
	switch (cmp) {
	case SAT_CMP_EQ:
		add_one(s, field, SAT_CMP_GE, sat_v_int(p.from_ms));
		add_one(s, field, SAT_CMP_LT, sat_v_int(p.to_ms));
		return true;
	case SAT_CMP_LT:
	case SAT_CMP_GE:
		add_one(s, field, cmp, sat_v_int(p.from_ms));
		return true;
	case SAT_CMP_LE:
		add_one(s, field, SAT_CMP_LT, sat_v_int(p.to_ms));
		return true;
	case SAT_CMP_GT:
		add_one(s, field, SAT_CMP_GE, sat_v_int(p.to_ms));
		return true;
	default:
		return false;
	}
}

static sat_rc
read_pseudo(scan *s, uint16_t field, sat_span text, sat_value *v, sat_err *e)
{
	char *word = sat_arena_str(s->w.a, text.p, text.n);
	sat_id id;
	int64_t ms;
	sat_rc rc;

	if (field == SAT_Q_TEXT) {
		*v = sat_v_text(text);
		return SAT_OK;
	}
	if (field == SAT_Q_ID) {
		if ((rc = sat_replica_resolve(&id, s->w.c->replica, s->w.kind,
		    word, e)) == SAT_OK)
			*v = sat_value_dup(s->w.a, sat_v_id(&id));
		return rc;
	}
	if (field == SAT_Q_CREATED) {
		if (!sat_time_parse(&ms, word,
		    sat_template_tz_min(s->w.who->t)))
			return fault(s, "created is compared with a time", e);
		*v = sat_v_int(ms);
		return SAT_OK;
	}
	if (strcmp(word, "true") != 0 && strcmp(word, "1") != 0 &&
	    strcmp(word, "yes") != 0 && strcmp(word, "false") != 0 &&
	    strcmp(word, "0") != 0 && strcmp(word, "no") != 0)
		return fault(s, "true or false expected", e);
	*v = sat_v_int(strchr("t1y", word[0]) != NULL);
	return SAT_OK;
}

/* Where the values are listed that there are. */
static sat_rc
no_value(const sat_field *f, const char *code, sat_err *e)
{
	(void)sat_fail_code(e, SAT_EUSAGE, "usage.where",
	    f->type == SAT_F_USER ? "see: satchel user list" : NULL,
	    "where: no such value of %s (%s)", f->key, code);
	if (f->dict != NULL)
		sat_err_hint(e, "see: satchel dict %s", f->dict->name);
	return SAT_EUSAGE;
}

static sat_rc
read_value(scan *s, const sat_field *f, uint16_t field, sat_cmp cmp,
    sat_span text, sat_value *v, sat_err *e)
{
	const char *code = NULL;
	sat_rc rc;

	if (f == NULL)
		return read_pseudo(s, field, text, v, e);
	if (cmp == SAT_CMP_LIKE || (f->type == SAT_F_TAGS && f->dict == NULL)) {
		*v = sat_v_text(text);
		return SAT_OK;
	}
	if ((rc = crm_read(v, &code, &s->w, f, text, e)) != SAT_OK)
		return rc;
	if (code != NULL || v->type == SAT_V_NULL)
		return no_value(f, code != NULL ? code : "empty", e);
	return SAT_OK;
}

static sat_rc
term_in(scan *s, const sat_field *f, uint16_t field, sat_err *e)
{
	sat_value *v = sat_arena_alloc(s->w.a, 64 * sizeof *v);
	sat_span text;
	size_t n = 0;
	sat_rc rc;

	if (!take(s, "("))
		return fault(s, "in needs ( ... )", e);
	do {
		if (n == 64 || !take_value(s, &text, ",)"))
			return fault(s, "a list of 1 to 64 values expected", e);
		if ((rc = read_value(s, f, field, SAT_CMP_IN, text, &v[n++],
		    e)) != SAT_OK)
			return rc;
	} while (take(s, ","));
	if (!take(s, ")"))
		return fault(s, "in needs ( ... )", e);
	add(s, field, SAT_CMP_IN, v, n);
	return SAT_OK;
}

static bool
take_cmp(scan *s, sat_cmp *cmp)
{
	static const struct {
		const char *text;
		sat_cmp cmp;
	} ops[] = { { "!=", SAT_CMP_NE }, { "<=", SAT_CMP_LE },
		{ ">=", SAT_CMP_GE }, { "==", SAT_CMP_EQ }, { "=", SAT_CMP_EQ },
		{ "<", SAT_CMP_LT }, { ">", SAT_CMP_GT }, { "~", SAT_CMP_LIKE } };

	if (take_word(s, "is")) {
		*cmp = take_word(s, "not") ? SAT_CMP_NOT_NULL : SAT_CMP_NULL;
		return take_word(s, "null") || take_word(s, "empty");
	}
	*cmp = take_word(s, "in") ? SAT_CMP_IN : SAT_CMP_HAS;
	if (*cmp == SAT_CMP_IN || take_word(s, "has"))
		return true;
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (take(s, ops[i].text)) {
			*cmp = ops[i].cmp;
			return true;
		}
	return false;
}

static sat_rc
take_field(scan *s, const sat_field **f, uint16_t *field, sat_err *e)
{
	char key[64];
	size_t n = 0;

	skip(s);
	while (is_name(*s->p) && n < sizeof key - 1)
		key[n++] = *s->p++;
	key[n] = '\0';
	*f = sat_kind_field(s->w.kind, key);
	if (*f != NULL) {
		*field = (*f)->id;
		return SAT_OK;
	}
	for (size_t i = 0; i < sizeof pseudos / sizeof pseudos[0]; i++)
		if (strcmp(key, pseudos[i].key) == 0) {
			*field = pseudos[i].field;
			return SAT_OK;
		}
	return sat_fail_code(e, SAT_EUSAGE, "usage.where", NULL,
	    "where: %s has no field '%.60s'", s->w.kind->key, key);
}

/* What is no field has no text to look into, and a text search says no more
 * than whether. */
static bool
is_meant(const sat_field *f, uint16_t field, sat_cmp cmp)
{
	if (f != NULL)
		return true;
	return field == SAT_Q_TEXT ? cmp == SAT_CMP_EQ || cmp == SAT_CMP_LIKE :
	    cmp != SAT_CMP_LIKE && cmp != SAT_CMP_HAS;
}

static sat_rc
term(scan *s, sat_err *e)
{
	const sat_field *f;
	uint16_t field = 0;
	sat_cmp cmp;
	sat_span text;
	sat_value v;
	sat_rc rc;

	if (s->n + 2 > FILTERS_MAX)
		return fault(s, "too many terms", e);
	if ((rc = take_field(s, &f, &field, e)) != SAT_OK ||
	    (f != NULL && (rc = sat_crm_may_search(s->w.c, f, e)) != SAT_OK))
		return rc;
	if (!take_cmp(s, &cmp))
		return fault(s, "a comparison expected", e);
	if (!is_meant(f, field, cmp))
		return fault(s, field == SAT_Q_TEXT ?
		    "text is compared by = or ~" :
		    "what is no field has no text to look into", e);
	if (cmp == SAT_CMP_NULL || cmp == SAT_CMP_NOT_NULL) {
		add(s, field, cmp, NULL, 0);
		return SAT_OK;
	}
	if (cmp == SAT_CMP_IN)
		return term_in(s, f, field, e);
	if (!take_value(s, &text, ""))
		return fault(s, "a value expected", e);
	if (f == NULL && field == SAT_Q_TEXT)
		cmp = SAT_CMP_LIKE;
	if (is_time(f, field) && add_period(s, field, cmp, text))
		return SAT_OK;
	if ((rc = read_value(s, f, field, cmp, text, &v, e)) != SAT_OK)
		return rc;
	if (f != NULL && f->policy == SAT_P_SET && cmp == SAT_CMP_EQ)
		cmp = SAT_CMP_HAS;
	add_one(s, field, cmp, v);
	return SAT_OK;
}

/* Past a term, whatever its field and values mean; false: it is none. */
static bool
skip_term(scan *s)
{
	sat_span text;
	sat_cmp cmp;

	skip(s);
	if (!is_name(*s->p))
		return false;
	while (is_name(*s->p))
		s->p++;
	if (!take_cmp(s, &cmp))
		return false;
	if (cmp == SAT_CMP_NULL || cmp == SAT_CMP_NOT_NULL)
		return true;
	if (cmp != SAT_CMP_IN)
		return take_value(s, &text, "");
	if (!take(s, "("))
		return false;
	do {
		if (!take_value(s, &text, ",)"))
			return false;
	} while (take(s, ","));
	return take(s, ")");
}

sat_rc
sat_crm_where_terms(sat_span terms[SAT_WHERE_TERMS], size_t *n,
    const char *expr, sat_err *e)
{
	scan s = { .p = expr };

	*n = 0;
	skip(&s);
	if (*s.p == '\0')
		return SAT_OK;
	do {
		const char *from;

		skip(&s);
		from = s.p;
		if (*n == SAT_WHERE_TERMS)
			return fault(&s, "too many terms", e);
		if (!skip_term(&s))
			return fault(&s, "a comparison expected", e);
		terms[(*n)++] = sat_span_of(from, (size_t)(s.p - from));
	} while (take_word(&s, "and") || take(&s, "&&"));
	skip(&s);
	return *s.p == '\0' ? SAT_OK :
	    fault(&s, "something is left over", e);
}

sat_rc
sat_crm_may_search(sat_crm *c, const sat_field *f, sat_err *e)
{
	const sat_template *t = sat_replica_template(c->replica);
	const sat_user *me = sat_replica_me(c->replica);

	/* who is shown it in no record; others' own are theirs to find */
	if (f->mask == NULL || (t != NULL && me != NULL && sat_acl(t, me->role,
	    "phone.reveal") != SAT_GRANT_NO))
		return SAT_OK;
	return sat_fail_code(e, SAT_EDENIED, "denied", NULL,
	    "%s is masked for this role: nothing is found or ordered by it",
	    f->key);
}

sat_rc
sat_crm_where(sat_filter **f, size_t *n, sat_arena *a, sat_crm *c,
    const sat_kind *k, const char *expr, sat_err *e)
{
	crm_actor who;
	scan s = { .p = NULL };
	sat_rc rc;

	*f = NULL;
	*n = 0;
	if ((rc = crm_actor_get(&who, c, e)) != SAT_OK)
		return rc;
	/* The filters borrow their texts: all of it lives in the caller's arena. */
	s.p = sat_arena_str(a, expr, strlen(expr));
	s.f = sat_arena_alloc(a, FILTERS_MAX * sizeof *s.f);
	crm_work_begin(&s.w, c, &who, a, k, NULL);
	skip(&s);
	if (*s.p == '\0')
		return SAT_OK;
	do {
		if ((rc = term(&s, e)) != SAT_OK)
			return rc;
	} while (take_word(&s, "and") || take(&s, "&&"));
	skip(&s);
	if (*s.p != '\0')
		return fault(&s, "something is left over", e);
	*f = s.f;
	*n = s.n;
	return SAT_OK;
}
