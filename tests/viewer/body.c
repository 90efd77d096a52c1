/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <math.h>
#include <stdlib.h>

#define PI 3.14159265358979323846
#define VIEWS 9

typedef struct net {
	float *positions, *normals, *sigmas;
	uint16_t *views;
	uint32_t *triangles;
	uint32_t vertices, triangle_count;
} net;

static bool reserve(net *n, size_t vertices, size_t triangles)
{
	n->positions = malloc(3 * vertices * sizeof *n->positions);
	n->normals = malloc(3 * vertices * sizeof *n->normals);
	n->sigmas = malloc(vertices * sizeof *n->sigmas);
	n->views = malloc(vertices * sizeof *n->views);
	n->triangles = malloc(3 * triangles * sizeof *n->triangles);
	return n->positions && n->normals && n->sigmas && n->views && n->triangles;
}

static uint32_t add_vertex(net *n, const double centre[3], double radius, const double normal[3], float sigma_um)
{
	uint32_t v = n->vertices++;
	for (int k = 0; k < 3; k++) {
		n->positions[3 * v + (uint32_t)k] = (float)(centre[k] + radius * normal[k]);
		n->normals[3 * v + (uint32_t)k] = (float)normal[k];
	}
	n->sigmas[v] = sigma_um;
	n->views[v] = VIEWS;
	return v;
}

static void add_triangle(net *n, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t *t = n->triangles + 3 * (size_t)n->triangle_count++;
	t[0] = a;
	t[1] = b;
	t[2] = c;
}

static void add_ball(net *n, const double centre[3], double radius, unsigned rings, float sigma_um)
{
	const double top[3] = {0, 0, 1}, foot[3] = {0, 0, -1};
	unsigned around = 2 * rings;
	uint32_t north = add_vertex(n, centre, radius, top, sigma_um), first = north + 1;
	for (unsigned r = 1; r < rings; r++) {
		for (unsigned a = 0; a < around; a++) {
			double polar = PI * r / rings, turn = 2.0 * PI * a / around;
			const double normal[3] = {sin(polar) * cos(turn), sin(polar) * sin(turn), cos(polar)};
			add_vertex(n, centre, radius, normal, sigma_um);
		}
	}
	uint32_t south = add_vertex(n, centre, radius, foot, sigma_um);
	for (unsigned a = 0; a < around; a++) {
		uint32_t next = (a + 1) % around, last = first + (rings - 2) * around;
		add_triangle(n, north, first + a, first + next);
		add_triangle(n, south, last + next, last + a);
		for (unsigned r = 0; r + 2 < rings; r++) {
			uint32_t up = first + r * around, down = up + around;
			add_triangle(n, up + a, down + a, down + next);
			add_triangle(n, up + a, down + next, up + next);
		}
	}
}

static enm_mesh *finish(net *n, bool good, bool bare)
{
	enm_mesh *mesh = NULL;
	const enm_mesh_data data = {
		.vertex_count = n->vertices,
		.triangle_count = n->triangle_count,
		.positions_mm = n->positions,
		.normals = bare ? NULL : n->normals,
		.views = bare ? NULL : n->views,
		.sigma_um = bare ? NULL : n->sigmas,
		.triangles = n->triangles,
	};
	if (good && enm_mesh_create(&data, &mesh) < 0)
		mesh = NULL;
	free(n->positions);
	free(n->normals);
	free(n->sigmas);
	free(n->views);
	free(n->triangles);
	return mesh;
}

enm_mesh *body_two_balls(const double centres_mm[2][3], double radius_mm, unsigned rings, float sigma_um)
{
	net n = {0};
	bool good = reserve(&n, 4u * rings * rings + 4, 8u * rings * rings);
	for (int i = 0; good && i < 2; i++)
		add_ball(&n, centres_mm[i], radius_mm, rings, sigma_um);
	return finish(&n, good, false);
}

enm_mesh *body_ball(const double centre_mm[3], double radius_mm, unsigned rings, float sigma_um)
{
	net n = {0};
	bool good = reserve(&n, 2u * rings * rings + 2, 4u * rings * rings);
	if (good)
		add_ball(&n, centre_mm, radius_mm, rings, sigma_um);
	return finish(&n, good, false);
}

enm_mesh *body_plate(double size_mm, unsigned cells, bool slit)
{
	net n = {0};
	unsigned side = cells + 1;
	bool good = reserve(&n, (size_t)side * side, 2u * cells * cells);
	for (unsigned i = 0; good && i < side * side; i++) {
		const double up[3] = {0, 0, 1};
		const double at[3] = {size_mm * ((double)(i % side) / cells - 0.5), size_mm * ((double)(i / side) / cells - 0.5), 0.0};
		add_vertex(&n, at, 0.0, up, 0.0f);
	}
	for (unsigned i = 0; good && i < cells * cells; i++) {
		uint32_t a = i / cells * side + i % cells;
		if (slit && i % cells == cells / 2)
			continue;
		add_triangle(&n, a, a + 1, a + side + 1);
		add_triangle(&n, a, a + side + 1, a + side);
	}
	return finish(&n, good, true);
}
