/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back after a loss, first half: where on the model may this frame belong? A frame that is not lost passes through untouched.
 *
 *   relocate_begin   whether the frame is to be placed
 *   relocate_find    aligns it to every keyframe, coarsely (projective point-to-plane, Blais and Levine 1995), a group each
 *   relocate_pick    the best of these that are different
 *
 * Descriptors would save little: to align 300 samples costs not much more than to compare, and gives the shift and the turn too.
 */
#include "pixel.h"
#include "recovery.h"

/* Every so many frames of an island are searched for on the first model; and while an island waits to be joined, frames of that on the island, more
 * often where one was found. */
#define JOIN_EVERY 3
#define JOIN_EVERY_BACK 6

/* Starts from a keyframe: shift of the view in mean depths, and sines of turns about its x and y. As it was seen, 5 mm (at 14 mm) to either side,
 * above and below, and upside down. Where a frame that is tracked is searched for on another model too, which may share little with the one it is on, there are
 * more: 9 mm to each side, tilted, and 5 mm both ways. They cost what a hand that waits has no time for. */
#define STARTS 6
#define STARTS_JOINING 18
#define UPSIDE_DOWN 5
#define NEAR 0.35f
#define FAR 0.63f
#define TILT 0.5f
__constant float4 start_at[STARTS_JOINING] = {
	(float4)(0.0f, 0.0f, 0.0f, 0.0f), (float4)(NEAR, 0.0f, 0.0f, 0.0f), (float4)(-NEAR, 0.0f, 0.0f, 0.0f), (float4)(0.0f, NEAR, 0.0f, 0.0f),
	(float4)(0.0f, -NEAR, 0.0f, 0.0f), (float4)(0.0f, 0.0f, 0.0f, 0.0f), (float4)(FAR, 0.0f, 0.0f, 0.0f), (float4)(-FAR, 0.0f, 0.0f, 0.0f),
	(float4)(0.0f, FAR, 0.0f, 0.0f), (float4)(0.0f, -FAR, 0.0f, 0.0f), (float4)(0.0f, 0.0f, TILT, 0.0f), (float4)(0.0f, 0.0f, -TILT, 0.0f),
	(float4)(0.0f, 0.0f, 0.0f, TILT), (float4)(0.0f, 0.0f, 0.0f, -TILT), (float4)(NEAR, NEAR, 0.0f, 0.0f), (float4)(-NEAR, NEAR, 0.0f, 0.0f),
	(float4)(NEAR, -NEAR, 0.0f, 0.0f), (float4)(-NEAR, -NEAR, 0.0f, 0.0f)};

static inline uint starts_a_keyframe(uint keyframes, uint starts_most)
{
	return clamp((uint)ENM_K_CANDIDATES / keyframes, 1u, starts_most);
}

/* Where there are too many keyframes for all starts, these take turns from search to search. */
static inline uint start_of(uint n, uint starts, uint starts_most, uint searches)
{
	if (starts == 1)
		return searches % 2 == 0 ? 0 : 1 + searches / 2 % (starts_most - 1);
	return n == 0 ? 0 : 1 + (searches * (starts - 1) + n - 1) % (starts_most - 1);
}

/* keyframe_from_camera, with the middles of the surfaces at the same place but for the shift. */
static inline void start_pose(uint start, float pivot_mm, float kept_pivot_mm, __local enm_k_pose *pose)
{
	float4 at = start_at[start];
	float upright = start == UPSIDE_DOWN ? -1.0f : 1.0f, x = at.z, y = at.w, level_x = sqrt(1.0f - x * x), level_y = sqrt(1.0f - y * y);
	float turn[9] = {upright * level_y, 0.0f, y, 0.0f, upright * level_x, -x, -y, x, level_x * level_y}; /* about x or y, never both */
	for (int i = 0; i < 9; i++)
		pose->r[i] = turn[i];
	pose->t[0] = at.x * pivot_mm - turn[2] * pivot_mm;
	pose->t[1] = at.y * pivot_mm - turn[5] * pivot_mm;
	pose->t[2] = kept_pivot_mm - turn[8] * pivot_mm;
}

