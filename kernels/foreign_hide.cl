/* SPDX-License-Identifier: Apache-2.0
 *
 *   foreign_young   takes out of the model what came in with the foreign tiles of a frame
 *   foreign_hide    takes these out of the pixel map, and notes where they were
 */
#include "foreign.h"
#include "pixel.h"
#include "volume.h"

/* Frames that see a surface before it counts as old. */
#define YOUNG_VIEWS 15u
/* Cells about along the line of sight, to either side of a body, from which it is taken out: it moves. */
#define BODY_REACH 1
#define ARRIVING 3u /* ticks in which that is done */

static inline bool tick_counted(uint word, uint tick)
{
	return CELL_TICK(word) == tick && CELL_STAYED(word) > 0;
}

/* Whether a body has come to a cell just now: frames before have not counted this tick, and few others. */
static inline bool cell_arrives(__global const uint *grid, int3 cell, uint island, uint tick)
{
	uint word = cell_word(grid, cell, island);
	return !tick_counted(word, tick) && CELL_STAYED(word) < ARRIVING;
}

/* Counts a tick in which something was at a cell: once, whichever item comes first. */
static inline void note_cell(__global uint *grid, int3 cell, uint island, uint tick)
{
	uint word = cell_word(grid, cell, island);
	if (tick_counted(word, tick))
		return;
	uint stayed = CELL_STAYED(word) + 1u;
	uint looks = stayed >= STAY_IN_FREE ? 0 : CELL_FREE(word);
	grid[cell_place(cell)] = cell_make(word & CELL_TAG, looks, stayed, tick);
}

/* To the next cell along the axis that is nearest to a direction. */
static inline int3 along_most(float3 direction)
{
	float3 d = fabs(direction);
	float most = fmax(d.x, fmax(d.y, d.z));
	return (int3)(d.x == most, d.x < most && d.y == most, d.x < most && d.y < most);
}

/* Takes out of a cell's blocks what few frames have seen: it came with the body that is there now. Then nothing is known there. */
static inline void forget_young(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, __global uint *voxels,
				__global uint *changed, int3 cell, uint frame)
{
	for (int i = 0; i < blocks_in_cell(f); i++) {
		uint block = block_in_cell(volume, f, table, cell, i);
		bool any_young = false;
		for (int v = 0; v < ENM_K_BLOCK_VOXELS && block != BLOCK_NONE; v++) {
			size_t at = voxel_word(block, v);
			uint views = voxels[at + ENM_K_PLANE_COLOR] >> 24;
			if (views > 0 && views <= YOUNG_VIEWS) {
				voxels[at] = voxels[at + ENM_K_PLANE_COLOR] = 0;
				any_young = true;
			}
		}
		if (any_young)
			changed[block] = frame;
	}
}

/* The cell that a sample lies in, and the step to the next along its line of sight. */
static inline int3 sample_cell(const enm_k_foreign *f, __global const float2 *rays, int pixel, float z, const enm_k_pose *pose,
			       __private int3 *out_step)
{
	float3 ray = (float3)(rays[pixel], 1.0f);
	*out_step = along_most(pose_rotate(pose, ray));
	return cell_of(f, pose_apply(pose, ray * z));
}

/* An item has a tile. It only reads the grid, and what it takes out is taken out whoever comes first. */
__kernel void foreign_young(const enm_k_camera camera, const enm_k_volume volume, const enm_k_foreign f, __global const float2 *rays,
			    __global const uchar *flags, __global const uint2 *table, __global const enm_k_track *track,
			    __global const enm_k_foreign_frame *frame, __global const uint4 *pixel_map, __global const uint *grid,
			    __global uint *voxels, __global uint *changed)
{
	int n = get_global_id(0);
	if (n >= f.columns * f.rows || flags[n] != FLAG_FOREIGN)
		return;
	enm_k_pose pose = track->world_from_camera;
	uint tick = (uint)(frame->clock_s * TICKS_PER_S) & 255u;
	int stride = f.tile / SAMPLES, left = n % f.columns * f.tile + stride / 2, top = n / f.columns * f.tile + stride / 2;
	int3 cell_before = (int3)(INT_MAX), step_before = (int3)(0);
	for (int k = 0; k < SAMPLES * SAMPLES; k++) {
		int x = left + k % SAMPLES * stride, y = top + k / SAMPLES * stride, pixel = y * camera.width + x;
		bool inside = x < camera.width && y < camera.height;
		float z = inside ? pixel_depth_mm(pixel_map[pixel]) : 0.0f;
		if (z == 0.0f)
			continue;
		int3 step, cell = sample_cell(&f, rays, pixel, z, &pose, &step);
		bool same = all(cell == cell_before) && all(step == step_before);
		cell_before = cell;
		step_before = step;
		if (same || !cell_arrives(grid, cell, track->island, tick))
			continue;
		for (int i = -BODY_REACH; i <= BODY_REACH; i++)
			forget_young(&volume, &f, table, voxels, changed, cell + i * step, track->frames);
	}
}

/* An item has a tile. Items that meet in a cell write the same. `learns`: notes where what is hidden was. */
__kernel void foreign_hide(const enm_k_camera camera, const enm_k_foreign f, __global const float2 *rays, __global const uchar *flags,
			   __global const enm_k_track *track, __global const enm_k_foreign_frame *frame, __global uint4 *pixel_map,
			   __global uint *grid, int learns)
{
	int n = get_global_id(0);
	if (n >= f.columns * f.rows || flags[n] == 0)
		return;
	enm_k_pose pose = track->world_from_camera;
	uint tick = (uint)(frame->clock_s * TICKS_PER_S) & 255u;
	int left = n % f.columns * f.tile, top = n / f.columns * f.tile, stride = f.tile / SAMPLES;
	int right = min(left + f.tile, camera.width), bottom = min(top + f.tile, camera.height);
	for (int y = top; y < bottom; y++) {
		for (int x = left; x < right; x++) {
			int pixel = y * camera.width + x;
			float z = pixel_depth_mm(pixel_map[pixel]);
			bool noted = (x - left) % stride == stride / 2 && (y - top) % stride == stride / 2;
			pixel_map[pixel] = (uint4)(0);
			int3 step;
			if (learns != 0 && noted && z != 0.0f && flags[n] != FLAG_BESIDE && flags[n] != FLAG_FOLLOWED)
				note_cell(grid, sample_cell(&f, rays, pixel, z, &pose, &step), track->island, tick);
		}
	}
}
