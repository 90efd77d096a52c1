/* SPDX-License-Identifier: Apache-2.0
 * Pictures: 16-bit depth and 8-bit colour from PNG and JPEG files, and PNG files out. Rows are packed, top row first.
 * All functions may run on several threads at once. */
#ifndef ENM_HOST_IMAGE_H
#define ENM_HOST_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define IMAGE_SIZE_MAX 8192u /* pixels, width and height */

/* Width and height of a PNG or JPEG file from its header. HOST_USAGE. */
host_status image_read_size(const char *path, uint32_t *out_width, uint32_t *out_height);

/* A 16-bit grey PNG of exactly this size into the caller's memory (host byte order). HOST_USAGE with "FILE: reason":
 * missing, empty, no PNG, 8 bits, RGB, palette, another size, truncated, damaged. */
host_status image_read_depth(const char *path, uint32_t width, uint32_t height, uint16_t *out_depth);

/* An 8-bit colour or grey PNG (alpha is dropped) or JPEG of exactly this size as R, G, B bytes. HOST_USAGE. */
host_status image_read_rgb(const char *path, uint32_t width, uint32_t height, uint8_t *out_rgb);

/* How hard PNG files are compressed: zlib's level 1 with one filter is about five times as fast as its default. */
typedef enum image_effort { IMAGE_FAST = 0, IMAGE_SMALL = 1 } image_effort;

/* Writes whole or not at all. HOST_IO. */
host_status image_write_depth(
	const char *path, uint32_t width, uint32_t height, const uint16_t *depth, image_effort effort);
/* `channels` 1 (grey), 3 (RGB) or 4 (RGBA), 8 bits each. */
host_status image_write_color(const char *path, uint32_t width, uint32_t height, uint32_t channels,
	const uint8_t *pixels, image_effort effort);

#endif
