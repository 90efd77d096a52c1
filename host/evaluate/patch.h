/* SPDX-License-Identifier: Apache-2.0
 * A part of the truth found again in the reconstruction, by itself: where a landmark or a piece of the arch went. */
#ifndef EVALUATE_PATCH_H
#define EVALUATE_PATCH_H

#include "align.h"
#include "score.h"

/* How far off the reconstruction a patch may find it: at first, and in the end. The first bears the drift of a whole
 * arch, the second leaves out what belongs to something else. */
#define PATCH_REACH_FIRST_MM 1.5
#define PATCH_REACH_MM 0.5

/* A patch that is held less firmly (patch_fit) slides. Cusps of 3 mm have 0.007 to 0.1, pieces of an arch 0.01 to 0.2,
 * of a toothless one 0.0025 to 0.01; a ridge without relief, where pieces went 2 mm astray, 0.0002 and less. */
#define PATCH_FIRMNESS_MIN 0.002

typedef enum patch_state {
	PATCH_NOT_SEEN = 0, /* less than half of it was seen, or is in the reconstruction */
	PATCH_SLIDES,       /* its shape does not tell where it lies in every direction */
	PATCH_PLACED
} patch_state;

extern const char *const patch_state_names[]; /* "not seen", "slides", "placed" */

/* Points of the truth, with their normals, of which `whole` would be there if all had been seen. */
typedef struct patch {
	double (*points)[3], (*normals)[3];
	size_t count, whole, capacity;
	double anchor[3]; /* whose place is sought */
} patch;

/* HOST_IO without memory. */
host_status patch_create(size_t capacity, patch *out_patch);
void patch_destroy(patch *p);

void patch_clear(patch *p);
void patch_add(patch *p, const samples *s, size_t sample); /* counts one that was not seen in `whole` only */

typedef struct patch_place {
	patch_state state;
	patch_fit fit; /* onto_from_points is recon_from_truth; nothing when not seen */
} patch_place;

/* Moves the patch rigidly onto the reconstruction by point-to-plane alignment, from a placement of the whole. */
patch_place patch_find(const patch *p, const surface *recon, const rigid *recon_from_truth);

#endif
