/*
 * layers.h - base, industry pack, company: trees of documents laid over each
 * other, and one brought up to date under the other (requirements §4.2).
 *
 * Documents are compared and joined by place, never by line: members of an
 * object by name, elements of an array by their "key", arrays of different
 * texts as sets that keep their order; whatever else an array holds is one
 * value. Order of members means nothing.
 *
 * Pure. Results live in the arena; files that came through unchanged keep the
 * bytes of the side they came from. Documents that are not JSON are one value.
 */
#ifndef SAT_TEMPLATE_LAYERS_H
#define SAT_TEMPLATE_LAYERS_H

#include "common/template/template.h"

#define SAT_LAYER_FILES_MAX 512 /* of each layer */

/* A tree of documents; order of the files is the result's: by path. */
typedef struct sat_layer {
	const sat_template_file *files;
	size_t n;
} sat_layer;

/*
 * `over` on top of `base`. A member replaces the one of its name, objects are
 * joined, null takes a member away; an element of an array is joined with the
 * one of the same "key" ({"key": K, "remove": true} takes it away), others
 * come behind; other arrays are replaced.
 * @return SAT_EINVALID with document and place: not JSON, not an object, an
 *         element that is taken away but is not there.
 */
SAT_CHECK sat_rc sat_layer_overlay(sat_layer *out, sat_arena *a,
    const sat_layer *base, const sat_layer *over, sat_err *e);

/* A place that both sides changed, differently. NULL = not there. */
typedef struct sat_layer_conflict {
	const char *doc;  /* "fields/account.json" */
	const char *place; /* "fields.phone_main.label.zh"; "" = the whole */
	const sat_json *base, *ours, *theirs;
} sat_layer_conflict;
typedef enum sat_take { SAT_TAKE_NEITHER, SAT_TAKE_OURS, SAT_TAKE_THEIRS } sat_take;

/*
 * What changed from `base` to `theirs`, brought into `ours`. `decide` is asked
 * for each conflict, in the order of documents and places; SAT_TAKE_NEITHER
 * leaves it open.
 * @return SAT_ECONFLICT (code "template.conflict") when one was left open: *out
 *         is then empty, nothing is half brought in; SAT_EINVALID as above.
 */
SAT_CHECK sat_rc sat_layer_merge(sat_layer *out, sat_arena *a,
    const sat_layer *base, const sat_layer *ours, const sat_layer *theirs,
    sat_take (*decide)(void *u, const sat_layer_conflict *c), void *u,
    sat_err *e);

/* Every place where `b` differs from `a`, as a conflict without base: ours =
 * what a has, theirs = what b has. cb returns false to stop. */
SAT_CHECK sat_rc sat_layer_diff(const sat_layer *a, const sat_layer *b,
    bool (*cb)(void *u, const sat_layer_conflict *c), void *u, sat_err *e);

/*
 * The way back is a step forward (P-233): what `then` says, with every field
 * and option that came since kept as retired and not asked for, and every kind,
 * dictionary, pattern, role, and pool (without its rules) that came since kept;
 * a dictionary that a field has again gets the options it had meanwhile, and
 * the time zone stays. So the result may follow `now` (sat_template_follows,
 * sat_template_keeps), and nothing that was written meanwhile is lost.
 * SAT_EINVALID as above.
 */
SAT_CHECK sat_rc sat_layer_back(sat_layer *out, sat_arena *a,
    const sat_layer *now, const sat_layer *then, sat_err *e);

/* Industry packs compiled into the programs: i-th, NULL at the end. Each is
 * laid over the base template. */
typedef struct sat_pack {
	const char *id; /* "realestate" */
	sat_layer over;
} sat_pack;
const sat_pack *sat_template_pack_at(size_t i);
const sat_pack *sat_template_pack(const char *id); /* NULL: no such pack */
/* Base with the pack over it; id NULL or "base": the base alone. SAT_ENOTFOUND
 * names the packs there are. */
SAT_CHECK sat_rc sat_template_of_pack(sat_layer *out, sat_arena *a,
    const char *id, sat_err *e);

#endif
