/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives the model the blocks that a tracked frame needs. Blocks are numbered in the order of their place in a grid over the
 * frame's box, never by a counter that items race for: the same input gives the same numbers.
 *
 *   allocate_box      box of the frame's readings in blocks; resets the frame's counts, unless they are to stand
 *   allocate_mark     flags the missing blocks in a grid over that box
 *   allocate_number   numbers the flagged cells and enters them into the table
 *   allocate_rehash   enters all blocks into a larger table
 */
#include "pixel.h"
#include "scan.h"
#include "volume.h"

static inline int3 block_at(float3 point_mm, float per_block)
{
	return convert_int3(floor(point_mm * per_block));
}

/* Adds the ends of a tile's readings: the rays of its corners, at its nearest and its farthest depth. */
static inline void add_tile(const enm_k_camera *c, __global const float2 *rays, const enm_k_pose *pose, const float *skew, int tile,
			    float4 range, float3 *low, float3 *high)
{
	int tiles_x = (c->width + DEPTH_TILE - 1) / DEPTH_TILE;
	int left = tile % tiles_x * DEPTH_TILE, top = tile / tiles_x * DEPTH_TILE;
	for (int i = 0; i < 4; i++) {
		int x = min(left + (i & 1) * (DEPTH_TILE - 1), c->width - 1), y = min(top + (i >> 1) * (DEPTH_TILE - 1), c->height - 1);
		float3 ray = (float3)(rays[y * c->width + x], 1.0f);
		float moment = row_moment(c, y);
		float3 nearest = pose_apply(pose, skew_apply(skew, moment, ray * range.x));
		float3 farthest = pose_apply(pose, skew_apply(skew, moment, ray * range.y));
		*low = fmin(*low, fmin(nearest, farthest));
		*high = fmax(*high, fmax(nearest, farthest));
	}
}

/* First and last block in x, and in y, that may be of the model which the frame is of: the first one, or an island in its place. Scalars:
 * of vectors of three written through pointers, or put together from one of four, Oclgrind 21.10 makes something else. */
static inline void model_range(const enm_k_volume *volume, uint island, uint place, __private int *x, __private int *y)
{
	const int half_range = 1 << (ENM_K_KEY_BITS_XY - 1);
	int border = volume->island_side * ENM_K_ISLAND_FIRST;
	x[0] = y[0] = -half_range;
	x[1] = y[1] = half_range - 1;
	if ((volume->island_side > 0 && island != 0) || (volume->island_side < 0 && island == 0))
		x[0] = island != 0 ? border : border + 1;
	else if (volume->island_side != 0)
		x[1] = island != 0 ? border : border - 1;
	if (island != 0) {
		y[0] += (int)place * ENM_K_ISLAND_BLOCKS_Y;
		y[1] = y[0] + ENM_K_ISLAND_BLOCKS_Y - 1;
	}
}

/* The grid over a box of readings, cut to the addresses that the model has, and in z where it exceeds the grid's memory; of no cells for
 * an empty box. */
static inline void make_grid(const enm_k_volume *volume, __global const enm_k_track *track, float3 low, float3 high, __global enm_k_blocks *blocks)
{
	/* a voxel to spare for interpolation, and one for rays that are not straight between a tile's corners */
	float per_block = 1.0f / (volume->voxel_mm * ENM_K_BLOCK_EDGE), reach_mm = volume->truncation_mm + 2.0f * volume->voxel_mm;
	const int half_range_z = 1 << (ENM_K_KEY_BITS_Z - 1);
	int x[2], y[2];
	model_range(volume, track->island, track->island_place, x, y);
	int3 first = (int3)(0), size = (int3)(0);
	if (low.x <= high.x) {
		first = max(block_at(low - reach_mm, per_block), (int3)(x[0], y[0], -half_range_z));
		size = max(min(block_at(high + reach_mm, per_block), (int3)(x[1], y[1], half_range_z - 1)) - first + 1, 0);
	}
	uint layer = (uint)size.x * (uint)size.y;
	uint layers = layer > 0 ? min((uint)size.z, volume->grid_capacity / layer) : 0;
	vstore3(first, 0, blocks->grid_low);
	vstore3((int3)(size.xy, (int)layers), 0, blocks->grid_size);
	blocks->cells = layer * layers;
}

/* One group, which shares the tiles. */
#define BOX_GROUP 64
__kernel __attribute__((reqd_work_group_size(BOX_GROUP, 1, 1)))
void allocate_box(const enm_k_camera camera, const enm_k_volume volume, __global const float2 *rays,
		  __global const float4 *tiles, __global const enm_k_track *track, __global enm_k_blocks *blocks)
{
	__local float3 lows[BOX_GROUP], highs[BOX_GROUP];
	int item = get_local_id(0);
	int tile_count = ((camera.width + DEPTH_TILE - 1) / DEPTH_TILE) * ((camera.height + DEPTH_TILE - 1) / DEPTH_TILE);
	enm_k_pose pose = track->world_from_camera;
	float skew[6];
	for (int i = 0; i < 6; i++)
		skew[i] = track->skew[i];
	float3 low = (float3)(INFINITY), high = (float3)(-INFINITY);
	for (int i = item; i < tile_count && track->verdict == ENM_K_VERDICT_TRACKED; i += BOX_GROUP)
		if (tiles[i].z > 0.0f)
			add_tile(&camera, rays, &pose, skew, i, tiles[i], &low, &high);
	lows[item] = low;
	highs[item] = high;
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item != 0)
		return;
	if (track->verdict == ENM_K_VERDICT_NONE) {
		blocks->cells = 0;
		return;
	}
	for (int i = 1; i < BOX_GROUP; i++) {
		low = fmin(low, lows[i]);
		high = fmax(high, highs[i]);
	}
	make_grid(&volume, track, low, high, blocks);
	blocks->base = blocks->used;
	blocks->added = blocks->wanted = blocks->in_view = blocks->full = 0;
}

