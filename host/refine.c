/* SPDX-License-Identifier: Apache-2.0 */
#include "refine.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "json.h"
#include "progress.h"

const char *const refine_levels[] = {"low", "standard", "high", NULL};

static const char *const terms[] = {"bow", "astigmatism", "twist", "tilt_x", "tilt_y", "constant"};
#define TERMS (sizeof terms / sizeof *terms)

static bool show_progress(void *user, const char *what, double done)
{
	const volatile sig_atomic_t *stop = user;
	progress_show("refining: %.0f %%, %s", 100.0 * done, what);
	return !*stop;
}

/* Reports have the poses of the moment; those of the whole scan are asked for frame by frame. */
static host_status take_poses(const enm_session *session, stitch_result *scan)
{
	enm_result result = ENM_OK;
	scan->fused = 0;
	for (size_t i = 0; i < scan->frame_count && result >= 0; i++) {
		enm_report *report = &scan->frames[i].report;
		enm_pose pose;
		bool fused;
		if (!scan->frames[i].reported)
			continue;
		result = enm_session_pose(session, i, &pose, &fused);
		if (result == ENM_OK) {
			report->world_from_camera = pose;
			report->fused = fused;
		}
		scan->fused += report->fused;
	}
	return host_fail_result(result, enm_last_error());
}

host_status refine_scan(
	enm_session *session, const volatile sig_atomic_t *stop, refine_facts *facts, stitch_result *scan)
{
	enm_refine_def def = enm_refine_def_default();
	def.level = facts->level;
	def.on_progress = show_progress;
	/* the callback only reads it */
	union {
		const volatile sig_atomic_t *from;
		void *to;
	} user = {.from = stop};
	def.user = user.to;
	const double begun_s = clock_s();
	enm_result result = enm_session_refine(session, &def, &facts->result);
	facts->wall_s = clock_s() - begun_s;
	facts->done = result == ENM_OK;
	facts->nothing = result == ENM_EMPTY;
	facts->cancelled = result == ENM_CANCELLED;
	if (facts->nothing)
		host_warn("--refine: fewer than two frames see the same place: the scan stays as it was stitched");
	if (result != ENM_OK)
		return host_fail_result(result, enm_last_error());
	return take_poses(session, scan);
}

static double term_um(const enm_depth_residual *r, size_t i)
{
	const float all[] = {r->bow_um, r->astigmatism_um, r->twist_um, r->tilt_x_um, r->tilt_y_um, r->constant_um};
	return (double)all[i];
}

static json_t *residual_json(const enm_refine_result *r, bool *ok)
{
	json_t *residual = json_object();
	for (size_t i = 0; i < TERMS; i++) {
		char name[32];
		json_t *term = json_object();
		snprintf(name, sizeof name, "%s_um", terms[i]);
		json_put(term, "value", json_finite(term_um(&r->residual, i)), ok);
		json_put(term, "sigma", json_finite(sqrt(r->covariance_um2[7 * i])), ok);
		json_put(term, "observed", json_boolean(r->observed[i]), ok);
		json_put(residual, name, term, ok);
	}
	return residual;
}

json_t *refine_json(const refine_facts *f, bool *ok)
{
	const enm_refine_result *r = &f->result;
	json_t *root = json_object();
	json_put(root, "level", json_string(refine_levels[f->level]), ok);
	json_put(root, "outcome",
		json_string(f->done        ? "refined"
			    : f->cancelled ? "cancelled"
			    : f->nothing   ? "nothing to compare"
					   : "failed"),
		ok);
	json_put(root, "wall_s", json_finite(f->wall_s), ok);
	if (!f->done)
		return root;
	json_put(root, "residual", residual_json(r, ok), ok);
	json_t *covariance = json_array();
	for (size_t i = 0; i < TERMS * TERMS; i++)
		*ok = !json_array_append_new(covariance, json_finite(r->covariance_um2[i])) && *ok;
	json_put(root, "covariance_um2", covariance, ok);
	json_put(root, "frames", json_integer((json_int_t)r->frames), ok);
	json_put(root, "frames_compared", json_integer((json_int_t)r->frames_compared), ok);
	json_put(root, "frames_left_out", json_integer((json_int_t)r->frames_left_out), ok);
	json_put(root, "frames_not_kept", json_integer((json_int_t)r->frames_not_kept), ok);
	json_put(root, "pairs", json_integer(r->pairs), ok);
	json_put(root, "parts", json_integer(r->parts), ok);
	json_put(root, "rounds", json_integer(r->rounds), ok);
	json_put(root, "iterations", json_integer(r->iterations), ok);
	json_put(root, "misfit_before", json_finite(r->misfit_before), ok);
	json_put(root, "misfit_after", json_finite(r->misfit_after), ok);
	json_put(root, "inliers_before", json_finite((double)r->inliers_before), ok);
	json_put(root, "inliers_after", json_finite((double)r->inliers_after), ok);
	json_put(root, "seed", json_integer(r->seed), ok);
	json_put(root, "compare_s", json_finite(r->compare_s), ok);
	json_put(root, "solve_s", json_finite(r->solve_s), ok);
	json_put(root, "fuse_s", json_finite(r->fuse_s), ok);
	json_put(root, "device_bytes", json_integer((json_int_t)r->device_bytes), ok);
	return root;
}

void refine_print(const refine_facts *f)
{
	const enm_refine_result *r = &f->result;
	if (!f->done)
		return;
	printf("refined:  %llu of %llu frames compared in %u pairs, %llu left out, %u part%s; misfit %.2f -> %.2f "
	       "sigma; %.1f s (%.1f comparing, "
	       "%.1f solving, %.1f fusing)\n",
		(unsigned long long)r->frames_compared, (unsigned long long)r->frames, r->pairs,
		(unsigned long long)r->frames_left_out, r->parts, r->parts == 1 ? "" : "s", r->misfit_before,
		r->misfit_after, f->wall_s, r->compare_s, r->solve_s, r->fuse_s);
	printf("residual:");
	for (size_t i = 0; i < TERMS; i++)
		printf(" %s %.2f +- %.2f", terms[i], term_um(&r->residual, i), sqrt(r->covariance_um2[7 * i]));
	printf(" um\n");
	if (!r->observed[0])
		host_warn("this scan does not tell the bow of the depth readings (+- %.1f um): tilt the wand over one "
			  "quadrant to fix it",
			sqrt(r->covariance_um2[0]));
}
