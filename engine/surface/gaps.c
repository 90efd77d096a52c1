/* SPDX-License-Identifier: Apache-2.0
 * Borders of a mesh: edges with a triangle on one side alone, chained by the vertices they share. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "surface/mesh.h"
#include "surface/pieces.h"

/* A triangle's edge, kept with its lower vertex. */
typedef struct half_edge {
	uint32_t other;
	bool down; /* it runs from the other vertex to the lower one */
} half_edge;

/* What is added up of a border, at the root of its vertices. */
typedef struct border {
	uint32_t root, piece;
	double length, moment[3], twice_area[3], farthest2;
} border;

typedef struct search {
	const enm_mesh *mesh;
	uint32_t *first;      /* of each vertex's half-edges, and their end */
	half_edge *edges;
	uint32_t *parent;     /* of vertices on borders */
	uint32_t *piece;      /* of all vertices */
	uint32_t *number;     /* of the border at a root */
	border *borders;
	size_t count;
} search;

static void edge_of(const enm_mesh *mesh, size_t triangle, int side, uint32_t *low, half_edge *out)
{
	const uint32_t a = mesh->triangles[3 * triangle + (size_t)side], b = mesh->triangles[3 * triangle + (size_t)(side + 1) % 3];
	*low = a < b ? a : b;
	*out = (half_edge){a < b ? b : a, a > b};
}

/* Half-edges by their lower vertices, in the order of the triangles. */
static void sort_edges(search *s)
{
	const enm_mesh *mesh = s->mesh;
	uint32_t low;
	half_edge edge;
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++) {
		edge_of(mesh, i / 3, (int)(i % 3), &low, &edge);
		s->first[low + 2]++;
	}
	for (size_t v = 0; v < mesh->vertex_count; v++)
		s->first[v + 2] += s->first[v + 1];
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++) {
		edge_of(mesh, i / 3, (int)(i % 3), &low, &edge);
		s->edges[s->first[low + 1]++] = edge;
	}
}

static bool on_border(const search *s, uint32_t low, uint32_t at)
{
	size_t alike = 0;
	for (uint32_t i = s->first[low]; i < s->first[low + 1]; i++)
		alike += s->edges[i].other == s->edges[at].other;
	return alike == 1;
}

static void find_pieces(search *s)
{
	const enm_mesh *mesh = s->mesh;
	for (uint32_t v = 0; v < mesh->vertex_count; v++)
		s->parent[v] = s->piece[v] = v;
	for (size_t t = 0; t < mesh->triangle_count; t++) {
		pieces_join(s->piece, mesh->triangles[3 * t], mesh->triangles[3 * t + 1]);
		pieces_join(s->piece, mesh->triangles[3 * t], mesh->triangles[3 * t + 2]);
	}
	for (uint32_t v = 0; v < mesh->vertex_count; v++)
		for (uint32_t i = s->first[v]; i < s->first[v + 1]; i++)
			if (on_border(s, v, i))
				pieces_join(s->parent, v, s->edges[i].other);
}

static void position(const enm_mesh *mesh, uint32_t v, double out[3])
{
	for (size_t k = 0; k < 3; k++)
		out[k] = (double)mesh->positions_mm[3 * (size_t)v + k];
}

static void add_edge(border *b, const double from[3], const double to[3])
{
	double length = 0.0;
	for (int k = 0; k < 3; k++)
		length += (to[k] - from[k]) * (to[k] - from[k]);
	length = sqrt(length);
	b->length += length;
	for (int k = 0; k < 3; k++) {
		const int l = (k + 1) % 3, m = (k + 2) % 3;
		b->moment[k] += 0.5 * length * (from[k] + to[k]);
		b->twice_area[k] += from[l] * to[m] - from[m] * to[l];
	}
}

