/*
 * vfs_gap.c - what a page keeps between its cell pointers and its cells.
 *
 * SQLite zeroes a cell it deletes (secure_delete), but when it shares out the
 * cells of neighbouring pages anew, the bytes of those that moved away stay in
 * the unused middle of the page they were on. Nobody reads them again, and
 * nobody deletes them: what is deleted later is the cell where it is then. In
 * 4 of 10 small tables with rows of some hundred bytes a deleted row was still
 * to be read that way. So no such bytes enter the main file (V7).
 *
 * A page does not say that it is one of a b-tree: the first byte of any other
 * is that of a page number, which is below 2 in files under 128 GiB, or, in a
 * page of the map that files have which shrink, a number too; those lie at
 * known places.
 */
#include "common/db/vfs_int.h"

#include <string.h>

#define HUGE_PAGES 0x02000000u

static size_t
be16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

void
vfs_gap_learn(vfs_main *db, const uint8_t *page1)
{
	vfs_layout *l = &db->layout;

	l->known = be16(page1 + 16) == VFS_PAGE &&
	    vfs_be32(page1 + 28) < HUGE_PAGES;
	l->maps = vfs_be32(page1 + 52) != 0;
	l->body = VFS_PAGE - (size_t)page1[20];
}

/* SQLite moves a page of the map aside at 1 GiB, where none is with 4 KiB. */
static bool
is_map(const vfs_layout *l, uint32_t pgno)
{
	return l->maps && pgno >= 2 && (pgno - 2) % (l->body / 5 + 1) == 0;
}

static bool
cells_fit(const uint8_t *pointers, size_t n, size_t from, size_t to)
{
	for (size_t i = 0; i < n; i++)
		if (be16(pointers + 2 * i) < from ||
		    be16(pointers + 2 * i) >= to)
			return false;
	return n > 0 || from == to;
}

/* The unused middle, [from, to), of what is a page of a b-tree. */
static bool
middle(size_t *from, size_t *to, const vfs_main *db, uint32_t pgno,
    const uint8_t *page)
{
	const vfs_layout *l = &db->layout;
	size_t head = pgno == 1 ? 100 : 0, n = be16(page + head + 3);
	bool leaf = page[head] == 10 || page[head] == 13;

	if (!l->known || is_map(l, pgno) ||
	    (!leaf && page[head] != 2 && page[head] != 5))
		return false;
	head += leaf ? 8 : 12;
	*from = head + 2 * n;
	*to = be16(page + (pgno == 1 ? 100 : 0) + 5);
	return *from <= *to && *to <= l->body &&
	    cells_fit(page + head, n, *to, l->body);
}

bool
vfs_gap_used(const vfs_main *db, uint32_t pgno, const uint8_t *page)
{
	size_t from, to;

	/* all zeros: the first byte is, and each is the one before it */
	return middle(&from, &to, db, pgno, page) && from < to &&
	    (page[from] != 0 ||
	    memcmp(page + from, page + from + 1, to - from - 1) != 0);
}

const uint8_t *
vfs_gap_close(uint8_t *scratch, const uint8_t *page, const vfs_main *db,
    uint32_t pgno)
{
	size_t from, to;

	if (!vfs_gap_used(db, pgno, page) ||
	    !middle(&from, &to, db, pgno, page))
		return page;
	memcpy(scratch, page, VFS_PAGE);
	memset(scratch + from, 0, to - from);
	return scratch;
}
