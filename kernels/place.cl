/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back after a loss, second half: is it one of these places? Which, judge.cl tells.
 *
 *   place_rate     how well the frame lies on the whole model at each candidate
 *   place_refine   aligns the frame to the model from each of the places picked, a group each
 */
#include "pixel.h"
#include "recovery.h"
#include "volume.h"

#define REFINE_STEPS 12
#define PATCHES 8 /* of a picture along an axis, squared ENM_K_TRACK_GROUP */
#define REFINE_GATE_RMS 7.0f /* as GATE_RMS of track.cl */
/* Of the truncation: where places come from the coarse search the right ones are off by a tenth, and with half of it they lead. */
#define RATE_GATE 0.5f
#define BAND (0.999f * ENM_K_SDF_ONE)

/* Where the model is, as a sample of the frame sees it: false where it is not there. */
static inline bool model_sample(const enm_k_volume *volume, __global const uint2 *table, __global const uint *voxels,
				const enm_k_pose *pose, uint4 seen, __private block_last *last, __private sums *sum, __private sample *s)
{
	float per_voxel = 1.0f / volume->voxel_mm, sdf_mm = volume->truncation_mm / ENM_K_SDF_ONE;
	float3 v = s->point_mm * per_voxel;
	float3 low = floor(v);
	uint8 corner;
	if (!cell_load(table, voxels, volume->table_mask, convert_int3(low), last, &corner) || !cell_seen(corner))
		return false;
	float8 value = cell_distances(corner);
	float nearest = lowest(value);
	if (nearest <= -BAND || highest(value) >= BAND) {
		sum->free_space += nearest >= BAND ? 1.0f : 0.0f;
		return false;
	}
	float3 gradient;
	float distance_mm = cell_value(value, v - low, &gradient) * sdf_mm;
	gradient *= sdf_mm * per_voxel;
	float steep = sqrt(dot(gradient, gradient));
	if (!(steep > 0.3f) || dot(gradient, pose_rotate(pose, pixel_normal(seen))) < 0.3f * steep)
		return false;
	s->normal = gradient / steep;
	s->residual_mm = distance_mm / steep;
	s->weight = pixel_weight(seen);
	return true;
}

/* Sums over the group, for all its items, which have read what they need of the candidate once it returns. */
static inline float8 total_of(float8 mine, __local float8 *shared)
{
	float8 total = (float8)(0.0f);
	shared[get_local_id(0)] = mine;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
		total += shared[i];
	return total;
}

/* A group a candidate. A single keyframe saw little of what a view from another side shows, and wrong places may fit it better: what counts is the
 * share of the frame's readings that agree with the whole model, less those in space known to be empty. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void place_rate(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level, __global const float2 *rays,
		__global const uint4 *pixel_map, __global const uint2 *table, __global const uint *voxels,
		__global const enm_k_recovery *recovery, __global enm_k_candidate *candidates)
{
	__local float8 shared[ENM_K_TRACK_GROUP];
	uint candidate = get_group_id(0);
	if (recovery->wanted == 0 || candidate >= recovery->candidates || candidates[candidate].support == 0.0f)
		return;
	enm_k_pose pose = candidates[candidate].world_from_camera;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	sums sum;
	sums_clear(&sum);
	for (int i = get_local_id(0); i < level_samples(&camera, &level); i += ENM_K_TRACK_GROUP) {
		int pixel = level_pixel(&camera, &level, i);
		uint4 seen = pixel_map[pixel];
		float z = pixel_depth_mm(seen);
		sample s;
		if (z == 0.0f)
			continue;
		sum.offered += 1.0f;
		s.point_mm = pose_apply(&pose, (float3)(rays[pixel] * z, z));
		if (!model_sample(&volume, table, voxels, &pose, seen, &last, &sum, &s))
			continue;
		sum.model += 1.0f;
		sum.quality += s.weight;
		sum.weight += s.weight * biweight(s.residual_mm / (RATE_GATE * volume.truncation_mm));
	}
	float8 total = total_of((float8)(sum.offered, sum.model, sum.quality, sum.weight, sum.free_space, 0.0f, 0.0f, 0.0f), shared);
	float agree = total.s2 > 0.0f ? total.s1 * total.s3 / total.s2 : 0.0f;
	if (get_local_id(0) == 0)
		candidates[candidate].support = total.s0 > 0.0f ? fmax(agree - total.s4, 0.0f) / total.s0 : 0.0f;
}

/* Residuals of a patch of the picture: noise goes from their mean, another shape does not. */
typedef struct patch {
	float weight, residual;
} patch;

static inline void patch_add(__private patch *p, const sample *s, float gate_mm)
{
	float q = s->residual_mm / gate_mm, robust = fmax(1.0f - q * q, 0.0f), w = s->weight * robust * robust;
	p->weight += w;
	p->residual += w * s->residual_mm;
}

/* As track_sum_field adds them, for a group by itself: an item has a patch of the picture in four parts. `patches`: sum of the
 * squared means of the parts, and of their weights. */
