/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "vector.h"

/* A triangle that the plane goes through: it enters and leaves by an edge each, named by its vertices. */
typedef struct piece {
	uint64_t edge[2];
	double at[2]; /* share of the way from the edge's lower vertex to its higher */
	uint32_t triangle;
	bool walked;
} piece;

/* One end of a piece, sorted by edge so that neighbours lie together. */
typedef struct piece_end {
	uint64_t edge;
	uint32_t piece;
} piece_end;

typedef struct cut {
	const enm_mesh_data *mesh;
	cut_plane plane;
	piece *pieces;
	piece_end *ends;
	size_t count, capacity;
} cut;

bool cut_curve_add(cut_curve *curve, const mark_point *point)
{
	if (curve->count == curve->capacity) {
		size_t capacity = curve->capacity ? 2 * curve->capacity : 64;
		mark_point *points = realloc(curve->points, capacity * sizeof *points);
		if (!points)
			return false;
		curve->points = points;
		curve->capacity = capacity;
	}
	curve->points[curve->count++] = *point;
	return true;
}

bool cut_plane_through(const double a_mm[3], const double b_mm[3], const double direction[3], cut_plane *out)
{
	double along[3];
	vector_combine(1.0, b_mm, -1.0, a_mm, along);
	if (!vector_normalize(along))
		return false;
	vector_cross(along, direction, out->normal);
	if (!vector_normalize(out->normal))
		return false;
	out->offset_mm = vector_dot(out->normal, a_mm);
	return true;
}

static double height(const cut *c, size_t vertex)
{
	const float *p = c->mesh->positions_mm + 3 * vertex;
	return c->plane.normal[0] * (double)p[0] + c->plane.normal[1] * (double)p[1] + c->plane.normal[2] * (double)p[2] -
	       c->plane.offset_mm;
}

static bool add_piece(cut *c, const piece *p)
{
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 1024;
		piece *pieces = realloc(c->pieces, capacity * sizeof *pieces);
		if (!pieces)
			return false;
		c->pieces = pieces;
		c->capacity = capacity;
	}
	c->pieces[c->count++] = *p;
	return true;
}

/* A vertex in the plane counts as above it: then a triangle has two crossed edges or none. */
static bool take_triangle(cut *c, uint32_t triangle)
{
	const uint32_t *v = c->mesh->triangles + 3 * (size_t)triangle;
	const double h[3] = {height(c, v[0]), height(c, v[1]), height(c, v[2])};
	piece p = {.triangle = triangle};
	int found = 0;
	for (int k = 0; k < 3; k++) {
		int next = (k + 1) % 3;
		if ((h[k] >= 0.0) == (h[next] >= 0.0) || v[k] == v[next])
			continue;
		int low = v[k] < v[next] ? k : next, high = low == k ? next : k;
		if (found < 2) {
			p.edge[found] = (uint64_t)v[low] << 32 | v[high];
			p.at[found] = h[low] / (h[low] - h[high]);
		}
		found++;
	}
	return found != 2 || add_piece(c, &p);
}

static bool take_all(cut *c)
{
	for (uint32_t t = 0; t < c->mesh->triangle_count; t++)
		if (!take_triangle(c, t))
			return false;
	return true;
}

static mark_point place_of_end(const cut *c, const piece *p, int end)
{
	const uint32_t *v = c->mesh->triangles + 3 * (size_t)p->triangle;
	uint32_t low = (uint32_t)(p->edge[end] >> 32), high = (uint32_t)p->edge[end];
	double weights[3];
	for (int k = 0; k < 3; k++)
		weights[k] = v[k] == low ? 1.0 - p->at[end] : v[k] == high ? p->at[end] : 0.0;
	return measure_place(c->mesh, p->triangle, weights);
}

cut_result cut_profile(const enm_mesh_data *mesh, const cut_plane *plane, cut_curve *curve)
{
	cut c = {.mesh = mesh, .plane = *plane};
	bool good = take_all(&c);
	for (size_t i = 0; good && i < c.count; i++) {
		for (int end = 0; good && end < 2; end++) {
			mark_point p = place_of_end(&c, &c.pieces[i], end);
			good = cut_curve_add(curve, &p);
		}
	}
	free(c.pieces);
	return good ? CUT_OK : CUT_MEMORY;
}

/* ---- along the surface ---- */

static int compare_ends(const void *a, const void *b)
{
	const piece_end *x = a, *y = b;
	if (x->edge != y->edge)
		return x->edge < y->edge ? -1 : 1;
	return (x->piece > y->piece) - (x->piece < y->piece);
}

static bool sort_ends(cut *c)
{
	c->ends = malloc((2 * c->count + 1) * sizeof *c->ends);
	if (!c->ends)
		return false;
	for (uint32_t i = 0; i < c->count; i++)
		for (uint32_t end = 0; end < 2; end++)
			c->ends[2 * i + end] = (piece_end){c->pieces[i].edge[end], i};
	qsort(c->ends, 2 * c->count, sizeof *c->ends, compare_ends);
	return true;
}

