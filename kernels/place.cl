/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back after a loss, second half: is it one of these places, and which?
 *
 *   place_rate     how well the frame lies on the whole model at each candidate
 *   place_refine   aligns the frame to the model from each of the places picked, a group each
 *   place_judge    takes the best if it is good and nothing else comes near
 */
#include "pixel.h"
#include "recovery.h"
#include "volume.h"

#define REFINE_STEPS 12
#define PATCHES 8 /* of a picture along an axis, squared ENM_K_TRACK_GROUP */
#define REFINE_GATE_RMS 7.0f /* as GATE_RMS of track.cl */
/* Of the truncation: where places come from the coarse search the right ones are off by a tenth, and with half of it they lead. */
#define RATE_GATE 0.5f
#define BAND (0.999f * ENM_K_SDF_ONE)

/* Where the model is, as a sample of the frame sees it: false where it is not there. */
static inline bool model_sample(const enm_k_volume *volume, __global const uint2 *table, __global const uint *voxels,
				const enm_k_pose *pose, uint4 seen, __private block_last *last, __private sums *sum, __private sample *s)
{
	float per_voxel = 1.0f / volume->voxel_mm, sdf_mm = volume->truncation_mm / ENM_K_SDF_ONE;
	float3 v = s->point_mm * per_voxel;
	float3 low = floor(v);
	uint8 corner;
	if (!cell_load(table, voxels, volume->table_mask, convert_int3(low), last, &corner) || !cell_seen(corner))
		return false;
	float8 value = cell_distances(corner);
	float nearest = lowest(value);
	if (nearest <= -BAND || highest(value) >= BAND) {
		sum->free_space += nearest >= BAND ? 1.0f : 0.0f;
		return false;
	}
	float3 gradient;
	float distance_mm = cell_value(value, v - low, &gradient) * sdf_mm;
	gradient *= sdf_mm * per_voxel;
	float steep = sqrt(dot(gradient, gradient));
	if (!(steep > 0.3f) || dot(gradient, pose_rotate(pose, pixel_normal(seen))) < 0.3f * steep)
		return false;
	s->normal = gradient / steep;
	s->residual_mm = distance_mm / steep;
	s->weight = pixel_weight(seen);
	return true;
}

/* Sums over the group, for all its items, which have read what they need of the candidate once it returns. */
static inline float8 total_of(float8 mine, __local float8 *shared)
{
	float8 total = (float8)(0.0f);
	shared[get_local_id(0)] = mine;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
		total += shared[i];
	return total;
}

/* A group a candidate. A single keyframe saw little of what a view from another side shows, and wrong places may fit it better: what counts is the
 * share of the frame's readings that agree with the whole model, less those in space known to be empty. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void place_rate(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level, __global const float2 *rays,
		__global const uint4 *pixel_map, __global const uint2 *table, __global const uint *voxels,
		__global const enm_k_recovery *recovery, __global enm_k_candidate *candidates)
{
	__local float8 shared[ENM_K_TRACK_GROUP];
	uint candidate = get_group_id(0);
	if (recovery->wanted == 0 || candidate >= recovery->candidates || candidates[candidate].support == 0.0f)
		return;
	enm_k_pose pose = candidates[candidate].world_from_camera;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	sums sum;
	sums_clear(&sum);
	for (int i = get_local_id(0); i < level_samples(&camera, &level); i += ENM_K_TRACK_GROUP) {
		int pixel = level_pixel(&camera, &level, i);
		uint4 seen = pixel_map[pixel];
		float z = pixel_depth_mm(seen);
		sample s;
		if (z == 0.0f)
			continue;
		sum.offered += 1.0f;
		s.point_mm = pose_apply(&pose, (float3)(rays[pixel] * z, z));
		if (!model_sample(&volume, table, voxels, &pose, seen, &last, &sum, &s))
			continue;
		sum.model += 1.0f;
		sum.quality += s.weight;
		sum.weight += s.weight * biweight(s.residual_mm / (RATE_GATE * volume.truncation_mm));
	}
	float8 total = total_of((float8)(sum.offered, sum.model, sum.quality, sum.weight, sum.free_space, 0.0f, 0.0f, 0.0f), shared);
	float agree = total.s2 > 0.0f ? total.s1 * total.s3 / total.s2 : 0.0f;
	if (get_local_id(0) == 0)
		candidates[candidate].support = total.s0 > 0.0f ? fmax(agree - total.s4, 0.0f) / total.s0 : 0.0f;
}

/* Residuals of a patch of the picture: noise goes from their mean, another shape does not. */
typedef struct patch {
	float weight, residual;
} patch;

