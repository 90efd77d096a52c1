/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enamel.h"

void body_free(body *b)
{
	free(b->positions_mm);
	free(b->normals);
	free(b->colors_rgb);
	free(b->hollow_mm);
	free(b->triangles);
	free(b->spheres_mm);
	free(b->landmarks);
	free(b->margin_mm);
	curve_free(&b->line);
	*b = (body){0};
}

static v3 vertex(const body *b, size_t i)
{
	const float *p = b->positions_mm + 3 * i;
	return v3_make((double)p[0], (double)p[1], (double)p[2]);
}

static bool add_normals(body *b)
{
	b->normals = calloc(3 * b->vertex_count + 1, sizeof(float));
	if (!b->normals)
		return false;
	for (size_t t = 0; t < b->triangle_count; t++) {
		const uint32_t *v = b->triangles + 3 * t;
		v3 p = vertex(b, v[0]), n = v3_cross(v3_sub(vertex(b, v[1]), p), v3_sub(vertex(b, v[2]), p));
		for (int c = 0; c < 3; c++) {
			float *out = b->normals + 3 * (size_t)v[c];
			out[0] += (float)n.x, out[1] += (float)n.y, out[2] += (float)n.z;
		}
	}
	for (size_t i = 0; i < b->vertex_count; i++) {
		float *n = b->normals + 3 * i;
		v3 u = v3_unit(v3_make((double)n[0], (double)n[1], (double)n[2]));
		n[0] = (float)u.x, n[1] = (float)u.y, n[2] = (float)u.z;
	}
	return true;
}

/* One round of averaging over the neighbours along edges; `sums` holds 4 numbers a vertex. */
static void average_round(const body *b, const v3 *from, v3 *to, double *weights)
{
	memset(weights, 0, b->vertex_count * sizeof *weights);
	memset(to, 0, b->vertex_count * sizeof *to);
	for (size_t t = 0; t < b->triangle_count; t++)
		for (int c = 0; c < 3; c++) {
			size_t i = b->triangles[3 * t + (size_t)c], j = b->triangles[3 * t + (size_t)((c + 1) % 3)];
			double w = v3_length(v3_sub(vertex(b, i), vertex(b, j)));
			to[i] = v3_mad(to[i], from[j], w), weights[i] += w;
			to[j] = v3_mad(to[j], from[i], w), weights[j] += w;
		}
	for (size_t i = 0; i < b->vertex_count; i++)
		to[i] = weights[i] > 0 ? v3_scale(v3_mad(to[i], from[i], weights[i]), 0.5 / weights[i]) : from[i];
}

/* How far a smoothed copy of the surface stands above the vertex: grooves come out positive. */
static bool add_hollows(body *b)
{
	enum { ROUNDS = 24 };
	size_t n = b->vertex_count;
	b->hollow_mm = calloc(n + 1, sizeof(float));
	v3 *now = malloc((n + 1) * sizeof(v3)), *next = malloc((n + 1) * sizeof(v3));
	double *weights = malloc((n + 1) * sizeof(double));
	bool good = b->hollow_mm && now && next && weights;
	if (good) {
		for (size_t i = 0; i < n; i++)
			now[i] = vertex(b, i);
		for (int r = 0; r < ROUNDS; r++) {
			average_round(b, now, next, weights);
			v3 *swap = now;
			now = next, next = swap;
		}
		for (size_t i = 0; i < n; i++) {
			const float *f = b->normals + 3 * i;
			v3 normal = {(double)f[0], (double)f[1], (double)f[2]};
			b->hollow_mm[i] = (float)v3_dot(v3_sub(now[i], vertex(b, i)), normal);
		}
	}
	free(now);
	free(next);
	free(weights);
	return good;
}

bool body_finish_surface(body *b)
{
	return add_normals(b) && add_hollows(b);
}

