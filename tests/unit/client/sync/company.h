/*
 * company.h - a real server core and real replicas in one process, for what
 * only both together can show: sums, repair, truncation, leases. A session is
 * pumped frame by frame; a test may look at each.
 */
#ifndef SAT_TESTS_CLIENT_SYNC_COMPANY_H
#define SAT_TESTS_CLIENT_SYNC_COMPANY_H

#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"
#include "common/git/git.h"
#include "protocol/server.h"
#include "server/store/sqlite/store.h"

enum { A_NAME = 2, A_PHONE = 9, A_CITY = 11, A_STAGE = 17, A_TAGS = 21,
	A_REMARK = 22, A_OWNER = 28 };

#define DEVICES 4

typedef struct company {
	char *dir;
	int64_t now_ms, boot_ms;
	uint64_t seed;
	sat_id org;
	sat_git *git;
	sat_oid tip;
	sat_template *t;
	uint8_t tmpl_pk[SAT_SIGN_PK_BYTES], tmpl_sk[SAT_SIGN_SK_BYTES];
	uint8_t server_pk[SAT_SIGN_PK_BYTES], server_sk[SAT_SIGN_SK_BYTES];
	uint8_t root_pk[SAT_SIGN_PK_BYTES], root_sk[SAT_SIGN_SK_BYTES];
	bool permits;
	sat_sqlite_store *store;
	sat_server *server;
	sat_replica *r[DEVICES];
	sat_keyring *ring[DEVICES];
	size_t n, chunk_bytes;
	sat_arena a;
	/* the last session */
	sat_cs_stats stats;
	size_t types[64];      /* requests by type */
	size_t bytes;          /* of all frames */
	size_t stop_after;     /* requests; 0 = to the end */
} company;

sat_clock c_clock(company *c);
sat_rand c_rand(company *c);
sat_rc c_sign(void *u, uint8_t sig[SAT_SIG_BYTES], sat_span bytes, sat_err *e);
void company_server(company *c);

/* Instead of the base's policy/limits.json, in the next company; NULL: the base's. */
extern const char *company_limits;
/* The same of acl/matrix.json, of fields/account.json, of policy/privacy.json. */
extern const char *company_matrix, *company_fields,
    *company_privacy;

company *company_new(uint64_t seed);
void company_free(company *c);
/* The teardown of a test whose *state it is. */
int company_end(void **state);
void company_user(company *c, const char *key, const char *role,
    const char *team);
void company_team(company *c, const char *key);
/* People as "key role" or "key role team", separated by commas. */
void company_staff(company *c, const char *people);
void company_pass(company *c, int64_t ms);

/* ---- devices ------------------------------------------------------------- */

/* One request, one reply; false at the end. */
bool company_exchange(company *c, sat_cs *cs, sat_server_session *x,
    sat_rc *rc, sat_err *e);

sat_rc company_try_sync(company *c, size_t i, sat_err *e);
void company_sync(company *c, size_t i);
void company_sync_all(company *c);

/* A device of li, with a customer of his that is synced, "Firm". */
size_t company_li(sat_id *firm, company *c, const char *staff);
/* A new device of a user, enrolled, not synced; its index. */
size_t company_device(company *c, const char *user);
/* One of each of these users, separated by spaces; then all have synced. */
void company_devices(company *c, const char *users);

void company_reopen(company *c, size_t i);

/* ---- writing and reading ------------------------------------------------- */

sat_value c_text(const char *s);
const sat_kind *kind_of(company *c, size_t i, const char *key);
void company_write(company *c, size_t i, sat_id subject, sat_op *ops,
    size_t n);
sat_op c_op(const sat_kind *k, sat_op_kind kind, sat_id rec, uint16_t field,
    sat_value v);
sat_id company_account(company *c, size_t i, const char *name,
    const char *owner);
/* n of li's, on the first device; it and the next two have synced then. */
void company_firms(company *c, sat_id *ids, size_t n);
void company_set(company *c, size_t i, sat_id id, uint16_t field,
    const char *v);
void company_merge(company *c, size_t i, sat_id loser, sat_id winner);
uint32_t company_ord_of(company *c, const char *user);
/* Asked by "hq", released by "hq2". */
void company_erase(company *c, sat_id id);
void company_shows(company *c, size_t i, sat_id id, uint16_t field,
    const char *want);
void c_dump(void *u, const sat_id *id, sat_span state);

/* What the device holds is byte for byte what its user may see. */
void assert_same(company *c, size_t i);

sat_replica_status company_status(company *c, size_t i);
void company_sound(company *c, size_t i);
/* It is sound, holds what its user may see, and no sum says otherwise. */
void company_right(company *c, size_t i);
void sql(company *c, size_t i, const char *text);

/* Devices of `ann` (rep of team a), `bo` (rep of bo_team), `max` (manager of
 * team a) and `hq`, in that order, all of them synchronised. */
company *company_people(uint64_t seed, const char *bo_team);

#endif