static inline void patch_add(__private patch *p, const sample *s, float gate_mm)
{
	float q = s->residual_mm / gate_mm, robust = fmax(1.0f - q * q, 0.0f), w = s->weight * robust * robust;
	p->weight += w;
	p->residual += w * s->residual_mm;
}

/* As track_sum_field adds them, for a group by itself: an item has a patch of the picture in four parts. `patches`: sum of the
 * squared means of the parts, and of their weights. */
static inline void refine_sums(const enm_k_camera *camera, const enm_k_volume *volume, const enm_k_level *level,
			       __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
			       __global const uint *voxels, const enm_k_pose *pose, const search *how, __private sums *sum,
			       __private float2 *patches)
{
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	int columns = camera->width / level->stride, rows = camera->height / level->stride, item = get_local_id(0);
	sums_clear(sum);
	*patches = (float2)(0.0f);
	for (int part = 0; part < 4; part++) {
		int at_x = item % PATCHES * 2 + part % 2, at_y = item / PATCHES * 2 + part / 2;
		int x0 = columns * at_x / (2 * PATCHES), x1 = columns * (at_x + 1) / (2 * PATCHES), y1 = rows * (at_y + 1) / (2 * PATCHES);
		patch p = {0.0f, 0.0f};
		for (int y = rows * at_y / (2 * PATCHES); y < y1; y++) {
			for (int x = x0; x < x1; x++) {
				int pixel = level_pixel(camera, level, y * columns + x);
				uint4 seen = pixel_map[pixel];
				float z = pixel_depth_mm(seen);
				if (z == 0.0f)
					continue;
				sum->offered += 1.0f;
				sample s;
				s.point_mm = pose_apply(pose, (float3)(rays[pixel] * z, z));
				if (!model_sample(volume, table, voxels, pose, seen, &last, sum, &s))
					continue;
				sums_add(sum, &s, how->pivot_mm, how->per_lever, how->gate_mm);
				patch_add(&p, &s, how->gate_mm);
			}
		}
		if (p.weight > 0.0f)
			*patches += (float2)(p.residual * p.residual / p.weight, p.weight);
	}
}

/* Root of the mean square of the parts' means, over the group. */
static inline float patches_rms(float2 patches, __local float8 *shared)
{
	int item = get_local_id(0);
	shared[item].lo.lo = patches;
	barrier(CLK_LOCAL_MEM_FENCE);
	float2 total = (float2)(0.0f);
	for (int i = 0; i < ENM_K_TRACK_GROUP; i++)
		total += shared[i].lo.lo;
	barrier(CLK_LOCAL_MEM_FENCE);
	return total.y > 0.0f ? sqrt(total.x / total.y) : INFINITY;
}

static inline float sums_rms(__local const float *total)
{
	return total[ENM_K_SUM_WEIGHT] > 0.0f ? sqrt(total[ENM_K_SUM_COST] / total[ENM_K_SUM_WEIGHT]) : INFINITY;
}

