/* SPDX-License-Identifier: Apache-2.0
 * Rigid transforms in double precision, for what is solved over a whole scan. */
#ifndef ENM_RIGID_H
#define ENM_RIGID_H

#include "enamel.h"
#include "layout.h"

/* target_from_source, rotation row-major. */
typedef struct rigid {
	double r[9], t[3];
} rigid;

rigid rigid_from_device(const enm_k_pose *pose); /* its rotation made exact */
enm_k_pose rigid_to_device(const rigid *pose);

rigid rigid_after(const rigid *outer, const rigid *inner); /* outer . inner */
rigid rigid_inverse(const rigid *pose);

/* pose . exp(step): a rotation vector and a translation in the source's own frame; and back, for rotations of less than
 * half a turn. */
rigid rigid_moved(const rigid *pose, const double step[6]);
void rigid_step_between(const rigid *from, const rigid *to, double out_step[6]);

#endif
