/* SPDX-License-Identifier: Apache-2.0
 * Samples and their quantiles. */
#ifndef ENM_HOST_STATISTIC_H
#define ENM_HOST_STATISTIC_H

#include <stddef.h>

#include "error.h"

/* Zero it before use. */
typedef struct samples {
	double *values;
	size_t count, capacity;
} samples;

typedef struct quantiles {
	double median, p95, p99, max; /* NaN without samples */
} quantiles;

host_status samples_add(samples *s, double value);
void samples_free(samples *s);

/* By nearest rank: the smallest sample that at least the share p of all does not exceed. Sorts the samples. */
quantiles samples_quantiles(samples *s);

#endif
