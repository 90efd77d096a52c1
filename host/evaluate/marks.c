/* SPDX-License-Identifier: Apache-2.0 */
#include "marks.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- landmarks -------------------------------------------------------------------------------------------------- */

static void gather_patch(const samples *s, const double centre[3], patch *out)
{
	patch_clear(out);
	memcpy(out->anchor, centre, sizeof(out->anchor));
	for (size_t i = 0; i < s->count; i++)
		if (vec_distance(s->points[i], centre) <= LANDMARK_PATCH_MM)
			patch_add(out, s, i);
}

host_status landmarks_find(landmark *landmarks, size_t count, const samples *truth_samples, const surface *recon,
	const rigid *truth_from_recon)
{
	patch around;
	host_status status = patch_create(truth_samples->count, &around);
	if (status != HOST_OK)
		return status;
	const rigid start = rigid_inverse(truth_from_recon);
	for (size_t k = 0; k < count; k++) {
		landmark *mark = &landmarks[k];
		gather_patch(truth_samples, mark->truth, &around);
		mark->patch = patch_find(&around, recon, &start);
		mark->found = mark->patch.state == PATCH_PLACED;
		rigid_point(&mark->patch.fit.onto_from_points, mark->truth, mark->place);
	}
	patch_destroy(&around);
	return HOST_OK;
}

/* "36_mb": 36 and "_mb". */
static int tooth_of(const char *name, const char **out_cusp)
{
	char *behind;
	const long number = strtol(name, &behind, 10);
	*out_cusp = behind;
	return behind != name && number >= 11 && number <= 48 ? (int)number : 0;
}

bool landmarks_molars(const landmark *landmarks, size_t count, size_t out_pair[2])
{
	for (int molar = 6; molar <= 8; molar++)
		for (size_t a = 0; a < count; a++)
			for (size_t b = 0; b < count; b++) {
				const char *cusp_a, *cusp_b;
				const int tooth_a = tooth_of(landmarks[a].name, &cusp_a),
					  tooth_b = tooth_of(landmarks[b].name, &cusp_b);
				/* Quadrants 1 and 2 face each other, and 3 and 4. */
				if (!landmarks[a].found || !landmarks[b].found || tooth_a % 10 != molar ||
					tooth_b != tooth_a + 10 || (tooth_a / 10 != 1 && tooth_a / 10 != 3) ||
					strcmp(cusp_a, cusp_b) != 0)
					continue;
				out_pair[0] = a;
				out_pair[1] = b;
				return true;
			}
	return false;
}

/* ---- spheres ---------------------------------------------------------------------------------------------------- */

typedef struct owning {
	const sphere *spheres;
	size_t count;
	const surface *recon;
	rigid truth_from_recon;
	uint32_t *owner; /* per vertex: its sphere, or UINT32_MAX */
} owning;

/* A vertex belongs to a sphere when it lies on it and nowhere near another. */
static uint32_t owner_of(const owning *o, const double p[3])
{
	uint32_t owner = UINT32_MAX;
	for (size_t k = 0; k < o->count; k++) {
		const double height = vec_distance(p, o->spheres[k].centre) - o->spheres[k].radius_mm;
		if (height > SPHERE_REACH_MM + SPHERE_MARGIN_MM)
			continue;
		if (fabs(height) <= SPHERE_REACH_MM && owner == UINT32_MAX)
			owner = (uint32_t)k;
		else
			return UINT32_MAX;
	}
	return owner;
}

static void find_owners(void *user, size_t first, size_t last)
{
	owning *o = user;
	for (size_t v = first; v < last; v++) {
		double p[3], moved[3];
		o->owner[v] = UINT32_MAX;
		if (!o->recon->used[v])
			continue;
		surface_vertex(o->recon, v, p);
		rigid_point(&o->truth_from_recon, p, moved);
		o->owner[v] = owner_of(o, moved);
	}
}

/* The median of the absolute residuals says how large one may be before it counts for nothing (Tukey, c = 4.685 sigma).
 */
static double weight_limit(
	const double (*points)[3], size_t count, const double centre[3], double radius, double *scratch)
{
	for (size_t i = 0; i < count; i++)
		scratch[i] = fabs(vec_distance(points[i], centre) - radius);
	stats_sort(scratch, count);
	return fmax(4.685 * 1.4826 * stats_percentile(scratch, count, 0.5), 1e-6);
}