static inline void refine_sums(const enm_k_camera *camera, const enm_k_volume *volume, const enm_k_level *level,
			       __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
			       __global const uint *voxels, const enm_k_pose *pose, const search *how, __private sums *sum,
			       __private float2 *patches)
{
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	int columns = camera->width / level->stride, rows = camera->height / level->stride, item = get_local_id(0);
	sums_clear(sum);
	*patches = (float2)(0.0f);
	for (int part = 0; part < 4; part++) {
		int at_x = item % PATCHES * 2 + part % 2, at_y = item / PATCHES * 2 + part / 2;
		int x0 = columns * at_x / (2 * PATCHES), x1 = columns * (at_x + 1) / (2 * PATCHES), y1 = rows * (at_y + 1) / (2 * PATCHES);
		patch p = {0.0f, 0.0f};
		for (int y = rows * at_y / (2 * PATCHES); y < y1; y++) {
			for (int x = x0; x < x1; x++) {
				int pixel = level_pixel(camera, level, y * columns + x);
				uint4 seen = pixel_map[pixel];
				float z = pixel_depth_mm(seen);
				if (z == 0.0f)
					continue;
				sum->offered += 1.0f;
				sample s;
				s.point_mm = pose_apply(pose, (float3)(rays[pixel] * z, z));
				if (!model_sample(volume, table, voxels, pose, seen, &last, sum, &s))
					continue;
				sums_add(sum, &s, how->pivot_mm, how->per_lever, how->gate_mm);
				patch_add(&p, &s, how->gate_mm);
			}
		}
		if (p.weight > 0.0f)
			*patches += (float2)(p.residual * p.residual / p.weight, p.weight);
	}
}

/* Root of the mean square of the parts' means, over the group. */
static inline float patches_rms(float2 patches, __local float8 *shared)
{
	int item = get_local_id(0);
	shared[item].lo.lo = patches;
	barrier(CLK_LOCAL_MEM_FENCE);
	float2 total = (float2)(0.0f);
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
		total += shared[i].lo.lo;
	barrier(CLK_LOCAL_MEM_FENCE);
	return total.y > 0.0f ? sqrt(total.x / total.y) : INFINITY;
}

static inline float sums_rms(__local const float *total)
{
	return total[ENM_K_SUM_WEIGHT] > 0.0f ? sqrt(total[ENM_K_SUM_COST] / total[ENM_K_SUM_WEIGHT]) : INFINITY;
}

/* What the totals of the last round, at a gate that is the same for all, say of a pose. */
static inline void measure_pick(__local const float *total, float step_voxels, __global enm_k_candidate *pick)
{
	float offered = total[ENM_K_SUM_OFFERED], weight = total[ENM_K_SUM_WEIGHT], quality = total[ENM_K_SUM_QUALITY];
	pick->overlap = offered > 0.0f ? total[ENM_K_SUM_MODEL] / offered : 0.0f;
	pick->free_share = offered > 0.0f ? total[ENM_K_SUM_FREE] / offered : 0.0f;
	pick->inliers = quality > 0.0f ? weight / quality : 0.0f;
	pick->support = pick->overlap * fmax(2.0f * pick->inliers - 1.0f, 0.0f);
	pick->rms_mm = sums_rms(total);
	pick->step = step_voxels;
	float least = 0.0f;
	if (weight > 0.0f) {
		float h[36];
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				h[a * 6 + b] = total[ENM_K_SUM_H(a, b)] / weight;
		least = least_eigenvalue_6(h);
	}
	pick->least_eigenvalue = least;
}

/* Reach of the biweight by which places are compared. The depth filter leaves half of a reading's sigma. */
#define JUDGE_GATE_SIGMAS 2.5f
#define JUDGE_GATE_VOXELS 0.8f

static inline float judge_gate(const enm_k_camera *camera, const enm_k_volume *volume, float pivot_mm)
{
	return fmax(JUDGE_GATE_VOXELS * volume->voxel_mm, JUDGE_GATE_SIGMAS * camera->sigma_per_mm2 * pivot_mm * pivot_mm);
}

/* A group a pick. `level`: samples to align by; `fine`: those to judge by. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void place_refine(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level, const enm_k_level fine,
		     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
		     __global const uint *voxels, __global const enm_k_recovery *recovery, __global enm_k_candidate *picks)
{
	__local float8 shared[ENM_K_SUM_ROWS * ENM_K_TRACK_GROUP];
	__local float total[ENM_K_SUMS], step_mm;
	__local enm_k_pose pose;
	__global enm_k_candidate *pick = picks + get_group_id(0);
	int item = get_local_id(0);
	if (recovery->wanted == 0 || pick->support == 0.0f)
		return;
	if (item == 0) {
		pose = pick->world_from_camera;
		step_mm = INFINITY;
	}
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	float pivot_depth_mm = recovery->pivot_mm, lever_mm = 0.5f * pivot_depth_mm;
	float judge_gate_mm = judge_gate(&camera, &volume, pivot_depth_mm), gate_mm = fmax(level.gate_start_mm, judge_gate_mm);
	bool settled = false, last = false;
	float2 patches = (float2)(0.0f);
	for (int n = 0; !last; n++) {
		last = settled || n == REFINE_STEPS; /* the last round only asks how well it fits */
		enm_k_pose at = pose;
		enm_k_level samples = last ? fine : level;
		search how = {pose_apply(&at, (float3)(0.0f, 0.0f, pivot_depth_mm)), 1.0f / lever_mm, last ? judge_gate_mm : gate_mm};
		sums sum;
		refine_sums(&camera, &volume, &samples, rays, pixel_map, table, voxels, &at, &how, &sum, &patches);
		sums_total(&sum, shared, total);
		if (item == 0 && !last)
			step_mm = step_pose(total, how.pivot_mm, lever_mm, 1e-5f, level.gate_start_mm, &pose);
		gate_mm = clamp(REFINE_GATE_RMS * sums_rms(total), judge_gate_mm, fmax(level.gate_start_mm, judge_gate_mm));
		barrier(CLK_LOCAL_MEM_FENCE);
		settled = step_mm < level.step_done * volume.voxel_mm || step_mm == INFINITY;
	}
	float patch_mm = patches_rms(patches, shared);
	if (item != 0)
		return;
	pick->world_from_camera = pose;
	pick->patch_mm = patch_mm;
	measure_pick(total, step_mm / volume.voxel_mm, pick);
}
