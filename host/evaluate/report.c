/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate.h"

#include "filling.h"

#include <math.h>

#define MRAD 1e3
#define DEGREES (180 / 3.14159265358979323846)

/* ---- surface ---------------------------------------------------------------------------------------------------- */

static json_t *surface_json(const filling *parent, const inputs *in, const evaluation *e)
{
	const filling f = fill(parent);
	put_count(&f, "vertices", in->recon.used_count);
	put_count(&f, "triangles", in->recon.data.triangle_count);
	put_count(&f, "truth_triangles", in->truth.data.triangle_count);
	put_trueness(&f, "best_fit", &e->best_fit);
	put_count(&f, "best_fit_iterations", e->alignment.iterations);
	put(&f, "best_fit_converged", json_boolean(e->alignment.converged));
	put_trueness(&f, "as_placed", e->has_pinned ? NULL : &e->as_placed);
	put_trueness(&f, "pinned_first", e->has_pinned ? &e->pinned_first : NULL);
	put_trueness(&f, "pinned_first_30", e->has_pinned ? &e->pinned_first_frames : NULL);
	return f.object;
}

static void put_covered(const filling *f, const char *prefix, const covered *c)
{
	char key[64];
	snprintf(key, sizeof(key), "%swithin_50um_percent", prefix);
	put_number(f, key, 100 * c->share_50um);
	snprintf(key, sizeof(key), "%swithin_100um_percent", prefix);
	put_number(f, key, 100 * c->share_100um);
}

static json_t *in_view_json(const filling *parent, const evaluation *e)
{
	const filling f = fill(parent);
	put_number(&f, "percent", 100 * e->in_view_share);
	put_covered(&f, "", &e->complete_best_fit.in_view);
	put_covered(&f, "pinned_", &e->complete_pinned.in_view);
	return f.object;
}

static json_t *completeness_json(const filling *parent, const inputs *in, const evaluation *e)
{
	const filling f = fill(parent);
	put_text(&f, "of", e->has_seen ? "surface seen" : "whole truth");
	put_number(&f, "seen_percent", 100 * e->seen_share);
	put_covered(&f, "", &e->complete_best_fit.seen);
	put_covered(&f, "pinned_", &e->complete_pinned.seen);
	put(&f, "in_view", e->has_seen ? in_view_json(&f, e) : json_null());
	put_count(&f, "samples", EVALUATION_SAMPLES);
	put_count(&f, "frames", e->frame_count);
	put_count(&f, "frames_used", e->frames.used);
	put_count(&f, "frames_unread", e->frames.unread);
	put_number(&f, "depth_min_mm", in->depth_min_mm);
	put_number(&f, "depth_max_mm", in->depth_max_mm);
	return f.object;
}

static json_t *region_json(const filling *parent, const region *r)
{
	const filling f = fill(parent);
	put_lengths(&f, &r->distance_mm);
	put_length(&f, "bias", r->bias_mm);
	put_covered(&f, "", &r->covered);
	return f.object;
}

/* The best-fit figures stand in the region itself, those of the other placements in objects of their own. */
static json_t *regions_json(const filling *parent, const inputs *in, const evaluation *e)
{
	static const char *const NAMES[REGION_KINDS] = {"margin", "gaps", "rest"};
	const filling f = fill(parent);
	for (int k = 0; k < REGION_KINDS; k++) {
		if (k == REGION_MARGIN && in->margin_count == 0) {
			put(&f, NAMES[k], json_null());
			continue;
		}
		filling g = f;
		g.object = region_json(&f, &e->regions[0][k]);
		put_count(&g, "samples", e->regions[0][k].seen);
		for (size_t p = 1; p < e->placing_count; p++)
			put(&g, e->placings[p].key, region_json(&g, &e->regions[p][k]));
		put(&f, NAMES[k], g.object);
	}
	return f.object;
}

static json_t *pairs_json(const filling *parent, size_t of, const pair_errors *p)
{
	const filling f = fill(parent);
	put_count(&f, "count", of);
	put_count(&f, "found", p->places);
	put_length(&f, "mean", p->error_mm.mean);
	put_length(&f, "p95", p->error_mm.p95);
	put_length(&f, "max", p->error_mm.max);
	put_length(&f, "bias", p->bias_mm);
	put_length(&f, "widest_error", p->widest_error_mm);
	put_number(&f, "widest_mm", p->widest_true_mm);
	put_length(&f, "worst_error", p->worst_error_mm);
	put_number(&f, "worst_mm", p->worst_true_mm);
	put_number(&f, "scale", p->scale);
	return f.object;
}