/* What the totals of the last round, at a gate that is the same for all, say of a pose. */
static inline void measure_pick(__local const float *total, float step_voxels, __global enm_k_candidate *pick)
{
	float offered = total[ENM_K_SUM_OFFERED], weight = total[ENM_K_SUM_WEIGHT], quality = total[ENM_K_SUM_QUALITY];
	pick->overlap = offered > 0.0f ? total[ENM_K_SUM_MODEL] / offered : 0.0f;
	pick->free_share = offered > 0.0f ? total[ENM_K_SUM_FREE] / offered : 0.0f;
	pick->inliers = quality > 0.0f ? weight / quality : 0.0f;
	pick->support = pick->overlap * fmax(2.0f * pick->inliers - 1.0f, 0.0f);
	pick->rms_mm = sums_rms(total);
	pick->step = step_voxels;
	float least = 0.0f;
	if (weight > 0.0f) {
		float h[36];
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				h[a * 6 + b] = total[ENM_K_SUM_H(a, b)] / weight;
		least = least_eigenvalue_6(h);
	}
	pick->least_eigenvalue = least;
}

/* Reach of the biweight by which places are compared. The depth filter leaves half of a reading's sigma. */
#define JUDGE_GATE_SIGMAS 2.5f
#define JUDGE_GATE_VOXELS 0.8f

static inline float judge_gate(const enm_k_camera *camera, const enm_k_volume *volume, float pivot_mm)
{
	return fmax(JUDGE_GATE_VOXELS * volume->voxel_mm, JUDGE_GATE_SIGMAS * camera->sigma_per_mm2 * pivot_mm * pivot_mm);
}

/* A group a pick. `level`: samples to align by; `fine`: those to judge by. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void place_refine(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level, const enm_k_level fine,
		     __global const float2 *rays, __global const uint4 *pixel_map, __global const uint2 *table,
		     __global const uint *voxels, __global const enm_k_recovery *recovery, __global enm_k_candidate *picks)
{
	__local float8 shared[ENM_K_SUM_ROWS * ENM_K_TRACK_GROUP];
	__local float total[ENM_K_SUMS], step_mm;
	__local enm_k_pose pose;
	__global enm_k_candidate *pick = picks + get_group_id(0);
	int item = get_local_id(0);
	if (recovery->wanted == 0 || pick->support == 0.0f)
		return;
	if (item == 0) {
		pose = pick->world_from_camera;
		step_mm = INFINITY;
	}
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	float pivot_depth_mm = recovery->pivot_mm, lever_mm = 0.5f * pivot_depth_mm;
	float judge_gate_mm = judge_gate(&camera, &volume, pivot_depth_mm), gate_mm = fmax(level.gate_start_mm, judge_gate_mm);
	bool settled = false, last = false;
	float2 patches = (float2)(0.0f);
	for (int n = 0; !last; n++) {
		last = settled || n == REFINE_STEPS; /* the last round only asks how well it fits */
		enm_k_pose at = pose;
		enm_k_level samples = last ? fine : level;
		search how = {pose_apply(&at, (float3)(0.0f, 0.0f, pivot_depth_mm)), 1.0f / lever_mm, last ? judge_gate_mm : gate_mm};
		sums sum;
		refine_sums(&camera, &volume, &samples, rays, pixel_map, table, voxels, &at, &how, &sum, &patches);
		sums_total(&sum, shared, total);
		if (item == 0 && !last)
			step_mm = step_pose(total, how.pivot_mm, lever_mm, 1e-5f, level.gate_start_mm, &pose);
		gate_mm = clamp(REFINE_GATE_RMS * sums_rms(total), judge_gate_mm, fmax(level.gate_start_mm, judge_gate_mm));
		barrier(CLK_LOCAL_MEM_FENCE);
		settled = step_mm < level.step_done * volume.voxel_mm || step_mm == INFINITY;
	}
	float patch_mm = patches_rms(patches, shared);
	if (item != 0)
		return;
	pick->world_from_camera = pose;
	pick->patch_mm = patch_mm;
	measure_pick(total, step_mm / volume.voxel_mm, pick);
}

/* ---- the verdict ---- */

/* Bounds for a place to be believed on trial. In simulated scans right places had inliers of 0.82 and more, contradicted empty space with
 * 0.5 % of their readings at most, and patches of a quarter of a sigma; of the wrong ones the nearest, teeth of another jaw at their
 * homologous place, had 0.79, 0.2 %, and patches of 0.42 sigma. */
