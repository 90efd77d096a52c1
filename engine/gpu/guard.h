/* SPDX-License-Identifier: Apache-2.0
 *
 * Guard bands, for tests: PoCL returns the right answer from an out-of-range write, so a test has to look for it. Only
 * in builds with ENM_FAULTS. */
#ifndef ENM_GPU_GUARD_H
#define ENM_GPU_GUARD_H

#include "gpu/gpu.h"

/* From now on every new buffer lies between two bands of a pattern. It is filled with bytes that differ from buffer to
 * buffer, so that what is read before it is written spoils a comparison of two runs. */
void gpu_guard_enable(bool enabled);

/* Looks at the bands of all buffers that are alive and forgets what it found; `out_name` receives the name of a damaged
 * buffer, dead or alive, or NULL. A buffer is also looked at when it is destroyed. The queues must be idle. */
ENM_MUST_CHECK enm_result gpu_guard_check(gpu_device *device, const char **out_name);

#endif
