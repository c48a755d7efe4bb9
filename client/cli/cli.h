/*
 * cli.h - the command line: words in, the route table called, text out.
 *
 * stdout carries data, stderr messages. On a terminal a table, else the same
 * columns tab-separated; --json one document. Exit codes: common/base/err.h.
 */
#ifndef SAT_CLI_CLI_H
#define SAT_CLI_CLI_H

/* The whole program; returns the exit code. */
int sat_cli_main(int argc, char **argv);

#endif
