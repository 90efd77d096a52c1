/* SPDX-License-Identifier: Apache-2.0
 * The course of the hand: a Kalman filter over pose and velocity, whose prediction counts in the solve as much as its covariance says. A frame's
 * readings leave some directions open by ten times what they do others; there a steady hand says more than a single frame. How steady it is,
 * the filter learns by axis from how far poses fall off its predictions (after Mehra 1970).
 *
 * A group of at least 36 items follows it, an entry of the matrices each. */
#ifndef ENM_COURSE_H
#define ENM_COURSE_H

#include "solve.h"

#define COURSE_SPEED_MM_S 100.0f     /* of a hand of which nothing is known, 1 sigma */
#define COURSE_ROUGH_MM_S2 30.0f     /* acceleration, likewise */
#define COURSE_ROUGH_LEAST_MM_S2 5.0f
#define COURSE_ROUGH_MOST_MM_S2 1e5f /* rooms too */
/* A frame changes the logarithm of the squared acceleration by this share of the excess of what was seen over what was expected; of the
 * former no more than so many times the latter counts. */
#define COURSE_LEARNS 0.1f
#define COURSE_EXCESS_MOST 9.0f
/* Squares of what the frame alone is off by, in sigmas of both, from where on the prediction weighs less: it was a jerk. Six are expected. */
#define COURSE_JERK 16.0f

typedef struct course_work {
	float a[36], b[36], pose[36], both[36], velocity[36];
} course_work;

/* One entry of the product of 6x6 matrices, of the first's transpose if so asked. */
static inline float product_entry_6(__local const float *a, bool transposed, __local const float *b, int entry)
{
	int row = entry / 6, column = entry % 6;
	float sum = 0.0f;
	for (int k = 0; k < 6; k++)
		sum += a[transposed ? k * 6 + row : row * 6 + k] * b[k * 6 + column];
	return sum;
}

/* Inverts a positive symmetric matrix, a column an item; NaN where it is not positive. All items must call it. */
static inline void invert_6(__local const float *m, __local float *out)
{
	int item = get_local_id(0);
	if (item < 6) {
		float h[36], b[6];
		for (int i = 0; i < 36; i++)
			h[i] = m[i];
		for (int i = 0; i < 6; i++)
			b[i] = i == item ? 1.0f : 0.0f;
		bool good = solve_6(h, b);
		for (int i = 0; i < 6; i++)
			out[i * 6 + item] = good ? b[i] : NAN;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
}

/* What the last frame tells of the hand's roughness along an axis: its pose and the prediction, as sure as it was before a jerk took weight from it,
 * leave open `known_mm2` there. */
static inline float course_learn(__global const enm_k_course *course, float known_mm2, int axis)
{
	float before = course->roughness[axis] > 0.0f ? course->roughness[axis] : COURSE_ROUGH_MM_S2 * COURSE_ROUGH_MM_S2;
	float off_mm = course->off_mm[axis], expected_mm2 = course->variance_mm2[axis] - known_mm2;
	if (course->weight == 0.0f || !(expected_mm2 > 0.0f)) /* the latter where the course had just begun */
		return before;
	float excess = fmin(off_mm * off_mm / expected_mm2, COURSE_EXCESS_MOST) - 1.0f;
	return clamp(before * exp(COURSE_LEARNS * excess), COURSE_ROUGH_LEAST_MM_S2 * COURSE_ROUGH_LEAST_MM_S2,
		COURSE_ROUGH_MOST_MM_S2 * COURSE_ROUGH_MOST_MM_S2);
}

/* Carries the course on from the last pose, of `information`, over `dt_s`. Where `followed` is false, or the matrices are no good, nothing is known
 * of it. All items must call it; `course` is whole for them all afterwards. */
static inline void course_carry_on(bool followed, float dt_s, __global const float *information, __global enm_k_course *course,
				   __local course_work *w)
{
	int item = get_local_id(0), entry = min(item, 35);
	bool mine = item < 36 && followed, diagonal = entry % 7 == 0;
	float weight = course->weight, left = 0.0f, rough = 0.0f;
	bool known = weight > 0.0f; /* else it begins anew from the pose alone */
	float from_frame = mine ? information[entry] : 0.0f, from_course = mine && known ? course->information[entry] : 0.0f;
	if (mine)
		w->a[entry] = from_frame + from_course;
	barrier(CLK_LOCAL_MEM_FENCE);
	invert_6(w->a, w->pose);
	if (mine && diagonal)
		rough = course_learn(course, w->pose[entry], entry / 7);
	barrier(CLK_LOCAL_MEM_FENCE);
	if (mine) {
		w->a[entry] = from_frame + weight * from_course;
		w->b[entry] = known ? course->gain[entry] : 0.0f;
		left = known ? course->left[entry] / weight : diagonal ? COURSE_SPEED_MM_S * COURSE_SPEED_MM_S : 0.0f;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	invert_6(w->a, w->pose);
	if (mine)
		w->both[entry] = product_entry_6(w->pose, false, w->b, entry);
	barrier(CLK_LOCAL_MEM_FENCE);
	if (mine)
		w->velocity[entry] = left + product_entry_6(w->b, true, w->both, entry);
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	/* the prediction: covariance in `a`, of pose and velocity in `b` */
	int turned = entry % 6 * 6 + entry / 6;
	if (mine) {
		w->a[entry] = w->pose[entry] + dt_s * (w->both[entry] + w->both[turned]) + dt_s * dt_s * w->velocity[entry] +
			      0.25f * rough * dt_s * dt_s * dt_s * dt_s;
		w->b[entry] = w->both[entry] + dt_s * w->velocity[entry] + 0.5f * rough * dt_s * dt_s * dt_s;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	invert_6(w->a, w->pose);
	if (mine)
		w->both[entry] = product_entry_6(w->pose, false, w->b, entry);
	barrier(CLK_LOCAL_MEM_FENCE);
	float trace = 0.0f;
	for (int i = 0; i < 6; i++)
		trace += w->pose[i * 7];
	bool good = followed && isfinite(trace);
	if (item < 36) {
		course->information[entry] = good ? 0.5f * (w->pose[entry] + w->pose[turned]) : 0.0f;
		course->gain[entry] = good ? w->both[entry] : 0.0f;
		course->left[entry] = good ? w->velocity[entry] + rough * dt_s * dt_s - product_entry_6(w->b, true, w->both, entry) : 0.0f;
	}
	if (item < 36 && diagonal) {
		course->variance_mm2[entry / 7] = good && known ? w->a[entry] : 0.0f;
		course->roughness[entry / 7] = good ? rough : course->roughness[entry / 7];
	}
	if (item == 0)
		course->weight = good ? 1.0f : 0.0f;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}

/* How much the prediction weighs against a frame alone, which lies `off` it and is known by `information`: less than 1 of a jerk. */
static inline float course_weight(__global const enm_k_course *course, __private const float *information, const float *off)
{
	float both[36], pull[6] = {0.0f}, x[6], squares = 0.0f;
	for (int i = 0; i < 36; i++)
		both[i] = course->information[i] + information[i];
#pragma unroll
	for (int i = 0; i < 6; i++) {
#pragma unroll
		for (int j = 0; j < 6; j++)
			pull[i] += course->information[i * 6 + j] * off[j];
		x[i] = pull[i];
	}
	if (!solve_6(both, x))
		return 0.0f;
	for (int i = 0; i < 6; i++)
		squares += pull[i] * (off[i] - x[i]);
	return squares <= COURSE_JERK ? 1.0f : squares < INFINITY ? COURSE_JERK / squares : 0.0f; /* NaN: 0 */
}

#endif
