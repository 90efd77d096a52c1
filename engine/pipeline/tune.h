/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_TUNE_H
#define ENM_TUNE_H

#include "enamel.h"

/* enm_context_tune, its arguments checked. */
ENM_MUST_CHECK enm_result tune_run(enm_context *context);

#endif
