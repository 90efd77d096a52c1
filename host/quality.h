/* SPDX-License-Identifier: Apache-2.0
 * What a surface itself tells of how far it can be trusted: how often it was seen, how sure it is, where it has gaps. */
#ifndef ENM_HOST_QUALITY_H
#define ENM_HOST_QUALITY_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

#define QUALITY_VIEWS_FEW 5u         /* places seen by fewer frames are doubtful */
#define QUALITY_GAP_MIN_VOXELS 15.0 /* border of the smallest gap that is told: about three voxels across */

/* Zero it before use. All 0 for a mesh without triangles. */
typedef struct quality {
	double area_mm2, area_few_mm2; /* of the surface, and of what few frames saw */
	double views_median;           /* by area */
	double sigma_um_median, sigma_um_p95;
	double gap_min_mm;
	double gap_area_mm2, rim_mm;
	size_t gap_count;
	size_t piece_count;
	enm_gap *borders; /* gaps, the longest first, then the rims of pieces */
} quality;

/* HOST_DEVICE (no memory). */
host_status quality_measure(const enm_mesh *mesh, double voxel_mm, quality *out);
void quality_free(quality *q);

/* A new reference; `ok` becomes false when memory ran out. */
json_t *quality_json(const quality *q, bool *ok);

#endif
