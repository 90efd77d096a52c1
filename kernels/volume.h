/* SPDX-License-Identifier: Apache-2.0
 * The block-hashed volume as kernels see it: keys, look-up, interpolation. Voxel hashing after Niessner et al. 2013. */
#ifndef ENM_VOLUME_H
#define ENM_VOLUME_H

#include "layout.h"

#define BLOCK_NONE 0xFFFFFFFFu

static inline uint block_key(int3 b)
{
	uint x = (uint)(b.x + (1 << (ENM_K_KEY_BITS_XY - 1))), y = (uint)(b.y + (1 << (ENM_K_KEY_BITS_XY - 1))),
	     z = (uint)(b.z + (1 << (ENM_K_KEY_BITS_Z - 1)));
	bool inside = x < (1u << ENM_K_KEY_BITS_XY) && y < (1u << ENM_K_KEY_BITS_XY) && z < (1u << ENM_K_KEY_BITS_Z) - 1u;
	return inside ? (x | y << ENM_K_KEY_BITS_XY | z << (2 * ENM_K_KEY_BITS_XY)) : ENM_K_KEY_EMPTY;
}

static inline int3 block_of_key(uint key)
{
	uint xy = (1u << ENM_K_KEY_BITS_XY) - 1u;
	return (int3)((int)(key & xy) - (1 << (ENM_K_KEY_BITS_XY - 1)),
		      (int)(key >> ENM_K_KEY_BITS_XY & xy) - (1 << (ENM_K_KEY_BITS_XY - 1)),
		      (int)(key >> (2 * ENM_K_KEY_BITS_XY)) - (1 << (ENM_K_KEY_BITS_Z - 1)));
}

static inline bool key_in_island(const enm_k_volume *volume, uint key)
{
	return volume->island_side != 0 && block_of_key(key).x * volume->island_side >= ENM_K_ISLAND_FIRST;
}

/* Place of the island that a block belongs to; ENM_K_ISLANDS: it is of the first model. */
static inline uint island_of_key(const enm_k_volume *volume, uint key)
{
	return key_in_island(volume, key) ? (uint)(block_of_key(key).y + (1 << (ENM_K_KEY_BITS_XY - 1))) / ENM_K_ISLAND_BLOCKS_Y : ENM_K_ISLANDS;
}

static inline uint table_slot(uint key, uint mask)
{
	uint h = key * 2654435769u;
	return (h ^ h >> 15) & mask;
}

/* Index of a block, or BLOCK_NONE. The table is never full, so that the probe ends. One way out of the loop: with returns
 * inside, Mesa's llvmpipe mixes up the items that have left. */
static inline uint block_find(__global const uint2 *table, uint mask, int3 b)
{
	uint key = block_key(b);
	if (key == ENM_K_KEY_EMPTY)
		return BLOCK_NONE;
	uint slot = table_slot(key, mask), found = BLOCK_NONE;
	bool going = true;
	while (going) {
		uint2 entry = table[slot];
		found = entry.x == key ? entry.y : found;
		going = entry.x != key && entry.x != ENM_K_KEY_EMPTY;
		slot = (slot + 1u) & mask;
	}
	return found;
}

static inline int voxel_in_block(int3 v)
{
	return (v.x & 7) | (v.y & 7) << 3 | (v.z & 7) << 6;
}

static inline float word_sdf(uint word)
{
	return (float)((int)(word << 16) >> 16);
}

static inline float word_weight(uint word)
{
	return (float)(word >> 16);
}

/* Index of a voxel's distance word; its colour word lies ENM_K_PLANE_COLOR further on. */
static inline size_t voxel_word(uint block, int local_index)
{
	return (size_t)block * ENM_K_BLOCK_WORDS + local_index;
}

static inline enm_k_voxel voxel_get(__global const uint *voxels, uint block, int local_index)
{
	size_t at = voxel_word(block, local_index);
	uint word = voxels[at], color = voxels[at + ENM_K_PLANE_COLOR];
	enm_k_voxel v;
	v.sdf = (short)(word & 0xFFFFu);
	v.weight = (ushort)(word >> 16);
	v.red = (uchar)(color & 255u);
	v.green = (uchar)(color >> 8 & 255u);
	v.blue = (uchar)(color >> 16 & 255u);
	v.views = (uchar)(color >> 24);
	return v;
}

