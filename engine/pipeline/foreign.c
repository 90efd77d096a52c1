/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/foreign.h"

#include <stddef.h>
#include <string.h>

#include "pipeline/stage.h"

/* Tiles across the picture at most: a tile is about half a millimetre of a tooth. */
#define TILES_ACROSS 40u
#define TILE_SAMPLES 4u
/* Items that look over the cells in view: each works out which these are, so that more of them take longer. */
#define LEARN_ITEMS 512
#define FORGET_ITEMS 4096

static enm_k_foreign sizes_of(const enm_session_def *def)
{
	const uint32_t width = def->camera.width, height = def->camera.height, larger = width > height ? width : height;
	uint32_t tile = (larger + TILES_ACROSS - 1) / TILES_ACROSS;
	tile = (tile + TILE_SAMPLES - 1) / TILE_SAMPLES * TILE_SAMPLES;
	/* The grid must not meet itself within a view. */
	const double block_mm = def->voxel_mm * ENM_K_BLOCK_EDGE;
	int32_t across = 1;
	while (block_mm * across < def->depth_max_mm * 2.0 / ENM_K_FOREIGN_GRID && across < ENM_K_FOREIGN_GRID)
		across *= 2;
	const double cell_mm = block_mm * across;
	return (enm_k_foreign){
		.cell_mm = (float)cell_mm,
		.per_cell = (float)(1.0 / cell_mm),
		.radius_mm = (float)(0.8661 * cell_mm),
		.margin_mm = (float)def->truncation_mm,
		.blocks_across = across,
		.tile = (int32_t)tile,
		.per_tile = 1.0f / (float)tile,
		.columns = (int32_t)((width + tile - 1) / tile),
		.rows = (int32_t)((height + tile - 1) / tile),
	};
}

#define GRID_BYTES ((size_t)ENM_K_FOREIGN_GRID * ENM_K_FOREIGN_GRID * ENM_K_FOREIGN_GRID * 4)

uint64_t foreign_bytes(const enm_session_def *def)
{
	return def->foreign_bodies ? GRID_BYTES + (uint64_t)ENM_K_FOREIGN_TILES * 64 : 0;
}

static enm_result create_kernels(gpu_device *device, foreign_stage *s)
{
	const stage_kernel sort[] = {
		{&s->k_sort, "foreign_sort",
			"enm_k_camera,enm_k_volume,enm_k_foreign,float2*,uint4*,uint2*,uint*,uint*,enm_k_track*,"
			"enm_k_foreign_frame*,uint4*,float8*"},
	};
	const stage_kernel flood[] = {
		{&s->k_flood, "foreign_flood", "enm_k_foreign,enm_k_input*,uint4*,float8*,enm_k_track*,enm_k_foreign_frame*,uchar*"},
	};
	const stage_kernel hide[] = {
		{&s->k_young, "foreign_young",
			"enm_k_camera,enm_k_volume,enm_k_foreign,float2*,uchar*,uint2*,enm_k_track*,enm_k_foreign_frame*,uint4*,"
			"uint*,uint*,uint*"},
		{&s->k_hide, "foreign_hide", "enm_k_camera,enm_k_foreign,float2*,uchar*,enm_k_track*,enm_k_foreign_frame*,uint4*,uint*,int"},
	};
	const stage_kernel learn[] = {
		{&s->k_learn, "foreign_learn",
			"enm_k_camera,enm_k_volume,enm_k_foreign,float2*,uint4*,enm_k_track*,enm_k_foreign_frame*,uint2*,"
			"uint*,uint*,uint*"},
		{&s->k_forget, "foreign_forget", "enm_k_track*,enm_k_foreign_frame*,uint*"},
	};
	enm_result result = stage_create_kernels(device, "foreign_sort", sort, STAGE_COUNT(sort));
	if (result == ENM_OK)
		result = stage_create_kernels(device, "foreign", flood, STAGE_COUNT(flood));
	if (result == ENM_OK)
		result = stage_create_kernels(device, "foreign_hide", hide, STAGE_COUNT(hide));
	return result == ENM_OK ? stage_create_kernels(device, "foreign_learn", learn, STAGE_COUNT(learn)) : result;
}