#define FOUND_OVERLAP 0.24f
#define FOUND_INLIERS 0.75f
#define FOUND_FREE 0.015f
#define FOUND_STEP_VOXELS 0.1f
#define FOUND_EIGENVALUE 8e-3f
#define FOUND_PATCH_VOXELS 0.1f
#define FOUND_PATCH_SIGMAS 0.3f
/* Of a frame that is tracked, and found on another model too, less overlap says something: many such frames must agree before they join the two. Where one
 * has been found already, and this one agrees, it may lie there no better than any that is believed: models that grew apart are bent, each in its way. */
#define PROOF_OVERLAP 0.15f
#define PROOF_INLIERS 0.78f
#define PROOF_FREE 0.005f
#define RIGHT_INLIERS 0.82f
/* A smooth ridge on itself, slid by 0.2 mm, had up to 0.0087; right proofs had 0.0105 and more. */
#define PROOF_EIGENVALUE 0.01f
/* No other place may have more than this share of the best one's support, nor more readings that agree. */
#define FOUND_LEAD 0.6f

/* After a loss a frame that overlaps by ALONE is enough. Passes with the wand held differently see less of each other: then frames in a row must
 * agree, whose overlaps add up to IN_A_ROW, and the trial begins with the last of them. */
#define FOUND_OVERLAP_ALONE 0.35f
#define FOUND_OVERLAP_IN_A_ROW 0.9f
/* A place at which as many frames in a row were found, and not tracked, is none. */
#define FOUND_IN_VAIN 12u

/* A hand moves the view by no more than this from frame to frame: in mean depths, and in rad. */
#define NEXT_SHIFT 0.2f
#define NEXT_TURN 0.2f

/* Notes the place found. Where the frame before was found near by, and not taken up or not followed by the tracker, both agree, and tell the velocity. */
static inline void note_found(const enm_k_candidate *best, __global const enm_k_track *track, __global enm_k_recovery *recovery,
			      __private float *velocity)
{
	enm_k_pose before = recovery->found, here = best->world_from_camera;
	float twist[6], since_s = track->period_s;
	pose_twist(&here, &before, twist, twist + 3);
	bool next = recovery->agreed > 0 && recovery->found_frame + 1 == track->frames &&
		    poses_near(&here, &before, recovery->pivot_mm, NEXT_SHIFT, NEXT_TURN);
	bool tells = next && since_s >= ENM_K_VELOCITY_TELLS_S;
	for (int i = 0; i < 6; i++)
		velocity[i] = tells ? twist[i] / since_s : 0.0f;
	recovery->agreed = next ? recovery->agreed + 1 : 1;
	recovery->agreed_overlap = best->overlap + (next ? recovery->agreed_overlap : 0.0f);
	recovery->found = here;
	recovery->found_frame = track->frames;
}

/* Takes up the frame at the place found, on trial. `agreed`: frames by which it is known. */
static inline void take_up(const enm_k_candidate *best, const float *velocity, uint agreed, __global const enm_k_recovery *recovery,
			   __global enm_k_track *track)
{
	for (int i = 0; i < 6; i++) {
		track->velocity[i] = velocity[i];
		track->skew[i] = 0.0f;
	}
	track->world_from_camera = track->last = track->predicted = best->world_from_camera;
	track->since_last_s = 0.0f;
	track->found_overlap = best->overlap;
	track->overlap = best->overlap;
	track->inliers = best->inliers;
	track->free_share = best->free_share;
	track->rms_mm = best->rms_mm;
	track->least_eigenvalue = best->least_eigenvalue;
	track->pivot_mm = recovery->pivot_mm;
	track->verdict = ENM_K_VERDICT_WEAK;
	track->reason = ENM_K_REASON_RECOVERING;
	track->held = 0;
	track->usual_rms_mm = 0.0f;
	for (int i = 0; i < 36; i++)
		track->information[i] = 0.0f; /* was of another pose */
	track->probation = agreed;
	track->island = best->island;
	if (best->island != 0) {
		track->island_place = island_place(recovery, best->island);
		track->island_frames = recovery->islands[track->island_place].frames;
	}
}

