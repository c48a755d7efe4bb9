/*
 * zip.h - a zip file made part by part, in memory: books of hostile shape, and
 * parts that are far larger than what is packed.
 */
#ifndef SAT_TESTS_ZIP_H
#define SAT_TESTS_ZIP_H

#include "common/base/buf.h"

typedef struct test_zip {
	sat_buf all; /* the file, whole after test_zip_end; sat_buf_fini it */
	sat_buf central;
	unsigned n;
} test_zip;

/* A stored part. */
void test_zip_add(test_zip *z, const char *name, sat_span part);
/* A deflated one: head, then `piece` so many times, then tail. */
void test_zip_add_many(test_zip *z, const char *name, const char *head,
    const char *piece, unsigned times, const char *tail);
void test_zip_end(test_zip *z);

#endif
