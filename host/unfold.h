/* SPDX-License-Identifier: Apache-2.0
 * From a recording to a dataset folder. */
#ifndef ENM_HOST_UNFOLD_H
#define ENM_HOST_UNFOLD_H

#include <signal.h>
#include <stdbool.h>

#include "reader.h"

typedef struct unfold_stats {
	size_t frames, colors, files;
	size_t left_out; /* packets that could not be used: each was named by a warning */
} unfold_stats;

/* Fills an empty folder: camera.json word for word (that of --camera instead, if given), pictures named by the frames'
 * numbers, lists, and the files that are carried. HOST_USAGE: no header and no camera, a camera that is none.
 * HOST_IO. HOST_INTERRUPTED. */
host_status unfold(const recording *r, const char *camera, const char *folder, const volatile sig_atomic_t *stop,
	unfold_stats *out);

#endif
