/* SPDX-License-Identifier: Apache-2.0
 * A screenshot, and what tests ask of it. */
#ifndef ENM_TEST_VIEWER_PICTURE_H
#define ENM_TEST_VIEWER_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct picture {
	uint8_t *rgba;
	uint32_t width, height;
	unsigned taken; /* how often */
} picture;

/* A viewer_screenshot_fn; `user` is a picture. */
void picture_keep(void *user, const uint8_t *rgba, uint32_t width, uint32_t height);
void picture_free(picture *p);

/* Pixels from row `top` to before row `end` that are brighter than `limit` (mean of R, G, B). */
size_t picture_count_bright(const picture *p, uint32_t top, uint32_t end, unsigned limit);
/* Pixels in those rows within 12 of a colour. */
size_t picture_count_color(const picture *p, uint32_t top, uint32_t end, const uint8_t rgb[3]);
/* Middle of the bright pixels in those rows, and their extent. */
void picture_find_bright(
	const picture *p, uint32_t top, uint32_t end, unsigned limit, double out_middle[2], uint32_t out_box[4]);

/* Writes a PPM where $ENAMEL_TEST_PICTURES names a folder, for people to look at. */
void picture_save(const picture *p, const char *name);

#endif
