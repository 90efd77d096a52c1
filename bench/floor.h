/* SPDX-License-Identifier: Apache-2.0
 * What each stage of a frame must do at least: bytes to and from memory, arithmetic, launches. The constants stand in
 * floor.c, in words in README.md; they follow the layouts of kernels/layout.h and the launches of engine/pipeline. */
#ifndef ENM_BENCH_FLOOR_H
#define ENM_BENCH_FLOOR_H

#include <stdbool.h>

#include "enamel.h"

/* A frame's size in the terms that its cost follows. */
typedef struct floor_work {
	double pixels, raw_bytes;   /* of a pixel's reading */
	double samples, iterations; /* of the alignment: samples of the last level */
	double blocks_in_view, blocks_added, blocks_used;
	bool color;
} floor_work;

typedef struct floor_stage {
	double bytes;      /* read and written, each place once */
	double operations; /* additions, multiplications, comparisons; a division or root counts as one */
	double launches;   /* kernels and copies that are sent to the device, whether they find work or not */
} floor_stage;

floor_stage floor_upload(const floor_work *w);
floor_stage floor_depth(const floor_work *w);
floor_stage floor_track(const floor_work *w);
floor_stage floor_allocate(const floor_work *w);
floor_stage floor_fuse(const floor_work *w);

/* By the stage's number. False for a stage that a frame does not need (the view). */
bool floor_of(enm_stage stage, const floor_work *w, floor_stage *out);

/* The time that this takes at the least. */
double floor_ms(const floor_stage *s, double copy_bytes_s, double launch_ms);

#endif
