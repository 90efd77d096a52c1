/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "image_jpeg.h"

#define IMAGE_FILE_BYTES_MAX ((size_t)512 << 20)
#define ERROR_BYTES 160

typedef struct byte_source {
	const uint8_t *bytes;
	size_t size, at;
} byte_source;

/* What a PNG decoder owns; `reason` is filled by libpng's error callback before it jumps. */
typedef struct png_reader {
	png_structp png;
	png_infop info;
	byte_source source;
	char reason[ERROR_BYTES];
} png_reader;

static void keep_png_error(png_structp png, png_const_charp text)
{
	snprintf(png_get_error_ptr(png), ERROR_BYTES, "%s", text);
	png_longjmp(png, 1);
}

static void ignore_png_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void read_png_bytes(png_structp png, png_bytep out, size_t count)
{
	byte_source *source = png_get_io_ptr(png);
	if (count > source->size - source->at)
		png_error(png, "truncated");
	memcpy(out, source->bytes + source->at, count);
	source->at += count;
}

static host_status open_png(const char *path, png_reader *r)
{
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r->reason, keep_png_error, ignore_png_warning);
	r->info = r->png ? png_create_info_struct(r->png) : NULL;
	if (!r->info) {
		png_destroy_read_struct(&r->png, NULL, NULL);
		return host_fail_memory(path);
	}
	png_set_read_fn(r->png, &r->source, read_png_bytes);
	png_set_user_limits(r->png, IMAGE_SIZE_MAX, IMAGE_SIZE_MAX);
	png_set_chunk_cache_max(r->png, 64);
	png_set_chunk_malloc_max(r->png, (png_alloc_size_t)8 << 20);
	png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
	return HOST_OK;
}

static const char *png_form(int color_type, int bits)
{
	if (color_type == PNG_COLOR_TYPE_PALETTE)
		return "palette";
	if (color_type & PNG_COLOR_MASK_COLOR)
		return bits == 16 ? "16-bit RGB" : "8-bit RGB";
	if (color_type & PNG_COLOR_MASK_ALPHA)
		return "grey with alpha";
	return bits == 16 ? "16-bit grey" : "grey of 8 bits or less";
}

static host_status check_size(
	const char *path, uint32_t width, uint32_t height, uint32_t want_width, uint32_t want_height)
{
	if (width == want_width && height == want_height)
		return HOST_OK;
	return host_fail_file(
		HOST_USAGE, path, "is %ux%u pixels instead of %ux%u", width, height, want_width, want_height);
}

/* Prepares the decoder for 16-bit grey in host byte order. Runs under setjmp. */
static host_status setup_depth(const char *path, png_reader *r)
{
	int type = png_get_color_type(r->png, r->info), bits = png_get_bit_depth(r->png, r->info);
	if (type != PNG_COLOR_TYPE_GRAY || bits != 16)
		return host_fail_file(HOST_USAGE, path, "is a %s PNG instead of 16-bit grey", png_form(type, bits));
	const uint16_t one = 1;
	if (*(const uint8_t *)&one)
		png_set_swap(r->png);
	return HOST_OK;
}

static void setup_rgb(png_reader *r)
{
	png_set_expand(r->png);
	png_set_strip_16(r->png);
	png_set_strip_alpha(r->png);
	png_set_gray_to_rgb(r->png);
}

typedef struct picture_wish {
	uint32_t width, height;
	bool depth; /* 16-bit grey, else RGB */
	uint8_t *out;
} picture_wish;

/* Runs under setjmp; all that must survive a jump is in `r`. */
static host_status decode_png(const char *path, png_reader *r, const picture_wish *wish)
{
	png_read_info(r->png, r->info);
	host_status status = check_size(path, png_get_image_width(r->png, r->info),
		png_get_image_height(r->png, r->info), wish->width, wish->height);
	if (status)
		return status;
	if (wish->depth) {
		status = setup_depth(path, r);
		if (status)
			return status;
	} else {
		setup_rgb(r);
	}
	int passes = png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	size_t stride = (size_t)wish->width * (wish->depth ? 2 : 3);
	if (png_get_rowbytes(r->png, r->info) != stride)
		return host_fail_file(HOST_USAGE, path, "has rows of an unexpected size");
	for (int pass = 0; pass < passes; pass++)
		for (uint32_t y = 0; y < wish->height; y++)
			png_read_row(r->png, wish->out + y * stride, NULL);
	png_read_end(r->png, NULL);
	return HOST_OK;
}

