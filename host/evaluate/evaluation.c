/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate.h"

#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With more than this share of the vertices over 2 mm off, the surfaces were not brought together. */
#define FIT_FAILED_SHARE 0.5

__attribute__((format(printf, 2, 3))) static void note(evaluation *e, const char *format, ...)
{
	if (e->note_count == EVALUATION_NOTES_MAX)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(e->notes[e->note_count++], sizeof(e->notes[0]), format, args);
	va_end(args);
}

/* ---- trajectory ------------------------------------------------------------------------------------------------- */

static host_status evaluate_drift(inputs *in, evaluation *e)
{
	const bool room = in->mm_per_unit > 1;
	host_status status = drift_match(&in->measured, &in->true_frames, in->fused_times_s, in->fused_count,
		in->request->trajectory_path, &e->poses);
	if (status != HOST_OK)
		return status;
	const rigid first = drift_pin_first(&e->poses), first_frames = drift_pin_first_frames(&e->poses);
	status = drift_measure(&e->poses, &first, &e->drift_first);
	if (status == HOST_OK)
		status = drift_measure(&e->poses, &first_frames, &e->drift_first_frames);
	if (status == HOST_OK)
		status = drift_measure_best_fit(&e->poses, &e->drift_best_fit, &e->has_drift_best_fit);
	if (status == HOST_OK)
		status = drift_find_wrong(&e->poses, room ? VIEWPOINT_LEVER_ROOM_MM : VIEWPOINT_LEVER_MM, &e->wrong);
	e->has_tracking = in->tracking.view_count > 0;
	if (status == HOST_OK && e->has_tracking)
		status = tracking_judge(&in->tracking, &in->measured, &e->wrong, &e->tracking);
	if (status != HOST_OK)
		return status;
	e->has_drift = true;
	if (e->poses.unmatched > 0)
		note(e, "%zu poses of the trajectory have no true pose at their time and are left out",
			e->poses.unmatched);
	if (e->poses.interpolated > 0)
		note(e, "%zu true poses are interpolated between two", e->poses.interpolated);
	if (room)
		note(e, "wrong poses are counted by tooth-scale limits (0.15 mm, 0.5 degrees), which say little of a "
			"room");
	if (!e->has_drift_best_fit)
		note(e, "the positions do not fix a best-fit of the trajectory (fewer than 3, or on a line)");
	return HOST_OK;
}

/* ---- surface ---------------------------------------------------------------------------------------------------- */

static host_status evaluate_trueness(const inputs *in, evaluation *e)
{
	rigid starts[3] = {rigid_identity()};
	size_t start_count = 1;
	if (e->has_drift) {
		starts[start_count++] = e->drift_first.truth_from_measured;
		starts[start_count++] = e->drift_first_frames.truth_from_measured;
	}
	progress_show("best-fit");
	host_status status = align_best_fit(&in->recon, &in->truth, starts, start_count, &e->alignment);
	if (status != HOST_OK)
		return status;
	if (!e->alignment.converged)
		note(e, "best-fit had not settled after %u iterations", e->alignment.iterations);
	e->deviation_mm = malloc((in->recon.data.vertex_count + 1) * sizeof(float));
	if (e->deviation_mm == NULL)
		return host_fail_memory("the distances");
	progress_show("trueness");
	status = score_trueness(&in->recon, &in->truth, &e->alignment.truth_from_recon, e->deviation_mm, &e->best_fit);
	if (status == HOST_OK && e->best_fit.over_max_share > FIT_FAILED_SHARE)
		note(e, "best-fit went astray: most of the reconstruction lies over 2 mm off%s",
			e->has_drift ? "" : "; --trajectory says where it belongs");
	if (status == HOST_OK && !e->has_drift)
		return score_trueness(&in->recon, &in->truth, &starts[0], NULL, &e->as_placed);
	if (status == HOST_OK)
		status = score_trueness(&in->recon, &in->truth, &starts[1], NULL, &e->pinned_first);
	if (status == HOST_OK)
		status = score_trueness(&in->recon, &in->truth, &starts[2], NULL, &e->pinned_first_frames);
	e->has_pinned = status == HOST_OK;
	return status;
}