/* Two frames agree on where an island lies within these: mean depths, and rad. */
#define JOIN_SHIFT 0.0075f
#define JOIN_TURN 0.0075f

/* target_from_source for a frame's pose in both. */
static inline void between(const enm_k_pose *target, const enm_k_pose *source, __private enm_k_pose *out)
{
	enm_k_pose back;
	pose_invert(source, &back);
	pose_multiply(target, &back, out);
}

/* The frame in hand on the first model and on an island, by the place found for it on the other side of where it is tracked. */
typedef struct join {
	__global enm_k_island *known;
	enm_k_pose first, island;
	enm_k_pose told; /* on the first model, by the frames found before */
	bool agrees;     /* with these */
} join;

static inline void join_make(const enm_k_candidate *found, __global const enm_k_track *track, __global enm_k_recovery *recovery, __private join *j)
{
	bool on_island = recovery->at_island != 0;
	enm_k_pose tracked = track->world_from_camera, other = found->world_from_camera;
	j->known = &recovery->islands[island_place(recovery, on_island ? recovery->at_island : found->island)];
	j->first = on_island ? other : tracked;
	j->island = on_island ? tracked : other;
	enm_k_pose before = j->known->first_from_island;
	pose_multiply(&before, &j->island, &j->told);
	j->agrees = j->known->joined > 0 && poses_near(&j->told, &j->first, recovery->pivot_mm, JOIN_SHIFT, JOIN_TURN);
}

/* A hand that moves the view by less from one counted frame to the next holds still: in mean depths, and in rad. */
#define STILL_SHIFT 0.02f
#define STILL_TURN 0.02f
/* Residual of patches, as a share of what is believed at most, up to which a place proves as much as it overlaps, and from which on nothing: there
 * two models differ by more than noise, and all frames may err alike. */
#define PATCH_GOOD 0.6f
#define PATCH_POOR 0.9f

static inline void join_begin(__private const join *j, float proof, float weight)
{
	__global enm_k_island *known = j->known;
	enm_k_pose here;
	between(&j->first, &j->island, &here);
	known->first_from_island = here;
	known->joined = 1;
	known->join_overlap = proof;
	known->join_weight = weight;
	known->away = 0;
}

/* To the mean of all, where it weighs by the overlap too: the less that is, the less of a turn shows. */
static inline void join_add(__private const join *j, float proof, float weight)
{
	__global enm_k_island *known = j->known;
	known->joined++;
	known->join_overlap += proof;
	known->join_weight += weight;
	known->away = 0;
	enm_k_pose first, here;
	float twist[6], share = weight / known->join_weight;
	pose_twist(&j->first, &j->told, twist, twist + 3);
	for (int i = 0; i < 6; i++)
		twist[i] *= share;
	pose_compose_twist(&j->told, twist, twist + 3, &first);
	between(&first, &j->island, &here);
	known->first_from_island = here;
}

/* Notes where the island lies. A view that was counted says nothing new, and one that says otherwise takes from what the others have proved as much
 * as it proves itself; when nothing is left it begins anew. */
static inline void join_take(__private const join *j, const enm_k_candidate *found, float pivot_mm, float patch_most_mm)
{
	__global enm_k_island *known = j->known;
	float clean = clamp((PATCH_POOR - found->patch_mm / patch_most_mm) / (PATCH_POOR - PATCH_GOOD), 0.0f, 1.0f);
	float proof = clean * found->overlap, weight = proof * found->overlap;
	enm_k_pose counted = known->counted;
	if (proof == 0.0f || (known->joined > 0 && poses_near(&j->island, &counted, pivot_mm, STILL_SHIFT, STILL_TURN)))
		return;
	known->counted = j->island;
	if (j->agrees) {
		join_add(j, proof, weight);
		return;
	}
	known->join_overlap -= known->joined > 0 ? proof : 0.0f;
	if (known->joined == 0 || known->join_overlap <= 0.0f)
		join_begin(j, proof, weight);
}

