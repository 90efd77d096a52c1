/* SPDX-License-Identifier: Apache-2.0
 * Poses and projection on the device. */
#ifndef ENM_GEOMETRY_H
#define ENM_GEOMETRY_H

#include "lanes.h"
#include "layout.h"

static inline float3 pose_rotate(const enm_k_pose *p, float3 v)
{
	return (float3)(p->r[0] * v.x + p->r[1] * v.y + p->r[2] * v.z, p->r[3] * v.x + p->r[4] * v.y + p->r[5] * v.z,
			p->r[6] * v.x + p->r[7] * v.y + p->r[8] * v.z);
}

static inline float3 pose_rotate_back(const enm_k_pose *p, float3 v)
{
	return (float3)(p->r[0] * v.x + p->r[3] * v.y + p->r[6] * v.z, p->r[1] * v.x + p->r[4] * v.y + p->r[7] * v.z,
			p->r[2] * v.x + p->r[5] * v.y + p->r[8] * v.z);
}

static inline float3 pose_translation(const enm_k_pose *p)
{
	return (float3)(p->t[0], p->t[1], p->t[2]);
}

static inline float3 pose_apply(const enm_k_pose *p, float3 v)
{
	return pose_rotate(p, v) + pose_translation(p);
}

static inline float3 pose_apply_back(const enm_k_pose *p, float3 v)
{
	return pose_rotate_back(p, v - pose_translation(p));
}

static inline void pose_invert(const enm_k_pose *p, enm_k_pose *out)
{
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			out->r[3 * i + j] = p->r[3 * j + i];
	float3 t = -pose_rotate_back(p, pose_translation(p));
	out->t[0] = t.x;
	out->t[1] = t.y;
	out->t[2] = t.z;
}

/* When a row was exposed: from -1 for the first to 1 for the last. */
static inline float row_moment(const enm_k_camera *c, float row)
{
	return (2.0f * row - (c->height - 1)) / (c->height - 1);
}

/* Where a point seen at a moment lies in the camera's frame of the middle row; first order, which errs by a micrometre at 90
 * degrees a second. */
static inline float3 skew_apply(const float *skew, float moment, float3 p)
{
	float3 turn = (float3)(skew[0], skew[1], skew[2]), move = (float3)(skew[3], skew[4], skew[5]);
	return p + moment * (cross(turn, p) + move);
}

/* Pixel of a point in the camera's frame with z > 0. Distortion as OpenCV defines it (k1, k2, p1, p2, k3). */
static inline float2 camera_project(const enm_k_camera *c, float3 p)
{
	float inverse = 1.0f / p.z;
	float x = p.x * inverse, y = p.y * inverse;
	if (c->distorted) {
		float r2 = x * x + y * y;
		float radial = 1.0f + r2 * (c->k1 + r2 * (c->k2 + r2 * c->k3));
		float xd = x * radial + 2.0f * c->p1 * x * y + c->p2 * (r2 + 2.0f * x * x);
		float yd = y * radial + c->p1 * (r2 + 2.0f * y * y) + 2.0f * c->p2 * x * y;
		x = xd;
		y = yd;
	}
	return (float2)(c->fx * x + c->cx, c->fy * y + c->cy);
}

/* Where LANES points of the camera's frame fall in the picture, half a pixel added. */
static inline void image_lanes(const enm_k_camera *c, floatn x, floatn y, floatn z, floatn *u, floatn *v)
{
	floatn inverse = 1.0f / select((floatn)(1e-3f), z, z > 1e-3f);
	floatn a = x * inverse, b = y * inverse;
	if (c->distorted) {
		floatn r2 = a * a + b * b;
		floatn radial = 1.0f + r2 * (c->k1 + r2 * (c->k2 + r2 * c->k3));
		floatn ad = a * radial + 2.0f * c->p1 * a * b + c->p2 * (r2 + 2.0f * a * a);
		b = b * radial + c->p1 * (r2 + 2.0f * b * b) + 2.0f * c->p2 * a * b;
		a = ad;
	}
	*u = lanes_fma(a, c->fx, c->cx + 0.5f);
	*v = lanes_fma(b, c->fy, c->cy + 0.5f);
}

/* Position on the plane z = 1 seen by a pixel; the inverse of camera_project, by fixed-point iteration. */
static inline float2 camera_ray(const enm_k_camera *c, float2 pixel)
{
	float xd = (pixel.x - c->cx) / c->fx, yd = (pixel.y - c->cy) / c->fy;
	float x = xd, y = yd;
	if (c->distorted) {
		for (int i = 0; i < 20; i++) {
			float r2 = x * x + y * y;
			float radial = 1.0f + r2 * (c->k1 + r2 * (c->k2 + r2 * c->k3));
			float dx = 2.0f * c->p1 * x * y + c->p2 * (r2 + 2.0f * x * x);
			float dy = c->p1 * (r2 + 2.0f * y * y) + 2.0f * c->p2 * x * y;
			x = (xd - dx) / radial;
			y = (yd - dy) / radial;
		}
	}
	return (float2)(x, y);
}

#endif
