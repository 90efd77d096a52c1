/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "pipeline/stage.h"

#define VERTICES_AT_ONCE ((size_t)1 << 16)
#define BYTES_PLACED 16u
#define BYTES_TRIANGLE 12u

enm_result draw_create(gpu_device *device, draw_stage *out_stage)
{
	draw_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	const stage_kernel kernels[] = {
		{&s->k_vertices, "draw_vertices", "enm_k_view,enm_k_draw,enm_k_vertex*,float4*"},
		{&s->k_triangles, "draw_triangles", "enm_k_view,enm_k_draw,int,float4*,uint*,uchar*,int*,uint*"},
		{&s->k_picture, "draw_picture", "enm_k_view,enm_k_draw,float4*,uint*,enm_k_vertex*,float*,uint*,uint*"},
	};
	enm_result result = stage_create_kernels(device, "draw", kernels, STAGE_COUNT(kernels));
	if (result != ENM_OK)
		draw_destroy(s);
	return result;
}

void draw_destroy(draw_stage *s)
{
	gpu_kernel_destroy(&s->k_vertices);
	gpu_kernel_destroy(&s->k_triangles);
	gpu_kernel_destroy(&s->k_picture);
	gpu_buffer_destroy(&s->depths);
	gpu_buffer_destroy(&s->numbers);
	gpu_buffer_destroy(&s->picture);
}

/* ---- meshes ---- */

uint64_t draw_mesh_bytes(const enm_mesh *mesh)
{
	if (mesh->triangle_count == 0)
		return 0;
	return (uint64_t)mesh->vertex_count * (sizeof(enm_k_vertex) + BYTES_PLACED) + (uint64_t)mesh->triangle_count * (BYTES_TRIANGLE + 1);
}

static enm_k_vertex make_vertex(const enm_mesh *m, size_t i)
{
	const float *p = m->positions_mm + 3 * i, *n = m->normals != NULL ? m->normals + 3 * i : NULL;
	const uint8_t *c = m->colors_rgb != NULL ? m->colors_rgb + 3 * i : NULL;
	enm_k_vertex v = {.x = p[0], .y = p[1], .z = p[2], .sigma_um = m->sigma_um != NULL ? m->sigma_um[i] : NAN};
	if (n != NULL) {
		v.nx = n[0];
		v.ny = n[1];
		v.nz = n[2];
	}
	if (c != NULL)
		v.color_views = c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16;
	if (m->views != NULL)
		v.color_views |= (uint32_t)(m->views[i] < 255 ? m->views[i] : 255) << 24;
	return v;
}

static enm_result upload_vertices(gpu_queue *queue, const enm_mesh *from, gpu_buffer *to)
{
	enm_k_vertex *chunk = malloc(VERTICES_AT_ONCE * sizeof(*chunk));
	enm_result result = chunk != NULL ? ENM_OK : error_set(ENM_E_MEMORY, "drawing: no host memory for a mesh's vertices");
	for (size_t first = 0; first < from->vertex_count && result == ENM_OK; first += VERTICES_AT_ONCE) {
		const size_t rest = from->vertex_count - first, n = rest < VERTICES_AT_ONCE ? rest : VERTICES_AT_ONCE;
		for (size_t i = 0; i < n; i++)
			chunk[i] = make_vertex(from, first + i);
		result = gpu_write(queue, to, first * sizeof(*chunk), chunk, n * sizeof(*chunk), NULL);
		if (result == ENM_OK)
			result = gpu_finish(queue);
	}
	free(chunk);
	return result;
}

static uint32_t what_it_has(const enm_mesh *m)
{
	return (m->normals != NULL ? ENM_K_HAS_NORMALS : 0u) | (m->colors_rgb != NULL ? ENM_K_HAS_COLORS : 0u) |
	       (m->views != NULL ? ENM_K_HAS_VIEWS : 0u) | (m->sigma_um != NULL ? ENM_K_HAS_SIGMA : 0u);
}

enm_result draw_mesh_create(gpu_budget *budget, gpu_queue *queue, const enm_mesh *mesh, draw_mesh *out_mesh)
{
	draw_mesh *m = out_mesh;
	memset(m, 0, sizeof(*m));
	m->vertices = (uint32_t)mesh->vertex_count;
	m->triangles = (uint32_t)mesh->triangle_count;
	m->has = what_it_has(mesh);
	if (m->triangles == 0)
		return ENM_OK;
	const size_t triangle_bytes = mesh->triangle_count * BYTES_TRIANGLE;
	const stage_buffer buffers[] = {
		{&m->vertex, "mesh vertices", mesh->vertex_count * sizeof(enm_k_vertex)},
		{&m->triangle, "mesh triangles", triangle_bytes},
		{&m->placed, "placed vertices", mesh->vertex_count * BYTES_PLACED},
		{&m->seen, "triangles seen", mesh->triangle_count},
	};
	enm_result result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result == ENM_OK)
		result = upload_vertices(queue, mesh, &m->vertex);
	if (result == ENM_OK)
		result = gpu_write(queue, &m->triangle, 0, mesh->triangles, triangle_bytes, NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	if (result != ENM_OK)
		draw_mesh_destroy(m);
	return result;
}

void draw_mesh_destroy(draw_mesh *m)
{
	gpu_buffer *buffers[] = {&m->vertex, &m->triangle, &m->placed, &m->seen, &m->value};
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
	memset(m, 0, sizeof(*m));
}