enm_result foreign_create(gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, foreign_stage *out_stage)
{
	foreign_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	if (!def->foreign_bodies)
		return ENM_OK;
	s->sizes = sizes_of(def);
	const size_t tiles = (size_t)s->sizes.columns * (size_t)s->sizes.rows;
	const stage_buffer buffers[] = {
		{&s->grid, "grid of empty cells", GRID_BYTES},
		{&s->tiles, "tiles sorted", tiles * 16},
		{&s->planes, "tiles' planes", tiles * 32},
		{&s->flags, "tiles flagged", tiles},
		{&s->kept, "tiles flagged of a kept frame", tiles},
		{&s->frame, "foreign in the frame", sizeof(enm_k_foreign_frame)},
	};
	enm_result result = create_kernels(budget->device, s);
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	s->on = result == ENM_OK;
	if (result == ENM_OK)
		result = foreign_clear(s, queue);
	if (result != ENM_OK)
		foreign_destroy(s);
	return result;
}

void foreign_destroy(foreign_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_sort, &s->k_flood, &s->k_young, &s->k_hide, &s->k_learn, &s->k_forget};
	gpu_buffer *buffers[] = {&s->grid, &s->tiles, &s->planes, &s->flags, &s->kept, &s->frame};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
	s->on = false;
}

enm_result foreign_clear(foreign_stage *s, gpu_queue *queue)
{
	if (!s->on)
		return ENM_OK;
	enm_result result = gpu_fill(queue, &s->grid, 0, 0, s->grid.bytes);
	return result == ENM_OK ? gpu_fill(queue, &s->frame, 0, 0, s->frame.bytes) : result;
}

static size_t tile_items(const foreign_stage *s)
{
	return ((size_t)s->sizes.columns * (size_t)s->sizes.rows + 63) / 64 * 64;
}

/* Takes what is flagged out of the pixel map. */
static enm_result hide(foreign_stage *s, gpu_queue *queue, const depth_stage *d, const gpu_buffer *state, const gpu_buffer *flags, int32_t learns)
{
	const gpu_arg args[] = {GPU_VALUE(d->camera), GPU_VALUE(s->sizes), GPU_BUFFER(&d->rays), GPU_BUFFER(flags), GPU_BUFFER(state),
		GPU_BUFFER(&s->frame), GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&s->grid), GPU_VALUE(learns)};
	return gpu_launch(queue, &s->k_hide, GPU_RANGE_1D(tile_items(s), 64), args, STAGE_COUNT(args));
}

enm_result foreign_take_out(foreign_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	const gpu_arg young[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->sizes), GPU_BUFFER(&d->rays), GPU_BUFFER(&s->flags),
		GPU_BUFFER(&m->table), GPU_BUFFER(state), GPU_BUFFER(&s->frame), GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&s->grid),
		GPU_BUFFER(&m->voxels), GPU_BUFFER(&m->changed)};
	enm_result result = gpu_launch(queue, &s->k_young, GPU_RANGE_1D(tile_items(s), 64), young, STAGE_COUNT(young));
	return result == ENM_OK ? hide(s, queue, d, state, &s->flags, 1) : result;
}

static enm_result judge(
	foreign_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state, uint32_t slot)
{
	const gpu_arg sort[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->sizes), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&d->pixel_map), GPU_BUFFER(&m->table), GPU_BUFFER(&m->voxels), GPU_BUFFER(&s->grid),
		GPU_BUFFER(state), GPU_BUFFER(&s->frame), GPU_BUFFER(&s->tiles), GPU_BUFFER(&s->planes)};
	const gpu_arg flood[] = {GPU_VALUE(s->sizes), GPU_BUFFER(&d->input[slot]), GPU_BUFFER(&s->tiles), GPU_BUFFER(&s->planes), GPU_BUFFER(state), GPU_BUFFER(&s->frame),
		GPU_BUFFER(&s->flags)};
	enm_result result = gpu_launch(queue, &s->k_sort, GPU_RANGE_1D(tile_items(s), 64), sort, STAGE_COUNT(sort));
	return result == ENM_OK ? gpu_launch(queue, &s->k_flood, GPU_RANGE_1D(64, 64), flood, STAGE_COUNT(flood)) : result;
}

