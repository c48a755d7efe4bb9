/*
 * sheet_int.h - inside common/sheet only: the formats behind sheet.h.
 */
#ifndef SAT_SHEET_SHEET_INT_H
#define SAT_SHEET_SHEET_INT_H

#include "common/sheet/sheet.h"

typedef struct xlsx xlsx;
SAT_CHECK sat_rc sat_xlsx_open(xlsx **x, const char *path,
    const sat_sheet_opts *o, sat_err *e);
size_t sat_xlsx_columns(const xlsx *x);
const char *sat_xlsx_column(const xlsx *x, size_t i);
void sat_xlsx_progress(const xlsx *x, uint64_t *done, uint64_t *total);
SAT_CHECK sat_rc sat_xlsx_next(const sat_sheet_row **row, xlsx *x, sat_err *e);
void sat_xlsx_close(xlsx *x);

typedef struct vcard vcard;
SAT_CHECK sat_rc sat_vcard_open(vcard **v, const char *path,
    const sat_sheet_opts *o, sat_err *e);
size_t sat_vcard_columns(void);
const char *sat_vcard_column(size_t i);
void sat_vcard_progress(const vcard *v, uint64_t *done, uint64_t *total);
SAT_CHECK sat_rc sat_vcard_next(const sat_sheet_row **row, vcard *v,
    sat_err *e);
void sat_vcard_close(vcard *v);

/* One part of the zip: opened, read in pieces, counted against the limit. */
typedef struct xlsx_part xlsx_part;
typedef struct xlsx_zip xlsx_zip;
SAT_CHECK sat_rc sat_xlsx_zip_open(xlsx_zip **z, const char *path, sat_err *e);
void sat_xlsx_zip_close(xlsx_zip *z);
/* SAT_ENOTFOUND: no such part. One part at a time. */
SAT_CHECK sat_rc sat_xlsx_part_open(xlsx_zip *z, const char *name,
    uint64_t *size, sat_err *e);
SAT_CHECK sat_rc sat_xlsx_part_read(size_t *n, xlsx_zip *z, void *p,
    size_t max, sat_err *e); /* 0 at the end */
void sat_xlsx_part_close(xlsx_zip *z);
/* "_x000D_" at p -> 13; -1 when no such escape is there. */
int sat_xlsx_escape(const uint8_t *p, size_t n);

typedef struct xlsx_out xlsx_out;
SAT_CHECK sat_rc sat_xlsx_out_open(xlsx_out **x, const char *path,
    const char *title, sat_err *e);
void sat_xlsx_out_cell(xlsx_out *x, sat_span v, bool plain);
void sat_xlsx_out_endrow(xlsx_out *x);
void sat_xlsx_out_about(xlsx_out *x, const char *title, const char *what,
    const char *is);
SAT_CHECK sat_rc sat_xlsx_out_close(xlsx_out *x, bool keep, sat_err *e);

#endif
