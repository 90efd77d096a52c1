/* SPDX-License-Identifier: Apache-2.0
 * A folder of its own for each test, and small files in it. Include after cmocka.h. */
#ifndef ENM_TEST_SCRATCH_H
#define ENM_TEST_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#define SCRATCH_PATH_MAX 512

/* cmocka set-up and tear-down: makes the folder, removes it with all it holds. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of a name in the folder; eight results stay valid at a time. */
const char *scratch_path(const char *name);
const char *scratch_folder(void);

void scratch_write(const char *name, const void *bytes, size_t size);
void scratch_text(const char *name, const char *text);
void scratch_make_folder(const char *name);
size_t scratch_size(const char *name);
/* Cuts the file to its first `size` bytes. */
void scratch_cut(const char *name, size_t size);
/* How many entries the folder holds, hidden ones counted. */
size_t scratch_count(const char *name);

/* A PNG of any form straight from libpng; pixels are rows of packed samples, 16-bit ones in host order. */
typedef struct scratch_png {
	uint32_t width, height;
	int color_type, bits;
} scratch_png;
void scratch_write_png(const char *name, scratch_png form, const void *pixels);

/* A 16-bit grey depth picture with `first` in its first pixel and `rest` elsewhere. */
void scratch_depth(const char *name, uint32_t width, uint32_t height, uint16_t first, uint16_t rest);

/* Fails the test unless host_error_text() ends with `end`. */
void assert_failure_ends(const char *end);

#endif
