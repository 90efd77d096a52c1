/* SPDX-License-Identifier: Apache-2.0
 * The grid of cells that remembers which space is empty, for what judges by it (foreign_sort.cl) and what fills it (foreign_hide.cl, foreign_learn.cl). It wraps
 * around: a cell's word says which of the cells that share its place it is. Evidence is counted as occupancy grids do (Moravec and Elfes 1985). */
#ifndef ENM_FOREIGN_CELLS_H
#define ENM_FOREIGN_CELLS_H

#include "volume.h"

/* From the lowest bit on: looks through it, ticks in which something was there, the last of these, and whose it is. */
#define CELL_FREE(word) ((word) & 7u)
#define CELL_STAYED(word) ((word) >> 3 & 63u)
#define CELL_TICK(word) ((word) >> 9 & 255u)
#define CELL_TAG 0xFFFE0000u

/* Of time: so slow that a frame comes in each of them. */
#define TICKS_PER_S 15.0f

/* Looks through a cell before it counts as empty. */
#define FREE_SURE 2u

/* How long something must stay to be believed: in a cell known to be empty; and where nothing is known, while a body may be about. */
#define STAY_IN_FREE 61u /* ticks */
#define STAY_ALERT 60u

#define SAMPLES 2 /* across a tile, and down */

#define VOTES_HIDES 128u /* of what a tile's samples say: the model lies behind; beside the count of those on it */

/* What a tile is. */
#define FLAG_FOREIGN 1u
#define FLAG_ALONE 2u
#define FLAG_BESIDE 4u /* one of these */
#define FLAG_KNOWN 8u
#define FLAG_AIR 16u
#define FLAG_FAR 32u /* hangs together with the model, but too far off it while a body is about */
#define FLAG_FOLLOWED 64u /* a body, by its place in the picture alone: where it is in space is not known */

static inline uint cell_make(uint tag, uint looks, uint stayed, uint tick)
{
	return tag | (tick & 255u) << 9 | min(stayed, 63u) << 3 | min(looks, 7u);
}

static inline int3 cell_of(const enm_k_foreign *f, float3 point_mm)
{
	return convert_int3(floor(point_mm * f->per_cell));
}

static inline uint cell_place(int3 cell)
{
	int3 c = cell & (ENM_K_FOREIGN_GRID - 1);
	return (uint)((c.z * ENM_K_FOREIGN_GRID + c.y) * ENM_K_FOREIGN_GRID + c.x);
}

/* Every island begins with nothing known, though it lies where another has been. */
static inline uint cell_tag(int3 cell, uint island)
{
	int3 t = cell >> ENM_K_FOREIGN_GRID_BITS & (int3)(15, 15, 7);
	return ((uint)(t.x | t.y << 4 | t.z << 8) | (island & 15u) << 11) << 17;
}

/* A cell's word, emptied where another cell has had its place. */
static inline uint cell_word(__global const uint *grid, int3 cell, uint island)
{
	uint word = grid[cell_place(cell)], tag = cell_tag(cell, island);
	return (word & CELL_TAG) == tag ? word : tag;
}

static inline int blocks_in_cell(const enm_k_foreign *f)
{
	return f->blocks_across * f->blocks_across * f->blocks_across;
}

/* One of a cell's blocks; BLOCK_NONE where the model has none. */
static inline uint block_in_cell(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, int3 cell, int number)
{
	int across = f->blocks_across;
	int3 at = (int3)(number % across, number / across % across, number / across / across);
	return block_find(table, volume->table_mask, cell * across + at);
}

#endif
