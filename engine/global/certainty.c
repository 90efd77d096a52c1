/* SPDX-License-Identifier: Apache-2.0
 *
 * How well places of a refined model are known. A place lies where the frames that saw it put it on average, so that what
 * one asks of the model (a distance, a shift) is, to first order, a sum over the steps of these frames and the terms of the
 * residual; its variance is a quadratic form of the inverse of the matrix that was solved, and takes a solve for
 * each quantity and not the inverse. Forces and moments (wrenches) carry a quantity from the world to the frames. */
#include "global/certainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "pipeline/session.h"

#define PINNED_FRAMES 30u    /* of ENM_PIN_FIRST_30 */
#define QUANTITIES_MOST 256u

/* By ENM_PIN_WHOLE. Places err by smooth deformations of the whole. In these a reading counts with the mean offset of the frames that it is compared with and not with each of
 * their offsets, which are as often to one side as to the other; of the variance that comparisons would have if each was new, that leaves half (worked out for a
 * strip of overlapping views; what ties the turns of a steady hand is doubled along with it, which tells a little too little where it is all there is). Poses of single frames, and of the few by which a model is pinned, err by noise of their own, for which the information of the solve is right. */
#define WHOLE_INFORMATION 2.0

/* A frame whose reading at a place is off by more, along the ray, saw something else: a tooth's edge, or what noise leaves of a room. */
#define SEEN_WITHIN_MM 0.25
#define SEEN_WITHIN_SIGMAS 6.0

void certainty_drop(certainty **of)
{
	if (*of == NULL)
		return;
	solve_destroy(&(*of)->system);
	free((*of)->poses);
	free((*of)->frames);
	free((*of)->joined);
	free(*of);
	*of = NULL;
}

/* ---- the inverse, seen by a few columns ---- */

/* The terms as a quantity feels them when the frames have followed: t - B' A^-1 v. */
static void felt_terms(const solve_system *s, const double *x, const double *terms, double *out)
{
	memcpy(out, terms, 6 * sizeof(*out));
	for (size_t n = 0; n < 6 * (size_t)s->nodes; n++)
		for (size_t k = 0; k < 6; k++)
			out[k] -= s->border[6 * n + k] * x[n];
}

enm_result certainty_solve(const certainty *of, const certainty_columns *c, double *out)
{
	double *x = malloc((c->rows * sizeof(*x) + 6 * sizeof(*x)) * c->count), *felt = x + c->rows * c->count;
	if (x == NULL)
		return error_set(ENM_E_MEMORY, "no host memory for %zu quantities", c->count);
	enm_result result = solve_columns(&of->system, of->poses, c->count, c->nodes, x);
	for (size_t a = 0; a < c->count && result == ENM_OK; a++)
		felt_terms(&of->system, x + a * c->rows, c->terms + 6 * a, felt + 6 * a);
	for (size_t a = 0; a < c->count && result == ENM_OK; a++)
		for (size_t b = 0; b <= a; b++) {
			double poses = 0.0, terms = 0.0;
			for (size_t n = 0; n < c->rows; n++)
				poses += 0.5 * (c->nodes[a * c->rows + n] * x[b * c->rows + n] +
						       c->nodes[b * c->rows + n] * x[a * c->rows + n]);
			for (size_t i = 0; i < 6; i++)
				for (size_t k = 0; k < 6; k++)
					terms += felt[6 * a + i] * of->terms[6 * i + k] * felt[6 * b + k];
			out[a * c->count + b] = out[b * c->count + a] = poses / (of->information * c->information) + terms;
		}
	free(x);
	return result;
}

static enm_result columns_create(const certainty *of, size_t count, certainty_columns *out)
{
	out->count = count;
	out->information = 1.0;
	out->rows = 6 * (size_t)of->system.nodes;
	out->nodes = calloc((out->rows + 6) * count, sizeof(*out->nodes));
	out->terms = out->nodes + out->rows * count;
	return out->nodes != NULL ? ENM_OK : error_set(ENM_E_MEMORY, "no host memory for %zu quantities", count);
}

/* ---- what quantities feel ---- */

/* A moment about the world's origin and a force, in the world. */
typedef struct wrench {
	double moment[3], force[3];
} wrench;

static void cross(const double *a, const double *b, double *out)
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

