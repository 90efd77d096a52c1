/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define JSON_FILE_BYTES_MAX ((size_t)64 << 20)
#define WRITE_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(12))

host_status json_text_read(const char *name, const char *text, size_t size, json_t **out_root)
{
	*out_root = NULL;
	json_error_t error;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return host_fail_file(HOST_USAGE, name, "line %d: %s", error.line, error.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return host_fail_file(HOST_USAGE, name, "expected an object {...}");
	}
	*out_root = root;
	return HOST_OK;
}

host_status json_file_read(const char *path, json_t **out_root)
{
	*out_root = NULL;
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, JSON_FILE_BYTES_MAX, &bytes, &size);
	if (status)
		return status;
	status = json_text_read(path, (const char *)bytes, size, out_root);
	free(bytes);
	return status;
}

static host_status fail_at(json_place place, const char *key, const char *reason)
{
	return host_fail_file(HOST_USAGE, place.file, "%s%s%s: %s", place.where, *place.where ? "." : "", key, reason);
}

bool json_has(json_place place, const char *key)
{
	return json_object_get(place.object, key) != NULL;
}

host_status json_read_number(json_place place, const char *key, double min, double max, double *out_number)
{
	const json_t *value = json_object_get(place.object, key);
	if (!value)
		return fail_at(place, key, "missing");
	if (!json_is_number(value) || !isfinite(json_number_value(value)))
		return fail_at(place, key, "expected a number");
	double number = json_number_value(value);
	if (!(number >= min && number <= max)) {
		char reason[128];
		snprintf(reason, sizeof reason, "%.10g is not within %.10g to %.10g", number, min, max);
		return fail_at(place, key, reason);
	}
	*out_number = number;
	return HOST_OK;
}

host_status json_read_integer(json_place place, const char *key, int64_t min, int64_t max, int64_t *out_integer)
{
	double number;
	host_status status = json_read_number(place, key, (double)min, (double)max, &number);
	if (status)
		return status;
	if (number != floor(number))
		return fail_at(place, key, "expected a whole number");
	if (number >= 0x1p63) /* what INT64_MAX becomes as a double */
		return fail_at(place, key, "is above 9223372036854775807");
	*out_integer = (int64_t)number;
	return HOST_OK;
}

host_status json_read_numbers(json_place place, const char *key, size_t count, double *out_numbers)
{
	const json_t *value = json_object_get(place.object, key);
	if (!value)
		return fail_at(place, key, "missing");
	bool good = json_is_array(value) && json_array_size(value) == count;
	for (size_t i = 0; good && i < count; i++) {
		const json_t *element = json_array_get(value, i);
		good = json_is_number(element) && isfinite(json_number_value(element));
	}
	if (!good) {
		char reason[64];
		snprintf(reason, sizeof reason, "expected %zu numbers", count);
		return fail_at(place, key, reason);
	}
	for (size_t i = 0; i < count; i++)
		out_numbers[i] = json_number_value(json_array_get(value, i));
	return HOST_OK;
}

host_status json_read_text(json_place place, const char *key, const char **out_text)
{
	const json_t *value = json_object_get(place.object, key);
	if (!value)
		return fail_at(place, key, "missing");
	if (!json_is_string(value))
		return fail_at(place, key, "expected a text");
	*out_text = json_string_value(value);
	return HOST_OK;
}

host_status json_read_number_if(json_place place, const char *key, double min, double max, double *out_number)
{
	return json_has(place, key) ? json_read_number(place, key, min, max, out_number) : HOST_OK;
}

host_status json_read_numbers_if(json_place place, const char *key, size_t count, double *out_numbers)
{
	return json_has(place, key) ? json_read_numbers(place, key, count, out_numbers) : HOST_OK;
}

host_status json_read_object_if(json_place place, const char *key, json_place *out_place)
{
	out_place->file = place.file;
	out_place->where = key;
	out_place->object = json_object_get(place.object, key);
	if (out_place->object && !json_is_object(out_place->object))
		return fail_at(place, key, "expected an object {...}");
	return HOST_OK;
}

json_t *json_finite(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

/* Of the UTF-8 that begins there; 0 where none does. */
static size_t character_bytes(const char *at)
{
	const size_t most = strnlen(at, 4);
	for (size_t bytes = 1; bytes <= most; bytes++) {
		json_t *character = json_stringn(at, bytes);
		const bool valid = character != NULL;
		json_decref(character);
		if (valid)
			return bytes;
	}
	return 0;
}

json_t *json_foreign(const char *text)
{
	json_t *value = json_string(text); /* NULL for what is no UTF-8 */
	char *copy = value ? NULL : malloc(strlen("\\xff") * strlen(text) + 1), *to = copy;
	if (!copy)
		return value;
	while (*text) {
		const size_t bytes = character_bytes(text);
		if (bytes)
			memcpy(to, text, bytes);
		to += bytes ? bytes : (size_t)sprintf(to, "\\x%02x", (unsigned)(unsigned char)*text);
		text += bytes ? bytes : 1;
	}
	value = json_stringn(copy, (size_t)(to - copy));
	free(copy);
	return value;
}

json_t *json_numbers(const double *numbers, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < count; i++) {
		if (json_array_append_new(array, json_finite(numbers[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

void json_put(json_t *object, const char *key, json_t *value, bool *ok)
{
	if (json_object_set_new(object, key, value))
		*ok = false;
}

host_status json_file_write(const char *path, const json_t *root)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status)
		return status;
	if (json_dumpf(root, output.stream, WRITE_FLAGS) || fputc('\n', output.stream) == EOF) {
		file_abandon(&output);
		return host_fail_file(HOST_IO, path, "cannot write: disk full or out of memory");
	}
	return file_commit(&output);
}

host_status json_text_write(const json_t *root, char **out_text)
{
	*out_text = NULL;
	size_t size = json_dumpb(root, NULL, 0, WRITE_FLAGS);
	char *text = size ? malloc(size + 2) : NULL;
	if (!text || json_dumpb(root, text, size, WRITE_FLAGS) != size) {
		free(text);
		return host_fail_memory("JSON");
	}
	memcpy(text + size, "\n", 2);
	*out_text = text;
	return HOST_OK;
}

host_status json_print(const json_t *root, FILE *stream)
{
	if (json_dumpf(root, stream, WRITE_FLAGS) || fputc('\n', stream) == EOF || fflush(stream))
		return host_fail(HOST_IO, "standard output: cannot write");
	return HOST_OK;
}
