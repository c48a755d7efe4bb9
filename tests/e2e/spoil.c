/*
 * spoil.c - what no program of ours does: change rows of an encrypted database
 * behind its back, to see who notices.
 *
 * usage: spoil FOLDER NAME PASSPHRASE-FILE SQL   (NAME.keyring, NAME.db)
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/keyring.h"
#include "common/db/db.h"

int
main(int argc, char **argv)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE };
	sat_db_open_opts o = { 0 };
	char ring[4096], db[4096], phrase[256];
	sat_keyring *k = NULL;
	sat_db *d = NULL;
	sat_err e = { 0 };
	FILE *f;

	sat_crypto_init();
	if (argc != 5 || (f = fopen(argv[3], "r")) == NULL ||
	    fgets(phrase, sizeof phrase, f) == NULL)
		return 2;
	(void)fclose(f);
	phrase[strcspn(phrase, "\n")] = '\0';
	(void)snprintf(ring, sizeof ring, "%s/%s.keyring", argv[1], argv[2]);
	(void)snprintf(db, sizeof db, "%s/%s.db", argv[1], argv[2]);
	secret.bytes = sat_span_str(phrase);
	o.path = db;
	if (sat_keyring_open(&k, ring, &secret, &e) != SAT_OK)
		goto bad;
	o.keyring = k;
	if (sat_db_open(&d, &o, &e) != SAT_OK ||
	    sat_db_exec(d, argv[4], &e) != SAT_OK)
		goto bad;
	sat_db_close(d);
	sat_keyring_close(k);
	return 0;
bad:
	(void)fprintf(stderr, "spoil: %s\n", e.text);
	return 1;
}
