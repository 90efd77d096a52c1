/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_once_t mask_once = PTHREAD_ONCE_INIT;
static mode_t mask;

/* Reading the umask means setting it, which two threads must not do at once: one would keep the other's zero. */
static void read_mask(void)
{
	mask = umask(0);
	umask(mask);
}

/* The umask as it was at the first output; mkstemp's 0600 would surprise whoever shares a folder. */
static mode_t output_mode(void)
{
	pthread_once(&mask_once, read_mask);
	return (mode_t)(0666 & ~mask);
}

static host_status folder_of(const char *path, char out[FILE_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	if (strlen(path) >= FILE_PATH_MAX - 16)
		return host_fail_file(HOST_IO, path, "name is too long");
	if (!slash)
		strcpy(out, ".");
	else if (slash == path)
		strcpy(out, "/");
	else
		snprintf(out, FILE_PATH_MAX, "%.*s", (int)(slash - path), path);
	return HOST_OK;
}

/* Makes the temporary file and gives its descriptor, or -1 with the failure kept. */
static int make_temporary(const char *path, char out_temporary[FILE_PATH_MAX])
{
	char folder[FILE_PATH_MAX];
	if (folder_of(path, folder))
		return -1;
	struct stat info;
	if (stat(folder, &info)) {
		host_fail_file(HOST_IO, path, "cannot write: folder '%s': %s", folder, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(info.st_mode)) {
		host_fail_file(HOST_IO, path, "cannot write: '%s' is not a folder", folder);
		return -1;
	}
	if (!*path || path[strlen(path) - 1] == '/' || file_is_folder(path)) {
		host_fail_file(HOST_IO, path, "cannot write: is a folder");
		return -1;
	}
	int length = snprintf(out_temporary, FILE_PATH_MAX, "%s.XXXXXX", path);
	if (length < 0 || length >= FILE_PATH_MAX) {
		host_fail_file(HOST_IO, path, "name is too long");
		return -1;
	}
	int descriptor = mkstemp(out_temporary);
	if (descriptor < 0)
		host_fail_file(HOST_IO, path, "cannot write: folder '%s': %s", folder, strerror(errno));
	return descriptor;
}

host_status file_check_output(const char *path)
{
	char temporary[FILE_PATH_MAX];
	int descriptor = make_temporary(path, temporary);
	if (descriptor < 0)
		return HOST_IO;
	close(descriptor);
	unlink(temporary);
	return HOST_OK;
}

host_status file_begin(const char *path, file_output *out)
{
	memset(out, 0, sizeof *out);
	char temporary[FILE_PATH_MAX];
	int descriptor = make_temporary(path, temporary);
	if (descriptor < 0)
		return HOST_IO;
	(void)fchmod(descriptor, output_mode());
	out->stream = fdopen(descriptor, "wb");
	if (!out->stream) {
		close(descriptor);
		unlink(temporary);
		return host_fail_memory("an output file");
	}
	snprintf(out->path, sizeof out->path, "%s", path);
	memcpy(out->temporary, temporary, sizeof temporary);
	return HOST_OK;
}

void file_sync_folder(const char *path)
{
	char folder[FILE_PATH_MAX];
	if (folder_of(path, folder))
		return;
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	(void)fsync(descriptor);
	close(descriptor);
}

host_status file_commit(file_output *output)
{
	if (!output->stream)
		return HOST_OK;
	errno = 0;
	bool good = !ferror(output->stream) && !fflush(output->stream) && !fsync(fileno(output->stream));
	int reason = errno;
	if (fclose(output->stream) && good) {
		good = false;
		reason = errno;
	}
	output->stream = NULL;
	if (good && rename(output->temporary, output->path)) {
		good = false;
		reason = errno;
	}
	if (!good) {
		unlink(output->temporary);
		return host_fail_file(HOST_IO, output->path, "cannot write: %s",
			reason ? strerror(reason) : "disk full or write error");
	}
	file_sync_folder(output->path);
	return HOST_OK;
}

void file_abandon(file_output *output)
{
	if (!output->stream)
		return;
	fclose(output->stream);
	output->stream = NULL;
	unlink(output->temporary);
}

host_status file_write(const char *path, const void *bytes, size_t size)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status)
		return status;
	(void)fwrite(bytes, 1, size, output.stream); /* file_commit sees the stream's error */
	return file_commit(&output);
}

