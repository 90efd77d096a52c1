/* SPDX-License-Identifier: Apache-2.0
 * An object of known size in a scan tells what comparing frames cannot: the gain of the depth readings. The object is
 * made of spheres of one radius; a JSON file says where they are. */
#ifndef ENM_HOST_SCALE_REFERENCE_H
#define ENM_HOST_SCALE_REFERENCE_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"

#define REFERENCE_SPHERES_MAX 1024

/* {"spheres": [[x, y, z, radius], ...], "sigma_um": 2}, in mm, as in truth.json of the simulator; `sigma_um` is how well the
 * object's own centres are known (0 where the file does not say). */
typedef struct scale_reference {
	size_t count; /* of spheres, 2 and more */
	double (*centres_mm)[3];
	double radius_mm;
	double sigma_um;
} scale_reference;

/* HOST_USAGE with file, field and reason. */
host_status reference_read(const char *path, scale_reference *out);
void reference_free(scale_reference *reference);

typedef struct scale_facts {
	bool wanted, done;
	size_t found, matched; /* spheres in the model; of these, known ones */
	double gain_percent;   /* of the depth readings: above 0 where they are too long */
	double sigma_percent;  /* by poses, residual, surface and object */
	double rms_um;         /* of the distances between spheres, the gain taken out */
	double longest_mm;     /* of them */
} scale_facts;

/* Finds the object in the surface of a refined session and measures it. HOST_DATA, with the reason, where it is not there. */
host_status reference_measure(
	const scale_reference *reference, const enm_session *session, const enm_mesh_data *mesh, scale_facts *out);

/* A new reference. */
json_t *reference_json(const scale_facts *facts, bool *ok);

#endif
