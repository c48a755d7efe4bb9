/*
 * frozen.h - four people's customers and deals, and reports of them.
 */
#ifndef SAT_TESTS_CLIENT_API_FROZEN_H
#define SAT_TESTS_CLIENT_API_FROZEN_H

#include "client/crm/report.h"
#include "tests/unit/client/sync/company.h"

enum { ANN, BO, MAX, HQ }; /* ann, bo: team a; max: their manager */

#define MONTH "2026-12"    /* the company's clock begins in January 2027 */

sat_crm crm(company *c, size_t i);
sat_id customer(company *c, size_t i, const char *phone);
sat_id deal(company *c, size_t i, sat_id account, const char *amount,
    const char *won);
sat_json *run(company *c, size_t i, const char *report);
sat_json *freeze(company *c, size_t i, const char *report);
const char *hash_of(const sat_json *doc);
const sat_json *delta_row(const sat_json *doc, const char *group);

/* The record of a row's delta, NULL when it is not named. */
const sat_json *named(const sat_json *row, sat_id id);

void same_text(const sat_json *a, const sat_json *b);

#endif
