#include "common/base/roff.h"

#include <stdio.h>
#include <string.h>

/* A dot or apostrophe at the start of a line would be a request. */
static void
escaped(sat_buf *out, const char *s)
{
	bool start = out->n == 0 || out->p[out->n - 1] == '\n';

	for (; *s != '\0'; s++) {
		if (start && (*s == '.' || *s == '\''))
			sat_buf_str(out, "\\&");
		if (*s == '\\')
			sat_buf_str(out, "\\e");
		else if (*s == '-')
			sat_buf_str(out, "\\-");
		else
			sat_write_u8(out, (uint8_t)*s);
		start = *s == '\n';
	}
}

void
sat_roff_head(sat_buf *out, const char *name, int section, const char *version,
    const char *what)
{
	sat_buf_fmt(out, ".\\\" made by the program itself from its tables\n"
	                 ".TH \"");
	for (const char *p = name; *p != '\0'; p++)
		sat_write_u8(out, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
	sat_buf_fmt(out, "\" \"%d\" \"\" \"%s\"\n.nh\n.ad l\n.SH NAME\n", section,
	    version);
	escaped(out, name);
	sat_buf_str(out, " \\- ");
	escaped(out, what);
	sat_buf_str(out, "\n");
}

void
sat_roff_section(sat_buf *out, const char *title)
{
	sat_buf_str(out, ".SH ");
	escaped(out, title);
	sat_buf_str(out, "\n");
}

void
sat_roff_sub(sat_buf *out, const char *title)
{
	sat_buf_str(out, ".SS ");
	escaped(out, title);
	sat_buf_str(out, "\n");
}

void
sat_roff_text(sat_buf *out, const char *text)
{
	sat_buf_str(out, ".PP\n");
	escaped(out, text);
	sat_buf_str(out, "\n");
}

void
sat_roff_item(sat_buf *out, const char *tag, const char *text)
{
	sat_buf_str(out, ".TP\n\\fB");
	escaped(out, tag);
	sat_buf_str(out, "\\fR\n");
	escaped(out, text);
	sat_buf_str(out, "\n");
}

void
sat_roff_lines(sat_buf *out, const char *lines)
{
	sat_buf_str(out, ".PP\n.nf\n");
	escaped(out, lines);
	if (out->p[out->n - 1] != '\n')
		sat_buf_str(out, "\n");
	sat_buf_str(out, ".fi\n");
}

void
sat_roff_options(sat_buf *out, const sat_opt *table)
{
	for (const sat_opt *o = table; o != NULL && o->name != NULL; o++) {
		char tag[96];

		(void)snprintf(tag, sizeof tag, "%c%c%s--%s%s%s",
		    o->letter != 0 ? '-' : ' ', o->letter != 0 ? o->letter : ' ',
		    o->letter != 0 ? ", " : "", o->name,
		    o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
		sat_roff_item(out, tag + (o->letter != 0 ? 0 : 2), o->help);
	}
}
