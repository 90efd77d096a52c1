/* SPDX-License-Identifier: Apache-2.0
 * One frame: what the camera would see, and what the scanner makes of it. */
#ifndef ENM_SIMULATE_FRAME_H
#define ENM_SIMULATE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caster.h"
#include "errors.h"
#include "foreign.h"
#include "path.h"

/* What all frames share; read only while frames are made. */
typedef struct frame_scene {
	const caster *rays;
	const caster *other_rays; /* of a second body, or NULL */
	int wrong_visits;         /* visits 1 to this are to the second body, or to what was not scanned before */
	const wand_path *way;
	const foreign_plan *foreign;
	const error_def *errors;
	enm_depth_residual residual;
	uint64_t seed;
	uint32_t width, height;
	double fx, fy, cx, cy;
	double stand_off_mm;
	double row_time_s;
	double exposure; /* brightness wanders between this times and one over this times; 0 or 1: it does not */
	bool color;
} frame_scene;

/* One thread's memory. Zero it before frame_work_create. */
typedef struct frame_work {
	struct frame_pixel *pixels;
	float *white, *correlated, *dropout, *scratch;
	uint16_t *depth_um; /* the result: 0 for no reading */
	uint8_t *color_rgb; /* the result, when colour is wanted */
} frame_work;

bool frame_work_create(const frame_scene *scene, frame_work *out_work);
void frame_work_free(frame_work *work);

/* Whether the wand is at a place that is none of what was scanned. */
bool frame_goes_wrong(const frame_scene *scene, double time_s);
/* The body that the wand sees at a time. */
const caster *frame_rays(const frame_scene *scene, double time_s);

/* Makes frame `index` as seen at `time_s` (row 0) into work->depth_um and color_rgb. The result depends on the scene,
 * the index and the time alone. Returns the number of readings. */
size_t frame_make(const frame_scene *scene, uint64_t index, double time_s, frame_work *work);

#endif
