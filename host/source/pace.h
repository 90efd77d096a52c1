/* SPDX-License-Identifier: Apache-2.0
 * When the frames of a source without a clock of its own are due. */
#ifndef ENM_HOST_SOURCE_PACE_H
#define ENM_HOST_SOURCE_PACE_H

#include <math.h>
#include <stdbool.h>
#include <time.h>

#include "clock.h"
#include "json.h"

/* Zero it before use. */
typedef struct source_pace {
	bool begun;
	double zero_s;     /* clock: when the first frame was due */
	double late_max_s; /* the latest that a frame was given out, for want of it or of somebody who takes it */
} source_pace;

/* Waits until the frame `at_s` after the first one is due, at most `timeout_s`. False when it is not yet; else
 * *out_due_s is the clock's time at which it was. */
static inline bool source_pace_wait(source_pace *p, double at_s, double timeout_s, double *out_due_s)
{
	double now_s = clock_s();
	if (!p->begun)
		p->zero_s = now_s - at_s;
	p->begun = true;
	*out_due_s = p->zero_s + at_s;
	const double wait_s = fmin(*out_due_s - now_s, timeout_s);
	if (wait_s > 0.0) {
		const struct timespec t = {(time_t)wait_s, (long)((wait_s - floor(wait_s)) * 1e9)};
		nanosleep(&t, NULL);
		now_s = clock_s();
	}
	if (now_s < *out_due_s)
		return false;
	p->late_max_s = fmax(p->late_max_s, now_s - *out_due_s);
	return true;
}

/* The counts of such a source, with one of its own. A new reference, or NULL when memory ran out. */
static inline json_t *source_pace_report(const source_pace *p, uint64_t frames, const char *name, uint64_t count)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "frames", json_integer((json_int_t)frames), &ok);
	json_put(root, name, json_integer((json_int_t)count), &ok);
	json_put(root, "late_max_ms", json_finite(1e3 * p->late_max_s), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

#endif
