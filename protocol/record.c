/*
 * Canonical bytes of a record's state (P-064..P-069).
 *
 * record: flags u8 | id 16 | kind uint | born | rlsn int (from born's lsn) |
 *         [del_at | del_seen uint] | ncells uint | cells
 * born, del_at: hlc be64 | dev uint | lsn uint
 * cell: head uint | [hlc int (from born's) | dev uint | lsn uint] | value |
 *       [ext span]
 * head: (field - field before - 1) << 2 | 2 when an ext follows | 1 when the
 * stamp is not the birth's. A record nobody changed costs no clock per cell.
 *
 * Clocks alone, which no wire carries: the same without id, kind and values. A
 * cell with the birth stamp, no ext and a value is not listed at all, and the
 * head is (field - field before - 1) << 5 with three flags more: 4 when the
 * cell is there but its value is null, 8 when a dev follows (else born's), 16
 * when a count does (else 0). Its stamp is: int ms less born's | [dev uint] |
 * [count uint] | int lsn less born's. Most edits are the first in their
 * millisecond and of the device that made the record: an hlc as one number
 * would be longer by two bytes that are 0.
 */
#include "protocol/record_int.h"

#include <assert.h>
#include <string.h>

#define FORMAT 0x10 /* high half of the flags */
#define FLAG_DELETED 1
#define FLAG_WITH_EDITS 2
#define FLAG_DEL_AT 4
#define FLAGS_ALL (FORMAT | 7)

#define CELL_CLOCK 1
#define CELL_EXT 2
#define CELL_NULL 4
#define CELL_DEV 8
#define CELL_COUNT 16
#define CELL_BYTES 64 /* more than a cell takes beside value.s and ext */
#define HEAD_BITS 2
#define CLOCK_BITS 5
#define COUNT_BITS 16 /* of an hlc, below the milliseconds (hlc.h) */
#define COUNT_MASK ((1u << COUNT_BITS) - 1)

void
sat_stamp_write(sat_buf *b, sat_stamp s)
{
	sat_write_be64(b, s.hlc);
	sat_write_uint(b, s.dev);
	sat_write_uint(b, s.lsn);
}

sat_stamp
sat_stamp_read(sat_reader *r)
{
	sat_stamp s;

	s.hlc = sat_read_be64(r);
	if (s.hlc > INT64_MAX)
		sat_read_bad(r, "stamp out of range");
	s.dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	s.lsn = sat_read_uint_max(r, INT64_MAX);
	return s;
}

static bool
stamp_eq(sat_stamp a, sat_stamp b)
{
	return a.hlc == b.hlc && a.dev == b.dev && a.lsn == b.lsn;
}

/* ---- candidates ---------------------------------------------------------- */

size_t
sat_cell_candidates(sat_candidate **out, uint64_t *opened_lsn, sat_arena *a,
    sat_policy policy, const sat_cell *c)
{
	sat_review v;
	size_t n = 0;

	*opened_lsn = 0;
	*out = NULL;
	if (c->ext.n == 0)
		return 0;
	if (policy == SAT_P_REVIEW) {
		sat_review_read(&v, a, c);
		*out = v.list;
		*opened_lsn = v.opened_lsn;
		n = v.n;
	} else if (policy == SAT_P_STAGE) {
		n = sat_stage_read(out, opened_lsn, a, c);
	}
	return n > 1 ? n : 0;
}

static sat_hlc
newest_of(sat_hlc h, const sat_candidate *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].at.hlc > h)
			h = c[i].at.hlc;
	return h;
}

sat_hlc
sat_cell_newest(sat_arena *a, sat_policy policy, const sat_record *r,
    const sat_cell *c)
{
	sat_candidate *heads;
	sat_later *kept;
	sat_review v;
	uint64_t opened;
	sat_hlc h = c->at.hlc;
	size_t n;

	if (c->field == SAT_SYS_LATER) {
		n = sat_record_later(&kept, a, r);
		for (size_t i = 0; i < n; i++)
			if (kept[i].at.hlc > h)
				h = kept[i].at.hlc;
	} else if (policy == SAT_P_REVIEW) {
		sat_review_read(&v, a, c);
		h = newest_of(newest_of(h, v.list, v.n), v.twins, v.ntwins);
	} else if (policy == SAT_P_STAGE) {
		n = sat_stage_read(&heads, &opened, a, c);
		h = newest_of(h, heads, n);
	}
	return h;
}

