/* SPDX-License-Identifier: Apache-2.0
 * Two models of one object beside each other. */
#include "repeats.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>

/* ---- rim -------------------------------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* An edge that one triangle alone has is a rim. */
host_status repeat_find_rim(one_repeat *r)
{
	const enm_mesh_data *mesh = &r->recon.data;
	const size_t count = 3 * mesh->triangle_count;
	uint64_t *edges = malloc((count + 1) * sizeof(*edges));
	r->rim = calloc(mesh->vertex_count + 1, sizeof(bool));
	if (edges == NULL || r->rim == NULL) {
		free(edges);
		return host_fail_memory("the edges");
	}
	for (size_t t = 0; t < mesh->triangle_count; t++)
		for (size_t c = 0; c < 3; c++) {
			const uint64_t a = mesh->triangles[3 * t + c], b = mesh->triangles[3 * t + (c + 1) % 3];
			edges[3 * t + c] = a < b ? a << 32 | b : b << 32 | a;
		}
	qsort(edges, count, sizeof(*edges), compare_keys);
	for (size_t first = 0, last; first < count; first = last) {
		for (last = first; last < count && edges[last] == edges[first]; last++)
			;
		if (last - first == 1)
			r->rim[edges[first] >> 32] = r->rim[edges[first] & UINT32_MAX] = true;
	}
	free(edges);
	return HOST_OK;
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

typedef struct comparing {
	const one_repeat *from, *onto;
	rigid onto_from;
	double *distance_mm; /* per vertex; INFINITY where the other has no surface */
} comparing;

/* Whether the surface ends at the point closest to `p`: in a triangle at the rim, and not straight below `p`. */
static bool at_rim(const one_repeat *r, const double p[3], const surface_hit *hit)
{
	const uint32_t *corners = r->recon.data.triangles + 3 * (size_t)hit->triangle;
	double d[3];
	vec_sub(p, hit->point, d);
	return (r->rim[corners[0]] || r->rim[corners[1]] || r->rim[corners[2]]) &&
	       fabs(vec_dot(d, hit->normal)) < 0.999 * hit->distance_mm;
}

static void compare_vertices(void *user, size_t first, size_t last)
{
	comparing *c = user;
	for (size_t v = first; v < last; v++) {
		double p[3];
		surface_hit hit;
		c->distance_mm[v] = INFINITY;
		if (!c->from->recon.used[v])
			continue;
		surface_vertex(&c->from->recon, v, p);
		rigid_point(&c->onto_from, p, p);
		if (surface_closest(&c->onto->recon, p, SCORE_DISTANCE_MAX_MM, &hit) && !at_rim(c->onto, p, &hit))
			c->distance_mm[v] = hit.distance_mm;
	}
}

/* Moves the distances that count to the front; gives how many, and how many of them tell that both are the same, or
 * alike. */
static size_t gather(double *distance_mm, size_t count, size_t *out_same, size_t *alike)
{
	size_t kept = 0;
	*out_same = 0;
	for (size_t v = 0; v < count; v++) {
		const double d = distance_mm[v];
		if (!isfinite(d))
			continue;
		*out_same += d <= REPEATS_SAME_MM;
		*alike += d <= REPEATS_ALIKE_MM;
		distance_mm[kept++] = d;
	}
	return kept;
}

host_status repeats_compare(const one_repeat *a, const one_repeat *b, const rigid *b_from_a, repeat_pair *out)
{
	const size_t counts[2] = {a->recon.data.vertex_count, b->recon.data.vertex_count};
	double *distances = malloc((counts[0] + counts[1] + 1) * sizeof(double));
	if (distances == NULL)
		return host_fail_memory("the distances of two repeats");
	comparing c[2] = {{a, b, *b_from_a, distances}, {b, a, rigid_inverse(b_from_a), NULL}};
	size_t kept = 0, same, alike = 0;
	out->same_share = 0;
	for (int way = 0; way < 2; way++) {
		const double used = (double)c[way].from->recon.used_count;
		c[way].distance_mm = distances + kept;
		parallel_for(counts[way], compare_vertices, &c[way]);
		kept += gather(distances + kept, counts[way], &same, &alike);
		out->same_share = fmax(out->same_share, (double)same / used);
	}
	out->distance_mm = stats_of(distances, kept);
	out->alike_share = (double)alike / (double)(kept > 0 ? kept : 1);
	out->overlap_share = (double)kept / (double)(a->recon.used_count + b->recon.used_count);
	free(distances);
	return HOST_OK;
}
