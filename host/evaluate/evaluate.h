/* SPDX-License-Identifier: Apache-2.0
 * One evaluation from its inputs to its figures. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "along.h"
#include "dataset.h"
#include "drift.h"
#include "measures.h"
#include "regions.h"
#include "seen.h"
#include "tracking.h"

#define EVALUATION_SAMPLES 100000
#define EVALUATION_NOTES_MAX 12

typedef struct request {
	const char *recon_path;
	const char *truth_path; /* the second file of "RECON TRUTH.ply", or NULL */
	const char *dataset_path, *camera_path, *trajectory_path, *fused_path; /* or NULL */
	const char *features_path;         /* in place of the dataset's truth.json, or NULL */
	double depth_min_mm, depth_max_mm; /* of the camera; 0: as the recorded frames say */
} request;

typedef struct inputs {
	const request *request;
	const char *unit; /* "mm" or "m" */
	double mm_per_unit;
	bool has_truth, has_dataset, has_true_frames, has_trajectory, has_fused;
	char truth_path[4200]; /* of the surface, if has_truth */
	surface recon, truth;
	dataset dataset;
	trajectory true_frames, measured;
	double *fused_times_s;
	size_t fused_count;
	double depth_min_mm, depth_max_mm;
	landmark *landmarks; /* names point into one of the JSON files */
	size_t landmark_count;
	sphere *spheres;
	size_t sphere_count;
	double (*margin)[3]; /* of a prepared tooth: a closed line */
	size_t margin_count;
	tracking_input tracking; /* views.txt and the re-entries; without views it is not judged */
	struct json_t *truth_json, *features_json;
} inputs;

/* Reads everything; a missing truth is no error as long as something can be compared. inputs_free also after a failure.
 */
host_status inputs_read(const request *r, inputs *out_inputs);
void inputs_free(inputs *in);

/* Parts of it: all but reconstruction, trajectory and the true surface; one mesh. */
host_status inputs_read_reference(const request *r, inputs *out_inputs);
host_status inputs_read_surface(const char *path, double mm_per_unit, surface *out_surface);

/* Where the reconstruction is laid on the truth. */
typedef struct placing {
	const char *key, *title; /* "pinned_first", "pinned, first frame" */
	const trueness *trueness;
} placing;

#define PLACEMENTS_MAX ALONG_PLACEMENTS_MAX

typedef struct evaluation {
	bool has_surface; /* truth and reconstruction were compared */
	alignment alignment;
	trueness best_fit;
	float *deviation_mm; /* per vertex of the reconstruction, best-fit, signed */
	bool has_pinned;
	trueness pinned_first, pinned_first_frames; /* by the trajectory, if has_pinned */
	trueness as_placed;                         /* if not: the file's own coordinates are taken for the truth's */

	bool has_seen;      /* true frames said what was seen; else all of the truth counts */
	size_t frame_count; /* recorded frames with a true pose */
	seen_frames frames;
	double seen_share, in_view_share;
	completeness complete_best_fit, complete_pinned;
	placing placings[PLACEMENTS_MAX]; /* the first is the best-fit */
	size_t placing_count;
	region regions[PLACEMENTS_MAX][REGION_KINDS];
	bool has_along;
	arch_error along;

	pair_errors landmark_pairs, sphere_pairs;
	bool has_molars;
	size_t molars[2];
	measure measures[MEASURES_MAX];
	size_t measure_count;
	size_t spheres_found;
	stats sphere_radius_error_mm;

	bool has_drift, has_drift_best_fit;
	drift_poses poses;
	drift drift_first, drift_first_frames, drift_best_fit;
	wrong_poses wrong;
	bool has_tracking;
	tracking tracking;

	char notes[EVALUATION_NOTES_MAX][200]; /* what a reader of the figures should know */
	size_t note_count;
} evaluation;

/* HOST_DATA when the inputs have nothing in common. evaluation_free also after a failure. */
host_status evaluation_run(inputs *in, evaluation *out_evaluation);
void evaluation_free(evaluation *e);

/* The report as JSON (README.md describes it) and as a table for people. */
struct json_t *report_json(const inputs *in, const evaluation *e);
void report_print(const inputs *in, const evaluation *e);

/* The arch and the measures between landmarks: parts of the two above. */
struct filling;
struct json_t *along_json(const struct filling *parent, const evaluation *e);
void along_print(const evaluation *e, double scale, const char *unit);
struct json_t *measures_json(const struct filling *parent, const inputs *in, const evaluation *e);
void measures_print(const inputs *in, const evaluation *e, double scale, const char *unit);

/* The error by place along the arch as a curve a placement. HOST_IO. */
host_status along_picture_write(const char *path, const evaluation *e);

/* Four views of the reconstruction coloured by its signed best-fit distance. HOST_IO. */
host_status picture_write(const char *path, const inputs *in, const evaluation *e);

#endif
