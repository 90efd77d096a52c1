/* SPDX-License-Identifier: Apache-2.0
 * Tongue, cheek, finger and mirror: ellipsoids that come into the view for a moment and leave it again. */
#ifndef ENM_SIMULATE_FOREIGN_H
#define ENM_SIMULATE_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"

typedef enum foreign_kind {
	FOREIGN_TONGUE = 0,
	FOREIGN_CHEEK,
	FOREIGN_FINGER,
	FOREIGN_MIRROR,
	FOREIGN_KINDS
} foreign_kind;

/* One visit. The body moves in the world, on a line that was square to the view in the visit's middle. One that rests
 * goes along with the wand until it rests, and again when it leaves. */
typedef struct foreign_visit {
	foreign_kind kind;
	double from_s, to_s;
	bool rests;
	double rest_from_s, rest_to_s;
	pose world_from_camera;   /* in the middle of the visit, for one that does not rest */
	v3 outside_mm, inside_mm; /* centre in that camera, at its ends and in its middle */
	quat turned;
	v3 half_axes_mm;
} foreign_visit;

typedef struct foreign_plan {
	foreign_visit *visits;
	size_t count;
	const wand_path *way; /* must stay */
} foreign_plan;

/* What a plan is made from. */
typedef struct foreign_def {
	const wand_path *way;
	double end_s;
	double percent; /* of the time from the path's first second on */
	double speed_mm_s, stand_off_mm;
	double view_mm[2]; /* half of what the camera sees at the stand-off, to the right and down */
	bool rests;
	uint64_t seed;
} foreign_def;

/* An ellipsoid at one moment. */
typedef struct foreign_body {
	foreign_kind kind;
	v3 centre_mm; /* world */
	quat world_from_body;
	v3 half_axes_mm;
} foreign_body;

typedef struct foreign_hit {
	double t;
	v3 normal;
	foreign_kind kind;
} foreign_hit;

/* Visits that together take `percent` of the time. False without memory. */
bool foreign_make(const foreign_def *def, foreign_plan *out_plan);
void foreign_free(foreign_plan *plan);

/* The body in the world at a time, if any. */
bool foreign_at(const foreign_plan *plan, double time_s, foreign_body *out_body);
bool foreign_meets(const foreign_body *body, v3 origin, v3 direction, double t_max, foreign_hit *out_hit);
void foreign_color(foreign_kind kind, double out_rgb[3]);

#endif
