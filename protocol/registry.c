#include "protocol/registry.h"

#include <string.h>

#define TEXT_MAX 256
/* Shortest possible entry of each table: a count above what the bytes can
 * hold is refused before memory is taken (P-001). */
#define USER_BYTES_MIN 6
#define TEAM_BYTES_MIN 4
#define DEVICE_BYTES_MIN 4

void
sat_registry_fini(sat_registry *r)
{
	sat_arena_fini(&r->mem);
	*r = (sat_registry){ 0 };
}

static void
write_text(sat_buf *b, const char *s)
{
	sat_write_span(b, sat_span_str(s != NULL ? s : ""));
}

void
sat_registry_write(sat_buf *b, const sat_registry *r)
{
	sat_write_uint(b, r->rev);
	sat_write_uint(b, r->nteams);
	for (size_t i = 0; i < r->nteams; i++) {
		const sat_team *t = &r->teams[i];

		sat_write_uint(b, t->ord);
		write_text(b, t->key);
		write_text(b, t->name);
		write_text(b, t->parent);
	}
	sat_write_uint(b, r->nusers);
	for (size_t i = 0; i < r->nusers; i++) {
		const sat_user *u = &r->users[i];

		sat_write_uint(b, u->ord);
		write_text(b, u->key);
		write_text(b, u->name);
		write_text(b, u->role);
		sat_write_uint(b, u->team);
		sat_write_u8(b, u->disabled);
	}
	sat_write_uint(b, r->ndevices);
	for (size_t i = 0; i < r->ndevices; i++) {
		const sat_device *d = &r->devices[i];

		sat_write_uint(b, d->ord);
		sat_write_uint(b, d->user);
		write_text(b, d->name);
		sat_write_u8(b, d->revoked);
	}
}

static const char *
read_text(sat_reader *r, sat_arena *a)
{
	sat_span s = sat_read_span(r, TEXT_MAX);

	if (s.n > 0 && !sat_utf8_ok(s.p, s.n)) {
		sat_read_bad(r, "text is not UTF-8");
		s.n = 0;
	}
	return sat_arena_str(a, s.p, s.n);
}

static const char *
read_key(sat_reader *r, sat_arena *a)
{
	sat_span s = sat_read_span(r, 64);

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' &&
		    c != '_' && c != '-')
			sat_read_bad(r, "bad character in a key");
	}
	if (s.n == 0)
		sat_read_bad(r, "empty key");
	return sat_arena_str(a, s.p, s.n);
}

static bool
read_flag(sat_reader *r)
{
	uint8_t v = sat_read_u8(r);

	if (v > 1)
		sat_read_bad(r, "bad flag");
	return v == 1;
}

/* Ordinals start at 1. */
static uint32_t
read_ord(sat_reader *r)
{
	uint32_t v = (uint32_t)sat_read_uint_max(r, UINT32_MAX);

	if (v == 0)
		sat_read_bad(r, "ordinal 0");
	return v;
}

static size_t
read_count(sat_reader *r, size_t bytes_min)
{
	uint64_t n = sat_read_uint_max(r, SAT_USERS_MAX);

	if (n > r->left / bytes_min) {
		sat_read_bad(r, "count above the message");
		return 0;
	}
	return (size_t)n;
}

static void
read_teams(sat_registry *reg, sat_reader *r)
{
	reg->nteams = read_count(r, TEAM_BYTES_MIN);
	reg->teams = sat_arena_alloc(&reg->mem,
	    reg->nteams * sizeof *reg->teams);
	for (sat_team *t = reg->teams; t < reg->teams + reg->nteams; t++) {
		t->ord = read_ord(r);
		t->key = read_text(r, &reg->mem);
		t->name = read_text(r, &reg->mem);
		t->parent = read_text(r, &reg->mem);
		t->disabled = false;
	}
}

static void
read_users(sat_registry *reg, sat_reader *r)
{
	reg->nusers = read_count(r, USER_BYTES_MIN);
	reg->users = sat_arena_alloc(&reg->mem,
	    reg->nusers * sizeof *reg->users);
	for (sat_user *u = reg->users; u < reg->users + reg->nusers; u++) {
		u->ord = read_ord(r);
		u->key = read_key(r, &reg->mem);
		u->name = read_text(r, &reg->mem);
		u->role = read_text(r, &reg->mem);
		u->team = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		u->disabled = read_flag(r);
	}
}

static void
read_devices(sat_registry *reg, sat_reader *r)
{
	reg->ndevices = read_count(r, DEVICE_BYTES_MIN);
	reg->devices = sat_arena_alloc(&reg->mem,
	    reg->ndevices * sizeof *reg->devices);
	for (sat_device *d = reg->devices; d < reg->devices + reg->ndevices;
	    d++) {
		d->ord = read_ord(r);
		d->user = (uint32_t)sat_read_uint_max(r, UINT32_MAX);
		d->name = read_text(r, &reg->mem);
		d->revoked = read_flag(r);
		d->waiting = false;
	}
}

sat_rc
sat_registry_read(sat_registry *reg, sat_span in, sat_err *e)
{
	sat_reader r = sat_reader_of(in);
	sat_rc rc;

	*reg = (sat_registry){ 0 };
	reg->rev = sat_read_uint(&r);
	read_teams(reg, &r);
	read_users(reg, &r);
	read_devices(reg, &r);
	rc = sat_read_end(&r, "registry", e);
	if (rc != SAT_OK)
		sat_registry_fini(reg);
	return rc;
}

const sat_user *
sat_registry_user(const sat_registry *r, sat_span key)
{
	for (size_t i = 0; i < r->nusers; i++)
		if (strlen(r->users[i].key) == key.n &&
		    sat_span_eq(sat_span_str(r->users[i].key), key))
			return &r->users[i];
	return NULL;
}

/*
 * Ordinals are given from 1 without gaps and tables are usually sorted, so the
 * first look is nearly always right; the scan is for tables that are not.
 */
#define FIND_ORD(table, n, want)                                              \
	do {                                                                  \
		if ((want) == 0)                                              \
			return NULL;                                          \
		if ((want) <= (n) && (table)[(want) - 1].ord == (want))       \
			return &(table)[(want) - 1];                          \
		for (size_t i_ = 0; i_ < (n); i_++)                           \
			if ((table)[i_].ord == (want))                        \
				return &(table)[i_];                          \
		return NULL;                                                  \
	} while (0)

const sat_user *
sat_registry_user_ord(const sat_registry *r, uint32_t ord)
{
	FIND_ORD(r->users, r->nusers, ord);
}

const sat_team *
sat_registry_team(const sat_registry *r, const char *key)
{
	for (size_t i = 0; i < r->nteams; i++)
		if (strcmp(r->teams[i].key, key) == 0)
			return &r->teams[i];
	return NULL;
}

const sat_team *
sat_registry_team_ord(const sat_registry *r, uint32_t ord)
{
	FIND_ORD(r->teams, r->nteams, ord);
}

const sat_device *
sat_registry_device(const sat_registry *r, uint32_t ord)
{
	FIND_ORD(r->devices, r->ndevices, ord);
}
