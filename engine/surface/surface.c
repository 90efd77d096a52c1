/* SPDX-License-Identifier: Apache-2.0
 * Stage "surface": marching cubes on the device (kernels/surface.cl), a range of blocks at a time so that little device
 * memory is needed besides the model's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/session.h"
#include "pipeline/stage.h"
#include "surface/cases.h"
#include "surface/islands.h"
#include "surface/mesh.h"

#define SLICES 8               /* of a block, as in kernels/surface.cl */
#define CHUNK_BYTES (4u << 20) /* of vertices, and of triangles, on the device at a time */
#define CHUNK_VERTICES (CHUNK_BYTES / sizeof(enm_k_vertex))
#define CHUNK_TRIANGLES (CHUNK_BYTES / 12)
/* The most that one block can have, so that a chunk always holds at least one. */
_Static_assert(CHUNK_VERTICES >= 3 * ENM_K_BLOCK_VOXELS, "a block's vertices fit a chunk");
_Static_assert(CHUNK_TRIANGLES >= 5 * ENM_K_BLOCK_VOXELS, "a block's triangles fit a chunk");

typedef struct extraction {
	enm_session *session;
	const enm_mesh_def *def;
	uint32_t blocks;
	gpu_kernel k_masks, k_counts, k_vertices, k_triangles;
	gpu_buffer cases, masks, vertex_firsts, triangle_firsts, vertices, triangles;
	uint32_t *vertex_first;   /* blocks + 1 */
	uint32_t *triangle_first; /* SLICES * blocks + 1 */
	enm_k_vertex *vertex_chunk;
	uint8_t case_table[256 * CASES_ROW];
	enm_mesh *mesh;
} extraction;

static void extraction_destroy(extraction *x)
{
	gpu_kernel *kernels[] = {&x->k_masks, &x->k_counts, &x->k_vertices, &x->k_triangles};
	gpu_buffer *buffers[] = {
		&x->cases, &x->masks, &x->vertex_firsts, &x->triangle_firsts, &x->vertices, &x->triangles};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
	free(x->vertex_first);
	free(x->triangle_first);
	free(x->vertex_chunk);
	enm_mesh_destroy(&x->mesh);
}

static enm_result extraction_create(extraction *x)
{
	gpu_budget *budget = &x->session->budget;
	const size_t n = x->blocks;
	const stage_kernel kernels[] = {
		{&x->k_masks, "surface_masks", "enm_k_volume,uint,uint,uint*,uint2*,uint*,uint*"},
		{&x->k_counts, "surface_counts",
			"enm_k_volume,uint,uint,uchar*,uint*,uint2*,uint*,uint*,uint*,uint*"},
		{&x->k_vertices, "surface_vertices",
			"enm_k_volume,float,uint,uint,uint,uint*,uint2*,uint*,uint*,uint*,enm_k_vertex*"},
		{&x->k_triangles, "surface_triangles",
			"enm_k_volume,uint,uint,uint,uint,uchar*,uint*,uint2*,uint*,uint*,uint*,uint*,uint*"},
	};
	const stage_buffer buffers[] = {
		{&x->cases, "marching-cubes cases", 256 * CASES_ROW},
		{&x->masks, "edge masks", n * ENM_K_MASK_WORDS * 4},
		{&x->vertex_firsts, "vertex numbers", n * 4},
		{&x->triangle_firsts, "triangle numbers", n * SLICES * 4},
		{&x->vertices, "vertices", CHUNK_BYTES},
		{&x->triangles, "triangles", CHUNK_BYTES},
	};
	x->vertex_first = calloc(n + 1, sizeof(uint32_t));
	x->triangle_first = calloc(n * SLICES + 1, sizeof(uint32_t));
	x->vertex_chunk = malloc(CHUNK_BYTES);
	if (x->vertex_first == NULL || x->triangle_first == NULL || x->vertex_chunk == NULL)
		return error_set(ENM_E_MEMORY, "surface: no host memory");
	enm_result result = stage_create_kernels(budget->device, "surface", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	return result;
}

/* Turns counts into first numbers; the last element receives the total. */
static enm_result to_firsts(uint32_t *counts, size_t n, const char *what)
{
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t c = counts[i];
		counts[i] = (uint32_t)total;
		total += c;
	}
	if (total > UINT32_MAX)
		return error_set(ENM_E_CAPACITY, "surface: %llu %s are too many for 32-bit indices",
			(unsigned long long)total, what);
	counts[n] = (uint32_t)total;
	return ENM_OK;
}

