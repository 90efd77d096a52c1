/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a program. Its own includes are put in place by the host, with #line so that the compiler's messages name
 * file and line; a compiler that finds headers by itself is not to be had on every device. */
#include "gpu/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"

#define INCLUDE_DEPTH_MAX 8
#define FILE_BYTES_MAX (4u << 20)

/* Contraction is off because runs must repeat; the option for it is not one of OpenCL's. */
static const char PRELUDE[] = "#pragma OPENCL FP_CONTRACT OFF\n";

static enm_result append(gpu_text *text, const char *bytes, size_t size)
{
	if (text->size + size + 1 > text->capacity) {
		size_t capacity = 2 * (text->size + size + 1);
		char *grown = realloc(text->bytes, capacity);
		if (grown == NULL)
			return gpu_error_host_memory("kernel source", capacity);
		text->bytes = grown;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
	return ENM_OK;
}

static enm_result read_from_folder(const char *folder, const char *name, gpu_text *out_file)
{
	char path[4096];
	char block[16384];
	enm_result result = ENM_OK;
	size_t size;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return error_set(ENM_E_BUILD, "kernel_dir %.64s...: path too long", folder);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return error_set(ENM_E_BUILD, "%s: %s", path, strerror(errno));
	while (result == ENM_OK && (size = fread(block, 1, sizeof(block), file)) > 0) {
		result = append(out_file, block, size);
		if (result == ENM_OK && out_file->size > FILE_BYTES_MAX)
			result = error_set(ENM_E_BUILD, "%s: larger than %u bytes", path, FILE_BYTES_MAX);
	}
	if (result == ENM_OK && ferror(file))
		result = error_set(ENM_E_BUILD, "%s: cannot be read", path);
	fclose(file);
	if (result == ENM_OK && out_file->size == 0)
		result = error_set(ENM_E_BUILD, "%s: empty", path);
	return result;
}

static enm_result read_file(const char *folder, const char *name, gpu_text *out_file)
{
	if (folder != NULL)
		return read_from_folder(folder, name, out_file);
	for (size_t i = 0; i < enm_embedded_count; i++)
		if (strcmp(enm_embedded_files[i].name, name) == 0)
			return append(out_file, (const char *)enm_embedded_files[i].bytes, enm_embedded_files[i].size);
	return error_set(ENM_E_BUILD, "%s: not among the library's kernels", name);
}

/* The name in `#include "name"`; false for any other line. */
static bool parse_include(const char *line, size_t length, char name[GPU_NAME_MAX])
{
	const char *end = line + length, *at = line;
	static const char word[] = "include";
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at++ != '#')
		return false;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if ((size_t)(end - at) < sizeof(word) - 1 || memcmp(at, word, sizeof(word) - 1) != 0)
		return false;
	at += sizeof(word) - 1;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at++ != '"')
		return false;
	const char *close = memchr(at, '"', (size_t)(end - at));
	if (close == NULL || close == at || close - at >= GPU_NAME_MAX)
		return false;
	memcpy(name, at, (size_t)(close - at));
	name[close - at] = '\0';
	return true;
}

static enm_result append_line_mark(gpu_text *out_text, unsigned line, const char *file)
{
	char mark[GPU_NAME_MAX + 32];
	int length = snprintf(mark, sizeof(mark), "#line %u \"%s\"\n", line, file);
	return append(out_text, mark, (size_t)length);
}

static enm_result expand(const char *folder, const char *name, unsigned depth, gpu_text *out_text)
{
	gpu_text file = {0};
	char included[GPU_NAME_MAX];
	unsigned line_number = 1;
	enm_result result = read_file(folder, name, &file);
	if (result == ENM_OK)
		result = append_line_mark(out_text, 1, name);
	for (const char *line = file.bytes; result == ENM_OK && line < file.bytes + file.size; line_number++) {
		size_t left = file.size - (size_t)(line - file.bytes);
		const char *newline = memchr(line, '\n', left);
		size_t length = newline != NULL ? (size_t)(newline - line) + 1 : left;
		if (!parse_include(line, length, included)) {
			result = append(out_text, line, length);
			if (result == ENM_OK && newline == NULL)
				result = append(out_text, "\n", 1);
		} else if (strchr(included, '/') != NULL) {
			result = error_set(ENM_E_BUILD, "%s:%u: includes %s, which is outside kernels/", name,
				line_number, included);
		} else if (depth == INCLUDE_DEPTH_MAX) {
			result = error_set(ENM_E_BUILD, "%s:%u: includes nested deeper than %d", name, line_number,
				INCLUDE_DEPTH_MAX);
		} else {
			result = expand(folder, included, depth + 1, out_text);
			if (result == ENM_OK)
				result = append_line_mark(out_text, line_number + 1, name);
		}
		line += length;
	}
	free(file.bytes);
	return result;
}

enm_result gpu_source_get(const char *folder, const char *program, gpu_text *out_text)
{
	char name[GPU_NAME_MAX + 4];
	memset(out_text, 0, sizeof(*out_text));
	snprintf(name, sizeof(name), "%s.cl", program);
	enm_result result = append(out_text, PRELUDE, sizeof(PRELUDE) - 1);
	if (result == ENM_OK)
		result = expand(folder, name, 0, out_text);
	if (result != ENM_OK) {
		free(out_text->bytes);
		memset(out_text, 0, sizeof(*out_text));
	}
	return result;
}

/* ---- names of the programs ---- */

typedef struct name_list {
	char (*names)[GPU_NAME_MAX];
	uint32_t count;
} name_list;

/* Adds `file` if it is a program. */
static enm_result add_name(name_list *list, const char *file)
{
	size_t length = strlen(file);
	if (length <= 3 || file[0] == '.' || strcmp(file + length - 3, ".cl") != 0)
		return ENM_OK;
	if (length - 3 >= GPU_NAME_MAX - 3)
		return error_set(ENM_E_BUILD, "%s: name longer than %d characters", file, GPU_NAME_MAX - 1);
	void *grown = realloc(list->names, (list->count + 1) * sizeof(list->names[0]));
	if (grown == NULL)
		return gpu_error_host_memory("list of kernels", (list->count + 1) * sizeof(list->names[0]));
	list->names = grown;
	memset(list->names[list->count], 0, GPU_NAME_MAX);
	memcpy(list->names[list->count++], file, length - 3);
	return ENM_OK;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enm_result list_folder(const char *folder, name_list *list)
{
	enm_result result = ENM_OK;
	const struct dirent *item;
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return error_set(ENM_E_BUILD, "kernel_dir %s: %s", folder, strerror(errno));
	while (result == ENM_OK && (item = readdir(dir)) != NULL)
		result = add_name(list, item->d_name);
	closedir(dir);
	if (result == ENM_OK && list->count == 0)
		result = error_set(ENM_E_BUILD, "kernel_dir %s: no .cl file in it", folder);
	return result;
}

enm_result gpu_source_names(const char *folder, char (**out_names)[GPU_NAME_MAX], uint32_t *out_count)
{
	name_list list = {0};
	enm_result result = ENM_OK;
	*out_names = NULL;
	*out_count = 0;
	if (folder != NULL)
		result = list_folder(folder, &list);
	else
		for (size_t i = 0; i < enm_embedded_count && result == ENM_OK; i++)
			result = add_name(&list, enm_embedded_files[i].name);
	if (result != ENM_OK) {
		free(list.names);
		return result;
	}
	if (list.count > 1)
		qsort(list.names, list.count, sizeof(list.names[0]), compare_names);
	*out_names = list.names;
	*out_count = list.count;
	return ENM_OK;
}
