/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <string.h>

#include "vector.h"

#define MM_PER_UM 1e-3
#define THROUGH_LEAST_MM 0.02 /* nearer than that is the side that the ray leaves */

static void corner(const enm_mesh_data *mesh, uint32_t triangle, int k, double out[3])
{
	const float *p = mesh->positions_mm + 3 * (size_t)mesh->triangles[3 * (size_t)triangle + (size_t)k];
	for (int i = 0; i < 3; i++)
		out[i] = (double)p[i];
}

static void triangle_normal(const enm_mesh_data *mesh, uint32_t triangle, double out[3])
{
	double a[3], b[3], c[3];
	corner(mesh, triangle, 0, a);
	corner(mesh, triangle, 1, b);
	corner(mesh, triangle, 2, c);
	vector_combine(1.0, b, -1.0, a, b);
	vector_combine(1.0, c, -1.0, a, c);
	vector_cross(b, c, out);
	if (!vector_normalize(out))
		memset(out, 0, 3 * sizeof *out);
}

mark_point measure_place(const enm_mesh_data *mesh, uint32_t triangle, const double weights[3])
{
	mark_point p = {.triangle = triangle, .sigma_um = mesh->sigma_um ? 0.0 : (double)NAN, .views = UINT32_MAX};
	for (int k = 0; k < 3; k++) {
		size_t v = mesh->triangles[3 * (size_t)triangle + (size_t)k];
		for (size_t i = 0; i < 3; i++) {
			p.position_mm[i] += weights[k] * (double)mesh->positions_mm[3 * v + i];
			p.normal[i] += mesh->normals ? weights[k] * (double)mesh->normals[3 * v + i] : 0.0;
		}
		if (mesh->sigma_um)
			p.sigma_um += weights[k] * (double)mesh->sigma_um[v];
		if (mesh->views && mesh->views[v] < p.views)
			p.views = mesh->views[v];
	}
	if (p.views == UINT32_MAX)
		p.views = 0;
	if (!vector_normalize(p.normal))
		triangle_normal(mesh, triangle, p.normal);
	return p;
}

/* Adds a point's share to the variance, in mm2 or rad2. */
static double share(const mark_point *p, const double slope[3])
{
	double s = MM_PER_UM * p->sigma_um * vector_dot(p->normal, slope);
	return s * s;
}

measure_figure measure_distance(const mark_point *a, const mark_point *b)
{
	const mark_point ends[2] = {*a, *b};
	return measure_length(ends, 2);
}

measure_figure measure_angle(const mark_point *a, const mark_point *at, const mark_point *b)
{
	double to_a[3], to_b[3], axis[3], slope_a[3], slope_b[3], slope[3];
	vector_combine(1.0, a->position_mm, -1.0, at->position_mm, to_a);
	vector_combine(1.0, b->position_mm, -1.0, at->position_mm, to_b);
	double length_a = sqrt(vector_dot(to_a, to_a)), length_b = sqrt(vector_dot(to_b, to_b));
	if (!vector_normalize(to_a) || !vector_normalize(to_b))
		return (measure_figure){0.0, (double)NAN};
	vector_cross(to_a, to_b, axis);
	double angle = atan2(sqrt(vector_dot(axis, axis)), vector_dot(to_a, to_b));
	if (!vector_normalize(axis)) /* the arms are one line: any axis across them */
		vector_combine(1.0, at->normal, -vector_dot(at->normal, to_a), to_a, axis);
	/* The ends move the angle when they move across their arms, in the plane of both; the corner as both together. */
	vector_cross(to_a, axis, slope_a);
	vector_cross(axis, to_b, slope_b);
	vector_combine(1.0 / length_a, slope_a, 0.0, slope_a, slope_a);
	vector_combine(1.0 / length_b, slope_b, 0.0, slope_b, slope_b);
	vector_combine(-1.0, slope_a, -1.0, slope_b, slope);
	return (measure_figure){angle, sqrt(share(a, slope_a) + share(b, slope_b) + share(at, slope))};
}

measure_figure measure_length(const mark_point *points, size_t count)
{
	double length = 0.0, variance = 0.0, before[3] = {0};
	for (size_t i = 0; i < count; i++) {
		double after[3] = {0}, slope[3];
		if (i + 1 < count) {
			vector_combine(1.0, points[i + 1].position_mm, -1.0, points[i].position_mm, after);
			length += sqrt(vector_dot(after, after));
			if (!vector_normalize(after))
				memset(after, 0, sizeof after);
		}
		vector_combine(1.0, before, -1.0, after, slope);
		variance += share(&points[i], slope);
		memcpy(before, after, sizeof before);
	}
	return (measure_figure){length, sqrt(variance)};
}

/* ---- nearest place ---- */

static void weights_of_edge(double t, int from, int to, double out[3])
{
	out[0] = out[1] = out[2] = 0.0;
	out[from] = 1.0 - t;
	out[to] = t;
}

