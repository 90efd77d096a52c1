/* SPDX-License-Identifier: Apache-2.0
 * The gaps of a model while it is scanned: follows the surface of a session, joins its patches and looks for borders, the latter two on a
 * thread of its own. Poses and model do not depend on it. */
#ifndef ENM_HOST_SCAN_GAPS_H
#define ENM_HOST_SCAN_GAPS_H

#include "error.h"

#define SCAN_GAPS_MIN_VOXELS 30.0 /* border of the smallest gap that is told: what the hand has to go back for */

/* On the thread of its own; as enm_mesh_gaps gives them, rims too. */
typedef void (*scan_gaps_found)(void *user, const enm_gap *gaps, size_t count);

typedef struct scan_gaps scan_gaps;

/* HOST_IO: no memory, no thread. */
host_status scan_gaps_create(scan_gaps_found found, void *user, scan_gaps **out);
/* After each frame, on the thread that uses the session. Never waits. A session that is another than the last one's begins anew. HOST_DEVICE: the
 * surface can no longer be followed, and further calls do nothing. */
host_status scan_gaps_follow(scan_gaps *g, enm_session *session, double voxel_mm);
/* After it `found` is not called any more. Accepts the address of NULL. */
void scan_gaps_destroy(scan_gaps **g);

/* ---- its parts, for tests ---- */

typedef struct scan_patches scan_patches;

scan_patches *scan_patches_create(void); /* NULL: no memory */
void scan_patches_destroy(scan_patches **p);
/* False: no memory; some patches are those of before then. */
bool scan_patches_take(scan_patches *p, const enm_surface_data *update);
/* All patches as one mesh with shared vertices, without normals. Vertices of marching cubes lie on the edges of the grid of voxels, one an edge, by which
 * those of two patches are known to be one even if the patches hold different frames. NULL: no surface, or no memory. */
enm_mesh *scan_patches_join(const scan_patches *p, double voxel_mm);

#endif