/* Whether the frame lies there as well as two surfaces that are one, but for how much of it does. */
static inline bool lies_well(const enm_k_candidate *c, float patch_most_mm)
{
	return c->support > 0.0f && c->patch_mm <= patch_most_mm && c->step <= FOUND_STEP_VOXELS && c->least_eigenvalue >= FOUND_EIGENVALUE;
}

static inline bool fits(const enm_k_candidate *c, float patch_most_mm)
{
	return lies_well(c, patch_most_mm) && c->overlap >= FOUND_OVERLAP && c->inliers >= FOUND_INLIERS && c->free_share <= FOUND_FREE;
}

/* `inliers_least`: see PROOF_INLIERS. */
static inline bool proves(const enm_k_candidate *c, float patch_most_mm, float inliers_least)
{
	return lies_well(c, patch_most_mm) && c->overlap >= PROOF_OVERLAP && c->inliers >= inliers_least && c->free_share <= PROOF_FREE;
}

/* Whether it is right beyond doubt: no wrong place has been seen to. */
static inline bool is_right(const enm_k_candidate *c, float patch_most_mm)
{
	return fits(c, patch_most_mm) && proves(c, patch_most_mm, RIGHT_INLIERS);
}

/* Whether no other place comes near. What lies on two models that share some of the jaw has two right places, which are no rivals. */
static inline bool leads(const enm_k_candidate *best, __global const enm_k_candidate *picks, float pivot_mm, float patch_most_mm)
{
	float runner_up = 0.0f, agree = 0.0f;
	bool right = is_right(best, patch_most_mm);
	for (int n = 0; n < ENM_K_PICKS; n++) {
		enm_k_candidate other = picks[n];
		bool right_too = right && other.island != best->island && is_right(&other, patch_most_mm);
		if (right_too || same_place(&other.world_from_camera, &best->world_from_camera, pivot_mm))
			continue;
		runner_up = fmax(runner_up, other.support);
		agree = fmax(agree, other.overlap * other.inliers);
	}
	return runner_up <= FOUND_LEAD * best->support && agree <= best->overlap * best->inliers;
}

/* One item. */
__kernel void place_judge(float voxel_mm, float sigma_per_mm2, __global enm_k_candidate *picks, __global enm_k_track *track,
			  __global enm_k_recovery *recovery)
{
	if (get_global_id(0) != 0 || recovery->wanted == 0)
		return;
	int best = 0;
	for (int n = 1; n < ENM_K_PICKS; n++)
		best = picks[n].support > picks[best].support ? n : best;
	enm_k_candidate found = picks[best];
	float pivot_mm = recovery->pivot_mm;
	float patch_most_mm = fmax(FOUND_PATCH_VOXELS * voxel_mm, FOUND_PATCH_SIGMAS * sigma_per_mm2 * pivot_mm * pivot_mm);
	if (found.support == 0.0f || !leads(&found, picks, pivot_mm, patch_most_mm))
		return;
	if (recovery->joining != 0) {
		join j;
		join_make(&found, track, recovery, &j);
		bool good = fits(&found, patch_most_mm) || proves(&found, patch_most_mm, j.agrees ? FOUND_INLIERS : PROOF_INLIERS);
		if (good && found.least_eigenvalue >= PROOF_EIGENVALUE)
			join_take(&j, &found, pivot_mm, patch_most_mm);
		return;
	}
	if (!fits(&found, patch_most_mm))
		return;
	float velocity[6];
	note_found(&found, track, recovery, velocity);
	bool alone = found.overlap >= FOUND_OVERLAP_ALONE, in_a_row = recovery->agreed_overlap >= FOUND_OVERLAP_IN_A_ROW;
	if ((alone || in_a_row) && recovery->agreed <= FOUND_IN_VAIN)
		take_up(&found, velocity, alone ? recovery->agreed : 1, recovery, track);
}
