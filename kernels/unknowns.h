/* SPDX-License-Identifier: Apache-2.0
 * The six unknowns of the solve, and what they are in other frames. They are all lengths: turns in rad times the lever, which is half the pivot's
 * depth, and the move of the pivot, in the world's axes. The pivot lies on the line of sight. */
#ifndef ENM_UNKNOWNS_H
#define ENM_UNKNOWNS_H

#include "solve.h"

/* A motion given in the camera's frame, turn and move, in the unknowns; and back. */
static inline void motion_to_unknowns(const enm_k_pose *pose, float pivot_mm, __private const float *motion, __private float *e)
{
	float3 turn = pose_rotate(pose, (float3)(motion[0], motion[1], motion[2])) * (0.5f * pivot_mm);
	float3 moved = (float3)(motion[3] + motion[1] * pivot_mm, motion[4] - motion[0] * pivot_mm, motion[5]);
	float3 move = pose_rotate(pose, moved);
	e[0] = turn.x;
	e[1] = turn.y;
	e[2] = turn.z;
	e[3] = move.x;
	e[4] = move.y;
	e[5] = move.z;
}

static inline void motion_from_unknowns(const enm_k_pose *pose, float pivot_mm, __private const float *e, __private float *motion)
{
	float3 turn = pose_rotate_back(pose, (float3)(e[0], e[1], e[2])) * (2.0f / pivot_mm);
	float3 move = pose_rotate_back(pose, (float3)(e[3], e[4], e[5]));
	motion[0] = turn.x;
	motion[1] = turn.y;
	motion[2] = turn.z;
	motion[3] = move.x - turn.y * pivot_mm; /* a turn about the pivot moves the camera too */
	motion[4] = move.y + turn.x * pivot_mm;
	motion[5] = move.z;
}

/* The latter as a matrix. */
static inline void unknowns_to_camera(const enm_k_pose *pose, float pivot_mm, __private float *map)
{
	for (int column = 0; column < 6; column++) {
		float unit[6], motion[6];
		for (int i = 0; i < 6; i++)
			unit[i] = i == column ? 1.0f : 0.0f;
		motion_from_unknowns(pose, pivot_mm, unit, motion);
		for (int i = 0; i < 6; i++)
			map[i * 6 + column] = motion[i];
	}
}

/* Deviation of the estimate from the prediction. */
static inline void deviation(const enm_k_pose *estimate, const enm_k_pose *predicted, float pivot_mm, float e[6])
{
	float3 pivot = (float3)(0.0f, 0.0f, pivot_mm);
	float3 moved = pose_apply(estimate, pivot) - pose_apply(predicted, pivot);
	float3 turned = 0.25f * pivot_mm * pose_relative_rotation(estimate, predicted);
	e[0] = turned.x;
	e[1] = turned.y;
	e[2] = turned.z;
	e[3] = moved.x;
	e[4] = moved.y;
	e[5] = moved.z;
}

#endif
