/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/refine.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define UNKNOWNS 18 /* turn and move of the sample's frame, of the other's, and the residual's terms */

/* A sample with what it is compared with; all that stays as it is when the unknowns move. */
typedef struct sample {
	const ref_refine *how;
	const ref_pose *to_from;
	double ray_from[3], ray_to[3], depth_from, depth_to; /* depths as they were read */
	double pixel_from[2], pixel_to[2];
	double moment_from, moment_to;
	const double *skew_from, *skew_to;
	double normal[3]; /* of the other's surface, in its frame */
	double own_normal[3];
} sample;

static double residual_mm(const ref_refine *how, const double pixel[2], const double *more)
{
	const double x = 2.0 * pixel[0] / (how->camera->width - 1.0) - 1.0,
		     y = 2.0 * pixel[1] / (how->camera->height - 1.0) - 1.0;
	const double terms[] = {x * x + y * y, x * x - y * y, x * y, x, y, 1.0};
	double sum = 0.0;
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		sum += (how->residual_mm[i] + more[i]) * terms[i];
	return sum;
}

/* p + share * (turn x p + move) */
static void move_point(const double *motion, double share, double p[3])
{
	double turned[3];
	ref_cross(motion, p, turned);
	for (int i = 0; i < 3; i++)
		p[i] += share * (turned[i] + motion[3 + i]);
}

/* How far the sample is from the other frame's plane when the unknowns have moved. */
static double distance(const sample *s, const double unknowns[UNKNOWNS])
{
	const double depth = s->depth_from - residual_mm(s->how, s->pixel_from, unknowns + 12);
	const double surface = s->depth_to - residual_mm(s->how, s->pixel_to, unknowns + 12);
	double p[3], moved[3], q[3];
	for (int i = 0; i < 3; i++) {
		p[i] = depth * s->ray_from[i];
		q[i] = surface * s->ray_to[i];
	}
	if (s->skew_from != NULL)
		move_point(s->skew_from, s->moment_from, p);
	move_point(unknowns, 1.0, p);
	ref_pose_apply(s->to_from, p, moved);
	move_point(unknowns + 6, -1.0, moved);
	if (s->skew_to != NULL)
		move_point(s->skew_to, -s->moment_to, moved);
	for (int i = 0; i < 3; i++)
		moved[i] -= q[i];
	return ref_dot(s->normal, moved);
}

/* ---- matching ---- */

static double moment_of(const enm_camera *c, double row)
{
	return (2.0 * row - (c->height - 1.0)) / (c->height - 1.0);
}

/* The surface of `to` at a ray: half chord, half tangents. False where there is none. */
static bool surface_at(const ref_refine *how, const ref_refine_map *to, sample *s, int *unsure)
{
	const double x = s->pixel_to[0] / how->stride, y = s->pixel_to[1] / how->stride;
	double chord = 0.0, tangent = 0.0, low = INFINITY, high = -INFINITY;
	if (!(x >= 0.0 && y >= 0.0 && x < how->columns - 1.0 && y < how->rows - 1.0))
		return false;
	const int column = (int)x, row = (int)y;
	memset(s->normal, 0, sizeof(s->normal));
	for (int k = 0; k < 4; k++) {
		const int cx = column + k % 2, cy = row + k / 2, cell = cy * how->columns + cx;
		const double share = (k % 2 ? x - column : 1.0 - (x - column)) * (k / 2 ? y - row : 1.0 - (y - row)),
			     z = to->depth[cell];
		double own[3] = {0.0, 0.0, 1.0};
		ref_ray(how->camera, cx * how->stride, cy * how->stride, own);
		if (z == 0.0)
			return false;
		const double plane =
			z * ref_dot(to->normals + 3 * cell, own) / ref_dot(to->normals + 3 * cell, s->ray_to);
		chord += share * z;
		tangent += share * plane;
		low = fmin(low, plane);
		high = fmax(high, plane);
		for (int i = 0; i < 3; i++)
			s->normal[i] += share * to->normals[3 * cell + i];
	}
	const double length = ref_length(s->normal),
		     tolerance = 8.0 * how->sigma_per_mm2 * 0.25 * (chord + tangent) * (chord + tangent);
	for (int i = 0; i < 3; i++)
		s->normal[i] /= length;
	s->depth_to = 0.5 * (chord + tangent);
	*unsure += fabs(high - low - tolerance) < 1e-4;
	return high - low < tolerance;
}

