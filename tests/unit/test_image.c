/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "image.h"
#include "scratch.h"

#define WIDTH 33
#define HEIGHT 17
#define PIXELS (WIDTH * HEIGHT)

static void fill_depth(uint16_t *depth)
{
	for (int i = 0; i < PIXELS; i++)
		depth[i] = (uint16_t)(i * 117 + 3);
}

static void depth_comes_back(void **state)
{
	(void)state;
	uint16_t depth[PIXELS], back[PIXELS];
	fill_depth(depth);
	for (int effort = IMAGE_FAST; effort <= IMAGE_SMALL; effort++) {
		const char *path = scratch_path("d.png");
		assert_int_equal(image_write_depth(path, WIDTH, HEIGHT, depth, (image_effort)effort), HOST_OK);
		assert_int_equal(image_read_depth(path, WIDTH, HEIGHT, back), HOST_OK);
		assert_memory_equal(depth, back, sizeof depth);
	}
	uint32_t width, height;
	assert_int_equal(image_read_size(scratch_path("d.png"), &width, &height), HOST_OK);
	assert_int_equal(width, WIDTH);
	assert_int_equal(height, HEIGHT);
	assert_int_equal(scratch_count("."), 1);
}

static void rejects_depth(const char *name, const char *reason)
{
	uint16_t depth[PIXELS];
	assert_int_equal(image_read_depth(scratch_path(name), WIDTH, HEIGHT, depth), HOST_USAGE);
	assert_failure_ends(reason);
}

static void rejects_other_forms(void **state)
{
	(void)state;
	static const uint8_t pixels[PIXELS * 8];
	const scratch_png grey8 = {WIDTH, HEIGHT, PNG_COLOR_TYPE_GRAY, 8},
			  rgb8 = {WIDTH, HEIGHT, PNG_COLOR_TYPE_RGB, 8},
			  rgb16 = {WIDTH, HEIGHT, PNG_COLOR_TYPE_RGB, 16},
			  palette = {WIDTH, HEIGHT, PNG_COLOR_TYPE_PALETTE, 8},
			  alpha = {WIDTH, HEIGHT, PNG_COLOR_TYPE_GRAY_ALPHA, 16};
	scratch_write_png("a.png", grey8, pixels);
	rejects_depth("a.png", "a.png: is a grey of 8 bits or less PNG instead of 16-bit grey");
	scratch_write_png("a.png", rgb8, pixels);
	rejects_depth("a.png", "a.png: is a 8-bit RGB PNG instead of 16-bit grey");
	scratch_write_png("a.png", rgb16, pixels);
	rejects_depth("a.png", "a.png: is a 16-bit RGB PNG instead of 16-bit grey");
	scratch_write_png("a.png", palette, pixels);
	rejects_depth("a.png", "a.png: is a palette PNG instead of 16-bit grey");
	scratch_write_png("a.png", alpha, pixels);
	rejects_depth("a.png", "a.png: is a grey with alpha PNG instead of 16-bit grey");
	scratch_depth("a.png", WIDTH + 1, HEIGHT, 1, 1);
	rejects_depth("a.png", "a.png: is 34x17 pixels instead of 33x17");
}

static void rejects_damage(void **state)
{
	(void)state;
	uint16_t depth[PIXELS];
	fill_depth(depth);
	rejects_depth("none.png", "none.png: missing");
	scratch_text("empty.png", "");
	rejects_depth("empty.png", "empty.png: is empty");
	scratch_text("text.png", "no picture at all");
	rejects_depth("text.png", "text.png: is no PNG");
	scratch_make_folder("folder.png");
	rejects_depth("folder.png", "folder.png: is not a file");
	assert_int_equal(image_write_depth(scratch_path("cut.png"), WIDTH, HEIGHT, depth, IMAGE_FAST), HOST_OK);
	for (size_t size = scratch_size("cut.png") - 1; size > 0; size -= size > 60 ? 37 : 1) {
		scratch_cut("cut.png", size);
		assert_int_equal(image_read_depth(scratch_path("cut.png"), WIDTH, HEIGHT, depth), HOST_USAGE);
	}
}

