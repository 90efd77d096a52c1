/* SPDX-License-Identifier: Apache-2.0
 * Do two pictures look the same? And pictures that were looked at, kept in references/ for later ones to be held against. */
#ifndef ENM_TEST_LIKENESS_H
#define ENM_TEST_LIKENESS_H

#include <stdbool.h>
#include <stdint.h>

#define LIKENESS_CLEAR 5.0     /* a difference that is seen at once */
#define LIKENESS_MEAN_MAX 0.25  /* what pictures that are the same may have */
#define LIKENESS_CLEAR_MAX 2.0e-3

/* Differences in CIELAB (CIE 1976, D65) after both pictures were blurred, in linear light, as the eye does at a usual distance
 * (S-CIELAB: Zhang and Wandell 1997): single pixels of an outline do not count, a shade does. */
typedef struct likeness {
	double mean;
	double clear; /* share of the pixels that differ by more than LIKENESS_CLEAR */
} likeness;

/* Packed rows of R, G, B (sRGB). */
likeness likeness_of(const uint8_t *a_rgb, const uint8_t *b_rgb, uint32_t width, uint32_t height);
bool likeness_is_same(likeness l);

/* Fails the test unless the PNG at `path` looks as references/NAME.png, of its size. With ENAMEL_RENEW_REFERENCES set it becomes that instead:
 * see renew_references.sh. */
void likeness_check(const char *path, const char *name);

/* A PNG as packed R, G, B, to be freed. */
uint8_t *likeness_read(const char *path, uint32_t *out_width, uint32_t *out_height);

#endif
