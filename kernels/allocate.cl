/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the blocks that a frame's readings need and the model lacks, and adds them in the order of a scan over a grid
 * around the frame: the same input gives the same block numbers, without a counter that hands out slots.
 *
 *   allocate_reset    empties the frame's box
 *   allocate_box      box of blocks around the readings (integer minima and maxima: order does not matter)
 *   allocate_mark     flags the missing blocks in a grid over that box
 *   allocate_count, allocate_scan, allocate_emit   numbers the flagged cells and enters them into the table
 *   allocate_rehash   enters all blocks into a larger table
 */
#include "geometry.h"
#include "scan.h"
#include "volume.h"

__kernel void allocate_reset(__global enm_k_blocks *blocks)
{
	if (get_global_id(0) != 0)
		return;
	for (int i = 0; i < 3; i++) {
		blocks->box_min[i] = INT_MAX;
		blocks->box_max[i] = INT_MIN;
	}
	blocks->base = blocks->used;
	blocks->added = blocks->wanted = blocks->in_view = blocks->full = 0;
}

static inline int3 block_at(float3 point_mm, float per_block)
{
	return convert_int3(floor(point_mm * per_block));
}

/* Every `stride`-th pixel of every `stride`-th row, one work-item a sampled row. */
__kernel void allocate_box(const enm_k_camera camera, const enm_k_volume volume, int stride,
			   __global const float2 *rays, __global const float *depth,
			   __global const enm_k_track *track, __global enm_k_blocks *blocks)
{
	int y = get_global_id(0) * stride;
	if (y >= camera.height || track->verdict != ENM_K_VERDICT_TRACKED)
		return;
	enm_k_pose pose = track->world_from_camera;
	float per_block = 1.0f / (volume.voxel_mm * ENM_K_BLOCK_EDGE);
	float reach_mm = volume.truncation_mm + volume.voxel_mm;
	float3 low = (float3)(INFINITY), high = (float3)(-INFINITY);
	for (int x = 0; x < camera.width; x += stride) {
		int i = y * camera.width + x;
		float z = depth[i];
		float3 p = pose_apply(&pose, (float3)(rays[i] * z, z));
		low = z > 0.0f ? fmin(low, p) : low;
		high = z > 0.0f ? fmax(high, p) : high;
	}
	if (!(low.x <= high.x))
		return;
	int3 b_low = block_at(low - reach_mm, per_block), b_high = block_at(high + reach_mm, per_block);
	atomic_min(&blocks->box_min[0], b_low.x);
	atomic_min(&blocks->box_min[1], b_low.y);
	atomic_min(&blocks->box_min[2], b_low.z);
	atomic_max(&blocks->box_max[0], b_high.x);
	atomic_max(&blocks->box_max[1], b_high.y);
	atomic_max(&blocks->box_max[2], b_high.z);
}

typedef struct grid {
	int3 low, size;
	uint cells;
} grid;

/* The box as a grid of cells, cut to the addresses that there are, and in z where it exceeds the grid's memory; no cells where the
 * frame is not fused. */
static inline grid grid_of(__global const enm_k_blocks *blocks, __global const enm_k_track *track, uint capacity)
{
	grid g;
	const int half_xy = 1 << (ENM_K_KEY_BITS_XY - 1), half_z = 1 << (ENM_K_KEY_BITS_Z - 1);
	int3 high = (int3)(blocks->box_max[0], blocks->box_max[1], blocks->box_max[2]);
	g.low = (int3)(blocks->box_min[0], blocks->box_min[1], blocks->box_min[2]);
	g.low = max(g.low, (int3)(-half_xy, -half_xy, -half_z));
	high = min(high, (int3)(half_xy - 1, half_xy - 1, half_z - 1));
	bool any = track->verdict == ENM_K_VERDICT_TRACKED && high.x >= g.low.x && high.y >= g.low.y && high.z >= g.low.z;
	g.size = any ? high - g.low + 1 : (int3)(0);
	uint layer = (uint)g.size.x * (uint)g.size.y;
	if (layer > 0) {
		uint layers = capacity / layer;
		g.size.z = min(g.size.z, (int)layers);
	}
	g.cells = layer * (uint)g.size.z;
	return g;
}

