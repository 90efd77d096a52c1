/* SPDX-License-Identifier: Apache-2.0
 * A mesh of a refined scan, rated: how far places of it may lie from where they should. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "global/certainty.h"
#include "pipeline/session.h"
#include "surface/mesh.h"

#define PLACES_MOST 64u
#define CANDIDATES_MOST 4000u
#define NEAREST 3 /* places that a vertex is told by */

static double distance2(const double *a, const float *b)
{
	double sum = 0.0;
	for (int i = 0; i < 3; i++)
		sum += (a[i] - (double)b[i]) * (a[i] - (double)b[i]);
	return sum;
}

/* Half of the vertices are seen by so many frames: a place at the rim, which few saw, stands for nothing around it. */
static uint32_t usual_views(const enm_mesh *m)
{
	size_t counts[256] = {0}, sum = 0;
	uint32_t views = 255;
	for (size_t v = 0; v < m->vertex_count && m->views != NULL; v++)
		counts[m->views[v] < 255 ? m->views[v] : 255]++;
	while (m->views != NULL && views > 0 && 2 * (sum += counts[views]) < m->vertex_count)
		views--;
	return m->views != NULL ? views : 0;
}

/* Places spread over the mesh, each the vertex farthest from those before; the first is where the scan began. */
static size_t choose_places(const enm_session *s, const enm_mesh *m, size_t capacity, enm_place *places)
{
	const certainty *of = s->certainty;
	const rigid *first = &of->poses[of->first];
	const double pivot_mm = (double)s->store.frames[of->frames[of->first]].pivot_mm;
	const size_t stride = m->vertex_count / CANDIDATES_MOST + 1;
	const uint32_t views = usual_views(m);
	double start[3];
	size_t count = 0;
	for (int i = 0; i < 3; i++)
		start[i] = first->t[i] + first->r[3 * i + 2] * pivot_mm;
	for (; count < capacity; count++) {
		double best = count == 0 ? HUGE_VAL : 0.0;
		size_t found = SIZE_MAX;
		for (size_t v = 0; v < m->vertex_count; v += stride) {
			double d = count == 0 ? distance2(start, m->positions_mm + 3 * v) : HUGE_VAL;
			if (m->views != NULL && m->views[v] < views)
				continue;
			for (size_t k = 0; k < count; k++)
				d = fmin(d, distance2(places[k].at_mm, m->positions_mm + 3 * v));
			if (count == 0 ? d < best : d > best) {
				best = d;
				found = v;
			}
		}
		if (found == SIZE_MAX)
			break;
		for (int i = 0; i < 3; i++)
			places[count].at_mm[i] = (double)m->positions_mm[3 * found + (size_t)i];
	}
	return count;
}

/* Covariances of the places that frames saw; the others go. */
static enm_result rate_places(const enm_session *s, enm_pin pin, enm_place *places, size_t *count)
{
	static const double axes[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
	enm_quantity *q = malloc(3 * *count * sizeof(*q));
	double *all = malloc(9 * *count * *count * sizeof(*all));
	uint32_t *frames = malloc(3 * *count * sizeof(*frames));
	size_t seen = 0;
	enm_result result = q != NULL && all != NULL && frames != NULL ? ENM_EMPTY : error_set(ENM_E_MEMORY, "rating: no host memory");
	for (size_t left = *count; result == ENM_EMPTY && left > 0; left = seen) { /* again without those that were not seen */
		for (size_t i = 0; i < 3 * left; i++)
			q[i] = (enm_quantity){places[i / 3].at_mm, axes + 3 * (i % 3), 1};
		result = enm_session_covariance(s, pin, q, 3 * left, all, frames);
		seen = 0;
		for (size_t i = 0; i < left; i++)
			if (result >= 0 && frames[3 * i] > 0) {
				places[seen] = places[i];
				places[seen++].frames = frames[3 * i];
			}
	}
	for (size_t i = 0; i < 9 * seen && result == ENM_OK; i++)
		places[i / 9].covariance_um2[i % 9] = 1e6 * all[(3 * (i / 9) + i % 9 / 3) * 3 * seen + 3 * (i / 9) + i % 3];
	*count = result == ENM_OK ? seen : 0;
	free(q);
	free(all);
	free(frames);
	return result;
}

/* Variance along a direction at a vertex: of the places near it, the nearer the more. */
static double variance_at(const enm_place *places, size_t count, const float *at, const float *n)
{
	double nearest[NEAREST], of[NEAREST], sum = 0.0, weights = 0.0;
	for (int k = 0; k < NEAREST; k++)
		nearest[k] = INFINITY;
	for (size_t i = 0; i < count; i++) {
		double d = distance2(places[i].at_mm, at), variance = 0.0;
		for (int a = 0; a < 3; a++)
			for (int b = 0; b < 3; b++)
				variance += (double)n[a] * places[i].covariance_um2[3 * a + b] * (double)n[b];
		for (int k = 0; k < NEAREST; k++)
			if (d < nearest[k]) {
				const double farther = nearest[k], its = of[k];
				nearest[k] = d;
				of[k] = variance;
				d = farther;
				variance = its;
			}
	}
	for (int k = 0; k < NEAREST; k++)
		if (isfinite(nearest[k])) {
			const double weight = 1.0 / (nearest[k] + 1e-3);
			sum += weight * of[k];
			weights += weight;
		}
	return sum / weights;
}

static enm_result check(const enm_session *s, const enm_mesh *m, const enm_place *places, size_t capacity)
{
	if (s == NULL || m == NULL || places == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_rate_mesh: session, mesh or out_places is NULL");
	if (capacity < 1 || capacity > PLACES_MOST)
		return error_set(ENM_E_ARGUMENT, "enm_session_rate_mesh: capacity: %zu is not in 1 to %u", capacity, PLACES_MOST);
	if (m->vertex_count > 0 && (m->normals == NULL || m->sigma_um == NULL))
		return error_set(ENM_E_ARGUMENT, "enm_session_rate_mesh: the mesh has no normals or no sigma_um");
	if (s->certainty == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_rate_mesh: the scan was not refined (enm_session_refine)");
	return ENM_OK;
}

enm_result enm_session_rate_mesh(
	const enm_session *s, enm_pin pin, enm_mesh *m, enm_place *out_places, size_t capacity, size_t *out_count)
{
	size_t count = 0;
	if (out_count != NULL)
		*out_count = 0;
	if (out_places != NULL && capacity <= PLACES_MOST)
		memset(out_places, 0, capacity * sizeof(*out_places));
	enm_result result = check(s, m, out_places, capacity);
	if (result != ENM_OK)
		return result;
	float *sigma = malloc((m->vertex_count + 1) * sizeof(*sigma));
	if (sigma == NULL)
		return error_set(ENM_E_MEMORY, "rating: no host memory for %zu vertices", m->vertex_count);
	count = choose_places(s, m, capacity, out_places);
	result = count > 0 ? rate_places(s, pin, out_places, &count) : ENM_EMPTY;
	if (result != ENM_OK) {
		memset(out_places, 0, capacity * sizeof(*out_places));
		free(sigma);
		return result;
	}
	for (size_t v = 0; v < m->vertex_count; v++) {
		const double noise = (double)m->sigma_um[v];
		sigma[v] = (float)sqrt(
			noise * noise + fmax(variance_at(out_places, count, m->positions_mm + 3 * v, m->normals + 3 * v), 0.0));
	}
	free(m->placed_sigma_um);
	m->placed_sigma_um = sigma;
	if (out_count != NULL)
		*out_count = count;
	return ENM_OK;
}
