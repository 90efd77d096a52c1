/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame-to-model alignment, all of it on the device: residuals, reduction, solve, stop.
 *
 *   track_predict        where the camera should be by now
 *   track_sum_field      residuals against the distance field (Bylow et al. 2013), partial sums per group
 *   track_sum_raycast    residuals against a raycast picture (Newcombe et al. 2011), for comparison
 *   track_step           adds the partials, solves, moves the pose, decides whether to go on
 *
 * Each work-item adds its samples, which are neighbours, in a fixed order, each group adds its items in a fixed order, track_step adds the
 * groups in a fixed order: the same input gives the same bits.
 */
#include "halves.h"
#include "pixel.h"
#include "solve.h"
#include "sums.h"
#include "volume.h"

__kernel void track_predict(__global enm_k_track *track, __global const enm_k_input *input, float pivot_guess_mm)
{
	if (get_global_id(0) != 0)
		return;
	enm_k_track s = *track;
	if (s.frames == 0)
		s.pivot_mm = pivot_guess_mm;
	s.frames++;
	s.since_last_s += input->dt_s;
	/* constant velocity, for as long as a hand keeps its course */
	float reach_s = fmin(s.since_last_s, 0.2f);
	float turn[3], move[3];
	for (int i = 0; i < 3; i++) {
		turn[i] = s.velocity[i] * reach_s;
		move[i] = s.velocity[3 + i] * reach_s;
	}
	pose_compose_twist(&s.last, turn, move, &s.predicted);
	s.world_from_camera = s.predicted;
	s.done = s.tracked == 0 ? ENM_K_DONE_ALL : 0;
	s.iterations = s.samples = s.valid_readings = 0;
	s.verdict = ENM_K_VERDICT_LOST;
	s.reason = ENM_K_REASON_NONE;
	s.gate_mm = s.overlap = s.inliers = s.free_share = s.rms_mm = s.least_eigenvalue = s.step = 0.0f;
	*track = s;
}

/* Distances beyond are cut off at the truncation. */
#define BAND (0.999f * ENM_K_SDF_ONE)

__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_field(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level,
		     __global const float2 *rays, __global const uint4 *pixel_map,
		     __global const uint2 *table, __global const uint *voxels,
		     __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[ENM_K_SUM_ROWS * ENM_K_TRACK_GROUP];
	sums sum;
	sums_clear(&sum);
	enm_k_pose pose = track->world_from_camera;
	float pivot_depth_mm = track->pivot_mm;
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm));
	float per_lever = 2.0f / pivot_depth_mm, gate_mm = level_gate_mm(track, &level);
	float per_voxel = 1.0f / volume.voxel_mm, sdf_mm = volume.truncation_mm / ENM_K_SDF_ONE;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
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
		float3 v = s.point_mm * per_voxel;
		float3 low = floor(v);
		uint8 corner;
		if (!cell_load(table, voxels, volume.table_mask, convert_int3(low), &last, &corner) || !cell_seen(corner))
			continue;
		float8 value = cell_distances(corner);
		float nearest = lowest(value);
		if (nearest <= -BAND || highest(value) >= BAND) {
			sum.free_space += nearest >= BAND ? 1.0f : 0.0f;
			continue;
		}
		float3 gradient;
		float distance_mm = cell_value(value, v - low, &gradient) * sdf_mm;
		gradient *= sdf_mm * per_voxel;
		float steep = sqrt(dot(gradient, gradient));
		/* a field that is flat or runs the other way is no surface of this reading */
		if (!(steep > 0.3f) || dot(gradient, pose_rotate(&pose, pixel_normal(seen_pixel))) < 0.3f * steep)
			continue;
		float per_steep = 1.0f / steep;
		s.normal = gradient * per_steep;
		s.residual_mm = distance_mm * per_steep;
		s.weight = pixel_weight(seen_pixel);
		sums_add(&sum, &s, pivot_mm, per_lever, gate_mm);
	}
	sums_store(&sum, shared, partials);
}

