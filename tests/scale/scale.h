/*
 * scale.h - thousands of light devices in one process against one real
 * satcheld: real keys, Noise links, signed commits and the real session
 * machine (protocol/client.h); the replica is a few arrays in memory.
 */
#ifndef SAT_TESTS_SCALE_H
#define SAT_TESTS_SCALE_H

#include "tests/lib/unit.h"

#include "common/net/net.h"
#include "protocol/client.h"

#define PER_USER 5  /* devices of one person: each pulls what the others wrote */
#define ACCOUNTS 4  /* customers a device makes */
#define COMMITS 20  /* and commits it writes: one new, four edits each */
#define TEAM_USERS 50

typedef struct scale_server {
	char *dir, *folder, *phrase_file, *port_file, *url;
	int pid;
	sat_id org;
	uint8_t pk[32];
	uint8_t tip[SAT_TEMPLATE_OID_BYTES];
	uint64_t registry_rev;
} scale_server;

typedef struct light {
	const scale_server *s;
	uint32_t index, ord, user;
	char user_key[16];
	uint8_t sign_sk[SAT_SIGN_SK_BYTES], sign_pk[SAT_SIGN_PK_BYTES];
	sat_noise_keys channel;
	sat_net_client *link;
	sat_hlc_state hlc;
	uint8_t head[SAT_HASH_BYTES], prev[SAT_HASH_BYTES];
	uint64_t cseq, cursor, epoch, ledger_rev, accepted_lsn;
	bool pending;          /* the commit `cseq` has no verdict */
	unsigned refused, unknown, misled; /* woken for nothing, or without a spread */
	sat_id id[ACCOUNTS];
	sat_op ops[8];
	char text[3][32];
	sat_commit c;
	/* a day without a network: all of it is sent in one push */
	sat_arena mem;
	sat_commit day[COMMITS];
	size_t nday;
	/* what it holds of its user's customers: last edit and eid */
	int8_t at[PER_USER * ACCOUNTS];
	uint32_t eid[PER_USER * ACCOUNTS];
} light;

typedef struct scale_fields { /* of the base template's account */
	uint16_t kind, name, industry, contact, phone, need, stage, owner, remark;
} scale_fields;
extern scale_fields scale_f;

/* light.c */
void light_init(light *d, const scale_server *s, uint32_t index);
/* The next of its COMMITS commits waits to be sent. */
void light_write(light *d);
/* All of its commits, written offline. */
void light_write_day(light *d);
sat_rc light_dial(light *d, const char *url, sat_err *e);
sat_rc light_session(light *d, unsigned flags, sat_err *e);
sat_rc light_wait_send(light *d, sat_err *e);
sat_rc light_wait_done(light *d, sat_waited *out, int timeout_ms, sat_err *e);
/* Does it know the last edit of every customer of its user? */
bool light_complete(const light *d);

/* server.c */
void scale_prepare(scale_server *s, light *d, uint32_t n);
void scale_serve(scale_server *s, const char *satcheld, uint32_t n);
/* Something everybody is told: a new user. */
void scale_add_user(const scale_server *s, const char *key);
int64_t scale_held(const scale_server *s); /* WAITs, -1: it does not say */
bool scale_stop(scale_server *s); /* did it end well? */
/* The store's records against what the devices wrote; @return faults. */
unsigned scale_check_store(const scale_server *s, uint32_t n);
void scale_remove(scale_server *s);
long scale_rss_kib(int pid);
int scale_descriptors(int pid);
void scale_must(sat_rc rc, const sat_err *e);
double scale_now(void);

/* storm.c: a process that opens links in every state and is killed. */
int storm_main(char **argv);

#endif
