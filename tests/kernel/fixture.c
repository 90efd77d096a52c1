/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "fixture.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[FIXTURE_PATH_MAX / 2];

int fixture_folder_setup(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%s/enamel-test-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

int fixture_folder_teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_path(const char *name)
{
	static char paths[8][FIXTURE_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, FIXTURE_PATH_MAX, "%s%s%s", folder, name[0] != '\0' ? "/" : "", name);
	return path;
}

void fixture_make_folder(const char *name)
{
	assert_int_equal(mkdir(fixture_path(name), 0700), 0);
}

void fixture_write(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(fixture_path(name), "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void fixture_text(const char *name, const char *text)
{
	fixture_write(name, text, strlen(text));
}

size_t fixture_read(const char *name, unsigned char *out_bytes, size_t size)
{
	FILE *file = fopen(fixture_path(name), "rb");
	assert_non_null(file);
	size_t got = fread(out_bytes, 1, size, file);
	fclose(file);
	return got;
}

size_t fixture_count(const char *name, const char *end, char out_name[256])
{
	size_t count = 0, end_length = strlen(end);
	const struct dirent *item;
	DIR *dir = opendir(fixture_path(name));
	if (dir == NULL)
		return 0;
	while ((item = readdir(dir)) != NULL) {
		size_t length = strlen(item->d_name);
		if (item->d_name[0] == '.' || length < end_length ||
			strcmp(item->d_name + length - end_length, end) != 0)
			continue;
		count++;
		if (out_name != NULL)
			snprintf(out_name, 256, "%s", item->d_name);
	}
	closedir(dir);
	return count;
}

static void keep(void *user, enm_log_level level, const char *text)
{
	fixture_log *log = user;
	log->counts[level]++;
	if (level == ENM_LOG_WARNING && log->first_warning[0] == '\0')
		snprintf(log->first_warning, sizeof(log->first_warning), "%s", text);
	if (strstr(text, "without -Werror") != NULL)
		log->without_werror = true;
}

enm_context_def fixture_def(fixture_log *log)
{
	enm_context_def def = enm_context_def_default();
	if (log != NULL) {
		memset(log, 0, sizeof(*log));
		def.log = keep;
		def.log_user = log;
		def.log_level = ENM_LOG_DEBUG;
	}
	def.device_name = getenv("ENAMEL_TEST_DEVICE");
	return def;
}

void fixture_assert_result(enm_result result, enm_result expected, const char *call, const char *file, int line)
{
	if (result != expected)
		print_error("%s gave %s, not %s: %s\n", call, enm_result_name(result), enm_result_name(expected),
			enm_last_error());
	_assert_int_equal((uintmax_t)result, (uintmax_t)expected, file, line);
}

void fixture_assert_has(const char *text, const char *part, const char *file, int line)
{
	bool has = strstr(text, part) != NULL;
	if (!has)
		print_error("'%s' does not hold '%s'\n", text, part);
	_assert_true(has, "text has the part", file, line);
}
