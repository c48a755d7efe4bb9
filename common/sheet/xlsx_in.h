/*
 * xlsx_in.h - inside the XLSX reader only: what its three files share.
 * xlsx_book.c reads the parts around the sheet (which part it is, shared
 * texts, formats), xlsx_cells.c turns the sheet's XML into queued rows,
 * xlsx_in.c hands the rows out.
 */
#ifndef SAT_SHEET_XLSX_IN_H
#define SAT_SHEET_XLSX_IN_H

#include "common/sheet/sheet_int.h"

#include "common/base/mem.h"

#include <expat.h>

typedef enum cell_type { T_NUMBER, T_SHARED, T_TEXT, T_BOOL, T_ERROR } cell_type;

typedef struct queued { /* cells' ends in `text` of the row */
	uint64_t line;
	size_t from, n; /* into xlsx.spans */
	const char *fault;
} queued;

struct xlsx {
	xlsx_zip *zip;
	XML_Parser parser;
	/* the book */
	bool since_1904;
	char target[256];       /* part of the wanted sheet */
	unsigned want, seen_sheets;
	char rid[64];
	/* shared texts: text i of nshared is shared_at[i] to [i + 1] of `shared` */
	sat_buf shared;
	size_t *shared_at, nshared, shared_cap; /* cap > nshared when not NULL */
	int in_shared;          /* depth of si in si */
	/* cell formats that show a date or time: bit 0 date, bit 1 time */
	uint8_t *style;
	size_t nstyles;
	struct { unsigned id; uint8_t what; } custom[1024];
	size_t ncustom;
	/* where the parser is */
	int depth;
	bool in_text, in_value, in_inline, in_cell_formats, phonetic, stop_doctype,
	    too_deep, too_many_texts;
	/* the row and the cell at hand */
	sat_buf text;           /* of all queued rows */
	struct { size_t at, n; } *spans; /* of all cells of queued rows */
	size_t nspans, spans_cap;
	queued *rows;
	size_t nrows, rows_cap, next_row;
	uint64_t line, last_line;
	size_t column, ncells;  /* of the row */
	size_t row_from;
	const char *fault;
	cell_type type;
	unsigned cell_style;
	sat_buf value;
	bool in_row, in_cell;
	/* the header */
	char **columns;
	size_t ncolumns;
	uint64_t number, size, done;
	bool end;
	sat_span fields[SAT_CSV_COLUMNS_MAX];
	sat_sheet_row row;
};

/* An element's or attribute's name without its prefix. */
const char *xlsx_local(const char *name);
const char *xlsx_attr(const char **a, const char *name);
/* One step deeper; false stops (X3). */
bool xlsx_deeper(xlsx *x);
void xlsx_parser_new(xlsx *x, XML_StartElementHandler start,
    XML_EndElementHandler end, XML_CharacterDataHandler text);
/* The next piece of the open part; *more false when it was the last. */
SAT_CHECK sat_rc xlsx_parse_piece(bool *more, xlsx *x, sat_err *e);
/* Fills target, shared texts and formats. */
SAT_CHECK sat_rc xlsx_read_parts(xlsx *x, sat_err *e);
unsigned xlsx_number_of(const char *s);
/* The fault of a row wider than the header; compared by address. */
extern const char xlsx_many_cells[];
/* Callbacks of the sheet's own part. */
void XMLCALL xlsx_sheet_start(void *u, const char *name, const char **a);
void XMLCALL xlsx_sheet_end(void *u, const char *name);
void XMLCALL xlsx_sheet_text(void *u, const char *s, int n);

#endif
