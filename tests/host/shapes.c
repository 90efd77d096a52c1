/* SPDX-License-Identifier: Apache-2.0 */
#include "shapes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static enm_mesh *create(float *positions, size_t vertex_count, uint32_t *triangles, size_t triangle_count)
{
	enm_mesh *mesh = NULL;
	const enm_mesh_data data = {.vertex_count = vertex_count,
		.triangle_count = triangle_count,
		.positions_mm = positions,
		.triangles = triangles};
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	free(positions);
	free(triangles);
	return mesh;
}

/* Two triangles of a cell whose corners are a (here), b (next u), c (next v), d (both). */
static void put_cell(uint32_t *triangles, size_t *count, size_t a, size_t b, size_t c, size_t d)
{
	const size_t corners[6] = {a, b, d, a, d, c};
	for (int i = 0; i < 6; i++)
		triangles[3 * *count + (size_t)i] = (uint32_t)corners[i];
	*count += 2;
}

enm_mesh *shape_grid(size_t columns, size_t rows, shape_place place, shape_keep keep, void *user)
{
	float *positions = malloc(3 * columns * rows * sizeof(float));
	uint32_t *triangles = malloc(6 * columns * rows * sizeof(uint32_t));
	assert_true(positions != NULL && triangles != NULL);
	size_t count = 0;
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++) {
			double p[3];
			const double u = (double)c / (double)(columns - 1), v = (double)r / (double)(rows - 1);
			place(user, u, v, p);
			for (size_t i = 0; i < 3; i++)
				positions[3 * (r * columns + c) + i] = (float)p[i];
			if (r + 1 == rows || c + 1 == columns)
				continue;
			if (keep != NULL && !keep(user, u + 0.5 / (double)(columns - 1), v + 0.5 / (double)(rows - 1)))
				continue;
			const size_t at = r * columns + c;
			put_cell(triangles, &count, at, at + 1, at + columns, at + columns + 1);
		}
	return create(positions, columns * rows, triangles, count);
}

void shape_arch(void *user, double u, double v, double out[3])
{
	(void)user;
	const double angle = PI * u, across = 2 * v - 1;
	const double width = 5 + 0.8 * sin(17 * angle);
	out[0] = -(22 - width * across) * cos(angle);
	out[1] = (26 - width * across) * sin(angle);
	out[2] = 6 * (1 - across * across * across * across) + 0.9 * sin(23 * angle) * cos(4 * across) +
		 0.5 * sin(5 * angle);
}

void shape_plate(void *user, double u, double v, double out[3])
{
	(void)user;
	out[0] = 20 * u - 10;
	out[1] = 20 * v - 10;
	out[2] = 0;
}

enm_mesh *shape_spheres(const double (*centres)[3], size_t count, double radius_mm)
{
	enum { AROUND = 96, UP = 49 };
	const size_t each = AROUND * UP;
	float *positions = malloc(3 * each * count * sizeof(float));
	uint32_t *triangles = malloc(6 * each * count * sizeof(uint32_t));
	assert_true(positions != NULL && triangles != NULL);
	size_t triangle_count = 0;
	for (size_t k = 0; k < count; k++)
		for (size_t r = 0; r < UP; r++)
			for (size_t c = 0; c < AROUND; c++) {
				const double polar = PI * (double)r / (UP - 1), around = 2 * PI * (double)c / AROUND;
				const size_t row = k * each + r * AROUND;
				float *p = positions + 3 * (row + c);
				p[0] = (float)(centres[k][0] + radius_mm * sin(polar) * cos(around));
				p[1] = (float)(centres[k][1] + radius_mm * sin(polar) * sin(around));
				p[2] = (float)(centres[k][2] - radius_mm * cos(polar));
				if (r + 1 < UP)
					put_cell(triangles, &triangle_count, row + c, row + (c + 1) % AROUND,
						row + c + AROUND, row + (c + 1) % AROUND + AROUND);
			}
	return create(positions, each * count, triangles, triangle_count);
}

enm_mesh *shape_changed(const surface *s, shape_change change, void *user)
{
	float *positions = malloc((3 * s->data.vertex_count + 1) * sizeof(float));
	uint32_t *triangles = malloc((3 * s->data.triangle_count + 1) * sizeof(uint32_t));
	assert_true(positions != NULL && triangles != NULL);
	for (size_t v = 0; v < s->data.vertex_count; v++) {
		double p[3];
		surface_vertex(s, v, p);
		change(user, p, s->normals[v]);
		for (size_t i = 0; i < 3; i++)
			positions[3 * v + i] = (float)p[i];
	}
	for (size_t i = 0; i < 3 * s->data.triangle_count; i++)
		triangles[i] = s->data.triangles[i];
	return create(positions, s->data.vertex_count, triangles, s->data.triangle_count);
}

surface shape_open(enm_mesh *mesh)
{
	surface s;
	if (surface_open(mesh, "test", &s) != HOST_OK)
		fail_msg("%s", host_error_text());
	return s;
}