static void list_placements(evaluation *e)
{
	e->placings[e->placing_count++] = (placing){"best_fit", "best-fit", &e->best_fit};
	if (!e->has_pinned) {
		e->placings[e->placing_count++] = (placing){"as_placed", "as placed", &e->as_placed};
		return;
	}
	e->placings[e->placing_count++] = (placing){"pinned_first", "pinned, first frame", &e->pinned_first};
	e->placings[e->placing_count++] = (placing){"pinned_first_30", "pinned, first 30", &e->pinned_first_frames};
}

/* The recorded frames that have a true pose. */
static size_t list_frames(const inputs *in, view_frame *out_frames)
{
	size_t count = 0;
	for (size_t i = 0; i < in->dataset.frame_count; i++) {
		const dataset_frame *f = &in->dataset.frames[i];
		bool interpolated;
		out_frames[count].index = i;
		if (drift_truth_at(&in->true_frames, f->time_s, &out_frames[count].world_from_camera, &interpolated))
			count++;
	}
	return count;
}

static bool read_depth(void *user, size_t index, uint16_t *out_depth)
{
	const inputs *in = user;
	dataset_reading reading;
	dataset_read_frame(&in->dataset, index, out_depth, NULL, &reading);
	return reading.usable;
}

static void note_seen(const inputs *in, evaluation *e)
{
	if (e->frames.used < e->frame_count)
		note(e, "the surface seen was judged by %zu of %zu true frames, spread evenly", e->frames.used,
			e->frame_count);
	if (e->frames.unread > 0)
		note(e, "%zu true frames have no usable depth picture and saw nothing", e->frames.unread);
	if (in->dataset.camera.row_time_s > 0)
		note(e, "the surface seen is judged as if all rows of a frame were exposed at once; they are not here");
}

static host_status mark_seen(inputs *in, evaluation *e, samples *s)
{
	viewing v = {.camera = in->dataset.camera.camera,
		.depth_min_mm = in->depth_min_mm,
		.depth_max_mm = in->depth_max_mm,
		.depth_mm_per_unit = in->dataset.depth_mm_per_unit,
		.read_depth = read_depth,
		.user = in};
	view_frame *frames = malloc((in->dataset.frame_count + 1) * sizeof(*frames));
	if (frames == NULL)
		return host_fail_memory("the true frames");
	e->frame_count = v.frame_count = list_frames(in, frames);
	v.frames = frames;
	progress_show("surface seen");
	const host_status status = samples_mark_seen(s, &in->truth, &v, &e->frames);
	free(frames);
	e->has_seen = status == HOST_OK;
	if (status == HOST_OK)
		note_seen(in, e);
	return status;
}

static host_status check_seen(const inputs *in, const samples *s)
{
	if (s->in_view_count == 0)
		return host_fail_file(HOST_DATA, in->truth_path,
			"no point of it is seen by %d true frames: camera, depth range or poses do not belong to it",
			SEEN_FRAMES_MIN);
	if (s->seen_count == 0)
		return host_fail_file(HOST_DATA, in->truth_path,
			"no point of it is seen by %d true frames, though %.1f %% is in view: the depth pictures do "
			"not "
			"show it",
			SEEN_FRAMES_MIN, 100 * (double)s->in_view_count / (double)s->count);
	return HOST_OK;
}

