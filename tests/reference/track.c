/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/track.h"

#include <math.h>
#include <string.h>

#include "reference/linear.h"

/* What track.cl states about a reading that lies on the model. */
#define BAND 0.999        /* truncations */
#define STEEP_MIN 0.3     /* of the distance's gradient, mm per mm */
#define AGREE_MIN 0.3     /* cosine between the reading's normal and the gradient */
#define AGREE_RAYCAST 0.5 /* and between it and the normal of the raycast */
#define GAP_GATES 3.0     /* farthest point of the raycast, in gates */

static bool close_to(double value, double limit)
{
	return fabs(value - limit) < 1e-4;
}

double ref_moment(const ref_frame *f, double row)
{
	return 2.0 * row / (f->camera->height - 1.0) - 1.0;
}

void ref_skew(const ref_frame *f, double moment, double p[3])
{
	double swing[3];
	if (f->skew == NULL)
		return;
	ref_cross(f->skew, p, swing);
	for (int i = 0; i < 3; i++)
		p[i] += moment * (swing[i] + f->skew[3 + i]);
}

/* The motion within the frame moves a reading as the pose does, as far as its moment is from the middle. */
static void add_skew(ref_sums *out, const double j[6], double w, double residual_mm, double moment)
{
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++) {
			out->s[ENM_K_SUM_SKEW(a, b)] += w * (moment * j[a]) * j[b];
			out->s[ENM_K_SUM_SKEW2(a, b)] += w * (moment * j[a]) * (moment * j[b]);
		}
		out->s[ENM_K_SUM_SKEW_GRADIENT(a)] += w * (moment * j[a]) * residual_mm;
	}
}

/* What the six unknowns do to the distance of a point with a normal. */
static void row_of(const double arm_mm[3], const double n[3], double lever_mm, double j[6])
{
	ref_cross(arm_mm, n, j);
	for (int i = 0; i < 3; i++) {
		j[i] /= lever_mm;
		j[3 + i] = n[i];
	}
}

static void add_fixed(ref_sums *out, const double arm_mm[3], const double of_model[3], const double of_frame[3], double residual_mm,
	double weight, const ref_alignment *how)
{
	const double q = residual_mm / how->gate_mm, w = fabs(q) < 1.0 ? weight * pow(1.0 - q * q, 2.0) : 0.0;
	double one[6], other[6];
	row_of(arm_mm, of_model, 0.5 * how->pivot_mm, one);
	row_of(arm_mm, of_frame, 0.5 * how->pivot_mm, other);
	for (int i = 0; i < 36; i++)
		out->fixed[i] += w * one[i / 6] * other[i % 6];
}

/* Adds the residual of one reading on the model. */
static void add(ref_sums *out, const double arm_mm[3], const double n[3], double residual_mm, double weight, double moment,
	const ref_alignment *how)
{
	const double q = residual_mm / how->gate_mm;
	double j[6];
	out->s[ENM_K_SUM_MODEL] += 1;
	out->s[ENM_K_SUM_QUALITY] += weight;
	out->unsure += close_to(fabs(q), 1.0);
	if (fabs(q) >= 1.0)
		return;
	const double w = weight * pow(1.0 - q * q, 2.0);
	row_of(arm_mm, n, 0.5 * how->pivot_mm, j);
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++)
			out->s[ENM_K_SUM_H(a, b)] += w * j[a] * j[b];
		out->s[ENM_K_SUM_GRADIENT(a)] += w * j[a] * residual_mm;
		out->s[ENM_K_SUM_GRADIENT(a) + 1] += w * j[a];
	}
	add_skew(out, j, w, residual_mm, moment);
	out->s[ENM_K_SUM_COST] += w * residual_mm * residual_mm;
	out->s[ENM_K_SUM_WEIGHT] += w;
	out->s[ENM_K_SUM_INLIER] += 1;
}

