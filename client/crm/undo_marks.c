/*
 * What of a commit went back before, where the records do not show it: a counter
 * and an element that was taken out do not say who wrote them.
 *
 * Two settings for each undo: "undone.DEVICE-STAMP" of the commit has the places
 * of those operations; "undoes.DEVICE-STAMP" of the one that put them back has
 * that key, and the places that are its own. An undo that the server refused and
 * a person discarded never happened, so by the second the first loses them; sent
 * again it is another commit, which inherits the second. One that was handed over
 * may come to pass by somebody else: it keeps its marks.
 */
#include "client/crm/crm_int.h"

#include <stdio.h>
#include <stdlib.h>

#define UNDONE "undone."
#define UNDOES "undoes."
#define KEY_MAX 48

/* The number of a commit may change (P-391), its stamp does not. */
static void
key_of(char key[KEY_MAX], const char *what, const sat_commit *c)
{
	(void)snprintf(key, KEY_MAX, "%s%u-%016llx", what, c->device,
	    (unsigned long long)c->hlc);
}

static void
put_place(sat_buf *b, size_t at)
{
	sat_buf_fmt(b, " %zu", at);
}

/* The next of "1 3 4"; false: there is none. */
static bool
next_place(size_t *at, const char **text)
{
	char *end;

	*at = strtoul(*text, &end, 10);
	if (end == *text)
		return false;
	*text = end;
	return true;
}

static bool
has_place(const char *text, size_t place)
{
	size_t at;

	while (next_place(&at, &text))
		if (at == place)
			return true;
	return false;
}

/* *b is empty without one. */
static sat_rc
get(sat_buf *b, sat_crm *c, const char *key, sat_err *e)
{
	sat_rc rc = sat_replica_setting_get(b, c->replica, key, e);

	return rc == SAT_ENOTFOUND ? SAT_OK : rc;
}

sat_rc
crm_undone_get(bool *gone, sat_crm *c, const sat_commit *of, sat_err *e)
{
	sat_buf b = { 0 };
	char key[KEY_MAX];
	const char *p;
	size_t at;
	sat_rc rc;

	key_of(key, UNDONE, of);
	rc = get(&b, c, key, e);
	for (p = sat_buf_cstr(&b); next_place(&at, &p);)
		if (at < of->nops)
			gone[at] = true;
	sat_buf_fini(&b);
	return rc;
}

/* The commit that was just written. */
static sat_rc
newest_key(char key[KEY_MAX], sat_crm *c, sat_err *e)
{
	sat_arena a = { 0 };
	sat_commit *all;
	size_t n;
	sat_rc rc = sat_replica_log(&all, &n, &a, c->replica, 1, e);

	if (rc == SAT_OK && n == 0)
		rc = sat_fail(e, SAT_ENOTFOUND, "no own commit is here");
	if (rc == SAT_OK)
		key_of(key, UNDOES, &all[0]);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
crm_undone_put(sat_crm *c, const sat_commit *of, const bool *gone,
    const bool *now, sat_err *e)
{
	sat_buf all = { 0 }, own = { 0 };
	char key[KEY_MAX], by[KEY_MAX];
	bool any = false;
	sat_rc rc = SAT_OK;

	key_of(key, UNDONE, of);
	sat_buf_str(&own, key);
	for (size_t i = 0; i < of->nops; i++) {
		any = any || now[i];
		if (now[i])
			put_place(&own, i);
		if (now[i] || gone[i])
			put_place(&all, i);
	}
	if (any && (rc = newest_key(by, c, e)) == SAT_OK &&
	    (rc = sat_replica_setting_put(c->replica, key,
	    sat_buf_span(&all), e)) == SAT_OK)
		rc = sat_replica_setting_put(c->replica, by,
		    sat_buf_span(&own), e);
	sat_buf_fini(&all);
	sat_buf_fini(&own);
	return rc;
}

sat_rc
crm_undone_inherit(sat_crm *c, const sat_commit *refused, sat_err *e)
{
	sat_buf own = { 0 };
	char was[KEY_MAX], by[KEY_MAX];
	sat_rc rc;

	key_of(was, UNDOES, refused);
	if ((rc = get(&own, c, was, e)) == SAT_OK && own.n > 0 &&
	    (rc = newest_key(by, c, e)) == SAT_OK &&
	    (rc = sat_replica_setting_put(c->replica, by, sat_buf_span(&own),
	    e)) == SAT_OK)
		rc = sat_replica_setting_del(c->replica, was, e);
	sat_buf_fini(&own);
	return rc;
}

/* `own`: "KEY 1 3", those that did not go back after all. */
static sat_rc
take_out(sat_crm *c, const char *own, sat_err *e)
{
	sat_buf all = { 0 }, left = { 0 };
	char key[KEY_MAX];
	const char *p;
	size_t at;
	int n = 0;
	sat_rc rc;

	if (sscanf(own, "%47s%n", key, &n) != 1)
		return SAT_OK;
	rc = get(&all, c, key, e);
	for (p = sat_buf_cstr(&all); next_place(&at, &p);)
		if (!has_place(own + n, at))
			put_place(&left, at);
	if (rc == SAT_OK)
		rc = left.n > 0 ? sat_replica_setting_put(c->replica, key,
		    sat_buf_span(&left), e) :
		    sat_replica_setting_del(c->replica, key, e);
	sat_buf_fini(&all);
	sat_buf_fini(&left);
	return rc;
}

static sat_rc
drop(sat_crm *c, int64_t id, const char *reason, sat_err *e)
{
	sat_arena a = { 0 };
	sat_buf own = { 0 };
	char key[KEY_MAX];
	sat_quarantined q;
	sat_rc rc = sat_replica_quarantined(&q, &a, c->replica, id, e);

	if (rc == SAT_OK) {
		key_of(key, UNDOES, &q.commit);
		rc = get(&own, c, key, e);
	}
	if (rc == SAT_OK && own.n > 0 &&
	    (rc = take_out(c, sat_buf_cstr(&own), e)) == SAT_OK)
		rc = sat_replica_setting_del(c->replica, key, e);
	if (rc == SAT_OK)
		rc = sat_replica_discard(c->replica, id, reason, e);
	sat_buf_fini(&own);
	sat_arena_fini(&a);
	return rc;
}

sat_rc
sat_crm_drop_refused(sat_crm *c, int64_t id, const char *reason, sat_err *e)
{
	bool own;
	sat_rc rc = crm_all_begin(&own, c, e);

	return rc != SAT_OK ? rc : crm_all_end(own, c, drop(c, id, reason, e),
	    e);
}
