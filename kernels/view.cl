/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of the model by raycasting.
 *
 *   view_range_clear, view_range   nearest and farthest block per tile of the picture bound the rays
 *   view_points     world points and normals at the camera's pose, for the raycast tracker
 *   view_picture    a shaded picture for people
 */
#include "geometry.h"
#include "halves.h"
#include "volume.h"

__kernel void view_range_clear(const enm_k_view view, __global int *range)
{
	int i = get_global_id(0);
	if (i >= view.tiles_x * view.tiles_y)
		return;
	range[2 * i] = as_int(view.far_mm);
	range[2 * i + 1] = 0;
}

/* The eye is given by `view`, or, for the tracker, by its last pose. */
static inline enm_k_pose eye_pose(const enm_k_view *view, __global const enm_k_track *track, int follow)
{
	return follow ? track->last : view->world_from_eye;
}

/* A block's sphere covers a square of tiles. Positive floats order as their bits do, so integer minima serve. */
__kernel void view_range(const enm_k_view view, const enm_k_volume volume, int follow,
			 __global const enm_k_track *track, __global const enm_k_blocks *blocks,
			 __global const uint *keys, volatile __global int *range)
{
	uint i = get_global_id(0);
	if (i >= blocks->used)
		return;
	enm_k_pose pose = eye_pose(&view, track, follow);
	float block_mm = volume.voxel_mm * ENM_K_BLOCK_EDGE, radius_mm = 0.8661f * (block_mm + 2.0f * volume.voxel_mm);
	float3 p = pose_apply_back(&pose, (convert_float3(block_of_key(keys[i])) + 0.5f) * block_mm);
	float nearest_mm = p.z - radius_mm, farthest_mm = p.z + radius_mm;
	if (!(farthest_mm > view.near_mm && nearest_mm < view.far_mm))
		return;
	nearest_mm = fmax(nearest_mm, view.near_mm);
	float scale = view.orthographic ? view.focal : view.focal / nearest_mm;
	float scale_far = view.orthographic ? view.focal : view.focal / farthest_mm;
	/* the square around both the near and the far end of the sphere's picture */
	float2 a = p.xy * scale, b = p.xy * scale_far;
	float2 centre = (float2)(view.cx, view.cy);
	float2 low = fmin(a, b) + centre - radius_mm * scale - 1.0f, high = fmax(a, b) + centre + radius_mm * scale + 1.0f;
	if (!(high.x >= 0.0f && high.y >= 0.0f && low.x < view.width && low.y < view.height))
		return;
	int x0 = (int)fmax(low.x, 0.0f) / view.tile, x1 = min((int)fmin(high.x, (float)view.width) / view.tile, view.tiles_x - 1);
	int y0 = (int)fmax(low.y, 0.0f) / view.tile, y1 = min((int)fmin(high.y, (float)view.height) / view.tile, view.tiles_y - 1);
	for (int y = y0; y <= y1; y++) {
		for (int x = x0; x <= x1; x++) {
			int t = 2 * (y * view.tiles_x + x);
			atomic_min(&range[t], as_int(nearest_mm));
			atomic_max(&range[t + 1], as_int(farthest_mm));
		}
	}
}

typedef struct hit {
	float3 point_mm, normal;
	enm_k_voxel voxel; /* the nearest one, for its colour and views */
	bool found;
} hit;

/* Interpolated distance at a point in truncations; false where the model has no complete cell. */
static inline bool sample_distance(__global const uint2 *table, __global const uint *voxels, uint mask, float3 v,
			    float *distance, float3 *gradient)
{
	float3 low = floor(v);
	uint8 corner;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	if (!cell_load(table, voxels, mask, convert_int3(low), &last, &corner) || !cell_seen(corner))
		return false;
	*distance = cell_value(cell_distances(corner) / ENM_K_SDF_ONE, v - low, gradient);
	return true;
}

/* First crossing from outside to inside along origin + s * direction (world, mm), s in [from, to]. `slope` is the length of
 * direction. Steps by the distance read, by a block where there is none. */
static inline hit cast_ray(__global const uint2 *table, __global const uint *voxels, const enm_k_volume *volume,
		    float3 origin_mm, float3 direction, float slope, float from, float to)
{
	hit h;
	h.found = false;
	float per_voxel = 1.0f / volume->voxel_mm, step_min = volume->voxel_mm / slope;
	float3 o = origin_mm * per_voxel, d = direction * per_voxel;
	float s = from, before = from, value_before = -1.0f;
	bool outside = false;
	for (int i = 0; i < 1000 && s < to; i++) {
		float3 at = o + d * s;
		int3 v = convert_int3(floor(at));
		uint index = block_find(table, volume->table_mask, v >> 3);
		if (index == BLOCK_NONE) {
			outside = false;
			/* to the block's far side */
			float3 wall = convert_float3(((v >> 3) + select((int3)(0), (int3)(1), d > 0.0f)) << 3);
			float3 t = select((float3)(INFINITY), (wall - at) / d, fabs(d) > 1e-9f);
			s += fmax(fmin(t.x, fmin(t.y, t.z)), 0.0f) + 0.05f * step_min;
			continue;
		}
		uint nearest = voxels[voxel_word(index, voxel_in_block(v))];
		bool known = nearest >> 16 != 0;
		float value = known ? word_sdf(nearest) / ENM_K_SDF_ONE : 2.0f;
		float3 gradient;
		if (known && value < 0.7f && !sample_distance(table, voxels, volume->table_mask, at, &value, &gradient))
			value = 2.0f;
		if (value == 2.0f) {
			outside = false;
			s += step_min;
			continue;
		}
		if (value < 0.0f && outside) {
			float root = before + (s - before) * value_before / (value_before - value);
			float3 p = o + d * root;
			float left;
			if (sample_distance(table, voxels, volume->table_mask, p, &left, &gradient)) {
				/* one more step of the secant, from the better side */
				root += left * volume->truncation_mm / slope;
				float3 q = o + d * root;
				float3 refined;
				if (sample_distance(table, voxels, volume->table_mask, q, &left, &refined)) {
					p = q;
					gradient = refined;
				}
				h.point_mm = p * volume->voxel_mm;
				h.normal = normalize(gradient);
				h.voxel = voxel_get(voxels, index, voxel_in_block(v));
				h.found = dot(gradient, gradient) > 0.0f;
				return h;
			}
		}
		outside = value >= 0.0f;
		before = s;
		value_before = value;
		s += fmax(fabs(value) * volume->truncation_mm * 0.8f / slope, 0.5f * step_min);
	}
	return h;
}

