/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/depth.h"

#include <string.h>

#include "core/constants.h"
#include "pipeline/stage.h"

enm_k_camera depth_camera_to_device(const enm_session_def *def)
{
	const enm_camera *c = &def->camera;
	const enm_depth_residual *r = &c->residual;
	const float mm_per_um = 0.001f;
	bool distorted = false;
	for (int i = 0; i < 5; i++)
		distorted = distorted || c->distortion[i] != 0.0;
	return (enm_k_camera){
		.fx = (float)c->fx,
		.fy = (float)c->fy,
		.cx = (float)c->cx,
		.cy = (float)c->cy,
		.k1 = (float)c->distortion[0],
		.k2 = (float)c->distortion[1],
		.p1 = (float)c->distortion[2],
		.p2 = (float)c->distortion[3],
		.k3 = (float)c->distortion[4],
		.depth_min_mm = (float)def->depth_min_mm,
		.depth_max_mm = (float)def->depth_max_mm,
		.mm_per_unit = (float)def->depth_mm_per_unit,
		.sigma_per_mm2 = (float)(def->depth_sigma_mm / (def->depth_sigma_at_mm * def->depth_sigma_at_mm)),
		.sigma_ref_mm = (float)def->depth_sigma_mm,
		.width = (int32_t)c->width,
		.height = (int32_t)c->height,
		.bow_mm = mm_per_um * r->bow_um,
		.astigmatism_mm = mm_per_um * r->astigmatism_um,
		.twist_mm = mm_per_um * r->twist_um,
		.tilt_x_mm = mm_per_um * r->tilt_x_um,
		.tilt_y_mm = mm_per_um * r->tilt_y_um,
		.constant_mm = mm_per_um * r->constant_um,
		.distorted = distorted,
		.rolling = def->row_time_s > 0.0 && def->tracker == ENM_TRACKER_FIELD,
	};
}

/* Bytes between what an input holds, so that each part begins as vector loads like it. */
#define INPUT_ALIGNMENT 64u

size_t depth_color_offset(const depth_stage *s, enm_depth_format format)
{
	size_t reading = format == ENM_DEPTH_U16 ? sizeof(uint16_t) : sizeof(float);
	size_t end = ENM_K_INPUT_DEPTH + s->pixels * reading;
	return (end + INPUT_ALIGNMENT - 1) / INPUT_ALIGNMENT * INPUT_ALIGNMENT;
}

size_t depth_input_bytes(const depth_stage *s, enm_depth_format format, bool has_color)
{
	return depth_color_offset(s, format) + (has_color ? 3 * (size_t)s->pixels : 0);
}

static enm_result create_kernels(gpu_device *device, depth_stage *s)
{
	const stage_kernel kernels[] = {
		{&s->k_rays, "depth_rays", "enm_k_camera,float2*"},
		{&s->k_prepare, "depth_prepare", "enm_k_camera,int,float2*,uchar*,uint4*,float4*"},
	};
	return stage_create_kernels(device, "depth", kernels, STAGE_COUNT(kernels));
}

static enm_result create_buffers(gpu_budget *budget, const enm_session_def *def, depth_stage *s)
{
	size_t input = depth_input_bytes(s, ENM_DEPTH_F32_MM, s->color);
	const stage_buffer buffers[] = {
		{&s->rays, "rays", (size_t)s->pixels * 8},
		{&s->input[0], "input", input},
		{&s->input[1], "input", input},
		{&s->input[DEPTH_INPUT_KEPT], "input of kept frames", def->recover ? input : 16},
		{&s->pixel_map, "pixel map", (size_t)s->pixels * 16},
		{&s->tiles, "depth tiles", (size_t)s->tiles_x * s->tiles_y * 16},
	};
	return stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
}

enm_result depth_create(gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, depth_stage *out_stage)
{
	depth_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->camera = depth_camera_to_device(def);
	s->color = def->color;
	s->pixels = def->camera.width * def->camera.height;
	s->tiles_x = (def->camera.width + DEPTH_TILE - 1) / DEPTH_TILE;
	s->tiles_y = (def->camera.height + DEPTH_TILE - 1) / DEPTH_TILE;
	s->lanes = gpu_device_get_lanes(budget->device);
	enm_result result = create_kernels(budget->device, s);
	if (result == ENM_OK)
		result = create_buffers(budget, def, s);
	if (result == ENM_OK) {
		const gpu_arg args[] = {GPU_VALUE(s->camera), GPU_BUFFER(&s->rays)};
		result = gpu_launch(
			queue, &s->k_rays, GPU_RANGE_2D(def->camera.width, def->camera.height, 64, 1), args, 2);
	}
	if (result != ENM_OK)
		depth_destroy(s);
	return result;
}

void depth_destroy(depth_stage *s)
{
	gpu_kernel_destroy(&s->k_rays);
	gpu_kernel_destroy(&s->k_prepare);
	gpu_buffer_destroy(&s->rays);
	for (int i = 0; i < DEPTH_INPUTS; i++)
		gpu_buffer_destroy(&s->input[i]);
	gpu_buffer_destroy(&s->pixel_map);
	gpu_buffer_destroy(&s->tiles);
}

enm_result depth_run(depth_stage *s, gpu_queue *queue, uint32_t slot, enm_depth_format format)
{
	/* a group of 64 items has a part of ENM_K_PART_COLUMNS x ENM_K_PART_ROWS pixels */
	const size_t row_items = ENM_K_PART_COLUMNS / s->lanes, rows = 64 / row_items;
	const size_t parts_x = ((size_t)s->camera.width + ENM_K_PART_COLUMNS - 1) / ENM_K_PART_COLUMNS;
	const size_t parts_y = ((size_t)s->camera.height + ENM_K_PART_ROWS - 1) / ENM_K_PART_ROWS;
	const int depth_format = format == ENM_DEPTH_U16 ? ENM_K_DEPTH_U16 : ENM_K_DEPTH_F32;
	const gpu_arg args[] = {GPU_VALUE(s->camera), GPU_VALUE(depth_format), GPU_BUFFER(&s->rays),
		GPU_BUFFER(&s->input[slot]), GPU_BUFFER(&s->pixel_map), GPU_BUFFER(&s->tiles)};
	return gpu_launch(queue, &s->k_prepare, GPU_RANGE_2D(parts_x * row_items, parts_y * rows, row_items, rows), args,
		STAGE_COUNT(args));
}