/* Any byte of a picture may be wrong: it is read or refused, never worse. The sanitizers watch. */
static void survives_flipped_bytes(void **state)
{
	(void)state;
	uint16_t depth[PIXELS];
	uint8_t bytes[4096];
	fill_depth(depth);
	assert_int_equal(image_write_depth(scratch_path("a.png"), WIDTH, HEIGHT, depth, IMAGE_FAST), HOST_OK);
	size_t size = scratch_size("a.png"), refused = 0;
	FILE *f = fopen(scratch_path("a.png"), "rb");
	assert_int_equal(fread(bytes, 1, size, f), size);
	fclose(f);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0x5a;
		scratch_write("b.png", bytes, size);
		refused += image_read_depth(scratch_path("b.png"), WIDTH, HEIGHT, depth) != HOST_OK;
		bytes[i] ^= 0x5a;
	}
	assert_true(refused > size * 9 / 10);
}

static void color_comes_back(void **state)
{
	(void)state;
	uint8_t rgba[PIXELS * 4], rgb[PIXELS * 3], back[PIXELS * 3];
	for (int i = 0; i < PIXELS; i++) {
		for (int c = 0; c < 3; c++)
			rgba[4 * i + c] = rgb[3 * i + c] = (uint8_t)(i * 7 + c * 50);
		rgba[4 * i + 3] = (uint8_t)i;
	}
	const char *path = scratch_path("c.png");
	assert_int_equal(image_write_color(path, WIDTH, HEIGHT, 3, rgb, IMAGE_FAST), HOST_OK);
	assert_int_equal(image_read_rgb(path, WIDTH, HEIGHT, back), HOST_OK);
	assert_memory_equal(rgb, back, sizeof rgb);
	assert_int_equal(image_write_color(path, WIDTH, HEIGHT, 4, rgba, IMAGE_SMALL), HOST_OK);
	assert_int_equal(image_read_rgb(path, WIDTH, HEIGHT, back), HOST_OK);
	assert_memory_equal(rgb, back, sizeof rgb);
	assert_int_equal(image_read_rgb(path, WIDTH, HEIGHT + 1, back), HOST_USAGE);
	assert_failure_ends("c.png: is 33x17 pixels instead of 33x18");
}

static void write_jpeg(const char *name, const uint8_t *rgb)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	FILE *f = fopen(scratch_path(name), "wb");
	assert_non_null(f);
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, f);
	jpeg.image_width = WIDTH;
	jpeg.image_height = HEIGHT;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 95, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	uint8_t row[WIDTH * 3];
	for (JSAMPROW at = row; jpeg.next_scanline < HEIGHT;) {
		memcpy(row, rgb + jpeg.next_scanline * WIDTH * 3, sizeof row);
		jpeg_write_scanlines(&jpeg, &at, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	fclose(f);
}

static void reads_jpeg(void **state)
{
	(void)state;
	uint8_t rgb[PIXELS * 3], back[PIXELS * 3];
	memset(rgb, 90, sizeof rgb);
	write_jpeg("c.jpg", rgb);
	assert_int_equal(image_read_rgb(scratch_path("c.jpg"), WIDTH, HEIGHT, back), HOST_OK);
	for (size_t i = 0; i < sizeof back; i++)
		assert_in_range(back[i], 86, 94);
	uint32_t width, height;
	assert_int_equal(image_read_size(scratch_path("c.jpg"), &width, &height), HOST_OK);
	assert_int_equal(width, WIDTH);
	assert_int_equal(height, HEIGHT);
	assert_int_equal(image_read_rgb(scratch_path("c.jpg"), WIDTH, HEIGHT - 1, back), HOST_USAGE);
	assert_failure_ends("c.jpg: is 33x17 pixels instead of 33x16");
	for (size_t size = scratch_size("c.jpg") - 3; size > 3; size -= size > 40 ? 29 : 1) {
		scratch_cut("c.jpg", size);
		assert_int_equal(image_read_rgb(scratch_path("c.jpg"), WIDTH, HEIGHT, back), HOST_USAGE);
		assert_non_null(strstr(host_error_text(), "c.jpg: damaged JPEG: "));
	}
	scratch_text("c.jpg", "what is this");
	assert_int_equal(image_read_rgb(scratch_path("c.jpg"), WIDTH, HEIGHT, back), HOST_USAGE);
	assert_failure_ends("c.jpg: is neither PNG nor JPEG");
}

static void writing_fails_in_words(void **state)
{
	(void)state;
	static const uint16_t depth[PIXELS];
	assert_int_equal(image_write_depth(scratch_path("none/d.png"), WIDTH, HEIGHT, depth, IMAGE_FAST), HOST_IO);
	assert_failure_ends("No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(depth_comes_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(rejects_other_forms, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(rejects_damage, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(survives_flipped_bytes, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(color_comes_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(reads_jpeg, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(writing_fails_in_words, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
