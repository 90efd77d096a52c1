/* SPDX-License-Identifier: Apache-2.0
 * Point-to-plane (Chen, Medioni 1992), trimmed (Chetverikov 2002). */
#include "align.h"

#include "parallel.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Few points find the place, many the last micrometres: enough that the noise of the choice is far below 1 um. */
enum { COARSE_POINTS_MAX = 4000, COARSE_ITERATIONS_MAX = 40, ALIGN_POINTS_MAX = 50000, PATCH_ITERATIONS_MAX = 30 };
#define COARSE_SETTLED_MM 1e-3
#define CONVERGED_MM 1e-4
#define SETTLED_MM 1e-6

/* What a patch's shape does not fix is held where it is; what is fixed weakly takes more iterations, nothing else. */
#define PATCH_HOLD 1e-4
#define PATCH_POINTS_MIN 20

/* Closest points farther off than this share of the surface's size, and 2 mm, may be rough. */
#define EXACT_SHARE 0.01
#define EXACT_MM 2.0

typedef struct pairing {
	const surface *onto;
	const double (*points)[3];
	rigid onto_from_points;
	double radius_mm;
	/* per point: */
	double (*moved)[3], (*normal)[3];
	double *along, *distance; /* signed along the normal; to the closest point, INFINITY when there is none */
} pairing;

static bool find_pair(const pairing *p, const double moved[3], surface_hit *out)
{
	if (isfinite(p->radius_mm))
		return surface_closest(p->onto, moved, p->radius_mm, out);
	return surface_near(p->onto, moved, fmax(EXACT_MM, EXACT_SHARE * p->onto->size_mm), out);
}

static void pair_points(void *user, size_t first, size_t last)
{
	pairing *p = user;
	for (size_t i = first; i < last; i++) {
		surface_hit hit;
		double d[3];
		rigid_point(&p->onto_from_points, p->points[i], p->moved[i]);
		p->distance[i] = INFINITY;
		if (!find_pair(p, p->moved[i], &hit))
			continue;
		vec_sub(p->moved[i], hit.point, d);
		memcpy(p->normal[i], hit.normal, sizeof(hit.normal));
		p->along[i] = vec_dot(d, hit.normal);
		p->distance[i] = hit.distance_mm;
	}
}

static bool pairing_open(pairing *p, size_t count)
{
	p->moved = malloc((count + 1) * sizeof(*p->moved));
	p->normal = malloc((count + 1) * sizeof(*p->normal));
	p->along = malloc((count + 1) * sizeof(double));
	p->distance = malloc((count + 1) * sizeof(double));
	return p->moved != NULL && p->normal != NULL && p->along != NULL && p->distance != NULL;
}

static void pairing_close(pairing *p)
{
	free(p->moved);
	free(p->normal);
	free(p->along);
	free(p->distance);
}

/* The normal equations of point-to-plane over the pairs not farther than `limit_mm`, about their centre, turns scaled
 * to lengths by the points' spread. */
typedef struct equations {
	double h[36], g[6], centre[3], spread;
	size_t kept;
} equations;

static bool find_spread(const pairing *p, size_t count, double limit_mm, equations *out)
{
	*out = (equations){0};
	for (size_t i = 0; i < count; i++)
		for (int k = 0; p->distance[i] <= limit_mm && k < 3; k++) {
			out->centre[k] += p->moved[i][k];
			out->kept += k == 0;
		}
	for (int k = 0; k < 3; k++)
		out->centre[k] /= (double)(out->kept > 0 ? out->kept : 1);
	for (size_t i = 0; i < count; i++)
		if (p->distance[i] <= limit_mm)
			out->spread = fmax(out->spread, vec_distance(p->moved[i], out->centre));
	return out->kept >= 6 && out->spread > 0;
}

static bool make_equations(const pairing *p, const double (*normals)[3], size_t count, double limit_mm, equations *out)
{
	if (!find_spread(p, count, limit_mm, out))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!(p->distance[i] <= limit_mm))
			continue;
		double lever[3], turn[3], j[6];
		vec_sub(p->moved[i], out->centre, lever);
		vec_cross(lever, normals[i], turn);
		for (int k = 0; k < 3; k++) {
			j[k] = turn[k] / out->spread;
			j[3 + k] = normals[i][k];
		}
		for (int a = 0; a < 6; a++) {
			out->g[a] -= j[a] * p->along[i];
			for (int b = 0; b < 6; b++)
				out->h[6 * a + b] += j[a] * j[b];
		}
	}
	return true;
}

