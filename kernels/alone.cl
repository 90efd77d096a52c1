/* SPDX-License-Identifier: Apache-2.0
 *
 * What the shape in view would leave open on any model: told of frames that were aligned to none, or poorly.
 */
#include "hold.h"
#include "pixel.h"
#include "sums.h"

/* Pixels between the two readings of a pair, in steps of the coarse level: beyond the reach of the depth filter and of noise that neighbours
 * share. */
#define PAIR_STEPS 3
/* Readings of a pair lie on one surface: their depths differ by no more than this many times their distance in the picture. */
#define PAIR_SLOPE 1.5f
/* Pairs below which nothing is said. */
#define PAIRS_LEAST 300.0f

/* A reading's row of the matrix: what the pose's six unknowns do to its distance. False where there is none. */
static inline bool row_of(__global const float2 *rays, __global const uint4 *pixel_map, int pixel, const enm_k_pose *pose, float3 pivot_mm,
			  float per_lever, __private float3 *point_mm, __private float8 *row, __private float *weight)
{
	uint4 seen = pixel_map[pixel];
	float z = pixel_depth_mm(seen);
	*point_mm = (float3)(rays[pixel] * z, z);
	*weight = pixel_weight(seen);
	float3 normal = pose_rotate(pose, pixel_normal(seen)), arm = pose_apply(pose, *point_mm) - pivot_mm;
	*row = (float8)(cross(arm, normal) * per_lever, normal, 0.0f, 1.0f);
	return z > 0.0f;
}

/* One group, in the unknowns of the solve at the pose that the frame is told to have. Each pair adds the product of its readings' rows, whose noise
 * has nothing in common (see track_sum_fixed). */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_alone(const enm_k_camera camera, const enm_k_level level, __global const float2 *rays, __global const uint4 *pixel_map,
		 __global float8 *partials, __global enm_k_track *track)
{
	__local float8 shared[7 * ENM_K_TRACK_GROUP];
	uint verdict = track->verdict, reason = track->reason;
	bool poor = verdict == ENM_K_VERDICT_LOST || (verdict == ENM_K_VERDICT_WEAK && track->held == 0 && reason != ENM_K_REASON_RECOVERING);
	if (reason != ENM_K_REASON_FIRST && (!poor || reason == ENM_K_REASON_FEW_READINGS))
		return;
	int item = get_local_id(0), columns = camera.width / level.stride - PAIR_STEPS;
	int count = columns * (camera.height / level.stride);
	enm_k_pose pose = track->world_from_camera;
	float pivot_depth_mm = track->pivot_mm, per_lever = 2.0f / pivot_depth_mm;
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm));
	float8 row[7];
	for (int a = 0; a < 7; a++)
		row[a] = (float8)(0.0f);
	for (int i = item; i < count; i += ENM_K_TRACK_GROUP) {
		int pixel = (i / columns * level.stride + level.stride / 2) * camera.width + i % columns * level.stride + level.stride / 2;
		float3 here, there;
		float8 one, other;
		float weight, other_weight;
		bool both = row_of(rays, pixel_map, pixel, &pose, pivot_mm, per_lever, &here, &one, &weight);
		both = row_of(rays, pixel_map, pixel + PAIR_STEPS * level.stride, &pose, pivot_mm, per_lever, &there, &other, &other_weight) && both;
		float3 gap = here - there;
		if (!both || fabs(gap.z) > PAIR_SLOPE * fabs(gap.x))
			continue;
		other *= fmin(weight, other_weight);
		rows_add(row, one, other);
		row[6] += (float8)(other.s7, 1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f);
	}
	__global float8 *total = partials + ENM_K_PARTIALS_FIXED * ENM_K_SUM_ROWS_ROLLING;
	rows_store(row, 7, 0, shared, total);
	barrier(CLK_GLOBAL_MEM_FENCE);
	__global const float *sums = (__global const float *)total;
	if (item != 0)
		return;
	track->held = 0; /* what alignment found, it found of nothing */
	if (!(sums[49] >= PAIRS_LEAST))
		return;
	float h[36], hold[36], worst[6], color_share, none[36] = {0.0f};
	bool doubtful;
	for (int a = 0; a < 6; a++)
		for (int b = 0; b < 6; b++)
			h[a * 6 + b] = 0.5f * (sums[8 * a + b] + sums[8 * b + a]) / sums[48];
	track->held = open_directions(1.0f, h, hold, worst, &doubtful, none, &color_share);
	for (int i = 0; i < 6; i++)
		track->held_direction[i] = worst[i];
}
