/* SPDX-License-Identifier: Apache-2.0
 * The surface that follows a scan: blocks that have changed are made anew in slices, between the frames of the
 * session's queue (kernels/live.cl says which, kernels/surface.cl how). */
#ifndef ENM_SURFACE_LIVE_H
#define ENM_SURFACE_LIVE_H

#include "gpu/gpu.h"

typedef struct live_surface live_surface;

/* When nothing of the session is under way any more. Accepts NULL and the address of NULL. */
void live_destroy(live_surface **live);

/* Follows the session when its model has been emptied; nothing may be under way. Accepts NULL. */
ENM_MUST_CHECK enm_result live_reset(live_surface *live, gpu_queue *queue);

#endif
