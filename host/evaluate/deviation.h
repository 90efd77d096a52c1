/* SPDX-License-Identifier: Apache-2.0
 * How far each vertex of a mesh lies off another mesh, as both lie, for pictures of it. */
#ifndef EVALUATE_DEVIATION_H
#define EVALUATE_DEVIATION_H

#include "error.h"

/* Writes a little-endian 32-bit float for each vertex of the file `model`, in its order: um, above 0 outside the surface in `other`; NaN where
 * that has nothing within SCORE_DISTANCE_MAX_MM, and for vertices without a triangle. Whole or not at all. HOST_USAGE, HOST_DATA, HOST_IO. */
host_status deviation_write(const char *model, const char *other, double mm_per_unit, const char *path);

#endif
