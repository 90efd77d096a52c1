/* SPDX-License-Identifier: Apache-2.0
 * Distances, angles and lengths on a surface, each with what the noise of the surface makes of it. Pure arithmetic; any thread.
 *
 * Uncertainty: a figure f of points p_i, whose errors are e_i along the unit normals n_i with standard deviations s_i, has the
 * standard deviation sqrt(sum_i (s_i n_i . df/dp_i)^2). Errors are taken as independent from point to point, which neighbours
 * within a truncation are not; drift and scale are not in it. NaN as soon as one s_i is not known. */
#ifndef ENM_VIEWER_MEASURE_H
#define ENM_VIEWER_MEASURE_H

#include "marks.h"

typedef struct measure_figure {
	double value, sigma; /* mm or rad */
} measure_figure;

/* The place with these weights of the triangle's corners: position and sigma interpolated, the least of the views; the normal
 * is the vertices' where there are any, else the triangle's. */
mark_point measure_place(const enm_mesh_data *mesh, uint32_t triangle, const double weights[3]);

measure_figure measure_distance(const mark_point *a, const mark_point *b);
/* Between the arms to `a` and `b`, 0 to pi; 0 where an arm has no length. */
measure_figure measure_angle(const mark_point *a, const mark_point *corner, const mark_point *b);
/* Of the polyline through the points. */
measure_figure measure_length(const mark_point *points, size_t count);

/* The place of the mesh nearest to a point: exact over all triangles (Ericson 2005, 5.1.5). False when there is none. */
bool measure_nearest(const enm_mesh_data *mesh, const double from_mm[3], mark_point *out);

/* Where a ray from a place on the mesh against its normal meets the mesh again: the other side of a wall. False when it meets
 * nothing. */
bool measure_through(const enm_mesh_data *mesh, const mark_point *from, mark_point *out);

#endif
