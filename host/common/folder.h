/* SPDX-License-Identifier: Apache-2.0
 * An output folder that appears whole or not at all: it is filled under a temporary name and renamed at the end. */
#ifndef ENM_HOST_FOLDER_H
#define ENM_HOST_FOLDER_H

#include <stdbool.h>

#include "error.h"
#include "file.h"

typedef struct folder_output {
	char path[FILE_PATH_MAX];      /* where it will be */
	char temporary[FILE_PATH_MAX]; /* where it is filled; "" when there is nothing to do */
	bool replace;                  /* a dataset is there and is to go */
} folder_output;

/* HOST_USAGE when the path is taken: a file, or a folder with something in it, unless `force` and it is a dataset (it
 * holds a camera.json). HOST_IO when the folder cannot be made. */
host_status folder_begin(const char *path, bool force, folder_output *out);
/* A folder that is only ever abandoned: `out->temporary` is "PREFIX.tmp-XXXXXX", with other letters. */
host_status folder_begin_temporary(const char *prefix, folder_output *out);
/* Renames it into place. After a failure nothing is left of it, and an older dataset stays. */
host_status folder_commit(folder_output *output);
/* Removes what was written. Harmless after a commit and on a zeroed output. */
void folder_abandon(folder_output *output);

#endif
