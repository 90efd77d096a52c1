/* SPDX-License-Identifier: Apache-2.0
 * Typed reading of JSON files, with errors such as "camera.json: intrinsic_matrix: expected 9 numbers", and writing. */
#ifndef ENM_HOST_JSON_H
#define ENM_HOST_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

/* An object of a file, for the error texts. `where` names the place inside the file ("depth_residual") or is "". */
typedef struct json_place {
	const char *file;
	const char *where;
	const json_t *object;
} json_place;

/* Reads a file whose root is an object; json_decref gives it back. Repeated keys, text behind the end, files above 64
 * MiB are errors. HOST_USAGE. */
host_status json_file_read(const char *path, json_t **out_root);

/* The same of text in memory; `name` stands for the file in messages. */
host_status json_text_read(const char *name, const char *text, size_t size, json_t **out_root);

bool json_has(json_place place, const char *key);

/* Required values. Numbers are finite and within [min, max]. HOST_USAGE when absent, of another type or out of range.
 */
host_status json_read_number(json_place place, const char *key, double min, double max, double *out_number);
host_status json_read_integer(json_place place, const char *key, int64_t min, int64_t max, int64_t *out_integer);
host_status json_read_numbers(json_place place, const char *key, size_t count, double *out_numbers);
host_status json_read_text(json_place place, const char *key, const char **out_text);

/* The same, but an absent key leaves the out parameter as it is. */
host_status json_read_number_if(json_place place, const char *key, double min, double max, double *out_number);
host_status json_read_numbers_if(json_place place, const char *key, size_t count, double *out_numbers);

/* An object inside; *out_place.object is NULL when the key is absent. */
host_status json_read_object_if(json_place place, const char *key, json_place *out_place);

/* A number, or null for NaN and infinity, which JSON does not know. */
json_t *json_finite(double number);
json_t *json_numbers(const double *numbers, size_t count);

/* Text from outside: a path, a line of a list, what a driver or a file says, what was cut to fit. A byte that belongs to no character of UTF-8 becomes four
 * characters: a backslash, x and two hexadecimal digits. NULL only without memory. */
json_t *json_foreign(const char *text);

/* json_object_set_new that cannot be forgotten: remembers in *ok when memory ran out. */
void json_put(json_t *object, const char *key, json_t *value, bool *ok);

/* Writes the file whole or not at all, indented, with the keys in the order they were set. HOST_IO. */
host_status json_file_write(const char *path, const json_t *root);
/* The same text in memory; free() gives it back. HOST_IO. */
host_status json_text_write(const json_t *root, char **out_text);
/* The same text to a stream that is then flushed. HOST_IO. */
host_status json_print(const json_t *root, FILE *stream);

#endif
