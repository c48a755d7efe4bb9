/*
 * What batches did, taken back: nothing that somebody wrote since is touched.
 *
 * A record born inside one is deleted when no cell of it is younger, nothing that
 * stays refers to it, and nothing was merged into it; a field that one of them
 * wrote last gets the value the history has for it from before. Both are ordinary
 * commits of whoever undoes it, so they need his right, and can be undone
 * themselves. Several are taken back in one pass: one after the other, what is
 * written for the newest would count as written since in the eyes of the others.
 */
#include "client/crm/import_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_RECORDS 500
#define REFS_MAX 64 /* references of one kind */

typedef struct touched {
	sat_id id;
	const sat_kind *kind;
	bool made;          /* by the batch, else changed by it */
	const char *since;  /* why it has to stay; NULL */
} touched;

typedef struct link { /* both made by the batch */
	touched *from, *to;
} link;

typedef struct batch {
	sat_view v;
	imp_range range;
	bool undone;          /* before */
} batch;

typedef struct undoing {
	sat_crm *c;
	crm_actor who;
	batch *batches;
	size_t nbatches;
	sat_import_undone *out;
	sat_arena *mem;
	const sat_kind *kind; /* being looked at */
	touched *list, one;   /* by id, of any kind */
	size_t n, cap;
	link *links;          /* among them */
	size_t nlinks, links_cap;
	bool any;             /* `one` holds a record */
} undoing;

/* ---- what it touched ----------------------------------------------------------- */

static void
keep_one(undoing *x)
{
	if (!x->any)
		return;
	if (x->n == x->cap) {
		x->cap = x->cap > 0 ? x->cap * 2 : 256;
		x->list = sat_xrealloc(x->list, x->cap * sizeof *x->list);
	}
	x->list[x->n++] = x->one;
	x->any = false;
}

/* The server gives a provisional number its final form, and marks records as
 * such: neither is somebody's work on it. */
static bool
is_work(const undoing *x, const sat_cell *c)
{
	const sat_field *number = sat_kind_field(x->kind, "number");

	return c->field < SAT_SYS_FIRST && !(c->at.dev == SAT_DEV_SERVER &&
	    number != NULL && c->field == number->id);
}

/* Was it written by one of the batches? */
static bool
in_range(const undoing *x, const sat_stamp *at)
{
	for (size_t i = 0; i < x->nbatches; i++)
		if (imp_in_range(&x->batches[i].range, at))
			return true;
	return false;
}

static sat_rc
take_stamp(void *u, const sat_id *id, const sat_cell *c, sat_err *e)
{
	undoing *x = u;
	bool in = in_range(x, &c->at);

	(void)e;
	if (c->field == 0) {
		keep_one(x);
		x->one = (touched){ *id, x->kind, in, NULL };
		x->any = in;
	} else if (x->one.made && !in && is_work(x, c)) {
		x->one.since = "changed since";
	} else if (in) {
		x->any = true;
	}
	return SAT_OK;
}

static int
by_id(const void *a, const void *b)
{
	const touched *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

static bool
is_bookkeeping(const sat_kind *k)
{
	return strcmp(k->key, "import_batch") == 0 ||
	    strcmp(k->key, "import_gate") == 0;
}

static sat_rc
collect(undoing *x, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < sat_template_kinds(x->who.t);
	    i++) {
		x->kind = sat_template_kind_at(x->who.t, i);
		x->any = false;
		if (is_bookkeeping(x->kind))
			continue;
		rc = sat_replica_each_stamp(x->c->replica, x->kind, 0,
		    take_stamp, x, e);
		keep_one(x);
	}
	if (x->n > 0)
		qsort(x->list, x->n, sizeof *x->list, by_id);
	return rc;
}

static touched *
find(undoing *x, sat_span id)
{
	touched key;

	if (id.n != sizeof key.id.b || x->n == 0)
		return NULL;
	memcpy(key.id.b, id.p, sizeof key.id.b);
	return bsearch(&key, x->list, x->n, sizeof *x->list, by_id);
}

/* ---- what holds it ------------------------------------------------------------------ */

static size_t
refs_of(const sat_field *refs[], size_t max, const sat_kind *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->nfields && n < max; i++)
		if (k->fields[i].type == SAT_F_REF)
			refs[n++] = &k->fields[i];
	return n;
}

/* One that the batch made, too, goes with what it refers to, if it goes. */
static void
refers(undoing *x, touched *from, touched *to, bool under)
{
	if (from == to)
		return;
	if (from == NULL || !from->made) {
		to->since = under ? "something was put under it since" :
		    "something refers to it since";
		return;
	}
	if (x->nlinks == x->links_cap) {
		x->links_cap = x->links_cap > 0 ? x->links_cap * 2 : 64;
		x->links = sat_xrealloc(x->links, x->links_cap *
		    sizeof *x->links);
	}
	x->links[x->nlinks++] = (link){ from, to };
}

