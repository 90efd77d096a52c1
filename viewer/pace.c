/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <stddef.h>

#define MOVING_S 0.025 /* a hand notices more */
#define MOVING_REST 1.0               /* the scan's time for each picture's, while the user turns the model */
#define GROWING_REST 1.5              /* and while only the model grows */
#define GROWING_S 0.02                /* and no more for a picture then: with its rest 20 a second */
#define INTERVAL_LEAST_S (1.0 / 60.0) /* no screen shows more */

/* Few steps, lest the picture's sharpness flicker. */
static const double steps[] = {1.0, 0.75, 0.5, 0.375, 0.25};
#define STEP_COUNT (sizeof steps / sizeof *steps)
#define STEP_FIRST 2 /* before anything is known about the device */

static size_t step_of(double scale)
{
	for (size_t i = 0; i < STEP_COUNT; i++)
		if (scale >= steps[i])
			return i;
	return STEP_COUNT - 1;
}

double pace_scale(const pace *p, uint64_t pixels, bool moving, bool ended)
{
	if (ended && !moving)
		return 1.0;
	if (p->scale <= 0.0)
		return steps[STEP_FIRST];
	double target_s = moving ? MOVING_S : GROWING_S;
	size_t last = step_of(p->scale), i = last ? last - 1 : 0; /* up one step at a time, down any number */
	while (i + 1 < STEP_COUNT && p->s_per_pixel * (double)pixels * steps[i] * steps[i] > target_s)
		i++;
	return steps[i];
}

bool pace_is_due(const pace *p, bool moving, double now_s)
{
	double rest_s = p->took_s * (moving ? MOVING_REST : GROWING_REST);
	return now_s >= p->done_s + (rest_s > INTERVAL_LEAST_S ? rest_s : INTERVAL_LEAST_S);
}

void pace_note(pace *p, double scale, uint64_t pixels, double took_s, double now_s)
{
	p->scale = scale;
	p->s_per_pixel = pixels ? took_s / (double)pixels : 0.0;
	p->took_s = took_s;
	p->done_s = now_s;
}