/* Gauss-Newton on centre and radius, starting from the values given. */
static bool fit_sphere(const double (*points)[3], size_t count, double centre[3], double *radius, double *scratch)
{
	for (int iteration = 0; iteration < 30; iteration++) {
		const double limit = weight_limit(points, count, centre, *radius, scratch);
		double h[16] = {0}, g[4] = {0}, x[4], values[4], vectors[16], total = 0;
		for (size_t i = 0; i < count; i++) {
			double j[4];
			vec_sub(points[i], centre, j);
			const double length = vec_length(j);
			const double residual = length - *radius;
			const double share = residual / limit;
			if (!(fabs(share) < 1) || !(length > 0))
				continue;
			const double weight = (1 - share * share) * (1 - share * share);
			for (int k = 0; k < 3; k++)
				j[k] /= length;
			j[3] = 1;
			total += weight;
			for (int a = 0; a < 4; a++) {
				g[a] += weight * j[a] * residual;
				for (int b = 0; b < 4; b++)
					h[4 * a + b] += weight * j[a] * j[b];
			}
		}
		symmetric_eigen(4, h, values, vectors);
		if (!(values[0] > SPHERE_EIGENVALUE_LEAST * total) || !solve_positive(4, h, g, x))
			return false;
		for (int k = 0; k < 3; k++)
			centre[k] += x[k];
		*radius += x[3];
		if (vec_length(x) + fabs(x[3]) < 1e-7)
			break;
	}
	return isfinite(*radius) && *radius > 0;
}

static int compare_owner(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return (x[1] > y[1]) - (x[1] < y[1]);
}

/* `owned` are `count` pairs (sphere, vertex) in order of sphere and vertex. */
static void fit_owned(sphere *spheres, const surface *recon, const rigid *truth_from_recon, uint32_t (*owned)[2],
	size_t count, double (*points)[3], double *scratch)
{
	const rigid recon_from_truth = rigid_inverse(truth_from_recon);
	for (size_t first = 0, last; first < count; first = last) {
		sphere *s = &spheres[owned[first][0]];
		for (last = first; last < count && owned[last][0] == owned[first][0]; last++)
			surface_vertex(recon, owned[last][1], points[last - first]);
		s->points = last - first;
		rigid_point(&recon_from_truth, s->centre, s->place);
		s->fitted_radius_mm = s->radius_mm;
		s->found = s->points >= SPHERE_POINTS_MIN &&
			   fit_sphere((const double(*)[3])points, s->points, s->place, &s->fitted_radius_mm, scratch);
	}
}

host_status spheres_fit(sphere *spheres, size_t count, const surface *recon, const rigid *truth_from_recon)
{
	const size_t vertices = recon->data.vertex_count;
	owning o = {.spheres = spheres, .count = count, .recon = recon, .truth_from_recon = *truth_from_recon};
	o.owner = malloc((vertices + 1) * sizeof(uint32_t));
	uint32_t(*owned)[2] = malloc((vertices + 1) * sizeof(*owned));
	double(*points)[3] = malloc((vertices + 1) * sizeof(*points));
	double *scratch = malloc((vertices + 1) * sizeof(double));
	host_status status = HOST_OK;
	if (o.owner == NULL || owned == NULL || points == NULL || scratch == NULL) {
		status = host_fail_memory("the spheres");
		goto done;
	}
	parallel_for(vertices, find_owners, &o);
	size_t owned_count = 0;
	for (size_t v = 0; v < vertices; v++)
		if (o.owner[v] != UINT32_MAX) {
			owned[owned_count][0] = o.owner[v];
			owned[owned_count++][1] = (uint32_t)v;
		}
	qsort(owned, owned_count, sizeof(*owned), compare_owner);
	fit_owned(spheres, recon, truth_from_recon, owned, owned_count, points, scratch);
done:
	free(o.owner);
	free(owned);
	free(points);
	free(scratch);
	return status;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

host_status compare_pairs(const double (*places)[3], const double (*truth)[3], size_t count, pair_errors *out)
{
	*out = (pair_errors){.places = count};
	if (count < 2)
		return HOST_OK;
	double *errors = malloc(count * (count - 1) / 2 * sizeof(double));
	if (errors == NULL)
		return host_fail_memory("the distances");
	size_t pairs = 0;
	double product = 0, square = 0, sum = 0;
	for (size_t a = 0; a < count; a++)
		for (size_t b = a + 1; b < count; b++) {
			const double is = vec_distance(places[a], places[b]), should = vec_distance(truth[a], truth[b]);
			errors[pairs++] = fabs(is - should);
			sum += is - should;
			product += is * should;
			square += should * should;
			if (pairs == 1 || fabs(is - should) > fabs(out->worst_error_mm)) {
				out->worst[0] = a;
				out->worst[1] = b;
				out->worst_true_mm = should;
				out->worst_error_mm = is - should;
			}
			if (should > out->widest_true_mm) {
				out->widest[0] = a;
				out->widest[1] = b;
				out->widest_true_mm = should;
				out->widest_error_mm = is - should;
			}
		}
	out->error_mm = stats_of(errors, pairs);
	out->bias_mm = sum / (double)pairs;
	out->scale = square > 0 ? product / square : 1;
	free(errors);
	return HOST_OK;
}
