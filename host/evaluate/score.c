/* SPDX-License-Identifier: Apache-2.0 */
#include "score.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- trueness --------------------------------------------------------------------------------------------------- */

typedef struct scoring {
	const surface *recon, *truth;
	rigid truth_from_recon;
	float *signed_mm;
} scoring;

static void score_vertices(void *user, size_t first, size_t last)
{
	scoring *s = user;
	for (size_t v = first; v < last; v++) {
		double p[3], moved[3], d[3];
		surface_hit hit;
		s->signed_mm[v] = NAN;
		if (!s->recon->used[v])
			continue;
		surface_vertex(s->recon, v, p);
		rigid_point(&s->truth_from_recon, p, moved);
		s->signed_mm[v] = INFINITY;
		if (!surface_near(s->truth, moved, SCORE_DISTANCE_MAX_MM, &hit))
			continue;
		vec_sub(moved, hit.point, d);
		s->signed_mm[v] = (float)copysign(hit.distance_mm, vec_dot(d, hit.smooth_normal));
	}
}

static double triangle_area(const surface *s, size_t triangle, double out_corners[3][3], double out_normal[3])
{
	double a[3], b[3];
	for (size_t c = 0; c < 3; c++)
		surface_vertex(s, s->data.triangles[3 * triangle + c], out_corners[c]);
	vec_sub(out_corners[1], out_corners[0], a);
	vec_sub(out_corners[2], out_corners[0], b);
	vec_cross(a, b, out_normal);
	const double length = vec_length(out_normal);
	for (int i = 0; i < 3; i++)
		out_normal[i] = length > 0 ? out_normal[i] / length : 0;
	return 0.5 * length;
}

/* A corner that is too far off stands for a third of its triangle. */
static double false_share(const scoring *s)
{
	double area = 0, far = 0;
	for (size_t t = 0; t < s->recon->data.triangle_count; t++) {
		double p[3][3], n[3];
		const double third = triangle_area(s->recon, t, p, n) / 3;
		for (size_t c = 0; c < 3; c++) {
			const double d = (double)s->signed_mm[s->recon->data.triangles[3 * t + c]];
			area += third;
			far += fabs(d) > SCORE_FALSE_MM ? third : 0;
		}
	}
	return area > 0 ? far / area : 0;
}

static void summarise(const scoring *s, double *distances, trueness *out)
{
	size_t count = 0, over = 0;
	double sum = 0;
	for (size_t v = 0; v < s->recon->data.vertex_count; v++) {
		const double d = (double)s->signed_mm[v];
		if (isnan(d))
			continue;
		over += fabs(d) > SCORE_DISTANCE_MAX_MM ? 1 : 0;
		distances[count] = fmin(fabs(d), SCORE_DISTANCE_MAX_MM);
		sum += copysign(distances[count++], d);
	}
	*out = (trueness){.distance_mm = stats_of(distances, count), .truth_from_recon = s->truth_from_recon};
	if (count > 0) {
		out->bias_mm = sum / (double)count;
		out->over_max_share = (double)over / (double)count;
		out->false_share = false_share(s);
	}
}

