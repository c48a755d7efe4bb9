/*
 * cheap.c - writes a keyring's passphrase slot anew at the least price there is,
 * so that a script of five hundred commands does not spend most of its time on
 * being slow to guess. The programs know no such setting; what is opened, and by
 * what, stays the same.
 *
 * usage: cheap KEYRING PASSPHRASE-FILE
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/crypto.h"
#include "common/crypto/keyring.h"

int
main(int argc, char **argv)
{
	sat_secret_in secret = { .type = SAT_SLOT_PASSPHRASE,
		.cost = { .ops = 1, .mem_bytes = (uint64_t)8 << 20 } };
	sat_keyring *k = NULL;
	char phrase[256], before[4096];
	sat_err e = { 0 };
	sat_rc rc;
	FILE *f;

	sat_crypto_init();
	if (argc != 3 || (f = fopen(argv[2], "r")) == NULL ||
	    fgets(phrase, sizeof phrase, f) == NULL)
		return 2;
	(void)fclose(f);
	phrase[strcspn(phrase, "\n")] = '\0';
	secret.bytes = sat_span_str(phrase);
	if ((rc = sat_keyring_open(&k, argv[1], &secret, &e)) == SAT_OK)
		rc = sat_keyring_set_slot(k, &secret, &e);
	sat_keyring_close(k);
	if (rc == SAT_ELOCKED)
		return 0; /* another passphrase's: it stays as it is */
	if (rc != SAT_OK) {
		fprintf(stderr, "cheap: %s\n", e.text);
		return 1;
	}
	/* the folder holds what it held */
	(void)snprintf(before, sizeof before, "%s.1", argv[1]);
	(void)unlink(before);
	return 0;
}
