/*
 * figures.h - what the files of `make bench` share.
 *
 * figures.c        the order of things, and the peer workload beside the floor
 * figures_local.c  one durable insert and update, scans
 * figures_sync.c   the server's merge, the device's share, bytes, many devices
 */
#ifndef SAT_TESTS_BENCH_FIGURES_H
#define SAT_TESTS_BENCH_FIGURES_H

#include "tests/bench/bench.h"

typedef struct figures {
	bench_table_out t;
	bench_data data;
	bench_values values;
	sat_value *edits2; /* of data.edits2, for the floor */
	sat_arena mem;
	bool quick;
	int rounds;
	size_t n, big, small;
} figures;

/* One more sample of a row. goal < 0: none. */
void figure(figures *f, const char *name, const char *unit, double goal,
    bool at_most, double v, const char *note);
#define AT_MOST(f, name, unit, goal, v, note)                                 \
	figure(f, name, unit, goal, true, v, note)
#define AT_LEAST(f, name, unit, goal, v, note)                                \
	figure(f, name, unit, goal, false, v, note)

/* Values of edits, read once for the floor; the caller frees the list. */
sat_value *figure_values(sat_arena *a, const device *d, const bench_edit *list,
    size_t n);
/* Begin or commit a group of writes. */
void figure_group(device *d, bool begin);

void figure_singles(figures *f);
void figure_merge(figures *f, bool plain);
void figure_reconnect(figures *f);
void figure_wire(figures *f);
/* Bytes of the rows as JSON lines, zstd-3. */
size_t figure_json_rows(const bench_data *d);

#endif
