/* SPDX-License-Identifier: Apache-2.0
 * Depth and colour pictures, smaller and back without loss: differences to the pixel before, one plane a byte, zstd.
 * On simulated scans that is 0.6 of what zstd alone leaves of depth and half of colour, in about the same time
 * (bench/README.md). */
#ifndef ENM_RECORDING_PICTURES_H
#define ENM_RECORDING_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define PICTURES_NONE 0u
#define PICTURES_DELTA 1u /* the one codec of depth and of colour */

/* Working memory of one thread for pictures of up to so many pixels. */
typedef struct pictures pictures;

/* `level` is zstd's. HOST_IO without memory. */
host_status pictures_create(size_t pixels, int level, pictures **out);
void pictures_destroy(pictures **p);

/* How long an encoded picture can get, depth or colour. */
size_t pictures_bound(size_t pixels);

/* Writes at most pictures_bound(pixels) bytes and gives their number; 0 when zstd fails, which it does without memory.
 */
size_t pictures_put_depth(pictures *p, const uint16_t *depth, size_t pixels, uint8_t *out);
size_t pictures_put_rgb(pictures *p, const uint8_t *rgb, size_t pixels, uint8_t *out);

/* HOST_USAGE when the bytes are no picture of so many pixels, however long they claim to be. */
host_status pictures_get_depth(const uint8_t *bytes, size_t size, size_t pixels, uint16_t *out_depth);
host_status pictures_get_rgb(const uint8_t *bytes, size_t size, size_t pixels, uint8_t *out_rgb);

#endif
