/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict on the places where a frame may lie.
 *
 *   place_judge    takes the best if it is good and nothing else comes near: after a loss on trial, else as a proof of where an island lies
 */
#include "join.h"

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