/* Every reference of every record of this kind that may hold one. */
static sat_rc
look_at_refs(undoing *x, const sat_kind *k, sat_err *e)
{
	const sat_field *refs[REFS_MAX];
	size_t n = refs_of(refs, REFS_MAX, k);
	uint16_t cols[REFS_MAX + 1] = { SAT_Q_ID };
	sat_filter which;
	sat_query q = { .kind = k, .columns = cols, .ncolumns = n + 1,
		.filters = &which, .unordered = true };
	const sat_value *v;
	sat_rows *rows;
	touched *to;
	sat_rc rc;

	if (n == 0 || !crm_holds(&which, &q.nfilters, k))
		return SAT_OK;
	for (size_t i = 0; i < n; i++)
		cols[i + 1] = refs[i]->id;
	if ((rc = sat_replica_query(&rows, x->c->replica, &q, e)) != SAT_OK)
		return rc;
	while ((rc = sat_rows_next(&v, rows, e)) == SAT_OK && v != NULL)
		for (size_t i = 0; i < n; i++)
			if (v[i + 1].type == SAT_V_BYTES &&
			    (to = find(x, v[i + 1].s)) != NULL && to->made)
				refers(x, find(x, v[0].s), to,
				    refs[i] == k->parent);
	sat_rows_free(rows);
	return rc;
}

/* An older customer that was merged into one of the batch is found only there. */
static sat_rc
look_at_merges(undoing *x, sat_err *e)
{
	sat_arena a = { 0 };
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < x->n; i++) {
		touched *t = &x->list[i], *other;
		sat_id *ids;
		size_t n;

		if (!t->made)
			continue;
		sat_arena_reset(&a);
		rc = sat_replica_merged(&ids, &n, &a, x->c->replica, &t->id, e);
		for (size_t k = 1; rc == SAT_OK && k < n; k++) {
			other = find(x, sat_span_of(ids[k].b, sizeof ids[k].b));
			if (other == NULL || !other->made)
				t->since = "something was merged into it since";
			else
				refers(x, other, t, false);
		}
	}
	sat_arena_fini(&a);
	return rc;
}

/* What stays keeps what it refers to, however long the chain. */
static void
pass_on(undoing *x)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < x->nlinks; i++)
			if (x->links[i].from->since != NULL &&
			    x->links[i].to->since == NULL) {
				x->links[i].to->since =
				    "something that stays refers to it";
				more = true;
			}
	}
}

static sat_rc
look_at_all(undoing *x, sat_err *e)
{
	sat_rc rc = x->n > 0 ? look_at_merges(x, e) : SAT_OK;

	for (size_t i = 0; rc == SAT_OK && x->n > 0 &&
	    i < sat_template_kinds(x->who.t); i++)
		rc = look_at_refs(x, sat_template_kind_at(x->who.t, i), e);
	if (rc == SAT_OK)
		pass_on(x);
	return rc;
}

/* ---- taking it back ------------------------------------------------------------------ */

