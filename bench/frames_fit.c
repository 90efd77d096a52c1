/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "frames_summary.h"

#define FRAMES_MIN 30u
#define SLOW 3.0
#define PER 1e-3
#define TERMS 4
/* What is left of a count's spread when the others have explained what they can: with less, the frames do not tell
 * which of them it was. */
#define SPREAD_MIN 0.02

enum { IN_VIEW, OUT_OF_VIEW, ADDED, SAMPLES };

/* A frame's counts in thousands. */
static void counts_of(const enm_report *r, double out[TERMS])
{
	out[IN_VIEW] = PER * r->blocks_in_view;
	out[OUT_OF_VIEW] = PER * ((double)r->blocks_used - r->blocks_in_view);
	out[ADDED] = PER * r->blocks_added;
	out[SAMPLES] = PER * r->samples * r->iterations;
}

/* Means, and sums of products about them; the cost is the last column. */
typedef struct moments {
	double n, mean[TERMS + 1], product[TERMS][TERMS + 1];
} moments;

static moments moments_of(const enm_report *reports, const double *costs, size_t count, double cost_max)
{
	moments m;
	memset(&m, 0, sizeof(m));
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < count; i++) {
			double x[TERMS + 1];
			if (!(costs[i] <= cost_max))
				continue;
			counts_of(&reports[i], x);
			x[TERMS] = costs[i];
			for (int a = 0; a <= TERMS && round == 0; a++)
				m.mean[a] += x[a];
			for (int a = 0; a < TERMS && round == 1; a++)
				for (int b = 0; b <= TERMS; b++)
					m.product[a][b] += (x[a] - m.mean[a]) * (x[b] - m.mean[b]);
			m.n += round == 0 ? 1.0 : 0.0;
		}
		for (int a = 0; a <= TERMS && round == 0; a++)
			m.mean[a] /= m.n;
	}
	return m;
}

/* Gauss's elimination on the normal equations. A count that never changes has no slope; false where counts go together.
 */
static bool solve(moments *m, double slope[TERMS])
{
	double spread[TERMS];
	for (int a = 0; a < TERMS; a++)
		spread[a] = m->product[a][a];
	for (int a = 0; a < TERMS; a++) {
		if (!(spread[a] > 0.0))
			continue;
		if (!(m->product[a][a] > SPREAD_MIN * spread[a]))
			return false;
		for (int b = a + 1; b < TERMS; b++) {
			const double factor = m->product[b][a] / m->product[a][a];
			for (int c = a; c <= TERMS; c++)
				m->product[b][c] -= factor * m->product[a][c];
		}
	}
	for (int a = TERMS - 1; a >= 0; a--) {
		double rest = m->product[a][TERMS];
		for (int b = a + 1; b < TERMS; b++)
			rest -= m->product[a][b] * slope[b];
		slope[a] = spread[a] > 0.0 ? rest / m->product[a][a] : 0.0;
	}
	return true;
}

frames_fit frames_fit_make(const enm_report *reports, const double *costs, size_t count, double median_ms)
{
	const double none = (double)NAN;
	frames_fit fit = {none, none, none, none, none, none};
	double slope[TERMS] = {0};
	moments m = moments_of(reports, costs, count, SLOW * median_ms);
	if (m.n < FRAMES_MIN || !solve(&m, slope))
		return fit;
	fit.in_view_ms = slope[IN_VIEW];
	fit.out_of_view_ms = slope[OUT_OF_VIEW];
	fit.added_ms = slope[ADDED];
	fit.samples_ms = slope[SAMPLES];
	fit.base_ms = m.mean[TERMS];
	for (int a = 0; a < TERMS; a++)
		fit.base_ms -= slope[a] * m.mean[a];
	fit.out_of_view_share = fit.out_of_view_ms * m.mean[OUT_OF_VIEW] / m.mean[TERMS];
	return fit;
}
