/* SPDX-License-Identifier: Apache-2.0 */
#include "tremor.h"

#include <math.h>

#include "rng.h"

/* From the camera to where the wand is held, back along the arch: a turn of 1 mrad moves the camera by 0.1 mm. */
#define GRIP_MM 100.0
#define SPREAD 0.15      /* of the three axes' frequencies */
#define WANDERS_RAD 2.0  /* the phase, which keeps a tremor from being a tone, */
#define WANDERS_HZ 1.5   /* so fast */

static double turn_rad(const tremor *t, uint64_t axis, double time_s)
{
	const uint64_t key = rng_key(t->seed, RNG_TREMOR, axis);
	const double hertz = t->hertz * (1 + SPREAD * ((double)axis - 1)),
		     phase = rng_between(key, 0, 0, 2 * SIM_PI) + WANDERS_RAD * noise_1d(key, time_s * WANDERS_HZ);
	return 1e-3 * t->turn_mrad * sqrt(2) * sin(2 * SIM_PI * hertz * time_s + phase);
}

pose tremor_at(const tremor *t, pose camera, double time_s)
{
	if (t->turn_mrad == 0)
		return camera;
	const v3 grip = v3_make(-GRIP_MM, 0, 0);
	quat turn = {0, 0, 0, 1};
	for (uint64_t axis = 0; axis < 3; axis++)
		turn = quat_product(turn, quat_axis_angle(v3_make(axis == 0, axis == 1, axis == 2), turn_rad(t, axis, time_s)));
	const v3 moved = v3_sub(grip, quat_rotate(turn, grip));
	return (pose){v3_add(camera.t_mm, quat_rotate(camera.q, moved)), quat_product(camera.q, turn)};
}
