/*
 * report_def_int.h - inside the room: how a report document is bound.
 *
 * report_def.c      the document, its sources, dims, order, list
 * report_where.c    paths, instants, conditions
 * report_let.c      values computed per record
 * report_measure.c  terms, measures, formulas
 * report_virtual.c  kinds that no document declares
 */
#ifndef SAT_TEMPLATE_REPORT_DEF_INT_H
#define SAT_TEMPLATE_REPORT_DEF_INT_H

#include "common/template/report_def.h"
#include "common/template/template_int.h"

typedef struct bind {
	walk w;
	sat_arena *a;
	sat_report_def *def;
	const sat_json *constants; /* of the document, or NULL */
	const sat_kind *kind;      /* whose fields paths start from */
	const sat_report_source *source; /* whose lets they may name; NULL: none */
	bool nested;               /* inside "has": no further "has" */
} bind;

/* report_where.c */
const sat_field *sat_bind_field(bind *b, const sat_kind *k, const char *key,
    size_t n);
sat_report_path sat_bind_path(bind *b, const char *text);
/* An integer, or the name of a constant. */
int64_t sat_bind_number(bind *b, const sat_json *n);
/* "@start", "@end", "@as_of", a path, an integer, or {"at": ..., ...}. */
sat_report_at sat_bind_at(bind *b, const sat_json *n);
const sat_report_cond *sat_bind_where(bind *b, const sat_json *n,
    const char *key, size_t *count);
/* Kind of the template, or "@users" and so on. Faults when there is none. */
const sat_kind *sat_bind_kind(bind *b, const char *key);
bool sat_bind_is_time(sat_report_path p);
bool sat_bind_is_number(sat_report_path p);
/* report_let.c: member "let" of n, into the source. */
void sat_bind_lets(bind *b, const sat_json *n, sat_report_source *s);
/* report_measure.c */
void sat_bind_measures(bind *b, const sat_json *root);

#endif
