/* SPDX-License-Identifier: Apache-2.0
 *
 *   foreign_learn   which cells are empty, since a tracked frame has looked through them; takes out of the model what was fused there
 *                   (Schauer and Nuechter 2018)
 *   foreign_forget  forgets all that, where a scan begins again or anew
 */
#include "foreign.h"
#include "pixel.h"
#include "volume.h"

/* Frames among which the cells of the view are shared out. */
#define SLICES 4
/* Turns after which a cell known to be empty is looked at again: what frames put there that were not judged is taken out. */
#define AGAIN 16u
/* Of a tile's samples. */
#define READINGS_LEAST 2u

/* Takes the surface out of a cell's blocks. */
static inline void clear_cell(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, __global uint *voxels,
			      __global uint *changed, int3 cell, uint frame)
{
	for (int i = 0; i < blocks_in_cell(f); i++) {
		uint block = block_in_cell(volume, f, table, cell, i);
		bool any_surface = false;
		for (int v = 0; v < ENM_K_BLOCK_VOXELS && block != BLOCK_NONE; v++) {
			size_t at = voxel_word(block, v);
			uint word = voxels[at];
			if (word > 0xFFFFu && word_sdf(word) < ENM_K_SDF_ONE) {
				voxels[at] = (word & 0xFFFF0000u) | (uint)ENM_K_SDF_ONE;
				voxels[at + ENM_K_PLANE_COLOR] = 0;
				any_surface = true;
			}
		}
		if (any_surface)
			changed[block] = frame;
	}
}

/* Whether a tile has readings, and all of these lie behind. */
static inline bool tile_behind(const enm_k_foreign *f, __global const uint4 *tiles, int x, int y, float behind_mm)
{
	uint4 t = tiles[y * f->columns + x];
	return t.y >= READINGS_LEAST && as_float(t.x) > behind_mm;
}

/* Whether the readings in the middle of a sphere's place in the picture lie well behind it: what most spheres fail. */
static inline bool may_see_through(const enm_k_camera *camera, const enm_k_foreign *f, __global const uint4 *tiles, float3 p)
{
	if (!(p.z - f->radius_mm > 0.5f * camera->depth_min_mm))
		return false;
	float2 at = camera_project(camera, p);
	if (!(at.x >= 0.0f && at.y >= 0.0f && at.x < camera->width && at.y < camera->height))
		return false;
	return tile_behind(f, tiles, (int)(at.x * f->per_tile), (int)(at.y * f->per_tile), p.z + f->radius_mm + f->margin_mm);
}

/* Whether all readings around it do. */
static inline bool seen_through(const enm_k_camera *camera, const enm_k_foreign *f, __global const uint4 *tiles, float3 p)
{
	float2 at = camera_project(camera, p);
	float reach = f->radius_mm * fmax(camera->fx, camera->fy) / (p.z - f->radius_mm);
	/* the whole place must lie in the picture */
	if (!(at.x - reach >= 0.0f && at.y - reach >= 0.0f && at.x + reach < camera->width && at.y + reach < camera->height))
		return false;
	float behind_mm = p.z + f->radius_mm + f->margin_mm;
	int x0 = (int)((at.x - reach) * f->per_tile), x1 = (int)((at.x + reach) * f->per_tile);
	int y0 = (int)((at.y - reach) * f->per_tile), y1 = (int)((at.y + reach) * f->per_tile);
	bool through = true;
	for (int y = y0; y <= y1 && through; y++)
		for (int x = x0; x <= x1 && through; x++)
			through = tile_behind(f, tiles, x, y, behind_mm);
	return through;
}

__kernel void foreign_learn(const enm_k_camera camera, const enm_k_volume volume, const enm_k_foreign f, __global const float2 *rays,
			    __global const uint4 *tiles, __global const enm_k_track *track, __global const enm_k_foreign_frame *frame,
			    __global const uint2 *table, __global uint *voxels, __global uint *changed, __global uint *grid)
{
	if (track->verdict != ENM_K_VERDICT_TRACKED)
		return;
	enm_k_pose pose = track->world_from_camera;
	float farthest = frame->farthest_mm;
	float3 low = pose_translation(&pose), high = low;
	for (int i = 0; i < 4; i++) {
		int x = (i & 1) * (camera.width - 1), y = (i >> 1) * (camera.height - 1);
		float3 p = pose_apply(&pose, (float3)(rays[y * camera.width + x], 1.0f) * farthest);
		low = fmin(low, p);
		high = fmax(high, p);
	}
	int3 first = cell_of(&f, low), size = min(cell_of(&f, high) - first + 1, (int3)(ENM_K_FOREIGN_GRID));
	int slice = (int)(track->frames % SLICES), layers = (size.z + SLICES - 1) / SLICES, rows = size.y * layers;
	uint turn = track->frames / SLICES, island = track->island;
	float3 along = (float3)(pose.r[0], pose.r[1], pose.r[2]) * f.cell_mm; /* from a cell to the next in x, in the camera's frame */
	/* an item has rows of cells */
	for (int n = get_global_id(0); n < rows; n += get_global_size(0)) {
		int3 cell = first + (int3)(0, n % size.y, n / size.y * SLICES);
		cell.z += (slice - cell.z) & (SLICES - 1);
		float3 start = pose_apply_back(&pose, (convert_float3(cell) + 0.5f) * f.cell_mm);
		for (int i = 0; i < size.x; i++, cell.x++) {
			float3 p = start + (float)i * along;
			if (!may_see_through(&camera, &f, tiles, p))
				continue;
			uint place = cell_place(cell), word = cell_word(grid, cell, island);
			bool again = (place + turn) % AGAIN == 0;
			if ((CELL_FREE(word) >= FREE_SURE && CELL_STAYED(word) == 0 && !again) || !seen_through(&camera, &f, tiles, p))
				continue;
			uint looks = CELL_FREE(word) + 1u;
			grid[place] = cell_make(word & CELL_TAG, looks, 0, 0);
			if (looks >= FREE_SURE)
				clear_cell(&volume, &f, table, voxels, changed, cell, track->frames);
		}
	}
}

/* Items share the cells. An island's are its own, and its first frame looked through none. What was about is of the scan before too; the clock goes on. */
__kernel void foreign_forget(__global const enm_k_track *track, __global enm_k_foreign_frame *frame, __global uint *grid)
{
	if ((track->events & ENM_K_EVENT_BEGUN_ANEW) == 0 || track->island != 0)
		return;
	for (uint i = get_global_id(0); i < ENM_K_FOREIGN_GRID * ENM_K_FOREIGN_GRID * ENM_K_FOREIGN_GRID; i += get_global_size(0))
		grid[i] = 0;
	if (get_global_id(0) != 0)
		return;
	frame->calm_s = frame->missed_s = 0.0f;
	frame->air = frame->known = frame->body = 0;
}
