/*
 * xlsx_zip.c - the parts of a book. The zip is minizip's work; the limits are
 * ours: a part that inflates to more than it may is cut off with an error.
 */
#include "common/sheet/sheet_int.h"

#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <minizip/unzip.h>

struct xlsx_zip {
	unzFile z;
	bool open;
	uint64_t left;
};

sat_rc
sat_xlsx_zip_open(xlsx_zip **out, const char *path, sat_err *e)
{
	unzFile z = unzOpen64(path);

	*out = NULL;
	if (z == NULL)
		return sat_fail_code(e, SAT_EINVALID, "sheet.broken",
		    "open it in a spreadsheet program and save it again",
		    "xlsx: the file is not a whole book");
	*out = sat_xcalloc(1, sizeof **out);
	(*out)->z = z;
	return SAT_OK;
}

void
sat_xlsx_zip_close(xlsx_zip *z)
{
	if (z == NULL)
		return;
	sat_xlsx_part_close(z);
	(void)unzClose(z->z);
	free(z);
}

/* Names are compared without case, as spreadsheet programs do. */
sat_rc
sat_xlsx_part_open(xlsx_zip *z, const char *name, uint64_t *size, sat_err *e)
{
	unz_file_info64 info;

	sat_xlsx_part_close(z);
	if (*name == '/')
		name++;
	if (unzLocateFile(z->z, name, 2) != UNZ_OK)
		return sat_fail(e, SAT_ENOTFOUND, "xlsx: no part %.80s", name);
	if (unzGetCurrentFileInfo64(z->z, &info, NULL, 0, NULL, 0, NULL, 0) !=
	    UNZ_OK || (info.flag & 1) != 0 ||
	    info.uncompressed_size > SAT_XLSX_INFLATED_MAX)
		return sat_fail_code(e, SAT_EINVALID, "sheet.refused", NULL,
		    "xlsx: %.80s is encrypted or larger than %u MiB", name,
		    SAT_XLSX_INFLATED_MAX >> 20);
	if (unzOpenCurrentFile(z->z) != UNZ_OK)
		return sat_fail(e, SAT_EINVALID, "xlsx: cannot open %.80s",
		    name);
	z->open = true;
	z->left = SAT_XLSX_INFLATED_MAX;
	*size = info.uncompressed_size;
	return SAT_OK;
}

sat_rc
sat_xlsx_part_read(size_t *n, xlsx_zip *z, void *p, size_t max, sat_err *e)
{
	int got = unzReadCurrentFile(z->z, p, (unsigned)max);

	*n = 0;
	if (got < 0)
		return sat_fail_code(e, SAT_EINVALID, "sheet.broken", NULL,
		    "xlsx: the file is damaged");
	if ((uint64_t)got > z->left)
		return sat_fail_code(e, SAT_EINVALID, "sheet.refused", NULL,
		    "xlsx: a part inflates to more than %u MiB",
		    SAT_XLSX_INFLATED_MAX >> 20);
	z->left -= (uint64_t)got;
	*n = (size_t)got;
	return SAT_OK;
}

void
sat_xlsx_part_close(xlsx_zip *z)
{
	if (z->open)
		(void)unzCloseCurrentFile(z->z);
	z->open = false;
}