/* Room for `count` borders more than doubles. */
static border *next_border(search *s, size_t *capacity)
{
	if (s->count == *capacity) {
		const size_t more = *capacity > 0 ? 2 * *capacity : 64;
		border *grown = realloc(s->borders, more * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		s->borders = grown;
		*capacity = more;
	}
	return &s->borders[s->count++];
}

/* Adds up the edges of each border; false: no memory. A border's direction is against its triangles', as that of a lid on it would be. */
static bool measure_edges(search *s)
{
	size_t capacity = 0;
	memset(s->number, 0xFF, s->mesh->vertex_count * sizeof(*s->number));
	for (uint32_t v = 0; v < s->mesh->vertex_count; v++) {
		for (uint32_t i = s->first[v]; i < s->first[v + 1]; i++) {
			if (!on_border(s, v, i))
				continue;
			const uint32_t root = pieces_root(s->parent, v);
			if (s->number[root] == UINT32_MAX) {
				border *b = next_border(s, &capacity);
				if (b == NULL)
					return false;
				*b = (border){.root = root, .piece = pieces_root(s->piece, v)};
				s->number[root] = (uint32_t)(s->count - 1);
			}
			double low[3], other[3];
			position(s->mesh, v, low);
			position(s->mesh, s->edges[i].other, other);
			add_edge(&s->borders[s->number[root]], s->edges[i].down ? low : other, s->edges[i].down ? other : low);
		}
	}
	return true;
}

static void measure_widths(search *s)
{
	for (uint32_t v = 0; v < s->mesh->vertex_count; v++) {
		const uint32_t number = s->number[pieces_root(s->parent, v)];
		if (number == UINT32_MAX)
			continue;
		border *b = &s->borders[number];
		double p[3], far2 = 0.0;
		position(s->mesh, v, p);
		for (int k = 0; k < 3 && b->length > 0.0; k++)
			far2 += (p[k] - b->moment[k] / b->length) * (p[k] - b->moment[k] / b->length);
		b->farthest2 = fmax(b->farthest2, far2);
	}
}

static int longest_first(const void *a, const void *b)
{
	const border *p = a, *q = b;
	if (p->length != q->length)
		return p->length < q->length ? 1 : -1;
	return (p->root > q->root) - (p->root < q->root);
}

static enm_gap gap_of(const border *b, bool rim)
{
	enm_gap g = {.length_mm = b->length, .width_mm = 2.0 * sqrt(b->farthest2), .rim = rim};
	double area = 0.0;
	for (int k = 0; k < 3; k++) {
		g.centre_mm[k] = b->length > 0.0 ? b->moment[k] / b->length : 0.0;
		area += b->twice_area[k] * b->twice_area[k];
	}
	area = sqrt(area);
	for (int k = 0; k < 3 && area > 0.0; k++)
		g.normal[k] = b->twice_area[k] / area;
	g.area_mm2 = 0.5 * area;
	return g;
}

/* The longest border of a piece comes first: `number` remembers pieces whose rim has been met. */
static size_t give(search *s, double length_min_mm, enm_gap *out, size_t capacity)
{
	size_t count = 0;
	if (s->count > 0) /* else there is no array */
		qsort(s->borders, s->count, sizeof(*s->borders), longest_first);
	for (int rims = 0; rims < 2; rims++) {
		memset(s->number, 0, s->mesh->vertex_count * sizeof(*s->number));
		for (size_t i = 0; i < s->count; i++) {
			const border *b = &s->borders[i];
			const bool rim = s->number[b->piece]++ == 0;
			if (rim != (rims == 1) || b->length < length_min_mm)
				continue;
			if (count < capacity)
				out[count] = gap_of(b, rim);
			count++;
		}
	}
	return count;
}

static bool search_create(search *s, const enm_mesh *mesh)
{
	const size_t vertices = mesh->vertex_count > 0 ? mesh->vertex_count : 1;
	s->mesh = mesh;
	s->first = calloc(vertices + 2, sizeof(*s->first));
	s->edges = malloc((3 * mesh->triangle_count + 1) * sizeof(*s->edges));
	s->parent = malloc(vertices * sizeof(*s->parent));
	s->piece = malloc(vertices * sizeof(*s->piece));
	s->number = malloc(vertices * sizeof(*s->number));
	return s->first != NULL && s->edges != NULL && s->parent != NULL && s->piece != NULL && s->number != NULL;
}

static void search_destroy(search *s)
{
	free(s->first);
	free(s->edges);
	free(s->parent);
	free(s->piece);
	free(s->number);
	free(s->borders);
}

enm_result enm_mesh_gaps(const enm_mesh *mesh, double length_min_mm, enm_gap *out_gaps, size_t capacity, size_t *out_count)
{
	if (out_count == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_gaps: out_count is NULL");
	*out_count = 0;
	if (mesh == NULL || (out_gaps == NULL && capacity > 0))
		return error_set(ENM_E_ARGUMENT, "enm_mesh_gaps: mesh or out_gaps is NULL");
	if (!(length_min_mm >= 0.0))
		return error_set(ENM_E_ARGUMENT, "enm_mesh_gaps: length_min_mm is %g, not 0 or more", length_min_mm);
	if (mesh->triangle_count > UINT32_MAX / 3)
		return error_set(ENM_E_CAPACITY, "enm_mesh_gaps: %zu triangles are too many", mesh->triangle_count);
	search s = {0};
	bool good = search_create(&s, mesh);
	if (good) {
		sort_edges(&s);
		find_pieces(&s);
		good = measure_edges(&s);
	}
	if (good) {
		measure_widths(&s);
		*out_count = give(&s, length_min_mm, out_gaps, capacity);
	}
	search_destroy(&s);
	if (!good)
		return error_set(ENM_E_MEMORY, "enm_mesh_gaps: no host memory for %zu triangles", mesh->triangle_count);
	return *out_count > capacity ? ENM_FULL : ENM_OK;
}
