/* SPDX-License-Identifier: Apache-2.0
 *
 * Averages a frame into the model (Curless and Levoy 1996, voxel hashing after Niessner et al. 2013).
 *
 *   fuse_select_count, fuse_select_scan, fuse_select_emit   list of the blocks in view, in block order
 *   fuse_integrate   weighted average of distance and colour, a group a block
 */
#include "geometry.h"
#include "scan.h"
#include "volume.h"

/* How far behind the surface a block may lie and still be in the band of a slanted reading. */
#define SLANT_REACH 2.5f

/* Whether any reading near the block's place in the picture may change it: it must not be hidden behind all of them. */
static inline bool block_in_view(const enm_k_camera *c, const enm_k_volume *v, const enm_k_pose *pose, int tile,
			  __global const float4 *tiles, uint key)
{
	float block_mm = v->voxel_mm * ENM_K_BLOCK_EDGE, radius_mm = 0.8661f * block_mm;
	float3 centre = (convert_float3(block_of_key(key)) + 0.5f) * block_mm;
	float3 p = pose_apply_back(pose, centre);
	float nearest_mm = p.z - radius_mm;
	if (!(nearest_mm > 0.25f * c->depth_min_mm))
		return false;
	float2 at = camera_project(c, p);
	float reach = radius_mm * fmax(c->fx, c->fy) / nearest_mm + 1.0f;
	int tiles_x = (c->width + tile - 1) / tile, tiles_y = (c->height + tile - 1) / tile;
	/* in floats first: a point far aside would not fit an int */
	if (!(at.x + reach >= 0.0f && at.y + reach >= 0.0f && at.x - reach < c->width && at.y - reach < c->height))
		return false;
	int x0 = max((int)(at.x - reach), 0) / tile, x1 = min((int)(at.x + reach) / tile, tiles_x - 1);
	int y0 = max((int)(at.y - reach), 0) / tile, y1 = min((int)(at.y + reach) / tile, tiles_y - 1);
	float farthest_mm = 0.0f;
	for (int y = y0; y <= y1; y++)
		for (int x = x0; x <= x1; x++)
			farthest_mm = fmax(farthest_mm, tiles[y * tiles_x + x].y);
	return nearest_mm <= farthest_mm + SLANT_REACH * v->truncation_mm;
}


__kernel void fuse_select_count(const enm_k_camera camera, const enm_k_volume volume, int tile,
				__global const float4 *tiles, __global const enm_k_track *track,
				__global const enm_k_blocks *blocks, __global const uint *keys,
				__global uchar *visible, __global uint *counts)
{
	uint chunk = get_global_id(0);
	uint used = track->verdict == ENM_K_VERDICT_TRACKED ? blocks->used : 0;
	if (chunk * ENM_K_SELECT_CHUNK >= used)
		return;
	enm_k_pose pose = track->world_from_camera;
	uint n = 0, end = min((chunk + 1) * ENM_K_SELECT_CHUNK, used);
	for (uint i = chunk * ENM_K_SELECT_CHUNK; i < end; i++) {
		uchar seen = block_in_view(&camera, &volume, &pose, tile, tiles, keys[i]) ? 1 : 0;
		visible[i] = seen;
		n += seen;
	}
	counts[chunk] = n;
}

__kernel __attribute__((reqd_work_group_size(SCAN_GROUP, 1, 1)))
void fuse_select_scan(__global const enm_k_track *track, __global enm_k_blocks *blocks, __global uint *counts)
{
	__local uint sums[SCAN_GROUP];
	uint used = track->verdict == ENM_K_VERDICT_TRACKED ? blocks->used : 0;
	uint chunks = (used + ENM_K_SELECT_CHUNK - 1) / ENM_K_SELECT_CHUNK;
	uint total = scan_group(counts, chunks, sums);
	if (get_local_id(0) == 0)
		blocks->in_view = total;
}

__kernel void fuse_select_emit(__global const enm_k_track *track, __global const enm_k_blocks *blocks,
			       __global const uchar *visible, __global const uint *counts, __global uint *list)
{
	uint chunk = get_global_id(0);
	uint used = track->verdict == ENM_K_VERDICT_TRACKED ? blocks->used : 0;
	if (chunk * ENM_K_SELECT_CHUNK >= used)
		return;
	uint number = counts[chunk], end = min((chunk + 1) * ENM_K_SELECT_CHUNK, used);
	for (uint i = chunk * ENM_K_SELECT_CHUNK; i < end; i++)
		if (visible[i])
			list[number++] = i;
}

