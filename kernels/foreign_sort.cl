/* SPDX-License-Identifier: Apache-2.0
 *
 *   foreign_sort    what the model and the grid say to each tile of the picture, at the predicted pose
 */
#include "foreign.h"
#include "pixel.h"
#include "volume.h"

#define SAYS_NOTHING 0
#define SAYS_KNOWN 1   /* on the model */
#define SAYS_FOREIGN 2 /* where there was nothing */
#define SAYS_STAYED 3  /* new, but there for some time */
#define SAYS_AIR 4     /* before the model, nearer than a cell */

/* Readings lie on the model to within this share of the truncation: noise, and half a voxel. Tiles are judged before the frame is aligned: where predictions have
 * been off by more, as those of a hand that trembles, readings are known to nearly all of it, and none of them can be said to lie before the model. */
#define BAND_KNOWN 0.5f
#define BAND_KNOWN_MOST 0.9f

#define AIR_WEIGHT 64u /* that it must have been looked through with */

static inline int judge_point(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, __global const uint *voxels,
			      __global const uint *grid, uint island, bool well_predicted, float3 point_mm)
{
	uint word = cell_word(grid, cell_of(f, point_mm), island);
	if (CELL_FREE(word) >= FREE_SURE)
		return SAYS_FOREIGN;
	int3 v = convert_int3(floor(point_mm / volume->voxel_mm + 0.5f));
	uint block = block_find(table, volume->table_mask, v >> 3);
	if (block != BLOCK_NONE) {
		uint voxel = voxels[voxel_word(block, voxel_in_block(v))];
		float distance = word_sdf(voxel);
		float band = well_predicted ? BAND_KNOWN : BAND_KNOWN_MOST;
		if (voxel > 0xFFFFu && fabs(distance) < band * ENM_K_SDF_ONE)
			return SAYS_KNOWN;
		if (well_predicted && CELL_STAYED(word) < STAY_ALERT && voxel > AIR_WEIGHT << 16 && distance > 0.0f)
			return SAYS_AIR;
	}
	return CELL_STAYED(word) >= STAY_ALERT ? SAYS_STAYED : SAYS_NOTHING;
}

/* Whether a reading hides a surface of the model: there is some behind it, along its ray. */
#define HIDES_FROM 1.5f  /* truncations behind; nearer ones are its own */
#define HIDES_STEP 0.45f  /* less than a surface is known to be thick */
#define HIDES_STEPS 48

static inline bool hides_model(const enm_k_volume *volume, __global const uint2 *table, __global const uint *voxels, const enm_k_pose *pose, float3 point_mm)
{
	float3 along = pose_rotate(pose, point_mm) * (volume->truncation_mm / length(point_mm));
	float3 at = pose_apply(pose, point_mm) + HIDES_FROM * along;
	bool hides = false, front = false; /* a surface is hidden that faces the camera, not the far side of what is seen */
	for (int i = 0; i < HIDES_STEPS && !hides; i++, at += HIDES_STEP * along) {
		int3 v = convert_int3(floor(at / volume->voxel_mm + 0.5f));
		uint block = block_find(table, volume->table_mask, v >> 3);
		uint voxel = block != BLOCK_NONE ? voxels[voxel_word(block, voxel_in_block(v))] : 0;
		bool inside = voxel > 0xFFFFu && word_sdf(voxel) <= 0.0f;
		hides = front && inside;
		front = voxel > 0xFFFFu && !inside;
	}
	return hides;
}

/* An item has a tile. `tiles`: depth of the nearest of its samples, 0 for none; how many have readings; what these say, a byte each, and VOTES_HIDES; the nearest in the frame before.
 * `planes`: their mean point, its depth in the frame before, and their mean normal, in the camera's frame. */
__kernel void foreign_sort(const enm_k_camera camera, const enm_k_volume volume, const enm_k_foreign f, __global const float2 *rays,
			   __global const uint4 *pixel_map, __global const uint2 *table, __global const uint *voxels,
			   __global const uint *grid, __global const enm_k_track *track, __global const enm_k_foreign_frame *frame,
			   __global uint4 *tiles, __global float8 *planes)
{
	int n = get_global_id(0);
	if (n >= f.columns * f.rows)
		return;
	enm_k_pose pose = track->world_from_camera;
	int stride = f.tile / SAMPLES, left = n % f.columns * f.tile + stride / 2, top = n / f.columns * f.tile + stride / 2;
	float nearest = INFINITY;
	float3 point_sum = (float3)(0.0f), placed_sum = (float3)(0.0f), normal_sum = (float3)(0.0f);
	float skew[6];
	for (int i = 0; i < 6; i++)
		skew[i] = track->skew[i];
	bool well_predicted = track->predicted_off_mm < BAND_KNOWN * volume.truncation_mm;
	uint votes = 0, asked = 0;
	for (int r = 0; r < SAMPLES; r++) {
		for (int c = 0; c < SAMPLES; c++) {
			int x = left + c * stride, y = top + r * stride, pixel = y * camera.width + x;
			bool inside = x < camera.width && y < camera.height;
			uint4 seen = inside ? pixel_map[pixel] : (uint4)(0);
			float z = pixel_depth_mm(seen);
			if (z == 0.0f)
				continue;
			nearest = fmin(nearest, z);
			float3 point = (float3)(rays[pixel] * z, z);
			float3 placed = camera.rolling ? skew_apply(skew, row_moment(&camera, y), point) : point;
			int says = judge_point(&volume, &f, table, voxels, grid, track->island, well_predicted, pose_apply(&pose, placed));
			votes += says != SAYS_NOTHING ? 1u << 8 * (says - 1) : 0;
			point_sum += point;
			placed_sum += placed;
			normal_sum += pixel_normal(seen);
			asked++;
		}
	}
	if (frame->body != 0 && (votes & 255u) < 2u && asked > 0 && hides_model(&volume, table, voxels, &pose, placed_sum / (float)asked))
		votes |= VOTES_HIDES;
	tiles[n] = (uint4)(as_uint(asked > 0 ? nearest : 0.0f), asked, votes, tiles[n].x);
	float share = asked > 0 ? 1.0f / (float)asked : 0.0f;
	planes[n] = (float8)(point_sum * share, planes[n].s2, normal_sum * share, 0.0f);
}
