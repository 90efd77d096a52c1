/* SPDX-License-Identifier: Apache-2.0
 * A small jaw by formula, for pictures: a horseshoe with teeth-like bumps, colour, values of every kind and one gap. */
#ifndef ENM_TEST_JAW_H
#define ENM_TEST_JAW_H

#include "enamel.h"

/* Occlusal is +z, front +y. Place on it: `u` along the arch from the right end to the left, `v` across from the tongue's side to
 * the cheek's, both 0 to 1. */
void jaw_place(double u, double v, double out_mm[3]);

/* Occlusal surface raised by up to `raised_um` towards the left end; a part is left out where `gap` says so. */
enm_mesh *jaw_create(double raised_um, bool gap);

#endif
