/* SPDX-License-Identifier: Apache-2.0
 * Trueness and precision over several reconstructions of one object, in the terms of ISO 5725-1 as ISO 20896-1 takes
 * them to intraoral scanners: how far their mean lies off the truth, and how far they scatter. */
#ifndef EVALUATE_REPEATS_H
#define EVALUATE_REPEATS_H

#include "evaluate.h"

#define REPEATS_MAX 30

/* Two models of one object have at least this share of one's surface closer together than this, best-fit: of different
 * jaws, and of parts that do not overlap, 3 to 25 % are. Below the second share of what both have within the second
 * distance a note asks whether they are the same: repeats had 99 %, two of the simulator's arches 43. */
#define REPEATS_SAME_MM 0.3
#define REPEATS_SAME_SHARE 0.5
#define REPEATS_ALIKE_MM 0.1
#define REPEATS_ALIKE_SHARE 0.75

typedef struct repeats_request {
	const char *paths[REPEATS_MAX]; /* meshes, or folders with scan.ply and, if there is one, trajectory.txt */
	size_t count;
	request reference; /* dataset or truth, camera, landmarks; the rest is not used */
} repeats_request;

/* One number of all repeats that have it. */
typedef struct spread {
	size_t count;
	double mean, sd, worst; /* sd: with count - 1, 0 for one; worst: the largest */
} spread;

/* A distance or an angle, in mm or radians. */
typedef struct repeated {
	const char *name;
	bool is_angle;
	size_t count; /* repeats that have it */
	double truth, mean, sd;
	double worst; /* largest error, or with no truth largest distance from the mean */
} repeated;

/* Distances between all pairs of landmarks, or of spheres, that at least two repeats have. */
typedef struct repeated_pairs {
	size_t pairs;
	double trueness_mean_mm, trueness_worst_mm; /* of the unsigned errors of the pairs' means; with a truth */
	double sd_pooled_mm, sd_worst_mm;
} repeated_pairs;

typedef struct repeat_pair {
	size_t a, b;
	stats distance_mm;    /* from each to the other, where the other has a surface */
	double overlap_share; /* of the vertices of both */
	double alike_share;   /* of those compared: within REPEATS_ALIKE_MM */
	double same_share;    /* of the vertices of the one that has more there: within REPEATS_SAME_MM of the other */
} repeat_pair;

typedef struct one_repeat {
	char path[4200];
	surface recon;
	bool *rim; /* per vertex: the surface ends there */
	trajectory measured, true_frames;
	bool has_pinned;
	rigid reference_from_recon;
	trueness best_fit, pinned_first, pinned_first_frames, as_placed; /* with a truth */
	landmark *landmarks;
	sphere *spheres;
} one_repeat;

typedef enum repeat_figure {
	REPEAT_BEST_FIT_MEAN,
	REPEAT_BEST_FIT_RMS,
	REPEAT_BEST_FIT_P95,
	REPEAT_PINNED_MEAN, /* of repeats with a trajectory */
	REPEAT_PINNED_P95,
	REPEAT_PINNED_30_MEAN,
	REPEAT_PINNED_30_P95,
	REPEAT_PLACED_MEAN, /* of the others */
	REPEAT_PLACED_P95,
	REPEAT_FIGURES
} repeat_figure;

typedef struct repeats {
	inputs in; /* the reference: truth, landmarks; its reconstruction is not used */
	size_t count;
	one_repeat each[REPEATS_MAX];
	spread trueness_mm[REPEAT_FIGURES]; /* with a truth */
	repeat_pair pairs[REPEATS_MAX * (REPEATS_MAX - 1) / 2];
	size_t pair_count, worst_pair;
	spread pair_rms_mm;
	repeated measures[MEASURES_MAX];
	size_t measure_count;
	repeated_pairs landmark_pairs, sphere_pairs;
} repeats;

/* Reads, aligns and measures. HOST_DATA when two repeats have nothing in common. repeats_free also after a failure. */
host_status repeats_run(const repeats_request *r, repeats *out_repeats);
void repeats_free(repeats *r);

struct json_t *repeats_json(const repeats *r);
void repeats_print(const repeats *r);

/* Best-fit from the best of the starts; where that leads nowhere, the world is another one, since the scan began
 * elsewhere, and the shapes alone have to tell, which takes that they reach about equally far. `out_share`: of some of
 * the vertices, that lie within REPEATS_SAME_MM then. HOST_DATA, HOST_IO. */
host_status repeats_align(const surface *from, const surface *onto, const rigid *starts, size_t count,
	rigid *out_onto_from, double *out_share);

/* Best-fit of two models that need not reach equally far: what has no counterpart within reach does not count, the
 * smaller one is moved onto the larger. False when less than half of it has one. */
bool repeats_refine(const surface *a, const surface *b, rigid *b_from_a);

/* Distances both ways between two models, one moved onto the other: of the vertices whose closest point on the other is
 * within 2 mm and not at its rim, since one may have what the other has not. HOST_IO without memory. */
host_status repeats_compare(const one_repeat *a, const one_repeat *b, const rigid *b_from_a, repeat_pair *out_pair);

/* Finds the rim of its surface. HOST_IO without memory. */
host_status repeat_find_rim(one_repeat *r);

/* Trueness and precision of one figure, and of the distances between all pairs of places: `values` of repeat k are at
 * k * count. NaN: that repeat does not have it. */
repeated repeated_of(const char *name, bool is_angle, const double *values, size_t count, double truth);
host_status repeats_features(repeats *r);

/* Mean, standard deviation and largest of some numbers, not counting NaN. */
spread spread_of(const double *values, size_t count);

#endif
