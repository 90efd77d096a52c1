/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a frame has something to say to a block, or to a chunk of blocks; and where a block's voxels fall in the picture. */
#ifndef ENM_IN_VIEW_H
#define ENM_IN_VIEW_H

#include "pixel.h"
#include "volume.h"

/* How far behind the surface a block may lie and still be in the band of a slanted reading. */
#define SLANT_REACH 2.5f

/* Farthest reading in the square of +-`reach` pixels around `at`; 0 where there is none. */
static inline float farthest_in(const enm_k_camera *c, __global const float4 *tiles, float2 at, float reach)
{
	int tiles_x = (c->width + DEPTH_TILE - 1) / DEPTH_TILE, tiles_y = (c->height + DEPTH_TILE - 1) / DEPTH_TILE;
	/* in floats first: a point far aside would not fit an int */
	if (!(at.x + reach >= 0.0f && at.y + reach >= 0.0f && at.x - reach < c->width && at.y - reach < c->height))
		return 0.0f;
	int x0 = max((int)(at.x - reach), 0) / DEPTH_TILE, x1 = min((int)(at.x + reach) / DEPTH_TILE, tiles_x - 1);
	int y0 = max((int)(at.y - reach), 0) / DEPTH_TILE, y1 = min((int)(at.y + reach) / DEPTH_TILE, tiles_y - 1);
	float farthest_mm = 0.0f;
	for (int y = y0; y <= y1; y++)
		for (int x = x0; x <= x1; x++)
			farthest_mm = fmax(farthest_mm, tiles[y * tiles_x + x].y);
	return farthest_mm;
}

/* Whether any reading near the sphere's place in the picture may change what it holds: it must not be hidden behind all of
 * them. `p` and the radius in mm, in the camera's frame. */
static inline bool sphere_in_view(const enm_k_camera *c, float truncation_mm, __global const float4 *tiles, float3 p, float radius_mm)
{
	float nearest_mm = p.z - radius_mm;
	if (!(nearest_mm > 0.25f * c->depth_min_mm))
		return false;
	float reach = radius_mm * fmax(c->fx, c->fy) / nearest_mm + 1.0f;
	float farthest_mm = farthest_in(c, tiles, camera_project(c, p), reach);
	return farthest_mm > 0.0f && nearest_mm <= farthest_mm + SLANT_REACH * truncation_mm;
}

/* Bounds of the picture on the plane z = 1, a little wider than its corners and the middles of its edges say. */
static inline float4 ray_bounds(const enm_k_camera *c, __global const float2 *rays)
{
	float2 low = (float2)(INFINITY), high = (float2)(-INFINITY);
	for (int i = 0; i < 9; i++) {
		float2 ray = rays[(i / 3) * (c->height - 1) / 2 * c->width + (i % 3) * (c->width - 1) / 2];
		low = fmin(low, ray);
		high = fmax(high, ray);
	}
	float2 margin = 0.05f * (high - low);
	return (float4)(low - margin, high + margin);
}

/* Whether a sphere reaches into the view, however far. `p` in the camera's frame. */
static inline bool sphere_in_frustum(float4 bounds, float3 p, float radius_mm)
{
	float4 outside = (float4)(bounds.xy * p.z - p.xy, p.xy - bounds.zw * p.z);
	return p.z > -radius_mm && all(outside <= radius_mm * sqrt(1.0f + bounds * bounds));
}

/* Box of a chunk of blocks: low (w: number of blocks it was made of) and high. Made anew when blocks have been added. */
static inline void refresh_box(__global const uint *keys, uint first, uint count, __global int4 *box)
{
	if (box[0].w == (int)count)
		return;
	int3 low = (int3)(INT_MAX), high = (int3)(INT_MIN);
	for (uint i = 0; i < count; i++) {
		int3 b = block_of_key(keys[first + i]);
		low = min(low, b);
		high = max(high, b);
	}
	box[0] = (int4)(low, (int)count);
	box[1] = (int4)(high, 0);
}

/* A block's place in the camera's frame: its first voxel and the steps from voxel to voxel. */
typedef struct placed_block {
	float3 start, ex, ey, ez;
} placed_block;

/* Takes LANES points from where they are in the frame of the middle row to where they were when the row `v` was exposed. */
static inline void lanes_at_row(const enm_k_camera *c, __global const float *skew, floatn v, floatn *x, floatn *y, floatn *z)
{
	float3 turn = vload3(0, skew), move = vload3(1, skew);
	/* the row's own moment, as row_moment has it */
	floatn row = to_floatn(to_intn(clamp(v, 0.0f, c->height - 1.0f)));
	floatn moment = (2.0f * row - (c->height - 1)) * (1.0f / (c->height - 1));
	floatn dx = turn.y * *z - turn.z * *y + move.x, dy = turn.z * *x - turn.x * *z + move.y, dz = turn.x * *y - turn.y * *x + move.z;
	*x -= moment * dx;
	*y -= moment * dy;
	*z -= moment * dz;
}

