/* SPDX-License-Identifier: Apache-2.0 */
#include "timing.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"

#define BURST_MIN_S 0.2
#define BURST_MAX_S 2.0
#define LATER_MIN 0.2 /* of the time to the next frame: by how much repeated and late frames are stamped late */
#define LATER_MAX 0.8
#define BEHIND_MAX 3

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

/* Half of the late frames are listed behind their place, the others are stamped late. Half of the repeated ones keep
 * their stamp. The first frame is as it should be. */
static void list_frame(const sim_config *c, timed_frames *t, size_t i)
{
	uint64_t key = rng_key(c->seed, RNG_LISTED, t->frames[i].number);
	double time_s = t->frames[i].time_s, next_s = i + 1 < t->count ? t->frames[i + 1].time_s : time_s;
	double room_s = fmin(next_s - time_s, 1 / c->fps) * rng_between(key, 0, LATER_MIN, LATER_MAX);
	double later_s = round((time_s + room_s) * 1e6) / 1e6;
	bool apart = i && later_s > time_s, half = rng_bits(key, 1) & 1;
	bool late = apart && rng_uniform(key, 2) * 100 < c->timing.late_percent;
	bool again = apart && !late && rng_uniform(key, 3) * 100 < c->timing.duplicate_percent;
	size_t behind = late && half ? 1 + rng_bits(key, 4) % BEHIND_MAX : 0;
	t->lines[t->line_count++] = (timed_line){i, late && !half ? later_s : time_s, behind};
	if (again)
		t->lines[t->line_count++] = (timed_line){i, half ? later_s : time_s, 0};
	t->late += late, t->duplicates += again;
}

static void delay_lines(timed_frames *t)
{
	for (size_t k = t->line_count; k-- > 0;) {
		timed_line line = t->lines[k];
		size_t to = k + line.behind < t->line_count ? k + line.behind : t->line_count - 1;
		memmove(t->lines + k, t->lines + k + 1, (to - k) * sizeof line);
		t->lines[to] = line;
	}
}

static int by_stamp(const void *a, const void *b)
{
	const timed_line *x = a, *y = b;
	return x->stamp_s < y->stamp_s ? -1 : x->stamp_s > y->stamp_s;
}

static void sort_moments(timed_frames *t)
{
	memcpy(t->moments, t->lines, t->line_count * sizeof *t->lines);
	if (t->line_count)
		qsort(t->moments, t->line_count, sizeof *t->moments, by_stamp);
	for (size_t i = 0; i < t->line_count; i++)
		if (!i || t->moments[i].stamp_s > t->moments[t->moment_count - 1].stamp_s)
			t->moments[t->moment_count++] = t->moments[i];
}

bool timing_make(const sim_config *c, double end_s, timed_frames *out)
{
	double last_s = end_s - c->row_time_us * 1e-6 * c->size[1] - 3 * c->timing.jitter_ms / 1000;
	int64_t steps = last_s > 0 ? (int64_t)floor(last_s * c->fps) + 1 : 1;
	uint64_t key = rng_key(c->seed, RNG_TIME, 0);
	if (c->frames_max && steps > c->frames_max)
		steps = c->frames_max;
	size_t room = (size_t)steps;
	*out = (timed_frames){.frames = malloc(room * sizeof *out->frames),
		.lines = malloc(2 * room * sizeof *out->lines),
		.moments = malloc(2 * room * sizeof *out->moments)};
	if (!out->frames || !out->lines || !out->moments) {
		timing_free(out);
		return false;
	}
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
	for (size_t i = 0; i < out->count; i++)
		list_frame(c, out, i);
	delay_lines(out);
	sort_moments(out);
	return true;
}

void timing_free(timed_frames *t)
{
	free(t->frames);
	free(t->lines);
	free(t->moments);
	*t = (timed_frames){0};
}
