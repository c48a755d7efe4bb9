/*
 * version.h - the release both programs and all they print belong to.
 */
#ifndef SAT_BASE_VERSION_H
#define SAT_BASE_VERSION_H

#define SAT_VERSION "0.1.0"

#endif
