/* SPDX-License-Identifier: Apache-2.0
 * What a ray through a picture of triangles meets, by trying every triangle (counterpart of kernels/draw.cl). */
#ifndef ENM_REFERENCE_DRAW_H
#define ENM_REFERENCE_DRAW_H

#include "scene.h"

typedef struct ref_draw_mesh {
	const float *positions_mm;
	const uint32_t *triangles;
	uint32_t triangle_count;
	ref_pose eye_from_mesh;
} ref_draw_mesh;

typedef struct ref_draw_view {
	double focal, cx, cy, near_mm; /* pixels, or pixels a mm where orthographic */
	bool orthographic, cut;
	double cut_normal[3], cut_mm; /* in the eye's frame */
} ref_draw_view;

/* How a ray passes a triangle. */
typedef struct ref_draw_pass {
	double inside_mm; /* from the edge nearest to it, across the ray at the triangle's depth; negative outside */
	double depth_mm, depth_error_mm; /* where it meets the plane, and by how much a hundredth of a pixel changes that */
	bool from_behind;
} ref_draw_pass;

/* False where the plane is not met in front of the near plane and inside the cut, each with `slack_mm` to spare (below 0: or nearly so). */
bool ref_draw_meet(const ref_draw_view *view, const ref_draw_mesh *mesh, uint32_t triangle, double x, double y, double slack_mm,
	ref_draw_pass *out);

#endif
