/* SPDX-License-Identifier: Apache-2.0 */
#include "camera.h"

#include <string.h>

#include "vector.h"

#define HALF_ANGLE_RAD 0.2618 /* 15 degrees: half of the field of view over the smaller side */
#define DISTANCE_DEFAULT_MM 100.0
#define DISTANCE_MIN_MM 0.5
#define DISTANCE_MAX_MM 1e6  /* a kilometre: rooms are seen with this camera too */
#define BOX_LEAST_MM 1.0     /* half edge that an empty box is taken to have */
#define FRAME_MARGIN 1.04    /* air around the model */
#define BALL_EDGE 0.70710678 /* where the ball goes over into a hyperbola, so that turning has no rim */
#define CLOSE_ANGLE 1e-7     /* 1 - |cos| of half the angle */
#define CLOSE_SHARE 5e-4     /* of the distance: less than a pixel */

camera camera_default(void)
{
	return (camera){.q_xyzw = {0, 0, 0, 1}, .distance_mm = DISTANCE_DEFAULT_MM};
}

static double clamp_distance(double mm)
{
	return fmin(fmax(mm, DISTANCE_MIN_MM), DISTANCE_MAX_MM);
}

enm_pose camera_world_from_eye(const camera *c)
{
	enm_pose pose = enm_pose_identity();
	const double ahead[3] = {0.0, 0.0, 1.0};
	double axis[3];
	quaternion_rotate(c->q_xyzw, ahead, axis);
	vector_combine(1.0, c->pivot_mm, -c->distance_mm, axis, pose.t_mm);
	memcpy(pose.q_xyzw, c->q_xyzw, sizeof pose.q_xyzw);
	return pose;
}

double camera_focal_pixels(uint32_t width, uint32_t height)
{
	return 0.5 * (double)(width < height ? width : height) / tan(HALF_ANGLE_RAD);
}

/* On the side of the ball that faces the eye (Bell's trackball). */
static void point_on_ball(const double at[2], double out[3])
{
	double r = sqrt(at[0] * at[0] + at[1] * at[1]);
	out[0] = at[0];
	out[1] = at[1];
	out[2] = r < BALL_EDGE ? -sqrt(1.0 - r * r) : -0.5 / r;
	vector_normalize(out);
}

void camera_turn(camera *c, const double from[2], const double to[2])
{
	double a[3], b[3], axis[3];
	point_on_ball(from, a);
	point_on_ball(to, b);
	vector_cross(a, b, axis);
	if (!vector_normalize(axis))
		return;
	double half = 0.5 * acos(fmin(fmax(vector_dot(a, b), -1.0), 1.0));
	/* The model turns one way, hence the eye the other. */
	const double q[4] = {-axis[0] * sin(half), -axis[1] * sin(half), -axis[2] * sin(half), cos(half)};
	quaternion_product(c->q_xyzw, q, c->q_xyzw);
}

void camera_pan(camera *c, double dx, double dy, double focal_pixels)
{
	double mm_per_pixel = c->distance_mm / focal_pixels;
	const double moved[3] = {-dx * mm_per_pixel, -dy * mm_per_pixel, 0.0};
	double world[3];
	quaternion_rotate(c->q_xyzw, moved, world);
	vector_combine(1.0, c->pivot_mm, 1.0, world, c->pivot_mm);
}

void camera_zoom_about(camera *c, double factor, const double world_mm[3])
{
	double wanted_mm = clamp_distance(c->distance_mm * factor), share = wanted_mm / c->distance_mm;
	vector_combine(share, c->pivot_mm, 1.0 - share, world_mm, c->pivot_mm);
	c->distance_mm = wanted_mm;
}

void camera_zoom(camera *c, double factor, double x, double y, double focal_pixels)
{
	double mm_per_pixel = c->distance_mm / focal_pixels;
	const double off[3] = {x * mm_per_pixel, y * mm_per_pixel, 0.0};
	double world[3];
	quaternion_rotate(c->q_xyzw, off, world);
	vector_combine(1.0, world, 1.0, c->pivot_mm, world);
	camera_zoom_about(c, factor, world);
}

