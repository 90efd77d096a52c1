/* SPDX-License-Identifier: Apache-2.0
 * Where a plane cuts a mesh: the profile of a section, and the curve along the surface between two places. Pure arithmetic; any
 * thread. Vertices must be shared for a curve to go on from triangle to triangle. */
#ifndef ENM_VIEWER_CUT_H
#define ENM_VIEWER_CUT_H

#include "marks.h"

typedef struct cut_plane {
	double normal[3]; /* unit */
	double offset_mm; /* points p of the plane have normal . p = offset */
} cut_plane;

/* A growing row of places. Zero it before use; free(points) gives it back. */
typedef struct cut_curve {
	mark_point *points;
	size_t count, capacity;
} cut_curve;

typedef enum cut_result {
	CUT_OK = 0,
	CUT_APART = 1, /* along the cut the surface ends between the places */
	CUT_MEMORY = 2
} cut_result;

/* The plane through two points and a direction; false when they span none. */
bool cut_plane_through(const double a_mm[3], const double b_mm[3], const double direction[3], cut_plane *out);

/* Appends the cut's pieces to `curve` as pairs of places, a triangle each, in no order. */
cut_result cut_profile(const enm_mesh_data *mesh, const cut_plane *plane, cut_curve *curve);

/* Appends the shorter curve from `a` to `b`, both included, along the cut by the plane that holds both and the mean of their normals.
 * It is no geodesic, but at least as long as one. After a failure the curve is as it was. */
cut_result cut_path(const enm_mesh_data *mesh, const mark_point *a, const mark_point *b, cut_curve *curve);

bool cut_curve_add(cut_curve *curve, const mark_point *point);

#endif
