/* SPDX-License-Identifier: Apache-2.0
 * The depth residual that a refinement found, kept as a camera.json for later scans, and held against what an earlier
 * one said. */
#ifndef ENM_HOST_CALIBRATION_H
#define ENM_HOST_CALIBRATION_H

#include <jansson.h>

#include "camera.h"

/* The terms of enm_depth_residual, in its order: "bow", ... */
#define CALIBRATION_TERMS 6
extern const char *const calibration_terms[CALIBRATION_TERMS];
double calibration_term_um(const enm_depth_residual *residual, int term);

typedef enum calibration_verdict {
	CALIBRATION_NONE = 0, /* the camera file had no covariance, or this scan tells none of the terms */
	CALIBRATION_HOLDS,
	CALIBRATION_DRIFTED, /* beyond what chance does in one scan of a thousand */
	CALIBRATION_FOREIGN  /* so far off that it is another scanner's, or was measured wrongly */
} calibration_verdict;

/* What a scan says of the terms by itself, held against what the camera file said. */
typedef struct calibration_check {
	calibration_verdict verdict;
	bool told[CALIBRATION_TERMS];          /* by this scan alone; others are not held against anything */
	double drift_um[CALIBRATION_TERMS];    /* this scan's own value less the camera file's */
	double drift_sigma[CALIBRATION_TERMS]; /* in units of what both are known to */
	double chi_squared, limit;             /* of all terms told together */
} calibration_check;

/* What a camera file that was kept says for the refinement of a scan: its covariance, and what a scanner may change by from session to session. */
void calibration_prior(const camera_file *file, enm_refine_def *def);

void calibration_compare(const camera_file *file, const enm_refine_def *def, const enm_refine_result *found, calibration_check *out);

/* One line, such as "calibration drifted by bow +3.1 um (4.2 sigma)"; "" where there is nothing to say. */
void calibration_text(const calibration_check *check, char *text, size_t size);

/* A new reference, or NULL where nothing was compared. */
json_t *calibration_json(const calibration_check *check, bool *ok);

/* Writes the camera with what was found, whole or not at all. `gain_percent` and its sigma are what a reference told; a sigma of 0: none did, and what
 * the camera file knew of its gain stays. HOST_IO. */
host_status calibration_keep(const char *path, const camera_file *camera, const enm_refine_result *found, double gain_percent, double gain_sigma_percent);

#endif
