/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.h where only CPUs have more than one lane: GPUs have lanes of their own, and more work in an item would leave others without. */
#ifdef ENM_LANES_H
#error "lanes_of_cpus.h comes before whatever includes lanes.h"
#endif
#ifndef ENM_CPU
#undef LANES
#define LANES 1
#endif
#include "lanes.h"