static enm_result count_elements(extraction *x)
{
	gpu_queue *queue = x->session->queue;
	const model *m = &x->session->model;
	const size_t n = x->blocks;
	cases_make(x->case_table);
	const gpu_arg masks[] = {GPU_VALUE(m->volume), GPU_VALUE(x->blocks), GPU_VALUE(x->def->views_min),
		GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&x->masks)};
	const gpu_arg counts[] = {GPU_VALUE(m->volume), GPU_VALUE(x->blocks), GPU_VALUE(x->def->views_min),
		GPU_BUFFER(&x->cases), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels),
		GPU_BUFFER(&x->masks), GPU_BUFFER(&x->vertex_firsts), GPU_BUFFER(&x->triangle_firsts)};
	enm_result result = gpu_write(queue, &x->cases, 0, x->case_table, sizeof(x->case_table), NULL);
	if (result == ENM_OK)
		result = gpu_launch(
			queue, &x->k_masks, GPU_RANGE_1D(n * ENM_K_MASK_WORDS, 64), masks, STAGE_COUNT(masks));
	if (result == ENM_OK)
		result = gpu_launch(queue, &x->k_counts, GPU_RANGE_1D(n * SLICES, 64), counts, STAGE_COUNT(counts));
	if (result == ENM_OK)
		result = gpu_read(queue, &x->vertex_firsts, 0, x->vertex_first, n * 4, NULL);
	if (result == ENM_OK)
		result = gpu_read(queue, &x->triangle_firsts, 0, x->triangle_first, n * SLICES * 4, NULL);
	enm_result finished = gpu_finish(queue); /* also after a failure: `cases` is on the stack */
	result = result != ENM_OK ? result : finished;
	if (result == ENM_OK)
		result = to_firsts(x->vertex_first, n, "vertices");
	if (result == ENM_OK)
		result = to_firsts(x->triangle_first, n * SLICES, "triangles");
	if (result == ENM_OK)
		result = gpu_write(queue, &x->vertex_firsts, 0, x->vertex_first, n * 4, NULL);
	if (result == ENM_OK)
		result = gpu_write(queue, &x->triangle_firsts, 0, x->triangle_first, n * SLICES * 4, NULL);
	return result;
}

/* The last block of a range that begins with `from` and whose elements fit a chunk, plus one. */
static uint32_t range_end(const uint32_t *firsts, uint32_t per_block, uint32_t from, uint32_t blocks, size_t chunk)
{
	uint32_t to = from + 1;
	while (to < blocks && firsts[(size_t)(to + 1) * per_block] - firsts[(size_t)from * per_block] <= chunk)
		to++;
	return to;
}

/* What a model without colour is painted with, so that colour views do not show it black. */
static const uint8_t clay_rgb[3] = {204, 199, 189};

static void unpack_vertices(enm_mesh *mesh, const enm_k_vertex *chunk, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const enm_k_vertex *v = &chunk[i];
		size_t at = first + i;
		memcpy(mesh->positions_mm + 3 * at, &v->x, 3 * sizeof(float));
		memcpy(mesh->normals + 3 * at, &v->nx, 3 * sizeof(float));
		for (size_t c = 0; c < 3; c++)
			mesh->colors_rgb[3 * at + c] =
				(uint8_t)(v->color_views & 0xFFFFFF ? v->color_views >> (8 * c) : clay_rgb[c]);
		mesh->views[at] = (uint16_t)(v->color_views >> 24);
		mesh->sigma_um[at] = v->sigma_um;
	}
}

static enm_result emit_vertices(extraction *x)
{
	gpu_queue *queue = x->session->queue;
	const model *m = &x->session->model;
	const float sigma_mm = x->session->depth.camera.sigma_ref_mm;
	enm_result result = ENM_OK;
	for (uint32_t from = 0, to; from < x->blocks && result == ENM_OK; from = to) {
		to = range_end(x->vertex_first, 1, from, x->blocks, CHUNK_VERTICES);
		const uint32_t first = x->vertex_first[from], count = x->vertex_first[to] - first, blocks = to - from;
		const gpu_arg args[] = {GPU_VALUE(m->volume), GPU_VALUE(sigma_mm), GPU_VALUE(from), GPU_VALUE(blocks),
			GPU_VALUE(first), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels),
			GPU_BUFFER(&x->masks), GPU_BUFFER(&x->vertex_firsts), GPU_BUFFER(&x->vertices)};
		if (count == 0)
			continue;
		result = gpu_launch(queue, &x->k_vertices, GPU_RANGE_1D((size_t)blocks * ENM_K_MASK_WORDS, 64), args,
			STAGE_COUNT(args));
		if (result == ENM_OK)
			result = gpu_read(queue, &x->vertices, 0, x->vertex_chunk, count * sizeof(enm_k_vertex), NULL);
		if (result == ENM_OK)
			result = gpu_finish(queue);
		if (result == ENM_OK)
			unpack_vertices(x->mesh, x->vertex_chunk, first, count);
	}
	return result;
}

