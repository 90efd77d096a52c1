/* SPDX-License-Identifier: Apache-2.0
 * The error by place along the arch: where a reconstruction begins to bend, and by how much at its ends. */
#ifndef EVALUATE_ALONG_H
#define EVALUATE_ALONG_H

#include "patch.h"

#define ALONG_PIECE_MM 5.0  /* the arch is cut into pieces of about this length */
#define ALONG_REACH_MM 12.0 /* what lies farther beside the line, seen from above, belongs to no piece: the palate */
#define ALONG_SEEN_MM2 10.0 /* of a piece, to tell where it is: three cusps */
#define ALONG_PIECES_MAX 100
#define ALONG_PLACEMENTS_MAX 3

typedef struct along_def {
	const samples *samples; /* of the truth */
	const surface *truth, *recon;
	const rigid *placements;       /* truth_from_recon: the first is the best-fit, from which pieces are sought */
	const float *const *signed_mm; /* of samples_measure, by placement */
	size_t placement_count;        /* ALONG_PLACEMENTS_MAX at most */
	const double *looking;         /* the mean direction of sight, or NULL: for a truth that is not open below */
	const double *start;           /* where the scan began, or NULL; the nearer end of the arch counts as 0 mm */
} along_def;

typedef struct along_piece {
	double from_mm, to_mm;
	size_t seen;                              /* samples */
	stats distance_mm[ALONG_PLACEMENTS_MAX];  /* from the truth to the reconstruction, where that has it */
	double centre[3];                         /* mean of the samples seen */
	patch_place patch;                        /* of the piece as a rigid body */
	double shift_mm[ALONG_PLACEMENTS_MAX][3]; /* of its centre: along the arch, towards the cheek, up; if placed */
	double turn_rad[ALONG_PLACEMENTS_MAX];
} along_piece;

typedef struct arch_error {
	const char *reason; /* why the arch has no line; NULL: it has one */
	bool has_start;
	double length_mm, start_mm;
	size_t count;
	along_piece pieces[ALONG_PIECES_MAX];
	/* Between the outermost pieces that were placed, however the whole is. */
	bool has_ends;
	size_t ends[2];
	double ends_true_mm, ends_error_mm, ends_turn_rad;
} arch_error;

/* HOST_IO without memory. */
host_status along_measure(const along_def *def, arch_error *out_along);

/* The placed piece that is shifted most, and by how much; false when none was placed. */
bool along_worst(const arch_error *a, size_t placement, size_t *out_piece, double *out_shift_mm);

#endif