static bool is_png(const uint8_t *bytes, size_t size)
{
	return size >= 8 && !png_sig_cmp(bytes, 0, 8);
}

static bool is_jpeg(const uint8_t *bytes, size_t size)
{
	return size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

static host_status read_png(const char *path, const uint8_t *bytes, size_t size, const picture_wish *wish)
{
	png_reader r = {.source = {bytes, size, 0}};
	host_status status = open_png(path, &r);
	if (status)
		return status;
	if (setjmp(png_jmpbuf(r.png)))
		status = host_fail_file(HOST_USAGE, path, "damaged PNG: %s", r.reason);
	else
		status = decode_png(path, &r, wish);
	png_destroy_read_struct(&r.png, &r.info, NULL);
	return status;
}

static host_status read_picture(const char *path, uint8_t **out_bytes, size_t *out_size)
{
	host_status status = file_read(path, IMAGE_FILE_BYTES_MAX, out_bytes, out_size);
	if (!status && !*out_size) {
		free(*out_bytes);
		*out_bytes = NULL;
		return host_fail_file(HOST_USAGE, path, "is empty");
	}
	return status;
}

host_status image_read_depth(const char *path, uint32_t width, uint32_t height, uint16_t *out_depth)
{
	uint8_t *bytes;
	size_t size;
	host_status status = read_picture(path, &bytes, &size);
	if (status)
		return status;
	const picture_wish wish = {width, height, true, (uint8_t *)out_depth};
	if (is_png(bytes, size))
		status = read_png(path, bytes, size, &wish);
	else
		status = host_fail_file(HOST_USAGE, path, "is no PNG");
	free(bytes);
	return status;
}

host_status image_read_rgb(const char *path, uint32_t width, uint32_t height, uint8_t *out_rgb)
{
	uint8_t *bytes;
	size_t size;
	host_status status = read_picture(path, &bytes, &size);
	if (status)
		return status;
	const picture_wish wish = {width, height, false, out_rgb};
	if (is_png(bytes, size))
		status = read_png(path, bytes, size, &wish);
	else if (is_jpeg(bytes, size))
		status = image_jpeg_read(path, bytes, size, width, height, out_rgb);
	else
		status = host_fail_file(HOST_USAGE, path, "is neither PNG nor JPEG");
	free(bytes);
	return status;
}

static host_status read_png_size(
	const char *path, const uint8_t *bytes, size_t size, uint32_t *out_width, uint32_t *out_height)
{
	png_reader r = {.source = {bytes, size, 0}};
	host_status status = open_png(path, &r);
	if (status)
		return status;
	if (setjmp(png_jmpbuf(r.png))) {
		status = host_fail_file(HOST_USAGE, path, "damaged PNG: %s", r.reason);
	} else {
		png_read_info(r.png, r.info);
		*out_width = png_get_image_width(r.png, r.info);
		*out_height = png_get_image_height(r.png, r.info);
	}
	png_destroy_read_struct(&r.png, &r.info, NULL);
	return status;
}

host_status image_read_size(const char *path, uint32_t *out_width, uint32_t *out_height)
{
	uint8_t *bytes;
	size_t size;
	*out_width = *out_height = 0;
	host_status status = read_picture(path, &bytes, &size);
	if (status)
		return status;
	if (is_png(bytes, size))
		status = read_png_size(path, bytes, size, out_width, out_height);
	else if (is_jpeg(bytes, size))
		status = image_jpeg_size(path, bytes, size, out_width, out_height);
	else
		status = host_fail_file(HOST_USAGE, path, "is neither PNG nor JPEG");
	free(bytes);
	return status;
}