/* Weight of evidence that a place is empty: less than that of a surface, since at silhouettes it is a guess from the
 * far side of an edge. */
#define FREE_WEIGHT 0.25f

static inline uint blend(uint old, uint new_value, float share)
{
	return (uint)((float)old + ((float)new_value - (float)old) * share + 0.5f);
}

/* A group walks over the blocks in view; an item has one column of eight voxels. `colors` holds R, G, B bytes; has_color 0: none. */
#define INTEGRATE_GROUP 64
__kernel __attribute__((reqd_work_group_size(INTEGRATE_GROUP, 1, 1)))
void fuse_integrate(const enm_k_camera camera, const enm_k_volume volume, int has_color,
		    __global const float2 *rays, __global const float *depth, __global const float4 *normals,
		    __global const uchar *colors, __global const enm_k_track *track,
		    __global const enm_k_blocks *blocks, __global const uint *list, __global const uint *keys,
		    __global uint *voxels)
{
	enm_k_pose pose = track->world_from_camera;
	uint count = blocks->in_view;
	int item = get_local_id(0);
	float truncation_mm = volume.truncation_mm, voxel_mm = volume.voxel_mm;
	float per_truncation = 1.0f / truncation_mm;
	float3 along_z = pose_rotate_back(&pose, (float3)(0.0f, 0.0f, voxel_mm));
	for (uint n = get_group_id(0); n < count; n += get_num_groups(0)) {
		uint index = list[n];
		int3 low = block_of_key(keys[index]) * ENM_K_BLOCK_EDGE + (int3)(item & 7, item >> 3, 0);
		float3 start = pose_apply_back(&pose, convert_float3(low) * voxel_mm);
		__global uint *column = voxels + voxel_word(index, item);
		for (int k = 0; k < ENM_K_BLOCK_EDGE; k++) {
			float3 p = start + along_z * k;
			float2 at = camera_project(&camera, (float3)(p.xy, fmax(p.z, 1e-3f)));
			bool inside = p.z > 0.0f && at.x > -0.5f && at.y > -0.5f && at.x < camera.width - 0.5f &&
				      at.y < camera.height - 0.5f;
			int u = inside ? (int)(at.x + 0.5f) : 0, w = inside ? (int)(at.y + 0.5f) : 0;
			int pixel = w * camera.width + u;
			float z = depth[pixel];
			float4 normal = normals[pixel];
			/* distance to the plane of the reading, positive towards the camera */
			float3 reading = (float3)(rays[pixel] * z, z);
			float d = dot(p - reading, normal.xyz) * per_truncation;
			float weight = normal.w;
			weight *= d < -0.25f ? (1.0f + d) * (1.0f / 0.75f) : 1.0f; /* fades out behind the surface */
			weight *= d > 1.0f ? FREE_WEIGHT : 1.0f;
			if (!(inside && z > 0.0f && d > -1.0f))
				continue;
			uint word = column[k * 64], shade = column[k * 64 + ENM_K_PLANE_COLOR];
			float add = fmax(floor(weight * ENM_K_WEIGHT_ONE + 0.5f), 1.0f);
			float old = word_sdf(word), total = word_weight(word) + add;
			float share = add / total;
			int sdf = convert_int_rte(old + (fmin(d, 1.0f) * ENM_K_SDF_ONE - old) * share);
			bool near_surface = fabs(d) < 1.0f;
			uint seen = near_surface && shade < 255u << 24 ? shade + (1u << 24) : shade;
			if (has_color && near_surface) {
				__global const uchar *c = colors + 3 * pixel;
				float color_share = fmax(share, 1.0f / 32.0f);
				seen = (seen & 255u << 24) | blend(shade & 255u, c[0], color_share) |
				       blend(shade >> 8 & 255u, c[1], color_share) << 8 |
				       blend(shade >> 16 & 255u, c[2], color_share) << 16;
			}
			column[k * 64] = ((uint)sdf & 0xFFFFu) | (uint)fmin(total, 65535.0f) << 16;
			column[k * 64 + ENM_K_PLANE_COLOR] = seen;
		}
	}
}
