/* SPDX-License-Identifier: Apache-2.0
 * Rays of LANES neighbours through the volume, in step: at most steps a CPU waits for memory, and so LANES rays wait together. */
#ifndef ENM_CAST_H
#define ENM_CAST_H

#include "lanes_of_cpus.h"

#include "volume.h"

#define STEPS_MAX 1000
#define UNREAD 2.0f    /* no distance has this value */
#define NEAR_SHARE 0.7f /* of the truncation: below that distances are interpolated, which costs more */
#define STEP_SHARE 0.8f /* of the distance read: along a ray that is not the reading's the surface may be nearer */

/* Of the model: what all steps need. */
typedef struct model {
	__global const uint2 *table;
	__global const uint *voxels;
	uint mask;
} model;

typedef struct rays {
	floatn x, y, z;    /* where s is 0, in voxels */
	floatn dx, dy, dz; /* voxels per s */
	floatn slope;      /* mm per s */
	floatn from, to;   /* ends of s; nothing is cast where from >= to */
} rays;

typedef struct hits {
	floatn x, y, z, nx, ny, nz; /* place in voxels; the normal is outward */
	uintn block;                /* of the voxel nearest to the crossing, for its colour and views */
	intn voxel;
	intn found, from_behind;
} hits;

/* A ray under way. */
typedef struct march {
	floatn s, before, value_before, root;
	intn known_before, going, crossed, steps; /* crossed: waits to be settled */
} march;

static inline uintn blocks_find(const model *m, intn x, intn y, intn z)
{
	uintn kx = as_uintn(x + (1 << (ENM_K_KEY_BITS_XY - 1))), ky = as_uintn(y + (1 << (ENM_K_KEY_BITS_XY - 1)));
	uintn kz = as_uintn(z + (1 << (ENM_K_KEY_BITS_Z - 1)));
	uintn key = kx | ky << ENM_K_KEY_BITS_XY | kz << (2 * ENM_K_KEY_BITS_XY);
	intn inside = (kx < (1u << ENM_K_KEY_BITS_XY)) & (ky < (1u << ENM_K_KEY_BITS_XY)) & (kz < (1u << ENM_K_KEY_BITS_Z) - 1u);
	uintn hash = key * 2654435769u;
	uintn slot = (hash ^ hash >> 15) & m->mask;
	uintn found = BLOCK_NONE;
	intn going = inside;
	while (lanes_any(going)) {
		uint slots[LANES], keys[LANES], blocks[LANES];
		lanes_store(slot, slots);
#pragma unroll
		for (int i = 0; i < LANES; i++) {
			uint2 entry = m->table[slots[i]];
			keys[i] = entry.x;
			blocks[i] = entry.y;
		}
		uintn entry_key = lanes_load(keys);
		found = select(found, lanes_load(blocks), going & (entry_key == key));
		going &= (entry_key != key) & (entry_key != ENM_K_KEY_EMPTY);
		slot = (slot + 1u) & m->mask;
	}
	return found;
}

static inline intn voxels_in_block(intn x, intn y, intn z)
{
	return (x & 7) | (y & 7) << 3 | (z & 7) << 6;
}

/* Distance words of voxels; those of another place where there is no block. */
static inline uintn words_gather(const model *m, uintn block, intn voxel)
{
	uint blocks[LANES], words[LANES];
	int voxels[LANES];
	lanes_store(select(block, (uintn)(0), block == BLOCK_NONE), blocks);
	lanes_store(voxel, voxels);
#pragma unroll
	for (int i = 0; i < LANES; i++)
		words[i] = m->voxels[voxel_word(blocks[i], voxels[i])];
	return lanes_load(words);
}