static void molar_distances(const inputs *in, const evaluation *e, double *out_true_mm, double *out_error_mm)
{
	const landmark *a = &in->landmarks[e->molars[0]], *b = &in->landmarks[e->molars[1]];
	*out_true_mm = vec_distance(a->truth, b->truth);
	*out_error_mm = vec_distance(a->place, b->place) - *out_true_mm;
}

/* Where each landmark went, seen from the best-fit placement. */
static json_t *marks_json(const filling *parent, const inputs *in, const evaluation *e)
{
	json_t *list = json_array();
	for (size_t k = 0; k < in->landmark_count; k++) {
		const landmark *mark = &in->landmarks[k];
		const filling f = fill(parent);
		put_text(&f, "name", mark->name);
		put_text(&f, "state", patch_state_names[mark->patch.state]);
		if (mark->found) {
			double shift[3];
			rigid_point(&e->best_fit.truth_from_recon, mark->place, shift);
			vec_sub(shift, mark->truth, shift);
			put_length(&f, "shift", vec_length(shift));
			for (int i = 0; i < 3; i++)
				shift[i] *= 1e3;
			put(&f, "shift_xyz_um", json_numbers(shift, 3));
			put_length(&f, "rms", mark->patch.fit.rms_mm);
			put_number(&f, "firmness", mark->patch.fit.firmness);
		}
		put_last(parent, list, f.object);
	}
	return list;
}

static json_t *landmarks_json(const filling *parent, const inputs *in, const evaluation *e)
{
	filling f = *parent;
	f.object = pairs_json(parent, in->landmark_count, &e->landmark_pairs);
	put(&f, "measures", measures_json(&f, in, e));
	put(&f, "marks", marks_json(&f, in, e));
	if (!e->has_molars) {
		put(&f, "inter_molar", json_null());
		return f.object;
	}
	double true_mm, error_mm;
	molar_distances(in, e, &true_mm, &error_mm);
	const filling m = fill(&f);
	put_text(&m, "a", in->landmarks[e->molars[0]].name);
	put_text(&m, "b", in->landmarks[e->molars[1]].name);
	put_number(&m, "true_mm", true_mm);
	put_length(&m, "error", error_mm);
	put(&f, "inter_molar", m.object);
	return f.object;
}

static json_t *spheres_json(const filling *parent, const inputs *in, const evaluation *e)
{
	filling f = *parent;
	f.object = pairs_json(parent, in->sphere_count, &e->sphere_pairs);
	put_length(&f, "radius_error_mean", e->sphere_radius_error_mm.mean);
	put_length(&f, "radius_error_max", e->sphere_radius_error_mm.max);
	return f.object;
}

/* ---- trajectory ------------------------------------------------------------------------------------------------- */

static json_t *drift_json(const filling *parent, const drift *d)
{
	const filling f = fill(parent);
	const filling t = fill(&f), r = fill(&f);
	put_lengths(&t, &d->translation_mm);
	put_length(&t, "end", d->end_translation_mm);
	put(&f, "translation", t.object);
	put_number(&r, "median_mrad", d->rotation_rad.median * MRAD);
	put_number(&r, "p95_mrad", d->rotation_rad.p95 * MRAD);
	put_number(&r, "max_mrad", d->rotation_rad.max * MRAD);
	put_number(&r, "end_mrad", d->end_rotation_rad * MRAD);
	put_number(&r, "median_degrees", d->rotation_rad.median * DEGREES);
	put_number(&r, "p95_degrees", d->rotation_rad.p95 * DEGREES);
	put_number(&r, "max_degrees", d->rotation_rad.max * DEGREES);
	put_number(&r, "end_degrees", d->end_rotation_rad * DEGREES);
	put(&f, "rotation", r.object);
	return f.object;
}

static json_t *wrong_limits_json(const filling *parent)
{
	const filling f = fill(parent);
	put_text(&f, "scale", "tooth");
	put_length(&f, "translation", WRONG_TRANSLATION_MM);
	put_number(&f, "rotation_degrees", WRONG_ROTATION_RAD * DEGREES);
	return f.object;
}

static json_t *wrong_json(const filling *parent, const evaluation *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < e->wrong.count; i++) {
		const wrong_pose *w = &e->wrong.poses[i];
		const filling f = fill(parent);
		put_number(&f, "time_s", w->time_s);
		put_length(&f, "translation", w->translation_mm);
		put_number(&f, "rotation_degrees", w->rotation_rad * DEGREES);
		put(&f, "by_previous", json_boolean(w->by_previous));
		put(&f, "by_viewpoint", json_boolean(w->by_viewpoint));
		put_last(parent, list, f.object);
	}
	return list;
}

