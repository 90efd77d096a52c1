/* SPDX-License-Identifier: Apache-2.0
 * enamel-figures: makes tables and result files of the JSON that `enamel replay` and `enamel evaluate` write. */
#ifndef ENM_BENCH_FIGURES_H
#define ENM_BENCH_FIGURES_H

#include <jansson.h>
#include <stddef.h>

#include "error.h"

/* Who was measured and when, as the scripts know it. */
typedef struct figures_origin {
	const char *commit, *date;
	const char *sources; /* state of what was measured, for results that add up; NULL: not told */
} figures_origin;

/* The value at "a.b.c", or NULL. */
const json_t *figures_at(const json_t *root, const char *path);
/* NaN where there is no number. */
double figures_number(const json_t *root, const char *path);
/* "?" where there is no text. */
const char *figures_text(const json_t *root, const char *path);
/* A file of a folder that holds a measurement: NULL where it is not there, and where it cannot be read, which is said. */
json_t *figures_read_part(const char *folder, const char *name);
/* A result of tracking, arches or certainty, whose runs are to be added: HOST_USAGE when it is none, or of other sources than `origin`'s. */
host_status figures_read_result(const char *file, const figures_origin *origin, json_t **out);
/* The origin and what a replay's report says of device, driver and version, as the head of a result file. */
json_t *figures_head(const figures_origin *origin, const json_t *report, bool *ok);

/* Puts `rows` into `head` as its scenarios and writes it, unless `status` is a failure, something was missing (`ok`) or `out_path` is "". Takes both
 * over. */
host_status figures_close(host_status status, bool ok, json_t *head, json_t *rows, const char *out_path);

/* Speed of one dataset: reports[0] and [1] are of three frames after a cold and a warm start, the others of
 * whole replays. Prints the table
 * and writes `out_path`. */
host_status figures_speed(
	const figures_origin *origin, const char *dataset, const char *out_path, json_t *const *reports, size_t count);

/* Accuracy of several scenarios: folders with replay.json and evaluate.json, the folder's name being the scenario's. A
 * scenario whose figures are missing gets a row that says so. */
host_status figures_accuracy(const figures_origin *origin, const char *out_path, char *const *folders, size_t count);

/* Tracking over scenarios and seeds: folders named SCENARIO-SEED with replay.json and, where there was something to
 * evaluate, evaluate.json; and earlier results (*.json) of the same sources, whose runs are added. Prints what each scenario must reach and what was
 * seen, and writes `out_path` unless it is "". */
host_status figures_tracking(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count);

/* Refined arches over jaws and seeds: folders named SCENARIO-SEED with replay.json, evaluate.json, truth.json and, where the scan was replayed without
 * refinement too, live.json. Earlier results, printing and writing as in figures_tracking. */
host_status figures_arches(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count);

/* What refined scans tell of their own errors, over scenarios and seeds: folders named SCENARIO-SEED with replay.json (of a scan refined with
 * --distances), evaluate.json and truth.json. Earlier results, printing and writing as in figures_tracking. */
host_status figures_certainty(const figures_origin *origin, const char *out_path, char *const *inputs, size_t count);

/* Prints the names SCENARIO-SEED of the runs that a result of these three holds. */
host_status figures_runs(const char *file);

/* Two results of figures_accuracy, side by side as a table in Markdown. HOST_USAGE when either is none. */
host_status figures_changes(const char *before_path, const char *after_path);

/* Results of enamel-frames in one file: prints a row for each and writes `out_path`. */
host_status figures_frames(const figures_origin *origin, const char *out_path, json_t *const *runs, size_t count);

/* How the cost of a frame grows. Results of enamel-frames; those with one label are rounds of one case, and the other
 * cases are held against that of the first file. Prints the table and writes `out_path`. */
host_status figures_scaling(const figures_origin *origin, const char *out_path, json_t *const *runs, size_t count);

#endif
