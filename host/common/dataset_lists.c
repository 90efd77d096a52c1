/* SPDX-License-Identifier: Apache-2.0
 * depth.txt and rgb.txt of the folder form and of TUM RGB-D. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "file.h"

#define LIST_BYTES_MAX ((size_t)64 << 20)
#define COLOR_TOLERANCE_S 0.02

typedef struct list_entry {
	double time_s;
	size_t line;
	const char *name; /* inside the list's bytes */
} list_entry;

typedef struct name_list {
	uint8_t *bytes;
	list_entry *entries;
	size_t count, capacity;
} name_list;

static void free_list(name_list *list)
{
	free(list->bytes);
	free(list->entries);
	memset(list, 0, sizeof *list);
}

/* "time name"; more columns, such as a second timestamp, are not read. NULL or the reason. */
static const char *scan_entry(char *line, list_entry *out)
{
	char *end;
	out->time_s = strtod(line, &end);
	if (end == line || (*end && !strchr(" \t\r", *end)))
		return "expected a timestamp in seconds";
	if (!(fabs(out->time_s) <= DATASET_TIME_MAX_S))
		return "timestamp is NaN, infinite or beyond 4.5e9 s";
	char *name = end + strspn(end, " \t\r");
	size_t length = strcspn(name, " \t\r");
	if (!length)
		return "expected a file name behind the timestamp";
	name[length] = 0;
	out->name = name;
	return NULL;
}

static host_status append_entry(name_list *list, const list_entry *entry)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 256;
		list_entry *entries = realloc(list->entries, capacity * sizeof *entries);
		if (!entries)
			return host_fail_memory("a list of files");
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->count++] = *entry;
	return HOST_OK;
}

static host_status read_list(const char *path, name_list *out)
{
	memset(out, 0, sizeof *out);
	size_t size, number = 0;
	host_status status = file_read(path, LIST_BYTES_MAX, &out->bytes, &size);
	if (!status && memchr(out->bytes, 0, size))
		status = host_fail_file(HOST_USAGE, path, "is no text");
	for (char *line = (char *)out->bytes; !status && line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end++ = 0;
		number++;
		line += strspn(line, " \t\r");
		if (*line && *line != '#') {
			list_entry entry = {.line = number};
			const char *reason = scan_entry(line, &entry);
			status = reason ? host_fail_file(HOST_USAGE, path, "line %zu: %s", number, reason)
					: append_entry(out, &entry);
		}
		line = end;
	}
	if (status)
		free_list(out);
	return status;
}

static int compare_times(const void *a, const void *b)
{
	const list_entry *left = a, *right = b;
	if (left->time_s != right->time_s)
		return left->time_s < right->time_s ? -1 : 1;
	return left->line < right->line ? -1 : left->line > right->line;
}

/* The entry nearest in time of a sorted list, or NULL. */
static const list_entry *find_nearest(const name_list *list, double time_s)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->entries[middle].time_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	const list_entry *best = NULL;
	for (size_t i = low ? low - 1 : 0; i < list->count && i <= low; i++) {
		double gap = fabs(list->entries[i].time_s - time_s);
		if (gap <= COLOR_TOLERANCE_S && (!best || gap < fabs(best->time_s - time_s)))
			best = &list->entries[i];
	}
	return best;
}

static host_status associate_color(dataset *d, const char *path)
{
	name_list colors;
	host_status status = read_list(path, &colors);
	if (status)
		return status;
	if (colors.count)
		qsort(colors.entries, colors.count, sizeof *colors.entries, compare_times);
	for (size_t i = 0; !status && i < d->frame_count; i++) {
		const list_entry *nearest = find_nearest(&colors, d->frames[i].time_s);
		if (!nearest)
			continue;
		d->frames[i].color = strdup(nearest->name);
		d->frames[i].color_time_s = nearest->time_s;
		d->has_color = true;
		if (!d->frames[i].color)
			status = host_fail_memory("the list of frames");
	}
	free_list(&colors);
	return status;
}

host_status dataset_read_lists(dataset *d)
{
	char path[FILE_PATH_MAX];
	name_list depths;
	host_status status = path_join(d->folder, "depth.txt", path);
	if (!status)
		status = read_list(path, &depths);
	if (status)
		return status;
	size_t capacity = 0;
	for (size_t i = 0; !status && i < depths.count; i++)
		status = dataset_add_frame(d, &capacity, depths.entries[i].time_s, depths.entries[i].name);
	free_list(&depths);
	if (!status)
		status = path_join(d->folder, "rgb.txt", path);
	if (!status && file_exists(path))
		status = associate_color(d, path);
	if (!status)
		status = path_join(d->folder, "groundtruth.txt", path);
	d->has_truth = !status && file_exists(path);
	return status;
}