__kernel void allocate_mark(const enm_k_camera camera, const enm_k_volume volume, int stride,
			    __global const float2 *rays, __global const float *depth, __global const float4 *normals,
			    __global const enm_k_track *track, __global const uint2 *table,
			    __global enm_k_blocks *blocks, __global uchar *flags)
{
	int x = get_global_id(0) * stride, y = get_global_id(1) * stride;
	if (x >= camera.width || y >= camera.height)
		return;
	int i = y * camera.width + x;
	float z = depth[i];
	grid g = grid_of(blocks, track, volume.grid_capacity);
	if (z == 0.0f || track->verdict != ENM_K_VERDICT_TRACKED)
		return;
	if (g.cells == 0) {
		blocks->full = 1; /* a single layer exceeds the grid, or all of the frame the addresses */
		return;
	}
	enm_k_pose pose = track->world_from_camera;
	float block_mm = volume.voxel_mm * ENM_K_BLOCK_EDGE;
	float3 p = pose_apply(&pose, (float3)(rays[i] * z, z));
	float3 n = pose_rotate(&pose, normals[i].xyz);
	/* along the normal through the band, with a voxel to spare for interpolation, in steps of half a block at most */
	float reach_mm = volume.truncation_mm + volume.voxel_mm;
	int steps = (int)ceil(4.0f * reach_mm / block_mm);
	uint last = ENM_K_KEY_EMPTY;
	for (int s = 0; s <= steps; s++) {
		int3 b = block_at(p + n * (reach_mm * (2.0f * s / steps - 1.0f)), 1.0f / block_mm);
		uint key = block_key(b);
		int3 cell = b - g.low;
		bool inside = cell.x >= 0 && cell.y >= 0 && cell.z >= 0 && cell.x < g.size.x && cell.y < g.size.y && cell.z < g.size.z;
		if (key == last && key != ENM_K_KEY_EMPTY)
			continue;
		last = key;
		if (key == ENM_K_KEY_EMPTY || !inside)
			blocks->full = 1;
		else if (block_find(table, volume.table_mask, b) == BLOCK_NONE)
			flags[((size_t)cell.z * g.size.y + cell.y) * g.size.x + cell.x] = 1;
	}
}

/* A work-item counts the flags of one chunk; four cells a word. */
__kernel void allocate_count(const enm_k_volume volume, __global const enm_k_blocks *blocks,
			     __global const enm_k_track *track, __global const uchar *flags, __global uint *counts)
{
	uint chunk = get_global_id(0), cells = grid_of(blocks, track, volume.grid_capacity).cells;
	uint chunks = (volume.grid_capacity + ENM_K_SCAN_CHUNK - 1) / ENM_K_SCAN_CHUNK;
	if (chunk >= chunks)
		return;
	uint n = 0;
	if (chunk * ENM_K_SCAN_CHUNK < cells) {
		__global const uint *words = (__global const uint *)(flags + (size_t)chunk * ENM_K_SCAN_CHUNK);
		for (int i = 0; i < ENM_K_SCAN_CHUNK / 4; i++) {
			uint w = words[i];
			n += (w & 1u) + (w >> 8 & 1u) + (w >> 16 & 1u) + (w >> 24);
		}
	}
	counts[chunk] = n;
}

/* One group: turns counts into first numbers, books the blocks. */
__kernel __attribute__((reqd_work_group_size(SCAN_GROUP, 1, 1)))
void allocate_scan(const enm_k_volume volume, __global const enm_k_track *track, __global uint *counts,
		   __global enm_k_blocks *blocks)
{
	__local uint sums[SCAN_GROUP];
	uint cells = grid_of(blocks, track, volume.grid_capacity).cells;
	uint chunks = (cells + ENM_K_SCAN_CHUNK - 1) / ENM_K_SCAN_CHUNK;
	uint total = scan_group(counts, chunks, sums);
	if (get_local_id(0) == 0) {
		uint room = volume.capacity - blocks->base;
		blocks->wanted = total;
		blocks->added = min(total, room);
		blocks->used = blocks->base + blocks->added;
		if (total > room)
			blocks->full = 1;
	}
}

/* Takes the first free slot of the key's probe sequence. Which slot that is depends on the order of the items; what a look-up
 * finds does not. */
static inline void table_insert(volatile __global uint *table, uint mask, uint key, uint index)
{
	uint slot = table_slot(key, mask);
	while (atomic_cmpxchg(&table[2 * slot], ENM_K_KEY_EMPTY, key) != ENM_K_KEY_EMPTY)
		slot = (slot + 1u) & mask;
	table[2 * slot + 1] = index;
}

/* Enters a chunk's flagged cells into the table and takes the flags away. */
__kernel void allocate_emit(const enm_k_volume volume, __global const enm_k_blocks *blocks,
			    __global const enm_k_track *track, __global const uint *counts, __global uchar *flags,
			    volatile __global uint *table, __global uint *keys)
{
	uint chunk = get_global_id(0);
	grid g = grid_of(blocks, track, volume.grid_capacity);
	if (chunk * ENM_K_SCAN_CHUNK >= g.cells)
		return;
	uint number = counts[chunk];
	uint end = min((chunk + 1) * ENM_K_SCAN_CHUNK, g.cells);
	for (uint cell = chunk * ENM_K_SCAN_CHUNK; cell < end; cell++) {
		if (!flags[cell])
			continue;
		flags[cell] = 0;
		uint index = number++;
		if (index >= blocks->added)
			continue;
		int x = cell % g.size.x, y = cell / g.size.x % g.size.y, z = cell / g.size.x / g.size.y;
		uint key = block_key(g.low + (int3)(x, y, z));
		table_insert(table, volume.table_mask, key, blocks->base + index);
		keys[blocks->base + index] = key;
	}
}

/* Enters all blocks into a new, empty table. */
__kernel void allocate_rehash(const enm_k_volume volume, __global const enm_k_blocks *blocks, __global const uint *keys,
			      volatile __global uint *table)
{
	uint index = get_global_id(0);
	if (index < blocks->used)
		table_insert(table, volume.table_mask, keys[index], index);
}
