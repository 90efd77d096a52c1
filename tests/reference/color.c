/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/color.h"

#include <math.h>
#include <string.h>

#include "reference/linear.h"

/* What color.cl states. */
#define GREY_NOISE 3.0
#define GREY_MOST 245
#define NOISE_SLOPE 0.3
#define REACH_FIRST 2.5
#define REACH_SECOND 4.7
#define SAMPLES_LEAST 24.0
#define FACTOR_LEAST 0.2
#define FACTOR_MOST 5.0
#define STEEP_MIN 0.3
#define AGREE_MIN 0.3

#define LIGHT 4

typedef struct sample {
	double light[LIGHT]; /* the model's grey, 1, place in the part */
	double grey, weight, slope[3], arm_mm[3], j[6];
} sample;

static double grey_at(const uint8_t rgb[3])
{
	return 0.25 * rgb[0] + 0.5 * rgb[1] + 0.25 * rgb[2];
}

/* The model's grey and its gradient (per mm); false where a corner has no colour. */
static bool sample_grey(const ref_volume *v, const double p[3], double *out_grey, double out_gradient[3])
{
	double f[3];
	int low[3];
	*out_grey = out_gradient[0] = out_gradient[1] = out_gradient[2] = 0.0;
	for (int i = 0; i < 3; i++) {
		low[i] = (int)floor(p[i] / v->voxel_mm);
		f[i] = p[i] / v->voxel_mm - low[i];
	}
	for (int c = 0; c < 8; c++) {
		const int bit[3] = {c & 1, c >> 1 & 1, c >> 2};
		const enm_k_voxel *corner = ref_volume_at(v, low[0] + bit[0], low[1] + bit[1], low[2] + bit[2]);
		if (corner == NULL || (corner->red == 0 && corner->green == 0 && corner->blue == 0))
			return false;
		const double grey = 0.25 * corner->red + 0.5 * corner->green + 0.25 * corner->blue;
		double w[3];
		for (int i = 0; i < 3; i++)
			w[i] = bit[i] ? f[i] : 1.0 - f[i];
		*out_grey += w[0] * w[1] * w[2] * grey;
		for (int i = 0; i < 3; i++)
			out_gradient[i] += (bit[i] ? 1.0 : -1.0) * w[(i + 1) % 3] * w[(i + 2) % 3] * grey / v->voxel_mm;
	}
	return true;
}

static bool look_up(const ref_frame *f, const uint8_t *colors, const ref_volume *v, const ref_alignment *how,
	const ref_pose *pose, uint32_t pixel, sample *out)
{
	const double z = (double)f->depth[pixel], pivot[3] = {0, 0, how->pivot_mm};
	const uint8_t *rgb = colors + 3 * (size_t)pixel;
	double ray[2], world[3], centre[3], distance, gradient[3], corners[8], normal[3], grey;
	if (z == 0.0 || rgb[0] > GREY_MOST || rgb[1] > GREY_MOST || rgb[2] > GREY_MOST)
		return false;
	ref_ray(f->camera, pixel % f->camera->width, pixel / f->camera->width, ray);
	const double p[3] = {ray[0] * z, ray[1] * z, z};
	ref_pose_apply(pose, p, world);
	ref_pose_apply(pose, pivot, centre);
	if (!ref_volume_sample(v, world, &distance, gradient, corners) || !sample_grey(v, world, &grey, out->slope))
		return false;
	const double steep = ref_length(gradient);
	const double seen[3] = {
		(double)f->normals[4 * pixel], (double)f->normals[4 * pixel + 1], (double)f->normals[4 * pixel + 2]};
	ref_pose_rotate(pose, seen, normal);
	if (steep * v->truncation_mm <= STEEP_MIN || fabs(distance) >= how->gate_mm * steep ||
		ref_dot(gradient, normal) < AGREE_MIN * steep)
		return false;
	const double along = ref_dot(out->slope, gradient) / (steep * steep);
	for (int i = 0; i < 3; i++) {
		out->slope[i] -= along * gradient[i];
		out->arm_mm[i] = world[i] - centre[i];
	}
	out->light[0] = grey - 128.0;
	out->grey = grey_at(rgb) - 128.0;
	out->weight = 1.0;
	return true;
}

/* Weighted least squares for the light; returns the sum of weights. */
static double fit(const sample *s, int count, double light[LIGHT], double *out_sigma)
{
	double n[LIGHT * LIGHT] = {0}, squares = 0.0, weight = 0.0;
	memset(light, 0, LIGHT * sizeof(*light));
	for (int i = 0; i < count; i++)
		for (int a = 0; a < LIGHT; a++) {
			light[a] += s[i].weight * s[i].light[a] * s[i].grey;
			for (int b = 0; b < LIGHT; b++)
				n[LIGHT * a + b] += s[i].weight * s[i].light[a] * s[i].light[b];
		}
	if (!ref_solve(LIGHT, n, light))
		return 0.0;
	for (int i = 0; i < count; i++) {
		double r = s[i].grey;
		for (int a = 0; a < LIGHT; a++)
			r -= light[a] * s[i].light[a];
		squares += s[i].weight * r * r;
		weight += s[i].weight;
	}
	*out_sigma = fmax(sqrt(squares / fmax(weight, 1.0)), GREY_NOISE);
	return weight;
}

static void weigh(sample *s, int count, const double light[LIGHT], double reach)
{
	for (int i = 0; i < count; i++) {
		double r = s[i].grey;
		for (int a = 0; a < LIGHT; a++)
			r -= light[a] * s[i].light[a];
		const double robust = fmax(1.0 - r * r / (reach * reach), 0.0);
		s[i].weight = robust * robust;
	}
}

