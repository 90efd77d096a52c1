/* SPDX-License-Identifier: Apache-2.0
 *
 * Averages a frame into the model (Curless and Levoy 1996, voxel hashing after Niessner et al. 2013).
 *
 *   fuse_select      which blocks of each chunk are in view
 *   fuse_list        their list, in block order
 *   fuse_integrate   weighted average of distance and colour
 *   fuse_forget      takes back all that was fused, where a scan or an island begins anew
 */
#include "in_view.h"
#include "scan.h"

/* ---- which blocks ---- */

static inline uint blocks_judged(__global const enm_k_track *track, __global const enm_k_blocks *blocks)
{
	return track->verdict == ENM_K_VERDICT_TRACKED ? blocks->used : 0;
}

/* A group has `group_chunks` chunks of 64 blocks: first the chunks are judged, an item each, then the blocks of those in view. A
 * chunk's blocks came with one frame or a few, so that they lie together and what is out of view costs next to nothing. Blocks
 * that are new with this frame are always chosen: to be integrated is what gives their voxels a first value. */
__kernel __attribute__((reqd_work_group_size(ENM_K_SELECT_CHUNK, 1, 1)))
void fuse_select(const enm_k_camera camera, const enm_k_volume volume, uint group_chunks, __global const float2 *rays,
		 __global const float4 *tiles, __global const uint4 *pixel_map, __global const enm_k_track *track,
		 __global const enm_k_blocks *blocks, __global const uint *keys, __global int4 *boxes, __global uint *visible)
{
	__local uint judged[ENM_K_SELECT_CHUNKS], mask[2];
	uint item = get_local_id(0), first_chunk = get_group_id(0) * group_chunks;
	uint used = blocks_judged(track, blocks), base = blocks->base;
	if (first_chunk * ENM_K_SELECT_CHUNK >= used)
		return;
	enm_k_pose pose = track->world_from_camera;
	if (item < group_chunks) {
		uint chunk = first_chunk + item, first = chunk * ENM_K_SELECT_CHUNK;
		uint count = first < used ? min(used - first, (uint)ENM_K_SELECT_CHUNK) : 0;
		bool wanted = false;
		if (count > 0) {
			refresh_box(keys, first, count, boxes + 2 * chunk);
			wanted = first + count > base || chunk_in_view(&camera, track, boxes + 2 * chunk, &pose, ray_bounds(&camera, rays),
								      volume.voxel_mm * ENM_K_BLOCK_EDGE);
			if (!wanted)
				visible[2 * chunk] = visible[2 * chunk + 1] = 0;
		}
		judged[item] = wanted ? count : 0;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint c = 0; c < group_chunks; c++) {
		uint count = judged[c], chunk = first_chunk + c, block = chunk * ENM_K_SELECT_CHUNK + item;
		if (count == 0)
			continue;
		if (item < 2)
			mask[item] = 0;
		barrier(CLK_LOCAL_MEM_FENCE);
		bool wanted = item < count && block >= base;
		if (item < count && !wanted && block_in_view(&camera, &volume, track, &pose, tiles, keys[block])) {
			placed_block placed;
			place_block(track, volume.voxel_mm, keys[block], &placed);
			wanted = block_in_band(&camera, &volume, track, pixel_map, &placed);
		}
		if (wanted)
			atomic_or(&mask[item / 32], 1u << item % 32);
		barrier(CLK_LOCAL_MEM_FENCE);
		if (item < 2)
			visible[2 * chunk + item] = mask[item];
		barrier(CLK_LOCAL_MEM_FENCE);
	}
}

/* One group makes the list from the bits. */
#define LIST_GROUP 256
__kernel __attribute__((reqd_work_group_size(LIST_GROUP, 1, 1)))
void fuse_list(__global const enm_k_track *track, __global enm_k_blocks *blocks, __global const uint *visible, __global uint *list)
{
	__local uint sums[LIST_GROUP];
	uint item = get_local_id(0), used = blocks_judged(track, blocks);
	uint words = 2 * ((used + ENM_K_SELECT_CHUNK - 1) / ENM_K_SELECT_CHUNK);
	uint share = (words + LIST_GROUP - 1) / LIST_GROUP, from = min(item * share, words), to = min(from + share, words), n = 0;
	for (uint w = from; w < to; w++)
		n += popcount(visible[w]);
	uint total, next = scan_sums(n, sums, &total);
	for (uint w = from; w < to; w++)
		for (uint bits = visible[w]; bits != 0; bits &= bits - 1)
			list[next++] = w * 32 + (31 - clz(bits & -bits));
	if (item == 0 && track->verdict != ENM_K_VERDICT_NONE)
		blocks->in_view = total;
}

