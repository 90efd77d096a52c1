/* SPDX-License-Identifier: Apache-2.0 */
#include "depth_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEDIAN_STEP 4

static float reading(const enm_frame *frame, size_t stride, double mm_per_unit, uint32_t x, uint32_t y)
{
	const char *row = (const char *)frame->depth + stride * y;
	if (frame->depth_format == ENM_DEPTH_U16) {
		uint16_t raw;
		memcpy(&raw, row + sizeof raw * x, sizeof raw);
		return (float)(mm_per_unit * (double)raw);
	}
	float mm;
	memcpy(&mm, row + sizeof mm * x, sizeof mm);
	return isfinite(mm) && mm > 0.0f ? mm : 0.0f;
}

static int compare(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* Of every fourth pixel, for it comes between two frames. */
static void find_median(depth_picture *p)
{
	float sorted[DEPTH_PICTURE_MAX * DEPTH_PICTURE_MAX / MEDIAN_STEP + 1];
	size_t count = 0, pixels = (size_t)p->width * p->height;
	for (size_t i = 0; i < pixels; i += MEDIAN_STEP)
		if (p->mm[i] > 0.0f)
			sorted[count++] = p->mm[i];
	qsort(sorted, count, sizeof *sorted, compare);
	p->median_mm = count ? (double)sorted[count / 2] : 0.0;
	p->readings = (double)(MEDIAN_STEP * count) / (double)pixels;
}

void depth_picture_make(const enm_frame *frame, const enm_camera *camera, double mm_per_unit, depth_picture *out)
{
	uint32_t longer = camera->width > camera->height ? camera->width : camera->height;
	uint32_t step = (longer + DEPTH_PICTURE_MAX - 1) / DEPTH_PICTURE_MAX;
	size_t bytes = frame->depth_format == ENM_DEPTH_U16 ? sizeof(uint16_t) : sizeof(float);
	size_t stride = frame->depth_stride_bytes ? frame->depth_stride_bytes : bytes * camera->width;
	out->width = (camera->width + step - 1) / step;
	out->height = (camera->height + step - 1) / step;
	for (uint32_t y = 0; y < out->height; y++)
		for (uint32_t x = 0; x < out->width; x++)
			out->mm[y * out->width + x] = reading(frame, stride, mm_per_unit, x * step, y * step);
	find_median(out);
}
