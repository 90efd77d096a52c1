/* SPDX-License-Identifier: Apache-2.0
 * The six unknowns of the solve, and what they are in other frames. They are all lengths: turns in rad times the lever, which is half the pivot's
 * depth, and the move of the pivot, in the world's axes. The pivot lies on the line of sight. */
#ifndef ENM_UNKNOWNS_H
#define ENM_UNKNOWNS_H

#include "solve.h"

/* Unknowns of the solve (turn times the lever, move of the pivot, in the world) to turn and move of the camera in its own frame. */
static inline void unknowns_to_camera(const enm_k_pose *pose, float pivot_mm, __private float *map)
{
	float per_lever = 2.0f / pivot_mm;
	for (int axis = 0; axis < 3; axis++) {
		/* a column of the world's axes, seen from the camera */
		float x = pose->r[axis * 3], y = pose->r[axis * 3 + 1], z = pose->r[axis * 3 + 2];
		map[axis] = x * per_lever;
		map[6 + axis] = y * per_lever;
		map[12 + axis] = z * per_lever;
		/* a turn about the pivot moves the camera too */
		map[18 + axis] = -2.0f * y;
		map[24 + axis] = 2.0f * x;
		map[30 + axis] = 0.0f;
		map[3 + axis] = map[9 + axis] = map[15 + axis] = 0.0f;
		map[21 + axis] = x;
		map[27 + axis] = y;
		map[33 + axis] = z;
	}
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

/* Turns and moves, in the unknowns of the solve, a motion given in the camera's frame; and back. */
static inline void skew_to_unknowns(const enm_k_pose *pose, float pivot_mm, __private const float *skew, __private float *e)
{
	float3 turn = pose_rotate(pose, (float3)(skew[0], skew[1], skew[2])) * (0.5f * pivot_mm);
	float3 moved = (float3)(skew[3] + skew[1] * pivot_mm, skew[4] - skew[0] * pivot_mm, skew[5]);
	float3 move = pose_rotate(pose, moved);
	e[0] = turn.x;
	e[1] = turn.y;
	e[2] = turn.z;
	e[3] = move.x;
	e[4] = move.y;
	e[5] = move.z;
}

static inline void skew_from_unknowns(const enm_k_pose *pose, float pivot_mm, __private const float *e, __private float *skew)
{
	float3 turn = pose_rotate_back(pose, (float3)(e[0], e[1], e[2])) * (2.0f / pivot_mm);
	float3 move = pose_rotate_back(pose, (float3)(e[3], e[4], e[5]));
	skew[0] = turn.x;
	skew[1] = turn.y;
	skew[2] = turn.z;
	skew[3] = move.x - turn.y * pivot_mm;
	skew[4] = move.y + turn.x * pivot_mm;
	skew[5] = move.z;
}

#endif
