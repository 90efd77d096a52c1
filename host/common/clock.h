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

/* That clock's time so many seconds from now, 0 or more, for pthread_cond_timedwait on a condition with CLOCK_MONOTONIC. */
static inline struct timespec clock_after(double seconds)
{
	struct timespec t;
	const time_t whole_s = (time_t)seconds;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += whole_s;
	t.tv_nsec += (long)((seconds - (double)whole_s) * 1e9);
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

#endif
