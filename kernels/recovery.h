/* SPDX-License-Identifier: Apache-2.0
 * What keyframes and relocalisation share. One group of ENM_K_TRACK_GROUP items does an alignment all by itself. */
#ifndef ENM_RECOVERY_H
#define ENM_RECOVERY_H

#include "solve.h"
#include "sums.h"

/* Place of an island that is open; ENM_K_ISLANDS where it is no more. */
static inline uint island_place(__global const enm_k_recovery *recovery, uint island)
{
	uint place = ENM_K_ISLANDS;
	for (uint i = 0; i < ENM_K_ISLANDS; i++)
		place = recovery->islands[i].id == island ? i : place;
	return place;
}

/* Keyframes of islands that were joined or dropped lead nowhere. */
static inline bool keyframe_stands(__global const enm_k_recovery *recovery, uint island)
{
	return island == 0 || island_place(recovery, island) != ENM_K_ISLANDS;
}

/* Mean depth of a frame in mm, from its tiles; 0 where it has no reading. All items of the group must call it. */
static inline float mean_depth(__global const float4 *tiles, int tile_count, __local float *shared)
{
	int item = get_local_id(0);
	float depth = 0.0f, readings = 0.0f;
	for (int i = item; i < tile_count; i += ENM_K_TRACK_GROUP) {
		float4 tile = tiles[i];
		depth += 0.5f * (tile.x + tile.y) * tile.z;
		readings += tile.z;
	}
	shared[2 * item] = depth;
	shared[2 * item + 1] = readings;
	barrier(CLK_LOCAL_MEM_FENCE);
	depth = readings = 0.0f;
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++) {
		depth += shared[2 * i];
		readings += shared[2 * i + 1];
	}
	return readings > 0.0f ? depth / readings : 0.0f;
}

/* Totals of the group's items, added in their order, for all to read. */
static inline void sums_total(__private const sums *s, __local float8 *shared, __local float *total)
{
	int item = get_local_id(0);
	for (int a = 0; a < 6; a++)
		shared[a * ENM_K_TRACK_GROUP + item] = s->row[a];
	shared[6 * ENM_K_TRACK_GROUP + item] =
		(float8)(s->weight, s->cost, s->quality, s->depth, s->offered, s->model, s->inlier, s->free_space);
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < ENM_K_SUM_ROWS) {
		float8 t = (float8)(0.0f);
		for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
			t += shared[item * ENM_K_TRACK_GROUP + i];
		vstore8(t, item, total);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
}

/* Moves `pose` by a Gauss-Newton step from the totals, of at most `reach_mm`. Returns its size in mm; INFINITY where the sums
 * hold nothing. `damping`: weight by which the pose stays where it is, a share of the samples'. */
static inline float step_pose(__local const float *total, float3 pivot_mm, float lever_mm, float damping, float reach_mm,
			      __local enm_k_pose *pose)
{
	float h[36], step[6], weight = total[ENM_K_SUM_WEIGHT];
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++)
			h[a * 6 + b] = total[ENM_K_SUM_H(a, b)];
		h[a * 7] += damping * weight;
		step[a] = -total[ENM_K_SUM_GRADIENT(a)];
	}
	if (!(weight > 0.0f && total[ENM_K_SUM_INLIER] >= 12.0f) || !solve_6(h, step))
		return INFINITY;
	float size = 0.0f;
	for (int a = 0; a < 6; a++)
		size = fmax(size, fabs(step[a]));
	float shorten = size > reach_mm ? reach_mm / size : 1.0f;
	float turn[3], move[3];
	for (int a = 0; a < 3; a++) {
		turn[a] = step[a] * shorten / lever_mm;
		move[a] = step[3 + a] * shorten;
	}
	enm_k_pose from = *pose, moved;
	pose_turn_about(&from, pivot_mm, turn, move, &moved);
	*pose = moved;
	return size * shorten;
}

typedef struct search {
	float3 pivot_mm;
	float per_lever, gate_mm;
} search;

/* Whether two views are within a shift, in mean depths, and a turn, in rad, of each other. */
static inline bool poses_near(const enm_k_pose *a, const enm_k_pose *b, float pivot_mm, float reach, float reach_turn)
{
	float3 pivot = (float3)(0.0f, 0.0f, pivot_mm);
	float3 shift = pose_apply(a, pivot) - pose_apply(b, pivot), turn = 0.5f * pose_relative_rotation(a, b);
	float reach_mm = reach * pivot_mm, trace = 0.0f;
	for (int i = 0; i < 9; i++)
		trace += a->r[i] * b->r[i];
	return dot(shift, shift) < reach_mm * reach_mm && dot(turn, turn) < reach_turn * reach_turn && trace > 1.0f;
}

/* Nearer than this they are one place. */
#define SAME_SHIFT 0.05f
#define SAME_TURN 0.06f

static inline bool same_place(const enm_k_pose *a, const enm_k_pose *b, float pivot_mm)
{
	return poses_near(a, b, pivot_mm, SAME_SHIFT, SAME_TURN);
}

/* Products of poses; `out` is neither. */
static inline void pose_multiply(const enm_k_pose *a, const enm_k_pose *b, __private enm_k_pose *out)
{
	*out = *a;
	rotation_multiply(a->r, b->r, out->r);
	rotation_tidy(out->r);
	float3 t = pose_apply(a, pose_translation(b));
	out->t[0] = t.x;
	out->t[1] = t.y;
	out->t[2] = t.z;
}

#endif