static void judge_reading(const ref_frame *f, const ref_volume *v, const ref_alignment *how, const ref_pose *pose,
	uint32_t pixel, ref_sums *out)
{
	const double z = (double)f->depth[pixel];
	double ray[2], world[3], distance, gradient[3], corners[8], normal[3];
	if (z == 0.0)
		return;
	out->s[ENM_K_SUM_OFFERED] += 1;
	out->s[ENM_K_SUM_DEPTH] += z;
	ref_ray(f->camera, pixel % f->camera->width, pixel / f->camera->width, ray);
	const double moment = f->skew != NULL ? ref_moment(f, pixel / f->camera->width) : 0.0, pivot[3] = {0, 0, how->pivot_mm};
	double p[3] = {ray[0] * z, ray[1] * z, z};
	ref_skew(f, moment, p);
	ref_pose_apply(pose, p, world);
	if (!ref_volume_sample(v, world, &distance, gradient, corners))
		return;
	bool band = true, empty = true;
	for (int c = 0; c < 8; c++) {
		band = band && fabs(corners[c]) < BAND;
		empty = empty && corners[c] >= BAND;
	}
	if (!band) {
		out->s[ENM_K_SUM_FREE] += empty;
		return;
	}
	for (int i = 0; i < 3; i++)
		gradient[i] *= v->truncation_mm;
	const double steep = ref_length(gradient);
	const double seen[3] = {
		(double)f->normals[4 * pixel], (double)f->normals[4 * pixel + 1], (double)f->normals[4 * pixel + 2]};
	ref_pose_rotate(pose, seen, normal);
	const double agree = ref_dot(gradient, normal) / steep;
	out->unsure += close_to(steep, STEEP_MIN) || close_to(agree, AGREE_MIN);
	if (steep <= STEEP_MIN || agree < AGREE_MIN)
		return;
	double arm[3];
	ref_pose_apply(pose, pivot, arm);
	for (int i = 0; i < 3; i++) {
		arm[i] = world[i] - arm[i];
		gradient[i] /= steep;
	}
	const double residual_mm = distance * v->truncation_mm / steep, weight = (double)f->normals[4 * pixel + 3];
	add(out, arm, gradient, residual_mm, weight, moment, how);
	add_fixed(out, arm, gradient, normal, residual_mm, weight, how);
}

void ref_track_sums(
	const ref_frame *frame, const ref_volume *volume, const ref_alignment *how, const ref_pose *pose, ref_sums *out)
{
	const uint32_t stride = (uint32_t)how->stride, columns = frame->camera->width / stride,
		       rows = frame->camera->height / stride;
	memset(out, 0, sizeof(*out));
	for (uint32_t y = 0; y < rows; y++)
		for (uint32_t x = 0; x < columns; x++)
			judge_reading(frame, volume, how, pose,
				(y * stride + stride / 2) * frame->camera->width + x * stride + stride / 2, out);
}

/* Whether a place in a picture is next to another pixel. */
static bool on_the_brink(const double at[2])
{
	return close_to(at[0], rint(at[0])) || close_to(at[1], rint(at[1]));
}

/* The raycast's normals may be rounded to 11 bits, so that what lies within a thousandth is unsure. */
static void judge_seen(const ref_frame *f, const ref_raycast *v, const ref_alignment *how, const ref_pose *pose,
	uint32_t pixel, ref_sums *out)
{
	const double z = (double)f->depth[pixel];
	double ray[2], world[3], in_view[3], at[2], normal[3], arm[3], gap[3];
	if (z == 0.0)
		return;
	out->s[ENM_K_SUM_OFFERED] += 1;
	out->s[ENM_K_SUM_DEPTH] += z;
	ref_ray(f->camera, pixel % f->camera->width, pixel / f->camera->width, ray);
	const double p[3] = {ray[0] * z, ray[1] * z, z}, pivot[3] = {0, 0, how->pivot_mm};
	ref_pose_apply(pose, p, world);
	ref_pose_apply_back(&v->world_from_camera, world, in_view);
	ref_project(f->camera, in_view, at);
	at[0] /= v->stride;
	at[1] /= v->stride;
	out->unsure += on_the_brink(at);
	if (!(at[0] >= 0 && at[1] >= 0 && at[0] < v->width && at[1] < v->height))
		return;
	const size_t i = 4 * ((size_t)at[1] * v->width + (size_t)at[0]);
	if (v->points[i + 3] == 0.0f)
		return;
	const double n[3] = {(double)v->normals[i], (double)v->normals[i + 1], (double)v->normals[i + 2]};
	const double seen[3] = {
		(double)f->normals[4 * pixel], (double)f->normals[4 * pixel + 1], (double)f->normals[4 * pixel + 2]};
	for (int k = 0; k < 3; k++)
		gap[k] = world[k] - (double)v->points[i + (size_t)k];
	ref_pose_rotate(pose, seen, normal);
	const double agree = ref_dot(n, normal), away = ref_length(gap) / (GAP_GATES * how->gate_mm);
	out->unsure += fabs(agree - AGREE_RAYCAST) < 1e-3 || close_to(away, 1.0);
	if (away > 1.0 || agree < AGREE_RAYCAST)
		return;
	ref_pose_apply(pose, pivot, arm);
	for (int k = 0; k < 3; k++)
		arm[k] = world[k] - arm[k];
	const double residual = ref_dot(gap, n);
	out->unsure += fabs(fabs(residual) / how->gate_mm - 1.0) < 1e-3;
	add(out, arm, n, residual, (double)f->normals[4 * pixel + 3], 0.0, how);
}