/* ---- average ---- */

/* Weight of evidence that a place is empty: less than that of a surface, since at silhouettes it is a guess from the
 * far side of an edge. To take it in whole from every fourth frame instead was tried: a fifth less work, but poses that had been
 * within 0.48 degrees of the truth went past 0.5. */
#define FREE_WEIGHT 0.25f
#define COLOR_SHARE_MIN (1.0f / 32.0f)

static inline uintn blend(uintn old, uintn reading, floatn share)
{
	floatn from = to_floatn(as_intn(old)), to = to_floatn(as_intn(reading));
	return as_uintn(to_intn(from + (to - from) * share + 0.5f));
}

/* Colour words with the readings' colours averaged in. `colors` holds R, G, B bytes. */
static inline uintn blend_colors(__global const uchar *colors, intn at, uintn old, floatn share)
{
	int index[LANES];
	uint red[LANES], green[LANES], blue[LANES];
	lanes_store(at, index);
#pragma unroll
	for (int i = 0; i < LANES; i++) {
		__global const uchar *c = colors + 3 * (size_t)index[i];
		red[i] = c[0];
		green[i] = c[1];
		blue[i] = c[2];
	}
	floatn most = fmax(share, COLOR_SHARE_MIN);
	return (old & 0xFF000000u) | blend(old & 255u, lanes_load(red), most) | blend(old >> 8 & 255u, lanes_load(green), most) << 8 |
	       blend(old >> 16 & 255u, lanes_load(blue), most) << 16;
}

/* A group walks over the blocks in view; an item has LANES voxels of a row. `color_offset`: of the colours in `input`, 0 for none.
 * `rolling` is known when the kernel is compiled: to ask it for each row of voxels took 4 % more. `changed`: of each block, the number of the
 * last frame that moved its surface. */