/* ---- writing ------------------------------------------------------------- */

static void
write_front(sat_buf *b, const sat_record *r)
{
	sat_stamp_write(b, r->born);
	sat_write_int(b, (int64_t)(r->rlsn - r->born.lsn));
	if (r->del_at.hlc != 0) {
		sat_stamp_write(b, r->del_at);
		sat_write_uint(b, r->del_seen);
	}
}

static uint8_t
flags_of(const sat_record *r)
{
	return (uint8_t)(FORMAT | (r->deleted ? FLAG_DELETED : 0) |
	    (r->with_edits ? FLAG_WITH_EDITS : 0) |
	    (r->del_at.hlc != 0 ? FLAG_DEL_AT : 0));
}

static unsigned
cell_flags(const sat_record *r, const sat_cell *c)
{
	return (stamp_eq(c->at, r->born) ? 0u : CELL_CLOCK) |
	    (c->ext.n > 0 ? CELL_EXT : 0u);
}

static uint8_t *
put_cell(uint8_t *p, const sat_record *r, const sat_cell *c, unsigned prev)
{
	unsigned flags = cell_flags(r, c);

	p = sat_put_uint(p, (c->field - prev - 1) << HEAD_BITS | flags);
	if ((flags & CELL_CLOCK) != 0) {
		p = sat_put_int(p, (int64_t)(c->at.hlc - r->born.hlc));
		p = sat_put_uint(p, c->at.dev);
		p = sat_put_uint(p, c->at.lsn);
	}
	p = sat_value_put(p, c->value);
	return (flags & CELL_EXT) != 0 ? sat_put_span(p, c->ext) : p;
}

void
sat_record_write(sat_buf *b, const sat_record *r)
{
	size_t room = 0, n;
	unsigned prev = 0;
	uint8_t *p, *from;

	sat_write_u8(b, flags_of(r));
	sat_buf_add(b, r->id.b, sizeof r->id.b);
	sat_write_uint(b, r->kind);
	write_front(b, r);
	sat_write_uint(b, r->ncells);
	for (size_t i = 0; i < r->ncells; i++)
		room += CELL_BYTES + r->cells[i].value.s.n + r->cells[i].ext.n;
	p = from = sat_buf_room(b, room);
	for (size_t i = 0; i < r->ncells; i++) {
		p = put_cell(p, r, &r->cells[i], prev);
		prev = r->cells[i].field;
	}
	n = (size_t)(p - from);
	assert(n <= room);
	b->n += n;
}

size_t
sat_record_bytes(const sat_record *r)
{
	size_t n = 96;

	for (size_t i = 0; i < r->ncells; i++)
		n += 40 + r->cells[i].ext.n +
		    (r->cells[i].value.type == SAT_V_TEXT ||
		    r->cells[i].value.type == SAT_V_BYTES ?
		    r->cells[i].value.s.n : 0);
	return n;
}

static unsigned
clock_flags(const sat_record *r, const sat_cell *c)
{
	unsigned flags = cell_flags(r, c) |
	    (c->value.type == SAT_V_NULL ? CELL_NULL : 0u);

	if ((flags & CELL_CLOCK) != 0)
		flags |= (c->at.dev != r->born.dev ? CELL_DEV : 0u) |
		    ((c->at.hlc & COUNT_MASK) != 0 ? CELL_COUNT : 0u);
	return flags;
}

static void
write_near(sat_buf *b, const sat_record *r, const sat_cell *c, unsigned flags)
{
	sat_write_int(b, sat_hlc_ms(c->at.hlc) - sat_hlc_ms(r->born.hlc));
	if ((flags & CELL_DEV) != 0)
		sat_write_uint(b, c->at.dev);
	if ((flags & CELL_COUNT) != 0)
		sat_write_uint(b, c->at.hlc & COUNT_MASK);
	sat_write_int(b, (int64_t)(c->at.lsn - r->born.lsn));
}

