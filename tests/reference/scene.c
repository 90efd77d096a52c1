/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/scene.h"

#include <math.h>

double ref_dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

void ref_cross(const double a[3], const double b[3], double out[3])
{
	const double c[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
	for (int i = 0; i < 3; i++)
		out[i] = c[i];
}

double ref_length(const double a[3])
{
	return sqrt(ref_dot(a, a));
}

/* ---- poses ---- */

ref_pose ref_pose_from(const enm_pose *pose)
{
	const double *q = pose->q_xyzw;
	ref_pose out;
	/* columns are the turned axes: v + 2 w (u x v) + 2 u x (u x v) */
	for (int axis = 0; axis < 3; axis++) {
		const double v[3] = {axis == 0, axis == 1, axis == 2};
		double once[3], twice[3];
		ref_cross(q, v, once);
		ref_cross(q, once, twice);
		for (int i = 0; i < 3; i++)
			out.r[3 * i + axis] = v[i] + 2.0 * q[3] * once[i] + 2.0 * twice[i];
		out.t[axis] = pose->t_mm[axis];
	}
	return out;
}

enm_pose ref_pose_make(double wx, double wy, double wz, double tx, double ty, double tz)
{
	const double w[3] = {wx, wy, wz};
	const double angle = ref_length(w), s = angle > 0 ? sin(0.5 * angle) / angle : 0.5;
	return (enm_pose){.t_mm = {tx, ty, tz}, .q_xyzw = {s * wx, s * wy, s * wz, cos(0.5 * angle)}};
}

void ref_pose_rotate(const ref_pose *pose, const double v[3], double out[3])
{
	double turned[3];
	for (int i = 0; i < 3; i++)
		turned[i] = ref_dot(pose->r + 3 * i, v);
	for (int i = 0; i < 3; i++)
		out[i] = turned[i];
}

void ref_pose_apply(const ref_pose *pose, const double p[3], double out[3])
{
	ref_pose_rotate(pose, p, out);
	for (int i = 0; i < 3; i++)
		out[i] += pose->t[i];
}

void ref_pose_apply_back(const ref_pose *pose, const double p[3], double out[3])
{
	const double d[3] = {p[0] - pose->t[0], p[1] - pose->t[1], p[2] - pose->t[2]};
	for (int i = 0; i < 3; i++)
		out[i] = pose->r[i] * d[0] + pose->r[3 + i] * d[1] + pose->r[6 + i] * d[2];
}

ref_pose ref_pose_multiply(const ref_pose *a, const ref_pose *b)
{
	ref_pose out;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			out.r[3 * i + j] =
				a->r[3 * i] * b->r[j] + a->r[3 * i + 1] * b->r[3 + j] + a->r[3 * i + 2] * b->r[6 + j];
	ref_pose_apply(a, b->t, out.t);
	return out;
}

/* By the chord between the matrices, which is exact for small angles too. */
double ref_pose_angle(const ref_pose *a, const ref_pose *b)
{
	double chord2 = 0.0;
	for (int i = 0; i < 9; i++)
		chord2 += (a->r[i] - b->r[i]) * (a->r[i] - b->r[i]);
	return 2.0 * asin(fmin(1.0, sqrt(chord2 / 8.0)));
}

double ref_pose_shift(const ref_pose *a, const ref_pose *b)
{
	const double d[3] = {a->t[0] - b->t[0], a->t[1] - b->t[1], a->t[2] - b->t[2]};
	return ref_length(d);
}

/* ---- scenes ---- */

static double bumps_height(const ref_scene *s, double x, double y)
{
	return s->a + s->b * (sin(s->c * x) * cos(s->d * y) + 0.4 * sin(2.3 * s->c * x + 1.0) +
				     0.5 * cos(1.7 * s->d * y + 0.6 * s->c * x));
}

/* To first order, by the height's derivatives along x and y. */
static double bumps_distance(const ref_scene *s, const double p[3])
{
	const double u = s->c * p[0], v = s->d * p[1], w = 2.3 * u + 1.0, both = 1.7 * v + 0.6 * u;
	const double height = s->a + s->b * (sin(u) * cos(v) + 0.4 * sin(w) + 0.5 * cos(both));
	const double hx = s->b * s->c * (cos(u) * cos(v) + 0.92 * cos(w) - 0.3 * sin(both));
	const double hy = -s->b * s->d * (sin(u) * sin(v) + 0.85 * sin(both));
	return (height - p[2]) / sqrt(1.0 + hx * hx + hy * hy);
}

/* Outward normals of a cube's three faces at a corner that points to -z, turned about z by the yaw. */
static void corner_normal(double yaw, int face, double n[3])
{
	const double around = yaw + face * (2.0 * acos(-1.0) / 3.0);
	n[0] = cos(around) * sqrt(2.0 / 3.0);
	n[1] = sin(around) * sqrt(2.0 / 3.0);
	n[2] = -sqrt(1.0 / 3.0);
}

double ref_scene_distance(const ref_scene *s, const double p[3])
{
	switch (s->shape) {
	case REF_PLANE:
		return s->a * p[0] + s->b * p[1] + s->c * p[2] - s->d;
	case REF_SPHERE: {
		const double d[3] = {p[0] - s->a, p[1] - s->b, p[2] - s->c};
		return ref_length(d) - s->d;
	}
	case REF_CYLINDER:
		return hypot(p[0] - s->a, p[2] - s->c) - s->d;
	case REF_CORNER: {
		const double d[3] = {p[0] - s->a, p[1] - s->b, p[2] - s->c};
		double most = -INFINITY;
		for (int face = 0; face < 3; face++) {
			double n[3];
			corner_normal(s->d, face, n);
			most = fmax(most, ref_dot(n, d));
		}
		return most;
	}
	case REF_BUMPS:
		return bumps_distance(s, p);
	}
	return NAN;
}

void ref_scene_normal(const ref_scene *s, const double p[3], double out[3])
{
	const double step = 1e-4;
	for (int i = 0; i < 3; i++) {
		double up[3] = {p[0], p[1], p[2]}, down[3] = {p[0], p[1], p[2]};
		up[i] += step;
		down[i] -= step;
		out[i] = ref_scene_distance(s, up) - ref_scene_distance(s, down);
	}
	const double length = ref_length(out);
	for (int i = 0; i < 3; i++)
		out[i] /= length;
}

/* ---- camera ---- */

static void distort(const double k[5], double x, double y, double out[2])
{
	const double r2 = x * x + y * y;
	const double radial = 1.0 + k[0] * r2 + k[1] * r2 * r2 + k[4] * r2 * r2 * r2;
	out[0] = x * radial + 2.0 * k[2] * x * y + k[3] * (r2 + 2.0 * x * x);
	out[1] = y * radial + k[2] * (r2 + 2.0 * y * y) + 2.0 * k[3] * x * y;
}

void ref_project(const enm_camera *c, const double p[3], double out_pixel[2])
{
	double xy[2];
	distort(c->distortion, p[0] / p[2], p[1] / p[2], xy);
	out_pixel[0] = c->fx * xy[0] + c->cx;
	out_pixel[1] = c->fy * xy[1] + c->cy;
}

/* Newton's method with a numerical Jacobian. */
void ref_ray(const enm_camera *c, double px, double py, double out_xy[2])
{
	const double goal[2] = {(px - c->cx) / c->fx, (py - c->cy) / c->fy}, step = 1e-6;
	double x = goal[0], y = goal[1];
	for (int i = 0; i < 50; i++) {
		double at[2], dx[2], dy[2];
		distort(c->distortion, x, y, at);
		if (fabs(goal[0] - at[0]) + fabs(goal[1] - at[1]) < 1e-15)
			break;
		distort(c->distortion, x + step, y, dx);
		distort(c->distortion, x, y + step, dy);
		const double j[4] = {
			(dx[0] - at[0]) / step, (dy[0] - at[0]) / step, (dx[1] - at[1]) / step, (dy[1] - at[1]) / step};
		const double e[2] = {goal[0] - at[0], goal[1] - at[1]}, det = j[0] * j[3] - j[1] * j[2];
		x += (e[0] * j[3] - e[1] * j[1]) / det;
		y += (e[1] * j[0] - e[0] * j[2]) / det;
	}
	out_xy[0] = x;
	out_xy[1] = y;
}

/* How far it is to the scene at least, at depth z along a pixel's ray; below zero inside. Distances of other shapes may be inexact; that to
 * the bumps' height is known, and so is how steep they can be. */
static double free_mm(const ref_scene *s, const ref_pose *pose, const double ray[2], double z)
{
	const double p[3] = {ray[0] * z, ray[1] * z, z}, along_x = 2.22 * s->b * s->c, along_y = 1.85 * s->b * s->d;
	double world[3];
	ref_pose_apply(pose, p, world);
	if (s->shape != REF_BUMPS)
		return 0.5 * ref_scene_distance(s, world);
	return (bumps_height(s, world[0], world[1]) - world[2]) / sqrt(1.0 + along_x * along_x + along_y * along_y);
}

static double cast(const ref_scene *s, const ref_pose *pose, const double ray[2], double far_mm)
{
	const double slope = sqrt(1.0 + ray[0] * ray[0] + ray[1] * ray[1]);
	double z = 1e-3, before = z;
	for (;;) {
		const double step_mm = free_mm(s, pose, ray, z);
		if (step_mm < 0)
			break;
		before = z;
		z += fmax(step_mm / slope, 0.002);
		if (!(z < far_mm))
			return 0.0;
	}
	for (int i = 0; i < 50 && (float)before != (float)z; i++) { /* the picture is in floats */
		const double middle = 0.5 * (before + z);
		if (free_mm(s, pose, ray, middle) < 0)
			z = middle;
		else
			before = middle;
	}
	return z;
}

static void render_row(
	const ref_scene *s, const enm_camera *c, const enm_pose *world_from_camera, uint32_t y, double far_mm, float *out_row)
{
	const ref_pose pose = ref_pose_from(world_from_camera);
	for (uint32_t x = 0; x < c->width; x++) {
		double ray[2];
		ref_ray(c, x, y, ray);
		out_row[x] = (float)cast(s, &pose, ray, far_mm);
	}
}

void ref_scene_render(
	const ref_scene *s, const enm_camera *c, const enm_pose *world_from_camera, double far_mm, float *out_depth)
{
	for (uint32_t y = 0; y < c->height; y++)
		render_row(s, c, world_from_camera, y, far_mm, out_depth + (size_t)y * c->width);
}

void ref_scene_render_rows(
	const ref_scene *s, const enm_camera *c, const enm_pose *world_from_camera, double far_mm, float *out_depth)
{
	for (uint32_t y = 0; y < c->height; y++)
		render_row(s, c, &world_from_camera[y], y, far_mm, out_depth + (size_t)y * c->width);
}
