/*
 * text_int.h - the compiled catalogue, made at build time from po/zh_CN.po.
 */
#ifndef SAT_CLI_TEXT_INT_H
#define SAT_CLI_TEXT_INT_H

#include <stddef.h>

extern const unsigned char cli_catalogue_zh[]; /* a little-endian .mo file */
extern const size_t cli_catalogue_zh_bytes;

#endif
