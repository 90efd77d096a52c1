/* SPDX-License-Identifier: Apache-2.0
 *
 * Keyframes: tracked frames kept as places to come back to after a loss.
 *
 *   keyframe_choose   whether this frame is far enough from all that are kept
 *   keyframe_store    keeps its readings on a coarse grid
 */
#include "pixel.h"
#include "recovery.h"

/* How far two poses are apart, in the reaches of a shift of the view and of a turn: 1 is far enough. */
static inline float apart(const enm_k_pose *a, __global const enm_k_keyframe *b, float pivot_mm, float reach_mm, float reach_turn)
{
	enm_k_pose kept = b->world_from_camera;
	float3 pivot = (float3)(0.0f, 0.0f, pivot_mm);
	float3 shift = pose_apply(a, pivot) - pose_apply(&kept, pivot);
	float trace = 0.0f;
	for (int i = 0; i < 9; i++)
		trace += a->r[i] * kept.r[i];
	/* 2 - 2 cos(angle) is the angle's square for angles that matter here */
	return dot(shift, shift) / (reach_mm * reach_mm) + (3.0f - trace) / (reach_turn * reach_turn);
}

/* One group of ENM_K_TRACK_GROUP. `reach`: of a shift, in mean depths; `reach_turn` in rad. When all slots are taken by keyframes that
 * stand, no more frames are kept. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void keyframe_choose(float reach, float reach_turn, uint slots, int tile_count, __global const float4 *tiles,
		     __global enm_k_track *track, __global enm_k_keyframe *keyframes, __global enm_k_recovery *recovery)
{
	__local float nearest[ENM_K_TRACK_GROUP], depth[2 * ENM_K_TRACK_GROUP];
	__local uint free_slots[ENM_K_TRACK_GROUP];
	uint item = get_local_id(0), count = recovery->keyframes, slot = count;
	bool tracked = track->verdict == ENM_K_VERDICT_TRACKED;
	enm_k_pose pose = track->world_from_camera;
	float pivot_mm = mean_depth(tiles, tile_count, depth), least = INFINITY;
	for (uint i = item; i < count && tracked; i += ENM_K_TRACK_GROUP) {
		bool stands = keyframe_stands(recovery, keyframes[i].island);
		slot = stands ? slot : min(slot, i);
		least = stands ? fmin(least, apart(&pose, keyframes + i, pivot_mm, reach * pivot_mm, reach_turn)) : least;
	}
	nearest[item] = least;
	free_slots[item] = slot;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	if (item != 0)
		return;
	for (int i = 1; i < ENM_K_TRACK_GROUP; i++) {
		least = fmin(least, nearest[i]);
		slot = min(slot, free_slots[i]);
	}
	bool chosen = tracked && slot < slots && least > 1.0f;
	recovery->chosen = chosen ? slot : ENM_K_KEYFRAME_NONE;
	if (!chosen)
		return;
	recovery->keyframes = max(count, slot + 1);
	keyframes[slot].world_from_camera = pose;
	keyframes[slot].pivot_mm = pivot_mm;
	keyframes[slot].frame = track->frames;
	keyframes[slot].island = track->island;
	track->events |= ENM_K_EVENT_KEYFRAME;
}

/* `grid`: the pixels kept. */
__kernel void keyframe_store(const enm_k_camera camera, const enm_k_level grid, __global const uint4 *pixel_map,
			     __global const enm_k_recovery *recovery, __global uint4 *maps)
{
	uint chosen = recovery->chosen;
	int i = get_global_id(0), count = level_samples(&camera, &grid);
	if (chosen == ENM_K_KEYFRAME_NONE || i >= count)
		return;
	maps[(size_t)chosen * count + i] = pixel_map[level_pixel(&camera, &grid, i)];
}