/* For every `stride`-th pixel of the camera: world point (w 1 where there is one) and normal, in halves or floats, at the pose of
 * the last tracked frame. */
__kernel void view_points(const enm_k_view view, const enm_k_volume volume, const enm_k_camera camera, int stride,
			  int halves, __global const float2 *rays, __global const enm_k_track *track, __global const int *range,
			  __global const uint2 *table, __global const uint *voxels, __global float4 *points,
			  __global void *normals)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= view.width || y >= view.height || track->verdict == ENM_K_VERDICT_LOST)
		return;
	enm_k_pose pose = track->last;
	int tile = 2 * (y / view.tile * view.tiles_x + x / view.tile);
	float2 ray = rays[(y * stride + stride / 2) * camera.width + x * stride + stride / 2];
	float3 direction = pose_rotate(&pose, (float3)(ray, 1.0f));
	hit h = cast_ray(table, voxels, &volume, pose_translation(&pose), direction, length(direction),
			 as_float(range[tile]), as_float(range[tile + 1]));
	int i = y * view.width + x;
	points[i] = h.found ? (float4)(h.point_mm, 1.0f) : (float4)(0.0f);
	unit_store(normals, i, halves, h.found ? h.normal : (float3)(0.0f));
}

/* Shades as the values of enm_shade. */
#define SHADE_COLOR 1
#define SHADE_VIEWS 2
#define SHADE_NORMAL 3

/* Two lights that move with the eye: a key from the upper left and a fill from the front. */
static inline float3 shade_hit(const hit *h, const enm_k_pose *pose, float3 direction, int shade)
{
	float3 n = h->normal;
	if (shade == SHADE_NORMAL)
		return 0.5f + 0.5f * pose_rotate_back(pose, n) * (float3)(1.0f, -1.0f, -1.0f);
	float3 to_eye = normalize(-direction);
	float3 key = normalize(pose_rotate(pose, (float3)(-0.4f, -0.6f, -0.7f)));
	float lit = 0.15f + 0.45f * fmax(dot(n, key), 0.0f) + 0.40f * fmax(dot(n, to_eye), 0.0f);
	float3 half_way = normalize(key + to_eye);
	float gloss = 0.12f * pow(fmax(dot(n, half_way), 0.0f), 40.0f);
	float3 base = (float3)(0.80f, 0.78f, 0.74f);
	if (shade == SHADE_COLOR && (h->voxel.red | h->voxel.green | h->voxel.blue))
		base = (float3)(h->voxel.red, h->voxel.green, h->voxel.blue) / 255.0f;
	if (shade == SHADE_VIEWS) {
		/* from orange (once) over white to blue (30 and more): told apart by colour-blind eyes */
		float t = clamp(h->voxel.views / 30.0f, 0.0f, 1.0f);
		float3 few = (float3)(0.90f, 0.45f, 0.05f), some = (float3)(0.95f), many = (float3)(0.15f, 0.40f, 0.80f);
		base = t < 0.5f ? mix(few, some, 2.0f * t) : mix(some, many, 2.0f * t - 1.0f);
	}
	return base * lit + gloss;
}

__kernel void view_picture(const enm_k_view view, const enm_k_volume volume, __global const int *range,
			   __global const uint2 *table, __global const uint *voxels, __global uint *picture)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= view.width || y >= view.height)
		return;
	enm_k_pose pose = view.world_from_eye;
	int tile = 2 * (y / view.tile * view.tiles_x + x / view.tile);
	float2 at = ((float2)(x, y) - (float2)(view.cx, view.cy)) / view.focal;
	float3 from = view.orthographic ? pose_apply(&pose, (float3)(at, 0.0f)) : pose_translation(&pose);
	float3 direction = pose_rotate(&pose, view.orthographic ? (float3)(0.0f, 0.0f, 1.0f) : (float3)(at, 1.0f));
	hit h = cast_ray(table, voxels, &volume, from, direction, length(direction), as_float(range[tile]),
			 as_float(range[tile + 1]));
	uint out = view.background;
	if (h.found) {
		float3 c = clamp(shade_hit(&h, &pose, direction, view.shade), 0.0f, 1.0f) * 255.0f + 0.5f;
		out = (uint)c.x | (uint)c.y << 8 | (uint)c.z << 16 | 255u << 24;
	}
	picture[y * view.width + x] = out;
}
