/* SPDX-License-Identifier: Apache-2.0
 * Summaries of a list of numbers. Percentiles are nearest rank. */
#ifndef EVALUATE_STATS_H
#define EVALUATE_STATS_H

#include <stddef.h>

typedef struct stats {
	size_t count; /* 0: the rest is 0 and means nothing */
	double mean, median, rms, p95, p99, max;
} stats;

/* Sorts `values`. */
stats stats_of(double *values, size_t count);

/* The nearest-rank percentile (0 to 1) of ascending values. */
double stats_percentile(const double *ascending, size_t count, double share);

void stats_sort(double *values, size_t count);

#endif