#define FLAG_MISSING 1
#define FLAG_PRESENT 2

__kernel void allocate_mark(const enm_k_camera camera, const enm_k_volume volume, int stride,
			    __global const float2 *rays, __global const uint4 *pixel_map, __global const enm_k_track *track, __global const uint2 *table,
			    __global enm_k_blocks *blocks, __global uchar *flags)
{
	int x = get_global_id(0) * stride, y = get_global_id(1) * stride;
	if (x >= camera.width || y >= camera.height)
		return;
	int i = y * camera.width + x;
	uint4 pixel = pixel_map[i];
	float z = pixel_depth_mm(pixel);
	if (z == 0.0f || track->verdict != ENM_K_VERDICT_TRACKED)
		return;
	int3 low = vload3(0, blocks->grid_low), size = vload3(0, blocks->grid_size);
	if (blocks->cells == 0) {
		blocks->full = 1; /* a single layer exceeds the grid, or all of the frame the addresses */
		return;
	}
	enm_k_pose pose = track->world_from_camera;
	float per_block = 1.0f / (volume.voxel_mm * ENM_K_BLOCK_EDGE);
	/* along the normal through the band, with a voxel to spare for interpolation, in steps of half a block at most; in cells */
	float reach = (volume.truncation_mm + volume.voxel_mm) * per_block;
	int steps = (int)ceil(4.0f * reach);
	float3 across = pose_rotate(&pose, pixel_normal(pixel)) * reach;
	float3 point_mm = (float3)(rays[i] * z, z);
	if (camera.rolling) {
		float skew[6];
		for (int k = 0; k < 6; k++)
			skew[k] = track->skew[k];
		point_mm = skew_apply(skew, row_moment(&camera, i / camera.width), point_mm);
	}
	float3 at = pose_apply(&pose, point_mm) * per_block - convert_float3(low - 1) - across;
	float3 step = across * (2.0f / steps);
	for (int s = 0; s <= steps; s++) {
		int3 cell = convert_int3(at) - 1; /* rounds towards zero, which is down for what is above -1 */
		at += step;
		/* below zero is large when unsigned */
		if ((uint)cell.x >= (uint)size.x || (uint)cell.y >= (uint)size.y || (uint)cell.z >= (uint)size.z) {
			blocks->full = 1;
			continue;
		}
		/* many readings share a block: who comes first leaves the answer for the others */
		__global uchar *flag = flags + ((cell.z * size.y + cell.y) * size.x + cell.x);
		if (*flag == 0)
			*flag = block_find(table, volume.table_mask, low + cell) == BLOCK_NONE ? FLAG_MISSING : FLAG_PRESENT;
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

/* Missing blocks among 16 cells; each is a byte. */
static inline uint count_flags(uint4 flags)
{
	uint4 missing = flags & 0x01010101u * FLAG_MISSING;
	return popcount(missing.x) + popcount(missing.y) + popcount(missing.z) + popcount(missing.w);
}

static inline uint key_of_cell(__global const enm_k_blocks *blocks, uint cell)
{
	uint width = blocks->grid_size[0], height = blocks->grid_size[1];
	int3 at = (int3)(cell % width, cell / width % height, cell / width / height);
	return block_key(vload3(0, blocks->grid_low) + at);
}

/* One group: each item counts a stretch of the grid; those before it have the lower numbers. Takes the flags away. */
#define NUMBER_GROUP 256
__kernel __attribute__((reqd_work_group_size(NUMBER_GROUP, 1, 1)))
void allocate_number(const enm_k_volume volume, __global uint4 *flags, __global enm_k_blocks *blocks,
		     volatile __global uint *table, __global uint *keys)
{
	__local uint sums[NUMBER_GROUP];
	uint item = get_local_id(0), base = blocks->base, room = volume.capacity - base;
	uint pieces = (blocks->cells + 15) / 16, share = (pieces + NUMBER_GROUP - 1) / NUMBER_GROUP;
	uint from = min(item * share, pieces), to = min(from + share, pieces), n = 0;
	for (uint i = from; i < to; i++)
		n += count_flags(flags[i]);
	uint total, number = scan_sums(n, sums, &total);
	uint added = min(total, room);
	for (uint i = from; i < to; i++) {
		uint4 piece = flags[i];
		flags[i] = (uint4)(0);
		if (count_flags(piece) == 0)
			continue;
		uint words[4] = {piece.x, piece.y, piece.z, piece.w};
		for (uint k = 0; k < 16; k++) {
			if ((words[k / 4] >> 8 * (k % 4) & FLAG_MISSING) == 0)
				continue;
			uint index = number++;
			if (index >= added)
				continue;
			uint key = key_of_cell(blocks, 16 * i + k);
			table_insert(table, volume.table_mask, key, base + index);
			keys[base + index] = key;
		}
	}
	if (item == 0 && blocks->cells > 0) { /* else the counts are those of allocate_box, or stand */
		blocks->wanted = total;
		blocks->added = added;
		blocks->used = base + added;
		if (total > room)
			blocks->full = 1;
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
