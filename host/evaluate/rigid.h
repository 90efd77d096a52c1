/* SPDX-License-Identifier: Apache-2.0
 * Rigid transforms and the small dense algebra of registration, in double precision. */
#ifndef EVALUATE_RIGID_H
#define EVALUATE_RIGID_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct rigid {
	double r[9]; /* row-major rotation */
	double t[3]; /* mm */
} rigid;             /* p_target = r p_source + t; named target_from_source */

/* Inline, since the search for closest points spends most of its time in them. `out` may be `a` or `b`. */
static inline double vec_dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline double vec_length(const double a[3])
{
	return sqrt(vec_dot(a, a));
}

static inline void vec_sub(const double a[3], const double b[3], double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = a[i] - b[i];
}

static inline double vec_distance(const double a[3], const double b[3])
{
	double d[3];
	vec_sub(a, b, d);
	return vec_length(d);
}

static inline void vec_cross(const double a[3], const double b[3], double out[3])
{
	const double x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
	out[0] = x;
	out[1] = y;
}

rigid rigid_identity(void);
rigid rigid_from_quaternion(const double t[3], const double q_xyzw[4]); /* the quaternion is normalised here */
void rigid_to_quaternion(const rigid *a, double out_xyzw[4]);
rigid rigid_compose(const rigid *c_from_b, const rigid *b_from_a);
rigid rigid_inverse(const rigid *b_from_a);
void rigid_point(const rigid *a, const double p[3], double out[3]);
void rigid_direction(const rigid *a, const double d[3], double out[3]);
double rigid_angle(const rigid *a); /* radians, 0 to pi; exact for small ones too */

/* Pose between two: straight in translation, great circle in rotation. share runs from 0 (a) to 1 (b). */
rigid rigid_between(const rigid *a, const rigid *b, double share);

/* A turn by the vector `w` (radians) about `centre`, then a shift by `v`. */
rigid rigid_small(const double w[3], const double v[3], const double centre[3]);

/* The rigid transform that carries `from` onto `to` with the least squared distances (Umeyama without scale, solved by
 * Horn's quaternion). False with fewer than 3 points or when they lie on a line, which leaves the turn about it open.
 */
bool rigid_fit(const double (*from)[3], const double (*to)[3], size_t count, rigid *out_to_from_from);

/* Mean of transforms: arithmetic in where they put `point`, chordal in rotation. */
rigid rigid_mean(const rigid *poses, size_t count, const double point[3]);

/* Eigenvectors of a symmetric n x n matrix (n <= 6) by Jacobi turns; values ascending, vectors in columns. */
void symmetric_eigen(int n, const double *a, double *out_values, double *out_vectors);

/* Solves a x = b for a symmetric positive definite n x n matrix (n <= 6); false when it is not. */
bool solve_positive(int n, const double *a, const double *b, double *out_x);

#endif