bool body_mirror(const body *b, body *out_body)
{
	size_t n = b->vertex_count, t = b->triangle_count;
	*out_body = (body){.vertex_count = n,
		.triangle_count = t,
		.positions_mm = malloc((3 * n + 1) * sizeof(float)),
		.normals = malloc((3 * n + 1) * sizeof(float)),
		.colors_rgb = malloc(3 * n + 1),
		.hollow_mm = malloc((n + 1) * sizeof(float)),
		.triangles = malloc((3 * t + 1) * sizeof(uint32_t))};
	body *o = out_body;
	if (!o->positions_mm || !o->normals || !o->colors_rgb || !o->hollow_mm || !o->triangles)
		return false;
	memcpy(o->positions_mm, b->positions_mm, 3 * n * sizeof(float));
	memcpy(o->normals, b->normals, 3 * n * sizeof(float));
	memcpy(o->colors_rgb, b->colors_rgb, 3 * n);
	memcpy(o->hollow_mm, b->hollow_mm, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		o->positions_mm[3 * i] = -o->positions_mm[3 * i], o->normals[3 * i] = -o->normals[3 * i];
	for (size_t i = 0; i < t; i++) {
		const uint32_t *from = b->triangles + 3 * i;
		memcpy(o->triangles + 3 * i, (const uint32_t[3]){from[0], from[2], from[1]}, 3 * sizeof *from);
	}
	return true;
}

/* Copies the triangles that have an area. */
static size_t copy_triangles(const enm_mesh_data *data, body *b)
{
	for (size_t t = 0; t < data->triangle_count; t++) {
		const uint32_t *v = data->triangles + 3 * t;
		v3 p = vertex(b, v[0]), n = v3_cross(v3_sub(vertex(b, v[1]), p), v3_sub(vertex(b, v[2]), p));
		if (!(v3_length(n) > 0)) {
			b->skipped_triangles++;
			continue;
		}
		memcpy(b->triangles + 3 * b->triangle_count++, v, 3 * sizeof *v);
	}
	return b->triangle_count;
}

static bool copy_mesh(const enm_mesh_data *data, body *b)
{
	b->vertex_count = data->vertex_count;
	b->positions_mm = malloc(3 * sizeof(float) * (data->vertex_count + 1));
	b->colors_rgb = malloc(3 * (data->vertex_count + 1));
	b->triangles = malloc(3 * sizeof(uint32_t) * (data->triangle_count + 1));
	if (!b->positions_mm || !b->colors_rgb || !b->triangles)
		return false;
	memcpy(b->positions_mm, data->positions_mm, 3 * sizeof(float) * data->vertex_count);
	if (data->colors_rgb)
		memcpy(b->colors_rgb, data->colors_rgb, 3 * data->vertex_count);
	else
		for (size_t i = 0; i < data->vertex_count; i++)
			memcpy(b->colors_rgb + 3 * i, (const uint8_t[3]){222, 205, 170}, 3);
	copy_triangles(data, b);
	return body_finish_surface(b);
}

/* A jaw in metres or inches gives a scan of nothing: say so instead. */
static bool check_size(const body *b, const char *path, char *out_error)
{
	v3 lo = vertex(b, 0), hi = lo;
	for (size_t i = 1; i < b->vertex_count; i++) {
		v3 p = vertex(b, i);
		lo = v3_make(fmin(lo.x, p.x), fmin(lo.y, p.y), fmin(lo.z, p.z));
		hi = v3_make(fmax(hi.x, p.x), fmax(hi.y, p.y), fmax(hi.z, p.z));
	}
	double size = v3_length(v3_sub(hi, lo));
	if (size >= BODY_SIZE_MIN_MM && size <= BODY_SIZE_MAX_MM)
		return true;
	snprintf(out_error, BODY_ERROR_BYTES,
		"%s: the surface is %.4g mm across, wanted %g to %g (is it in millimetres?)", path, size,
		BODY_SIZE_MIN_MM, BODY_SIZE_MAX_MM);
	return false;
}

bool body_from_file(const char *path, v3 up, body *out_body, char *out_error)
{
	enm_mesh *mesh = NULL;
	enm_mesh_data data;
	const char *reason = "no memory";
	*out_body = (body){0};
	if (enm_mesh_load(path, 1, &mesh) < 0 || enm_mesh_get(mesh, &data) < 0) {
		snprintf(out_error, BODY_ERROR_BYTES, "%s", enm_last_error());
		enm_mesh_destroy(&mesh);
		return false;
	}
	bool good = false;
	if (!data.triangle_count || data.triangle_count > BODY_TRIANGLES_MAX)
		snprintf(out_error, BODY_ERROR_BYTES, "%s: %zu triangles, wanted 1 to %d", path, data.triangle_count,
			BODY_TRIANGLES_MAX);
	else if (!copy_mesh(&data, out_body))
		snprintf(out_error, BODY_ERROR_BYTES, "%s: no memory", path);
	else if (!out_body->triangle_count)
		snprintf(out_error, BODY_ERROR_BYTES, "%s: no triangle has an area", path);
	else if (check_size(out_body, path, out_error)) {
		good = curve_from_surface(out_body->positions_mm, out_body->vertex_count, out_body->triangles,
			out_body->triangle_count, up, &out_body->line, &reason);
		if (!good)
			snprintf(out_error, BODY_ERROR_BYTES, "%s: %s", path, reason);
	}
	enm_mesh_destroy(&mesh);
	return good;
}