static enm_result emit_triangles(extraction *x)
{
	gpu_queue *queue = x->session->queue;
	const model *m = &x->session->model;
	enm_result result = ENM_OK;
	for (uint32_t from = 0, to; from < x->blocks && result == ENM_OK; from = to) {
		to = range_end(x->triangle_first, SLICES, from, x->blocks, CHUNK_TRIANGLES);
		const uint32_t first = x->triangle_first[(size_t)from * SLICES];
		const uint32_t count = x->triangle_first[(size_t)to * SLICES] - first, blocks = to - from;
		const gpu_arg args[] = {GPU_VALUE(m->volume), GPU_VALUE(from), GPU_VALUE(blocks), GPU_VALUE(first),
			GPU_VALUE(x->def->views_min), GPU_BUFFER(&x->cases), GPU_BUFFER(&m->keys),
			GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&x->masks),
			GPU_BUFFER(&x->vertex_firsts), GPU_BUFFER(&x->triangle_firsts), GPU_BUFFER(&x->triangles)};
		if (count == 0)
			continue;
		result = gpu_launch(
			queue, &x->k_triangles, GPU_RANGE_1D((size_t)blocks * SLICES, 64), args, STAGE_COUNT(args));
		if (result == ENM_OK)
			result = gpu_read(queue, &x->triangles, 0, x->mesh->triangles + 3 * (size_t)first,
				(size_t)count * 12, NULL);
	}
	enm_result finished = gpu_finish(queue);
	return result != ENM_OK ? result : finished;
}

static enm_result extract(extraction *x)
{
	const unsigned arrays = MESH_NORMALS | MESH_VIEWS | MESH_SIGMA | MESH_COLORS;
	view_drop_picture(&x->session->view); /* the memory bound leaves room for one of the two */
	enm_result result = extraction_create(x);
	if (result == ENM_OK)
		result = count_elements(x);
	if (result == ENM_OK)
		result = mesh_alloc(
			x->vertex_first[x->blocks], x->triangle_first[(size_t)x->blocks * SLICES], arrays, &x->mesh);
	if (result == ENM_OK)
		result = emit_vertices(x);
	if (result == ENM_OK)
		result = emit_triangles(x);
	if (result == ENM_OK)
		result = islands_remove(x->mesh, x->def->island_triangles_min);
	return result;
}

enm_result enm_session_mesh(enm_session *session, const enm_mesh_def *def, enm_mesh **out_mesh)
{
	if (out_mesh == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_mesh: out_mesh is NULL");
	*out_mesh = NULL;
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_mesh: session is NULL");
	enm_result result = mesh_def_check(def);
	if (result != ENM_OK)
		return result;
	extraction x;
	memset(&x, 0, sizeof(x));
	x.session = session;
	x.def = def;
	enm_k_blocks blocks;
	result = gpu_read(session->queue, &session->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	if (result == ENM_OK)
		result = gpu_finish(session->queue);
	x.blocks = result == ENM_OK ? blocks.used : 0;
	if (result == ENM_OK)
		result = x.blocks > 0 ? extract(&x) : mesh_alloc(0, 0, 0, &x.mesh);
	if (result == ENM_OK) {
		*out_mesh = x.mesh;
		x.mesh = NULL;
		result = (*out_mesh)->triangle_count > 0 ? ENM_OK : ENM_EMPTY;
	}
	if (result < 0) { /* copies may be under way between the device and what is freed next; the text stays the first
			     one's */
		char text[512];
		snprintf(text, sizeof(text), "%s", enm_last_error());
		if (gpu_finish(session->queue) != ENM_OK)
			(void)error_set(result, "%s", text);
	}
	extraction_destroy(&x);
	return result;
}
