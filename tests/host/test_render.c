/* SPDX-License-Identifier: Apache-2.0
 * `enamel render` from end to end: of a mesh file, of a scan, and of what is neither. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enamel.h"
#include "file.h"
#include "image.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"

#define WIDTH 200u
#define HEIGHT 150u
#define SIZE "200x150"
#define RINGS 24
#define SECTORS 48

static char program[] = ENAMEL_PROGRAM;

#define RENDER(...) process_run((char *[]){program, "render", __VA_ARGS__, NULL})

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

/* A dome of 8 mm, open below, the outside up in z. */
static void make_dome(const char *name, bool with_values)
{
	static float positions[RINGS * SECTORS * 3], sigma_um[RINGS * SECTORS];
	static uint16_t views[RINGS * SECTORS];
	static uint32_t triangles[(RINGS - 1) * SECTORS * 6];
	uint32_t *t = triangles;
	for (uint32_t i = 0; i < RINGS * SECTORS; i++) {
		const double down = 0.05 + 1.3 * (i / SECTORS) / (RINGS - 1.0), around = 2.0 * acos(-1.0) * (i % SECTORS) / SECTORS;
		positions[3 * i] = (float)(8.0 * sin(down) * cos(around));
		positions[3 * i + 1] = (float)(8.0 * sin(down) * sin(around));
		positions[3 * i + 2] = (float)(8.0 * cos(down));
		views[i] = (uint16_t)(1 + i / SECTORS);
		sigma_um[i] = 20.0f - (float)(i / SECTORS);
	}
	for (uint32_t r = 0; r + 1 < RINGS; r++) {
		for (uint32_t s = 0; s < SECTORS; s++) {
			const uint32_t a = r * SECTORS + s, b = r * SECTORS + (s + 1) % SECTORS, c = a + SECTORS, d = b + SECTORS;
			const uint32_t six[6] = {a, c, b, b, c, d};
			memcpy(t, six, sizeof six);
			t += 6;
		}
	}
	const enm_mesh_data data = {.vertex_count = RINGS * SECTORS, .triangle_count = (RINGS - 1) * SECTORS * 2, .positions_mm = positions,
		.triangles = triangles, .views = with_values ? views : NULL, .sigma_um = with_values ? sigma_um : NULL};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_save(mesh, scratch_path(name), 1.0), ENM_OK);
	enm_mesh_destroy(&mesh);
}

static uint8_t *read_picture(const char *name)
{
	uint32_t width, height;
	uint8_t *rgb = malloc(WIDTH * HEIGHT * 3);
	assert_non_null(rgb);
	assert_int_equal(image_read_size(scratch_path(name), &width, &height), HOST_OK);
	assert_true(width == WIDTH && height == HEIGHT);
	assert_int_equal(image_read_rgb(scratch_path(name), WIDTH, HEIGHT, rgb), HOST_OK);
	return rgb;
}

/* Pixels that are not the background of enm_view_def_default, in some rows. */
static size_t covered(const uint8_t *rgb, size_t from_row, size_t to_row)
{
	const enm_view_def def = enm_view_def_default(1, 1);
	size_t count = 0;
	for (size_t i = from_row * WIDTH; i < to_row * WIDTH; i++)
		count += memcmp(rgb + 3 * i, def.background_rgb, 3) != 0;
	return count;
}

static void assert_done(const process_result *r)
{
	if (r->code != 0)
		fail_msg("exit code %d: %s", r->code, r->err);
	assert_string_equal(r->out, "");
}

static void a_mesh_fills_the_picture_from_every_side(void **state)
{
	(void)state;
	static char *const views[] = {"occlusal", "front", "buccal-left", "buccal-right", "lingual"};
	make_dome("dome.stl", false);
	for (size_t i = 0; i < 10; i++) {
		if (i % 2)
			assert_done(RENDER(path("dome.stl"), "--view", views[i / 2], "--size", SIZE, "--out", path("p.png"), "--orthographic"));
		else
			assert_done(RENDER(path("dome.stl"), "--view", views[i / 2], "--size", SIZE, "--out", path("p.png")));
		uint8_t *rgb = read_picture("p.png");
		const size_t all = covered(rgb, 0, HEIGHT);
		assert_true(all > WIDTH * HEIGHT / 4 && all < WIDTH * HEIGHT * 9 / 10);
		assert_int_equal(covered(rgb, 0, 2), 0);
		if (i == 1) /* from above a disc of 94 % of the height */
			assert_true(fabs((double)all - acos(-1.0) * pow(0.47 * HEIGHT, 2)) < 0.02 * (double)all);
		free(rgb);
	}
}

static void shades_have_legends_and_bars_have_lengths(void **state)
{
	(void)state;
	make_dome("dome.ply", true);
	static char *const shades[] = {"views", "quality", "incidence", "flags"};
	for (size_t i = 0; i < 4; i++) {
		assert_done(RENDER(path("dome.ply"), "--shade", shades[i], "--size", SIZE, "--out", path("with.png")));
		assert_done(RENDER(path("dome.ply"), "--shade", shades[i], "--size", SIZE, "--out", path("without.png"), "--no-legend"));
		uint8_t *with = read_picture("with.png"), *without = read_picture("without.png");
		/* the strip below has a colour of its own, and the model stays above it */
		assert_int_equal(covered(with, HEIGHT - 40, HEIGHT), 40 * WIDTH);
		assert_true(covered(without, HEIGHT - 2, HEIGHT) == 0);
		free(with);
		free(without);
	}
	assert_done(RENDER(path("dome.ply"), "--orthographic", "--scale-bar", "--size", SIZE, "--out", path("bar.png")));
	uint8_t *rgb = read_picture("bar.png");
	size_t longest = 0;
	for (size_t y = HEIGHT - 40; y < HEIGHT; y++) {
		size_t run = 0;
		for (size_t x = 0; x < WIDTH; x++) {
			run = rgb[3 * (y * WIDTH + x)] > 200 ? run + 1 : 0;
			longest = run > longest ? run : longest;
		}
	}
	/* the dome is 16 mm high at least in 94 % of the 106 rows above the strip: 6.3 pixels a mm, and a bar of 5 mm */
	assert_true(longest >= 30 && longest <= 33);
	free(rgb);
}

