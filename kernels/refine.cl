/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a whole scan against one another, for the joint refinement of poses and depth residual.
 *
 *   refine_overlap   how much two frames see of each other
 *   refine_sum       the normal equations of a pair
 */
#include "refine.h"

/* A group a pair: a sample an item and direction. `shares`: of the samples with a reading, the part that the other frame has too, the less
 * of both directions. */
__kernel __attribute__((reqd_work_group_size(ENM_K_REFINE_GROUP, 1, 1)))
void refine_overlap(const enm_k_camera camera, const enm_k_refine g, __global const float2 *rays, __global const uint2 *maps,
		    __global const enm_k_node *nodes, __global const enm_k_pair *pairs, __global float *shares)
{
	__local uint counts[4 * ENM_K_REFINE_GROUP];
	int item = get_local_id(0);
	uint first = pairs[get_group_id(0)].first, second = pairs[get_group_id(0)].second;
	enm_k_pose forth = pairs[get_group_id(0)].second_from_first, back;
	pose_invert(&forth, &back);
	map_view a, b;
	map_open(&g, maps, nodes, first, &a);
	map_open(&g, maps, nodes, second, &b);
	for (int direction = 0; direction < 2; direction++) {
		refine_match m;
		int cell = sample_cell(&g, first, first, item, ENM_K_REFINE_GROUP);
		bool forward = direction == 0, hit;
		uint has = as_float((forward ? a.samples : b.samples)[cell].x) > 0.0f ? 1 : 0;
		if (forward)
			hit = match_sample(&camera, &g, rays, &a, &b, &forth, cell, &m);
		else
			hit = match_sample(&camera, &g, rays, &b, &a, &back, cell, &m);
		bool agrees = hit && fabs(m.distance_mm) < g.gate * m.sigma_mm && dot(m.own_normal, m.normal_from) > NORMAL_AGREES;
		counts[(2 * direction) * ENM_K_REFINE_GROUP + item] = has;
		counts[(2 * direction + 1) * ENM_K_REFINE_GROUP + item] = agrees ? 1 : 0;
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
#define OUTPUTS (ENM_K_REFINE_SUMS / ENM_K_REFINE_GROUP) /* of an item */

/* A sample's columns, all of its weight: nothing where there is nothing to compare. */
static inline void write_columns(const enm_k_camera *c, const enm_k_refine *g, const refine_match *m, bool hit, bool forward, int item,
				 __local float *columns)
{
	float u = m->distance_mm / (g->gate * m->sigma_mm), left = 1.0f - u * u; /* Tukey's biweight */
	bool counts = hit && left > 0.0f && dot(m->own_normal, m->normal_from) > NORMAL_AGREES;
	float root = counts ? left : 0.0f, weight = counts ? left / m->sigma_mm : 0.0f;
	float3 turn_from = cross(m->point_from, m->normal_from), turn_to = cross(m->normal_to, m->point_to);
	float along_from = dot(m->normal_from, m->ray_from), along_to = dot(m->normal_to, m->ray_to);
	float j[COLUMNS];
	int from = forward ? 0 : 6, to = 6 - from;
	j[from] = turn_from.x;
	j[from + 1] = turn_from.y;
	j[from + 2] = turn_from.z;
	j[from + 3] = m->normal_from.x;
	j[from + 4] = m->normal_from.y;
	j[from + 5] = m->normal_from.z;
	j[to] = turn_to.x;
	j[to + 1] = turn_to.y;
	j[to + 2] = turn_to.z;
	j[to + 3] = -m->normal_to.x;
	j[to + 4] = -m->normal_to.y;
	j[to + 5] = -m->normal_to.z;
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		j[12 + i] = along_to * m->terms_to[i] - along_from * m->terms_from[i];
	j[18] = m->distance_mm;
	for (int i = 0; i < ENM_K_REFINE_COLUMNS; i++)
		columns[i * ENM_K_REFINE_GROUP + item] = counts ? weight * j[i] : 0.0f;
	columns[19 * ENM_K_REFINE_GROUP + item] = root;
	columns[20 * ENM_K_REFINE_GROUP + item] = hit ? 1.0f : 0.0f;
}

/* A group a pair. Samples are taken by as many as the group has items, first one direction, then the other; each item then adds their
 * products for its own few sums, so that every sum has one order. */
__kernel __attribute__((reqd_work_group_size(ENM_K_REFINE_GROUP, 1, 1)))
void refine_sum(const enm_k_camera camera, const enm_k_refine g, __global const float2 *rays, __global const uint2 *maps,
		__global const enm_k_node *nodes, __global const enm_k_pair *pairs, __global float *sums)
{
	__local float columns[COLUMNS * ENM_K_REFINE_GROUP];
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
		enm_k_pose forth = pairs[group].second_from_first, back;
		refine_match m;
		map_view a, b;
		pose_invert(&forth, &back);
		map_open(&g, maps, nodes, forward ? first : second, &a);
		map_open(&g, maps, nodes, forward ? second : first, &b);
		int n = (forward ? part : part - parts) * ENM_K_REFINE_GROUP + item;
		int cell = sample_cell(&g, forward ? first : second, forward ? second : first, n, g.samples);
		bool hit = match_sample(&camera, &g, rays, &a, &b, forward ? &forth : &back, cell, &m);
		write_columns(&camera, &g, &m, hit, forward, item, columns);
		barrier(CLK_LOCAL_MEM_FENCE);
		for (int k = 0; k < OUTPUTS; k++)
			for (int i = 0; i < ENM_K_REFINE_GROUP; i += 8)
				totals[k] += vload8(0, columns + rows[k] * ENM_K_REFINE_GROUP + i) *
					     vload8(0, columns + others[k] * ENM_K_REFINE_GROUP + i);
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	for (int k = 0; k < OUTPUTS; k++) {
		float4 quarter = totals[k].lo + totals[k].hi;
		float2 pair = quarter.lo + quarter.hi;
		sums[(size_t)group * ENM_K_REFINE_SUMS + item + k * ENM_K_REFINE_GROUP] = pair.x + pair.y;
	}
}
