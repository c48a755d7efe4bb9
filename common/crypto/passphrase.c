#include "common/crypto/passphrase.h"

#include "common/crypto/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024

/* Half of a passphrase would open what the whole one was meant to close, until
 * somebody takes the whole one for it. So what is no line of text is refused. */
static sat_rc
first_line(sat_buf *out, FILE *f, sat_err *e)
{
	char line[LINE_BYTES_MAX];
	size_t n = 0;
	int c;
	sat_rc rc = SAT_OK;

	while ((c = getc(f)) != EOF && c != '\n' && c != '\r' && c != '\0' &&
	    n < sizeof line)
		line[n++] = (char)c;
	if (c == '\0')
		rc = sat_fail_code(e, SAT_ELOCKED, "passphrase.bytes", NULL,
		    "the passphrase is not text");
	else if (c != EOF && c != '\n' && c != '\r')
		rc = sat_fail_code(e, SAT_ELOCKED, "passphrase.long", NULL,
		    "the passphrase has more than %d bytes", LINE_BYTES_MAX);
	else if (n == 0)
		rc = sat_fail_code(e, SAT_ELOCKED, "passphrase.empty", NULL,
		    "the passphrase is empty");
	else
		sat_buf_add(out, line, n);
	sat_wipe(line, sizeof line);
	return rc;
}

sat_rc
sat_passphrase_file(sat_buf *out, const char *path, sat_err *e)
{
	FILE *f;
	sat_rc rc;

	if (strcmp(path, "-") == 0)
		return first_line(out, stdin, e);
	if ((f = fopen(path, "re")) == NULL)
		return sat_fail_code(e, SAT_ELOCKED, "passphrase.file", NULL,
		    "cannot read the passphrase file %s: %s", path,
		    strerror(errno));
	rc = first_line(out, f, e);
	(void)fclose(f);
	return rc;
}

sat_rc
sat_passphrase_fd(sat_buf *out, const char *number, sat_err *e)
{
	char *end;
	long n = strtol(number, &end, 10);
	FILE *f = NULL;
	sat_rc rc;

	if (end != number && *end == '\0' && n >= 0 && n <= 1000000)
		f = fdopen(dup((int)n), "r");
	if (f == NULL)
		return sat_fail_code(e, SAT_EUSAGE, "usage.option", NULL,
		    "--passphrase-fd needs an open descriptor");
	rc = first_line(out, f, e);
	(void)fclose(f);
	return rc;
}

sat_rc
sat_passphrase_ask(sat_buf *out, const char *prompt, sat_err *e)
{
	struct termios old, off;
	sat_rc rc;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) != 0)
		return sat_fail_code(e, SAT_ELOCKED, "passphrase.missing",
		    "give --passphrase-file FILE (- = standard input)",
		    "a passphrase is needed and there is no terminal to ask");
	off = old;
	off.c_lflag &= ~(tcflag_t)ECHO;
	(void)fprintf(stderr, "%s: ", prompt);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &off);
	rc = first_line(out, stdin, e);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	(void)fputc('\n', stderr);
	return rc;
}
