/* SPDX-License-Identifier: Apache-2.0 */
#include "curve.h"

#include <stdlib.h>
#include <string.h>

void curve_free(curve *line)
{
	free(line->points);
	free(line->tangents);
	free(line->buccal);
	*line = (curve){0};
}

double curve_length_mm(const curve *line)
{
	return line->count ? CURVE_STEP_MM * (double)(line->count - 1) : 0;
}

curve_place curve_at(const curve *line, double s_mm)
{
	double length = curve_length_mm(line), inside = clamp(s_mm, 0, length);
	double f = inside / CURVE_STEP_MM;
	size_t i = (size_t)f;
	if (i + 1 >= line->count)
		i = line->count - 2;
	double t = f - (double)i;
	curve_place place = {v3_lerp(line->points[i], line->points[i + 1], t),
		v3_unit(v3_lerp(line->tangents[i], line->tangents[i + 1], t)),
		v3_unit(v3_lerp(line->buccal[i], line->buccal[i + 1], t))};
	place.point = v3_mad(place.point, place.tangent, s_mm - inside);
	return place;
}

/* Evenly spaced points on a polyline, `step_mm` apart; the last one is left out when it does not fit. */
static size_t space_evenly(const v3 *points, size_t count, double step_mm, v3 *out, size_t room)
{
	size_t made = 0;
	double carry = 0;
	for (size_t i = 0; i + 1 < count; i++) {
		v3 d = v3_sub(points[i + 1], points[i]);
		double length = v3_length(d);
		for (; carry <= length && made < room; carry += step_mm)
			out[made++] = v3_mad(points[i], d, length > 0 ? carry / length : 0);
		carry -= length;
	}
	return made;
}

/* Gaussian mean along the line; past the ends the line is thought to go on point-symmetrically, so that ends stay. */
static void smooth_line(const v3 *from, v3 *to, size_t count, double sigma_steps)
{
	long reach = (long)(3 * sigma_steps) + 1, n = (long)count;
	for (long i = 0; i < n; i++) {
		v3 sum = {0, 0, 0};
		double weights = 0;
		for (long k = -reach; k <= reach; k++) {
			long j = i + k;
			v3 p;
			if (j < 0)
				p = v3_sub(v3_scale(from[0], 2), from[-j < n ? -j : n - 1]);
			else if (j >= n)
				p = v3_sub(v3_scale(from[n - 1], 2), from[2 * (n - 1) - j > 0 ? 2 * (n - 1) - j : 0]);
			else
				p = from[j];
			double w = exp(-0.5 * (double)(k * k) / (sigma_steps * sigma_steps));
			sum = v3_mad(sum, p, w), weights += w;
		}
		to[i] = v3_scale(sum, 1 / weights);
	}
}

static void find_directions(curve *line, v3 inside)
{
	double outward = 0;
	for (size_t i = 0; i < line->count; i++) {
		size_t a = i ? i - 1 : 0, b = i + 1 < line->count ? i + 1 : i;
		line->tangents[i] = v3_unit(v3_sub(line->points[b], line->points[a]));
		line->buccal[i] = v3_unit(v3_cross(line->tangents[i], line->up));
		outward += v3_dot(line->buccal[i], v3_sub(line->points[i], inside));
	}
	for (size_t i = 0; i < line->count && outward < 0; i++)
		line->buccal[i] = v3_scale(line->buccal[i], -1);
}

bool curve_from_polyline(const v3 *points, size_t count, v3 up, v3 inside, double smooth_mm, curve *out_line)
{
	*out_line = (curve){.up = v3_unit(up)};
	double length = 0;
	for (size_t i = 0; i + 1 < count; i++)
		length += v3_length(v3_sub(points[i + 1], points[i]));
	if (!(length >= 2))
		return false;
	size_t room = (size_t)(length / CURVE_STEP_MM) + 2;
	v3 *spaced = malloc(room * sizeof(v3)), *smooth = malloc(room * sizeof(v3));
	out_line->points = malloc(room * sizeof(v3));
	out_line->tangents = malloc(room * sizeof(v3));
	out_line->buccal = malloc(room * sizeof(v3));
	bool good = spaced && smooth && out_line->points && out_line->tangents && out_line->buccal;
	if (good) {
		size_t made = space_evenly(points, count, CURVE_STEP_MM, spaced, room);
		smooth_line(spaced, smooth, made, smooth_mm / CURVE_STEP_MM);
		out_line->count = space_evenly(smooth, made, CURVE_STEP_MM, out_line->points, room);
		find_directions(out_line, inside);
	}
	free(spaced);
	free(smooth);
	if (!good || out_line->count < 4) {
		curve_free(out_line);
		return false;
	}
	return true;
}