static inline uint starts_most(__global const enm_k_recovery *recovery)
{
	return recovery->joining != 0 ? STARTS_JOINING : STARTS;
}

/* Where frames found before tell that this one lies on the other side. These are the last candidates: two passes see little of the same, and the search alone
 * settles elsewhere more often than not. */
static inline void tell_places(__global const enm_k_track *track, __global enm_k_recovery *recovery)
{
	uint count = 0;
	for (uint i = 0; i < ENM_K_ISLANDS; i++) {
		__global enm_k_island *island = &recovery->islands[i];
		bool tells = recovery->joining != 0 && island->joined > 0 && (track->island == 0 || track->island == island->id);
		if (!tells)
			continue;
		enm_k_pose here = track->world_from_camera, first_from_island = island->first_from_island, island_from_first, told;
		pose_invert(&first_from_island, &island_from_first);
		pose_multiply(track->island != 0 ? &first_from_island : &island_from_first, &here, &told);
		island->told = told;
		recovery->told_at[count++] = i;
	}
	recovery->told = count;
}

static inline bool some_place_is_known(__global const enm_k_recovery *recovery)
{
	bool known = false;
	for (uint i = 0; i < ENM_K_ISLANDS; i++)
		known = known || recovery->islands[i].joined > 0;
	return known;
}

/* Whether a frame may be searched for among keyframes of this island, or of the first model: one that is tracked is on the other side. */
static inline bool keyframe_serves(__global const enm_k_recovery *recovery, uint island)
{
	bool other_side = (island == 0) == (recovery->at_island != 0);
	return keyframe_stands(recovery, island) && (recovery->joining == 0 || other_side);
}

/* Lists the keyframes to align to, and how often. */
static inline void list_candidates(__global const enm_k_keyframe *keyframes, __global enm_k_recovery *recovery)
{
	uint count = 0;
	for (uint i = 0; i < recovery->keyframes; i++)
		if (keyframe_serves(recovery, keyframes[i].island))
			recovery->serving[count++] = i;
	recovery->serve = count;
	recovery->candidates = count > 0 ? count * starts_a_keyframe(count, starts_most(recovery)) : 0;
	recovery->candidates = min(recovery->candidates + recovery->told, (uint)ENM_K_CANDIDATES);
}

__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void relocate_begin(uint readings_min, int tile_count, __global const float4 *tiles, __global const enm_k_track *track,
		    __global const enm_k_keyframe *keyframes, __global enm_k_recovery *recovery)
{
	__local float depth[2 * ENM_K_TRACK_GROUP];
	float pivot_mm = mean_depth(tiles, tile_count, depth);
	if (get_local_id(0) != 0)
		return;
	/* A frame on trial is not searched for: the trial ends with a pose or with a loss. Nor is one whose pose the surface does not fix, or,
	 * where none was lost, not well enough: it would fix no other better. */
	bool searchable = track->probation == 0 && track->valid_readings >= readings_min && track->tracked > 0 && recovery->keyframes > 0;
	bool open = track->reason == ENM_K_REASON_DEGENERATE || (track->reason == ENM_K_REASON_FEW_READINGS && track->lost == 0);
	bool unsure = track->verdict == ENM_K_VERDICT_LOST || (track->verdict == ENM_K_VERDICT_WEAK && !open);
	bool joining = track->verdict == ENM_K_VERDICT_TRACKED && track->islands_open != 0 &&
		       track->frames % (track->island != 0 || some_place_is_known(recovery) ? JOIN_EVERY : JOIN_EVERY_BACK) == 0;
	recovery->joining = searchable && joining ? 1 : 0;
	recovery->wanted = searchable && (joining || unsure) ? 1 : 0;
	recovery->at_island = track->island;
	recovery->pivot_mm = pivot_mm;
	tell_places(track, recovery);
	if (recovery->wanted != 0)
		list_candidates(keyframes, recovery);
	recovery->searches += recovery->wanted;
}

