/* SPDX-License-Identifier: Apache-2.0
 * The sums of an alignment step, which both trackers share: which pixels are sampled, what a sample adds, and how the items of a
 * group are added in a fixed order. */
#ifndef ENM_SUMS_H
#define ENM_SUMS_H

#include "geometry.h"

typedef struct sample {
	float3 point_mm; /* world */
	float3 normal;   /* world, of the model */
	float residual_mm, weight;
} sample;

/* Adds a sample that lies on the model. Rotation is about `pivot_mm` and scaled by `lever_mm`, so that all six unknowns are
 * lengths of one order. Tukey's biweight reaches as far as the gate. */
static inline void sums_add(__private float *sum, const sample *s, float3 pivot_mm, float lever_mm, float gate_mm)
{
	sum[ENM_K_SUM_MODEL] += 1.0f;
	sum[ENM_K_SUM_QUALITY] += s->weight;
	float q = s->residual_mm / gate_mm;
	float robust = 1.0f - q * q;
	if (!(robust > 0.0f))
		return;
	float w = s->weight * robust * robust;
	float3 turn = cross(s->point_mm - pivot_mm, s->normal) / lever_mm;
	float j[6] = {turn.x, turn.y, turn.z, s->normal.x, s->normal.y, s->normal.z};
	int k = 0;
	for (int a = 0; a < 6; a++) {
		float wj = w * j[a];
		for (int b = a; b < 6; b++)
			sum[k++] += wj * j[b];
		sum[ENM_K_SUM_GRADIENT + a] += wj * s->residual_mm;
	}
	sum[ENM_K_SUM_COST] += w * s->residual_mm * s->residual_mm;
	sum[ENM_K_SUM_WEIGHT] += w;
	sum[ENM_K_SUM_INLIER] += 1.0f;
}

/* Adds the items of a group in their order. */
static inline void sums_store(__private const float *sum, __local float *shared, __global float *partials)
{
	int item = get_local_id(0);
	for (int k = 0; k < ENM_K_SUMS; k++)
		shared[k * ENM_K_TRACK_GROUP + item] = sum[k];
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < ENM_K_SUMS) {
		float total = 0.0f;
		for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
			total += shared[item * ENM_K_TRACK_GROUP + i];
		partials[get_group_id(0) * ENM_K_SUMS + item] = total;
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

static inline int level_pixel(const enm_k_camera *camera, const enm_k_level *level, int i)
{
	int columns = camera->width / level->stride;
	return ((i / columns) * level->stride + level->stride / 2) * camera->width +
	       (i % columns) * level->stride + level->stride / 2;
}

#endif
