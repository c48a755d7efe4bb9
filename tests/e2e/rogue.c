/*
 * rogue.c - a device whose owner does as he likes: he reads whatever his own key
 * opens, and he writes without asking the gate.
 *
 *   rogue read FOLDER PASSPHRASE-FILE
 *       every cell of every table of the replica, decrypted, on stdout
 *   rogue write FOLDER PASSPHRASE-FILE KEY=VALUE...
 *       a customer of these fields, judged by nobody, into the outbox; its id
 *
 *   rogue state FOLDER PASSPHRASE-FILE
 *       ids and states of all records as the server has them, without what
 *       still waits: two devices that hold the same print the same
 *
 * `satchel sync` then sends what `write` left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/replica/replica.h"
#include "common/crypto/keyring.h"
#include "common/db/db.h"

#define OPS_MAX 16

static sat_keyring *ring;
static sat_replica *replica;

static sat_rc
open_replica(const char *folder, const char *phrase_file, sat_err *e)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE };
	sat_replica_env env = { .clock = sat_clock_os(), .rand = sat_rand_os() };
	char path[4096], db[4096], phrase[256] = "";
	FILE *f = fopen(phrase_file, "r");
	sat_rc rc;

	if (f == NULL || fgets(phrase, sizeof phrase, f) == NULL)
		return sat_fail(e, SAT_EIO, "cannot read the passphrase");
	(void)fclose(f);
	phrase[strcspn(phrase, "\n")] = '\0';
	secret.bytes = sat_span_str(phrase);
	(void)snprintf(path, sizeof path, "%s/replica.keyring", folder);
	(void)snprintf(db, sizeof db, "%s/replica.db", folder);
	env.path = db;
	if ((rc = sat_keyring_open(&ring, path, &secret, e)) != SAT_OK)
		return rc;
	env.keyring = ring;
	return sat_replica_open(&replica, &env, e);
}

/* ---- read --------------------------------------------------------------------- */

static void
print_cell(sat_stmt *s, int i)
{
	sat_span v = { NULL, 0 };

	switch (sat_col_type(s, i)) {
	case 't': v = sat_col_text(s, i); break;
	case 'b': v = sat_col_blob(s, i); break;
	case 'i': (void)printf("%lld", (long long)sat_col_int(s, i)); break;
	default: break;
	}
	(void)fwrite(v.p, 1, v.n, stdout);
	(void)putchar('\n');
}

static sat_rc
print_table(const char *name, sat_err *e)
{
	char sql[256];
	sat_stmt *s;
	bool row;
	sat_rc rc;

	(void)snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", name);
	if ((rc = sat_db_stmt_text(&s, sat_replica_db(replica), sql, e)) != SAT_OK)
		return rc;
	while ((rc = sat_step(&row, s, e)) == SAT_OK && row)
		for (int i = 0; i < sat_col_count(s); i++)
			print_cell(s, i);
	return rc;
}

static sat_rc
read_all(sat_err *e)
{
	char name[256][128];
	size_t n = 0;
	sat_stmt *s;
	bool row;
	sat_rc rc = sat_db_stmt_text(&s, sat_replica_db(replica),
	    "SELECT name FROM sqlite_schema WHERE type = 'table'", e);

	while (rc == SAT_OK && (rc = sat_step(&row, s, e)) == SAT_OK && row) {
		sat_span t = sat_col_text(s, 0);

		if (n == 256 || t.n >= sizeof name[0])
			return sat_fail(e, SAT_EINVALID, "too many tables");
		memcpy(name[n], t.p, t.n);
		name[n++][t.n] = '\0';
	}
	for (size_t i = 0; i < n && rc == SAT_OK; i++)
		rc = print_table(name[i], e);
	return rc;
}

static void
print_state(void *u, const sat_id *id, sat_span state)
{
	(void)u;
	(void)fwrite(id->b, 1, sizeof id->b, stdout);
	(void)fwrite(state.p, 1, state.n, stdout);
}

/* ---- write -------------------------------------------------------------------- */

/* The operation that carries a field of this policy. */
static sat_op_kind
op_of(const sat_field *f)
{
	switch (f->policy) {
	case SAT_P_REVIEW: return SAT_OP_MVSET;
	case SAT_P_STAGE: return SAT_OP_STAGE;
	case SAT_P_OWNER: return SAT_OP_REASSIGN;
	case SAT_P_SET: return SAT_OP_SADD;
	default: return SAT_OP_SET;
	}
}

static sat_rc
write_account(char **pairs, int n, sat_err *e)
{
	const sat_kind *k = sat_template_kind(sat_replica_template(replica),
	    "account");
	sat_id id = sat_replica_new_id(replica);
	sat_op ops[OPS_MAX] = { { .kind = SAT_OP_NEW, .rtype = k->id,
	    .rec = id } };
	sat_draft d = { .subject = id, .ops = ops, .nops = 1 };
	char text[SAT_ID_TEXT];
	uint64_t cseq;
	sat_rc rc;

	for (int i = 0; i < n && d.nops < OPS_MAX; i++) {
		char *value = strchr(pairs[i], '=');
		const sat_field *f;

		if (value == NULL)
			return sat_fail(e, SAT_EUSAGE, "KEY=VALUE");
		*value++ = '\0';
		if ((f = sat_kind_field(k, pairs[i])) == NULL)
			return sat_fail(e, SAT_EUSAGE, "no field %s", pairs[i]);
		ops[d.nops++] = (sat_op){ .kind = op_of(f), .rtype = k->id,
			.field = f->id, .rec = id,
			.value = f->type == SAT_F_INT ?
			    sat_v_int(strtoll(value, NULL, 10)) :
			    sat_v_text(sat_span_str(value)) };
	}
	if ((rc = sat_replica_write(replica, &d, &cseq, e)) != SAT_OK)
		return rc;
	sat_id_text(text, &id);
	(void)puts(text);
	return SAT_OK;
}

int
main(int argc, char **argv)
{
	sat_err e = { 0 };
	sat_rc rc;

	sat_crypto_init();
	if (argc < 4)
		return 2;
	rc = open_replica(argv[2], argv[3], &e);
	if (rc == SAT_OK && strcmp(argv[1], "read") == 0)
		rc = read_all(&e);
	else if (rc == SAT_OK && strcmp(argv[1], "state") == 0)
		rc = sat_replica_dump(replica, print_state, NULL, &e);
	else if (rc == SAT_OK)
		rc = write_account(argv + 4, argc - 4, &e);
	sat_replica_close(replica);
	sat_keyring_close(ring);
	if (rc != SAT_OK)
		(void)fprintf(stderr, "rogue: %s\n", e.text);
	return rc == SAT_OK ? 0 : 1;
}
