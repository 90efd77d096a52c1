/* SPDX-License-Identifier: Apache-2.0 */
#include "filling.h"
#include "repeats.h"

#include <math.h>
#include <stdio.h>

#define MRAD 1e3
#define UM 1e3
#define DEGREES (180 / 3.14159265358979323846)

static const struct {
	const char *key, *title;
} FIGURES[REPEAT_FIGURES] = {[REPEAT_BEST_FIT_MEAN] = {"best_fit_mean", "best-fit, mean"},
	[REPEAT_BEST_FIT_RMS] = {"best_fit_rms", "best-fit, rms"},
	[REPEAT_BEST_FIT_P95] = {"best_fit_p95", "best-fit, p95"},
	[REPEAT_PINNED_MEAN] = {"pinned_first_mean", "pinned, first frame, mean"},
	[REPEAT_PINNED_P95] = {"pinned_first_p95", "pinned, first frame, p95"},
	[REPEAT_PINNED_30_MEAN] = {"pinned_first_30_mean", "pinned, first 30, mean"},
	[REPEAT_PINNED_30_P95] = {"pinned_first_30_p95", "pinned, first 30, p95"},
	[REPEAT_PLACED_MEAN] = {"as_placed_mean", "as placed, mean"},
	[REPEAT_PLACED_P95] = {"as_placed_p95", "as placed, p95"}};

#define DIFFERS "repeats %zu and %zu have only %.0f %% within 0.1 mm of each other: are they of the same object?"

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static json_t *spread_json(const filling *parent, const spread *s)
{
	if (s->count == 0)
		return json_null();
	const filling f = fill(parent);
	put_count(&f, "repeats", s->count);
	put_length(&f, "mean", s->mean);
	put_length(&f, "sd", s->sd);
	put_length(&f, "worst", s->worst);
	return f.object;
}

/* The landmarks that a repeat has no place for, in their two kinds. */
static void put_missing(const filling *f, const repeats *r, const one_repeat *one)
{
	json_t *unseen = json_array(), *loose = json_array();
	for (size_t i = 0; one->landmarks != NULL && i < r->in.landmark_count; i++) {
		const landmark *mark = &one->landmarks[i];
		if (mark->patch.state == PATCH_NOT_SEEN)
			put_last(f, unseen, json_string(mark->name));
		else if (mark->patch.state == PATCH_SLIDES)
			put_last(f, loose, json_string(mark->name));
	}
	put(f, "landmarks_not_seen", unseen);
	put(f, "landmarks_sliding", loose);
}

static json_t *repeat_json(const filling *parent, const repeats *r, const one_repeat *one)
{
	const filling f = fill(parent);
	const bool truth = r->in.has_truth;
	put_text(&f, "recon", one->path);
	put_count(&f, "vertices", one->recon.used_count);
	put_trueness(&f, "best_fit", truth ? &one->best_fit : NULL);
	put_trueness(&f, "pinned_first", one->has_pinned ? &one->pinned_first : NULL);
	put_trueness(&f, "pinned_first_30", one->has_pinned ? &one->pinned_first_frames : NULL);
	put_trueness(&f, "as_placed", truth && !one->has_pinned ? &one->as_placed : NULL);
	put_missing(&f, r, one);
	return f.object;
}

static json_t *trueness_json(const filling *parent, const repeats *r)
{
	if (!r->in.has_truth)
		return json_null();
	const filling f = fill(parent);
	for (int k = 0; k < REPEAT_FIGURES; k++)
		put(&f, FIGURES[k].key, spread_json(&f, &r->trueness_mm[k]));
	return f.object;
}

