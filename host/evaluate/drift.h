/* SPDX-License-Identifier: Apache-2.0
 * How far a trajectory lies off the true one. */
#ifndef EVALUATE_DRIFT_H
#define EVALUATE_DRIFT_H

#include "rigid.h"
#include "stats.h"
#include "trajectory.h"

/* A pose is wrong by DATASETS.md, "A wrong pose", when one of these is exceeded. */
#define WRONG_TRANSLATION_MM 0.15
#define WRONG_ROTATION_RAD (0.5 * 3.14159265358979323846 / 180)
#define WRONG_OLDER_S 2.0

/* The length that stands for a turn of one radian where viewpoints are compared: the working distance. */
#define VIEWPOINT_LEVER_MM 15.0
#define VIEWPOINT_LEVER_ROOM_MM 1500.0

#define DRIFT_FIRST_FRAMES 30

typedef struct drift_pose {
	double time_s;
	rigid measured, truth; /* world from camera */
	bool fused;
} drift_pose;

/* The poses of a trajectory that have a true one at their time. */
typedef struct drift_poses {
	drift_pose *poses;
	size_t count;
	size_t unmatched;    /* of the trajectory: no true pose at that time */
	size_t interpolated; /* between two true poses at most 0.1 s apart */
} drift_poses;

/* The true pose within 1 ms of a time, else one interpolated between two at most 0.1 s apart, else one within 20 ms;
 * false when there is none. */
bool drift_truth_at(const trajectory *truth, double time_s, rigid *out_world_from_camera, bool *out_interpolated);

/* Pairs each pose with its true one. `fused_times_s` (ascending, may be NULL: all) says which frames were fused.
 * HOST_DATA when no pose has a true one. */
host_status drift_match(const trajectory *measured, const trajectory *truth, const double *fused_times_s,
	size_t fused_count, const char *name, drift_poses *out_poses);
void drift_poses_free(drift_poses *p);

/* Where the measured world lies in the true one: as the first pose says, as the first DRIFT_FIRST_FRAMES say together.
 */
rigid drift_pin_first(const drift_poses *p);
rigid drift_pin_first_frames(const drift_poses *p);

typedef struct drift {
	stats translation_mm, rotation_rad;
	double end_translation_mm, end_rotation_rad; /* of the last pose */
	rigid truth_from_measured;
} drift;

host_status drift_measure(const drift_poses *p, const rigid *truth_from_measured, drift *out_drift);

/* Positions aligned by least squares. False when they do not fix the alignment (fewer than 3, or on a line). */
host_status drift_measure_best_fit(const drift_poses *p, drift *out_drift, bool *out_defined);

typedef struct wrong_pose {
	double time_s;
	double translation_mm, rotation_rad; /* the greater error of those below */
	bool by_previous, by_viewpoint;      /* against which fused frame */
} wrong_pose;

typedef struct wrong_poses {
	wrong_pose *poses;
	size_t count;
	size_t judged_by_viewpoint; /* poses that had a fused frame 2 s older to compare with */
} wrong_poses;

host_status drift_find_wrong(const drift_poses *p, double viewpoint_lever_mm, wrong_poses *out_wrong);
void wrong_poses_free(wrong_poses *w);

#endif
