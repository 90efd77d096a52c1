/* SPDX-License-Identifier: Apache-2.0
 * Where an island lies on the first model, by frames that were found on both. */
#ifndef ENM_JOIN_H
#define ENM_JOIN_H

#include "recovery.h"

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

#endif
