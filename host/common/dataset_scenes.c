/* SPDX-License-Identifier: Apache-2.0
 * 7-Scenes and its kin: frame-NNNNNN.depth.png, .color.png or .jpg, .pose.txt. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "file.h"

#define PREFIX "frame-"
#define DEPTH_SUFFIX ".depth.png"
#define MM_PER_METRE 1000.0
#define POSE_BYTES_MAX 4096
#define NUMBER_DIGITS_MAX 9

typedef struct numbered_name {
	long number;
	char *name;
} numbered_name;

typedef struct numbered_list {
	numbered_name *entries;
	size_t count, capacity;
} numbered_list;

long dataset_scenes_number(const char *name)
{
	size_t prefix = strlen(PREFIX);
	if (strncmp(name, PREFIX, prefix))
		return -1;
	size_t digits = strspn(name + prefix, "0123456789");
	if (!digits || digits > NUMBER_DIGITS_MAX || strcmp(name + prefix + digits, DEPTH_SUFFIX))
		return -1;
	return strtol(name + prefix, NULL, 10);
}

static host_status append_name(numbered_list *list, long number, const char *name)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 256;
		numbered_name *entries = realloc(list->entries, capacity * sizeof *entries);
		if (!entries)
			return host_fail_memory("the list of frames");
		list->entries = entries;
		list->capacity = capacity;
	}
	char *copy = strdup(name);
	if (!copy)
		return host_fail_memory("the list of frames");
	list->entries[list->count].number = number;
	list->entries[list->count++].name = copy;
	return HOST_OK;
}

static int compare_numbers(const void *a, const void *b)
{
	const numbered_name *left = a, *right = b;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return strcmp(left->name, right->name);
}

static host_status list_names(const char *folder, numbered_list *out)
{
	DIR *stream = opendir(folder);
	if (!stream)
		return host_fail_file(HOST_USAGE, folder, "cannot read folder: %s", strerror(errno));
	host_status status = HOST_OK;
	for (struct dirent *entry; !status && (entry = readdir(stream));) {
		long number = dataset_scenes_number(entry->d_name);
		if (number >= 0)
			status = append_name(out, number, entry->d_name);
	}
	closedir(stream);
	if (out->count)
		qsort(out->entries, out->count, sizeof *out->entries, compare_numbers);
	return status;
}

/* The name of a sibling of the frame's depth picture. */
static void sibling_name(const char *depth, const char *suffix, char out[64])
{
	int stem = (int)(strlen(depth) - strlen(DEPTH_SUFFIX));
	snprintf(out, 64, "%.*s%s", stem, depth, suffix);
}

static bool has_sibling(const dataset *d, const char *depth, const char *suffix, char out_name[64])
{
	char path[FILE_PATH_MAX];
	sibling_name(depth, suffix, out_name);
	return !path_join(d->folder, out_name, path) && file_exists(path);
}

static host_status add_siblings(dataset *d, dataset_frame *f)
{
	char name[64];
	d->has_truth = d->has_truth || has_sibling(d, f->depth, ".pose.txt", name);
	if (!has_sibling(d, f->depth, ".color.png", name) && !has_sibling(d, f->depth, ".color.jpg", name))
		return HOST_OK;
	d->has_color = true;
	f->color = strdup(name);
	return f->color ? HOST_OK : host_fail_memory("the list of frames");
}

host_status dataset_read_scenes(dataset *d)
{
	numbered_list list = {0};
	size_t capacity = 0;
	d->max_is_no_reading = true;
	host_status status = list_names(d->folder, &list);
	for (size_t i = 0; !status && i < list.count; i++) {
		status = dataset_add_frame(d, &capacity, (double)list.entries[i].number, list.entries[i].name);
		if (!status)
			status = add_siblings(d, &d->frames[i]);
	}
	for (size_t i = 0; i < list.count; i++)
		free(list.entries[i].name);
	free(list.entries);
	return status;
}

static host_status read_pose(const char *path, enm_pose *out)
{
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, POSE_BYTES_MAX, &bytes, &size);
	if (status)
		return status;
	double m[16];
	int count = 0;
	char *at = (char *)bytes, *end = at;
	for (; count < 16; count++, at = end) {
		m[count] = strtod(at, &end);
		if (end == at)
			break;
	}
	bool whole = count == 16 && !at[strspn(at, " \t\r\n")];
	free(bytes);
	if (!whole)
		return host_fail_file(HOST_USAGE, path, "expected 16 numbers (4x4, row by row)");
	if (!pose_from_matrix(m, MM_PER_METRE, out))
		return host_fail_file(HOST_USAGE, path, "is no rigid transform: NaN, scaled, sheared or mirrored");
	return HOST_OK;
}

host_status dataset_read_scenes_truth(const dataset *d, trajectory *out)
{
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < d->frame_count; i++) {
		char name[64], path[FILE_PATH_MAX];
		if (d->frames[i].fault || !has_sibling(d, d->frames[i].depth, ".pose.txt", name))
			continue;
		enm_pose pose;
		status = path_join(d->folder, name, path);
		if (!status)
			status = read_pose(path, &pose);
		if (!status)
			status = trajectory_append(out, d->frames[i].time_s, &pose);
	}
	if (!status && !out->count)
		status =
			host_fail_file(HOST_USAGE, d->folder, "no " PREFIX "NNNNNN.pose.txt: there is no ground truth");
	if (status)
		trajectory_free(out);
	return status;
}
