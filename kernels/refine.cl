/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a whole scan against one another, for the joint refinement of poses and depth residual.
 *
 *   refine_overlap   how much two frames see of each other
 *   refine_sum       the normal equations of a pair
 */
#include "refine.h"

/* A group a pair: LANES samples an item and direction. `rays`: of a map's samples. `shares`: of the samples with a reading, the part that the other frame
 * has too, the less of both directions. */
__kernel __attribute__((reqd_work_group_size(ENM_K_REFINE_GROUP, 1, 1)))
void refine_overlap(const enm_k_camera camera, const enm_k_refine g, __global const float2 *rays, __global const uint2 *maps,
		    __global const enm_k_node *nodes, __global const enm_k_pair *pairs, __global float *shares)
{
	__local uint counts[4 * ENM_K_REFINE_GROUP];
	int item = get_local_id(0), n = item * LANES;
	uint first = pairs[get_group_id(0)].first, second = pairs[get_group_id(0)].second;
	enm_k_pose forth = pairs[get_group_id(0)].second_from_first, back;
	pose_invert(&forth, &back);
	map_view a, b;
	map_open(&g, maps, nodes, first, &a);
	map_open(&g, maps, nodes, second, &b);
	for (int direction = 0; direction < 2 && n < ENM_K_REFINE_GROUP; direction++) {
		refine_match m;
		intn cells = sample_cells(&g, first, first, n, ENM_K_REFINE_GROUP);
		if (direction == 0)
			match_samples(&camera, &g, rays, &a, &b, &forth, cells, &m);
		else
			match_samples(&camera, &g, rays, &b, &a, &back, cells, &m);
		intn agrees = matches_agree(&m) & (fabs(m.distance_mm) < g.gate * m.sigma_mm);
		lanes_store(select((uintn)(0u), (uintn)(1u), m.has), counts + (2 * direction) * ENM_K_REFINE_GROUP + n);
		lanes_store(select((uintn)(0u), (uintn)(1u), agrees), counts + (2 * direction + 1) * ENM_K_REFINE_GROUP + n);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item != 0)
		return;
	uint sums[4];
	for (int k = 0; k < 4; k++) {
		sums[k] = 0;
		for (int i = 0; i < ENM_K_REFINE_GROUP; i++)
			sums[k] += counts[k * ENM_K_REFINE_GROUP + i];
	}
	float there = sums[0] > 0 ? (float)sums[1] / (float)sums[0] : 0.0f, again = sums[2] > 0 ? (float)sums[3] / (float)sums[2] : 0.0f;
	shares[get_group_id(0)] = fmin(there, again);
}

#define COLUMNS 21 /* ENM_K_REFINE_COLUMNS, and a sample's robust weight and presence */
#define EIGHTS (ENM_K_REFINE_GROUP / 8)
#define OUTPUTS (ENM_K_REFINE_SUMS / ENM_K_REFINE_GROUP) /* of an item */

static inline void put(intn counts, floatn value, __local float *column)
{
	lanes_store(select((floatn)(0.0f), value, counts), column);
}

static inline void put_vectors(intn counts, floatn weight, const vectors *v, __local float *column)
{
	put(counts, weight * v->x, column);
	put(counts, weight * v->y, column + ENM_K_REFINE_GROUP);
	put(counts, weight * v->z, column + 2 * ENM_K_REFINE_GROUP);
}

