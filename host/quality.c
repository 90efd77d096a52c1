/* SPDX-License-Identifier: Apache-2.0 */
#include "quality.h"

#include <math.h>
#include <stdlib.h>

#include "json.h"

#define GAPS_LISTED 50u

/* A value with the area that has it. */
typedef struct share {
	double value, area;
} share;

static double triangle_area(const enm_mesh_data *m, size_t t)
{
	const float *p[3];
	double u[3], v[3], twice2 = 0.0;
	for (size_t k = 0; k < 3; k++)
		p[k] = m->positions_mm + 3 * (size_t)m->triangles[3 * t + k];
	for (int k = 0; k < 3; k++) {
		u[k] = (double)p[1][k] - (double)p[0][k];
		v[k] = (double)p[2][k] - (double)p[0][k];
	}
	for (int k = 0; k < 3; k++) {
		const double c = u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3];
		twice2 += c * c;
	}
	return 0.5 * sqrt(twice2);
}

static int by_value(const void *a, const void *b)
{
	const share *p = a, *q = b;
	return (p->value > q->value) - (p->value < q->value);
}

/* The smallest value that at least the share `p` of the area does not exceed. Sorts. */
static double area_quantile(share *shares, size_t count, double area, double p)
{
	double below = 0.0;
	size_t i = 0;
	qsort(shares, count, sizeof *shares, by_value);
	while (i + 1 < count && below + shares[i].area < p * area)
		below += shares[i++].area;
	return shares[i].value;
}

/* A triangle counts as seen as often, and as unsure, as the worst of its corners. */
static void measure_area(const enm_mesh_data *m, share *views, share *sigmas, quality *out)
{
	for (size_t t = 0; t < m->triangle_count; t++) {
		const double area = triangle_area(m, t);
		views[t] = (share){INFINITY, area};
		sigmas[t] = (share){0.0, area};
		for (size_t k = 0; k < 3; k++) {
			const uint32_t v = m->triangles[3 * t + k];
			views[t].value = fmin(views[t].value, m->views ? m->views[v] : 0.0);
			sigmas[t].value = fmax(sigmas[t].value, m->sigma_um ? (double)m->sigma_um[v] : 0.0);
		}
		out->area_mm2 += area;
		out->area_few_mm2 += views[t].value < QUALITY_VIEWS_FEW ? area : 0.0;
	}
	out->views_median = area_quantile(views, m->triangle_count, out->area_mm2, 0.5);
	out->sigma_um_median = area_quantile(sigmas, m->triangle_count, out->area_mm2, 0.5);
	out->sigma_um_p95 = area_quantile(sigmas, m->triangle_count, out->area_mm2, 0.95);
}

static host_status find_gaps(const enm_mesh *mesh, quality *out)
{
	size_t count = 0;
	enm_result result = enm_mesh_gaps(mesh, out->gap_min_mm, NULL, 0, &count);
	if (result == ENM_FULL && !(out->borders = calloc(count, sizeof *out->borders)))
		return host_fail_memory("the gaps of the surface");
	if (result == ENM_FULL)
		result = enm_mesh_gaps(mesh, out->gap_min_mm, out->borders, count, &count);
	for (size_t i = 0; result >= 0 && i < count; i++) {
		const enm_gap *g = &out->borders[i];
		out->gap_count += !g->rim;
		out->piece_count += g->rim;
		out->gap_area_mm2 += g->rim ? 0.0 : g->area_mm2;
		out->rim_mm += g->rim ? g->length_mm : 0.0;
	}
	return host_fail_result(result, enm_last_error());
}

host_status quality_measure(const enm_mesh *mesh, double voxel_mm, quality *out)
{
	enm_mesh_data data;
	host_status status = host_fail_result(enm_mesh_get(mesh, &data), enm_last_error());
	out->gap_min_mm = QUALITY_GAP_MIN_VOXELS * voxel_mm;
	if (status || !data.triangle_count)
		return status;
	share *views = malloc(data.triangle_count * sizeof *views), *sigmas = malloc(data.triangle_count * sizeof *sigmas);
	status = views && sigmas ? HOST_OK : host_fail_memory("the quality of the surface");
	if (!status) {
		measure_area(&data, views, sigmas, out);
		status = find_gaps(mesh, out);
	}
	free(views);
	free(sigmas);
	return status;
}

void quality_free(quality *q)
{
	free(q->borders);
	*q = (quality){0};
}

static json_t *gap_json(const enm_gap *g, bool *ok)
{
	json_t *object = json_object(), *centre = json_array();
	for (int k = 0; k < 3; k++)
		*ok = !json_array_append_new(centre, json_finite(g->centre_mm[k])) && *ok;
	json_put(object, "centre_mm", centre, ok);
	json_put(object, "border_mm", json_finite(g->length_mm), ok);
	json_put(object, "width_mm", json_finite(g->width_mm), ok);
	json_put(object, "area_mm2", json_finite(g->area_mm2), ok);
	return object;
}

json_t *quality_json(const quality *q, bool *ok)
{
	json_t *object = json_object(), *list = json_array();
	json_put(object, "area_mm2", json_finite(q->area_mm2), ok);
	json_put(object, "area_few_views_mm2", json_finite(q->area_few_mm2), ok);
	json_put(object, "views_median", json_finite(q->views_median), ok);
	json_put(object, "sigma_um_median", json_finite(q->sigma_um_median), ok);
	json_put(object, "sigma_um_p95", json_finite(q->sigma_um_p95), ok);
	json_put(object, "pieces", json_integer((json_int_t)q->piece_count), ok);
	json_put(object, "rim_mm", json_finite(q->rim_mm), ok);
	json_put(object, "gap_border_min_mm", json_finite(q->gap_min_mm), ok);
	json_put(object, "gaps", json_integer((json_int_t)q->gap_count), ok);
	json_put(object, "gaps_area_mm2", json_finite(q->gap_area_mm2), ok);
	for (size_t i = 0; i < q->gap_count && i < GAPS_LISTED; i++)
		*ok = !json_array_append_new(list, gap_json(&q->borders[i], ok)) && *ok;
	json_put(object, "gaps_largest", list, ok);
	return object;
}
