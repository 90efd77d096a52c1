/* SPDX-License-Identifier: Apache-2.0
 * The JPEG half of image.h, from bytes in memory; `path` is for the error text. HOST_USAGE. */
#ifndef ENM_HOST_IMAGE_JPEG_H
#define ENM_HOST_IMAGE_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

host_status image_jpeg_size(
	const char *path, const uint8_t *bytes, size_t size, uint32_t *out_width, uint32_t *out_height);

/* Exactly this size. Data that ends early or decodes with warnings is damaged. */
host_status image_jpeg_read(
	const char *path, const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *out_rgb);

#endif
