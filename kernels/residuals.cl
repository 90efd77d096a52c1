/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frame says against the model at a pose: residuals, and their sums over the frame.
 *
 *   track_sum_field     against the distance field (Bylow et al. 2013), partial sums per group
 *   track_sum_field_rolling   the same where rows are exposed one after the other
 *   track_sum_fixed     how well the shape fixes the pose, without what noise adds
 *   track_sum_raycast   against a raycast picture (Newcombe et al. 2011), for comparison
 *
 * Each work-item adds its samples, which are neighbours, in a fixed order, each group adds its items in a fixed order, track_step adds the
 * groups in a fixed order: the same input gives the same bits.
 */
#include "halves.h"
#include "pixel.h"
#include "sums.h"
#include "volume.h"

/* Distances beyond are cut off at the truncation. */
#define BAND (0.999f * ENM_K_SDF_ONE)

/* A reading and what the model says there. */
typedef struct field_reading {
	sample s;
	float3 seen_normal; /* world, of the frame */
	float z;            /* 0: no reading */
	bool in_free_space;
} field_reading;

/* Looks pixel number `i` of a level up in the model; false where that says nothing of it. */
static inline bool field_look_up(const enm_k_camera *camera, const enm_k_volume *volume, const enm_k_level *level, const enm_k_pose *pose,
				 int i, bool rolling, __private const float *skew, __global const float2 *rays,
				 __global const uint4 *pixel_map, __global const uint2 *table, __global const uint *voxels,
				 __private block_last *last, __private field_reading *r)
{
	int pixel = level_pixel(camera, level, i);
	uint4 seen_pixel = pixel_map[pixel];
	float z = r->z = pixel_depth_mm(seen_pixel);
	r->in_free_space = false;
	if (z == 0.0f)
		return false;
	float3 point_mm = (float3)(rays[pixel] * z, z);
	r->s.moment = 0.0f;
	if (rolling) {
		r->s.moment = row_moment(camera, pixel / camera->width);
		point_mm = skew_apply(skew, r->s.moment, point_mm);
	}
	r->s.point_mm = pose_apply(pose, point_mm);
	float per_voxel = 1.0f / volume->voxel_mm, sdf_mm = volume->truncation_mm / ENM_K_SDF_ONE;
	float3 v = r->s.point_mm * per_voxel;
	float3 low = floor(v);
	uint8 corner;
	if (!cell_load(table, voxels, volume->table_mask, convert_int3(low), last, &corner) || !cell_seen(corner))
		return false;
	float8 value = cell_distances(corner);
	float nearest = lowest(value);
	if (nearest <= -BAND || highest(value) >= BAND) {
		r->in_free_space = nearest >= BAND;
		return false;
	}
	float3 gradient;
	float distance_mm = cell_value(value, v - low, &gradient) * sdf_mm;
	gradient *= sdf_mm * per_voxel;
	float steep = sqrt(dot(gradient, gradient));
	r->seen_normal = pose_rotate(pose, pixel_normal(seen_pixel));
	/* a field that is flat or runs the other way is no surface of this reading */
	if (!(steep > 0.3f) || dot(gradient, r->seen_normal) < 0.3f * steep)
		return false;
	float per_steep = 1.0f / steep;
	r->s.normal = gradient * per_steep;
	r->s.residual_mm = distance_mm * per_steep;
	r->s.weight = pixel_weight(seen_pixel);
	return true;
}

/* Adds an item's samples. `rolling` is known when the kernel is compiled. */
static inline void sum_field(const enm_k_camera *camera, const enm_k_volume *volume, const enm_k_level *level,
			     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
			     __global const uint *voxels, __global const enm_k_track *track, bool rolling, __private sums *sum)
{
	enm_k_pose pose = track->world_from_camera;
	float pivot_depth_mm = track->pivot_mm, skew[6];
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm));
	float per_lever = 2.0f / pivot_depth_mm, gate_mm = level_gate_mm(track, level);
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	for (int i = 0; i < 6 && rolling; i++)
		skew[i] = track->skew[i];
	int from, to;
	level_share(camera, level, track, &from, &to);
	for (int i = from; i < to; i++) {
		field_reading r;
		bool on_model = field_look_up(camera, volume, level, &pose, i, rolling, skew, rays, pixel_map, table, voxels, &last, &r);
		sum->offered += r.z > 0.0f ? 1.0f : 0.0f;
		sum->depth += r.z;
		sum->free_space += r.in_free_space ? 1.0f : 0.0f;
		if (on_model)
			sums_add_moment(sum, &r.s, pivot_mm, per_lever, gate_mm, rolling);
	}
}

