/* SPDX-License-Identifier: Apache-2.0 */
#include "rigid.h"

#include <math.h>
#include <string.h>

enum { N_MAX = 6 };

rigid rigid_identity(void)
{
	return (rigid){.r = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
}

rigid rigid_from_quaternion(const double t[3], const double q[4])
{
	const double s = 2 / (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	const double x = q[0], y = q[1], z = q[2], w = q[3];
	return (rigid){.r = {1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w), s * (x * y + z * w),
			       1 - s * (x * x + z * z), s * (y * z - x * w), s * (x * z - y * w), s * (y * z + x * w),
			       1 - s * (x * x + y * y)},
		.t = {t[0], t[1], t[2]}};
}

/* The quaternion is the eigenvector of the largest eigenvalue of Bar-Itzhack's matrix: good near every angle. */
void rigid_to_quaternion(const rigid *a, double out[4])
{
	const double *r = a->r;
	const double k[16] = {r[0] - r[4] - r[8], r[1] + r[3], r[2] + r[6], r[7] - r[5], r[1] + r[3],
		r[4] - r[0] - r[8], r[5] + r[7], r[2] - r[6], r[2] + r[6], r[5] + r[7], r[8] - r[0] - r[4], r[3] - r[1],
		r[7] - r[5], r[2] - r[6], r[3] - r[1], r[0] + r[4] + r[8]};
	double values[4], vectors[16];
	symmetric_eigen(4, k, values, vectors);
	const double sign = vectors[15] < 0 ? -1 : 1;
	for (int i = 0; i < 4; i++)
		out[i] = sign * vectors[4 * i + 3];
}

void rigid_direction(const rigid *a, const double d[3], double out[3])
{
	const double c[3] = {vec_dot(a->r, d), vec_dot(a->r + 3, d), vec_dot(a->r + 6, d)};
	memcpy(out, c, sizeof(c));
}

void rigid_point(const rigid *a, const double p[3], double out[3])
{
	rigid_direction(a, p, out);
	for (int i = 0; i < 3; i++)
		out[i] += a->t[i];
}

rigid rigid_compose(const rigid *c_from_b, const rigid *b_from_a)
{
	rigid out;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			out.r[3 * i + j] = c_from_b->r[3 * i] * b_from_a->r[j] +
					   c_from_b->r[3 * i + 1] * b_from_a->r[3 + j] +
					   c_from_b->r[3 * i + 2] * b_from_a->r[6 + j];
	rigid_point(c_from_b, b_from_a->t, out.t);
	return out;
}

rigid rigid_inverse(const rigid *a)
{
	rigid out = {.r = {a->r[0], a->r[3], a->r[6], a->r[1], a->r[4], a->r[7], a->r[2], a->r[5], a->r[8]}};
	double t[3];
	rigid_direction(&out, a->t, t);
	for (int i = 0; i < 3; i++)
		out.t[i] = -t[i];
	return out;
}

double rigid_angle(const rigid *a)
{
	const double *r = a->r;
	const double axis[3] = {r[7] - r[5], r[2] - r[6], r[3] - r[1]};
	return atan2(vec_length(axis), r[0] + r[4] + r[8] - 1);
}

/* Rotation by the vector w (Rodrigues). */
static void rotation_from_vector(const double w[3], double out_r[9])
{
	const double angle = vec_length(w);
	const double s = angle > 1e-8 ? sin(angle) / angle : 1;
	const double c = angle > 1e-8 ? (1 - cos(angle)) / (angle * angle) : 0.5;
	const double k[9] = {0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			const double kk = w[i] * w[j] - (i == j ? angle * angle : 0);
			out_r[3 * i + j] = (i == j ? 1 : 0) + s * k[3 * i + j] + c * kk;
		}
}

rigid rigid_small(const double w[3], const double v[3], const double centre[3])
{
	rigid out = {.t = {0, 0, 0}};
	double turned[3];
	rotation_from_vector(w, out.r);
	rigid_direction(&out, centre, turned);
	for (int i = 0; i < 3; i++)
		out.t[i] = centre[i] + v[i] - turned[i];
	return out;
}

rigid rigid_between(const rigid *a, const rigid *b, double share)
{
	double qa[4], qb[4], q[4], t[3];
	rigid_to_quaternion(a, qa);
	rigid_to_quaternion(b, qb);
	double dot = qa[0] * qb[0] + qa[1] * qb[1] + qa[2] * qb[2] + qa[3] * qb[3];
	const double sign = dot < 0 ? -1 : 1;
	dot = fmin(fabs(dot), 1);
	const double angle = acos(dot);
	const double wa = angle > 1e-6 ? sin((1 - share) * angle) / sin(angle) : 1 - share;
	const double wb = angle > 1e-6 ? sin(share * angle) / sin(angle) : share;
	for (int i = 0; i < 4; i++)
		q[i] = wa * qa[i] + sign * wb * qb[i];
	for (int i = 0; i < 3; i++)
		t[i] = (1 - share) * a->t[i] + share * b->t[i];
	return rigid_from_quaternion(t, q);
}

static void centroid(const double (*points)[3], size_t count, double out[3])
{
	memset(out, 0, 3 * sizeof(double));
	for (size_t k = 0; k < count; k++)
		for (int i = 0; i < 3; i++)
			out[i] += points[k][i] / (double)count;
}

/* Whether the points spread along at least two axes. */
static bool spans_a_plane(const double (*points)[3], size_t count, const double centre[3])
{
	double c[9] = {0}, values[3], vectors[9];
	for (size_t k = 0; k < count; k++)
		for (int i = 0; i < 9; i++)
			c[i] += (points[k][i / 3] - centre[i / 3]) * (points[k][i % 3] - centre[i % 3]);
	symmetric_eigen(3, c, values, vectors);
	return values[1] > 1e-10 * values[2] && values[1] > 0;
}

bool rigid_fit(const double (*from)[3], const double (*to)[3], size_t count, rigid *out)
{
	*out = rigid_identity();
	if (count < 3)
		return false;
	double a[3], b[3], s[9] = {0};
	centroid(from, count, a);
	centroid(to, count, b);
	if (!spans_a_plane(from, count, a) || !spans_a_plane(to, count, b))
		return false;
	for (size_t k = 0; k < count; k++)
		for (int i = 0; i < 9; i++)
			s[i] += (from[k][i / 3] - a[i / 3]) * (to[k][i % 3] - b[i % 3]);
	const double n[16] = {s[0] - s[4] - s[8], s[1] + s[3], s[2] + s[6], s[5] - s[7], s[1] + s[3],
		s[4] - s[0] - s[8], s[5] + s[7], s[6] - s[2], s[2] + s[6], s[5] + s[7], s[8] - s[0] - s[4], s[1] - s[3],
		s[5] - s[7], s[6] - s[2], s[1] - s[3], s[0] + s[4] + s[8]};
	double values[4], vectors[16];
	symmetric_eigen(4, n, values, vectors);
	const double q[4] = {vectors[3], vectors[7], vectors[11], vectors[15]};
	*out = rigid_from_quaternion((const double[3]){0, 0, 0}, q);
	double turned[3];
	rigid_direction(out, a, turned);
	vec_sub(b, turned, out->t);
	return true;
}

rigid rigid_mean(const rigid *poses, size_t count, const double point[3])
{
	double moments[16] = {0}, place[3] = {0}, values[4], vectors[16];
	for (size_t k = 0; k < count; k++) {
		double q[4], p[3];
		rigid_to_quaternion(&poses[k], q);
		rigid_point(&poses[k], point, p);
		for (int i = 0; i < 16; i++)
			moments[i] += q[i / 4] * q[i % 4];
		for (int i = 0; i < 3; i++)
			place[i] += p[i] / (double)count;
	}
	symmetric_eigen(4, moments, values, vectors);
	const double q[4] = {vectors[3], vectors[7], vectors[11], vectors[15]};
	rigid out = rigid_from_quaternion((const double[3]){0, 0, 0}, q);
	double turned[3];
	rigid_direction(&out, point, turned);
	vec_sub(place, turned, out.t);
	return out;
}

static void jacobi_turn(int n, double *a, double *v, int p, int q)
{
	if (a[n * p + q] == 0)
		return;
	const double theta = (a[n * q + q] - a[n * p + p]) / (2 * a[n * p + q]);
	const double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
	const double c = 1 / sqrt(t * t + 1), s = t * c;
	for (int k = 0; k < n; k++) {
		const double kp = a[n * k + p], kq = a[n * k + q];
		a[n * k + p] = c * kp - s * kq;
		a[n * k + q] = s * kp + c * kq;
	}
	for (int k = 0; k < n; k++) {
		const double pk = a[n * p + k], qk = a[n * q + k];
		a[n * p + k] = c * pk - s * qk;
		a[n * q + k] = s * pk + c * qk;
		const double vp = v[n * k + p], vq = v[n * k + q];
		v[n * k + p] = c * vp - s * vq;
		v[n * k + q] = s * vp + c * vq;
	}
}

void symmetric_eigen(int n, const double *matrix, double *out_values, double *out_vectors)
{
	double a[N_MAX * N_MAX], v[N_MAX * N_MAX];
	int order[N_MAX];
	memcpy(a, matrix, (size_t)(n * n) * sizeof(double));
	for (int i = 0; i < n * n; i++)
		v[i] = i % (n + 1) == 0 ? 1 : 0;
	for (int sweep = 0; sweep < 50; sweep++) {
		double off = 0, all = 0;
		for (int i = 0; i < n * n; i++) {
			all += a[i] * a[i];
			off += i % (n + 1) == 0 ? 0 : a[i] * a[i];
		}
		if (off <= 1e-32 * all)
			break;
		for (int p = 0; p < n; p++)
			for (int q = p + 1; q < n; q++)
				jacobi_turn(n, a, v, p, q);
	}
	for (int i = 0; i < n; i++) {
		int j = i;
		for (; j > 0 && a[(n + 1) * order[j - 1]] > a[(n + 1) * i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	for (int i = 0; i < n; i++) {
		out_values[i] = a[(n + 1) * order[i]];
		for (int k = 0; k < n; k++)
			out_vectors[n * k + i] = v[n * k + order[i]];
	}
}

bool solve_positive(int n, const double *a, const double *b, double *out_x)
{
	double l[N_MAX * N_MAX];
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++) {
			double sum = a[n * i + j];
			for (int k = 0; k < j; k++)
				sum -= l[n * i + k] * l[n * j + k];
			if (i == j && !(sum > 0))
				return false;
			l[n * i + j] = i == j ? sqrt(sum) : sum / l[n * j + j];
		}
	for (int i = 0; i < n; i++) {
		double sum = b[i];
		for (int k = 0; k < i; k++)
			sum -= l[n * i + k] * out_x[k];
		out_x[i] = sum / l[n * i + i];
	}
	for (int i = n - 1; i >= 0; i--) {
		double sum = out_x[i];
		for (int k = i + 1; k < n; k++)
			sum -= l[n * k + i] * out_x[k];
		out_x[i] = sum / l[n * i + i];
	}
	return true;
}