/* Weights of the triangle's point nearest to `p`, by the region of Voronoi's that it lies in. */
static void nearest_weights(const double p[3], const double a[3], const double b[3], const double c[3], double out[3])
{
	double ab[3], ac[3], ap[3], bp[3], cp[3];
	vector_combine(1.0, b, -1.0, a, ab);
	vector_combine(1.0, c, -1.0, a, ac);
	vector_combine(1.0, p, -1.0, a, ap);
	vector_combine(1.0, p, -1.0, b, bp);
	vector_combine(1.0, p, -1.0, c, cp);
	double d1 = vector_dot(ab, ap), d2 = vector_dot(ac, ap), d3 = vector_dot(ab, bp), d4 = vector_dot(ac, bp);
	double d5 = vector_dot(ab, cp), d6 = vector_dot(ac, cp);
	double va = d3 * d6 - d5 * d4, vb = d5 * d2 - d1 * d6, vc = d1 * d4 - d3 * d2;
	if (d1 <= 0.0 && d2 <= 0.0)
		weights_of_edge(0.0, 0, 1, out);
	else if (d3 >= 0.0 && d4 <= d3)
		weights_of_edge(1.0, 0, 1, out);
	else if (d6 >= 0.0 && d5 <= d6)
		weights_of_edge(1.0, 0, 2, out);
	else if (vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0)
		weights_of_edge(d1 / (d1 - d3), 0, 1, out);
	else if (vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0)
		weights_of_edge(d2 / (d2 - d6), 0, 2, out);
	else if (va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0)
		weights_of_edge((d4 - d3) / ((d4 - d3) + (d5 - d6)), 1, 2, out);
	else {
		out[1] = vb / (va + vb + vc);
		out[2] = vc / (va + vb + vc);
		out[0] = 1.0 - out[1] - out[2];
	}
}

/* True when the triangle's box is farther away than the best so far, so that most triangles cost little. */
static bool is_far(const double p[3], const double a[3], const double b[3], const double c[3], double best2)
{
	double d2 = 0.0;
	for (int k = 0; k < 3; k++) {
		double low = fmin(a[k], fmin(b[k], c[k])), high = fmax(a[k], fmax(b[k], c[k]));
		double off = fmax(fmax(low - p[k], p[k] - high), 0.0);
		d2 += off * off;
	}
	return d2 >= best2;
}

bool measure_nearest(const enm_mesh_data *mesh, const double from_mm[3], mark_point *out)
{
	double best2 = INFINITY, best_weights[3] = {0};
	uint32_t best = 0;
	for (uint32_t t = 0; t < mesh->triangle_count; t++) {
		double a[3], b[3], c[3], weights[3], off[3];
		corner(mesh, t, 0, a);
		corner(mesh, t, 1, b);
		corner(mesh, t, 2, c);
		if (is_far(from_mm, a, b, c, best2))
			continue;
		nearest_weights(from_mm, a, b, c, weights);
		for (int k = 0; k < 3; k++)
			off[k] = weights[0] * a[k] + weights[1] * b[k] + weights[2] * c[k] - from_mm[k];
		if (!(vector_dot(off, off) < best2)) /* also a triangle without area, whose weights may be NaN */
			continue;
		best2 = vector_dot(off, off);
		best = t;
		memcpy(best_weights, weights, sizeof best_weights);
	}
	if (isinf(best2))
		return false;
	*out = measure_place(mesh, best, best_weights);
	return true;
}

/* ---- through the body ---- */

/* Distance along the unit ray to the triangle, or infinity (Moeller and Trumbore 1997). */
static double meet(const double from[3], const double ray[3], const double a[3], const double b[3], const double c[3], double weights[3])
{
	double ab[3], ac[3], off[3], h[3], q[3];
	vector_combine(1.0, b, -1.0, a, ab);
	vector_combine(1.0, c, -1.0, a, ac);
	vector_cross(ray, ac, h);
	double det = vector_dot(ab, h);
	if (!(fabs(det) > 1e-15))
		return INFINITY;
	vector_combine(1.0, from, -1.0, a, off);
	vector_cross(off, ab, q);
	double u = vector_dot(off, h) / det, v = vector_dot(ray, q) / det;
	if (!(u >= 0.0 && v >= 0.0 && u + v <= 1.0))
		return INFINITY;
	weights[0] = 1.0 - u - v;
	weights[1] = u;
	weights[2] = v;
	double along = vector_dot(ac, q) / det;
	return along > THROUGH_LEAST_MM ? along : (double)INFINITY;
}

bool measure_through(const enm_mesh_data *mesh, const mark_point *from, mark_point *out)
{
	const double ray[3] = {-from->normal[0], -from->normal[1], -from->normal[2]};
	double nearest = INFINITY, best_weights[3] = {0};
	uint32_t best = 0;
	for (uint32_t t = 0; t < mesh->triangle_count; t++) {
		double a[3], b[3], c[3], weights[3];
		corner(mesh, t, 0, a);
		corner(mesh, t, 1, b);
		corner(mesh, t, 2, c);
		double along = t == from->triangle ? (double)INFINITY : meet(from->position_mm, ray, a, b, c, weights);
		if (!(along < nearest))
			continue;
		nearest = along;
		best = t;
		memcpy(best_weights, weights, sizeof best_weights);
	}
	if (isinf(nearest))
		return false;
	*out = measure_place(mesh, best, best_weights);
	out->body = from->body;
	return true;
}