__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_field(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level,
		     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
		     __global const uint *voxels, __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[6 * ENM_K_TRACK_GROUP];
	sums sum;
	sums_clear(&sum);
	sum_field(&camera, &volume, &level, rays, pixel_map, table, voxels, track, false, &sum);
	sums_store(&sum, false, shared, partials);
}

/* The same where rows are exposed one after the other. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_field_rolling(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level,
			     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
			     __global const uint *voxels, __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[6 * ENM_K_TRACK_GROUP];
	sums sum;
	sums_clear(&sum);
	sum_field(&camera, &volume, &level, rays, pixel_map, table, voxels, track, true, &sum);
	sums_store(&sum, true, shared, partials);
}

/* How well the shape fixes the pose, where that is in doubt. The noise of normals fixes directions that the shape does not: a tilt of 0.04 rad, as in
 * single frames, adds 0.0016 to each eigenvalue. That of the frame's and that of the model's have nothing in common and go from
 * the mean of their products. Partial rows behind those of the shape and of colour. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_fixed(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level,
		     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
		     __global const uint *voxels, __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[6 * ENM_K_TRACK_GROUP];
	if (track->doubtful == 0)
		return;
	float8 row[6];
	float skew[6];
	for (int a = 0; a < 6; a++) {
		row[a] = (float8)(0.0f);
		skew[a] = track->skew[a];
	}
	enm_k_pose pose = track->world_from_camera;
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, track->pivot_mm));
	float per_lever = 2.0f / track->pivot_mm, gate_mm = level_gate_mm(track, &level);
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	int from, to;
	level_share(&camera, &level, track, &from, &to);
	for (int i = from; i < to; i++) {
		field_reading r;
		if (!field_look_up(&camera, &volume, &level, &pose, i, camera.rolling != 0, skew, rays, pixel_map, table, voxels, &last, &r))
			continue;
		float w = r.s.weight * biweight(r.s.residual_mm / gate_mm);
		float3 arm = (r.s.point_mm - pivot_mm) * per_lever;
		float8 of_model = (float8)(cross(arm, r.s.normal), r.s.normal, 0.0f, 0.0f);
		float8 of_frame = (float8)(cross(arm, r.seen_normal), r.seen_normal, 0.0f, 0.0f) * w;
		rows_add(row, of_model, of_frame);
	}
	rows_store(row, 6, 0, shared, partials + ENM_K_PARTIALS_FIXED * ENM_K_SUM_ROWS_ROLLING);
}

/* `points` and `model_normals` are a raycast of `view_width` x `view_height` at the pose of the last tracked frame, with a
 * pixel for every `view_stride` of the camera's; normals are in halves or floats. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_raycast(const enm_k_camera camera, const enm_k_level level, int view_stride, int halves,
		       __global const float2 *rays, __global const uint4 *pixel_map,
		       __global const float4 *points, __global const void *model_normals,
		       __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[6 * ENM_K_TRACK_GROUP];
	sums sum;
	sums_clear(&sum);
	enm_k_pose pose = track->world_from_camera, view = track->last;
	float pivot_depth_mm = track->pivot_mm;
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm));
	float per_lever = 2.0f / pivot_depth_mm, gate_mm = level_gate_mm(track, &level);
	int view_width = camera.width / view_stride, view_height = camera.height / view_stride;
	int from, to;
	level_share(&camera, &level, track, &from, &to);
	for (int i = from; i < to; i++) {
		int pixel = level_pixel(&camera, &level, i);
		uint4 seen_pixel = pixel_map[pixel];
		float z = pixel_depth_mm(seen_pixel);
		if (z == 0.0f)
			continue;
		sum.offered += 1.0f;
		sum.depth += z;
		sample s;
		s.point_mm = pose_apply(&pose, (float3)(rays[pixel] * z, z));
		float3 in_view = pose_apply_back(&view, s.point_mm);
		if (!(in_view.z > 0.0f))
			continue;
		float2 at = camera_project(&camera, in_view) / (float)view_stride;
		int u = (int)floor(at.x), v = (int)floor(at.y);
		if (u < 0 || v < 0 || u >= view_width || v >= view_height)
			continue;
		float4 point = points[v * view_width + u];
		float3 normal = unit_load(model_normals, v * view_width + u, halves);
		float3 gap = s.point_mm - point.xyz;
		if (point.w == 0.0f || dot(gap, gap) > 9.0f * gate_mm * gate_mm ||
		    dot(normal, pose_rotate(&pose, pixel_normal(seen_pixel))) < 0.5f)
			continue;
		s.normal = normal;
		s.residual_mm = dot(gap, normal);
		s.weight = pixel_weight(seen_pixel);
		sums_add(&sum, &s, pivot_mm, per_lever, gate_mm);
	}
	sums_store(&sum, false, shared, partials);
}
