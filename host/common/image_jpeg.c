/* SPDX-License-Identifier: Apache-2.0 */
#include "image_jpeg.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "image.h"

/* libjpeg hands back the address of `errors`, its first member. */
typedef struct jpeg_reader {
	struct jpeg_error_mgr errors;
	jmp_buf jump;
	char reason[JMSG_LENGTH_MAX];
	struct jpeg_decompress_struct jpeg;
} jpeg_reader;

static void jump_out(j_common_ptr jpeg)
{
	jpeg_reader *r = (jpeg_reader *)jpeg->err;
	jpeg->err->format_message(jpeg, r->reason);
	longjmp(r->jump, 1);
}

/* libjpeg goes on after warnings and invents what is missing; a scan must not. */
static void stop_at_warning(j_common_ptr jpeg, int level)
{
	if (level < 0)
		jump_out(jpeg);
}

static void start(jpeg_reader *r, const uint8_t *bytes, size_t size)
{
	jpeg_create_decompress(&r->jpeg);
	jpeg_mem_src(&r->jpeg, bytes, (unsigned long)size);
	jpeg_read_header(&r->jpeg, TRUE);
}

static void set_errors(jpeg_reader *r)
{
	memset(r, 0, sizeof *r);
	r->jpeg.err = jpeg_std_error(&r->errors);
	r->errors.error_exit = jump_out;
	r->errors.emit_message = stop_at_warning;
}

host_status image_jpeg_size(
	const char *path, const uint8_t *bytes, size_t size, uint32_t *out_width, uint32_t *out_height)
{
	jpeg_reader r;
	set_errors(&r);
	host_status status = HOST_OK;
	if (setjmp(r.jump)) {
		status = host_fail_file(HOST_USAGE, path, "damaged JPEG: %s", r.reason);
	} else {
		start(&r, bytes, size);
		*out_width = r.jpeg.image_width;
		*out_height = r.jpeg.image_height;
	}
	jpeg_destroy_decompress(&r.jpeg);
	return status;
}

static void decode(jpeg_reader *r, uint8_t *out_rgb)
{
	r->jpeg.out_color_space = JCS_RGB;
	jpeg_start_decompress(&r->jpeg);
	size_t stride = (size_t)r->jpeg.output_width * 3;
	while (r->jpeg.output_scanline < r->jpeg.output_height) {
		JSAMPROW row = out_rgb + r->jpeg.output_scanline * stride;
		jpeg_read_scanlines(&r->jpeg, &row, 1);
	}
	jpeg_finish_decompress(&r->jpeg);
}

host_status image_jpeg_read(
	const char *path, const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *out_rgb)
{
	jpeg_reader r;
	set_errors(&r);
	volatile host_status status = HOST_OK;
	if (setjmp(r.jump)) {
		status = host_fail_file(HOST_USAGE, path, "damaged JPEG: %s", r.reason);
	} else {
		start(&r, bytes, size);
		if (r.jpeg.image_width != width || r.jpeg.image_height != height)
			status = host_fail_file(HOST_USAGE, path, "is %ux%u pixels instead of %ux%u",
				r.jpeg.image_width, r.jpeg.image_height, width, height);
		else
			decode(&r, out_rgb);
	}
	jpeg_destroy_decompress(&r.jpeg);
	return status;
}
