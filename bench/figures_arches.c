/* SPDX-License-Identifier: Apache-2.0
 * The table of arches.sh: how far arches are bent, with refinement and without, over jaws and seeds. */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

#define SCENARIOS_MAX 16
#define NAME_MAX_BYTES 48
#define SEEDS_MAX 128

/* Where a figure is found, what each seed must reach, and what the mean should. A limit that is NaN is not asked for. */
typedef struct figure {
	const char *key, *what;
	const char *file, *path; /* NULL: computed */
	double must, aim;
	const char *only; /* of this scenario; NULL: of those without figures of their own */
	const char *over; /* divided by the same of this file; NULL: not */
} figure;

static const figure FIGURES[] = {
	{"pinned_median_um", "poses pinned at the first frame, median", "evaluate.json", "trajectory.pinned_first.translation.median_um", 45, 20, NULL, NULL},
	{"pinned_worst_um", "... worst", "evaluate.json", "trajectory.pinned_first.translation.max_um", 95, 45, NULL, NULL},
	{"pinned_30_median_um", "poses pinned at the first 30, median", "evaluate.json", "trajectory.pinned_first_30.translation.median_um", 25, 10, NULL, NULL},
	{"pinned_30_worst_um", "... worst", "evaluate.json", "trajectory.pinned_first_30.translation.max_um", 65, 35, NULL, NULL},
	{"best_fit_rms_um", "poses best-fit, rms", "evaluate.json", "trajectory.best_fit.translation.rms_um", 18, 8, NULL, NULL},
	{"surface_mean_um", "surface best-fit, mean", "evaluate.json", "surface.best_fit.mean_um", 10, 6, NULL, NULL},
	{"surface_p95_um", "... p95", "evaluate.json", "surface.best_fit.p95_um", 30, 18, NULL, NULL},
	{"surface_30_mean_um", "surface pinned at the first 30, mean", "evaluate.json", "surface.pinned_first_30.mean_um", 25, 12, NULL, NULL},
	{"live_worst_um", "not refined: poses pinned, worst", "live.json", "trajectory.pinned_first.translation.max_um", 200, 100, NULL, NULL},
	{"bow_error_um", "bow found, error", NULL, NULL, 0.8, 0.3, NULL, NULL},
	{"refine_s_of_900", "refinement, s for 900 frames", NULL, NULL, 30, 15, NULL, NULL},
	{"rows_worst_um", "poses pinned at the first frame, worst", "evaluate.json", "trajectory.pinned_first.translation.max_um", 120, 60, "rows-and-bodies", NULL},
	{"alone_median_ratio", "pinned at the first frame, times that of poses alone, median", "evaluate.json", "trajectory.pinned_first.translation.median_um", 1.5, 1, "no-bow",
		"alone.json"},
	{"alone_worst_ratio", "... worst", "evaluate.json", "trajectory.pinned_first.translation.max_um", 1.5, 1, "no-bow", "alone.json"},
	{"repeats_worst_um", "five repeats, surfaces pairwise, rms, worst", "repeats.json", "precision.rms_worst_um", 15, 8, "repeats", NULL},
	{"spheres_worst_um", "distances between spheres, worst", "evaluate.json", "spheres.max_um", 60, 25, "phantom", NULL},
};
#define FIGURE_COUNT (sizeof(FIGURES) / sizeof(*FIGURES))

/* What counts for all, whatever is asked of a scenario alone. */
static bool asked(const figure *f, const char *scenario)
{
	const bool of_terms = f->file == NULL;
	if (f->only != NULL)
		return strcmp(f->only, scenario) == 0;
	return of_terms || (strcmp(scenario, "rows-and-bodies") != 0 && strcmp(scenario, "phantom") != 0 && strcmp(scenario, "repeats") != 0);
}

/* Crowns alone may be off by half as much again. */
static double share_of(const figure *f, const char *scenario)
{
	return strcmp(scenario, "crowns") == 0 && f->file != NULL ? 1.5 : 1.0;
}

typedef struct tally {
	char scenario[NAME_MAX_BYTES];
	size_t runs;
	json_t *seeds;
	double values[FIGURE_COUNT][SEEDS_MAX];
} tally;

