/*
 * text_int.h - a small document, written as Markdown or as one HTML page.
 *
 * Texts are borrowed for the call; what would be markup in them is escaped. The
 * caller begins with { 0 } but for html and zh, and frees b.
 */
#ifndef SAT_API_TEXT_INT_H
#define SAT_API_TEXT_INT_H

#include "common/base/buf.h"

typedef struct text_doc {
	sat_buf b;
	bool html, zh;
} text_doc;

void text_begin(text_doc *d, const char *title);
void text_end(text_doc *d);
void text_heading(text_doc *d, int level, const char *s);
void text_para(text_doc *d, const char *s); /* NULL: nothing */
/* A table: heads once, then rows of as many cells, then the end. */
void text_heads(text_doc *d, const char *const *cells, size_t n);
void text_row(text_doc *d, const char *const *cells, size_t n);
void text_table_end(text_doc *d);
/* One line of a checklist. */
void text_item(text_doc *d, const char *s);
void text_items_end(text_doc *d);
static inline const char *
text_of(const text_doc *d, const char *zh, const char *en)
{
	return d->zh ? zh : en;
}

#endif
