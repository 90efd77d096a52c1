/* SPDX-License-Identifier: Apache-2.0
 * Chooses the scale of a scan from its first frame. */
#ifndef ENM_HOST_SCALE_H
#define ENM_HOST_SCALE_H

#include "dataset.h"

/* A median depth up to this is a jaw before a scanner; above it is a room. */
#define SCALE_TOOTH_MAX_MM 150.0

/* The first frame of [first, end) that can be used, and the median of its readings. HOST_DATA when there is none: the
 * text tells why the first one is not. */
host_status scale_find(const dataset *d, size_t first, size_t end, size_t *out_index, double *out_median_mm);

/* The median of a picture's readings, in its units; at least one is not 0. HOST_IO: no memory. */
host_status scale_median(const uint16_t *depth, size_t count, uint16_t *out_median);

#endif
