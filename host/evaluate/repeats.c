/* SPDX-License-Identifier: Apache-2.0 */
#include "repeats.h"

#include "file.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The trajectory beside a model, and its true poses: its own, or else those of the dataset. */
static host_status read_trajectory(const repeats *r, const char *folder, one_repeat *out)
{
	char path[FILE_PATH_MAX], truth[FILE_PATH_MAX];
	host_status status = path_join(folder, "trajectory.txt", path);
	if (status == HOST_OK)
		status = path_join(folder, "groundtruth.txt", truth);
	if (status != HOST_OK || !r->in.has_truth || !file_exists(path))
		return status;
	const bool own = file_exists(truth);
	if (!own && !r->in.has_true_frames)
		return HOST_OK;
	status = trajectory_read(path, r->in.mm_per_unit, &out->measured);
	if (status == HOST_OK && own)
		status = trajectory_read(truth, r->in.mm_per_unit, &out->true_frames);
	out->has_pinned = status == HOST_OK;
	return status;
}

static host_status read_one(const repeats *r, const char *path, one_repeat *out)
{
	host_status status = HOST_OK;
	snprintf(out->path, sizeof(out->path), "%s", path);
	if (file_is_folder(path)) {
		status = path_join(path, "scan.ply", out->path);
		if (status == HOST_OK)
			status = read_trajectory(r, path, out);
	}
	if (status == HOST_OK)
		status = inputs_read_surface(out->path, r->in.mm_per_unit, &out->recon);
	if (status == HOST_OK)
		status = repeat_find_rim(out);
	return status;
}

static host_status read_all(const repeats_request *wanted, repeats *r)
{
	host_status status = inputs_read_reference(&wanted->reference, &r->in);
	if (status == HOST_OK && r->in.mm_per_unit > 1)
		status = host_fail_file(
			HOST_DATA, wanted->reference.dataset_path, "--repeats is for scans in mm, not for rooms");
	if (status == HOST_OK && r->in.has_truth)
		status = inputs_read_surface(r->in.truth_path, r->in.mm_per_unit, &r->in.truth);
	for (size_t k = 0; status == HOST_OK && k < wanted->count; k++) {
		progress_show("reading %zu of %zu", k + 1, wanted->count);
		r->count = k + 1;
		status = read_one(r, wanted->paths[k], &r->each[k]);
	}
	return status;
}

/* ---- trueness --------------------------------------------------------------------------------------------------- */

enum { STARTS_MAX = 3 };

static host_status score_against_truth(repeats *r, one_repeat *one)
{
	const surface *truth = &r->in.truth;
	rigid starts[STARTS_MAX] = {rigid_identity()};
	size_t count = 1;
	double share = 0;
	host_status status = HOST_OK;
	if (one->has_pinned) {
		drift_poses poses;
		const trajectory *truth_of = one->true_frames.count > 0 ? &one->true_frames : &r->in.true_frames;
		status = drift_match(&one->measured, truth_of, NULL, 0, one->path, &poses);
		if (status != HOST_OK)
			return status;
		starts[count++] = drift_pin_first(&poses);
		starts[count++] = drift_pin_first_frames(&poses);
		drift_poses_free(&poses);
		status = score_trueness(&one->recon, truth, &starts[1], NULL, &one->pinned_first);
		if (status == HOST_OK)
			status = score_trueness(&one->recon, truth, &starts[2], NULL, &one->pinned_first_frames);
	} else {
		status = score_trueness(&one->recon, truth, &starts[0], NULL, &one->as_placed);
	}
	if (status == HOST_OK)
		status = repeats_align(&one->recon, truth, starts, count, &one->reference_from_recon, &share);
	if (status == HOST_OK && share < REPEATS_SAME_SHARE)
		status = host_fail_file(HOST_DATA, one->path,
			"only %.0f %% of it lie within %g mm of the truth, best-fit: another object, or another world",
			100 * share, REPEATS_SAME_MM);
	if (status == HOST_OK)
		status = score_trueness(&one->recon, truth, &one->reference_from_recon, NULL, &one->best_fit);
	return status;
}

static host_status align_onto_first(const repeats *r, one_repeat *one)
{
	const rigid as_placed = rigid_identity();
	const surface *first = &r->each[0].recon;
	double share;
	const host_status status = repeats_align(&one->recon, first, &as_placed, 1, &one->reference_from_recon, &share);
	if (status == HOST_OK)
		repeats_refine(&one->recon, first, &one->reference_from_recon); /* if not, the pair will tell */
	return status;
}

