/*
 * The reader of books: the bytes are the file, in memory. Cells are UTF-8 and
 * bounded, a row has no more cells than the header unless it is at fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
read_all(sat_sheet *s)
{
	const sat_sheet_row *row;

	for (;;) {
		if (sat_sheet_next(&row, s, NULL) != SAT_OK || row == NULL)
			return;
		if (row->n > SAT_CSV_COLUMNS_MAX ||
		    (row->fault == NULL && row->n > sat_sheet_columns(s)))
			abort();
		for (size_t i = 0; i < row->n; i++)
			if (row->fields[i].n > SAT_CSV_FIELD_MAX ||
			    !sat_utf8_ok(row->fields[i].p, row->fields[i].n))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int fd = -1;
	static char path[64];
	sat_sheet *s;

	if (n < 4 || memcmp(p, "PK\3\4", 4) != 0)
		return 0;
	if (fd < 0) {
		fd = memfd_create("xlsx", 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
	if (sat_sheet_open(&s, path, NULL, NULL) == SAT_OK) {
		read_all(s);
		sat_sheet_close(s);
	}
	return 0;
}
