/* SPDX-License-Identifier: Apache-2.0
 * Factors of the symmetric positive matrices that the refinement meets: small dense ones, and long ones of a narrow band. */
#ifndef ENM_REFINE_MATRIX_H
#define ENM_REFINE_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "global/refine_solve.h"

#define MATRIX_COLUMNS 8 /* right-hand sides at once: the gradient, the border's six, one of zeros so that they fill vectors */

/* L L' of the lower half of an n x n matrix, in place. False where it is not positive. */
bool matrix_factor(size_t n, double *matrix);
/* Solves for MATRIX_COLUMNS right-hand sides, a row of them after the other, in place. */
void matrix_substitute(size_t n, const double *factor, double *b);

/* Inverse of a positive n x n matrix, n <= 6; false where it has none. */
bool matrix_invert(int n, const double *matrix, double *out_inverse);

/* The same of a band: of row i columns i - MATRIX_BAND + 1 to i are kept, the first of which may be before the matrix. From an unknown to those that
 * turns tie it to. */
#define MATRIX_BAND ((size_t)SOLVE_TURNS * 6)
/* Rows that the factor has: n where the matrix is positive. */
size_t matrix_factor_band(size_t n, double *matrix);
void matrix_substitute_band(size_t n, const double *factor, double *b);

#endif