/* Pixels that saw LANES points, and which did. `rolling`: rows are exposed one after the other, and the points are moved to where they were
 * then: the first look tells the row well enough to find the pixel, whose row tells the moment. */
static inline intn seen_lanes(const enm_k_camera *c, bool rolling, __global const enm_k_track *track, floatn *x, floatn *y, floatn *z,
			      intn *out_inside)
{
	floatn u, v;
	image_lanes(c, *x, *y, *z, &u, &v);
	if (rolling) {
		floatn xr = *x, yr = *y, zr = *z;
		lanes_at_row(c, track->skew, v, &xr, &yr, &zr);
		image_lanes(c, xr, yr, zr, &u, &v);
		lanes_at_row(c, track->skew, v, x, y, z);
	}
	*out_inside = (*z > 0.0f) & (u > 0.0f) & (v > 0.0f) & (u < (float)c->width) & (v < (float)c->height);
	intn column = to_intn(select((floatn)(0.0f), u, *out_inside)), row = to_intn(select((floatn)(0.0f), v, *out_inside));
	return row * c->width + column;
}

static inline void place_block(__global const enm_k_track *track, float voxel_mm, uint key, __private placed_block *out)
{
	enm_k_pose pose = track->world_from_camera;
	out->start = pose_apply_back(&pose, convert_float3(block_of_key(key) * ENM_K_BLOCK_EDGE) * voxel_mm);
	out->ex = (float3)(pose.r[0], pose.r[1], pose.r[2]) * voxel_mm;
	out->ey = (float3)(pose.r[3], pose.r[4], pose.r[5]) * voxel_mm;
	out->ez = (float3)(pose.r[6], pose.r[7], pose.r[8]) * voxel_mm;
}

/* How far the motion within the frame may carry a point at a distance from the camera. */
static inline float skew_reach_mm(const enm_k_camera *c, __global const enm_k_track *track, float distance_mm)
{
	return c->rolling ? length(vload3(0, track->skew)) * distance_mm + length(vload3(1, track->skew)) : 0.0f;
}

/* Whether the frame has something to say to a block's voxels, asked in the middles of its 64 cubes of 2x2x2: no voxel is farther from
 * one than `margin`, in truncations. Where the picture steps between two middles a block with a voxel or two to learn may be missed. */
static inline bool block_in_band(const enm_k_camera *c, const enm_k_volume *v, __global const enm_k_track *track,
				 __global const uint4 *pixel_map, const placed_block *b)
{
	const float per_truncation = 1.0f / v->truncation_mm, margin = 0.8661f * v->voxel_mm * per_truncation;
	bool found = false;
	for (int first = 0; first < 64 && !found; first += LANES) {
		intn n = first + LANE_NUMBERS, inside;
		floatn i = to_floatn(2 * (n & 3)) + 0.5f, j = to_floatn(2 * (n >> 2 & 3)) + 0.5f, k = to_floatn(2 * (n >> 4)) + 0.5f;
		floatn x = b->start.x + b->ex.x * i + b->ey.x * j + b->ez.x * k, y = b->start.y + b->ex.y * i + b->ey.y * j + b->ez.y * k,
		       z = b->start.z + b->ex.z * i + b->ey.z * j + b->ez.z * k;
		intn at = seen_lanes(c, c->rolling != 0, track, &x, &y, &z, &inside);
		pixels p;
		pixels_gather(pixel_map, at, &p);
		floatn d = pixels_distance(&p, x, y, z) * per_truncation;
		found = lanes_any(inside & (pixels_weight(&p) > 0.0f) & (d > -1.0f - margin));
	}
	return found;
}

static inline bool block_in_view(const enm_k_camera *c, const enm_k_volume *v, __global const enm_k_track *track,
				 const enm_k_pose *pose, __global const float4 *tiles, uint key)
{
	float block_mm = v->voxel_mm * ENM_K_BLOCK_EDGE;
	float3 centre = pose_apply_back(pose, (convert_float3(block_of_key(key)) + 0.5f) * block_mm);
	float radius_mm = 0.8661f * block_mm + skew_reach_mm(c, track, length(centre));
	return sphere_in_view(c, v->truncation_mm, tiles, centre, radius_mm);
}

static inline bool chunk_in_view(const enm_k_camera *c, __global const enm_k_track *track, __global const int4 *box,
				 const enm_k_pose *pose, float4 bounds, float block_mm)
{
	float3 low = convert_float3(box[0].xyz) * block_mm, high = convert_float3(box[1].xyz + 1) * block_mm;
	float3 centre = pose_apply_back(pose, 0.5f * (low + high));
	return sphere_in_frustum(bounds, centre, 0.5f * length(high - low) + skew_reach_mm(c, track, length(centre)));
}

#endif
