/* SPDX-License-Identifier: Apache-2.0
 *
 * Built programs on disk, one file each. Any doubt about a file is a miss: the program is built again, and the first
 * such trouble of a device is logged. */
#include "gpu/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FORMAT_VERSION 1u
#define FILES_KEPT 8u
#define PAYLOAD_BYTES_MAX (256u << 20)

/* At the start of every file, in the byte order of the machine: one of another order shows in the version. */
typedef struct cache_header {
	char magic[8];
	uint32_t format_version;
	uint32_t header_bytes;
	char key[32];
	uint64_t payload_bytes;
	unsigned char payload_hash[16];
} cache_header;

static const char MAGIC[8] = {'E', 'N', 'M', 'K', 'E', 'R', 'N', 'L'};

void gpu_cache_warn(gpu_device *device, const char *format, ...)
{
	char text[768];
	pthread_mutex_lock(&device->lock);
	bool first = !device->cache_warned;
	device->cache_warned = true;
	pthread_mutex_unlock(&device->lock);
	if (!first)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gpu_log(device, ENM_LOG_WARNING, "kernel cache: %s", text);
}

/* ---- key ---- */

/* Length first, so that no two lists of fields give the same bytes. */
static void add(XXH3_state_t *state, const void *bytes, size_t size)
{
	uint64_t length = size;
	XXH3_128bits_update(state, &length, sizeof(length));
	XXH3_128bits_update(state, bytes, size);
}

static void add_text(XXH3_state_t *state, const char *text)
{
	add(state, text, strlen(text));
}

enm_result gpu_cache_key(const gpu_device *device, const gpu_text *source, char out_key[33])
{
	XXH128_canonical_t canonical;
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL)
		return gpu_error_host_memory("cache key", sizeof(*state));
	XXH3_128bits_reset(state);
	add_text(state, enm_version());
	add_text(state, device->info.platform);
	add_text(state, device->platform_version);
	add_text(state, device->info.vendor);
	add_text(state, device->info.name);
	add_text(state, device->info.driver);
	add_text(state, device->info.opencl_version);
	add_text(state, device->options);
	add(state, source->bytes, source->size);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(out_key + 2 * i, 3, "%02x", canonical.digest[i]);
	return ENM_OK;
}

static void hash_payload(const unsigned char *bytes, size_t size, unsigned char out_hash[16])
{
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
	memcpy(out_hash, canonical.digest, sizeof(canonical.digest));
}

/* ---- folder ---- */

static bool make_folders(char *path)
{
	for (char *at = path + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char kept = *at;
		*at = '\0';
		bool there = mkdir(path, 0700) == 0 || errno == EEXIST;
		*at = kept;
		/* A parent may refuse (EROFS, EACCES) and yet exist: only the last answer counts. */
		if (kept == '\0')
			return there || access(path, X_OK) == 0;
	}
}

