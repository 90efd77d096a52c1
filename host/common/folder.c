/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Removes a folder with what is in it; follows no link. */
static void remove_tree(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char child[FILE_PATH_MAX];
		struct stat info;
		if (is_dots(entry->d_name) || path_join(path, entry->d_name, child) || lstat(child, &info))
			continue;
		if (S_ISDIR(info.st_mode))
			remove_tree(child);
		else
			unlink(child);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool empty = folder != NULL;
	while (folder && (entry = readdir(folder)))
		empty = empty && is_dots(entry->d_name);
	if (folder)
		closedir(folder);
	return empty;
}

static host_status check_place(const char *path, bool force, bool *out_replace)
{
	struct stat info;
	char camera[FILE_PATH_MAX];
	*out_replace = false;
	if (lstat(path, &info))
		return errno == ENOENT ? HOST_OK : host_fail_file(HOST_IO, path, "%s", strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return host_fail_file(HOST_USAGE, path, "exists and is no folder");
	if (is_empty(path))
		return HOST_OK;
	if (!force)
		return host_fail_file(HOST_USAGE, path, "exists and is not empty (--force replaces a dataset)");
	host_status status = path_join(path, "camera.json", camera);
	if (status == HOST_OK && !file_exists(camera))
		status = host_fail_file(
			HOST_USAGE, path, "is no dataset (it has no camera.json): --force does not replace it");
	*out_replace = status == HOST_OK;
	return status;
}

host_status folder_begin_temporary(const char *prefix, folder_output *out)
{
	*out = (folder_output){0};
	int length = snprintf(out->temporary, sizeof out->temporary, "%s.tmp-XXXXXX", prefix);
	if (length >= 0 && length < (int)sizeof out->temporary && mkdtemp(out->temporary))
		return HOST_OK;
	out->temporary[0] = '\0';
	return host_fail_file(HOST_IO, prefix, "cannot be made: %s", strerror(errno));
}

host_status folder_begin(const char *path, bool force, folder_output *out)
{
	*out = (folder_output){0};
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (!length || length > FILE_PATH_MAX - 64)
		return host_fail(HOST_USAGE, "OUT: its name is %s", length ? "too long" : "empty");
	snprintf(out->path, sizeof out->path, "%.*s", (int)length, path);
	host_status status = check_place(out->path, force, &out->replace);
	if (status != HOST_OK)
		return status;
	snprintf(out->temporary, sizeof out->temporary, "%.*s.tmp-XXXXXX", (int)length, path);
	if (!mkdtemp(out->temporary)) {
		out->temporary[0] = '\0';
		return host_fail_file(HOST_IO, out->path, "cannot be made: %s", strerror(errno));
	}
	mode_t mask = umask(0);
	umask(mask);
	(void)chmod(out->temporary, 0777 & ~mask);
	return HOST_OK;
}

host_status folder_commit(folder_output *output)
{
	char old[FILE_PATH_MAX] = "";
	if (output->replace) {
		int length = snprintf(old, sizeof old, "%s.old", output->temporary);
		if (length < 0 || length >= (int)sizeof old || rename(output->path, old))
			old[0] = '\0';
	}
	if (rename(output->temporary, output->path)) {
		host_status status =
			host_fail_file(HOST_IO, output->path, "cannot be put into place: %s", strerror(errno));
		if (old[0])
			(void)rename(old, output->path);
		folder_abandon(output);
		return status;
	}
	if (old[0])
		remove_tree(old);
	output->temporary[0] = '\0';
	return HOST_OK;
}

void folder_abandon(folder_output *output)
{
	if (output->temporary[0])
		remove_tree(output->temporary);
	output->temporary[0] = '\0';
}