/* `share` of what a wrench does when a node moves. */
static void add_wrench(const certainty *of, uint32_t node, double share, const wrench *w, double *column)
{
	const rigid *pose = &of->poses[node];
	double about[3], *out = column + 6 * (size_t)node;
	cross(pose->t, w->force, about);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			out[i] += share * pose->r[3 * k + i] * (w->moment[k] - about[k]);
			out[3 + i] += share * pose->r[3 * k + i] * w->force[k];
		}
}

/* Takes away the motion of the frames by which the model is pinned. */
static void pin_down(const certainty *of, enm_pin pin, const wrench *w, double *column)
{
	const size_t many = pin == ENM_PIN_FIRST ? 1 : pin == ENM_PIN_FIRST_30 ? PINNED_FRAMES : SIZE_MAX - of->frames[of->first],
		     end = of->frames[of->first] + many;
	double count = 0.0;
	for (uint32_t i = of->first; i < of->system.nodes && of->frames[i] < end; i++)
		count += of->joined[i];
	for (uint32_t i = of->first; i < of->system.nodes && of->frames[i] < end; i++)
		if (of->joined[i])
			add_wrench(of, i, -1.0 / count, w, column);
}

/* ---- who saw a place ---- */

/* Of a place in a node's picture. */
typedef struct sighting {
	double ray[3];
	double terms[6];
	double weight; /* 0: not seen */
} sighting;

static void project(const enm_camera *c, const double ray[3], double *u, double *v)
{
	const double x = ray[0], y = ray[1], r2 = x * x + y * y, *d = c->distortion;
	const double radial = 1.0 + r2 * (d[0] + r2 * (d[1] + r2 * d[4]));
	*u = c->fx * (x * radial + 2.0 * d[2] * x * y + d[3] * (r2 + 2.0 * x * x)) + c->cx;
	*v = c->fy * (y * radial + d[2] * (r2 + 2.0 * y * y) + 2.0 * d[3] * x * y) + c->cy;
}

static enm_result reading_at(const enm_session *s, const store_frame *f, size_t pixel, double *out_mm)
{
	uint16_t units;
	float mm = 0.0f;
	enm_result result;
	if (f->format == ENM_DEPTH_U16) {
		result = store_read(&s->store, f, ENM_K_INPUT_DEPTH + 2 * pixel, sizeof(units), &units);
		*out_mm = result == ENM_OK ? units * s->def.depth_mm_per_unit : 0.0;
	} else {
		result = store_read(&s->store, f, ENM_K_INPUT_DEPTH + 4 * pixel, sizeof(mm), &mm);
		*out_mm = result == ENM_OK && isfinite(mm) ? (double)mm : 0.0;
	}
	return result;
}

static enm_result look(const enm_session *s, uint32_t node, const double at[3], sighting *out)
{
	const certainty *of = s->certainty;
	const enm_camera *camera = &s->def.camera;
	const rigid back = rigid_inverse(&of->poses[node]);
	double p[3], u, v, mm;
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < 3; i++)
		p[i] = back.r[3 * i] * at[0] + back.r[3 * i + 1] * at[1] + back.r[3 * i + 2] * at[2] + back.t[i];
	if (!(p[2] >= s->def.depth_min_mm && p[2] <= s->def.depth_max_mm))
		return ENM_OK;
	for (int i = 0; i < 3; i++)
		out->ray[i] = p[i] / p[2];
	project(camera, out->ray, &u, &v);
	if (!(u >= 0.0 && v >= 0.0 && u <= camera->width - 1.0 && v <= camera->height - 1.0))
		return ENM_OK;
	enm_result result = reading_at(
		s, &s->store.frames[of->frames[node]], (size_t)lrint(v) * camera->width + (size_t)lrint(u), &mm);
	const double far = p[2] / s->def.depth_sigma_at_mm, sigma_mm = s->def.depth_sigma_mm * far * far;
	if (result != ENM_OK || !(fabs(mm - p[2]) <= fmax(SEEN_WITHIN_MM, SEEN_WITHIN_SIGMAS * sigma_mm)))
		return result;
	const double x = 2.0 * u / (camera->width - 1.0) - 1.0, y = 2.0 * v / (camera->height - 1.0) - 1.0;
	const double terms[6] = {x * x + y * y, x * x - y * y, x * y, x, y, 1.0};
	memcpy(out->terms, terms, sizeof(terms));
	out->weight = 1.0 / (p[2] * p[2] * p[2] * p[2]); /* as fusion weighs */
	return ENM_OK;
}

