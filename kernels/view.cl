/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of the model by raycasting.
 *
 *   view_range_clear, view_range   nearest and farthest block per tile of the picture bound the rays
 *   view_points     world points and normals at the camera's pose, for the raycast tracker
 *   view_picture    a shaded picture for people
 *   view_hit        what the ray of the only pixel meets
 */
#include "cast.h"
#include "geometry.h"
#include "halves.h"
#include "shade.h"

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

/* What the ray of one lane meets. */
typedef struct hit {
	float3 point_mm, normal; /* the normal is outward */
	enm_k_voxel voxel;       /* the nearest one, for its colour and views */
	bool found, from_behind;
} hit;

/* Rays and hits lane by lane. */
typedef struct ray_list {
	float x[LANES], y[LANES], z[LANES], dx[LANES], dy[LANES], dz[LANES], slope[LANES], from[LANES], to[LANES];
} ray_list;

static inline void list_ray(__private ray_list *list, int i, float per_voxel, float3 origin_mm, float3 direction, float from, float to)
{
	list->x[i] = origin_mm.x * per_voxel, list->y[i] = origin_mm.y * per_voxel, list->z[i] = origin_mm.z * per_voxel;
	list->dx[i] = direction.x * per_voxel, list->dy[i] = direction.y * per_voxel, list->dz[i] = direction.z * per_voxel;
	list->slope[i] = length(direction);
	list->from[i] = from;
	list->to[i] = to;
}

typedef struct hit_list {
	float x[LANES], y[LANES], z[LANES], nx[LANES], ny[LANES], nz[LANES];
	uint block[LANES];
	int voxel[LANES], found[LANES], from_behind[LANES];
} hit_list;

static inline void cast_list(const enm_k_volume *volume, __global const uint2 *table, __global const uint *voxels, __private const ray_list *list,
			     bool behind, __private hit_list *out)
{
	const model m = {table, voxels, volume->table_mask};
	const rays r = {lanes_load(list->x), lanes_load(list->y), lanes_load(list->z), lanes_load(list->dx), lanes_load(list->dy),
			lanes_load(list->dz), lanes_load(list->slope), lanes_load(list->from), lanes_load(list->to)};
	hits h;
	cast_rays(&m, volume, &r, behind, &h);
	lanes_store(h.x, out->x);
	lanes_store(h.y, out->y);
	lanes_store(h.z, out->z);
	lanes_store(h.nx, out->nx);
	lanes_store(h.ny, out->ny);
	lanes_store(h.nz, out->nz);
	lanes_store(h.block, out->block);
	lanes_store(h.voxel, out->voxel);
	lanes_store(h.found, out->found);
	lanes_store(h.from_behind, out->from_behind);
}

static inline hit hit_of_lane(const enm_k_volume *volume, __global const uint *voxels, __private const hit_list *list, int i)
{
	hit h;
	h.found = list->found[i] != 0;
	h.from_behind = list->from_behind[i] != 0;
	h.point_mm = (float3)(list->x[i], list->y[i], list->z[i]) * volume->voxel_mm;
	h.normal = (float3)(list->nx[i], list->ny[i], list->nz[i]);
	h.voxel = voxel_get(voxels, list->block[i], list->voxel[i]);
	return h;
}

/* Nearest and farthest block before a pixel, and before its LANES neighbours: tiles begin at multiples of LANES. */
static inline float2 tile_range(const enm_k_view *view, __global const int *range, int x, int y)
{
	int tile = 2 * (y / view->tile * view->tiles_x + x / view->tile);
	return (float2)(as_float(range[tile]), as_float(range[tile + 1]));
}

/* For every `stride`-th pixel of the camera: world point (w 1 where there is one) and normal, in halves or floats, at the pose of
 * the last tracked frame. */
__kernel void view_points(const enm_k_view view, const enm_k_volume volume, const enm_k_camera camera, int stride,
			  int halves, __global const float2 *rays, __global const enm_k_track *track, __global const int *range,
			  __global const uint2 *table, __global const uint *voxels, __global float4 *points,
			  __global void *normals)
{
	int x = get_global_id(0) * LANES, y = get_global_id(1), count = min(LANES, view.width - x);
	if (count <= 0 || y >= view.height || track->verdict == ENM_K_VERDICT_LOST)
		return;
	enm_k_pose pose = track->last;
	float2 ends = tile_range(&view, range, x, y);
	ray_list list;
	hit_list hits;
	for (int i = 0; i < LANES; i++) {
		float2 ray = rays[(y * stride + stride / 2) * camera.width + (x + min(i, count - 1)) * stride + stride / 2];
		list_ray(&list, i, 1.0f / volume.voxel_mm, pose_translation(&pose), pose_rotate(&pose, (float3)(ray, 1.0f)), ends.x,
			 i < count ? ends.y : 0.0f);
	}
	cast_list(&volume, table, voxels, &list, false, &hits);
	for (int i = 0; i < count; i++) {
		hit h = hit_of_lane(&volume, voxels, &hits, i);
		int at = y * view.width + x + i;
		points[at] = h.found ? (float4)(h.point_mm, 1.0f) : (float4)(0.0f);
		unit_store(normals, at, halves, h.found ? h.normal : (float3)(0.0f));
	}
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

/* What the rays of `count` pixels from (x, y) on meet, in the world. */
static inline void cast_pixels(const enm_k_view *view, const enm_k_volume *volume, int x, int y, int count, __global const int *range,
			       __global const uint2 *table, __global const uint *voxels, __private hit_list *out)
{
	enm_k_pose pose = view->world_from_eye;
	float2 ends = tile_range(view, range, x, y);
	ray_list list;
	for (int i = 0; i < LANES; i++) {
		float3 from_mm, direction;
		float from = ends.x, to = i < count ? ends.y : 0.0f;
		eye_ray(view, x + i, y, &from_mm, &direction);
		cut_ray(view, from_mm, direction, &from, &to);
		list_ray(&list, i, 1.0f / volume->voxel_mm, pose_apply(&pose, from_mm), pose_rotate(&pose, direction), from, to);
	}
	cast_list(volume, table, voxels, &list, true, out);
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
	int x = get_global_id(0) * LANES, y = get_global_id(1), count = min(LANES, view.width - x);
	if (count <= 0 || y >= view.height)
		return;
	hit_list hits;
	cast_pixels(&view, &volume, x, y, count, range, table, voxels, &hits);
	for (int i = 0; i < count; i++) {
		hit h = hit_of_lane(&volume, voxels, &hits, i);
		uint out = view.background;
		if (h.found) {
			float3 from_mm, direction;
			place p = place_of(&view, &volume, &h, table, voxels);
			eye_ray(&view, x + i, y, &from_mm, &direction);
			out = place_pixel(&view, &p, normalize(-direction));
		}
		picture[y * view.width + x + i] = out;
	}
}

__kernel void view_hit(const enm_k_view view, const enm_k_volume volume, __global const int *range, __global const uint2 *table,
		       __global const uint *voxels, __global enm_k_hit *out)
{
	hit_list hits;
	cast_pixels(&view, &volume, 0, 0, 1, range, table, voxels, &hits);
	hit h = hit_of_lane(&volume, voxels, &hits, 0);
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
