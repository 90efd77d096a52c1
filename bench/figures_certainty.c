/* SPDX-License-Identifier: Apache-2.0
 * The table of certainty.sh: how many true distances lie in the intervals that refined scans tell of theirs, and whether the terms of the residual are
 * as sure as is told. */
#include "figures.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

typedef struct tally {
	char scenario[NAME_MAX_BYTES];
	size_t runs;
	span spans[SPANS];
	span terms; /* of the residual */
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

static void add_distances(tally *t, const json_t *replay, const json_t *evaluation, const json_t *truth)
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
		add(&t->spans[of], 1e3 * (distance(found[0], found[1]) - true_mm), figures_number(d, "sigma_um"));
	}
}

static void add_terms(tally *t, const json_t *replay, const json_t *truth)
{
	static const char *const terms[] = {"bow_um", "astigmatism_um", "twist_um", "tilt_x_um", "tilt_y_um", "constant_um"};
	for (size_t i = 0; i < sizeof(terms) / sizeof(*terms); i++) {
		const json_t *term = json_object_get(figures_at(replay, "refine.residual"), terms[i]);
		const json_t *is = json_object_get(figures_at(truth, "residual"), terms[i]);
		add(&t->terms, json_is_number(is) ? figures_number(term, "value") - json_number_value(is) : (double)NAN, figures_number(term, "sigma"));
	}
}

static tally *tally_of(tally *all, size_t *count, const char *folder)
{
	char name[NAME_MAX_BYTES];
	size_t i = 0;
	if (figures_scenario(folder, name, sizeof(name)) == NULL)
		return NULL;
	while (i < *count && strcmp(all[i].scenario, name) != 0)
		i++;
	if (i == SCENARIOS_MAX)
		return NULL;
	if (i == *count)
		snprintf(all[(*count)++].scenario, sizeof(all[i].scenario), "%s", name);
	return &all[i];
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
	printf("%s, %zu seeds\n", t->scenario, t->runs);
	json_put(row, "scenario", json_string(t->scenario), ok);
	json_put(row, "seeds", json_integer((json_int_t)t->runs), ok);
	for (size_t i = 0; i < SPANS; i++) {
		char what[48];
		const span *s = &t->spans[i];
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
	json_put(row, "terms", span_json("residual's terms", &t->terms, ok), ok);
	const double share = all.count > 0 ? (double)all.inside / (double)all.count : 0.0;
	const bool met = share >= SHARE_LEAST && share <= SHARE_MOST;
	printf("  %s: 93 to 97 %% must be inside\n", met ? "met" : "missed");
	json_put(row, "met", json_boolean(met), ok);
	return row;
}

static void add_run(tally *all, size_t *scenarios, const char *folder, const figures_origin *origin, json_t **head, bool *ok)
{
	json_t *replay = figures_read_part(folder, "replay.json"), *evaluation = figures_read_part(folder, "evaluate.json"),
	       *truth = figures_read_part(folder, "truth.json");
	tally *t = replay != NULL ? tally_of(all, scenarios, folder) : NULL;
	if (t == NULL) {
		host_warn("%s: %s", folder, replay != NULL ? "no SCENARIO-SEED, or too many" : "has no replay.json");
	} else {
		t->runs++;
		add_distances(t, replay, evaluation, truth);
		add_terms(t, replay, truth);
	}
	if (t != NULL && *head == NULL)
		*head = figures_head(origin, replay, ok);
	json_decref(replay);
	json_decref(evaluation);
	json_decref(truth);
}

host_status figures_certainty(const figures_origin *origin, const char *out_path, char *const *folders, size_t count)
{
	bool ok = true;
	size_t scenarios = 0;
	json_t *head = NULL, *rows = json_array();
	tally *all = calloc(SCENARIOS_MAX, sizeof(*all));
	host_status status = all != NULL ? HOST_OK : host_fail_memory("the figures");
	for (size_t i = 0; i < count && status == HOST_OK; i++)
		add_run(all, &scenarios, folders[i], origin, &head, &ok);
	if (status == HOST_OK && head == NULL)
		status = host_fail(HOST_DATA, "certainty: no folder has a report");
	for (size_t i = 0; i < scenarios && status == HOST_OK; i++)
		ok = !json_array_append_new(rows, row_json(&all[i], &ok)) && ok;
	free(all);
	if (status == HOST_OK) {
		json_put(head, "scenarios", json_incref(rows), &ok);
		status = !ok ? host_fail_memory("the result") : out_path[0] ? json_file_write(out_path, head) : HOST_OK;
	}
	json_decref(rows);
	json_decref(head);
	return status;
}
