/*
 * layers_int.h - inside the layers only: the walks through one document
 * (layers_json.c) that layers.c runs over all files.
 */
#ifndef SAT_TEMPLATE_LAYERS_INT_H
#define SAT_TEMPLATE_LAYERS_INT_H

#include "common/template/layers.h"
#include "common/template/template_int.h"

/* Where a walk is: "fields.phone.label" in a document. */
typedef struct place {
	const char *doc;
	char at[400];
} place;

typedef struct laying {
	place at;
	sat_rc rc;
	sat_err *e;
} laying;

typedef struct merging {
	place at;
	sat_take (*decide)(void *u, const sat_layer_conflict *c);
	void *u;
	size_t open;
	char first[200]; /* place of the first one left open */
} merging;

typedef struct diffing {
	place at;
	bool (*cb)(void *u, const sat_layer_conflict *c);
	void *u;
	bool stop;
} diffing;

/* NULL: there is no such file. */
const sat_template_file *layers_file(const sat_layer *l, const char *path);
bool layers_same(const sat_json *a, const sat_json *b);
/* A copy to be freed by the caller; NULL of NULL. */
sat_json *layers_dup(const sat_json *n);
/* `over` laid over `base`; l->rc says what was wrong. */
sat_json *layers_lay(laying *l, const sat_json *base, const sat_json *over);
/* Three-way; conflicts go through g->decide, those left open are counted. */
sat_json *layers_join(merging *g, const sat_json *base, const sat_json *ours,
    const sat_json *theirs);
void layers_differ(diffing *d, const sat_json *a, const sat_json *b);

#endif
