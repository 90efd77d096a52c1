/* SPDX-License-Identifier: Apache-2.0
 * Small dense algebra and rotations on the device, in float. */
#ifndef ENM_SOLVE_H
#define ENM_SOLVE_H

#include "geometry.h"

/* Loops are unrolled so that GPUs keep the matrices in registers: one item solves while all others wait. */

/* Solves h x = b in place of b by Cholesky; h is 6x6 symmetric and is overwritten. False where it is not positive. */
static inline bool solve_6(__private float *h, __private float *b)
{
#pragma unroll
	for (int i = 0; i < 6; i++) {
#pragma unroll
		for (int j = 0; j <= i; j++) {
			float t = h[i * 6 + j];
#pragma unroll
			for (int k = 0; k < j; k++)
				t -= h[i * 6 + k] * h[j * 6 + k];
			if (i == j) {
				if (!(t > 0.0f))
					return false;
				h[i * 6 + i] = sqrt(t);
			} else {
				h[i * 6 + j] = t / h[j * 6 + j];
			}
		}
	}
#pragma unroll
	for (int i = 0; i < 6; i++) {
#pragma unroll
		for (int k = 0; k < i; k++)
			b[i] -= h[i * 6 + k] * b[k];
		b[i] /= h[i * 7];
	}
#pragma unroll
	for (int i = 5; i >= 0; i--) {
#pragma unroll
		for (int k = i + 1; k < 6; k++)
			b[i] -= h[k * 6 + i] * b[k];
		b[i] /= h[i * 7];
	}
	return true;
}

/* Least eigenvalue of a symmetric 6x6 matrix by cyclic Jacobi rotations; the matrix is overwritten. */
static inline float least_eigenvalue_6(__private float *a)
{
	for (int sweep = 0; sweep < 8; sweep++) {
		float trace = 0.0f, off = 0.0f;
		for (int p = 0; p < 6; p++)
			for (int q = 0; q < 6; q++)
				off += fabs(a[p * 6 + q]);
		for (int p = 0; p < 6; p++)
			trace += fabs(a[p * 7]);
		if (off - trace <= 1e-7f * trace) /* never for NaN, which spreads */
			break;
#pragma unroll
		for (int p = 0; p < 5; p++) {
#pragma unroll
			for (int q = p + 1; q < 6; q++) {
				float apq = a[p * 6 + q];
				if (fabs(apq) < 1e-12f)
					continue;
				float theta = 0.5f * (a[q * 7] - a[p * 7]) / apq;
				float t = copysign(1.0f, theta) / (fabs(theta) + sqrt(theta * theta + 1.0f));
				float c = 1.0f / sqrt(t * t + 1.0f), s = t * c;
#pragma unroll
				for (int k = 0; k < 6; k++) {
					float akp = a[k * 6 + p], akq = a[k * 6 + q];
					a[k * 6 + p] = c * akp - s * akq;
					a[k * 6 + q] = s * akp + c * akq;
				}
#pragma unroll
				for (int k = 0; k < 6; k++) {
					float apk = a[p * 6 + k], aqk = a[q * 6 + k];
					a[p * 6 + k] = c * apk - s * aqk;
					a[q * 6 + k] = s * apk + c * aqk;
				}
			}
		}
	}
	float least = a[0];
	for (int i = 1; i < 6; i++)
		least = fmin(least, a[i * 7]);
	return least;
}

/* Solves h x = b as solve_6 does, and leaves h as it is. */
static inline bool solve_copy_6(__private const float *h, __private float *b)
{
	float matrix[36];
	for (int i = 0; i < 36; i++)
		matrix[i] = h[i];
	return solve_6(matrix, b);
}

/* Trace of the inverse of a positive symmetric 6x6 matrix: between 1 and 6 times the inverse of its least eigenvalue. Infinite where
 * it is not positive. */
static inline float trace_of_inverse_6(__private const float *h)
{
	float trace = 0.0f;
	for (int column = 0; column < 6; column++) {
		float b[6];
		for (int i = 0; i < 6; i++)
			b[i] = i == column ? 1.0f : 0.0f;
		trace += solve_copy_6(h, b) ? b[column] : INFINITY;
	}
	return trace;
}

/* Least eigenvalue of a positive symmetric 6x6 matrix and its unit vector, by inverse iteration. */
#define INVERSE_STEPS 12
static inline float least_eigenvector_6(__private const float *h, __private float *vector)
{
	float length = 1.0f;
	for (int i = 0; i < 6; i++)
		vector[i] = 0.3f + 0.05f * i; /* along no axis and at a right angle to none */
	for (int n = 0; n < INVERSE_STEPS; n++) {
		float squared = 0.0f;
		if (!solve_copy_6(h, vector))
			return 0.0f;
		for (int i = 0; i < 6; i++)
			squared += vector[i] * vector[i];
		length = sqrt(squared);
		for (int i = 0; i < 6; i++)
			vector[i] /= length;
	}
	return 1.0f / length;
}

