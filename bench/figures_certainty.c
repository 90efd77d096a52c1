/* SPDX-License-Identifier: Apache-2.0
 * The table of certainty.sh: how many true distances lie in the intervals that refined scans tell of theirs, and whether the terms of the residual are
 * as sure as is told. */
#include "figures.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

#define SCENARIOS_MAX 8
#define NAME_MAX_BYTES 48
#define SPANS 4
static const double spans_mm[SPANS + 1] = {0.0, 10.0, 20.0, 35.0, 1e9};
#define INTERVAL 1.959964 /* sigmas that hold 95 % */
#define SHARE_LEAST 0.93
#define SHARE_MOST 0.97

/* Distances of some length, of all seeds. */
typedef struct span {
	size_t count, inside;
	double errors2, sigmas2, normalised; /* um2; errors squared in their unit */
} span;

/* What a run tells: its distances by their length, then the terms of the residual. */
#define PARTS (SPANS + 1)
#define SUMS 5

typedef struct tally {
	char scenario[NAME_MAX_BYTES];
	json_t *runs; /* seed, and the sums of each part, so that results of some seeds add up */
	span parts[PARTS];
} tally;

static void add(span *s, double error, double sigma)
{
	if (!isfinite(error) || !(sigma > 0.0))
		return;
	s->count++;
	s->inside += fabs(error) <= INTERVAL * sigma;
	s->errors2 += error * error;
	s->sigmas2 += sigma * sigma;
	s->normalised += error * error / (sigma * sigma);
}

/* Where a landmark is, and where it was found (the whole model best-fit, which no distance feels). */
static bool places_of(const json_t *truth, const json_t *evaluation, const char *name, double at_mm[3], double found_mm[3])
{
	const json_t *at = json_object_get(figures_at(truth, "landmarks"), name), *marks = figures_at(evaluation, "landmarks.marks");
	for (size_t k = 0; k < json_array_size(marks); k++) {
		const json_t *mark = json_array_get(marks, k);
		const json_t *shift = json_object_get(mark, "shift_xyz_um");
		if (strcmp(figures_text(mark, "name"), name) != 0 || strcmp(figures_text(mark, "state"), "placed") != 0)
			continue;
		for (size_t i = 0; i < 3; i++) {
			at_mm[i] = json_number_value(json_array_get(at, i));
			found_mm[i] = at_mm[i] + 1e-3 * json_number_value(json_array_get(shift, i));
		}
		return json_array_size(at) == 3 && json_array_size(shift) == 3;
	}
	return false;
}

static double distance(const double *a, const double *b)
{
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

static void add_distances(span *parts, const json_t *replay, const json_t *evaluation, const json_t *truth)
{
	const json_t *list = figures_at(replay, "refine.distances.list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		double at[2][3], found[2][3];
		if (!places_of(truth, evaluation, figures_text(d, "from"), at[0], found[0]) || !places_of(truth, evaluation, figures_text(d, "to"), at[1], found[1]))
			continue;
		const double true_mm = distance(at[0], at[1]);
		size_t of = 0;
		while (of + 1 < SPANS && true_mm >= spans_mm[of + 1])
			of++;
		add(&parts[of], 1e3 * (distance(found[0], found[1]) - true_mm), figures_number(d, "sigma_um"));
	}
}

static void add_terms(span *terms_part, const json_t *replay, const json_t *truth)
{
	static const char *const terms[] = {"bow_um", "astigmatism_um", "twist_um", "tilt_x_um", "tilt_y_um", "constant_um"};
	for (size_t i = 0; i < sizeof(terms) / sizeof(*terms); i++) {
		const json_t *term = json_object_get(figures_at(replay, "refine.residual"), terms[i]);
		const json_t *is = json_object_get(figures_at(truth, "residual"), terms[i]);
		add(terms_part, json_is_number(is) ? figures_number(term, "value") - json_number_value(is) : (double)NAN, figures_number(term, "sigma"));
	}
}

static tally *tally_of(tally *all, size_t *count, const char *scenario)
{
	size_t i = 0;
	while (i < *count && strcmp(all[i].scenario, scenario) != 0)
		i++;
	if (i == SCENARIOS_MAX)
		return NULL;
	if (i == *count) {
		snprintf(all[i].scenario, sizeof(all[i].scenario), "%s", scenario);
		all[(*count)++].runs = json_array();
	}
	return &all[i];
}

/* A seed that is there already counts once. */
static void add_run(tally *t, const char *seed, const span *parts, bool *ok)
{
	json_t *run = json_object(), *rows = json_array();
	for (size_t i = 0; i < json_array_size(t->runs); i++)
		if (strcmp(figures_text(json_array_get(t->runs, i), "seed"), seed) == 0) {
			json_decref(run);
			json_decref(rows);
			return;
		}
	for (size_t i = 0; i < PARTS; i++) {
		const span *p = &parts[i];
		const double sums[SUMS] = {(double)p->count, (double)p->inside, p->errors2, p->sigmas2, p->normalised};
		*ok = !json_array_append_new(rows, json_numbers(sums, SUMS)) && *ok;
		t->parts[i].count += p->count;
		t->parts[i].inside += p->inside;
		t->parts[i].errors2 += p->errors2;
		t->parts[i].sigmas2 += p->sigmas2;
		t->parts[i].normalised += p->normalised;
	}
	json_put(run, "seed", json_string(seed), ok);
	json_put(run, "sums", rows, ok);
	*ok = !json_array_append_new(t->runs, run) && *ok;
}

static void add_folder(tally *all, size_t *count, const char *folder, json_t **out_head, const figures_origin *origin, bool *ok)
{
	const char *base = path_base(folder), *dash = strrchr(base, '-');
	char name[NAME_MAX_BYTES] = "";
	span parts[PARTS] = {{0}};
	json_t *replay = figures_read_part(folder, "replay.json"), *evaluation = figures_read_part(folder, "evaluate.json"),
	       *truth = figures_read_part(folder, "truth.json");
	if (dash != NULL && (size_t)(dash - base) < sizeof(name))
		snprintf(name, sizeof(name), "%.*s", (int)(dash - base), base);
	tally *t = replay != NULL && name[0] ? tally_of(all, count, name) : NULL;
	add_distances(parts, replay, evaluation, truth);
	add_terms(&parts[SPANS], replay, truth);
	if (t == NULL)
		host_warn("%s: %s", folder, replay != NULL ? "no SCENARIO-SEED, or too many" : "has no replay.json");
	else
		add_run(t, dash + 1, parts, ok);
	if (t != NULL && *out_head == NULL)
		*out_head = figures_head(origin, replay, ok);
	json_decref(replay);
	json_decref(evaluation);
	json_decref(truth);
}

static host_status add_result(tally *all, size_t *count, const char *file, json_t **out_head, const figures_origin *origin, bool *ok)
{
	json_t *root = NULL;
	host_status status = figures_read_result(file, origin, &root);
	const json_t *rows = json_object_get(root, "scenarios");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i), *runs = json_object_get(row, "runs");
		tally *t = tally_of(all, count, figures_text(row, "scenario"));
		for (size_t k = 0; k < json_array_size(runs) && t != NULL; k++) {
			const json_t *run = json_array_get(runs, k);
			span parts[PARTS] = {{0}};
			for (size_t p = 0; p < PARTS; p++) {
				const json_t *sums = json_array_get(json_object_get(run, "sums"), p);
				parts[p] = (span){(size_t)json_number_value(json_array_get(sums, 0)), (size_t)json_number_value(json_array_get(sums, 1)),
					json_number_value(json_array_get(sums, 2)), json_number_value(json_array_get(sums, 3)), json_number_value(json_array_get(sums, 4))};
			}
			add_run(t, figures_text(run, "seed"), parts, ok);
		}
	}
	if (*out_head == NULL && root != NULL)
		*out_head = figures_head(origin, root, ok);
	json_decref(root);
	return status;
}

