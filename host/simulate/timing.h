/* SPDX-License-Identifier: Apache-2.0
 * When frames are taken: even steps, less what is missing, each moved by the jitter; and how they are listed: some
 * twice, some late. */
#ifndef ENM_SIMULATE_TIMING_H
#define ENM_SIMULATE_TIMING_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

typedef struct timed_frame {
	uint64_t number; /* of the even step: missing frames leave gaps */
	double time_s;   /* whole microseconds, as it stands in the files */
} timed_frame;

/* A line of depth.txt. */
typedef struct timed_line {
	size_t frame;
	double stamp_s;
	size_t behind; /* lines behind its place */
} timed_line;

typedef struct timed_frames {
	timed_frame *frames;
	size_t count, missing;
	timed_line *lines;   /* as listed: a line may repeat a frame or come behind a later one */
	timed_line *moments; /* the same, sorted, one a stamp */
	size_t line_count, moment_count;
	size_t duplicates, late;
} timed_frames;

/* Frames from 0 to the last whose rows all lie before `end_s`; the first is never missing. False without memory. */
bool timing_make(const sim_config *config, double end_s, timed_frames *out);
void timing_free(timed_frames *t);

#endif
