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
	};
}

static enm_result create_kernels(gpu_device *device, depth_stage *s)
{
	const stage_kernel kernels[] = {
		{&s->k_rays, "depth_rays", "enm_k_camera,float2*"},
		{&s->k_from_u16, "depth_from_u16", "enm_k_camera,ushort*,float*"},
		{&s->k_from_f32, "depth_from_f32", "enm_k_camera,float*,float*"},
		{&s->k_fit, "depth_fit", "enm_k_camera,float2*,float*,float*,float4*"},
		{&s->k_tiles, "depth_tiles", "enm_k_camera,int,float*,float4*"},
	};
	return stage_create_kernels(device, "depth", kernels, STAGE_COUNT(kernels));
}

static enm_result create_buffers(gpu_budget *budget, bool color, depth_stage *s)
{
	size_t n = s->pixels;
	const stage_buffer buffers[] = {
		{&s->rays, "rays", n * 8},
		{&s->raw, "raw depth", n * 4},
		{&s->color, "colour", color ? n * 3 : 4},
		{&s->depth, "depth", n * 4},
		{&s->filtered, "filtered depth", n * 4},
		{&s->normals, "normals", n * 16},
		{&s->tiles, "depth tiles", (size_t)s->tiles_x * s->tiles_y * 16},
	};
	return stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
}

enm_result depth_create(gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, depth_stage *out_stage)
{
	depth_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->camera = depth_camera_to_device(def);
	s->pixels = def->camera.width * def->camera.height;
	s->tiles_x = (def->camera.width + DEPTH_TILE - 1) / DEPTH_TILE;
	s->tiles_y = (def->camera.height + DEPTH_TILE - 1) / DEPTH_TILE;
	enm_result result = create_kernels(budget->device, s);
	if (result == ENM_OK)
		result = create_buffers(budget, def->color, s);
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
	gpu_kernel *kernels[] = {&s->k_rays, &s->k_from_u16, &s->k_from_f32, &s->k_fit, &s->k_tiles};
	gpu_buffer *buffers[] = {&s->rays, &s->raw, &s->color, &s->depth, &s->filtered, &s->normals, &s->tiles};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_result depth_run(depth_stage *s, gpu_queue *queue, enm_depth_format format)
{
	const gpu_range whole = GPU_RANGE_2D((size_t)s->camera.width, (size_t)s->camera.height, 64, 1);
	const gpu_arg convert[] = {GPU_VALUE(s->camera), GPU_BUFFER(&s->raw), GPU_BUFFER(&s->depth)};
	enm_result result =
		gpu_launch(queue, format == ENM_DEPTH_U16 ? &s->k_from_u16 : &s->k_from_f32, whole, convert, 3);
	if (result != ENM_OK)
		return result;
	const gpu_arg fit[] = {GPU_VALUE(s->camera), GPU_BUFFER(&s->rays), GPU_BUFFER(&s->depth),
		GPU_BUFFER(&s->filtered), GPU_BUFFER(&s->normals)};
	result = gpu_launch(queue, &s->k_fit, whole, fit, 5);
	if (result != ENM_OK)
		return result;
	const int tile = DEPTH_TILE;
	const gpu_arg tiles[] = {
		GPU_VALUE(s->camera), GPU_VALUE(tile), GPU_BUFFER(&s->filtered), GPU_BUFFER(&s->tiles)};
	return gpu_launch(queue, &s->k_tiles, GPU_RANGE_2D(s->tiles_x, s->tiles_y, 8, 8), tiles, 4);
}
