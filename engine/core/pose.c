/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pose.h"

#include <math.h>
#include <string.h>

enm_pose enm_pose_identity(void)
{
	return (enm_pose){.q_xyzw = {0.0, 0.0, 0.0, 1.0}};
}

bool pose_is_valid(const enm_pose *pose)
{
	double norm2 = 0.0;
	for (int i = 0; i < 4; i++)
		norm2 += pose->q_xyzw[i] * pose->q_xyzw[i];
	bool finite = isfinite(pose->t_mm[0]) && isfinite(pose->t_mm[1]) && isfinite(pose->t_mm[2]);
	return finite && fabs(sqrt(norm2) - 1.0) < 1e-3; /* false for NaN */
}

enm_k_pose pose_to_device(const enm_pose *pose)
{
	const double *q = pose->q_xyzw;
	double s = 2.0 / (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	double xx = s * q[0] * q[0], yy = s * q[1] * q[1], zz = s * q[2] * q[2];
	double xy = s * q[0] * q[1], xz = s * q[0] * q[2], yz = s * q[1] * q[2];
	double wx = s * q[3] * q[0], wy = s * q[3] * q[1], wz = s * q[3] * q[2];
	double r[9] = {1 - yy - zz, xy - wz, xz + wy, xy + wz, 1 - xx - zz, yz - wx, xz - wy, yz + wx, 1 - xx - yy};
	enm_k_pose out;
	memset(&out, 0, sizeof(out));
	for (int i = 0; i < 9; i++)
		out.r[i] = (float)r[i];
	for (int i = 0; i < 3; i++)
		out.t[i] = (float)pose->t_mm[i];
	return out;
}

/* By the largest of the four components (Shepperd 1978). */
enm_pose pose_from_device(const enm_k_pose *pose)
{
	const float *f = pose->r;
	double r[9];
	for (int i = 0; i < 9; i++)
		r[i] = (double)f[i];
	double candidates[4] = {
		1 + r[0] - r[4] - r[8], 1 - r[0] + r[4] - r[8], 1 - r[0] - r[4] + r[8], 1 + r[0] + r[4] + r[8]};
	int best = 0;
	for (int i = 1; i < 4; i++)
		if (candidates[i] > candidates[best])
			best = i;
	const double rows[4][4] = {
		{candidates[0], r[1] + r[3], r[2] + r[6], r[7] - r[5]},
		{r[1] + r[3], candidates[1], r[5] + r[7], r[2] - r[6]},
		{r[2] + r[6], r[5] + r[7], candidates[2], r[3] - r[1]},
		{r[7] - r[5], r[2] - r[6], r[3] - r[1], candidates[3]},
	};
	const double *q = rows[best];
	double norm = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	double sign = q[3] < 0 ? -1.0 : 1.0;
	enm_pose out;
	for (int i = 0; i < 4; i++)
		out.q_xyzw[i] = sign * q[i] / norm;
	for (int i = 0; i < 3; i++)
		out.t_mm[i] = (double)pose->t[i];
	return out;
}

/* v turned by the rotation of q / |q|, or by its inverse where `sign` is -1. */
static void turn(const double q[4], double sign, const double v[3], double out[3])
{
	const double s = 2.0 / (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]), w = sign * q[3];
	const double once[3] = {q[1] * v[2] - q[2] * v[1] + w * v[0], q[2] * v[0] - q[0] * v[2] + w * v[1],
		q[0] * v[1] - q[1] * v[0] + w * v[2]};
	const double turned[3] = {v[0] + s * (q[1] * once[2] - q[2] * once[1]), v[1] + s * (q[2] * once[0] - q[0] * once[2]),
		v[2] + s * (q[0] * once[1] - q[1] * once[0])};
	memcpy(out, turned, sizeof(turned));
}

void pose_turn(const enm_pose *target_from_source, const double v[3], double out[3])
{
	turn(target_from_source->q_xyzw, 1.0, v, out);
}

void pose_turn_back(const enm_pose *target_from_source, const double v[3], double out[3])
{
	turn(target_from_source->q_xyzw, -1.0, v, out);
}
