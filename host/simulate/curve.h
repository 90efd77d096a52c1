/* SPDX-License-Identifier: Apache-2.0
 * The line along which a jaw is scanned: from one end of the arch to the other, over the crest of teeth or ridge. */
#ifndef ENM_SIMULATE_CURVE_H
#define ENM_SIMULATE_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "vec.h"

#define CURVE_STEP_MM 0.25

/* Points CURVE_STEP_MM apart along the curve, with its tangent and the level direction away from the tongue. */
typedef struct curve {
	size_t count;
	v3 up; /* occlusal, unit, the same everywhere */
	v3 *points;
	v3 *tangents;
	v3 *buccal;
} curve;

/* Where a parameter `s_mm` from the curve's start lies; beyond the ends it goes straight on. */
typedef struct curve_place {
	v3 point, tangent, buccal;
} curve_place;

double curve_length_mm(const curve *line);
curve_place curve_at(const curve *line, double s_mm);

/* Takes a polyline, smooths it over about `smooth_mm`, spaces it evenly and finds directions. `inside` is any point on
 * the tongue's side. False when memory runs out or the line is shorter than 2 mm. */
bool curve_from_polyline(const v3 *points, size_t count, v3 up, v3 inside, double smooth_mm, curve *out_line);

/* Finds the curve of a jaw from its surface points (positions, 3 floats a vertex). `up` of length zero: found from the
 * surface, which must be open below. On failure `out_reason` says in one line why. */
bool curve_from_surface(const float *positions_mm, size_t vertex_count, const unsigned *triangles,
	size_t triangle_count, v3 up, curve *out_line, const char **out_reason);

void curve_free(curve *line);

#endif
