/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "core/error.h"

#define BYTES_PER_BLOCK (ENM_K_BLOCK_WORDS * 4)
/* a block's voxels; its key, the frame that changed it, and up to four table slots, all of which are there twice while
 * they grow; what fusion's lists and the live surface hold of it */
#define BYTES_PER_BLOCK_ALL (BYTES_PER_BLOCK + 2 * (8 + 4 * 8) + 6 + 4)

static uint32_t table_slots(uint32_t blocks)
{
	uint32_t slots = 1024;
	while (slots < 2 * (uint64_t)blocks)
		slots *= 2;
	return slots;
}

static uint32_t blocks_allowed(const gpu_budget *budget, uint64_t reserve_bytes)
{
	const enm_device_info *info = gpu_device_get_info(budget->device);
	uint64_t used = budget->bytes + reserve_bytes;
	uint64_t free_bytes = budget->bytes_max > used ? budget->bytes_max - used : 0;
	uint64_t blocks = free_bytes / BYTES_PER_BLOCK_ALL;
	uint64_t largest = info->largest_allocation_bytes / BYTES_PER_BLOCK;
	blocks = blocks < largest ? blocks : largest;
	return blocks < (1u << 24) ? (uint32_t)blocks : 1u << 24;
}

/* New, emptied buffers for `capacity` blocks. */
static enm_result create_table(gpu_budget *budget, gpu_queue *queue, uint32_t capacity, model *m)
{
	uint32_t slots = table_slots(capacity);
	enm_result result = gpu_buffer_create(budget, "block table", (size_t)slots * 8, &m->table);
	if (result == ENM_OK)
		result = gpu_fill(queue, &m->table, 0, ENM_K_KEY_EMPTY, m->table.bytes);
	if (result == ENM_OK)
		result = gpu_buffer_create(budget, "block keys", (size_t)capacity * 4, &m->keys);
	if (result == ENM_OK)
		result = gpu_fill(queue, &m->keys, 0, ENM_K_KEY_EMPTY, m->keys.bytes);
	if (result == ENM_OK)
		result = gpu_buffer_create(budget, "block changes", (size_t)capacity * 4, &m->changed);
	m->volume.table_mask = slots - 1;
	return result;
}

static enm_result create_voxels(gpu_budget *budget, uint32_t capacity, model *m)
{
	const uint64_t bound = (uint64_t)m->blocks_max * BYTES_PER_BLOCK;
	const uint64_t reserved = bound < VOXEL_BYTES_RESERVED ? bound : VOXEL_BYTES_RESERVED;
	/* not filled: fusion writes all voxels of a new block */
	enm_result result =
		gpu_buffer_reserve(budget, "voxels", (size_t)capacity * BYTES_PER_BLOCK, (size_t)reserved, &m->voxels);
	m->volume.capacity = capacity;
	return result;
}

enm_result model_create(
	gpu_budget *budget, gpu_queue *queue, const enm_session_def *def, uint64_t reserve_bytes, model *out_model)
{
	model *m = out_model;
	memset(m, 0, sizeof(*m));
	m->volume.voxel_mm = (float)def->voxel_mm;
	m->volume.truncation_mm = (float)def->truncation_mm;
	m->volume.grid_capacity = GRID_CELLS;
	/* islands lie on the other side of the first model */
	m->volume.island_side = !def->recover ? 0 : def->start_world_from_camera.t_mm[0] >= 0.0 ? -1 : 1;
	m->blocks_max = blocks_allowed(budget, reserve_bytes);
	if (m->blocks_max < BLOCKS_AT_START / 4) {
		uint64_t need = budget->bytes + reserve_bytes + (uint64_t)(BLOCKS_AT_START / 4) * BYTES_PER_BLOCK_ALL;
		return error_set(ENM_E_CAPACITY, "device_bytes_max: %llu bytes are too few, the least is %llu",
			(unsigned long long)budget->bytes_max, (unsigned long long)need);
	}
	uint32_t capacity = m->blocks_max < BLOCKS_AT_START ? m->blocks_max : BLOCKS_AT_START;
	enm_result result = gpu_kernel_create(
		budget->device, "allocate", "allocate_rehash", "enm_k_volume,enm_k_blocks*,uint*,uint*", &m->k_rehash);
	if (result == ENM_OK)
		result = gpu_buffer_create(budget, "block counts", sizeof(enm_k_blocks), &m->blocks);
	if (result == ENM_OK)
		result = gpu_fill(queue, &m->blocks, 0, 0, m->blocks.bytes);
	if (result == ENM_OK)
		result = create_table(budget, queue, capacity, m);
	if (result == ENM_OK)
		result = create_voxels(budget, capacity, m);
	if (result != ENM_OK)
		model_destroy(m);
	return result;
}

void model_destroy(model *m)
{
	gpu_kernel_destroy(&m->k_rehash);
	gpu_buffer_destroy(&m->table);
	gpu_buffer_destroy(&m->keys);
	gpu_buffer_destroy(&m->changed);
	gpu_buffer_destroy(&m->voxels);
	gpu_buffer_destroy(&m->blocks);
}

enm_result model_clear(model *m, gpu_queue *queue)
{
	enm_result result = gpu_fill(queue, &m->blocks, 0, 0, m->blocks.bytes);
	if (result == ENM_OK)
		result = gpu_fill(queue, &m->table, 0, ENM_K_KEY_EMPTY, m->table.bytes);
	if (result == ENM_OK)
		result = gpu_fill(queue, &m->keys, 0, ENM_K_KEY_EMPTY, m->keys.bytes);
	return result;
}

/* By way of host memory, freeing the old voxels in between: the only way that waits. Should the device refuse the
 * larger buffer after all, the old size is restored with what it held. */
