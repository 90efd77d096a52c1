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

/* Distance words at the corners of the cell whose lowest voxel is `low`, in the order x fastest. Returns false where one is
 * missing. */
static inline bool cell_load(__global const uint2 *table, __global const uint *voxels, uint mask, int3 low,
			     __private uint corner[8])
{
	if ((low.x & 7) != 7 && (low.y & 7) != 7 && (low.z & 7) != 7) {
		uint index = block_find(table, mask, low >> 3);
		if (index == BLOCK_NONE)
			return false;
		__global const uint *v = voxels + voxel_word(index, voxel_in_block(low));
		corner[0] = v[0];
		corner[1] = v[1];
		corner[2] = v[8];
		corner[3] = v[9];
		corner[4] = v[64];
		corner[5] = v[65];
		corner[6] = v[72];
		corner[7] = v[73];
		return true;
	}
	for (int i = 0; i < 8; i++) {
		int3 v = low + (int3)(i & 1, i >> 1 & 1, i >> 2);
		uint index = block_find(table, mask, v >> 3);
		if (index == BLOCK_NONE)
			return false;
		corner[i] = voxels[voxel_word(index, voxel_in_block(v))];
	}
	return true;
}

/* Trilinear value and its gradient per voxel from eight corner values, f in [0, 1]. */
static inline float cell_value(const float *c, float3 f, float3 *gradient)
{
	float x00 = c[0] + f.x * (c[1] - c[0]), x10 = c[2] + f.x * (c[3] - c[2]);
	float x01 = c[4] + f.x * (c[5] - c[4]), x11 = c[6] + f.x * (c[7] - c[6]);
	float y0 = x00 + f.y * (x10 - x00), y1 = x01 + f.y * (x11 - x01);
	float gx0 = (c[1] - c[0]) + f.y * ((c[3] - c[2]) - (c[1] - c[0]));
	float gx1 = (c[5] - c[4]) + f.y * ((c[7] - c[6]) - (c[5] - c[4]));
	*gradient = (float3)(gx0 + f.z * (gx1 - gx0), (x10 - x00) + f.z * ((x11 - x01) - (x10 - x00)), y1 - y0);
	return y0 + f.z * (y1 - y0);
}

#endif
