/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/track.h"

#include <string.h>

#include "core/constants.h"
#include "core/pose.h"
#include "pipeline/stage.h"

/* Samples across the picture per level, and how the gate closes. Measured on bench/accuracy.sh. */
static void set_levels(const enm_session_def *def, track_stage *s)
{
	const uint32_t across[TRACK_LEVELS] = {80, 160};
	const float gate_start[TRACK_LEVELS] = {1.0f, 0.6f};   /* truncations */
	const float gate_floor[TRACK_LEVELS] = {1.5f, 0.8f};   /* voxels */
	const float step_done[TRACK_LEVELS] = {0.02f, 0.003f}; /* voxels */
	const uint32_t steps[TRACK_LEVELS] = {6, 8};
	for (int i = 0; i < TRACK_LEVELS; i++) {
		const uint32_t by_width = def->camera.width / across[i],
			       by_height = def->camera.height * 4 / (3 * across[i]);
		const uint32_t stride = by_width < by_height ? by_width : by_height;
		s->levels[i] = (enm_k_level){
			.stride = stride > 0 ? (int32_t)stride : 1,
			.gate_start_mm = gate_start[i] * (float)def->truncation_mm,
			.gate_floor_mm = gate_floor[i] * (float)def->voxel_mm,
			.step_done = step_done[i],
			.index = i,
			.prior_sigma_mm = (float)def->truncation_mm,
		};
		s->steps[i] = steps[i];
	}
}

/* Every fifth pixel of 320x240: every second sample of the shape, farther apart where a part of the picture would have too many. */
static int32_t choose_color_stride(const enm_camera *camera, int32_t fine)
{
	const uint32_t parts_x = ENM_K_COLOR_PARTS_X, parts_y = ENM_K_COLOR_PARTS_Y;
	uint32_t stride = 2 * (uint32_t)fine, count = 0;
	do {
		const uint32_t columns = (camera->width / stride + parts_x - 1) / parts_x,
			       rows = (camera->height / stride + parts_y - 1) / parts_y;
		count = columns * rows;
	} while (count > ENM_K_COLOR_SAMPLES && ++stride);
	return (int32_t)stride;
}

enm_result track_create(gpu_budget *budget, const enm_session_def *def, track_stage *out_stage)
{
	track_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->tracker = def->tracker;
	s->readings_min = (uint32_t)(READINGS_MIN_SHARE * def->camera.width * def->camera.height);
	s->pivot_guess_mm = (float)def->depth_sigma_at_mm;
	/* a raycast's sums know of no rows */
	if (def->tracker == ENM_TRACKER_FIELD)
		s->half_exposure_s = 0.5f * (float)(def->row_time_s * (def->camera.height - 1));
	set_levels(def, s);
	s->color_stride = choose_color_stride(&def->camera, s->levels[TRACK_LEVELS - 1].stride);
	const stage_kernel solving[] = {
		{&s->k_predict, "track_predict", "enm_k_track*,enm_k_input*,float,float"},
		{&s->k_step, "track_step", "enm_k_level,float,float,float,int,int,int,float8*,float8*,enm_k_track*"},
	};
	const stage_kernel residuals[] = {
		{&s->k_sum_field, s->half_exposure_s > 0.0f ? "track_sum_field_rolling" : "track_sum_field",
			"enm_k_camera,enm_k_volume,enm_k_level,float2*,uint4*,uint2*,uint*,enm_k_track*,float8*"},
		{&s->k_sum_fixed, "track_sum_fixed",
			"enm_k_camera,enm_k_volume,enm_k_level,float2*,uint4*,uint2*,uint*,enm_k_track*,float8*"},
		{&s->k_sum_raycast, "track_sum_raycast",
			"enm_k_camera,enm_k_level,int,int,float2*,uint4*,float4*,void*,enm_k_track*,float8*"},
	};
	const stage_kernel colors[] = {
		{&s->k_need_color, "track_need_color", "enm_k_level,float8*,enm_k_track*"},
		{&s->k_sum_color, "track_sum_color",
			"enm_k_camera,enm_k_volume,enm_k_level,int,uint,float2*,uint4*,uchar*,uint2*,uint*,enm_k_track*,float8*"},
	};
	const stage_buffer buffers[] = {
		{&s->state, "track state", sizeof(enm_k_track)},
		{&s->partials, "track partial sums", sizeof(float) * ENM_K_SUMS_ROLLING * ENM_K_PARTIALS},
		{&s->sums, "track sums", sizeof(float) * ENM_K_SUMS},
	};
	const stage_kernel alone[] = {{&s->k_alone, "track_alone", "enm_k_camera,enm_k_level,float2*,uint4*,float8*,enm_k_track*"}};
	enm_result result = stage_create_kernels(budget->device, "track", solving, STAGE_COUNT(solving));
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "residuals", residuals, STAGE_COUNT(residuals));
	if (result == ENM_OK && def->color)
		result = stage_create_kernels(budget->device, "color", colors, STAGE_COUNT(colors));
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "alone", alone, STAGE_COUNT(alone));
	if (result == ENM_OK)
		result = gpu_kernel_create(budget->device, "gate", "track_gate",
			"float,float,float,float,uint,int,float4*,float*,enm_k_track*", &s->k_gate);
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result != ENM_OK)
		track_destroy(s);
	return result;
}

