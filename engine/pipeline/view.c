/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/view.h"

#include <math.h>
#include <string.h>

#include "core/constants.h"
#include "core/picture.h"
#include "pipeline/stage.h"

static uint32_t tiles(uint32_t pixels)
{
	return (pixels + VIEW_TILE - 1) / VIEW_TILE;
}

/* A work-item casts the rays of `lanes` neighbours in a row (kernels/cast.h: one on GPUs). */
static size_t items(const view_stage *s, uint32_t width)
{
	return (width + s->lanes - 1) / s->lanes;
}

static size_t range_bytes(uint32_t width, uint32_t height)
{
	return (size_t)tiles(width) * tiles(height) * 8;
}

static enm_result create_points(gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, view_stage *s)
{
	const uint32_t by_width = def->camera.width / 160, by_height = def->camera.height / 120;
	const uint32_t stride = by_width < by_height ? by_width : by_height;
	s->stride = stride > 0 ? (int)stride : 1;
	s->width = def->camera.width / (uint32_t)s->stride;
	s->height = def->camera.height / (uint32_t)s->stride;
	const size_t bytes = (size_t)s->width * s->height * 16;
	const stage_buffer buffers[] = {
		{&s->points, "raycast points", bytes},
		{&s->normals, "raycast normals", s->halves ? bytes / 2 : bytes},
		{&s->range, "raycast range", range_bytes(s->width, s->height)},
	};
	enm_result result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result == ENM_OK)
		result = gpu_fill(queue, &s->points, 0, 0, bytes);
	return result;
}

enm_result view_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, bool halves, view_stage *out_stage)
{
	view_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->halves = halves;
	s->lanes = gpu_device_get_info(budget->device)->kind == ENM_DEVICE_CPU ? gpu_device_get_lanes(budget->device) : 1;
	s->sigma_ref_mm = (float)def->depth_sigma_mm;
	const stage_kernel kernels[] = {
		{&s->k_clear, "view_range_clear", "enm_k_view,int*"},
		{&s->k_range, "view_range", "enm_k_view,enm_k_volume,int,enm_k_track*,enm_k_blocks*,uint*,int*"},
		{&s->k_points, "view_points",
			"enm_k_view,enm_k_volume,enm_k_camera,int,int,float2*,enm_k_track*,int*,uint2*,uint*,float4*"
			",void*"},
		{&s->k_picture, "view_picture", "enm_k_view,enm_k_volume,int*,uint2*,uint*,uint*"},
		{&s->k_hit, "view_hit", "enm_k_view,enm_k_volume,int*,uint2*,uint*,enm_k_hit*"},
	};
	enm_result result = stage_create_kernels(budget->device, "view", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK && def->tracker == ENM_TRACKER_RAYCAST)
		result = create_points(budget, queue, def, s);
	if (result != ENM_OK)
		view_destroy(s);
	return result;
}

void view_destroy(view_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_clear, &s->k_range, &s->k_points, &s->k_picture, &s->k_hit};
	gpu_buffer *buffers[] = {&s->points, &s->normals, &s->range, &s->picture_range, &s->picture};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

static enm_result run_range(view_stage *s, gpu_queue *queue, const enm_k_view *view, int follow, const model *m,
	const gpu_buffer *state, const gpu_buffer *out_range)
{
	const gpu_arg clear[] = {GPU_VALUE(*view), GPU_BUFFER(out_range)};
	const gpu_arg range[] = {GPU_VALUE(*view), GPU_VALUE(m->volume), GPU_VALUE(follow), GPU_BUFFER(state),
		GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(out_range)};
	enm_result result = gpu_launch(queue, &s->k_clear,
		GPU_RANGE_1D((size_t)view->tiles_x * (size_t)view->tiles_y, 64), clear, STAGE_COUNT(clear));
	if (result == ENM_OK)
		result =
			gpu_launch(queue, &s->k_range, GPU_RANGE_1D(m->volume.capacity, 64), range, STAGE_COUNT(range));
	return result;
}

