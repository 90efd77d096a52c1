/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of kernels/ as they were when the library was built: the programs (*.cl) and what they include (*.h). */
#ifndef ENM_EMBEDDED_H
#define ENM_EMBEDDED_H

#include <stddef.h>

typedef struct enm_embedded_file {
	const char *name; /* "fuse.cl" */
	const unsigned char *bytes; /* not zero-terminated */
	size_t size;
} enm_embedded_file;

extern const enm_embedded_file enm_embedded_files[]; /* sorted by name */
extern const size_t enm_embedded_count;

#endif