static double computed(const figure *f, const json_t *replay, const json_t *truth)
{
	if (strcmp(f->key, "bow_error_um") == 0)
		return fabs(figures_number(replay, "refine.residual.bow_um.value") - figures_number(truth, "residual.bow_um"));
	return 900.0 * figures_number(replay, "refine.wall_s") / figures_number(replay, "refine.frames");
}

/* The files of a run's folder that figures are found in, each NULL where it is not there. */
static const char *const PARTS[] = {"evaluate.json", "live.json", "alone.json", "repeats.json"};
#define PART_COUNT (sizeof(PARTS) / sizeof(*PARTS))

static double found(json_t *const *parts, const char *file, const char *path)
{
	for (size_t i = 0; i < PART_COUNT; i++)
		if (strcmp(PARTS[i], file) == 0)
			return figures_number(parts[i], path);
	return (double)NAN;
}

static void add_run(tally *t, const char *folder, const char *seed, const json_t *replay, bool *ok)
{
	json_t *parts[PART_COUNT], *truth = figures_read_part(folder, "truth.json");
	for (size_t i = 0; i < PART_COUNT; i++)
		parts[i] = figures_read_part(folder, PARTS[i]);
	for (size_t i = 0; i < FIGURE_COUNT; i++) {
		const figure *f = &FIGURES[i];
		const double value = f->file == NULL ? computed(f, replay, truth) : found(parts, f->file, f->path);
		t->values[i][t->runs] = f->over != NULL ? value / found(parts, f->over, f->path) : value;
	}
	*ok = *ok && !json_array_append_new(t->seeds, json_string(seed));
	t->runs++;
	for (size_t i = 0; i < PART_COUNT; i++)
		json_decref(parts[i]);
	json_decref(truth);
}

/* The tally of a scenario, which is made if need be; NULL where there is no room. */
static tally *tally_of(tally *all, size_t *count, const char *scenario)
{
	size_t i = 0;
	while (i < *count && strcmp(all[i].scenario, scenario) != 0)
		i++;
	if (i == SCENARIOS_MAX || all[i].runs == SEEDS_MAX)
		return NULL;
	if (i == *count) {
		snprintf(all[i].scenario, sizeof(all[i].scenario), "%s", scenario);
		all[i].seeds = json_array();
		(*count)++;
	}
	return &all[i];
}

static void add_folder(tally *all, size_t *count, const char *folder, json_t **out_head, const figures_origin *origin, bool *ok)
{
	const char *base = path_base(folder), *dash = strrchr(base, '-');
	char name[NAME_MAX_BYTES] = "";
	tally *t = NULL;
	json_t *replay = figures_read_part(folder, "replay.json");
	if (dash != NULL && (size_t)(dash - base) < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)(dash - base), base);
		t = replay != NULL ? tally_of(all, count, name) : NULL;
	}
	if (t == NULL)
		host_warn("%s: %s", folder, replay != NULL ? "no SCENARIO-SEED, or too many" : "has no replay.json");
	else
		add_run(t, folder, dash + 1, replay, ok);
	if (t != NULL && *out_head == NULL)
		*out_head = figures_head(origin, replay, ok);
	json_decref(replay);
}

static bool has_seed(const tally *t, const char *seed)
{
	size_t i;
	const json_t *one;
	json_array_foreach(t->seeds, i, one)
	{
		if (strcmp(json_string_value(one), seed) == 0)
			return true;
	}
	return false;
}

/* The runs of a scenario of an earlier result; a seed that is there already counts once. */
static void add_row(tally *t, const json_t *row, bool *ok)
{
	size_t k;
	json_t *seed;
	json_array_foreach(json_object_get(row, "seeds"), k, seed)
	{
		if (!json_is_string(seed) || has_seed(t, json_string_value(seed)) || t->runs == SEEDS_MAX)
			continue;
		for (size_t i = 0; i < FIGURE_COUNT; i++) {
			const json_t *known = json_object_get(json_object_get(row, "figures"), FIGURES[i].key);
			const json_t *value = json_array_get(json_object_get(known, "each"), k);
			t->values[i][t->runs] = json_is_number(value) ? json_number_value(value) : (double)NAN;
		}
		*ok = !json_array_append(t->seeds, seed) && *ok;
		t->runs++;
	}
}

