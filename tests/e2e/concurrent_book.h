/*
 * concurrent_book.h - the book of what each device was told to write.
 */
#ifndef SAT_TESTS_E2E_CONCURRENT_BOOK_H
#define SAT_TESTS_E2E_CONCURRENT_BOOK_H

#include "tests/e2e/concurrent.h"

typedef struct book {
	uint64_t rand;
	int passed, failed;
	cust *customers;
	int n, edits, made;
	device dev[DEVICES];
} book;

extern book w;

/* ---- values: what is typed, what is stored, what reads alike ------------- */

/* How many different texts a field takes, and how many spellings of one
 * reading follow each other. */
typedef struct field_kind {
	const char *key;
	int n, spellings;
	bool review;
} field_kind;

extern const field_kind fields[FIELDS];
extern const char *const tags[TAGS];
extern const char *const stages[];

int reading(int f, int v);

/* The stored form. */
void stored(char out[TEXT], int f, int i, int v);

void text_of(char out[TEXT], sat_value v);

/* ---- writing, and keeping book of it ------------------------------------- */

const sat_kind *account(const device *d);

/* ---- what is there ------------------------------------------------------- */

/* The inbox: exactly the expected conflicts, each once, with both values. */
int check_inbox(const device *d);

void check_values(const device *d);

#endif
