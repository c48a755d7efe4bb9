/*
 * seen.c - the disks that were looked at and found good.
 *
 * Most failures of an operation leave the same few disks behind. What opens from
 * a disk, and what all come to that sync with it, follows from its bytes: one
 * that is the same byte by byte is not looked at again. So that two are, every
 * point draws the same randomness: the nonces of the cipher and SQLite's salts.
 */
#include "tests/sweep/sweep.h"

#include <sodium.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>

#define MANY 1024
#define PLACES (1u << 19) /* more are looked at again */

static uint64_t *table; /* with the processes that do the points; 0: free */
static uint64_t drawn;

/* ---- randomness that begins anew with each point -------------------------------- */

static const char *
name(void)
{
	return "sweep";
}

static uint32_t
draw(void)
{
	return (uint32_t)sat_test_rand(&drawn);
}

/* Page nonces are drawn many at a time, and the next point goes on in the middle:
 * they are all alike. Nothing that is looked at depends on them. */
static void
fill(void *out, const size_t n)
{
	if (n >= MANY) {
		memset(out, 'n', n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)draw();
}

static randombytes_implementation same = { .implementation_name = name,
	.random = draw, .buf = fill };

bool
seen_begin(void)
{
	table = mmap(NULL, PLACES * sizeof *table, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return table != MAP_FAILED &&
	    randombytes_set_implementation(&same) == 0;
}

void
seen_rewind(void)
{
	drawn = 1;
	(void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 1, NULL);
}

/* ---- disks ------------------------------------------------------------------------- */

/* Four lanes of 64 bits: no enemy chooses these bytes, and megabytes of them are
 * read at every point. */
static uint64_t
mix(uint64_t h, const void *bytes, size_t n)
{
	uint64_t lane[4] = { h, h + 1, h + 2, h + 3 }, w[4];
	const uint8_t *p = bytes;

	for (; n > 0; p += sizeof w, n -= n < sizeof w ? n : sizeof w) {
		if (n < sizeof w)
			memset(w, 0, sizeof w);
		memcpy(w, p, n < sizeof w ? n : sizeof w);
		for (int i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ w[i]) * 0x9e3779b97f4a7c15u;
			lane[i] ^= lane[i] >> 29;
		}
		if (n < sizeof w)
			break;
	}
	for (int i = 1; i < 4; i++)
		lane[0] = (lane[0] ^ lane[i]) * 0xbf58476d1ce4e5b9u +
		    (lane[i] >> 31);
	return lane[0] ^ n;
}

static uint64_t
mix_machine(uint64_t h, const machine *m)
{
	const char *file;
	const uint8_t *p;
	size_t n;

	if (m->restored == simfs_counts_get(m->fs).touched)
		return mix(h, "", 1); /* as after the story */
	for (size_t i = 0; (file = simfs_nth(m->fs, i)) != NULL; i++) {
		p = simfs_bytes(&n, m->fs, file);
		h = mix(mix(mix(h, file, strlen(file)), &n, sizeof n), p, n);
	}
	return h;
}

uint64_t
seen_disks(const lab *L, const sweep_op *op, unsigned expected)
{
	uint64_t h = mix(expected, &op, sizeof op);

	h = mix(mix(h, &L->now_ms, sizeof L->now_ms), &L->tip, sizeof L->tip);
	h = mix_machine(h, &L->srv);
	for (int i = 0; i < NDEVS; i++)
		h = mix_machine(h, &L->dev[i].m);
	return h != 0 ? h : 1;
}

static uint64_t *
place(uint64_t key)
{
	for (size_t i = 0; i < 64; i++) {
		uint64_t *at = &table[(key + i) % PLACES];

		if (*at == key || *at == 0)
			return at;
	}
	return NULL;
}

bool
seen_good(uint64_t key)
{
	const uint64_t *at = place(key);

	return at != NULL && *at == key;
}

void
seen_add(uint64_t key)
{
	uint64_t *at = place(key);

	if (at != NULL)
		*at = key;
}
