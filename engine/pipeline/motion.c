/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/motion.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/pose.h"

/* ---- from the caller ---- */

/* Cholesky with zero pivots allowed: their rows must be zero. `scale` is that of the diagonal. */
static bool is_information(const double *matrix)
{
	double l[36], scale = 0.0;
	for (int i = 0; i < 6; i++)
		scale = fmax(scale, matrix[i * 7]);
	for (int i = 0; i < 6; i++) {
		for (int j = 0; j <= i; j++) {
			double t = matrix[i * 6 + j];
			if (!(fabs(t - matrix[j * 6 + i]) <= 1e-6 * scale))
				return false;
			for (int k = 0; k < j; k++)
				t -= l[i * 6 + k] * l[j * 6 + k];
			if (i == j && !(t >= -1e-6 * matrix[i * 7]))
				return false;
			const double pivot = i == j ? sqrt(fmax(t, 0.0)) : l[j * 7];
			if (i != j && pivot == 0.0 && fabs(t) > 1e-6 * sqrt(matrix[i * 7] * matrix[j * 7]))
				return false;
			l[i * 6 + j] = i == j ? pivot : pivot > 0.0 ? t / pivot : 0.0;
		}
	}
	return true;
}

enm_result motion_check(const enm_motion *motion)
{
	if (motion == NULL)
		return ENM_OK;
	for (int i = 0; i < 3; i++) {
		if (!(fabs(motion->turn_rad[i]) <= 3.2))
			return error_set(ENM_E_ARGUMENT, "motion.turn_rad[%d]: %g is not in -3.2 to 3.2", i, motion->turn_rad[i]);
		if (!(fabs(motion->move_mm[i]) <= 1e6))
			return error_set(ENM_E_ARGUMENT, "motion.move_mm[%d]: %g is not in -1e6 to 1e6", i, motion->move_mm[i]);
	}
	for (int i = 0; i < 36; i++)
		if (!(fabs(motion->information[i]) <= 1e15))
			return error_set(ENM_E_ARGUMENT, "motion.information[%d]: %g is not in -1e15 to 1e15", i,
				motion->information[i]);
	if (!is_information(motion->information))
		return error_set(ENM_E_ARGUMENT, "motion.information: not the inverse of a covariance (symmetric, not negative)");
	return ENM_OK;
}

enm_k_input motion_to_device(const enm_motion *motion, float dt_s)
{
	enm_k_input input;
	memset(&input, 0, sizeof(input));
	input.dt_s = dt_s;
	if (motion == NULL)
		return input;
	input.has_motion = 1.0f;
	for (int i = 0; i < 3; i++) {
		input.motion[i] = (float)motion->turn_rad[i];
		input.motion[3 + i] = (float)motion->move_mm[i];
	}
	for (int i = 0; i < 36; i++)
		input.information[i] = (float)motion->information[i];
	return input;
}

/* ---- to the caller ---- */

static void rotate(const double *r, const double *v, double *out)
{
	for (int i = 0; i < 3; i++)
		out[i] = r[i * 3] * v[0] + r[i * 3 + 1] * v[1] + r[i * 3 + 2] * v[2];
}

static void rotate_back(const float *r, const double *v, double *out)
{
	for (int i = 0; i < 3; i++)
		out[i] = (double)r[i] * v[0] + (double)r[3 + i] * v[1] + (double)r[6 + i] * v[2];
}

/* Rotation matrix of a rotation vector. */
static void rotation(const double *w, double *r)
{
	const double a2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2], a = sqrt(a2);
	const double s = a > 1e-6 ? sin(a) / a : 1.0 - a2 / 6.0, c = a > 1e-6 ? (1.0 - cos(a)) / a2 : 0.5 - a2 / 24.0;
	const double k[9] = {0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			r[i * 3 + j] = (i == j) + s * k[i * 3 + j] + c * (w[i] * w[j] - (i == j ? a2 : 0.0));
}