void
sat_record_write_clocks(sat_buf *b, const sat_record *r)
{
	unsigned prev = 0, flags;
	size_t listed = 0;

	sat_write_u8(b, flags_of(r));
	write_front(b, r);
	for (size_t i = 0; i < r->ncells; i++)
		listed += clock_flags(r, &r->cells[i]) != 0;
	sat_write_uint(b, listed);
	for (size_t i = 0; i < r->ncells; i++) {
		const sat_cell *c = &r->cells[i];

		flags = clock_flags(r, c);
		if (flags == 0)
			continue;
		sat_write_uint(b, (c->field - prev - 1) << CLOCK_BITS | flags);
		if ((flags & CELL_CLOCK) != 0)
			write_near(b, r, c, flags);
		if ((flags & CELL_EXT) != 0)
			sat_write_span(b, c->ext);
		prev = c->field;
	}
}

void
sat_cells_write(sat_buf *b, const sat_cell *cells, size_t n)
{
	unsigned prev = 0;

	sat_write_uint(b, n);
	for (size_t i = 0; i < n; i++) {
		const sat_cell *c = &cells[i];

		sat_write_uint(b, (c->field - prev - 1) << HEAD_BITS |
		    (c->ext.n > 0 ? CELL_EXT : 0u));
		sat_stamp_write(b, c->at);
		sat_value_write(b, c->value);
		if (c->ext.n > 0)
			sat_write_span(b, c->ext);
		prev = c->field;
	}
}

/* ---- reading ------------------------------------------------------------- */

static void
read_front(sat_record *rec, sat_reader *r, uint8_t flags)
{
	if ((flags & ~FLAGS_ALL) != 0 || (flags & FORMAT) == 0)
		sat_read_bad(r, "unknown format");
	rec->deleted = (flags & FLAG_DELETED) != 0;
	rec->with_edits = (flags & FLAG_WITH_EDITS) != 0;
	rec->born = sat_stamp_read(r);
	rec->rlsn = rec->born.lsn + (uint64_t)sat_read_int(r);
	if (rec->born.hlc == 0 || rec->rlsn > INT64_MAX)
		sat_read_bad(r, "birth out of range");
	if ((flags & FLAG_DEL_AT) == 0) {
		if (rec->deleted || rec->with_edits)
			sat_read_bad(r, "deleted without a stamp");
		return;
	}
	rec->del_at = sat_stamp_read(r);
	rec->del_seen = sat_read_uint_max(r, INT64_MAX);
	if (rec->del_at.hlc == 0 || (rec->with_edits && !rec->deleted))
		sat_read_bad(r, "bad deletion");
}

/* The next field id and the flags of its head. */
static inline uint16_t
read_head(sat_reader *r, uint16_t prev, unsigned bits, unsigned *flags)
{
	uint64_t head = sat_read_uint(r), field = (head >> bits) + prev + 1;

	*flags = (unsigned)(head & ((1u << bits) - 1));
	if (head >> bits >= SAT_FIELD_ID_MAX || field > SAT_FIELD_ID_MAX) {
		sat_read_bad(r, "field out of range");
		return SAT_FIELD_ID_MAX;
	}
	return (uint16_t)field;
}

static void
read_clock(sat_cell *c, const sat_record *rec, sat_reader *r)
{
	c->at.hlc = rec->born.hlc + (uint64_t)sat_read_int(r);
	c->at.dev = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	c->at.lsn = sat_read_uint_max(r, INT64_MAX);
	if (c->at.hlc > INT64_MAX || stamp_eq(c->at, rec->born))
		sat_read_bad(r, "bad clock of a field");
}

/* What write_near wrote; nothing else is taken. */
static void
read_near(sat_cell *c, const sat_record *rec, sat_reader *r, unsigned bits)
{
	uint64_t ms, count = 0;

	if ((bits & CELL_CLOCK) == 0) {
		if ((bits & (CELL_DEV | CELL_COUNT)) != 0)
			sat_read_bad(r, "bad head of a field");
		return;
	}
	ms = (uint64_t)sat_hlc_ms(rec->born.hlc) + (uint64_t)sat_read_int(r);
	c->at.dev = (bits & CELL_DEV) == 0 ? rec->born.dev :
	    (uint32_t)sat_read_uint_max(r, UINT32_MAX);
	if ((bits & CELL_COUNT) != 0)
		count = sat_read_uint_max(r, COUNT_MASK);
	c->at.lsn = rec->born.lsn + (uint64_t)sat_read_int(r);
	if (ms > INT64_MAX >> COUNT_BITS || c->at.lsn > INT64_MAX ||
	    ((bits & CELL_DEV) != 0 && c->at.dev == rec->born.dev) ||
	    ((bits & CELL_COUNT) != 0 && count == 0))
		sat_read_bad(r, "bad clock of a field");
	c->at.hlc = ms << COUNT_BITS | count;
	if (stamp_eq(c->at, rec->born))
		sat_read_bad(r, "bad clock of a field");
}

