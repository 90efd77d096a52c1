/* SPDX-License-Identifier: Apache-2.0
 * The sums of an alignment step, which both trackers share: which pixels are sampled, what a sample adds, and how the items of a
 * group are added in a fixed order. */
#ifndef ENM_SUMS_H
#define ENM_SUMS_H

#include "geometry.h"

/* A reading that lies on the model. */
typedef struct sample {
	float3 point_mm; /* world */
	float3 normal;   /* world, of the model */
	float residual_mm, weight;
	float moment; /* from the middle row, in half frames */
} sample;

/* What an item adds up; rows and scalars as ENM_K_SUM_ names them. */
typedef struct sums {
	float8 row[6];
	float8 skew[6], skew2[6]; /* only where rows are exposed one after the other */
	float weight, cost, quality, depth, offered, model, inlier, free_space;
} sums;

static inline void sums_clear(__private sums *s)
{
	for (int a = 0; a < 6; a++)
		s->row[a] = s->skew[a] = s->skew2[a] = (float8)(0.0f);
	s->weight = s->cost = s->quality = s->depth = s->offered = s->model = s->inlier = s->free_space = 0.0f;
}

/* Tukey's biweight; 0 from 1 on. */
static inline float biweight(float q)
{
	float robust = fmax(1.0f - q * q, 0.0f);
	return robust * robust;
}

/* Adds a sample that lies on the model. Rotation is about `pivot_mm` and scaled by the lever, so that all six unknowns are
 * lengths of one order. Tukey's biweight reaches as far as the gate. Both triangles of the symmetric part are added: a row is
 * one vector. `rolling` is known when the kernel is compiled. */
static inline void sums_add_moment(__private sums *sum, const sample *s, float3 pivot_mm, float per_lever, float gate_mm, bool rolling)
{
	sum->model += 1.0f;
	sum->quality += s->weight;
	float robust = biweight(s->residual_mm / gate_mm);
	if (!(robust > 0.0f))
		return;
	float w = s->weight * robust;
	float3 turn = cross(s->point_mm - pivot_mm, s->normal) * per_lever;
	float8 j = (float8)(turn, s->normal, s->residual_mm, 1.0f), wj = w * j;
	sum->row[0] += wj.s0 * j;
	sum->row[1] += wj.s1 * j;
	sum->row[2] += wj.s2 * j;
	sum->row[3] += wj.s3 * j;
	sum->row[4] += wj.s4 * j;
	sum->row[5] += wj.s5 * j;
	if (rolling) {
		float8 once = s->moment * j, twice = s->moment * once;
		sum->skew[0] += wj.s0 * once;
		sum->skew[1] += wj.s1 * once;
		sum->skew[2] += wj.s2 * once;
		sum->skew[3] += wj.s3 * once;
		sum->skew[4] += wj.s4 * once;
		sum->skew[5] += wj.s5 * once;
		sum->skew2[0] += wj.s0 * twice;
		sum->skew2[1] += wj.s1 * twice;
		sum->skew2[2] += wj.s2 * twice;
		sum->skew2[3] += wj.s3 * twice;
		sum->skew2[4] += wj.s4 * twice;
		sum->skew2[5] += wj.s5 * twice;
	}
	sum->weight += w;
	sum->cost += wj.s6 * s->residual_mm;
	sum->inlier += 1.0f;
}

static inline void sums_add(__private sums *sum, const sample *s, float3 pivot_mm, float per_lever, float gate_mm)
{
	sums_add_moment(sum, s, pivot_mm, per_lever, gate_mm, false);
}

/* Adds the product of two readings' rows, or of two for one reading, to six rows of a matrix. */
static inline void rows_add(__private float8 *row, float8 one, float8 other)
{
	row[0] += one.s0 * other;
	row[1] += one.s1 * other;
	row[2] += one.s2 * other;
	row[3] += one.s3 * other;
	row[4] += one.s4 * other;
	row[5] += one.s5 * other;
}

/* Adds `count` rows of the items of a group in their order, and stores them from the group's row `first` on. */
static inline void rows_store(const float8 *rows, int count, int first, __local float8 *shared, __global float8 *partials)
{
	int item = get_local_id(0);
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int a = 0; a < count; a++)
		shared[a * ENM_K_TRACK_GROUP + item] = rows[a];
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < count) {
		float8 total = (float8)(0.0f);
		for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
			total += shared[item * ENM_K_TRACK_GROUP + i];
		partials[get_group_id(0) * ENM_K_SUM_ROWS_ROLLING + first + item] = total;
	}
}

/* `shared` has six rows of the group's items. */
static inline void sums_store(__private const sums *s, bool rolling, __local float8 *shared, __global float8 *partials)
{
	float8 scalars = (float8)(s->weight, s->cost, s->quality, s->depth, s->offered, s->model, s->inlier, s->free_space);
	rows_store(s->row, 6, 0, shared, partials);
	rows_store(&scalars, 1, 6, shared, partials);
	if (rolling) {
		rows_store(s->skew, 6, ENM_K_SUM_ROWS, shared, partials);
		rows_store(s->skew2, 6, ENM_K_SUM_ROWS + 6, shared, partials);
	}
}

static inline bool level_skipped(__global const enm_k_track *track, const enm_k_level *level)
{
	return (track->done & (ENM_K_DONE_ALL | ENM_K_DONE_LEVEL << level->index)) != 0;
}

static inline float level_gate_mm(__global const enm_k_track *track, const enm_k_level *level)
{
	float gate_mm = track->gate_mm;
	return gate_mm > 0.0f ? fmin(gate_mm, level->gate_start_mm) : level->gate_start_mm;
}

/* Samples of a level lie on a grid of `stride` pixels. */
static inline int level_samples(const enm_k_camera *camera, const enm_k_level *level)
{
	return (camera->width / level->stride) * (camera->height / level->stride);
}

/* The samples [from, to) of this item: neighbours, so that they look up the same blocks. */
static inline void level_share(const enm_k_camera *camera, const enm_k_level *level, __global const enm_k_track *track, int *from, int *to)
{
	int items = ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP;
	int count = level_skipped(track, level) ? 0 : level_samples(camera, level), share = (count + items - 1) / items;
	*from = min((int)get_global_id(0) * share, count);
	*to = min(*from + share, count);
}

static inline int level_pixel(const enm_k_camera *camera, const enm_k_level *level, int i)
{
	int columns = camera->width / level->stride;
	return ((i / columns) * level->stride + level->stride / 2) * camera->width +
	       (i % columns) * level->stride + level->stride / 2;
}

#endif