/* Rotation matrix of a rotation vector. */
static inline void rotation_from_vector(const float *w, __private float *r)
{
	float3 v = (float3)(w[0], w[1], w[2]);
	float angle2 = dot(v, v);
	/* sin(a)/a and (1 - cos(a))/a^2, by their series where the quotients would lose digits */
	float a, b;
	if (angle2 < 1e-4f) {
		a = 1.0f - angle2 / 6.0f;
		b = 0.5f - angle2 / 24.0f;
	} else {
		float angle = sqrt(angle2);
		a = sin(angle) / angle;
		b = (1.0f - cos(angle)) / angle2;
	}
	float c = 1.0f - b * angle2;
	r[0] = c + b * v.x * v.x;
	r[1] = b * v.x * v.y - a * v.z;
	r[2] = b * v.x * v.z + a * v.y;
	r[3] = b * v.x * v.y + a * v.z;
	r[4] = c + b * v.y * v.y;
	r[5] = b * v.y * v.z - a * v.x;
	r[6] = b * v.x * v.z - a * v.y;
	r[7] = b * v.y * v.z + a * v.x;
	r[8] = c + b * v.z * v.z;
}

static inline void rotation_multiply(const float *a, const float *b, __private float *out)
{
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			out[i * 3 + j] = a[i * 3] * b[j] + a[i * 3 + 1] * b[3 + j] + a[i * 3 + 2] * b[6 + j];
}

/* Takes the rounding of many products out of a rotation. */
static inline void rotation_tidy(__private float *r)
{
	float3 x = normalize((float3)(r[0], r[1], r[2]));
	float3 y = (float3)(r[3], r[4], r[5]);
	y = normalize(y - dot(x, y) * x);
	float3 z = cross(x, y);
	r[0] = x.x;
	r[1] = x.y;
	r[2] = x.z;
	r[3] = y.x;
	r[4] = y.y;
	r[5] = y.z;
	r[6] = z.x;
	r[7] = z.y;
	r[8] = z.z;
}

/* pose * (rotation vector, translation), both in the pose's source frame. `out` is not `pose`. */
static inline void pose_compose_twist(const enm_k_pose *pose, const float *turn, const float *move,
				      __private enm_k_pose *out)
{
	*out = *pose;
	float r[9];
	rotation_from_vector(turn, r);
	rotation_multiply(pose->r, r, out->r);
	rotation_tidy(out->r);
	float3 t = pose_apply(pose, (float3)(move[0], move[1], move[2]));
	out->t[0] = t.x;
	out->t[1] = t.y;
	out->t[2] = t.z;
}

/* Turns and moves the source in the target frame, the turn about `pivot`. `out` is not `pose`. */
static inline void pose_turn_about(const enm_k_pose *pose, float3 pivot, const float *turn, const float *move,
				   __private enm_k_pose *out)
{
	*out = *pose;
	float r[9];
	rotation_from_vector(turn, r);
	rotation_multiply(r, pose->r, out->r);
	rotation_tidy(out->r);
	float3 d = pose_translation(pose) - pivot;
	out->t[0] = pivot.x + r[0] * d.x + r[1] * d.y + r[2] * d.z + move[0];
	out->t[1] = pivot.y + r[3] * d.x + r[4] * d.y + r[5] * d.z + move[1];
	out->t[2] = pivot.z + r[6] * d.x + r[7] * d.y + r[8] * d.z + move[2];
}

/* Twice the sine of the angle times the axis of a b^-1, in the target frame; twice the rotation vector for small angles. */
static inline float3 pose_relative_rotation(const enm_k_pose *a, const enm_k_pose *b)
{
	float bt[9] = {b->r[0], b->r[3], b->r[6], b->r[1], b->r[4], b->r[7], b->r[2], b->r[5], b->r[8]};
	float r[9];
	rotation_multiply(a->r, bt, r);
	return (float3)(r[7] - r[5], r[2] - r[6], r[3] - r[1]);
}

/* Rotation vector and translation of b^-1 a, in b's source frame: how far the source moved from b to a. */
static inline void pose_twist(const enm_k_pose *a, const enm_k_pose *b, __private float *turn, __private float *move)
{
	float bt[9] = {b->r[0], b->r[3], b->r[6], b->r[1], b->r[4], b->r[7], b->r[2], b->r[5], b->r[8]};
	float r[9];
	rotation_multiply(bt, a->r, r);
	float3 axis = (float3)(r[7] - r[5], r[2] - r[6], r[3] - r[1]);
	float sine2 = length(axis), cosine2 = r[0] + r[4] + r[8] - 1.0f;
	float scale = sine2 > 1e-4f ? atan2(sine2, cosine2) / sine2 : 0.5f;
	turn[0] = axis.x * scale;
	turn[1] = axis.y * scale;
	turn[2] = axis.z * scale;
	float3 t = pose_apply_back(b, pose_translation(a));
	move[0] = t.x;
	move[1] = t.y;
	move[2] = t.z;
}

#endif
