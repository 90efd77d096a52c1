/* SPDX-License-Identifier: Apache-2.0
 * The table of tracking.sh: what each scenario must reach, and what was seen over its seeds so far. */
#include "figures.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

#define NAME_MAX_BYTES 48
#define REENTRIES_MAX 4096
#define SEEN_BYTES 256

/* What is asked of a scenario. A limit that is NaN is not asked for. */
typedef struct demand {
	const char *scenario, *what, *must;
	double tracked_percent_min, wrong_max, recovered_percent_min, false_accepts_max, after_median_ms_max;
	double wrong_accepted_max, false_area_percent_max, told_percent_min, resumed_percent_min;
} demand;

#define ANY NAN
static const demand DEMANDS[] = {
	{"clean", "clean full arch", "100 % tracked, 0 wrong", 100, 0, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
	{"double-speed-rows", "double speed, rows", ">= 98 % tracked", 98, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
	{"re-entries", "ten lift-offs", ">= 99 % back, 0 false, <= 300 ms", ANY, ANY, 99, 0, 300, ANY, ANY, ANY, ANY},
	{"other-jaw", "on the other jaw", "0 accepted", ANY, ANY, ANY, ANY, ANY, 0, ANY, ANY, ANY},
	{"mirrored-arch", "on a mirrored arch", "0 accepted", ANY, ANY, ANY, ANY, ANY, 0, ANY, ANY, ANY},
	{"opposite-side", "on the opposite side", "0 accepted", ANY, ANY, ANY, ANY, ANY, 0, ANY, ANY, ANY},
	{"foreign-30", "foreign bodies, 30 %", ">= 98 % tracked, false <= 0.1 %", 98, ANY, ANY, ANY, ANY, ANY, 0.1, ANY,
		ANY},
	{"smooth-ridge", "smooth ridge", "0 wrong, >= 95 % told", ANY, 0, ANY, ANY, ANY, ANY, ANY, 95, ANY},
	{"smooth-ridge-color", "smooth ridge, colour", ">= 95 % tracked, 0 wrong", 95, 0, ANY, ANY, ANY, ANY, ANY, ANY,
		ANY},
	{"interruptions", "bursts, twice, late", "all resumed", ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, 100},
	{"cast-events", "sim/cast-events", "reported", ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
	{"crowns-lower", "sim/crowns-lower", ">= 99 % tracked", 99, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
	{"room-50", "real/room-50", "reported", ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY},
};
#define DEMAND_COUNT (sizeof(DEMANDS) / sizeof(*DEMANDS))

/* Sums over the seeds of a scenario. */
typedef struct tally {
	size_t runs;
	json_t *each; /* run_json of each */
	double frames, tracked, wrong, reentries, recovered, false_accepts, wrong_places, wrong_accepted;
	double foreign, degenerate, told, gaps, resumed;
	double false_area_sum, false_area_max, best_fit_sum;
	size_t surfaces;
	double after_s[REENTRIES_MAX], shown_s[REENTRIES_MAX];
	size_t after_count;
	double frame_ms_median, frame_ms_max; /* the greatest of the runs */
} tally;

/* ---- gathering -------------------------------------------------------------------------------------------------- */

/* Splits "SCENARIO-SEED"; a name without a number at its end is a scenario of its own. */
static void split(const char *folder, char name[NAME_MAX_BYTES], const char **out_seed)
{
	const char *base = path_base(folder), *dash = strrchr(base, '-');
	bool seeded = dash != NULL && dash[1] != '\0' && strspn(dash + 1, "0123456789") == strlen(dash + 1);
	for (size_t i = 0; i < DEMAND_COUNT && seeded; i++)
		seeded = strcmp(DEMANDS[i].scenario, base) != 0; /* room-50 */
	size_t length = seeded ? (size_t)(dash - base) : strlen(base);
	snprintf(name, NAME_MAX_BYTES, "%.*s", (int)length, base);
	*out_seed = seeded ? dash + 1 : "-";
}

static double number_or(const json_t *root, const char *path, double otherwise)
{
	double value = figures_number(root, path);
	return isnan(value) ? otherwise : value;
}

/* What the table needs of one run, as the result keeps it: an earlier result adds its runs by this. */
static const struct {
	const char *key, *path;
} RUN_NUMBERS[] = {
	{"wrong_poses", "trajectory.wrong_poses"},
	{"reentries", "tracking.reentries"},
	{"recovered", "tracking.recovered"},
	{"false_accepts", "tracking.false_accepts"},
	{"wrong_places", "tracking.wrong_places"},
	{"wrong_accepted", "tracking.wrong_accepted"},
	{"foreign", "tracking.foreign"},
	{"degenerate", "tracking.degenerate"},
	{"degenerate_told", "tracking.degenerate_told"},
	{"gaps", "tracking.gaps"},
	{"gaps_resumed", "tracking.gaps_resumed"},
};

/* How long it took to be tracked again, of each visit to a place that was scanned. */
static void put_visits(json_t *run, const json_t *evaluation, bool *ok)
{
	size_t i;
	const json_t *visit, *visits = figures_at(evaluation, "tracking.visits");
	json_t *after = json_array(), *shown = json_array();
	json_array_foreach(visits, i, visit)
	{
		double after_s = figures_number(visit, "after_s");
		if (strcmp(figures_text(visit, "place"), "scanned") != 0 || isnan(after_s))
			continue;
		*ok = !json_array_append_new(after, json_finite(after_s)) && *ok;
		*ok = !json_array_append_new(shown, json_finite(number_or(visit, "after_shown_s", after_s))) && *ok;
	}
	json_put(run, "after_s", after, ok);
	json_put(run, "after_shown_s", shown, ok);
}

/* A run without a surface or trajectory has no evaluation: then nothing of it was tracked, and all of it is asked for.
 */
static json_t *run_json(const char *seed, const json_t *replay, const json_t *evaluation, bool *ok)
{
	json_t *run = json_object();
	json_put(run, "seed", json_string(seed), ok);
	json_put(run, "in_view", json_finite(number_or(evaluation, "tracking.in_view", number_or(replay, "frames", 0))), ok);
	json_put(run, "tracked", json_finite(number_or(evaluation, "tracking.tracked", number_or(replay, "tracked", 0))), ok);
	for (size_t i = 0; i < sizeof(RUN_NUMBERS) / sizeof(*RUN_NUMBERS); i++)
		json_put(run, RUN_NUMBERS[i].key, json_finite(number_or(evaluation, RUN_NUMBERS[i].path, 0)), ok);
	json_put(run, "false_area_percent", json_finite(figures_number(evaluation, "surface.best_fit.false_area_percent")), ok);
	json_put(run, "best_fit_mean_um", json_finite(figures_number(evaluation, "surface.best_fit.mean_um")), ok);
	json_put(run, "frame_median_ms", json_finite(figures_number(replay, "frame_ms.median")), ok);
	json_put(run, "frame_max_ms", json_finite(figures_number(replay, "frame_ms.max")), ok);
	put_visits(run, evaluation, ok);
	return run;
}

static void add_visits(tally *t, const json_t *run)
{
	size_t i;
	const json_t *after, *shown = json_object_get(run, "after_shown_s");
	json_array_foreach(json_object_get(run, "after_s"), i, after)
	{
		if (t->after_count == REENTRIES_MAX)
			return;
		t->shown_s[t->after_count] = json_number_value(json_array_get(shown, i));
		t->after_s[t->after_count++] = json_number_value(after);
	}
}

static bool has_seed(const tally *t, const char *seed)
{
	size_t i;
	const json_t *run;
	json_array_foreach(t->each, i, run)
	{
		if (strcmp(figures_text(run, "seed"), seed) == 0)
			return true;
	}
	return false;
}

/* Takes `run` over; a seed that is there already counts once. */
static void add_run(tally *t, json_t *run, bool *ok)
{
	double area = figures_number(run, "false_area_percent");
	if (has_seed(t, figures_text(run, "seed"))) {
		json_decref(run);
		return;
	}
	t->runs++;
	t->frames += number_or(run, "in_view", 0);
	t->tracked += number_or(run, "tracked", 0);
	t->wrong += number_or(run, "wrong_poses", 0);
	t->reentries += number_or(run, "reentries", 0);
	t->recovered += number_or(run, "recovered", 0);
	t->false_accepts += number_or(run, "false_accepts", 0);
	t->wrong_places += number_or(run, "wrong_places", 0);
	t->wrong_accepted += number_or(run, "wrong_accepted", 0);
	t->foreign += number_or(run, "foreign", 0);
	t->degenerate += number_or(run, "degenerate", 0);
	t->told += number_or(run, "degenerate_told", 0);
	t->gaps += number_or(run, "gaps", 0);
	t->resumed += number_or(run, "gaps_resumed", 0);
	if (!isnan(area)) {
		t->surfaces++;
		t->false_area_sum += area;
		t->false_area_max = fmax(t->false_area_max, area);
		t->best_fit_sum += number_or(run, "best_fit_mean_um", 0);
	}
	t->frame_ms_median = fmax(t->frame_ms_median, number_or(run, "frame_median_ms", 0));
	t->frame_ms_max = fmax(t->frame_ms_max, number_or(run, "frame_max_ms", 0));
	add_visits(t, run);
	*ok = *ok && !json_array_append_new(t->each, run);
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

static double percent(double part, double of)
{
	return of > 0 ? 100 * part / of : (double)NAN;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of ascending seconds, nearest rank; NaN where there are none. Recordings tell times to a microsecond, so that 9 frame times may be 300.001 ms. */
static double median_ms(const double *seconds, size_t count)
{
	return count ? round(1e5 * seconds[(count + 1) / 2 - 1]) / 100 : (double)NAN;
}

static double after_median_ms(const tally *t)
{
	return median_ms(t->after_s, t->after_count);
}

/* A figure that is not there fails where it is asked for. */
static bool at_least(double value, double limit)
{
	return isnan(limit) || value >= limit;
}

static bool at_most(double value, double limit)
{
	return isnan(limit) || value <= limit;
}

static bool meets(const demand *d, const tally *t)
{
	double runs = (double)t->runs;
	return at_least(percent(t->tracked, t->frames), d->tracked_percent_min) && at_most(t->wrong, d->wrong_max) &&
	       at_least(percent(t->recovered, t->reentries), d->recovered_percent_min) &&
	       at_most(t->false_accepts, d->false_accepts_max) && at_most(after_median_ms(t), d->after_median_ms_max) &&
	       at_most(t->wrong_accepted, d->wrong_accepted_max) &&
	       at_most((double)t->surfaces < runs ? (double)NAN : t->false_area_sum / runs,
		       d->false_area_percent_max) &&
	       at_least(percent(t->told, t->degenerate), d->told_percent_min) &&
	       at_least(percent(t->resumed, t->gaps), d->resumed_percent_min);
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(char text[SEEN_BYTES], const char *format, ...)
{
	size_t length = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + length, SEEN_BYTES - length, format, arguments);
	va_end(arguments);
}

static void describe(const tally *t, char out[SEEN_BYTES])
{
	out[0] = '\0';
	if (t->wrong_places > 0)
		say(out, "%.0f of %.0f accepted, %.0f wrong", t->wrong_accepted, t->wrong_places, t->wrong);
	else
		say(out, "%.2f %% tracked, %.0f wrong", percent(t->tracked, t->frames), t->wrong);
	if (t->reentries > 0)
		say(out, ", %.0f of %.0f back", t->recovered, t->reentries);
	if (t->after_count > 0)
		say(out, " after %.0f ms (%.0f)", after_median_ms(t), median_ms(t->shown_s, t->after_count));
	if (t->reentries + t->wrong_places > 0)
		say(out, ", %.0f false", t->false_accepts);
	if (t->foreign > 0)
		say(out, ", foreign in %.1f %%", percent(t->foreign, t->frames));
	if (t->degenerate > 0)
		say(out, ", %.1f %% of %.0f told", percent(t->told, t->degenerate), t->degenerate);
	if (t->gaps > 0)
		say(out, ", %.0f of %.0f resumed", t->resumed, t->gaps);
	if (t->surfaces > 0)
		say(out, ", false area %.3f %%", t->false_area_sum / (double)t->surfaces);
}

static json_t *row_json(const demand *d, const tally *t, bool *ok)
{
	const struct {
		const char *key;
		double value;
	} numbers[] = {{"frames_in_view", t->frames}, {"tracked", t->tracked},
		{"tracked_percent", percent(t->tracked, t->frames)}, {"wrong_poses", t->wrong},
		{"reentries", t->reentries}, {"recovered", t->recovered}, {"after_median_ms", after_median_ms(t)},
		{"after_max_ms", t->after_count ? 1000 * t->after_s[t->after_count - 1] : (double)NAN},
		{"after_shown_median_ms", median_ms(t->shown_s, t->after_count)}, {"false_accepts", t->false_accepts},
		{"wrong_places", t->wrong_places}, {"wrong_places_accepted", t->wrong_accepted},
		{"foreign_percent", percent(t->foreign, t->frames)}, {"degenerate", t->degenerate},
		{"degenerate_told_percent", percent(t->told, t->degenerate)}, {"gaps", t->gaps},
		{"gaps_resumed", t->resumed},
		{"false_area_mean_percent", t->surfaces ? t->false_area_sum / (double)t->surfaces : (double)NAN},
		{"false_area_max_percent", t->surfaces ? t->false_area_max : (double)NAN},
		{"best_fit_mean_um", t->surfaces ? t->best_fit_sum / (double)t->surfaces : (double)NAN},
		{"frame_median_ms", t->frame_ms_median}, {"frame_max_ms", t->frame_ms_max}};
	json_t *row = json_object();
	json_put(row, "scenario", json_string(d->scenario), ok);
	json_put(row, "must", json_string(d->must), ok);
	json_put(row, "met", json_boolean(meets(d, t)), ok);
	json_put(row, "runs", json_incref(t->each), ok);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_put(row, numbers[i].key, json_finite(numbers[i].value), ok);
	return row;
}

static void print_row(const demand *d, const tally *t)
{
	char seen[SEEN_BYTES];
	describe(t, seen);
	printf("%-22s %5zu  %-33s %-6s %s\n", d->what, t->runs, d->must,
		strcmp(d->must, "reported") != 0 ? meets(d, t) ? "met" : "missed" : "-", seen);
}

static tally *tally_of(tally *all, const char *scenario)
{
	for (size_t d = 0; d < DEMAND_COUNT; d++)
		if (strcmp(DEMANDS[d].scenario, scenario) == 0)
			return &all[d];
	return NULL;
}

static void add_folder(tally *all, const char *folder, json_t **out_head, const figures_origin *origin, bool *ok)
{
	char name[NAME_MAX_BYTES];
	const char *seed;
	json_t *replay = figures_read_part(folder, "replay.json"), *evaluation = figures_read_part(folder, "evaluate.json");
	split(folder, name, &seed);
	tally *t = tally_of(all, name);
	if (t == NULL || replay == NULL)
		host_warn("%s: %s", folder, replay ? "no scenario of the table" : "has no replay.json");
	else
		add_run(t, run_json(seed, replay, evaluation, ok), ok);
	if (*out_head == NULL && replay != NULL)
		*out_head = figures_head(origin, replay, ok);
	json_decref(replay);
	json_decref(evaluation);
}

static host_status add_result(tally *all, const char *file, json_t **out_head, const figures_origin *origin, bool *ok)
{
	json_t *root = NULL, *row, *run;
	size_t i, k;
	host_status status = figures_read_result(file, origin, &root);
	json_array_foreach(json_object_get(root, "scenarios"), i, row)
	{
		tally *t = tally_of(all, figures_text(row, "scenario"));
		if (t == NULL)
			host_warn("%s: %s: no scenario of the table", file, figures_text(row, "scenario"));
		json_array_foreach(json_object_get(row, "runs"), k, run)
		{
			if (t != NULL)
				add_run(t, json_incref(run), ok);
		}
	}
	if (*out_head == NULL && root != NULL)
		*out_head = figures_head(origin, root, ok);
	json_decref(root);
	return status;
}

/* The tallies of all folders and results; NULL without memory. */
static tally *gather(char *const *inputs, size_t count, json_t **out_head, const figures_origin *origin, host_status *status, bool *ok)
{
	tally *all = calloc(DEMAND_COUNT, sizeof(*all));
	for (size_t d = 0; all != NULL && d < DEMAND_COUNT; d++)
		all[d].each = json_array();
	for (size_t i = 0; all != NULL && i < count && *status == HOST_OK; i++) {
		if (path_has_extension(inputs[i], ".json"))
			*status = add_result(all, inputs[i], out_head, origin, ok);
		else
			add_folder(all, inputs[i], out_head, origin, ok);
	}
	return all;
}

host_status figures_tracking(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count)
{
	bool ok = true;
	json_t *head = NULL, *rows = json_array();
	host_status status = HOST_OK;
	tally *all = gather(inputs, count, &head, origin, &status, &ok);
	if (all == NULL)
		status = host_fail_memory("the figures");
	else if (status == HOST_OK && head == NULL)
		status = host_fail(HOST_DATA, "tracking: no folder has a report");
	else if (status == HOST_OK)
		printf("%-22s %5s  %-33s %-6s %s\n", "scenario", "seeds", "must", "", "seen");
	for (size_t d = 0; all != NULL && d < DEMAND_COUNT; d++) {
		tally *t = &all[d];
		qsort(t->after_s, t->after_count, sizeof(double), compare);
		qsort(t->shown_s, t->after_count, sizeof(double), compare);
		if (t->runs > 0 && status == HOST_OK) {
			print_row(&DEMANDS[d], t);
			ok = !json_array_append_new(rows, row_json(&DEMANDS[d], t, &ok)) && ok;
		}
		json_decref(t->each);
	}
	free(all);
	return figures_close(status, ok, head, rows, out_path);
}
