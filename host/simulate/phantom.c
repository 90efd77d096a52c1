/* SPDX-License-Identifier: Apache-2.0
 * The full-arch accuracy phantom: a body of overlapping spheres whose centres are known. Rays meet the exact spheres;
 * the triangles made here are only for truth.ply and to find the scan line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "phantom_centres.h"

#define SPHERE_RADIUS_MM 2.5
#define SUBDIVISIONS 4 /* of an icosahedron: chords within 2 um of a sphere of 2.5 mm */

typedef struct ball {
	v3 *points;
	uint32_t (*faces)[3];
	size_t point_count, face_count;
} ball;

static bool copy_centres(body *b)
{
	b->spheres_mm = malloc(4 * sizeof(float) * phantom_sphere_count);
	for (size_t i = 0; i < phantom_sphere_count && b->spheres_mm; i++) {
		float *s = b->spheres_mm + 4 * b->sphere_count++;
		for (size_t k = 0; k < 3; k++)
			s[k] = (float)phantom_centres_mm[3 * i + k];
		s[3] = (float)SPHERE_RADIUS_MM;
	}
	return b->spheres_mm != NULL;
}

/* Number of the point half-way between two, made once per pair: the pairs made so far are searched from the end. */
static uint32_t half_way(ball *s, uint32_t a, uint32_t b, uint64_t *pairs, size_t first)
{
	uint64_t pair = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
	for (size_t i = first; i < s->point_count; i++)
		if (pairs[i] == pair)
			return (uint32_t)i;
	pairs[s->point_count] = pair;
	s->points[s->point_count] = v3_unit(v3_add(s->points[a], s->points[b]));
	return (uint32_t)s->point_count++;
}

static void icosahedron(ball *s)
{
	static const uint8_t FACES[20][3] = {{0, 11, 5}, {0, 5, 1}, {0, 1, 7}, {0, 7, 10}, {0, 10, 11}, {1, 5, 9},
		{5, 11, 4}, {11, 10, 2}, {10, 7, 6}, {7, 1, 8}, {3, 9, 4}, {3, 4, 2}, {3, 2, 6}, {3, 6, 8}, {3, 8, 9},
		{4, 9, 5}, {2, 4, 11}, {6, 2, 10}, {8, 6, 7}, {9, 8, 1}};
	double g = (1 + sqrt(5.0)) / 2;
	const v3 points[12] = {{-1, g, 0}, {1, g, 0}, {-1, -g, 0}, {1, -g, 0}, {0, -1, g}, {0, 1, g}, {0, -1, -g},
		{0, 1, -g}, {g, 0, -1}, {g, 0, 1}, {-g, 0, -1}, {-g, 0, 1}};
	for (int i = 0; i < 12; i++)
		s->points[i] = v3_unit(points[i]);
	for (int i = 0; i < 20; i++)
		for (int c = 0; c < 3; c++)
			s->faces[i][c] = FACES[i][c];
	s->point_count = 12, s->face_count = 20;
}

static bool make_ball(ball *s)
{
	size_t faces = (size_t)20 << (2 * SUBDIVISIONS), points = faces / 2 + 2;
	s->points = malloc(points * sizeof(v3));
	s->faces = malloc(faces * sizeof *s->faces);
	uint64_t *pairs = calloc(points, sizeof(uint64_t));
	if (!s->points || !s->faces || !pairs) {
		free(pairs);
		return false;
	}
	icosahedron(s);
	for (int round = 0; round < SUBDIVISIONS; round++) {
		size_t first = s->point_count, before = s->face_count;
		for (size_t f = 0; f < before; f++) {
			uint32_t *old = s->faces[f], a = old[0], b = old[1], c = old[2];
			uint32_t ab = half_way(s, a, b, pairs, first), bc = half_way(s, b, c, pairs, first);
			uint32_t ca = half_way(s, c, a, pairs, first);
			const uint32_t made[4][3] = {{ab, bc, ca}, {a, ab, ca}, {b, bc, ab}, {c, ca, bc}};
			memcpy(old, made[0], sizeof made[0]);
			memcpy(s->faces[s->face_count], made[1], 3 * sizeof made[0]);
			s->face_count += 3;
		}
	}
	free(pairs);
	return true;
}

static bool buried(const body *b, size_t self, v3 p)
{
	for (size_t i = 0; i < b->sphere_count; i++) {
		const float *s = b->spheres_mm + 4 * i;
		v3 d = v3_sub(p, v3_make((double)s[0], (double)s[1], (double)s[2]));
		if (i != self && v3_dot(d, d) < (double)s[3] * (double)s[3])
			return true;
	}
	return false;
}

/* Adds what of one sphere lies outside all others: triangles with at least one free corner. */
static void add_sphere(body *b, size_t self, const ball *shape, uint8_t *hidden, uint32_t *number)
{
	const float *s = b->spheres_mm + 4 * self;
	v3 centre = {(double)s[0], (double)s[1], (double)s[2]};
	for (size_t i = 0; i < shape->point_count; i++) {
		hidden[i] = buried(b, self, v3_mad(centre, shape->points[i], (double)s[3]));
		number[i] = UINT32_MAX;
	}
	for (size_t f = 0; f < shape->face_count; f++) {
		const uint32_t *face = shape->faces[f];
		if (hidden[face[0]] && hidden[face[1]] && hidden[face[2]])
			continue;
		for (int c = 0; c < 3; c++) {
			uint32_t i = face[c];
			if (number[i] == UINT32_MAX) {
				float *n = b->normals + 3 * b->vertex_count, *p = b->positions_mm + 3 * b->vertex_count;
				v3 unit = shape->points[i], at = v3_mad(centre, unit, (double)s[3]);
				n[0] = (float)unit.x, n[1] = (float)unit.y, n[2] = (float)unit.z;
				p[0] = (float)at.x, p[1] = (float)at.y, p[2] = (float)at.z;
				memcpy(b->colors_rgb + 3 * b->vertex_count, (const uint8_t[3]){205, 208, 212}, 3);
				number[i] = (uint32_t)b->vertex_count++;
			}
			b->triangles[3 * b->triangle_count + (size_t)c] = number[i];
		}
		b->triangle_count++;
	}
}

static bool tessellate(body *b)
{
	ball shape = {0};
	bool good = make_ball(&shape);
	size_t points = b->sphere_count * shape.point_count, faces = b->sphere_count * shape.face_count;
	uint8_t *hidden = malloc(shape.point_count + 1);
	uint32_t *number = malloc((shape.point_count + 1) * sizeof *number);
	b->positions_mm = malloc(3 * sizeof(float) * (points + 1));
	b->normals = malloc(3 * sizeof(float) * (points + 1));
	b->colors_rgb = malloc(3 * (points + 1));
	b->triangles = malloc(3 * sizeof(uint32_t) * (faces + 1));
	good = good && hidden && number && b->positions_mm && b->normals && b->colors_rgb && b->triangles;
	for (size_t i = 0; good && i < b->sphere_count; i++)
		add_sphere(b, i, &shape, hidden, number);
	free(hidden);
	free(number);
	free(shape.points);
	free(shape.faces);
	return good;
}

bool body_from_phantom(body *out_body, char *out_error)
{
	const char *reason = "no memory";
	*out_body = (body){0};
	if (copy_centres(out_body) && tessellate(out_body) &&
		curve_from_surface(out_body->positions_mm, out_body->vertex_count, out_body->triangles,
			out_body->triangle_count, v3_make(0, 0, 1), &out_body->line, &reason))
		return true;
	snprintf(out_error, BODY_ERROR_BYTES, "phantom: %s", reason);
	return false;
}