/* ---- against keyframes ---- */

#define FIND_STEPS 9
/* Reach of the biweight at the first and the last step, in mean depths: 3.5 and 0.4 mm at 14 mm. */
#define FIND_GATE_START 0.25f
#define FIND_GATE_SHRINK 0.75f
#define FIND_GATE_LEAST 0.03f

/* Adds this item's samples, of the frame at `pose` (keyframe_from_camera), against the keyframe's planes. */
static inline void find_sums(const enm_k_camera *camera, const enm_k_level *grid, const enm_k_level *level, __global const float2 *rays,
			     __global const uint4 *pixel_map, __global const uint4 *map, const enm_k_pose *pose, const search *how,
			     __private sums *sum)
{
	int columns = camera->width / grid->stride, rows = camera->height / grid->stride, count = level_samples(camera, level);
	float per_stride = 1.0f / grid->stride;
	sums_clear(sum);
	for (int i = get_local_id(0); i < count; i += ENM_K_TRACK_GROUP) {
		int pixel = level_pixel(camera, level, i);
		uint4 seen = pixel_map[pixel];
		float z = pixel_depth_mm(seen);
		if (z == 0.0f)
			continue;
		sum->offered += 1.0f;
		sample s;
		s.point_mm = pose_apply(pose, (float3)(rays[pixel] * z, z));
		if (!(s.point_mm.z > 0.0f))
			continue;
		float2 at = (camera_project(camera, s.point_mm) + 0.5f) * per_stride;
		if (!(at.x >= 0.0f && at.y >= 0.0f && at.x < columns && at.y < rows))
			continue;
		uint4 kept = map[(int)at.y * columns + (int)at.x];
		float depth_mm = pixel_depth_mm(kept);
		s.normal = pixel_normal(kept);
		/* another surface altogether, in front or behind */
		if (depth_mm == 0.0f || fabs(s.point_mm.z - depth_mm) > 3.0f * how->gate_mm ||
		    dot(s.normal, pose_rotate(pose, pixel_normal(seen))) < 0.5f)
			continue;
		s.residual_mm = dot(s.normal, s.point_mm) + as_float(kept.y);
		s.weight = 1.0f;
		sums_add(sum, &s, how->pivot_mm, how->per_lever, how->gate_mm);
	}
}

