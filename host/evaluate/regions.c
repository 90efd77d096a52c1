/* SPDX-License-Identifier: Apache-2.0 */
#include "regions.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RAYS 32
#define RAY_MARGIN_MM 0.02 /* left out at both ends: a ray meets neither its own triangle nor its neighbours */

/* ---- which region ----------------------------------------------------------------------------------------------- */

double region_openness(const surface *truth, const double point[3], const double normal[3])
{
	double across[3], along[3];
	const double other[3] = {fabs(normal[0]) < 0.6, fabs(normal[0]) >= 0.6, 0};
	size_t open = 0;
	vec_cross(normal, other, across);
	const double length = vec_length(across);
	if (!(length > 0))
		return 1;
	for (int i = 0; i < 3; i++)
		across[i] /= length;
	vec_cross(normal, across, along);
	for (int k = 0; k < RAYS; k++) { /* a spiral on the disc, lifted to the hemisphere (Malley) */
		const double r = sqrt((k + 0.5) / RAYS), angle = 2.399963229728653 * k, z = sqrt(1 - r * r);
		double to[3];
		for (int i = 0; i < 3; i++)
			to[i] = point[i] + REGION_GAP_REACH_MM * (r * cos(angle) * across[i] +
									 r * sin(angle) * along[i] + z * normal[i]);
		open += surface_blocks(truth, point, to, RAY_MARGIN_MM) ? 0 : 1;
	}
	return (double)open / RAYS;
}

static double segment_distance2(const double p[3], const double a[3], const double b[3])
{
	double ab[3], ap[3], d[3];
	vec_sub(b, a, ab);
	vec_sub(p, a, ap);
	const double length2 = vec_dot(ab, ab);
	const double t = length2 > 0 ? fmin(fmax(vec_dot(ap, ab) / length2, 0), 1) : 0;
	for (int i = 0; i < 3; i++)
		d[i] = ap[i] - t * ab[i];
	return vec_dot(d, d);
}

static bool near_margin(const double p[3], const double (*margin)[3], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (segment_distance2(p, margin[i], margin[(i + 1) % count]) <= REGION_MARGIN_MM * REGION_MARGIN_MM)
			return true;
	return false;
}

typedef struct sorting {
	const samples *samples;
	const surface *truth;
	const double (*margin)[3];
	size_t margin_count;
	uint8_t *kinds;
} sorting;

static void sort_samples(void *user, size_t first, size_t last)
{
	sorting *s = user;
	for (size_t i = first; i < last; i++) {
		const double *p = s->samples->points[i], *n = s->samples->normals[i];
		s->kinds[i] = REGION_REST;
		if (!s->samples->seen[i])
			continue;
		if (near_margin(p, s->margin, s->margin_count))
			s->kinds[i] = REGION_MARGIN;
		else if (region_openness(s->truth, p, n) < REGION_GAP_OPENNESS)
			s->kinds[i] = REGION_GAPS;
	}
}

void regions_sort(
	const samples *s, const surface *truth, const double (*margin)[3], size_t margin_count, uint8_t *out_kinds)
{
	sorting work = {
		.samples = s, .truth = truth, .margin = margin, .margin_count = margin_count, .kinds = out_kinds};
	parallel_for(s->count, sort_samples, &work);
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static void summarise(
	const samples *s, const uint8_t *kinds, const float *signed_mm, region_kind kind, double *values, region *out)
{
	size_t count = 0, within_50 = 0, within_100 = 0;
	double sum = 0;
	*out = (region){0};
	for (size_t i = 0; i < s->count; i++) {
		const double d = (double)signed_mm[i];
		if (!s->seen[i] || kinds[i] != kind)
			continue;
		out->seen++;
		if (isnan(d))
			continue;
		within_50 += fabs(d) <= 0.05;
		within_100 += fabs(d) <= 0.1;
		sum += d;
		values[count++] = fabs(d);
	}
	out->distance_mm = stats_of(values, count);
	out->bias_mm = count > 0 ? sum / (double)count : 0;
	const double whole = out->seen > 0 ? (double)out->seen : 1;
	out->covered = (covered){(double)within_50 / whole, (double)within_100 / whole};
}

host_status regions_measure(const samples *s, const uint8_t *kinds, const float *signed_mm, region out[REGION_KINDS])
{
	double *values = malloc((s->count + 1) * sizeof(double));
	if (values == NULL)
		return host_fail_memory("the regions");
	for (int k = 0; k < REGION_KINDS; k++)
		summarise(s, kinds, signed_mm, (region_kind)k, values, &out[k]);
	free(values);
	return HOST_OK;
}
