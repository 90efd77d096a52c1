/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_SELF_CHECK_H
#define ENM_SELF_CHECK_H

#include "gpu/gpu.h"

/* Runs kernels/selfcheck.cl against known answers. What was wrong is in enm_last_error() when `out_passed` is false; a
 * failure to run at all is a negative result. */
ENM_MUST_CHECK enm_result self_check_run(gpu_device *device, bool *out_passed);

#endif