void camera_frame(camera *c, const camera_box *box, uint32_t width, uint32_t height)
{
	double focal = camera_focal_pixels(width, height), half[3], distance_mm = 0.0;
	const double slope[2] = {0.5 * (double)width / focal, 0.5 * (double)height / focal};
	for (int k = 0; k < 3; k++) {
		c->pivot_mm[k] = 0.5 * (box->min_mm[k] + box->max_mm[k]);
		half[k] = fmax(0.5 * (box->max_mm[k] - box->min_mm[k]), BOX_LEAST_MM);
	}
	for (int corner = 0; corner < 8; corner++) {
		const double world[3] = {corner & 1 ? half[0] : -half[0], corner & 2 ? half[1] : -half[1],
			corner & 4 ? half[2] : -half[2]};
		double eye[3];
		quaternion_rotate_back(c->q_xyzw, world, eye);
		for (int k = 0; k < 2; k++)
			distance_mm = fmax(distance_mm, FRAME_MARGIN * fabs(eye[k]) / slope[k] - eye[2]);
	}
	c->distance_mm = clamp_distance(distance_mm);
}

/* The quaternion of the rotation with these columns (Shepperd: the largest of four ways is taken). */
static void quaternion_of_columns(const double x[3], const double y[3], const double z[3], double q[4])
{
	const double four[4] = {
		1 + x[0] - y[1] - z[2], 1 - x[0] + y[1] - z[2], 1 - x[0] - y[1] + z[2], 1 + x[0] + y[1] + z[2]};
	const double mixed[4][4] = {
		{four[0], x[1] + y[0], z[0] + x[2], y[2] - z[1]},
		{x[1] + y[0], four[1], y[2] + z[1], z[0] - x[2]},
		{z[0] + x[2], y[2] + z[1], four[2], x[1] - y[0]},
		{y[2] - z[1], z[0] - x[2], x[1] - y[0], four[3]},
	};
	const double one[4] = {0, 0, 0, 1};
	int best = 0;
	for (int i = 1; i < 4; i++)
		if (four[i] > four[best])
			best = i;
	quaternion_product(mixed[best], one, q); /* normalises */
}

void camera_look(camera *c, const double eye[3], const double up[3])
{
	double x[3], y[3], z[3];
	vector_combine(-1.0, eye, 0.0, eye, z);
	vector_cross(z, up, x); /* right = ahead x up */
	if (!vector_normalize(x))
		return;
	vector_cross(z, x, y);
	quaternion_of_columns(x, y, z, c->q_xyzw);
}

void camera_approach(camera *c, const camera *target, double share)
{
	double cosine = 0.0;
	for (int i = 0; i < 4; i++)
		cosine += c->q_xyzw[i] * target->q_xyzw[i];
	double sign = cosine < 0.0 ? -1.0 : 1.0, angle = acos(fmin(fabs(cosine), 1.0));
	double a = 1.0 - share, b = share;
	if (angle > 1e-4) {
		a = sin(a * angle) / sin(angle);
		b = sin(b * angle) / sin(angle);
	}
	const double one[4] = {0, 0, 0, 1};
	for (int i = 0; i < 4; i++)
		c->q_xyzw[i] = a * c->q_xyzw[i] + b * sign * target->q_xyzw[i];
	quaternion_product(c->q_xyzw, one, c->q_xyzw);
	vector_combine(1.0 - share, c->pivot_mm, share, target->pivot_mm, c->pivot_mm);
	c->distance_mm *= pow(target->distance_mm / c->distance_mm, share);
}

bool camera_is_close(const camera *a, const camera *b)
{
	double cosine = 0.0, apart[3];
	for (int i = 0; i < 4; i++)
		cosine += a->q_xyzw[i] * b->q_xyzw[i];
	vector_combine(1.0, a->pivot_mm, -1.0, b->pivot_mm, apart);
	double limit_mm = CLOSE_SHARE * b->distance_mm;
	return 1.0 - fabs(cosine) < CLOSE_ANGLE && vector_dot(apart, apart) < limit_mm * limit_mm &&
	       fabs(a->distance_mm - b->distance_mm) < limit_mm;
}
