/*
 * demo_int.h - demo.c makes the company and hands records over, demo_story.c
 * tells what happened with one customer, demo_words.c and demo_words_en.c have
 * the words.
 */
#ifndef SAT_CRM_DEMO_INT_H
#define SAT_CRM_DEMO_INT_H

#include "client/crm/demo.h"
#include "common/model/number.h"

#define DEMO_DAY ((int64_t)86400000)
#define DEMO_HOUR ((int64_t)3600000)
#define DEMO_REPS 9
#define DEMO_REP_FIRST 5 /* ordinals: 1 demo, 2-4 managers, then reps */
/* With fewer customers nothing is staged: no conflicts, no duplicates. */
#define DEMO_STAGED 20

typedef struct demo {
	sat_replica *r;
	sat_client_ops ops;
	const sat_template *t;
	const sat_demo_opts *o;
	const struct demo_words *w;
	uint64_t rng;
	int64_t from_ms;
	/* records of the next chunk */
	sat_arena mem;
	sat_record *recs;
	size_t n, cap;
	uint64_t lsn, total;
	uint32_t eid;
	sat_hlc newest;
	char series[SAT_SERIES_TEXT]; /* of customers' numbers */
	uint64_t series_n;
	int64_t base;           /* customers but for the twins */
	uint8_t *names;         /* bits: combinations in use */
	sat_demo_summary *sum;
	sat_rc rc;              /* the first failure; then nothing more is done */
	sat_err *e;
} demo;

/* One record being made; every put is an operation of its own stamp. */
typedef struct demo_rec {
	demo *d;
	const sat_kind *kind;
	sat_record rec;
	int64_t ms;   /* of the next operation */
	uint32_t dev; /* whose it is: a user's ordinal is his device's */
	uint64_t seen;
} demo_rec;

uint64_t demo_rand(demo *d);
int64_t demo_below(demo *d, int64_t n);    /* 0 .. n - 1 */
bool demo_chance(demo *d, int percent);

demo_rec demo_begin(demo *d, const char *kind, int64_t ms, uint32_t dev);
void demo_put(demo_rec *x, const char *field, sat_value v);
void demo_text(demo_rec *x, const char *field, const char *text);
void demo_int(demo_rec *x, const char *field, int64_t v);
void demo_ref(demo_rec *x, const char *field, const sat_id *id);
/* Two people who did not know of each other. */
void demo_conflict(demo_rec *x, const char *field, const char *a,
    const char *b);
void demo_end(demo_rec *x);

/* demo_story.c: customer i and all that lies under it. */
void demo_customer(demo *d, int64_t i);

/* demo_words.c, demo_words_en.c: the company in one language. In a form {a} and
 * {b} are filled in. */
typedef struct demo_industry {
	const char *key;         /* of the dictionary */
	const char *sector;
	const char *const *trade; /* in names */
	const char *const *goods;
	const char *tag;
} demo_industry;
typedef struct demo_place {
	const char *province, *city, *short_name, *district, *road;
} demo_place;
#define DEMO_INDUSTRIES 5
#define DEMO_TRADES 6
#define DEMO_GOODS 5
#define DEMO_PLACES 24
#define DEMO_BRANDS 32
#define DEMO_SURNAMES 48
#define DEMO_GIVEN 40
#define DEMO_STEPS 6
#define DEMO_TALKS 4
typedef struct demo_words {
	const char *mark, *remark; /* on every customer */
	const char *org, *me, *device;
	const char *teams[3], *managers[3], *reps[DEMO_REPS];
	const demo_industry *industries;     /* DEMO_INDUSTRIES */
	const demo_place *places;            /* DEMO_PLACES */
	const char *const *brand_a, *const *brand_b; /* DEMO_BRANDS each */
	const char *const *surnames, *const *given;
	const char *(*titles)[2];            /* 6: title, department */
	/* What was talked about, by how far a customer is: points, feedback, plan. */
	const char *(*talk)[DEMO_TALKS][3];  /* DEMO_STEPS */
	const char *person;                  /* {a} surname, {b} given name */
	const char *brand, *company;         /* two words; place and brand */
	const char *of_trade;                /* {a} the two, {b} the trade */
	const char *endings[2];              /* behind it: usual, rare */
	const char *fair, *need, *project, *address, *detail, *branch, *trader;
	const char *ticket, *other_contact;
} demo_words;
extern const demo_words demo_words_zh, demo_words_en;
void demo_form(char *out, size_t cap, const char *form, const char *a,
    const char *b);

#endif
