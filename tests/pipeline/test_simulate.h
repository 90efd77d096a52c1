/* SPDX-License-Identifier: Apache-2.0
 * What the simulator's tests share. */
#ifndef ENM_TEST_SIMULATE_H
#define ENM_TEST_SIMULATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caster.h"
#include "frame.h"

#define WIDTH 320u
#define HEIGHT 240u
#define PIXELS (WIDTH * HEIGHT)

/* A body, a path that stands still (or nearly), and one frame of it. */
typedef struct stage {
	body b;
	caster *rays;
	wand_path way;
	foreign_plan foreign;
	error_def errors;
	frame_scene scene;
	frame_work work;
} stage;

/* A rectangle of 120 mm through the origin whose normal leans by `degrees` from the camera's axis, seen from 13 mm. */
void stage_plane(stage *s, double degrees, const error_def *errors);
/* Takes over a body that is already there; the camera looks from `camera`. */
void stage_body(stage *s, pose camera, const error_def *errors);
void stage_close(stage *s);

/* The depth in mm of the plane of stage_plane at a pixel. */
double plane_depth_mm(double degrees, double u, double v);

#endif
