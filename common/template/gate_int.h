/*
 * gate_int.h - the gate's own files among themselves.
 */
#ifndef SAT_TEMPLATE_GATE_INT_H
#define SAT_TEMPLATE_GATE_INT_H

#include "common/template/gate.h"

typedef struct gate_findings {
	const sat_gate_in *in;
	size_t n;
	const char *first; /* code of the first one */
	sat_err list; /* collected here: the text is written at the end */
} gate_findings;

void gate_found(gate_findings *fi, const sat_field *f, const char *code);
/* The value as it will be: the last plain change wins. */
sat_value gate_after(const sat_gate_in *in, const sat_field *f);
/* gate_flow.c */
void gate_judge_flow(gate_findings *fi, sat_gate_out *out);

#endif
