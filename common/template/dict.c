/*
 * Dictionaries. People type labels, keys, old names and full-width letters;
 * one sorted table of folded spellings answers them all.
 *
 * When two options share a spelling (房地产业 is a section and its only
 * division), the key wins over a label, the deeper option over its parent, a
 * label over an alias, and then the lower rank. Whatever a retired option is
 * called stands behind what is called so now: going back (P-233) retires an
 * option that had taken over another's alias.
 */
#include "common/template/template_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIO_KEY, PRIO_LABEL, PRIO_TOP_LABEL, PRIO_ALIAS, PRIO_RETIRED };

static void
fold(sat_buf *out, sat_span text)
{
	size_t start = out->n;

	sat_norm_key(out, SAT_NORM_PLAIN, text);
	for (size_t i = start; i < out->n; i++)
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] = (uint8_t)(out->p[i] + 32);
}

/* ---- loading --------------------------------------------------------------- */

/* "I65", "50-100", "1000+", "first_contact". */
static bool
option_key_ok(const char *key)
{
	size_t n = strlen(key);

	return n > 0 && n <= TEMPLATE_KEY_MAX && key[0] != '-' &&
	    key[0] != '+' && key[0] != '_' &&
	    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_+-") == n;
}

/* next and reopen are one graph: reopen only says that it goes back. */
static const char *const *
load_next(walk *w, sat_arena *a, const sat_json *n, size_t *count)
{
	size_t nf, nr;
	const char *const *forward = sat_walk_texts(w, n, "next", a, &nf);
	const char *const *reopen = sat_walk_texts(w, n, "reopen", a, &nr);
	const char **all = sat_arena_alloc(a, (nf + nr + 1) * sizeof *all);

	for (size_t i = 0; i < nf; i++)
		all[i] = forward[i];
	for (size_t i = 0; i < nr; i++)
		all[nf + i] = reopen[i];
	*count = nf + nr;
	return all;
}

static void
load_option(walk *w, sat_template *t, sat_option *o, const sat_json *n, int at)
{
	sat_walk_members(w, n, "key label rank parent retired terminal aliases next "
	    "reopen note");
	o->key = sat_walk_text(w, n, "key", true);
	sat_walk_label(w, n, "label", &o->zh, &o->en);
	o->parent = sat_walk_text(w, n, "parent", false);
	o->rank = (int)sat_walk_int(w, n, "rank", at, 0, 1000000);
	o->retired = sat_walk_bool(w, n, "retired");
	o->terminal = sat_walk_bool(w, n, "terminal");
	o->aliases = sat_walk_texts(w, n, "aliases", &t->arena, &o->naliases);
	o->next = load_next(w, &t->arena, n, &o->nnext);
	if (w->rc == SAT_OK && !option_key_ok(o->key))
		sat_walk_fault(w, "'key' holds other than letters, digits and _+-");
}