static sat_span
read_ext(sat_reader *r)
{
	sat_span s = sat_read_span(r, SAT_EXT_MAX);

	if (s.n == 0)
		sat_read_bad(r, "empty state of a field");
	return s;
}

/* A cell takes at least `bytes_min` bytes: no memory for more than there are. */
static sat_cell *
cells_alloc(size_t *n, sat_arena *a, sat_reader *r, size_t bytes_min)
{
	uint64_t want = sat_read_uint_max(r, SAT_FIELD_ID_MAX);
	sat_cell *c;

	if (want > r->left / bytes_min) {
		sat_read_bad(r, "more fields than bytes");
		want = 0;
	}
	*n = (size_t)want;
	c = sat_arena_alloc(a, *n * sizeof *c);
	memset(c, 0, *n * sizeof *c);
	return c;
}

/* Of a text only the length is looked at. */
static inline sat_value
read_kept(sat_reader *r)
{
	sat_value v = sat_v_null();

	if (r->left == 0 || *r->p != SAT_V_TEXT)
		return sat_value_read(r);
	(void)sat_read_u8(r);
	v.s = sat_read_span(r, SAT_VALUE_MAX);
	v.type = r->fault == NULL ? SAT_V_TEXT : SAT_V_NULL;
	return v;
}

static inline sat_rc
read_record(sat_record *rec, sat_arena *a, sat_span in, bool kept, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	uint8_t flags = sat_read_u8(&r);
	sat_span id = sat_read_raw(&r, sizeof rec->id.b);
	uint16_t prev = 0;
	unsigned bits;

	memset(rec, 0, sizeof *rec);
	if (id.n == sizeof rec->id.b)
		memcpy(rec->id.b, id.p, id.n);
	rec->kind = (uint16_t)sat_read_uint_max(&r, UINT16_MAX);
	if (rec->kind == 0)
		sat_read_bad(&r, "no kind");
	read_front(rec, &r, flags);
	rec->cells = cells_alloc(&rec->ncells, a, &r, 2);
	for (size_t i = 0; i < rec->ncells && r.fault == NULL; i++) {
		sat_cell *c = &rec->cells[i];

		c->field = prev = read_head(&r, prev, HEAD_BITS, &bits);
		c->at = rec->born;
		if ((bits & CELL_CLOCK) != 0)
			read_clock(c, rec, &r);
		c->value = kept ? read_kept(&r) : sat_value_read(&r);
		if ((bits & CELL_EXT) != 0)
			c->ext = read_ext(&r);
	}
	return sat_read_end(&r, "record", e);
}

sat_rc
sat_record_read(sat_record *rec, sat_arena *a, sat_span in, sat_err *e)
{
	return read_record(rec, a, in, false, e);
}

sat_rc
sat_record_read_kept(sat_record *rec, sat_arena *a, sat_span in, sat_err *e)
{
	return read_record(rec, a, in, true, e);
}

/* Add what the columns say up to (not with) `upto`: born cells with a value. */
static size_t
take_columns(sat_record *rec, const uint16_t *fields, const sat_value *values,
    size_t n, size_t next, unsigned upto)
{
	for (; next < n && fields[next] < upto; next++)
		if (values[next].type != SAT_V_NULL)
			rec->cells[rec->ncells++] = (sat_cell){ fields[next],
				values[next], rec->born, { NULL, 0 } };
	return next;
}

