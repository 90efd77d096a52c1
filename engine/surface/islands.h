/* SPDX-License-Identifier: Apache-2.0
 * Removes small connected pieces of a mesh, and vertices that no triangle uses. */
#ifndef ENM_ISLANDS_H
#define ENM_ISLANDS_H

#include "surface/mesh.h"

/* In place, keeping the order of what stays; adds the pieces removed to mesh->islands_removed. ENM_E_MEMORY. */
ENM_MUST_CHECK enm_result islands_remove(enm_mesh *mesh, uint32_t triangles_min);

#endif
