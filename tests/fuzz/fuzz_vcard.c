/*
 * Cards as rows. The first byte chooses the encoding; the rest is the file, in
 * memory, behind BEGIN:VCARD. Every field is UTF-8 without control characters,
 * and a file of n bytes has no more than n rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check_field(sat_span s)
{
	if (s.n > SAT_CSV_FIELD_MAX || !sat_utf8_ok(s.p, s.n))
		abort();
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\n') || s.p[i] == 0x7f)
			abort();
}

static void
read_all(sat_sheet *s, size_t n)
{
	const sat_sheet_row *row;
	uint64_t number = 0;

	for (;;) {
		if (sat_sheet_next(&row, s, NULL) != SAT_OK)
			abort();
		if (row == NULL)
			return;
		if (row->number != ++number || number > n ||
		    row->n > sat_sheet_columns(s))
			abort();
		for (size_t i = 0; i < row->n; i++)
			check_field(row->fields[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const encodings[] = { NULL, "utf-8", "gb18030", NULL };
	static const char begin[] = "BEGIN:VCARD\n";
	static int fd = -1;
	static char path[64];
	sat_sheet_opts o = { 0 };
	sat_err err = { 0 };
	sat_sheet *s;

	if (n == 0)
		return 0;
	o.encoding = encodings[p[0] & 3];
	p++;
	n--;
	if (fd < 0) {
		fd = memfd_create("vcard", 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 ||
	    pwrite(fd, begin, sizeof begin - 1, 0) != (ssize_t)sizeof begin - 1 ||
	    pwrite(fd, p, n, sizeof begin - 1) != (ssize_t)n)
		abort();
	if (sat_sheet_open(&s, path, &o, &err) == SAT_OK)
		read_all(s, n + sizeof begin);
	else if (s != NULL || err.text[0] == '\0')
		abort();
	sat_sheet_close(s);
	return 0;
}
