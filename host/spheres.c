/* SPDX-License-Identifier: Apache-2.0 */
#include "spheres.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CELL 0.12            /* of the radius: normals are good to some degrees */
#define CELLS_MAX ((size_t)1 << 26)
#define VOTES_MIN 60u        /* in a cell and its neighbours */
#define NEAR 0.12            /* of the radius: vertices this far off the first guess may be the sphere's */
#define NORMAL_MIN 0.9       /* cosine to the ray from the centre */
#define RADIUS_OFF 0.05      /* of the radius: a fit that is off by more is of something else */
#define VERTICES_ALIKE 16.0  /* share their errors with one another */
#define LEAST_SPREAD 2e-3    /* a smaller cap says too little of its centre */

static double distance(const double *a, const double *b)
{
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* ---- votes ---- */

typedef struct votes {
	double low[3], cell;
	size_t size[3];
	uint32_t *count;
} votes;

static void vote_of(const enm_mesh_data *m, size_t v, double radius, double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = (double)m->positions_mm[3 * v + (size_t)i] - radius * (double)m->normals[3 * v + (size_t)i];
}

static size_t cell_of(const votes *v, const double p[3])
{
	size_t at[3];
	for (int i = 0; i < 3; i++)
		at[i] = (size_t)((p[i] - v->low[i]) / v->cell);
	return (at[2] * v->size[1] + at[1]) * v->size[0] + at[0];
}

/* With a free cell all around. */
static host_status votes_create(const enm_mesh_data *m, double radius, votes *out)
{
	double high[3] = {-INFINITY, -INFINITY, -INFINITY}, p[3];
	double cells = 1.0;
	out->cell = CELL * radius;
	for (int i = 0; i < 3; i++)
		out->low[i] = INFINITY;
	for (size_t v = 0; v < m->vertex_count; v++) {
		vote_of(m, v, radius, p);
		for (int i = 0; i < 3; i++) {
			out->low[i] = fmin(out->low[i], p[i]);
			high[i] = fmax(high[i], p[i]);
		}
	}
	for (int i = 0; i < 3; i++) {
		out->low[i] -= 1.5 * out->cell;
		cells *= (high[i] - out->low[i]) / out->cell + 3.0;
		out->size[i] = m->vertex_count ? (size_t)((high[i] - out->low[i]) / out->cell) + 3 : 3;
	}
	if (m->vertex_count && !(cells < (double)CELLS_MAX))
		return host_fail(HOST_DATA, "the surface is too large for spheres of %g mm radius", radius);
	out->count = calloc(out->size[0] * out->size[1] * out->size[2], sizeof *out->count);
	if (!out->count)
		return host_fail_memory("the votes for spheres");
	for (size_t v = 0; v < m->vertex_count; v++) {
		vote_of(m, v, radius, p);
		out->count[cell_of(out, p)]++;
	}
	return HOST_OK;
}

static uint32_t votes_around(const votes *v, size_t x, size_t y, size_t z, double *out_mean)
{
	uint32_t sum = 0;
	double mean[3] = {0.0, 0.0, 0.0};
	for (size_t c = z - 1; c <= z + 1; c++)
		for (size_t b = y - 1; b <= y + 1; b++)
			for (size_t a = x - 1; a <= x + 1; a++) {
				const uint32_t n = v->count[(c * v->size[1] + b) * v->size[0] + a];
				const size_t at[3] = {a, b, c};
				sum += n;
				for (int i = 0; i < 3; i++)
					mean[i] += n * (v->low[i] + v->cell * ((double)at[i] + 0.5));
			}
	for (int i = 0; i < 3; i++)
		out_mean[i] = sum ? mean[i] / sum : 0.0;
	return sum;
}

typedef struct peak {
	double at[3];
	uint32_t votes;
} peak;

static int by_votes(const void *a, const void *b)
{
	const peak *p = a, *q = b;
	return p->votes != q->votes ? (p->votes < q->votes ? 1 : -1) : memcmp(p->at, q->at, sizeof p->at);
}

/* Cells with most of the votes around, none within a radius of a better one. */
static host_status find_peaks(const votes *v, double radius, peak **out, size_t *out_count)
{
	size_t count = 0, kept = 0, capacity = 0;
	*out = NULL;
	*out_count = 0;
	for (size_t z = 1; z + 1 < v->size[2]; z++)
		for (size_t y = 1; y + 1 < v->size[1]; y++)
			for (size_t x = 1; x + 1 < v->size[0]; x++) {
				peak p;
				if (v->count[(z * v->size[1] + y) * v->size[0] + x] == 0 || (p.votes = votes_around(v, x, y, z, p.at)) < VOTES_MIN)
					continue;
				if (count == capacity) {
					capacity = capacity ? 2 * capacity : 1024;
					peak *more = realloc(*out, capacity * sizeof *more);
					if (!more)
						return host_fail_memory("the votes for spheres");
					*out = more;
				}
				(*out)[count++] = p;
			}
	if (count)
		qsort(*out, count, sizeof **out, by_votes);
	for (size_t i = 0; i < count; i++) {
		bool apart = true;
		for (size_t k = 0; k < kept && apart; k++)
			apart = distance((*out)[k].at, (*out)[i].at) > radius;
		if (apart)
			(*out)[kept++] = (*out)[i];
	}
	*out_count = kept;
	return HOST_OK;
}

/* ---- fits ---- */

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Inverse of a symmetric positive 4 x 4 matrix. */
static bool invert4(const double *matrix, double *out)
{
	double m[4][8];
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 8; j++)
			m[i][j] = j < 4 ? matrix[4 * i + j] : i == j - 4;
	for (int i = 0; i < 4; i++) {
		const double pivot = m[i][i];
		if (!(pivot > 0.0))
			return false;
		for (int j = 0; j < 8; j++)
			m[i][j] /= pivot;
		for (int k = 0; k < 4; k++) {
			const double factor = m[k][i];
			for (int j = 0; j < 8 && k != i; j++)
				m[k][j] -= factor * m[i][j];
		}
	}
	for (int i = 0; i < 16; i++)
		out[i] = m[i / 4][4 + i % 4];
	return true;
}

