/* SPDX-License-Identifier: Apache-2.0 */
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "image.h"

typedef struct picture {
	uint32_t width, height, channels, bits;
	const uint8_t *pixels;
	image_effort effort;
} picture;

static void jump_on_error(png_structp png, png_const_charp text)
{
	(void)text;
	png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static int color_type(uint32_t channels)
{
	if (channels == 4)
		return PNG_COLOR_TYPE_RGB_ALPHA;
	return channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
}

/* Runs under setjmp. */
static void encode(png_structp png, png_infop info, FILE *stream, const picture *p)
{
	png_init_io(png, stream);
	png_set_IHDR(png, info, p->width, p->height, (int)p->bits, color_type(p->channels), PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (p->effort == IMAGE_FAST) {
		png_set_compression_level(png, 1);
		png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
	}
	png_write_info(png, info);
	const uint16_t one = 1;
	if (p->bits == 16 && *(const uint8_t *)&one)
		png_set_swap(png);
	size_t stride = (size_t)p->width * p->channels * (p->bits / 8);
	for (uint32_t y = 0; y < p->height; y++)
		png_write_row(png, p->pixels + y * stride);
	png_write_end(png, info);
}

static host_status write_picture(const char *path, const picture *p)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status)
		return status;
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, jump_on_error, ignore_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	if (!info) {
		png_destroy_write_struct(&png, NULL);
		file_abandon(&output);
		return host_fail_memory(path);
	}
	if (setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		file_abandon(&output);
		return host_fail_file(HOST_IO, path, "cannot write: disk full or write error");
	}
	encode(png, info, output.stream, p);
	png_destroy_write_struct(&png, &info);
	return file_commit(&output);
}

host_status image_write_depth(
	const char *path, uint32_t width, uint32_t height, const uint16_t *depth, image_effort effort)
{
	const picture p = {width, height, 1, 16, (const uint8_t *)depth, effort};
	return write_picture(path, &p);
}

host_status image_write_color(const char *path, uint32_t width, uint32_t height, uint32_t channels,
	const uint8_t *pixels, image_effort effort)
{
	const picture p = {width, height, channels, 8, pixels, effort};
	return write_picture(path, &p);
}
