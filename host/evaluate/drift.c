/* SPDX-License-Identifier: Apache-2.0 */
#include "drift.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_TIME_S 1e-3
#define NEAR_TIME_S 0.02
#define INTERPOLATION_GAP_S 0.1

static rigid rigid_of(const enm_pose *pose)
{
	return rigid_from_quaternion(pose->t_mm, pose->q_xyzw);
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

/* The first pose not before `time_s`. */
static size_t first_not_before(const trajectory *t, double time_s)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (t->poses[middle].time_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool drift_truth_at(const trajectory *truth, double time_s, rigid *out, bool *out_interpolated)
{
	const size_t after = first_not_before(truth, time_s);
	const trajectory_pose *b = after < truth->count ? &truth->poses[after] : NULL;
	const trajectory_pose *a = after > 0 ? &truth->poses[after - 1] : NULL;
	const double to_a = a != NULL ? time_s - a->time_s : (double)INFINITY;
	const double to_b = b != NULL ? b->time_s - time_s : (double)INFINITY;
	const trajectory_pose *nearest = to_a < to_b ? a : b;
	const double gap = fmin(to_a, to_b);
	*out_interpolated = false;
	if (gap > SAME_TIME_S && a != NULL && b != NULL && to_a + to_b <= INTERPOLATION_GAP_S) {
		const rigid pose_a = rigid_of(&a->world_from_camera), pose_b = rigid_of(&b->world_from_camera);
		*out = rigid_between(&pose_a, &pose_b, to_a / (to_a + to_b));
		*out_interpolated = true;
		return true;
	}
	if (!(gap <= NEAR_TIME_S))
		return false;
	*out = rigid_of(&nearest->world_from_camera);
	return true;
}

static bool is_among(const double *ascending, size_t count, double time_s)
{
	size_t low = 0, high = count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ascending[middle] < time_s - SAME_TIME_S)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ascending[low] <= time_s + SAME_TIME_S;
}

host_status drift_match(const trajectory *measured, const trajectory *truth, const double *fused_times_s,
	size_t fused_count, const char *name, drift_poses *out)
{
	*out = (drift_poses){0};
	out->poses = malloc((measured->count + 1) * sizeof(*out->poses));
	if (out->poses == NULL)
		return host_fail_memory("the trajectory");
	for (size_t i = 0; i < measured->count; i++) {
		const trajectory_pose *m = &measured->poses[i];
		drift_pose *p = &out->poses[out->count];
		bool interpolated;
		*p = (drift_pose){.time_s = m->time_s, .measured = rigid_of(&m->world_from_camera)};
		if (!drift_truth_at(truth, m->time_s, &p->truth, &interpolated)) {
			out->unmatched++;
			continue;
		}
		p->fused = fused_times_s == NULL || is_among(fused_times_s, fused_count, m->time_s);
		out->interpolated += interpolated ? 1 : 0;
		out->count++;
	}
	if (out->count > 0)
		return HOST_OK;
	drift_poses_free(out);
	return host_fail_file(HOST_DATA, name, "none of its %zu times is one of the ground truth (%.3f to %.3f s)",
		measured->count, truth->poses[0].time_s, truth->poses[truth->count - 1].time_s);
}

void drift_poses_free(drift_poses *p)
{
	free(p->poses);
	*p = (drift_poses){0};
}

/* ---- pinned and best-fit ---------------------------------------------------------------------------------------- */

static rigid truth_from_measured_by(const drift_pose *p)
{
	const rigid camera_from_measured = rigid_inverse(&p->measured);
	return rigid_compose(&p->truth, &camera_from_measured);
}

rigid drift_pin_first(const drift_poses *p)
{
	return truth_from_measured_by(&p->poses[0]);
}

rigid drift_pin_first_frames(const drift_poses *p)
{
	rigid each[DRIFT_FIRST_FRAMES];
	double middle[3] = {0};
	const size_t count = p->count < DRIFT_FIRST_FRAMES ? p->count : DRIFT_FIRST_FRAMES;
	for (size_t i = 0; i < count; i++) {
		each[i] = truth_from_measured_by(&p->poses[i]);
		for (int k = 0; k < 3; k++)
			middle[k] += p->poses[i].measured.t[k] / (double)count;
	}
	return rigid_mean(each, count, middle);
}

/* What carries the true camera into the measured one, put into the true world. */
static rigid error_of(const drift_pose *p, const rigid *truth_from_measured)
{
	const rigid placed = rigid_compose(truth_from_measured, &p->measured);
	const rigid camera_from_truth = rigid_inverse(&p->truth);
	return rigid_compose(&camera_from_truth, &placed);
}

host_status drift_measure(const drift_poses *p, const rigid *truth_from_measured, drift *out)
{
	*out = (drift){.truth_from_measured = *truth_from_measured};
	double *translation = malloc(2 * (p->count + 1) * sizeof(double));
	if (translation == NULL)
		return host_fail_memory("the trajectory");
	double *rotation = translation + p->count;
	for (size_t i = 0; i < p->count; i++) {
		const rigid error = error_of(&p->poses[i], truth_from_measured);
		translation[i] = vec_length(error.t);
		rotation[i] = rigid_angle(&error);
	}
	if (p->count > 0) {
		out->end_translation_mm = translation[p->count - 1];
		out->end_rotation_rad = rotation[p->count - 1];
	}
	out->translation_mm = stats_of(translation, p->count);
	out->rotation_rad = stats_of(rotation, p->count);
	free(translation);
	return HOST_OK;
}

host_status drift_measure_best_fit(const drift_poses *p, drift *out, bool *out_defined)
{
	*out = (drift){0};
	*out_defined = false;
	double(*from)[3] = malloc((p->count + 1) * sizeof(*from));
	double(*to)[3] = malloc((p->count + 1) * sizeof(*to));
	host_status status = HOST_OK;
	if (from == NULL || to == NULL) {
		status = host_fail_memory("the trajectory");
		goto done;
	}
	for (size_t i = 0; i < p->count; i++) {
		memcpy(from[i], p->poses[i].measured.t, sizeof(from[i]));
		memcpy(to[i], p->poses[i].truth.t, sizeof(to[i]));
	}
	rigid truth_from_measured;
	*out_defined = rigid_fit((const double(*)[3])from, (const double(*)[3])to, p->count, &truth_from_measured);
	if (*out_defined)
		status = drift_measure(p, &truth_from_measured, out);
done:
	free(from);
	free(to);
	return status;
}

/* ---- wrong poses ------------------------------------------------------------------------------------------------ */

typedef struct search {
	const drift_poses *poses;
	double lever_mm;
	size_t *nearest; /* per pose: the fused one nearest in true viewpoint, SIZE_MAX when there is none */
} search;

/* Distance of two viewpoints: positions and turn as one length. The trace serves to order turns cheaply:
 * for an angle a it is 1 + 2 cos a, and 2 (1 - cos a) is the squared chord. */
static double viewpoint_distance2(const rigid *a, const rigid *b, double lever_mm)
{
	double d[3], trace = 0;
	vec_sub(a->t, b->t, d);
	for (int i = 0; i < 9; i++)
		trace += a->r[i] * b->r[i];
	return vec_dot(d, d) + lever_mm * lever_mm * (3 - trace);
}

static void find_nearest(void *user, size_t first, size_t last)
{
	search *s = user;
	for (size_t i = first; i < last; i++) {
		const drift_pose *p = &s->poses->poses[i];
		double best = INFINITY;
		s->nearest[i] = SIZE_MAX;
		for (size_t j = 0; j < i; j++) {
			const drift_pose *q = &s->poses->poses[j];
			if (q->time_s > p->time_s - WRONG_OLDER_S + 1e-6)
				break;
			if (!q->fused)
				continue;
			const double d2 = viewpoint_distance2(&p->truth, &q->truth, s->lever_mm);
			if (d2 < best) {
				best = d2;
				s->nearest[i] = j;
			}
		}
	}
}

/* Judges pose `p` by what it says relative to `q`; keeps the greater errors in `w`. */
static bool is_wrong_beside(const drift_pose *p, const drift_pose *q, wrong_pose *w)
{
	const rigid measured_inverse = rigid_inverse(&q->measured), truth_inverse = rigid_inverse(&q->truth);
	const rigid measured = rigid_compose(&measured_inverse, &p->measured);
	const rigid truth = rigid_compose(&truth_inverse, &p->truth);
	const rigid truth_back = rigid_inverse(&truth);
	const rigid error = rigid_compose(&truth_back, &measured);
	const double translation_mm = vec_length(error.t), rotation_rad = rigid_angle(&error);
	w->translation_mm = fmax(w->translation_mm, translation_mm);
	w->rotation_rad = fmax(w->rotation_rad, rotation_rad);
	return !(translation_mm <= WRONG_TRANSLATION_MM && rotation_rad <= WRONG_ROTATION_RAD);
}

host_status drift_find_wrong(const drift_poses *p, double viewpoint_lever_mm, wrong_poses *out)
{
	*out = (wrong_poses){0};
	search s = {.poses = p, .lever_mm = viewpoint_lever_mm};
	s.nearest = malloc((p->count + 1) * sizeof(size_t));
	out->poses = malloc((p->count + 1) * sizeof(*out->poses));
	if (s.nearest == NULL || out->poses == NULL) {
		free(s.nearest);
		wrong_poses_free(out);
		return host_fail_memory("the trajectory");
	}
	parallel_for(p->count, find_nearest, &s);
	size_t previous = SIZE_MAX;
	for (size_t i = 0; i < p->count; i++) {
		wrong_pose w = {.time_s = p->poses[i].time_s};
		if (previous != SIZE_MAX)
			w.by_previous = is_wrong_beside(&p->poses[i], &p->poses[previous], &w);
		if (s.nearest[i] != SIZE_MAX) {
			w.by_viewpoint = is_wrong_beside(&p->poses[i], &p->poses[s.nearest[i]], &w);
			out->judged_by_viewpoint++;
		}
		if (w.by_previous || w.by_viewpoint)
			out->poses[out->count++] = w;
		if (p->poses[i].fused)
			previous = i;
	}
	free(s.nearest);
	return HOST_OK;
}

void wrong_poses_free(wrong_poses *w)
{
	free(w->poses);
	*w = (wrong_poses){0};
}