static int
by_rank(const void *a, const void *b)
{
	const sat_option *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int
by_key(const void *a, const void *b)
{
	return strcmp((*(const sat_option *const *)a)->key,
	    (*(const sat_option *const *)b)->key);
}

static int
by_spelling(const void *a, const void *b)
{
	const spelling *x = a, *y = b;
	int c = sat_span_cmp(x->text, y->text);

	if (c != 0)
		return c;
	if (x->prio != y->prio)
		return x->prio < y->prio ? -1 : 1;
	return by_rank(x->option, y->option);
}

static void
add_spelling(sat_arena *a, dict *d, const char *text, int prio,
    const sat_option *o)
{
	sat_buf b = { 0 };
	spelling *s = &d->spellings[d->nspellings++];

	fold(&b, sat_span_str(text));
	*s = (spelling){ sat_span_of(sat_arena_dup(a, b.p, b.n), b.n),
		o->retired ? PRIO_RETIRED + prio : prio, o };
	sat_buf_fini(&b);
}

static void
index_options(sat_arena *a, dict *d)
{
	size_t spellings = 0;

	d->by_key = sat_arena_alloc(a, (d->pub.n + 1) * sizeof *d->by_key);
	for (size_t i = 0; i < d->pub.n; i++) {
		d->by_key[i] = &d->pub.options[i];
		spellings += 3 + d->pub.options[i].naliases;
	}
	qsort(d->by_key, d->pub.n, sizeof *d->by_key, by_key);
	d->spellings = sat_arena_alloc(a, (spellings + 1) * sizeof(spelling));
	for (size_t i = 0; i < d->pub.n; i++) {
		const sat_option *o = &d->pub.options[i];
		int label = o->parent != NULL ? PRIO_LABEL : PRIO_TOP_LABEL;

		add_spelling(a, d, o->key, PRIO_KEY, o);
		add_spelling(a, d, o->zh, label, o);
		add_spelling(a, d, o->en, label, o);
		for (size_t k = 0; k < o->naliases; k++)
			add_spelling(a, d, o->aliases[k], PRIO_ALIAS, o);
	}
	qsort(d->spellings, d->nspellings, sizeof(spelling), by_spelling);
}

/* Keys once, parents and next stages known, no parent loop. */
static void
check_links(walk *w, const dict *d)
{
	for (size_t i = 1; i < d->pub.n; i++)
		if (strcmp(d->by_key[i - 1]->key, d->by_key[i]->key) == 0)
			sat_walk_fault(w, "option '%s' twice", d->by_key[i]->key);
	for (size_t i = 0; i < d->pub.n && w->rc == SAT_OK; i++) {
		const sat_option *o = &d->pub.options[i], *up = o;
		int depth = 0;

		while (up != NULL && up->parent != NULL && depth++ < 8) {
			const char *parent = up->parent;

			up = sat_dict_option(&d->pub, parent, strlen(parent));
		}
		if (up == NULL || depth >= 8)
			sat_walk_fault(w, "option '%s': parent unknown or a loop",
			    o->key);
		for (size_t k = 0; k < o->nnext; k++)
			if (sat_dict_option(&d->pub, o->next[k],
			    strlen(o->next[k])) == NULL)
				sat_walk_fault(w, "option '%s': unknown next '%.40s'",
				    o->key, o->next[k]);
	}
}

static void
load_dict(walk *w, sat_template *t, dict *d)
{
	const sat_json *root = sat_template_doc(t, w->path), *list, *n;
	sat_option *options;
	const char *zh, *en;
	char want[80];
	size_t count;

	sat_walk_members(w, root, "name label note options");
	d->pub.name = sat_walk_text(w, root, "name", true);
	if (sat_json_get(root, "label") != NULL)
		sat_walk_label(w, root, "label", &zh, &en);
	list = sat_walk_array(w, root, "options", TEMPLATE_OPTIONS_MAX, &count);
	if (w->rc == SAT_OK && (!sat_key_ok(d->pub.name) ||
	    snprintf(want, sizeof want, "dict/%s.json", d->pub.name) < 0 ||
	    strcmp(want, w->path) != 0))
		sat_walk_fault(w, "'name' must be the file's name");
	options = sat_arena_alloc(&t->arena, (count + 1) * sizeof *options);
	memset(options, 0, (count + 1) * sizeof *options);
	d->pub.options = options;
	for (n = sat_json_first(list); n != NULL && w->rc == SAT_OK;
	    n = sat_json_next(n)) {
		size_t mark = sat_walk_enter(w, "options", d->pub.n);

		load_option(w, t, &options[d->pub.n], n, (int)d->pub.n);
		d->pub.n++;
		sat_walk_leave(w, mark);
	}
	if (w->rc != SAT_OK)
		return;
	qsort(options, d->pub.n, sizeof *options, by_rank);
	index_options(&t->arena, d);
	check_links(w, d);
}

sat_rc
sat_template_load_dicts(sat_template *t, sat_err *e)
{
	const char *path;
	size_t n = 0;

	while (sat_template_path(t, "dict/", n) != NULL)
		n++;
	t->dicts = sat_arena_alloc(&t->arena, (n + 1) * sizeof *t->dicts);
	memset(t->dicts, 0, (n + 1) * sizeof *t->dicts);
	for (size_t i = 0; (path = sat_template_path(t, "dict/", i)) != NULL;
	    i++) {
		walk w = { .t = t, .path = path, .e = e };

		load_dict(&w, t, &t->dicts[i]);
		if (w.rc != SAT_OK)
			return w.rc;
		t->ndicts++;
	}
	return SAT_OK;
}

/* ---- looking up ------------------------------------------------------------ */

/* The dictionaries handed out are the first member of this room's `dict`. */
static const dict *
inside(const sat_dict *d)
{
	return (const dict *)(const void *)d;
}

const sat_option *
sat_dict_option(const sat_dict *d, const char *key, size_t n)
{
	const sat_option **list = inside(d)->by_key;
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = sat_span_cmp(sat_span_str(list[mid]->key),
		    sat_span_of(key, n));

		if (c == 0)
			return list[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const sat_option *
sat_dict_match(const sat_dict *d, sat_span text)
{
	const dict *in = inside(d);
	const sat_option *found = sat_dict_option(d, (const char *)text.p, text.n);
	sat_buf b = { 0 };
	size_t lo = 0, hi = in->nspellings;

	if (found != NULL)
		return found;
	fold(&b, text);
	while (lo < hi) { /* first spelling not below */
		size_t mid = (lo + hi) / 2;

		if (sat_span_cmp(in->spellings[mid].text, sat_buf_span(&b)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (b.n > 0 && lo < in->nspellings &&
	    sat_span_eq(in->spellings[lo].text, sat_buf_span(&b)))
		found = in->spellings[lo].option;
	sat_buf_fini(&b);
	return found;
}
