/* SPDX-License-Identifier: Apache-2.0
 * All that decides what a picture shows, but its size: the window's wish, and what the overlay is projected by. */
#ifndef ENM_VIEWER_LOOK_H
#define ENM_VIEWER_LOOK_H

#include "camera.h"

typedef struct look {
	camera from;
	enm_shade shade;
	bool orthographic;
	bool cut;
	double cut_normal[3], cut_mm; /* as in enm_view_def */
	uint32_t hidden;              /* bits: bodies that are not shown */
} look;

bool look_is_same(const look *a, const look *b);

/* The engine's definition of a picture of that size. `box` is that of the model: without perspective the eye goes back until all of it is
 * before the eye; NULL when there is none. */
enm_view_def look_view(const look *l, uint32_t width, uint32_t height, const camera_box *box);

/* Where in a picture of that size a point of the world is seen. False when it is behind the eye. */
bool look_project(const look *l, uint32_t width, uint32_t height, const double world_mm[3], double out_pixel[2]);

/* Pixels that a millimetre takes at the pivot. */
double look_pixels_per_mm(const look *l, uint32_t width, uint32_t height);

#endif