/* As much of it as fits, cut between characters. */
static void
copy_text(char *out, size_t max, sat_span s)
{
	size_t n = s.n < max ? s.n : max - 1;

	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

static void
leave(undoing *x, const touched *t, const char *why)
{
	sat_import_undone *out = x->out;
	sat_arena a = { 0 };
	sat_import_left *l;
	sat_value title;
	sat_view v;

	if (out->nleft++ >= SAT_IMPORT_LEFT_MAX)
		return;
	l = &out->left[out->nleft - 1];
	*l = (sat_import_left){ .id = t->id, .kind = t->kind };
	(void)snprintf(l->why, sizeof l->why, "%s", why);
	if (t->kind->title != NULL && t->kind->title->mask == NULL &&
	    sat_replica_get(&v, &a, x->c->replica, t->kind, &t->id, NULL) ==
	    SAT_OK) {
		title = sat_record_value(&v.rec, t->kind->title->id);
		if (title.type == SAT_V_TEXT)
			copy_text(l->title, sizeof l->title, title.s);
	}
	sat_arena_fini(&a);
}

/* What the field had before. *known false: this device cannot tell. by: who wrote
 * what it has now. */
static sat_rc
value_before(sat_value *v, bool *known, undoing *x, sat_arena *a,
    const sat_id *id, const sat_field *f, uint32_t by, sat_err *e)
{
	sat_past *past;
	size_t n;
	sat_rc rc = sat_replica_history(&past, &n, a, x->c->replica, id, f->id,
	    e);

	*v = sat_v_null();
	/* The device that imported has seen all of it. */
	*known = by == sat_replica_identity_get(x->c->replica)->device;
	for (size_t i = 0; rc == SAT_OK && i < n; i++)
		if (!in_range(x, &past[i].at)) {
			*v = past[i].value;
			*known = true;
			break;
		}
	return rc;
}

/* Policies by which a value does not go back. */
static const char *
stays(const sat_field *f)
{
	switch (f->policy) {
	case SAT_P_ONCE: return "keeps its first value";
	case SAT_P_SET: return "keeps what it gained";
	case SAT_P_MAX:
	case SAT_P_MIN:
	case SAT_P_COUNTER: return "never goes back";
	default: return NULL;
	}
}

/* The fields the batch wrote last, put back; *why: what stays. */
static sat_rc
fill(crm_work *w, char why[120], undoing *x, const sat_view *v, sat_err *e)
{
	sat_rc rc = SAT_OK;

	for (size_t i = 0; rc == SAT_OK && i < v->rec.ncells; i++) {
		const sat_cell *cell = &v->rec.cells[i];
		const sat_field *f = sat_kind_field_id(v->kind, cell->field);
		const char *no;
		sat_value was;
		bool known;

		if (f == NULL || f->policy == SAT_P_DERIVED ||
		    !in_range(x, &cell->at))
			continue;
		no = stays(f);
		if (no == NULL && (rc = value_before(&was, &known, x, w->a,
		    &v->rec.id, f, cell->at.dev, e)) == SAT_OK && !known)
			no = "had a value this device does not know";
		if (rc == SAT_OK && no == NULL)
			crm_put(w, f, was);
		else if (no != NULL && why[0] == '\0')
			(void)snprintf(why, 120, "%.60s %s", f->key, no);
	}
	return rc;
}

/* A refusal concerns this record only. */
static bool
is_refusal(sat_rc rc)
{
	return rc == SAT_EINVALID || rc == SAT_EDENIED || rc == SAT_ECONFLICT ||
	    rc == SAT_ENOTFOUND;
}

static sat_rc
put_back(undoing *x, const touched *t, sat_err *e)
{
	sat_arena a = { 0 };
	sat_err said = { 0 };
	char why[120] = "";
	uint64_t cseq;
	crm_work w;
	sat_view v;
	sat_rc rc = sat_replica_get(&v, &a, x->c->replica, t->kind, &t->id,
	    &said);

	if (rc == SAT_OK) {
		crm_work_begin(&w, x->c, &x->who, &a, t->kind, &v);
		w.flag_missing = true; /* so it was before */
		rc = fill(&w, why, x, &v, &said);
	}
	if (rc == SAT_OK && w.n > 0 &&
	    (rc = crm_relate(&w, &said)) == SAT_OK &&
	    (rc = crm_judge(&w, &said)) == SAT_OK &&
	    (rc = crm_write(&w, 0, &cseq, &said)) == SAT_OK)
		x->out->restored++;
	sat_arena_fini(&a);
	if (is_refusal(rc)) {
		leave(x, t, said.text);
		return SAT_OK;
	}
	if (rc != SAT_OK && e != NULL)
		*e = said;
	else if (rc == SAT_OK && why[0] != '\0')
		leave(x, t, why);
	return rc;
}

static sat_rc
remove_made(undoing *x, const touched *t, sat_err *e)
{
	sat_err said = { 0 };
	sat_rc rc = sat_crm_delete(x->c, t->kind, &t->id, false, &said);

	if (rc == SAT_OK)
		x->out->deleted++;
	else if (is_refusal(rc))
		leave(x, t, said.text);
	else if (e != NULL)
		*e = said;
	return is_refusal(rc) ? SAT_OK : rc;
}

static sat_rc
take_back(undoing *x, const touched *t, sat_err *e)
{
	if (!t->made)
		return put_back(x, t, e);
	if (t->since == NULL)
		return remove_made(x, t, e);
	leave(x, t, t->since);
	return SAT_OK;
}

/* What hangs on others first, so that nobody ever sees half of a customer. */
static sat_rc
take_back_all(undoing *x, bool children, sat_err *e)
{
	sat_replica *r = x->c->replica;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < x->n && rc == SAT_OK;) {
		if ((rc = sat_replica_group_begin(r, e)) != SAT_OK)
			break;
		for (size_t k = 0; i < x->n && k < GROUP_RECORDS &&
		    rc == SAT_OK; i++, k++)
			if ((x->list[i].kind->parent != NULL) == children)
				rc = take_back(x, &x->list[i], e);
		if (rc == SAT_OK)
			rc = sat_replica_group_commit(r, e);
		else
			sat_replica_group_rollback(r);
	}
	return rc;
}