/* A step of Gauss and Newton on centre and radius; false where the cap says too little. */
static bool improve(sphere_fit *f, const double (*points)[3], size_t count, double *scratch, double *out_moved)
{
	double h[16] = {0}, g[4] = {0}, inverse[16], total = 0.0, squares = 0.0, step[4];
	for (size_t i = 0; i < count; i++)
		scratch[i] = fabs(distance(points[i], f->centre_mm) - f->radius_mm);
	qsort(scratch, count, sizeof *scratch, by_size);
	const double limit = fmax(4.685 * 1.4826 * scratch[count / 2], 1e-6);
	for (size_t i = 0; i < count; i++) {
		const double length = distance(points[i], f->centre_mm), off = length - f->radius_mm, u = off / limit;
		const double weight = fabs(u) < 1.0 ? (1.0 - u * u) * (1.0 - u * u) : 0.0;
		double j[4] = {0, 0, 0, 1};
		for (int k = 0; k < 3; k++)
			j[k] = (points[i][k] - f->centre_mm[k]) / length;
		total += weight;
		squares += weight * off * off;
		for (int a = 0; a < 4; a++) {
			g[a] += weight * j[a] * off;
			for (int b = 0; b < 4; b++)
				h[4 * a + b] += weight * j[a] * j[b];
		}
	}
	if (!(total > 0.0) || !invert4(h, inverse))
		return false;
	*out_moved = 0.0;
	for (int a = 0; a < 4; a++) {
		step[a] = 0.0;
		for (int b = 0; b < 4; b++)
			step[a] += inverse[4 * a + b] * g[b];
		*out_moved += fabs(step[a]);
	}
	for (int a = 0; a < 3; a++) {
		f->centre_mm[a] += step[a];
		if (!(inverse[5 * a] * total * LEAST_SPREAD < 1.0))
			return false;
		for (int b = 0; b < 3; b++)
			f->covariance_mm2[3 * a + b] = VERTICES_ALIKE * squares / total * inverse[4 * a + b];
	}
	f->radius_mm += step[3];
	return true;
}

/* The vertices that may be the sphere's; the one in the middle of them. */
static size_t gather(const enm_mesh_data *m, const sphere_fit *f, double (*points)[3])
{
	size_t count = 0;
	for (size_t v = 0; v < m->vertex_count; v++) {
		const float *p = m->positions_mm + 3 * v, *n = m->normals + 3 * v;
		const double at[3] = {(double)p[0], (double)p[1], (double)p[2]}, length = distance(at, f->centre_mm);
		double along = 0.0;
		if (!(fabs(length - f->radius_mm) < NEAR * f->radius_mm))
			continue;
		for (int i = 0; i < 3; i++)
			along += (at[i] - f->centre_mm[i]) / length * (double)n[i];
		if (along > NORMAL_MIN)
			memcpy(points[count++], at, sizeof at);
	}
	return count;
}

static void find_top(sphere_fit *f, const double (*points)[3], size_t count)
{
	double mean[3] = {0.0, 0.0, 0.0}, nearest = INFINITY;
	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 3; k++)
			mean[k] += points[i][k] / (double)count;
	for (size_t i = 0; i < count; i++) {
		const double d = distance(points[i], mean);
		if (d < nearest)
			memcpy(f->top_mm, points[i], sizeof f->top_mm);
		nearest = fmin(nearest, d);
	}
}

static bool fit(const enm_mesh_data *m, const peak *p, double radius, double (*points)[3], double *scratch, sphere_fit *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->centre_mm, p->at, sizeof out->centre_mm);
	out->radius_mm = radius;
	out->vertices = gather(m, out, points);
	for (int round = 0; round < 30; round++) {
		double moved = 0.0;
		if (out->vertices < VOTES_MIN || !improve(out, (const double(*)[3])points, out->vertices, scratch, &moved) ||
			!(distance(out->centre_mm, p->at) < 0.3 * radius))
			return false;
		if (moved < 1e-7)
			break;
	}
	find_top(out, (const double(*)[3])points, out->vertices);
	return fabs(out->radius_mm - radius) < RADIUS_OFF * radius;
}

host_status spheres_find(const enm_mesh_data *mesh, double radius, sphere_fit **out, size_t *out_count)
{
	votes v = {0};
	peak *peaks = NULL;
	size_t count = 0;
	double(*points)[3] = malloc((mesh->vertex_count + 1) * sizeof *points), *scratch = malloc((mesh->vertex_count + 1) * sizeof *scratch);
	*out = NULL;
	*out_count = 0;
	host_status status = points && scratch ? HOST_OK : host_fail_memory("the spheres");
	if (!status && mesh->vertex_count && !mesh->normals)
		status = host_fail(HOST_DATA, "the surface has no normals");
	if (!status)
		status = votes_create(mesh, radius, &v);
	if (!status)
		status = find_peaks(&v, radius, &peaks, &count);
	if (!status && !(*out = malloc((count + 1) * sizeof **out)))
		status = host_fail_memory("the spheres");
	for (size_t i = 0; i < count && !status; i++)
		*out_count += fit(mesh, &peaks[i], radius, points, scratch, &(*out)[*out_count]);
	free(v.count);
	free(peaks);
	free(points);
	free(scratch);
	return status;
}
