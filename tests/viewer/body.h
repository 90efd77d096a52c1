/* SPDX-License-Identifier: Apache-2.0
 * Meshes with known distances: balls, and a plate. */
#ifndef ENM_TEST_VIEWER_BODY_H
#define ENM_TEST_VIEWER_BODY_H

#include "enamel.h"

/* A ball of latitudes and longitudes with its poles along z and its vertices on the sphere: vertices shared, normals outward, a
 * sigma of `sigma_um` and 9 views everywhere. The pole at +z is a vertex. */
enm_mesh *body_ball(const double centre_mm[3], double radius_mm, unsigned rings, float sigma_um);
/* Both in one mesh. */
enm_mesh *body_two_balls(const double centres_mm[2][3], double radius_mm, unsigned rings, float sigma_um);

/* The square of `size_mm` around the origin in z = 0, in `cells` x `cells` cells, outside up, without normals, sigmas and views.
 * `slit`: the column of cells in the middle is missing. */
enm_mesh *body_plate(double size_mm, unsigned cells, bool slit);

#endif
