/* SPDX-License-Identifier: Apache-2.0
 * Poses on the host and their form on the device. */
#ifndef ENM_POSE_H
#define ENM_POSE_H

#include "enamel.h"
#include "layout.h"

bool pose_is_valid(const enm_pose *pose); /* finite, unit quaternion within 1e-3 */
enm_k_pose pose_to_device(const enm_pose *pose);
enm_pose pose_from_device(const enm_k_pose *pose);

/* A direction of the source in the target, and back. */
void pose_turn(const enm_pose *target_from_source, const double v[3], double out[3]);
void pose_turn_back(const enm_pose *target_from_source, const double v[3], double out[3]);

#endif
