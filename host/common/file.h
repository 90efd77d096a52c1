/* SPDX-License-Identifier: Apache-2.0
 * Files that appear whole or not at all, whole files in memory, and paths. */
#ifndef ENM_HOST_FILE_H
#define ENM_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

#define FILE_PATH_MAX 4096

/* An output under way: a temporary file in the folder of the final one. Zero it before use. */
typedef struct file_output {
	FILE *stream; /* write here */
	char path[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
} file_output;

/* Finds out before the work whether the path can be written: its folder exists and takes a file (one is made and
 * removed), and the path is no folder. An existing file will be replaced. HOST_IO. */
host_status file_check_output(const char *path);

/* Opens the temporary file. Then either file_commit (flush, fsync, rename) or file_abandon. After a failed commit
 * nothing is left. Both may be called on a zeroed or finished output. HOST_IO. */
host_status file_begin(const char *path, file_output *out);
host_status file_commit(file_output *output);
void file_abandon(file_output *output);

/* begin, write, commit. */
host_status file_write(const char *path, const void *bytes, size_t size);

/* The whole file in memory, with a zero byte behind its end that `out_size` does not count; free() gives it back.
 * HOST_USAGE when it is missing, no plain file, unreadable, or larger than `max_bytes`. */
host_status file_read(const char *path, size_t max_bytes, uint8_t **out_bytes, size_t *out_size);

/* open() of a plain file that stays the caller's own in a folder into which others may write: no link is followed, and a pipe is not waited for. `flags` are
 * open's. HOST_IO when it cannot be opened, HOST_USAGE when something else than a file is there. */
host_status file_open_plain(const char *path, int flags, int *out_descriptor);

/* Waits until the folder of the path is on the disk, so that a new name survives a power cut. Not every file system
 * can; that is no failure. */
void file_sync_folder(const char *path);

bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* Makes the last folder of the path; one that is there is fine. HOST_IO. */
host_status file_make_folder(const char *path);

/* "folder/name", or `name` where it begins with '/' or the folder is "". HOST_USAGE when it is too long. */
host_status path_join(const char *folder, const char *name, char out_path[FILE_PATH_MAX]);
/* What stands behind the last '/', not counting slashes at the end, which stay. Points into `path`. */
const char *path_base(const char *path);
/* True when the path ends with the extension (".ply"), case ignored. */
bool path_has_extension(const char *path, const char *extension);
/* The folder of the running program. HOST_IO. */
host_status path_of_program(char out_folder[FILE_PATH_MAX]);

#endif