enm_result foreign_hide(
	foreign_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state, uint32_t slot)
{
	if (!s->on)
		return ENM_OK;
	enm_result result = judge(s, queue, d, m, state, slot);
	return result == ENM_OK ? foreign_take_out(s, queue, d, m, state) : result;
}

enm_result foreign_hide_again(foreign_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state, uint32_t slot,
	const uint8_t *tiles)
{
	if (!s->on)
		return ENM_OK;
	enm_result result = judge(s, queue, d, m, state, slot);
	if (result == ENM_OK)
		result = gpu_write(queue, &s->flags, 0, tiles, foreign_tiles(s), NULL);
	return result == ENM_OK ? foreign_take_out(s, queue, d, m, state) : result;
}

enm_result foreign_hide_kept(foreign_stage *s, gpu_queue *queue, const depth_stage *d, const gpu_buffer *state, const uint8_t *tiles)
{
	if (!s->on)
		return ENM_OK;
	enm_result result = gpu_write(queue, &s->kept, 0, tiles, foreign_tiles(s), NULL);
	return result == ENM_OK ? hide(s, queue, d, state, &s->kept, 0) : result;
}

enm_result foreign_learn(
	foreign_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, const gpu_buffer *state)
{
	if (!s->on)
		return ENM_OK;
	const gpu_arg learn[] = {GPU_VALUE(d->camera), GPU_VALUE(m->volume), GPU_VALUE(s->sizes), GPU_BUFFER(&d->rays),
		GPU_BUFFER(&s->tiles), GPU_BUFFER(state), GPU_BUFFER(&s->frame), GPU_BUFFER(&m->table),
		GPU_BUFFER(&m->voxels), GPU_BUFFER(&m->changed), GPU_BUFFER(&s->grid)};
	return gpu_launch(queue, &s->k_learn, GPU_RANGE_1D(LEARN_ITEMS, 64), learn, STAGE_COUNT(learn));
}

enm_result foreign_go_on(foreign_stage *s, gpu_queue *queue, const foreign_stage *before)
{
	const size_t carried = offsetof(enm_k_foreign_frame, calm_s); /* the clock goes with the grid */
	if (!s->on || s->grid.mem == before->grid.mem)
		return ENM_OK;
	enm_result result = gpu_copy(queue, &before->tiles, 0, &s->tiles, 0, s->tiles.bytes);
	if (result == ENM_OK)
		result = gpu_copy(queue, &before->planes, 0, &s->planes, 0, s->planes.bytes);
	if (result == ENM_OK)
		result = gpu_copy(queue, &before->flags, 0, &s->flags, 0, s->flags.bytes);
	return result == ENM_OK ? gpu_copy(queue, &before->frame, carried, &s->frame, carried, sizeof(enm_k_foreign_frame) - carried) : result;
}

uint32_t foreign_tiles(const foreign_stage *s)
{
	return s->on ? (uint32_t)(s->sizes.columns * s->sizes.rows) : 0;
}

int32_t foreign_tile(const foreign_stage *s)
{
	return s->on ? s->sizes.tile : 0;
}

enm_result foreign_read(const foreign_stage *s, gpu_queue *queue, uint8_t *out_tiles)
{
	return gpu_read(queue, &s->flags, 0, out_tiles, foreign_tiles(s), NULL);
}

enm_result foreign_forget(foreign_stage *s, gpu_queue *queue, const gpu_buffer *state)
{
	if (!s->on)
		return ENM_OK;
	const gpu_arg args[] = {GPU_BUFFER(state), GPU_BUFFER(&s->frame), GPU_BUFFER(&s->grid)};
	return gpu_launch(queue, &s->k_forget, GPU_RANGE_1D(FORGET_ITEMS, 64), args, STAGE_COUNT(args));
}