enm_result draw_mesh_values(gpu_budget *budget, gpu_queue *queue, draw_mesh *m, const float *values)
{
	enm_result result = ENM_OK;
	if (values != NULL && m->triangles > 0 && m->value.mem == NULL)
		result = gpu_buffer_create(budget, "mesh values", (size_t)m->vertices * 4, &m->value);
	if (result != ENM_OK)
		return result;
	if (values != NULL && m->triangles > 0) {
		result = gpu_write(queue, &m->value, 0, values, (size_t)m->vertices * 4, NULL);
		if (result == ENM_OK)
			result = gpu_finish(queue);
	}
	if (values == NULL)
		gpu_buffer_destroy(&m->value);
	m->has = values != NULL ? m->has | ENM_K_HAS_VALUES : m->has & ~ENM_K_HAS_VALUES;
	return result;
}

/* ---- pictures ---- */

static enm_k_draw describe(const draw_item *item, uint32_t first)
{
	return (enm_k_draw){item->eye_from_mesh, item->mesh->vertices, item->mesh->triangles, first, item->mesh->has};
}

static enm_result place_vertices(draw_stage *s, gpu_queue *queue, const enm_k_view *view, const draw_item *items, uint32_t count)
{
	enm_result result = ENM_OK;
	for (uint32_t i = 0; i < count && result == ENM_OK; i++) {
		const draw_mesh *m = items[i].mesh;
		const enm_k_draw draw = describe(&items[i], 0);
		const gpu_arg args[] = {GPU_VALUE(*view), GPU_VALUE(draw), GPU_BUFFER(&m->vertex), GPU_BUFFER(&m->placed)};
		if (m->triangles > 0)
			result = gpu_launch(queue, &s->k_vertices, GPU_RANGE_1D(m->vertices, 64), args, STAGE_COUNT(args));
	}
	return result;
}

/* A round over all triangles: how near the nearest is, or, `naming`, which one it is. */
static enm_result run_round(draw_stage *s, gpu_queue *queue, const enm_k_view *view, const draw_item *items, uint32_t count, int naming)
{
	enm_result result = ENM_OK;
	for (uint32_t i = 0, first = 0; i < count && result == ENM_OK; first += items[i++].mesh->triangles) {
		const draw_mesh *m = items[i].mesh;
		const enm_k_draw draw = describe(&items[i], first);
		const gpu_arg args[] = {GPU_VALUE(*view), GPU_VALUE(draw), GPU_VALUE(naming), GPU_BUFFER(&m->placed),
			GPU_BUFFER(&m->triangle), GPU_BUFFER(&m->seen), GPU_BUFFER(&s->depths), GPU_BUFFER(&s->numbers)};
		if (m->triangles > 0)
			result = gpu_launch(
				queue, &s->k_triangles, GPU_RANGE_1D(m->triangles, ENM_K_DRAW_GROUP), args, STAGE_COUNT(args));
	}
	return result;
}

static size_t pixel_bytes(const enm_k_view *view)
{
	return (size_t)view->width * (size_t)view->height * 4;
}

static enm_result find(draw_stage *s, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view, const draw_item *items, uint32_t count)
{
	const size_t bytes = pixel_bytes(view);
	enm_result result = gpu_finish(queue); /* before a buffer in use is dropped */
	if (result == ENM_OK)
		result = stage_ensure(budget, "picture depths", bytes, &s->depths);
	if (result == ENM_OK)
		result = stage_ensure(budget, "picture triangles", bytes, &s->numbers);
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->depths, 0, ENM_K_DRAW_INFINITE, bytes);
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->numbers, 0, ENM_K_DRAW_NONE, bytes);
	if (result == ENM_OK)
		result = place_vertices(s, queue, view, items, count);
	for (int naming = 0; naming < 2 && result == ENM_OK; naming++)
		result = run_round(s, queue, view, items, count, naming);
	return result;
}

static enm_result hand_out(gpu_queue *queue, enm_result result, const gpu_buffer *from, void *out, size_t bytes)
{
	if (result == ENM_OK)
		result = gpu_read(queue, from, 0, out, bytes, NULL);
	return result == ENM_OK ? gpu_finish(queue) : result;
}

enm_result draw_render(draw_stage *s, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view, const draw_item *items,
	uint32_t count, uint8_t *out_rgba)
{
	const size_t bytes = pixel_bytes(view);
	enm_result result = find(s, budget, queue, view, items, count);
	if (result == ENM_OK)
		result = stage_ensure(budget, "picture", bytes, &s->picture);
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->picture, 0, view->background, bytes);
	for (uint32_t i = 0, first = 0; i < count && result == ENM_OK; first += items[i++].mesh->triangles) {
		const draw_mesh *m = items[i].mesh;
		const enm_k_draw draw = describe(&items[i], first);
		const gpu_arg args[] = {GPU_VALUE(*view), GPU_VALUE(draw), GPU_BUFFER(&m->placed), GPU_BUFFER(&m->triangle),
			GPU_BUFFER(&m->vertex), GPU_BUFFER(m->value.mem != NULL ? &m->value : NULL), GPU_BUFFER(&s->numbers),
			GPU_BUFFER(&s->picture)};
		if (m->triangles > 0)
			result = gpu_launch(queue, &s->k_picture, GPU_RANGE_2D((size_t)view->width, (size_t)view->height, 8, 8), args,
				STAGE_COUNT(args));
	}
	return hand_out(queue, result, &s->picture, out_rgba, bytes);
}

enm_result draw_find(draw_stage *s, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view, const draw_item *items,
	uint32_t count, uint32_t *out_numbers)
{
	enm_result result = find(s, budget, queue, view, items, count);
	return hand_out(queue, result, &s->numbers, out_numbers, pixel_bytes(view));
}
