/* SPDX-License-Identifier: Apache-2.0
 * Stage "surface": the mesh of the whole model, made slice by slice on the device (kernels/surface.cl) and welded here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/session.h"
#include "surface/islands.h"
#include "surface/weld.h"

/* 6.5 MB on the device. */
#define BLOCKS_AT_ONCE 1024u
#define VERTICES_AT_ONCE (1u << 17)
#define TRIANGLES_AT_ONCE (1u << 18)

typedef struct extraction {
	enm_session *session;
	const enm_mesh_def *def;
	uint32_t blocks;
	surface_slice slice;
	weld weld;
	/* of a slice, on the host */
	enm_k_surface state;
	uint32_t *list, *rows;
	enm_k_piece *pieces;
	enm_k_vertex *vertices;
	uint16_t *triangles;
} extraction;

static void extraction_destroy(extraction *x)
{
	slice_destroy(&x->slice);
	weld_destroy(&x->weld);
	free(x->list);
	free(x->rows);
	free(x->pieces);
	free(x->vertices);
	free(x->triangles);
}

static enm_result extraction_create(extraction *x)
{
	const slice_size size = {
		x->blocks < BLOCKS_AT_ONCE ? x->blocks : BLOCKS_AT_ONCE, VERTICES_AT_ONCE, TRIANGLES_AT_ONCE};
	x->list = malloc(size.blocks * sizeof(*x->list));
	x->rows = malloc((size_t)size.blocks * SLICE_ROWS * 8);
	x->pieces = malloc(size.blocks * sizeof(*x->pieces));
	x->vertices = malloc(size.vertices * sizeof(*x->vertices));
	x->triangles = malloc((size_t)size.triangles * SLICE_BYTES_TRIANGLE);
	if (x->list == NULL || x->rows == NULL || x->pieces == NULL || x->vertices == NULL || x->triangles == NULL)
		return error_set(ENM_E_MEMORY, "surface: no host memory");
	return slice_create(&x->session->budget, x->session->queue, size, &x->slice);
}

/* Names the blocks from `from` on, as many as a slice takes, and counts what they have; waits. */
static enm_result count_slice(extraction *x, uint32_t from)
{
	gpu_queue *queue = x->session->queue;
	const uint32_t rest = x->blocks - from;
	x->state = (enm_k_surface){.listed = rest < x->slice.size.blocks ? rest : x->slice.size.blocks};
	for (uint32_t i = 0; i < x->state.listed; i++)
		x->list[i] = from + i;
	enm_result result = gpu_write(queue, &x->slice.state, 0, &x->state, sizeof(x->state), NULL);
	if (result == ENM_OK)
		result = gpu_write(queue, &x->slice.list, 0, x->list, x->state.listed * sizeof(*x->list), NULL);
	if (result == ENM_OK)
		result = slice_count(&x->slice, queue, &x->session->model, x->def->views_min);
	if (result == ENM_OK)
		result = gpu_read(queue, &x->slice.pieces, 0, x->pieces, x->state.listed * sizeof(*x->pieces), NULL);
	return result;
}

static enm_result count_all(extraction *x)
{
	uint64_t own = 0, far = 0, triangles = 0;
	for (uint32_t from = 0; from < x->blocks; from += x->state.listed) {
		enm_result result = count_slice(x, from);
		if (result == ENM_OK)
			result = gpu_finish(x->session->queue);
		if (result != ENM_OK)
			return result;
		for (uint32_t i = 0; i < x->state.listed; i++) {
			own += x->pieces[i].own;
			far += x->pieces[i].vertices - x->pieces[i].own;
			triangles += x->pieces[i].triangles;
		}
	}
	return weld_create(x->blocks, own, far, triangles, &x->weld);
}

static enm_result read_slice(extraction *x)
{
	gpu_queue *queue = x->session->queue;
	const surface_slice *s = &x->slice;
	enm_result result = gpu_read(queue, &s->state, 0, &x->state, sizeof(x->state), NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	if (result == ENM_OK)
		result = gpu_read(queue, &s->rows, 0, x->rows, (size_t)x->state.done * SLICE_ROWS * 8, NULL);
	if (result == ENM_OK)
		result = gpu_read(queue, &s->vertices, 0, x->vertices, x->state.vertices * sizeof(*x->vertices), NULL);
	if (result == ENM_OK)
		result = gpu_read(
			queue, &s->triangles, 0, x->triangles, (size_t)x->state.triangles * SLICE_BYTES_TRIANGLE, NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	return result;
}

static enm_result make_all(extraction *x)
{
	const float sigma_mm = x->session->depth.camera.sigma_ref_mm;
	for (uint32_t from = 0; from < x->blocks; from += x->state.done) {
		enm_result result = count_slice(x, from);
		if (result == ENM_OK)
			result = slice_make(&x->slice, x->session->queue, &x->session->model, sigma_mm);
		if (result == ENM_OK)
			result = read_slice(x);
		if (result != ENM_OK)
			return result;
		const enm_k_vertex *vertices = x->vertices;
		const uint16_t *triangles = x->triangles;
		for (uint32_t i = 0; i < x->state.done; i++) {
			const enm_k_piece *piece = &x->pieces[i];
			weld_add(&x->weld, piece, x->rows + (size_t)i * SLICE_ROWS * 2, vertices, triangles);
			vertices += piece->vertices;
			triangles += 3 * (size_t)piece->triangles;
		}
	}
	return ENM_OK;
}

static enm_result extract(extraction *x, enm_mesh **out_mesh)
{
	view_drop_picture(&x->session->view); /* the memory bound leaves room for one of the two */
	enm_result result = extraction_create(x);
	if (result == ENM_OK)
		result = count_all(x);
	if (result == ENM_OK)
		result = make_all(x);
	if (result == ENM_OK) {
		*out_mesh = weld_finish(&x->weld);
		result = islands_remove(*out_mesh, x->def->island_triangles_min);
	}
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
		result = x.blocks > 0 ? extract(&x, out_mesh) : mesh_alloc(0, 0, 0, out_mesh);
	if (result == ENM_OK)
		result = (*out_mesh)->triangle_count > 0 ? ENM_OK : ENM_EMPTY;
	if (result < 0) { /* copies may be under way between the device and what is freed next; the text stays the first
			     one's */
		char text[512];
		snprintf(text, sizeof(text), "%s", enm_last_error());
		if (gpu_finish(session->queue) != ENM_OK)
			(void)error_set(result, "%s", text);
	}
	if (result < 0)
		enm_mesh_destroy(out_mesh);
	extraction_destroy(&x);
	return result;
}
