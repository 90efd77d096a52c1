/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/allocate.h"

#include <string.h>

#include "pipeline/stage.h"

/* Readings across the picture that ask for blocks. Half as many miss blocks at the rim of what is seen, which come some frames later
 * then: poses near the rim moved by it. */
#define READINGS_ACROSS 160u

enm_result allocate_create(gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, const model *m,
	allocate_stage *out_stage)
{
	allocate_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->mark_stride = def->camera.width > READINGS_ACROSS ? (int)(def->camera.width / READINGS_ACROSS) : 1;
	const stage_kernel kernels[] = {
		{&s->k_box, "allocate_box", "enm_k_camera,enm_k_volume,float2*,float4*,enm_k_track*,enm_k_blocks*"},
		{&s->k_mark, "allocate_mark",
			"enm_k_camera,enm_k_volume,int,float2*,uint4*,enm_k_track*,uint2*,enm_k_blocks*,uchar*"},
		{&s->k_number, "allocate_number", "enm_k_volume,uint4*,enm_k_blocks*,uint*,uint*"},
	};
	const stage_buffer buffers[] = {{&s->flags, "allocation grid", m->volume.grid_capacity}};
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
	gpu_kernel *kernels[] = {&s->k_box, &s->k_mark, &s->k_number};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	gpu_buffer_destroy(&s->flags);
}

enm_result allocate_run(
	allocate_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const size_t columns = (size_t)(d->camera.width + s->mark_stride - 1) / (size_t)s->mark_stride;
	const size_t rows = (size_t)(d->camera.height + s->mark_stride - 1) / (size_t)s->mark_stride;
	const gpu_arg box[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_BUFFER(&d->rays), GPU_BUFFER(&d->tiles),
		GPU_BUFFER(state), GPU_BUFFER(&m->blocks)};
	const gpu_arg mark[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->mark_stride),
		GPU_BUFFER(&d->rays), GPU_BUFFER(&d->pixel_map), GPU_BUFFER(state), GPU_BUFFER(&m->table),
		GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->flags)};
	const gpu_arg number[] = {GPU_VALUE(m->volume), GPU_BUFFER(&s->flags), GPU_BUFFER(&m->blocks),
		GPU_BUFFER(&m->table), GPU_BUFFER(&m->keys)};
	enm_result result = gpu_launch(queue, &s->k_box, GPU_RANGE_1D(64, 64), box, STAGE_COUNT(box));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_mark, GPU_RANGE_2D(columns, rows, 32, 2), mark, STAGE_COUNT(mark));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_number, GPU_RANGE_1D(256, 256), number, STAGE_COUNT(number));
	return result;
}
