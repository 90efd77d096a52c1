/* SPDX-License-Identifier: Apache-2.0
 * What `enamel view` shows against pictures that people have looked at, on screens of usual and of double density. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>

#include "jaw.h"
#include "likeness.h"
#include "live_run.h"
#include "marks_file.h"
#include "scratch.h"
#include "screen.h"

#define HALVED_MEAN_MAX 0.6
#define HALVED_CLEAR_MAX 0.03

static char program[] = ENAMEL_PROGRAM;

#define VIEW(...) assert_code(process_run((char *[]){program, "view", path("jaw.ply"), "--exit-after", "0.1", "--screenshot", path("p.png"), __VA_ARGS__, NULL}), 0)

static mark_point make_point(double u, double v)
{
	mark_point p = {.normal = {0.0, 0.0, 1.0}, .sigma_um = 4.0, .views = 9};
	jaw_place(u, v, p.position_mm);
	return p;
}

/* The jaw, with a distance between two of its teeth as if it had been measured before. */
static void make_model(void)
{
	enm_mesh *mesh = jaw_create(0.0, true);
	marks_models models = {.count = 0};
	mark_list list = {0};
	mark m = {.kind = MARK_DISTANCE, .number = 1, .point_count = 2, .points = {make_point(0.08, 0.5), make_point(0.92, 0.5)}, .value_sigma = 0.001};
	for (int k = 0; k < 3; k++)
		m.value += pow(m.points[0].position_mm[k] - m.points[1].position_mm[k], 2.0);
	m.value = sqrt(m.value);
	assert_int_equal(enm_mesh_save(mesh, scratch_path("jaw.ply"), 1.0), ENM_OK);
	assert_true(mark_list_add(&list, &m));
	assert_int_equal(marks_models_add(&models, "jaw.ply", mesh), HOST_OK);
	assert_int_equal(marks_file_write(scratch_path("jaw.ply.marks.json"), &models, &list), HOST_OK);
	free(list.entries);
	enm_mesh_destroy(&mesh);
}

#define DARK "--size", "368x286", "--shade", "quality"
#define LIGHT "--size", "368x286", "--shade", "flags", "--light", "--orthographic"

static void a_window_looks_as_it_did(void **state)
{
	(void)state;
	screen s = screen_open(NULL);
	make_model();
	VIEW(DARK);
	likeness_check(scratch_path("p.png"), "window");
	VIEW(LIGHT);
	likeness_check(scratch_path("p.png"), "window-light");
	screen_kill(&s);
}

/* Every four pixels as one. */
static uint8_t *read_halved(uint32_t *out_width, uint32_t *out_height)
{
	uint32_t width, height;
	uint8_t *rgb = likeness_read(scratch_path("p.png"), &width, &height);
	*out_width = width / 2;
	*out_height = height / 2;
	for (uint32_t y = 0; y < *out_height; y++) {
		for (uint32_t i = 0; i < 3 * *out_width; i++) {
			const uint8_t *at = rgb + 3 * ((size_t)2 * y * width + 2 * (i / 3)) + i % 3;
			const unsigned sum = (unsigned)at[0] + at[3] + at[3 * (size_t)width] + at[3 * (size_t)width + 3];
			rgb[3 * (size_t)y * *out_width + i] = (uint8_t)(sum / 4);
		}
	}
	return rgb;
}

/* Of the last picture, halved, and a reference of usual density. */
static likeness when_halved(const char *reference)
{
	uint32_t width, height, known_width, known_height;
	uint8_t *halved = read_halved(&width, &height), *known = likeness_read(reference, &known_width, &known_height);
	assert_true(width == known_width && height == known_height);
	const likeness l = likeness_of(halved, known, width, height);
	print_message("halved: mean %.3f, clear %.2g\n", l.mean, l.clear);
	free(halved);
	free(known);
	return l;
}

/* Twice the pixels for the same window: words and gauges take the same share of it. They are hinted otherwise. */
static void double_density_has_double_letters(void **state)
{
	(void)state;
	screen s = screen_open("Xft.dpi: 192");
	make_model();
	VIEW(DARK);
	const likeness dark = when_halved(REFERENCE_FOLDER "/window.png");
	VIEW(LIGHT);
	const likeness light = when_halved(REFERENCE_FOLDER "/window-light.png");
	assert_true(dark.mean < HALVED_MEAN_MAX && dark.clear < HALVED_CLEAR_MAX);
	assert_true(light.mean < HALVED_MEAN_MAX && light.clear < HALVED_CLEAR_MAX);
	VIEW("--size", "368x286", "--shade", "incidence"); /* another title, and other figures */
	const likeness other = when_halved(REFERENCE_FOLDER "/window.png");
	assert_true(other.mean > HALVED_MEAN_MAX && other.clear > HALVED_CLEAR_MAX);
	screen_kill(&s);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(a_window_looks_as_it_did),
		WITH_FOLDER(double_density_has_double_letters),
	};
	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
