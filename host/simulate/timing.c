/* SPDX-License-Identifier: Apache-2.0 */
#include "timing.h"

#include <stdlib.h>

#include "rng.h"

#define BURST_MIN_S 0.2
#define BURST_MAX_S 2.0

static bool in_burst(const sim_config *c, double time_s, double end_s)
{
	uint64_t key = rng_key(c->seed, RNG_BURST, 0);
	for (int64_t i = 0; i < c->timing.bursts; i++) {
		double slot_s = end_s / (double)c->timing.bursts;
		double length_s = fmin(rng_between(key, (uint64_t)(2 * i), BURST_MIN_S, BURST_MAX_S), 0.5 * slot_s);
		double from_s =
			slot_s * (double)i + (slot_s - length_s) * rng_between(key, (uint64_t)(2 * i + 1), 0.2, 1);
		if (time_s >= from_s && time_s < from_s + length_s)
			return true;
	}
	return false;
}

bool timing_make(const sim_config *c, double end_s, timed_frames *out)
{
	double last_s = end_s - c->row_time_us * 1e-6 * c->size[1] - 3 * c->timing.jitter_ms / 1000;
	int64_t steps = last_s > 0 ? (int64_t)floor(last_s * c->fps) + 1 : 1;
	uint64_t key = rng_key(c->seed, RNG_TIME, 0);
	if (c->frames_max && steps > c->frames_max)
		steps = c->frames_max;
	*out = (timed_frames){.frames = malloc((size_t)steps * sizeof(timed_frame))};
	if (!out->frames)
		return false;
	for (int64_t i = 0; i < steps; i++) {
		double time_s = (double)i / c->fps, missing = rng_uniform(key, 4 * (uint64_t)i) * 100;
		if (i && (missing < c->timing.missing_percent || in_burst(c, time_s, (double)steps / c->fps))) {
			out->missing++;
			continue;
		}
		if (i)
			time_s += c->timing.jitter_ms / 1000 * clamp(rng_normal(key, 2 * (uint64_t)i + 1), -2, 2);
		out->frames[out->count++] = (timed_frame){(uint64_t)i, round(time_s * 1e6) / 1e6};
	}
	return true;
}

void timing_free(timed_frames *t)
{
	free(t->frames);
	*t = (timed_frames){0};
}
