/* SPDX-License-Identifier: Apache-2.0
 * Surfaces made by formula for the tests of the evaluator. */
#ifndef TEST_SHAPES_H
#define TEST_SHAPES_H

#include "surface.h"

/* A grid of columns x rows vertices; `place` gives each from (u, v) in [0, 1]. Triangles for which `keep` (may be NULL)
 * says no of their cell's middle are left out. */
typedef void (*shape_place)(void *user, double u, double v, double out[3]);
typedef bool (*shape_keep)(void *user, double u, double v);
enm_mesh *shape_grid(size_t columns, size_t rows, shape_place place, shape_keep keep, void *user);

/* A horseshoe of teeth-like bumps, 50 mm wide: fixes a rigid alignment in all six directions. */
void shape_arch(void *user, double u, double v, double out[3]);

/* The unit square, 20 mm wide, in the plane z = 0, its outside up. */
void shape_plate(void *user, double u, double v, double out[3]);

/* Spheres of `radius_mm`, each a fine net of longitudes and latitudes. */
enm_mesh *shape_spheres(const double (*centres)[3], size_t count, double radius_mm);

/* A copy whose vertices are moved by `change` from position and normal. */
typedef void (*shape_change)(void *user, double p[3], const double normal[3]);
enm_mesh *shape_changed(const surface *s, shape_change change, void *user);

/* surface_open that must succeed. */
surface shape_open(enm_mesh *mesh);

#endif