static void ranges_cuts_and_ups_change_the_picture(void **state)
{
	(void)state;
	make_dome("dome.ply", true);
	assert_done(RENDER(path("dome.ply"), "--orthographic", "--shade", "quality", "--no-legend", "--size", SIZE, "--out", path("a.png")));
	assert_done(RENDER(path("dome.ply"), "--orthographic", "--shade", "quality", "--no-legend", "--size", SIZE, "--range", "5:6", "--out", path("b.png")));
	assert_done(RENDER(path("dome.ply"), "--orthographic", "--shade", "quality", "--no-legend", "--size", SIZE, "--cut", "front:0", "--out", path("c.png")));
	assert_done(RENDER(path("dome.ply"), "--orthographic", "--shade", "quality", "--no-legend", "--size", SIZE, "--up=-z", "--out", path("d.png")));
	uint8_t *a = read_picture("a.png"), *b = read_picture("b.png"), *c = read_picture("c.png"), *d = read_picture("d.png");
	assert_true(memcmp(a, b, WIDTH * HEIGHT * 3) != 0);
	const double whole = (double)covered(a, 0, HEIGHT), half = (double)covered(c, 0, HEIGHT);
	assert_true(fabs(half / whole - 0.5) < 0.03);
	/* from below one sees the inside: as large, and darker */
	assert_true(fabs((double)covered(d, 0, HEIGHT) / whole - 1.0) < 0.02);
	assert_true(d[3 * (75 * WIDTH + 90)] < a[3 * (75 * WIDTH + 90)]);
	free(a);
	free(b);
	free(c);
	free(d);
}

static void a_scan_is_stitched_and_drawn(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = 8, .frames = 8};
	scan_make(&def);
	assert_done(RENDER(path("scan"), "--shade", "quality", "--size", SIZE, "--out", path("scan.png")));
	uint8_t *rgb = read_picture("scan.png");
	assert_true(covered(rgb, 0, HEIGHT - 50) > WIDTH * HEIGHT / 5);
	free(rgb);
}

static void refused(int code, const char *text)
{
	assert_one_line(code, text);
	assert_true(!file_exists(scratch_path("p.png")));
}

/* A line of enamel-evaluate's, and one of its caller's. */
static void refused_by_two(const process_result *r, int code, const char *first, const char *second)
{
	if (r->code != code || !strstr(r->err, first) || !strstr(r->err, second))
		fail_msg("exit code %d and \"%s\", expected %d, \"%s\" and \"%s\"", r->code, r->err, code, first, second);
	assert_true(!file_exists(scratch_path("p.png")));
}

static void bad_input_is_named(void **state)
{
	(void)state;
	const process_result *r;
	make_dome("dome.stl", false);
	assert_int_equal(file_write(scratch_path("torn.ply"), "ply\nformat ascii 1.0\nelement vertex 3\n", 37), HOST_OK);
	RENDER(path("nothing.ply"), "--out", path("p.png"));
	refused(2, "nothing.ply");
	RENDER(path("nothing"), "--out", path("p.png"));
	refused(2, "nothing: missing");
	RENDER(path("torn.ply"), "--out", path("p.png"));
	refused(2, "torn.ply");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--view", "sideways");
	refused(2, "--view");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--shade", "pink");
	refused(2, "--shade");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--size", "0x100");
	refused(2, "--size");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--size", "100000x100000");
	refused(2, "--size");
	RENDER(path("dome.stl"), "--out", path("none/p.png"));
	refused(4, "none/p.png");
	RENDER(path("dome.stl"), "--out", path("p.jpg"));
	refused(2, ".png");
	RENDER(path("dome.stl"));
	refused(2, "--out: missing");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--shade", "views");
	refused(2, "has no values for --shade views");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--shade", "color");
	refused(2, "has no values for --shade color");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--shade", "deviation");
	refused(2, "wanted --compare FILE");
	r = RENDER(path("dome.stl"), "--out", path("p.png"), "--compare", path("nothing.ply"));
	refused_by_two(r, 2, "nothing.ply", "the evaluator has failed");
	r = RENDER(path("dome.stl"), "--out", path("p.png"), "--compare", path("torn.ply"));
	refused_by_two(r, 2, "torn.ply", "the evaluator has failed");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--scale-bar");
	refused(2, "--scale-bar");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--range", "1:2");
	refused(2, "--range");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--shade", "incidence", "--range", "2:1");
	refused(2, "--range");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--cut", "top:1");
	refused(2, "--cut");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--cut", "left:nan");
	refused(2, "--cut");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--up", "w");
	refused(2, "--up");
	RENDER(path("dome.stl"), "--out", path("p.png"), "--camera", path("dome.stl"));
	refused(2, "--camera");
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_mesh_fills_the_picture_from_every_side),
		SCRATCH_TEST(shades_have_legends_and_bars_have_lengths),
		SCRATCH_TEST(ranges_cuts_and_ups_change_the_picture),
		SCRATCH_TEST(a_scan_is_stitched_and_drawn),
		SCRATCH_TEST(bad_input_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
