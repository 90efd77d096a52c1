/* SPDX-License-Identifier: Apache-2.0
 * The list of datasets that `enamel batch` replays, a text file:
 *
 *   # a comment; empty lines count as well
 *   scans/upper-1
 *   scans/upper-2 --frames 0:500 --voxel-mm 0.1
 *   "scans/lower jaw" --name lower --camera ours.json
 *
 * A line is a dataset and options of `enamel replay`; a word in double quotes may hold blanks. Paths begin at the
 * manifest's folder. The name of a result is --name, or else the dataset's last part without ".enmrec". */
#ifndef ENM_HOST_BATCH_MANIFEST_H
#define ENM_HOST_BATCH_MANIFEST_H

#include <stddef.h>

#include "error.h"

#define MANIFEST_NAME_MAX 200

typedef struct manifest_item {
	size_t line;
	char *name;
	char *dataset;  /* as the line has it */
	char **options; /* as the line has them, each as "--name=value" or "--flag", without --name */
	size_t option_count;
	char **arguments; /* for the replay: the options, "--" and the dataset, with paths that begin here; ends with
			     NULL */
	size_t argument_count;
} manifest_item;

typedef struct manifest {
	manifest_item *items;
	size_t count;
} manifest;

/* HOST_USAGE with file, line and reason: no such file, nothing in it, an option that the batch sets itself or that the
 * replay does not know, a value out of range, a name that is no file name or comes twice. Free it also then. */
host_status manifest_read(const char *path, manifest *out);
void manifest_free(manifest *m);

#endif