/* The piece that shares the edge, or NULL at the rim of the surface. */
static piece *across(cut *c, uint64_t edge, const piece *from)
{
	size_t low = 0, high = 2 * c->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->ends[middle].edge < edge)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < 2 * c->count && c->ends[low].edge == edge; low++) {
		piece *p = &c->pieces[c->ends[low].piece];
		if (p != from && !p->walked)
			return p;
	}
	return NULL;
}

static double longest_edge(const enm_mesh_data *mesh, uint32_t triangle)
{
	const uint32_t *v = mesh->triangles + 3 * (size_t)triangle;
	double longest = 0.0;
	for (int k = 0; k < 3; k++) {
		const float *a = mesh->positions_mm + 3 * (size_t)v[k], *b = mesh->positions_mm + 3 * (size_t)v[(k + 1) % 3];
		const double off[3] = {(double)(b[0] - a[0]), (double)(b[1] - a[1]), (double)(b[2] - a[2])};
		longest = fmax(longest, sqrt(vector_dot(off, off)));
	}
	return longest;
}

/* The piece in a place's triangle. The plane goes through the place, but may miss its triangle when the place is a corner or on an edge: then the
 * nearest piece, at most an edge away. NULL when there is none. */
static piece *piece_of(cut *c, const mark_point *place)
{
	double best = 0.0;
	piece *nearest = NULL;
	if (place->triangle < c->mesh->triangle_count)
		best = longest_edge(c->mesh, place->triangle);
	for (size_t i = 0; i < c->count; i++) {
		if (c->pieces[i].triangle == place->triangle)
			return &c->pieces[i];
		for (int end = 0; end < 2; end++) {
			const mark_point at = place_of_end(c, &c->pieces[i], end);
			double off = measure_distance(&at, place).value;
			nearest = off < best ? &c->pieces[i] : nearest;
			best = fmin(best, off);
		}
	}
	return nearest;
}

/* From `start` through its edge `way` until `goal`, with the places on the way. */
static cut_result walk(cut *c, piece *start, int way, const piece *goal, cut_curve *out)
{
	for (size_t i = 0; i < c->count; i++)
		c->pieces[i].walked = false;
	piece *p = start;
	int leave = way;
	while (p != goal) {
		p->walked = true;
		mark_point at = place_of_end(c, p, leave);
		if (!cut_curve_add(out, &at))
			return CUT_MEMORY;
		uint64_t edge = p->edge[leave];
		p = across(c, edge, p);
		if (!p)
			return CUT_APART;
		leave = p->edge[0] == edge ? 1 : 0;
	}
	return CUT_OK;
}

static cut_result walk_both_ways(cut *c, const mark_point *a, const mark_point *b, cut_curve *out)
{
	piece *start = piece_of(c, a), *goal = piece_of(c, b);
	cut_result result = CUT_APART;
	double shortest = INFINITY;
	for (int way = 0; way < 2 && start && goal; way++) {
		cut_curve curve = {0};
		cut_result walked = cut_curve_add(&curve, a) ? walk(c, start, way, goal, &curve) : CUT_MEMORY;
		if (walked == CUT_OK && !cut_curve_add(&curve, b))
			walked = CUT_MEMORY;
		double length = walked == CUT_OK ? measure_length(curve.points, curve.count).value : (double)INFINITY;
		if (length < shortest) {
			shortest = length;
			cut_curve other = *out;
			*out = curve;
			curve = other;
			result = CUT_OK;
		} else if (walked == CUT_MEMORY) {
			result = CUT_MEMORY;
		}
		free(curve.points);
	}
	return result;
}

cut_result cut_path(const enm_mesh_data *mesh, const mark_point *a, const mark_point *b, cut_curve *curve)
{
	cut c = {.mesh = mesh};
	cut_curve between = {0};
	double up[3];
	vector_combine(1.0, a->normal, 1.0, b->normal, up);
	if (!cut_plane_through(a->position_mm, b->position_mm, vector_normalize(up) ? up : a->normal, &c.plane))
		return CUT_APART;
	cut_result result = take_all(&c) && sort_ends(&c) ? CUT_OK : CUT_MEMORY;
	if (result == CUT_OK)
		result = walk_both_ways(&c, a, b, &between);
	size_t before = curve->count;
	for (size_t i = 0; result == CUT_OK && i < between.count; i++) {
		if (i == 0 && before) /* the last place of the leg before */
			continue;
		between.points[i].body = a->body;
		if (!cut_curve_add(curve, &between.points[i]))
			result = CUT_MEMORY;
	}
	if (result != CUT_OK)
		curve->count = before;
	free(between.points);
	free(c.pieces);
	free(c.ends);
	return result;
}