/* ---- what comes out ---- */

static json_t *span_json(const char *what, const span *s, bool *ok)
{
	const double n = s->count > 0 ? (double)s->count : (double)NAN;
	json_t *object = json_object();
	printf("  %-20s %5zu, %5.1f %% in the interval; errors %.1f um rms, told %.1f; squared in their unit %.2f\n", what, s->count, 100.0 * (double)s->inside / n,
		sqrt(s->errors2 / n), sqrt(s->sigmas2 / n), s->normalised / n);
	json_put(object, "count", json_integer((json_int_t)s->count), ok);
	json_put(object, "inside", json_finite((double)s->inside / n), ok);
	json_put(object, "error_rms_um", json_finite(sqrt(s->errors2 / n)), ok);
	json_put(object, "told_rms_um", json_finite(sqrt(s->sigmas2 / n)), ok);
	json_put(object, "normalised", json_finite(s->normalised / n), ok);
	return object;
}

static json_t *row_json(const tally *t, bool *ok)
{
	json_t *row = json_object();
	span all = {0};
	printf("%s, %zu seeds\n", t->scenario, json_array_size(t->runs));
	json_put(row, "scenario", json_string(t->scenario), ok);
	for (size_t i = 0; i < SPANS; i++) {
		char what[48];
		const span *s = &t->parts[i];
		all.count += s->count;
		all.inside += s->inside;
		all.errors2 += s->errors2;
		all.sigmas2 += s->sigmas2;
		all.normalised += s->normalised;
		if (i + 1 < SPANS)
			snprintf(what, sizeof(what), "%.0f to %.0f mm", spans_mm[i], spans_mm[i + 1]);
		else
			snprintf(what, sizeof(what), "over %.0f mm", spans_mm[i]);
		json_put(row, what, span_json(what, s, ok), ok);
	}
	json_put(row, "distances", span_json("distances", &all, ok), ok);
	json_put(row, "terms", span_json("residual's terms", &t->parts[SPANS], ok), ok);
	const double share = all.count > 0 ? (double)all.inside / (double)all.count : 0.0;
	const bool met = share >= SHARE_LEAST && share <= SHARE_MOST;
	printf("  %s: 93 to 97 %% must be inside\n", met ? "met" : "missed");
	json_put(row, "met", json_boolean(met), ok);
	json_put(row, "runs", json_incref(t->runs), ok);
	return row;
}

host_status figures_certainty(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count)
{
	bool ok = true;
	size_t scenarios = 0;
	json_t *head = NULL, *rows = json_array();
	tally *all = calloc(SCENARIOS_MAX, sizeof(*all));
	host_status status = all != NULL ? HOST_OK : host_fail_memory("the figures");
	for (size_t i = 0; i < count && status == HOST_OK; i++) {
		if (path_has_extension(inputs[i], ".json"))
			status = add_result(all, &scenarios, inputs[i], &head, origin, &ok);
		else
			add_folder(all, &scenarios, inputs[i], &head, origin, &ok);
	}
	if (status == HOST_OK && head == NULL)
		status = host_fail(HOST_DATA, "certainty: no folder has a report");
	for (size_t i = 0; i < scenarios; i++) {
		if (status == HOST_OK)
			ok = !json_array_append_new(rows, row_json(&all[i], &ok)) && ok;
		json_decref(all[i].runs);
	}
	free(all);
	return figures_close(status, ok, head, rows, out_path);
}
