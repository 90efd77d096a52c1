/* SPDX-License-Identifier: Apache-2.0
 * Vectors, quaternions (x, y, z, w) and rigid transforms of the simulator, in double. */
#ifndef ENM_SIMULATE_VEC_H
#define ENM_SIMULATE_VEC_H

#include <math.h>

#define SIM_PI 3.14159265358979323846

typedef struct v3 {
	double x, y, z;
} v3;

typedef struct quat {
	double x, y, z, w;
} quat;

/* Columns are the axes of the source frame seen from the target. */
typedef struct pose {
	v3 t_mm;
	quat q;
} pose;

static inline v3 v3_make(double x, double y, double z)
{
	return (v3){x, y, z};
}

static inline v3 v3_add(v3 a, v3 b)
{
	return (v3){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline v3 v3_sub(v3 a, v3 b)
{
	return (v3){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline v3 v3_scale(v3 a, double k)
{
	return (v3){a.x * k, a.y * k, a.z * k};
}

/* a + b k */
static inline v3 v3_mad(v3 a, v3 b, double k)
{
	return (v3){a.x + b.x * k, a.y + b.y * k, a.z + b.z * k};
}

static inline double v3_dot(v3 a, v3 b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline v3 v3_cross(v3 a, v3 b)
{
	return (v3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static inline double v3_length(v3 a)
{
	return sqrt(v3_dot(a, a));
}

/* The zero vector stays zero. */
static inline v3 v3_unit(v3 a)
{
	double length = v3_length(a);
	return length > 0 ? v3_scale(a, 1 / length) : a;
}

static inline v3 v3_lerp(v3 a, v3 b, double k)
{
	return v3_mad(a, v3_sub(b, a), k);
}

static inline quat quat_unit(quat q)
{
	double k = 1 / sqrt(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w);
	return (quat){q.x * k, q.y * k, q.z * k, q.w * k};
}

static inline double quat_dot(quat a, quat b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

static inline quat quat_product(quat a, quat b)
{
	return (quat){a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y, a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
		a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z};
}

static inline quat quat_axis_angle(v3 unit_axis, double angle)
{
	double s = sin(angle / 2);
	return (quat){unit_axis.x * s, unit_axis.y * s, unit_axis.z * s, cos(angle / 2)};
}

/* Angle between two unit quaternions, in radians, exact also for small ones. */
static inline double quat_angle_between(quat a, quat b)
{
	quat d = quat_product((quat){-a.x, -a.y, -a.z, a.w}, b);
	return 2 * atan2(sqrt(d.x * d.x + d.y * d.y + d.z * d.z), fabs(d.w));
}

static inline v3 quat_rotate(quat q, v3 p)
{
	v3 u = {q.x, q.y, q.z};
	v3 c = v3_scale(v3_cross(u, p), 2);
	return v3_add(v3_mad(p, c, q.w), v3_cross(u, c));
}

/* From three orthonormal columns. */
static inline quat quat_from_axes(v3 x, v3 y, v3 z)
{
	double trace = x.x + y.y + z.z;
	quat q;
	if (trace > 0)
		q = (quat){y.z - z.y, z.x - x.z, x.y - y.x, 1 + trace};
	else if (x.x > y.y && x.x > z.z)
		q = (quat){1 + x.x - y.y - z.z, x.y + y.x, x.z + z.x, y.z - z.y};
	else if (y.y > z.z)
		q = (quat){x.y + y.x, 1 + y.y - x.x - z.z, y.z + z.y, z.x - x.z};
	else
		q = (quat){x.z + z.x, y.z + z.y, 1 + z.z - x.x - y.y, x.y - y.x};
	return quat_unit(q);
}

static inline v3 pose_point(pose p, v3 x)
{
	return v3_add(quat_rotate(p.q, x), p.t_mm);
}

static inline double clamp(double x, double lo, double hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

/* 0 below `lo`, 1 above `hi`, smooth between. */
static inline double smoothstep(double lo, double hi, double x)
{
	double t = clamp((x - lo) / (hi - lo), 0, 1);
	return t * t * (3 - 2 * t);
}

static inline double radians(double degrees)
{
	return degrees * (SIM_PI / 180);
}

#endif
