/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/depth.h"

#include <math.h>
#include <string.h>

#include "reference/linear.h"

/* What depth.cl states about its fit. */
#define RADIUS 2
#define USED_MIN 12
#define COSINE_MIN 0.1
#define PART_WEIGHT 0.2 /* of a window with gaps or an edge in it */
#define WEIGHT_MAX 4.0

double ref_depth_convert(const enm_session_def *def, double mm, uint32_t px, uint32_t py)
{
	const enm_camera *c = &def->camera;
	const enm_depth_residual *r = &c->residual;
	const double x = -1.0 + 2.0 * px / (c->width - 1.0), y = -1.0 + 2.0 * py / (c->height - 1.0);
	const double error_um = (double)r->constant_um + (double)r->tilt_x_um * x + (double)r->tilt_y_um * y +
				(double)r->bow_um * (x * x + y * y) + (double)r->astigmatism_um * (x * x - y * y) +
				(double)r->twist_um * x * y;
	if (!isfinite(mm) || mm < def->depth_min_mm || mm > def->depth_max_mm)
		return 0.0;
	return fmax(mm - 1e-3 * error_um, 0.0);
}

typedef struct window {
	int count;
	double dx[25], dy[25], d[25]; /* d: depth less that of the centre */
} window;

static bool close_to(double value, double limit)
{
	return fabs(value - limit) < 2e-4 * limit;
}

static window gather(const enm_camera *c, const float *depth, int px, int py, double jump, bool *unsure)
{
	window w = {0};
	const int stride = (int)c->width;
	const double centre = (double)depth[py * stride + px];
	for (int dy = -RADIUS; dy <= RADIUS; dy++) {
		for (int dx = -RADIUS; dx <= RADIUS; dx++) {
			const double z = (double)depth[(py + dy) * stride + px + dx];
			*unsure = *unsure || (z > 0 && close_to(fabs(z - centre), jump));
			if (!(z > 0 && fabs(z - centre) < jump))
				continue;
			w.dx[w.count] = dx;
			w.dy[w.count] = dy;
			w.d[w.count++] = z - centre;
		}
	}
	return w;
}

/* Least squares with the first `terms` of 1, x, y, xx, xy, yy; the coefficients in `out`. False where they are not
 * fixed. */
static bool fit(const window *w, int terms, double out[6])
{
	double a[36] = {0};
	memset(out, 0, 6 * sizeof(*out));
	for (int i = 0; i < w->count; i++) {
		const double x = w->dx[i], y = w->dy[i], row[6] = {1, x, y, x * x, x * y, y * y};
		for (int r = 0; r < terms; r++) {
			for (int k = 0; k < terms; k++)
				a[r * terms + k] += row[r] * row[k];
			out[r] += row[r] * w->d[i];
		}
	}
	return ref_solve(terms, a, out);
}

/* Determinant of the window's scatter: how well it fixes two slopes. */
static double scatter(const window *w)
{
	double mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
	for (int i = 0; i < w->count; i++) {
		mx += w->dx[i] / w->count;
		my += w->dy[i] / w->count;
	}
	for (int i = 0; i < w->count; i++) {
		xx += (w->dx[i] - mx) * (w->dx[i] - mx);
		xy += (w->dx[i] - mx) * (w->dy[i] - my);
		yy += (w->dy[i] - my) * (w->dy[i] - my);
	}
	return xx * yy - xy * xy;
}

static double misfit(const window *w, const double plane[6])
{
	double sum = 0;
	for (int i = 0; i < w->count; i++) {
		const double e = w->d[i] - plane[0] - plane[1] * w->dx[i] - plane[2] * w->dy[i];
		sum += e * e;
	}
	return sum / w->count;
}

/* Normal towards the camera of the surface ray(pixel) * z(pixel) at a pixel, given z and its slopes. */
static void surface_normal(const enm_camera *c, int px, int py, double z, const double slope[2], double out[3])
{
	double ray[2], tangent[2][3];
	ref_ray(c, px, py, ray);
	for (int axis = 0; axis < 2; axis++) {
		double up[2], down[2];
		ref_ray(c, px + (axis == 0), py + (axis == 1), up);
		ref_ray(c, px - (axis == 0), py - (axis == 1), down);
		for (int i = 0; i < 2; i++)
			tangent[axis][i] = ray[i] * slope[axis] + z * 0.5 * (up[i] - down[i]);
		tangent[axis][2] = slope[axis];
	}
	ref_cross(tangent[1], tangent[0], out);
	const double length = ref_length(out);
	for (int i = 0; i < 3; i++)
		out[i] /= length;
}

ref_depth_fit ref_depth_fit_at(const enm_session_def *def, const float *depth, uint32_t px, uint32_t py)
{
	const enm_camera *c = &def->camera;
	ref_depth_fit out = {0}, none = {0};
	double plane[6], quadratic[6];
	const double z0 = (double)depth[py * c->width + px];
	if (px < RADIUS || py < RADIUS || px >= c->width - RADIUS || py >= c->height - RADIUS || z0 == 0.0)
		return none;
	const double sigma = def->depth_sigma_mm * (z0 / def->depth_sigma_at_mm) * (z0 / def->depth_sigma_at_mm);
	const double jump = 4.0 * z0 / c->fx + 5.0 * sigma;
	const window w = gather(c, depth, (int)px, (int)py, jump, &out.unsure);
	none.unsure = out.unsure;
	if (w.count < USED_MIN || scatter(&w) <= 1.0 || !fit(&w, 3, plane))
		return none;
	const double limit = 9.0 * sigma * sigma + 0.02 * jump * jump, error = misfit(&w, plane);
	out.unsure = out.unsure || close_to(error, limit);
	const bool smooth = w.count == 25 && error < limit;
	out.depth_mm = z0;
	if (smooth && fit(&w, 6, quadratic))
		out.depth_mm += quadratic[0];
	surface_normal(c, (int)px, (int)py, out.depth_mm, plane + 1, out.normal);
	double ray[3] = {0, 0, 1};
	ref_ray(c, px, py, ray);
	const double cosine = -ref_dot(out.normal, ray) / ref_length(ray);
	out.unsure = out.unsure || fabs(cosine - COSINE_MIN) < 1e-4;
	none.unsure = out.unsure;
	if (cosine <= COSINE_MIN)
		return none;
	const double facing = fmin(fmax((cosine - COSINE_MIN) / 0.25, 0.0), 1.0), share = w.count / 25.0;
	const double relative = def->depth_sigma_at_mm / out.depth_mm;
	out.weight = fmin(pow(relative, 4.0), WEIGHT_MAX) * facing * share * share * (smooth ? 1.0 : PART_WEIGHT);
	return out;
}