void track_destroy(track_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_predict, &s->k_sum_field, &s->k_sum_fixed, &s->k_sum_raycast, &s->k_need_color, &s->k_sum_color,
		&s->k_step, &s->k_gate, &s->k_alone};
	gpu_buffer *buffers[] = {&s->state, &s->partials, &s->sums};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_k_track track_start_state(const enm_pose *start_world_from_camera)
{
	enm_k_track state;
	memset(&state, 0, sizeof(state));
	state.last = pose_to_device(start_world_from_camera);
	state.predicted = state.world_from_camera = state.last;
	return state;
}

enm_result track_reset(track_stage *s, gpu_queue *queue, const enm_k_track *start)
{
	enm_result result = gpu_write(queue, &s->state, 0, start, sizeof(*start), NULL);
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->sums, 0, 0, s->sums.bytes);
	return result;
}

/* `checked`: what noise adds to the matrix is found too. */
static enm_result sum_residuals(track_stage *s, gpu_queue *queue, const depth_stage *d, const model *m,
	const view_stage *v, const enm_k_level *level, bool checked)
{
	const gpu_range range = GPU_RANGE_1D(ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP);
	if (s->tracker == ENM_TRACKER_RAYCAST) {
		const int stride = v->stride, halves = v->halves;
		const gpu_arg args[] = {GPU_VALUE(d->camera), GPU_VALUE(*level), GPU_VALUE(stride), GPU_VALUE(halves),
			GPU_BUFFER(&d->rays), GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&v->points),
			GPU_BUFFER(&v->normals), GPU_BUFFER(&s->state), GPU_BUFFER(&s->partials)};
		return gpu_launch(queue, &s->k_sum_raycast, range, args, STAGE_COUNT(args));
	}
	const gpu_arg args[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(*level), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels),
		GPU_BUFFER(&s->state), GPU_BUFFER(&s->partials)};
	enm_result result = gpu_launch(queue, &s->k_sum_field, range, args, STAGE_COUNT(args));
	if (result == ENM_OK && checked)
		result = gpu_launch(queue, &s->k_sum_fixed, range, args, STAGE_COUNT(args));
	return result;
}

