/* SPDX-License-Identifier: Apache-2.0 */
#include "global/rigid.h"

#include <math.h>
#include <string.h>

#include "core/pose.h"

rigid rigid_from_device(const enm_k_pose *pose)
{
	const enm_pose p = pose_from_device(pose);
	const double x = p.q_xyzw[0], y = p.q_xyzw[1], z = p.q_xyzw[2], w = p.q_xyzw[3];
	return (rigid){
		.r = {1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 2 * (x * y + w * z),
			1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 2 * (x * z - w * y), 2 * (y * z + w * x),
			1 - 2 * (x * x + y * y)},
		.t = {p.t_mm[0], p.t_mm[1], p.t_mm[2]},
	};
}

enm_k_pose rigid_to_device(const rigid *pose)
{
	enm_k_pose out;
	memset(&out, 0, sizeof(out));
	for (int i = 0; i < 9; i++)
		out.r[i] = (float)pose->r[i];
	for (int i = 0; i < 3; i++)
		out.t[i] = (float)pose->t[i];
	return out;
}

static void turn(const double *r, const double *v, double *out)
{
	for (int i = 0; i < 3; i++)
		out[i] = r[3 * i] * v[0] + r[3 * i + 1] * v[1] + r[3 * i + 2] * v[2];
}

rigid rigid_after(const rigid *outer, const rigid *inner)
{
	rigid p;
	turn(outer->r, inner->t, p.t);
	for (int i = 0; i < 3; i++) {
		p.t[i] += outer->t[i];
		for (int j = 0; j < 3; j++)
			p.r[3 * i + j] = outer->r[3 * i] * inner->r[j] + outer->r[3 * i + 1] * inner->r[3 + j] +
					 outer->r[3 * i + 2] * inner->r[6 + j];
	}
	return p;
}

rigid rigid_inverse(const rigid *pose)
{
	rigid p;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			p.r[3 * i + j] = pose->r[3 * j + i];
	turn(p.r, pose->t, p.t);
	for (int i = 0; i < 3; i++)
		p.t[i] = -p.t[i];
	return p;
}

/* Rotation by a rotation vector (Rodrigues). */
static void rotation(const double *w, double *r)
{
	const double a2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2], a = sqrt(a2);
	const double s = a > 1e-6 ? sin(a) / a : 1.0 - a2 / 6.0, c = a > 1e-6 ? (1.0 - cos(a)) / a2 : 0.5 - a2 / 24.0;
	const double k[9] = {0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			r[3 * i + j] = (i == j) + s * k[3 * i + j] + c * (w[i] * w[j] - (i == j ? a2 : 0.0));
}

rigid rigid_moved(const rigid *pose, const double step[6])
{
	rigid by;
	rotation(step, by.r);
	memcpy(by.t, step + 3, sizeof(by.t));
	return rigid_after(pose, &by);
}

void rigid_step_between(const rigid *from, const rigid *to, double out_step[6])
{
	const rigid back = rigid_inverse(from), by = rigid_after(&back, to);
	const double axis[3] = {by.r[7] - by.r[5], by.r[2] - by.r[6], by.r[3] - by.r[1]};
	const double sine = 0.5 * sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
	const double angle = atan2(sine, 0.5 * (by.r[0] + by.r[4] + by.r[8] - 1.0));
	const double scale = sine > 1e-9 ? 0.5 * angle / sine : 0.5;
	for (int i = 0; i < 3; i++) {
		out_step[i] = scale * axis[i];
		out_step[3 + i] = by.t[i];
	}
}