sat_rc
sat_record_read_clocks(sat_record *rec, sat_arena *a, sat_span in,
    const uint16_t *fields, const sat_value *values, size_t n, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	size_t listed, next = 0;
	uint16_t prev = 0;
	unsigned bits;

	memset(rec, 0, sizeof *rec);
	read_front(rec, &r, sat_read_u8(&r));
	listed = (size_t)sat_read_uint_max(&r, SAT_FIELD_ID_MAX);
	rec->cells = sat_arena_alloc(a, n * sizeof *rec->cells);
	for (size_t i = 0; i < listed && r.fault == NULL; i++) {
		sat_cell c = { .at = rec->born };

		c.field = prev = read_head(&r, prev, CLOCK_BITS, &bits);
		read_near(&c, rec, &r, bits);
		if ((bits & CELL_EXT) != 0)
			c.ext = read_ext(&r);
		next = take_columns(rec, fields, values, n, next, c.field);
		if (next == n || fields[next] != c.field ||
		    (values[next].type == SAT_V_NULL) !=
		    ((bits & CELL_NULL) != 0)) {
			sat_read_bad(&r, "clocks and values do not fit");
			break;
		}
		c.value = values[next++];
		rec->cells[rec->ncells++] = c;
	}
	(void)take_columns(rec, fields, values, n, next, UINT16_MAX + 1u);
	return sat_read_end(&r, "clocks", e);
}

sat_rc
sat_record_read_clocks_one(sat_record *rec, sat_arena *a, sat_span in,
    uint16_t field, sat_value value, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	size_t listed, next = 0;
	uint16_t prev = 0;
	unsigned bits;

	memset(rec, 0, sizeof *rec);
	read_front(rec, &r, sat_read_u8(&r));
	listed = (size_t)sat_read_uint_max(&r, SAT_FIELD_ID_MAX);
	if (listed > r.left)
		sat_read_bad(&r, "more fields than bytes");
	else
		rec->cells = sat_arena_alloc(a,
		    (listed + 1) * sizeof *rec->cells);
	for (size_t i = 0; i < listed && r.fault == NULL; i++) {
		sat_cell c = { .at = rec->born };

		c.field = prev = read_head(&r, prev, CLOCK_BITS, &bits);
		read_near(&c, rec, &r, bits);
		if ((bits & CELL_EXT) != 0)
			c.ext = read_ext(&r);
		/* what stands for a value nobody looks at */
		c.value = (bits & CELL_NULL) != 0 ? sat_v_null() : sat_v_int(0);
		if (c.field >= field)
			next = take_columns(rec, &field, &value, 1, next,
			    c.field);
		if (c.field == field) {
			if ((value.type == SAT_V_NULL) !=
			    ((bits & CELL_NULL) != 0))
				sat_read_bad(&r, "clocks and values do not fit");
			c.value = value;
			next = 1;
		}
		rec->cells[rec->ncells++] = c;
	}
	(void)take_columns(rec, &field, &value, 1, next, UINT16_MAX + 1u);
	return sat_read_end(&r, "clocks", e);
}

sat_rc
sat_record_read_stamps(sat_stamp **out, size_t *n, sat_arena *a,
    sat_span clocks, sat_err *e)
{
	sat_reader r = sat_reader_of(clocks);
	sat_record front = { .kind = 0 };
	sat_cell c = { .field = 0 };
	size_t listed;
	unsigned bits;

	read_front(&front, &r, sat_read_u8(&r));
	listed = (size_t)sat_read_uint_max(&r, SAT_FIELD_ID_MAX);
	if (listed > r.left) {
		sat_read_bad(&r, "more fields than bytes");
		listed = 0;
	}
	*out = sat_arena_alloc(a, (listed + 1) * sizeof **out);
	*n = 0;
	(*out)[(*n)++] = front.born;
	for (size_t i = 0; i < listed && r.fault == NULL; i++) {
		c.field = read_head(&r, c.field, CLOCK_BITS,
		    &bits);
		read_near(&c, &front, &r, bits);
		if ((bits & CELL_CLOCK) != 0)
			(*out)[(*n)++] = c.at;
		if ((bits & CELL_EXT) != 0)
			(void)read_ext(&r);
	}
	return sat_read_end(&r, "clocks", e);
}

sat_cell *
sat_cells_read(size_t *n, sat_arena *a, sat_reader *r)
{
	sat_cell *cells = cells_alloc(n, a, r, 12);
	uint16_t prev = 0;
	unsigned bits;

	for (size_t i = 0; i < *n && r->fault == NULL; i++) {
		cells[i].field = prev = read_head(r, prev, HEAD_BITS, &bits);
		if ((bits & CELL_CLOCK) != 0)
			sat_read_bad(r, "bad head of a field");
		cells[i].at = sat_stamp_read(r);
		cells[i].value = sat_value_read(r);
		if ((bits & CELL_EXT) != 0)
			cells[i].ext = read_ext(r);
	}
	if (r->fault != NULL)
		*n = 0;
	return cells;
}
