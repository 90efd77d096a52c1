/* SPDX-License-Identifier: Apache-2.0 */
#include "global/refine_matrix.h"

#include <math.h>
#include <string.h>

bool matrix_factor(size_t n, double *m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double t = m[i * n + j];
			for (size_t k = 0; k < j; k++)
				t -= m[i * n + k] * m[j * n + k];
			if (i == j && !(t > 0.0))
				return false;
			m[i * n + j] = i == j ? sqrt(t) : t / m[j * n + j];
		}
	return true;
}

void matrix_substitute(size_t n, const double *l, double *b)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			for (size_t c = 0; c < MATRIX_COLUMNS; c++)
				b[MATRIX_COLUMNS * i + c] -= l[i * n + k] * b[MATRIX_COLUMNS * k + c];
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			b[MATRIX_COLUMNS * i + c] /= l[i * n + i];
	}
	for (size_t i = n; i-- > 0;) {
		for (size_t k = i + 1; k < n; k++)
			for (size_t c = 0; c < MATRIX_COLUMNS; c++)
				b[MATRIX_COLUMNS * i + c] -= l[k * n + i] * b[MATRIX_COLUMNS * k + c];
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			b[MATRIX_COLUMNS * i + c] /= l[i * n + i];
	}
}

bool matrix_invert(int n, const double *matrix, double *out)
{
	double l[36], b[6 * MATRIX_COLUMNS];
	const size_t size = (size_t)n;
	memcpy(l, matrix, size * size * sizeof(double));
	memset(b, 0, sizeof(b));
	if (!matrix_factor(size, l))
		return false;
	for (size_t i = 0; i < size; i++)
		b[MATRIX_COLUMNS * i + i] = 1.0;
	matrix_substitute(size, l, b);
	for (size_t i = 0; i < size; i++)
		for (size_t j = 0; j < size; j++)
			out[i * size + j] = b[MATRIX_COLUMNS * i + j];
	return true;
}

size_t matrix_factor_band(size_t n, double *m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t back = i < MATRIX_BAND ? i + 1 : MATRIX_BAND; back-- > 0;) {
			const size_t j = i - back;
			double *row = m + i * MATRIX_BAND + MATRIX_BAND - 1 - back, t = *row; /* row[-k]: k columns before j */
			const double *other = m + j * MATRIX_BAND + MATRIX_BAND - 1;
			for (size_t k = 1; k + back < MATRIX_BAND && k <= j; k++)
				t -= *(row - k) * *(other - k);
			if (back == 0 && !(t > 0.0))
				return i;
			*row = back == 0 ? sqrt(t) : t / *other;
		}
	return n;
}

void matrix_substitute_band(size_t n, const double *l, double *b)
{
	for (size_t i = 0; i < n; i++) {
		const double *own = l + i * MATRIX_BAND + MATRIX_BAND - 1;
		for (size_t back = 1; back < MATRIX_BAND && back <= i; back++)
			for (size_t c = 0; c < MATRIX_COLUMNS; c++)
				b[MATRIX_COLUMNS * i + c] -= *(own - back) * b[MATRIX_COLUMNS * (i - back) + c];
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			b[MATRIX_COLUMNS * i + c] /= *own;
	}
	for (size_t i = n; i-- > 0;) {
		const double *own = l + i * MATRIX_BAND + MATRIX_BAND - 1;
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			b[MATRIX_COLUMNS * i + c] /= *own;
		for (size_t back = 1; back < MATRIX_BAND && back <= i; back++)
			for (size_t c = 0; c < MATRIX_COLUMNS; c++)
				b[MATRIX_COLUMNS * (i - back) + c] -= *(own - back) * b[MATRIX_COLUMNS * i + c];
	}
}