/* Distance words at the corners of the cells whose lowest voxels, in `block`, are given; x fastest; 0 where a block is missing. */
static inline void cells_gather(const model *m, intn x, intn y, intn z, uintn block, intn wanted, uintn out[8])
{
	intn there = wanted & (block != BLOCK_NONE);
	intn within = ((x & 7) != 7) & ((y & 7) != 7) & ((z & 7) != 7);
	uint blocks[LANES], c[8][LANES];
	int first[LANES], way[LANES], vx[LANES], vy[LANES], vz[LANES];
	lanes_store(select((uintn)(0), block, there), blocks);
	lanes_store(select((intn)(0), voxels_in_block(x, y, z), there), first);
	lanes_store(there & !within, way);
	lanes_store(x, vx);
	lanes_store(y, vy);
	lanes_store(z, vz);
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		if (way[i]) {
			uint8 corner;
			block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
			if (!cell_load(m->table, m->voxels, m->mask, (int3)(vx[i], vy[i], vz[i]), &last, &corner))
				corner = 0;
			c[0][i] = corner.s0, c[1][i] = corner.s1, c[2][i] = corner.s2, c[3][i] = corner.s3;
			c[4][i] = corner.s4, c[5][i] = corner.s5, c[6][i] = corner.s6, c[7][i] = corner.s7;
		} else {
			__global const uint *v = m->voxels + voxel_word(blocks[i], first[i]);
			c[0][i] = v[0], c[1][i] = v[1], c[2][i] = v[8], c[3][i] = v[9];
			c[4][i] = v[64], c[5][i] = v[65], c[6][i] = v[72], c[7][i] = v[73];
		}
	}
#pragma unroll
	for (int k = 0; k < 8; k++)
		out[k] = select((uintn)(0), lanes_load(c[k]), there);
}

static inline floatn word_distance(uintn word)
{
	return to_floatn(as_intn(word << 16) >> 16) / ENM_K_SDF_ONE;
}

/* Interpolated distances at points, in truncations, and their change per voxel. Returns where the cell is complete. */
static inline intn sample(const model *m, floatn x, floatn y, floatn z, uintn block, intn wanted, floatn *distance, floatn gradient[3])
{
	floatn low_x = floor(x), low_y = floor(y), low_z = floor(z);
	uintn word[8];
	floatn c[8];
	cells_gather(m, to_intn(low_x), to_intn(low_y), to_intn(low_z), block, wanted, word);
	intn complete = wanted;
#pragma unroll
	for (int k = 0; k < 8; k++) {
		complete &= word[k] > 0xFFFFu;
		c[k] = word_distance(word[k]);
	}
	floatn fx = x - low_x, fy = y - low_y, fz = z - low_z;
	floatn slope_0 = c[1] - c[0], slope_1 = c[3] - c[2], slope_2 = c[5] - c[4], slope_3 = c[7] - c[6];
	floatn edge_0 = c[0] + fx * slope_0, edge_1 = c[2] + fx * slope_1, edge_2 = c[4] + fx * slope_2, edge_3 = c[6] + fx * slope_3;
	floatn across_low = edge_1 - edge_0, across_high = edge_3 - edge_2;
	floatn low = edge_0 + fy * across_low, high = edge_2 + fy * across_high;
	floatn along_low = slope_0 + fy * (slope_1 - slope_0), along_high = slope_2 + fy * (slope_3 - slope_2);
	gradient[0] = along_low + fz * (along_high - along_low);
	gradient[1] = across_low + fz * (across_high - across_low);
	gradient[2] = high - low;
	*distance = low + fz * (high - low);
	return complete;
}

static inline uintn blocks_at(const model *m, floatn x, floatn y, floatn z)
{
	return blocks_find(m, to_intn(floor(x)) >> 3, to_intn(floor(y)) >> 3, to_intn(floor(z)) >> 3);
}

/* Where rays in a block that is not there come out of it, a little beyond. */
static inline floatn to_far_side(floatn at, floatn d)
{
	floatn block = floor(at * 0.125f);
	floatn wall = (block + select((floatn)(0.0f), (floatn)(1.0f), d > 0.0f)) * 8.0f;
	return select((floatn)(INFINITY), (wall - at) / d, fabs(d) > 1e-9f);
}

static inline intn is_under_way(const march *a, const rays *r)
{
	return (a->s < r->to) & (a->steps < STEPS_MAX);
}

