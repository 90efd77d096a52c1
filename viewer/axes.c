/* SPDX-License-Identifier: Apache-2.0 */
#include "axes.h"

#include <string.h>

#include "vector.h"

#define TILT_RAD 0.6        /* side views look down a little, so that cusps show */
#define POINTS_FOR_SHAPE 16 /* fewer say nothing about the shape of the way */

static void thin(axes_way *way)
{
	for (uint32_t i = 0; i < AXES_POINTS_MAX / 2; i++)
		memcpy(way->points_mm[i], way->points_mm[2 * i], sizeof way->points_mm[i]);
	way->count = AXES_POINTS_MAX / 2;
	way->stride *= 2;
}

void axes_add(axes_way *way, const enm_pose *world_from_camera)
{
	const double ahead[3] = {0, 0, 1};
	double turned[3];
	quaternion_rotate(world_from_camera->q_xyzw, ahead, turned);
	vector_combine(1.0, way->ahead, 1.0, turned, way->ahead);
	if (!way->stride) {
		way->stride = 1;
		memcpy(way->first_q_xyzw, world_from_camera->q_xyzw, sizeof way->first_q_xyzw);
	}
	if (way->skipped++ % way->stride)
		return;
	if (way->count == AXES_POINTS_MAX)
		thin(way);
	memcpy(way->points_mm[way->count++], world_from_camera->t_mm, sizeof way->points_mm[0]);
}

/* Two unit vectors across `up`, the first near the first camera's right. */
static void find_plane(const axes_way *way, const double up[3], double u[3], double v[3])
{
	const double any[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
	double right[3];
	quaternion_rotate(way->first_q_xyzw, any[0], right);
	vector_combine(1.0, right, -vector_dot(right, up), up, u);
	for (int i = 0; i < 3 && !vector_normalize(u); i++)
		vector_combine(1.0, any[i], -vector_dot(any[i], up), up, u);
	vector_cross(up, u, v);
}

/* How far the mean lies from the middle of the extent along an axis, as a share of the extent. */
static double find_skew(const axes_way *way, const double axis[3])
{
	double low = INFINITY, high = -INFINITY, mean = 0.0;
	for (uint32_t i = 0; i < way->count; i++) {
		double at = vector_dot(way->points_mm[i], axis);
		low = fmin(low, at);
		high = fmax(high, at);
		mean += at / (double)way->count;
	}
	return high - low > 1e-6 ? (mean - 0.5 * (low + high)) / (high - low) : 0.0;
}

/* Turns u and v onto the principal axes of the way seen from above. */
static void turn_to_spread(const axes_way *way, double u[3], double v[3])
{
	double mu = 0.0, mv = 0.0, uu = 0.0, uv = 0.0, vv = 0.0, n = (double)way->count;
	for (uint32_t i = 0; i < way->count; i++) {
		mu += vector_dot(way->points_mm[i], u) / n;
		mv += vector_dot(way->points_mm[i], v) / n;
	}
	for (uint32_t i = 0; i < way->count; i++) {
		double a = vector_dot(way->points_mm[i], u) - mu, b = vector_dot(way->points_mm[i], v) - mv;
		uu += a * a;
		uv += a * b;
		vv += b * b;
	}
	double angle = 0.5 * atan2(2.0 * uv, uu - vv), old[3];
	memcpy(old, u, sizeof old);
	vector_combine(cos(angle), old, sin(angle), v, u);
	vector_combine(-sin(angle), old, cos(angle), v, v);
}

static void find_front(const axes_way *way, const double up[3], double out_front[3])
{
	double u[3], v[3];
	find_plane(way, up, u, v);
	memcpy(out_front, v, sizeof u);
	if (way->count < POINTS_FOR_SHAPE)
		return;
	turn_to_spread(way, u, v);
	double skews[2] = {find_skew(way, u), find_skew(way, v)};
	const double *midline = fabs(skews[0]) > fabs(skews[1]) ? u : v;
	double skew = midline == u ? skews[0] : skews[1];
	vector_combine(skew < 0.0 ? -1.0 : 1.0, midline, 0.0, midline, out_front);
}

void axes_find(const axes_way *way, axes_side side, double out_eye[3], double out_up[3])
{
	double axes[9], *right = axes, *front = axes + 3, *up = axes + 6;
	vector_combine(-1.0, way->ahead, 0.0, way->ahead, up);
	if (!vector_normalize(up)) {
		const double against[3] = {0, 0, -1};
		memcpy(up, against, sizeof against);
	}
	find_front(way, up, front);
	vector_cross(front, up, right);
	axes_aim(axes, side, out_eye, out_up);
}

void axes_aim(const double axes[9], axes_side side, double out_eye[3], double out_up[3])
{
	const double *right = axes, *front = axes + 3, *up = axes + 6;
	if (side == AXES_OCCLUSAL) {
		memcpy(out_eye, up, 3 * sizeof *up);
		memcpy(out_up, front, 3 * sizeof *front);
		return;
	}
	const double *flat = side == AXES_FRONT || side == AXES_LINGUAL ? front : right;
	double sign = side == AXES_LEFT || side == AXES_LINGUAL ? -1.0 : 1.0;
	vector_combine(sign * cos(TILT_RAD), flat, sin(TILT_RAD), up, out_eye);
	vector_combine(cos(TILT_RAD), up, -sign * sin(TILT_RAD), flat, out_up);
}
