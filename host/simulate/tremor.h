/* SPDX-License-Identifier: Apache-2.0
 * The trembling of a hand that holds a wand: a few turns of its own a second, whatever way it goes. */
#ifndef ENM_SIMULATE_TREMOR_H
#define ENM_SIMULATE_TREMOR_H

#include <stdint.h>

#include "vec.h"

typedef struct tremor {
	double turn_mrad; /* root of the mean square, about each axis; 0: a hand that does not tremble */
	double hertz;
	uint64_t seed;
} tremor;

/* Where the camera is that trembles about `camera`. */
pose tremor_at(const tremor *t, pose camera, double time_s);

#endif
