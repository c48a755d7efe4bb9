#include "client/api/text_int.h"

/* Markdown: what would be read as markup is escaped; a bar ends a cell. */
static void
plain(text_doc *d, const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (d->html && (*s == '&' || *s == '<' || *s == '>' ||
		    *s == '"')) {
			sat_buf_str(&d->b, *s == '&' ? "&amp;" :
			    *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&quot;");
			continue;
		}
		if (!d->html && (*s == '|' || *s == '*' || *s == '_' ||
		    *s == '`' || *s == '<'))
			sat_buf_str(&d->b, "\\");
		if (*s == '\n')
			sat_buf_str(&d->b, d->html ? "<br>" : " ");
		else
			sat_buf_add(&d->b, s, 1);
	}
}

static void
tag(text_doc *d, const char *name, const char *s)
{
	sat_buf_fmt(&d->b, "<%s>", name);
	plain(d, s);
	sat_buf_fmt(&d->b, "</%s>", name);
}

void
text_begin(text_doc *d, const char *title)
{
	if (d->html) {
		sat_buf_fmt(&d->b, "<!doctype html>\n<html lang=\"%s\"><head>"
		    "<meta charset=\"utf-8\"><title>", d->zh ? "zh-CN" : "en");
		plain(d, title);
		sat_buf_str(&d->b, "</title><style>body{font:16px/1.6 sans-serif;"
		    "max-width:60em;margin:2em auto;padding:0 1em}table{"
		    "border-collapse:collapse}td,th{border:1px solid #999;"
		    "padding:.3em .6em;text-align:left;vertical-align:top}"
		    "</style></head><body>\n");
	}
	text_heading(d, 1, title);
}

void
text_end(text_doc *d)
{
	if (d->html)
		sat_buf_str(&d->b, "</body></html>\n");
}

void
text_heading(text_doc *d, int level, const char *s)
{
	char name[3] = { 'h', (char)('0' + level), '\0' };

	if (d->html) {
		tag(d, name, s);
		sat_buf_str(&d->b, "\n");
		return;
	}
	sat_buf_fmt(&d->b, "%s%.*s ", d->b.n > 0 ? "\n" : "", level, "######");
	plain(d, s);
	sat_buf_str(&d->b, "\n\n");
}

void
text_para(text_doc *d, const char *s)
{
	if (s == NULL || *s == '\0')
		return;
	if (d->html)
		tag(d, "p", s);
	else
		plain(d, s);
	sat_buf_str(&d->b, d->html ? "\n" : "\n\n");
}

void
text_heads(text_doc *d, const char *const *cells, size_t n)
{
	sat_buf_str(&d->b, d->html ? "<table><tr>" : "|");
	for (size_t i = 0; i < n; i++) {
		if (d->html) {
			tag(d, "th", cells[i]);
			continue;
		}
		sat_buf_str(&d->b, " ");
		plain(d, cells[i]);
		sat_buf_str(&d->b, " |");
	}
	sat_buf_str(&d->b, d->html ? "</tr>\n" : "\n|");
	for (size_t i = 0; !d->html && i < n; i++)
		sat_buf_str(&d->b, "---|");
	if (!d->html)
		sat_buf_str(&d->b, "\n");
}

void
text_row(text_doc *d, const char *const *cells, size_t n)
{
	sat_buf_str(&d->b, d->html ? "<tr>" : "|");
	for (size_t i = 0; i < n; i++) {
		if (d->html) {
			tag(d, "td", cells[i]);
			continue;
		}
		sat_buf_str(&d->b, " ");
		plain(d, cells[i]);
		sat_buf_str(&d->b, " |");
	}
	sat_buf_str(&d->b, d->html ? "</tr>\n" : "\n");
}

void
text_table_end(text_doc *d)
{
	sat_buf_str(&d->b, d->html ? "</table>\n" : "\n");
}

void
text_item(text_doc *d, const char *s)
{
	sat_buf_str(&d->b, d->html ? "<p>&#9744; " : "- [ ] ");
	plain(d, s);
	sat_buf_str(&d->b, d->html ? "</p>\n" : "\n");
}

void
text_items_end(text_doc *d)
{
	if (!d->html)
		sat_buf_str(&d->b, "\n");
}
