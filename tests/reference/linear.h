/* SPDX-License-Identifier: Apache-2.0
 * Small dense algebra in double precision. */
#ifndef ENM_REFERENCE_LINEAR_H
#define ENM_REFERENCE_LINEAR_H

#include <stdbool.h>

/* Solves a x = b in place of b by Gaussian elimination with row pivots; `a` is n x n and is overwritten, n <= 8. */
bool ref_solve(int n, double *a, double *b);

/* Least eigenvalue of a symmetric n x n matrix by bisection on the number of negative pivots (Sylvester's law). */
double ref_least_eigenvalue(int n, const double *a);

#endif