/* Empty when there is nowhere to keep anything. */
static void find_folder(const char *wish, char *out, size_t size)
{
	const char *enamel = getenv("ENAMEL_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int length = 0;
	if (wish == NULL)
		wish = enamel;
	out[0] = '\0';
	if (wish != NULL)
		length = snprintf(out, size, "%s", wish);
	else if (xdg != NULL && xdg[0] == '/') /* the XDG standard: a relative one is to be ignored */
		length = snprintf(out, size, "%s/enamel", xdg);
	else if (home != NULL && home[0] == '/')
		length = snprintf(out, size, "%s/.cache/enamel", home);
	if (length >= (int)size)
		out[0] = '\0';
}

enm_result gpu_cache_folder(gpu_device *device, const char *wish, char **out_folder)
{
	char path[3072];
	*out_folder = NULL;
	find_folder(wish, path, sizeof(path));
	if (path[0] == '\0') {
		gpu_log(device, ENM_LOG_INFO, "kernel cache: none");
		return ENM_OK;
	}
	if (!make_folders(path)) {
		gpu_cache_warn(device, "%s: cannot be made: %s", path, strerror(errno));
		return ENM_OK;
	}
	size_t size = strlen(path) + 1;
	*out_folder = malloc(size);
	if (*out_folder == NULL)
		return gpu_error_host_memory("cache folder", size);
	memcpy(*out_folder, path, size);
	return ENM_OK;
}

static void file_path(const gpu_device *device, const gpu_program *program, char out[4096])
{
	snprintf(out, 4096, "%s/%s-%s.bin", device->cache_dir, program->name, program->key);
}

/* ---- reading ---- */

static bool read_all(int file, void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(file, (char *)bytes + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* A file that others may write could carry code of theirs. */
static const char *doubt_about_owner(const struct stat *stat)
{
	if (!S_ISREG(stat->st_mode))
		return "not a regular file";
	if (stat->st_uid != geteuid() && stat->st_uid != 0)
		return "belongs to another user";
	if ((stat->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "can be written by other users";
	return NULL;
}

static const char *doubt_about_header(const cache_header *header, const gpu_program *program, off_t file_bytes)
{
	if (memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0)
		return "not a kernel cache file";
	if (header->format_version != FORMAT_VERSION || header->header_bytes != sizeof(*header))
		return "written by another version";
	if (memcmp(header->key, program->key, sizeof(header->key)) != 0)
		return "of another program";
	if (header->payload_bytes == 0 || header->payload_bytes > PAYLOAD_BYTES_MAX)
		return "damaged (size)";
	if ((uint64_t)file_bytes != sizeof(*header) + header->payload_bytes)
		return "truncated or too long";
	return NULL;
}

/* NULL when the payload is good and in `out_bytes`, else the doubt. */
static const char *read_payload(int file, const gpu_program *program, unsigned char **out_bytes, size_t *out_size)
{
	cache_header header;
	struct stat stat;
	unsigned char hash[16];
	if (fstat(file, &stat) != 0)
		return strerror(errno);
	const char *doubt = doubt_about_owner(&stat);
	if (doubt == NULL && !read_all(file, &header, sizeof(header)))
		doubt = "truncated";
	if (doubt == NULL)
		doubt = doubt_about_header(&header, program, stat.st_size);
	if (doubt != NULL)
		return doubt;
	unsigned char *bytes = malloc(header.payload_bytes);
	if (bytes == NULL)
		return "no host memory";
	if (!read_all(file, bytes, header.payload_bytes)) {
		free(bytes);
		return "cannot be read";
	}
	hash_payload(bytes, header.payload_bytes, hash);
	if (memcmp(hash, header.payload_hash, sizeof(hash)) != 0) {
		free(bytes);
		return "damaged (checksum)";
	}
	*out_bytes = bytes;
	*out_size = header.payload_bytes;
	return NULL;
}

/* -1 on a miss. */
static int open_file(gpu_device *device, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0 && errno != ENOENT)
		gpu_cache_warn(device, "%s: %s", path, strerror(errno));
	return file;
}

bool gpu_cache_read_text(gpu_device *device, const char *path, char *out, size_t size)
{
	struct stat stat;
	int file = open_file(device, path);
	if (file < 0)
		return false;
	const char *doubt = fstat(file, &stat) != 0 ? strerror(errno) : doubt_about_owner(&stat);
	if (doubt == NULL && (stat.st_size <= 0 || (uint64_t)stat.st_size >= size))
		doubt = "damaged (size)";
	if (doubt == NULL && !read_all(file, out, (size_t)stat.st_size))
		doubt = "cannot be read";
	if (doubt == NULL)
		out[stat.st_size] = '\0';
	else
		gpu_cache_warn(device, "%s: %s", path, doubt);
	close(file);
	return doubt == NULL;
}

void gpu_cache_load(gpu_device *device, const gpu_program *program, unsigned char **out_bytes, size_t *out_size)
{
	char path[4096];
	*out_bytes = NULL;
	*out_size = 0;
	file_path(device, program, path);
	int file = open_file(device, path);
	if (file < 0)
		return;
	const char *doubt = read_payload(file, program, out_bytes, out_size);
	if (doubt != NULL)
		gpu_cache_warn(device, "%s: %s; building again", path, doubt);
	else
		(void)futimens(file, NULL); /* in use: the last to be pruned. Refused where the folder is read-only. */
	close(file);
}

/* ---- writing ---- */

static bool write_all(int file, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(file, (const char *)bytes + done, size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

static bool older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Counts the files of a program and finds the one longest out of use. */
static uint32_t find_oldest(const gpu_device *device, const gpu_program *program, char out_path[4096])
{
	char path[4096];
	uint32_t count = 0;
	struct timespec oldest = {0};
	size_t length = strlen(program->name);
	const struct dirent *item;
	DIR *dir = opendir(device->cache_dir);
	if (dir == NULL)
		return 0;
	while ((item = readdir(dir)) != NULL) {
		struct stat stat;
		/* "NAME-", 32 digits, ".bin": no other program's file can look like that */
		if (strncmp(item->d_name, program->name, length) != 0 || item->d_name[length] != '-' ||
			strlen(item->d_name) != length + 1 + 32 + 4)
			continue;
		snprintf(path, sizeof(path), "%.3100s/%.255s", device->cache_dir, item->d_name);
		if (lstat(path, &stat) != 0 || !S_ISREG(stat.st_mode))
			continue;
		if (count++ == 0 || older(&stat.st_mtim, &oldest)) {
			oldest = stat.st_mtim;
			memcpy(out_path, path, sizeof(path));
		}
	}
	closedir(dir);
	return count;
}

/* Every version of program, driver and device leaves a file: only the FILES_KEPT last used of a program stay. */
static void prune(const gpu_device *device, const gpu_program *program)
{
	char path[4096];
	while (find_oldest(device, program, path) > FILES_KEPT)
		if (unlink(path) != 0)
			return;
}

bool gpu_cache_write_file(
	gpu_device *device, const char *path, const void *head, size_t head_bytes, const void *body, size_t body_bytes)
{
	static atomic_uint serial;
	char temporary[4096 + 48];
	snprintf(
		temporary, sizeof(temporary), "%.4095s.%ld-%u.tmp", path, (long)getpid(), atomic_fetch_add(&serial, 1));
	int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0) {
		gpu_cache_warn(device, "%s: %s", temporary, strerror(errno));
		return false;
	}
	bool good = write_all(file, head, head_bytes) && write_all(file, body, body_bytes) && fsync(file) == 0;
	good = close(file) == 0 && good;
	good = good && rename(temporary, path) == 0;
	if (!good) {
		gpu_cache_warn(device, "%s: %s", path, strerror(errno));
		unlink(temporary);
	}
	return good;
}

void gpu_cache_save(gpu_device *device, const gpu_program *program, const unsigned char *bytes, size_t size)
{
	char path[4096];
	cache_header header = {.format_version = FORMAT_VERSION, .header_bytes = sizeof(header), .payload_bytes = size};

	if (size > PAYLOAD_BYTES_MAX)
		return;
	memcpy(header.magic, MAGIC, sizeof(MAGIC));
	memcpy(header.key, program->key, sizeof(header.key));
	hash_payload(bytes, size, header.payload_hash);
	file_path(device, program, path);
	if (gpu_cache_write_file(device, path, &header, sizeof(header), bytes, size))
		prune(device, program);
}