host_status score_trueness(
	const surface *recon, const surface *truth, const rigid *truth_from_recon, float *out_signed_mm, trueness *out)
{
	const size_t count = recon->data.vertex_count;
	scoring s = {.recon = recon, .truth = truth, .truth_from_recon = *truth_from_recon, .signed_mm = out_signed_mm};
	float *own = out_signed_mm == NULL ? malloc((count + 1) * sizeof(float)) : NULL;
	double *distances = malloc((count + 1) * sizeof(double));
	if (s.signed_mm == NULL)
		s.signed_mm = own;
	host_status status = HOST_OK;
	if (s.signed_mm == NULL || distances == NULL) {
		status = host_fail_memory("the distances");
	} else {
		parallel_for(count, score_vertices, &s);
		summarise(&s, distances, out);
	}
	free(own);
	free(distances);
	return status;
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

/* Every count-th part of the area gives one sample; where in its triangle, a sequence of low discrepancy says (Roberts'
 * R2, folded into the triangle). */
static void spread(const surface *truth, double area, samples *s)
{
	const double step = area / (double)s->count;
	double passed = 0;
	size_t k = 0;
	for (size_t t = 0; t < truth->data.triangle_count && k < s->count; t++) {
		double p[3][3], n[3];
		passed += triangle_area(truth, t, p, n);
		for (; k < s->count && ((double)k + 0.5) * step < passed; k++) {
			double u = fmod((double)k * 0.7548776662466927, 1), v = fmod((double)k * 0.5698402909980532, 1);
			if (u + v > 1) {
				u = 1 - u;
				v = 1 - v;
			}
			for (int i = 0; i < 3; i++)
				s->points[k][i] = (1 - u - v) * p[0][i] + u * p[1][i] + v * p[2][i];
			memcpy(s->normals[k], n, sizeof(n));
			s->seen[k] = s->in_view[k] = true;
		}
	}
	s->count = s->seen_count = s->in_view_count = k;
}

host_status samples_create(const surface *truth, size_t count, samples *out)
{
	double area = 0, p[3][3], n[3];
	for (size_t t = 0; t < truth->data.triangle_count; t++)
		area += triangle_area(truth, t, p, n);
	*out = (samples){.count = count, .each_mm2 = area / (double)count};
	out->points = malloc(count * sizeof(*out->points));
	out->normals = malloc(count * sizeof(*out->normals));
	out->seen = malloc(count * sizeof(*out->seen));
	out->in_view = malloc(count * sizeof(*out->in_view));
	if (out->points == NULL || out->normals == NULL || out->seen == NULL || out->in_view == NULL) {
		samples_destroy(out);
		return host_fail_memory("points of the truth");
	}
	spread(truth, area, out);
	return HOST_OK;
}

void samples_destroy(samples *s)
{
	free(s->points);
	free(s->normals);
	free(s->seen);
	free(s->in_view);
	*s = (samples){0};
}

typedef struct measuring {
	const samples *samples;
	const surface *recon;
	rigid recon_from_truth;
	float *signed_mm;
} measuring;

static void measure_samples(void *user, size_t first, size_t last)
{
	measuring *m = user;
	for (size_t i = first; i < last; i++) {
		double moved[3], normal[3], d[3];
		surface_hit hit;
		m->signed_mm[i] = NAN;
		if (!m->samples->seen[i])
			continue;
		rigid_point(&m->recon_from_truth, m->samples->points[i], moved);
		if (!surface_closest(m->recon, moved, SCORE_DISTANCE_MAX_MM, &hit))
			continue;
		rigid_direction(&m->recon_from_truth, m->samples->normals[i], normal);
		vec_sub(hit.point, moved, d);
		m->signed_mm[i] = (float)copysign(hit.distance_mm, vec_dot(d, normal));
	}
}

void samples_measure(const samples *s, const surface *recon, const rigid *truth_from_recon, float *out_signed_mm)
{
	measuring m = {.samples = s,
		.recon = recon,
		.recon_from_truth = rigid_inverse(truth_from_recon),
		.signed_mm = out_signed_mm};
	parallel_for(s->count, measure_samples, &m);
}

/* ---- completeness ----------------------------------------------------------------------------------------------- */

typedef struct covering {
	const samples *samples;
	const surface *recon;
	rigid recon_from_truth;
	uint8_t *level; /* per sample: 0 neither, 1 within 100 um, 2 within 50 um */
} covering;

static void cover_samples(void *user, size_t first, size_t last)
{
	covering *c = user;
	for (size_t i = first; i < last; i++) {
		double p[3];
		surface_hit hit;
		c->level[i] = 0;
		if (!c->samples->in_view[i])
			continue;
		rigid_point(&c->recon_from_truth, c->samples->points[i], p);
		/* A nanometre more, so that the last digit does not decide. */
		if (surface_closest(c->recon, p, 0.1 + 1e-6, &hit))
			c->level[i] = hit.distance_mm <= 0.05 + 1e-6 ? 2 : 1;
	}
}

static covered count_covered(const uint8_t *level, const bool *counts, size_t count)
{
	size_t all = 0, within_50 = 0, within_100 = 0;
	for (size_t i = 0; i < count; i++) {
		all += counts[i] ? 1 : 0;
		within_50 += counts[i] && level[i] == 2 ? 1 : 0;
		within_100 += counts[i] && level[i] >= 1 ? 1 : 0;
	}
	const double whole = all > 0 ? (double)all : 1;
	return (covered){.share_50um = (double)within_50 / whole, .share_100um = (double)within_100 / whole};
}

host_status score_completeness(const samples *s, const surface *recon, const rigid *truth_from_recon, completeness *out)
{
	*out = (completeness){0};
	covering c = {.samples = s, .recon = recon, .recon_from_truth = rigid_inverse(truth_from_recon)};
	c.level = malloc(s->count + 1);
	if (c.level == NULL)
		return host_fail_memory("the completeness");
	parallel_for(s->count, cover_samples, &c);
	out->seen = count_covered(c.level, s->seen, s->count);
	out->in_view = count_covered(c.level, s->in_view, s->count);
	free(c.level);
	return HOST_OK;
}
