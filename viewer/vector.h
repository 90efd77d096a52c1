/* SPDX-License-Identifier: Apache-2.0
 * Vectors and quaternions (x, y, z, w) of the camera. */
#ifndef ENM_VIEWER_VECTOR_H
#define ENM_VIEWER_VECTOR_H

#include <math.h>
#include <stdbool.h>

static inline double vector_dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline void vector_cross(const double a[3], const double b[3], double out[3])
{
	const double c[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
	for (int i = 0; i < 3; i++)
		out[i] = c[i];
}

/* out = s a + t b */
static inline void vector_combine(double s, const double a[3], double t, const double b[3], double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = s * a[i] + t * b[i];
}

/* Makes `a` a unit vector; false, and unchanged, when it has no direction. */
static inline bool vector_normalize(double a[3])
{
	double length = sqrt(vector_dot(a, a));
	if (!(length > 1e-12))
		return false;
	vector_combine(1.0 / length, a, 0.0, a, a);
	return true;
}

static inline void quaternion_product(const double a[4], const double b[4], double out[4])
{
	const double q[4] = {
		a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
		a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
		a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
		a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
	};
	double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	for (int i = 0; i < 4; i++)
		out[i] = q[i] / length;
}

static inline void quaternion_rotate(const double q[4], const double v[3], double out[3])
{
	double once[3], twice[3];
	vector_cross(q, v, once);
	vector_combine(1.0, once, q[3], v, once);
	vector_cross(q, once, twice);
	vector_combine(1.0, v, 2.0, twice, out);
}

/* v in the frame that q turns from: the inverse of quaternion_rotate. */
static inline void quaternion_rotate_back(const double q[4], const double v[3], double out[3])
{
	const double inverse[4] = {-q[0], -q[1], -q[2], q[3]};
	quaternion_rotate(inverse, v, out);
}

#endif
