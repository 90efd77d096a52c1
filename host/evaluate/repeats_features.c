/* SPDX-License-Identifier: Apache-2.0
 * Distances and angles over the repeats: their mean tells trueness, their scatter precision. */
#include "repeats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

spread spread_of(const double *values, size_t count)
{
	spread out = {0};
	for (size_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		out.worst = out.count == 0 ? values[i] : fmax(out.worst, values[i]);
		out.mean += values[i];
		out.count++;
	}
	if (out.count == 0)
		return out;
	out.mean /= (double)out.count;
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]))
			out.sd += (values[i] - out.mean) * (values[i] - out.mean);
	out.sd = out.count > 1 ? sqrt(out.sd / (double)(out.count - 1)) : 0;
	return out;
}

repeated repeated_of(const char *name, bool is_angle, const double *values, size_t count, double truth)
{
	const spread s = spread_of(values, count);
	repeated out = {
		.name = name, .is_angle = is_angle, .count = s.count, .truth = truth, .mean = s.mean, .sd = s.sd};
	const double right = isnan(truth) ? s.mean : truth;
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]) && fabs(values[i] - right) >= fabs(out.worst))
			out.worst = values[i] - right;
	return out;
}

/* ---- landmarks -------------------------------------------------------------------------------------------------- */

static void take_measures(repeats *r)
{
	measure measures[MEASURES_MAX];
	double values[REPEATS_MAX];
	r->measure_count = measures_of(r->in.landmarks, r->in.landmark_count, measures);
	for (size_t m = 0; m < r->measure_count; m++) {
		for (size_t k = 0; k < r->count; k++)
			if (!measure_take(&measures[m], r->each[k].landmarks, &values[k]))
				values[k] = NAN;
		r->measures[m] = repeated_of(measures[m].name, measures[m].kind != MEASURE_DISTANCE, values, r->count,
			r->in.has_truth ? measure_true(&measures[m], r->in.landmarks) : (double)NAN);
	}
}

static host_status find_landmarks(repeats *r, const samples *s)
{
	host_status status = HOST_OK;
	const size_t bytes = r->in.landmark_count * sizeof(landmark);
	for (size_t k = 0; status == HOST_OK && k < r->count; k++) {
		one_repeat *one = &r->each[k];
		one->landmarks = malloc(bytes + 1);
		if (one->landmarks == NULL)
			return host_fail_memory("the landmarks");
		memcpy(one->landmarks, r->in.landmarks, bytes);
		status = landmarks_find(
			one->landmarks, r->in.landmark_count, s, &one->recon, &one->reference_from_recon);
	}
	return status;
}

static host_status fit_spheres(repeats *r)
{
	host_status status = HOST_OK;
	const size_t bytes = r->in.sphere_count * sizeof(sphere);
	for (size_t k = 0; status == HOST_OK && k < r->count; k++) {
		one_repeat *one = &r->each[k];
		one->spheres = malloc(bytes + 1);
		if (one->spheres == NULL)
			return host_fail_memory("the spheres");
		memcpy(one->spheres, r->in.spheres, bytes);
		status = spheres_fit(one->spheres, r->in.sphere_count, &one->recon, &one->reference_from_recon);
	}
	return status;
}

/* ---- all pairs -------------------------------------------------------------------------------------------------- */

/* A landmark or a sphere of the reference (repeat below 0) or of a repeat; NULL when it has no place there. */
typedef const double *(*place_of)(const repeats *r, size_t repeat, size_t index);

#define REFERENCE ((size_t)-1)

static const double *landmark_place(const repeats *r, size_t repeat, size_t index)
{
	if (repeat == REFERENCE)
		return r->in.landmarks[index].truth;
	const landmark *mark = &r->each[repeat].landmarks[index];
	return mark->found ? mark->place : NULL;
}

static const double *sphere_place(const repeats *r, size_t repeat, size_t index)
{
	if (repeat == REFERENCE)
		return r->in.spheres[index].centre;
	const sphere *one = &r->each[repeat].spheres[index];
	return one->found ? one->place : NULL;
}

static double distance_of(const repeats *r, size_t repeat, place_of place, size_t a, size_t b)
{
	const double *p = place(r, repeat, a), *q = place(r, repeat, b);
	return p != NULL && q != NULL ? vec_distance(p, q) : (double)NAN;
}

static repeated_pairs pairs_of(const repeats *r, size_t count, place_of place)
{
	repeated_pairs out = {0};
	double values[REPEATS_MAX], freedom = 0, squares = 0;
	for (size_t a = 0; a < count; a++)
		for (size_t b = a + 1; b < count; b++) {
			for (size_t k = 0; k < r->count; k++)
				values[k] = distance_of(r, k, place, a, b);
			const spread s = spread_of(values, r->count);
			if (s.count < 2)
				continue;
			const double off_mm = fabs(s.mean - distance_of(r, REFERENCE, place, a, b));
			out.pairs++;
			out.trueness_mean_mm += off_mm;
			out.trueness_worst_mm = fmax(out.trueness_worst_mm, off_mm);
			out.sd_worst_mm = fmax(out.sd_worst_mm, s.sd);
			squares += s.sd * s.sd * (double)(s.count - 1);
			freedom += (double)(s.count - 1);
		}
	out.trueness_mean_mm /= (double)(out.pairs > 0 ? out.pairs : 1);
	out.sd_pooled_mm = freedom > 0 ? sqrt(squares / freedom) : 0;
	return out;
}

host_status repeats_features(repeats *r)
{
	samples s = {0};
	host_status status = HOST_OK;
	if (r->in.landmark_count > 0) {
		status = samples_create(r->in.has_truth ? &r->in.truth : &r->each[0].recon, EVALUATION_SAMPLES, &s);
		if (status == HOST_OK)
			status = find_landmarks(r, &s);
		samples_destroy(&s);
		if (status != HOST_OK)
			return status;
		take_measures(r);
		r->landmark_pairs = pairs_of(r, r->in.landmark_count, landmark_place);
	}
	if (r->in.sphere_count > 0) {
		status = fit_spheres(r);
		if (status == HOST_OK)
			r->sphere_pairs = pairs_of(r, r->in.sphere_count, sphere_place);
	}
	return status;
}