/* One step of all rays that go. A ray has crossed the surface where its distance changes its sign; from inside to outside only with `behind`. */
static inline void march_step(const model *m, const enm_k_volume *volume, const rays *r, bool behind, march *a, hits *h)
{
	floatn x = r->x + r->dx * a->s, y = r->y + r->dy * a->s, z = r->z + r->dz * a->s, gradient[3], value;
	intn vx = to_intn(floor(x)), vy = to_intn(floor(y)), vz = to_intn(floor(z)), voxel = voxels_in_block(vx, vy, vz);
	uintn block = blocks_find(m, vx >> 3, vy >> 3, vz >> 3);
	intn missing = block == BLOCK_NONE;
	uintn word = words_gather(m, block, voxel);
	intn known = !missing & (word > 0xFFFFu);
	floatn distance = select((floatn)(UNREAD), word_distance(word), known);
	intn near = a->going & (distance < NEAR_SHARE);
	if (lanes_any(near)) {
		intn complete = sample(m, x, y, z, block, near, &value, gradient);
		distance = select(distance, select((floatn)(UNREAD), value, complete), near);
	}
	floatn step_min = volume->voxel_mm / r->slope;
	floatn out = fmin(to_far_side(x, r->dx), fmin(to_far_side(y, r->dy), to_far_side(z, r->dz)));
	floatn step = fmax(fabs(distance) * volume->truncation_mm * STEP_SHARE / r->slope, 0.5f * step_min);
	intn read = distance != UNREAD;
	step = select(select(step_min, fmax(out, (floatn)(0.0f)) + 0.05f * step_min, missing), step, read);

	intn inside = distance < 0.0f, inside_before = a->value_before < 0.0f;
	intn crossed = a->going & read & a->known_before & ((inside & !inside_before) | (!inside & inside_before & (intn)(behind ? -1 : 0)));
	a->root = select(a->root, a->before + (a->s - a->before) * a->value_before / (a->value_before - distance), crossed);
	h->block = select(h->block, block, crossed);
	h->voxel = select(h->voxel, voxel, crossed);
	h->from_behind = select(h->from_behind, !inside, crossed);
	read &= a->going;
	a->known_before = select(a->known_before, read, a->going);
	a->before = select(a->before, a->s, read);
	a->value_before = select(a->value_before, distance, read);
	a->s += select((floatn)(0.0f), step, a->going);
	a->crossed |= crossed;
	a->steps += select((intn)(0), (intn)(1), a->going);
	a->going &= !crossed & is_under_way(a, r);
}

/* Goes on from crossings by one more step of the secant; rays for which there is no complete cell march on. */
static inline void march_settle(const model *m, const enm_k_volume *volume, const rays *r, march *a, hits *h)
{
	floatn g[3], gradient[3], left, ignored;
	floatn x = r->x + r->dx * a->root, y = r->y + r->dy * a->root, z = r->z + r->dz * a->root;
	intn found = sample(m, x, y, z, blocks_at(m, x, y, z), a->crossed, &left, g);
	floatn root = a->root + select(left, -left, h->from_behind) * volume->truncation_mm / r->slope;
	floatn x2 = r->x + r->dx * root, y2 = r->y + r->dy * root, z2 = r->z + r->dz * root;
	intn better = sample(m, x2, y2, z2, blocks_at(m, x2, y2, z2), found, &ignored, gradient);
	for (int i = 0; i < 3; i++)
		g[i] = select(g[i], gradient[i], better);
	floatn squared = g[0] * g[0] + g[1] * g[1] + g[2] * g[2];
	found &= squared > 0.0f;
	floatn per_length = 1.0f / sqrt(select((floatn)(1.0f), squared, found));
	h->x = select(h->x, select(x, x2, better), found);
	h->y = select(h->y, select(y, y2, better), found);
	h->z = select(h->z, select(z, z2, better), found);
	h->nx = select(h->nx, g[0] * per_length, found);
	h->ny = select(h->ny, g[1] * per_length, found);
	h->nz = select(h->nz, g[2] * per_length, found);
	h->found |= found;
	a->going |= a->crossed & !found & is_under_way(a, r);
	a->crossed = 0;
}

/* First crossings of rays from outside to inside; with `behind` also from inside to outside. Steps by the distance read, by a block where there is
 * none. Crossings are settled together, when no ray goes any more. */
static inline void cast_rays(const model *m, const enm_k_volume *volume, const rays *r, bool behind, hits *h)
{
	march a;
	h->x = h->y = h->z = h->nx = h->ny = h->nz = 0.0f;
	h->block = 0;
	h->voxel = h->found = h->from_behind = 0;
	a.s = a.before = a.root = r->from;
	a.value_before = -1.0f;
	a.known_before = a.crossed = a.steps = 0;
	a.going = r->from < r->to;
	while (lanes_any(a.going | a.crossed)) {
		if (lanes_any(a.going))
			march_step(m, volume, r, behind, &a, h);
		else
			march_settle(m, volume, r, &a, h);
	}
}

#endif
