/* SPDX-License-Identifier: Apache-2.0
 *
 * The block volume on the host: made from a scene, read at points, averaged into. Double precision but for the voxels
 * themselves. */
#ifndef ENM_REFERENCE_VOLUME_H
#define ENM_REFERENCE_VOLUME_H

#include "layout.h"
#include "reference/scene.h"

#define REF_NONE 0xFFFFFFFFu

typedef struct ref_volume {
	double voxel_mm, truncation_mm;
	uint32_t count, capacity;
	uint32_t *keys;
	enm_k_voxel *voxels; /* 512 a block */
} ref_volume;

void ref_volume_create(ref_volume *volume, uint32_t capacity, double voxel_mm, double truncation_mm);
void ref_volume_destroy(ref_volume *volume);

uint32_t ref_key(int x, int y, int z);
void ref_block_of_key(uint32_t key, int out[3]);

/* Index of a block, or REF_NONE. */
uint32_t ref_volume_find(const ref_volume *volume, int x, int y, int z);
/* The voxel at voxel coordinates, or NULL. */
enm_k_voxel *ref_volume_at(const ref_volume *volume, int x, int y, int z);
/* Appends an empty block; the volume must have room. */
uint32_t ref_volume_add(ref_volume *volume, uint32_t key);

/* Appends the blocks around a scene's surface inside a box, in the order of their keys, with exact distances: voxels up
 * to a truncation behind the surface are observed `views` times with weight `weight`, deeper ones not. */
void ref_volume_fill(ref_volume *volume, const ref_scene *scene, const double low_mm[3], const double high_mm[3],
	uint8_t views, uint16_t weight);

/* Trilinear distance (truncations) and gradient (per mm) at a point; false where a corner is missing or unseen.
 * `out_corners` receives the eight distances. */
bool ref_volume_sample(const ref_volume *volume, const double p[3], double *out_distance, double out_gradient[3],
	double out_corners[8]);

#endif
