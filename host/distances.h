/* SPDX-License-Identifier: Apache-2.0
 * Distances between named points of a refined model, with what they are uncertain by. */
#ifndef ENM_HOST_DISTANCES_H
#define ENM_HOST_DISTANCES_H

#include <jansson.h>

#include "error.h"

#define DISTANCE_POINTS_MAX 64
#define DISTANCE_NAME_BYTES 32

/* A point, in the world of the model. */
typedef struct distance_point {
	char name[DISTANCE_NAME_BYTES];
	double at_mm[3];
} distance_point;

typedef struct distance_facts {
	size_t count;     /* of points */
	size_t not_seen;  /* of the points in the file: by no frame that was compared */
	distance_point points[DISTANCE_POINTS_MAX];
	double *covariance_mm2; /* of the points, 3 count x 3 count */
} distance_facts;

/* Reads {"landmarks": {"36_mb": [x, y, z], ...}}, in mm, as in truth.json of the simulator. HOST_USAGE with file, field and reason. */
host_status distances_read(const char *path, distance_facts *out);

/* Asks the refined session; points that were not seen go. */
host_status distances_measure(const enm_session *session, distance_facts *facts);
void distances_free(distance_facts *facts);

/* Of two points: the distance and its standard deviation, without that of scale. */
double distance_between(const distance_facts *facts, size_t a, size_t b, double *out_sigma_um);

/* A new reference: a list of all pairs. `scale_sigma_percent` is that of the model's scale. */
json_t *distances_json(const distance_facts *facts, double scale_sigma_percent, bool *ok);

#endif
