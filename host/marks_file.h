/* SPDX-License-Identifier: Apache-2.0
 * Marks (viewer/include/marks.h) beside the model that they were made on: MODEL.marks.json. Positions in mm, angles in rad, sigmas of
 * points in um. The file says which model it belongs to, and is refused for any other. */
#ifndef ENM_HOST_MARKS_FILE_H
#define ENM_HOST_MARKS_FILE_H

#include <jansson.h>
#include <stdio.h>

#include "error.h"
#include "file.h"
#include "marks.h"

#define MARKS_MODELS_MAX 2

/* What a model is known by. */
typedef struct marks_model {
	const char *file; /* borrowed */
	uint64_t vertices, triangles;
	uint64_t hash; /* XXH3 of the positions and of the triangles */
} marks_model;

typedef struct marks_models {
	marks_model models[MARKS_MODELS_MAX];
	size_t count;
} marks_models;

/* Adds one; the mesh is looked at during the call only. HOST_DEVICE. */
host_status marks_models_add(marks_models *models, const char *file, const enm_mesh *mesh);

/* "MODEL.marks.json". HOST_USAGE when that is too long. */
host_status marks_file_beside(const char *model, char out_path[FILE_PATH_MAX]);

/* HOST_USAGE with "FILE: field: reason": missing, no such file, another version, marks of another model, values out of range. `models` NULL: of any
 * model. After a failure `out` is empty. */
host_status marks_file_read(const char *path, const marks_models *models, mark_list *out);

/* Writes whole or not at all. HOST_IO. */
host_status marks_file_write(const char *path, const marks_models *models, const mark_list *list);

/* A line a mark; or as the file has them. HOST_IO. */
host_status marks_print(const mark_list *list, FILE *stream);
host_status marks_print_json(const marks_models *models, const mark_list *list, FILE *stream);

#endif