/* Files under /proc tell no size and pipes have none, so only plain files are read. */
static host_status read_open(const char *path, int descriptor, size_t max_bytes, uint8_t **out_bytes, size_t *out_size)
{
	struct stat info;
	if (fstat(descriptor, &info))
		return host_fail_file(HOST_USAGE, path, "cannot read: %s", strerror(errno));
	if (!S_ISREG(info.st_mode))
		return host_fail_file(HOST_USAGE, path, "is not a file");
	if ((uint64_t)info.st_size > max_bytes)
		return host_fail_file(HOST_USAGE, path, "is larger than %zu bytes", max_bytes);
	size_t size = (size_t)info.st_size, done = 0;
	uint8_t *bytes = malloc(size + 1);
	if (!bytes)
		return host_fail_memory(path);
	while (done < size) {
		ssize_t got = read(descriptor, bytes + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(bytes);
			return host_fail_file(HOST_USAGE, path, "cannot read: %s", strerror(errno));
		}
		if (got == 0)
			break;
		done += (size_t)got;
	}
	bytes[done] = 0;
	*out_bytes = bytes;
	*out_size = done;
	return HOST_OK;
}

host_status file_read(const char *path, size_t max_bytes, uint8_t **out_bytes, size_t *out_size)
{
	*out_bytes = NULL;
	*out_size = 0;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0 && errno == ENOENT)
		return host_fail_file(HOST_USAGE, path, "missing");
	if (descriptor < 0)
		return host_fail_file(HOST_USAGE, path, "cannot read: %s", strerror(errno));
	host_status status = read_open(path, descriptor, max_bytes, out_bytes, out_size);
	close(descriptor);
	return status;
}

host_status file_open_plain(const char *path, int flags, int *out_descriptor)
{
	struct stat info;
	const int descriptor = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	*out_descriptor = -1;
	if (descriptor < 0 && errno == ELOOP)
		return host_fail_file(HOST_USAGE, path, "is a symbolic link");
	if (descriptor < 0)
		return host_fail_file(HOST_IO, path, "cannot write: %s", strerror(errno));
	if (fstat(descriptor, &info) || !S_ISREG(info.st_mode)) {
		close(descriptor);
		return host_fail_file(HOST_USAGE, path, "is not a file");
	}
	*out_descriptor = descriptor;
	return HOST_OK;
}

bool file_exists(const char *path)
{
	struct stat info;
	return !stat(path, &info);
}

bool file_is_folder(const char *path)
{
	struct stat info;
	return !stat(path, &info) && S_ISDIR(info.st_mode);
}

host_status file_make_folder(const char *path)
{
	if (!mkdir(path, 0777) || (errno == EEXIST && file_is_folder(path)))
		return HOST_OK;
	return host_fail_file(
		HOST_IO, path, "cannot make folder: %s", errno == EEXIST ? "a file is there" : strerror(errno));
}

host_status path_join(const char *folder, const char *name, char out_path[FILE_PATH_MAX])
{
	bool plain = !*folder || *name == '/';
	size_t length = strlen(folder);
	bool slash = length && folder[length - 1] == '/';
	int written = snprintf(out_path, FILE_PATH_MAX, "%s%s%s", plain ? "" : folder, plain || slash ? "" : "/", name);
	if (written < 0 || written >= FILE_PATH_MAX)
		return host_fail_file(HOST_USAGE, folder, "name is too long");
	return HOST_OK;
}

const char *path_base(const char *path)
{
	const char *end = path + strlen(path);
	while (end > path + 1 && end[-1] == '/')
		end--;
	while (end > path && end[-1] != '/')
		end--;
	return end;
}

bool path_has_extension(const char *path, const char *extension)
{
	size_t length = strlen(path), wanted = strlen(extension);
	return length > wanted && !strcasecmp(path + length - wanted, extension);
}

host_status path_of_program(char out_folder[FILE_PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", out_folder, FILE_PATH_MAX - 1);
	if (length <= 0)
		return host_fail(HOST_IO, "/proc/self/exe: cannot read: %s", strerror(errno));
	out_folder[length] = 0;
	char *slash = strrchr(out_folder, '/');
	if (slash)
		slash[slash == out_folder] = 0;
	return HOST_OK;
}
