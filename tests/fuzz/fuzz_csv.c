/*
 * The reader of CSV. The first byte chooses encoding, delimiter and header
 * line; the rest is the file, in memory. Every field is UTF-8, the lines of
 * the rows rise, and a file of n bytes has no more than n rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sheet/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
read_all(sat_csv *c, size_t n)
{
	const sat_csv_row *row;
	uint64_t line = 0, number = 0;

	for (;;) {
		if (sat_csv_next(&row, c, NULL) != SAT_OK)
			abort();
		if (row == NULL)
			break;
		if (row->line <= line || row->number != ++number ||
		    number > n || row->n > SAT_CSV_COLUMNS_MAX ||
		    (row->fault == NULL && row->n > sat_csv_columns(c)))
			abort();
		line = row->line;
		for (size_t i = 0; i < row->n; i++)
			if (row->fields[i].n > SAT_CSV_FIELD_MAX ||
			    !sat_utf8_ok(row->fields[i].p, row->fields[i].n))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const encodings[] = { NULL, "utf-8", "gb18030",
		"utf-16" };
	static int fd = -1;
	static char path[64];
	sat_csv_opts o = { 0 };
	sat_err err = { 0 };
	sat_csv *c;

	if (n == 0)
		return 0;
	o.encoding = encodings[p[0] & 3];
	o.delimiter = (p[0] & 4) != 0 ? ';' : 0;
	o.header_row = p[0] >> 6;
	p++;
	n--;
	if (fd < 0) {
		fd = memfd_create("csv", 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
	if (sat_csv_open(&c, path, &o, &err) == SAT_OK)
		read_all(c, n);
	else if (c != NULL || err.text[0] == '\0')
		abort();
	sat_csv_close(c);
	return 0;
}
