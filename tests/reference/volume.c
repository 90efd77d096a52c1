/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/volume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ref_volume_create(ref_volume *v, uint32_t capacity, double voxel_mm, double truncation_mm)
{
	*v = (ref_volume){.voxel_mm = voxel_mm, .truncation_mm = truncation_mm, .capacity = capacity};
	v->keys = malloc(capacity * sizeof(*v->keys));
	v->voxels = calloc((size_t)capacity * ENM_K_BLOCK_VOXELS, sizeof(*v->voxels));
	if (v->keys == NULL || v->voxels == NULL)
		abort();
}

void ref_volume_destroy(ref_volume *v)
{
	free(v->keys);
	free(v->voxels);
	memset(v, 0, sizeof(*v));
}

uint32_t ref_key(int x, int y, int z)
{
	return (uint32_t)(x + 1024) + 2048u * (uint32_t)(y + 1024) + 2048u * 2048u * (uint32_t)(z + 512);
}

void ref_block_of_key(uint32_t key, int out[3])
{
	out[0] = (int)(key % 2048u) - 1024;
	out[1] = (int)(key / 2048u % 2048u) - 1024;
	out[2] = (int)(key / 2048u / 2048u) - 512;
}

uint32_t ref_volume_find(const ref_volume *v, int x, int y, int z)
{
	static uint32_t last;
	const uint32_t key = ref_key(x, y, z);
	if (last < v->count && v->keys[last] == key)
		return last;
	for (uint32_t i = 0; i < v->count; i++)
		if (v->keys[i] == key)
			return last = i;
	return REF_NONE;
}

static int block_of(int voxel)
{
	return (int)floor(voxel / 8.0);
}

enm_k_voxel *ref_volume_at(const ref_volume *v, int x, int y, int z)
{
	const int bx = block_of(x), by = block_of(y), bz = block_of(z);
	const uint32_t block = ref_volume_find(v, bx, by, bz);
	if (block == REF_NONE)
		return NULL;
	return v->voxels + (size_t)block * ENM_K_BLOCK_VOXELS +
	       (size_t)((x - 8 * bx) + 8 * (y - 8 * by) + 64 * (z - 8 * bz));
}

uint32_t ref_volume_add(ref_volume *v, uint32_t key)
{
	if (v->count == v->capacity)
		abort();
	v->keys[v->count] = key;
	memset(v->voxels + (size_t)v->count * ENM_K_BLOCK_VOXELS, 0, ENM_K_BLOCK_VOXELS * sizeof(*v->voxels));
	return v->count++;
}

static void fill_block(ref_volume *v, const ref_scene *scene, uint32_t block, uint8_t views, uint16_t weight)
{
	int b[3];
	ref_block_of_key(v->keys[block], b);
	for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
		const double p[3] = {(8 * b[0] + i % 8) * v->voxel_mm, (8 * b[1] + i / 8 % 8) * v->voxel_mm,
			(8 * b[2] + i / 64) * v->voxel_mm};
		const double d = ref_scene_distance(scene, p) / v->truncation_mm;
		enm_k_voxel *voxel = v->voxels + (size_t)block * ENM_K_BLOCK_VOXELS + i;
		if (d <= -1.0)
			continue;
		voxel->sdf = (int16_t)lrint(fmin(d, 1.0) * (double)ENM_K_SDF_ONE);
		voxel->weight = weight;
		voxel->views = views;
	}
}

void ref_volume_fill(ref_volume *v, const ref_scene *scene, const double low_mm[3], const double high_mm[3],
	uint8_t views, uint16_t weight)
{
	const double block_mm = 8 * v->voxel_mm;
	int low[3], high[3];
	for (int i = 0; i < 3; i++) {
		low[i] = (int)floor(low_mm[i] / block_mm);
		high[i] = (int)floor(high_mm[i] / block_mm);
	}
	for (int z = low[2]; z <= high[2]; z++) {
		for (int y = low[1]; y <= high[1]; y++) {
			for (int x = low[0]; x <= high[0]; x++) {
				const double centre[3] = {
					(x + 0.5) * block_mm, (y + 0.5) * block_mm, (z + 0.5) * block_mm};
				if (fabs(ref_scene_distance(scene, centre)) < v->truncation_mm + 0.9 * block_mm)
					fill_block(v, scene, ref_volume_add(v, ref_key(x, y, z)), views, weight);
			}
		}
	}
}

bool ref_volume_sample(
	const ref_volume *v, const double p[3], double *out_distance, double out_gradient[3], double out_corners[8])
{
	int low[3];
	double f[3];
	for (int i = 0; i < 3; i++) {
		low[i] = (int)floor(p[i] / v->voxel_mm);
		f[i] = p[i] / v->voxel_mm - low[i];
	}
	*out_distance = 0.0;
	for (int i = 0; i < 3; i++)
		out_gradient[i] = 0.0;
	for (int c = 0; c < 8; c++) {
		const int bit[3] = {c & 1, c >> 1 & 1, c >> 2};
		const enm_k_voxel *corner = ref_volume_at(v, low[0] + bit[0], low[1] + bit[1], low[2] + bit[2]);
		if (corner == NULL || corner->weight == 0)
			return false;
		double w[3];
		for (int i = 0; i < 3; i++)
			w[i] = bit[i] ? f[i] : 1.0 - f[i];
		out_corners[c] = corner->sdf / (double)ENM_K_SDF_ONE;
		*out_distance += w[0] * w[1] * w[2] * out_corners[c];
		for (int i = 0; i < 3; i++)
			out_gradient[i] +=
				(bit[i] ? 1.0 : -1.0) * w[(i + 1) % 3] * w[(i + 2) % 3] * out_corners[c] / v->voxel_mm;
	}
	return true;
}
