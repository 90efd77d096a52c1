/* SPDX-License-Identifier: Apache-2.0
 * What comes from the caller about a frame's motion, and what goes back to him about its pose. */
#ifndef ENM_MOTION_H
#define ENM_MOTION_H

#include "enamel.h"
#include "layout.h"

/* NULL is good. */
ENM_MUST_CHECK enm_result motion_check(const enm_motion *motion);

enm_k_input motion_to_device(const enm_motion *motion, float dt_s);

/* Pose of the frame's first row. */
enm_pose report_pose(const enm_k_track *track);

/* Of (turn in rad, move in mm) of the camera in its own frame, by the noise of its readings; false where the frame told none. */
bool motion_covariance(const enm_k_track *track, double out_covariance[36]);

/* Velocity, covariance and directions held, in the camera's frame. */
void report_motion(const enm_k_track *track, enm_report *out_report);

#endif
