/* SPDX-License-Identifier: Apache-2.0
 *
 * The pixel map: what a frame says at each pixel, in 16 bytes. x: depth (mm, 0: no reading). y: offset of the plane through
 * the reading, so that normal . p + offset is the distance of p in mm, positive towards the camera. z, w: unit normal towards
 * the camera in 16-bit steps of 1/32767 and weight in steps of 1/16384 (0: no reading); x of the normal and z of it low.
 *
 * Steps of 1.5e-5 tilt a plane by 0.4 um over the 25 mm of a view, were the offset not made from the normal as it is stored:
 * so the plane passes through its reading and errs by nanometres around it. */
#ifndef ENM_PIXEL_H
#define ENM_PIXEL_H

#include "geometry.h"
#include "lanes.h"

#define NORMAL_STEPS 32767.0f
#define WEIGHT_STEPS 16384.0f

/* ---- one pixel ---- */

static inline float pixel_depth_mm(uint4 p)
{
	return as_float(p.x);
}

static inline float3 pixel_normal(uint4 p)
{
	return (float3)((int)(p.z << 16) >> 16, (int)p.z >> 16, (int)(p.w << 16) >> 16) * (1.0f / NORMAL_STEPS);
}

static inline float pixel_weight(uint4 p)
{
	return (p.w >> 16) * (1.0f / WEIGHT_STEPS);
}

/* ---- LANES pixels ---- */

typedef struct pixels {
	uintn depth, offset, normal_xy, normal_z_weight;
} pixels;

static inline void pixels_make(floatn depth_mm, floatn ray_x, floatn ray_y, floatn nx, floatn ny, floatn nz, floatn weight,
			       intn usable, pixels *out)
{
	intn sx = lanes_round(select((floatn)(0.0f), nx, usable) * NORMAL_STEPS);
	intn sy = lanes_round(select((floatn)(0.0f), ny, usable) * NORMAL_STEPS);
	intn sz = lanes_round(select((floatn)(0.0f), nz, usable) * NORMAL_STEPS);
	intn sw = max(lanes_round(select((floatn)(0.0f), weight, usable) * WEIGHT_STEPS), (intn)(1));
	floatn z = select((floatn)(0.0f), depth_mm, usable);
	floatn offset = (to_floatn(sx) * ray_x + to_floatn(sy) * ray_y + to_floatn(sz)) * z * (-1.0f / NORMAL_STEPS);
	sw = select((intn)(0), min(sw, (intn)(0xFFFF)), usable);
	out->depth = as_uintn(z);
	out->offset = as_uintn(offset);
	out->normal_xy = as_uintn((sx & 0xFFFF) | sy << 16);
	out->normal_z_weight = as_uintn((sz & 0xFFFF) | sw << 16);
}

/* Of the LANES pixels only the first `count` exist. */
static inline void pixels_store(const pixels *p, int count, __global uint4 *to)
{
	uint depth[LANES], offset[LANES], normal_xy[LANES], normal_z_weight[LANES];
	lanes_store(p->depth, depth);
	lanes_store(p->offset, offset);
	lanes_store(p->normal_xy, normal_xy);
	lanes_store(p->normal_z_weight, normal_z_weight);
#pragma unroll
	for (int i = 0; i < LANES; i++)
		if (i < count)
			to[i] = (uint4)(depth[i], offset[i], normal_xy[i], normal_z_weight[i]);
}

/* Nearest and farthest depth of LANES pixels and the number of readings among them. */
static inline void pixels_range(const pixels *p, __local float *nearest, __local float *farthest, __local float *readings)
{
	uint depth[LANES];
	float low = INFINITY, high = 0.0f, count = 0.0f;
	lanes_store(p->depth, depth);
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		float z = as_float(depth[i]);
		low = z > 0.0f ? fmin(low, z) : low;
		high = fmax(high, z);
		count += z > 0.0f ? 1.0f : 0.0f;
	}
	*nearest = low;
	*farthest = high;
	*readings = count;
}

/* The pixels at LANES places of the map; their depth is left out. */
static inline void pixels_gather(__global const uint4 *map, intn at, pixels *out)
{
	int index[LANES];
	uint offset[LANES], normal_xy[LANES], normal_z_weight[LANES];
	lanes_store(at, index);
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		uint4 p = map[index[i]];
		offset[i] = p.y;
		normal_xy[i] = p.z;
		normal_z_weight[i] = p.w;
	}
	out->depth = 0;
	out->offset = lanes_load(offset);
	out->normal_xy = lanes_load(normal_xy);
	out->normal_z_weight = lanes_load(normal_z_weight);
}

/* Distance in mm of points from the planes of pixels, positive towards the camera. */
static inline floatn pixels_distance(const pixels *p, floatn x, floatn y, floatn z)
{
	floatn nx = to_floatn(as_intn(p->normal_xy << 16) >> 16), ny = to_floatn(as_intn(p->normal_xy) >> 16);
	floatn nz = to_floatn(as_intn(p->normal_z_weight << 16) >> 16);
	return lanes_fma(lanes_fma(nx, x, lanes_fma(ny, y, nz * z)), 1.0f / NORMAL_STEPS, as_floatn(p->offset));
}

static inline floatn pixels_weight(const pixels *p)
{
	return to_floatn(p->normal_z_weight >> 16) * (1.0f / WEIGHT_STEPS);
}

/* ---- rays of LANES pixels ---- */

static inline void rays_at(const enm_k_camera *c, __global const float2 *rays, int px, int py, floatn out[2])
{
	float x[LANES], y[LANES];
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		float2 ray = rays[(size_t)clamp(py, 0, c->height - 1) * c->width + clamp(px + i, 0, c->width - 1)];
		x[i] = ray.x;
		y[i] = ray.y;
	}
	out[0] = lanes_load(x);
	out[1] = lanes_load(y);
}

static inline void rays_load(const enm_k_camera *c, __global const float2 *rays, int px, int py, floatn out[2])
{
	if (c->distorted) {
		rays_at(c, rays, px, py, out);
	} else {
		out[0] = (to_floatn(px + LANE_NUMBERS) - c->cx) / c->fx;
		out[1] = (floatn)((py - c->cy) / c->fy);
	}
}

/* How rays change by one pixel in x and in y. */
static inline void rays_step(const enm_k_camera *c, __global const float2 *rays, int px, int py, floatn out_x[2], floatn out_y[2])
{
	if (!c->distorted) {
		out_x[0] = 1.0f / c->fx;
		out_y[1] = 1.0f / c->fy;
		out_x[1] = out_y[0] = 0.0f;
		return;
	}
	floatn before[2], after[2];
	rays_at(c, rays, px - 1, py, before);
	rays_at(c, rays, px + 1, py, after);
	out_x[0] = 0.5f * (after[0] - before[0]);
	out_x[1] = 0.5f * (after[1] - before[1]);
	rays_at(c, rays, px, py - 1, before);
	rays_at(c, rays, px, py + 1, after);
	out_y[0] = 0.5f * (after[0] - before[0]);
	out_y[1] = 0.5f * (after[1] - before[1]);
}

#endif
