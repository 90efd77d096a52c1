/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay --refine`: the scan solved as a whole, after the last frame. */
#ifndef ENM_HOST_REFINE_H
#define ENM_HOST_REFINE_H

#include <jansson.h>

#include "calibration.h"
#include "distances.h"
#include "scale_reference.h"
#include "stitch.h"

#define REFINE_PLACES 12 /* at which the model is rated */

/* How far places of the model may lie from where they belong. */
typedef struct rating_facts {
	bool done;
	enm_place places[REFINE_PLACES]; /* the first is where the scan began, the farthest from there last */
	size_t count;
	double surface_um_median, surface_um_p95; /* of the vertices' placed_sigma_um */
	double scale_sigma_percent;               /* of the model's scale */
	bool scale_referenced;                    /* by an object of known size, in this scan or for the camera file; else assumed */
	double wall_s;
} rating_facts;

typedef struct refine_facts {
	bool wanted, done;
	bool interrupted; /* the scan was, before the refinement had begun */
	bool nothing;   /* there was nothing to compare */
	bool cancelled; /* by the user: the scan is as it was stitched */
	bool gone_on;   /* from where an earlier one was interrupted */
	enm_refine_level level;
	bool poses_only; /* the camera file's residual is taken to be right */
	enm_refine_result result;
	double wall_s;
	calibration_check calibration; /* against the camera file */
	scale_facts scale;
	rating_facts rating;
	distance_facts distances; /* no points: none were asked for */
} refine_facts;

/* The choices of --refine, in the order of enm_refine_level. */
extern const char *const refine_levels[];

/* Refines; the corrected poses are asked for later (stitch_take_poses). What the camera file knows of its residual goes in, and is held against what comes out (where the residual is solved for).
 * `state_path` (NULL: none): a file to go on from after an interruption, written after each round; one that is of another scan or damaged is named and begun anew. */
host_status refine_scan(enm_session *session, const camera_file *camera, const char *state_path, const volatile sig_atomic_t *stop, refine_facts *facts);

/* How sure all that is, where the scan was refined: the scale by a `reference` (NULL: none), the places of the mesh, whose vertices get their placed_sigma_um, and the
 * distances. */
host_status refine_rate(const enm_session *session, const camera_file *camera, const scale_reference *reference, enm_mesh *mesh, refine_facts *facts);

/* Of a place that was rated: one sigma in space, and how far it is from where the scan began. */
double refine_sigma_um(const rating_facts *rating, size_t place);
double refine_from_start_mm(const rating_facts *rating, size_t place);

/* Terms of the residual that this scan does not tell well enough, in plain words and with what helps; "" where it does. */
void refine_warning(const refine_facts *facts, char *text, size_t size);

/* A new reference. */
json_t *refine_json(const refine_facts *facts, bool *ok);

/* A few lines on stdout. */
void refine_print(const refine_facts *facts);

#endif