#define INTEGRATE_GROUP 64
static inline void integrate(const enm_k_camera *camera, const enm_k_volume *volume, bool rolling, uint color_offset, __global const uint4 *pixel_map,
			     __global const uchar *input, __global const enm_k_track *track, __global const enm_k_blocks *blocks,
			     __global const uint *list, __global const uint *keys, __global uint *voxels, __global uint *changed,
			     __local placed_block *placed)
{
	uint count = track->verdict == ENM_K_VERDICT_TRACKED ? blocks->in_view : 0, base = blocks->base, frame = track->frames;
	int item = get_local_id(0);
	float per_truncation = 1.0f / volume->truncation_mm;
	for (uint n = get_group_id(0); n < count; n += get_num_groups(0)) {
		uint index = list[n];
		bool fresh = index >= base;
		barrier(CLK_LOCAL_MEM_FENCE);
		if (item == 0) {
			placed_block b;
			place_block(track, volume->voxel_mm, keys[index], &b);
			*placed = b;
			if (fresh)
				changed[index] = frame;
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		for (int first = item * LANES; first < ENM_K_BLOCK_VOXELS; first += INTEGRATE_GROUP * LANES) {
			floatn i = to_floatn((first & 7) + LANE_NUMBERS);
			float3 row = placed->start + placed->ey * (float)(first >> 3 & 7) + placed->ez * (float)(first >> 6);
			floatn x = lanes_fma(i, placed->ex.x, row.x), y = lanes_fma(i, placed->ex.y, row.y), z = lanes_fma(i, placed->ex.z, row.z);
			intn inside;
			intn at = seen_lanes(camera, rolling, track, &x, &y, &z, &inside);
			pixels p;
			pixels_gather(pixel_map, at, &p);
			floatn d = pixels_distance(&p, x, y, z) * per_truncation, weight = pixels_weight(&p);
			intn touched = inside & (weight > 0.0f) & (d > -1.0f);
			if (!lanes_any(touched) && !fresh)
				continue;
			__global uint *distances = voxels + voxel_word(index, first), *colors = distances + ENM_K_PLANE_COLOR;
			uintn word = 0;
			if (!fresh)
				word = lanes_load(distances);
			/* Fades out behind the surface, where the far side of a thin wall may be, or the flank below an edge. Not at once: it stands
			 * against the evidence of emptiness that readings past an edge give. */
			weight *= select((floatn)(1.0f), fmax(lanes_fma(d, 4.0f, 2.5f), 0.0f), d < -0.375f);
			weight *= select((floatn)(1.0f), (floatn)(FREE_WEIGHT), d > 1.0f);
			floatn add = to_floatn(max(to_intn(weight * ENM_K_WEIGHT_ONE + 0.5f), (intn)(1)));
			floatn old = to_floatn(as_intn(word << 16) >> 16), total = to_floatn(as_intn(word >> 16)) + add;
			floatn share = add / total;
			floatn sdf = lanes_fma(lanes_fma(fmin(d, 1.0f), ENM_K_SDF_ONE, -old), share, old);
			uintn sum = as_uintn(to_intn(fmin(total, 65535.0f)));
			uintn averaged = (as_uintn(lanes_round(sdf)) & 0xFFFFu) | sum << 16;
			lanes_store(select(word, averaged, touched), distances);
			intn near_surface = touched & (fabs(d) < 1.0f);
			/* seen through, a surface moves too; and a first weight changes the slopes beside it */
			intn moved = touched & (near_surface | (old < ENM_K_SDF_ONE) | (word < 0x10000u));
			if (lanes_any(moved))
				changed[index] = frame;
			if (lanes_any(near_surface)) {
				uintn color = 0;
				if (!fresh)
					color = lanes_load(colors);
				uintn seen = color;
				if (color_offset != 0)
					seen = blend_colors(input + color_offset, at, color, share);
				seen += select((uintn)(0u), (uintn)(1u << 24), color < 0xFF000000u);
				lanes_store(select(color, seen, near_surface), colors);
			} else if (fresh) {
				lanes_store((uintn)(0u), colors);
			}
		}
	}
}

__kernel __attribute__((reqd_work_group_size(INTEGRATE_GROUP, 1, 1)))
void fuse_integrate(const enm_k_camera camera, const enm_k_volume volume, uint color_offset, __global const uint4 *pixel_map,
		    __global const uchar *input, __global const enm_k_track *track, __global const enm_k_blocks *blocks,
		    __global const uint *list, __global const uint *keys, __global uint *voxels, __global uint *changed)
{
	__local placed_block placed;
	integrate(&camera, &volume, false, color_offset, pixel_map, input, track, blocks, list, keys, voxels, changed, &placed);
}

/* The same where rows are exposed one after the other. */
__kernel __attribute__((reqd_work_group_size(INTEGRATE_GROUP, 1, 1)))
void fuse_integrate_rolling(const enm_k_camera camera, const enm_k_volume volume, uint color_offset, __global const uint4 *pixel_map,
			    __global const uchar *input, __global const enm_k_track *track, __global const enm_k_blocks *blocks,
			    __global const uint *list, __global const uint *keys, __global uint *voxels, __global uint *changed)
{
	__local placed_block placed;
	integrate(&camera, &volume, true, color_offset, pixel_map, input, track, blocks, list, keys, voxels, changed, &placed);
}

/* The blocks stay, so that their numbers go on meaning the same places. */
__kernel __attribute__((reqd_work_group_size(INTEGRATE_GROUP, 1, 1)))
void fuse_forget(const enm_k_volume volume, __global const enm_k_track *track, __global const enm_k_blocks *blocks,
		 __global const uint *keys, __global uint *voxels, __global uint *changed)
{
	bool island_alone = track->island != 0;
	uint used = (track->events & ENM_K_EVENT_BEGUN_ANEW) != 0 ? blocks->used : 0;
	for (uint index = get_group_id(0); index < used; index += get_num_groups(0)) {
		if (island_alone && island_of_key(&volume, keys[index]) != track->island_place)
			continue;
		for (uint i = get_local_id(0); i < ENM_K_BLOCK_WORDS; i += INTEGRATE_GROUP)
			voxels[voxel_word(index, i)] = 0;
		if (get_local_id(0) == 0)
			changed[index] = track->frames;
	}
}
