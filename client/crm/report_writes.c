/*
 * The rows of @writes: what was written, one row per change of a record. There
 * are as many as the company ever made changes, so a row is kept in a few bytes
 * and becomes values when it is looked at; and unless the report looks at the
 * moment itself, changes of one kind on one device and day are mostly one row
 * that stands for all (rep_source.times).
 */
#include "client/crm/report_int.h"

#include <stdlib.h>
#include <string.h>

#define AUTHORS 256 /* kept at hand: power of two */
#define LATELY 1024 /* rows others may join: power of two */
#define FIELDS 5    /* the columns of a row by their field's id: 1 is the first */
#define FIELD_AT 4

typedef struct written {
	int64_t at_ms;
	uint32_t dev;
	uint16_t kind;  /* index in `kinds` */
	uint16_t times; /* changes it stands for */
} written;

typedef struct author {
	sat_value user;
	uint32_t dev;
	bool known;
} author;

struct rep_writes {
	written *rows;
	size_t n, cap, next;
	const sat_kind **kinds;
	uint16_t nkinds;
	const sat_calendar *calendar;
	bool join;
	size_t lately[LATELY]; /* index of a row + 1, by device and day */
	author authors[AUTHORS];
	sat_value *shown; /* columns asked for */
};

/* The row of that day a change adds to, or NULL; the slot is then the next
 * row's. */
static written *
joined(rep_writes *w, const written *one)
{
	int64_t day = sat_calendar_day(w->calendar, one->at_ms);
	size_t *slot = &w->lately[((size_t)day * 31 + one->dev) & (LATELY - 1)];
	written *r = *slot > 0 ? &w->rows[*slot - 1] : NULL;

	if (r != NULL && r->dev == one->dev && r->kind == one->kind &&
	    r->times < UINT16_MAX &&
	    sat_calendar_day(w->calendar, r->at_ms) == day)
		return r;
	*slot = w->n + 1;
	return NULL;
}

static void
on_write(void *u, const sat_kind *kind, sat_hlc at, uint32_t dev)
{
	rep_writes *w = u;
	written one = { sat_hlc_ms(at), dev, 0, 1 }, *same;

	if (w->nkinds == 0 || w->kinds[w->nkinds - 1] != kind) {
		w->kinds = sat_xrealloc(w->kinds,
		    (w->nkinds + 1) * sizeof *w->kinds);
		w->kinds[w->nkinds++] = kind;
	}
	one.kind = (uint16_t)(w->nkinds - 1);
	if (w->join && (same = joined(w, &one)) != NULL) {
		same->times++;
		return;
	}
	if (w->n == w->cap) {
		w->cap = w->cap > 0 ? w->cap * 2 : 1024;
		w->rows = sat_xrealloc(w->rows, w->cap * sizeof *w->rows);
	}
	w->rows[w->n++] = one;
}

/* The user of a device; null when the registry does not know it. */
static sat_value
author_of(rep_writes *w, const sat_registry *reg, uint32_t dev)
{
	author *a = &w->authors[dev & (AUTHORS - 1)];
	const sat_device *d;
	const sat_user *u;

	if (a->known && a->dev == dev)
		return a->user;
	d = sat_registry_device(reg, dev);
	u = d != NULL && d->user != 0 ? sat_registry_user_ord(reg, d->user) :
	    NULL;
	*a = (author){ u != NULL ? sat_v_text(sat_span_str(u->key)) :
		sat_v_null(), dev, true };
	return a->user;
}

bool
rep_writes_next(rep_source *s)
{
	const sat_calendar *c = &s->when->calendar;
	rep_writes *w = s->writes;
	const written *r;
	sat_value v[FIELDS] = { { 0 } };

	s->row = NULL;
	if (w->next == w->n)
		return false;
	r = &w->rows[w->next++];
	v[1] = author_of(w, s->who->reg, r->dev);
	v[2] = sat_v_text(sat_span_str(w->kinds[r->kind]->key));
	v[3] = sat_v_int(sat_calendar_day(c, r->at_ms) * 86400000 -
	    (int64_t)c->tz_min * 60000);
	v[FIELD_AT] = sat_v_int(r->at_ms);
	for (size_t i = 0; i < s->ncolumns; i++)
		w->shown[i] = v[s->columns[i] == SAT_Q_ID ? 0 : s->columns[i]];
	s->row = w->shown;
	s->times = r->times;
	return true;
}

sat_rc
rep_make_writes(rep_source *s, sat_err *e)
{
	const sat_period *p = &s->when->period;
	int64_t until = s->when->until_ms;
	bool at = false;

	for (size_t i = 1; i < s->ncolumns; i++)
		at = at || s->columns[i] == FIELD_AT;
	s->writes = sat_xcalloc(1, sizeof *s->writes);
	s->writes->shown = sat_xcalloc(s->ncolumns + 1,
	    sizeof *s->writes->shown);
	s->writes->calendar = &s->when->calendar;
	/* all rows lie in the period: one moment is as good as another */
	s->writes->join = !s->singly && (!at ||
	    (s->in_period & (uint32_t)1 << FIELD_AT) != 0);
	/* what was written later than as-of would join a row of that day */
	if (!p->all && p->to_ms < until)
		until = p->to_ms;
	return sat_replica_each_write(s->c->replica,
	    p->all ? INT64_MIN : p->from_ms, until, on_write, s->writes, e);
}

void
rep_writes_free(rep_writes *w)
{
	if (w == NULL)
		return;
	free(w->rows);
	free(w->kinds);
	free(w->shown);
	free(w);
}
