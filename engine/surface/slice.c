/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/slice.h"

#include <string.h>

#include "pipeline/stage.h"

#define GROUP 64 /* as in kernels/surface.cl; a group a block */

enm_result slice_create(gpu_budget *budget, gpu_queue *queue, slice_size size, surface_slice *out_slice)
{
	surface_slice *s = out_slice;
	const size_t n = size.blocks;
	memset(s, 0, sizeof(*s));
	s->size = size;
	cases_make(s->case_table);
	const stage_kernel kernels[] = {
		{&s->k_count, "surface_count",
			"enm_k_volume,uint,uchar*,enm_k_surface*,uint*,uint*,uint2*,uint*,uint2*,enm_k_piece*"},
		{&s->k_place, "surface_place", "uint,uint,enm_k_surface*,enm_k_piece*,uint2*"},
	};
	const stage_kernel makers[] = {
		{&s->k_vertices, "surface_vertices",
			"enm_k_volume,float,enm_k_surface*,uint2*,uint*,uint2*,enm_k_piece*,uint2*,enm_k_vertex*"},
		{&s->k_triangles, "surface_triangles", "uchar*,enm_k_surface*,uint2*,enm_k_piece*,uint2*,ushort*"},
	};
	const stage_buffer buffers[] = {
		{&s->cases, "marching-cubes cases", CASES_BYTES},
		{&s->state, "surface counts", sizeof(enm_k_surface)},
		{&s->list, "surface blocks", n * 4},
		{&s->rows, "surface rows", n * SLICE_ROWS * 8},
		{&s->pieces, "surface pieces", n * sizeof(enm_k_piece)},
		{&s->firsts, "surface numbers", n * 8},
		{&s->vertices, "surface vertices", (size_t)size.vertices * sizeof(enm_k_vertex)},
		{&s->triangles, "surface triangles", (size_t)size.triangles * SLICE_BYTES_TRIANGLE},
	};
	enm_result result = stage_create_kernels(budget->device, "surface", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "surface_make", makers, STAGE_COUNT(makers));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result == ENM_OK)
		result = gpu_write(queue, &s->cases, 0, s->case_table, sizeof(s->case_table), NULL);
	if (result != ENM_OK)
		slice_destroy(s);
	return result;
}

void slice_destroy(surface_slice *s)
{
	gpu_kernel *kernels[] = {&s->k_count, &s->k_place, &s->k_vertices, &s->k_triangles};
	gpu_buffer *buffers[] = {
		&s->cases, &s->state, &s->list, &s->rows, &s->pieces, &s->firsts, &s->vertices, &s->triangles};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_result slice_count(surface_slice *s, gpu_queue *queue, const model *m, uint32_t views_min)
{
	const gpu_arg args[] = {GPU_VALUE(m->volume), GPU_VALUE(views_min), GPU_BUFFER(&s->cases),
		GPU_BUFFER(&s->state), GPU_BUFFER(&s->list), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table),
		GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->rows), GPU_BUFFER(&s->pieces)};
	return gpu_launch(
		queue, &s->k_count, GPU_RANGE_1D((size_t)s->size.blocks * GROUP, GROUP), args, STAGE_COUNT(args));
}

enm_result slice_make(surface_slice *s, gpu_queue *queue, const model *m, float sigma_ref_mm)
{
	const gpu_range groups = GPU_RANGE_1D((size_t)s->size.blocks * GROUP, GROUP);
	const gpu_arg place[] = {GPU_VALUE(s->size.vertices), GPU_VALUE(s->size.triangles), GPU_BUFFER(&s->state),
		GPU_BUFFER(&s->pieces), GPU_BUFFER(&s->firsts)};
	const gpu_arg vertices[] = {GPU_VALUE(m->volume), GPU_VALUE(sigma_ref_mm), GPU_BUFFER(&s->state),
		GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->rows), GPU_BUFFER(&s->pieces),
		GPU_BUFFER(&s->firsts), GPU_BUFFER(&s->vertices)};
	const gpu_arg triangles[] = {GPU_BUFFER(&s->cases), GPU_BUFFER(&s->state), GPU_BUFFER(&s->rows),
		GPU_BUFFER(&s->pieces), GPU_BUFFER(&s->firsts), GPU_BUFFER(&s->triangles)};
	enm_result result = gpu_launch(queue, &s->k_place, GPU_RANGE_1D(GROUP, GROUP), place, STAGE_COUNT(place));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_vertices, groups, vertices, STAGE_COUNT(vertices));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_triangles, groups, triangles, STAGE_COUNT(triangles));
	return result;
}
