/* SPDX-License-Identifier: Apache-2.0
 * What the refinement of a scan leaves behind, so that one can ask how well a place of the model is known. */
#ifndef ENM_CERTAINTY_H
#define ENM_CERTAINTY_H

#include "global/refine_solve.h"

typedef struct certainty {
	solve_system system; /* as it was solved last */
	rigid *poses;        /* of the nodes, as they were found */
	size_t *frames;      /* of the nodes, in the store */
	bool *joined;        /* to the first of them; others are of a part of their own, or were left out */
	uint32_t first;      /* of those joined */
	double terms[36];    /* covariance of the residual's terms, mm2 */
	double information;  /* see solve_prior */
} certainty;

/* A quantity as a sum over nodes: of each node's step, in its own frame, and of the terms. */
typedef struct certainty_columns {
	size_t count, rows; /* rows: 6 a node */
	double *nodes;      /* a column after the other */
	double *terms;      /* 6 a column */
} certainty_columns;

void certainty_drop(certainty **of);

/* Covariance of the quantities, count x count, in the squares of their units. */
ENM_MUST_CHECK enm_result certainty_solve(const certainty *of, const certainty_columns *columns, double *out_covariance);

#endif
