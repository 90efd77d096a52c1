/* SPDX-License-Identifier: Apache-2.0
 * Spheres of a known radius in a surface, and which ones of a known object they are. */
#ifndef ENM_HOST_SPHERES_H
#define ENM_HOST_SPHERES_H

#include <stddef.h>

#include "error.h"

typedef struct sphere_fit {
	double centre_mm[3], radius_mm;
	double top_mm[3];          /* a vertex in the middle of what is exposed of it */
	double covariance_mm2[9];  /* of the centre, by the surface's roughness */
	size_t vertices;
} sphere_fit;

/* Finds exposed caps by the centres that vertices with their normals vote for, and fits them robustly (Tukey's biweight). `*out` is for free().
 * HOST_DATA where the surface has no normals, HOST_IO without memory. */
host_status spheres_find(const enm_mesh_data *mesh, double radius_mm, sphere_fit **out, size_t *out_count);

/* Which of the known centres each fit is, by the distances between them, or SIZE_MAX. Returns how many are known. Two
 * known centres are taken for the two whose distance is the likeliest, if no other pair is as likely. */
size_t spheres_match(const sphere_fit *fits, size_t count, const double (*known)[3], size_t known_count, size_t *out_known);

#endif
