/*
 * text_int.h - the compiled catalogue, made at build time from po/zh_CN.po and,
 * for what both programs say, the client's.
 */
#ifndef SAT_ADMIN_TEXT_INT_H
#define SAT_ADMIN_TEXT_INT_H

#include <stddef.h>

extern const unsigned char admin_catalogue_zh[]; /* a little-endian .mo file */
extern const size_t admin_catalogue_zh_bytes;

#endif