/* `grid`: of the keyframes' maps; `level`: samples of the frame. A group a keyframe and start. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void relocate_find(const enm_k_camera camera, const enm_k_level grid, const enm_k_level level, __global const float2 *rays,
		   __global const uint4 *pixel_map, __global const enm_k_recovery *recovery,
		   __global const enm_k_keyframe *keyframes, __global const uint4 *maps, __global enm_k_candidate *candidates)
{
	__local float8 shared[ENM_K_SUM_ROWS * ENM_K_TRACK_GROUP];
	__local float total[ENM_K_SUMS];
	__local enm_k_pose pose;
	uint candidate = get_group_id(0);
	int item = get_local_id(0);
	if (recovery->wanted == 0 || candidate >= recovery->candidates)
		return;
	if (candidate + recovery->told >= recovery->candidates) {
		if (item == 0) {
			__global const enm_k_island *island = &recovery->islands[recovery->told_at[recovery->candidates - 1 - candidate]];
			candidates[candidate].world_from_camera = island->told;
			candidates[candidate].support = 1.0f; /* till it is rated */
			candidates[candidate].island = recovery->at_island != 0 ? 0 : island->id;
		}
		return;
	}
	uint serve = recovery->serve, slot = recovery->serving[candidate % serve], starts = starts_most(recovery);
	float pivot_mm = recovery->pivot_mm, kept_pivot_mm = keyframes[slot].pivot_mm, lever_mm = 0.5f * pivot_mm;
	if (item == 0)
		start_pose(start_of(candidate / serve, starts_a_keyframe(serve, starts), starts, recovery->searches), pivot_mm, kept_pivot_mm, &pose);
	barrier(CLK_LOCAL_MEM_FENCE);
	__global const uint4 *map = maps + (size_t)slot * level_samples(&camera, &grid);
	float gate_mm = FIND_GATE_START * pivot_mm, least_mm = FIND_GATE_LEAST * pivot_mm;
	/* the last round only asks how well it fits */
	for (int n = 0; n <= FIND_STEPS; n++) {
		search how = {(float3)(0.0f, 0.0f, kept_pivot_mm), 1.0f / lever_mm, n < FIND_STEPS ? fmax(gate_mm, least_mm) : least_mm};
		sums sum;
		enm_k_pose at = pose;
		find_sums(&camera, &grid, &level, rays, pixel_map, map, &at, &how, &sum);
		sums_total(&sum, shared, total);
		if (item == 0 && n < FIND_STEPS)
			step_pose(total, how.pivot_mm, lever_mm, 0.003f, 0.2f * pivot_mm, &pose);
		barrier(CLK_LOCAL_MEM_FENCE);
		gate_mm *= FIND_GATE_SHRINK;
	}
	if (item != 0)
		return;
	enm_k_pose kept = keyframes[slot].world_from_camera, at = pose, world;
	pose_multiply(&kept, &at, &world);
	candidates[candidate].world_from_camera = world;
	candidates[candidate].support = total[ENM_K_SUM_OFFERED] > 0.0f ? total[ENM_K_SUM_WEIGHT] / total[ENM_K_SUM_OFFERED] : 0.0f;
	candidates[candidate].island = keyframes[slot].island;
}

/* ---- the best of them ---- */

/* Index of the candidate with the most support, the first of equals; ENM_K_KEYFRAME_NONE where none has any. */
static inline uint best_of(__global const enm_k_candidate *candidates, uint count, __local float *support, __local uint *index)
{
	uint item = get_local_id(0), best = ENM_K_KEYFRAME_NONE;
	float most = 0.0f;
	for (uint i = item; i < count; i += ENM_K_TRACK_GROUP) {
		float s = candidates[i].support;
		best = s > most ? i : best;
		most = fmax(most, s);
	}
	support[item] = most;
	index[item] = best;
	barrier(CLK_LOCAL_MEM_FENCE);
	best = ENM_K_KEYFRAME_NONE;
	most = 0.0f;
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++) {
		bool better = support[i] > most || (support[i] == most && index[i] < best);
		best = better ? index[i] : best;
		most = better ? support[i] : most;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	return best;
}

/* One group. Picks without a candidate have no support. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void relocate_pick(__global const enm_k_recovery *recovery, __global enm_k_candidate *candidates, __global enm_k_candidate *picks)
{
	__local float support[ENM_K_TRACK_GROUP];
	__local uint index[ENM_K_TRACK_GROUP];
	if (recovery->wanted == 0)
		return;
	uint item = get_local_id(0), count = recovery->candidates;
	float pivot_mm = recovery->pivot_mm;
	for (int n = 0; n < ENM_K_PICKS; n++) {
		uint best = best_of(candidates, count, support, index);
		if (best == ENM_K_KEYFRAME_NONE) {
			if (item == 0)
				picks[n].support = picks[n].overlap = picks[n].inliers = 0.0f;
			continue;
		}
		enm_k_pose chosen = candidates[best].world_from_camera;
		if (item == 0)
			picks[n] = candidates[best];
		barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
		for (uint i = item; i < count; i += ENM_K_TRACK_GROUP) {
			enm_k_pose other = candidates[i].world_from_camera;
			if (i == best || same_place(&other, &chosen, pivot_mm))
				candidates[i].support = 0.0f;
		}
		barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
	}
}