static json_t *precision_json(const filling *parent, const repeats *r)
{
	const filling f = fill(parent);
	json_t *list = json_array();
	put_count(&f, "pairs", r->pair_count);
	put_length(&f, "rms_mean", r->pair_rms_mm.mean);
	put_length(&f, "rms_worst", r->pair_rms_mm.worst);
	put_count(&f, "worst_pair", r->worst_pair);
	for (size_t k = 0; k < r->pair_count; k++) {
		const repeat_pair *pair = &r->pairs[k];
		const filling g = fill(&f);
		put_count(&g, "a", pair->a);
		put_count(&g, "b", pair->b);
		put_lengths(&g, &pair->distance_mm);
		put_number(&g, "overlap_percent", 100 * pair->overlap_share);
		put_number(&g, "within_100um_percent", 100 * pair->alike_share);
		put_last(&f, list, g.object);
	}
	put(&f, "list", list);
	return f.object;
}

static void put_measured(const filling *f, const repeated *m, const char *name, double value)
{
	char key[64];
	snprintf(key, sizeof(key), m->is_angle ? "%s_mrad" : "%s_um", name);
	put_number(f, key, m->count > 0 ? value * UM : (double)NAN);
}

static json_t *measures_of_repeats_json(const filling *parent, const repeats *r)
{
	json_t *list = json_array();
	for (size_t k = 0; k < r->measure_count; k++) {
		const repeated *m = &r->measures[k];
		const filling f = fill(parent);
		const double unit = m->is_angle ? DEGREES : 1;
		put_text(&f, "name", m->name);
		put_text(&f, "kind", m->is_angle ? "angle" : "distance");
		put_count(&f, "repeats", m->count);
		put_number(&f, m->is_angle ? "true_degrees" : "true_mm", m->truth * unit);
		put_number(&f, m->is_angle ? "mean_degrees" : "mean_mm", m->count > 0 ? m->mean * unit : (double)NAN);
		put_measured(&f, m, "trueness", m->mean - m->truth);
		put_measured(&f, m, "precision", m->count > 1 ? m->sd : (double)NAN);
		put_measured(&f, m, "worst", m->worst);
		put_last(parent, list, f.object);
	}
	return list;
}

static json_t *pairs_json(const filling *parent, const repeats *r, const repeated_pairs *p)
{
	if (p->pairs == 0)
		return json_null();
	const filling f = fill(parent);
	const double known = r->in.has_truth ? 1 : (double)NAN;
	put_count(&f, "distances", p->pairs);
	put_length(&f, "trueness_mean", p->trueness_mean_mm * known);
	put_length(&f, "trueness_worst", p->trueness_worst_mm * known);
	put_length(&f, "precision_pooled", p->sd_pooled_mm);
	put_length(&f, "precision_worst", p->sd_worst_mm);
	return f.object;
}

static bool differs(const repeat_pair *pair)
{
	return pair->alike_share < REPEATS_ALIKE_SHARE;
}

static json_t *notes_json(const filling *parent, const repeats *r)
{
	json_t *list = json_array();
	for (size_t k = 0; k < r->pair_count; k++)
		if (differs(&r->pairs[k]))
			put_last(parent, list,
				json_sprintf(
					DIFFERS, r->pairs[k].a + 1, r->pairs[k].b + 1, 100 * r->pairs[k].alike_share));
	return list;
}