enm_pose report_pose(const enm_k_track *track)
{
	const float *s = track->skew;
	enm_k_pose first = track->world_from_camera;
	if (s[0] == 0.0f && s[1] == 0.0f && s[2] == 0.0f && s[3] == 0.0f && s[4] == 0.0f && s[5] == 0.0f)
		return pose_from_device(&first);
	/* half a frame's exposure before the middle row */
	const double turn[3] = {-(double)s[0], -(double)s[1], -(double)s[2]}, move[3] = {-(double)s[3], -(double)s[4], -(double)s[5]};
	double back[9], pose[9], t[3];
	rotation(turn, back);
	for (int i = 0; i < 9; i++)
		pose[i] = (double)first.r[i];
	rotate(pose, move, t);
	for (int i = 0; i < 3; i++) {
		first.t[i] += (float)t[i];
		for (int j = 0; j < 3; j++)
			first.r[i * 3 + j] = (float)(pose[i * 3] * back[j] + pose[i * 3 + 1] * back[3 + j] + pose[i * 3 + 2] * back[6 + j]);
	}
	return pose_from_device(&first);
}

/* Inverse of a positive 6x6 matrix by Gauss and Jordan; false where it has none. */
static bool invert(const float *matrix, double *out)
{
	double m[6][12];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			m[i][j] = (double)matrix[i * 6 + j];
			m[i][6 + j] = i == j;
		}
	for (int i = 0; i < 6; i++) {
		if (!(m[i][i] > 0.0))
			return false;
		const double scale = 1.0 / m[i][i];
		for (int j = 0; j < 12; j++)
			m[i][j] *= scale;
		for (int k = 0; k < 6; k++) {
			const double factor = k == i ? 0.0 : m[k][i];
			for (int j = 0; j < 12; j++)
				m[k][j] -= factor * m[i][j];
		}
	}
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			out[i * 6 + j] = m[i][6 + j];
	return true;
}

/* From the unknowns of the solve (turn times the lever, and the pivot's move, in the world) to turn and move of the camera in its
 * own frame: out = map . in, six by six. */
static void map_to_camera(const enm_k_track *t, double *map)
{
	const double pivot = (double)t->system_pivot_mm, per_lever = pivot > 0.0 ? 2.0 / pivot : 0.0;
	memset(map, 0, 36 * sizeof(*map));
	for (int axis = 0; axis < 3; axis++) {
		const double unit[3] = {axis == 0, axis == 1, axis == 2};
		double turn[3];
		rotate_back(t->world_from_camera.r, unit, turn);
		for (int i = 0; i < 3; i++) {
			map[i * 6 + axis] = turn[i] * per_lever;
			map[(3 + i) * 6 + 3 + axis] = turn[i];
		}
		/* a turn about the pivot moves the camera by - turn x (0, 0, pivot) */
		map[3 * 6 + axis] = -turn[1] * per_lever * pivot;
		map[4 * 6 + axis] = turn[0] * per_lever * pivot;
	}
}

bool motion_covariance(const enm_k_track *t, double out[36])
{
	double inverse[36], map[36], half[36];
	if (t->samples == 0 || t->verdict == ENM_K_VERDICT_LOST || !invert(t->information, inverse))
		return false;
	map_to_camera(t, map);
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			half[i * 6 + j] = 0.0;
			for (int k = 0; k < 6; k++)
				half[i * 6 + j] += map[i * 6 + k] * inverse[k * 6 + j];
		}
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			double sum = 0.0;
			for (int k = 0; k < 6; k++)
				sum += half[i * 6 + k] * map[j * 6 + k];
			out[i * 6 + j] = sum;
		}
	return true;
}

void report_motion(const enm_k_track *track, enm_report *out_report)
{
	for (int i = 0; i < 3; i++) {
		out_report->velocity_turn[i] = track->velocity[i];
		out_report->velocity_move[i] = track->velocity[3 + i];
	}
	double covariance[36];
	const bool told = motion_covariance(track, covariance);
	for (int i = 0; i < 36 && told; i++)
		out_report->covariance[i] = (float)covariance[i];
	if (track->held == 0)
		return;
	double world[6], turn[3], move[3];
	for (int i = 0; i < 6; i++)
		world[i] = (double)track->held_direction[i];
	rotate_back(track->world_from_camera.r, world, turn);
	rotate_back(track->world_from_camera.r, world + 3, move);
	for (int i = 0; i < 3; i++) {
		out_report->held_turn[i] = (float)turn[i];
		out_report->held_move[i] = (float)move[i];
	}
}