/* The columns of LANES samples, all of their weights: nothing where there is nothing to compare. */
static inline void write_columns(const enm_k_refine *g, const refine_match *m, bool forward, __local float *columns)
{
	floatn u = m->distance_mm / (g->gate * m->sigma_mm), left = 1.0f - u * u; /* Tukey's biweight */
	intn counts = matches_agree(m) & (left > 0.0f);
	floatn weight = left / m->sigma_mm;
	vectors turn_from, turn_to, move_to = m->normal_to;
	vectors_cross(&m->point_from, &m->normal_from, &turn_from);
	vectors_cross(&m->normal_to, &m->point_to, &turn_to);
	vectors_scale(&move_to, -1.0f);
	floatn along_from = vectors_dot(&m->normal_from, &m->ray_from), along_to = vectors_dot(&m->normal_to, &m->ray_to);
	int from = forward ? 0 : 6, to = 6 - from;
	put_vectors(counts, weight, &turn_from, columns + from * ENM_K_REFINE_GROUP);
	put_vectors(counts, weight, &m->normal_from, columns + (from + 3) * ENM_K_REFINE_GROUP);
	put_vectors(counts, weight, &turn_to, columns + to * ENM_K_REFINE_GROUP);
	put_vectors(counts, weight, &move_to, columns + (to + 3) * ENM_K_REFINE_GROUP);
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		put(counts, weight * (along_to * m->terms_to[i] - along_from * m->terms_from[i]), columns + (12 + i) * ENM_K_REFINE_GROUP);
	put(counts, weight * m->distance_mm, columns + 18 * ENM_K_REFINE_GROUP);
	put(counts, left, columns + 19 * ENM_K_REFINE_GROUP);
	put(m->hit, (floatn)(1.0f), columns + 20 * ENM_K_REFINE_GROUP);
}

/* Without a loop, of which PoCL would do each turn for all items before the next. */
static inline float8 columns_product(__local const float8 *a, __local const float8 *b)
{
	return ((a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3])) + ((a[4] * b[4] + a[5] * b[5]) + (a[6] * b[6] + a[7] * b[7]));
}

/* A group a pair. Samples are taken by as many as the group has items, LANES an item, first one direction, then the other; each item then adds their
 * products for its own few sums, so that every sum has one order. */
__kernel __attribute__((reqd_work_group_size(ENM_K_REFINE_GROUP, 1, 1)))
void refine_sum(const enm_k_camera camera, const enm_k_refine g, __global const float2 *rays, __global const uint2 *maps,
		__global const enm_k_node *nodes, __global const enm_k_pair *pairs, __global float *sums)
{
	__local float8 eights[COLUMNS * EIGHTS]; /* aligned: PoCL takes vload8 apart */
	__local float *columns = (__local float *)eights;
	int item = get_local_id(0), group = get_group_id(0);
	uint first = pairs[group].first, second = pairs[group].second;
	int rows[OUTPUTS], others[OUTPUTS];
	float8 totals[OUTPUTS];
	for (int k = 0; k < OUTPUTS; k++) {
		int left = item + k * ENM_K_REFINE_GROUP, row = 0;
		bool product = left < ENM_K_REFINE_PRODUCTS;
		for (int i = 0; i < ENM_K_REFINE_COLUMNS; i++) {
			bool past = product && left >= ENM_K_REFINE_COLUMNS - row;
			left -= past ? ENM_K_REFINE_COLUMNS - row : 0;
			row += past ? 1 : 0;
		}
		rows[k] = product ? row : left - ENM_K_REFINE_PRODUCTS + ENM_K_REFINE_COLUMNS;
		others[k] = product ? row + left : rows[k];
		totals[k] = (float8)(0.0f);
	}
	int parts = g.samples / ENM_K_REFINE_GROUP;
	for (int part = 0; part < 2 * parts; part++) {
		bool forward = part < parts;
		if (item * LANES < ENM_K_REFINE_GROUP) {
			enm_k_pose forth = pairs[group].second_from_first, back;
			refine_match m;
			map_view a, b;
			pose_invert(&forth, &back);
			map_open(&g, maps, nodes, forward ? first : second, &a);
			map_open(&g, maps, nodes, forward ? second : first, &b);
			int n = (forward ? part : part - parts) * ENM_K_REFINE_GROUP + item * LANES;
			intn cells = sample_cells(&g, forward ? first : second, forward ? second : first, n, g.samples);
			match_samples(&camera, &g, rays, &a, &b, forward ? &forth : &back, cells, &m);
			write_columns(&g, &m, forward, columns + item * LANES);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		for (int k = 0; k < OUTPUTS; k++)
			totals[k] += columns_product(eights + rows[k] * EIGHTS, eights + others[k] * EIGHTS);
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	for (int k = 0; k < OUTPUTS; k++) {
		float4 quarter = totals[k].lo + totals[k].hi;
		float2 pair = quarter.lo + quarter.hi;
		sums[(size_t)group * ENM_K_REFINE_SUMS + item + k * ENM_K_REFINE_GROUP] = pair.x + pair.y;
	}
}
