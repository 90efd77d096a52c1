/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void stats_sort(double *values, size_t count)
{
	qsort(values, count, sizeof(double), compare);
}

double stats_percentile(const double *ascending, size_t count, double share)
{
	const double rank = ceil(share * (double)count);
	const size_t index = rank < 1 ? 0 : (size_t)rank - 1;
	return ascending[index < count ? index : count - 1];
}

stats stats_of(double *values, size_t count)
{
	stats out = {.count = count};
	if (count == 0)
		return out;
	stats_sort(values, count);
	for (size_t i = 0; i < count; i++) {
		out.mean += values[i];
		out.rms += values[i] * values[i];
	}
	out.mean /= (double)count;
	out.rms = sqrt(out.rms / (double)count);
	out.median = stats_percentile(values, count, 0.5);
	out.p95 = stats_percentile(values, count, 0.95);
	out.p99 = stats_percentile(values, count, 0.99);
	out.max = values[count - 1];
	return out;
}