/* What is left of `values` when the weighted fit of the light's first `unknowns` columns from `skip` on is taken out. */
static void take_out(const sample *s, int count, int skip, const double *values, double *out_left)
{
	const int unknowns = LIGHT - skip;
	double n[LIGHT * LIGHT] = {0}, b[LIGHT] = {0};
	for (int i = 0; i < count; i++)
		for (int a = 0; a < unknowns; a++) {
			b[a] += s[i].weight * s[i].light[skip + a] * values[i];
			for (int c = 0; c < unknowns; c++)
				n[unknowns * a + c] += s[i].weight * s[i].light[skip + a] * s[i].light[skip + c];
		}
	if (!ref_solve(unknowns, n, b))
		memset(b, 0, sizeof(b));
	for (int i = 0; i < count; i++) {
		out_left[i] = values[i];
		for (int a = 0; a < unknowns; a++)
			out_left[i] -= b[a] * s[i].light[skip + a];
	}
}

/* Sums of a part whose light has been fitted: everything is what the light leaves of it. */
static void add_part(const sample *s, int count, double unit, ref_color_sums *out)
{
	double values[ENM_K_COLOR_SAMPLES], left[8][ENM_K_COLOR_SAMPLES], bare[ENM_K_COLOR_SAMPLES];
	double before = 0.0, after = 0.0;
	for (int a = 0; a < 7; a++) {
		for (int i = 0; i < count; i++)
			values[i] = a < 6 ? s[i].j[a] : s[i].grey;
		take_out(s, count, 0, values, left[a]);
	}
	take_out(s, count, 1, values, bare); /* all but the model's grey */
	for (int i = 0; i < count; i++) {
		const double w = unit * s[i].weight;
		for (int a = 0; a < 6; a++) {
			for (int b = 0; b < 6; b++)
				out->s[ENM_K_SUM_H(a, b)] += w * left[a][i] * left[b][i];
			out->s[ENM_K_SUM_GRADIENT(a)] -= w * left[a][i] * left[6][i];
		}
		before += w * bare[i] * bare[i];
		after += w * left[6][i] * left[6][i];
		out->said[ENM_K_COLOR_SAMPLES_USED] += s[i].weight;
		out->said[ENM_K_COLOR_MODEL] += s[i].weight * (s[i].light[0] + 128.0);
		out->said[ENM_K_COLOR_FRAME] += s[i].weight * (s[i].grey + 128.0);
	}
	out->said[ENM_K_COLOR_EXPLAINED] += before - after;
	out->said[ENM_K_COLOR_RESIDUAL] += after;
	out->parts++;
}

static void sum_part(sample *s, int count, double voxel_mm, double lever_mm, double sigma_ref_mm, ref_color_sums *out)
{
	double light[LIGHT], sigma;
	const double first = fit(s, count, light, &sigma), factor = light[0];
	if (first < SAMPLES_LEAST || factor < FACTOR_LEAST || factor > FACTOR_MOST)
		return;
	weigh(s, count, light, REACH_FIRST * sigma);
	const double second = fit(s, count, light, &sigma);
	weigh(s, count, light, REACH_SECOND * sigma);
	if (second < SAMPLES_LEAST || light[0] < FACTOR_LEAST || light[0] > FACTOR_MOST)
		return;
	const double noise = NOISE_SLOPE * sigma / voxel_mm;
	for (int i = 0; i < count; i++) {
		const double steep2 = ref_dot(s[i].slope, s[i].slope), share = fmax(1.0 - noise * noise / steep2, 0.0);
		double *j = s[i].j;
		for (int k = 0; k < 3; k++)
			j[3 + k] = steep2 > 0.0 ? light[0] * share * s[i].slope[k] : 0.0;
		ref_cross(s[i].arm_mm, j + 3, j);
		for (int k = 0; k < 3; k++)
			j[k] /= lever_mm;
	}
	add_part(s, count, sigma_ref_mm * sigma_ref_mm / (sigma * sigma), out);
}

void ref_color_sum(const ref_frame *frame, const uint8_t *colors, const ref_volume *volume, const ref_alignment *how,
	double sigma_ref_mm, const ref_pose *world_from_camera, ref_color_sums *out_sums)
{
	const int stride = how->stride, width = (int)frame->camera->width, height = (int)frame->camera->height;
	const int columns = (width / stride + ENM_K_COLOR_PARTS_X - 1) / ENM_K_COLOR_PARTS_X;
	const int rows = (height / stride + ENM_K_COLOR_PARTS_Y - 1) / ENM_K_COLOR_PARTS_Y;
	memset(out_sums, 0, sizeof(*out_sums));
	for (int part = 0; part < ENM_K_COLOR_PARTS_X * ENM_K_COLOR_PARTS_Y; part++) {
		sample samples[ENM_K_COLOR_SAMPLES];
		int count = 0;
		for (int i = 0; i < columns * rows; i++) {
			const int x = i % columns, y = i / columns;
			const int u = (part % ENM_K_COLOR_PARTS_X * columns + x) * stride + stride / 2;
			const int v = (part / ENM_K_COLOR_PARTS_X * rows + y) * stride + stride / 2;
			sample *s = &samples[count];
			memset(s, 0, sizeof(*s));
			s->light[1] = 1.0;
			s->light[2] = (2.0 * x - (columns - 1)) / columns;
			s->light[3] = (2.0 * y - (rows - 1)) / rows;
			if (u < width && v < height)
				count += look_up(frame, colors, volume, how, world_from_camera, (uint32_t)(v * width + u), s);
		}
		sum_part(samples, count, volume->voxel_mm, 0.5 * how->pivot_mm, sigma_ref_mm, out_sums);
	}
}
