/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of the surface share: the block in hand with its neighbours, and its voxels, edges and cells by rows. */
#ifndef ENM_ROWS_H
#define ENM_ROWS_H

#include "volume.h"

#define GROUP 64 /* does a block */
#define EDGE ENM_K_BLOCK_EDGE
#define SIDE 9            /* voxels that a block's cells touch along an axis */
#define ROWS (SIDE * SIDE) /* of voxels in x: (y, z) is row y + 9 z */
#define WIDE 11           /* SIDE, and one more on either side for gradients */

/* Row words: a bit an edge that carries a vertex, from x up. */
#define ROW_SHIFT(axis) ((axis) == 0 ? 0 : (axis) == 1 ? 8 : 17)
#define ROW_MASK(axis) ((axis) == 0 ? 0xFFu : 0x1FFu)

/* The block and its 26 neighbours: block_near(x, y, z) for -1, 0 and 1. */
static inline int block_near(int x, int y, int z)
{
	return (x + 1) + 3 * (y + 1) + 9 * (z + 1);
}

static inline void find_near(__global const uint2 *table, uint mask, uint key, __local uint *near, int first)
{
	for (int i = first + get_local_id(0); i < 27; i += GROUP)
		near[i] = block_find(table, mask, block_of_key(key) + (int3)(i % 3, i / 3 % 3, i / 9) - 1);
}

static inline int row_start(int y, int z)
{
	return (y & 7) << 3 | (z & 7) << 6;
}

typedef struct row9 {
	uint8 low;
	uint last;
} row9;

/* Nine words of a plane, from x = 0; 0 where there is no block. */
static inline void row_load(__global const uint *plane, __local const uint *near, int y, int z, row9 *out)
{
	uint own = near[block_near(0, y >> 3, z >> 3)], next = near[block_near(1, y >> 3, z >> 3)];
	int start = row_start(y, z);
	out->low = own == BLOCK_NONE ? (uint8)(0) : vload8(0, plane + voxel_word(own, start));
	out->last = next == BLOCK_NONE ? 0 : plane[voxel_word(next, start)];
}

/* The case of the cell at x between four rows of signs. */
static inline uint cell_case(__local const ushort *inside, int r, int x)
{
	return (inside[r] >> x & 3u) | (inside[r + 1] >> x & 3u) << 2 | (inside[r + SIDE] >> x & 3u) << 4 |
	       (inside[r + SIDE + 1] >> x & 3u) << 6;
}

static inline uint row_triangles(__global const uchar *cases, __local const ushort *inside, int r, uint cells)
{
	uint n = 0;
	for (; cells != 0; cells &= cells - 1)
		n += cases[256 * 16 + cell_case(inside, r, 31 - clz(cells & -cells))];
	return n;
}

static inline bool row_is_inner(int r)
{
	return r % SIDE < EDGE && r / SIDE < EDGE;
}

/* Edges of a row and an axis: part 0 to 2 are the block's own, 3 to 5 those on the far side. */
static inline uint part_bits(uint row, int r, int part)
{
	int axis = part % 3;
	uint bits = row >> ROW_SHIFT(axis) & ROW_MASK(axis);
	if (row_is_inner(r))
		return part < 3 ? bits & 0xFFu : bits & 0x100u;
	return part < 3 ? 0 : bits;
}

#endif
