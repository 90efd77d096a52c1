/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/fuse.h"

#include <string.h>

#include "core/constants.h"
#include "pipeline/stage.h"

static void destroy_lists(fuse_stage *s)
{
	gpu_buffer_destroy(&s->boxes);
	gpu_buffer_destroy(&s->visible);
	gpu_buffer_destroy(&s->list);
}

static size_t chunks_of(const model *m)
{
	return m->volume.capacity / ENM_K_SELECT_CHUNK + 1;
}

static enm_result create_lists(gpu_budget *budget, gpu_queue *queue, const model *m, fuse_stage *s)
{
	const stage_buffer buffers[] = {
		{&s->boxes, "boxes of chunks", chunks_of(m) * 32},
		{&s->visible, "visible blocks", chunks_of(m) * 8},
		{&s->list, "blocks in view", (size_t)m->volume.capacity * 4},
	};
	enm_result result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	return result == ENM_OK ? fuse_clear(s, queue) : result;
}

enm_result fuse_clear(fuse_stage *s, gpu_queue *queue)
{
	return gpu_fill(queue, &s->boxes, 0, 0, s->boxes.bytes);
}

enm_result fuse_create(gpu_budget *budget, gpu_queue *queue, const model *m, fuse_stage *out_stage)
{
	fuse_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->groups = (size_t)gpu_tuning_get(budget->device, GPU_TUNING_FUSE_GROUPS) *
		    gpu_device_get_info(budget->device)->compute_units;
	s->group_chunks = gpu_tuning_get(budget->device, GPU_TUNING_SELECT_CHUNKS);
	const char *integrate = "enm_k_camera,enm_k_volume,uint,uint4*,uchar*,enm_k_track*,enm_k_blocks*,uint*,uint*,uint*,uint*";
	const stage_kernel kernels[] = {
		{&s->k_select, "fuse_select",
			"enm_k_camera,enm_k_volume,uint,float2*,float4*,uint4*,enm_k_track*,enm_k_blocks*,uint*,int4*,"
			"uint*"},
		{&s->k_list, "fuse_list", "enm_k_track*,enm_k_blocks*,uint*,uint*"},
		{&s->k_integrate, "fuse_integrate", integrate},
		{&s->k_integrate_rolling, "fuse_integrate_rolling", integrate},
		{&s->k_forget, "fuse_forget", "enm_k_volume,enm_k_track*,enm_k_blocks*,uint*,uint*,uint*"},
	};
	enm_result result = stage_create_kernels(budget->device, "fuse", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = create_lists(budget, queue, m, s);
	if (result != ENM_OK)
		fuse_destroy(s);
	return result;
}

void fuse_destroy(fuse_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_select, &s->k_list, &s->k_integrate, &s->k_integrate_rolling, &s->k_forget};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	destroy_lists(s);
}

enm_result fuse_resize(fuse_stage *s, gpu_budget *budget, gpu_queue *queue, const model *m)
{
	if (s->list.bytes == (size_t)m->volume.capacity * 4) /* the last one made */
		return ENM_OK;
	destroy_lists(s);
	return create_lists(budget, queue, m, s);
}

static enm_result select_blocks(
	fuse_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const size_t groups = chunks_of(m) / s->group_chunks + 1;
	const gpu_arg select[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->group_chunks),
		GPU_BUFFER(&d->rays), GPU_BUFFER(&d->tiles),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(&s->boxes),
		GPU_BUFFER(&s->visible)};
	const gpu_arg list[] = {
		GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->visible), GPU_BUFFER(&s->list)};
	enm_result result = gpu_launch(queue, &s->k_select,
		GPU_RANGE_1D(groups * ENM_K_SELECT_CHUNK, ENM_K_SELECT_CHUNK), select, STAGE_COUNT(select));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_list, GPU_RANGE_1D(256, 256), list, STAGE_COUNT(list));
	return result;
}

enm_result fuse_run(fuse_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state,
	uint32_t slot, size_t color_offset)
{
	enm_result result = select_blocks(s, queue, d, m, state);
	if (result != ENM_OK)
		return result;
	const uint32_t offset = (uint32_t)color_offset;
	const gpu_arg integrate[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(offset),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&d->input[slot]), GPU_BUFFER(state), GPU_BUFFER(&m->blocks),
		GPU_BUFFER(&s->list), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->voxels), GPU_BUFFER(&m->changed)};
	gpu_kernel *kernel = d->camera.rolling ? &s->k_integrate_rolling : &s->k_integrate;
	return gpu_launch(queue, kernel, GPU_RANGE_1D(64 * s->groups, 64), integrate, STAGE_COUNT(integrate));
}

enm_result fuse_forget(fuse_stage *s, gpu_queue *queue, const model *m, const gpu_buffer *state)
{
	const gpu_arg args[] = {GPU_VALUE(m->volume), GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys),
		GPU_BUFFER(&m->voxels), GPU_BUFFER(&m->changed)};
	return gpu_launch(queue, &s->k_forget, GPU_RANGE_1D(64 * s->groups, 64), args, STAGE_COUNT(args));
}
