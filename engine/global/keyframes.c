/* SPDX-License-Identifier: Apache-2.0 */
#include "global/keyframes.h"

#include <string.h>

#include "core/constants.h"
#include "pipeline/stage.h"

enm_k_level keyframes_grid(const enm_camera *camera, uint32_t across)
{
	const uint32_t by_width = camera->width / across, by_height = camera->height * 4 / (3 * across);
	const uint32_t stride = by_width < by_height ? by_width : by_height;
	return (enm_k_level){.stride = stride > 0 ? (int32_t)stride : 1};
}

_Static_assert(KEYFRAMES <= ENM_K_CANDIDATES, "each keyframe is a candidate");

static size_t map_bytes(const enm_camera *camera)
{
	const uint32_t stride = (uint32_t)keyframes_grid(camera, KEYFRAME_ACROSS).stride;
	return (size_t)(camera->width / stride) * (camera->height / stride) * 16;
}

uint64_t keyframes_bytes(const enm_session_def *def)
{
	return KEYFRAMES * (map_bytes(&def->camera) + sizeof(enm_k_keyframe)) +
	       ENM_K_CANDIDATES * sizeof(enm_k_candidate);
}

enm_result keyframes_create(gpu_budget *budget, const enm_session_def *def, keyframes_stage *out_stage)
{
	keyframes_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->grid = keyframes_grid(&def->camera, KEYFRAME_ACROSS);
	const stage_kernel kernels[] = {
		{&s->k_choose, "keyframe_choose",
			"float,float,uint,int,float4*,enm_k_track*,enm_k_keyframe*,enm_k_recovery*"},
		{&s->k_store, "keyframe_store", "enm_k_camera,enm_k_level,uint4*,enm_k_recovery*,uint4*"},
	};
	const stage_buffer buffers[] = {
		{&s->recovery, "recovery", sizeof(enm_k_recovery)},
		{&s->keyframes, "keyframes", KEYFRAMES * sizeof(enm_k_keyframe)},
		{&s->maps, "maps of keyframes", KEYFRAMES * map_bytes(&def->camera)},
	};
	enm_result result = stage_create_kernels(budget->device, "keyframe", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result != ENM_OK)
		keyframes_destroy(s);
	return result;
}

void keyframes_destroy(keyframes_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_choose, &s->k_store};
	gpu_buffer *buffers[] = {&s->recovery, &s->keyframes, &s->maps};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_result keyframes_clear(keyframes_stage *s, gpu_queue *queue)
{
	return gpu_fill(queue, &s->recovery, 0, 0, s->recovery.bytes);
}

enm_result keyframes_run(keyframes_stage *s, gpu_queue *queue, const depth_stage *d, const gpu_buffer *state)
{
	const float reach = KEYFRAME_REACH, reach_turn = KEYFRAME_REACH_RAD;
	const uint32_t slots = KEYFRAMES;
	const int tiles = (int)(d->tiles_x * d->tiles_y);
	const gpu_arg choose[] = {GPU_VALUE(reach), GPU_VALUE(reach_turn), GPU_VALUE(slots), GPU_VALUE(tiles),
		GPU_BUFFER(&d->tiles), GPU_BUFFER(state), GPU_BUFFER(&s->keyframes), GPU_BUFFER(&s->recovery)};
	const gpu_arg store[] = {GPU_VALUE(d->camera), GPU_VALUE(s->grid), GPU_BUFFER(&d->pixel_map),
		GPU_BUFFER(&s->recovery), GPU_BUFFER(&s->maps)};
	enm_result result = gpu_launch(
		queue, &s->k_choose, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), choose, STAGE_COUNT(choose));
	const size_t pixels = s->maps.bytes / 16 / KEYFRAMES;
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_store, GPU_RANGE_1D(pixels, 64), store, STAGE_COUNT(store));
	return result;
}
