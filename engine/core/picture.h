/* SPDX-License-Identifier: Apache-2.0
 * A picture's definition as the device wants it. */
#ifndef ENM_PICTURE_H
#define ENM_PICTURE_H

#include "enamel.h"
#include "layout.h"

/* Of a checked definition. */
enm_k_view picture_view(const enm_view_def *def);

/* The picture of one pixel that lies at a place of that picture, with all that is known of what is seen there. */
enm_k_view picture_view_pixel(const enm_view_def *def, const double at[2]);

/* ENM_E_ARGUMENT, naming the function `of`, for a bad definition or place. */
ENM_MUST_CHECK enm_result picture_check_place(const char *of, const enm_view_def *def, double x, double y);
/* The same for a buffer that is too small. */
ENM_MUST_CHECK enm_result picture_check_bytes(const enm_view_def *def, size_t out_bytes);

/* What the ends of a shade's map stand for. */
void picture_range(const enm_view_def *def, double *out_low, double *out_high);

#endif