/* `points` and `model_normals` are a raycast of `view_width` x `view_height` at the pose of the last tracked frame, with a
 * pixel for every `view_stride` of the camera's; normals are in halves or floats. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_raycast(const enm_k_camera camera, const enm_k_level level, int view_stride, int halves,
		       __global const float2 *rays, __global const uint4 *pixel_map,
		       __global const float4 *points, __global const void *model_normals,
		       __global const enm_k_track *track, __global float8 *partials)
{
	__local float8 shared[ENM_K_SUM_ROWS * ENM_K_TRACK_GROUP];
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
	sums_store(&sum, shared, partials);
}

/* Deviation of the estimate from the prediction in the six unknowns of the solve. */
static inline void deviation(const enm_k_pose *estimate, const enm_k_pose *predicted, float pivot_depth_mm, float lever_mm,
		      float e[6])
{
	float3 pivot = (float3)(0.0f, 0.0f, pivot_depth_mm);
	float3 moved = pose_apply(estimate, pivot) - pose_apply(predicted, pivot);
	float3 turned = 0.5f * lever_mm * pose_relative_rotation(estimate, predicted);
	e[0] = turned.x;
	e[1] = turned.y;
	e[2] = turned.z;
	e[3] = moved.x;
	e[4] = moved.y;
	e[5] = moved.z;
}

/* Reach of the biweight in residuals. Narrower ones (5) were seen to bias the pose at edges, wider ones (20) to let edges in. */
#define GATE_RMS 7.0f

/* `sums` receives the totals for track_gate. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_step(const enm_k_level level, float voxel_mm, float sigma_ref_mm, __global const float8 *partials,
		__global float8 *sums, __global enm_k_track *track)
{
	__local float total[ENM_K_SUMS];
	int item = get_local_id(0);
	bool skipped = level_skipped(track, &level);
	if (item < ENM_K_SUM_ROWS && !skipped) {
		float8 t = (float8)(0.0f);
#pragma unroll 8
		for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
			t += partials[g * ENM_K_SUM_ROWS + item];
		vstore8(t, item, total);
		sums[item] = t;
	}
	/* of global memory too: the others have read `done`, which item 0 is about to write */
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	if (item != 0 || skipped)
		return;
	float inliers = total[ENM_K_SUM_INLIER], weight = total[ENM_K_SUM_WEIGHT];
	track->iterations++;
	if (!(inliers >= 30.0f && weight > 0.0f)) {
		track->done = ENM_K_DONE_ALL; /* nothing to hold on to: the gate will say why, or that it did not settle */
		track->step = INFINITY;
		return;
	}
	enm_k_pose pose = track->world_from_camera, predicted = track->predicted;
	float pivot_depth_mm = track->pivot_mm, lever_mm = 0.5f * pivot_depth_mm;
	float h[36], e[6], step[6];
	deviation(&pose, &predicted, pivot_depth_mm, lever_mm, e);
	/* The prediction as a prior: it holds what the surface does not fix and is drowned by any surface that fixes the
	 * pose. Readings are correlated; ten of them count as one. */
	float prior = 10.0f * sigma_ref_mm * sigma_ref_mm / (level.prior_sigma_mm * level.prior_sigma_mm);
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++)
			h[a * 6 + b] = total[ENM_K_SUM_H(a, b)];
		h[a * 7] += prior;
		step[a] = -(total[ENM_K_SUM_GRADIENT(a)] + prior * e[a]);
	}
	if (!solve_6(h, step)) {
		track->done = ENM_K_DONE_ALL;
		track->step = INFINITY;
		return;
	}
	float size = 0.0f;
	for (int a = 0; a < 6; a++)
		size = fmax(size, fabs(step[a]));
	float reach_mm = 2.0f * level.gate_start_mm;
	float shorten = size > reach_mm ? reach_mm / size : 1.0f;
	float turn[3] = {step[0] * shorten / lever_mm, step[1] * shorten / lever_mm, step[2] * shorten / lever_mm};
	float move[3] = {step[3] * shorten, step[4] * shorten, step[5] * shorten};
	enm_k_pose moved;
	pose_turn_about(&pose, pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm)), turn, move, &moved);
	track->world_from_camera = moved;
	float rms_mm = sqrt(total[ENM_K_SUM_COST] / weight);
	track->rms_mm = rms_mm;
	track->gate_mm = clamp(GATE_RMS * rms_mm, level.gate_floor_mm, level.gate_start_mm);
	track->step = size * shorten / voxel_mm;
	track->pivot_mm = total[ENM_K_SUM_DEPTH] / total[ENM_K_SUM_OFFERED];
	if (track->step < level.step_done)
		track->done |= ENM_K_DONE_LEVEL << level.index;
}
