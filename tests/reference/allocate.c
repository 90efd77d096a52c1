/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/allocate.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void push(ref_keys *k, uint32_t key)
{
	if (k->count > 0 && k->keys[k->count - 1] == key)
		return;
	if (k->count == k->capacity) {
		k->capacity = 2 * k->capacity + 1024;
		k->keys = realloc(k->keys, k->capacity * sizeof(*k->keys));
		if (k->keys == NULL)
			abort();
	}
	k->keys[k->count++] = key;
}

static void sort(ref_keys *k)
{
	uint32_t kept = 0;
	if (k->count > 0)
		qsort(k->keys, k->count, sizeof(*k->keys), compare);
	for (uint32_t i = 0; i < k->count; i++)
		if (kept == 0 || k->keys[kept - 1] != k->keys[i])
			k->keys[kept++] = k->keys[i];
	k->count = kept;
}

void ref_keys_destroy(ref_keys *k)
{
	free(k->keys);
	*k = (ref_keys){0};
}

bool ref_keys_have(const ref_keys *k, uint32_t key)
{
	return k->count > 0 && bsearch(&key, k->keys, k->count, sizeof(key), compare) != NULL;
}

/* Blocks along a reading's normal. The engine samples the band at half blocks or finer, which a short cut through a
 * block's corner can slip between: only samples of that grid are sure, the whole segment may be. */
static void push_band(const double p[3], const double n[3], double reach_mm, double block_mm, double slack_mm,
	ref_keys *must, ref_keys *may)
{
	const int coarse = (int)ceil(4.0 * reach_mm / block_mm - 1e-9), fine = 16 * coarse;
	for (int s = 0; s <= fine; s++) {
		const double along = reach_mm * (2.0 * s / fine - 1.0);
		const double at[3] = {p[0] + n[0] * along, p[1] + n[1] * along, p[2] + n[2] * along};
		int low[3], high[3];
		for (int i = 0; i < 3; i++) {
			low[i] = (int)floor((at[i] - slack_mm) / block_mm);
			high[i] = (int)floor((at[i] + slack_mm) / block_mm);
		}
		for (int z = low[2]; z <= high[2]; z++)
			for (int y = low[1]; y <= high[1]; y++)
				for (int x = low[0]; x <= high[0]; x++)
					push(may, ref_key(x, y, z));
		if (s % 16 == 0 && low[0] == high[0] && low[1] == high[1] && low[2] == high[2])
			push(must, ref_key(low[0], low[1], low[2]));
	}
}

void ref_allocate(const ref_frame *f, const ref_pose *pose, int stride, double voxel_mm, double truncation_mm,
	double slack_mm, ref_keys *out_must, ref_keys *out_may)
{
	*out_must = *out_may = (ref_keys){0};
	for (uint32_t y = 0; y < f->camera->height; y += (uint32_t)stride) {
		for (uint32_t x = 0; x < f->camera->width; x += (uint32_t)stride) {
			const uint32_t i = y * f->camera->width + x;
			const double z = (double)f->depth[i];
			double ray[2], world[3], normal[3];
			if (z == 0.0)
				continue;
			ref_ray(f->camera, x, y, ray);
			double p[3] = {ray[0] * z, ray[1] * z, z};
			ref_skew(f, ref_moment(f, y), p);
			const double n[3] = {(double)f->normals[4 * i], (double)f->normals[4 * i + 1],
				(double)f->normals[4 * i + 2]};
			ref_pose_apply(pose, p, world);
			ref_pose_rotate(pose, n, normal);
			push_band(world, normal, truncation_mm + voxel_mm, 8 * voxel_mm, slack_mm, out_must, out_may);
		}
	}
	sort(out_must);
	sort(out_may);
}