/* Adds what a place feels: of the frames that saw it, and of the terms by which its readings were corrected. */
static enm_result add_place(const enm_session *s, const double at[3], const double gradient[3], sighting *seen,
	double *column, double *terms, uint32_t *out_frames)
{
	const certainty *of = s->certainty;
	wrench w;
	double total = 0.0;
	*out_frames = 0;
	cross(at, gradient, w.moment);
	memcpy(w.force, gradient, sizeof(w.force));
	for (uint32_t i = 0; i < of->system.nodes; i++) {
		memset(&seen[i], 0, sizeof(seen[i]));
		enm_result result = of->joined[i] ? look(s, i, at, &seen[i]) : ENM_OK;
		if (result != ENM_OK)
			return result;
		total += seen[i].weight;
		*out_frames += seen[i].weight > 0.0;
	}
	for (uint32_t i = 0; i < of->system.nodes; i++) {
		const double share = seen[i].weight > 0.0 ? seen[i].weight / total : 0.0, *r = of->poses[i].r;
		double along = 0.0; /* of the ray, in the direction that matters */
		if (share == 0.0)
			continue;
		add_wrench(of, i, share, &w, column);
		for (int a = 0; a < 3; a++)
			for (int b = 0; b < 3; b++)
				along += gradient[a] * r[3 * a + b] * seen[i].ray[b];
		for (int k = 0; k < 6; k++)
			terms[k] -= share * along * seen[i].terms[k];
	}
	return ENM_OK;
}

/* ---- what is asked ---- */

static enm_result check_session(const enm_session *s, enm_pin pin, const char *call)
{
	if (s == NULL)
		return error_set(ENM_E_ARGUMENT, "%s: session is NULL", call);
	if ((int)pin < ENM_PIN_FIRST || pin > ENM_PIN_WHOLE)
		return error_set(ENM_E_ARGUMENT, "%s: pin: %d is none", call, (int)pin);
	if (s->certainty == NULL)
		return error_set(ENM_E_ARGUMENT, "%s: the scan was not refined (enm_session_refine)", call);
	return ENM_OK;
}

static enm_result check_quantity(const enm_quantity *q, size_t index)
{
	if (q->count == 0 || q->points_mm == NULL || q->gradients == NULL)
		return error_set(ENM_E_ARGUMENT, "quantity %zu: no points or no gradients", index);
	for (size_t i = 0; i < 3 * q->count; i++)
		if (!isfinite(q->points_mm[i]) || !isfinite(q->gradients[i]))
			return error_set(ENM_E_ARGUMENT, "quantity %zu: point %zu is not finite", index, i / 3);
	return ENM_OK;
}

static enm_result add_quantity(const enm_session *s, enm_pin pin, const enm_quantity *q, sighting *seen, double *column,
	double *terms, uint32_t *out_frames)
{
	wrench all = {{0}, {0}};
	enm_result result = ENM_OK;
	*out_frames = UINT32_MAX;
	for (size_t i = 0; i < q->count && result == ENM_OK; i++) {
		const double *at = q->points_mm + 3 * i, *gradient = q->gradients + 3 * i;
		double moment[3];
		uint32_t frames;
		result = add_place(s, at, gradient, seen, column, terms, &frames);
		*out_frames = frames < *out_frames ? frames : *out_frames;
		cross(at, gradient, moment);
		for (int k = 0; k < 3; k++) {
			all.moment[k] += moment[k];
			all.force[k] += gradient[k];
		}
	}
	pin_down(s->certainty, pin, &all, column);
	return result;
}

/* What a call that fails hands back: zeros, where `count` is one that it may have been given room for. */
static void clear(size_t count, double *covariance, uint32_t *frames)
{
	if (count > QUANTITIES_MOST)
		return;
	if (covariance != NULL)
		memset(covariance, 0, count * count * sizeof(*covariance));
	if (frames != NULL)
		memset(frames, 0, count * sizeof(*frames));
}