/* Before anything is done: half of an undo helps nobody. */
static sat_rc
may_delete(const undoing *x, sat_err *e)
{
	const sat_kind *asked = NULL; /* most of a batch are of one kind */
	char action[96];

	for (size_t i = 0; i < x->n; i++) {
		const touched *t = &x->list[i];

		if (!t->made || t->kind == asked)
			continue;
		asked = t->kind;
		(void)snprintf(action, sizeof action, "%s.delete", t->kind->key);
		if (sat_acl(x->who.t, x->who.me->role, action) == SAT_GRANT_NO)
			return sat_fail_code(e, SAT_EDENIED, "import.undo",
			    "the manager of the team can undo it on his device",
			    "role %.20s may not delete what the import made "
			    "(%s)", x->who.me->role, t->kind->key);
	}
	return SAT_OK;
}

/* Each says that it was undone, where its reader may write it. */
static sat_rc
mark(undoing *x, sat_err *e)
{
	const sat_import_undone *o = x->out;
	sat_input in[2] = { { '=', "undone_at", { NULL, 0 } },
		{ '=', "undone_by", sat_span_str(x->who.me->key) } };
	char now[32], id[SAT_ID_TEXT];
	sat_buf detail = { 0 };
	sat_rc rc = SAT_OK;

	sat_time_rfc3339(now, x->who.now_ms);
	in[0].text = sat_span_str(now);
	for (size_t i = 0; i < x->nbatches && rc == SAT_OK; i++) {
		const sat_view *v = &x->batches[i].v;

		sat_id_text(id, &v->rec.id);
		sat_buf_fmt(&detail, "%s%s", i == 0 ? "batch=" : ",", id);
		rc = sat_crm_edit(NULL, x->c, v->kind, &v->rec.id, in, 2, NULL,
		    e);
		if (is_refusal(rc))
			rc = SAT_OK;
	}
	sat_buf_fmt(&detail, " deleted=%" PRId64 " restored=%" PRId64
	    " left=%" PRId64, o->deleted, o->restored, o->nleft);
	if (rc == SAT_OK)
		rc = sat_replica_audit(x->c->replica, "import.undo",
		    sat_buf_cstr(&detail), e);
	sat_buf_fini(&detail);
	return rc;
}

static bool
was_undone(const sat_view *v)
{
	const sat_field *f = sat_kind_field(v->kind, "undone_at");

	return f != NULL && sat_record_value(&v->rec, f->id).type != SAT_V_NULL;
}

/* Those that were made; of several those that were not taken back before, where
 * there are such. */
static sat_rc
find_batches(undoing *x, const char *const *names, size_t n, sat_err *e)
{
	size_t fresh = 0, kept = 0;
	sat_rc rc = SAT_OK;

	for (size_t i = 0; i < n; i++) {
		batch *b = &x->batches[x->nbatches];

		rc = imp_batch_find(&b->v, &b->range, x->mem, &x->who, x->c,
		    names[i], e);
		if (rc == SAT_ENOTFOUND)
			continue;
		if (rc != SAT_OK)
			return rc;
		b->undone = was_undone(&b->v);
		fresh += !b->undone;
		x->nbatches++;
	}
	if (x->nbatches == 0)
		return rc;
	for (size_t i = 0; i < x->nbatches; i++)
		if (fresh == 0 || !x->batches[i].undone)
			x->batches[kept++] = x->batches[i];
	x->nbatches = kept;
	sat_id_text(x->out->batch, &x->batches[0].v.rec.id);
	return SAT_OK;
}

sat_rc
sat_crm_import_undo(sat_import_undone *out, sat_arena *a, sat_crm *c,
    const char *const *batches, size_t n, sat_err *e)
{
	undoing x = { .c = c, .out = out, .mem = a };
	sat_rc rc;

	assert(n > 0);
	memset(out, 0, sizeof *out);
	if (n > SAT_IMPORT_UNDO_MAX)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "at most %d batches are taken back at once",
		    SAT_IMPORT_UNDO_MAX);
	out->left = sat_arena_alloc(a, SAT_IMPORT_LEFT_MAX * sizeof *out->left);
	x.batches = sat_xcalloc(n, sizeof *x.batches);
	if ((rc = find_batches(&x, batches, n, e)) == SAT_OK &&
	    (rc = collect(&x, e)) == SAT_OK &&
	    (rc = look_at_all(&x, e)) == SAT_OK &&
	    (rc = may_delete(&x, e)) == SAT_OK &&
	    (rc = take_back_all(&x, true, e)) == SAT_OK &&
	    (rc = take_back_all(&x, false, e)) == SAT_OK)
		rc = mark(&x, e);
	free(x.batches);
	free(x.list);
	free(x.links);
	if (rc == SAT_OK && out->nleft > 0)
		rc = sat_fail_code(e, SAT_EPARTLY, "import.undo",
		    "they are listed with the reason",
		    "%lld records were left as they are",
		    (long long)out->nleft);
	return rc;
}
