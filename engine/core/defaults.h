/* SPDX-License-Identifier: Apache-2.0
 * Checks of the definitions that callers hand in; each failure names the field and its range. */
#ifndef ENM_DEFAULTS_H
#define ENM_DEFAULTS_H

#include "enamel.h"

ENM_MUST_CHECK enm_result session_def_check(const enm_session_def *def);
ENM_MUST_CHECK enm_result view_def_check(const enm_view_def *def);
ENM_MUST_CHECK enm_result mesh_def_check(const enm_mesh_def *def);
ENM_MUST_CHECK enm_result surface_def_check(const enm_surface_def *def);
ENM_MUST_CHECK enm_result refine_def_check(const enm_refine_def *def);

#endif