void ref_track_sums_raycast(
	const ref_frame *frame, const ref_raycast *view, const ref_alignment *how, const ref_pose *pose, ref_sums *out)
{
	const uint32_t stride = (uint32_t)how->stride, columns = frame->camera->width / stride,
		       rows = frame->camera->height / stride;
	memset(out, 0, sizeof(*out));
	for (uint32_t y = 0; y < rows; y++)
		for (uint32_t x = 0; x < columns; x++)
			judge_seen(frame, view, how, pose,
				(y * stride + stride / 2) * frame->camera->width + x * stride + stride / 2, out);
}

/* How far a pose is from the prediction in the six lengths of the solve. */
static void deviation(const ref_pose *pose, const ref_pose *predicted, double pivot_mm, double out[6])
{
	const double pivot[3] = {0, 0, pivot_mm};
	double at[3], wanted[3];
	ref_pose turn, back = *predicted;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			back.r[3 * i + j] = predicted->r[3 * j + i];
	turn = ref_pose_multiply(pose, &back);
	out[0] = 0.25 * pivot_mm * (turn.r[7] - turn.r[5]);
	out[1] = 0.25 * pivot_mm * (turn.r[2] - turn.r[6]);
	out[2] = 0.25 * pivot_mm * (turn.r[3] - turn.r[1]);
	ref_pose_apply(pose, pivot, at);
	ref_pose_apply(predicted, pivot, wanted);
	for (int i = 0; i < 3; i++)
		out[3 + i] = at[i] - wanted[i];
}

ref_pose ref_track_step(const double sums[ENM_K_SUMS], const ref_pose *pose, const ref_pose *predicted, double pivot_mm,
	double prior, double reach_mm)
{
	const double lever_mm = 0.5 * pivot_mm, pivot[3] = {0, 0, pivot_mm};
	double h[36], x[6], e[6], centre[3], largest = 0.0;
	deviation(pose, predicted, pivot_mm, e);
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++)
			h[6 * a + b] = sums[ENM_K_SUM_H(a, b)];
		h[7 * a] += prior;
		x[a] = -sums[ENM_K_SUM_GRADIENT(a)] - prior * e[a];
	}
	if (!ref_solve(6, h, x))
		return *pose;
	for (int a = 0; a < 6; a++)
		largest = fmax(largest, fabs(x[a]));
	const double share = fmin(1.0, reach_mm / largest);
	const enm_pose turned =
		ref_pose_make(share * x[0] / lever_mm, share * x[1] / lever_mm, share * x[2] / lever_mm, 0, 0, 0);
	const ref_pose turn = ref_pose_from(&turned);
	ref_pose_apply(pose, pivot, centre);
	ref_pose out = ref_pose_multiply(&turn, pose);
	/* the turn is about the pivot, not about the world's origin */
	double moved[3];
	ref_pose_rotate(&turn, centre, moved);
	for (int i = 0; i < 3; i++)
		out.t[i] += centre[i] - moved[i] + share * x[3 + i];
	return out;
}
