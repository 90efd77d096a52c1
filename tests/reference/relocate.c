/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/relocate.h"

#include <math.h>
#include <string.h>

#define AGREE_MIN 0.5 /* cosine between two readings' normals */
#define GAP_GATES 3.0 /* along the view, in gates: another surface */

static double shift_at(const ref_pose *a, const ref_pose *b, double pivot_mm)
{
	const double pivot[3] = {0, 0, pivot_mm};
	double p[3], q[3];
	ref_pose_apply(a, pivot, p);
	ref_pose_apply(b, pivot, q);
	for (int i = 0; i < 3; i++)
		p[i] -= q[i];
	return ref_length(p);
}

/* 2 sin(angle / 2): the chord, which is the angle for small ones. */
static double chord(const ref_pose *a, const ref_pose *b)
{
	return 2.0 * sin(0.5 * ref_pose_angle(a, b));
}

double ref_views_apart(const ref_pose *a, const ref_pose *b, double pivot_mm, double reach_mm, double reach_rad)
{
	const double shift = shift_at(a, b, pivot_mm) / reach_mm, turn = chord(a, b) / reach_rad;
	return shift * shift + turn * turn;
}

static bool close_to(double value, double limit)
{
	return fabs(value - limit) < 1e-4;
}

static void normal_of(const ref_frame *f, size_t pixel, double out[3])
{
	for (size_t i = 0; i < 3; i++)
		out[i] = (double)f->normals[4 * pixel + i];
}

static void point_of(const ref_frame *f, size_t pixel, double out[3])
{
	const double z = (double)f->depth[pixel];
	ref_ray(f->camera, (double)(pixel % f->camera->width), (double)(pixel / f->camera->width), out);
	out[0] *= z;
	out[1] *= z;
	out[2] = z;
}

/* The weight of one reading. */
static double weigh(const ref_frame *frame, size_t pixel, const ref_frame *kept, int kept_stride,
	const ref_pose *kept_from_camera, double gate_mm, int *unsure)
{
	const int columns = (int)kept->camera->width / kept_stride, rows = (int)kept->camera->height / kept_stride;
	double p[3], here[3], at[2], n[3], seen[3], turned[3], q[3];
	point_of(frame, pixel, p);
	ref_pose_apply(kept_from_camera, p, here);
	if (here[2] <= 0.0)
		return 0.0;
	ref_project(kept->camera, here, at);
	const double u = (at[0] + 0.5) / kept_stride, v = (at[1] + 0.5) / kept_stride;
	*unsure += close_to(u, round(u)) || close_to(v, round(v));
	if (u < 0 || v < 0 || u >= columns || v >= rows)
		return 0.0;
	const size_t x = (size_t)((int)u * kept_stride + kept_stride / 2),
		     y = (size_t)((int)v * kept_stride + kept_stride / 2);
	const size_t other = y * kept->camera->width + x;
	if (kept->depth[other] == 0.0f)
		return 0.0;
	point_of(kept, other, q);
	normal_of(kept, other, n);
	normal_of(frame, pixel, seen);
	ref_pose_rotate(kept_from_camera, seen, turned);
	const double gap = fabs(here[2] - q[2]), agree = ref_dot(n, turned);
	*unsure += close_to(gap, GAP_GATES * gate_mm) || close_to(agree, AGREE_MIN);
	if (gap > GAP_GATES * gate_mm || agree < AGREE_MIN)
		return 0.0;
	const double off[3] = {here[0] - q[0], here[1] - q[1], here[2] - q[2]}, r = ref_dot(n, off) / gate_mm;
	return fabs(r) < 1.0 ? pow(1.0 - r * r, 2.0) : 0.0;
}

double ref_keyframe_support(const ref_frame *frame, const ref_frame *kept, int stride, int kept_stride,
	const ref_pose *kept_from_camera, double gate_mm, int *out_unsure)
{
	const int columns = (int)frame->camera->width / stride, rows = (int)frame->camera->height / stride;
	double weight = 0.0, offered = 0.0;
	*out_unsure = 0;
	for (int i = 0; i < columns * rows; i++) {
		const size_t x = (size_t)(i % columns * stride + stride / 2),
			     y = (size_t)(i / columns * stride + stride / 2);
		const size_t pixel = y * frame->camera->width + x;
		if (frame->depth[pixel] == 0.0f)
			continue;
		offered += 1.0;
		weight += weigh(frame, pixel, kept, kept_stride, kept_from_camera, gate_mm, out_unsure);
	}
	return weight / offered;
}

int ref_pick(const ref_pose *places, const float *support, int count, double pivot_mm, double reach_mm,
	double reach_rad, int most, int *out_picks)
{
	int picked = 0;
	while (picked < most) {
		int best = -1;
		for (int i = 0; i < count; i++) {
			bool free = support[i] > 0.0f && (best < 0 || support[i] > support[best]);
			for (int p = 0; p < picked && free; p++) {
				const ref_pose *taken = &places[out_picks[p]];
				const double turn = ref_pose_angle(&places[i], taken);
				free = i != out_picks[p] && (shift_at(&places[i], taken, pivot_mm) >= reach_mm ||
								    sin(turn) >= reach_rad || cos(turn) < 0.0);
			}
			best = free ? i : best;
		}
		if (best < 0)
			break;
		out_picks[picked++] = best;
	}
	return picked;
}

double ref_patch_rms(const ref_frame *frame, const ref_volume *volume, const ref_alignment *how,
	const ref_pose *world_from_camera, int parts)
{
	const int columns = (int)frame->camera->width / how->stride, rows = (int)frame->camera->height / how->stride;
	double squares = 0.0, weights = 0.0;
	for (int part = 0; part < parts * parts; part++) {
		double sum = 0.0, weight = 0.0;
		const int px = part % parts, py = part / parts;
		for (int y = rows * py / parts; y < rows * (py + 1) / parts; y++) {
			for (int x = columns * px / parts; x < columns * (px + 1) / parts; x++) {
				const size_t pixel =
					(size_t)(y * how->stride + how->stride / 2) * frame->camera->width +
					(size_t)(x * how->stride + how->stride / 2);
				double p[3], world[3], distance, gradient[3], corners[8], seen[3], normal[3];
				if (frame->depth[pixel] == 0.0f)
					continue;
				point_of(frame, pixel, p);
				ref_pose_apply(world_from_camera, p, world);
				normal_of(frame, pixel, seen);
				ref_pose_rotate(world_from_camera, seen, normal);
				bool band = ref_volume_sample(volume, world, &distance, gradient, corners);
				for (int c = 0; c < 8 && band; c++)
					band = fabs(corners[c]) < 0.999;
				const double steep = band ? ref_length(gradient) : 0.0;
				if (steep * volume->truncation_mm <= 0.3 || ref_dot(gradient, normal) < 0.3 * steep)
					continue;
				const double r = distance / steep, q = r / how->gate_mm;
				const double w = fabs(q) < 1.0
							 ? (double)frame->normals[4 * pixel + 3] * pow(1.0 - q * q, 2.0)
							 : 0.0;
				sum += w * r;
				weight += w;
			}
		}
		squares += weight > 0.0 ? sum * sum / weight : 0.0;
		weights += weight;
	}
	return sqrt(squares / weights);
}
