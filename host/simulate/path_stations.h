/* SPDX-License-Identifier: Apache-2.0
 * Which places a path goes through, before it is made smooth. */
#ifndef ENM_SIMULATE_PATH_STATIONS_H
#define ENM_SIMULATE_PATH_STATIONS_H

#include "path.h"

#define STATIONS_MAX 1024

typedef struct station {
	double s_mm, tilt_degrees, range_mm; /* place along the arch, tilt to the cheek, distance */
	double turn_degrees;                 /* about the viewing direction */
	double speed;                        /* as a multiple of the ordinary one */
	int visit;                           /* lift-offs before the way to the next station */
} station;

typedef struct station_list {
	station at[STATIONS_MAX];
	int count;
} station_list;

/* `length_mm` is that of the whole arch. */
void stations_make(const path_def *def, double length_mm, station_list *out);

/* Whether a visit of this kind, counted from 0, begins at the place that lies opposite of one scanned. */
bool stations_opposite(reentry_kind kind, int visit);

#endif
