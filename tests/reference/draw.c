/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/draw.h"

#include <math.h>

static void corner(const ref_draw_mesh *m, uint32_t triangle, int k, double out[3])
{
	const float *p = m->positions_mm + 3 * (size_t)m->triangles[3 * (size_t)triangle + (size_t)k];
	const double at[3] = {(double)p[0], (double)p[1], (double)p[2]};
	ref_pose_apply(&m->eye_from_mesh, at, out);
}

/* Origin and direction of a pixel's ray; the direction's z is 1. */
static void ray(const ref_draw_view *v, double x, double y, double origin[3], double direction[3])
{
	const double at[2] = {(x - v->cx) / v->focal, (y - v->cy) / v->focal};
	for (int k = 0; k < 2; k++) {
		origin[k] = v->orthographic ? at[k] : 0.0;
		direction[k] = v->orthographic ? 0.0 : at[k];
	}
	origin[2] = 0.0;
	direction[2] = 1.0;
}

/* Depth of the triangle's plane along a ray; infinite where it is parallel. */
static double plane_depth(const ref_draw_view *v, const double a[3], const double normal[3], double x, double y)
{
	double origin[3], direction[3], apart[3];
	ray(v, x, y, origin, direction);
	for (int k = 0; k < 3; k++)
		apart[k] = a[k] - origin[k];
	return ref_dot(normal, apart) / ref_dot(normal, direction);
}

bool ref_draw_meet(const ref_draw_view *v, const ref_draw_mesh *mesh, uint32_t triangle, double x, double y, double slack_mm,
	ref_draw_pass *out)
{
	double p[3][3], u[3], w[3], normal[3], origin[3], direction[3], at[3];
	for (int k = 0; k < 3; k++)
		corner(mesh, triangle, k, p[k]);
	for (int k = 0; k < 3; k++) {
		u[k] = p[1][k] - p[0][k];
		w[k] = p[2][k] - p[0][k];
	}
	ref_cross(u, w, normal);
	const double z = plane_depth(v, p[0], normal, x, y);
	if (!isfinite(z) || !(z > v->near_mm + slack_mm))
		return false;
	ray(v, x, y, origin, direction);
	for (int k = 0; k < 3; k++)
		at[k] = origin[k] + z * direction[k];
	if (v->cut && !(v->cut_mm - ref_dot(v->cut_normal, at) >= slack_mm))
		return false;
	out->depth_mm = z;
	out->depth_error_mm = fabs(plane_depth(v, p[0], normal, x + 0.01, y) - z) + fabs(plane_depth(v, p[0], normal, x, y + 0.01) - z);
	out->from_behind = ref_dot(normal, direction) > 0.0;
	out->inside_mm = INFINITY;
	for (int k = 0; k < 3; k++) {
		double edge[3], to[3], inward[3];
		for (int i = 0; i < 3; i++) {
			edge[i] = p[(k + 1) % 3][i] - p[k][i];
			to[i] = at[i] - p[k][i];
		}
		/* across the plane that holds the edge and runs along the ray: inward where the front is seen */
		ref_cross(edge, direction, inward);
		const double side = ref_dot(to, inward) / ref_length(inward);
		out->inside_mm = fmin(out->inside_mm, out->from_behind ? -side : side);
	}
	return true;
}
