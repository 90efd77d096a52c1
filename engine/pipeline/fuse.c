/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/fuse.h"

#include <string.h>

#include "core/constants.h"
#include "pipeline/stage.h"

static void destroy_lists(fuse_stage *s)
{
	gpu_buffer_destroy(&s->visible);
	gpu_buffer_destroy(&s->counts);
	gpu_buffer_destroy(&s->list);
}

static enm_result create_lists(gpu_budget *budget, const model *m, fuse_stage *s)
{
	size_t capacity = m->volume.capacity;
	const stage_buffer buffers[] = {
		{&s->visible, "visible blocks", capacity},
		{&s->counts, "visible counts", (capacity / ENM_K_SELECT_CHUNK + 1) * 4},
		{&s->list, "blocks in view", capacity * 4},
	};
	return stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
}

enm_result fuse_create(gpu_budget *budget, const model *m, fuse_stage *out_stage)
{
	fuse_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->groups = gpu_device_is_cpu(budget->device) ? 16 * (size_t)gpu_device_get_info(budget->device)->compute_units
						      : 4096;
	const stage_kernel kernels[] = {
		{&s->k_count, "fuse_select_count",
			"enm_k_camera,enm_k_volume,int,float4*,enm_k_track*,enm_k_blocks*,uint*,uchar*,uint*"},
		{&s->k_scan, "fuse_select_scan", "enm_k_track*,enm_k_blocks*,uint*"},
		{&s->k_emit, "fuse_select_emit", "enm_k_track*,enm_k_blocks*,uchar*,uint*,uint*"},
		{&s->k_integrate, "fuse_integrate",
			"enm_k_camera,enm_k_volume,int,float2*,float*,float4*,uchar*,enm_k_track*,enm_k_blocks*,uint*,"
			"uint*,uint*"},
	};
	enm_result result = stage_create_kernels(budget->device, "fuse", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = create_lists(budget, m, s);
	if (result != ENM_OK)
		fuse_destroy(s);
	return result;
}

void fuse_destroy(fuse_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_count, &s->k_scan, &s->k_emit, &s->k_integrate};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	destroy_lists(s);
}

enm_result fuse_resize(fuse_stage *s, gpu_budget *budget, const model *m)
{
	if (s->list.bytes == (size_t)m->volume.capacity * 4) /* the last one made */
		return ENM_OK;
	destroy_lists(s);
	return create_lists(budget, m, s);
}

static enm_result select_blocks(
	fuse_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const int tile = DEPTH_TILE;
	const size_t chunks = m->volume.capacity / ENM_K_SELECT_CHUNK + 1;
	const gpu_arg count[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(tile), GPU_BUFFER(&d->tiles),
		GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(&s->visible),
		GPU_BUFFER(&s->counts)};
	const gpu_arg scan[] = {GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->counts)};
	const gpu_arg emit[] = {GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->visible),
		GPU_BUFFER(&s->counts), GPU_BUFFER(&s->list)};
	enm_result result = gpu_launch(queue, &s->k_count, GPU_RANGE_1D(chunks, 64), count, STAGE_COUNT(count));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_scan, GPU_RANGE_1D(64, 64), scan, STAGE_COUNT(scan));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_emit, GPU_RANGE_1D(chunks, 64), emit, STAGE_COUNT(emit));
	return result;
}

enm_result fuse_run(
	fuse_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state, bool has_color)
{
	enm_result result = select_blocks(s, queue, d, m, state);
	if (result != ENM_OK)
		return result;
	const int with_color = has_color ? 1 : 0;
	const gpu_arg integrate[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(with_color),
		GPU_BUFFER(&d->rays), GPU_BUFFER(&d->filtered), GPU_BUFFER(&d->normals), GPU_BUFFER(&d->color),
		GPU_BUFFER(state), GPU_BUFFER(&m->blocks), GPU_BUFFER(&s->list), GPU_BUFFER(&m->keys),
		GPU_BUFFER(&m->voxels)};
	return gpu_launch(queue, &s->k_integrate, GPU_RANGE_1D(64 * s->groups, 64), integrate, STAGE_COUNT(integrate));
}
