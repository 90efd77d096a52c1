/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/linear.h"

#include <math.h>
#include <string.h>

static void swap_rows(int n, double *a, double *b, int r, int s)
{
	for (int k = 0; k < n; k++) {
		const double keep = a[r * n + k];
		a[r * n + k] = a[s * n + k];
		a[s * n + k] = keep;
	}
	const double keep = b[r];
	b[r] = b[s];
	b[s] = keep;
}

bool ref_solve(int n, double *a, double *b)
{
	for (int c = 0; c < n; c++) {
		int best = c;
		for (int r = c + 1; r < n; r++)
			if (fabs(a[r * n + c]) > fabs(a[best * n + c]))
				best = r;
		if (!(fabs(a[best * n + c]) > 0.0))
			return false;
		swap_rows(n, a, b, c, best);
		for (int r = 0; r < n; r++) {
			const double share = r == c ? 0.0 : a[r * n + c] / a[c * n + c];
			for (int k = c; k < n && share != 0.0; k++)
				a[r * n + k] -= share * a[c * n + k];
			b[r] -= share * b[c];
		}
	}
	for (int r = 0; r < n; r++)
		b[r] /= a[r * n + r];
	return true;
}

/* Eigenvalues below `x`: negative pivots of the elimination of a - x I. */
static int eigenvalues_below(int n, const double *a, double x)
{
	double m[64];
	int count = 0;
	memcpy(m, a, (size_t)(n * n) * sizeof(*m));
	for (int i = 0; i < n; i++)
		m[i * n + i] -= x;
	for (int c = 0; c < n; c++) {
		if (m[c * n + c] == 0.0)
			m[c * n + c] = 1e-300;
		count += m[c * n + c] < 0.0;
		for (int r = c + 1; r < n; r++)
			for (int k = n - 1; k >= c; k--)
				m[r * n + k] -= m[r * n + c] / m[c * n + c] * m[c * n + k];
	}
	return count;
}

double ref_least_eigenvalue(int n, const double *a)
{
	double reach = 0.0;
	for (int i = 0; i < n * n; i++)
		reach += fabs(a[i]);
	double low = -reach, high = reach;
	for (int i = 0; i < 200; i++) {
		const double middle = 0.5 * (low + high);
		if (eigenvalues_below(n, a, middle) > 0)
			high = middle;
		else
			low = middle;
	}
	return 0.5 * (low + high);
}
