/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/allocate.h"

#include <string.h>

#include "pipeline/stage.h"

/* Pixels between the readings that ask for blocks: closer than half a block at any sensible distance. */
static const int mark_stride = 2;

enm_result allocate_create(gpu_budget *budget, gpu_queue *queue, const model *m, allocate_stage *out_stage)
{
	allocate_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	const stage_kernel kernels[] = {
		{&s->k_reset, "allocate_reset", "enm_k_blocks*"},
		{&s->k_box, "allocate_box", "enm_k_camera,enm_k_volume,int,float2*,float*,enm_k_track*,enm_k_blocks*"},
		{&s->k_mark, "allocate_mark",
			"enm_k_camera,enm_k_volume,int,float2*,float*,float4*,enm_k_track*,uint2*,enm_k_blocks*,"
			"uchar*"},
		{&s->k_count, "allocate_count", "enm_k_volume,enm_k_blocks*,enm_k_track*,uchar*,uint*"},
		{&s->k_scan, "allocate_scan", "enm_k_volume,enm_k_track*,uint*,enm_k_blocks*"},
		{&s->k_emit, "allocate_emit", "enm_k_volume,enm_k_blocks*,enm_k_track*,uint*,uchar*,uint*,uint*"},
	};
	const stage_buffer buffers[] = {
		{&s->flags, "allocation grid", m->volume.grid_capacity},
		{&s->counts, "allocation counts", m->volume.grid_capacity / ENM_K_SCAN_CHUNK * 4},
	};
	enm_result result = stage_create_kernels(budget->device, "allocate", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->flags, 0, 0, s->flags.bytes);
	if (result != ENM_OK)
		allocate_destroy(s);
	return result;
}

void allocate_destroy(allocate_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_reset, &s->k_box, &s->k_mark, &s->k_count, &s->k_scan, &s->k_emit};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	gpu_buffer_destroy(&s->flags);
	gpu_buffer_destroy(&s->counts);
}

static enm_result mark(
	allocate_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const size_t columns = (size_t)(d->camera.width + mark_stride - 1) / (size_t)mark_stride;
	const size_t rows = (size_t)(d->camera.height + mark_stride - 1) / (size_t)mark_stride;
	const gpu_arg reset[] = {GPU_BUFFER(&m->blocks)};
	const gpu_arg box[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(mark_stride), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&d->filtered), GPU_BUFFER(state), GPU_BUFFER(&m->blocks)};
	const gpu_arg flag[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(mark_stride),
		GPU_BUFFER(&d->rays), GPU_BUFFER(&d->filtered), GPU_BUFFER(&d->normals), GPU_BUFFER(state),
		GPU_BUFFER(&m->table), GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->flags)};
	enm_result result = gpu_launch(queue, &s->k_reset, GPU_RANGE_1D(1, 1), reset, STAGE_COUNT(reset));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_box, GPU_RANGE_1D(rows, 8), box, STAGE_COUNT(box));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_mark, GPU_RANGE_2D(columns, rows, 32, 2), flag, STAGE_COUNT(flag));
	return result;
}

enm_result allocate_run(
	allocate_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const size_t chunks = m->volume.grid_capacity / ENM_K_SCAN_CHUNK;
	const gpu_arg count[] = {GPU_VALUE(m->volume), GPU_BUFFER(&m->blocks), GPU_BUFFER(state), GPU_BUFFER(&s->flags),
		GPU_BUFFER(&s->counts)};
	const gpu_arg scan[] = {
		GPU_VALUE(m->volume), GPU_BUFFER(state), GPU_BUFFER(&s->counts), GPU_BUFFER(&m->blocks)};
	const gpu_arg emit[] = {GPU_VALUE(m->volume), GPU_BUFFER(&m->blocks), GPU_BUFFER(state), GPU_BUFFER(&s->counts),
		GPU_BUFFER(&s->flags), GPU_BUFFER(&m->table), GPU_BUFFER(&m->keys)};
	enm_result result = mark(s, queue, d, m, state);
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_count, GPU_RANGE_1D(chunks, 64), count, STAGE_COUNT(count));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_scan, GPU_RANGE_1D(64, 64), scan, STAGE_COUNT(scan));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_emit, GPU_RANGE_1D(chunks, 64), emit, STAGE_COUNT(emit));
	return result;
}