/* Blocks of the corners of a cell that reaches out of block `b` along the axes whose bits are set in `across`. */
static inline uint8 cell_blocks(__global const uint2 *table, uint mask, int3 b, uint across)
{
	uint8 i;
	i.s0 = block_find(table, mask, b);
	i.s1 = (across & 1) != 0 ? block_find(table, mask, b + (int3)(1, 0, 0)) : i.s0;
	i.s2 = (across & 2) != 0 ? block_find(table, mask, b + (int3)(0, 1, 0)) : i.s0;
	i.s4 = (across & 4) != 0 ? block_find(table, mask, b + (int3)(0, 0, 1)) : i.s0;
	i.s3 = (across & 3) == 3 ? block_find(table, mask, b + (int3)(1, 1, 0)) : (across & 1) != 0 ? i.s1 : i.s2;
	i.s5 = (across & 5) == 5 ? block_find(table, mask, b + (int3)(1, 0, 1)) : (across & 1) != 0 ? i.s1 : i.s4;
	i.s6 = (across & 6) == 6 ? block_find(table, mask, b + (int3)(0, 1, 1)) : (across & 2) != 0 ? i.s2 : i.s4;
	i.s7 = across == 7 ? block_find(table, mask, b + 1) : (across & 1) == 0 ? i.s6 : (across & 2) == 0 ? i.s5 : i.s3;
	return i;
}

/* The block looked up last: neighbours mostly lie in the same one. Begins with ENM_K_KEY_EMPTY and BLOCK_NONE. */
typedef struct block_last {
	uint key, index;
} block_last;

static inline uint block_find_again(__global const uint2 *table, uint mask, int3 b, __private block_last *last)
{
	uint key = block_key(b);
	if (key != last->key) {
		last->key = key;
		last->index = block_find(table, mask, b);
	}
	return last->index;
}

/* Distance words at the corners of the cell whose lowest voxel is `low`, in the order x fastest. Returns false where one is
 * missing. */
static inline bool cell_load(__global const uint2 *table, __global const uint *voxels, uint mask, int3 low,
			     __private block_last *last, __private uint8 *corner)
{
	int3 b = low >> 3, in = low & 7;
	int first = in.x | in.y << 3 | in.z << 6;
	if (in.x != 7 && in.y != 7 && in.z != 7) {
		uint index = block_find_again(table, mask, b, last);
		if (index == BLOCK_NONE)
			return false;
		__global const uint *v = voxels + voxel_word(index, first);
		*corner = (uint8)(v[0], v[1], v[8], v[9], v[64], v[65], v[72], v[73]);
		return true;
	}
	uint8 i = cell_blocks(table, mask, b, (in.x == 7 ? 1 : 0) | (in.y == 7 ? 2 : 0) | (in.z == 7 ? 4 : 0));
	if (any(i == BLOCK_NONE))
		return false;
	int3 low_part = (int3)(in.x, in.y << 3, in.z << 6), high_part = (int3)((in.x + 1) & 7, ((in.y + 1) & 7) << 3, ((in.z + 1) & 7) << 6);
	*corner = (uint8)(voxels[voxel_word(i.s0, first)], voxels[voxel_word(i.s1, high_part.x + low_part.y + low_part.z)],
			  voxels[voxel_word(i.s2, low_part.x + high_part.y + low_part.z)],
			  voxels[voxel_word(i.s3, high_part.x + high_part.y + low_part.z)],
			  voxels[voxel_word(i.s4, low_part.x + low_part.y + high_part.z)],
			  voxels[voxel_word(i.s5, high_part.x + low_part.y + high_part.z)],
			  voxels[voxel_word(i.s6, low_part.x + high_part.y + high_part.z)],
			  voxels[voxel_word(i.s7, high_part.x + high_part.y + high_part.z)]);
	return true;
}

/* Distances of a cell's corners in steps of the 16-bit distance, and whether all have been seen. */
static inline float8 cell_distances(uint8 corner)
{
	return convert_float8(as_int8(corner << 16) >> 16);
}

static inline bool cell_seen(uint8 corner)
{
	return all(corner >> 16 != 0);
}

static inline float lowest(float8 v)
{
	float4 a = fmin(v.lo, v.hi);
	float2 b = fmin(a.lo, a.hi);
	return fmin(b.x, b.y);
}

static inline float highest(float8 v)
{
	return -lowest(-v);
}

/* Trilinear value and its gradient per voxel from eight corner values, f in [0, 1]. */
static inline float cell_value(float8 c, float3 f, float3 *gradient)
{
	float4 slope_x = c.odd - c.even, x = c.even + f.x * slope_x;
	float2 slope_y = x.odd - x.even, y = x.even + f.y * slope_y;
	float2 by_z = slope_x.even + f.y * (slope_x.odd - slope_x.even);
	*gradient = (float3)(by_z.x + f.z * (by_z.y - by_z.x), slope_y.x + f.z * (slope_y.y - slope_y.x), y.y - y.x);
	return y.x + f.z * (y.y - y.x);
}

#endif