/* One Gauss-Newton step over the pairs not farther than `limit_mm`. `hold` is added to the diagonal as a share of the
 * pairs. Gives how far it moves the points at most. */
static double step(pairing *p, size_t count, double limit_mm, double hold)
{
	equations e;
	double x[6];
	if (!make_equations(p, (const double(*)[3])p->normal, count, limit_mm, &e))
		return INFINITY;
	for (int a = 0; a < 6; a++)
		e.h[7 * a] += hold * (double)e.kept;
	if (!solve_positive(6, e.h, e.g, x))
		return INFINITY;
	const double w[3] = {x[0] / e.spread, x[1] / e.spread, x[2] / e.spread};
	const rigid change = rigid_small(w, x + 3, e.centre);
	p->onto_from_points = rigid_compose(&change, &p->onto_from_points);
	return vec_length(x) + vec_length(x + 3);
}

/* The distance that ALIGN_KEPT_SHARE of the points keep. */
static double trim_limit(const double *distance, size_t count, double *scratch)
{
	memcpy(scratch, distance, count * sizeof(double));
	stats_sort(scratch, count);
	return stats_percentile(scratch, count, ALIGN_KEPT_SHARE);
}

/* Mean distance of the kept points from a start. */
static double trimmed_mean(const pairing *p, size_t count, double *scratch)
{
	const double limit = trim_limit(p->distance, count, scratch);
	double sum = 0;
	size_t kept = 0;
	for (size_t i = 0; i < count && scratch[i] <= limit; i++, kept++)
		sum += scratch[i];
	return sum / (double)(kept > 0 ? kept : 1);
}

/* Vertices spread evenly over the list, always the same ones. */
static size_t choose_points(const surface *recon, size_t count_max, double (*out_points)[3])
{
	const double every = fmax(1, (double)recon->used_count / (double)count_max);
	double next = 0;
	size_t seen = 0, count = 0;
	for (size_t v = 0; v < recon->data.vertex_count && count < count_max; v++) {
		if (!recon->used[v] || (double)seen++ < next)
			continue;
		surface_vertex(recon, v, out_points[count++]);
		next += every;
	}
	return count;
}

static rigid best_start(pairing *p, size_t count, const rigid *starts, size_t start_count, double *scratch)
{
	rigid found = starts[0];
	double best = INFINITY;
	for (size_t s = 0; s < start_count && start_count > 1; s++) {
		p->onto_from_points = starts[s];
		parallel_for(count, pair_points, p);
		const double mean = trimmed_mean(p, count, scratch);
		if (mean < best) {
			best = mean;
			found = starts[s];
		}
	}
	return found;
}

/* Steps until the points no longer move by more than `settled_mm`, or ALIGN_ITERATIONS_MAX less `spared` were taken in
 * all. Gives the length of the last step, INFINITY when there was none. */
static double settle(pairing *p, size_t count, double *scratch, unsigned spared, double settled_mm, alignment *out)
{
	double moved_mm = INFINITY;
	while (out->iterations < ALIGN_ITERATIONS_MAX - spared && moved_mm > settled_mm) {
		parallel_for(count, pair_points, p);
		/* A touch of hold keeps a sphere or a plane, which may turn or slide freely, where it is. */
		moved_mm = step(p, count, trim_limit(p->distance, count, scratch), 1e-6);
		out->iterations++;
		if (!isfinite(moved_mm))
			break;
	}
	return moved_mm;
}

host_status align_best_fit(
	const surface *recon, const surface *truth, const rigid *starts, size_t start_count, alignment *out)
{
	double(*points)[3] = malloc(ALIGN_POINTS_MAX * sizeof(*points));
	double *scratch = malloc(ALIGN_POINTS_MAX * sizeof(double));
	pairing p = {.onto = truth, .points = (const double(*)[3])points, .radius_mm = INFINITY};
	host_status status = HOST_OK;
	*out = (alignment){.truth_from_recon = starts[0]};
	if (points == NULL || scratch == NULL || !pairing_open(&p, ALIGN_POINTS_MAX)) {
		status = host_fail_memory("the alignment");
	} else {
		size_t count = choose_points(recon, COARSE_POINTS_MAX, points);
		p.onto_from_points = best_start(&p, count, starts, start_count, scratch);
		double moved_mm = settle(
			&p, count, scratch, ALIGN_ITERATIONS_MAX - COARSE_ITERATIONS_MAX, COARSE_SETTLED_MM, out);
		count = choose_points(recon, ALIGN_POINTS_MAX, points);
		if (isfinite(moved_mm))
			moved_mm = settle(&p, count, scratch, 0, SETTLED_MM, out);
		if (!isfinite(moved_mm))
			status = host_fail(
				HOST_DATA, "best-fit: the reconstruction and the truth cannot be brought together");
		out->converged = moved_mm <= CONVERGED_MM;
		out->truth_from_recon = p.onto_from_points;
	}
	pairing_close(&p);
	free(points);
	free(scratch);
	return status;
}

