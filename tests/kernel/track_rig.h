/* SPDX-License-Identifier: Apache-2.0
 * What the tests of stage "track" share: a scene in a volume, a frame of it, and the stages. */
#ifndef ENM_TEST_TRACK_RIG_H
#define ENM_TEST_TRACK_RIG_H

#include "pipeline/track.h"
#include "reference/track.h"
#include "support.h"

#define TRACK_VOXEL_MM 0.1
#define TRACK_TRUNCATION_MM 0.4

typedef struct track_rig {
	enm_session_def def;
	ref_volume volume;
	depth_stage depth;
	model model;
	track_stage track;
	view_stage view;
	float *filtered, *normals;
} track_rig;

/* Bumps, a sphere, a corner and a plane, some 13 mm away. */
extern const ref_scene track_scenes[4];

track_rig track_rig_make(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker);
track_rig track_rig_rows(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker, double row_time_s);
void track_rig_drop(track_rig *r);

/* The raycast's normals in the other storage. */
void track_rig_view(track_rig *r, bool halves);

/* The tracker's state before a step from a pose. */
void track_rig_set(track_rig *r, const enm_pose *pose, double gate_mm);
enm_k_track track_rig_get(const track_rig *r);

/* The state as the prediction of the next frame leaves it. */
enm_k_track track_rig_predict(track_rig *r, const enm_k_track *from, const enm_k_input *input, float half_exposure_s);

void track_assert_pose(const enm_k_pose *got, const ref_pose *wanted, double angle, double shift_mm);

#endif