static bool match(const ref_refine *how, const ref_refine_map *from, const ref_refine_map *to, const ref_pose *to_from,
	int cell, sample *s, int *unsure)
{
	const int column = cell % how->columns * how->stride, row = cell / how->columns * how->stride;
	const double none[ENM_K_RESIDUAL_TERMS] = {0};
	memset(s, 0, sizeof(*s));
	s->how = how;
	s->to_from = to_from;
	s->skew_from = from->skew;
	s->skew_to = to->skew;
	s->depth_from = from->depth[cell];
	if (s->depth_from == 0.0)
		return false;
	memcpy(s->own_normal, from->normals + 3 * cell, sizeof(s->own_normal));
	s->pixel_from[0] = column;
	s->pixel_from[1] = row;
	s->ray_from[2] = 1.0;
	ref_ray(how->camera, column, row, s->ray_from);
	s->moment_from = moment_of(how->camera, row);
	double p[3], there[3];
	for (int i = 0; i < 3; i++)
		p[i] = s->ray_from[i] * (s->depth_from - residual_mm(how, s->pixel_from, none));
	if (from->skew != NULL)
		move_point(from->skew, s->moment_from, p);
	ref_pose_apply(to_from, p, there);
	if (there[2] <= 0.5)
		return false;
	ref_project(how->camera, there, s->pixel_to);
	if (to->skew != NULL) {
		s->moment_to = moment_of(how->camera, fmin(fmax(s->pixel_to[1], 0.0), how->camera->height - 1.0));
		move_point(to->skew, -s->moment_to, there);
		ref_project(how->camera, there, s->pixel_to);
	}
	for (int i = 0; i < 3; i++)
		s->ray_to[i] = there[i] / there[2];
	return surface_at(how, to, s, unsure);
}

/* ---- sums ---- */

/* The places of samples are part of what is compared, and written down twice. */
static uint32_t mix(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85EBCA6Bu;
	h = (h ^ h >> 13) * 0xC2B2AE35u;
	return h ^ h >> 16;
}

static int sample_cell(const ref_refine *how, uint32_t from, uint32_t to, int n)
{
	const int cells = how->columns * how->rows, first = (int)((float)n / (float)how->samples * (float)cells);
	const uint32_t width = cells >= how->samples ? (uint32_t)(cells / how->samples) : 1;
	const uint32_t h = mix(mix(mix(how->seed + 0x9E3779B9u * from) ^ to) + (uint32_t)n);
	const int cell = first + (int)((uint64_t)h * width >> 32);
	return cell < cells ? cell : cells - 1;
}

static void add_products(const double columns[19], double *sums)
{
	int at = 0;
	for (int a = 0; a < 19; a++)
		for (int b = a; b < 19; b++)
			sums[at++] += columns[a] * columns[b];
}

static void add_sample(const ref_refine *how, const sample *s, bool forward, double *sums, int *unsure)
{
	const double step = 1e-4;
	double unknowns[UNKNOWNS] = {0}, columns[19], turned[3] = {0};
	const double of_from = s->depth_from - residual_mm(how, s->pixel_from, unknowns + 12),
		     of_to = s->depth_to - residual_mm(how, s->pixel_to, unknowns + 12);
	const double sigma_mm = how->sigma_per_mm2 * sqrt(pow(of_from, 4) + pow(of_to, 4));
	const double r = distance(s, unknowns), u = r / (how->gate * sigma_mm);
	/* rotated forth, normals are compared where they are */
	ref_pose_rotate(s->to_from, s->own_normal, turned);
	const double cosine = ref_dot(turned, s->normal);
	sums[ENM_K_REFINE_OFFERED] += 1.0;
	*unsure += fabs(fabs(u) - 1.0) < 1e-3 || fabs(cosine - 0.9) < 1e-3;
	if (fabs(u) >= 1.0 || cosine <= 0.9)
		return;
	const double weight = (1.0 - u * u) / sigma_mm;
	for (int i = 0; i < UNKNOWNS; i++) {
		unknowns[i] = step;
		const double more = distance(s, unknowns);
		unknowns[i] = -step;
		const double less = distance(s, unknowns);
		unknowns[i] = 0.0;
		columns[i < 12 && !forward ? (i + 6) % 12 : i] = weight * (more - less) / (2.0 * step);
	}
	columns[18] = weight * r;
	add_products(columns, sums);
	sums[ENM_K_REFINE_INLIERS] += (1.0 - u * u) * (1.0 - u * u);
}

static ref_pose inverse(const ref_pose *p)
{
	ref_pose back;
	const double zero[3] = {0};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			back.r[3 * i + j] = p->r[3 * j + i];
	ref_pose_apply_back(p, zero, back.t);
	return back;
}

void ref_refine_pair(const ref_refine *how, const ref_refine_map *first, const ref_refine_map *second,
	const ref_pose *second_from_first, double out_sums[ENM_K_REFINE_SUMS], int *out_unsure)
{
	const ref_pose back = inverse(second_from_first);
	memset(out_sums, 0, ENM_K_REFINE_SUMS * sizeof(*out_sums));
	*out_unsure = 0;
	for (int direction = 0; direction < 2; direction++) {
		const bool forward = direction == 0;
		const ref_refine_map *from = forward ? first : second, *to = forward ? second : first;
		for (int n = 0; n < how->samples; n++) {
			sample s;
			if (match(how, from, to, forward ? second_from_first : &back,
				    sample_cell(how, from->node, to->node, n), &s, out_unsure))
				add_sample(how, &s, forward, out_sums, out_unsure);
		}
	}
}
