/* SPDX-License-Identifier: Apache-2.0
 * How the wand moves: a C2 spline of poses over stations along the arch, and a law of time on it. */
#ifndef ENM_SIMULATE_PATH_H
#define ENM_SIMULATE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curve.h"
#include "tremor.h"

typedef enum path_kind {
	PATH_PASSES = 0, /* occlusal, back along the tongue's side, forth along the cheek's, with roll-overs */
	PATH_WAVE,       /* once along the arch, rolling from cheek to tongue and back over each tooth */
	PATH_HALVES,     /* from the midline to one end by three passes, then to the other */
	PATH_OCCLUSAL,
	PATH_LINGUAL,
	PATH_BUCCAL,
	PATH_KINDS
} path_kind;

/* Where the wand comes back after a lift-off. */
typedef enum reentry_kind {
	REENTRY_ALONG = 0, /* on the same pass, before where it was left, and scans on from there */
	REENTRY_SCANNED,   /* anywhere on what has been scanned, for a short visit */
	REENTRY_OTHER_JAW, /* the rest: for visits to what looks alike and is another place */
	REENTRY_MIRRORED,
	REENTRY_OPPOSITE,
	REENTRY_KINDS
} reentry_kind;

/* Whether the wand comes back to a place other than what was scanned. */
static inline bool path_goes_wrong(reentry_kind kind)
{
	return kind == REENTRY_OTHER_JAW || kind == REENTRY_MIRRORED || kind == REENTRY_OPPOSITE;
}

/* What the motion may not exceed. */
typedef struct path_limits {
	double speed_mm_s, acceleration_mm_s2, turning_deg_s;
} path_limits;

typedef struct path_def {
	uint64_t seed;
	path_kind kind;
	double stand_off_mm, tilt_degrees; /* of the passes beside the teeth */
	double speed_mm_s;                 /* mean while the jaw is in view */
	double from_share, to_share;       /* part of the arch: 0 to 1 */
	int lift_offs;                     /* the wand leaves the mouth and comes back elsewhere */
	reentry_kind reentry;
	double wobble; /* unsteadiness of the hand; 1 is usual, 0 none */
	double tremor_mrad, tremor_hz; /* see tremor.h */
	path_limits limits;
	/* How far the body's surface is from a point along a unit direction; negative when nothing is met. With it the
	 * stand-off is kept to the surface, without (NULL) to the scan line. */
	double (*surface_mm)(const void *user, v3 from, v3 direction);
	const void *surface_user;
} path_def;

typedef struct wand_path {
	size_t count;
	pose *controls; /* of a uniform cubic B-spline */
	int *visit; /* which lift-off each control comes after, counted from 1; 0 before the first. Far off it changes
		     */
	double *time_s; /* when the spline passes each control's parameter */
	double *rate_s; /* controls passed per second there */
	double length_mm, mean_speed_mm_s;
	tremor tremor;
	path_limits peaks; /* measured on the finished path, 240 times a second */
} wand_path;

#define PATH_ERROR_BYTES 256
/* False with one line in `out_error`: no memory, no way to go, or a limit would be broken (it names which). */
bool path_build(const path_def *def, const curve *line, wand_path *out_path, char *out_error);
void path_free(wand_path *p);

double path_duration_s(const wand_path *p);
/* Camera to world. Times outside are clamped. */
pose path_at(const wand_path *p, double time_s);
/* How many lift-offs lie before a time. */
int path_visit_at(const wand_path *p, double time_s);

#endif
