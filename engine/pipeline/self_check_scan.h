/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_SELF_CHECK_SCAN_H
#define ENM_SELF_CHECK_SCAN_H

#include "enamel.h"

/* Stitches a few small frames of a made-up surface and compares poses, picture and mesh with the truth, so that every
 * kernel of the pipeline has given a right answer on this device. What was wrong is in enm_last_error() when
 * `out_passed` is false; a failure to run at all is a negative result. */
ENM_MUST_CHECK enm_result self_check_scan(enm_context *context, bool *out_passed);

#endif
