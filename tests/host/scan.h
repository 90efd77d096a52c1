/* SPDX-License-Identifier: Apache-2.0
 * Makes small scans of a bumpy surface in the test's scratch folder, with exact depth and poses. */
#ifndef ENM_TEST_SCAN_H
#define ENM_TEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_WIDTH 160u
#define SCAN_HEIGHT 120u

typedef struct scan_def {
	const char *folder; /* name in the scratch folder */
	size_t pictures;    /* different ones */
	size_t frames;      /* listed; beyond `pictures` the camera goes back and forth over them */
	bool metres;        /* files in metres instead of millimetres, of the same surface */
	bool color;
} scan_def;

void scan_make(const scan_def *def);

/* Writes one depth picture of noise into the scan. */
void scan_spoil(const char *folder, size_t picture, unsigned seed);

#endif