static json_t *trajectory_json(const filling *parent, const inputs *in, const evaluation *e)
{
	const filling f = fill(parent);
	size_t fused = 0;
	for (size_t i = 0; i < e->poses.count; i++)
		fused += e->poses.poses[i].fused ? 1 : 0;
	put_count(&f, "poses", in->measured.count);
	put_count(&f, "matched", e->poses.count);
	put_count(&f, "fused", fused);
	put_count(&f, "true_frames", in->true_frames.count);
	put(&f, "pinned_first", drift_json(&f, &e->drift_first));
	put(&f, "pinned_first_30", drift_json(&f, &e->drift_first_frames));
	put(&f, "best_fit", e->has_drift_best_fit ? drift_json(&f, &e->drift_best_fit) : json_null());
	put_count(&f, "wrong_poses", e->wrong.count);
	put(&f, "wrong_limits", wrong_limits_json(&f));
	put_count(&f, "judged_by_viewpoint", e->wrong.judged_by_viewpoint);
	put(&f, "wrong", wrong_json(&f, e));
	return f.object;
}

json_t *report_json(const inputs *in, const evaluation *e)
{
	bool ok = true;
	const filling f = {.object = json_object(), .room = in->mm_per_unit > 1, .ok = &ok};
	put_text(&f, "version", enm_version());
	put_text(&f, "recon", in->request->recon_path);
	put_text(&f, "truth", in->has_truth ? in->truth_path : NULL);
	put_text(&f, "dataset", in->request->dataset_path);
	put_text(&f, "trajectory_file", in->request->trajectory_path);
	put_text(&f, "unit", in->unit);
	put(&f, "surface", e->has_surface ? surface_json(&f, in, e) : json_null());
	put(&f, "completeness", e->has_surface ? completeness_json(&f, in, e) : json_null());
	put(&f, "regions", e->has_surface ? regions_json(&f, in, e) : json_null());
	put(&f, "along", e->has_along ? along_json(&f, e) : json_null());
	put(&f, "landmarks", e->has_surface && in->landmark_count > 0 ? landmarks_json(&f, in, e) : json_null());
	put(&f, "spheres", e->has_surface && in->sphere_count > 0 ? spheres_json(&f, in, e) : json_null());
	put(&f, "trajectory", e->has_drift ? trajectory_json(&f, in, e) : json_null());
	put(&f, "tracking", e->has_tracking ? tracking_json(&in->tracking, &e->tracking, &ok) : json_null());
	json_t *notes = json_array();
	for (size_t i = 0; i < e->note_count; i++)
		put_last(&f, notes, json_string(e->notes[i]));
	put(&f, "notes", notes);
	if (ok)
		return f.object;
	json_decref(f.object);
	return NULL;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

typedef struct table {
	double scale; /* from mm to the unit shown */
	const char *unit;
} table;

static void print_trueness(const table *t, const char *name, const trueness *s)
{
	const stats *d = &s->distance_mm;
	printf("  %-22s %8.1f %8.1f %8.1f %8.1f %8.1f %+8.1f %8.2f\n", name, d->mean * t->scale, d->median * t->scale,
		d->rms * t->scale, d->p95 * t->scale, d->p99 * t->scale, s->bias_mm * t->scale,
		100 * s->over_max_share);
}

static void print_covered(const char *of, const covered *c)
{
	printf("completeness of the %s: %.2f %% within 50 um, %.2f %% within 100 um\n", of, 100 * c->share_50um,
		100 * c->share_100um);
}

static void print_completeness(const inputs *in, const evaluation *e)
{
	if (!e->has_seen) {
		print_covered("whole truth", &e->complete_best_fit.seen);
		return;
	}
	printf("surface seen: %.1f %% of the truth, %.1f %% in view (%zu frames, depth %.1f to %.1f mm)\n",
		100 * e->seen_share, 100 * e->in_view_share, e->frames.used, in->depth_min_mm, in->depth_max_mm);
	print_covered("surface seen", &e->complete_best_fit.seen);
	print_covered("surface in view", &e->complete_best_fit.in_view);
}

static void print_region(const table *t, const char *name, const placing *p, const region *r)
{
	char title[64];
	snprintf(title, sizeof(title), "%s, %s", name, p->title);
	printf("  %-32s %9.1f %8.1f %8.1f %+8.1f %7.2f %8.2f\n", title, r->distance_mm.mean * t->scale,
		r->distance_mm.median * t->scale, r->distance_mm.p95 * t->scale, r->bias_mm * t->scale,
		100 * r->covered.share_50um, 100 * r->covered.share_100um);
}

static void print_regions(const table *t, const inputs *in, const evaluation *e)
{
	static const char *const NAMES[REGION_KINDS] = {"margin band", "gaps", "the rest"};
	printf("from the truth to it, surface seen        mean   median      p95     bias  %%<50um %%<100um\n");
	for (int k = 0; k < REGION_KINDS; k++)
		for (size_t p = 0; p < e->placing_count && (k != REGION_MARGIN || in->margin_count > 0); p++)
			if (k == REGION_MARGIN || p == 0) /* the others' are much the same as the whole surface's */
				print_region(t, NAMES[k], &e->placings[p], &e->regions[p][k]);
	printf("false by more than %g mm: %.3f %% of the area best-fit", SCORE_FALSE_MM, 100 * e->best_fit.false_share);
	if (e->has_pinned)
		printf(", %.3f %% pinned", 100 * e->pinned_first.false_share);
	printf("\n");
}

static void print_surface(const table *t, const inputs *in, const evaluation *e)
{
	printf("surface, %s (%zu vertices)%*s mean   median      rms      p95      p99     bias  %%>2mm\n", t->unit,
		in->recon.used_count, in->recon.used_count > 99999 ? 1 : 2, "");
	print_trueness(t, "best-fit", &e->best_fit);
	if (e->has_pinned) {
		print_trueness(t, "pinned, first frame", &e->pinned_first);
		print_trueness(t, "pinned, first 30", &e->pinned_first_frames);
	} else {
		print_trueness(t, "as placed", &e->as_placed);
	}
	print_completeness(in, e);
	print_regions(t, in, e);
}

static void print_features(const table *t, const inputs *in, const evaluation *e)
{
	if (in->landmark_count > 0) {
		const pair_errors *p = &e->landmark_pairs;
		printf("landmarks: %zu of %zu found, distances off by %.1f %s mean, %.1f max\n", p->places,
			in->landmark_count, p->error_mm.mean * t->scale, t->unit, p->error_mm.max * t->scale);
		measures_print(in, e, t->scale, t->unit);
	}
	if (in->sphere_count > 0) {
		const pair_errors *p = &e->sphere_pairs;
		printf("spheres: %zu of %zu fitted, distances off by %.1f %s mean, %.1f p95, %.1f max, scale %+.4f "
		       "%%\n",
			e->spheres_found, in->sphere_count, p->error_mm.mean * t->scale, t->unit,
			p->error_mm.p95 * t->scale, p->error_mm.max * t->scale,
			p->places > 1 ? 100 * (p->scale - 1) : 0.0);
		if (p->places > 1)
			printf("  worst over the arch: %+.1f %s of %.3f mm; widest: %+.1f %s of %.3f mm\n",
				p->worst_error_mm * t->scale, t->unit, p->worst_true_mm, p->widest_error_mm * t->scale,
				t->unit, p->widest_true_mm);
	}
}

static void print_drift(const table *t, const char *name, const drift *d)
{
	const stats *s = &d->translation_mm;
	printf("  %-22s %8.1f %8.1f %8.1f %8.1f %8.1f   %8.2f %8.2f %8.2f\n", name, s->median * t->scale,
		s->rms * t->scale, s->p95 * t->scale, s->max * t->scale, d->end_translation_mm * t->scale,
		d->rotation_rad.median * MRAD, d->rotation_rad.p95 * MRAD, d->end_rotation_rad * MRAD);
}

static void print_trajectory(const table *t, const inputs *in, const evaluation *e)
{
	printf("trajectory: %zu poses, %zu with a true one, of %zu true frames\n", in->measured.count, e->poses.count,
		in->true_frames.count);
	printf("  %-22s %8s %8s %8s %8s %8s   %8s %8s %8s\n", t->unit, "median", "rms", "p95", "max", "end", "med mrad",
		"p95", "end");
	print_drift(t, "pinned, first frame", &e->drift_first);
	print_drift(t, "pinned, first 30", &e->drift_first_frames);
	if (e->has_drift_best_fit)
		print_drift(t, "best-fit", &e->drift_best_fit);
	printf("wrong poses%s: %zu", in->mm_per_unit > 1 ? " by tooth-scale limits (0.15 mm, 0.5 degrees)" : "",
		e->wrong.count);
	for (size_t i = 0; i < e->wrong.count && i < 10; i++)
		printf("%s%.3f s", i == 0 ? " at " : ", ", e->wrong.poses[i].time_s);
	printf("%s\n", e->wrong.count > 10 ? ", ..." : "");
}

void report_print(const inputs *in, const evaluation *e)
{
	const bool room = in->mm_per_unit > 1;
	const table t = {.scale = room ? 1 : 1e3, .unit = room ? "mm" : "um"};
	if (e->has_surface) {
		print_surface(&t, in, e);
		if (e->has_along)
			along_print(e, t.scale, t.unit);
		print_features(&t, in, e);
	}
	if (e->has_drift)
		print_trajectory(&t, in, e);
	if (e->has_tracking)
		tracking_print(&e->tracking);
	for (size_t i = 0; i < e->note_count; i++)
		printf("note: %s\n", e->notes[i]);
}