json_t *repeats_json(const repeats *r)
{
	bool ok = true;
	const filling f = {.object = json_object(), .ok = &ok};
	json_t *list = json_array();
	put_text(&f, "version", enm_version());
	put_text(&f, "truth", r->in.has_truth ? r->in.truth_path : NULL);
	put_text(&f, "dataset", r->in.request->dataset_path);
	for (size_t k = 0; k < r->count; k++)
		put_last(&f, list, repeat_json(&f, r, &r->each[k]));
	put(&f, "repeats", list);
	put(&f, "trueness", trueness_json(&f, r));
	put(&f, "precision", precision_json(&f, r));
	put(&f, "measures", measures_of_repeats_json(&f, r));
	put(&f, "landmark_distances", pairs_json(&f, r, &r->landmark_pairs));
	put(&f, "sphere_distances", pairs_json(&f, r, &r->sphere_pairs));
	put(&f, "notes", notes_json(&f, r));
	if (ok)
		return f.object;
	json_decref(f.object);
	return NULL;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static void print_trueness(const repeats *r)
{
	printf("trueness, surface, um                mean       sd    worst  repeats\n");
	for (int k = 0; k < REPEAT_FIGURES; k++) {
		const spread *s = &r->trueness_mm[k];
		if (s->count > 0)
			printf("  %-30s %8.1f %8.1f %8.1f %8zu\n", FIGURES[k].title, s->mean * UM, s->sd * UM,
				s->worst * UM, s->count);
	}
}

static void print_measure(const repeats *r, const repeated *m)
{
	const int decimals = m->is_angle ? 2 : 1;
	char what[32];
	snprintf(what, sizeof(what), "%s, %s", m->name, m->is_angle ? "mrad" : "um");
	printf("  %-26s", what);
	if (r->in.has_truth)
		printf(" %9.3f", m->is_angle ? m->truth * DEGREES : m->truth);
	if (m->count == 0) {
		printf("  not seen\n");
		return;
	}
	printf(" %9.3f", m->is_angle ? m->mean * DEGREES : m->mean);
	if (r->in.has_truth)
		printf(" %+9.*f", decimals, (m->mean - m->truth) * UM);
	if (m->count > 1)
		printf(" %9.*f", decimals, m->sd * UM);
	else
		printf(" %9s", "-");
	printf(" %+9.*f %8zu\n", decimals, m->worst * UM, m->count);
}

static void print_measures(const repeats *r)
{
	if (r->measure_count == 0)
		return;
	printf("mm and degrees             %s      mean%s precision     worst  repeats\n",
		r->in.has_truth ? "      true" : "", r->in.has_truth ? "  trueness" : "");
	for (size_t k = 0; k < r->measure_count; k++)
		print_measure(r, &r->measures[k]);
}

static void print_pairs(const repeats *r, const char *name, const repeated_pairs *p)
{
	if (p->pairs == 0)
		return;
	printf("distances between all %s (%zu), um:", name, p->pairs);
	if (r->in.has_truth)
		printf(" trueness %.1f mean, %.1f worst;", p->trueness_mean_mm * UM, p->trueness_worst_mm * UM);
	printf(" precision %.1f pooled, %.1f worst\n", p->sd_pooled_mm * UM, p->sd_worst_mm * UM);
}

void repeats_print(const repeats *r)
{
	const repeat_pair *worst = &r->pairs[r->worst_pair];
	double overlap = 1;
	for (size_t k = 0; k < r->pair_count; k++)
		overlap = fmin(overlap, r->pairs[k].overlap_share);
	printf("%zu repeats%s\n", r->count, r->in.has_truth ? "" : "; no truth: precision alone");
	if (r->in.has_truth)
		print_trueness(r);
	printf("precision, surface, um: rms %.1f mean of %zu pairs, %.1f worst (repeats %zu and %zu); at least %.1f %% "
	       "compared\n",
		r->pair_rms_mm.mean * UM, r->pair_count, r->pair_rms_mm.worst * UM, worst->a + 1, worst->b + 1,
		100 * overlap);
	print_measures(r);
	print_pairs(r, "landmarks", &r->landmark_pairs);
	print_pairs(r, "spheres", &r->sphere_pairs);
	for (size_t k = 0; k < r->pair_count; k++)
		if (differs(&r->pairs[k])) {
			printf("note: ");
			printf(DIFFERS, r->pairs[k].a + 1, r->pairs[k].b + 1, 100 * r->pairs[k].alike_share);
			printf("\n");
		}
	for (size_t k = 0; k < r->count; k++)
		for (size_t i = 0; r->each[k].landmarks != NULL && i < r->in.landmark_count; i++) {
			const landmark *mark = &r->each[k].landmarks[i];
			if (!mark->found)
				printf("repeat %zu: %s %s\n", k + 1, mark->name, patch_state_names[mark->patch.state]);
		}
}
