/* SPDX-License-Identifier: Apache-2.0 */
#include "scale.h"

#include <stdlib.h>

#include "file.h"

host_status scale_median(const uint16_t *depth, size_t count, uint16_t *out_median)
{
	size_t valid = 0, below = 0;
	uint32_t *histogram = calloc((size_t)UINT16_MAX + 1, sizeof *histogram);
	if (!histogram)
		return host_fail_memory("the first frame");
	for (size_t i = 0; i < count; i++) {
		histogram[depth[i]]++;
		valid += depth[i] != 0;
	}
	*out_median = 0;
	for (uint32_t value = 1; value <= UINT16_MAX && !*out_median; value++) {
		below += histogram[value];
		if (2 * below >= valid)
			*out_median = (uint16_t)value;
	}
	free(histogram);
	return HOST_OK;
}

static host_status find_usable(const dataset *d, size_t first, size_t end, uint16_t *depth, size_t *out_index)
{
	dataset_reading reading = {0}, at_first = {0};
	for (size_t i = first; i < end; i++) {
		dataset_read_frame(d, i, depth, NULL, &reading);
		if (reading.usable) {
			*out_index = i;
			return HOST_OK;
		}
		if (i == first)
			at_first = reading;
	}
	return host_fail_file(
		HOST_DATA, d->folder, "no frame can be used: %s: %s", d->frames[first].depth, at_first.reason);
}

host_status scale_find(const dataset *d, size_t first, size_t end, size_t *out_index, double *out_median_mm)
{
	const enm_camera *c = &d->camera.camera;
	size_t count = (size_t)c->width * c->height;
	uint16_t *depth = malloc(count * sizeof *depth);
	uint16_t median = 0;
	host_status status = depth ? HOST_OK : host_fail_memory("the first frame");
	if (!status)
		status = find_usable(d, first, end, depth, out_index);
	if (!status)
		status = scale_median(depth, count, &median);
	*out_median_mm = median * d->depth_mm_per_unit;
	free(depth);
	return status;
}
