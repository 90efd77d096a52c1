/* SPDX-License-Identifier: Apache-2.0 */
#include "global/relocate.h"

#include <math.h>
#include <string.h>

#include "core/constants.h"
#include "pipeline/stage.h"

static void set_levels(const enm_session_def *def, relocate_stage *s)
{
	s->find = keyframes_grid(&def->camera, RELOCATE_FIND_ACROSS);
	s->refine = keyframes_grid(&def->camera, RELOCATE_ALIGN_ACROSS);
	s->judge = keyframes_grid(&def->camera, RELOCATE_JUDGE_ACROSS);
	s->refine.gate_start_mm = (float)def->truncation_mm;
	s->refine.step_done = 0.02f;
	s->readings_min = (uint32_t)(RELOCATE_READINGS_SHARE * def->camera.width * def->camera.height);
}

enm_result relocate_create(gpu_budget *budget, const enm_session_def *def, relocate_stage *out_stage)
{
	relocate_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	set_levels(def, s);
	const stage_kernel kernels[] = {
		{&s->k_begin, "relocate_begin", "uint,int,float4*,enm_k_track*,enm_k_keyframe*,enm_k_recovery*"},
		{&s->k_find, "relocate_find",
			"enm_k_camera,enm_k_level,enm_k_level,float2*,uint4*,enm_k_recovery*,enm_k_keyframe*,uint4*,"
			"enm_k_candidate*"},
		{&s->k_pick, "relocate_pick", "enm_k_recovery*,enm_k_candidate*,enm_k_candidate*"},
	};
	const stage_kernel placing[] = {
		{&s->k_rate, "place_rate",
			"enm_k_camera,enm_k_volume,enm_k_level,float2*,uint4*,uint2*,uint*,enm_k_recovery*,enm_k_candidate*"},
		{&s->k_refine, "place_refine",
			"enm_k_camera,enm_k_volume,enm_k_level,enm_k_level,float2*,uint4*,uint2*,uint*,enm_k_recovery*,"
			"enm_k_candidate*"},
	};
	const stage_kernel judging[] = {
		{&s->k_judge, "place_judge", "float,float,enm_k_candidate*,enm_k_track*,enm_k_recovery*"},
	};
	const stage_buffer buffers[] = {
		{&s->candidates, "candidates", ENM_K_CANDIDATES * sizeof(enm_k_candidate)},
		{&s->picks, "picked candidates", ENM_K_PICKS * sizeof(enm_k_candidate)},
	};
	enm_result result = stage_create_kernels(budget->device, "relocate", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "place", placing, STAGE_COUNT(placing));
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "judge", judging, STAGE_COUNT(judging));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result != ENM_OK)
		relocate_destroy(s);
	return result;
}

void relocate_destroy(relocate_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_begin, &s->k_find, &s->k_rate, &s->k_pick, &s->k_refine, &s->k_judge};
	gpu_buffer *buffers[] = {&s->candidates, &s->picks};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

static enm_result find(relocate_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const keyframes_stage *k)
{
	const gpu_arg args[] = {GPU_VALUE(d->camera), GPU_VALUE(k->grid), GPU_VALUE(s->find), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&k->recovery), GPU_BUFFER(&k->keyframes), GPU_BUFFER(&k->maps),
		GPU_BUFFER(&s->candidates)};
	const gpu_arg rate[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->find), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&k->recovery),
		GPU_BUFFER(&s->candidates)};
	const gpu_arg pick[] = {GPU_BUFFER(&k->recovery), GPU_BUFFER(&s->candidates), GPU_BUFFER(&s->picks)};
	const gpu_range each = GPU_RANGE_1D((size_t)ENM_K_CANDIDATES * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP);
	enm_result result = gpu_launch(queue, &s->k_find, each, args, STAGE_COUNT(args));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_rate, each, rate, STAGE_COUNT(rate));
	if (result == ENM_OK)
		result = gpu_launch(
			queue, &s->k_pick, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), pick, STAGE_COUNT(pick));
	return result;
}

enm_result relocate_run(relocate_stage *s, gpu_queue *queue, const depth_stage *d, const model *m,
	const keyframes_stage *k, const track_stage *track)
{
	const int tiles = (int)(d->tiles_x * d->tiles_y);
	const gpu_arg begin[] = {GPU_VALUE(s->readings_min), GPU_VALUE(tiles), GPU_BUFFER(&d->tiles),
		GPU_BUFFER(&track->state), GPU_BUFFER(&k->keyframes), GPU_BUFFER(&k->recovery)};
	const gpu_arg refine[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->refine), GPU_VALUE(s->judge),
		GPU_BUFFER(&d->rays), GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels),
		GPU_BUFFER(&k->recovery), GPU_BUFFER(&s->picks)};
	const gpu_arg judge[] = {GPU_VALUE(m->volume.voxel_mm), GPU_VALUE(d->camera.sigma_per_mm2),
		GPU_BUFFER(&s->picks), GPU_BUFFER(&track->state), GPU_BUFFER(&k->recovery)};
	enm_result result = gpu_launch(
		queue, &s->k_begin, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), begin, STAGE_COUNT(begin));
	if (result == ENM_OK)
		result = find(s, queue, d, m, k);
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_refine,
			GPU_RANGE_1D(ENM_K_PICKS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), refine, STAGE_COUNT(refine));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_judge, GPU_RANGE_1D(1, 1), judge, STAGE_COUNT(judge));
	return result;
}
