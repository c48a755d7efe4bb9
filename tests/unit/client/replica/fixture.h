/*
 * fixture.h - a replica on a disk of its own, and a server small enough to
 * read: a log, a fold, numbers. It sees everything and refuses what it is told
 * to refuse.
 */
#ifndef SAT_TESTS_CLIENT_REPLICA_FIXTURE_H
#define SAT_TESTS_CLIENT_REPLICA_FIXTURE_H

#include "tests/lib/unit.h"

#include "client/replica/replica.h"
#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"
#include "common/git/git.h"

#define DEV 7
#define OTHER 9
#define F_NUMBER 1
#define F_NAME 2
#define F_INDUSTRY 5
#define F_PHONE 9
#define F_CITY 11
#define F_STAGE 17
#define F_TAGS 21
#define F_REMARK 22
#define F_VISITS 25
#define F_AMOUNT 26
#define F_OWNER 28
#define SERVER_RECORDS 4096

typedef struct server {
	sat_arena mem;
	sat_commit *log;
	size_t n, cap;
	sat_record recs[SERVER_RECORDS];
	size_t nrecs;
	sat_hlc eff;      /* largest given */
	sat_hlc prev[16]; /* per device */
	bool (*refuse)(const sat_commit *c);
	const char *slug; /* parked for this; NULL: refused, denied */
	sat_id away;      /* pages say nothing of this customer */
} server;

typedef struct fixture {
	char *dir, *path;
	sat_keyring *keyring;
	int64_t now_ms, boot_ms;
	uint64_t seed;
	sat_replica *r;
	sat_client_ops ops;
	sat_arena a;
	server srv;
	uint8_t tmpl_pk[SAT_SIGN_PK_BYTES], tmpl_sk[SAT_SIGN_SK_BYTES];
	uint8_t box_sk[SAT_BOX_SK_BYTES]; /* opens what a kiosk sends */
	size_t boxes;                     /* so many were opened */
	sat_git *git;
	const sat_kind *account, *contact, *activity, *opportunity;
} fixture;

int64_t fake_wall(void *u);
int64_t fake_boot(void *u);
sat_replica_env env_of(fixture *f, const char *path);
void find_kinds(fixture *f);
void reopen(fixture *f);

/* A signed template of these files reaches the device. */
sat_rc give_template(fixture *f, const sat_template_file *files, size_t n,
    const uint8_t *sk, const uint8_t *pk, sat_err *e);

/* The people and devices of a registry reach the device. */
void give_staff(fixture *f, const sat_registry *reg);
void give_registry(fixture *f, uint64_t rev);

/* The base template, with one document changed, without it (`doc` is NULL), or
 * (both are) as it is. */
void give_base(fixture *f, const char *path, const char *doc);
/* The same with the first `was` of a document replaced; it must be there. */
void give_edited(fixture *f, const char *path, const char *was,
    const char *is);

/*
 * A replica in this file: enrolled, with a registry and the base template.
 * The keys of server and organisation may be NULL.
 */
void found_replica(fixture *f, const char *name, const uint8_t *server_pk,
    const uint8_t *root_pk);

int setup(void **state);

/* It starts empty and complete, as after the first session. */
int setup_complete(void **state);

/* The same in a file that is not encrypted, so that it can be looked into. */
void setup_in_plain(void **state, const uint8_t *server_pk,
    const uint8_t *root_pk);

int teardown(void **state);

/* ---- writing ------------------------------------------------------------- */

sat_value text(const char *s);
sat_op op(const sat_kind *k, sat_op_kind kind, sat_id rec, uint16_t field,
    sat_value v);
sat_rc try_write(fixture *f, sat_id subject, sat_op *ops, size_t n,
    uint64_t *cseq, sat_err *e);
uint64_t write_ops(fixture *f, sat_id subject, sat_op *ops, size_t n);
sat_id new_account(fixture *f, const char *name, const char *phone);
uint64_t set_text(fixture *f, sat_id id, uint16_t field, const char *v);

/* ---- reading ------------------------------------------------------------- */

int64_t visits_of(fixture *f, sat_id id);
sat_replica_status status_of(fixture *f);
sat_view view_of(fixture *f, sat_id id);
void assert_text(fixture *f, sat_id id, uint16_t field, const char *want);
void assert_gone(fixture *f, sat_id id);
/* Customers that match. */
int64_t count_where(fixture *f, sat_filter filter);
void assert_sound(fixture *f);

/* ---- the server ---------------------------------------------------------- */

/* And as the check wants it. */
void assert_settled(fixture *f);

/* For srv.refuse: everything, or what sets a field to "bad". */
bool refuse_all(const sat_commit *c);
bool refuse_bad(const sat_commit *c);

sat_record *srv_find(server *s, const sat_id *id);

/* Does a record lead to another one, as the server has it? */
bool srv_leads(server *s, sat_id from, sat_id to);

/* Accept: place in the log, stamp, fold. Returns the LSN. */
uint64_t srv_accept(fixture *f, const sat_commit *in);

/* What another device did, having seen the log up to `seen`. */
uint64_t srv_foreign(fixture *f, sat_id subject, sat_op *ops, size_t n,
    uint64_t seen);

uint64_t srv_foreign_text(fixture *f, sat_id id, uint16_t field, const char *v,
    uint64_t seen);

/* One push; returns how many commits were taken. lose: no answer arrives. */
size_t srv_push(fixture *f, bool lose);

/* A page from the cursor up to `upto`. */
sat_rc srv_page(fixture *f, uint64_t upto, bool full_own, sat_rescope *rs,
    size_t nrs, const sat_record *recs, size_t nrecs, sat_err *e);

void srv_pull(fixture *f);
void srv_sync(fixture *f);

/* An empty replica becomes complete. */
void srv_snapshot(fixture *f, size_t per_chunk);

/* The device's server states are the server's, byte for byte. */
void assert_same_as_server(fixture *f);

/* A test that begins with a replica complete, or empty. */
#define COMPLETE(t) cmocka_unit_test_setup_teardown(t, setup_complete, teardown)
#define EMPTY(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