enm_result enm_session_covariance(const enm_session *s, enm_pin pin, const enm_quantity *quantities, size_t count,
	double *out_covariance, uint32_t *out_frames)
{
	clear(count, out_covariance, out_frames);
	enm_result result = check_session(s, pin, "enm_session_covariance");
	if (result == ENM_OK && (quantities == NULL || out_covariance == NULL || count == 0 || count > QUANTITIES_MOST))
		result = error_set(ENM_E_ARGUMENT,
			"enm_session_covariance: quantities or out_covariance is NULL, or count is not in 1 to %u", QUANTITIES_MOST);
	for (size_t i = 0; i < count && result == ENM_OK; i++)
		result = check_quantity(&quantities[i], i);
	if (result != ENM_OK)
		return result;
	certainty_columns columns;
	sighting *seen = malloc(s->certainty->system.nodes * sizeof(*seen));
	result = columns_create(s->certainty, count, &columns);
	if (result == ENM_OK && seen == NULL)
		result = error_set(ENM_E_MEMORY, "enm_session_covariance: no host memory");
	bool all_seen = true;
	columns.information = pin == ENM_PIN_WHOLE ? WHOLE_INFORMATION : 1.0;
	for (size_t i = 0; i < count && result == ENM_OK; i++) {
		uint32_t frames;
		result = add_quantity(
			s, pin, &quantities[i], seen, columns.nodes + i * columns.rows, columns.terms + 6 * i, &frames);
		all_seen = all_seen && frames > 0;
		if (out_frames != NULL)
			out_frames[i] = frames;
	}
	if (result == ENM_OK && !all_seen)
		result = ENM_EMPTY;
	if (result == ENM_OK)
		result = certainty_solve(s->certainty, &columns, out_covariance);
	if (result < 0)
		clear(count, out_covariance, out_frames);
	free(seen);
	free(columns.nodes);
	return result;
}

enm_result enm_session_distance(const enm_session *s, const double from_mm[3], const double to_mm[3], double *out_mm,
	double *out_sigma_um)
{
	double points[6], gradients[6], length = 0.0, variance;
	if (out_mm != NULL)
		*out_mm = 0.0;
	if (out_sigma_um != NULL)
		*out_sigma_um = 0.0;
	if (from_mm == NULL || to_mm == NULL || out_mm == NULL || out_sigma_um == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_distance: a point or an out parameter is NULL");
	for (int i = 0; i < 3; i++) {
		points[i] = from_mm[i];
		points[3 + i] = to_mm[i];
		length += (to_mm[i] - from_mm[i]) * (to_mm[i] - from_mm[i]);
	}
	length = sqrt(length);
	for (int i = 0; i < 3; i++) {
		gradients[3 + i] = length > 0.0 ? (to_mm[i] - from_mm[i]) / length : 0.0;
		gradients[i] = -gradients[3 + i];
	}
	const enm_quantity distance = {points, gradients, 2};
	enm_result result = enm_session_covariance(s, ENM_PIN_WHOLE, &distance, 1, &variance, NULL);
	if (result == ENM_OK) {
		*out_mm = length;
		*out_sigma_um = 1e3 * sqrt(fmax(variance, 0.0));
	}
	return result;
}

enm_result enm_session_pose_covariance(const enm_session *s, uint64_t frame_id, enm_pin pin, double out_covariance[36])
{
	clear(6, out_covariance, NULL);
	enm_result result = check_session(s, pin, "enm_session_pose_covariance");
	if (result == ENM_OK && out_covariance == NULL)
		result = error_set(ENM_E_ARGUMENT, "enm_session_pose_covariance: out_covariance is NULL");
	if (result == ENM_OK && frame_id >= s->store.count)
		result = error_set(ENM_E_ARGUMENT, "frame_id: %llu is not below the %zu frames that are done",
			(unsigned long long)frame_id, s->store.count);
	if (result != ENM_OK)
		return result;
	const certainty *of = s->certainty;
	uint32_t node = 0;
	while (node < of->system.nodes && of->frames[node] != frame_id)
		node++;
	if (node == of->system.nodes || !of->joined[node])
		return ENM_EMPTY;
	certainty_columns columns;
	result = columns_create(of, 6, &columns);
	for (size_t k = 0; k < 6 && result == ENM_OK; k++) { /* a part of the step as a wrench in the world */
		const rigid *pose = &of->poses[node];
		double about[3];
		wrench w = {{0}, {0}};
		for (size_t i = 0; i < 3; i++)
			(k < 3 ? w.moment : w.force)[i] = pose->r[3 * i + k % 3];
		cross(pose->t, w.force, about);
		for (int i = 0; i < 3; i++)
			w.moment[i] += about[i];
		columns.nodes[k * columns.rows + 6 * (size_t)node + k] = 1.0;
		pin_down(of, pin, &w, columns.nodes + k * columns.rows);
	}
	if (result == ENM_OK)
		result = certainty_solve(of, &columns, out_covariance);
	free(columns.nodes);
	return result;
}
