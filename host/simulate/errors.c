/* SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"

#include "rng.h"

#define FIELD_LENGTH_MAX_PX 8.0
#define FIELD_MARGIN 14 /* pixels around the picture, 3.5 kernel sigmas at the greatest length */

error_def error_def_clean(void)
{
	return (error_def){.grazing_degrees = 90,
		.grazing_width_degrees = 4,
		.mixed_percent = -1,
		.near_mm = 3,
		.far_mm = 27,
		.foreign_speed_mm_s = 25};
}

error_def error_def_default(void)
{
	error_def def = error_def_clean();
	def.noise_um = 20;
	def.correlated_percent = 50;
	def.bow_um = 5;
	def.residual_um = 5;
	def.gain_percent = 0.05;
	def.dropout_percent = 1;
	def.grazing_degrees = 70;
	def.projector_mm = 5;
	def.mixed_percent = 40;
	def.highlight_degrees = 2.5;
	def.highlight_um = 40;
	return def;
}

enm_depth_residual error_residual(const error_def *def, uint64_t seed)
{
	uint64_t key = rng_key(seed, RNG_RESIDUAL, 0);
	double size = def->residual_um;
	return (enm_depth_residual){.bow_um = (float)def->bow_um,
		.astigmatism_um = (float)rng_between(key, 0, -size, size),
		.twist_um = (float)rng_between(key, 1, -size, size),
		.tilt_x_um = (float)rng_between(key, 2, -size, size),
		.tilt_y_um = (float)rng_between(key, 3, -size, size),
		.constant_um = (float)rng_between(key, 4, -size, size)};
}

double error_residual_mm(const enm_depth_residual *r, uint32_t width, uint32_t height, double u, double v)
{
	double x = 2 * u / (width - 1.0) - 1, y = 2 * v / (height - 1.0) - 1;
	double um = (double)r->constant_um + (double)r->tilt_x_um * x + (double)r->tilt_y_um * y +
		    (double)r->bow_um * (x * x + y * y) + (double)r->astigmatism_um * (x * x - y * y) +
		    (double)r->twist_um * x * y;
	return um / 1000;
}

size_t error_field_scratch(uint32_t width, uint32_t height)
{
	size_t w = width + 2 * FIELD_MARGIN, h = height + 2 * FIELD_MARGIN;
	return 2 * w * h;
}

/* Both normals of each Box-Muller pair are used: this is where most random numbers are made. */
static void white(uint64_t key, float *out, size_t count)
{
	for (size_t i = 0; i < count; i += 2) {
		double radius = sqrt(-2 * log(rng_uniform(key, i))), angle = 2 * SIM_PI * rng_uniform(key, i + 1);
		out[i] = (float)(radius * cos(angle));
		if (i + 1 < count)
			out[i + 1] = (float)(radius * sin(angle));
	}
}

/* One row or column pass of a kernel whose squares sum to one, so that the variance stays one. */
static void blur(const float *from, float *to, size_t count, size_t step, const float *kernel, size_t reach)
{
	for (size_t i = 0; i < count; i++) {
		float sum = 0;
		const float *at = from + i;
		for (size_t k = 0; k <= 2 * reach; k++)
			sum += kernel[k] * at[k * step];
		to[i] = sum;
	}
}

void error_field(uint64_t key, uint32_t width, uint32_t height, double length_px, float *out, float *scratch)
{
	if (length_px <= 0) {
		white(key, out, (size_t)width * height);
		return;
	}
	double sigma = fmin(length_px, FIELD_LENGTH_MAX_PX) / 2, squares = 0;
	size_t reach = (size_t)ceil(3.4 * sigma), w = width + 2 * reach, h = height + 2 * reach;
	float kernel[2 * FIELD_MARGIN + 1];
	double weights[2 * FIELD_MARGIN + 1];
	for (size_t k = 0; k <= 2 * reach; k++) {
		double d = ((double)k - (double)reach) / sigma;
		weights[k] = exp(-0.5 * d * d);
		squares += weights[k] * weights[k];
	}
	for (size_t k = 0; k <= 2 * reach; k++)
		kernel[k] = (float)(weights[k] / sqrt(squares));
	float *rows = scratch + w * h;
	white(key, scratch, w * h);
	for (size_t y = 0; y < h; y++)
		blur(scratch + y * w, rows + y * width, width, 1, kernel, reach);
	for (size_t y = 0; y < height; y++)
		blur(rows + y * width, out + y * width, width, width, kernel, reach);
}
