/* SPDX-License-Identifier: Apache-2.0 */
#include "statistic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

host_status samples_add(samples *s, double value)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 256;
		double *values = realloc(s->values, capacity * sizeof *values);
		if (!values)
			return host_fail_memory("measured times");
		s->values = values;
		s->capacity = capacity;
	}
	s->values[s->count++] = value;
	return HOST_OK;
}

void samples_free(samples *s)
{
	free(s->values);
	memset(s, 0, sizeof *s);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* `percent` is an integer, so that 95 % of 100 is rank 95 and not 96 by rounding. */
static double nearest_rank(const samples *s, size_t percent)
{
	size_t rank = (percent * s->count + 99) / 100;
	return s->values[rank ? rank - 1 : 0];
}

quantiles samples_quantiles(samples *s)
{
	const double none = (double)NAN;
	quantiles q = {none, none, none, none};
	if (!s->count)
		return q;
	qsort(s->values, s->count, sizeof *s->values, compare);
	q.median = nearest_rank(s, 50);
	q.p95 = nearest_rank(s, 95);
	q.p99 = nearest_rank(s, 99);
	q.max = nearest_rank(s, 100);
	return q;
}
