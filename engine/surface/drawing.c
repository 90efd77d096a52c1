/* SPDX-License-Identifier: Apache-2.0
 * Drawings: meshes on the device by id, and what is asked of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/error.h"
#include "core/picture.h"
#include "core/pose.h"
#include "surface/draw.h"

#define MIB(bytes) ((double)(bytes) / 1048576.0)

typedef struct member {
	draw_mesh mesh;
	uint32_t id;
	bool visible;
	enm_pose world_from_mesh;
	double low_mm[3], high_mm[3]; /* of the vertices that triangles have, in the mesh's frame */
} member;

struct enm_drawing {
	gpu_device *device;
	gpu_budget budget;
	gpu_queue *queue;
	draw_stage stage;
	member *members;
	draw_item *items; /* room for all of them */
	uint32_t count, capacity, last_id;
};

/* ---- create and destroy ---- */

enm_result enm_drawing_create(enm_context *context, uint64_t device_bytes_max, enm_drawing **out_drawing)
{
	if (out_drawing == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_create: out_drawing is NULL");
	*out_drawing = NULL;
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_create: context is NULL");
	enm_drawing *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return error_set(ENM_E_MEMORY, "enm_drawing_create: no host memory");
	d->device = gpu_device_retain(context_device(context));
	d->budget = (gpu_budget){.device = d->device, .bytes_max = context_bytes_allowed(device_bytes_max, d->device)};
	enm_result result = gpu_queue_create(d->device, &d->queue);
	if (result == ENM_OK)
		result = draw_create(d->device, &d->stage);
	if (result == ENM_OK)
		*out_drawing = d;
	else
		enm_drawing_destroy(&d);
	return result;
}

void enm_drawing_destroy(enm_drawing **drawing)
{
	if (drawing == NULL || *drawing == NULL)
		return;
	enm_drawing *d = *drawing;
	gpu_queue_destroy(&d->queue); /* waits for what uses the rest */
	for (uint32_t i = 0; i < d->count; i++)
		draw_mesh_destroy(&d->members[i].mesh);
	draw_destroy(&d->stage);
	gpu_device_release(&d->device);
	free(d->members);
	free(d->items);
	free(d);
	*drawing = NULL;
}

/* ---- meshes ---- */

static void find_box(const enm_mesh *mesh, member *out)
{
	for (int k = 0; k < 3; k++) {
		out->low_mm[k] = INFINITY;
		out->high_mm[k] = -INFINITY;
	}
	for (size_t i = 0; i < 3 * mesh->triangle_count; i++) {
		const float *p = mesh->positions_mm + 3 * (size_t)mesh->triangles[i];
		for (int k = 0; k < 3; k++) {
			out->low_mm[k] = fmin(out->low_mm[k], (double)p[k]);
			out->high_mm[k] = fmax(out->high_mm[k], (double)p[k]);
		}
	}
}

static enm_result check_room(const enm_drawing *d, const enm_mesh *mesh)
{
	uint64_t triangles = mesh->triangle_count;
	for (uint32_t i = 0; i < d->count; i++)
		triangles += d->members[i].mesh.triangles;
	if (triangles >= ENM_K_DRAW_NONE || mesh->vertex_count > UINT32_MAX)
		return error_set(ENM_E_CAPACITY, "enm_drawing_add: %llu triangles in all are more than 32 bits can number",
			(unsigned long long)triangles);
	const uint64_t wanted = draw_mesh_bytes(mesh);
	if (d->budget.bytes + wanted > d->budget.bytes_max)
		return error_set(ENM_E_CAPACITY,
			"enm_drawing_add: a mesh of %zu vertices and %zu triangles wants %.1f MiB of device memory, and %.1f of %.1f are left",
			mesh->vertex_count, mesh->triangle_count, MIB(wanted),
			MIB(d->budget.bytes < d->budget.bytes_max ? d->budget.bytes_max - d->budget.bytes : 0), MIB(d->budget.bytes_max));
	return ENM_OK;
}

/* Room for one more. */
static enm_result grow(enm_drawing *d)
{
	if (d->count < d->capacity)
		return ENM_OK;
	const uint32_t capacity = d->capacity > 0 ? 2 * d->capacity : 4;
	member *members = realloc(d->members, capacity * sizeof(*members));
	if (members != NULL)
		d->members = members;
	draw_item *items = members != NULL ? realloc(d->items, capacity * sizeof(*items)) : NULL;
	if (items == NULL)
		return error_set(ENM_E_MEMORY, "enm_drawing_add: no host memory");
	d->items = items;
	d->capacity = capacity;
	return ENM_OK;
}

enm_result enm_drawing_add(enm_drawing *drawing, const enm_mesh *mesh, const enm_pose *world_from_mesh, uint32_t *out_id)
{
	if (out_id != NULL)
		*out_id = 0;
	if (drawing == NULL || mesh == NULL || out_id == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_add: drawing, mesh or out_id is NULL");
	if (world_from_mesh != NULL && !pose_is_valid(world_from_mesh))
		return error_set(ENM_E_ARGUMENT, "world_from_mesh: not finite, or its quaternion is not of unit length");
	member added = {.visible = true, .world_from_mesh = world_from_mesh != NULL ? *world_from_mesh : enm_pose_identity()};
	enm_result result = check_room(drawing, mesh);
	if (result == ENM_OK)
		result = grow(drawing);
	if (result == ENM_OK)
		result = draw_mesh_create(&drawing->budget, drawing->queue, mesh, &added.mesh);
	if (result != ENM_OK)
		return result;
	find_box(mesh, &added);
	*out_id = added.id = ++drawing->last_id;
	drawing->members[drawing->count++] = added;
	return ENM_OK;
}

/* The mesh of that name; NULL, with `of` named in the error, where there is none. */
static member *find_member(const enm_drawing *d, uint32_t id, const char *of)
{
	for (uint32_t i = 0; d != NULL && i < d->count; i++)
		if (d->members[i].id == id)
			return &d->members[i];
	if (d == NULL)
		(void)error_set(ENM_E_ARGUMENT, "%s: drawing is NULL", of);
	else
		(void)error_set(ENM_E_ARGUMENT, "%s: id: the drawing has no mesh %u", of, id);
	return NULL;
}

enm_result enm_drawing_remove(enm_drawing *drawing, uint32_t id)
{
	member *m = find_member(drawing, id, "enm_drawing_remove");
	if (m == NULL)
		return ENM_E_ARGUMENT;
	draw_mesh_destroy(&m->mesh);
	const size_t after = (size_t)(drawing->members + drawing->count - (m + 1));
	memmove(m, m + 1, after * sizeof(*m));
	drawing->count--;
	return ENM_OK;
}

enm_result enm_drawing_place(enm_drawing *drawing, uint32_t id, const enm_pose *world_from_mesh)
{
	member *m = find_member(drawing, id, "enm_drawing_place");
	if (m == NULL)
		return ENM_E_ARGUMENT;
	if (world_from_mesh == NULL || !pose_is_valid(world_from_mesh))
		return error_set(ENM_E_ARGUMENT, "world_from_mesh: NULL, not finite, or its quaternion is not of unit length");
	m->world_from_mesh = *world_from_mesh;
	return ENM_OK;
}

enm_result enm_drawing_show(enm_drawing *drawing, uint32_t id, bool visible)
{
	member *m = find_member(drawing, id, "enm_drawing_show");
	if (m == NULL)
		return ENM_E_ARGUMENT;
	m->visible = visible;
	return ENM_OK;
}

enm_result enm_drawing_set_deviation(enm_drawing *drawing, uint32_t id, const float *deviation_um, size_t count)
{
	member *m = find_member(drawing, id, "enm_drawing_set_deviation");
	if (m == NULL)
		return ENM_E_ARGUMENT;
	if (count != (deviation_um != NULL ? m->mesh.vertices : 0u))
		return error_set(ENM_E_ARGUMENT, "enm_drawing_set_deviation: count: %zu values for %u vertices", count, m->mesh.vertices);
	return draw_mesh_values(&drawing->budget, drawing->queue, &m->mesh, deviation_um);
}

enm_result enm_drawing_has(const enm_drawing *drawing, uint32_t id, enm_shade shade, bool *out_has)
{
	static const uint32_t needs[] = {[ENM_SHADE_COLOR] = ENM_K_HAS_COLORS, [ENM_SHADE_VIEWS] = ENM_K_HAS_VIEWS,
		[ENM_SHADE_QUALITY] = ENM_K_HAS_SIGMA, [ENM_SHADE_FLAGS] = ENM_K_HAS_VIEWS | ENM_K_HAS_SIGMA,
		[ENM_SHADE_DEVIATION] = ENM_K_HAS_VALUES};
	if (out_has == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_has: out_has is NULL");
	*out_has = false;
	const member *m = find_member(drawing, id, "enm_drawing_has");
	if (m == NULL)
		return ENM_E_ARGUMENT;
	if ((int)shade < ENM_SHADE_CLAY || shade > ENM_SHADE_DEVIATION)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_has: shade: %d is none", (int)shade);
	*out_has = needs[shade] == 0 || (m->mesh.has & needs[shade]) != 0;
	return ENM_OK;
}

/* ---- pictures ---- */

/* To the eye's frame, in double precision until the end: meshes may lie far from the world's origin. */
static enm_k_pose eye_from_mesh(const enm_view_def *def, const enm_pose *world_from_mesh)
{
	enm_k_pose out = {.r = {0}};
	const enm_pose *eye = &def->world_from_eye;
	double apart[3], t[3];
	for (int k = 0; k < 3; k++) {
		const double axis[3] = {k == 0, k == 1, k == 2};
		double column[3];
		pose_turn(world_from_mesh, axis, column);
		pose_turn_back(eye, column, column);
		for (int row = 0; row < 3; row++)
			out.r[3 * row + k] = (float)column[row];
		apart[k] = world_from_mesh->t_mm[k] - eye->t_mm[k];
	}
	pose_turn_back(eye, apart, t);
	for (int k = 0; k < 3; k++)
		out.t[k] = (float)t[k];
	return out;
}

static uint32_t list_items(enm_drawing *d, const enm_view_def *def)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < d->count; i++)
		if (d->members[i].visible)
			d->items[count++] = (draw_item){&d->members[i].mesh, eye_from_mesh(def, &d->members[i].world_from_mesh)};
	return count;
}

enm_result enm_drawing_render(enm_drawing *drawing, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	if (drawing == NULL || out_rgba == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_render: drawing or out_rgba is NULL");
	enm_result result = picture_check_bytes(def, out_bytes);
	if (result != ENM_OK)
		return result;
	const enm_k_view view = picture_view(def);
	return draw_render(&drawing->stage, &drawing->budget, drawing->queue, &view, drawing->items, list_items(drawing, def), out_rgba);
}

/* The visible mesh that has the triangle of a number counted over all of them. */
static const member *member_of(const enm_drawing *d, uint32_t number, uint32_t *out_triangle)
{
	for (uint32_t i = 0; i < d->count; i++) {
		if (!d->members[i].visible)
			continue;
		if (number < d->members[i].mesh.triangles) {
			*out_triangle = number;
			return &d->members[i];
		}
		number -= d->members[i].mesh.triangles;
	}
	return NULL;
}

static enm_result read_triangle(enm_drawing *d, const member *m, uint32_t triangle, enm_k_vertex out_corners[3])
{
	uint32_t corners[3] = {0};
	enm_result result = gpu_read(d->queue, &m->mesh.triangle, (size_t)triangle * sizeof(corners), corners, sizeof(corners), NULL);
	if (result == ENM_OK)
		result = gpu_finish(d->queue);
	for (int k = 0; k < 3 && result == ENM_OK; k++)
		result = gpu_read(d->queue, &m->mesh.vertex, corners[k] * sizeof(*out_corners), &out_corners[k], sizeof(*out_corners), NULL);
	return result == ENM_OK ? gpu_finish(d->queue) : result;
}

static void point_of(const enm_k_vertex *v, double out[3])
{
	out[0] = (double)v->x;
	out[1] = (double)v->y;
	out[2] = (double)v->z;
}

/* Shares of the corners in the point where the ray through `at` meets the triangle's plane; those a hair below 0 are made 0. */
static void share_out(const enm_view_def *def, double eye_mm[3][3], const double at[2], double out_shares[3], bool *out_from_behind)
{
	const double x = (at[0] - 0.5 * (def->width - 1.0)) / def->focal_pixels, y = (at[1] - 0.5 * (def->height - 1.0)) / def->focal_pixels;
	double flat[3][2], sum = 0.0, kept = 0.0;
	for (int k = 0; k < 3; k++) {
		const double z = def->orthographic ? 1.0 : eye_mm[k][2];
		flat[k][0] = eye_mm[k][0] - x * z;
		flat[k][1] = eye_mm[k][1] - y * z;
	}
	for (int k = 0; k < 3; k++) {
		const double *b = flat[(k + 1) % 3], *c = flat[(k + 2) % 3];
		out_shares[k] = c[0] * b[1] - c[1] * b[0];
		sum += out_shares[k];
	}
	*out_from_behind = sum < 0.0;
	for (int k = 0; k < 3; k++)
		kept += out_shares[k] = sum != 0.0 ? fmax(out_shares[k] / sum, 0.0) : 1.0;
	for (int k = 0; k < 3; k++)
		out_shares[k] /= kept;
}

static void normal_of(const member *m, const enm_k_vertex corners[3], double mesh_mm[3][3], const double shares[3], double out[3])
{
	double n[3] = {0}, u[3], v[3];
	for (int k = 0; k < 3; k++) {
		n[0] += shares[k] * (double)corners[k].nx;
		n[1] += shares[k] * (double)corners[k].ny;
		n[2] += shares[k] * (double)corners[k].nz;
		u[k] = mesh_mm[1][k] - mesh_mm[0][k];
		v[k] = mesh_mm[2][k] - mesh_mm[0][k];
	}
	double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
	if (!(m->mesh.has & ENM_K_HAS_NORMALS) || !(length > 0.0)) {
		n[0] = u[1] * v[2] - u[2] * v[1];
		n[1] = u[2] * v[0] - u[0] * v[2];
		n[2] = u[0] * v[1] - u[1] * v[0];
		length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
	}
	for (int k = 0; k < 3; k++)
		n[k] = length > 0.0 ? n[k] / length : 0.0;
	pose_turn(&m->world_from_mesh, n, out);
}

static void tell_hit(const enm_view_def *def, const double at[2], const member *m, uint32_t triangle, const enm_k_vertex corners[3], enm_hit *out)
{
	double mesh_mm[3][3], eye_mm[3][3], at_mm[3] = {0};
	out->mesh = m->id;
	out->triangle = triangle;
	for (int c = 0; c < 3; c++) {
		double world[3];
		point_of(&corners[c], mesh_mm[c]);
		pose_turn(&m->world_from_mesh, mesh_mm[c], world);
		for (int k = 0; k < 3; k++)
			world[k] += m->world_from_mesh.t_mm[k] - def->world_from_eye.t_mm[k];
		pose_turn_back(&def->world_from_eye, world, eye_mm[c]);
	}
	share_out(def, eye_mm, at, out->barycentric, &out->from_behind);
	normal_of(m, corners, mesh_mm, out->barycentric, out->normal);
	double views = 0.0, sigma = 0.0;
	for (int c = 0; c < 3; c++) {
		const double share = out->barycentric[c];
		for (int k = 0; k < 3; k++)
			at_mm[k] += share * mesh_mm[c][k];
		out->depth_mm += share * eye_mm[c][2];
		views += share * (double)(corners[c].color_views >> 24);
		sigma += share * (double)corners[c].sigma_um;
	}
	pose_turn(&m->world_from_mesh, at_mm, out->position_mm);
	for (int k = 0; k < 3; k++)
		out->position_mm[k] += m->world_from_mesh.t_mm[k];
	out->sigma_um = (m->mesh.has & ENM_K_HAS_SIGMA) ? (float)sigma : NAN;
	out->views = (m->mesh.has & ENM_K_HAS_VIEWS) ? (uint32_t)(views + 0.5) : 0;
}

enm_result enm_drawing_pick(enm_drawing *drawing, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	if (out_hit != NULL)
		memset(out_hit, 0, sizeof(*out_hit));
	if (drawing == NULL || out_hit == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_pick: drawing or out_hit is NULL");
	enm_result result = picture_check_place("enm_drawing_pick", def, x, y);
	if (result != ENM_OK)
		return result;
	const double at[2] = {x, y};
	const enm_k_view view = picture_view_pixel(def, at);
	uint32_t number = ENM_K_DRAW_NONE, triangle = 0;
	result = draw_find(&drawing->stage, &drawing->budget, drawing->queue, &view, drawing->items, list_items(drawing, def), &number);
	const member *m = result == ENM_OK ? member_of(drawing, number, &triangle) : NULL;
	if (m == NULL)
		return result == ENM_OK ? ENM_EMPTY : result;
	enm_k_vertex corners[3];
	result = read_triangle(drawing, m, triangle, corners);
	if (result == ENM_OK)
		tell_hit(def, at, m, triangle, corners, out_hit);
	return result;
}

/* ---- what it tells of itself ---- */

enm_result enm_drawing_bounds(const enm_drawing *drawing, double out_min_mm[3], double out_max_mm[3])
{
	for (int k = 0; k < 3 && out_min_mm != NULL; k++)
		out_min_mm[k] = 0.0;
	for (int k = 0; k < 3 && out_max_mm != NULL; k++)
		out_max_mm[k] = 0.0;
	if (drawing == NULL || out_min_mm == NULL || out_max_mm == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_bounds: drawing or an out parameter is NULL");
	bool any = false;
	for (uint32_t i = 0; i < drawing->count; i++) {
		const member *m = &drawing->members[i];
		for (int corner = 0; corner < 8 && m->visible && m->mesh.triangles > 0; corner++) {
			const double local[3] = {corner & 1 ? m->high_mm[0] : m->low_mm[0], corner & 2 ? m->high_mm[1] : m->low_mm[1],
				corner & 4 ? m->high_mm[2] : m->low_mm[2]};
			double p[3];
			pose_turn(&m->world_from_mesh, local, p);
			for (int k = 0; k < 3; k++) {
				p[k] += m->world_from_mesh.t_mm[k];
				out_min_mm[k] = any ? fmin(out_min_mm[k], p[k]) : p[k];
				out_max_mm[k] = any ? fmax(out_max_mm[k], p[k]) : p[k];
			}
			any = true;
		}
	}
	return any ? ENM_OK : ENM_EMPTY;
}

enm_result enm_drawing_get_stats(const enm_drawing *drawing, enm_drawing_stats *out_stats)
{
	if (out_stats != NULL)
		memset(out_stats, 0, sizeof(*out_stats));
	if (drawing == NULL || out_stats == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_drawing_get_stats: drawing or out_stats is NULL");
	out_stats->meshes = drawing->count;
	for (uint32_t i = 0; i < drawing->count; i++) {
		out_stats->meshes_visible += drawing->members[i].visible;
		out_stats->vertices += drawing->members[i].mesh.vertices;
		out_stats->triangles += drawing->members[i].mesh.triangles;
	}
	out_stats->device_bytes = drawing->budget.bytes;
	out_stats->device_bytes_max = drawing->budget.bytes_max;
	return ENM_OK;
}