static host_status evaluate_completeness(inputs *in, evaluation *e, samples *s)
{
	host_status status = HOST_OK;
	if (in->has_true_frames)
		status = mark_seen(in, e, s);
	else
		note(e, "no true frames: completeness is over the whole truth, not the surface seen");
	if (status == HOST_OK)
		status = check_seen(in, s);
	if (status != HOST_OK)
		return status;
	e->seen_share = (double)s->seen_count / (double)s->count;
	e->in_view_share = (double)s->in_view_count / (double)s->count;
	progress_show("completeness");
	status = score_completeness(s, &in->recon, &e->alignment.truth_from_recon, &e->complete_best_fit);
	const rigid *pinned = e->has_pinned ? &e->pinned_first.truth_from_recon : &e->as_placed.truth_from_recon;
	if (status == HOST_OK)
		status = score_completeness(s, &in->recon, pinned, &e->complete_pinned);
	return status;
}

/* ---- by place --------------------------------------------------------------------------------------------------- */

/* Where the scan began: the first true frame's camera; and where the frames look on average. False without frames. */
static bool find_look(const inputs *in, double out_start[3], double out_looking[3])
{
	double sum[3] = {0};
	for (size_t i = 0; i < in->true_frames.count; i++) {
		const enm_pose *pose = &in->true_frames.poses[i].world_from_camera;
		const rigid world_from_camera = rigid_from_quaternion(pose->t_mm, pose->q_xyzw);
		for (int k = 0; k < 3; k++) {
			sum[k] += world_from_camera.r[3 * k + 2];
			out_start[k] = i == 0 ? world_from_camera.t[k] : out_start[k];
		}
	}
	const double length = vec_length(sum);
	for (int k = 0; k < 3; k++)
		out_looking[k] = sum[k] / (length > 0 ? length : 1);
	return length > 1e-9;
}

static host_status evaluate_along(
	const inputs *in, evaluation *e, const samples *s, const rigid *placements, const float *const *signed_mm)
{
	double start[3], looking[3];
	const bool has_look = find_look(in, start, looking);
	const along_def def = {.samples = s,
		.truth = &in->truth,
		.recon = &in->recon,
		.placements = placements,
		.signed_mm = signed_mm,
		.placement_count = e->placing_count,
		.looking = has_look ? looking : NULL,
		.start = has_look ? start : NULL};
	progress_show("along the arch");
	const host_status status = along_measure(&def, &e->along);
	e->has_along = status == HOST_OK && e->along.reason == NULL;
	if (e->along.reason != NULL)
		note(e, "no figures along the arch: %s", e->along.reason);
	return status;
}

/* From the truth's samples to the reconstruction, in each placement: by region, and along the arch. */
static host_status evaluate_places(const inputs *in, evaluation *e, const samples *s)
{
	rigid placements[PLACEMENTS_MAX];
	const float *signed_mm[PLACEMENTS_MAX];
	float *distances = malloc((PLACEMENTS_MAX * s->count + 1) * sizeof(float));
	uint8_t *kinds = malloc(s->count + 1);
	host_status status = HOST_OK;
	if (distances == NULL || kinds == NULL)
		status = host_fail_memory("the distances by place");
	if (status == HOST_OK) {
		progress_show("regions");
		regions_sort(s, &in->truth, (const double(*)[3])in->margin, in->margin_count, kinds);
	}
	for (size_t k = 0; status == HOST_OK && k < e->placing_count; k++) {
		float *own = distances + k * s->count;
		placements[k] = e->placings[k].trueness->truth_from_recon;
		samples_measure(s, &in->recon, &placements[k], own);
		signed_mm[k] = own;
		status = regions_measure(s, kinds, own, e->regions[k]);
	}
	if (status == HOST_OK && in->mm_per_unit <= 1)
		status = evaluate_along(in, e, s, placements, signed_mm);
	free(distances);
	free(kinds);
	return status;
}

/* ---- features --------------------------------------------------------------------------------------------------- */

