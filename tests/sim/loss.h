/*
 * loss.h - what the files of the server-loss simulation share.
 *
 * loss.c         histories: a seed, its steps, the program
 * loss_people.c  what people write, and their sessions
 * loss_merge.c   headquarters merges customers and takes them apart
 * loss_server.c  backups, kits, and the loss
 * loss_erase.c   customers that are erased
 * loss_check.c   what must hold at the end
 */
#ifndef SAT_TESTS_LOSS_H
#define SAT_TESTS_LOSS_H

#include <stdlib.h>
#include <string.h>

#include "common/model/number.h"
#include "tests/sweep/sweep.h"

#define WRITES_MAX 400
#define RECORDS_MAX 48
#define ROUNDS 3
#define LOSSES_MAX 3
#define EXCHANGES_MAX 80
#define BACKUP "kept.db"

#define COUNTS(X)                                                             \
	X(histories) X(writes) X(sessions) X(broken) X(backups) X(losses)     \
	X(from_backup) X(from_kit) X(twice) X(dead) X(gone_with_it)           \
	X(server_killed) X(device_killed) X(unheard) X(refused) X(fresh)      \
	X(spoilt) X(erased) X(erased_again) X(unerased) X(searched)           \
	X(leased) X(provisional) X(lease_over_loss) X(counted_less)           \
	X(merged) X(unmerged) X(erased_family) X(erased_apart)                \
	X(followed) X(stayed)

enum {
#define X(name) C_##name,
	COUNTS(X)
#undef X
	N_COUNTS
};
extern uint64_t loss_counts[N_COUNTS];
#define TICK(name) (loss_counts[C_##name]++)

typedef struct written {
	int dev, rec;
	int with;    /* merged into rec by it, or taken apart; -1 */
	bool apart;
	char tag[16];
	uint64_t cseq;
	uint64_t in;   /* records that showed the tag on a server, a bit each */
	uint64_t kept; /* those that did when a server was lost */
	bool answered; /* its author was told so, by some server */
	bool backed; /* in the backup a server may come back from */
	bool excused; /* only its author had it, and he is gone */
	bool let_go; /* its author has it no more: in states alone */
} written;

typedef struct history {
	lab *L;
	uint64_t rand;
	bool rough, trace;
	sat_id rec[RECORDS_MAX];
	int nrecs;
	written w[WRITES_MAX];
	int nw;
	bool dead[NDEVS];
	char number[RECORDS_MAX][SAT_NUMBER_TEXT]; /* as it was given; "" = none */
	int number_at[RECORDS_MAX]; /* losses until then */
	bool leased[RECORDS_MAX];   /* final at once: it is on a card */
	bool erased[RECORDS_MAX]; /* and somebody who lives knows it */
	bool gone[RECORDS_MAX];   /* from what is being searched */
	int family[RECORDS_MAX];  /* same number: merges ever joined them */
	int leads[RECORDS_MAX];   /* on the server, last seen; -1 */
	bool told[RECORDS_MAX];   /* in its ledger, last seen */
	uint64_t here;            /* on it, last seen */
	uint32_t admin;
	sat_buf backup;  /* as it lies elsewhere */
	bool kit;        /* it holds no records */
	bool spoilt;     /* a newer one was believed, and cannot be read now */
	int losses;
	char why[600];
	jmp_buf on_fail;
} history;

/* loss.c */
uint64_t loss_draw(history *h, uint64_t below);
void loss_fail(history *h, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void loss_say(const history *h, const char *fmt, ...) SAT_PRINTF(2, 3);

/* loss_people.c */
bool loss_has_tag(const sat_record *r, sat_arena *a, const char *tag);
/* The view of a device; false: it does not hold the record. */
bool loss_view_of(history *h, int dev, int rec, sat_view *v);
bool loss_server_has(history *h, int rec, sat_record *out);
sat_op loss_op(sat_op_kind kind, const sat_id *id, uint16_t field, sat_value v);
void loss_write_something(history *h, int dev);
void loss_session(history *h, int dev, bool whole);

/* loss_merge.c */
void loss_merge(history *h);
void loss_unmerge(history *h);
/* After whatever changed the server: who leads where, which tag is where. */
void loss_look(history *h);
/* The server of these looks is lost: what was given back of it tells less. */
void loss_looks_lost(history *h);
/* Those that are one with rec on the server now, a bit each, rec too. */
uint64_t loss_one_with(const history *h, int rec);
bool loss_is_about_erased(const history *h, const written *w);
void loss_check_merges(history *h);

/* loss_server.c */
void loss_open_server(history *h);
void loss_close_server(lab *L, bool orderly);
void loss_back_up(history *h);
void loss_spoil_backup(history *h);
void loss_make_kit(history *h);
void loss_lose_server(history *h);

/* loss_erase.c */
void loss_add_admin(history *h);
void loss_erase_something(history *h);
void loss_erasures_left(history *h);
void loss_search_server(history *h);
void loss_search_device(history *h, int dev);
bool loss_in_ledger(sat_db *db, const sat_id *id);
void loss_check_erased(history *h);

/* loss_check.c */
bool loss_is_quarantined(history *h, const written *w);
void loss_check_end(history *h);

#endif
