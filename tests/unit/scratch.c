/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include <stddef.h>
#include <stdint.h>

#include "cmocka_all.h"

#include "scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

static char folder[SCRATCH_PATH_MAX / 2];

int scratch_setup(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/enamel-test-XXXXXX", base && *base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

int scratch_teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_folder(void)
{
	return folder;
}

const char *scratch_path(const char *name)
{
	static char paths[8][SCRATCH_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, SCRATCH_PATH_MAX, "%s/%s", folder, name);
	return path;
}

void scratch_write(const char *name, const void *bytes, size_t size)
{
	FILE *f = fopen(scratch_path(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

void scratch_text(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text));
}

void scratch_make_folder(const char *name)
{
	assert_int_equal(mkdir(scratch_path(name), 0777), 0);
}

size_t scratch_size(const char *name)
{
	struct stat info;
	assert_int_equal(stat(scratch_path(name), &info), 0);
	return (size_t)info.st_size;
}

void scratch_cut(const char *name, size_t size)
{
	assert_int_equal(truncate(scratch_path(name), (off_t)size), 0);
}

size_t scratch_count(const char *name)
{
	DIR *stream = opendir(scratch_path(name));
	assert_non_null(stream);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(stream));)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(stream);
	return count;
}

static uint32_t samples_of(int color_type)
{
	switch (color_type) {
	case PNG_COLOR_TYPE_RGB:
		return 3;
	case PNG_COLOR_TYPE_RGB_ALPHA:
		return 4;
	case PNG_COLOR_TYPE_GRAY_ALPHA:
		return 2;
	default:
		return 1;
	}
}

void scratch_write_png(const char *name, scratch_png form, const void *pixels)
{
	FILE *f = fopen(scratch_path(name), "wb");
	assert_non_null(f);
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	assert_non_null(info);
	if (setjmp(png_jmpbuf(png)))
		fail_msg("libpng cannot write the fixture %s", name);
	png_init_io(png, f);
	png_set_IHDR(png, info, form.width, form.height, form.bits, form.color_type, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	static const png_color palette[2] = {{0, 0, 0}, {255, 255, 255}};
	if (form.color_type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 2);
	png_write_info(png, info);
	const uint16_t one = 1;
	if (form.bits == 16 && *(const uint8_t *)&one)
		png_set_swap(png);
	size_t stride = (size_t)form.width * samples_of(form.color_type) * (size_t)form.bits / 8;
	for (uint32_t y = 0; y < form.height; y++)
		png_write_row(png, (const uint8_t *)pixels + y * stride);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	assert_int_equal(fclose(f), 0);
}

void scratch_depth(const char *name, uint32_t width, uint32_t height, uint16_t first, uint16_t rest)
{
	size_t count = (size_t)width * height;
	uint16_t *depth = malloc(count * sizeof *depth);
	assert_non_null(depth);
	for (size_t i = 0; i < count; i++)
		depth[i] = i ? rest : first;
	const scratch_png form = {width, height, PNG_COLOR_TYPE_GRAY, 16};
	scratch_write_png(name, form, depth);
	free(depth);
}

void assert_failure_ends(const char *end)
{
	const char *text = host_error_text();
	size_t length = strlen(text), wanted = strlen(end);
	if (length < wanted || strcmp(text + length - wanted, end) || strchr(text, '\n'))
		fail_msg("failure is \"%s\", expected it to end with \"%s\"", text, end);
}
