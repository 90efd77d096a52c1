/* SPDX-License-Identifier: Apache-2.0
 * The directions that the shape in view does not fix. */
#ifndef ENM_HOLD_H
#define ENM_HOLD_H

#include "solve.h"

/* What makes a direction found stiff, so that the next one shows. */
#define FOUND_STIFFNESS 10.0f
/* What holds it to the prediction, per unit of the data's weight. Errors that all readings share, some 8 um, move a pose by 8 um / sqrt(eigenvalue);
 * a prediction errs by some 0.17 mm from frame to frame. So both count the same where the data's eigenvalue is this. */
#define HOLD_WEIGHT 2e-3f
/* Added to all eigenvalues while they are looked for: rounding of the sums, and where that is not enough more and more, since a matrix that noise
 * was taken out of may fall a little below zero. */
#define EIGENVALUE_SHIFT 1e-6f
#define EIGENVALUE_SHIFT_MOST 3e-3f
#define EIGENVALUE_SHIFT_MORE 15.0f

static inline void add_to_eigenvalues(__private float *h, float shift)
{
	for (int i = 0; i < 6; i++)
		h[i * 7] += shift;
}

/* Noise of normals adds half of this to eigenvalues, as seen on smooth ridges: a fit whose least one is below it is in doubt. */
#define EIGENVALUE_DOUBTFUL (3.0f * ENM_K_EIGENVALUE_LEAST)

/* After a frame that left a direction open these limits are as many times as high: the noise of eigenvalues lets one frame in twenty of a smooth
 * ridge pass, which is then fused where the wand has slid to, and seems to have the shape of its own noise. Not where colour has
 * a say, which such noise has no part in. */
#define EIGENVALUE_WARY 2.0f

/* What a direction must be fixed by is a matter of the errors that all readings of the shape share. Where colour does a part, these count by the rest alone: with a shape's
 * eigenvalue a and colour's c they move a pose by 8 um sqrt(a) / (a + c). No more is granted than this, since shading errs too. */
#define COLOR_SHARE_MOST 0.75f

/* v' m v */
static inline float along(const float *m, const float *v)
{
	float sum = 0.0f;
	for (int i = 0; i < 36; i++)
		sum += v[i / 6] * m[i] * v[i % 6];
	return sum;
}

/* `limits`: times as high as usual. `h`: matrix of the data per unit of weight; overwritten, each direction found being made stiff in it, so that the next one shows. `painted`: what colour has added to it. `hold` gets
 * what holds them, `worst` the worst fixed direction found or zeros. Returns how many directions have eigenvalues below the limit: all where
 * the matrix is none of a fit. */
static inline uint open_directions(float limits, __private float *h, __private float *hold, __private float *worst, __private bool *doubtful,
				  const float *painted, __private float *color_share)
{
	float shift = EIGENVALUE_SHIFT;
	uint held = 0;
	bool going = true;
	for (int i = 0; i < 36; i++)
		hold[i] = 0.0f;
	for (int i = 0; i < 6; i++)
		worst[i] = 0.0f;
	add_to_eigenvalues(h, shift);
	float trace = trace_of_inverse_6(h);
	while (!(trace < INFINITY) && shift < EIGENVALUE_SHIFT_MOST) {
		add_to_eigenvalues(h, shift * (EIGENVALUE_SHIFT_MORE - 1.0f));
		shift *= EIGENVALUE_SHIFT_MORE;
		trace = trace_of_inverse_6(h);
	}
	bool sound = trace < INFINITY;
	*color_share = 0.0f;
	*doubtful = !sound;
	while (sound && going && held < 6) {
		float v[6], eigenvalue = INFINITY;
		/* the trace is cheap, and mostly tells that all is well */
		if (trace * (limits * EIGENVALUE_DOUBTFUL + shift) > 1.0f)
			eigenvalue = least_eigenvector_6(h, v) - shift;
		*doubtful = *doubtful || eigenvalue < limits * EIGENVALUE_DOUBTFUL;
		float share = eigenvalue > 0.0f && eigenvalue < INFINITY ? clamp(along(painted, v) / eigenvalue, 0.0f, COLOR_SHARE_MOST) : 0.0f;
		going = eigenvalue < limits * (1.0f - share) * ENM_K_EIGENVALUE_LEAST;
		*color_share = going ? 0.0f : share;
		for (int a = 0; a < 6 && going; a++) {
			if (held == 0)
				worst[a] = v[a];
			for (int b = 0; b < 6; b++) {
				h[a * 6 + b] += FOUND_STIFFNESS * v[a] * v[b];
				hold[a * 6 + b] += HOLD_WEIGHT * v[a] * v[b];
			}
		}
		held += going ? 1 : 0;
		trace = going ? trace_of_inverse_6(h) : 0.0f;
	}
	for (int i = 0; i < 6 && !sound; i++)
		hold[i * 7] = HOLD_WEIGHT;
	return sound ? held : 6;
}

#endif