/* `first`: before the first step of a level. */
static enm_result sum_colors(track_stage *s, gpu_queue *queue, const depth_stage *d, const model *m,
	const enm_k_level *level, bool first, uint32_t slot, size_t color_offset)
{
	const uint32_t offset = (uint32_t)color_offset;
	const gpu_arg need[] = {GPU_VALUE(*level), GPU_BUFFER(&s->partials), GPU_BUFFER(&s->state)};
	const gpu_arg args[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(*level),
		GPU_VALUE(s->color_stride), GPU_VALUE(offset), GPU_BUFFER(&d->rays), GPU_BUFFER(&d->pixel_map),
		GPU_BUFFER(&d->input[slot]), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->state),
		GPU_BUFFER(&s->partials)};
	enm_result result = ENM_OK;
	if (first)
		result = gpu_launch(queue, &s->k_need_color, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), need,
			STAGE_COUNT(need));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_sum_color,
			GPU_RANGE_1D(ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args,
			STAGE_COUNT(args));
	return result;
}

static enm_result align(track_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const view_stage *v,
	uint32_t slot, size_t color_offset)
{
	enm_result result = ENM_OK;
	for (int i = 0; i < TRACK_LEVELS; i++) {
		const enm_k_level *level = &s->levels[i];
		for (uint32_t n = 0; n < s->steps[i] && result == ENM_OK; n++) {
			const int first = n == 0, color = color_offset != 0;
			const int checked = first && i == TRACK_LEVELS - 1 && s->tracker == ENM_TRACKER_FIELD;
			const gpu_arg step[] = {GPU_VALUE(*level), GPU_VALUE(m->volume.voxel_mm),
				GPU_VALUE(d->camera.sigma_ref_mm), GPU_VALUE(s->half_exposure_s), GPU_VALUE(first), GPU_VALUE(checked), GPU_VALUE(color),
				GPU_BUFFER(&s->partials), GPU_BUFFER(&s->sums), GPU_BUFFER(&s->state)};
			result = sum_residuals(s, queue, d, m, v, level, checked);
			if (result == ENM_OK && color)
				result = sum_colors(s, queue, d, m, level, first, slot, color_offset);
			if (result == ENM_OK)
				result = gpu_launch(queue, &s->k_step,
					GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), step, STAGE_COUNT(step));
		}
	}
	return result;
}

enm_result track_predict(track_stage *s, gpu_queue *queue, const depth_stage *d, uint32_t slot)
{
	const gpu_arg predict[] = {GPU_BUFFER(&s->state), GPU_BUFFER(&d->input[slot]), GPU_VALUE(s->pivot_guess_mm),
		GPU_VALUE(s->half_exposure_s)};
	return gpu_launch(queue, &s->k_predict, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), predict, STAGE_COUNT(predict));
}

enm_result track_align(track_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const view_stage *v,
	uint32_t slot, size_t color_offset)
{
	enm_result result = align(s, queue, d, m, v, slot, color_offset);
	if (result != ENM_OK)
		return result;
	const int tiles = (int)(d->tiles_x * d->tiles_y);
	const gpu_arg gate[] = {GPU_VALUE(m->volume.voxel_mm), GPU_VALUE(d->camera.sigma_ref_mm), GPU_VALUE(d->camera.sigma_per_mm2),
		GPU_VALUE(s->half_exposure_s), GPU_VALUE(s->readings_min), GPU_VALUE(tiles), GPU_BUFFER(&d->tiles), GPU_BUFFER(&s->sums),
		GPU_BUFFER(&s->state)};
	result = gpu_launch(queue, &s->k_gate, GPU_RANGE_1D(64, 64), gate, STAGE_COUNT(gate));
	const gpu_arg alone[] = {GPU_VALUE(d->camera), GPU_VALUE(s->levels[0]), GPU_BUFFER(&d->rays), GPU_BUFFER(&d->pixel_map),
		GPU_BUFFER(&s->partials), GPU_BUFFER(&s->state)};
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_alone, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), alone, STAGE_COUNT(alone));
	return result;
}

enm_result track_run(
	track_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const view_stage *v, uint32_t slot,
	size_t color_offset)
{
	enm_result result = track_predict(s, queue, d, slot);
	return result == ENM_OK ? track_align(s, queue, d, m, v, slot, color_offset) : result;
}