static enm_result move_through_host(model *m, gpu_queue *queue, size_t bytes, uint32_t capacity)
{
	gpu_budget *budget = m->voxels.budget;
	const uint32_t old_capacity = m->volume.capacity;
	void *host = malloc(bytes);
	if (host == NULL)
		return error_set(ENM_E_MEMORY, "growing the model: no host memory for %zu bytes", bytes);
	enm_result result = gpu_read(queue, &m->voxels, 0, host, bytes, NULL);
	if (result == ENM_OK)
		result = gpu_finish(queue);
	if (result == ENM_OK) {
		gpu_buffer_destroy(&m->voxels);
		result = create_voxels(budget, capacity, m);
		enm_result kept = ENM_OK;
		if (result != ENM_OK) {
			gpu_buffer_destroy(&m->voxels);
			kept = create_voxels(budget, old_capacity, m);
		}
		if (kept == ENM_OK)
			kept = gpu_write(queue, &m->voxels, 0, host, bytes, NULL);
		enm_result finished = gpu_finish(queue); /* also after a failure: `host` is about to go */
		kept = kept != ENM_OK ? kept : finished;
		if (kept != ENM_OK)
			result =
				error_set(ENM_E_DEVICE, "growing the model: its voxels are lost: %s", enm_last_error());
	}
	free(host);
	return result;
}

/* In the queue's order: after the frames under way, before those to come. OpenCL keeps a buffer that was given back
 * until the commands that use it have run. */
static enm_result copy_on_device(model *m, gpu_queue *queue, size_t bytes, uint32_t capacity)
{
	gpu_buffer old = m->voxels;
	const uint32_t old_capacity = m->volume.capacity;
	memset(&m->voxels, 0, sizeof(m->voxels));
	enm_result result = create_voxels(old.budget, capacity, m);
	if (result == ENM_OK)
		result = gpu_copy(queue, &old, 0, &m->voxels, 0, bytes);
	if (result != ENM_OK) {
		gpu_buffer_destroy(&m->voxels);
		m->voxels = old;
		m->volume.capacity = old_capacity;
		return result;
	}
	gpu_buffer_destroy(&old);
	return ENM_OK;
}

static enm_result grow_voxels(model *m, gpu_queue *queue, uint32_t capacity)
{
	const gpu_budget *budget = m->voxels.budget;
	const size_t held = (size_t)m->volume.capacity * BYTES_PER_BLOCK; /* frames under way may yet use all of it */
	const size_t grown = (size_t)capacity * BYTES_PER_BLOCK;
	if (grown <= m->voxels.reserved) {
		enm_result result = gpu_buffer_extend(&m->voxels, "voxels", grown);
		if (result == ENM_OK)
			m->volume.capacity = capacity;
		return result;
	}
	if (budget->bytes_max != 0 && budget->bytes + grown > budget->bytes_max)
		return move_through_host(m, queue, held, capacity);
	return copy_on_device(m, queue, held, capacity);
}

/* A larger table, filled by a kernel from the keys, in the queue's order. */
static enm_result grow_table(model *m, gpu_queue *queue, uint32_t capacity)
{
	gpu_buffer old_table = m->table, old_keys = m->keys, old_changed = m->changed;
	const uint32_t old_mask = m->volume.table_mask;
	const size_t held = (size_t)m->volume.capacity * 4;
	memset(&m->table, 0, sizeof(m->table));
	memset(&m->keys, 0, sizeof(m->keys));
	memset(&m->changed, 0, sizeof(m->changed));
	enm_result result = create_table(old_table.budget, queue, capacity, m);
	if (result == ENM_OK)
		result = gpu_copy(queue, &old_keys, 0, &m->keys, 0, held);
	if (result == ENM_OK)
		result = gpu_copy(queue, &old_changed, 0, &m->changed, 0, held);
	if (result == ENM_OK) {
		const gpu_arg args[] = {
			GPU_VALUE(m->volume), GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table)};
		result = gpu_launch(queue, &m->k_rehash, GPU_RANGE_1D(capacity, 64), args, 4);
	}
	if (result != ENM_OK) {
		gpu_buffer_destroy(&m->table);
		gpu_buffer_destroy(&m->keys);
		gpu_buffer_destroy(&m->changed);
		m->table = old_table;
		m->keys = old_keys;
		m->changed = old_changed;
		m->volume.table_mask = old_mask;
		return result;
	}
	gpu_buffer_destroy(&old_table);
	gpu_buffer_destroy(&old_keys);
	gpu_buffer_destroy(&old_changed);
	return ENM_OK;
}

bool model_is_short(const model *m, uint32_t blocks_wanted)
{
	const uint32_t capacity = m->volume.capacity;
	return capacity < m->blocks_max && blocks_wanted >= capacity - capacity / BLOCKS_FREE_SHARE;
}

enm_result model_grow(model *m, gpu_queue *queue, uint32_t blocks_wanted)
{
	const uint32_t capacity = m->volume.capacity;
	if (!model_is_short(m, blocks_wanted))
		return ENM_OK;
	uint64_t grown = (uint64_t)(blocks_wanted > capacity ? blocks_wanted : capacity) * BLOCKS_GROWTH_PERCENT / 100;
	uint32_t target = grown < m->blocks_max ? (uint32_t)grown : m->blocks_max;
	m->generation++;
	enm_result result = grow_table(m, queue, target);
	if (result == ENM_OK)
		result = grow_voxels(m, queue, target);
	if (result != ENM_E_CAPACITY && result != ENM_E_MEMORY)
		return result;
	gpu_log(m->voxels.budget->device, ENM_LOG_WARNING, "the model stays at %u blocks: %s", capacity,
		enm_last_error());
	m->blocks_max = capacity;
	return ENM_OK;
}
