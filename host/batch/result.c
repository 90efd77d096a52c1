/* SPDX-License-Identifier: Apache-2.0
 * The folders of one item: under a temporary name until all is in it. */
#include "batch/batch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

host_status batch_folder(const batch *b, const batch_item *item, char out[FILE_PATH_MAX])
{
	return path_join(b->out, item->source->name, out);
}

host_status batch_part_folder(const batch *b, const batch_item *item, const char *ending, char out[FILE_PATH_MAX])
{
	char name[MANIFEST_NAME_MAX + 16];
	snprintf(name, sizeof name, ".%s.%s", item->source->name, ending);
	return path_join(b->out, name, out);
}

/* The folders hold files only, all of them ours. One that is not there is fine. */
static host_status remove_folder(const char *folder)
{
	char path[FILE_PATH_MAX];
	DIR *list = opendir(folder);
	if (!list && errno == ENOENT)
		return HOST_OK;
	const struct dirent *entry;
	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			!path_join(folder, entry->d_name, path))
			unlink(path);
	if (list)
		closedir(list);
	return rmdir(folder) ? host_fail_file(HOST_IO, folder, "cannot remove: %s", strerror(errno)) : HOST_OK;
}

static json_t *texts_json(char *const *texts, size_t count, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		*ok = !json_array_append_new(array, json_foreign(texts[i])) && *ok;
	return array;
}

/* What has to be the same for a result to be that of an item. */
static json_t *identity_json(const batch_item *item, bool *ok)
{
	json_t *root = json_object();
	json_put(root, "version", json_string(enm_version()), ok);
	json_put(root, "dataset", json_foreign(item->source->dataset), ok);
	json_put(root, "options", texts_json(item->source->options, item->source->option_count, ok), ok);
	json_put(root, "device", item->device ? json_foreign(item->device) : json_null(), ok);
	json_put(root, "computed_on", json_foreign(item->computed_on), ok);
	return root;
}

static bool is_same(const json_t *wanted, const json_t *found)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)wanted, key,
		value) if (!json_equal(value, json_object_get(found, key))) return false;
	return true;
}

static host_status read_finished(const char *folder, const json_t *found, batch_item *item)
{
	const json_place place = {folder, "result.json", found};
	int64_t code, tries;
	double wall_s;
	const char *reason;
	host_status status = json_read_integer(place, "code", 0, 1, &code);
	if (!status)
		status = json_read_integer(place, "tries", 1, BATCH_TRIES, &tries);
	if (!status)
		status = json_read_number(place, "wall_s", 0.0, 1e9, &wall_s);
	if (!status)
		status = json_read_text(place, "reason", &reason);
	if (status)
		return status;
	item->code = (int)code;
	item->tries = (unsigned)tries;
	item->wall_s = wall_s;
	snprintf(item->reason, sizeof item->reason, "%s", reason);
	item->state = code ? BATCH_POOR : BATCH_DONE;
	item->kept = true;
	return HOST_OK;
}

host_status batch_find_finished(const batch *b, batch_item *item)
{
	char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
	host_status status = batch_folder(b, item, folder);
	if (status || !file_exists(folder))
		return status;
	json_t *found;
	if (path_join(folder, "result.json", path) || json_file_read(path, &found)) {
		char reason[512];
		snprintf(reason, sizeof reason, "%s", host_error_reason());
		return host_fail_file(
			HOST_USAGE, folder, "is in the way, and no result of a batch (result.json: %s)", reason);
	}
	bool ok = true;
	json_t *wanted = identity_json(item, &ok);
	if (!ok)
		status = host_fail_memory("a result");
	else if (!b->again && !is_same(wanted, found))
		status = host_fail_file(HOST_USAGE, folder,
			"is the result of another dataset, options, device, driver or version (--again replaces it)");
	else if (!b->again)
		status = read_finished(folder, found, item);
	json_decref(wanted);
	json_decref(found);
	return status;
}

host_status batch_begin_item(const batch *b, const batch_item *item)
{
	char part[FILE_PATH_MAX];
	host_status status = batch_part_folder(b, item, "part", part);
	if (!status)
		status = remove_folder(part);
	return status ? status : file_make_folder(part);
}

/* The old result, if there is one, goes only when the new one is whole. */
static host_status replace_folder(const batch *b, const batch_item *item, const char *part)
{
	char folder[FILE_PATH_MAX], old[FILE_PATH_MAX];
	host_status status = batch_folder(b, item, folder);
	if (!status)
		status = batch_part_folder(b, item, "old", old);
	if (!status)
		status = remove_folder(old);
	if (status)
		return status;
	if (rename(folder, old) && errno != ENOENT)
		return host_fail_file(HOST_IO, folder, "cannot rename: %s", strerror(errno));
	if (rename(part, folder))
		return host_fail_file(HOST_IO, folder, "cannot rename '%s' to it: %s", part, strerror(errno));
	return remove_folder(old);
}

static host_status failed_log(const batch *b, const batch_item *item, char out[FILE_PATH_MAX])
{
	char name[MANIFEST_NAME_MAX + 16];
	snprintf(name, sizeof name, "failed/%s.log", item->source->name);
	return path_join(b->out, name, out);
}

host_status batch_keep_item(const batch *b, const batch_item *item)
{
	char part[FILE_PATH_MAX], path[FILE_PATH_MAX];
	host_status status = batch_part_folder(b, item, "part", part);
	if (!status)
		status = path_join(part, "result.json", path);
	if (status)
		return status;
	bool ok = true;
	json_t *root = identity_json(item, &ok);
	json_put(root, "name", json_foreign(item->source->name), &ok);
	json_put(root, "code", json_integer(item->code), &ok);
	json_put(root, "reason", json_foreign(item->reason), &ok);
	json_put(root, "tries", json_integer((json_int_t)item->tries), &ok);
	json_put(root, "wall_s", json_finite(item->wall_s), &ok);
	status = ok ? json_file_write(path, root) : host_fail_memory("a result");
	json_decref(root);
	if (!status)
		status = replace_folder(b, item, part);
	if (!status && !failed_log(b, item, path))
		unlink(path); /* of an earlier run */
	return status;
}

void batch_drop_item(const batch *b, const batch_item *item, bool keep_log)
{
	char part[FILE_PATH_MAX], from[FILE_PATH_MAX], to[FILE_PATH_MAX], folder[FILE_PATH_MAX];
	if (batch_part_folder(b, item, "part", part))
		return;
	if (keep_log && !path_join(part, "log.txt", from) && !failed_log(b, item, to) &&
		!path_join(b->out, "failed", folder) && !file_make_folder(folder))
		(void)rename(from, to);
	if (remove_folder(part))
		host_warn("%s", host_error_text());
}