static host_status evaluate_landmarks(const inputs *in, evaluation *e, const samples *s)
{
	host_status status =
		landmarks_find(in->landmarks, in->landmark_count, s, &in->recon, &e->alignment.truth_from_recon);
	if (status != HOST_OK)
		return status;
	double(*places)[3] = malloc((in->landmark_count + 1) * sizeof(*places));
	double(*truth)[3] = malloc((in->landmark_count + 1) * sizeof(*truth));
	size_t found = 0;
	if (places == NULL || truth == NULL) {
		status = host_fail_memory("the landmarks");
	} else {
		for (size_t k = 0; k < in->landmark_count; k++)
			if (in->landmarks[k].found) {
				memcpy(places[found], in->landmarks[k].place, sizeof(places[0]));
				memcpy(truth[found++], in->landmarks[k].truth, sizeof(truth[0]));
			}
		status =
			compare_pairs((const double(*)[3])places, (const double(*)[3])truth, found, &e->landmark_pairs);
		e->has_molars = landmarks_molars(in->landmarks, in->landmark_count, e->molars);
		e->measure_count = measures_of(in->landmarks, in->landmark_count, e->measures);
	}
	free(places);
	free(truth);
	return status;
}

static host_status evaluate_spheres(const inputs *in, evaluation *e)
{
	host_status status = spheres_fit(in->spheres, in->sphere_count, &in->recon, &e->alignment.truth_from_recon);
	if (status != HOST_OK)
		return status;
	double(*places)[3] = malloc((in->sphere_count + 1) * sizeof(*places));
	double(*truth)[3] = malloc((in->sphere_count + 1) * sizeof(*truth));
	double *radius_errors = malloc((in->sphere_count + 1) * sizeof(double));
	size_t found = 0;
	if (places == NULL || truth == NULL || radius_errors == NULL) {
		status = host_fail_memory("the spheres");
	} else {
		for (size_t k = 0; k < in->sphere_count; k++) {
			const sphere *one = &in->spheres[k];
			if (!one->found)
				continue;
			memcpy(places[found], one->place, sizeof(places[0]));
			memcpy(truth[found], one->centre, sizeof(truth[0]));
			radius_errors[found++] = fabs(one->fitted_radius_mm - one->radius_mm);
		}
		e->spheres_found = found;
		e->sphere_radius_error_mm = stats_of(radius_errors, found);
		status = compare_pairs((const double(*)[3])places, (const double(*)[3])truth, found, &e->sphere_pairs);
	}
	free(places);
	free(truth);
	free(radius_errors);
	return status;
}

static host_status evaluate_surface(inputs *in, evaluation *e)
{
	samples s = {0};
	host_status status = evaluate_trueness(in, e);
	if (status == HOST_OK)
		list_placements(e);
	if (status == HOST_OK)
		status = samples_create(&in->truth, EVALUATION_SAMPLES, &s);
	if (status == HOST_OK)
		status = evaluate_completeness(in, e, &s);
	if (status == HOST_OK)
		status = evaluate_places(in, e, &s);
	if (status == HOST_OK && in->landmark_count > 0)
		status = evaluate_landmarks(in, e, &s);
	if (status == HOST_OK && in->sphere_count > 0)
		status = evaluate_spheres(in, e);
	samples_destroy(&s);
	e->has_surface = status == HOST_OK;
	return status;
}

host_status evaluation_run(inputs *in, evaluation *e)
{
	*e = (evaluation){0};
	host_status status = HOST_OK;
	progress_show("trajectory");
	if (in->has_trajectory)
		status = evaluate_drift(in, e);
	else
		note(e, "no trajectory: no trajectory figures, and the surface is not pinned but as placed in its "
			"file");
	if (status == HOST_OK && in->has_truth)
		status = evaluate_surface(in, e);
	else if (!in->has_truth)
		note(e, "no true surface: trajectory figures only");
	if (status == HOST_OK && !in->has_truth && !in->has_trajectory)
		status = host_fail_file(HOST_DATA, in->request->dataset_path,
			"nothing to compare: it has no truth.ply, and no --trajectory is given");
	return status;
}

void evaluation_free(evaluation *e)
{
	free(e->deviation_mm);
	drift_poses_free(&e->poses);
	wrong_poses_free(&e->wrong);
	*e = (evaluation){0};
}