enm_result view_follow(view_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const float stride = (float)s->stride;
	const int halves = s->halves;
	const enm_k_view view = {
		.focal = fmaxf(d->camera.fx, d->camera.fy) / stride,
		.cx = d->camera.cx / stride,
		.cy = d->camera.cy / stride,
		.near_mm = 0.5f * d->camera.depth_min_mm,
		.far_mm = 2.0f * d->camera.depth_max_mm,
		.width = (int)s->width,
		.height = (int)s->height,
		.tile = VIEW_TILE,
		.tiles_x = (int)tiles(s->width),
		.tiles_y = (int)tiles(s->height),
	};
	enm_result result = run_range(s, queue, &view, 1, m, state, &s->range);
	const gpu_arg points[] = {GPU_VALUE(view), GPU_VALUE(m->volume), GPU_VALUE(d->camera), GPU_VALUE(s->stride),
		GPU_VALUE(halves), GPU_BUFFER(&d->rays), GPU_BUFFER(state), GPU_BUFFER(&s->range),
		GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->points), GPU_BUFFER(&s->normals)};
	if (result == ENM_OK)
		result = gpu_launch(
			queue, &s->k_points, GPU_RANGE_2D(items(s, s->width), s->height, 8, 8), points, STAGE_COUNT(points));
	return result;
}

void view_drop_picture(view_stage *s)
{
	gpu_buffer_destroy(&s->picture_range);
	gpu_buffer_destroy(&s->picture);
}

/* Makes room for a picture's range and `bytes` of output, and bounds the rays. */
static enm_result prepare(view_stage *s, gpu_budget *budget, gpu_queue *queue, const enm_k_view *view, size_t bytes,
	const model *m, const gpu_buffer *state)
{
	const size_t range = range_bytes((uint32_t)view->width, (uint32_t)view->height);
	enm_result result = gpu_finish(queue); /* before a buffer in use is dropped */
	if (result == ENM_OK)
		result = stage_ensure(budget, "picture range", range, &s->picture_range);
	if (result == ENM_OK)
		result = stage_ensure(budget, "picture", bytes, &s->picture);
	if (result == ENM_OK)
		result = run_range(s, queue, view, 0, m, state, &s->picture_range);
	return result;
}

enm_result view_render(view_stage *s, gpu_budget *budget, gpu_queue *queue, const model *m, const gpu_buffer *state,
	const enm_view_def *def, uint8_t *out_rgba)
{
	enm_k_view view = picture_view(def);
	view.sigma_ref_mm = s->sigma_ref_mm;
	const size_t bytes = (size_t)def->width * def->height * 4;
	enm_result result = prepare(s, budget, queue, &view, bytes, m, state);
	const gpu_arg picture[] = {GPU_VALUE(view), GPU_VALUE(m->volume), GPU_BUFFER(&s->picture_range),
		GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->picture)};
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_picture, GPU_RANGE_2D(items(s, def->width), def->height, 8, 8), picture,
			STAGE_COUNT(picture));
	if (result == ENM_OK)
		result = gpu_read(queue, &s->picture, 0, out_rgba, bytes, NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	return result;
}

enm_result view_pick(view_stage *s, gpu_budget *budget, gpu_queue *queue, const model *m, const gpu_buffer *state,
	const enm_view_def *def, const double at[2], enm_k_hit *out_hit)
{
	enm_k_view view = picture_view_pixel(def, at);
	view.sigma_ref_mm = s->sigma_ref_mm;
	enm_result result = prepare(s, budget, queue, &view, sizeof(*out_hit), m, state);
	const gpu_arg hit[] = {GPU_VALUE(view), GPU_VALUE(m->volume), GPU_BUFFER(&s->picture_range), GPU_BUFFER(&m->table),
		GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->picture)};
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_hit, GPU_RANGE_1D(1, 1), hit, STAGE_COUNT(hit));
	if (result == ENM_OK)
		result = gpu_read(queue, &s->picture, 0, out_hit, sizeof(*out_hit), NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	return result;
}