static host_status add_result(tally *all, size_t *count, const char *file, json_t **out_head, const figures_origin *origin, bool *ok)
{
	json_t *root = NULL, *row;
	size_t i;
	host_status status = figures_read_result(file, origin, &root);
	json_array_foreach(json_object_get(root, "scenarios"), i, row)
	{
		tally *t = tally_of(all, count, figures_text(row, "scenario"));
		if (t == NULL)
			host_warn("%s: %s: too many scenarios or seeds", file, figures_text(row, "scenario"));
		else
			add_row(t, row, ok);
	}
	if (*out_head == NULL && root != NULL)
		*out_head = figures_head(origin, root, ok);
	json_decref(root);
	return status;
}

typedef struct seen {
	double mean, worst;
	size_t missing;
	bool met;
} seen;

/* A figure that is not there fails. */
static seen look(const figure *f, const tally *t, const double *values)
{
	seen s = {0};
	for (size_t i = 0; i < t->runs; i++) {
		s.missing += isnan(values[i]) ? 1 : 0;
		s.mean += isnan(values[i]) ? 0.0 : values[i];
		s.worst = fmax(s.worst, values[i]);
	}
	s.mean /= (double)(t->runs > s.missing ? t->runs - s.missing : 1);
	s.met = s.missing == 0 && s.worst <= f->must * share_of(f, t->scenario);
	return s;
}

static json_t *figure_json(const figure *f, const tally *t, const double *values, bool *ok)
{
	const seen s = look(f, t, values);
	const double share = share_of(f, t->scenario);
	json_t *object = json_object(), *each = json_array();
	for (size_t i = 0; i < t->runs; i++)
		*ok = !json_array_append_new(each, json_finite(values[i])) && *ok;
	json_put(object, "mean", json_finite(s.missing < t->runs ? s.mean : (double)NAN), ok);
	json_put(object, "worst", json_finite(s.missing < t->runs ? s.worst : (double)NAN), ok);
	json_put(object, "must", json_finite(f->must * share), ok);
	json_put(object, "aim", json_finite(f->aim * share), ok);
	json_put(object, "met", json_boolean(s.met), ok);
	json_put(object, "each", each, ok);
	return object;
}

static json_t *row_json(const tally *t, bool *ok)
{
	json_t *row = json_object(), *figures = json_object();
	json_put(row, "scenario", json_string(t->scenario), ok);
	json_put(row, "seeds", json_incref(t->seeds), ok);
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		if (asked(&FIGURES[i], t->scenario))
			json_put(figures, FIGURES[i].key, figure_json(&FIGURES[i], t, t->values[i], ok), ok);
	json_put(row, "figures", figures, ok);
	return row;
}

static void print_rows(const tally *t)
{
	printf("%s, %zu seeds\n", t->scenario, t->runs);
	for (size_t i = 0; i < FIGURE_COUNT; i++) {
		const figure *f = &FIGURES[i];
		if (!asked(f, t->scenario))
			continue;
		const seen s = look(f, t, t->values[i]);
		const double share = share_of(f, t->scenario);
		char text[128] = "not there";
		if (s.missing < t->runs)
			snprintf(text, sizeof(text), "mean %.4g (aim %.4g), worst %.4g (must %.4g)", s.mean, f->aim * share, s.worst, f->must * share);
		printf("  %-42s %-7s %s%s\n", f->what, s.met ? "met" : "missed", text, s.missing > 0 && s.missing < t->runs ? "; some are not there" : "");
	}
}

host_status figures_arches(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count)
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
		status = host_fail(HOST_DATA, "arches: no folder has a report");
	for (size_t i = 0; i < scenarios; i++) {
		if (status == HOST_OK) {
			print_rows(&all[i]);
			ok = !json_array_append_new(rows, row_json(&all[i], &ok)) && ok;
		}
		json_decref(all[i].seeds);
	}
	free(all);
	return figures_close(status, ok, head, rows, out_path);
}
