/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_HOST_CLOCK_H
#define ENM_HOST_CLOCK_H

#include <time.h>

/* Seconds of a clock that only runs forward. */
static inline double clock_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
