/* SPDX-License-Identifier: Apache-2.0 */
#include "paint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

void paint_set(cairo_t *c, paint_color of)
{
	cairo_set_source_rgb(c, of.r, of.g, of.b);
}

void paint_text(cairo_t *c, double x, double y, double size, bool bold, paint_color of, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cairo_select_font_face(
		c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(c, size);
	paint_set(c, of);
	cairo_move_to(c, x, y);
	cairo_show_text(c, text);
}

host_status paint_surface(const uint8_t *rgba, uint32_t width, uint32_t height, cairo_surface_t **out_surface)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	*out_surface = NULL;
	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
		cairo_surface_destroy(surface);
		return host_fail_memory("a picture");
	}
	uint8_t *rows = cairo_image_surface_get_data(surface);
	const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	for (size_t i = 0; i < (size_t)width * height; i++) {
		const uint32_t word = (uint32_t)rgba[4 * i] << 16 | (uint32_t)rgba[4 * i + 1] << 8 | rgba[4 * i + 2];
		memcpy(rows + i / width * stride + 4 * (i % width), &word, sizeof word);
	}
	cairo_surface_mark_dirty(surface);
	*out_surface = surface;
	return HOST_OK;
}

host_status paint_write(const char *path, cairo_t *c, cairo_surface_t *surface)
{
	if (cairo_status(c) != CAIRO_STATUS_SUCCESS)
		return host_fail(HOST_IO, "%s: the picture cannot be drawn: %s", path, cairo_status_to_string(cairo_status(c)));
	const size_t width = (size_t)cairo_image_surface_get_width(surface), height = (size_t)cairo_image_surface_get_height(surface);
	uint8_t *rgb = malloc(width * height * 3);
	if (!rgb)
		return host_fail_memory(path);
	cairo_surface_flush(surface);
	const uint8_t *rows = cairo_image_surface_get_data(surface);
	const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	for (size_t i = 0; i < width * height; i++) {
		uint32_t word;
		memcpy(&word, rows + i / width * stride + 4 * (i % width), sizeof word);
		for (size_t k = 0; k < 3; k++)
			rgb[3 * i + k] = (uint8_t)(word >> (16 - 8 * k));
	}
	host_status status = image_write_color(path, (uint32_t)width, (uint32_t)height, 3, rgb, IMAGE_SMALL);
	free(rgb);
	return status;
}
