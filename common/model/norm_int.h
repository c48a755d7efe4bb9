/*
 * norm_int.h - shared by norm.c (texts, names, keys) and norm_phone.c.
 */
#ifndef SAT_MODEL_NORM_INT_H
#define SAT_MODEL_NORM_INT_H

#include "common/model/norm.h"

/* Without outer white space; a part of s. */
sat_span sat_norm_trimmed(sat_span s);

#endif