static host_status align_all(repeats *r)
{
	host_status status = HOST_OK;
	for (size_t k = 0; status == HOST_OK && k < r->count; k++) {
		one_repeat *one = &r->each[k];
		progress_show("trueness %zu of %zu", k + 1, r->count);
		one->reference_from_recon = rigid_identity();
		if (r->in.has_truth)
			status = score_against_truth(r, one);
		else if (k > 0)
			status = align_onto_first(r, one);
	}
	return status;
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static void summarise_trueness(repeats *r)
{
	double values[REPEAT_FIGURES][REPEATS_MAX];
	for (size_t k = 0; k < r->count; k++) {
		const one_repeat *one = &r->each[k];
		for (int f = 0; f < REPEAT_FIGURES; f++)
			values[f][k] = NAN;
		values[REPEAT_BEST_FIT_MEAN][k] = one->best_fit.distance_mm.mean;
		values[REPEAT_BEST_FIT_RMS][k] = one->best_fit.distance_mm.rms;
		values[REPEAT_BEST_FIT_P95][k] = one->best_fit.distance_mm.p95;
		if (one->has_pinned) {
			values[REPEAT_PINNED_MEAN][k] = one->pinned_first.distance_mm.mean;
			values[REPEAT_PINNED_P95][k] = one->pinned_first.distance_mm.p95;
			values[REPEAT_PINNED_30_MEAN][k] = one->pinned_first_frames.distance_mm.mean;
			values[REPEAT_PINNED_30_P95][k] = one->pinned_first_frames.distance_mm.p95;
		} else {
			values[REPEAT_PLACED_MEAN][k] = one->as_placed.distance_mm.mean;
			values[REPEAT_PLACED_P95][k] = one->as_placed.distance_mm.p95;
		}
	}
	for (int f = 0; f < REPEAT_FIGURES; f++)
		r->trueness_mm[f] = spread_of(values[f], r->count);
}

static host_status compare_pair(repeats *r, size_t a, size_t b)
{
	one_repeat *one = &r->each[a], *other = &r->each[b];
	repeat_pair *pair = &r->pairs[r->pair_count++];
	const rigid back = rigid_inverse(&other->reference_from_recon);
	rigid other_from_one = rigid_compose(&back, &one->reference_from_recon);
	*pair = (repeat_pair){.a = a, .b = b};
	progress_show("precision, %zu and %zu", a + 1, b + 1);
	repeats_refine(&one->recon, &other->recon, &other_from_one);
	host_status status = repeats_compare(one, other, &other_from_one, pair);
	if (status == HOST_OK && pair->same_share < REPEATS_SAME_SHARE)
		status = host_fail_file(HOST_DATA, other->path,
			"only %.0f %% of it and %s lie within %g mm of each other, best-fit: not the same object, or "
			"no "
			"overlap",
			100 * pair->same_share, one->path, REPEATS_SAME_MM);
	return status;
}

static host_status compare_all(repeats *r)
{
	double rms_mm[REPEATS_MAX * (REPEATS_MAX - 1) / 2];
	host_status status = HOST_OK;
	for (size_t a = 0; a < r->count; a++)
		for (size_t b = a + 1; status == HOST_OK && b < r->count; b++)
			status = compare_pair(r, a, b);
	for (size_t k = 0; k < r->pair_count; k++) {
		rms_mm[k] = r->pairs[k].distance_mm.rms;
		if (rms_mm[k] > rms_mm[r->worst_pair])
			r->worst_pair = k;
	}
	r->pair_rms_mm = spread_of(rms_mm, r->pair_count);
	return status;
}

host_status repeats_run(const repeats_request *wanted, repeats *r)
{
	*r = (repeats){0};
	host_status status = read_all(wanted, r);
	if (status == HOST_OK)
		status = align_all(r);
	if (status == HOST_OK && r->in.has_truth)
		summarise_trueness(r);
	if (status == HOST_OK)
		status = compare_all(r);
	if (status == HOST_OK)
		status = repeats_features(r);
	return status;
}

void repeats_free(repeats *r)
{
	for (size_t k = 0; k < r->count; k++) {
		surface_close(&r->each[k].recon);
		trajectory_free(&r->each[k].measured);
		trajectory_free(&r->each[k].true_frames);
		free(r->each[k].rim);
		free(r->each[k].landmarks);
		free(r->each[k].spheres);
	}
	inputs_free(&r->in);
	*r = (repeats){0};
}
