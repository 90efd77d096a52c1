/* SPDX-License-Identifier: Apache-2.0
 * How far a model lies off another, to be drawn (ENM_SHADE_DEVIATION). */
#ifndef ENM_HOST_DEVIATION_H
#define ENM_HOST_DEVIATION_H

#include <signal.h>
#include <stddef.h>

#include "error.h"

/* Of each of the `count` vertices of the mesh file `model`, um: above 0 outside the surface in the file `other`, both as they lie; NaN where
 * that has nothing within 2 mm. Found by enamel-evaluate, which says on stderr what is wrong with a file. free(*out_um) gives it back.
 * HOST_USAGE, HOST_DATA, HOST_IO, HOST_INTERRUPTED. */
host_status deviation_measure(const char *model, const char *other, double mm_per_unit, size_t count, const volatile sig_atomic_t *stop, float **out_um);

#endif
