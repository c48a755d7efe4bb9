/*
 * registry.h - who is who: users, teams, devices. Small, whole, versioned.
 *
 * The server owns it; a device gets the whole registry when its revision is
 * older (devices get only the device ordinals' owners and names, no keys).
 */
#ifndef SAT_PROTOCOL_REGISTRY_H
#define SAT_PROTOCOL_REGISTRY_H

#include "common/model/value.h"
#include "protocol/limits.h"

typedef struct sat_user {
	uint32_t ord;      /* from 1 */
	const char *key;   /* "darcel.schlecht"; [a-z0-9._-]{1,64} */
	const char *name, *role;
	uint32_t team;     /* ordinal, 0 = none */
	bool disabled;
} sat_user;
typedef struct sat_team {
	uint32_t ord;
	const char *key, *name, *parent; /* parent: region/office text or "" */
	bool disabled; /* the server's own: not on the wire */
} sat_team;
typedef struct sat_device {
	uint32_t ord, user;
	const char *name;
	bool revoked;
	bool waiting; /* not let in yet (P-390); the server's own as well */
} sat_device;

typedef struct sat_registry {
	uint64_t rev;
	sat_user *users;
	sat_team *teams;
	sat_device *devices;
	size_t nusers, nteams, ndevices;
	sat_arena mem;
} sat_registry;

void sat_registry_fini(sat_registry *r);
void sat_registry_write(sat_buf *b, const sat_registry *r);
/* Copies everything into r->mem. r must be zero or fini'd. SAT_EPROTO. */
SAT_CHECK sat_rc sat_registry_read(sat_registry *r, sat_span in, sat_err *e);
const sat_user *sat_registry_user(const sat_registry *r, sat_span key);
const sat_user *sat_registry_user_ord(const sat_registry *r, uint32_t ord);
const sat_team *sat_registry_team(const sat_registry *r, const char *key);
const sat_team *sat_registry_team_ord(const sat_registry *r, uint32_t ord);
const sat_device *sat_registry_device(const sat_registry *r, uint32_t ord);

#endif
