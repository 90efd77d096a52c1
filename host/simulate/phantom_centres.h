/* SPDX-License-Identifier: Apache-2.0
 * The sphere centres of host/assets/phantom (MIT, see the LICENSE there), put into the program by the build. */
#ifndef ENM_SIMULATE_PHANTOM_CENTRES_H
#define ENM_SIMULATE_PHANTOM_CENTRES_H

#include <stddef.h>

extern const size_t phantom_sphere_count;
extern const double phantom_centres_mm[]; /* x, y, z */

#endif