/* The distance that ALIGN_KEPT_SHARE of the points that found the surface keep; below 0 when too few did. */
static double patch_limit(const pairing *p, size_t count, double *scratch, double *out_share)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		found += isfinite(p->distance[i]) ? 1 : 0;
	*out_share = (double)found / (double)(count > 0 ? count : 1);
	if (2 * found < count || found < PATCH_POINTS_MIN)
		return -1;
	memcpy(scratch, p->distance, count * sizeof(double));
	stats_sort(scratch, count);
	return stats_percentile(scratch, found, ALIGN_KEPT_SHARE);
}

/* The inverse of the normal matrix is the covariance of the patch's motion for noise of one; the anchor's, in the
 * direction of its greatest, says how firmly it is held. */
static double firmness_of(const equations *e, const double anchor[3])
{
	double values[6], vectors[36], covariance[9] = {0}, spreads[3], axes[9], lever[3];
	symmetric_eigen(6, e->h, values, vectors);
	vec_sub(anchor, e->centre, lever);
	for (int k = 0; k < 6; k++) {
		const double turn[3] = {
			vectors[k] / e->spread, vectors[6 + k] / e->spread, vectors[12 + k] / e->spread};
		double moved[3];
		vec_cross(turn, lever, moved);
		for (int i = 0; i < 3; i++)
			moved[i] += vectors[6 * (3 + i) + k];
		for (int i = 0; i < 9; i++)
			covariance[i] += moved[i / 3] * moved[i % 3] / fmax(values[k], 1e-12 * values[5]);
	}
	symmetric_eigen(3, covariance, spreads, axes);
	return 1 / (spreads[2] * (double)e->kept);
}

/* How well the patch lies, and how firmly. The points' own normals tell the latter, since the surface's may be noisy,
 * and noise holds what the shape does not. */
static bool judge_patch(
	pairing *p, const double (*normals)[3], size_t count, const double anchor[3], double *scratch, patch_fit *out)
{
	pair_points(p, 0, count);
	const double limit_mm = patch_limit(p, count, scratch, &out->found_share);
	equations e;
	double moved[3], sum = 0;
	for (size_t i = 0; i < count; i++)
		rigid_direction(&p->onto_from_points, normals[i], p->normal[i]);
	if (!make_equations(p, (const double(*)[3])p->normal, count, limit_mm, &e))
		return false;
	rigid_point(&p->onto_from_points, anchor, moved);
	out->firmness = firmness_of(&e, moved);
	for (size_t i = 0; i < count; i++)
		sum += p->distance[i] <= limit_mm ? p->along[i] * p->along[i] : 0;
	out->rms_mm = sqrt(sum / (double)e.kept);
	out->onto_from_points = p->onto_from_points;
	return true;
}

bool align_patch(const double (*points)[3], const double (*normals)[3], size_t count, const double anchor[3],
	const surface *onto, const rigid *start, double radius_mm, patch_fit *out)
{
	pairing p = {.onto = onto, .points = points, .onto_from_points = *start, .radius_mm = radius_mm};
	double *scratch = malloc((count + 1) * sizeof(double));
	*out = (patch_fit){.onto_from_points = *start};
	bool good = pairing_open(&p, count) && scratch != NULL;
	double moved_mm = INFINITY;
	for (unsigned i = 0; good && i < PATCH_ITERATIONS_MAX && moved_mm > SETTLED_MM; i++) {
		pair_points(&p, 0, count);
		const double limit_mm = patch_limit(&p, count, scratch, &out->found_share);
		good = limit_mm >= 0;
		moved_mm = good ? step(&p, count, limit_mm, PATCH_HOLD) : (double)INFINITY;
		good = good && isfinite(moved_mm);
	}
	good = good && judge_patch(&p, normals, count, anchor, scratch, out);
	pairing_close(&p);
	free(scratch);
	return good;
}
