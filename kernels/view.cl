/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of the model by raycasting.
 *
 *   view_range_clear, view_range   nearest and farthest block per tile of the picture bound the rays
 *   view_points     world points and normals at the camera's pose, for the raycast tracker
 *   view_picture    a shaded picture for people
 *   view_hit        what the ray of the only pixel meets
 */
#include "geometry.h"
#include "halves.h"
#include "shade.h"
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
	float3 point_mm, normal; /* the normal is outward */
	enm_k_voxel voxel;       /* the nearest one, for its colour and views */
	bool found, from_behind;
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

/* Goes on from a crossing by one more step of the secant, and fills `h` but for its voxel. */
static inline void settle(__global const uint2 *table, __global const uint *voxels, const enm_k_volume *volume, float3 o, float3 d,
			  float slope, float root, __private hit *h)
{
	float3 p = o + d * root, gradient, refined;
	float left;
	h->found = false;
	if (!sample_distance(table, voxels, volume->table_mask, p, &left, &gradient))
		return;
	root += (h->from_behind ? -left : left) * volume->truncation_mm / slope;
	float3 q = o + d * root;
	if (sample_distance(table, voxels, volume->table_mask, q, &left, &refined)) { /* the better side */
		p = q;
		gradient = refined;
	}
	h->point_mm = p * volume->voxel_mm;
	h->normal = normalize(gradient);
	h->found = dot(gradient, gradient) > 0.0f;
}

/* First crossing from outside to inside along origin + s * direction (world, mm), s in [from, to]; with `behind` also from inside to outside. `slope`
 * is the length of direction. Steps by the distance read, by a block where there is none. */
static inline hit cast_ray(__global const uint2 *table, __global const uint *voxels, const enm_k_volume *volume,
		    float3 origin_mm, float3 direction, float slope, float from, float to, bool behind)
{
	hit h;
	h.found = false;
	float per_voxel = 1.0f / volume->voxel_mm, step_min = volume->voxel_mm / slope;
	float3 o = origin_mm * per_voxel, d = direction * per_voxel;
	float s = from, before = from, value_before = -1.0f;
	bool known_before = false;
	for (int i = 0; i < 1000 && s < to; i++) {
		float3 at = o + d * s;
		int3 v = convert_int3(floor(at));
		uint index = block_find(table, volume->table_mask, v >> 3);
		if (index == BLOCK_NONE) {
			known_before = false;
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
			known_before = false;
			s += step_min;
			continue;
		}
		if (known_before && (value < 0.0f ? value_before >= 0.0f : behind && value_before < 0.0f)) {
			h.from_behind = value >= 0.0f;
			settle(table, voxels, volume, o, d, slope, before + (s - before) * value_before / (value_before - value), &h);
			if (h.found) {
				h.voxel = voxel_get(voxels, index, voxel_in_block(v));
				return h;
			}
		}
		known_before = true;
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
			 as_float(range[tile]), as_float(range[tile + 1]), false);
	int i = y * view.width + x;
	points[i] = h.found ? (float4)(h.point_mm, 1.0f) : (float4)(0.0f);
	unit_store(normals, i, halves, h.found ? h.normal : (float3)(0.0f));
}

/* The part of a ray, of which the direction's z is 1, that is not cut away. */
static inline void cut_ray(const enm_k_view *view, float3 from_mm, float3 direction, float *from, float *to)
{
	if (!view->cut)
		return;
	float inside = cut_inside(view, from_mm), change = cut_inside(view, from_mm + direction) - inside;
	float at = -inside / change;
	*from = change > 0.0f ? fmax(*from, at) : *from;
	*to = change < 0.0f ? fmin(*to, at) : change == 0.0f && inside < 0.0f ? 0.0f : *to;
}

/* What a pixel's ray meets, in the world. */
static inline hit cast_pixel(const enm_k_view *view, const enm_k_volume *volume, int x, int y, __global const int *range,
			     __global const uint2 *table, __global const uint *voxels)
{
	enm_k_pose pose = view->world_from_eye;
	int tile = 2 * (y / view->tile * view->tiles_x + x / view->tile);
	float3 from_mm, direction;
	float from = as_float(range[tile]), to = as_float(range[tile + 1]);
	eye_ray(view, x, y, &from_mm, &direction);
	cut_ray(view, from_mm, direction, &from, &to);
	return cast_ray(table, voxels, volume, pose_apply(&pose, from_mm), pose_rotate(&pose, direction), length(direction), from, to, true);
}

/* Weight of the readings at a point, interpolated; 0 where the cell is not complete. */
static inline float weight_at(const enm_k_volume *volume, __global const uint2 *table, __global const uint *voxels, float3 point_mm)
{
	float3 v = point_mm / volume->voxel_mm, low = floor(v), gradient;
	uint8 corner;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	if (!cell_load(table, voxels, volume->table_mask, convert_int3(low), &last, &corner))
		return 0.0f;
	return cell_value(convert_float8(corner >> 16), v - low, &gradient) / ENM_K_WEIGHT_ONE;
}

/* The same in the eye's frame, with all that pictures show of it. */
static inline place place_of(const enm_k_view *view, const enm_k_volume *volume, const hit *h, __global const uint2 *table,
			     __global const uint *voxels)
{
	place p;
	enm_k_voxel v = h->voxel;
	p.point_mm = pose_apply_back(&view->world_from_eye, h->point_mm);
	p.normal = pose_rotate_back(&view->world_from_eye, h->normal);
	p.rgba = (v.red | v.green | v.blue) != 0 ? (uint)v.red | (uint)v.green << 8 | (uint)v.blue << 16 | 255u << 24 : 0u;
	p.views = v.views;
	p.value = NAN;
	p.sigma_um = NAN;
	float weight = 0.0f;
	if (view->shade == ENM_K_SHADE_QUALITY || view->shade == ENM_K_SHADE_FLAGS)
		weight = weight_at(volume, table, voxels, h->point_mm);
	if (weight > 0.0f)
		p.sigma_um = 1000.0f * view->sigma_ref_mm / sqrt(weight);
	p.from_behind = h->from_behind;
	return p;
}

__kernel void view_picture(const enm_k_view view, const enm_k_volume volume, __global const int *range,
			   __global const uint2 *table, __global const uint *voxels, __global uint *picture)
{
	int x = get_global_id(0), y = get_global_id(1);
	if (x >= view.width || y >= view.height)
		return;
	hit h = cast_pixel(&view, &volume, x, y, range, table, voxels);
	uint out = view.background;
	if (h.found) {
		float3 from_mm, direction;
		place p = place_of(&view, &volume, &h, table, voxels);
		eye_ray(&view, x, y, &from_mm, &direction);
		out = place_pixel(&view, &p, normalize(-direction));
	}
	picture[y * view.width + x] = out;
}

__kernel void view_hit(const enm_k_view view, const enm_k_volume volume, __global const int *range, __global const uint2 *table,
		       __global const uint *voxels, __global enm_k_hit *out)
{
	hit h = cast_pixel(&view, &volume, 0, 0, range, table, voxels);
	out->found = h.found;
	if (!h.found)
		return;
	place p = place_of(&view, &volume, &h, table, voxels);
	vstore3(p.point_mm, 0, out->point_mm);
	vstore3(p.normal, 0, out->normal);
	out->depth_mm = p.point_mm.z;
	out->sigma_um = p.sigma_um;
	out->from_behind = p.from_behind;
	out->views = p.views;
}
