/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/surface.h"

#include <math.h>
#include <stdlib.h>

/* Of neighbouring distances; a greater step lies between two surfaces. As stated in surface.cl. */
#define STEP_MAX 0.9

static int compare_vertices(const void *a, const void *b)
{
	const ref_vertex *v = a, *w = b;
	for (int i = 0; i < 3; i++)
		if (v->p[i] != w->p[i])
			return v->p[i] < w->p[i] ? -1 : 1;
	return 0;
}

static double blend(double a, double b, double t)
{
	return (1.0 - t) * a + t * b;
}

static bool crossing(
	const ref_volume *v, const int at[3], int axis, uint32_t views_min, double sigma_ref_mm, ref_vertex *out)
{
	const enm_k_voxel *a = ref_volume_at(v, at[0], at[1], at[2]);
	const enm_k_voxel *b = ref_volume_at(v, at[0] + (axis == 0), at[1] + (axis == 1), at[2] + (axis == 2));
	if (a == NULL || b == NULL || a->weight == 0 || b->weight == 0 || a->views < views_min || b->views < views_min)
		return false;
	if ((a->sdf < 0) == (b->sdf < 0) || fabs((double)a->sdf - b->sdf) >= STEP_MAX * (double)ENM_K_SDF_ONE)
		return false;
	const double t = a->sdf / ((double)a->sdf - b->sdf);
	for (int i = 0; i < 3; i++)
		out->p[i] = v->voxel_mm * (at[i] + (i == axis ? t : 0.0));
	out->sigma_um = 1000.0 * sigma_ref_mm / sqrt(blend(a->weight, b->weight, t) / (double)ENM_K_WEIGHT_ONE);
	out->rgb[0] = blend(a->red, b->red, t);
	out->rgb[1] = blend(a->green, b->green, t);
	out->rgb[2] = blend(a->blue, b->blue, t);
	out->views = a->views < b->views ? a->views : b->views;
	return true;
}

uint32_t ref_surface_vertices(const ref_volume *v, uint32_t views_min, double sigma_ref_mm, ref_vertex **out_vertices)
{
	uint32_t count = 0;
	ref_vertex *vertices = malloc((size_t)v->count * ENM_K_BLOCK_VOXELS * 3 * sizeof(*vertices));
	if (vertices == NULL)
		abort();
	for (uint32_t block = 0; block < v->count; block++) {
		int b[3];
		ref_block_of_key(v->keys[block], b);
		for (int i = 0; i < 3 * ENM_K_BLOCK_VOXELS; i++) {
			const int k = i / 3, at[3] = {8 * b[0] + k % 8, 8 * b[1] + k / 8 % 8, 8 * b[2] + k / 64};
			count += crossing(v, at, i % 3, views_min, sigma_ref_mm, &vertices[count]);
		}
	}
	qsort(vertices, count, sizeof(*vertices), compare_vertices);
	*out_vertices = vertices;
	return count;
}

typedef struct edge {
	uint32_t low, high;
	int direction;
} edge;

static int compare_edges(const void *a, const void *b)
{
	const edge *e = a, *f = b;
	if (e->low != f->low)
		return e->low < f->low ? -1 : 1;
	return (e->high > f->high) - (e->high < f->high);
}

static void measure(const enm_mesh_data *m, size_t t, ref_topology *out)
{
	double p[3][3], u[3], v[3], n[3];
	for (size_t c = 0; c < 3; c++)
		for (size_t i = 0; i < 3; i++)
			p[c][i] = (double)m->positions_mm[3 * m->triangles[3 * t + c] + i];
	for (int i = 0; i < 3; i++) {
		u[i] = p[1][i] - p[0][i];
		v[i] = p[2][i] - p[0][i];
	}
	ref_cross(u, v, n);
	out->area_mm2 += 0.5 * ref_length(n);
	out->volume_mm3 += ref_dot(p[0], n) / 6.0;
}

ref_topology ref_mesh_topology(const enm_mesh_data *m)
{
	ref_topology out = {0};
	const size_t n = 3 * m->triangle_count;
	edge *edges = malloc((n + 1) * sizeof(*edges));
	if (edges == NULL)
		abort();
	for (size_t t = 0; t < m->triangle_count; t++) {
		measure(m, t, &out);
		for (size_t c = 0; c < 3; c++) {
			const uint32_t a = m->triangles[3 * t + c], b = m->triangles[3 * t + (c + 1) % 3];
			edges[3 * t + c] = a < b ? (edge){a, b, 1} : (edge){b, a, -1};
		}
	}
	qsort(edges, n, sizeof(*edges), compare_edges);
	for (size_t i = 0; i < n;) {
		int sum = 0;
		size_t k = i;
		for (; k < n && compare_edges(&edges[i], &edges[k]) == 0; k++)
			sum += edges[k].direction;
		out.edges++;
		out.open += sum != 0;
		out.crowded += k - i > 2;
		i = k;
	}
	free(edges);
	return out;
}
